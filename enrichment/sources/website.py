"""
Companies' own websites: which pages may be read, where redirects lead, and which page is about what.

A page is read once for all modules that need it, from one host not more than one a second.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urljoin

import httpx2
import msgspec
from protego import Protego

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.sources import robots, sitemap
from enrichment.sources.challenge import is_challenge
from enrichment.sources.failures import (
    AddressRefused,
    Blocked,
    CircuitOpen,
    HostNotFound,
    NotFound,
    ParseError,
    UpstreamError,
)
from enrichment.sources.http import MAX_REDIRECTS, Client, Consume, join
from enrichment.sources.markup import Link, Markup, read_markup
from enrichment.sources.messages import CHARSET, HttpRequest, HttpResponse, decode
from enrichment.sources.page_cache import PageCache
from enrichment.sources.page_kinds import GUESSES, Kind, best_links
from enrichment.sources.site_facts import SiteFacts, SiteMatch, domain_of, match_site, merge, read_facts
from enrichment.sources.upstream import Upstream

WEBSITES: Final = Upstream(name="homepage", requests_per_second=1, per_host=True, follows_redirects=False)
"Redirects are followed here: robots.txt has to allow each address."
ROBOTS: Final = msgspec.structs.replace(WEBSITES, follows_redirects=True)

HTML: Final = ("text/html", "application/xhtml+xml")
SMALL: Final = 32_768
SMALL_TAGS: Final = 1_000
"A page of up to so many characters and tags is read within 5 ms, a larger one in a thread."


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page: its address after redirects, its HTML, what is read from that, and the headers that came with it."""

    url: str
    html: str
    markup: Markup
    headers: httpx2.Headers
    fetched_at: float


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A company's website: its home page, and how it was found to be that of the domain."""

    home: Page
    match: SiteMatch

    @property
    def domain(self) -> str:
        """The registered domain of the home page, after redirects."""
        return domain_of(self.home.url)

    def is_own(self, url: str) -> bool:
        """Whether a page belongs to the website, or to another one under the same domain."""
        return domain_of(url) == self.domain


