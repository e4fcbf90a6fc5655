"""
What one enrichment goes through.
"""

import asyncio

import pytest

from enrichment.errors import InsufficientInput, SourceFailed
from enrichment.jobs.model import State
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import FACTS, MODULES, WAVES
from tests.conftest import FakeClock, settle
from tests.engine import Engine, Scripted

M01, M02, M03, M05, M07 = "m01_company_context", "m02_tech_stack", "m03_traffic", "m05_competitors", "m07_financials"
M13, M14, M15 = "m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"


async def test_waves_come_in_order_and_their_modules_side_by_side(clock: FakeClock) -> None:
    engine = Engine(clock)
    job = await engine.start()
    seen = []
    for _ in range(4):
        await settle()
        seen.append([module_id for _, module_id in engine.source.calls])
        await clock.advance(1)

    assert [set(seen[wave]) for wave in range(4)] == [
        {module.id for number in range(1, wave + 1) for module in WAVES[number]}
        - ({M13, M14, M15} if wave == 4 else set())
        for wave in (1, 2, 3, 4)
    ]
    assert engine.now(job).state is State.RUNNING
    await clock.advance(3)
    assert engine.now(job).state is State.COMPLETED
    assert engine.now(job).progress_percent == 100


async def test_inside_a_wave_each_waits_for_what_it_needs(clock: FakeClock) -> None:
    """m13 for the facts, m14 for m13, m15 for m14."""
    engine = Engine(clock)
    await engine.start()
    await clock.advance(7)
    order = [module_id for _, module_id in engine.source.calls]

    assert order[-3:] == [M13, M14, M15]
    assert set(engine.source.subjects[M13].known) == set(FACTS)
    assert set(engine.source.subjects[M14].known) == {*FACTS, M13}
    assert {M02, M14} <= set(engine.source.subjects[M15].known)


async def test_a_failure_is_data_and_spares_the_others(clock: FakeClock) -> None:
    engine = Engine(clock)
    engine.source.raises = {M03: SourceFailed("down"), M05: ValueError("secret")}
    job = await engine.start()
    await clock.advance(20)
    ended = engine.now(job)

    assert ended.state is State.COMPLETED
    assert [ended.completed, ended.failed, ended.skipped, ended.progress_percent] == [13, 2, 0, 100.0]
    assert ended.step(M03).reason == "simulated: down"
    assert [(attempt.source, attempt.error) for attempt in ended.step(M03).attempts] == [("simulated", "down")]
    assert ended.step(M05).reason == "Unexpected ValueError; the log says more."
    assert engine.source.subjects[M14].missing == {M03: ended.step(M03).reason, M05: ended.step(M05).reason}


async def test_a_job_has_failed_only_if_nothing_succeeded(clock: FakeClock) -> None:
    engine = Engine(clock)
    engine.source.raises = dict.fromkeys(MODULES, SourceFailed("down"))
    job = await engine.start(modules=(M01, M02))
    await clock.advance(20)
    ended = engine.now(job)

    assert ended.state is State.FAILED
    assert ended.error == f"No module brought anything. {M01}: simulated: down; {M02}: simulated: down"


async def test_a_module_with_nothing_to_work_on_is_skipped_with_the_reason_and_for_whom(clock: FakeClock) -> None:
    engine = Engine(clock)
    engine.source.raises = {M02: SourceFailed("down"), M15: InsufficientInput("m02 is needed.")}
    job = await engine.start(modules=(M01, M02, M15))
    await clock.advance(20)
    step = engine.now(job).step(M15)

    assert [step.state, step.reason, step.skipped_due_to] == ["skipped", "m02 is needed.", (M02,)]
    assert engine.now(job).progress_percent == 100


async def test_a_module_skipped_for_another_reason_names_nobody(clock: FakeClock) -> None:
    engine = Engine(clock)
    engine.source.raises = {M15: InsufficientInput("m02 is needed.")}
    job = await engine.start(modules=(M01, M15))
    await clock.advance(20)

    assert engine.now(job).step(M15).skipped_due_to == ()
    assert engine.source.subjects[M15].missing[M02] == "It is neither part of this job nor in the cache."


async def test_a_cached_module_costs_nothing(clock: FakeClock) -> None:
    engine = Engine(clock)
    first = await engine.start()
    await clock.advance(20)
    calls = len(engine.source.calls)
    second = await engine.start()
    await settle()

    assert len(engine.source.calls) == calls
    assert engine.now(second).state is State.COMPLETED
    assert all(step.cached for step in engine.now(second).steps)
    assert engine.body(second, M03) == engine.body(first, M03)
    assert engine.now(second).started_at == engine.now(second).finished_at


async def test_force_does_not_read_the_cache_but_writes_it(clock: FakeClock) -> None:
    engine = Engine(clock)
    await engine.start(modules=(M03,))
    await clock.advance(2)
    forced = await engine.start(modules=(M03,), force=True)
    await clock.advance(2)
    third = await engine.start(modules=(M03,))
    await settle()

    assert len(engine.source.calls) == 2
    assert not engine.now(forced).step(M03).cached
    assert engine.body(third, M03) == engine.body(forced, M03)


