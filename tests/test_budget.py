"""
How the work of jobs is spread over the turns of the event loop.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from enrichment.jobs.budget import MAX_PIECES, LoopBudget
from tests.conftest import settle

T = TypeVar("T")

MANY = 1_000


class Work:
    """Pieces of work that come up in the same turn of the loop, and each hold it for a time."""

    def __init__(self, *, seconds_each: float) -> None:
        self.budget = LoopBudget(seconds=0.01, timer=lambda: self.now)
        self.seconds_each = seconds_each
        self.now = 0.0
        self.turn = 0
        self.done: list[tuple[int, int]] = []

    async def piece(self, number: int) -> None:
        await self.budget.checkpoint()
        self.done.append((self.turn, number))
        self.now += self.seconds_each

    async def do(self, pieces: int) -> list[int]:
        """Do them, and return how many were done in each turn in which any was."""
        tasks = [asyncio.create_task(self.piece(number)) for number in range(pieces)]
        while len(self.done) < pieces:
            await asyncio.sleep(0)
            self.turn += 1
        await asyncio.gather(*tasks)
        turns = [turn for turn, _ in self.done]
        return [turns.count(turn) for turn in sorted(set(turns))]


async def test_pieces_are_done_in_the_order_in_which_they_come() -> None:
    work = Work(seconds_each=0.001)
    await work.do(MANY)

    assert [number for _, number in work.done] == list(range(MANY))


async def test_long_pieces_are_done_one_in_a_turn() -> None:
    assert max(await Work(seconds_each=1).do(MANY)) == 1


async def test_short_pieces_share_a_turn_until_its_time_is_used_up() -> None:
    """The number is doubled from turn to turn while they take less than half of the time."""
    counts = await Work(seconds_each=0.001).do(MANY)

    assert counts[:4] == [1, 1, 2, 4]
    assert set(counts[4:-1]) == {8}


async def test_the_number_of_pieces_in_a_turn_is_limited_however_short_they_are() -> None:
    assert max(await Work(seconds_each=0).do(MANY)) == MAX_PIECES


async def test_fewer_pieces_share_a_turn_when_they_take_longer() -> None:
    work = Work(seconds_each=0)
    await work.do(MANY)
    work.seconds_each, work.done = 1, []
    counts = await work.do(MANY)

    assert counts[:9] == [64, 64, 32, 16, 8, 4, 2, 1, 1]


async def test_a_piece_that_is_cancelled_while_it_waits_takes_no_ones_turn() -> None:
    work = Work(seconds_each=1)
    tasks = [asyncio.create_task(work.piece(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await settle()

    assert [number for _, number in work.done] == [0, 2, 3]


async def test_a_loop_that_ends_leaves_nothing_to_the_next() -> None:
    """An app may be served by one event loop after the other."""
    work = Work(seconds_each=0)

    async def leave_some_waiting() -> None:
        tasks = [asyncio.create_task(work.piece(number)) for number in range(10)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    await asyncio.to_thread(asyncio.run, leave_some_waiting())
    work.done = []
    assert sum(await work.do(10)) == 10


# Whole coroutines


class Steps:
    """Work in pieces, between which it waits for something that is there at once."""

    def __init__(self, *, seconds_each: float) -> None:
        self.work = Work(seconds_each=seconds_each)
        self.done = self.work.done

    async def steps(self, number: int) -> int:
        for _ in range(3):
            self.work.done.append((self.work.turn, number))
            self.work.now += self.work.seconds_each
            await asyncio.sleep(0)
        return number

    async def do(self, count: int) -> list[int]:
        tasks = [asyncio.create_task(self.paced(number)) for number in range(count)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            self.work.turn += 1
        return [task.result() for task in tasks]

    async def paced(self, number: int) -> int:
        return await self.work.budget.pace(self.steps(number))


async def test_each_step_of_a_paced_coroutine_waits_for_its_turn() -> None:
    work = Steps(seconds_each=1)

    assert await work.do(50) == list(range(50))
    assert len(work.done) == 150
    turns = [turn for turn, _ in work.done]
    assert max(map(turns.count, turns)) == 1


async def test_a_paced_coroutine_goes_on_without_a_wait_while_there_is_time() -> None:
    work = Steps(seconds_each=0)
    task = asyncio.create_task(work.paced(1))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns <= 6


async def test_a_paced_coroutine_that_is_cancelled_before_its_turn_never_begins() -> None:
    work = Steps(seconds_each=1)
    tasks = [asyncio.create_task(work.paced(number)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.wait(tasks)

    assert tasks[2].cancelled()
    assert {number for _, number in work.done} == {0, 1}


async def test_what_is_raised_by_what_a_paced_coroutine_awaits_is_raised_in_it() -> None:
    """Its own exceptions leave it, and a cancellation reaches it wherever it waits."""
    budget = LoopBudget(seconds=1)
    caught = []

    async def catches(awaited: asyncio.Future[None]) -> str:
        try:
            await awaited
        except BaseException as error:
            caught.append(error)
            raise ValueError("its own") from error
        raise AssertionError

    for error in (OSError("x"), asyncio.CancelledError("x")):
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_awaited(budget.pace(catches(future))))
        await settle()
        if isinstance(error, OSError):
            future.set_exception(error)
        else:
            task.cancel("x")
        with pytest.raises(ValueError, match="its own"):
            await task

    assert [type(error) for error in caught] == [OSError, asyncio.CancelledError]


async def _awaited(work: Awaitable[T]) -> T:
    return await work


async def test_a_paced_coroutine_is_cancelled_while_it_waits_for_its_next_turn() -> None:
    """As by a time-out that passes although what it waited for is there."""
    work = Steps(seconds_each=1)
    tasks = [asyncio.create_task(work.paced(number)) for number in range(9)]
    while not work.done:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.wait(tasks)

    assert tasks[0].cancelled()
    assert [number for _, number in work.done].count(0) == 1
    assert len(work.done) == 1 + 8 * 3
