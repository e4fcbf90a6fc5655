"""
The service with keys for BuiltWith and SimilarWeb: who answers about a website, who stands in, and what is missing.
"""

import asyncio
import logging
from typing import Any, Final

import pytest

from tests.adapters import reply
from tests.live import API, SIMILARWEB_KEY, World, live_service
from tests.test_live import values
from tests.upstreams import Received, Reply, StubUpstream

KEYS: Final[dict[str, Any]] = {"builtwith_api_key": "bw-private-3", "similarweb_api_key": SIMILARWEB_KEY}
TRAFFIC: Final = ("m03_traffic", "m04_traffic_sources", "m05_competitors", "m06_keywords")
NO_CREDITS: Final = reply({"Results": [], "Errors": [{"Lookup": "acme.example", "Code": -4, "Message": "No credits"}]})
CREDITS_USED: Final = "Its credits are used up."


def without_credits(builtwith: StubUpstream) -> None:
    """Let BuiltWith refuse what costs credits."""
    known = builtwith.answer
    paid = ("/v22/", "/kw2/")
    builtwith.answer = lambda received: NO_CREDITS if received.target.startswith(paid) else known(received)


def tried(status: Any) -> list[tuple[str, str]]:
    return [(attempt["source"], attempt["outcome"]) for attempt in status["attempts"]]


async def test_a_website_that_both_know(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with live_service(monkeypatch, **KEYS) as world:
        found = await world.enrich("acme.example", "m02_tech_stack", *TRAFFIC)
        sources = {name: await world.source(name) for name in ("builtwith", "builtwith_free", "similarweb")}

    results, statuses = found["results"], found["module_statuses"]
    assert {module: status["source"] for module, status in statuses.items()} == {
        "m02_tech_stack": "builtwith",
        **dict.fromkeys(TRAFFIC, "similarweb"),
    }
    assert {status["method"] for status in statuses.values()} == {"api"}
    assert [each["name"] for each in results["m02_tech_stack"]["technologies"]][:2] == ["Shopify", "Google Analytics"]
    assert values(results["m03_traffic"], "monthly_visits", "bounce_rate", "month") == [1_500_001, 43.12, "2026-01"]
    assert results["m04_traffic_sources"]["note"].startswith("Referrals include Affiliates (3.50 % of all visits).")
    assert results["m05_competitors"]["competitors"][0]["domain"] == "launch.example"
    assert results["m06_keywords"]["keywords"][0]["traffic_share_percent"] == 15.85
    assert statuses["m02_tech_stack"]["observed_at"] == "2026-02-24T00:00:00Z"
    assert "note" not in results["m03_traffic"]
    assert [source["configured"] for source in sources.values()] == [True, True, True]
    assert [source["calls"] > 0 for source in sources.values()] == [True, True, True]  # the free one has been checked
    for text in (
        *world.answers,
        caplog.text,
        *(citation["url"] for each in found["source_citations"].values() for citation in each),
    ):
        assert not any(key in text for key in KEYS.values())


async def test_counts_stand_in_for_names_and_nothing_is_derived_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        without_credits(world.vendors["builtwith"])
        modules = ("m02_tech_stack", "m03_traffic", "m14_icp_scoring", "m15_displacement_angle")
        found = await world.enrich("acme.example", *modules)
        paid, free = [await world.source(name) for name in ("builtwith", "builtwith_free")]

    answer, status = found["results"]["m02_tech_stack"], found["module_statuses"]["m02_tech_stack"]
    assert answer == {
        "simulated": False,
        "technologies": [],
        "groups": [{"name": "analytics", "live": 8}, {"name": "shop", "live": 1}],
        "limited": True,
        "note": "Limited: BuiltWith's free interface counts technologies by kind and does not name them. "
        "Names need credits.",
    }
    assert tried(status) == [("builtwith", "failed"), ("builtwith_free", "answered")]
    assert status["attempts"][0]["error"] == CREDITS_USED
    assert values(paid, "state", "last_error") == ["quota_exhausted", CREDITS_USED]
    assert free["state"] == "ok"
    rules = {rule["rule"]: rule["judged"] for rule in found["results"]["m14_icp_scoring"]["rules"]}
    assert (rules["replaceable product"], rules["commerce platform"]) == (False, False)
    angle = found["module_statuses"]["m15_displacement_angle"]
    assert angle["status"] == "skipped"
    assert "Without their names there is no product to replace." in angle["reason"]


async def test_a_source_without_credits_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        without_credits(world.vendors["builtwith"])
        for domain in ("acme.example", "northwind-loom.example"):
            await world.enrich(domain, "m02_tech_stack")
        targets = [received.target for received in world.vendors["builtwith"].received]

    assert sum(target.startswith("/v22/") for target in targets) == 1
    assert sum(target.startswith("/free1/") for target in targets) == 2


async def test_the_website_itself_stands_in_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["builtwith"].scenario = "broken"
        found = await world.enrich("acme.example", "m02_tech_stack")

    status = found["module_statuses"]["m02_tech_stack"]
    assert tried(status) == [("builtwith", "failed"), ("builtwith_free", "failed"), ("fingerprints", "answered")]
    assert "limited" not in found["results"]["m02_tech_stack"]


async def test_without_similarweb_each_module_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["similarweb"].scenario = "forbidden"
        world.vendors["builtwith"].scenario = "unknown"
        found = await world.enrich("acme.example", *TRAFFIC)

    results, statuses = found["results"], found["module_statuses"]
    assert {module: status["source"] for module, status in statuses.items()} == {
        "m03_traffic": "ranks",
        "m04_traffic_sources": None,
        "m05_competitors": "wikidata",
        "m06_keywords": "homepage",
    }
    assert results["m03_traffic"]["note"] == "Only the rank is known: Tranco ranks websites and does not count visits."
    assert values(results["m03_traffic"], "monthly_visits", "global_rank") == [None, 4_321]
    assert "is not measured" in results["m05_competitors"]["note"]
    assert results["m06_keywords"]["note"].startswith("Terms that the company's home page stresses, not keywords")
    assert statuses["m04_traffic_sources"]["status"] == "failed"
    assert statuses["m04_traffic_sources"]["reason"] == "similarweb: It refuses access, with status 403."
    assert tried(statuses["m06_keywords"]) == [
        *(("similarweb", "failed"), ("builtwith", "unknown"), ("homepage", "answered")),
    ]


async def test_a_source_that_hangs_leaves_time_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["similarweb"].scenario = "hang"
        found = await world.enrich("acme.example", "m03_traffic")

    status = found["module_statuses"]["m03_traffic"]
    assert tried(status) == [("similarweb", "failed"), ("ranks", "answered")]
    assert status["attempts"][0]["error"] == "No answer within 10 seconds."


async def test_keywords_of_pages_stand_in_for_those_of_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, builtwith_api_key="bw-private-3") as world:
        found = await world.enrich("acme.example", "m06_keywords")

    assert found["module_statuses"]["m06_keywords"]["source"] == "builtwith"
    assert found["results"]["m06_keywords"]["note"].startswith("Keywords of the company's pages")


