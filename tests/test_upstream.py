"""
Limits of outside services: whose turn it is, how long a call may take, and when a service is left alone.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

import pytest

from enrichment.errors import SourceFailed
from enrichment.sources.context import CallContext
from enrichment.sources.failures import (
    AuthError,
    CircuitOpen,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from enrichment.sources.upstream import (
    LIMITED_SECONDS,
    MAX_FAILURES,
    MAX_LIMITED_SECONDS,
    MAX_OPEN_SECONDS,
    OPEN_SECONDS,
    TRIAL_SECONDS,
    Gate,
    Stats,
    Turns,
    Upstream,
)
from tests.conftest import FakeClock, settle


@pytest.fixture
def gate(clock: FakeClock) -> Gate:
    return Gate(Upstream(name="vendor", requests_per_second=math.inf), Stats(), clock)


@pytest.fixture
def context(clock: FakeClock) -> CallContext:
    return CallContext(clock=clock)


class Started:
    """Tasks that note at what time, after the start, each of them got through."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.begin = clock.now()
        self.order: list[str] = []
        self.times: list[float] = []

    def start(self, name: str, wait: Callable[[], Awaitable[object]]) -> "asyncio.Task[None]":
        return asyncio.create_task(self._run(name, wait))

    async def _run(self, name: str, wait: Callable[[], Awaitable[object]]) -> None:
        await wait()
        self.order.append(name)
        self.times.append(round(self.clock.now() - self.begin, 3))


async def test_turns_are_evenly_spaced(clock: FakeClock) -> None:
    turns, started = Turns(1 / 8, clock), Started(clock)
    tasks = [started.start(str(number), lambda: turns.take(0)) for number in range(5)]
    await clock.advance(100)

    assert started.times == [0, 8, 16, 24, 32]
    assert started.order == ["0", "1", "2", "3", "4"]
    assert all(task.done() for task in tasks)
    assert turns.is_idle


async def test_no_turns_are_saved_up_for_later(clock: FakeClock) -> None:
    turns = Turns(1, clock)
    await turns.take(0)
    await clock.advance(60)
    started = Started(clock)
    for number in range(3):
        started.start(str(number), lambda: turns.take(0))
    await clock.advance(10)

    assert started.times == [0, 1, 2]


async def test_the_lowest_order_is_next_even_if_it_comes_late(clock: FakeClock) -> None:
    turns, started = Turns(1, clock), Started(clock)
    for name, order in [("first", 5.0), ("low", 9.0), ("normal", 5.0), ("normal 2", 5.0)]:
        started.start(name, lambda order=order: turns.take(order))  # type: ignore[misc]
    await clock.advance(0.5)
    started.start("high", lambda: turns.take(1))
    await clock.advance(10)

    assert started.order == ["first", "high", "normal", "normal 2", "low"]
    assert started.times == [0, 1, 2, 3, 4]


async def test_a_call_that_is_cancelled_loses_its_turn_to_the_next(clock: FakeClock) -> None:
    turns, started = Turns(1, clock), Started(clock)
    tasks = {name: started.start(name, lambda: turns.take(0)) for name in "abcd"}
    await clock.advance(0.5)
    tasks["b"].cancel()
    await clock.advance(10)

    assert started.order == ["a", "c", "d"]
    assert started.times == [0, 1, 2]


async def test_a_call_that_is_cancelled_just_as_its_turn_comes_does_not_use_it_up(clock: FakeClock) -> None:
    turns, started = Turns(1, clock), Started(clock)
    tasks = {name: started.start(name, lambda: turns.take(0)) for name in "abc"}
    await clock.advance(0.5)
    ((_, _, timer),) = clock._sleepers
    clock._now += 0.5
    timer.set_result(None)  # in one turn of the loop, before the task of `b` can say that it does not wait any more
    tasks["b"].cancel()
    await clock.advance(10)

    assert tasks["b"].cancelled()
    assert started.order == ["a", "c"]
    assert started.times == [0, 1]


async def test_when_all_are_cancelled_no_task_is_left(clock: FakeClock) -> None:
    before = asyncio.all_tasks()
    turns = Turns(0.001, clock)
    await turns.take(0)
    waiting = [asyncio.create_task(turns.take(number)) for number in range(10)]
    await settle()
    for task in waiting:
        task.cancel()
    await settle()

    assert asyncio.all_tasks() == before
    assert turns._waiting == []


