"""
Where answers come from: the protocols of sources, and the chain in which each source is the fallback of the one before.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from enrichment.clock import Clock
from enrichment.errors import (
    CostUnknown,
    DatabaseUnavailable,
    InsufficientInput,
    MaxCostReached,
    SourceFailed,
    UnknownCompany,
)
from enrichment.logs import Log
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.costs import METER
from enrichment.sources.registry import SOURCES, check_chains, opening_settings
from schemas import CompanyData, Outcome, SourceAttempt

log = Log(__name__)

MAX_ERROR: Final = 500  # characters of a source's error that are kept

# Checked at import: `first_success` skips sources that are not configured, so it would skip a misspelled name as well.
check_chains(MODULES.values(), SOURCES.values())


class CompanySource(Protocol):
    """A source for `POST /enrich`."""

    @property
    def name(self) -> str:
        """The name in the header `X-Data-Source`."""

    @property
    def expected_seconds(self) -> float:
        """The usual duration of a lookup."""

    async def look_up(self, domain: str) -> CompanyData:
        """Return the company's data. Any exception fails the job."""


class TimeLimited:
    """Another `CompanySource`, which has failed if it takes `seconds` more than usual."""

    def __init__(self, source: CompanySource, *, seconds: float, clock: Clock) -> None:
        self.name = source.name
        self.expected_seconds = source.expected_seconds
        self._source = source
        self._max_seconds = source.expected_seconds + seconds
        self._clock = clock

    async def look_up(self, domain: str) -> CompanyData:
        """See `CompanySource.look_up`."""
        async with self._clock.timeout(self._max_seconds):
            return await self._source.look_up(domain)


class Source(Protocol):
    """A source for modules. It asks and reads; retries, caching and fallbacks are left to its callers."""

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """
        Answer a module's question.

        Raises `SourceFailed` to fall back to the next source of the chain, `InsufficientInput` to end the chain.
        """


class ChainFailed(SourceFailed):
    """All sources of a chain failed; `attempts` has the error of each."""

    def __init__(self, message: str, attempts: tuple[SourceAttempt, ...]) -> None:
        super().__init__(message)
        self.attempts = attempts


class Unknown(NamedTuple):
    """A source's statement that it does not know the company, and when it was made, in seconds since the epoch."""

    reason: str
    said_at: float

    def attempt(self, source: str) -> SourceAttempt:
        """The attempt of a source that is not asked again."""
        return SourceAttempt(source=source, outcome=Outcome.UNKNOWN, duration_seconds=0.0, error=self.reason)

    def finding(self, source: str) -> Finding:
        """What the cache keeps of it."""
        return Finding.of_unknown(self.reason, source=source, fetched_at=self.said_at, attempts=())


async def first_success(
    sources: Mapping[str, Source],
    module: Module,
    subject: Subject,
    clock: Clock,
    unknown: dict[str, Unknown] | None = None,
) -> Finding:
    """
    Ask the sources of the module's chain in order, and return the first finding, with all attempts.

    `sources` are the configured ones; others are skipped. Those in `unknown` have said before that they do not know the
    company: they are not asked, and each other one that says so is added. An unexpected error of a source is logged and
    counts as its failure. If no source knows the company, the finding says so; it is as old as the oldest statement in
    `unknown`. Raises `ChainFailed` if none answered for another reason, `CostUnknown` if that may be because some could
    not be paid, and `InsufficientInput` if a source does or none is configured. `MaxCostReached` ends the chain.
    """
    configured = [name for name in module.chain if name in sources]
    if not configured:
        raise InsufficientInput(not_configured(module))
    attempts: list[SourceAttempt] = []
    unknown = {} if unknown is None else unknown
    oldest = min((each.said_at for each in unknown.values()), default=math.inf)
    meter = METER.get()
    for name in configured:
        if name in unknown:
            attempts.append(unknown[name].attempt(name))
            continue
        started = clock.now()
        if meter:
            meter.source = name
        finding, outcome, error = await _ask(sources[name], module, subject)
        duration = round(clock.now() - started, 3)
        attempts.append(SourceAttempt(source=name, outcome=outcome, duration_seconds=duration, error=error))
        if finding:
            return msgspec.structs.replace(finding, attempts=tuple(attempts))
        if error and outcome is Outcome.UNKNOWN:
            unknown[name] = Unknown(error, clock.now())
        if is_being_cancelled():  # and the source has turned that into its failure
            raise asyncio.CancelledError
    reason = "; ".join(f"{attempt.source}: {attempt.error}" for attempt in attempts)
    if all(attempt.outcome is Outcome.UNKNOWN for attempt in attempts):
        fetched_at = min(oldest, clock.now())
        return Finding.of_unknown(reason, source=attempts[-1].source, fetched_at=fetched_at, attempts=tuple(attempts))
    if all(attempt.outcome is not Outcome.FAILED for attempt in attempts):
        raise CostUnknown(reason)
    raise ChainFailed(reason, tuple(attempts))


def not_configured(module: Module) -> str:
    """The reason why none of a module's sources can be asked, with the settings that would open them."""
    settings = [setting for name in module.chain for setting in opening_settings(SOURCES[name])]
    advice = f" Set {' or '.join(dict.fromkeys(settings))}." if settings else ""
    names = [name for name in module.chain if name != "simulated"]  # which nobody would set in place of real ones
    return f"None of its sources is configured: {', '.join(names)}.{advice}"


async def _ask(source: Source, module: Module, subject: Subject) -> tuple[Finding | None, Outcome, str | None]:
    """The source's finding, or why there is none."""
    try:
        return await source.ask(module, subject), Outcome.ANSWERED, None
    except UnknownCompany as error:
        return None, Outcome.UNKNOWN, _cut(str(error))
    except CostUnknown as error:
        return None, Outcome.NOT_ASKED, _cut(str(error))
    except SourceFailed as error:
        return None, Outcome.FAILED, _cut(str(error))
    except (InsufficientInput, MaxCostReached):
        raise
    except BaseException as error:
        if ends_task(error):
            raise
        log.exception("source failed", module=module.id, domain=subject.domain)
        return None, Outcome.FAILED, f"Unexpected {type(error).__name__}; the log has the details."


def _cut(error: str) -> str:
    return error if len(error) <= MAX_ERROR else error[:MAX_ERROR] + "…"


def ends_task(error: BaseException) -> bool:
    """
    Whether an exception that called code has raised has to end the current task; else it is a failure of that code.

    Failures are also a `CancelledError` although nobody has cancelled the task, `SystemExit`, which asyncio would raise
    out of the event loop and so end the process, and what else is no `Exception`, such as a panic in Rust. That the
    database is unavailable ends the task, as nothing can be recorded; another one continues later.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(map(ends_task, error.exceptions))
    if isinstance(error, asyncio.CancelledError):
        return is_being_cancelled()
    return isinstance(error, (KeyboardInterrupt, GeneratorExit, DatabaseUnavailable))


def is_being_cancelled() -> bool:
    """Whether somebody has cancelled the current task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
