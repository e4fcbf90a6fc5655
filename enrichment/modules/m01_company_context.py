"""
Who a company is: its name, age, place, size and line of business.
"""

from bisect import bisect_right
from typing import Final, Literal

from enrichment.findings import Answer
from enrichment.profiles import Profile

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


def simulate(profile: Profile) -> CompanyContext:
    """The profile's own facts, retold."""
    company_type: Literal["public", "private"] = "public" if profile.ticker else "private"
    hq = f"{profile.city}, {profile.region if profile.country_code == 'US' else profile.country}"
    return CompanyContext(
        company_name=profile.name,
        founded=profile.founded,
        hq=hq,
        employees=profile.employees,
        industry=profile.industry,
        naics_code=profile.naics,
        company_type=company_type,
        revenue_range=revenue_range(profile.revenue),
        country=profile.country,
        description=(
            f"{profile.name} is a {company_type} company, based in {hq} and founded in {profile.founded}; its line of "
            f"business is {profile.industry.lower()}, and it employs {profile.employees:,} people."
        ),
    )
