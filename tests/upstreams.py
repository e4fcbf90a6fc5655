"""
Outside services on loopback, each of which answers as its scenario says.
"""

import asyncio
import functools
import json
import socket
import ssl
import struct
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpcore2
import pytest
import trustme

from enrichment.clock import Clock
from enrichment.sources.guard import Dns
from enrichment.sources.http import Client

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("company.example")
"Of company.example, signed by itself, with its key; for `SSL_CERT_FILE`, too."


class Received(NamedTuple):
    """A request as it arrived; the names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What a service answers."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}

    def encode(self, *, length: int | None = None) -> bytes:
        """The response on the wire, with a `Content-Length` of its own if given."""
        lines = [f"HTTP/1.1 {self.status} Status", f"content-length: {len(self.body) if length is None else length}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


Answer = Callable[[Received], Reply]

HTML = Reply(b"<!doctype html><title>Maintenance</title>", headers={"content-type": "text/html"})
IN_A_SECOND = {"retry-after": "1"}


@functools.cache
def gzip_bomb(mebibytes: int = 100) -> bytes:
    """That many MiB of blanks, compressed a thousandfold."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 1_048_576) for _ in range(mebibytes)) + packer.flush()


def _with_leaves(reply: Reply, change: Callable[[Any], Any]) -> Reply:
    """The reply with every value of its JSON changed that is neither an object nor an array."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed(inner) for name, inner in value.items()}
        return [changed(inner) for inner in value] if isinstance(value, list) else change(value)

    return reply._replace(body=json.dumps(changed(json.loads(reply.body))).encode())


FIXED: Mapping[str, Reply] = {
    "html": HTML,
    "unauthorized": Reply(b'{"error":"no"}', 401),
    "forbidden": HTML._replace(status=403),
    "unknown": Reply(b'{"error":"unknown"}', 404),
    "rate_limited": Reply(b"Too many", 429, {}),
    "rate_limited_for_1_second": Reply(b"Too many", 429, IN_A_SECOND),
    "rate_limited_for_1_day": Reply(b"Too many", 429, {"retry-after": "86400"}),
    "broken": Reply(b"{}", 500),
    "unavailable": HTML._replace(status=503),
    "unavailable_for_1_second": Reply(b"", 503, IN_A_SECOND),
    "redirect_loop": Reply(b"", 302, {"location": "/again"}),
}
"Scenarios in which every service answers the same."

CHANGED: Mapping[str, Callable[[Reply], Reply]] = {
    "success": lambda reply: reply,
    "empty": lambda reply: reply._replace(body=b""),
    "nothing": lambda reply: reply._replace(body=b"{}"),
    "nulls": lambda reply: _with_leaves(reply, lambda _: None),
    "wrong_types": lambda reply: _with_leaves(reply, lambda leaf: 7 if isinstance(leaf, str) else "seven"),
    "truncated_json": lambda reply: reply._replace(body=reply.body[: len(reply.body) // 2]),
    "gzip_bomb": lambda reply: reply._replace(body=gzip_bomb(), headers={"content-encoding": "gzip"}),
    "not_gzip": lambda reply: reply._replace(headers={"content-encoding": "gzip"}),
}
"Scenarios made from the right answer. Those below the level of HTTP are methods of `StubUpstream`: `hang` and so on."


class StubUpstream:
    """
    A running service, which answers what `answer` makes of a request, changed by the scenario.

    `scenario` may be changed at any time; `script` has the scenarios of the next requests. An answer takes `delay`
    seconds.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.scenario = "success"
        self.delay: Callable[[], float] = lambda: 0.0
        self.script: deque[str] = deque()
        self.received: list[Received] = []
        self.connections = 0
        self.url = ""
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def wait_for(self, requests: int) -> None:
        """Wait until so many requests have arrived."""
        while len(self.received) < requests:
            await asyncio.sleep(0.001)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        task = asyncio.current_task()
        assert task
        self.connections += 1
        self._open[task] = writer
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._answer(await _receive(reader), writer)
        finally:
            del self._open[task]
            writer.close()

    async def close(self) -> None:
        """Break off what is still open."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _answer(self, received: Received, writer: asyncio.StreamWriter) -> None:
        self.received.append(received)
        scenario = self.script.popleft() if self.script else self.scenario
        reply = self.answer(received)
        if seconds := self.delay():
            await asyncio.sleep(seconds)
        if received.method == "CONNECT" and reply.status == 200:
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await writer.start_tls(server_tls())
        elif scenario in FIXED or scenario in CHANGED:
            reply = FIXED[scenario] if scenario in FIXED else CHANGED[scenario](reply)
            writer.write(reply.encode())
            await writer.drain()
        else:
            await getattr(self, f"_{scenario}")(reply, writer)
            raise ConnectionError

    async def _hang(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Accept the request and send nothing."""
        await asyncio.sleep(3_600)

    async def _drip(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Send the headers, then one byte after the other for ever."""
        writer.write(reply.encode(length=1_000_000)[: -len(reply.body)])
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def _cut_off(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Close the connection in the middle of the body."""
        writer.write(reply.encode(length=2 * len(reply.body) + 1))
        await writer.drain()

    async def _reset(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Reset the connection instead of answering."""
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _oversized(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Send a body without an end."""
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    async def _endless_headers(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Send headers without an end."""
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: " + b"y" * 1_000 + b"\r\n")
            await writer.drain()


@asynccontextmanager
async def stub_upstream(
    answer: Answer = lambda _: Reply(), *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[StubUpstream]:
    """Run a service on a free port of loopback."""
    stub = StubUpstream(answer)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=tls)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        await stub.close()


def server_tls() -> ssl.SSLContext:
    """TLS with the certificate of company.example."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(tls)
    return tls


def trust_the_authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let clients that are made from now on trust the authority of the stub servers, and no other."""
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


class InstantClock(Clock):
    """Real sockets, but no waiting: whoever sleeps is woken at once, later by as much. Time-outs do not come."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._now = 1_772_102_100.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(round(seconds, 3))
        self._now += seconds
        await asyncio.sleep(0)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(10)


@asynccontextmanager
async def live_client(
    clock: Clock, *, proxy: str = "", dns: Dns | None = None, sockets: httpcore2.AsyncNetworkBackend | None = None
) -> AsyncIterator[Client]:
    client = Client(contact="https://example.com/bot", clock=clock, proxy=proxy, dns=dns, sockets=sockets)
    try:
        yield client
    finally:
        await client.aclose()


def http_date(moment: float, seconds: float) -> str:
    """The date so many seconds after a moment, as in `Retry-After`."""
    return format_datetime(datetime.fromtimestamp(moment, UTC) + timedelta(seconds=seconds), usegmt=True)


async def _receive(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return Received(method, target, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
