"""
The service with live sources, from a request to its answer: values, where they come from, and what is kept back.
"""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from enrichment.errors import SettingsError, SourceFailed
from enrichment.modules.answers import Traffic
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.sources import live
from enrichment.sources.context import CONTEXT, CallContext
from schemas import Method
from service import create_app
from tests.adapters import reply
from tests.answers.language_model import written
from tests.conftest import ROOT, FakeClock
from tests.live import API, CONTACT, INSIDE, World, live_service
from tests.upstreams import Received, Reply
from tests.websites import page

FACTS = [f"m{number:02}" for number in range(1, 13)]
NO_ITEM = "Wikidata has no company whose official website is at this domain."
REFUSED = "Its host name leads to an address that is not on the public internet."
MATCHED = "official website in Wikidata, as the one of 2 that is a company"


def by_number(found: Mapping[str, Any]) -> dict[str, Any]:
    return {module_id[:3]: value for module_id, value in found.items()}


def values(answer: Mapping[str, Any], *names: str) -> list[Any]:
    return [answer[name] for name in names]


async def test_a_listed_company(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with live_service(monkeypatch) as world:
        found = await world.enrich("acme.example")
        sources = {each["name"]: each for each in (await world.get("/api/v1/sources"))["sources"]}

    results, statuses = by_number(found["results"]), by_number(found["module_statuses"])
    assert (found["status"], found["simulated"]) == ("completed", False)
    assert values(results["m01"], "company_name", "hq", "employees", "industry", "country", "company_type") == [
        *("Acme, Inc.", "Cupertino, CA", 15_000, "Aerospace & Defense", "United States", "public"),
    ]
    assert {each["name"] for each in results["m02"]["technologies"]} >= {"Shopify", "Google Workspace", "Akamai"}
    assert values(results["m03"], "global_rank", "monthly_visits") == [4_321, None]
    assert [each["domain"] for each in results["m05"]["competitors"]] == ["rival.example", "cousin.example"]
    assert {each["keyword"] for each in results["m06"]["keywords"]} >= {"rockets"}
    assert values(results["m07"], "basis", "currency", "fiscal_year", "revenue", "operating_margin_percent") == [
        *("reported", "USD", 2025, 2_000, 15.0),
    ]
    assert values(results["m08"], "symbol", "currency", "price", "market_cap", "dividend_yield_percent") == [
        *("ACME", "USD", 110.5, 12_345_678_901, 0.41),
    ]
    assert values(results["m09"], "recommendation", "target_mean", "currency") == ["buy", 125.2, "USD"]
    assert values(results["m10"], "open_roles", "senior_roles", "remote_share_percent") == [2, 1, 50.0]
    assert [each["speaker"] for each in results["m11"]["quotes"]] == ["Jane R. Doe", "John O’Neil"]
    assert [each["type"] for each in results["m12"]["events"]] == ["leadership_change", "acquisition"]
    assert {module_id: status["source"] for module_id, status in statuses.items()} == {
        "m01": "yahoo",
        "m02": "fingerprints",
        "m03": "ranks",
        "m04": None,
        "m05": "wikidata",
        "m06": "homepage",
        "m07": "sec",
        "m08": "yahoo",
        "m09": "yahoo",
        "m10": "job_boards",
        "m11": "sec",
        "m12": "yahoo",
        "m13": "local",
        "m14": "local",
        "m15": "local",
    }
    assert (statuses["m07"]["method"], statuses["m07"]["observed_at"]) == ("api", "2025-12-31T00:00:00Z")
    assert (statuses["m01"]["matched_by"], statuses["m01"]["match_confidence"]) == (MATCHED, 0.8)
    assert [(each["source"], each["outcome"]) for each in statuses["m05"]["attempts"]] == [
        ("websearch", "unknown"),
        ("wikidata", "answered"),
    ]
    methods = {"api", "scrape", "derived"}
    for module_id, status in statuses.items():
        assert status["simulated"] is False
        if module_id != "m04":
            assert status["method"] in methods - {Method.SIMULATED.value}
            assert status["source_url"]
    assert {citation["simulated"] for cited in found["source_citations"].values() for citation in cited} == {False}
    assert statuses["m04"]["status"] == "skipped"
    assert statuses["m04"]["reason"] == "None of its sources is configured: similarweb. Set SIMILARWEB_API_KEY."

    assert values(sources["yahoo"], "configured", "state", "errors", "last_error") == [True, "ok", 0, None]
    assert sources["yahoo"]["calls"] == sources["yahoo"]["hits"] > 5
    assert sources["yahoo"]["last_success_at"].startswith("2026-02-26T")
    assert values(sources["similarweb"], "configured", "opened_by", "calls") == [False, ["SIMILARWEB_API_KEY"], 0]
    agents = {received.headers["user-agent"] for stub in world.vendors.values() for received in stub.received}
    assert all(CONTACT in agent for agent in agents)
    for text in (*world.answers, caplog.text):
        assert CONTACT not in text
        assert "a.Crumb" not in text
        assert "A3=d" not in text


async def test_a_private_company_and_unknown_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch) as world:
        domains = ("northwind-loom.example", "nowhere.example", *INSIDE)
        private, unknown, *inside = await asyncio.gather(*(world.enrich(domain) for domain in domains))
        hosts = {received.headers["host"] for received in world.net.stub.received}
        dialled = {host for host, _ in world.net.sockets.dialled}

    results, statuses = by_number(private["results"]), by_number(private["module_statuses"])
    assert values(results["m01"], "company_name", "founded", "hq", "employees", "company_type", "revenue_range") == [
        *("Northwind Loom", 1987, "Lowell, MA", 1_240, None, None),
    ]
    assert set(statuses["m01"]["field_sources"].values()) == {"homepage"}
    assert values(statuses["m01"], "source", "method", "matched_by") == ["public_records", "scrape", "website"]
    assert [(each["source"], each["outcome"], each["error"]) for each in statuses["m01"]["attempts"]] == [
        ("yahoo", "unknown", NO_ITEM),
        ("public_records", "answered", None),
    ]
    assert values(results["m10"], "open_roles") == [3]
    assert {each["speaker"] for each in results["m11"]["quotes"]} == {"Maria van der Berg", "Ada Byrne"}
    assert [module for module in FACTS if module not in results] == ["m03", "m04", "m05", "m07", "m08", "m09", "m12"]
    assert {statuses[module]["status"] for module in ("m03", "m05", "m07", "m08", "m09", "m12")} == {"skipped"}

    assert (unknown["status"], unknown["results"]) == ("failed", {})
    assert by_number(unknown["module_statuses"])["m02"]["reason"] == "fingerprints: Its host name does not exist."
    for found in inside:
        assert (found["status"], found["results"]) == ("failed", {})
        assert by_number(found["module_statuses"])["m06"]["reason"] == f"homepage: {REFUSED}"
    assert hosts == {"northwind-loom.example", "www.northwind-loom.example"}
    assert dialled == {"127.0.0.1", "93.184.216.34"}


