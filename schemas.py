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

# What callers send, and JSON Schema cannot describe. The schemas that are referred to are in `web.json_schemas`.
AnyDomain = Annotated[str, Meta(extra_json_schema={"format": "company-domain"})]
AnyWebsite = Annotated[str, Meta(extra_json_schema={"format": "company-website"})]
MODULE_ID = {"$ref": "#/components/schemas/ModuleId"}
AnyModuleId = Annotated[str, Meta(extra_json_schema=MODULE_ID)]


class EnrichRequest(Request, frozen=True):
    """`POST /enrich`."""

    company_domain: Annotated[
        AnyDomain, Meta(description="The company's domain in any spelling, or a URL of its website.")
    ]


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

    type: Annotated[
        str,
        Meta(
            description="URL of the description of `code`, on the same server: `/docs#problem-<code>` below the "
            "path of the mount."
        ),
    ]
    title: Annotated[str, Meta(description="What is wrong, in few words; the same for every error with this `code`.")]
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
NOT_EMPTY = {"minItems": 1}  # said here and checked by `plan`, which has better words for it
WaveNumbers = Annotated[tuple[Annotated[int, Meta(ge=1, le=4)], ...], Meta(max_length=4, extra_json_schema=NOT_EMPTY)]
ModuleIds = Annotated[tuple[AnyModuleId, ...], Meta(max_length=100, extra_json_schema=NOT_EMPTY)]


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


class PathParameters(Query, frozen=True, kw_only=True):
    """The parts of paths that vary."""

    domain: Annotated[
        AnyDomain, Meta(description="The company's domain in any spelling, or a percent-encoded URL of its website.")
    ]
    job_id: Annotated[str, Meta(description="Id of the job, as the answer to `POST /enrich` has it.")]
    batch_id: Annotated[str, Meta(description="Id of the batch, as the answer to the POST has it.")]
    file: Annotated[str, Meta(description="Name of the file.")]


class JobQuery(Query, frozen=True, kw_only=True):
    """Which job of a domain is meant."""

    job_id: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Id of the job; by default the newest job of the domain that is in a suitable state."),
    ] = None


class ResultsQuery(JobQuery, frozen=True, kw_only=True):
    """The query of `GET /api/v1/enrich/{domain}/results`."""

    modules: Annotated[
        tuple[AnyModuleId, ...] | None,
        Meta(description="Ids of the modules whose results are wanted; by default all modules of the job."),
    ] = None


class ListQuery(Query, frozen=True, kw_only=True):
    """The query of `GET /api/v1/enrich`: filters, and the page."""

    domain: Annotated[AnyDomain | None, Meta(description="Only jobs of this domain, in any spelling.")] = None
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


