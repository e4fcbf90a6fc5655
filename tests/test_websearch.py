"""
Web search: only what stands on a page about the company is answered, whatever the search says.
"""

import asyncio
import contextvars
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import Competitors, ExecQuotes, Financials, HiringSignals, TriggerEvents
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.company_names import CompanyName
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.failures import HostNotFound, NotFound, QuotaExhausted, UpstreamError
from enrichment.sources.found_pages import Company, FoundPage, examine, is_about
from enrichment.sources.http import Client
from enrichment.sources.job_boards import Board, Role
from enrichment.sources.markup import Markup, read_markup
from enrichment.sources.quotes import text_of
from enrichment.sources.search_engines import Result, Topic
from enrichment.sources.tavily import Tavily
from enrichment.sources.upstream import Upstream
from enrichment.sources.websearch import NOT_MEASURED, WebSearch
from tests.adapters import answers, reply
from tests.conftest import FakeClock
from tests.upstreams import InstantClock, StubUpstream, live_client, stub_upstream

SAMPLES: Any = answers("websearch")


class Page(NamedTuple):
    """A page that has been read."""

    url: str
    html: str
    markup: Markup


class Pages:
    """A few pages; there are no others."""

    def __init__(self) -> None:
        self.html: dict[str, str] = {}
        self.asked: list[str] = []

    async def page(self, url: str) -> Page:
        self.asked.append(url)
        if url not in self.html:
            raise HostNotFound("Its host name does not exist.")
        return Page(url, self.html[url], read_markup(self.html[url], url))


class Names:
    """Finds the same name for every domain."""

    def __init__(self, name: str = "Rocket Works, Inc.") -> None:
        self.name = name

    async def find(self, domain: str) -> CompanyName:
        return CompanyName(self.name, 0.95)


class Boards:
    """One job board."""

    def __init__(self) -> None:
        self.roles_of: dict[Board, list[Role]] = {}

    async def roles(self, board: Board) -> tuple[str, list[Role]]:
        if board not in self.roles_of:
            raise NotFound("There is no such board.")
        return f"https://api.test/{board.token}", self.roles_of[board]


class Case(NamedTuple):
    """The source, its services, and the pages that they find."""

    source: WebSearch
    stub: StubUpstream
    pages: Pages
    boards: Boards
    clock: InstantClock
    client: Client

    async def ask(self, module: str, *urls: str, domain: str = "rocketworks.example") -> Finding:
        if urls:
            self.stub.answer = lambda _: reply({"results": [{"title": "A page", "url": url} for url in urls]})
        return await self.source.ask(MODULES[module], Subject(domain=domain))

    def named(self, name: str) -> "Case":
        engines = [Tavily(self.client, self.clock, url=self.stub.url)]
        return self._replace(source=WebSearch(engines, self.pages, Names(name), self.boards, self.clock))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock, pages, boards = InstantClock(), Pages(), Boards()
    async with stub_upstream(lambda _: reply(SAMPLES["search"])) as stub, live_client(clock) as client:
        source = WebSearch([Tavily(client, clock, url=stub.url)], pages, Names(), boards, clock)
        yield Case(source, stub, pages, boards, clock, client)


FACTORY = """<title>Rocket Works opens a new factory in Rome</title>
<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2026-02-09T08:00:00Z"}</script>
<body><h1>Rocket Works opens a new factory in Rome</h1><p>It is large.</p></body>"""


async def test_events_are_headlines_that_stand_on_their_pages(case: Case) -> None:
    case.pages.html = {
        "https://news.test/factory": FACTORY,
        "https://post.test/sparks": "<title>Post</title><p>Nothing about Rocket Works and Sparks any more.</p>",
    }
    finding = await case.ask("m12_trigger_events")

    (event,) = finding.read(TriggerEvents).events
    assert (event.type, event.date) == ("expansion", "2026-02-09")
    assert event.headline == "Rocket Works opens a new factory in Rome"
    assert [citation.url for citation in finding.citations] == ["https://news.test/factory"]
    assert (finding.source, finding.method, finding.match_confidence) == ("websearch", "scrape", 0.7)
    assert "https://pizza.test/" not in case.pages.asked


