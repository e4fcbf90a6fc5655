"""
Sources that do all that a source can do wrong.
"""

import asyncio
import sys
from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

from enrichment.clock import Clock
from enrichment.errors import InsufficientInput, SourceFailed
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.local import based_on
from enrichment.sources.simulated.source import COMPANY
from schemas import CompanyData
from tests.engine import Fact

NAMES: Final = ("apollo", "similarweb", "yahoo", "websearch", "simulated", "local")
"With these, chains have one to four sources."

LONGEST_STOP: Final = 40.0
"For how many seconds at most a source goes on after it was cancelled."
TIMER_RESOLUTION: Final = 1e-6  # a loop calls timers a little early, and a clock that jumps may then stand still

# fmt: off
BEHAVIOURS: Final[dict[str, int]] = {  # by how often
    "answer": 30, "answer later": 40, "answer late": 5, "fail": 20, "lack input": 3, "raise": 4, "hang": 6,
    "exit": 2, "panic": 2, "raise a group": 2, "raise CancelledError": 3, "await a cancelled task": 3,
    "refuse to stop, then answer": 4, "refuse to stop, then fail": 4, "refuse to stop, then raise": 2,
    "fail when stopped": 4, "cancel itself": 2,
}
# fmt: on
OF_LOOKUPS: Final = {kind: weight for kind, weight in BEHAVIOURS.items() if kind != "cancel itself"}
"A lookup that its source cancels cannot be told from one that the host cancels, as both cancel the job's task."


class Panic(BaseException):
    """No `Exception`, as the panics of extensions in Rust are none."""


class Misbehaving:
    """What all sources of a schedule share: what is drawn, and who is called before each call."""

    def __init__(self, rng: Random, clock: Clock, note: Callable[[str], None]) -> None:
        self.rng = rng
        self.clock = clock
        self.note = note
        self.answers = 0

    async def behave(self, kinds: dict[str, int]) -> None:
        """Do what a source does before it answers, or raise what it raises."""
        (kind,) = self.rng.choices(tuple(kinds), tuple(kinds.values()))
        self.note(f"behaviour: {kind}")
        if kind == "answer":
            return
        try:
            await self._wait(kind)
        except asyncio.CancelledError:
            if kind.startswith("refuse"):
                await self._refuse_to_stop()
            elif kind == "fail when stopped":
                raise SourceFailed("stopped") from None
            else:
                raise
        await _end(kind)

    async def _wait(self, kind: str) -> None:
        if kind == "hang":
            await asyncio.get_running_loop().create_future()
        elif kind != "answer late" and self.rng.random() < 0.3:
            for _ in range(self.rng.randrange(6)):
                await asyncio.sleep(0)
        else:  # whole seconds, so that much happens at the same moment
            await asyncio.sleep(self.rng.randrange(40 if kind == "answer late" else 5))

    async def _refuse_to_stop(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.rng.uniform(0, LONGEST_STOP)
        while end - loop.time() > TIMER_RESOLUTION:
            try:
                await asyncio.sleep(end - loop.time())
            except asyncio.CancelledError:
                continue


async def _end(kind: str) -> None:
    match kind:
        case "fail" | "refuse to stop, then fail":
            raise SourceFailed("down")
        case "lack input":
            raise InsufficientInput("too little")
        case "raise" | "refuse to stop, then raise":
            raise ValueError("bug")
        case "exit":
            sys.exit("bye")
        case "panic":
            raise Panic
        case "raise a group":
            raise BaseExceptionGroup("several", [asyncio.CancelledError()])
        case "raise CancelledError":
            raise asyncio.CancelledError
        case "await a cancelled task":
            inner = asyncio.create_task(asyncio.sleep(1))
            inner.cancel()
            await inner
        case "cancel itself":
            cast("asyncio.Task[Any]", asyncio.current_task()).cancel()
            await asyncio.sleep(0)


class MisbehavingSource:
    """One of the modules' sources; `begins` is called first."""

    def __init__(self, name: str, shared: Misbehaving, begins: Callable[[str, Module, Subject], None]) -> None:
        self._name = name
        self._shared = shared
        self._begins = begins

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """See `enrichment.sources.Source`."""
        self._begins(self._name, module, subject)
        await self._shared.behave(BEHAVIOURS)
        self._shared.answers += 1
        return Finding.of(
            Fact(call=self._shared.answers),
            source=self._name,
            fetched_at=self._shared.clock.now(),
            based_on=based_on(subject),
        )


class MisbehavingCompanies:
    """The lookups' source; `begins` is called first."""

    name = "simulation"
    expected_seconds = 15.0

    def __init__(self, shared: Misbehaving, begins: Callable[[str], None]) -> None:
        self._shared = shared
        self._begins = begins

    async def look_up(self, domain: str) -> CompanyData:
        """See `enrichment.sources.CompanySource`."""
        self._begins(domain)
        await self._shared.behave(OF_LOOKUPS)
        return COMPANY
