"""
Measures `/health` on 1,000 connections while the service, as the Procfile starts it, has its heaviest work to do.

`python -m tests.benchmarks.health` takes a minute and a half; each kind of work has a fresh server. Requests are due at
fixed times, and latencies are counted from there, so that a server that stops for a moment cannot delay the question.
"""

import argparse
import asyncio
import contextlib
import http.client
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from tests.benchmarks.connections import health_ms
from tests.benchmarks.generator import encoded, whole_answer
from tests.benchmarks.servers import ROOT, web_command

GOAL_MS: Final = 100.0
HEALTH: Final = encoded("GET", "/health")
HEADERS: Final = {"authorization": "Bearer demo", "content-type": "application/json"}
BLUEPRINTS: Final = 20
BATCH: Final = 1_000
JOBS: Final = 2_000
CONCURRENCY: Final = 20  # the most of a batch
SETTINGS: Final[dict[str, dict[str, str]]] = {
    "nothing": {},
    "20 blueprints": {},
    "20 long blueprints": {},
    "batches of 1,000 IDN names": {"SIMULATED_MODULE_SECONDS": "0.1"},
    "2,000 running jobs": {"MAX_RUNNING_JOBS": "2000", "SIMULATED_MODULE_SECONDS": "3"},
}
"By the kind of work."
PHRASES: Final = (
    "software companies",
    "fintech",
    "airlines",
    "hospitals in Germany",
    "logistics in Texas or Japan",
    "50-200 employees",
    "more than 10 million USD revenue",
    "using Salesforce and HubSpot",
    "hiring a VP of sales",
    "CTO or head of marketing",
    "raised a series B in the last six months",
)


def main() -> None:
    """Measure what the command line asks for, or be the process that asks for /health."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.health", description=__doc__)
    parser.add_argument("--connections", type=int, default=1_000, help="on which /health is asked for (1000)")
    parser.add_argument("--rate", type=float, default=500.0, help="of these requests, a second (500); 0: closed loop")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each kind of work (12)")
    parser.add_argument("--only", default="", help="kinds of work that contain this")
    parser.add_argument("--probe", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.probe:
        print(json.dumps(uvloop.run(probe(options.probe, options.connections, options.rate, options.seconds))))
        return
    rate = f"{options.rate:,.0f} requests a second" if options.rate else "each asks again when it is answered"
    print(f"/health on {options.connections:,} connections, {rate}; load average {os.getloadavg()[0]:.1f} before\n")
    print(f"    {'meanwhile':<28}{'p50':>9}{'p99':>9}{'worst':>9}{'answers':>10}{'failed':>8}{'done meanwhile':>17}")
    for kind in SETTINGS:
        if options.only in kind:
            found = measure(kind, options.connections, options.rate, options.seconds)
            verdict = "met" if found["p99"] < GOAL_MS and not found["failed"] else "NOT MET"
            print(
                f"    {kind:<28}{found['p50']:>6.1f} ms{found['p99']:>6.1f} ms{found['worst']:>6.1f} ms"
                f"{found['answers']:>10,}{found['failed']:>8}{found['done']:>17}  {verdict}",
                flush=True,
            )


def measure(kind: str, connections: int, rate: float, seconds: float) -> dict[str, Any]:
    """Return the latencies of /health in milliseconds during one kind of work."""
    with server(**SETTINGS[kind]) as port:
        if kind == "2,000 running jobs":
            _start_jobs(port)
        command = [sys.executable, "-m", "tests.benchmarks.health", "--probe", str(port)]
        command += ["--connections", str(connections), "--rate", str(rate), "--seconds", str(seconds)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as prober:
            assert prober.stdout
            assert prober.stdout.readline() == "begins\n"
            done = _work(kind, port, time.monotonic() + seconds)
            found: dict[str, Any] = json.loads(prober.communicate(timeout=60)[0])
    return {**found, "done": done}


@contextlib.contextmanager
def server(**settings: str) -> Iterator[int]:
    """Run the Procfile's command while entered; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = web_command()
    environ = {"PATH": path, "PORT": str(port), "API_TOKENS": "demo", **settings}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 20
            while health_ms(port) is None and time.monotonic() < deadline:
                time.sleep(0.05)
            yield port
        finally:
            process.kill()
            process.wait()


