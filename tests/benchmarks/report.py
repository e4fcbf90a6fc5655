"""
The tables: figures, ratios, growth, targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from tests.benchmarks.document2 import SIZES

Rounds = dict[str, list[float]]
"A figure's name, and its value in each round."
Figures = dict[str, Rounds]
"That by contender."


@dataclass(frozen=True)
class Target:
    """
    What a figure of ours has to be: as a ratio to the figure `than` of `other`, or in itself if there is no `than`.

    It counts only if `other` is measured.
    """

    text: str
    figure: str
    sign: Literal[">=", "<="]
    bound: float
    other: str = "ours"
    than: str = ""


LARGEST = f"list of {SIZES[-1]:,}"
SMALLEST = f"list of {SIZES[0]:,}"
TARGETS = (
    Target("POST /enrich rate", "POST/s", ">=", 5.0, "FastAPI", "POST/s"),
    Target("POST /enrich rate", "POST/s", ">=", 1.0, "bare", "POST/s"),
    Target("POST /enrich p99", "POST p99 ms", "<=", 0.1, "FastAPI", "POST p99 ms"),
    Target("GET /enrich/{id} rate", "GET pending/s", ">=", 2.5, "FastAPI", "GET pending/s"),
    Target("GET /enrich/{id} rate", "GET pending/s", ">=", 0.75, "bare", "GET pending/s"),
    Target("bytes per pending job", "bytes per pending job", "<=", 3_000),
    Target("idle memory", "idle MB", "<=", 0.8, "FastAPI", "idle MB"),
    Target("seconds to first answer", "first answer s", "<=", 0.6, "FastAPI", "first answer s"),
    Target("start of 1 module, rate", "start, 1 module/s", ">=", 3.0, "FastAPI", "POST/s"),
    Target("start of 15 modules, rate", "start, 15 modules/s", ">=", 3.0, "FastAPI", "POST/s"),
    Target("status of a finished job, rate", "status/s", ">=", 2.0, "FastAPI", "GET pending/s"),
    Target("list, first page, cost", f"{LARGEST}, first page µs", "<=", 1.5, "ours", f"{SMALLEST}, first page µs"),
    Target("list, last page, cost", f"{LARGEST}, last page µs", "<=", 1.5, "ours", f"{SMALLEST}, last page µs"),
    Target("MB, process with 100,000 finished jobs", "MB with 100,000 finished", "<=", 300),
    Target("MB, process with 100,000 pending jobs", "MB with 100,000 pending", "<=", 512),
    Target("POST /enrich rate", "POST/s", ">=", 0.85, "before", "POST/s"),
    Target("GET /enrich/{id} rate, pending", "GET pending/s", ">=", 0.85, "before", "GET pending/s"),
    Target("GET /enrich/{id} rate, complete", "GET complete/s", ">=", 0.85, "before", "GET complete/s"),
    Target("POST /enrich p99", "POST p99 ms", "<=", 2.0, "before", "POST p99 ms"),
    Target("bytes per finished job", "bytes per finished job", "<=", 3_200, "before"),
    Target("idle memory", "idle MB", "<=", 1.0, "before", "idle MB"),
)
BESIDE = (
    *("POST/s", "POST p99 ms", "GET pending/s", "GET complete/s"),
    *("bytes per pending job", "idle MB", "bytes per finished job"),
)
"The figures that two versions of the service are compared by."

GROWTH = (
    *(("list, " + page, [f"list of {size:,}, {page}" for size in SIZES]) for page in ("first page", "last page")),
    ("start, 1 module", ["start, 1 module", f"start, 1 module, after {SIZES[-1]:,}"]),
    ("batch of 100", ["batch of 100", f"batch of 100, after {SIZES[-1]:,}"]),
)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Plain columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def number(value: float) -> str:
    """As many digits as are worth reading."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def medians(figures: Figures, names: Sequence[str]) -> list[str]:
    """A row for each figure, a column for each contender."""
    rows = [[name, *(number(median(rounds[name])) for rounds in figures.values())] for name in names]
    return table([["", *figures], *rows])


def ratios(figures: Figures, names: Sequence[str]) -> list[str]:
    """Ours by each other's: the median, and in brackets the lowest and the highest of the rounds."""
    others = [name for name in figures if name != "ours"]
    rows = [[name, *(_ratio_cell(figures["ours"][name], figures[other][name]) for other in others)] for name in names]
    return table([["ours /", *others], *rows])


def per_round(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """The ratio in each round."""
    return [mine / other if other else float("nan") for mine, other in zip(ours, theirs, strict=True)]


def _ratio_cell(ours: Sequence[float], theirs: Sequence[float]) -> str:
    each = per_round(ours, theirs)
    return f"{median(each):.2f} ({min(each):.2f}-{max(each):.2f})"


def document2(figures: Figures) -> list[str]:
    """Ours alone, and if FastAPI is measured, rates beside its own of the same rounds."""
    ours, fastapi = figures["ours"], figures.get("FastAPI")
    rows = [["", "per second", "p50 ms", "p99 ms", *(["/ FastAPI's"] if fastapi else [])]]
    for name in ours:
        if name.endswith("/s") and not name.startswith(("POST", "GET")):
            what = name.removesuffix("/s")
            theirs = "POST/s" if what.startswith(("start", "batch")) else "GET pending/s"
            latencies = [number(median(ours[f"{what} {percentile} ms"])) for percentile in ("p50", "p99")]
            beside = [f"{_ratio_cell(ours[name], fastapi[theirs])} {theirs.removesuffix('/s')}"] if fastapi else []
            rows.append([what, number(median(ours[name])), *latencies, *beside])
    return table(rows)


def growth(ours: Rounds) -> list[str]:
    """The cost of the same thing when there is more."""
    rows = []
    for what, steps in GROWTH:
        costs = [1e6 / median(ours[f"{step}/s"]) for step in steps]
        sizes = SIZES if len(steps) == len(SIZES) else (0, SIZES[-1])
        cells = " ".join(f"{size:,}: {number(cost)} µs" for size, cost in zip(sizes, costs, strict=True))
        rows.append([what, cells, f"x {costs[-1] / costs[0]:.2f}"])
    halves = [median(ours[f"bytes per finished job, {half} half"]) for half in ("first", "second")]
    rows.append(
        [
            "bytes per finished job",
            f"first half: {number(halves[0])} second: {number(halves[1])}",
            f"x {halves[1] / halves[0]:.2f}",
        ]
    )
    return table([["jobs there are: cost", "", "growth"], *rows])


def targets(figures: Figures) -> list[str]:
    """Each with what was measured, and whether that is enough."""
    rows = []
    for target in TARGETS:
        if target.other not in figures:
            continue
        each = figures["ours"][target.figure]
        if target.than:
            each = per_round(each, figures[target.other][target.than])
        measured = median(each)
        is_met = measured >= target.bound if target.sign == ">=" else measured <= target.bound
        beside = f" x {target.other} {target.than}" if target.than else ""
        rows.append(
            [target.text, f"{target.sign} {target.bound:g}{beside}", number(measured), "met" if is_met else "NOT MET"]
        )
    return table([["target", "bound", "measured", ""], *rows])
