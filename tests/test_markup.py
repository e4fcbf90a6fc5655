"""
The reading of web pages: markup, JSON-LD, sitemaps, robots.txt and challenge pages.
"""

import gzip

import httpx2
import pytest

from enrichment.sources import robots, sitemap
from enrichment.sources.challenge import is_challenge
from enrichment.sources.json_ld import MAX_JSON_LD, MAX_OBJECTS, first, read_json_ld, strings, types_of
from enrichment.sources.markup import (
    MAX_JOB_BOARDS,
    MAX_LINKS,
    MAX_TAGS,
    PIECE,
    Link,
    Markup,
    hosts_in,
    job_boards_in,
    parse,
    pieces,
    read_markup,
)
from enrichment.sources.messages import HttpResponse
from tests.websites import WEBSITE

URL = "https://www.northwind-loom.example/"


def home() -> Markup:
    return read_markup((WEBSITE / "home.html").read_text(), URL)


def test_a_page_is_read() -> None:
    markup = home()

    assert markup.title == "Northwind Loom | Industrial weaving machines and spare parts"
    assert markup.language == "en-US"
    assert markup.canonical == URL
    assert markup.meta["generator"] == ("WordPress 6.7",)
    assert markup.meta["og:site_name"] == ("Northwind Loom",)
    assert markup.alternates == {"de-de": f"{URL}de/", "x-default": URL}
    assert markup.headings == ("Weaving machines that never stop", "Spare parts in two days", "Loom retrofit")
    assert markup.links[0] == Link(f"{URL}about-us/", "About us")
    assert markup.links[3] == Link(f"{URL}company/careers", "Careers")
    assert [link for link in markup.links if "mailto" in link.url] == []
    assert markup.resources == (
        "https://www.googletagmanager.com/gtm.js?id=GTM-1",
        "/wp-content/themes/loom/style.css",
        "https://static.hotjar.com",
    )
    assert markup.hosts == {"www.googletagmanager.com", "static.hotjar.com", "js.hs-scripts.com"}
    assert [sorted(types_of(item)) for item in markup.items] == [
        ["Review"],
        ["Corporation", "Organization"],
        ["WebSite"],
    ]
    assert {first(item.get("name")) for item in markup.nested_items} == {None, "US", "Somebody Else"}


def test_a_page_may_be_empty_or_anything() -> None:
    for html in ("", "\0", "plain text", "<", "<html", '{"a": 1}', "<!-- -->", "\ud800"):
        assert read_markup(html, URL).links == ()
    assert read_markup("", URL) == Markup()


def test_nothing_is_read_from_elements_without_content() -> None:
    html = (
        "<html lang><title></title><h1> </h1><meta content><meta name=a content><meta content=b><a href>x</a><link rel>"
    )

    assert read_markup(html, URL) == Markup()


@pytest.mark.parametrize(
    ("base", "href", "url"),
    [
        ("", "/a", "https://www.northwind-loom.example/a"),
        ('<base href="/b/">', "a", "https://www.northwind-loom.example/b/a"),
        ('<base href="javascript:1">', "a", "https://www.northwind-loom.example/a"),
        ("", " //other.example/a ", "https://other.example/a"),
        ("", "http://other.example/a#b", "http://other.example/a"),
    ],
)
def test_links_are_absolute(base: str, href: str, url: str) -> None:
    assert read_markup(f'{base}<a href="{href}" aria-label="text"></a>', URL).links == (Link(url, "text"),)


@pytest.mark.parametrize(
    "href",
    ["", "#", "javascript:void(0)", "tel:1", "http://[", "http://user:password@other.example/", "//", "a" * 2_001],
)
def test_a_link_that_leads_to_no_page_is_none(href: str) -> None:
    links = read_markup(f'<a href="{href}">a</a>', URL).links

    assert links == ((Link(URL, "a"),) if href in ("#", "//") else ())


@pytest.mark.parametrize(
    ("content", "url"),
    [
        ("0; url=/en/", f"{URL}en/"),
        ("3;URL='https://other.example/'", "https://other.example/"),
        ("0", None),
        ("600; url=/again", None),
        ("0; url=", None),
        ("0; url=javascript:1", None),
    ],
)
def test_a_page_may_lead_to_another_on_its_own(content: str, url: str | None) -> None:
    assert read_markup(f'<meta http-equiv="Refresh" content="{content}">', URL).refresh == url


def test_data_in_scripts_names_no_hosts_but_code_does() -> None:
    html = """<script type="application/json">"https://data.example"</script>
    <script type="module">"//code.example"</script>
    <script type="text/javascript">'https:\\/\\/old.example', "https:\\u002F\\u002Fnew.example"</script>"""

    assert read_markup(html, URL).hosts == {"code.example", "old.example", "new.example"}
    assert hosts_in("https://A.Example:8080/b http:/c.example //localhost") == {"a.example"}


