"""
What every `JobStore` does, whatever it keeps jobs in.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
from msgspec import Raw
from msgspec.json import encode
from msgspec.structs import replace

from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.jobs import memory
from enrichment.jobs.memory import READ_JOBS, MemoryStore
from enrichment.jobs.model import FINISHED, SCORING, Batch, BatchItem, Enrichment, Lookup, Step, Terms, pending_steps
from enrichment.jobs.protocols import JobStore
from enrichment.modules.icp_score import Fit, IcpScore
from enrichment.modules.module import Finding, JobProfile
from enrichment.postgres.database import Database
from enrichment.postgres.queue import Queue
from enrichment.postgres.retention import Retention
from enrichment.postgres.store import PostgresStore
from enrichment.settings import Settings
from enrichment.sources.costs import Charge
from schemas import CompanyData, JobState, Measure, StepState
from tests.conftest import FakeClock
from tests.engine import leftovers
from tests.profiles_of_leads import condition, profile

M01, M02 = "m01_company_context", "m02_tech_stack"
PROFILE = profile(condition(Measure.HIRING))
COMPLETED, FAILED, CANCELLED = JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED
QUEUED, RUNNING = JobState.QUEUED, JobState.RUNNING


class ForgetfulStore(PostgresStore):
    """A store in a database, with what deletes its jobs."""

    retention: Retention


IMPLEMENTATIONS: Final = ("memory", "postgres")
"Every implementation. All tests run on each."

MakeStore = Callable[..., Awaitable[JobStore]]


@pytest.fixture(params=IMPLEMENTATIONS)
async def make_store(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[MakeStore]:
    """A function that opens a store with its limits: pending jobs, finished jobs, their bytes, seconds to keep them."""
    async with AsyncExitStack() as stack:

        async def make(
            *, pending: int = 100, finished: int = 100, max_bytes: int = 1_048_576, seconds: float = 60
        ) -> JobStore:
            limits: dict[str, Any] = {"max_pending": pending, "retention_seconds": seconds, "clock": clock}
            if request.param == "memory":
                return MemoryStore(**limits, max_finished=finished, max_finished_bytes=max_bytes)
            database = Database(request.getfixturevalue("database_url"), connections=2)
            stack.push_async_callback(database.close)
            store = ForgetfulStore(database, Queue(), **limits)
            settings = Settings(
                max_finished_jobs=finished,
                max_finished_bytes=max_bytes,
                job_retention_seconds=seconds,
            )
            store.retention = Retention(database, settings, clock)
            return store

        yield make


async def forget(store: JobStore) -> None:
    """Let a store that forgets jobs from time to time do it now."""
    if isinstance(store, ForgetfulStore):
        await store.retention.forget()


in_memory = pytest.mark.parametrize("make_store", ["memory"], indirect=True)
"For what takes room in memory only: in a database, the bounds are those of jobs."


@pytest.fixture
async def store(make_store: MakeStore) -> JobStore:
    return await make_store()


def lookup(clock: FakeClock, job_id: str = "1") -> Lookup:
    return Lookup(id=job_id, domain="a.com", request_id="r", created_at=clock.now(), expected_seconds=2.5)


def enrichment(
    clock: FakeClock,
    job_id: str = "1",
    domain: str = "a.com",
    batch_id: str | None = None,
    max_cost: int | None = None,
) -> Enrichment:
    return Enrichment(
        id=job_id,
        domain=domain,
        request_id="r",
        created_at=clock.now(),
        expected_seconds=6,
        priority="normal",
        force=False,
        terms=Terms(max_cost=max_cost),
        batch_id=batch_id,
        steps=pending_steps((M01, M02)),
        total=2,
    )


def batch(clock: FakeClock, *job_ids: str, skipped: int = 0, batch_id: str = "b", max_cost: int | None = None) -> Batch:
    items = [BatchItem(domain="a.com", job_id=job_id) for job_id in job_ids]
    items += [BatchItem(domain="x", reason="It is no domain.")] * skipped
    return Batch(
        id=batch_id, created_at=clock.now(), concurrency=1, expected_seconds=3, max_cost=max_cost, items=tuple(items)
    )


def charge(amount: int, source: str = "apollo") -> Charge:
    return Charge(source=source, calls=1, billed=1, amount=amount, credits=1.0)


async def ids(
    store: JobStore, domain: str | None = None, *states: JobState, limit: int = 100, offset: int = 0
) -> list[str]:
    """The ids of a page."""
    return [job.id for job in (await store.page(domain, frozenset(states), limit=limit, offset=offset)).jobs]


async def is_held(store: JobStore, job_id: str) -> bool:
    """Whether there is an enrichment or a lookup of this id."""
    for read in (store.enrichment, store.lookup):
        with contextlib.suppress(JobNotFound):
            await read(job_id)
            return True
    return False


# Adding


async def test_a_job_can_be_read_as_soon_as_it_is_added(store: JobStore, clock: FakeClock) -> None:
    (added_lookup,) = await store.add([lookup(clock, "l")])
    (added,) = await store.add([enrichment(clock, "e")])

    assert await store.lookup("l") == added_lookup == lookup(clock, "l")
    assert await store.enrichment("e") == added
    assert replace(added, number=0) == enrichment(clock, "e")


async def test_enrichments_are_numbered_in_the_order_in_which_they_are_added(store: JobStore, clock: FakeClock) -> None:
    first = await store.add([enrichment(clock, "1"), enrichment(clock, "2")])
    (last,) = await store.add([enrichment(clock, "3")])

    numbers = [job.number for job in (*first, last)]
    assert numbers == sorted(set(numbers))


async def test_one_unfinished_job_too_many_is_refused_until_another_is_finished(
    make_store: MakeStore, clock: FakeClock
) -> None:
    store = await make_store(pending=2)
    await store.add([lookup(clock, "1")])
    await store.check_room(2.5)
    await store.add([enrichment(clock, "2")])
    for refused in (store.add([lookup(clock, "3")]), store.check_room(2.5)):
        with pytest.raises(TooManyJobs, match="2 jobs are unfinished, of 2 that this service holds") as caught:
            await refused
        assert caught.value.retry_after == 3

    await store.finish("1", COMPLETED)
    await store.add([lookup(clock, "3")])
    assert [await is_held(store, job_id) for job_id in "123"] == [True, True, True]


async def test_several_jobs_are_taken_together_or_not_at_all(make_store: MakeStore, clock: FakeClock) -> None:
    store = await make_store(pending=3)
    await store.add([enrichment(clock, "1"), enrichment(clock, "2")])
    with pytest.raises(TooManyJobs):
        await store.add([enrichment(clock, "3"), enrichment(clock, "4")], batch(clock, "3", "4"))

    assert await ids(store) == ["2", "1"]
    with pytest.raises(JobNotFound):
        await store.batch("b")


# Running and finishing


async def test_a_job_begins(store: JobStore, clock: FakeClock) -> None:
    await store.add([enrichment(clock)])
    await clock.advance(1)
    begun = await store.begin("1")

    assert begun == await store.enrichment("1")
    assert begun
    assert [begun.state, begun.started_at, begun.steps] == [RUNNING, clock.now(), pending_steps((M01, M02))]
    assert await store.begin("no such job") is None


async def test_a_job_begins_again_with_the_steps_that_have_ended_and_its_former_run_changes_nothing(
    store: JobStore, clock: FakeClock
) -> None:
    await store.add([enrichment(clock)])
    first = await store.begin("1")
    assert first
    ended = Step(module_id=M01, state=StepState.COMPLETED, started_at=1, ended_at=2)
    late = Step(module_id=M02, state=StepState.COMPLETED, started_at=1, ended_at=3)
    assert await store.record("1", ended, run=first.run)
    await clock.advance(1)
    second = await store.begin("1")

    assert second
    assert second.run > first.run
    assert [second.started_at, second.step(M01), second.completed] == [first.started_at, ended, 1]
    assert not await store.record("1", late, run=first.run)
    assert await store.finish("1", COMPLETED, run=first.run) is None
    assert (await store.enrichment("1")).step(M02).state is StepState.PENDING
    assert await store.record("1", late, run=second.run)
    assert await store.finish("1", COMPLETED, run=second.run)


@pytest.mark.parametrize("first", sorted(FINISHED))
@pytest.mark.parametrize("second", sorted(FINISHED))
async def test_a_job_is_finished_once(store: JobStore, clock: FakeClock, first: JobState, second: JobState) -> None:
    await store.add([lookup(clock, "l")])
    await store.add([enrichment(clock, "e")])
    for job_id in ("l", "e"):
        finished = await store.finish(job_id, first, error="first")
        assert finished
        assert [finished.state, finished.error, finished.finished_at] == [first, "first", clock.now()]
        assert await store.finish(job_id, second, error="second") is None
        assert await store.begin(job_id) is None

    assert await store.finish("no such job", second) is None
    assert [(await store.lookup("l")).error, (await store.enrichment("e")).error] == ["first"] * 2


async def test_a_finished_lookup_has_its_result(store: JobStore, clock: FakeClock) -> None:
    company = CompanyData(company_size=7, industry="x")
    await store.add([lookup(clock)])
    finished = await store.finish("1", COMPLETED, result=company)

    assert await store.lookup("1") == finished
    assert (await store.lookup("1")).result == company


async def test_a_step_is_recorded_until_it_has_ended_or_its_job_is_finished(store: JobStore, clock: FakeClock) -> None:
    await store.add([enrichment(clock)])
    running = Step(module_id=M01, state=StepState.RUNNING, started_at=1)
    completed = Step(module_id=M01, state=StepState.COMPLETED, started_at=1, ended_at=2)
    failed = Step(module_id=M01, state=StepState.FAILED, started_at=1, ended_at=3, reason="down")
    late = Step(module_id=M02, state=StepState.COMPLETED, started_at=1, ended_at=4)

    assert await store.record("1", running)
    assert (await store.enrichment("1")).step(M01) == running
    assert await store.record("1", completed)
    assert not await store.record("1", failed)
    assert (await store.enrichment("1")).progress_percent == 50.0
    await store.finish("1", CANCELLED, error="x")
    assert not await store.record("1", late)
    assert not await store.record("no such job", late)


async def test_finishing_a_job_cancels_the_steps_that_have_not_ended(store: JobStore, clock: FakeClock) -> None:
    await store.add([enrichment(clock)])
    await store.record("1", Step(module_id=M01, state=StepState.COMPLETED, started_at=1, ended_at=2))
    returned = await store.finish("1", CANCELLED, error="x")
    finished = await store.enrichment("1")

    assert returned
    assert [returned.id, returned.state, returned.error] == ["1", CANCELLED, "x"]
    assert [step.state for step in finished.steps] == [StepState.COMPLETED, StepState.CANCELLED]
    assert [finished.completed, finished.failed, finished.skipped, finished.progress_percent] == [1, 0, 0, 50.0]


async def test_many_finished_jobs_are_read_as_well_as_a_few(make_store: MakeStore, clock: FakeClock) -> None:
    """More than are kept ready to be read."""
    store = await make_store(pending=1, finished=1_000)
    for number in range(READ_JOBS + 20):
        await store.add([enrichment(clock, str(number))])
        await store.record(str(number), Step(module_id=M01, state=StepState.FAILED, ended_at=2, reason=str(number)))
        await store.finish(str(number), COMPLETED)
    for _ in range(2):
        for number in range(READ_JOBS + 20):
            assert (await store.enrichment(str(number))).step(M01).reason == str(number)


# Reading


async def test_each_kind_of_job_is_found_by_its_own_method_only(store: JobStore, clock: FakeClock) -> None:
    await store.add([lookup(clock, "lookup")])
    await store.add([enrichment(clock, "enrichment")])

    for refused in (
        store.lookup("enrichment"),
        store.enrichment("lookup"),
        store.enrichment("enrichment", "b.com"),
        store.enrichment("no such job"),
        store.lookup("no such job"),
    ):
        with pytest.raises(JobNotFound):
            await refused
    assert (await store.enrichment("enrichment", "a.com")).id == "enrichment"
    assert await ids(store) == ["enrichment"]


@pytest.fixture
async def six_jobs(store: JobStore, clock: FakeClock) -> JobStore:
    """A store with jobs 0, 2, 4 of b.com and 1, 3, 5 of a.com, where 1 runs and 0 and 4 are completed."""
    for number in range(6):
        await store.add([enrichment(clock, str(number), "a.com" if number % 2 else "b.com")])
    for number in (4, 1, 0):
        await store.begin(str(number))
    for number in (0, 4):
        await store.finish(str(number), COMPLETED)
    return store


@pytest.mark.parametrize(
    ("domain", "states", "expected"),
    [
        (None, (), ["5", "4", "3", "2", "1", "0"]),
        (None, (COMPLETED,), ["4", "0"]),
        (None, (FAILED,), []),
        (None, (COMPLETED, RUNNING, QUEUED), ["5", "4", "3", "2", "1", "0"]),
        (None, (COMPLETED, RUNNING), ["4", "1", "0"]),
        ("a.com", (), ["5", "3", "1"]),
        ("a.com", (QUEUED,), ["5", "3"]),
        ("a.com", (QUEUED, RUNNING), ["5", "3", "1"]),
        ("b.com", (RUNNING,), []),
        ("c.com", (), []),
        ("c.com", (QUEUED,), []),
    ],
)
async def test_pages_are_newest_first_by_domain_and_states(
    six_jobs: JobStore, domain: str | None, states: Collection[JobState], expected: list[str]
) -> None:
    assert await ids(six_jobs, domain, *states) == expected
    for offset in range(len(expected) + 2):
        for limit in (1, 2):
            assert await ids(six_jobs, domain, *states, limit=limit, offset=offset) == expected[offset:][:limit]
    assert (await six_jobs.page(domain, states, limit=1, offset=0)).total == len(expected)


async def test_a_page_counts_what_runs_and_waits_of_the_domain_and_shows_no_steps(six_jobs: JobStore) -> None:
    everything = await six_jobs.page(None, {COMPLETED}, limit=10, offset=0)
    of_a = await six_jobs.page("a.com", (), limit=10, offset=0)

    assert [everything.total, everything.running, everything.queued] == [2, 1, 3]
    assert [of_a.total, of_a.running, of_a.queued] == [3, 1, 2]
    of_b = await six_jobs.page("b.com", (), limit=1, offset=0)
    assert of_b.running == 0
    assert {job.steps for job in (*everything.jobs, *of_a.jobs)} == {()}


async def test_the_newest_job_of_a_domain_is_found_by_states(six_jobs: JobStore) -> None:
    assert await six_jobs.newest("a.com", {RUNNING, COMPLETED}) == await six_jobs.enrichment("1")
    assert await six_jobs.newest("b.com", FINISHED) == await six_jobs.enrichment("4")
    assert await six_jobs.newest("a.com", FINISHED) is None
    assert await six_jobs.newest("c.com", set(JobState)) is None


async def test_a_batch_is_read_with_its_jobs(store: JobStore, clock: FakeClock) -> None:
    posted = batch(clock, "1", "2", skipped=1)
    await store.add([enrichment(clock, job_id, batch_id="b") for job_id in ("1", "2")], posted)
    await store.begin("2")
    snapshot = await store.batch("b")

    assert snapshot.batch == posted
    assert {job_id: job.state for job_id, job in snapshot.jobs.items()} == {"1": QUEUED, "2": RUNNING}
    assert {job.steps for job in snapshot.jobs.values()} <= {(), pending_steps((M01, M02))}
    with pytest.raises(JobNotFound, match="Batch not found"):
        await store.batch("1")


async def test_several_enrichments_are_read_with_their_steps(store: JobStore, clock: FakeClock) -> None:
    await store.add([enrichment(clock, job_id) for job_id in ("1", "2", "3")])
    await store.add([lookup(clock, "l")])
    await store.begin("2")
    await store.finish("3", COMPLETED)

    found = await store.enrichments(["3", "2", "l", "x"])
    assert found == {job_id: await store.enrichment(job_id) for job_id in ("3", "2")}
    assert await store.enrichments([]) == {}


async def test_other_tasks_run_while_many_enrichments_are_read(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SECONDS_PER_TURN", -1.0)
    store = MemoryStore(max_pending=9, max_finished=9, max_finished_bytes=20_000, retention_seconds=9, clock=clock)
    await store.add([enrichment(clock, job_id) for job_id in ("1", "2")])
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    assert list(await store.enrichments(["1", "2"])) == ["1", "2"]
    other.cancel()
    assert turns == 2


async def test_a_job_has_the_fit_of_its_score(store: JobStore, clock: FakeClock) -> None:
    scored = replace(enrichment(clock, "1"), steps=pending_steps((M01, SCORING)), batch_id="b", profile=PROFILE)
    await store.add([scored], replace(batch(clock, "1"), profile=PROFILE))
    answer = IcpScore(
        score=71, tier="B", verdict="qualified", coverage=0.5, confidence=0.5, rules=(), missing=(), conditions=()
    )
    for module_id, body in ((M01, Raw(b"{}")), (SCORING, Raw(encode(answer)))):
        finding = replace(Finding.of(answer, source="s", fetched_at=0.0), body=body)
        await store.record("1", Step(module_id=module_id, state=StepState.COMPLETED, ended_at=1.0, finding=finding))
    fit = Fit(score=71, tier="B", verdict="qualified", coverage=0.5)
    assert (await store.batch("b")).jobs["1"].fit == fit
    await store.finish("1", COMPLETED)

    snapshot = await store.batch("b")
    assert [snapshot.jobs["1"].fit, snapshot.batch.profile] == [fit, PROFILE]
    assert (await store.enrichment("1")).profile == PROFILE
    assert (await store.page(None, set(), limit=1, offset=0)).jobs[0].fit == fit


# Forgetting


@pytest.mark.parametrize("kind", ["profile", "profile of a batch", "rows"])
async def test_profiles_and_rows_of_unfinished_jobs_are_bounded_in_memory(clock: FakeClock, kind: str) -> None:
    store = MemoryStore(max_pending=9, max_finished=9, max_finished_bytes=20_000, retention_seconds=9, clock=clock)
    large = JobProfile(digest="d", content=Raw(b'"' + b"x" * 9_000 + b'"'))

    async def add(number: int) -> None:
        job = enrichment(clock, str(number), batch_id=None if kind == "profile" else str(number))
        posted = batch(clock, str(number), batch_id=str(number))
        if kind == "profile":
            await store.add([replace(job, profile=large)])
        elif kind == "rows":
            items = tuple(replace(item, cells=("", "x" * 9_000)) for item in posted.items)
            await store.add([job], replace(posted, columns=("a", "b"), items=items))
        else:
            await store.add([replace(job, profile=large)], replace(posted, profile=large))

    await add(1)
    await add(2)
    with pytest.raises(TooManyJobs, match="take all of the memory"):
        await add(3)
    await store.finish("1", COMPLETED)
    await add(3)
    await store.finish("2", COMPLETED)
    await store.finish("3", COMPLETED)
    assert [await is_held(store, job_id) for job_id in "123"] == [False, False, True]


async def test_what_a_job_spends_is_added_by_source(store: JobStore, clock: FakeClock) -> None:
    await store.add([enrichment(clock)])
    assert await store.charge("1", (charge(10), charge(5, "yahoo")))
    assert await store.charge("1", (charge(10), Charge(source="yahoo", amount=-5, billed=-1, credits=-1.0)))

    assert (await store.enrichment("1")).charges == (
        Charge(source="apollo", calls=2, billed=2, amount=20, credits=2.0),
        Charge(source="yahoo", calls=1),
    )
    assert (await store.page(None, (), limit=1, offset=0)).jobs[0].charges == (await store.enrichment("1")).charges


async def test_a_job_spends_no_more_than_it_may(store: JobStore, clock: FakeClock) -> None:
    """All of the charges or none; what costs nothing, and a correction, are always accepted."""
    await store.add([enrichment(clock, max_cost=20)])

    assert not await store.charge("1", (charge(10), charge(11)))
    assert (await store.enrichment("1")).charges == ()
    assert await store.charge("1", (charge(10), charge(10)))
    assert not await store.charge("1", (charge(1),))
    assert await store.charge("1", (charge(0, "yahoo"),))
    assert await store.charge("1", (Charge(source="apollo", amount=-10),))
    assert await store.charge("1", (charge(10),))
    assert not await store.charge("1", (charge(1),))


async def test_the_jobs_of_a_batch_spend_no_more_together(make_store: MakeStore, clock: FakeClock) -> None:
    """What a job has spent counts on when it is forgotten."""
    store = await make_store(finished=1)
    jobs = [enrichment(clock, job_id, batch_id="b", max_cost=30) for job_id in "123"]
    await store.add(jobs, batch(clock, "1", "2", "3", max_cost=30))

    assert await store.charge("1", (charge(10),))
    for job_id in "12":
        await store.finish(job_id, CANCELLED)
        await clock.advance(1)
    await forget(store)
    assert await store.charge("3", (charge(15),))
    assert not await store.charge("3", (charge(6),))
    assert (await store.batch("b")).charges == (Charge(source="apollo", calls=2, billed=2, amount=25, credits=2.0),)
    assert not await is_held(store, "1")


async def test_a_finished_job_can_still_be_charged(store: JobStore, clock: FakeClock) -> None:
    await store.add([enrichment(clock)])
    await store.charge("1", (charge(10),))
    await store.finish("1", CANCELLED)
    before = await store.enrichment("1")
    await store.charge("1", (Charge(source="apollo", amount=-10),))
    after = await store.enrichment("1")

    assert (before.charges[0].amount, after.charges[0].amount) == (10, 0)
    assert replace(after, charges=before.charges) == before


async def test_only_an_enrichment_that_is_held_can_be_charged(store: JobStore, clock: FakeClock) -> None:
    await store.add([lookup(clock)])

    assert not await store.charge("1", (charge(0),))
    assert not await store.charge("2", (charge(0),))


async def test_a_finished_job_is_forgotten_when_its_time_is_over(make_store: MakeStore, clock: FakeClock) -> None:
    store = await make_store(seconds=60)
    await store.add([lookup(clock, "l")])
    await store.add([enrichment(clock, "e"), enrichment(clock, "unfinished")])
    await store.finish("l", COMPLETED)
    await store.finish("e", COMPLETED)
    await clock.advance(59)
    assert [await is_held(store, "l"), await is_held(store, "e")] == [True, True]
    await clock.advance(1)

    assert [await is_held(store, "l"), await is_held(store, "e")] == [False, False]
    assert await store.newest("a.com", FINISHED) is None
    assert await ids(store) == ["unfinished"]
    assert (await store.page(None, (), limit=1, offset=0)).total == 1


async def test_the_newest_job_that_is_still_held_counts(make_store: MakeStore, clock: FakeClock) -> None:
    """A job that is newer may have finished earlier, and have been forgotten."""
    store = await make_store(seconds=60)
    await store.add([enrichment(clock, "older"), enrichment(clock, "newer")])
    await store.finish("newer", COMPLETED)
    await clock.advance(30)
    await store.finish("older", COMPLETED)
    await clock.advance(30)

    assert await store.newest("a.com", FINISHED) == await store.enrichment("older")


async def test_of_too_many_finished_jobs_the_first_finished_is_forgotten(
    make_store: MakeStore, clock: FakeClock
) -> None:
    store = await make_store(finished=2)
    await store.add([lookup(clock, str(number)) for number in range(4)])
    for number in (2, 0, 3):
        await store.finish(str(number), COMPLETED)
        await clock.advance(1)
    await forget(store)

    assert [await is_held(store, job_id) for job_id in "0123"] == [True, True, False, True]


async def test_of_finished_jobs_that_take_too_much_memory_the_first_finished_is_forgotten(
    make_store: MakeStore, clock: FakeClock
) -> None:
    store = await make_store(max_bytes=1_048_576)
    await store.add([enrichment(clock, str(number)) for number in range(6)])
    for number in range(6):
        await store.finish(str(number), FAILED, error="x" * 200_000)
        await clock.advance(1)
    await forget(store)

    held = [await is_held(store, job_id) for job_id in "012345"]
    assert [held[0], held[-1]] == [False, True]
    assert held == sorted(held)


@in_memory
async def test_a_skipped_entry_of_a_batch_counts_as_a_job(make_store: MakeStore, clock: FakeClock) -> None:
    """As an unfinished one until the batch is finished, as a finished one from then on."""
    store = await make_store(pending=4, finished=4)
    await store.add([enrichment(clock, "1", batch_id="b")], batch(clock, "1", skipped=3))
    with pytest.raises(TooManyJobs):
        await store.check_room(1)
    await store.finish("1", COMPLETED)
    with pytest.raises(TooManyJobs):
        await store.add([enrichment(clock, "2", batch_id="c")], batch(clock, "2", skipped=4, batch_id="c"))
    await store.add([enrichment(clock, "2")])
    assert (await store.batch("b")).batch.id == "b"
    await store.finish("2", COMPLETED)

    assert [await is_held(store, job_id) for job_id in "12"] == [False, True]
    with pytest.raises(JobNotFound):
        await store.batch("b")


@in_memory
async def test_an_entry_of_an_unfinished_batch_counts_on_when_its_job_is_forgotten(
    make_store: MakeStore, clock: FakeClock
) -> None:
    store = await make_store(pending=3, seconds=60)
    jobs = [enrichment(clock, job_id, batch_id="b") for job_id in ("1", "2", "3")]
    await store.add(jobs, batch(clock, "1", "2", "3"))
    await store.finish("1", COMPLETED)
    await store.finish("2", COMPLETED)
    await store.check_room(1)
    await clock.advance(60)
    assert await ids(store) == ["3"]
    with pytest.raises(TooManyJobs):
        await store.check_room(1)
    await store.finish("3", COMPLETED)

    await store.add([enrichment(clock, job_id) for job_id in ("4", "5", "6")])


@in_memory
async def test_the_entries_of_a_finished_batch_count_with_their_bytes(make_store: MakeStore, clock: FakeClock) -> None:
    store = await make_store(max_bytes=10_000)
    posted = batch(clock, "1", skipped=1)
    posted = replace(posted, items=(*posted.items, BatchItem(domain="x", reason="x" * 9_000)))
    await store.add([enrichment(clock, "0")])
    await store.add([enrichment(clock, "1", batch_id="b")], posted)
    await store.finish("0", COMPLETED)
    assert await is_held(store, "0")
    await store.finish("1", COMPLETED)

    assert [await is_held(store, job_id) for job_id in "01"] == [False, False]
    await store.add([enrichment(clock, "2")])
    await store.finish("2", COMPLETED)
    assert await is_held(store, "2")


@in_memory
async def test_the_skipped_entries_of_all_pending_batches_count(make_store: MakeStore, clock: FakeClock) -> None:
    store = await make_store(pending=6)
    for batch_id in ("b", "c"):
        await store.add(
            [enrichment(clock, batch_id, batch_id=batch_id)], batch(clock, batch_id, skipped=2, batch_id=batch_id)
        )

    with pytest.raises(TooManyJobs) as raised:
        await store.check_room(0.3)
    assert raised.value.retry_after == 1


async def test_a_batch_is_forgotten_with_its_last_job(make_store: MakeStore, clock: FakeClock) -> None:
    store = await make_store(seconds=60)
    await store.add([enrichment(clock, job_id, batch_id="b") for job_id in ("1", "2")], batch(clock, "1", "2"))
    await store.finish("1", COMPLETED)
    await clock.advance(30)
    await store.finish("2", COMPLETED)
    await clock.advance(30)
    assert list((await store.batch("b")).jobs) == ["2"]
    await clock.advance(30)

    with pytest.raises(JobNotFound, match="Batch not found"):
        await store.batch("b")


async def test_memory_keeps_nothing_of_what_is_forgotten(clock: FakeClock) -> None:
    store = MemoryStore(
        max_pending=10, max_finished=10, max_finished_bytes=1_000_000, retention_seconds=60, clock=clock
    )
    posted = replace(batch(clock, "1", "2", skipped=3), profile=PROFILE, columns=("a",))
    await store.add([enrichment(clock, job_id, batch_id="b") for job_id in ("1", "2")], posted)
    await store.add([lookup(clock, "3")])
    assert store.unfinished() == ["1", "2", "3"]
    for job_id in ("2", "1", "3"):
        await store.finish(job_id, COMPLETED)
        await clock.advance(1)
    assert store.unfinished() == []
    assert leftovers(store)
    await clock.advance(60)
    assert await ids(store) == []

    assert leftovers(store) == leftovers(store._index) == {}
    assert [store._pending_skipped, store._finished_skipped, store._finished_bytes, store._pending_bytes] == [0] * 4
