"""
One log line per event: a name and its fields.

`Log` hands events to the standard library's loggers, and they read well under any formatter (`job completed job_id=…
request_id=…`), so that a host which mounts the service sees everything in its own log. `configure` is for a process of
our own, all of whose lines are then JSON or text as here.
"""

import asyncio
import functools
import logging
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@+-]+")
ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


class Event(msgspec.Struct, frozen=True, gc=False):
    """What is handed to a logger in a message's place: formatted only if some handler wants it."""

    name: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        line = self.name
        for key, value in self.fields.items():
            line += f" {key}={_plain(value)}"
        return line


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What a line of the log says. `time` is milliseconds since the epoch, `level` one of the standard library's."""

    time: int
    level: int
    logger: str
    event: Event
    traceback: str = ""


class Log:
    """Where one module's events go: `log.info("job accepted", job_id=…)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        """
        Tell what happens every day.

        Where only our own `Lines` listen, without a record: under a load of `POST /enrich`, making and passing on
        records took 6 % of the service's time.
        """
        lines = self._only_lines()
        if lines is None:
            self._logger.info(Event(event, fields), stacklevel=2)
        elif self._logger.isEnabledFor(logging.INFO):
            now = time.time_ns() // 1_000_000
            lines.take(Entry(now, logging.INFO, self._logger.name, Event(event, fields)))

    def warning(self, event: str, **fields: Any) -> None:
        """Tell what somebody may want to look into."""
        self._logger.warning(Event(event, fields), stacklevel=2)

    def error(self, event: str, **fields: Any) -> None:
        """Tell what somebody has to look into."""
        self._logger.error(Event(event, fields), stacklevel=2)

    def exception(self, event: str, **fields: Any) -> None:
        """Tell of the exception that is being handled, with its traceback."""
        self._logger.exception(Event(event, fields), stacklevel=2)  # noqa: LOG004 - called where one is

    def _only_lines(self) -> "Lines | None":
        """The lines of a process of our own, unless somebody has put something in the way there, or beside them."""
        logger, root = self._logger, logging.root
        if logger.parent is not root or logger.handlers or logger.filters or not logger.propagate:
            return None
        return root.handlers[0] if len(root.handlers) == 1 and isinstance(root.handlers[0], Lines) else None


def json_line(entry: Entry) -> str:
    """One JSON object, traceback inside."""
    said = {
        "time": _stamp(entry.time),
        "level": logging.getLevelName(entry.level).lower(),
        "logger": entry.logger,
        "event": entry.event.name,
        **entry.event.fields,
    }
    return ENCODER.encode({**said, "traceback": entry.traceback} if entry.traceback else said).decode()


def text_line(entry: Entry) -> str:
    """For people: time, level, event, fields; a traceback below."""
    line = f"{_stamp(entry.time)} {logging.getLevelName(entry.level).lower():8} {entry.event}"
    return f"{line}\n{entry.traceback}" if entry.traceback else line


@functools.lru_cache(maxsize=100)
def _stamp(milliseconds: int) -> str:
    """That time, UTC. Kept, as under load many lines have the same one, and writing it takes 2 µs."""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> str:
    """A value on one line: quoted where a blank, a line feed or a quote in it could be read as something else."""
    text = str(value)
    return text if PLAIN.fullmatch(text) else ENCODER.encode(text).decode()


class Lines(logging.Handler):
    """
    Makes the lines of one turn of the event loop at its end, one after the other, and writes them in one piece: under
    load, each by itself takes longer. Errors are written at once, and so is everything where no loop runs.
    """

    def __init__(self, form: Callable[[Entry], str]) -> None:
        super().__init__()
        self._form = form
        self._waiting: deque[Entry] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None  # that will write them

    def emit(self, record: logging.LogRecord) -> None:
        """Take what a logger of the standard library hands on."""
        try:
            event = record.msg if isinstance(record.msg, Event) else Event(record.getMessage(), {})
        except Exception:  # noqa: BLE001 - of a message that its arguments do not fit, this tells, and goes on
            self.handleError(record)
            return
        traceback = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.take(Entry(int(record.created * 1_000), record.levelno, record.name, event, traceback))

    def take(self, entry: Entry) -> None:
        """Add a line to those that wait. Threads may, too."""
        self._waiting.append(entry)
        loop = _running_loop()
        if loop is None or entry.level >= logging.ERROR:
            self.flush()
        elif loop is not self._loop:
            self._loop = loop
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        self.acquire()  # one thread at a time
        try:
            self._loop = None
            lines = [self._made(self._waiting.popleft()) for _ in range(len(self._waiting))]
            sys.stderr.write("".join(lines))
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody takes them any more, and the service goes on
            pass
        finally:
            self.release()

    def _made(self, entry: Entry) -> str:
        try:
            return self._form(entry) + "\n"
        except Exception:  # noqa: BLE001 - one that cannot be made must not take the others with it
            return f"{entry!r}\n"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


FORMS: Final[Mapping[str, Callable[[Entry], str]]] = {"json": json_line, "text": text_line}


def configure(log_format: str, log_level: str) -> None:
    """
    Send every log line of this process to standard error in one format, the server's own included.

    Changes logging for the whole process: for a process of our own only.
    """
    # What our lines do not show need not be found out: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001 - as that page says
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined,unused-ignore]  # Python 3.12 and later look at it
    logging.basicConfig(handlers=[Lines(FORMS[log_format])], level=log_level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        # `--no-access-log` leaves the access logger without a handler and not propagating: then it stays silent.
        if logger.handlers or name != "uvicorn.access":
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
