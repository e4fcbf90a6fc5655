"""
Answers from the cache, and calls that several jobs share.
"""

import asyncio

import pytest

from enrichment.errors import InsufficientInput, SourceFailed
from enrichment.jobs.budget import LoopBudget
from enrichment.jobs.cache import MemoryCache
from enrichment.jobs.resolver import Resolver, SharedCalls
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import MODULES
from tests.conftest import FakeClock, settle
from tests.engine import Fact, Scripted, leftovers

M02, M03, M14 = MODULES["m02_tech_stack"], MODULES["m03_traffic"], MODULES["m14_icp_scoring"]
ACME = Subject(domain="acme.com")


def finding(clock: FakeClock) -> Finding:
    return Finding.of(Fact(call=1), source="s", fetched_at=clock.now())


@pytest.fixture
def source(clock: FakeClock) -> Scripted:
    return Scripted(clock)


@pytest.fixture
def cache(clock: FakeClock) -> MemoryCache:
    return MemoryCache(max_results=100, max_bytes=1_000_000, clock=clock)


@pytest.fixture
def resolver(clock: FakeClock, cache: MemoryCache, source: Scripted) -> Resolver:
    return Resolver(cache=cache, sources={"simulated": source, "local": source}, clock=clock)


async def test_an_answer_is_cached(resolver: Resolver, cache: MemoryCache, clock: FakeClock) -> None:
    asked = asyncio.create_task(resolver.ask(M03, ACME, asker="1"))
    assert await resolver.cached(M03, ACME) is None
    await clock.advance(1)

    assert await resolver.cached(M03, ACME) == await asked
    assert await cache.inspect("acme.com") == {M03.id: await asked}


async def test_a_derived_answer_is_cached_for_the_findings_that_it_was_derived_from(
    resolver: Resolver, clock: FakeClock
) -> None:
    before = Subject(domain="acme.com", known={M02.id: finding(clock)})
    asked = asyncio.create_task(resolver.ask(M14, before, asker="1"))
    await clock.advance(1)
    after = Subject(domain="acme.com", known={M02.id: finding(clock)})

    assert await resolver.cached(M14, before) == await asked
    assert await resolver.cached(M14, after) is None
    assert await resolver.cached(M14, ACME) is None
    assert await resolver.known("acme.com", (M14.id,)) == {M14.id: await asked}


@pytest.mark.parametrize("error", [SourceFailed("down"), InsufficientInput("too little")])
async def test_a_failure_reaches_all_askers_and_is_not_cached(
    resolver: Resolver, cache: MemoryCache, source: Scripted, clock: FakeClock, error: Exception
) -> None:
    source.raises = {M03.id: error}
    asked = [asyncio.create_task(resolver.ask(M03, ACME, asker=asker)) for asker in ("1", "2")]
    await clock.advance(1)
    for task in asked:
        with pytest.raises(type(error), match=str(error)):
            await task

    assert len(source.calls) == 1
    assert await cache.inspect("acme.com") == {}


async def test_a_source_that_takes_too_long_has_failed(resolver: Resolver, source: Scripted, clock: FakeClock) -> None:
    source.seconds = 25
    asked = asyncio.create_task(resolver.ask(M03, ACME, asker="1"))
    await clock.advance(20)

    with pytest.raises(SourceFailed, match=r"No answer within 20 seconds\."):
        await asked
    assert source.stopped == [("acme.com", M03.id)]


async def test_a_job_that_is_abandoned_leaves_every_call_that_it_waits_for(
    resolver: Resolver, source: Scripted, clock: FakeClock
) -> None:
    """A call that another job waits for goes on; one that has not begun yet never does."""
    first = asyncio.create_task(resolver.ask(M02, ACME, asker="1"))
    second = asyncio.create_task(resolver.ask(M02, ACME, asker="2"))
    alone = asyncio.create_task(resolver.ask(M03, ACME, asker="1"))
    await asyncio.sleep(0)  # the calls are tasks that have not begun
    resolver.abandon("1")
    await clock.advance(1)

    assert source.calls == [("acme.com", M02.id)]
    assert await first == await second
    with pytest.raises(asyncio.CancelledError):
        await alone


async def test_a_call_that_was_abandoned_is_not_joined_though_it_has_not_ended(
    resolver: Resolver, source: Scripted, clock: FakeClock
) -> None:
    abandoned = asyncio.create_task(resolver.ask(M03, ACME, asker="1"))
    await settle()
    resolver.abandon("1")
    asked = asyncio.create_task(resolver.ask(M03, ACME, asker="2"))
    await clock.advance(1)

    assert abandoned.cancelled()
    assert (await asked).read(Fact).call == len(source.calls) == 2


