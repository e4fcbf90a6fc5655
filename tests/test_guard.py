"""
The address guard: whatever a URL, a redirect or the DNS says, nothing inside is connected to.
"""

import asyncio
import ipaddress
import itertools
import random
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from enrichment.errors import SourceFailed
from enrichment.sources.failures import AddressRefused, HostNotFound, Transient, UpstreamError
from enrichment.sources.guard import MAX_CACHED, MAX_QUEUED, MAX_THREADS, Dns, Network, check_host, is_public
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from tests.conftest import FakeClock, settle
from tests.upstreams import (
    InstantClock,
    Reply,
    StubUpstream,
    live_client,
    server_tls,
    stub_upstream,
    trust_the_authority,
)

HOMEPAGES = Upstream(name="homepage", per_host=True, requests_per_second=1_000)
PUBLIC = "93.184.215.14"

INSIDE_4 = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),  # noqa: S104
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
)
INSIDE_6 = (
    *("::", "::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001:2::1"),
    *("2001:10::1", "2001:20::1", "3fff::1", "5f00::1", "2620:4f:8000::1", "1fff::1", "4000::1", "e000::1"),
)


def wrapped(address: str) -> Mapping[str, str]:
    """An IPv4 address in the forms that IPv6 has for it."""
    number = int(ipaddress.IPv4Address(address))
    pair, negated = f"{number >> 16:x}:{number & 0xFFFF:x}", number ^ 0xFFFF_FFFF
    return {
        "mapped": f"::ffff:{address}",
        "mapped, in hexadecimal": f"::ffff:{pair}",
        "mapped, in full": f"0:0:0:0:0:ffff:{pair}",
        "compatible": f"::{address}",
        "translated": f"::ffff:0:{pair}",
        "NAT64": f"64:ff9b::{address}",
        "local NAT64": f"64:ff9b:1::{pair}",
        "6to4": f"2002:{pair}::1",
        "Teredo": f"2001:0:4136:e378:8000:63bf:{negated >> 16:x}:{negated & 0xFFFF:x}",
        "ISATAP": f"2a00:1450::5efe:{pair}",
        "global ISATAP": f"2a00:1450::200:5efe:{pair}",
    }


def spellings(address: str) -> Iterable[str]:
    """The host of a URL that some program takes for this IPv4 address."""
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    yield from (address, f"{address}.", str(number), hex(number), f"0{number:o}", f"0x{number:X}")
    yield from (f"{a}.{number & 0xFF_FFFF}", f"{a}.{b}.{number & 0xFFFF}", f"{a}.0x{number & 0xFF_FFFF:x}")
    yield ".".join(f"0{int(part):o}" for part in (a, b, c, d))
    yield ".".join(hex(int(part)) for part in (a, b, c, d))
    yield ".".join(f"{int(part):03}" for part in (a, b, c, d))
    yield f"0x{int(a):x}.{b}.{c}.{d}"
    yield address.replace(".", "。")
    yield address.translate({ord(digit): chr(0xFF10 + int(digit)) for digit in "0123456789"})
    yield "".join(f"%{ord(character):x}" for character in address)
    yield f"example.com@{address}"
    yield f"example.com\\@{address}"
    yield from (f"[{form}]" for form in wrapped(address).values())


SPELLED = (
    *(spelling for address in INSIDE_4 for spelling in spellings(address)),
    *(f"[{address}]" for address in INSIDE_6),
    *(f"[{ipaddress.IPv6Address(address).exploded}]" for address in INSIDE_6),
    *(f"[fe80::1{zone}]" for zone in ("%eth0", "%25eth0", "%1", "%251")),
    *("localhost", "LOCALHOST", "localhost.", "foo.localhost", "localhost.localdomain", "ip6-localhost", "metadata"),
    *("metadata.google.internal", "printer.local", "nas.lan", "x.home.arpa", "vault.corp", "a.intranet", "b.onion"),
    *("kubernetes.default.svc.cluster.local", "example.com%00.localhost", "example", "-", "a b", "xn--", "1.1.1.1"),
    *("example.com:22", "example.com:0", "example.com:8080", "example.com:65536", "example.com:6379", "1.com.:443.80"),
)
SPELLINGS = tuple(dict.fromkeys(SPELLED))


