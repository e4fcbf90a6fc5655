"""
The criteria of a profile by topic, as the choice of data points takes them.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from enrichment.icp.vocabulary import Entry, Kind, vocabulary
from schemas import Condition, CustomerProfile, Measure, PlaceKind

RangeMeasure = Literal["employees", "revenue", "arr", "funding"]


class FoundInProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The passage that a criterion was read from, and the condition: its id, its group, and whether it is a wish."""

    field: str
    text: str
    start: int
    end: int
    confidence: float
    index: int = 0
    wish: bool = False
    condition: str = ""
    any_of: int = 0


class ProfileIndustry(msgspec.Struct, frozen=True, kw_only=True):
    """An industry, with its NAICS codes."""

    id: str
    name: str
    naics: tuple[str, ...]
    excluded: bool = False
    found: FoundInProfile


class ProfileRange(msgspec.Struct, frozen=True, kw_only=True):
    """A range of employees or of money. Both ends are included, and null if they are open."""

    measure: RangeMeasure = "employees"
    minimum: int | None
    maximum: int | None
    currency: str | None = None
    excluded: bool = False
    found: FoundInProfile


class ProfilePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place, and the countries that it consists of or lies in."""

    name: str
    kind: PlaceKind = "country"
    countries: tuple[str, ...]
    excluded: bool = False
    found: FoundInProfile


class ProfileTechnology(msgspec.Struct, frozen=True, kw_only=True):
    """A product, or a category of products if `name` is null."""

    name: str | None
    category: str
    excluded: bool = False
    found: FoundInProfile


class ProfilePersona(msgspec.Struct, frozen=True, kw_only=True):
    """A role to contact, with its department."""

    title: str
    department: str
    excluded: bool = False
    found: FoundInProfile


class ProfileFunding(msgspec.Struct, frozen=True, kw_only=True):
    """A funding stage, or a kind of ownership."""

    stage: str
    name: str
    excluded: bool = False
    found: FoundInProfile


class ProfileSignal(msgspec.Struct, frozen=True, kw_only=True):
    """A buying signal or a business model."""

    id: str
    name: str
    within_days: int | None = None
    is_specific: bool = False
    """Whether the name says more than the id: a role, a place, a product."""
    excluded: bool = False
    found: FoundInProfile


class ProfileNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A range of the number of a data point, with its unit and words. Both ends are included, and null if open."""

    point: str
    minimum: int | None
    maximum: int | None
    unit: str
    label: str
    excluded: bool = False
    found: FoundInProfile


