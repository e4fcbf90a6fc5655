"""
Simulated analyst ratings.
"""

import math
from typing import Final

from enrichment.modules.answers import AnalystRatings, Recommendation
from enrichment.modules.icp_score import DOLLARS
from enrichment.sources.simulated import m08_stock_info
from enrichment.sources.simulated.company import Company, apportion

RECOMMENDATIONS: Final[tuple[Recommendation, ...]] = ("strong_buy", "buy", "hold", "sell", "strong_sell")


def simulate(company: Company) -> AnalystRatings:
    """Return more analysts for larger companies, and a price target of each that fits what the analyst recommends."""
    stock = m08_stock_info.simulate(company)
    if stock.price is None or stock.market_cap is None:
        return AnalystRatings(has_coverage=False)
    rng = company.rng("m09")
    millions = stock.market_cap * DOLLARS[company.currency] / 1_000_000
    analysts = 2 + round(3 * math.log10(millions + 1) * rng.uniform(0.5, 1.8))
    counts = apportion(analysts, [weight * rng.uniform(0.1, 2) for weight in (4, 7, 6, 2, 1)])
    grades = [grade for grade, count in enumerate(counts, start=1) for _ in range(count)]
    mean = round(sum(grades) / analysts, 2)
    targets = [
        m08_stock_info.money(stock.price * (1.3 - 0.1 * grade + rng.uniform(-0.08, 0.08)), company) for grade in grades
    ]
    strong_buy, buy, hold, sell, strong_sell = counts
    return AnalystRatings(
        has_coverage=True,
        recommendation=RECOMMENDATIONS[round(mean) - 1],
        recommendation_mean=mean,
        analysts=analysts,
        strong_buy=strong_buy,
        buy=buy,
        hold=hold,
        sell=sell,
        strong_sell=strong_sell,
        target_mean=m08_stock_info.money(sum(targets) / analysts, company),
        target_high=max(targets),
        target_low=min(targets),
        currency=stock.currency,
        as_of=stock.as_of,
    )
