"""
An event log: events are published one by one, and every subscriber receives all of them.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

E = TypeVar("E")


class EventLog(Generic[E]):
    """
    An append-only list of events, for one event loop.

    A subscriber receives the whole log, however late it subscribes, and ends with the final event.
    """

    def __init__(self) -> None:
        self.events: list[E] = []
        self.is_closed = False
        self._published = asyncio.Event()

    def publish(self, event: E, *, final: bool = False) -> None:
        """Append an event, and close the log if it is the final one. A closed log ignores further events."""
        if self.is_closed:
            return
        self.events.append(event)
        self.is_closed = final
        self._published.set()
        self._published = asyncio.Event()

    async def subscribe(self) -> AsyncIterator[E]:
        """Iterate over all events from the first to the final one, waiting for those that are yet to come."""
        received = 0
        while True:
            while received < len(self.events):
                received += 1
                yield self.events[received - 1]
            if self.is_closed:
                return
            await self._published.wait()
