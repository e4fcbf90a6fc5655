"""
What workers do with the jobs of the queue.
"""

import asyncio
import logging
import os
import signal
from typing import Any

import pytest

from enrichment.engine import Engine
from enrichment.errors import DatabaseUnavailable, NoWorkers
from enrichment.jobs.model import BatchItem, Enrichment, Step
from enrichment.postgres import workers
from enrichment.postgres.dispatcher import PostgresDispatcher
from enrichment.postgres.queue import EPOCH, Queue, priority
from enrichment.postgres.retention import Retention
from enrichment.postgres.store import PostgresStore
from enrichment.postgres.sweep import Sweep
from enrichment.postgres.worker import work
from enrichment.postgres.workers import EXIT_OVERTAKEN, WORKER_LOST
from enrichment.settings import Settings
from schemas import JobState
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine, options
from tests.postgres.engines import change, database_of, idle_engine, postgres_engine, postgres_settings, rows

M01 = "m01_company_context"


def sweep_of(engine: ScriptedEngine) -> Sweep:
    return Sweep(database_of(engine), Queue(), lease_seconds=15)


def workers_of(engine: ScriptedEngine) -> workers.Workers:
    assert isinstance(engine.dispatcher, PostgresDispatcher)
    assert engine.dispatcher._workers
    return engine.dispatcher._workers


# The queue


def test_priorities_age_as_in_memory() -> None:
    """A low job runs before every high one that was posted half an hour after it."""

    def of(name: Any, created_at: float) -> int:
        return priority(
            Enrichment(
                id="1", domain="a.com", request_id="r", created_at=created_at, expected_seconds=1, priority=name,
                force=False, total=1,
            )
        )  # fmt: skip

    assert of("high", EPOCH) > of("normal", EPOCH) > of("low", EPOCH)
    assert of("low", EPOCH) > of("high", EPOCH + 1_801)
    assert of("low", EPOCH) < of("high", EPOCH + 1_799)
    assert of("normal", EPOCH) > of("normal", EPOCH + 1)
    assert all(-(2**31) <= of("low", EPOCH + years * 31_557_600) < 2**31 for years in (-60, 60))


async def test_a_place_in_a_batch_is_filled_when_a_queued_job_is_cancelled(clock: FakeClock, database_url: str) -> None:
    engine = idle_engine(clock, database_url)
    async with engine:
        items = [BatchItem(domain=f"{number}.com") for number in range(4)]
        _, jobs = await engine.jobs.submit_batch(items, options((M01,)), 2)
        for domain in ("3.com", "0.com"):
            await engine.jobs.cancel(domain)
        queued = rows(database_url, "SELECT args ->> 'job_id' FROM procrastinate_jobs ORDER BY id")

    assert queued == [(jobs[1].id,), (jobs[2].id,)]


async def test_a_job_whose_entry_is_lost_can_be_cancelled(clock: FakeClock, database_url: str) -> None:
    async with idle_engine(clock, database_url) as engine:
        items = [BatchItem(domain=f"{number}.com") for number in range(2)]
        _, jobs = await engine.jobs.submit_batch(items, options((M01,)), 1)
        change(database_url, "DELETE FROM procrastinate_jobs")
        await engine.jobs.cancel("0.com")

    assert rows(database_url, "SELECT args ->> 'job_id' FROM procrastinate_jobs") == [(jobs[1].id,)]


async def test_the_entry_of_a_finished_job_is_removed(clock: FakeClock, database_url: str) -> None:
    """As that of a job whose web process ended between cancelling it and saying so."""
    async with idle_engine(clock, database_url) as idle:
        job = await idle.submit("a.com", (M01,))
        await idle.store.finish(job.id, JobState.CANCELLED)
    async with postgres_engine(clock, database_url) as engine:
        await clock.settle()

    assert engine.scripted.calls == []
    assert rows(database_url, "SELECT * FROM procrastinate_jobs") == []


async def test_lost_entries_and_free_places_are_repaired(clock: FakeClock, database_url: str) -> None:
    engine = idle_engine(clock, database_url)
    async with engine:
        lost, held = await engine.submit("a.com", (M01,)), await engine.submit("b.com", (M01,))
        items = [BatchItem(domain=f"{number}.com") for number in range(3)]
        _, jobs = await engine.jobs.submit_batch(items, options((M01,)), 1)
        change(database_url, "DELETE FROM procrastinate_jobs WHERE args ->> 'job_id' = %s", lost.id)
        change(database_url, "UPDATE enrichment_jobs SET has_left = true WHERE id = %s", jobs[0].id)
        change(database_url, "UPDATE procrastinate_jobs SET status = 'failed' WHERE args ->> 'job_id' = %s", held.id)
        await sweep_of(engine).repair()
        queued = rows(database_url, "SELECT args ->> 'job_id' FROM procrastinate_jobs WHERE status = 'todo'")

    assert {job_id for (job_id,) in queued} == {lost.id, held.id, jobs[0].id, jobs[1].id}