GivenIcp = Annotated[
    "Icp | None",
    Meta(
        description="The ideal customer profile to judge by, as free text or as an object; by default the general "
        "rules of the service."
    ),
]
GivenBlueprint = Annotated[
    Annotated[str, Meta(min_length=1, max_length=100)] | None,
    Meta(description="Id of a blueprint whose profile is the one to judge by; instead of `icp`."),
]
JudgedBy = Annotated[
    "CustomerProfile | msgspec.UnsetType",
    Meta(description="The profile to judge by, as it was understood; omitted without one."),
]
DomainColumn = Annotated[
    str | msgspec.UnsetType,
    Meta(description="Name of the column that the domains were read from; omitted if no table was posted."),
]
Age = Annotated[float, Meta(ge=0, le=1_000_000_000)]
DryRun = Annotated[
    bool | None, Meta(description="Whether to answer only what would be done and at what cost; false by default.")
]
MaxAge = Annotated[
    Age | Annotated[dict[str, Age], Meta(max_length=100, extra_json_schema={"propertyNames": MODULE_ID})] | None,
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
    icp: GivenIcp = None
    blueprint_id: GivenBlueprint = None


Concurrency = Annotated[
    Annotated[int, Meta(ge=1, le=20)] | None,
    Meta(description="Maximum number of jobs of the batch that run at the same time; 5 by default."),
]


class BatchRequest(Request, frozen=True):
    """`POST /api/v1/enrich/batch`."""

    domains: Annotated[
        tuple[AnyDomain, ...],
        Meta(description="The companies' domains, in any spelling.", extra_json_schema=NOT_EMPTY),
    ]
    modules: OnlyModules = None
    waves: OnlyWaves = None
    force: WithoutCache = None
    priority: WantedPriority = None
    concurrency: Concurrency = None
    dry_run: DryRun = None
    max_cost: MaxCost = None
    max_age: MaxAge = None
    stale_if_error: StaleIfError = None
    icp: GivenIcp = None
    blueprint_id: GivenBlueprint = None


class BatchQuery(Query, frozen=True, kw_only=True):
    """The query of `POST /api/v1/enrich/batch` for a table: what stands in the body of JSON."""

    column: Annotated[
        str | None, Meta(description="Name of the column with the domains, if it is not to be found by its content.")
    ] = None
    modules: Annotated[
        Annotated[tuple[str, ...], Meta(max_length=50)] | None,
        Meta(description="Ids of the modules to run; by default all modules of the waves."),
    ] = None
    waves: OnlyWaves = None
    force: WithoutCache = None
    priority: WantedPriority = None
    concurrency: Concurrency = None
    icp: Annotated[
        "FreeText | None",
        Meta(
            description="The ideal customer profile to judge by, as free text; by default the general rules of the "
            "service."
        ),
    ] = None
    blueprint_id: GivenBlueprint = None
    dry_run: DryRun = None
    max_cost: MaxCost = None
    max_age: Annotated[
        Age | None,
        Meta(
            description="Age in seconds above which a cached answer is not used; by default each answer is used for "
            "the time to live of its module."
        ),
    ] = None
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
    icp: JudgedBy = msgspec.UNSET


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
    domain_column: DomainColumn = msgspec.UNSET
    icp: JudgedBy = msgspec.UNSET


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


class BatchResultsQuery(Query, frozen=True, kw_only=True):
    """The query of `GET /api/v1/enrich/batch/{batch_id}/results`: order, filter, form and page."""

    sort: Annotated[
        Literal["posted", "score"],
        Meta(
            description="Order: as posted, or by `score`: qualified leads first, then undecided ones, those without a "
            "score, and disqualified ones."
        ),
    ] = "posted"
    qualified: Annotated[
        bool | None, Meta(description="Only leads that are qualified, or only those that are not; by default all.")
    ] = None
    format: Annotated[
        Literal["json", "ndjson", "csv"] | None,
        Meta(description="Form of the answer; by default what `Accept` names, else JSON."),
    ] = None
    bom: Annotated[bool, Meta(description="Whether CSV begins with a byte order mark, which Excel needs.")] = False
    limit: Annotated[
        Annotated[int, Meta(ge=1, le=100_000)] | None,
        Meta(description="Maximum number of leads; for JSON 50 by default and 200 at most, else all."),
    ] = None
    offset: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000_000)], Meta(description="Number of leads to skip at the start.")
    ] = 0


class LeadFacts(Response, frozen=True, kw_only=True):
    """The key facts of a lead; each is null if it was not found."""

    company_name: Annotated[str | None, Meta(description="Name of the company.")] = None
    industry: Annotated[str | None, Meta(description="Name of the industry.")] = None
    employees: Annotated[int | None, Meta(description="Number of employees.")] = None
    founded: Annotated[int | None, Meta(description="Year in which the company was founded.")] = None
    headquarters: Annotated[str | None, Meta(description="City, and state code or country, of the headquarters.")] = (
        None
    )
    country: Annotated[str | None, Meta(description="Full name of the country of the headquarters.")] = None
    revenue: Annotated[int | None, Meta(description="Annual revenue, in whole units of `revenue_currency`.")] = None
    revenue_currency: Annotated[str | None, Meta(description="Currency of the revenue, as ISO 4217 code.")] = None
    revenue_basis: Annotated[
        Literal["reported", "estimated"] | None,
        Meta(description="Whether the company reported the revenue, or it is an estimate."),
    ] = None
    technologies: Annotated[
        tuple[str, ...], Meta(description="Names of the technologies detected on the website.")
    ] = ()
    monthly_visits: Annotated[int | None, Meta(description="Number of visits to the website in a month.")] = None
    open_roles: Annotated[int | None, Meta(description="Number of open roles.")] = None
    latest_event: Annotated[str | None, Meta(description="Headline of the latest event.")] = None
    latest_event_date: Annotated[
        str | None, Meta(description="Day of that event.", extra_json_schema={"format": "date"})
    ] = None


