"""
What the derived modules share: access to the answers of other modules, and the facts cited from them.
"""

import functools
import re
from collections.abc import Iterable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from enrichment.modules.module import Answer, Subject

A = TypeVar("A", bound=Answer)


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


def any_simulated(subject: Subject, module_ids: Iterable[str]) -> bool:
    """Return whether the finding of any of these modules is simulated."""
    return any(subject.known[module_id].simulated for module_id in module_ids if module_id in subject.known)


@functools.lru_cache(maxsize=4_096)
def words(text: str) -> tuple[str, ...]:
    """Split text into words, ignoring case and punctuation. Cached, as the same names occur for many companies."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))
