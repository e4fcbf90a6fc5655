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

AGENT: Final = re.compile(r"\s*user[- ]?agent\s*:?([^#]*)", re.IGNORECASE)


def read_robots(text: str) -> Protego:
    """
    Read a robots.txt.

    All other robots are read as one: `Protego` adds each rule to each robot of a group, so that 16,000 robots with
    20,000 rules, which is a file of 500 kB, would take 20 GB.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    return Protego.parse("\n".join(_line(line) for line in lines))


def allows(robots: Protego, url: str) -> bool:
    """Whether this robot may read a page."""
    return robots.can_fetch(url, ROBOT)


def _line(line: str) -> str:
    """The line, with `other` in place of another robot's name."""
    match = AGENT.match(line)
    name = match[1].strip().lower() if match else "*"
    return line if name == "*" or name.strip("*") in ROBOT else "User-agent: other"
