"""
The README's commands, pasted from top to bottom, give the answers that it shows.
"""

from tests.tour import BLOCK, README, run, stable


def test_each_command_gives_the_answer_that_is_shown() -> None:
    shown = [match["answers"].strip("\n") for match in BLOCK.finditer(README.read_text())]

    assert [stable(answer) for answer in run()] == [stable(answer) for answer in shown]
