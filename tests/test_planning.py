"""
Dry runs: what a job would do and cost, compared with what it then does.
"""

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

import httpx
import pytest

from enrichment.errors import SourceFailed, UnknownCompany
from enrichment.jobs import planning
from enrichment.jobs.cache import DAY
from enrichment.jobs.model import NO_TERMS, Terms
from enrichment.jobs.planning import DomainPlan, Outlook
from enrichment.settings import Settings
from enrichment.sources.costs import PaidRequests
from schemas import SourceState
from service import create_app
from tests.conftest import FakeClock, client_of
from tests.engine import Scripted, ScriptedEngine, options
from tests.test_max_cost import engine, limit, spent

M01, M02, M03, M08 = "m01_company_context", "m02_tech_stack", "m03_traffic", "m08_stock_info"
M13, M14 = "m13_case_study_match", "m14_icp_scoring"
API = "/api/v1/enrich"


async def plan(made: ScriptedEngine, *modules: str, **how: Any) -> DomainPlan:
    (planned,) = await made.planner.plan(["a.com"], options(modules or None, **how))
    return planned


def actions(planned: DomainPlan) -> dict[str, str]:
    return {module.module_id: module.action for module in planned.modules}


async def run(made: ScriptedEngine, clock: FakeClock, *modules: str, **how: Any) -> None:
    await made.start(modules=modules, **how)
    await clock.advance(10)


async def test_sources_are_listed_in_the_order_of_the_chain(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "clearbit", "yahoo", "local")
    (module,) = (await plan(made, M01)).modules

    assert (module.action, module.reason, module.age_seconds, module.unknown) == ("asked", None, None, False)
    assert [(each.source, each.asked, each.state, each.expected_cost, each.worst_cost) for each in module.sources] == [
        ("apollo", True, SourceState.OK, 0.1, 0.3),
        ("clearbit", True, SourceState.OK, None, None),
        ("yahoo", True, SourceState.OK, 0.0, 0.0),
    ]
    assert (module.expected_cost, module.worst_cost) == (0.1, 0.3)
    assert made.scripted.calls == []


async def test_a_module_without_a_configured_source_is_skipped(clock: FakeClock) -> None:
    (module,) = (await plan(engine(clock, "yahoo"), M03)).modules

    assert (module.action, module.sources) == ("skipped", ())
    assert module.reason == "None of its sources is configured: similarweb, ranks. Set SIMILARWEB_API_KEY."


async def test_cached_answers_have_their_age(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "similarweb")
    made.scripted.raises = {M03: UnknownCompany("never heard of it")}
    await run(made, clock, M01, M03)
    first, second = (await plan(made, M01, M03)).modules

    assert (first.action, first.reason, first.age_seconds, first.unknown) == ("cached", None, 9, False)
    assert (second.action, second.reason, second.unknown) == ("cached", "similarweb: never heard of it", True)
    assert {first.expected_cost, first.worst_cost, second.expected_cost} == {0.0}


@pytest.mark.parametrize(
    ("how", "seconds", "action"),
    [
        ({"force": True}, 0, "asked"),
        ({"terms": Terms(max_age=8)}, 0, "asked"),
        ({"terms": Terms(max_age=9)}, 0, "cached"),
        ({"terms": Terms(max_ages={M08: 1})}, 0, "asked"),
        ({}, DAY, "asked"),
    ],
)
async def test_a_cached_answer_that_is_not_wanted_is_not_used(
    clock: FakeClock, how: Any, seconds: float, action: str
) -> None:
    made = engine(clock, "yahoo")
    await run(made, clock, M08)
    await clock.advance(seconds)

    assert actions(await plan(made, M08, **how)) == {M08: action}