class BatchLead(Response, frozen=True, kw_only=True):
    """A domain of a batch, with the judgement and the key facts of its job so far."""

    row: Annotated[int, Meta(description="Position of the domain among those that were posted, from 1.")]
    domain: Annotated[
        str, Meta(description="The domain in canonical form; as posted, possibly shortened, if it is invalid.")
    ]
    job_id: Annotated[str | None, Meta(description="Id of the job; null if the domain was skipped.")]
    status: Annotated[
        Literal["queued", "running", "completed", "failed", "cancelled", "skipped", "forgotten"],
        Meta(description="State of the job; `skipped` without one, `forgotten` if it is no longer kept."),
    ]
    reason: Annotated[
        str | None, Meta(description="Why the domain was skipped, or the job failed or was cancelled; else null.")
    ]
    simulated: Simulated
    rank: Annotated[int | None, Meta(description="Place by score among the leads of the batch, from 1; null without.")]
    score: Annotated[int | None, Meta(description="Score of the lead, from 0 to 100; null without one.")]
    tier: Annotated[str | None, Meta(description="Grade of the lead, from A to D, or `unrated`; null without a score.")]
    verdict: Annotated[
        Literal["qualified", "undecided", "disqualified"] | None,
        Meta(description="Whether the lead meets the profile of the batch; null if it was not judged by one."),
    ]
    judgement: Annotated[Any, Meta(description="The answer of `m14_icp_scoring`, with the reasons; null without one.")]
    facts: Annotated[LeadFacts | None, Meta(description="Key facts; null if no module has found any.")]
    as_of: Annotated[Time | None, Meta(description="When the oldest of the key facts was fetched; null without facts.")]
    sources: Annotated[
        Mapping[str, str], Meta(description="Names of the sources of the key facts, by id of the module.")
    ]
    failed_modules: Annotated[tuple[str, ...], Meta(description="Ids of the modules that failed.")]
    posted: Annotated[
        Mapping[str, str] | msgspec.UnsetType,
        Meta(description="The row of the table that was posted, by column; omitted if no table was posted."),
    ] = msgspec.UNSET


class BatchResults(Response, frozen=True, kw_only=True):
    """A page of the leads of a batch."""

    batch_id: Annotated[str, Meta(description="Id of the batch.")]
    simulated: Simulated
    leads: Annotated[tuple[BatchLead, ...], Meta(description="The leads of this page.")]
    total: Annotated[int, Meta(description="Number of leads that match the filter, on all pages.")]
    finished_count: Annotated[int, Meta(description="Number of domains of the batch whose lead is final.")]
    total_domains: Annotated[int, Meta(description="Number of domains that were posted.")]
    limit: Annotated[int, Meta(description="Maximum number of leads on a page.")]
    offset: Annotated[int, Meta(description="Number of leads before this page.")]


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
        Meta(description="Duration of the request, in seconds; 0 if it was not asked: what it said before is kept."),
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
        Meta(
            description="The answer of each module that has one, by module id, in the shape of that module.",
            extra_json_schema={"$ref": "#/components/schemas/ModuleAnswers"},
        ),
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


