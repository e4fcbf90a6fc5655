"""
Everything that crosses HTTP as JSON, shape by shape.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that callers send. A field it does not know is refused: it is more often a typing error than a wish."""


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A query string that callers send, by parameter. Unknown parameters are refused, as unknown fields are."""


class Response(msgspec.Struct, frozen=True):
    """A body that we send."""


class EnrichRequest(Request, frozen=True):
    """`POST /enrich`."""

    company_domain: str


class CompanyData(Response, frozen=True):
    """What was found out about a company; `company_size` in employees."""

    company_size: int
    industry: str


class PendingJob(Response, frozen=True, kw_only=True):
    """The 202 of `POST /enrich`, and `GET /enrich/{job_id}` until the job is done."""

    job_id: str
    status: Literal["pending"] = "pending"


class CompleteJob(Response, frozen=True, kw_only=True):
    """`GET /enrich/{job_id}` when the data is there."""

    job_id: str
    status: Literal["complete"] = "complete"
    data: CompanyData


class FailedJob(Response, frozen=True, kw_only=True):
    """`GET /enrich/{job_id}` when there will be no data, and why."""

    job_id: str
    status: Literal["failed"] = "failed"
    error: str


class Health(Response, frozen=True, kw_only=True):
    """`GET /health`: the process is alive."""

    status: Literal["healthy"] = "healthy"
    service: str
    version: str


class Ready(Response, frozen=True, kw_only=True):
    """`GET /ready`: the service takes work."""

    status: Literal["ready"] = "ready"


class FieldError(Response, frozen=True, kw_only=True):
    """
    One fault: in the caller's document at `pointer`, an RFC 6901 JSON pointer as a URI fragment, or in the query at
    `parameter`.
    """

    pointer: str | msgspec.UnsetType = msgspec.UNSET
    parameter: str | msgspec.UnsetType = msgspec.UNSET
    detail: str


class Problem(Response, frozen=True, kw_only=True, omit_defaults=True):
    """
    Every error, as RFC 9457 `application/problem+json`.

    `type` is always `about:blank`, so `title` is the status in words; programs go by `code`, which is stable. `missing`
    and `suggestions` come with `insufficient_information`.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = ()
    missing: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


class JobState(StrEnum):
    """The state of a job. It never leaves one of the last three."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """The state of one module of a job."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class Freshness(StrEnum):
    """How much of its time to live a cached answer has left, from best to worst."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"
    MISSING = "missing"


Priority = Literal["low", "normal", "high"]
WaveNumbers = Annotated[tuple[Annotated[int, Meta(ge=1, le=4)], ...], Meta(max_length=4)]
ModuleIds = Annotated[tuple[str, ...], Meta(max_length=100)]


class JobQuery(Query, frozen=True, kw_only=True):
    """Which job of a domain is meant: without `job_id` the newest that will do."""

    job_id: Annotated[str, Meta(min_length=1)] | None = None


class ResultsQuery(JobQuery, frozen=True, kw_only=True):
    """`modules` narrows the results."""

    modules: tuple[str, ...] | None = None


class ListQuery(Query, frozen=True, kw_only=True):
    """`domain` in any spelling and `status` filter the list; `limit` and `offset` are numbers of jobs."""

    domain: str | None = None
    status: tuple[JobState, ...] = ()
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] = 0


class StartRequest(Request, frozen=True):
    """`POST /api/v1/enrich/{domain}`; every field may be missing or null."""

    modules: ModuleIds | None = None
    waves: WaveNumbers | None = None
    force: bool | None = None
    priority: Priority | None = None


class BatchRequest(Request, frozen=True):
    """`POST /api/v1/enrich/batch`; `concurrency` in jobs."""

    domains: tuple[str, ...]
    modules: ModuleIds | None = None
    waves: WaveNumbers | None = None
    force: bool | None = None
    priority: Priority | None = None
    concurrency: Annotated[int, Meta(ge=1, le=20)] | None = None


class RetryRequest(Request, frozen=True):
    """`POST /api/v1/enrich/{domain}/retry`."""

    failed_modules_only: bool | None = None


class StartedJob(Response, frozen=True, kw_only=True):
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


class BatchJob(Response, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a batch, as posted or as its job stands; `reason` says why it was skipped."""

    job_id: str | None
    domain: str
    status: Literal["queued", "running", "completed", "failed", "cancelled", "skipped", "forgotten"]
    progress_percent: float | msgspec.UnsetType = msgspec.UNSET
    reason: str | None = None


class StartedBatch(Response, frozen=True, kw_only=True):
    """The 202 of `POST /api/v1/enrich/batch`, and the batch as it stands later on."""

    batch_id: str
    status: JobState
    total_domains: int
    queued_count: int
    skipped_count: int
    jobs: tuple[BatchJob, ...]
    estimated_time_seconds: int
    created_at: str


