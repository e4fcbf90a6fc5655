"""
The service as a process of its own: start and end by the Procfile, signals, number of workers.
"""

import asyncio
import contextlib
import io
import json
import logging
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from enrichment.log_handler import BatchingHandler
from enrichment.web.process import Shutdown, address_of, end_process, own_address, worker_processes
from tests.conftest import ROOT, ServerProcess, procfile, server_process

(README_COMMAND,) = re.findall(
    r"&& \.venv/bin/(uvicorn service:app .* --port) 8000$",
    (ROOT / "README.md").read_text().split("## Test it")[0],
    re.MULTILINE,
)
PROCFILE = procfile("web")
BODY = {"company_domain": "getuniti.com"}


def post_jobs(server: ServerProcess, count: int) -> list[str]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        return [client.post("/enrich", json=BODY).headers["location"] for _ in range(count)]


def test_the_procfile_runs_one_process_for_any_web_concurrency(tmp_path: Path) -> None:
    """Heroku's buildpack sets WEB_CONCURRENCY=2. Each of 20 jobs is found, each on a new connection."""
    with server_process(PROCFILE, tmp_path, WEB_CONCURRENCY="2", LOG_FORMAT="json") as server:
        server.wait_until_healthy()
        locations = post_jobs(server, 20)
        statuses = [httpx.get(server.url + location, trust_env=False).status_code for location in locations]
        response = httpx.get(server.url + "/health", trust_env=False)
        server.terminate()
        lines = [json.loads(line) for line in server.log.splitlines()]

    assert statuses == [200] * 20
    assert "server" not in response.headers
    assert not any("each server process" in line["event"] for line in lines)
    assert {"service started", "job accepted", "service stopped"} <= {line["event"] for line in lines}


def test_the_procfile_has_the_options_that_the_platform_needs() -> None:
    options = PROCFILE.split()

    assert options[:2] == ["uvicorn", "service:app"]
    for name, value in {
        "--http": "enrichment.web.server:LimitedProtocol",
        "--backlog": "32",
        "--host": "0.0.0.0",  # noqa: S104 - the platform's router comes from outside
        "--port": "${PORT:-8000}",
        "--workers": "1",
        "--timeout-keep-alive": "95",  # Heroku's router keeps connections for 90 s
        "--timeout-graceful-shutdown": "20",  # it kills after 30 s
    }.items():
        assert options[options.index(name) + 1] == value


@pytest.mark.parametrize(("environ", "port"), [({}, "8000"), ({"PORT": ""}, "8000"), ({"PORT": "5000"}, "5000")])
def test_the_procfile_listens_on_the_platforms_port_or_a_default(environ: dict[str, str], port: str) -> None:
    command = subprocess.check_output(["/bin/sh", "-c", f"echo {PROCFILE}"], env=environ, text=True)

    assert f" --port {port} " in command


@contextlib.contextmanager
def unread_server(kind: str, log_format: str, port: int) -> Iterator[tuple[ServerProcess, int]]:
    """A server whose standard error nobody reads, and the descriptor from which it could be read."""
    if kind == "pipe":
        reader, writer = os.pipe()
    elif kind == "socket":
        reader, writer = (end.detach() for end in socket.socketpair())
    else:
        reader, writer = pty.openpty()
        tty.setraw(writer)
    process = subprocess.Popen(
        ["uvicorn", "service:app", "--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "5"],
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}", "LOG_FORMAT": log_format, "SIMULATED_LOOKUP_SECONDS": "3600"},
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    try:
        yield ServerProcess(process, port, io.BytesIO()), reader
    finally:
        process.kill()
        process.wait()
        os.close(reader)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    """A pipe holds 400 lines, a socket 1,400, a terminal 30. Requests are answered, and SIGTERM ends the process."""
    kinds = {("pipe", "text"): 2_000, ("pipe", "json"): 600, ("socket", "text"): 1_800, ("terminal", "text"): 100}
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(unread_server(*kind, port))[0]
            for kind, port in zip(kinds, free_ports(len(kinds)), strict=True)
        ]
        for server, count in zip(servers, kinds.values(), strict=True):
            server.wait_until_healthy()
            assert len(post_jobs(server, count)) == count
        took = []
        for server in servers:
            begin = time.monotonic()
            assert httpx.get(server.url + "/health", trust_env=False).status_code == 200
            took.append(time.monotonic() - begin)
        for server in servers:
            server.process.terminate()
        begin = time.monotonic()
        statuses = [server.process.wait(timeout=20) for server in servers]
        ended = time.monotonic() - begin

    assert statuses == [-signal.SIGTERM] * len(kinds)
    assert max(took) < 1
    assert ended < 10


