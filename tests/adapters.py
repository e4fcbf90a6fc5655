"""
What the tests of sources share: answers of their services, and a company.
"""

import json
from typing import Any

from enrichment.sources.messages import citable
from tests.conftest import ROOT
from tests.upstreams import Answer, Received, Reply

ANSWERS = ROOT / "tests" / "answers"

SOFT_SCENARIOS = ("empty", "html", "truncated_json", "gzip_bomb", "not_gzip", "cut_off", "reset", "broken")
"Scenarios that any source survives as a failure of its service."
REFUSALS = ("unauthorized", "forbidden", "rate_limited", "rate_limited_for_1_day", "unavailable", "redirect_loop")


def answers(name: str) -> Any:
    """The sample answers of a service."""
    return json.loads((ANSWERS / f"{name}.json").read_text())


def reply(content: Any, status: int = 200) -> Reply:
    """An answer of JSON."""
    return Reply(json.dumps(content).encode(), status)


def by_path(replies: dict[str, Reply]) -> Answer:
    """Answer by the first part of the target that is known, anything else with 404."""

    def answer(received: Received) -> Reply:
        known = [value for path, value in replies.items() if received.target.startswith(path)]
        return known[0] if known else Reply(b'{"error":"unknown"}', 404)

    return answer


def paths(received: list[Received]) -> list[str]:
    """What was asked for, without parameters."""
    return [citable(each.target).partition("?")[0] for each in received]
