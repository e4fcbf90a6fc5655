"""
The server process around the app: number of workers, address, signals, garbage collection.
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
from urllib.parse import quote

from starlette.types import Scope

WORKERS_OPTION: Final = re.compile(r"(?:^| )(?:-w ?|--workers[ =])(\d+)(?: |$)", re.ASCII)
PORT_OPTION: Final = re.compile(r"(?:^| )(?:--port[ =]|(?:-b ?|--bind[ =])\S*:)(\d+)(?: |$)", re.ASCII)
TLS_OPTION: Final = re.compile(r"(?:^| )--(?:ssl-)?(?:certfile|certificate)[ =]")


def worker_processes(arguments: Sequence[str], web_concurrency: int) -> int:
    """
    Return how many processes serve the app.

    That is the `--workers` option, which uvicorn, gunicorn, hypercorn and granian share, else `WEB_CONCURRENCY`, which
    the first two read. With `--reload`, uvicorn runs one process.
    """
    if "--reload" in arguments:
        return 1
    option = WORKERS_OPTION.search(" ".join(arguments))
    return int(option[1]) if option else web_concurrency


def own_address() -> str:
    """
    Return the server's URL on this machine, as the command line gives it.

    It has options that uvicorn, gunicorn, hypercorn and granian have, and their common default port. A `--root-path` is
    no part of this URL: it is the path at which a proxy serves the app, and the proxy removes it.
    """
    command = " ".join(sys.argv)
    port = PORT_OPTION.search(command)
    return f"{'https' if TLS_OPTION.search(command) else 'http'}://localhost:{port[1] if port else 8000}"


def address_of(scope: Scope) -> str:
    """
    Return the URL, on this machine, of the app that serves the request, below the path where a host has mounted it.

    It is made of the socket's address and `root_path`, not of the Host header, which callers choose.
    """
    host, port = scope.get("server") or (None, None)
    server = f"{scope['scheme']}://{f'[{host}]' if ':' in host else host}:{port}" if host and port else own_address()
    # Starlette's `Mount` keeps the server's own part of `root_path`, as that of `--root-path`, under this name.
    mount = scope.get("root_path", "")[len(scope.get("app_root_path", "")) :]
    return server + quote(mount)


@contextmanager
def on_shutdown_signal(callback: Callable[[], None]) -> Iterator[None]:
    """
    Call `callback` on SIGTERM and SIGINT, in addition to the server's own handler.

    uvicorn waits for open streams and runs the lifespan's shutdown only when all are closed (seen with 0.54), so
    streams must be ended by the signal itself. Only for a process of our own. Does nothing outside the main thread,
    where Python does not allow signal handlers.
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
    Exclude the objects loaded so far from garbage collection, and collect the rest less often.

    Collections that traversed 100,000 waiting jobs accounted for most of the slowest responses. The youngest generation
    is now collected every 20,000 allocations, which takes some 3 ms, the older ones hundreds of times less often than
    by default. Only for a process of our own.
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