async def test_a_derived_module_is_cached_only_if_nothing_it_is_derived_from_changes(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "similarweb", "yahoo", "local")
    await run(made, clock, M01, M08, M13, M14)

    assert set(actions(await plan(made, M01, M08, M13, M14)).values()) == {"cached"}
    assert actions(await plan(made, M14)) == {M14: "cached"}
    assert actions(await plan(made, M03, M13, M14)) == {M03: "asked", M13: "asked", M14: "asked"}
    assert actions(await plan(made, M13, terms=Terms(max_ages={M01: 1}))) == {M13: "asked"}


async def test_a_derived_module_without_any_input_is_skipped(clock: FakeClock) -> None:
    made = engine(clock, "local")
    made.scripted.raises = {}
    planned = await plan(made, M03, M13)

    assert actions(planned) == {M03: "skipped", M13: "skipped"}
    assert planned.modules[1].reason == planning.NO_INPUT


async def test_a_source_that_refuses_calls_is_not_asked(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "clearbit", "similarweb")
    until = clock.now() + 60
    outlooks = {
        "apollo": Outlook(state=SourceState.QUOTA_EXHAUSTED, until=until, is_refusing=True),
        "similarweb": Outlook(state=SourceState.OPEN, until=until, is_refusing=True),
        "clearbit": Outlook(state=SourceState.LIMITED, until=until),
    }
    made.planner._outlook = outlooks.__getitem__
    first, second = (await plan(made, M01, M03)).modules

    assert [(each.source, each.asked, each.reason) for each in first.sources] == [
        ("apollo", False, "It is not asked before 2026-02-26T10:36:00Z: its state is quota_exhausted."),
        ("clearbit", True, None),
    ]
    assert first.action == "asked"
    assert (second.action, second.sources[0].state, second.sources[0].expected_cost) == ("skipped", "open", 0.0)
    assert second.reason == "similarweb: It is not asked before 2026-02-26T10:36:00Z: its state is open."


async def test_a_source_that_does_not_know_the_company_is_not_asked_again(clock: FakeClock) -> None:
    apollo, yahoo = Scripted(clock), Scripted(clock)
    apollo.raises, yahoo.raises = {M01: UnknownCompany("never heard of it")}, {M01: SourceFailed("down")}
    made = ScriptedEngine(clock, sources={"apollo": apollo, "yahoo": yahoo}, apollo_cost_per_call=0.1)
    await run(made, clock, M01)
    (module,) = (await plan(made, M01)).modules
    asked = [
        (await plan(made, M01, **how)).modules[0].sources[0].asked
        for how in ({"force": True}, {"terms": Terms(max_age=5)}, {"terms": Terms(max_age=50)})
    ]
    job = await made.start(modules=(M01,))
    await clock.advance(10)

    assert (module.action, module.reason, module.unknown) == ("asked", None, False)
    assert [(each.source, each.asked, each.reason, each.worst_cost) for each in module.sources] == [
        ("apollo", False, "never heard of it", 0.0),
        ("yahoo", True, None, 0.0),
    ]
    assert (module.expected_cost, module.worst_cost) == (0.0, 0.0)
    assert spent(await made.now(job)) == {"yahoo": (1, 0)}
    assert asked == [True, True, False]


SHARED = {
    M01: PaidRequests(("organization",)),
    M02: PaidRequests(("organization",)),
    "m10_hiring_signals": PaidRequests(("organization", "jobs"), more=2),
    M03: PaidRequests(("visits", "rank", "before")),
}


async def test_a_request_that_several_modules_need_is_expected_once(clock: FakeClock) -> None:
    made = engine(clock, "apollo")
    made.planner._outlook = lambda name: Outlook((name,), SHARED)
    planned = await plan(made, M01, M02, "m10_hiring_signals")

    assert [module.expected_cost for module in planned.modules] == [0.1, 0.0, 0.1]
    assert [module.worst_cost for module in planned.modules] == [0.3, 0.3, 1.2]


