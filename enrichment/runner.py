"""
A job's way from accepted to its end. The runner owns every running job as a task of its own.
"""

import asyncio
import logging
from types import TracebackType
from typing import Self
from uuid import uuid4

from enrichment.clock import Clock
from enrichment.errors import ShuttingDown
from enrichment.jobs import Job, JobStore, State
from enrichment.logs import Event
from enrichment.sources import CompanySource

log = logging.getLogger(__name__)


class Runner:
    """
    Accepts jobs, runs them side by side, and ends whatever is unfinished when it is closed.

    Works without being entered, as in a host that runs no lifespan of ours; then unfinished jobs end with the process,
    and no log line says so.
    """

    def __init__(self, *, jobs: JobStore, source: CompanySource, clock: Clock) -> None:
        self.jobs = jobs
        self.source = source
        self.clock = clock
        self.is_closed = False
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly

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
        self.jobs.check_room(self.source.expected_seconds)

    async def accept(self, domain: str, *, request_id: str) -> Job:
        """Take a job for `domain` in; it waits until `start`. Raises as `check_open` does."""
        self.check_open()
        job = Job(
            id=str(uuid4()),
            domain=domain,
            request_id=request_id,
            created_at=self.clock.now(),
            expected_seconds=self.source.expected_seconds,
        )
        await self.jobs.add(job)
        log.info(_event("job accepted", job))
        return job

    async def start(self, job: Job) -> None:
        """Set an accepted job going and return at once."""
        if self.is_closed:
            await self._cancel(job)
            return
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Take no more jobs, stop the running ones, and say of each unfinished one that it is lost."""
        self.is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A task cancelled before its first step never reached `_run`, and a job whose 202 is still being sent has none.
        for job in self.jobs.unfinished():
            await self._cancel(job)

    async def _run(self, job: Job) -> None:
        """The whole life of a job. Nothing but a cancellation leaves it."""
        try:
            if await self.jobs.begin(job.id):
                result = await self.source.look_up(job.domain)
                if await self.jobs.end(job.id, State.COMPLETED, result=result):
                    log.info(_event("job completed", job, seconds=round(self.clock.now() - job.created_at, 3)))
        except asyncio.CancelledError:
            await self._cancel(job)
            raise
        except (Exception, SystemExit) as error:
            # SystemExit too: a library that calls sys.exit() must not take every other job with it.
            await self._fail(job, error)

    async def _fail(self, job: Job, error: BaseException) -> None:
        text = f"The look-up failed unexpectedly. The service's log says why, under job_id {job.id}."
        if await self.jobs.end(job.id, State.FAILED, error=text):
            log.error(_event("job failed", job), exc_info=error)

    async def _cancel(self, job: Job) -> None:
        if await self.jobs.end(job.id, State.CANCELLED, error="The service stopped before the look-up was done."):
            log.warning(_event("job cancelled", job))


def _event(name: str, job: Job, **more: object) -> Event:
    return Event(name, job_id=job.id, request_id=job.request_id, domain=job.domain, **more)