@pytest.mark.parametrize(
    ("html", "urls"),
    [
        ('<a href="https://boards.greenhouse.io/acme/jobs/1">', ["https://boards.greenhouse.io/acme"]),
        ('<script src="https://boards.greenhouse.io/embed/job_board/js?for=acme">',
         ["https://boards.greenhouse.io/embed/job_board/js?for=acme"]),
        ('{"u":"https:\\/\\/job-boards.eu.greenhouse.io\\/acme"}', ["https://job-boards.eu.greenhouse.io/acme"]),
        ("jobs.lever.co/acme jobs.eu.lever.co/acme", ["https://jobs.lever.co/acme", "https://jobs.eu.lever.co/acme"]),
        ("jobs.ashbyhq.com/Acme%20Inc", ["https://jobs.ashbyhq.com/Acme%20Inc"]),
        ("https://lever.co/ https://www.greenhouse.io/pricing", []),
    ],
)  # fmt: skip
def test_job_boards_are_found_wherever_they_are(html: str, urls: list[str]) -> None:
    assert list(job_boards_in(html)) == urls


def test_a_page_full_of_job_boards_is_not_searched_to_its_end() -> None:
    html = " ".join(f"jobs.lever.co/company{number}" for number in range(1_000))

    assert len(job_boards_in(html)) == MAX_JOB_BOARDS


def test_a_page_is_read_up_to_a_number_of_tags() -> None:
    """Deeply nested elements take a parser quadratic time."""
    assert len(parse("<x-y>" * 2 * MAX_TAGS).css("x-y")) == MAX_TAGS
    assert len(parse(("<p></p>" + " " * 10) * MAX_TAGS).css("p")) == MAX_TAGS / 2
    assert len(read_markup("<a href=b>" * 2 * MAX_LINKS, URL).links) == MAX_LINKS


def test_formatting_elements_are_not_repeated_in_each_paragraph() -> None:
    """As HTML has it, this page of 40 kB has two million elements."""
    html = "<p>" + "".join(f"<b class={number}>" for number in range(1_000)) + "<P>x" * 2_000

    assert len(parse(html).css("*")) < 5_000
    assert parse("<p>a <STRONG class=b>bold</STRONG> <br><s/>word").css("p")[0].text() == "a bold word"


def test_a_page_is_cut_before_tags_where_it_has_some() -> None:
    html = "<p>" * PIECE + "x" * 2 * PIECE + "<" * 10
    parts = list(pieces(html))

    assert "".join(parts) == html
    assert max(map(len, parts)) <= PIECE
    assert parts[1].startswith("<p>")


@pytest.mark.parametrize(
    "text",
    [
        '{"@type": "A", "name": "b"}',
        '{"@type": "A", "name": "b",}',
        '[{"@type": "A", "name": "b"},\n]',
        '{"@graph": [{"@type": "A", "name": "b"}]}',
        '{"@graph": {"@type": "A", "name": "b"}}',
        '<!-- {"@type": "A", "name": "b"} -->',
        '<![CDATA[ {"@type": "A", "name": "b"} ]]>',
        '//<![CDATA[\n{"@type": "A", "name": "b"}\n//]]>',
        '{"@type": "A", <!-- , the name: --> "name": "b"}',
        '{"@type": "A", // "name": "c"\n "name": "b" /* "d" */ , }',
        '{"@type": "A", "name": "b"};',
        '{"@type": "A", "name": "b", "text": "raw\tand\nline"}',
        '{"@type": "A", "name": "b", "url": "https://c.example/*,}", "n": NaN}',
    ],
)
def test_json_ld_may_be_faulty(text: str) -> None:
    ((item,), _) = read_json_ld([text])

    assert types_of(item) == {"A"}
    assert item["name"] == "b"


@pytest.mark.parametrize(
    "text",
    ["", "null", "false", "7", '"text"', "{", '{"@type": "A"', '{"@type": "A", "b": ' + "[" * 100_000, "[" * 100_000,
     '"\\"' * 10_000, '"\\', "/*" * 10_000, "9" * 10_000, '{"name": "without type"}', "<!-- x", "," * 10_000],
)  # fmt: skip
def test_what_is_no_json_ld_is_nothing(text: str) -> None:
    assert read_json_ld([text]) == ((), ())


def test_json_ld_is_read_up_to_a_size() -> None:
    objects = [{"@type": "A", "b": {"@type": "B"}}] * 2 * MAX_OBJECTS
    items, nested = read_json_ld([str(objects).replace("'", '"')])

    assert (len(items), len(nested)) == (MAX_OBJECTS, MAX_OBJECTS)
    assert read_json_ld([" " * MAX_JSON_LD, '{"@type": "A"}']) == ((), ())


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("a", ["a"]),
        (" a &amp; <b>b</b>\n c ", ["a & b c"]),
        (["a", 7, None, "", ["b"], "c"], ["a", "c"]),
        (None, []),
        (True, []),
        ({"name": "a"}, []),
    ],
)
def test_strings_are_taken_from_what_may_be_anything(value: object, texts: list[str]) -> None:
    assert strings(value) == texts
    assert first(value) == (texts[0] if texts else None)


