"""
The handlers of `/api/v1/enrich`: modules in waves, for a domain or a batch of them.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment.domains import canonical_domain, shown
from enrichment.engine import Engine
from enrichment.errors import InvalidDomain, InvalidPlan, JobNotFound
from enrichment.jobs.model import FINISHED, UNFINISHED, BatchItem, Enrichment, JobOptions
from enrichment.modules.table import MODULES, plan
from enrichment.settings import Settings
from enrichment.sources.costs import limit_in_millionths
from enrichment.web import plans, presenters
from enrichment.web.blueprints import requested_profile
from enrichment.web.bodies import AsyncTask, Header, TableBody, accepted, json_response, retry_after
from enrichment.web.endpoint import engine_of
from enrichment.web.params import named_domain, path_domain, refused_parameter
from enrichment.web.problems import ProblemError, contradiction, request_id
from enrichment.web.tables import Entry, bad_table, read_table
from enrichment.web.terms import terms_of
from schemas import JobState

POLL_SECONDS: Final = 5  # the longest wait that `Retry-After` advises while a job runs
DEFAULT_CONCURRENCY: Final = 5  # jobs of a batch
SECONDS_PER_TURN: Final = 0.002  # for which a batch's domains may hold the event loop
MAX_FAULTS: Final = 100  # invalid domains of a batch that an error lists


async def start_enrichment(request: Request, body: schemas.StartRequest) -> Response:
    """
    Start an enrichment of a domain: all modules, or some; or show what it would do and cost.

    It is answered at once: `Location` is where to ask for the progress, and `Retry-After` when. Waves run one after the
    other, the modules of a wave side by side, and a module that fails does not stop the rest. With `dry_run` nothing is
    started, and the answer is the plan.
    """
    engine, domain = engine_of(request), path_domain(request)
    options = await _options(request, body)
    if body.dry_run:
        (planned,) = await engine.planner.plan([domain], options)
        return json_response(plans.job_plan(planned, options, engine))
    return _accepted(request, await engine.jobs.submit(domain, options))


async def start_batch(request: Request, query: schemas.BatchQuery, body: schemas.BatchRequest | TableBody) -> Response:
    """
    Start an enrichment for each of several domains, some of them at a time; or show what they would do and cost.

    The domains may be a column of a table, sent as `text/csv` with the options in the query. A domain that is invalid
    or repeated is skipped, and its item in `jobs` says why. If none is left, the request is refused. With `dry_run`
    nothing is started, and the answer is the plan.
    """
    engine = engine_of(request)
    given: schemas.BatchQuery | schemas.BatchRequest
    if isinstance(body, TableBody):
        table = await read_table(body, column=query.column, max_rows=_max_items(engine.settings)[0])
        given, entries = query, table.entries()
        columns, domain_column = table.columns, table.columns[table.domain_column]
    else:
        given, entries = body, [Entry(text) for text in body.domains]
        columns, domain_column = (), None
        _check_is_empty(query)
    options = await _options(request, given)
    items = await _batch_items(entries, engine.settings, is_table=bool(columns))
    if given.dry_run:
        to_run = [item.domain for item in items if item.reason is None]
        planned = await engine.planner.plan(to_run, options, owner="batch")
        return json_response(plans.batch_plan(items, planned, options, engine))
    batch, jobs = await engine.jobs.submit_batch(
        items, options, given.concurrency or DEFAULT_CONCURRENCY, columns=columns, domain_column=domain_column
    )
    task = AsyncTask(engine.jobs.dispatch, jobs, batch)
    path = f"/api/v1/enrich/batch/{batch.id}"
    return accepted(request, presenters.started_batch(batch), path, _headers(engine, jobs[0]), task)


async def read_batch(request: Request) -> Response:
    """
    Get the progress of a batch and of each of its jobs.

    Counts are of now, and sum to `total_domains`. Finished jobs that are no longer kept are `forgotten`.
    """
    status = presenters.batch_status(
        await engine_of(request).store.batch(request.path_params["batch_id"]), _currency(request)
    )
    return json_response(status, [retry_after(POLL_SECONDS)] if status.status in UNFINISHED else ())


async def list_enrichments(request: Request, query: schemas.ListQuery) -> Response:
    """
    List enrichments, newest first.

    `status` may be repeated, or hold several states separated by commas.
    """
    domain = None if query.domain is None else named_domain(query.domain)
    store = engine_of(request).store
    page = await store.page(domain, frozenset(query.status), limit=query.limit, offset=query.offset)
    return json_response(
        schemas.JobList(
            jobs=tuple(map(presenters.listed, page.jobs)),
            total=page.total,
            running_count=page.running,
            queued_count=page.queued,
            limit=query.limit,
            offset=query.offset,
        )
    )


async def read_status(request: Request, query: schemas.JobQuery) -> Response:
    """
    Get the progress of the domain's newest job, or of `job_id`, module by module.

    `progress_percent` never falls. A module whose answer is cached counts as completed.
    """
    job = await _job_of(request, query, UNFINISHED | FINISHED)
    return json_response(presenters.status(job, _currency(request)), _headers(engine_of(request), job))


async def read_results(request: Request, query: schemas.ResultsQuery) -> Response:
    """
    Get the results of the domain's newest completed job, or of `job_id` in any state.

    A job that is running, failed or cancelled has the answers that it got so far. Each has its source, its time and the
    pages where it can be verified.
    """
    for module_id in query.modules or ():
        if module_id not in MODULES:
            raise refused_parameter("modules", f"{module_id[:60]!r} is not a module; they are {', '.join(MODULES)}.")
    job = await _job_of(request, query, {JobState.COMPLETED})
    return json_response(presenters.results(job, query.modules, _currency(request)))


async def cancel_enrichment(request: Request, query: schemas.JobQuery) -> Response:
    """
    Stop the domain's newest unfinished job, or `job_id`, and the calls it makes.

    What it has found stays readable.
    """
    job = await engine_of(request).jobs.cancel(path_domain(request), query.job_id)
    message = f"Job cancelled. {job.completed} modules were already completed."
    return json_response(
        schemas.CancelledJob(job_id=job.id, simulated=job.simulated, message=message, modules_completed=job.completed)
    )


async def retry_enrichment(request: Request, query: schemas.JobQuery, body: schemas.RetryRequest) -> Response:
    """
    Run the failed modules of the domain's newest finished job, or of `job_id`, again.

    This is a new job. Modules that were skipped because another had failed are run as well, and cached answers are
    ignored. If there is nothing to run, it is answered 409.
    """
    before = await _job_of(request, query, FINISHED, UNFINISHED)
    failed_only = body.failed_modules_only is not False
    job = await engine_of(request).jobs.retry(
        before,
        failed_only=failed_only,
        request_id=request_id(request.scope),
        max_cost=None if body.max_cost is None else limit_in_millionths(body.max_cost),
    )
    return _accepted(request, job)


async def read_cache(request: Request) -> Response:
    """
    Get which modules are cached for a domain, and how fresh they are.

    Jobs use cached answers that neither `force` nor `max_age` excludes.
    """
    engine, domain = engine_of(request), path_domain(request)
    findings = await engine.cache.inspect(domain)
    return json_response(presenters.cache_status(domain, findings, engine.clock.now(), simulated=engine.is_simulated))


async def _job_of(request: Request, query: schemas.JobQuery, *preferences: Collection[JobState]) -> Enrichment:
    """The job of `?job_id=`, or the domain's newest in the first set of states in which it has one."""
    store, domain = engine_of(request).store, path_domain(request)
    if query.job_id is not None:
        return await store.enrichment(query.job_id, domain)
    for states in preferences:
        if job := await store.newest(domain, states):
            return job
    wanted = "completed job" if preferences == ({JobState.COMPLETED},) else "job"
    raise JobNotFound(f"There is no {wanted} for {domain}.", parameter="domain")


