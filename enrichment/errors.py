"""
What can go wrong behind the routes.

    EnrichmentError
    ├── InvalidDomain        the text names no company domain
    ├── JobNotFound          no such job, or it has been forgotten
    └── Unavailable          no work can be taken right now
        ├── TooManyJobs      as many unfinished jobs are held as may be
        └── ShuttingDown     the service is on its way out
    SettingsError            the environment holds values the service cannot take
"""

from typing import ClassVar


class EnrichmentError(Exception):
    """
    A caller's mistake, or a limit that a caller has run into.

    `code` is stable and meant for programs; the message is meant for people. `pointer` is the JSON pointer to the
    offending part of the caller's document, where there is one.
    """

    code: ClassVar[str]

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer


class InvalidDomain(EnrichmentError):
    """The text names no company domain."""

    code = "invalid_domain"


class JobNotFound(EnrichmentError):
    """No such job, or it has been forgotten. Says no more, so that ids cannot be told apart."""

    code = "job_not_found"

    def __init__(self) -> None:
        super().__init__("Job not found")


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


class SettingsError(Exception):
    """The environment holds values that the service cannot take; `faults` names every one of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults
