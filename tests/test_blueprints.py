"""
Blueprints over real sockets, as one response or as a stream.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

import schemas
from enrichment.blueprint import choosing
from enrichment.blueprint.making import Brief
from enrichment.errors import ShuttingDown
from enrichment.modules.answers import CompanyContext, TechStack
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import DESCRIBING_MODULES, MODULES
from enrichment.settings import Settings
from enrichment.sources.failures import NotFound
from enrichment.web import streams
from service import create_app
from tests.conftest import FakeClock, client_of, server_process, settle

PATH = "/campaigns/enrichment"
ICP = "Retailers with 200-1000 employees in Germany using Shopify, hiring engineers"
BRIEF = {"website_url": "https://www.acme.com/shop", "icp": ICP}


def app_of(clock: FakeClock, **settings: Any) -> Starlette:
    return create_app(Settings(auth="off", **settings), clock=clock)


@pytest.fixture
async def api(clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app_of(clock)) as client:
        yield client


async def make(api: httpx.AsyncClient, **body: Any) -> Any:
    response = await api.post(PATH, json={**BRIEF, **body})
    assert response.status_code == 200, response.text
    msgspec.json.decode(response.content, type=schemas.Blueprint)
    return response.json()


def events_of(text: str) -> list[tuple[int, str, Any]]:
    """Parse a stream as an `EventSource` does."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


# The blueprint


async def test_provided_profile_is_answered_immediately_with_exact_filters(api: httpx.AsyncClient) -> None:
    body = await make(api)
    points = {point["id"]: point for point in body["firmographic"] + body["technographic"] + body["personalization"]}

    assert [body["website"], body["simulated"], body["icp"]["origin"]] == ["acme.com", False, "provided"]
    assert 0.5 < body["icp"]["confidence"] <= 1
    assert points["headcount"]["filter"]["value"] == [200, 1000]
    assert points["headcount"]["filter"]["text"] == "200-1000 employees"
    assert "200-1000 employees" in points["headcount"]["priority_reason"]
    assert all(point["sources"] and point["collection_methods"] and point["validation"] for point in points.values())
    assert len(points) == sum(len(body[group]) for group in ("firmographic", "technographic", "personalization"))
    assert body["metadata"]["sources_used"] == ["your profile"]
    assert body["metadata"]["generated_at"] == "2026-02-26T10:35:00Z"
    assert body["metadata"]["expires_at"] == "2026-02-27T10:35:00Z"
    assert (await api.post("/api/v1" + PATH, json=BRIEF)).json()["metadata"]["id"] == body["metadata"]["id"]


async def test_modules_can_be_posted_unchanged(api: httpx.AsyncClient, clock: FakeClock) -> None:
    modules = (await make(api))["modules"]
    started = await api.post("/api/v1/enrich/lead.com", json={"modules": modules})
    await clock.advance(60)
    results = await api.get("/api/v1/enrich/lead.com/results")

    assert started.status_code == 202
    assert started.json()["modules"] == modules
    assert list(results.json()["results"]) == modules


async def test_profile_can_be_an_object(api: httpx.AsyncClient) -> None:
    icp = {
        "industries": ["retail"],
        "company_size": "200-1000",
        "geographies": ["Germany", " "],
        "technologies": ["Shopify"],
        "personas": ["CTO"],
        "signals": ["hiring"],
    }
    profile = (await make(api, icp=icp))["icp"]

    conditions = {each["measure"]: each for each in profile["conditions"]}
    assert conditions["headcount"]["value"] == [200, 1000]
    assert conditions["headquarters"]["codes"] == ["DE"]
    assert conditions["technology"]["value"] == "Shopify"
    assert conditions["persona"]["quote"] == {"field": "personas", "index": 0, "start": 0, "end": 3, "text": "CTO"}


async def test_passages_that_were_not_understood_are_listed(api: httpx.AsyncClient) -> None:
    clear = await make(api)
    vague = await make(api, icp=ICP + ", xyzzy plugh")

    assert [each["text"] for each in vague["icp"]["not_understood"]] == ["xyzzy plugh"]
    assert vague["icp"]["conditions"] == clear["icp"]["conditions"]
    assert "Not understood: “xyzzy plugh”." in vague["metadata"]["gaps"]
    assert vague["firmographic"] == clear["firmographic"]


