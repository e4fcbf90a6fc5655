"""
The look-up of a domain's registration: at the registry that IANA names, or through a server that redirects to it.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpcore2
import pytest

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.sources import failures
from enrichment.sources.guard import Dns
from enrichment.sources.http import Client
from enrichment.sources.rdap import Rdap
from tests.answers.rdap import DOMAIN, bootstrap, redirector
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream

REGISTERED = 808_372_800.0


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def client(instant: InstantClock) -> AsyncIterator[Client]:
    async with live_client(instant) as client:
        yield client


@pytest.fixture
async def stub() -> AsyncIterator[StubUpstream]:
    async with stub_upstream(redirector()) as stub:
        yield stub


async def test_a_server_that_is_set_redirects_to_the_registry(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    registration = await Rdap(client, instant, base_url=stub.url).registration("acme.example")

    assert registration.registered_at == REGISTERED
    assert registration.registrar == "Registrar, Inc."
    assert registration.nameservers == ("ns1.acme.example",)
    assert registration.url == f"{stub.url}/registry/domain/acme.example"
    assert [received.target for received in stub.received] == ["/domain/acme.example", "/registry/domain/acme.example"]
    assert all(received.headers["accept"].startswith("application/rdap+json") for received in stub.received)
    assert instant.sleeps == [1.0]


class Everywhere(httpcore2.AnyIOBackend):
    """A network on which each host is the stub."""

    def __init__(self, stub: StubUpstream) -> None:
        super().__init__()
        self._port = int(stub.url.rpartition(":")[2])
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> Any:
        self.connected.append((host, port))
        if port == 443:
            raise httpcore2.ConnectError
        return await super().connect_tcp("127.0.0.1", self._port, *arguments, **options)


class PublicDns(Dns):
    """All hosts have the same public address."""

    async def resolve(self, host: str) -> tuple[str, ...]:
        return ("93.184.216.34",)


async def test_the_registry_is_the_one_that_iana_names(instant: InstantClock, stub: StubUpstream) -> None:
    lists: list[str] = []
    registry = redirector()

    def answer(received: Any) -> Reply:
        if received.target == "/dns.json":
            lists.append(received.target)
            return bootstrap("http://rdap.example.com")
        assert received.headers["host"] == "rdap.example.com"
        return registry(received)

    stub.answer = answer
    network = Everywhere(stub)
    async with live_client(instant, dns=PublicDns(instant), sockets=network) as client:
        rdap = Rdap(client, instant, bootstrap_url=f"{stub.url}/dns.json")
        for _ in range(2):
            registration = await rdap.registration("acme.example")
        with pytest.raises(failures.NotFound, match="no RDAP server"):
            await rdap.registration("acme.none")
        with pytest.raises(failures.Transient):
            await rdap.registration("acme.both")

    assert network.connected[-1] == ("93.184.216.34", 443)
    assert registration.registered_at == REGISTERED
    assert registration.url == "http://rdap.example.com/registry/domain/acme.example"
    assert len(lists) == 1


async def test_without_the_list_a_server_that_redirects_is_asked(instant: InstantClock, stub: StubUpstream) -> None:
    stub.scenario = "broken"
    network = Everywhere(stub)
    async with live_client(instant, dns=PublicDns(instant), sockets=network) as client:
        with pytest.raises(failures.Transient):
            await Rdap(client, instant, bootstrap_url=f"{stub.url}/dns.json").registration("acme.example")

    assert ("93.184.216.34", 443) in network.connected


@pytest.mark.parametrize(
    ("changes", "registered_at", "registrar"),
    [
        ({"events": None, "entities": None, "nameservers": None}, None, None),
        ({"events": [{"eventAction": "registration", "eventDate": "1995-08-14"}]}, 808_358_400.0, "Registrar, Inc."),
        ({"events": [{"eventAction": "registration", "eventDate": "long ago"}]}, None, "Registrar, Inc."),
        ({"entities": [{"roles": ["registrar"], "handle": "REG-CZ"}]}, REGISTERED, "REG-CZ"),
        ({"entities": [{"roles": None}, {"roles": ["registrar"], "vcardArray": ["vcard"]}]}, REGISTERED, None),
        ({"entities": [{"roles": ["registrar"], "vcardArray": ["vcard", "x"]}]}, REGISTERED, None),
        (
            {
                "entities": [
                    {"roles": ["registrar"], "handle": "R", "vcardArray": ["vcard", ["x", ["fn", {}, "text", 7]]]}
                ]
            },
            REGISTERED,
            "R",
        ),
    ],
)
async def test_parts_may_be_missing(
    client: Client,
    instant: InstantClock,
    stub: StubUpstream,
    changes: Mapping[str, Any],
    registered_at: float | None,
    registrar: str | None,
) -> None:
    stub.answer = lambda _: Reply(json.dumps({**DOMAIN, **changes}).encode())
    registration = await Rdap(client, instant, base_url=stub.url).registration("acme.example")

    assert (registration.registered_at, registration.registrar) == (registered_at, registrar)


@pytest.mark.parametrize(
    ("scenario", "failure"),
    [
        ("empty", failures.ParseError),
        ("nothing", failures.ParseError),
        ("wrong_types", failures.ParseError),
        ("truncated_json", failures.ParseError),
        ("html", failures.ParseError),
        ("unknown", failures.NotFound),
        ("rate_limited_for_1_day", failures.RateLimited),
        ("broken", failures.UpstreamError),
        ("reset", failures.Transient),
        ("redirect_loop", failures.UpstreamError),
        ("oversized", failures.ParseError),
    ],
)
async def test_what_can_go_wrong(
    client: Client, instant: InstantClock, stub: StubUpstream, scenario: str, failure: type[SourceFailed]
) -> None:
    stub.answer = lambda _: Reply(json.dumps(DOMAIN).encode())
    stub.scenario = scenario
    with pytest.raises(SourceFailed) as failed:
        await Rdap(client, instant, base_url=stub.url).registration("acme.example")

    assert type(failed.value) is failure


async def test_nulls_are_nothing(client: Client, instant: InstantClock, stub: StubUpstream) -> None:
    stub.answer, stub.scenario = (lambda _: Reply(json.dumps(DOMAIN).encode())), "nulls"
    registration = await Rdap(client, instant, base_url=stub.url).registration("acme.example")

    assert (registration.registered_at, registration.registrar, registration.nameservers) == (None, None, ())


async def test_only_a_set_address_may_be_on_a_private_network(client: Client) -> None:
    assert Rdap(client, Clock()).upstream.trusted_origins == ()
