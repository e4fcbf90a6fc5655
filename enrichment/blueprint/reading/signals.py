"""
Arguments of signals: "hiring data engineers", "expanding to Europe", "new CTO", "in the last 6 months".
"""

from typing import Final

from enrichment.blueprint.reading.context import Mention, Text
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, Entity
from enrichment.blueprint.reading.numbers import number_at
from schemas import ProfilePersona, ProfileSignal

LEADERS: Final = frozenset({"c_level", "vp", "director", "head"})
LEADERSHIP_CHANGE: Final = ProfileSignal(id="leadership_change", name="Leadership change", found=NOWHERE)
MAX_WORDS_BETWEEN: Final = 2
MAX_DAYS: Final = 3_650


def attach_arguments(text: Text, mentions: list[Mention]) -> list[Mention]:
    """
    Attach the arguments of signals to them, so that an argument is not a criterion of its own.

    A role that a company is hiring for is not a contact, and a place that it expands to is not its location.
    """
    done: list[Mention] = []
    for mention in mentions:
        before = done[-1] if done else None
        if before and _accepts(text, before, mention):
            before.last, before.argument = mention.last, mention.entities[0]
            continue
        _convert_appointment(text, mention, before.last if before else 0)
        done.append(mention)
    for place, mention in enumerate(done):
        if mention.kind == "signal":
            _attach_time_window(text, mention, done[place + 1].first if place + 1 < len(done) else len(text.words))
    return done


def _accepts(text: Text, signal: Mention, mention: Mention) -> bool:
    """Whether a mention is an argument of a signal: it follows directly, or continues the list of arguments."""
    if signal.argument_kind != mention.kind:
        return False
    if not signal.argument:
        return grammar().are_linked(text.words, signal.last, mention.first)
    alike = _is_leader(signal.argument) == _is_leader(mention.entities[0])
    return alike and grammar().are_listed(text.words, signal.last, mention.first)


def _is_leader(entity: Entity) -> bool:
    return isinstance(entity, ProfilePersona) and entity.seniority in LEADERS


def _convert_appointment(text: Text, mention: Mention, taken: int) -> None:
    """Convert a new leader into a signal: "new CTO" is an event, and not a contact."""
    appointed = grammar().appointed.before(text.words, mention.first)
    if _is_leader(mention.entities[0]) and appointed and appointed[0] >= taken and text.words[mention.first].adjacent:
        mention.argument = mention.entities[0]
        mention.first, mention.kind, mention.entities, mention.argument_kind = (
            appointed[0],
            "signal",
            (LEADERSHIP_CHANGE,),
            "persona",
        )


def _attach_time_window(text: Text, mention: Mention, free: int) -> None:
    """Attach a period of time that follows a signal: "in the last 6 months"."""
    words, rules = text.words, grammar()
    for start in range(mention.last, min(mention.last + MAX_WORDS_BETWEEN + 1, free)):
        if words[start].after_break:
            return
        if window := rules.window.at(words, start):
            number = number_at(words, window[0])
            days = rules.days.at(words, number.last if number else window[0])
            if days and days[0] <= free:
                mention.last = days[0]
                mention.within_days = min(MAX_DAYS, round(number.value if number else 1) * days[1])
            return
        if not rules.is_function_word(words[start]):
            return
