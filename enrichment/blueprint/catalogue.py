"""
The catalogue of data points in `catalogue.json`, and the keywords that connect a profile with them.
"""

import functools
from pathlib import Path
from typing import Final, Literal

import msgspec

from enrichment.blueprint.criteria import Criteria, FoundInProfile
from enrichment.icp.vocabulary import vocabulary
from schemas import Cost, Operator, PointGroup, PointMethod, PointSource

# Fields of a profile whose criteria have an id, and the kind of keyword that contains the id.
KEYWORD_KINDS: Final = {
    "technologies": "technology",
    "personas": "department",
    "funding": "funding",
    "signals": "signal",
    "industries": "industry",
    "business_models": "model",
}


class CataloguePoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data point of the catalogue, independent of a profile."""

    id: str
    group: PointGroup
    name: str
    definition: str
    why: str
    example: str
    criteria: tuple[str, ...]
    """
    Fields of `Criteria` that make the point worth collecting, or "always". If `keywords` contains keywords of
    the field's kind, one of them has to match.
    """
    keywords: tuple[str, ...]
    """
    What makes the point more important, as "kind:id". Kinds: technology (a category), department (of a persona),
    funding, signal, industry, model, and word (in the offer). The id "*" matches every id, and "other" every id that no
    other point with the same `filled_by` has.
    """
    base_priority: Literal[2, 3]
    """2 (should have) or 3 (nice to have), before a profile raises it."""
    stated_priority: Literal[1, 2]
    """1 (must have) or 2, if the profile determines the filter."""
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
    """The part of a profile that determines the value of the filter; "default" if there is none."""
    filter_field: str
    """The field of a lead, if no module has it."""
    filter_operator: Operator
    """The operator of a filter that the profile determines."""
    filter_unit: str
    filter_template: str
    """The filter in words, with the placeholder {value}."""
    default_value: int | float | bool
    """The value of the filter if the profile does not determine it; a list is replaced by the operator "exists"."""
    sources: tuple[PointSource, ...]
    collection_methods: tuple[PointMethod, ...]
    validation: tuple[str, ...]
    refresh_days: int
    cost_class: Cost
    module: str | None
    """The module of the enrichment API that collects the point."""
    module_field: str | None
    """
    The field of that module's answer, such as "employees", "technologies.name" of the items of a list, or
    "events[type=funding].date" of some of them.
    """
    privacy_note: str | None = None
    expected_fill_rate: float | None = None
    """The estimated share of companies for which the point can be found, 0 to 1."""


class ProfileKeyword(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion of a profile as a keyword of the catalogue: "technology:crm"."""

    keyword: str
    found: FoundInProfile


@functools.cache
def catalogue() -> tuple[CataloguePoint, ...]:
    """Load all data points, in the order that decides between points of equal importance."""
    return msgspec.json.decode(Path(__file__).with_name("catalogue.json").read_bytes(), type=tuple[CataloguePoint, ...])


def products(category: str) -> tuple[str, ...]:
    """The products of a category of technologies; of an unknown category, none."""
    return _products().get(category, ())


@functools.cache
def ambiguous_products() -> frozenset[str]:
    """Products whose names are also everyday words: "Segment", "Heap"."""
    return frozenset(one.id for one in vocabulary() if one.kind == "technology" and one.ordinary)


def profile_keywords(profile: Criteria) -> tuple[ProfileKeyword, ...]:
    """Everything the profile wants, and does not exclude, as keywords."""
    criteria = [
        *((f"technology:{one.category}", one.found, one.excluded) for one in profile.technologies),
        *((f"department:{one.department}", one.found, one.excluded) for one in profile.personas),
        *((f"funding:{one.stage}", one.found, one.excluded) for one in profile.funding),
        *((f"signal:{one.id}", one.found, one.excluded) for one in profile.signals),
        *((f"industry:{one.id}", one.found, one.excluded) for one in profile.industries),
        *((f"model:{one.id}", one.found, one.excluded) for one in profile.business_models),
    ]
    return tuple(ProfileKeyword(keyword=keyword, found=found) for keyword, found, excluded in criteria if not excluded)


def matches(point: CataloguePoint, keyword: str) -> bool:
    """Whether a keyword of the profile matches one of the point's keywords."""
    kind = keyword.partition(":")[0]
    if keyword in point.keywords or f"{kind}:*" in point.keywords:
        return True
    return f"{kind}:other" in point.keywords and keyword not in _keywords_filling(point.filled_by)


@functools.cache
def _keywords_filling(filled_by: str) -> frozenset[str]:
    """The keywords of all points with this `filled_by`."""
    return frozenset(keyword for point in catalogue() if point.filled_by == filled_by for keyword in point.keywords)


@functools.cache
def _products() -> dict[str, tuple[str, ...]]:
    return {category.id: category.codes for category in vocabulary().by_id("category")}
