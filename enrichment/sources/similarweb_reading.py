"""
What both of SimilarWeb's interfaces have in common: failures, months, units, and channels.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from enrichment.domains import registrable_domain
from enrichment.errors import CostUnknown, MaxCostReached, SourceFailed
from enrichment.modules.answers import Competitor, CountryShare, Intent, Keyword, TrafficSources
from enrichment.modules.module import Answer
from enrichment.sources.company_names import is_branded
from enrichment.sources.context import CONTEXT, time_limit
from enrichment.sources.failures import AuthError, BadRequest, NotFound, ParseError, QuotaExhausted, Unauthorized
from enrichment.sources.messages import HttpResponse
from enrichment.sources.places import country_code

T = TypeVar("T")

METRICS: Final = ("visits", "unique_visitors", "bounce_rate", "average_visit_duration", "pages_per_visit")
MAX_COMPETITORS: Final = 10
MAX_KEYWORDS: Final = 20
MAX_COUNTRIES: Final = 5
MAX_REFERRERS: Final = 5
EXTRA_SECONDS: Final = 3.0
"For what an answer can do without, so that it is not lost with it."
RESERVED_SECONDS: Final = 0.2
MAX_SUM_OF_SHARES: Final = 1.05
"Numbers of channels that sum to more are visits. Whether the older interface sends these or shares is not documented."
MAX_ERROR: Final = 2_000
NO_CHANNELS: Final = "It has no visits by channel of this website."

REASONS: Final = {
    "102": "the granularity",
    "103": "the country, which is not in the plan",
    "120": "the number of months",
}
"What an error is about, by its code."
CODE: Final = re.compile(r"code\"?\s{0,9}[:=]?\s{0,9}\"?(\d{3})\b")
MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-\d\d)?", re.ASCII)

# fmt: off
CHANNELS: Final = {
    "direct": "direct", "organic search": "organic_search", "paid search": "paid_search", "referrals": "referrals",
    "organic social": "social", "paid social": "social", "social": "social", "display ads": "display_ads",
    "mail": "mail", "affiliates": "referrals", "gen ai": "referrals",
}
# fmt: on
"The fields of the answer, by the names of channels in lower case."
INTENTS: Final[Mapping[str, Intent]] = {
    "navigational": "navigational",
    "informational": "informational",
    "commercial": "commercial",
    "transactional": "transactional",
}
COUNTED_AS_REFERRALS: Final = ("affiliates", "gen ai")


class KeywordRow(msgspec.Struct, frozen=True):
    """A keyword, with its fraction of the visits from search. V5 sends neither `volume` nor `cpc` (US dollars)."""

    keyword: str | None = None
    traffic_share: float | None = None
    volume: float | None = None
    cpc: float | None = None
    position: float | None = None
    primary_intent: str | None = None


class DatesNotInRange(BadRequest):
    """The service has no data of these months, or not yet."""


class NoSuchPath(BadRequest):
    """The service has no interface at this path, or no longer."""


class Answered(NamedTuple):
    """An answer, the address and the title of its page, and the month that it is about."""

    answer: Answer
    url: str
    title: str
    month: int | None


def checked(response: HttpResponse) -> HttpResponse:
    """
    Return the response if it is an answer; else raise the failure that it stands for.

    The status 401 stands for a wrong key and for a domain without data, 403 for a wrong key, for used-up credits and
    for data outside of the plan: the text says which. An unknown domain has no status 404; an unknown path has.
    """
    text = response.text[:MAX_ERROR].casefold()
    is_about_key = any(name in text for name in ("api key", "api_key", "api-key", "apikey"))
    is_about_credits = "credit" in text or "quota" in text
    match response.status:
        case 400:
            raise bad_request(text)
        case 401 if not is_about_key:
            raise NotFound("It has no data about this website.")
        case 401:
            raise Unauthorized("It does not accept the key.")
        case 403 if is_about_credits and "invalid" not in text:
            raise QuotaExhausted("Its credits are used up.")
        case 403 if is_about_key and not is_about_credits:
            raise Unauthorized("It does not accept the key.")
        case 403 if is_about_key:
            raise AuthError("It does not accept the key, or its credits are used up.")
        case 403 if "claims" in text:
            raise AuthError("The plan does not include this data.")
        case 404 | 410 if "data not found" not in text:
            raise NoSuchPath(f"It has no interface at this path, or no longer (status {response.status}).")
    return response.raise_for_status()


def bad_request(text: str) -> BadRequest:
    """Return the failure for the text of an error, in lower case. Its code stands in the text."""
    codes = CODE.findall(text)
    if "101" in codes or "not in range" in text:
        return DatesNotInRange("It has no data of these months.")
    reasons = [REASONS[code] for code in codes if code in REASONS]
    return BadRequest(f"It does not accept {reasons[0] if reasons else 'the request'}.")


async def optional(call: Awaitable[T]) -> T | None:
    """
    Return what a call adds to an answer.

    None if it fails, takes the time in which the answer has to be given, or may not be paid: the answer has been.
    """
    context = CONTEXT.get()
    seconds = min(EXTRA_SECONDS, context.time_left() - RESERVED_SECONDS) if context else EXTRA_SECONDS
    try:
        async with time_limit(seconds):
            return await call
    except (CostUnknown, MaxCostReached, SourceFailed):
        return None


def not_known(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return a remark with the names of the values that are None, if there are any."""
    names = [name for name, value in values.items() if value is None]
    return (f"Not known: {', '.join(names)}.",) if names else ()


