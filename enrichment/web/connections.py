"""
The open connections of a server process: how many there may be, and how long they may wait for their clients.
"""

import asyncio
import contextlib
import errno
import resource
import socket
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, Self

from enrichment.logs import Log
from enrichment.settings import Settings
from enrichment.web.problems import ProblemError

log = Log(__name__)

OTHER_DESCRIPTORS: Final = 64
"File descriptors left to everything but connections: listening sockets, log files, the event loop, lookups."

TURNS_TO_CLOSE: Final = 3
"asyncio accepts up to `--backlog` connections a turn, and one that is over the capacity is closed two turns later."

LISTEN_QUEUE: Final = 4_096
"Connections that the kernel keeps until they are accepted, if `net.core.somaxconn` allows as many."

MAX_BLOCKED_BYTES: Final = 8_388_608
"Memory of all connections that wait for their clients to read."

BLOCKED_BYTES: Final = 32_768
"Memory of one of them, besides what it has to send: its request, and the next event of a stream."

SWEEP_SECONDS: Final = 1.0
"How often times are checked, and what has been closed is logged."

CROWDED_TIMEOUTS: Final = 3
"""
Once a connection has been evicted, idle ones are kept no longer than others, until at most half of the capacity has
been in use for so many times `CLIENT_TIMEOUT_SECONDS`.
"""

LOOK_SECONDS: Final = 0.05
"How often a server with the most requests under way looks for those that only wait. 2,000 connections take 1 ms."

OUT_OF_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Phase(Enum):
    """What a connection is doing. In all phases but `BUSY` it waits for its client."""

    HEAD = "head"  # for a request to begin, on a new connection, or for its head to be complete
    BODY = "body"  # for a request's body to be complete
    IDLE = "idle"  # for the next request
    BLOCKED = "blocked"  # for what has been sent to be read
    BUSY = "busy"


class State(NamedTuple):
    """What a connection is doing, in so much detail that every progress of its client changes it."""

    phase: Phase
    requests: int
    unsent: int
    "Bytes of answers that wait in the process."


class Connection(Protocol):
    """What the table needs of a connection."""

    seen: State
    "Its state when the table last looked."
    since: float
    "The event loop's time when the table first saw that state."

    def state(self) -> State:
        """Return its present state."""

    def end(self, problem: ProblemError | None) -> None:
        """Close the connection at once; with this answer if a request has begun, and no answer yet."""


