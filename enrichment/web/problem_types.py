"""
The catalogue of error answers: every `code`, with its HTTP status, its title and what it means.

The answers, the OpenAPI document and the documentation are made from it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote


class ProblemType(NamedTuple):
    """
    What all error answers with one `code` have in common.

    `headers` are those that they have besides the headers of every response.
    """

    code: str
    status: int
    title: str
    meaning: str
    headers: tuple[str, ...] = ()


# fmt: off
PROBLEM_TYPES: Final[Mapping[str, ProblemType]] = {kind.code: kind for kind in (
    ProblemType("malformed_request", 400, "Malformed request",
     "The request is not HTTP/1.1."),
    ProblemType("malformed_json", 400, "Malformed JSON",
     "The body is not JSON; `detail` says where it ceases to be."),
    ProblemType("incomplete_body", 400, "Incomplete body",
     "The connection ended before the body did."),
    ProblemType("unauthorized", 401, "Unauthorized",
     "The request carries no token of this service. Send it as `Authorization: Bearer <token>`. Paths that do not "
     "exist need one, too.", ("WWW-Authenticate",)),
    ProblemType("cross_site", 403, "Cross-site request",
     "A browser sent the request on behalf of another site, and the host application authenticates requests."),
    ProblemType("not_found", 404, "Not found",
     "There is nothing at this path."),
    ProblemType("job_not_found", 404, "Job not found",
     "There is no such job or batch, or it is no longer kept. A service that restarts keeps none."),
    ProblemType("blueprint_not_found", 404, "Blueprint not found",
     "There is no such blueprint, or it is no longer kept."),
    ProblemType("method_not_allowed", 405, "Method not allowed",
     "There is something at this path, but not for this method. `Allow` lists the methods.", ("Allow",)),
    ProblemType("request_timeout", 408, "Request timeout",
     "The head or the body of the request did not arrive within `CLIENT_TIMEOUT_SECONDS`."),
    ProblemType("job_conflict", 409, "Conflict with the state of the job",
     "The job has finished already, or has not finished yet, or there is nothing in it to retry."),
    ProblemType("no_profile", 409, "No profile",
     "The batch was posted without a profile, so its leads are neither qualified nor disqualified."),
    ProblemType("body_too_large", 413, "Body too large",
     "The body is larger than `MAX_BODY_BYTES`."),
    ProblemType("target_too_long", 414, "Target too long",
     "The path and the query together are longer than 8,192 bytes."),
    ProblemType("unsupported_encoding", 415, "Unsupported encoding",
     "The body is compressed. Send it without `Content-Encoding`.", ("Accept-Encoding",)),
    ProblemType("invalid_body", 422, "Invalid body",
     "The body is JSON, but not of the shape that is described; `errors` points to the place."),
    ProblemType("invalid_query", 422, "Invalid query",
     "A parameter of the query is unknown, repeated or missing, or is not possible; `errors` names it."),
    ProblemType("invalid_domain", 422, "Invalid domain",
     "The text does not name the domain of a company: it is malformed, an IP address, a private or special-use name, a "
     "page on a platform, or an address at a free e-mail provider."),
    ProblemType("invalid_website", 422, "Invalid website",
     "The text is not the URL of a public website."),
    ProblemType("invalid_plan", 422, "Invalid plan",
     "The modules or waves are unknown, or exclude each other."),
    ProblemType("insufficient_information", 422, "Insufficient information",
     "Too little is known about the company to infer whom it sells to; `missing` lists what is needed, `suggestions` "
     "how to supply it."),
    ProblemType("invalid_table", 422, "Invalid table",
     "The body is no table in UTF-8, or no column of it holds domains, websites or e-mail addresses that can be run."),
    ProblemType("contradictory_request", 422, "Contradictory request",
     "Two parts of the request exclude each other; `errors` names one of them."),
    ProblemType("unreadable_profile", 422, "Unreadable profile",
     "Nothing in the given profile was understood; `missing` lists the passages, `suggestions` says what can be read."),
    ProblemType("invalid_profile", 422, "Invalid profile",
     "A condition of the given profile has a value that its measure cannot have."),
    ProblemType("head_too_large", 431, "Head too large",
     "The head of the request is larger than 32,768 bytes, or has more than 100 fields."),
    ProblemType("internal_error", 500, "Internal error",
     "An unexpected error occurred. The service's log has the details under the `request_id`."),
    ProblemType("too_many_jobs", 503, "Too many jobs",
     "`MAX_PENDING_JOBS` jobs are unfinished. `Retry-After` says when to try again.", ("Retry-After",)),
    ProblemType("database_unavailable", 503, "Database unavailable",
     "With `JOBS_BACKEND=postgres`, the database does not answer. `Retry-After` says when to try again.",
     ("Retry-After",)),
    ProblemType("no_workers", 503, "No workers",
     "With `JOBS_BACKEND=postgres`, `GET /ready` found no worker. Jobs are accepted, and wait for one.",
     ("Retry-After",)),
    ProblemType("shutting_down", 503, "Shutting down",
     "The service is shutting down. `Retry-After` says when to try again.", ("Retry-After",)),
    ProblemType("too_many_connections", 503, "Too many connections",
     "`MAX_CONNECTIONS` connections are in use. `Retry-After` says when to try again.", ("Retry-After",)),
)}
# fmt: on
"By code, in the order of their statuses."


def type_url(code: str, root_path: str) -> str:
    """Return the `type` of an error answer: where the documentation describes it, below the path of a mount."""
    return f"{quote(root_path)}/docs#problem-{code}"
