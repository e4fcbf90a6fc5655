"""
Where answers come from: one outside place per file, and the chain in which they stand in for each other.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from enrichment.clock import Clock
from enrichment.errors import InsufficientInput, SourceFailed
from enrichment.modules.module import Finding, Module, Subject
from schemas import CompanyData, SourceAttempt


class CompanySource(Protocol):
    """An outside place that knows companies by their domains."""

    @property
    def name(self) -> str:
        """What callers are told of where the data comes from."""

    @property
    def expected_seconds(self) -> float:
        """How long a look-up usually takes."""

    async def look_up(self, domain: str) -> CompanyData:
        """Ask about one company. Whatever it raises becomes the job's failure."""


class Source(Protocol):
    """A place that can answer some modules. It asks and reads; it neither retries nor caches nor falls back."""

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """
        The answer to a module's question.

        Raises `SourceFailed` if the next source in the chain is to be asked, `InsufficientInput` if none need be.
        """


class ChainFailed(SourceFailed):
    """Every source of a chain has failed; `attempts` says how each."""

    def __init__(self, message: str, attempts: tuple[SourceAttempt, ...]) -> None:
        super().__init__(message)
        self.attempts = attempts


async def first_success(sources: Mapping[str, Source], module: Module, subject: Subject, clock: Clock) -> Finding:
    """
    The answer of the first source in the module's chain that has one; the finding lists every attempt.

    Sources that are not among `sources` are not set up, and passed over. Raises `ChainFailed` if all that were asked
    failed; `InsufficientInput` as they do, or if there was none to ask.
    """
    attempts: list[SourceAttempt] = []
    for name in module.chain:
        if name not in sources:
            continue
        begun = clock.now()
        try:
            finding = await sources[name].ask(module, subject)
        except SourceFailed as error:
            seconds = round(clock.now() - begun, 3)
            attempts.append(SourceAttempt(source=name, duration_seconds=seconds, error=str(error)))
        else:
            seconds = round(clock.now() - begun, 3)
            attempts.append(SourceAttempt(source=name, duration_seconds=seconds, error=None))
            return msgspec.structs.replace(finding, attempts=tuple(attempts))
    if not attempts:
        raise InsufficientInput(f"None of its sources is set up: {', '.join(module.chain)}.")
    raise ChainFailed("; ".join(f"{attempt.source}: {attempt.error}" for attempt in attempts), tuple(attempts))
