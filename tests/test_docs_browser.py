"""
The page at `/docs`, used in a browser as people use it: under a mount, and under a strict Content-Security-Policy.

These tests need the package `chromium` of Debian; without it they are skipped, and the summary says so loudly.
"""

import asyncio
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enrichment.settings import Settings
from service import create_app
from tests.browser import CHROMIUM, chromium, open_page
from tests.conftest import serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

STRICT: Final = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
VIEWS: Final = ("", "#operation-make_blueprint", "#schema-BlueprintRequest", "#problem-invalid_domain")
NASTY: Final = {
    "icp": "It's \"5 %\" `$HOME` \\ ü 🙂 \n<b>&amp;</b> ' true",
    "stream": None,
    "refresh": False,
    "offer": "@x",
}


def strictly(app: ASGIApp, prefix: str) -> ASGIApp:
    """The app behind a proxy that removes a prefix and says so to nobody, and that has a strict policy of its own."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("content-security-policy", STRICT)
            await send(message)

        scope = {**scope, "path": scope["path"].removeprefix(prefix), "raw_path": scope["raw_path"][len(prefix) :]}
        await app({**scope, "root_path": ""}, receive, send_with_policy)

    return answer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """
    A host in a thread, with the service at `/crm/leads`, behind a proxy at `/proxy`, slowly at `/slow`, and at `/`.
    """
    tokens = Settings(api_tokens=("demo$1",), simulated_module_seconds=0.5)
    host = Starlette(
        routes=[
            Mount("/crm/leads", app=create_app(tokens)),
            Mount("/proxy", app=strictly(create_app(tokens), "/proxy")),
            Mount("/slow", app=create_app(Settings(auth="off", simulated_module_seconds=30))),
            Mount("/", app=create_app(Settings(auth="off"))),
        ]
    )
    with in_thread(host) as url:
        yield url


@contextmanager
def in_thread(app: ASGIApp) -> Iterator[str]:
    """The app on a socket, in an event loop of its own: the browser's calls block that of the tests."""
    urls: list[str] = []
    is_up, is_done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving(app) as url:
            urls.append(url)
            is_up.set()
            await asyncio.to_thread(is_done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert is_up.wait(10)
    yield urls[0]
    is_done.set()
    thread.join(10)


def authorize(page: Page) -> None:
    page.locator("#token-state").click()
    page.get_by_label("Token").fill("demo$1")
    page.get_by_role("button", name="Use this token").click()
    expect(page.locator("#token-state")).to_have_text("Authorized")


def test_it_lists_all_operations_and_asks_nobody_else(browser: Browser, url: str) -> None:
    with open_page(browser) as (page, faults):
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{url}/docs")
        expect(page.get_by_role("heading", level=1)).to_have_text("Lead enrichment")
        listed = page.locator("nav a .path").all_text_contents()
        document = page.request.get(f"{url}/openapi.json").json()

        assert sorted(listed) == sorted(path for path, methods in document["paths"].items() for _ in methods)
        assert page.locator("#token-state").is_hidden()  # AUTH=off
        assert all(request.startswith(url) for request in requests)
        assert len(requests) > 10
        assert faults == []


@pytest.mark.parametrize("mount", ["/crm/leads", "/proxy"])
def test_a_newcomer_starts_a_job_and_sees_it_complete(browser: Browser, url: str, mount: str) -> None:
    """From the first click, with what stands in the forms."""
    with open_page(browser) as (page, faults):
        page.clock.install()
        page.goto(f"{url}{mount}/docs/")  # a final slash makes no difference
        page.get_by_role("link", name="POST /api/v1/enrich/{domain}", exact=True).first.click()
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".status-line")).to_contain_text("401")
        page.locator(".answer a").filter(has_text="docs#problem-unauthorized").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Unauthorized")
        page.go_back()
        authorize(page)
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".status-line")).to_have_text(re.compile(r"^202 Accepted \d+ ms, \d+ bytes$"))
        page.locator(".answer").get_by_text("Headers", exact=True).click()
        expect(
            page.locator(".answer dd").filter(has_text=f"{mount.replace('/proxy', '')}/api/v1/enrich/")
        ).to_be_visible()
        page.get_by_role("list", name="What can follow").get_by_role("button", name="/status").click()
        assert page.get_by_label("domain").input_value() == "costco.com"
        assert page.get_by_label("job_id").input_value().startswith("enrich_costco_com_")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".answer")).to_contain_text("Sent again in")
        while '"progress_percent": 100' not in page.locator(".answer pre").inner_text():
            page.clock.run_for(1_000)
        expect(page.locator(".answer")).not_to_contain_text("Sent again in")
        expect(page.locator("#announcements")).to_have_text("Answer: 200 OK")
        page.reload()
        expect(page.locator("#token-state")).to_have_text("Authorized")
        assert "demo" not in page.content() + page.url

        assert faults == []


