"""
Schemathesis compares the service with its OpenAPI document, over a socket, with all checks: it finds nothing.

It runs with a fixed seed, and with a random one, which its report contains. `FUZZ_SEED=… pytest
tests/test_schemathesis.py` repeats a run, `SCHEMATHESIS_EXAMPLES=…` makes it longer.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from service import ROUTES
from tests.conftest import ROOT, RUN, ServerProcess, server_process

SEED: Final = int(os.environ.get("FUZZ_SEED") or RUN % 10**6)
EXAMPLES: Final = os.environ.get("SCHEMATHESIS_EXAMPLES") or "5"
FIXED_SEED: Final = 1
SECOND_PATHS: Final = "^/api/v1/campaigns/"
"What is there at another path as well, and takes long."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with a token, whose jobs take half a second."""
    command = "uvicorn service:app --http enrichment.web.server:LimitedProtocol --port $PORT"
    environ = {"API_TOKENS": "t", "SIMULATED_LOOKUP_SECONDS": "0.2", "SIMULATED_MODULE_SECONDS": "0.1"}
    with server_process(command, tmp_path_factory.mktemp("server"), LOG_LEVEL="error", **environ) as server:
        server.wait_until_healthy()
        yield server


def schemathesis(server: ServerProcess, tmp_path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run Schemathesis on the server, with all checks."""
    (tmp_path / "schemathesis.toml").touch()  # else it looks for one in all folders above
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
            *("--header", "Authorization: Bearer t", "--checks", "all", "--exclude-path-regex", SECOND_PATHS),
            *("--no-color", "--max-examples", EXAMPLES, *options),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("phases", "seed"),
    [
        pytest.param("examples,coverage,stateful", FIXED_SEED, id="fixed"),
        pytest.param("fuzzing,stateful", SEED, id=f"seed-{SEED}"),
    ],
)
def test_the_service_does_what_its_document_says(server: ServerProcess, tmp_path: Path, phases: str, seed: int) -> None:
    done = schemathesis(server, tmp_path, "--phases", phases, "--seed", str(seed))

    assert done.returncode == 0, done.stdout + done.stderr
    tested = [route for route in ROUTES if not re.match(SECOND_PATHS, route.path) and route.path != "/openapi.json"]
    assert f"Tested: {len(tested)}\n" in done.stdout  # it leaves out the document itself
    followed = int(re.findall(r"API Links: +(\d+) covered", done.stdout)[0])
    assert followed >= (4 if seed == FIXED_SEED else 1)  # random examples follow some of them
    assert f"Seed: {seed}\n" in done.stdout
