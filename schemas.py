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


JOB_STATE = Meta(description="State of the job.")
JobId = Annotated[str, Meta(description="Id of the job.")]


class EnrichRequest(Request, frozen=True):
    """`POST /enrich`."""

    company_domain: Annotated[str, Meta(description="The company's domain in any spelling, or a URL of its website.")]


class CompanyData(Response, frozen=True):
    """What was found out about a company."""

    company_size: Annotated[int, Meta(description="Number of employees.")]
    industry: Annotated[str, Meta(description="Name of the industry.")]


class PendingJob(Response, frozen=True, kw_only=True):
    """The 202 of `POST /enrich`, and `GET /enrich/{job_id}` until the job is done."""

    job_id: JobId
    status: Annotated[Literal["pending"], JOB_STATE] = "pending"


class CompleteJob(Response, frozen=True, kw_only=True):
    """`GET /enrich/{job_id}` when the data is there."""

    job_id: JobId
    status: Annotated[Literal["complete"], JOB_STATE] = "complete"
    data: Annotated[CompanyData, Meta(description="What was found out about the company.")]


class FailedJob(Response, frozen=True, kw_only=True):
    """`GET /enrich/{job_id}` when there will be no data, and why."""

    job_id: JobId
    status: Annotated[Literal["failed"], JOB_STATE] = "failed"
    error: Annotated[str, Meta(description="Why there is no data.")]


class Health(Response, frozen=True, kw_only=True):
    """`GET /health`: the process is alive."""

    status: Annotated[Literal["healthy"], Meta(description="Always `healthy`: the process answers.")] = "healthy"
    service: Annotated[str, Meta(description="Name of the service.")]
    version: Annotated[str, Meta(description="Version of the service.")]


class Ready(Response, frozen=True, kw_only=True):
    """`GET /ready`: the service takes work."""

    status: Annotated[
        Literal["ready"], Meta(description="Always `ready`; a service that accepts no jobs answers 503.")
    ] = "ready"


class FieldError(Response, frozen=True, kw_only=True):
    """An invalid part of the request."""

    pointer: Annotated[
        str | msgspec.UnsetType,
        Meta(
            description="Place in the body, as an RFC 6901 JSON pointer in a URI fragment; omitted if the body is "
            "not at fault."
        ),
    ] = msgspec.UNSET
    parameter: Annotated[
        str | msgspec.UnsetType,
        Meta(description="Name of the parameter of the query or the path; omitted if it is the body that is at fault."),
    ] = msgspec.UNSET
    detail: Annotated[str, Meta(description="What is wrong with the value, and which values are possible.")]


class Problem(Response, frozen=True, kw_only=True, omit_defaults=True):
    """Every error, as RFC 9457 `application/problem+json`."""

    type: Annotated[str, Meta(description="Always `about:blank`, so `title` is the phrase of the HTTP status.")]
    title: Annotated[str, Meta(description="Phrase of the HTTP status, such as `Not Found`.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What is wrong, in words.")]
    instance: Annotated[str, Meta(description="Path of the request.")]
    code: Annotated[str, Meta(description="What is wrong, as a stable code for programs.")]
    request_id: Annotated[
        str, Meta(description="Id of the request: that of the `X-Request-ID` header and of the log lines.")
    ]
    errors: Annotated[
        tuple[FieldError, ...],
        Meta(description="The invalid parts of the request; omitted if the error is not caused by one of them."),
    ] = ()
    missing: Annotated[
        tuple[str, ...],
        Meta(description="The data that is needed and not known; only with `insufficient_information`."),
    ] = ()
    suggestions: Annotated[
        tuple[str, ...], Meta(description="How to supply the missing data; only with `insufficient_information`.")
    ] = ()


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


# Fields that several shapes have.
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]  # UTC, ISO 8601, whole seconds
Domain = Annotated[str, Meta(description="The company's domain, in canonical form.")]
CurrentState = Annotated[JobState, JOB_STATE]
JobPriority = Annotated[Priority, Meta(description="Priority of the job in the queue.")]
Forced = Annotated[bool, Meta(description="Whether the job ignores cached answers.")]
Simulated = Annotated[
    bool, Meta(description="Whether the data is invented, or would be; then it must not be relied on.")
]
EstimatedSeconds = Annotated[int, Meta(description="Estimated time until everything is done, in seconds.")]
CreatedAt = Annotated[Time, Meta(description="When it was accepted.")]
StartedAt = Annotated[Time | None, Meta(description="When it started; null before.")]
CompletedAt = Annotated[Time | None, Meta(description="When it ended, in whatever state; null before.")]
Duration = Annotated[float | None, Meta(description="Duration in seconds; null until it has ended.")]
Progress = Annotated[float, Meta(description="Modules that are completed, failed or skipped, in percent of all.")]
ModulesTotal = Annotated[int, Meta(description="Number of modules of the job.")]
ModulesCompleted = Annotated[int, Meta(description="Number of modules that are completed.")]
ModulesFailed = Annotated[int, Meta(description="Number of modules that failed.")]
ModulesSkipped = Annotated[int, Meta(description="Number of modules that were skipped.")]
ModuleId = Annotated[str, Meta(description="Id of the module.")]
ModuleState = Annotated[StepState, Meta(description="State of the module.")]
ModuleReason = Annotated[
    str | None, Meta(description="Why the module failed or was skipped; null if it did not and was not.")
]
Stale = Annotated[
    bool, Meta(description="Whether the answer had expired, or was older than wanted, and no source gave a newer one.")
]
UnknownCompany = Annotated[
    bool, Meta(description="Whether the module was skipped because no source knows the company.")
]
FromCache = Annotated[bool, Meta(description="Whether the answer came from the cache.")]
DataPoints = Annotated[int | None, Meta(description="Number of known values in the answer; null without an answer.")]
AnswerSource = Annotated[str | None, Meta(description="Name of the source of the answer; null without an answer.")]
AnswerUrl = Annotated[
    str | None, Meta(description="URL of a page where the answer can be verified; null if there is none.")
]
SourceName = Annotated[str, Meta(description="Name of the source.")]
Currency = Annotated[str, Meta(description="ISO 4217 code of the currency.")]
CostLimit = Annotated[float | None, Meta(description="What may be spent; null if that is not limited.")]
Amount = Annotated[
    float | None, Meta(description="Cost of the calls, as far as it is known, in the currency; null if none of it is.")
]
Credits = Annotated[
    float | None,
    Meta(description="Credits of the vendors that the calls took, as far as they are known; null if none of them are."),
]
Calls = Annotated[int, Meta(description="Number of requests that were sent.")]
BilledCalls = Annotated[int, Meta(description="Number of requests that are billed, as far as the vendors' rules go.")]
UnknownCosts = Annotated[int, Meta(description="Number of billed requests whose cost is not known.")]


