"""
The exceptions of the service.

    EnrichmentError                  becomes an error answer over HTTP
    ├── InvalidDomain                the text is not a company domain
    ├── InvalidWebsite               the text is not the address of a public website
    ├── InsufficientInformation      too little is known about a company to make a blueprint
    │   └── UnreadableProfile        nothing in a given profile was understood
    ├── InvalidProfile               a condition of a given profile has an impossible value
    ├── BlueprintFailed              an unexpected exception, in the log, while making a blueprint
    ├── InvalidPlan                  unknown modules or waves, or ones that cannot be run together
    ├── JobNotFound                  no such job, or it is no longer kept
    ├── JobConflict                  not possible in the job's current state
    └── Unavailable                  temporarily no new work is accepted
        ├── TooManyJobs              the limit of unfinished jobs is reached
        ├── NoWorkers                no process is there that runs jobs
        ├── DatabaseUnavailable      the database does not answer
        └── ShuttingDown             the service is shutting down
    SourceError                      a source has no answer; recorded in the job, never an HTTP error
    ├── SourceFailed                 request or response failed; the next source of the chain is tried
    ├── InsufficientInput            the input from other modules is not enough; the module is skipped
    └── MaxCostReached               the next call could go beyond `max_cost`; the job stops
    SettingsError                    environment variables with invalid values
"""

from typing import ClassVar, Final

INTERNAL_ERROR: Final = "An unexpected error occurred. The service's log has the details under this request_id."


class EnrichmentError(Exception):
    """
    A request that cannot be served; the base class of all errors that become an error answer.

    `code` is stable and for programs, the message is for people. `pointer` is the JSON pointer to the invalid part of
    the caller's document, `parameter` the name of the invalid part of the query or the path.
    """

    code: ClassVar[str]

    def __init__(self, message: str, *, pointer: str | None = None, parameter: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.parameter = parameter


class InvalidDomain(EnrichmentError):
    """The text is not a company domain."""

    code = "invalid_domain"


class InvalidWebsite(EnrichmentError):
    """The text is not the address of a public website."""

    code = "invalid_website"


class InsufficientInformation(EnrichmentError):
    """Too little is known about a company; `missing` lists what is needed, `suggestions` how to supply it."""

    code = "insufficient_information"

    def __init__(
        self, message: str, *, missing: tuple[str, ...], suggestions: tuple[str, ...], pointer: str | None = None
    ) -> None:
        super().__init__(message, pointer=pointer)
        self.missing = missing
        self.suggestions = suggestions


class UnreadableProfile(InsufficientInformation):
    """Nothing in a given profile was understood, so it is not known whom it wants."""

    code = "unreadable_profile"


class InvalidProfile(EnrichmentError):
    """A condition of a given profile has a value that its measure cannot have."""

    code = "invalid_profile"


class BlueprintFailed(EnrichmentError):
    """An unexpected exception while making a blueprint; its details are in the log only."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__(INTERNAL_ERROR)


class InvalidPlan(EnrichmentError):
    """Modules or waves that are unknown or cannot be run together."""

    code = "invalid_plan"


class JobNotFound(EnrichmentError):
    """No such job, or it is no longer kept."""

    code = "job_not_found"

    def __init__(self, message: str = "Job not found", *, parameter: str = "job_id") -> None:
        super().__init__(message, parameter=parameter)


class JobConflict(EnrichmentError):
    """Not possible in the job's current state: finished already, or not yet."""

    code = "job_conflict"


class Unavailable(EnrichmentError):
    """Temporarily no new work is accepted; the caller may try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyJobs(Unavailable):
    """The limit of unfinished jobs, `MAX_PENDING_JOBS`, is reached."""

    code = "too_many_jobs"


class NoWorkers(Unavailable):
    """No process is there that runs jobs. They are accepted, and wait for one."""

    code = "no_workers"

    def __init__(self) -> None:
        super().__init__("No worker is running; jobs are accepted and wait for one.", retry_after=5)


class DatabaseUnavailable(Unavailable):
    """The database does not answer. Whatever a job was about to record can be recorded by its next run."""

    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__("The database does not answer. Try again later.", retry_after=5)


class ShuttingDown(Unavailable):
    """The service is shutting down and accepts no new work."""

    code = "shutting_down"

    def __init__(self) -> None:
        super().__init__("The service is shutting down and takes no new jobs.", retry_after=5)


class SourceError(Exception):
    """A source has no answer. Callers see the message."""


class SourceFailed(SourceError):
    """The request failed or the response is unusable; the next source of the chain is tried."""


class UnknownCompany(SourceFailed):
    """The source does not know the company: an answer, which is cached, and no fault of the source."""


class CostUnknown(SourceFailed):
    """The source is not asked: what its calls cost is not known, and the job has a `max_cost`."""


class InsufficientInput(SourceError):
    """The answers of other modules are not enough to derive this one; the message says what is missing."""


class MaxCostReached(SourceError):
    """The next call could go beyond `max_cost`: it is not made, and the job makes no other one."""


class SettingsError(Exception):
    """Environment variables with invalid values; `faults` lists all of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults
