"""
The confidence that an expression has a certain sense, from its field, its capitals, and its context.
"""

from typing import Final

from enrichment.blueprint.reading.context import GROUPS, Context, Evidence
from enrichment.blueprint.reading.lexicon import Sense
from schemas import ProfilePlace

OTHER_FIELD_FACTOR: Final = 0.6  # applied to a sense of a kind that the field is not for
FIELD_KINDS: Final = {
    "industries": ("industry", "model"),
    "company_size": ("size",),
    "geographies": ("place",),
    "technologies": ("technology",),
    "personas": ("persona",),
    "signals": ("signal", "funding"),
}


def confidence(sense: Sense, context: Context) -> float:
    """Estimate the confidence that the expression has this sense here, from 0 (it does not have it) to 1."""
    expected = FIELD_KINDS.get(context.text.field)
    if expected is None:
        return _in_free_text(sense, context)
    if GROUPS.get(sense.kind, sense.kind) not in expected:
        return _in_free_text(sense, context) * OTHER_FIELD_FACTOR
    if sense.ambiguity == "code" and not context.matches_spelling(sense):
        return 0.7
    return {"none": 0.95, "weak": 0.8}.get(sense.ambiguity, 0.9)


def _in_free_text(sense: Sense, context: Context) -> float:
    if sense.kind == "department":
        return {"strong": 0.96, "weak": 0.92, "none": 0.0}[context.continuation()]
    if sense.kind == "size":
        return 0.6
    evidence = context.evidence(sense)
    if sense.ambiguity == "none":
        return 0.97 if evidence == "strong" else 0.95
    if sense.ambiguity == "weak":
        return 0.75 if evidence == "strong" else 0.5
    if sense.ambiguity == "code":
        return {"strong": 0.85, "weak": 0.6}.get(evidence, 0.0) if context.matches_spelling(sense) else 0.0
    score = _ordinary(sense, context, evidence)
    is_confirmed = isinstance(place := sense.entities[0], ProfilePlace) and place.countries[0] in context.countries
    return min(0.95, score + 0.05) if score and is_confirmed else score


def _ordinary(sense: Sense, context: Context, evidence: Evidence) -> float:
    """Estimate the confidence in a sense of an everyday word, from its capitals and its context."""
    if sense.kind == "category":
        return {"strong": 0.8, "weak": 0.6}.get(evidence, 0.0)
    if not context.matches_spelling(sense):
        return 0.6 if evidence == "strong" else 0.0
    if sense.kind == "technology":
        return {"strong": 0.85, "weak": 0.65}.get(evidence, 0.0)
    if sense.spelling.isupper():
        return 0.9
    return 0.6 if evidence == "none" else 0.85
