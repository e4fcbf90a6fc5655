"""
What in a profile cannot all be true, in words.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from enrichment.blueprint.values import Found, Funding, Icp, Place, Range, WantedTechnology

MOST_COMPARED: Final = 50  # sizes of one measure; nobody's profile has that many, but an attacker's may
MOST_TOLD: Final = 20
OUTSIDE_MONEY: Final = frozenset(
    {"pre_seed", "seed", "series_a", "series_b", "series_c", "series_d", "series_e", "series_f", "series_g", "series_h"}
)


def contradictions(icp: Icp, lists: Mapping[Found, int]) -> tuple[str, ...]:
    """Each contradiction as a sentence. What is in one of the `lists` is told as a choice, and may differ."""
    return tuple(itertools.islice(dict.fromkeys(_all(icp, lists)), MOST_TOLD))


def _all(icp: Icp, lists: Mapping[Found, int]) -> Iterator[str]:
    yield from _disjoint("Company size", icp.company_size, lists)
    yield from _disjoint("Revenue", icp.revenue, lists)
    yield from _disjoint("Funding raised", icp.funding_amount, lists)
    yield from _places(icp.geographies)
    yield from _technologies(icp.technologies)
    yield from _same(icp)
    yield from _funding(icp.funding, lists)


def _disjoint(what: str, ranges: tuple[Range, ...], lists: Mapping[Found, int]) -> Iterator[str]:
    for one, other in itertools.combinations(ranges[:MOST_COMPARED], 2):
        if (one.measure, one.currency) != (other.measure, other.currency) or (one.excluded and other.excluded):
            continue
        told = f"{what}: “{one.found.text}” and “{other.found.text}”"
        if one.excluded != other.excluded:
            if (one.minimum, one.maximum) == (other.minimum, other.maximum):
                yield f"{told} are both wanted and excluded."
        elif not _overlap(one, other) and lists[one.found] != lists[other.found]:
            yield f"{told} cannot both be true of one company."


def _overlap(one: Range, other: Range) -> bool:
    return (one.minimum or 0) <= _top(other) and (other.minimum or 0) <= _top(one)


def _top(size: Range) -> float:
    return float("inf") if size.maximum is None else size.maximum


def _places(places: tuple[Place, ...]) -> Iterator[str]:
    """A place is wanted for nothing where it, or all that it lies in, is excluded."""
    unwanted = [place for place in places if place.excluded]
    for wanted, excluded in itertools.product(places, unwanted[:MOST_COMPARED]):
        within = excluded.kind in ("country", "region") and set(wanted.countries) <= set(excluded.countries)
        if not wanted.excluded and (within or wanted.name == excluded.name):
            yield f"Geography: “{wanted.found.text}” is wanted, and excluded by “{excluded.found.text}”."


def _technologies(technologies: tuple[WantedTechnology, ...]) -> Iterator[str]:
    """A product is wanted for nothing where its whole category is excluded, too."""
    excluded = {one.name or one.category: one for one in technologies if one.excluded}
    for wanted in technologies:
        by = excluded.get(wanted.name or wanted.category) or excluded.get(wanted.category)
        if by and not wanted.excluded:
            yield f"Technology: “{wanted.found.text}” is wanted, and excluded by “{by.found.text}”."


def _same(icp: Icp) -> Iterator[str]:
    """The same thing wanted and excluded."""
    kinds = {
        "Industry": [(one.id, one.excluded, one.found) for one in icp.industries],
        "Persona": [(one.id, one.excluded, one.found) for one in icp.personas],
        "Funding": [(one.stage, one.excluded, one.found) for one in icp.funding],
        "Signal": [(one.id, one.excluded, one.found) for one in icp.signals],
        "Business model": [(one.id, one.excluded, one.found) for one in icp.business_models],
    }
    for kind, told in kinds.items():
        excluded = {id_ for id_, is_excluded, _ in told if is_excluded}
        for id_, is_excluded, found in told:
            if id_ in excluded and not is_excluded:
                yield f"{kind}: “{found.text}” is both wanted and excluded."


def _funding(funding: tuple[Funding, ...], lists: Mapping[Found, int]) -> Iterator[str]:
    """Who lives on their own money has had no round."""
    own = [one for one in funding if one.stage == "bootstrapped" and not one.excluded]
    raised = [one for one in funding if one.stage in OUTSIDE_MONEY and not one.excluded]
    told = {
        (one.found, other.found)
        for one, other in itertools.product(own, raised)
        if lists[one.found] != lists[other.found]
    }
    for one, other in sorted(told, key=lambda pair: (pair[0].start, pair[1].start)):
        yield f"Funding: “{one.text}” and “{other.text}” cannot both be true of one company."
