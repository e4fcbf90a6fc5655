"""
Kills workers at random points of their work, and recounts every job: `python -m tests.postgres.kills URL --kills=300`.

Each worker is a process that kills itself with SIGKILL at one of its transactions: before it begins, before its commit,
or after it. procrastinate's own transactions are among them. Four workers run at a time, and others follow them until
there have been enough deaths; the last ones may finish what is left.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, TypeVar

import procrastinate.worker  # noqa: F401 - now, and not in each of the copies
import psycopg
from psycopg_pool import AsyncConnectionPool

from enrichment.engine import Engine
from enrichment.jobs.model import BatchItem, JobOptions
from enrichment.modules.module import Finding, Module, Subject
from enrichment.postgres import database, workers
from enrichment.postgres.migrate import migrate
from enrichment.settings import Settings
from enrichment.sources.simulated.source import COMPANY
from schemas import CompanyData
from tests.engine import Fact

MODULES: Final = ("m01_company_context", "m02_tech_stack", "m03_traffic")
WORKERS: Final = 4
MAX_TRANSACTIONS: Final = 24
"In which a worker dies; a job of three modules takes some 25."
BATCH_SIZE, CONCURRENCY = 12, 3
AUDIT: Final = """
CREATE TABLE audit (at timestamptz NOT NULL DEFAULT clock_timestamp(), job_id text, what text, before text, after text);
CREATE FUNCTION audit_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (job_id, what, before, after) VALUES (NEW.id, 'state', OLD.state, NEW.state); RETURN NEW;
END $$;
CREATE TRIGGER audit_job AFTER UPDATE OF state ON enrichment_jobs FOR EACH ROW WHEN (OLD.state <> NEW.state
    OR OLD.finished_at IS NOT NULL) EXECUTE FUNCTION audit_job();
CREATE FUNCTION audit_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (job_id, what, before, after) VALUES (NEW.job_id, 'step', '', NEW.module_id); RETURN NEW;
END $$;
CREATE TRIGGER audit_step AFTER INSERT OR UPDATE ON enrichment_steps FOR EACH ROW WHEN (NEW.has_ended)
    EXECUTE FUNCTION audit_step();
