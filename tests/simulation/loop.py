"""
An event loop and a clock whose time does not pass but jumps, the same way in every run.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any

from enrichment.clock import Clock


class Stuck(Exception):
    """All tasks wait, and nothing can wake them."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps to the time of its next timer instead of waiting for it."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_JumpingSelector(self))
        self._tasks_made = 0
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]  # typeshed knows no task of a given type
        self.errors: list[str] = []
        self.set_exception_handler(lambda _, context: self.errors.append(f"{context}"))

    def time(self) -> float:
        return self.now

    @property
    def timers(self) -> list[asyncio.TimerHandle]:
        """Those that have neither been called nor cancelled."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # it has no public name
        return [timer for timer in scheduled if not timer.cancelled()]

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> "_NumberedTask":
        self._tasks_made += 1
        task = _NumberedTask.__new__(_NumberedTask)
        task.number = self._tasks_made
        task.__init__(coro, loop=loop, **options)  # type: ignore[misc]  # needs the hash
        return task


class _JumpingSelector(selectors.SelectSelector):
    """A selector that finds no events, and takes time on the loop's clock only."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck
        if timeout > 0:  # the sum may be the same number as before, which would be an endless loop
            self._loop.now = max(self._loop.now + timeout, math.nextafter(self._loop.now, math.inf))
        return []


class _NumberedTask(asyncio.Task[Any]):
    """A task whose hash is its number: the order of a set of tasks would else depend on their addresses."""

    number: int

    def __hash__(self) -> int:
        return self.number


class SimulatedClock(Clock):
    """The time of a simulated loop; sleeping and time-outs are those of asyncio."""

    def now(self) -> float:
        return round(1_772_102_100 + asyncio.get_running_loop().time(), 3)
