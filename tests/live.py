"""
The service with live sources, on an internet of our own: each outside host is a stub on loopback.
"""

import asyncio
import copy
import functools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from enrichment.clock import Clock
from enrichment.settings import Settings
from enrichment.sources import live
from enrichment.sources.guard import Dns
from enrichment.sources.http import Client
from service import create_app
from tests.adapters import answers, by_path, reply
from tests.answers import rdap, sec, similarweb
from tests.answers import wikidata as wiki
from tests.answers.language_model import completion
from tests.conftest import client_of
from tests.upstreams import Answer, Received, Reply, StubUpstream, stub_upstream
from tests.websites import Internet, northwind, page

CONTACT: Final = "ops.team@example.com"
API: Final = "/api/v1/enrich"
SIMILARWEB_KEY: Final = "similarweb-private-4"
SPEED: Final = 8
EPOCH: Final = 1_772_102_100.0
INSIDE: Final = ("inside.example", "metadata.example")
"Names that resolve to this machine, where the stub of all websites would answer."


class FastClock(Clock):
    """A clock that runs faster than time. The limit of one attempt stays that of real time."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        return EPOCH + (time.monotonic() - self._start) * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)


HOME = """<!doctype html><html lang="en"><head><title>Acme | Rockets</title>
<link rel="canonical" href="https://www.acme.example/">
<meta property="og:site_name" content="Acme">
<meta name="description" content="Acme builds rockets for everyone.">
<script type="application/ld+json">{"@type": "Organization", "name": "Acme", "url": "https://www.acme.example/",
  "foundingDate": "1986-04-01", "numberOfEmployees": 1234,
  "address": {"@type": "PostalAddress", "addressLocality": "Austin", "addressRegion": "TX", "addressCountry": "US"}}