class ConnectionTable:
    """
    All open connections of one server.

    Over the capacity, the connection that has waited longest for its client is closed, so that a new one is always
    accepted: at the limit of descriptors, the process would accept none. A connection whose request is being worked on
    is never closed; new requests are refused before such connections take up the capacity.
    """

    def __init__(self, settings: Settings, *, backlog: int, keep_alive: float) -> None:
        self._timeout = settings.client_timeout_seconds
        self._keep_alive = keep_alive
        self._loop = asyncio.get_running_loop()
        limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit, self._capacity = plan_descriptors(limit, hard, settings.max_connections, backlog)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        lengthen_listen_queues()
        # The rest of the capacity is for new connections, until their requests have been read.
        self.max_busy = max(self._capacity // 2, self._capacity - TURNS_TO_CLOSE * backlog)
        self._open: dict[Connection, None] = {}
        self._waiting: list[Connection] = []  # when last looked, the one that had waited longest at the end
        self._blocked_bytes = 0
        self._may_start = 0
        self._looked_at = 0.0
        self._crowded_until = 0.0
        self._counts: Counter[str] = Counter()
        self._logged_at = 0.0
        self._default_handler = self._loop.get_exception_handler()
        self._loop.set_exception_handler(self._on_loop_error)
        self._sweep()

    @classmethod
    def of(cls, server_state: object, *, backlog: int, keep_alive: float) -> Self:
        """Return the table of a server, kept on the object that uvicorn shares among the server's connections."""
        shared = vars(server_state)
        if "connection_table" not in shared:
            shared["connection_table"] = cls(Settings.from_env(), backlog=backlog, keep_alive=keep_alive)
        table: Self = shared["connection_table"]
        return table

    def add(self, connection: Connection) -> None:
        """Add a new connection; over the capacity, close the one that has waited longest, even if it is this one."""
        connection.since = self._loop.time()
        self._open[connection] = None
        if len(self._open) > self._capacity:
            self._evict()

    def remove(self, connection: Connection) -> None:
        """Forget a connection. Idempotent."""
        self._open.pop(connection, None)

    def count(self, event: str) -> None:
        """Count an event for the next log line."""
        self._counts[event] += 1

    def has_room(self) -> bool:
        """
        Return whether one more request may be worked on, and count it.

        For a server with `max_busy` requests under way: those that only wait for their clients are left out here.
        """
        if self._may_start <= 0 and self._looked_at + LOOK_SECONDS <= self._loop.time():
            self._look()
        self._may_start -= 1
        return self._may_start >= 0

    def block(self, unsent: int) -> None:
        """Count a connection that waits to be read; over the limit of memory, close those that have waited longest."""
        self._blocked_bytes += BLOCKED_BYTES + unsent
        if self._blocked_bytes > MAX_BLOCKED_BYTES:
            for connection in self._look():
                if connection.seen.phase is Phase.BLOCKED and self._blocked_bytes > MAX_BLOCKED_BYTES * 3 // 4:
                    self._blocked_bytes -= BLOCKED_BYTES + connection.seen.unsent
                    self._close(connection, "not_reading", None)

    def _look(self) -> list[Connection]:
        """Look at all connections, and return those that wait, the one that has waited longest first."""
        self._looked_at = self._loop.time()
        for connection in self._open:
            self._update(connection)
        waiting = [each for each in self._open if each.seen.phase is not Phase.BUSY]
        waiting.sort(key=lambda each: each.since)
        self._waiting = waiting[::-1]
        blocked = [each.seen.unsent for each in waiting if each.seen.phase is Phase.BLOCKED]
        self._blocked_bytes = sum(blocked) + len(blocked) * BLOCKED_BYTES
        self._may_start = self.max_busy - (len(self._open) - len(waiting))
        return waiting

    def _update(self, connection: Connection) -> bool:
        """Look at the connection, and return whether it has changed."""
        state = connection.state()
        if state == connection.seen:
            return False
        connection.seen = state
        connection.since = self._loop.time()
        return True

    def _evict(self) -> None:
        self._crowded_until = self._loop.time() + CROWDED_TIMEOUTS * self._timeout
        if not self._evict_next():
            self._look()
            self._evict_next()

    def _evict_next(self) -> bool:
        while self._waiting:
            connection = self._waiting.pop()
            if connection in self._open and not self._update(connection):
                self._close(connection, "evicted", too_many_connections())
                return True
        return False

    def _close(self, connection: Connection, event: str, problem: ProblemError | None) -> None:
        self.count(event)
        self.remove(connection)
        connection.end(problem)

    def _sweep(self) -> None:
        """Close the connections whose client has taken too long, and log the counts."""
        now = self._loop.time()
        is_crowded = now < self._crowded_until
        if is_crowded and len(self._open) > self._capacity // 2:
            self._crowded_until = now + CROWDED_TIMEOUTS * self._timeout
        for connection in self._look():
            waited = now - connection.since
            phase, _, unsent = connection.seen
            if waited < self._timeout:
                break
            if phase in (Phase.HEAD, Phase.BODY):
                self._close(connection, f"slow_{phase.value}", request_timeout(phase))
            elif unsent:
                self._close(connection, "not_reading", None)
            elif is_crowded or waited >= self._keep_alive:
                self._close(connection, "idle", None)
        if self._counts and self._logged_at + SWEEP_SECONDS <= now:
            self._logged_at = now
            write = log.warning if is_crowded else log.info
            write("connections closed", **self._counts, open=len(self._open), capacity=self._capacity)
            self._counts.clear()
        self._loop.call_later(min(SWEEP_SECONDS, self._timeout / 10), self._sweep)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """
        Count the errors of accepting without descriptors, each of which asyncio logs with a traceback.

        They come by the hundred (https://github.com/python/cpython/issues/151615).
        """
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in OUT_OF_DESCRIPTORS and "accept" in context["message"]:
            self.count("not_accepted")
        elif self._default_handler:
            self._default_handler(loop, context)
        else:
            loop.default_exception_handler(context)


def plan_descriptors(limit: int, hard: int, max_connections: int, backlog: int) -> tuple[int, int]:
    """
    Return the limit of file descriptors to set, and how many connections fit below it.

    The soft limit is raised as far as `max_connections` need it. Its default is low only for programs that use `select`
    (https://0pointer.net/blog/file-descriptor-limits.html).
    """
    reserve = TURNS_TO_CLOSE * backlog + OTHER_DESCRIPTORS
    wanted = max_connections + reserve
    if limit != resource.RLIM_INFINITY and limit < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        return limit, min(max_connections, max(limit - reserve, limit // 2))
    return limit, max_connections


def lengthen_listen_queues() -> None:
    """
    Let the kernel keep more new connections than asyncio accepts in a turn; both numbers are `--backlog`.

    A connection that does not fit into the queue is tried again by its client after a second.
    """
    for path in list(Path("/proc/self/fd").glob("*")):
        with contextlib.suppress(OSError):  # of what is no socket
            listener = socket.socket(fileno=int(path.name))
            try:
                if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    listener.listen(LISTEN_QUEUE)
            finally:
                listener.detach()


def too_many_connections() -> ProblemError:
    """Return the answer to a request for which there is no connection left."""
    detail = "The service has too many open connections. Retry after a moment."
    return ProblemError(503, "too_many_connections", detail, headers={"retry-after": "1"})


def request_timeout(phase: Phase) -> ProblemError:
    """Return the answer to a request that was not sent in time."""
    return ProblemError(408, "request_timeout", f"The {phase.value} of the request did not arrive in time.")
