"""
The limits of `enrichment.web.server` on connections, heads and the client's time.
"""

import asyncio
import contextlib
import errno
import json
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from enrichment.web.connections import MAX_BLOCKED_BYTES, plan_descriptors
from enrichment.web.server import MAX_HEAD_BYTES, LimitedProtocol
from tests.benchmarks.connections import FIRST, health_ms, holding
from tests.conftest import PromptServer, procfile, server_process, serving

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
WAIT = HEALTH.replace(b"health", b"wait")
LARGE = HEALTH.replace(b"health", b"large")
POST = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
LARGE_BYTES = 400_000
PROCFILE = procfile("web")


class App:
    """An application that answers `/wait` once `go_on` is set, `/echo` with the body, and `/early` without it."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.is_disconnected = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        content = b"ok"
        match scope["path"]:
            case "/echo":
                content = await self._body(receive)
            case "/leave":
                await self._body(receive)
                await self._body(receive)
            case "/wait":
                await self.go_on.wait()
            case "/large":
                content = b"x" * LARGE_BYTES
        headers = [(b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _body(self, receive: Receive) -> bytes:
        body = b""
        while not self.is_disconnected:
            message = await receive()
            self.is_disconnected = message["type"] == "http.disconnect"
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        return body


class Client:
    """A connection of which nothing is read before it is asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._received = b""

    async def send(self, data: bytes) -> None:
        """Send, as long as the server takes it."""
        with contextlib.suppress(ConnectionError):
            await self._loop.sock_sendall(self._connection, data)

    async def receive(self) -> bytes:
        """Receive what is there, or wait for it; nothing if the connection is closed."""
        async with asyncio.timeout(5):
            try:
                return await self._loop.sock_recv(self._connection, 65_536)
            except ConnectionError:
                return b""

    async def response(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next response."""
        while b"\r\n\r\n" not in self._received:
            await self._receive_more()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
        while len(self._received) < length:
            await self._receive_more()
        body, self._received = self._received[:length], self._received[length:]
        return int(status.split()[1]), headers, body

    async def _receive_more(self) -> None:
        received = await self.receive()
        assert received, "the connection is closed"
        self._received += received

    async def problem(self) -> tuple[int, str]:
        """Status and code of an answer of the server's own, which is the last on the connection."""
        status, headers, body = await self.response()
        problem = json.loads(body)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert problem["request_id"] == headers["x-request-id"]
        assert problem["status"] == status
        assert await self.rest() == b""
        return status, problem["code"]

    async def rest(self) -> bytes:
        """All that comes before the server closes the connection."""
        while received := await self.receive():
            self._received += received
        return self._received


@pytest.fixture
async def app() -> App:
    return App()


@contextlib.asynccontextmanager
async def limited(app: App, **options: Any) -> AsyncIterator[int]:
    """The app behind the protocol; gives the port."""
    async with serving(app, http=LimitedProtocol, **{"backlog": 1, **options}) as url:
        yield int(url.rpartition(":")[2])


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """A client with as small a window as there is."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(0)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        yield Client(connection)


@contextlib.asynccontextmanager
async def all_connected(port: int, count: int) -> AsyncIterator[list[Client]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connected(port)) for _ in range(count)]


async def eventually(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await asyncio.sleep(0.005)


# Ordinary requests


async def test_a_connection_is_kept_for_requests_of_every_kind(app: App) -> None:
    async with limited(app) as port, connected(port) as client:
        for method in ("GET", "HEAD"):
            await client.send(HEALTH.replace(b"GET", method.encode()))
            assert (await client.response(method))[0] == 200
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await client.send(b"2\r\nde\r\n0\r\nTrailer: x\r\n\r\n")
        assert (await client.response())[2] == b"abcde"
        await client.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert (await client.response())[0] == 100
        await client.send(b"abc")
        assert (await client.response())[2] == b"abc"
        await client.send(POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000)
        assert (await client.response())[2] == b"x" * 100_000
        await client.send(b"GET /health HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")
        assert (await client.response())[0] == 200
        await client.send(b"GET /health HTTP/1.0\r\n\r\n")
        assert (await client.response())[1]["connection"] == "close"
        assert await client.rest() == b""


async def test_pipelined_requests_are_answered_in_order_however_many_they_are(app: App) -> None:
    async with limited(app) as port, connected(port) as client:
        requests = b"".join(POST + b"Content-Length: 4\r\n\r\n%4d" % number for number in range(1_000))
        sending = asyncio.create_task(client.send(requests + HEALTH))
        answers = [(await client.response())[2] for _ in range(1_001)]
        await sending

    assert answers == [*(b"%4d" % number for number in range(1_000)), b"ok"]


async def test_a_large_body_behind_other_requests_is_read_in_its_turn(app: App) -> None:
    body = b"x" * 300_000
    async with limited(app) as port, connected(port) as client:
        request = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
        sending = asyncio.create_task(client.send(WAIT + HEALTH + request + HEALTH))
        await asyncio.sleep(0.05)
        app.go_on.set()

        assert [(await client.response())[2] for _ in range(4)] == [b"ok", b"ok", body, b"ok"]
        await sending


async def test_a_request_learns_that_its_client_has_left_with_others_waiting(app: App) -> None:
    async with limited(app) as port:
        async with connected(port) as client:
            await client.send(HEALTH + b"GET /leave HTTP/1.1\r\n\r\n" + HEALTH)
            await client.response()
        await eventually(lambda: app.is_disconnected)
        async with connected(port) as client:
            await client.send(HEALTH)
            assert (await client.response())[0] == 200


async def test_it_serves_a_unix_socket(app: App, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    server = PromptServer(app, uds=path, http=LimitedProtocol)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.settimeout(0)
        client = Client(connection)
        await client.send(HEALTH)
        assert (await client.response())[0] == 200
    server.should_exit = True
    server.is_to_end.set()
    await task


# The size of a head


@pytest.mark.parametrize(
    "request_",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\nzz\r\n",
    ],
)
async def test_what_is_not_http_is_a_400(app: App, request_: bytes) -> None:
    async with limited(app) as port, connected(port) as client:
        await client.send(request_)

        assert await client.problem() == (400, "malformed_request")


async def test_requests_before_a_malformed_one_are_answered(app: App) -> None:
    """The last answer says that the connection is closed, so that no client waits for another."""
    async with limited(app) as port, connected(port) as client:
        await client.send(WAIT + HEALTH + b"GARBAGE\r\n\r\n")
        await asyncio.sleep(0.05)
        await client.send(HEALTH)
        app.go_on.set()
        first, second = await client.response(), await client.response()

        assert [first[0], second[0]] == [200, 200]
        assert ["connection" in first[1], second[1]["connection"]] == [False, "close"]
        assert await client.rest() == b""


async def test_a_malformed_body_behind_a_request_under_way_closes_the_connection(app: App) -> None:
    async with limited(app) as port:
        async with connected(port) as client:
            await client.send(WAIT + POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")

            assert await client.rest() == b""
        app.go_on.set()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nX: " + b"x" * 40_000,
        b"GET /health HTTP/1.1\r\n" + b"a:\r\n" * 102,
        b"GET /health HTTP/1.1\r\n" + b"a:\r\n" * 102 + b"\r\n",
        b"GET /" + b"x" * 40_000,
        b"\r\n" * 20_000,
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"a:\r\n" * 102,
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: " + b"x" * 40_000,
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 40_000,
    ],
)
async def test_a_head_that_is_too_large_is_a_431(app: App, head: bytes) -> None:
    """Before it is complete; trailers and the extensions of chunks are limited like it."""
    async with limited(app) as port, connected(port) as client:
        await client.send(head)

        assert await client.problem() == (431, "head_too_large")


async def test_a_target_that_is_too_long_is_a_414(app: App) -> None:
    async with limited(app) as port, connected(port) as client:
        await client.send(b"GET /health?" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n")

        assert await client.problem() == (414, "target_too_long")


async def test_a_head_just_below_the_limits_is_taken(app: App) -> None:
    fields = b"".join(b"X-%04d: %s\r\n" % (number, b"x" * 300) for number in range(100))
    async with limited(app) as port, connected(port) as client:
        await client.send(b"GET /" + b"x" * 1_000 + b" HTTP/1.1\r\n" + fields + b"\r\n")

        assert (await client.response())[0] == 200
    assert 0.9 * MAX_HEAD_BYTES < len(fields) < MAX_HEAD_BYTES - 1_000


# The client's time


async def test_a_client_that_sends_nothing_is_closed_without_an_answer(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.2")
    async with limited(app) as port, connected(port) as client:
        assert await client.rest() == b""


@pytest.mark.parametrize("begin", [b"GET /health HTTP/1.1\r\nX:", POST + b"Content-Length: 1000\r\n\r\n"])
async def test_a_request_that_is_not_complete_in_time_is_a_408(
    app: App, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    """A byte now and then makes no difference."""
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.3")
    async with limited(app) as port, connected(port) as client:
        begun = time.monotonic()
        await client.send(begin)
        answer = asyncio.create_task(client.problem())
        while not answer.done():
            await client.send(b"x")
            await asyncio.sleep(0.02)

        assert await answer == (408, "request_timeout")
        assert 0.25 < time.monotonic() - begun < 2
    assert app.is_disconnected == begin.startswith(b"POST")


async def test_a_body_that_has_been_answered_early_gets_no_second_answer(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.2")
    async with limited(app) as port, connected(port) as client:
        await client.send(b"POST /early HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")

        assert (await client.response())[0] == 200
        assert await client.rest() == b""


async def test_a_connection_is_kept_as_long_as_the_servers_keep_alive_says(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.1")
    async with limited(app, timeout_keep_alive=1) as port, connected(port) as client:
        await client.send(HEALTH)
        await client.response()
        await asyncio.sleep(0.5)
        await client.send(HEALTH)

        assert (await client.response())[0] == 200
        assert await client.rest() == b""


async def test_the_second_request_has_as_much_time_as_the_first(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.3")
    async with limited(app) as port, connected(port) as client:
        await client.send(HEALTH)
        await client.response()
        await asyncio.sleep(0.2)
        await client.send(HEALTH[:10])
        await asyncio.sleep(0.2)
        await client.send(HEALTH[10:20])

        assert (await client.problem())[0] == 408


async def test_an_answer_may_take_longer_than_the_client(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.1")
    async with limited(app) as port, connected(port) as client:
        await client.send(WAIT + HEALTH)
        await asyncio.sleep(0.4)
        app.go_on.set()

        assert [(await client.response())[0] for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("requests", [LARGE, LARGE * 3, LARGE.replace(b"1.1", b"1.0")])
async def test_a_client_that_does_not_read_is_closed(
    app: App, monkeypatch: pytest.MonkeyPatch, requests: bytes
) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.2")
    async with limited(app) as port, connected(port) as client:
        await client.send(requests)
        await asyncio.sleep(0.6)

        assert 0 < len(await client.rest()) < LARGE_BYTES


async def test_a_client_that_reads_slowly_is_served(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte that it takes gives it its time again."""
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.3")
    async with limited(app) as port, connected(port) as client:
        await client.send(LARGE.replace(b"1.1", b"1.0"))
        received = 0
        for _ in range(10):
            received += len(await client.receive())
            await asyncio.sleep(0.1)

        assert received + len(await client.rest()) > LARGE_BYTES


async def test_the_memory_of_answers_that_nobody_reads_is_limited(app: App) -> None:
    """Those who have not read longest are closed, long before their time is over."""
    count = 2 * MAX_BLOCKED_BYTES // LARGE_BYTES
    async with limited(app) as port, all_connected(port, count) as clients:
        for client in clients:
            await client.send(LARGE)
            await asyncio.sleep(0.01)
        received = [len(await client.rest()) for client in clients[:2]]
        _, _, body = await clients[-1].response()

    assert max(received) < LARGE_BYTES
    assert len(body) == LARGE_BYTES


# The number of connections


async def test_a_connection_too_many_closes_the_one_that_has_waited_longest(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_CONNECTIONS", "4")
    async with limited(app) as port, all_connected(port, 4) as (slow, silent, active, idle):
        await slow.send(HEALTH[:10])
        for client in (active, idle):
            await client.send(HEALTH)
            await client.response()
        async with all_connected(port, 2) as newcomers:
            assert await slow.problem() == (503, "too_many_connections")
            assert await silent.rest() == b""
            for client in (active, *newcomers):
                await client.send(HEALTH)
                assert (await client.response())[0] == 200
            async with connected(port):
                assert await idle.rest() == b""  # an answer would be taken for that to its next request
            await active.send(HEALTH)
            assert (await active.response())[0] == 200


async def test_requests_under_way_are_never_closed_and_leave_room_for_health(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_CONNECTIONS", "10")
    max_busy = 7  # the other three are for new connections, until their requests have been read
    async with limited(app) as port, all_connected(port, max_busy) as busy:
        for client in busy:
            await client.send(WAIT)
        async with all_connected(port, 5) as newcomers:
            for client in newcomers[2:]:
                await client.send(WAIT)
            refused = [await client.response() for client in newcomers[2:]]
        async with connected(port) as client:
            await client.send(HEALTH)
            assert (await client.response())[0] == 200
        app.go_on.set()
        answers = [(await client.response())[0] for client in busy]
        await asyncio.sleep(0.1)
        async with connected(port) as client:
            await client.send(WAIT)
            assert (await client.response())[0] == 200
    assert answers == [200] * max_busy
    assert {(status, headers["retry-after"]) for status, headers, _ in refused} == {(503, "1")}


async def test_requests_that_wait_for_their_clients_keep_no_other_from_being_started(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_CONNECTIONS", "10")
    async with limited(app) as port, all_connected(port, 9) as slow:
        for client in slow:
            await client.send(POST + b"Content-Length: 1000\r\n\r\n")
        await asyncio.sleep(0.1)
        async with connected(port) as client:
            for _ in range(20):
                await client.send(POST + b"Content-Length: 1\r\n\r\nx")
                assert (await client.response())[0] == 200
                await asyncio.sleep(0.01)


async def test_while_connections_are_scarce_idle_ones_are_kept_no_longer_than_others(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_CONNECTIONS", "2")
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.3")
    async with limited(app, timeout_keep_alive=60) as port, all_connected(port, 3) as (_, _, client):
        await client.send(HEALTH)
        assert (await client.response())[0] == 200
        assert await client.rest() == b""


async def test_what_is_closed_is_logged_once_a_second_as_counts(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.1")
    caplog.set_level("INFO")
    async with limited(app) as port:
        begun = time.monotonic()
        while time.monotonic() < begun + 1.5:
            async with connected(port) as client:
                await client.send(b"GARBAGE\r\n\r\n")
                await client.rest()

    first, second = [message for message in caplog.messages if "closed" in message]
    assert first.startswith("connections closed malformed_request=")
    assert int(second.split("malformed_request=")[1].split()[0]) > 10
    assert len(caplog.messages) < 10


async def test_errors_of_accepting_are_counted_and_others_logged(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As asyncio reports them; the process's own limit is not to be reached in a test."""
    monkeypatch.setenv("CLIENT_TIMEOUT_SECONDS", "0.1")
    caplog.set_level("INFO")
    loop = asyncio.get_running_loop()
    message = "socket.accept() out of system resource"
    contexts: list[dict[str, Any]] = []
    for handler in (None, lambda _, context: contexts.append(context)):
        loop.set_exception_handler(handler)
        async with limited(app) as port, connected(port) as client:
            await client.send(HEALTH)
            await client.response()
            for _ in range(200):
                loop.call_exception_handler({"message": message, "exception": OSError(errno.EMFILE, "")})
            loop.call_exception_handler({"message": "another", "exception": OSError(errno.EMFILE, "")})
            await eventually(lambda: "not_accepted=200" in caplog.text)
    loop.set_exception_handler(None)

    assert caplog.text.count("another") == 1
    assert [context["message"] for context in contexts] == ["another"]
    assert message not in caplog.text


@pytest.mark.parametrize(
    ("limit", "hard", "plan"),
    [
        (1_024, 1_024, (1_024, 864)),
        (1_024, 524_288, (2_160, 2_000)),
        (1_024, resource.RLIM_INFINITY, (2_160, 2_000)),
        (20_000, 20_000, (20_000, 2_000)),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, (resource.RLIM_INFINITY, 2_000)),
        (256, 256, (256, 128)),
    ],
)
def test_the_limit_of_descriptors_is_raised_as_far_as_needed(limit: int, hard: int, plan: tuple[int, int]) -> None:
    """1,024 is the soft limit nearly everywhere; with less than a reserve, half of it is for connections."""
    assert plan_descriptors(limit, hard, max_connections=2_000, backlog=32) == plan


def test_a_process_of_few_descriptors_outlives_clients_that_hold_connections(tmp_path: Path) -> None:
    """A small version of `tests.benchmarks.connections`: every look at /health is answered, and nobody stays."""
    environ = {"CLIENT_TIMEOUT_SECONDS": "0.5", "API_TOKENS": "demo", "SIMULATED_MODULE_SECONDS": "0"}
    with server_process(f"sh -c 'ulimit -n 512; exec {PROCFILE}'", tmp_path, **environ) as server:
        server.wait_until_healthy()
        port = int(server.url.rpartition(":")[2])
        begun = time.monotonic()
        descriptors = Path(f"/proc/{server.process.pid}/fd")
        at_rest = len(list(descriptors.iterdir()))
        for kind in FIRST:
            with holding(kind, port, clients=600, rate=2_000):
                for _ in range(20):
                    assert health_ms(port) is not None, kind
                    time.sleep(0.05)
                deadline = time.monotonic() + 5
                while len(list(descriptors.iterdir())) > at_rest and time.monotonic() < deadline:
                    time.sleep(0.05)
                assert len(list(descriptors.iterdir())) <= at_rest, kind
        seconds = time.monotonic() - begun
        log = server.log

    assert 5 <= log.count("connections closed") <= seconds + 1
    assert "Traceback" not in log