async def test_without_a_profile_one_is_inferred(api: httpx.AsyncClient, clock: FakeClock) -> None:
    asked = asyncio.create_task(api.post(PATH, json={"website_url": "acme.com"}))
    while not clock._sleepers:
        await asyncio.sleep(0.001)
    await clock.advance(3)
    body = (await asked).json()

    assert [body["simulated"], body["icp"]["origin"]] == [True, "inferred"]
    assert 0 < body["icp"]["confidence"] < 0.9
    assert any("simulated" in reason for reason in body["icp"]["reasoning"])
    assert body["icp"]["raise_confidence"]
    assert body["metadata"]["sources_used"] == ["m01_company_context (simulated)", "m02_tech_stack (simulated)"]
    assert body["metadata"]["duration_seconds"] == 3.0


@pytest.mark.parametrize("icp", ["", "  ", None, {}, {"industries": [], "company_size": ""}])
async def test_blank_profile_counts_as_not_given(clock: FakeClock, icp: Any) -> None:
    async with client_of(app_of(clock, simulated_module_seconds=0)) as api:
        asked = asyncio.create_task(api.post(PATH, json={"website_url": "acme.com", "icp": icp}))
        while not asked.done():
            await clock.advance(0)
            await asyncio.sleep(0.001)

    assert (await asked).json()["icp"]["origin"] == "inferred"


@pytest.mark.parametrize(
    ("icp", "missing"),
    [
        ("xyzzy plugh", ["Not understood: “xyzzy plugh”."]),
        ({"industries": "xyzzy plugh"}, ["Not understood: “xyzzy plugh”."]),
        ("$10M", ["Ambiguous: “$10M”."]),
    ],
)
async def test_profile_of_which_nothing_is_understood_is_refused(
    api: httpx.AsyncClient, icp: Any, missing: list[str]
) -> None:
    refused = await api.post(PATH, json={"website_url": "acme.com", "icp": icp})
    problem = refused.json()

    assert [refused.status_code, problem["code"], problem["missing"]] == [422, "unreadable_profile", missing]
    assert [each["pointer"] for each in problem["errors"]] == ["#/icp"]
    assert "industries" in problem["suggestions"][0]


async def test_one_describing_module_is_enough_and_the_missing_one_is_listed(clock: FakeClock) -> None:
    app = app_of(clock, simulated_module_seconds=0, simulated_failures=("m02_tech_stack",))
    async with client_of(app) as api:
        asked = asyncio.create_task(api.post(PATH, json={"website_url": "costco.com"}))
        while not asked.done():
            await clock.advance(0)
            await asyncio.sleep(0.001)
    metadata = (await asked).json()["metadata"]

    assert (await asked).status_code == 200
    assert metadata["sources_used"] == ["m01_company_context (simulated)"]
    assert [each.split(":")[0] for each in metadata["sources_missing"]] == ["m02_tech_stack"]
    assert metadata["sources_missing"][0] in metadata["gaps"]


async def test_insufficient_information_lists_what_is_missing_and_suggestions(clock: FakeClock) -> None:
    failures = ("m01_company_context", "m02_tech_stack")
    async with client_of(app_of(clock, simulated_module_seconds=0, simulated_failures=failures)) as api:
        asked = asyncio.create_task(api.post(PATH, json={"website_url": "acme.com"}))
        while not asked.done():
            await clock.advance(0)
            await asyncio.sleep(0.001)
        problem = (await asked).json()
        given = await api.post(PATH, json=BRIEF)

    assert [(await asked).status_code, problem["code"]] == [422, "insufficient_information"]
    assert [each.split(":")[0] for each in problem["missing"]] == list(failures)
    assert any('"icp"' in each for each in problem["suggestions"])
    assert given.status_code == 200


async def test_findings_without_usable_facts_are_insufficient(clock: FakeClock) -> None:
    class Vague:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            answer = TechStack(technologies=()) if module.id == "m02_tech_stack" else CompanyContext(company_name="?")
            return Finding.of(answer, source="vague", fetched_at=clock.now())

    app = create_app(Settings(auth="off"), clock=clock, sources={"simulated": Vague()})
    async with client_of(app) as api:
        response = await api.post(PATH, json={"website_url": "acme.com"})

    assert [response.status_code, response.json()["code"]] == [422, "insufficient_information"]
    assert response.json()["missing"]


