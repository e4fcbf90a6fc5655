"""
Companies' websites: how they are found, what may be read of them, and how often it is read.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from enrichment.errors import SourceFailed
from enrichment.sources import failures
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.markup import read_markup
from enrichment.sources.page_cache import SECONDS, PageCache
from enrichment.sources.page_kinds import Kind
from enrichment.sources.site_facts import Address, SiteFacts, SiteMatch, match_site, merge, read_facts
from tests.conftest import FakeClock
from tests.upstreams import InstantClock, Reply, trust_the_authority
from tests.websites import ADDRESS, Internet, internet, moved, northwind, page

HOME = "http://www.northwind-loom.example/"
OWN = SiteMatch(matched_by="website", confidence=1.0)
DENIED = Reply(b"User-agent: *\nDisallow: /", headers={"content-type": "text/plain"})


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def net(instant: InstantClock) -> AsyncIterator[Internet]:
    async with internet(instant, northwind()) as net:
        yield net


@pytest.fixture(autouse=True)
def few_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else each client loads those of all authorities, which takes most of the time of these tests."""
    trust_the_authority(monkeypatch, tmp_path)


async def test_a_website_states_facts_about_its_company(net: Internet) -> None:
    assert await net.websites.site_facts("northwind-loom.example") == SiteFacts(
        url=HOME,
        pages=(HOME, f"{HOME}about-us/"),
        name="Northwind Loom",
        legal_name="Northwind Loom, Inc.",
        description="Maker of weaving machines & spare parts.",
        founded=1987,
        address=Address(street="1 Mill Road", city="Lowell", region="MA", postal_code="01850", country="US"),
        employees=1_240,
        naics="333248",
        ticker_symbol="NWLM",
        same_as=(
            "https://www.linkedin.com/company/northwind-loom",
            "https://x.com/northwindloom",
            "https://www.youtube.com/@northwindloom",
            "https://github.com/northwind-loom",
        ),
        job_boards=("https://boards.greenhouse.io/northwindloom",),
        matched_by="website",
        match_confidence=1.0,
    )


async def test_it_is_read_over_http_if_https_does_not_work_and_each_host_once_a_second(net: Internet) -> None:
    await net.websites.site_facts("northwind-loom.example")

    assert net.sockets.dialled[:4] == [(ADDRESS, 443)] * 3 + [(ADDRESS, 80)]
    assert net.urls == [
        "http://northwind-loom.example/robots.txt",
        "http://northwind-loom.example/",
        f"{HOME}robots.txt",
        HOME,
        f"{HOME}about-us/",
    ]
    for host in ("http://northwind-loom", "http://www"):
        times = [moment for url, moment in net.requests if url.startswith(host)]
        assert min(later - earlier for earlier, later in pairwise(times)) >= 1
    assert "lead-enrichment/" in net.stub.received[0].headers["user-agent"]
    assert "(+https://example.com/bot)" in net.stub.received[0].headers["user-agent"]


async def test_a_website_may_be_under_www_only(net: Internet) -> None:
    del net.pages["http://northwind-loom.example/"]
    net.pages["https://www.northwind-loom.example/"] = Reply()  # nothing listens there
    with pytest.raises(failures.HostNotFound):
        await net.websites.site("northwind-loom.example")

    assert (ADDRESS, 443) in net.sockets.dialled


async def test_a_home_page_may_lead_to_another_on_its_own(net: Internet) -> None:
    net.pages["http://northwind-loom.example/"] = page(f'<meta http-equiv="refresh" content="0; url={HOME}">')

    assert (await net.websites.site("northwind-loom.example")).home.url == HOME


async def test_a_domain_without_addresses_has_no_website(net: Internet) -> None:
    for _ in range(2):
        with pytest.raises(failures.HostNotFound):
            await net.websites.site("nobody.nowhere.example")

    assert net.sockets.dialled == []