async def test_the_answer_to_an_unknown_company_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch) as world:
        first = await world.enrich("nowhere.example", "m08_stock_info")
        before = len(world.vendors["wikidata"].received)
        second = await world.enrich("nowhere.example", "m08_stock_info")
        after = len(world.vendors["wikidata"].received)

    statuses = [found["module_statuses"]["m08_stock_info"] for found in (first, second)]
    assert [status["cached"] for status in statuses] == [False, True]
    assert {status["reason"] for status in statuses} == {f"yahoo: {NO_ITEM}"}
    assert before == after > 0


async def look_up(world: World, domain: str) -> Any:
    job = await world.post("/enrich", {"company_domain": domain})
    async with asyncio.timeout(30):
        while (found := await world.get(f"/enrich/{job['job_id']}"))["status"] == "pending":
            await asyncio.sleep(0.02)
    return found


async def test_a_lookup_is_answered_from_m01(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch) as world:
        world.net.pages["http://empty.example/"] = page("", 404)
        domains = ("acme.example", "northwind-loom.example", "nowhere.example", "empty.example")
        listed, private, nowhere, unknown = [await look_up(world, domain) for domain in domains]
        started = await world.api.post("/enrich", json={"company_domain": "acme.example"})

    assert listed["data"] == {"company_size": 15_000, "industry": "Aerospace & Defense"}
    assert private["error"] == "The industry of this company is not known to public_records."
    assert nowhere["error"] == f"yahoo: {NO_ITEM}; public_records: Its host name does not exist."
    assert unknown["error"] == f"yahoo: {NO_ITEM}; public_records: No public record names this company."
    assert started.headers["x-data-source"] == "m01_company_context"


