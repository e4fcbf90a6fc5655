"""
Jobs submitted, retried and cancelled: what the routes ask of the engine.
"""

import secrets
from collections.abc import Sequence
from typing import TypeVar
from uuid import uuid4

from msgspec.structs import replace

from enrichment.clock import Clock, format_utc
from enrichment.errors import JobConflict, JobNotFound, ShuttingDown
from enrichment.jobs.model import (
    FINISHED,
    UNFINISHED,
    Batch,
    BatchItem,
    Enrichment,
    JobOptions,
    Lookup,
    pending_steps,
)
from enrichment.jobs.protocols import Dispatcher, JobStore
from enrichment.jobs.runner import Runner, log_fields
from enrichment.logs import Log
from enrichment.modules.table import SECONDS_PER_MODULE
from schemas import JobState, StepState

J = TypeVar("J", Lookup, Enrichment)

log = Log(__name__)


class JobManager:
    """Submits jobs to the store, which `dispatch` then starts, and cancels them."""

    def __init__(
        self,
        *,
        store: JobStore,
        dispatcher: Dispatcher,
        runner: Runner,
        lookup_seconds: float,
        simulated: bool,
        clock: Clock,
    ) -> None:
        self.dispatch = dispatcher.dispatch
        self.is_closed = False
        self._store = store
        self._dispatcher = dispatcher
        self._runner = runner
        self._lookup_seconds = lookup_seconds
        self._simulated = simulated
        self._clock = clock

    async def check_open(self) -> None:
        """Raise `ShuttingDown`, `TooManyJobs` or `NoWorkers` if no job would be accepted and run now."""
        if self.is_closed:
            raise ShuttingDown
        await self._store.check_room(self._lookup_seconds)
        await self._dispatcher.check()

    async def submit_lookup(self, domain: str, *, request_id: str) -> Lookup:
        """Accept a job of `POST /enrich`. Raise `TooManyJobs` or `ShuttingDown`, as the other `submit` methods do."""
        job = Lookup(
            id=str(uuid4()),
            domain=domain,
            request_id=request_id,
            created_at=self._clock.now(),
            expected_seconds=self._lookup_seconds,
        )
        await self._add([job])
        return job

    async def submit(self, domain: str, options: JobOptions) -> Enrichment:
        """Accept an enrichment of one domain."""
        (job,) = await self._add([self._enrichment(domain, options)])
        return job

    async def submit_batch(
        self,
        items: Sequence[BatchItem],
        options: JobOptions,
        concurrency: int,
        *,
        columns: tuple[str, ...] = (),
        domain_column: str | None = None,
    ) -> tuple[Batch, Sequence[Enrichment]]:
        """Accept an enrichment for each item that has no reason to be skipped; all of them or none."""
        batch_id = f"batch_{self._id_suffix()}"
        jobs = [self._enrichment(item.domain, options, batch_id) for item in items if item.reason is None]
        ids = {job.domain: job.id for job in jobs}
        batch = Batch(
            id=batch_id,
            created_at=self._clock.now(),
            concurrency=concurrency,
            expected_seconds=max(SECONDS_PER_MODULE, sum(job.expected_seconds for job in jobs) // concurrency),
            simulated=self._simulated,
            profile=options.profile,
            columns=columns,
            domain_column=domain_column,
            max_cost=options.terms.max_cost,
            items=tuple(item if item.reason else replace(item, job_id=ids[item.domain]) for item in items),
        )
        return batch, await self._add(jobs, batch)

    async def retry(
        self, job: Enrichment, *, failed_only: bool, request_id: str, max_cost: int | None = None
    ) -> Enrichment:
        """
        Accept an enrichment that runs the failed modules of `job` again, and those that were skipped because of them or
        of `max_cost`; or, without `failed_only`, all its modules. It may spend `max_cost`, by default as much as `job`.

        Raise `JobConflict` if the job is not finished, or has nothing to run again.
        """
        if not job.is_finished:
            raise JobConflict(f"Job {job.id} is {job.state}; only a finished job can be retried.")
        modules = tuple(
            step.module_id
            for step in job.steps
            if not failed_only or step.state is StepState.FAILED or step.skipped_due_to or step.stopped
        )
        if not modules:
            raise JobConflict(
                f"No module of job {job.id} failed, so there is nothing to retry; "
                '{"failed_modules_only": false} runs all its modules again.'
            )
        terms = replace(job.terms, max_cost=job.terms.max_cost if max_cost is None else max_cost)
        options = JobOptions(
            modules=modules,
            priority=job.priority,
            force=True,
            request_id=request_id,
            terms=terms,
            profile=job.profile,
        )
        return await self.submit(job.domain, options)

    async def cancel(self, domain: str, job_id: str | None = None) -> Enrichment:
        """
        Stop an enrichment and its calls: that of `job_id`, or the newest unfinished one of the domain.

        Raise `JobNotFound`, or `JobConflict` if it is finished.
        """
        if job_id:
            job: Enrichment | None = await self._store.enrichment(job_id, domain)
        else:
            job = await self._store.newest(domain, UNFINISHED) or await self._store.newest(domain, FINISHED)
        if job is None:
            raise JobNotFound(f"There is no job for {domain}.", parameter="domain")
        cancelled = await self._runner.finish(job.id, JobState.CANCELLED, error="Cancelled on request.")
        if not isinstance(cancelled, Enrichment):
            job = await self._store.enrichment(job.id)
            raise JobConflict(f"Job {job.id} is {job.state} already; there is nothing to cancel.")
        await self._dispatcher.cancel(job.id)
        return cancelled

    def _enrichment(self, domain: str, options: JobOptions, batch_id: str | None = None) -> Enrichment:
        return Enrichment(
            id=f"enrich_{domain.replace('.', '_')}_{self._id_suffix()}",
            domain=domain,
            request_id=options.request_id,
            created_at=self._clock.now(),
            expected_seconds=SECONDS_PER_MODULE * len(options.modules),
            simulated=self._simulated,
            priority=options.priority,
            force=options.force,
            terms=options.terms,
            batch_id=batch_id,
            profile=options.profile,
            steps=pending_steps(options.modules),
            total=len(options.modules),
        )

    def _id_suffix(self) -> str:
        """The time, for people, and eight random hexadecimal digits, which make an id unique."""
        return f"{format_utc(int(self._clock.now()), '%Y%m%d%H%M%S')}_{secrets.token_hex(4)}"

    async def _add(self, jobs: Sequence[J], batch: Batch | None = None) -> Sequence[J]:
        if self.is_closed:
            raise ShuttingDown
        added = await self._store.add(jobs, batch)
        for job in jobs:
            log.info("job accepted", **log_fields(job))
        return added
