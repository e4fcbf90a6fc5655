"""
Blueprints over HTTP: the request as a brief, and the events of a run as a response or a stream.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request

import schemas
from enrichment.blueprint.making import BlueprintEvent, Brief
from enrichment.domains import website_domain
from enrichment.errors import BlueprintFailed, EnrichmentError
from enrichment.web.bodies import read_json
from enrichment.web.problems import Refusal, problem_of
from enrichment.web.streams import NDJSON, SSE, NamedEvent

REQUEST: Final = msgspec.json.Decoder(schemas.BlueprintRequest)
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False, "": None}

Events = AsyncGenerator[BlueprintEvent, None]


async def read_request(request: Request, *, limit: int) -> schemas.BlueprintRequest:
    """
    Read the body of a POST, or the query of a GET, because a browser's `EventSource` can only send GET.

    Raises `Refusal`.
    """
    if request.method == "POST":
        body = await read_json(request, REQUEST, limit=limit)
        flag = _flag(request, "stream")
        return msgspec.structs.replace(body, stream=flag if body.stream is None else body.stream)
    query = request.query_params
    values = {name: query[name] for name in ("website_url", "icp", "offer") if name in query}
    try:
        body = msgspec.convert(values, schemas.BlueprintRequest)
    except msgspec.ValidationError as error:
        raise Refusal(422, "invalid_query", str(error)) from None
    return msgspec.structs.replace(body, stream=_flag(request, "stream"), refresh=_flag(request, "refresh"))


def brief_of(body: schemas.BlueprintRequest) -> Brief:
    """Build the brief. Blank texts count as not given."""
    if isinstance(body.icp, schemas.IcpObject):
        fields = msgspec.structs.asdict(body.icp)
        given = {name: text for name, value in fields.items() if (text := _without_blanks(value))}
        icp: str | schemas.IcpObject | None = msgspec.convert(given, schemas.IcpObject) if given else None
    else:
        icp = (body.icp or "").strip() or None
    domain = website_domain(body.website_url, pointer="#/website_url")
    return Brief(domain=domain, icp=icp, offer=(body.offer or "").strip() or None)


def media_type(request: Request, body: schemas.BlueprintRequest) -> str | None:
    """The media type to stream, or None for a single response: by the body, or else by `Accept`."""
    accept = request.headers.get("accept", "")
    if body.stream is False:
        return None
    if NDJSON in accept:
        return NDJSON
    return SSE if body.stream or SSE in accept else None


async def last_of(events: Events) -> schemas.Blueprint:
    """Wait for the blueprint. Raises the error if the final event is one."""
    async with aclosing(events):
        async for event in events:
            last = event
    if isinstance(last, schemas.Blueprint):
        return last
    raise last if isinstance(last, EnrichmentError) else BlueprintFailed


async def named(events: Events, request: Request) -> AsyncGenerator[NamedEvent, None]:
    """Name the events. An error is an event as well, because the response has already started."""
    async with aclosing(events):
        async for event in events:
            match event:
                case schemas.BlueprintProgress():
                    yield "progress", event
                case schemas.BlueprintSection():
                    yield "section", event
                case schemas.Blueprint():
                    yield "completed", event
                case _:
                    yield "error", problem_of(request, event)


def _flag(request: Request, name: str) -> bool | None:
    text = request.query_params.get(name, "").lower()
    if text not in FLAGS:
        detail = f"{text[:60]!r} is neither true nor false."
        raise Refusal(422, "invalid_query", detail, errors=(schemas.FieldError(parameter=name, detail=detail),))
    return FLAGS[text]


def _without_blanks(value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    if isinstance(value, tuple):
        return tuple(text for text in value if text.strip())
    return value.strip() if value else None