async def test_a_call_that_is_cancelled_by_none_of_its_askers_has_failed(
    resolver: Resolver, cache: MemoryCache, clock: FakeClock
) -> None:
    """As by a source that cancels its own task: nobody who waits for it is taken to be cancelled."""

    class CancelsItself:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            task = asyncio.current_task()
            assert task
            task.cancel()
            await asyncio.sleep(0)
            raise AssertionError

    resolver = Resolver(cache=cache, sources={"simulated": CancelsItself()}, clock=clock)
    for asked in [asyncio.create_task(resolver.ask(M03, ACME, asker=asker)) for asker in ("1", "2")]:
        with pytest.raises(SourceFailed, match=r"^The call was cancelled unexpectedly\.$"):
            await asked


async def test_sources_that_answer_at_the_same_moment_do_their_work_in_several_turns_of_the_event_loop(
    cache: MemoryCache, clock: FakeClock
) -> None:
    """Otherwise a request that arrives at that moment would wait for all of them."""
    turn = 0
    turns: list[int] = []

    class Working:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            turns.append(turn)
            await asyncio.sleep(0)
            turns.append(turn)
            return finding(clock)

    resolver = Resolver(cache=cache, sources={"simulated": Working()}, clock=clock)
    resolver.budget = LoopBudget(seconds=0.5, timer=lambda: float(len(turns)))
    subjects = [Subject(domain=f"{number}.com") for number in range(20)]
    asked = [asyncio.create_task(resolver.ask(M03, subject, asker=subject.domain)) for subject in subjects]
    while not all(task.done() for task in asked):
        await asyncio.sleep(0)
        turn += 1

    assert len(turns) == 40
    assert max(map(turns.count, turns)) == 1


# The sharing itself


async def test_everybody_who_asks_while_a_call_runs_shares_it(clock: FakeClock) -> None:
    calls = SharedCalls()
    begun = 0

    async def call(_: object) -> Finding:
        nonlocal begun
        begun += 1
        await clock.sleep(1)
        return finding(clock)

    waiting = [asyncio.create_task(calls.share("key", str(asker), call)) for asker in range(3)]
    await clock.advance(1)

    first, *others = [await task for task in waiting]
    assert all(other is first for other in others)
    assert begun == 1
    later = asyncio.create_task(calls.share("key", "later", call))
    await clock.advance(1)
    await later
    assert begun == 2
    assert leftovers(calls) == {}


async def test_a_call_is_stopped_when_nobody_waits_for_it_any_more(clock: FakeClock) -> None:
    calls = SharedCalls()
    stopped = False

    async def call(_: object) -> Finding:
        nonlocal stopped
        try:
            await clock.sleep(1)
        except asyncio.CancelledError:
            stopped = True
            raise
        return finding(clock)

    first, second = (asyncio.create_task(calls.share("key", asker, call)) for asker in ("1", "2"))
    await settle()
    first.cancel()
    await settle()
    assert not stopped
    second.cancel()
    await settle()
    assert stopped
    assert leftovers(calls) == {}


async def test_whoever_asks_after_a_call_was_stopped_gets_a_new_one(clock: FakeClock) -> None:
    """Even if the old one has not quite ended."""
    calls = SharedCalls()

    async def slow_to_stop(_: object) -> Finding:
        try:
            await clock.sleep(1)
        except asyncio.CancelledError:
            await clock.sleep(5)
            raise ValueError("this result is no longer needed") from None
        raise AssertionError

    begun = 0

    async def call(_: object) -> Finding:
        nonlocal begun
        begun += 1
        await clock.sleep(8)
        return finding(clock)

    old = asyncio.create_task(calls.share("key", "1", slow_to_stop))
    await settle()
    old.cancel()
    new = asyncio.create_task(calls.share("key", "2", call))
    await clock.advance(6)
    third = asyncio.create_task(calls.share("key", "3", call))
    await clock.advance(2)

    assert await new is await third
    assert begun == 1
    assert leftovers(calls) == {}


async def test_a_failure_that_nobody_waits_for_is_no_warning(clock: FakeClock) -> None:
    """Warnings are errors in tests, and asyncio warns of an exception that was never retrieved."""
    calls = SharedCalls()

    async def call(_: object) -> Finding:
        try:
            await clock.sleep(1)
        finally:
            raise ValueError("x")

    asked = asyncio.create_task(calls.share("key", "1", call))
    await settle()
    calls.abandon("1")
    with pytest.raises(ValueError, match="x"):
        await asked
    assert leftovers(calls) == {"abandoned": {"1"}}


async def test_no_call_begins_for_a_job_that_is_abandoned(
    resolver: Resolver, source: Scripted, clock: FakeClock
) -> None:
    """Its modules may run for a moment before they are cancelled as well."""
    resolver.abandon("1")
    with pytest.raises(SourceFailed, match="cancelled"):
        await resolver.ask(M02, ACME, asker="1")
    assert source.calls == []

    resolver.forget("1")
    again = asyncio.create_task(resolver.ask(M02, ACME, asker="1"))
    await clock.advance(1)
    await again
    assert source.calls == [("acme.com", M02.id)]
