"""
Funding stages and their ranges: "Series A-C", "Seed to Series B", "Series B+", "pre-Series A".
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from enrichment.icp.text import Token
from enrichment.icp.vocabulary import table, vocabulary, words

STAGES: Final = (
    "pre_seed", "seed", "series_a", "series_b", "series_c", "series_d", "series_e", "series_f", "series_g", "series_h",
)  # fmt: skip
LETTERS: Final = {stage[-1]: stage for stage in STAGES if stage.startswith("series_")}


MAX_BOUND: Final = 3  # words before a stage


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """
    Funding stages in the tokens from `first` to before `last`: a list of alternatives, or a range with an open end
    ("gte", "lte") or without one ("between").
    """

    first: int
    last: int
    operator: str
    stages: tuple[str, ...]


def stage_codes(operator: str, stages: Sequence[str]) -> tuple[str, ...]:
    """All the stages that an operator with its value means, in order."""
    start, end = STAGES.index(stages[0]), STAGES.index(stages[-1])
    match operator:
        case "gte":
            return STAGES[start:]
        case "lte":
            return STAGES[: end + 1]
        case "between":
            return STAGES[start : end + 1]
    return tuple(stages)


def stages_at(tokens: Sequence[Token], first: int) -> Stages | None:
    """Parse the stages that start at a position, with the word of a bound before or after them."""
    place, bound = _bound_before(tokens, first)
    found = _one(tokens, place)
    if found is None:
        return None
    last, stages, operator = _listed(tokens, found)
    last = _skip_round(tokens, last)
    if after := _bound_after(tokens, last):
        last, operator = after
    elif bound == "before":
        stages, operator = [STAGES[max(0, STAGES.index(stages[0]) - 1)]], "lte"
    elif bound and operator == "eq":
        operator = bound
    return Stages(first=first, last=last, operator=operator, stages=tuple(stages))


def _bound_before(tokens: Sequence[Token], first: int) -> tuple[int, str | None]:
    """Parse "at least", "post-", "pre-" and the like before a stage: the place after it, and the operator."""
    place, bound = first, None
    if _one(tokens, first):
        return first, None
    while place < len(tokens) and place - first < MAX_BOUND and _one(tokens, place) is None:
        word = tokens[place].norm
        if word in words("later_stage"):
            bound = "gte"
        elif word in words("earlier_stage"):
            bound = "before"
        elif word == "up":
            bound = "lte"
        elif word not in ("at", "to", "a", "their"):
            break
        place += 1
    return (place, bound) if bound else (first, None)


def _listed(tokens: Sequence[Token], found: tuple[int, str]) -> tuple[int, list[str], str]:
    """Parse what follows a stage: the end of a range ("Series A-C"), or more of a list ("Series A, B or C")."""
    last, stages = found[0], [found[1]]
    end = _skip_round(tokens, last)
    place = last if last < len(tokens) and tokens[last].joined else None
    if end < len(tokens) and tokens[end].norm in words("stage_through"):
        place = end + 1
    two = _next(tokens, place, stages) if place is not None else None
    if two and STAGES.index(two[1]) > STAGES.index(stages[0]):
        return two[0], [stages[0], two[1]], "between"
    while last < len(tokens) and tokens[last].norm in words("stage_list") and len(stages) < len(STAGES):
        after = last + 1
        while after < len(tokens) and tokens[after].norm in words("stage_list"):
            after += 1
        if (two := _next(tokens, after, stages)) is None:
            break
        last = two[0]
        stages.append(two[1])
    return last, stages, "eq"


def _bound_after(tokens: Sequence[Token], last: int) -> tuple[int, str] | None:
    """Parse "+" or "or later" after a stage: its end, and the operator."""
    if last < len(tokens) and tokens[last].norm == "+":
        return last + 1, "gte"
    for phrases, operator in (("later_phrases", "gte"), ("earlier_phrases", "lte")):
        for phrase in table(phrases):
            parts = phrase.split()
            if [token.norm for token in tokens[last : last + len(parts)]] == parts:
                return last + len(parts), operator
    return None


def _one(tokens: Sequence[Token], first: int) -> tuple[int, str] | None:
    """The stage at a position: its end, and its id."""
    if first >= len(tokens):
        return None
    if tokens[first].norm == "a" and first + 1 < len(tokens):
        first += 1
    found = vocabulary().at(tokens, first, kind="stage")
    return (found[0], found[1][0].id) if found else None


def _next(tokens: Sequence[Token], place: int, stages: Sequence[str]) -> tuple[int, str] | None:
    """A letter alone, or a stage, that continues a list: the "C" of "Series A, B or C"."""
    if place >= len(tokens) or tokens[place].line:
        return None
    token = tokens[place]
    if found := _one(tokens, place):
        return found if token.norm != "a" or token.text == "A" else None
    joined = place + 1 < len(tokens) and tokens[place + 1].joined
    is_letter = token.text.isupper() or (stages[-1].startswith("series_") and token.text != "a")
    if token.norm in LETTERS and is_letter and not joined:
        return place + 1, LETTERS[token.norm]
    return None


def _skip_round(tokens: Sequence[Token], place: int) -> int:
    """Skip "stage", "round" and "funding" after a stage."""
    while place < len(tokens) and tokens[place].stem in words("stage_words") and not tokens[place].line:
        place += 1
    return place