class Wire(httpcore2.AsyncNetworkBackend):
    """Notes which addresses are connected to, all of which lead to one service on loopback."""

    def __init__(self, stub: StubUpstream) -> None:
        self._port = int(stub.url.rpartition(":")[2])
        self._sockets = httpcore2.AnyIOBackend()
        self.connected: list[tuple[str, int]] = []
        self.unreachable: set[str] = set()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.connected.append((host, port))
        if host in self.unreachable:
            raise httpcore2.ConnectError
        return await self._sockets.connect_tcp("127.0.0.1", self._port, timeout, local_address, socket_options)


class Resolver:
    """`socket.getaddrinfo` for names of a test. Of several answers, each is given once, the last one for ever."""

    def __init__(self, **names: Any) -> None:
        self.names: dict[str, Any] = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: object, **_: object) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answer = self.names[host]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in answer]


class Internet:
    """A client whose every connection leads to `stub`, and what it was led to believe."""

    def __init__(self, client: Client, stub: StubUpstream, wire: Wire, resolver: Resolver, clock: InstantClock) -> None:
        self.client = client
        self.stub = stub
        self.wire = wire
        self.resolver = resolver
        self.clock = clock

    async def fetch(self, url: str, upstream: Upstream = HOMEPAGES) -> HttpResponse:
        return await self.client.fetch(upstream, HttpRequest(url=url), HttpResponse.raise_for_status)


@asynccontextmanager
async def internet(*, tls: ssl.SSLContext | None = None, **names: Any) -> AsyncIterator[Internet]:
    clock, resolver = InstantClock(), Resolver(**names)
    async with stub_upstream(tls=tls) as stub:
        wire = Wire(stub)
        async with live_client(clock, dns=Dns(clock, resolver), sockets=wire) as client:
            yield Internet(client, stub, wire, resolver, clock)


@pytest.fixture
async def net() -> AsyncIterator[Internet]:
    async with internet(company_com=(PUBLIC,)) as net:
        yield net


def test_there_are_more_than_300_spellings() -> None:
    assert len(SPELLINGS) > 300


async def test_a_public_website_is_reached(net: Internet) -> None:
    """Without this one, the other tests would prove nothing."""
    assert (await net.fetch("http://company.com/")).status == 200
    assert net.wire.connected == [(PUBLIC, 80)]
    assert net.stub.received[0].headers["host"] == "company.com"


async def test_no_spelling_of_an_address_is_connected_to(net: Internet) -> None:
    for spelling, scheme in itertools.product(SPELLINGS, ("http", "https")):
        with pytest.raises(AddressRefused):
            await net.fetch(f"{scheme}://{spelling}/")

    assert net.wire.connected == []
    assert net.stub.connections == 0
    assert net.resolver.asked == []


async def test_no_redirect_leads_to_one(net: Internet) -> None:
    """Nor one of a service with a key, nor one that the operator has on a private network."""
    for spelling, upstream in itertools.product(
        SPELLINGS, (HOMEPAGES, Upstream(name="vendor", requests_per_second=1e9))
    ):
        net.stub.answer = lambda _, to=spelling: Reply(
            status=302, headers={"location": f"http://{to}/".encode().decode("latin-1")}
        )  # type: ignore[misc]
        with pytest.raises(AddressRefused):
            await net.fetch("http://company.com/", upstream)

    assert {address for address, _ in net.wire.connected} == {PUBLIC}
    assert len(net.stub.received) == 2 * len(SPELLINGS)


