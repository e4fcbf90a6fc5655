"""
Structured logging on top of the standard library's: an event's name and its fields on one line.

`Log` passes ordinary records to ordinary loggers, and their messages are readable under any formatter (`job completed
job_id=… request_id=…`), so a host that mounts the service handles them like any others. `to_stderr` is for a process of
our own: it sends every record of the process to standard error, as JSON or as text.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from typing import Any, Final

import msgspec

from enrichment.clock import format_utc
from enrichment.log_handler import BatchingHandler

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

    def always(self, event: str, **fields: Any) -> None:
        """Log at WARNING level, even if the logger's level is higher."""
        record = logging.LogRecord(self._logger.name, logging.WARNING, "", 0, LogMessage(event, fields), (), None)
        self._logger.handle(record)


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
        try:
            return _printable(ENCODER.encode(line).decode())
        except UnicodeEncodeError:  # a lone surrogate, as in a file name that is not UTF-8
            return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """Time, level, event and fields on one line; a traceback on the lines below, which are indented."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if not isinstance(record.msg, LogMessage):  # ours have printable texts only
            text = _printable(text.rstrip("\n"))
        line = f"{_timestamp(record)} {record.levelname.lower():8} {text}"
        if record.exc_info:
            line += "".join(f"\n    {_printable(part)}" for part in self.formatException(record.exc_info).split("\n"))
        return line


FORMATTERS: Final[Mapping[str, type[logging.Formatter]]] = {"json": JSONFormatter, "text": TextFormatter}


def _timestamp(record: logging.LogRecord) -> str:
    return f"{format_utc(int(record.created), '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03}Z"


def _quoted(value: Any) -> str:
    """Return the value as one word: as a JSON string if it has characters with which a field could be forged."""
    text = str(value)
    return text if UNQUOTED.fullmatch(text) else _printable(json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    """
    Escape, as JSON does, all characters with which a line could be forged or a terminal be controlled.

    Those are the ones that `str.isprintable` excludes: control characters, marks of writing direction, line separators,
    and others that are invisible.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


@contextmanager
def to_stderr(log_format: str, log_level: str) -> Iterator[None]:
    """
    Send every log record of this process to standard error in one format, with those of the server and warnings.

    On exit, wait until all is written, and write later records at once: uvicorn ends the process by a signal, without
    the exit functions of Python. This changes logging for the whole process, so it is only for a process of our own.
    """
    # Do not collect what our lines do not show: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001 - documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined,unused-ignore]  # new in Python 3.12
    # Python sets `sys.stderr` to None if the process is started without standard error.
    stream = FileIO(sys.stderr.fileno(), "w", closefd=False) if sys.stderr else FileIO("/dev/null", "w")
    handler = BatchingHandler(stream)
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(handlers=[handler], level=log_level.upper(), force=True)
    logging.captureWarnings(True)  # noqa: FBT003 - its only parameter
    sys.unraisablehook = _log_unraisable
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        # uvicorn's `--no-access-log` leaves the access logger without a handler and without propagation; keep it so.
        if logger.handlers or name != "uvicorn.access":
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
    try:
        yield
    finally:
        handler.drain()


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Log an exception that can reach no caller, as one in `__del__`, which Python would print."""
    logging.getLogger(__name__).error("exception ignored", exc_info=unraisable.exc_value)
