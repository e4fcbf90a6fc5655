"""
The error codes that rows of the route table declare: each is given, in a situation that leads to it.
"""

import asyncio
from typing import Any, Final

import pytest

from enrichment.settings import Settings
from enrichment.web.endpoint import Endpoint
from enrichment.web.openapi import method_of
from service import ROUTES, create_app
from tests.conftest import FakeClock, client_of

SERVED: Final[dict[str, Any]] = {
    "company_domain": "a.com",
    "domains": ["a.com"],
    "failed_modules_only": False,
    "website_url": "a.com",
    "icp": "Banks in France",
}
"Fields of bodies and parameters of queries with which requests are served."

REFUSED: Final[dict[str, dict[str, Any]]] = {
    "invalid_domain": {"company_domain": "localhost", "domain": "localhost"},
    "invalid_plan": {"modules": ["m03_traffic"], "waves": [1]},
    "invalid_table": {"content": b"name,city\nAcme,Berlin\n"},
    "unreadable_profile": {"icp": "xyzzy plugh"},
    "invalid_profile": {"icp": {"conditions": [{"measure": "headcount", "value": "big"}]}},
    "blueprint_not_found": {"icp": None, "blueprint_id": "b"},
    "contradictory_request": {"blueprint_id": "b", "bom": True},
    "no_profile": {"qualified": "true"},
    "invalid_website": {"website_url": "ftp://a.com"},
    "insufficient_information": {"icp": None},
    "job_conflict": {"failed_modules_only": None, "job_id": "that of the finished job"},
}
"What leads to the code in their place; None is left out."

DATABASE: Final = ("database_unavailable", "no_workers")
"Codes that occur with jobs in PostgreSQL only."

CASES: Final = [
    pytest.param(route, code, id=f"{method_of(route)} {route.path} {code}")
    for route in ROUTES
    for code in route.problems
    if code not in DATABASE
]


@pytest.mark.parametrize(("route", "code"), CASES)
async def test_every_code_of_a_row_is_given(clock: FakeClock, route: Endpoint, code: str) -> None:
    failures = ("m01_company_context", "m02_tech_stack") if code == "insufficient_information" else ()
    settings = Settings(auth="off", max_pending_jobs=1, simulated_module_seconds=0, simulated_failures=failures)
    app = create_app(settings, clock=clock)
    async with client_of(app) as client:
        job = (await client.post("/api/v1/enrich/a.com", json={"waves": [1]})).json()
        await clock.advance(1)
        batch = (await client.post("/api/v1/enrich/batch", json={"domains": ["a.com"], "waves": [1]})).json()
        await clock.advance(1)
        if code == "too_many_jobs":
            await client.post("/enrich", json={"company_domain": "b.com"})
        if code == "shutting_down":
            app.state.engine.blueprints.close()
            await app.state.engine.close()
        asked = asyncio.create_task(client.request(**request(route, code, job["job_id"], batch["batch_id"])))
        while not asked.done():
            await clock.advance(0)
            await asyncio.sleep(0.001)

    assert asked.result().json()["code"] == code


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if DATABASE[0] in route.problems],
    ids=lambda route: f"{method_of(route)} {route.path}",
)
async def test_a_database_that_does_not_answer_is_a_503(route: Endpoint) -> None:
    app = create_app(Settings(auth="off", jobs_backend="postgres", database_url="postgresql://a@127.0.0.1:1/a"))
    async with client_of(app) as client:
        response = await client.request(**request(route, DATABASE[0], "j", "b"))

    assert [response.status_code, response.json()["code"]] == [503, DATABASE[0]]
    assert response.headers["retry-after"]


async def test_a_service_whose_jobs_nobody_runs_is_not_ready(database_url: str) -> None:
    assert [route.path for route in ROUTES if DATABASE[1] in route.problems] == ["/ready"]
    app = create_app(Settings(auth="off", jobs_backend="postgres", database_url=database_url))
    async with client_of(app) as client:
        response = await client.get("/ready")

    assert [response.status_code, response.json()["code"]] == [503, DATABASE[1]]


def request(route: Endpoint, code: str, job_id: str, batch_id: str) -> dict[str, Any]:
    """The arguments of a request for the route that should be answered with the code."""
    values = {**SERVED, **REFUSED.get(code, {})}
    values |= {"job_id": job_id} if "job_id" in values else {}
    given = {name: value for name, value in values.items() if value is not None}
    is_unknown = code == "job_not_found"
    of_body = route.body.__struct_fields__ if route.body else ()
    content = given.get("content")
    return {
        "method": method_of(route),
        "url": route.path.format(
            domain="never.com" if is_unknown else "a.com",
            batch_id="none" if is_unknown else batch_id,
            job_id="none",
            file="none",
        ),
        "params": {
            name: given[name] for name in route.query.__struct_fields__ if name in given and name not in of_body
        },
        **(
            {"content": content, "headers": {"content-type": "text/csv"}}
            if content
            else {"json": route.body and {name: given[name] for name in of_body if name in given}}
        ),
    }
