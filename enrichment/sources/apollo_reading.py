"""
How the answers of Apollo are read: their shapes, and what they say about a company.

Only the fields that are needed are declared. Amounts are in US dollars; numbers of employees and revenues are Apollo's
estimates. 0 stands for what is not known.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from enrichment.modules.answers import CompanyContext, Financials, TriggerEvent, revenue_range
from enrichment.sources.costs import report_credits
from enrichment.sources.failures import NotFound, Unauthorized, UpstreamError
from enrichment.sources.headlines import MAX_AGE_DAYS, MAX_EVENTS, SAME_EVENT_DAYS, Report
from enrichment.sources.job_boards import Role
from enrichment.sources.messages import HttpResponse
from enrichment.sources.places import country_name, headquarters

SEEN_SECONDS: Final = 30 * 86_400
"A posting that has not been seen for so long is taken for closed."


class FundingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A round of funding: its type, such as `Series A`, and its amount, such as `7M`."""

    date: str | None = None
    type: str | None = None
    amount: str | float | None = None
    currency: str | None = None
    investors: str | None = None


class UsedTechnology(msgspec.Struct, frozen=True, kw_only=True):
    """A technology and its category."""

    name: str | None = None
    category: str | None = None


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A company's record."""

    id: str | None = None
    name: str | None = None
    website_url: str | None = None
    primary_domain: str | None = None
    founded_year: int | None = None
    publicly_traded_symbol: str | None = None
    industry: str | None = None
    estimated_num_employees: float | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    short_description: str | None = None
    seo_description: str | None = None
    annual_revenue: float | None = None
    funding_events: tuple[FundingEvent | None, ...] | None = None
    technology_names: tuple[str | None, ...] | None = None
    current_technologies: tuple[UsedTechnology | None, ...] | None = None


class Enriched(msgspec.Struct, frozen=True):
    """The answer about a company; an empty object, or one with null, if it is not known."""

    organization: Organization | None = None
    error: Any = None


class Posting(msgspec.Struct, frozen=True):
    """A job posting, with ISO dates."""

    title: str | None = None
    posted_at: str | None = None
    last_seen_at: str | None = None


class Postings(msgspec.Struct, frozen=True):
    """A page of job postings."""

    organization_job_postings: tuple[Posting | None, ...]


class Article(msgspec.Struct, frozen=True):
    """A news article, with an ISO date."""

    title: str | None = None
    url: str | None = None
    published_at: str | None = None


class Articles(msgspec.Struct, frozen=True):
    """A page of news articles."""

    news_articles: tuple[Article | None, ...]


class Health(msgspec.Struct, frozen=True):
    """Whether a key is accepted."""

    is_logged_in: bool


def health(response: HttpResponse) -> None:
    """Raise `Unauthorized` if the key is not accepted, which is said with status 200."""
    if not response.json(Health).is_logged_in:
        raise Unauthorized("It does not accept the key.")


def organization(response: HttpResponse) -> Organization:
    """Read a company's record."""
    answer = response.json(Enriched)
    if answer.error is not None:
        raise UpstreamError("It reports an error.")
    if answer.organization is None:
        report_credits(0)  # it is the record that takes a credit
        raise NotFound("It does not know this company.")
    return answer.organization


def postings(response: HttpResponse) -> Sequence[Posting | None]:
    """Read a page of job postings."""
    return response.json(Postings).organization_job_postings


def reports(response: HttpResponse) -> list[Report]:
    """Read a page of news, as headlines."""
    return [
        Report(headline=each.title, day=published.date(), url=each.url)
        for each in response.json(Articles).news_articles
        if each
        and each.title
        and each.url
        and each.url.startswith(("https://", "http://"))
        and (published := _moment(each.published_at))
    ]


def context(record: Organization, name: str) -> CompanyContext:
    """Return a company's basic facts. That it has no ticker symbol does not mean that it is private."""
    employees, revenue = record.estimated_num_employees, record.annual_revenue
    country = country_name(record.country) if record.country else None
    return CompanyContext(
        company_name=name,
        founded=record.founded_year or None,
        hq=headquarters(record.city, record.state, country),
        employees=round(employees) if employees and employees > 0 else None,
        industry=record.industry or None,
        company_type="public" if record.publicly_traded_symbol else None,
        revenue_range=revenue_range(revenue) if revenue and revenue > 0 else None,
        country=country,
        description=record.short_description or record.seo_description or None,
    )


def technologies(record: Organization) -> Iterator[tuple[str, str | None]]:
    """Iterate over names and categories; those with a category come first."""
    yield from ((each.name, each.category) for each in record.current_technologies or () if each and each.name)
    yield from ((name, None) for name in record.technology_names or () if name)


def financials(record: Organization) -> Financials:
    """Return the estimated revenue."""
    if not record.annual_revenue or record.annual_revenue < 0:
        raise NotFound("It has no revenue of this company.")
    return Financials(
        is_public=bool(record.publicly_traded_symbol),
        basis="estimated",
        currency="USD",
        revenue=round(record.annual_revenue),
    )


def open_roles(found: Sequence[Posting | None], now: float) -> Iterator[Role]:
    """Iterate over the postings that are still open, as far as is known."""
    for posting in found:
        if posting is None or not posting.title:
            continue
        seen, posted = _moment(posting.last_seen_at), _moment(posting.posted_at)
        if seen is None or seen.timestamp() > now - SEEN_SECONDS:
            yield Role(title=posting.title, posted_at=posted.timestamp() if posted else None, text=posting.title)


def rounds(record: Organization, name: str, today: date) -> list[TriggerEvent]:
    """Return the rounds of funding of the past year."""
    return [
        TriggerEvent(type="funding", date=day.isoformat(), headline=_sentence(name, each))
        for each in record.funding_events or ()
        if each and (moment := _moment(each.date)) and 0 <= (today - (day := moment.date())).days <= MAX_AGE_DAYS
    ]


def merged(recorded: Sequence[TriggerEvent], reported: Sequence[TriggerEvent]) -> tuple[TriggerEvent, ...]:
    """Return events, latest first, without reports of funding that is recorded."""
    days = [date.fromisoformat(event.date) for event in recorded]

    def is_recorded(event: TriggerEvent) -> bool:
        day = date.fromisoformat(event.date)
        return event.type == "funding" and any(abs((day - each).days) <= SAME_EVENT_DAYS for each in days)

    events = [*recorded, *(event for event in reported if not is_recorded(event))]
    return tuple(sorted(events, key=lambda event: event.date, reverse=True)[:MAX_EVENTS])


def _sentence(name: str, funding: FundingEvent) -> str:
    amount = f"{funding.currency or ''}{funding.amount}" if funding.amount else "an undisclosed amount"
    kind = f" ({funding.type})" if funding.type else ""
    investors = f" from {funding.investors}" if funding.investors else ""
    return f"{name} raised {amount}{kind}{investors}"


def _moment(text: str | None) -> datetime | None:
    """An ISO date as aware time, None if it is not one."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
