"""
The answers of Yahoo Finance, as far as they are read.

Numbers are integers or floats, or objects with the number as `raw`; fields without a value are missing or null.
"""

from typing import Any

import msgspec

Number = float | dict[str, Any] | None


def number(value: Number) -> float | None:
    """Return the number itself."""
    raw = value.get("raw") if isinstance(value, dict) else value
    return float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else None


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What a chart says about the share. `gmtoffset` are the seconds from UTC to the time of the exchange."""

    symbol: str | None = None
    currency: str | None = None
    instrument_type: str | None = None
    long_name: str | None = None
    regular_market_price: float | None = None
    regular_market_time: float | None = None
    fifty_two_week_high: float | None = None
    fifty_two_week_low: float | None = None
    gmtoffset: float | None = None


class Prices(msgspec.Struct, frozen=True):
    """The days of a chart. A day without trade is null."""

    close: tuple[float | None, ...] | None = None
    high: tuple[float | None, ...] | None = None
    low: tuple[float | None, ...] | None = None
    volume: tuple[float | None, ...] | None = None


class Indicators(msgspec.Struct, frozen=True):
    """The series of a chart."""

    quote: tuple[Prices | None, ...] | None = None


class Chart(msgspec.Struct, frozen=True):
    """The prices of a year."""

    meta: Meta
    timestamp: tuple[float | None, ...] | None = None
    indicators: Indicators | None = None


class Results(msgspec.Struct, frozen=True):
    """What is common to all answers: results, or an error."""

    result: tuple[msgspec.Raw, ...] | None = None
    error: Any = None


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """A figure of a statement."""

    as_of_date: str | None = None
    period_type: str | None = None
    currency_code: str | None = None
    reported_value: Number = None


class Profile(msgspec.Struct, frozen=True, rename="camel"):
    """`assetProfile`."""

    city: str | None = None
    state: str | None = None
    country: str | None = None
    website: str | None = None
    industry: str | None = None
    long_business_summary: str | None = None
    full_time_employees: Number = None


class Price(msgspec.Struct, frozen=True, rename="camel"):
    """`price`. The market value is in whole units of the currency even where the price is in pence."""

    long_name: str | None = None
    short_name: str | None = None
    currency: str | None = None
    market_cap: Number = None


class Detail(msgspec.Struct, frozen=True, rename="camel"):
    """`summaryDetail`. The yield is a fraction."""

    trailing_p_e: Number = msgspec.field(default=None, name="trailingPE")
    dividend_yield: Number = None
    beta: Number = None
    average_volume: Number = None


class FinancialData(msgspec.Struct, frozen=True, rename="camel"):
    """`financialData`. The targets are in the currency of the price, unlike `financialCurrency`."""

    target_high_price: Number = None
    target_low_price: Number = None
    target_mean_price: Number = None
    recommendation_mean: Number = None
    number_of_analyst_opinions: Number = None


class Trend(msgspec.Struct, frozen=True, rename="camel"):
    """The recommendations of a month; `0m` is the present one."""

    period: str | None = None
    strong_buy: int | None = None
    buy: int | None = None
    hold: int | None = None
    sell: int | None = None
    strong_sell: int | None = None


class Trends(msgspec.Struct, frozen=True):
    """`recommendationTrend`."""

    trend: tuple[Trend | None, ...] | None = None


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    """The modules of `quoteSummary` that were asked for."""

    asset_profile: Profile | None = None
    price: Price | None = None
    summary_detail: Detail | None = None
    financial_data: FinancialData | None = None
    recommendation_trend: Trends | None = None


class Development(msgspec.Struct, frozen=True):
    """A significant development."""

    headline: str | None = None
    date: str | float | None = None


class Recommendation(msgspec.Struct, frozen=True):
    """What one analyst recommends."""

    rating: str | None = None


class Insights(msgspec.Struct, frozen=True, rename="camel"):
    """`insights`."""

    recommendation: Recommendation | None = None
    sig_devs: tuple[Development | None, ...] | None = None


class InsightsResult(msgspec.Struct, frozen=True):
    """Insights in their envelope."""

    result: Insights | None = None
    error: Any = None