class SourceState(StrEnum):
    """Whether a source can be asked now."""

    OK = "ok"
    LIMITED = "limited"
    OPEN = "open"
    QUOTA_EXHAUSTED = "quota_exhausted"


class SourceSpending(Response, frozen=True, kw_only=True):
    """What the calls of a source cost."""

    source: SourceName
    amount: Amount
    credits: Credits
    calls: Calls
    billed_calls: BilledCalls
    calls_of_unknown_cost: UnknownCosts


class Spending(Response, frozen=True, kw_only=True):
    """What a job or a batch has spent: the calls that it has caused. Cached and shared answers cost it nothing."""

    currency: Currency
    amount: Amount
    credits: Credits
    calls: Calls
    billed_calls: BilledCalls
    calls_of_unknown_cost: UnknownCosts
    max_cost: CostLimit
    sources: Annotated[tuple[SourceSpending, ...], Meta(description="The cost of each source that was called.")]


JobCost = Annotated[Spending, Meta(description="What was spent so far.")]


class JobQuery(Query, frozen=True, kw_only=True):
    """Which job of a domain is meant."""

    job_id: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Id of the job; by default the newest job of the domain that is in a suitable state."),
    ] = None


class ResultsQuery(JobQuery, frozen=True, kw_only=True):
    """The query of `GET /api/v1/enrich/{domain}/results`."""

    modules: Annotated[
        tuple[str, ...] | None,
        Meta(description="Ids of the modules whose results are wanted; by default all modules of the job."),
    ] = None


class ListQuery(Query, frozen=True, kw_only=True):
    """The query of `GET /api/v1/enrich`: filters, and the page."""

    domain: Annotated[str | None, Meta(description="Only jobs of this domain, in any spelling.")] = None
    status: Annotated[tuple[JobState, ...], Meta(description="Only jobs in one of these states.")] = ()
    limit: Annotated[Annotated[int, Meta(ge=1, le=100)], Meta(description="Maximum number of jobs in the list.")] = 50
    offset: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000_000)],
        Meta(description="Number of jobs to skip at the start of the list."),
    ] = 0


OnlyModules = Annotated[
    ModuleIds | None, Meta(description="Ids of the modules to run; by default all modules of the waves.")
]
OnlyWaves = Annotated[WaveNumbers | None, Meta(description="Numbers of the waves to run; by default all.")]
WithoutCache = Annotated[bool | None, Meta(description="Whether to ignore cached answers; false by default.")]
WantedPriority = Annotated[Priority | None, Meta(description="Priority in the queue; `normal` by default.")]


Age = Annotated[float, Meta(ge=0, le=1_000_000_000)]
DryRun = Annotated[
    bool | None, Meta(description="Whether to answer only what would be done and at what cost; false by default.")
]
MaxAge = Annotated[
    Age | Annotated[dict[str, Age], Meta(max_length=100)] | None,
    Meta(
        description="Age in seconds above which a cached answer is not used: one number, or one by module id; "
        "by default each answer is used for the time to live of its module."
    ),
]
StaleIfError = Annotated[
    bool | None,
    Meta(
        description="Whether a module uses an answer that is too old, marked as stale, when no source gives another "
        "one; false by default."
    ),
]
MaxCost = Annotated[
    Annotated[float, Meta(ge=0, le=1_000_000_000)] | None,
    Meta(
        description="What the calls of the job, or of all jobs of the batch, may cost together, in the currency of "
        "the settings; not limited by default."
    ),
]


class StartRequest(Request, frozen=True):
    """`POST /api/v1/enrich/{domain}`; every field may be missing or null."""

    modules: OnlyModules = None
    waves: OnlyWaves = None
    force: WithoutCache = None
    priority: WantedPriority = None
    dry_run: DryRun = None
    max_cost: MaxCost = None
    max_age: MaxAge = None
    stale_if_error: StaleIfError = None


class BatchRequest(Request, frozen=True):
    """`POST /api/v1/enrich/batch`."""

    domains: Annotated[tuple[str, ...], Meta(description="The companies' domains, in any spelling.")]
    modules: OnlyModules = None
    waves: OnlyWaves = None
    force: WithoutCache = None
    priority: WantedPriority = None
    concurrency: Annotated[
        Annotated[int, Meta(ge=1, le=20)] | None,
        Meta(description="Maximum number of jobs of the batch that run at the same time; 5 by default."),
    ] = None
    dry_run: DryRun = None
    max_cost: MaxCost = None
    max_age: MaxAge = None
    stale_if_error: StaleIfError = None


class RetryRequest(Request, frozen=True):
    """`POST /api/v1/enrich/{domain}/retry`."""

    failed_modules_only: Annotated[
        bool | None,
        Meta(
            description="Whether to run only modules that failed, or were skipped because one failed or because of "
            "`max_cost`; true by default."
        ),
    ] = None
    max_cost: Annotated[
        Annotated[float, Meta(ge=0, le=1_000_000_000)] | None,
        Meta(
            description="What the calls of the new job may cost, in the currency of the settings; by default as much "
            "as those of the former job."
        ),
    ] = None


