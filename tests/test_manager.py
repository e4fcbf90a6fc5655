"""
Jobs submitted, retried and cancelled.
"""

import re

import pytest

from enrichment.errors import JobConflict, JobNotFound, ShuttingDown, SourceFailed, TooManyJobs
from enrichment.jobs.model import BatchItem
from schemas import JobState
from tests.conftest import FakeClock
from tests.engine import ScriptedEngine, options

M01, M02, M03, M15 = "m01_company_context", "m02_tech_stack", "m03_traffic", "m15_displacement_angle"


@pytest.fixture
def engine(clock: FakeClock) -> ScriptedEngine:
    return ScriptedEngine(clock, max_pending_jobs=3)


async def test_a_submitted_job_is_in_the_store_and_in_the_log(
    engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        job = await engine.submit("a.com", (M01, M02), priority="high")
        lookup = await engine.jobs.submit_lookup("b.com", request_id="r-2")

    assert await engine.store.enrichment(job.id) == job
    assert await engine.store.lookup(lookup.id) == lookup
    assert re.fullmatch(r"enrich_a_com_20260226103500_[0-9a-f]{8}", job.id)
    assert [job.state, job.priority, job.expected_seconds] == [JobState.QUEUED, "high", 6]
    assert caplog.messages == [
        f"job accepted job_id={job.id} request_id=r-1 domain=a.com",
        f"job accepted job_id={lookup.id} request_id=r-2 domain=b.com",
    ]


async def test_a_batch_has_a_job_for_each_item_that_is_not_skipped(engine: ScriptedEngine) -> None:
    items = [BatchItem(domain="a.com"), BatchItem(domain="x", reason="It is no domain."), BatchItem(domain="b.com")]
    batch, jobs = await engine.jobs.submit_batch(items, options((M01, M02)), 2)

    assert [(item.domain, item.job_id) for item in batch.items] == [
        ("a.com", jobs[0].id),
        ("x", None),
        ("b.com", jobs[1].id),
    ]
    assert {job.batch_id for job in jobs} == {batch.id}
    assert [batch.concurrency, batch.expected_seconds] == [2, 6]
    assert (await engine.store.batch(batch.id)).batch == batch


async def test_nothing_is_accepted_beyond_the_limit_or_after_the_end(engine: ScriptedEngine, clock: FakeClock) -> None:
    items = [BatchItem(domain=f"{number}.com") for number in range(3)]
    async with engine:
        await engine.jobs.check_open()
        await engine.jobs.submit_batch(items, options((M01,)), 1)
        with pytest.raises(TooManyJobs):
            await engine.jobs.check_open()
        with pytest.raises(TooManyJobs):
            await engine.submit()

    for refused in (
        engine.jobs.check_open(),
        engine.submit(),
        engine.jobs.submit_lookup("a.com", request_id="r"),
        engine.jobs.submit_batch(items, options(), 1),
    ):
        with pytest.raises(ShuttingDown):
            await refused


async def test_a_retry_runs_failed_modules_and_those_that_were_skipped_because_of_them(
    engine: ScriptedEngine, clock: FakeClock
) -> None:
    engine.scripted.raises = {M02: SourceFailed("down")}
    before = await engine.start("a.com", (M01, M02, M03), priority="low")
    await clock.advance(10)
    before = await engine.now(before)
    failed = await engine.jobs.retry(before, failed_only=True, request_id="r-2")
    everything = await engine.jobs.retry(before, failed_only=False, request_id="r-2")

    assert [step.module_id for step in failed.steps] == [M02]
    assert [step.module_id for step in everything.steps] == [M01, M02, M03]
    assert [failed.domain, failed.priority, failed.force, failed.request_id] == ["a.com", "low", True, "r-2"]


async def test_only_a_finished_job_with_failed_modules_can_be_retried(engine: ScriptedEngine, clock: FakeClock) -> None:
    job = await engine.start("a.com", (M01,))
    with pytest.raises(JobConflict, match="only a finished job can be retried"):
        await engine.jobs.retry(job, failed_only=True, request_id="r")
    await clock.advance(10)
    with pytest.raises(JobConflict, match="there is nothing to retry"):
        await engine.jobs.retry(await engine.now(job), failed_only=True, request_id="r")


async def test_the_newest_unfinished_job_is_cancelled_or_the_named_one(
    engine: ScriptedEngine, clock: FakeClock
) -> None:
    first = await engine.start("a.com", (M03,))
    quick = await engine.start("a.com", (M01,))
    second = await engine.start("a.com", (M03,))
    engine.scripted.seconds = 0
    await engine.jobs.cancel("a.com", quick.id)
    await engine.jobs.cancel("a.com")

    assert (await engine.now(second)).state is JobState.CANCELLED
    assert (await engine.now(quick)).error == "Cancelled on request."
    assert (await engine.now(first)).state is not JobState.CANCELLED


async def test_a_finished_job_cannot_be_cancelled_nor_one_that_does_not_exist(
    engine: ScriptedEngine, clock: FakeClock
) -> None:
    job = await engine.start("a.com", (M01,))
    await clock.advance(10)
    for job_id in (None, job.id):
        with pytest.raises(JobConflict, match=f"Job {job.id} is completed already; there is nothing to cancel"):
            await engine.jobs.cancel("a.com", job_id)
    for domain, job_id in (("b.com", None), ("b.com", job.id), ("a.com", "no such job")):
        with pytest.raises(JobNotFound):
            await engine.jobs.cancel(domain, job_id)
