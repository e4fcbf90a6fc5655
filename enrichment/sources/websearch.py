"""
Web search with Tavily, with or without a key.

A search result is only a hint. What is answered stands on the page itself, which is read for it; a page that cannot be
read, or does not name the company, does not count.
"""

import asyncio
import re
from collections import Counter
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.modules.answers import Competitor, Competitors, Quote, TriggerEvents
from enrichment.modules.evidence import words
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources.company_names import Names, has_words, is_mentioned
from enrichment.sources.failures import NotFound, QuotaExhausted, RateLimited
from enrichment.sources.headlines import Report, event_type, events_in
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.quotes import Said, exec_quotes, find_quotes, text_of, themes_of
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

SERVED: Final = frozenset({"m05_competitors", "m11_exec_quotes", "m12_trigger_events"})
CLIENT_NAME: Final = "lead-enrichment"
MAX_RESULTS: Final = 10
MAX_PAGES: Final = 5
MAX_QUOTES: Final = 10
MAX_COMPETITORS: Final = 10
MIN_PAGES: Final = 2
"Pages that must name a competitor."
MAX_CONFIDENCE: Final = 0.7
"How sure it can be that a page that was found by name is about the company."
LIMIT_SECONDS: Final = 3_600.0
"How long nothing is searched for after a limit that does not say when it ends."
PUBLISHED: Final = re.compile(
    r"\"datePublished\"\s{0,9}:\s{0,9}\"(\d{4}-\d\d-\d\d)"
    r"|article:published_time[\"']\s{1,9}content\s{0,9}=\s{0,9}[\"'](\d{4}-\d\d-\d\d)"
)
WORD: Final = re.compile(r"[^\W_]+")
TITLE_END: Final = re.compile(" [|\u2013\u2014-] [^|\u2013\u2014]{1,60}$")
# fmt: off
NOT_COMPETITORS: Final = frozenset({
    "apple.com", "bsky.app", "capterra.com", "crunchbase.com", "facebook.com", "g2.com", "getapp.com", "github.com",
    "google.com", "gstatic.com", "instagram.com", "linkedin.com", "medium.com", "microsoft.com", "pinterest.com",
    "quora.com", "reddit.com", "softwareadvice.com", "t.me", "threads.net", "tiktok.com", "trustpilot.com",
    "trustradius.com", "twitter.com", "whatsapp.com", "wikipedia.org", "wordpress.org", "x.com", "youtube.com",
})
# fmt: on


class Link(Protocol):
    """A link on a page."""

    @property
    def url(self) -> str:
        """Where it leads to."""


class Markup(Protocol):
    """What the markup of a page says."""

    @property
    def title(self) -> str | None:
        """Its title."""

    @property
    def links(self) -> tuple[Link, ...]:
        """Its links."""


class Page(Protocol):
    """A page that has been read."""

    @property
    def url(self) -> str:
        """Its address after redirects."""

    @property
    def html(self) -> str:
        """Its content."""

    @property
    def markup(self) -> Markup:
        """What its markup says."""


class Pages(Protocol):
    """Reads web pages."""

    async def page(self, url: str) -> Page:
        """Return a page. Raises `SourceFailed`."""


class Result(msgspec.Struct, frozen=True):
    """A search result. Only news have a date."""

    url: str | None = None
    title: str | None = None
    published_date: str | None = None


class Results(msgspec.Struct, frozen=True):
    """An answer of Tavily, which may be an error with status 200."""

    results: tuple[Result | None, ...] | None = None
    error: Any = None


class PageRead(NamedTuple):
    """A result whose page has been read, and names the company."""

    result: Result
    page: Page
    text: str


class Company(NamedTuple):
    """The company that is searched for."""

    domain: str
    name: str


Verified = tuple[Answer, list[PageRead], Method, float | None]
"An answer, the pages that it stands on, the method, and the time of the data."


