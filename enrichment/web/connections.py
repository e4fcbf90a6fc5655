"""
The open connections of a server process: how many there may be, which of them wait for their client, and for how long.
"""

import asyncio
import contextlib
import errno
import resource
import socket
from collections import Counter, OrderedDict
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol, Self

from enrichment.logs import Log
from enrichment.settings import Settings
from enrichment.web.problems import ProblemError

log = Log(__name__)

OTHER_DESCRIPTORS: Final = 64
"File descriptors left to everything but connections: listening sockets, log files, the event loop, lookups."

TURNS_TO_CLOSE: Final = 3
"asyncio accepts up to `--backlog` connections a turn, and one that is over the limit is closed two turns later."

MAX_UNSENT_BYTES: Final = 8_388_608
"Bytes of answers that wait in the process for clients to read; over it, the client that has not read longest is closed."

LOG_SECONDS: Final = 1.0
"Closed connections are logged at most once in so many seconds, as counts."

OUT_OF_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Phase(Enum):
    """What a connection is doing. In all phases but `BUSY` it waits for its client."""

    HEAD = "head"  # for the head of a request to begin (on a new connection) or to be complete
    BODY = "body"  # for a request's body to be complete
    IDLE = "idle"  # for the next request
    BLOCKED = "blocked"  # for the client to read what has been sent
    BUSY = "busy"


class Connection(Protocol):
    """What the table needs of a connection."""

    phase: Phase
    since: float
    "The event loop's time when the phase began."
    unsent: int
    "Bytes that were waiting to be sent when it was blocked."

    def count_unsent(self) -> int:
        """Return how many bytes are waiting to be sent now."""

    def end(self, problem: ProblemError | None) -> None:
        """Close the connection at once; with this answer if a request has begun, and no answer yet."""


