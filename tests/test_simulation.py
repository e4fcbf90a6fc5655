"""
Random schedules of the engine in simulated time.

The environment variable `SIMULATION_SEED` sets the first seed of the random ones, `SIMULATION_SCHEDULES` their number.
A single schedule is repeated by `python -m tests.simulation --first SEED --schedules 1 --trace`.
"""

import os
import subprocess
import sys
from collections import Counter
from typing import Final

import pytest

from tests.conftest import ROOT, RUN
from tests.simulation.clients import ACTIONS
from tests.simulation.loop import SimulatedLoop, Stuck
from tests.simulation.schedule import run_schedule, run_schedules
from tests.simulation.sources import BEHAVIOURS

SEED: Final = int(os.environ.get("SIMULATION_SEED") or RUN % 10**9)
SCHEDULES: Final = int(os.environ.get("SIMULATION_SCHEDULES") or 3_500)
FIXED: Final = range(1_000)
WITH_FAILING_STORE: Final = range(500)
SAMPLE: Final = range(60)


@pytest.mark.parametrize(
    ("seeds", "options"),
    [(FIXED, ()), (range(SEED, SEED + SCHEDULES), ()), (WITH_FAILING_STORE, ("--store-fails",))],
    ids=["fixed", f"from {SEED}", "failing store"],
)
def test_no_schedule_breaks_a_rule(seeds: range, options: tuple[str, ...]) -> None:
    """In processes of their own: in this one they would take three times as long, as its coverage is measured."""
    command = [sys.executable, "-m", "tests.simulation", f"--first={seeds[0]}", f"--schedules={len(seeds)}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_has_the_same_events_in_every_run() -> None:
    first, second = [run_schedules(SAMPLE, trace=True) for _ in range(2)]

    assert first.failures == []
    assert first.traces == second.traces
    assert len(set(first.traces)) == len(SAMPLE)


def test_all_kinds_of_events_occur() -> None:
    events = Counter(event.split(" ", 1)[1].strip() for seed in SAMPLE for event in run_schedule(seed).events)

    assert {f"client: {action}" for action in ACTIONS} <= events.keys()
    assert {f"behaviour: {kind}" for kind in BEHAVIOURS} <= events.keys()
    assert {"refused", "shut down", "closed"} <= events.keys()
    for state in ("completed", "failed", "cancelled"):
        assert any(event.startswith(f"ended: {state} job") for event in events)


def test_a_violation_is_reported_with_its_seed_and_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the engine catches it, as whatever a source raises."""
    monkeypatch.setattr("tests.simulation.world.World._call_begins", lambda world, *_: world.fail("Planted."))
    outcome = run_schedules(SAMPLE)

    assert outcome.failures
    assert all("Violation: Planted." in failure for failure in outcome.failures)
    assert all("VIOLATION: Planted." in trace for trace in outcome.traces)
    assert outcome.failures[0].split(":")[0] == outcome.traces[0].split("\n")[0]


def test_a_loop_in_which_nobody_can_be_woken_is_stuck() -> None:
    loop = SimulatedLoop()
    with pytest.raises(Stuck):
        loop.run_until_complete(loop.create_future())
    loop.close()
