"""
The text for language models: short, complete, true for the settings, and right under a mount.
"""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.web.llms import llms_txt
from enrichment.web.problem_types import PROBLEM_TYPES
from service import ROUTES, create_app
from tests.conftest import FakeClock, client_of

TOKENS = Settings(api_tokens=("t",))


def test_it_names_every_route_module_and_code_in_a_page() -> None:
    text = llms_txt(ROUTES, TOKENS)

    assert len(text.splitlines()) <= 70
    for route in ROUTES:
        # The same is there at a second path, and neither this text nor a page to read is of use to a model.
        if route.path not in ("/campaigns/enrichment", "/llms.txt", "/docs", "/docs/{file}"):
            assert f"{route.path}`" in text or f"{route.path})" in text
    assert all(f"`{name}`" in text for name in (*MODULES, *PROBLEM_TYPES))
    assert "Body: `modules`, `waves`, `force`, `priority`" in text
    assert "Also as `text/event-stream`, `application/x-ndjson`." in text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(), "except to `POST /enrich`, `GET /enrich/{job_id}`, `GET /health`, `GET /ready`."),
        (TOKENS, "except to `GET /health`, `GET /ready`."),
        (Settings(auth="off"), "The host application decides who may call the service."),
    ],
)
def test_it_says_what_takes_a_token(settings: Settings, sentence: str) -> None:
    assert sentence in llms_txt(ROUTES, settings)


async def test_it_is_plain_text(clock: FakeClock) -> None:
    async with client_of(create_app(TOKENS, clock=clock)) as client:
        answer = await client.get("/llms.txt")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "`GET /api/v1/enrich/{domain}/status`" in answer.text


async def test_its_paths_are_right_under_a_mount(clock: FakeClock) -> None:
    host = Starlette(routes=[Mount("/crm/leads", app=create_app(TOKENS, clock=clock))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://host") as client:
        text = (await client.get("/crm/leads/llms.txt")).text

    assert "`POST /crm/leads/api/v1/enrich/{domain}`" in text
    assert "[/crm/leads/openapi.json](/crm/leads/openapi.json)" in text
    assert "{root}" not in text
