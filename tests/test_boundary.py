"""
The outermost layer: ids of requests, unexpected errors, and connections that several requests share.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.background import BackgroundTask
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from enrichment.settings import Settings
from enrichment.web.boundary import App
from enrichment.web.endpoint import Access
from service import create_app
from tests.conftest import FakeClock, client_of, serving


def fail() -> None:
    raise RuntimeError("secret inside")


async def boom(request: Request) -> Response:
    fail()
    raise AssertionError


async def boom_afterwards(request: Request) -> Response:
    return PlainTextResponse("fine", background=BackgroundTask(fail))


async def boom_midway(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        yield "half of"
        fail()

    return StreamingResponse(body())


async def slow(request: Request) -> Response:
    await asyncio.sleep(0.05)
    return PlainTextResponse("slow but fine")


def open_to_all(scope: Scope, access: Access) -> None:
    """Authorize every request."""


def faulty_app() -> App:
    endpoints = (boom, boom_afterwards, boom_midway, slow)
    return App([Route("/" + endpoint.__name__, endpoint) for endpoint in endpoints], authorize=open_to_all)


async def test_a_request_keeps_its_own_id_if_that_is_fit_for_a_header_and_a_log_line(client: httpx.AsyncClient) -> None:
    for sane in ("req-1", "0af7651916cd43dd8448eb211c80319c", "a" * 128, "A+b/c=.~:@_"):
        assert (await client.get("/health", headers={"x-request-id": sane})).headers["x-request-id"] == sane


async def test_any_other_id_is_replaced_by_a_new_one(client: httpx.AsyncClient) -> None:
    seen = set()
    for odd in ("", "a" * 129, "a b", "a;b", "ü", "<script>"):
        headers = {b"x-request-id": odd.encode()}
        response = await client.get("/nope", headers=headers)
        request_id = response.headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", request_id)
        assert response.json()["request_id"] == request_id
        seen.add(request_id)

    assert len(seen) == 6


async def test_an_unexpected_exception_is_a_500_that_reveals_nothing_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client_of(faulty_app()) as client:
        response = await client.get("/boom", headers={"x-request-id": "req-1"})

    assert response.status_code == 500
    assert response.json() == {
        "type": "/docs#problem-internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": "An unexpected error occurred. The service's log has the details under this request_id.",
        "instance": "/boom",
        "code": "internal_error",
        "request_id": "req-1",
    }
    assert "request failed request_id=req-1 method=GET path=/boom status=500" in caplog.text
    assert caplog.text.count("Traceback") == 1
    assert "RuntimeError: secret inside" in caplog.text


@pytest.mark.parametrize("path", ["/boom", "/boom_afterwards"])
async def test_an_exception_does_not_break_the_next_request_on_the_same_connection(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Two requests in one write; without the boundary, the second has been seen to end with a reset."""
    async with serving(faulty_app()) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = await asyncio.wait_for(reader.readuntil(b"slow but fine"), 5)
        writer.close()
        await writer.wait_closed()

    assert received.count(b"HTTP/1.1 ") == 2
    assert caplog.text.count("Traceback") == 1


async def test_a_response_that_fails_midway_is_cut_so_that_it_is_not_taken_for_complete() -> None:
    async with client_of(faulty_app()) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/boom_midway")


async def test_a_host_can_add_middleware_and_mounts() -> None:
    app = faulty_app()
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    app.mount("/more", PlainTextResponse("more"))
    async with client_of(app) as client:
        failed = await client.get("/boom", headers={"origin": "https://a.example"})
        mounted = await client.get("/more/")

    assert failed.status_code == 500
    assert failed.headers["access-control-allow-origin"] == "*"
    assert mounted.text == "more"


async def test_a_websocket_is_closed_with_and_without_tokens() -> None:
    seen: list[Message] = []

    async def send(message: Message) -> None:
        seen.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    app = create_app(Settings(api_tokens=("t",)))
    await app({"type": "websocket", "path": "/enrich", "headers": []}, receive, send)
    off = create_app(Settings(auth="off"))
    await off({"type": "websocket", "path": "/enrich", "headers": []}, receive, send)

    assert [message["type"] for message in seen] == ["websocket.close"] * 2


POST: Scope = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "method": "POST",
    "path": "/enrich",
    "headers": [],
    "query_string": b"",
}


async def whole_body() -> Message:
    return {"type": "http.request", "body": b'{"company_domain": "a.com"}', "more_body": False}


async def test_all_requests_of_a_turn_are_worked_on_before_the_first_is_answered() -> None:
    seen: list[str] = []

    async def work(request: Request) -> Response:
        seen.append("worked on")
        return PlainTextResponse()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.append("answered")

    app = App([Route("/enrich", work, methods=["POST"])], authorize=open_to_all)
    await asyncio.gather(app({**POST}, whole_body, send), app({**POST}, whole_body, send))

    assert seen == ["worked on", "worked on", "answered", "answered"]


def completed(caplog: pytest.LogCaptureFixture) -> int:
    return sum(message.startswith("job completed") for message in caplog.messages)


@pytest.mark.parametrize("error", [OSError("gone"), asyncio.CancelledError()])
async def test_a_job_whose_202_cannot_be_sent_runs_all_the_same(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """It has been accepted, and would stay pending. Servers of ASGI 2.4 and later raise from `send`."""
    app = create_app(Settings(), clock=clock)
    caplog.set_level("INFO")

    async def send(message: Message) -> None:
        raise error

    with pytest.raises((Exception, asyncio.CancelledError)):
        await app({**POST}, whole_body, send)
    await clock.advance(15)

    assert completed(caplog) == 1


async def test_a_job_whose_request_is_cancelled_before_its_202_runs_all_the_same(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(Settings(), clock=clock)
    caplog.set_level("INFO")
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    request = asyncio.create_task(app({**POST}, whole_body, send))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await clock.advance(15)

    assert sent == []
    assert completed(caplog) == 1
