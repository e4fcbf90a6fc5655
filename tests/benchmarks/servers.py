"""
The contenders, and a server process for each on the same uvicorn settings.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
UVICORN = "--loop uvloop --http httptools --workers 1 --no-access-log --log-level warning"
PAGE = os.sysconf("SC_PAGE_SIZE")


def web_command() -> str:
    """The command with which the Procfile starts a web process."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return next(line.removeprefix("web: ") for line in lines if line.startswith("web: "))


@dataclass(frozen=True)
class Contender:
    """Who is measured; `needs` are the distributions that it is installed by, `directory` is where it is started."""

    name: str
    app: str
    needs: tuple[str, ...]
    directory: Path = ROOT

    @property
    def is_service(self) -> bool:
        """Whether it is a version of the service, with all its routes and settings."""
        return self.app == "service:app"


def _contender(name: str, module: str, *needs: str) -> Contender:
    return Contender(name, f"tests.benchmarks.contenders.{module}:app", ("uvicorn", *needs))


OURS = Contender(
    "ours",
    "service:app",
    tuple(
        line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"
    ),
)
FASTAPI = _contender("FastAPI", "fastapi_app", "fastapi")
BARE = _contender("bare", "bare")
CONTENDERS = (
    OURS,
    BARE,
    FASTAPI,
    _contender("Litestar", "litestar_app", "litestar"),
    _contender("Starlette", "starlette_app", "starlette"),
    _contender("BlackSheep", "blacksheep_app", "blacksheep"),
)


def before(directory: Path) -> Contender:
    """Return the version of the service that is checked out in `directory`, to be run in this environment."""
    return replace(OURS, name="before", directory=directory.resolve())


class Server:
    """A contender in a process of its own while entered, with these variables and a bare environment."""

    def __init__(self, contender: Contender, **environ: str) -> None:
        self.name = contender.name
        self._directory = contender.directory
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "uvicorn", contender.app, "--port", str(self.port), *UVICORN.split()]
        self._environ = {"PATH": os.environ["PATH"], **environ}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.seconds_to_first_answer = 0.0

    def __enter__(self) -> Self:
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            self._command,
            cwd=self._directory,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait_for_an_answer(begun)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._log.close()

    def _wait_for_an_answer(self, begun: float) -> None:
        while self.process.poll() is None and time.perf_counter() < begun + 30:
            try:
                self.get("/enrich/none")
            except OSError:
                time.sleep(0.002)
            else:
                self.seconds_to_first_answer = time.perf_counter() - begun
                return
        raise RuntimeError(f"{self.name} did not come up:\n{self.log}")

    def kill(self) -> None:
        """End it at once. Idempotent."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """End it as a platform does, so that it can say its last words."""
        self.process.terminate()
        try:
            self.process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def log(self) -> str:
        """What it has written so far."""
        # Not `seek`, which would move the place where the process writes: they share it.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    @property
    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    def get(self, path: str, *, timeout: float = 10) -> tuple[int, bytes]:
        """Status and body, over a connection of its own."""
        return self._ask("GET", path, None, timeout)

    def post(self, path: str, body: str = "{}") -> Any:
        """The JSON of a 202."""
        status, answer = self._ask("POST", path, body, 60)
        if status != 202:
            raise RuntimeError(f"{self.name} answered {status} to POST {path}: {answer.decode()}")
        return json.loads(answer)

    def _ask(self, method: str, path: str, body: str | None, timeout: float) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def settled_rss(server: Server) -> int:
    """Resident memory once the last work is over."""
    time.sleep(0.5)
    return server.rss