Entity = (
    ProfileNumber
    | ProfileIndustry
    | ProfileRange
    | ProfilePlace
    | ProfileTechnology
    | ProfilePersona
    | ProfileFunding
    | ProfileSignal
)


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a profile by topic."""

    industries: tuple[ProfileIndustry, ...] = ()
    company_size: tuple[ProfileRange, ...] = ()
    revenue: tuple[ProfileRange, ...] = ()
    geographies: tuple[ProfilePlace, ...] = ()
    technologies: tuple[ProfileTechnology, ...] = ()
    personas: tuple[ProfilePersona, ...] = ()
    funding: tuple[ProfileFunding, ...] = ()
    funding_amount: tuple[ProfileRange, ...] = ()
    signals: tuple[ProfileSignal, ...] = ()
    business_models: tuple[ProfileSignal, ...] = ()
    numbers: tuple[ProfileNumber, ...] = ()


RANGES: Final[dict[Measure, tuple[str, RangeMeasure]]] = {
    Measure.HEADCOUNT: ("company_size", "employees"),
    Measure.REVENUE: ("revenue", "revenue"),
    Measure.RECURRING_REVENUE: ("revenue", "arr"),
    Measure.FUNDING_RAISED: ("funding_amount", "funding"),
}
SIGNALS: Final[dict[Measure, str]] = {
    Measure.HIRING: "hiring",
    Measure.LAST_ROUND: "funding_round",
    Measure.LEADERSHIP_CHANGE: "leadership_change",
    Measure.LAYOFFS: "layoffs",
    Measure.EXPANSION: "expansion",
    Measure.ACQUISITION: "acquisition",
    Measure.IPO: "ipo",
    Measure.PRODUCT_LAUNCH: "product_launch",
    Measure.PARTNERSHIP: "partnership",
    Measure.EVENT: "event_attendance",
    Measure.NEWS: "news",
    Measure.TECHNOLOGY_CHANGE: "tech_change",
    Measure.GROWTH: "growth",
}
NUMBERS: Final[dict[Measure, str]] = {
    Measure.FOUNDED: "company_age",
    Measure.LOCATIONS_COUNT: "store_count",
    Measure.TRAFFIC: "traffic_volume",
    Measure.DEPARTMENT_HEADCOUNT: "department_headcounts",
}
"Ids of the data points that are about the number of a measure."

GROWTH_POINTS: Final = {"revenue": "revenue_growth", "headcount": "headcount_growth", "traffic": "traffic_growth"}
"Ids of the data points by what grows."


def criteria_of(profile: CustomerProfile) -> Criteria:
    """The conditions of a profile by topic. Those that no data point is about are left out."""
    fields: dict[str, list[Entity]] = {}
    for condition in profile.conditions:
        for field, entity in _entities(condition):
            fields.setdefault(field, []).append(entity)
    return Criteria(**{field: tuple(entities) for field, entities in fields.items()})  # type: ignore[arg-type]


def without_point(profile: CustomerProfile) -> tuple[Condition, ...]:
    """The conditions of a profile that no data point is about."""
    return tuple(condition for condition in profile.conditions if not list(_entities(condition)))


def _entities(condition: Condition) -> Iterator[tuple[str, Entity]]:
    """The entities of a condition, each with its field of `Criteria`."""
    found, excluded, measure = _found(condition), condition.strength == "must_not", condition.measure
    number = _number(condition, found, excluded=excluded)
    if number:
        yield "numbers", number
    elif measure in RANGES:
        yield _range(condition, found, excluded=excluded)
    elif measure in SIGNALS or measure in (Measure.SIGNAL, Measure.BUSINESS_MODEL):
        yield _signal(condition, found, excluded=excluded)
    elif measure in (Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY):
        yield "technologies", _technology(condition, found, excluded=excluded)
    elif measure in (Measure.FUNDING_STAGE, Measure.OWNERSHIP):
        yield from _funding(condition, found, excluded=excluded)
    elif measure is Measure.INDUSTRY:
        yield (
            "industries",
            ProfileIndustry(
                id=str(condition.value), name=condition.label, naics=condition.codes, excluded=excluded, found=found
            ),
        )
    elif measure is Measure.HEADQUARTERS:
        yield "geographies", _place(condition, found, excluded=excluded)
    elif measure is Measure.PERSONA:
        department = condition.about.department or "any"
        yield (
            "personas",
            ProfilePersona(title=str(condition.value), department=department, excluded=excluded, found=found),
        )


def _signal(condition: Condition, found: FoundInProfile, *, excluded: bool) -> tuple[str, ProfileSignal]:
    about, is_named = condition.about, condition.measure in SIGNALS
    field = "business_models" if condition.measure is Measure.BUSINESS_MODEL else "signals"
    return field, ProfileSignal(
        id=SIGNALS[condition.measure] if is_named else str(condition.value),
        name=condition.label,
        within_days=about.within_days,
        is_specific=is_named and (condition.operator != "exists" or any((about.role, about.place, about.target))),
        excluded=excluded,
        found=found,
    )


def _technology(condition: Condition, found: FoundInProfile, *, excluded: bool) -> ProfileTechnology:
    value = str(condition.value)
    if condition.measure is Measure.TECHNOLOGY_CATEGORY:
        return ProfileTechnology(name=None, category=value, excluded=excluded, found=found)
    category = next((one.within or "" for one in _entries("technology", value)), "other")
    return ProfileTechnology(name=value, category=category, excluded=excluded, found=found)


def _place(condition: Condition, found: FoundInProfile, *, excluded: bool) -> ProfilePlace:
    inside = condition.codes or ((condition.about.place,) if condition.about.place else ())
    countries = tuple(dict.fromkeys(code[:2] for code in inside))
    kind = condition.kind or "country"
    return ProfilePlace(name=condition.label, kind=kind, countries=countries, excluded=excluded, found=found)


def _funding(condition: Condition, found: FoundInProfile, *, excluded: bool) -> Iterator[tuple[str, ProfileFunding]]:
    value = str(condition.value)
    if condition.measure is Measure.OWNERSHIP:
        yield "funding", ProfileFunding(stage=value, name=condition.label, excluded=excluded, found=found)
        return
    for stage in condition.codes or (value,):
        name = next((one.label for one in _entries("stage", stage)), stage)
        yield "funding", ProfileFunding(stage=stage, name=name, excluded=excluded, found=found)


def _entries(kind: Kind, id_: str) -> list[Entry]:
    return vocabulary().find(kind, id_)


def _range(condition: Condition, found: FoundInProfile, *, excluded: bool) -> tuple[str, ProfileRange]:
    field, measure = RANGES[condition.measure]
    low, high = _ends(condition)
    return field, ProfileRange(
        measure=measure,
        minimum=low,
        maximum=high,
        currency=condition.currency,
        excluded=excluded,
        found=found,
    )


def _ends(condition: Condition) -> tuple[int | None, int | None]:
    """The ends of the range of numbers that meet a condition, included; None for an open end, or without a number."""
    value = condition.value
    low, high = value if isinstance(value, tuple) else (value, value)
    ends = [int(end) if isinstance(end, (int, float)) and end is not True else None for end in (low, high)]
    return None if condition.operator == "lte" else ends[0], None if condition.operator == "gte" else ends[1]


def _number(condition: Condition, found: FoundInProfile, *, excluded: bool) -> ProfileNumber | None:
    """The number of a data point that the condition asks for, if it does."""
    point = NUMBERS.get(condition.measure)
    if condition.measure is Measure.GROWTH:
        point = GROWTH_POINTS.get(condition.about.target or "revenue")
    low, high = _ends(condition)
    if point is None or (low, high) == (None, None):
        return None
    return ProfileNumber(
        point=point,
        minimum=low,
        maximum=high,
        unit=condition.unit or "year",
        label=condition.label,
        excluded=excluded,
        found=found,
    )


def _found(condition: Condition) -> FoundInProfile:
    quote = condition.quote
    return FoundInProfile(
        field=quote.field, text=quote.text, start=quote.start, end=quote.end, index=quote.index,
        confidence=condition.confidence, wish=condition.strength == "should", condition=condition.id,
        any_of=condition.any_of,
    )  # fmt: skip