@pytest.mark.parametrize(
    ("html", "published", "expected"),
    [
        ('<meta property="article:published_time" content="2026-02-01T00:00:00Z">', None, "2026-02-01"),
        ('{"datePublished": "2026-02-02"}{"datePublished": "2026-02-01"}', None, "2026-02-02"),
        ('{"datePublished": "2026-02-02"}{"datePublished": "2026-02-09"}', None, None),
        ('{"datePublished": "2026-02-02"}{"datePublished": "2026-02-09"}', "2026-02-10", "2026-02-10"),
        ('{"datePublished": "2026-99-99"}', None, None),
        ("", "Tue, 10 Feb 2026 09:00:00 GMT", "2026-02-10"),
        ("", "2026-02-10T09:00:00Z", "2026-02-10"),
        ("", "lately", None),
        ("", None, None),
    ],
)
async def test_the_day_of_an_event(case: Case, html: str, published: str | None, expected: str | None) -> None:
    headline = "Rocket Works launches a rocket"
    result = {"title": headline, "url": "https://news.test/", "published_date": published}
    case.stub.answer = lambda _: reply({"results": [result]})
    case.pages.html = {"https://news.test/": f"<head>{html}</head><body><h1>{headline}</h1></body>"}

    if expected:
        assert (await case.ask("m12_trigger_events")).read(TriggerEvents).events[0].date == expected
    else:
        with pytest.raises(NotFound):
            await case.ask("m12_trigger_events")


SAID = "We will land on the moon with every second rocket"
OWN = f"<title>News</title><p>Rocket Works did well. \u201c{SAID},\u201d said Ann Lee, Chief Executive Officer.</p>"
OTHER = f"<p>\u201c{SAID},\u201d said Ann Lee, CEO of Rocket Works.</p>"


async def test_quotes_are_those_on_the_page(case: Case) -> None:
    urls = ("https://www.rocketworks.example/news", "https://other.test/", "https://gone.test/")
    case.pages.html = {urls[0]: OWN, urls[1]: OTHER}
    finding = await case.ask("m11_exec_quotes", *urls)

    (quote,) = finding.read(ExecQuotes).quotes
    assert (quote.quote, quote.speaker, quote.speaker_title) == (SAID, "Ann Lee", "Chief Executive Officer")
    assert quote.url == urls[0]
    assert quote.quote in case.pages.html[urls[0]]
    assert [(citation.url, citation.title) for citation in finding.citations] == [(urls[0], "News")]


@pytest.mark.parametrize(
    ("url", "html"),
    [
        ("https://other.test/", OWN),
        ("https://other.test/", OTHER.replace("Rocket Works", "Sparks")),
        ("https://www.rocketworks.example/", OTHER.replace("of Rocket Works", "of Sparks") + "Rocket Works"),
        ("https://other.test/", "<p>Rocket Works said nothing.</p>"),
        ("http://[", OTHER.replace("Rocket Works", "Rocket") + "Rocket Works"),
    ],
)
async def test_quotes_of_others_do_not_count(case: Case, url: str, html: str) -> None:
    case.pages.html = {url: html}

    with pytest.raises(NotFound):
        await case.ask("m11_exec_quotes", url)


def alternatives(*domains: str) -> str:
    links = "".join(f'<a href="https://www.{domain}/">{domain.partition(".")[0].title()}</a> ' for domain in domains)
    return f"<p>Alternatives to Rocket Works: {links}<a href='https://unnamed.test/'>here</a></p>"


