"""
Clients of the engine, each a task.
"""

import asyncio
from typing import Final

from enrichment.errors import InsufficientInput, JobConflict, JobNotFound, ShuttingDown, SourceFailed, TooManyJobs
from enrichment.jobs.model import BatchItem, Enrichment, JobOptions, Terms
from enrichment.modules.module import Subject
from enrichment.modules.table import MODULES
from schemas import Priority
from tests.engine import options
from tests.simulation.sources import LONGEST_STOP
from tests.simulation.world import StoreDown, World

DOMAINS: Final = ("a.com", "b.com", "c.com")
CHOICE: Final = (
    "m01_company_context",
    "m02_tech_stack",
    "m03_traffic",
    "m07_financials",
    "m12_trigger_events",
    "m13_case_study_match",
    "m14_icp_scoring",
    "m15_displacement_angle",
)
"Modules of every wave, and all that are derived."

# fmt: off
ACTIONS: Final[dict[str, int]] = {  # by how often
    "start": 40, "start and cancel": 15, "batch": 15, "look up": 10, "cancel": 30, "retry": 10, "ask": 8, "close": 5,
}
# fmt: on

PRIORITIES: Final[tuple[Priority, ...]] = ("low", "normal", "high")
MAX_CLOSE_SECONDS: Final = 10.0
LONGEST_CALL: Final = 40.0


