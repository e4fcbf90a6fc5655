"""
The time. Whatever reads it or waits for it is given a `Clock`, so that a test can set it.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import overload


class Clock:
    """The system's time."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC, in whole milliseconds: a job keeps some fifty times as short digits."""
        return time.time_ns() // 1_000_000 / 1_000

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait for that many seconds. Not a coroutine function, as each waiting job would hold one more coroutine."""
        return asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context manager that raises `TimeoutError` after that many seconds."""
        return asyncio.timeout(seconds)


@functools.lru_cache(maxsize=4_096)  # many things happen in the same second, and formatting takes 2 µs
def format_utc(second: int, pattern: str) -> str:
    """Format a whole second since the epoch as UTC; `pattern` is that of `strftime`."""
    return datetime.fromtimestamp(second, UTC).strftime(pattern)


@overload
def isoformat_utc(moment: float) -> str: ...
@overload
def isoformat_utc(moment: float | None) -> str | None: ...
def isoformat_utc(moment: float | None) -> str | None:
    """Seconds since the epoch as UTC, ISO 8601, in whole seconds."""
    return None if moment is None else format_utc(int(moment), "%Y-%m-%dT%H:%M:%SZ")
