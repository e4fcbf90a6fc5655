"""
The service, as the Procfile starts it, at 1,024 file descriptors and under thousands of clients that only hold connections.

`python -m tests.benchmarks.connections` takes two minutes. Each kind of client has a fresh server.
"""

import argparse
import contextlib
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.servers import PAGE, ROOT

DESCRIPTORS: Final = 1_024
SECONDS: Final = 15.0
"After so much time no connection may be left."
PROBE_EVERY: Final = 0.05
PROBE_TIMEOUT: Final = 5.0
SMALL_RECEIVE_BUFFER: Final = 4_096
"Of clients that do not read, so that a server notices with as little as possible."

BRIEF: Final = json.dumps({"website_url": "https://www.getuniti.com", "icp": "retailers in DACH", "stream": True})
POST: Final = "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer demo\r\nContent-Length: {}\r\n\r\n{}"
FIRST: Final = {
    "idle": b"",
    "slow head": b"POST /enrich HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "slow body": POST.format("/enrich", 1_000, '{"company_domain": "').encode(),
    "not reading": b"GET /api/v1/enrich HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer demo\r\n\r\n" * 10,
    "stalled stream": POST.format("/campaigns/enrichment", len(BRIEF), BRIEF).encode(),
}
"What each kind of client sends at first. The slow ones go on with a byte a second; none reads anything."
DRIPS: Final = ("slow head", "slow body")


def main() -> None:
    """Measure all kinds of clients, or be the clients of one kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=5_000, help="of each kind (5000)")
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--kinds", default=",".join(FIRST), help="separated by commas (all)")
    parser.add_argument("--command", default="", help="to start the server with, in place of the Procfile's")
    parser.add_argument("--hold", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hold:
        hold(options.hold[0], int(options.hold[1]), options.clients, options.rate)
        return
    print(f"{options.clients:,} clients of each kind, {DESCRIPTORS:,} file descriptors\n")
    print("    kind              /health p99     worst  failed of    left after 15 s    memory  log lines, most in 1 s")
    command = options.command or (ROOT / "Procfile").read_text().removeprefix("web: ").strip()
    for kind in options.kinds.split(","):
        print("    " + row(kind, measure(kind, options.clients, command)), flush=True)


def measure(kind: str, clients: int, command: str) -> dict[str, Any]:
    """Return the figures of one kind of client."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": str(port),
        "API_TOKENS": "demo",
        "SIMULATED_MODULE_SECONDS": "0",
    }
    with tempfile.NamedTemporaryFile() as log:
        server = subprocess.Popen(
            ["sh", "-c", f"ulimit -n {DESCRIPTORS}; exec {command}"], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
        try:
            _wait(lambda: _health_ms(port) is not None, 20)
            _post(port, "/api/v1/enrich/batch", json.dumps({"domains": [f"lead{n}.com" for n in range(50)]}))
            time.sleep(1)
            figures = _under_clients(kind, clients, port, server.pid)
        finally:
            server.terminate()
            figures_end = time.monotonic()
            server.wait()
        lines = Path(log.name).read_text().splitlines()
    stamps = [line[:19] for line in lines if "connections closed" in line or " info " not in line]
    return {
        **figures,
        "ended_in": time.monotonic() - figures_end,
        "lines": len(lines),
        "lines_a_second": max((stamps.count(stamp) for stamp in set(stamps)), default=0),
        "log": lines,
    }


def _under_clients(kind: str, clients: int, port: int, pid: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.connections",
        "--hold",
        kind,
        str(port),
        "--clients",
        str(clients),
        "--rate",
        os.environ.get("RATE", "1000"),
    ]
    before = peak = _rss(pid)
    idle = _sockets(pid)
    with (
        ThreadPoolExecutor(max_workers=round(PROBE_TIMEOUT / PROBE_EVERY) + 1) as pool,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder,
    ):
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "ready\n"
        holder.stdin.write("go\n")
        holder.stdin.flush()
        begun = time.perf_counter()
        probes = []
        most = 0
        while time.perf_counter() < begun + clients / float(os.environ.get("RATE", "1000")) + SECONDS:
            probes.append(pool.submit(_health_ms, port))
            peak = max(peak, _rss(pid))
            most = max(most, _sockets(pid) - idle)
            time.sleep(max(0.0, begun + len(probes) * PROBE_EVERY - time.perf_counter()))
        latencies = [probe.result() for probe in probes]
        time.sleep(0.2)
        left = _sockets(pid) - idle
        holder.kill()
    good = sorted(latency for latency in latencies if latency is not None)
    return {
        "p99_ms": good[len(good) * 99 // 100],
        "worst_ms": good[-1],
        "asked": len(latencies),
        "failed": len(latencies) - len(good),
        "left": left,
        "most": most,
        "memory_mb": (peak - before) / 1e6,
    }


def row(kind: str, figures: dict[str, Any]) -> str:
    """Return the line of the table."""
    return (
        f"{kind:<16} {figures['p99_ms']:>9.1f} ms {figures['worst_ms']:>6.1f} ms {figures['failed']:>4} of {figures['asked']}"
        f" {figures['left']:>5} of {figures['most']:>4} open {figures['memory_mb']:>7.1f} MB"
        f" {figures['lines']:>6}, {figures['lines_a_second']}"
    )


def hold(kind: str, port: int, count: int, rate: float) -> None:
    """Open the connections as fast as the server takes them, and hold them until the process is killed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if count + 100 > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, hard), hard))
    print("ready", flush=True)
    sys.stdin.readline()
    selector = selectors.DefaultSelector()
    open_sockets = []
    begun = time.monotonic()
    for number in range(count):
        if rate and begun + number / rate > time.monotonic():
            _send_first(selector, kind, begun + number / rate - time.monotonic())
        connection = socket.socket()
        connection.setblocking(False)
        if kind in ("not reading", "stalled stream"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_RECEIVE_BUFFER)
        connection.connect_ex(("127.0.0.1", port))
        selector.register(connection, selectors.EVENT_WRITE)
        open_sockets.append(connection)
        if len(open_sockets) % 50 == 0:
            _send_first(selector, kind, 0)
    while True:
        _send_first(selector, kind, 1)
        for connection in open_sockets if kind in DRIPS else ():
            with contextlib.suppress(OSError):
                connection.send(b"x")


def _send_first(selector: selectors.BaseSelector, kind: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            selector.unregister(connection)
            with contextlib.suppress(OSError):
                connection.send(FIRST[kind])
        if time.monotonic() >= deadline:
            return


def _post(port: int, path: str, body: str) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(POST.format(path, len(body), body).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def _health_ms(port: int) -> float | None:
    """Return how long an answer took, on a connection of its own; None if there was no good one."""
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


def _sockets(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


if __name__ == "__main__":
    main()
