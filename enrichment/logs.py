"""
One log line per event: a name and its fields.

The line reads well under any formatter (`job completed job_id=… request_id=…`), so that a host which mounts the service
sees everything in its own log. `JsonLines` and `TextLines` are for a process of our own.
"""

import asyncio
import logging
import re
import sys
from typing import Any, Final

import msgspec

from enrichment.clock import written

PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@+-]+")
ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


class Event:
    """What is handed to a logger in a message's place: formatted only if some handler wants it."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, **fields: Any) -> None:
        self.name = name
        self.fields = fields

    def __str__(self) -> str:
        line = self.name
        for key, value in self.fields.items():
            line += f" {key}={_plain(value)}"
        return line


def _plain(value: Any) -> str:
    """A value on one line: quoted where a blank, a line feed or a quote in it could be read as something else."""
    text = str(value)
    return text if PLAIN.fullmatch(text) else ENCODER.encode(text).decode()


def _stamp(record: logging.LogRecord) -> str:
    return f"{written(int(record.created), '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03}Z"


class JsonLines(logging.Formatter):
    """One JSON object per line, tracebacks inside."""

    def format(self, record: logging.LogRecord) -> str:
        event = record.msg if isinstance(record.msg, Event) else Event(record.getMessage())
        line = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event.name,
            **event.fields,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return ENCODER.encode(line).decode()


class TextLines(logging.Formatter):
    """For people: time, level, event, fields; a traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_stamp(record)} {record.levelname.lower():8} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Lines(logging.Handler):
    """
    Makes the lines of one turn of the event loop at its end, one after the other, and writes them in one piece: under
    load, each by itself takes longer. Errors are written at once, and so is everything where no loop runs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[logging.LogRecord] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # that will write them

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line to those that wait."""
        self._waiting.append(record)
        loop = _running_loop()
        if loop is None or record.levelno >= logging.ERROR:
            self.flush()
        elif loop is not self._loop:
            self._loop = loop
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        self.acquire()  # threads may log, too
        try:
            if self._waiting:
                sys.stderr.write("".join(map(self._line, self._waiting)))
                sys.stderr.flush()
        except (OSError, ValueError):  # nobody takes them any more, and the service goes on
            pass
        finally:
            self._waiting.clear()
            self._loop = None
            self.release()

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record) + "\n"
        except Exception:  # noqa: BLE001 - one that cannot be made must not take the others with it
            self.handleError(record)
            return ""


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


FORMATTERS: Final[dict[str, type[logging.Formatter]]] = {"json": JsonLines, "text": TextLines}


def configure(log_format: str, log_level: str) -> None:
    """
    Send every log line of this process to standard error in one format, the server's own included.

    Changes logging for the whole process: for a process of our own only.
    """
    # What our formatters do not show need not be found out: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001 - as that page says
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined,unused-ignore]  # Python 3.12 and later look at it
    handler = Lines()
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(handlers=[handler], level=log_level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        # `--no-access-log` leaves the access logger without a handler and not propagating: then it stays silent.
        if logger.handlers or name != "uvicorn.access":
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
