"""
An engine of which everything is observed, and the checks.
"""

import asyncio
import functools
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, Final, NoReturn, cast

from enrichment.engine import Engine
from enrichment.errors import JobNotFound
from enrichment.jobs.cache import MemoryCache
from enrichment.jobs.dispatcher import MemoryDispatcher
from enrichment.jobs.memory import MemoryStore
from enrichment.jobs.model import DONE, AnyJob, Enrichment, Lookup, Step
from enrichment.modules.module import Module, Subject
from enrichment.settings import Settings
from enrichment.sources.costs import Charge, total
from enrichment.sources.local import based_on
from schemas import JobState
from tests.engine import leftovers
from tests.simulation.loop import SimulatedClock, SimulatedLoop
from tests.simulation.recount import recount_cache, recount_store
from tests.simulation.sources import NAMES, Misbehaving, MisbehavingCompanies, MisbehavingSource

OBSERVED: Final = {"store": ("add", "begin", "record", "finish", "charge"), "cache": ("get", "put")}


class Violation(AssertionError):
    """What must never happen has happened."""


class StoreDown(Exception):
    """A call of the store or the cache fails."""


class World:
    """One schedule: its engine, what is known of its jobs, and the events so far."""

    def __init__(self, seed: int, *, fails_at: int = 0, after: bool = False) -> None:
        """`fails_at` is the number of the call of the store or the cache that fails, before or `after` its work."""
        self.rng = rng = Random(seed)
        self.events: list[str] = []
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.names: dict[str, str] = {}  # of jobs, instead of their random ids
        self.jobs: dict[str, AnyJob] = {}  # as they were accepted
        self.ended: dict[str, AnyJob] = {}  # as they were finished
        self.begun: set[str] = set()
        self.recorded: set[tuple[str, str]] = set()
        self.to_cancel: set[str] = set()
        self.reopened_at = -1.0  # jobs that were dispatched before that end in the turns of the loop that follow
        self.concurrency: dict[str, int] = {}  # by batch
        self.spent: Counter[str] = Counter()  # by job
        self.batch_spent: Counter[str] = Counter()
        self.batch_limits: dict[str, int | None] = {}
        self.calls_begun: Counter[str] = Counter()  # by source
        self.lookup_numbers = itertools.count()
        self._lookups: dict[str, str] = {}  # by domain
        self._calls: dict[object, set[asyncio.Task[Any]]] = {}
        self.store_calls = 0
        self.fails_at = (fails_at, after)
        self._slowness = rng.choice((0.0, 0.0, 0.3))  # how often a call of the store lets others run first

        self.settings = _settings(
            rng.choice((1, 2, 4)), rng.choice((6, 100)), rng.choice((2, 100, 100)), rng.choice((4.0, 60.0))
        )
        self.clock = SimulatedClock()
        shared = Misbehaving(rng, self.clock, self.note)
        self.engine = Engine(
            self.settings,
            source=MisbehavingCompanies(shared, self._lookup_begins),
            sources={name: MisbehavingSource(name, shared, self._call_begins) for name in NAMES},
            clock=self.clock,
        )
        assert isinstance(self.engine.store, MemoryStore)
        assert isinstance(self.engine.cache, MemoryCache)
        assert isinstance(self.engine._dispatcher, MemoryDispatcher)
        self.store = self.engine.store
        self.cache = self.engine.cache
        self.dispatcher = self.engine._dispatcher
        self.resolver = self.dispatcher._resolver
        self.budget = self.dispatcher._runner._pipeline._budget
        self.budget._timer = lambda: rng.uniform(0, 0.003)
        # Less than settings allow, as there are so few jobs.
        self.store._max_finished_bytes = rng.choice((3_000, 10**9, 10**9))
        self.store._retention_seconds = rng.choice((0.0, 30.0, 10**9, 10**9))
        self.cache._max_bytes = rng.choice((1_500, 10**9))
        for part, methods in OBSERVED.items():
            for method in methods:
                self._observe(getattr(self, part), method)

    def note(self, event: str, job_id: str = "") -> None:
        """An event; what precedes a colon is its kind."""
        self.events.append(f"{asyncio.get_running_loop().time():.3f} {event} {self.name_of(job_id)}")
        self.counts[event.partition(":")[0]] += 1

    def fail(self, reason: str, job_id: str = "") -> NoReturn:
        """Note a violation. It is kept, for the engine may catch the exception."""
        self.note(f"VIOLATION: {reason}", job_id)
        self.violations.append(f"{reason} {self.name_of(job_id)}")
        raise Violation(self.violations[-1])

    def check(self, holds: bool, reason: str, job_id: str = "") -> None:
        """Fail unless it holds."""
        if not holds:
            self.fail(reason, job_id)

    def name_of(self, asker: str) -> str:
        """The name of a job, or of who else asks."""
        return self.names.get(asker, asker)

    def _observe(self, part: object, method: str) -> None:
        inner: Callable[..., Awaitable[Any]] = getattr(part, method)
        after: Callable[..., None] = getattr(self, f"_after_{method}", lambda *_: None)

        async def observed(*args: Any, **kwargs: Any) -> Any:
            # Without `add` nobody has a job, and without the last resort, which records a failure, nothing ends it.
            may_fail = method != "add" and (method != "finish" or args[1] is JobState.COMPLETED)
            self.store_calls += may_fail
            fails, after_it = self.fails_at
            is_to_fail = may_fail and self.store_calls == fails
            while self._slowness and self.rng.random() < self._slowness:
                await asyncio.sleep(0)
            if is_to_fail and not after_it:
                self.note(f"store down: before {method}")
                raise StoreDown
            result = await inner(*args, **kwargs)
            after(result, *args)
            if is_to_fail:
                self.note(f"store down: after {method}")
                raise StoreDown
            return result

        setattr(part, method, observed)

    # What the engine does

    def _after_add(self, jobs: Sequence[AnyJob], *_: object) -> None:
        for job in jobs:
            self.names[job.id] = f"job {len(self.jobs)}"
            self.jobs[job.id] = job
            self.note(f"accepted: {type(job).__name__} {job.domain}", job.id)
            if isinstance(job, Lookup):
                self._lookups[job.domain] = job.id
        held = self.store.pending + self.store._pending_skipped
        self.check(held <= self.settings.max_pending_jobs, f"{held} jobs are pending")

    def _after_begin(self, job: Enrichment | None, job_id: str) -> None:
        if job is None:
            return
        self.note("begun", job_id)
        self.check(job_id not in self.ended, "begun after its end", job_id)
        self.check(job_id not in self.begun, "begun twice", job_id)
        self.begun.add(job_id)
        tasks = map(self.jobs.__getitem__, self.dispatcher._tasks)
        running = [each for each in tasks if isinstance(each, Enrichment)]
        self.check(len(running) <= self.settings.max_running_jobs, f"{len(running)} jobs run")
        of_batch = sum(each.batch_id == job.batch_id for each in running)
        self.check(of_batch <= self.concurrency.get(job.batch_id or "", of_batch), f"{of_batch} jobs of a batch run")

    def _after_record(self, stored: bool, job_id: str, step: Step) -> None:
        if not stored:
            return
        self.note(f"recorded: {step.module_id} {step.state}", job_id)
        self.check(job_id not in self.ended, "recorded after its end", job_id)
        if step.ended_at is not None:
            self.check((job_id, step.module_id) not in self.recorded, f"{step.module_id} recorded twice", job_id)
            self.recorded.add((job_id, step.module_id))

    def _after_finish(self, job: AnyJob | None, job_id: str, *_: object) -> None:
        if job is None:
            return
        self.note(f"ended: {job.state}", job_id)
        self.check(job_id not in self.ended, "ended twice", job_id)
        self.ended[job_id] = job
        if job.state is JobState.CANCELLED:
            is_closed = self.engine.jobs.is_closed or asyncio.get_running_loop().time() == self.reopened_at
            is_wanted = job_id in self.to_cancel or is_closed
            self.check(is_wanted, "cancelled although nobody wanted it", job_id)
        elif isinstance(job, Enrichment) and not self.counts["store down"]:
            states = {step.state for step in job.steps}
            self.check(states <= DONE, f"{job.state} with modules {states}", job_id)
            self.check((job.state is JobState.COMPLETED) == bool(job.completed), f"wrongly {job.state}", job_id)
            self.check(not (job.error or "").startswith("The job failed"), f"{job.error}", job_id)

    def _after_charge(self, charged: bool, job_id: str, charges: Sequence[Charge]) -> None:
        """No job, and no batch, ever spends more than it may: what calls under way may cost included."""
        job = self.jobs[job_id]
        assert isinstance(job, Enrichment)
        if not charged:
            return
        amount, limit = total(charges).amount, job.terms.max_cost
        self.note(f"charged: {amount}", job_id)
        self.spent[job_id] += amount
        self.check(limit is None or self.spent[job_id] <= limit, f"spends {self.spent[job_id]} of {limit}", job_id)
        if job.batch_id:
            self.batch_spent[job.batch_id] += amount
            sum_of_jobs, limit = self.batch_spent[job.batch_id], self.batch_limits[job.batch_id]
            self.check(limit is None or sum_of_jobs <= limit, f"its batch spends {sum_of_jobs} of {limit}", job_id)

    def _lookup_begins(self, domain: str) -> None:
        job_id = self._lookups[domain]
        self.note("call: lookup", job_id)
        self.check(job_id not in self.ended, "looked up after its end", job_id)

    def _call_begins(self, source: str, module: Module, subject: Subject) -> None:
        """Somebody waits for each call that begins, and it is the only one of its key."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        calls = self.resolver._calls._calls.values()
        waiting = {asker for call in calls if call.task is task for asker in call.askers}
        self.note(f"call: {source} {module.id} {subject.domain} for {sorted(map(self.name_of, waiting))}")
        self.calls_begun[source] += source not in ("local", "simulated")
        self.check(not task.cancelling(), "a cancelled call begins")
        self.check(bool(waiting - self.ended.keys()), "a call begins for which nobody waits")
        same = self._calls.setdefault((subject.domain, module.id, based_on(subject)), set())
        self.check(all(other is task or other.cancelling() for other in same), "two calls of the same key")
        same.add(task)
        task.add_done_callback(same.discard)

    # What has to hold

    def check_state(self) -> None:
        """What the store and the cache count is what they hold."""
        for reason in (*recount_store(self.store), *recount_cache(self.cache)):
            self.fail(reason)

    async def check_end(self) -> None:
        """Nothing is held for any job, and each can be read as it ended, unless it is forgotten."""
        self.check_state()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        self.check(not others, f"tasks are left: {others}")
        for part in (self.dispatcher, self.dispatcher._scheduler, self.resolver._calls):
            held = {name: value for name, value in leftovers(part).items() if name != "_heap"}
            self.check(not held, f"{type(part).__name__} holds {held}")
        self.check(not self.budget._waiting, "jobs wait for their turns")
        if not self.violations and not self.counts["store down"]:
            counted = {name: charge.calls for name, charge in self.engine._ledger.totals.items()}
            self.check(counted == +self.calls_begun, f"{counted} calls are counted of {self.calls_begun}")
        timers = cast("SimulatedLoop", asyncio.get_running_loop()).timers
        self.check(not timers, f"timers are left: {timers}")
        for job_id, job in self.ended.items():
            read = self.store.lookup if isinstance(job, Lookup) else self.store.enrichment
            try:
                held_job = await read(job_id)
            except JobNotFound:
                self.note("forgotten", job_id)
            else:
                self.check((held_job.state, held_job.error) == (job.state, job.error), "has changed", job_id)
                amount = total(held_job.charges).amount if isinstance(held_job, Enrichment) else 0
                self.check(amount == self.spent[job_id], f"shows {amount} of {self.spent[job_id]}", job_id)


@functools.cache  # as settings take milliseconds to be made
def _settings(running: int, pending: int, finished: int, deadline: float) -> Settings:
    return Settings(
        max_running_jobs=running,
        max_pending_jobs=pending,
        max_finished_jobs=finished,
        job_deadline_seconds=deadline,
        max_cached_results=20,
        apollo_cost_per_call=0.1,
        similarweb_cost_per_call=0.25,
    )
