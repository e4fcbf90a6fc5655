"""
The session that some of Yahoo's answers need: a cookie, and a text that goes with it, the crumb.

Yahoo often refuses to start one. That is respected: it is not tried again for a while.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.sources.failures import AuthError
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream

T = TypeVar("T")

REFUSED_SECONDS: Final = 900.0
SESSION_SECONDS: Final = 3_600.0
MAX_CRUMB: Final = 64


class Credentials(NamedTuple):
    """A cookie and its crumb."""

    cookie: str
    crumb: str


class RefusedSession(AuthError):
    """
    The session is not accepted, or none can be started.

    Not an `UpstreamError` or `RateLimited`, whatever the status: what needs no session goes on to be asked.
    """


class Session:
    """Starts a session when one is needed, and keeps it."""

    def __init__(self, client: Client, upstream: Upstream, clock: Clock, *, cookie_url: str, crumb_url: str) -> None:
        self._client = client
        self._upstream = upstream
        self._clock = clock
        self._cookie_url = cookie_url
        self._crumb_url = crumb_url
        self._lock = asyncio.Lock()
        self._credentials: Credentials | None = None
        self._expires_at = 0.0
        self._refused_until = 0.0

    async def fetch(self, url: str, params: dict[str, str], read: Callable[[HttpResponse], T]) -> T:
        """Send a request with the crumb. If that is refused, start another session, once."""
        credentials = await self._get()
        try:
            return await self._send(credentials, url, params, read)
        except RefusedSession:
            self._forget(credentials)
        try:
            return await self._send(await self._get(), url, params, read)
        except RefusedSession:
            self._refuse()
            raise

    async def _send(
        self, credentials: Credentials, url: str, params: dict[str, str], read: Callable[[HttpResponse], T]
    ) -> T:
        def read_response(response: HttpResponse) -> T:
            if response.status >= 400 and response.status != 404:
                raise RefusedSession(f"It refuses what needs a session, with status {response.status}.")
            return read(response)

        request = HttpRequest(
            url=url, params={**params, "crumb": credentials.crumb}, headers={"Cookie": credentials.cookie}
        )
        return await self._client.fetch(self._upstream, request, read_response)

    async def _get(self) -> Credentials:
        async with self._lock:
            now = self._clock.now()
            if self._credentials and now < self._expires_at:
                return self._credentials
            if now < self._refused_until:
                raise RefusedSession("It has refused to start a session, and is not asked for one at the moment.")
            try:
                self._credentials = await self._start()
            except SourceFailed:
                self._refuse()
                raise
            self._expires_at = now + SESSION_SECONDS
            return self._credentials

    async def _start(self) -> Credentials:
        cookie = await self._client.fetch(self._upstream, HttpRequest(url=self._cookie_url), read_cookie)
        request = HttpRequest(url=self._crumb_url, headers={"Cookie": cookie})
        return Credentials(cookie, await self._client.fetch(self._upstream, request, read_crumb))

    def _forget(self, credentials: Credentials) -> None:
        if self._credentials is credentials:
            self._credentials = None

    def _refuse(self) -> None:
        self._credentials = None
        self._refused_until = self._clock.now() + REFUSED_SECONDS


def read_cookie(response: HttpResponse) -> str:
    """Return the cookies of an answer, whatever its status, as they are sent back."""
    cookies = [line.partition(";")[0].strip() for line in response.headers.get_list("set-cookie")]
    if not cookies:
        raise RefusedSession("It starts no session.")
    return "; ".join(cookies)


def read_crumb(response: HttpResponse) -> str:
    """Return the crumb. A notice in its place is none."""
    crumb = response.text.strip()
    if response.status >= 300 or not crumb or len(crumb) > MAX_CRUMB or "<" in crumb or "Too Many Requests" in crumb:
        raise RefusedSession("It starts no session.")
    return crumb
