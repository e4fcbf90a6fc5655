"""
The making of blueprints, without HTTP: shared runs, cancellation, errors, and shutdown.
"""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from enrichment.blueprint import making
from enrichment.blueprint.making import BlueprintEvent, BlueprintMaker, Brief
from enrichment.errors import InsufficientInformation, ShuttingDown, SourceFailed
from enrichment.modules.answers import CompanyContext, TechStack
from enrichment.modules.module import Finding, Module, Subject
from schemas import Blueprint, BlueprintProgress
from tests.conftest import FakeClock, settle
from tests.engine import ScriptedEngine

BRIEF = Brief(domain="acme.com")
"A brief without a profile, for which the company has to be described first."


class Companies:
    """A source that describes a company after a second, or fails."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.is_down = False
        self.calls = 0

    async def ask(self, module: Module, subject: Subject) -> Finding:
        self.calls += 1
        await self.clock.sleep(1)
        if self.is_down:
            raise SourceFailed("The source is down.")
        answer = (
            CompanyContext(company_name="Acme", industry="Airlines")
            if module.id == "m01_company_context"
            else TechStack(technologies=())
        )
        return Finding.of(answer, source="companies", fetched_at=self.clock.now())


@pytest.fixture
def source(clock: FakeClock) -> Companies:
    return Companies(clock)


@pytest.fixture
def maker(clock: FakeClock, source: Companies) -> BlueprintMaker:
    return ScriptedEngine(clock, sources={"simulated": source}).blueprints


async def collect(events: AsyncGenerator[BlueprintEvent, None], clock: FakeClock) -> list[BlueprintEvent]:
    """Read the events to the end, while time passes; profiles are read in a thread, which takes real time."""

    async def read() -> list[BlueprintEvent]:
        return [event async for event in events]

    async with asyncio.timeout(5):
        reading = asyncio.create_task(read())
        while not reading.done():
            await clock.advance(1)
            await asyncio.sleep(0.001)
        return await reading


async def test_events_end_with_the_blueprint(maker: BlueprintMaker, clock: FakeClock) -> None:
    events = await collect(maker.make(BRIEF, refresh=False), clock)
    stages = [event.stage for event in events if isinstance(event, BlueprintProgress)]

    assert stages == ["reading_profile", "describing_company", "inferring_profile", "choosing_data_points"]
    assert isinstance(events[-1], Blueprint)
    assert events[-1].metadata.sources_used == ("m01_company_context (companies)", "m02_tech_stack (companies)")


async def test_request_during_a_run_subscribes_to_it(
    maker: BlueprintMaker, source: Companies, clock: FakeClock
) -> None:
    first = maker.make(BRIEF, refresh=False)
    begin = await anext(first)
    others = await collect(maker.make(BRIEF, refresh=True), clock)
    rest = [event async for event in first]

    assert [begin, *rest] == others
    assert source.calls == 2


async def test_run_without_subscribers_is_cancelled(maker: BlueprintMaker, source: Companies, clock: FakeClock) -> None:
    first, second = maker.make(BRIEF, refresh=False), maker.make(BRIEF, refresh=False)
    await anext(first)
    await anext(second)
    (run,) = maker._running.values()
    await second.aclose()
    await settle()
    assert not run.task.done()
    await first.aclose()
    await settle()

    assert run.task.cancelled()
    assert maker._running == {}


async def test_request_directly_after_a_cancellation_starts_a_new_run(maker: BlueprintMaker, clock: FakeClock) -> None:
    """The cancelled run has not ended yet, and will not publish a final event. Nothing here lets its task go on."""
    first = maker.make(BRIEF, refresh=False)
    await anext(first)
    await first.aclose()
    second = maker.make(BRIEF, refresh=False)
    begin = await anext(second)
    events = await collect(second, clock)

    assert isinstance(begin, BlueprintProgress)
    assert isinstance(events[-1], Blueprint)


async def test_request_after_a_failed_run_starts_a_new_run(
    maker: BlueprintMaker, source: Companies, clock: FakeClock
) -> None:
    source.is_down = True
    failed = await collect(maker.make(BRIEF, refresh=False), clock)
    source.is_down = False
    events = await collect(maker.make(BRIEF, refresh=False), clock)

    assert isinstance(failed[-1], InsufficientInformation)
    assert isinstance(events[-1], Blueprint)
    assert maker._running == {}


async def test_refresh_starts_a_new_run_and_replaces_the_cached_blueprint(
    maker: BlueprintMaker, clock: FakeClock
) -> None:
    blueprints = [
        (await collect(maker.make(BRIEF, refresh=refresh), clock))[-1] for refresh in (False, False, True, False)
    ]
    metadata = [blueprint.metadata for blueprint in blueprints if isinstance(blueprint, Blueprint)]

    assert [one.cached for one in metadata] == [False, True, False, True]
    assert metadata[0].id == metadata[1].id != metadata[2].id == metadata[3].id


async def test_close_ends_runs_and_refuses_requests_until_it_is_open_again(
    maker: BlueprintMaker, clock: FakeClock
) -> None:
    events = maker.make(BRIEF, refresh=False)
    await anext(events)
    (run,) = maker._running.values()
    maker.close()

    assert isinstance([event async for event in events][-1], ShuttingDown)
    await settle()
    assert run.task.cancelled()
    with pytest.raises(ShuttingDown):
        maker.make(BRIEF, refresh=False)
    maker.open()
    assert isinstance((await collect(maker.make(BRIEF, refresh=False), clock))[-1], Blueprint)


async def test_the_last_event_of_a_run_is_known_after_it_has_ended(
    maker: BlueprintMaker, source: Companies, clock: FakeClock
) -> None:
    """A failed run has fewer events than one that made a blueprint; of a forgotten run the latter is assumed."""
    complete, failing, unknown = (Brief(domain=f"{name}.com") for name in ("complete", "failing", "unknown"))
    made = await collect(maker.make(complete, refresh=False), clock)
    source.is_down = True
    failed = await collect(maker.make(failing, refresh=False), clock)

    for brief, events in [(complete, made), (failing, failed), (unknown, made)]:
        assert maker.has_ended(brief, len(events))
        assert not maker.has_ended(brief, len(events) - 1)
    assert maker.has_ended(Brief(domain="unknown.com", icp="Banks"), len(made) - 2)
    running = maker.make(unknown, refresh=False)
    await anext(running)
    assert not maker.has_ended(unknown, len(made))
    await running.aclose()


async def test_a_limited_number_of_last_events_is_remembered(
    maker: BlueprintMaker, source: Companies, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MAX_FINAL_EVENTS", 1)
    source.is_down = True
    first, second = Brief(domain="first.com"), Brief(domain="second.com")
    for brief in (first, second):
        events = await collect(maker.make(brief, refresh=False), clock)

    assert [maker.has_ended(brief, len(events)) for brief in (first, second)] == [False, True]


async def test_a_blueprint_is_found_by_its_id_while_it_is_cached(clock: FakeClock, source: Companies) -> None:
    maker = ScriptedEngine(clock, sources={"simulated": source}, max_cached_blueprints=1).blueprints

    async def make(domain: str = "acme.com", *, refresh: bool = False) -> Blueprint:
        *_, last = await collect(maker.make(Brief(domain=domain), refresh=refresh), clock)
        assert isinstance(last, Blueprint)
        return last

    first = await make()
    assert await maker.find(first.metadata.id) == first
    assert await maker.find("blueprint_x") is None
    second = await make(refresh=True)
    assert await maker.find(first.metadata.id) is None
    assert await maker.find(second.metadata.id) == second
    third = await make("b.com")
    assert [await maker.find(one.metadata.id) for one in (second, third)] == [None, third]
    await clock.advance(making.TTL_SECONDS)
    assert await maker.find(third.metadata.id) is None
    assert list(maker._briefs) == [third.metadata.id]
