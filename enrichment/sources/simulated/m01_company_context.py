"""
Who a company is: its name, age, place, size and line of business.
"""

from typing import Literal

from enrichment.modules.answers import CompanyContext, revenue_range
from enrichment.sources.simulated.company import Profile


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