async def test_competitors_are_those_that_several_pages_link_to(case: Case) -> None:
    case.pages.html = {
        "https://a.test/": alternatives("sparks.example", "moon.example", "rocketworks.example", "linkedin.com"),
        "https://b.test/": alternatives("sparks.example", "moon.example", "b.test"),
        "https://c.test/": alternatives("sparks.example", "venus.example"),
        "https://rocketworks.example/": alternatives("venus.example"),
        "https://e.test/": "<p>Nothing.</p>",
    }
    finding = await case.ask("m05_competitors", *case.pages.html)

    assert [(row.domain, row.similarity) for row in finding.read(Competitors).competitors] == [
        ("sparks.example", 1.0),
        ("moon.example", 0.67),
    ]
    assert finding.read(Competitors).note == NOT_MEASURED
    assert (finding.method, len(finding.citations)) == ("estimated", 3)


async def test_one_page_is_not_enough_for_competitors(case: Case) -> None:
    case.pages.html = {"https://a.test/": alternatives("sparks.example")}

    with pytest.raises(NotFound, match="agrees"):
        await case.ask("m05_competitors", "https://a.test/")


async def test_pages_of_one_website_count_once_for_competitors(case: Case) -> None:
    urls = ("https://a.test/one", "https://a.test/two")
    case.pages.html = dict.fromkeys(urls, alternatives("sparks.example"))

    with pytest.raises(NotFound, match="agrees"):
        await case.ask("m05_competitors", *urls)


LISTED = "<h1>Annual results</h1><p>Rocket Works, Inc. (NASDAQ: ROKT) today announced its results.</p>"
REVENUE = "<p>Rocket Works reported that revenue for fiscal 2025 was $1.2 billion, up from $1.0 billion.</p>"


async def test_revenue_is_what_the_company_reports(case: Case) -> None:
    own = "https://investors.rocketworks.example/annual"
    case.pages.html = {
        own: f"<title>Annual report</title>{LISTED}<p>Full-year 2025 revenue was $1,234.5 million.</p>"
        "<p>In 2024, revenue was $1.1 billion.</p><p>Revenue for fiscal 2023 was \u20ac1 billion.</p>",
        "https://news.test/": LISTED + REVENUE.replace("$1.2", "$9.9"),
    }
    finding = await case.ask("m07_financials", *case.pages.html)

    answer = finding.read(Financials)
    assert (answer.is_public, answer.basis, answer.currency, answer.fiscal_year) == (True, "reported", "USD", 2025)
    assert answer.revenue == 1_234_500_000
    assert [(each.fiscal_year, each.revenue) for each in answer.revenue_by_year] == [
        (2024, 1_100_000_000),
        (2025, 1_234_500_000),
    ]
    assert [(each.url, each.title) for each in finding.citations] == [(own, "Annual report")]
    assert (finding.matched_by, finding.match_confidence) == ("pages of the company's website", 0.95)
    assert msgspec.json.decode(case.stub.received[0].body)["topic"] == "finance"


async def test_revenue_is_what_two_websites_agree_on(case: Case) -> None:
    case.pages.html = {
        "https://a.test/": LISTED + REVENUE,
        "https://b.test/": LISTED + REVENUE.replace("$1.2 billion", "$1,201 million"),
        "https://c.test/": LISTED + REVENUE.replace("$1.2", "$2.1"),
    }
    finding = await case.ask("m07_financials", *case.pages.html)

    assert finding.read(Financials).revenue == 1_200_000_000
    assert [citation.url for citation in finding.citations] == ["https://a.test/", "https://b.test/"]
    assert (finding.matched_by, finding.match_confidence) == ("name on the cited pages", 0.7)


