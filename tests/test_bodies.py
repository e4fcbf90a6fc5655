"""
Bodies, decoded into the shapes of requests.
"""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Scope

import schemas
from enrichment.web.bodies import body_reader
from enrichment.web.problems import ProblemError


class Anything(schemas.Request, frozen=True):
    """A body with a field of any type."""

    value: Any


def request(*chunks: bytes) -> Request:
    """A request whose body arrives in these pieces."""
    waiting = list(chunks)
    scope: Scope = {"type": "http", "headers": []}

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return Request(scope, receive)


async def refusal(shape: type[schemas.Request], body: bytes) -> ProblemError:
    with pytest.raises(ProblemError) as refused:
        await body_reader(shape)(request(body), 1_000_000)
    return refused.value


async def test_a_whole_float_is_an_integer() -> None:
    """As it is in JSON Schema, and so in the OpenAPI document."""
    read = body_reader(schemas.BatchRequest)
    body = b'{"domains": ["a.com"], "waves": [1.0, 2], "concurrency": 2e1, "priority": null}'

    assert await read(request(body), 1_000) == schemas.BatchRequest(domains=("a.com",), waves=(1, 2), concurrency=20)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"waves": [1.0, 1.5]}', "Expected `int`, got `float` (at #/waves/1)"),
        (b'{"waves": [5.0]}', "Expected `int` <= 4 (at #/waves/0)"),
        (b'{"waves": [1e300]}', "Expected `int` <= 4 (at #/waves/0)"),
        (b'{"modules": [1.5]}', "Expected `str`, got `float` (at #/modules/0)"),
        (b'{"waves": 1.0, "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested too deeply"),
    ],
)
async def test_another_float_is_refused(body: bytes, detail: str) -> None:
    assert detail in (await refusal(schemas.StartRequest, body)).detail


async def test_a_body_arrives_in_pieces() -> None:
    read = await body_reader(schemas.EnrichRequest)(request(b'{"company_', b"", b'domain": "a.com"}'), 100)

    assert read == schemas.EnrichRequest(company_domain="a.com")


@pytest.mark.parametrize("content", [b"", b" \n", b"null", b"{}"])
async def test_a_body_whose_fields_are_all_optional_may_be_missing(content: bytes) -> None:
    assert await body_reader(schemas.RetryRequest)(request(content), 100) == schemas.RetryRequest()
    assert await body_reader(None)(request(content), 100) is None


async def test_a_body_that_is_nested_too_deeply_is_no_json() -> None:
    refused = await refusal(Anything, b'{"value": ' + b"[" * 100_000)

    assert [refused.status, refused.code, refused.detail] == [
        400,
        "malformed_json",
        "The body is not JSON: it is nested too deeply.",
    ]


@pytest.mark.parametrize(
    ("shape", "body", "pointer", "detail"),
    [
        (schemas.StartRequest, b'{"priority": "urgent"}', "#/priority", "possible: low, normal, high."),
        (schemas.StartRequest, b'{"module": []}', "#/module", "Did you mean 'modules'?"),
        (schemas.StartRequest, b'{"modules": ["a", 1]}', "#/modules/1", "Expected `str`, got `int`"),
        (
            schemas.BlueprintRequest,
            b'{"website_url": "a.com", "icp": {"industry": []}}',
            "#/icp/industry",
            "signals, business_models, exclude. Did you mean 'industries'? (at #/icp/industry)",
        ),
        (schemas.BlueprintRequest, b"{}", "#/website_url", "missing required field `website_url`"),
        (schemas.BlueprintRequest, b" ", "#", "The body is empty; it needs website_url."),
    ],
)
async def test_json_of_another_shape_is_refused_with_the_place_and_what_would_be_right(
    shape: type[schemas.Request], body: bytes, pointer: str, detail: str
) -> None:
    refused = await refusal(shape, body)

    assert [refused.status, refused.code] == [422, "invalid_body"]
    assert [error.pointer for error in refused.errors] == [pointer]
    assert detail in refused.detail
