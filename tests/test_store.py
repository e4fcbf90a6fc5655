"""
The store: bounded, and each job ends once.
"""

import pytest

from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.jobs import FINISHED, Job, JobStore, State
from tests.conftest import FakeClock


def store(clock: FakeClock, *, pending: int = 100, finished: int = 100, seconds: float = 60) -> JobStore:
    return JobStore(max_pending=pending, max_finished=finished, retention_seconds=seconds, clock=clock)


def job(clock: FakeClock, job_id: str = "1") -> Job:
    return Job(id=job_id, domain="a.com", request_id="r", created_at=clock.now(), expected_seconds=2.5)


async def test_a_job_can_be_read_as_soon_as_it_is_added(clock: FakeClock) -> None:
    jobs = store(clock)
    await jobs.add(job(clock))

    assert jobs.get("1") == job(clock)
    assert jobs.unfinished() == [job(clock)]


async def test_a_job_begins_once(clock: FakeClock) -> None:
    jobs = store(clock)
    await jobs.add(job(clock))

    assert await jobs.begin("1")
    assert jobs.get("1").state is State.RUNNING
    assert jobs.get("1").started_at == clock.now()
    assert not await jobs.begin("1")
    assert not await jobs.begin("no such job")


@pytest.mark.parametrize("first", sorted(FINISHED))
@pytest.mark.parametrize("second", sorted(FINISHED))
async def test_the_first_end_counts(clock: FakeClock, first: State, second: State) -> None:
    jobs = store(clock)
    await jobs.add(job(clock))
    ended = await jobs.end("1", first, error="first")

    assert ended is not None
    assert await jobs.end("1", second, error="second") is None
    assert await jobs.end("no such job", second) is None
    assert not await jobs.begin("1")
    assert jobs.get("1") == ended
    assert [ended.state, ended.error, ended.is_finished] == [first, "first", True]


async def test_one_unfinished_job_too_many_is_refused_until_another_ends(clock: FakeClock) -> None:
    jobs = store(clock, pending=2)
    await jobs.add(job(clock, "1"))
    await jobs.add(job(clock, "2"))
    with pytest.raises(TooManyJobs, match="2 jobs are unfinished") as refused:
        await jobs.add(job(clock, "3"))
    await jobs.end("1", State.COMPLETED)
    await jobs.add(job(clock, "3"))

    assert refused.value.retry_after == 3
    assert [held.id for held in jobs.unfinished()] == ["2", "3"]


async def test_finished_jobs_are_forgotten_when_their_time_is_over_and_leave_nothing_behind(clock: FakeClock) -> None:
    jobs = store(clock, seconds=60)
    for number in range(3):
        await jobs.add(job(clock, str(number)))
    for number in range(3):
        await jobs.end(str(number), State.COMPLETED)
        await clock.advance(30)

    for forgotten in ("0", "1"):
        with pytest.raises(JobNotFound):
            jobs.get(forgotten)
    assert jobs.get("2").is_finished
    await jobs.add(job(clock, "3"))
    assert len(jobs._jobs) == 2
    assert jobs.pending == 1


async def test_of_too_many_finished_jobs_the_oldest_goes_first(clock: FakeClock) -> None:
    jobs = store(clock, finished=2)
    for number in range(4):
        await jobs.add(job(clock, str(number)))
    for number in (2, 0, 3):
        await jobs.end(str(number), State.COMPLETED)

    with pytest.raises(JobNotFound):
        jobs.get("2")
    assert [jobs.get(kept).is_finished for kept in ("0", "3", "1")] == [True, True, False]


async def test_when_to_ask_again_is_whole_seconds_and_never_at_once(clock: FakeClock) -> None:
    waiting = job(clock)

    assert [waiting.seconds_left(clock.now() + passed) for passed in (0, 0.6, 1.5, 2.4, 2.5, 99)] == [3, 2, 1, 1, 1, 1]
