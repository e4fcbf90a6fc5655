"""
What a job goes through, and that nothing escapes it.
"""

import asyncio

import pytest

from enrichment.jobs import dispatcher
from enrichment.jobs.model import Lookup
from enrichment.sources.simulated.source import COMPANY
from schemas import CompanyData, JobState
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine


class Raising:
    """A source of companies that raises `error`."""

    name = "raising"
    expected_seconds = 1.0

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def look_up(self, domain: str) -> CompanyData:
        raise self.error


class Panic(BaseException):
    """Not an `Exception`, like a panic in an extension written in Rust."""


async def start(engine: ScriptedEngine) -> Lookup:
    job = await engine.jobs.submit_lookup("a.com", request_id="r-1")
    await engine.jobs.dispatch([job])
    return job


async def test_a_lookup_runs_until_its_source_answers(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    job = await start(engine)
    await clock.advance(14.9)
    before = await engine.store.lookup(job.id)
    await clock.advance(0.1)
    done = await engine.store.lookup(job.id)

    assert [before.state, done.state] == [JobState.RUNNING, JobState.COMPLETED]
    assert done.result == COMPANY
    assert done.finished_at == job.created_at + 15


async def test_the_source_is_asked_about_the_domain_and_the_end_is_logged(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    class Companies(Raising):
        async def look_up(self, domain: str) -> CompanyData:
            asked.append(domain)
            await clock.sleep(1.23456)
            return COMPANY

    caplog.set_level("INFO")
    engine = ScriptedEngine(clock, source=Companies(ValueError()))
    job = await start(engine)
    caplog.clear()
    await clock.advance(2)
    enriched = await engine.start("b.com", ("m01_company_context",))
    await engine.jobs.cancel("b.com")

    assert asked == ["a.com"]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f"job completed job_id={job.id} request_id=r-1 domain=a.com seconds=1.235"),
        ("INFO", f"job accepted job_id={enriched.id} request_id=r-1 domain=b.com"),
        ("WARNING", f"job cancelled job_id={enriched.id} request_id=r-1 domain=b.com seconds=0.0"),
    ]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        TimeoutError(),
        SystemExit(3),
        asyncio.CancelledError(),
        ExceptionGroup("x", [OSError()]),
        BaseExceptionGroup("x", [asyncio.CancelledError()]),
        Panic(),
    ],
)
async def test_whatever_is_raised_becomes_a_failed_job_and_one_log_line(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    engine = ScriptedEngine(clock, source=Raising(error))
    job = await start(engine)
    await settle()
    failed = await engine.store.lookup(job.id)
    lines = [record for record in caplog.records if record.getMessage().startswith("job failed")]

    assert failed.state is JobState.FAILED
    assert failed.error == f"The job failed unexpectedly. The service's log says why, under job_id {job.id}."
    assert len(lines) == 1
    assert lines[0].exc_info
    assert f"job_id={job.id} request_id=r-1 domain=a.com" in lines[0].getMessage()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()], ids=lambda error: type(error).__name__)
async def test_the_end_of_the_process_or_of_the_coroutine_is_no_failure_of_a_job(
    clock: FakeClock, error: BaseException
) -> None:
    engine = ScriptedEngine(clock, source=Raising(error))
    job = await engine.jobs.submit_lookup("a.com", request_id="r-1")
    run = engine.runner.run(job)
    with pytest.raises(type(error)):
        run.send(None)

    assert (await engine.store.lookup(job.id)).state is JobState.RUNNING


async def test_a_lookup_whose_source_hangs_has_failed_at_last(clock: FakeClock) -> None:
    class Hanging(Raising):
        async def look_up(self, domain: str) -> CompanyData:
            await asyncio.Event().wait()
            raise AssertionError

    engine = ScriptedEngine(clock, source=Hanging(ValueError()), job_deadline_seconds=60)
    job = await start(engine)
    await clock.advance(60.5)
    assert (await engine.store.lookup(job.id)).state is JobState.RUNNING
    await clock.advance(0.5)

    assert (await engine.store.lookup(job.id)).state is JobState.FAILED


async def test_an_enrichment_that_is_finished_before_it_begins_asks_no_source(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    job = await engine.start(modules=("m01_company_context",))
    await engine.store.finish(job.id, JobState.CANCELLED, error="x")
    await clock.advance(10)

    assert engine.scripted.calls == []
    assert engine.leftovers() == {}


@pytest.mark.parametrize("outcome", ["completed", "failed", "cancelled"])
async def test_a_final_state_is_not_overwritten_whatever_the_source_does_then(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """Nor is there a second log line."""
    monkeypatch.setattr(dispatcher, "MAX_STOP_SECONDS", 0.1)
    gate = asyncio.Event()

    class Gated:
        name = "gated"
        expected_seconds = 1.0

        async def look_up(self, domain: str) -> CompanyData:
            await gate.wait()
            if outcome == "failed":
                raise ValueError
            return COMPANY

    engine = ScriptedEngine(clock, source=Gated())
    async with engine:
        job = await start(engine)
        await settle()
        await engine.store.finish(job.id, JobState.CANCELLED, error="x")
        with caplog.at_level("INFO"):
            if outcome != "cancelled":
                gate.set()
                await settle()
            await engine.__aexit__(None, None, None)

    assert (await engine.store.lookup(job.id)).error == "x"
    assert caplog.messages == []


async def test_a_source_may_rename_the_task_that_it_runs_in(clock: FakeClock) -> None:
    """As one does to find it in a debugger."""

    class Naming:
        name = "naming"
        expected_seconds = 1.0

        async def look_up(self, domain: str) -> CompanyData:
            task = asyncio.current_task()
            assert task
            task.set_name(f"asks about {domain}")
            return COMPANY

    engine = ScriptedEngine(clock, source=Naming())
    job = await start(engine)
    await settle()

    assert (await engine.store.lookup(job.id)).state is JobState.COMPLETED
    assert engine.leftovers() == {}


async def test_a_job_whose_task_is_cancelled_from_outside_is_recorded_as_cancelled(clock: FakeClock) -> None:
    """As in a host that does not run our lifespan and cancels every task at its end."""
    engine = ScriptedEngine(clock)
    others = asyncio.all_tasks()
    job = await start(engine)
    await settle()
    (task,) = asyncio.all_tasks() - others
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    cancelled = await engine.store.lookup(job.id)
    assert [cancelled.state, cancelled.error] == [JobState.CANCELLED, "The service stopped before the job was done."]
