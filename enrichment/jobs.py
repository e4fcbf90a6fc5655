"""
What a job is, the states it goes through, and the dict that holds them all.
"""

import asyncio
import math
from collections import deque
from enum import StrEnum
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.sources import Company


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
"The states that a job never leaves."


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """
    One domain, one run. A value: a change makes a new one, so a reader never sees half a job.

    Times are seconds since the epoch, UTC. `result` is there when completed, `error` when failed or cancelled.
    """

    id: str
    domain: str
    request_id: str
    created_at: float
    expected_seconds: float
    state: State = State.QUEUED
    started_at: float | None = None
    finished_at: float | None = None
    result: Company | None = None
    error: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it has come to its end, whichever."""
        return self.state in FINISHED

    def seconds_left(self, now: float) -> int:
        """Whole seconds until it may be done, at least one: when to ask again."""
        return max(1, math.ceil(self.created_at + self.expected_seconds - now))


class JobStore:
    """
    Jobs by id. Bounded both ways: by how many are unfinished, by how many finished ones are kept and for how long.

    Every change is made under the lock. A look at one job takes no lock: it is a single dict access to a frozen value.
    """

    def __init__(self, *, max_pending: int, max_finished: int, retention_seconds: float, clock: Clock) -> None:
        self._max_pending = max_pending
        self._max_finished = max_finished
        self._retention_seconds = retention_seconds
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._finished: deque[Job] = deque()  # in the order of their ends, so the oldest is on the left
        self._lock = asyncio.Lock()

    @property
    def pending(self) -> int:
        """How many jobs are not finished."""
        return len(self._jobs) - len(self._finished)

    def unfinished(self) -> list[Job]:
        """All jobs that have not come to an end, oldest first."""
        return [job for job in self._jobs.values() if not job.is_finished]

    def get(self, job_id: str) -> Job:
        """The job, as it stands; `JobNotFound` if there is none or its time is over."""
        job = self._jobs.get(job_id)
        if job is None or self._is_over(job):
            raise JobNotFound
        return job

    def check_room(self, expected_seconds: float) -> None:
        """Raise `TooManyJobs` if one more job, of that many seconds, would be one too many."""
        if self.pending >= self._max_pending:
            raise TooManyJobs(
                f"{self.pending} jobs are unfinished, as many as this service holds. Try again later.",
                retry_after=max(1, math.ceil(expected_seconds)),
            )

    async def add(self, job: Job) -> None:
        """Take a new job in; `TooManyJobs` if it would be one too many."""
        async with self._lock:
            self._forget()
            self.check_room(job.expected_seconds)
            self._jobs[job.id] = job

    async def begin(self, job_id: str) -> bool:
        """Mark a queued job as running; False if it has been ended before it could begin."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.state is not State.QUEUED:
                return False
            self._jobs[job_id] = msgspec.structs.replace(job, state=State.RUNNING, started_at=self._clock.now())
            return True

    async def end(
        self, job_id: str, state: State, *, result: Company | None = None, error: str | None = None
    ) -> Job | None:
        """Bring a job to its end, once: the first end counts, a later one changes nothing and gives None."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.is_finished:
                return None
            ended = msgspec.structs.replace(job, state=state, finished_at=self._clock.now(), result=result, error=error)
            self._jobs[job_id] = ended
            self._finished.append(ended)
            self._forget()
            return ended

    def _is_over(self, job: Job) -> bool:
        return job.finished_at is not None and job.finished_at + self._retention_seconds <= self._clock.now()

    def _forget(self) -> None:
        """Drop finished jobs, oldest first, while there are too many or their time is over."""
        while self._finished and (len(self._finished) > self._max_finished or self._is_over(self._finished[0])):
            del self._jobs[self._finished.popleft().id]
