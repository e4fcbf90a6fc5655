"""
Error answers: `application/problem+json` that says what is wrong and where, on a connection that stays usable.
"""

import asyncio
import socket
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from enrichment.settings import Settings
from service import create_app
from tests.conftest import FakeClock, client_of, serving

# fmt: off
BAD_BODIES = [
    # the body, status, code, pointer, part of the detail
    (b"",                                              422, "invalid_body",   "#",  "empty; it needs company_domain."),
    (b"  ",                                            422, "invalid_body",   "#",  "empty; it needs company_domain."),
    (b"{",                                             400, "malformed_json", "#", "truncated"),
    (b"{'company_domain': 'a.com'}",                   400, "malformed_json", "#", "malformed"),
    (b'{"company_domain": "a.com"} x',                 400, "malformed_json", "#", "trailing characters"),
    (b'{"company_domain": NaN}',                       400, "malformed_json", "#", "malformed"),
    (b"\xff\xfe{\0}\0",                                400, "malformed_json", "#", "it is UTF-16"),
    (b"{\0}\0",                                        400, "malformed_json", "#", "it is UTF-16"),
    (b'{"company_domain": "\xff\xfe.com"}',            400, "malformed_json", "#", "utf-8"),
    (b'{"company_domain": "\\ud800.com"}',             400, "malformed_json", "#", "half of a surrogate pair"),
    (b"company_domain=a.com",                          400, "malformed_json", "#", "malformed"),
    (b"null",                                          422, "invalid_body",   "#",  "Expected `object`, got `null`"),
    (b"[]",                                            422, "invalid_body",   "#",  "Expected `object`, got `array`"),
    (b"[" * 100_000,                                   422, "invalid_body",   "#",  "Expected `object`, got `array`"),
    (b'"a.com"',                                       422, "invalid_body",   "#",  "Expected `object`, got `str`"),
    (b"{}",                                            422, "invalid_body",   "#/company_domain", "missing required"),
    (b'{"company_domain": null}',                      422, "invalid_body",   "#/company_domain", "got `null`"),
    (b'{"company_domain": 7}',                         422, "invalid_body",   "#/company_domain", "got `int`"),
    (b'{"company_domain": ["a.com"]}',                 422, "invalid_body",   "#/company_domain", "got `array`"),
    (b'{"company_domain": ' + b"[" * 100_000,          422, "invalid_body",   "#/company_domain", "got `array`"),
    (b'{"company_domain": "a.com", "x": 1}',           422, "invalid_body",   "#/x", "no field 'x' here; known: "),
    (b'{"a/b~c %": 1}',                                422, "invalid_body",   "#/a~1b~0c%20%25", "There is no field"),
    (b'{"' + b"x" * 9_000 + b'": 1}',                  422, "invalid_body",   "#/" + "x" * 500, "…"),
    (b'{"Company_Domain": "a.com"}',                   422, "invalid_body",   "#/Company_Domain", "Did you mean"),
    (b'{"company_domain": "localhost"}',               422, "invalid_domain", "#/company_domain", "private network"),
    (b'{"company_domain": ""}',                        422, "invalid_domain", "#/company_domain", "empty"),
    (b'{"company_domain": "a\\u0000.com"}',            422, "invalid_domain", "#/company_domain", "may hold"),
]
# fmt: on


@pytest.fixture
async def small(clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(Settings(max_body_bytes=200_000), clock=clock)) as client:
        yield client


