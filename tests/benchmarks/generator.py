"""
A load generator for where there is no wrk, in a process of its own: raw sockets, each with one request under way.

`python -m tests.benchmarks.generator PORT CONNECTIONS SECONDS COUNT METHOD BODY PATH…` asks for the paths in turn until
the seconds are over or COUNT (0: no such bound) answers are there, and prints one JSON object. `{n}` in the body or in
a path is the number of the request.
"""

import asyncio
import json
import sys
import time
from array import array
from typing import Any, cast

import uvloop


def encoded(method: str, path: str, body: bytes = b"") -> bytes:
    """One request on the wire."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def whole_answer(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Status, head in lower case and body, or None as long as something is missing. Every answer has a length."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end].lower()
    start = head.index(b"content-length:") + 15
    stop = head.find(b"\r\n", start)
    length = int(head[start : stop if stop >= 0 else None])
    if len(data) < end + 4 + length:
        return None
    return int(data[9:12]), head, data[end + 4 :]


OPENING = encoded("GET", "/enrich/none")
"""
Sent first on each connection, and answered before the next is opened: a loop of libuv's accepts one connection a turn,
so that under load the last ones would wait to be accepted for as long as all the turns before take.
"""


class Load:
    """What all connections share: the requests to send, and what came of them."""

    def __init__(self, count: int, method: str, body: str, paths: list[str]) -> None:
        self.count = count
        self.method = method
        self.body = body
        self.paths = paths
        self.ready = (
            [] if "{n}" in "".join([body, *paths]) else [encoded(method, path, body.encode()) for path in paths]
        )
        self.sent = self.wrong = self.errors = 0
        self.latencies = array("d")
        self.over = asyncio.get_running_loop().create_future()

    def next(self) -> bytes | None:
        """The next request, if there is to be one."""
        if self.over.done() or 0 < self.count <= self.sent:
            return None
        self.sent += 1
        if self.ready:
            return self.ready[self.sent % len(self.ready)]
        number = str(self.sent)
        path = self.paths[self.sent % len(self.paths)]
        return encoded(self.method, path.replace("{n}", number), self.body.replace("{n}", number).encode())

    def done(self, status: int, seconds: float) -> None:
        """An answer has come."""
        self.latencies.append(seconds)
        self.wrong += status >= 400
        if len(self.latencies) == self.count:
            self.finish()

    def finish(self) -> None:
        """No more of it."""
        if not self.over.done():
            self.over.set_result(None)


class Connection(asyncio.Protocol):
    """Sends a request, takes the answer, sends the next; but first one that does not count."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.opened = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(OPENING)

    def send(self) -> None:
        """The next request, if there is to be one."""
        if request := self.load.next():
            self.begun = time.perf_counter()
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        if answer := whole_answer(self.buffer):
            self.buffer = b""
            if self.opened.done():
                self.load.done(answer[0], time.perf_counter() - self.begun)
                self.send()
            else:
                self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before the first answer"))
        if not self.load.over.done():
            self.load.errors += 1
            self.load.finish()


async def run(port: int, connections: int, seconds: float, load: Load) -> dict[str, Any]:
    """Put the load on, for as long as is said."""
    loop = asyncio.get_running_loop()
    opened = []
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
        await connection.opened
        opened.append(connection)
    begun = time.perf_counter()
    loop.call_later(seconds, load.finish)
    for connection in opened:
        connection.send()
    await load.over
    elapsed = time.perf_counter() - begun
    ordered = sorted(load.latencies)
    return {
        "requests": len(ordered),
        "seconds": elapsed,
        "p50": 1_000 * ordered[len(ordered) // 2] if ordered else 0.0,
        "p99": 1_000 * ordered[len(ordered) * 99 // 100] if ordered else 0.0,
        "wrong": load.wrong,
        "errors": load.errors,
    }


async def main(port: str, connections: str, seconds: str, count: str, *request: str) -> None:
    """What the command line asks for."""
    method, body, *paths = request
    figures = await run(int(port), int(connections), float(seconds), Load(int(count), method, body, paths))
    print(json.dumps(figures))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
