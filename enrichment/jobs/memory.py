"""
The store of a single process: a dict that holds all jobs, and its lock.
"""

import asyncio
import functools
import itertools
import math
import time
from collections import OrderedDict, deque
from collections.abc import Collection, Mapping, Sequence
from sys import getsizeof
from typing import Final

from msgspec.structs import replace

from enrichment.clock import Clock
from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.jobs.archive import ArchivedEnrichment, archive
from enrichment.jobs.index import JobIndex
from enrichment.jobs.model import AnyJob, Batch, BatchItem, Enrichment, Lookup, Step
from enrichment.jobs.protocols import BatchSnapshot, J, Page
from enrichment.sources.costs import Charge, add, fits, total
from schemas import CompanyData, JobState

JOB_BYTES: Final = 1_000
"What a finished job takes beside its compressed steps, its error and its domain: the value, its places in the index."

CHARGE_BYTES: Final = 200
"What the charges of one source take."

ITEM_BYTES: Final = 100
"What an entry of a batch takes beside its texts."

READ_JOBS: Final = 100
"Finished jobs that are kept decompressed, some 25 kB each: whoever polls reads the same one again and again."

MAX_READ_BYTES: Final = 100_000
"A job with larger results is decompressed each time that it is read, so that 100 of them cannot fill the memory."

SECONDS_PER_TURN: Final = 0.002
"How long reading many jobs may hold the event loop."


