"""
The ways in which an outside service fails to answer.

    SourceFailed
    ├── AuthError           the key is missing, wrong, or not good for this
    │   └── Unauthorized    the key is missing or wrong, or a login is needed: good for nothing
    ├── Blocked             the website does not let robots read it
    ├── BadRequest          the service does not accept the request
    ├── NotFound            the service does not know the company: an answer, to be kept
    ├── Pending             the service has queued the request and will answer later
    ├── QuotaExhausted      nothing more until the quota is renewed
    ├── RateLimited         too many requests; retried once the service allows more
    ├── CircuitOpen         it has failed too often to be asked now
    ├── HostNotFound        the host name does not exist
    ├── AddressRefused      not an address on the public internet
    ├── ParseError          the answer is not what was expected
    └── UpstreamError       the service is broken
        └── Transient       so that the next attempt may succeed: retried

The messages are shown to callers. They contain no URL, no header, and nothing else that could contain a key.
"""

from enrichment.errors import SourceFailed, UnknownCompany


class AuthError(SourceFailed):
    """The key is missing, wrong, or not good for this."""


class Unauthorized(AuthError):
    """The service does not accept the key for anything, or wants one (status 401)."""


class Blocked(SourceFailed):
    """The website does not let robots read it: by its robots.txt, or by a challenge page."""


class BadRequest(SourceFailed):
    """The service does not accept the request."""


class NotFound(UnknownCompany):
    """The service does not know the company. Not an error of the service."""


class Pending(SourceFailed):
    """The service has queued the request and will answer later."""


class QuotaExhausted(SourceFailed):
    """The service answers nothing more until `until`, in seconds since the epoch; None if it does not say."""

    def __init__(self, message: str, *, until: float | None = None) -> None:
        super().__init__(message)
        self.until = until


class RateLimited(SourceFailed):
    """The service allows the next request in `retry_after` seconds; None if it does not say."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CircuitOpen(SourceFailed):
    """The service has failed too often to be asked now."""


class HostNotFound(SourceFailed):
    """The host name does not exist."""


class AddressRefused(SourceFailed):
    """The host is not on the public internet, or may not be asked for another reason."""


class ParseError(SourceFailed):
    """The answer is not what was expected: too large, cut off, or of another form."""


class UpstreamError(SourceFailed):
    """The service is broken, and is likely to be so for a while."""


class Transient(UpstreamError):
    """The service is broken in a way that another attempt may get around."""
