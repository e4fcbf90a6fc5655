"""
How filters read: "200-1000 employees", "USD 10M-50M in annual revenue", "head office in DACH (AT, CH, DE)".
"""

from collections.abc import Sequence
from typing import Final

from enrichment.blueprint.values import CataloguePoint, Filter, Operator, Value

STEPS: Final = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"))
MAX_NAMED: Final = 6  # entries of a list that are named one by one
RULE_OUT: Final = ("not_in", "not_within_days")


def either(words: Sequence[str]) -> str:
    """The words as alternatives: "a, b or c"."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def some(words: Sequence[str]) -> str:
    """As `either`, but a long list is cut, and says so."""
    if len(words) <= MAX_NAMED:
        return either(words)
    return either([*words[: MAX_NAMED - 2], f"{len(words) - MAX_NAMED + 2} others"])


def number(value: float) -> str:
    """With its thousands told apart, without a fraction that is none."""
    return f"{value:,}".removesuffix(".0")


def amount(value: int) -> str:
    """Short where that is exact: 1,500,000 is "1.5M", and 1,234,567 stays."""
    for size, letter in STEPS:
        if value >= size and value % (size // 100) == 0:
            return f"{value / size:.2f}".rstrip("0").rstrip(".") + letter
    return number(value)


def span(minimum: int | None, maximum: int | None, *, currency: str | None) -> str:
    """A range with open ends: "200-1000", "200 or more", "up to 50"; money with its currency."""
    low, high = (None if end is None else amount(end) if currency else str(end) for end in (minimum, maximum))
    words = f"up to {high}" if low is None else f"{low} or more" if high is None else low
    if low and high and low != high:
        words = f"{low}-{high}"
    if not currency:
        return words
    return f"up to {currency} {high}" if low is None else f"{currency} {words}"


def condition(
    point: CataloguePoint, operator: Operator, value: Value, words: str, *, unit: str | None = None
) -> Filter:
    """The point's filter with this value, told by its template; what it rules out is told as such."""
    text = point.filter_template.format(value=words)
    if operator in RULE_OUT or (operator == "eq" and value is False):
        text = f"excluded: {text}"
    return Filter(field=point.filter_field, operator=operator, value=value, unit=unit or point.filter_unit, text=text)