async def test_turns_go_on_when_the_systems_clock_is_set_back(clock: FakeClock) -> None:
    turns, started = Turns(1, clock), Started(clock)
    await turns.take(0)
    clock._now -= 3_600
    started = Started(clock)
    for number in range(2):
        started.start(str(number), lambda: turns.take(0))
    await clock.advance(10)

    assert started.times == [1, 2]


async def test_time_in_a_queue_does_not_count_towards_a_limit(clock: FakeClock, context: CallContext) -> None:
    left = []

    async def call() -> None:
        async with context.limit(10):
            await clock.sleep(4)
            with context.waiting():
                await clock.sleep(1_000)
                left.append(context.time_left())
            await clock.sleep(5)
            left.append(context.time_left())
            await clock.sleep(5)

    task = asyncio.create_task(call())
    await clock.advance(4 + 1_000 + 5.9)
    assert not task.done()
    await clock.advance(0.2)

    assert isinstance(task.exception(), TimeoutError)
    assert left == [6, 1]
    assert context.time_left() == math.inf


async def test_two_calls_in_queues_at_once_do_not_stop_the_time_twice(clock: FakeClock, context: CallContext) -> None:
    async def wait(before: float, seconds: float) -> None:
        await clock.sleep(before)
        with context.waiting():
            await clock.sleep(seconds)

    async with context.limit(100):
        tasks = [asyncio.create_task(wait(0, 30)), asyncio.create_task(wait(10, 30))]
        await clock.advance(50)
        assert context.time_left() == 100 - 10
        assert all(task.done() for task in tasks)


async def test_the_shorter_of_two_limits_holds(clock: FakeClock, context: CallContext) -> None:
    ended = []

    async def module() -> None:
        async with context.limit(20):
            for seconds in (8, 8, 8):
                try:
                    async with context.limit(seconds):
                        await clock.sleep(1_000)
                except TimeoutError:
                    ended.append((clock.now(), context.time_left()))

    begin, task = clock.now(), asyncio.create_task(module())
    await clock.advance(30)

    assert ended == [(begin + 8, 12), (begin + 16, 4)]
    assert isinstance(task.exception(), TimeoutError)


async def test_a_limit_that_is_kept_leaves_nothing_behind(clock: FakeClock, context: CallContext) -> None:
    before = asyncio.all_tasks()
    async with context.limit(10):
        assert context.time_left() == 10
    await settle()

    assert asyncio.all_tasks() == before


async def test_an_order_holds_across_the_services_queue(clock: FakeClock) -> None:
    gate = Gate(Upstream(name="vendor", requests_per_second=1), Stats(), clock)
    started = Started(clock)
    contexts = {name: CallContext(clock=clock, order=order) for name, order in [("a", 1.0), ("b", 9.0), ("c", 2.0)]}
    for name, context in contexts.items():
        started.start(name, lambda context=context: gate.enter(context))  # type: ignore[misc]
    await clock.advance(10)

    assert started.order == ["a", "c", "b"]


async def fail(gate: Gate, context: CallContext, error: SourceFailed) -> None:
    await gate.enter(context)
    gate.failed(error)


async def test_a_limit_without_a_time_grows_and_is_forgotten_at_the_next_answer(
    clock: FakeClock, gate: Gate, context: CallContext
) -> None:
    pauses = []
    for _ in range(8):
        await fail(gate, context, RateLimited("Slow down."))
        assert gate.until
        pauses.append(gate.until - clock.now())
        await clock.advance(gate.until - clock.now())
    await gate.enter(context)
    gate.succeeded()
    await fail(gate, context, RateLimited("Slow down."))
    assert gate.until

    assert pauses == [2, 4, 8, 16, 32, 64, 64, 64]
    assert gate.until - clock.now() == LIMITED_SECONDS
    assert pauses[-1] == MAX_LIMITED_SECONDS


async def test_refusals_of_calls_sent_together_count_once(clock: FakeClock, gate: Gate, context: CallContext) -> None:
    for _ in range(10):
        await gate.enter(context)
    for _ in range(10):
        gate.failed(RateLimited("Slow down."))
    assert gate.until

    assert gate.until - clock.now() == LIMITED_SECONDS


