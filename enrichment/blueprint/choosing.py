"""
The choice of data points for a profile, with their priorities and filters, and of the sources and modules for them.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, Literal

import msgspec

from enrichment.blueprint.catalogue import (
    KEYWORD_KINDS,
    CataloguePoint,
    ProfileKeyword,
    ambiguous_products,
    catalogue,
    matches,
    products,
    profile_keywords,
)
from enrichment.blueprint.criteria import Criteria, FoundInProfile
from enrichment.blueprint.filters import FilterMatch, default_filter, match_filter
from enrichment.blueprint.sourcing import fitting_methods, fitting_sources
from schemas import PointSource, RecommendedPoint, RecommendedSource, StandardPoint

PRIORITIES: Final[dict[int, Literal["must_have", "should_have", "nice_to_have"]]] = {
    1: "must_have",
    2: "should_have",
    3: "nice_to_have",
}
COSTS: Final = ("free", "low", "medium", "high")
MAX_STATED_POINTS: Final = 14  # per group: points whose filter the profile determines
MAX_POINTS: Final = 12  # per group, unless the profile determines the filters of more
MAX_QUOTES: Final = 3  # per reason


class Sections(msgspec.Struct, frozen=True, kw_only=True):
    """The data points of a blueprint in three groups, and the sources and modules that provide them."""

    firmographic: tuple[RecommendedPoint, ...]
    technographic: tuple[RecommendedPoint, ...]
    personalization: tuple[RecommendedPoint, ...]
    standard: tuple[StandardPoint, ...]
    sources: tuple[RecommendedSource, ...]
    modules: tuple[str, ...]


class PointCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A point of the catalogue, and everything in the profile and the offer that is a reason to choose it."""

    point: CataloguePoint
    match: FilterMatch | None
    related: tuple[ProfileKeyword, ...]
    criteria: tuple[str, ...]
    offered: str | None

    @property
    def is_universal(self) -> bool:
        """Whether the point belongs to every blueprint."""
        return "always" in self.point.criteria

    @property
    def is_related(self) -> bool:
        """Whether the profile or the offer bears on the point; of universal points, whether the offer does."""
        return bool(self.offered or (not self.is_universal and (self.related or self.criteria)))

    @property
    def priority(self) -> int:
        """A key of `PRIORITIES`."""
        if self.match:
            return 2 if self.is_guess or self.is_wish else self.point.stated_priority
        priority = 2 if self.related else self.point.base_priority
        return priority - 1 if self.offered else priority

    @property
    def is_guess(self) -> bool:
        """Whether the filter is based on inferred signals or technologies, which are hints, and not requirements."""
        if self.match is None or self.point.filled_by not in ("signals", "technologies"):
            return False
        return all(found.field == "inferred" for found in self.match.wanted + self.match.excluded)

    @property
    def is_wish(self) -> bool:
        """Whether the profile only wishes for it."""
        return self.match is not None and all(found.wish for found in self.match.wanted + self.match.excluded)

    @property
    def weight(self) -> int:
        """The rank among candidates of the same priority; higher is better."""
        return 2 * len(self.related) + len(self.criteria)


def choose(profile: Criteria, *, offer: str | None = None) -> Sections:
    """
    Choose the data points for a profile. The result depends on the arguments only.

    An offer raises the priority of the points that it mentions, in words that the catalogue knows.
    """
    keywords = profile_keywords(profile)
    candidates = [_candidate(point, profile, keywords, offer or "") for point in catalogue()]
    groups = {
        group: _best([one for one in candidates if one.point.group == group], profile)
        for group in ("firmographic", "technographic", "personalization")
    }
    points = [point for group in groups.values() for point in group]
    standard = _standard_points(candidates, {point.id for point in points})
    return Sections(
        **groups, standard=standard, sources=_recommended_sources(points), modules=_modules(points, standard)
    )


def _candidate(
    point: CataloguePoint, profile: Criteria, keywords: Sequence[ProfileKeyword], offer: str
) -> PointCandidate:
    return PointCandidate(
        point=point,
        match=match_filter(point, profile),
        related=tuple(one for one in keywords if matches(point, one.keyword)),
        criteria=tuple(field for field in point.criteria if _is_met(field, point, profile)),
        offered=_mentioned_in(offer, point),
    )


def _is_met(field: str, point: CataloguePoint, profile: Criteria) -> bool:
    """Whether the profile has a criterion in this field; keywords of the field's kind override that."""
    if field == "always" or any(keyword.startswith(f"{KEYWORD_KINDS.get(field)}:") for keyword in point.keywords):
        return False
    return any(not one.excluded for one in getattr(profile, field))


def _best(candidates: Sequence[PointCandidate], profile: Criteria) -> tuple[RecommendedPoint, ...]:
    """
    Choose points that the profile states, then related ones; sort them by priority. If there are none, the group has
    the universal ones, so that it is never empty.
    """
    stated = [one for one in candidates if one.match][:MAX_STATED_POINTS]
    related = [one for one in candidates if one.is_related and not one.match]
    related = related or ([] if stated else [one for one in candidates if one.is_universal])
    related.sort(key=lambda one: (one.priority, -one.weight))
    best = (stated + related)[: max(MAX_POINTS, len(stated))]
    return tuple(_recommended_point(one, profile) for one in sorted(best, key=lambda one: one.priority))


def _standard_points(candidates: Sequence[PointCandidate], chosen: Collection[str]) -> tuple[StandardPoint, ...]:
    """The points of every blueprint, in short, without those that are chosen."""
    points = [one.point for one in candidates if one.is_universal and one.point.id not in chosen]
    return tuple(
        StandardPoint(
            id=point.id,
            name=point.name,
            why=point.why,
            module=point.module,
            field=point.module_field or point.filter_field,
        )
        for point in points
    )


