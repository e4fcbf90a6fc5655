"""
The server process around the app: how many of its kind there are, and where it can be reached.
"""

import re
import sys
from collections.abc import Sequence
from typing import Final

WORKERS_OPTION: Final = re.compile(r"(?:^| )(?:-w ?|--workers[ =])(\d+)(?: |$)", re.ASCII)
PORT_OPTION: Final = re.compile(r"(?:^| )--port[ =](\d+)(?: |$)", re.ASCII)


def worker_processes(arguments: Sequence[str], web_concurrency: int) -> int:
    """
    How many processes serve the app: what the command line of uvicorn, gunicorn, hypercorn or granian says, which all
    call it `--workers`, else `WEB_CONCURRENCY`, which the first two go by. uvicorn runs one if it is to reload.
    """
    if "--reload" in arguments:
        return 1
    option = WORKERS_OPTION.search(" ".join(arguments))
    return int(option[1]) if option else web_concurrency


def own_address() -> str:
    """Where a person on this machine reaches the server, as its command line tells; the default is uvicorn's."""
    option = PORT_OPTION.search(" ".join(sys.argv))
    return f"http://localhost:{option[1] if option else 8000}"
