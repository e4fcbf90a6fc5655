"""
The lead-enrichment service: post a company's domain, get 202 at once, fetch what was found later.

`uvicorn service:app` runs it; `Mount("/leads", app=create_app())` puts it into a larger application.
"""

import functools
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import schemas
from enrichment import __version__, domains, logs
from enrichment.blueprint.making import BlueprintMaker
from enrichment.clock import Clock
from enrichment.errors import JobNotFound, SettingsError
from enrichment.jobs.cache import Cache
from enrichment.jobs.memory import JobStore
from enrichment.jobs.model import FINISHED, UNFINISHED, Enrichment, Lookup, State
from enrichment.jobs.pipeline import Waves
from enrichment.jobs.resolver import Answers
from enrichment.jobs.runner import Runner
from enrichment.logs import Log
from enrichment.modules.case_studies import load_case_studies
from enrichment.settings import Settings
from enrichment.sources import CompanySource, Source
from enrichment.sources.simulated.source import SimulatedCompanies, simulated_sources
from enrichment.web import blueprints, orders, params, presenters, streams
from enrichment.web.auth import BearerAuth, Tokens, same_site_only
from enrichment.web.bodies import Header, Json, Start, read_json
from enrichment.web.boundary import Service
from enrichment.web.process import on_shutdown_signal, tuned_gc, worker_processes

log = Log(__name__)

encode: Final = msgspec.json.Encoder().encode
ENRICH_REQUEST: Final = msgspec.json.Decoder(schemas.EnrichRequest)
START_REQUEST: Final = msgspec.json.Decoder(schemas.StartRequest | None)
BATCH_REQUEST: Final = msgspec.json.Decoder(schemas.BatchRequest)
RETRY_REQUEST: Final = msgspec.json.Decoder(schemas.RetryRequest | None)
HEALTH: Final = encode(schemas.Health(service="lead-enrichment", version=__version__))
READY: Final = encode(schemas.Ready())
COMPLETED: Final = frozenset({State.COMPLETED})
EVENT_ID: Final = re.compile(r"\d{1,9}", re.ASCII)
POLL_SECONDS: Final = 5  # an enrichment's progress is worth a look that often, however long it takes


# Document 1: one question, one answer.


async def start_lookup(request: Request) -> Response:
    """`POST /enrich`: take a company's domain in and answer at once; the look-up goes on behind the answer."""
    state = request.app.state
    body = await read_json(request, ENRICH_REQUEST, limit=state.settings.max_body_bytes)
    domain = domains.canonical_domain(body.company_domain, pointer="#/company_domain")
    runner: Runner = state.runner
    job = await runner.accept_lookup(domain, request_id=_request_id(request))
    headers = _lookup_headers(runner, job)
    return _accepted(request, presenters.lookup(job), headers, f"/enrich/{job.id}", Start(runner.start, [job]))


async def read_lookup(request: Request) -> Response:
    """`GET /enrich/{job_id}`: how the job stands, with the data once it is there."""
    runner: Runner = request.app.state.runner
    job = runner.store.lookup(request.path_params["job_id"])
    return _json(presenters.lookup(job), _lookup_headers(runner, job))


# Document 2: modules in waves.


async def start_enrichment(request: Request) -> Response:
    """`POST /api/v1/enrich/{domain}`: take an enrichment in."""
    state = request.app.state
    domain = params.path_domain(request)
    body = await read_json(request, START_REQUEST, limit=state.settings.max_body_bytes, blank=b"null")
    body = body or schemas.StartRequest()
    job = await state.runner.accept(domain, orders.order_of(body, _request_id(request)))
    return _accepted_enrichment(request, job)


async def start_batch(request: Request) -> Response:
    """`POST /api/v1/enrich/batch`: take an enrichment in for each of several domains, so many to run at a time."""
    state = request.app.state
    body = await read_json(request, BATCH_REQUEST, limit=state.settings.max_body_bytes)
    order = orders.order_of(body, _request_id(request))
    items = orders.batch_items(body.domains, most=state.settings.max_batch_domains)
    batch, jobs = await state.runner.accept_batch(items, order, body.concurrency or 5)
    link, start = f"/api/v1/enrich/batch/{batch.id}", Start(state.runner.start, jobs, batch)
    return _accepted(request, presenters.started_batch(batch), _job_headers(state.runner, jobs[0]), link, start)


