"""
What an engine is made of with `JOBS_BACKEND=postgres`.
"""

from enrichment.clock import Clock
from enrichment.jobs.runner import Runner
from enrichment.postgres.blueprints import PostgresBlueprints
from enrichment.postgres.cache import LeasedCalls, PostgresCache
from enrichment.postgres.database import REQUEST_SECONDS, Database
from enrichment.postgres.dispatcher import PostgresDispatcher
from enrichment.postgres.limits import PostgresStandings
from enrichment.postgres.queue import Queue
from enrichment.postgres.retention import Retention
from enrichment.postgres.store import PostgresStore
from enrichment.postgres.workers import Workers, leave_process
from enrichment.settings import Settings

WORK_SECONDS = 10.0
"How long a process that runs jobs waits for the database before its jobs are interrupted."


class Backend:
    """
    The store, the cache, the blueprints, the calls and standings of sources that are shared, and the dispatcher.

    With `works`, the process runs jobs, beside serving requests if `JOBS_INLINE_WORKER` is set.
    """

    def __init__(self, settings: Settings, clock: Clock, *, works: bool = False) -> None:
        self._settings = settings
        self._clock = clock
        self._works = works or bool(settings.jobs_inline_worker)
        seconds = WORK_SECONDS if works else REQUEST_SECONDS
        self.database = Database(
            settings.database_url,
            connections=settings.database_connections,
            seconds=seconds,
            idle_seconds=settings.worker_lease_seconds / 3,
        )
        self._queue = Queue()
        self.store = PostgresStore(
            self.database,
            self._queue,
            max_pending=settings.max_pending_jobs,
            retention_seconds=settings.job_retention_seconds,
            clock=clock,
            on_overtaken=leave_process,
        )
        self.standings = PostgresStandings(self.database, clock=clock)
        self.cache = PostgresCache(self.database, clock=clock)
        self.blueprints = PostgresBlueprints(self.database)
        self.calls = LeasedCalls(self.cache, seconds=settings.worker_lease_seconds / 2, clock=clock)

    def dispatcher(self, runner: Runner) -> PostgresDispatcher:
        """Make the dispatcher, which runs jobs by `runner` if this process does."""
        workers = Workers(
            self.database,
            self._queue,
            self.store,
            Retention(self.database, self._settings, self._clock),
            runner,
            self._settings,
        )
        return PostgresDispatcher(
            self.database,
            self._queue,
            lease_seconds=self._settings.worker_lease_seconds,
            workers=workers if self._works else None,
        )
