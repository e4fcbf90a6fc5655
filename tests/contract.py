"""
The check that an answer has the shape that the route table gives for it.
"""

from typing import Any, Final, get_args

import httpx
import msgspec
from starlette.routing import Match

import schemas
from enrichment.settings import Settings
from enrichment.web.boundary import with_encoded_slashes
from enrichment.web.endpoint import Endpoint
from enrichment.web.openapi import HEADERS, problem_codes, tag_of
from enrichment.web.problem_types import PROBLEM_TYPES
from service import ROUTES

ALL_SETTINGS: Final = (Settings(api_tokens=("t",)), Settings(auth="off"))


async def check_answer(response: httpx.Response) -> None:
    """Fail the test if an answer of one of our routes is not one that the row of the route describes."""
    is_json = media_type_of(response).endswith("json") and response.request.method != "HEAD"  # what else may be endless
    content = await response.aread() if is_json else None
    route = route_of(response.request.method, response.request.url)
    if media_type_of(response) == "application/problem+json":
        _check_problem(response, content, route)
    elif route:
        _check_success(response, content, route)


def _check_problem(response: httpx.Response, content: bytes | None, route: Endpoint | None) -> None:
    assert response.is_error
    if content is not None:
        assert fits(content, schemas.Problem), content
        problem = msgspec.json.decode(content, type=schemas.Problem)
        kind = PROBLEM_TYPES[problem.code]
        assert kind.status == problem.status == response.status_code
        assert all(name in response.headers for name in kind.headers)
        assert route is None or problem.code in codes_of(route)


def _check_success(response: httpx.Response, content: bytes | None, route: Endpoint) -> None:
    shape = route.gives[response.status_code]
    names = {"X-Request-ID", *route.sends, *(["Location"] if response.status_code == 202 else [])}
    assert names >= {name for name in HEADERS if name in response.headers}
    assert media_type_of(response) in ((route.media_type, *route.also) if shape else ("",))
    if content is not None and media_type_of(response) == "application/json":
        assert fits(content, shape), content


def media_type_of(response: httpx.Response) -> str:
    """The media type of the answer, without parameters."""
    media_type: str = response.headers.get("content-type", "")
    return media_type.partition(";")[0]


def codes_of(route: Endpoint) -> set[str]:
    """The codes of the error answers that the route gives with any settings."""
    hidden = {"not_found"} if tag_of(route) == "documents" else set()  # with DOCS=off, which hides this, too
    return hidden.union(*(problem_codes(route, settings) for settings in ALL_SETTINGS))


def route_of(method: str, url: httpx.URL) -> Endpoint | None:
    """The row that answers the request, if there is one."""
    raw_path = url.raw_path.partition(b"?")[0]
    scope = with_encoded_slashes({"type": "http", "method": method, "path": url.path, "raw_path": raw_path})
    return next((route for route in ROUTES if route.matches(scope)[0] is Match.FULL), None)


def fits(content: bytes, shape: Any) -> bool:
    """
    Whether the JSON is of the shape, or of one of a union.

    It has to encode to the same bytes again, so a field that the shape does not have is found as well.
    """
    return any(_fits(content, each) for each in get_args(shape) or (shape,))


def _fits(content: bytes, shape: type[msgspec.Struct]) -> bool:
    try:
        return msgspec.json.encode(msgspec.json.decode(content, type=shape)) == content
    except msgspec.ValidationError:
        return False
