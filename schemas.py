"""
Everything that crosses HTTP as JSON, shape by shape.
"""

from collections.abc import Mapping
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
    simulated: bool
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
    simulated: bool
    total_domains: int
    queued_count: int
    skipped_count: int
    jobs: tuple[BatchJob, ...]
    estimated_time_seconds: int
    created_at: str


class BatchStatus(StartedBatch, frozen=True, kw_only=True):
    """
    `GET /api/v1/enrich/batch/{batch_id}`. The counts are those of now, and sum to `total_domains`.

    A job that was finished and is no longer kept counts as forgotten. `progress_percent` is 100 when all jobs have
    ended, however they did.
    """

    running_count: int
    completed_count: int
    failed_count: int
    cancelled_count: int
    forgotten_count: int
    progress_percent: float


class Method(StrEnum):
    """How a value was obtained."""

    API = "api"
    SCRAPE = "scrape"
    DERIVED = "derived"
    ESTIMATED = "estimated"
    LLM = "llm"
    SIMULATED = "simulated"


class Outcome(StrEnum):
    """What came of asking a source; `unknown` means that it does not know the company."""

    ANSWERED = "answered"
    UNKNOWN = "unknown"
    FAILED = "failed"


class SourceAttempt(Response, frozen=True, kw_only=True):
    """A source that was asked; `error` says why it did not answer."""

    source: str
    outcome: Outcome
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
    simulated: bool
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
    simulated: bool
    batch_id: str | None
    created_at: str
    started_at: str | None
    completed_at: str | None
    duration_seconds: float | None


class ModuleStatus(Response, frozen=True, kw_only=True):
    """
    How a module's answer came about.

    `fetched_at` is when it was fetched, `observed_at` the date of the data itself, if the source gives one.
    `field_sources` names the source of each field of an answer that several sources filled. `matched_by` says how the
    company was identified, and `match_confidence` how sure that is, from 0 to 1.
    """

    status: StepState
    duration_ms: int | None
    cached: bool
    data_points: int | None
    source: str | None
    source_url: str | None
    method: Method | None
    simulated: bool
    fetched_at: str | None
    observed_at: str | None
    field_sources: Mapping[str, str]
    matched_by: str | None
    match_confidence: float | None
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
    simulated: bool
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
    simulated: bool
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
    modules_skipped: int
    priority: Priority
    simulated: bool
    created_at: str
    started_at: str | None
    completed_at: str | None


class SourceState(StrEnum):
    """Whether a source can be asked now; every other state has an end."""

    OK = "ok"
    LIMITED = "limited"
    OPEN = "open"
    QUOTA_EXHAUSTED = "quota_exhausted"


class SourceStatus(Response, frozen=True, kw_only=True):
    """
    A source of the chains.

    `opened_by` lists the settings of which one makes it available. `state` is `limited` while the service allows no
    requests, `open` while its circuit is open because it has failed too often, and lasts until `until`. `calls`, `hits`
    and `errors` are counted since the start of the process.
    """

    name: str
    serves: tuple[str, ...]
    needs_key: bool
    configured: bool
    opened_by: tuple[str, ...]
    state: SourceState
    until: str | None
    calls: int
    hits: int
    errors: int
    last_success_at: str | None
    last_error_at: str | None
    last_error: str | None


class SourceList(Response, frozen=True, kw_only=True):
    """`GET /api/v1/sources`."""

    sources: tuple[SourceStatus, ...]


class JobList(Response, frozen=True, kw_only=True):
    """`GET /api/v1/enrich`: `total` counts what the filters let through, the others what is under way of the domain."""

    jobs: tuple[ListedJob, ...]
    total: int
    running_count: int
    queued_count: int
    limit: int
    offset: int


FreeText = Annotated[str, Meta(max_length=5_000)]
ShortText = Annotated[str, Meta(max_length=200)]
ShortTexts = Annotated[tuple[ShortText, ...], Meta(max_length=50)]

