"""
The server process around the app: how many of its kind there are, and where it can be reached.
"""

import asyncio
import gc
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
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


@contextmanager
def on_shutdown_signal(callback: Callable[[], None]) -> Iterator[None]:
    """
    Call back when the process is told to end, before the server's own handler does.

    uvicorn waits for open streams, and runs the lifespan's shutdown only when there are none left (seen with 0.54), so
    nothing but the signal can tell a stream to end. For a process of our own only; outside its main thread, where
    Python lets nobody handle signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def tuned_gc() -> Iterator[None]:
    """
    Let the garbage collector pass over all that has been loaded, and look at the rest less often.

    A hundred thousand waiting jobs are no garbage, and looking through them again and again was most of the slowest
    answers' time. What is new is still looked through once, 20,000 objects at a time, which takes some 3 ms; what is
    older, a hundred times less often than by default. For a process of our own only.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 250, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
