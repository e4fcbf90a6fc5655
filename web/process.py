"""
The server process around the app: how many of its kind there are.
"""

import re
from collections.abc import Sequence
from typing import Final

WORKERS_OPTION: Final = re.compile(r"(?:^| )(?:-w ?|--workers[ =])(\d+)(?: |$)", re.ASCII)


def worker_processes(arguments: Sequence[str], web_concurrency: int) -> int:
    """
    How many processes serve the app: what the command line of uvicorn, gunicorn, hypercorn or granian says, which all
    call it `--workers`, else `WEB_CONCURRENCY`, which the first two go by. uvicorn runs one if it is to reload.
    """
    if "--reload" in arguments:
        return 1
    option = WORKERS_OPTION.search(" ".join(arguments))
    return int(option[1]) if option else web_concurrency
