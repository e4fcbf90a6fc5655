"""
The answers of the modules that ask outside sources, m01 to m12: one Struct per module.
"""

from bisect import bisect_right
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

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

Count = Annotated[int, Meta(ge=0)]
Rank = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
CountryCode = Annotated[str, Meta(min_length=2, max_length=2)]
CurrencyCode = Annotated[str, Meta(min_length=3, max_length=3)]
Note = Annotated[
    str | UnsetType, Meta(description="What is missing, or counted in another way; omitted if there is nothing to say.")
]


class CompanyContext(Answer, frozen=True, kw_only=True):
    """A company's basic facts."""

    company_name: Annotated[str, Meta(description="Name of the company.")]
    founded: Annotated[int | None, Meta(description="Year in which the company was founded.")] = None
    hq: Annotated[
        str | None, Meta(description="Headquarters: city and state code in the US, city and country elsewhere.")
    ] = None
    employees: Annotated[Count | None, Meta(description="Number of employees.")] = None
    industry: Annotated[str | None, Meta(description="Name of the industry.")] = None
    naics_code: Annotated[str | None, Meta(description="Code of the industry in NAICS 2022.")] = None
    company_type: Annotated[
        Literal["public", "private"] | None, Meta(description="Whether the company's shares are listed.")
    ] = None
    revenue_range: Annotated[
        str | None, Meta(description="Range of the revenue, in US dollars a year, such as `$1M-$10M`.")
    ] = None
    country: Annotated[str | None, Meta(description="Full name of the country of the headquarters.")] = None
    description: Annotated[str | None, Meta(description="What the company is and does, in a few sentences.")] = None


def revenue_range(revenue: float) -> str:
    """Return the range of a year's revenue in US dollars. The lower bound is inclusive."""
    floors = [floor for floor, _ in REVENUE_RANGES]
    return REVENUE_RANGES[bisect_right(floors, revenue) - 1][1]


class Technology(msgspec.Struct, frozen=True, kw_only=True):
    """A product and its category."""

    name: Annotated[str, Meta(description="Name of the product.")]
    category: Annotated[str, Meta(description="What kind of product it is, such as `CMS`.")]
    evidence: Annotated[
        tuple[str, ...] | UnsetType, Meta(description="What it was detected by; omitted if the source does not say.")
    ] = UNSET


class TechnologyGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of technology, and how many of it are in use."""

    name: Annotated[str, Meta(description="Kind of technology, in the words of the source, such as `analytics`.")]
    live: Annotated[Count, Meta(description="Number of technologies of the kind that the website uses.")]


class TechStack(Answer, frozen=True, kw_only=True):
    """The technologies detected on a company's website."""

    technologies: Annotated[
        tuple[Technology, ...],
        Meta(
            description="The technologies that were detected. One that is not listed may be in use as well: on the "
            "server, or loaded by another."
        ),
    ]
    groups: Annotated[
        tuple[TechnologyGroup, ...] | UnsetType,
        Meta(description="Numbers of technologies by kind, from a source that names none; omitted by other sources."),
    ] = UNSET
    limited: Annotated[
        bool | UnsetType,
        Meta(description="True if the source only counts technologies, so that `technologies` is empty; else omitted."),
    ] = UNSET
    note: Note = UNSET


class Traffic(Answer, frozen=True, kw_only=True):
    """One month's traffic on all devices, worldwide."""

    monthly_visits: Annotated[Count | None, Meta(description="Number of visits in the month.")] = None
    bounce_rate: Annotated[
        Percent | None, Meta(description="Visits that end on their first page, in percent of all visits (45.2).")
    ] = None
    pages_per_visit: Annotated[NotNegative | None, Meta(description="Mean number of pages in a visit.")] = None
    unique_visitors: Annotated[
        Count | None, Meta(description="Number of different visitors in the month, each counted once.")
    ] = None
    average_visit_duration_seconds: Annotated[
        Count | None, Meta(description="Mean duration of a visit, in seconds.")
    ] = None
    month: Annotated[str | None, Meta(description="The month, as `YYYY-MM`.")] = None
    global_rank: Annotated[
        Rank | None, Meta(description="Rank among all websites by traffic; number 1 has the most.")
    ] = None
    month_over_month_growth_percent: Annotated[
        float | None, Meta(description="Growth of the visits over the month before, in percent.")
    ] = None
    desktop_share_percent: Annotated[
        Percent | None, Meta(description="Visits from desktop devices, in percent of all visits.")
    ] = None
    mobile_share_percent: Annotated[
        Percent | None, Meta(description="Visits from mobile devices, in percent of all visits; 100 minus desktop.")
    ] = None
    note: Note = UNSET