Measure = Literal["employees", "revenue", "arr", "funding"]
PlaceKind = Literal["country", "region", "subdivision", "city"]
Seniority = Literal["c_level", "vp", "director", "head", "manager", "individual", "founder", "any"]
Cost = Literal["free", "low", "medium", "high"]
PointGroup = Literal["firmographic", "technographic", "personalization"]
Operator = Literal[
    "between",
    "between_any",
    "gte",
    "lte",
    "eq",
    "in",
    "not_in",
    "contains_any",
    "contains_all",
    "exists",
    "within_days",
    "not_within_days",
]
FilterOperand = int | float | str | bool | tuple[int | str | tuple[int | None, int | None] | None, ...]


class IcpObject(Request, frozen=True):
    """An ideal customer profile as an object; each field holds free text about its own topic."""

    industries: ShortTexts | None = None
    company_size: ShortText | None = None
    geographies: ShortTexts | None = None
    technologies: ShortTexts | None = None
    personas: ShortTexts | None = None
    signals: ShortTexts | None = None


class BlueprintRequest(Request, frozen=True):
    """`POST /campaigns/enrichment`: `icp` is free text or an object; `offer` describes what the campaign sells."""

    website_url: str
    icp: FreeText | IcpObject | None = None
    offer: FreeText | None = None
    stream: bool | None = None
    refresh: bool | None = None


class BlueprintOptions(Query, frozen=True, kw_only=True):
    """The query of `POST /campaigns/enrichment`: what may stand in the body as well, which wins."""

    stream: bool | None = None
    refresh: bool | None = None


class BlueprintQuery(BlueprintOptions, frozen=True, kw_only=True):
    """The query of `GET /campaigns/enrichment`: a blueprint request, as a browser's `EventSource` can send it."""

    website_url: str
    icp: FreeText | None = None
    offer: FreeText | None = None


class FoundInProfile(Response, frozen=True, kw_only=True):
    """
    The passage of the given profile that a criterion was read from, and the confidence in that reading (0 to 1).

    `field` is "text" for free text, the name of the field for an object, and "inferred" for a profile that was not
    given; `index` is the position in a field that is a list. `start` and `end` are character offsets.
    """

    field: str
    index: int = 0
    start: int
    end: int
    text: str
    confidence: float


class ProfileIndustry(Response, frozen=True, kw_only=True):
    """An industry with its NAICS 2022 and SIC codes; a code is a prefix: "5415" includes "541511"."""

    id: str
    name: str
    naics: tuple[str, ...]
    sic: tuple[str, ...]
    excluded: bool = False
    found: FoundInProfile


class ProfileRange(Response, frozen=True, kw_only=True):
    """A range of employees, or of money in `currency` (ISO 4217). Both ends are included; null leaves an end open."""

    measure: Measure = "employees"
    minimum: int | None
    maximum: int | None
    currency: str | None = None
    excluded: bool = False
    found: FoundInProfile


class ProfilePlace(Response, frozen=True, kw_only=True):
    """A place, with the countries (ISO 3166-1 alpha-2) that it consists of or lies in."""

    name: str
    kind: PlaceKind = "country"
    countries: tuple[str, ...]
    excluded: bool = False
    found: FoundInProfile


class ProfileTechnology(Response, frozen=True, kw_only=True):
    """A product, or a category of products if `name` is null."""

    name: str | None
    category: str
    excluded: bool = False
    found: FoundInProfile


class ProfilePersona(Response, frozen=True, kw_only=True):
    """A role to contact."""

    id: str
    title: str
    department: str
    seniority: Seniority
    excluded: bool = False
    found: FoundInProfile


class ProfileFunding(Response, frozen=True, kw_only=True):
    """A funding stage, such as "seed", "series_a", "bootstrapped", or "public"."""

    stage: str
    name: str
    excluded: bool = False
    found: FoundInProfile


class ProfileSignal(Response, frozen=True, kw_only=True):
    """A buying signal, such as "hiring", or a business model; `within_days` is the maximum age that was asked for."""

    id: str
    name: str
    within_days: int | None = None
    excluded: bool = False
    found: FoundInProfile


