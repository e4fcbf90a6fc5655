"""
GDELT: headlines about a company in the news of the last three months.

It answers with titles only. They are evidence of events, not quotes, and they are found by name, which is less sure
than a domain. That it does not answer says nothing about the news.
"""

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.answers import TriggerEvents
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.company_names import Names, core_name
from enrichment.sources.failures import BadRequest, NotFound, RateLimited
from enrichment.sources.headlines import Report, events_in
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

SPACING_SECONDS: Final = 8.0
"One request in 5 seconds is the published limit, but exactly that is still refused."
BUSY_SECONDS: Final = 60.0
MAX_RECORDS: Final = 75
MIN_NAME: Final = 3
CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
LEGAL_FORM: Final = re.compile(r"[,\s]+(?:inc|corp|ltd|llc|plc|gmbh|ag|sa|nv|bv|ab|oyj|asa|spa|se)\.?$", re.IGNORECASE)


class Article(msgspec.Struct, frozen=True):
    """An article, and when it was seen."""

    url: str | None = None
    title: str | None = None
    seendate: str | None = None


class Articles(msgspec.Struct, frozen=True):
    """The answer; without any articles, it is an empty object."""

    articles: tuple[Article | None, ...] | None = None


class News:
    """Asks GDELT for headlines."""

    def __init__(
        self, client: Client, names: Names, clock: Clock, *, gdelt: str = "https://api.gdeltproject.org"
    ) -> None:
        self._client = client
        self._names = names
        self._clock = clock
        self._url = gdelt
        # An attempt is over before the next may begin, so that there is never more than one.
        self.upstream = Upstream(
            name="news",
            requests_per_second=1 / SPACING_SECONDS,
            attempt_seconds=SPACING_SECONDS - 1,
            trusted_origins=(gdelt,),
        )

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the events that headlines report."""
        full_name, confidence = await self._names.find(subject.domain)
        name = LEGAL_FORM.sub("", " ".join(full_name.replace('"', " ").split()))
        if len(name) < MIN_NAME:
            raise SourceFailed("News cannot be searched for by a name of fewer than three letters.")
        params = {
            "query": f'"{name}" sourcelang:english',
            "mode": "artlist",
            "format": "json",
            "maxrecords": str(MAX_RECORDS),
            "sort": "datedesc",
            "timespan": "3m",
        }
        request = HttpRequest(url=f"{self._url}/api/v2/doc/doc", params=params)
        reports = await self._client.fetch(self.upstream, request, read)
        now = self._clock.now()
        events, urls = events_in(reports, datetime.fromtimestamp(now, UTC).date(), name)
        if not events:
            raise NotFound("No headline of the last three months reports an event of this company.")
        titles = {report.url: " ".join(report.headline.split()) for report in reports}
        return Finding.of(
            TriggerEvents(events=events),
            source="news",
            fetched_at=now,
            observed_at=datetime.fromisoformat(events[0].date).replace(tzinfo=UTC).timestamp(),
            method=Method.DERIVED,
            citations=tuple(SourceCitation(url=url, title=titles[url], source="news", simulated=False) for url in urls),
            matched_by="name in headlines",
            match_confidence=min(confidence, 0.7 if len(core_name(name)) > 1 else 0.5),
        )


def read(response: HttpResponse) -> list[Report]:
    """Read the articles. Refusals and errors come with status 200, too, as text."""
    text = response.text[:500].lower()
    if response.status == 429 or "limit requests" in text:
        # It says so as well when it is busy itself.
        raise RateLimited("It has received too many requests.", retry_after=response.retry_after or BUSY_SECONDS)
    response.raise_for_status()
    if text.strip() and not text.lstrip().startswith("{"):
        raise BadRequest("It does not accept the query.")
    body = CONTROL.sub(b" ", response.body)  # strings contain stray control characters
    articles = msgspec.structs.replace(response, body=body).json(Articles).articles
    return [
        Report(headline=each.title, day=seen.date(), url=each.url)
        for each in articles or ()
        if each and each.title and each.url and (seen := _seen(each.seendate))
    ]


def _seen(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
