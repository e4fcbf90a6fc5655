"""
Who may ask.
"""

import httpx
import pytest

from enrichment.settings import Settings
from service import create_app
from tests.conftest import FakeClock, client_of

ORDER = {"company_domain": "a.com"}


async def test_without_tokens_enrich_is_open(client: httpx.AsyncClient) -> None:
    assert (await client.post("/enrich", json=ORDER)).status_code == 202


async def test_with_tokens_each_of_them_opens_and_nothing_else(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("first", "second")), clock=clock)) as client:
        statuses = {
            header: (await client.post("/enrich", json=ORDER, headers={"authorization": header})).status_code
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


async def test_401_says_what_is_wanted_and_is_the_same_for_known_and_unknown_ids(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("token",)), clock=clock)) as client:
        accepted = await client.post("/enrich", json=ORDER, headers={"authorization": "Bearer token"})
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


async def test_no_body_is_read_for_a_stranger(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("token",)), clock=clock)) as client:
        assert (await client.post("/enrich", content=b"{" * 2_000_000)).status_code == 401


async def test_health_and_readiness_stay_open(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(api_tokens=("token",)), clock=clock)) as client:
        assert [(await client.get(path)).status_code for path in ("/health", "/ready")] == [200, 200]


async def test_a_token_is_never_logged(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    app = create_app(Settings(api_tokens=("geheimnis",)), clock=clock)
    async with client_of(app) as client:
        await client.post("/enrich", json=ORDER, headers={"authorization": "Bearer geheimnis"})
        await client.post("/enrich", json=ORDER, headers={"authorization": "Bearer geheimnis2"})

    assert "geheimnis" not in caplog.text


async def test_auth_off_needs_no_token_but_refuses_what_another_site_makes_a_browser_send(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off", api_tokens=("token",)), clock=clock)) as client:

        async def status(method: str, path: str, site: str) -> int:
            headers = {"sec-fetch-site": site}
            return (await client.request(method, path, json=ORDER, headers=headers)).status_code

        assert [await status("POST", "/enrich", site) for site in ("same-origin", "same-site", "none")] == [202] * 3
        assert await status("POST", "/enrich", "cross-site") == 403
        assert await status("GET", "/health", "cross-site") == 200
        assert (await client.post("/enrich", json=ORDER)).status_code == 202
