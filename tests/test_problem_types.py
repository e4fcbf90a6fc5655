"""
The catalogue of error answers: it has every code that is raised anywhere, and says what each means.
"""

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount, Route

import enrichment.errors
from enrichment.errors import EnrichmentError
from enrichment.settings import Settings
from enrichment.web.auth import same_site_only
from enrichment.web.boundary import App
from enrichment.web.problem_types import PROBLEM_TYPES
from enrichment.web.problems import STATUS_OF
from service import create_app
from tests.conftest import ROOT, FakeClock

MAKERS: Final = {"ProblemError", "_refused_body"}
"Functions whose first arguments are a status and a code."


def calls(tree: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """Iterate over the calls in a file: the name of the function, and the arguments without a keyword."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node.args


def raised() -> set[tuple[int, str]]:
    """The statuses and codes of all error answers that the code makes."""
    found: set[tuple[int, str]] = set()
    for path in [ROOT / "service.py", *ROOT.glob("enrichment/**/*.py")]:
        for name, arguments in calls(ast.parse(path.read_text())):
            values: list[Any] = [each.value for each in arguments if isinstance(each, ast.Constant)]
            if name in MAKERS and len(values) > 1:
                found.add((values[0], values[1]))
            elif name == "HTTPException":
                found.add((values[0], HTTPStatus(values[0]).name.lower()))
    for error in vars(enrichment.errors).values():
        if isinstance(error, type) and issubclass(error, EnrichmentError) and hasattr(error, "code"):
            found.add((next(STATUS_OF[kind] for kind in error.__mro__ if kind in STATUS_OF), error.code))
    return found


def test_the_catalogue_has_the_codes_that_are_raised_and_no_others() -> None:
    assert len(raised()) > 20
    assert sorted(raised()) == sorted((kind.status, kind.code) for kind in PROBLEM_TYPES.values())


def test_only_functions_whose_calls_are_read_choose_a_code() -> None:
    """A code that is computed could not be found by reading the calls."""
    computed = {
        (path.name, ast.unparse(arguments[1]))
        for path in ROOT.glob("enrichment/**/*.py")
        for name, arguments in calls(ast.parse(path.read_text()))
        if name == "ProblemError" and not isinstance(arguments[1], ast.Constant)
    }

    assert computed == {
        ("bodies.py", "code"),  # in `_refused_body`
        ("problems.py", "error.code"),
        ("problems.py", "status.name.lower()"),  # of an HTTPException
    }


@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_each_code_has_a_title_and_a_meaning(code: str) -> None:
    kind = PROBLEM_TYPES[code]

    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", code) or code == "unauthorized"
    assert re.fullmatch(r"[A-Z][A-Za-z -]+", kind.title)
    assert re.fullmatch(r"[A-Z`].*\.", kind.meaning)


async def test_the_type_is_a_link_below_every_mount(clock: FakeClock) -> None:
    host = Starlette(routes=[Mount("/crm/le ads", app=create_app(Settings(auth="off"), clock=clock))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://host") as client:
        problem = (await client.get("/crm/le ads/nope")).json()

    assert problem["type"] == "/crm/le%20ads/docs#problem-not_found"
    assert problem["title"] == "Not found"


async def test_an_error_that_is_not_ours_has_the_title_of_its_status() -> None:
    """A host may add routes of its own to the app."""

    async def teapot(_: Request) -> None:
        raise HTTPException(418, "I am a teapot.")

    transport = httpx.ASGITransport(App([Route("/tea", teapot)], authorize=same_site_only))
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        problem = (await client.get("/tea")).json()

    assert [problem["type"], problem["title"], problem["code"]] == ["about:blank", "I'm a Teapot", "im_a_teapot"]
