"""
The lead-enrichment service: post a company's domain, get a 202 at once, fetch later what was found.

`uvicorn service:app` runs it; `Mount("/leads", app=create_app())` puts it into a larger application.
"""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Final

from starlette.middleware.cors import CORSMiddleware

import schemas
from enrichment import __version__, logs
from enrichment.clock import Clock
from enrichment.engine import Engine
from enrichment.errors import SettingsError
from enrichment.logs import Log
from enrichment.settings import Settings
from enrichment.sources import CompanySource, Source
from enrichment.web.auth import BearerAuth, Tokens, same_site_only
from enrichment.web.batch_results import CSV, read_batch_results
from enrichment.web.blueprints import EVENTS, make_blueprint, read_blueprint
from enrichment.web.boundary import App
from enrichment.web.documents import Documents, read_docs, read_docs_file, read_llms, read_openapi
from enrichment.web.endpoint import Access, Endpoint
from enrichment.web.enrichments import (
    cancel_enrichment,
    list_enrichments,
    read_batch,
    read_cache,
    read_results,
    read_status,
    retry_enrichment,
    start_batch,
    start_enrichment,
)
from enrichment.web.lookups import read_lookup, start_lookup
from enrichment.web.platform import list_sources, read_health, read_readiness
from enrichment.web.process import (
    Shutdown,
    frequent_thread_switches,
    own_address,
    tuned_gc,
    worker_processes,
)
from enrichment.web.streams import NDJSON, SSE

LOOKUP: Final = schemas.PendingJob | schemas.CompleteJob | schemas.FailedJob
OPEN: Final = Access.OPEN
OPEN_WITHOUT_TOKENS: Final = Access.OPEN_WITHOUT_TOKENS
NO_DATABASE: Final = "database_unavailable"
NO_ROOM: Final = ("too_many_jobs", "shutting_down", NO_DATABASE)
NO_JOB: Final = ("job_not_found", NO_DATABASE)
TO_JUDGE: Final = ("unreadable_profile", "invalid_profile", "blueprint_not_found", "contradictory_request")
BLUEPRINT: Final[Mapping[str, Any]] = {
    "gives": {200: schemas.Blueprint, 204: None},
    "also": {SSE: EVENTS, NDJSON: EVENTS},
    "is_large": True,
}
BLUEPRINT_PROBLEMS: Final = ("invalid_website", "insufficient_information", "unreadable_profile", "shutting_down")

# What is not said to be open takes a token. Errors are the same everywhere: `schemas.Problem`, with a code of which
# those that follow from the rest of a row are not repeated in it.
# fmt: off
ROUTES: Final = (
    Endpoint("POST", "/enrich", start_lookup, access=OPEN_WITHOUT_TOKENS,
             body=schemas.EnrichRequest, gives={202: schemas.PendingJob},
             sends=("Retry-After", "X-Data-Source"), problems=("invalid_domain", *NO_ROOM)),
    Endpoint("GET", "/enrich/{job_id}", read_lookup, access=OPEN_WITHOUT_TOKENS,
             gives={200: LOOKUP}, sends=("Retry-After", "X-Data-Source"), problems=NO_JOB),

    Endpoint("GET", "/api/v1/enrich", list_enrichments,
             query=schemas.ListQuery, gives={200: schemas.JobList}, problems=("invalid_domain", NO_DATABASE),
             is_large=True),
    Endpoint("POST", "/api/v1/enrich/batch", start_batch,
             query=schemas.BatchQuery, body=schemas.BatchRequest, body_as=(CSV,),
             gives={202: schemas.StartedBatch, 200: schemas.BatchPlan},
             sends=("Retry-After",), problems=(*TO_JUDGE, "invalid_table", "invalid_plan", *NO_ROOM)),
    Endpoint("GET", "/api/v1/enrich/batch/{batch_id}", read_batch,
             gives={200: schemas.BatchStatus}, sends=("Retry-After",), problems=NO_JOB, is_large=True),
    Endpoint("GET", "/api/v1/enrich/batch/{batch_id}/results", read_batch_results,
             query=schemas.BatchResultsQuery, gives={200: schemas.BatchResults},
             also={NDJSON: schemas.BatchLead, CSV: str}, sends=("Retry-After",),
             problems=(*NO_JOB, "no_profile", "contradictory_request")),
    Endpoint("GET", "/api/v1/enrich/{domain}/status", read_status,
             query=schemas.JobQuery, gives={200: schemas.JobStatus},
             sends=("Retry-After",), problems=NO_JOB, is_large=True),
    Endpoint("GET", "/api/v1/enrich/{domain}/results", read_results,
             query=schemas.ResultsQuery, gives={200: schemas.JobResults}, problems=NO_JOB, is_large=True),
    Endpoint("GET", "/api/v1/enrich/{domain}/cache", read_cache,
             gives={200: schemas.CacheStatus}, problems=(NO_DATABASE,)),
    Endpoint("POST", "/api/v1/enrich/{domain}/cancel", cancel_enrichment,
             query=schemas.JobQuery, gives={200: schemas.CancelledJob}, problems=(*NO_JOB, "job_conflict")),
    Endpoint("POST", "/api/v1/enrich/{domain}/retry", retry_enrichment,
             query=schemas.JobQuery, body=schemas.RetryRequest, gives={202: schemas.StartedJob},
             sends=("Retry-After",), problems=("job_not_found", "job_conflict", *NO_ROOM)),
    Endpoint("POST", "/api/v1/enrich/{domain}", start_enrichment,
             body=schemas.StartRequest, gives={202: schemas.StartedJob, 200: schemas.JobPlan},
             sends=("Retry-After",), problems=(*TO_JUDGE, "invalid_plan", *NO_ROOM)),

    *(row for path in ("/campaigns/enrichment", "/api/v1/campaigns/enrichment") for row in (
        Endpoint("POST", path, make_blueprint,
                 query=schemas.BlueprintOptions, body=schemas.BlueprintRequest,
                 problems=(*BLUEPRINT_PROBLEMS, "invalid_profile"), **BLUEPRINT),
        Endpoint("GET", path, read_blueprint,
                 query=schemas.BlueprintQuery, problems=BLUEPRINT_PROBLEMS, **BLUEPRINT),
    )),

    Endpoint("GET", "/api/v1/sources", list_sources,
             gives={200: schemas.SourceList}, is_large=True),

    Endpoint("GET", "/health", read_health, access=OPEN, gives={200: schemas.Health}),
    Endpoint("GET", "/ready", read_readiness, access=OPEN, gives={200: schemas.Ready},
             problems=(*NO_ROOM, "no_workers")),

    Endpoint("GET", "/openapi.json", read_openapi, access=OPEN, gives={200: dict}, is_large=True),
    Endpoint("GET", "/llms.txt", read_llms, access=OPEN, gives={200: str}, media_type="text/plain"),
    Endpoint("GET", "/docs", read_docs, access=OPEN,
             gives={200: str, 304: None}, media_type="text/html", sends=("ETag",), is_large=True),
    Endpoint("GET", "/docs/{file}", read_docs_file, access=OPEN,
             gives={200: str, 304: None}, media_type="text/javascript", also={"text/css": str},
             sends=("ETag",), problems=("not_found",), is_large=True),
)
# fmt: on

