"""
Random schedules in several processes; the seeds are printed.

`--schedules 1000000` runs that many; `--first SEED --schedules 1 --trace` repeats one and prints its events.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from tests.simulation.schedule import Outcome, run_schedules

CHUNK: Final = 250
"Schedules that a process is given at a time."
MAX_SHOWN: Final = 5
"Failures that are printed, and traces unless all are asked for."


def main() -> int:
    """Do what the command line asks for; 1 if a schedule failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=5_000, help="how many (5000)")
    parser.add_argument("--first", type=int, help="the first seed, which the others follow (random)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many (one for each processor)")
    parser.add_argument("--store-fails", action="store_true", help="let one call of the store fail in each")
    parser.add_argument("--stop", action="store_true", help="stop soon after a failure")
    parser.add_argument("--trace", action="store_true", help="print the events of all schedules")
    options = parser.parse_args()
    first: int = random.SystemRandom().randrange(10**9) if options.first is None else options.first
    seeds = range(first, first + options.schedules)
    print(f"seeds {seeds[0]} to {seeds[-1]}", flush=True)
    begun = time.perf_counter()
    total = Outcome(Counter(), [], [])
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    run = partial(run_schedules, store_fails=options.store_fails, trace=options.trace)
    with ProcessPoolExecutor(options.processes) as pool:
        for outcome in map(run, chunks) if options.processes == 1 else pool.map(run, chunks):
            total.counts.update(outcome.counts)
            total.failures.extend(outcome.failures)
            total.traces.extend(outcome.traces)
            if total.failures and options.stop:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    seconds = time.perf_counter() - begun
    print(*total.traces[: None if options.trace else 1], sep="\n\n")
    print(*(f"    {kind:<12}{count:>12,}" for kind, count in sorted(total.counts.items())), sep="\n")
    print(*total.failures[:MAX_SHOWN], sep="\n")
    print(f"{len(seeds):,} schedules in {seconds:.1f} s: {len(total.failures):,} failed")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