@pytest.mark.parametrize(
    ("location", "failure"),
    [
        ("http://127.0.0.1:{port}/", failures.AddressRefused),
        ("http://169.254.169.254/latest/meta-data/", failures.AddressRefused),
        ("http://localhost/", failures.AddressRefused),
        ("http://[::1", failures.AddressRefused),
        ("http://user:password@northwind-loom.example/", failures.AddressRefused),
        ("file:///etc/passwd", failures.AddressRefused),
        ("http://northwind-loom.example:8080/", failures.AddressRefused),
        ("/", failures.UpstreamError),
        ("http://northwind-loom.example/again", failures.UpstreamError),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_a_failure(
    net: Internet, location: str, failure: type[SourceFailed]
) -> None:
    target = location.format(port=net.stub.url.rpartition(":")[2])
    net.pages = {f"http://northwind-loom.example{path}": moved(target) for path in ("/", "/again")}
    with pytest.raises(failure):
        await net.websites.site("northwind-loom.example")

    assert {address for address, _ in net.sockets.dialled} == {ADDRESS}
    assert len(net.page_urls) <= 6


@pytest.mark.parametrize(
    ("reply", "failure", "reason"),
    [
        (Reply(b"{}"), failures.ParseError, "It is not a web page."),
        (Reply(b"<title>a</title>", headers={}), failures.ParseError, "It is not a web page."),
        (page("Just a moment", 403, cf_mitigated="challenge"), failures.Blocked, "It answers with a challenge page"),
        (page("<title>Just a moment...</title>", 503), failures.Blocked, "It answers with a challenge page"),
        (page("Forbidden", 403), failures.Blocked, "It refuses access, with status 403."),
        (page("Who are you?", 401), failures.Blocked, "It refuses access, with status 401."),
        (page("Nothing", 404), failures.NotFound, "It has no such page."),
        (page("Gone", 410), failures.NotFound, "It has no such page."),
        (page("Teapot", 418), failures.BadRequest, "It does not accept the request, with status 418."),
        (page("Broken", 500), failures.UpstreamError, "It answered with status 500."),
        (page("Later", 503), failures.Transient, "It answered with status 503."),
        (page("Slow down", 429, retry_after="86400"), failures.RateLimited, "It allows the next request in"),
        (page("x" * 2_200_000), failures.ParseError, "Its answer is larger than 2097152 bytes."),
        (moved("http://[")._replace(headers={}), failures.BadRequest, "It does not accept the request"),
    ],
)  # fmt: skip
async def test_a_website_may_be_closed_or_out_of_order(
    net: Internet, reply: Reply, failure: type[SourceFailed], reason: str
) -> None:
    net.pages[HOME] = reply
    with pytest.raises(failure, match=reason) as failed:
        await net.websites.page(HOME)

    assert type(failed.value) is failure


@pytest.mark.parametrize("scenario", ["reset", "cut_off", "gzip_bomb", "not_gzip", "oversized", "endless_headers"])
async def test_a_broken_connection_or_body_is_a_failure(net: Internet, scenario: str) -> None:
    net.stub.scenario = scenario
    with pytest.raises(SourceFailed):
        await net.websites.site("northwind-loom.example")


async def test_a_website_that_does_not_answer_takes_no_longer_than_the_caller_has(clock: FakeClock) -> None:
    async with internet(clock, northwind()) as net:
        net.stub.scenario = "hang"
        context = CallContext(clock=clock)
        CONTEXT.set(context)

        async def ask() -> None:
            async with context.limit(9):
                await net.websites.site("northwind-loom.example")

        started, task = clock.now(), asyncio.create_task(ask())
        while not task.done():
            await asyncio.sleep(0.001)
            await clock.advance(0.05)

    assert isinstance(task.exception(), failures.Transient | TimeoutError)
    assert clock.now() - started < 9 + 2.5  # and the seconds in which it waited for its turns, in steps of the clock


@pytest.mark.parametrize(
    ("content_type", "body", "title"),
    [
        ("text/html; charset=iso-8859-1", b"<title>\xe9</title>", "é"),
        ("text/html", b"<meta charset=windows-1251><title>\xcf</title>", "П"),
        ("TEXT/HTML", "<title>é</title>".encode(), "é"),
        ("application/xhtml+xml", "<title>é</title>".encode(), "é"),
        ("text/html; charset=idna", "<meta charset=punycode><title>é</title>".encode(), "é"),
        ("text/html; charset=utf-16", "<title>é</title>".encode("utf-16"), "é"),
        ("text/html", b"\xff\xfe", None),
    ],
)
async def test_a_page_is_read_in_its_encoding(net: Internet, content_type: str, body: bytes, title: str | None) -> None:
    net.pages[HOME] = Reply(body, headers={"content-type": content_type})

    assert (await net.websites.page(HOME)).markup.title == title


async def test_a_large_page_is_read_like_any_other(net: Internet) -> None:
    net.pages[HOME] = page("<title>large</title>" + "<p>text</p>" * 100_000)

    assert (await net.websites.page(HOME)).markup.title == "large"


class TestRobots:
    """robots.txt is obeyed for each address, also for those that redirects lead to."""

    async def test_a_website_that_forbids_it_is_not_read(self, net: Internet) -> None:
        net.pages["http://northwind-loom.example/robots.txt"] = DENIED
        for _ in range(2):
            with pytest.raises(failures.Blocked, match="does not allow this page"):
                await net.websites.site("northwind-loom.example")

        assert net.urls == ["http://northwind-loom.example/robots.txt"]

    async def test_what_a_redirect_leads_to_may_be_forbidden(self, net: Internet) -> None:
        net.pages[f"{HOME}robots.txt"] = DENIED
        with pytest.raises(failures.Blocked):
            await net.websites.site("northwind-loom.example")

        assert net.page_urls == ["http://northwind-loom.example/"]

    async def test_a_page_may_be_forbidden(self, net: Internet) -> None:
        net.pages[f"{HOME}robots.txt"] = DENIED._replace(body=b"User-agent: *\nDisallow: /company/")
        site = await net.websites.site("northwind-loom.example")
        with pytest.raises(failures.Blocked):
            await net.websites.find(site, "careers")

        assert f"{HOME}company/careers" not in net.urls

    async def test_it_may_be_at_another_address(self, net: Internet) -> None:
        net.pages["http://northwind-loom.example/robots.txt"] = moved(f"{HOME}robots.txt")
        net.pages[f"{HOME}robots.txt"] = DENIED
        with pytest.raises(failures.Blocked):
            await net.websites.site("northwind-loom.example")

        assert net.page_urls == []

    @pytest.mark.parametrize("reply", [page("Forbidden", 403), page("No", 400), page("<h1>Welcome</h1>"), Reply(b"")])
    async def test_without_it_everything_is_allowed(self, net: Internet, reply: Reply) -> None:
        net.pages["http://northwind-loom.example/robots.txt"] = reply

        assert (await net.websites.site("northwind-loom.example")).home.url == HOME

    @pytest.mark.parametrize(
        ("reply", "failure"),
        [
            (page("Broken", 500), failures.UpstreamError),
            (page("Later", 503), failures.Transient),
            (page("Slow down", 429, retry_after="86400"), failures.RateLimited),
            (page("", 403, cf_mitigated="challenge"), failures.Blocked),
        ],
    )
    async def test_if_it_cannot_be_read_nothing_is(
        self, net: Internet, reply: Reply, failure: type[SourceFailed]
    ) -> None:
        net.pages["http://northwind-loom.example/robots.txt"] = reply
        with pytest.raises(failure):
            await net.websites.site("northwind-loom.example")

        assert net.page_urls == []

    async def test_only_the_beginning_of_a_long_one_is_read(self, net: Internet) -> None:
        net.pages["http://northwind-loom.example/robots.txt"] = DENIED._replace(body=b"#" * 3_000_000 + DENIED.body)

        assert (await net.websites.site("northwind-loom.example")).home.url == HOME


class TestCache:
    """What several modules need is read once."""

    async def test_modules_share_pages(self, net: Internet) -> None:
        await asyncio.gather(*(net.websites.site_facts("northwind-loom.example") for _ in range(5)))
        await net.websites.site_facts("northwind-loom.example")

        assert len(net.urls) == len(set(net.urls)) == 5

    async def test_pages_are_read_again_after_some_time(self, net: Internet, instant: InstantClock) -> None:
        await net.websites.page(HOME)
        await instant.sleep(SECONDS + 1)
        await net.websites.page(HOME)

        assert net.page_urls == [HOME, HOME]

    async def test_a_failure_that_may_pass_is_not_kept(self, net: Internet) -> None:
        net.pages[HOME] = page("Broken", 500)
        with pytest.raises(failures.UpstreamError):
            await net.websites.page(HOME)
        net.pages[HOME] = page("<title>a</title>")

        assert (await net.websites.page(HOME)).markup.title == "a"

    async def test_if_the_first_is_cancelled_the_next_reads(self, clock: FakeClock) -> None:
        cache, began = PageCache(clock), asyncio.Event()

        async def hang() -> str:
            began.set()
            await asyncio.Event().wait()
            return "never"

        async def answer() -> str:
            return "answer"

        context = CallContext(clock=clock)
        CONTEXT.set(context)
        first = asyncio.create_task(cache.get("key", hang))
        await began.wait()
        second = asyncio.create_task(cache.get("key", answer))
        async with context.limit(10):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await clock.advance(60)  # waiting for another module does not count

            assert context.time_left() == 10
            first.cancel()
            with suppress(asyncio.CancelledError):
                await first

            assert await second == "answer"

    async def test_it_does_not_grow_without_end(self, clock: FakeClock) -> None:
        cache, made = PageCache(clock, max_bytes=10_000), []

        async def get(key: str) -> str:
            async def make() -> str:
                made.append(key)
                return key

            return await cache.get(key, make, lambda _: 2_000)

        for key in ("a", "b", "c", "d", "a", "e", "a", "e"):
            assert await get(key) == key

        assert made == ["a", "b", "c", "d", "e", "a"]
        assert len(cache._entries) == 4
        assert cache._bytes <= 10_000
        assert not cache._locks

    async def test_what_is_too_large_is_not_kept(self, clock: FakeClock) -> None:
        cache = PageCache(clock, max_bytes=100)

        async def make() -> str:
            return "large"

        assert await cache.get("key", make) == "large"
        assert (len(cache._entries), cache._bytes) == (0, 0)


class TestFind:
    """A page about something is found by a link, by the sitemap, or where it usually is."""

    @pytest.mark.parametrize(
        ("links", "url"),
        [
            ('<a href="/x/about-us.html">A</a><a href="/about">B</a>', "about"),
            ('<a href="/deep/down/about">A</a><a href="/about_us">B</a>', "deep/down/about"),
            ('<a href="/a1">About us</a>', "a1"),
            ('<a href="http://about.northwind-loom.example/company">C</a>', "http://about.northwind-loom.example/company"),
            ('<a href="http://elsewhere.example/about">A</a>', "about"),
            ('<a href="/gone/about">A</a><a href="/about-us">B</a>', "about-us"),
            ('<a href="/pdf/about">A</a><a href="/about-us">B</a>', "about-us"),
            ('<a href="/moved/about">A</a><a href="/about-us">B</a>', "about-us"),
            ("", "about"),
        ],
    )  # fmt: skip
    async def test_the_best_link_is_followed(self, net: Internet, links: str, url: str) -> None:
        found = page("<title>found</title>")
        own = ("x/about-us.html", "about", "deep/down/about", "about_us", "a1", "about-us")
        net.pages = {f"{HOME}{path}": found for path in own} | {
            HOME: page(f"<h1>Home</h1>{links}"),
            "http://about.northwind-loom.example/company": found,
            f"{HOME}pdf/about": Reply(),
            f"{HOME}moved/about": moved("http://elsewhere.example/"),
            "http://elsewhere.example/": page("Elsewhere"),
            "http://elsewhere.example/about": page("Elsewhere"),
        }
        site = await net.websites.site("www.northwind-loom.example")
        about = await net.websites.find(site, "about")

        assert about
        assert about.url == (url if "://" in url else f"{HOME}{url}")

    @pytest.mark.parametrize(("kind", "path"), [("careers", "jobs"), ("newsroom", "press"), ("about", "about")])
    async def test_without_links_it_is_where_it_usually_is(self, net: Internet, kind: Kind, path: str) -> None:
        net.pages = {HOME: page("<h1>Home</h1>"), f"{HOME}{path}": page("found")}
        site = await net.websites.site("www.northwind-loom.example")
        found = await net.websites.find(site, kind)

        assert found
        assert found.url == f"{HOME}{path}"

    async def test_the_sitemap_may_have_it(self, net: Internet) -> None:
        sitemap = Reply(f"<loc>{HOME}a/karriere</loc>".encode(), headers={})
        net.pages = {HOME: page(""), f"{HOME}sitemap.xml": sitemap, f"{HOME}a/karriere": page("Jobs")}
        site = await net.websites.site("www.northwind-loom.example")
        found = await net.websites.find(site, "careers")

        assert found
        assert found.url == f"{HOME}a/karriere"

    async def test_a_website_of_one_page_has_no_others(self, net: Internet) -> None:
        net.pages = {HOME: page(""), f"{HOME}about": moved("/")}
        site = await net.websites.site("www.northwind-loom.example")

        assert await net.websites.find(site, "about") is None

    async def test_facts_are_stated_on_the_home_page_alone_if_the_other_is_closed(self, net: Internet) -> None:
        net.pages[f"{HOME}about-us/"] = page("Forbidden", 403)
        facts = await net.websites.site_facts("northwind-loom.example")

        assert (facts.name, facts.founded, facts.pages) == ("Northwind Loom", None, (HOME,))


class TestSitemap:
    """The addresses of a website's pages."""

    async def read(self, net: Internet) -> list[str]:
        net.pages.setdefault(HOME, page("<h1>Home</h1>"))
        site = await net.websites.site("www.northwind-loom.example")
        return [url.removeprefix(HOME) for url in await net.websites.sitemap(site)]

    async def test_it_has_a_usual_place(self, net: Internet) -> None:
        assert await self.read(net) == ["products/loom-retrofit", "p?a=1&b=2", "stories/loom-retrofit"]

    async def test_robots_txt_names_its_place(self, net: Internet) -> None:
        lines = b"Sitemap: http://elsewhere.example/map.xml\nSitemap: http://www.northwind-loom.example/map.xml.gz"
        net.pages = {
            f"{HOME}robots.txt": Reply(lines),
            f"{HOME}map.xml.gz": Reply(gzip.compress(f"<loc>{HOME}a</loc>".encode())),
        }

        assert await self.read(net) == ["a"]

    async def test_it_may_be_an_index(self, net: Internet) -> None:
        index = f"<sitemapindex><loc>{HOME}posts.xml</loc><loc>{HOME}pages.xml</loc>"
        net.pages = {
            f"{HOME}sitemap.xml": Reply(index.encode()),
            f"{HOME}pages.xml": Reply(f"<loc>{HOME}b</loc>".encode()),
        }

        assert await self.read(net) == ["b"]

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(b"<sitemapindex>"),
            Reply(b"<sitemapindex><loc>http://elsewhere.example/a.xml</loc>"),
            Reply(b"No", 404),
            Reply(b"Broken", 500),
            page("<h1>Not a sitemap</h1>"),
        ],
    )
    async def test_it_may_be_missing(self, net: Internet, reply: Reply) -> None:
        net.pages = {f"{HOME}sitemap.xml": reply}

        assert await self.read(net) == []

    async def test_only_the_beginning_of_a_long_one_is_read(self, net: Internet) -> None:
        long = f"<loc>{HOME}a</loc>".encode() + b" " * 3_000_000 + f"<loc>{HOME}b</loc>".encode()
        net.pages = {f"{HOME}sitemap.xml": Reply(long)}

        assert await self.read(net) == ["a"]


