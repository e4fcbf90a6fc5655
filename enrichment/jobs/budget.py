"""
How much time jobs may take of each turn of the event loop.
"""

import asyncio

from enrichment.clock import Clock


class LoopBudget:
    """
    Spreads the work of jobs over the turns of the event loop: `seconds` in each, and at least one piece of work.

    Without it, a hundred jobs whose sources answer at the same moment do all their work in one turn, and a request that
    arrives in that turn waits for all of them.
    """

    def __init__(self, *, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._turn_began: float | None = None  # when the first work of this turn was let through

    async def checkpoint(self) -> None:
        """Wait until there is time for a piece of work."""
        while self._turn_began is not None and self._clock.now() - self._turn_began >= self._seconds:  # noqa: ASYNC110 - it waits for a turn, not for an event
            await asyncio.sleep(0)
        if self._turn_began is None:
            self._turn_began = self._clock.now()
            asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._turn_began = None
