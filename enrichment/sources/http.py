"""
The HTTP client of all sources: paced, bounded, guarded, and quiet about keys.
"""

import logging
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpcore2
import httpx2

from enrichment import __version__
from enrichment.clock import Clock
from enrichment.errors import CostUnknown, MaxCostReached, SourceFailed
from enrichment.logs import Log
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.costs import MAX_ATTEMPTS, Call, charging
from enrichment.sources.failures import (
    AddressRefused,
    AuthError,
    ParseError,
    Pending,
    QuotaExhausted,
    RateLimited,
    Transient,
    UpstreamError,
)
from enrichment.sources.guard import Dns, Network, check_host
from enrichment.sources.messages import HttpRequest, HttpResponse, citable
from enrichment.sources.upstream import Gate, Health, Key, SharedStandings, Stats, Upstream

log = Log(__name__)

T = TypeVar("T")

MAX_REDIRECTS: Final = 5
MAX_ERROR_BYTES: Final = 65_536
"Of an error's body, which is read for its reason only."
MAX_GATES: Final = 1_000
"Websites whose limits and failures are remembered."
BACKOFF_SECONDS: Final = 0.5
"The pause before the second attempt, give or take half of it; it doubles with each further one."
SHORTEST_RETRY: Final = 0.25
"The share of an attempt's time without which it is not repeated."
CONNECT_SECONDS: Final = 4.0
MAX_CONNECTIONS: Final = 100
MAX_IDLE_CONNECTIONS: Final = 20
IDLE_SECONDS: Final = 15.0
PORTS: Final = {"http": 80, "https": 443}
MAX_RETRY_AFTER_SECONDS: Final = 86_400.0
NOT_BILLED: Final = (AuthError, Pending, QuotaExhausted, RateLimited, UpstreamError)
"What a response of status 200 may be without being an answer. Responses of other statuses are not billed either."

Read = Callable[[HttpResponse], T]
Consume = Callable[[AsyncIterator[bytes]], Awaitable[bytes]]


async def join(chunks: AsyncIterator[bytes]) -> bytes:
    """Return the whole body."""
    return b"".join([chunk async for chunk in chunks])


