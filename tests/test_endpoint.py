"""
Rows of the route table, and everything else that a Starlette application may route.
"""

import inspect
from typing import Any, get_type_hints

import httpx
import pytest
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

import schemas
from enrichment.settings import Settings
from enrichment.web.auth import BearerAuth, Tokens
from enrichment.web.bodies import TableBody
from enrichment.web.boundary import App
from enrichment.web.endpoint import Access, Endpoint
from enrichment.web.streams import SSE
from service import ROUTES, create_app
from tests.conftest import FakeClock, client_of
from tests.contract import fits, route_of

TOKEN = {"authorization": "Bearer t"}
API = "/api/v1/enrich"
PARTS = {"domain": "a.com", "job_id": "1", "batch_id": "1", "file": "main.js"}


async def number(request: Request) -> Response:
    return JSONResponse({"type": type(request.path_params["n"]).__name__, "n": request.path_params["n"]})


async def broken(request: Request) -> Response:
    raise RuntimeError("secret inside")


class Things(HTTPEndpoint):
    """A class with a method for each HTTP method."""

    async def get(self, request: Request) -> Response:
        return PlainTextResponse("got")

    async def post(self, request: Request) -> Response:
        raise RuntimeError("secret inside")


class Stamped:
    """Middleware that adds a header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-stamp", b"yes"))
            await send(message)

        await self.app(scope, receive, stamped)


async def socket(websocket: WebSocket) -> None:
    await websocket.close()


def app_of(*routes: BaseRoute) -> App:
    """An application with these routes that takes the token `t`."""
    return App(routes, authorize=BearerAuth(Tokens(["t"]), is_configured=True))


STARLETTE = app_of(
    Route("/n/{n:int}", number),
    Route("/n/{n:float}", number),
    Route("/broken", broken),
    Route("/things", Things),
    Route("/stamped/{n:int}", number, middleware=[Middleware(Stamped)]),
    Mount("/mounted", routes=[Route("/{n:int}", number), Route("/broken", broken), Mount("/deep", app=Things)]),
    Mount("/response", app=PlainTextResponse("always")),
    WebSocketRoute("/socket", socket),
)


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/n/7", 200, '{"type":"int","n":7}'),
        ("GET", "/n/7.5", 200, '{"type":"float","n":7.5}'),
        ("GET", "/things", 200, "got"),
        ("HEAD", "/things", 200, ""),
        ("GET", "/stamped/1", 200, '{"type":"int","n":1}'),
        ("GET", "/mounted/3", 200, '{"type":"int","n":3}'),
        ("GET", "/mounted/deep/", 200, "got"),
        ("GET", "/response/", 200, "always"),
        ("GET", "/n/x", 404, "There is nothing at /n/x."),
        ("GET", "/mounted/x", 404, "There is nothing at /mounted/x."),
        ("GET", "/socket", 404, "There is nothing at /socket."),
        ("POST", "/n/7", 405, "POST is not possible at /n/7; possible:"),
        ("PUT", "/things", 405, "PUT is not possible at /things; possible: GET"),
        ("DELETE", "/mounted/3", 405, "DELETE is not possible at /mounted/3; possible:"),
        ("GET", "/broken", 500, "internal_error"),
        ("POST", "/things", 500, "internal_error"),
        ("GET", "/mounted/broken", 500, "internal_error"),
    ],
)
async def test_every_kind_of_route_works_and_takes_a_token(method: str, path: str, status: int, text: str) -> None:
    async with client_of(STARLETTE) as client:
        stranger = await client.request(method, path)
        answer = await client.request(method, path, headers=TOKEN)

    assert stranger.status_code == 401
    assert [answer.status_code, text in answer.text] == [status, True]
    assert "secret" not in answer.text
    assert answer.headers.get_list("x-request-id") == [answer.headers["x-request-id"]]
    assert ("x-stamp" in answer.headers) == path.startswith("/stamped")


async def test_a_response_that_is_sent_again_has_the_id_of_its_own_request_only() -> None:
    """A `Response` is an ASGI application, which sends the same list of headers every time."""
    async with client_of(STARLETTE) as client:
        for request_id in ("1", "2"):
            answer = await client.get("/response/", headers=TOKEN | {"x-request-id": request_id})
            assert answer.headers.get_list("x-request-id") == [request_id]


async def test_an_unknown_path_takes_a_token_too() -> None:
    """A stranger learns nothing about which paths there are."""
    for settings in (Settings(), Settings(api_tokens=("t",))):
        async with client_of(create_app(settings)) as client:
            for path in ("/nope", "/", f"{API}/a.com/nope", "/api/v1/nope", "/enrich/a/b"):
                assert (await client.get(path)).status_code == 401


async def test_only_what_its_row_says_is_open(clock: FakeClock) -> None:
    for settings, is_open in [
        (Settings(), {Access.OPEN, Access.OPEN_WITHOUT_TOKENS}),
        (Settings(api_tokens=("t",)), {Access.OPEN}),
    ]:
        async with client_of(create_app(settings, clock=clock)) as client:
            for route in ROUTES:
                for method in route.methods or ():
                    response = await client.request(method, route.path.format_map(PARTS))
                    assert (response.status_code != 401) == (route.access in is_open)


# The rows


def test_a_row_that_does_not_say_who_may_call_it_takes_a_token() -> None:
    assert Endpoint("GET", "/x", number, gives={}).access is Access.TOKEN
    assert {route.path for route in ROUTES if route.access is Access.OPEN} == {
        "/health",
        "/ready",
        "/openapi.json",
        "/llms.txt",
        "/docs",
        "/docs/{file}",
    }
    assert {route.path for route in ROUTES if route.access is Access.OPEN_WITHOUT_TOKENS} == {
        "/enrich",
        "/enrich/{job_id}",
    }


def test_every_row_says_what_its_handler_takes_and_returns() -> None:
    """A request first, then the query and the body that the row has, of the same types."""
    for route in ROUTES:
        hints = get_type_hints(route.endpoint)
        expected: dict[str, Any] = {"request": Request}
        if route.query is not schemas.Query:
            expected["query"] = route.query
        if route.body is not None:
            expected["body"] = route.body | TableBody if route.body_as else route.body
        assert hints == {**expected, "return": Response}, route.path
        assert list(inspect.signature(route.endpoint).parameters) == list(expected), route.path
        assert inspect.getdoc(route.endpoint), route.path


def test_no_row_stands_in_the_way_of_a_later_one() -> None:
    for route in ROUTES:
        path = route.path.format_map(PARTS)
        (method,) = (route.methods or set()) - {"HEAD"}
        assert route_of(method, httpx.URL(path)) is route


async def test_every_row_answers_with_the_shape_that_it_gives(clock: FakeClock) -> None:
    """`client_of` checks the shapes; here every row and status is reached."""
    seen: set[tuple[str, str, int]] = set()

    async def note(response: httpx.Response) -> None:
        route = route_of(response.request.method, response.request.url)
        assert route
        seen.add((response.request.method, route.path, response.status_code))

    async with client_of(create_app(Settings(auth="off", max_running_jobs=1), clock=clock)) as client:
        client.event_hooks["response"].append(note)
        lookup = (await client.post("/enrich", json={"company_domain": "a.com"})).headers["location"]
        batch = (await client.post(f"{API}/batch", json={"domains": ["b.com", "x"]})).headers["location"]
        for _ in range(3):
            await client.post(f"{API}/a.com", json={"waves": [1]})
        await client.post(f"{API}/a.com/cancel")
        for _ in range(3):
            for path in (
                lookup,
                batch,
                f"{batch}/results",
                API,
                f"{API}/a.com/status",
                f"{API}/a.com/results",
                f"{API}/a.com/cache",
            ):
                await client.get(path)
            await clock.advance(20)
        await client.post(f"{API}/a.com/retry", json={"failed_modules_only": False})
        await client.post(f"{API}/a.com", json={"dry_run": True})
        await client.post(f"{API}/batch", json={"domains": ["a.com"], "dry_run": True})
        brief = {"website_url": "a.com", "icp": "Banks in France"}
        for prefix in ("", "/api/v1"):
            path = f"{prefix}/campaigns/enrichment"
            await client.post(path, json=brief)
            await client.get(path, params=brief)
            ended = {"last-event-id": "99", "accept": SSE}
            await client.post(path, json=brief, headers=ended)
            await client.get(path, params=brief, headers=ended)
        await client.get("/openapi.json")
        await client.get("/llms.txt")
        for path in ("/docs", "/docs/main.js"):
            await client.get(path)
            await client.get(path, headers={"if-none-match": "*"})
        await client.get("/api/v1/sources")
        await client.get("/health")
        await client.get("/ready")

    expected = {
        (method, route.path, status)
        for route in ROUTES
        for method in (route.methods or set()) - {"HEAD"}
        for status in route.gives
    }
    assert expected - seen == set()


def test_an_answer_with_a_field_more_or_less_than_its_shape_is_found() -> None:
    assert fits(b'{"job_id":"1","status":"pending"}', schemas.PendingJob | schemas.FailedJob)
    assert fits(b'{"job_id":"1","status":"failed","error":"x"}', schemas.PendingJob | schemas.FailedJob)
    for content in (b'{"job_id":"1","status":"pending","x":1}', b'{"job_id":1,"status":"pending"}', b"{}"):
        assert not fits(content, schemas.PendingJob)


async def test_a_trailing_slash_makes_no_difference(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        started = await client.post(f"{API}/a.com/")
        assert [started.status_code, started.json()["domain"]] == [202, "a.com"]
        assert (await client.post("/enrich/", json={"company_domain": "a.com"})).status_code == 202
        for path in ("/health/", f"{API}/", f"{API}/a.com/status/", f"{API}/a.com/cache/"):
            with_slash, without = await client.get(path), await client.get(path[:-1])
            assert with_slash.status_code == without.status_code == 200
            assert with_slash.json() == without.json()
        assert (await client.get("/health//")).status_code == 404


async def test_a_wrong_method_gets_all_methods_of_the_path(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        for method, path, allowed in [
            ("GET", "/enrich", "POST"),
            ("DELETE", "/health", "GET, HEAD"),
            ("DELETE", "/campaigns/enrichment", "GET, HEAD, POST"),
            ("PUT", "/campaigns/enrichment/", "GET, HEAD, POST"),
            ("GET", f"{API}/a.com", "POST"),
            ("POST", f"{API}/a.com/status", "GET, HEAD"),
            ("OPTIONS", f"{API}/batch/b", "GET, HEAD"),
        ]:
            answer = await client.request(method, path)
            assert [answer.status_code, answer.headers["allow"]] == [405, allowed]
            assert answer.json()["detail"] == f"{method} is not possible at {path}; possible: {allowed}."


@pytest.mark.parametrize("path", ["/health", f"{API}/a.com/cache", "/enrich/x", f"{API}/a.com/cancel"])
async def test_a_body_where_none_is_taken_is_422(clock: FakeClock, path: str) -> None:
    method = "POST" if path.endswith("cancel") else "GET"
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        for content in (b'{"a":1}', b"[]", b"x"):
            refused = await client.request(method, path, content=content)
            assert [refused.status_code, refused.json()["code"]] == [422, "invalid_body"]
            assert refused.json()["errors"][0]["pointer"] == "#"
            assert "No body is taken here" in refused.json()["detail"]
        for content in (b"", b" ", b"null", b"{}"):
            assert (await client.request(method, path, content=content)).status_code in (200, 404)


async def test_a_parameter_where_none_is_taken_is_422(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        for path, known in [("/health", "none"), (f"{API}/a.com/status", "job_id")]:
            refused = await client.get(path, params={"jobid": "1"})
            assert [refused.status_code, refused.json()["code"]] == [422, "invalid_query"]
            assert [fault["parameter"] for fault in refused.json()["errors"]] == ["jobid"]
            assert f"known: {known}." in refused.json()["detail"]
        assert (await client.get("/health?")).status_code == 200


async def test_a_url_in_the_path_names_its_domain_if_it_is_encoded(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        encoded = await client.post(f"{API}/https%3A%2F%2Fwww.acme.com%2Fabout")
        status = await client.get(f"{API}/https%3A%2F%2Fwww.acme.com%2Fabout/status")
        slip = await client.post(f"{API}/https://costco.com/cancle")
        listed = await client.get(API)

    assert [encoded.status_code, encoded.json()["domain"]] == [202, "acme.com"]
    assert status.json()["job_id"] == encoded.json()["job_id"]
    assert slip.status_code == 404
    assert [job["domain"] for job in listed.json()["jobs"]] == ["acme.com"]


async def test_large_answers_are_compressed_for_those_who_accept_it_and_streams_never(clock: FakeClock) -> None:
    blueprint = {"website_url": "a.com", "icp": "Banks in France"}
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        started = await client.post(f"{API}/a.com")
        status = f"{API}/a.com/status"
        encodings = [
            answer.headers.get("content-encoding")
            for answer in (
                started,
                await client.get(status),
                await client.get(status, headers={"accept-encoding": "identity"}),
                await client.post("/campaigns/enrichment", json=blueprint),
                await client.post("/campaigns/enrichment", json={**blueprint, "stream": True}),
                await client.get("/health"),
            )
        ]

    assert encodings == [None, "gzip", None, "gzip", None, None]


async def test_an_encoded_slash_never_separates_the_domain_from_the_rest(clock: FakeClock) -> None:
    """The page `/cancel` of a company's website is not the route that cancels its job."""
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        started = await client.post(f"{API}/https%3A%2F%2Fwww.acme.com%2Fcancel")
        status = await client.get(f"{API}/https%3A%2F%2Fwww.acme.com%2Fcancel/status")

    assert [started.status_code, started.json()["domain"]] == [202, "acme.com"]
    assert status.json()["job_id"] == started.json()["job_id"]
