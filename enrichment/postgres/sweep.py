"""
Jobs whose workers have died, entries of the queue that are lost, and places in batches that are free.
"""

from collections.abc import Collection, Iterable
from typing import Final

from procrastinate.sql import queries
from psycopg.sql import SQL

from enrichment.postgres.database import Connection, Database, transaction
from enrichment.postgres.queue import ENRICHMENTS, LOOKUPS, Queue
from enrichment.postgres.rows import read_rows, to_job

CHUNK: Final = 500  # jobs that are looked after in a transaction
QUEUES: Final = [ENRICHMENTS, LOOKUPS]


class Sweep:
    """Looks after jobs that nobody runs. Every worker does so; each entry of the queue is changed by one at a time."""

    def __init__(self, database: Database, queue: Queue, *, lease_seconds: float) -> None:
        self.database = database
        self._queue = queue
        self._lease_seconds = lease_seconds

    @transaction
    async def requeue(self, connection: Connection, own: Collection[int]) -> None:
        """
        Put the entries of workers that are dead, by their heartbeats, back into the queue, and count the deaths.

        The workers with `own` ids are those of this process, which is not dead.
        """
        cursor = await connection.execute(
            "SELECT entry.id, entry.args ->> 'job_id' FROM procrastinate_jobs AS entry"
            " LEFT JOIN procrastinate_workers AS worker ON worker.id = entry.worker_id"
            " WHERE entry.status = 'doing' AND entry.queue_name = ANY(%s) AND (worker.id IS NULL"
            " OR worker.last_heartbeat < now() - make_interval(secs => %s) AND worker.id <> ALL(%s))"
            " LIMIT %s FOR UPDATE OF entry SKIP LOCKED",
            (QUEUES, self._lease_seconds, [*own], CHUNK),
        )
        entries = await cursor.fetchall()
        await _put_back(connection, (entry for entry, _ in entries))
        await connection.execute(
            "UPDATE enrichment_jobs SET deaths = deaths + 1, lost_run = run WHERE id = ANY(%s) AND finished_at IS NULL"
            " AND lost_run < run",
            ([job_id for _, job_id in entries],),
        )

    @transaction
    async def give_back(self, connection: Connection, workers: Collection[int]) -> None:
        """Put the entries of workers of this process back that have ended, but could not do it themselves."""
        cursor = await connection.execute(
            "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%s) FOR UPDATE", ([*workers],)
        )
        await _put_back(connection, (entry for (entry,) in await cursor.fetchall()))

    @transaction
    async def repair(self, connection: Connection) -> None:
        """
        Remove entries that have ended, add one for each unfinished job that has lost its own, and fill free places in
        batches.
        """
        await connection.execute(
            "DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing') AND queue_name = ANY(%s)", (QUEUES,)
        )
        condition = SQL(
            "finished_at IS NULL AND queue_id IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE procrastinate_jobs.id = queue_id)"
        )
        rest = SQL("LIMIT %(chunk)s FOR UPDATE SKIP LOCKED")
        for row in await read_rows(connection, condition, {"chunk": CHUNK}, rest):
            await self._queue.enqueue(connection, to_job(row))
        cursor = await connection.execute(
            "SELECT DISTINCT batch_id FROM enrichment_jobs"
            " WHERE batch_id IS NOT NULL AND queue_id IS NULL AND finished_at IS NULL ORDER BY batch_id"
        )
        for (batch_id,) in await cursor.fetchall():
            await self._queue.admit(connection, batch_id)


async def _put_back(connection: Connection, entries: Iterable[int]) -> None:
    """Put entries of running jobs back into the queue."""
    for entry in entries:
        await connection.execute(
            queries["retry_job"],
            {"job_id": entry, "retry_at": None, "new_priority": None, "new_queue_name": None, "new_lock": None},
        )