def test_search_narrows_the_list_to_what_has_all_words(browser: Browser, url: str) -> None:
    with open_page(browser) as (page, _):
        page.goto(f"{url}/docs")
        page.get_by_role("heading", level=1).wait_for()
        page.keyboard.press("/")
        page.keyboard.type("cached fresh GET")
        visible = page.locator("nav li:visible")
        expect(visible).to_have_count(1)
        expect(page.locator("#found")).to_have_text("1 entry")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Get which modules are cached")
        assert page.url.endswith("#operation-read_cache")
        assert page.evaluate("document.activeElement.tagName") == "H1"
        page.get_by_label("Search").fill("ttl_remaining_seconds")
        expect(visible).to_have_text(["CachedModule"])
        page.get_by_label("Search").fill("")
        assert visible.count() > 20


def test_links_lead_to_operations_schemas_and_codes(browser: Browser, url: str) -> None:
    problem = httpx.post(
        f"{url}/crm/leads/enrich", headers={"authorization": "Bearer demo$1"}, json={}, trust_env=False
    )
    links = {
        problem.json()["type"]: "Invalid body #",
        "/crm/leads/docs#schema-JobStatus": "JobStatus #",
        "/crm/leads/docs#operation-read_health": "Check that the process is alive #",
        "/crm/leads/docs#%": "Not here",
        "/crm/leads/docs#schema-Job%22%3Cb%3E": "Not here",
    }
    with open_page(browser) as (page, faults):
        for link, heading in links.items():
            page.goto(url + link)
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.locator("main code")).to_have_text('#schema-Job"<b>')
        page.goto(f"{url}/docs#operation-start_enrichment")
        page.get_by_role("link", name="StartedJob").click()
        expect(page).to_have_title("StartedJob · Lead enrichment")
        page.locator("main dl").get_by_role("link", name="JobState").click()
        expect(page).to_have_title("JobState · Lead enrichment")
        expect(page.locator(".type")).to_contain_text("cancelled, completed, failed, queued, running")
        assert page.get_by_role("link", name="Permanent link").get_attribute("href") == "#schema-JobState"
        assert faults == []


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/x-ndjson"])
def test_a_stream_is_shown_as_it_comes(browser: Browser, url: str, media_type: str) -> None:
    with open_page(browser) as (page, faults):
        page.goto(f"{url}/slow/docs#operation-make_blueprint")
        page.get_by_label("Answer as").select_option(media_type)
        page.get_by_role("textbox", name="Body").fill('{"website_url": "a.example"}')
        page.get_by_role("button", name="Send").click()
        events = page.get_by_role("list", name="Events").locator("strong")
        expect(events.first).to_have_text("progress")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()  # the stream goes on
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".answer")).to_contain_text("Stopped.")

        page.goto(f"{url}/docs#operation-make_blueprint")
        page.get_by_label("Answer as").select_option(media_type)
        page.get_by_role("button", name="Send").click()
        expect(events.last).to_have_text("completed")
        assert events.all_text_contents().count("section") == 3
        events.last.click()
        expect(page.locator(".events pre")).to_contain_text('"website": "getuniti.com"')
        assert faults == []


