"""
Ranges and lists of funding stages: "seed to Series A", "Series B+", "Series A, B or C".
"""

import functools
import itertools

import msgspec

from enrichment.blueprint.reading.context import Mention, Text
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, VocabularyFile, load
from enrichment.blueprint.reading.words import DASHES
from schemas import ProfileFunding, ProfileRange


@functools.cache
def funding_rounds() -> tuple[ProfileFunding, ...]:
    """The funding rounds, in order."""
    return tuple(
        ProfileFunding(stage=row.id, name=row.name, found=NOWHERE) for row in load("funding", VocabularyFile).stages
    )


def expand_stages(text: Text, mentions: list[Mention]) -> list[Mention]:
    """Expand the mention of a range or list of funding rounds to all rounds in it."""
    done: list[Mention] = []
    for place, mention in enumerate(mentions):
        if _round_indices(mention) and done and _round_indices(done[-1]) and _are_ends(text, done[-1], mention):
            _set_rounds(done[-1], [*_round_indices(done[-1]), *_round_indices(mention)], whole=True)
            done[-1].last = mention.last
        else:
            done.append(mention)
        if _round_indices(done[-1]):
            free = mentions[place + 1].first if place + 1 < len(mentions) else len(text.words)
            _extend_by_letters(text, done[-1], free)
            _extend_by_bounds(text, done[-1], done[-2].last if len(done) > 1 else 0)
    for one, other in itertools.pairwise(done):
        if one.last == other.first and text.words[other.first].adjacent:
            _mark_as_raised(one, other)
    return done


def _mark_as_raised(one: Mention, other: Mention) -> None:
    """Change a sum next to a round to funding: "$10M Series A"."""
    for amount, stage in ((one, other), (other, one)):
        if amount.guessed and stage.kind == "funding":
            amount.entities = tuple(
                msgspec.structs.replace(entity, measure="funding")
                for entity in amount.entities
                if isinstance(entity, ProfileRange)
            )


def _round_indices(mention: Mention) -> list[int]:
    """The positions of the mentioned rounds in `funding_rounds()`."""
    return [
        funding_rounds().index(entity)
        for entity in mention.entities
        if isinstance(entity, ProfileFunding) and entity in funding_rounds()
    ]


def _set_rounds(mention: Mention, indices: list[int], *, whole: bool) -> None:
    """Set the rounds of a mention; `whole` includes all rounds between the first and the last."""
    chosen = range(min(indices), max(indices) + 1) if whole else sorted(set(indices))
    mention.entities = tuple(funding_rounds()[index] for index in chosen)


def _are_ends(text: Text, low: Mention, high: Mention) -> bool:
    """Whether two mentions are the ends of a range, with "to" or a dash between them."""
    if low.last == high.first:
        return text.words[high.first].gap.strip() in DASHES
    through = grammar().through.at(text.words, low.last)
    return bool(through and through[0] == high.first and text.words[low.last].adjacent)


def _extend_by_letters(text: Text, mention: Mention, free: int) -> None:
    """Extend a mention by the letters after it: "Series A-C", "Series A/B", "Series A, B or C"."""
    words, rules = text.words, grammar()
    while mention.last < free and not words[mention.last].after_break:
        gap, place = words[mention.last].gap, mention.last
        through = rules.through.at(words, place)
        conjunctions = rules.conjunctions.at(words, place)
        if link := through or conjunctions:
            place = link[0]
        elif gap.strip() not in DASHES | {"/", ","}:
            return
        if place >= free or (index := _round_of_letter(text, place)) is None:
            return
        _set_rounds(mention, [*_round_indices(mention), index], whole=bool(through) or gap.strip() in DASHES)
        mention.last = place + 1


def _round_of_letter(text: Text, place: int) -> int | None:
    """The position of the series that a single letter refers to."""
    excerpt = text.excerpt(place, place + 1)
    if text.mixed_case and not excerpt.isupper():
        return None
    ids = [stage.stage for stage in funding_rounds()]
    id_ = f"series_{text.words[place].normalized}"
    return ids.index(id_) if id_ in ids else None


def _extend_by_bounds(text: Text, mention: Mention, taken: int) -> None:
    """Extend a mention to later or earlier rounds: "Series B+", "up to Series C", "pre-Series A"."""
    rules, words, indices = grammar(), text.words, _round_indices(mention)
    last = len(funding_rounds()) - 1
    if mention.last < len(words) and words[mention.last].adjacent:
        if later := rules.at_least.at(words, mention.last):
            mention.last = later[0]
            _set_rounds(mention, [*indices, last], whole=True)
        elif earlier := rules.at_most.at(words, mention.last):
            mention.last = earlier[0]
            _set_rounds(mention, [0, *indices], whole=True)
    if len(indices) == 1 and words[mention.first].adjacent:
        for bound, others in ((rules.at_least, [last]), (rules.at_most, [0])):
            if (found := bound.before(words, mention.first)) and found[0] >= taken:
                mention.first = found[0]
                _set_rounds(mention, [*indices, *others], whole=True)
                return
        if indices[0] and (found := rules.before.before(words, mention.first)) and found[0] >= taken:
            mention.first = found[0]
            _set_rounds(mention, [0, indices[0] - 1], whole=True)
