"""
Measures the service, as the Procfile starts it, under thousands of clients that only hold connections.

`python -m tests.benchmarks.connections` takes two minutes and a half; each kind of client has a fresh server.
"""

import argparse
import contextlib
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.servers import PAGE, ROOT, web_command

DESCRIPTORS: Final = 1_024
HOLD_SECONDS: Final = 15.0
"How long after the last client has connected no connection may be left."
PROBE_EVERY: Final = 0.05
PROBE_TIMEOUT: Final = 5.0
TARGETS: Final = {"p99_ms": 50.0, "failed": 0, "left": 0, "memory_mb": 40.0, "lines_a_second": 1}
"The most that is allowed of each figure."

AUTHORIZED: Final = b"Host: localhost\r\nAuthorization: Bearer demo\r\n"
BRIEF: Final = b'{"website_url": "https://www.getuniti.com", "icp": "retailers in DACH", "stream": true}'
FIRST: Final = {
    "idle": b"",
    "slow head": b"POST /enrich HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "slow body": b"POST /enrich HTTP/1.1\r\n%bContent-Length: 1000\r\n\r\n{" % AUTHORIZED,
    "not reading": b"GET /api/v1/enrich/lead.com/results HTTP/1.1\r\n%b\r\n" % AUTHORIZED * 5,
    "stalled stream": b"POST /campaigns/enrichment HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b"
    % (AUTHORIZED, len(BRIEF), BRIEF),
}
"What each kind of client sends at first. The slow ones go on with a byte a second, and none reads anything."
SLOW: Final = ("slow head", "slow body")
RECEIVE_BUFFER: Final = 4_096
"The clients' receive buffers: with larger ones, more of the answers would be in their kernel, where no server sees it."


def main() -> None:
    """Measure what the command line asks for, or be the clients of one kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.connections", description=__doc__)
    parser.add_argument("--clients", type=int, default=5_000, help="of each kind (5000)")
    parser.add_argument("--rate", type=float, default=500.0, help="at which they connect, a second (500)")
    parser.add_argument("--kinds", default=",".join(FIRST), help=f"of clients, separated by commas ({','.join(FIRST)})")
    parser.add_argument("--command", help="that starts the server on $PORT (the Procfile's)")
    parser.add_argument("--hold", nargs=2, metavar=("KIND", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hold:
        hold(options.hold[0], int(options.hold[1]), options.clients, options.rate)
        return
    command = options.command or web_command()
    print(f"{options.clients:,} clients of each kind, {options.rate:,.0f} a second, {DESCRIPTORS:,} file descriptors\n")
    print(
        f"    {'kind':<16}{'/health p99':>12}{'worst':>12}{'failed':>14}{'left':>8}{'memory':>10}{'lines a second':>17}"
    )
    for kind in options.kinds.split(","):
        figures = measure(kind, options.clients, options.rate, command)
        print(f"    {_row(kind, figures)}", flush=True)


def _row(kind: str, figures: dict[str, Any]) -> str:
    is_met = all(figures[name] <= most for name, most in TARGETS.items())
    return (
        f"{kind:<16}{figures['p99_ms']:>9.1f} ms{figures['worst_ms']:>9.1f} ms"
        f"{figures['failed']:>6} of {figures['asked']:>4}{figures['left']:>8}{figures['memory_mb']:>7.1f} MB"
        f"{figures['lines_a_second']:>17}  {'met' if is_met else 'NOT MET'}"
    )


def measure(kind: str, clients: int, rate: float, command: str) -> dict[str, Any]:
    """Return the figures of one kind of client."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "PORT": str(port), "API_TOKENS": "demo", "SIMULATED_MODULE_SECONDS": "0"}
    with tempfile.NamedTemporaryFile() as log:
        server = subprocess.Popen(
            ["sh", "-c", f"ulimit -n {DESCRIPTORS}; exec {command}"], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
        try:
            _prepare(port)
            size = Path(log.name).stat().st_size
            figures = _under_clients(kind, clients, rate, port, server.pid)
            lines = Path(log.name).read_text()[size:].splitlines()
        finally:
            server.kill()
            server.wait()
    a_second = Counter(line[:19] for line in lines if "blueprint made" not in line)
    return {**figures, "lines_a_second": max(a_second.values(), default=0), "log": lines}


def _prepare(port: int) -> None:
    """Wait for the server, then give it a job whose results are asked for, and the first of the streams."""
    deadline = time.monotonic() + 20
    while health_ms(port) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    for request in (b"POST /api/v1/enrich/lead.com HTTP/1.1\r\n%b\r\n" % AUTHORIZED, FIRST["stalled stream"]):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(request)
            if not connection.recv(100).startswith(b"HTTP/1.1 20"):
                raise RuntimeError("the server does not answer as it should")
            time.sleep(1)


def _under_clients(kind: str, clients: int, rate: float, port: int, pid: int) -> dict[str, Any]:
    memory, descriptors = _rss(pid), _descriptors(pid)
    peak = memory
    probes = []
    with (
        ThreadPoolExecutor(max_workers=round(PROBE_TIMEOUT / PROBE_EVERY) + 1) as pool,
        holding(kind, port, clients, rate),
    ):
        begun = time.perf_counter()
        while time.perf_counter() < begun + clients / rate + HOLD_SECONDS:
            probes.append(pool.submit(health_ms, port))
            peak = max(peak, _rss(pid))
            time.sleep(max(0.0, begun + len(probes) * PROBE_EVERY - time.perf_counter()))
        latencies = [probe.result() for probe in probes]
        time.sleep(0.1)
        left = _descriptors(pid) - descriptors
    answered = sorted(latency for latency in latencies if latency is not None)
    return {
        "p99_ms": answered[len(answered) * 99 // 100],
        "worst_ms": answered[-1],
        "asked": len(latencies),
        "failed": len(latencies) - len(answered),
        "left": left,
        "memory_mb": (peak - memory) / 1e6,
    }


@contextlib.contextmanager
def holding(kind: str, port: int, clients: int, rate: float) -> Iterator[None]:
    """Have the clients of a process connect while entered."""
    command = [sys.executable, "-m", "tests.benchmarks.connections", "--hold", kind, str(port)]
    options = ["--clients", str(clients), "--rate", str(rate)]
    with subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        try:
            assert holder.stdout.readline() == "begins\n"
            yield
        finally:
            holder.kill()


def hold(kind: str, port: int, clients: int, rate: float) -> None:
    """Connect and send, and keep the connections until the process is killed."""
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, min(clients + 100, hard)), hard))
    print("begins", flush=True)
    connecting = selectors.DefaultSelector()
    connections: list[socket.socket] = []
    begun = time.monotonic()
    dripped = 0.0
    while True:
        passed = time.monotonic() - begun
        while len(connections) < min(clients, passed * rate):
            connection = socket.socket()
            connection.settimeout(0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            connection.connect_ex(("127.0.0.1", port))
            connecting.register(connection, selectors.EVENT_WRITE)
            connections.append(connection)
        for key, _ in connecting.select(0.005):
            connecting.unregister(key.fileobj)
            assert isinstance(key.fileobj, socket.socket)
            _send(key.fileobj, FIRST[kind])
        if kind in SLOW and passed - dripped > 1:
            dripped = passed
            for connection in connections:
                _send(connection, b"x")


def _send(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.send(data)


def health_ms(port: int) -> float | None:
    """Return how long an answer took, the connection included; None if there was no good one."""
    begun = time.perf_counter()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = connection.recv(4_096)
    except OSError:
        return None
    return 1_000 * (time.perf_counter() - begun) if answer.startswith(b"HTTP/1.1 200 ") else None


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


if __name__ == "__main__":
    main()
