"""
Technologies, detected by what a home page and DNS records show.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import Technology, TechStack
from enrichment.modules.module import Finding, Subject
from enrichment.modules.playbook import CATEGORIES, PLAYBOOK, find_product
from enrichment.modules.table import MODULES
from enrichment.sources import failures
from enrichment.sources.dns import DnsOverHttps, RecordType
from enrichment.sources.fingerprints import DnsRecords, Fingerprints, Signals, detect, fingerprints
from enrichment.sources.http import Client
from enrichment.sources.markup import read_markup
from enrichment.sources.simulated.m02_tech_stack import CORE, EXTRA, SHOP, SHOP_EXTRA
from enrichment.sources.website import Page
from schemas import Method, SourceCitation
from tests.adapters import answers, paths, reply
from tests.upstreams import InstantClock, Received, Reply, StubUpstream, live_client, stub_upstream, trust_the_authority
from tests.websites import Internet, internet, northwind, page

MODULE = MODULES["m02_tech_stack"]
SUBJECT = Subject(domain="northwind-loom.example")
HOME = "http://www.northwind-loom.example/"


@pytest.fixture(autouse=True)
def few_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else each client loads those of all authorities, which takes most of the time of these tests."""
    trust_the_authority(monkeypatch, tmp_path)


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


def resolver(received: Received) -> Reply:
    """DNS over HTTPS, with the sample answer for each type."""
    record_type = received.target.rpartition("type=")[2]
    return reply(answers("doh").get(record_type))


@pytest.fixture
async def doh() -> AsyncIterator[StubUpstream]:
    async with stub_upstream(resolver) as stub:
        yield stub


@pytest.fixture
async def net(instant: InstantClock) -> AsyncIterator[Internet]:
    async with internet(instant, northwind()) as net:
        yield net


@pytest.fixture
async def client(instant: InstantClock) -> AsyncIterator[Client]:
    async with live_client(instant) as client:
        yield client


async def ask(net: Internet, doh: StubUpstream) -> Finding:
    source = Fingerprints(net.websites, DnsOverHttps(net.client, doh.url))
    return await source.ask(MODULE, SUBJECT)


async def test_technologies_are_found_with_their_evidence(
    net: Internet, doh: StubUpstream, instant: InstantClock
) -> None:
    net.pages[HOME] = net.pages[HOME]._replace(
        headers={**net.pages[HOME].headers, "cf-ray": "1", "Server": "cloudflare"}
    )
    finding = await ask(net, doh)

    found = {(each.name, each.category): each.evidence for each in finding.read(TechStack).technologies}
    assert found == {
        ("WordPress", "CMS"): ("path /wp-content/", "meta element generator: wordpress"),
        ("Google Tag Manager", "Tag Manager"): ("HTML googletagmanager.com/gtm.js",),
        ("Akamai", "CDN"): ("CNAME record northwind.edgekey.net", "CNAME record e1.dsca.akamaiedge.net"),
        ("Cloudflare", "CDN"): ("header cf-ray", "header server: cloudflare"),
        ("Google Workspace", "Email"): ("MX record aspmx.l.google.com",),
        ("Stripe", "Payments"): ("TXT record stripe-verification=",),
        ("HubSpot", "Marketing Automation"): ("host js.hs-scripts.com",),
        ("Zendesk", "Customer Support"): ("TXT record include:mail.zendesk.com",),
        ("Hotjar", "Session Replay"): ("host static.hotjar.com",),
    }
    assert (finding.source, finding.method, finding.matched_by) == ("fingerprints", Method.SCRAPE, "website")
    assert finding.match_confidence == 1.0
    assert not finding.simulated
    assert finding.citations == (SourceCitation(url=HOME, title="Home page", source="fingerprints", simulated=False),)
    assert 0 <= instant.now() - finding.fetched_at < 10


async def test_it_asks_for_records_of_the_registered_domain_and_of_the_host(net: Internet, doh: StubUpstream) -> None:
    await ask(net, doh)

    assert [received.target for received in doh.received] == [
        "/resolve?name=northwind-loom.example&type=MX",
        "/resolve?name=northwind-loom.example&type=TXT",
        "/resolve?name=www.northwind-loom.example&type=A",
    ]
    assert "(+https://example.com/bot)" in doh.received[0].headers["user-agent"]


@pytest.mark.parametrize("scenario", ["broken", "html", "rate_limited_for_1_day", "reset", "nothing", "wrong_types"])
async def test_without_dns_the_page_is_enough(net: Internet, doh: StubUpstream, scenario: str) -> None:
    doh.scenario = scenario
    names = [each.name for each in (await ask(net, doh)).read(TechStack).technologies]

    assert names == ["WordPress", "Google Tag Manager", "HubSpot", "Hotjar"]


async def test_without_the_page_there_is_no_answer(net: Internet, doh: StubUpstream) -> None:
    """That nothing was seen because nothing was shown would look like that nothing is used."""
    net.pages[HOME] = page("Just a moment", 403, cf_mitigated="challenge")
    with pytest.raises(failures.Blocked):
        await ask(net, doh)

    assert doh.received == []


