"""
The figures in a company's reports to the SEC, from its file `companyfacts`.

Of each figure, the file has every value that was ever reported. `fy` and `fp` are of the report, not of the value, so
a value is placed by its dates alone: https://www.sec.gov/search-filings/edgar-application-programming-interfaces.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from enrichment.sources.failures import ParseError

US_GAAP, IFRS = "us-gaap", "ifrs-full"

# fmt: off
TAGS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "revenue": (
        (US_GAAP, "RevenueFromContractWithCustomerExcludingAssessedTax"), (US_GAAP, "Revenues"),
        (US_GAAP, "SalesRevenueNet"), (IFRS, "Revenue"), (IFRS, "RevenueFromContractsWithCustomers"),
    ),
    "net_income": (
        (US_GAAP, "NetIncomeLoss"), (IFRS, "ProfitLossAttributableToOwnersOfParent"), (IFRS, "ProfitLoss"),
    ),
    "operating_income": ((US_GAAP, "OperatingIncomeLoss"), (IFRS, "ProfitLossFromOperatingActivities")),
    "gross_profit": ((US_GAAP, "GrossProfit"), (IFRS, "GrossProfit")),
    "operating_cash_flow": (
        (US_GAAP, "NetCashProvidedByUsedInOperatingActivities"), (IFRS, "CashFlowsFromUsedInOperatingActivities"),
    ),
    "capital_expenditure": (
        (US_GAAP, "PaymentsToAcquirePropertyPlantAndEquipment"),
        (IFRS, "PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities"),
    ),
    "cash": ((US_GAAP, "CashAndCashEquivalentsAtCarryingValue"), (IFRS, "CashAndCashEquivalents")),
    "short_term_investments": ((US_GAAP, "ShortTermInvestments"), (US_GAAP, "MarketableSecuritiesCurrent")),
}
"The tags of each figure, the usual one first. Companies switch from one to another."
YEARLY: Final = (
    "revenue", "net_income", "operating_income", "gross_profit", "operating_cash_flow", "capital_expenditure",
)
DAILY: Final = ("cash", "short_term_investments")
# fmt: on
ANNUAL_FORMS: Final = frozenset({"10-K", "20-F", "40-F"})
ANNUAL_DAYS: Final = range(350, 381)
SAME_START_DAYS: Final = 7
SAME_LENGTH_DAYS: Final = 10
MAX_YEARS: Final = 5
MAX_AMOUNT: Final = 1e18

TAXONOMIES: Final = (US_GAAP.encode(), IFRS.encode(), b"dei", b"srt")
NAMES: Final = sorted({tag for tags in TAGS.values() for _, tag in tags})
KEY: Final = re.compile(rf'"({"|".join([US_GAAP, IFRS, "dei", "srt", *NAMES])})"\s{{0,8}}:\s{{0,8}}\{{'.encode())
TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[{}]', re.DOTALL)
MAX_KEY: Final = 128
"Bytes at the end of a block in which a key may begin."
BLOCK: Final = 256 * 1024
MAX_CONCEPT: Final = 4 * 1024 * 1024
CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


class Value(msgspec.Struct):
    """A reported value. Without `start`, it is that of a day."""

    end: date | None = None
    val: float | None = None
    start: date | None = None
    form: str | None = None
    filed: date | None = None


class Concept(msgspec.Struct):
    """The values of a tag by unit."""

    units: dict[str, list[Value]] | None = None

    def values(self, unit: str) -> list[Value]:
        """Return the values in a unit that have a number and a date, the latest filed last."""
        values = [
            value
            for value in (self.units or {}).get(unit, ())
            if value.end and value.val is not None and abs(value.val) < MAX_AMOUNT
        ]
        return sorted(values, key=lambda value: value.filed or date.min)


class Period(msgspec.Struct, frozen=True):
    """A period, with the value reported for it."""

    start: date
    end: date
    amount: float

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.start).days


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    The figures of the fiscal year that ends on `end`, in whole units of `currency`.

    `revenues` are the last years until then, the latest last. `recent_revenue` is that of the twelve months that end on
    `recent_end`.
    """

    currency: str
    end: date
    revenues: tuple[Period, ...] = ()
    revenue: int | None = None
    net_income: int | None = None
    operating_income: int | None = None
    gross_profit: int | None = None
    operating_cash_flow: int | None = None
    capital_expenditure: int | None = None
    cash: int | None = None
    recent_revenue: int | None = None
    recent_end: date | None = None


