"""
Standard error that is not read, or cannot be written to.
"""

import logging
import os
import pty
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from io import FileIO, RawIOBase

import pytest

from enrichment import log_handler
from enrichment.log_handler import BatchingHandler

Handler = Callable[[RawIOBase], BatchingHandler]


@pytest.fixture
def handler_of() -> Iterator[Handler]:
    """Make handlers that write messages as they are, and end their threads after the test."""
    handlers: list[BatchingHandler] = []

    def make(stream: RawIOBase) -> BatchingHandler:
        handlers.append(BatchingHandler(stream))
        return handlers[-1]

    yield make
    for handler in handlers:
        handler.close()


@pytest.fixture
def small_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_handler, "MAX_BACKLOG_BYTES", 100_000)


def emit(handler: BatchingHandler, message: str, level: int = logging.INFO) -> None:
    handler.handle(logging.LogRecord("tests", level, "", 0, message, (), None))


def ends(kind: str) -> tuple[int, int]:
    """Descriptors to read and to write."""
    if kind == "pipe":
        return os.pipe()
    if kind == "socket":
        reader, writer = socket.socketpair()
        return reader.detach(), writer.detach()
    reader_of_terminal, terminal = pty.openpty()
    tty.setraw(terminal)
    return reader_of_terminal, terminal


@pytest.mark.parametrize("kind", ["pipe", "socket", "terminal"])
def test_lines_that_nobody_reads_wait_then_are_dropped_and_counted(
    handler_of: Handler, small_backlog: None, kind: str
) -> None:
    """Writing takes no time. When they are read, the report has the place of those that were dropped."""
    reader, writer = ends(kind)
    handler = handler_of(FileIO(writer, "w"))
    begin = time.monotonic()
    for number in range(10_000):
        emit(handler, f"{number:099}")
    took = time.monotonic() - begin
    assert handler._writer._backlog_bytes <= 100_000

    lines: list[str] = []
    with FileIO(reader) as file:
        rest = b""
        while not lines or "dropped" not in lines[-1]:
            *complete, rest = (rest + file.read(65_536)).split(b"\n")
            lines += [line.decode() for line in complete]
        handler.flush()
        handler._writer.wait(5)
        emit(handler, "again")
        lines.append(file.read(65_536).decode().strip())

    *kept, report, again = lines
    assert [int(line) for line in kept] == list(range(len(kept)))
    assert report == f"{10_000 - len(kept)} log lines were dropped, because they could not be written"
    assert again == "again"
    assert took < 2


def test_errors_wait_once_for_a_reader_that_does_not_read(handler_of: Handler, small_backlog: None) -> None:
    reader, writer = os.pipe()
    handler = handler_of(FileIO(writer, "w"))
    emit(handler, "x" * 70_000)
    begin = time.monotonic()
    for _ in range(100):
        emit(handler, "error", logging.ERROR)
    took = time.monotonic() - begin
    os.close(reader)

    assert took < 1


def test_the_end_waits_for_a_slow_reader_but_not_for_ever(handler_of: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_handler, "DRAIN_SECONDS", 0.5)
    reader, writer = os.pipe()
    handler = handler_of(FileIO(writer, "w"))
    emit(handler, "x" * 100_000)

    def read_late() -> None:
        time.sleep(0.3)
        os.read(reader, 65_536)

    slow = threading.Thread(target=read_late)
    slow.start()
    begin = time.monotonic()
    handler.drain()
    read = time.monotonic() - begin
    slow.join()
    emit(handler, "x" * 100_000)
    begin = time.monotonic()
    handler.drain()
    unread = time.monotonic() - begin
    os.close(reader)

    assert 0.1 < read < 0.5
    assert 0.4 < unread < 1


def test_somebody_elses_non_blocking_mode_loses_no_line(handler_of: Handler) -> None:
    """Another process that has the same file open may set it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    handler = handler_of(FileIO(writer, "w"))
    emit(handler, "x" * 200_000)
    with FileIO(reader) as file:
        got = 0
        while got < 200_001:
            got += len(file.read(65_536))
            time.sleep(0.01)

    assert got == 200_001


class Broken(RawIOBase):
    """Accepts what is written, or raises `fault` if it is set."""

    def __init__(self) -> None:
        self.fault: OSError | None = None
        self.written = b""

    def write(self, data: object) -> int:
        assert isinstance(data, memoryview)
        if self.fault:
            raise self.fault
        self.written += data
        return len(data)


@pytest.mark.parametrize("fault", [BrokenPipeError(), OSError(28, "No space left on device")])
def test_a_failed_write_stops_nothing_and_the_next_that_succeeds_reports_it(
    handler_of: Handler, fault: OSError
) -> None:
    stream = Broken()
    handler = handler_of(stream)
    emit(handler, "first")
    stream.fault = fault
    for number in range(5):
        emit(handler, f"lost {number}")
    stream.fault = None
    emit(handler, "last")
    handler._writer.wait(5)

    assert stream.written.decode().splitlines() == [
        "first",
        "5 log lines were dropped, because they could not be written",
        "last",
    ]


def test_a_line_larger_than_the_backlog_is_dropped_alone(handler_of: Handler, small_backlog: None) -> None:
    stream = Broken()
    handler = handler_of(stream)
    emit(handler, "x" * 200_000)
    handler._writer.wait(5)
    emit(handler, "next")
    handler._writer.wait(5)

    assert stream.written.decode().splitlines() == [
        "1 log lines were dropped, because they could not be written",
        "next",
    ]


def test_many_threads_write_whole_lines(handler_of: Handler) -> None:
    stream = Broken()
    handler = handler_of(stream)

    def emit_all(name: str) -> None:
        for number in range(500):
            emit(handler, f"{name} {number}")

    threads = [threading.Thread(target=emit_all, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler._writer.wait(5)

    lines = stream.written.decode().splitlines()
    assert sorted(lines) == sorted(f"{name} {number}" for name in "abcd" for number in range(500))