@pytest.mark.parametrize(
    ("domain", "url", "html", "matched_by", "confidence"),
    [
        ("acme.example", "https://acme.example/", "", "website", 1.0),
        ("acme.example", "https://www.acme.example/en/start", "", "website", 1.0),
        ("shop.acme.example", "https://acme.example/", "", "website", 1.0),
        ("acme.example", "https://acme.test/products", "", "redirect to acme.test", 0.9),
        ("acme.example", "https://bigger.example/", "", "redirect to bigger.example", 0.7),
        ("acme.example", "https://bigger.example/en-us/index.html", "", "redirect to bigger.example", 0.7),
        ("acme.example", "https://acme.example/", "<link rel=canonical href=//b.acme.example/>", "website", 1.0),
        ("acme.example", "https://acme.example/", '<link rel="canonical" href="https://theme.example/">',
         "website, whose canonical address is on another domain", 0.8),
        ("sedo.com", "https://sedo.com/", "", "website", 1.0),
    ],
)  # fmt: skip
def test_a_website_is_matched_with_its_domain(
    domain: str, url: str, html: str, matched_by: str, confidence: float
) -> None:
    assert match_site(domain, url, read_markup(html, url)) == SiteMatch(matched_by=matched_by, confidence=confidence)


@pytest.mark.parametrize(
    ("url", "html", "reason"),
    [
        ("https://facebook.com/acme", "", "Its domain leads to a page of another website, facebook.com."),
        ("https://bigger.example/brands/acme", "", "Its domain leads to a page of another website, bigger.example."),
        ("https://www.hugedomains.com/", "", "Its domain is not in use"),
        ("https://acme.example/", "<title>acme.example: this domain is for sale!</title>", "Its domain is not in use"),
        ("https://acme.example/", "<h2>Buy this domain</h2>", "Its domain is not in use"),
        ("https://acme.example/", '<script src="//img.sedoparking.com/a.js"></script>', "Its domain is not in use"),
    ],
)  # fmt: skip
def test_a_page_of_somebody_else_is_not_the_website(url: str, html: str, reason: str) -> None:
    with pytest.raises(failures.NotFound, match=reason):
        match_site("acme.example", url, read_markup(html, url))


