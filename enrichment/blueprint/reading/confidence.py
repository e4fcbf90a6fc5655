"""
How sure it is that an expression means what it may mean: by the field it stands in, its capitals and its neighbours.
"""

from typing import Final

from enrichment.blueprint.reading.context import GROUPS, Evidence, Spot
from enrichment.blueprint.reading.lexicon import Meaning
from enrichment.blueprint.values import Place

ELSEWHERE: Final = 0.6  # a field's words that are of another field's kind are believed so much less
OWN: Final = {
    "industries": ("industry", "model"),
    "company_size": ("size",),
    "geographies": ("place",),
    "technologies": ("technology",),
    "personas": ("persona",),
    "signals": ("signal", "funding"),
}


def how_sure(meaning: Meaning, spot: Spot) -> float:
    """How sure it is that the expression means this here, from 0 (it does not) to 1."""
    own = OWN.get(spot.text.field)
    if own is None:
        return _in_free_text(meaning, spot)
    if GROUPS.get(meaning.kind, meaning.kind) not in own:
        return _in_free_text(meaning, spot) * ELSEWHERE
    if meaning.caution == "code" and not spot.as_written(meaning):
        return 0.7
    return {"none": 0.95, "weak": 0.8}.get(meaning.caution, 0.9)


def _in_free_text(meaning: Meaning, spot: Spot) -> float:
    if meaning.kind == "department":
        return {"strong": 0.96, "weak": 0.92, "none": 0.0}[spot.completes()]
    if meaning.kind == "size":
        return 0.6
    evidence = spot.evidence(meaning)
    if meaning.caution == "none":
        return 0.97 if evidence == "strong" else 0.95
    if meaning.caution == "weak":
        return 0.75 if evidence == "strong" else 0.5
    if meaning.caution == "code":
        return {"strong": 0.85, "weak": 0.6}.get(evidence, 0.0) if spot.as_written(meaning) else 0.0
    sure = _ordinary(meaning, spot, evidence)
    kept = isinstance(place := meaning.things[0], Place) and place.countries[0] in spot.countries
    return min(0.95, sure + 0.05) if sure and kept else sure


def _ordinary(meaning: Meaning, spot: Spot, evidence: Evidence) -> float:
    """A word that is one of everybody's as well: by its capitals, if they mean something, and by its neighbours."""
    if meaning.kind == "category":
        return {"strong": 0.8, "weak": 0.6}.get(evidence, 0.0)
    if not spot.as_written(meaning):
        return 0.6 if evidence == "strong" else 0.0
    if meaning.kind == "technology":
        return {"strong": 0.85, "weak": 0.65}.get(evidence, 0.0)
    if meaning.written.isupper():
        return 0.9
    return 0.6 if evidence == "none" else 0.85
