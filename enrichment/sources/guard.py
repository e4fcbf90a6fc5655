"""
The address guard: calls on behalf of a caller reach the public internet only.

A domain comes from a caller, and its DNS records and redirects from whoever owns it, so any of them may lead to this
machine, to its private network, or to the metadata service of its cloud. The check stands where connections are made:
each name is resolved once, every address of the answer is checked, and the connection goes to a checked address.
"""

import asyncio
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import httpcore2

from enrichment.clock import Clock
from enrichment.domains import PRIVATE_SUFFIXES
from enrichment.sources.failures import AddressRefused, HostNotFound, Transient

# The IANA special-purpose registries, whole, as of 2026-11, whether or not they call a block globally reachable:
# https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry. In IPv6, everything
# outside 2000::/3 as well, which is all that is assigned: so are IPv4-compatible, mapped and translated addresses.
# fmt: off
NOT_PUBLIC: Final = tuple(map(ip_network, (
    "0.0.0.0/8",         # this network
    "10.0.0.0/8",        # private
    "100.64.0.0/10",     # carrier-grade NAT, and Alibaba Cloud's metadata
    "127.0.0.0/8",       # loopback
    "168.63.129.16/32",  # not of the registry: Azure's metadata and DNS
    "169.254.0.0/16",    # link-local, and metadata of most clouds
    "172.16.0.0/12",     # private
    "192.0.0.0/24",      # protocol assignments, and Oracle Cloud's metadata
    "192.0.2.0/24",      # documentation
    "192.31.196.0/24",   # AS112
    "192.52.193.0/24",   # multicast tunnels
    "192.88.99.0/24",    # 6to4 relays
    "192.168.0.0/16",    # private
    "192.175.48.0/24",   # AS112
    "198.18.0.0/15",     # benchmarks
    "198.51.100.0/24",   # documentation
    "203.0.113.0/24",    # documentation
    "224.0.0.0/4",       # multicast
    "240.0.0.0/4",       # reserved, and broadcast
    "::/3",              # loopback, IPv4 in IPv6, NAT64, discard-only
    "2001::/23",         # protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32",     # documentation
    "2002::/16",         # 6to4
    "2620:4f:8000::/48", # AS112
    "3fff::/20",         # documentation
    "4000::/2",          # segment routing
    "8000::/1",          # private, link-local, site-local, multicast
)))
# fmt: on
ISATAP: Final = 0x0000_5EFE
"Bits 64 to 95 of an address that contains an IPv4 address (RFC 5214), apart from the bit that says it is a global one."
ISATAP_MASK: Final = 0xFDFF_FFFF

NAME: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:xn--[a-z0-9-]{1,59}|[a-z]{2,63})\.?")
"A host name in ASCII. No spelling of an IP address is one: its last part begins with a digit, or it has a colon."
PORTS: Final = frozenset({80, 443})

NO_SUCH_HOST: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
LOOKUP_SECONDS: Final = 5.0
CACHE_SECONDS: Final = 60.0
MAX_CACHED: Final = 1_000
MAX_THREADS: Final = 8
MAX_QUEUED: Final = 200
"Lookups that wait for a thread. A lookup whose name server does not answer holds its thread for up to 30 seconds."
MAX_ADDRESSES: Final = 3
"Addresses of a host that are tried, one after the other."

Addresses = tuple[str, ...]


def check_host(host: str, port: int) -> None:
    """Raise `AddressRefused` unless a public website may have that host name and port."""
    if not NAME.fullmatch(host):
        raise AddressRefused("It leads to a host that is not given by a public name.")
    if f".{host.removesuffix('.')}".endswith(PRIVATE_SUFFIXES):
        raise AddressRefused("It leads to a name of private networks.")
    if port not in PORTS:
        raise AddressRefused(f"It leads to port {port}; only 80 and 443 are asked.")


def is_public(address: str) -> bool:
    """Whether the address can only be reached over the public internet."""
    ip = ip_address(address)
    return not any(ip in network for network in NOT_PUBLIC) and not _is_isatap(ip)


def _is_isatap(ip: IPv4Address | IPv6Address) -> bool:
    return ip.version == 6 and (int(ip) >> 32) & ISATAP_MASK == ISATAP


