"""
What a job is, and the states that it goes through.
"""

import functools
import math
from collections.abc import Mapping
from typing import Final

import msgspec

from enrichment.modules.icp_score import Fit
from enrichment.modules.module import Finding, JobProfile
from enrichment.sources.costs import Charge
from schemas import CompanyData, JobState, Priority, SourceAttempt, StepState

UNFINISHED: Final = frozenset({JobState.QUEUED, JobState.RUNNING})
FINISHED: Final = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})
"The states that a job never leaves."

DONE: Final = frozenset({StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED})
"The states of a step that count as progress."

SCORING: Final = "m14_icp_scoring"
"The module whose answer is the `fit` of a job."


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a caller wants to spend on answers, and how old they may be.

    `max_cost` is in millionths of the currency, and holds for the sum of a batch. A cached answer is not used if it is
    older than `max_age` seconds, or than those of its module in `max_ages`. With `stale_if_error` an expired answer is
    used if no source gives another one.
    """

    max_cost: int | None = None
    max_age: float | None = None
    max_ages: Mapping[str, float] = {}
    stale_if_error: bool = False

    def age_allowed(self, module_id: str) -> float:
        """How old a module's answer may be, in seconds."""
        age = self.max_ages.get(module_id, self.max_age)
        return math.inf if age is None else age


NO_TERMS: Final = Terms()


class JobOptions(msgspec.Struct, frozen=True, kw_only=True):
    """
    How to run an enrichment, whatever its domain: ids of `modules`, in the order of the table, and the `profile` that
    derived modules judge by.
    """

    modules: tuple[str, ...]
    priority: Priority
    force: bool
    request_id: str
    profile: JobProfile | None = None
    terms: Terms = NO_TERMS


class Job(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One run for one domain. A job is a value: a change makes a new one, so no reader sees a half-changed job.

    Times are seconds since the epoch, UTC. `error` says why the job failed or was cancelled. `run` is the number of the
    last run that has begun: a job begins again if the process that ran it has ended. `gc=False` keeps waiting
    jobs out of every pass of the garbage collector; no part of a job refers back to it.
    """

    id: str
    domain: str
    request_id: str
    created_at: float
    expected_seconds: float
    state: JobState = JobState.QUEUED
    started_at: float | None = None
    finished_at: float | None = None
    error: str | None = None
    run: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether the job is in one of its final states."""
        return self.finished_at is not None

    def seconds_left(self, now: float) -> int:
        """Whole seconds until the job is expected to be finished, at least one: when to ask again."""
        return max(1, math.ceil(self.created_at + self.expected_seconds - now))


class Lookup(Job, frozen=True, kw_only=True, gc=False):
    """A job of `POST /enrich`. It starts at once, whatever else is running; `result` is there when it is completed."""

    state: JobState = JobState.RUNNING
    result: CompanyData | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One module of an enrichment. `finding` is there when it is completed; `cached` means that it came from the cache.

    `reason` says why the module failed or was skipped, `attempts` lists the sources that failed, and `skipped_due_to`
    the failed modules because of which it was skipped. `stale` means that the answer had expired, `unknown` that no
    source knows the company, and `stopped` that the module was skipped because of `max_cost`.
    """

    module_id: str
    state: StepState = StepState.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    finding: Finding | None = None
    cached: bool = False
    attempts: tuple[SourceAttempt, ...] = ()
    reason: str | None = None
    skipped_due_to: tuple[str, ...] = ()
    stale: bool = False
    unknown: bool = False
    stopped: bool = False


@functools.lru_cache(maxsize=1_000)
def pending_steps(modules: tuple[str, ...]) -> tuple[Step, ...]:
    """The first steps of a job with these modules. Steps are values, so all jobs share them."""
    return tuple(Step(module_id=module_id) for module_id in modules)


class Enrichment(Job, frozen=True, kw_only=True, gc=False):
    """
    A job of the enrichment API: some modules for one domain.

    The store numbers enrichments in the order in which it takes them. Jobs of a list or a batch come without `steps`;
    the counts are always there, and so is `fit` once the company is scored. `simulated` is set if its sources are
    simulated, whatever they have answered so far. `charges` has what it has spent, by source.
    """

    number: int = 0
    simulated: bool = False
    priority: Priority
    force: bool
    terms: Terms = NO_TERMS
    charges: tuple[Charge, ...] = ()
    batch_id: str | None = None
    profile: JobProfile | None = None
    fit: Fit | None = None
    steps: tuple[Step, ...] = ()
    total: int
    completed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def progress_percent(self) -> float:
        """The share of modules that are done, with one decimal."""
        return round(100 * (self.completed + self.failed + self.skipped) / self.total, 1)

    def age_allowed(self, module_id: str) -> float:
        """How old a cached answer of a module may be, in seconds; none is young enough if the job is forced."""
        return -math.inf if self.force else self.terms.age_allowed(module_id)

    def step(self, module_id: str) -> Step:
        """The step of a module, which has to be one of the job's."""
        return next(step for step in self.steps if step.module_id == module_id)

    def with_step(self, step: Step) -> "Enrichment":
        """The job with this step in the place of the former one, and the counts that follow from it."""
        fit = Fit.of(step.finding) if step.module_id == SCORING and step.finding else self.fit
        return self.with_steps(tuple(step if step.module_id == old.module_id else old for old in self.steps), fit)

    def with_steps(self, steps: tuple[Step, ...], fit: Fit | None) -> "Enrichment":
        """The job with these steps, and the counts that follow from them."""
        states = [each.state for each in steps]
        return msgspec.structs.replace(
            self,
            fit=fit,
            steps=steps,
            completed=states.count(StepState.COMPLETED),
            failed=states.count(StepState.FAILED),
            skipped=states.count(StepState.SKIPPED),
        )


AnyJob = Lookup | Enrichment


class BatchItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One entry of a batch: the job that runs it, or the reason why it was skipped. `cells` is the row of the table that
    was posted.
    """

    domain: str
    job_id: str | None = None
    reason: str | None = None
    cells: tuple[str, ...] = ()


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """
    Domains that were posted together; `concurrency` of their jobs may run at a time, and spend `max_cost` together.

    `profile` is that of all its jobs. Of a table, `columns` are the names of the columns, and `domain_column` that of
    the one that the domains were read from.
    """

    id: str
    created_at: float
    concurrency: int
    expected_seconds: float
    simulated: bool = False
    profile: JobProfile | None = None
    columns: tuple[str, ...] = ()
    domain_column: str | None = None
    max_cost: int | None = None
    items: tuple[BatchItem, ...]
