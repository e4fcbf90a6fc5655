"""
Jobs in PostgreSQL: how fast they are accepted and run, and listed among many. `python -m tests.benchmarks.postgres`.

The server is that of the tests, with its files synchronised as in production, or the one that `TEST_DATABASE_URL`
names; its database is replaced. Jobs are of three simulated modules that answer at once, so that workers do nothing but
our work.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from statistics import median, quantiles
from typing import Final

import psycopg

from enrichment.engine import Engine
from enrichment.jobs.model import UNFINISHED, JobOptions
from enrichment.postgres.migrate import migrate
from enrichment.postgres.store import PostgresStore
from enrichment.settings import Settings
from schemas import JobState
from tests.conftest import ROOT
from tests.postgres.server import create_database, running_server

MODULES: Final = ("m01_company_context", "m02_tech_stack", "m08_stock_info")
OPTIONS: Final = JobOptions(modules=MODULES, priority="normal", force=True, request_id="benchmark")
CLIENTS: Final = 16
FILL: Final = """
INSERT INTO enrichment_jobs (id, number, domain, state, created_at, started_at, finished_at, run, size, document, steps)
SELECT 'old ' || n, nextval('enrichment_numbers'), 'company-' || mod(n, 50000) || '.com',
    CASE WHEN mod(n, 20) = 0 THEN 'failed' ELSE 'completed' END, now, now, now, 1, 500, document, ''
FROM generate_series(1, %(rows)s) AS n, (SELECT extract(epoch FROM now())::float8 AS now) AS time, LATERAL (
    SELECT replace(%(document)s, 'THE-ID', 'old ' || n)::json AS document
) AS made;
INSERT INTO enrichment_counts SELECT state, count(*) FROM enrichment_jobs WHERE id LIKE 'old %%' GROUP BY state;
"""


def settings_of(url: str) -> Settings:
    return Settings(
        jobs_backend="postgres",
        database_url=url,
        database_connections=8,
        max_finished_jobs=10_000_000,
        max_pending_jobs=1_000_000,
    )


@contextlib.contextmanager
def workers(url: str, number: int) -> Iterator[None]:
    """So many workers, which have registered themselves."""
    variables = {
        "JOBS_BACKEND": "postgres",
        "DATABASE_URL": url,
        "DATABASE_CONNECTIONS": "4",
        "SIMULATED_MODULE_SECONDS": "0",
        "MAX_FINISHED_JOBS": "10000000",
        "LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "enrichment.postgres.worker"]
    processes = [subprocess.Popen(command, cwd=ROOT, env=variables) for _ in range(number)]
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while len(connection.execute("SELECT FROM procrastinate_workers").fetchall()) < 2 * number:
                time.sleep(0.05)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


async def per_second(times: int, work: Callable[[int], Awaitable[object]]) -> float:
    """Do the work so many times, with `CLIENTS` at once."""
    numbers = iter(range(times))

    async def client() -> None:
        for number in numbers:
            await work(number)

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return times / (time.perf_counter() - begun)


async def milliseconds(times: int, work: Callable[[], Awaitable[object]]) -> str:
    """The median and the 99th percentile of the time that the work takes, one after the other."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        await work()
        taken.append(1_000 * (time.perf_counter() - begun))
    return f"{median(taken):8.1f} {quantiles(taken, n=100)[-1]:8.1f}"


async def measure(url: str, rows: int, jobs: int, numbers: Sequence[int]) -> None:
    """Print all figures for a database with so many finished jobs."""
    print(f"\n{rows:,} finished jobs")
    async with Engine(settings_of(url)) as engine:
        store = engine.store
        assert isinstance(store, PostgresStore)
        store.database.seconds = 30.0  # on a busy machine, too
        for number in numbers:
            rate = await per_second(jobs, lambda n: engine.jobs.submit(f"company-{n}.com", OPTIONS))
            print(f"    accepted          {rate:8.0f} per second")
            with workers(url, number):
                started = time.perf_counter()
                while (await store.page(None, UNFINISHED, limit=1, offset=0)).total:
                    await asyncio.sleep(0.1)
                rate = jobs / (time.perf_counter() - started)
            print(f"    run, {number} worker(s)   {rate:8.0f} per second")
        lists = {
            "newest": lambda: store.page(None, (), limit=50, offset=0),
            "of a state": lambda: store.page(None, (JobState.FAILED,), limit=50, offset=0),
            "of two states": lambda: store.page(None, (JobState.FAILED, JobState.RUNNING), limit=50, offset=0),
            "of a domain": lambda: store.page("company-7.com", (), limit=50, offset=0),
            "far away": lambda: store.page(None, (), limit=50, offset=rows * 9 // 10),
            "status": lambda: store.newest("company-7.com", set(JobState)),
        }
        print("    milliseconds             p50      p99")
        for name, work in lists.items():
            print(f"    {name:<18}{await milliseconds(100, work)}")


def fill(url: str, rows: int) -> None:
    """Add finished jobs, as they are kept, but for their results."""
    document = (
        '{"id":"THE-ID","domain":"company.com","request_id":"","created_at":1.0,"expected_seconds":9,"state":"completed",'
        '"started_at":1.0,"finished_at":2.0,"priority":"normal","force":false,"total":3,"completed":3}'
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL.split(";\n")[:2]:
            connection.execute(statement.encode(), {"rows": rows, "document": document})
        connection.execute("VACUUM ANALYZE enrichment_jobs")
        connection.execute("CHECKPOINT")


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.postgres", description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[10_000, 1_000_000], help="finished jobs (10,000 and 1,000,000)"
    )
    parser.add_argument("--jobs", type=int, default=1_000, help="jobs that are accepted and run (1000)")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 4], help="worker processes (1 4)")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with contextlib.ExitStack() as stack:
        server = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(running_server("fsync=on")).url
        for rows in options.rows:
            url = create_database(server, "lead_enrichment_benchmark")
            migrate(url)
            fill(url, rows)
            asyncio.run(measure(url, rows, options.jobs, options.workers))


if __name__ == "__main__":
    main()
