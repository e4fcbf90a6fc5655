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
from tests.conftest import ROOT
from tests.upstreams import Received, Reply, StubUpstream, stub_upstream

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
    not exist. `requests` has the URLs that were asked for, with their times.
    """

    def __init__(self, pages: Mapping[str, Reply], clock: Clock, stub: StubUpstream) -> None:
        self.pages = dict(pages)
        self.requests: list[tuple[str, float]] = []
        self.clock = clock
        self.stub = stub
        self.stub.answer = self.answer
        self.sockets = Sockets(stub)
        dns = Dns(clock, getaddrinfo=self.look_up)
        self.client = Client(contact="https://example.com/bot", clock=clock, dns=dns, sockets=self.sockets)
        self.websites = Websites(self.client, clock)

    @property
    def urls(self) -> list[str]:
        return [url for url, _ in self.requests]

    @property
    def page_urls(self) -> list[str]:
        """Those of pages, without robots.txt."""
        return [url for url in self.urls if not url.endswith("/robots.txt")]

    def answer(self, received: Received) -> Reply:
        url = f"http://{received.headers['host']}{received.target}"
        self.requests.append((url, self.clock.now()))
        return self.pages.get(url, NO_PAGE)

    def look_up(self, host: str, *_: Any, **__: Any) -> Iterable[tuple[Any, ...]]:
        """In place of `socket.getaddrinfo`."""
        address = host if host == "127.0.0.1" else ADDRESS
        known = {"127.0.0.1", *(urlsplit(url).hostname for url in self.pages)}
        return [(2, 1, 6, "", (address, 0))] if host in known else []


@asynccontextmanager
async def internet(clock: Clock, pages: Mapping[str, Reply]) -> AsyncIterator[Internet]:
    """Run websites. They are reached over http only: https cannot be connected to."""
    async with stub_upstream() as stub:
        net = Internet(pages, clock, stub)
        try:
            yield net
        finally:
            await net.client.aclose()


WEBSITE = ROOT / "tests" / "answers" / "website"


def northwind() -> dict[str, Reply]:
    """The pages of a made-up company."""
    pages = {
        path: page((WEBSITE / f"{name}.html").read_text())
        for path, name in {
            "/": "home",
            "/about-us/": "about",
            "/company/careers": "careers",
            "/newsroom/": "newsroom",
            "/newsroom/northwind-opens-plant-in-ohio": "article",
        }.items()
    }
    pages["/newsroom/2025-results"] = page("<p>Only numbers.</p>")
    pages["/sitemap.xml"] = Reply((WEBSITE / "sitemap.xml").read_bytes(), headers={"content-type": "text/xml"})
    own = {f"http://www.northwind-loom.example{path}": reply for path, reply in pages.items()}
    return {"http://northwind-loom.example/": moved("http://www.northwind-loom.example/"), **own}
