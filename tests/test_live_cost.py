"""
What the service with keys costs: dry runs, compared with what runs then cost and with what the stubs have received.
"""

import asyncio
from collections import Counter
from typing import Any, Final

import pytest

from tests.live import API, SIMILARWEB_KEY, World, live_service
from tests.test_live import values

M01, M02, M03, M04 = "m01_company_context", "m02_tech_stack", "m03_traffic", "m04_traffic_sources"
M10, M12 = "m10_hiring_signals", "m12_trigger_events"
PATH: Final = f"{API}/acme.example"
KEYS: Final[dict[str, Any]] = {
    "apollo_api_key": "ap-private-1",
    "builtwith_api_key": "bw-private-2",
    "clearbit_api_key": "sk_private_3",
    "similarweb_api_key": SIMILARWEB_KEY,
    "brave_api_key": "br-private-4",
}
PRICES: Final[dict[str, Any]] = {
    "apollo_cost_per_call": 0.1,
    "builtwith_cost_per_call": 0.25,
    "clearbit_cost_per_call": 0.3,
    "similarweb_cost_per_call": 0.5,
}
CHECKS: Final = ("/auth/health", "/usagev2/", "/whoamiv1/", "/capabilities", "/usage")


def is_check(target: str) -> bool:
    """Whether a request checks a key."""
    return any(part in target for part in CHECKS)


async def keys_checked(world: World) -> None:
    """Wait until all keys have been checked, since these requests are received as well."""
    async with asyncio.timeout(20):
        while any(is_unchecked(each["key"]) for each in (await world.get("/api/v1/sources"))["sources"]):
            await asyncio.sleep(0.01)


def is_unchecked(key: Any) -> bool:
    return key is not None and key["checked_at"] is None


def received(world: World) -> Counter[str]:
    """The requests for answers that each outside service has received."""
    return +Counter(
        {name: sum(not is_check(each.target) for each in stub.received) for name, stub in world.vendors.items()}
    )


def called(cost: Any) -> Counter[str]:
    return Counter({each["source"]: each["calls"] for each in cost["sources"]})


async def test_a_run_calls_and_costs_what_its_plan_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS, **PRICES) as world:
        await keys_checked(world)
        body = {"modules": [M01, M02, M03, M04, M12], "max_cost": 100}
        planned = await world.post(PATH, {**body, "dry_run": True})
        assert received(world) == {}
        job = (await world.post(PATH, body))["job_id"]
        found = await world.ended("acme.example", job)
        counted = received(world)
        totals = {name: (await world.source(name))["cost"] for name in ("apollo", "builtwith", "similarweb")}

    statuses = found["module_statuses"]
    assert {module["module_id"]: module["action"] for module in planned["modules"]} == dict.fromkeys(
        body["modules"],
        "asked",  # type: ignore[call-overload]
    )
    for module in planned["modules"]:
        (answered,) = [each for each in statuses[module["module_id"]]["attempts"] if each["outcome"] == "answered"]
        assert answered["source"] == next(each["source"] for each in module["sources"] if each["asked"])
    cost = found["cost"]
    assert called(cost) == {name: counted[name] for name in ("apollo", "builtwith", "similarweb")} == counted
    assert cost["amount"] == planned["expected_cost"] == 2 * 0.1 + 0.25 + 7 * 0.5
    assert cost["amount"] < planned["worst_cost"]
    assert {each["source"]: each["amount"] for each in cost["sources"]} == {
        "apollo": 0.2,
        "builtwith": 0.25,
        "similarweb": 3.5,
    }
    assert {name: each["amount"] for name, each in totals.items()} == {
        "apollo": 0.2,
        "builtwith": 0.25,
        "similarweb": 3.5,
    }


async def test_free_calls_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch) as world:
        found = await world.enrich("acme.example")
        counted = received(world)
        websites = len(world.net.stub.received)
        sources = (await world.get("/api/v1/sources"))["sources"]

    cost = found["cost"]
    assert (cost["amount"], cost["credits"], cost["billed_calls"]) == (0.0, 0.0, 0)
    assert cost["calls"] == sum(called(cost).values()) == sum(counted.values()) + websites
    assert {each["name"]: each["cost"]["calls"] for each in sources if each["cost"]["calls"]} == called(cost)


async def test_nothing_is_called_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS, **PRICES) as world:
        await keys_checked(world)
        body = {"modules": [M01, M03, M04, M12], "max_cost": 1.2}
        planned = await world.post(PATH, {**body, "dry_run": True})
        found = await world.ended("acme.example", (await world.post(PATH, body))["job_id"])
        counted = received(world)

    statuses = found["module_statuses"]
    assert counted["apollo"] == 1
    assert counted["similarweb"] == 2
    assert found["cost"]["amount"] == pytest.approx(1.1)
    assert planned["expected_cost"] == pytest.approx(1.1)
    assert statuses[M12]["status"] == "skipped"
    reason = "The job has a max_cost of 1.2 USD; a call of similarweb, which costs 0.5 USD, could go beyond it."
    assert statuses[M12]["reason"] == reason
    assert planned["modules"][-1]["reason"] == reason


async def test_sources_that_refuse_calls_are_planned_not_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS, **PRICES) as world:
        await keys_checked(world)
        world.vendors["apollo"].scenario = "broken"
        for _ in range(5):
            await world.ended("acme.example", (await world.post(PATH, {"modules": [M01], "force": True}))["job_id"])
        before = received(world)
        body = {"modules": [M01], "force": True}
        planned = await world.post(PATH, {**body, "dry_run": True})
        found = await world.ended("acme.example", (await world.post(PATH, body))["job_id"])
        counted = received(world) - before

    first, second, *_ = planned["modules"][0]["sources"]
    assert values(first, "source", "asked", "state", "expected_cost") == ["apollo", False, "open", 0.0]
    assert first["reason"].startswith("It is not asked before 2026-02-26T")
    assert values(second, "source", "asked") == ["clearbit", True]
    assert counted["apollo"] == 0
    assert found["module_statuses"][M01]["source"] == "clearbit"
    assert found["cost"]["amount"] <= planned["expected_cost"] == 0.3


async def test_failures_cost_what_the_vendor_bills(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is not billed, and neither is a company that Apollo has no record of."""
    async with live_service(monkeypatch, **KEYS, **PRICES) as world:
        await keys_checked(world)
        world.vendors["apollo"].script.extend(["unavailable", "unavailable"])
        found = await world.enrich("acme.example", M01)
        world.vendors["apollo"].scenario = "nothing"
        unknown = await world.enrich("nowhere.example", M02)
        counted = received(world)

    (apollo,) = found["cost"]["sources"]
    assert values(apollo, "source", "calls", "billed_calls", "amount", "credits") == ["apollo", 3, 1, 0.1, 1.0]
    by_source = {each["source"]: each for each in unknown["cost"]["sources"]}
    assert values(by_source["apollo"], "calls", "billed_calls", "amount") == [1, 0, 0.0]
    assert counted["apollo"] == 4


async def test_prices_are_those_of_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, brave_api_key="br-private-4", llm_model="a-model") as world:
        prices = {each["name"]: each["prices"] for each in (await world.get("/api/v1/sources"))["sources"]}

    assert prices["websearch"] == [{"service": "brave", "cost_per_call": 0.005, "credits_per_call": None}]
    assert prices["llm"] == [{"service": "llm", "cost_per_call": None, "credits_per_call": None}]
    assert prices["apollo"] == [{"service": "apollo", "cost_per_call": None, "credits_per_call": 1.0}]
    assert prices["builtwith_free"] == prices["yahoo"] == prices["local"] == []
