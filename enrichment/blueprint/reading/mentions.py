"""
Which expressions of the vocabulary stand in a text: the longest ones, each with the meaning that its context bears out.
"""

import itertools

import msgspec

from enrichment.blueprint.reading.amounts import Amount, read_amounts
from enrichment.blueprint.reading.confidence import how_sure
from enrichment.blueprint.reading.context import Pick, Spot, Text
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, Meaning, Thing
from enrichment.blueprint.reading.vocabulary import vocabulary
from enrichment.blueprint.values import Persona, Place, Range


class Candidate(msgspec.Struct, frozen=True):
    """Words that may stand for something, or for nothing: an idiom has neither meanings nor an amount."""

    first: int
    last: int
    meanings: tuple[Meaning, ...] = ()
    amount: Amount | None = None


def pick_things(text: Text) -> list[Pick]:
    """What the text names, in order, no word twice."""
    candidates = _longest(text, _candidates(text))
    countries = frozenset(_beyond_doubt(candidates))
    picks: list[Pick] = []
    for candidate, after in itertools.zip_longest(candidates, candidates[1:]):
        if candidate.amount:
            picks.append(_sized(candidate.amount))
        if not candidate.meanings:
            continue
        spot = Spot(
            text=text,
            first=candidate.first,
            last=candidate.last,
            before=picks[-1] if picks else None,
            after=after.first if after else len(text.words),
            after_may_be=after.meanings if after else (),
            after_shown=text.shown(after.first, after.last) if after else "",
            countries=countries,
        )
        sure, _, meaning = max(
            ((how_sure(meaning, spot), -order, meaning) for order, meaning in enumerate(candidate.meanings)),
            key=lambda believed: believed[:2],
        )
        if sure:
            picks.append(_meant(candidate, meaning, round(sure, 2), picks[-1] if picks else None))
    return picks


def _candidates(text: Text) -> list[Candidate]:
    amounts = read_amounts(text.words, sized=text.field == "company_size")
    found = [Candidate(amount.first, amount.last, amount=amount) for amount in amounts]
    for first in range(len(text.words)):
        if idiom := grammar().idioms.at(text.words, first):
            found.append(Candidate(first, idiom[0]))
        found += [Candidate(first, last, meanings) for last, meanings in vocabulary().at(text.words, first)]
    return found


def _longest(text: Text, candidates: list[Candidate]) -> list[Candidate]:
    """Of candidates that share words the longest, of those alike the first; in the text's order."""
    words = text.words
    taken = [False] * len(words)
    chosen = []
    for candidate in sorted(candidates, key=lambda one: (words[one.first].start - words[one.last - 1].end, one.first)):
        if not any(taken[candidate.first : candidate.last]):
            taken[candidate.first : candidate.last] = [True] * (candidate.last - candidate.first)
            chosen.append(candidate)
    return sorted(chosen, key=lambda one: one.first)


def _beyond_doubt(candidates: list[Candidate]) -> list[str]:
    """Countries in which single places lie that the text names without a doubt."""
    return [
        meaning.things[0].countries[0]
        for candidate in candidates
        for meaning in candidate.meanings
        if meaning.caution == "none" and isinstance(meaning.things[0], Place) and len(meaning.things[0].countries) == 1
    ]


def _sized(amount: Amount) -> Pick:
    size = Range(
        minimum=amount.minimum,
        maximum=amount.maximum,
        currency=amount.currency,
        measure=amount.measure,
        found=NOWHERE,
    )
    return Pick(
        first=amount.first,
        last=amount.last,
        kind="amount",
        things=(size,),
        confidence=amount.confidence,
        guessed=amount.guessed,
    )


def _meant(candidate: Candidate, meaning: Meaning, sure: float, before: Pick | None) -> Pick:
    things = meaning.things
    if meaning.kind == "department":
        things = (_of_rank(things, before),)
    return Pick(
        first=candidate.first,
        last=candidate.last,
        kind="persona" if meaning.kind == "department" else meaning.kind,
        things=things,
        confidence=sure,
        takes=meaning.takes,
    )


def _of_rank(things: tuple[Thing, ...], before: Pick | None) -> Thing:
    """Somebody of the department, of the rank of whom the list told before: "heads of sales and marketing"."""
    told = before.things[0] if before else None
    rank = told.seniority if isinstance(told, Persona) else "any"
    return next((thing for thing in things if isinstance(thing, Persona) and thing.seniority == rank), things[0])
