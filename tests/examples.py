"""
The examples in the OpenAPI document: requests and the answers of this service to them, by operation and by error code.

`python -m tests.examples` records them in `enrichment/web/examples.json`. Ids, which are random, are replaced by
others, the same in every recording.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
from starlette.requests import Request
from starlette.routing import Route

from enrichment.errors import DatabaseUnavailable, NoWorkers
from enrichment.settings import Settings
from enrichment.web.auth import same_site_only
from enrichment.web.boundary import App
from enrichment.web.connections import Phase, request_timeout, too_many_connections
from enrichment.web.openapi import EXAMPLES
from enrichment.web.problem_types import PROBLEM_TYPES
from enrichment.web.problems import ProblemError, problem_body
from enrichment.web.server import head_too_large, malformed_request, target_too_long
from service import create_app
from tests.conftest import FakeClock

API: Final = "/api/v1/enrich"
BLUEPRINTS: Final = "/campaigns/enrichment"
PROFILE: Final = "Retailers with 200-1000 employees on Shopify"
REQUEST_ID: Final = "b28f0a9783e0b46a088a1a978b743c9b"

OF_THE_SERVER: Final = (
    malformed_request(),
    target_too_long(),
    head_too_large(),
    request_timeout(Phase.HEAD),
    too_many_connections(),
)
UNAVAILABLE: Final[dict[str, type[Exception]]] = {"database": DatabaseUnavailable, "workers": NoWorkers}
WITHOUT_FACTS: Final[dict[str, Any]] = {
    "simulated_module_seconds": 0,
    "simulated_failures": ("m01_company_context", "m02_tech_stack"),
}
ID: Final = re.compile(
    r"(?P<before>_\d{14}_|blueprint_)(?P<suffix>[a-z0-9]{16}|[a-z0-9]{8})|(?P<lookup>[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})"
)


@asynccontextmanager
async def client_of(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app without a socket. Every request has the same id."""
    transport = httpx.ASGITransport(app)
    headers = {"authorization": "Bearer demo", "x-request-id": REQUEST_ID}
    async with httpx.AsyncClient(transport=transport, base_url="http://host", headers=headers) as client:
        yield client


