"""
The planted bugs; `python -m tests.planted` shows that all are found.
"""

import ast
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.planted.__main__ import plant
from tests.planted.bugs import BUGS, Bug


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_bug_can_be_planted(tmp_path: Path, bug: Bug) -> None:
    (tmp_path / bug.path).parent.mkdir(parents=True)
    shutil.copy(ROOT / bug.path, tmp_path / bug.path)
    plant(bug, tmp_path)

    assert ast.parse((tmp_path / bug.path).read_text())
