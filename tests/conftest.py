"""
What several tests share: a clock that a test moves, and servers on real sockets.
"""

import asyncio
import heapq
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from enrichment.clock import Clock
from enrichment.postgres.migrate import migrate
from enrichment.settings import Settings
from service import create_app
from tests.contract import check_answer
from tests.postgres.server import create_database, empty, running_server

ROOT = Path(__file__).parent.parent
RUN = int(os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex, 16)
"A random number, the same for all processes of a run of the tests: they have to name the same tests."


class FakeClock(Clock):
    """A clock that stands still until a test moves it. Sleepers are woken in the order of their times."""

    def __init__(self) -> None:
        self.settle: Callable[[], Awaitable[None]] = settle
        "Waits until nothing happens any more; a test whose tasks wait for a database puts its own function here."
        self._now = 1_772_102_100.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, id(future), future))
        await future

    @property
    def sleeping(self) -> int:
        """The number of sleepers that are waiting."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let that much time pass, and all tasks do what they do in it."""
        end = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            await self.settle()
        self._now = end

    def spend(self, seconds: float) -> None:
        """Let time pass without waking sleepers, as work that blocks the event loop does."""
        self._now += seconds

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        """As `asyncio.timeout`, by this clock."""
        begin = asyncio.get_running_loop().create_task(self.sleep(seconds))
        async with asyncio.timeout(None) as limit:
            begin.add_done_callback(lambda task: None if task.cancelled() else limit.reschedule(-1))
            try:
                yield
            finally:
                begin.cancel()


async def settle() -> None:
    """Let all tasks run until each waits for time to pass, for a socket, or for another task."""
    scheduled = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # asyncio has no public name for it
    await asyncio.sleep(0)
    while scheduled:
        await asyncio.sleep(0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: `TEST_DATABASE_URL`, or one that runs during the session."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with running_server() as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_database(postgres_server: str) -> str:
    """The URL of a database with our tables."""
    url = create_database(postgres_server, f"lead_enrichment_{os.environ.get('PYTEST_XDIST_WORKER', 'tests')}")
    migrate(url)
    return url


@pytest.fixture
def database_url(migrated_database: str) -> str:
    """The URL of that database, with empty tables."""
    empty(migrated_database)
    return migrated_database


class PromptServer(uvicorn.Server):
    """uvicorn without its pauses of a tenth of a second, which would be most of the time of most tests."""

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, **options))
        self.is_to_end = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.is_to_end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        async with asyncio.timeout(5):
            while self.server_state.connections or self.server_state.tasks:
                await asyncio.sleep(0.001)
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: ASGIApp, **options: Any) -> AsyncIterator[str]:
    """The app behind uvicorn, with these options, on a loopback socket in this event loop; gives its base URL."""
    # With the protocol named: on a socket without it asyncio leaves Nagle's algorithm on, which costs 40 ms an answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = PromptServer(app, **options)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            assert not task.done()
            await asyncio.sleep(0.001)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.is_to_end.set()
            await task


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, over a real socket. Every answer is checked against the route table."""
    hooks = {"response": [check_answer]}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # else each client loads the certificates of all authorities: 20 ms
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=tls, event_hooks=hooks) as client,
    ):
        yield client


@pytest.fixture
async def client(clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service with default settings, whose clock is the test's."""
    async with client_of(create_app(Settings(), clock=clock)) as client:
        yield client


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    """For a test that configures logging: restores everything afterwards."""
    loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    names = ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks")
    switches = {name: getattr(logging, name, True) for name in names}
    yield
    for name, value in switches.items():
        setattr(logging, name, value)
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


def procfile(name: str) -> str:
    """The command of a kind of process in the `Procfile`."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return next(line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: "))


class ServerProcess:
    """A server in a process of its own, and what it has logged so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: IO[bytes]) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(self.url + "/health", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        pytest.fail(f"the server did not come up:\n{self.log}")

    def terminate(self) -> int:
        """SIGTERM, then the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=25)


@contextmanager
def server_process(command: str, tmp_path: Path, **environ: str) -> Iterator[ServerProcess]:
    """Run a shell command that serves on `$PORT`, in the repository, with these variables and no other of ours."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "server.log").open("w+b"))
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=ROOT,
            env={"PATH": path, "PORT": str(port), **environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield ServerProcess(process, port, log)
        finally:
            process.kill()
            process.wait()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly if the tests in a browser did not run."""
    skipped = terminalreporter.getreports("skipped")
    count = sum("test_docs_browser" in report.nodeid for report in skipped)
    if count:
        terminalreporter.section(f"NOT TESTED: {count} tests of the page at /docs did not run", red=True, bold=True)
        terminalreporter.line("There is no Chromium on this machine. On Debian: apt-get install chromium", red=True)