async def test_no_name_leads_to_one(net: Internet) -> None:
    addresses = [
        *INSIDE_4,
        *INSIDE_6,
        *(form for address in INSIDE_4 for form in wrapped(address).values()),
        "fe80::1%2",
    ]
    for number, address in enumerate(addresses):
        net.resolver.names[f"inside{number}.com"] = (address,)
        net.resolver.names[f"mixed{number}.com"] = (PUBLIC, address)
        net.resolver.names[f"many{number}.com"] = (*(f"93.184.215.{last}" for last in range(100)), address)
        for name in ("inside", "mixed", "many"):
            with pytest.raises(AddressRefused, match="an address that is not on the public internet"):
                await net.fetch(f"http://{name}{number}.com/")

    assert len(addresses) > 250
    assert net.wire.connected == []
    assert net.stub.connections == 0


async def test_a_name_is_resolved_once_for_a_connection_and_again_after_a_minute(net: Internet) -> None:
    """An answer that is public when it is checked and private when it is used, as in DNS rebinding, is used once."""
    net.stub.answer = lambda _: Reply(headers={"connection": "close"})
    net.resolver.names["rebinding.com"] = [(PUBLIC,), ("127.0.0.1",)]
    for _ in range(3):
        await net.fetch("http://rebinding.com/")
    assert net.resolver.asked == ["rebinding.com"]
    await net.clock.sleep(61)
    with pytest.raises(AddressRefused):
        await net.fetch("http://rebinding.com/")

    assert net.resolver.asked == ["rebinding.com"] * 2
    assert net.wire.connected == [(PUBLIC, 80)] * 3


async def test_a_retry_is_checked_like_the_first_attempt(net: Internet) -> None:
    net.resolver.names["rebinding.com"] = [(PUBLIC,), ("10.0.0.1",)]
    net.stub.answer = lambda _: Reply(status=429, headers={"retry-after": "61", "connection": "close"})
    net.stub.script.append("reset")
    with pytest.raises(AddressRefused):
        await net.fetch("http://rebinding.com/")

    assert net.wire.connected == [(PUBLIC, 80)] * 2


async def test_a_connection_is_reused_for_the_same_name_only(net: Internet) -> None:
    net.resolver.names["other.com"] = (PUBLIC,)
    for name in ("company.com", "company.com", "other.com", "company.com"):
        await net.fetch(f"http://{name}/")

    assert net.stub.connections == 2
    assert net.resolver.asked == ["company.com", "other.com"]


async def test_each_redirect_is_checked(net: Internet) -> None:
    names = ("company.com", "www.company.com", "de.company.com", "inside.com")
    net.resolver.names |= dict.fromkeys(names[:-1], (PUBLIC,)) | {"inside.com": ("192.168.0.1",)}
    following = dict(itertools.pairwise(names))
    net.stub.answer = lambda received: Reply(
        status=301, headers={"location": f"//{following[received.headers['host']]}/"}
    )
    with pytest.raises(AddressRefused):
        await net.fetch("http://company.com/")

    assert [received.headers["host"] for received in net.stub.received] == list(names[:-1])


async def test_where_the_operator_points_a_service_no_website_gets() -> None:
    """A base URL may be on a private network: for its own service, not for a website that redirects there."""
    async with internet(company_com=(PUBLIC,), vendor_lan=("10.0.0.7",)) as net:
        vendor = Upstream(name="vendor", trusted_origins=("http://vendor.lan:8080/base",))
        assert (await net.fetch("http://vendor.lan:8080/base/v1", vendor)).status == 200
        assert net.wire.connected == [("10.0.0.7", 8080)]
        net.stub.answer = lambda _: Reply(status=302, headers={"location": "http://vendor.lan:8080/base/v1"})
        with pytest.raises(AddressRefused):
            await net.fetch("http://company.com/")
        net.stub.answer = lambda _: Reply(status=302, headers={"location": "http://vendor.lan:8081/"})
        with pytest.raises(AddressRefused):
            await net.fetch("http://vendor.lan:8080/", vendor)

    assert net.wire.connected == [("10.0.0.7", 8080), (PUBLIC, 80)]


