"""
Who may ask: bearer tokens (RFC 6750), or the host application's own judgement.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from enrichment.logs import Log
from enrichment.web.endpoint import Access
from enrichment.web.problems import ProblemError
from enrichment.web.process import own_address

log = Log(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Tokens:
    """
    The tokens that open the service. Where none is configured one is made, and told in the log once.

    Kept as SHA-256 digests, each compared in constant time, so that neither memory nor timing tells them.
    """

    def __init__(self, configured: Iterable[str]) -> None:
        self._digests = [_digest(token) for token in configured]
        self._untold: str | None = None
        if not self._digests:
            self._untold = secrets.token_urlsafe(24)
            self._digests = [_digest(self._untold)]

    def verify(self, token: str) -> bool:
        """Whether it is one of them."""
        digest = _digest(token)
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0  # all of them, whichever it is

    def log_generated_token(self) -> None:
        """Tell the token that was made, if that has not been done; as Jupyter does, with a line to paste."""
        if self._untold:
            curl = f"curl -X POST -H 'Authorization: Bearer {self._untold}' {own_address()}/api/v1/enrich/costco.com"
            event = f"API_TOKENS is not set; until this process ends, one token opens it. Try: {curl}"
            log.warning(event)
            self._untold = None


class BearerAuth:
    """Raises a 401 unless the request carries one of the tokens, or its route is open without one."""

    def __init__(self, tokens: Tokens, *, is_configured: bool) -> None:
        self._tokens = tokens
        self._open = {Access.OPEN} if is_configured else {Access.OPEN, Access.OPEN_WITHOUT_TOKENS}

    def __call__(self, scope: Scope, access: Callable[[], Access]) -> None:
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._tokens.verify(token.strip()):
            return
        if access() in self._open:
            return
        self._tokens.log_generated_token()  # in a host that runs no lifespan of ours, it has not been logged yet
        raise ProblemError(
            401,
            "unauthorized",
            "This needs a token of this service, as 'Authorization: Bearer <token>'.",
            headers={"www-authenticate": "Bearer"},
        )


def same_site_only(scope: Scope, _: Callable[[], Access]) -> None:
    """
    For a host that authenticates by itself, perhaps by cookies: raise a 403 for what a browser sends on behalf of
    another site, as https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site says.
    """
    if scope["method"] not in SAFE_METHODS and (b"sec-fetch-site", b"cross-site") in scope["headers"]:
        raise ProblemError(403, "cross_site", "A browser sent this on behalf of another site; it is refused.")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
