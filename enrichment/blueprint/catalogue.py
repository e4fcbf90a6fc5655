"""
The catalogue of data points, as it stands in `catalogue.json`, and which points take which part of a profile.
"""

import functools
from pathlib import Path
from typing import Final

import msgspec

from enrichment.blueprint.values import CataloguePoint, Found, Icp

# Fields of a profile whose entries are told apart by an id, and the kind of keyword that names them.
KINDS: Final = {
    "technologies": "technology",
    "personas": "department",
    "funding": "funding",
    "signals": "signal",
    "industries": "industry",
    "business_models": "model",
}


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a profile wants, named as the catalogue's keywords name it: "technology:crm"."""

    keyword: str
    found: Found


class _Category(msgspec.Struct, frozen=True):
    """What is read of a category: its products, each with its other spellings."""

    id: str
    products: dict[str, list[str]]


class _Technologies(msgspec.Struct, frozen=True):
    """What is read of the vocabulary's technologies."""

    ordinary_words: frozenset[str]
    categories: tuple[_Category, ...]


@functools.cache
def catalogue() -> tuple[CataloguePoint, ...]:
    """All data points, in the order in which they matter when nothing else decides."""
    return msgspec.json.decode(Path(__file__).with_name("catalogue.json").read_bytes(), type=tuple[CataloguePoint, ...])


@functools.cache
def products() -> dict[str, tuple[str, ...]]:
    """The products of each category of technologies."""
    return {category.id: tuple(category.products) for category in _technologies().categories}


def ordinary_words() -> frozenset[str]:
    """Products whose names are words like others: "Segment", "Heap"."""
    return _technologies().ordinary_words


def terms(icp: Icp) -> tuple[Term, ...]:
    """All that the profile wants and that keywords can name; what it excludes is left out."""
    named = [
        *((f"technology:{one.category}", one.found, one.excluded) for one in icp.technologies),
        *((f"department:{one.department}", one.found, one.excluded) for one in icp.personas),
        *((f"funding:{one.stage}", one.found, one.excluded) for one in icp.funding),
        *((f"signal:{one.id}", one.found, one.excluded) for one in icp.signals),
        *((f"industry:{one.id}", one.found, one.excluded) for one in icp.industries),
        *((f"model:{one.id}", one.found, one.excluded) for one in icp.business_models),
    ]
    return tuple(Term(keyword=keyword, found=found) for keyword, found, excluded in named if not excluded)


def takes(point: CataloguePoint, keyword: str) -> bool:
    """Whether one of the point's keywords is meant by this one."""
    kind = keyword.partition(":")[0]
    if keyword in point.keywords or f"{kind}:*" in point.keywords:
        return True
    return f"{kind}:other" in point.keywords and keyword not in _claimed(point.filled_by)


@functools.cache
def _claimed(filled_by: str) -> frozenset[str]:
    """Keywords of all points that are filled by the same."""
    return frozenset(keyword for point in catalogue() if point.filled_by == filled_by for keyword in point.keywords)


@functools.cache
def _technologies() -> _Technologies:
    file = Path(__file__).parent / "reading" / "vocabulary" / "technologies.json"
    return msgspec.json.decode(file.read_bytes(), type=_Technologies)