async def test_an_invalid_body_gets_the_reason_and_the_place(
    small: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for body, status, code, pointer, detail in BAD_BODIES:
        with subtests.test(body=body[:60]):
            response = await small.post("/enrich", content=body)
            problem = response.json()

            assert response.status_code == problem["status"] == status
            assert response.headers["content-type"] == "application/problem+json"
            assert problem["code"] == code
            assert detail in problem["detail"]
            assert len(problem["detail"]) < 500
            assert problem["instance"] == "/enrich"
            assert problem["type"] == f"/docs#problem-{code}"
            assert problem["title"]
            assert problem["request_id"] == response.headers["x-request-id"]
            assert [fault["pointer"] for fault in problem.get("errors", ())] == ([pointer] if pointer else [])


async def test_refused_requests_start_no_job(clock: FakeClock) -> None:
    """Where a single job is as many as may be unfinished."""
    async with client_of(create_app(Settings(max_pending_jobs=1), clock=clock)) as client:
        for body, *_ in BAD_BODIES:
            assert (await client.post("/enrich", content=body)).is_client_error
        assert (await client.get("/ready")).status_code == 200


async def test_a_byte_order_mark_is_ignored(client: httpx.AsyncClient) -> None:
    assert (await client.post("/enrich", content=b'\xef\xbb\xbf{"company_domain": "a.com"}')).status_code == 202


async def test_a_compressed_body_is_415(client: httpx.AsyncClient) -> None:
    content = b'{"company_domain": "a.com"}'
    compressed = await client.post("/enrich", content=content, headers={"content-encoding": "gzip"})
    plain = await client.post("/enrich", content=content, headers={"content-encoding": "identity"})

    assert [compressed.status_code, compressed.json()["code"]] == [415, "unsupported_encoding"]
    assert compressed.headers["accept-encoding"] == "identity"
    assert plain.status_code == 202


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1_000):
        yield b" " * 1_000


async def test_a_too_large_body_is_413_with_and_without_content_length(small: httpx.AsyncClient) -> None:
    with_length = await small.post("/enrich", content=b" " * 200_001)
    without = await small.post("/enrich", content=chunks(201_000))
    just_fits = await small.post("/enrich", content=b'{"company_domain": "a.com"}'.ljust(200_000))

    for response in (with_length, without):
        assert response.status_code == 413
        assert response.json()["code"] == "body_too_large"
        assert "200000 bytes" in response.json()["detail"]
    assert just_fits.status_code == 202


async def test_a_too_large_content_length_is_refused_before_the_body_is_sent(clock: FakeClock) -> None:
    async with serving(create_app(Settings(), clock=clock)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /enrich HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n")
        answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"body_too_large"' in answer


async def test_an_unknown_path_is_404(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        for path in ("/", "/enrich/a/b", "/nope", "//health", "/docs/ü"):
            response = await client.get(path)
            assert response.status_code == 404
            assert response.json()["code"] == "not_found"
            assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["instance"] == "/docs/%C3%BC"


async def test_user_info_in_a_path_is_neither_repeated_nor_logged(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        for path in (
            "/nope/https%3A%2F%2Fjane%3Asecret%40a.com%2Fx",
            "/jane:secret@a.com",
            "/nope/https:%2F%2Fjane:secret%2Fx@a.com",
            "/jane@x:secret@a.com",
        ):
            response = await client.get(path)
            assert response.status_code == 404
            assert "a.com" in response.json()["instance"]
            assert "secret" not in response.text

    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("service", "enrichment"))]
    assert len(ours) >= 2
    assert not any("secret" in message for message in ours)


async def test_a_wrong_method_is_405_with_the_allowed_ones(client: httpx.AsyncClient) -> None:
    enrich = await client.get("/enrich")
    health = await client.delete("/health")

    assert [enrich.status_code, enrich.json()["code"], enrich.headers["allow"]] == [405, "method_not_allowed", "POST"]
    assert enrich.json()["detail"] == "GET is not possible at /enrich; possible: POST."
    assert [health.status_code, set(health.headers["allow"].split(", "))] == [405, {"GET", "HEAD"}]


async def test_a_disconnect_in_the_middle_of_a_body_is_not_logged(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody gets the answer to it, and thousands of clients may leave at once."""
    app = create_app(Settings(max_pending_jobs=1), clock=clock)
    caplog.set_level("INFO")
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
            connection.sendall(b"POST /enrich HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            await anyio.sleep(0.05)
        await anyio.sleep(0.05)
        assert (await client.get("/ready")).status_code == 200

    assert "incomplete_body" not in caplog.text


async def test_an_error_answer_is_logged_on_one_line_with_its_request_id(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await client.post("/enrich", content=b"{}", headers={"x-request-id": "req-1"})

    lines = [message for message in caplog.messages if "request_id=req-1" in message]
    assert lines == ["request refused request_id=req-1 method=POST path=/enrich status=422 code=invalid_body"]