async def _options(
    request: Request, given: schemas.StartRequest | schemas.BatchRequest | schemas.BatchQuery
) -> JobOptions:
    """How to run the jobs. Raise `InvalidPlan` for modules, waves and terms that do not go together."""
    try:
        modules = plan(given.modules, given.waves)
        terms = terms_of(given, modules)
    except InvalidPlan as error:
        if isinstance(given, schemas.Query) and error.pointer:
            error.parameter, error.pointer = error.pointer.split("/")[1], None
        raise
    return JobOptions(
        modules=modules,
        terms=terms,
        priority=given.priority or "normal",
        force=given.force or False,
        request_id=request_id(request.scope),
        profile=await requested_profile(engine_of(request).blueprints, given),
    )


def _check_is_empty(query: schemas.BatchQuery) -> None:
    """Raise a 422 for a parameter that came with a body of JSON."""
    for name, value in msgspec.structs.asdict(query).items():
        if value is not None:
            detail = f"{name} is for tables (`Content-Type: text/csv`); with JSON it is in the body."
            raise contradiction(detail, parameter=name)


def _max_items(settings: Settings) -> tuple[int, str]:
    """How many domains a batch takes, and the setting that says so."""
    limits = (settings.max_batch_domains, "MAX_BATCH_DOMAINS"), (settings.max_pending_jobs, "MAX_PENDING_JOBS")
    return min(limits, key=lambda limit: limit[0])


