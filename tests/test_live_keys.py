"""
The service with keys for Apollo and Clearbit, from a request to its answer: who answers, and who stands in.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from tests.live import World, live_service
from tests.test_live import values
from tests.upstreams import Reply, StubUpstream

KEYS: Final[dict[str, Any]] = {"apollo_api_key": "ap-private-1", "clearbit_api_key": "sk_private_2"}
ENCODED: Final = "c2tfcHJpdmF0ZV8y"
"The beginning of Clearbit's key as HTTP Basic sends it."


async def checked(world: World, name: str, *, works: bool | None) -> Any:
    """Wait until the key of a source has been checked, and return what is known about the source."""
    async with asyncio.timeout(10):
        while (source := await world.source(name))["key"]["checked_at"] is None:
            await asyncio.sleep(0.01)
    assert source["key"]["works"] is works
    return source


async def test_a_company_that_apollo_knows(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with live_service(monkeypatch, **KEYS) as world:
        await checked(world, "apollo", works=True)
        modules = ("m01_company_context", "m02_tech_stack", "m07_financials", "m12_trigger_events")
        found = await world.enrich("acme.example", *modules)
        unknown = await world.enrich("nowhere.example", "m01_company_context")
        sources = {name: await world.source(name) for name in ("apollo", "clearbit", "yahoo")}

    results, statuses = found["results"], found["module_statuses"]
    assert {module: status["source"] for module, status in statuses.items()} == dict(
        zip(modules, ("apollo", "apollo", "sec", "apollo"), strict=True)
    )
    assert values(results["m01_company_context"], "company_name", "employees", "revenue_range") == [
        *("Acme", 170, "$10M-$50M"),
    ]
    assert [event["type"] for event in results["m12_trigger_events"]["events"]] == [
        *("leadership_change", "funding", "funding"),
    ]
    assert [each["outcome"] for each in unknown["module_statuses"]["m01_company_context"]["attempts"]] == [
        *("unknown", "unknown", "unknown", "failed"),
    ]
    apollo = world.vendors["apollo"].received
    assert sources["apollo"]["calls"] == len(apollo)
    assert sum("enrich?domain=acme.example" in received.target for received in apollo) == 1
    assert sources["apollo"]["opened_by"] == sources["clearbit"]["opened_by"] == []
    assert values(sources["clearbit"]["key"], "works", "remaining", "unit") == [True, None, None]
    assert sources["yahoo"]["key"] is None
    for text in (*world.answers, caplog.text, *(received.target for received in apollo)):
        assert not any(key in text for key in (*KEYS.values(), ENCODED))


async def test_a_revenue_is_shown_as_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        for name, stub in world.vendors.items():
            if name not in ("apollo", "clearbit"):
                stub.scenario = "unknown"
        found = await world.enrich("acme.example", "m07_financials")
        world.vendors["apollo"].scenario = "broken"
        forced = await world.post("/api/v1/enrich/acme.example", {"modules": ["m07_financials"], "force": True})
        again = await world.ended("acme.example", forced["job_id"])

    answer, status = found["results"]["m07_financials"], found["module_statuses"]["m07_financials"]
    assert values(answer, "basis", "revenue", "currency") == ["estimated", 12_000_000, "USD"]
    assert "revenue_range" not in answer
    assert values(status, "source", "method", "matched_by") == ["apollo", "estimated", "domain of the organization"]
    assert again["module_statuses"]["m07_financials"]["source"] == "apollo"  # whose record is kept for some minutes
    assert again["module_statuses"]["m07_financials"]["fetched_at"] == status["fetched_at"]


BROKEN: Final = "It answered with status 500."


async def blueprint(world: World) -> Any:
    response = await world.api.post("/campaigns/enrichment", json={"website_url": "https://www.acme.example"})
    assert response.status_code == 200
    return response.json()


async def test_a_blueprint_is_inferred_from_apollo_for_which_clearbit_stands_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        made = await blueprint(world)

    assert made["metadata"]["sources_used"] == ["m01_company_context (apollo)", "m02_tech_stack (apollo)"]
    assert made["metadata"]["sources_missing"] == []
    assert any("170" in reason for reason in made["icp"]["reasoning"])

    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["apollo"].scenario = "broken"
        made = await blueprint(world)

    assert made["metadata"]["sources_used"] == ["m01_company_context (clearbit)", "m02_tech_stack (clearbit)"]
    assert made["metadata"]["sources_missing"] == [
        f"m01_company_context: apollo: {BROKEN}",
        f"m02_tech_stack: apollo: {BROKEN}",
    ]
    assert not any("apollo" in gap for gap in made["metadata"]["gaps"])
    assert any("900" in reason for reason in made["icp"]["reasoning"])


async def test_a_blueprint_without_both_is_inferred_from_public_records(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["apollo"].scenario = "unauthorized"
        world.vendors["clearbit"].answer = lambda _: Reply(b"{}", 402)
        made = await blueprint(world)

    assert made["metadata"]["sources_used"] == ["m01_company_context (yahoo)", "m02_tech_stack (fingerprints)"]
    missing = made["metadata"]["sources_missing"]
    assert [text.split(":")[1].strip() for text in missing] == ["apollo", "clearbit"] * 2
    assert "m01_company_context: clearbit: Its quota is exhausted." in missing


async def test_too_little_for_a_blueprint_lists_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, **KEYS) as world:
        for stub in world.vendors.values():
            stub.scenario = "unknown"
        world.vendors["apollo"].scenario = "forbidden"
        world.vendors["clearbit"].scenario = "success"
        world.vendors["clearbit"].answer = lambda _: Reply(b'{"name": "Nowhere", "domain": "nowhere.example"}')
        refused = await world.post("/campaigns/enrichment", {"website_url": "https://nowhere.example"})

    assert refused["code"] == "insufficient_information"
    assert any(text.startswith("m01_company_context: apollo: The plan or the key") for text in refused["missing"])


async def test_a_record_that_clearbit_has_queued_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, clearbit_api_key=KEYS["clearbit_api_key"]) as world:
        clearbit = world.vendors["clearbit"]
        replies = [Reply(b"", 202), Reply(b'{"error":{"type":"queued"}}', 202)]
        record = clearbit.answer
        clearbit.answer = lambda received: replies.pop(0) if replies else record(received)
        found = await world.enrich("acme.example", "m01_company_context")

    status = found["module_statuses"]["m01_company_context"]
    assert status["source"] == "clearbit"
    assert status["observed_at"] == "2021-12-24T02:50:54Z"
    assert status["attempts"][0]["duration_seconds"] >= 10
    assert len(clearbit.received) == 3


def checks_end_with(health: Reply, scenario: str = "success") -> Callable[[Mapping[str, StubUpstream]], None]:
    """Let Apollo answer the check of its key like this."""

    def prepare(vendors: Mapping[str, StubUpstream]) -> None:
        stub, usual = vendors["apollo"], vendors["apollo"].answer
        stub.answer = lambda received: health if received.target == "/auth/health" else usual(received)
        stub.scenario = scenario

    return prepare


def is_rejected(source: Any, setting: str) -> bool:
    return source["key"]["works"] is False and setting in source["key"]["detail"]


async def test_a_rejected_key_is_found_at_start_and_in_use(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with live_service(monkeypatch, checks_end_with(Reply(b'{"is_logged_in": false}')), **KEYS) as world:
        apollo = await checked(world, "apollo", works=False)
        before = await world.source("clearbit")
        world.vendors["apollo"].scenario = world.vendors["clearbit"].scenario = "unauthorized"
        found = await world.enrich("acme.example", "m01_company_context", "m02_tech_stack")
        after = await world.source("clearbit")

    assert is_rejected(apollo, "APOLLO_API_KEY")
    assert values(apollo, "configured", "state", "last_error") == [True, "ok", "It does not accept the key."]
    assert before["key"]["works"] is None
    assert is_rejected(after, "CLEARBIT_API_KEY")
    assert found["module_statuses"]["m01_company_context"]["source"] == "yahoo"
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert sorted(errors) == ["key rejected setting=APOLLO_API_KEY", "key rejected setting=CLEARBIT_API_KEY"]


async def test_a_check_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async with live_service(monkeypatch, checks_end_with(Reply(b"", 503)), **KEYS) as world:
        source = await checked(world, "apollo", works=None)

    assert source["key"]["detail"] == "It answered with status 503."
    assert "key rejected" not in caplog.text


async def test_the_service_does_not_wait_for_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = asyncio.all_tasks()
    async with live_service(monkeypatch, checks_end_with(Reply(), "hang"), **KEYS) as world:
        await world.vendors["apollo"].wait_for(1)
        ready = await world.api.get("/ready")
        source = await world.source("apollo")

    assert ready.status_code == 200
    assert values(source["key"], "works", "detail", "checked_at") == [None, None, None]
    assert asyncio.all_tasks() == tasks  # and they end with it
