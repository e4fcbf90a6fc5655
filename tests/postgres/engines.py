"""
Engines on PostgreSQL for tests.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import psycopg

from enrichment.engine import Engine
from enrichment.postgres.database import Connection, Database
from enrichment.postgres.store import PostgresStore
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine

CALM: Final = 5
"How often nothing may have happened, in pauses of `PAUSE` seconds, before nothing is expected to happen any more."
PAUSE: Final = 0.005


@contextlib.asynccontextmanager
async def postgres_engine(clock: FakeClock, url: str, **settings: Any) -> AsyncIterator[ScriptedEngine]:
    """An engine that takes jobs and runs them. The clock waits for what it does in the database."""
    engine = ScriptedEngine(clock, **postgres_settings(url) | settings)
    wait_longer(engine)
    async with engine:
        await wait_until_notified(database_of(engine))
        clock.settle = lambda: settle_database(engine)
        yield engine
        clock.settle = settle


def postgres_settings(url: str) -> dict[str, Any]:
    """The settings of a process that takes jobs and runs them."""
    return {
        "jobs_backend": "postgres",
        "database_url": url,
        "database_connections": 4,
        "jobs_inline_worker": 1,
        "worker_grace_seconds": 0,
    }


def database_of(engine: Engine) -> Database:
    """The database that the engine's store is in."""
    assert isinstance(engine.store, PostgresStore)
    return engine.store.database


def wait_longer(engine: Engine) -> None:
    """Let requests wait for the database longer than they do, as a machine that runs tests may be busy."""
    database = database_of(engine)
    database.seconds = database._pool.timeout = 20.0


async def wait_until_notified(database: Database) -> None:
    """Wait until the workers of the engine are notified of new jobs; before that, they find them after some seconds."""

    async def listeners(connection: Connection) -> int:
        cursor = await connection.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
            " AND state = 'idle'"
        )
        return len(await cursor.fetchall())

    while not await database.run(listeners):
        await asyncio.sleep(PAUSE)


async def settle_database(engine: Engine) -> None:
    """Wait until nothing has happened for a moment, neither in the event loop nor in the database."""
    database = database_of(engine)
    pool = await database.pool()
    calm = 0
    while calm < CALM:
        before = pool.get_stats()["requests_num"]
        is_calm = not await database.run(lambda connection: _has_work(connection, engine.settings.max_running_jobs))
        await asyncio.sleep(PAUSE)
        await settle()
        stats = pool.get_stats()
        is_calm = is_calm and stats["requests_num"] == before + 1 and stats["pool_available"] == stats["pool_size"]
        calm = calm + 1 if is_calm else 0


async def _has_work(connection: Connection, max_running: int) -> bool:
    """Whether workers have not taken an entry of the queue that they have room for, or not ended a cancelled one."""
    cursor = await connection.execute(
        "SELECT count(*) FILTER (WHERE status = 'todo' AND queue_name = 'lookups')"
        " + least(count(*) FILTER (WHERE status = 'todo' AND queue_name = 'enrichments'),"
        " greatest(0, %s - count(*) FILTER (WHERE status = 'doing' AND queue_name = 'enrichments')))"
        " + count(*) FILTER (WHERE abort_requested) FROM procrastinate_jobs",
        (max_running,),
    )
    return (await cursor.fetchone()) != (0,)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def change(url: str, query: str, *parameters: object) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(query.encode(), parameters or None)


def idle_engine(clock: FakeClock, url: str, **settings: Any) -> ScriptedEngine:
    """An engine that takes jobs, and runs none."""
    engine = ScriptedEngine(clock, **postgres_settings(url) | {"jobs_inline_worker": 0} | settings)
    wait_longer(engine)
    return engine
