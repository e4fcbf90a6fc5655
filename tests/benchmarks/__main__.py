"""
Measures our service beside others (`python -m tests.benchmarks`), or under more load than it can take (`--load`).
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tests.benchmarks import document1, document2, overload, report
from tests.benchmarks.footprint import footprint
from tests.benchmarks.load import CONNECTIONS, GENERATOR
from tests.benchmarks.report import Figures, Rounds
from tests.benchmarks.servers import CONTENDERS, OURS, UVICORN, Contender, before

PENDING = 100_000
"So many pending jobs, and so many finished ones, are to fit into little memory."

TOLD = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec", "fastapi", "pydantic", "litestar", "blacksheep")
"The distributions whose versions matter."


def main() -> None:
    """What the command line asks for."""
    options = _options()
    lines = [*_machine(), ""]
    print("\n".join(lines), flush=True)
    result: dict[str, Any] = {"machine": lines[:-1]}
    if options.load:
        result["load"] = overload.overload(options.seconds or 60, options.connections)
        print("\n".join(overload.report(result["load"])))
    else:
        print(f"load from {GENERATOR} on {CONNECTIONS} connections\n", flush=True)
        result["figures"] = _measure(options.contenders, options)
        print("\n".join(_tables(result["figures"])))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--load", action="store_true", help="mixed traffic above what our service can take, instead")
    parser.add_argument("--seconds", type=float, help="of each measurement (5; quick: 1), or of the load (60)")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (3; quick: 1)")
    parser.add_argument("--finished-jobs", type=int, help="to weigh (30000; quick: 2000)")
    parser.add_argument("--connections", type=int, default=64, help="of --load (64)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure of every round there")
    parser.add_argument(
        "--beside", type=Path, metavar="DIR", help="also measure the service of that checkout, as 'before'"
    )
    parser.add_argument("--only", metavar="NAMES", help="measure only ours and these contenders, separated by commas")
    options = parser.parse_args()
    contenders = (OURS, before(options.beside), *CONTENDERS[1:]) if options.beside else CONTENDERS
    names = {contender.name for contender in contenders}
    wanted = {OURS.name, *map(str.strip, options.only.split(","))} if options.only else names
    if unknown := ", ".join(sorted(wanted - names)):
        parser.error(f"--only: there is no {unknown}; there are {', '.join(sorted(names))}")
    options.contenders = tuple(contender for contender in contenders if contender.name in wanted)
    return options


def _measure(contenders: tuple[Contender, ...], options: argparse.Namespace) -> Figures:
    seconds = options.seconds or (1 if options.quick else 5)
    rounds = options.rounds or (1 if options.quick else 3)
    finished = options.finished_jobs or (2_000 if options.quick else 30_000)
    pending = 5_000 if options.quick else 20_000
    for contender in contenders:
        _progress(f"checking {contender.name}")
        document1.check(contender)
    figures: Figures = {contender.name: {} for contender in contenders}
    for turn in range(rounds):
        # Who comes first changes from round to round, lest a machine that grows hot is always somebody's disadvantage.
        first = turn % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            _progress(f"round {turn + 1} of {rounds}: {contender.name}")
            _note(figures[contender.name], document1.figures(contender, seconds=seconds, pending_jobs=pending))
        _progress(f"round {turn + 1} of {rounds}: first answers")
        for name, answered in document1.first_answers(contenders).items():
            _note(figures[name], {"first answer s": answered})
        ours = figures[OURS.name]
        _progress(f"round {turn + 1} of {rounds}: enrichments, batches, lists")
        _note(ours, document2.figures(seconds, finished))
        for contender in contenders:
            if contender.is_service and contender is not OURS:
                _progress(f"round {turn + 1} of {rounds}: finished enrichments of {contender.name}")
                _note(figures[contender.name], document2.finished(contender, seconds, finished))
        kept = ours["idle MB"][-1] + ours["bytes per finished job"][-1] * PENDING / 1e6
        _note(ours, {"MB with 100,000 finished": kept, "MB with 100,000 pending": document1.ours_with_pending(PENDING)})
        for page in ("first page", "last page"):
            for size in document2.SIZES:
                name = f"list of {size:,}, {page}"
                _note(ours, {f"{name} µs": 1e6 / ours[f"{name}/s"][-1]})
    for contender in contenders:
        megabytes, packages = footprint(contender)
        _note(figures[contender.name], {"installed MB": megabytes, "packages": packages}, times=rounds)
    return figures


def _note(figures: Rounds, found: dict[str, float], *, times: int = 1) -> None:
    for name, value in found.items():
        figures.setdefault(name, []).extend([value] * times)


def _tables(figures: Figures) -> list[str]:
    ours = figures["ours"]
    shared = [name for name in ours if all(name in theirs for theirs in figures.values())]
    others = {name: rounds for name, rounds in figures.items() if name != "before"}
    versions = {name: rounds for name, rounds in figures.items() if name in ("ours", "before")}
    spread = "median (lowest-highest of the rounds)"
    return [
        *_section("POST /enrich and GET /enrich/{job_id}: medians", report.medians(figures, shared)),
        *(_section(f"Ours by theirs: {spread}", report.ratios(others, shared)) if len(others) > 1 else ()),
        *(_section(f"Ours by before: {spread}", report.ratios(versions, report.BESIDE)) if len(versions) > 1 else ()),
        *_section("Enrichments, ours alone: medians", report.document2(figures)),
        *_section("How it grows", report.growth(ours)),
        *_section(
            "Memory, ours alone: medians",
            report.medians(
                {"ours": ours}, ["bytes per finished job", "MB with 100,000 finished", "MB with 100,000 pending"]
            ),
        ),
        "MB with 100,000 finished: idle MB + 100,000 x bytes per finished job; --finished-jobs 100000 weighs them all.",
        "",
        *_section("Targets", report.targets(figures)),
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, "", *("    " + line for line in lines), ""]


def _machine() -> list[str]:
    model = [line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    versions = {each.name.lower(): each.version for each in distributions()}
    hardware = f"{model[0] if model else platform.machine()}, {os.cpu_count()} cores"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        f"{hardware}, {platform.system()}, {python}; load average {os.getloadavg()[0]:.1f} before this began",
        ", ".join(f"{name} {versions[name]}" for name in TOLD if name in versions),
        f"uvicorn {UVICORN}",
    ]


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
