"""
What every `Dispatcher` does, whatever runs the jobs; and how the one in memory is closed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest

from enrichment.engine import Engine
from enrichment.jobs.dispatcher import MAX_STOP_SECONDS, MemoryDispatcher
from enrichment.jobs.memory import MemoryStore
from enrichment.jobs.model import BatchItem, Enrichment
from enrichment.jobs.pipeline import Pipeline
from enrichment.jobs.resolver import Resolver
from enrichment.jobs.runner import STOPPED, Runner
from enrichment.settings import Settings
from enrichment.sources.simulated.source import COMPANY
from schemas import CompanyData, JobState
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine, options
from tests.postgres.engines import postgres_engine
from tests.simulation.loop import SimulatedClock, SimulatedLoop

M01, M03 = "m01_company_context", "m03_traffic"
QUEUED, RUNNING, COMPLETED, CANCELLED = JobState.QUEUED, JobState.RUNNING, JobState.COMPLETED, JobState.CANCELLED


IMPLEMENTATIONS: Final = ("memory", "postgres")
"Every implementation. All tests of `Dispatcher` run on each."

MakeEngine = Callable[..., Awaitable[ScriptedEngine]]


@pytest.fixture(params=IMPLEMENTATIONS)
async def make_engine(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[MakeEngine]:
    """A function that opens an engine with these settings."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> ScriptedEngine:
            if request.param == "memory":
                return await stack.enter_async_context(ScriptedEngine(clock, **settings))
            url = request.getfixturevalue("database_url")
            return await stack.enter_async_context(postgres_engine(clock, url, **settings))

        yield make


async def states(engine: ScriptedEngine, *jobs: Enrichment) -> list[JobState]:
    return [(await engine.now(job)).state for job in jobs]


async def test_dispatching_returns_at_once_and_the_jobs_run(make_engine: MakeEngine, clock: FakeClock) -> None:
    engine = await make_engine()
    lookup = await engine.jobs.submit_lookup("a.com", request_id="r")
    job = await engine.submit("a.com", (M01,))
    await engine.dispatcher.dispatch([lookup, job])
    assert not engine.scripted.answered
    await clock.settle()
    assert engine.scripted.calls == [("a.com", M01)]
    await clock.advance(15)

    assert await states(engine, job) == [COMPLETED]
    assert (await engine.store.lookup(lookup.id)).state is COMPLETED


async def test_no_more_enrichments_run_at_a_time_than_allowed_and_urgent_ones_first(
    make_engine: MakeEngine, clock: FakeClock
) -> None:
    engine = await make_engine(max_running_jobs=2)
    jobs = [await engine.start(f"{n}.com", (M01,)) for n in range(3)]
    await clock.settle()  # else a worker may find the urgent one before it has taken the second
    urgent = await engine.start("urgent.com", (M01,), priority="high")
    await clock.settle()
    assert await states(engine, *jobs, urgent) == [RUNNING, RUNNING, QUEUED, QUEUED]
    await clock.advance(0.5)
    await engine.jobs.cancel("1.com")
    await clock.settle()
    assert await states(engine, *jobs, urgent) == [RUNNING, CANCELLED, QUEUED, RUNNING]
    await clock.advance(0.5)
    assert await states(engine, *jobs, urgent) == [COMPLETED, CANCELLED, RUNNING, RUNNING]


async def test_lookups_run_at_once_however_many_enrichments_wait(make_engine: MakeEngine, clock: FakeClock) -> None:
    engine = await make_engine(max_running_jobs=1)
    for number in range(3):
        await engine.start(f"{number}.com", ("m03_traffic",))
    lookups = [await engine.jobs.submit_lookup("a.com", request_id="r") for _ in range(3)]
    await engine.dispatcher.dispatch(lookups)
    engine.scripted.seconds = 100
    await clock.advance(15)

    assert [(await engine.store.lookup(job.id)).state for job in lookups] == [COMPLETED] * 3


async def test_no_more_jobs_of_a_batch_run_at_a_time_than_its_concurrency(
    make_engine: MakeEngine, clock: FakeClock
) -> None:
    engine = await make_engine()
    items = [BatchItem(domain=f"{number}.com") for number in range(3)]
    batch, jobs = await engine.jobs.submit_batch(items, options((M01,)), 2)
    await engine.dispatcher.dispatch(jobs, batch)
    other = await engine.start("other.com", (M01,))
    await clock.settle()

    assert await states(engine, *jobs, other) == [RUNNING, RUNNING, QUEUED, RUNNING]
    await clock.advance(1)
    assert await states(engine, *jobs) == [COMPLETED, COMPLETED, RUNNING]


