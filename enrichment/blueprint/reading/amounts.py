"""
Amounts in a text, of employees and of money: "50-500 employees", "over €20m in revenue", "raised $5M".
"""

from typing import Final

import msgspec

from enrichment.blueprint.reading.numbers import Bound, Number, Unit, amount_phrases, bound_after, number_at
from enrichment.blueprint.reading.words import DASHES, Word
from schemas import RangeMeasure

DOTS: Final = frozenset({"..", "...", "…"})
COLONS: Final = frozenset(":(=")
MAX_FILLERS: Final = 2
MAX_EMPLOYEES: Final = 10_000_000
SMALLEST_SUM: Final = 10_000  # a smaller number without a currency is not taken as revenue
YEARS: Final = range(1_900, 2_101)
AROUND: Final = 0.2  # a single number stands for a range of ± 20 %


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """
    An amount in the words from `first` to before `last`.

    `guessed` is true for money if the text does not state what it measures.
    """

    first: int
    last: int
    minimum: int | None
    maximum: int | None
    measure: RangeMeasure
    currency: str | None
    confidence: float
    guessed: bool = False


class Prefix(msgspec.Struct, frozen=True, kw_only=True):
    """The expressions before a number: a bound, and what is measured. They start with word `first`."""

    first: int
    bound: Bound | None = None
    between: bool = False
    lead: Unit | None = None


def read_amounts(words: list[Word], *, is_size_field: bool = False) -> list[Amount]:
    """Find all amounts, in order. In a size field, a number without a unit counts employees."""
    amounts: list[Amount] = []
    place = 0
    while place < len(words):
        place, amount = _amount_at(words, place, amounts[-1].last if amounts else 0, is_size_field=is_size_field)
        if amount:
            amounts.append(amount)
            amounts[-2:] = _merged(words, amounts[-2:])
    return amounts


def _amount_at(words: list[Word], place: int, taken: int, *, is_size_field: bool) -> tuple[int, Amount | None]:
    """Parse the amount whose number starts at a position; return the position to continue from and the amount."""
    one = number_at(words, place)
    if one is None:
        return place + 1, None
    prefix = _prefix(words, place, taken)
    last, unit = _unit(words, one.last)
    two = _range_end(words, one.last, prefix)
    if two is None and unit and (two := _range_end(words, last, prefix)) and _unit(words, two.last)[1] != unit:
        two = None
    if two and prefix.bound and _ends(one, two)[0] > _ends(one, two)[1]:
        two = None
    if two:
        last, unit = _unit(words, two.last)
    stated = unit or prefix.lead
    if stated == "other":
        return last, None
    bound = prefix.bound or one.bound
    if unit and not bound:
        last, bound = bound_after(words, last)
    currency = one.currency or (two.currency if two else None)
    measure = stated or _guess_measure(words, (prefix.first, last), two, currency=currency, is_size_field=is_size_field)
    if measure is None:
        return last, None
    minimum, maximum = _range(one, two, bound, two.bound if two else None, measure)
    if not _is_plausible(measure, minimum, maximum, currency):
        return last, None
    clear = two or bound
    return last, Amount(
        first=prefix.first,
        last=last,
        minimum=minimum,
        maximum=maximum,
        measure=measure,
        currency=currency,
        confidence=(0.95 if stated or is_size_field else 0.5) if clear else 0.6 if stated or is_size_field else 0.5,
        guessed=not stated and measure == "revenue",
    )


def _prefix(words: list[Word], place: int, taken: int) -> Prefix:
    """Parse the expressions before a number: "between", "over", and before these "revenue of", "raised", …"""
    phrases = amount_phrases()
    bound: Bound | None = None
    between = False
    while place > taken and _is_attached(words[place]):
        from_ = phrases.between.before(words, place)
        bounding = phrases.bounds.before(words, place)
        around = phrases.around.before(words, place)
        if not (starts := [found[0] for found in (from_, bounding, around) if found and found[0] >= taken]):
            break
        place = min(starts)
        between = between or bool(from_)
        bound = bounding[1] if bounding else bound
    start = place
    for _ in range(MAX_FILLERS + 1):
        if start <= taken or not _is_attached(words[start]):
            break
        if (lead := phrases.leads.before(words, start)) and lead[0] >= taken:
            return Prefix(first=place if lead[1] == "other" else lead[0], bound=bound, between=between, lead=lead[1])
        if not (filler := phrases.fillers.before(words, start)):
            break
        start = filler[0]
    return Prefix(first=place, bound=bound, between=between)