class Client:
    """
    Sends requests to outside services.

    Making one does no I/O. It belongs to one event loop, and is to be closed there. `contact` is an e-mail address or
    the URL of a page, for operators of the services. `proxy` is the URL of an HTTP proxy that websites are fetched
    through. `shared` are the standings of services that several processes share. `dns` and `sockets` are for tests.
    """

    def __init__(
        self,
        *,
        contact: str,
        clock: Clock,
        proxy: str = "",
        shared: SharedStandings | None = None,
        dns: Dns | None = None,
        sockets: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        for name in ("httpx2", "httpcore2"):  # they log URLs and headers, in which there are keys
            logging.getLogger(name).setLevel(logging.WARNING)
        self._clock = clock
        self._shared = shared
        self._headers = {
            "User-Agent": f"lead-enrichment/{__version__} ({'+' * ('://' in contact)}{contact})",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
        }
        dns = dns or Dns(clock)
        tls = httpcore2.default_ssl_context()
        open_network = Network(dns, guarded=False, sockets=sockets)
        self._open = Transport(open_network, tls)
        self._guarded = Transport(Network(dns, guarded=True, sockets=sockets), tls)
        self._websites = self._guarded
        if proxy:
            url = httpx2.URL(proxy)
            log.info("websites are fetched through a proxy", proxy=f"{url.scheme}://{url.netloc.decode()}")
            self._websites = Transport(open_network, tls, httpx2.Proxy(url))
        self._gates: dict[tuple[str, str], Gate] = {}
        self._stats: dict[str, Stats] = {}
        self._keys: dict[str, Key] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in {self._open, self._guarded, self._websites}:
            await transport.aclose()

    async def fetch(self, upstream: Upstream, request: HttpRequest, read: Read[T], *, consume: Consume = join) -> T:
        """
        Send a request and return what `read` makes of the response.

        `read` raises one of `failures` for a response that is not an answer; it gets all of them, whatever the status,
        and usually begins with `raise_for_status`. `RateLimited` and `Transient` are retried as long as there is time
        for a good part of another attempt, which may have to be paid as well.
        `consume` may reduce a large body while it arrives.
        """
        context = CONTEXT.get() or CallContext(clock=self._clock)
        built = self._build(request)
        for attempt in range(MAX_ATTEMPTS - 1):
            try:
                return await self._attempt(upstream, context, built, read, consume)
            except RateLimited:
                continue  # it is the gate that waits
            except Transient:
                pause = BACKOFF_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
                if context.time_left() - pause < upstream.attempt_seconds * SHORTEST_RETRY:
                    raise
            await self._clock.sleep(pause)
        return await self._attempt(upstream, context, built, read, consume)

    def health(self, upstream: Upstream) -> Health:
        """Return the present state of a service, and its calls so far. Of websites, no state is kept together."""
        gate = self._gates.get((upstream.name, upstream.endpoint))
        stats = self._stats.get(upstream.name, Stats())
        return Health(state=gate.state if gate else "ok", until=gate.until if gate else None, stats=stats)

    def key(self, setting: str) -> Key:
        """Return whether the key of a setting works, as far as calls have shown."""
        return self._keys.setdefault(setting, Key(setting))

    async def _attempt(
        self, upstream: Upstream, context: CallContext, request: httpx2.Request, read: Read[T], consume: Consume
    ) -> T:
        """Send a request, follow its redirects, and let `read` judge the response."""
        redirects = 0
        while True:
            gate = self._gate(upstream, request.url.host)
            await gate.enter(context)
            try:
                async with charging(upstream.paid_service) as call:
                    response = await self._exchange(upstream, context, request, consume, call)
                    is_redirect = upstream.follows_redirects and response.is_redirect
                    if is_redirect:
                        call.is_billed = False
                    else:
                        result = _read(response, read, call)
                if not is_redirect:
                    gate.succeeded()
                    return result
                if redirects == MAX_REDIRECTS:
                    raise UpstreamError(f"It redirects more than {MAX_REDIRECTS} times.")
                request = self._redirected(request, response.headers["location"])
                redirects += 1
            except (CostUnknown, MaxCostReached):
                gate.withdraw()
                raise
            except SourceFailed as error:
                gate.failed(error)
                raise

    async def _exchange(
        self, upstream: Upstream, context: CallContext, request: httpx2.Request, consume: Consume, call: Call
    ) -> HttpResponse:
        """Send one request, and read the response within the time for an attempt."""

        async def trace(event: str, _: object) -> None:
            call.is_sent = call.is_sent or event == "http11.send_request_headers.started"

        request.extensions["trace"] = trace
        seconds = max(min(upstream.attempt_seconds, context.time_left()), 0.0)
        try:
            async with self._clock.timeout(seconds):
                response = await self._transport(upstream, request.url).handle_async_request(request)
                try:
                    body = await _body(response, upstream.max_bytes, consume)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise Transient(f"No answer within {round(seconds, 1):g} seconds.") from None
        except httpx2.HTTPError as error:
            raise _failure(error) from None
        return HttpResponse(
            status=response.status_code,
            url=citable(request.url),
            headers=response.headers,
            body=body,
            retry_after=self._retry_after(response.headers.get("retry-after", "")),
        )

    def _gate(self, upstream: Upstream, host: str) -> Gate:
        host = host if upstream.per_host else ""
        key = (upstream.name, host or upstream.endpoint)
        if key not in self._gates:
            if len(self._gates) >= MAX_GATES:
                self._gates = {key: gate for key, gate in self._gates.items() if not gate.is_idle}
            stats = self._stats.setdefault(upstream.name, Stats())
            api_key = self.key(upstream.key_setting)
            self._gates[key] = Gate(upstream, stats, self._clock, host=host, key=api_key, shared=self._shared)
        return self._gates[key]

    def _transport(self, upstream: Upstream, url: httpx2.URL) -> httpx2.AsyncBaseTransport:
        """
        Choose how to connect: without the guard only to what the operator has set.

        The network of the guard checks the name again, but a proxy resolves it without us.
        """
        if _origin(url) in [_origin(httpx2.URL(trusted)) for trusted in upstream.trusted_origins]:
            return self._open
        check_host(url.raw_host.decode(), _origin(url)[2])
        return self._websites if upstream.per_host else self._guarded

    def _build(self, request: HttpRequest) -> httpx2.Request:
        url = _url(request.url)
        method = "GET" if request.json is None else "POST"
        headers = {**self._headers, **request.headers}
        timeout = {"timeout": {"connect": CONNECT_SECONDS}}
        return httpx2.Request(
            method, url.copy_merge_params(request.params), headers=headers, json=request.json, extensions=timeout
        )

    def _redirected(self, request: httpx2.Request, location: str) -> httpx2.Request:
        """The request at its new address. Another origin gets none of the headers that the source has set."""
        if request.method != "GET":
            raise UpstreamError("It redirects what is sent to it.")
        url = _url(str(request.url), location)
        headers = self._headers
        if _origin(url) == _origin(request.url):
            headers = {name: value for name, value in request.headers.items() if name != "host"}
        return httpx2.Request("GET", url, headers=headers, extensions=request.extensions)

    def _retry_after(self, text: str) -> float | None:
        """The seconds of the header `Retry-After`, which are a number or a date."""
        try:
            seconds = float(text) if text[:1].isdigit() else parsedate_to_datetime(text).timestamp() - self._clock.now()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


class Transport(httpx2.AsyncHTTPTransport):
    """The transport of `httpx2` on a connection pool of our own: it does not pass a network on to its own one."""

    def __init__(self, network: Network, tls: ssl.SSLContext, proxy: httpx2.Proxy | None = None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            proxy=httpcore2.Proxy(str(proxy.url), auth=proxy.raw_auth) if proxy else None,
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=network,
        )


def _url(text: str, location: str = "") -> httpx2.URL:
    """The URL, or where it redirects to."""
    try:
        url = httpx2.URL(text).join(location)
    except httpx2.InvalidURL:
        raise AddressRefused("It leads to a URL that cannot be read.") from None
    if url.scheme not in PORTS or url.userinfo:
        raise AddressRefused("It leads to a URL that is not of http or https, or has a user name.")
    return url


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, PORTS[url.scheme] if url.port is None else url.port


def _read(response: HttpResponse, read: Read[T], call: Call) -> T:
    """What `read` makes of the response; and find out whether it is billed, unless the vendor says so itself."""
    try:
        result = read(response)
    except SourceFailed as error:
        if call.credits is None:
            call.is_billed = 200 <= response.status < 300 and not isinstance(error, NOT_BILLED)
        raise
    return result


async def _body(response: httpx2.Response, max_bytes: int, consume: Consume) -> bytes:
    """Read the body, of an error its beginning."""
    if "," in response.headers.get("content-encoding", ""):
        # Each encoding multiplies the size by up to 1,000, and what is between them is not counted.
        raise ParseError("Its answer is compressed more than once.")
    if response.is_success:
        async with aclosing(_limited(response, max_bytes)) as chunks:
            return await consume(chunks)
    body = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) >= MAX_ERROR_BYTES:
                break
    return bytes(body[:MAX_ERROR_BYTES])


async def _limited(response: httpx2.Response, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body in uncompressed pieces of at most 1 MiB. Raise `ParseError` as soon as it is too large."""
    size = 0
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise ParseError(f"Its answer is larger than {max_bytes} bytes.")
            yield chunk


def _failure(error: httpx2.HTTPError) -> SourceFailed:
    """The failure that an error of the client stands for, without its message, which may quote a header."""
    if isinstance(error, httpx2.DecodingError):
        return ParseError("Its answer is compressed in a way that cannot be read.")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return UpstreamError("Its TLS certificate is not valid.")
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.ProxyError):
        return Transient("It cannot be connected to.")
    return Transient("It broke off the connection.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__  # httpcore2 deletes causes
