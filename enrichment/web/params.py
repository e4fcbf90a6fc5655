"""
Paths and query strings, decoded into the Structs of `schemas` or refused with the name of what is wrong.
"""

import difflib
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

import schemas
from enrichment.domains import canonical_domain
from enrichment.errors import InvalidDomain
from enrichment.web.problems import ProblemError

MAX_PARAMETERS: Final = 100
MAX_SHOWN: Final = 60  # characters of a caller's text that an error repeats


def path_domain(request: Request) -> str:
    """
    The canonical domain in the path, in any spelling: `Costco.com`, or `https%3A%2F%2Fwww.costco.com%2Fabout`.

    Raise a 404 for a URL with a path whose slashes are not encoded: `/https://costco.com/cancle` must not start a job.
    """
    text: str = request.path_params["domain"]
    raw_path: bytes = request.scope.get("raw_path") or b""
    if "/" in text.partition("://")[2].rstrip("/") and b"%2f" not in raw_path.lower():
        raise HTTPException(404)
    return named_domain(text)


def named_domain(text: str) -> str:
    """The canonical domain in a path or query, where the parameter is called `domain`."""
    try:
        return canonical_domain(text)
    except InvalidDomain as error:
        error.parameter = "domain"
        raise


def query_reader(shape: type[schemas.Query]) -> Callable[[bytes], schemas.Query]:
    """
    A function that decodes a query string into the shape, or raises a 422 `invalid_query`.

    Parameters that are lists may be repeated and separated by commas; others may be given once. An empty value counts
    as not given, as HTML forms send it, unless the parameter has a minimum length.
    """
    hints = get_type_hints(shape, include_extras=True)
    lists = {name for name, hint in hints.items() if any(get_origin(arm) is tuple for arm in _arms(hint))}
    never_empty = {name for name, hint in hints.items() if any(getattr(m, "min_length", None) for m in _metadata(hint))}
    default = None if any(field.required for field in msgspec.structs.fields(shape)) else shape()

    def read(query_string: bytes) -> schemas.Query:
        if not query_string and default is not None:
            return default
        values: dict[str, Any] = {}
        for name, text in _pairs(query_string):
            if name not in hints:
                raise refused_parameter(name, _unknown(name, list(hints)))
            if not text and name not in never_empty:
                continue
            if name in lists:
                values[name] = (*values.get(name, ()), *filter(None, map(str.strip, text.split(","))))
            elif name in values:
                raise refused_parameter(name, "It is given more than once.")
            else:
                values[name] = text
        for name, value in values.items():
            try:
                values[name] = msgspec.convert(value, hints[name], strict=False)
            except msgspec.ValidationError:
                shown = ",".join(value) if name in lists else value
                raise refused_parameter(
                    name, f"{shown[:MAX_SHOWN]!r} is not possible; {_allowed(hints[name])}."
                ) from None
        try:
            return msgspec.convert(values, shape)
        except msgspec.ValidationError as error:
            missing = str(error).partition("`")[2].partition("`")[0]
            raise refused_parameter(missing, "It is required.") from None

    return read


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        detail = f"The query is not percent-encoded UTF-8, or has more than {MAX_PARAMETERS} parameters."
        raise ProblemError(422, "invalid_query", detail) from None


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name[:MAX_SHOWN], known, n=1)
    suggestion = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no parameter {name[:MAX_SHOWN]!r} here; known: {', '.join(known) or 'none'}.{suggestion}"


def refused_parameter(parameter: str, detail: str) -> ProblemError:
    """The 422 for a parameter of the query."""
    error = schemas.FieldError(parameter=parameter[:MAX_SHOWN], detail=detail)
    return ProblemError(422, "invalid_query", f"{parameter[:MAX_SHOWN]}: {detail}", errors=(error,))


def _allowed(hint: Any) -> str:
    """What a parameter of this type may be, in words."""
    words = {int: "a whole number", bool: "true or false"}
    described = []
    for arm in _arms(hint):
        kind, bounds = (get_args(arm)[0], get_args(arm)[1]) if hasattr(arm, "__metadata__") else (arm, None)
        if get_origin(kind) is tuple:
            kind = get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            described.append(f"possible: {', '.join(kind)}")
        elif bounds is not None and bounds.le is not None:
            described.append(f"possible: a whole number from {bounds.ge} to {bounds.le}")
        else:
            described.append(f"possible: {words.get(kind, 'text')}")
    return " or ".join(described)


def _metadata(hint: Any) -> list[Any]:
    return [meta for arm in _arms(hint) for meta in getattr(arm, "__metadata__", ())]


def _arms(hint: Any) -> tuple[Any, ...]:
    """The members of a union but for None, or the type itself."""
    if hasattr(hint, "__metadata__") or get_origin(hint) is tuple or not get_args(hint):
        return (hint,)
    return tuple(arm for arm in get_args(hint) if arm is not type(None))
