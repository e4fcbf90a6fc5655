"""
Simulated analyst ratings.
"""

import math
from typing import Final

from enrichment.modules.answers import AnalystRatings, Recommendation
from enrichment.sources.simulated import m08_stock_info
from enrichment.sources.simulated.company import Company, apportion

RECOMMENDATIONS: Final[tuple[Recommendation, ...]] = ("strong_buy", "buy", "hold", "sell", "strong_sell")


def simulate(company: Company) -> AnalystRatings:
    """Return more analysts for larger companies, and higher price targets for better ratings."""
    stock = m08_stock_info.simulate(company)
    if stock.price is None or stock.market_cap is None:
        return AnalystRatings(has_coverage=False)
    rng = company.rng("m09")
    analysts = 2 + round(3 * math.log10(stock.market_cap / 1_000_000 + 1) * rng.uniform(0.5, 1.8))
    weights = [weight * rng.uniform(0.1, 2) for weight in (4, 7, 6, 2, 1)]
    counts = apportion(analysts, weights)
    mean = round(sum(grade * count for grade, count in enumerate(counts, start=1)) / analysts, 2)
    target = stock.price * (1.3 - 0.1 * mean + rng.uniform(-0.05, 0.05))
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
        target_mean=round(target, 2),
        target_high=round(target * rng.uniform(1.08, 1.35), 2),
        target_low=round(target * rng.uniform(0.65, 0.92), 2),
        currency=stock.currency,
        as_of=stock.as_of,
    )
