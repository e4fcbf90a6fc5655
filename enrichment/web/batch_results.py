"""
The handlers of `/api/v1/enrich/batch/{batch_id}/results`: leads ranked, filtered, and in the form that is wanted.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

import schemas
from enrichment.web import leads, streams
from enrichment.web.bodies import Header, json_response, retry_after
from enrichment.web.endpoint import engine_of
from enrichment.web.leads import Place
from enrichment.web.params import qualities
from enrichment.web.problems import ProblemError, contradiction

POLL_SECONDS: Final = 5
DEFAULT_PAGE: Final = 50  # leads of JSON
MAX_PAGE: Final = 200
CSV: Final = "text/csv"
MEDIA_TYPES: Final = {"json": "application/json", "ndjson": streams.NDJSON, "csv": CSV}


async def read_batch_results(request: Request, query: schemas.BatchResultsQuery) -> Response:
    """Get the leads of a batch with their judgements and key facts, as JSON, lines of JSON, or CSV."""
    form = _form(request, query)
    store = engine_of(request).store
    snapshot = await store.batch(request.path_params["batch_id"])
    if query.qualified is not None and snapshot.batch.profile is None:
        detail = "The batch was posted without a profile, so no lead is qualified or disqualified."
        error = schemas.FieldError(parameter="qualified", detail=detail)
        raise ProblemError(409, "no_profile", detail, errors=(error,))
    everything = leads.ranked(snapshot)
    places = [each for each in everything if query.qualified in (None, _is_qualified(each))]
    if query.sort == "score":
        places.sort(key=leads.order_by_score)
    limit = query.limit or (DEFAULT_PAGE if form == "json" else max(1, len(places)))
    page = places[query.offset : query.offset + limit]
    finished = sum(each.job is None or each.job.is_finished for each in everything)
    headers = [retry_after(POLL_SECONDS)] if finished < len(everything) else []
    if form == "json":
        return json_response(
            schemas.BatchResults(
                batch_id=snapshot.batch.id,
                simulated=snapshot.batch.simulated,
                leads=tuple([lead async for lead in leads.read_leads(store, snapshot, page)]),
                total=len(places),
                finished_count=finished,
                total_domains=len(everything),
                limit=limit,
                offset=query.offset,
            ),
            headers,
        )
    if form == "ndjson":
        return _streamed(request, leads.ndjson(store, snapshot, page), streams.NDJSON, headers)
    content = leads.csv_rows(store, snapshot, page, bom=query.bom)
    name = f'attachment; filename="{snapshot.batch.id}.csv"'
    headers.append((b"content-disposition", name.encode("latin-1")))
    return _streamed(request, content, f"{CSV}; charset=utf-8; header=present", headers)


def _form(request: Request, query: schemas.BatchResultsQuery) -> str:
    """The form that `format` or `Accept` names; a wildcard means JSON."""
    wanted = qualities(request.headers.get("accept", ""))
    named = {form: wanted[kind] for form, kind in MEDIA_TYPES.items() if wanted.get(kind)}
    form: str = query.format or max(named, key=lambda each: named[each], default="json")
    if query.bom and form != "csv":
        raise contradiction(f"Only CSV can have a byte order mark, and this is {form}.", parameter="bom")
    if form == "json" and (query.limit or 0) > MAX_PAGE:
        detail = f"A page of JSON has {MAX_PAGE} leads at most; `ndjson` and `csv` may have all."
        raise contradiction(detail, parameter="limit")
    return form


def _is_qualified(place: Place) -> bool:
    return bool(place.job and place.job.fit and place.job.fit.verdict == "qualified")


def _streamed(request: Request, content: AsyncIterator[bytes], media_type: str, headers: Sequence[Header]) -> Response:
    """A stream; for HEAD its headers only."""
    response: Response
    if request.method == "HEAD":
        response = Response(media_type=media_type, headers=streams.HEADERS)
        del response.headers["content-length"]  # nobody knows it before all leads are read
    else:
        response = StreamingResponse(content, media_type=media_type, headers=streams.HEADERS)
    response.raw_headers.extend(headers)
    return response