async def read_batch(request: Request) -> Response:
    """`GET /api/v1/enrich/batch/{batch_id}`: how the batch and each of its jobs stand."""
    store: JobStore = request.app.state.runner.store
    status = presenters.batch_status(store.batch(request.path_params["batch_id"]), store)
    busy = status.status in ("queued", "running")
    return _json(status, [_retry_after(POLL_SECONDS)] if busy else ())


async def list_enrichments(request: Request) -> Response:
    """`GET /api/v1/enrich`: enrichments, newest first, a page of them."""
    store: JobStore = request.app.state.runner.store
    domain, state = params.query_domain(request), params.query_state(request)
    limit = params.query_number(request, "limit", default=50, least=1, most=100)
    offset = params.query_number(request, "offset", default=0, least=0, most=10**12)
    return _json(
        schemas.JobList(
            jobs=tuple(map(presenters.listed, store.page(domain, state, limit=limit, offset=offset))),
            total=store.count(domain, state),
            running_count=store.count(domain, State.RUNNING),
            queued_count=store.count(domain, State.QUEUED),
            limit=limit,
            offset=offset,
        )
    )


async def read_status(request: Request) -> Response:
    """`GET /api/v1/enrich/{domain}/status`: how far the newest job, or `?job_id=`, has come."""
    runner: Runner = request.app.state.runner
    job = _job_of(request, params.path_domain(request), UNFINISHED | FINISHED)
    body = request.app.state.finished_status(job.id) if job.is_finished else encode(presenters.status(job))
    return Json(body, _job_headers(runner, job))


async def read_results(request: Request) -> Response:
    """`GET /api/v1/enrich/{domain}/results`: what the newest completed job, or `?job_id=` in any state, has brought."""
    domain = params.path_domain(request)
    only = params.query_modules(request)
    job = _job_of(request, domain, COMPLETED)
    return Json(
        request.app.state.finished_results(job.id, only) if job.is_finished else encode(presenters.results(job, only))
    )


async def cancel_enrichment(request: Request) -> Response:
    """`POST /api/v1/enrich/{domain}/cancel`: stop the newest unfinished job, or `?job_id=`."""
    runner: Runner = request.app.state.runner
    job = await runner.cancel(params.path_domain(request), request.query_params.get("job_id"))
    message = f"Job cancelled. {job.completed} modules were already completed."
    return _json(schemas.CancelledJob(job_id=job.id, message=message, modules_completed=job.completed))


async def retry_enrichment(request: Request) -> Response:
    """`POST /api/v1/enrich/{domain}/retry`: run again what failed in the newest finished job, or `?job_id=`."""
    state = request.app.state
    domain = params.path_domain(request)
    body = await read_json(request, RETRY_REQUEST, limit=state.settings.max_body_bytes, blank=b"null")
    failed_only = body is None or body.failed_modules_only is not False
    before = _job_of(request, domain, FINISHED, UNFINISHED)
    job = await state.runner.retry(before, failed_only=failed_only, request_id=_request_id(request))
    return _accepted_enrichment(request, job)


async def read_cache(request: Request) -> Response:
    """`GET /api/v1/enrich/{domain}/cache`: which modules are cached, and how fresh they are."""
    return _json(presenters.cache_status(params.path_domain(request), request.app.state.cache))


# Document 3: what is worth finding out.


async def make_blueprint(request: Request) -> Response:
    """`POST /campaigns/enrichment`: what to find out about a campaign's leads; at once, or event by event."""
    state = request.app.state
    body = await blueprints.read_request(request, limit=state.settings.max_body_bytes)
    brief = blueprints.brief_of(body)
    media_type = blueprints.media_type(request, body)
    if request.method == "HEAD":
        return Response(headers=streams.HEADERS, media_type=media_type or "application/json")
    after = request.headers.get("last-event-id", "")
    events = state.campaigns.make(brief, refresh=body.refresh or False)
    if media_type:
        named = blueprints.named(events, request)
        return streams.stream(named, media_type, after=int(after) if EVENT_ID.fullmatch(after) else 0)
    return _json(await blueprints.last_of(events))


