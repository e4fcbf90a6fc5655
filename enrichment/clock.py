"""
The time. Everything that reads it or waits for it is handed a `Clock`, so that a test can move the hands.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import overload


class Clock:
    """Real time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. In whole milliseconds: a job keeps fifty times, and finer ones are longer."""
        return time.time_ns() // 1_000_000 / 1_000

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait for that many seconds, letting others run. No coroutine of its own: a waiting job holds one less."""
        return asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that may take that many seconds, and then is left with `TimeoutError`."""
        return asyncio.timeout(seconds)


@functools.lru_cache(maxsize=4_096)
def format_utc(second: int, pattern: str) -> str:
    """That second since the epoch as UTC. Much happens in the same one, and writing it is dear: 2 µs."""
    return datetime.fromtimestamp(second, UTC).strftime(pattern)


@overload
def isoformat_utc(moment: float) -> str: ...
@overload
def isoformat_utc(moment: float | None) -> str | None: ...
def isoformat_utc(moment: float | None) -> str | None:
    """Seconds since the epoch as UTC, ISO 8601, in whole seconds."""
    return None if moment is None else format_utc(int(moment), "%Y-%m-%dT%H:%M:%SZ")
