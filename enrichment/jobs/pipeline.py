"""
An enrichment's way through its waves.
"""

import asyncio
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.errors import InsufficientInput, SourceFailed
from enrichment.jobs.budget import Pace
from enrichment.jobs.memory import JobStore
from enrichment.jobs.model import Enrichment, Step, StepState
from enrichment.jobs.resolver import Answers
from enrichment.logs import Log
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import MODULES, WAVES
from enrichment.sources import ChainFailed
from schemas import SourceAttempt

log = Log(__name__)

SECONDS_PER_TURN: Final = 0.001
"""
How long jobs may hold the event loop at a time, or up to twice that, as the clock counts in milliseconds. Who asks for
something meanwhile waits for two or three turns.
"""


class Waves:
    """
    Runs enrichments, each by one `run`.

    A module that fails is data in its step and spares the others; what is settled when a job is stopped, by a
    cancellation or its deadline, stays.
    """

    def __init__(
        self,
        *,
        store: JobStore,
        answers: Answers,
        clock: Clock,
        deadline_seconds: float,
    ) -> None:
        self._store = store
        self._answers = answers
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._pace = Pace(seconds=SECONDS_PER_TURN, clock=clock)

    async def run(self, job: Enrichment) -> None:
        """Settle every module of the job, wave after wave."""
        run = _Run(job)
        try:
            async with self._clock.timeout(self._deadline_seconds):
                for wave in WAVES.values():
                    async with asyncio.TaskGroup() as group:
                        for module in wave:
                            if module.id in run.settled:
                                group.create_task(self._settle(run, module))
        except TimeoutError:
            for module_id in run.settled:
                await self._fail(run, module_id, f"The job's deadline of {self._deadline_seconds:g} seconds passed.")
        await self._pace.wait()  # to bring it to its end is work, too

    async def _settle(self, run: "_Run", module: Module) -> None:
        """Bring one module to its end, after those of its wave that it needs. Nothing but a cancellation leaves it."""
        try:
            for need in module.needs:
                if need in run.settled and MODULES[need].wave == module.wave:
                    await run.settled[need].wait()
            await self._answer(run, module)
        except Exception as error:
            log.exception("module failed", module=module.id, **run.ids)
            await self._fail(run, module.id, f"Unexpected {type(error).__name__}; the log says more.")
        finally:
            run.settled[module.id].set()

    async def _answer(self, run: "_Run", module: Module) -> None:
        """From the cache if it may be, else by asking; either way the step says how it went."""
        await self._pace.wait()
        subject = self._subject(run, module)
        begun = Step(module_id=module.id, state=StepState.RUNNING, started_at=self._clock.now())
        if not run.job.force and (cached := self._answers.cached(module, subject)):
            await self._complete(run, begun, cached, is_cached=True)
            return
        run.begun[module.id] = begun
        await self._store.record(run.job.id, begun)
        try:
            finding = await self._answers.ask(module, subject)
            await self._pace.wait()
        except InsufficientInput as error:
            await self._skip(run, begun, str(error), subject)
        except SourceFailed as error:
            log.warning("module failed", module=module.id, reason=str(error), **run.ids)
            await self._fail(run, module.id, str(error), error.attempts if isinstance(error, ChainFailed) else ())
        else:
            await self._complete(run, begun, finding, is_cached=False)

    def _subject(self, run: "_Run", module: Module) -> Subject:
        """What is known of the company: by this job, or, of modules that are not part of it, by the cache."""
        known, missing = {}, {}
        for need in module.needs:
            finding = run.found.get(need)
            if need not in run.settled:
                finding = self._answers.known(run.job.domain, MODULES[need])
            if finding:
                known[need] = finding
            else:
                missing[need] = run.reasons.get(need, "It is neither part of this job nor in the cache.")
        return Subject(domain=run.job.domain, known=known, missing=missing)

    async def _complete(self, run: "_Run", begun: Step, finding: Finding, *, is_cached: bool) -> None:
        run.found[begun.module_id] = finding
        step = msgspec.structs.replace(
            begun,
            state=StepState.COMPLETED,
            ended_at=self._clock.now(),
            finding=finding,
            cached=is_cached,
        )
        await self._store.record(run.job.id, step)

    async def _skip(self, run: "_Run", begun: Step, reason: str, subject: Subject) -> None:
        because = tuple(need for need in subject.missing if need in run.broken)
        run.reasons[begun.module_id] = reason
        if because:
            run.broken.add(begun.module_id)
        step = msgspec.structs.replace(
            begun, state=StepState.SKIPPED, ended_at=self._clock.now(), reason=reason, skipped_due_to=because
        )
        await self._store.record(run.job.id, step)

    async def _fail(self, run: "_Run", module_id: str, reason: str, attempts: tuple[SourceAttempt, ...] = ()) -> None:
        run.reasons[module_id] = reason
        run.broken.add(module_id)
        begun = run.begun.get(module_id, Step(module_id=module_id))
        step = msgspec.structs.replace(
            begun, state=StepState.FAILED, ended_at=self._clock.now(), reason=reason, attempts=attempts
        )
        await self._store.record(run.job.id, step)


class _Run:
    """What one run of a job has come to so far, by module."""

    __slots__ = ("begun", "broken", "found", "ids", "job", "reasons", "settled")

    def __init__(self, job: Enrichment) -> None:
        self.job = job
        self.ids = {"job_id": job.id, "request_id": job.request_id, "domain": job.domain}
        self.settled = {step.module_id: asyncio.Event() for step in job.steps}
        self.begun: dict[str, Step] = {}
        self.found: dict[str, Finding] = {}
        self.reasons: dict[str, str] = {}  # why there is no finding
        self.broken: set[str] = set()  # failed, or skipped because of those that did