class StartedJob(Response, frozen=True, kw_only=True):
    """A job that was accepted."""

    job_id: JobId
    domain: Domain
    status: CurrentState
    modules: Annotated[tuple[str, ...], Meta(description="Ids of the modules that the job runs.")]
    waves: Annotated[
        tuple[int, ...], Meta(description="Numbers of the waves, from 1 to 4, that these modules belong to.")
    ]
    priority: JobPriority
    force: Forced
    simulated: Simulated
    estimated_time_seconds: EstimatedSeconds
    created_at: CreatedAt


ExpectedCost = Annotated[
    float | None,
    Meta(
        description="Cost if the first source that is asked always answers, as far as it is known; null if it is not."
    ),
]
WorstCost = Annotated[
    float | None,
    Meta(
        description="Cost if all sources have to be asked, and each paid request is sent three times as its answer is "
        "lost, as far as it is known; null if it is not."
    ),
]
UnknownSources = Annotated[
    tuple[str, ...], Meta(description="Names of the sources that may be asked and whose cost is not known.")
]
ToBeCached = Annotated[int, Meta(description="Number of modules that would be answered from the cache.")]
ToBeAsked = Annotated[int, Meta(description="Number of modules for which sources would be asked.")]
ToBeSkipped = Annotated[int, Meta(description="Number of modules that would be skipped.")]


class PlannedSource(Response, frozen=True, kw_only=True):
    """A configured source of a module."""

    source: SourceName
    asked: Annotated[bool, Meta(description="Whether it would be asked, if no source before it answers.")]
    reason: Annotated[
        str | None,
        Meta(
            description="Why it would not be asked; null if it would. What it has said, if it is known not to know the "
            "company."
        ),
    ]
    state: Annotated[SourceState, Meta(description="State of the source, as in `GET /api/v1/sources`.")]
    until: Annotated[Time | None, Meta(description="When the state ends; null for `ok`.")]
    expected_cost: ExpectedCost
    worst_cost: WorstCost


class PlannedModule(Response, frozen=True, kw_only=True):
    """What a job would do for a module."""

    module_id: ModuleId
    action: Annotated[
        Literal["cached", "asked", "skipped"],
        Meta(
            description="`cached` if it would be answered from the cache, `asked` if sources would be asked, `skipped` "
            "if none can be."
        ),
    ]
    reason: Annotated[
        str | None,
        Meta(
            description="Why it would be skipped or could not make all its calls, or why what is cached is no answer; "
            "null otherwise."
        ),
    ]
    age_seconds: Annotated[
        int | None, Meta(description="Age of what is cached, in seconds; null if the cache would not be used.")
    ]
    unknown: Annotated[bool, Meta(description="Whether what is cached is that no source knows the company.")]
    sources: Annotated[
        tuple[PlannedSource, ...],
        Meta(description="The configured sources, in the order in which they would be asked."),
    ]
    expected_cost: ExpectedCost
    worst_cost: WorstCost


class JobPlan(Response, frozen=True, kw_only=True):
    """What a job would do and cost. Nothing was started."""

    dry_run: Annotated[Literal[True], Meta(description="Always true.")] = True
    domain: Domain
    simulated: Simulated
    currency: Currency
    expected_cost: ExpectedCost
    worst_cost: WorstCost
    unknown_cost_sources: UnknownSources
    max_cost: CostLimit
    cached_count: ToBeCached
    asked_count: ToBeAsked
    skipped_count: ToBeSkipped
    modules: Annotated[tuple[PlannedModule, ...], Meta(description="The modules of the job.")]


class PlannedDomain(Response, frozen=True, kw_only=True):
    """What the job for a domain of a batch would do and cost."""

    domain: Annotated[
        str, Meta(description="The domain in canonical form; as posted, possibly shortened, if it is invalid.")
    ]
    reason: Annotated[str | None, Meta(description="Why there would be no job for the domain; null if there would.")]
    cached_count: ToBeCached
    asked_count: ToBeAsked
    skipped_count: ToBeSkipped
    expected_cost: ExpectedCost
    worst_cost: WorstCost


class BatchPlan(Response, frozen=True, kw_only=True):
    """What a batch would do and cost. Nothing was started."""

    dry_run: Annotated[Literal[True], Meta(description="Always true.")] = True
    simulated: Simulated
    total_domains: Annotated[int, Meta(description="Number of domains that were posted.")]
    queued_count: Annotated[int, Meta(description="Number of domains for which there would be a job.")]
    skipped_count: Annotated[int, Meta(description="Number of domains for which there would be none.")]
    currency: Currency
    expected_cost: ExpectedCost
    worst_cost: WorstCost
    unknown_cost_sources: UnknownSources
    max_cost: CostLimit
    cached_modules_count: ToBeCached
    asked_modules_count: ToBeAsked
    skipped_modules_count: ToBeSkipped
    domains: Annotated[
        tuple[PlannedDomain, ...], Meta(description="The first 100 domains, in the order in which they were posted.")
    ]


class BatchJob(Response, frozen=True, kw_only=True, omit_defaults=True):
    """A domain of a batch, with the state of its job."""

    job_id: Annotated[str | None, Meta(description="Id of the job; null if the domain was skipped.")]
    domain: Annotated[
        str, Meta(description="The domain in canonical form; as posted, possibly shortened, if it is invalid.")
    ]
    status: Annotated[
        Literal["queued", "running", "completed", "failed", "cancelled", "skipped", "forgotten"],
        Meta(
            description="State of the job; `skipped` if none was started for the domain, `forgotten` if the job "
            "had finished and is no longer kept."
        ),
    ]
    progress_percent: Annotated[
        float | msgspec.UnsetType,
        Meta(
            description="Modules of the job that are done, in percent of all its modules; omitted without a job, "
            "and in the answer to the POST."
        ),
    ] = msgspec.UNSET
    reason: Annotated[str | None, Meta(description="Why the domain was skipped; omitted if it was not.")] = None


