"""
What jobs spend, and that they stop before they could spend more than `max_cost`.
"""

import asyncio
from typing import Any

import pytest

from enrichment.errors import InsufficientInput, JobConflict, SourceFailed
from enrichment.jobs.model import BatchItem, Enrichment, Terms
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.costs import Charge, charging
from schemas import JobState, StepState
from tests.conftest import FakeClock, settle
from tests.engine import Scripted, ScriptedEngine, options

M01, M02, M03, M07, M08 = "m01_company_context", "m02_tech_stack", "m03_traffic", "m07_financials", "m08_stock_info"
M13 = "m13_case_study_match"
DIME = 100_000


def engine(clock: FakeClock, *names: str, **settings: Any) -> ScriptedEngine:
    """An engine with these sources, all of which are `scripted` of the engine that is returned."""
    prices = {"apollo_cost_per_call": 0.1, "similarweb_cost_per_call": 0.1, "builtwith_cost_per_call": 0.25}
    scripted = Scripted(clock)
    made = ScriptedEngine(clock, sources=dict.fromkeys(names, scripted), **(prices | settings))
    made.scripted = scripted
    return made


def limit(amount: float, **more: Any) -> Terms:
    return Terms(max_cost=int(amount * 1_000_000), **more)


def spent(job: Enrichment) -> dict[str, tuple[int, int]]:
    """The calls and the amount of each source."""
    return {charge.source: (charge.calls, charge.amount) for charge in job.charges}


async def test_a_job_spends_what_its_calls_cost(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "builtwith", "similarweb", "yahoo")
    job = await made.start(modules=(M01, M02, M03, M08))
    await clock.advance(10)

    assert spent(await made.now(job)) == {
        "apollo": (1, DIME),
        "builtwith": (1, 250_000),
        "similarweb": (1, DIME),
        "yahoo": (1, 0),
    }
    assert {name: charge.calls for name, charge in made._ledger.totals.items()} == {
        "apollo": 1,
        "builtwith": 1,
        "similarweb": 1,
        "yahoo": 1,
    }


async def test_failed_calls_cost_as_well(clock: FakeClock) -> None:
    """Each source of the chain, since nobody knows whether the vendor bills a call without an answer."""
    made = engine(clock, "apollo", "clearbit", "yahoo", clearbit_cost_per_call=0.5)
    made.scripted.raises = {M01: SourceFailed("down")}
    job = await made.start(modules=(M01,))
    await clock.advance(10)

    assert spent(await made.now(job)) == {"apollo": (1, DIME), "clearbit": (1, 500_000), "yahoo": (1, 0)}


async def test_cached_answers_cost_nothing(clock: FakeClock) -> None:
    made = engine(clock, "apollo")
    await made.start(modules=(M01,))
    await clock.advance(10)
    job = await made.start(modules=(M01,), terms=limit(0))
    await clock.advance(10)

    assert spent(await made.now(job)) == {}
    assert (await made.now(job)).step(M01).cached


async def test_a_shared_call_is_paid_by_the_job_that_has_caused_it(clock: FakeClock) -> None:
    made = engine(clock, "apollo")
    first = await made.start(modules=(M01,))
    second = await made.start(modules=(M01,), terms=limit(0))
    await clock.advance(10)

    assert len(made.scripted.calls) == 1
    assert [spent(await made.now(job)) for job in (first, second)] == [{"apollo": (1, DIME)}, {}]
    assert (await made.now(second)).state is JobState.COMPLETED
    assert made._ledger.totals["apollo"].amount == DIME


async def test_if_the_first_job_cannot_pay_the_next_one_that_waits_does(clock: FakeClock) -> None:
    made = engine(clock, "apollo", max_running_jobs=2)
    poor = await made.submit(modules=(M01,), terms=limit(0.05))
    rich = await made.submit(modules=(M01,))
    await made.jobs.dispatch([poor, rich])
    await clock.advance(10)

    assert [spent(await made.now(job)) for job in (poor, rich)] == [{}, {"apollo": (1, DIME)}]
    assert len(made.scripted.calls) == 1
    assert {(await made.now(job)).state for job in (poor, rich)} == {JobState.COMPLETED}


async def test_the_next_call_of_a_chain_is_paid_by_who_still_waits(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "clearbit", clearbit_cost_per_call=0.5)
    made.scripted.raises = {M01: SourceFailed("down")}
    first = await made.start(modules=(M01,))
    second = await made.start(modules=(M01,))
    await settle()
    await made.jobs.cancel("a.com", first.id)
    await clock.advance(10)

    assert [spent(await made.now(job)) for job in (first, second)] == [
        {"apollo": (1, DIME)},
        {"clearbit": (1, 500_000)},
    ]


