"""
The handlers for the platform that runs the service.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment import __version__
from enrichment.web.bodies import EncodedJSON, encode, json_response
from enrichment.web.endpoint import engine_of

HEALTH: Final = encode(schemas.Health(service="lead-enrichment", version=__version__))


async def read_health(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """
    Check that the process is alive.

    For a platform's liveness check. It depends on nothing else.
    """
    return EncodedJSON(HEALTH)


async def list_sources(request: Request) -> Response:
    """
    List the sources, with their state and what opens them.

    Calls are counted since the start of the process.
    """
    return json_response(schemas.SourceList(sources=engine_of(request).source_statuses()))


async def read_readiness(request: Request) -> Response:
    """
    Check that a job would be accepted now.

    For a load balancer: it is answered 503 while too many jobs are unfinished, or while the service is shutting down.
    """
    await engine_of(request).jobs.check_open()
    return json_response(schemas.Ready())
