"""
The dispatcher of all processes: jobs are in the queue as soon as they are in the store.
"""

import asyncio
from collections.abc import Sequence

from enrichment.errors import NoWorkers
from enrichment.jobs.model import AnyJob, Batch
from enrichment.postgres.database import Connection, Database, statement, transaction
from enrichment.postgres.queue import Queue
from enrichment.postgres.workers import Workers


class PostgresDispatcher:
    """A `Dispatcher` whose jobs are run by the workers of any process; by those of this one too, if `workers` are."""

    def __init__(
        self, database: Database, queue: Queue, *, lease_seconds: float, workers: Workers | None = None
    ) -> None:
        self.database = database
        self._queue = queue
        self._lease_seconds = lease_seconds
        self._workers = workers
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Run jobs, if this process has workers. It may have been closed before."""
        if self._workers:
            self._stop = asyncio.Event()
            self._task = asyncio.create_task(self._workers.run(self._stop))

    async def dispatch(self, jobs: Sequence[AnyJob], batch: Batch | None = None) -> None:
        """See `Dispatcher.dispatch`. Their entries in the queue were committed with the jobs."""

    @transaction
    async def cancel(self, connection: Connection, job_id: str) -> None:
        """See `Dispatcher.cancel`. A worker that runs the job is notified."""
        cursor = await connection.execute(
            "SELECT queue_id FROM enrichment_jobs WHERE id = %s AND queue_id IS NOT NULL", (job_id,)
        )
        for (entry,) in await cursor.fetchall():
            if await self._queue.cancel(connection, entry):
                await self._queue.leave(connection, job_id)

    @statement
    async def check(self, connection: Connection) -> None:
        """See `Dispatcher.check`."""
        cursor = await connection.execute(
            "SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s) LIMIT 1",
            (self._lease_seconds,),
        )
        if await cursor.fetchone() is None:
            raise NoWorkers

    def stop(self) -> None:
        """See `Dispatcher.stop`: the workers of this process begin no more jobs, and the running ones may end."""
        self._stop.set()

    async def close(self) -> None:
        """Stop the workers of this process. Unfinished jobs go on elsewhere, or when there is a worker again."""
        self.stop()
        if self._task:
            await asyncio.wait((self._task,))
            self._task = None
        await self.database.close()