async def test_a_blueprint_is_inferred_from_live_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch) as world:
        made = await world.post("/campaigns/enrichment", {"website_url": "https://www.acme.example"})
        refused = await world.post("/campaigns/enrichment", {"website_url": "https://inside.example"})

    assert made["icp"]["origin"] == "inferred"
    assert made["simulated"] is False
    sizes = [each["value"] for each in made["icp"]["conditions"] if each["measure"] == "headcount"]
    assert sizes == [1_000]  # by the number of employees of m01
    assert any("Shopify on the site" in reason for reason in made["icp"]["reasoning"])  # of m02
    assert refused["code"] == "insufficient_information"


async def test_a_vendor_that_dies_in_the_middle_of_a_batch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with live_service(monkeypatch) as world:
        tranco = world.vendors["tranco"]
        tranco.answer = lambda _: Reply(b"{}", 500) if len(tranco.received) > 3 else Reply(b'{"ranks": []}')
        domains = [f"company{number}.example" for number in range(12)]
        batch = await world.post(f"{API}/batch", {"domains": domains, "modules": ["m03_traffic"], "concurrency": 4})
        ready = (await world.api.get("/ready")).status_code
        found = [await world.ended(job["domain"], job["job_id"]) for job in batch["jobs"]]
        source = await world.source("ranks")
        ready_afterwards = (await world.api.get("/ready")).status_code

    statuses = [each["module_statuses"]["m03_traffic"] for each in found]
    assert [status["status"] for status in statuses].count("skipped") == 3
    assert {status["status"] for status in statuses} == {"skipped", "failed"}
    assert any("It has failed 5 times in a row" in status["reason"] for status in statuses)
    assert values(source, "state", "calls", "hits", "errors") == ["open", 8, 0, 5]
    assert source["until"] > source["last_error_at"] >= source["last_success_at"]
    assert source["last_error"]
    assert len(tranco.received) == 8
    assert "source state" in caplog.text
    assert (ready, ready_afterwards) == (200, 200)


async def test_web_search_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, tavily_keyless="off") as world:
        found = await world.enrich("nowhere.example", "m07_financials")
        source = await world.source("websearch")

    assert world.vendors["tavily"].received == []
    assert values(source, "configured", "opened_by") == [False, ["TAVILY_API_KEY", "BRAVE_API_KEY"]]
    attempts = found["module_statuses"]["m07_financials"]["attempts"]
    assert [each["source"] for each in attempts] == ["sec", "yahoo", "wikidata"]


KEYS: Mapping[str, Any] = {
    "tavily_api_key": "tvly-k1",
    "brave_api_key": "BSA-k2",
    "llm_api_key": "sk-k3",
    "llm_model": "a-model",
}
QUOTED = "http://news.example/acme"


def found_by_brave(received: Received) -> Reply:
    page = {
        "title": "Acme in the news",
        "url": QUOTED,
        "description": '"We sell shoes and nothing else," said Evil Ed.',
    }
    return reply({"type": "search", "web": {"results": [page]}})


def write_angle(received: Received) -> Reply:
    """Answer with a sentence about the first technology, and one about a fact that there is not."""
    if received.target == "/models":
        return reply({"data": [{"id": "a-model"}]})
    facts = json.loads(json.loads(received.body)["messages"][1]["content"].split("\n")[1])["facts"]
    uses = next(fact for fact in facts if "uses" in fact["fact"])
    return written([(f"{uses['fact']}.", [uses["id"]]), ("Its website is bad.", ["e999"])])


