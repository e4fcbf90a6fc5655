"""
What a website allows robots to read, by its robots.txt (RFC 9309).
"""

import re
from typing import Final

from protego import Protego

ROBOT: Final = "lead-enrichment"
"The name of this robot, with which the `User-Agent` header begins."
MAX_BYTES: Final = 512_000
"Of a robots.txt that are read: RFC 9309 asks for 500 KiB at least."

AGENT: Final = re.compile(r"^[ \t]*user[- ]?agent[ \t]*:?[ \t]*([^#\r\n]*)", re.IGNORECASE | re.MULTILINE)


def read_robots(text: str) -> Protego:
    """
    Read a robots.txt.

    All other robots are read as one: `Protego` adds each rule to each robot of a group, so that 16,000 robots with
    20,000 rules, which is a file of 500 kB, would take 20 GB.
    """
    return Protego.parse(AGENT.sub(_agent, text))


def allows(robots: Protego, url: str) -> bool:
    """Whether this robot may read a page."""
    return robots.can_fetch(url, ROBOT)


def _agent(match: re.Match[str]) -> str:
    name = match[1].strip().lower()
    return f"User-agent: {name if name == '*' or name.strip('*') in ROBOT else 'other'}"
