"""
How the answers of Yahoo Finance are read: their envelopes, and their units.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from enrichment.errors import SourceFailed
from enrichment.modules.answers import (
    AnalystRatings,
    AnnualRevenue,
    CompanyContext,
    Financials,
    Recommendation,
    StockInfo,
    TriggerEvents,
)
from enrichment.sources.failures import NotFound, ParseError, UpstreamError
from enrichment.sources.headlines import Report, events_in
from enrichment.sources.messages import HttpResponse
from enrichment.sources.yahoo_shapes import (
    Chart,
    Insights,
    InsightsResult,
    Item,
    Number,
    Prices,
    Results,
    Summary,
    Trend,
    number,
)

T = TypeVar("T")

FIGURES: Final = {
    "annualTotalRevenue": "revenue",
    "annualNetIncome": "net_income",
    "annualGrossProfit": "gross_profit",
    "annualOperatingIncome": "operating_income",
    "annualEBITDA": "ebitda",
    "annualFreeCashFlow": "free_cash_flow",
    "annualCashCashEquivalentsAndShortTermInvestments": "total_cash",
    "annualTotalDebt": "total_debt",
}
"Types of figures, by Yahoo's names and ours."
MINOR_UNITS: Final = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}
"Prices in hundredths of a currency."
VOLUME_DAYS: Final = 63
"The trading days of three months, of which the mean volume is taken."
DAY_SECONDS: Final = 86_400

RECOMMENDATIONS: Final[tuple[Recommendation, ...]] = ("strong_buy", "buy", "hold", "sell", "strong_sell")
RATINGS: Final[dict[str, Recommendation]] = {
    "strong buy": "strong_buy",
    "buy": "buy",
    "bullish": "buy",
    "outperform": "buy",
    "overweight": "buy",
    "hold": "hold",
    "neutral": "hold",
    "underperform": "sell",
    "underweight": "sell",
    "bearish": "sell",
    "sell": "sell",
    "strong sell": "strong_sell",
}


class Figure(NamedTuple):
    """An amount, and its currency."""

    amount: float
    currency: str | None


ITEMS: Final[Any] = tuple[Item | None, ...] | None
Figures = dict[str, dict[date, Figure]]
"By our name and the last day of the fiscal year."


def chart(response: HttpResponse) -> Chart:
    """Read a chart."""
    (found,) = _results(response, "chart")[:1]
    return _convert(found, Chart)


def summary(response: HttpResponse) -> Summary:
    """Read an answer of `quoteSummary`."""
    (found,) = _results(response, "quoteSummary")[:1]
    return _convert(found, Summary)


def insights(response: HttpResponse) -> Insights:
    """Read insights, whose result is an object."""
    envelope = response.json(dict[str, InsightsResult | None]).get("finance")
    if envelope is None:
        raise ParseError("Its answer has an unexpected form.")
    if not envelope.result:
        raise _missing(envelope.error)
    return envelope.result


def figures(response: HttpResponse) -> Figures:
    """Read the figures of fiscal years. There is one result for each type, in no order, mostly without a value."""
    found: Figures = {}
    for result in _results(response, "timeseries"):
        fields = _convert(result, dict[str, msgspec.Raw])
        for name in fields.keys() & FIGURES.keys():
            for item in _convert(fields[name], ITEMS) or ():
                amount, day = number(item.reported_value) if item else None, _day(item.as_of_date) if item else None
                if item and amount is not None and day and item.period_type in (None, "12M"):
                    found.setdefault(FIGURES[name], {})[day] = Figure(amount, item.currency_code)
    return found


def host_of(url: str | None) -> str:
    """Return the host of a URL, an empty string if there is none."""
    try:
        return (urlsplit(url or "").hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def context(found: Summary, name: str | None) -> CompanyContext:
    """Return a company's basic facts. `name` is used if Yahoo has none."""
    profile, price = found.asset_profile, found.price
    name = (price and (price.long_name or price.short_name)) or name
    if profile is None or not name:
        raise NotFound("It has no profile of this company.")
    employees = number(profile.full_time_employees)
    in_us = profile.country == "United States"
    place = [part for part in (profile.city, profile.state if in_us else profile.country) if part]
    return CompanyContext(
        company_name=name,
        hq=", ".join(place) if profile.city else None,
        employees=round(employees) if employees is not None and employees > 0 else None,
        industry=profile.industry or None,
        company_type="public",
        country=profile.country or None,
        description=profile.long_business_summary or None,
    )


