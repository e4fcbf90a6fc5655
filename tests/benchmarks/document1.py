"""
The figures of every contender, on `POST /enrich` and `GET /enrich/{job_id}`.
"""

import json
import statistics
import time

from tests.benchmarks.load import Ask, Measured, measure, send
from tests.benchmarks.servers import OURS, Contender, Server, settled_rss

BODY = '{"company_domain":"company-{run}-{n}.com"}'
POST = Ask("POST", ["/enrich"], BODY)
POLLED = 100
NO_BOUND = {"MAX_PENDING_JOBS": "10000000", "MAX_FINISHED_JOBS": "10000000"}
FOREVER = "3600"
STARTS = 7


def check(contender: Contender) -> None:
    """That it does what is asked of it; warms the file cache as well, so that nobody's first start is a cold one."""
    with Server(contender, SIMULATED_LOOKUP_SECONDS="2") as server:
        job = server.post("/enrich", '{"company_domain":"getuniti.com"}')
        asked = f"/enrich/{job['job_id']}"
        pending = json.loads(server.get(asked)[1])
        time.sleep(2.5)
        complete = json.loads(server.get(asked)[1])
        assert job == pending == {"job_id": job["job_id"], "status": "pending"}, (contender.name, job, pending)
        data = {"company_size": 50, "industry": "AI Software"}
        assert complete == {**job, "status": "complete", "data": data}, (contender.name, complete)
        assert server.get("/enrich/none")[0] == 404, contender.name


def figures(contender: Contender, *, seconds: float, pending_jobs: int) -> dict[str, float]:
    """One round, in three servers, none of which has seen another's load."""
    with _server(contender, lookup_seconds=FOREVER) as server:
        idle = settled_rss(server)
        pending = measure(server, Ask("GET", _polled(server)), seconds)
        before = settled_rss(server)
        send(server, POST, pending_jobs)
        bytes_per_job = (settled_rss(server) - before) / pending_jobs
    with _server(contender, lookup_seconds="0") as server:
        paths = _polled(server)
        time.sleep(0.2)
        assert b"complete" in server.get(paths[-1])[1]
        complete = measure(server, Ask("GET", paths), seconds)
    with _server(contender, lookup_seconds="15") as server:
        posted = measure(server, POST, seconds)
    return {
        **named("POST", posted),
        **named("GET pending", pending),
        **named("GET complete", complete),
        "bytes per pending job": bytes_per_job,
        "idle MB": idle / 1e6,
    }


def first_answers(contenders: tuple[Contender, ...]) -> dict[str, float]:
    """Seconds by name, medians of starts in turn: so a slow minute of the machine is everybody's."""
    starts: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders * STARTS:
        with _server(contender, lookup_seconds=FOREVER) as server:
            starts[contender.name].append(server.seconds_to_first_answer)
    return {name: statistics.median(seconds) for name, seconds in starts.items()}


def ours_with_pending(count: int) -> float:
    """Resident megabytes of our service with so many jobs pending."""
    with _server(OURS, lookup_seconds=FOREVER) as server:
        send(server, POST, count)
        return settled_rss(server) / 1e6


def named(what: str, measured: Measured) -> dict[str, float]:
    """Its three figures, by their names in the tables."""
    return {f"{what}/s": measured.rate, f"{what} p50 ms": measured.p50, f"{what} p99 ms": measured.p99}


def _server(contender: Contender, *, lookup_seconds: str) -> Server:
    settings = NO_BOUND if contender.is_service else {}
    return Server(contender, SIMULATED_LOOKUP_SECONDS=lookup_seconds, **settings)


def _polled(server: Server) -> list[str]:
    """The paths of a hundred jobs, to be asked for in turn."""
    body = '{"company_domain":"getuniti.com"}'
    return [f"/enrich/{server.post('/enrich', body)['job_id']}" for _ in range(POLLED)]
