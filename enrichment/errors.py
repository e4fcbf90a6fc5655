"""
What can go wrong behind the routes.

    EnrichmentError
    ├── InvalidDomain        the text names no company domain
    ├── InvalidWebsite       the text names no public website
    ├── InsufficientInformation  too little is known to work from
    ├── BlueprintFailed      a mistake of ours, of which the caller is told no more
    ├── InvalidPlan          modules and waves that cannot be run together
    ├── JobNotFound          no such job, or it has been forgotten
    ├── JobConflict          the job is not in a state for that
    └── Unavailable          no work can be taken right now
        ├── TooManyJobs      as many unfinished jobs are held as may be
        └── ShuttingDown     the service is on its way out
    SourceError              a source has no answer: data for the job that asked, never an HTTP error
    ├── SourceFailed         it could not be asked, or answered nonsense; the next in the chain is asked
    └── InsufficientInput         what is known is too little to work an answer out; the module is skipped
    SettingsError            the environment holds values the service cannot take
"""

from typing import ClassVar


class EnrichmentError(Exception):
    """
    A caller's mistake, or a limit that a caller has run into.

    `code` is stable and meant for programs; the message is meant for people. `pointer` is the JSON pointer to the
    offending part of the caller's document, `parameter` the name of the offending part of the query or the path.
    """

    code: ClassVar[str]

    def __init__(self, message: str, *, pointer: str | None = None, parameter: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.parameter = parameter


class InvalidDomain(EnrichmentError):
    """The text names no company domain."""

    code = "invalid_domain"


class InvalidWebsite(EnrichmentError):
    """The text names no public website."""

    code = "invalid_website"


class InsufficientInformation(EnrichmentError):
    """Too little is known to work from; `missing` says what, `suggestions` what would do."""

    code = "insufficient_information"

    def __init__(self, message: str, *, missing: tuple[str, ...], suggestions: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing
        self.suggestions = suggestions


class BlueprintFailed(EnrichmentError):
    """A mistake of ours, of which the caller is told no more."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("The service made a mistake. Its log says which, under this request_id.")


class InvalidPlan(EnrichmentError):
    """Modules and waves that are unknown, or cannot be run together."""

    code = "invalid_plan"


class JobNotFound(EnrichmentError):
    """No such job, or it has been forgotten."""

    code = "job_not_found"

    def __init__(self, message: str = "Job not found") -> None:
        super().__init__(message)


class JobConflict(EnrichmentError):
    """The job is not in a state for that: finished, or not yet."""

    code = "job_conflict"


class Unavailable(EnrichmentError):
    """No work can be taken right now; the same request may be taken in `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyJobs(Unavailable):
    """As many unfinished jobs are held as `MAX_PENDING_JOBS` allows."""

    code = "too_many_jobs"


class ShuttingDown(Unavailable):
    """The service is on its way out and takes no new work."""

    code = "shutting_down"

    def __init__(self) -> None:
        super().__init__("The service is shutting down and takes no new jobs.", retry_after=5)


class SourceError(Exception):
    """A source has no answer. The message is shown to callers."""


class SourceFailed(SourceError):
    """It could not be asked, or answered nonsense; the next one in the chain is asked."""


class InsufficientInput(SourceError):
    """What is known is too little to work an answer out; the message says what is missing."""


class SettingsError(Exception):
    """The environment holds values that the service cannot take; `faults` names every one of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults
