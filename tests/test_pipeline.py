"""
The way of an enrichment through its waves.
"""

import asyncio

import pytest

from enrichment.errors import InsufficientInput, SourceFailed
from enrichment.jobs.cache import MemoryCache
from enrichment.jobs.pipeline import Pipeline
from enrichment.jobs.resolver import Resolver
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import FACTS, MODULES, WAVES
from schemas import JobState, StepState
from tests.conftest import FakeClock, settle
from tests.engine import Scripted, ScriptedEngine

M01, M02, M03, M05, M07 = "m01_company_context", "m02_tech_stack", "m03_traffic", "m05_competitors", "m07_financials"
M13, M14, M15 = "m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"


async def test_waves_run_one_after_the_other_and_the_modules_of_a_wave_together(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    job = await engine.start()
    seen = []
    for _ in range(4):
        await settle()
        seen.append([module_id for _, module_id in engine.scripted.calls])
        await clock.advance(1)

    assert [set(seen[wave]) for wave in range(4)] == [
        {module.id for number in range(1, wave + 1) for module in WAVES[number]}
        - ({M13, M14, M15} if wave == 4 else set())
        for wave in (1, 2, 3, 4)
    ]
    assert (await engine.now(job)).state is JobState.RUNNING
    await clock.advance(3)
    completed = await engine.now(job)
    assert [completed.state, completed.progress_percent] == [JobState.COMPLETED, 100]


async def test_a_module_waits_for_those_of_its_wave_that_it_needs(clock: FakeClock) -> None:
    """m13 for the facts, m14 for m13, m15 for m14."""
    engine = ScriptedEngine(clock)
    await engine.start()
    await clock.advance(7)
    order = [module_id for _, module_id in engine.scripted.calls]

    assert order[-3:] == [M13, M14, M15]
    assert set(engine.scripted.subjects[M13].known) == set(FACTS)
    assert set(engine.scripted.subjects[M14].known) == {*FACTS, M13}
    assert {M02, M14} <= set(engine.scripted.subjects[M15].known)


async def test_a_failed_module_is_data_and_the_others_go_on(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = {M03: SourceFailed("down"), M05: ValueError("secret")}
    job = await engine.start()
    await clock.advance(20)
    done = await engine.now(job)

    assert done.state is JobState.COMPLETED
    assert [done.completed, done.failed, done.skipped, done.progress_percent] == [13, 2, 0, 100.0]
    assert done.step(M03).reason == "simulated: down"
    assert [(attempt.source, attempt.error) for attempt in done.step(M03).attempts] == [("simulated", "down")]
    assert done.step(M05).reason == "simulated: Unexpected ValueError; the log has the details."
    assert engine.scripted.subjects[M14].missing == {M03: done.step(M03).reason, M05: done.step(M05).reason}


async def test_a_step_has_the_times_of_its_beginning_and_its_end_and_a_failure_is_logged(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = {M02: SourceFailed("down")}
    begin = clock.now()
    job = await engine.start(modules=(M01, M02))
    await clock.advance(0.5)
    running = (await engine.now(job)).steps
    await clock.advance(0.5)
    ended = (await engine.now(job)).steps

    assert [(step.state, step.started_at, step.ended_at) for step in running] == [("running", begin, None)] * 2
    assert [(step.state, step.started_at, step.ended_at) for step in ended] == [
        ("completed", begin, begin + 1),
        ("failed", begin, begin + 1),
    ]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f'module failed module={M02} reason="simulated: down" job_id={job.id} request_id=r-1 domain=a.com'
    ]


async def test_a_job_has_failed_only_if_no_module_returned_a_result(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = dict.fromkeys(MODULES, SourceFailed("down"))
    job = await engine.start(modules=(M01, M02))
    await clock.advance(20)
    failed = await engine.now(job)

    assert failed.state is JobState.FAILED
    assert failed.error == f"No module returned a result. {M01}: simulated: down; {M02}: simulated: down"


async def test_a_module_without_enough_input_is_skipped_and_names_the_failed_modules_it_needed(
    clock: FakeClock,
) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = {M02: SourceFailed("down"), M15: InsufficientInput("m02 is needed.")}
    job = await engine.start(modules=(M01, M02, M15))
    await clock.advance(20)
    done = await engine.now(job)
    step = done.step(M15)

    assert [step.state, step.reason, step.skipped_due_to] == [StepState.SKIPPED, "m02 is needed.", (M02,)]
    assert done.progress_percent == 100


async def test_those_that_need_a_skipped_module_get_its_reason_and_name_it_if_a_failure_was_its_cause(
    clock: FakeClock,
) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = {
        M02: SourceFailed("down"),
        M13: InsufficientInput("m02 is needed."),
        M14: InsufficientInput("m13 is needed."),
    }
    job = await engine.start(modules=(M02, M13, M14))
    await clock.advance(20)

    assert engine.scripted.subjects[M14].missing[M13] == "m02 is needed."
    assert (await engine.now(job)).step(M14).skipped_due_to == (M02, M13)


async def test_a_module_that_is_skipped_without_a_failure_names_none(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = {M15: InsufficientInput("m02 is needed.")}
    job = await engine.start(modules=(M01, M15))
    await clock.advance(20)

    assert (await engine.now(job)).step(M15).skipped_due_to == ()
    assert engine.scripted.subjects[M15].missing[M02] == "It is neither part of this job nor in the cache."


async def test_cached_modules_need_no_call_and_no_time(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    first = await engine.start()
    await clock.advance(20)
    calls = len(engine.scripted.calls)
    second = await engine.start()
    await settle()
    done = await engine.now(second)

    assert len(engine.scripted.calls) == calls
    assert done.state is JobState.COMPLETED
    assert all(step.cached for step in done.steps)
    assert await engine.fact(second, M03) == await engine.fact(first, M03)
    assert done.started_at == done.finished_at


async def test_a_forced_job_does_not_read_the_cache_but_writes_it(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    await engine.start(modules=(M03,))
    await clock.advance(2)
    forced = await engine.start(modules=(M03,), force=True)
    await clock.advance(2)
    third = await engine.start(modules=(M03,))
    await settle()

    assert len(engine.scripted.calls) == 2
    assert not (await engine.now(forced)).step(M03).cached
    assert await engine.fact(third, M03) == await engine.fact(forced, M03)


async def test_a_failure_is_never_cached(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.raises = {M03: SourceFailed("down")}
    await engine.start(modules=(M01, M03))
    await clock.advance(5)
    engine.scripted.raises = {}
    second = await engine.start(modules=(M03,))
    await clock.advance(5)

    assert await engine.states(second) == {M03: "completed"}
    assert not (await engine.now(second)).step(M03).cached


async def test_a_module_is_derived_again_when_a_finding_that_it_needs_has_changed(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    await engine.start()
    await clock.advance(20)
    await engine.start(modules=(M03,), force=True)
    await clock.advance(20)
    engine.scripted.calls.clear()
    third = await engine.start()
    await clock.advance(20)

    assert [module_id for _, module_id in engine.scripted.calls] == [M13, M14, M15]
    assert (await engine.now(third)).step(M03).cached


async def test_a_derived_module_alone_works_with_what_is_cached(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    await engine.start(modules=(M01, M02))
    await clock.advance(5)
    await engine.start(modules=(M15,))
    await clock.advance(5)

    assert set(engine.scripted.subjects[M15].known) == {M01, M02}


async def test_jobs_that_need_the_same_answer_share_one_call(clock: FakeClock) -> None:
    """Forced or not: an answer that is on its way is as new as can be."""
    engine = ScriptedEngine(clock)
    jobs = [await engine.start(modules=(M03,), force=force) for force in (False, True, True)]
    await clock.advance(5)

    assert engine.scripted.calls == [("a.com", M03)]
    assert {await engine.fact(job, M03) for job in jobs} == {await engine.fact(jobs[0], M03)}


async def test_cancelling_one_of_two_jobs_leaves_the_other_its_call(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    first, second = [await engine.start(modules=(M03,)) for _ in range(2)]
    await settle()
    await engine.jobs.cancel("a.com", first.id)
    await clock.advance(5)

    assert engine.scripted.stopped == []
    assert [(await engine.now(job)).state for job in (first, second)] == [JobState.CANCELLED, JobState.COMPLETED]


async def test_cancelling_a_job_stops_its_calls_and_keeps_its_results(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    job = await engine.start()
    await clock.advance(1)
    await engine.jobs.cancel("a.com")
    await settle()
    cancelled = await engine.now(job)

    assert sorted(engine.scripted.stopped) == sorted(("a.com", module.id) for module in WAVES[2])
    assert [cancelled.state, cancelled.completed] == [JobState.CANCELLED, 2]
    states = await engine.states(job)
    assert [states[M01], states[M02], states[M03], states[M15]] == ["completed", "completed", "cancelled", "cancelled"]
    assert await engine.fact(job, M01)
    await clock.advance(100)
    assert await engine.now(job) == cancelled


async def test_a_module_that_takes_too_long_has_failed(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    engine.scripted.seconds = 25
    job = await engine.start(modules=(M01, M03))
    await clock.advance(60)

    assert await engine.states(job) == {M01: "completed", M03: "failed"}
    assert (await engine.now(job)).step(M03).reason == "No answer within 20 seconds."
    assert engine.scripted.stopped == [("a.com", M03)]


async def test_a_job_that_takes_too_long_ends_with_the_results_that_it_has(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock, job_deadline_seconds=3.5)
    job = await engine.start()
    await clock.advance(10)
    done = await engine.now(job)

    assert done.state is JobState.COMPLETED
    assert [done.completed, done.failed] == [9, 6]
    assert done.finished_at == job.created_at + 3.5
    assert done.step(M14).reason == "The job's deadline of 3.5 seconds passed."
    assert all(not count for count in engine.scripted.running.values())


async def test_the_next_source_is_asked_if_the_first_fails_and_the_finding_lists_both(clock: FakeClock) -> None:
    down = Scripted(clock)
    down.raises = dict.fromkeys(MODULES, SourceFailed("down"))
    engine = ScriptedEngine(clock, sources={"similarweb": down, "simulated": (source := Scripted(clock))})
    job = await engine.start(modules=(M03, M13))
    await clock.advance(10)
    done = await engine.now(job)
    finding = done.step(M03).finding

    assert finding
    assert [(attempt.source, attempt.duration_seconds, attempt.error) for attempt in finding.attempts] == [
        ("similarweb", 1.0, "down"),
        ("simulated", 1.0, None),
    ]
    assert source.calls == [("a.com", M03)]
    assert [done.step(M13).state, done.step(M13).reason] == ["skipped", "None of its sources is configured: local."]


async def test_a_call_that_is_cancelled_from_outside_has_failed(clock: FakeClock) -> None:
    class Cancelled:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            raise asyncio.CancelledError

    engine = ScriptedEngine(clock, sources={"simulated": Cancelled()})
    job = await engine.start(modules=(M03,))
    await clock.advance(1)

    assert (await engine.now(job)).state is JobState.FAILED
    assert await engine.states(job) == {M03: "failed"}


async def test_no_call_begins_for_a_job_that_is_finished(clock: FakeClock) -> None:
    engine = ScriptedEngine(clock)
    pipeline = Pipeline(
        store=engine.store,
        resolver=Resolver(cache=engine.cache, sources={"simulated": engine.scripted}, clock=clock),
        clock=clock,
        deadline_seconds=9,
    )
    job = await engine.submit(modules=(M01, M03))
    await engine.store.finish(job.id, JobState.CANCELLED)
    await pipeline.run(job)

    assert engine.scripted.calls == []
    assert await engine.states(job) == {M01: "cancelled", M03: "cancelled"}


@pytest.mark.parametrize(
    "error", [ConnectionError("secret inside"), BaseExceptionGroup("secret inside", [SystemExit()])]
)
async def test_an_unexpected_error_inside_fails_the_module_and_is_logged(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    class BrokenCache(MemoryCache):
        async def put(self, domain: str, module_id: str, finding: Finding) -> None:
            if module_id == M03:
                raise error

    engine = ScriptedEngine(clock)
    cache = BrokenCache(max_results=9, max_bytes=9, clock=clock)
    resolver = Resolver(cache=cache, sources={"simulated": engine.scripted}, clock=clock)
    pipeline = Pipeline(store=engine.store, resolver=resolver, clock=clock, deadline_seconds=9)
    job = await engine.submit(modules=(M01, M03))
    run = asyncio.create_task(pipeline.run(job))
    await clock.advance(3)
    await run

    assert await engine.states(job) == {M01: "completed", M03: "failed"}
    assert (await engine.now(job)).step(M03).reason == f"Unexpected {type(error).__name__}; the log says more."
    assert f"module failed module={M03} job_id={job.id}" in caplog.text
    assert "secret inside" in caplog.text


async def test_every_module_needs_modules_of_its_own_or_an_earlier_wave_only() -> None:
    order = list(MODULES)
    for module in MODULES.values():
        for need in module.needs:
            assert order.index(need) < order.index(module.id)
            assert MODULES[need].wave <= module.wave
