"""
Simulated stock information.
"""

import math
from datetime import timedelta
from typing import Final

from enrichment.modules.answers import StockInfo
from enrichment.modules.icp_score import DOLLARS
from enrichment.sources.simulated import m07_financials
from enrichment.sources.simulated.company import REFERENCE_DATE, Company

LAST_TRADED: Final = REFERENCE_DATE - timedelta(days=1)  # a Friday; exchanges are closed on the reference date


def simulate(company: Company) -> StockInfo:
    """Return a price derived from the year's net income, or from the revenue if there is hardly any income."""
    income = m07_financials.simulate(company).net_income
    if company.ticker is None or income is None:
        return StockInfo(is_listed=False)
    rng, rate = company.rng("m08"), DOLLARS[company.currency]
    value = max(income * rng.uniform(9, 38), company.revenue * rng.uniform(0.3, 0.6))
    # Larger companies have both a higher price per share and more shares.
    price = money(15 * (value * rate / 100_000_000) ** 0.25 * math.exp(rng.uniform(-0.8, 0.8)) / rate, company)
    shares = round(value / price)
    market_cap = round(shares * price)
    price_earnings = round(market_cap / income, 1) if income > 0 else None
    return StockInfo(
        is_listed=True,
        symbol=company.ticker,
        exchange=company.exchange,
        currency=company.currency,
        price=price,
        previous_close=money(price * rng.uniform(0.97, 1.03), company),
        market_cap=market_cap,
        shares_outstanding=shares,
        fifty_two_week_low=money(price * rng.uniform(0.55, 0.96), company),
        fifty_two_week_high=money(price * rng.uniform(1.04, 1.6), company),
        trailing_pe=price_earnings,
        # At most 60 % of the income is paid out.
        dividend_yield_percent=(
            round(rng.uniform(15, 60) / price_earnings, 2) if price_earnings and rng.random() < 0.6 else 0.0
        ),
        beta=round(rng.uniform(0.4, 1.9), 2),
        average_daily_volume=round(shares * rng.uniform(0.002, 0.012)),
        as_of=LAST_TRADED.isoformat(),
    )


def money(amount: float, company: Company) -> float:
    """Round to the smallest unit of the company's currency."""
    return round(amount, 0 if company.currency == "JPY" else 2)
