"""
The engine under any order of events: no result of a module is lost or counted twice.

Hypothesis starts, batches, cancels and retries jobs while sources answer, fail and hang, and time passes as it likes.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Iterable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from enrichment.errors import InsufficientInput, JobConflict, JobNotFound, SourceFailed, TooManyJobs
from enrichment.jobs.model import DONE, BatchItem, Enrichment, Terms
from enrichment.modules.table import MODULES
from enrichment.sources.costs import total
from schemas import JobState, Priority, StepState
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine, options

MAX_PENDING = 12
MAX_RUNNING = 3
DOMAINS = ("a.com", "b.com", "c.com")
# Two of each wave, and all that derive.
CHOICE = (
    "m01_company_context",
    "m02_tech_stack",
    "m03_traffic",
    "m05_competitors",
    "m07_financials",
    "m10_hiring_signals",
    "m13_case_study_match",
    "m14_icp_scoring",
    "m15_displacement_angle",
)

terms = st.builds(
    Terms,
    max_cost=st.sampled_from([None, None, 0, 100_000, 350_000]),
    max_age=st.sampled_from([None, None, 2.0]),
    stale_if_error=st.booleans(),
)
domains = st.sampled_from(DOMAINS)
modules = st.lists(st.sampled_from(CHOICE), min_size=1, max_size=6, unique=True).map(tuple)
priorities: st.SearchStrategy[Priority] = st.sampled_from(["low", "normal", "high"])


class EngineMachine(RuleBasedStateMachine):
    """An engine that runs three jobs at a time, whose clock stands still between the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.engine = ScriptedEngine(
            self.clock,
            paid="apollo",
            max_running_jobs=MAX_RUNNING,
            max_pending_jobs=MAX_PENDING,
            job_deadline_seconds=30,
            apollo_cost_per_call=0.1,
        )
        self.jobs: dict[str, Enrichment] = {}
        self.seen: dict[tuple[str, str], object] = {}
        self.limits: dict[str, int] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        async def settled() -> Any:
            result = await work
            await settle()
            return result

        return self.loop.run_until_complete(settled())

    def note(self, jobs: Iterable[Enrichment]) -> None:
        self.jobs |= {job.id: job for job in jobs}

    def now(self) -> list[Enrichment]:
        """All jobs as they stand."""

        async def read() -> list[Enrichment]:
            return [await self.engine.now(job) for job in self.jobs.values()]

        return self.loop.run_until_complete(read())

    def unfinished(self) -> int:
        return sum(not job.is_finished for job in self.now())

    @rule(domain=domains, chosen=modules, force=st.booleans(), priority=priorities, terms=terms)
    def start(self, domain: str, chosen: tuple[str, ...], force: bool, priority: Priority, terms: Terms) -> None:
        try:
            self.note([self.run(self.engine.start(domain, chosen, force=force, priority=priority, terms=terms))])
        except TooManyJobs:
            assert self.unfinished() == MAX_PENDING

    @rule(domain=domains, chosen=modules, force=st.booleans(), turns=st.integers(0, 15))
    def start_and_cancel(self, domain: str, chosen: tuple[str, ...], force: bool, turns: int) -> None:
        """Not only when everybody waits, but at any turn of the event loop."""

        async def started_and_cancelled() -> Enrichment:
            job = await self.engine.start(domain, chosen, force=force)
            for _ in range(turns):
                await asyncio.sleep(0)
            with contextlib.suppress(JobConflict):
                await self.engine.jobs.cancel(domain, job.id)
            return job

        with contextlib.suppress(TooManyJobs):
            self.note([self.run(started_and_cancelled())])

    @rule(chosen=modules, concurrency=st.integers(1, 3), terms=terms)
    def start_batch(self, chosen: tuple[str, ...], concurrency: int, terms: Terms) -> None:
        items = [BatchItem(domain=domain) for domain in DOMAINS]
        try:
            batch, jobs = self.run(self.engine.jobs.submit_batch(items, options(chosen, terms=terms), concurrency))
        except TooManyJobs:
            assert self.unfinished() + len(DOMAINS) > MAX_PENDING
            return
        self.note(jobs)
        self.limits[batch.id] = concurrency
        self.run(self.engine.jobs.dispatch(jobs, batch))

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 25.0]))
    def time_passes(self, seconds: float) -> None:
        self.run(self.clock.advance(seconds))

    @rule(
        module_id=st.sampled_from(CHOICE),
        error=st.sampled_from([None, SourceFailed("down"), InsufficientInput("too little"), ValueError("bug")]),
    )
    def a_module_begins_or_ceases_to_fail(self, module_id: str, error: Exception | None) -> None:
        if error is None:
            self.engine.scripted.raises.pop(module_id, None)
        else:
            self.engine.scripted.raises[module_id] = error

    @rule(seconds=st.sampled_from([0.0, 1.0, 40.0]))
    def sources_become_faster_or_slower(self, seconds: float) -> None:
        self.engine.scripted.seconds = seconds

    @rule(domain=domains, which=st.integers(0, 5), named=st.booleans())
    def cancel(self, domain: str, which: int, named: bool) -> None:
        jobs = [job for job in self.now() if job.domain == domain]
        job = jobs[which % len(jobs)] if jobs and named else None
        try:
            cancelled = self.run(self.engine.jobs.cancel(domain, job.id if job else None))
        except JobConflict:
            assert all(each.is_finished for each in ([job] if job else jobs))
        except JobNotFound:
            assert not jobs
        else:
            assert cancelled.state is JobState.CANCELLED

    @rule(which=st.integers(0, 50), failed_only=st.booleans())
    def retry(self, which: int, failed_only: bool) -> None:
        if not self.jobs:
            return
        before = self.now()[which % len(self.jobs)]
        try:
            job = self.run(self.engine.jobs.retry(before, failed_only=failed_only, request_id="r"))
        except TooManyJobs:
            assert self.unfinished() == MAX_PENDING
            return
        except JobConflict:
            again = [step for step in before.steps if step.state is StepState.FAILED]
            again += [step for step in before.steps if step.skipped_due_to or step.stopped]
            assert not before.is_finished or (failed_only and not again)
            return
        self.note([job])
        self.run(self.engine.jobs.dispatch([job]))

    @invariant()
    def counts_are_those_of_the_steps(self) -> None:
        for job in self.now():
            states = [step.state for step in job.steps]
            assert [job.completed, job.failed, job.skipped] == [
                states.count(state) for state in (StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED)
            ]
            assert len(states) == job.total
            if job.state is JobState.COMPLETED:
                assert job.completed
                assert set(states) <= DONE
            if job.state is JobState.FAILED:
                assert not job.completed

    @invariant()
    def nobody_spends_more_than_allowed(self) -> None:
        """And what all jobs have spent is what was called."""
        spent: Counter[str] = Counter()
        for job in self.now():
            amount = total(job.charges).amount
            limit = job.terms.max_cost
            assert limit is None or amount <= limit
            spent[job.batch_id or job.id] += amount
            assert limit is None or spent[job.batch_id or job.id] <= limit
        calls = total(self.engine._ledger.totals.values()).calls
        assert sum(spent.values()) == 100_000 * calls

    @invariant()
    def what_is_done_never_changes(self) -> None:
        """But for what the store drops of a finished job: what its answers were derived from."""
        for job in self.now():
            if job.is_finished:
                settled = replace(job, charges=())
                assert self.seen.setdefault((job.id, ""), settled) == settled
            for step in job.steps:
                if step.state in DONE:
                    finding = replace(step.finding, based_on=()) if step.finding else None
                    visible = replace(step, finding=finding)
                    assert self.seen.setdefault((job.id, step.module_id), visible) == visible

    @invariant()
    def no_two_calls_for_the_same_answer_run_at_a_time(self) -> None:
        """Of a derived module several may: from different findings come different answers."""
        for (_, module_id), count in self.engine.scripted.running.items():
            assert count <= 1 or MODULES[module_id].derive

    @invariant()
    def no_call_begins_unless_an_unfinished_job_waits_for_it(self) -> None:
        assert self.engine.scripted.unwanted == []

    @invariant()
    def every_answer_is_cached(self) -> None:
        cached = {domain: self.loop.run_until_complete(self.engine.cache.inspect(domain)).keys() for domain in DOMAINS}
        for (domain, module_id), count in self.engine.scripted.answered.items():
            assert not count or module_id in cached[domain]

    @invariant()
    def no_more_jobs_run_than_allowed(self) -> None:
        running = [job for job in self.now() if job.state is JobState.RUNNING]
        assert len(running) <= MAX_RUNNING
        for batch_id, concurrency in self.limits.items():
            assert sum(job.batch_id == batch_id for job in running) <= concurrency

    @invariant()
    def the_store_counts_the_jobs_of_each_state(self) -> None:
        now = self.now()
        for state in JobState:
            page = self.loop.run_until_complete(self.engine.store.page(None, {state}, limit=1, offset=0))
            assert page.total == sum(job.state is state for job in now)

    def teardown(self) -> None:
        """Given time, every job is finished, and nothing is left behind."""
        try:
            self.run(self.clock.advance(2_000))
            assert not self.unfinished()
            self.counts_are_those_of_the_steps()
            self.what_is_done_never_changes()
            assert self.engine.leftovers() == {}
            assert not any(self.engine.scripted.running.values())
            assert asyncio.all_tasks(self.loop) == set()
        finally:
            self.loop.close()


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    report_multiple_bugs=False,
)
