"""
Negation: which mentions are excluded ("not using HubSpot", "except agencies", "outside the US").
"""

import bisect
from typing import Final

import msgspec

from enrichment.blueprint.reading.context import Mention, Text
from enrichment.blueprint.reading.grammar import grammar

MAX_UNKNOWN: Final = 2
MAX_WORDS_BETWEEN: Final = 25


class Negator(msgspec.Struct, frozen=True, kw_only=True):
    """A negating expression. One that is a `heading` ("Exclude:") applies to a whole list of different kinds."""

    first: int
    last: int
    heading: bool
    places_only: bool


class Negation(msgspec.Struct, kw_only=True):
    """
    The remaining mentions, and of the other words those that were understood, and those that were not.

    `reached` has the mentions, by `id`, to which a negator before them extends, and whether it is a heading.
    """

    text: Text
    mentions: list[Mention]
    understood: set[int]
    not_understood: set[int]
    reached: dict[int, bool] = {}

    def exclude(self, place: int, negator: Negator) -> None:
        """Exclude a mention, and those after it that continue it."""
        before: Mention | None = None
        groups: set[str] = set()
        for index in range(place, len(self.mentions)):
            mention = self.mentions[index]
            if before and not (self._is_listed(before, mention) and self._extends(negator, before, mention, groups)):
                return
            if self.reached.get(id(mention), -1) >= negator.heading:  # with all that continues it
                return
            self.reached[id(mention)] = negator.heading
            mention.excluded = True
            groups.add(mention.group)
            before = mention

    def exclude_backward(self, place: int) -> None:
        """Exclude a mention, and those before it that it continues."""
        self.mentions[place].excluded = True
        groups = {self.mentions[place].group}
        for index in range(place - 1, -1, -1):
            before = self.mentions[index]
            if not (self._is_listed(before, self.mentions[index + 1]) and self._continues(before, before, groups)):
                return
            before.excluded = True
            groups.add(before.group)

    def _extends(self, negator: Negator, before: Mention, mention: Mention, groups: set[str]) -> bool:
        """Whether a negator of these groups extends to the next item of a list."""
        is_compound = _are_compound(self.text, before, mention)
        return negator.heading or is_compound or self._continues(before, mention, groups)

    def _is_listed(self, before: Mention, mention: Mention) -> bool:
        return grammar().are_listed(self.text.words, before.last, mention.first)

    def _continues(self, before: Mention, mention: Mention, groups: set[str]) -> bool:
        """Whether the negation of these groups extends to a mention: it is of the same group, or joined by "or"."""
        if mention.group in groups:
            return True
        joined = grammar().conjunctions.at(self.text.words, before.last)
        return joined is not None and "," not in self.text.words[before.last].gap and mention.kind != "amount"

    def drop(self, place: int, count: int, first: int) -> None:
        """Remove mentions, and report them as not understood, together with the words from `first` on."""
        self.not_understood.update(range(first, self.mentions[place + count - 1].last))
        del self.mentions[place : place + count]


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
            negation.drop(target, compound, negator.first)
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
    if mentions[target].first - negator.last > MAX_WORDS_BETWEEN:
        return None
    unknown = 0
    for place in range(negator.last, mentions[target].first + 1):
        apart = words[place].after_break or ("," in words[place].gap and place > negator.last)
        if apart or unknown > MAX_UNKNOWN or (unknown and rules.prepositions.at(words, place)):
            return None
        unknown += not rules.is_function_word(words[place])
    return target


def _inexpressible(text: Text, mentions: list[Mention], target: int) -> int:
    """
    Return the length of a compound that cannot be excluded part by part, or 0.

    "No German agencies" excludes neither part alone.
    """
    last = target + 1
    while last < len(mentions) and _are_compound(text, mentions[last - 1], mentions[last]):
        last += 1
    kinds = {mention.kind for mention in mentions[target:last]}
    return last - target if "place" in kinds and len(kinds) > 1 else 0


def _are_compound(text: Text, before: Mention, mention: Mention) -> bool:
    """Whether nothing is between two mentions: "German agencies"."""
    return before.last == mention.first and text.words[mention.first].adjacent