class StartedBatch(Response, frozen=True, kw_only=True):
    """A batch that was accepted."""

    batch_id: Annotated[str, Meta(description="Id of the batch.")]
    status: Annotated[
        JobState,
        Meta(
            description="State of the batch: `queued` while no job has started, `running` while any is "
            "unfinished, `failed` or `cancelled` if all jobs are, else `completed`."
        ),
    ]
    simulated: Simulated
    total_domains: Annotated[int, Meta(description="Number of domains that were posted: the sum of all counts.")]
    queued_count: Annotated[int, Meta(description="Number of jobs that are waiting to start.")]
    skipped_count: Annotated[int, Meta(description="Number of domains that were skipped: no job was started for them.")]
    jobs: Annotated[
        tuple[BatchJob, ...], Meta(description="The domains with their jobs, in the order in which they were posted.")
    ]
    estimated_time_seconds: EstimatedSeconds
    created_at: CreatedAt


class BatchStatus(StartedBatch, frozen=True, kw_only=True):
    """The progress of a batch. Its counts are those of now, and sum to `total_domains`."""

    running_count: Annotated[int, Meta(description="Number of jobs that are running.")]
    completed_count: Annotated[int, Meta(description="Number of jobs that completed and are still kept.")]
    failed_count: Annotated[int, Meta(description="Number of jobs that failed and are still kept.")]
    cancelled_count: Annotated[int, Meta(description="Number of jobs that were cancelled and are still kept.")]
    forgotten_count: Annotated[int, Meta(description="Number of jobs that had finished and are no longer kept.")]
    progress_percent: Annotated[
        float,
        Meta(
            description="Mean progress of the jobs, in percent: a finished or forgotten job counts 100, a skipped "
            "domain not at all."
        ),
    ]
    cost: JobCost


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
    NOT_ASKED = "not_asked"


class SourceAttempt(Response, frozen=True, kw_only=True):
    """A source that was asked."""

    source: SourceName
    outcome: Annotated[
        Outcome,
        Meta(
            description="Result of the request; `unknown` if the source does not know the company, `not_asked` if the "
            "cost of its calls is not known and the job has a `max_cost`."
        ),
    ]
    duration_seconds: Annotated[
        float,
        Meta(
            description="Duration of the request, in seconds; 0 if it was not asked: what it said before is kept."
        ),
    ]
    error: Annotated[str | None, Meta(description="Why the source did not answer; null if it did.")]


Attempts = Annotated[tuple[SourceAttempt, ...], Meta(description="The sources that were asked, in order.")]


class ModuleProgress(Response, frozen=True, kw_only=True):
    """The progress of a module of a job."""

    module_id: ModuleId
    status: ModuleState
    duration_seconds: Duration
    data_points_collected: DataPoints
    source_url: AnswerUrl
    source: AnswerSource
    simulated: Simulated
    cached: FromCache
    reason: ModuleReason
    stale: Stale
    unknown: UnknownCompany


class WaveProgress(Response, frozen=True, kw_only=True):
    """The modules of a job that run together."""

    wave_number: Annotated[int, Meta(description="Number of the wave, from 1 to 4.")]
    status: Annotated[
        StepState, Meta(description="State of the wave: `failed` if all modules have ended and none is completed.")
    ]
    modules: Annotated[tuple[ModuleProgress, ...], Meta(description="The modules of the job that are in this wave.")]
    started_at: StartedAt
    completed_at: CompletedAt


class ModuleError(Response, frozen=True, kw_only=True):
    """Why a module has no result, or why a job failed or was cancelled."""

    module_id: Annotated[str | None, Meta(description="Id of the module; null if the error is about the whole job.")]
    status: Annotated[StepState, Meta(description="State of the module, or of the job, as a result of the error.")]
    detail: Annotated[str, Meta(description="What went wrong.")]
    simulated: Simulated
    attempts: Attempts


Errors = Annotated[
    tuple[ModuleError, ...], Meta(description="What went wrong: with the whole job first, then module by module.")
]


class JobStatus(Response, frozen=True, kw_only=True):
    """The progress of a job, module by module."""

    job_id: JobId
    domain: Domain
    status: CurrentState
    progress_percent: Progress
    current_wave: Annotated[
        int | None, Meta(description="Number of the wave that is running, from 1 to 4; null if none is.")
    ]
    current_module: Annotated[str | None, Meta(description="Id of a module that is running; null if none is.")]
    modules_total: ModulesTotal
    modules_completed: ModulesCompleted
    modules_failed: ModulesFailed
    modules_skipped: ModulesSkipped
    waves: Annotated[
        tuple[WaveProgress, ...], Meta(description="The waves of the job, in the order in which they run.")
    ]
    errors: Errors
    cost: JobCost
    priority: JobPriority
    force: Forced
    simulated: Simulated
    batch_id: Annotated[
        str | None, Meta(description="Id of the batch that the job belongs to; null if it was started alone.")
    ]
    created_at: CreatedAt
    started_at: StartedAt
    completed_at: CompletedAt
    duration_seconds: Duration