@pytest.mark.parametrize(
    "html",
    [
        {"https://a.test/": LISTED + REVENUE},
        {"https://a.test/1": LISTED + REVENUE, "https://a.test/2": LISTED + REVENUE},
        {"https://a.test/": LISTED + REVENUE, "https://b.test/": LISTED + REVENUE.replace("$1.2", "$1.3")},
        {"https://a.test/": REVENUE, "https://b.test/": REVENUE},
        {"https://rocketworks.example/": LISTED + REVENUE + REVENUE.replace("$1.2", "$1.3")},
    ],
)
async def test_revenue_that_is_not_certain_does_not_count(case: Case, html: dict[str, str]) -> None:
    case.pages.html = html

    with pytest.raises(NotFound, match="agree"):
        await case.ask("m07_financials", *html)


def posting(organization: str, text: str = "We use Kafka") -> str:
    item = {"@type": "JobPosting", "title": "VP of Engines", "description": text}
    if organization:
        item |= {"hiringOrganization": json.loads(organization)}
    return f'<title>Job</title><script type="application/ld+json">{json.dumps(item)}</script><p>Rocket Works</p>'


ROCKET_WORKS = '{"@type": "Organization", "name": "Rocket Works"}'


async def test_roles_are_those_on_a_board_that_names_the_company(case: Case) -> None:
    url = "https://jobs.lever.co/rockets/1234"
    case.pages.html = {"https://rocketworks.example/jobs": posting(ROCKET_WORKS), url: posting(ROCKET_WORKS)}
    case.boards.roles_of = {Board("lever", "rockets"): [Role(title="Chief Operating Officer"), Role(title="Welder")]}
    finding = await case.ask("m10_hiring_signals", *case.pages.html)

    answer = finding.read(HiringSignals)
    assert (answer.open_roles, answer.senior_roles) == (2, 1)
    assert [citation.url for citation in finding.citations] == ["https://api.test/rockets", url]
    assert (finding.source, finding.method, finding.observed_at) == ("websearch", "api", case.clock.now())


async def test_roles_are_those_on_the_website_if_the_board_fails(case: Case) -> None:
    own = "https://careers.rocketworks.example/"
    case.pages.html = {"https://jobs.lever.co/rockets/1234": posting(ROCKET_WORKS), own: posting("")}
    finding = await case.ask("m10_hiring_signals", *case.pages.html)

    answer = finding.read(HiringSignals)
    assert (answer.open_roles, answer.senior_roles, answer.technologies_mentioned) == (1, 1, ("Kafka",))
    assert [citation.url for citation in finding.citations] == [own]
    assert finding.method == "scrape"


@pytest.mark.parametrize(
    "organization",
    [ROCKET_WORKS, '"Rocket Works, Inc."', '{"name": "RW", "sameAs": "https://www.rocketworks.example"}'],
)
async def test_single_postings_elsewhere_do_not_say_how_many_roles_there_are(case: Case, organization: str) -> None:
    case.pages.html = {"https://market.test/1": posting(organization)}
    finding = await case.ask("m10_hiring_signals", *case.pages.html)

    answer = finding.read(HiringSignals)
    assert (answer.open_roles, answer.senior_roles, answer.technologies_mentioned) == (None, None, ("Kafka",))


@pytest.mark.parametrize(
    ("organization", "text"),
    [
        ('{"name": "Rocket Works Robotics"}', "We use Kafka"),
        ('{"name": "Sparks", "url": "https://sparks.example"}', "We use Kafka"),
        ("", "We use Kafka"),
        (ROCKET_WORKS, "We use hammers"),
    ],
)
async def test_postings_of_others_do_not_count(case: Case, organization: str, text: str) -> None:
    case.pages.html = {"https://market.test/1": posting(organization, text)}

    with pytest.raises(NotFound, match="postings"):
        await case.ask("m10_hiring_signals", "https://market.test/1")


@pytest.mark.parametrize(
    "role",
    [
        "former CEO of Rocket Works",
        "CEO of Rocket Works Robotics",
        "CEO of Sparks, a rival of Rocket Works",
        "CEO of rocket works rival Sparks",
    ],
)
async def test_who_does_not_speak_for_the_company_is_not_quoted(case: Case, role: str) -> None:
    case.pages.html = {"https://other.test/": OTHER.replace("CEO of Rocket Works", role)}

    with pytest.raises(NotFound):
        await case.ask("m11_exec_quotes", "https://other.test/")


