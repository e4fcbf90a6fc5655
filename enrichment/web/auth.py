"""
Authorization of requests: bearer tokens (RFC 6750), or left to the host application.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from enrichment.logs import Log
from enrichment.web.endpoint import Access
from enrichment.web.problems import ProblemError
from enrichment.web.process import address_of

log = Log(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Tokens:
    """
    The accepted tokens: the configured ones, else one that is generated and logged once.

    They are kept as SHA-256 digests and compared in constant time, so that neither memory nor timing reveals them.
    """

    def __init__(self, configured: Iterable[str]) -> None:
        self._digests = [_digest(token) for token in configured]
        self._unlogged: str | None = None  # the generated token, until it is logged
        if not self._digests:
            self._unlogged = secrets.token_urlsafe(24)
            self._digests = [_digest(self._unlogged)]

    def verify(self, token: str) -> bool:
        """Return whether the token is accepted."""
        digest = _digest(token)
        # `any` would stop at the match, and so reveal its place by timing.
        return sum(hmac.compare_digest(digest, accepted) for accepted in self._digests) > 0

    def log_generated_token(self, address: str, *, is_complete: bool = True) -> None:
        """
        Log the generated token the first time this is called, with a command to paste as Jupyter does.

        It is logged at every LOG_LEVEL, as requests cannot be made without it. `address` is the URL of the app, or,
        if it is not complete, that of the server: the path of a mount is not known before the first request.
        """
        if self._unlogged:
            curl = f"curl -X POST -H 'Authorization: Bearer {self._unlogged}' {address}/api/v1/enrich/costco.com"
            event = f"API_TOKENS is not set; until this process ends, it accepts a generated token. Try: {curl}"
            if not is_complete:
                event += " (with the path of the mount before /api)"
            log.always(event)
            self._unlogged = None


class BearerAuth:
    """Raise a 401 unless the request carries an accepted token, or its route needs none."""

    def __init__(self, tokens: Tokens, *, is_configured: bool) -> None:
        self._tokens = tokens
        self._open = {Access.OPEN} if is_configured else {Access.OPEN, Access.OPEN_WITHOUT_TOKENS}

    def __call__(self, scope: Scope, access: Access) -> None:
        if access in self._open:
            return
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._tokens.verify(token.strip()):
            return
        # In a host that does not run our lifespan, it has not been logged yet.
        self._tokens.log_generated_token(address_of(scope))
        raise ProblemError(
            401,
            "unauthorized",
            "This needs a token of this service, as 'Authorization: Bearer <token>'.",
            headers={"www-authenticate": "Bearer"},
        )


def same_site_only(scope: Scope, _: Access) -> None:
    """
    Raise a 403 for a cross-site request of a browser, for hosts that authenticate requests, perhaps by cookies.

    See https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
    """
    if scope["method"] not in SAFE_METHODS and (b"sec-fetch-site", b"cross-site") in scope["headers"]:
        raise ProblemError(403, "cross_site", "A browser sent this request on behalf of another site.")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
