"""
Web search: what is sent, when it stops, and that only what stands on a page is answered.
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
from enrichment.sources.failures import AuthError, HostNotFound, NotFound, ParseError, QuotaExhausted, RateLimited
from enrichment.sources.http import Client
from enrichment.sources.markup import Markup, read_markup
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

    async def find(self, domain: str) -> CompanyName:
        return CompanyName("Rocket Works, Inc.", 0.95)


class Case(NamedTuple):
    """The source, its service, and the pages that it finds."""

    source: WebSearch
    stub: StubUpstream
    pages: Pages
    clock: InstantClock
    client: Client

    async def ask(self, module: str, *urls: str, domain: str = "rocketworks.example") -> Finding:
        if urls:
            self.stub.answer = lambda _: reply({"results": [{"title": "A page", "url": url} for url in urls]})
        return await self.source.ask(MODULES[module], Subject(domain=domain))

    def with_key(self) -> "Case":
        source = WebSearch(self.client, self.pages, Names(), self.clock, tavily=self.stub.url, key=KEY)
        return self._replace(source=source)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock, pages = InstantClock(), Pages()
    async with stub_upstream(lambda _: reply(SAMPLES["search"])) as stub, live_client(clock) as client:
        yield Case(WebSearch(client, pages, Names(), clock, tavily=stub.url), stub, pages, clock, client)


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


@pytest.mark.parametrize("module", ["m07_financials", "m10_hiring_signals"])
async def test_what_cannot_be_verified_is_not_searched_for(case: Case, module: str) -> None:
    with pytest.raises(NotFound):
        await case.ask(module)
    assert case.stub.received == []


async def test_what_is_sent_without_a_key(case: Case) -> None:
    with pytest.raises(NotFound):
        await case.ask("m12_trigger_events")

    (received,) = case.stub.received
    assert (received.method, received.target) == ("POST", "/search")
    assert received.headers["x-tavily-access-mode"] == "keyless"
    assert received.headers["x-client-source"] == "lead-enrichment"
    assert "https://example.com/bot" in received.headers["user-agent"]
    assert "authorization" not in received.headers
    assert msgspec.json.decode(received.body) == {
        "query": '"Rocket Works, Inc." news',
        "search_depth": "basic",
        "topic": "news",
        "time_range": "year",
        "max_results": 10,
        "include_answer": False,
        "include_raw_content": False,
    }


async def test_what_is_sent_with_a_key(case: Case) -> None:
    with pytest.raises(NotFound):
        await case.with_key().ask("m12_trigger_events")

    (received,) = case.stub.received
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert "x-tavily-access-mode" not in received.headers


LIMIT = reply(SAMPLES["keyless_limit"])


@pytest.mark.parametrize("limit", [LIMIT, LIMIT._replace(status=429), Reply(b"", 429, {"retry-after": "60"})])
async def test_the_first_limit_stops_the_search(case: Case, limit: Reply) -> None:
    case.stub.answer = lambda _: limit

    for module in ("m11_exec_quotes", "m12_trigger_events"):
        with pytest.raises(QuotaExhausted):
            await case.ask(module)
    assert len(case.stub.received) == 1
    case.clock._now += 61
    with pytest.raises(QuotaExhausted):
        await case.ask("m11_exec_quotes")
    assert len(case.stub.received) == 2


@pytest.mark.parametrize("body", [b"", b'{"error":{"window":"day","retry_after_seconds":null}}'])
async def test_a_limit_without_an_end_lasts_an_hour(case: Case, body: bytes) -> None:
    case.stub.answer = lambda _: Reply(body, 429)
    with pytest.raises(QuotaExhausted):
        await case.ask("m11_exec_quotes")

    assert case.client.health(case.source.upstream).until == case.clock.now() + 3_600


@pytest.mark.parametrize("status", [432, 433])
async def test_the_limit_of_a_plan_lasts_until_the_next_month(case: Case, status: int) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["plan_limit"], status)
    with pytest.raises(QuotaExhausted) as caught:
        await case.with_key().ask("m11_exec_quotes")

    assert caught.value.until == 1_772_323_200  # 2026-03-01
    assert KEY not in str(caught.value)


async def test_with_a_key_too_many_requests_are_a_pause(case: Case) -> None:
    case.stub.script.extend(["rate_limited_for_1_second"])
    with pytest.raises(NotFound):
        await case.with_key().ask("m12_trigger_events")

    assert len(case.stub.received) == 2
    case.stub.answer = lambda _: Reply(b"", 429, IN_A_SECOND)
    with pytest.raises(RateLimited):
        await case.with_key().ask("m12_trigger_events")


async def test_a_wrong_key(case: Case) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["unauthorized"], 401)

    with pytest.raises(AuthError):
        await case.with_key().ask("m11_exec_quotes")


async def test_no_results(case: Case) -> None:
    case.stub.answer = lambda _: reply({"results": []})

    with pytest.raises(NotFound, match="no results"):
        await case.ask("m11_exec_quotes")


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, "unauthorized", "forbidden", "unavailable", "redirect_loop"])
async def test_failures(case: Case, scenario: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await case.ask("m11_exec_quotes")
    assert not isinstance(caught.value, NotFound)


async def test_nulls_and_wrong_types(case: Case) -> None:
    case.stub.scenario = "nulls"
    with pytest.raises(NotFound):
        await case.ask("m11_exec_quotes")
    case.stub.scenario = "wrong_types"
    with pytest.raises(ParseError):
        await case.ask("m11_exec_quotes")
