"""
How the work of jobs is spread over the turns of the event loop.
"""

import asyncio

from enrichment.jobs.budget import LoopBudget
from tests.conftest import FakeClock


async def turns_of(pieces: int, *, seconds_each: float) -> list[int]:
    """In which turn of the loop each piece of work is done, if all of them come up in the same turn."""
    clock = FakeClock()
    budget = LoopBudget(seconds=0.005, clock=clock)
    turn = 0
    done: list[int] = []

    async def work() -> None:
        await budget.checkpoint()
        done.append(turn)
        clock.spend(seconds_each)

    tasks = [asyncio.create_task(work()) for _ in range(pieces)]
    while len(done) < pieces:
        await asyncio.sleep(0)
        turn += 1
    await asyncio.gather(*tasks)
    return done


async def test_long_pieces_are_done_one_in_a_turn() -> None:
    assert await turns_of(4, seconds_each=1) == [0, 1, 2, 3]


async def test_short_pieces_share_a_turn_until_its_time_is_used_up() -> None:
    assert await turns_of(6, seconds_each=0.002) == [0, 0, 0, 1, 1, 1]


async def test_pieces_that_take_no_time_are_all_done_at_once() -> None:
    assert await turns_of(100, seconds_each=0) == [0] * 100