async def _batch_items(entries: Sequence[Entry], settings: Settings, *, is_table: bool) -> list[BatchItem]:
    """Each of a batch's entries, to be run or skipped for a reason. Raise a 422 if none can be run."""
    limit, name = _max_items(settings)
    if len(entries) > limit:
        raise _bad_batch(f"There are {len(entries)} domains; a batch takes {limit} at most ({name}).")
    items: list[BatchItem] = []
    seen: set[str] = set()
    began = time.perf_counter()
    for text, cells, fault in entries:
        if time.perf_counter() - began > SECONDS_PER_TURN:  # international names take some 0.1 ms each
            await asyncio.sleep(0)
            began = time.perf_counter()
        try:
            domain = canonical_domain(text)
        except InvalidDomain as error:
            items.append(BatchItem(domain=shown(text), reason=fault or str(error), cells=cells))
            continue
        repeated = f"{domain} is in this batch already." if domain in seen else None
        if not fault:
            seen.add(domain)
        items.append(BatchItem(domain=domain, reason=fault or repeated, cells=cells))
    if not seen:
        faults = [
            schemas.FieldError(pointer=f"#/domains/{index}", detail=item.reason or "")
            for index, item in enumerate(items[:MAX_FAULTS])
        ]
        detail = "There is no domain to run."
        raise bad_table(detail, *faults) if is_table else _bad_batch(detail, *faults)
    return items


def _currency(request: Request) -> str:
    return engine_of(request).settings.cost_currency


def _bad_batch(detail: str, *faults: schemas.FieldError) -> ProblemError:
    errors = faults or (schemas.FieldError(pointer="#/domains", detail=detail),)
    return ProblemError(422, "invalid_body", detail, errors=errors)


def _accepted(request: Request, job: Enrichment) -> Response:
    engine = engine_of(request)
    path = f"/api/v1/enrich/{job.domain}/status?job_id={job.id}"
    task = AsyncTask(engine.jobs.dispatch, [job])
    return accepted(request, presenters.started(job), path, _headers(engine, job), task)


def _headers(engine: Engine, job: Enrichment) -> Sequence[Header]:
    """While the job is not finished, when to ask again."""
    return () if job.is_finished else (retry_after(min(POLL_SECONDS, job.seconds_left(engine.clock.now()))),)