async def test_a_page_that_shows_nothing_is_an_answer(net: Internet, doh: StubUpstream) -> None:
    net.pages[HOME] = page("<h1>Welcome</h1>")
    doh.answer = lambda _: reply(answers("doh")["none"])

    assert (await ask(net, doh)).read(TechStack) == TechStack(technologies=())


async def test_a_large_page_is_searched_like_any_other(net: Internet, doh: StubUpstream) -> None:
    net.pages[HOME] = page(f"{'<p>text</p>' * 30_000}__NEXT_DATA__")
    technologies = (await ask(net, doh)).read(TechStack).technologies

    assert [each.evidence for each in technologies if each.name == "React"] == [("based on it: Next.js",)]


@pytest.mark.parametrize(
    ("record_type", "data"),
    [
        ("MX", ("aspmx.l.google.com",)),
        ("TXT", ("v=spf1 include:mail.zendesk.com ~all", "stripe-verification=abc")),
        ("CNAME", ("northwind.edgekey.net", "e1.dsca.akamaiedge.net")),
        ("A", ("93.184.216.34",)),
    ],
)
async def test_records_are_read(client: Client, doh: StubUpstream, record_type: RecordType, data: tuple[str]) -> None:
    assert await DnsOverHttps(client, doh.url).look_up("northwind-loom.example", record_type) == data


@pytest.mark.parametrize("sample", ["none", "no_such_name"])
async def test_a_name_may_have_no_records(client: Client, doh: StubUpstream, sample: str) -> None:
    doh.answer = lambda _: reply(answers("doh")[sample])

    assert await DnsOverHttps(client, f"{doh.url}/base").look_up("nobody.example", "MX") == ()
    assert paths(doh.received) == ["/base/resolve"]


@pytest.mark.parametrize(
    ("scenario", "failure"),
    [
        ("unauthorized", failures.Unauthorized),
        ("rate_limited_for_1_day", failures.RateLimited),
        ("broken", failures.UpstreamError),
        ("unavailable", failures.Transient),
        ("html", failures.ParseError),
        ("empty", failures.ParseError),
        ("nothing", failures.ParseError),
        ("nulls", failures.ParseError),
        ("wrong_types", failures.ParseError),
        ("truncated_json", failures.ParseError),
        ("gzip_bomb", failures.ParseError),
        ("oversized", failures.ParseError),
        ("redirect_loop", failures.UpstreamError),
        ("reset", failures.Transient),
        ("cut_off", failures.Transient),
    ],
)
async def test_a_resolver_may_fail(
    client: Client, doh: StubUpstream, scenario: str, failure: type[SourceFailed]
) -> None:
    doh.scenario = scenario
    with pytest.raises(failure) as failed:
        await DnsOverHttps(client, doh.url).look_up("northwind-loom.example", "MX")

    assert type(failed.value) is failure


@pytest.mark.parametrize(("scenario", "seconds"), [("rate_limited", 2), ("rate_limited_for_1_second", 1)])
async def test_a_resolver_is_asked_again_when_it_allows(
    client: Client, doh: StubUpstream, instant: InstantClock, scenario: str, seconds: float
) -> None:
    doh.script.append(scenario)

    assert await DnsOverHttps(client, doh.url).look_up("northwind-loom.example", "MX") == ("aspmx.l.google.com",)
    assert instant.sleeps == [seconds]


async def test_name_servers_may_fail(client: Client, doh: StubUpstream) -> None:
    doh.answer = lambda _: reply(answers("doh")["servers_fail"])
    with pytest.raises(failures.UpstreamError, match="The name servers of the domain fail, with code 2"):
        await DnsOverHttps(client, doh.url).look_up("northwind-loom.example", "MX")


NO_RECORDS = DnsRecords()


