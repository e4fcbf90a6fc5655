"""
The handlers of `/enrich`: one question about a company, one answer.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment.domains import canonical_domain
from enrichment.engine import Engine
from enrichment.jobs.model import Lookup
from enrichment.web import presenters
from enrichment.web.bodies import AsyncTask, Header, accepted, json_response, retry_after
from enrichment.web.endpoint import engine_of
from enrichment.web.problems import request_id


async def start_lookup(request: Request, body: schemas.EnrichRequest) -> Response:
    """
    Start a lookup of a company by its domain.

    It is answered at once: `Location` is where to ask for the data, and `Retry-After` when.
    """
    engine = engine_of(request)
    domain = canonical_domain(body.company_domain, pointer="#/company_domain")
    job = await engine.jobs.submit_lookup(domain, request_id=request_id(request.scope))
    task = AsyncTask(engine.jobs.dispatch, [job])
    return accepted(request, presenters.lookup(job), f"/enrich/{job.id}", _headers(engine, job), task)


async def read_lookup(request: Request) -> Response:
    """
    Get the state of a lookup, and the data once it is there.

    `status` is `pending` until then. If there will be no data, it is `failed`, and `error` says why.
    """
    engine = engine_of(request)
    job = await engine.store.lookup(request.path_params["job_id"].lower())
    return json_response(presenters.lookup(job), _headers(engine, job))


def _headers(engine: Engine, job: Lookup) -> Sequence[Header]:
    """The source of the data and, while it is not there, when to ask again."""
    source = (b"x-data-source", engine.source.name.encode("latin-1"))
    return (source,) if job.is_finished else (source, retry_after(job.seconds_left(engine.clock.now())))
