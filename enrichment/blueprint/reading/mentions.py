"""
Mentions of entities in a text: the longest expressions, each with the sense that fits its context best.
"""

import itertools

import msgspec

from enrichment.blueprint.reading.amounts import Amount, read_amounts
from enrichment.blueprint.reading.confidence import confidence
from enrichment.blueprint.reading.context import Context, Mention, Text
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, Entity, Sense
from enrichment.blueprint.reading.vocabulary import vocabulary
from schemas import ProfilePersona, ProfilePlace, ProfileRange


class Candidate(msgspec.Struct, frozen=True):
    """An expression with its possible senses, or an amount. An idiom has neither, and means nothing."""

    first: int
    last: int
    senses: tuple[Sense, ...] = ()
    amount: Amount | None = None


def find_mentions(text: Text) -> list[Mention]:
    """Find the mentions in a text, in order and without overlaps."""
    candidates = _longest_matches(text, _candidates(text))
    countries = frozenset(_certain_countries(candidates))
    mentions: list[Mention] = []
    for candidate, following in itertools.zip_longest(candidates, candidates[1:]):
        if candidate.amount:
            mentions.append(_amount_mention(candidate.amount))
        if not candidate.senses:
            continue
        context = Context(
            text=text,
            first=candidate.first,
            last=candidate.last,
            previous=mentions[-1] if mentions else None,
            next_start=following.first if following else len(text.words),
            next_senses=following.senses if following else (),
            next_text=text.excerpt(following.first, following.last) if following else "",
            countries=countries,
        )
        score, _, sense = max(
            ((confidence(sense, context), -order, sense) for order, sense in enumerate(candidate.senses)),
            key=lambda believed: believed[:2],
        )
        if score:
            mentions.append(_sense_mention(candidate, sense, round(score, 2), mentions[-1] if mentions else None))
    return mentions


def _candidates(text: Text) -> list[Candidate]:
    amounts = read_amounts(text.words, is_size_field=text.field == "company_size")
    found = [Candidate(amount.first, amount.last, amount=amount) for amount in amounts]
    for first in range(len(text.words)):
        if idiom := grammar().idioms.at(text.words, first):
            found.append(Candidate(first, idiom[0]))
        found += [Candidate(first, last, senses) for last, senses in vocabulary().at(text.words, first)]
    return found


def _longest_matches(text: Text, candidates: list[Candidate]) -> list[Candidate]:
    """Of overlapping candidates, keep the longest, or else the first."""
    words = text.words
    taken = [False] * len(words)
    chosen = []
    for candidate in sorted(candidates, key=lambda one: (words[one.first].start - words[one.last - 1].end, one.first)):
        if not any(taken[candidate.first : candidate.last]):
            taken[candidate.first : candidate.last] = [True] * (candidate.last - candidate.first)
            chosen.append(candidate)
    return sorted(chosen, key=lambda one: one.first)


def _certain_countries(candidates: list[Candidate]) -> list[str]:
    """The countries of the places that the text names unambiguously."""
    return [
        sense.entities[0].countries[0]
        for candidate in candidates
        for sense in candidate.senses
        if sense.ambiguity == "none"
        and isinstance(sense.entities[0], ProfilePlace)
        and len(sense.entities[0].countries) == 1
    ]


def _amount_mention(amount: Amount) -> Mention:
    size = ProfileRange(
        minimum=amount.minimum,
        maximum=amount.maximum,
        currency=amount.currency,
        measure=amount.measure,
        found=NOWHERE,
    )
    return Mention(
        first=amount.first,
        last=amount.last,
        kind="amount",
        entities=(size,),
        confidence=amount.confidence,
        guessed=amount.guessed,
    )


def _sense_mention(candidate: Candidate, sense: Sense, score: float, before: Mention | None) -> Mention:
    entities = sense.entities
    if sense.kind == "department":
        entities = (_with_seniority(entities, before),)
    return Mention(
        first=candidate.first,
        last=candidate.last,
        kind="persona" if sense.kind == "department" else sense.kind,
        entities=entities,
        confidence=score,
        argument_kind=sense.argument_kind,
    )


def _with_seniority(entities: tuple[Entity, ...], before: Mention | None) -> Entity:
    """Find the persona of a department with the seniority of the previous one: "heads of sales and marketing"."""
    named = before.entities[0] if before else None
    seniority = named.seniority if isinstance(named, ProfilePersona) else "any"
    return next(
        (entity for entity in entities if isinstance(entity, ProfilePersona) and entity.seniority == seniority),
        entities[0],
    )