class Referrer(msgspec.Struct, frozen=True, kw_only=True):
    """A site that refers visitors."""

    domain: Annotated[str, Meta(description="Domain of the site.")]
    share: Annotated[Percent, Meta(description="Its visits, in percent of all visits from referring sites.")]


class CountryShare(msgspec.Struct, frozen=True, kw_only=True):
    """A country of visitors."""

    country_code: Annotated[CountryCode, Meta(description="The country, as ISO 3166-1 alpha-2 code.")]
    share: Annotated[Percent, Meta(description="Visits from the country, in percent of all visits.")]


class TrafficSources(Answer, frozen=True, kw_only=True):
    """The channels that visits come from; their shares sum to 100."""

    direct: Annotated[
        Percent | None, Meta(description="Visits by typed address or bookmark, in percent of all visits.")
    ] = None
    organic_search: Annotated[
        Percent | None, Meta(description="Visits from unpaid search results, in percent of all visits.")
    ] = None
    paid_search: Annotated[Percent | None, Meta(description="Visits from search ads, in percent of all visits.")] = None
    referrals: Annotated[
        Percent | None, Meta(description="Visits from links on other sites, in percent of all visits.")
    ] = None
    social: Annotated[Percent | None, Meta(description="Visits from social networks, in percent of all visits.")] = None
    display_ads: Annotated[Percent | None, Meta(description="Visits from banner ads, in percent of all visits.")] = None
    mail: Annotated[Percent | None, Meta(description="Visits from links in e-mails, in percent of all visits.")] = None
    top_referrers: Annotated[
        tuple[Referrer, ...], Meta(description="The referring sites with the largest shares, in descending order.")
    ] = ()
    top_countries: Annotated[
        tuple[CountryShare, ...], Meta(description="The countries with the largest shares, in descending order.")
    ] = ()
    note: Note = UNSET


class Competitor(msgspec.Struct, frozen=True, kw_only=True):
    """A similar site."""

    domain: Annotated[str, Meta(description="Domain of the site.")]
    similarity: Annotated[Fraction, Meta(description="Similarity of the two sites, from 0 to 1.")]
    monthly_visits: Annotated[Count | None, Meta(description="Number of visits to the site in a month.")] = None
    shared_keywords: Annotated[Count | None, Meta(description="Number of search keywords that lead to both sites.")] = (
        None
    )


class Competitors(Answer, frozen=True, kw_only=True):
    """The sites that are similar to the company's own."""

    competitors: Annotated[tuple[Competitor, ...], Meta(description="The similar sites, most similar first.")]
    note: Note = UNSET


Intent = Literal["navigational", "informational", "commercial", "transactional"]


class Keyword(msgspec.Struct, frozen=True, kw_only=True):
    """A search keyword."""

    keyword: Annotated[str, Meta(description="The words that are searched for.")]
    volume: Annotated[Count | None, Meta(description="Number of searches for it in a month, worldwide.")] = None
    position: Annotated[
        Rank | None,
        Meta(description="Rank of the site in the search results; number 1 is the first result."),
    ] = None
    traffic_share_percent: Annotated[
        Percent | None, Meta(description="Visits that it leads to, in percent of all visits from search.")
    ] = None
    cpc: Annotated[
        NotNegative | None,
        Meta(description="Cost per click of an ad for it, in `currency` of the answer."),
    ] = None
    branded: Annotated[bool, Meta(description="Whether it contains the name of the company.")]
    intent: Annotated[Intent | None, Meta(description="What the searchers want.")] = None


class Keywords(Answer, frozen=True, kw_only=True):
    """The search keywords that lead to the website."""

    keywords: Annotated[
        tuple[Keyword, ...], Meta(description="The keywords that lead to the most visits, in descending order.")
    ]
    total_keywords: Annotated[
        Count | None, Meta(description="Number of keywords that lead to the website, listed or not.")
    ] = None
    branded_keywords: Annotated[
        Count | None, Meta(description="Number of those that contain the name of the company.")
    ] = None
    paid_keywords: Annotated[Count | None, Meta(description="Number of those for which the company buys ads.")] = None
    currency: Annotated[CurrencyCode | None, Meta(description="Currency of `cpc`, as ISO 4217 code.")] = None
    note: Note = UNSET


class AnnualRevenue(msgspec.Struct, frozen=True, kw_only=True):
    """The revenue of one fiscal year."""

    fiscal_year: Annotated[int, Meta(description="The fiscal year, named by the calendar year in which it ends.")]
    revenue: Annotated[int, Meta(description="Revenue of the year, in whole units of `currency` of the answer.")]


