"""
The figures that our service alone has: enrichments of modules in waves, batches, the list.
"""

import json
import time

from tests.benchmarks.document1 import FOREVER, NO_BOUND, named
from tests.benchmarks.load import Ask, measure, send
from tests.benchmarks.servers import OURS, Contender, Server, settled_rss

ONE = '{"modules":["m01_company_context"]}'
START_ONE = Ask("POST", ["/api/v1/enrich/company-{run}-{n}.com"], ONE)
START_ALL = Ask("POST", ["/api/v1/enrich/company-{run}-{n}.com"], "{}")
SIZES = (100, 10_000, 100_000)
"How many jobs there are when the list is asked for."


def figures(seconds: float, finished_jobs: int) -> dict[str, float]:
    """One round."""
    return {**_starting(seconds), **finished(OURS, seconds, finished_jobs), **_growing(seconds)}


def _server(module_seconds: str, contender: Contender = OURS, **settings: str) -> Server:
    settings = {"AUTH": "off", "JOB_DEADLINE_SECONDS": FOREVER, **NO_BOUND, **settings}
    return Server(contender, SIMULATED_MODULE_SECONDS=module_seconds, **settings)


def _starting(seconds: float) -> dict[str, float]:
    """Starting jobs that then wait or run on."""
    found = {}
    for what, ask in {
        "start, 1 module": START_ONE,
        "start, 15 modules": START_ALL,
        "batch of 100": _batch(100),
    }.items():
        with _server(FOREVER) as server:
            found.update(named(what, measure(server, ask, seconds)))
    return found


def finished(contender: Contender, seconds: float, count: int) -> dict[str, float]:
    """A finished job of all modules read, alone and among many; and what each of many costs in memory."""
    with _server("0", contender, MAX_CACHED_RESULTS="1000") as server:
        _finish(server, 200)
        job = server.post("/api/v1/enrich/getuniti.com")
        _wait_for_finished(server, 201)
        status = Ask("GET", [f"/api/v1/enrich/getuniti.com/status?job_id={job['job_id']}"])
        results = Ask("GET", [f"/api/v1/enrich/getuniti.com/results?job_id={job['job_id']}"])
        found = {
            **named("status", measure(server, status, seconds)),
            **named("results", measure(server, results, seconds)),
        }
        before = settled_rss(server)
        _finish(server, count // 2)
        halfway = settled_rss(server)
        _finish(server, count // 2)
        end = settled_rss(server)
        return {
            **found,
            **named(f"status among {count:,}", measure(server, status, seconds)),
            "bytes per finished job": (end - before) / count,
            "bytes per finished job, first half": (halfway - before) / (count // 2),
            "bytes per finished job, second half": (end - halfway) / (count // 2),
        }


def _growing(seconds: float) -> dict[str, float]:
    """The list over ever more jobs, its first page and its last; starting a job and a batch when there are many."""
    found = {}
    held = 0
    with _server(FOREVER) as server:
        for size in SIZES:
            _fill(server, size - held)
            held = size
            deep = max(0, size - 50)
            first, last = (Ask("GET", [f"/api/v1/enrich?limit=50&offset={offset}"]) for offset in (0, deep))
            found.update(named(f"list of {size:,}, first page", measure(server, first, seconds)))
            found.update(named(f"list of {size:,}, last page", measure(server, last, seconds)))
        many = f"{SIZES[-1]:,}"
        found.update(named(f"start, 1 module, after {many}", measure(server, START_ONE, seconds)))
        found.update(named(f"batch of 100, after {many}", measure(server, _batch(100), seconds)))
    return found


def _batch(size: int, modules: str = '"modules":["m01_company_context"],') -> Ask:
    domains = ",".join(f'"company-{{run}}-{{n}}-{i}.com"' for i in range(size))
    return Ask("POST", ["/api/v1/enrich/batch"], f'{{{modules}"concurrency":20,"domains":[{domains}]}}')


def _fill(server: Server, count: int) -> None:
    """So many jobs that do not end."""
    batches, rest = divmod(count, 1_000)
    if batches:
        send(server, _batch(1_000), batches, connections=1)
    if rest:
        send(server, _batch(rest), 1, connections=1)
    total = _list(server, "limit=1")["total"]
    assert total >= count, total


def _finish(server: Server, count: int) -> None:
    """So many jobs of all modules, done; a batch at a time, so that there are never many under way."""
    done = _list(server, "status=completed&limit=1")["total"]
    while count > 0:
        size = min(1_000, count)
        send(server, _batch(size, modules=""), 1, connections=1)
        count -= size
        done += size
        _wait_for_finished(server, done)


def _wait_for_finished(server: Server, count: int) -> None:
    deadline = time.monotonic() + 120
    while _list(server, "status=completed&limit=1")["total"] < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"jobs did not finish:\n{server.log[-2_000:]}")
        time.sleep(0.05)


def _list(server: Server, query: str) -> dict[str, int]:
    answer: dict[str, int] = json.loads(server.get(f"/api/v1/enrich?{query}")[1])
    return answer