@pytest.mark.parametrize(
    "error", [Transient("Broken."), QuotaExhausted("No more."), RateLimited("Slow down.", retry_after=60)]
)
async def test_calls_in_the_queue_are_refused_as_soon_as_the_service_is_not_to_be_asked(
    clock: FakeClock, error: SourceFailed
) -> None:
    """Not each at its turn: of 30 at a service that allows a request in 8 seconds, the last one in four minutes."""
    gate = Gate(Upstream(name="vendor", requests_per_second=1 / 8), Stats(), clock)
    context = CallContext(clock=clock)
    before = asyncio.all_tasks()
    async with context.limit(20):
        await gate.enter(context)
        tasks = [asyncio.create_task(gate.enter(context)) for _ in range(30)]
        tasks[7].cancel()
        await settle()
        tasks[8].cancel()
        for _ in range(MAX_FAILURES):
            gate.failed(error)
        await settle()

    await settle()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[:7]] == [
        CircuitOpen if isinstance(error, Transient) else type(error)
    ] * 7
    assert tasks[7].cancelled()
    assert tasks[8].cancelled()
    assert asyncio.all_tasks() == before


async def test_a_call_waits_for_the_end_of_a_limit_that_begins_while_it_is_in_the_queue(clock: FakeClock) -> None:
    gate = Gate(Upstream(name="vendor", requests_per_second=1), Stats(), clock)
    context, started = CallContext(clock=clock), Started(clock)
    await gate.enter(context)
    started.start("b", lambda: gate.enter(context))
    await settle()
    gate.failed(RateLimited("Slow down.", retry_after=10))
    await clock.advance(30)

    assert started.times == [10]


@pytest.mark.parametrize(("left", "waits"), [(5, False), (30, True), (math.inf, True)])
async def test_a_call_waits_for_the_end_of_a_limit_if_there_is_time(
    clock: FakeClock, gate: Gate, context: CallContext, left: float, waits: bool
) -> None:
    await fail(gate, context, RateLimited("Slow down.", retry_after=10))
    context._ends.append(clock.now() + left)
    task = asyncio.create_task(gate.enter(context))
    await clock.advance(20)

    assert (task.exception() is None) == waits


async def test_no_call_waits_for_minutes(clock: FakeClock, gate: Gate, context: CallContext) -> None:
    await fail(gate, context, RateLimited("Slow down.", retry_after=600))
    with pytest.raises(RateLimited) as failed:
        await gate.enter(context)

    assert failed.value.retry_after == 600


async def test_an_answer_to_a_call_sent_before_does_not_end_a_state(
    clock: FakeClock, gate: Gate, context: CallContext
) -> None:
    for error in (RateLimited("Slow down.", retry_after=9), QuotaExhausted("No more.", until=clock.now() + 99)):
        await gate.enter(context)
        gate.failed(error)
        gate.succeeded()
        gate.failed(NotFound("No."))
        gate.failed(RateLimited("Slow down.", retry_after=8))
        state = gate.state
        await clock.advance(10)
        assert state == ("limited" if isinstance(error, RateLimited) else "quota_exhausted")
    assert gate.state == "quota_exhausted"


async def test_a_quota_is_tried_again_in_an_hour_if_the_service_does_not_say_when(
    clock: FakeClock, gate: Gate, context: CallContext
) -> None:
    await fail(gate, context, QuotaExhausted("No more."))
    with pytest.raises(QuotaExhausted):
        await gate.enter(context)
    await clock.advance(3_600)

    await gate.enter(context)


async def test_a_circuit_opens_after_failures_in_a_row_only(clock: FakeClock, gate: Gate, context: CallContext) -> None:
    almost = [Transient("Broken.")] * (MAX_FAILURES - 1)
    others = (RateLimited("Slow down."), QuotaExhausted("No more."), NotFound("No."), AuthError("No."))
    for error in [error for other in others for error in (*almost, other)] + almost:
        await fail(gate, context, error)
        await clock.advance((gate.until or clock.now()) - clock.now())
    gate.succeeded()
    for error in almost:
        await fail(gate, context, error)
    before = gate.state, gate.is_idle
    await fail(gate, context, Transient("Broken."))

    assert before == ("ok", False)
    assert (gate.state, gate.until) == ("open", clock.now() + OPEN_SECONDS)
    with pytest.raises(CircuitOpen) as refused:
        await gate.enter(context)
    assert str(refused.value) == (
        "It has failed 5 times in a row, the last time with: Broken. It is asked again at 2026-02-26T11:35:32Z."
    )


