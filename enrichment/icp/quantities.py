"""
Quantities: numbers, ranges and bounds with what they count, as "50-500 employees", "tra 5 e 20 Mio. €", "<$1M".
"""

import functools
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from enrichment.icp.text import Token
from enrichment.icp.vocabulary import load, vocabulary, words

GROUPED: Final = re.compile(r"\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+")
NOT_A_DIGIT: Final = re.compile(r"\D")
RANGE_SIGNS: Final = frozenset({"-", "~"})
MAX_FILLERS: Final = 3
YEARS: Final = range(1_800, 2_101)
AROUND: Final = 0.2  # "around 50" is 40 to 60
SHORT_MULTIPLIERS: Final = frozenset({"m", "b", "k", "mi", "bi", "cr", "t"})


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """
    A quantity in the tokens from `first` to before `last`. Both ends are included, and null if open.

    `unit` is a key of the units, "percent", or null if none is named; a currency is an ISO code, or empty if its sign
    is that of several.
    """

    first: int
    last: int
    low: float | None
    high: float | None
    unit: str | None = None
    currency: str | None = None
    is_exact: bool = False
    is_range: bool = False
    is_strict: bool = False
    """Whether an end that is written is not included: "more than 50"."""


class Number(NamedTuple):
    """A number that ends before `last`; `bound` is that of a sign after it: "50+"."""

    last: int
    value: float
    multiplier: float
    currency: str | None
    bound: str | None
    is_year: bool
    is_percent: bool = False


@functools.cache
def _numbers() -> tuple[dict[str, float], dict[str, float]]:
    """The multipliers, and the numbers in words."""
    file = load("numbers")
    return file["multipliers"], file["numbers"]


def quantity_at(tokens: Sequence[Token], first: int, language: str) -> Quantity | None:
    """Parse the quantity that starts at a position, with the bounds before it and the unit after it."""
    place, bound, between, around = _prefix(tokens, first)
    one = _number(tokens, place, language)
    if one is None:
        return None
    two = _range_end(tokens, one, between=between, bound=bound, language=language)
    last = two.last if two else one.last
    money = one.currency is not None or bool(two and two.currency is not None)
    unit, last = _unit(tokens, last, percent=one.is_percent or bool(two and two.is_percent), money=money)
    if two and unit is None:
        unit, _ = _unit(
            tokens, one.last, percent=one.is_percent, money=money
        )  # "at least 50 employees and at most 500"
    after = None if one.bound else _bound_after(tokens, last)
    if after and not two:
        last, one = after[0], one._replace(bound=after[1])
    currency = one.currency if one.currency is not None or two is None else two.currency
    bound = bound or one.bound
    is_bare = unit is None and currency is None and not (one.multiplier > 1 or two or bound)
    if is_bare and not tokens[place].norm[0].isdigit():
        return None  # "one of"
    low, high = _ends(one, two, bound, two.bound if two else None)
    if around and low is not None and low == high:
        low, high = round(low * (1 - AROUND)), round(low * (1 + AROUND))
    return Quantity(
        first=first,
        last=last,
        low=low,
        high=high,
        unit=unit,
        currency=currency,
        is_exact=not (two or bound or around),
        is_range=two is not None,
        is_strict=bound in ("above", "below") and not two,
    )


def _prefix(tokens: Sequence[Token], first: int) -> tuple[int, str | None, bool, bool]:
    """Parse "between", "over" and "around" before a number: the place of the number, the bound and what was found."""
    place, bound, between, around = first, None, False, False
    while place < len(tokens):
        if found := vocabulary().at(tokens, place, kind="bound"):
            bound = bound or found[1][0].id
        elif found := vocabulary().at(tokens, place, kind="between"):
            between = True
        elif tokens[place].text != "CA" and (found := vocabulary().at(tokens, place, kind="around")):
            around = True
        else:
            break
        place = found[0]
    if between and bound is None and place > first and tokens[first].norm in ("from", "ab", "von", "de", "od", "vanaf"):
        bound = "lower"
    return place, bound, between, around


def _number(tokens: Sequence[Token], first: int, language: str) -> Number | None:
    """Parse a number with its multiplier, its currency before or after it, and the sign of a bound."""
    currency, place = None, first
    if before := vocabulary().at(tokens, place, kind="currency"):
        place, currency = before[0], before[1][0].id
    if place >= len(tokens) or (tokens[place].line and place > first):
        return None
    multipliers, words = _numbers()
    norm = tokens[place].norm
    if tokens[place].kind == "number":
        value = _value(norm)
    elif norm in words and not (norm == "one" and currency is None):
        value = words[norm]
    else:
        return None
    digits = norm[0].isdigit()
    if _is_filing(tokens, place):
        return None
    place, multiplier = place + 1, 1.0
    for _ in range(2):
        step = _multiplier(tokens, place, language, currency, multipliers)
        if not step:
            break
        multiplier *= step
        place += 1
    if multiplier > 1 and place < len(tokens) and tokens[place].norm == "." and not tokens[place].space:
        place += 1
    place, currency = _currency_after(tokens, place, currency)
    is_percent = place < len(tokens) and tokens[place].norm in ("%", "percent", "prozent", "pct")
    place += is_percent
    place, bound = after if (after := _bound_after(tokens, place)) else (place, None)
    place, currency = _currency_after(tokens, place, currency)
    is_year = digits and multiplier == 1 and len(norm) == 4 and value in YEARS and currency is None
    return Number(place, value, multiplier, currency, bound, is_year, is_percent)


