"""
The answers of the modules that ask outside sources, m01 to m12: one Struct per module.
"""

from bisect import bisect_right
from typing import Final, Literal

import msgspec

from enrichment.modules.module import Answer

# fmt: off
REVENUE_RANGES: Final = (
    (0,              "$0-$1M"),
    (1_000_000,      "$1M-$10M"),
    (10_000_000,     "$10M-$50M"),
    (50_000_000,     "$50M-$100M"),
    (100_000_000,    "$100M-$250M"),
    (250_000_000,    "$250M-$500M"),
    (500_000_000,    "$500M-$1B"),
    (1_000_000_000,  "$1B-$10B"),
    (10_000_000_000, "$10B+"),
)
# fmt: on


class CompanyContext(Answer, frozen=True, kw_only=True):
    """
    A company's basic facts.

    `hq` is "city, state" in the US and "city, country" elsewhere; `naics_code` follows NAICS 2022; `revenue_range` is
    in US dollars a year; `country` is the full name.
    """

    company_name: str
    founded: int | None = None
    hq: str | None = None
    employees: int | None = None
    industry: str | None = None
    naics_code: str | None = None
    company_type: Literal["public", "private"] | None = None
    revenue_range: str | None = None
    country: str | None = None
    description: str | None = None


def revenue_range(revenue: float) -> str:
    """Return the range of a year's revenue in US dollars. The lower bound is inclusive."""
    floors = [floor for floor, _ in REVENUE_RANGES]
    return REVENUE_RANGES[bisect_right(floors, revenue) - 1][1]


class Technology(msgspec.Struct, frozen=True, kw_only=True):
    """A product and its category."""

    name: str
    category: str


class TechStack(Answer, frozen=True, kw_only=True):
    """The technologies detected on a company's website."""

    technologies: tuple[Technology, ...]


class Traffic(Answer, frozen=True, kw_only=True):
    """
    One month's traffic on all devices, worldwide.

    `month` is "YYYY-MM". The bounce rate, growth and shares are in percent; desktop and mobile sum to 100.
    """

    monthly_visits: int | None = None
    bounce_rate: float | None = None
    pages_per_visit: float | None = None
    unique_visitors: int | None = None
    average_visit_duration_seconds: int | None = None
    month: str | None = None
    global_rank: int | None = None
    month_over_month_growth_percent: float | None = None
    desktop_share_percent: float | None = None
    mobile_share_percent: float | None = None


class Referrer(msgspec.Struct, frozen=True, kw_only=True):
    """A site that refers visitors; `share` is in percent of the visits from referrals."""

    domain: str
    share: float


class CountryShare(msgspec.Struct, frozen=True, kw_only=True):
    """A country of visitors; `share` is in percent of all visits."""

    country_code: str
    share: float


class TrafficSources(Answer, frozen=True, kw_only=True):
    """
    The channels' shares of all visits in percent, which sum to 100.

    The lists hold the largest shares only, in descending order.
    """

    direct: float | None = None
    organic_search: float | None = None
    paid_search: float | None = None
    referrals: float | None = None
    social: float | None = None
    display_ads: float | None = None
    mail: float | None = None
    top_referrers: tuple[Referrer, ...] = ()
    top_countries: tuple[CountryShare, ...] = ()


class Competitor(msgspec.Struct, frozen=True, kw_only=True):
    """A similar site; `similarity` is from 0 to 1, `shared_keywords` the number of keywords that lead to both sites."""

    domain: str
    similarity: float
    monthly_visits: int | None = None
    shared_keywords: int | None = None


class Competitors(Answer, frozen=True, kw_only=True):
    """The similar sites, most similar first."""

    competitors: tuple[Competitor, ...]


Intent = Literal["navigational", "informational", "commercial", "transactional"]


class Keyword(msgspec.Struct, frozen=True, kw_only=True):
    """
    A search keyword.

    `volume` is the number of searches a month worldwide, `position` the site's rank in the results,
    `traffic_share_percent` its share of the visits from search, `cpc` the cost per click of an ad.
    """

    keyword: str
    volume: int | None = None
    position: int | None = None
    traffic_share_percent: float | None = None
    cpc: float | None = None
    branded: bool
    intent: Intent | None = None


class Keywords(Answer, frozen=True, kw_only=True):
    """The keywords with the most traffic, in descending order, and the total numbers; `currency` is that of `cpc`."""

    keywords: tuple[Keyword, ...]
    total_keywords: int | None = None
    branded_keywords: int | None = None
    paid_keywords: int | None = None
    currency: str | None = None