def test_code_says_the_same_as_the_form(browser: Browser, url: str) -> None:
    with open_page(browser, permissions=["clipboard-read", "clipboard-write"]) as (page, faults):
        page.clock.install()
        page.goto(f"{url}/crm/leads/docs#operation-make_blueprint")
        authorize(page)
        page.get_by_text("As code").click()
        for body in (json.dumps(NASTY, indent=2), '{"icp": "\\ud83d\\ude42 \\/ true"}', '{"__proto__": 1}', "@{'\n"):
            page.get_by_role("textbox", name="Body").fill(body)
            code = {}
            for language in ("curl", "Python", "JavaScript"):
                page.get_by_label(language).check()
                assert "demo" not in page.locator("pre").filter(has_text="•••").inner_text()
                page.locator("details[open]").get_by_role("button", name="Copy").click()
                code[language] = page.evaluate("navigator.clipboard.readText()")
                page.clock.run_for(1_500)  # the button says "Copied" for so long
            expected = ("POST", f"{url}/crm/leads/campaigns/enrichment", "Bearer demo$1", as_json(body))
            assert curl_request(code["curl"]) == expected
            assert python_request(code["Python"]) == expected
            assert javascript_request(page, code["JavaScript"]) == expected
        assert faults == []


def test_it_works_where_the_browser_has_no_clipboard_and_no_storage(browser: Browser, url: str) -> None:
    """As on pages that did not come over TLS, and with storage forbidden."""
    without = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    without += "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('forbidden'); } });"
    with open_page(browser) as (page, faults):
        page.add_init_script(without)
        page.goto(f"{url}/crm/leads/docs#operation-start_enrichment")
        authorize(page)
        page.evaluate("document.addEventListener('copy', () => (window.copied = String(getSelection())))")
        page.get_by_role("button", name="Copy path").click()
        expect(page.locator("#announcements")).to_have_text("Copied")

        assert page.evaluate("window.copied") == "/api/v1/enrich/{domain}"
        assert faults == []


