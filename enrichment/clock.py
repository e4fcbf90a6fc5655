"""
The time. Everything that reads it or waits for it is handed a `Clock`, so that a test can move the hands.
"""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager


class Clock:
    """Real time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait for that many seconds, letting others run. No coroutine of its own: a waiting job holds one less."""
        return asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that may take that many seconds, and then is left with `TimeoutError`."""
        return asyncio.timeout(seconds)