class ModuleStatus(Response, frozen=True, kw_only=True):
    """The state of a module, and the origin of its answer."""

    status: ModuleState
    duration_ms: Annotated[
        int | None, Meta(description="Duration of the module's run, in milliseconds; null until it has ended.")
    ]
    cached: FromCache
    data_points: DataPoints
    source: AnswerSource
    source_url: AnswerUrl
    method: Annotated[Method | None, Meta(description="How the source obtained the answer; null without an answer.")]
    simulated: Simulated
    fetched_at: Annotated[
        Time | None, Meta(description="When the answer was fetched from its source; null without an answer.")
    ]
    observed_at: Annotated[
        Time | None, Meta(description="Date of the data itself; null if the source does not give one.")
    ]
    field_sources: Annotated[
        Mapping[str, str],
        Meta(description="Name of the source of each field; empty if a single source gave the answer."),
    ]
    matched_by: Annotated[
        str | None, Meta(description="How the source identified the company; null if it does not say.")
    ]
    match_confidence: Annotated[
        float | None,
        Meta(
            description="Confidence that the answer is about this company, from 0 to 1; null if the source gives none."
        ),
    ]
    attempts: Attempts
    reason: ModuleReason
    stale: Stale
    age_seconds: Annotated[
        int | None,
        Meta(description="Age of the answer when the job got it, in seconds; null without an answer."),
    ]
    unknown: UnknownCompany


class SourceCitation(Response, frozen=True, kw_only=True):
    """A page where an answer can be verified."""

    url: Annotated[str, Meta(description="URL of the page.")]
    title: Annotated[str, Meta(description="Title of the page.")]
    source: SourceName
    simulated: Simulated


class JobResults(Response, frozen=True, kw_only=True):
    """The answers of the modules of a job, with their origins."""

    domain: Domain
    job_id: JobId
    status: CurrentState
    completed_at: CompletedAt
    simulated: Simulated
    results: Annotated[
        dict[str, Any],
        Meta(description="The answer of each module that has one, by module id, in the shape of that module."),
    ]
    module_statuses: Annotated[
        dict[str, ModuleStatus], Meta(description="The state and the origin of each module's answer, by module id.")
    ]
    cached_modules: Annotated[
        tuple[str, ...], Meta(description="Ids of the modules whose answers came from the cache.")
    ]
    failed_modules: Annotated[tuple[str, ...], Meta(description="Ids of the modules that failed.")]
    skipped_modules: Annotated[
        tuple[str, ...],
        Meta(description="Ids of the modules whose input is missing, or whose company no source knows."),
    ]
    source_citations: Annotated[
        dict[str, tuple[SourceCitation, ...]],
        Meta(description="The pages where an answer can be verified, by module id."),
    ]
    errors: Errors
    cost: JobCost


class CancelledJob(Response, frozen=True, kw_only=True):
    """A job that was cancelled."""

    job_id: JobId
    status: Annotated[Literal["cancelled"], JOB_STATE] = "cancelled"
    simulated: Simulated
    message: Annotated[str, Meta(description="What was done, in words.")]
    modules_completed: ModulesCompleted


class CachedModule(Response, frozen=True, kw_only=True):
    """What is cached for a module."""

    module_id: ModuleId
    is_cached: Annotated[bool, Meta(description="Whether an answer is cached.")]
    cached_at: Annotated[
        Time | None, Meta(description="When the cached answer was fetched from its source; null without one.")
    ]
    freshness: Annotated[
        Freshness,
        Meta(
            description="`fresh` for more than a third of the time to live or 7 days left, `stale` for less, "
            "`expired` for none, `missing` without a cached answer."
        ),
    ]
    ttl_remaining_seconds: Annotated[
        int | None, Meta(description="Time to live that the cached answer has left, in seconds; null without one.")
    ]
    simulated: Simulated
    unknown: Annotated[
        bool,
        Meta(description="Whether what is cached is that no source knows the company; kept for a tenth of the time."),
    ]


class CacheStatus(Response, frozen=True, kw_only=True):
    """What is cached for a domain."""

    domain: Domain
    simulated: Simulated
    modules: Annotated[tuple[CachedModule, ...], Meta(description="The modules, with what is cached for each.")]
    overall_freshness: Annotated[
        Freshness, Meta(description="The worst freshness of the cached answers; `missing` if there are none.")
    ]
    last_enrichment: Annotated[
        Time | None, Meta(description="When the newest of the cached answers was fetched; null if there are none.")
    ]
    stale_modules: Annotated[
        tuple[str, ...], Meta(description="Ids of the modules whose cached answers are `stale` or `expired`.")
    ]


class ListedJob(Response, frozen=True, kw_only=True):
    """A job of the list."""

    job_id: JobId
    domain: Domain
    status: CurrentState
    progress_percent: Progress
    modules_total: ModulesTotal
    modules_completed: ModulesCompleted
    modules_failed: ModulesFailed
    modules_skipped: ModulesSkipped
    priority: JobPriority
    simulated: Simulated
    created_at: CreatedAt
    started_at: StartedAt
    completed_at: CompletedAt


class ServicePrice(Response, frozen=True, kw_only=True):
    """What a billed call of an outside service costs."""

    service: Annotated[str, Meta(description="Name of the service: the beginning of its settings, in lower case.")]
    cost_per_call: Annotated[float | None, Meta(description="Cost in the currency of the settings; null if unknown.")]
    credits_per_call: Annotated[
        float | None, Meta(description="Credits that the vendor charges; null if there are none, or unknown.")
    ]


class KeyState(Response, frozen=True, kw_only=True):
    """The API key of a source."""

    works: Annotated[
        bool | None, Meta(description="Whether the service accepts the key; null while that is not known.")
    ]
    remaining: Annotated[
        float | None, Meta(description="What was left of the quota when the key was last checked; null if unknown.")
    ]
    unit: Annotated[str | None, Meta(description="Unit of `remaining`, such as `credits`.")]
    detail: Annotated[str | None, Meta(description="More about the key, or why nothing is known about it.")]
    checked_at: Annotated[Time | None, Meta(description="When it was last checked; null if it has not been.")]


class TokenCount(Response, frozen=True, kw_only=True):
    """The tokens of a language model, as far as its answers count them."""

    prompt: Annotated[int, Meta(description="Number of tokens that were sent to it since the start of the process.")]
    completion: Annotated[int, Meta(description="Number of tokens that it wrote since the start of the process.")]