def facts_of(html: str) -> SiteFacts:
    url = "https://www.acme-rockets.example/"
    return read_facts(read_markup(html, url), url, OWN)


def facts_in(json: str) -> SiteFacts:
    return facts_of(f'<script type="application/ld+json">{json}</script>')


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ('<meta property="og:site_name" content="Acme">', "Acme"),
        ('<meta name="application-name" content="Acme app">', "Acme app"),
        ('<script type="application/ld+json">{"@type": "WebSite", "name": "Acme site"}</script>', "Acme site"),
        ("<title>Home - Acme Rockets</title>", "Acme Rockets"),
        ("<title>Acme Rockets: engines</title>", "Acme Rockets"),
        ("<title>Welcome to our site</title>", None),
        ("", None),
    ],
)
def test_the_name_of_a_company_is_found(html: str, name: str | None) -> None:
    assert facts_of(html).name == name


@pytest.mark.parametrize(
    ("json", "name"),
    [
        ('{"@type": "Organization", "name": "Acme"}', "Acme"),
        ('{"@type": "Organization", "name": "Other", "url": "https://other.example"}', None),
        ('{"@type": "Organization", "name": "Acme", "url": "https://acme-rockets.example/about"}', "Acme"),
        ('{"@type": "Organization", "name": "Acme", "url": "/", "@id": "#org"}', "Acme"),
        ('{"@type": "WebPage", "publisher": {"@type": "Organization", "name": "Other"}}', None),
        ('{"@type": "WebPage", "author": {"@type": "NGO", "name": "B", "url": "https://acme-rockets.example"}}', "B"),
        ('[{"@type": "NGO", "name": "A"}, {"@type": "NGO", "name": "B", "url": "https://acme-rockets.example"}]', "B"),
        ('{"@type": "Person", "name": "Ann"}', None),
        ('{"@type": "Organization", "name": "Acme", "url": "http://["}', "Acme"),
        ('{"@type": "Organization", "name": null}', None),
        ('{"@type": "Organization", "name": 7}', None),
    ],
)  # fmt: skip
def test_the_company_is_told_from_other_organizations(json: str, name: str | None) -> None:
    assert facts_in(json).name == name