class Dns:
    """
    Resolves host names with the system's resolver, in a few threads of its own.

    `asyncio` uses its default executor for that, which has 6 threads on 2 cores: a few names whose servers do not
    answer would stop everything else that needs one. The threads are daemons, so that none delays the process's end.
    """

    def __init__(
        self, clock: Clock, getaddrinfo: Callable[..., Iterable[tuple[Any, ...]]] = socket.getaddrinfo
    ) -> None:
        self._clock = clock
        self._getaddrinfo = getaddrinfo
        self._cache: dict[str, tuple[float, Addresses]] = {}
        self._lookups: dict[str, asyncio.Future[Addresses]] = {}
        self._queue: deque[tuple[str, float]] = deque()  # with the time at which nobody waits any more
        self._threads = 0

    async def resolve(self, host: str) -> Addresses:
        """Return the addresses of a host. Raise `HostNotFound` if it has none, `Transient` if that is not known."""
        expires_at, addresses = self._cache.get(host, (0.0, ()))
        if expires_at <= self._clock.now():
            try:
                async with self._clock.timeout(LOOKUP_SECONDS):
                    lookup = self._lookups.get(host) or self._enqueue(host)
                    await asyncio.wait([lookup])
                addresses = lookup.result()
            except TimeoutError:
                raise Transient(f"Its host name was not resolved within {LOOKUP_SECONDS:g} seconds.") from None
        if not addresses:
            raise HostNotFound("Its host name does not exist.")
        return addresses

    def _enqueue(self, host: str) -> "asyncio.Future[Addresses]":
        now = self._clock.now()
        while self._queue and self._queue[0][1] <= now:
            self._end(self._queue.popleft()[0], None)
        if len(self._queue) >= MAX_QUEUED:
            raise Transient("Too many host names are being resolved.")
        future = self._lookups[host] = asyncio.get_running_loop().create_future()
        self._queue.append((host, now + LOOKUP_SECONDS))
        self._start()
        return future

    def _start(self) -> None:
        """Start a thread for each lookup that may begin."""
        while self._queue and self._threads < MAX_THREADS:
            self._threads += 1
            arguments = (self._queue.popleft()[0], asyncio.get_running_loop())
            threading.Thread(target=self._look_up, args=arguments, name="dns", daemon=True).start()

    def _look_up(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        """Ask the system, in a thread."""
        addresses: Addresses | None = None
        try:
            answer = self._getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in answer))
        except socket.gaierror as error:
            addresses = () if error.errno in NO_SUCH_HOST else None
        except (OSError, UnicodeError):  # no descriptors left; a name that cannot be encoded
            pass
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._finish, host, addresses)

    def _finish(self, host: str, addresses: Addresses | None) -> None:
        """Take what a thread has found, None for nothing."""
        self._threads -= 1
        self._end(host, addresses)
        self._start()

    def _end(self, host: str, addresses: Addresses | None) -> None:
        future = self._lookups.pop(host)
        if addresses is None:
            future.set_exception(Transient("Its host name could not be resolved."))
            future.exception()  # mark it as retrieved: nobody may be waiting any more
            return
        future.set_result(addresses)
        self._cache[host] = (self._clock.now() + CACHE_SECONDS, addresses)
        if len(self._cache) > MAX_CACHED:
            del self._cache[next(iter(self._cache))]


class Network(httpcore2.AsyncNetworkBackend):
    """
    Makes the connections of an HTTP client: `guarded`, to public addresses only, whatever name they are given by.

    The client goes on to use the name for TLS and in the `Host` header.
    """

    def __init__(self, dns: Dns, *, guarded: bool, sockets: httpcore2.AsyncNetworkBackend | None = None) -> None:
        self._dns = dns
        self._guarded = guarded
        self._sockets = sockets or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to a host. Raise `AddressRefused` before anything is sent if one of its addresses is not public."""
        if self._guarded:
            check_host(host, port)
        addresses = await self._dns.resolve(host)
        if self._guarded and not all(map(is_public, addresses)):
            raise AddressRefused("Its host name leads to an address that is not on the public internet.")
        *others, last = addresses[:MAX_ADDRESSES]
        share = timeout and timeout / (len(others) + 1)
        for address in others:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._sockets.connect_tcp(address, port, share, local_address, socket_options)
        return await self._sockets.connect_tcp(last, port, share, local_address, socket_options)
