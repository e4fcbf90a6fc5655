"""
SimilarWeb's interfaces before V5: a path for each figure. They were to end in October 2026, and may answer no more.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from enrichment.clock import Clock
from enrichment.modules.answers import Competitors, CountryShare, Keywords, Traffic
from enrichment.sources.costs import PaidRequests, report_credits
from enrichment.sources.failures import NotFound, ParseError
from enrichment.sources.http import Client, Read
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.similarweb_reading import (
    MAX_KEYWORDS,
    NO_CHANNELS,
    Answered,
    KeywordRow,
    channels,
    checked,
    competitors,
    count,
    countries,
    growth,
    keywords,
    mean,
    month_of,
    month_text,
    newest,
    not_known,
    noted,
    optional,
    percent,
)
from enrichment.sources.upstream import Upstream

T = TypeVar("T")

DESKTOP: Final = "Shares of the visits with desktop computers."


class ChannelMonth(msgspec.Struct, frozen=True):
    """The visits of a month by a channel, or their fraction of all."""

    date: str | None = None
    organic: float | None = None
    paid: float | None = None


class Channel(msgspec.Struct, frozen=True):
    """The months of a channel."""

    source_type: str | None = None
    visits: tuple[ChannelMonth | None, ...] = ()


class Overview(msgspec.Struct, frozen=True):
    """The channels, by domain."""

    visits: Mapping[str, tuple[Channel | None, ...]]


class Country(msgspec.Struct, frozen=True):
    """A country by its numeric code, with its fraction of all visits."""

    country: str | float | None = None
    share: float | None = None


class Lead(msgspec.Struct, frozen=True):
    """What is collected for sales; of it, the countries of the visits."""

    top_countries: tuple[Country | None, ...]


class Site(msgspec.Struct, frozen=True):
    """A similar website, with its similarity from 0 to 1."""

    url: str | None = None
    score: float | None = None


class Sites(msgspec.Struct, frozen=True):
    """Similar websites."""

    similar_sites: tuple[Site | None, ...]


class KeywordList(msgspec.Struct, frozen=True):
    """The keywords with most visits, and the number of all."""

    keywords: tuple[KeywordRow | None, ...]
    keywords_count: float | None = None


class Legacy:
    """Asks for what each module shows. All raise `NotFound` for a website without data."""

    paid_requests: Final = {
        "m03_traffic": PaidRequests(("visits", "bounce rate", "pages per visit", "duration of visits", "rank")),
        "m04_traffic_sources": PaidRequests(("channels", "countries")),
    }

    def __init__(self, client: Client, upstream: Upstream, clock: Clock, *, base_url: str, key: str) -> None:
        self._client = client
        self._upstream = upstream
        self._clock = clock
        self._url = base_url
        self._key = key

    async def traffic(self, domain: str) -> Answered:
        """Return the figures of the last month. The number of different visitors and the devices are not asked for."""
        path = f"v1/website/{domain}/total-traffic-and-engagement"

        async def visits_until(month: int) -> tuple[dict[int, float], str]:
            return await self._series(f"{path}/visits", "visits", month - 1, month)

        visits, url = await newest(self._clock.now(), visits_until)
        month = max(visits)
        engagement = ("bounce_rate", "pages_per_visit", "average_visit_duration")
        bounce, pages, duration, rank = await asyncio.gather(
            *(optional(self._figure(f"{path}/{name.replace('_', '-')}", name, month)) for name in engagement),
            optional(self._figure(f"v1/website/{domain}/global-rank/global-rank", "global_rank", month)),
        )
        before = visits.get(month - 1)
        figures = {"bounce rate": bounce, "pages per visit": pages, "duration of visits": duration}
        figures = {"growth": before, **figures, "rank": rank}
        answer = Traffic(
            monthly_visits=count(visits[month]),
            bounce_rate=percent(bounce),
            pages_per_visit=mean(pages),
            average_visit_duration_seconds=count(duration),
            month=month_text(month),
            global_rank=round(rank) if rank and rank >= 1 else None,
            month_over_month_growth_percent=growth(visits[month], before),
            note=noted(*not_known(figures)),
        )
        return Answered(answer, url, "SimilarWeb traffic and engagement", month)

    async def sources(self, domain: str) -> Answered:
        """Return the channels of the last month on desktop computers, and the countries that most visits come from."""

        async def overview_of(month: int) -> tuple[dict[str, float], int, str]:
            path = f"v1/website/{domain}/traffic-sources/overview-share"
            return await self._get(path, read_overview, **_months(month, month))

        visits, month, url = await newest(self._clock.now(), overview_of)
        places = await optional(self._get(f"v1/website/{domain}/lead-enrichment/all", read_countries))
        answer = channels(visits, DESKTOP, *not_known({"referring websites": None, "countries": places}))
        return Answered(
            msgspec.structs.replace(answer, top_countries=places or ()), url, "SimilarWeb traffic sources", month
        )

    async def competitors(self, domain: str) -> Answered:
        """Return the most similar websites."""

        def read(response: HttpResponse) -> tuple[Competitors, str]:
            sites = [site for site in checked(response).json(Sites).similar_sites if site]
            if not sites:
                raise NotFound("It has no similar websites.")
            found = competitors(((site.url, site.score) for site in sites), domain)
            return Competitors(competitors=found), response.url

        answer, url = await self._get(f"v1/website/{domain}/similar-sites/similarsites", read)
        return Answered(answer, url, "SimilarWeb similar sites", None)

    async def keywords(self, domain: str) -> Answered:
        """Return the keywords of the last month that lead to most visits."""
        options = {"traffic_source": "Organic", "web_source": "Total", "branded_type": "All", "offset": "0"}

        def read(response: HttpResponse) -> tuple[Keywords, str]:
            found = checked(response).json(KeywordList)
            if not found.keywords:
                raise NotFound("It has no keywords of this website.")
            rows = keywords(found.keywords, domain)
            return Keywords(keywords=rows, total_keywords=count(found.keywords_count), currency="USD"), response.url

        async def keywords_of(month: int) -> tuple[Keywords, str, int]:
            params = {"URL": domain, "limit": str(MAX_KEYWORDS), **options, **_months(month, month)}
            return *await self._get("v4/website-analysis/keywords", read, **params), month

        answer, url, month = await newest(self._clock.now(), keywords_of)
        return Answered(answer, url, "SimilarWeb search keywords", month)

    async def _figure(self, path: str, name: str, month: int) -> float | None:
        """A figure of one month."""
        values, _ = await self._series(path, name, month, month)
        return values.get(month)

    async def _series(self, path: str, name: str, first: int, last: int) -> tuple[dict[int, float], str]:
        """A figure by month, and the URL."""

        def read(response: HttpResponse) -> tuple[dict[int, float], str]:
            return read_series(checked(response), name), response.url

        return await self._get(path, read, **_months(first, last))

    async def _get(self, path: str, read: Read[T], **params: str) -> T:
        fixed = {"api_key": self._key, "country": "world", "format": "json"}
        request = HttpRequest(url=f"{self._url}/{path}", params={**fixed, **params})

        def read_unless_empty(response: HttpResponse) -> T:
            try:
                return read(response)
            except NotFound:
                report_credits(0)
                raise

        return await self._client.fetch(self._upstream, request, read_unless_empty)


def _months(first: int, last: int) -> dict[str, str]:
    months = {"start_date": month_text(first), "end_date": month_text(last)}
    return {**months, "granularity": "monthly", "main_domain_only": "false"}


def read_series(response: HttpResponse, name: str) -> dict[int, float]:
    """Return a figure by month. Raises `NotFound` if there is none, `ParseError` for another form."""
    rows = response.json(dict[str, Any]).get(name)
    try:
        points = msgspec.convert(rows, list[dict[str, str | float | None]])
    except msgspec.ValidationError:
        raise ParseError(f"Its answer has no months of {name}.") from None
    by_month = {month: point.get(name) for point in points if (month := month_of(str(point.get("date"))))}
    if points and not by_month:
        raise ParseError(f"Its answer has no months of {name}.")
    found = {month: value for month, value in by_month.items() if isinstance(value, float)}
    if not found:
        raise NotFound(f"It has no {name} of this website.")
    return found


def read_overview(response: HttpResponse) -> tuple[dict[str, float], int, str]:
    """Return the channels of the newest month, paid and unpaid search apart, the month, and the URL."""
    by_domain = checked(response).json(Overview).visits
    rows = [
        (month, channel.source_type, point)
        for each in by_domain.values()
        for channel in each
        if channel and channel.source_type
        for point in channel.visits
        if point and (month := month_of(point.date))
    ]
    newest_month = max((month for month, _, _ in rows), default=0)
    visits: dict[str, float] = {}
    for month, name, point in rows:
        is_search = name.casefold() == "search"
        for kind, value in (("Organic", point.organic), ("Paid", point.paid)):
            if month == newest_month and value and value > 0:
                key = f"{kind} Search" if is_search else name
                visits[key] = visits.get(key, 0.0) + value
    if not visits:
        raise NotFound(NO_CHANNELS)
    return visits, newest_month, response.url


def read_countries(response: HttpResponse) -> tuple[CountryShare, ...]:
    """Return the countries with the largest shares."""
    found = checked(response).json(Lead).top_countries
    return countries((row.country, row.share) for row in found if row)
