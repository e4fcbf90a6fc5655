"""
A job's way from accepted to its end. The runner owns every running job as a task of its own.
"""

import asyncio
import functools
import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from enrichment.clock import Clock, format_utc
from enrichment.errors import JobConflict, JobNotFound, ShuttingDown
from enrichment.jobs.memory import JobStore
from enrichment.jobs.model import (
    UNFINISHED,
    AnyJob,
    Batch,
    BatchItem,
    Enrichment,
    Lookup,
    Order,
    State,
    StepState,
    pending_steps,
)
from enrichment.jobs.pipeline import Waves
from enrichment.jobs.scheduler import Line
from enrichment.logs import Log
from enrichment.modules.table import SECONDS_PER_MODULE
from enrichment.sources import CompanySource

log = Log(__name__)

STOPPED: Final = "The service stopped before the job was done."


class Runner:
    """
    Accepts jobs, runs them side by side, cancels them, and ends whatever is unfinished when it is closed.

    Works without being entered, as in a host that runs no lifespan of ours; then unfinished jobs end with the process,
    and no log line says so.
    """

    def __init__(self, *, store: JobStore, source: CompanySource, waves: Waves, max_running: int, clock: Clock) -> None:
        self.store = store
        self.source = source
        self.clock = clock
        self.is_closed = False
        self._waves = waves
        self._line = Line(max_running)
        self._tasks: dict[str, asyncio.Task[None]] = {}  # the loop itself holds tasks only weakly

    async def __aenter__(self) -> Self:
        self.is_closed = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def check_open(self) -> None:
        """Raise `ShuttingDown` or `TooManyJobs` if no job would be taken now."""
        if self.is_closed:
            raise ShuttingDown
        self.store.check_room(self.source.expected_seconds)

    # Accepting: the job is in the store, and waits until `start`.

    async def accept_lookup(self, domain: str, *, request_id: str) -> Lookup:
        """Take a job of `POST /enrich` in. Raises `TooManyJobs` or `ShuttingDown`, as the others do."""
        job = Lookup(
            id=_uuid(),
            domain=domain,
            request_id=request_id,
            created_at=self.clock.now(),
            expected_seconds=self.source.expected_seconds,
        )
        await self._add([job])
        return job

    async def accept(self, domain: str, order: Order) -> Enrichment:
        """Take an enrichment of one domain in."""
        job = self._enrichment(domain, order)
        await self._add([job])
        return job

    async def accept_batch(
        self, items: Sequence[BatchItem], order: Order, concurrency: int
    ) -> tuple[Batch, list[Enrichment]]:
        """Take an enrichment in for each item without a reason against it; all of them or none."""
        batch_id = f"batch_{self._stamp()}"
        jobs = [self._enrichment(item.domain, order, batch_id) for item in items if item.reason is None]
        ids = {job.domain: job.id for job in jobs}
        batch = Batch(
            id=batch_id,
            created_at=self.clock.now(),
            concurrency=concurrency,
            expected_seconds=max(SECONDS_PER_MODULE, sum(job.expected_seconds for job in jobs) // concurrency),
            items=tuple(item if item.reason else replace(item, job_id=ids[item.domain]) for item in items),
        )
        await self._add(jobs, batch)
        return batch, jobs

    async def retry(self, job: Enrichment, *, failed_only: bool, request_id: str) -> Enrichment:
        """
        Take an enrichment in that runs again what failed in `job`, and what was skipped because of that; or all of it.

        Raises `JobConflict` if it is not finished, or nothing in it is to be run again.
        """
        if not job.is_finished:
            raise JobConflict(f"Job {job.id} is {job.state}; only a finished job can be retried.")
        again = tuple(
            step.module_id
            for step in job.steps
            if not failed_only or step.state is StepState.FAILED or step.skipped_due_to
        )
        if not again:
            raise JobConflict(
                f"No module of job {job.id} failed, so there is nothing to retry; "
                '{"failed_modules_only": false} runs all its modules again.'
            )
        order = Order(modules=again, priority=job.priority, force=True, request_id=request_id)
        return await self.accept(job.domain, order)

    def _enrichment(self, domain: str, order: Order, batch_id: str | None = None) -> Enrichment:
        return Enrichment(
            id=f"enrich_{domain.replace('.', '_')}_{self._stamp()}",
            domain=domain,
            request_id=order.request_id,
            created_at=self.clock.now(),
            expected_seconds=SECONDS_PER_MODULE * len(order.modules),
            priority=order.priority,
            force=order.force,
            batch_id=batch_id,
            live=pending_steps(order.modules),
            total=len(order.modules),
        )

    def _stamp(self) -> str:
        """What makes an id readable, and what makes it unique."""
        return f"{format_utc(int(self.clock.now()), '%Y%m%d%H%M%S')}_{secrets.token_hex(4)}"

    async def _add(self, jobs: Sequence[AnyJob], batch: Batch | None = None) -> None:
        if self.is_closed:
            raise ShuttingDown
        await self.store.add(jobs, batch)
        for job in jobs:
            log.info("job accepted", **_ids(job))

    # Running

    async def start(self, jobs: Sequence[AnyJob], batch: Batch | None = None) -> None:
        """Set accepted jobs going, the enrichments among them when it is their turn, and return at once."""
        for job in jobs:
            if self.is_closed:
                await self._cancel(job, STOPPED)
            elif self.store.is_unfinished(job.id):
                if isinstance(job, Enrichment):
                    self._line.join(job, batch)
                    self._start_next()
                else:
                    self._spawn(job)

    async def cancel(self, domain: str, job_id: str | None = None) -> Enrichment:
        """
        Stop an enrichment, its calls included: that of `job_id`, else the newest unfinished one of the domain.

        Raises `JobNotFound`, or `JobConflict` if it is finished.
        """
        job = self.store.enrichment(job_id, domain) if job_id else self.store.newest(domain, UNFINISHED)
        job = job or self.store.newest(domain)
        if job is None:
            raise JobNotFound(f"There is no job for {domain}.")
        cancelled = await self._cancel(job, "Cancelled on request.")
        if not isinstance(cancelled, Enrichment):
            raise JobConflict(f"Job {job.id} is {job.state} already; there is nothing to cancel.")
        if task := self._tasks.get(job.id):
            task.cancel()  # it leaves the line when it is over, and not before: its place is not free yet
        else:
            self._line.leave(job.id)
            self._start_next()
        return cancelled

    async def close(self) -> None:
        """Take no more jobs, stop the running ones, and say of each unfinished one that it is lost."""
        self.is_closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A task cancelled before its first step never reached `_run`, and what waits for its turn has no task yet.
        for job in self.store.unfinished():
            await self._cancel(job, STOPPED)
            self._line.leave(job.id)

    def _start_next(self) -> None:
        while not self.is_closed and (job_id := self._line.take()):
            self._spawn(self.store.enrichment(job_id))

    def _spawn(self, job: AnyJob) -> None:
        task = asyncio.create_task(self._run(job))
        self._tasks[job.id] = task
        task.add_done_callback(functools.partial(self._left, job.id))

    def _left(self, job_id: str, _: asyncio.Task[None]) -> None:
        """A job's task is over, whatever became of it."""
        del self._tasks[job_id]
        self._line.leave(job_id)
        self._start_next()

    async def _run(self, job: AnyJob) -> None:
        """The whole life of a job. Nothing but a cancellation leaves it."""
        try:
            if isinstance(job, Lookup):
                result = await self.source.look_up(job.domain)
                self._tell(await self.store.end(job.id, State.COMPLETED, result=result))
            elif await self.store.begin(job.id):
                await self._waves.run(job)
                await self._conclude(job)
        except asyncio.CancelledError:
            await self._cancel(job, STOPPED)
            raise
        except (Exception, SystemExit):
            # SystemExit too: a library that calls sys.exit() must not take every other job with it.
            text = f"The job failed unexpectedly. The service's log says why, under job_id {job.id}."
            if await self.store.end(job.id, State.FAILED, error=text):
                log.exception("job failed", **_ids(job))

    async def _conclude(self, job: Enrichment) -> None:
        """An enrichment has failed only if it has brought nothing at all."""
        steps = self.store.enrichment(job.id).steps
        if any(step.state is StepState.COMPLETED for step in steps):
            self._tell(await self.store.end(job.id, State.COMPLETED))
        else:
            reasons = "; ".join(f"{step.module_id}: {step.reason or step.state}" for step in steps)
            self._tell(await self.store.end(job.id, State.FAILED, error=f"No module brought anything. {reasons}"))

    def _tell(self, job: AnyJob | None) -> None:
        if job:
            tell = log.info if job.state is State.COMPLETED else log.warning
            tell(f"job {job.state}", **_ids(job), seconds=round(self.clock.now() - job.created_at, 3))

    async def _cancel(self, job: AnyJob, why: str) -> AnyJob | None:
        cancelled = await self.store.end(job.id, State.CANCELLED, error=why)
        self._tell(cancelled)
        return cancelled


def _uuid() -> str:
    """Random, as `str(uuid4())` spells it, in a third of its time."""
    digits = secrets.token_hex(16)
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _ids(job: AnyJob) -> dict[str, str]:
    """What every log line about the job says."""
    return {"job_id": job.id, "request_id": job.request_id, "domain": job.domain}
