"""
What workers do with the jobs of the queue, in this process; and what the database has to do for that.
"""

import asyncio
import math
import os
import runpy
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from msgspec.json import encode
from msgspec.structs import replace

from enrichment.blueprint.making import Brief
from enrichment.engine import Engine
from enrichment.errors import DatabaseUnavailable, NoWorkers, SettingsError, SourceFailed
from enrichment.jobs.model import BatchItem, Enrichment, Step
from enrichment.modules.module import Finding
from enrichment.postgres import workers
from enrichment.postgres.blueprints import PostgresBlueprints
from enrichment.postgres.cache import LeasedCalls, PostgresCache
from enrichment.postgres.database import Database
from enrichment.postgres.dispatcher import PostgresDispatcher
from enrichment.postgres.limits import PostgresStandings
from enrichment.postgres.migrate import main as migrate_main
from enrichment.postgres.queue import EPOCH, Queue, priority
from enrichment.postgres.retention import Retention
from enrichment.postgres.store import PostgresStore
from enrichment.postgres.sweep import Sweep
from enrichment.postgres.worker import work
from enrichment.postgres.workers import EXIT_OVERTAKEN, WORKER_LOST
from enrichment.settings import Settings
from enrichment.sources.context import CallContext
from enrichment.sources.failures import CircuitOpen, QuotaExhausted, UpstreamError
from enrichment.sources.upstream import MAX_FAILURES, OPEN_SECONDS, TRIAL_SECONDS, Gate, Standing, Stats, Upstream
from schemas import Blueprint, JobState, StepState
from tests.conftest import FakeClock
from tests.engine import Fact, ScriptedEngine, options
from tests.postgres.engines import database_of, postgres_engine, postgres_settings
from tests.postgres.server import create_database

M01, M03, M09 = "m01_company_context", "m03_traffic", "m09_analyst_ratings"
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nothing"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def change(url: str, query: str, *parameters: object) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(query.encode(), parameters or None)


def idle_engine(clock: FakeClock, url: str, **settings: Any) -> ScriptedEngine:
    """An engine that takes jobs, and runs none."""
    return ScriptedEngine(clock, **postgres_settings(url) | {"jobs_inline_worker": 0}, **settings)


def sweep_of(engine: ScriptedEngine) -> Sweep:
    return Sweep(database_of(engine), Queue(), lease_seconds=15)


def workers_of(engine: ScriptedEngine) -> workers.Workers:
    assert isinstance(engine.dispatcher, PostgresDispatcher)
    assert engine.dispatcher._workers
    return engine.dispatcher._workers


# Migrating


