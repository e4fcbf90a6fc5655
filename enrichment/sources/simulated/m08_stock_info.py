"""
What a company's shares cost.
"""

import math
from datetime import timedelta
from typing import Final

from enrichment.modules.answers import StockInfo
from enrichment.sources.simulated import m07_financials
from enrichment.sources.simulated.company import REFERENCE, Profile

LAST_TRADED: Final = REFERENCE - timedelta(days=1)  # a Friday: exchanges are closed on the day itself


def simulate(profile: Profile) -> StockInfo:
    """A price that fits the year's profit, or the revenue if there is hardly any."""
    income = m07_financials.simulate(profile).net_income
    if profile.ticker is None or income is None:
        return StockInfo(is_listed=False)
    chance = profile.random("m08")
    worth = max(income * chance.uniform(9, 38), profile.revenue * chance.uniform(0.3, 0.6))
    # A larger company's share costs more, but there are more of them, too.
    price = round(15 * (worth / 100_000_000) ** 0.25 * math.exp(chance.uniform(-0.8, 0.8)), 2)
    shares = round(worth / price)
    market_cap = round(shares * price)
    return StockInfo(
        is_listed=True,
        symbol=profile.ticker,
        exchange=profile.exchange,
        currency="USD",
        price=price,
        previous_close=round(price * chance.uniform(0.97, 1.03), 2),
        market_cap=market_cap,
        shares_outstanding=shares,
        fifty_two_week_low=round(price * chance.uniform(0.55, 0.96), 2),
        fifty_two_week_high=round(price * chance.uniform(1.04, 1.6), 2),
        trailing_pe=round(market_cap / income, 1) if income > 0 else None,
        dividend_yield_percent=round(chance.uniform(0.4, 4.5), 2) if income > 0 and chance.random() < 0.6 else 0.0,
        beta=round(chance.uniform(0.4, 1.9), 2),
        average_daily_volume=round(shares * chance.uniform(0.002, 0.012)),
        as_of=LAST_TRADED.isoformat(),
    )