class Recorder:
    """Makes requests, and records them with their answers, by operation."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.operations: dict[str, Any] = {}

    async def __call__(self, operation: str, method: str, url: str, body: object = None, **path: str) -> httpx.Response:
        """Make a request to the URL with these parts of its path; its answer has to be a success."""
        answer = await self._client.request(method, url.format(**path), json=body)
        assert answer.is_success, answer.text
        media_type = answer.headers["content-type"].partition(";")[0]
        example = self.operations.setdefault(operation, {})
        example.setdefault(str(answer.status_code), {})[media_type] = (
            answer.json() if media_type == "application/json" else _beginning(media_type, answer.text)
        )
        if body is not None:
            example.setdefault("body", body)
        if "domain" in path:  # an id would be unknown to any other service
            example["path"] = path
        if answer.request.url.params:
            given = answer.request.url.params.items()
            example["query"] = {name: int(text) if text.isdecimal() else text for name, text in given}
        return answer


def _beginning(media_type: str, stream: str) -> object:
    """The first event of a stream of events, or two of its lines; a stream ends with a whole blueprint."""
    if media_type == "text/event-stream":
        _, event, _ = stream.split("\n\n", 2)
        return dict(line.split(": ", 1) for line in event.splitlines())
    return "".join(stream.splitlines(keepends=True)[:2])


async def operations() -> dict[str, Any]:
    """Requests and their answers, by operation."""
    clock = FakeClock()
    settings = Settings(api_tokens=("demo",), simulated_failures=("m09_analyst_ratings",))
    async with client_of(create_app(settings, clock=clock)) as client:
        record = Recorder(client)
        lookup = await record("start_lookup", "POST", "/enrich", {"company_domain": "getuniti.com"})
        await record("start_enrichment", "POST", f"{API}/{{domain}}", {"priority": "high"}, domain="costco.com")
        await record("start_enrichment", "POST", f"{API}/{{domain}}", {"dry_run": True}, domain="costco.com")
        await clock.advance(7)
        await record("read_status", "GET", f"{API}/{{domain}}/status", domain="costco.com")
        await clock.advance(60)
        await record("read_lookup", "GET", "/enrich/{job_id}", job_id=lookup.json()["job_id"])
        await record("read_results", "GET", f"{API}/{{domain}}/results", domain="costco.com")
        await record("read_cache", "GET", f"{API}/{{domain}}/cache", domain="costco.com")
        await record("retry_enrichment", "POST", f"{API}/{{domain}}/retry", domain="costco.com")
        await record("cancel_enrichment", "POST", f"{API}/{{domain}}/cancel", domain="costco.com")
        domains = ["walmart.com", "https://www.target.com/", "walmart.com", "localhost"]
        batch = await record("start_batch", "POST", f"{API}/batch", {"domains": domains, "waves": [1]})
        await record("start_batch", "POST", f"{API}/batch", {"domains": domains, "waves": [1], "dry_run": True})
        await clock.advance(4)
        await record("read_batch", "GET", f"{API}/batch/{{batch_id}}", batch_id=batch.json()["batch_id"])
        leads = f"{API}/batch/{{batch_id}}/results"
        icp = "US retailers with more than 1,000 employees, ideally on Elasticsearch"
        judged = await client.post(f"{API}/batch", json={"domains": ["costco.com", "zalando.com"], "icp": icp})
        await clock.advance(60)
        for form in ("json", "ndjson", "csv"):
            query = f"?sort=score&limit=1&format={form}"
            await record("read_batch_results", "GET", leads + query, batch_id=judged.json()["batch_id"])
        await record("list_enrichments", "GET", f"{API}?limit=3")
        brief = {"website_url": "https://www.getuniti.com", "icp": PROFILE, "offer": "site search"}
        await record("make_blueprint", "POST", BLUEPRINTS, brief)
        for media_type in ("text/event-stream", "application/x-ndjson"):
            client.headers["accept"] = media_type
            await record("make_blueprint", "POST", BLUEPRINTS, brief)
        await record("read_blueprint", "GET", f"{BLUEPRINTS}?website_url=getuniti.com&icp=Retailers+in+Germany")
        await record("list_sources", "GET", "/api/v1/sources")
        await record("read_health", "GET", "/health")
        await record("read_readiness", "GET", "/ready")
    return record.operations


async def problems() -> dict[str, Any]:
    """The body of an error answer for each code."""
    clock = FakeClock()
    bodies = [_body(problem) for problem in OF_THE_SERVER]
    async with client_of(create_app(Settings(api_tokens=("demo",), max_body_bytes=2_000), clock=clock)) as client:
        await client.post(f"{API}/costco.com", json={"waves": [1]})
        await clock.advance(10)
        bodies += [
            (await client.request(method, path, **more)).json()
            for method, path, more in (
                ("POST", "/enrich", {"content": '{"company_domain": '}),
                ("GET", API, {"headers": {"authorization": "Bearer demonstration"}}),
                ("GET", "/api/v2/enrich", {}),
                ("GET", f"{API}/batch/batch_20260226103500_k3f9a2c7", {}),
                ("GET", "/enrich", {}),
                ("POST", f"{API}/costco.com/cancel?job_id={await _job(client)}", {}),
                ("POST", "/enrich", {"content": " " * 2_001}),
                ("POST", "/enrich", {"content": "{}", "headers": {"content-encoding": "gzip"}}),
                ("POST", f"{API}/costco.com", {"json": {"priority": "urgent"}}),
                ("GET", f"{API}/costco.com/results?module=m03_traffic", {}),
                ("POST", "/enrich", {"json": {"company_domain": "localhost"}}),
                ("POST", BLUEPRINTS, {"json": {"website_url": "ftp://acme.com"}}),
                ("POST", f"{API}/costco.com", {"json": {"modules": ["m03_traffic"], "waves": [1]}}),
                ("POST", f"{API}/costco.com", {"json": {"icp": "xyzzy plugh"}}),
                (
                    "POST",
                    f"{API}/costco.com",
                    {"json": {"icp": {"conditions": [{"measure": "headcount", "value": "big"}]}}},
                ),
                ("POST", f"{API}/costco.com", {"json": {"icp": PROFILE, "blueprint_id": "blueprint_1"}}),
                ("POST", f"{API}/costco.com", {"json": {"blueprint_id": "blueprint_1"}}),
                (
                    "POST",
                    f"{API}/batch",
                    {"content": "name,city\nAcme,Berlin\n", "headers": {"content-type": "text/csv"}},
                ),
                ("GET", f"{await _batch(client)}/results?qualified=true", {}),
            )
        ]
    app = create_app(Settings(auth="off", max_pending_jobs=1, **WITHOUT_FACTS), clock=clock)
    async with client_of(app) as client:
        bodies.append((await client.post("/enrich", headers={"sec-fetch-site": "cross-site"})).json())
        asked = asyncio.create_task(client.post(BLUEPRINTS, json={"website_url": "acme.com"}))
        while not asked.done():
            await clock.advance(0)
            await asyncio.sleep(0.001)
        bodies.append(asked.result().json())
        await client.post("/enrich", json={"company_domain": "costco.com"})
        bodies.append((await client.post("/enrich", json={"company_domain": "costco.com"})).json())
        await app.state.engine.close()
        bodies.append((await client.get("/ready")).json())
    async with client_of(App([Route("/enrich", _fail)], authorize=same_site_only)) as client:
        bodies += [
            (await client.get("/enrich", headers={"x-error": name})).json() for name in ("left", *UNAVAILABLE, "")
        ]
    by_code = {body["code"]: body for body in bodies}
    return {code: by_code[code] for code in PROBLEM_TYPES}


def _body(problem: ProblemError) -> Any:
    """The body of an answer that the server gives, not the app."""
    return msgspec.to_builtins(problem_body(problem, "/", REQUEST_ID, root_path=""))


async def _batch(client: httpx.AsyncClient) -> str:
    response = await client.post(f"{API}/batch", json={"domains": ["costco.com"], "modules": ["m01_company_context"]})
    return response.headers["location"]


async def _job(client: httpx.AsyncClient) -> str:
    job_id: str = (await client.get(API)).json()["jobs"][0]["job_id"]
    return job_id


async def _fail(request: Request) -> None:
    """Fail as if the client had left while it sent a body, as without a database or workers, or as a bug does."""
    name = request.headers["x-error"]
    if name in UNAVAILABLE:
        raise UNAVAILABLE[name]
    if name:
        raise ProblemError(400, "incomplete_body", "The connection ended before the body did.")
    raise RuntimeError


def with_stable_ids(text: str) -> str:
    """Replace random ids by others, each by the same wherever it stands."""
    found: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        number = len(found) + 1
        if match["lookup"]:
            return found.setdefault(match[0], f"8e1c1e5f-b0dd-406f-a7dd-{number:012}")
        return match["before"] + found.setdefault(match["suffix"], f"{number:0{len(match['suffix'])}}")

    return ID.sub(replace, text)


def written() -> str:
    """Return the file as it should be."""

    async def record() -> dict[str, Any]:
        return {"operations": await operations(), "problems": await problems()}

    return with_stable_ids(json.dumps(asyncio.run(record()), indent=1)) + "\n"


if __name__ == "__main__":
    EXAMPLES.write_text(written(), "utf-8")
