"""
What processes share beside jobs: calls, limits of sources, blueprints.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.json import encode
from msgspec.structs import replace

from enrichment.blueprint.making import Brief
from enrichment.engine import Engine
from enrichment.errors import DatabaseUnavailable, SourceFailed
from enrichment.modules.module import Finding
from enrichment.postgres.blueprints import PostgresBlueprints
from enrichment.postgres.cache import LeasedCalls, PostgresCache
from enrichment.postgres.database import Database
from enrichment.postgres.limits import PostgresStandings
from enrichment.postgres.retention import Retention
from enrichment.settings import Settings
from enrichment.sources.context import CallContext
from enrichment.sources.failures import CircuitOpen, QuotaExhausted, UpstreamError
from enrichment.sources.upstream import MAX_FAILURES, OPEN_SECONDS, TRIAL_SECONDS, Gate, Standing, Stats, Upstream
from schemas import Blueprint
from tests.conftest import FakeClock
from tests.engine import Fact
from tests.postgres.engines import database_of, idle_engine, rows

M01 = "m01_company_context"
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nothing"


# Shared calls


class TwoCaches:
    """What two processes share."""

    def __init__(self, clock: FakeClock, url: str, seconds: float) -> None:
        self.databases = [Database(url, connections=2, seconds=5) for _ in range(2)]
        self.caches = [PostgresCache(database, clock=clock) for database in self.databases]
        self.calls = [LeasedCalls(cache, seconds=seconds, clock=clock) for cache in self.caches]
        self.clock = clock
        self.made = 0
        self.answer = asyncio.Event()

    def ask(self, process: int, module_id: str = M01) -> "asyncio.Task[Finding]":
        async def call(_: object) -> Finding:
            self.made += 1
            await self.answer.wait()
            if self.made == 99:
                raise SourceFailed("down")
            finding = Finding.of(Fact(call=self.made), source="s", fetched_at=self.clock.now())
            await self.caches[process].put("a.com", module_id, finding)
            return finding

        return asyncio.create_task(self.calls[process].share(("a.com", module_id, ()), f"job {process}", call))

    async def close(self) -> None:
        for database in self.databases:
            await database.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_processes_share_a_call_for_the_same_domain_and_module(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=2)
    tasks = [two.ask(0)]
    await until(lambda: two.made == 1)
    tasks.append(two.ask(1))
    await asyncio.sleep(2.5)  # the lease of two seconds has been renewed meanwhile
    two.answer.set()
    found = await asyncio.gather(*tasks)
    await two.close()

    assert [finding.read(Fact).call for finding in found] == [1, 1]
    assert two.made == 1
    assert rows(database_url, "SELECT caller FROM enrichment_findings") == [(None,)]


async def test_a_call_whose_process_has_died_is_made_by_another(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=0.3)
    assert await two.calls[0]._claim("a.com", M01, "dead")
    begun = time.monotonic()
    two.answer.set()
    found = await two.ask(1)
    await two.close()

    assert found.read(Fact).call == 1
    assert time.monotonic() - begun > 0.25


async def test_a_call_that_nobody_waits_for_any_more_gives_its_lease_back(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=60)
    task = two.ask(0)
    await until(lambda: two.made == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    two.answer.set()
    found = await two.ask(1)
    await two.close()

    assert found.read(Fact).call == 2


async def test_the_lease_of_a_call_is_renewed_and_given_back_when_the_database_can(
    clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = TwoCaches(clock, database_url, seconds=0.1)
    refusing = []

    async def unavailable(*_: object) -> bool:
        refusing.append(True)
        raise DatabaseUnavailable

    task = two.ask(0)
    await until(lambda: two.made == 1)
    monkeypatch.setattr(two.calls[0], "_extend", unavailable)
    monkeypatch.setattr(two.calls[0], "_release", unavailable)
    await until(lambda: len(refusing) > 1)
    two.made = 99
    two.answer.set()
    with pytest.raises(SourceFailed):
        await task
    await two.close()

    assert len(refusing) > 2


async def test_derived_answers_are_not_shared_between_processes(clock: FakeClock, database_url: str) -> None:
    two = TwoCaches(clock, database_url, seconds=60)
    two.answer.set()
    derived = "m14_icp_scoring"
    await two.calls[0]._claim("a.com", derived, "other")
    await two.ask(1, derived)
    await two.close()

    assert two.made == 1


# Limits of sources


class Two:
    """A service that is called from two processes."""

    def __init__(self, clock: FakeClock, url: str, requests_per_second: float) -> None:
        self.databases = [Database(url, connections=2, seconds=5) for _ in range(2)]
        self.shared = [PostgresStandings(database, clock=clock) for database in self.databases]
        upstream = Upstream(name="vendor", requests_per_second=requests_per_second)
        self.gates = [Gate(upstream, Stats(), clock, shared=each) for each in self.shared]

    async def published(self) -> None:
        for each in self.shared:
            await asyncio.gather(*each._tasks)

    async def close(self) -> None:
        for database in self.databases:
            await database.close()


@pytest.fixture
async def two(clock: FakeClock, database_url: str) -> AsyncIterator[Callable[[float], Two]]:
    made: list[Two] = []

    def make(requests_per_second: float) -> Two:
        made.append(Two(clock, database_url, requests_per_second))
        return made[-1]

    yield make
    for each in made:
        await each.published()
        await each.close()


async def test_the_calls_of_two_processes_are_no_faster_than_a_service_allows(
    two: Callable[[float], Two], clock: FakeClock
) -> None:
    service = two(2.0)
    sent: list[float] = []

    async def call(number: int) -> None:
        await service.gates[number % 2].enter(CallContext(clock=clock))
        sent.append(clock.now())

    begun = clock.now()
    calls = [asyncio.create_task(call(number)) for number in range(6)]
    while len(sent) < 6:
        await asyncio.sleep(0.02)
        await clock.advance(0.05)
    await asyncio.gather(*calls)

    assert [at - begun for at in sorted(sent)] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5], abs=0.2)


async def test_all_processes_leave_a_service_alone_that_has_failed_for_any_of_them(
    two: Callable[[float], Two], clock: FakeClock
) -> None:
    service = two(math.inf)
    context = CallContext(clock=clock)
    for number in range(MAX_FAILURES):
        gate = service.gates[number % 2]
        await gate.enter(context)
        gate.failed(UpstreamError("It answered 500."))
        await service.published()
    refused = []
    for gate in service.gates:
        with pytest.raises(CircuitOpen) as raised:
            await gate.enter(context)
        refused.append(str(raised.value))
    clock.spend(OPEN_SECONDS)
    await service.gates[0].enter(context)
    with pytest.raises(CircuitOpen):  # while the other process finds out whether it works again
        await service.gates[1].enter(context)
    service.gates[0].succeeded()
    await service.published()
    await clock.advance(TRIAL_SECONDS)
    await service.gates[1].enter(context)

    assert len(refused) == 2
    assert service.gates[1].state == "ok"


async def test_an_exhausted_quota_is_known_to_all_processes(two: Callable[[float], Two], clock: FakeClock) -> None:
    service = two(math.inf)
    context = CallContext(clock=clock)
    await service.gates[0].enter(context)
    service.gates[0].failed(QuotaExhausted("Enough.", until=clock.now() + 60))
    await service.published()
    with pytest.raises(QuotaExhausted):
        await service.gates[1].enter(context)
    clock.spend(61)
    await service.gates[1].enter(context)


async def test_a_call_that_is_withdrawn_leaves_the_trial_to_another_process(
    two: Callable[[float], Two], clock: FakeClock
) -> None:
    service = two(math.inf)
    context = CallContext(clock=clock)
    for _ in range(MAX_FAILURES):
        await service.gates[0].enter(context)
        service.gates[0].failed(UpstreamError("It answered 500."))
        await service.published()
    clock.spend(OPEN_SECONDS)
    await service.gates[0].enter(context)
    service.gates[0].withdraw()
    await service.published()
    await service.gates[1].enter(context)


async def test_that_a_standing_cannot_be_published_does_no_harm(clock: FakeClock) -> None:
    standings = PostgresStandings(Database(UNREACHABLE, connections=2, seconds=0.05), clock=clock)
    standings.publish(("vendor", ""), Standing(), Standing(failures=1))
    await asyncio.gather(*standings._tasks)
    await standings.database.close()

    assert not standings._tasks


async def test_services_that_are_not_called_any_more_are_forgotten(
    two: Callable[[float], Two], clock: FakeClock, database_url: str
) -> None:
    service = two(1.0)
    await service.gates[0].enter(CallContext(clock=clock))
    retention = Retention(service.databases[0], Settings(), clock)
    await retention.forget()
    assert len(rows(database_url, "SELECT * FROM enrichment_sources")) == 1
    await clock.advance(2 * 86_400)
    await retention.forget()

    assert rows(database_url, "SELECT * FROM enrichment_sources") == []


# Blueprints


async def made(engine: Engine, brief: Brief, *, refresh: bool = False) -> list[Any]:
    return [event async for event in engine.blueprints.make(brief, refresh=refresh)]


async def test_a_blueprint_is_made_once_for_all_processes(clock: FakeClock, database_url: str) -> None:
    brief = Brief(domain="acme.com", icp="Retailers with 200-1000 employees on Shopify")
    async with idle_engine(clock, database_url) as first, idle_engine(clock, database_url) as second:
        events = await made(first, brief)
        again = await made(second, brief)
        found = await second.blueprints.find(events[-1].metadata.id)
        missing = await second.blueprints.find("blueprint_0")
        refreshed = (await made(second, brief, refresh=True))[-1]
        newest = (await made(first, brief))[-1]
        clock.spend(86_400)
        expired = await second.blueprints.find(refreshed.metadata.id)

    cached = replace(events[-1], metadata=replace(events[-1].metadata, cached=True))
    assert encode(again) == encode([*events[:-1], cached])  # texts of conditions are of other types, but alike as JSON
    assert encode(found) == encode(events[-1])
    assert missing is expired is None
    assert newest.metadata.id == refreshed.metadata.id != events[-1].metadata.id


async def test_a_blueprint_is_made_although_the_database_does_not_answer(clock: FakeClock) -> None:
    """From a profile that is given: what is to be found out about the company would be cached in the database."""
    brief = Brief(domain="acme.com", icp="Retailers with 200-1000 employees on Shopify")
    async with idle_engine(clock, UNREACHABLE) as engine:
        database_of(engine).seconds = 0.2
        events = await made(engine, brief)
        with pytest.raises(DatabaseUnavailable):
            await engine.blueprints.find("blueprint_0")

    assert isinstance(events[-1], Blueprint)


async def test_blueprints_beyond_the_limits_are_forgotten(clock: FakeClock, database_url: str) -> None:
    database = Database(database_url, connections=2)
    blueprints = PostgresBlueprints(database)
    for number in range(4):
        await blueprints.put(b"%d" % number, f"blueprint_{number}", b"x" * 400_000, made_at=clock.now())
        await clock.advance(1)
    await Retention(database, Settings(max_cached_blueprints=3), clock).forget()
    counted = [bool(await blueprints.get_by_id(f"blueprint_{number}", since=0.0)) for number in range(4)]
    await Retention(database, Settings(max_cached_blueprint_bytes=1_048_576), clock).forget()
    weighed = [bool(await blueprints.get_by_digest(b"%d" % number, since=0.0)) for number in range(4)]
    await clock.advance(86_400)
    await Retention(database, Settings(), clock).forget()
    await database.close()

    assert counted == [False, True, True, True]
    assert weighed == [False, False, True, True]
    assert rows(database_url, "SELECT * FROM enrichment_blueprints") == []
