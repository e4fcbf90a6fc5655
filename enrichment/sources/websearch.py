"""
Web search: pages that search engines find, and what can be verified on them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.modules.answers import (
    AnnualRevenue,
    Competitor,
    Competitors,
    Financials,
    HiringSignals,
    Quote,
    TriggerEvents,
)
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources.company_names import Names, core_name
from enrichment.sources.context import time_limit
from enrichment.sources.failures import NotFound
from enrichment.sources.found_facts import agreed, alternatives, headline_of, is_among, quotes_on, report_on, roles_on
from enrichment.sources.found_pages import Company, FoundPage, Pages, examine
from enrichment.sources.headlines import event_type, events_in
from enrichment.sources.job_boards import Board, Role, board_citation, boards_in, summarize
from enrichment.sources.keys import Checkable, KeyStatus
from enrichment.sources.quotes import exec_quotes
from enrichment.sources.revenue_reports import Revenue, annual_revenues
from enrichment.sources.search_engines import Result, SearchEngine, Topic
from enrichment.sources.site_facts import domain_of
from schemas import Method, SourceCitation

SEARCH_SECONDS: Final = 6.0
"How long a search may take, shared by all engines, so that time is left for the pages."
MAX_NAME: Final = 100
"Characters of a company's name in a query."
MAX_QUOTES: Final = 10
MAX_COMPETITORS: Final = 10
MIN_PAGES: Final = 2
"Websites that must say the same of what the company's own does not say."
MAX_CONFIDENCE: Final = 0.7
"How sure it can be that a page that was found by name is about the company; with a name of one word it is less."
ONE_WORD_CONFIDENCE: Final = 0.5
OWN_CONFIDENCE: Final = 0.95
NOT_MEASURED: Final = (
    "Websites that pages about alternatives name; similarity is the share of these pages. Whether they have the same "
    "visitors is not measured."
)


class Boards(Protocol):
    """Reads job boards."""

    async def roles(self, board: Board) -> tuple[str, list[Role]]:
        """Return the URL of a board's answer, and its roles. Raises `SourceFailed`."""


class Verified(NamedTuple):
    """An answer, what it stands on, how it was obtained, and the time of the data."""

    answer: Answer
    cited: Sequence[FoundPage]
    method: Method = Method.SCRAPE
    observed_at: float | None = None
    citations: tuple[SourceCitation, ...] = ()


