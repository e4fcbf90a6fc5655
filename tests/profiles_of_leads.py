"""
Conditions and profiles to judge leads by, for tests.
"""

from typing import Any

from enrichment.modules.module import JobProfile
from schemas import Condition, ConditionAbout, ConditionQuote, CustomerProfile, Measure, Strength

ABOUT = frozenset(ConditionAbout.__struct_fields__)


def condition(measure: Measure, value: Any = "exists", strength: Strength = "must", **more: Any) -> Condition:
    """Return a condition; its operator follows from the value, and what it is about may be given by name."""
    operator = "between" if isinstance(value, tuple) else "eq"
    if value == "exists":
        value, operator = True, "exists"
    about = ConditionAbout(**{name: more.pop(name) for name in ABOUT & more.keys()})
    label = more.pop("label", None) or (measure.value.replace("_", " ") if value is True else str(value))
    fields: dict[str, Any] = {"id": "c1", "operator": operator, "any_of": 1, "confidence": 1.0} | more
    quote = ConditionQuote(text=label, start=0, end=len(label))
    return Condition(measure=measure, value=value, label=label, strength=strength, about=about, quote=quote, **fields)


def profile(*conditions: Condition) -> JobProfile:
    """Return a profile of these conditions, numbered; each is a group of its own unless its `any_of` is above 1."""
    numbered = (
        Condition(
            **{name: getattr(each, name) for name in Condition.__struct_fields__}
            | {"id": f"c{number}", "any_of": each.any_of if each.any_of > 1 else 100 + number}
        )
        for number, each in enumerate(conditions, start=1)
    )
    return JobProfile.of(CustomerProfile(conditions=tuple(numbered), confidence=1.0))
