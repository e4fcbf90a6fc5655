"""
What the derived modules share: access to the answers of other modules, and the facts cited from them.
"""

import functools
import re
from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from enrichment.modules.module import Answer, Subject
from schemas import Measure

A = TypeVar("A", bound=Answer)


THEMES: Final = {
    Measure.HIRING: "hiring",
    Measure.GROWTH: "growth",
    Measure.LEADERSHIP_CHANGE: "leadership change",
    Measure.EXPANSION: "expansion",
    Measure.ACQUISITION: "acquisition",
    Measure.PRODUCT_LAUNCH: "product launch",
    Measure.PARTNERSHIP: "partnership",
    Measure.LAST_ROUND: "funding",
    Measure.LAYOFFS: "restructuring",
}
"The themes of case studies and types of events, in words, by the measure of a condition."


class Interests(NamedTuple):
    """What the profile of a job asks for: names of technologies, and themes in words."""

    technologies: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about the company."""

    module: Annotated[str, Meta(description="Id of the module that found it.")]
    fact: Annotated[str, Meta(description="The fact.")]


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Data that is not there."""

    module: Annotated[str, Meta(description="Id of the module without the data.")]
    why: Annotated[str, Meta(description="Why the data is not there.")]


def answer_of(subject: Subject, module_id: str, shape: type[A]) -> A | None:
    """Return the module's answer, or None if the module has no finding."""
    finding = subject.known.get(module_id)
    return finding.read(shape) if finding else None


def why_missing(subject: Subject, module_id: str) -> str:
    """Return the reason why the module has no finding."""
    return subject.missing.get(module_id, "No result is available.")


def interests(subject: Subject) -> Interests:
    """Return what the job's profile asks for, without what it excludes."""
    wanted = [each for each in subject.profile.conditions() if each.strength != "must_not"] if subject.profile else []
    technologies = [
        name
        for each in wanted
        if each.measure in (Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY)
        for name in ((str(each.value),) if each.measure is Measure.TECHNOLOGY else each.codes)
    ]
    themes = [THEMES[each.measure] for each in wanted if each.measure in THEMES]
    return Interests(tuple(dict.fromkeys(technologies)), tuple(dict.fromkeys(themes)))


def any_simulated(subject: Subject, module_ids: Iterable[str]) -> bool:
    """Return whether the finding of any of these modules is simulated."""
    return any(subject.known[module_id].simulated for module_id in module_ids if module_id in subject.known)


@functools.lru_cache(maxsize=4_096)
def words(text: str) -> tuple[str, ...]:
    """Split text into words, ignoring case and punctuation. Cached, as the same names occur for many companies."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))
