"""
An engine without HTTP, whose sources do what a test tells them.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping

from enrichment.jobs.cache import Cache
from enrichment.jobs.memory import JobStore
from enrichment.jobs.model import Enrichment, Order, Priority
from enrichment.jobs.pipeline import Waves
from enrichment.jobs.resolver import Answers
from enrichment.jobs.runner import Runner
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.modules.table import plan
from enrichment.sources import CompanySource, Source
from enrichment.sources.local import based_on
from enrichment.sources.simulated.source import SimulatedCompanies
from schemas import SourceCitation
from tests.conftest import FakeClock


class Fact(Answer, frozen=True, kw_only=True):
    """An answer whose number tells from which call it is."""

    call: int


class Scripted:
    """A source that takes a second, then answers, or raises what `raises` has for the module."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
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


class Engine:
    """A runner with all its parts within reach."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        source: CompanySource | None = None,
        sources: Mapping[str, Source] | None = None,
        max_running: int = 100,
        max_pending: int = 1_000,
        max_finished: int = 1_000,
        retention_seconds: float = 86_400,
        deadline_seconds: float = 600,
        max_results: int = 10_000,
    ) -> None:
        self.clock = clock
        self.source = Scripted(clock)
        self.store = JobStore(
            max_pending=max_pending, max_finished=max_finished, retention_seconds=retention_seconds, clock=clock
        )
        self.cache = Cache(max_results=max_results, clock=clock)
        self.answers = Answers(
            cache=self.cache,
            sources=sources if sources is not None else {"simulated": self.source, "local": self.source},
            clock=clock,
        )
        self.waves = Waves(store=self.store, answers=self.answers, clock=clock, deadline_seconds=deadline_seconds)
        self.runner = Runner(
            store=self.store,
            source=source or SimulatedCompanies(expected_seconds=15, clock=clock),
            waves=self.waves,
            max_running=max_running,
            clock=clock,
        )

    async def start(
        self,
        domain: str = "a.com",
        modules: tuple[str, ...] | None = None,
        *,
        waves: tuple[int, ...] | None = None,
        force: bool = False,
        priority: Priority = "normal",
    ) -> Enrichment:
        """An enrichment, accepted and set going."""
        order = Order(modules=plan(modules, waves), priority=priority, force=force, request_id="r-1")
        job = await self.runner.accept(domain, order)
        await self.runner.start([job])
        return job

    def now(self, job: Enrichment) -> Enrichment:
        """The job as it stands."""
        return self.store.enrichment(job.id)

    def states(self, job: Enrichment) -> dict[str, str]:
        """Its modules' states."""
        return {step.module_id: step.state.value for step in self.now(job).steps}

    def body(self, job: Enrichment, module_id: str) -> Fact:
        """What a module brought."""
        finding = self.now(job).step(module_id).finding
        assert finding
        return finding.read(Fact)
