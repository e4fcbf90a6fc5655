"""
Companies' websites on loopback, behind their own names.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from enrichment.clock import Clock
from enrichment.sources.guard import Dns
from enrichment.sources.http import Client
from enrichment.sources.website import Websites
from tests.upstreams import Received, Reply, StubUpstream, live_client, stub_upstream

ADDRESS = "93.184.216.34"
"A public address, which all names of the websites have."
HTML = {"content-type": "text/html; charset=utf-8"}
NO_PAGE = Reply(b"<h1>Not found</h1>", 404, HTML)


def page(html: str, status: int = 200, **headers: str) -> Reply:
    """A page; names of headers are given with `_` for `-`."""
    return Reply(html.encode(), status, HTML | {name.replace("_", "-"): value for name, value in headers.items()})


def moved(location: str, status: int = 301) -> Reply:
    return Reply(b"", status, {"location": location})


class Sockets(httpcore2.AsyncNetworkBackend):
    """Connects port 80 of the public address to a stub; nothing listens on port 443, and nowhere else."""

    def __init__(self, stub: StubUpstream) -> None:
        self._port = urlsplit(stub.url).port or 0
        self._inner = httpcore2.AnyIOBackend()
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        self.dialled.append((host, port))
        if (host, port) == (ADDRESS, 80):
            return await self._inner.connect_tcp("127.0.0.1", self._port)
        if host == "127.0.0.1":  # a stub that an operator has set as a base URL
            return await self._inner.connect_tcp(host, port)
        raise httpcore2.ConnectError


class Internet:
    """
    Websites by URL: `pages["http://acme.test/about"]`. A URL without a page is answered 404, a host without any does
    not exist. `requests` has the URLs that were asked for.
    """

    def __init__(self, client: Client, stub: StubUpstream, pages: dict[str, Reply], clock: Clock) -> None:
        self.client = client
        self.stub = stub
        self.pages = pages
        self.websites = Websites(client, clock)

    @property
    def requests(self) -> list[str]:
        return [_url(received) for received in self.stub.received]

    @property
    def page_requests(self) -> list[str]:
        """Those for pages, without robots.txt."""
        return [url for url in self.requests if not url.endswith("/robots.txt")]


def _url(received: Received) -> str:
    return f"http://{received.headers['host']}{received.target}"


@asynccontextmanager
async def internet(clock: Clock, pages: Mapping[str, Reply]) -> AsyncIterator[Internet]:
    """Run websites. They are reached over http only: https cannot be connected to."""
    kept = dict(pages)

    def look_up(host: str, *_: Any, **__: Any) -> Iterable[tuple[Any, ...]]:
        known = {urlsplit(url).hostname for url in kept}
        if host == "127.0.0.1":
            return [(2, 1, 6, "", (host, 0))]
        return [(2, 1, 6, "", (ADDRESS, 0))] if host in known else []

    async with stub_upstream(lambda received: kept.get(_url(received), NO_PAGE)) as stub:
        dns = Dns(clock, getaddrinfo=look_up)
        async with live_client(clock, dns=dns, sockets=Sockets(stub)) as client:
            yield Internet(client, stub, kept, clock)