</script>
<script src="https://cdn.shopify.com/s/files/theme.js"></script></head>
<body><h1>Reusable rockets</h1><h2>Rocket engines</h2>
<nav><a href="/careers">Careers</a><a href="/newsroom/">Newsroom</a></nav>
<p><a href="https://boards.greenhouse.io/acme">Open roles</a></p></body></html>"""

NEWSROOM = """<title>Newsroom</title><p>AUSTIN - "We build rockets that come back to us," said Jane Doe,
Chief Executive Officer of Acme.</p>"""


def acme() -> dict[str, Reply]:
    """The pages of a listed company."""
    site = "http://www.acme.example"
    home = page(HOME)
    return {
        "http://acme.example/": home,
        f"{site}/": home,
        f"{site}/careers": page("<title>Careers</title>"),
        f"{site}/newsroom/": page(NEWSROOM),
    }


def renamed(name: str) -> Any:
    """The sample answers of a vendor about Acme instead of the company that they are about."""
    text = json.dumps(answers(name))
    for old, new in {"Rocket Works": "Acme", "rocketworks": "acme", "RocketWorks": "acme", "ROKT": "ACME"}.items():
        text = text.replace(old, new)
    return json.loads(text)


def yahoo() -> Answer:
    content = renamed("yahoo")
    return by_path(
        {
            "/v8/finance/chart/ACME": reply(content["chart"]),
            "/ws/fundamentals-timeseries/v1/finance/timeseries/ACME": reply(content["timeseries"]),
            "/ws/insights/v2/finance/insights": reply(content["insights"]),
            "/v10/finance/quoteSummary/ACME": reply(content["summary"]),
            "/v1/test/getcrumb": Reply(b"a.Crumb", headers={"content-type": "text/plain"}),
            "/": Reply(b"", 404, {"set-cookie": "A3=d=x; Domain=.yahoo.com"}),
        }
    )


def apollo() -> Answer:
    content = renamed("apollo")
    return by_path(
        {
            "/organizations/enrich": reply(content["enrich"]),
            f"/organizations/{content['enrich']['organization']['id']}/job_postings": reply(content["job_postings"]),
            "/news_articles/search": reply(content["news"]),
            "/auth/health": reply(content["health"]),
        }
    )


def builtwith() -> Answer:
    content = renamed("builtwith")
    return by_path(
        {
            "/v22/api.json": reply(content["profile"]),
            "/free1/api.json": reply(content["free"]),
            "/kw2/api.json": reply(content["keywords"]),
            "/usagev2/api.json": reply(content["usage"]),
            "/whoamiv1/api.json": reply(content["whoami"]),
        }
    )


def ranked(received: Received) -> Reply:
    """Tranco, to which only Acme is known."""
    known = "acme.example" in received.target
    return reply({"ranks": copy.deepcopy(answers("ranks")["ranks"]) if known else [], "domain": "x"})


def resolved(received: Received) -> Reply:
    """DNS over HTTPS, where only Acme has records."""
    samples = answers("doh")
    kind = received.target.rpartition("type=")[2]
    return reply(samples[kind] if "acme.example" in received.target and kind in samples else samples["no_such_name"])


VENDORS: Final[Mapping[str, Answer]] = {
    "sec_data": sec.edgar(),
    "sec_www": sec.edgar(),
    "wikidata": wiki.wikidata(),
    "rdap": rdap.redirector(),
    "doh": resolved,
    "yahoo": yahoo(),
    "tranco": ranked,
    "greenhouse": by_path({"/v1/boards/acme/jobs": reply(renamed("job_boards")["greenhouse"])}),
    "lever": by_path({}),
    "lever_eu": by_path({}),
    "ashby": by_path({}),
    "gdelt": lambda _: reply(renamed("news")),
    "tavily": lambda _: reply({"results": []}),
    "brave": lambda _: reply(answers("brave")["nothing"]),
    "llm": lambda _: completion(None),
    "apollo": apollo(),
    "clearbit": lambda _: reply(renamed("clearbit")["company"]),
    "builtwith": builtwith(),
    "similarweb": similarweb.Service(SIMILARWEB_KEY),
}
"What each of the services answers, by its settings."


class World:
    """The service, by its API, and the outside services by name."""

    def __init__(
        self, api: httpx.AsyncClient, vendors: Mapping[str, StubUpstream], net: Internet, clock: Clock
    ) -> None:
        self.api = api
        self.vendors = vendors
        self.net = net
        self.clock = clock
        self.answers: list[str] = []

    async def get(self, path: str) -> Any:
        response = await self.api.get(path)
        self.answers.append(response.text)
        return response.json()

    async def post(self, path: str, body: Any = None) -> Any:
        response = await self.api.post(path, json=body or {})
        self.answers.append(response.text)
        return response.json()

    async def enrich(self, domain: str, *modules: str) -> Any:
        """Run a job to its end, and return the results."""
        job = (await self.post(f"{API}/{domain}", {"modules": modules} if modules else {}))["job_id"]
        return await self.ended(domain, job)

    async def ended(self, domain: str, job: str) -> Any:
        async with asyncio.timeout(60):
            while (await self.get(f"{API}/{domain}/status?job_id={job}"))["status"] in ("queued", "running"):
                await asyncio.sleep(0.05)
        return await self.get(f"{API}/{domain}/results?job_id={job}")

    async def source(self, name: str) -> Any:
        (found,) = [each for each in (await self.get("/api/v1/sources"))["sources"] if each["name"] == name]
        return found


def look_up(net: Internet, host: str, *rest: Any, **more: Any) -> Iterable[tuple[Any, ...]]:
    """In place of `socket.getaddrinfo`: some names lead to this machine."""
    if host in INSIDE:
        return [(2, 1, 6, "", ("127.0.0.1" if host == INSIDE[0] else "169.254.169.254", 0))]
    return net.look_up(host, *rest, **more)


@asynccontextmanager
async def live_service(
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Mapping[str, StubUpstream]], object] = lambda _: None,
    **settings: Any,
) -> AsyncIterator[World]:
    """Run the service and everything that it asks; `prepare` may change the outside services before it starts."""
    clock = FastClock()
    async with AsyncExitStack() as stack:
        vendors = {name: await stack.enter_async_context(stub_upstream(answer)) for name, answer in VENDORS.items()}
        prepare(vendors)
        websites = await stack.enter_async_context(stub_upstream())
        net = Internet(acme() | northwind(), clock, websites)
        stack.push_async_callback(net.client.aclose)
        dns = Dns(clock, getaddrinfo=functools.partial(look_up, net))
        monkeypatch.setattr(live, "Client", functools.partial(Client, dns=dns, sockets=net.sockets))
        urls = {f"{name}_base_url": stub.url for name, stub in vendors.items() if name != "yahoo"}
        urls |= {f"yahoo_base_url_{host}": vendors["yahoo"].url for host in ("q1", "q2", "fc")}
        given = {"sources": "live", "contact": CONTACT, "auth": "off", **urls, **settings}
        api = await stack.enter_async_context(client_of(create_app(Settings(**given), clock=clock)))
        yield World(api, vendors, net, clock)
