"""
What a profile as a whole says: its confidence, the reasons, and contradictions.
"""

import math
from collections.abc import Sequence
from typing import Final

from schemas import Condition, CustomerProfile

UNDECIDED: Final = 0.5  # an ambiguous passage without a condition counts as one of this confidence
CONTRADICTORY: Final = 0.8
MAX_REQUESTS: Final = 5


def confidence(conditions: Sequence[Condition], doubts: int) -> float:
    """The probability that a condition is right, on average. Passages that were not understood are not wrong."""
    if not conditions:
        return 0.0
    total = math.fsum(one.confidence for one in conditions) + UNDECIDED * doubts
    return round(total / (len(conditions) + doubts) * (CONTRADICTORY if contradictions(conditions) else 1), 2)


def reasoning(conditions: Sequence[Condition]) -> tuple[str, ...]:
    """How each condition was understood, in sentences."""
    words = {"must": "must", "should": "should", "must_not": "must not"}
    return tuple(
        f"“{one.quote.text}” was understood as: {words[one.strength]} match {one.measure.value} “{one.label}”."
        for one in conditions
    )


def contradictions(conditions: Sequence[Condition]) -> tuple[str, ...]:
    """What is both required and excluded, and ranges that cannot both hold, in sentences."""
    excluded = {
        (one.measure, one.value): one for one in conditions if one.strength == "must_not" and one.operator == "eq"
    }
    found = [
        f"“{one.quote.text}” is wanted, and “{other.quote.text}” is excluded."
        for one in conditions
        if one.strength != "must_not" and (other := excluded.get((one.measure, one.value)))
    ]
    lowest: dict[object, Condition] = {}
    for one in conditions:
        if one.strength == "must" and one.operator == "lte" and isinstance(one.value, (int, float)):
            lowest.setdefault(one.measure, one)
    for one in conditions:
        high = lowest.get(one.measure)
        if high is None or one.strength != "must" or one.operator != "gte" or one.any_of == high.any_of:
            continue
        if isinstance(one.value, (int, float)) and isinstance(high.value, (int, float)) and one.value > high.value:
            found.append(f"“{one.quote.text}” and “{high.quote.text}” cannot both be true of one company.")
    return tuple(found)


def requests(profile: CustomerProfile) -> tuple[str, ...]:
    """What would raise the confidence, in sentences."""
    unclear = [
        f"Say whether “{one.quote.text}” means {' or '.join(each.label for each in one.readings)}."
        for one in profile.ambiguous[:MAX_REQUESTS]
    ]
    return (*unclear, *(f"Say “{one.text}” in other words." for one in profile.not_understood[:MAX_REQUESTS]))