async def test_a_job_that_is_cancelled_while_it_waits_never_runs(make_engine: MakeEngine, clock: FakeClock) -> None:
    engine = await make_engine(max_running_jobs=1)
    first, second, third = [await engine.start(f"{number}.com", (M01,)) for number in range(3)]
    await engine.jobs.cancel("1.com")
    await clock.advance(10)

    assert await states(engine, first, second, third) == [COMPLETED, CANCELLED, COMPLETED]
    assert engine.scripted.calls == [("0.com", M01), ("2.com", M01)]


@pytest.mark.parametrize("make_engine", ["memory"], indirect=True)  # from a database, workers may take it at once
async def test_a_job_that_is_cancelled_before_it_is_dispatched_never_runs(
    make_engine: MakeEngine, clock: FakeClock
) -> None:
    engine = await make_engine()
    job = await engine.submit("a.com", (M03,))
    await engine.jobs.cancel("a.com")
    await engine.dispatcher.dispatch([job])
    await clock.advance(10)

    assert await states(engine, job) == [CANCELLED]
    assert engine.scripted.calls == []


@pytest.mark.parametrize("make_engine", ["memory"], indirect=True)  # a database takes its time to take a call back
@pytest.mark.parametrize("turns", range(12))
async def test_no_call_begins_after_its_job_was_cancelled(
    make_engine: MakeEngine, clock: FakeClock, turns: int
) -> None:
    """In whatever turn of the event loop that is."""
    engine = await make_engine()
    job = await engine.start("a.com")
    for _ in range(turns):
        await asyncio.sleep(0)
    calls = list(engine.scripted.calls)
    await engine.jobs.cancel("a.com")
    await clock.advance(100)

    assert engine.scripted.calls == calls
    assert await states(engine, job) == [CANCELLED]


# The dispatcher in memory


