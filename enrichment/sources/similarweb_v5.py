"""
SimilarWeb's interface V5: rows of data about a website, for a window of months.

What is asked for is billed, metrics by the month and lists by the row, so nothing is asked for that is not shown.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from enrichment.clock import Clock
from enrichment.modules.answers import Competitors, CountryShare, Keywords, Referrer, Traffic
from enrichment.sources.costs import PaidRequests, report_credits
from enrichment.sources.failures import NotFound, ParseError
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.similarweb_reading import (
    MAX_COMPETITORS,
    MAX_COUNTRIES,
    MAX_ERROR,
    MAX_KEYWORDS,
    MAX_REFERRERS,
    METRICS,
    NO_CHANNELS,
    Answered,
    KeywordRow,
    NoSuchPath,
    bad_request,
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

R = TypeVar("R")

MAX_KEYS: Final = 12
NO_VOLUMES: Final = "How often the keywords are searched for, and what ads for them cost, is not known."


class Meta(msgspec.Struct, frozen=True):
    """What the service says about an answer; `request` is what it has understood."""

    status: str | None = None
    data_credits_charged: float | None = None
    request: Mapping[str, Any] | None = None


class Envelope(msgspec.Struct, frozen=True):
    """An answer. The rows may be grouped in arrays."""

    data: tuple[Any, ...] | None
    meta: Meta | None = None


class TrafficRow(msgspec.Struct, frozen=True):
    """The figures of a month; `bounce_rate` is a fraction, `average_visit_duration` in seconds."""

    date: str | None = None
    visits: float | None = None
    unique_visitors: float | None = None
    bounce_rate: float | None = None
    average_visit_duration: float | None = None
    pages_per_visit: float | None = None


class RankRow(msgspec.Struct, frozen=True):
    """The rank in a month, in the country that was asked for."""

    date: str | None = None
    country_rank: int | None = None


class ChannelRow(msgspec.Struct, frozen=True):
    """The visits of a month by a channel."""

    date: str | None = None
    source_type: str | None = None
    visits: float | None = None


class ReferrerRow(msgspec.Struct, frozen=True):
    """A referring website, with its fraction of the visits from all of them."""

    domain: str | None = None
    share: float | None = None


class CountryRow(msgspec.Struct, frozen=True):
    """A country, with its fraction of all visits."""

    country: str | float | None = None
    share: float | None = None


class SiteRow(msgspec.Struct, frozen=True):
    """A similar website."""

    domain: str | None = None
    affinity: float | None = None


class DataSet(NamedTuple, Generic[R]):
    """
    Something to ask for: its path, or several of which one exists, the form of a row, the field without which a row
    says nothing, the parameters, and the number of months.
    """

    paths: tuple[str, ...]
    row: type[R]
    field: str
    params: Mapping[str, str]
    months: int = 1


# fmt: off
ANY_DEVICE: Final = {"web_source": "total", "granularity": "monthly", "main_domain_only": "false"}
WORLDWIDE: Final = {**ANY_DEVICE, "country": "ww"}

TRAFFIC: Final = DataSet(
    ("websites/traffic-and-engagement",), TrafficRow, "visits", {**WORLDWIDE, "metrics": ",".join(METRICS)})
VISITS: Final = DataSet(
    ("websites/traffic-and-engagement",), TrafficRow, "visits", {**WORLDWIDE, "metrics": "visits"})
RANK: Final = DataSet(("websites/website-rank",), RankRow, "country_rank", WORLDWIDE)
CHANNELS: Final = DataSet(("websites/traffic-channels",), ChannelRow, "visits", {**WORLDWIDE, "metrics": "visits"})
REFERRERS: Final = DataSet(
    ("websites/traffic-referrals/incoming", "websites/traffic-referrals/aggregated"),
    ReferrerRow, "domain", {**WORLDWIDE, "limit": str(MAX_REFERRERS)})
COUNTRIES: Final = DataSet(
    ("websites/geography/aggregated",), CountryRow, "country", {**ANY_DEVICE, "limit": str(MAX_COUNTRIES)})
SIMILAR: Final = DataSet(  # it takes no country, and no other number of months
    ("websites/similar-sites/aggregated",), SiteRow, "domain", {"limit": str(MAX_COMPETITORS)}, months=3)
KEYWORDS: Final = DataSet(
    ("websites/keywords/organic-search", "websites/keywords/aggregated", "keywords/aggregated"),
    KeywordRow, "keyword", {**WORLDWIDE, "limit": str(MAX_KEYWORDS)})
# fmt: on


class Rows(NamedTuple, Generic[R]):
    """The rows of an answer, its URL, and the last month that it is about."""

    rows: list[R]
    url: str
    month: int


class V5:
    """Asks for what each module shows. All raise `NotFound` for a website without data."""

    paid_requests: Final = {
        "m03_traffic": PaidRequests(("traffic", "visits of the month before", "desktop visits", "rank")),
        "m04_traffic_sources": PaidRequests(("channels", "referrers", "countries")),
    }

    def __init__(self, client: Client, upstream: Upstream, clock: Clock, *, base_url: str, key: str) -> None:
        self._client = client
        self._upstream = upstream
        self._clock = clock
        self._url = f"{base_url}/v5/website-analysis"
        self._headers = {"api-key": key}
        self._paths: dict[tuple[str, ...], tuple[str]] = {}  # the one of several that exists

    async def traffic(self, domain: str) -> Answered:
        """Return the figures of the last month."""
        found = await self._newest(TRAFFIC, domain)
        by_month = {month_of(row.date) or found.month: row for row in found.rows}
        month = max(by_month)
        row = by_month[month]
        if all(getattr(row, name) is None for name in METRICS):
            raise NotFound("It has no figures of this website.")
        before, desktop, rank = await asyncio.gather(
            optional(self._visits(domain, month - 1, "total")),
            optional(self._visits(domain, month, "desktop")),
            optional(self._rank(domain)),
        )
        share = None
        if row.visits and desktop is not None and desktop <= row.visits:
            share = round(100 * desktop / row.visits, 1)
        answer = Traffic(
            monthly_visits=count(row.visits),
            bounce_rate=percent(row.bounce_rate),
            pages_per_visit=mean(row.pages_per_visit),
            unique_visitors=count(row.unique_visitors),
            average_visit_duration_seconds=count(row.average_visit_duration),
            month=month_text(month),
            global_rank=rank,
            month_over_month_growth_percent=growth(row.visits, before),
            desktop_share_percent=share,
            mobile_share_percent=None if share is None else round(100 - share, 1),
            note=noted(*not_known({"growth": before, "shares of devices": share, "rank": rank})),
        )
        return Answered(answer, found.url, "SimilarWeb traffic and engagement", month)

    async def sources(self, domain: str) -> Answered:
        """Return the channels of the last month, with the websites and countries that most visits come from."""
        found = await self._newest(CHANNELS, domain)
        month = max(month_of(row.date) or found.month for row in found.rows)
        visits: dict[str, float] = {}
        for row in found.rows:
            if row.source_type and row.visits and row.visits > 0 and (month_of(row.date) or month) == month:
                visits[row.source_type] = visits.get(row.source_type, 0.0) + row.visits
        if not visits:
            raise NotFound(NO_CHANNELS)
        referrers, places = await asyncio.gather(optional(self._referrers(domain)), optional(self._countries(domain)))
        answer = channels(visits, *not_known({"referring websites": referrers, "countries": places}))
        answer = msgspec.structs.replace(answer, top_referrers=referrers or (), top_countries=places or ())
        return Answered(answer, found.url, "SimilarWeb marketing channels", month)

    async def competitors(self, domain: str) -> Answered:
        """Return the most similar websites of the last three months."""
        found = await self._newest(SIMILAR, domain)
        answer = Competitors(competitors=competitors(((row.domain, row.affinity) for row in found.rows), domain))
        return Answered(answer, found.url, "SimilarWeb similar sites", found.month)

    async def keywords(self, domain: str) -> Answered:
        """Return the keywords of the last month that lead to most visits, without the numbers of searches for them."""
        found = await self._newest(KEYWORDS, domain)
        answer = Keywords(keywords=keywords(found.rows, domain), note=NO_VOLUMES)
        return Answered(answer, found.url, "SimilarWeb search keywords", found.month)

    async def _visits(self, domain: str, month: int, web_source: str) -> float | None:
        """The visits of another month or kind of device."""
        found = await self._window(VISITS, domain, month, web_source=web_source)
        return next((row.visits for row in found.rows if month_of(row.date) == month), None)

    async def _rank(self, domain: str) -> int | None:
        """The rank among all websites, which is that in the whole world as a country."""
        found = await self._newest(RANK, domain)
        latest = max(found.rows, key=lambda row: row.date or "")
        return latest.country_rank if latest.country_rank and latest.country_rank > 0 else None

    async def _referrers(self, domain: str) -> tuple[Referrer, ...]:
        """The websites that most visits by links come from."""
        rows = (await self._newest(REFERRERS, domain)).rows
        found = {row.domain: share for row in rows if row.domain and (share := percent(row.share)) is not None}
        ranked = sorted(found.items(), key=lambda row: -row[1])
        return tuple(Referrer(domain=site, share=share) for site, share in ranked[:MAX_REFERRERS])

    async def _countries(self, domain: str) -> tuple[CountryShare, ...]:
        """The countries that most visits come from."""
        found = await self._newest(COUNTRIES, domain)
        return countries((row.country, row.share) for row in found.rows)

    async def _newest(self, data: DataSet[R], domain: str) -> Rows[R]:
        """The rows of the newest month, or months."""
        return await newest(self._clock.now(), lambda month: self._window(data, domain, month))

    async def _window(self, data: DataSet[R], domain: str, month: int, **more: str) -> Rows[R]:
        """The rows of the months that end with a certain one."""
        dates = {"start_date": month_text(month - data.months + 1), "end_date": month_text(month)}
        params = {"domain": domain, **dates, "format": "json", **data.params, **more}
        missing = NoSuchPath("It has no such interface.")
        for path in self._paths.get(data.paths, data.paths):
            request = HttpRequest(url=f"{self._url}/{path}", params=params, headers=self._headers)
            try:
                rows, url = await self._client.fetch(
                    self._upstream, request, lambda response: read(response, data, params)
                )
            except NoSuchPath as error:
                missing = error
            else:
                self._paths[data.paths] = (path,)
                return Rows(rows, url, month)
        raise missing


def read(response: HttpResponse, data: DataSet[R], asked: Mapping[str, str]) -> tuple[list[R], str]:
    """Return the rows of an answer, and its URL. Raises `ParseError` with the names of the fields if it has others."""
    envelope = checked(response).json(Envelope)
    meta = envelope.meta or Meta()
    if meta.status and meta.status.casefold() != "success":
        raise bad_request(response.text[:MAX_ERROR].casefold())
    understood = meta.request or {}
    if any(str(understood[name]).lower() != asked.get(name) for name in ("domain", "web_source") if name in understood):
        raise ParseError("Its answer is not about what was asked for.")
    rows = [row for each in envelope.data or () for row in (each if isinstance(each, list) else [each])]
    if meta.data_credits_charged is not None or not rows:  # an answer without rows is free
        report_credits(meta.data_credits_charged or 0)
    if envelope.data is None or not all(isinstance(row, dict) for row in rows):
        raise ParseError("Its answer has no rows of data.")
    if not rows:
        raise NotFound("It has no data about this website.")
    names = sorted({name for row in rows for name in row if name.isidentifier()})
    if data.field not in names:
        raise ParseError(f"Its answer has no {data.field}, but {', '.join(names[:MAX_KEYS])}.")
    try:
        return [msgspec.convert(row, data.row) for row in rows], response.url
    except msgspec.ValidationError as error:
        raise ParseError(f"Its answer has an unexpected form: {error}.") from None