class Measure(StrEnum):
    """
    What a condition is about: a closed vocabulary.

    The value of a condition is, by measure:

    - an id of the vocabulary: `industry`, `customers_industry` (the industry of those whom the company serves),
      `business_model`, `funding_stage`, `ownership`, `headquarters`, `office`, `customers_location` (where those are
      whom it serves or sells to), `technology_category`;
    - a name: `technology` (a product), `persona` (a title, or the name of a department), `certification`;
    - a number, or a pair for `between`: `headcount`, `department_headcount` (of the department in `about`), `revenue`
      and `recurring_revenue` (a year), `funding_raised` (in all), `last_round` (the amount of the newest round),
      `locations_count`, `founded` (a year of the calendar, or an age if the unit is `years since`), `traffic` (visits a
      month), `rank` (of the website; 1 is the most visited), `rating` (0 to 5), `growth` (percent a year, of what
      `about.target` names);
    - true for `exists`, something that happened or that the company does, within `about.within_days` if it is set: all
      others, and `last_round`, `growth` and `rating` when no number is named.
    """

    INDUSTRY = "industry"
    CUSTOMERS_INDUSTRY = "customers_industry"
    BUSINESS_MODEL = "business_model"
    HEADCOUNT = "headcount"
    DEPARTMENT_HEADCOUNT = "department_headcount"
    REVENUE = "revenue"
    RECURRING_REVENUE = "recurring_revenue"
    FUNDING_RAISED = "funding_raised"
    FUNDING_STAGE = "funding_stage"
    LAST_ROUND = "last_round"
    OWNERSHIP = "ownership"
    FOUNDED = "founded"
    HEADQUARTERS = "headquarters"
    OFFICE = "office"
    CUSTOMERS_LOCATION = "customers_location"
    LOCATIONS_COUNT = "locations_count"
    TECHNOLOGY = "technology"
    TECHNOLOGY_CATEGORY = "technology_category"
    TECHNOLOGY_CHANGE = "technology_change"
    PERSONA = "persona"
    HIRING = "hiring"
    LEADERSHIP_CHANGE = "leadership_change"
    LAYOFFS = "layoffs"
    EXPANSION = "expansion"
    ACQUISITION = "acquisition"
    IPO = "ipo"
    PRODUCT_LAUNCH = "product_launch"
    PARTNERSHIP = "partnership"
    EVENT = "event"
    NEWS = "news"
    SIGNAL = "signal"
    """Another signal of the vocabulary; its value is the id of the signal."""
    GROWTH = "growth"
    TRAFFIC = "traffic"
    RANK = "rank"
    RATING = "rating"
    CERTIFICATION = "certification"


ConditionOperator = Literal["eq", "gte", "lte", "between", "exists"]
Strength = Literal["must", "should", "must_not"]
ConditionScalar = str | int | float | bool
ConditionValue = ConditionScalar | tuple[str | int | float | None, ...]
ReaderName = Literal["rules", "model", "object", "inference"]

About = ShortText | None


class ConditionAbout(Request, frozen=True, kw_only=True):
    """What a condition is about beside its value."""

    role: Annotated[About, Meta(description="Title as it is written: who is hired, came, or left.")] = None
    department: Annotated[
        About, Meta(description="Id of the department of a persona, of a role, or whose headcount is meant.")
    ] = None
    seniority: Annotated[Seniority | None, Meta(description="Level of a persona or a role.")] = None
    target: Annotated[
        About,
        Meta(
            description="What it is directed at: the product of a technology change, the event attended, what grows "
            "(`headcount`, `revenue`, `traffic`)."
        ),
    ] = None
    place: Annotated[
        About, Meta(description="Id of the place that it is directed at, such as that of an expansion.")
    ] = None
    within_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(description="How long ago it may have been, in days; null if no period is named."),
    ] = None


class ConditionQuote(Request, frozen=True, kw_only=True):
    """The passage of the given profile that a condition was read from."""

    text: Annotated[str, Meta(description="The passage, literally.")]
    start: Annotated[int, Meta(description="Offset of the first character of the passage, from 0.")]
    end: Annotated[int, Meta(description="Offset after the last character of the passage.")]
    field: Annotated[
        str,
        Meta(
            description="Field of the profile that the passage is in: `text` for free text, the name of the field for "
            "an object, `offer` for what the campaign sells, `inferred` for a fact about the company behind the "
            "website."
        ),
    ] = "text"
    index: Annotated[int, Meta(description="Position in the field from 0, if the field is a list.")] = 0


