"""
Strengths: what a negation or a wish applies to, before or after the words of it.

"Ideally" and "not" hold for their part between commas, and for the list that goes on in the next one; "non-" for what
is joined to it; "exclude" for the rest of the sentence; "preferred" and "too small" for what is before them.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from enrichment.icp.drafts import Draft, family, number_label
from enrichment.icp.vocabulary import words
from schemas import Measure, Strength

AFTER: Final[dict[str, Strength]] = {"exclude_after": "must_not", "wish_after": "should", "allowed_after": "should"}
ALLOWED: Final = frozenset({Measure.PERSONA, Measure.OWNERSHIP, Measure.TECHNOLOGY, Measure.SIGNAL})
'What "is ok" makes no condition of; an industry that is ok is an alternative.'
Reach = Literal["one", "list", "sentence"]


class Scope(msgspec.Struct, kw_only=True):
    """A negation or a wish that began in a chunk, and the measures that it has applied to so far."""

    strength: Strength
    reach: Reach
    number: int
    chunk: int
    measures: set[str] = msgspec.field(default_factory=set)
    in_brackets: bool = False
    only: frozenset[str] = frozenset()
    """The measures that it can apply to; any if it is empty."""
    is_soft: bool = False
    """Whether it is only a wish ("ideally not on Adyen"), which no strength says."""


class Scopes:
    """The negations and wishes that are open at a place of a sentence."""

    def __init__(self, section: Strength | None, number: int) -> None:
        self._section = section
        self._open: list[Scope] = []
        self._number = number

    @property
    def number(self) -> int:
        """Number of the newest negation or wish."""
        return self._number

    def open(
        self, strength: Strength, reach: Reach, chunk: int, *, in_brackets: bool, only: frozenset[str] = frozenset()
    ) -> Scope:
        """Begin a negation or a wish. It replaces one of the other kind."""
        self._number += 1
        scope = Scope(
            strength=strength, reach=reach, number=self._number, chunk=chunk, in_brackets=in_brackets, only=only
        )
        self._open = [scope]
        return scope

    def close(self) -> None:
        """End all of them, as "but" and "must" do."""
        self._open = []

    def soften(self) -> None:
        """Take what follows as uncertain: it makes no condition."""
        for scope in self._open:
            scope.is_soft = scope.is_soft or scope.strength == "must_not"

    def close_brackets(self) -> None:
        """End those that began in the brackets."""
        self._open = [one for one in self._open if not one.in_brackets]

    def is_excluding(self, chunk: int) -> bool:
        """Whether a negation is open in a part of the sentence."""
        return self._section == "must_not" or any(
            one.strength == "must_not" and (one.chunk == chunk or one.reach == "sentence") for one in self._open
        )

    def apply(self, draft: Draft, *, closed_by_only: bool) -> None:
        """Give a draft the strength of the scope that it is in."""
        draft.strength = self._section or draft.strength
        draft.negator = 0 if draft.strength == "must_not" else -1
        for scope in self._open:
            if scope.only and draft.measure not in scope.only:
                continue
            goes_on = draft.chunk == scope.chunk or family(draft.measure) in scope.measures
            if scope.reach == "list" and (not goes_on or (closed_by_only and draft.chunk != scope.chunk)):
                self._open = []
                continue
            scope.chunk = draft.chunk
            scope.measures.add(family(draft.measure))
            draft.strength = scope.strength
            draft.dropped = draft.dropped or scope.is_soft
            draft.negator = scope.number if scope.strength == "must_not" else -1
            if scope.reach == "one":
                self._open = []


def apply_after(kind: str, drafts: Sequence[Draft], chunk: int, spoken: Sequence[str] = ()) -> None:
    """
    Apply "preferred" or "too small" to the conditions before it: those of its part, or of the list before that.

    What is only allowed ("solo founder ok") is no condition, unless it is an alternative to another one.
    """
    if kind == "allowed_after":
        for draft in drafts:
            if draft.chunk == chunk and draft.measure in ALLOWED:
                others = (one for one in drafts if one.measure is draft.measure and one.strength == draft.strength)
                draft.dropped = all(one.chunk == chunk for one in others)
        return
    if words("limits") & set(spoken) and _reverse_number(drafts[-1], chunk, spoken):
        return
    measures: set[str] = set()
    for draft in reversed(drafts):
        if draft.dropped:
            break
        if draft.chunk != chunk and measures and (draft.measure not in measures or draft.strength != "must"):
            break
        if draft.chunk < chunk - 1 and not measures:
            break
        measures.add(draft.measure)
        draft.strength = AFTER[kind]
        draft.negator = 0 if draft.strength == "must_not" else -1


def _reverse_number(draft: Draft, chunk: int, spoken: Sequence[str]) -> bool:
    """
    Exclude the number before "too small", and no other condition; False if there is none. "10 people is too small"
    excludes those with fewer, too.
    """
    value = draft.value
    if draft.chunk != chunk or isinstance(value, (str, bool)):
        return False
    draft.strength, draft.negator = "must_not", 0
    if draft.operator == "eq":
        draft.operator = "gte" if words("upper_limits") & set(spoken) else "lte"
        draft.label = number_label(draft.measure, draft.operator, value, draft.currency, draft.unit)
    return True
