"""
The time. Everything that reads it or waits for it is handed a `Clock`, so that a test can move the hands.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager


class Clock:
    """Real time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds, letting others run."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that may take that many seconds, and then is left with `TimeoutError`."""
        return asyncio.timeout(seconds)
