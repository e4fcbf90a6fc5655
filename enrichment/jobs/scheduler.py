"""
Whose turn it is: so many enrichments run at a time, the more urgent and the older ones first.
"""

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import Final

from enrichment.jobs.model import Batch, Enrichment, Priority

HEAD_START: Final[dict[Priority, float]] = {"high": 1_800.0, "normal": 1_200.0, "low": 0.0}
"""
Seconds by which a job counts as older than it is. So urgent ones go first, and yet nobody waits for ever: a low job
goes before every high one that came half an hour after it.
"""

MOST_LEFT: Final = 100
"So many who have left, and half of all, may be in the heap before it is put in order."

Turn = tuple[float, int, str]


class Line:
    """
    The enrichments that wait. `join` it, be `take`n when there is room, and `leave` at the end, wherever that comes.

    Of a batch, no more than its concurrency are in the line or running at a time; the others stand behind it.
    """

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._running: set[str] = set()
        self._waiting: set[str] = set()
        self._turns: list[Turn] = []  # a heap, in which those who have left stay until it is their turn
        self._groups: dict[str, _Group] = {}
        self._batch_of: dict[str, str] = {}

    def join(self, job: Enrichment, batch: Batch | None = None) -> None:
        """Wait for one's turn."""
        if batch:
            self._batch_of[job.id] = batch.id
            group = self._groups.setdefault(batch.id, _Group(batch.concurrency))
            if len(group.admitted) >= group.concurrency:
                group.waiting[job.id] = job
                return
            group.admitted.add(job.id)
        self._waiting.add(job.id)
        heappush(self._turns, (job.created_at - HEAD_START[job.priority], job.number, job.id))

    def take(self) -> str | None:
        """The id of the next one that may run, which from now on is running."""
        while self._turns and len(self._running) < self._max_running:
            job_id = heappop(self._turns)[2]
            if job_id in self._waiting:
                self._waiting.remove(job_id)
                self._running.add(job_id)
                return job_id
        return None

    def leave(self, job_id: str) -> None:
        """Make room: the job has ended, whether it ran, waited, or was never here."""
        self._running.discard(job_id)
        self._waiting.discard(job_id)
        if len(self._turns) > 2 * len(self._waiting) + MOST_LEFT:
            self._turns = [turn for turn in self._turns if turn[2] in self._waiting]
            heapify(self._turns)
        batch_id = self._batch_of.pop(job_id, None)
        if batch_id is None:
            return
        group = self._groups[batch_id]
        group.waiting.pop(job_id, None)
        if job_id in group.admitted:
            group.admitted.remove(job_id)
            if group.waiting:
                self._admit(group)
        if not group.admitted:
            del self._groups[batch_id]

    def _admit(self, group: "_Group") -> None:
        _, job = group.waiting.popitem(last=False)
        group.admitted.add(job.id)
        self.join(job)


class _Group:
    """A batch: those of its jobs that are in the line or run, and those that stand behind."""

    __slots__ = ("admitted", "concurrency", "waiting")

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.admitted: set[str] = set()
        self.waiting: OrderedDict[str, Enrichment] = OrderedDict()
