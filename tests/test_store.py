"""
The store: bounded, and each job ends once.
"""

import pytest

from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.jobs.memory import JobStore
from enrichment.jobs.model import FINISHED, Batch, BatchItem, Enrichment, Lookup, State, Step, StepState
from tests.conftest import FakeClock


def store(clock: FakeClock, *, pending: int = 100, finished: int = 100, seconds: float = 60) -> JobStore:
    return JobStore(max_pending=pending, max_finished=finished, retention_seconds=seconds, clock=clock)


def job(clock: FakeClock, job_id: str = "1") -> Lookup:
    return Lookup(id=job_id, domain="a.com", request_id="r", created_at=clock.now(), expected_seconds=2.5)


async def test_a_job_can_be_read_as_soon_as_it_is_added(clock: FakeClock) -> None:
    jobs = store(clock)
    await jobs.add([job(clock)])

    assert jobs.lookup("1") == job(clock)
    assert jobs.unfinished() == [job(clock)]


async def test_a_job_begins_once(clock: FakeClock) -> None:
    jobs = store(clock)
    await jobs.add([enrichment(clock, "1")])

    assert await jobs.begin("1")
    assert jobs.enrichment("1").state is State.RUNNING
    assert jobs.enrichment("1").started_at == clock.now()
    assert not await jobs.begin("1")
    assert not await jobs.begin("no such job")


@pytest.mark.parametrize("first", sorted(FINISHED))
@pytest.mark.parametrize("second", sorted(FINISHED))
async def test_the_first_end_counts(clock: FakeClock, first: State, second: State) -> None:
    jobs = store(clock)
    await jobs.add([job(clock)])
    ended = await jobs.end("1", first, error="first")

    assert ended is not None
    assert await jobs.end("1", second, error="second") is None
    assert await jobs.end("no such job", second) is None
    assert not await jobs.begin("1")
    assert jobs.lookup("1") == ended
    assert [ended.state, ended.error, ended.is_finished] == [first, "first", True]


async def test_one_unfinished_job_too_many_is_refused_until_another_ends(clock: FakeClock) -> None:
    jobs = store(clock, pending=2)
    await jobs.add([job(clock, "1")])
    await jobs.add([job(clock, "2")])
    with pytest.raises(TooManyJobs, match="2 jobs are unfinished") as refused:
        await jobs.add([job(clock, "3")])
    await jobs.end("1", State.COMPLETED)
    await jobs.add([job(clock, "3")])

    assert refused.value.retry_after == 3
    assert [held.id for held in jobs.unfinished()] == ["2", "3"]


async def test_finished_jobs_are_forgotten_when_their_time_is_over_and_leave_nothing_behind(clock: FakeClock) -> None:
    jobs = store(clock, seconds=60)
    for number in range(3):
        await jobs.add([job(clock, str(number))])
    for number in range(3):
        await jobs.end(str(number), State.COMPLETED)
        await clock.advance(30)

    for forgotten in ("0", "1"):
        with pytest.raises(JobNotFound):
            jobs.lookup(forgotten)
    assert jobs.lookup("2").is_finished
    await jobs.add([job(clock, "3")])
    assert len(jobs._jobs) == 2
    assert jobs.pending == 1


async def test_of_too_many_finished_jobs_the_oldest_goes_first(clock: FakeClock) -> None:
    jobs = store(clock, finished=2)
    for number in range(4):
        await jobs.add([job(clock, str(number))])
    for number in (2, 0, 3):
        await jobs.end(str(number), State.COMPLETED)

    with pytest.raises(JobNotFound):
        jobs.lookup("2")
    assert [jobs.lookup(kept).is_finished for kept in ("0", "3", "1")] == [True, True, False]


async def test_when_to_ask_again_is_whole_seconds_and_never_at_once(clock: FakeClock) -> None:
    waiting = job(clock)

    assert [waiting.seconds_left(clock.now() + passed) for passed in (0, 0.6, 1.5, 2.4, 2.5, 99)] == [3, 2, 1, 1, 1, 1]


def enrichment(clock: FakeClock, job_id: str, domain: str = "a.com", batch_id: str | None = None) -> Enrichment:
    return Enrichment(
        id=job_id,
        domain=domain,
        request_id="r",
        created_at=clock.now(),
        expected_seconds=6,
        priority="normal",
        force=False,
        batch_id=batch_id,
        live=(Step(module_id="m01_company_context"), Step(module_id="m02_tech_stack")),
        total=2,
    )