class ConnectionTable:
    """
    All open connections of one server, in the order in which they began to wait for their clients.

    Over the capacity, the connection that has waited longest is closed, so that a new one is always accepted: a
    descriptor limit reached would stop the process from accepting any. Connections whose request is being worked on are
    never closed; `is_full` keeps their number below the capacity.
    """

    def __init__(self, settings: Settings, *, backlog: int, keep_alive: float) -> None:
        self._timeout = settings.client_timeout_seconds
        self._keep_alive = keep_alive
        self._loop = asyncio.get_running_loop()
        limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit, self.capacity = plan_descriptors(limit, hard, settings.max_connections, backlog)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        self._max_busy = max(self.capacity // 2, self.capacity - TURNS_TO_CLOSE * backlog)
        self._open: set[Connection] = set()
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._unsent = 0
        self._crowded_until = 0.0
        self._counts: Counter[str] = Counter()
        self._logged_at = 0.0
        self._default_handler = self._loop.get_exception_handler()
        self._loop.set_exception_handler(self._on_loop_error)
        lengthen_listen_queues()
        self._sweep()

    @classmethod
    def of(cls, server_state: object, *, backlog: int, keep_alive: float) -> Self:
        """Return the table of a server, kept on the object that uvicorn shares among the server's connections."""
        shared = vars(server_state)
        if "connection_table" not in shared:
            shared["connection_table"] = cls(Settings.from_env(), backlog=backlog, keep_alive=keep_alive)
        table: Self = shared["connection_table"]
        return table

    @property
    def is_full(self) -> bool:
        """Whether so many requests are being worked on that another one has to be refused."""
        return len(self._open) - len(self._waiting) >= self._max_busy

    def add(self, connection: Connection) -> None:
        """Add a new connection; over the capacity, close the one that has waited longest, even if it is this one."""
        self._open.add(connection)
        self.enter(connection, Phase.HEAD)
        if len(self._open) > self.capacity:
            self._crowded_until = self._loop.time() + 2 * self._timeout
            self._close(next(iter(self._waiting)), "evicted", too_many_connections())

    def enter(self, connection: Connection, phase: Phase) -> None:
        """Note that a phase of the connection begins, unless the connection has been closed."""
        if connection not in self._open:
            return
        if connection.phase is Phase.BLOCKED:
            self._unsent -= connection.unsent
        connection.phase = phase
        if phase is Phase.BUSY:
            self._waiting.pop(connection, None)
            return
        connection.since = self._loop.time()
        self._waiting[connection] = None
        self._waiting.move_to_end(connection)
        if phase is Phase.BLOCKED:
            connection.unsent = connection.count_unsent()
            self._unsent += connection.unsent
            if self._unsent > MAX_UNSENT_BYTES:
                self._close(next(each for each in self._waiting if each.phase is Phase.BLOCKED), "not_reading", None)

    def remove(self, connection: Connection) -> None:
        """Forget a closed connection. Idempotent."""
        self.enter(connection, Phase.BUSY)
        self._open.discard(connection)

    def count(self, event: str) -> None:
        """Count an event for the next log line."""
        self._counts[event] += 1

    def _close(self, connection: Connection, event: str, problem: ProblemError | None) -> None:
        self.count(event)
        self.remove(connection)
        connection.end(problem)

    def _sweep(self) -> None:
        """Close the connections whose client has taken too long, and log the counts."""
        now = self._loop.time()
        is_crowded = now < self._crowded_until
        for connection in list(self._waiting):
            if connection.phase is Phase.BLOCKED and connection.count_unsent() < connection.unsent:
                self.enter(connection, Phase.BLOCKED)  # the client reads
            elif connection.since + self._timeout > now:
                pass
            elif connection.phase in (Phase.HEAD, Phase.BODY):
                self._close(connection, f"slow_{connection.phase.value}", request_timeout(connection.phase))
            elif connection.count_unsent():
                self._close(connection, "not_reading", None)
            elif is_crowded or connection.since + self._keep_alive <= now:
                self._close(connection, "idle", None)
        if self._counts and self._logged_at + LOG_SECONDS <= now:
            self._logged_at = now
            write = log.warning if is_crowded else log.info
            write("connections closed", **self._counts, open=len(self._open), capacity=self.capacity)
            self._counts.clear()
        self._loop.call_later(min(LOG_SECONDS, self._timeout / 10), self._sweep)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """
        Count the errors of accepting without descriptors, which asyncio logs with a traceback for each.

        One attempt can be 128 errors (https://github.com/python/cpython/issues/151615).
        """
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in OUT_OF_DESCRIPTORS and "accept" in context["message"]:
            self.count("not_accepted")
        elif self._default_handler:
            self._default_handler(loop, context)
        else:
            loop.default_exception_handler(context)


def lengthen_listen_queues() -> None:
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError), socket.fromfd(int(path.name), socket.AF_INET, socket.SOCK_STREAM) as each:
            if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                each.listen(4096)


def plan_descriptors(limit: int, hard: int, max_connections: int, backlog: int) -> tuple[int, int]:
    """
    Return the limit of file descriptors to set, and how many connections fit below it.

    The soft limit is raised as far as `max_connections` need it; it is low by default for the sake of programs that use
    `select` (https://0pointer.net/blog/file-descriptor-limits.html).
    """
    reserve = TURNS_TO_CLOSE * backlog + OTHER_DESCRIPTORS
    wanted = max_connections + reserve
    if limit != resource.RLIM_INFINITY and limit < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        return limit, min(max_connections, max(limit - reserve, limit // 2))
    return limit, max_connections


def too_many_connections() -> ProblemError:
    """Return the answer to a request for which there is no connection left."""
    detail = "The service has too many open connections. Retry after a moment."
    return ProblemError(503, "too_many_connections", detail, headers={"retry-after": "1"})


def request_timeout(phase: Phase) -> ProblemError:
    """Return the answer to a request that was not sent in time."""
    return ProblemError(408, "request_timeout", f"The {phase.value} of the request did not arrive in time.")
