"""
Log records of our own and of other libraries, as JSON and as text.
"""

import asyncio
import errno
import json
import logging
import re
import sys
from collections.abc import Callable
from unittest.mock import Mock

import pytest

from enrichment.logs import Log, configure
from tests.conftest import settle

log = Log("tests.logs")
Printed = Callable[[], list[str]]


@pytest.fixture
def printed(untouched_logging: None, capsys: pytest.CaptureFixture[str]) -> Printed:
    """For tests that call `configure`: the lines written to standard error since the last call."""

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return lines


def test_json_is_one_object_per_line_with_the_event_and_its_fields(printed: Printed) -> None:
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
def test_the_time_is_that_of_the_record_in_milliseconds_utc(printed: Printed, log_format: str, time: str) -> None:
    configure(log_format, "info")
    record = logging.LogRecord("host", logging.INFO, __file__, 1, "hello", (), None)
    record.created, record.msecs = 1_772_102_100.0421, 42.1
    logging.getLogger("host").handle(record)

    assert printed()[0].startswith(time)


def test_json_keeps_a_traceback_and_line_feeds_of_other_libraries_on_one_line(printed: Printed) -> None:
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


def test_text_quotes_values_with_which_a_field_or_a_line_could_be_forged(printed: Printed) -> None:
    configure("text", "info")
    log.info("request refused", path="/a b\n2026 info job completed", code='"', empty="", n=1)
    (line,) = printed()

    assert line.endswith(r"""Z info     request refused path="/a b\n2026 info job completed" code="\"" empty="" n=1""")


def test_text_puts_a_traceback_on_the_lines_below(printed: Printed) -> None:
    configure("text", "info")
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("job failed")

    event, traceback, *_, error = printed()
    assert event.endswith(" error    job failed")
    assert traceback.startswith("Traceback")
    assert error == "ValueError: x"


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
def test_records_below_the_level_are_dropped(printed: Printed, level: str, lines: int) -> None:
    configure("text", level)
    log.info("kept or dropped")
    log.warning("kept or dropped")
    log.error("kept or dropped")

    assert len(printed()) == lines


def test_the_servers_records_get_the_same_format(printed: Printed) -> None:
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


async def test_the_lines_of_one_turn_of_the_event_loop_are_written_together(
    printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, which may be the last line of a process, is written at once, after what precedes it."""
    configure("text", "info")
    others = logging.getLogger("tests.others")
    write = Mock(side_effect=sys.stderr.write)
    monkeypatch.setattr(sys.stderr, "write", write)

    log.info("first")
    others.info("second")
    log.info("third")
    assert printed() == []
    await settle()
    assert last_words(printed()) == ["first", "second", "third"]
    assert write.call_count == 1

    others.info("fourth")
    log.error("fifth")
    assert last_words(printed()) == ["fourth", "fifth"]
    await asyncio.to_thread(log.info, "sixth")
    assert last_words(printed()) == ["sixth"]


def test_lines_left_by_a_loop_that_has_ended_are_written_by_the_next(printed: Printed) -> None:
    configure("text", "info")
    loop = asyncio.new_event_loop()
    loop.call_soon(log.info, "first")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    async def second() -> None:
        log.info("second")
        await settle()

    asyncio.run(second())
    assert last_words(printed()) == ["first", "second"]


async def test_a_record_that_cannot_be_formatted_is_reported_and_loses_no_other(printed: Printed) -> None:
    configure("text", "info")
    log.info("before")
    logging.getLogger("tests.others").info("%d", "not a number")
    log.info("strange", value=Mock(__str__=Mock(side_effect=ZeroDivisionError), __repr__=lambda _: "<a thing>"))
    log.info("after")
    await settle()
    lines = printed()

    assert [line.rpartition(" ")[2] for line in lines if " info " in line] == ["before", "after"]
    assert "Message: '%d'" in lines
    assert "Message: LogMessage(event='strange', fields={'value': <a thing>})" in lines


@pytest.mark.parametrize("fault", [BrokenPipeError(), OSError(errno.ENOSPC, "full"), ValueError("closed file")])
def test_a_failed_write_does_not_stop_the_service(
    printed: Printed, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    configure("text", "info")
    with monkeypatch.context() as context:
        context.setattr(sys.stderr, "write", Mock(side_effect=fault))
        log.error("lost")
    log.error("again")

    assert last_words(printed()) == ["again"]


def last_words(lines: list[str]) -> list[str]:
    return [line.rpartition(" ")[2] for line in lines]