class Clients:
    """Some clients who do as they like."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.engine = world.engine
        self.rng = world.rng
        self.askers = 0

    async def run(self) -> None:
        """Let all of them act, then wait until all jobs have ended, and check that nothing is left."""
        loop, world = asyncio.get_running_loop(), self.world
        clients = []
        for _ in range(self.rng.randint(2, 12)):
            (action,) = self.rng.choices(tuple(ACTIONS), tuple(ACTIONS.values()))
            if action == "close" and world.fails_at[0]:
                action = "start"  # closing records the ends of jobs, which has to succeed
            clients.append(asyncio.create_task(self._client(action)))
            await self._pause(3)
        each = world.settings.job_deadline_seconds + LONGEST_STOP + LONGEST_CALL
        limit = loop.time() + each * (len(world.jobs) + len(DOMAINS) * len(clients))
        done, waiting = await asyncio.wait(clients, timeout=limit - loop.time())
        world.check(not waiting, "a client waits for ever")
        for client in done:
            client.result()
        while unfinished := world.jobs.keys() - world.ended.keys():
            world.check(loop.time() < limit, "never ends", min(unfinished, key=world.name_of))
            await asyncio.sleep(each / 10)
            world.check_state()
        await asyncio.sleep(LONGEST_STOP + LONGEST_CALL)
        await world.check_end()

    async def _client(self, action: str) -> None:
        self.world.note(f"client: {action}")
        try:
            await self._act(action)
        except TooManyJobs:
            held = self.world.store.pending + self.world.store._pending_skipped
            is_full = held + len(DOMAINS) + 1 > self.world.settings.max_pending_jobs
            self.world.check(is_full, "refused although there is room")
            self.world.note("refused")
        except ShuttingDown:
            self.world.check(self.engine.jobs.is_closed, "refused although it is open")
            self.world.note("shut down")
        except StoreDown:
            self.world.note("answered 500")
        self.world.check_state()

    async def _act(self, action: str) -> None:
        match action:
            case "start":
                await self._start(is_to_be_cancelled=False)
            case "start and cancel":
                await self._start(is_to_be_cancelled=True)
            case "batch":
                await self._batch()
            case "look up":
                await self._look_up()
            case "cancel":
                await self._cancel_any()
            case "retry":
                await self._retry()
            case "ask":
                await self._ask()
            case "close":
                await self._close()

    async def _pause(self, longest: int) -> None:
        """Wait for some turns of the loop, or for whole seconds, so that much happens at the same moment."""
        if self.rng.random() < 0.3:
            for _ in range(self.rng.randrange(6)):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(self.rng.randint(0, longest))

    def _options(self) -> JobOptions:
        modules = tuple(self.rng.sample(CHOICE, self.rng.choice((1, 1, 2, 3, 5))))
        terms = Terms(
            max_cost=self.rng.choice((None, None, 0, 150_000, 400_000)),
            max_age=self.rng.choice((None, None, 3.0)),
            stale_if_error=self.rng.random() < 0.3,
        )
        return options(modules, force=self.rng.random() < 0.3, priority=self.rng.choice(PRIORITIES), terms=terms)

    async def _start(self, *, is_to_be_cancelled: bool) -> None:
        job = await self.engine.jobs.submit(self.rng.choice(DOMAINS), self._options())
        if self.rng.random() < 0.5:
            await self._pause(1)
        await self.engine.jobs.dispatch([job])
        if is_to_be_cancelled:
            for _ in range(self.rng.randrange(12)):
                await asyncio.sleep(0)
            await self._cancel(job)

    async def _batch(self) -> None:
        items = [*(BatchItem(domain=domain) for domain in DOMAINS), BatchItem(domain="x", reason="It is skipped.")]
        concurrency = self.rng.randint(1, 3)
        batch, jobs = await self.engine.jobs.submit_batch(items, self._options(), concurrency)
        self.world.concurrency[batch.id] = concurrency
        self.world.batch_limits[batch.id] = batch.max_cost
        if self.rng.random() < 0.3:
            await self._pause(1)
        await self.engine.jobs.dispatch(jobs, batch)
        for job in jobs:
            if self.rng.random() < 0.3:
                await self._cancel(job)

    async def _look_up(self) -> None:
        domain = f"lookup-{next(self.world.lookup_numbers)}.com"
        job = await self.engine.jobs.submit_lookup(domain, request_id="r")
        if self.rng.random() < 0.3:
            await self._pause(1)
        await self.engine.jobs.dispatch([job])

    def _any_job(self) -> Enrichment | None:
        jobs = [job for job in self.world.jobs.values() if isinstance(job, Enrichment)]
        return self.rng.choice(jobs) if jobs else None

    async def _cancel_any(self) -> None:
        if job := self._any_job():
            await self._cancel(job)

    async def _cancel(self, job: Enrichment) -> None:
        self.world.to_cancel.add(job.id)
        self.world.note("cancel", job.id)
        try:
            await self.engine.jobs.cancel(job.domain, job.id)
        except JobNotFound:
            self.world.check(job.id in self.world.ended, "forgotten before its end", job.id)
        except JobConflict:
            self.world.check(job.id in self.world.ended, "cannot be cancelled", job.id)

    async def _retry(self) -> None:
        job = self._any_job()
        if not job:
            return
        try:
            job = await self.engine.store.enrichment(job.id)
            again = await self.engine.jobs.retry(job, failed_only=self.rng.random() < 0.5, request_id="r")
        except (JobNotFound, JobConflict):
            return
        self.world.note("retried", again.id)
        await self.engine.jobs.dispatch([again])

    async def _ask(self) -> None:
        """Ask as the maker of blueprints does: for no job."""
        self.askers += 1
        asker = f"asker {self.askers}"
        module = MODULES[self.rng.choice(CHOICE[:2])]
        subject = Subject(domain=self.rng.choice(DOMAINS))
        task = asyncio.create_task(self.world.resolver.ask(module, subject, asker=asker))
        is_cancelled = self.rng.random() < 0.5
        if is_cancelled:
            await self._pause(2)
            task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            self.world.check(is_cancelled, "cancelled although nobody wanted it", asker)
        elif error := task.exception():
            is_known = isinstance(error, (SourceFailed, InsufficientInput, StoreDown))
            self.world.check(is_known, f"raised {error!r}", asker)
        self.world.note("answered", asker)

    async def _close(self) -> None:
        """Leave the engine, and enter it again."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await self.engine.__aexit__(None, None, None)
        self.world.check(loop.time() - begun <= MAX_CLOSE_SECONDS, "closing takes too long")
        self.world.note("closed")
        await self._pause(3)
        await self.engine.__aenter__()
        self.world.reopened_at = loop.time()
