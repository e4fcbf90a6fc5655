"""
Simulated financials.
"""

import msgspec

from enrichment.modules.answers import AnnualRevenue, Financials
from enrichment.sources.simulated.company import REFERENCE_DATE, Company, round_significant
from enrichment.sources.simulated.industries import INDUSTRIES


def simulate(company: Company) -> Financials:
    """Return the company's revenue and, if it is public, figures based on margins typical of its industry."""
    year, revenue = REFERENCE_DATE.year - 1, company.revenue
    estimate = Financials(
        is_public=False,
        basis="estimated",
        currency=company.currency,
        fiscal_year=year,
        revenue=revenue,
        revenue_growth_percent=company.growth,
    )
    if company.ticker is None:
        return estimate
    rng, industry = company.rng("m07"), INDUSTRIES[company.industry]
    gross = round(rng.uniform(*industry.gross_margin), 1)
    net = round(rng.uniform(*industry.net_margin), 1)
    operating = round(net + abs(net) * rng.uniform(0.15, 0.35) + 0.8, 1)
    before = revenue / (1 + company.growth / 100)
    earlier = before / (1 + rng.uniform(*industry.growth) / 100)
    # To six digits, as the growth that follows from rounder figures would differ from the one that is reported.
    revenues = (round_significant(earlier, 6), round_significant(before, 6), revenue)
    return msgspec.structs.replace(
        estimate,
        is_public=True,
        basis="reported",
        gross_margin_percent=gross,
        operating_margin_percent=operating,
        net_margin_percent=net,
        net_income=round(revenue * net / 100),
        ebitda=round_significant(revenue * (operating + rng.uniform(1, min(6, gross - operating))) / 100),
        free_cash_flow=round_significant(revenue * (net + rng.uniform(-2, 1.5)) / 100),
        total_cash=round_significant(revenue * rng.uniform(0.03, 0.25)),
        total_debt=round_significant(revenue * rng.uniform(0.02, 0.35)),
        revenue_by_year=tuple(
            AnnualRevenue(fiscal_year=year - 2 + place, revenue=amount) for place, amount in enumerate(revenues)
        ),
    )
