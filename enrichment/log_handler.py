"""
Writing log lines to standard error from a thread, so that a log that nobody reads does not stop the service.
"""

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from io import RawIOBase
from queue import SimpleQueue
from typing import Final

MAX_BACKLOG_BYTES: Final = 16 * 1024 * 1024
"About 100,000 lines: as many as a shutdown writes at once with the default of `MAX_PENDING_JOBS`."
BATCH_OVERHEAD_BYTES: Final = 150
BATCH_SECONDS: Final = 0.05
MAX_BATCH_LINES: Final = 1_000
FLUSH_SECONDS: Final = 0.1
DRAIN_SECONDS: Final = 3.0
"Platforms kill a process some time after SIGTERM: Heroku after 30 s, of which the `Procfile` gives 20 to requests."


class BatchingHandler(logging.Handler):
    """
    Passes lines to a `LogWriter`, those of 50 ms together.

    Waking the writer's thread for each turn of the event loop took a fifth more processor time of a `POST /enrich` with
    one client (244 µs instead of 195), and every 10 ms up to 8 % with 32 clients; every 50 ms cannot be measured (0.97
    to 1.05 of a direct write). A record of level ERROR or above is passed on at once, with what precedes it; so is any
    record where no event loop runs.
    """

    def __init__(self, stream: RawIOBase) -> None:
        super().__init__()
        self._writer = LogWriter(stream, self._dropped_line)
        self._lines: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # in which `_pass_on` is scheduled
        self._is_draining = False

    def emit(self, record: logging.LogRecord) -> None:
        """Format the record, and pass its line on now or soon."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as the standard library's handlers do
            line = self.format(_unformattable(record))
        self._lines.append(line + "\n")
        loop = _running_loop()
        if loop is None or record.levelno >= logging.ERROR or self._is_draining:
            self.flush()
        elif len(self._lines) >= MAX_BATCH_LINES:
            self._pass_on()
        elif loop is not self._loop:
            self._loop = loop
            loop.call_later(BATCH_SECONDS, self._pass_on)

    def flush(self) -> None:
        """Pass on the lines that are waiting. Unless others are being written, wait a moment until these are."""
        was_idle = self._writer.is_idle()
        self._pass_on()
        if was_idle:
            self._writer.wait(FLUSH_SECONDS)

    def drain(self) -> None:
        """Wait until everything is written, at most `DRAIN_SECONDS`; from now on, flush after every record."""
        self._is_draining = True
        self.flush()
        self._writer.wait(DRAIN_SECONDS)

    def close(self) -> None:
        """End the writer's thread."""
        self._writer.close()
        super().close()

    def _pass_on(self) -> None:
        self.acquire()
        try:
            self._loop = None
            if self._lines:
                self._writer.put(self._lines)
                self._lines.clear()
        finally:
            self.release()

    def _dropped_line(self, count: int) -> str:
        message = "%d log lines were dropped, because they could not be written"
        return self.format(logging.LogRecord(__name__, logging.WARNING, "", 0, message, (count,), None)) + "\n"


class LogWriter:
    """
    Writes lines to a stream from a daemon thread, and drops lines while too many are waiting.

    A pipe holds 64 KiB, and then a write waits for its reader. A thread may wait; the event loop must not. The
    alternatives were tried on Linux. O_NONBLOCK belongs to the open file, not to the descriptor, so it is also set for
    every other process that has that file open, such as the shell of a terminal. A write of 4096 bytes after `poll` has
    announced room still waits: on a terminal, and on a pipe when another process was faster (0.6 s, until the reader
    went on).

    The thread uses no lock of `sys.stderr`. Python aborts at exit if a daemon thread holds one.
    """

    def __init__(self, stream: RawIOBase, dropped_line: Callable[[int], str]) -> None:
        self._stream = stream
        self._dropped_line = dropped_line  # makes the line that reports the number of dropped lines
        self._lock = threading.Lock()
        self._batches: deque[tuple[int, bytes]] = deque()  # with their numbers of lines
        self._backlog_bytes = 0
        self._dropped = 0  # lines, not reported yet
        self._is_full = False  # until the backlog is written: every line that comes is dropped
        self._idle = threading.Event()
        self._idle.set()
        self._wake: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._run, name="log writer", daemon=True).start()

    def put(self, lines: Sequence[str]) -> None:
        """Pass lines to the thread, or drop them if the backlog is full."""
        data = "".join(lines).encode(errors="backslashreplace")
        with self._lock:
            size = len(data) + BATCH_OVERHEAD_BYTES
            self._is_full = self._is_full or self._backlog_bytes + size > MAX_BACKLOG_BYTES
            if self._is_full:
                self._dropped += len(lines)
            else:
                self._batches.append((len(lines), data))
                self._backlog_bytes += size
            if self._idle.is_set():
                self._idle.clear()
                self._wake.put("write")

    def is_idle(self) -> bool:
        """Return whether everything has been written."""
        return self._idle.is_set()

    def wait(self, seconds: float) -> None:
        """Wait until everything has been written, at most so long."""
        self._idle.wait(seconds)

    def close(self) -> None:
        """End the thread and close the stream when what is waiting has been written."""
        self._wake.put("end")

    def _run(self) -> None:
        while self._wake.get() == "write":
            while batch := self._next():
                lines, data = batch
                if not self._write(data):
                    self._discard(lines)
        self._stream.close()

    def _next(self) -> tuple[int, bytes] | None:
        """Return what is to be written next: the report of dropped lines has the place that they would have had."""
        with self._lock:
            if self._batches and (self._is_full or not self._dropped):
                batch = self._batches.popleft()
                self._backlog_bytes -= len(batch[1]) + BATCH_OVERHEAD_BYTES
                return batch
            if self._batches or self._is_full:
                batch = self._dropped, self._dropped_line(self._dropped).encode()
                self._dropped = 0
                self._is_full = False
                return batch
            self._idle.set()
            return None

    def _write(self, data: bytes) -> bool:
        """Write everything, and return whether that was possible."""
        rest = memoryview(data)
        try:
            while rest:
                written = self._stream.write(rest)
                if written is None:  # somebody else has made the open file non-blocking, and it is full
                    time.sleep(0.01)
                else:
                    rest = rest[written:]
        except OSError:  # broken pipe, full disk, closed terminal
            return False
        return True

    def _discard(self, lines: int) -> None:
        """Count these lines and the backlog as dropped. The next line that comes is the next attempt to write."""
        with self._lock:
            self._dropped += lines + sum(count for count, _ in self._batches)
            self._batches.clear()
            self._backlog_bytes = 0
            self._is_full = False


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _unformattable(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record that reports the exception that another one raised; it does not use that one's arguments."""
    template = getattr(record.msg, "event", record.msg)
    shown = template if isinstance(template, str) else type(template).__name__
    message = "a log record could not be formatted: %r"
    return logging.LogRecord(record.name, logging.ERROR, "", 0, message, (shown,), sys.exc_info())