def _recommended_point(candidate: PointCandidate, profile: Criteria) -> RecommendedPoint:
    point, match = candidate.point, candidate.match
    return RecommendedPoint(
        id=point.id,
        name=point.name,
        definition=point.definition,
        why=point.why,
        priority=PRIORITIES[candidate.priority],
        priority_reason=_reason(candidate),
        filter=match.first if match else default_filter(point),
        exclude=match.exclude if match and match.filters else None,
        further_filters=match.filters[1:] if match else (),
        sources=fitting_sources(point, profile),
        collection_methods=fitting_methods(point, profile, match),
        validation=point.validation,
        refresh_days=point.refresh_days,
        cost_class=point.cost_class,
        module=point.module,
        example=point.example,
        privacy_note=point.privacy_note,
        expected_fill_rate=point.expected_fill_rate,
    )


# Reasons


def _reason(candidate: PointCandidate) -> str:
    reasons = []
    if candidate.match:
        reasons.append(f"{_basis(candidate.match.wanted, candidate.match.excluded)}.")
    elif candidate.related:
        reasons.append(f"{_basis([one.found for one in candidate.related])}, and this bears on it.")
    elif candidate.criteria:
        reasons.append(f"The profile has something on {' and '.join(candidate.criteria).replace('_', ' ')}.")
    elif not candidate.offered:
        reasons.append("Part of every blueprint; the profile does not narrow it.")
    if candidate.offered:
        reasons.append(f'The offer speaks of "{candidate.offered}".')
    return " ".join(reasons)


def _basis(wanted: Sequence[FoundInProfile], excluded: Sequence[FoundInProfile] = ()) -> str:
    """Quote the passages of the profile, or list the facts that it was inferred from."""
    if any(found.field == "inferred" for found in wanted):
        return f"Inferred from {', '.join(dict.fromkeys(found.text for found in wanted))}"
    parts = [f"{verb} {_quoted(founds)}" for verb, founds in (("says", wanted), ("excludes", excluded)) if founds]
    return f"The profile {' and '.join(parts)}"


def _quoted(founds: Sequence[FoundInProfile]) -> str:
    words = list(dict.fromkeys(found.text for found in founds))
    return ", ".join(f'"{word}"' for word in words[:MAX_QUOTES]) + (" and more" if len(words) > MAX_QUOTES else "")


# The offer


def _mentioned_in(offer: str, point: CataloguePoint) -> str | None:
    """Find a word or product of the point in the offer, and return it as the catalogue spells it."""
    spaced, joined = _normalized(offer, " "), _normalized(offer, "")
    words = [keyword.removeprefix("word:") for keyword in point.keywords if keyword.startswith("word:")]
    for word in words:
        if _contains(spaced, _normalized(word, " ")) or _contains(joined, _normalized(word, "")):
            return word
    return next((name for name in _products_of(point) if name in offer and _contains(offer, name)), None)


def _products_of(point: CataloguePoint) -> list[str]:
    """The products that the point is about, without those whose names are also everyday words."""
    if point.group != "technographic":
        return []
    categories = [word.removeprefix("technology:") for word in point.keywords if word.startswith("technology:")]
    names = [name for category in categories for name in products(category)]
    return [name for name in names if name not in ambiguous_products() and len(name) > 2]


def _normalized(text: str, hyphen: str) -> str:
    return re.sub(r"[-_]", hyphen, text.casefold())


def _contains(text: str, words: str) -> bool:
    """Whether the text contains the words, or their plural."""
    return re.search(rf"(?<!\w){re.escape(words)}s?(?!\w)", text) is not None


# Sources and modules


def _recommended_sources(points: Sequence[RecommendedPoint]) -> tuple[RecommendedSource, ...]:
    """Rank the providers of the points by the number of points they cover, then by how easy they are to use."""
    sources: dict[str, list[PointSource]] = {}
    covers: dict[str, dict[str, RecommendedPoint]] = {}
    for point in points:
        for source in point.sources:
            sources.setdefault(source.provider, []).append(source)
            covers.setdefault(source.provider, {})[point.id] = point
    found = [_recommended_source(name, sources[name], list(covers[name].values()), len(points)) for name in sources]
    return tuple(
        sorted(found, key=lambda one: (-len(one.covers), one.key_required, COSTS.index(one.cost), one.provider))
    )


def _recommended_source(
    provider: str, sources: Sequence[PointSource], points: Sequence[RecommendedPoint], total: int
) -> RecommendedSource:
    must_haves = sum(point.priority == "must_have" for point in points)
    key_required = all(source.key_required for source in sources)
    why = f"Covers {len(points)} of the {total} data points"
    why += f", {must_haves} of them must-haves" if must_haves else ""
    return RecommendedSource(
        provider=provider,
        covers=tuple(point.id for point in points),
        key_required=key_required,
        cost=max((source.cost for source in sources), key=COSTS.index),
        why=f"{why}; {'needs a key' if key_required else 'works without a key'}.",
    )


def _modules(points: Sequence[RecommendedPoint], standard: Sequence[StandardPoint]) -> tuple[str, ...]:
    """
    List the modules of the enrichment API that collect the points, in the order of the API.

    Case studies (m13) are matched with every company. A score (m14) requires must-haves to score by, and a displacement
    angle (m15) requires that one of them is a technology.
    """
    modules = {"m13_case_study_match", *(point.module for point in points if point.module)}
    modules |= {point.module for point in standard if point.module}
    must_haves = [point for point in points if point.priority == "must_have"]
    if must_haves:
        modules.add("m14_icp_scoring")
    if any(point.filter.field.startswith("technolog") for point in must_haves):
        modules |= {"m02_tech_stack", "m15_displacement_angle"}
    return tuple(sorted(modules))
