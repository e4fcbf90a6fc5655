"""
The event log: every subscriber receives every event.
"""

import asyncio

from enrichment.jobs.events import EventLog


async def test_a_late_subscriber_receives_the_whole_log() -> None:
    log = EventLog[str]()
    log.publish("first")
    log.publish("last", final=True)

    assert log.is_closed
    assert [event async for event in log.subscribe()] == ["first", "last"]


async def test_subscribers_receive_events_as_they_are_published() -> None:
    log = EventLog[int]()
    one, other = log.subscribe(), log.subscribe()
    log.publish(1)
    received = [await anext(one), await anext(other)]
    waiting = [asyncio.ensure_future(anext(one)), asyncio.ensure_future(anext(other))]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    log.publish(2)
    received += await asyncio.gather(*waiting)

    assert received == [1, 1, 2, 2]


async def test_events_that_are_published_between_two_reads_are_not_lost() -> None:
    log = EventLog[int]()
    events = log.subscribe()
    log.publish(1)
    received = [await anext(events)]
    log.publish(2)
    log.publish(3, final=True)
    received += [event async for event in events]

    assert received == [1, 2, 3]


async def test_a_closed_log_ignores_further_events() -> None:
    log = EventLog[int]()
    log.publish(1, final=True)
    log.publish(2)
    log.publish(3, final=True)

    assert log.events == [1]
    assert [event async for event in log.subscribe()] == [1]
