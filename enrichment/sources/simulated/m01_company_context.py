"""
Simulated company context.
"""

from typing import Literal

from enrichment.modules.answers import CompanyContext, revenue_range
from enrichment.modules.icp_score import DOLLARS
from enrichment.sources.simulated.company import Company


def simulate(company: Company) -> CompanyContext:
    """Return the facts of the simulated company."""
    company_type: Literal["public", "private"] = "public" if company.ticker else "private"
    hq = f"{company.city}, {company.region if company.country_code == 'US' else company.country}"
    return CompanyContext(
        company_name=company.name,
        founded=company.founded,
        hq=hq,
        employees=company.employees,
        industry=company.industry,
        naics_code=company.naics,
        company_type=company_type,
        revenue_range=revenue_range(company.revenue * DOLLARS[company.currency]),
        country=company.country,
        description=(
            f"{company.name} is a {company_type} company, based in {hq} and founded in {company.founded}; its line of "
            f"business is {company.industry.lower()}, and it employs {company.employees:,} people."
        ),
    )