"""


class Call(NamedTuple):
    """A call of a source, by the times at which it began and ended, if only with its process."""

    domain: str
    module_id: str
    begun: float
    ended: float


class LoggedSource:
    """A source that writes the beginning and the end of each call into a file, which survives the process."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.rng = random.Random()

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Answer after some milliseconds."""
        line = f"{os.getpid()} {subject.domain} {module.id} {self.rng.random()}"
        self._write("begin", line)
        await asyncio.sleep(self.rng.uniform(0, 0.01))
        self._write("end", line)
        return Finding.of(Fact(call=1), source="logged", fetched_at=time.time())

    def _write(self, what: str, line: str) -> None:
        os.write(self._log, f"{what} {time.time()} {line}\n".encode())


class Companies:
    """A source of lookups."""

    name = "companies"
    expected_seconds = 1.0

    async def look_up(self, domain: str) -> CompanyData:
        """Answer at once."""
        return COMPANY


C = TypeVar("C", bound=psycopg.AsyncConnection[Any])


class MortalPool(AsyncConnectionPool[C]):
    """A pool of connections in one of whose transactions the process kills itself."""

    left = 0
    where = "before"

    @contextlib.asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[C]:  # noqa: ASYNC109
        MortalPool.left -= 1
        is_last = MortalPool.left == 0
        self._die(is_last and self.where == "before")
        async with super().connection(timeout) as connection:
            yield connection
            self._die(is_last and self.where == "inside")
        self._die(is_last and self.where == "after")

    def _die(self, is_time: bool) -> None:
        if is_time:
            os.kill(os.getpid(), signal.SIGKILL)


def settings_of(url: str) -> Settings:
    return Settings(
        jobs_backend="postgres", database_url=url, worker_lease_seconds=1, worker_grace_seconds=0, max_running_jobs=4
    )


async def work(engine: Engine) -> None:
    """Run jobs, until the end of the process or of all jobs."""
    async with engine:
        while True:
            await asyncio.sleep(0.1)
            page = await engine.store.page(None, (), limit=1, offset=0)
            if page.running + page.queued == 0:
                break


async def submit(url: str, jobs: int) -> int:
    """Accept about so many jobs: lookups, enrichments of their own domains and of shared ones, and batches."""
    options = JobOptions(modules=MODULES, priority="normal", force=False, request_id="r")
    accepted = 0
    async with Engine(settings_of(url)) as engine:
        while accepted < jobs:
            for number in range(4):
                await engine.jobs.submit(f"single-{accepted}-{number}.com", options)
            await engine.jobs.submit_lookup(f"lookup-{accepted}.com", request_id="r")
            items = [BatchItem(domain=f"batch-{accepted}-{number}.com") for number in range(BATCH_SIZE)]
            await engine.jobs.submit_batch(items, options, CONCURRENCY)
            accepted += 5 + BATCH_SIZE
    return accepted


def fork(engine: Engine, source: LoggedSource, seed: int, *, is_mortal: bool) -> int:
    """Start a worker as a copy of this process, and return its id."""
    if pid := os.fork():
        return pid
    rng = source.rng = random.Random(seed)
    if is_mortal:
        MortalPool.left = rng.randint(1, MAX_TRANSACTIONS)
        MortalPool.where = rng.choice(("before", "inside", "after"))
    try:
        asyncio.run(work(engine))
    except BaseException:  # noqa: BLE001 - nothing of this process may go on in the copy
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def run(url: str, log: Path, kills: int, seed: int) -> tuple[Counter[str], dict[int, float]]:
    """Let workers run and die. Return how they ended, and when each did, by its process."""
    source = LoggedSource(log)
    engine = Engine(settings_of(url), source=Companies(), sources={"simulated": source, "local": source}, works=True)
    engine._case_studies()
    gc.freeze()  # what the copies share stays shared
    endings: Counter[str] = Counter()
    ended_at: dict[int, float] = {}
    running: set[int] = set()
    while True:
        while len(running) < WORKERS and (endings["killed"] < kills or not running):
            seed += 1
            running.add(fork(engine, source, seed, is_mortal=endings["killed"] < kills))
        pid, status = os.waitpid(-1, 0)
        running.discard(pid)
        ended_at[pid] = time.time()
        endings[ending := _ending(status)] += 1
        if ending in ("done", "failed"):
            break
    while running:
        pid, status = os.waitpid(-1, 0)
        running.discard(pid)
        ended_at[pid] = time.time()
        endings[_ending(status)] += 1
    return endings, ended_at


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "killed"
    return {0: "done", workers.EXIT_OVERTAKEN: "overtaken"}.get(os.WEXITSTATUS(status), "failed")


def read_calls(log: Path, ended_at: dict[int, float]) -> list[Call]:
    """The calls in the log. One that has not ended has ended with its process."""
    begun: dict[str, float] = {}
    calls = []
    for text in log.read_text().splitlines():
        what, at, line = text.split(" ", 2)
        if what == "begin":
            begun[line] = float(at)
        else:
            _, domain, module_id, _ = line.split(" ")
            calls.append(Call(domain, module_id, begun.pop(line), float(at)))
    for line, began in begun.items():
        pid, domain, module_id, _ = line.split(" ")
        calls.append(Call(domain, module_id, began, ended_at[int(pid)]))
    return calls


def recount(url: str, accepted: int, calls: list[Call]) -> Iterator[str]:
    """Each violation of what is promised."""
    with psycopg.connect(url) as connection:
        jobs = connection.execute(
            "SELECT id, domain, state, run, deaths, batch_id, finished_at, document ->> 'error' FROM enrichment_jobs"
        ).fetchall()
        states = connection.execute(
            "SELECT job_id, before, after FROM audit WHERE what = 'state' ORDER BY at"
        ).fetchall()
        steps = connection.execute(
            "SELECT job_id, after, extract(epoch FROM at)::float8 FROM audit WHERE what = 'step'"
        ).fetchall()
        (entries,) = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() or (None,)
        (left,) = connection.execute("SELECT count(*) FROM enrichment_steps").fetchone() or (None,)
        counts: dict[str, int] = dict(
            connection.execute("SELECT what, sum(amount) FROM enrichment_counts GROUP BY what").fetchall()
        )
    if len(jobs) != accepted:
        yield f"{accepted} jobs were accepted, {len(jobs)} are held"
    if entries or left:
        yield f"{entries} entries of the queue and {left} steps are left"
    ended = {(job_id, module_id): at for job_id, module_id, at in steps}
    if len(ended) != len(steps):
        yield "a module was recorded twice"
    finals = Counter(job_id for job_id, _, after in states if after not in ("queued", "running"))
    runs = {}
    id_of = {}
    for job_id, domain, state, run, deaths, _, finished_at, error in jobs:
        runs[domain], id_of[domain] = run, job_id
        if finished_at is None or finals[job_id] != 1:
            yield f"{job_id} is {state} after {finals[job_id]} endings"
        elif deaths >= 3 and state == "failed" and error.startswith("worker_lost"):
            continue
        elif state != "completed" or deaths >= 3:
            yield f"{job_id} is {state} after {deaths} deaths: {error}"
        elif domain.startswith(("single", "batch")) and any((job_id, each) not in ended for each in MODULES):
            yield f"{job_id} is completed without all of its modules"
    of_module = Counter((call.domain, call.module_id) for call in calls)
    yield from (
        f"{key} was called {n} times in {runs[key[0]]} runs" for key, n in of_module.items() if n > runs[key[0]]
    )
    late = [call for call in calls if call.begun > ended.get((id_of[call.domain], call.module_id), call.begun)]
    yield from (f"{call} began after its module was recorded" for call in late)
    held = Counter(state for _, domain, state, *_ in jobs if not domain.startswith("lookup"))
    yield from (f"{held[s]} jobs are {s}, {counts.get(s)} are counted" for s in held if held[s] != counts.get(s))
    yield from recount_batches({domain: batch_id for _, domain, _, _, _, batch_id, *_ in jobs if batch_id}, calls)


def recount_batches(batch_of: dict[str, str], calls: list[Call]) -> Iterator[str]:
    """Each batch of which more jobs than allowed made calls at the same time."""
    events: dict[str, list[tuple[float, int, str]]] = defaultdict(list)
    for call in calls:
        if batch_id := batch_of.get(call.domain):
            events[batch_id] += [(call.begun, 1, call.domain), (call.ended, -1, call.domain)]
    for batch_id, changes in events.items():
        running: Counter[str] = Counter()
        for _, change, domain in sorted(changes):
            running[domain] += change
            if len(+running) > CONCURRENCY:
                yield f"{len(+running)} jobs of {batch_id} ran at the same time"
                break


def main() -> int:
    """Do what the command line asks for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres.kills", description=__doc__)
    parser.add_argument("url", help="of an empty database")
    parser.add_argument("--kills", type=int, default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of all choices")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    migrate(options.url)
    with psycopg.connect(options.url) as connection:
        connection.execute(AUDIT.encode())
    accepted = asyncio.run(submit(options.url, 2 * options.kills))
    database.AsyncConnectionPool = MortalPool  # type: ignore[attr-defined]
    workers.MAINTENANCE_SECONDS = 1.0  # type: ignore[misc]
    workers.TRUST_LEASES = 0.0  # type: ignore[misc]  # as workers do not live that long
    begun = time.monotonic()
    with TemporaryDirectory() as directory:
        log = Path(directory) / "calls"
        log.touch()
        endings, ended_at = run(options.url, log, options.kills, options.seed)
        calls = read_calls(log, ended_at)
    faults = list(recount(options.url, accepted, calls))
    print(*faults[:20], sep="\n")
    print(f"{accepted} jobs, {len(calls)} calls, workers {dict(endings)} in {time.monotonic() - begun:.1f} s")
    print(f"{len(faults)} faults")
    return 1 if faults or endings["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
