"""
The commands of the README and of docs/tour.md, pasted from top to bottom, give the answers that are shown.
"""

from tests.tour import run, shown, stable


def test_each_command_gives_the_answer_that_is_shown() -> None:
    assert [stable(answer) for answer in run()] == [stable(answer) for answer in shown()]
