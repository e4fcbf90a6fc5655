"""
The lead-enrichment service: post a company's domain, get 202 at once, fetch what was found later.

`uvicorn service:app` runs it; `Mount("/leads", app=create_app())` puts it into a larger application.
"""

import logging
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import schemas
from enrichment import __version__, domains, logs
from enrichment.clock import Clock
from enrichment.errors import SettingsError
from enrichment.jobs import Job, JobStore
from enrichment.logs import Event
from enrichment.runner import Runner
from enrichment.settings import Settings
from enrichment.sources import CompanySource
from enrichment.sources.simulated import SimulatedCompanies
from web.auth import BearerAuth, SameSiteOnly
from web.bodies import Accepted, read_json
from web.boundary import Boundary
from web.problems import answer
from web.process import worker_processes

log = logging.getLogger(__name__)

encode: Final = msgspec.json.Encoder().encode
ENRICH_REQUEST: Final = msgspec.json.Decoder(schemas.EnrichRequest)
HEALTH: Final = encode(schemas.Health(service="lead-enrichment", version=__version__))
READY: Final = encode(schemas.Ready())
HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def start_enrichment(request: Request) -> Response:
    """`POST /enrich`: take a company's domain in and answer at once; the look-up goes on behind the answer."""
    runner: Runner = request.app.state.runner
    settings: Settings = request.app.state.settings
    body = await read_json(request, ENRICH_REQUEST, limit=settings.max_body_bytes)
    domain = domains.canonical_domain(body.company_domain, pointer="#/company_domain")
    job = await runner.accept(domain, request_id=request.scope["enrichment.request_id"])
    return Accepted(
        encode(schemas.PendingJob(job_id=job.id)),
        headers=_job_headers(runner, job) | {"location": _link(request, f"/enrich/{job.id}")},
        background=BackgroundTask(runner.start, job),
    )


async def read_enrichment(request: Request) -> Response:
    """`GET /enrich/{job_id}`: how the job stands, with the data once it is there."""
    runner: Runner = request.app.state.runner
    job = runner.jobs.get(request.path_params["job_id"])
    return _json(encode(_view(job)), _job_headers(runner, job))


async def read_health(request: Request) -> Response:
    """`GET /health`: the process is alive."""
    return _json(HEALTH)


async def read_readiness(request: Request) -> Response:
    """`GET /ready`: a job would be taken now; if not, 503 says why."""
    runner: Runner = request.app.state.runner
    runner.check_open()
    return _json(READY)


# fmt: off
ROUTES: Final = [
    Route("/enrich",          start_enrichment, methods=["POST"]),
    Route("/enrich/{job_id}", read_enrichment,  methods=["GET"]),
    Route("/health",          read_health,      methods=["GET"]),
    Route("/ready",           read_readiness,   methods=["GET"]),
]
# fmt: on
OPEN_PATHS: Final = ("/health", "/ready")
"Open to all, whatever the tokens."


def create_app(
    settings: Settings | None = None,
    *,
    source: CompanySource | None = None,
    clock: Clock | None = None,
    own_process: bool = False,
) -> Starlette:
    """
    An application with jobs of its own, to be served or mounted. Making it does no I/O and touches nothing global.

    `settings` default to the environment's; `SettingsError` lists what is wrong with them. `source` and `clock` are
    seams for another source of companies and for tests. `own_process` lets its lifespan set up logging for the whole
    process: true for `service:app`, never for a host.
    """
    settings = Settings.from_env() if settings is None else settings
    clock = clock or Clock()
    source = source or SimulatedCompanies(expected_seconds=settings.simulated_lookup_seconds, clock=clock)
    jobs = JobStore(
        max_pending=settings.max_pending_jobs,
        max_finished=settings.max_finished_jobs,
        retention_seconds=settings.job_retention_seconds,
        clock=clock,
    )
    runner = Runner(jobs=jobs, source=source, clock=clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if own_process:
            logs.configure(settings.log_format, settings.log_level)
        _warn_of_siblings(settings)
        domains.warm_up()
        async with runner:
            log.info(Event("service started", version=__version__, source=source.name))
            yield
        log.info(Event("service stopped"))

    middleware = [Middleware(Boundary)]
    if settings.auth == "off":
        middleware.append(Middleware(SameSiteOnly))
    elif settings.api_tokens:
        middleware.append(Middleware(BearerAuth, tokens=settings.api_tokens, open_paths=OPEN_PATHS))

    app = Starlette(routes=ROUTES, middleware=middleware, exception_handlers={HTTPException: answer}, lifespan=lifespan)
    app.router.redirect_slashes = False  # it would build the address from the Host header, which callers choose
    app.state.settings = settings
    app.state.runner = runner
    return app


def __getattr__(name: str) -> Starlette:
    """
    `app`, for `uvicorn service:app`: made when it is asked for, so that a host which imports `create_app` does not get
    an application it has no use for, nor has its environment judged.
    """
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        app = create_app(own_process=True)
    except SettingsError as error:
        sys.exit(str(error))
    globals()["app"] = app
    return app


def _view(job: Job) -> schemas.PendingJob | schemas.CompleteJob | schemas.FailedJob:
    """The job as callers of `/enrich` know it."""
    if job.result is not None:
        data = schemas.CompanyData(company_size=job.result.company_size, industry=job.result.industry)
        return schemas.CompleteJob(job_id=job.id, data=data)
    if job.error is not None:
        return schemas.FailedJob(job_id=job.id, error=job.error)
    return schemas.PendingJob(job_id=job.id)


def _job_headers(runner: Runner, job: Job) -> dict[str, str]:
    """Where the data comes from and, while it is not there, when to ask again."""
    headers = {**HEADERS, "x-data-source": runner.source.name}
    if not job.is_finished:
        headers["retry-after"] = str(job.seconds_left(runner.clock.now()))
    return headers


def _json(body: bytes, headers: Mapping[str, str] = HEADERS) -> Response:
    return Response(body, headers=headers, media_type="application/json")


def _link(request: Request, path: str) -> str:
    """
    The path as the caller has to write it, wherever we are mounted. Starlette's `url_for` would look for our routes in
    the host's router, and would put the Host header, which callers choose, in front.
    """
    return quote(request.scope.get("root_path", "")) + path


def _warn_of_siblings(settings: Settings) -> None:
    workers = worker_processes(sys.argv, settings.web_concurrency)
    if workers > 1:
        name = "each server process has its own jobs and answers 404 for those of the others; start with --workers 1"
        log.error(Event(name, workers=workers))
