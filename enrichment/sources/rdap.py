"""
RDAP, the registries' record of when a domain was registered (RFC 9083).

IANA lists the server of each registry, https://data.iana.org/rdap/dns.json. If that list cannot be read, or an operator
has set another server, the server redirects to the registry, as https://rdap.org does.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.sources.failures import NotFound
from enrichment.sources.http import Client
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.messages import HttpRequest, HttpResponse, citable
from enrichment.sources.upstream import Upstream

RDAP_URL: Final = "https://rdap.org"
BOOTSTRAP_URL: Final = "https://data.iana.org/rdap/dns.json"
REQUESTS_PER_SECOND: Final = 1.0
"rdap.org allows 10 in 10 seconds."
DAY_SECONDS: Final = 86_400.0
ACCEPT: Final = {"Accept": "application/rdap+json, application/json;q=0.9"}


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """When a domain was registered, and with whom; `url` is where that can be looked up."""

    registered_at: float | None
    registrar: str | None
    nameservers: tuple[str, ...]
    url: str


class _Event(msgspec.Struct, rename="camel"):
    """Something that happened to a domain."""

    event_action: str | None = None
    event_date: str | None = None


class _Entity(msgspec.Struct, rename="camel"):
    """Somebody who has to do with a domain."""

    roles: list[str | None] | None = None
    handle: str | None = None
    vcard_array: list[object] | None = None


class _Nameserver(msgspec.Struct, rename="camel"):
    """A name server."""

    ldh_name: str | None = None


class _Domain(msgspec.Struct, rename="camel"):
    """The answer of a registry."""

    object_class_name: str | None
    events: list[_Event] | None = None
    entities: list[_Entity] | None = None
    nameservers: list[_Nameserver] | None = None


class _Bootstrap(msgspec.Struct):
    """The list of IANA: services, each a list of top-level domains and a list of servers."""

    services: list[tuple[list[str], list[str]]]


class Rdap:
    """Looks up registrations. `base_url` replaces the list of IANA if it is not the default."""

    def __init__(
        self, client: Client, clock: Clock, *, base_url: str = RDAP_URL, bootstrap_url: str = BOOTSTRAP_URL
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._bootstrap_url = bootstrap_url if base_url == RDAP_URL else ""
        self.upstream = Upstream(
            name="rdap",
            requests_per_second=REQUESTS_PER_SECOND,
            trusted_origins=() if base_url == RDAP_URL else (base_url,),
        )
        self._bootstrap = Upstream(
            name="rdap_bootstrap", trusted_origins=() if bootstrap_url == BOOTSTRAP_URL else (bootstrap_url,)
        )
        self._servers: LookupCache[Mapping[str, str]] = LookupCache(clock, seconds=DAY_SECONDS, max_entries=1)

    async def registration(self, domain: str) -> Registration:
        """Return the registration of a registrable domain. Raises `NotFound` if it is not registered."""
        server = await self._server(domain.rpartition(".")[2])
        request = HttpRequest(url=f"{server}/domain/{domain}", headers=ACCEPT)
        return await self._client.fetch(self.upstream, request, _read)

    async def _server(self, top_level_domain: str) -> str:
        if not self._bootstrap_url:
            return self._base_url
        try:
            servers = await self._servers.get("", self._all_servers)
        except SourceFailed:
            return self._base_url
        if top_level_domain not in servers:
            raise NotFound("The registry of this top-level domain has no RDAP server.")
        return servers[top_level_domain]

    async def _all_servers(self) -> Mapping[str, str]:
        """The servers by top-level domain; of several, one with TLS."""
        request = HttpRequest(url=self._bootstrap_url)
        bootstrap = await self._client.fetch(
            self._bootstrap, request, lambda response: response.raise_for_status().json(_Bootstrap)
        )
        return {
            top_level_domain.lower(): min(urls, key=lambda url: not url.startswith("https:")).rstrip("/")
            for top_level_domains, urls in bootstrap.services
            for top_level_domain in top_level_domains
            if urls
        }


def _read(response: HttpResponse) -> Registration:
    domain = response.raise_for_status().json(_Domain)
    times = [
        moment
        for event in domain.events or ()
        if event.event_action == "registration" and (moment := _moment(event.event_date)) is not None
    ]
    return Registration(
        registered_at=min(times, default=None),
        registrar=next(
            (
                name
                for entity in domain.entities or ()
                if "registrar" in (entity.roles or ()) and (name := _name(entity))
            ),
            None,
        ),
        nameservers=tuple(server.ldh_name.lower() for server in domain.nameservers or () if server.ldh_name),
        url=citable(response.url),
    )


def _name(entity: _Entity) -> str | None:
    """The name in the vCard, `["vcard", [["fn", {}, "text", "Name"], ...]]`, or else the handle."""
    properties = entity.vcard_array[1] if len(entity.vcard_array or ()) > 1 and entity.vcard_array else ()
    for each in properties if isinstance(properties, list) else ():
        if isinstance(each, list) and len(each) > 3 and each[0] == "fn" and isinstance(each[3], str) and each[3]:
            return each[3]
    return entity.handle


def _moment(text: str | None) -> float | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