class SourceStatus(Response, frozen=True, kw_only=True):
    """A source of the modules, and its state."""

    name: SourceName
    serves: Annotated[tuple[str, ...], Meta(description="Ids of the modules that the source answers.")]
    needs_key: Annotated[bool, Meta(description="Whether the source requires an API key.")]
    configured: Annotated[bool, Meta(description="Whether the settings make the source available.")]
    opened_by: Annotated[
        tuple[str, ...],
        Meta(description="Settings of which any one makes the source available; empty if it is configured."),
    ]
    state: Annotated[
        SourceState,
        Meta(
            description="`ok`; `limited` while the service sends no requests; `open` while its circuit is open "
            "after repeated failures; `quota_exhausted` once the quota is used up."
        ),
    ]
    until: Annotated[Time | None, Meta(description="When the state ends; null for `ok`.")]
    calls: Annotated[int, Meta(description="Number of requests since the start of the process.")]
    hits: Annotated[int, Meta(description="Number of requests that returned data since the start of the process.")]
    errors: Annotated[int, Meta(description="Number of requests that failed since the start of the process.")]
    last_success_at: Annotated[Time | None, Meta(description="When a request last succeeded; null if none has.")]
    last_error_at: Annotated[Time | None, Meta(description="When a request last failed; null if none has.")]
    last_error: Annotated[str | None, Meta(description="Why it failed; null if none has.")]
    key: Annotated[KeyState | None, Meta(description="The API key; null if none is set, or the source uses none.")]
    prices: Annotated[
        tuple[ServicePrice, ...], Meta(description="What billed calls of its services cost; empty if they are free.")
    ]
    cost: Annotated[SourceSpending, Meta(description="What its calls have cost since the start of the process.")]
    tokens: Annotated[TokenCount | None, Meta(description="Tokens used; null for what is no language model.")]


class SourceList(Response, frozen=True, kw_only=True):
    """All sources."""

    sources: Annotated[tuple[SourceStatus, ...], Meta(description="The sources.")]


class JobList(Response, frozen=True, kw_only=True):
    """A page of the list of jobs."""

    jobs: Annotated[tuple[ListedJob, ...], Meta(description="The jobs of this page, newest first.")]
    total: Annotated[int, Meta(description="Number of jobs that match the filters, on all pages.")]
    running_count: Annotated[
        int,
        Meta(
            description="Number of running jobs of the domain, or of all domains without that filter, whatever "
            "the `status` filter."
        ),
    ]
    queued_count: Annotated[int, Meta(description="Number of queued jobs, counted likewise.")]
    limit: Annotated[int, Meta(description="Maximum number of jobs on a page.")]
    offset: Annotated[int, Meta(description="Number of jobs before this page.")]


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

    industries: Annotated[ShortTexts | None, Meta(description="Industries of the customers.")] = None
    company_size: Annotated[
        ShortText | None, Meta(description="Number of employees of the customers, such as `200-1000`.")
    ] = None
    geographies: Annotated[ShortTexts | None, Meta(description="Countries, regions or cities of the customers.")] = None
    technologies: Annotated[ShortTexts | None, Meta(description="Technologies that the customers use.")] = None
    personas: Annotated[ShortTexts | None, Meta(description="Roles of the people to contact.")] = None
    signals: Annotated[ShortTexts | None, Meta(description="Signals that a company may buy, such as hiring.")] = None


WebsiteUrl = Annotated[str, Meta(description="URL of the website of the company that sells, or its domain.")]
Offer = Annotated[FreeText | None, Meta(description="What the campaign sells, as free text.")]
Stream = Annotated[
    bool | None, Meta(description="Whether to send the blueprint as a stream of events; false by default.")
]
Refresh = Annotated[bool | None, Meta(description="Whether to ignore a cached blueprint; false by default.")]


class BlueprintRequest(Request, frozen=True):
    """`POST /campaigns/enrichment`."""

    website_url: WebsiteUrl
    icp: Annotated[
        FreeText | IcpObject | None,
        Meta(
            description="The ideal customer profile, as free text or as an object; inferred from the website by "
            "default."
        ),
    ] = None
    offer: Offer = None
    stream: Stream = None
    refresh: Refresh = None


class BlueprintOptions(Query, frozen=True, kw_only=True):
    """The query of `POST /campaigns/enrichment`: what may stand in the body as well, which wins."""

    stream: Stream = None
    refresh: Refresh = None


class BlueprintQuery(BlueprintOptions, frozen=True, kw_only=True):
    """The query of `GET /campaigns/enrichment`: a blueprint request, as a browser's `EventSource` can send it."""

    website_url: WebsiteUrl
    icp: Annotated[
        FreeText | None,
        Meta(description="The ideal customer profile, as free text; inferred from the website by default."),
    ] = None
    offer: Offer = None


StartOffset = Annotated[int, Meta(description="Offset of the first character of the passage, from 0.")]
EndOffset = Annotated[int, Meta(description="Offset after the last character of the passage.")]
Passage = Annotated[str, Meta(description="The passage, literally.")]
ProfileIndex = Annotated[int, Meta(description="Position in the field from 0, if the field is a list.")]
ProfileField = Annotated[
    str,
    Meta(
        description="Field of the profile that the passage is in: `text` for free text, the name of the field for an "
        "object, `inferred` if no profile was given."
    ),
]


class FoundInProfile(Response, frozen=True, kw_only=True):
    """The passage of the given profile that a criterion was read from."""

    field: ProfileField
    index: ProfileIndex = 0
    start: StartOffset
    end: EndOffset
    text: Passage
    confidence: Annotated[float, Meta(description="Confidence in the reading of the passage, from 0 to 1.")]


Excluded = Annotated[bool, Meta(description="Whether the profile excludes it.")]
Found = Annotated[FoundInProfile, Meta(description="The passage of the profile that it was read from.")]


