"""
The seams of the engine: where jobs and findings are kept, and who runs jobs.

The pipeline, the resolver and the routes know these protocols only. `memory.py`, `cache.py` and `dispatcher.py`
implement them for a single process.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from enrichment.jobs.model import AnyJob, Batch, Enrichment, Lookup, Step
from enrichment.modules.module import Finding
from enrichment.modules.table import MODULES
from enrichment.sources.costs import Charge
from schemas import CompanyData, JobState

J = TypeVar("J", Lookup, Enrichment)


class Page(NamedTuple):
    """
    Some of the enrichments, newest first and without their steps, and how many there are: `total` of those that match,
    `running` and `queued` of the domain's.
    """

    jobs: Sequence[Enrichment]
    total: int
    running: int
    queued: int


class BatchSnapshot(NamedTuple):
    """
    A batch, and those of its jobs that are still held, by id and without their steps. `charges` has what all of its
    jobs have spent, by source, those included that are no longer held.
    """

    batch: Batch
    jobs: Mapping[str, Enrichment]
    charges: Sequence[Charge] = ()


class Held(NamedTuple):
    """What is known of a finding in the cache without reading it; the fields are those of `Finding`."""

    fetched_at: float
    unknown: str
    based_on: tuple[tuple[str, float], ...]


class JobStore(Protocol):
    """
    Jobs by id, with a bound on the unfinished ones.

    What a method returns is a value and does not change. Of a finished job only the charges still do.
    """

    async def add(self, jobs: Sequence[J], batch: Batch | None = None) -> Sequence[J]:
        """
        Take all of the jobs, or none, and return them with their numbers.

        Raise `TooManyJobs` if that would be more unfinished jobs than may be held.
        """

    async def check_room(self, expected_seconds: float) -> None:
        """Raise `TooManyJobs` if not a single job more could be taken; it names `expected_seconds` as the wait."""

    async def begin(self, job_id: str) -> Enrichment | None:
        """
        Begin a run of an enrichment: mark it as running, and return it with the number of the run.

        It is a further run if the process of the former one has ended; steps that have ended are kept. None if the job
        is finished.
        """

    async def record(self, job_id: str, step: Step, *, run: int | None = None) -> bool:
        """
        Store a step of an enrichment.

        False if the job is finished, that step has ended before, or `run` is given and not the job's last.
        """

    async def finish(
        self,
        job_id: str,
        state: JobState,
        *,
        result: CompanyData | None = None,
        error: str | None = None,
        run: int | None = None,
    ) -> AnyJob | None:
        """
        Bring a job to one of its final states and return it.

        None if it was finished before, or `run` is given and not its last. Steps that have not ended are cancelled.
        """

    async def charge(self, job_id: str, charges: Sequence[Charge]) -> bool:
        """
        Add to what an enrichment has spent, and its batch: all of the charges or none.

        False if their sum is above nothing and the job, or its batch, could then have spent more than its `max_cost`;
        or if the job is not held. A finished job can be charged, too: its last calls may not have been answered yet.
        """

    async def lookup(self, job_id: str) -> Lookup:
        """Return the job of `POST /enrich`. Raise `JobNotFound` if there is none of that id."""

    async def enrichment(self, job_id: str, domain: str | None = None) -> Enrichment:
        """Return the enrichment with its steps. Raise `JobNotFound` if there is none of that id, and of `domain`."""

    async def newest(self, domain: str, states: Collection[JobState]) -> Enrichment | None:
        """Return the newest enrichment of the domain that is in one of the states, with its steps."""

    async def page(self, domain: str | None, states: Collection[JobState], *, limit: int, offset: int) -> Page:
        """Return `limit` enrichments after the `offset` newest ones, of `domain` and in `states` if given."""

    async def enrichments(self, job_ids: Collection[str]) -> Mapping[str, Enrichment]:
        """Return those of the enrichments that are held, with their steps, by id."""

    async def batch(self, batch_id: str) -> BatchSnapshot:
        """Return a batch. Raise `JobNotFound` if there is none, or none of its jobs is held any more."""


class Cache(Protocol):
    """
    The newest finding for each domain and key of `modules.module.cache_key`: a module, with the profile by which it
    judges. Failures are no findings and are never kept. A key of `source_key`, a module and one of its sources, has the
    finding that this source does not know the company.
    """

    async def get(self, domain: str, keys: Collection[str], *, with_expired: bool = False) -> Mapping[str, Finding]:
        """Return those of the domain's findings that are kept and have not expired, by key; or all that are kept."""

    async def put(self, domain: str, key: str, finding: Finding) -> None:
        """Keep a finding in the place of the former one."""

    async def inspect(self, domain: str) -> Mapping[str, Finding]:
        """
        Return all findings that are kept for the domain, expired ones included, by module and without using them; of
        those of a module by several profiles, the one that was kept last. Those of single sources are left out.
        """

    async def list_held(
        self, domains: Collection[str], keys: Collection[str] = tuple(MODULES)
    ) -> Mapping[str, Mapping[str, Held]]:
        """Return what is kept and has not expired for each of the domains, by key, without using it."""


class BlueprintStore(Protocol):
    """
    Blueprints that all processes share, each as the content that its maker has made of it, by the digest of what it was
    made from, and by its id. `since` is the earliest time, in seconds since the epoch, at which it may have been made.
    """

    async def get_by_digest(self, digest: bytes, *, since: float) -> bytes | None:
        """Return the newest content for the digest."""

    async def get_by_id(self, blueprint_id: str, *, since: float) -> bytes | None:
        """Return the content of this id, unless a newer one has taken its place."""

    async def put(self, digest: bytes, blueprint_id: str, content: bytes, *, made_at: float) -> None:
        """Keep a content in the place of the former one for the digest."""


class Dispatcher(Protocol):
    """Runs jobs that are in the store."""

    def open(self) -> None:
        """Run jobs, perhaps again after `close`."""

    def stop(self) -> None:
        """Begin to close, if that takes its time."""

    async def close(self) -> None:
        """Run no more jobs. Idempotent."""

    async def dispatch(self, jobs: Sequence[AnyJob], batch: Batch | None = None) -> None:
        """Start the jobs when it is their turn; return at once."""

    async def cancel(self, job_id: str) -> None:
        """Stop the run of a job that has just been finished, or take it out of the queue."""

    async def check(self) -> None:
        """Raise `NoWorkers` if nothing runs the jobs."""
