"""
GDELT: how it is asked, how seldom, and which headlines are events.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import TriggerEvents
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.company_names import CompanyName, CompanyNames, core_name, is_mentioned, may_be_same
from enrichment.sources.failures import BadRequest, NotFound, RateLimited
from enrichment.sources.headlines import Report, event_type, events_in
from enrichment.sources.news import News
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, reply
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream


class Names:
    """Finds the same name for every domain."""

    def __init__(self) -> None:
        self.name = "Rocket Works"

    async def find(self, domain: str) -> CompanyName:
        return CompanyName(self.name, 0.95)


class Case(NamedTuple):
    """The source and its service."""

    source: News
    names: Names
    stub: StubUpstream
    clock: InstantClock

    async def ask(self) -> Finding:
        return await self.source.ask(MODULES["m12_trigger_events"], Subject(domain="rocketworks.example"))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock, names = InstantClock(), Names()
    async with stub_upstream(lambda _: reply(answers("news"))) as stub, live_client(clock) as client:
        yield Case(News(client, names, clock, gdelt=stub.url), names, stub, clock)


async def test_headlines_are_events_with_a_citation_each(case: Case) -> None:
    case.names.name = 'The "Rocket Works", Inc.'
    finding = await case.ask()

    assert [(event.type, event.date, event.headline) for event in finding.read(TriggerEvents).events] == [
        ("acquisition", "2026-02-10", "Rocket Works acquires Sparks GmbH"),
        ("expansion", "2026-01-01", "Rocket Works opens a new factory in Rome"),
    ]
    assert [(citation.url, citation.title) for citation in finding.citations] == [
        ("https://news.test/a", "Rocket Works acquires Sparks GmbH"),
        ("https://news.test/c", "Rocket Works opens a new factory in Rome"),
    ]
    assert (finding.source, finding.method, finding.match_confidence) == ("news", "derived", 0.7)
    assert finding.observed_at == 1_770_681_600
    assert case.stub.received[0].target == (
        "/api/v2/doc/doc?query=%22The%20Rocket%20Works%22%20sourcelang%3Aenglish&mode=artlist&format=json&maxrecords=75"
        "&sort=datedesc&timespan=3m"
    ).replace("%20", "+" if "+" in case.stub.received[0].target else "%20")


async def test_calls_at_once_are_eight_seconds_apart(case: Case) -> None:
    await asyncio.gather(*(case.ask() for _ in range(4)))

    assert sum(case.clock.sleeps) == pytest.approx(24)


async def test_a_short_name_is_not_searched_for(case: Case) -> None:
    case.names.name = "X, Inc."

    with pytest.raises(SourceFailed):
        await case.ask()
    assert case.stub.received == []


async def test_no_headlines(case: Case) -> None:
    case.stub.answer = lambda _: Reply(b"{}")

    with pytest.raises(NotFound):
        await case.ask()


NOTICE = Reply(b"Please limit requests to one every 5 seconds or contact ...\n", 200, {"content-type": "text/html"})


@pytest.mark.parametrize("status", [200, 429])
async def test_a_throttle_is_a_pause_not_an_answer(case: Case, status: int) -> None:
    case.stub.answer = lambda _: NOTICE._replace(status=status)

    for _ in range(3):
        with pytest.raises(RateLimited):
            await case.ask()
    assert len(case.stub.received) <= 9


async def test_a_query_that_is_not_accepted(case: Case) -> None:
    case.stub.answer = lambda _: Reply(b"The specified phrase is too short.\n", 200, {"content-type": "text/html"})

    with pytest.raises(BadRequest):
        await case.ask()


async def test_stray_control_characters_do_not_matter(case: Case) -> None:
    case.names.name = "Rocket"
    article = b'{"url":"https://news.test/a","title":"Rocket \x01 launches\ta car","seendate":"20260210T101500Z"}'
    body = b'{"articles":[' + article + b"]}"
    case.stub.answer = lambda _: Reply(body)
    finding = await case.ask()

    assert finding.read(TriggerEvents).events[0].headline == "Rocket launches a car"
    assert finding.match_confidence == 0.5


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "wrong_types", "oversized"])
async def test_failures(case: Case, scenario: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await case.ask()
    assert not isinstance(caught.value, NotFound)


async def test_nulls(case: Case) -> None:
    case.stub.scenario = "nulls"

    with pytest.raises(NotFound):
        await case.ask()


# fmt: off
HEADLINES = [
    ("Acme appoints Jo Doe as Chief Financial Officer",    "leadership_change"),
    ("Acme CEO steps down",                                "leadership_change"),
    ("Jo Doe takes over as new CEO of Acme",               "leadership_change"),
    ("Sparks acquires Acme",                               "acquisition"),
    ("Acme raises $40 million in Series B",                "funding"),
    ("Acme files for an IPO",                              "funding"),
    ("Acme lays off 200 people",                           "restructuring"),
    ("Acme cuts 10% of its jobs",                          "restructuring"),
    ("Acme reports third-quarter results",                 "earnings"),
    ("Acme's Q3 revenue grows by a tenth",                 "earnings"),
    ("Acme partners with Sparks",                          "partnership"),
    ("Acme opens its first store in Rome",                 "expansion"),
    ("Acme unveils a rocket",                              "product_launch"),
    ("Sparks unveils an Acme rival",                       None),
    ("Acme may launch a rocket",                           None),
    ("Why Acme launched a rocket",                         None),
    ("10,000 shares of Acme acquired by a fund",           None),
    ("Acme's picnic was fun",                              None),
    ("Sparks launches a rocket",                           None),
]
# fmt: on


@pytest.mark.parametrize(("headline", "expected"), HEADLINES)
def test_kinds_of_events(headline: str, expected: str | None) -> None:
    assert event_type(headline, "Acme Inc.") == expected


def test_old_future_and_endless_headlines_are_left_out_and_reports_of_one_event_are_joined() -> None:
    today = date(2026, 2, 26)

    def report(day: date, headline: str = "Acme launches a rocket") -> Report:
        return Report(headline=headline, day=day, url=f"https://news.test/{day}")

    reports = [
        report(date(2026, 2, 27)),
        report(date(2025, 2, 20)),
        report(date(2026, 2, 25), "Acme launches " + "x" * 300),
        report(date(2026, 2, 1)),
        report(date(2026, 2, 7)),
        report(date(2026, 2, 13)),
        report(date(2026, 2, 22)),
    ]
    events, urls = events_in(reports, today, "Acme")

    assert [event.date for event in events] == ["2026-02-22", "2026-02-01"]
    assert urls == ("https://news.test/2026-02-22", "https://news.test/2026-02-01")


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("Acme Inc.", "ACME", True),
        ("Ocado", "Ocado Group plc", True),
        ("BMW", "Bayerische Motoren Werke AG", True),
        ("TSMC", "Taiwan Semiconductor Manufacturing Company Limited", True),
        ("H&M", "H & M Hennes & Mauritz AB", True),
        ("Banco Santander Chile", "Santander Chile", True),
        ("DocuSign", "Docu Sign, Inc.", True),
        ("General Mills", "General Electric", False),
        ("Acme", "Sparks", False),
        ("", "Sparks", False),
    ],
)
def test_names_that_may_be_of_the_same_company(name: str, other: str, expected: bool) -> None:
    assert may_be_same(name, other) is expected


def test_names_are_mentioned_as_whole_words() -> None:
    assert core_name("The Co.") == ("the", "co")
    assert is_mentioned("Acme.com", "At Acme, all is well")
    assert not is_mentioned("Acme", "Acmeville")
    assert not is_mentioned("", "Acme")


class Known(NamedTuple):
    """A company, or a website."""

    name: str | None
    match_confidence: float


class Lookups:
    """Finds the same for every domain, or fails."""

    def __init__(self, found: Known | SourceFailed | None) -> None:
        self.found = found

    async def identify(self, domain: str) -> Known | None:
        if isinstance(self.found, SourceFailed):
            raise self.found
        return self.found

    async def site_facts(self, domain: str) -> Known:
        found = await self.identify(domain)
        assert found
        return found


UNKNOWN = NotFound("Unknown.")


@pytest.mark.parametrize(
    ("identity", "site", "expected"),
    [
        (Known("Acme", 0.9), BadRequest("No."), CompanyName("Acme", 0.9)),
        (UNKNOWN, Known("Acme", 0.8), CompanyName("Acme", 0.8)),
        (None, Known("Acme", 0.8), CompanyName("Acme", 0.8)),
        (Known(None, 0.9), Known("Acme", 0.8), CompanyName("Acme", 0.8)),
        (UNKNOWN, UNKNOWN, NotFound),
        (UNKNOWN, Known(None, 0.8), NotFound),
        (BadRequest("No."), Known("Acme", 0.8), BadRequest),
        (UNKNOWN, BadRequest("No."), BadRequest),
    ],
)
async def test_a_company_is_named_by_its_identity_or_else_by_its_website(
    identity: Known | SourceFailed | None, site: Known | SourceFailed, expected: CompanyName | type[SourceFailed]
) -> None:
    names = CompanyNames(Lookups(identity), Lookups(site))
    if isinstance(expected, CompanyName):
        assert await names.find("acme.com") == expected
    else:
        with pytest.raises(expected):
            await names.find("acme.com")
