"""
Prints how well the rules read the profiles: `python -m tests.profiles [FOLDER]`, with `-v` every fault.
"""

import sys
from collections import Counter
from pathlib import Path

from enrichment.icp.reader import read_text
from tests.profiles import TEXTS, Result, cases, compare


def main(arguments: list[str]) -> None:
    """Print the faults, and precision and recall by kind of text and by measure."""
    verbose = "-v" in arguments
    folders = [Path(one) for one in arguments if not one.startswith("-")]
    results = [(case, compare(case, read_text(case.text))) for case in cases(folders[0] if folders else TEXTS)]
    for case, result in results:
        if verbose and (result.wrong or result.missed):
            print(f"\n[{case.kind}] {case.text}")
            print(
                "".join(f"  wrong:  {one}\n" for one in result.wrong)
                + "".join(f"  missed: {one}\n" for one in result.missed),
                end="",
            )
    print("\nkind of text                    texts  without a wrong condition")
    for kind in dict.fromkeys(case.kind for case, _ in results):
        own = [result for case, result in results if case.kind == kind]
        print(f"{kind:<30} {len(own):>6} {sum(not one.wrong for one in own):>6}")
    print("\nmeasure                       right  wrong missed precision recall")
    counts = {
        part: Counter(_measure(one) for _, result in results for one in getattr(result, part))
        for part in Result._fields
    }
    for measure in sorted(set().union(*counts.values())):
        right, wrong, missed = (counts[part][measure] for part in Result._fields)
        print(_row(measure, right, wrong, missed))
    right, wrong, missed = (counts[part].total() for part in Result._fields)
    print(_row("all", right, wrong, missed))
    clean = sum(not result.wrong for _, result in results)
    print(
        f"\n{clean} of {len(results)} texts without a wrong condition; score {score([one for _, one in results]):.3f}"
    )


def score(results: list[Result]) -> float:
    """Right conditions of all, where a wrong one weighs as three missed ones."""
    right, wrong, missed = (sum(len(getattr(one, part)) for one in results) for part in Result._fields)
    return right / max(1, right + 3 * wrong + missed)


def _row(name: str, right: int, wrong: int, missed: int) -> str:
    shares = f"{_share(right, right + wrong):>9} {_share(right, right + missed):>6}"
    return f"{name:<28} {right:>6} {wrong:>6} {missed:>6} {shares}"


def _measure(shown: str) -> str:
    return shown.lstrip("!~").split(" ", 1)[0]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


if __name__ == "__main__":
    main(sys.argv[1:])
