"""
Briefs in, blueprints out: what callers post for a campaign, and how the answer looks to them.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment.blueprint.making import KEPT_SECONDS, Blueprint, Brief, Event, Progress, Section
from enrichment.blueprint.values import IcpInput
from enrichment.domains import website_domain
from enrichment.errors import BlueprintFailed, EnrichmentError
from enrichment.web import streams
from enrichment.web.bodies import json_response
from enrichment.web.endpoint import engine_of
from enrichment.web.presenters import isoformat_utc
from enrichment.web.problems import problem_of
from enrichment.web.streams import NDJSON, SSE, Named

EVENT_ID: Final = re.compile(r"\d{1,9}", re.ASCII)

Events = AsyncGenerator[tuple[Event, bool], None]


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
        return Response(headers=streams.HEADERS, media_type=form or "application/json")
    events = engine_of(request).blueprints.make(brief, refresh=body.refresh or False)
    if form:
        after = request.headers.get("last-event-id", "")
        seen = int(after) if EVENT_ID.fullmatch(after) else 0
        return streams.stream(named(events, request), form, after=seen)
    return json_response(await last_of(events))


def brief_of(body: schemas.BlueprintRequest) -> Brief:
    """What the blueprint is made from. Empty texts count as not given."""
    icp = body.icp
    if isinstance(icp, schemas.IcpObject):
        given = {name: value for name in icp.__struct_fields__ if (value := _without_blanks(getattr(icp, name)))}
        profile: str | IcpInput | None = msgspec.convert(given, IcpInput) if given else None
    else:
        profile = (icp or "").strip() or None
    domain = website_domain(body.website_url, pointer="#/website_url")
    return Brief(domain=domain, icp=profile, offer=(body.offer or "").strip() or None)


def media_type(request: Request, body: schemas.BlueprintRequest) -> str | None:
    """In which form the answer is to be streamed, if it is: by the body, else the query, else `Accept`."""
    accept = request.headers.get("accept", "")
    if body.stream is False:
        return None
    if NDJSON in accept:
        return NDJSON
    return SSE if body.stream or SSE in accept else None


async def last_of(events: Events) -> schemas.Blueprint:
    """The blueprint that the events end with; raises the error if it is one."""
    async with aclosing(events):
        async for event, is_cached in events:
            last, cached = event, is_cached
    if isinstance(last, Blueprint):
        return blueprint(last, is_cached=cached)
    raise last if isinstance(last, EnrichmentError) else BlueprintFailed


async def named(events: Events, request: Request) -> AsyncGenerator[Named, None]:
    """The events by their names, with the data of each. An error, too, is an event: the response has begun."""
    async with aclosing(events):
        async for event, is_cached in events:
            match event:
                case Progress():
                    yield "progress", schemas.BlueprintProgress(stage=event.stage, percent=event.percent)
                case Section():
                    points = msgspec.convert(
                        event.data_points, tuple[schemas.RecommendedPoint, ...], from_attributes=True
                    )
                    yield "section", schemas.BlueprintSection(section=event.group, data_points=points)
                case Blueprint():
                    yield "completed", blueprint(event, is_cached=is_cached)
                case _:
                    yield "error", problem_of(request, event)


def blueprint(made: Blueprint, *, is_cached: bool) -> schemas.Blueprint:
    """The whole answer."""
    profile, sections = made.profile, made.sections
    told = {name: getattr(profile, name) for name in ("origin", "confidence", "reasoning", "raise_confidence")}
    understood = {name: getattr(profile.icp, name) for name in profile.icp.__struct_fields__}
    metadata = schemas.BlueprintMetadata(
        id=made.id,
        generated_at=isoformat_utc(made.generated_at),
        expires_at=isoformat_utc(made.generated_at + KEPT_SECONDS),
        cached=is_cached,
        duration_seconds=round(made.generated_at - made.begun_at, 3),
        sources_used=profile.sources_used,
        sources_missing=profile.sources_missing,
        gaps=made.gaps,
    )
    answer = {name: getattr(sections, name) for name in sections.__struct_fields__} | {
        "website": made.brief.domain,
        "simulated": profile.simulated,
        "icp": told | understood,
        "metadata": metadata,
    }
    return msgspec.convert(answer, schemas.Blueprint, from_attributes=True)


def _without_blanks(value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    if isinstance(value, tuple):
        return tuple(text for text in value if text.strip())
    return value.strip() if value else None