class WebSearch:
    """
    Searches with the first engine that works, and reads the pages that it finds.

    Snippets are never quoted. Statements of others than the company need its name with them, or a second website.
    """

    def __init__(
        self, engines: Sequence[SearchEngine], pages: Pages, names: Names, boards: Boards, clock: Clock
    ) -> None:
        self._engines = tuple(engines)
        self._pages = pages
        self._names = names
        self._boards = boards
        self._clock = clock
        self._answers = {
            "m05_competitors": self._competitors,
            "m07_financials": self._financials,
            "m10_hiring_signals": self._hiring,
            "m11_exec_quotes": self._quotes,
            "m12_trigger_events": self._events,
        }
        self.upstreams = tuple(engine.upstream for engine in engines)

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return what can be verified on pages. Raises `NotFound` if that is nothing."""
        if module.id not in self._answers:
            raise SourceFailed("A web search does not answer this module.")
        name, confidence = await self._names.find(subject.domain)
        company = Company(registrable_domain(subject.domain), name, confidence)
        verified = await self._answers[module.id](company)
        matched_by, confidence = _match(company, verified.cited)
        return Finding.of(
            verified.answer,
            source="websearch",
            fetched_at=self._clock.now(),
            observed_at=verified.observed_at,
            method=verified.method,
            citations=verified.citations + tuple(_citation(found) for found in verified.cited),
            matched_by=matched_by,
            match_confidence=confidence,
        )

    async def check_key(self) -> KeyStatus:
        """Check the key of the first engine for which that is free."""
        for engine in self._engines:
            if engine.upstream.key_setting and isinstance(engine, Checkable):
                return await engine.check_key()
        return KeyStatus(detail="Whether the key works shows with the next search: there is no free way to check it.")

    async def _search(self, query: str, topic: Topic = "general") -> tuple[Result, ...]:
        """Return the results of the first engine that answers. Raises `NotFound` if it finds nothing."""
        failed: list[tuple[str, SourceFailed]] = []
        for engine in self._engines:
            try:
                async with time_limit(SEARCH_SECONDS / len(self._engines)):
                    return await engine.search(query, topic)
            except NotFound:
                raise
            except SourceFailed as error:
                failed.append((engine.upstream.name, error))
        (_, first), *others = failed
        if not others:
            raise first
        kind = type(first) if all(type(other) is type(first) for _, other in others) else SourceFailed
        raise kind(" ".join(f"{name}: {error}" for name, error in failed))

    async def _competitors(self, company: Company) -> Verified:
        """Return the websites that pages about alternatives link to; the share of these pages is the similarity."""
        results = await self._search(f"alternatives to {_quoted(company)} competitors")
        examined = await examine(self._pages, results, company, lambda found: alternatives(found, company.domain))
        sites = {domain_of(each.found.page.url): each for each in reversed(examined) if not each.found.is_own}
        counts = Counter(domain for each in sites.values() for domain in each.value)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_COMPETITORS]
        named = [(domain, count) for domain, count in ranked if count >= MIN_PAGES]
        if not named:
            raise NotFound("No page about alternatives to this company agrees with another.")
        competitors = tuple(Competitor(domain=domain, similarity=round(n / len(sites), 2)) for domain, n in named)
        cited = [each.found for each in sites.values() if any(domain in each.value for domain, _ in named)][::-1]
        return Verified(Competitors(competitors=competitors, note=NOT_MEASURED), cited, Method.ESTIMATED)

    async def _financials(self, company: Company) -> Verified:
        """Return the revenue that the company's website reports, or that two other websites agree on."""
        year = datetime.fromtimestamp(self._clock.now(), UTC).year
        results = await self._search(f"{_quoted(company)} annual report full year results revenue", "finance")
        examined = await examine(
            self._pages,
            results,
            company,
            lambda found: annual_revenues(found.text, company.name, year, is_own=found.is_own),
        )
        by_year: dict[int, Revenue] = {}
        for each in sorted({revenue.fiscal_year for page in examined for revenue in page.value}):
            if (revenue := agreed(each, examined)) is not None:
                by_year[each] = revenue
        if not by_year:
            raise NotFound("No revenue of a whole year was found that the company reports, or two websites agree on.")
        latest = by_year[max(by_year)]
        same_currency = [each for each in by_year.values() if each.currency == latest.currency]
        answer = Financials(
            is_public=True,
            basis="reported",
            currency=latest.currency,
            fiscal_year=latest.fiscal_year,
            revenue=latest.amount,
            revenue_by_year=tuple(
                AnnualRevenue(fiscal_year=each.fiscal_year, revenue=each.amount) for each in same_currency
            ),
        )
        return Verified(
            answer, [page.found for page in examined if any(is_among(each, by_year) for each in page.value)]
        )

    async def _hiring(self, company: Company) -> Verified:
        """Return the roles on a job board whose postings name the company, or on a page of its own website."""
        now = self._clock.now()
        results = await self._search(f"{_quoted(company)} careers open positions jobs")
        examined = await examine(self._pages, results, company, lambda found: roles_on(found, company, now))
        for each in examined:
            for board in boards_in([each.found.page.url]):
                with suppress(SourceFailed):
                    url, roles = await self._boards.roles(board)
                    signals = await asyncio.to_thread(summarize, roles, now)
                    return Verified(signals, [each.found], Method.API, now, (board_citation(board, url),))
        own = max((each for each in examined if each.found.is_own), key=lambda each: len(each.value), default=None)
        if own:
            return Verified(await asyncio.to_thread(summarize, own.value, now), [own.found])
        roles = [role for each in examined for role in each.value]
        technologies = (await asyncio.to_thread(summarize, roles, now)).technologies_mentioned
        if not technologies:
            raise NotFound("No job postings that name the company were found, or they name no technology.")
        # They are single postings: how many others there are is not known.
        return Verified(HiringSignals(technologies_mentioned=technologies), [each.found for each in examined])

    async def _quotes(self, company: Company) -> Verified:
        results = await self._search(f"{_quoted(company)} CEO said")
        examined = await examine(self._pages, results, company, lambda found: quotes_on(found, company))
        quotes: dict[str, Quote] = {}
        cited = []
        for each in examined:
            if new := {quote.quote: quote for quote in each.value if quote.quote not in quotes}:
                cited.append(each.found)
                quotes |= new
        if not quotes:
            raise NotFound("No statement of an executive was found on the pages that could be read.")
        return Verified(exec_quotes(list(quotes.values())[:MAX_QUOTES]), cited)

    async def _events(self, company: Company) -> Verified:
        results = await self._search(f"{_quoted(company)} news", "news")
        likely = [result for result in results if event_type(headline_of(result.title), company.name)]
        examined = await examine(self._pages, likely, company, report_on)
        reports = [each.value for each in examined if each.value]
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        events, urls = events_in(reports, today, company.name)
        if not events:
            raise NotFound("No report of an event was found on the pages that could be read.")
        latest = datetime.fromisoformat(events[0].date).replace(tzinfo=UTC).timestamp()
        by_url = {each.found.page.url: each.found for each in examined}
        return Verified(TriggerEvents(events=events), [by_url[url] for url in urls], Method.SCRAPE, latest)


def _quoted(company: Company) -> str:
    """The company's name as a phrase of a query."""
    return f'"{" ".join(company.name.replace(chr(34), " ").split())[:MAX_NAME]}"'


def _match(company: Company, cited: Iterable[FoundPage]) -> tuple[str, float]:
    """How the company was identified, and how sure that is."""
    if all(found.is_own for found in cited):
        return "pages of the company's website", min(company.confidence, OWN_CONFIDENCE)
    limit = MAX_CONFIDENCE if len(core_name(company.name)) > 1 else ONE_WORD_CONFIDENCE
    return "name on the cited pages", min(company.confidence, limit)


def _citation(found: FoundPage) -> SourceCitation:
    return SourceCitation(url=found.page.url, title=found.title, source="websearch", simulated=False)