def _work(kind: str, port: int, end: float) -> str:
    """Give the server its work until the end, and return how much it has done."""
    if "blueprints" in kind:
        length = 5_000 if "long" in kind else 100
        with ThreadPoolExecutor(BLUEPRINTS) as pool:
            made = sum(pool.map(lambda number: _blueprints(port, end, number, length), range(BLUEPRINTS)))
        return f"{made} blueprints"
    if "IDN" in kind:
        sent = 0
        while time.monotonic() < end:
            names = [f"b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher-{sent}-{number}.de" for number in range(BATCH)]
            post(port, "/api/v1/enrich/batch", {"domains": names, "modules": ["m01_company_context"]})
            sent += 1
            time.sleep(max(0.0, min(1.0, end - time.monotonic())))
        return f"{sent} batches"
    time.sleep(max(0.0, end - time.monotonic()))
    return _running(port) if kind == "2,000 running jobs" else "-"


def _blueprints(port: int, end: float, client: int, length: int) -> int:
    """Have one blueprint after the other made, each for another profile, and return their number."""
    rng = random.Random(client)  # noqa: S311 - a seeded one
    for number in itertools.count():
        if time.monotonic() > end:
            return number
        icp = f"{client} {number} {', '.join(rng.choices(PHRASES, k=length // 10))}"[:length]
        post(port, "/campaigns/enrichment", {"website_url": "https://www.getuniti.com", "icp": icp, "stream": False})
    raise AssertionError


def _start_jobs(port: int) -> None:
    for start in range(0, JOBS, CONCURRENCY):
        names = [f"company-{number}.com" for number in range(start, start + CONCURRENCY)]
        post(port, "/api/v1/enrich/batch", {"domains": names, "concurrency": CONCURRENCY})


def _running(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/enrich?limit=1", headers=HEADERS)
        page = json.loads(connection.getresponse().read())
    return f"{JOBS - page['running_count'] - page['queued_count']} of {JOBS} jobs"


def post(port: int, path: str, body: dict[str, Any]) -> None:
    """Send a request and read its answer. Raises `RuntimeError` unless it is 2xx."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", path, json.dumps(body), HEADERS)
        response = connection.getresponse()
        answer = response.read()
    if response.status >= 300:
        raise RuntimeError(f"{response.status} to POST {path}: {answer.decode()}")


class Connection(asyncio.Protocol):
    """A connection with at most one request under way; `due` is when that was to be sent."""

    def __init__(self, latencies: list[float]) -> None:
        self.latencies = latencies
        self.due = 0.0
        self.failed = 0
        self.buffer = b""
        self.is_busy = False
        self.asks_again = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, due: float) -> None:
        """Send a request; one that is due while the former is not answered has failed."""
        if self.is_busy or self.transport.is_closing():
            self.failed += 1
            return
        self.due, self.is_busy = due, True
        self.transport.write(HEALTH)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if answer := whole_answer(self.buffer):
            self.buffer, self.is_busy = b"", False
            now = time.perf_counter()
            self.latencies.append(1_000 * (now - self.due))
            self.failed += answer[0] != 200
            if self.asks_again:
                self.ask(now)

    def connection_lost(self, exc: Exception | None) -> None:
        self.failed += self.is_busy


async def probe(port: int, connections: int, rate: float, seconds: float) -> dict[str, Any]:
    """Ask for /health on all connections in turn, `rate` times a second; if that is 0, as often as it is answered."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    opened = []
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: Connection(latencies), "127.0.0.1", port)
        opened.append(connection)
        connection.ask(time.perf_counter())
        while connection.is_busy:  # a server may accept only one connection in a turn of its loop
            await asyncio.sleep(0)
    latencies.clear()
    print("begins", flush=True)
    begun = time.perf_counter()
    if rate:
        for number in range(round(rate * seconds)):
            due = begun + number / rate
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            opened[number % connections].ask(due)
    else:
        for connection in opened:
            connection.asks_again = True
            connection.ask(time.perf_counter())
        await asyncio.sleep(seconds)
        for connection in opened:
            connection.asks_again = False
    await asyncio.sleep(1)
    ordered = sorted(latencies)
    return {
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[len(ordered) * 99 // 100],
        "worst": ordered[-1],
        "answers": len(ordered),
        "failed": sum(connection.failed + connection.is_busy for connection in opened),
    }


if __name__ == "__main__":
    main()
