"""
Stages of funding that are told as a range: "seed to Series A", "Series B+", "Series A, B or C".
"""

import functools
import itertools

import msgspec

from enrichment.blueprint.reading.context import Pick, Text
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, File, load
from enrichment.blueprint.reading.words import DASHES
from enrichment.blueprint.values import Funding, Range


@functools.cache
def rounds() -> tuple[Funding, ...]:
    """The rounds of funding, from the first to the last."""
    return tuple(Funding(stage=row.id, name=row.name, found=NOWHERE) for row in load("funding", File).stages)


def with_ranges(text: Text, picks: list[Pick]) -> list[Pick]:
    """The picks, where a stage that stands for several (those after it, those up to another) brings them all."""
    done: list[Pick] = []
    for place, pick in enumerate(picks):
        if _ranks(pick) and done and _ranks(done[-1]) and _are_ends(text, done[-1], pick):
            _spread(done[-1], [*_ranks(done[-1]), *_ranks(pick)], whole=True)
            done[-1].last = pick.last
        else:
            done.append(pick)
        if _ranks(done[-1]):
            free = picks[place + 1].first if place + 1 < len(picks) else len(text.words)
            _take_letters(text, done[-1], free)
            _take_bounds(text, done[-1], done[-2].last if len(done) > 1 else 0)
    for one, other in itertools.pairwise(done):
        if one.last == other.first and text.words[other.first].near:
            _take_sum(one, other)
    return done


def _take_sum(one: Pick, other: Pick) -> None:
    """Money that stands by a round was raised in it: "$10M Series A"."""
    for amount, stage in ((one, other), (other, one)):
        if amount.guessed and stage.kind == "funding":
            amount.things = tuple(
                msgspec.structs.replace(thing, measure="funding") for thing in amount.things if isinstance(thing, Range)
            )


def _ranks(pick: Pick) -> list[int]:
    """Which rounds the pick stands for, by their order; none if it is of another matter."""
    return [rounds().index(thing) for thing in pick.things if isinstance(thing, Funding) and thing in rounds()]


def _spread(pick: Pick, ranks: list[int], *, whole: bool) -> None:
    """Let the pick stand for these rounds, or for all from the first to the last of them (`whole`)."""
    chosen = range(min(ranks), max(ranks) + 1) if whole else sorted(set(ranks))
    pick.things = tuple(rounds()[rank] for rank in chosen)


def _are_ends(text: Text, low: Pick, high: Pick) -> bool:
    """Whether "to" or a dash stands between the two, and nothing else."""
    if low.last == high.first:
        return text.words[high.first].gap.strip() in DASHES
    through = grammar().through.at(text.words, low.last)
    return bool(through and through[0] == high.first and text.words[low.last].near)


def _take_letters(text: Text, pick: Pick, free: int) -> None:
    """Letters that go on with a series: "Series A-C", "Series A/B", "Series A, B or C"."""
    words, rules = text.words, grammar()
    while pick.last < free and not words[pick.last].ends:
        gap, place = words[pick.last].gap, pick.last
        through = rules.through.at(words, place)
        joining = rules.joining.at(words, place)
        if link := through or joining:
            place = link[0]
        elif gap.strip() not in DASHES | {"/", ","}:
            return
        if place >= free or (rank := _lettered(text, place)) is None:
            return
        _spread(pick, [*_ranks(pick), rank], whole=bool(through) or gap.strip() in DASHES)
        pick.last = place + 1


def _lettered(text: Text, place: int) -> int | None:
    """The series of this letter alone."""
    shown = text.shown(place, place + 1)
    if text.cased and not shown.isupper():
        return None
    ids = [stage.stage for stage in rounds()]
    id_ = f"series_{text.words[place].plain}"
    return ids.index(id_) if id_ in ids else None


def _take_bounds(text: Text, pick: Pick, taken: int) -> None:
    """Let words beside a round open it to later or earlier ones: "Series B+", "up to Series C", "pre-Series A"."""
    rules, words, ranks = grammar(), text.words, _ranks(pick)
    last = len(rounds()) - 1
    if pick.last < len(words) and words[pick.last].near:
        if later := rules.at_least.at(words, pick.last):
            pick.last = later[0]
            _spread(pick, [*ranks, last], whole=True)
        elif earlier := rules.at_most.at(words, pick.last):
            pick.last = earlier[0]
            _spread(pick, [0, *ranks], whole=True)
    if len(ranks) == 1 and words[pick.first].near:
        for bound, others in ((rules.at_least, [last]), (rules.at_most, [0])):
            if (found := bound.before(words, pick.first)) and found[0] >= taken:
                pick.first = found[0]
                _spread(pick, [*ranks, *others], whole=True)
                return
        if ranks[0] and (found := rules.before.before(words, pick.first)) and found[0] >= taken:
            pick.first = found[0]
            _spread(pick, [0, ranks[0] - 1], whole=True)