async def reduce(chunks: AsyncIterator[bytes]) -> bytes:
    """
    Keep of a file `companyfacts` the concepts with a tag of `TAGS`, as a JSON array of taxonomy, tag and concept.

    The file may have 30 MB, and arrives in pieces. Raise `ParseError` if it is not JSON or is cut off.
    """
    kept: list[bytes] = []
    data = taxonomy = b""
    is_json = False
    async for block in _blocks(chunks):
        is_json = is_json or block.lstrip()[:1] == b"{"
        data, position = data + block, 0
        while match := KEY.search(data, position):
            position = match.end()
            if match[1] in TAXONOMIES:
                taxonomy = match[1]
            elif end := _end_of_object(data, position):
                kept.append(b'["%s","%s",%s]' % (taxonomy, match[1], data[position - 1 : end]))
                position = end
            else:
                position = match.start()
                break
        data = data[position:] if match else data[max(position, len(data) - MAX_KEY) :]
        if len(data) > MAX_CONCEPT + BLOCK:
            raise ParseError("Its answer has an unexpected form: one figure is too long.")
    if not is_json or KEY.match(data) or data.rstrip()[-1:] != b"}":
        raise ParseError("Its answer is not JSON, or is cut off.")
    return b"[" + b",".join(kept) + b"]"


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks in larger blocks: what a block ends within is searched again with the next one."""
    block = bytearray()
    async for chunk in chunks:
        block += chunk
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _end_of_object(data: bytes, position: int) -> int | None:
    """Where the object ends that begins before `position`, or None if the data ends within it."""
    depth = 1
    for token in TOKEN.finditer(data, position):
        depth += {b"{": 1, b"}": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return None


def read_facts(body: bytes) -> Report | None:
    """
    Return the figures of the last fiscal year with a revenue or a net income, None if there is none.

    All figures are of the same year and in the same currency, or are left out.
    """
    concepts = _decode(body)
    years = [
        (periods[-1].end, -place, len(periods), currency, key)
        for place, key in enumerate((*TAGS["revenue"], *TAGS["net_income"]))
        if key in concepts
        for currency in concepts[key].units or ()
        if CURRENCY.fullmatch(currency) and (periods := annual(concepts[key].values(currency)))
    ]
    if not years:
        return None
    end, _, _, currency, anchor = max(years)
    values = {name: [concepts[key].values(currency) for key in keys if key in concepts] for name, keys in TAGS.items()}
    amounts: dict[str, Any] = {name: _first(_of_year(each, end) for each in values[name]) for name in YEARLY}
    cash, investments = (_first(_of_day(each, end) for each in values[name]) for name in DAILY)
    if cash is not None:
        amounts["cash"] = cash + (investments or 0)
    if anchor not in TAGS["revenue"]:
        return Report(currency=currency, end=end, **amounts)
    revenues = concepts[anchor].values(currency)
    recent = last_twelve_months(revenues)
    return Report(
        currency=currency,
        end=end,
        revenues=tuple(annual(revenues)[-MAX_YEARS:]),
        recent_revenue=round(recent.amount),
        recent_end=recent.end,
        **amounts,
    )


def annual(values: Iterable[Value]) -> list[Period]:
    """Return the fiscal years among the values, as reported last, in ascending order."""
    years = {
        period.end: period
        for value in values
        if value.form in ANNUAL_FORMS and (period := _period(value)) and period.days in ANNUAL_DAYS
    }
    return sorted(years.values(), key=lambda year: year.end)


def last_twelve_months(values: list[Value]) -> Period:
    """
    Return the twelve months that end with the last report: the last fiscal year, plus what was reported of the current
    one so far, minus the same part of the last one. Without these parts, that is the last fiscal year.
    """
    year = annual(values)[-1]
    periods = {(period.start, period.end): period for value in values if (period := _period(value))}.values()
    parts = [period for period in periods if period.days < ANNUAL_DAYS.start]
    current = [part for part in parts if _is_near(part.start, year.end + timedelta(days=1)) and part.end > year.end]
    if not current:
        return year
    so_far = max(current, key=lambda part: part.end)
    before = [
        part for part in parts if _is_near(part.start, year.start) and abs(part.days - so_far.days) <= SAME_LENGTH_DAYS
    ]
    if not before:
        return year
    start = so_far.end - timedelta(days=year.days)
    return Period(start, so_far.end, year.amount + so_far.amount - before[-1].amount)


def _decode(body: bytes) -> dict[tuple[str, str], Concept]:
    try:
        concepts = msgspec.json.decode(body, type=list[tuple[str, str, Concept]])
    except msgspec.ValidationError as error:
        raise ParseError(f"Its answer has an unexpected form: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ParseError("Its answer is not JSON, or is cut off.") from None
    return {(taxonomy, tag): concept for taxonomy, tag, concept in concepts}


def _period(value: Value) -> Period | None:
    """The period of a value, None if it is that of a day."""
    if value.start and value.end and value.val is not None:
        return Period(value.start, value.end, value.val)
    return None


def _of_year(values: list[Value], end: date) -> int | None:
    return _first(round(year.amount) for year in annual(values) if year.end == end)


def _of_day(values: list[Value], end: date) -> int | None:
    """The value of a day, as filed last."""
    found = [round(value.val) for value in values if value.end == end and not value.start and value.val is not None]
    return found[-1] if found else None


def _first(amounts: Iterable[int | None]) -> int | None:
    return next((amount for amount in amounts if amount is not None), None)


def _is_near(day: date, other: date) -> bool:
    """Whether two fiscal years that begin on these days are the same: some end on a certain weekday."""
    return abs((day - other).days) <= SAME_START_DAYS
