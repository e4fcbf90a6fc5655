"""
Lookups over real sockets: start one, ask for its state; and the service as a whole.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import pytest

import service
from enrichment.clock import Clock
from enrichment.settings import Settings
from schemas import CompanyData
from service import create_app
from tests.conftest import FakeClock, client_of, server_process

BODY = {"company_domain": "getuniti.com"}
DATA = {"company_size": 50, "industry": "AI Software"}
RUN = "uvicorn service:app --port $PORT"


async def start(client: httpx.AsyncClient, domain: str = "getuniti.com") -> str:
    response = await client.post("/enrich", json={"company_domain": domain})
    assert response.status_code == 202
    job_id: str = response.json()["job_id"]
    return job_id


async def test_ac1_post_answers_202_and_a_job_id_at_once(client: httpx.AsyncClient) -> None:
    """The clock stands still, so none of the 15 seconds can have passed."""
    response = await client.post("/enrich", json=BODY)

    assert response.status_code == 202
    assert response.json().keys() == {"job_id", "status"}
    assert response.json()["status"] == "pending"
    assert UUID(response.json()["job_id"]).version == 4
    assert str(UUID(response.json()["job_id"])) == response.json()["job_id"]


async def test_ac2_the_job_is_pending_within_15_seconds(client: httpx.AsyncClient, clock: FakeClock) -> None:
    job_id = await start(client)
    for _ in range(2):
        response = await client.get(f"/enrich/{job_id}")
        assert response.status_code == 200
        assert response.json() == {"job_id": job_id, "status": "pending"}
        await clock.advance(14.9)


async def test_ac3_the_job_is_complete_after_15_seconds(client: httpx.AsyncClient, clock: FakeClock) -> None:
    job_id = await start(client)
    await clock.advance(15)
    response = await client.get(f"/enrich/{job_id}")

    assert response.status_code == 200
    assert response.json() == {"job_id": job_id, "status": "complete", "data": DATA}


UNKNOWN: Final = "0f0e9d4c-3b2a-4c1d-8e7f-6a5b4c3d2e1f"


@pytest.mark.parametrize(
    "job_id", [UNKNOWN, UNKNOWN.upper(), "nope", "0", "%00", "a" * 5000], ids=lambda job_id: job_id[:8]
)
async def test_ac4_an_unknown_id_is_404(client: httpx.AsyncClient, job_id: str) -> None:
    response = await client.get(f"/enrich/{job_id}")

    assert response.status_code == 404
    assert response.json()["detail"] == "Job not found"
    assert response.json()["code"] == "job_not_found"


def test_all_four_criteria_in_a_process_of_its_own(tmp_path: Path) -> None:
    """In real time; the delay comes from the environment."""
    with server_process(RUN, tmp_path, SIMULATED_LOOKUP_SECONDS="1") as server:
        server.wait_until_healthy()
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            accepted = client.post("/enrich", json=BODY)
            job_id = accepted.json()["job_id"]
            assert accepted.status_code == 202
            assert accepted.elapsed.total_seconds() < 1
            assert client.get(f"/enrich/{job_id}").json() == {"job_id": job_id, "status": "pending"}
            time.sleep(1.1)
            assert client.get(f"/enrich/{job_id}").json() == {"job_id": job_id, "status": "complete", "data": DATA}
            assert client.get(f"/enrich/{UNKNOWN}").status_code == 404


async def test_the_202_has_the_location_of_the_job_and_when_to_ask_again(client: httpx.AsyncClient) -> None:
    response = await client.post("/enrich", json=BODY)

    assert response.headers["location"] == f"/enrich/{response.json()['job_id']}"
    assert response.headers["retry-after"] == "15"
    followed = await client.get(response.headers["location"])
    assert followed.json() == response.json()


async def test_a_pending_job_has_retry_after_and_a_complete_one_does_not(
    client: httpx.AsyncClient, clock: FakeClock
) -> None:
    job_id = await start(client)
    await clock.advance(9.5)
    assert (await client.get(f"/enrich/{job_id}")).headers["retry-after"] == "6"
    await clock.advance(15)
    assert "retry-after" not in (await client.get(f"/enrich/{job_id}")).headers


async def test_every_answer_about_a_job_has_its_source_in_a_header(client: httpx.AsyncClient, clock: FakeClock) -> None:
    accepted = await client.post("/enrich", json=BODY)
    pending = await client.get(accepted.headers["location"])
    await clock.advance(15)
    complete = await client.get(accepted.headers["location"])

    assert [answer.headers["x-data-source"] for answer in (accepted, pending, complete)] == ["simulated"] * 3


async def test_jobs_run_concurrently(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """A hundred of them take as long as one."""
    ids = [await start(client, f"company-{number}.com") for number in range(100)]
    await clock.advance(15)
    statuses = [(await client.get(f"/enrich/{job_id}")).json()["status"] for job_id in ids]

    assert statuses == ["complete"] * 100


async def test_the_same_domain_twice_makes_two_jobs(client: httpx.AsyncClient) -> None:
    assert await start(client) != await start(client)


async def test_a_failing_source_makes_a_failed_job_that_reveals_nothing(clock: FakeClock) -> None:
    """But names the job, under which the log has it."""

    class Broken:
        name = "broken"
        expected_seconds = 1.0

        async def look_up(self, domain: str) -> CompanyData:
            raise ZeroDivisionError("secret inside")

    async with client_of(create_app(Settings(), source=Broken(), clock=clock)) as client:
        job_id = await start(client)
        await clock.advance(0)
        body = (await client.get(f"/enrich/{job_id}")).json()

    assert body.keys() == {"job_id", "status", "error"}
    assert body["status"] == "failed"
    assert job_id in body["error"]
    assert "secret" not in body["error"]


async def test_one_job_too_many_is_503_until_another_is_finished(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(max_pending_jobs=2), clock=clock)) as client:
        await start(client)
        await start(client)
        refused = await client.post("/enrich", json=BODY)
        not_ready = await client.get("/ready")
        await clock.advance(15)
        ready = await client.get("/ready")
        taken = await client.post("/enrich", json=BODY)

    assert [refused.status_code, not_ready.status_code] == [503, 503]
    assert refused.json()["code"] == not_ready.json()["code"] == "too_many_jobs"
    assert refused.headers["retry-after"] == "15"
    assert [ready.status_code, taken.status_code] == [200, 202]


async def test_a_finished_job_is_forgotten_when_its_time_is_over(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(job_retention_seconds=60), clock=clock)) as client:
        job_id = await start(client)
        await clock.advance(15 + 59)
        kept = await client.get(f"/enrich/{job_id}")
        await clock.advance(1)
        forgotten = await client.get(f"/enrich/{job_id}")

    assert [kept.status_code, forgotten.status_code] == [200, 404]


async def test_health_and_readiness(client: httpx.AsyncClient) -> None:
    health = await client.get("/health")
    ready = await client.get("/ready")

    assert health.json() == {"status": "healthy", "service": "lead-enrichment", "version": "0.1.0"}
    assert [ready.status_code, ready.json()] == [200, {"status": "ready"}]
    assert health.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/health", "/ready", "/enrich/nope"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    head, get = await client.head(path), await client.get(path)

    assert head.content == b""
    assert head.status_code == get.status_code


async def test_json_is_read_whatever_the_content_type(client: httpx.AsyncClient) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"):
        response = await client.post(
            "/enrich", content=b'{"company_domain": "a.com"}', headers={"content-type": content_type}
        )
        assert response.status_code == 202


async def test_no_answer_is_cached_or_sniffed(client: httpx.AsyncClient) -> None:
    for response in (await client.post("/enrich", json=BODY), await client.get("/health"), await client.get("/x")):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


def test_the_app_is_created_once_when_it_is_accessed() -> None:
    assert service.app is service.app
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        service.nope  # noqa: B018


def test_invalid_settings_end_the_process_with_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(service), "app", raising=False)
    monkeypatch.setenv("AUTH", "basic")
    with pytest.raises(SystemExit, match="AUTH cannot be 'basic'"):
        service.app  # noqa: B018


async def test_a_process_of_its_own_configures_logging(
    untouched_logging: None, capfd: pytest.CaptureFixture[str]
) -> None:
    app = service.create_app(Settings(log_format="json", auth="off"), own_process=True)
    async with app.router.lifespan_context(app):
        pass

    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert events == ["service started", "service stopped"]


async def test_a_process_of_its_own_is_tuned_while_it_serves(untouched_logging: None) -> None:
    def tuning() -> tuple[object, ...]:
        return gc.get_threshold(), gc.get_freeze_count() > 0, round(sys.getswitchinterval(), 6)

    before = tuning()
    app = service.create_app(Settings(auth="off"), own_process=True)
    async with app.router.lifespan_context(app):
        during = tuning()

    assert during == ((1_000, 5_000, 100), True, 0.0005)
    assert tuning() == before


async def test_pages_of_the_configured_origins_may_call_the_service(clock: FakeClock) -> None:
    """Others get no CORS header, and no page does by default."""
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    settings = Settings(api_tokens=("t",), cors_origins=("https://app.example.com",))
    async with client_of(create_app(settings, clock=clock)) as client:
        for origin, allowed in [("https://app.example.com", "https://app.example.com"), ("https://x.test", None)]:
            asked = await client.options("/enrich", headers={"origin": origin, **preflight})
            assert asked.headers.get("access-control-allow-origin") == allowed
            refused = await client.post("/enrich", json=BODY, headers={"origin": origin})
            assert [refused.status_code, refused.headers.get("access-control-allow-origin")] == [401, allowed]
    async with client_of(create_app(Settings(), clock=clock)) as client:
        answer = await client.post("/enrich", json=BODY, headers={"origin": "https://app.example.com"})
        assert [answer.status_code, answer.headers.get("access-control-allow-origin")] == [202, None]


async def test_several_processes_log_an_error(caplog: pytest.LogCaptureFixture) -> None:
    app = service.create_app(Settings(web_concurrency=3))
    async with app.router.lifespan_context(app):
        pass

    assert "each server process has its own jobs" in caplog.text
    assert "workers=3" in caplog.text


async def test_the_system_clock_is_the_default() -> None:
    clock = Clock()
    begin = time.time()
    await clock.sleep(0)

    assert begin - 0.001 <= clock.now() <= time.time()