class Condition(Response, frozen=True, kw_only=True):
    """
    A condition on a lead: `measure operator value`.

    Conditions with the same `any_of` are alternatives: one of them has to be met. Groups stand side by side. The
    conditions of a group have the same strength, but their measures may differ; `must_not` is always a group of its
    own. A value with codes is met by any of its codes.
    """

    id: Annotated[str, Meta(description="Id of the condition in its profile, such as `c1`.")]
    measure: Annotated[Measure, Meta(description="What is compared.")]
    operator: Annotated[
        ConditionOperator,
        Meta(
            description="How it is compared: `between` includes both ends; `exists` means that there is such a thing."
        ),
    ]
    value: Annotated[
        ConditionValue,
        Meta(
            description="The value to compare with: an id, a name or a number, a pair for `between`, true for `exists`."
        ),
    ]
    label: Annotated[str, Meta(description="The value in words, without the strength: `50-500 employees`.")]
    unit: Annotated[
        str | None, Meta(description="Unit of a number, such as `employees`, `USD a year` or `percent`; null without.")
    ] = None
    currency: Annotated[str | None, Meta(description="Currency of an amount, as ISO 4217 code; null without.")] = None
    codes: Annotated[
        tuple[str, ...],
        Meta(
            description="The codes that the value stands for: NAICS 2022 codes of an industry, as prefixes; the "
            "countries that a place consists of or lies in, as ISO 3166-1 codes; every stage from `series_b` on for "
            "`gte`; the products of a category of technologies."
        ),
    ] = ()
    kind: Annotated[PlaceKind | None, Meta(description="Kind of a place; null for anything else.")] = None
    strength: Annotated[
        Strength,
        Meta(description="`must` be met, `should` be met (a wish: it counts, but disqualifies nobody), or `must_not`."),
    ] = "must"
    any_of: Annotated[int, Meta(description="Number of the group of alternatives that the condition belongs to.")]
    about: Annotated[ConditionAbout, Meta(description="What the condition is about beside its value.")] = (
        ConditionAbout()
    )
    quote: Annotated[ConditionQuote, Meta(description="The passage that the condition was read from.")]
    confidence: Annotated[float, Meta(description="Probability that the passage means this, from 0 to 1.")]


class Reading(Response, frozen=True, kw_only=True):
    """One of several possible meanings of a passage."""

    measure: Annotated[Measure | None, Meta(description="The measure in this reading; null for no condition at all.")]
    label: Annotated[str, Meta(description="The reading in words.")]
    value: Annotated[ConditionValue | None, Meta(description="The value in this reading; null if it has none.")] = None


class Ambiguous(Response, frozen=True, kw_only=True):
    """A passage that can mean several things."""

    quote: Annotated[ConditionQuote, Meta(description="The passage.")]
    readings: Annotated[tuple[Reading, ...], Meta(description="What it can mean, the most probable first.")]
    condition: Annotated[
        str | None, Meta(description="Id of the condition that assumes the first reading; null if none does.")
    ] = None


class ValueRange(Request, frozen=True):
    """A range of numbers."""

    min: Annotated[int | float | None, Meta(description="Lower end, included; null if it is open.")] = None
    max: Annotated[int | float | None, Meta(description="Upper end, included; null if it is open.")] = None


Number = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Annotated[float, Meta(ge=-(10**15), le=10**15)]
OneOrMore = ShortText | ShortTexts
Size = ShortText | Number | ValueRange | Annotated[tuple[ShortText | Number | None, ...], Meta(max_length=50)]


class ConditionInput(Request, frozen=True, kw_only=True):
    """
    A condition of a given profile. Only `measure` and `value` are needed; `value` may be missing for what `exists`.

    `label`, `codes`, `kind`, `unit` and `quote` follow from the others: they are accepted so that conditions of an
    answer can be posted as they are.
    """

    measure: Annotated[Measure, Meta(description="What is compared.")]
    operator: Annotated[
        ConditionOperator | None, Meta(description="How it is compared; follows from the value by default.")
    ] = None
    value: Annotated[
        ShortText
        | bool
        | Number
        | ValueRange
        | Annotated[tuple[ShortText | Number | None, ...], Meta(max_length=50)]
        | None,
        Meta(
            description="An id or a name, several of them as alternatives, a number, a pair of numbers, or `min` and "
            "`max`."
        ),
    ] = None
    currency: Annotated[
        Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None,
        Meta(description="Currency of an amount, as ISO 4217 code; USD by default."),
    ] = None
    strength: Annotated[Strength, Meta(description="`must`, `should` or `must_not`.")] = "must"
    any_of: Annotated[
        int | None, Meta(description="Number of the group of alternatives; a group of its own by default.")
    ] = None
    about: Annotated[ConditionAbout | None, Meta(description="What the condition is about beside its value.")] = None
    confidence: Annotated[
        Annotated[float, Meta(ge=0, le=1)], Meta(description="Probability that the condition is meant.")
    ] = 1.0
    id: Annotated[str | None, Meta(description="Replaced.")] = None
    label: Annotated[str | None, Meta(description="Replaced.")] = None
    unit: Annotated[str | None, Meta(description="Replaced.")] = None
    codes: Annotated[tuple[str, ...], Meta(description="Replaced.")] = ()
    kind: Annotated[PlaceKind | None, Meta(description="Replaced.")] = None
    quote: Annotated[ConditionQuote | None, Meta(description="Replaced.")] = None


