"""
What a module asks, what it is told, and what it brings: plain values, passed between all the others.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar

import msgspec

from schemas import SourceAttempt, SourceCitation

A = TypeVar("A", bound="Answer")

_encode: Final = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one module found out about one company; each module has its own subclass."""

    simulated: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    An answer with its origin, as it is stored, cached and sent.

    `body` is the answer as JSON and `data_points` how many it has. `fetched_at` is in seconds since the epoch;
    `attempts` are the sources that were asked, the last one with success. `based_on` names the findings it was derived
    from, by module and time, and is empty for what was asked outside.
    """

    body: msgspec.Raw
    data_points: int
    simulated: bool
    source: str
    fetched_at: float
    citations: tuple[SourceCitation, ...] = ()
    attempts: tuple[SourceAttempt, ...] = ()
    based_on: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(
        cls,
        answer: Answer,
        *,
        source: str,
        fetched_at: float,
        citations: tuple[SourceCitation, ...] = (),
        based_on: tuple[tuple[str, float], ...] = (),
    ) -> Self:
        """The finding of an answer."""
        return cls(
            body=msgspec.Raw(_encode(answer)),
            data_points=count_data_points(answer),
            simulated=answer.simulated,
            source=source,
            fetched_at=fetched_at,
            citations=citations,
            based_on=based_on,
        )

    def read(self, shape: type[A]) -> A:
        """The answer, decoded into the shape of its module."""
        return msgspec.json.decode(self.body, type=shape)


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
    is known, and raises `InsufficientInput` if that is too little.
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


def count_data_points(answer: Answer) -> int:
    """How many data points there are in an answer: each value that is known, and each entry of a list."""
    facts: dict[str, Any] = msgspec.structs.asdict(answer)
    del facts["simulated"]
    return sum(len(value) if isinstance(value, tuple) else value is not None for value in facts.values())