# For the platform.


async def read_health(request: Request) -> Response:
    """`GET /health`: the process is alive."""
    return Json(HEALTH)


async def read_readiness(request: Request) -> Response:
    """`GET /ready`: a job would be taken now; if not, 503 says why."""
    runner: Runner = request.app.state.runner
    runner.check_open()
    return Json(READY)


# fmt: off
ROUTES: Final = [
    Route("/enrich",                                start_lookup,      methods=["POST"]),
    Route("/enrich/{job_id}",                       read_lookup,       methods=["GET"]),

    Route("/api/v1/enrich",                         list_enrichments,  methods=["GET"]),
    Route("/api/v1/enrich/batch",                   start_batch,       methods=["POST"]),
    Route("/api/v1/enrich/batch/{batch_id}",        read_batch,        methods=["GET"]),
    Route("/api/v1/enrich/{domain:path}/status",    read_status,       methods=["GET"]),
    Route("/api/v1/enrich/{domain:path}/results",   read_results,      methods=["GET"]),
    Route("/api/v1/enrich/{domain:path}/cache",     read_cache,        methods=["GET"]),
    Route("/api/v1/enrich/{domain:path}/cancel",    cancel_enrichment, methods=["POST"]),
    Route("/api/v1/enrich/{domain:path}/retry",     retry_enrichment,  methods=["POST"]),
    Route("/api/v1/enrich/{domain:path}",           start_enrichment,  methods=["POST"]),

    Route("/campaigns/enrichment",                  make_blueprint,    methods=["POST", "GET"]),
    Route("/api/v1/campaigns/enrichment",           make_blueprint,    methods=["POST", "GET"]),

    Route("/health",                                read_health,       methods=["GET"]),
    Route("/ready",                                 read_readiness,    methods=["GET"]),
]
# fmt: on


