"""
Our service under more load than it can take: what it refuses, and whether all that it has accepted comes to its end.
"""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.benchmarks.servers import OURS, ROOT, Server

PROBE_EVERY = 0.1
"Seconds from one look at /health to the next, whether or not it has been answered by then."
PROBE_TIMEOUT = 5.0
HEALTHY_MS = 100.0
SETTINGS = {
    "AUTH": "off",
    "MAX_PENDING_JOBS": "1000",
    "MAX_FINISHED_JOBS": "1000",
    "MAX_CACHED_RESULTS": "1000",
    "SIMULATED_LOOKUP_SECONDS": "2",
    "SIMULATED_MODULE_SECONDS": "0.1",
}
"Small enough that everything which is bounded is full long before half of the time is over."
ENDED = re.compile(r" job (completed|failed|cancelled) job_id=(\S+)")


def overload(seconds: float, connections: int) -> dict[str, Any]:
    """What happened."""
    with Server(OURS, **SETTINGS) as server:
        memory, health, traffic = _under_traffic(server, seconds, connections)
        is_alive = server.process.poll() is None
        rested = is_alive and _rest(server)
        server.terminate()
        ended = {job_id: how for how, job_id in ENDED.findall(server.log)}
    accepted = traffic.pop("accepted")
    third = len(memory) // 3
    return {
        **traffic,
        "seconds": seconds,
        "connections": connections,
        "is_alive": is_alive,
        "health_asked": len(health),
        "health_failed": sum(latency is None for latency in health),
        "health_ms": sorted(latency for latency in health if latency is not None),
        "rss_mb": memory,
        "rss_start_mb": memory[0],
        # Not its last instant against one other: memory goes up and down with what is under way.
        "rss_middle_mb": max(memory[third : 2 * third], default=memory[-1]),
        "rss_end_mb": max(memory[2 * third :]),
        "accepted": len(accepted),
        "rested": rested,
        "ends": dict(Counter(ended.get(job_id, "never") for job_id in accepted)),
    }


def _under_traffic(
    server: Server, seconds: float, connections: int
) -> tuple[list[float], list[float | None], dict[str, Any]]:
    """Memory once a second, the milliseconds of every look at /health, and what the traffic's process says."""
    command = [sys.executable, "-m", "tests.benchmarks.mixed", str(server.port), str(connections), str(seconds)]
    memory = [server.rss / 1e6]
    probes: list[Future[float | None]] = []
    with (
        ThreadPoolExecutor(max_workers=round(PROBE_TIMEOUT / PROBE_EVERY) + 1) as pool,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as traffic,
    ):
        try:
            assert traffic.stdout
            assert traffic.stdout.readline() == "begins\n", server.log
            begun = time.perf_counter()
            while time.perf_counter() < begun + seconds and server.process.poll() is None:
                probes.append(pool.submit(_health_ms, server))
                if time.perf_counter() - begun >= len(memory):
                    memory.append(server.rss / 1e6)
                time.sleep(max(0.0, begun + len(probes) * PROBE_EVERY - time.perf_counter()))
            output, _ = traffic.communicate(timeout=60)
        finally:
            traffic.kill()
    return memory, [probe.result() for probe in probes], json.loads(output)


def _health_ms(server: Server) -> float | None:
    """How long the answer took, the connection included; None if there was no good one."""
    begun = time.perf_counter()
    try:
        status, _ = server.get("/health", timeout=PROBE_TIMEOUT)
    except OSError:
        return None
    return 1_000 * (time.perf_counter() - begun) if status == 200 else None


def _rest(server: Server) -> bool:
    """Wait until nothing is under way any more, for a minute at most."""
    deadline = time.monotonic() + 60
    time.sleep(float(SETTINGS["SIMULATED_LOOKUP_SECONDS"]) + 1)
    while time.monotonic() < deadline:
        page = json.loads(server.get("/api/v1/enrich?limit=1")[1])
        if page["running_count"] == page["queued_count"] == 0:
            return True
        time.sleep(0.2)
    return False


def report(found: dict[str, Any]) -> list[str]:
    """The lines that are printed."""
    statuses: dict[str, int] = found["statuses"]
    by_status = Counter(dict.fromkeys(("202", "503"), 0))
    for kind, count in statuses.items():
        by_status[kind.split()[-1]] += count
    health: list[float] = found["health_ms"]
    p99, worst = (health[len(health) * 99 // 100], health[-1]) if health else (0.0, 0.0)
    refused = by_status["503"]
    growth = found["rss_end_mb"] / found["rss_middle_mb"] - 1
    ends = found["ends"]
    settings = " ".join(f"{name}={value}" for name, value in SETTINGS.items())
    return [
        f"{found['requests']:,} requests in {found['seconds']:g} s on {found['connections']} connections",
        settings,
        "",
        *(f"    {kind:<28}{count:>10,}" for kind, count in statuses.items()),
        "",
        _verdict(found["is_alive"], "no crash"),
        _verdict(
            by_status.keys() <= {"200", "202", "404", "503"},
            f"no other answers than 200, 202, 503, and 404 for what is forgotten or not there yet: {dict(by_status)}",
        ),
        _verdict(refused > 0, f"more than it can take: {refused:,} refused with 503"),
        _verdict(not found["without_retry_after"], f"{found['without_retry_after']} of them without Retry-After"),
        _verdict(not found["connection_errors"], f"{found['connection_errors']} connection errors"),
        _verdict(
            bool(health) and not found["health_failed"] and worst <= HEALTHY_MS,
            f"/health within {HEALTHY_MS:g} ms: {found['health_asked']} asked, {found['health_failed']} failed, "
            f"p99 {p99:.1f} ms, at most {worst:.1f} ms",
        ),
        _verdict(
            growth <= 0.1,
            f"no growth without bound: {found['rss_start_mb']:.0f} MB at the start, in the second third at most "
            f"{found['rss_middle_mb']:.0f} MB, in the last at most {found['rss_end_mb']:.0f} MB",
        ),
        _verdict(
            found["rested"] and ends == {"completed": found["accepted"]},
            f"everything accepted completes: {found['accepted']:,} accepted, {ends}",
        ),
    ]


def _verdict(good: bool, text: str) -> str:
    return f"{'met    ' if good else 'NOT MET'}  {text}"
