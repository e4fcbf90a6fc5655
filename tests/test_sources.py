"""
The registry, the chain, and the sources without outside calls.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, get_type_hints

import msgspec
import pytest

from enrichment.clock import Clock
from enrichment.errors import InsufficientInput, SettingsError, SourceFailed
from enrichment.modules.answers import Traffic
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import FACTS, MODULES
from enrichment.settings import Settings
from enrichment.sources import ChainFailed, Source, TimeLimited, first_success
from enrichment.sources.local import Local
from enrichment.sources.registry import SOURCES, SourceSpec, check_chains
from enrichment.sources.simulated.source import COMPANY, SIMULATIONS, FaultInjector, Simulated, simulated_sources
from schemas import CompanyData
from service import create_app
from tests.conftest import FakeClock, settle

ACME: Final = Subject(domain="acme.com")
TRAFFIC: Final = MODULES["m03_traffic"]
MATCH: Final = MODULES["m13_case_study_match"]


class Stub:
    """A source that takes a second, then returns an answer or raises an error."""

    def __init__(self, clock: FakeClock, error: BaseException | None = None) -> None:
        self.clock = clock
        self.error = error

    async def ask(self, module: Module, subject: Subject) -> Finding:
        await self.clock.sleep(1)
        if self.error:
            raise self.error
        return Finding.of(Traffic(), source="stub", fetched_at=self.clock.now())


async def ask_chain(clock: FakeClock, sources: Mapping[str, Source]) -> Finding:
    asked = asyncio.create_task(first_success(sources, TRAFFIC, ACME, clock))
    await clock.advance(len(sources))
    return await asked


def test_the_chains_match_the_registry() -> None:
    check_chains(MODULES.values(), SOURCES.values())


# fmt: off
FAULTS: Final = [
    (("ranks", "rnaks"),     {},                                 "m03_traffic has 'rnaks' in its chain, but no such"),
    ((),                     {},                                 "'ranks' serves m03_traffic, but is not in its chain"),
    (("ranks", "simulated"), {"serves": ("m04_traffic_sources",)}, "m03_traffic has 'ranks' in its chain, but no such"),
    (("ranks",),             {"serves": ("m03", "m03_traffic")}, "'ranks' serves m03, but is not in its chain"),
]
# fmt: on


@pytest.mark.parametrize(("chain", "changes", "expected"), FAULTS)
def test_a_difference_between_chain_and_registry_is_an_error(
    chain: tuple[str, ...], changes: dict[str, Any], expected: str
) -> None:
    module = msgspec.structs.replace(TRAFFIC, chain=chain)
    source = msgspec.structs.replace(SOURCES["ranks"], **changes)

    with pytest.raises(ValueError, match=expected):
        check_chains([module], [source])


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_registry_row_is_consistent(source: SourceSpec) -> None:
    assert source.settings_prefixes or not source.needs_key
    assert all(prefix.isupper() for prefix in source.settings_prefixes)
    assert all(url.startswith("https://") and not url.endswith("/") for url in source.base_urls)
    assert source.requests_per_second is None or source.requests_per_second > 0
    assert source.credits_per_call is None or source.credits_per_call >= 0
    for module_id in source.serves:
        assert (source.timeout_seconds or 0) < MODULES[module_id].timeout_seconds, "no time for the next source"


async def test_the_first_source_that_succeeds_answers_and_all_attempts_are_listed(clock: FakeClock) -> None:
    finding = await ask_chain(clock, {"simulated": Stub(clock), "similarweb": Stub(clock, SourceFailed("It is down."))})

    assert [(attempt.source, attempt.duration_seconds, attempt.error) for attempt in finding.attempts] == [
        ("similarweb", 1, "It is down."),
        ("simulated", 1, None),
    ]


async def test_a_chain_fails_if_all_its_sources_fail(clock: FakeClock) -> None:
    with pytest.raises(ChainFailed, match=r"^ranks: It is down\.; simulated: It is down\.$") as raised:
        await ask_chain(clock, dict.fromkeys(("simulated", "ranks"), Stub(clock, SourceFailed("It is down."))))

    assert [attempt.source for attempt in raised.value.attempts] == ["ranks", "simulated"]


async def test_insufficient_input_ends_the_chain(clock: FakeClock) -> None:
    with pytest.raises(InsufficientInput, match="Too little is known"):
        await ask_chain(
            clock, {"ranks": Stub(clock, InsufficientInput("Too little is known.")), "simulated": Stub(clock)}
        )


async def test_a_chain_without_a_configured_source_has_insufficient_input(clock: FakeClock) -> None:
    with pytest.raises(InsufficientInput, match=r"None of its sources is configured: similarweb, ranks\."):
        await ask_chain(clock, {})


class Panic(BaseException):
    """Not an `Exception`, like a panic in an extension written in Rust."""


UNEXPECTED: Final = [
    ValueError("x"),
    SystemExit(3),
    asyncio.CancelledError(),
    Panic(),
    BaseExceptionGroup("x", [asyncio.CancelledError()]),
]


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
async def test_whatever_a_source_raises_is_its_failure_and_the_next_one_is_asked(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    finding = await ask_chain(clock, {"similarweb": Stub(clock, error), "simulated": Stub(clock)})

    assert [attempt.error for attempt in finding.attempts] == [
        f"Unexpected {type(error).__name__}; the log has the details.",
        None,
    ]
    assert caplog.text.count("source failed") == 1


async def test_a_source_that_awaits_a_task_that_it_has_cancelled_itself_has_failed(clock: FakeClock) -> None:
    class Careless(Stub):
        async def ask(self, module: Module, subject: Subject) -> Finding:
            inner = asyncio.create_task(asyncio.sleep(1))
            inner.cancel()
            await inner
            raise AssertionError

    with pytest.raises(ChainFailed, match="simulated: Unexpected CancelledError"):
        await ask_chain(clock, {"simulated": Careless(clock)})


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()], ids=lambda error: type(error).__name__)
def test_the_end_of_the_process_or_of_the_coroutine_is_no_failure_of_a_source(
    clock: FakeClock, error: BaseException
) -> None:
    class Interrupted:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            raise error

    asked = first_success({"ranks": Interrupted(), "simulated": Stub(clock)}, TRAFFIC, ACME, clock)
    with pytest.raises(type(error)):
        asked.send(None)


async def test_no_other_source_is_asked_after_a_cancellation_that_a_source_turns_into_its_failure(
    clock: FakeClock,
) -> None:
    class FailsWhenStopped(Stub):
        async def ask(self, module: Module, subject: Subject) -> Finding:
            try:
                return await super().ask(module, subject)
            except asyncio.CancelledError:
                raise SourceFailed("It was stopped.") from None

    class NeverAsked(Stub):
        async def ask(self, module: Module, subject: Subject) -> Finding:
            raise AssertionError

    sources = {"ranks": FailsWhenStopped(clock), "simulated": NeverAsked(clock)}
    asked = asyncio.create_task(first_success(sources, TRAFFIC, ACME, clock))
    await settle()
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_lookup_that_takes_much_longer_than_usual_has_failed(clock: FakeClock) -> None:
    class Companies:
        name = "companies"
        expected_seconds = 15.0

        async def look_up(self, domain: str) -> CompanyData:
            await clock.sleep(24.5)
            return COMPANY

    limited = [TimeLimited(Companies(), seconds=seconds, clock=clock) for seconds in (10, 9)]
    assert [(source.name, source.expected_seconds) for source in limited] == [("companies", 15)] * 2
    in_time, late = [asyncio.create_task(source.look_up("acme.com")) for source in limited]
    await clock.advance(24)
    with pytest.raises(TimeoutError):
        await late
    await clock.advance(0.5)
    assert await in_time == COMPANY


def test_every_module_is_either_simulated_or_derived() -> None:
    derived = {module.id: module.derive for module in MODULES.values() if module.derive}

    assert tuple(SIMULATIONS) == FACTS
    assert SIMULATIONS.keys() | derived.keys() == MODULES.keys()
    assert not SIMULATIONS.keys() & derived.keys()


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_the_answer_of_a_module_has_the_type_in_its_row(module: Module) -> None:
    function = module.derive or SIMULATIONS[module.id]

    assert get_type_hints(function)["return"] is module.answer


@pytest.mark.parametrize("module_id", FACTS)
async def test_a_simulated_answer_takes_time_and_is_marked_as_simulated(clock: FakeClock, module_id: str) -> None:
    module = MODULES[module_id]
    source = Simulated(seconds=3, clock=clock)
    asked = asyncio.create_task(source.ask(module, ACME))
    begin = clock.now()
    await clock.advance(2.9)
    assert not asked.done()
    await clock.advance(0.1)
    finding = await asked

    assert finding.simulated
    assert [finding.source, finding.fetched_at] == ["simulated", begin + 3]
    (citation,) = finding.citations
    assert citation.simulated
    assert citation.title == f"{module.provider} {module.title} (simulated)"
    assert citation.url.startswith("https://")


async def test_a_source_rejects_modules_that_it_does_not_serve(clock: FakeClock) -> None:
    with pytest.raises(SourceFailed, match="cannot be simulated"):
        await Simulated(seconds=0, clock=clock).ask(MATCH, ACME)
    with pytest.raises(SourceFailed, match="cannot be derived"):
        await Local(case_studies=tuple, clock=clock).ask(TRAFFIC, ACME)


async def test_faults_are_injected_for_the_listed_modules_only() -> None:
    clock = Clock()
    inner = Simulated(seconds=0, clock=clock)
    source = FaultInjector(modules=frozenset({TRAFFIC.id}), source=inner, seconds=0, clock=clock)

    assert (await source.ask(MODULES["m02_tech_stack"], ACME)).simulated
    with pytest.raises(SourceFailed, match="SIMULATED_FAILURES"):
        await source.ask(TRAFFIC, ACME)


def test_the_simulated_sources_are_in_the_registry(clock: FakeClock) -> None:
    assert simulated_sources(Settings(), tuple, clock).keys() <= SOURCES.keys()


def test_an_unknown_module_in_simulated_failures_prevents_the_start() -> None:
    with pytest.raises(SettingsError, match="SIMULATED_FAILURES cannot be m99_x; the modules are m01_company_context"):
        create_app(Settings(simulated_failures=("m99_x", "m03_traffic")))


def test_an_unreadable_case_study_file_prevents_the_start() -> None:
    with pytest.raises(SettingsError, match="CASE_STUDIES_FILE"):
        create_app(Settings(case_studies_file="/nowhere/case-studies.json"))


async def test_the_clock_ends_a_block_that_takes_too_long() -> None:
    with pytest.raises(TimeoutError):
        async with Clock().timeout(0):
            await asyncio.sleep(10)