async def test_a_source_may_have_several_services(clock: FakeClock) -> None:
    """The first one that can be paid is expected; a free one can always be."""
    made = engine(clock, "websearch", brave_cost_per_call=0.005)
    costs = {}
    for services in (("tavily", "brave"), ("brave", ""), ("tavily", ""), ("tavily",)):
        made.planner._outlook = lambda _, services=services: Outlook(services)  # type: ignore[misc]
        plans = [await plan(made, "m11_exec_quotes", terms=terms) for terms in (NO_TERMS, limit(1))]
        costs[services] = [(each.modules[0].expected_cost, each.modules[0].worst_cost) for each in plans]

    assert costs == {
        ("tavily", "brave"): [(None, 0.015), (0.005, 0.015)],
        ("brave", ""): [(0.005, 0.015), (0.005, 0.015)],
        ("tavily", ""): [(None, None), (0.0, 0.0)],
        ("tavily",): [(None, None), (0.0, 0.0)],
    }
    assert [each.modules[0].action for each in plans] == ["asked", "skipped"]


@pytest.mark.parametrize(
    ("max_cost", "costs"),
    [(0.09, [0.0, 0.0]), (0.1, [0.1, 0.0]), (0.29, [0.2, 0.0]), (0.3, [0.3, 0.0]), (0.4, [0.3, 0.1])],
)
async def test_a_module_may_be_able_to_pay_for_some_of_its_requests(
    clock: FakeClock, max_cost: float, costs: list[float]
) -> None:
    made = engine(clock, "similarweb")
    made.planner._outlook = lambda name: Outlook((name,), SHARED)
    planned = await plan(made, M03, "m04_traffic_sources", terms=limit(max_cost))

    assert [module.expected_cost for module in planned.modules] == costs
    assert [module.action for module in planned.modules] == ["asked" if cost else "skipped" for cost in costs]
    assert [module.reason is None for module in planned.modules] == [max_cost >= 0.3, max_cost >= 0.4]


@pytest.mark.parametrize("max_cost", [None, 0.0, 0.09, 0.1, 0.3, 0.4, 5.0])
@pytest.mark.parametrize("names", [("apollo", "similarweb", "yahoo", "local"), ("apollo", "clearbit", "similarweb")])
async def test_a_run_does_what_was_planned(clock: FakeClock, names: Collection[str], max_cost: float | None) -> None:
    """Sources that answer at once: modules, calls and cost are those that the plan expects."""
    made = engine(clock, *names, similarweb_cost_per_call=0.3)
    terms = NO_TERMS if max_cost is None else limit(max_cost)
    modules = (M01, M03, M08, M13)
    await run(made, clock, M08)
    planned = await plan(made, *modules, terms=terms)
    made.scripted.calls.clear()
    job = await made.start(modules=modules, terms=terms)
    await clock.advance(20)
    done = await made.now(job)

    assert {module for _, module in made.scripted.calls} == {
        module for module, action in actions(planned).items() if action == "asked"
    }
    assert {step.module_id for step in done.steps if step.cached} == {
        module for module, action in actions(planned).items() if action == "cached"
    }
    amount = sum(amount for _, amount in spent(done).values())
    assert amount == planned.expected.amount <= planned.worst.amount
    for module in planned.modules:
        if module.action == "skipped":
            assert done.step(module.module_id).reason == module.reason
        if module.action == "asked":
            finding = done.step(module.module_id).finding
            assert finding
            asked = [each.source for each in module.sources if each.asked]
            assert [each.source for each in finding.attempts if each.outcome == "answered"] == asked[:1]


async def test_a_run_whose_sources_fail_costs_no_more_than_planned_at_worst(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "clearbit", "yahoo", clearbit_cost_per_call=0.5)
    made.scripted.raises = {M01: SourceFailed("down")}
    planned = await plan(made, M01)
    job = await made.start(modules=(M01,))
    await clock.advance(20)

    assert sum(amount for _, amount in spent(await made.now(job)).values()) == 600_000 <= planned.worst.amount


