"""
The queue of the jobs that are due: procrastinate, in the same database.

Its entries name a job; all that is known of the job is in our tables. An entry is deleted with the end of its run.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, LiteralString

from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.connector import Notify
from procrastinate.jobs import Job as QueueEntry
from procrastinate.manager import get_channel_for_queues
from procrastinate.retry import BaseRetryStrategy
from procrastinate.sql import queries
from psycopg.sql import SQL

from enrichment.jobs.model import AnyJob, Enrichment
from enrichment.jobs.scheduler import PRIORITY_BOOST_SECONDS
from enrichment.postgres.database import Connection, Database
from enrichment.postgres.rows import read_rows, to_job

ENRICHMENTS: Final = "enrichments"
LOOKUPS: Final = "lookups"
"A queue of their own: they run at once, however many enrichments do."

ANY_QUEUE: Final = get_channel_for_queues(None)

EPOCH: Final = 1_767_225_600  # 2026-01-01, in seconds: priorities of 4 bytes last 68 years before and after it


class Connector(PsycopgConnector):
    """
    procrastinate's connections: those of the database, and one for all workers of the process that are notified.

    Its statements are transactions that are tried again, like ours; except that of fetching a job, which another one
    would not find.
    """

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._listeners: list[Notify] = []
        self._task: asyncio.Task[None] | None = None

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """See `PsycopgConnector`."""
        await self.execute_query_all_async(query, **arguments)

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        """See `PsycopgConnector`."""
        return await self._database.run(
            lambda connection: self.execute_query_one_async_with_connection(connection, query, **arguments),
            once=query == queries["fetch_job"],
            is_single=True,
        )

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        """See `PsycopgConnector`."""
        return await self._database.run(
            lambda connection: self.execute_query_all_async_with_connection(connection, query, **arguments),
            is_single=True,
        )

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:  # noqa: ARG002
        """Call `on_notification` with the notifications of all queues; a worker ignores what is not its own."""
        self._listeners.append(on_notification)
        task = self._task = self._task or asyncio.create_task(super().listen_notify(self._notify_all, ANY_QUEUE))
        try:
            await asyncio.shield(task)
        finally:
            self._listeners.remove(on_notification)
            task.cancel()  # the other worker of this process ends, too

    async def _notify_all(self, *, channel: str, payload: str) -> None:
        for on_notification in self._listeners:
            await on_notification(channel=channel, payload=payload)


class Queue:
    """Puts jobs into the queue, and takes them out again, within transactions of the caller's."""

    def __init__(self) -> None:
        self._app = App(connector=PsycopgConnector())

    async def put(self, connection: Connection, jobs: Sequence[AnyJob]) -> list[int]:
        """Add entries for jobs of the same kind, priority and age, and return their ids."""
        job = jobs[0]
        queue = ENRICHMENTS if isinstance(job, Enrichment) else LOOKUPS
        deferrer = self._app.configure_task(queue, queue=queue, priority=priority(job), connection=connection)
        arguments: list[dict[str, Any]] = [{"job_id": each.id} for each in jobs]
        return await deferrer.batch_defer_async(*arguments)

    async def cancel(self, connection: Connection, entry: int) -> bool:
        """Remove an entry; if its job is running, notify the worker instead, and return False."""
        cursor = await connection.execute("SELECT status FROM procrastinate_jobs WHERE id = %s FOR UPDATE", (entry,))
        status = await cursor.fetchone()
        if status is None:
            return True
        manager = self._app.job_manager
        await manager.cancel_job_by_id_async(entry, abort=True, delete_job=True, connection=connection)
        return status != ("doing",)

    async def leave(self, connection: Connection, job_id: str) -> None:
        """Give the place of a finished job in its batch to the next one, unless that has been done."""
        cursor = await connection.execute(
            "UPDATE enrichment_jobs SET has_left = true WHERE id = %s AND NOT has_left AND finished_at IS NOT NULL"
            " AND batch_id IS NOT NULL RETURNING batch_id",
            (job_id,),
        )
        if row := await cursor.fetchone():
            await self.admit(connection, row[0])

    async def admit(self, connection: Connection, batch_id: str) -> None:
        """Put as many jobs that are held back into the queue as the concurrency of their batch has places for."""
        cursor = await connection.execute(
            "SELECT concurrency FROM enrichment_batches WHERE id = %s FOR UPDATE", (batch_id,)
        )
        places = sum(concurrency for (concurrency,) in await cursor.fetchall())
        cursor = await connection.execute(
            "SELECT count(*) FROM enrichment_jobs WHERE batch_id = %s AND queue_id IS NOT NULL AND NOT has_left",
            (batch_id,),
        )
        places -= sum(admitted for (admitted,) in await cursor.fetchall())
        condition = SQL("batch_id = %(id)s AND queue_id IS NULL AND finished_at IS NULL")
        rest = SQL("ORDER BY number LIMIT %(places)s FOR UPDATE")
        for row in await read_rows(connection, condition, {"id": batch_id, "places": max(0, places)}, rest):
            await self.enqueue(connection, to_job(row))

    async def enqueue(self, connection: Connection, job: AnyJob) -> None:
        """Add an entry for a job that has none."""
        (entry,) = await self.put(connection, [job])
        await connection.execute("UPDATE enrichment_jobs SET queue_id = %s WHERE id = %s", (entry, job.id))


class Resume(BaseRetryStrategy):
    """Whatever ends the run of a job before the job is finished: it goes back to the queue, for another run."""

    def get_retry_decision(self, *, exception: BaseException, job: QueueEntry) -> RetryDecision:  # noqa: ARG002
        """Run it again at once."""
        return RetryDecision()


def priority(job: AnyJob) -> int:
    """
    The job's priority as an integer; that with the highest is next.

    It is the negated time of the job's acceptance in seconds, less the boost of its priority, so jobs age as in memory.
    """
    boost = PRIORITY_BOOST_SECONDS[job.priority] if isinstance(job, Enrichment) else 0
    return EPOCH - int(job.created_at - boost)
