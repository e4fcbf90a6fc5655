"""
Tranco: the rank of a website among all websites. A rank is not a number of visits, so those stay unknown.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.modules.answers import Traffic
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.failures import NotFound, ParseError, RateLimited
from enrichment.sources.http import Client
from enrichment.sources.identity import match_domain
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

NOTE: Final = "Only the rank is known: Tranco ranks websites and does not count visits."


class DayRank(msgspec.Struct, frozen=True):
    """The rank on a day."""

    date: str | None = None
    rank: int | None = None


class RankList(msgspec.Struct, frozen=True):
    """The ranks of the last weeks; none for a website that is not among the first million."""

    ranks: tuple[DayRank | None, ...]


class Ranks:
    """Asks Tranco for the rank of a domain. It ranks registrable domains only."""

    def __init__(self, client: Client, clock: Clock, *, tranco: str = "https://tranco-list.eu") -> None:
        self._client = client
        self._clock = clock
        self._url = tranco
        self.upstream = Upstream(name="ranks", requests_per_second=1, attempt_seconds=4, trusted_origins=(tranco,))

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the latest rank. Raises `NotFound` if there is none."""
        match = match_domain(subject.domain)
        request = HttpRequest(url=f"{self._url}/api/ranks/domain/{match.domain}")
        url, rank, ranked_at = await self._client.fetch(self.upstream, request, read)
        return Finding.of(
            Traffic(global_rank=rank, note=NOTE),
            source="ranks",
            fetched_at=self._clock.now(),
            observed_at=ranked_at,
            method=Method.API,
            citations=(SourceCitation(url=url, title="Tranco ranking", source="ranks", simulated=False),),
            matched_by=match.matched_by,
            match_confidence=match.confidence,
        )


def read(response: HttpResponse) -> tuple[str, int, float]:
    """Return the URL, the latest rank, and its day in seconds since the epoch."""
    if response.status == 403:
        raise RateLimited("It has received too many requests.", retry_after=response.retry_after)
    ranks = response.raise_for_status().json(RankList).ranks
    if not ranks:
        raise NotFound("This domain is not ranked.")
    dated = [(_timestamp(row.date), row.rank) for row in ranks if row and row.date and row.rank and row.rank > 0]
    if not dated:
        raise ParseError("Its answer has no rank with a date.")
    ranked_at, rank = max(dated)
    return response.url, rank, ranked_at


def _timestamp(day: str) -> float:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ParseError("Its answer has a date that cannot be read.") from None
