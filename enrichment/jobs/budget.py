"""
How much of the event loop's time jobs may take from those who ask.
"""

import asyncio

from enrichment.clock import Clock


class Pace:
    """
    Parts the work of jobs among the turns of the event loop: so many seconds in each, or a single piece of work.

    A hundred jobs whose sources answer at the same moment would else do all their work in one turn, and whoever asks
    for `/health` in it waits for all of them.
    """

    def __init__(self, *, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._begun: float | None = None  # when the first work of this turn was let through

    async def wait(self) -> None:
        """Return when some work may be done."""
        while self._begun is not None and self._clock.now() - self._begun >= self._seconds:  # noqa: ASYNC110 - a turn, not an event, is waited for
            await asyncio.sleep(0)
        if self._begun is None:
            self._begun = self._clock.now()
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._begun = None
