"""
The handlers of `/campaigns/enrichment`: what to find out about a campaign's leads, as an answer or as a stream.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment.blueprint.making import BlueprintEvent, BlueprintMaker, Brief
from enrichment.domains import website_domain
from enrichment.errors import BlueprintFailed, EnrichmentError
from enrichment.modules.module import JobProfile
from enrichment.web import streams
from enrichment.web.bodies import json_response
from enrichment.web.endpoint import engine_of
from enrichment.web.params import qualities
from enrichment.web.problems import ProblemError, contradiction, problem_of
from enrichment.web.streams import NDJSON, SSE, NamedEvent

EVENT_ID: Final = re.compile(r"\d{1,9}", re.ASCII)
JSON: Final = "application/json"

EVENTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "progress": schemas.BlueprintProgress,
    "section": schemas.BlueprintSection,
    "completed": schemas.Blueprint,
    "error": schemas.Problem,
}
"The events of a stream, of which the last two are final."
NAMES: Final = {shape: name for name, shape in EVENTS.items()}

Events = AsyncGenerator[BlueprintEvent, None]


async def make_blueprint(request: Request, query: schemas.BlueprintOptions, body: schemas.BlueprintRequest) -> Response:
    """
    Make a blueprint: what to find out about a campaign's leads, and from where.

    `Accept: text/event-stream` or `application/x-ndjson`, or `stream`, sends it as a stream of events while it is made.
    A request to continue a stream that has ended is answered 204.
    """
    stream = query.stream if body.stream is None else body.stream
    refresh = query.refresh if body.refresh is None else body.refresh
    return await _made(request, msgspec.structs.replace(body, stream=stream, refresh=refresh))


async def read_blueprint(request: Request, query: schemas.BlueprintQuery) -> Response:
    """
    Make a blueprint from the query: the same for a browser's `EventSource`, which can send nothing else.

    After the last event, its attempt to connect again is answered 204, on which it stops.
    """
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


async def requested_profile(
    blueprints: BlueprintMaker, given: schemas.StartRequest | schemas.BatchRequest | schemas.BatchQuery
) -> JobProfile | None:
    """The profile that a job is to judge by, read from `icp` or taken from the blueprint; None if neither is given."""
    icp = _icp_of(given.icp)
    if icp is not None and given.blueprint_id is not None:
        raise contradiction("Give `icp` or `blueprint_id`, not both.", **_place(given, "blueprint_id"))
    if icp is not None:
        try:
            return JobProfile.of(await blueprints.read_profile(icp))
        except EnrichmentError as error:
            if isinstance(given, schemas.Query):
                error.pointer, error.parameter = None, "icp"
            raise
    if given.blueprint_id is None:
        return None
    blueprint = await blueprints.find(given.blueprint_id)
    if blueprint is None:
        detail = f"There is no blueprint {given.blueprint_id[:60]!r}; they are kept for a day at most."
        fault = schemas.FieldError(**_place(given, "blueprint_id"), detail=detail)
        raise ProblemError(404, "blueprint_not_found", detail, errors=(fault,))
    return JobProfile.of(blueprint.icp)


def brief_of(body: schemas.BlueprintRequest) -> Brief:
    """Build the brief. Blank texts count as not given."""
    domain = website_domain(body.website_url, pointer="#/website_url")
    return Brief(domain=domain, icp=_icp_of(body.icp), offer=(body.offer or "").strip() or None)


def _icp_of(icp: schemas.Icp | None) -> schemas.Icp | None:
    if not isinstance(icp, schemas.IcpObject):
        return (icp or "").strip() or None
    fields = msgspec.structs.asdict(icp)
    given = {name: text for name, value in fields.items() if (text := _without_blanks(value)) not in (None, "", ())}
    return msgspec.convert(given, schemas.IcpObject) if given else None


def _place(given: object, field: str) -> dict[str, str]:
    """The place of a field: in the query of a table, or in the body of JSON."""
    return {"parameter": field} if isinstance(given, schemas.Query) else {"pointer": f"#/{field}"}


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
            data = problem_of(request, event) if isinstance(event, Exception) else event
            yield NAMES[type(data)], data


def _without_blanks(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(one for one in value if not isinstance(one, str) or one.strip())
    return value.strip() if isinstance(value, str) else value