async def test_a_cancelled_job_shows_what_it_had_spent(clock: FakeClock) -> None:
    """The call that was under way included, which may be billed."""
    made = engine(clock, "apollo", "yahoo", "similarweb")
    job = await made.start(modules=(M01, M03, M08))
    await clock.advance(1.5)
    await made.jobs.cancel("a.com", job.id)
    await clock.advance(5)
    cancelled = await made.now(job)

    assert cancelled.state is JobState.CANCELLED
    assert spent(cancelled) == {"apollo": (1, DIME), "similarweb": (1, DIME)}


async def test_free_calls_of_a_cancelled_job_are_counted_too(clock: FakeClock) -> None:
    made = engine(clock, "yahoo")
    job = await made.start(modules=(M08,))
    await settle()
    await made.jobs.cancel("a.com", job.id)
    await settle()

    assert spent(await made.now(job)) == {"yahoo": (1, 0)}


async def test_a_job_stops_before_the_call_that_could_go_beyond_its_limit(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "similarweb", "yahoo", "local", similarweb_cost_per_call=0.25)
    await made.start(modules=(M08,))
    await clock.advance(5)
    job = await made.start(modules=(M01, M03, M07, M08, M13), terms=limit(0.3))
    await clock.advance(20)
    done = await made.now(job)

    assert spent(done) == {"apollo": (1, DIME)}
    assert {step.module_id: step.state for step in done.steps} == {
        M01: StepState.COMPLETED,
        M03: StepState.SKIPPED,
        M07: StepState.SKIPPED,
        M08: StepState.COMPLETED,  # from the cache
        M13: StepState.SKIPPED,
    }
    reason = "The job has a max_cost of 0.3 USD; a call of similarweb, which costs 0.25 USD, could go beyond it."
    assert {step.reason for step in done.steps if step.stopped} == {reason}
    assert done.state is JobState.COMPLETED


@pytest.mark.parametrize(("max_cost", "calls"), [(0.0, 0), (0.09, 0), (0.1, 1), (0.19, 1), (0.2, 2), (0.3, 2)])
async def test_the_limit_itself_may_be_spent(clock: FakeClock, max_cost: float, calls: int) -> None:
    made = engine(clock, "apollo", "similarweb")
    job = await made.start(modules=(M01, M03), terms=limit(max_cost))
    await clock.advance(10)

    assert len(made.scripted.calls) == calls
    assert sum(amount for _, amount in spent(await made.now(job)).values()) == calls * DIME


async def test_calls_at_the_same_time_do_not_pass_the_limit(clock: FakeClock) -> None:
    """Four modules of a wave begin at once."""
    made = engine(clock, "similarweb")
    four = (M03, "m04_traffic_sources", "m05_competitors", "m06_keywords")
    job = await made.start(modules=four, terms=limit(0.25))
    await clock.advance(10)

    assert spent(await made.now(job)) == {"similarweb": (2, 2 * DIME)}
    assert sorted((await made.states(job)).values()) == ["completed", "completed", "skipped", "skipped"]


async def test_a_call_of_unknown_cost_is_not_made_within_a_limit(clock: FakeClock) -> None:
    """The next source of the chain is asked, or the module is skipped; the job goes on."""
    made = engine(clock, "clearbit", "yahoo", "similarweb", similarweb_cost_per_call=None)
    job = await made.start(modules=(M01, M03, M08), terms=limit(5))
    await clock.advance(10)
    done = await made.now(job)

    assert spent(done) == {"yahoo": (2, 0)}
    finding = done.step(M01).finding
    assert finding
    assert [(each.source, each.outcome) for each in finding.attempts] == [
        ("clearbit", "not_asked"),
        ("yahoo", "answered"),
    ]
    skipped = done.step(M03)
    assert (skipped.state, skipped.stopped) == (StepState.SKIPPED, True)
    assert skipped.reason == (
        "similarweb: It is not asked: the job has a max_cost, and what a call costs is not known."
    )
    assert done.step(M08).state is StepState.COMPLETED


async def test_a_call_of_unknown_cost_is_counted_without_a_limit(clock: FakeClock) -> None:
    made = engine(clock, "clearbit")
    job = await made.start(modules=(M01,))
    await clock.advance(10)

    (charge,) = (await made.now(job)).charges
    assert charge == Charge(source="clearbit", calls=1, billed=1, unknown_amounts=1, unknown_credits=1)


async def test_a_real_failure_is_not_hidden_by_a_call_of_unknown_cost(clock: FakeClock) -> None:
    made = engine(clock, "clearbit", "yahoo")
    made.scripted.raises = {M01: SourceFailed("down")}
    job = await made.start(modules=(M01,), terms=limit(5))
    await clock.advance(10)

    assert (await made.now(job)).step(M01).state is StepState.FAILED


