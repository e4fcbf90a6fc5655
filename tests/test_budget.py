"""
How the work of jobs is spread over the turns of the event loop.
"""

import asyncio

from enrichment.jobs.budget import MAX_PIECES, LoopBudget
from tests.conftest import settle

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