class BatchStatus(StartedBatch, frozen=True, kw_only=True):
    """`GET /api/v1/enrich/batch/{batch_id}`: how many of its jobs are where; `queued_count` is of those posted."""

    waiting_count: int
    running_count: int
    completed_count: int
    failed_count: int
    cancelled_count: int
    progress_percent: float


class SourceAttempt(Response, frozen=True, kw_only=True):
    """A source that was asked; `error` says how it failed, if it did."""

    source: str
    duration_seconds: float
    error: str | None


class ModuleProgress(Response, frozen=True, kw_only=True):
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


class WaveProgress(Response, frozen=True, kw_only=True):
    """The modules of a job that run together. A wave has failed if none of its modules is completed."""

    wave_number: int
    status: StepState
    modules: tuple[ModuleProgress, ...]
    started_at: str | None
    completed_at: str | None


class ModuleError(Response, frozen=True, kw_only=True):
    """Why a module has no result; with `module_id` null, why the job has none or was cancelled."""

    module_id: str | None
    status: StepState
    detail: str
    attempts: tuple[SourceAttempt, ...]


class JobStatus(Response, frozen=True, kw_only=True):
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


class ModuleStatus(Response, frozen=True, kw_only=True):
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


class SourceCitation(Response, frozen=True, kw_only=True):
    """Where an answer can be looked up."""

    url: str
    title: str
    source: str
    simulated: bool


class JobResults(Response, frozen=True, kw_only=True):
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


class CancelledJob(Response, frozen=True, kw_only=True):
    """The answer to `POST /api/v1/enrich/{domain}/cancel`."""

    job_id: str
    status: Literal["cancelled"] = "cancelled"
    message: str
    modules_completed: int


class CachedModule(Response, frozen=True, kw_only=True):
    """What the cache holds for a module; nothing if `freshness` is `missing`."""

    module_id: str
    is_cached: bool
    cached_at: str | None
    freshness: Freshness
    ttl_remaining_seconds: int | None
    simulated: bool


class CacheStatus(Response, frozen=True, kw_only=True):
    """`GET /api/v1/enrich/{domain}/cache`."""

    domain: str
    modules: tuple[CachedModule, ...]
    overall_freshness: Freshness
    last_enrichment: str | None
    stale_modules: tuple[str, ...]


class ListedJob(Response, frozen=True, kw_only=True):
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


class JobList(Response, frozen=True, kw_only=True):
    """`GET /api/v1/enrich`: `total` counts what the filters let through, the others what is under way of the domain."""

    jobs: tuple[ListedJob, ...]
    total: int
    running_count: int
    queued_count: int
    limit: int
    offset: int


Text = Annotated[str, Meta(max_length=5_000)]
Words = Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=50)]


class IcpObject(Request, frozen=True):
    """An ideal customer profile, field by field; each is read as free text of its kind."""

    industries: Words | None = None
    company_size: Annotated[str, Meta(max_length=200)] | None = None
    geographies: Words | None = None
    technologies: Words | None = None
    personas: Words | None = None
    signals: Words | None = None


class BlueprintRequest(Request, frozen=True):
    """`POST /campaigns/enrichment`: `icp` in free text or field by field, `offer` is what the campaign sells."""

    website_url: str
    icp: Text | IcpObject | None = None
    offer: Text | None = None
    stream: bool | None = None
    refresh: bool | None = None


class BlueprintOptions(Query, frozen=True, kw_only=True):
    """The query of `POST /campaigns/enrichment`: what may stand in the body as well, which wins."""

    stream: bool | None = None
    refresh: bool | None = None


class BlueprintQuery(BlueprintOptions, frozen=True, kw_only=True):
    """The query of `GET /campaigns/enrichment`: a blueprint request, as a browser's `EventSource` can send it."""

    website_url: str
    icp: Text | None = None
    offer: Text | None = None


class FoundInProfile(Response, frozen=True, kw_only=True):
    """Where in the given profile, by field and character, something was found, and how sure that is (0 to 1)."""

    field: str
    index: int
    start: int
    end: int
    text: str
    confidence: float


class ProfileIndustry(Response, frozen=True, kw_only=True):
    """An industry, with prefixes of its codes."""

    id: str
    name: str
    naics: tuple[str, ...]
    sic: tuple[str, ...]
    excluded: bool
    found: FoundInProfile


class ProfileRange(Response, frozen=True, kw_only=True):
    """From `minimum` to `maximum`, either open: employees, or money of `currency`."""

    measure: str
    minimum: int | None
    maximum: int | None
    currency: str | None
    excluded: bool
    found: FoundInProfile


class ProfilePlace(Response, frozen=True, kw_only=True):
    """A place, and the countries (ISO 3166-1 alpha-2) that it stands for."""

    name: str
    kind: str
    countries: tuple[str, ...]
    excluded: bool
    found: FoundInProfile


