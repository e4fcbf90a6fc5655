"""
Which enrichments there are, by domain and state, newest first, at the cost of the page that is asked for.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import cast

from enrichment.jobs.model import AnyJob, Enrichment
from schemas import JobState


class JobIndex:
    """
    The ids of the enrichments among `jobs` in the order of their numbers: all, those in each state, and those of each
    domain.

    A list of 100,000 ids is 800 kB: taking one out of its middle moves half of that at most, in one piece, and a page
    is a slice. Only a page of several states looks at the jobs before it, and a page of some states of one domain at
    all jobs of that domain.
    """

    def __init__(self, jobs: Mapping[str, AnyJob]) -> None:
        self._jobs = jobs
        self._all: list[str] = []
        self._in_state: dict[JobState, list[str]] = {state: [] for state in JobState}
        self._of_domain: dict[str, list[str]] = {}

    def add(self, job: Enrichment) -> None:
        """Add a job, which has to be in `jobs` by now and to have the highest number."""
        self._all.append(job.id)
        self._in_state[job.state].append(job.id)
        if job.domain in self._of_domain:
            self._of_domain[job.domain].append(job.id)
        else:
            self._of_domain[job.domain] = [job.id]  # 24 bytes less than an empty list that is appended to

    def move(self, job: Enrichment, before: JobState) -> None:
        """Note that the job, which was in the state `before`, is in its present state."""
        self._remove(self._in_state[before], job)
        ids = self._in_state[job.state]
        ids.insert(self._position(ids, job), job.id)

    def remove(self, job: Enrichment) -> None:
        """Remove a job, which has to be in `jobs` still."""
        self._remove(self._all, job)
        self._remove(self._in_state[job.state], job)
        ids = self._of_domain[job.domain]
        self._remove(ids, job)
        if not ids:
            del self._of_domain[job.domain]

    def count(self, domain: str | None, states: Collection[JobState] = ()) -> int:
        """How many enrichments there are, of the domain and in the states if given."""
        return sum(map(len, self._lists(domain, states)))

    def page(self, domain: str | None, states: Collection[JobState], *, limit: int, offset: int) -> list[str]:
        """`limit` ids after the `offset` newest ones."""
        lists = self._lists(domain, states)
        if len(lists) == 1:
            end = len(lists[0]) - offset
            return list(lists[0][max(0, end - limit) : max(0, end)][::-1])
        newest_first = merge(*map(reversed, lists), key=self._number, reverse=True)
        return list(islice(newest_first, offset, offset + limit))

    def newest(self, domain: str, states: Collection[JobState]) -> str | None:
        """The id of the domain's newest job in one of the states."""
        ids = reversed(self._of_domain.get(domain, ()))
        return next((job_id for job_id in ids if self._jobs[job_id].state in states), None)

    def _lists(self, domain: str | None, states: Collection[JobState]) -> list[Sequence[str]]:
        """The lists that together hold the ids in question, each once."""
        if domain is None:
            return [self._in_state[state] for state in states] if states else [self._all]
        ids = self._of_domain.get(domain, [])
        return [[job_id for job_id in ids if self._jobs[job_id].state in states] if states else ids]

    def _remove(self, ids: list[str], job: Enrichment) -> None:
        del ids[self._position(ids, job)]

    def _position(self, ids: Sequence[str], job: Enrichment) -> int:
        if not ids or self._number(ids[-1]) < job.number:
            return len(ids)  # the most frequent case: it is the newest
        return bisect_left(ids, job.number, key=self._number)

    def _number(self, job_id: str) -> int:
        return cast("Enrichment", self._jobs[job_id]).number