async def test_a_failure_is_never_cached(clock: FakeClock) -> None:
    engine = Engine(clock)
    engine.source.raises = {M03: SourceFailed("down")}
    await engine.start(modules=(M01, M03))
    await clock.advance(5)
    engine.source.raises = {}
    second = await engine.start(modules=(M03,))
    await clock.advance(5)

    assert engine.states(second) == {M03: "completed"}
    assert not engine.now(second).step(M03).cached


async def test_a_derived_answer_is_worked_out_again_when_what_it_is_based_on_has_changed(clock: FakeClock) -> None:
    engine = Engine(clock)
    await engine.start()
    await clock.advance(20)
    await engine.start(modules=(M03,), force=True)
    await clock.advance(20)
    engine.source.calls.clear()
    third = await engine.start()
    await clock.advance(20)

    assert [module_id for _, module_id in engine.source.calls] == [M13, M14, M15]
    assert engine.now(third).step(M03).cached


async def test_a_derived_module_alone_works_with_what_is_cached(clock: FakeClock) -> None:
    engine = Engine(clock)
    await engine.start(modules=(M01, M02))
    await clock.advance(5)
    await engine.start(modules=(M15,))
    await clock.advance(5)

    assert set(engine.source.subjects[M15].known) == {M01, M02}


async def test_two_jobs_that_want_the_same_share_one_call(clock: FakeClock) -> None:
    """Forced or not: what is under way is as new as can be."""
    engine = Engine(clock)
    jobs = [await engine.start(modules=(M03,), force=force) for force in (False, True, True)]
    await clock.advance(5)

    assert engine.source.calls == [("a.com", M03)]
    assert {engine.body(job, M03) for job in jobs} == {engine.body(jobs[0], M03)}


async def test_cancelling_one_of_two_leaves_the_other_its_call(clock: FakeClock) -> None:
    engine = Engine(clock)
    first, second = [await engine.start(modules=(M03,)) for _ in range(2)]
    await settle()
    await engine.runner.cancel("a.com", first.id)
    await clock.advance(5)

    assert engine.source.stopped == []
    assert [engine.now(job).state for job in (first, second)] == [State.CANCELLED, State.COMPLETED]


async def test_cancelling_stops_the_calls_and_keeps_what_was_done(clock: FakeClock) -> None:
    engine = Engine(clock)
    job = await engine.start()
    await clock.advance(1)
    cancelled = await engine.runner.cancel("a.com")
    await settle()

    assert sorted(engine.source.stopped) == sorted(("a.com", module.id) for module in WAVES[2])
    assert cancelled.completed == 2
    states = engine.states(job)
    assert [states[M01], states[M02], states[M03], states[M15]] == ["completed", "completed", "cancelled", "cancelled"]
    assert engine.body(job, M01)
    await clock.advance(100)
    assert engine.now(job) == cancelled


async def test_a_module_that_takes_too_long_has_failed(clock: FakeClock) -> None:
    engine = Engine(clock)
    engine.source.seconds = 25
    job = await engine.start(modules=(M01, M03))
    await clock.advance(60)

    assert engine.states(job) == {M01: "completed", M03: "failed"}
    assert engine.now(job).step(M03).reason == "No answer within 20 seconds."
    assert engine.source.stopped == [("a.com", M03)]


async def test_a_job_that_takes_too_long_ends_with_what_it_has(clock: FakeClock) -> None:
    engine = Engine(clock, deadline_seconds=3.5)
    job = await engine.start()
    await clock.advance(10)
    ended = engine.now(job)

    assert ended.state is State.COMPLETED
    assert [ended.completed, ended.failed] == [9, 6]
    assert ended.finished_at == job.created_at + 3.5
    assert ended.step(M14).reason == "The job's deadline of 3.5 seconds passed."
    assert all(not count for count in engine.source.running.values())


async def test_the_next_source_answers_if_the_first_does_not_and_the_finding_says_so(clock: FakeClock) -> None:
    down = Scripted(clock)
    down.raises = dict.fromkeys(MODULES, SourceFailed("down"))
    engine = Engine(clock, sources={"similarweb": down, "simulated": (source := Scripted(clock))})
    job = await engine.start(modules=(M03, M13))
    await clock.advance(10)
    finding = engine.now(job).step(M03).finding

    assert finding
    assert [(attempt.source, attempt.duration_seconds, attempt.error) for attempt in finding.attempts] == [
        ("similarweb", 1.0, "down"),
        ("simulated", 1.0, None),
    ]
    assert source.calls == [("a.com", M03)]
    assert engine.now(job).step(M13).reason == "None of its sources is set up: local."
    assert engine.states(job)[M13] == "skipped"


async def test_a_shared_call_that_dies_leaves_no_job_running(clock: FakeClock) -> None:
    """Nobody cancels a call but us; if somebody does, the job ends all the same."""

    class Dying:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            raise asyncio.CancelledError

    engine = Engine(clock, sources={"simulated": Dying()})
    job = await engine.start(modules=(M03,))
    await clock.advance(1)

    assert engine.now(job).state is State.FAILED
    assert engine.states(job) == {M03: "cancelled"}


async def test_every_module_has_what_it_needs_in_its_own_or_an_earlier_wave() -> None:
    for module in MODULES.values():
        for need in module.needs:
            assert list(MODULES).index(need) < list(MODULES).index(module.id)
            assert MODULES[need].wave <= module.wave
    assert len(MODULES) == 15
    with pytest.raises(KeyError):
        MODULES["m16"]