def noted(*remarks: str) -> str | UnsetType:
    """Return the note of an answer with these remarks."""
    return " ".join(remarks) or UNSET


def last_month(now: float) -> int:
    """Return the last complete month. Months are counted from the year 0."""
    day = datetime.fromtimestamp(now, UTC)
    return day.year * 12 + day.month - 2


async def newest(now: float, call: Callable[[int], Awaitable[T]]) -> T:
    """Return what a call gives for the last complete month, or else the one before: not all data appear at once."""
    month = last_month(now)
    try:
        return await call(month)
    except DatesNotInRange:
        return await call(month - 1)


def month_text(month: int) -> str:
    """Return a month as `YYYY-MM`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def month_of(text: str | None) -> int | None:
    """Return the month of a date, which may lack the day. None if there is none."""
    found = MONTH.fullmatch(text or "")
    return int(found[1]) * 12 + int(found[2]) - 1 if found else None


def start_of(month: int) -> float:
    """Return the beginning of a month, in seconds since the epoch."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()


def percent(fraction: float | None) -> float | None:
    """Return a fraction of 1 in percent. Raises `ParseError` if it is none: the unit would be another one."""
    if fraction is not None and not 0 <= fraction <= 1:
        raise ParseError("Its answer has a share that is not between 0 and 1.")
    return None if fraction is None else round(100 * fraction, 2)


def count(value: float | None) -> int | None:
    """Return an estimate, which has decimals, as a whole number."""
    return None if value is None or value < 0 else round(value)


def mean(value: float | None) -> float | None:
    """Return a mean with two decimals."""
    return None if value is None or value < 0 else round(value, 2)


def growth(visits: float | None, before: float | None) -> float | None:
    """Return the growth over the month before, in percent."""
    return round(100 * (visits / before - 1), 1) if visits is not None and before else None


def competitors(similarities: Iterable[tuple[str | None, float | None]], own: str) -> tuple[Competitor, ...]:
    """Return websites with their similarities from 0 to 1, most similar first, without the company's own ones."""
    rows = [(site.strip().lower().removeprefix("www."), value) for site, value in similarities if site and value]
    if not rows:
        raise ParseError("Its answer has no similar websites with similarities.")
    if not all(0 < value <= 1 for _, value in rows):
        raise ParseError("Its answer has a similarity that is not between 0 and 1.")
    found = {site: round(value, 2) for site, value in rows if registrable_domain(site) != own}
    if not found:
        raise NotFound("It has no similar websites of other companies.")
    ranked = sorted(found.items(), key=lambda row: -row[1])
    return tuple(Competitor(domain=site, similarity=value) for site, value in ranked[:MAX_COMPETITORS])


def keywords(rows: Iterable[KeywordRow | None], domain: str) -> tuple[Keyword, ...]:
    """Return the keywords that lead to most visits."""
    named = [(row.keyword, row) for row in rows if row and row.keyword]
    if not named:
        raise ParseError("Its answer has no keywords.")
    named.sort(key=lambda pair: -(pair[1].traffic_share or 0.0))
    return tuple(
        Keyword(
            keyword=text,
            volume=count(row.volume),
            position=round(row.position) if row.position and row.position >= 1 else None,
            traffic_share_percent=percent(row.traffic_share),
            cpc=row.cpc if row.cpc is None or row.cpc >= 0 else None,
            branded=is_branded(text, domain),
            intent=INTENTS.get((row.primary_intent or "").casefold()),
        )
        for text, row in named[:MAX_KEYWORDS]
    )


def countries(shares: Iterable[tuple[str | float | None, float | None]]) -> tuple[CountryShare, ...]:
    """Return the largest shares of countries, whose codes may be numeric."""
    found = {
        code: share
        for country, fraction in shares
        if (code := country_code(country)) and (share := percent(fraction)) is not None
    }
    ranked = sorted(found.items(), key=lambda row: -row[1])
    return tuple(CountryShare(country_code=code, share=share) for code, share in ranked[:MAX_COUNTRIES])


def channels(visits: Mapping[str, float], *notes: str) -> TrafficSources:
    """
    Return the channels' shares of all visits, from visits or shares by the names of the channels.

    What has no field of its own is counted as referrals, or left out, and named in the note.
    """
    total = sum(visits.values())
    whole = total if total > MAX_SUM_OF_SHARES else 1.0
    fields: dict[str, float] = {}
    remarks = list(notes)
    for name, value in visits.items():
        share = min(100 * value / whole, 100.0)
        field = CHANNELS.get(name.casefold())
        if field:
            fields[field] = fields.get(field, 0.0) + share
        if not field:
            remarks.append(f"{name} ({share:.2f} % of all visits) is in none of the channels.")
        elif name.casefold() in COUNTED_AS_REFERRALS:
            remarks.append(f"Referrals include {name} ({share:.2f} % of all visits).")
    shares: dict[str, Any] = {field: round(share, 2) for field, share in fields.items()}
    return TrafficSources(note=noted(*remarks), **shares)