def test_a_database_is_migrated_once(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = create_database(postgres_server, f"lead_enrichment_{os.getpid()}_migrated")
    settings = Settings(jobs_backend="postgres", database_url=url)

    assert migrate_main(settings).startswith("Migrated: 001_jobs")
    assert migrate_main(settings) == "The tables are up to date."
    assert migrate_main(Settings()) == "JOBS_BACKEND is not `postgres`: there is no database to migrate."
    with pytest.raises(SettingsError, match="DATABASE_URL must be set"):
        migrate_main(Settings(jobs_backend="postgres"))


@pytest.mark.parametrize(
    ("module", "environ", "expected"),
    [
        ("migrate", {}, None),
        ("migrate", {"JOBS_BACKEND": "postgres"}, "DATABASE_URL must be set"),
        ("worker", {}, "JOBS_BACKEND must be `postgres` for a worker"),
        ("worker", {"JOBS_BACKEND": "postgres"}, "DATABASE_URL must be set"),
    ],
)
def test_commands_say_which_setting_is_missing(
    module: str, environ: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, f"enrichment.postgres.{module}")
    for name in ("JOBS_BACKEND", "DATABASE_URL"):
        monkeypatch.setenv(name, environ.get(name, ""))
    if expected is None:
        runpy.run_module(f"enrichment.postgres.{module}", run_name="__main__")
    else:
        with pytest.raises(SystemExit, match=expected):
            runpy.run_module(f"enrichment.postgres.{module}", run_name="__main__")


def test_an_engine_says_what_it_needs_for_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL must be set with JOBS_BACKEND=postgres"):
        Engine(Settings(jobs_backend="postgres"))
    monkeypatch.setitem(sys.modules, "enrichment.postgres.backend", None)
    with pytest.raises(SettingsError, match=r"pip install -r requirements-postgres\.txt"):
        Engine(Settings(jobs_backend="postgres", database_url=UNREACHABLE))


# A database that does not answer


async def test_a_database_that_is_not_there_is_unavailable_within_a_second() -> None:
    database = Database(UNREACHABLE, connections=2)

    async def work(connection: object) -> None:
        raise AssertionError

    begun = time.monotonic()
    with pytest.raises(DatabaseUnavailable) as raised:
        await database.run(work)
    await database.close()

    assert raised.value.retry_after
    assert time.monotonic() - begun < 1


async def test_work_that_takes_too_long_is_abandoned(database_url: str) -> None:
    database = Database(database_url, connections=2, seconds=0.3)
    with pytest.raises(DatabaseUnavailable):
        await database.run(lambda connection: connection.execute("SELECT pg_sleep(60)"))
    await database.close()


@pytest.mark.parametrize(("once", "attempts"), [(False, 2), (True, 1)])
async def test_a_transaction_whose_connection_is_lost_is_tried_again_unless_it_may_be_done_once_only(
    database_url: str, once: bool, attempts: int
) -> None:
    database = Database(database_url, connections=2, seconds=5)
    seen = []

    async def work(connection: Any) -> int:
        seen.append(connection)
        if len(seen) == 1:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return len(seen)

    if once:
        with pytest.raises(DatabaseUnavailable):
            await database.run(work, once=True)
    else:
        assert await database.run(work) == 2
    assert len(seen) == attempts
    await database.close()


async def test_commits_wait_for_the_disk_whatever_the_database_is_set_up_to_do(postgres_server: str) -> None:
    url = create_database(postgres_server, f"lead_enrichment_{os.getpid()}_careless")
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    database = Database(url, connections=2)

    async def setting(connection: Any) -> Any:
        return await (await connection.execute("SHOW synchronous_commit")).fetchone()

    assert await database.run(setting) == ("on",)
    await database.close()


async def test_a_job_whose_results_cannot_be_recorded_is_left_to_its_next_run(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.05)  # as nobody is notified of a job that comes back
    async with postgres_engine(clock, database_url) as engine:
        record, failing = PostgresStore.record, [True]

        async def fail_once(store: PostgresStore, job_id: str, step: Step, **more: Any) -> bool:
            if step.state is StepState.COMPLETED and failing:
                failing.pop()
                raise DatabaseUnavailable
            return await record(store, job_id, step, **more)

        monkeypatch.setattr(PostgresStore, "record", fail_once)
        job = await engine.submit("a.com", (M01,), force=True)
        await clock.advance(1)
        while (await engine.now(job)).run == 1:
            await asyncio.sleep(0.01)
        await clock.advance(5)
        done = await engine.now(job)

    assert [done.state, done.run, done.error] == [JobState.COMPLETED, 2, None]


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
                await sweep_of(idle).requeue()
                change(database_url, "UPDATE procrastinate_jobs SET status = 'doing'")
        await sweep_of(idle).requeue()
    async with postgres_engine(clock, database_url) as engine:
        await clock.advance(1)
        failed = await engine.now(job)

    assert [failed.state, failed.error] == [JobState.FAILED, WORKER_LOST]
    assert engine.scripted.calls == []
    assert rows(database_url, "SELECT deaths FROM enrichment_jobs") == [(workers.MAX_DEATHS,)]


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
        workers.leave_process()

    assert ended == [EXIT_OVERTAKEN]


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


# Shared calls


class TwoCaches:
    """What two processes share."""

    def __init__(self, clock: FakeClock, url: str, seconds: float) -> None:
        self.databases = [Database(url, connections=2, seconds=5) for _ in range(2)]
        self.caches = [PostgresCache(database, clock=clock) for database in self.databases]
        self.calls = [LeasedCalls(cache, seconds=seconds, clock=clock) for cache in self.caches]
        self.clock = clock
        self.made = 0
        self.answer = asyncio.Event()

    def ask(self, process: int, module_id: str = M01) -> "asyncio.Task[Finding]":
        async def call(_: object) -> Finding:
            self.made += 1
            await self.answer.wait()
            if self.made == 99:
                raise SourceFailed("down")
            finding = Finding.of(Fact(call=self.made), source="s", fetched_at=self.clock.now())
            await self.caches[process].put("a.com", module_id, finding)
            return finding

        return asyncio.create_task(self.calls[process].share(("a.com", module_id, ()), f"job {process}", call))

    async def close(self) -> None:
        for database in self.databases:
            await database.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_processes_share_a_call_for_the_same_domain_and_module(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=0.5)
    tasks = [two.ask(0)]
    await until(lambda: two.made == 1)
    tasks.append(two.ask(1))
    await asyncio.sleep(1)  # the lease of half a second has been renewed meanwhile
    two.answer.set()
    found = await asyncio.gather(*tasks)
    await two.close()

    assert [finding.read(Fact).call for finding in found] == [1, 1]
    assert two.made == 1
    assert rows(database_url, "SELECT caller FROM enrichment_findings") == [(None,)]


async def test_a_call_whose_process_has_died_is_made_by_another(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=0.3)
    assert await two.calls[0]._claim("a.com", M01, "dead")
    begun = time.monotonic()
    two.answer.set()
    found = await two.ask(1)
    await two.close()

    assert found.read(Fact).call == 1
    assert time.monotonic() - begun > 0.25


async def test_a_call_that_nobody_waits_for_any_more_gives_its_lease_back(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=60)
    task = two.ask(0)
    await until(lambda: two.made == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    two.answer.set()
    found = await two.ask(1)
    await two.close()

    assert found.read(Fact).call == 2


async def test_the_lease_of_a_call_is_renewed_and_given_back_when_the_database_can(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = TwoCaches(clock, database_url, seconds=0.1)
    refusing = []

    async def unavailable(*_: object) -> bool:
        refusing.append(True)
        raise DatabaseUnavailable

    task = two.ask(0)
    await until(lambda: two.made == 1)
    monkeypatch.setattr(two.calls[0], "_extend", unavailable)
    monkeypatch.setattr(two.calls[0], "_release", unavailable)
    await until(lambda: len(refusing) > 1)
    two.made = 99
    two.answer.set()
    with pytest.raises(SourceFailed):
        await task
    await two.close()

    assert len(refusing) > 2


async def test_derived_answers_are_not_shared_between_processes(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=60)
    two.answer.set()
    derived = "m14_icp_scoring"
    await two.calls[0]._claim("a.com", derived, "other")
    await two.ask(1, derived)
    await two.close()

    assert two.made == 1


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


# Limits of sources


class Two:
    """A service that is called from two processes."""

    def __init__(self, clock: FakeClock, url: str, requests_per_second: float) -> None:
        self.databases = [Database(url, connections=2, seconds=5) for _ in range(2)]
        self.shared = [PostgresStandings(database, clock=clock) for database in self.databases]
        upstream = Upstream(name="vendor", requests_per_second=requests_per_second)
        self.gates = [Gate(upstream, Stats(), clock, shared=each) for each in self.shared]

    async def published(self) -> None:
        for each in self.shared:
            await asyncio.gather(*each._tasks)

    async def close(self) -> None:
        for database in self.databases:
            await database.close()


@pytest.fixture
async def two(clock: FakeClock, database_url: str) -> AsyncIterator[Callable[[float], Two]]:
    made: list[Two] = []

    def make(requests_per_second: float) -> Two:
        made.append(Two(clock, database_url, requests_per_second))
        return made[-1]

    yield make
    for each in made:
        await each.published()
        await each.close()


async def test_the_calls_of_two_processes_are_no_faster_than_a_service_allows(
    two: Callable[[float], Two], clock: FakeClock
) -> None:
    service = two(2.0)
    sent: list[float] = []

    async def call(number: int) -> None:
        await service.gates[number % 2].enter(CallContext(clock=clock))
        sent.append(clock.now())

    begun = clock.now()
    calls = [asyncio.create_task(call(number)) for number in range(6)]
    while len(sent) < 6:
        await asyncio.sleep(0.02)
        await clock.advance(0.05)
    await asyncio.gather(*calls)

    assert [at - begun for at in sorted(sent)] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5], abs=0.2)


async def test_all_processes_leave_a_service_alone_that_has_failed_for_any_of_them(
    two: Callable[[float], Two], clock: FakeClock
) -> None:
    service = two(math.inf)
    context = CallContext(clock=clock)
    for number in range(MAX_FAILURES):
        gate = service.gates[number % 2]
        await gate.enter(context)
        gate.failed(UpstreamError("It answered 500."))
        await service.published()
    refused = []
    for gate in service.gates:
        with pytest.raises(CircuitOpen) as raised:
            await gate.enter(context)
        refused.append(str(raised.value))
    clock.spend(OPEN_SECONDS)
    await service.gates[0].enter(context)
    with pytest.raises(CircuitOpen):  # while the other process finds out whether it works again
        await service.gates[1].enter(context)
    service.gates[0].succeeded()
    await service.published()
    await clock.advance(TRIAL_SECONDS)
    await service.gates[1].enter(context)

    assert len(refused) == 2
    assert service.gates[1].state == "ok"


async def test_an_exhausted_quota_is_known_to_all_processes(two: Callable[[float], Two], clock: FakeClock) -> None:
    service = two(math.inf)
    context = CallContext(clock=clock)
    await service.gates[0].enter(context)
    service.gates[0].failed(QuotaExhausted("Enough.", until=clock.now() + 60))
    await service.published()
    with pytest.raises(QuotaExhausted):
        await service.gates[1].enter(context)
    clock.spend(61)
    await service.gates[1].enter(context)


async def test_a_call_that_is_withdrawn_leaves_the_trial_to_another_process(
    two: Callable[[float], Two], clock: FakeClock
) -> None:
    service = two(math.inf)
    context = CallContext(clock=clock)
    for _ in range(MAX_FAILURES):
        await service.gates[0].enter(context)
        service.gates[0].failed(UpstreamError("It answered 500."))
        await service.published()
    clock.spend(OPEN_SECONDS)
    await service.gates[0].enter(context)
    service.gates[0].withdraw()
    await service.published()
    await service.gates[1].enter(context)


async def test_that_a_standing_cannot_be_published_does_no_harm(clock: FakeClock) -> None:
    standings = PostgresStandings(Database(UNREACHABLE, connections=2, seconds=0.05), clock=clock)
    standings.publish(("vendor", ""), Standing(), Standing(failures=1))
    await asyncio.gather(*standings._tasks)
    await standings.database.close()

    assert not standings._tasks


async def test_services_that_are_not_called_any_more_are_forgotten(
    two: Callable[[float], Two], clock: FakeClock, database_url: str
) -> None:
    service = two(1.0)
    await service.gates[0].enter(CallContext(clock=clock))
    retention = Retention(service.databases[0], Settings(), clock)
    await retention.forget()
    assert len(rows(database_url, "SELECT * FROM enrichment_sources")) == 1
    await clock.advance(2 * 86_400)
    await retention.forget()

    assert rows(database_url, "SELECT * FROM enrichment_sources") == []


# Blueprints


async def made(engine: Engine, brief: Brief, *, refresh: bool = False) -> list[Any]:
    return [event async for event in engine.blueprints.make(brief, refresh=refresh)]


async def test_a_blueprint_is_made_once_for_all_processes(clock: FakeClock, database_url: str) -> None:
    brief = Brief(domain="acme.com", icp="Retailers with 200-1000 employees on Shopify")
    async with idle_engine(clock, database_url) as first, idle_engine(clock, database_url) as second:
        events = await made(first, brief)
        again = await made(second, brief)
        found = await second.blueprints.find(events[-1].metadata.id)
        missing = await second.blueprints.find("blueprint_0")
        refreshed = (await made(second, brief, refresh=True))[-1]
        newest = (await made(first, brief))[-1]
        clock.spend(86_400)
        expired = await second.blueprints.find(refreshed.metadata.id)

    cached = replace(events[-1], metadata=replace(events[-1].metadata, cached=True))
    assert encode(again) == encode([*events[:-1], cached])  # texts of conditions are of other types, but alike as JSON
    assert encode(found) == encode(events[-1])
    assert missing is expired is None
    assert newest.metadata.id == refreshed.metadata.id != events[-1].metadata.id


async def test_a_blueprint_is_made_although_the_database_does_not_answer(clock: FakeClock) -> None:
    """From a profile that is given: what is to be found out about the company would be cached in the database."""
    brief = Brief(domain="acme.com", icp="Retailers with 200-1000 employees on Shopify")
    async with idle_engine(clock, UNREACHABLE) as engine:
        events = await made(engine, brief)
        with pytest.raises(DatabaseUnavailable):
            await engine.blueprints.find("blueprint_0")

    assert isinstance(events[-1], Blueprint)


async def test_blueprints_beyond_the_limits_are_forgotten(clock: FakeClock, database_url: str) -> None:
    database = Database(database_url, connections=2)
    blueprints = PostgresBlueprints(database)
    for number in range(4):
        await blueprints.put(b"%d" % number, f"blueprint_{number}", b"x" * 400_000, made_at=clock.now())
        await clock.advance(1)
    await Retention(database, Settings(max_cached_blueprints=3), clock).forget()
    counted = [bool(await blueprints.get_by_id(f"blueprint_{number}", since=0.0)) for number in range(4)]
    await Retention(database, Settings(max_cached_blueprint_bytes=1_048_576), clock).forget()
    weighed = [bool(await blueprints.get_by_digest(b"%d" % number, since=0.0)) for number in range(4)]
    await clock.advance(86_400)
    await Retention(database, Settings(), clock).forget()
    await database.close()

    assert counted == [False, True, True, True]
    assert weighed == [False, False, True, True]
    assert rows(database_url, "SELECT * FROM enrichment_blueprints") == []
