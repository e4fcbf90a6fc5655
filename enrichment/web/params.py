"""
Query strings and paths: text decoded into what it means, or refused by its name.
"""

import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

import schemas
from enrichment.domains import canonical_domain
from enrichment.errors import InvalidDomain
from enrichment.jobs.model import State
from enrichment.modules.table import MODULES
from enrichment.web.problems import ProblemError

IN_PATH: Final = re.compile(r"[^/]+|https?://[^/]+/?", re.IGNORECASE)


def path_domain(request: Request) -> str:
    """
    The canonical domain in the path, in any spelling: `Costco.com`, or `https%3A%2F%2Fwww.costco.com%2F`.

    Other slashes are those of a path that is not there; `/costco.com/cancle` must never start anything.
    """
    text: str = request.path_params["domain"]
    if not IN_PATH.fullmatch(text):
        raise HTTPException(404)
    return canonical_domain(text)


def query_domain(request: Request) -> str | None:
    """`?domain=`, canonical."""
    text = request.query_params.get("domain")
    try:
        return canonical_domain(text) if text else None
    except InvalidDomain as error:
        raise _bad("domain", str(error), code=error.code) from None


def query_state(request: Request) -> State | None:
    """`?status=`."""
    text = request.query_params.get("status")
    if not text:
        return None
    if text not in list(State):
        raise _bad("status", f"{text[:60]!r} is not a status; they are {', '.join(State)}.")
    return State(text)


def query_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number between `least` and `most`."""
    text = request.query_params.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
        raise _bad(name, f"{text[:60]!r} is not a whole number from {least} to {most}.")
    return int(text)


def query_modules(request: Request) -> frozenset[str] | None:
    """`?modules=`, parted by commas."""
    text = request.query_params.get("modules")
    if not text:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in MODULES:
            raise _bad("modules", f"{name[:60]!r} is not a module; they are {', '.join(MODULES)}.")
    return frozenset(names)


def _bad(parameter: str, detail: str, *, code: str = "invalid_query") -> ProblemError:
    return ProblemError(422, code, detail, errors=(schemas.FieldError(parameter=parameter, detail=detail),))
