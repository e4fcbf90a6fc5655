"""
Engines on PostgreSQL for tests.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from enrichment.postgres.database import Database
from enrichment.postgres.store import PostgresStore
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine

CALM: Final = 8
"How often nothing may have happened, in pauses of `PAUSE` seconds, before nothing is expected to happen any more."
PAUSE: Final = 0.005


@contextlib.asynccontextmanager
async def postgres_engine(clock: FakeClock, url: str, **settings: Any) -> AsyncIterator[ScriptedEngine]:
    """An engine that takes jobs and runs them. The clock waits for what it does in the database."""
    settings = {"jobs_backend": "postgres", "database_url": url, "worker_grace_seconds": 0.0, **settings}
    engine = ScriptedEngine(clock, works=True, **settings)
    clock.settle = lambda: settle_database(database_of(engine))
    async with engine:
        yield engine


def database_of(engine: ScriptedEngine) -> Database:
    """The database that the engine's store is in."""
    assert isinstance(engine.store, PostgresStore)
    return engine.store.database


async def settle_database(database: Database) -> None:
    """Wait until nothing has happened for a moment, neither in the event loop nor in the database."""
    pool = await database.pool()
    calm = 0
    while calm < CALM:
        before = pool.get_stats()["requests_num"]
        await asyncio.sleep(PAUSE)
        await settle()
        stats = pool.get_stats()
        is_calm = stats["requests_num"] == before and stats["pool_available"] == stats["pool_size"]
        calm = calm + 1 if is_calm else 0
