"""
Answers by domain and module: kept for a module's time to live, and one call shared by all who wait for the same.
"""

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, Final, NamedTuple

from enrichment.clock import Clock
from enrichment.modules.module import Finding, Module

DAY: Final = 86_400  # seconds
FRESH_DAYS: Final = 7


class Freshness(StrEnum):
    """How much of its time to live an answer has left; from best to worst."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"
    MISSING = "missing"


class Cached(NamedTuple):
    """What the cache holds for one module, expired or not."""

    finding: Finding | None
    seconds_left: int
    freshness: Freshness


class Cache:
    """
    The newest answer for each domain and module; the least recently used one makes room for a new one.

    A derived answer counts only for the very findings it was derived from: with newer ones it is worked out again,
    which costs nothing.
    """

    def __init__(self, *, max_results: int, clock: Clock) -> None:
        self._max_results = max_results
        self._clock = clock
        self._findings: OrderedDict[tuple[str, str], Finding] = OrderedDict()

    def get(self, domain: str, module: Module, based_on: tuple[tuple[str, float], ...] = ()) -> Finding | None:
        """The answer, unless it has expired or was derived from other findings."""
        finding = self.get_any(domain, module)
        return finding if finding and finding.based_on == based_on else None

    def get_any(self, domain: str, module: Module) -> Finding | None:
        """The answer, unless it has expired, whatever it was derived from."""
        finding = self._findings.get((domain, module.id))
        if finding is None or self._seconds_left(finding, module) <= 0:
            return None
        self._findings.move_to_end((domain, module.id))
        return finding

    def put(self, domain: str, module: Module, finding: Finding) -> None:
        """Keep an answer. Failures are no answers and never come here."""
        self._findings[domain, module.id] = finding
        self._findings.move_to_end((domain, module.id))
        if len(self._findings) > self._max_results:
            self._findings.popitem(last=False)

    def look(self, domain: str, module: Module) -> Cached:
        """How fresh the answer is. Looking does not count as using."""
        finding = self._findings.get((domain, module.id))
        if finding is None:
            return Cached(None, 0, Freshness.MISSING)
        seconds_left = self._seconds_left(finding, module)
        if seconds_left <= 0:
            return Cached(finding, 0, Freshness.EXPIRED)
        fresh_above = min(FRESH_DAYS * DAY, module.ttl_days * DAY / 3)
        return Cached(finding, int(seconds_left), Freshness.FRESH if seconds_left > fresh_above else Freshness.STALE)

    def _seconds_left(self, finding: Finding, module: Module) -> float:
        return finding.fetched_at + module.ttl_days * DAY - self._clock.now()


class _Call:
    """A call under way, and how many wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[Finding]) -> None:
        self.task = task
        self.waiting = 0


class SharedCalls:
    """
    One call under way per key, however many want it.

    The call is a task of its own, so that one who stops waiting does not take it from the others; when nobody waits any
    more it is cancelled, and nothing more is spent on it.
    """

    def __init__(self) -> None:
        self._calls: dict[object, _Call] = {}

    async def share(self, key: object, call: Callable[[], Coroutine[Any, Any, Finding]]) -> Finding:
        """The result of the call under way for `key`, else of `call`, which is then the one under way."""
        shared = self._calls.get(key)
        if shared is None:
            shared = self._calls[key] = _Call(asyncio.create_task(call()))
            shared.task.add_done_callback(functools.partial(self._forget, key, shared))
        shared.waiting += 1
        try:
            await asyncio.wait([shared.task])
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                shared.task.cancel()
                self._forget(key, shared)
        return shared.task.result()

    def _forget(self, key: object, ended: _Call, _: object = None) -> None:
        """Let the next one who wants it start anew; by then another call may be under way, which stays."""
        if self._calls.get(key) is ended:
            del self._calls[key]
        if ended.task.done() and not ended.task.cancelled():
            ended.task.exception()  # seen, even if nobody waits for it any more