async def test_leaving_the_engine_cancels_every_unfinished_job(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that run, those whose tasks have not begun, and those without a task; and logs each."""
    engine = ScriptedEngine(clock)
    async with engine:
        running, fresh, waiting = [await engine.jobs.submit_lookup("a.com", request_id="r") for _ in range(3)]
        await engine.jobs.dispatch([running])
        await settle()
        await engine.jobs.dispatch([fresh])

    for job in (running, fresh, waiting):
        cancelled = await engine.store.lookup(job.id)
        assert [cancelled.state, cancelled.error] == [CANCELLED, "The service stopped before the job was done."]
    assert caplog.text.count("job cancelled") == 3
    assert engine.leftovers() == {}


async def test_jobs_in_memory_go_on_until_the_engine_is_left(clock: FakeClock) -> None:
    """Requests that wait for them may still be answered."""
    async with ScriptedEngine(clock) as engine:
        job = await engine.start("a.com", (M01,))
        engine.begin_close()
        await clock.advance(1)

        assert await states(engine, job) == [COMPLETED]


async def test_leaving_the_engine_keeps_the_results_of_running_enrichments(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock, max_running_jobs=1)
    async with engine:
        running, waiting = [await engine.start(domain) for domain in ("a.com", "b.com")]
        await clock.advance(1)
    await settle()

    assert await states(engine, running, waiting) == [CANCELLED] * 2
    assert (await engine.now(running)).completed == 2
    assert not any(engine.scripted.running.values())
    assert engine.leftovers() == {}


async def test_a_job_that_is_dispatched_after_the_end_is_cancelled(clock: FakeClock) -> None:
    """Its 202 was on its way when the service stopped."""
    engine = ScriptedEngine(clock)
    async with engine:
        job = await engine.submit("a.com", (M01,))
    await engine.jobs.dispatch([job])
    await clock.advance(10)

    assert await states(engine, job) == [CANCELLED]
    assert engine.scripted.calls == []
    assert engine.leftovers() == {}


async def test_a_job_that_is_cancelled_before_it_is_dispatched_is_never_queued(clock: FakeClock) -> None:
    """Else it would be held by an engine that is left while another job runs."""
    engine = ScriptedEngine(clock, max_running_jobs=1)
    async with engine:
        await engine.start("a.com", (M01,))
        job = await engine.submit("b.com", (M01,))
        await engine.jobs.cancel("b.com")
        await engine.jobs.dispatch([job])
        assert engine.leftovers().keys() == {"_tasks", "_running"}
    await settle()

    assert engine.leftovers() == {}


async def test_no_call_begins_when_the_engine_has_been_left(clock: FakeClock) -> None:
    """Neither one that is a task already, nor one of a module that was about to begin."""
    for turns in range(20):
        engine = ScriptedEngine(clock)
        async with engine:
            jobs = [await engine.start(domain, (M01, M03)) for domain in ("a.com", "b.com")]
            await clock.advance(1)
            for _ in range(turns):
                await asyncio.sleep(0)
            asked = len(engine.scripted.calls)
        await settle()

        assert len(engine.scripted.calls) == asked
        assert await states(engine, *jobs) == [CANCELLED] * 2


def test_leaving_the_engine_waits_only_a_moment_for_a_source_that_refuses_to_stop() -> None:
    class Stubborn:
        name = "stubborn"
        expected_seconds = 1.0

        async def look_up(self, domain: str) -> CompanyData:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                await asyncio.sleep(1_000)
            return COMPANY

    async def leave() -> tuple[JobState, float]:
        engine = Engine(Settings(), source=Stubborn(), clock=SimulatedClock())
        async with engine:
            job = await engine.jobs.submit_lookup("a.com", request_id="r")
            await engine.jobs.dispatch([job])
            await asyncio.sleep(1)
        left_at = loop.time()
        await asyncio.sleep(2_000)
        return (await engine.store.lookup(job.id)).state, left_at

    loop = SimulatedLoop()
    with contextlib.closing(loop):
        state, left_at = loop.run_until_complete(leave())

    assert state is CANCELLED
    assert left_at == pytest.approx(1 + MAX_STOP_SECONDS)


async def test_a_job_that_is_added_while_the_dispatcher_is_closed_is_cancelled_when_it_is_dispatched(
    clock: FakeClock,
) -> None:
    """A store may take its time to add a job."""
    engine = ScriptedEngine(clock)
    async with engine:
        await engine._dispatcher.close()
        job = await engine.submit("a.com", (M01,))
        lookup = await engine.jobs.submit_lookup("a.com", request_id="r")
        await engine.jobs.dispatch([job])
        await engine.jobs.dispatch([lookup])
        await clock.advance(20)
        ended = [await engine.now(job), await engine.store.lookup(lookup.id)]

    assert [(each.state, each.error) for each in ended] == [(CANCELLED, STOPPED)] * 2
    assert engine.scripted.calls == []
    assert engine.leftovers() == {}


async def test_an_engine_can_be_entered_again(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    for _ in range(2):
        async with engine:
            job = await engine.jobs.submit_lookup("a.com", request_id="r")
            await engine.jobs.dispatch([job])
            await clock.advance(15)
            assert (await engine.store.lookup(job.id)).state is COMPLETED


async def test_the_place_of_a_cancelled_job_is_free_when_its_task_is_over_and_not_before(clock: FakeClock) -> None:
    """A call may take a moment to stop; until then the job counts as running."""
    stopped = asyncio.Event()

    class SlowToStop(Pipeline):
        async def run(self, job: Enrichment) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await stopped.wait()

    engine = ScriptedEngine(clock)
    store = MemoryStore(max_pending=9, max_finished=9, max_finished_bytes=9, retention_seconds=9, clock=clock)
    resolver = Resolver(cache=engine.cache, sources={}, clock=clock)
    pipeline = SlowToStop(store=store, resolver=resolver, clock=clock, deadline_seconds=9)
    runner = Runner(store=store, source=engine.source, pipeline=pipeline, clock=clock)
    dispatcher = MemoryDispatcher(store=store, runner=runner, resolver=resolver, max_running=1)
    first, second = await store.add([await engine.submit(domain, (M01,)) for domain in ("a.com", "b.com")])
    await dispatcher.dispatch([first, second])
    await settle()
    await store.finish(first.id, CANCELLED)
    await dispatcher.cancel(first.id)
    await settle()
    before = (await store.enrichment(second.id)).state
    stopped.set()
    await settle()

    assert [before, (await store.enrichment(second.id)).state] == [QUEUED, RUNNING]
    await dispatcher.close()
