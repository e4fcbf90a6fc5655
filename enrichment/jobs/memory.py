"""
The dict that holds all jobs, and its lock.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from enrichment.clock import Clock
from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.jobs.index import JobIndex
from enrichment.jobs.model import FINISHED, UNFINISHED, AnyJob, Batch, Enrichment, Lookup, Packer, State, Step
from enrichment.sources import Company


class JobStore:
    """
    Jobs by id. Bounded both ways: by how many are unfinished, by how many finished ones are kept and for how long.

    Every change is made under the lock. A look takes no lock: values are frozen, and nothing is awaited while looking.
    """

    def __init__(self, *, max_pending: int, max_finished: int, retention_seconds: float, clock: Clock) -> None:
        self._max_pending = max_pending
        self._max_finished = max_finished
        self._retention_seconds = retention_seconds
        self._clock = clock
        self._jobs: dict[str, AnyJob] = {}
        self._finished: deque[AnyJob] = deque()  # in the order of their ends, so the oldest is on the left
        self._index = JobIndex(self._jobs)
        self._batches: dict[str, tuple[Batch, int]] = {}  # with the number of its jobs that are not forgotten
        self._packer = Packer()
        self._lock = asyncio.Lock()

    # Looking

    @property
    def pending(self) -> int:
        """How many jobs are not finished."""
        return len(self._jobs) - len(self._finished)

    def unfinished(self) -> list[AnyJob]:
        """All jobs that have not come to an end, oldest first."""
        return [job for job in self._jobs.values() if not job.is_finished]

    def lookup(self, job_id: str) -> Lookup:
        """The job of `POST /enrich`, as it stands; `JobNotFound` if there is none or its time is over."""
        job = self._jobs.get(job_id)
        if not isinstance(job, Lookup) or self._is_over(job):
            raise JobNotFound
        return job

    def enrichment(self, job_id: str, domain: str | None = None) -> Enrichment:
        """The enrichment, as it stands; `JobNotFound` if there is none of that id, for `domain` if given."""
        job = self.find(job_id)
        if job is None or domain not in (None, job.domain):
            raise JobNotFound
        return job

    def find(self, job_id: str | None) -> Enrichment | None:
        """The enrichment, as it stands, if it is held."""
        job = self._jobs.get(job_id or "")
        return job if isinstance(job, Enrichment) and not self._is_over(job) else None

    def is_unfinished(self, job_id: str) -> bool:
        """Whether there is such a job, and it has not come to its end."""
        job = self._jobs.get(job_id)
        return job is not None and not job.is_finished

    def newest(self, domain: str, states: frozenset[State] = UNFINISHED | FINISHED) -> Enrichment | None:
        """The newest enrichment of the domain in one of the states, if there is one."""
        return self.find(self._index.newest(domain, states))

    def page(self, domain: str | None, state: State | None, *, limit: int, offset: int) -> list[Enrichment]:
        """Enrichments, newest first. One whose time is over may be among them until the next change."""
        ids = self._index.page(domain, state, limit=limit, offset=offset)
        return [job for job in map(self._jobs.__getitem__, ids) if isinstance(job, Enrichment)]

    def count(self, domain: str | None, state: State | None) -> int:
        """How many enrichments there are."""
        return self._index.count(domain, state)

    def batch(self, batch_id: str) -> Batch:
        """The batch, as long as one of its jobs is held."""
        if batch_id not in self._batches:
            raise JobNotFound("Batch not found")
        return self._batches[batch_id][0]

    def check_room(self, expected_seconds: float, jobs: int = 1) -> None:
        """Raise `TooManyJobs` if so many more jobs, the first of that many seconds, would be too many."""
        if self.pending + jobs > self._max_pending:
            raise TooManyJobs(
                f"{self.pending} jobs are unfinished, of {self._max_pending} that this service holds. Try again later.",
                retry_after=max(1, math.ceil(expected_seconds)),
            )

    # Changing

    async def add(self, jobs: Sequence[AnyJob], batch: Batch | None = None) -> None:
        """Take new jobs in, all or none; `TooManyJobs` if they would be too many."""
        async with self._lock:
            self._forget()
            self.check_room(jobs[0].expected_seconds, len(jobs))
            if batch:
                self._batches[batch.id] = batch, len(jobs)
            for job in jobs:
                self._jobs[job.id] = job
                if isinstance(job, Enrichment):
                    self._index.add(job)

    async def begin(self, job_id: str) -> bool:
        """Mark a queued job as running; False if it has been ended before it could begin."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.state is not State.QUEUED:
                return False
            self._put(replace(job, state=State.RUNNING, started_at=self._clock.now()), job)
            return True

    async def record(self, job_id: str, step: Step) -> bool:
        """Note how a module stands; False if its job, or the step itself, has come to its end before."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if not isinstance(job, Enrichment) or job.is_finished or job.step(step.module_id).ended_at is not None:
                return False
            self._put(job.with_step(step), job)
            return True

    async def end(
        self, job_id: str, state: State, *, result: Company | None = None, error: str | None = None
    ) -> AnyJob | None:
        """
        Bring a job to its end, once: the first end counts, a later one changes nothing and gives None.

        The steps of an enrichment that have not ended by then are cancelled.
        """
        async with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.is_finished:
                return None
            now = self._clock.now()
            ended: AnyJob
            if isinstance(job, Lookup):
                ended = replace(job, state=state, finished_at=now, error=error, result=result)
            else:
                ended = replace(job.at_rest(self._packer), state=state, finished_at=now, error=error)
            self._put(ended, job)
            self._finished.append(ended)
            self._forget()
            return ended

    def _put(self, job: AnyJob, before: AnyJob) -> None:
        self._jobs[job.id] = job
        if isinstance(job, Enrichment) and job.state is not before.state:
            self._index.move(job, before.state)

    def _is_over(self, job: AnyJob) -> bool:
        return job.finished_at is not None and job.finished_at + self._retention_seconds <= self._clock.now()

    def _forget(self) -> None:
        """Drop finished jobs, oldest first, while there are too many or their time is over."""
        while self._finished and (len(self._finished) > self._max_finished or self._is_over(self._finished[0])):
            job = self._finished.popleft()
            if isinstance(job, Enrichment):
                self._index.remove(job)
                self._forget_one_of(job.batch_id)
            del self._jobs[job.id]

    def _forget_one_of(self, batch_id: str | None) -> None:
        if batch_id:
            batch, held = self._batches.pop(batch_id)
            if held > 1:
                self._batches[batch_id] = batch, held - 1
