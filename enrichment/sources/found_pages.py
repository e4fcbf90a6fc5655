"""
Pages that a search has found, read to see what they say.

A search result is only a hint. What is answered stands on the page itself, and a page that cannot be read, or is not
about the company, does not count.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from enrichment.errors import SourceFailed
from enrichment.sources.company_names import core_name, is_mentioned
from enrichment.sources.context import time_limit
from enrichment.sources.markup import Markup
from enrichment.sources.quotes import text_of
from enrichment.sources.search_engines import Result
from enrichment.sources.site_facts import domain_of

T = TypeVar("T")

MAX_PAGES: Final = 5
PAGE_SECONDS: Final = 4.0
"How long one page may take, so that a slow one does not cost the others."


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


class Company(NamedTuple):
    """The company that is searched for, and how sure its name is (0 to 1)."""

    domain: str
    name: str
    confidence: float


class FoundPage(NamedTuple):
    """A page about the company, the result that led to it, and its visible text."""

    result: Result
    page: Page
    text: str
    is_own: bool

    @property
    def title(self) -> str:
        """What it is called."""
        return self.page.markup.title or self.result.title


class Examined(NamedTuple, Generic[T]):
    """A page, and what was found on it."""

    found: FoundPage
    value: T


async def examine(
    pages: Pages, results: Sequence[Result], company: Company, look: Callable[[FoundPage], T]
) -> list[Examined[T]]:
    """
    Read the pages of the first results, and return those about the company with what `look` finds there, if anything.

    `look` runs in a thread. Each page counts once, whatever number of results lead to it. Raises `SourceFailed` if no
    page can be read.
    """
    first = results[:MAX_PAGES]
    read = zip(first, await asyncio.gather(*(_page(pages, result.url) for result in first)), strict=True)
    by_url = {page.url: (result, page) for result, page in reversed(list(read)) if page}
    if first and not by_url:
        raise SourceFailed(f"None of the first {len(first)} pages that were found can be read.")
    looks = [asyncio.to_thread(_look, result, page, company, look) for result, page in reversed(by_url.values())]
    return [examined for examined in await asyncio.gather(*looks) if examined and examined.value]


async def _page(pages: Pages, url: str) -> Page | None:
    """A page, None if it cannot be read."""
    try:
        async with time_limit(PAGE_SECONDS):
            return await pages.page(url)
    except SourceFailed:
        return None


def _look(result: Result, page: Page, company: Company, look: Callable[[FoundPage], T]) -> Examined[T] | None:
    is_own = domain_of(page.url) == company.domain
    found = FoundPage(result, page, text_of(page.html), is_own)
    return Examined(found, look(found)) if is_own or is_about(company, found) else None


def is_about(company: Company, found: FoundPage) -> bool:
    """
    Whether a page names the company.

    A name of a single word may be a word like any other: it has to be written as the company writes it, or the page
    has to name the company's domain.
    """
    if not is_mentioned(company.name, found.text):
        return False
    if len(core_name(company.name)) > 1:
        return True
    written = next((word for word in company.name.split() if core_name(word) == core_name(company.name)), company.name)
    return (
        written.strip(",.") in found.text
        or company.domain in found.text.lower()
        or any(domain_of(link.url) == company.domain for link in found.page.markup.links)
    )