class WebSearch:
    """
    Asks Tavily, and reads the pages that it finds.

    Without a `key`, its keyless mode is used, whose limit is not published: after the first refusal, nothing more is
    asked until it is over.
    """

    def __init__(
        self,
        client: Client,
        pages: Pages,
        names: Names,
        clock: Clock,
        *,
        tavily: str = "https://api.tavily.com",
        key: str = "",
    ) -> None:
        self._client = client
        self._pages = pages
        self._names = names
        self._clock = clock
        self._url = tavily
        self._headers = (
            {"Authorization": f"Bearer {key}"}
            if key
            else {"X-Tavily-Access-Mode": "keyless", "X-Client-Source": CLIENT_NAME}
        )
        self._has_key = bool(key)
        self.upstream = Upstream(
            name="websearch", requests_per_second=100 / 60 if key else 1, attempt_seconds=6, trusted_origins=(tavily,)
        )

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return what can be verified on pages. Raises `NotFound` if that is nothing."""
        if module.id not in SERVED:
            raise NotFound("A web search finds nothing for this module that can be verified.")
        name, confidence = await self._names.find(subject.domain)
        company = Company(registrable_domain(subject.domain), name)
        match module.id:
            case "m05_competitors":
                answer, cited, method, observed_at = await self._competitors(company)
            case "m11_exec_quotes":
                answer, cited, method, observed_at = await self._quotes(company)
            case _:
                answer, cited, method, observed_at = await self._events(company)
        return Finding.of(
            answer,
            source="websearch",
            fetched_at=self._clock.now(),
            observed_at=observed_at,
            method=method,
            citations=tuple(
                SourceCitation(url=read.page.url, title=_title(read), source="websearch", simulated=False)
                for read in cited
            ),
            matched_by="name on the cited pages",
            match_confidence=min(confidence, MAX_CONFIDENCE),
        )

    async def _quotes(self, company: Company) -> Verified:
        results = await self._search(f'"{company.name}" CEO said', topic="general")
        quotes: dict[str, Quote] = {}
        cited: list[PageRead] = []
        for read in await self._read(results[:MAX_PAGES], company):
            new = {
                said.quote: _quote(said, read.page.url) for said in await asyncio.to_thread(_own_quotes, read, company)
            }
            if new.keys() - quotes.keys():
                cited.append(read)
                quotes = new | quotes
        if not quotes:
            raise NotFound("No statement of an executive was found on the pages that could be read.")
        return exec_quotes(list(quotes.values())[:MAX_QUOTES]), cited, Method.SCRAPE, None

    async def _events(self, company: Company) -> Verified:
        results = await self._search(f'"{company.name}" news', topic="news", time_range="year")
        likely = [result for result in results if event_type(_headline(result.title), company.name)]
        reads = {read.page.url: read for read in await self._read(likely[:MAX_PAGES], company)}
        reports = [
            Report(headline=_headline(read.result.title), day=day, url=url)
            for url, read in reads.items()
            if _has_headline(read) and (day := _published(read))
        ]
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        events, urls = events_in(reports, now.date(), company.name)
        if not events:
            raise NotFound("No report of an event was found on the pages that could be read.")
        latest = datetime.fromisoformat(events[0].date).replace(tzinfo=UTC).timestamp()
        return TriggerEvents(events=events), [reads[url] for url in urls], Method.SCRAPE, latest

    async def _competitors(self, company: Company) -> Verified:
        """Return the websites that pages about alternatives link to; the share of these pages is the similarity."""
        results = await self._search(f"alternatives to {company.name} competitors", topic="general")
        reads = [
            read
            for read in await self._read(results[:MAX_PAGES], company)
            if _domain_of(read.page.url) != company.domain
        ]
        counts = Counter(domain for read in reads for domain in _alternatives(read, company.domain))
        found = [(domain, count) for domain, count in counts.most_common(MAX_COMPETITORS) if count >= MIN_PAGES]
        if not found:
            raise NotFound("No page about alternatives to this company agrees with another.")
        answer = Competitors(
            competitors=tuple(
                Competitor(domain=domain, similarity=round(count / len(reads), 2)) for domain, count in found
            )
        )
        return answer, reads, Method.ESTIMATED, None

    async def _search(self, query: str, **options: str) -> list[Result]:
        """Return the results that have a title and an address."""
        body = {
            "query": query,
            "search_depth": "basic",
            "max_results": MAX_RESULTS,
            "include_answer": False,
            "include_raw_content": False,
            **options,
        }
        request = HttpRequest(url=f"{self._url}/search", headers=self._headers, json=body)
        results = await self._client.fetch(self.upstream, request, self._read_results)
        return [result for result in results if result and result.url and result.title]

    def _read_results(self, response: HttpResponse) -> tuple[Result | None, ...]:
        """PageRead the results. A limit is final, unless there is a key and it is that of requests a minute."""
        now = self._clock.now()
        limit = _limit(response)
        if response.status in (432, 433):
            raise QuotaExhausted("The quota of this month is exhausted.", until=_next_month(now))
        if self._has_key and response.status == 429:
            raise RateLimited("It has received too many requests.", retry_after=response.retry_after)
        if response.status == 429 or limit is not None:
            seconds = limit or response.retry_after or LIMIT_SECONDS
            raise QuotaExhausted("The quota for use without a key is exhausted.", until=now + seconds)
        found = response.raise_for_status().json(Results).results
        if not found:
            raise NotFound("The search has no results.")
        return found

    async def _read(self, results: list[Result], company: Company) -> list[PageRead]:
        """Read the pages of results, without those that cannot be read or do not name the company."""
        reads = await asyncio.gather(*(self._read_page(result) for result in results))
        return [read for read in reads if read and is_mentioned(company.name, read.text)]

    async def _read_page(self, result: Result) -> PageRead | None:
        try:
            page = await self._pages.page(result.url or "")
        except SourceFailed:
            return None
        return PageRead(result, page, await asyncio.to_thread(text_of, page.html))


def _limit(response: HttpResponse) -> float | None:
    """The seconds that the notice of an exhausted quota names, 0 if none, None if the answer is not such a notice."""
    try:
        error = msgspec.json.decode(response.body, type=Results).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(error, dict) or ("window" not in error and "retry_after_seconds" not in error):
        return None
    seconds = error.get("retry_after_seconds")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 0.0


def _next_month(now: float) -> float:
    day = datetime.fromtimestamp(now, UTC)
    return datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC).timestamp()


def _domain_of(url: str) -> str:
    try:
        return registrable_domain((urlsplit(url).hostname or "").lower())
    except ValueError:
        return ""


def _headline(title: str | None) -> str:
    """A title without the name of the website at its end."""
    return TITLE_END.sub("", " ".join((title or "").split()))


def _title(read: PageRead) -> str:
    return read.page.markup.title or read.result.title or read.page.url


def _has_headline(read: PageRead) -> bool:
    """Whether the headline of a result stands on its page."""
    return has_words(words(_headline(read.result.title)), read.text)


def _own_quotes(read: PageRead, company: Company) -> list[Said]:
    """The quotes of the company's executives; on other websites than its own, only if the role names the company."""
    is_own = _domain_of(read.page.url) == company.domain
    quotes = find_quotes(read.text, [company.name])
    return [said for said in quotes if is_own or is_mentioned(company.name, said.role)]


def _quote(said: Said, url: str) -> Quote:
    theme = next(iter(themes_of(said.quote)), None)
    return Quote(quote=said.quote, speaker=said.speaker, speaker_title=said.role, url=url, theme=theme)


def _published(read: PageRead) -> date | None:
    """The day on which a page was published, as it says itself, or else as the search says."""
    match = PUBLISHED.search(read.page.html)
    text = (match[1] or match[2]) if match else (read.result.published_date or "")
    return _iso_day(text) or _mail_day(text)


def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _mail_day(text: str) -> date | None:
    """The day of a date as in `Tue, 10 Nov 2026 09:00:00 GMT`."""
    try:
        return parsedate_to_datetime(text).date()
    except ValueError:
        return None


def _alternatives(read: PageRead, own: str) -> frozenset[str]:
    """The domains that a page links to and whose names it mentions, without its own and those of networks."""
    said = frozenset(WORD.findall(read.text.lower()))
    linked = {_domain_of(link.url) for link in read.page.markup.links} - NOT_COMPETITORS
    return frozenset(
        domain for domain in linked - {"", own, _domain_of(read.page.url)} if domain.partition(".")[0] in said
    )
