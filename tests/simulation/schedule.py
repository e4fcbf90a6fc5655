"""
Schedules by their seeds.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Final, NamedTuple

from tests.simulation.clients import Clients
from tests.simulation.loop import SimulatedLoop
from tests.simulation.world import Violation, World

MAX_STORE_CALLS: Final = 120
"A failing call of the store is one of so many."


class Outcome(NamedTuple):
    """The number of events of each kind, the schedules that failed, and the events of those or of all."""

    counts: Counter[str]
    failures: list[str]
    traces: list[str]


def run_schedule(seed: int, *, fails_at: int = 0, after: bool = False) -> World:
    """
    Run one schedule. Raises `Violation`, or what else escaped from the engine; a note has the events.

    `fails_at` is the number of the call of the store that fails, before its work is done or `after` that.
    """
    world: World | None = None

    async def run() -> None:
        nonlocal world
        world = World(seed, fails_at=fails_at, after=after)
        await Clients(world).run()

    loop = SimulatedLoop()
    try:
        loop.run_until_complete(run())
        assert world
        if problems := [*world.violations, *loop.errors]:
            raise Violation("; ".join(problems))
    except BaseException as error:
        error.add_note("\n".join(world.events) if world else "There is no event.")
        raise
    finally:
        loop.close()
    return world


def run_schedules(seeds: Iterable[int], *, store_fails: bool = False, trace: bool = False) -> Outcome:
    """Run all of them, without logging; with `store_fails`, one call of the store fails in each."""
    outcome = Outcome(Counter(), [], [])
    logging.disable(logging.CRITICAL)
    try:
        for seed in seeds:
            rng = Random(seed)
            fails_at = rng.randint(1, MAX_STORE_CALLS) if store_fails else 0
            try:
                world = run_schedule(seed, fails_at=fails_at, after=rng.random() < 0.5)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - a source's `sys.exit()` may have escaped
                outcome.failures.append(f"seed {seed}: {type(error).__name__}: {error}")
                outcome.traces.append(f"seed {seed}\n{error.__notes__[0]}")
            else:
                outcome.counts.update(world.counts)
                if trace:
                    outcome.traces.append(f"seed {seed}\n" + "\n".join(world.events))
    finally:
        logging.disable(logging.NOTSET)
    return outcome