class Financials(Answer, frozen=True, kw_only=True):
    """
    The figures of a fiscal year.

    Private companies publish no figures, so apart from an estimate of the revenue and its growth theirs are unknown.
    """

    is_public: Annotated[bool, Meta(description="Whether the company's shares are listed.")]
    basis: Annotated[
        Literal["reported", "estimated"] | None,
        Meta(description="Whether the company reported the revenue, or it is an estimate."),
    ] = None
    currency: Annotated[
        CurrencyCode | None,
        Meta(
            description="Currency of all amounts, as ISO 4217 code; for a listed company usually that of its exchange."
        ),
    ] = None
    fiscal_year: Annotated[
        int | None, Meta(description="The fiscal year of the figures, named by the calendar year in which it ends.")
    ] = None
    revenue: Annotated[int | None, Meta(description="Revenue of the year, in whole units of `currency`.")] = None
    revenue_range: Annotated[
        str | UnsetType,
        Meta(
            description="Range of the revenue, in US dollars a year, such as `$1M-$10M`; omitted unless the source "
            "gives no more than that."
        ),
    ] = UNSET
    revenue_growth_percent: Annotated[
        float | None, Meta(description="Growth of the revenue over the year before, in percent.")
    ] = None
    gross_margin_percent: Annotated[float | None, Meta(description="Gross profit, in percent of the revenue.")] = None
    operating_margin_percent: Annotated[
        float | None, Meta(description="Operating income, in percent of the revenue.")
    ] = None
    net_margin_percent: Annotated[float | None, Meta(description="Net income, in percent of the revenue.")] = None
    net_income: Annotated[
        int | None, Meta(description="Net income of the year, in whole units of `currency`; a loss is negative.")
    ] = None
    ebitda: Annotated[
        int | None,
        Meta(description="Earnings before interest, taxes, depreciation, amortization, in whole units of `currency`."),
    ] = None
    free_cash_flow: Annotated[
        int | None, Meta(description="Free cash flow of the year, in whole units of `currency`.")
    ] = None
    total_cash: Annotated[
        int | None, Meta(description="Cash and short-term investments, in whole units of `currency`.")
    ] = None
    total_debt: Annotated[int | None, Meta(description="Financial debt, in whole units of `currency`.")] = None
    revenue_by_year: Annotated[
        tuple[AnnualRevenue, ...], Meta(description="Revenue of the last fiscal years, in ascending order.")
    ] = ()


class StockInfo(Answer, frozen=True, kw_only=True):
    """The company's share, its price and the figures derived from it; all unset for a company that is not listed."""

    is_listed: Annotated[bool, Meta(description="Whether the company's shares are listed.")]
    symbol: Annotated[
        str | None,
        Meta(description="Ticker symbol on the exchange. One that ends in `.SIM` is invented: no exchange lists it."),
    ] = None
    exchange: Annotated[str | None, Meta(description="Name of the exchange.")] = None
    currency: Annotated[
        CurrencyCode | None,
        Meta(
            description="Currency of all amounts and prices, as ISO 4217 code: that in which the exchange trades the "
            "share. London's prices, quoted in pence, are converted to pounds (GBP)."
        ),
    ] = None
    price: Annotated[NotNegative | None, Meta(description="Last price of a share, in `currency`.")] = None
    previous_close: Annotated[
        NotNegative | None, Meta(description="Closing price of the day before, in `currency`.")
    ] = None
    market_cap: Annotated[
        Count | None, Meta(description="Price times shares outstanding, in whole units of `currency`.")
    ] = None
    shares_outstanding: Annotated[Count | None, Meta(description="Number of shares.")] = None
    fifty_two_week_low: Annotated[NotNegative | None, Meta(description="Lowest price of 52 weeks, in `currency`.")] = (
        None
    )
    fifty_two_week_high: Annotated[
        NotNegative | None, Meta(description="Highest price of 52 weeks, in `currency`.")
    ] = None
    trailing_pe: Annotated[
        float | None, Meta(description="Ratio of the price to the past year's earnings per share; unset after a loss.")
    ] = None
    dividend_yield_percent: Annotated[
        NotNegative | None, Meta(description="Dividends of a year, in percent of the price.")
    ] = None
    beta: Annotated[
        float | None, Meta(description="Ratio of the share's price movements to those of the market: 1 is the same.")
    ] = None
    average_daily_volume: Annotated[Count | None, Meta(description="Mean number of shares traded in a day.")] = None
    as_of: Annotated[Day | None, Meta(description="Day of the price, as `YYYY-MM-DD`.")] = None


Recommendation = Literal["strong_buy", "buy", "hold", "sell", "strong_sell"]


