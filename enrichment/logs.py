"""
Structured logging on top of the standard library's: an event's name and its fields on one line.

`Log` passes ordinary records to ordinary loggers, and their messages are readable under any formatter (`job completed
job_id=… request_id=…`), so a host that mounts the service handles them like any others. `configure` is for a process of
our own: it sends every record of the process to standard error, as JSON or as text.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from enrichment.clock import format_utc

UNQUOTED: Final = re.compile(r"[A-Za-z0-9_.:/@+-]+")
ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


class LogMessage(msgspec.Struct, frozen=True, gc=False):
    """The `msg` of a record: the event's name and its fields, formatted only when a handler asks for it."""

    event: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        line = self.event
        for key, value in self.fields.items():
            line += f" {key}={_quoted(value)}"
        return line


class Log:
    """The logger of one module: `log.info("job accepted", job_id=…)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        """Log at INFO level."""
        self._logger.info(LogMessage(event, fields), stacklevel=2)

    def warning(self, event: str, **fields: Any) -> None:
        """Log at WARNING level."""
        self._logger.warning(LogMessage(event, fields), stacklevel=2)

    def error(self, event: str, **fields: Any) -> None:
        """Log at ERROR level."""
        self._logger.error(LogMessage(event, fields), stacklevel=2)

    def exception(self, event: str, **fields: Any) -> None:
        """Log at ERROR level, with the traceback of the exception that is being handled."""
        self._logger.exception(LogMessage(event, fields), stacklevel=2)  # noqa: LOG004 - called in a handler


class JSONFormatter(logging.Formatter):
    """One JSON object per line, the traceback in it."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.msg
        if not isinstance(message, LogMessage):
            message = LogMessage(record.getMessage(), {})
        line = {
            "time": _timestamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": message.event,
            **message.fields,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return ENCODER.encode(line).decode()


class TextFormatter(logging.Formatter):
    """Time, level, event and fields on one line; a traceback on the lines below."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_timestamp(record)} {record.levelname.lower():8} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


FORMATTERS: Final[Mapping[str, type[logging.Formatter]]] = {"json": JSONFormatter, "text": TextFormatter}


def _timestamp(record: logging.LogRecord) -> str:
    return f"{format_utc(int(record.created), '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03}Z"


def _quoted(value: Any) -> str:
    """Return the value as one word: as a JSON string if it has characters with which a field could be forged."""
    text = str(value)
    return text if UNQUOTED.fullmatch(text) else ENCODER.encode(text).decode()


class BatchingHandler(logging.Handler):
    """
    Write to standard error once per turn of the event loop.

    Under load, with 32 requests in a turn, a write per line made a `POST /enrich` 11 µs slower (56 µs instead of 45, to
    a pipe). A record of level ERROR or above is written at once, with what precedes it; so is any record where no event
    loop runs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # in which a flush is scheduled

    def emit(self, record: logging.LogRecord) -> None:
        """Format the record and schedule the writing."""
        try:
            self._lines.append(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - as the standard library's handlers do
            self.handleError(record)
            return
        loop = _running_loop()
        if loop is None or record.levelno >= logging.ERROR:
            self.flush()
        elif loop is not self._loop:
            self._loop = loop
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write the lines that are waiting."""
        self.acquire()
        try:
            text = "".join(self._lines)
            self._lines.clear()
            self._loop = None
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):  # broken pipe, full disk, closed file: the service goes on without its log
            pass
        finally:
            self.release()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def configure(log_format: str, log_level: str) -> None:
    """
    Send every log record of this process to standard error in one format, those of the server included.

    This changes logging for the whole process, so it is only for a process of our own.
    """
    # Do not collect what our lines do not show: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001 - documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined,unused-ignore]  # new in Python 3.12
    handler = BatchingHandler()
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(handlers=[handler], level=log_level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        # uvicorn's `--no-access-log` leaves the access logger without a handler and without propagation; keep it so.
        if logger.handlers or name != "uvicorn.access":
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