async def test_an_unknown_website_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["similarweb"].answer = lambda _: Reply(b"Data not found", 401)
        found = await world.enrich("nowhere.example", "m04_traffic_sources")
        again = await world.enrich("nowhere.example", "m04_traffic_sources")
        source = await world.source("similarweb")
        sent = [received.target for received in world.vendors["similarweb"].received]

    statuses = [each["module_statuses"]["m04_traffic_sources"] for each in (found, again)]
    assert [status["status"] for status in statuses] == ["skipped", "skipped"]
    assert [status["cached"] for status in statuses] == [False, True]
    assert values(source, "state", "errors") == ["ok", 0]
    assert sum("traffic-channels" in target for target in sent) == 1


async def test_a_plan_costs_what_the_run_then_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    prices: dict[str, Any] = {"similarweb_cost_per_call": 0.25, "builtwith_cost_per_call": 0.5}
    async with live_service(monkeypatch, **KEYS, **prices) as world:
        modules = ["m02_tech_stack", *TRAFFIC]
        plan = await world.post(f"{API}/acme.example", {"modules": modules, "dry_run": True})
        found = await world.enrich("acme.example", *modules)
        bought = [received.target for received in world.vendors["similarweb"].received]

    assert plan["expected_cost"] == found["cost"]["amount"] == 9 * 0.25 + 0.5
    costs = {source["source"]: values(source, "billed_calls", "credits") for source in found["cost"]["sources"]}
    assert costs == {"builtwith": [1, 1], "similarweb": [9, 18]}
    assert sum(target.startswith("/v5/") for target in bought) == 9


async def checked(world: World, name: str) -> Any:
    """Wait until the key of a source has been checked, and return what is known about it."""
    async with asyncio.timeout(10):
        while (source := await world.source(name))["key"]["checked_at"] is None:
            await asyncio.sleep(0.01)
    return source["key"]


async def test_what_is_left_of_the_credits(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        found = {name: await checked(world, name) for name in ("builtwith", "builtwith_free", "similarweb")}

    assert [values(key, "works", "remaining", "unit") for key in found.values()] == [
        [True, 198_766, "credits"],
        [True, None, None],
        [True, 4_989, "credits"],
    ]
    assert values(found["builtwith_free"], "detail") == ["Plan: Pro."]


async def test_rejected_keys_are_logged_once_by_the_names_of_their_settings(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(vendors: Any) -> None:
        def refused(received: Received) -> Reply:
            return reply({"Errors": [{"Message": f"Invalid key in {received.target}"}]})

        vendors["builtwith"].answer = refused

    async with live_service(monkeypatch, refuse, builtwith_api_key="bw-private-3", similarweb_api_key="sw-5") as world:
        keys = {name: await checked(world, name) for name in ("builtwith", "similarweb")}
        for _ in range(2):
            await world.enrich("acme.example", "m02_tech_stack", "m03_traffic")

    assert [key["works"] for key in keys.values()] == [False, False]
    assert [key["detail"] for key in keys.values()] == [
        "The service does not accept BUILTWITH_API_KEY.",
        "The service does not accept SIMILARWEB_API_KEY.",
    ]
    rejected = [record.getMessage() for record in caplog.records if "key rejected" in record.getMessage()]
    assert sorted(rejected) == sorted(set(rejected))
    assert len(rejected) == 2
    for text in (*world.answers, caplog.text):
        assert "bw-private-3" not in text
        assert "sw-5" not in text