def financials(found: Figures) -> tuple[Financials, float]:
    """Return the last fiscal year with a revenue, and when it ended."""
    revenues = found.get("revenue", {})
    if not revenues:
        raise NotFound("It has no statements of this company.")
    last = max(revenues)
    revenue, currency = revenues[last]
    years = {day: figure.amount for day, figure in revenues.items() if figure.currency == currency}
    previous = next((amount for day, amount in years.items() if 350 < (last - day).days < 380), None)

    def of_year(name: str) -> float | None:
        figure = found.get(name, {}).get(last)
        return figure.amount if figure and figure.currency == currency else None

    def margin(amount: float | None) -> float | None:
        return None if amount is None or revenue <= 0 else round(100 * amount / revenue, 2)

    answer = Financials(
        is_public=True,
        basis="reported",
        currency=_code(currency),
        fiscal_year=last.year,
        revenue=round(revenue),
        revenue_growth_percent=round(100 * (revenue / previous - 1), 2) if previous and previous > 0 else None,
        gross_margin_percent=margin(of_year("gross_profit")),
        operating_margin_percent=margin(of_year("operating_income")),
        net_margin_percent=margin(of_year("net_income")),
        net_income=_whole(of_year("net_income")),
        ebitda=_whole(of_year("ebitda")),
        free_cash_flow=_whole(of_year("free_cash_flow")),
        total_cash=_whole(of_year("total_cash")),
        total_debt=_whole(of_year("total_debt")),
        revenue_by_year=tuple(
            AnnualRevenue(fiscal_year=day.year, revenue=round(amount)) for day, amount in sorted(years.items())
        ),
    )
    return answer, datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp()


def stock(found: Chart, symbol: str, exchange: str) -> tuple[StockInfo, float | None]:
    """Return the price of a share and what a year's chart says about it, and the time of the price."""
    meta = found.meta
    if meta.instrument_type not in (None, "EQUITY"):
        raise NotFound("Its security of this ticker is not a share.")
    quotes = found.indicators.quote if found.indicators else None
    days = (quotes[0] if quotes else None) or Prices()
    lows, highs = _known(days.low), _known(days.high)
    volumes = _known(days.volume)[-VOLUME_DAYS:]
    low = meta.fifty_two_week_low or min(lows, default=None)
    high = meta.fifty_two_week_high or max(highs, default=None)
    if meta.regular_market_price is None:
        raise ParseError("Its answer has no price.")
    offset = meta.gmtoffset or 0.0
    today = None if meta.regular_market_time is None else _local_day(meta.regular_market_time, offset)
    previous = None
    if today:
        pairs = zip(found.timestamp or (), days.close or (), strict=False)
        before = [close for at, close in pairs if at is not None and close and _local_day(at, offset) < today]
        previous = before[-1] if before else None
    answer = StockInfo(
        is_listed=True,
        symbol=symbol,
        exchange=exchange,
        currency=_code(meta.currency),
        price=_price(meta.regular_market_price, meta.currency),
        previous_close=_price(previous, meta.currency),
        fifty_two_week_low=_price(low, meta.currency),
        fifty_two_week_high=_price(high, meta.currency),
        average_daily_volume=round(sum(volumes) / len(volumes)) if volumes else None,
        as_of=today.isoformat() if today else None,
    )
    return answer, meta.regular_market_time


def with_summary(answer: StockInfo, found: Summary) -> StockInfo:
    """Return the answer with what only the summary knows."""
    price, detail = found.price, found.summary_detail
    extra: dict[str, Any] = {}
    if price and _code(price.currency) == answer.currency:
        extra["market_cap"] = _count(price.market_cap)
    if detail:
        ratio, share, volume = number(detail.trailing_p_e), number(detail.dividend_yield), _count(detail.average_volume)
        extra |= {
            "trailing_pe": ratio if ratio is not None and ratio > 0 else None,
            "dividend_yield_percent": round(100 * share, 4) if share is not None and share >= 0 else None,
            "beta": number(detail.beta),
            "average_daily_volume": volume or answer.average_daily_volume,
        }
    return msgspec.structs.replace(answer, **extra)