async def test_all_jobs_of_a_batch_spend_its_limit_together(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "similarweb")
    items = [BatchItem(domain=f"{number}.com") for number in range(20)]
    batch, jobs = await made.jobs.submit_batch(items, options((M01, M03), terms=limit(0.75)), 20)
    await made.jobs.dispatch(jobs, batch)
    await clock.advance(60)
    snapshot = await made.store.batch(batch.id)

    assert len(made.scripted.calls) == 7
    assert sum(amount for job in snapshot.jobs.values() for _, amount in spent(job).values()) == 7 * DIME
    assert {charge.source: charge.calls for charge in snapshot.charges} == {"apollo": 7}
    done = await made.now(jobs[-1])
    assert done.state is JobState.FAILED
    assert (done.step(M01).reason or "").startswith("The batch has a max_cost of 0.75 USD; a call of apollo")


async def test_what_forgotten_jobs_of_a_batch_have_spent_still_counts(clock: FakeClock) -> None:
    made = engine(clock, "apollo", max_finished_jobs=1)
    items = [BatchItem(domain=f"{number}.com") for number in range(5)]
    batch, jobs = await made.jobs.submit_batch(items, options((M01,), terms=limit(0.3)), 1)
    await made.jobs.dispatch(jobs, batch)
    await clock.advance(60)
    snapshot = await made.store.batch(batch.id)

    assert len(snapshot.jobs) == 1
    assert [charge.amount for charge in snapshot.charges] == [3 * DIME]


async def test_who_joins_a_call_that_could_not_be_paid_makes_another_one(clock: FakeClock) -> None:
    """It joins while the call ends: after the others were asked to pay, and before its task is done."""
    made = engine(clock, "apollo")
    poor = await made.submit(modules=(M01,), terms=limit(0))
    rich = await made.submit(modules=(M01,))
    store, joined = made.store, asyncio.Event()
    charge = store.charge

    async def slow(job_id: str, charges: Any) -> bool:
        is_charged = await charge(job_id, charges)
        if job_id == poor.id:
            await made.jobs.dispatch([rich])
            await settle_a_little()
            joined.set()
        return is_charged

    async def settle_a_little() -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    store.charge = slow  # type: ignore[method-assign]
    await made.jobs.dispatch([poor])
    await clock.advance(10)

    assert joined.is_set()
    assert [spent(await made.now(job)) for job in (poor, rich)] == [{}, {"apollo": (1, DIME)}]


async def test_a_retried_job_may_spend_as_much_again_or_another_amount(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "builtwith")
    job = await made.start(modules=(M01, M02), terms=limit(0.1))
    await clock.advance(10)
    before = await made.now(job)
    same = await made.jobs.retry(before, failed_only=True, request_id="r")
    more = await made.jobs.retry(before, failed_only=True, request_id="r", max_cost=250_000)
    await made.jobs.dispatch([same, more])
    await clock.advance(10)

    assert [step.module_id for step in same.steps] == [M02]
    assert (same.terms.max_cost, more.terms.max_cost) == (100_000, 250_000)
    assert spent(await made.now(more)) == {"builtwith": (1, 250_000)}
    with pytest.raises(JobConflict):
        await made.jobs.retry(await made.now(more), failed_only=True, request_id="r")


async def test_a_source_that_lacks_input_has_been_paid(clock: FakeClock) -> None:
    made = engine(clock, "apollo")
    made.scripted.raises = {M01: InsufficientInput("too little")}
    job = await made.start(modules=(M01,))
    await clock.advance(10)

    assert spent(await made.now(job)) == {"apollo": (1, DIME)}


class Careful:
    """A source that makes two calls of which the vendor bills only those that `answers`."""

    def __init__(self, clock: FakeClock, answers: tuple[bool, ...]) -> None:
        self.clock = clock
        self.answers = answers

    async def ask(self, module: Module, subject: Subject) -> Finding:
        for is_billed in self.answers:
            async with charging("apollo") as call:
                call.is_sent, call.is_billed = True, is_billed
        return await Scripted(self.clock).ask(module, subject)


async def test_what_is_not_billed_can_be_spent_again(clock: FakeClock) -> None:
    """The limit of two calls is enough for any number of which two are billed, one after the other."""
    made = engine(clock, "apollo")
    careful = Careful(clock, (False, False, True, False, True))
    made.memory_dispatcher._resolver._sources["apollo"] = careful  # type: ignore[index]
    job = await made.start(modules=(M01,), terms=limit(0.2))
    await clock.advance(10)

    (charge,) = (await made.now(job)).charges
    assert (charge.calls, charge.billed, charge.amount) == (5, 2, 2 * DIME)
    assert (await made.now(job)).state is JobState.COMPLETED


async def test_a_job_that_is_not_held_cannot_be_charged(clock: FakeClock) -> None:
    made = engine(clock, "apollo")

    assert not await made.store.charge("nobody", (Charge(source="apollo", calls=1),))