class MemoryStore:
    """
    A `JobStore` in memory.

    Holds at most `max_pending` unfinished jobs, and finished ones for `retention_seconds` up to the number of
    `max_finished` and a size of some `max_finished_bytes`; the oldest are forgotten first. A skipped entry of a batch
    counts as a job, for it takes as much memory: as an unfinished one until all jobs of the batch are finished. Until
    then an entry whose job is forgotten counts in the same way; afterwards the size of all entries counts. The profiles
    and rows of tables that came with unfinished jobs may take `max_finished_bytes` as well.

    Every change of a job is made under the lock. A reader takes no lock: jobs are values, and no read awaits. Before
    anything is read, jobs whose time is over are forgotten.
    """

    def __init__(
        self,
        *,
        max_pending: int,
        max_finished: int,
        max_finished_bytes: int,
        retention_seconds: float,
        clock: Clock,
    ) -> None:
        self._max_pending = max_pending
        self._max_finished = max_finished
        self._max_finished_bytes = max_finished_bytes
        self._retention_seconds = retention_seconds
        self._clock = clock
        self._jobs: dict[str, AnyJob] = {}  # of finished enrichments the archived ones
        self._finished: deque[AnyJob] = deque()  # in the order in which they finished
        self._index = JobIndex(self._jobs)
        self._batches: dict[str, _HeldBatch] = {}
        self._pending_skipped = 0  # entries of unfinished batches that are skipped, or whose jobs are forgotten
        self._finished_skipped = 0  # those of other batches
        self._finished_bytes = 0
        self._pending_bytes = 0  # of the profiles and rows that came with unfinished jobs and batches
        self._numbers = itertools.count(1)
        self._lock = asyncio.Lock()
        self._decompressed: OrderedDict[str, Enrichment] = OrderedDict()  # the most recently read ones

    @property
    def pending(self) -> int:
        """How many jobs are not finished."""
        return len(self._jobs) - len(self._finished)

    def unfinished(self) -> list[str]:
        """The ids of all unfinished jobs, oldest first."""
        return [job.id for job in self._jobs.values() if not job.is_finished]

    def is_unfinished(self, job_id: str) -> bool:
        """Whether a job is held that is not finished."""
        job = self._jobs.get(job_id)
        return job is not None and not job.is_finished

    async def add(self, jobs: Sequence[J], batch: Batch | None = None) -> Sequence[J]:
        """See `JobStore.add`."""
        async with self._lock:
            self._forget()
            skipped = len(batch.items) - len(jobs) if batch else 0
            posted_bytes = _size_of_posted(batch) if batch else sum(map(_size_of_profile, jobs))
            self._check_room(jobs[0].expected_seconds, len(jobs) + skipped, posted_bytes)
            self._pending_bytes += posted_bytes
            if batch:
                self._batches[batch.id] = _HeldBatch(batch, jobs=len(jobs), skipped=skipped)
                self._pending_skipped += skipped
            return [self._add(job) for job in jobs]

    async def check_room(self, expected_seconds: float) -> None:
        """See `JobStore.check_room`."""
        self._check_room(expected_seconds, 1)

    async def begin(self, job_id: str) -> Enrichment | None:
        """See `JobStore.begin`."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if not isinstance(job, Enrichment) or job.is_finished:
                return None
            started_at = self._clock.now() if job.started_at is None else job.started_at
            begun = replace(job, state=JobState.RUNNING, started_at=started_at, run=job.run + 1)
            self._replace(begun, job)
            return begun

    async def record(self, job_id: str, step: Step, *, run: int | None = None) -> bool:
        """See `JobStore.record`."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if not isinstance(job, Enrichment) or not _may_change(job, run):
                return False
            if job.step(step.module_id).ended_at is not None:
                return False
            self._replace(job.with_step(step), job)
            return True

    async def finish(
        self,
        job_id: str,
        state: JobState,
        *,
        result: CompanyData | None = None,
        error: str | None = None,
        run: int | None = None,
    ) -> AnyJob | None:
        """See `JobStore.finish`."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if job is None or not _may_change(job, run):
                return None
            finished: AnyJob = replace(job, state=state, finished_at=self._clock.now(), error=error)
            if isinstance(finished, Lookup):
                finished = replace(finished, result=result)
            kept = archive(finished) if isinstance(finished, Enrichment) else finished
            self._replace(kept, job)
            self._finished.append(kept)
            self._finished_bytes += _size(kept)
            self._pending_bytes -= _size_of_profile(job)
            if isinstance(job, Enrichment):
                self._note_finished(job.batch_id)
            self._forget()
            return finished

    async def charge(self, job_id: str, charges: Sequence[Charge]) -> bool:
        """See `JobStore.charge`."""
        async with self._lock:
            job = self._jobs.get(job_id)
            if not isinstance(job, Enrichment):
                return False
            held = self._batches.get(job.batch_id or "")
            amount = total(charges).amount
            if amount > 0 and not (
                fits(amount, job.charges, job.terms.max_cost)
                and (held is None or fits(amount, held.charges, held.batch.max_cost))
            ):
                return False
            self._jobs[job_id] = replace(job, charges=functools.reduce(add, charges, job.charges))
            self._decompressed.pop(job_id, None)
            if held:
                held.charges = functools.reduce(add, charges, held.charges)
            return True

    async def lookup(self, job_id: str) -> Lookup:
        """See `JobStore.lookup`."""
        self._forget()
        job = self._jobs.get(job_id)
        if not isinstance(job, Lookup):
            raise JobNotFound
        return job

    async def enrichment(self, job_id: str, domain: str | None = None) -> Enrichment:
        """See `JobStore.enrichment`."""
        self._forget()
        job = self._find(job_id)
        if job is None or domain not in (None, job.domain):
            raise JobNotFound
        return job

    async def newest(self, domain: str, states: Collection[JobState]) -> Enrichment | None:
        """See `JobStore.newest`."""
        self._forget()
        return self._find(self._index.newest(domain, states))

    async def page(self, domain: str | None, states: Collection[JobState], *, limit: int, offset: int) -> Page:
        """See `JobStore.page`."""
        self._forget()
        ids = self._index.page(domain, states, limit=limit, offset=offset)
        jobs = [replace(job, steps=()) for job in map(self._jobs.get, ids) if isinstance(job, Enrichment)]
        return Page(
            jobs=jobs,
            total=self._index.count(domain, states),
            running=self._index.count(domain, (JobState.RUNNING,)),
            queued=self._index.count(domain, (JobState.QUEUED,)),
        )

    async def enrichments(self, job_ids: Collection[str]) -> Mapping[str, Enrichment]:
        """See `JobStore.enrichments`. Restoring an archived job takes 0.3 ms, so other tasks run between them."""
        self._forget()
        found = {}
        began = time.perf_counter()
        for job_id in job_ids:
            if time.perf_counter() - began > SECONDS_PER_TURN:
                await asyncio.sleep(0)
                began = time.perf_counter()
            if job := self._find(job_id):
                found[job_id] = job
        return found

    async def batch(self, batch_id: str) -> BatchSnapshot:
        """See `JobStore.batch`."""
        self._forget()
        if batch_id not in self._batches:
            raise JobNotFound("Batch not found", parameter="batch_id")
        batch = self._batches[batch_id].batch
        held = [self._jobs.get(item.job_id or "") for item in batch.items]
        jobs = {job.id: job for job in held if isinstance(job, Enrichment)}
        return BatchSnapshot(batch, jobs, self._batches[batch_id].charges)

    def _add(self, job: J) -> J:
        if isinstance(job, Enrichment):
            job = replace(job, number=next(self._numbers))
            self._jobs[job.id] = job
            self._index.add(job)
        else:
            self._jobs[job.id] = job
        return job

    def _check_room(self, expected_seconds: float, entries: int, posted_bytes: int = 0) -> None:
        if self.pending + self._pending_skipped + entries > self._max_pending:
            fault = f"{self.pending} jobs are unfinished, of {self._max_pending} that this service holds."
        elif self._pending_bytes + posted_bytes > self._max_finished_bytes:
            fault = "The tables and profiles of unfinished jobs take all of the memory that they may take."
        else:
            return
        raise TooManyJobs(f"{fault} Try again later.", retry_after=max(1, math.ceil(expected_seconds)))

    def _find(self, job_id: str | None) -> Enrichment | None:
        job = self._jobs.get(job_id or "")
        if isinstance(job, ArchivedEnrichment):
            return self._restored(job)
        return job if isinstance(job, Enrichment) else None

    def _restored(self, job: ArchivedEnrichment) -> Enrichment:
        if restored := self._decompressed.get(job.id):
            self._decompressed.move_to_end(job.id)
            return restored
        restored = job.restore()
        if sum(len(step.finding.body) for step in restored.steps if step.finding) <= MAX_READ_BYTES:
            self._decompressed[job.id] = restored
            if len(self._decompressed) > READ_JOBS:
                self._decompressed.popitem(last=False)
        return restored

    def _replace(self, job: AnyJob, before: AnyJob) -> None:
        self._jobs[job.id] = job
        if isinstance(job, Enrichment) and job.state is not before.state:
            self._index.move(job, before.state)

    def _is_expired(self, job: AnyJob) -> bool:
        return job.finished_at is not None and job.finished_at + self._retention_seconds <= self._clock.now()

    def _forget(self) -> None:
        """Drop finished jobs, oldest first, while there are too many or their time is over."""
        while self._finished and (self._is_full() or self._is_expired(self._finished[0])):
            job = self._finished.popleft()
            self._finished_bytes -= _size(job)
            if isinstance(job, Enrichment):
                self._index.remove(job)
                self._decompressed.pop(job.id, None)
                self._note_forgotten(job.batch_id)
            del self._jobs[job.id]

    def _is_full(self) -> bool:
        entries = len(self._finished) + self._finished_skipped
        return entries > self._max_finished or self._finished_bytes > self._max_finished_bytes

    def _note_finished(self, batch_id: str | None) -> None:
        if held := self._batches.get(batch_id or ""):
            held.unfinished -= 1
            if not held.unfinished:
                self._pending_skipped -= held.skipped + held.forgotten
                self._finished_skipped += held.skipped
                self._finished_bytes += held.size
                self._pending_bytes -= held.posted_bytes

    def _note_forgotten(self, batch_id: str | None) -> None:
        if held := self._batches.get(batch_id or ""):
            held.jobs -= 1
            if held.unfinished:
                held.forgotten += 1
                self._pending_skipped += 1
            elif not held.jobs:
                self._finished_skipped -= held.skipped
                self._finished_bytes -= held.size
                del self._batches[held.batch.id]


class _HeldBatch:
    """
    A batch, the number of its jobs that are held, and of those the unfinished ones. `size` is about how many bytes its
    entries take, `posted_bytes` how many of them are the table and the profile; `forgotten` are those whose jobs were
    forgotten before the batch was finished.
    """

    __slots__ = ("batch", "charges", "forgotten", "jobs", "posted_bytes", "size", "skipped", "unfinished")

    def __init__(self, batch: Batch, *, jobs: int, skipped: int) -> None:
        self.batch = batch
        self.jobs = jobs
        self.unfinished = jobs
        self.skipped = skipped
        self.forgotten = 0
        self.charges: tuple[Charge, ...] = ()
        self.posted_bytes = _size_of_posted(batch)
        self.size = sum(map(_size_of_item, batch.items)) + self.posted_bytes


def _may_change(job: AnyJob, run: int | None) -> bool:
    """Whether the job is not finished, and this is its last run if one is given."""
    return not job.is_finished and run in (None, job.run)


def _size(job: AnyJob) -> int:
    """About how many bytes a finished job takes. Its domain occurs in its id and the index, too."""
    packed = len(job.packed) if isinstance(job, ArchivedEnrichment) else 0
    charges = CHARGE_BYTES * len(job.charges) if isinstance(job, Enrichment) else 0
    error = getsizeof(job.error) if job.error else 0
    return JOB_BYTES + packed + charges + 2 * len(job.domain) + error + _size_of_profile(job)


def _size_of_profile(job: AnyJob) -> int:
    """How many bytes the profile of a single job takes. The jobs of a batch share that of the batch."""
    return len(job.profile.content) if isinstance(job, Enrichment) and job.profile and not job.batch_id else 0


def _size_of_posted(batch: Batch) -> int:
    """About how many bytes the profile and the rows of the table take that were posted."""
    profile = len(batch.profile.content) if batch.profile else 0
    rows = (batch.columns, *(item.cells for item in batch.items))
    return profile + sum(getsizeof(row) + sum(getsizeof(cell) for cell in row if cell) for row in rows if row)


def _size_of_item(item: BatchItem) -> int:
    """About how many bytes an entry of a batch takes."""
    return ITEM_BYTES + getsizeof(item.domain) + getsizeof(item.reason or item.job_id)
