"""
Log records of our own and of other libraries, as JSON and as text, and their way to standard error.
"""

import asyncio
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from unittest.mock import Mock

import pytest

from enrichment import log_handler
from enrichment.log_handler import BatchingHandler
from enrichment.logs import Log, to_stderr

log = Log("tests.logs")
Configure = Callable[[str, str], None]
Printed = Callable[[], list[str]]


@pytest.fixture
def configure(untouched_logging: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """`to_stderr` until the test ends."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    with ExitStack() as stack:
        yield lambda log_format, level: stack.enter_context(to_stderr(log_format, level))
    for handler in own_handlers():
        handler.close()
    logging.captureWarnings(capture=False)


@pytest.fixture
def printed(configure: Configure, capfd: pytest.CaptureFixture[str]) -> Printed:
    """The lines written to standard error since the last call, when all are written."""

    def lines() -> list[str]:
        for handler in own_handlers():
            handler.flush()
            handler._writer.wait(5)
        text = capfd.readouterr().err
        return text.removesuffix("\n").split("\n") if text else []

    return lines


def own_handlers() -> list[BatchingHandler]:
    return [handler for handler in logging.root.handlers if isinstance(handler, BatchingHandler)]


def warn(message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(message, UserWarning, stacklevel=1)


def test_json_is_one_object_per_line_with_the_event_and_its_fields(configure: Configure, printed: Printed) -> None:
    configure("json", "info")
    log.info("job accepted", job_id="1", request_id="r", seconds=1.5, what=ValueError("x"))
    log.warning("job cancelled", job_id="1")
    accepted, cancelled = printed()

    time = json.loads(accepted)["time"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert accepted == (
        f'{{"time":"{time}","level":"info","logger":"tests.logs","event":"job accepted",'
        '"job_id":"1","request_id":"r","seconds":1.5,"what":"x"}'
    )
    assert json.loads(cancelled).items() >= {"level": "warning", "event": "job cancelled", "job_id": "1"}.items()


@pytest.mark.parametrize(
    ("log_format", "time"),
    [("json", '{"time":"2026-02-26T10:35:00.042Z",'), ("text", "2026-02-26T10:35:00.042Z info ")],
)
def test_the_time_is_that_of_the_record_in_milliseconds_utc(
    configure: Configure, printed: Printed, log_format: str, time: str
) -> None:
    configure(log_format, "info")
    record = logging.LogRecord("host", logging.INFO, __file__, 1, "hello", (), None)
    record.created, record.msecs = 1_772_102_100.0421, 42.1
    logging.getLogger("host").handle(record)

    assert printed()[0].startswith(time)


def test_json_keeps_a_traceback_and_line_feeds_of_other_libraries_on_one_line(
    configure: Configure, printed: Printed
) -> None:
    configure("json", "info")
    logging.getLogger("host").warning("of a %s\nlibrary", "host's")
    try:
        raise ValueError("x\ny")
    except ValueError:
        log.exception("job failed", job_id="1")
    plain, failed = map(json.loads, printed())

    assert plain["event"] == "of a host's\nlibrary"
    assert failed["job_id"] == "1"
    assert "ValueError: x\ny" in failed["traceback"]


def test_text_quotes_values_with_which_a_field_or_a_line_could_be_forged(
    configure: Configure, printed: Printed
) -> None:
    configure("text", "info")
    log.info("request refused", path="/a b\n2026 info job completed", code='"', empty="", n=1)
    (line,) = printed()

    assert line.endswith(r"""Z info     request refused path="/a b\n2026 info job completed" code="\"" empty="" n=1""")


def test_text_puts_a_traceback_on_the_lines_below_which_are_indented(configure: Configure, printed: Printed) -> None:
    """So a line feed in a message cannot begin a line that looks like an event."""
    configure("text", "info")
    try:
        raise ValueError("x\n2026-11-21T01:42:21.191Z info     job completed")
    except ValueError:
        log.exception("job failed")

    event, traceback, *rest, error, forged = printed()
    assert event.endswith(" error    job failed")
    assert traceback == "    Traceback (most recent call last):"
    assert error == "    ValueError: x"
    assert all(line.startswith("    ") for line in (*rest, forged))


UNPRINTABLE = [
    "\x1b[2J",
    "\r",
    "\x00",
    "\x7f",
    "\x9b31m",
    "\u061c",
    "\u200f",
    "\u202e",
    "\u2066",
    "\u2028",
    "\x85",
    "\ud800",
]


@pytest.mark.parametrize("text", UNPRINTABLE)
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_control_and_bidi_characters_are_escaped_wherever_they_come_from(
    configure: Configure, printed: Printed, log_format: str, text: str
) -> None:
    """In our fields, in messages and arguments of other libraries, in tracebacks and warnings."""
    configure(log_format, "info")
    others = logging.getLogger("tests.others")
    log.info("field", value=text)
    others.info("message " + text)
    others.info("argument %s", text)
    warn(text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
        others.exception(text)
    lines = printed()

    assert all(line.isprintable() for line in lines)
    assert sum(json.dumps(text)[1:-1] in line for line in lines) >= 6
    if log_format == "json":
        assert json.loads(lines[0])["value"] == text


def test_a_host_formatter_gets_our_fields_escaped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log.info("request refused", path="/\x1b[2J\u202e\x9b")

    assert caplog.messages == [r'request refused path="/\u001b[2J\u202e\u009b"']


def test_handlers_of_a_host_get_records_with_message_place_and_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log.info("job accepted", job_id="1", what="a b")
    log.warning("job cancelled")
    log.error("in vain")
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("job failed")

    assert caplog.messages == ['job accepted job_id=1 what="a b"', "job cancelled", "in vain", "job failed"]
    assert {(record.name, record.filename) for record in caplog.records} == {("tests.logs", "test_logs.py")}
    assert caplog.records[-1].exc_info is not None


@pytest.mark.parametrize(("level", "lines"), [("info", 3), ("warning", 2), ("error", 1)])
def test_records_below_the_level_are_dropped(configure: Configure, printed: Printed, level: str, lines: int) -> None:
    configure("text", level)
    log.info("kept or dropped")
    log.warning("kept or dropped")
    log.error("kept or dropped")

    assert len(printed()) == lines


def test_the_servers_records_get_the_same_format(configure: Configure, printed: Printed) -> None:
    """Its access log only if it has one."""
    server, access = logging.getLogger("uvicorn"), logging.getLogger("uvicorn.access")
    server.addHandler(logging.NullHandler())
    access.propagate = False
    configure("json", "info")
    logging.getLogger("uvicorn.error").info("Shutting down")
    access.info("GET /")
    access.addHandler(logging.NullHandler())
    configure("json", "info")
    access.info("GET /ready")

    assert [json.loads(line)["event"] for line in printed()] == ["Shutting down", "GET /ready"]


async def test_lines_are_collected_for_some_milliseconds_errors_are_written_at_once(
    configure: Configure, capfd: pytest.CaptureFixture[str]
) -> None:
    """An error, which may be the last line of a process, takes what precedes it along."""
    configure("text", "info")
    others = logging.getLogger("tests.others")

    def written() -> list[str]:
        return last_words(capfd.readouterr().err.splitlines())

    log.info("first")
    others.info("second")
    assert written() == []
    await asyncio.sleep(0.2)
    assert written() == ["first", "second"]

    others.info("third")
    log.error("fourth")
    assert written() == ["third", "fourth"]
    await asyncio.to_thread(log.info, "fifth")
    assert written() == ["fifth"]


async def test_a_burst_within_one_turn_loses_no_line(
    configure: Configure, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shutdown cancels every pending job, each with a line. These are twice as many as may wait."""
    monkeypatch.setattr(log_handler, "MAX_BACKLOG_BYTES", 1_000_000)
    configure("text", "info")
    for number in range(20_000):
        log.info("job cancelled", job_id="1d60fe6a-e248-4f6d-804e-907cf117fc9d", number=number)
    lines = printed()

    assert sum(map(len, lines)) > 2_000_000
    assert [line.rpartition("=")[2] for line in lines] == [str(number) for number in range(20_000)]


def test_lines_left_by_a_loop_that_has_ended_are_written_by_the_next(configure: Configure, printed: Printed) -> None:
    configure("text", "info")
    loop = asyncio.new_event_loop()
    loop.call_soon(log.info, "first")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    async def second() -> None:
        log.info("second")
        await asyncio.sleep(0.2)

    asyncio.run(second())
    assert last_words(printed()) == ["first", "second"]


@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_a_record_that_cannot_be_formatted_is_logged_as_such_and_loses_no_other(
    configure: Configure, printed: Printed, log_format: str
) -> None:
    configure(log_format, "info")
    log.info("before")
    logging.getLogger("tests.others").info("%d", "not a number")
    log.info("strange", value=Mock(__str__=Mock(side_effect=ZeroDivisionError)))
    logging.getLogger("tests.others").info(Mock(__str__=Mock(side_effect=ZeroDivisionError)))
    log.info("after")
    text = "\n".join(printed())

    found = [text.index(part) for part in ("before", "formatted: '%d'", "formatted: 'strange'", "after")]
    assert found == sorted(found)
    assert "could not be formatted: 'Mock'" in text
    assert text.count("ZeroDivisionError") == 2


def test_warnings_and_exceptions_that_reach_no_caller_are_logged(configure: Configure, printed: Printed) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("x")

    configure("json", "info")
    warn("old")
    Broken()
    warning, ignored = map(json.loads, printed())

    assert "UserWarning: old" in warning["event"]
    assert ignored["event"] == "exception ignored"
    assert "ValueError: x" in ignored["traceback"]


@pytest.mark.parametrize("level", ["info", "error"])
def test_what_is_always_logged_is_logged_at_every_level(configure: Configure, printed: Printed, level: str) -> None:
    configure("text", level)
    log.always("token", value=1)

    assert [line.split("Z ")[1] for line in printed()] == ["warning  token value=1"]


def test_when_standard_error_is_left_each_line_is_written_before_the_next(
    configure: Configure, capfd: pytest.CaptureFixture[str]
) -> None:
    """After the lifespan has ended, uvicorn kills the process by a signal."""

    async def last() -> list[str]:
        with to_stderr("text", "info"):
            log.info("first")
        found = capfd.readouterr().err.splitlines()
        log.info("second")
        return found + capfd.readouterr().err.splitlines()

    assert last_words(asyncio.run(last())) == ["first", "second"]


def test_a_process_without_standard_error_runs_without_its_log(
    configure: Configure, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    configure("text", "info")
    log.error("lost")

    assert printed() == []


def last_words(lines: list[str]) -> list[str]:
    return [line.rpartition(" ")[2] for line in lines]
