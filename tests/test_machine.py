"""
The engine under any order of events: no module result is lost or counted twice.

Hypothesis starts, batches, cancels and retries jobs while sources answer, fail and hang, and time goes by as it likes.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from enrichment.errors import InsufficientInput, JobConflict, JobNotFound, SourceFailed, TooManyJobs
from enrichment.jobs.model import SETTLED, BatchItem, Enrichment, Order, Priority, State, StepState
from enrichment.modules.table import MODULES, plan
from tests.conftest import FakeClock, settle
from tests.engine import Engine

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

domains = st.sampled_from(DOMAINS)
modules = st.lists(st.sampled_from(CHOICE), min_size=1, max_size=6, unique=True).map(tuple)
priorities: st.SearchStrategy[Priority] = st.sampled_from(["low", "normal", "high"])


class EngineMachine(RuleBasedStateMachine):
    """An engine of three places, whose time stands still between the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.engine = Engine(self.clock, max_running=MAX_RUNNING, max_pending=12, deadline_seconds=30)
        self.jobs: dict[str, Enrichment] = {}
        self.seen: dict[tuple[str, str], object] = {}
        self.limits: dict[str, int] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        async def settled() -> Any:
            result = await work
            await settle()
            return result

        return self.loop.run_until_complete(settled())

    def note(self, jobs: list[Enrichment]) -> None:
        self.jobs |= {job.id: job for job in jobs}

    @rule(domain=domains, chosen=modules, force=st.booleans(), priority=priorities)
    def start(self, domain: str, chosen: tuple[str, ...], force: bool, priority: Priority) -> None:
        try:
            self.note([self.run(self.engine.start(domain, chosen, force=force, priority=priority))])
        except TooManyJobs:
            assert self.engine.store.pending == 12

    @rule(chosen=modules, concurrency=st.integers(1, 3))
    def start_batch(self, chosen: tuple[str, ...], concurrency: int) -> None:
        order = Order(modules=plan(chosen, None), priority="normal", force=False, request_id="r")
        items = [BatchItem(domain=domain) for domain in DOMAINS]
        try:
            batch, jobs = self.run(self.engine.runner.accept_batch(items, order, concurrency))
        except TooManyJobs:
            assert self.engine.store.pending + len(DOMAINS) > 12
            return
        self.note(jobs)
        self.limits[batch.id] = concurrency
        self.run(self.engine.runner.start(jobs, batch))

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 25.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.run(self.clock.advance(seconds))

    @rule(
        module_id=st.sampled_from(CHOICE),
        error=st.sampled_from([None, SourceFailed("down"), InsufficientInput("too little"), ValueError("bug")]),
    )
    def a_source_changes_its_mind(self, module_id: str, error: Exception | None) -> None:
        if error is None:
            self.engine.source.raises.pop(module_id, None)
        else:
            self.engine.source.raises[module_id] = error

    @rule(seconds=st.sampled_from([0.0, 1.0, 40.0]))
    def sources_become_as_slow_as(self, seconds: float) -> None:
        self.engine.source.seconds = seconds

    @rule(domain=domains, which=st.integers(0, 5), named=st.booleans())
    def cancel(self, domain: str, which: int, named: bool) -> None:
        ids = [job.id for job in self.jobs.values() if job.domain == domain]
        job_id = ids[which % len(ids)] if ids and named else None
        try:
            cancelled = self.run(self.engine.runner.cancel(domain, job_id))
        except JobConflict:
            assert job_id is None or self.engine.now(self.jobs[job_id]).is_finished
        except JobNotFound:
            assert not ids
        else:
            assert cancelled.state is State.CANCELLED

    @rule(which=st.integers(0, 50), failed_only=st.booleans())
    def retry(self, which: int, failed_only: bool) -> None:
        if not self.jobs:
            return
        before = self.engine.now(list(self.jobs.values())[which % len(self.jobs)])
        try:
            job = self.run(self.engine.runner.retry(before, failed_only=failed_only, request_id="r"))
        except TooManyJobs:
            return
        except JobConflict:
            again = [step for step in before.steps if step.state is StepState.FAILED or step.skipped_due_to]
            assert not before.is_finished or (failed_only and not again)
            return
        self.note([job])
        self.run(self.engine.runner.start([job]))

    @invariant()
    def counts_are_those_of_the_steps(self) -> None:
        for job in map(self.engine.now, self.jobs.values()):
            states = [step.state for step in job.steps]
            assert [job.completed, job.failed, job.skipped] == [
                states.count(state) for state in (StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED)
            ]
            assert len(states) == job.total
            if job.state is State.COMPLETED:
                assert job.completed
                assert set(states) <= SETTLED
            if job.state is State.FAILED:
                assert not job.completed

    @invariant()
    def what_is_settled_never_changes(self) -> None:
        for job in map(self.engine.now, self.jobs.values()):
            if job.is_finished:
                assert self.seen.setdefault((job.id, ""), job) == job
            for step in job.steps:
                if step.state in SETTLED:
                    assert self.seen.setdefault((job.id, step.module_id), step) == step

    @invariant()
    def every_answer_was_asked_for_once(self) -> None:
        """Of one domain and module no two calls run at a time, but of those that derive from different findings."""
        for (_, module_id), count in self.engine.source.running.items():
            assert count <= 1 or MODULES[module_id].derive

    @invariant()
    def what_a_source_answered_is_in_the_cache(self) -> None:
        for (domain, module_id), count in self.engine.source.answered.items():
            assert (
                count == 0
                or self.engine.cache.get_any(domain, MODULES[module_id])
                or self.clock.now() > 1_772_102_100 + 86_400
            )

    @invariant()
    def no_more_run_than_may(self) -> None:
        running = [job for job in map(self.engine.now, self.jobs.values()) if job.state is State.RUNNING]
        assert len(running) <= MAX_RUNNING
        for batch_id, concurrency in self.limits.items():
            assert sum(job.batch_id == batch_id for job in running) <= concurrency

    @invariant()
    def the_store_counts_right(self) -> None:
        now = [self.engine.now(job) for job in self.jobs.values()]
        assert self.engine.store.pending == sum(not job.is_finished for job in now)
        assert self.engine.store.count(None, None) == len(now)
        for state in State:
            assert self.engine.store.count(None, state) == sum(job.state is state for job in now)

    def teardown(self) -> None:
        """Given time, everything ends, and nothing is left behind."""
        self.run(self.clock.advance(2_000))
        assert all(self.engine.now(job).is_finished for job in self.jobs.values())
        self.counts_are_those_of_the_steps()
        self.what_is_settled_never_changes()
        runner = self.engine.runner
        assert runner._tasks == {}
        assert runner._line._waiting == set()
        assert runner._line._groups == {}
        assert runner._line._running == set()
        assert self.engine.answers._calls._calls == {}
        assert not any(self.engine.source.running.values())
        assert asyncio.all_tasks(self.loop) == set()
        self.loop.close()


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