async def test_a_source_that_does_not_know_the_company_is_listed_as_missing(clock: FakeClock) -> None:
    class Partial:
        async def ask(self, module: Module, subject: Subject) -> Finding:
            if module.id == "m02_tech_stack":
                raise NotFound("The site does not exist.")
            context = CompanyContext(company_name="Acme", industry="Retail", employees=500)
            return Finding.of(context, source="partial", fetched_at=clock.now())

    app = create_app(Settings(auth="off"), clock=clock, sources={"simulated": Partial()})
    async with client_of(app) as api:
        response = await api.post(PATH, json={"website_url": "acme.com"})

    (missing,) = response.json()["metadata"]["sources_missing"]
    assert missing.startswith("m02_tech_stack: ")
    assert "The site does not exist." in missing


# Errors


@pytest.mark.parametrize(
    "website",
    [
        "ftp://acme.com",
        "javascript:alert(1)",
        "127.0.0.1",
        "http://[::1]/",
        "2130706433",
        "localhost",
        "https://user:pw@acme.com",
        "jane@acme.com",
        "//jane@acme.com",
        "https://",
        "acme.com/" + "x" * 10_000,
        "printer.local",
        "acme",
        "",
        " ",
        5,
        None,
        ["acme.com"],
    ],
)
async def test_invalid_website_is_refused_before_any_work(
    api: httpx.AsyncClient, clock: FakeClock, website: Any
) -> None:
    for accept in ("application/json", "text/event-stream"):
        response = await api.post(PATH, json={"website_url": website}, headers={"accept": accept})
        assert response.status_code == 422
        assert response.json()["code"] == ("invalid_website" if isinstance(website, str) else "invalid_body")
        assert response.json()["errors"][0]["pointer"] == "#/website_url"
        assert len(response.text) < 1_000
    assert clock._sleepers == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/website_url"),
        ({"website_url": "acme.com", "icp": 5}, "#/icp"),
        ({"website_url": "acme.com", "icp": {"industry": ["x"]}}, "#/icp/industry"),
        ({"website_url": "acme.com", "icp": {"industries": {"x": 1}}}, "#/icp/industries"),
        ({"website_url": "acme.com", "icp": {"conditions": [{"measure": "shoe size"}]}}, "#/icp/conditions/0/measure"),
        ({"website_url": "acme.com", "icp": "x" * 5_001}, "#/icp"),
        ({"website_url": "acme.com", "stream": "yes"}, "#/stream"),
        ({"website_url": "acme.com", "url": "x"}, "#/url"),
    ],
)
async def test_invalid_body_is_refused_with_a_pointer(api: httpx.AsyncClient, body: Any, pointer: str) -> None:
    response = await api.post(PATH, json=body)

    assert response.status_code == 422
    assert [fault["pointer"] for fault in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize("query", ["", "website_url=localhost", "website_url=acme.com&stream=maybe"])
async def test_invalid_query_is_refused(api: httpx.AsyncClient, query: str) -> None:
    response = await api.get(f"{PATH}?{query}", headers={"accept": "text/event-stream"})

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_unexpected_exception_is_a_500_or_an_event_without_details(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(profile: schemas.CustomerProfile, *, offer: str | None) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(choosing, "choose", broken)
    whole = await api.post(PATH, json=BRIEF)
    streamed = await api.post(PATH, json={**BRIEF, "stream": True})
    event = events_of(streamed.text)[-1]

    assert [whole.status_code, streamed.status_code] == [500, 200]
    assert [event[1], event[2]["status"], event[2]["code"]] == ["error", 500, "internal_error"]
    assert "secret" not in whole.text + streamed.text
    assert "ZeroDivisionError: secret inside" in caplog.text


# Caching and sharing


async def test_blueprint_is_cached_for_a_day_by_domain(api: httpx.AsyncClient, clock: FakeClock) -> None:
    first = await make(api)
    again = await make(api, website_url="acme.com")
    refreshed = await make(api, refresh=True)
    newest = await make(api)
    await clock.advance(86_400)
    late = await make(api)

    ids = [body["metadata"]["id"] for body in (first, again, refreshed, newest, late)]
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert len({ids[0], ids[2], ids[4]}) == 3
    assert [body["metadata"]["cached"] for body in (first, again, refreshed, newest, late)] == [
        False,
        True,
        False,
        True,
        False,
    ]


async def test_profile_and_offer_are_part_of_the_cache_key(api: httpx.AsyncClient) -> None:
    bodies = [
        await make(api),
        await make(api, offer="site search"),
        await make(api, icp="Banks in France"),
        await make(api, website_url="other.com"),
    ]

    assert len({body["metadata"]["id"] for body in bodies}) == 4
    assert bodies[0]["firmographic"] != bodies[2]["firmographic"]


async def test_least_recently_used_blueprint_is_evicted(clock: FakeClock) -> None:
    async with client_of(app_of(clock, max_cached_blueprints=2)) as api:
        for website in ("a.com", "b.com", "a.com", "c.com"):
            await make(api, website_url=website)

        cached = [
            (await make(api, website_url=website))["metadata"]["cached"] for website in ("a.com", "c.com", "b.com")
        ]
    assert cached == [True, True, False]


async def test_concurrent_identical_requests_share_one_run(api: httpx.AsyncClient, clock: FakeClock) -> None:
    """Streamed or not, and with one call per source."""
    brief = {"website_url": "acme.com"}
    asked = [asyncio.create_task(api.post(PATH, json={**brief, "stream": number % 2 == 0})) for number in range(10)]
    while len(clock._sleepers) < 4:  # two modules, each with a timeout
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    assert len(clock._sleepers) == 4
    await clock.advance(3)
    answers = await asyncio.gather(*asked)
    ids = {answer.json()["metadata"]["id"] for answer in answers[1::2]}
    streamed = {events_of(answer.text)[-1][2]["metadata"]["id"] for answer in answers[::2]}

    assert len(ids) == 1
    assert ids == streamed


# Streaming


async def test_stream_has_its_events_in_order(api: httpx.AsyncClient) -> None:
    response = await api.post(PATH, json={**BRIEF, "stream": True})
    events = events_of(response.text)
    whole = await make(api)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.text.startswith("retry: 2000\n\n")
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [name for _, name, _ in events] == ["progress", "progress", "section", "section", "section", "completed"]
    percents = [data["percent"] for _, name, data in events if name == "progress"]
    assert percents == sorted(percents)
    sections = {data["section"]: data["data_points"] for _, name, data in events if name == "section"}
    assert sections == {group: whole[group] for group in ("firmographic", "technographic", "personalization")}
    assert {**events[-1][2], "metadata": None} == {**whole, "metadata": None}


@pytest.mark.parametrize(
    ("body", "query", "accept", "media_type"),
    [
        ({}, "", "*/*", "application/json"),
        ({}, "", "text/event-stream", "text/event-stream"),
        ({}, "?stream=true", "*/*", "text/event-stream"),
        ({"stream": True}, "", "application/json", "text/event-stream"),
        ({"stream": False}, "?stream=true", "text/event-stream", "application/json"),
        ({}, "?stream=0", "text/event-stream", "application/json"),
        ({}, "", "application/x-ndjson", "application/x-ndjson"),
        ({"stream": True}, "", "application/x-ndjson", "application/x-ndjson"),
    ],
)
async def test_media_type_depends_on_body_query_and_accept(
    api: httpx.AsyncClient, body: Any, query: str, accept: str, media_type: str
) -> None:
    response = await api.post(PATH + query, json={**BRIEF, **body}, headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == media_type


async def test_json_lines_have_the_same_events(api: httpx.AsyncClient) -> None:
    lines = (await api.post(PATH, json=BRIEF, headers={"accept": "application/x-ndjson"})).text.splitlines()
    streamed = events_of((await api.post(PATH, json={**BRIEF, "stream": True})).text)
    events = [(line["id"], line["event"], line["data"]) for line in map(json.loads, lines)]

    assert events[:-1] == streamed[:-1]
    assert events[-1][1] == "completed"


async def test_event_source_can_use_get_and_resume(api: httpx.AsyncClient) -> None:
    """A browser can only send GET, and resumes with the number of the last event it received."""
    query = {"website_url": "acme.com", "icp": ICP}
    accept = {"accept": "text/event-stream"}
    first = await api.get(PATH, params=query, headers=accept)
    rest = await api.get(PATH, params=query, headers=accept | {"last-event-id": "3"})
    odd = await api.get(PATH, params=query, headers=accept | {"last-event-id": "x"})
    head = await api.head(PATH, params={**query, "stream": "true"})

    assert [number for number, _, _ in events_of(first.text)] == [1, 2, 3, 4, 5, 6]
    assert [number for number, _, _ in events_of(rest.text)] == [4, 5, 6]
    assert len(events_of(odd.text)) == 6
    assert [head.status_code, head.content, head.headers["content-type"].split(";")[0]] == [
        200,
        b"",
        "text/event-stream",
    ]
    assert (await api.get(PATH, params=query)).json()["website"] == "acme.com"


async def test_event_source_that_reconnects_after_the_last_event_is_answered_204(api: httpx.AsyncClient) -> None:
    """Which ends its attempts; otherwise it would have the blueprint made again every two seconds."""
    query = {"website_url": "acme.com", "icp": ICP}
    for last_event_id, status in [("6", 204), ("7", 204), ("5", 200)]:
        headers = {"accept": "text/event-stream", "last-event-id": last_event_id}
        response = await api.get(PATH, params=query, headers=headers)
        assert response.status_code == status
    assert [number for number, _, _ in events_of(response.text)] == [6]


async def test_error_in_a_stream_is_an_event(clock: FakeClock) -> None:
    failures = ("m01_company_context", "m02_tech_stack")
    async with client_of(app_of(clock, simulated_module_seconds=0, simulated_failures=failures)) as api:
        asked = asyncio.create_task(api.post(PATH, json={"website_url": "acme.com", "stream": True}))
        while not asked.done():
            await clock.advance(0)
            await asyncio.sleep(0.001)
    events = events_of((await asked).text)

    assert [events[-1][1], events[-1][2]["code"]] == ["error", "insufficient_information"]
    assert events[-1][2]["suggestions"]


async def test_run_is_cancelled_when_all_clients_have_disconnected(clock: FakeClock) -> None:
    app = app_of(clock)
    maker = app.state.engine.blueprints
    brief = {"website_url": "acme.com"}
    async with client_of(app) as api:
        async with (
            api.stream("POST", PATH, json=brief, headers={"accept": "text/event-stream"}) as first,
            api.stream("POST", PATH, json=brief, headers={"accept": "text/event-stream"}) as second,
        ):
            lines, others = first.aiter_lines(), second.aiter_lines()
            while "describing_company" not in await anext(lines):
                pass
            while "describing_company" not in await anext(others):
                pass
            await second.aclose()
            await asyncio.sleep(0.05)
            (run,) = maker._running.values()
            assert not run.task.cancelled()
            await first.aclose()
            async with asyncio.timeout(5):
                while maker._running:
                    await asyncio.sleep(0.001)
        await settle()

    assert run.task.cancelled()
    assert all(future.done() for _, _, future in clock._sleepers)


async def test_silent_stream_sends_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    gate = asyncio.Event()

    async def events() -> AsyncIterator[streams.NamedEvent]:
        await gate.wait()
        yield "progress", schemas.BlueprintProgress(stage="x", percent=1)

    for media_type, alive in (
        (streams.SSE, b": alive\n\n"),
        (streams.NDJSON, b'{"id":0,"event":"heartbeat","data":{}}\n'),
    ):
        gate.clear()
        body = streams.stream(events(), media_type).body_iterator  # type: ignore[arg-type]
        received = b""
        async for chunk in body:
            received += chunk  # type: ignore[operator]
            if received.count(alive) == 2:
                gate.set()
        assert received.count(alive) >= 2
        assert b'"percent":1' in received


async def test_shutdown_ends_streams_and_refuses_requests(clock: FakeClock) -> None:
    app = app_of(clock)
    async with client_of(app) as api:
        asked = asyncio.create_task(api.post(PATH, json={"website_url": "acme.com", "stream": True}))
        while not clock._sleepers:
            await asyncio.sleep(0.001)
        app.state.engine.blueprints.close()
        ended = events_of((await asked).text)
        refused = await api.post(PATH, json={**BRIEF, "stream": True})

    assert [ended[-1][1], ended[-1][2]["code"]] == ["error", "shutting_down"]
    assert [refused.status_code, refused.json()["code"]] == [503, "shutting_down"]
    with pytest.raises(ShuttingDown):
        app.state.engine.blueprints.make(Brief(domain="a.com"), refresh=False)


def test_open_stream_does_not_delay_a_shutdown(tmp_path: Path) -> None:
    """The signal itself has to end the stream, because the server waits for open streams before it shuts down."""
    command = "uvicorn service:app --port $PORT --timeout-graceful-shutdown 20 --log-level warning"
    with server_process(command, tmp_path, AUTH="off", SIMULATED_MODULE_SECONDS="25") as server:
        server.wait_until_healthy()
        with (
            httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client,
            client.stream("GET", PATH, params={"website_url": "acme.com", "stream": "true"}) as response,
        ):
            lines = response.iter_lines()
            while "describing_company" not in next(lines):
                pass
            server.process.terminate()
            rest = "\n".join(lines)
        server.process.wait(timeout=5)
        log = server.log

    assert "shutting_down" in rest
    assert "Traceback" not in log


def test_describing_modules_exist() -> None:
    assert set(DESCRIBING_MODULES) <= MODULES.keys()
