"""
Which enrichment runs next: a bounded number at a time, by priority and age.
"""

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import Final

from enrichment.jobs.model import Batch, Enrichment
from schemas import Priority

PRIORITY_BOOST_SECONDS: Final[dict[Priority, float]] = {"high": 1_800.0, "normal": 1_200.0, "low": 0.0}
"""
Seconds by which a job counts as older than it is. Urgent jobs run first, and yet no job starves: a low one runs before
every high one that was posted half an hour after it.
"""

MAX_STALE_ENTRIES: Final = 100
"The heap is rebuilt when more than half of its entries, and more than so many, belong to jobs that no longer wait."


class Scheduler:
    """
    The queue of enrichments.

    A job is enqueued, acquired when there is room for it, and released when it is over, whether it ran or not. Of a
    batch, no more jobs than its concurrency wait or run at a time; the others are held back in the order of the batch.
    """

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._running: set[str] = set()
        self._waiting: dict[str, Enrichment] = {}
        self._heap: list[tuple[float, int, str]] = []  # includes jobs that no longer wait
        self._groups: dict[str, _Group] = {}
        self._batch_of: dict[str, str] = {}

    def enqueue(self, job: Enrichment, batch: Batch | None = None) -> None:
        """Add a job, which belongs to `batch` if that is given."""
        if batch:
            self._batch_of[job.id] = batch.id
            group = self._groups.setdefault(batch.id, _Group(batch.concurrency))
            if len(group.admitted) >= group.concurrency:
                group.held_back[job.id] = job
                return
            group.admitted.add(job.id)
        self._waiting[job.id] = job
        heappush(self._heap, (job.created_at - PRIORITY_BOOST_SECONDS[job.priority], job.number, job.id))

    def acquire(self) -> Enrichment | None:
        """Return the next job, which counts as running from now on; None if there is no room or no job."""
        while self._heap and len(self._running) < self._max_running:
            job = self._waiting.pop(heappop(self._heap)[2], None)
            if job:
                self._running.add(job.id)
                return job
        return None

    def is_running(self, job_id: str) -> bool:
        """Whether the job was acquired and is not released yet."""
        return job_id in self._running

    def release(self, job_id: str) -> None:
        """Remove a job, whether it runs, waits, is held back, or was never enqueued."""
        self._running.discard(job_id)
        self._waiting.pop(job_id, None)
        if len(self._heap) > 2 * len(self._waiting) + MAX_STALE_ENTRIES:
            self._heap = [entry for entry in self._heap if entry[2] in self._waiting]
            heapify(self._heap)
        batch_id = self._batch_of.pop(job_id, None)
        if batch_id is None:
            return
        group = self._groups[batch_id]
        group.held_back.pop(job_id, None)
        if job_id in group.admitted:
            group.admitted.remove(job_id)
            if group.held_back:
                _, job = group.held_back.popitem(last=False)
                group.admitted.add(job.id)
                self.enqueue(job)
        if not group.admitted:
            del self._groups[batch_id]


class _Group:
    """The jobs of a batch: those that wait or run, and those that are held back."""

    __slots__ = ("admitted", "concurrency", "held_back")

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.admitted: set[str] = set()
        self.held_back: OrderedDict[str, Enrichment] = OrderedDict()