class ProfileIndustry(Response, frozen=True, kw_only=True):
    """An industry."""

    id: Annotated[str, Meta(description="Id of the industry.")]
    name: Annotated[str, Meta(description="Name of the industry.")]
    naics: Annotated[
        tuple[str, ...], Meta(description="NAICS 2022 codes of the industry, as prefixes: `5415` includes `541511`.")
    ]
    sic: Annotated[tuple[str, ...], Meta(description="SIC codes of the industry, as prefixes.")]
    excluded: Excluded = False
    found: Found


class ProfileRange(Response, frozen=True, kw_only=True):
    """A range of employees or of money."""

    measure: Annotated[
        Measure, Meta(description="What the range limits: a number of employees, or an amount of money.")
    ] = "employees"
    minimum: Annotated[int | None, Meta(description="Lower end of the range, included; null if it is open.")]
    maximum: Annotated[int | None, Meta(description="Upper end of the range, included; null if it is open.")]
    currency: Annotated[
        str | None, Meta(description="Currency of the amount, as ISO 4217 code; null for employees.")
    ] = None
    excluded: Excluded = False
    found: Found


class ProfilePlace(Response, frozen=True, kw_only=True):
    """A place."""

    name: Annotated[str, Meta(description="Name of the place.")]
    kind: Annotated[PlaceKind, Meta(description="Kind of place.")] = "country"
    countries: Annotated[
        tuple[str, ...],
        Meta(description="The countries that the place consists of or lies in, as ISO 3166-1 alpha-2 codes."),
    ]
    excluded: Excluded = False
    found: Found


class ProfileTechnology(Response, frozen=True, kw_only=True):
    """A product, or a category of products."""

    name: Annotated[str | None, Meta(description="Name of the product; null for a whole category.")]
    category: Annotated[str, Meta(description="Category of the product.")]
    excluded: Excluded = False
    found: Found


class ProfilePersona(Response, frozen=True, kw_only=True):
    """A role to contact."""

    id: Annotated[str, Meta(description="Id of the role.")]
    title: Annotated[str, Meta(description="Title of the role.")]
    department: Annotated[str, Meta(description="Department of the role.")]
    seniority: Annotated[Seniority, Meta(description="Level of the role.")]
    excluded: Excluded = False
    found: Found


class ProfileFunding(Response, frozen=True, kw_only=True):
    """A funding stage."""

    stage: Annotated[str, Meta(description="Id of the stage, such as `seed`, `series_a`, `bootstrapped` or `public`.")]
    name: Annotated[str, Meta(description="Name of the stage.")]
    excluded: Excluded = False
    found: Found


class ProfileSignal(Response, frozen=True, kw_only=True):
    """A buying signal or a business model."""

    id: Annotated[str, Meta(description="Id of the signal or business model, such as `hiring`.")]
    name: Annotated[str, Meta(description="Name of the signal or business model.")]
    within_days: Annotated[
        int | None, Meta(description="Maximum age of the signal, in days; null if the profile states none.")
    ] = None
    excluded: Excluded = False
    found: Found


class NotUnderstood(Response, frozen=True, kw_only=True):
    """A passage of the given profile that was not understood."""

    field: ProfileField
    index: ProfileIndex = 0
    start: StartOffset
    end: EndOffset
    text: Passage


class CustomerProfile(Response, frozen=True, kw_only=True):
    """The ideal customer profile that a blueprint is based on."""

    origin: Annotated[
        Literal["provided", "inferred"],
        Meta(description="Whether the profile was provided in the request, or inferred from the website."),
    ] = "provided"
    confidence: Annotated[float, Meta(description="Confidence in the profile, from 0 to 1.")] = 0.0
    reasoning: Annotated[
        tuple[str, ...], Meta(description="How the profile and its confidence were arrived at, in sentences.")
    ] = ()
    raise_confidence: Annotated[
        tuple[str, ...], Meta(description="What would raise the confidence, in sentences.")
    ] = ()
    industries: Annotated[tuple[ProfileIndustry, ...], Meta(description="Industries of the customers.")] = ()
    company_size: Annotated[
        tuple[ProfileRange, ...], Meta(description="Ranges of the customers' number of employees.")
    ] = ()
    revenue: Annotated[tuple[ProfileRange, ...], Meta(description="Ranges of the customers' annual revenue.")] = ()
    geographies: Annotated[tuple[ProfilePlace, ...], Meta(description="Places where the customers are.")] = ()
    technologies: Annotated[
        tuple[ProfileTechnology, ...], Meta(description="Technologies that the customers use.")
    ] = ()
    personas: Annotated[tuple[ProfilePersona, ...], Meta(description="Roles to contact.")] = ()
    funding: Annotated[tuple[ProfileFunding, ...], Meta(description="Funding stages of the customers.")] = ()
    funding_amount: Annotated[tuple[ProfileRange, ...], Meta(description="Ranges of the customers' funding.")] = ()
    signals: Annotated[tuple[ProfileSignal, ...], Meta(description="Buying signals.")] = ()
    business_models: Annotated[tuple[ProfileSignal, ...], Meta(description="Business models of the customers.")] = ()
    not_understood: Annotated[
        tuple[NotUnderstood, ...], Meta(description="Passages of the given profile that were not understood.")
    ] = ()
    contradictions: Annotated[
        tuple[str, ...], Meta(description="Contradictions in the given profile, in sentences.")
    ] = ()


class PointFilter(Response, frozen=True, kw_only=True):
    """A condition on a lead: `field operator value`."""

    field: Annotated[str, Meta(description="Field of the lead that the condition is about.")]
    operator: Annotated[Operator, Meta(description="How the field is compared with the value.")]
    value: Annotated[
        FilterOperand,
        Meta(
            description="The value to compare with: a pair for `between`, a list of pairs for `between_any`, with "
            "null for an open end; a list for `in`, `not_in`, `contains_any` and `contains_all`."
        ),
    ]
    unit: Annotated[str, Meta(description="Unit of the value, such as `employees` or `EUR a year`.")]
    text: Annotated[str, Meta(description="The condition in words.")]