async def test_tls_is_with_the_name_though_the_connection_is_with_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trust_the_authority(monkeypatch, tmp_path)
    tls, names = server_tls(), []
    tls.sni_callback = lambda _, name, __: names.append(name)
    async with internet(tls=tls, company_example=(PUBLIC,), other_example=(PUBLIC,)) as net:
        assert (await net.fetch("https://company.example/")).status == 200
        with pytest.raises(UpstreamError, match="Its TLS certificate is not valid"):
            await net.fetch("https://other.example/")

    assert names == ["company.example", "other.example"]
    assert net.stub.received[0].headers["host"] == "company.example"
    assert net.wire.connected == [(PUBLIC, 443)] * 2


async def test_the_next_address_is_tried_if_one_cannot_be_reached(net: Internet) -> None:
    net.resolver.names["company.com"] = tuple(f"93.184.215.{last}" for last in range(1, 6))
    net.wire.unreachable = {"93.184.215.1", "93.184.215.2"}
    await net.fetch("http://company.com/")
    assert [address for address, _ in net.wire.connected] == [f"93.184.215.{last}" for last in (1, 2, 3)]
    net.wire.unreachable.add("93.184.215.3")
    with pytest.raises(Transient, match="It cannot be connected to"):
        await net.fetch("https://company.com/")


async def test_a_network_without_a_time_limit_connects_as_well(net: Internet) -> None:
    network = Network(Dns(net.clock, net.resolver), guarded=True, sockets=net.wire)
    stream = await network.connect_tcp("company.com", 80)
    await stream.aclose()

    assert net.wire.connected == [(PUBLIC, 80)]


async def test_the_network_checks_names_by_itself(net: Internet) -> None:
    net.resolver.names |= {"localhost": (PUBLIC,), "127.0.0.1": (PUBLIC,)}
    network = Network(Dns(net.clock, net.resolver), guarded=True, sockets=net.wire)
    for host, port in (("localhost", 80), ("127.0.0.1", 443), ("company.com", 22)):
        with pytest.raises(AddressRefused):
            await network.connect_tcp(host, port)

    assert net.wire.connected == []


@pytest.mark.parametrize(
    "host", ["company.com", "a-b.co.uk", "xn--mnchen-3ya.de", "x.xn--p1ai", "_dmarc.a.com", "1.com."]
)
def test_a_public_name_is_good(host: str) -> None:
    check_host(host, 443)


# The registries, copied from IANA by their first and last addresses; those within another one are left out.
REGISTRY_4 = """
0.0.0.0-0.255.255.255 10.0.0.0-10.255.255.255 100.64.0.0-100.127.255.255 127.0.0.0-127.255.255.255
169.254.0.0-169.254.255.255 172.16.0.0-172.31.255.255 192.0.0.0-192.0.0.255 192.0.2.0-192.0.2.255
192.31.196.0-192.31.196.255 192.52.193.0-192.52.193.255 192.88.99.0-192.88.99.255 192.168.0.0-192.168.255.255
192.175.48.0-192.175.48.255 198.18.0.0-198.19.255.255 198.51.100.0-198.51.100.255 203.0.113.0-203.0.113.255
224.0.0.0-255.255.255.255 168.63.129.16-168.63.129.16
"""
REGISTRY_6 = """
::-::1 ::ffff:0:0-::ffff:ffff:ffff 64:ff9b::-64:ff9b::ffff:ffff 64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff
100::-100::ffff:ffff:ffff:ffff 100:0:0:1::-100:0:0:1:ffff:ffff:ffff:ffff 2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff
2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff
2620:4f:8000::-2620:4f:8000:ffff:ffff:ffff:ffff:ffff 3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff
5f00::-5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fec0::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"""


@pytest.mark.parametrize("block", [*REGISTRY_4.split(), *REGISTRY_6.split()])
def test_a_block_of_the_registries_is_refused_from_its_first_to_its_last_address(block: str) -> None:
    first, last = map(ipaddress.ip_address, block.split("-"))
    generator = random.Random(block)  # noqa: S311 - no secret
    within = [generator.randint(int(first), int(last)) for _ in range(20)]

    assert not any(is_public(str(type(first)(number))) for number in (int(first), *within, int(last)))