def create_app(
    settings: Settings | None = None,
    *,
    source: CompanySource | None = None,
    sources: Mapping[str, Source] | None = None,
    clock: Clock | None = None,
    own_process: bool = False,
) -> Starlette:
    """
    An application with jobs of its own, to be served or mounted. Making it touches nothing global.

    `settings` default to the environment's; `SettingsError` lists what is wrong with them. `source` (for `/enrich`),
    `sources` (for modules, by the names in their chains) and `clock` are seams for others and for tests. `own_process`
    lets its lifespan set up logging, signals and garbage collection for the whole process: true for `service:app`, and
    never for a host.
    """
    settings = Settings.from_env() if settings is None else settings
    clock = clock or Clock()
    tokens = Tokens(settings.api_tokens)
    case_studies = functools.cache(lambda: load_case_studies(settings.case_studies_file))
    if settings.case_studies_file:
        case_studies()  # what is wrong with the operator's file is told at start, like any setting
    store = JobStore(
        max_pending=settings.max_pending_jobs,
        max_finished=settings.max_finished_jobs,
        retention_seconds=settings.job_retention_seconds,
        clock=clock,
    )
    cache = Cache(max_results=settings.max_cached_results, clock=clock)
    answers = Answers(
        cache=cache,
        sources=simulated_sources(settings, case_studies, clock) if sources is None else sources,
        clock=clock,
    )
    waves = Waves(store=store, answers=answers, clock=clock, deadline_seconds=settings.job_deadline_seconds)
    campaigns = BlueprintMaker(resolver=answers, max_cached=settings.max_cached_blueprints, clock=clock)
    runner = Runner(
        store=store,
        source=source or SimulatedCompanies(expected_seconds=settings.simulated_lookup_seconds, clock=clock),
        waves=waves,
        max_running=settings.max_running_jobs,
        clock=clock,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if own_process:
            logs.configure(settings.log_format, settings.log_level)
        _warn_of_siblings(settings)
        domains.warm_up()
        case_studies()
        campaigns.open()
        with ExitStack() as process:
            if own_process:
                process.enter_context(on_shutdown_signal(campaigns.close))
                process.enter_context(tuned_gc())
            async with runner:
                log.info("service started", version=__version__, sources=settings.sources)
                if settings.auth == "bearer":
                    tokens.announce()
                yield
            campaigns.close()
        log.info("service stopped")

    bearer = BearerAuth(tokens, is_open=_is_open if settings.api_tokens else _is_open_by_default)
    app = Service(ROUTES, lifespan, admit=same_site_only if settings.auth == "off" else bearer)
    app.state.settings = settings
    app.state.runner = runner
    app.state.cache = cache
    # A finished job does not change, and is asked for again and again by those who have not noticed.
    app.state.finished_status = functools.lru_cache(maxsize=1_000)(
        lambda job_id: encode(presenters.status(store.enrichment(job_id)))
    )
    app.state.finished_results = functools.lru_cache(maxsize=100)(  # some 20 kB each
        lambda job_id, only: encode(presenters.results(store.enrichment(job_id), only))
    )
    app.state.campaigns = campaigns
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


def _is_open(path: str) -> bool:
    """What no token is needed for, ever."""
    return path in ("/health", "/ready")


def _is_open_by_default(path: str) -> bool:
    """What no token is needed for while none is configured: that, and `/enrich`, and whatever does not exist."""
    return not path.startswith(("/api/", "/campaigns/"))


def _job_of(request: Request, domain: str, *preferences: frozenset[State]) -> Enrichment:
    """The job that `?job_id=` names, or else the domain's newest in the first set of states that it has one in."""
    store: JobStore = request.app.state.runner.store
    if job_id := request.query_params.get("job_id"):
        return store.enrichment(job_id, domain)
    for states in preferences:
        if job := store.newest(domain, states):
            return job
    wanted = "completed job" if preferences == (COMPLETED,) else "job"
    raise JobNotFound(f"There is no {wanted} for {domain}.")


def _accepted(request: Request, body: schemas.Response, headers: Sequence[Header], path: str, start: Start) -> Response:
    """
    The 202, with a link to `path` as the caller has to write it, wherever we are mounted. Starlette's `url_for` would
    look for our routes in the host's router, and would put the Host header, which callers choose, in front.
    """
    location = quote(request.scope.get("root_path", "")) + path
    return Json(encode(body), (*headers, (b"location", location.encode("ascii"))), status=202, background=start)


def _accepted_enrichment(request: Request, job: Enrichment) -> Response:
    runner: Runner = request.app.state.runner
    path = f"/api/v1/enrich/{job.domain}/status?job_id={job.id}"
    return _accepted(request, presenters.started(job), _job_headers(runner, job), path, Start(runner.start, [job]))


def _lookup_headers(runner: Runner, job: Lookup) -> Sequence[Header]:
    """Where the data comes from and, while it is not there, when to ask again."""
    source = (b"x-data-source", runner.source.name.encode("latin-1"))
    return (source,) if job.is_finished else (source, _retry_after(job.seconds_left(runner.clock.now())))


def _job_headers(runner: Runner, job: Enrichment) -> Sequence[Header]:
    """While it is not done, when to ask again."""
    return () if job.is_finished else (_retry_after(min(POLL_SECONDS, job.seconds_left(runner.clock.now()))),)


def _retry_after(seconds: int) -> Header:
    return b"retry-after", b"%d" % seconds


def _json(body: schemas.Response, headers: Sequence[Header] = ()) -> Response:
    return Json(encode(body), headers)


def _request_id(request: Request) -> str:
    request_id: str = request.scope["enrichment.request_id"]
    return request_id


def _warn_of_siblings(settings: Settings) -> None:
    workers = worker_processes(sys.argv, settings.web_concurrency)
    if workers > 1:
        event = "each server process has its own jobs and answers 404 for those of the others; start with --workers 1"
        log.error(event, workers=workers)
