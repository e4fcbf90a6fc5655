"""
The values that the blueprint is made of: an ideal customer profile as it was understood, and data points.
"""

from typing import Literal

import msgspec

Operator = Literal[
    "between",
    "between_any",
    "gte",
    "lte",
    "eq",
    "in",
    "not_in",
    "contains_any",
    "contains_all",
    "exists",
    "within_days",
    "not_within_days",
]
Value = int | float | str | bool | tuple[int | str | tuple[int | None, int | None] | None, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """
    Where in the caller's words something was found, and how sure that is.

    `field` is "text" for free text, else the field of the profile's object ("industries", …); `start` and `end` are
    character offsets in that field's text (in its `index`-th entry, where the field is a list); `text` is what stands
    there. `confidence` is from 0 to 1.
    """

    field: str
    text: str
    start: int
    end: int
    confidence: float
    index: int = 0


class Industry(msgspec.Struct, frozen=True, kw_only=True):
    """An industry by its usual name, with its NAICS 2022 and SIC codes (prefixes: "5415" covers all that begin so)."""

    id: str
    name: str
    naics: tuple[str, ...]
    sic: tuple[str, ...]
    found: Found
    excluded: bool = False


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """From `minimum` to `maximum`, both included, either open. Employees, or money of `currency` (ISO 4217) a year."""

    minimum: int | None
    maximum: int | None
    found: Found
    currency: str | None = None
    measure: Literal["employees", "revenue", "arr", "funding"] = "employees"
    excluded: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A country, or a region that stands for its `countries` (ISO 3166-1 alpha-2)."""

    name: str
    countries: tuple[str, ...]
    found: Found
    kind: Literal["country", "region", "subdivision", "city"] = "country"
    excluded: bool = False


class WantedTechnology(msgspec.Struct, frozen=True, kw_only=True):
    """A product, or a whole category of them (`name` is then None), that leads use, or must not (`excluded`)."""

    name: str | None
    category: str
    found: Found
    excluded: bool = False


class Persona(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to speak to: titles that the role goes by."""

    id: str
    title: str
    department: str
    seniority: Literal["c_level", "vp", "director", "head", "manager", "individual", "founder", "any"]
    found: Found
    excluded: bool = False


class Funding(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of funding ("seed", "series_a", "bootstrapped", "public", "private_equity", …)."""

    stage: str
    name: str
    found: Found
    excluded: bool = False


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at a lead and makes it worth a call ("hiring", "funding_round", "leadership_change", …)."""

    id: str
    name: str
    found: Found
    excluded: bool = False
    within_days: int | None = None
    """How long ago at most, where the profile says so ("in the last six months": 180)."""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Words that were not understood, so that nothing is dropped in silence."""

    field: str
    text: str
    start: int
    end: int
    index: int = 0


class Icp(msgspec.Struct, frozen=True, kw_only=True):
    """An ideal customer profile, as it was understood."""

    industries: tuple[Industry, ...] = ()
    company_size: tuple[Range, ...] = ()
    revenue: tuple[Range, ...] = ()
    geographies: tuple[Place, ...] = ()
    technologies: tuple[WantedTechnology, ...] = ()
    personas: tuple[Persona, ...] = ()
    funding: tuple[Funding, ...] = ()
    funding_amount: tuple[Range, ...] = ()
    signals: tuple[Signal, ...] = ()
    business_models: tuple[Signal, ...] = ()  # "b2b", "b2c", "saas", "marketplace", "ecommerce", "subscription", …
    not_understood: tuple[Unread, ...] = ()
    contradictions: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was understood."""
        names = set(self.__struct_fields__) - {"not_understood", "contradictions"}
        return not any(getattr(self, name) for name in names)


class IcpInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The profile as an object: what callers send in place of free text."""

    industries: tuple[str, ...] | None = None
    company_size: str | None = None
    geographies: tuple[str, ...] | None = None
    technologies: tuple[str, ...] | None = None
    personas: tuple[str, ...] | None = None
    signals: tuple[str, ...] | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a data point can be had: provider, its endpoint, the field in its answer, and what it takes."""

    provider: str
    endpoint: str
    field: str
    key_required: bool
    url: str
    cost: Literal["free", "low", "medium", "high"]
    note: str | None = None


class CollectionMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A way to collect a data point, step by step."""

    method: Literal["api", "scrape", "search", "manual"]
    steps: tuple[str, ...]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """
    The exact condition a lead has to meet: `field operator value`, and the same in words.

    "between" takes (from, to), "between_any" several such pairs, each with an open end perhaps; "in" and "not_in" take
    names or codes. `unit` says what is counted or named: "employees", "EUR a year", "NAICS 2022 code or prefix".
    """

    field: str
    operator: Operator
    value: Value
    unit: str
    text: str


class CataloguePoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data point of the catalogue, before a profile has filled it."""

    id: str
    group: Literal["firmographic", "technographic", "personalization"]
    name: str
    definition: str
    why: str
    example: str
    criteria: tuple[str, ...]
    """
    Fields of `Icp` that make this point worth collecting, or "always". Where there are keywords of the field's kind,
    one of them has to match.
    """
    keywords: tuple[str, ...]
    """
    "kind:id" of what makes it matter more. Kinds: technology (a category), department (a persona's), funding, signal,
    industry, model, and word (to be found in an offer). The id "*" stands for all, "other" for those that no other
    point with the same `filled_by` takes.
    """
    base_priority: Literal[2, 3]
    """2 (should have) or 3 (nice to have), before a profile raises it."""
    stated_priority: Literal[1, 2]
    """1 (must have) or 2, once the profile itself fills the filter."""
    filled_by: Literal[
        "company_size",
        "revenue",
        "arr",
        "funding_amount",
        "industries",
        "industry_names",
        "countries",
        "localities",
        "technologies",
        "personas",
        "departments",
        "funding",
        "signals",
        "business_models",
        "default",
    ]
    """What of a profile becomes the filter's value; "default" if nothing does."""
    filter_field: str
    filter_operator: Operator
    """As it is once the profile has filled the filter."""
    filter_unit: str
    filter_template: str
    """Words with the placeholder {value}: how the filter reads once it is filled."""
    default_value: int | float | bool
    """The filter's value where the profile says nothing; where it would be a list, "exists" takes the place of that."""
    sources: tuple[Source, ...]
    collection_methods: tuple[CollectionMethod, ...]
    validation: tuple[str, ...]
    refresh_days: int
    cost_class: Literal["free", "low", "medium", "high"]
    module: str | None
    """The module of the enrichment API that collects it."""
    privacy_note: str | None = None
    expected_fill_rate: float | None = None
    """Share of companies for which it can be found, 0 to 1: an estimate."""


class DataPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    A data point as the blueprint recommends it.

    `also` is a second condition that has to hold beside `filter`: what the profile excludes.
    """

    id: str
    name: str
    definition: str
    why: str
    filter: Filter
    also: Filter | None
    priority: Literal["must_have", "should_have", "nice_to_have"]
    priority_reason: str
    sources: tuple[Source, ...]
    collection_methods: tuple[CollectionMethod, ...]
    validation: tuple[str, ...]
    refresh_days: int
    cost_class: str
    module: str | None
    example: str
    privacy_note: str | None = None
    expected_fill_rate: float | None = None


class SourceRecommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A provider worth having for this blueprint, and for which of its data points."""

    provider: str
    covers: tuple[str, ...]
    key_required: bool
    cost: str
    why: str


class Sections(msgspec.Struct, frozen=True, kw_only=True):
    """The blueprint's three groups of data points, and what follows from them."""

    firmographic: tuple[DataPoint, ...]
    technographic: tuple[DataPoint, ...]
    personalization: tuple[DataPoint, ...]
    sources: tuple[SourceRecommendation, ...]
    modules: tuple[str, ...]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The ideal customer profile that a blueprint works from, and how it came about."""

    origin: Literal["provided", "inferred"]
    icp: Icp
    confidence: float
    reasoning: tuple[str, ...]
    raise_confidence: tuple[str, ...] = ()
    sources_used: tuple[str, ...] = ()
    sources_missing: tuple[str, ...] = ()
    simulated: bool = False