def test_what_is_next_to_a_block_is_public() -> None:
    blocks = [tuple(int(ipaddress.IPv4Address(end)) for end in block.split("-")) for block in REGISTRY_4.split()]
    edges = {edge for first, last in blocks for edge in (first - 1, last + 1)}
    outside = {edge for edge in edges if 0 <= edge < 1 << 32 and not any(a <= edge <= b for a, b in blocks)}

    assert len(outside) > 30
    assert all(is_public(str(ipaddress.IPv4Address(edge))) for edge in outside)
    for address in ("2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "2620:4f:8001::", "2a00:1450:4001::200e"):
        assert is_public(address)


def test_the_standard_library_agrees_but_for_what_it_takes_for_public() -> None:
    """Of 20,000 random IPv4 addresses and as many IPv6 ones."""
    generator = random.Random(4)  # noqa: S311 - no secret
    for _ in range(20_000):
        four, six = ipaddress.IPv4Address(generator.getrandbits(32)), ipaddress.IPv6Address(generator.getrandbits(128))
        assert is_public(str(four)) == (four.is_global and not four.is_multicast)
        assert is_public(str(six)) <= six.is_global


async def test_lookups_of_one_name_are_shared_and_kept(clock: FakeClock) -> None:
    resolver = Resolver(company_com=("1.1.1.1", "1.1.1.1", "2606:4700::1111"))
    dns = Dns(clock, resolver)
    results = await asyncio.gather(*(dns.resolve("company.com") for _ in range(20)))
    await dns.resolve("company.com")

    assert set(results) == {("1.1.1.1", "2606:4700::1111")}
    assert resolver.asked == ["company.com"]


async def test_that_a_name_does_not_exist_is_kept_too(clock: FakeClock) -> None:
    resolver = Resolver()
    dns = Dns(clock, resolver)
    for _ in range(2):
        with pytest.raises(HostNotFound):
            await dns.resolve("nobody.com")
    await clock.advance(60)
    with pytest.raises(HostNotFound):
        await dns.resolve("nobody.com")

    assert resolver.asked == ["nobody.com"] * 2


@pytest.mark.parametrize(
    "error",
    [socket.gaierror(socket.EAI_AGAIN, "Try again"), OSError("No descriptors"), UnicodeError("label too long")],
)
async def test_a_lookup_that_fails_is_not_kept(clock: FakeClock, error: Exception) -> None:
    asked = []

    def getaddrinfo(host: str, port: object, **_: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        raise error

    dns = Dns(clock, getaddrinfo)
    for _ in range(2):
        with pytest.raises(Transient, match="Its host name could not be resolved"):
            await dns.resolve("company.com")

    assert len(asked) == 2


class Blocked:
    """A resolver that answers when it is let."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, port: object, **_: object) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        self.released.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 0))]


async def test_lookups_are_bounded_in_number_and_in_time(clock: FakeClock) -> None:
    blocked = Blocked()
    dns = Dns(clock, blocked)
    tasks = [asyncio.create_task(dns.resolve(f"{number}.com")) for number in range(MAX_THREADS + MAX_QUEUED + 1)]
    await settle()
    threads = sum(thread.name == "dns" for thread in threading.enumerate())
    assert str(tasks.pop().exception()) == "Too many host names are being resolved."
    await clock.advance(5)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    later = asyncio.create_task(dns.resolve("company.com"))
    await settle()
    blocked.released.set()

    assert threads == MAX_THREADS
    assert {str(outcome) for outcome in outcomes} == {"Its host name was not resolved within 5 seconds."}
    assert await later == (PUBLIC,)
    assert blocked.asked[MAX_THREADS:] == ["company.com"]


async def test_a_lookup_that_nobody_waits_for_any_more_is_kept_for_the_next(clock: FakeClock) -> None:
    blocked = Blocked()
    dns = Dns(clock, blocked)
    task = asyncio.create_task(dns.resolve("company.com"))
    await settle()
    task.cancel()
    await settle()
    blocked.released.set()

    assert await dns.resolve("company.com") == (PUBLIC,)
    assert blocked.asked == ["company.com"]


async def test_no_more_than_a_thousand_names_are_kept(clock: FakeClock) -> None:
    dns = Dns(clock, lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 0))])
    for number in range(MAX_CACHED + 10):
        await dns.resolve(f"{number}.com")

    assert len(dns._cache) == MAX_CACHED


def test_a_lookup_may_end_after_its_loop() -> None:
    blocked = Blocked()

    async def begin() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Dns(FakeClock(), blocked).resolve("company.com"), 0.01)

    asyncio.run(begin())
    blocked.released.set()
    for thread in threading.enumerate():
        if thread.name == "dns":
            thread.join()


PROXIED = [
    ("http://company.com/x", "GET", "http://company.com/x"),
    ("https://company.com/", "CONNECT", "company.com:443"),
]


@pytest.mark.parametrize(("url", "method", "target"), PROXIED)
async def test_websites_are_fetched_through_the_operators_proxy(
    url: str, method: str, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    resolver = Resolver()
    async with stub_upstream(lambda _: Reply(status=403)) as proxy:
        address = proxy.url.replace("127.0.0.1", "user:Secret@127.0.0.1")
        resolver.names["127.0.0.1"] = ("127.0.0.1",)
        async with live_client(InstantClock(), proxy=address, dns=Dns(FakeClock(), resolver)) as client:
            with pytest.raises(SourceFailed):
                await client.fetch(HOMEPAGES, HttpRequest(url=url), HttpResponse.raise_for_status)

    assert (proxy.received[0].method, proxy.received[0].target) == (method, target)
    assert proxy.received[0].headers["proxy-authorization"] == "Basic dXNlcjpTZWNyZXQ="
    assert resolver.asked == ["127.0.0.1"]
    assert f"websites are fetched through a proxy proxy={proxy.url}" in [
        record.getMessage() for record in caplog.records
    ]


async def test_a_website_is_read_through_a_tunnel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trust_the_authority(monkeypatch, tmp_path)
    async with stub_upstream() as proxy, live_client(InstantClock(), proxy=proxy.url) as client:
        response = await client.fetch(
            HOMEPAGES, HttpRequest(url="https://company.example/"), HttpResponse.raise_for_status
        )

    assert response.body == b"{}"
    assert [(received.method, received.headers["host"]) for received in proxy.received] == [
        ("CONNECT", "company.example:443"),
        ("GET", "company.example"),
    ]
    assert "proxy-authorization" not in proxy.received[1].headers


async def test_names_and_ports_are_refused_before_the_proxy_sees_them() -> None:
    async with stub_upstream() as proxy, live_client(InstantClock(), proxy=proxy.url) as client:
        for spelling in SPELLINGS:
            with pytest.raises(AddressRefused):
                await client.fetch(HOMEPAGES, HttpRequest(url=f"http://{spelling}/"), HttpResponse.raise_for_status)

    assert proxy.connections == 0


async def test_only_websites_go_through_the_proxy(net: Internet) -> None:
    async with stub_upstream() as proxy:
        dns = Dns(net.clock, net.resolver)
        async with live_client(net.clock, proxy=proxy.url, dns=dns, sockets=net.wire) as client:
            await client.fetch(
                Upstream(name="vendor"), HttpRequest(url="http://company.com/"), HttpResponse.raise_for_status
            )

    assert proxy.connections == 0
    assert net.wire.connected == [(PUBLIC, 80)]


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stub_upstream() as proxy, internet(company_com=(PUBLIC,)) as net:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await net.fetch("http://company.com/")

    assert proxy.connections == 0
    assert net.stub.connections == 1
