"""
Negation: which mentions are excluded ("not using HubSpot", "except agencies", "outside the US").
"""

import bisect
import itertools
from typing import Final

import msgspec

from enrichment.blueprint.reading.context import Mention, Text
from enrichment.blueprint.reading.grammar import grammar

MAX_UNKNOWN: Final = 2


class Negator(msgspec.Struct, frozen=True, kw_only=True):
    """A negating expression. One that is a `heading` ("Exclude:") applies to a whole list of different kinds."""

    first: int
    last: int
    heading: bool
    places_only: bool


class Negation(msgspec.Struct, kw_only=True):
    """The remaining mentions, and of the other words those that were understood, and those that were not."""

    text: Text
    mentions: list[Mention]
    understood: set[int]
    not_understood: set[int]

    def exclude(self, place: int, negator: Negator) -> None:
        """Exclude a mention, and those after it that continue it."""
        self.mentions[place].excluded = True
        groups = {self.mentions[place].group}
        for before, mention in itertools.pairwise(self.mentions[place:]):
            if not self._is_listed(before, mention):
                break
            compound = before.last == mention.first and self.text.words[mention.first].adjacent
            if not (negator.heading or compound or self._continues(before, mention, groups)):
                break
            mention.excluded = True
            groups.add(mention.group)

    def exclude_backward(self, place: int) -> None:
        """Exclude a mention, and those before it that it continues."""
        self.mentions[place].excluded = True
        groups = {self.mentions[place].group}
        for mention, before in itertools.pairwise(reversed(self.mentions[: place + 1])):
            if not (self._is_listed(before, mention) and self._continues(before, before, groups)):
                break
            before.excluded = True
            groups.add(before.group)

    def _is_listed(self, before: Mention, mention: Mention) -> bool:
        return grammar().are_listed(self.text.words, before.last, mention.first)

    def _continues(self, before: Mention, mention: Mention, groups: set[str]) -> bool:
        """Whether the negation of these groups extends to a mention: it is of the same group, or joined by "or"."""
        if mention.group in groups:
            return True
        joined = grammar().conjunctions.at(self.text.words, before.last)
        return joined is not None and "," not in self.text.words[before.last].gap and mention.kind != "amount"

    def drop(self, mentions: list[Mention], first: int) -> None:
        """Remove mentions, and report them as not understood, together with the words from `first` on."""
        self.not_understood |= set(range(first, mentions[-1].last))
        self.mentions = [mention for mention in self.mentions if mention not in mentions]


def apply_negation(text: Text, mentions: list[Mention]) -> Negation:
    """Mark the excluded mentions, and remove those that describe the customers of the leads."""
    kept, not_understood = _without_customers(text, mentions)
    negation = Negation(text=text, mentions=kept, understood=set(), not_understood=not_understood)
    for place, mention in enumerate(kept):
        after = grammar().negators_after.at(text.words, mention.last)
        if after and text.words[mention.last].adjacent and not _is_heading(text, after[0]):
            negation.understood |= set(range(mention.last, after[0]))
            negation.exclude_backward(place)
    covered = (
        {word for mention in kept for word in range(mention.first, mention.last)} | not_understood | negation.understood
    )
    for negator in _negators(text, covered):
        target = _target(text, negation.mentions, negator)
        words = set(range(negator.first, negator.last))
        if target is None:
            negation.not_understood |= set() if negator.places_only else words
        elif compound := _inexpressible(text, negation.mentions, target):
            negation.drop(compound, negator.first)
        else:
            negation.understood |= words
            negation.exclude(target, negator)
    return negation


def _without_customers(text: Text, mentions: list[Mention]) -> tuple[list[Mention], set[int]]:
    """Remove customers of the leads, such as restaurants in "agencies serving restaurants"."""
    rules = grammar()
    kept: list[Mention] = []
    not_understood: set[int] = set()
    dropped: Mention | None = None
    for mention in mentions:
        lead = rules.customers.before(text.words, mention.first)
        start = lead[0] if lead else mention.first
        # "Selling to restaurants" on its own describes the customers of the caller, who are the leads.
        follows_lead = bool(kept) and kept[-1].last <= start and text.words[start].gap.strip() in ("", ",", ")")
        starts = lead and follows_lead and mention.kind in ("industry", "size", "place", "model")
        continues = (
            dropped and dropped.group == mention.group and rules.are_listed(text.words, dropped.last, mention.first)
        )
        if starts or continues:
            not_understood |= set(range(start, mention.last))
            dropped = mention
        else:
            kept.append(mention)
            dropped = None
    return kept, not_understood


def _negators(text: Text, covered: set[int]) -> list[Negator]:
    """Find negating expressions outside the words that are already understood."""
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
    """Whether a colon follows the word before `last`."""
    return last < len(text.words) and ":" in text.words[last].gap


def _target(text: Text, mentions: list[Mention], negator: Negator) -> int | None:
    """Find the mention that is negated: the next one, if few unknown words precede it."""
    rules, words = grammar(), text.words
    target = bisect.bisect_left(mentions, negator.last, key=lambda mention: mention.first)
    if target == len(mentions) or (negator.places_only and mentions[target].kind != "place"):
        return None
    unknown = 0
    for place in range(negator.last, mentions[target].first + 1):
        apart = words[place].after_break or ("," in words[place].gap and place > negator.last)
        if apart or unknown > MAX_UNKNOWN or (unknown and rules.prepositions.at(words, place)):
            return None
        unknown += not rules.is_function_word(words[place])
    return target


def _inexpressible(text: Text, mentions: list[Mention], target: int) -> list[Mention]:
    """Find a compound that cannot be excluded part by part: "no German agencies" excludes neither part alone."""
    compound = [mentions[target]]
    for before, mention in itertools.pairwise(mentions[target:]):
        if before.last != mention.first or not text.words[mention.first].adjacent:
            break
        compound.append(mention)
    kinds = {mention.kind for mention in compound}
    return compound if "place" in kinds and len(kinds) > 1 else []
