"""
Workers that are killed at any point of their work: nothing is lost, and nothing happens twice.
"""

import os
import subprocess
import sys
from typing import Final

from tests.conftest import ROOT
from tests.postgres.server import create_database

KILLS: Final = os.environ.get("TEST_KILLS", "300")
"`TEST_KILLS=5000` takes some minutes."


def test_no_job_is_lost_and_none_is_done_twice_when_workers_are_killed(postgres_server: str) -> None:
    url = create_database(postgres_server, "lead_enrichment_kills")
    command = [sys.executable, "-m", "tests.postgres.kills", url, f"--kills={KILLS}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 faults\n" in done.stdout