class AnalystRatings(Answer, frozen=True, kw_only=True):
    """Analysts' recommendations and 12-month price targets; all unset for a company that no analyst covers."""

    has_coverage: Annotated[bool, Meta(description="Whether an analyst covers the company.")]
    recommendation: Annotated[
        Recommendation | None, Meta(description="The recommendation nearest to `recommendation_mean`.")
    ] = None
    recommendation_mean: Annotated[
        Annotated[float, Meta(ge=1, le=5)] | None,
        Meta(description="Mean recommendation, from 1 (strong buy) to 5 (strong sell)."),
    ] = None
    analysts: Annotated[
        Count | None, Meta(description="Number of analysts: the sum of those with each recommendation.")
    ] = None
    strong_buy: Annotated[Count | None, Meta(description="Number of analysts who recommend a strong buy.")] = None
    buy: Annotated[Count | None, Meta(description="Number of analysts who recommend to buy.")] = None
    hold: Annotated[Count | None, Meta(description="Number of analysts who recommend to hold.")] = None
    sell: Annotated[Count | None, Meta(description="Number of analysts who recommend to sell.")] = None
    strong_sell: Annotated[Count | None, Meta(description="Number of analysts who recommend a strong sell.")] = None
    target_mean: Annotated[NotNegative | None, Meta(description="Mean price target for a share, in `currency`.")] = None
    target_high: Annotated[NotNegative | None, Meta(description="Highest price target for a share, in `currency`.")] = (
        None
    )
    target_low: Annotated[NotNegative | None, Meta(description="Lowest price target for a share, in `currency`.")] = (
        None
    )
    currency: Annotated[
        CurrencyCode | None,
        Meta(
            description="Currency of the price targets, as ISO 4217 code; London's are in pounds (GBP), not in pence."
        ),
    ] = None
    as_of: Annotated[Day | None, Meta(description="Day of the ratings, as `YYYY-MM-DD`.")] = None


class DepartmentRoles(msgspec.Struct, frozen=True, kw_only=True):
    """The open roles in a department."""

    department: Annotated[str, Meta(description="Name of the department.")]
    open_roles: Annotated[Count, Meta(description="Number of open roles in it.")]


class HiringSignals(Answer, frozen=True, kw_only=True):
    """The company's open roles."""

    open_roles: Annotated[Count | None, Meta(description="Number of open roles.")] = None
    roles_by_department: Annotated[
        tuple[DepartmentRoles, ...],
        Meta(description="Open roles by department, largest first; they sum to `open_roles`."),
    ] = ()
    senior_roles: Annotated[
        Count | None, Meta(description="Number of open roles for heads of departments and above.")
    ] = None
    remote_share_percent: Annotated[
        Percent | None, Meta(description="Roles that can be done remotely, in percent of `open_roles`.")
    ] = None
    posted_last_30_days: Annotated[
        Count | None, Meta(description="Number of open roles that were posted in the last 30 days.")
    ] = None
    technologies_mentioned: Annotated[
        tuple[str, ...], Meta(description="Names of the technologies that the job postings mention.")
    ] = ()
    trend: Annotated[
        Literal["growing", "steady", "slowing"] | None, Meta(description="How the number of open roles is changing.")
    ] = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A literal quote of an executive."""

    quote: Annotated[str, Meta(description="The words, literally. An invented quote says that it is invented.")]
    speaker: Annotated[
        str, Meta(description="Name of the speaker; an invented quote has a role marked `(invented)`, never a name.")
    ]
    speaker_title: Annotated[str | None, Meta(description="Role of the speaker in the company.")] = None
    said_on: Annotated[Day | None, Meta(description="Day of the statement, as `YYYY-MM-DD`.")] = None
    url: Annotated[str, Meta(description="Page that the quote is on; that of an invented quote does not exist.")]
    theme: Annotated[str | None, Meta(description="Theme of the quote.")] = None


class ExecQuotes(Answer, frozen=True, kw_only=True):
    """What executives say, and the themes of it."""

    quotes: Annotated[tuple[Quote, ...], Meta(description="Quotes of executives.")] = ()
    themes: Annotated[
        tuple[str, ...], Meta(description="Themes that executives speak of, those of the quotes included.")
    ] = ()
    note: Annotated[str | None, Meta(description="A qualification of the quotes and themes.")] = None


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
    """Something that happened to the company or was done by it."""

    type: Annotated[EventType, Meta(description="Kind of event.")]
    date: Annotated[Day, Meta(description="Day of the event, as `YYYY-MM-DD`.")]
    headline: Annotated[str, Meta(description="What happened, in a sentence.")]
    impact: Annotated[Impact | None, Meta(description="Likely effect on the company.")] = None


class TriggerEvents(Answer, frozen=True, kw_only=True):
    """The events of the past year."""

    events: Annotated[tuple[TriggerEvent, ...], Meta(description="Events of the past year, latest first.")]