class Websites:
    """Reads companies' websites. Making one does no I/O."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._cache = PageCache(clock)

    async def site(self, domain: str) -> Site:
        """
        Return a domain's website.

        Raises `Blocked` if it does not let robots read it, `NotFound` if it is not a company's own.
        """
        return await self._cache.get(domain, lambda: self._find_site(domain), lambda site: _size_of(site.home))

    async def page(self, url: str) -> Page:
        """Return a page of any website. Raises `Blocked`, and `ParseError` if it is not HTML."""
        return await self._cache.get(url, lambda: self._read_page(url), _size_of)

    async def find(self, site: Site, kind: Kind) -> Page | None:
        """Return a website's page about something, or None if there is none. Raises `Blocked` if it is not shown."""
        blocked: SourceFailed | None = None
        for url in await self._candidates(site, kind):
            try:
                page = await self.page(url)
                if site.is_own(page.url) and page.url != site.home.url:
                    return page
            except (NotFound, ParseError):
                continue
            except Blocked as error:
                blocked = error
        if blocked:
            raise blocked
        return None

    async def site_facts(self, domain: str) -> SiteFacts:
        """
        Return what a domain's website says about its company, on the home page and on a page about the company.

        Raises `Blocked` if it does not let robots read it, `NotFound` if it is not a company's own.
        """
        site = await self.site(domain)
        facts = read_facts(site.home.markup, site.home.url, site.match)
        try:
            about = await self.find(site, "about")
        except SourceFailed:
            about = None
        return merge(facts, read_facts(about.markup, about.url, site.match)) if about else facts

    async def sitemap(self, site: Site) -> tuple[str, ...]:
        """Return the addresses in a website's sitemap, as far as they are its own; none if it cannot be read."""
        return await self._cache.get(f"sitemap {site.home.url}", lambda: self._read_sitemap(site))

    async def _find_site(self, domain: str) -> Site:
        page = await self._find_home(domain)
        return Site(home=page, match=match_site(domain, page.url, page.markup))

    async def _find_home(self, domain: str) -> Page:
        """Read the home page, over http if https does not work, and under `www.` if the domain itself has none."""
        addresses = [f"https://{domain}/", f"http://{domain}/"]
        if domain == registrable_domain(domain):
            addresses.append(f"https://www.{domain}/")
        failed: list[SourceFailed] = []
        for url in addresses:
            try:
                page = await self._read_page(url)
                return await self._read_page(page.markup.refresh) if page.markup.refresh else page
            except (CircuitOpen, HostNotFound, UpstreamError) as error:
                failed.append(error)
        raise failed[0]

    async def _read_page(self, url: str) -> Page:
        response = await self._fetch(url)
        content_type = response.headers.get("content-type", "")
        if not content_type.lower().startswith(HTML):
            raise ParseError("It is not a web page.")
        if not CHARSET.search(content_type):  # then the page itself may name its encoding, near its beginning
            content_type = response.body[:1024].decode("latin-1")
        html = decode(response.body, content_type)
        if len(html) <= SMALL and html.count("<") <= SMALL_TAGS:
            markup = read_markup(html, response.url)
        else:
            markup = await asyncio.to_thread(read_markup, html, response.url)
        return Page(url=response.url, html=html, markup=markup, headers=response.headers, fetched_at=self._clock.now())

    async def _fetch(self, url: str, consume: Consume = join) -> HttpResponse:
        """Return what is at an address, and where that redirects to, as far as robots.txt allows."""
        for _ in range(MAX_REDIRECTS + 1):
            if not robots.allows(await self._robots(url), url):
                raise Blocked("Its robots.txt does not allow this page.")
            response = await self._client.fetch(WEBSITES, HttpRequest(url=url), _judged, consume=consume)
            if not response.is_redirect:
                return response
            url = _joined(url, response.headers["location"])
        raise UpstreamError(f"It redirects more than {MAX_REDIRECTS} times.")

    async def _robots(self, url: str) -> Protego:
        location = _joined(url, "/robots.txt")
        return await self._cache.get(location, lambda: self._read_robots(location))

    async def _read_robots(self, url: str) -> Protego:
        try:
            text = await self._client.fetch(
                ROBOTS, HttpRequest(url=url), _robots_text, consume=_beginning(robots.MAX_BYTES)
            )
        except UpstreamError as error:
            raise type(error)(f"Its robots.txt cannot be read. {error}") from None
        return await asyncio.to_thread(robots.read_robots, text)

    async def _candidates(self, site: Site, kind: Kind) -> list[str]:
        """The addresses of a page about something, the best first: from links, else the sitemap, else by guess."""
        found = best_links(kind, (link for link in site.home.markup.links if site.is_own(link.url)))
        if not found:
            found = best_links(kind, (Link(url, "") for url in await self.sitemap(site)))
        return found or [_joined(site.home.url, path) for path in GUESSES[kind]]

    async def _read_sitemap(self, site: Site) -> tuple[str, ...]:
        try:
            listed = (await self._robots(site.home.url)).sitemaps
            urls, is_index = await self._sitemap_at(
                [*filter(site.is_own, listed), _joined(site.home.url, "/sitemap.xml")][0]
            )
            if is_index:
                parts = sorted(filter(site.is_own, urls), key=lambda url: "page" not in url)
                urls, _ = await self._sitemap_at(parts[0]) if parts else ((), False)
        except SourceFailed:
            return ()
        return tuple(filter(site.is_own, urls))

    async def _sitemap_at(self, url: str) -> tuple[tuple[str, ...], bool]:
        response = await self._fetch(url, _beginning(sitemap.MAX_BYTES))
        return await asyncio.to_thread(sitemap.read_sitemap, response.body)


def _judged(response: HttpResponse) -> HttpResponse:
    """Return a page or a redirect; raise what any other response stands for."""
    _check_challenge(response)
    if response.status in (401, 403):
        raise Blocked(f"It refuses access, with status {response.status}.")
    if response.status in (404, 410):
        raise NotFound("It has no such page.")
    return response if response.is_redirect else response.raise_for_status()


def _check_challenge(response: HttpResponse) -> None:
    if is_challenge(response):
        raise Blocked("It answers with a challenge page, which only people can pass.")


def _robots_text(response: HttpResponse) -> str:
    """Return a robots.txt; if there is none, everything is allowed."""
    _check_challenge(response)
    if 400 <= response.status < 500 and response.status != 429:
        return ""
    return response.raise_for_status().text


def _beginning(limit: int) -> Consume:
    """Return a function that reads the beginning of a body."""

    async def consume(chunks: AsyncIterator[bytes]) -> bytes:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) >= limit:
                break
        return bytes(body[:limit])

    return consume


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise AddressRefused("It leads to a URL that cannot be read.") from None


def _size_of(page: Page) -> int:
    """About what a page takes in memory: its text, and what is read from it."""
    return 2 * sys.getsizeof(page.html)
