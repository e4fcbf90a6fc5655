"""
Which enrichments there are, by domain and state, newest first, at the cost of the page that is asked for.
"""

from bisect import bisect_left
from collections.abc import Iterable

from enrichment.jobs import Enrichment, State

Key = tuple[str | None, State | None]


class JobIndex:
    """
    The ids of enrichments in the order of their numbers, oldest first, one list for each filter that can be asked for.

    A list of 100,000 ids is 800 kB: to take one out of its middle moves half of that at most, in one piece, while any
    page is a slice.
    """

    def __init__(self) -> None:
        self._lists: dict[Key, list[str]] = {}
        self._numbers: dict[str, int] = {}
        self._next = 0

    def add(self, job: Enrichment) -> None:
        """Take in a new job, which is the newest."""
        self._numbers[job.id] = self._next
        self._next += 1
        for key in _keys(job):
            self._lists.setdefault(key, []).append(job.id)

    def move(self, job: Enrichment, before: State) -> None:
        """Tell that the job was in the state `before`, and now is in its own."""
        for domain in (None, job.domain):
            self._take((domain, before), job.id)
            ids = self._lists.setdefault((domain, job.state), [])
            ids.insert(self._place(ids, job.id), job.id)

    def remove(self, job: Enrichment) -> None:
        """Forget the job."""
        for key in _keys(job):
            self._take(key, job.id)
        del self._numbers[job.id]

    def count(self, domain: str | None, state: State | None) -> int:
        """How many there are."""
        return len(self._lists.get((domain, state), ()))

    def page(self, domain: str | None, state: State | None, *, limit: int, offset: int) -> list[str]:
        """`limit` ids, newest first, after the `offset` newest ones."""
        ids = self._lists.get((domain, state), [])
        end = len(ids) - offset
        return ids[max(0, end - limit) : max(0, end)][::-1]

    def newest(self, domain: str, states: Iterable[State]) -> str | None:
        """The newest job of the domain in one of the states."""
        candidates = [self._lists[domain, state][-1] for state in states if self._lists.get((domain, state))]
        return max(candidates, key=self._numbers.__getitem__, default=None)

    def _place(self, ids: list[str], job_id: str) -> int:
        return bisect_left(ids, self._numbers[job_id], key=self._numbers.__getitem__)

    def _take(self, key: Key, job_id: str) -> None:
        ids = self._lists[key]
        del ids[self._place(ids, job_id)]
        if not ids:
            del self._lists[key]


def _keys(job: Enrichment) -> tuple[Key, ...]:
    return (None, None), (None, job.state), (job.domain, None), (job.domain, job.state)
