"""
Drafts: conditions while a text is read, before they are grouped, checked and numbered.
"""

from typing import Any, Final, Literal

import msgspec

from schemas import ConditionAbout, ConditionOperator, ConditionValue, Measure, PlaceKind, Reading, Strength

Connector = Literal["or", "and", ",", ""]
"How a mention follows the one before: as an alternative, in addition, in a list, or directly."

UNITS: Final[dict[Measure, str]] = {
    Measure.HEADCOUNT: "employees",
    Measure.DEPARTMENT_HEADCOUNT: "employees",
    Measure.LOCATIONS_COUNT: "locations",
    Measure.TRAFFIC: "visits a month",
    Measure.RATING: "stars",
    Measure.GROWTH: "percent a year",
    Measure.FOUNDED: "year",
}
A_YEAR: Final = frozenset({Measure.REVENUE, Measure.RECURRING_REVENUE})
MONEY: Final = A_YEAR | {Measure.FUNDING_RAISED, Measure.LAST_ROUND}
YEARS_OLD: Final = "years since"


class Draft(msgspec.Struct, kw_only=True):
    """
    A condition that was read from the tokens `first` to before `last`.

    `sentence` and `chunk` count the sentences of the text, and the parts between commas; `segment` is the number of the
    segment of customers, if the text tells several apart. Of several possible `readings` the first one is assumed.
    """

    measure: Measure
    operator: ConditionOperator
    value: ConditionValue
    label: str
    first: int
    last: int
    confidence: float
    strength: Strength = "must"
    codes: tuple[str, ...] = ()
    kind: PlaceKind | None = None
    unit: str | None = None
    currency: str | None = None
    about: ConditionAbout = ConditionAbout()
    sentence: int = 0
    chunk: int = 0
    segment: int = 0
    connector: Connector = ""
    is_next: bool = False
    """Whether only words of the grammar are between it and the one before it, and no comma."""
    is_within: bool = False
    """Whether it is a place that is named in brackets after the one that it lies in: "Spain (Madrid)"."""
    negator: int = -1
    """Number of the negation that excludes it; -1 without."""
    readings: tuple[Reading, ...] = ()
    narrower: bool = False
    """Whether its words name only a part of what it says: "home builders" of construction."""
    dropped: bool = False
    key: tuple[object, ...] = ()
    """What the conditions of its group have in common."""

    def about_with(self, **values: Any) -> None:
        """Add to what it is about."""
        self.about = msgspec.structs.replace(self.about, **values)


class Doubt(msgspec.Struct, kw_only=True):
    """A passage that can mean several things, and of which no condition is made."""

    first: int
    last: int
    readings: tuple[Reading, ...]


def number_draft(
    measure: Measure, low: float | None, high: float | None, *, first: int, last: int, confidence: float,
    currency: str | None = None, unit: str | None = None, strict: bool = False,
) -> Draft:  # fmt: skip
    """A condition on a number. A strict end of a whole number moves by one: "more than 50" begins at 51."""
    whole = measure not in MONEY | {Measure.RATING, Measure.GROWTH, Measure.TRAFFIC, Measure.RANK}
    ends = [None if end is None else int(end) if end == int(end) else round(end, 6) for end in (low, high)]
    if strict and whole:
        ends = [None if ends[0] is None else ends[0] + 1, None if ends[1] is None else max(0, ends[1] - 1)]
    small, large = ends
    unit = unit or (
        f"{currency or 'money'} a year" if measure in A_YEAR else currency if measure in MONEY else UNITS.get(measure)
    )
    operator: ConditionOperator
    value: ConditionValue
    if small is not None and large is not None:
        operator, value = ("eq", small) if small == large else ("between", (small, large))
    elif large is not None:
        operator, value = "lte", large
    else:
        operator, value = "gte", small if small is not None else 0
    label = number_label(operator, value, unit if measure not in MONEY else None, currency, measure)
    return Draft(
        measure=measure, operator=operator, value=value, label=label, first=first, last=last, confidence=confidence,
        currency=currency, unit=unit,
    )  # fmt: skip


def number_label(
    operator: ConditionOperator, value: ConditionValue, unit: str | None, currency: str | None, measure: Measure
) -> str:
    """A number in words: "50-500 employees", "up to USD 5M revenue", "2015 or later"."""

    def shown(number: object) -> str:
        if measure not in MONEY:
            return str(number)
        for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
            if isinstance(number, (int, float)) and number >= size and (number * 100) % size == 0:
                return f"{number / size:g}{letter}"
        return str(number)

    what = {Measure.FUNDING_RAISED: "raised", Measure.LAST_ROUND: "in the last round", Measure.RECURRING_REVENUE: "ARR",
            Measure.REVENUE: "revenue", Measure.FOUNDED: "" if unit == "year" else "years old", Measure.RANK: "in rank"}  # fmt: skip
    tail = what.get(measure, unit or "")
    money = f"{currency} " if currency else ""
    if isinstance(value, tuple):
        words = f"{money}{shown(value[0])}-{shown(value[1])}"
    elif measure is Measure.FOUNDED and unit == "year":
        words = {"gte": f"founded in {value} or later", "lte": f"founded in {value} or earlier"}.get(
            operator, f"founded in {value}"
        )
    else:
        words = {"gte": f"{money}{shown(value)} or more", "lte": f"up to {money}{shown(value)}"}.get(
            operator, f"{money}{shown(value)}"
        )
    return f"{words} {tail}".strip()