class ProfileTechnology(Response, frozen=True, kw_only=True):
    """A product, or with `name` null a category of products."""

    name: str | None
    category: str
    excluded: bool
    found: FoundInProfile


class ProfilePersona(Response, frozen=True, kw_only=True):
    """A role to speak to."""

    id: str
    title: str
    department: str
    seniority: str
    excluded: bool
    found: FoundInProfile


class ProfileFunding(Response, frozen=True, kw_only=True):
    """A stage of funding."""

    stage: str
    name: str
    excluded: bool
    found: FoundInProfile


class ProfileSignal(Response, frozen=True, kw_only=True):
    """Something that happens at a lead; `within_days` says how lately, where the profile does."""

    id: str
    name: str
    within_days: int | None
    excluded: bool
    found: FoundInProfile


class NotUnderstood(Response, frozen=True, kw_only=True):
    """Words of the given profile that were not understood."""

    field: str
    index: int
    start: int
    end: int
    text: str


class CustomerProfile(Response, frozen=True, kw_only=True):
    """The ideal customer profile that a blueprint works from."""

    origin: Literal["provided", "inferred"]
    confidence: float
    reasoning: tuple[str, ...]
    raise_confidence: tuple[str, ...]
    industries: tuple[ProfileIndustry, ...]
    company_size: tuple[ProfileRange, ...]
    revenue: tuple[ProfileRange, ...]
    geographies: tuple[ProfilePlace, ...]
    technologies: tuple[ProfileTechnology, ...]
    personas: tuple[ProfilePersona, ...]
    funding: tuple[ProfileFunding, ...]
    funding_amount: tuple[ProfileRange, ...]
    signals: tuple[ProfileSignal, ...]
    business_models: tuple[ProfileSignal, ...]
    not_understood: tuple[NotUnderstood, ...]
    contradictions: tuple[str, ...]


class PointFilter(Response, frozen=True, kw_only=True):
    """The exact condition that a lead has to meet, and the same in words."""

    field: str
    operator: str
    value: Any
    unit: str
    text: str


class PointSource(Response, frozen=True, kw_only=True):
    """Where a data point can be had."""

    provider: str
    endpoint: str
    field: str
    key_required: bool
    url: str
    cost: str
    note: str | None


class PointMethod(Response, frozen=True, kw_only=True):
    """How a data point can be collected, step by step."""

    method: Literal["api", "scrape", "search", "manual"]
    steps: tuple[str, ...]


class RecommendedPoint(Response, frozen=True, kw_only=True):
    """
    A data point worth collecting; `module` of the enrichment API collects it, if any does.

    `also` is a second condition beside `filter`, `expected_fill_rate` the share of companies it can be found for.
    """

    id: str
    name: str
    definition: str
    why: str
    priority: Literal["must_have", "should_have", "nice_to_have"]
    priority_reason: str
    filter: PointFilter
    also: PointFilter | None
    sources: tuple[PointSource, ...]
    collection_methods: tuple[PointMethod, ...]
    validation: tuple[str, ...]
    refresh_days: int
    cost_class: str
    module: str | None
    example: str
    privacy_note: str | None
    expected_fill_rate: float | None


class RecommendedSource(Response, frozen=True, kw_only=True):
    """A provider worth having, and the data points it covers."""

    provider: str
    covers: tuple[str, ...]
    key_required: bool
    cost: str
    why: str


class BlueprintMetadata(Response, frozen=True, kw_only=True):
    """Where a blueprint comes from: what was asked and what was not to be had, when, and until when it is kept."""

    id: str
    generated_at: str
    expires_at: str
    cached: bool
    duration_seconds: float
    sources_used: tuple[str, ...]
    sources_missing: tuple[str, ...]
    gaps: tuple[str, ...]


class Blueprint(Response, frozen=True, kw_only=True):
    """
    The answer of `POST /campaigns/enrichment`: what to find out about leads, from where, and how.

    `modules` can be posted to `/api/v1/enrich/{domain}` as it is.
    """

    website: str
    simulated: bool
    icp: CustomerProfile
    firmographic: tuple[RecommendedPoint, ...]
    technographic: tuple[RecommendedPoint, ...]
    personalization: tuple[RecommendedPoint, ...]
    sources: tuple[RecommendedSource, ...]
    modules: tuple[str, ...]
    metadata: BlueprintMetadata


class BlueprintProgress(Response, frozen=True, kw_only=True):
    """The event `progress`: what is being done."""

    stage: str
    percent: int


class BlueprintSection(Response, frozen=True, kw_only=True):
    """The event `section`: a group of data points that is ready."""

    section: Literal["firmographic", "technographic", "personalization"]
    data_points: tuple[RecommendedPoint, ...]
