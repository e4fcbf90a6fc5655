"""
What follows from the chosen data points: which providers to have, and which modules of the enrichment API to run.
"""

from collections.abc import Sequence
from typing import Final

from enrichment.blueprint.values import DataPoint, Source, SourceRecommendation

COSTS: Final = ("free", "low", "medium", "high")


def recommend_sources(points: Sequence[DataPoint]) -> tuple[SourceRecommendation, ...]:
    """The points' providers, those that cover most of them first, and among equals those that are had most easily."""
    sources: dict[str, list[Source]] = {}
    covers: dict[str, dict[str, DataPoint]] = {}
    for point in points:
        for source in point.sources:
            sources.setdefault(source.provider, []).append(source)
            covers.setdefault(source.provider, {})[point.id] = point
    found = [_recommendation(name, sources[name], list(covers[name].values()), len(points)) for name in sources]
    return tuple(
        sorted(found, key=lambda one: (-len(one.covers), one.key_required, COSTS.index(one.cost), one.provider))
    )


def name_modules(points: Sequence[DataPoint]) -> tuple[str, ...]:
    """
    The modules that collect the points, in the enrichment API's order.

    A case study (m13) can be matched with any company. A score (m14) is worth having once there are hard criteria to
    score against, and an angle for displacement (m15) once one of these is a technology.
    """
    modules = {"m13_case_study_match"} | {point.module for point in points if point.module}
    hard = [point for point in points if point.priority == "must_have"]
    if hard:
        modules.add("m14_icp_scoring")
    if any(point.filter.field.startswith("technolog") for point in hard):
        modules |= {"m02_tech_stack", "m15_displacement_angle"}
    return tuple(sorted(modules))


def _recommendation(
    provider: str, sources: Sequence[Source], points: Sequence[DataPoint], total: int
) -> SourceRecommendation:
    hard = sum(point.priority == "must_have" for point in points)
    key_required = all(source.key_required for source in sources)
    cost = max((source.cost for source in sources), key=COSTS.index)
    why = f"Covers {len(points)} of the {total} data points" + (f", {hard} of them must-haves" if hard else "")
    return SourceRecommendation(
        provider=provider,
        covers=tuple(point.id for point in points),
        key_required=key_required,
        cost=cost,
        why=f"{why}; {'needs a key' if key_required else 'works without a key'}.",
    )
