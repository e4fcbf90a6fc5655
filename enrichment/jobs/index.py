"""
Which enrichments there are, by domain and state, newest first, at the cost of the page that is asked for.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import cast

from enrichment.jobs.model import AnyJob, Enrichment, State


class JobIndex:
    """
    The ids of the enrichments among `jobs` in the order of their numbers, oldest first: all, and those in each state,
    and those of each domain.

    A list of 100,000 ids is 800 kB: to take one out of its middle moves half of that at most, in one piece, while any
    page is a slice. Only who asks for a state of one domain's waits while all jobs of that domain are looked at. Most
    domains have one job, which stands there without a list around it: that saves 100 bytes for each.
    """

    def __init__(self, jobs: Mapping[str, AnyJob]) -> None:
        self._jobs = jobs
        self._all: list[str] = []
        self._in_state: dict[State, list[str]] = {state: [] for state in State}
        self._of_domain: dict[str, str | list[str]] = {}

    def add(self, job: Enrichment) -> None:
        """Take in a new job."""
        self._insert(self._all, job)
        self._insert(self._in_state[job.state], job)
        before = self._of_domain.get(job.domain)
        if before is None:
            self._of_domain[job.domain] = job.id
        elif isinstance(before, str):
            self._of_domain[job.domain] = [before, job.id]
        else:
            before.append(job.id)

    def move(self, job: Enrichment, before: State) -> None:
        """Tell that the job was in the state `before`, and now is in its own."""
        self._take(self._in_state[before], job)
        self._insert(self._in_state[job.state], job)

    def remove(self, job: Enrichment) -> None:
        """Forget the job, before it leaves `jobs`."""
        self._take(self._all, job)
        self._take(self._in_state[job.state], job)
        ids = self._of_domain[job.domain]
        if isinstance(ids, list):
            self._take(ids, job)
        if isinstance(ids, str) or not ids:
            del self._of_domain[job.domain]

    def count(self, domain: str | None, state: State | None) -> int:
        """How many there are."""
        return len(self._ids(domain, state))

    def page(self, domain: str | None, state: State | None, *, limit: int, offset: int) -> list[str]:
        """`limit` ids, newest first, after the `offset` newest ones."""
        ids = self._ids(domain, state)
        end = len(ids) - offset
        return ids[max(0, end - limit) : max(0, end)][::-1]

    def newest(self, domain: str, states: frozenset[State]) -> str | None:
        """The newest job of the domain in one of the states."""
        return next(
            (job_id for job_id in reversed(self._ids(domain, None)) if self._jobs[job_id].state in states), None
        )

    def _ids(self, domain: str | None, state: State | None) -> list[str]:
        if domain is None:
            return self._all if state is None else self._in_state[state]
        ids = self._of_domain.get(domain, [])
        if isinstance(ids, str):
            ids = [ids]
        return ids if state is None else [job_id for job_id in ids if self._jobs[job_id].state is state]

    def _insert(self, ids: list[str], job: Enrichment) -> None:
        ids.insert(self._place(ids, job), job.id)

    def _take(self, ids: list[str], job: Enrichment) -> None:
        del ids[self._place(ids, job)]

    def _place(self, ids: list[str], job: Enrichment) -> int:
        if not ids or self._number(ids[-1]) < job.number:
            return len(ids)  # most often it is the newest
        return bisect_left(ids, job.number, key=self._number)

    def _number(self, job_id: str) -> int:
        return cast("Enrichment", self._jobs[job_id]).number
