"""
Drafts: conditions while a text is read, before they are grouped, checked and numbered.
"""

from typing import Any, Final, Literal, Protocol

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
"Unit of `founded`, if it is an age."
NOUNS: Final = {
    Measure.FUNDING_RAISED: "raised",
    Measure.LAST_ROUND: "in the last round",
    Measure.RECURRING_REVENUE: "ARR",
    Measure.REVENUE: "revenue",
    Measure.FOUNDED: "years old",
    Measure.RANK: "in rank",
}
LATER: Final = {"gte": " or later", "lte": " or earlier"}
STRICT: Final = frozenset({Measure.HEADCOUNT, Measure.DEPARTMENT_HEADCOUNT, Measure.LOCATIONS_COUNT, Measure.FOUNDED})
"Measures of whole numbers that are written out."


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
    alternative: str | None = None
    """The words after "or" that the reader does not know: "SaaS or widgets"; None without."""
    narrower: bool = False
    """Whether its words name only a part of what it says: "home builders" of construction."""
    about: ConditionAbout = ConditionAbout()
    sentence: int = 0
    chunk: int = 0
    segment: int = 0
    connector: Connector = ""
    is_next: bool = False
    """Whether only words of the grammar are between it and the one before it, and no comma."""
    is_within: bool = False
    """Whether it is a place that is named in brackets after the one that it lies in: "Spain (Madrid)"."""
    level: str = ""
    """The kind of a place that contains others named beside it: the country of "German firms in Bavaria or Hesse"."""
    negator: int = -1
    """Number of the negation that excludes it; -1 without."""
    readings: tuple[Reading, ...] = ()
    in_words: bool = False
    """Whether it is a size in words: "mid-market"."""
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


def family(measure: Measure) -> Measure:
    """The measure that stands for those of one kind: products and categories of products."""
    return Measure.TECHNOLOGY if measure is Measure.TECHNOLOGY_CATEGORY else measure


class Passage(Protocol):
    """A mention, or anything else that takes the tokens from `first` to before `last`."""

    @property
    def first(self) -> int:
        """The first token."""

    @property
    def last(self) -> int:
        """The token after the last one."""


def reading(measure: Measure | None, label: str, value: str | None = None) -> Reading:
    """One of several possible meanings."""
    return Reading(measure=measure, label=label, value=value)


def number_draft(
    measure: Measure,
    low: float | None,
    high: float | None,
    passage: Passage,
    confidence: float,
    *,
    currency: str | None = None,
    unit: str | None = None,
    strict: bool = False,
) -> Draft:
    """A condition on a number. A strict end of a whole number moves by one: "more than 50" begins at 51."""
    small, large = (None if end is None else int(end) if end == int(end) else round(end, 6) for end in (low, high))
    if strict and measure in STRICT:
        small = None if small is None else small + 1
        large = None if large is None else max(0, large - 1)
    operator: ConditionOperator = "gte" if large is None else "lte" if small is None else "between"
    value: ConditionValue = (small or 0) if large is None else large if small is None else (small, large)
    if small == large and small is not None:
        operator, value = "eq", small
    unit = unit or unit_of(measure, currency)
    return Draft(
        measure=measure,
        operator=operator,
        value=value,
        label=number_label(measure, operator, value, currency, unit),
        first=passage.first,
        last=passage.last,
        confidence=confidence,
        currency=currency,
        unit=unit,
    )


def unit_of(measure: Measure, currency: str | None) -> str | None:
    """The unit of a number: "employees", "USD a year"."""
    if measure in A_YEAR:
        return f"{currency or 'money'} a year"
    return currency if measure in MONEY else UNITS.get(measure)


def number_label(
    measure: Measure, operator: ConditionOperator, value: ConditionValue, currency: str | None, unit: str | None
) -> str:
    """A number in words: "50-500 employees", "up to USD 5M revenue", "founded in 2015 or later"."""
    if measure is Measure.FOUNDED and unit == UNITS[measure] and not isinstance(value, tuple):
        return f"founded in {value}{LATER.get(operator, '')}"
    money = f"{currency} " if currency else ""
    if isinstance(value, tuple):
        words = f"{money}{_shown(value[0], measure)}-{_shown(value[1], measure)}"
    else:
        number = f"{money}{_shown(value, measure)}"
        words = {"gte": f"{number} or more", "lte": f"up to {number}"}.get(operator, number)
    return f"{words} {NOUNS.get(measure, unit or '')}".strip()


def _shown(number: object, measure: Measure) -> str:
    """A number, and an amount of money in the short form if that is exact: "1.5M"."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if measure in MONEY and isinstance(number, (int, float)) and number >= size and number * 100 % size == 0:
            return f"{number / size:g}{letter}"
    return str(number)
