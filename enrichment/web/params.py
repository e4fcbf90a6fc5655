"""
Paths and query strings, decoded into the Structs of `schemas` or refused with the name of what is wrong.
"""

import difflib
import re
from enum import StrEnum
from types import NoneType
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
WHOLE_NUMBER: Final = re.compile(r"-?\d{1,18}", re.ASCII)
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


class QueryReader:
    """
    Decodes query strings into a Struct, or raises a 422 `invalid_query`.

    Parameters that are lists may be repeated and separated by commas; others may be given once. An empty value counts
    as not given, as HTML forms send it, unless the parameter has a minimum length.
    """

    def __init__(self, shape: type[schemas.Query]) -> None:
        self._shape = shape
        self._hints = hints = get_type_hints(shape, include_extras=True)
        self._lists = {name for name in hints if any(get_origin(kind) is tuple for kind, _ in _members(hints[name]))}
        self._numbers = {name for name in hints if any(kind is int for kind, _ in _members(hints[name]))}
        self._never_empty = {
            name for name in hints if any(meta and meta.min_length for _, meta in _members(hints[name]))
        }
        is_optional = not any(field.required for field in msgspec.structs.fields(shape))
        self._default = shape() if is_optional else None

    def __call__(self, query_string: bytes) -> schemas.Query:
        if not query_string and self._default is not None:
            return self._default
        given = {name: self._converted(name, text) for name, text in self._collected(query_string).items()}
        try:
            return msgspec.convert(given, self._shape)
        except msgspec.ValidationError as error:
            missing = str(error).partition("`")[2].partition("`")[0]
            raise refused_parameter(missing, "It is required.") from None

    def _collected(self, query_string: bytes) -> dict[str, str | tuple[str, ...]]:
        """The values that are given, by parameter."""
        values: dict[str, Any] = {}
        for name, text in _pairs(query_string):
            if name not in self._hints:
                raise refused_parameter(name, _unknown(name, list(self._hints)))
            if name in self._lists:
                if words := tuple(filter(None, map(str.strip, text.split(",")))):
                    values[name] = values.get(name, ()) + words
            elif name in values:
                raise refused_parameter(name, "It is given more than once.")
            elif text or name in self._never_empty:
                values[name] = text
        return values

    def _converted(self, name: str, value: str | tuple[str, ...]) -> Any:
        try:
            if name in self._numbers and not WHOLE_NUMBER.fullmatch(str(value)):
                raise msgspec.ValidationError  # msgspec would take "1e2" and "5.0" as well
            return msgspec.convert(value, self._hints[name], strict=False)
        except msgspec.ValidationError:
            shown = value if isinstance(value, str) else ",".join(value)
            detail = f"{shown[:MAX_SHOWN]!r} is not possible; possible: {_allowed(self._hints[name])}."
            raise refused_parameter(name, detail) from None


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
    return " or ".join(_described(kind, meta) for kind, meta in _members(hint))


def _described(kind: Any, meta: msgspec.Meta | None) -> str:
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(kind)
    if meta and meta.le is not None:
        return f"a whole number from {meta.ge} to {meta.le}"
    return "true or false" if kind is bool else "text that is not empty or too long"


def _members(hint: Any) -> list[tuple[Any, msgspec.Meta | None]]:
    """The type, or the members of a union but for None, each with its `Meta` if it has one."""
    is_union = not hasattr(hint, "__metadata__") and get_origin(hint) is not tuple and get_args(hint)
    members = [member for member in get_args(hint) if member is not NoneType] if is_union else [hint]
    return [(get_args(m)[0], m.__metadata__[0]) if hasattr(m, "__metadata__") else (m, None) for m in members]
