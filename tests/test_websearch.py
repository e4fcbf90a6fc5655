"""
Web search: only what stands on a page about the company is answered, whatever the search says.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import Competitors, ExecQuotes, TriggerEvents
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.company_names import CompanyName
from enrichment.sources.failures import HostNotFound, NotFound, QuotaExhausted, Transient, UpstreamError
from enrichment.sources.http import Client
from enrichment.sources.job_boards import Board, Role
from enrichment.sources.markup import Markup, read_markup
from enrichment.sources.tavily import Tavily
from enrichment.sources.websearch import WebSearch
from tests.adapters import SOFT_SCENARIOS, answers, reply
from tests.upstreams import IN_A_SECOND, InstantClock, Reply, StubUpstream, live_client, stub_upstream

SAMPLES: Any = answers("websearch")
KEY = "tvly-k3y"


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
    assert (finding.method, len(finding.citations)) == ("estimated", 3)


async def test_one_page_is_not_enough_for_competitors(case: Case) -> None:
    case.pages.html = {"https://a.test/": alternatives("sparks.example")}

    with pytest.raises(NotFound, match="agrees"):
        await case.ask("m05_competitors", "https://a.test/")
