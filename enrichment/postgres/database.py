"""
The connections of a process to the database, and what happens while it does not answer.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from enrichment.errors import DatabaseUnavailable
from enrichment.logs import Log

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="HasDatabase")
Connection = AsyncConnection[tuple[Any, ...]]

log = Log(__name__)

REQUEST_SECONDS: Final = 0.8
"How long a request waits for the database; it is answered within a second."
CONNECT_SECONDS: Final = 5
"How long the attempts to open a connection go on. The next one begins when a connection is wanted again."
IDLE_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.05
"Before the second attempt of a transaction; doubled with each further one."
MAX_PAUSE_SECONDS: Final = 1.0

LOST: Final = (OperationalError, InterfaceError, IdleInTransactionSessionTimeout, ReadOnlySqlTransaction)
"What a transaction fails with that may succeed on another connection."

OPTIONS: Final = {
    "application_name": "lead-enrichment",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,  # so that the death of a server that says nothing is noticed
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}


class Database:
    """
    A pool of connections, opened at the first use.

    A transaction whose connection is lost is tried again until `seconds` have passed since it was called for. The
    server ends one in which this process has done nothing for `idle_seconds`, so that none that is frozen holds locks.
    """

    def __init__(
        self, url: str, *, connections: int, seconds: float = REQUEST_SECONDS, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.seconds = seconds
        self._is_open = False
        self._tasks: set[asyncio.Task[Any]] = set()  # the event loop itself refers to tasks only weakly
        for name in ("procrastinate", "psycopg.pool"):  # which log each job, and each attempt to connect
            logger = logging.getLogger(name)
            logger.setLevel(logger.level or logging.ERROR)
        self._make_pool = functools.partial(
            AsyncConnectionPool[Connection],
            url,
            kwargs=OPTIONS,
            min_size=1,
            max_size=connections,
            open=False,
            configure=functools.partial(_configure, idle_seconds),
            timeout=seconds,
            reconnect_timeout=CONNECT_SECONDS,
        )
        self._pool = self._make_pool()

    async def pool(self) -> AsyncConnectionPool[Connection]:
        """Return the pool, open."""
        if not self._is_open:
            self._is_open = True
            await self._pool.open()
        return self._pool

    async def close(self) -> None:
        """Close all connections. Idempotent; the database can be used again afterwards."""
        if self._is_open:
            self._is_open = False
            pool, self._pool = self._pool, self._make_pool()
            await pool.close(timeout=1)

    async def run(
        self, work: Callable[[Connection], Coroutine[Any, Any, T]], *, once: bool = False, is_single: bool = False
    ) -> T:
        """
        Await `work` in a transaction, and commit it. Raise `DatabaseUnavailable` if that cannot be done in time.

        With `once`, it is not tried again after it has begun: it could have been committed. `is_single` says that it is
        a single statement, or some that need not be together, which are transactions by themselves.
        """
        begun: list[bool] = []
        first = (lambda: begun.append(True)) if once else None
        end = time.monotonic() + self.seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            task = asyncio.create_task(self._attempt(work, first, is_single=is_single))
            self._tasks.add(task)
            task.add_done_callback(self._forget)
            try:
                # Not `asyncio.timeout`: a cancelled query is waited for, and a server that is gone does not answer.
                await asyncio.wait((task,), timeout=max(0.0, end - time.monotonic()))
                if not task.done():
                    raise DatabaseUnavailable
                return task.result()
            except LOST as error:
                left = end - time.monotonic()
                if begun or left < pause or isinstance(error, PoolTimeout):
                    log.warning("database unavailable", reason=_one_line(error))
                    raise DatabaseUnavailable from error
            finally:
                task.cancel()
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    async def _attempt(
        self, work: Callable[[Connection], Awaitable[T]], begin: Callable[[], None] | None, *, is_single: bool
    ) -> T:
        pool = await self.pool()
        async with pool.connection() as connection:
            if begin:
                await connection.execute("SELECT 1")  # fails if the server has ended this connection meanwhile
                begin()
            if is_single:
                return await work(connection)
            async with connection.transaction():
                return await work(connection)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # mark it as retrieved: whoever started it may have stopped waiting


class HasDatabase(Protocol):
    """Whatever has methods that are transactions."""

    @property
    def database(self) -> Database:
        """Where they are run."""


def transaction(
    method: Callable[Concatenate[S, Connection, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a method that takes a connection into one that opens a transaction, and tries again if it is lost."""

    @functools.wraps(method)
    async def wrapper(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.run(lambda connection: method(self, connection, *args, **kwargs))

    return wrapper


def statement(
    method: Callable[Concatenate[S, Connection, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Like `transaction`, for a method of one statement, or of some that need not be together: a third of the cost."""

    @functools.wraps(method)
    async def wrapper(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.run(lambda connection: method(self, connection, *args, **kwargs), is_single=True)

    return wrapper


async def _configure(idle_seconds: float, connection: Connection) -> None:
    """
    Set up a connection.

    Commits wait for the disk, although the database may be set up not to: a job is accepted with its commit.
    """
    await connection.set_autocommit(True)
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    await connection.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", (f"{1_000 * idle_seconds:.0f}ms",)
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
