"""
How old answers may be, and what is used when no source gives another one.
"""

from typing import Any

import pytest

from enrichment.errors import InsufficientInput, MaxCostReached, SourceFailed, UnknownCompany
from enrichment.jobs.cache import DAY, EXPIRED_DAYS
from enrichment.jobs.model import Enrichment, Terms
from enrichment.modules.module import source_key
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from schemas import JobState, Outcome, StepState
from service import create_app
from tests.conftest import FakeClock, client_of
from tests.engine import Scripted, ScriptedEngine

M01, M03, M08, M13 = "m01_company_context", "m03_traffic", "m08_stock_info", "m13_case_study_match"
API = "/api/v1/enrich"


@pytest.fixture
def engine(clock: FakeClock) -> ScriptedEngine:
    return ScriptedEngine(clock)


async def calls(engine: ScriptedEngine, clock: FakeClock, *modules: str, **how: Any) -> list[str]:
    """The modules that a job asks sources for."""
    engine.scripted.calls.clear()
    await engine.start(modules=modules, **how)
    await clock.advance(10)
    return [module_id for _, module_id in engine.scripted.calls]


async def test_an_answer_of_that_age_is_used_and_an_older_one_is_not(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M01)  # answered after a second
    await clock.advance(91)

    assert await calls(engine, clock, M01, terms=Terms(max_age=100)) == []
    assert await calls(engine, clock, M01, terms=Terms(max_age=100)) == [M01]


async def test_an_age_may_be_given_by_module(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M01, M08)
    terms = Terms(max_age=1_000, max_ages={M08: 5})

    assert await calls(engine, clock, M01, M08, terms=terms) == [M08]


async def test_an_age_does_not_make_an_answer_live_longer(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M08)
    await clock.advance(DAY)

    assert await calls(engine, clock, M08, terms=Terms(max_age=10 * DAY)) == [M08]


async def test_the_age_holds_for_what_answers_are_derived_from(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M01, M08)
    await clock.advance(100)
    await calls(engine, clock, M13, terms=Terms(max_ages={M01: 50}))

    assert engine.scripted.subjects[M13].known.keys() == {M08}


@pytest.mark.parametrize("age", [DAY + 1, EXPIRED_DAYS * DAY])
async def test_an_expired_answer_stands_in_when_every_source_fails(
    engine: ScriptedEngine, clock: FakeClock, age: float
) -> None:
    await calls(engine, clock, M08)
    await clock.advance(age)
    engine.scripted.raises = {M08: SourceFailed("down")}
    job = await engine.start(modules=(M08, M13), terms=Terms(stale_if_error=True))
    await clock.advance(10)
    done = await engine.now(job)
    step = done.step(M08)

    assert done.state is JobState.COMPLETED
    assert (step.state, step.cached, step.stale, step.reason) == (StepState.COMPLETED, True, True, None)
    assert [(each.source, each.error) for each in step.attempts] == [("simulated", "down")]
    assert engine.scripted.subjects[M13].known.keys() == {M08}


async def test_so_does_one_that_is_older_than_wanted(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M08)
    engine.scripted.raises = {M08: SourceFailed("down")}
    ways: list[dict[str, Any]] = [
        {"terms": Terms(max_age=1, stale_if_error=True)},
        {"terms": Terms(stale_if_error=True), "force": True},
    ]
    for how in ways:
        job = await engine.start(modules=(M08,), **how)
        await clock.advance(10)
        assert (await engine.now(job)).step(M08).stale


async def test_an_answer_that_expired_long_ago_is_dropped(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M08)
    await clock.advance((1 + EXPIRED_DAYS) * DAY)
    engine.scripted.raises = {M08: SourceFailed("down")}
    job = await engine.start(modules=(M08,), terms=Terms(stale_if_error=True))
    await clock.advance(10)

    assert (await engine.now(job)).step(M08).state is StepState.FAILED
    assert await engine.cache.inspect("a.com") == {}


async def test_without_being_asked_for_no_expired_answer_is_used(engine: ScriptedEngine, clock: FakeClock) -> None:
    await calls(engine, clock, M08)
    await clock.advance(DAY)
    engine.scripted.raises = {M08: SourceFailed("down")}
    job = await engine.start(modules=(M08,))
    await clock.advance(10)

    assert (await engine.now(job)).step(M08).state is StepState.FAILED


async def test_that_a_company_is_unknown_is_no_answer_that_could_stand_in(
    engine: ScriptedEngine, clock: FakeClock
) -> None:
    engine.scripted.raises = {M08: UnknownCompany("never heard of it")}
    await calls(engine, clock, M08)
    engine.scripted.raises = {M08: SourceFailed("down")}
    job = await engine.start(modules=(M08,), terms=Terms(stale_if_error=True), force=True)
    await clock.advance(10)

    assert (await engine.now(job)).step(M08).state is StepState.FAILED