def test_a_log_that_is_read_again_is_complete_to_its_last_line() -> None:
    """So many lines may wait. The server ends itself by a signal right after its last line, which is there, too."""
    with unread_server("pipe", "text", *free_ports(1)) as (server, reader):
        server.wait_until_healthy()
        accepted = [location.rpartition("/")[2] for location in post_jobs(server, 600)]
        server.process.terminate()
        with os.fdopen(os.dup(reader)) as file:
            log = file.read()
        server.process.wait(timeout=20)

    assert [line.split("job_id=")[1].split()[0] for line in log.splitlines() if " job accepted " in line] == accepted
    assert {line.split("job_id=")[1].split()[0] for line in log.splitlines() if " job cancelled " in line} == set(
        accepted
    )
    assert "Finished server process" in log.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "address"),
    [
        ("uvicorn service:app", "http://localhost:8000"),
        ("uvicorn service:app --port 5000 --workers 1", "http://localhost:5000"),
        ("uvicorn service:app --port=5000", "http://localhost:5000"),
        ("gunicorn -b 0.0.0.0:5000 service:app", "http://localhost:5000"),
        ("hypercorn --bind [::]:5000 service:app", "http://localhost:5000"),
        ("uvicorn service:app --port 5000 --ssl-certfile a.pem", "https://localhost:5000"),
        ("hypercorn --certfile=a.pem -b0.0.0.0:5000 service:app", "https://localhost:5000"),
    ],
)
def test_the_address_is_read_from_the_command_line(monkeypatch: pytest.MonkeyPatch, command: str, address: str) -> None:
    monkeypatch.setattr(sys, "argv", command.split())

    assert own_address() == address


@pytest.mark.parametrize(
    ("scope", "address"),
    [
        ({"server": ("127.0.0.1", 5000)}, "http://127.0.0.1:5000"),
        ({"server": ("::1", 5000), "scheme": "https"}, "https://[::1]:5000"),
        ({"server": ("/run/leads.sock", None), "root_path": "/leads"}, "http://localhost:8000/leads"),
        ({"server": None}, "http://localhost:8000"),
        ({}, "http://localhost:8000"),
        ({"server": ("a", 1), "root_path": "/proxy/crm/leads", "app_root_path": "/proxy"}, "http://a:1/crm/leads"),
        ({"server": ("a", 1), "root_path": "/it's; ls $HOME"}, "http://a:1/it%27s%3B%20ls%20%24HOME"),
        ({"server": ("a", 1), "headers": [(b"host", b"evil.example")]}, "http://a:1"),
    ],
)
def test_the_address_of_a_mounted_app_is_read_from_a_request(
    monkeypatch: pytest.MonkeyPatch, scope: dict[str, object], address: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["uvicorn"])

    assert address_of({"scheme": "http", **scope}) == address


def test_sigterm_under_load_ends_the_process_in_time_and_logs_each_cancelled_job(tmp_path: Path) -> None:
    """Requests are answered or their connection is refused, and no accepted job is lost without a log line."""
    accepted: list[str] = []

    def post_many(url: str) -> None:
        with httpx.Client(base_url=url, trust_env=False) as client, contextlib.suppress(httpx.TransportError):
            for _ in range(20_000):
                response = client.post("/enrich", json=BODY)
                if response.status_code == 202:
                    accepted.append(response.json()["job_id"])

    with server_process(PROCFILE, tmp_path) as server:
        server.wait_until_healthy()
        clients = [threading.Thread(target=post_many, args=(server.url,)) for _ in range(4)]
        for client in clients:
            client.start()
        while len(accepted) < 100:
            time.sleep(0.01)
        begin = time.monotonic()
        server.terminate()
        took = time.monotonic() - begin
        for client in clients:
            client.join()
        log = server.log

    assert took < 5
    assert "Traceback" not in log
    cancelled = {line.split("job_id=")[1].split()[0] for line in log.splitlines() if "job cancelled" in line}
    assert set(accepted) <= cancelled


