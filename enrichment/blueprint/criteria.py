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
    """The passage that a criterion was read from, and whether it is only a wish."""

    field: str
    text: str
    start: int
    end: int
    confidence: float
    index: int = 0
    wish: bool = False


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
    excluded: bool = False
    found: FoundInProfile


Entity = (
    ProfileIndustry | ProfileRange | ProfilePlace | ProfileTechnology | ProfilePersona | ProfileFunding | ProfileSignal
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


def criteria_of(profile: CustomerProfile) -> Criteria:
    """The conditions of a profile by topic. Measures that no data point is about are left out."""
    fields: dict[str, list[Entity]] = {}
    for condition in profile.conditions:
        for field, entity in _entities(condition):
            fields.setdefault(field, []).append(entity)
    return Criteria(**{field: tuple(entities) for field, entities in fields.items()})  # type: ignore[arg-type]


def _entities(condition: Condition) -> Iterator[tuple[str, Entity]]:
    found, excluded, measure = _found(condition), condition.strength == "must_not", condition.measure
    value = str(condition.value)
    if measure in RANGES:
        yield _range(condition, found, excluded=excluded)
    elif measure in SIGNALS:
        yield (
            "signals",
            ProfileSignal(
                id=SIGNALS[measure],
                name=condition.label,
                within_days=condition.about.within_days,
                excluded=excluded,
                found=found,
            ),
        )
    elif measure is Measure.INDUSTRY:
        yield (
            "industries",
            ProfileIndustry(id=value, name=condition.label, naics=condition.codes, excluded=excluded, found=found),
        )
    elif measure is Measure.HEADQUARTERS:
        inside = condition.codes or ((condition.about.place,) if condition.about.place else ())
        countries = tuple(dict.fromkeys(code[:2] for code in inside))
        yield (
            "geographies",
            ProfilePlace(
                name=condition.label,
                kind=condition.kind or "country",
                countries=countries,
                excluded=excluded,
                found=found,
            ),
        )
    elif measure in (Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY):
        named = measure is Measure.TECHNOLOGY
        category = next((one.within or "" for one in _entries("technology", value)), "other") if named else value
        yield (
            "technologies",
            ProfileTechnology(name=value if named else None, category=category, excluded=excluded, found=found),
        )
    elif measure is Measure.PERSONA:
        yield (
            "personas",
            ProfilePersona(title=value, department=condition.about.department or "any", excluded=excluded, found=found),
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


def _found(condition: Condition) -> FoundInProfile:
    quote = condition.quote
    return FoundInProfile(
        field=quote.field, text=quote.text, start=quote.start, end=quote.end, index=quote.index,
        confidence=condition.confidence, wish=condition.strength == "should",
    )  # fmt: skip
