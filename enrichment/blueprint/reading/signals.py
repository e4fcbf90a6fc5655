"""
What belongs to a thing that happens: "hiring data engineers", "expanding to Europe", "new CTO", "in the last 6 months".
"""

from typing import Final

from enrichment.blueprint.reading.context import Pick, Text
from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import NOWHERE, Thing
from enrichment.blueprint.reading.numbers import number_at
from enrichment.blueprint.values import Persona, Signal

LEADERS: Final = frozenset({"c_level", "vp", "director", "head"})
LEADERSHIP_CHANGE: Final = Signal(id="leadership_change", name="Leadership change", found=NOWHERE)
MAX_WORDS_BETWEEN: Final = 2
MAX_DAYS: Final = 3_650


def with_belongings(text: Text, picks: list[Pick]) -> list[Pick]:
    """
    The picks, where a signal has taken in what it is about, which then is no criterion of its own.

    Who is hired is nobody to speak to yet, and where a company expands to is not where it is.
    """
    done: list[Pick] = []
    for pick in picks:
        before = done[-1] if done else None
        if before and _takes(text, before, pick):
            before.last, before.took = pick.last, pick.things[0]
            continue
        _make_appointment(text, pick, before.last if before else 0)
        done.append(pick)
    for place, pick in enumerate(done):
        if pick.kind == "signal":
            _take_window(text, pick, done[place + 1].first if place + 1 < len(done) else len(text.words))
    return done


def _takes(text: Text, signal: Pick, pick: Pick) -> bool:
    """Whether the pick belongs to the signal before it: right behind it, or next in a list of its like."""
    if signal.takes != pick.kind:
        return False
    if not signal.took:
        return grammar().are_linked(text.words, signal.last, pick.first)
    alike = _leads(signal.took) == _leads(pick.things[0])
    return alike and grammar().are_listed(text.words, signal.last, pick.first)


def _leads(thing: Thing) -> bool:
    return isinstance(thing, Persona) and thing.seniority in LEADERS


def _make_appointment(text: Text, pick: Pick, taken: int) -> None:
    """Make a new leader something that has happened: "new CTO" is no CTO to speak to."""
    appointed = grammar().appointed.before(text.words, pick.first)
    if _leads(pick.things[0]) and appointed and appointed[0] >= taken and text.words[pick.first].near:
        pick.took = pick.things[0]
        pick.first, pick.kind, pick.things, pick.takes = appointed[0], "signal", (LEADERSHIP_CHANGE,), "persona"


def _take_window(text: Text, pick: Pick, free: int) -> None:
    """Let a span of time, with few small words before it, say since when: "in the last 6 months"."""
    words, rules = text.words, grammar()
    for start in range(pick.last, min(pick.last + MAX_WORDS_BETWEEN + 1, free)):
        if words[start].ends:
            return
        if window := rules.window.at(words, start):
            number = number_at(words, window[0])
            days = rules.days.at(words, number.last if number else window[0])
            if days and days[0] <= free:
                pick.last = days[0]
                pick.within_days = min(MAX_DAYS, round(number.value if number else 1) * days[1])
            return
        if not rules.is_small(words[start]):
            return
