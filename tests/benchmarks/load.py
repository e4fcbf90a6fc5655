"""
Load on a server, from wrk if it is installed, else from `generator`.
"""

import itertools
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.servers import ROOT, Server

CONNECTIONS = 32
WARM_UP_SECONDS = 0.5
WRK = shutil.which("wrk")
GENERATOR = "wrk" if WRK else "the Python load generator (wrk is not installed)"

_runs = itertools.count(1)


@dataclass(frozen=True)
class Ask:
    """
    What is asked for: the paths in turn. `{n}` in a path or the body is the number of the request, `{run}` that of the
    run, so that the two together never come twice.
    """

    method: str
    paths: list[str]
    body: str = ""


@dataclass(frozen=True)
class Measured:
    """What came of it; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    wrong: int = field(repr=False)
    errors: int = field(repr=False)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds


def measure(server: Server, ask: Ask, seconds: float) -> Measured:
    """Rate and latencies after a short warm-up."""
    _put_on(server, ask, WARM_UP_SECONDS)
    return _put_on(server, ask, seconds)


def send(server: Server, ask: Ask, count: int, *, connections: int = CONNECTIONS) -> None:
    """So many requests, as fast as they are answered."""
    done = _with_python(server, ask, connections, seconds=300, count=count)
    if done.requests != count:
        raise RuntimeError(f"{server.name} answered {done.requests} of {count} requests in {done.seconds:.0f} s")


def _put_on(server: Server, ask: Ask, seconds: float) -> Measured:
    if WRK:
        return _with_wrk(WRK, server, ask, seconds)
    return _with_python(server, ask, CONNECTIONS, seconds=seconds, count=0)


def _with_wrk(wrk: str, server: Server, ask: Ask, seconds: float) -> Measured:
    script = str(Path(__file__).with_name("wrk.lua"))
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script, server.url]
    output = _output([wrk, *options, "--", *_arguments(ask)], seconds)
    (line,) = [line for line in output.splitlines() if line.startswith("figures ")]
    requests, micros, p50, p99, wrong, errors = map(float, line.split()[1:])
    return _checked(
        server, Measured(int(requests), micros / 1e6, p50 / 1_000, p99 / 1_000, wrong=int(wrong), errors=int(errors))
    )


def _with_python(server: Server, ask: Ask, connections: int, *, seconds: float, count: int) -> Measured:
    arguments = [str(server.port), str(connections), str(seconds), str(count), *_arguments(ask)]
    output = _output([sys.executable, "-m", "tests.benchmarks.generator", *arguments], seconds)
    return _checked(server, Measured(**json.loads(output)))


def _arguments(ask: Ask) -> list[str]:
    run = str(next(_runs))
    return [text.replace("{run}", run) for text in (ask.method, ask.body, *ask.paths)]


def _output(command: list[str], seconds: float) -> str:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=seconds + 60, check=True).stdout


def _checked(server: Server, done: Measured) -> Measured:
    """Figures of refused or broken requests would be those of something else."""
    if done.wrong or done.errors or not done.requests:
        raise RuntimeError(
            f"{server.name}: of {done.requests} answers {done.wrong} were errors, {done.errors} connections failed\n"
            + server.log[-2_000:]
        )
    return done
