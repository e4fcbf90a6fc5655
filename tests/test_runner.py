"""
What a job goes through, and that nothing escapes it.
"""

import asyncio

import pytest

from enrichment.errors import ShuttingDown
from enrichment.jobs.model import Enrichment, Lookup, Order, State
from enrichment.jobs.runner import Runner
from enrichment.sources.simulated.source import COMPANY
from schemas import CompanyData
from tests.conftest import FakeClock, settle
from tests.engine import Engine


class Raising:
    """A source that raises what it is told to."""

    name = "raising"
    expected_seconds = 1.0

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def look_up(self, domain: str) -> CompanyData:
        raise self.error


def runner_of(clock: FakeClock, error: BaseException | None = None) -> Runner:
    return Engine(clock, source=Raising(error) if error else None).runner


async def accept(runner: Runner) -> Lookup:
    return await runner.accept_lookup("a.com", request_id="r-1")


async def test_running_then_completed(clock: FakeClock) -> None:
    runner = runner_of(clock)
    job = await accept(runner)
    await runner.start([job])
    await settle()
    before = runner.store.lookup(job.id).state
    await clock.advance(15)
    done = runner.store.lookup(job.id)

    assert [before, done.state] == [State.RUNNING, State.COMPLETED]
    assert done.result == COMPANY
    assert done.finished_at == job.created_at + 15
    assert runner._tasks == {}


