"""
Parsing of what a caller writes about their ideal customers into a customer profile.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from enrichment.blueprint.reading.context import Mention, Text
from enrichment.blueprint.reading.contradictions import contradictions
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, Entity
from enrichment.blueprint.reading.mentions import find_mentions
from enrichment.blueprint.reading.negation import Negation, apply_negation
from enrichment.blueprint.reading.signals import attach_arguments
from enrichment.blueprint.reading.stages import expand_stages
from schemas import CustomerProfile, FoundInProfile, IcpObject, NotUnderstood, ProfileRange

FIELDS: Final = {
    "industry": "industries",
    "model": "business_models",
    "technology": "technologies",
    "category": "technologies",
    "place": "geographies",
    "persona": "personas",
    "funding": "funding",
    "signal": "signals",
}
OR: Final = frozenset({"or", "oder", "ou", "o"})
MEASURES: Final = {"employees": "company_size", "revenue": "revenue", "arr": "revenue", "funding": "funding_amount"}


def read_icp(given: str | IcpObject) -> CustomerProfile:
    """
    Parse a profile from free text, or from the texts of an object.

    It never fails: passages without a meaning are listed in `not_understood`, and contradictory statements in
    `contradictions`. Of several mentions of an entity, the one with the highest confidence is kept. `confidence` and
    `reasoning` are not set.
    """
    entities_by_field: dict[str, list[Entity]] = {}
    not_understood: list[NotUnderstood] = []
    lists: dict[FoundInProfile, int] = {}
    for text in _texts(given):
        negation = apply_negation(text, attach_arguments(text, expand_stages(text, find_mentions(text))))
        for mention in negation.mentions:
            for entity in mention.entities:
                entities_by_field.setdefault(_field(mention, entity), []).append(_located(text, mention, entity))
        not_understood += _find_not_understood(negation)
        _number_lists(negation, lists)
    icp = CustomerProfile(**{field: _deduplicated(entities) for field, entities in entities_by_field.items()})  # type: ignore[arg-type]
    return msgspec.structs.replace(icp, not_understood=tuple(not_understood), contradictions=contradictions(icp, lists))


def _texts(given: str | IcpObject) -> Iterator[Text]:
    if isinstance(given, str):
        yield Text.of("text", 0, given)
        return
    for field in given.__struct_fields__:
        value: str | tuple[str, ...] | None = getattr(given, field)
        for index, text in enumerate((value,) if isinstance(value, str) else value or ()):
            yield Text.of(field, index, text)


def _field(mention: Mention, entity: Entity) -> str:
    """The field of the profile for an entity."""
    return MEASURES[entity.measure] if isinstance(entity, ProfileRange) else FIELDS[mention.kind]


def _located(text: Text, mention: Mention, entity: Entity) -> Entity:
    found = _location(text, mention)
    if mention.within_days is not None:
        return msgspec.structs.replace(entity, found=found, excluded=mention.excluded, within_days=mention.within_days)
    return msgspec.structs.replace(entity, found=found, excluded=mention.excluded)


def _location(text: Text, mention: Mention) -> FoundInProfile:
    return FoundInProfile(
        field=text.field,
        text=text.excerpt(mention.first, mention.last),
        start=text.words[mention.first].start,
        end=text.words[mention.last - 1].end,
        confidence=mention.confidence,
        index=text.index,
    )


def _deduplicated(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Remove duplicates: keep the mention with the highest confidence, in the order of first mentions."""
    best: dict[Entity, Entity] = {}
    for entity in entities:
        same = msgspec.structs.replace(entity, found=NOWHERE)
        if same not in best or best[same].found.confidence < entity.found.confidence:
            best[same] = entity
    return tuple(best.values())


def _number_lists(negation: Negation, lists: dict[FoundInProfile, int]) -> None:
    """Number the lists of alternatives of one kind: "SMB and enterprise", "10-50 or 200+ people"."""
    chain: list[Mention] = []
    for mention in [*negation.mentions, None]:
        listed = chain and mention and chain[-1].group == mention.group
        if not (mention and listed and grammar().are_listed(negation.text.words, chain[-1].last, mention.first)):
            is_choice = _is_choice(negation.text, chain)
            for place, link in enumerate(chain):
                lists[_location(negation.text, link)] = len(lists) - (place if is_choice else 0)
            chain = []
        chain += [mention] if mention else []


def _is_choice(text: Text, chain: list[Mention]) -> bool:
    """Whether a list consists of alternatives; for sizes in numbers, only if it contains "or"."""
    between = [
        text.words[place].normalized
        for one, other in itertools.pairwise(chain)
        for place in range(one.last, other.first)
    ]
    in_words = all(mention.kind != "amount" for mention in chain)
    return in_words or text.field == "company_size" or not OR.isdisjoint(between)


def _find_not_understood(negation: Negation) -> Iterator[NotUnderstood]:
    """Iterate over the passages that were not understood, without function words."""
    text, rules = negation.text, grammar()
    covered = {
        word for mention in negation.mentions for word in range(mention.first, mention.last)
    } | negation.understood
    run: list[int] = []
    for place, word in enumerate(text.words):
        if run and (place in covered or word.after_break or "," in word.gap):
            yield _passage(text, run)
            run = []
        if place not in covered and (place in negation.not_understood or not rules.is_function_word(word)):
            run.append(place)
    if run:
        yield _passage(text, run)


def _passage(text: Text, run: list[int]) -> NotUnderstood:
    first, last = run[0], run[-1] + 1
    start, end = text.words[first].start, text.words[last - 1].end
    return NotUnderstood(field=text.field, text=text.excerpt(first, last), start=start, end=end, index=text.index)
