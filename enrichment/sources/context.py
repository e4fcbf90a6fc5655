"""
The context of calls to outside services: how urgent they are, and how much time is left for them.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final

from enrichment.clock import Clock
from enrichment.errors import SourceFailed

SHORTEST_SLEEP_SECONDS: Final = 0.1
"While calls are in a queue, the time left stands still: it is looked at again after so long, or as long as is left."


class CallContext:
    """
    What the calls of one module have in common.

    `order` is their place among all calls that wait for the same service: the lowest is sent first. Time in that queue
    does not count towards the limits, or a batch of jobs would fail on a service that allows one request a second.
    """

    def __init__(self, *, clock: Clock, order: float = 0.0) -> None:
        self.order = order
        self._clock = clock
        self._ends: list[float] = []  # in seconds of `_counted`, one per limit that is in force
        self._waited = 0.0
        self._waiting_since: float | None = None
        self._waiters = 0

    def time_left(self) -> float:
        """Return the seconds until the first limit, infinity without any."""
        return min(self._ends, default=math.inf) - self._counted()

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        """Leave the block with `TimeoutError` after that many seconds, not counting those in queues. May be nested."""
        end = self._counted() + seconds
        self._ends.append(end)
        watch = asyncio.create_task(self._wait_until(end))
        try:
            async with asyncio.timeout(None) as timeout:
                watch.add_done_callback(lambda task: None if task.cancelled() else timeout.reschedule(-1))
                try:
                    yield
                finally:
                    watch.cancel()
        finally:
            self._ends.remove(end)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark the block as time in a queue. Several calls of a module may wait at once."""
        if self._waiters == 0:
            self._waiting_since = self._clock.now()
        self._waiters += 1
        try:
            yield
        finally:
            self._waiters -= 1
            if self._waiters == 0:
                self._waited = self._clock.now() - self._counted()
                self._waiting_since = None

    def _counted(self) -> float:
        """The time without that in queues, from an arbitrary beginning."""
        return (self._clock.now() if self._waiting_since is None else self._waiting_since) - self._waited

    async def _wait_until(self, end: float) -> None:
        while (left := end - self._counted()) > 0:
            await self._clock.sleep(max(left, SHORTEST_SLEEP_SECONDS))


CONTEXT: Final[ContextVar[CallContext | None]] = ContextVar("call_context", default=None)
"The context of the calls of the running task. Without any, calls have no limit but their own, and are sent first."


@asynccontextmanager
async def time_limit(seconds: float, clock: Clock | None = None) -> AsyncIterator[None]:
    """
    Leave the block with `SourceFailed` after that many seconds, not counting those in queues.

    Without a context, the block has one of its own, of `clock`; without that too, it has no limit.
    """
    context = CONTEXT.get() or (CallContext(clock=clock) if clock else None)
    if context is None:
        yield
        return
    token = CONTEXT.set(context)
    try:
        async with context.limit(seconds):
            yield
    except TimeoutError:
        raise SourceFailed(f"No answer within {seconds:g} seconds.") from None
    finally:
        CONTEXT.reset(token)
