"""
An engine without HTTP, whose modules are answered as a test wants.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from enrichment.engine import Engine
from enrichment.jobs.dispatcher import MemoryDispatcher
from enrichment.jobs.model import NO_TERMS, Enrichment, JobOptions, Terms
from enrichment.jobs.protocols import Dispatcher
from enrichment.jobs.runner import Runner
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.modules.table import plan
from enrichment.settings import Settings
from enrichment.sources import CompanySource, Source
from enrichment.sources.local import based_on
from schemas import Priority, SourceCitation
from tests.conftest import FakeClock


class Fact(Answer, frozen=True, kw_only=True):
    """An answer that says which call it came from."""

    call: int


class Scripted:
    """
    A source that takes a second, then answers, or raises what `raises` has for the module.

    `is_wanted` is asked whether the call that begins has an unfinished job that waits for it; else it is in `unwanted`.
    """

    def __init__(self, clock: FakeClock, is_wanted: Callable[[], bool] = lambda: True) -> None:
        self.clock = clock
        self.is_wanted = is_wanted
        self.unwanted: list[tuple[str, str]] = []
        self.seconds = 1.0
        self.raises: dict[str, BaseException] = {}
        self.calls: list[tuple[str, str]] = []
        self.running: Counter[tuple[str, str]] = Counter()
        self.answered: Counter[tuple[str, str]] = Counter()
        self.stopped: list[tuple[str, str]] = []
        self.subjects: dict[str, Subject] = {}

    async def ask(self, module: Module, subject: Subject) -> Finding:
        key = (subject.domain, module.id)
        self.calls.append(key)
        if not self.is_wanted():
            self.unwanted.append(key)
        self.subjects[module.id] = subject
        self.running[key] += 1
        try:
            await self.clock.sleep(self.seconds)
        except asyncio.CancelledError:
            self.stopped.append(key)
            raise
        finally:
            self.running[key] -= 1
        if error := self.raises.get(module.id):
            raise error
        self.answered[key] += 1
        return Finding.of(
            Fact(call=len(self.calls)),
            source="scripted",
            fetched_at=self.clock.now(),
            citations=(SourceCitation(url="https://a.test", title="A", source="scripted", simulated=False),),
            based_on=based_on(subject),
        )


class ScriptedEngine(Engine):
    """An engine whose modules are answered by `scripted`, unless `sources` are given; also by a `paid` one."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        source: CompanySource | None = None,
        sources: Mapping[str, Source] | None = None,
        works: bool = False,
        paid: str = "",
        **settings: Any,
    ) -> None:
        self.scripted = Scripted(clock, self._is_call_wanted)
        if sources is None:
            sources = dict.fromkeys(("simulated", "local", paid) if paid else ("simulated", "local"), self.scripted)
        super().__init__(Settings(**settings), source=source, sources=sources, clock=clock, works=works)

    @property
    def dispatcher(self) -> Dispatcher:
        """What runs the jobs."""
        return self._dispatcher

    @property
    def memory_dispatcher(self) -> MemoryDispatcher:
        """What runs the jobs in memory."""
        assert isinstance(self._dispatcher, MemoryDispatcher)
        return self._dispatcher

    @property
    def runner(self) -> Runner:
        """What brings a job to its end."""
        return self.memory_dispatcher._runner

    async def submit(
        self,
        domain: str = "a.com",
        modules: tuple[str, ...] | None = None,
        *,
        force: bool = False,
        priority: Priority = "normal",
        terms: Terms = NO_TERMS,
    ) -> Enrichment:
        """An enrichment that has been accepted, but not dispatched."""
        return await self.jobs.submit(domain, options(modules, force=force, priority=priority, terms=terms))

    async def start(
        self,
        domain: str = "a.com",
        modules: tuple[str, ...] | None = None,
        *,
        force: bool = False,
        priority: Priority = "normal",
        terms: Terms = NO_TERMS,
    ) -> Enrichment:
        """An enrichment that has been accepted and dispatched."""
        job = await self.submit(domain, modules, force=force, priority=priority, terms=terms)
        await self.jobs.dispatch([job])
        return job

    async def now(self, job: Enrichment) -> Enrichment:
        """The job as it stands."""
        return await self.store.enrichment(job.id)

    async def states(self, job: Enrichment) -> dict[str, str]:
        """The states of its modules."""
        return {step.module_id: step.state.value for step in (await self.now(job)).steps}

    async def fact(self, job: Enrichment, module_id: str) -> Fact:
        """What a module returned."""
        finding = (await self.now(job)).step(module_id).finding
        assert finding
        return finding.read(Fact)

    def _is_call_wanted(self) -> bool:
        """Whether an unfinished job waits for the call that is the current task. In a database, that is not known."""
        if not isinstance(self._dispatcher, MemoryDispatcher):
            return True
        task = asyncio.current_task()
        calls = self.memory_dispatcher._resolver._calls._calls.values()
        askers = {asker for call in calls if call.task is task for asker in call.askers}
        return any(map(self.memory_dispatcher._store.is_unfinished, askers))

    def leftovers(self) -> dict[str, object]:
        """What the parts that run jobs hold, but for stale entries of the heap; empty when no job is unfinished."""
        dispatcher = self.memory_dispatcher
        parts = (dispatcher, dispatcher._scheduler, dispatcher._resolver._calls)
        return {name: held for part in parts for name, held in leftovers(part).items() if name != "_heap"}


def options(
    modules: tuple[str, ...] | None = None,
    *,
    force: bool = False,
    priority: Priority = "normal",
    terms: Terms = NO_TERMS,
) -> JobOptions:
    """The options of an enrichment, of all modules if none are named."""
    return JobOptions(modules=plan(modules, None), priority=priority, force=force, request_id="r-1", terms=terms)


def leftovers(owner: object) -> dict[str, object]:
    """Those of an object's collections that hold anything, by the names of its attributes."""
    return {name: value for name, value in vars(owner).items() if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    """Whether it is no collection, an empty one, or a mapping to empty ones only."""
    if isinstance(value, Mapping):
        return all(isinstance(each, Collection) and _is_empty(each) for each in value.values())
    return not isinstance(value, Collection) or not value
