"""
Inside a larger application, in every way that people mount things.
"""

import asyncio
import gc
import logging
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from enrichment.settings import Settings
from service import create_app
from tests.conftest import ROOT, FakeClock, client_of, server_process, settle
from tests.curl import run_logged_curl

BODY = {"company_domain": "getuniti.com"}


def mounted(app: Starlette, how: str) -> tuple[ASGIApp, str]:
    """A host with the app in it, and the path where it is."""
    if how == "named":
        return Starlette(routes=[Mount("/crm/leads", app=app, name="leads")]), "/crm/leads"
    if how == "nested":
        return Starlette(routes=[Mount("/crm", routes=[Mount("/{tenant}/leads", app=app)])]), "/crm/acme%20inc/leads"
    if how == "behind BaseHTTPMiddleware":

        async def dispatch(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
            return await call_next(request)

        middleware = [Middleware(BaseHTTPMiddleware, dispatch=dispatch)]
        return Starlette(routes=[Mount("/leads", app=app)], middleware=middleware), "/leads"
    if how == "lifespan composed":
        return Starlette(routes=[Mount("/leads", app=app)], lifespan=app.router.lifespan_context), "/leads"
    assert how == "unnamed"
    return Starlette(routes=[Mount("/crm/leads", app=app)]), "/crm/leads"


WAYS = ["named", "unnamed", "nested", "behind BaseHTTPMiddleware", "lifespan composed"]


@asynccontextmanager
async def connected(host: ASGIApp, transport: str) -> AsyncIterator[httpx.AsyncClient]:
    if transport == "server":
        async with client_of(host) as client:
            yield client
    else:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://host") as client:
            yield client


@pytest.mark.parametrize("transport", ["server", "ASGITransport"])
@pytest.mark.parametrize("how", WAYS)
async def test_lookups_work_and_links_lead_back(clock: FakeClock, how: str, transport: str) -> None:
    host, path = mounted(create_app(Settings(auth="off"), clock=clock), how)
    async with connected(host, transport) as client:
        accepted = await client.post(path + "/enrich", json=BODY)
        pending = await client.get(accepted.headers["location"])
        await clock.advance(15)
        complete = await client.get(accepted.headers["location"])
        missing = await client.get(path + "/nope")
        wrong = await client.put(path + "/enrich")

    assert accepted.status_code == 202
    assert accepted.headers["location"] == f"{path}/enrich/{accepted.json()['job_id']}"
    assert pending.json()["status"] == "pending"
    assert complete.json()["data"] == {"company_size": 50, "industry": "AI Software"}
    assert [missing.status_code, missing.json()["code"]] == [404, "not_found"]
    assert missing.json()["instance"] == path + "/nope"
    assert [wrong.status_code, wrong.json()["code"]] == [405, "method_not_allowed"]


@pytest.mark.parametrize("how", WAYS)
async def test_enrichments_and_blueprints_work(clock: FakeClock, how: str) -> None:
    host, path = mounted(create_app(Settings(auth="off"), clock=clock), how)
    async with client_of(host) as client:
        started = await client.post(path + "/api/v1/enrich/www.Costco.com", json={"waves": [1]})
        status = await client.get(started.headers["location"])
        batch = await client.post(path + "/api/v1/enrich/batch", json={"domains": ["a.com"]})
        whole = await client.get(batch.headers["location"])
        blueprint = await client.post(path + "/campaigns/enrichment", json={"website_url": "a.com", "icp": "banks"})

    assert started.headers["location"].startswith(f"{path}/api/v1/enrich/costco.com/status?job_id=")
    assert status.json()["job_id"] == started.json()["job_id"]
    assert whole.json()["batch_id"] == batch.json()["batch_id"]
    assert blueprint.json()["icp"]["origin"] == "provided"


async def test_tokens_are_asked_for(clock: FakeClock) -> None:
    host, path = mounted(create_app(Settings(api_tokens=("t",)), clock=clock), "nested")
    async with client_of(host) as client:
        assert (await client.post(path + "/enrich", json=BODY)).status_code == 401
        assert (await client.get(path + "/nope")).status_code == 401
        assert (await client.get(path + "/health")).status_code == 200


@pytest.mark.parametrize("root_path", ["/a", "/en", "/enr", "/api/v", "/campaign"])
async def test_a_root_path_that_ends_within_a_segment_opens_nothing(clock: FakeClock, root_path: str) -> None:
    """Some servers and frameworks set `root_path` and leave the path as it is."""
    app = create_app(Settings(), clock=clock)

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": root_path}, receive, send)

    async with client_of(host) as client:
        refused = [
            (await client.post(path, json={"website_url": "a.com"})).status_code
            for path in ("/api/v1/enrich/costco.com", "/campaigns/enrichment")
        ]
        opened = (await client.post("/enrich", json=BODY)).status_code

    assert refused == [401, 401]
    assert opened == 202


HOST = """
from service import create_app
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

leads = create_app()
routes = [
    Route("/health", lambda request: PlainTextResponse("")),
    Mount("/crm", routes=[Mount("/{tenant}/leads", app=leads)]),
]
without_lifespan = Starlette(routes=routes)
with_lifespan = Starlette(routes=routes, lifespan=leads.router.lifespan_context)
"""


@pytest.mark.parametrize("lifespan", ["with_lifespan", "without_lifespan"])
@pytest.mark.parametrize("options", ["", "--root-path /proxy"])
def test_a_host_gets_the_generated_token_once_with_a_command_that_works(
    tmp_path: Path, lifespan: str, options: str
) -> None:
    """The path of the mount is known with the first request; at start, the command leaves it open."""
    (tmp_path / "host.py").write_text(HOST)
    command = f"uvicorn host:{lifespan} --app-dir {tmp_path} --port $PORT {options}"
    with server_process(command, tmp_path, PYTHONPATH=str(ROOT)) as server:
        server.wait_until_healthy()
        mount = server.url + "/crm/acme%20inc/leads"
        refused = [httpx.get(mount + "/api/v1/enrich", trust_env=False).status_code for _ in range(2)]
        accepted = run_logged_curl(server, mount=mount)
        server.terminate()
        log = server.log

    assert refused == [401, 401]
    assert accepted.status_code == 202
    assert log.count("Authorization") == 1
    assert ("with the path of the mount" in log) == (lifespan == "with_lifespan")


def test_behind_a_proxy_links_have_the_root_path_and_x_forwarded_prefix_is_not_read(tmp_path: Path) -> None:
    with server_process("uvicorn service:app --port $PORT --root-path /leads", tmp_path) as server:
        server.wait_until_healthy()
        headers = {"x-forwarded-prefix": "/evil", "x-forwarded-path": "/evil"}
        accepted = httpx.post(server.url + "/enrich", json=BODY, headers=headers, trust_env=False)
        location = accepted.headers["location"]
        found = httpx.get(server.url + location.removeprefix("/leads"), trust_env=False)

    assert location.startswith("/leads/enrich/")
    assert found.status_code == 200


@pytest.mark.parametrize(
    ("files", "code", "error"),
    [
        (
            ["schemas.py"],
            "from service import create_app",
            "the module 'schemas' of the host application, {}/schemas.py,",
        ),
        (["schemas/__init__.py"], "import schemas, service", "the host application, {}/schemas/__init__.py,"),
        (["schemas.py"], "import enrichment.settings", "the module 'schemas' of the host application, {}/schemas.py,"),
        (
            ["service.py"],
            "from service import create_app",
            "cannot import name 'create_app' from 'service' ({}/service.py)",
        ),
        (["enrichment/__init__.py"], "from service import create_app", "from 'enrichment' ({}/enrichment/__init__.py)"),
    ],
)
def test_a_host_with_a_module_of_the_same_name_gets_an_import_error_that_names_it(
    tmp_path: Path, files: list[str], code: str, error: str
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("NAME = 1\n")
    environ = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert done.stderr.splitlines()[-1].startswith("ImportError: ")
    assert error.format(tmp_path) in done.stderr.splitlines()[-1]


def test_the_check_of_schemas_compares_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, as its coverage is measured."""
    monkeypatch.setitem(sys.modules, "schemas", Mock(__file__="/host/schemas.py"))
    with pytest.raises(
        ImportError, match=r"found the module 'schemas' of the host application, /host/schemas\.py, instead"
    ):
        runpy.run_path(str(ROOT / "enrichment" / "__init__.py"))


async def test_two_apps_in_one_host_have_separate_jobs(clock: FakeClock) -> None:
    routes = [
        Mount("/a", app=create_app(Settings(), clock=clock)),
        Mount("/b", app=create_app(Settings(), clock=clock)),
    ]
    async with client_of(Starlette(routes=routes)) as client:
        job_id = (await client.post("/a/enrich", json=BODY)).json()["job_id"]
        statuses = [(await client.get(f"/{where}/enrich/{job_id}")).status_code for where in "ab"]

    assert statuses == [200, 404]


async def test_a_composed_lifespan_cancels_unfinished_jobs(clock: FakeClock) -> None:
    app = create_app(Settings(), clock=clock)
    host, path = mounted(app, "lifespan composed")
    async with client_of(host) as client:
        job_id = (await client.post(path + "/enrich", json=BODY)).json()["job_id"]

    assert (await app.state.engine.store.lookup(job_id)).state == "cancelled"


@pytest.mark.parametrize("transport", ["server", "ASGITransport"])
async def test_the_request_ends_with_its_response(clock: FakeClock, transport: str) -> None:
    """A host that measures requests sees milliseconds, not the 15 seconds of the job; here the clock stands still."""
    seen: list[float] = []

    async def timed(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        begin = time.monotonic()
        response = await call_next(request)
        seen.append(time.monotonic() - begin)
        return response

    app = create_app(Settings(), clock=clock)
    middleware = [Middleware(BaseHTTPMiddleware, dispatch=timed)]
    host = Starlette(routes=[Mount("/leads", app=app)], middleware=middleware)
    finished: list[str] = []

    async def watched(scope, receive, send):  # type: ignore[no-untyped-def]
        await host(scope, receive, send)
        finished.append(scope["type"])

    async with connected(watched, transport) as client:
        await client.post("/leads/enrich", json=BODY)
        await settle()
        assert "http" in finished

    assert len(seen) == 1
    assert clock.sleeping


async def test_one_app_serves_one_event_loop_after_the_other(clock: FakeClock) -> None:
    """As in test suites that make the app once and use `asyncio.run` in each test."""
    app = create_app(Settings(simulated_lookup_seconds=0))

    async def once() -> str:
        async with connected(app, "ASGITransport") as client:
            location = (await client.post("/enrich", json=BODY)).headers["location"]
            await asyncio.sleep(0.01)
            return str((await client.get(location)).json()["status"])

    assert [await asyncio.to_thread(asyncio.run, once()) for _ in range(2)] == ["complete", "complete"]


def test_importing_and_making_an_app_does_no_io_and_touches_no_global() -> None:
    """In a fresh interpreter, whose environment would be refused by `service:app`."""
    code = """
import gc, logging, signal, sys
import starlette.applications, starlette.middleware.base, msgspec, idna, httpx, uvicorn, publicsuffixlist
def state():
    names = [n for n in logging.root.manager.loggerDict if not n.startswith(("service", "enrichment"))]
    loggers = [logging.root, *map(logging.getLogger, sorted(names))]
    logs = [(l.name, l.level, list(l.handlers), l.propagate) for l in loggers]
    handlers = [signal.getsignal(s) for s in signal.Signals if s not in (signal.SIGKILL, signal.SIGSTOP)]
    collection = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    return collection, sys.getswitchinterval(), logs, handlers, sys.excepthook
before = state()
events = []
def hook(name, arguments):
    if name.startswith("socket.") or name == "open" and not str(arguments[0]).endswith((".py", ".pyc")) and \\
            not ".pyc." in str(arguments[0]):
        events.append((name, arguments))
sys.addaudithook(hook)
from service import create_app
from enrichment.settings import Settings
create_app(Settings())
assert state() == before
assert not events, events
"""
    environ = {"MAX_PENDING_JOBS": "none", "AUTH": "ours", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.returncode == 0


async def test_running_in_a_host_touches_no_global(clock: FakeClock) -> None:
    def state() -> object:
        handlers = [logging.getLogger(name).handlers[:] for name in (None, "uvicorn", "enrichment", "service")]
        collection = (gc.get_threshold(), gc.get_freeze_count())
        return *collection, sys.getswitchinterval(), handlers, signal.getsignal(signal.SIGUSR1)

    host, path = mounted(create_app(Settings(), clock=clock), "lifespan composed")
    before = state()
    async with client_of(host) as client:
        await client.post(path + "/enrich", json=BODY)
        during = state()

    assert during == before == state()
