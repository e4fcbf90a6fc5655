"""
The work of jobs, parted among the turns of the event loop.
"""

import asyncio

from enrichment.jobs.budget import Pace
from tests.conftest import FakeClock


async def turns_of(pieces: int, *, seconds_each: float) -> list[int]:
    """In which turn of the loop each of so many pieces of work is done, all of which come up in the same one."""
    clock = FakeClock()
    pace = Pace(seconds=0.005, clock=clock)
    turn = 0
    done: list[int] = []

    async def work() -> None:
        await pace.wait()
        done.append(turn)
        clock._now += seconds_each

    tasks = [asyncio.create_task(work()) for _ in range(pieces)]
    while len(done) < pieces:
        await asyncio.sleep(0)
        turn += 1
    await asyncio.gather(*tasks)
    return done


async def test_what_takes_long_is_done_one_piece_a_turn() -> None:
    assert await turns_of(4, seconds_each=1) == [0, 1, 2, 3]


async def test_what_is_short_is_done_together_until_it_is_long() -> None:
    assert await turns_of(6, seconds_each=0.002) == [0, 0, 0, 1, 1, 1]


async def test_what_takes_no_time_waits_for_nothing() -> None:
    assert await turns_of(100, seconds_each=0) == [0] * 100
