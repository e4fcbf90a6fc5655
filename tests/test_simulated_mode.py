"""
With simulated sources, everything about a job says so, whatever the state of the job; with others, nothing does.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.sources import Source
from service import create_app
from tests.conftest import FakeClock, client_of

API: Final = "/api/v1/enrich"
M02, M15 = "m02_tech_stack", "m15_displacement_angle"


@asynccontextmanager
async def connected(
    clock: Clock, sources: dict[str, Source] | None = None, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(Settings(auth="off", **settings), clock=clock, sources=sources)) as client:
        yield client


def marks(value: Any) -> Iterator[bool]:
    """Return the values of all fields named `simulated`."""
    if isinstance(value, dict):
        if "simulated" in value:
            yield value["simulated"]
        for inner in value.values():
            yield from marks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from marks(inner)


async def views(api: httpx.AsyncClient, job: dict[str, Any], domain: str = "acme.com") -> list[dict[str, Any]]:
    """Return every view of a job, and check that it and all of its modules are marked."""
    query = {"job_id": job["job_id"]}
    status = (await api.get(f"{API}/{domain}/status", params=query)).json()
    results = (await api.get(f"{API}/{domain}/results", params=query)).json()
    listed = (await api.get(API, params={"domain": domain})).json()["jobs"]
    cache = (await api.get(f"{API}/{domain}/cache")).json()

    for view in (job, status, results, *listed, cache, *results["module_statuses"].values(), *cache["modules"]):
        assert "simulated" in view
    for module in (module for wave in status["waves"] for module in wave["modules"]):
        assert "simulated" in module
    for error in (*status["errors"], *results["errors"]):
        assert "simulated" in error
    return [job, status, results, *listed, cache]


async def test_a_job_is_marked_while_it_waits_and_runs_and_when_it_is_cancelled(clock: FakeClock) -> None:
    async with connected(clock, max_running_jobs=1) as api:
        running = (await api.post(f"{API}/acme.com")).json()
        queued = (await api.post(f"{API}/other.com")).json()
        waiting = await views(api, queued, "other.com")
        begun = await views(api, running)
        await clock.advance(4)
        halfway = await views(api, running)
        cancelled = [(await api.post(f"{API}/{domain}/cancel")).json() for domain in ("acme.com", "other.com")]
        ended = [*await views(api, running), *await views(api, queued, "other.com")]

    assert [waiting[1]["status"], begun[1]["status"], begun[2]["results"]] == ["queued", "running", {}]
    assert [halfway[1]["status"], list(halfway[2]["results"])] == ["running", list(MODULES)[:2]]
    assert {body["status"] for body in ended if "waves" in body and "errors" in body} == {"cancelled"}
    for body in (*waiting, *begun, *halfway, *cancelled, *ended):
        assert set(marks(body)) == {True}


async def test_a_job_is_marked_when_modules_fail_and_are_skipped(clock: FakeClock) -> None:
    async with connected(clock, simulated_module_seconds=0, simulated_failures=(M02,)) as api:
        failed = (await api.post(f"{API}/acme.com", json={"modules": [M02, M15]})).json()
        await clock.advance(1)
        seen = await views(api, failed)
        retried = (await api.post(f"{API}/acme.com/retry")).json()

    statuses = [status["status"] for status in seen[2]["module_statuses"].values()]
    assert [seen[1]["status"], *statuses] == ["failed", "failed", "skipped"]
    assert len(seen[1]["errors"]) == 3
    for body in (*seen, retried):
        assert set(marks(body)) == {True}


async def test_a_batch_is_marked(clock: FakeClock) -> None:
    async with connected(clock) as api:
        started = (await api.post(f"{API}/batch", json={"domains": ["acme.com", "other.com"]})).json()
        status = (await api.get(f"{API}/batch/{started['batch_id']}")).json()

    assert [list(marks(started)), list(marks(status))] == [[True], [True]]


async def test_an_empty_cache_is_marked(clock: FakeClock) -> None:
    async with connected(clock) as api:
        body = (await api.get(f"{API}/acme.com/cache")).json()

    assert body["overall_freshness"] == "missing"
    assert list(marks(body)) == [True] * 16


async def test_a_lookup_is_marked_in_a_header_in_every_state(client: httpx.AsyncClient, clock: FakeClock) -> None:
    started = await client.post("/enrich", json={"company_domain": "acme.com"})
    pending = await client.get(started.headers["location"])
    await clock.advance(15)
    complete = await client.get(started.headers["location"])

    assert complete.json()["status"] == "complete"
    for response in (started, pending, complete):
        assert response.headers["x-data-source"] == "simulated"


async def streamed(api: httpx.AsyncClient, **body: str) -> list[dict[str, Any]]:
    headers = {"accept": "application/x-ndjson"}
    response = await api.post("/campaigns/enrichment", json={"website_url": "acme.com", **body}, headers=headers)
    return [json.loads(line) for line in response.text.splitlines()]


async def test_the_events_of_an_inferred_blueprint_are_marked() -> None:
    """The first is not: the given profile is read before anything is inferred."""
    async with connected(Clock(), simulated_module_seconds=0) as api:
        inferred, provided = await streamed(api), await streamed(api, icp="Retailers in Germany")

    assert [next(marks(event)) for event in inferred] == [False, *[True] * (len(inferred) - 1)]
    assert {mark for event in provided for mark in marks(event)} == {False}


class Down:
    """A source of a vendor that fails."""

    async def ask(self, module: Module, subject: Subject) -> Finding:
        raise SourceFailed("It is down.")


@pytest.mark.parametrize("name", ["apollo", "builtwith"])
async def test_nothing_is_marked_with_other_sources(clock: FakeClock, name: str) -> None:
    async with connected(clock, sources={name: Down()}) as api:
        job = (await api.post(f"{API}/acme.com", json={"modules": [M02, M15]})).json()
        seen = await views(api, job)
        batch = (await api.post(f"{API}/batch", json={"domains": ["acme.com"]})).json()

    for body in (*seen, batch):
        assert set(marks(body)) == {False}
