"""
Freshness by the time that is left, and one call for all who want the same.
"""

import asyncio

import pytest

from enrichment.jobs.cache import DAY, Cache, Freshness, SharedCalls
from enrichment.modules.module import Finding
from enrichment.modules.table import MODULES
from tests.conftest import FakeClock, settle
from tests.engine import Fact

M01, M02, M08, M10 = (
    MODULES[i] for i in ("m01_company_context", "m02_tech_stack", "m08_stock_info", "m10_hiring_signals")
)


def finding(clock: FakeClock, **more: object) -> Finding:
    return Finding.of(Fact(call=1), source="s", fetched_at=clock.now(), **more)  # type: ignore[arg-type]


def cache(clock: FakeClock, max_results: int = 100) -> Cache:
    return Cache(max_results=max_results, clock=clock)


def test_the_times_to_live_in_days() -> None:
    assert [module.ttl_days for module in MODULES.values()] == [30, 7, 7, 7, 7, 7, 1, 1, 1, 3, 30, 3, 7, 1, 1]


@pytest.mark.parametrize(
    ("module", "age", "freshness"),
    [
        (M01, 0, Freshness.FRESH),
        (M01, 23 * DAY - 1, Freshness.FRESH),  # more than 7 days left
        (M01, 23 * DAY, Freshness.STALE),
        (M01, 30 * DAY - 1, Freshness.STALE),
        (M01, 30 * DAY, Freshness.EXPIRED),
        (M02, 4 * DAY, Freshness.FRESH),  # more than a third left
        (M02, 4.7 * DAY, Freshness.STALE),
        (M08, 0.6 * DAY, Freshness.FRESH),
        (M08, 0.7 * DAY, Freshness.STALE),
        (M08, 1 * DAY, Freshness.EXPIRED),
        (M10, 2 * DAY, Freshness.STALE),
    ],
)
async def test_freshness(clock: FakeClock, module: object, age: float, freshness: Freshness) -> None:
    assert isinstance(module, type(M01))
    answers = cache(clock)
    kept = finding(clock)
    answers.put("a.com", module, kept)
    await clock.advance(age)
    look = answers.look("a.com", module)

    assert look.freshness is freshness
    assert look.seconds_left == max(0, int(module.ttl_days * DAY - age))
    assert answers.get("a.com", module) == (None if freshness is Freshness.EXPIRED else kept)


def test_what_was_never_there_is_missing(clock: FakeClock) -> None:
    assert cache(clock).look("a.com", M01) == (None, 0, Freshness.MISSING)


def test_the_least_recently_used_makes_room(clock: FakeClock) -> None:
    """Being looked at is no use."""
    answers = cache(clock, max_results=2)
    answers.put("a.com", M01, finding(clock))
    answers.put("b.com", M01, finding(clock))
    answers.get("a.com", M01)
    answers.look("b.com", M01)
    answers.put("c.com", M01, finding(clock))

    assert [answers.get_any(domain, M01) is not None for domain in ("a.com", "b.com", "c.com")] == [True, False, True]


def test_a_derived_answer_counts_for_the_findings_it_was_derived_from(clock: FakeClock) -> None:
    answers = cache(clock)
    answers.put("a.com", M01, finding(clock, based_on=(("m02_tech_stack", 1.0),)))

    assert answers.get("a.com", M01, (("m02_tech_stack", 1.0),)) is not None
    assert answers.get("a.com", M01, (("m02_tech_stack", 2.0),)) is None
    assert answers.get("a.com", M01) is None
    assert answers.get_any("a.com", M01) is not None


async def test_one_call_for_all_who_want_it(clock: FakeClock) -> None:
    calls = SharedCalls()
    begun = 0

    async def call() -> Finding:
        nonlocal begun
        begun += 1
        await clock.sleep(1)
        return finding(clock)

    waiting = [asyncio.create_task(calls.share("key", call)) for _ in range(3)]
    await clock.advance(1)

    first, *others = [await task for task in waiting]
    assert all(other is first for other in others)
    assert begun == 1
    later = asyncio.create_task(calls.share("key", call))
    await clock.advance(1)
    await later
    assert begun == 2
    assert calls._calls == {}


async def test_a_call_goes_on_while_anybody_waits_and_is_stopped_when_nobody_does(clock: FakeClock) -> None:
    calls = SharedCalls()
    stopped = False

    async def call() -> Finding:
        nonlocal stopped
        try:
            await clock.sleep(1)
        except asyncio.CancelledError:
            stopped = True
            raise
        return finding(clock)

    first, second = (asyncio.create_task(calls.share("key", call)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert not stopped
    second.cancel()
    await settle()
    assert stopped
    assert calls._calls == {}


async def test_whoever_comes_right_after_a_stopped_call_gets_a_new_one(clock: FakeClock) -> None:
    """Even though the old one has not quite ended."""
    calls = SharedCalls()

    async def stubborn() -> Finding:
        try:
            await clock.sleep(1)
        except asyncio.CancelledError:
            await clock.sleep(5)
            raise ValueError("too late for anybody") from None
        raise AssertionError

    begun = 0

    async def call() -> Finding:
        nonlocal begun
        begun += 1
        await clock.sleep(8)
        return finding(clock)

    old = asyncio.create_task(calls.share("key", stubborn))
    await settle()
    old.cancel()
    new = asyncio.create_task(calls.share("key", call))
    await clock.advance(6)
    third = asyncio.create_task(calls.share("key", call))
    await clock.advance(2)

    assert await new is await third
    assert begun == 1
    assert calls._calls == {}


async def test_all_who_wait_share_the_failure(clock: FakeClock) -> None:
    calls = SharedCalls()

    async def call() -> Finding:
        await clock.sleep(1)
        raise ValueError("x")

    waiting = [asyncio.create_task(calls.share("key", call)) for _ in range(2)]
    await clock.advance(1)
    for task in waiting:
        with pytest.raises(ValueError, match="x"):
            await task
