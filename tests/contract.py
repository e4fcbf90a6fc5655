"""
The check that an answer has the shape that the route table gives for it.
"""

from typing import Any, get_args

import httpx
import msgspec
from starlette.routing import Match

import schemas
from enrichment.web.boundary import with_encoded_slashes
from enrichment.web.endpoint import Endpoint
from service import ROUTES


async def check_answer(response: httpx.Response) -> None:
    """Fail the test if a JSON answer of one of our routes has another shape than the row of the route says."""
    media_type = response.headers.get("content-type")
    if media_type == "application/problem+json" and response.request.method != "HEAD":
        assert fits(await response.aread(), schemas.Problem)
    route = route_of(response.request.method, response.request.url)
    if media_type == "application/json" and route and response.request.method != "HEAD":
        assert response.status_code in route.gives
        assert fits(await response.aread(), route.gives[response.status_code]), response.text


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
