"""
What a company earns.
"""

from typing import Literal

import msgspec

from enrichment.findings import Answer
from enrichment.profiles import INDUSTRIES, REFERENCE, Profile, rough


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
