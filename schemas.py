"""
Everything that crosses HTTP as JSON, shape by shape.
"""

from typing import Literal

import msgspec


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """A body that callers send. A field it does not know is refused: it is more often a typing error than a wish."""


class Response(msgspec.Struct):
    """A body that we send."""


class EnrichRequest(Request):
    """`POST /enrich`."""

    company_domain: str


class CompanyData(Response):
    """What was found out about a company; `company_size` in employees."""

    company_size: int
    industry: str


class PendingJob(Response, kw_only=True):
    """The 202 of `POST /enrich`, and `GET /enrich/{job_id}` until the job is done."""

    job_id: str
    status: Literal["pending"] = "pending"


class CompleteJob(Response, kw_only=True):
    """`GET /enrich/{job_id}` when the data is there."""

    job_id: str
    status: Literal["complete"] = "complete"
    data: CompanyData


class FailedJob(Response, kw_only=True):
    """`GET /enrich/{job_id}` when there will be no data, and why."""

    job_id: str
    status: Literal["failed"] = "failed"
    error: str


class Health(Response, kw_only=True):
    """`GET /health`: the process is alive."""

    status: Literal["healthy"] = "healthy"
    service: str
    version: str


class Ready(Response, kw_only=True):
    """`GET /ready`: the service takes work."""

    status: Literal["ready"] = "ready"


class FieldError(Response):
    """One fault in a caller's document; `pointer` is an RFC 6901 JSON pointer as a URI fragment."""

    pointer: str
    detail: str


class Problem(Response, kw_only=True, omit_defaults=True):
    """
    Every error, as RFC 9457 `application/problem+json`.

    `type` is always `about:blank`, so `title` is the status in words; programs go by `code`, which is stable.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = ()