def _range_end(words: list[Word], place: int, prefix: Prefix) -> Number | None:
    """Parse the upper end of a range after a dash or "to", or after "and" if "between" or bounds precede it."""
    phrases = amount_phrases()
    if place >= len(words):
        return None
    if words[place].gap.strip() in DASHES | DOTS:
        return number_at(words, place)
    if words[place].adjacent and (to := phrases.to.at(words, place)):
        return number_at(words, to[0])
    if not words[place].adjacent or not (both := phrases.both.at(words, place)):
        return None
    bound = phrases.bounds.at(words, both[0])
    if bound and prefix.bound in ("lower", "above") and bound[1] in ("upper", "below"):
        return number_at(words, bound[0])
    return number_at(words, both[0]) if prefix.between else None


def _unit(words: list[Word], place: int) -> tuple[int, Unit | None]:
    """Parse the unit after a number ("employees", "in annual revenue"); return its end and the unit."""
    phrases = amount_phrases()
    here = place
    for _ in range(MAX_FILLERS + 1):
        if here >= len(words) or not _is_attached(words[here]):
            break
        if unit := phrases.units.at(words, here):
            return unit
        if not (filler := phrases.fillers.at(words, here)):
            break
        here = filler[0]
    return place, None


def _is_attached(word: Word) -> bool:
    """Whether a word follows the previous one directly, or after a colon or an opening bracket."""
    return word.adjacent or (not word.after_break and word.gap.strip() in COLONS)


def _guess_measure(
    words: list[Word], span: tuple[int, int], two: Number | None, *, currency: str | None, is_size_field: bool
) -> RangeMeasure | None:
    """Guess what an amount measures: money is revenue; a range on its own, as in a list, is a number of employees."""
    if currency:
        return "revenue"
    first, last = span
    begins = words[first].after_break or "," in words[first].gap
    alone = begins and (last >= len(words) or words[last].after_break or "," in words[last].gap)
    return "employees" if is_size_field or (alone and two and two.value not in YEARS) else None


def _range(
    one: Number, two: Number | None, bound: Bound | None, second: Bound | None, measure: RangeMeasure
) -> tuple[int | None, int | None]:
    """Compute both ends, inclusive. "Over 50" starts at 51 for employees, and at 50 for money."""
    if two:
        small, large = _ends(one, two)
        return min(small, large), None if second == "lower" else max(small, large)
    amount = round(one.value * one.multiplier)
    step = int(measure == "employees")
    if bound is None and measure == "funding":
        return amount, None
    if bound is None:
        return round(amount * (1 - AROUND)), round(amount * (1 + AROUND))
    return {
        "lower": (amount, None),
        "above": (amount + step, None),
        "upper": (None, amount),
        "below": (None, max(0, amount - step)),
    }[bound]


def _ends(one: Number, two: Number) -> tuple[int, int]:
    """Compute both values. The multiplier applies to both in "10-50M", but only to the second in "50-1k"."""
    multiplier = two.multiplier if one.multiplier == 1 and one.value < two.value else one.multiplier
    return round(one.value * multiplier), round(two.value * two.multiplier)


def _is_plausible(measure: RangeMeasure, minimum: int | None, maximum: int | None, currency: str | None) -> bool:
    """Whether the amount is in the usual range of its measure; employees have no currency."""
    largest = max(minimum or 0, maximum or 0)
    if measure == "employees":
        return currency is None and largest <= MAX_EMPLOYEES
    return currency is not None or largest >= SMALLEST_SUM


def _merged(words: list[Word], amounts: list[Amount]) -> list[Amount]:
    """Merge two amounts if they are the two ends of a range: "at least 50 employees and at most 500 employees"."""
    if len(amounts) < 2:
        return amounts
    low, high = amounts
    between = words[low.last : high.first]
    if (
        low.measure != high.measure
        or low.maximum is not None
        or high.minimum is not None
        or (low.minimum or 0) > (high.maximum or 0)
        or words[high.first].after_break
        or not all(amount_phrases().both.at([word], 0) and not word.after_break for word in between)
    ):
        return amounts
    return [msgspec.structs.replace(low, last=high.last, maximum=high.maximum)]
