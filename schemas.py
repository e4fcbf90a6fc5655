"""
Everything that crosses HTTP as JSON, shape by shape.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """A body that callers send. A field it does not know is refused: it is more often a typing error than a wish."""


class Response(msgspec.Struct):
    """A body that we send."""


class EnrichRequest(Request):
    """`POST /enrich`."""

    company_domain: str


class CompanyData(Response):
    """What was found out about a company; `company_size` in employees."""

    company_size: int
    industry: str


class PendingJob(Response, kw_only=True):
    """The 202 of `POST /enrich`, and `GET /enrich/{job_id}` until the job is done."""

    job_id: str
    status: Literal["pending"] = "pending"


class CompleteJob(Response, kw_only=True):
    """`GET /enrich/{job_id}` when the data is there."""

    job_id: str
    status: Literal["complete"] = "complete"
    data: CompanyData


class FailedJob(Response, kw_only=True):
    """`GET /enrich/{job_id}` when there will be no data, and why."""

    job_id: str
    status: Literal["failed"] = "failed"
    error: str


class Health(Response, kw_only=True):
    """`GET /health`: the process is alive."""

    status: Literal["healthy"] = "healthy"
    service: str
    version: str


class Ready(Response, kw_only=True):
    """`GET /ready`: the service takes work."""

    status: Literal["ready"] = "ready"


class FieldError(Response, kw_only=True):
    """
    One fault: in the caller's document at `pointer`, an RFC 6901 JSON pointer as a URI fragment, or in the query at
    `parameter`.
    """

    pointer: str | msgspec.UnsetType = msgspec.UNSET
    parameter: str | msgspec.UnsetType = msgspec.UNSET
    detail: str


class Problem(Response, kw_only=True, omit_defaults=True):
    """
    Every error, as RFC 9457 `application/problem+json`.

    `type` is always `about:blank`, so `title` is the status in words; programs go by `code`, which is stable.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = ()


Priority = Literal["low", "normal", "high"]
JobState = Literal["queued", "running", "completed", "failed", "cancelled"]
StepState = Literal["pending", "running", "completed", "failed", "skipped", "cancelled"]
Waves = Annotated[tuple[Annotated[int, Meta(ge=1, le=4)], ...], Meta(max_length=4)]
Modules = Annotated[tuple[str, ...], Meta(max_length=100)]


class StartRequest(Request):
    """`POST /api/v1/enrich/{domain}`; every field may be missing or null."""

    modules: Modules | None = None
    waves: Waves | None = None
    force: bool | None = None
    priority: Priority | None = None


class BatchRequest(Request):
    """`POST /api/v1/enrich/batch`; `concurrency` in jobs."""

    domains: tuple[str, ...]
    modules: Modules | None = None
    waves: Waves | None = None
    force: bool | None = None
    priority: Priority | None = None
    concurrency: Annotated[int, Meta(ge=1, le=20)] | None = None


class RetryRequest(Request):
    """`POST /api/v1/enrich/{domain}/retry`."""

    failed_modules_only: bool | None = None


class StartedJob(Response, kw_only=True):
    """The 202 of starting and retrying. Times everywhere are UTC, ISO 8601, whole seconds."""

    job_id: str
    domain: str
    status: JobState
    modules: tuple[str, ...]
    waves: tuple[int, ...]
    priority: Priority
    force: bool
    estimated_time_seconds: int
    created_at: str


class BatchJob(Response, kw_only=True, omit_defaults=True):
    """One entry of a batch, as posted or as its job stands; `reason` says why it was skipped."""

    job_id: str | None
    domain: str
    status: Literal["queued", "running", "completed", "failed", "cancelled", "skipped", "forgotten"]
    progress_percent: float | msgspec.UnsetType = msgspec.UNSET
    reason: str | None = None


class StartedBatch(Response, kw_only=True):
    """The 202 of `POST /api/v1/enrich/batch`, and the batch as it stands later on."""

    batch_id: str
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    total_domains: int
    queued_count: int
    skipped_count: int
    jobs: tuple[BatchJob, ...]
    estimated_time_seconds: int
    created_at: str


