"""
What search engines have in common. They find pages, for which see `websearch`.

The snippets that come with results are left out: they may join sentences that do not belong together.
"""

import html
import re
from collections.abc import Iterable
from typing import Final, Literal, Protocol

import msgspec

from enrichment.sources.failures import BadRequest, NotFound
from enrichment.sources.messages import HttpResponse
from enrichment.sources.upstream import Upstream

Topic = Literal["general", "news", "finance"]
Row = tuple[str | None, str | None, str | None]
"The address of a result, its title, and the day of publication."

MAX_RESULTS: Final = 10
MAX_QUERY: Final = 300
"Characters. Brave allows 400, and 50 words."
MAX_URL: Final = 2_000
MAX_TITLE: Final = 500
LIMIT_SECONDS: Final = 3_600.0
"How long nothing is searched for after a limit that does not say when it ends."
MAX_LIMIT_SECONDS: Final = 31 * 86_400.0
MARKS: Final = re.compile(r"<[^<>]{0,100}>")


class Result(msgspec.Struct, frozen=True):
    """A page that was found. `published` is the day of publication as the engine writes it, empty if it does not."""

    url: str
    title: str
    published: str = ""


class SearchEngine(Protocol):
    """Finds pages."""

    upstream: Upstream

    async def search(self, query: str, topic: Topic) -> tuple[Result, ...]:
        """Return the results, the best first; news are of the past year. Raises `NotFound` if there are none."""


def known(response: HttpResponse) -> HttpResponse:
    """Return a response unless the address is wrong, which says nothing about a company."""
    if response.status in (404, 410):
        raise BadRequest(f"It does not know the request, with status {response.status}.")
    return response


def results_of(found: Iterable[Row]) -> tuple[Result, ...]:
    """The results that have an address and a title, as plain text. Raise `NotFound` if nothing was found."""
    rows = list(found)
    if not rows:
        raise NotFound("The search has no results.")
    return tuple(
        Result(url, html.unescape(MARKS.sub("", title[:MAX_TITLE])), published or "")
        for url, title, published in rows
        if url and title and len(url) <= MAX_URL and url.startswith(("https://", "http://"))
    )
