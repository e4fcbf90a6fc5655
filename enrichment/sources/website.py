"""
Companies' own websites: which pages may be read, where redirects lead, and how long pages are kept.

A page is read once for all modules that need it. Calls for the same page wait for the first one.
"""

import asyncio
import re
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urljoin, urlsplit
from weakref import WeakValueDictionary

import httpx2
import msgspec
from protego import Protego

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.sources import failures
from enrichment.sources.context import CONTEXT
from enrichment.sources.http import MAX_REDIRECTS, Client
from enrichment.sources.identity import registrable_domain
from enrichment.sources.markup import Markup, read_markup
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.robots import allows, read_robots
from enrichment.sources.site_facts import SiteFacts, merge, read_facts
from enrichment.sources.upstream import Upstream

T = TypeVar("T")

WEBSITES: Final = Upstream(name="homepage", requests_per_second=1, per_host=True, follows_redirects=False)
FOLLOWED: Final = msgspec.structs.replace(WEBSITES, follows_redirects=True)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page: its address after redirects, its HTML, what is read from that, and the headers that came with it."""

    url: str
    html: str
    markup: Markup
    headers: httpx2.Headers
    fetched_at: float


class Websites:
    """Reads companies' websites. Making one does no I/O."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def home(self, domain: str) -> Page:
        """Return a domain's home page."""
        raise NotImplementedError

    async def page(self, url: str) -> Page:
        """Return a page."""
        raise NotImplementedError

    async def site_facts(self, domain: str) -> SiteFacts:
        """
        Return what a domain's website says about the company, on its home page and a page about the company.

        Raises `NotFound` if the website is no company's own: for example a parking page.
        """
        raise NotImplementedError
