"""
What analysts think of a company's shares.
"""

import math
from typing import Final

from enrichment.modules.answers import AnalystRatings, Recommendation
from enrichment.sources.simulated import m08_stock_info
from enrichment.sources.simulated.company import Profile, shared_out

RECOMMENDATIONS: Final[tuple[Recommendation, ...]] = ("strong_buy", "buy", "hold", "sell", "strong_sell")


def simulate(profile: Profile) -> AnalystRatings:
    """More analysts for a larger company; the more they like it, the more they expect of its price."""
    stock = m08_stock_info.simulate(profile)
    if stock.price is None or stock.market_cap is None:
        return AnalystRatings(has_coverage=False)
    chance = profile.random("m09")
    analysts = 2 + round(3 * math.log10(stock.market_cap / 1_000_000 + 1) * chance.uniform(0.5, 1.8))
    weights = [weight * chance.uniform(0.1, 2) for weight in (4, 7, 6, 2, 1)]
    counts = shared_out(analysts, weights)
    mean = round(sum(grade * count for grade, count in enumerate(counts, start=1)) / analysts, 2)
    target = stock.price * (1.3 - 0.1 * mean + chance.uniform(-0.05, 0.05))
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
        target_high=round(target * chance.uniform(1.08, 1.35), 2),
        target_low=round(target * chance.uniform(0.65, 0.92), 2),
        currency=stock.currency,
        as_of=stock.as_of,
    )
