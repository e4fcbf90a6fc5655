"""
What a profile lists (industries, places, technologies, people, …), as values that a filter can hold.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from enrichment.blueprint.catalogue import products, takes
from enrichment.blueprint.values import CataloguePoint, Found, Icp
from enrichment.blueprint.wording import some

MAX_CODES: Final = 12  # of countries that a filter's words name one by one


class Entry(NamedTuple):
    """One entry of a list: the values that stand for it, how it reads, where it was found."""

    values: Sequence[str]
    words: str
    found: Found
    excluded: bool


def entries(point: CataloguePoint, icp: Icp) -> list[Entry]:
    """All entries of the profile that the point takes."""
    read = READERS.get(point.filled_by)
    return list(read(point, icp)) if read else []


def _industries(_: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.industries:
        yield Entry(one.naics, f"{one.name} (NAICS {', '.join(one.naics)})", one.found, one.excluded)


def _industry_names(_: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.industries:
        yield Entry((one.name,), one.name, one.found, one.excluded)


def _countries(_: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    """A city stands for its country, but excluding a city excludes no country."""
    whole = [one for one in icp.geographies if one.kind in ("country", "region")]
    ruled_out = {code for one in whole if one.excluded for code in one.countries}
    for one in icp.geographies:
        if one.excluded and one not in whole:
            continue
        codes = one.countries if one.excluded else tuple(code for code in one.countries if code not in ruled_out)
        listed = ", ".join(codes) if len(codes) <= MAX_CODES else f"{len(codes)} countries"
        yield Entry(codes, f"{one.name} ({listed})" if one in whole else listed, one.found, one.excluded)


def _localities(_: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.geographies:
        if one.kind in ("subdivision", "city"):
            yield Entry((one.name,), one.name, one.found, one.excluded)


def _technologies(point: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    """A category is its products, unless one of them is wanted by name."""
    named = {(one.category, one.excluded) for one in icp.technologies if one.name}
    for one in icp.technologies:
        if not takes(point, f"technology:{one.category}"):
            continue
        if one.name:
            yield Entry((one.name,), one.name, one.found, one.excluded)
        elif (one.category, one.excluded) not in named:
            values = products().get(one.category, (one.category,))
            yield Entry(values, some(values), one.found, one.excluded)


def _personas(_: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.personas:
        yield Entry((one.title,), one.title, one.found, one.excluded)


def _departments(point: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.personas:
        if takes(point, f"department:{one.department}") and not one.excluded:
            name = one.department.replace("_", " ")
            yield Entry((one.department,), name.upper() if len(name) < 3 else name, one.found, excluded=False)


def _funding(point: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.funding:
        if takes(point, f"funding:{one.stage}"):
            yield Entry((one.stage,), one.name, one.found, one.excluded)


def _business_models(_: CataloguePoint, icp: Icp) -> Iterator[Entry]:
    for one in icp.business_models:
        yield Entry((one.id,), one.name, one.found, one.excluded)


READERS: Final[Mapping[str, Callable[[CataloguePoint, Icp], Iterator[Entry]]]] = {
    "industries": _industries,
    "industry_names": _industry_names,
    "countries": _countries,
    "localities": _localities,
    "technologies": _technologies,
    "personas": _personas,
    "departments": _departments,
    "funding": _funding,
    "business_models": _business_models,
}
