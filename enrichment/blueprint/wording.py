"""
Values in words: "200-1000", "USD 10M-50M", "Germany (DE) or Austria (AT)".
"""

from collections.abc import Sequence
from typing import Final

MULTIPLIERS: Final = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"))
MAX_NAMED: Final = 6  # items of a list


def join_alternatives(words: Sequence[str]) -> str:
    """Join words: "a, b or c"."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def join_some(words: Sequence[str]) -> str:
    """Join words, and shorten a long list: "a, b, c, d or 9 others"."""
    if len(words) <= MAX_NAMED:
        return join_alternatives(words)
    return join_alternatives([*words[: MAX_NAMED - 2], f"{len(words) - MAX_NAMED + 2} others"])


def format_number(value: float) -> str:
    """Format a number with thousands separators: "1,234,567", "3.8"."""
    return f"{value:,}".removesuffix(".0")


def format_amount(value: int) -> str:
    """Format an amount in the short form if that is exact: 1,500,000 is "1.5M", but 1,234,567 is not shortened."""
    for size, letter in MULTIPLIERS:
        if value >= size and value % (size // 100) == 0:
            return f"{value / size:.2f}".rstrip("0").rstrip(".") + letter
    return format_number(value)


def format_range(minimum: int | None, maximum: int | None, *, currency: str | None) -> str:
    """Format a range, of money if there is a currency: "200-1000", "200 or more", "up to USD 50M"."""
    low, high = (None if end is None else format_amount(end) if currency else str(end) for end in (minimum, maximum))
    words = f"up to {high}" if low is None else f"{low} or more" if high is None else low
    if low and high and low != high:
        words = f"{low}-{high}"
    if not currency:
        return words
    return f"up to {currency} {high}" if low is None else f"{currency} {words}"