def as_json(text: str) -> Any:
    """What the text means as JSON, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def curl_request(code: str) -> tuple[str, str, str, Any]:
    """What a shell passes to curl."""
    done = subprocess.run(
        ["sh", "-c", "curl() { printf '%s\\0' \"$@\"; }\n" + code], capture_output=True, text=True, check=True
    )
    _, _, method, url, *rest = done.stdout.split("\0")[:-1]
    options = list(zip(rest[::2], rest[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    assert headers["Content-Type"] == "application/json"
    return method, url, headers["Authorization"], as_json(dict(options)["--data-raw"])


def python_request(code: str) -> tuple[str, str, str, Any]:
    """What httpx sends."""
    sent: list[httpx.Request] = []

    def request(method: str, url: str, *, timeout: float, **options: Any) -> Any:
        sent.append(httpx.Request(method, url, **options))
        return SimpleNamespace(status_code=200, text="")

    with patch.object(httpx, "request", request):
        exec(code, {})  # noqa: S102  # it is what we test
    (made,) = sent
    assert made.headers["content-type"] == "application/json"
    return made.method, str(made.url), made.headers["authorization"], as_json(made.content.decode())


def javascript_request(page: Page, code: str) -> tuple[str, str, str, Any]:
    """What a browser would fetch."""
    url, options = page.evaluate(
        "async () => { let sent; const fetch = async (...call) => { sent = call; return new Response(''); };"
        f"{code}; return sent; }}"
    )
    return options["method"], url, options["headers"]["Authorization"], as_json(options["body"])


def test_answers_are_text_and_long_ones_are_cut(browser: Browser, url: str) -> None:
    hostile = {"jobs": ["<img src=x onerror=alert(1)>", "javascript:alert(1)", "https://example.com/?q"], "n": 1}
    long = json.dumps({"a": ["x" * 90_000], "b": list(range(500_000))})
    answers = iter([json.dumps(hostile).replace("1}", "1.0e400}"), long, "[" * 5_000, '{"a": "unclosed'])

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=next(answers))

    with open_page(browser) as (page, faults):
        page.goto(f"{url}/docs#operation-list_enrichments")
        page.route("**/api/v1/enrich", answer)
        shown = page.locator(".answer pre")
        page.get_by_role("button", name="Send").click()
        expect(shown).to_contain_text('"<img src=x onerror=alert(1)>",\n    "javascript:alert(1)"')
        expect(shown).to_contain_text('"n": 1.0e400\n}')
        assert page.locator(".answer a").all_text_contents() == ['"https://example.com/?q"']
        assert page.locator(".answer img").count() == 0
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".answer .note")).to_contain_text(f"Copy gives all {len(long):,}.")
        assert len(shown.inner_text()) < 50_000
        page.get_by_role("button", name="Send").click()
        expect(shown).to_contain_text("[\n  [\n    [")
        page.get_by_role("button", name="Send").click()
        expect(shown).to_contain_text("unclosed")
        assert faults == []


def test_an_error_while_it_loads_is_said(browser: Browser, url: str) -> None:
    with open_page(browser) as (page, _):
        page.route("**/openapi.json", lambda route: route.fulfill(status=503))
        page.goto(f"{url}/docs")
        expect(page.get_by_role("alert")).to_contain_text("GET openapi.json was answered 503.")
        page.unroute("**/openapi.json")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Lead enrichment")
        page.route("**/health", lambda route: route.abort())
        page.goto(f"{url}/docs#operation-read_health")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".answer")).to_contain_text("No answer:")


CONTRASTS: Final = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => colour.slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const isSeen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!hasText || !isSeen || element.disabled) continue;
    const both = [rgb(getComputedStyle(element).color), ground(element)].map(luminance).sort((a, b) => b - a);
    found.push([(both[0] + 0.05) / (both[1] + 0.05), element.outerHTML.slice(0, 100)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_both_schemes_and_on_a_phone(browser: Browser, url: str, scheme: str) -> None:
    with open_page(browser, width=320, color_scheme=scheme) as (page, faults):
        for view in VIEWS:
            page.goto(f"{url}/docs{view}")
            page.get_by_role("heading", level=1).wait_for()
            page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
            contrasts = page.evaluate(CONTRASTS)

            assert len(contrasts) > 10
            assert [each for each in contrasts if each[0] < 4.5] == []
            assert page.evaluate("document.documentElement.scrollWidth") == 320
        is_dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 29)"
        assert is_dark == (scheme == "dark")
        menu = page.get_by_role("button", name="Contents")
        menu.click()
        assert menu.get_attribute("aria-expanded") == "true"
        page.get_by_role("navigation").get_by_role("link", name="GET /health").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Check that the process is alive")
        assert page.get_by_role("navigation").is_hidden()
        assert faults == []


def test_it_can_be_used_with_the_keyboard_and_a_screen_reader(browser: Browser, url: str) -> None:
    with open_page(browser) as (page, _):
        page.goto(f"{url}/crm/leads/docs#operation-start_batch")
        page.get_by_role("heading", level=1).wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        assert page.url.endswith("#operation-start_batch")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        for role in ("banner", "navigation", "main"):
            assert page.get_by_role(role).count() == 1
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input, select, textarea, button')].filter((each) =>"
            "!each.labels?.length && !each.textContent.trim() && !each.ariaLabel).map((each) => each.outerHTML)"
        )
        assert unnamed == []
        levels = page.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))"
        )
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        page.locator("#token-state").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("demo$1")
        page.keyboard.press("Enter")
        expect(page.locator("#announcements")).to_have_text("Authorized")
        assert page.evaluate("document.activeElement.textContent") == "Authorized"
        assert page.evaluate("Object.values(sessionStorage)") == ["demo$1"]
        page.get_by_role("textbox", name="Body").press("Tab")
        page.get_by_role("button", name="Send").press("Enter")
        expect(page.locator("#announcements")).to_have_text("Answer: 202 Accepted")
