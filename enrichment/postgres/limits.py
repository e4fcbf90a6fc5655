"""
The limits of outside services, for the calls of all processes together: a row for each service, a statement for a call.
"""

import asyncio
from contextlib import suppress

from enrichment.clock import Clock
from enrichment.errors import DatabaseUnavailable
from enrichment.postgres.database import Connection, Database, statement
from enrichment.sources.upstream import MAX_FAILURES, TRIAL_SECONDS, Standing


class PostgresStandings:
    """`SharedStandings` in PostgreSQL."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self.database = database
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself refers to tasks only weakly

    @statement
    async def enter(self, connection: Connection, key: tuple[str, str], interval: float) -> tuple[Standing, float]:
        """See `SharedStandings.enter`."""
        parameters = {
            "name": key[0],
            "part": key[1],
            "interval": interval,
            "now": self._clock.now(),
            "trial": TRIAL_SECONDS,
            "max_failures": MAX_FAILURES,
        }
        while True:
            cursor = await connection.execute(
                "WITH before AS (SELECT * FROM enrichment_sources WHERE name = %(name)s AND part = %(part)s FOR UPDATE)"
                " UPDATE enrichment_sources AS entered SET"
                " next_at = CASE WHEN before.until > %(now)s THEN before.next_at"
                " ELSE greatest(before.next_at, %(now)s) + %(interval)s END,"
                " until = CASE WHEN before.until <= %(now)s AND before.failures >= %(max_failures)s"
                " THEN %(now)s + %(trial)s ELSE before.until END,"
                " state = CASE WHEN before.until <= %(now)s AND before.failures >= %(max_failures)s THEN 'open'"
                " ELSE before.state END"
                " FROM before WHERE entered.name = before.name AND entered.part = before.part"
                " RETURNING before.state, before.until, before.failures, before.refusals, before.open_seconds,"
                " entered.next_at - %(interval)s",
                parameters,
            )
            if row := await cursor.fetchone():
                return Standing(*row[:-1]), row[-1]
            await connection.execute(
                "INSERT INTO enrichment_sources (name, part) VALUES (%(name)s, %(part)s) ON CONFLICT DO NOTHING",
                parameters,
            )

    def publish(self, key: tuple[str, str], before: Standing, after: Standing) -> None:
        """See `SharedStandings.publish`."""
        task = asyncio.create_task(self._publish(key, before, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, key: tuple[str, str], before: Standing, after: Standing) -> None:
        with suppress(DatabaseUnavailable):  # the next call finds out by itself
            await self._change(key, before, after)

    @statement
    async def _change(self, connection: Connection, key: tuple[str, str], before: Standing, after: Standing) -> None:
        """Write the standing; failures are added to those that other processes have seen meanwhile."""
        await connection.execute(
            "UPDATE enrichment_sources SET state = %s, until = %s, refusals = %s, open_seconds = %s,"
            " failures = CASE WHEN %s THEN failures + %s ELSE %s END WHERE name = %s AND part = %s",
            (
                after.state,
                after.until,
                after.refusals,
                after.open_seconds,
                after.failures > before.failures,
                after.failures - before.failures,
                after.failures,
                *key,
            ),
        )
