"""
Authorization of requests.
"""

from pathlib import Path

import httpx
import pytest

from enrichment.settings import Settings
from enrichment.web.auth import Tokens
from service import create_app
from tests.conftest import FakeClock, client_of, server_process
from tests.curl import run_logged_curl

BODY = {"company_domain": "a.com"}


async def test_without_configured_tokens_enrich_is_open(client: httpx.AsyncClient) -> None:
    assert (await client.post("/enrich", json=BODY)).status_code == 202


async def test_each_configured_token_is_accepted_and_nothing_else(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("first", "second")), clock=clock)) as client:
        statuses = {
            header: (await client.post("/enrich", json=BODY, headers={"authorization": header})).status_code
            for header in (
                "Bearer first",
                "bearer second",
                "BEARER  first",
                "Bearer third",
                "Bearer firs",
                "Bearer first,second",
                "Bearer",
                "Basic first",
                "first",
                "",
            )
        }

    assert statuses == dict.fromkeys(statuses, 401) | dict.fromkeys(list(statuses)[:3], 202)


def test_every_bit_of_the_digest_of_a_token_counts() -> None:
    tokens = Tokens(["first", "second"])
    first, second = tokens._digests
    assert len(first) == 32
    for bit in range(8 * len(first)):
        changed = bytearray(first)
        changed[bit // 8] ^= 1 << bit % 8
        tokens._digests = [bytes(changed), second]
        assert not tokens.verify("first")
        assert tokens.verify("second")


def test_no_other_token_is_accepted() -> None:
    tokens = Tokens(["token"])

    assert not any(tokens.verify(f"token-{number}") for number in range(10_000))


async def test_a_401_says_what_is_needed_and_does_not_reveal_which_ids_exist(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("token",)), clock=clock)) as client:
        accepted = await client.post("/enrich", json=BODY, headers={"authorization": "Bearer token"})
        known = await client.get(accepted.headers["location"])
        unknown = await client.get("/enrich/" + "0" * 36)
        nowhere = await client.get("/nope")

    assert [answer.status_code for answer in (known, unknown, nowhere)] == [401] * 3
    assert known.headers["www-authenticate"] == "Bearer"
    assert known.json()["code"] == "unauthorized"
    assert "token of this service" in known.json()["detail"]
    varying = {"instance", "request_id"}
    assert {key: value for key, value in known.json().items() if key not in varying} == {
        key: value for key, value in unknown.json().items() if key not in varying
    }


async def test_without_a_token_the_body_is_not_read(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("token",)), clock=clock)) as client:
        assert (await client.post("/enrich", content=b"{" * 2_000_000)).status_code == 401


async def test_health_and_readiness_need_no_token(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("token",)), clock=clock)) as client:
        assert [(await client.get(path)).status_code for path in ("/health", "/ready")] == [200, 200]


async def test_configured_and_rejected_tokens_are_not_logged(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    app = create_app(Settings(api_tokens=("right-secret",)), clock=clock)
    async with client_of(app) as client:
        await client.post("/enrich", json=BODY, headers={"authorization": "Bearer right-secret"})
        await client.post("/enrich", json=BODY, headers={"authorization": "Bearer wrong-secret"})

    assert "secret" not in caplog.text


@pytest.mark.parametrize("level", ["info", "error"])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_generated_token_is_logged_once_at_every_level_with_a_command_that_works(
    tmp_path: Path, level: str, log_format: str
) -> None:
    command = "uvicorn service:app --port $PORT --root-path /leads"
    with server_process(command, tmp_path, LOG_LEVEL=level, LOG_FORMAT=log_format) as server:
        server.wait_until_healthy()
        refused = [httpx.get(f"{server.url}/api/v1/enrich", trust_env=False).status_code for _ in range(2)]
        accepted = run_logged_curl(server)
        server.terminate()
        log = server.log

    assert refused == [401, 401]
    assert accepted.status_code == 202
    assert log.count("Authorization") == 1


async def test_without_a_lifespan_the_first_401_logs_the_generated_token(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    transport = httpx.ASGITransport(create_app(Settings(), clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://host:5000") as client:
        statuses = [(await client.get("/api/v1/enrich")).status_code for _ in range(2)]

    assert statuses == [401, 401]
    assert [message.split()[-1] for message in caplog.messages if "Authorization" in message] == [
        "http://host:5000/api/v1/enrich/costco.com"
    ]


async def test_auth_off_needs_no_token_but_refuses_cross_site_requests_of_browsers(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off", api_tokens=("token",)), clock=clock)) as client:

        async def post(site: str) -> int:
            return (await client.post("/enrich", json=BODY, headers={"sec-fetch-site": site})).status_code

        assert [await post(site) for site in ("same-origin", "same-site", "none", "cross-site")] == [202] * 3 + [403]
        assert (await client.get("/health", headers={"sec-fetch-site": "cross-site"})).status_code == 200
        assert (await client.post("/enrich", json=BODY)).status_code == 202
