"""
The enrichment API over real sockets: every endpoint, every field, every refusal.
"""

import asyncio
import inspect
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

import schemas
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from service import create_app
from tests.conftest import FakeClock, client_of
from tests.postgres.engines import database_of, postgres_settings, settle_database, wait_longer, wait_until_notified

API = "/api/v1/enrich"
M01, M02, M03, M05, M13, M14, M15 = (
    "m01_company_context",
    "m02_tech_stack",
    "m03_traffic",
    "m05_competitors",
    "m13_case_study_match",
    "m14_icp_scoring",
    "m15_displacement_angle",
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@asynccontextmanager
async def connected(clock: FakeClock, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token, of a service with these settings."""
    app = create_app(Settings(api_tokens=("t",), **settings), clock=clock)
    if app.state.engine.settings.jobs_inline_worker:
        wait_longer(app.state.engine)
    async with client_of(app) as client:
        if app.state.engine.settings.jobs_inline_worker:
            await wait_until_notified(database_of(app.state.engine))
            clock.settle = lambda: settle_database(app.state.engine)
        client.headers["authorization"] = "Bearer t"
        yield client


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests in which time passes, and jobs run, with each backend."""
    if "api" in metafunc.fixturenames:
        has_time = "clock" in inspect.signature(metafunc.function).parameters
        metafunc.parametrize("api", ["memory", "postgres"] if has_time else ["memory"], indirect=True)


@pytest.fixture
async def api(clock: FakeClock, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with the backend."""
    settings = postgres_settings(request.getfixturevalue("database_url")) if request.param == "postgres" else {}
    async with connected(clock, **settings) as client:
        yield client


async def start(api: httpx.AsyncClient, domain: str = "costco.com", **body: Any) -> Any:
    response = await api.post(f"{API}/{domain}", json=body)
    assert response.status_code == 202, response.text
    return response.json()


async def get(api: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await api.get(API + path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


# Starting


async def test_starting_answers_202_with_what_the_job_will_do(api: httpx.AsyncClient) -> None:
    response = await api.post(f"{API}/costco.com", json={"modules": [M02, M01], "waves": [1]})
    body = response.json()

    assert response.status_code == 202
    assert re.fullmatch(r"enrich_costco_com_20260226103500_[a-z0-9]{8}", body.pop("job_id"))
    assert body == {
        "domain": "costco.com",
        "status": "queued",
        "modules": [M01, M02],
        "waves": [1],
        "priority": "normal",
        "force": False,
        "simulated": True,
        "estimated_time_seconds": 6,
        "created_at": "2026-02-26T10:35:00Z",
    }
    assert response.headers["retry-after"]
    status = await api.get(response.headers["location"])
    assert status.json()["job_id"] == response.json()["job_id"]


@pytest.mark.parametrize("content", [b"", b"  \n", b"null", b"{}", b'{"modules": null, "waves": null, "force": null}'])
async def test_no_body_means_the_defaults(api: httpx.AsyncClient, content: bytes) -> None:
    body = (await api.post(f"{API}/costco.com", content=content)).json()

    assert body["modules"] == list(MODULES)
    assert body["waves"] == [1, 2, 3, 4]
    assert [body["priority"], body["force"], body["estimated_time_seconds"]] == ["normal", False, 45]


async def test_modules_and_waves_select_and_the_answer_lists_both(api: httpx.AsyncClient) -> None:
    assert (await start(api, modules=[M15, M03, M03]))["modules"] == [M03, M15]
    assert (await start(api, modules=[M15, M03]))["waves"] == [2, 4]
    assert (await start(api, waves=[3, 1, 3]))["waves"] == [1, 3]
    assert len((await start(api, waves=[4]))["modules"]) == 6
    assert (await start(api, force=True, priority="high", waves=[1]))["estimated_time_seconds"] == 6


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"modules": ["m99_nope"]}, "invalid_plan", "#/modules/0"),
        ({"modules": [M01, "x"]}, "invalid_plan", "#/modules/1"),
        ({"modules": [M01, M03], "waves": [1]}, "invalid_plan", "#/modules/1"),
        ({"modules": []}, "invalid_plan", "#/modules"),
        ({"waves": []}, "invalid_plan", "#/waves"),
        ({"waves": [1, 5]}, "invalid_body", "#/waves/1"),
        ({"waves": [0]}, "invalid_body", "#/waves/0"),
        ({"waves": ["1"]}, "invalid_body", "#/waves/0"),
        ({"waves": 1}, "invalid_body", "#/waves"),
        ({"modules": M01}, "invalid_body", "#/modules"),
        ({"modules": [1]}, "invalid_body", "#/modules/0"),
        ({"priority": "urgent"}, "invalid_body", "#/priority"),
        ({"force": "yes"}, "invalid_body", "#/force"),
        ({"forced": True}, "invalid_body", "#/forced"),
        ([], "invalid_body", "#"),
        ("costco.com", "invalid_body", "#"),
    ],
)
async def test_an_invalid_body_is_refused_with_the_place_and_starts_no_job(
    api: httpx.AsyncClient, body: Any, code: str, pointer: str
) -> None:
    response = await api.post(f"{API}/costco.com", json=body)

    assert response.status_code == 422
    assert response.json()["code"] == code
    assert [fault["pointer"] for fault in response.json()["errors"]] == [pointer]
    assert (await get(api, ""))["total"] == 0


@pytest.mark.parametrize(
    "spelling",
    [
        "Costco.COM",
        "www.costco.com",
        "costco.com.",
        "https%3A%2F%2Fwww.costco.com%2F",
        "https%3A%2F%2Fwww.costco.com%2Fabout",
        "https://costco.com",
        "jane@costco.com",
        "costco.com:443",
    ],
)
async def test_every_endpoint_takes_any_spelling_of_the_domain(
    api: httpx.AsyncClient, clock: FakeClock, spelling: str
) -> None:
    job = await start(api, spelling, modules=[M01])
    await clock.advance(3)

    assert job["domain"] == "costco.com"
    assert (await get(api, f"/{spelling}/status"))["job_id"] == job["job_id"]
    assert (await get(api, f"/{spelling}/results"))["job_id"] == job["job_id"]
    assert (await get(api, f"/{spelling}/cache"))["domain"] == "costco.com"
    assert (await get(api, f"?domain={spelling}"))["total"] == 1


@pytest.mark.parametrize("domain", ["localhost", "127.0.0.1", "2130706433", "costco", "co.uk", "a_b.com", "%00.com"])
async def test_every_endpoint_refuses_what_is_no_company_domain(api: httpx.AsyncClient, domain: str) -> None:
    for method, path in [
        ("POST", f"/{domain}"),
        ("GET", f"/{domain}/status"),
        ("GET", f"/{domain}/results"),
        ("GET", f"/{domain}/cache"),
        ("POST", f"/{domain}/cancel"),
        ("POST", f"/{domain}/retry"),
        ("GET", f"?domain={domain}"),
    ]:
        response = await api.request(method, API + path)
        assert response.status_code == 422
        assert response.json()["code"] == "invalid_domain"
        assert response.json()["detail"].startswith("Invalid domain ")
        assert [fault["parameter"] for fault in response.json()["errors"]] == ["domain"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/costco.com/cancle", 404),
        ("/https://costco.com/cancle", 404),
        ("/costco.com/status/x", 404),
        ("//", 404),
        ("/", 405),
        ("/costco.com/status", 405),
    ],
)
async def test_a_typing_error_in_the_path_starts_no_job(api: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await api.post(API + path)).status_code == status
    assert (await get(api, ""))["total"] == 0


# Status


async def test_status_while_the_job_runs(api: httpx.AsyncClient, clock: FakeClock) -> None:
    job = await start(api)
    await clock.advance(4)
    response = await api.get(f"{API}/costco.com/status")
    body = response.json()

    assert msgspec.json.decode(response.content, type=schemas.JobStatus, strict=True)
    assert response.headers["retry-after"]
    assert [body["job_id"], body["domain"], body["status"]] == [job["job_id"], "costco.com", "running"]
    assert body["progress_percent"] == 13.3
    assert [body["current_wave"], body["current_module"]] == [2, M03]
    assert [body["modules_total"], body["modules_completed"], body["modules_failed"]] == [15, 2, 0]
    assert [body["created_at"], body["started_at"]] == ["2026-02-26T10:35:00Z"] * 2
    assert [body["completed_at"], body["duration_seconds"]] == [None, None]
    first, second, third, _ = body["waves"]
    assert [first["wave_number"], first["status"], second["status"], third["status"]] == [
        1,
        "completed",
        "running",
        "pending",
    ]
    assert [first["started_at"], first["completed_at"]] == ["2026-02-26T10:35:00Z", "2026-02-26T10:35:03Z"]
    assert first["modules"][0] == {
        "module_id": M01,
        "status": "completed",
        "duration_seconds": 3.0,
        "data_points_collected": 10,
        "source_url": "https://builtwith.com",
        "source": "simulated",
        "simulated": True,
        "cached": False,
        "reason": None,
        "stale": False,
        "unknown": False,
    }
    running = second["modules"][0]
    assert [running["status"], running["duration_seconds"], running["data_points_collected"]] == ["running", None, None]


async def test_status_when_the_job_is_completed(api: httpx.AsyncClient, clock: FakeClock) -> None:
    await start(api)
    await clock.advance(60)
    response = await api.get(f"{API}/costco.com/status")
    body = response.json()

    assert [body["status"], body["progress_percent"], body["modules_completed"]] == ["completed", 100.0, 15]
    assert [body["current_wave"], body["current_module"], body["duration_seconds"]] == [None, None, 12.0]
    assert {wave["status"] for wave in body["waves"]} == {"completed"}
    assert "retry-after" not in response.headers


async def test_progress_never_decreases(api: httpx.AsyncClient, clock: FakeClock) -> None:
    await start(api)
    seen = []
    for _ in range(14):
        seen.append((await get(api, "/costco.com/status"))["progress_percent"])
        await clock.advance(1)

    assert seen == sorted(seen)
    assert [seen[0], seen[-1]] == [0.0, 100.0]


async def test_status_of_the_named_job_or_else_of_the_newest(api: httpx.AsyncClient) -> None:
    first = await start(api)
    second = await start(api)

    assert (await get(api, "/costco.com/status", job_id=first["job_id"]))["job_id"] == first["job_id"]
    assert (await get(api, "/costco.com/status"))["job_id"] == second["job_id"]


async def test_unknown_jobs_and_those_of_another_domain_are_404(api: httpx.AsyncClient) -> None:
    job = await start(api)
    for path in (
        "/target.com/status",
        "/target.com/results",
        f"/target.com/status?job_id={job['job_id']}",
        f"/target.com/results?job_id={job['job_id']}",
        "/costco.com/status?job_id=nope",
        "/batch/nope",
        f"/batch/{job['job_id']}",
    ):
        response = await api.get(API + path)
        assert response.status_code == 404
        assert response.json()["code"] == "job_not_found"
    assert (await api.get(f"/enrich/{job['job_id']}")).status_code == 404
    lookup = (await api.post("/enrich", json={"company_domain": "costco.com"})).json()["job_id"]
    assert (await api.get(f"{API}/costco.com/status", params={"job_id": lookup})).status_code == 404


# Results


async def test_results_of_all_modules(api: httpx.AsyncClient, clock: FakeClock) -> None:
    job = await start(api)
    await clock.advance(60)
    response = await api.get(f"{API}/costco.com/results")
    body = response.json()
    results = body["results"]

    assert msgspec.json.decode(response.content, type=schemas.JobResults)
    assert [body["domain"], body["job_id"], body["status"]] == ["costco.com", job["job_id"], "completed"]
    assert body["completed_at"] == "2026-02-26T10:35:12Z"
    assert list(results) == list(MODULES)
    expected = {"company_name": "Costco Wholesale", "founded": 1983, "hq": "Issaquah, WA", "employees": 289000}
    assert results[M01].items() >= expected.items()
    assert results[M02]["technologies"] == [
        {"name": "Adobe AEM", "category": "CMS"},
        {"name": "React", "category": "Frontend"},
        {"name": "Elasticsearch", "category": "Search"},
    ]
    traffic = {"monthly_visits": 15000000, "bounce_rate": 45.2, "pages_per_visit": 3.2}
    assert results[M03].items() >= traffic.items()
    assert body["module_statuses"][M01] == {
        "status": "completed",
        "duration_ms": 3000,
        "cached": False,
        "data_points": 10,
        "source": "simulated",
        "source_url": "https://builtwith.com",
        "method": "simulated",
        "simulated": True,
        "fetched_at": "2026-02-26T10:35:03Z",
        "observed_at": None,
        "field_sources": {},
        "matched_by": None,
        "match_confidence": None,
        "attempts": [{"source": "simulated", "outcome": "answered", "duration_seconds": 3.0, "error": None}],
        "reason": None,
        "stale": False,
        "age_seconds": 0,
        "unknown": False,
    }
    assert [body["cached_modules"], body["failed_modules"], body["skipped_modules"], body["errors"]] == [[], [], [], []]
    assert body["source_citations"][M03] == [
        {
            "url": "https://similarweb.com",
            "title": "SimilarWeb Traffic Analysis (simulated)",
            "source": "simulated",
            "simulated": True,
        }
    ]


async def test_simulated_data_is_marked_wherever_it_is_shown(api: httpx.AsyncClient, clock: FakeClock) -> None:
    await start(api)
    await clock.advance(60)
    body = await get(api, "/costco.com/results")

    assert body["simulated"]
    assert all(result["simulated"] is True for result in body["results"].values())
    assert all(status["simulated"] for status in body["module_statuses"].values())
    citations = [citation for module in body["source_citations"].values() for citation in module]
    assert all(citation["simulated"] and "simulated" in citation["title"] for citation in citations)


async def test_results_of_the_newest_completed_job_or_partial_ones_of_a_named_job(
    api: httpx.AsyncClient, clock: FakeClock
) -> None:
    first = await start(api, modules=[M01])
    assert (await api.get(f"{API}/costco.com/results")).status_code == 404
    await clock.advance(5)
    second = await start(api, force=True)
    await clock.advance(4)

    assert (await get(api, "/costco.com/results"))["job_id"] == first["job_id"]
    partial = await get(api, "/costco.com/results", job_id=second["job_id"])
    assert [partial["status"], partial["completed_at"], list(partial["results"])] == ["running", None, [M01, M02]]
    assert partial["module_statuses"][M03]["status"] == "running"


async def test_results_of_some_modules(api: httpx.AsyncClient, clock: FakeClock) -> None:
    await start(api)
    await clock.advance(60)
    body = await get(api, "/costco.com/results", modules=f" {M03},{M01},")

    assert list(body["results"]) == list(body["module_statuses"]) == list(body["source_citations"]) == [M01, M03]
    refused = await api.get(f"{API}/costco.com/results", params={"modules": f"{M01},nope"})
    assert [refused.status_code, refused.json()["code"]] == [422, "invalid_query"]
    assert refused.json()["errors"][0]["parameter"] == "modules"


async def test_a_second_job_takes_its_answers_from_the_cache(api: httpx.AsyncClient, clock: FakeClock) -> None:
    await start(api)
    await clock.advance(60)
    await start(api)
    await clock.advance(0)
    body = await get(api, "/costco.com/results")

    assert body["cached_modules"] == list(MODULES)
    assert body["module_statuses"][M01]["duration_ms"] == 0
    assert body["module_statuses"][M01]["fetched_at"] == "2026-02-26T10:35:03Z"


# Failing, retrying, cancelling


async def test_failed_modules_are_listed_and_the_others_have_results(clock: FakeClock) -> None:
    async with connected(clock, simulated_failures=(M02, M03)) as api:
        await start(api)
        await clock.advance(60)
        status = await get(api, "/costco.com/status")
        results = await get(api, "/costco.com/results")

    assert status["status"] == "completed"
    assert [status["modules_completed"], status["modules_failed"], status["modules_skipped"]] == [12, 2, 1]
    assert results["failed_modules"] == [M02, M03]
    assert results["skipped_modules"] == [M15]
    assert [error["module_id"] for error in status["errors"]] == [M02, M03, M15]
    assert results["errors"] == status["errors"]
    assert "SIMULATED_FAILURES" in status["errors"][0]["detail"]
    assert status["errors"][0]["attempts"][0]["source"] == "simulated"
    assert [wave["status"] for wave in status["waves"]] == ["completed"] * 4


async def test_a_retry_runs_failed_modules_and_those_skipped_because_of_them(clock: FakeClock) -> None:
    async with connected(clock, simulated_failures=(M02, M05)) as api:
        job = await start(api, priority="high")
        await clock.advance(60)
        retried = await api.post(f"{API}/costco.com/retry")
        whole = await api.post(f"{API}/costco.com/retry", json={"failed_modules_only": False})
        running = await api.post(f"{API}/costco.com/retry", params={"job_id": retried.json()["job_id"]})
        named = await api.post(f"{API}/costco.com/retry", params={"job_id": job["job_id"]}, content=b"null")

    assert [retried.status_code, whole.status_code, named.status_code, running.status_code] == [202, 202, 202, 409]
    body = retried.json()
    assert [body["modules"], body["force"], body["priority"]] == [[M02, M05, M15], True, "high"]
    assert [body["waves"], body["estimated_time_seconds"], body["status"]] == [[1, 2, 4], 9, "queued"]
    assert body["job_id"] != job["job_id"]
    assert whole.json()["modules"] == list(MODULES)
    assert running.json()["code"] == "job_conflict"


async def test_retry_is_409_without_failed_modules_and_404_without_a_job(
    api: httpx.AsyncClient, clock: FakeClock
) -> None:
    none = await api.post(f"{API}/costco.com/retry")
    await start(api, modules=[M01])
    unfinished = await api.post(f"{API}/costco.com/retry")
    await clock.advance(5)
    nothing = await api.post(f"{API}/costco.com/retry")
    unknown = await api.post(f"{API}/costco.com/retry", json={"failed_only": True})

    assert [r.status_code for r in (none, unfinished, nothing, unknown)] == [404, 409, 409, 422]
    assert "nothing to retry" in nothing.json()["detail"]


async def test_a_job_without_any_result_has_failed(clock: FakeClock) -> None:
    async with connected(clock, simulated_failures=(M01,)) as api:
        job = await start(api, modules=[M01])
        await clock.advance(5)
        status = await get(api, "/costco.com/status")
        results = await get(api, "/costco.com/results", job_id=job["job_id"])

    assert status["status"] == results["status"] == "failed"
    assert status["waves"][0]["status"] == "failed"
    assert [error["module_id"] for error in status["errors"]] == [None, M01]
    assert results["results"] == {}


async def test_a_cancelled_job_stops_and_keeps_its_results(api: httpx.AsyncClient, clock: FakeClock) -> None:
    job = await start(api)
    await clock.advance(4)
    response = await api.post(f"{API}/costco.com/cancel")
    status = await get(api, "/costco.com/status")
    results = await get(api, "/costco.com/results", job_id=job["job_id"])

    assert response.json() == {
        "job_id": job["job_id"],
        "status": "cancelled",
        "simulated": True,
        "message": "Job cancelled. 2 modules were already completed.",
        "modules_completed": 2,
    }
    assert [status["status"], status["progress_percent"], status["current_module"]] == ["cancelled", 13.3, None]
    assert [wave["status"] for wave in status["waves"]] == ["completed", "cancelled", "cancelled", "cancelled"]
    assert list(results["results"]) == [M01, M02]
    again = await api.post(f"{API}/costco.com/cancel")
    named = await api.post(f"{API}/costco.com/cancel", params={"job_id": job["job_id"]})
    assert [again.status_code, named.status_code] == [409, 409]
    assert "cancelled already" in again.json()["detail"]


async def test_the_newest_unfinished_job_is_cancelled_or_the_named_one(
    api: httpx.AsyncClient, clock: FakeClock
) -> None:
    first = await start(api, modules=[M03])
    await start(api, modules=[M01])
    third = await start(api, modules=[M03])
    named = await api.post(f"{API}/costco.com/cancel", params={"job_id": first["job_id"]})
    newest = await api.post(f"{API}/costco.com/cancel")

    assert [named.json()["job_id"], newest.json()["job_id"]] == [first["job_id"], third["job_id"]]
    assert (await api.post(f"{API}/target.com/cancel")).status_code == 404
    other = await api.post(f"{API}/target.com/cancel", params={"job_id": first["job_id"]})
    assert other.status_code == 404
    await clock.advance(5)
    assert (await get(api, "", status="completed"))["total"] == 1


# Batches


async def test_a_batch_starts_a_job_for_each_domain(api: httpx.AsyncClient, clock: FakeClock) -> None:
    response = await api.post(
        f"{API}/batch",
        json={
            "domains": ["costco.com", "walmart.com", "target.com"],
            "modules": None,
            "waves": None,
            "force": False,
            "priority": "normal",
            "concurrency": 5,
        },
    )
    body = response.json()

    assert response.status_code == 202
    assert re.fullmatch(r"batch_20260226103500_[a-z0-9]{8}", body["batch_id"])
    assert [body["status"], body["total_domains"], body["queued_count"], body["skipped_count"]] == ["queued", 3, 3, 0]
    assert [body["estimated_time_seconds"], body["created_at"]] == [27, "2026-02-26T10:35:00Z"]
    assert [job["domain"] for job in body["jobs"]] == ["costco.com", "walmart.com", "target.com"]
    assert {tuple(job) for job in body["jobs"]} == {("job_id", "domain", "status")}
    assert response.headers["location"] == f"{API}/batch/{body['batch_id']}"
    status = await get(api, f"/{body['jobs'][1]['domain']}/status")
    assert [status["job_id"], status["batch_id"]] == [body["jobs"][1]["job_id"], body["batch_id"]]
    await clock.settle()
    running = await get(api, f"/batch/{body['batch_id']}")
    await clock.advance(60)
    done = await get(api, f"/batch/{body['batch_id']}")
    assert [running["status"], running["running_count"], running["progress_percent"]] == ["running", 3, 0.0]
    assert [done["status"], done["completed_count"], done["progress_percent"]] == ["completed", 3, 100.0]


async def test_domains_that_cannot_be_run_are_skipped_with_the_reason(api: httpx.AsyncClient) -> None:
    domains = ["costco.com", "https://www.Costco.com/", "localhost", "target.com"]
    body = (await api.post(f"{API}/batch", json={"domains": domains, "modules": [M01]})).json()
    now = await get(api, f"/batch/{body['batch_id']}")

    assert [body["total_domains"], body["queued_count"], body["skipped_count"]] == [4, 2, 2]
    assert [job["status"] for job in body["jobs"]] == ["queued", "skipped", "skipped", "queued"]
    assert body["jobs"][1]["reason"] == "costco.com is in this batch already."
    assert body["jobs"][2]["reason"].startswith("Invalid domain 'localhost'")
    assert body["jobs"][1]["job_id"] is None
    assert body["estimated_time_seconds"] == 3
    assert [job["status"] for job in now["jobs"]] == ["running", "skipped", "skipped", "running"]


async def test_each_page_on_a_platform_is_skipped_with_its_own_reason(api: httpx.AsyncClient) -> None:
    domains = [
        "https://facebook.com/acme",
        "https://facebook.com/other",
        "jane@gmail.com",
        "https://jane:secret@acme.com",
    ]
    body = (await api.post(f"{API}/batch", json={"domains": [*domains, "facebook.com"], "modules": [M01]})).json()

    assert [job["status"] for job in body["jobs"]] == [*["skipped"] * 4, "queued"]
    assert ["page on Facebook" in job.get("reason", "") for job in body["jobs"]] == [True, True, False, False, False]
    assert "free provider" in body["jobs"][2]["reason"]
    assert [job["domain"] for job in body["jobs"][2:]] == ["…@gmail.com", "…@acme.com", "facebook.com"]
    assert "jane" not in str(body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/domains"),
        ({"domains": None}, "#/domains"),
        ({"domains": []}, "#/domains"),
        ({"domains": "costco.com"}, "#/domains"),
        ({"domains": ["a.com", 1]}, "#/domains/1"),
        ({"domains": ["localhost", "x"]}, "#/domains/0"),
        ({"domains": [f"a{n}.com" for n in range(1001)]}, "#/domains"),
        ({"domains": ["a.com"], "concurrency": 0}, "#/concurrency"),
        ({"domains": ["a.com"], "concurrency": 21}, "#/concurrency"),
        ({"domains": ["a.com"], "priority": "x"}, "#/priority"),
        ({"domains": ["a.com"], "modules": ["x"]}, "#/modules/0"),
        ({"domains": ["a.com"], "domain": "b.com"}, "#/domain"),
    ],
)
async def test_an_invalid_batch_is_refused_with_the_place_and_starts_no_job(
    api: httpx.AsyncClient, body: Any, pointer: str
) -> None:
    response = await api.post(f"{API}/batch", json=body)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer
    assert (await get(api, ""))["total"] == 0


async def test_each_invalid_domain_of_a_batch_is_listed_if_none_can_be_run(api: httpx.AsyncClient) -> None:
    problem = (await api.post(f"{API}/batch", json={"domains": ["localhost", "x" * 1_000]})).json()

    assert problem["detail"] == "There is no domain to run."
    assert [fault["pointer"] for fault in problem["errors"]] == ["#/domains/0", "#/domains/1"]
    assert all(fault["detail"].startswith("Invalid domain") for fault in problem["errors"])
    many = (await api.post(f"{API}/batch", json={"domains": ["x"] * 1_000})).json()
    assert len(many["errors"]) == 100


async def test_a_batch_larger_than_any_that_could_be_accepted_names_the_setting(clock: FakeClock) -> None:
    body = {"domains": [f"company-{number}.com" for number in range(6)]}
    for settings, name in [
        ({"max_batch_domains": 5}, "MAX_BATCH_DOMAINS"),
        ({"max_pending_jobs": 5}, "MAX_PENDING_JOBS"),
    ]:
        async with connected(clock, **settings) as api:
            refused = await api.post(f"{API}/batch", json=body)
            assert refused.status_code == 422
            assert refused.json()["detail"] == f"There are 6 domains; a batch takes 5 at most ({name})."


async def test_requests_are_answered_while_a_large_batch_is_checked(api: httpx.AsyncClient) -> None:
    """International names take some 0.1 ms each."""
    domains = [f"bücher-{number}.de" for number in range(1_000)]
    batch = asyncio.create_task(api.post(f"{API}/batch", json={"domains": domains, "modules": [M01]}))
    await asyncio.sleep(0.005)
    assert (await api.get("/health")).status_code == 200
    assert (await batch).json()["queued_count"] == 1_000


async def test_the_word_batch_is_not_taken_for_a_domain(api: httpx.AsyncClient) -> None:
    for method, path, status in [
        ("POST", "/batch", 422),
        ("POST", "/batch/cancel", 422),
        ("GET", "/batch", 405),
        ("POST", "/batch/x", 405),
    ]:
        assert (await api.request(method, API + path)).status_code == status
    assert (await get(api, ""))["total"] == 0


async def test_no_more_jobs_of_a_batch_run_than_its_concurrency(api: httpx.AsyncClient, clock: FakeClock) -> None:
    domains = [f"company-{number}.com" for number in range(7)]
    body = (await api.post(f"{API}/batch", json={"domains": domains, "modules": [M01], "concurrency": 2})).json()
    seen = []
    for _ in range(5):
        await clock.settle()
        now = await get(api, f"/batch/{body['batch_id']}")
        seen.append((now["running_count"], now["queued_count"], now["completed_count"]))
        await clock.advance(3)

    assert body["estimated_time_seconds"] == 10
    assert seen == [(2, 5, 0), (2, 3, 2), (2, 1, 4), (1, 0, 6), (0, 0, 7)]


async def test_a_batch_larger_than_the_room_that_is_left_is_refused_as_a_whole(clock: FakeClock) -> None:
    async with connected(clock, max_pending_jobs=3) as api:
        await start(api)
        refused = await api.post(f"{API}/batch", json={"domains": ["a.com", "b.com", "c.com"]})

        assert [refused.status_code, refused.json()["code"]] == [503, "too_many_jobs"]
        assert refused.headers["retry-after"]
        assert (await get(api, ""))["total"] == 1


async def test_a_batch_whose_jobs_are_all_cancelled_or_forgotten_is_complete(clock: FakeClock) -> None:
    async with connected(clock, max_finished_jobs=1, max_running_jobs=1) as api:
        body = (await api.post(f"{API}/batch", json={"domains": ["a.com", "b.com"], "modules": [M01]})).json()
        for domain in ("b.com", "a.com"):
            await api.post(f"{API}/{domain}/cancel")
        now = await get(api, f"/batch/{body['batch_id']}")

    assert [job["status"] for job in now["jobs"]] == ["cancelled", "forgotten"]
    assert [now["status"], now["cancelled_count"], now["forgotten_count"]] == ["completed", 1, 1]
    assert now["progress_percent"] == 100.0


async def test_a_batch_whose_jobs_all_wait_is_queued_and_all_cancelled_is_cancelled(clock: FakeClock) -> None:
    async with connected(clock, max_running_jobs=1) as api:
        await start(api, modules=[M01])
        body = (await api.post(f"{API}/batch", json={"domains": ["a.com"], "modules": [M01]})).json()
        waiting = await get(api, f"/batch/{body['batch_id']}")
        await api.post(f"{API}/a.com/cancel")
        cancelled = await get(api, f"/batch/{body['batch_id']}")

    assert [waiting["status"], cancelled["status"]] == ["queued", "cancelled"]


# Priorities


async def test_waiting_jobs_start_by_priority(clock: FakeClock) -> None:
    async with connected(clock, max_running_jobs=1) as api:
        for number, priority in enumerate(["normal", "low", "normal", "high"]):
            await start(api, f"{priority}-{number}.com", modules=[M01], priority=priority)
        order = []
        for _ in range(4):
            order.append((await get(api, "", status="running"))["jobs"][0]["domain"])
            await clock.advance(3)

    assert order == ["normal-0.com", "high-3.com", "normal-2.com", "low-1.com"]


# Cache


async def test_cache_status(api: httpx.AsyncClient, clock: FakeClock) -> None:
    empty = await get(api, "/costco.com/cache")
    await start(api, modules=[M01, M02])
    await clock.advance(3)
    fresh = await get(api, "/costco.com/cache")
    await clock.advance(5 * 86_400)
    stale = await get(api, "/costco.com/cache")
    await clock.advance(2 * 86_400)
    expired = await get(api, "/costco.com/cache")

    assert [empty["overall_freshness"], empty["last_enrichment"], empty["stale_modules"]] == ["missing", None, []]
    assert [module["module_id"] for module in empty["modules"]] == list(MODULES)
    assert empty["modules"][0] == {
        "module_id": M01,
        "is_cached": False,
        "cached_at": None,
        "freshness": "missing",
        "ttl_remaining_seconds": None,
        "simulated": True,
        "unknown": False,
    }
    assert fresh["modules"][0] == {
        "module_id": M01,
        "is_cached": True,
        "cached_at": "2026-02-26T10:35:03Z",
        "freshness": "fresh",
        "ttl_remaining_seconds": 30 * 86_400,
        "simulated": True,
        "unknown": False,
    }
    assert [fresh["overall_freshness"], fresh["last_enrichment"]] == ["fresh", "2026-02-26T10:35:03Z"]
    assert [stale["overall_freshness"], stale["stale_modules"]] == ["stale", [M02]]
    assert stale["modules"][1]["ttl_remaining_seconds"] == 2 * 86_400
    assert [expired["overall_freshness"], expired["stale_modules"]] == ["expired", [M02]]
    assert expired["modules"][1]["ttl_remaining_seconds"] == 0


# Listing


async def test_the_list_is_newest_first_filtered_and_paged(api: httpx.AsyncClient, clock: FakeClock) -> None:
    ids = [(await start(api, domain, modules=[M01]))["job_id"] for domain in ("a.com", "b.com", "a.com")]
    await clock.advance(3)
    ids.append((await start(api, "a.com", modules=[M03]))["job_id"])
    await clock.settle()
    everything = await get(api, "")
    page = await get(api, "", limit=2, offset=1)
    of_a = await get(api, "", domain="A.com", status="completed")

    assert [job["job_id"] for job in everything["jobs"]] == ids[::-1]
    assert [everything["total"], everything["running_count"], everything["queued_count"]] == [4, 1, 0]
    assert everything["jobs"][-1] == {
        "job_id": ids[0],
        "domain": "a.com",
        "status": "completed",
        "progress_percent": 100.0,
        "modules_total": 1,
        "modules_completed": 1,
        "modules_failed": 0,
        "modules_skipped": 0,
        "priority": "normal",
        "simulated": True,
        "created_at": "2026-02-26T10:35:00Z",
        "started_at": "2026-02-26T10:35:00Z",
        "completed_at": "2026-02-26T10:35:03Z",
    }
    assert [job["job_id"] for job in page["jobs"]] == [ids[2], ids[1]]
    assert [page["total"], page["limit"], page["offset"]] == [4, 2, 1]
    assert [job["job_id"] for job in of_a["jobs"]] == [ids[2], ids[0]]
    assert [of_a["total"], of_a["running_count"]] == [2, 1]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=²", "limit"),
        ("offset=-1", "offset"),
        ("offset=9999999999999", "offset"),
        ("status=done", "status"),
        ("status=queued,done", "status"),
        ("limit=1&limit=2", "limit"),
        ("ofset=1", "ofset"),
        ("=1", ""),
        ("domain=localhost", "domain"),
    ],
)
async def test_a_parameter_that_cannot_be_taken_is_named(api: httpx.AsyncClient, query: str, parameter: str) -> None:
    response = await api.get(f"{API}?{query}")

    assert response.status_code == 422
    assert [fault["parameter"] for fault in response.json()["errors"]] == [parameter]


async def test_the_list_takes_several_states(api: httpx.AsyncClient, clock: FakeClock) -> None:
    ids = [(await start(api, domain, modules=[M01]))["job_id"] for domain in ("a.com", "b.com", "c.com")]
    await api.post(f"{API}/a.com/cancel")
    await api.post(f"{API}/c.com/cancel")
    for query in ("status=running,cancelled", "status=cancelled&status=running"):
        response = await api.get(f"{API}?{query}")
        assert [job["job_id"] for job in response.json()["jobs"]] == ids[::-1]
    assert (await get(api, "", status="running,queued"))["total"] == 1
    assert (await get(api, "", status=""))["total"] == 3


# Authorization


async def test_without_tokens_configured_the_api_takes_a_generated_one_that_is_logged_once(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(create_app(Settings(), clock=clock)) as client:
        closed = [await client.get(API), await client.post(f"{API}/a.com"), await client.get("/api/v1/nope")]
        opened = await client.post("/enrich", json={"company_domain": "a.com"})
        logged = re.findall(r"curl -X POST -H 'Authorization: Bearer (\S+)' (http://localhost:\d+/\S+)", caplog.text)
        (token, url), *others = logged
        answer = await client.post(httpx.URL(url).path, headers={"authorization": f"Bearer {token}"})

    assert [response.status_code for response in closed] == [401, 401, 401]
    assert [opened.status_code, answer.status_code] == [202, 202]
    assert others == []
    assert len(token) >= 32


async def test_without_a_lifespan_the_token_is_logged_when_it_is_first_missing(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    transport = httpx.ASGITransport(create_app(Settings(), clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        for _ in range(3):
            assert (await client.get(API)).status_code == 401

    assert caplog.text.count("API_TOKENS is not set") == 1


async def test_without_a_token_known_and_unknown_jobs_look_alike(api: httpx.AsyncClient) -> None:
    await start(api)
    del api.headers["authorization"]
    known, unknown = [await api.get(f"{API}/{domain}/status") for domain in ("costco.com", "target.com")]

    assert known.status_code == unknown.status_code == 401
    assert known.json()["detail"] == unknown.json()["detail"]


# Races


async def test_ten_concurrent_batches_share_their_calls(clock: FakeClock) -> None:
    async with connected(clock, max_running_jobs=1_000) as api:
        domains = [f"company-{number}.com" for number in range(20)]
        order = {"domains": domains, "modules": [M01, M03], "concurrency": 20}
        answers = await asyncio.gather(*(api.post(f"{API}/batch", json=order) for _ in range(10)))
        await clock.advance(10)
        listed = await get(api, "", status="completed", limit=1)
        counts = [(await get(api, f"/batch/{answer.json()['batch_id']}"))["completed_count"] for answer in answers]

    assert listed["total"] == 200
    assert counts == [20] * 10


async def test_a_thousand_jobs_run_one_after_the_other(clock: FakeClock) -> None:
    async with connected(clock, max_running_jobs=1, simulated_module_seconds=0) as api:
        body = {"domains": [f"company-{number}.com" for number in range(1_000)], "modules": [M01], "concurrency": 20}
        await api.post(f"{API}/batch", json=body)
        begin = time.monotonic()
        while (await get(api, "", status="completed", limit=1))["total"] < 1_000:
            assert time.monotonic() - begin < 60
            await clock.advance(0)


async def test_every_answer_while_polling_is_consistent(api: httpx.AsyncClient, clock: FakeClock) -> None:
    """Counts, waves and modules agree in every answer."""
    await start(api)
    for _ in range(50):
        body = await get(api, "/costco.com/status")
        states = [module["status"] for wave in body["waves"] for module in wave["modules"]]
        assert states.count("completed") == body["modules_completed"]
        assert body["progress_percent"] == round(100 * body["modules_completed"] / 15, 1)
        assert (body["status"] == "completed") == (body["modules_completed"] == 15)
        await clock.advance(0.3)
