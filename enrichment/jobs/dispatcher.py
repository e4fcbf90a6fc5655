"""
The dispatcher of a single process: every running job is a task.
"""

import asyncio
import functools
from collections.abc import Sequence
from typing import Final

from enrichment.jobs.memory import MemoryStore
from enrichment.jobs.model import AnyJob, Batch, Enrichment
from enrichment.jobs.resolver import Resolver
from enrichment.jobs.runner import STOPPED, Runner
from enrichment.jobs.scheduler import Scheduler
from schemas import JobState

MAX_STOP_SECONDS: Final = 5.0
"How long `close` waits for the tasks of running jobs. A source may ignore that it is cancelled."


class MemoryDispatcher:
    """A `Dispatcher` that runs up to `max_running` enrichments at a time, and every lookup at once."""

    def __init__(self, *, store: MemoryStore, runner: Runner, resolver: Resolver, max_running: int) -> None:
        self._store = store
        self._runner = runner
        self._resolver = resolver
        self._scheduler = Scheduler(max_running)
        self._tasks: dict[str, asyncio.Task[None]] = {}  # the event loop itself refers to tasks only weakly
        self._is_closed = False

    def open(self) -> None:
        """Run jobs again, after `close`."""
        self._is_closed = False

    async def dispatch(self, jobs: Sequence[AnyJob], batch: Batch | None = None) -> None:
        """See `Dispatcher.dispatch`."""
        if self._is_closed:
            for job in jobs:
                await self._runner.finish(job.id, JobState.CANCELLED, error=STOPPED)
            return
        for job in jobs:
            if not self._store.is_unfinished(job.id):
                continue  # cancelled while its 202 was on the way
            if isinstance(job, Enrichment):
                self._scheduler.enqueue(job, batch)
            else:
                self._spawn(job)
        self._start_next()

    async def cancel(self, job_id: str) -> None:
        """See `Dispatcher.cancel`."""
        if self._scheduler.is_running(job_id):
            self._resolver.abandon(job_id)
        if task := self._tasks.get(job_id):
            task.cancel()  # its place is free when the task is over, not before
        else:
            self._scheduler.release(job_id)  # one that waits holds no place of a running job, so that none begins

    def stop(self) -> None:
        """See `Dispatcher.stop`: to close takes a moment only."""

    async def check(self) -> None:
        """See `Dispatcher.check`: this process runs the jobs."""

    async def close(self) -> None:
        """Run no more jobs, and cancel each unfinished one."""
        self._is_closed = True
        for job_id in self._store.unfinished():
            await self._runner.finish(job_id, JobState.CANCELLED, error=STOPPED)
            await self.cancel(job_id)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=MAX_STOP_SECONDS)

    def _start_next(self) -> None:
        while not self._is_closed and (job := self._scheduler.acquire()):
            self._spawn(job)

    def _spawn(self, job: AnyJob) -> None:
        task = asyncio.create_task(self._runner.run(job))
        self._tasks[job.id] = task
        task.add_done_callback(functools.partial(self._ended, job.id))

    def _ended(self, job_id: str, _: asyncio.Task[None]) -> None:
        del self._tasks[job_id]
        self._resolver.forget(job_id)
        self._scheduler.release(job_id)
        self._start_next()
