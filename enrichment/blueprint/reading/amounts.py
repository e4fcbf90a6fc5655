"""
Expressions of size and money in a text: "50-500 employees", "over €20m in revenue", "raised $5M".
"""

from typing import Final

import msgspec

from enrichment.blueprint.reading.numbers import Bound, Measure, Number, Unit, amount_phrases, bound_after, number_at
from enrichment.blueprint.reading.words import DASHES, Word

DOTS: Final = frozenset({"..", "...", "…"})
COLONS: Final = frozenset(":(=")
MAX_FILLERS: Final = 2
MAX_EMPLOYEES: Final = 10_000_000
SMALLEST_SUM: Final = 10_000  # less than this, without a currency, is nobody's revenue
YEARS: Final = range(1_900, 2_101)
AROUND: Final = 0.2  # how far from a number alone one may be, and still be "around" it


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """
    The words from `first` to before `last`, and what they say.

    `guessed` is a sum of money of which the text does not say what it is.
    """

    first: int
    last: int
    minimum: int | None
    maximum: int | None
    measure: Measure
    currency: str | None
    confidence: float
    guessed: bool = False


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before a number: how it bounds it, and what it says is measured."""

    first: int
    bound: Bound | None = None
    between: bool = False
    lead: Unit | None = None


def read_amounts(words: list[Word], *, sized: bool = False) -> list[Amount]:
    """All sizes and sums of the text, in order. `sized`: in this text, a number alone is one of employees."""
    amounts: list[Amount] = []
    place = 0
    while place < len(words):
        place, amount = _amount_at(words, place, amounts[-1].last if amounts else 0, sized=sized)
        if amount:
            amounts.append(amount)
            amounts[-2:] = _joined(words, amounts[-2:])
    return amounts


def _amount_at(words: list[Word], place: int, taken: int, *, sized: bool) -> tuple[int, Amount | None]:
    """Where to read on, and the amount whose number begins here, if one does."""
    one = number_at(words, place)
    if one is None:
        return place + 1, None
    front = _front(words, place, taken)
    last, unit = _unit(words, one.last)
    two = _second(words, one.last, front)
    if two is None and unit and (two := _second(words, last, front)) and _unit(words, two.last)[1] != unit:
        two = None
    if two and front.bound and _ends(one, two)[0] > _ends(one, two)[1]:
        two = None
    if two:
        last, unit = _unit(words, two.last)
    stated = unit or front.lead
    if stated == "other":
        return last, None
    bound = front.bound or one.bound
    if unit and not bound:
        last, bound = bound_after(words, last)
    currency = one.currency or (two.currency if two else None)
    measure = stated or _guess(words, (front.first, last), two, currency=currency, sized=sized)
    if measure is None:
        return last, None
    minimum, maximum = _range(one, two, bound, two.bound if two else None, measure)
    if not _plausible(measure, minimum, maximum, currency):
        return last, None
    clear = two or bound
    return last, Amount(
        first=front.first,
        last=last,
        minimum=minimum,
        maximum=maximum,
        measure=measure,
        currency=currency,
        confidence=(0.95 if stated or sized else 0.5) if clear else 0.6 if stated or sized else 0.5,
        guessed=not stated and measure == "revenue",
    )


def _front(words: list[Word], place: int, taken: int) -> Front:
    """What stands before the number: "between", "over", and before that "revenue of", "raised", …"""
    phrases = amount_phrases()
    bound: Bound | None = None
    between = False
    while place > taken and _linked(words[place]):
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
        if start <= taken or not _linked(words[start]):
            break
        if (lead := phrases.leads.before(words, start)) and lead[0] >= taken:
            return Front(first=place if lead[1] == "other" else lead[0], bound=bound, between=between, lead=lead[1])
        if not (filler := phrases.fillers.before(words, start)):
            break
        start = filler[0]
    return Front(first=place, bound=bound, between=between)


def _second(words: list[Word], place: int, front: Front) -> Number | None:
    """The other end of a range: after a dash, "to", or "and" if "between" or bounds say that two ends are meant."""
    phrases = amount_phrases()
    if place >= len(words):
        return None
    if words[place].gap.strip() in DASHES | DOTS:
        return number_at(words, place)
    if words[place].near and (to := phrases.to.at(words, place)):
        return number_at(words, to[0])
    if not words[place].near or not (both := phrases.both.at(words, place)):
        return None
    bound = phrases.bounds.at(words, both[0])
    if bound and front.bound in ("lower", "above") and bound[1] in ("upper", "below"):
        return number_at(words, bound[0])
    return number_at(words, both[0]) if front.between else None


def _unit(words: list[Word], place: int) -> tuple[int, Unit | None]:
    """What is counted, said after the number ("employees", "in annual revenue"), and where those words end."""
    phrases = amount_phrases()
    here = place
    for _ in range(MAX_FILLERS + 1):
        if here >= len(words) or not _linked(words[here]):
            break
        if unit := phrases.units.at(words, here):
            return unit
        if not (filler := phrases.fillers.at(words, here)):
            break
        here = filler[0]
    return place, None


def _linked(word: Word) -> bool:
    """Whether a word belongs to the one before it: nothing, or a colon or bracket, lies between."""
    return word.near or (not word.ends and word.gap.strip() in COLONS)


def _guess(
    words: list[Word], span: tuple[int, int], two: Number | None, *, currency: str | None, sized: bool
) -> Measure | None:
    """What an amount measures of which the text does not say it: money is revenue, a range alone in a list is size."""
    if currency:
        return "revenue"
    first, last = span
    begins = words[first].ends or "," in words[first].gap
    alone = begins and (last >= len(words) or words[last].ends or "," in words[last].gap)
    return "employees" if sized or (alone and two and two.value not in YEARS) else None


def _range(
    one: Number, two: Number | None, bound: Bound | None, second: Bound | None, measure: Measure
) -> tuple[int | None, int | None]:
    """The two ends, both included. Of people there is a next number, of money there is none."""
    if two:
        small, large = _ends(one, two)
        return min(small, large), None if second == "lower" else max(small, large)
    amount = round(one.value * one.times)
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
    """Both numbers; in "10-50M" the first is in millions as well, in "50-1k" it is not in thousands."""
    times = two.times if one.times == 1 and one.value < two.value else one.times
    return round(one.value * times), round(two.value * two.times)


def _plausible(measure: Measure, minimum: int | None, maximum: int | None, currency: str | None) -> bool:
    """Whether it can be what it is taken for: people are not paid in, a company's money is no two-digit number."""
    largest = max(minimum or 0, maximum or 0)
    if measure == "employees":
        return currency is None and largest <= MAX_EMPLOYEES
    return currency is not None or largest >= SMALLEST_SUM


def _joined(words: list[Word], amounts: list[Amount]) -> list[Amount]:
    """Two amounts that are the two ends of one: "at least 50 employees and at most 500 employees"."""
    if len(amounts) < 2:
        return amounts
    low, high = amounts
    between = words[low.last : high.first]
    if (
        low.measure != high.measure
        or low.maximum is not None
        or high.minimum is not None
        or (low.minimum or 0) > (high.maximum or 0)
        or words[high.first].ends
        or not all(amount_phrases().both.at([word], 0) and not word.ends for word in between)
    ):
        return amounts
    return [msgspec.structs.replace(low, last=high.last, maximum=high.maximum)]
