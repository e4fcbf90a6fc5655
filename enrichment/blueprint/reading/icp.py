"""
What a caller writes about their ideal customers → an ideal customer profile, and what of it was not understood.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from enrichment.blueprint.reading.context import Pick, Text
from enrichment.blueprint.reading.contradictions import contradictions
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, Thing
from enrichment.blueprint.reading.mentions import pick_things
from enrichment.blueprint.reading.scope import Scope, read_scope
from enrichment.blueprint.reading.signals import with_belongings
from enrichment.blueprint.reading.stages import with_ranges
from enrichment.blueprint.values import Found, Icp, IcpInput, Range, Unread

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


def read_icp(given: str | IcpInput) -> Icp:
    """
    The profile that the text, or the object's texts, tell of.

    Never fails: what it cannot make sense of stands in `not_understood`, what cannot all be true in `contradictions`.
    Of things told twice the surer telling stays.
    """
    told: dict[str, list[Thing]] = {}
    unread: list[Unread] = []
    lists: dict[Found, int] = {}
    for text in _texts(given):
        scope = read_scope(text, with_belongings(text, with_ranges(text, pick_things(text))))
        for pick in scope.picks:
            for thing in pick.things:
                told.setdefault(_field(pick, thing), []).append(_as_found(text, pick, thing))
        unread += _unread(scope)
        _tell_lists(scope, lists)
    icp = Icp(**{field: _once(things) for field, things in told.items()})  # type: ignore[arg-type]
    return msgspec.structs.replace(icp, not_understood=tuple(unread), contradictions=contradictions(icp, lists))


def _texts(given: str | IcpInput) -> Iterator[Text]:
    if isinstance(given, str):
        yield Text.of("text", 0, given)
        return
    for field in given.__struct_fields__:
        value: str | tuple[str, ...] | None = getattr(given, field)
        for index, text in enumerate((value,) if isinstance(value, str) else value or ()):
            yield Text.of(field, index, text)


def _field(pick: Pick, thing: Thing) -> str:
    """The profile's field that the thing belongs in."""
    return MEASURES[thing.measure] if isinstance(thing, Range) else FIELDS[pick.kind]


def _as_found(text: Text, pick: Pick, thing: Thing) -> Thing:
    found = _where(text, pick)
    if pick.within_days is not None:
        return msgspec.structs.replace(thing, found=found, excluded=pick.excluded, within_days=pick.within_days)
    return msgspec.structs.replace(thing, found=found, excluded=pick.excluded)


def _where(text: Text, pick: Pick) -> Found:
    return Found(
        field=text.field,
        text=text.shown(pick.first, pick.last),
        start=text.words[pick.first].start,
        end=text.words[pick.last - 1].end,
        confidence=pick.confidence,
        index=text.index,
    )


def _once(things: Iterable[Thing]) -> tuple[Thing, ...]:
    """Each thing once, where it was found with most confidence, in the order in which they were told first."""
    surest: dict[Thing, Thing] = {}
    for thing in things:
        same = msgspec.structs.replace(thing, found=NOWHERE)
        if same not in surest or surest[same].found.confidence < thing.found.confidence:
            surest[same] = thing
    return tuple(surest.values())


def _tell_lists(scope: Scope, lists: dict[Found, int]) -> None:
    """Number the lists that offer things of one kind to choose from: "SMB and enterprise", "10-50 or 200+ people"."""
    chain: list[Pick] = []
    for pick in [*scope.picks, None]:
        listed = chain and pick and chain[-1].group == pick.group
        if not (pick and listed and grammar().are_listed(scope.text.words, chain[-1].last, pick.first)):
            offered = _is_choice(scope.text, chain)
            for place, link in enumerate(chain):
                lists[_where(scope.text, link)] = len(lists) - (place if offered else 0)
            chain = []
        chain += [pick] if pick else []


def _is_choice(text: Text, chain: list[Pick]) -> bool:
    """Whether a list is one to choose from: sizes in numbers are so only where an "or" says it."""
    between = [
        text.words[place].plain for one, other in itertools.pairwise(chain) for place in range(one.last, other.first)
    ]
    in_words = all(pick.kind != "amount" for pick in chain)
    return in_words or text.field == "company_size" or not OR.isdisjoint(between)


def _unread(scope: Scope) -> Iterator[Unread]:
    """Words that are nothing that was understood, and say something of their own; neighbours together."""
    text, rules = scope.text, grammar()
    covered = {word for pick in scope.picks for word in range(pick.first, pick.last)} | scope.read
    run: list[int] = []
    for place, word in enumerate(text.words):
        if run and (place in covered or word.ends or "," in word.gap):
            yield _told(text, run)
            run = []
        if place not in covered and (place in scope.unread or not rules.is_small(word)):
            run.append(place)
    if run:
        yield _told(text, run)


def _told(text: Text, run: list[int]) -> Unread:
    first, last = run[0], run[-1] + 1
    start, end = text.words[first].start, text.words[last - 1].end
    return Unread(field=text.field, text=text.shown(first, last), start=start, end=end, index=text.index)