async def test_a_step_is_recorded_once_and_only_while_the_job_is_under_way(clock: FakeClock) -> None:
    jobs = store(clock)
    await jobs.add([enrichment(clock, "1")])
    done = Step(module_id="m01_company_context", state=StepState.COMPLETED, started_at=1, ended_at=2)
    failed = Step(module_id="m01_company_context", state=StepState.FAILED, started_at=1, ended_at=3)
    late = Step(module_id="m02_tech_stack", state=StepState.COMPLETED, started_at=1, ended_at=4)

    assert await jobs.record("1", done)
    assert not await jobs.record("1", failed)
    assert jobs.enrichment("1").progress_percent == 50.0
    await jobs.end("1", State.CANCELLED, error="x")
    assert not await jobs.record("1", late)
    assert not await jobs.record("no such job", late)
    ended = jobs.enrichment("1")
    assert [step.state for step in ended.steps] == [StepState.COMPLETED, StepState.CANCELLED]
    assert [ended.completed, ended.failed, ended.skipped, ended.progress_percent] == [1, 0, 0, 50.0]


async def test_each_kind_of_job_is_found_by_its_own_door_only(clock: FakeClock) -> None:
    jobs = store(clock)
    await jobs.add([job(clock, "look"), enrichment(clock, "rich")])

    for refused in (
        lambda: jobs.lookup("rich"),
        lambda: jobs.enrichment("look"),
        lambda: jobs.enrichment("rich", "b.com"),
        lambda: jobs.enrichment("no such job"),
    ):
        with pytest.raises(JobNotFound):
            refused()
    assert jobs.enrichment("rich", "a.com").id == "rich"
    assert jobs.count(None, None) == 1


async def test_pages_are_newest_first_by_domain_and_state(clock: FakeClock) -> None:
    """Whatever the order in which jobs change their states."""
    jobs = store(clock)
    for number in range(6):
        await jobs.add([enrichment(clock, str(number), "a.com" if number % 2 else "b.com")])
    for number in (4, 1, 0):
        await jobs.begin(str(number))
    for number in (0, 4):
        await jobs.end(str(number), State.COMPLETED)

    def page(domain: str | None, state: State | None, limit: int = 10, offset: int = 0) -> list[str]:
        return [found.id for found in jobs.page(domain, state, limit=limit, offset=offset)]

    assert page(None, None) == ["5", "4", "3", "2", "1", "0"]
    assert page(None, None, limit=2, offset=3) == ["2", "1"]
    assert page(None, None, limit=2, offset=5) == ["0"]
    assert page(None, None, limit=2, offset=6) == []
    assert page(None, State.COMPLETED) == ["4", "0"]
    assert page("a.com", None) == ["5", "3", "1"]
    assert page("a.com", State.QUEUED) == ["5", "3"]
    assert page("b.com", State.RUNNING) == []
    assert page("c.com", None) == []
    assert jobs.count("b.com", State.COMPLETED) == 2
    newest = jobs.newest("a.com", frozenset({State.RUNNING, State.COMPLETED}))
    assert newest is not None
    assert newest.id == "1"
    assert jobs.newest("a.com", FINISHED) is None


async def test_a_batch_is_taken_in_whole_or_not_at_all_and_forgotten_with_its_last_job(clock: FakeClock) -> None:
    jobs = store(clock, pending=3, seconds=60)
    items = tuple(BatchItem(domain="a.com", job_id=str(number)) for number in range(2))
    batch = Batch(id="b", created_at=clock.now(), concurrency=1, expected_seconds=3, items=items)
    await jobs.add([enrichment(clock, str(number), batch_id="b") for number in range(2)], batch)
    with pytest.raises(TooManyJobs):
        await jobs.add([enrichment(clock, "x"), enrichment(clock, "y")])

    assert jobs.pending == 2
    await jobs.end("0", State.COMPLETED)
    await clock.advance(30)
    await jobs.end("1", State.COMPLETED)
    await clock.advance(30)
    await jobs.add([job(clock, "z")])
    assert jobs.batch("b") == batch
    await clock.advance(30)
    await jobs.add([job(clock, "zz")])
    with pytest.raises(JobNotFound, match="Batch not found"):
        jobs.batch("b")
    assert jobs._index._of_domain == {}
    assert jobs._index._all == []
    assert not any(jobs._index._in_state.values())


async def test_a_forgotten_job_leaves_the_list(clock: FakeClock) -> None:
    jobs = store(clock, finished=1)
    for number in range(2):
        await jobs.add([enrichment(clock, str(number))])
        await jobs.end(str(number), State.COMPLETED)

    assert [found.id for found in jobs.page(None, None, limit=10, offset=0)] == ["1"]
    assert jobs.find("0") is None
