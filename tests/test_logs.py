"""
One line per event, for people and for programs.
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
def own_process(untouched_logging: None, capsys: pytest.CaptureFixture[str]) -> Printed:
    """For a test that configures logging as a process of our own does: what it has printed since, line by line."""

    def printed() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return printed


def test_json_is_one_object_per_line_with_the_event_and_its_fields(own_process: Printed) -> None:
    configure("json", "info")
    log.info("job accepted", job_id="1", request_id="r", seconds=1.5, what=ValueError("x"))
    log.warning("job cancelled", job_id="1")
    accepted, cancelled = map(json.loads, own_process())

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", accepted.pop("time"))
    assert accepted == {
        "level": "info",
        "logger": "tests.logs",
        "event": "job accepted",
        "job_id": "1",
        "request_id": "r",
        "seconds": 1.5,
        "what": "x",
    }
    assert {**cancelled, "time": ""} == {
        "time": "",
        "level": "warning",
        "logger": "tests.logs",
        "event": "job cancelled",
        "job_id": "1",
    }


def test_json_keeps_a_traceback_and_other_peoples_line_feeds_on_one_line(own_process: Printed) -> None:
    configure("json", "info")
    logging.getLogger("host").warning("of a %s\nlibrary", "host's")
    try:
        raise ValueError("x\ny")
    except ValueError:
        log.exception("job failed", job_id="1")
    plain, failed = map(json.loads, own_process())

    assert plain["event"] == "of a host's\nlibrary"
    assert failed["job_id"] == "1"
    assert "ValueError: x\ny" in failed["traceback"]


def test_text_reads_well_and_cannot_be_forged(own_process: Printed) -> None:
    """A value with a blank, a quote or a line feed in it is quoted."""
    configure("text", "info")
    log.info("request refused", path="/a b\n2026 info job completed", code='"', empty="", n=1)
    (line,) = own_process()

    assert line.endswith(r"""Z info     request refused path="/a b\n2026 info job completed" code="\"" empty="" n=1""")


def test_text_puts_a_traceback_below(own_process: Printed) -> None:
    configure("text", "info")
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("job failed")

    assert own_process()[1].startswith("Traceback")


def test_any_formatter_of_a_host_shows_the_fields_and_the_place(caplog: pytest.LogCaptureFixture) -> None:
    """A host's own logging is not bypassed."""
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


@pytest.mark.parametrize(("name", "heard"), [("tests.logs", None), ("above.logs", "above"), ("beside", "beside")])
def test_who_listens_too_in_a_process_of_our_own_gets_everything(
    own_process: Printed, name: str, heard: str | None
) -> None:
    """An agent of the operator's, say, or what the server's `--log-config` names."""
    configure("text", "info")
    listener = Mock(level=logging.INFO)
    logging.getLogger(heard).addHandler(listener)
    Log(name).info("job accepted", job_id="1")
    logging.getLogger(heard).removeHandler(listener)

    ((record,), _) = listener.handle.call_args
    assert record.getMessage() == "job accepted job_id=1"
    assert len(own_process()) == 1


@pytest.mark.parametrize(("setting", "value"), [("filters", [lambda _: False]), ("propagate", False)])
def test_a_logger_that_somebody_has_filtered_or_cut_off_is_silent(
    own_process: Printed, monkeypatch: pytest.MonkeyPatch, setting: str, value: object
) -> None:
    configure("text", "info")
    log.info("heard")
    monkeypatch.setattr(logging.getLogger("tests.logs"), setting, value)
    log.info("not heard")

    assert last_words(own_process()) == ["heard"]


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_what_is_below_the_level_is_not_said(own_process: Printed, level: str) -> None:
    configure("text", level)
    log.info("told")
    log.warning("told")
    log.error("told")

    assert len(own_process()) == {"info": 3, "warning": 2, "error": 1}[level]


def test_a_process_of_our_own_logs_in_one_format(own_process: Printed) -> None:
    """The server's lines too; its access log only if it has one."""
    server, access = logging.getLogger("uvicorn"), logging.getLogger("uvicorn.access")
    server.addHandler(logging.NullHandler())
    access.propagate = False
    configure("json", "info")
    logging.getLogger("uvicorn.error").info("Shutting down")
    access.info("GET /")
    logging.getLogger("enrichment").debug("too fine")
    access.addHandler(logging.NullHandler())
    configure("json", "info")
    access.info("GET /ready")

    assert [json.loads(line)["event"] for line in own_process()] == ["Shutting down", "GET /ready"]


async def test_the_lines_of_one_turn_of_the_loop_are_written_together(own_process: Printed) -> None:
    """An error, which may be the last thing a process says, at once, and with it all that was before."""
    configure("text", "info")
    others = logging.getLogger("tests.others")

    log.info("first")
    others.info("second")
    log.info("third")
    assert own_process() == []
    await settle()
    assert last_words(own_process()) == ["first", "second", "third"]

    others.info("fourth")
    log.error("fifth")
    assert last_words(own_process()) == ["fourth", "fifth"]
    await asyncio.to_thread(log.info, "sixth")
    assert last_words(own_process()) == ["sixth"]


def test_a_line_that_a_loop_did_not_live_to_write_is_written_by_the_next(own_process: Printed) -> None:
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
    assert last_words(own_process()) == ["first", "second"]


async def test_a_line_that_cannot_be_made_takes_no_other_with_it(
    own_process: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standard library says what is wrong with a record; of an event of ours everything is shown that can be."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    configure("text", "info")
    log.info("before")
    logging.getLogger("tests.others").info("%d", "not a number")
    log.info("strange", value=Mock(__str__=Mock(side_effect=ZeroDivisionError), __repr__=lambda _: "<a thing>"))
    log.info("after")
    await settle()
    before, strange, after = own_process()

    assert last_words([before, after]) == ["before", "after"]
    assert "strange" in strange
    assert "<a thing>" in strange


@pytest.mark.parametrize("fault", [BrokenPipeError(), OSError(errno.ENOSPC, "full"), ValueError("closed file")])
def test_a_log_that_nobody_takes_stops_nothing(
    own_process: Printed, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    configure("text", "info")
    with monkeypatch.context() as context:
        context.setattr(sys.stderr, "write", Mock(side_effect=fault))
        log.error("lost")
    log.error("again")

    assert last_words(own_process()) == ["again"]


def last_words(lines: list[str]) -> list[str]:
    return [line.rpartition(" ")[2] for line in lines]
