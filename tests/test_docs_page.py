"""
The page at `/docs`, over HTTP: its files, their size and headers. `test_docs_browser.py` uses it in a browser.
"""

import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from enrichment.settings import Settings
from enrichment.web.docs_page import FOLDER
from service import create_app
from tests.conftest import FakeClock, client_of

FILES = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}


def test_it_is_small_with_all_its_files() -> None:
    assert sum(len(text.encode()) for text in FILES.values()) <= 60_000
    assert max(len(text.splitlines()) for text in FILES.values()) <= 300


def test_it_needs_nothing_from_elsewhere_and_nothing_inline() -> None:
    for name, text in FILES.items():
        assert re.findall(r"https?://|//[a-z]+\.", text) in ([], ["http://"]), name  # the pattern for links in answers
    assert re.findall(r"<script>|<style|style=|\son[a-z]+=|javascript:", FILES["page.html"]) == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_scripts_never_read_text_as_html_or_code(name: str) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|createContextualFragment|\beval\b|Function\("
    )

    assert re.findall(forbidden, FILES[name]) == []


def test_every_file_is_referred_to_and_every_reference_is_a_file() -> None:
    in_page = re.findall(r'"\{up\}docs/([^"]+)"', FILES["page.html"])
    in_scripts = [name for text in FILES.values() for name in re.findall(r'from "\./([^"]+)"', text)]

    assert {*in_page, *in_scripts, "page.html"} == FILES.keys()


async def test_every_file_is_sent_with_its_type_and_a_strict_policy(clock: FakeClock) -> None:
    """Nobody needs a token for them."""
    async with client_of(create_app(Settings(api_tokens=("t",)), clock=clock)) as client:
        page = await client.get("/docs")
        files = {name: await client.get(f"/docs/{name}") for name in FILES if name != "page.html"}

    for answer in (page, *files.values()):
        assert answer.status_code == 200
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-cache"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert files["main.js"].headers["content-type"] == "text/javascript; charset=utf-8"
    assert files["style.css"].headers["content-type"] == "text/css; charset=utf-8"
    assert {name: answer.text for name, answer in files.items()} == {
        name: text for name, text in FILES.items() if name != "page.html"
    }


@pytest.mark.parametrize("path", ["/docs", "/docs/main.js"])
async def test_what_the_browser_has_already_is_not_sent_again(clock: FakeClock, path: str) -> None:
    async with client_of(create_app(Settings(), clock=clock)) as client:
        tag = (await client.get(path)).headers["etag"]
        known = [
            await client.get(path, headers={"if-none-match": text})
            for text in (tag, f'"other", W/{tag}', "*", '"other"')
        ]

    assert [answer.status_code for answer in known] == [304, 304, 304, 200]
    assert [answer.content for answer in known[:3]] == [b""] * 3
    assert known[0].headers["etag"] == tag


@pytest.mark.parametrize("name", ["page.html", "nope.js", "..%2Fdocs_page.py", "%2e%2e/service.py", "{up}"])
async def test_other_names_are_not_found(clock: FakeClock, name: str) -> None:
    async with client_of(create_app(Settings(auth="off"), clock=clock)) as client:
        answer = await client.get(f"/docs/{name}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_its_links_are_right_under_any_mount_with_and_without_a_final_slash(clock: FakeClock) -> None:
    host = Starlette(routes=[Mount("/crm/le ads", app=create_app(Settings(), clock=clock))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://host") as client:
        for path in ("/crm/le ads/docs", "/crm/le ads/docs/"):
            page = await client.get(path)
            for link in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
                assert (await client.get(page.url.join(link))).status_code == 200, link


async def test_docs_off_hides_it(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(docs="off"), clock=clock)) as client:
        hidden = [await client.get(path) for path in ("/docs", "/docs/main.js")]

    assert [(each.status_code, each.json()["code"]) for each in hidden] == [(404, "not_found")] * 2


async def test_its_files_are_read_when_they_are_asked_for(clock: FakeClock) -> None:
    app = create_app(Settings(), clock=clock)
    assert "page_files" not in vars(app.state.documents)
    async with client_of(app) as client:
        await client.get("/docs")

    assert "page_files" in vars(app.state.documents)