@pytest.mark.parametrize(
    ("value", "employees"),
    [
        ("7", 7), ('"7"', 7), ('"1,240 "', 1_240), ("12.0", 12), ('{"value": 5}', 5), ('{"value": "5"}', 5),
        ('{"minValue": 5, "maxValue": 5}', 5), ('{"minValue": 5, "maxValue": 9}', None), ('{"minValue": 5}', None),
        ("0", None), ("-3", None), ("true", None), ("null", None), ('"many"', None), ('"50-100"', None), ("[]", None),
        ("1e400", None), ('"99999999999"', None), ('"\u0663"', None),
    ],
)  # fmt: skip
def test_a_number_of_employees_is_exact_or_unknown(value: str, employees: int | None) -> None:
    assert facts_in(f'{{"@type": "Organization", "numberOfEmployees": {value}}}').employees == employees


@pytest.mark.parametrize(
    ("value", "founded"),
    [('"1998"', 1998), ('"1998-04-01"', 1998), ('"May 2004"', 2004), ("1998", 1998), ('"98"', None), ("null", None)],
)
def test_a_company_is_founded_in_a_year(value: str, founded: int | None) -> None:
    assert facts_in(f'{{"@type": "Organization", "foundingDate": {value}}}').founded == founded


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ('{"addressLocality": "Lowell", "addressCountry": "US"}', Address(city="Lowell", country="US")),
        ('[null, {"@type": "PostalAddress"}, {"addressRegion": "MA"}]', Address(region="MA")),
        ('"1 Mill Road, Lowell"', None),
        ("null", None),
    ],
)
def test_an_address_is_read_as_far_as_it_is_given(value: str, address: Address | None) -> None:
    assert facts_in(f'{{"@type": "Organization", "address": {value}}}').address == address


def test_only_links_to_profiles_are_kept() -> None:
    html = """<script type="application/ld+json">{"@type": "NGO", "sameAs": ["https://w.example/a", "no", 7]}</script>
    <a href="https://www.linkedin.com/">a</a><a href="https://www.linkedin.com/company/b">b</a>
    <a href="https://linkedin.com/in/c">c</a><a href="https://elsewhere.example/d">d</a>"""

    assert facts_of(html).same_as == ("https://w.example/a", "https://www.linkedin.com/company/b")


def test_facts_of_two_pages_are_merged() -> None:
    first = SiteFacts(url="a", pages=("a",), name="A", same_as=("x",), matched_by="website", match_confidence=1.0)
    second = SiteFacts(
        url="b", pages=("b",), name="B", founded=1999, same_as=("x", "y"), matched_by="no", match_confidence=0.5
    )

    assert merge(first, second) == SiteFacts(
        url="a",
        pages=("a", "b"),
        name="A",
        founded=1999,
        same_as=("x", "y"),
        matched_by="website",
        match_confidence=1.0,
    )