class NotUnderstood(Response, frozen=True, kw_only=True):
    """A passage of the given profile that was not understood."""

    field: str
    index: int = 0
    start: int
    end: int
    text: str


class CustomerProfile(Response, frozen=True, kw_only=True):
    """The ideal customer profile that a blueprint is based on. `confidence` is from 0 to 1."""

    origin: Literal["provided", "inferred"] = "provided"
    confidence: float = 0.0
    reasoning: tuple[str, ...] = ()
    raise_confidence: tuple[str, ...] = ()
    industries: tuple[ProfileIndustry, ...] = ()
    company_size: tuple[ProfileRange, ...] = ()
    revenue: tuple[ProfileRange, ...] = ()
    geographies: tuple[ProfilePlace, ...] = ()
    technologies: tuple[ProfileTechnology, ...] = ()
    personas: tuple[ProfilePersona, ...] = ()
    funding: tuple[ProfileFunding, ...] = ()
    funding_amount: tuple[ProfileRange, ...] = ()
    signals: tuple[ProfileSignal, ...] = ()
    business_models: tuple[ProfileSignal, ...] = ()
    not_understood: tuple[NotUnderstood, ...] = ()
    contradictions: tuple[str, ...] = ()


class PointFilter(Response, frozen=True, kw_only=True):
    """
    A condition on a lead, `field operator value`, and the same in words.

    The value of "between" is a pair, that of "between_any" a list of pairs; null leaves an end open. The value of "in",
    "not_in" and "contains_any" is a list. `unit` describes the value: "employees", "EUR a year".
    """

    field: str
    operator: Operator
    value: FilterOperand
    unit: str
    text: str


class PointSource(Response, frozen=True, kw_only=True):
    """A provider of a data point: the endpoint to call, and the field to read from its response."""

    provider: str
    endpoint: str
    field: str
    key_required: bool
    url: str
    cost: Cost
    note: str | None = None


class PointMethod(Response, frozen=True, kw_only=True):
    """A method of collecting a data point, step by step."""

    method: Literal["api", "scrape", "search", "manual"]
    steps: tuple[str, ...]


class RecommendedPoint(Response, frozen=True, kw_only=True):
    """
    A data point to collect about each lead.

    `exclude` is a second condition, to be met in addition to `filter`: it states what the profile excludes. `module` is
    the module of the enrichment API that collects the point. `expected_fill_rate` is the estimated share of companies
    for which the point can be found (0 to 1).
    """

    id: str
    name: str
    definition: str
    why: str
    priority: Literal["must_have", "should_have", "nice_to_have"]
    priority_reason: str
    filter: PointFilter
    exclude: PointFilter | None
    sources: tuple[PointSource, ...]
    collection_methods: tuple[PointMethod, ...]
    validation: tuple[str, ...]
    refresh_days: int
    cost_class: Cost
    module: str | None
    example: str
    privacy_note: str | None
    expected_fill_rate: float | None


class RecommendedSource(Response, frozen=True, kw_only=True):
    """A provider, and the recommended data points that it covers."""

    provider: str
    covers: tuple[str, ...]
    key_required: bool
    cost: Cost
    why: str


class BlueprintMetadata(Response, frozen=True, kw_only=True):
    """
    How and when a blueprint was made, and when it expires.

    `sources_missing` lists the sources that failed, `gaps` everything the blueprint could not take into account.
    """

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
    The answer of `POST /campaigns/enrichment`: which data points to collect about leads, from where, and how.

    `modules` can be posted to `/api/v1/enrich/{domain}` unchanged.
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
    """The event `progress`: the current stage, and how much of the work is done."""

    stage: str
    percent: int
    simulated: bool = False


class BlueprintSection(Response, frozen=True, kw_only=True):
    """The event `section`: a group of data points is complete."""

    section: PointGroup
    simulated: bool = False
    data_points: tuple[RecommendedPoint, ...]