log = Log(__name__)


def create_app(
    settings: Settings | None = None,
    *,
    source: CompanySource | None = None,
    sources: Mapping[str, Source] | None = None,
    clock: Clock | None = None,
    own_process: bool = False,
) -> App:
    """
    Make an application with jobs of its own, to be served or mounted. This touches nothing global and does no I/O.

    `settings` default to the environment's; `SettingsError` lists what is wrong with them. `source` (for `/enrich`),
    `sources` (for modules, by the names in their chains) and `clock` are seams for others and for tests. `own_process`
    lets the lifespan set up logging, signals, garbage collection and threads for the whole process: true for
    `service:app`, never for a host.
    """
    settings = Settings.from_env() if settings is None else settings
    engine = Engine(settings, source=source, sources=sources, clock=clock)
    tokens = Tokens(settings.api_tokens)

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[None]:
        with ExitStack() as process:
            if own_process:
                process.enter_context(logs.to_stderr(settings.log_format, settings.log_level))
                process.enter_context(Shutdown(engine.begin_close, engine.close).on_signal())
                process.enter_context(tuned_gc())
                process.enter_context(frequent_thread_switches())
            _warn_of_siblings(settings)
            async with engine:
                log.info("service started", version=__version__, sources=settings.sources)
                if settings.auth == "bearer":
                    tokens.log_generated_token(own_address(), is_complete=own_process)
                yield
            log.info("service stopped")

    bearer = BearerAuth(tokens, is_configured=bool(settings.api_tokens))
    authorize = same_site_only if settings.auth == "off" else bearer
    app = App(ROUTES, engine=engine, authorize=authorize, lifespan=lifespan)
    app.state.documents = Documents(ROUTES, settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"),
            expose_headers=("Location", "Retry-After", "X-Data-Source", "X-Request-ID"),
        )
    return app


def __getattr__(name: str) -> App:
    """
    Make `app` for `uvicorn service:app` when it is asked for: a host that imports `create_app` gets no second app, and
    its environment is not checked.
    """
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        app = create_app(own_process=True)
    except SettingsError as error:
        sys.exit(str(error))
    globals()["app"] = app
    return app


def _warn_of_siblings(settings: Settings) -> None:
    if settings.jobs_backend != "memory":
        return
    workers = worker_processes(sys.argv, settings.web_concurrency)
    if workers > 1:
        event = "each server process has its own jobs and answers 404 for those of the others; start with --workers 1"
        log.error(event, workers=workers)
