"""
The server process around the app: number of workers, address, signals, garbage collection, threads.
"""

import asyncio
import gc
import logging
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final
from urllib.parse import quote

from starlette.types import Scope

from enrichment.log_handler import BatchingHandler
from enrichment.logs import Log

WORKERS_OPTION: Final = re.compile(r"(?:^| )(?:-w ?|--workers[ =])(\d+)(?: |$)", re.ASCII)
PORT_OPTION: Final = re.compile(r"(?:^| )(?:--port[ =]|(?:-b ?|--bind[ =])\S*:)(\d+)(?: |$)", re.ASCII)
TLS_OPTION: Final = re.compile(r"(?:^| )--(?:ssl-)?(?:certfile|certificate)[ =]")

SHUTDOWN_SECONDS: Final = 23.0
"""
Longer than the Procfile's `--timeout-graceful-shutdown`. With `FINISH_SECONDS`, and as much for the log, it is less
than the 30 seconds after which platforms kill.
"""

FINISH_SECONDS: Final = 3.0
"How long the cancelled jobs may take to end when the shutdown is forced."

log = Log(__name__)


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


def end_process(number: int) -> None:
    """End the process by the default action of this signal, when its log is written."""
    for handler in logging.root.handlers:
        if isinstance(handler, BatchingHandler):
            handler.drain()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


class Shutdown:
    """
    Bounds the shutdown of the server from SIGTERM or SIGINT on.

    `begin` is called at once, in addition to the server's own handler. If the process has not ended after `seconds`, or
    if SIGINT follows, `finish` is awaited and `end` called. uvicorn waits for open connections without limit, even
    after a second signal, and runs the lifespan's shutdown only when all are closed (seen with 0.54 on Python 3.13). So
    streams must be ended by the signal itself, and one incomplete body would keep the process running.
    """

    def __init__(
        self,
        begin: Callable[[], None],
        finish: Callable[[], Awaitable[None]],
        *,
        seconds: float = SHUTDOWN_SECONDS,
        end: Callable[[int], None] = end_process,
    ) -> None:
        self._begin = begin
        self._finish = finish
        self._seconds = seconds
        self._end = end
        self._has_begun = False
        self._timer: asyncio.TimerHandle | None = None
        self._forced: asyncio.Task[None] | None = None

    @contextmanager
    def on_signal(self) -> Iterator[None]:
        """
        Handle the signals in this context, for a process of our own.

        Does nothing outside the main thread, where Python does not allow signal handlers.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def handle(number: int, frame: FrameType | None) -> None:
            if self._has_begun and number == signal.SIGINT:
                loop.call_soon_threadsafe(self._force, number)
                return
            if not self._has_begun:
                self._has_begun = True
                loop.call_soon_threadsafe(self._start, number)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for number in before:
            signal.signal(number, handle)
        try:
            yield
        finally:
            if self._timer:
                self._timer.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self, number: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._force, number)
        self._begin()

    def _force(self, number: int) -> None:
        self._forced = self._forced or asyncio.create_task(self._finish_and_end(number))

    async def _finish_and_end(self, number: int) -> None:
        log.warning("shutdown forced")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._finish(), FINISH_SECONDS)
        self._end(number)


@contextmanager
def tuned_gc() -> Iterator[None]:
    """
    Exclude the objects loaded so far from garbage collection, and collect the older ones of the rest less often.

    Collections that traversed 100,000 waiting jobs accounted for most of the slowest responses, so the older
    generations are collected hundreds of times less often than by default. The youngest is collected when 1,000 more
    objects were allocated than freed, old ones included, so that there may be many times as many young ones: with 2,000
    jobs running, collections took 30 ms at most, and 140 ms with 20,000 in the place of 1,000. Only for a process of
    our own.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000, 5_000, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def frequent_thread_switches() -> Iterator[None]:
    """
    Let a waiting thread run after half a millisecond, instead of 5.

    The event loop's thread waits so long, while another one computes, after every system call that it makes. With 20
    clients that had long blueprints made, 1 of 100 requests for `/health` took more than 90 ms; now it is 6 ms, and the
    blueprints take as long as before. Only for a process of our own.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
