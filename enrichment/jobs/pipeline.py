"""
The way of an enrichment through its waves.
"""

import asyncio

import msgspec

from enrichment.clock import Clock
from enrichment.errors import CostUnknown, InsufficientInput, MaxCostReached, SourceFailed
from enrichment.jobs.accounts import JobAccount
from enrichment.jobs.model import Enrichment, Step
from enrichment.jobs.protocols import JobStore
from enrichment.jobs.resolver import Resolver, is_within
from enrichment.jobs.scheduler import PRIORITY_BOOST_SECONDS
from enrichment.logs import Log
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import MODULES, WAVES
from enrichment.sources import ChainFailed, ends_task
from schemas import SourceAttempt, StepState

log = Log(__name__)


class Pipeline:
    """
    Runs enrichments, each by one `run`.

    A module that fails is data in its step, and the others go on. What is done when a job is cancelled or its deadline
    passes stays. When a call could go beyond what a job may spend, the job asks nobody any more; cached answers are
    still used.
    """

    def __init__(
        self, *, store: JobStore, resolver: Resolver, clock: Clock, deadline_seconds: float, currency: str = "USD"
    ) -> None:
        self._store = store
        self._currency = currency
        self._resolver = resolver
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._budget = resolver.budget

    async def run(self, job: Enrichment) -> None:
        """Bring every module of the job to an end, wave after wave."""
        run = _Run(job, JobAccount(self._store, job, self._currency))
        try:
            async with self._clock.timeout(self._deadline_seconds):
                for wave in WAVES.values():
                    async with asyncio.TaskGroup() as group:
                        for module in wave:
                            if module.id in run.done:
                                group.create_task(self._run_module(run, module))
        except TimeoutError:
            for module_id in run.done:
                await self._fail(run, module_id, f"The job's deadline of {self._deadline_seconds:g} seconds passed.")
        await self._budget.checkpoint()  # finishing the job is work, too

    async def _run_module(self, run: "_Run", module: Module) -> None:
        """Bring one module to an end, after those of its wave that it needs. Only a cancellation leaves this method."""
        try:
            for need in module.needs:
                if need in run.done and MODULES[need].wave == module.wave:
                    await run.done[need].wait()
            await self._answer(run, module)
        except BaseException as error:
            if ends_task(error):
                raise
            log.exception("module failed", module=module.id, **run.ids)
            await self._fail(run, module.id, f"Unexpected {type(error).__name__}; the log says more.")
        finally:
            run.done[module.id].set()

    async def _answer(self, run: "_Run", module: Module) -> None:
        """Take the answer from the cache if allowed, else ask for it; the step records how it went."""
        await self._budget.checkpoint()
        subject = await self._subject(run, module)
        begun = Step(module_id=module.id, state=StepState.RUNNING, started_at=self._clock.now())
        max_age = run.job.age_allowed(module.id)
        if cached := await self._resolver.cached(module, subject, max_age=max_age):
            await self._complete(run, begun, cached, is_cached=True)
            return
        if run.account.stopped_because:
            await self._stop(run, begun, run.account.stopped_because)
            return
        run.begun[module.id] = begun
        if not await self._record(run, begun):
            return  # the job is finished: no call may begin
        try:
            finding = await self._resolver.ask(
                module, subject, asker=run.job.id, order=run.order, account=run.account, max_age=max_age
            )
            await self._budget.checkpoint()
        except InsufficientInput as error:
            await self._skip(run, begun, str(error), subject)
        except (CostUnknown, MaxCostReached) as error:
            await self._stop(run, begun, str(error))
        except SourceFailed as error:
            attempts = error.attempts if isinstance(error, ChainFailed) else ()
            if run.job.terms.stale_if_error and (stale := await self._resolver.expired(module, subject)):
                log.warning("module has a stale answer", module=module.id, reason=str(error), **run.ids)
                await self._complete_stale(run, begun, stale, attempts)
            else:
                log.warning("module failed", module=module.id, reason=str(error), **run.ids)
                await self._fail(run, module.id, str(error), attempts)
        else:
            await self._complete(run, begun, finding, is_cached=False)

    async def _subject(self, run: "_Run", module: Module) -> Subject:
        """What is known of the company: from this job, or from the cache for modules that are not part of it."""
        profile = run.job.profile if module.is_derived else None
        elsewhere = [need for need in module.needs if need not in run.done]
        known = await self._resolver.known(run.job.domain, elsewhere, profile) if elsewhere else {}
        terms, now = run.job.terms, self._clock.now()
        known = {
            need: finding
            for need, finding in known.items()
            if not finding.unknown and is_within(finding.fetched_at, terms.age_allowed(need), now)
        }
        found = {need: run.found.get(need) or known.get(need) for need in module.needs}
        return Subject(
            domain=run.job.domain,
            known={need: finding for need, finding in found.items() if finding},
            missing={
                need: run.reasons.get(need, "It is neither part of this job nor in the cache.")
                for need, finding in found.items()
                if finding is None
            },
            profile=profile,
        )

    async def _complete(self, run: "_Run", begun: Step, finding: Finding, *, is_cached: bool) -> None:
        if finding.unknown:
            await self._skip_unknown(run, begun, finding, is_cached=is_cached)
            return
        run.found[begun.module_id] = finding
        step = msgspec.structs.replace(
            begun, state=StepState.COMPLETED, ended_at=self._clock.now(), finding=finding, cached=is_cached
        )
        await self._record(run, step)

    async def _complete_stale(
        self, run: "_Run", begun: Step, finding: Finding, attempts: tuple[SourceAttempt, ...]
    ) -> None:
        """Record an answer that is too old, in the place of those that the sources did not give."""
        run.found[begun.module_id] = finding
        step = msgspec.structs.replace(
            begun,
            state=StepState.COMPLETED,
            ended_at=self._clock.now(),
            finding=finding,
            cached=True,
            stale=True,
            attempts=attempts,
        )
        await self._store.record(run.job.id, step)

    async def _stop(self, run: "_Run", begun: Step, reason: str) -> None:
        """Record that the module is skipped, as its calls could go beyond what the job may spend."""
        run.reasons[begun.module_id] = reason
        step = msgspec.structs.replace(
            begun, state=StepState.SKIPPED, ended_at=self._clock.now(), reason=reason, stopped=True
        )
        await self._store.record(run.job.id, step)

    async def _skip(self, run: "_Run", begun: Step, reason: str, subject: Subject) -> None:
        skipped_due_to = tuple(need for need in subject.missing if need in run.unavailable)
        run.reasons[begun.module_id] = reason
        if skipped_due_to:
            run.unavailable.add(begun.module_id)
        step = msgspec.structs.replace(
            begun,
            state=StepState.SKIPPED,
            ended_at=self._clock.now(),
            reason=reason,
            skipped_due_to=skipped_due_to,
        )
        await self._record(run, step)

    async def _skip_unknown(self, run: "_Run", begun: Step, finding: Finding, *, is_cached: bool) -> None:
        """Record that no source knows the company, which is no failure: to ask again would not help."""
        run.reasons[begun.module_id] = finding.unknown
        step = msgspec.structs.replace(
            begun,
            state=StepState.SKIPPED,
            ended_at=self._clock.now(),
            reason=finding.unknown,
            attempts=finding.attempts,
            cached=is_cached,
            unknown=True,
        )
        await self._record(run, step)

    async def _fail(self, run: "_Run", module_id: str, reason: str, attempts: tuple[SourceAttempt, ...] = ()) -> None:
        run.reasons[module_id] = reason
        run.unavailable.add(module_id)
        begun = run.begun.get(module_id, Step(module_id=module_id))
        step = msgspec.structs.replace(
            begun, state=StepState.FAILED, ended_at=self._clock.now(), reason=reason, attempts=attempts
        )
        await self._record(run, step)

    async def _record(self, run: "_Run", step: Step) -> bool:
        return await self._store.record(run.job.id, step, run=run.job.run)


class _Run:
    """The state of one run of a job, by module."""

    __slots__ = ("account", "begun", "done", "found", "ids", "job", "order", "reasons", "unavailable")

    def __init__(self, job: Enrichment, account: JobAccount) -> None:
        self.job = job
        self.account = account
        self.order = job.created_at - PRIORITY_BOOST_SECONDS[job.priority]
        self.ids = {"job_id": job.id, "request_id": job.request_id, "domain": job.domain}
        self.done = {step.module_id: asyncio.Event() for step in job.steps}
        self.begun: dict[str, Step] = {}
        self.found: dict[str, Finding] = {}
        self.reasons: dict[str, str] = {}  # why there is no finding
        self.unavailable: set[str] = set()  # modules that failed, or were skipped because of those