async def test_a_quote_in_a_snippet_is_none(case: Case) -> None:
    result = {"title": "A page", "url": "https://other.test/", "content": OTHER}
    case.stub.answer = lambda _: reply({"results": [result], "answer": OTHER})
    case.pages.html = {"https://other.test/": "<p>Rocket Works said nothing.</p>"}

    with pytest.raises(NotFound):
        await case.ask("m11_exec_quotes")


async def test_the_day_of_a_quote_is_that_of_its_page(case: Case) -> None:
    case.pages.html = {"https://other.test/": '<script>{"datePublished": "2026-01-15"}</script>' + OTHER}
    finding = await case.ask("m11_exec_quotes", "https://other.test/")

    assert [quote.said_on for quote in finding.read(ExecQuotes).quotes] == ["2026-01-15"]
    assert (finding.matched_by, finding.match_confidence) == ("name on the cited pages", 0.7)


@pytest.mark.parametrize(
    ("html", "is_about_it"),
    [
        ("<p>\u201cWe will land on the moon with every rocket,\u201d said Ann Lee, CEO of Target.</p>", True),
        ("<p>Our target is the moon.</p>", False),
        ("<p>Our target is the moon: target.example.</p>", True),
        ("<p>Our target is <a href='https://www.target.example/'>the moon</a>.</p>", True),
        ("<p>The moon.</p>", False),
    ],
)
def test_a_name_of_one_word_has_to_be_written_as_the_company_does(html: str, is_about_it: bool) -> None:
    page = Page("https://a.test/", html, read_markup(html, "https://a.test/"))
    found = FoundPage(Result("https://a.test/", "A page"), page, text_of(html), is_own=False)

    assert is_about(Company("target.example", "Target, Inc.", 1.0), found) == is_about_it


async def test_a_name_of_one_word_is_less_sure(case: Case) -> None:
    case.pages.html = {"https://other.test/": OTHER.replace("Rocket Works", "Target")}
    finding = await case.named("Target Corp").ask("m11_exec_quotes", "https://other.test/")

    assert finding.match_confidence == 0.5


async def test_other_modules_are_not_answered(case: Case) -> None:
    with pytest.raises(SourceFailed, match="does not answer"):
        await case.ask("m03_traffic")
    assert case.stub.received == []


class Engine:
    """A search engine that fails, or finds one page."""

    def __init__(self, name: str, failure: SourceFailed | None = None, key_setting: str = "") -> None:
        self.upstream = Upstream(name=name, key_setting=key_setting)
        self.failure = failure
        self.asked = 0

    async def search(self, query: str, topic: Topic) -> tuple[Result, ...]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return (Result("https://other.test/", "A page"),)


async def searched(case: Case, *engines: Engine) -> Finding:
    case.pages.html = {"https://other.test/": OTHER}
    source = WebSearch(engines, case.pages, Names(), case.boards, case.clock)
    return await source.ask(MODULES["m11_exec_quotes"], Subject(domain="rocketworks.example"))


async def test_the_second_engine_is_asked_if_the_first_fails(case: Case) -> None:
    first, second = Engine("tavily", QuotaExhausted("Its quota is exhausted.")), Engine("brave")

    assert (await searched(case, first, second)).read(ExecQuotes).quotes
    assert (first.asked, second.asked) == (1, 1)
    assert (await searched(case, second, first)).read(ExecQuotes).quotes
    assert (first.asked, second.asked) == (1, 2)


async def test_that_nothing_was_found_is_an_answer(case: Case) -> None:
    first, second = Engine("tavily", NotFound("The search has no results.")), Engine("brave")

    with pytest.raises(NotFound):
        await searched(case, first, second)
    assert second.asked == 0


