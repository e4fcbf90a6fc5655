"""
The tables and the connections, and what happens while the database does not answer.
"""

import asyncio
import os
import runpy
import sys
import time
from typing import Any

import psycopg
import pytest

from enrichment.engine import Engine
from enrichment.errors import DatabaseUnavailable, SettingsError
from enrichment.jobs.model import Step
from enrichment.postgres import workers
from enrichment.postgres.database import Database
from enrichment.postgres.migrate import main as migrate_main
from enrichment.postgres.store import PostgresStore
from enrichment.settings import Settings
from schemas import JobState, StepState
from tests.conftest import FakeClock
from tests.postgres.engines import postgres_engine
from tests.postgres.server import create_database

M01 = "m01_company_context"
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nothing"


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
    monkeypatch.delitem(sys.modules, f"enrichment.postgres.{module}", raising=False)
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


async def test_a_transaction_that_the_server_has_ended_because_nothing_happened_in_it_is_tried_again(
    database_url: str,
) -> None:
    database = Database(database_url, connections=2, seconds=20, idle_seconds=0.2)
    pauses = [1.0, 0.0]

    async def work(connection: Any) -> int:
        await connection.execute("SELECT 1")
        await asyncio.sleep(pauses.pop(0))
        await connection.execute("SELECT 1")
        return len(pauses)

    assert await database.run(work) == 0
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