Conditions = Annotated[tuple[ConditionInput, ...], Meta(max_length=200)]


class IcpObject(Request, frozen=True, kw_only=True):
    """
    An ideal customer profile as an object: conditions, or free texts, each about its own topic.

    A text may stand for a list of one, and a size may be a text, a number, a pair of numbers, or `min` and `max`.
    """

    conditions: Annotated[Conditions | None, Meta(description="Conditions on the customers.")] = None
    industries: Annotated[OneOrMore | None, Meta(description="Industries of the customers.")] = None
    company_size: Annotated[
        Size | None, Meta(description="Number of employees of the customers, such as `200-1000`.")
    ] = None
    revenue: Annotated[
        Size | None, Meta(description="Annual revenue of the customers, such as `$10M-$50M`; numbers are USD.")
    ] = None
    geographies: Annotated[OneOrMore | None, Meta(description="Countries, regions or cities of the customers.")] = None
    technologies: Annotated[OneOrMore | None, Meta(description="Technologies that the customers use.")] = None
    personas: Annotated[OneOrMore | None, Meta(description="Roles of the people to contact.")] = None
    funding: Annotated[OneOrMore | None, Meta(description="Funding stages or ownership of the customers.")] = None
    funding_amount: Annotated[
        Size | None, Meta(description="Funding that the customers raised, such as `$5M+`; numbers are USD.")
    ] = None
    signals: Annotated[OneOrMore | None, Meta(description="Signals that a company may buy, such as hiring.")] = None
    business_models: Annotated[OneOrMore | None, Meta(description="Business models of the customers.")] = None
    exclude: Annotated[OneOrMore | None, Meta(description="What the customers must not be, have or use.")] = None


Icp = FreeText | IcpObject
WebsiteUrl = Annotated[AnyWebsite, Meta(description="URL of the website of the company that sells, or its domain.")]
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


class NotUnderstood(Response, frozen=True, kw_only=True):
    """A passage of the given profile that was not understood."""

    field: ProfileField
    index: ProfileIndex = 0
    start: StartOffset
    end: EndOffset
    text: Passage


class CustomerProfile(Response, frozen=True, kw_only=True):
    """An ideal customer profile: conditions on a company, and what was not understood."""

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
    read_by: Annotated[
        ReaderName,
        Meta(
            description="Reader of the profile: the `rules`, a language `model`, `object` if it was given as "
            "conditions, or `inference` from facts about the company."
        ),
    ] = "rules"
    conditions: Annotated[tuple[Condition, ...], Meta(description="The conditions, in the order of the profile.")] = ()
    ambiguous: Annotated[
        tuple[Ambiguous, ...], Meta(description="Passages that can mean several things, with their readings.")
    ] = ()
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
    module: Annotated[
        str | None,
        Meta(
            description="Id of the module whose answer has the field, in which `events[type=funding].date` is a field "
            "of those items of a list; null if no module has it."
        ),
    ] = None
    strength: Annotated[
        Strength | None,
        Meta(description="Strength of the profile's conditions; null for a usual value that it does not ask for."),
    ] = None
    any_of: Annotated[
        int | None,
        Meta(
            description="Number of the group of alternatives; filters with the same number are alternatives, also "
            "those of different data points. Null without a condition."
        ),
    ] = None
    conditions: Annotated[
        tuple[str, ...], Meta(description="Ids of the conditions of the profile that the filter expresses.")
    ] = ()


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
    further_filters: Annotated[
        tuple[PointFilter, ...],
        Meta(description="Further conditions of the profile: other groups of alternatives, and wishes."),
    ] = ()
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


class StandardPoint(Response, frozen=True, kw_only=True):
    """A data point to collect about every lead, whatever the profile."""

    id: Annotated[str, Meta(description="Id of the data point.")]
    name: Annotated[str, Meta(description="Name of the data point.")]
    why: Annotated[str, Meta(description="Why to collect it.")]
    module: Annotated[str | None, Meta(description="Id of the module that collects it; null if none does.")]
    field: Annotated[str, Meta(description="Field of the module's answer, or of the lead if no module collects it.")]


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
    standard: Annotated[
        tuple[StandardPoint, ...],
        Meta(description="Data points of every blueprint, without those that the profile asks for."),
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
