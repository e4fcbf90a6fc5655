"""
The sources that need no network.
"""

import asyncio

import pytest

from enrichment.clock import Clock
from enrichment.errors import SettingsError, SourceFailed
from enrichment.modules.module import Subject
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.sources.local import Local
from enrichment.sources.simulated.source import FailingOn, Simulated
from service import create_app
from tests.conftest import FakeClock

ACME = Subject(domain="acme.com")
ASKED = [module for module in MODULES.values() if module.derive is None]
DERIVED = [module for module in MODULES.values() if module.derive]


@pytest.mark.parametrize("module", ASKED, ids=lambda module: module.id)
async def test_a_simulated_answer_takes_its_time_and_says_what_it_is(clock: FakeClock, module: object) -> None:
    assert isinstance(module, type(ASKED[0]))
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


async def test_each_source_says_what_it_cannot_do(clock: FakeClock) -> None:
    with pytest.raises(SourceFailed, match="cannot be simulated"):
        await Simulated(seconds=0, clock=clock).ask(DERIVED[0], ACME)
    with pytest.raises(SourceFailed, match="cannot be derived"):
        await Local(case_studies=tuple, clock=clock).ask(ASKED[0], ACME)


async def test_modules_that_are_to_fail_do_and_others_do_not() -> None:
    clock = Clock()
    inner = Simulated(seconds=0, clock=clock)
    source = FailingOn(modules=frozenset({ASKED[0].id}), source=inner, seconds=0, clock=clock)

    assert (await source.ask(ASKED[1], ACME)).simulated
    with pytest.raises(SourceFailed, match="SIMULATED_FAILURES"):
        await source.ask(ASKED[0], ACME)


def test_an_unknown_module_that_is_to_fail_ends_the_start() -> None:
    with pytest.raises(SettingsError, match="SIMULATED_FAILURES cannot be m99_x; the modules are m01_company_context"):
        create_app(Settings(simulated_failures=("m99_x", "m03_traffic")))


def test_a_case_study_file_that_is_not_there_ends_the_start() -> None:
    with pytest.raises(SettingsError, match="CASE_STUDIES_FILE"):
        create_app(Settings(case_studies_file="/nowhere/case-studies.json"))


async def test_a_real_block_that_takes_too_long_is_left() -> None:
    with pytest.raises(TimeoutError):
        async with Clock().timeout(0):
            await asyncio.sleep(10)
