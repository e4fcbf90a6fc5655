"""
What was read from websites, kept for the modules of the same job.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from enrichment.clock import Clock
from enrichment.errors import SourceFailed, UnknownCompany
from enrichment.sources.context import CONTEXT
from enrichment.sources.failures import AddressRefused, Blocked, HostNotFound, ParseError

T = TypeVar("T")

SECONDS: Final = 600.0
"As long as a job may run."
MAX_BYTES: Final = 32 * 1024 * 1024
ENTRY_BYTES: Final = 500
"About what an entry takes beside its value."
LASTING: Final = (UnknownCompany, AddressRefused, Blocked, HostNotFound, ParseError)
"Failures that another attempt would not change. They are kept as well."


class Failure(NamedTuple):
    """A failure that is kept. The exception itself would keep all that its traceback refers to."""

    kind: type[SourceFailed]
    message: str


class PageCache:
    """Keeps values by key for ten minutes. When they are too large together, the oldest are dropped."""

    def __init__(self, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[str, tuple[float, int, Any]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: str, make: Callable[[], Awaitable[T]], size_of: Callable[[T], int] = lambda _: 0) -> T:
        """
        Return the value of a key, made if there is none; raise the failure that was raised when it was made.

        Only one caller at a time makes it. The others wait, which does not count towards their time limits; if it is
        cancelled or runs out of time, the next of them tries.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        context = CONTEXT.get()
        with context.waiting() if context else nullcontext():
            await lock.acquire()
        try:
            expires_at, _, value = self._entries.get(key, (0.0, 0, None))
            if expires_at <= self._clock.now():
                try:
                    value = await make()
                    size = size_of(value)
                except LASTING as error:
                    value, size = Failure(type(error), str(error)), 0
                self._put(key, value, size + ENTRY_BYTES)
        finally:
            lock.release()
        if isinstance(value, Failure):
            raise value.kind(value.message)
        kept: T = value
        return kept

    def _put(self, key: str, value: object, size: int) -> None:
        self._bytes += size - self._entries.pop(key, (0.0, 0, None))[1]
        self._entries[key] = (self._clock.now() + SECONDS, size, value)
        while self._bytes > self._max_bytes:
            _, (_, dropped, _) = self._entries.popitem(last=False)
            self._bytes -= dropped
