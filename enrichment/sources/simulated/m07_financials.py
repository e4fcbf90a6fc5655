"""
What a company earns.
"""

import msgspec

from enrichment.modules.answers import Financials, YearsRevenue
from enrichment.sources.simulated.company import INDUSTRIES, REFERENCE, Profile, rough


def simulate(profile: Profile) -> Financials:
    """The profile's revenue; for a public company also margins as usual in its industry, and what follows from them."""
    year, revenue = REFERENCE.year - 1, profile.revenue
    estimate = Financials(
        is_public=False,
        basis="estimated",
        currency="USD",
        fiscal_year=year,
        revenue=revenue,
        revenue_growth_percent=profile.growth,
    )
    if profile.ticker is None:
        return estimate
    chance, industry = profile.random("m07"), INDUSTRIES[profile.industry]
    net = round(chance.uniform(*industry.net_margin), 1)
    operating = round(net + abs(net) * chance.uniform(0.15, 0.35) + 0.8, 1)
    before = revenue / (1 + profile.growth / 100)
    earlier = before / (1 + chance.uniform(*industry.growth) / 100)
    return msgspec.structs.replace(
        estimate,
        is_public=True,
        basis="reported",
        gross_margin_percent=round(chance.uniform(*industry.gross_margin), 1),
        operating_margin_percent=operating,
        net_margin_percent=net,
        net_income=round(revenue * net / 100),
        ebitda=rough(revenue * (operating + chance.uniform(1, 6)) / 100),
        free_cash_flow=rough(revenue * (net + chance.uniform(-2, 3)) / 100),
        total_cash=rough(revenue * chance.uniform(0.03, 0.25)),
        total_debt=rough(revenue * chance.uniform(0.02, 0.35)),
        revenue_by_year=tuple(
            YearsRevenue(fiscal_year=year - 2 + place, revenue=money)
            for place, money in enumerate((rough(earlier), rough(before), revenue))
        ),
    )
