"""
The criteria of a profile by topic, as the choice of data points takes them.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

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
    """A number that a data point has to have, with its operator, unit, and words."""

    point: str
    operator: Literal["eq", "gte", "lte", "between"]
    value: int | float | tuple[int | None, int | None]
    unit: str
    label: str
    excluded: bool = False
    found: FoundInProfile


Entity = (
    ProfileNumber | ProfileIndustry | ProfileRange | ProfilePlace | ProfileTechnology | ProfilePersona | ProfileFunding | ProfileSignal
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
    found, excluded, measure = _found(condition), condition.strength == "must_not", condition.measure
    value = str(condition.value)
    number = _number(condition, found, excluded=excluded)
    if number:
        yield "numbers", number
    elif measure in RANGES:
        yield _range(condition, found, excluded=excluded)
    elif measure in SIGNALS:
        about = condition.about
        yield "signals", ProfileSignal(
            id=SIGNALS[measure],
            name=condition.label,
            within_days=about.within_days,
            is_specific=any((about.role, about.place, about.target)),
            excluded=excluded,
            found=found,
        )
    elif measure is Measure.INDUSTRY:
        yield "industries", ProfileIndustry(
            id=value, name=condition.label, naics=condition.codes, excluded=excluded, found=found
        )
    elif measure is Measure.HEADQUARTERS:
        inside = condition.codes or ((condition.about.place,) if condition.about.place else ())
        countries = tuple(dict.fromkeys(code[:2] for code in inside))
        yield "geographies", ProfilePlace(
            name=condition.label, kind=condition.kind or "country", countries=countries, excluded=excluded, found=found
        )
    elif measure in (Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY):
        named = measure is Measure.TECHNOLOGY
        category = next((one.within or "" for one in _entries("technology", value)), "other") if named else value
        yield "technologies", ProfileTechnology(
            name=value if named else None, category=category, excluded=excluded, found=found
        )
    elif measure is Measure.PERSONA:
        yield "personas", ProfilePersona(
            title=value, department=condition.about.department or "any", excluded=excluded, found=found
        )
    elif measure is Measure.FUNDING_STAGE:
        for stage in condition.codes or (value,):
            name = next((one.label for one in _entries("stage", stage)), stage)
            yield "funding", ProfileFunding(stage=stage, name=name, excluded=excluded, found=found)
    elif measure is Measure.OWNERSHIP:
        yield "funding", ProfileFunding(stage=value, name=condition.label, excluded=excluded, found=found)
    elif measure in (Measure.SIGNAL, Measure.BUSINESS_MODEL):
        field = "signals" if measure is Measure.SIGNAL else "business_models"
        yield field, ProfileSignal(id=value, name=condition.label, excluded=excluded, found=found)


def _entries(kind: Kind, id_: str) -> list[Entry]:
    return vocabulary().find(kind, id_)


def _range(condition: Condition, found: FoundInProfile, *, excluded: bool) -> tuple[str, ProfileRange]:
    field, measure = RANGES[condition.measure]
    value = condition.value
    low, high = value if isinstance(value, tuple) else (value, value)
    ends = [int(end) if isinstance(end, (int, float)) else None for end in (low, high)]
    return field, ProfileRange(
        measure=measure,
        minimum=None if condition.operator == "lte" else ends[0],
        maximum=None if condition.operator == "gte" else ends[1],
        currency=condition.currency,
        excluded=excluded,
        found=found,
    )


def _number(condition: Condition, found: FoundInProfile, *, excluded: bool) -> ProfileNumber | None:
    """The number of a data point that the condition asks for, if it does."""
    point = NUMBERS.get(condition.measure)
    if condition.measure is Measure.GROWTH:
        point = GROWTH_POINTS.get(condition.about.target or "")
    if point is None or condition.operator == "exists" or isinstance(condition.value, (str, bool)):
        return None
    value: Any = condition.value
    return ProfileNumber(
        point=point,
        operator=condition.operator,
        value=value,
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
