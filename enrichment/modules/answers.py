"""
What the modules that ask outside answer, m01 to m12: one shape a module.
"""

from bisect import bisect_right
from typing import Final, Literal

import msgspec

from enrichment.modules.module import Answer

# fmt: off
BANDS: Final = (
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
    A company's basic facts. `hq` is "city, state" in the US and "city, country" elsewhere; `naics_code` is of 2022;
    `revenue_range` is in US dollars a year; `country` is written out.
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
    """The band that a year's revenue in US dollars falls into; its lower end belongs to it."""
    floors = [floor for floor, _ in BANDS]
    return BANDS[bisect_right(floors, revenue) - 1][1]


class Technology(msgspec.Struct, frozen=True, kw_only=True):
    """A product, and the job it does."""

    name: str
    category: str


class TechStack(Answer, frozen=True, kw_only=True):
    """What was seen in use."""

    technologies: tuple[Technology, ...]


class Traffic(Answer, frozen=True, kw_only=True):
    """
    One month's traffic, all devices, worldwide. `month` is "YYYY-MM"; `bounce_rate` is in percent, 0 to 100, and so are
    the growth over the month before and the two devices' shares, which sum to 100.
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
    """A site that links to this one; `share` is in percent of the visits from referrals."""

    domain: str
    share: float


class CountryShare(msgspec.Struct, frozen=True, kw_only=True):
    """A country people visit from; `share` is in percent of all visits."""

    country_code: str
    share: float


class TrafficSources(Answer, frozen=True, kw_only=True):
    """
    The channels' shares of all visits, in percent; they sum to 100. The lists begin with the largest share, and name
    the first few only.
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
    """A similar site; `similarity` goes from 0 to 1, and `shared_keywords` is how many searches lead to both."""

    domain: str
    similarity: float
    monthly_visits: int | None = None
    shared_keywords: int | None = None


class Competitors(Answer, frozen=True, kw_only=True):
    """The similar sites, the most similar first."""

    competitors: tuple[Competitor, ...]


Intent = Literal["navigational", "informational", "commercial", "transactional"]


class Keyword(msgspec.Struct, frozen=True, kw_only=True):
    """
    One search: `volume` is how often a month people search for it worldwide, `position` the site's place in the
    results, `traffic_share_percent` its share of the visits from searches, `cpc` the price of an ad's click.
    """

    keyword: str
    volume: int | None = None
    position: int | None = None
    traffic_share_percent: float | None = None
    cpc: float | None = None
    branded: bool
    intent: Intent | None = None


class Keywords(Answer, frozen=True, kw_only=True):
    """The searches that bring most, the largest share first, and how many there are in all; `currency` is the cpc's."""

    keywords: tuple[Keyword, ...]
    total_keywords: int | None = None
    branded_keywords: int | None = None
    paid_keywords: int | None = None
    currency: str | None = None


class YearsRevenue(msgspec.Struct, frozen=True, kw_only=True):
    """The revenue of one fiscal year, in the answer's currency."""

    fiscal_year: int
    revenue: int


class Financials(Answer, frozen=True, kw_only=True):
    """
    A fiscal year's figures, in whole units of `currency`; growth and margins are in percent.

    `basis` says whether the revenue was published or is somebody's guess: a private company publishes nothing, and all
    but its revenue is unknown. `revenue_by_year` begins with the oldest.
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
    revenue_by_year: tuple[YearsRevenue, ...] = ()


class StockInfo(Answer, frozen=True, kw_only=True):
    """
    A share's price and what is reckoned from it, in `currency`; nothing of it is known of a company that is not listed.

    The dividend's yield is in percent a year, `trailing_pe` unknown if the company made a loss; `as_of` is the day of
    the price.
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
    How many analysts recommend what, and which price they expect in a year, in `currency`.

    `recommendation_mean` goes from 1, all say strong buy, to 5, all say strong sell; `recommendation` is the nearest to
    it. Nothing of it is known of a company that nobody covers.
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
    """How many people one department is looking for."""

    department: str
    open_roles: int


class HiringSignals(Answer, frozen=True, kw_only=True):
    """
    The open positions and what they tell. `senior_roles`, from head of something upwards, and `posted_last_30_days`
    count some of `open_roles`; the departments have them all, the largest first; the share is in percent of them.
    """

    open_roles: int | None = None
    roles_by_department: tuple[DepartmentRoles, ...] = ()
    senior_roles: int | None = None
    remote_share_percent: float | None = None
    posted_last_30_days: int | None = None
    technologies_mentioned: tuple[str, ...] = ()
    trend: Literal["growing", "steady", "slowing"] | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's own words, on a day as "YYYY-MM-DD", and the page that has them."""

    quote: str
    speaker: str
    speaker_title: str | None = None
    said_on: str | None = None
    url: str
    theme: str | None = None


class ExecQuotes(Answer, frozen=True, kw_only=True):
    """What was said, the topics that come up, and what there is to know about both."""

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


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that happened, or was announced, on a day as "YYYY-MM-DD"; `impact` is how much it may change, if known.
    """

    type: EventType
    date: str
    headline: str
    impact: Impact | None = None


class TriggerEvents(Answer, frozen=True, kw_only=True):
    """The events of about a year, the latest first."""

    events: tuple[Event, ...]
