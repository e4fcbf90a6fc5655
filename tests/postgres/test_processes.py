"""
Workers and the database as processes that are killed, frozen, told to stop, and gone for a while.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final

import psycopg
import pytest

from enrichment.engine import Engine
from enrichment.errors import DatabaseUnavailable, NoWorkers
from enrichment.jobs.model import Enrichment, JobOptions
from enrichment.postgres.migrate import migrate
from enrichment.postgres.workers import EXIT_OVERTAKEN
from enrichment.settings import Settings
from schemas import JobState
from tests.conftest import ROOT
from tests.postgres.server import Server, create_database, running_server

MODULES: Final = ("m01_company_context", "m03_traffic", "m05_competitors")
"In two waves: the second one waits for the first."
LEASE: Final = 2.0
SECONDS: Final = 0.6  # that a module takes
OPTIONS: Final = JobOptions(modules=MODULES, priority="normal", force=True, request_id="r")


@pytest.fixture
def url(postgres_server: str) -> str:
    url = create_database(postgres_server, f"lead_enrichment_{os.getpid()}_processes")
    migrate(url)
    return url


@contextlib.contextmanager
def worker(url: str, **environ: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker, which has registered itself."""
    variables = {
        "JOBS_BACKEND": "postgres",
        "DATABASE_URL": url,
        "SIMULATED_MODULE_SECONDS": str(SECONDS),
        "WORKER_LEASE_SECONDS": str(LEASE),
        "WORKER_GRACE_SECONDS": "0",
        **environ,
    }
    before = workers(url)
    process = subprocess.Popen(
        [sys.executable, "-m", "enrichment.postgres.worker"], cwd=ROOT, env=variables, stderr=subprocess.DEVNULL
    )
    try:
        while len(workers(url) - before) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def workers(url: str) -> set[int]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM procrastinate_workers").fetchall()}


@contextlib.asynccontextmanager
async def web(url: str) -> AsyncIterator[Engine]:
    settings = Settings(jobs_backend="postgres", database_url=url, worker_lease_seconds=LEASE)
    async with Engine(settings) as engine:
        yield engine


