"""
Answers of outside services that several modules, or several jobs, need within a short time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from enrichment.clock import Clock
from enrichment.errors import UnknownCompany
from enrichment.sources.context import CONTEXT

T = TypeVar("T")


class LookupCache(Generic[T]):
    """
    Keeps values by key for `seconds`, at most `max_entries` of them. That a company is unknown is kept as well.
    """

    def __init__(self, clock: Clock, *, seconds: float, max_entries: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[float, T | UnknownCompany]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: str, look_up: Callable[[], Awaitable[T]]) -> T:
        """
        Return the value of a key, looked up if it is not there.

        Only one caller at a time looks it up. The others wait, which does not count towards their time limits; if it
        fails or is cancelled, the next of them tries.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        context = CONTEXT.get()
        with context.waiting() if context else nullcontext():
            await lock.acquire()
        try:
            expires_at, value = self._entries.get(key, (0.0, None))
            if value is None or expires_at <= self._clock.now():
                try:
                    value = await look_up()
                except UnknownCompany as error:
                    value = error
                self._entries.pop(key, None)
                self._entries[key] = (self._clock.now() + self._seconds, value)
                if len(self._entries) > self._max_entries:
                    self._entries.popitem(last=False)
        finally:
            lock.release()
        if isinstance(value, UnknownCompany):
            raise value.with_traceback(None)
        return value
