"""
Plants one bug after the other in a copy of the repository, and runs what has to find it: the tests of the engine, the
state machine, and random schedules.

`python -m tests.planted [WORDS]` does so for the bugs whose names have one of the words.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.conftest import ROOT
from tests.planted.bugs import BUGS, Bug

COPIED: Final = ("enrichment", "tests", "schemas.py", "service.py", "pyproject.toml", "README.md")
AREAS: Final = (
    "scheduler dispatcher store index archive resolver cache pipeline runner budget manager sources memory auth costs "
    "max_cost planning freshness"
)
PYTEST: Final = ("pytest", "--no-cov", "-qx", "-p", "no:cacheprovider")
DETECTORS: Final = {
    "simulation": ("tests.simulation", "--first=0", "--schedules=5000", "--processes=1", "--stop"),
    "machine": (*PYTEST, "tests/test_machine.py"),
    "tests": (*PYTEST, *(f"tests/test_{area}.py" for area in AREAS.split())),
}
SECONDS: Final = 300
"After so long, what runs is taken to hang, by which the bug is found."
FAILURE: Final = re.compile(r"^(?:FAILED \S+?::|ERROR )?((?<=::)\w+|seed \d+)", re.MULTILINE)


def main() -> int:
    """Do what the command line asks for; 1 if a bug was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORDS", help="only bugs whose names have one of these words")
    parser.add_argument("--first", action="store_true", help="for each bug, stop with the first that finds it")
    options = parser.parse_args()
    bugs = [bug for bug in BUGS if not options.words or any(word in bug.name for word in options.words)]
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        original = Path(directory) / "original"
        original.mkdir()
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, original / name)
        for bug in bugs:
            changed = shutil.copytree(original, Path(directory) / "changed")
            plant(bug, changed)
            found = find(changed, stop=options.first)
            shutil.rmtree(changed)
            missed += not found
            print(f"{bug.name:<64} {', '.join(found) or 'NOT FOUND'}", flush=True)
    print(f"{len(bugs) - missed} of {len(bugs)} found")
    return 1 if missed else 0


def find(root: Path, *, stop: bool) -> list[str]:
    """Those that find the bug in this copy, or the first of them."""
    found: list[str] = []
    for detector, command in DETECTORS.items():
        if not (found and stop) and (failure := _failure(command, root)):
            found.append(f"{detector} ({failure})")
    return found


def plant(bug: Bug, root: Path) -> None:
    """Edit the file. Raises `ValueError` unless the text occurs once."""
    path = root / bug.path
    text = path.read_text()
    if text.count(bug.before) != 1:
        raise ValueError(f"{bug.name}: its text occurs {text.count(bug.before)} times in {bug.path}")
    path.write_text(text.replace(bug.before, bug.after))


def _failure(command: Sequence[str], root: Path) -> str | None:
    """The first test or seed that fails; None if none does."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode == 0:
        return None
    match = FAILURE.search(done.stdout)
    return match[1] if match else done.stderr.strip().rpartition("\n")[2]


if __name__ == "__main__":
    sys.exit(main())
