"""
One log line per event: a name and its fields.

The line reads well under any formatter (`job completed job_id=… request_id=…`), so that a host which mounts the service
sees everything in its own log. `JsonLines` and `TextLines` are for a process of our own.
"""

import functools
import logging
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/@+")
ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


class Event:
    """What is handed to a logger in a message's place: formatted only if some handler wants it."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, **fields: Any) -> None:
        self.name = name
        self.fields = fields

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={_plain(value)}" for key, value in self.fields.items())])


def _plain(value: Any) -> str:
    """A value on one line: quoted where a blank, a line feed or a quote in it could be read as something else."""
    text = str(value)
    return text if text and PLAIN.issuperset(text) else ENCODER.encode(text).decode()


def _stamp(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03}Z"


@functools.lru_cache(maxsize=2)
def _second(second: int) -> str:
    """The same for all lines of a second, and dearer than the rest of a line."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"


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


FORMATTERS: Final[dict[str, type[logging.Formatter]]] = {"json": JsonLines, "text": TextLines}


def configure(log_format: str, log_level: str) -> None:
    """
    Send every log line of this process to standard error in one format, the server's own included.

    Changes logging for the whole process: for a process of our own only.
    """
    # What our formatters do not show need not be found out: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001 - as that page says
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(handlers=[handler], level=log_level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        # `--no-access-log` leaves the access logger without a handler and not propagating: then it stays silent.
        if logger.handlers or name != "uvicorn.access":
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
