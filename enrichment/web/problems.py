"""
Error answers: RFC 9457 `application/problem+json`, all made here.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

import schemas
from enrichment.errors import (
    INTERNAL_ERROR,
    BlueprintFailed,
    EnrichmentError,
    InsufficientInformation,
    InvalidDomain,
    InvalidPlan,
    InvalidProfile,
    InvalidWebsite,
    JobConflict,
    JobNotFound,
    Unavailable,
)
from enrichment.logs import Log
from enrichment.web.problem_types import PROBLEM_TYPES, type_url

log = Log(__name__)

STATUS_OF: Final[Mapping[type[EnrichmentError], int]] = {
    InvalidDomain: 422,
    InvalidPlan: 422,
    InvalidProfile: 422,
    InvalidWebsite: 422,
    InsufficientInformation: 422,
    BlueprintFailed: 500,
    JobNotFound: 404,
    JobConflict: 409,
    Unavailable: 503,
}
"The HTTP status of each of our errors; a subclass without a row has that of its base class."

ENCODER: Final = msgspec.json.Encoder()


class ProblemError(Exception):
    """An error answer: status, `code` for programs, `detail` for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[schemas.FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
        missing: tuple[str, ...] = (),
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.missing = missing
        self.suggestions = suggestions


def contradiction(detail: str, *, parameter: str | None = None, pointer: str | None = None) -> ProblemError:
    """The 422 for two parts of the request that exclude each other, with the place of one of them."""
    error = schemas.FieldError(parameter=parameter, detail=detail) if parameter else None
    error = error or schemas.FieldError(pointer=pointer or "#", detail=detail)
    return ProblemError(422, "contradictory_request", detail, errors=(error,))


def safe_path(scope: Scope) -> str:
    """
    The path of the request, for answers and log lines: what stands before an "@" in it may be a password.

    What is cut begins with the first segment that has a ":" or an "@", since a password may contain a slash.
    """
    path: str = scope["path"]
    _, at, rest = path.rpartition("@")
    if not at:
        return path
    start = min(path.index(mark) for mark in ":@" if mark in path)
    return f"{path[: path.rfind('/', 0, start) + 1]}…@{rest}"


def request_id(scope: Scope) -> str:
    """The id of the request, as its response and all log lines about it have it."""
    text: str = scope["enrichment.request_id"]
    return text


async def problem_response(request: Request, error: Exception) -> Response:
    """Log any error, an unexpected one with its traceback, and return the response to it."""
    problem = _to_problem_error(request, error)
    write, event = (log.exception, "request failed") if problem.status == 500 else (log.info, "request refused")
    if problem.code != "incomplete_body":  # its client has left, perhaps with thousands of others
        write(
            event,
            request_id=request_id(request.scope),
            method=request.method,
            path=safe_path(request.scope),
            status=problem.status,
            code=problem.code,
        )
    return Response(
        ENCODER.encode(_body(request, problem)),
        status_code=problem.status,
        headers={"cache-control": "no-store", "x-content-type-options": "nosniff", **problem.headers},
        media_type="application/problem+json",
    )


def problem_of(request: Request, error: Exception) -> schemas.Problem:
    """Return the body of the response to an error, for a stream whose response has begun already."""
    return _body(request, _to_problem_error(request, error))


def _body(request: Request, problem: ProblemError) -> schemas.Problem:
    scope = request.scope
    return problem_body(problem, safe_path(scope), request_id(scope), root_path=scope.get("root_path", ""))


def problem_body(problem: ProblemError, path: str, request_id: str, *, root_path: str) -> schemas.Problem:
    """Return the body of an error answer. A status that only a host's routes can give has no `type` of ours."""
    known = PROBLEM_TYPES.get(problem.code)
    return schemas.Problem(
        type=type_url(problem.code, root_path) if known else "about:blank",
        title=known.title if known else HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        instance=quote(path),
        code=problem.code,
        request_id=request_id,
        errors=problem.errors,
        missing=problem.missing,
        suggestions=problem.suggestions,
    )


def _to_problem_error(request: Request, error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case EnrichmentError():
            return _from_enrichment_error(error)
        case HTTPException():
            return _from_http_exception(request, error)
        case _:
            return ProblemError(500, "internal_error", INTERNAL_ERROR)


def _from_enrichment_error(error: EnrichmentError) -> ProblemError:
    detail = str(error)
    return ProblemError(
        next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF),
        error.code,
        detail,
        errors=_field_errors(error),
        headers={"retry-after": str(error.retry_after)} if isinstance(error, Unavailable) else None,
        missing=error.missing if isinstance(error, InsufficientInformation) else (),
        suggestions=error.suggestions if isinstance(error, InsufficientInformation) else (),
    )


def _field_errors(error: EnrichmentError) -> tuple[schemas.FieldError, ...]:
    if error.parameter:
        return (schemas.FieldError(parameter=error.parameter, detail=str(error)),)
    return (schemas.FieldError(pointer=error.pointer, detail=str(error)),) if error.pointer else ()


def _from_http_exception(request: Request, error: HTTPException) -> ProblemError:
    """Give the two errors of Starlette's router, unknown path and wrong method, a detail that names them."""
    status = HTTPStatus(error.status_code)
    headers = error.headers or {}
    path = safe_path(request.scope)
    detail = {
        404: f"There is nothing at {path}.",
        405: f"{request.method} is not possible at {path}; possible: {headers.get('Allow')}.",
    }.get(status, error.detail)
    return ProblemError(status, status.name.lower(), detail, headers=headers)