def _value(norm: str) -> float:
    if GROUPED.fullmatch(norm):
        return float(NOT_A_DIGIT.sub("", norm))
    return float(norm.replace(",", "."))


def _multiplier(
    tokens: Sequence[Token], place: int, language: str, currency: str | None, multipliers: dict[str, float]
) -> float:
    """The multiplier at a position, or 0. Short ones are attached to the number, or go with a currency."""
    if place >= len(tokens) or tokens[place].line:
        return 0
    norm = tokens[place].norm
    if norm not in multipliers or (
        norm in SHORT_MULTIPLIERS and tokens[place].space and currency is None and norm != "m"
    ):
        return 0
    if norm in ("mi", "bi", "cr") and currency is None:
        return 0
    if norm == "mil" and language == "en":
        return 1_000_000
    return multipliers[norm]


def _is_filing(tokens: Sequence[Token], place: int) -> bool:
    """Whether a number is that of an SEC form: "10-K"."""
    after = tokens[place + 1 : place + 3]
    return len(after) == 2 and after[0].norm == "-" and not after[1].space and after[1].norm in ("k", "q", "ks", "qs")


def _currency_after(tokens: Sequence[Token], place: int, currency: str | None) -> tuple[int, str | None]:
    after = vocabulary().at(tokens, place, kind="currency") if currency is None else None
    return (after[0], after[1][0].id) if after and not tokens[place].line else (place, currency)


def _bound_after(tokens: Sequence[Token], place: int) -> tuple[int, str] | None:
    """Parse "+" or "or more", unless another number follows, which it then belongs to: "50 or over 10,000"."""
    after = vocabulary().at(tokens, place, kind="bound_after")
    if after is None or tokens[place].line:
        return None
    follows = tokens[after[0]] if after[0] < len(tokens) else None
    if follows and follows.kind == "number" and tokens[place].norm != "+":
        return None
    return after[0], after[1][0].id


def _range_end(
    tokens: Sequence[Token], one: Number, *, between: bool, bound: str | None, language: str
) -> Number | None:
    """Parse the second number of a range: after a dash or "to", or after "and" if "between" or a bound is before it."""
    place = one.last
    if place >= len(tokens) or tokens[place].line:
        return None
    if tokens[place].norm in RANGE_SIGNS:
        return _number(tokens, place + 1, language)
    if to := vocabulary().at(tokens, place, kind="to"):
        return _number(tokens, to[0], language)
    if between and (both := vocabulary().at(tokens, place, kind="both")):
        return _number(tokens, both[0], language)
    return _upper_bound(tokens, one, bound, language)


def _upper_bound(tokens: Sequence[Token], one: Number, bound: str | None, language: str) -> Number | None:
    """Parse the other end after a unit or a lower bound: "100 employees to 500", "at least 50 and at most 500"."""
    unit, after = _unit(tokens, one.last, percent=False)
    is_lower = "lower" in (bound, one.bound) or "above" in (bound, one.bound)
    join = vocabulary().at(tokens, after, kind="both") if is_lower else None
    to = vocabulary().at(tokens, after, kind="to") if unit else None
    if join is None and to is None:
        return None
    start = join[0] if join else to[0] if to else after
    end, upper, _, _ = _prefix(tokens, start)
    if upper not in ("upper", "below") and not (to and upper is None and end == start):
        return None
    number = _number(tokens, end, language)
    return number._replace(bound=upper) if number and _counts_same(tokens, one, unit, number) else None


def _counts_same(tokens: Sequence[Token], one: Number, unit: str | None, two: Number) -> bool:
    """Whether two numbers count the same: not "more than 1M visitors but fewer than 200 people"."""
    other, _ = _unit(tokens, two.last, percent=two.is_percent, money=two.currency is not None)
    if unit is not None and other is not None:
        return unit == other
    if one.currency is None and two.currency is None:
        return True
    return (one.currency is not None or unit is None) and (two.currency is not None or other is None)


def _unit(tokens: Sequence[Token], place: int, *, percent: bool, money: bool = False) -> tuple[str | None, int]:
    """Parse the unit after a number, past a few words between the two: its name, and its end."""
    here = place
    for _ in range(MAX_FILLERS + 1):
        if here >= len(tokens) or tokens[here].line:
            break
        if found := vocabulary().at(tokens, here, kind="unit"):
            unit = found[1][0].id
            if found[1][0].spelling == "sales" and not money:
                return None, place
            return ("percent_of_other" if percent and unit != "growth" else unit), found[0]
        if tokens[here].norm not in words("fillers"):
            break
        here += 1
    return ("percent" if percent else None), place


def _ends(one: Number, two: Number | None, bound: str | None, second: str | None) -> tuple[float | None, float | None]:
    """Compute both ends. The multiplier of the second number is that of the first, too, in "10-50M"."""
    if two:
        shared = one.multiplier == 1 and one.value < two.value and two.multiplier > 1
        low, high = one.value * (two.multiplier if shared else one.multiplier), two.value * two.multiplier
        return min(low, high), None if second == "lower" else max(low, high)
    amount = one.value * one.multiplier
    if bound in ("lower", "above"):
        return amount, None
    return (None, amount) if bound in ("upper", "below") else (amount, amount)