# Over HTTP


def app(clock: FakeClock, names: Iterable[str] = ("apollo", "yahoo"), **settings: Any) -> Any:
    settings = {"auth": "off", "apollo_cost_per_call": 0.1, "cost_currency": "EUR", **settings}
    return create_app(Settings(**settings), sources=dict.fromkeys(names, Scripted(clock)), clock=clock)


async def post(api: httpx.AsyncClient, path: str, body: Any) -> Any:
    response = await api.post(f"{API}{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_dry_run_starts_and_stores_nothing(clock: FakeClock) -> None:
    async with client_of(app(clock)) as api:
        planned = await post(api, "/A.com", {"dry_run": True, "modules": [M01, M03, M08]})
        batch = await post(api, "/batch", {"dry_run": True, "domains": ["a.com"]})
        await clock.advance(60)
        jobs = (await api.get(API)).json()
        cache = (await api.get(f"{API}/a.com/cache")).json()
        sources = (await api.get("/api/v1/sources")).json()["sources"]
        real = await api.post(f"{API}/a.com", json={"dry_run": False, "modules": [M08]})

    assert {name: planned[name] for name in planned if name != "modules"} == {
        "dry_run": True,
        "domain": "a.com",
        "simulated": False,
        "currency": "EUR",
        "expected_cost": 0.1,
        "worst_cost": 0.3,
        "unknown_cost_sources": [],
        "max_cost": None,
        "cached_count": 0,
        "asked_count": 2,
        "skipped_count": 1,
    }
    assert (jobs["total"], cache["overall_freshness"], batch["queued_count"]) == (0, "missing", 1)
    assert {source["calls"] for source in sources} == {source["cost"]["calls"] for source in sources} == {0}
    assert real.status_code == 202


async def test_the_plan_of_simulated_sources_says_so_and_costs_nothing(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as api:
        planned = await post(api, "/a.com", {"dry_run": True})

    assert (planned["simulated"], planned["asked_count"], planned["worst_cost"]) == (True, 15, 0.0)
    assert [each["source"] for each in planned["modules"][0]["sources"]] == ["simulated"]


async def test_the_plan_of_a_batch_has_its_sums_and_the_first_of_its_domains(clock: FakeClock) -> None:
    domains = ["a.com", "A.com", "not a domain", *(f"x{number}.com" for number in range(150))]
    body = {"dry_run": True, "domains": domains, "modules": [M01, M03], "max_cost": 10.05}
    async with client_of(app(clock)) as api:
        planned = await post(api, "/batch", body)

    counts = {name: value for name, value in planned.items() if name.endswith(("count", "domains", "cost"))}
    listed = counts.pop("domains")
    assert counts == {
        "total_domains": 153,
        "queued_count": 151,
        "skipped_count": 2,
        "expected_cost": 10.0,
        "worst_cost": 10.05,
        "max_cost": 10.05,
        "cached_modules_count": 0,
        "asked_modules_count": 100,
        "skipped_modules_count": 202,
    }
    assert [each["domain"] for each in listed[:4]] == ["a.com", "a.com", "not a domain", "x0.com"]
    assert [each["reason"] is None for each in listed[:4]] == [True, False, False, True]
    assert [listed[0][name] for name in ("asked_count", "skipped_count", "expected_cost")] == [1, 1, 0.1]
    assert [listed[1][name] for name in ("asked_count", "skipped_count", "expected_cost")] == [0, 0, 0.0]
    assert len(listed) == 100


async def test_sources_of_unknown_cost_are_named(clock: FakeClock) -> None:
    async with client_of(app(clock, apollo_cost_per_call=None)) as api:
        planned = await post(api, "/a.com", {"dry_run": True, "modules": [M01, M08]})
        limited = await post(api, "/a.com", {"dry_run": True, "modules": [M01, M08], "max_cost": 1})

    assert [planned[name] for name in ("expected_cost", "worst_cost", "unknown_cost_sources")] == [
        *(None, None, ["apollo"])
    ]
    assert [limited[name] for name in ("expected_cost", "worst_cost", "unknown_cost_sources")] == [0.0, 0.0, []]
    first = limited["modules"][0]["sources"][0]
    assert first["reason"] == "It is not asked: the job has a max_cost, and what a call costs is not known."


async def test_the_plan_of_a_large_batch_leaves_time_for_others(clock: FakeClock) -> None:
    made = engine(clock, "apollo", "similarweb", "builtwith", "yahoo", "local")
    turns, running = 0, True

    async def watch() -> None:
        nonlocal turns
        while running:
            await asyncio.sleep(0)
            turns += 1

    watcher = asyncio.create_task(watch())
    planned = await made.planner.plan([f"{number}.com" for number in range(300)], options())
    running = False
    await watcher

    assert len(planned) == 300
    assert sum(module.action == "asked" for each in planned for module in each.modules) == 300 * 14
    assert turns > 5  # some 20, of 2 ms each


async def test_one_read_of_the_cache_serves_many_domains(clock: FakeClock) -> None:
    made = engine(clock, "apollo")
    reads: list[int] = []
    list_held = made.cache.list_held

    async def counted(domains: Collection[str], keys: Collection[str]) -> Any:
        reads.append(len(domains))
        return await list_held(domains, keys)

    made.cache.list_held = counted  # type: ignore[method-assign, assignment]
    await made.planner.plan([f"{number}.com" for number in range(250)], options((M01,)))

    assert reads == [100, 100, 50]


async def test_status_and_results_show_the_cost(clock: FakeClock) -> None:
    async with client_of(app(clock)) as api:
        body = {"modules": [M01, M08], "max_cost": 0.15}
        job = (await api.post(f"{API}/a.com", json=body)).json()["job_id"]
        batch = (await api.post(f"{API}/batch", json={"domains": ["b.com", "c.com"], **body})).json()["batch_id"]
        await clock.advance(20)
        costs = [
            (await api.get(f"{API}/{path}")).json()["cost"]
            for path in (f"a.com/status?job_id={job}", f"a.com/results?job_id={job}", f"batch/{batch}")
        ]
        sources = {each["name"]: each for each in (await api.get("/api/v1/sources")).json()["sources"]}
        retried = await api.post(f"{API}/a.com/retry", json={"failed_modules_only": False, "max_cost": 0})
        await clock.advance(20)
        again = (await api.get(f"{API}/a.com/status")).json()

    assert (
        costs[0]
        == costs[1]
        == {
            "currency": "EUR",
            "amount": 0.1,
            "credits": 1.0,
            "calls": 2,
            "billed_calls": 1,
            "calls_of_unknown_cost": 0,
            "max_cost": 0.15,
            "sources": [
                {
                    "source": "apollo",
                    "amount": 0.1,
                    "credits": 1.0,
                    "calls": 1,
                    "billed_calls": 1,
                    "calls_of_unknown_cost": 0,
                },
                {
                    "source": "yahoo",
                    "amount": 0.0,
                    "credits": 0.0,
                    "calls": 1,
                    "billed_calls": 0,
                    "calls_of_unknown_cost": 0,
                },
            ],
        }
    )
    assert (costs[2]["amount"], costs[2]["max_cost"]) == (0.1, 0.15)
    assert sources["apollo"]["prices"] == [{"service": "apollo", "cost_per_call": 0.1, "credits_per_call": 1.0}]
    assert sources["yahoo"]["prices"] == []
    assert [sources["apollo"]["cost"][name] for name in ("source", "amount", "calls")] == ["apollo", 0.2, 2]
    assert retried.status_code == 202
    assert (again["cost"]["max_cost"], again["cost"]["amount"]) == (0.0, 0.0)