class BatchStatus(StartedBatch, kw_only=True):
    """`GET /api/v1/enrich/batch/{batch_id}`: how many of its jobs are where; `queued_count` is of those posted."""

    waiting_count: int
    running_count: int
    completed_count: int
    failed_count: int
    cancelled_count: int
    progress_percent: float


class SourceAttempt(Response, kw_only=True):
    """A source that was asked; `error` says how it failed, if it did."""

    source: str
    duration_seconds: float
    error: str | None


class ModuleProgress(Response, kw_only=True):
    """A module of a job; `reason` says why it failed or was skipped."""

    module_id: str
    status: StepState
    duration_seconds: float | None
    data_points_collected: int | None
    source_url: str | None
    source: str | None
    simulated: bool
    cached: bool
    reason: str | None


class WaveProgress(Response, kw_only=True):
    """The modules of a job that run together."""

    wave_number: int
    status: Literal["pending", "running", "completed", "failed", "cancelled"]
    modules: tuple[ModuleProgress, ...]
    started_at: str | None
    completed_at: str | None


class ModuleError(Response, kw_only=True):
    """Why a module, or with `module_id` null the whole job, brought nothing."""

    module_id: str | None
    status: Literal["failed", "skipped", "cancelled"]
    detail: str
    attempts: tuple[SourceAttempt, ...]


class JobStatus(Response, kw_only=True):
    """`GET /api/v1/enrich/{domain}/status`."""

    job_id: str
    domain: str
    status: JobState
    progress_percent: float
    current_wave: int | None
    current_module: str | None
    modules_total: int
    modules_completed: int
    modules_failed: int
    modules_skipped: int
    waves: tuple[WaveProgress, ...]
    errors: tuple[ModuleError, ...]
    priority: Priority
    force: bool
    batch_id: str | None
    created_at: str
    started_at: str | None
    completed_at: str | None
    duration_seconds: float | None


class ModuleStatus(Response, kw_only=True):
    """How a module's answer came about; `fetched_at` is how old it is."""

    status: StepState
    duration_ms: int | None
    cached: bool
    data_points: int | None
    source: str | None
    simulated: bool
    fetched_at: str | None
    attempts: tuple[SourceAttempt, ...]
    reason: str | None


class SourceCitation(Response, kw_only=True):
    """Where an answer can be looked up."""

    url: str
    title: str
    source: str
    simulated: bool


class JobResults(Response, kw_only=True):
    """`GET /api/v1/enrich/{domain}/results`: one entry per module in `results`, of the module's own shape."""

    domain: str
    job_id: str
    status: JobState
    completed_at: str | None
    simulated: bool
    results: dict[str, Any]
    module_statuses: dict[str, ModuleStatus]
    cached_modules: tuple[str, ...]
    failed_modules: tuple[str, ...]
    skipped_modules: tuple[str, ...]
    source_citations: dict[str, tuple[SourceCitation, ...]]
    errors: tuple[ModuleError, ...]


class CancelledJob(Response, kw_only=True):
    """The answer to `POST /api/v1/enrich/{domain}/cancel`."""

    job_id: str
    status: Literal["cancelled"] = "cancelled"
    message: str
    modules_completed: int


class CachedModule(Response, kw_only=True):
    """What the cache holds for a module; nothing if `freshness` is `missing`."""

    module_id: str
    is_cached: bool
    cached_at: str | None
    freshness: Literal["fresh", "stale", "expired", "missing"]
    ttl_remaining_seconds: int | None
    simulated: bool


class CacheStatus(Response, kw_only=True):
    """`GET /api/v1/enrich/{domain}/cache`."""

    domain: str
    modules: tuple[CachedModule, ...]
    overall_freshness: Literal["fresh", "stale", "expired", "missing"]
    last_enrichment: str | None
    stale_modules: tuple[str, ...]


class ListedJob(Response, kw_only=True):
    """An enrichment in the list."""

    job_id: str
    domain: str
    status: JobState
    progress_percent: float
    modules_total: int
    modules_completed: int
    modules_failed: int
    priority: Priority
    created_at: str
    started_at: str | None
    completed_at: str | None


class JobList(Response, kw_only=True):
    """`GET /api/v1/enrich`: `total` counts what the filters let through, the others what is under way of the domain."""

    jobs: tuple[ListedJob, ...]
    total: int
    running_count: int
    queued_count: int
    limit: int
    offset: int