async def test_the_second_engine_and_the_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with live_service(monkeypatch, **KEYS) as world:
        world.vendors["tavily"].answer = lambda _: reply({"detail": {"error": "Over the limit."}}, 432)
        world.vendors["brave"].answer = found_by_brave
        world.vendors["llm"].answer = write_angle
        world.net.pages[QUOTED] = page(
            "<title>News</title><p>\u201cWe land every rocket on the moon,\u201d said Ann Lee, CEO of Acme.</p>"
        )
        modules = ("m02_tech_stack", "m11_exec_quotes", "m15_displacement_angle")
        found = await world.enrich("acme.example", *modules)
        sources = {name: await world.source(name) for name in ("websearch", "llm", "local")}

    results, statuses = by_number(found["results"]), by_number(found["module_statuses"])
    assert [(each["speaker"], each["quote"]) for each in results["m11"]["quotes"]] == [
        ("Ann Lee", "We land every rocket on the moon"),
    ]
    assert statuses["m11"]["source"] == "websearch"
    assert results["m15"]["method"] == statuses["m15"]["method"] == "llm"
    assert results["m15"]["angle"].count("[") == 1
    assert [(each["source"], each["outcome"]) for each in statuses["m15"]["attempts"]] == [("llm", "answered")]
    assert values(sources["llm"], "configured", "serves") == [True, ["m15_displacement_angle"]]
    assert sources["llm"]["key"]["works"] is True
    assert sources["llm"]["tokens"] == {"prompt": 120, "completion": 30}
    assert sources["local"]["tokens"] is None
    assert sources["websearch"]["state"] == "quota_exhausted"
    assert "m15_displacement_angle" in sources["local"]["serves"]
    assert len(world.vendors["tavily"].received) == 1
    for text in (*world.answers, caplog.text):
        assert not any(key in text for name, key in KEYS.items() if name.endswith("_key"))


async def test_rules_stand_in_for_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_service(monkeypatch, llm_model="a-model") as world:
        failed = await world.enrich("acme.example", "m02_tech_stack", "m15_displacement_angle")
    async with live_service(monkeypatch) as world:
        alone = await world.enrich("acme.example", "m02_tech_stack", "m15_displacement_angle")
        source = await world.source("llm")

    m15 = "m15_displacement_angle"
    assert failed["results"][m15] == alone["results"][m15]
    assert (alone["results"][m15]["method"], alone["module_statuses"][m15]["method"]) == ("rules", "derived")
    attempts = [each["module_statuses"][m15]["attempts"] for each in (failed, alone)]
    assert [[each["source"] for each in tried] for tried in attempts] == [["llm", "local"], ["local"]]
    assert attempts[0][0]["error"] == "The answer of the language model is not JSON."
    assert values(source, "configured", "opened_by", "tokens") == [False, ["LLM_MODEL"], None]


def test_live_sources_need_a_contact() -> None:
    with pytest.raises(SettingsError, match="CONTACT must be set with SOURCES=live"):
        create_app(Settings(sources="live"))


def test_without_their_packages_live_sources_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "enrichment.sources.live")
    monkeypatch.setitem(sys.modules, "protego", None)
    monkeypatch.delitem(sys.modules, "enrichment.sources.robots")
    monkeypatch.delitem(sys.modules, "enrichment.sources.website")

    with pytest.raises(SettingsError, match=r"SOURCES=live needs `pip install -r requirements-live.txt` \(protego\)"):
        create_app(Settings(sources="live", contact=CONTACT))


class Slow:
    """A source that answers after some time."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds

    async def ask(self, module: Module, subject: Subject) -> Finding:
        await self._clock.sleep(self._seconds)
        return Finding.of(Traffic(global_rank=1), source="ranks", fetched_at=self._clock.now())


@pytest.mark.parametrize("is_limited", [True, False])
async def test_a_source_has_its_own_time_within_that_of_the_module(clock: FakeClock, is_limited: bool) -> None:
    source = live.WithinTime(name="ranks", source=Slow(clock, 11))
    CONTEXT.set(CallContext(clock=clock) if is_limited else None)
    asked = asyncio.create_task(source.ask(MODULES["m03_traffic"], Subject(domain="acme.example")))
    await clock.advance(11)

    if is_limited:
        with pytest.raises(SourceFailed, match=r"No answer within 10 seconds\."):
            await asked
    else:
        assert (await asked).source == "ranks"


def fresh(code: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run code in an interpreter of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_a_simulated_process_imports_nothing_that_live_sources_need() -> None:
    code = (
        "import sys, service; service.app; print({'httpx2', 'httpcore2', 'selectolax', 'protego'} & set(sys.modules))"
    )

    assert fresh(code, AUTH="off").stdout == "set()\n"


@pytest.mark.parametrize("package", ["httpx2", "selectolax.lexbor", "protego"])
def test_a_missing_package_is_one_sentence(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; import service; service.app"
    ended = fresh(code, SOURCES="live", CONTACT=CONTACT)

    assert ended.returncode == 1
    _, fault = ended.stderr.splitlines()
    assert fault == f"  - SOURCES=live needs `pip install -r requirements-live.txt` ({package})."
