"""
A company's own website as a source: what it is about, whom the company hires, and what its executives say.
"""

import asyncio
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from enrichment.clock import Clock, format_utc
from enrichment.errors import SourceFailed
from enrichment.modules.answers import ExecQuotes, Keywords, Quote
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources.failures import NotFound
from enrichment.sources.job_boards import summarize
from enrichment.sources.job_postings import read_roles, timestamp_of
from enrichment.sources.json_ld import first, types_of
from enrichment.sources.page_kinds import NAMES
from enrichment.sources.quotes import exec_quotes, find_quotes, text_of, themes_of
from enrichment.sources.site_facts import read_facts
from enrichment.sources.terms import find_terms
from enrichment.sources.website import Page, Site, Websites
from schemas import Method, SourceCitation

MAX_ARTICLES: Final = 2
MIN_HYPHENS: Final = 2
"In the address of an article without a number: `/news/acme-opens-office`."
NEWSROOMS: Final = frozenset(NAMES["newsroom"])
ARTICLES: Final = frozenset({"NewsArticle", "Article", "BlogPosting", "PressRelease"})
TERMS: Final = (
    "Terms that the company's home page stresses, not keywords that lead to it: how often they are searched for, and "
    "where the website ranks for them, is not known."
)
NO_QUOTES: Final = "Its newsroom was read, but no quote with the name and the role of one of its executives was found."
NO_NEWSROOM: Final = "Its website leads to no newsroom, so no quotes were looked for."


class Homepage:
    """The source of on-page terms, of job postings in markup, and of quotes in the newsroom."""

    def __init__(self, websites: Websites, clock: Clock) -> None:
        self._websites = websites
        self._clock = clock
        self._answers = {
            "m06_keywords": self._terms,
            "m10_hiring_signals": self._hiring,
            "m11_exec_quotes": self._quotes,
        }

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Read the pages that the module is about. Raises `Blocked` if the website does not let robots read them."""
        if module.id not in self._answers:
            raise SourceFailed("A website does not answer this module.")
        site = await self._websites.site(subject.domain)
        return await self._answers[module.id](site)

    async def _terms(self, site: Site) -> Finding:
        home = site.home
        terms = find_terms(home.markup, home.url, await self._websites.sitemap(site), _names(site))
        if not terms:
            raise NotFound("Its home page has no text in titles, headings and links.")
        return self._finding(site, Keywords(keywords=terms, note=TERMS), Method.DERIVED, (home, "Home page"))

    async def _hiring(self, site: Site) -> Finding:
        page = await self._websites.find(site, "careers")
        if page is None:
            raise NotFound("Its website leads to no careers page.")
        roles = read_roles(page.markup, site.domain, _names(site), self._clock.now())
        if not roles:
            raise NotFound("Its careers page has no job postings in its markup.")
        signals = summarize(roles, self._clock.now())
        return self._finding(site, signals, Method.SCRAPE, (page, "Careers page"))

    async def _quotes(self, site: Site) -> Finding:
        newsroom = await self._websites.find(site, "newsroom")
        if newsroom is None:
            return self._finding(site, ExecQuotes(note=NO_NEWSROOM), Method.SCRAPE, (site.home, "Home page"))
        quotes: dict[str, Quote] = {}
        citations = []
        for page in (newsroom, *await self._articles(site, newsroom)):
            found = await asyncio.to_thread(_quotes_on, page, _names(site))
            quotes = {quote.quote: quote for quote in found} | quotes
            if found:
                citations.append((page, page.markup.title or "Newsroom"))
        if not quotes:
            return self._finding(site, ExecQuotes(note=NO_QUOTES), Method.SCRAPE, (newsroom, "Newsroom"))
        return self._finding(site, exec_quotes(quotes.values()), Method.SCRAPE, *citations)

    async def _articles(self, site: Site, newsroom: Page) -> list[Page]:
        """Read the first articles that the newsroom lists, which are usually the newest."""
        pages = []
        for url in list(_article_urls(site, newsroom))[:MAX_ARTICLES]:
            try:
                pages.append(await self._websites.page(url))
            except SourceFailed:
                continue
        return pages

    def _finding(self, site: Site, answer: Answer, method: Method, *cited: tuple[Page, str]) -> Finding:
        return Finding.of(
            answer,
            source="homepage",
            method=method,
            fetched_at=min(page.fetched_at for page, _ in cited),
            citations=tuple(
                SourceCitation(url=page.url, title=title, source="homepage", simulated=False) for page, title in cited
            ),
            matched_by=site.match.matched_by,
            match_confidence=site.match.confidence,
        )


def _names(site: Site) -> tuple[str, ...]:
    """What the company is called: by its website, and in its domain."""
    facts = read_facts(site.home.markup, site.home.url, site.match)
    names = (facts.name, facts.legal_name, site.domain.partition(".")[0])
    return tuple(name for name in names if name)


def _article_urls(site: Site, newsroom: Page) -> Iterator[str]:
    """The addresses of articles in a newsroom: their last part is a headline, or has a number."""
    seen = {newsroom.url, site.home.url}
    for link in newsroom.markup.links:
        segments = urlsplit(link.url).path.lower().strip("/").split("/")
        is_headline = segments[-1].count("-") >= MIN_HYPHENS or any(char.isdigit() for char in segments[-1])
        if len(segments) > 1 and is_headline and NEWSROOMS.intersection(segments[:-1]) and site.is_own(link.url):
            if link.url not in seen:
                yield link.url
            seen.add(link.url)


def _quotes_on(page: Page, names: tuple[str, ...]) -> list[Quote]:
    day = _day_of(page)
    return [
        Quote(
            quote=said.quote,
            speaker=said.speaker,
            speaker_title=said.role,
            said_on=day,
            url=page.url,
            theme=next(iter(themes_of(said.quote)), None),
        )
        for said in find_quotes(text_of(page.html), names)
    ]


def _day_of(page: Page) -> str | None:
    """The day on which a page was published, if it has just one."""
    markup = page.markup
    articles = [item for item in markup.items if not ARTICLES.isdisjoint(types_of(item))]
    dates = [first(item.get("datePublished")) for item in articles] or [markup.first_meta("article:published_time")]
    moment = timestamp_of(dates[0]) if len(dates) == 1 else None
    return None if moment is None else format_utc(int(moment), "%Y-%m-%d")
