"""
Who may ask: bearer tokens (RFC 6750), or the host application's own judgement.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.problems import Refusal

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerAuth:
    """
    Pure ASGI middleware: 401 unless the request carries one of the tokens. `open_paths` are open to all.

    Tokens are kept as SHA-256 digests and each is compared in constant time, so that neither memory nor timing tells
    them. Closed by default: a path need not be known to be closed.
    """

    def __init__(self, app: ASGIApp, *, tokens: Iterable[str], open_paths: Iterable[str]) -> None:
        self.app = app
        self._digests = [_digest(token) for token in tokens]
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _path_in_app(scope) not in self._open_paths:
            scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not self._knows(token.strip()):
                raise Refusal(
                    401,
                    "unauthorized",
                    "This needs a token of this service, as 'Authorization: Bearer <token>'.",
                    headers={"www-authenticate": "Bearer"},
                )
        await self.app(scope, receive, send)

    def _knows(self, token: str) -> bool:
        digest = _digest(token)
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0  # all of them, whichever it is


class SameSiteOnly:
    """
    Pure ASGI middleware for a host that authenticates by itself, perhaps by cookies: refuses what a browser sends on
    behalf of another site, as https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site says.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writes = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if writes and Headers(scope=scope).get("sec-fetch-site") == "cross-site":
            raise Refusal(403, "cross_site", "A browser sent this on behalf of another site; it is not taken.")
        await self.app(scope, receive, send)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _path_in_app(scope: Scope) -> str:
    """The path below the point where the app is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
