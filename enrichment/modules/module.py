"""
What a module asks, what it is told, and what it brings: plain values, passed between all the others.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one module found out about one company; each module has its own subclass."""

    simulated: bool = False


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer can be looked up."""

    url: str
    title: str
    source: str
    simulated: bool = False


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One source that was asked, and what came of it; `error` is None if it answered."""

    source: str
    seconds: float
    error: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """
    An answer with its origin. `fetched_at` is in seconds since the epoch; `based_on` names the findings it was derived
    from, by module and time, and is empty for what was asked outside.
    """

    answer: Answer
    source: str
    fetched_at: float
    citations: tuple[Citation, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    based_on: tuple[tuple[str, float], ...] = ()


class CaseStudy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer's story that can be told to a lead that resembles the customer."""

    id: str
    title: str
    customer: str
    industries: tuple[str, ...]
    employees: tuple[int, int]
    countries: tuple[str, ...] = ()
    technologies: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    outcome: str
    url: str | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whom a source is asked about.

    `known` is what other modules have found, by module id; `missing` says of each needed module that has nothing why.
    """

    domain: str
    known: Mapping[str, Finding] = {}
    missing: Mapping[str, str] = {}
    case_studies: tuple[CaseStudy, ...] = ()


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """
    One question about a company. `chain` names the sources to ask, in order, until one answers; `provider` is the one
    that is known for this, `title` what it calls it.

    `needs` are the modules whose findings it works with. `simulate` invents an answer; `derive` works one out from what
    is known, and raises `NothingToSay` if that is too little.
    """

    id: str
    wave: int
    asks: str
    provider: str
    title: str
    chain: tuple[str, ...]
    ttl_days: int
    timeout_seconds: float
    needs: tuple[str, ...] = ()
    derive: Callable[[Subject], Answer] | None = None


def count_facts(answer: Answer) -> int:
    """How many data points there are in an answer: each value that is known, and each entry of a list."""
    facts: dict[str, Any] = msgspec.structs.asdict(answer)
    del facts["simulated"]
    return sum(len(value) if isinstance(value, tuple) else value is not None for value in facts.values())