@pytest.mark.parametrize("opened_before", [False, True])
async def test_failures_of_calls_sent_together_open_a_circuit_once(
    clock: FakeClock, gate: Gate, context: CallContext, opened_before: bool
) -> None:
    if opened_before:
        await opened(gate, context, clock)
        await gate.enter(context)
        gate.succeeded()
    for _ in range(50):
        await gate.enter(context)
    for _ in range(50):
        gate.failed(Transient("Broken."))

    assert gate.until == clock.now() + OPEN_SECONDS


async def opened(gate: Gate, context: CallContext, clock: FakeClock) -> None:
    """Open a circuit, and wait until its time is over."""
    for _ in range(MAX_FAILURES):
        await fail(gate, context, Transient("Broken."))
    await clock.advance(OPEN_SECONDS)


@pytest.mark.parametrize("error", [NotFound("No."), AuthError("No."), ParseError("No."), None])
async def test_one_call_tries_whether_the_service_works_again(
    clock: FakeClock, gate: Gate, context: CallContext, error: SourceFailed | None
) -> None:
    await opened(gate, context, clock)
    await gate.enter(context)
    for _ in range(3):
        with pytest.raises(CircuitOpen):
            await gate.enter(context)
    if error:
        gate.failed(error)
    else:
        gate.succeeded()

    await gate.enter(context)
    await gate.enter(context)


async def test_a_trial_that_fails_doubles_the_time_up_to_a_limit(
    clock: FakeClock, gate: Gate, context: CallContext
) -> None:
    await opened(gate, context, clock)
    pauses = []
    for _ in range(6):
        await fail(gate, context, Transient("Broken."))
        assert gate.until
        pauses.append(gate.until - clock.now())
        await clock.advance(pauses[-1])
    await gate.enter(context)
    gate.succeeded()
    await opened(gate, context, clock)

    assert pauses == [60, 120, 240, 480, 480, 480]
    assert pauses[-1] == MAX_OPEN_SECONDS


async def test_a_trial_that_is_cancelled_is_followed_by_another(
    clock: FakeClock, gate: Gate, context: CallContext
) -> None:
    await opened(gate, context, clock)
    await gate.enter(context)
    await clock.advance(TRIAL_SECONDS - 1)
    with pytest.raises(CircuitOpen):
        await gate.enter(context)
    await clock.advance(1)

    await gate.enter(context)
    gate.succeeded()
    assert gate.state == "ok"


async def test_calls_that_wait_together_do_not_all_try(clock: FakeClock, context: CallContext) -> None:
    gate = Gate(Upstream(name="vendor", requests_per_second=1), Stats(), clock)
    for _ in range(MAX_FAILURES):
        entered = asyncio.create_task(gate.enter(context))
        await clock.advance(1)
        assert entered.done()
        gate.failed(Transient("Broken."))
    await clock.advance(OPEN_SECONDS)
    tasks = [asyncio.create_task(gate.enter(context)) for _ in range(5)]
    await clock.advance(10)

    assert [isinstance(task.exception(), CircuitOpen) for task in tasks] == [False, True, True, True, True]


async def test_one_line_is_logged_when_a_state_changes(
    clock: FakeClock, gate: Gate, context: CallContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        await fail(gate, context, RateLimited("Slow down.", retry_after=9))
        await clock.advance(9)
    await gate.enter(context)
    gate.succeeded()

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "source state source=vendor state=limited until=2026-02-26T10:35:09Z"),
        ("INFO", "source state source=vendor state=ok until=None"),
    ]


async def test_calls_are_counted(clock: FakeClock, context: CallContext) -> None:
    stats = Stats()
    gate = Gate(Upstream(name="vendor", requests_per_second=math.inf), stats, clock)
    await gate.enter(context)
    gate.succeeded()
    await clock.advance(1)
    await fail(gate, context, NotFound("It does not know this company."))
    await clock.advance(1)
    await fail(gate, context, AuthError("It refuses access."))

    begin = 1_772_102_100.0
    assert stats == Stats(
        calls=3,
        hits=1,
        errors=1,
        last_success_at=begin + 1,
        last_error="It refuses access.",
        last_error_at=begin + 2,
    )
