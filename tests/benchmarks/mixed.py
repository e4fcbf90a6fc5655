"""
Mixed traffic in a process of its own: every kind of request, on many connections, each sent as soon as the answer
before it is there. `python -m tests.benchmarks.mixed PORT CONNECTIONS SECONDS` prints a line when it begins, and
one JSON object at the end.
"""

import asyncio
import json
import sys
from collections import Counter, deque
from typing import Any, cast

import uvloop

from tests.benchmarks.generator import OPENING, encoded, whole_answer

TURNS = (
    "lookup",
    "lookup read",
    "lookup",
    "enrichment",
    "lookup",
    "enrichment status",
    "lookup read",
    "enrichment results",
    "lookup",
    "list",
)
RECENT = 100
"So many of the newest accepted jobs are asked for."


class Traffic:
    """What all connections share."""

    def __init__(self) -> None:
        self.sent = 0
        self.is_over = False
        self.statuses: Counter[str] = Counter()
        self.accepted: list[str] = []
        self.without_retry_after = 0
        self.connection_errors = 0
        self._lookups: deque[str] = deque(["none"], maxlen=RECENT)
        self._enrichments: deque[tuple[str, str]] = deque([("company-0.com", "none")], maxlen=RECENT)

    def next(self) -> tuple[str, bytes]:
        """The next request and its kind."""
        self.sent += 1
        kind = TURNS[self.sent % len(TURNS)]
        if kind == "lookup":
            body = b'{"company_domain":"company-%d.com"}' % self.sent
            return kind, encoded("POST", "/enrich", body)
        if kind == "enrichment":
            return kind, encoded("POST", f"/api/v1/enrich/company-{self.sent}.com", b"{}")
        if kind == "lookup read":
            return kind, encoded("GET", f"/enrich/{self._lookups[self.sent % len(self._lookups)]}")
        if kind == "list":
            return kind, encoded("GET", "/api/v1/enrich")
        domain, job_id = self._enrichments[self.sent % len(self._enrichments)]
        return kind, encoded("GET", f"/api/v1/enrich/{domain}/{kind.split()[1]}?job_id={job_id}")

    def done(self, kind: str, status: int, head: bytes, body: bytes) -> None:
        """An answer has come."""
        self.statuses[f"{kind} {status}"] += 1
        if status == 503 and b"\r\nretry-after:" not in head:
            self.without_retry_after += 1
        if status == 202:
            job = json.loads(body)
            self.accepted.append(job["job_id"])
            if kind == "lookup":
                self._lookups.append(job["job_id"])
            else:
                self._enrichments.append((job["domain"], job["job_id"]))


class Connection(asyncio.Protocol):
    """Sends a request, takes the answer, sends the next."""

    def __init__(self, traffic: Traffic) -> None:
        loop = asyncio.get_running_loop()
        self.traffic = traffic
        self.opened = loop.create_future()
        self.idle = loop.create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(OPENING)

    def send(self) -> None:
        """The next request; none when it is over."""
        if not self.traffic.is_over:
            self.kind, request = self.traffic.next()
            self.transport.write(request)
        elif not self.idle.done():
            self.idle.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if answer := whole_answer(self.buffer):
            self.buffer = b""
            if self.opened.done():
                self.traffic.done(self.kind, *answer)
                self.send()
            else:
                self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before the first answer"))
        if not self.idle.done():
            self.traffic.connection_errors += 1
            self.idle.set_result(None)


async def main(port: int, connections: int, seconds: float) -> dict[str, Any]:
    """That much traffic; every request that was sent is answered before it ends, or counts as an error."""
    loop = asyncio.get_running_loop()
    traffic = Traffic()
    opened = []
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: Connection(traffic), "127.0.0.1", port)
        await connection.opened
        opened.append(connection)
    print("begins", flush=True)
    for connection in opened:
        connection.send()
    await asyncio.sleep(seconds)
    traffic.is_over = True
    _, hanging = await asyncio.wait([connection.idle for connection in opened], timeout=30)
    return {
        "requests": traffic.sent,
        "statuses": dict(sorted(traffic.statuses.items())),
        "without_retry_after": traffic.without_retry_after,
        "connection_errors": traffic.connection_errors + len(hanging),
        "accepted": traffic.accepted,
    }


if __name__ == "__main__":
    arguments = sys.argv[1:]
    print(json.dumps(uvloop.run(main(int(arguments[0]), int(arguments[1]), float(arguments[2])))))