async def test_if_all_engines_fail_each_says_why(case: Case) -> None:
    engines = Engine("tavily", QuotaExhausted("Its quota is exhausted.")), Engine("brave", UpstreamError("It is down."))

    with pytest.raises(SourceFailed, match=r"tavily: Its quota is exhausted\. brave: It is down\."):
        await searched(case, *engines)
    with pytest.raises(UpstreamError, match=r"^It is down\.$"):
        await searched(case, engines[1])
    with pytest.raises(UpstreamError, match=r"brave: It is down\. brave: It is down\."):
        await searched(case, engines[1], engines[1])


class SlowEngine(Engine):
    """A search engine that takes some time."""

    def __init__(self, name: str, clock: FakeClock, seconds: float) -> None:
        super().__init__(name)
        self.clock = clock
        self.seconds = seconds

    async def search(self, query: str, topic: Topic) -> tuple[Result, ...]:
        await self.clock.sleep(self.seconds)
        return await super().search(query, topic)


class SlowPages(Pages):
    """Pages of which one takes an hour."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock

    async def page(self, url: str) -> Page:
        if url == "https://slow.test/":
            await self.clock.sleep(3_600)
        return await super().page(url)


async def test_a_slow_engine_leaves_time_for_the_second_one(clock: FakeClock) -> None:
    pages = SlowPages(clock)
    pages.html = {"https://other.test/": OTHER}
    source = WebSearch([SlowEngine("tavily", clock, 60), Engine("brave")], pages, Names(), Boards(), clock)
    context = contextvars.copy_context()
    context.run(CONTEXT.set, CallContext(clock=clock))
    asked = asyncio.create_task(
        source.ask(MODULES["m11_exec_quotes"], Subject(domain="rocketworks.example")), context=context
    )
    await clock.advance(3)

    assert (await asked).read(ExecQuotes).quotes


async def test_a_slow_page_does_not_cost_the_others(clock: FakeClock) -> None:
    pages = SlowPages(clock)
    pages.html = {"https://other.test/": OTHER, "https://slow.test/": OTHER}
    results = [Result(url, "A page") for url in ("https://slow.test/", "https://other.test/")]
    context = contextvars.copy_context()
    context.run(CONTEXT.set, CallContext(clock=clock))
    company = Company("rocketworks.example", "Rocket Works", 1.0)
    examined = asyncio.create_task(examine(pages, results, company, lambda found: found.text), context=context)
    await clock.advance(4)

    assert [each.found.page.url for each in await examined] == ["https://other.test/"]


async def test_pages_that_cannot_be_read_say_nothing_about_the_company(case: Case) -> None:
    with pytest.raises(SourceFailed, match="None of the first 2 pages") as caught:
        await case.ask("m11_exec_quotes", "https://gone.test/", "https://lost.test/")
    assert not isinstance(caught.value, NotFound)


async def test_a_page_counts_once(case: Case) -> None:
    url = "https://other.test/"
    case.pages.html = {url: OTHER}
    finding = await case.ask("m11_exec_quotes", url, url, url)

    assert len(finding.citations) == len(finding.read(ExecQuotes).quotes) == 1


async def test_a_key_is_checked_where_that_is_free(case: Case) -> None:
    keyed = Tavily(case.client, case.clock, url=case.stub.url, key="tvly-1")
    keyless = Tavily(case.client, case.clock, url=case.stub.url)
    brave = Engine("brave", key_setting="BRAVE_API_KEY")
    case.stub.answer = lambda _: reply(SAMPLES["usage"])

    both = WebSearch([keyed, brave], case.pages, Names(), case.boards, case.clock)
    assert (await both.check_key()).remaining == 3_600
    one = WebSearch([brave, keyless], case.pages, Names(), case.boards, case.clock)
    assert (await one.check_key()).works is None
    assert len(case.stub.received) == 1
