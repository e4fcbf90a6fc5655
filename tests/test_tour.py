"""
The commands of the README and of docs/tour.md, pasted from top to bottom, give the answers that are shown.
"""

from pathlib import Path

import pytest
from msgspec.structs import asdict

from enrichment.settings import Settings
from tests.live import CONTACT, live_service
from tests.tour import README, TOUR, live_run, run, run_live, shown, stable


def test_each_command_gives_the_answer_that_is_shown() -> None:
    assert [stable(answer) for answer in run()] == [stable(answer) for answer in shown()]


@pytest.mark.parametrize("path", [README, TOUR], ids=["README", "tour"])
async def test_so_do_those_of_the_runs_with_live_sources_and_one_key(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    environ, expected = live_run(path)
    given = asdict(Settings.from_env(environ | {"CONTACT": CONTACT}))
    settings = {name.lower(): given[name.lower()] for name in environ}
    async with live_service(monkeypatch, **settings, auth="bearer") as world:
        answers = await run_live([command for command, _ in expected], str(world.api.base_url).rstrip("/"))

    assert [stable(answer) for answer in answers] == [stable(answer) for _, answer in expected]
