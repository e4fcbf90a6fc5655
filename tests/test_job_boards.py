"""
Job boards: which ones count as the company's, and what their roles say.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import HiringSignals
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.failures import AddressRefused, NotFound, ParseError
from enrichment.sources.job_boards import Board, JobBoards, Role, boards_in, is_senior, links_to, technologies_in
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, by_path, paths, reply
from tests.upstreams import InstantClock, Received, Reply, StubUpstream, live_client, stub_upstream

SAMPLES: dict[str, Any] = answers("job_boards")
GREENHOUSE = "https://boards.greenhouse.io/rocketworks"
REPLIES = {
    "/v1/boards/rocketworks/jobs": reply(SAMPLES["greenhouse"]),
    "/v1/boards/rocketworks": reply(SAMPLES["greenhouse_board"]),
    "/v0/postings/RocketWorks": reply(SAMPLES["lever"]),
    "/v0/postings/empty": reply([]),
    "/posting-api/job-board/Rocket%20Works": reply(SAMPLES["ashby"]),
}


class Facts(NamedTuple):
    """What a website says."""

    name: str | None = "Rocket Works"
    job_boards: tuple[str, ...] = ()


class Sites:
    """Websites that say the same, or fail."""

    def __init__(self) -> None:
        self.facts: Facts | SourceFailed = Facts()

    async def site_facts(self, domain: str) -> Facts:
        if isinstance(self.facts, SourceFailed):
            raise self.facts
        return self.facts


class Boards(NamedTuple):
    """The source, the website it reads, and the service that stands for all vendors."""

    source: JobBoards
    sites: Sites
    stub: StubUpstream
    clock: InstantClock

    async def ask(self, *urls: str, domain: str = "rocketworks.example") -> tuple[Finding, HiringSignals]:
        if urls:
            self.sites.facts = Facts(job_boards=urls)
        finding = await self.source.ask(MODULES["m10_hiring_signals"], Subject(domain=domain))
        return finding, finding.read(HiringSignals)


@pytest.fixture
async def boards() -> AsyncIterator[Boards]:
    clock, sites = InstantClock(), Sites()
    async with stub_upstream(by_path(REPLIES)) as stub, live_client(clock) as client:
        source = JobBoards(client, sites, clock, greenhouse=stub.url, lever=stub.url, lever_eu=stub.url, ashby=stub.url)
        yield Boards(source, sites, stub, clock)


async def test_a_board_at_greenhouse(boards: Boards) -> None:
    finding, answer = await boards.ask(GREENHOUSE)

    assert [received.target for received in boards.stub.received] == ["/v1/boards/rocketworks/jobs?content=true"]
    assert "https://example.com/bot" in boards.stub.received[0].headers["user-agent"]
    assert answer.open_roles == 2
    assert [(row.department, row.open_roles) for row in answer.roles_by_department] == [
        ("Engineering", 1),
        ("Other", 1),
    ]
    assert answer.senior_roles == 1
    assert answer.remote_share_percent == 50
    assert answer.posted_last_30_days == 1
    assert answer.technologies_mentioned == ("Elasticsearch", "Salesforce Commerce Cloud")
    assert answer.trend is None
    assert (finding.source, finding.method, finding.matched_by) == (
        "job_boards",
        "api",
        "job board linked from the website",
    )
    assert [citation.url for citation in finding.citations] == [
        f"{boards.stub.url}/v1/boards/rocketworks/jobs?content=true"
    ]


async def test_a_board_at_lever(boards: Boards) -> None:
    _, answer = await boards.ask("https://jobs.eu.lever.co/RocketWorks/a0a0")

    assert [received.target for received in boards.stub.received] == [
        "/v0/postings/RocketWorks?mode=json&limit=100&skip=0"
    ]
    assert (answer.open_roles, answer.senior_roles, answer.remote_share_percent) == (2, 1, 50)
    assert answer.posted_last_30_days is None
    assert answer.technologies_mentioned == ("HubSpot",)


async def test_a_board_at_ashby(boards: Boards) -> None:
    _, answer = await boards.ask("https://jobs.ashbyhq.com/Rocket%20Works")

    assert [received.target for received in boards.stub.received] == [
        "/posting-api/job-board/Rocket%20Works?includeCompensation=true"
    ]
    assert (answer.open_roles, answer.senior_roles, answer.remote_share_percent) == (2, 1, 50)
    assert answer.posted_last_30_days == 2
    assert answer.technologies_mentioned == ("NetSuite", "Rust")


async def test_lever_is_read_page_by_page_a_second_apart(boards: Boards) -> None:
    def answer(received: Received) -> Reply:
        return reply([{"text": "Clerk"}] * (100 if "skip=0" in received.target else 3))

    boards.stub.answer = answer
    finding, signals = await boards.ask("https://jobs.lever.co/x")

    assert signals.open_roles == 103
    assert signals.remote_share_percent is None
    assert sum(boards.clock.sleeps) == pytest.approx(1)
    assert finding.citations[0].url.endswith("skip=0")


async def test_a_board_without_an_end_is_a_failure(boards: Boards) -> None:
    boards.stub.answer = lambda _: reply([{"text": "Clerk"}] * 100)

    with pytest.raises(ParseError, match="2000 roles"):
        await boards.ask("https://jobs.lever.co/x")


async def test_a_board_without_roles_is_an_answer(boards: Boards) -> None:
    _, answer = await boards.ask("https://jobs.lever.co/empty")

    assert answer == HiringSignals(open_roles=0, senior_roles=0, posted_last_30_days=0)


async def test_several_boards_are_added_up_without_those_that_are_gone(boards: Boards) -> None:
    finding, answer = await boards.ask(GREENHOUSE, "https://jobs.lever.co/gone", "https://jobs.lever.co/RocketWorks")

    assert answer.open_roles == 4
    assert len(finding.citations) == 2


async def test_no_board_is_left(boards: Boards) -> None:
    with pytest.raises(NotFound, match="do not exist"):
        await boards.ask("https://jobs.lever.co/gone")


async def test_lever_answers_an_object_where_there_is_no_board(boards: Boards) -> None:
    boards.stub.answer = lambda _: reply({"ok": False, "error": "Document not found"})

    with pytest.raises(ParseError):
        await boards.ask("https://jobs.lever.co/gone")


async def test_ashby_has_no_such_board_in_plain_text(boards: Boards) -> None:
    boards.stub.answer = lambda _: Reply(b"Not Found", 404, {"content-type": "text/plain"})

    with pytest.raises(NotFound):
        await boards.ask("https://jobs.ashbyhq.com/gone")


@pytest.mark.parametrize("failing", [False, True])
async def test_a_guessed_board_counts_if_its_postings_name_the_domain(boards: Boards, failing: bool) -> None:
    if failing:
        boards.sites.facts = AddressRefused("Blocked.")
    finding, answer = await boards.ask(domain="shop.rocketworks.example")

    assert answer.open_roles == 2
    assert (finding.matched_by, finding.match_confidence) == ("domain named in the postings", 0.9)


async def test_a_guessed_board_counts_if_it_has_the_name_of_the_company(boards: Boards) -> None:
    finding, _ = await boards.ask(domain="rocketworks.test")

    assert (finding.matched_by, finding.match_confidence) == ("name of the job board", 0.7)
    assert paths(boards.stub.received) == ["/v1/boards/rocketworks/jobs", "/v1/boards/rocketworks"]


async def test_without_the_website_it_is_not_known_that_there_is_no_board(boards: Boards) -> None:
    boards.sites.facts = AddressRefused("Blocked.")

    with pytest.raises(AddressRefused):
        await boards.ask(domain="rocketworks.test")


@pytest.mark.parametrize("name", [None, "Rocket Workshops"])
async def test_a_board_of_somebody_else_does_not_count(boards: Boards, name: str | None) -> None:
    boards.sites.facts = Facts(name=name)

    with pytest.raises(NotFound, match="No job board"):
        await boards.ask(domain="rocketworks.test")


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS])
@pytest.mark.parametrize("url", [GREENHOUSE, "https://jobs.lever.co/RocketWorks", "https://jobs.ashbyhq.com/x"])
async def test_a_failing_vendor_is_a_failure(boards: Boards, url: str, scenario: str) -> None:
    boards.stub.scenario = scenario
    if "ashby" in url:
        boards.stub.answer = lambda _: reply(SAMPLES["ashby"])

    with pytest.raises(SourceFailed) as caught:
        await boards.ask(url)
    assert not isinstance(caught.value, NotFound)


async def test_wrong_types_are_a_failure(boards: Boards) -> None:
    boards.stub.scenario = "wrong_types"

    with pytest.raises(ParseError):
        await boards.ask(GREENHOUSE)


@pytest.mark.parametrize(
    "url", [GREENHOUSE, "https://jobs.lever.co/RocketWorks", "https://jobs.ashbyhq.com/Rocket%20Works"]
)
async def test_roles_of_which_nothing_is_known_are_counted(boards: Boards, url: str) -> None:
    boards.stub.scenario = "nulls"
    _, answer = await boards.ask(url)

    assert answer.open_roles in (2, 3)
    assert answer.posted_last_30_days is None
    assert answer.remote_share_percent is None
    assert answer.technologies_mentioned == ()


# fmt: off
URLS = [
    ("https://boards.greenhouse.io/acme",                        Board("greenhouse", "acme")),
    ("https://job-boards.greenhouse.io/acme/jobs/1",             Board("greenhouse", "acme")),
    ("https://job-boards.eu.greenhouse.io/acme",                 Board("greenhouse", "acme")),
    ("boards.greenhouse.io/embed/job_board?for=acme",            Board("greenhouse", "acme")),
    ("https://boards.greenhouse.io/embed/job_board/js?for=acme", Board("greenhouse", "acme")),
    ("https://boards.greenhouse.io/embed/job_app?t=1&for=acme",  Board("greenhouse", "acme")),
    ("https://jobs.lever.co/Acme",                               Board("lever", "Acme")),
    ("https://jobs.eu.lever.co/acme?x=1",                        Board("lever_eu", "acme")),
    ("https://jobs.ashbyhq.com/Acme%20Co",                       Board("ashby", "Acme Co")),
    ("https://boards.greenhouse.io/embed/",                      None),
    ("https://myjobs.lever.co/acme",                             None),
    ("https://acme.com/careers",                                 None),
]
# fmt: on


@pytest.mark.parametrize(("url", "expected"), URLS)
def test_boards_are_found_in_urls(url: str, expected: Board | None) -> None:
    assert boards_in([url, url]) == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://acme.com/x", True),
        ("jobs@acme.com.", True),
        ("www.ACME.com", True),
        ("acme.com.evil.test", False),
        ("notacme.com", False),
        ("not-acme.com", False),
        ("https://jobs.acme.com", True),
    ],
)
def test_a_domain_is_named_only_whole(text: str, expected: bool) -> None:
    assert links_to("acme.com", [Role(title=""), Role(title="", text=text)]) is expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Chief Executive Officer", True),
        ("Chief of Staff", False),
        ("SVP, Sales", True),
        ("Vice President of Data", True),
        ("Director of Product", True),
        ("Design Head", True),
        ("Art Director", False),
        ("Assistant to the CEO", False),
        ("Headhunter", False),
        ("Engineer", False),
    ],
)
def test_which_titles_are_of_heads(title: str, expected: bool) -> None:
    assert is_senior(title) is expected


def test_technologies_are_found_as_whole_names() -> None:
    html = "<li>JavaScript</li><li>Google&nbsp;Analytics</li> Adobe&amp;Next.js, not Javan, Reactive or react"

    assert technologies_in(html) == ["JavaScript", "Next.js"]