@pytest.mark.parametrize("error", [ValueError("x"), TimeoutError(), SystemExit(3), ExceptionGroup("x", [OSError()])])
async def test_whatever_is_raised_is_a_status_and_one_log_line(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    runner = runner_of(clock, error)
    job = await accept(runner)
    await runner.start([job])
    await settle()
    failed = runner.store.lookup(job.id)
    lines = [record for record in caplog.records if record.getMessage().startswith("job failed")]

    assert failed.state is State.FAILED
    assert failed.error == f"The job failed unexpectedly. The service's log says why, under job_id {job.id}."
    assert len(lines) == 1
    assert lines[0].exc_info
    assert f"job_id={job.id} request_id=r-1 domain=a.com" in lines[0].getMessage()


async def test_closing_ends_running_jobs_not_yet_begun_ones_and_those_without_a_task(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """And says of each, in the log, that it is lost."""
    runner = runner_of(clock)
    running, fresh, waiting = [await accept(runner) for _ in range(3)]
    async with runner:
        await runner.start([running])
        await settle()
        await runner.start([fresh])

    for job in (running, fresh, waiting):
        assert runner.store.lookup(job.id).state is State.CANCELLED
        assert runner.store.lookup(job.id).error == "The service stopped before the job was done."
    assert caplog.text.count("job cancelled") == 3
    assert runner._tasks == {}


async def test_a_closed_runner_takes_nothing_and_ends_what_comes_too_late(clock: FakeClock) -> None:
    runner = runner_of(clock)
    job = await accept(runner)
    await runner.close()
    await runner.start([job])

    with pytest.raises(ShuttingDown):
        await accept(runner)
    with pytest.raises(ShuttingDown):
        runner.check_open()
    assert runner.store.lookup(job.id).state is State.CANCELLED
    assert runner._tasks == {}


async def test_it_can_be_opened_again(clock: FakeClock) -> None:
    runner = runner_of(clock)
    for _ in range(2):
        async with runner:
            job = await accept(runner)
            await runner.start([job])
            await clock.advance(15)
            assert runner.store.lookup(job.id).state is State.COMPLETED


async def test_a_job_ended_before_it_began_is_not_looked_up(clock: FakeClock) -> None:
    runner = runner_of(clock)
    job = await accept(runner)
    await runner.store.end(job.id, State.CANCELLED, error="x")
    await runner.start([job])

    assert runner.store.lookup(job.id).state is State.CANCELLED
    assert runner._tasks == {}


async def test_an_enrichment_ended_before_its_first_step_asks_nobody(clock: FakeClock) -> None:
    engine = Engine(clock)
    order = Order(modules=("m01_company_context",), priority="normal", force=False, request_id="r-1")
    job = await engine.runner.accept("a.com", order)
    await engine.runner.start([job])
    await engine.runner.store.end(job.id, State.CANCELLED, error="x")
    await settle()

    assert engine.source.calls == []
    assert engine.runner._tasks == {}


@pytest.mark.parametrize("outcome", ["completed", "failed", "cancelled"])
async def test_an_end_from_elsewhere_is_not_overwritten(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, outcome: str
) -> None:
    """Whatever becomes of the look-up afterwards: neither state nor log changes."""
    gate = asyncio.Event()

    class Gated:
        name = "gated"
        expected_seconds = 1.0

        async def look_up(self, domain: str) -> CompanyData:
            await gate.wait()
            if outcome == "failed":
                raise ValueError
            return COMPANY

    runner = runner_of(clock)
    runner.source = Gated()
    job = await accept(runner)
    await runner.start([job])
    await settle()
    await runner.store.end(job.id, State.CANCELLED, error="x")
    with caplog.at_level("INFO"):
        if outcome == "cancelled":
            await runner.close()
        gate.set()
        await settle()

    assert runner.store.lookup(job.id).error == "x"
    assert caplog.messages == []


async def test_a_source_may_name_the_task_that_it_runs_in(clock: FakeClock) -> None:
    """As one does to find it in a debugger."""

    class Naming:
        name = "naming"
        expected_seconds = 1.0

        async def look_up(self, domain: str) -> CompanyData:
            task = asyncio.current_task()
            assert task
            task.set_name(f"asks about {domain}")
            return COMPANY

    runner = runner_of(clock)
    runner.source = Naming()
    job = await accept(runner)
    await runner.start([job])
    await settle()

    assert runner.store.lookup(job.id).state == "completed"
    assert runner._tasks == {}


async def test_an_event_loop_that_ends_takes_its_jobs_with_it(clock: FakeClock) -> None:
    """As in a host that runs no lifespan of ours and cancels every task at its end."""
    runner = runner_of(clock)
    job = await accept(runner)
    await runner.start([job])
    await settle()
    (task,) = runner._tasks.values()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert runner.store.lookup(job.id).state is State.CANCELLED


async def test_an_enrichment_cancelled_before_it_was_started_never_stands_in_line(clock: FakeClock) -> None:
    engine = Engine(clock)
    order = Order(modules=("m03_traffic",), priority="normal", force=False, request_id="r")
    job = await engine.runner.accept("a.com", order)
    await engine.runner.cancel("a.com")
    await engine.runner.start([job])
    await clock.advance(10)

    assert engine.now(job).state is State.CANCELLED
    assert engine.source.calls == []


async def test_closing_ends_enrichments_that_run_and_that_wait(clock: FakeClock) -> None:
    engine = Engine(clock, max_running=1)
    running, waiting = [await engine.start(domain) for domain in ("a.com", "b.com")]
    await clock.advance(1)
    await engine.runner.close()
    await settle()

    assert [engine.now(job).state for job in (running, waiting)] == [State.CANCELLED] * 2
    assert engine.now(running).completed == 2
    assert not any(engine.source.running.values())
    assert engine.runner._tasks == {}


async def test_a_cancelled_jobs_place_is_free_when_its_task_is_over_and_not_before(clock: FakeClock) -> None:
    """A call may take a moment to stop; until then it counts as running."""
    stopped = asyncio.Event()

    class SlowToStop:
        async def run(self, job: Enrichment) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await stopped.wait()

    engine = Engine(clock, max_running=1)
    engine.runner._waves = SlowToStop()  # type: ignore[assignment]
    first, second = [await engine.start(domain, ("m03_traffic",)) for domain in ("a.com", "b.com")]
    await settle()
    await engine.runner.cancel("a.com")
    await settle()
    before = engine.now(second).state
    stopped.set()
    await settle()

    assert [engine.now(first).state, before, engine.now(second).state] == ["cancelled", "queued", "running"]
    await engine.runner.close()
