"""
The workers of a process: they run the jobs of the queue, and look after those of workers that have died.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import procrastinate.worker  # noqa: F401 - else with the first worker, and the event loop would wait for it
from procrastinate import App, JobContext
from procrastinate.exceptions import ProcrastinateException
from procrastinate.job_context import AbortReason

from enrichment.errors import DatabaseUnavailable
from enrichment.jobs.runner import Runner
from enrichment.log_handler import BatchingHandler
from enrichment.logs import Log
from enrichment.postgres.database import Connection, Database, statement, transaction
from enrichment.postgres.queue import ENRICHMENTS, LOOKUPS, Connector, Queue, Resume
from enrichment.postgres.retention import Retention
from enrichment.postgres.store import PostgresStore
from enrichment.postgres.sweep import Sweep
from enrichment.settings import Settings
from schemas import JobState

log = Log(__name__)

MAX_LOOKUPS: Final = 1_000
"Lookups that a process runs at the same time."
CANCEL_SECONDS: Final = 2.0
"How often workers ask which jobs are cancelled, in case that a notification is lost."
POLL_SECONDS: Final = 2.0
"How often they ask for jobs, in case that a notification is lost, or that a job has come back."
RESTART_SECONDS: Final = 1.0
"The pause after workers have ended, as they do if the database does not answer."
MAINTENANCE_SECONDS: Final = 20.0
"How often jobs are forgotten, and lost entries of the queue replaced."
TRUST_LEASES: Final = 1.0
"For how many leases the database has to have answered before the heartbeats of other workers are trusted."
MAX_DEATHS: Final = 3
"Workers that may end while they run a job, before the job is taken to be the reason."
WORKER_LOST: Final = f"worker_lost: each of the {MAX_DEATHS} workers that ran this job ended before it was done."
EXIT_OVERTAKEN: Final = 75


def leave_process() -> None:
    """End this process at once, with its log written: its jobs have been given to other workers."""
    log.error("overtaken: this process did not show signs of life in time, and others run its jobs")
    for handler in logging.root.handlers:
        if isinstance(handler, BatchingHandler):
            handler.drain()
    os._exit(EXIT_OVERTAKEN)


class Workers:
    """
    Runs jobs until it is told to stop.

    There are two workers of procrastinate, one for enrichments and one for lookups. They end when the database does not
    answer for a while, and whatever else may happen to them, and are then started again, however long that takes.
    """

    def __init__(
        self,
        database: Database,
        queue: Queue,
        store: PostgresStore,
        retention: Retention,
        runner: Runner,
        settings: Settings,
        *,
        leave: Callable[[], None] = leave_process,
    ) -> None:
        self.database = database
        self._queue = queue
        self._store = store
        self._retention = retention
        self._runner = runner
        self._settings = settings
        self._leave = leave
        self._running: dict[int | None, JobContext] = {}  # by the id of the entry
        self._worker_ids: set[int] = set()  # of those that have run jobs here
        self._sweep = Sweep(database, queue, lease_seconds=settings.worker_lease_seconds)

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set and the running ones have ended, or have gone back to the queue."""
        while not stop.is_set():
            try:
                await self._work(stop)
            except (DatabaseUnavailable, ProcrastinateException) as error:
                log.warning("workers interrupted", reason=str(error))
            except Exception:
                log.exception("workers failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_SECONDS)

    async def _work(self, stop: asyncio.Event) -> None:
        """Run workers until `stop` is set or one of them ends."""
        await self._sweep.give_back(self._worker_ids)
        self._worker_ids.clear()
        app = App(connector=Connector(self.database))
        await app.open_async(await self.database.pool())
        for name in (ENRICHMENTS, LOOKUPS):
            app.task(name=name, queue=name, pass_context=True, retry=Resume())(self._run_job)
        tasks = [
            asyncio.create_task(self._run_worker(app, ENRICHMENTS, self._settings.max_running_jobs)),
            asyncio.create_task(self._run_worker(app, LOOKUPS, MAX_LOOKUPS)),
            asyncio.create_task(self._maintain()),
            asyncio.create_task(stop.wait()),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _run_worker(self, app: App, queue: str, concurrency: int) -> None:
        await app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=concurrency,
            fetch_job_polling_interval=POLL_SECONDS,
            abort_job_polling_interval=CANCEL_SECONDS,
            shutdown_graceful_timeout=self._settings.worker_grace_seconds,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=self._settings.worker_lease_seconds / 3,
            stalled_worker_timeout=self._settings.worker_lease_seconds,
        )

    async def _run_job(self, context: JobContext, job_id: str) -> None:
        """Run the job of an entry. procrastinate deletes the entry when this returns, and queues it when it raises."""
        self._running[context.job.id] = context
        self._worker_ids.add(context.job.worker_id or 0)
        try:
            if taken := await self._store.take(job_id):
                job, deaths = taken
                if deaths < MAX_DEATHS:
                    await self._runner.run(job)
                else:
                    await self._runner.finish(job_id, JobState.FAILED, error=WORKER_LOST, run=job.run)
        except asyncio.CancelledError:
            if context.abort_reason() is not AbortReason.USER_REQUEST:
                await self._check_entries()
                raise
            await asyncio.shield(self._leave_batch(job_id))
        else:
            await self._leave_batch(job_id)
        finally:
            self._running.pop(context.job.id)

    @transaction
    async def _leave_batch(self, connection: Connection, job_id: str) -> None:
        """Give the place of the job in its batch to another one, if all entries are still those of this process."""
        await self._check(connection)
        await self._queue.leave(connection, job_id)

    @statement
    async def _check_entries(self, connection: Connection) -> None:
        await self._check(connection)

    async def _check(self, connection: Connection) -> None:
        """
        Leave the process if an entry of a running job has been given to another worker.

        procrastinate would change the entry under that worker's hands: it looks at its id only.
        """
        running = list(self._running.items())
        cursor = await connection.execute(
            "SELECT id FROM procrastinate_jobs WHERE id = ANY(%s) AND worker_id = ANY(%s) AND status = 'doing'",
            ([entry for entry, _ in running], [*self._worker_ids]),
        )
        held = {entry for (entry,) in await cursor.fetchall()}
        if any(self._running.get(entry) is context and entry not in held for entry, context in running):
            self._leave()

    async def _maintain(self) -> None:
        """
        Look after the jobs of dead workers, and from time to time after what has been lost or is to be forgotten.

        Others are not taken to be dead before they could show signs of life for a whole lease: when the database was
        away, or this process has just been started or was frozen, nobody may have been able to.
        """
        lease = self._settings.worker_lease_seconds
        loop = asyncio.get_running_loop()
        seen_at = next_at = loop.time()
        trusts_at = loop.time() + TRUST_LEASES * lease
        while True:
            await self._check_entries()
            if loop.time() - seen_at > lease * 2 / 3:  # a heartbeat may be a third of a lease old
                trusts_at = loop.time() + TRUST_LEASES * lease
            seen_at = loop.time()
            if seen_at >= trusts_at:
                await self._sweep.requeue(self._worker_ids)
            if seen_at >= next_at:
                await self._sweep.repair()
                await self._retention.forget()
                next_at = loop.time() + MAINTENANCE_SECONDS
            await asyncio.sleep(lease / 6)
