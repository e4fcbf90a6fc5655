"""
Which of the things that a text names it does not want: "not using HubSpot", "except agencies", "outside the US".
"""

import bisect
import itertools
from typing import Final

import msgspec

from enrichment.blueprint.reading.context import Pick, Text
from enrichment.blueprint.reading.grammar import grammar

MAX_UNKNOWN: Final = 2


class Negator(msgspec.Struct, frozen=True, kw_only=True):
    """Words that say no to what follows. A `heading` does so to a whole list of all kinds of things."""

    first: int
    last: int
    heading: bool
    places_only: bool


class Scope(msgspec.Struct, kw_only=True):
    """The picks that stay; and of the other words those that had their effect, and those that must be told of."""

    text: Text
    picks: list[Pick]
    read: set[int]
    unread: set[int]

    def exclude(self, place: int, negator: Negator) -> None:
        """Say no to this pick and to what goes on with it."""
        self.picks[place].excluded = True
        groups = {self.picks[place].group}
        for before, pick in itertools.pairwise(self.picks[place:]):
            if not self._is_listed(before, pick):
                break
            compound = before.last == pick.first and self.text.words[pick.first].near
            if not (negator.heading or compound or self._goes_on(before, pick, groups)):
                break
            pick.excluded = True
            groups.add(pick.group)

    def exclude_back(self, place: int) -> None:
        """Say no to this pick and to those before it that it goes on with."""
        self.picks[place].excluded = True
        groups = {self.picks[place].group}
        for pick, before in itertools.pairwise(reversed(self.picks[: place + 1])):
            if not (self._is_listed(before, pick) and self._goes_on(before, before, groups)):
                break
            before.excluded = True
            groups.add(before.group)

    def _is_listed(self, before: Pick, pick: Pick) -> bool:
        return grammar().are_listed(self.text.words, before.last, pick.first)

    def _goes_on(self, before: Pick, pick: Pick, groups: set[str]) -> bool:
        """Whether a no to things of these groups is one to this, too: it is like them, or joined by "or"."""
        if pick.group in groups:
            return True
        joined = grammar().joining.at(self.text.words, before.last)
        return joined is not None and "," not in self.text.words[before.last].gap and pick.kind != "amount"

    def drop(self, picks: list[Pick], first: int) -> None:
        """Take these picks as not understood, with the words before them from `first` on."""
        self.unread |= set(range(first, picks[-1].last))
        self.picks = [pick for pick in self.picks if pick not in picks]


def read_scope(text: Text, picks: list[Pick]) -> Scope:
    """The picks, with those marked that are not wanted, and without those that tell of the leads' own customers."""
    kept, unread = _without_customers(text, picks)
    scope = Scope(text=text, picks=kept, read=set(), unread=unread)
    for place, pick in enumerate(kept):
        after = grammar().negators_after.at(text.words, pick.last)
        if after and text.words[pick.last].near and not _is_heading(text, after[0]):
            scope.read |= set(range(pick.last, after[0]))
            scope.exclude_back(place)
    covered = {word for pick in kept for word in range(pick.first, pick.last)} | unread | scope.read
    for negator in _negators(text, covered):
        target = _target(text, scope.picks, negator)
        words = set(range(negator.first, negator.last))
        if target is None:
            scope.unread |= set() if negator.places_only else words
        elif compound := _inexpressible(text, scope.picks, target):
            scope.drop(compound, negator.first)
        else:
            scope.read |= words
            scope.exclude(target, negator)
    return scope


def _without_customers(text: Text, picks: list[Pick]) -> tuple[list[Pick], set[int]]:
    """In "agencies serving restaurants", restaurants are no leads; those words are left as not understood."""
    rules = grammar()
    kept: list[Pick] = []
    unread: set[int] = set()
    dropped: Pick | None = None
    for pick in picks:
        lead = rules.customers.before(text.words, pick.first)
        start = lead[0] if lead else pick.first
        # "Selling to restaurants" alone tells whom the caller sells to: those are the leads.
        told_of = bool(kept) and kept[-1].last <= start and text.words[start].gap.strip() in ("", ",", ")")
        begins = lead and told_of and pick.kind in ("industry", "size", "place", "model")
        goes_on = dropped and dropped.group == pick.group and rules.are_listed(text.words, dropped.last, pick.first)
        if begins or goes_on:
            unread |= set(range(start, pick.last))
            dropped = pick
        else:
            kept.append(pick)
            dropped = None
    return kept, unread


def _negators(text: Text, covered: set[int]) -> list[Negator]:
    """All that say no, outside of what is understood otherwise."""
    rules, words = grammar(), text.words
    negators = []
    place = 0
    while place < len(words):
        other = rules.not_negators.at(words, place)
        found = rules.negators.at(words, place) or rules.outside.at(words, place)
        if place in covered or not found or other:
            place = other[0] if other and place not in covered else place + 1
            continue
        last = next((word for word in range(place, found[0]) if word in covered), found[0])
        heading = _is_heading(text, last)
        places_only = not rules.negators.at(words, place)
        negators.append(Negator(first=place, last=last, heading=heading, places_only=places_only))
        place = last
    return negators


def _is_heading(text: Text, last: int) -> bool:
    """Whether the words that end before this one have a colon after them."""
    return last < len(text.words) and ":" in text.words[last].gap


def _target(text: Text, picks: list[Pick], negator: Negator) -> int | None:
    """Which pick the negator says no to: the next one, with little before it that could be meant instead."""
    rules, words = grammar(), text.words
    target = bisect.bisect_left(picks, negator.last, key=lambda pick: pick.first)
    if target == len(picks) or (negator.places_only and picks[target].kind != "place"):
        return None
    unknown = 0
    for place in range(negator.last, picks[target].first + 1):
        apart = words[place].ends or ("," in words[place].gap and place > negator.last)
        if apart or unknown > MAX_UNKNOWN or (unknown and rules.prepositions.at(words, place)):
            return None
        unknown += not rules.is_small(words[place])
    return target


def _inexpressible(text: Text, picks: list[Pick], target: int) -> list[Pick]:
    """A compound of which no part alone is unwanted: "no German agencies" says no to neither of the two."""
    compound = [picks[target]]
    for before, pick in itertools.pairwise(picks[target:]):
        if before.last != pick.first or not text.words[pick.first].near:
            break
        compound.append(pick)
    kinds = {pick.kind for pick in compound}
    return compound if "place" in kinds and len(kinds) > 1 else []