async def until(
    engine: Engine, job: Enrichment, condition: Callable[[Enrichment], bool], seconds: float = 60
) -> Enrichment:
    """Wait until the job is so. Requests may be refused meanwhile, each within a second."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                if condition(now := await engine.store.enrichment(job.id)):
                    return now
            await asyncio.sleep(0.02)


def is_halfway(job: Enrichment) -> bool:
    return job.completed == 1


def is_finished(job: Enrichment) -> bool:
    return job.is_finished


async def test_the_job_of_a_killed_worker_is_resumed_with_what_it_has_done(url: str) -> None:
    async with web(url) as engine:
        with worker(url, SIMULATED_MODULE_SECONDS="3") as first:
            job = await engine.jobs.submit("a.com", OPTIONS)
            await until(engine, job, lambda job: job.state is JobState.RUNNING)
            with worker(url):
                before = await until(engine, job, is_halfway)
                first.kill()
                died_at = time.monotonic()
                await until(engine, job, lambda job: job.run == 2)
                resumed_after = time.monotonic() - died_at
                done = await until(engine, job, is_finished)

    assert resumed_after < 10 * LEASE
    assert [done.state, done.completed, done.run] == [JobState.COMPLETED, 3, 2]
    kept = [step for step in before.steps if step.finding]
    assert [done.step(step.module_id).ended_at for step in kept] == [step.ended_at for step in kept]


async def test_a_frozen_worker_whose_job_was_given_away_leaves_at_once_when_it_goes_on(url: str) -> None:
    async with web(url) as engine:
        with worker(url) as frozen:
            job = await engine.jobs.submit("a.com", OPTIONS)
            await until(engine, job, is_halfway)
            frozen.send_signal(signal.SIGSTOP)
            with worker(url):
                await until(engine, job, lambda job: job.run == 2)
                frozen.send_signal(signal.SIGCONT)
                status = await asyncio.to_thread(frozen.wait, 10)
                done = await until(engine, job, is_finished)

    assert status == EXIT_OVERTAKEN
    assert [done.state, done.completed, done.run] == [JobState.COMPLETED, 3, 2]


async def test_a_worker_that_is_told_to_stop_gives_its_jobs_back(url: str) -> None:
    async with web(url) as engine:
        with worker(url) as first:
            job = await engine.jobs.submit("a.com", OPTIONS)
            await until(engine, job, is_halfway)
            first.terminate()
            status = await asyncio.to_thread(first.wait, 10)
            with psycopg.connect(url) as connection:
                entries = connection.execute("SELECT status FROM procrastinate_jobs").fetchall()
        with worker(url):
            done = await until(engine, job, is_finished)
        with psycopg.connect(url) as connection:
            deaths = connection.execute("SELECT deaths FROM enrichment_jobs").fetchone()

    assert status == 0
    assert entries == [("todo",)]
    assert [done.state, done.completed, done.run, deaths] == [JobState.COMPLETED, 3, 2, (0,)]


async def test_a_worker_that_is_told_to_stop_lets_short_jobs_end(url: str) -> None:
    async with web(url) as engine:
        with worker(url, WORKER_GRACE_SECONDS="10") as first:
            job = await engine.jobs.submit("a.com", OPTIONS)
            await until(engine, job, is_halfway)
            first.terminate()
            status = await asyncio.to_thread(first.wait, 10)
        done = await engine.store.enrichment(job.id)

    assert status == 0
    assert [done.state, done.run] == [JobState.COMPLETED, 1]


async def test_a_running_job_is_cancelled_by_notification(url: str) -> None:
    async with web(url) as engine:
        with worker(url, SIMULATED_MODULE_SECONDS="60"):
            job = await engine.jobs.submit("a.com", OPTIONS)
            await until(engine, job, lambda job: job.state is JobState.RUNNING)
            await asyncio.sleep(0.1)
            await engine.jobs.cancel("a.com")
            begun = time.monotonic()
            while await asyncio.to_thread(entries_of, url):
                await asyncio.sleep(0.005)
            seconds = time.monotonic() - begun
        cancelled = await engine.store.enrichment(job.id)

    assert cancelled.state is JobState.CANCELLED
    assert seconds < 1.5  # 0.02 s on a machine that does nothing else; without a notification it is up to 2 s


def entries_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        return len(connection.execute("SELECT FROM procrastinate_jobs").fetchall())


async def test_readiness_tells_whether_a_worker_lives(url: str) -> None:
    async with web(url) as engine:
        with pytest.raises(NoWorkers):
            await engine.jobs.check_open()
        with worker(url):
            await engine.jobs.check_open()
        await asyncio.sleep(1.5 * LEASE)
        with pytest.raises(NoWorkers):
            await engine.jobs.check_open()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that the test may stop."""
    with running_server() as server:
        migrate(server.url)
        yield server


async def test_work_goes_on_by_itself_when_the_database_is_back(server: Server) -> None:
    """After an immediate stop, in which the server loses its connections and what is in its memory."""

    async def refused(ask: Callable[[], Awaitable[object]]) -> float:
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await ask()
        return time.monotonic() - begun

    async with web(server.url) as engine:
        with worker(server.url) as process:
            job = await engine.jobs.submit("a.com", OPTIONS)
            await until(engine, job, is_halfway)
            server.stop(signal.SIGQUIT)
            seconds = [
                await refused(lambda: engine.jobs.submit("b.com", OPTIONS)),
                await refused(lambda: engine.store.enrichment(job.id)),
                await refused(engine.jobs.check_open),
            ]
            await asyncio.sleep(2)
            server.start()
            back_at = time.monotonic()
            while True:
                with contextlib.suppress(DatabaseUnavailable):
                    later = await engine.jobs.submit("b.com", OPTIONS)
                    break
            accepted_after = time.monotonic() - back_at
            done = [await until(engine, each, is_finished) for each in (job, later)]
            still_runs = process.poll() is None

    assert max(seconds) < 1
    assert accepted_after < 1
    assert still_runs
    assert [each.state for each in done] == [JobState.COMPLETED] * 2


async def test_connections_that_are_cut_in_the_middle_of_a_statement_are_replaced(url: str) -> None:
    def cut() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(30):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                time.sleep(0.05)

    async with web(url) as engine:
        with worker(url):
            jobs = [await engine.jobs.submit(f"{number}.com", OPTIONS) for number in range(5)]
            await asyncio.to_thread(cut)
            done = [await until(engine, job, is_finished) for job in jobs]

    assert [job.state for job in done] == [JobState.COMPLETED] * 5
    assert [job.completed for job in done] == [3] * 5