def ratings(found: Summary, now: float) -> AnalystRatings:
    """Return what analysts recommend. Price targets are left out if their currency is not known."""
    data, trends = found.financial_data, found.recommendation_trend
    if data is None and trends is None:
        raise NotFound("It has no ratings of this company.")
    trend = next((each for each in (trends and trends.trend) or () if each and each.period == "0m"), Trend())
    counts = [trend.strong_buy, trend.buy, trend.hold, trend.sell, trend.strong_sell]
    voices = [max(count or 0, 0) for count in counts]
    votes = sum(voices)
    analysts = votes or (_count(data.number_of_analyst_opinions) if data else None)
    if not analysts:
        return AnalystRatings(has_coverage=False)
    mean = number(data.recommendation_mean) if data else None
    if mean is None and votes:
        mean = round(sum(level * count for level, count in enumerate(voices, start=1)) / votes, 2)
    if mean is not None and not 1 <= mean <= 5:
        mean = None
    currency = found.price.currency if found.price else None
    targets: list[Number] = [None, None, None]
    if data and _code(currency):
        targets = [data.target_mean_price, data.target_high_price, data.target_low_price]
    target_mean, target_high, target_low = (_price(number(target), currency) for target in targets)
    known: list[int | None] = [*voices] if votes else [None] * 5
    return AnalystRatings(
        has_coverage=True,
        recommendation=RECOMMENDATIONS[int(mean + 0.5) - 1] if mean is not None else None,
        recommendation_mean=mean,
        analysts=analysts,
        strong_buy=known[0],
        buy=known[1],
        hold=known[2],
        sell=known[3],
        strong_sell=known[4],
        target_mean=target_mean,
        target_high=target_high,
        target_low=target_low,
        currency=_code(currency) if any((target_mean, target_high, target_low)) else None,
        as_of=_local_day(now, 0).isoformat(),
    )


def rating(found: Insights) -> AnalystRatings:
    """Return what one analyst recommends, whose price target has no known currency."""
    text = ((found.recommendation and found.recommendation.rating) or "").strip().lower()
    if not text:
        raise NotFound("It has no rating of this company.")
    return AnalystRatings(has_coverage=True, recommendation=RATINGS.get(text.replace("_", " ")))


def events(found: Insights, now: float) -> TriggerEvents:
    """Return the events among the significant developments."""
    reports = [
        Report(headline=each.headline, day=day, url="")
        for each in found.sig_devs or ()
        if each and each.headline and (day := _day(each.date))
    ]
    result, _ = events_in(reports, _local_day(now, 0))
    if not result:
        raise NotFound("It has no recent events of this company.")
    return TriggerEvents(events=result)


def _results(response: HttpResponse, name: str) -> Sequence[msgspec.Raw]:
    """Return the results in an envelope of that name, at least one."""
    envelope = response.json(dict[str, Results | None]).get(name)
    if envelope is None:
        raise ParseError("Its answer has an unexpected form.")
    if not envelope.result:
        raise _missing(envelope.error)
    return envelope.result


def _missing(error: object) -> SourceFailed:
    """The failure that an envelope without a result stands for."""
    if error is None or (isinstance(error, dict) and "not found" in str(error.get("code")).lower()):
        return NotFound("It does not know this company.")
    return UpstreamError("It reports an error.")


def _convert(raw: msgspec.Raw, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise ParseError(f"Its answer has an unexpected form: {error}.") from None


def _day(value: str | float | None) -> date | None:
    """The day of a date, or of seconds since the epoch; None if it is neither."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else _local_day(value or 0.0, 0.0)
    except (ValueError, OverflowError, OSError):
        return None


def _local_day(moment: float, offset: float) -> date:
    return datetime.fromtimestamp(moment + offset, UTC).date()


def _known(values: Iterable[float | None] | None) -> list[float]:
    return [value for value in values or () if value is not None]


def _code(currency: str | None) -> str | None:
    """The ISO 4217 code of a currency, None if it is not one."""
    code = MINOR_UNITS.get(currency or "", currency or "")
    return code if len(code) == 3 and code.isascii() and code.isalpha() and code.isupper() else None


def _price(amount: float | None, currency: str | None) -> float | None:
    """An amount in whole units of the currency."""
    if amount is None or amount < 0:
        return None
    return round(amount / 100, 6) if currency in MINOR_UNITS else amount


def _whole(amount: float | None) -> int | None:
    return None if amount is None else round(amount)


def _count(value: Number) -> int | None:
    count = number(value)
    return round(count) if count is not None and count >= 0 else None
