"""
Contradictions in a profile.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from schemas import CustomerProfile, FoundInProfile, ProfileFunding, ProfilePlace, ProfileRange, ProfileTechnology

MAX_COMPARED: Final = 50  # ranges of one measure: bounds the time for a malicious profile
MAX_REPORTED: Final = 20
FUNDING_ROUNDS: Final = frozenset(
    {"pre_seed", "seed", "series_a", "series_b", "series_c", "series_d", "series_e", "series_f", "series_g", "series_h"}
)


def contradictions(icp: CustomerProfile, lists: Mapping[FoundInProfile, int]) -> tuple[str, ...]:
    """Describe each contradiction in a sentence. Alternatives in one list (see `lists`) may differ."""
    return tuple(itertools.islice(dict.fromkeys(_all(icp, lists)), MAX_REPORTED))


def _all(icp: CustomerProfile, lists: Mapping[FoundInProfile, int]) -> Iterator[str]:
    yield from _disjoint("Company size", icp.company_size, lists)
    yield from _disjoint("Revenue", icp.revenue, lists)
    yield from _disjoint("Funding raised", icp.funding_amount, lists)
    yield from _places(icp.geographies)
    yield from _technologies(icp.technologies)
    yield from _same(icp)
    yield from _funding(icp.funding, lists)


def _disjoint(what: str, ranges: tuple[ProfileRange, ...], lists: Mapping[FoundInProfile, int]) -> Iterator[str]:
    for one, other in itertools.combinations(ranges[:MAX_COMPARED], 2):
        if (one.measure, one.currency) != (other.measure, other.currency) or (one.excluded and other.excluded):
            continue
        pair = f"{what}: “{one.found.text}” and “{other.found.text}”"
        if one.excluded != other.excluded:
            if (one.minimum, one.maximum) == (other.minimum, other.maximum):
                yield f"{pair} are both wanted and excluded."
        elif not _overlap(one, other) and lists[one.found] != lists[other.found]:
            yield f"{pair} cannot both be true of one company."


def _overlap(one: ProfileRange, other: ProfileRange) -> bool:
    return (one.minimum or 0) <= _top(other) and (other.minimum or 0) <= _top(one)


def _top(size: ProfileRange) -> float:
    return float("inf") if size.maximum is None else size.maximum


def _places(places: tuple[ProfilePlace, ...]) -> Iterator[str]:
    """Find wanted places that are excluded, or lie in an excluded place."""
    unwanted = [place for place in places if place.excluded]
    for wanted, excluded in itertools.product(places, unwanted[:MAX_COMPARED]):
        within = excluded.kind in ("country", "region") and set(wanted.countries) <= set(excluded.countries)
        if not wanted.excluded and (within or wanted.name == excluded.name):
            yield f"Geography: “{wanted.found.text}” is wanted, and excluded by “{excluded.found.text}”."


def _technologies(technologies: tuple[ProfileTechnology, ...]) -> Iterator[str]:
    """Find wanted products that are excluded, or whose category is excluded."""
    excluded = {one.name or one.category: one for one in technologies if one.excluded}
    for wanted in technologies:
        by = excluded.get(wanted.name or wanted.category) or excluded.get(wanted.category)
        if by and not wanted.excluded:
            yield f"Technology: “{wanted.found.text}” is wanted, and excluded by “{by.found.text}”."


def _same(icp: CustomerProfile) -> Iterator[str]:
    """Find entities that are both wanted and excluded."""
    kinds = {
        "Industry": [(one.id, one.excluded, one.found) for one in icp.industries],
        "Persona": [(one.id, one.excluded, one.found) for one in icp.personas],
        "Funding": [(one.stage, one.excluded, one.found) for one in icp.funding],
        "Signal": [(one.id, one.excluded, one.found) for one in icp.signals],
        "Business model": [(one.id, one.excluded, one.found) for one in icp.business_models],
    }
    for kind, items in kinds.items():
        excluded = {id_ for id_, is_excluded, _ in items if is_excluded}
        for id_, is_excluded, found in items:
            if id_ in excluded and not is_excluded:
                yield f"{kind}: “{found.text}” is both wanted and excluded."


def _funding(funding: tuple[ProfileFunding, ...], lists: Mapping[FoundInProfile, int]) -> Iterator[str]:
    """Find a bootstrapped company that has had a funding round."""
    bootstrapped = [one for one in funding if one.stage == "bootstrapped" and not one.excluded]
    raised = [one for one in funding if one.stage in FUNDING_ROUNDS and not one.excluded]
    pairs = {
        (one.found, other.found)
        for one, other in itertools.product(bootstrapped, raised)
        if lists[one.found] != lists[other.found]
    }
    for one, other in sorted(pairs, key=lambda pair: (pair[0].start, pair[1].start)):
        yield f"Funding: “{one.text}” and “{other.text}” cannot both be true of one company."