def shown(html: str = "", headers: list[tuple[str, str]] | None = None, records: DnsRecords = NO_RECORDS) -> Any:
    """The technologies that a page with these headers and records shows, with their first evidence."""
    markup = read_markup(html, HOME)
    own = Page(url=HOME, html=html, markup=markup, headers=httpx2.Headers(headers or []), fetched_at=0.0)
    return {each.name: (each.evidence or ("",))[0] for each in detect(own, records)}


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://cdn.shopify.com/s/a.js"></script>', {"Shopify": "host cdn.shopify.com"}),
        ('<script src="//static.klaviyo.com/onsite/js/klaviyo.js"></script>', {"Klaviyo": "host static.klaviyo.com"}),
        ('<link rel="preconnect" href="https://app-ab12.marketo.com">', {"Marketo": "host app-ab12.marketo.com"}),
        ('<link rel="canonical" href="https://app-ab12.marketo.com">', {}),
        ('<a href="https://cdn.shopify.com/">Shopify</a>', {}),
        ('<script>load("https://www.clarity.ms/tag/")</script>', {"Microsoft Clarity": "host www.clarity.ms"}),
        ('<script>var partners = ["https://www.segment.io"]</script>', {}),
        ('<script type="application/json">{"a": "https://cdn.shopify.com/"}</script>', {}),
        ('<img src="https://notcdn.shopify.com.elsewhere.example/">', {}),
        ('<iframe src="https://www.youtube.com/embed/a"></iframe>', {"YouTube": "path youtube.com/embed/"}),
        ('<meta name="Generator" content="Drupal 10">', {"Drupal": "meta element generator: drupal"}),
        ("<script>window.__NUXT__={}</script>", {"Nuxt": "HTML __NUXT__", "Vue.js": "based on it: Nuxt"}),
        ('<app ng-version="17.1.0"></app>', {"Angular": 'HTML ng-version="'}),
        ('<form action="https://acme.us1.list-manage.com/subscribe">', {"Mailchimp": "host acme.us1.list-manage.com"}),
        ("<h1>We moved from Magento to Shopify</h1>", {}),
    ],
)  # fmt: skip
def test_a_page_shows_technologies(html: str, found: dict[str, str]) -> None:
    assert shown(html) == found


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("Server", "cloudflare")], {"Cloudflare": "header server: cloudflare"}),
        ([("Server", "nginx")], {}),
        ([("X-Served-By", "cache-fra-1"), ("X-Served-By", "cache-iad-2")], {"Fastly": "header x-served-by: cache-"}),
        ([("X-Served-By", "web-1")], {}),
        ([("Set-Cookie", "_ga=GA1.1"), ("Set-Cookie", "dwsid=a; Secure")],
         {"Google Analytics": "cookie _ga", "Salesforce Commerce Cloud": "cookie dwsid"}),
        ([("Content-Security-Policy", "img-src 'self' *.algolia.net https://*.marketo.com; a static.hotjar.com")],
         {"Algolia": "host algolia.net", "Marketo": "host marketo.com", "Hotjar": "host static.hotjar.com"}),
        ([("Link", '<https://www.northwind-loom.example/wp-json/>; rel="https://api.w.org/"')],
         {"WordPress": "header link: api.w.org"}),
    ],
)  # fmt: skip
def test_headers_show_technologies(headers: list[tuple[str, str]], found: dict[str, str]) -> None:
    assert shown(headers=headers) == found


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ({"mx": ("a.protection.outlook.com",)}, {"Microsoft 365": "MX record a.protection.outlook.com"}),
        ({"mx": ("mx.notgoogle.com",)}, {}),
        ({"txt": ("v=spf1 include:_spf.google.com ~all",)}, {"Google Workspace": "TXT record include:_spf.google.com"}),
        ({"cname": ("shops.myshopify.com",)}, {"Shopify": "CNAME record shops.myshopify.com"}),
    ],
)  # fmt: skip
def test_dns_records_show_technologies(records: dict[str, tuple[str, ...]], found: dict[str, str]) -> None:
    assert shown(records=DnsRecords(**records)) == found


def test_the_evidence_is_limited() -> None:
    hosts = fingerprints()["Marketing Automation"]["HubSpot"].hosts
    html = "".join(f'<script src="https://{host}"></script>' for host in hosts)
    own = Page(url=HOME, html=html, markup=read_markup(html, HOME), headers=httpx2.Headers(), fetched_at=0.0)
    (hubspot,) = detect(own, NO_RECORDS)

    assert len(hosts) > len(hubspot.evidence or ()) == 5


def test_there_are_more_than_a_hundred_technologies_in_the_categories_of_all_sources() -> None:
    known = CORE | SHOP | EXTRA | SHOP_EXTRA
    names = [name for technologies in fingerprints().values() for name in technologies]

    assert len(names) == len(set(names)) > 100
    assert fingerprints().keys() <= known.keys()
    assert CATEGORIES.keys() <= fingerprints().keys()


def test_products_that_could_be_replaced_have_the_category_of_the_playbook() -> None:
    wrong = [
        (name, category)
        for category, technologies in fingerprints().items()
        for name in technologies
        if category in CATEGORIES and (product := find_product(name)) and product.category != category
    ]

    assert wrong == []
    assert sum(find_product(name) in PLAYBOOK for technologies in fingerprints().values() for name in technologies) > 30


def test_signals_are_written_as_they_are_compared() -> None:
    for technologies in fingerprints().values():
        for name, signals in technologies.items():
            lower = [*signals.hosts, *signals.mx, *signals.cname, *(text for pair in signals.headers for text in pair)]
            lower += [text for pair in signals.meta for text in pair]
            assert lower == [text.lower() for text in lower], name
            assert signals != Signals(), name
            for implied in signals.implies:
                assert any(implied in others for others in fingerprints().values())


async def test_a_source_asked_twice_at_once_reads_a_page_once(net: Internet, doh: StubUpstream) -> None:
    await asyncio.gather(ask(net, doh), ask(net, doh))

    assert net.page_urls.count(HOME) == 1


def test_evidence_is_omitted_if_there_is_none() -> None:
    finding = Finding.of(TechStack(technologies=(Technology(name="a", category="CMS"),)), source="any", fetched_at=0.0)

    assert bytes(finding.body) == b'{"simulated":false,"technologies":[{"name":"a","category":"CMS"}]}'