@pytest.mark.parametrize(
    ("command", "signals"),
    [
        (f"{README_COMMAND} $PORT", [signal.SIGTERM]),
        ("uvicorn service:app --workers 1 --port $PORT", [signal.SIGTERM, signal.SIGINT]),
        ("uvicorn service:app --workers 1 --port $PORT", [signal.SIGINT, signal.SIGINT]),
    ],
)
def test_an_incomplete_body_does_not_keep_the_process_running(
    tmp_path: Path, command: str, signals: list[signal.Signals]
) -> None:
    """Each unfinished job is logged, whatever ends the process."""
    with server_process(command, tmp_path, CLIENT_TIMEOUT_SECONDS="1") as server:
        server.wait_until_healthy()
        accepted = {location.rpartition("/")[2] for location in post_jobs(server, 3)}
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as connection:
            connection.sendall(b"POST /enrich HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            time.sleep(0.2)
            for number in signals:
                server.process.send_signal(number)
                time.sleep(0.3)
            server.process.wait(timeout=10)
        log = server.log

    assert {line.split("job_id=")[1].split()[0] for line in log.splitlines() if "job cancelled" in line} == accepted
    assert "Traceback" not in log


def test_invalid_settings_end_the_process_with_a_list_and_no_traceback(tmp_path: Path) -> None:
    with server_process(PROCFILE, tmp_path, AUTH="basic", MAX_BODY_BYTES="1 MB") as server:
        status = server.process.wait(timeout=20)
        log = server.log

    assert status != 0
    assert log.splitlines() == [
        "The settings are not usable:",
        "  - MAX_BODY_BYTES cannot be '1 MB'; it must be a whole number of bytes from 64 to 1073741824 (1 GiB).",
        "  - AUTH cannot be 'basic'; it must be `bearer` or `off`.",
    ]


@pytest.mark.parametrize(("option", "environ"), [("--workers 2", {}), ("", {"WEB_CONCURRENCY": "2"})])
def test_each_of_several_workers_logs_an_error_about_separate_jobs(
    tmp_path: Path, option: str, environ: dict[str, str]
) -> None:
    with server_process(f"uvicorn service:app --port $PORT {option}", tmp_path, **environ) as server:
        server.wait_until_healthy()
        deadline = time.monotonic() + 10
        while server.log.count("each server process has its own jobs") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        server.terminate()
        warnings = [line for line in server.log.splitlines() if "each server process has its own jobs" in line]

    assert len(warnings) == 2
    assert all(" error " in line and "start with --workers 1" in line for line in warnings)


@pytest.mark.parametrize(
    ("command", "web_concurrency", "processes"),
    [
        ("uvicorn service:app", 1, 1),
        ("uvicorn service:app", 2, 2),
        ("uvicorn service:app --workers 1", 2, 1),
        ("uvicorn service:app --workers=3 --port 1", 1, 3),
        ("uvicorn service:app --reload", 2, 1),
        ("gunicorn -w 4 -k uvicorn_worker.UvicornWorker service:app", 1, 4),
        ("gunicorn -w4 service:app", 1, 4),
        ("granian --workers 2 service:app", 1, 2),
        ("python -m host --workers", 1, 1),
    ],
)
def test_the_number_of_processes_is_read_from_the_command_line(
    command: str, web_concurrency: int, processes: int
) -> None:
    assert worker_processes(command.split(), web_concurrency) == processes


async def nothing() -> None:
    """End no job."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_shutdown_signal_calls_back_and_reaches_the_servers_handler(number: signal.Signals) -> None:
    """The server's handler is restored afterwards."""
    called: list[str] = []
    before = signal.signal(number, lambda *_: called.append("server"))
    try:
        server = signal.getsignal(number)
        with Shutdown(lambda: called.append("begin"), nothing).on_signal():
            signal.raise_signal(number)
            await asyncio.sleep(0)
        assert signal.getsignal(number) is server
    finally:
        signal.signal(number, before)

    assert sorted(called) == ["begin", "server"]


async def test_outside_the_main_thread_signal_handlers_stay_as_they_are() -> None:
    """Test suites may run the app with its lifespan in a thread."""
    before = signal.getsignal(signal.SIGTERM)

    async def enter() -> object:
        with Shutdown(lambda: None, nothing).on_signal():
            return signal.getsignal(signal.SIGTERM)

    assert await asyncio.to_thread(asyncio.run, enter()) is before


async def test_an_ignored_shutdown_signal_calls_back() -> None:
    called: list[str] = []
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Shutdown(lambda: called.append("begin"), nothing).on_signal():
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert called == ["begin"]


async def test_without_a_signal_nothing_is_called() -> None:
    called: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with Shutdown(lambda: called.append("begin"), nothing).on_signal():
        await asyncio.sleep(0)

    assert called == []
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("signals", "seconds", "ended_by"),
    [
        ([signal.SIGTERM], 0.05, signal.SIGTERM),
        ([signal.SIGTERM, signal.SIGTERM], 0.05, signal.SIGTERM),
        ([signal.SIGTERM, signal.SIGINT, signal.SIGINT], 60, signal.SIGINT),
        ([signal.SIGINT, signal.SIGINT], 60, signal.SIGINT),
    ],
)
async def test_a_shutdown_that_takes_too_long_is_forced(
    signals: list[signal.Signals], seconds: float, ended_by: signal.Signals
) -> None:
    """Or when SIGINT follows: once, when all is finished."""
    called: list[object] = []

    async def finish() -> None:
        await asyncio.sleep(0.01)
        called.append("finish")

    before = {number: signal.signal(number, lambda *_: None) for number in set(signals)}
    try:
        shutdown = Shutdown(lambda: called.append("begin"), finish, seconds=seconds, end=called.append)
        with shutdown.on_signal():
            for number in signals:
                signal.raise_signal(number)
                await asyncio.sleep(0)
            await asyncio.sleep(0.2)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert called == ["begin", "finish", ended_by]


def test_the_process_is_ended_by_a_signals_default_action_when_the_log_is_written(tmp_path: Path) -> None:
    """The signal here is one whose default action is to ignore it."""
    path = tmp_path / "log"
    handler = BatchingHandler(io.FileIO(path, "w"))
    logging.root.addHandler(handler)
    before = signal.signal(signal.SIGURG, lambda *_: None)
    try:
        logging.getLogger().warning("the last line")
        end_process(signal.SIGURG)
        assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGURG, before)
        logging.root.removeHandler(handler)
        handler.close()

    assert path.read_text() == "the last line\n"