class Unsure:
    """SimilarWeb, which does not know the company, and ranks after it, which fails."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.similarweb, self.ranks = Scripted(clock), Scripted(clock)
        self.similarweb.raises = {M03: UnknownCompany("never heard of it")}
        self.ranks.raises = {M03: SourceFailed("down")}
        sources = {"similarweb": self.similarweb, "ranks": self.ranks}
        self.engine = ScriptedEngine(clock, sources=sources, similarweb_cost_per_call=0.5)

    async def run(self, seconds: float = 10, **how: Any) -> Enrichment:
        """Run a job for these seconds."""
        job = await self.engine.start(modules=(M03,), **how)
        await self.clock.advance(seconds)
        return await self.engine.now(job)

    @property
    def calls(self) -> tuple[int, int]:
        """The calls of each since this was last asked."""
        calls = len(self.similarweb.calls), len(self.ranks.calls)
        self.similarweb.calls.clear()
        self.ranks.calls.clear()
        return calls


@pytest.fixture
def unsure(clock: FakeClock) -> Unsure:
    return Unsure(clock)


TENTH = 7 * DAY / 10
"Of the time of m03."


async def test_that_a_source_does_not_know_a_company_is_kept_though_another_one_fails(
    unsure: Unsure, clock: FakeClock
) -> None:
    first = (await unsure.run()).step(M03)
    assert unsure.calls == (1, 1)
    job = await unsure.run()
    step = job.step(M03)

    assert unsure.calls == (0, 1)
    assert (
        (step.state, step.reason)
        == (StepState.FAILED, "similarweb: never heard of it; ranks: down")
        == (
            first.state,
            first.reason,
        )
    )
    assert [(each.source, each.outcome, each.duration_seconds, each.error) for each in step.attempts] == [
        ("similarweb", Outcome.UNKNOWN, 0.0, "never heard of it"),
        ("ranks", Outcome.FAILED, 1.0, "down"),
    ]
    assert {charge.source: charge.calls for charge in job.charges} == {"ranks": 1}
    assert await unsure.engine.cache.inspect("a.com") == {}
    await clock.advance(TENTH - 30)
    await unsure.run()
    assert unsure.calls == (0, 1)
    await clock.advance(10)
    await unsure.run()
    assert unsure.calls == (1, 1)


async def test_force_and_max_age_go_around_what_is_kept_of_sources(unsure: Unsure) -> None:
    await unsure.run()
    await unsure.run(force=True)
    await unsure.run(terms=Terms(max_age=8))
    assert unsure.calls == (3, 3)
    await unsure.run(terms=Terms(max_age=9))
    await unsure.run(terms=Terms(max_ages={M03: 100}))
    assert unsure.calls == (0, 2)


async def test_a_job_that_asks_everybody_shares_no_call_of_one_that_does_not(unsure: Unsure) -> None:
    await unsure.run()
    await unsure.run(0)
    await unsure.run(0)
    await unsure.run(force=True)

    assert unsure.calls == (2, 3)


async def test_another_source_that_knows_the_company_answers(unsure: Unsure) -> None:
    await unsure.run()
    unsure.ranks.raises = {}
    job = await unsure.run()
    finding = job.step(M03).finding

    assert finding
    assert [each.outcome for each in finding.attempts] == [Outcome.UNKNOWN, Outcome.ANSWERED]
    assert unsure.calls == (1, 2)
    assert (await unsure.run()).step(M03).cached


async def test_that_no_source_knows_a_company_is_as_old_as_the_oldest_of_them(unsure: Unsure, clock: FakeClock) -> None:
    await unsure.run()
    await clock.advance(TENTH / 2)
    unsure.ranks.raises = {M03: UnknownCompany("not ranked")}
    step = (await unsure.run()).step(M03)
    assert (step.unknown, step.reason) == (True, "similarweb: never heard of it; ranks: not ranked")
    assert unsure.calls == (1, 2)
    await clock.advance(TENTH / 2 - 30)
    assert (await unsure.run()).step(M03).cached
    await clock.advance(10)
    await unsure.run()

    assert unsure.calls == (1, 1)


@pytest.mark.parametrize("ends", ["too late", "too expensive", "without input", "cancelled"])
async def test_it_is_kept_however_the_chain_ends(unsure: Unsure, clock: FakeClock, ends: str) -> None:
    errors = {"too expensive": MaxCostReached("no"), "without input": InsufficientInput("too little")}
    if error := errors.get(ends):
        unsure.ranks.raises = {M03: error}
    else:
        unsure.ranks.seconds = 100
    job = await unsure.run(5 if ends == "cancelled" else 30)
    if ends == "cancelled":
        await unsure.engine.jobs.cancel("a.com", job.id)
        await clock.advance(1)
    assert unsure.calls == (1, 1)
    await unsure.run(30)

    assert unsure.calls == (0, 1)


async def test_what_answers_is_not_kept_twice(unsure: Unsure) -> None:
    """The attempts of an answer say as well who did not know the company."""
    unsure.ranks.raises = {}
    await unsure.run()

    key = source_key(MODULES[M03], "similarweb")
    assert await unsure.engine.cache.list_held(("a.com",), (key,)) == {"a.com": {}}


async def test_that_a_company_is_unknown_is_kept_for_a_tenth_of_the_time(
    engine: ScriptedEngine, clock: FakeClock
) -> None:
    engine.scripted.raises = {M08: UnknownCompany("never heard of it")}

    assert await calls(engine, clock, M08) == [M08]
    await clock.advance(DAY / 10 - 20)
    assert await calls(engine, clock, M08) == []
    assert await calls(engine, clock, M08, force=True) == [M08]
    await clock.advance(DAY / 10)
    assert await calls(engine, clock, M08) == [M08]


async def test_status_results_and_cache_show_age_staleness_and_unknown_companies(clock: FakeClock) -> None:
    source = Scripted(clock)
    source.raises = {M01: UnknownCompany("never heard of it")}
    app = create_app(Settings(auth="off"), sources={"yahoo": source}, clock=clock)
    async with client_of(app) as api:
        await api.post(f"{API}/a.com", json={"modules": [M01, M08]})
        await clock.advance(10)
        await clock.advance(2 * DAY)
        source.raises[M08] = SourceFailed("down")
        body = {"modules": [M01, M08], "stale_if_error": True}
        job = (await api.post(f"{API}/a.com", json=body)).json()
        await clock.advance(10)
        status = (await api.get(f"{API}/a.com/status")).json()
        results = (await api.get(f"{API}/a.com/results")).json()
        cache = (await api.get(f"{API}/a.com/cache")).json()

    first, second = status["waves"][0]["modules"][0], status["waves"][1]["modules"][0]
    assert results["job_id"] == job["job_id"]
    assert [first[name] for name in ("status", "unknown", "cached", "stale")] == ["skipped", True, True, False]
    assert first["reason"] == "yahoo: never heard of it"
    assert [second[name] for name in ("status", "unknown", "cached", "stale")] == ["completed", False, True, True]
    module = results["module_statuses"][M08]
    assert [module["stale"], module["age_seconds"], module["attempts"][0]["error"]] == [True, 2 * DAY + 9, "down"]
    assert [results["module_statuses"][M01][name] for name in ("unknown", "age_seconds")] == [True, None]
    assert (results["cached_modules"], results["errors"]) == (
        [M01, M08],
        [
            {
                "module_id": M01,
                "status": "skipped",
                "detail": "yahoo: never heard of it",
                "simulated": False,
                "attempts": results["module_statuses"][M01]["attempts"],
            }
        ],
    )
    assert [each["outcome"] for each in results["errors"][0]["attempts"]] == ["unknown"]
    cached = {each["module_id"]: each for each in cache["modules"]}
    assert [cached[M01][name] for name in ("is_cached", "unknown", "freshness")] == [True, True, "stale"]
    assert [cached[M08][name] for name in ("is_cached", "unknown", "freshness")] == [True, False, "expired"]


REFUSED: dict[str, list[dict[str, Any]]] = {
    "#/max_age": [
        {"max_age": 60, "force": True},
        {"max_age": {M01: 60}, "force": True},
        {"max_age": -1},
        {"max_age": "1h"},
        {"max_age": True},
        {"max_age": 1e12},
    ],
    "#/max_age/m08_stock_info": [{"max_age": {M08: 60}, "modules": [M01]}],
    "#/max_age/m1~1x~0": [{"max_age": {"m1/x~": 60}}],
    "#/max_cost": [{"max_cost": -0.01}, {"max_cost": "5"}, {"max_cost": 1e10}],
    "#/stale_if_error": [{"stale_if_error": 1}],
    "#/dry_run": [{"dry_run": "yes"}],
}


@pytest.mark.parametrize(
    ("pointer", "body"), [(pointer, body) for pointer, bodies in REFUSED.items() for body in bodies]
)
async def test_terms_that_have_no_meaning_are_refused(pointer: str, body: Any) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=FakeClock())) as api:
        alone = await api.post(f"{API}/a.com", json=body)
        batch = await api.post(f"{API}/batch", json={"domains": ["a.com"], **body})
        jobs = (await api.get(API)).json()

    for response in (alone, batch):
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
        assert response.json()["detail"]
    assert jobs["total"] == 0


async def test_an_age_of_an_input_makes_sense(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as api:
        response = await api.post(f"{API}/a.com", json={"modules": [M13], "max_age": {M08: 60}, "force": None})

    assert response.status_code == 202