Provider = Annotated[str, Meta(description="Name of the provider.")]
KeyRequired = Annotated[bool, Meta(description="Whether it requires an API key.")]
CostOfUse = Annotated[Cost, Meta(description="Cost of its use.")]


class PointSource(Response, frozen=True, kw_only=True):
    """A provider of a data point, and how to get it there."""

    provider: Provider
    endpoint: Annotated[str, Meta(description="The endpoint to call.")]
    field: Annotated[str, Meta(description="The field of its response that has the data point.")]
    key_required: KeyRequired
    url: Annotated[str, Meta(description="URL of the provider's documentation or website.")]
    cost: CostOfUse
    note: Annotated[str | None, Meta(description="A remark on the source; null without one.")] = None


class PointMethod(Response, frozen=True, kw_only=True):
    """A method of collecting a data point."""

    method: Annotated[Literal["api", "scrape", "search", "manual"], Meta(description="Kind of method.")]
    steps: Annotated[tuple[str, ...], Meta(description="The steps, in order.")]


class RecommendedPoint(Response, frozen=True, kw_only=True):
    """A data point to collect about each lead."""

    id: Annotated[str, Meta(description="Id of the data point.")]
    name: Annotated[str, Meta(description="Name of the data point.")]
    definition: Annotated[str, Meta(description="What exactly the data point is.")]
    why: Annotated[str, Meta(description="Why to collect it.")]
    priority: Annotated[
        Literal["must_have", "should_have", "nice_to_have"], Meta(description="How important it is for this profile.")
    ]
    priority_reason: Annotated[str, Meta(description="Why it has this priority.")]
    filter: Annotated[PointFilter, Meta(description="The condition that a lead has to meet.")]
    exclude: Annotated[
        PointFilter | None,
        Meta(description="A second condition to meet, for what the profile excludes; null if it excludes nothing."),
    ]
    sources: Annotated[tuple[PointSource, ...], Meta(description="Providers of the data point.")]
    collection_methods: Annotated[tuple[PointMethod, ...], Meta(description="Methods of collecting it.")]
    validation: Annotated[tuple[str, ...], Meta(description="How to check the collected value.")]
    refresh_days: Annotated[int, Meta(description="Age at which the value should be collected again, in days.")]
    cost_class: Annotated[Cost, Meta(description="Cost of collecting it.")]
    module: Annotated[
        str | None, Meta(description="Id of the module of the enrichment API that collects it; null if none does.")
    ]
    example: Annotated[str, Meta(description="An example of its value.")]
    privacy_note: Annotated[str | None, Meta(description="What to observe about personal data; null if nothing.")]
    expected_fill_rate: Annotated[
        float | None,
        Meta(description="Estimated share of companies for which it can be found, from 0 to 1; null if unknown."),
    ]


class RecommendedSource(Response, frozen=True, kw_only=True):
    """A provider, and the recommended data points that it covers."""

    provider: Provider
    covers: Annotated[tuple[str, ...], Meta(description="Ids of the recommended data points that it provides.")]
    key_required: KeyRequired
    cost: CostOfUse
    why: Annotated[str, Meta(description="Why it is recommended.")]


class BlueprintMetadata(Response, frozen=True, kw_only=True):
    """How and when a blueprint was made, and when it expires."""

    id: Annotated[str, Meta(description="Id of the blueprint.")]
    generated_at: Annotated[Time, Meta(description="When the blueprint was made.")]
    expires_at: Annotated[Time, Meta(description="Until when the blueprint is cached.")]
    cached: Annotated[bool, Meta(description="Whether the blueprint came from the cache.")]
    duration_seconds: Annotated[float, Meta(description="Time that it took to make the blueprint, in seconds.")]
    sources_used: Annotated[tuple[str, ...], Meta(description="The sources that the profile is based on.")]
    sources_missing: Annotated[
        tuple[str, ...], Meta(description="The sources that failed, with the reasons, even if another one answered.")
    ]
    gaps: Annotated[
        tuple[str, ...], Meta(description="Everything that the blueprint could not take into account, in sentences.")
    ]


class Blueprint(Response, frozen=True, kw_only=True):
    """Which data points to collect about leads, from where, and how."""

    website: Annotated[str, Meta(description="Domain of the website.")]
    simulated: Simulated
    icp: Annotated[CustomerProfile, Meta(description="The ideal customer profile that the blueprint is based on.")]
    firmographic: Annotated[tuple[RecommendedPoint, ...], Meta(description="Data points about the company.")]
    technographic: Annotated[
        tuple[RecommendedPoint, ...], Meta(description="Data points about the technologies that the company uses.")
    ]
    personalization: Annotated[
        tuple[RecommendedPoint, ...], Meta(description="Data points for addressing the company personally.")
    ]
    sources: Annotated[
        tuple[RecommendedSource, ...], Meta(description="Providers of the data points, those that cover most first.")
    ]
    modules: Annotated[
        tuple[str, ...],
        Meta(
            description="Ids of the modules that collect the data points; can be posted to "
            "`/api/v1/enrich/{domain}` unchanged."
        ),
    ]
    metadata: Annotated[BlueprintMetadata, Meta(description="How and when the blueprint was made.")]


class BlueprintProgress(Response, frozen=True, kw_only=True):
    """The event `progress`: a stage of the work begins."""

    stage: Annotated[str, Meta(description="The current stage.")]
    percent: Annotated[int, Meta(description="How much of the work is done, in percent.")]
    simulated: Simulated = False


class BlueprintSection(Response, frozen=True, kw_only=True):
    """The event `section`: a group of data points is complete."""

    section: Annotated[PointGroup, Meta(description="Name of the group.")]
    simulated: Simulated = False
    data_points: Annotated[tuple[RecommendedPoint, ...], Meta(description="The data points of the group.")]