class AnnualRevenue(msgspec.Struct, frozen=True, kw_only=True):
    """The revenue of one fiscal year, in the currency of the answer."""

    fiscal_year: int
    revenue: int


class Financials(Answer, frozen=True, kw_only=True):
    """
    The figures of a fiscal year, in whole units of `currency`; growth and margins are in percent.

    `basis` is that of the revenue. Private companies publish no figures, so apart from an estimate of the revenue and
    its growth theirs are unknown. `revenue_by_year` is in ascending order.
    """

    is_public: bool
    basis: Literal["reported", "estimated"] | None = None
    currency: str | None = None
    fiscal_year: int | None = None
    revenue: int | None = None
    revenue_growth_percent: float | None = None
    gross_margin_percent: float | None = None
    operating_margin_percent: float | None = None
    net_margin_percent: float | None = None
    net_income: int | None = None
    ebitda: int | None = None
    free_cash_flow: int | None = None
    total_cash: int | None = None
    total_debt: int | None = None
    revenue_by_year: tuple[AnnualRevenue, ...] = ()


class StockInfo(Answer, frozen=True, kw_only=True):
    """
    A share's price and the figures derived from it, in `currency`; all unset for a company that is not listed.

    The dividend yield is in percent a year. `trailing_pe` is unset after a loss. `as_of` is the day of the price.
    """

    is_listed: bool
    symbol: str | None = None
    exchange: str | None = None
    currency: str | None = None
    price: float | None = None
    previous_close: float | None = None
    market_cap: int | None = None
    shares_outstanding: int | None = None
    fifty_two_week_low: float | None = None
    fifty_two_week_high: float | None = None
    trailing_pe: float | None = None
    dividend_yield_percent: float | None = None
    beta: float | None = None
    average_daily_volume: int | None = None
    as_of: str | None = None


Recommendation = Literal["strong_buy", "buy", "hold", "sell", "strong_sell"]


class AnalystRatings(Answer, frozen=True, kw_only=True):
    """
    The numbers of analysts by recommendation, and their 12-month price targets in `currency`.

    `recommendation_mean` is from 1 (strong buy) to 5 (strong sell); `recommendation` is the nearest to it. All fields
    are unset for a company without coverage.
    """

    has_coverage: bool
    recommendation: Recommendation | None = None
    recommendation_mean: float | None = None
    analysts: int | None = None
    strong_buy: int | None = None
    buy: int | None = None
    hold: int | None = None
    sell: int | None = None
    strong_sell: int | None = None
    target_mean: float | None = None
    target_high: float | None = None
    target_low: float | None = None
    currency: str | None = None
    as_of: str | None = None


class DepartmentRoles(msgspec.Struct, frozen=True, kw_only=True):
    """The number of open roles in a department."""

    department: str
    open_roles: int


class HiringSignals(Answer, frozen=True, kw_only=True):
    """
    The open roles, in total and by department, largest first.

    `senior_roles` are those of department heads and above; `remote_share_percent` is in percent of `open_roles`.
    """

    open_roles: int | None = None
    roles_by_department: tuple[DepartmentRoles, ...] = ()
    senior_roles: int | None = None
    remote_share_percent: float | None = None
    posted_last_30_days: int | None = None
    technologies_mentioned: tuple[str, ...] = ()
    trend: Literal["growing", "steady", "slowing"] | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A literal quote, with its day as "YYYY-MM-DD" and the page that it is on."""

    quote: str
    speaker: str
    speaker_title: str | None = None
    said_on: str | None = None
    url: str
    theme: str | None = None


class ExecQuotes(Answer, frozen=True, kw_only=True):
    """Executives' quotes and the themes in them; `note` qualifies both."""

    quotes: tuple[Quote, ...] = ()
    themes: tuple[str, ...] = ()
    note: str | None = None


EventType = Literal[
    "funding",
    "acquisition",
    "expansion",
    "leadership_change",
    "product_launch",
    "restructuring",
    "earnings",
    "partnership",
]
Impact = Literal["high", "medium", "low"]


class TriggerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event on a day as "YYYY-MM-DD"; `impact` is its likely effect on the company."""

    type: EventType
    date: str
    headline: str
    impact: Impact | None = None


class TriggerEvents(Answer, frozen=True, kw_only=True):
    """The events of the past year, latest first."""

    events: tuple[TriggerEvent, ...]
