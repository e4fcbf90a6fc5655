"""
Blueprints over HTTP: the request as a brief, and the events of a run as a response or a stream.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment.blueprint.making import BlueprintEvent, Brief
from enrichment.domains import website_domain
from enrichment.errors import BlueprintFailed, EnrichmentError
from enrichment.web import streams
from enrichment.web.bodies import json_response
from enrichment.web.endpoint import engine_of
from enrichment.web.params import qualities
from enrichment.web.problems import problem_of
from enrichment.web.streams import NDJSON, SSE, NamedEvent

EVENT_ID: Final = re.compile(r"\d{1,9}", re.ASCII)
JSON: Final = "application/json"

Events = AsyncGenerator[BlueprintEvent, None]


async def make_blueprint(request: Request, query: schemas.BlueprintOptions, body: schemas.BlueprintRequest) -> Response:
    """Make a blueprint: what to find out about a campaign's leads, and from where."""
    stream = query.stream if body.stream is None else body.stream
    refresh = query.refresh if body.refresh is None else body.refresh
    return await _made(request, msgspec.structs.replace(body, stream=stream, refresh=refresh))


async def read_blueprint(request: Request, query: schemas.BlueprintQuery) -> Response:
    """Make a blueprint from the query: the same for a browser's `EventSource`, which can send nothing else."""
    return await _made(request, schemas.BlueprintRequest(**msgspec.structs.asdict(query)))


async def _made(request: Request, body: schemas.BlueprintRequest) -> Response:
    brief = brief_of(body)
    form = media_type(request, body)
    if request.method == "HEAD":
        response = Response(headers=streams.HEADERS, media_type=form)
        del response.headers["content-length"]  # nobody knows it before the blueprint is made
        return response
    blueprints = engine_of(request).blueprints
    if form == JSON:
        return json_response(await last_of(blueprints.make(brief, refresh=body.refresh or False)))
    last_event_id = request.headers.get("last-event-id", "")
    seen = int(last_event_id) if EVENT_ID.fullmatch(last_event_id) else 0
    if seen and blueprints.has_ended(brief, seen):
        return Response(status_code=204)  # on which a browser's EventSource stops to reconnect
    events = blueprints.make(brief, refresh=(body.refresh or False) and not seen)
    return streams.stream(named(events, request), form, after=seen)


def brief_of(body: schemas.BlueprintRequest) -> Brief:
    """Build the brief. Blank texts count as not given."""
    if isinstance(body.icp, schemas.IcpObject):
        fields = msgspec.structs.asdict(body.icp)
        given = {name: text for name, value in fields.items() if (text := _without_blanks(value)) not in (None, "", ())}
        icp: str | schemas.IcpObject | None = msgspec.convert(given, schemas.IcpObject) if given else None
    else:
        icp = (body.icp or "").strip() or None
    domain = website_domain(body.website_url, pointer="#/website_url")
    return Brief(domain=domain, icp=icp, offer=(body.offer or "").strip() or None)


def media_type(request: Request, body: schemas.BlueprintRequest) -> str:
    """
    The media type of the response, by `stream` in the body and by `Accept`.

    A stream has to be named to be meant: what a wildcard covers is JSON.
    """
    wanted = qualities(request.headers.get("accept", ""))
    named = {name: wanted[name] for name in (NDJSON, SSE, JSON) if wanted.get(name)}
    if body.stream is False:
        return JSON
    if body.stream:
        named.pop(JSON, None)
    return max(named, key=named.__getitem__, default=SSE if body.stream else JSON)


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


def _without_blanks(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(one for one in value if not isinstance(one, str) or one.strip())
    return value.strip() if isinstance(value, str) else value
