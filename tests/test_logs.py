"""
One line per event, for people and for programs.
"""

import asyncio
import errno
import io
import json
import logging
import sys
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from enrichment.logs import Event, JsonLines, TextLines, configure
from tests.conftest import settle


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a logger named `tests.logs` prints."""
    log = logging.getLogger("tests.logs")
    log.propagate = False
    log.setLevel("INFO")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log.addHandler(handler)
    yield stream
    log.removeHandler(handler)


def use(formatter: logging.Formatter) -> logging.Logger:
    log = logging.getLogger("tests.logs")
    log.handlers[0].setFormatter(formatter)
    return log


def test_json_is_one_object_per_line_with_the_event_and_its_fields(stream: io.StringIO) -> None:
    use(JsonLines()).info(Event("job accepted", job_id="1", request_id="r", seconds=1.5, what=ValueError("x")))
    line = json.loads(stream.getvalue())

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "tests.logs",
        "event": "job accepted",
        "job_id": "1",
        "request_id": "r",
        "seconds": 1.5,
        "what": "x",
    }


def test_json_keeps_a_traceback_and_other_peoples_line_feeds_on_one_line(stream: io.StringIO) -> None:
    log = use(JsonLines())
    log.warning("of a %s\nlibrary", "host's")
    try:
        raise ValueError("x\ny")
    except ValueError:
        log.exception(Event("job failed"))
    plain, failed = map(json.loads, stream.getvalue().splitlines())

    assert plain["event"] == "of a host's\nlibrary"
    assert "ValueError: x\ny" in failed["traceback"]


def test_text_reads_well_and_cannot_be_forged(stream: io.StringIO) -> None:
    """A value with a blank, a quote or a line feed in it is quoted."""
    log = use(TextLines())
    log.info(Event("request refused", path="/a b\n2026 info job completed", code='"', empty="", n=1))
    (line,) = stream.getvalue().splitlines()

    assert line.endswith(r"""Z info     request refused path="/a b\n2026 info job completed" code="\"" empty="" n=1""")


def test_text_puts_a_traceback_below(stream: io.StringIO) -> None:
    log = use(TextLines())
    try:
        raise ValueError("x")
    except ValueError:
        log.exception(Event("job failed"))

    assert stream.getvalue().splitlines()[1].startswith("Traceback")


def test_any_formatter_of_a_host_shows_the_fields(stream: io.StringIO) -> None:
    use(logging.Formatter("%(message)s")).info(Event("job accepted", job_id="1"))

    assert stream.getvalue() == "job accepted job_id=1\n"


def test_a_process_of_our_own_logs_in_one_format(untouched_logging: None, capsys: pytest.CaptureFixture[str]) -> None:
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

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["Shutting down", "GET /ready"]


async def test_the_lines_of_one_turn_of_the_loop_are_written_together(
    untouched_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error, which may be the last thing a process says, at once, and with it all that was before."""
    configure("text", "info")
    log = logging.getLogger("tests.lines")

    log.info("first")
    log.info("second")
    assert capsys.readouterr().err == ""
    await settle()
    assert capsys.readouterr().err.count("\n") == 2

    log.info("third")
    log.error("fourth")
    assert capsys.readouterr().err.count("\n") == 2
    await asyncio.to_thread(log.info, "fifth")
    assert capsys.readouterr().err.endswith("fifth\n")


def test_a_line_that_a_loop_did_not_live_to_write_is_written_by_the_next(
    untouched_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("text", "info")
    log = logging.getLogger("tests.lines")
    loop = asyncio.new_event_loop()
    loop.call_soon(log.info, "first")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    async def second() -> None:
        log.info("second")
        await settle()

    asyncio.run(second())
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == ["first", "second"]


async def test_a_line_that_cannot_be_made_takes_no_other_with_it(
    untouched_logging: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    configure("text", "info")
    log = logging.getLogger("tests.lines")
    for text, *args in (("before",), ("%d", "not a number"), ("after",)):
        log.info(text, *args)
    await settle()

    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == ["before", "after"]


@pytest.mark.parametrize("fault", [BrokenPipeError(), OSError(errno.ENOSPC, "full"), ValueError("closed file")])
def test_a_log_that_nobody_takes_stops_nothing(
    untouched_logging: None, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    configure("text", "info")
    log = logging.getLogger("tests.lines")
    with monkeypatch.context() as context:
        context.setattr(sys.stderr, "write", Mock(side_effect=fault))
        log.error("lost")
    with monkeypatch.context() as context:
        context.setattr(sys.stderr, "write", write := Mock())
        log.error("again")

    (((written,), _),) = write.call_args_list
    assert written.endswith("again\n")
    assert "lost" not in written