# Dead workers


async def test_a_job_fails_when_three_workers_have_died_while_they_ran_it(clock: FakeClock, database_url: str) -> None:
    idle = idle_engine(clock, database_url)
    async with idle:
        job = await idle.submit("a.com", (M01,))
        assert isinstance(idle.store, PostgresStore)
        for _ in range(workers.MAX_DEATHS):
            assert await idle.store.take(job.id)
            change(database_url, "UPDATE procrastinate_jobs SET status = 'doing'")
            for _ in range(2):  # of one death only one is counted, whoever sees it
                await sweep_of(idle).requeue(())
                change(database_url, "UPDATE procrastinate_jobs SET status = 'doing'")
        await sweep_of(idle).requeue(())
    async with postgres_engine(clock, database_url) as engine:
        await clock.advance(1)
        failed = await engine.now(job)

    assert [failed.state, failed.error] == [JobState.FAILED, WORKER_LOST]
    assert engine.scripted.calls == []
    assert rows(database_url, "SELECT deaths FROM enrichment_jobs") == [(workers.MAX_DEATHS,)]


async def test_a_worker_does_not_take_itself_for_dead(clock: FakeClock, database_url: str) -> None:
    """However late its heartbeat is; another one does."""
    engine = idle_engine(clock, database_url)
    async with engine:
        await engine.submit("a.com", (M01,))
        change(database_url, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
        ((worker_id,),) = rows(database_url, "SELECT id FROM procrastinate_workers")
        change(database_url, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", worker_id)
        await sweep_of(engine).requeue((worker_id,))
        kept = rows(database_url, "SELECT status FROM procrastinate_jobs")
        await sweep_of(engine).requeue((worker_id + 1,))

    assert kept == [("doing",)]
    assert rows(database_url, "SELECT status FROM procrastinate_jobs") == [("todo",)]


async def test_entries_that_ended_workers_of_this_process_hold_are_given_back(
    clock: FakeClock, database_url: str
) -> None:
    engine = idle_engine(clock, database_url)
    async with engine:
        await engine.submit("a.com", (M01,))
        change(database_url, "INSERT INTO procrastinate_workers DEFAULT VALUES")
        ((worker_id,),) = rows(database_url, "SELECT id FROM procrastinate_workers")
        change(database_url, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", worker_id)
        await sweep_of(engine).give_back([worker_id])

    assert rows(database_url, "SELECT status FROM procrastinate_jobs") == [("todo",)]
    assert rows(database_url, "SELECT deaths FROM enrichment_jobs") == [(0,)]


async def test_a_worker_that_finds_its_run_overtaken_leaves(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it records a module, when it finishes the job, and when it looks at its entries."""
    left: list[str] = []
    async with postgres_engine(clock, database_url) as engine:
        assert isinstance(engine.store, PostgresStore)
        monkeypatch.setattr(engine.store, "_on_overtaken", lambda: left.append("store"))
        monkeypatch.setattr(workers_of(engine), "_leave", lambda: left.append("entry"))
        job = await engine.submit("a.com", (M01,))
        await clock.settle()
        while not engine.scripted.calls:
            await asyncio.sleep(0.01)
        change(database_url, "UPDATE enrichment_jobs SET run = run + 1")
        assert not await engine.store.record(job.id, Step(module_id=M01, ended_at=1.0), run=1)
        assert await engine.store.finish(job.id, JobState.COMPLETED, run=1) is None
        seen_by_store = list(left)
        await workers_of(engine)._check_entries()
        assert left == seen_by_store
        change(database_url, "UPDATE procrastinate_jobs SET worker_id = NULL")
        await workers_of(engine)._check_entries()

    assert seen_by_store == ["store", "store"]
    assert "entry" in left


def test_leaving_ends_the_process_at_once(untouched_logging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from enrichment import logs  # noqa: PLC0415

    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with logs.to_stderr("text", "info"):
        logging.root.addHandler(logging.NullHandler())
        workers.leave_process()

    assert ended == [EXIT_OVERTAKEN]


async def test_whatever_ends_the_workers_they_are_started_again(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0.01)
    give_back, failures = Sweep.give_back, [ValueError("a bug")]

    async def fail_once(sweep: Sweep, ids: set[int]) -> None:
        if failures:
            raise failures.pop()
        await give_back(sweep, ids)

    monkeypatch.setattr(Sweep, "give_back", fail_once)
    async with postgres_engine(clock, database_url) as engine:
        job = await engine.submit("a.com", (M01,))
        await clock.advance(1)
        done = await engine.now(job)

    assert "workers failed" in caplog.text
    assert done.state is JobState.COMPLETED


async def test_others_are_not_dead_because_the_database_was_away(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor because this process has just been started, but only after a lease without a sign of life from then on."""
    taken: list[float] = []

    async def note(sweep: Sweep, own: set[int]) -> None:
        taken.append(asyncio.get_running_loop().time())

    monkeypatch.setattr(Sweep, "requeue", note)
    begun = asyncio.get_running_loop().time()
    async with postgres_engine(clock, database_url, worker_lease_seconds=1) as engine:
        while not taken:
            await asyncio.sleep(0.05)
        first = taken[0] - begun
        check = workers.Workers._check_entries

        async def away(of: workers.Workers) -> None:
            await asyncio.sleep(0.7)
            monkeypatch.setattr(workers.Workers, "_check_entries", check)
            taken.clear()

        monkeypatch.setattr(workers.Workers, "_check_entries", away)
        while taken:
            await asyncio.sleep(0.01)
        back = asyncio.get_running_loop().time()
        while not taken:
            await asyncio.sleep(0.05)
        assert engine.dispatcher

    assert first >= 1
    assert taken[0] - back >= 0.9


async def test_jobs_that_run_when_a_process_begins_to_close_may_end(clock: FakeClock, database_url: str) -> None:
    async with postgres_engine(clock, database_url, worker_grace_seconds=60) as engine:
        running = await engine.submit("a.com", (M01,), force=True)
        await clock.settle()
        engine.begin_close()
        waiting = await engine.submit("b.com", (M01,), force=True)
        await asyncio.sleep(0.1)
        clock.settle = settle
        closing = asyncio.create_task(engine.close())
        while not closing.done():
            await clock.advance(0.1)
            await asyncio.sleep(0.02)
    async with idle_engine(clock, database_url) as other:
        states = [(await other.now(job)).state for job in (running, waiting)]

    assert states == [JobState.COMPLETED, JobState.QUEUED]


async def test_workers_that_end_are_started_again(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0.01)
    async with postgres_engine(clock, database_url) as engine:
        job = await engine.submit("a.com", (M01,), force=True)
        await clock.settle()
        fail = Retention.forget

        async def unavailable(retention: Retention) -> None:
            monkeypatch.setattr(Retention, "forget", fail)
            raise DatabaseUnavailable

        monkeypatch.setattr(workers, "MAINTENANCE_SECONDS", 0.0)
        monkeypatch.setattr(Retention, "forget", unavailable)
        while "workers interrupted" not in caplog.text:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        await clock.advance(5)
        done = await engine.now(job)

    assert [done.state, done.run] == [JobState.COMPLETED, 2]


async def test_a_worker_process_runs_jobs_until_it_is_told_to_stop(database_url: str, untouched_logging: None) -> None:
    settings = Settings(**postgres_settings(database_url))
    working = asyncio.create_task(work(settings))
    async with Engine(Settings(**postgres_settings(database_url) | {"jobs_inline_worker": 0})) as web:
        while True:
            try:
                await web.jobs.check_open()
            except NoWorkers:
                await asyncio.sleep(0.02)
            else:
                break
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(working, 20)

    assert rows(database_url, "SELECT * FROM procrastinate_workers") == []


# The engine


async def test_an_engine_without_workers_leaves_jobs_to_others(clock: FakeClock, database_url: str) -> None:
    async with idle_engine(clock, database_url) as engine:
        job = await engine.start("a.com", (M01,))
        with pytest.raises(NoWorkers):
            await engine.jobs.check_open()
    async with postgres_engine(clock, database_url) as other:
        await clock.advance(5)
        assert (await other.now(job)).state is JobState.COMPLETED
        await other.jobs.check_open()


async def test_many_expired_jobs_are_forgotten_in_pieces(clock: FakeClock, database_url: str) -> None:
    engine = idle_engine(clock, database_url, job_retention_seconds=60)
    async with engine:
        items = [BatchItem(domain=f"{number}.com") for number in range(3)]
        await engine.jobs.submit_batch(items, options((M01,)), 1)
        for number in range(3):
            await engine.jobs.cancel(f"{number}.com")
        change(
            database_url,
            "INSERT INTO enrichment_jobs (id, domain, state, created_at, finished_at, document)"
            " SELECT 'old ' || n, 'a.com', 'completed', 0, 1, '{}' FROM generate_series(1, 600) AS n",
        )
        await clock.advance(120)
        await Retention(database_of(engine), engine.settings, clock).forget()

    assert rows(database_url, "SELECT * FROM enrichment_jobs") == []
    assert rows(database_url, "SELECT * FROM enrichment_batches") == []