def test_a_type_may_have_the_address_of_its_vocabulary() -> None:
    assert types_of({"@type": ["https://schema.org/Organization", "schema:Corporation"]}) == {
        "Organization",
        "Corporation",
    }
    assert types_of({"@type": 7}) == frozenset()


def test_a_sitemap_is_read() -> None:
    body = (WEBSITE / "sitemap.xml").read_bytes()
    urls = (
        "http://www.northwind-loom.example/products/loom-retrofit",
        "http://www.northwind-loom.example/p?a=1&b=2",
        "http://www.northwind-loom.example/stories/loom-retrofit",
        "http://elsewhere.example/not-ours",
    )

    assert sitemap.read_sitemap(body) == (urls, False)
    assert sitemap.read_sitemap(gzip.compress(body)) == (urls, False)
    assert sitemap.read_sitemap(gzip.compress(body)[:-200])[1] is False


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\x1f\x8bnothing", b"<loc></loc>", b"<loc>" * 100_000, b"<loc>" + b" " * 900_000]
)
def test_what_is_no_sitemap_has_no_addresses(body: bytes) -> None:
    assert sitemap.read_sitemap(body) == ((), False)


def test_a_packed_sitemap_is_unpacked_up_to_a_size() -> None:
    bomb = gzip.compress(b"<loc>http://a.example/</loc>" + b" " * 50_000_000 + b"<loc>http://b.example/</loc>")

    assert sitemap.read_sitemap(bomb) == (("http://a.example/",), False)


def test_an_index_of_sitemaps_is_one() -> None:
    body = b"<sitemapindex><sitemap><loc>http://a.example/1.xml</loc></sitemap></sitemapindex>"

    assert sitemap.read_sitemap(body) == (("http://a.example/1.xml",), True)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("<html>not a robots.txt</html>", True),
        ("User-agent: *\nDisallow: /private", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\nAllow: /public", True),
        ("User-agent: *\nDisallow: /*/x$\nDisallow: /pub*c", False),
        ("\ufeffUser-agent: *\nDisallow: /", False),
        ("user agent *\ndisallow /", False),
        ("User-agent: lead-enrichment\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: Lead-Enrichment # us\nAllow: /\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: otherbot\nDisallow: /", True),
        ("User-agent: otherbot\nUser-agent: *\nDisallow: /", False),
        ("User-agent: *\nAllow: /\nUser-agent: otherbot\nDisallow: /", True),
    ],
)
def test_robots_txt_says_what_may_be_read(text: str, allowed: bool) -> None:
    assert robots.allows(robots.read_robots(text), "https://a.example/public/x") is allowed


def test_a_robots_txt_of_many_robots_and_rules_is_read() -> None:
    """Its time and memory would be their product."""
    robot = "\x0b".join(f"User-agent: robot{number}" for number in range(5_000))
    rules = "\n".join(f"Disallow: /{number}" for number in range(5_000))

    assert robots.allows(robots.read_robots(f"{robot}\n{rules}"), "https://a.example/1")


@pytest.mark.parametrize(
    ("status", "headers", "body", "challenge"),
    [
        (403, {"cf-mitigated": "challenge"}, b"", True),
        (503, {}, b"<title>Just a moment...</title>", True),
        (403, {}, b'<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page"></script>', True),
        (403, {"x-datadome": "protected"}, b"", True),
        (405, {"x-amzn-waf-action": "captcha"}, b"", True),
        (202, {"x-amzn-waf-action": "challenge"}, b"", True),
        (429, {"x-vercel-mitigated": "challenge"}, b"", True),
        (200, {}, b'<iframe src="/_Incapsula_Resource?x"></iframe>', True),
        (200, {}, b'<h1>Ours</h1><script src="/_Incapsula_Resource?x"></script>', False),
        (200, {}, b"_Incapsula_Resource" + b" " * 30_000, False),
        (200, {"x-datadome": "protected"}, b"<title>Ours</title>", False),
        (200, {}, b'<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>', False),
        (403, {}, b"<h1>Forbidden</h1>", False),
        (403, {"cf-mitigated": "no"}, b"", False),
        (503, {}, b"Maintenance", False),
    ],
)
def test_a_challenge_page_is_told_from_others(
    status: int, headers: dict[str, str], body: bytes, challenge: bool
) -> None:
    response = HttpResponse(status=status, url="", headers=httpx2.Headers(headers), body=body)

    assert is_challenge(response) is challenge
