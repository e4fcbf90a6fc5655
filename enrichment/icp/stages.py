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


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """
    Funding stages in the tokens from `first` to before `last`: a list of alternatives, or a range with an open end
    ("gte", "lte") or without one ("between").
    """

    first: int
    last: int
    operator: str
    stages: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """All the stages that are meant."""
        return stage_codes(self.operator, self.stages)


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
    place, bound = first, None
    while (
        _one(tokens, place) is None
        and place < len(tokens)
        and place - first < 3
        and tokens[place].norm in words("later_stage") | words("earlier_stage") | {"at", "up", "to", "a", "their"}
    ):
        word = tokens[place].norm
        bound = (
            "gte"
            if word in words("later_stage")
            else "before"
            if word in words("earlier_stage")
            else "lte"
            if word == "up"
            else bound
        )
        place += 1
    if place > first and bound is None:
        return None
    found = _one(tokens, place)
    if found is None:
        return None
    last, stages = found[0], [found[1]]
    operator = "eq"
    end = _skip_round(tokens, last)
    if (
        end < len(tokens)
        and tokens[end].norm in words("stage_through")
        and (two := _one(tokens, end + 1) or _letter(tokens, end + 1, stages))
        and STAGES.index(two[1]) > STAGES.index(stages[0])
    ):
        last, operator = two[0], "between"
        stages.append(two[1])
    elif (
        last < len(tokens)
        and tokens[last].joined
        and (two := _letter(tokens, last, stages))
        and STAGES.index(two[1]) > STAGES.index(stages[0])
    ):
        last, operator = two[0], "between"
        stages.append(two[1])
    else:
        while last < len(tokens) and tokens[last].norm in words("stage_list") and len(stages) < len(STAGES):
            after = last + 1
            while after < len(tokens) and tokens[after].norm in words("stage_list"):
                after += 1
            two = _letter(tokens, after, stages)
            if two is None:
                break
            last = two[0]
            stages.append(two[1])
    last = _skip_round(tokens, last)
    if last < len(tokens) and tokens[last].norm == "+":
        return Stages(first=first, last=last + 1, operator="gte", stages=tuple(stages))
    for phrases, name in (("later_phrases", "gte"), ("earlier_phrases", "lte")):
        for phrase in table(phrases):
            parts = phrase.split()
            if [token.norm for token in tokens[last : last + len(parts)]] == parts:
                return Stages(first=first, last=last + len(parts), operator=name, stages=tuple(stages))
    if bound == "before":
        index = STAGES.index(stages[0])
        before = STAGES[max(0, index - 1)]
        return Stages(first=first, last=last, operator="lte", stages=(before,))
    if bound and operator == "eq":
        return Stages(first=first, last=last, operator=bound, stages=tuple(stages))
    return Stages(first=first, last=last, operator=operator, stages=tuple(stages))


def _one(tokens: Sequence[Token], first: int) -> tuple[int, str] | None:
    """The stage at a position: its end, and its id."""
    if first >= len(tokens):
        return None
    if tokens[first].norm == "a" and first + 1 < len(tokens):
        first += 1
    if tokens[first].stem in ("series", "serie") and first + 1 < len(tokens):
        letter = tokens[first + 1].norm
        place = first + 2
        if letter in LETTERS:
            return place, LETTERS[letter]
        return None
    found = vocabulary().at(tokens, first, kind="stage")
    return (found[0], found[1][0].id) if found else None


def _letter(tokens: Sequence[Token], place: int, stages: Sequence[str]) -> tuple[int, str] | None:
    """A letter alone, or a stage, that continues a list: the "C" of "Series A, B or C"."""
    if place >= len(tokens) or tokens[place].line:
        return None
    if found := _one(tokens, place):
        return found if tokens[place].norm != "a" or tokens[place].text == "A" else None
    token = tokens[place]
    if token.norm in LETTERS and token.text.isupper():
        return place + 1, LETTERS[token.norm]
    return None


def _skip_round(tokens: Sequence[Token], place: int) -> int:
    """Skip "stage", "round" and "funding" after a stage."""
    while place < len(tokens) and tokens[place].stem in words("stage_words") and not tokens[place].line:
        place += 1
    return place
