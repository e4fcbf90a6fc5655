"""
Paths, query strings and the `Accept` header, decoded, or refused with the name of what is wrong.
"""

import re
from typing import Any, Final, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

import schemas
from enrichment.domains import canonical_domain
from enrichment.errors import InvalidDomain
from enrichment.web import hints
from enrichment.web.problems import ProblemError

MAX_PARAMETERS: Final = 100
QUALITY: Final = re.compile(r"[01](\.\d{0,3})?", re.ASCII)
WHOLE_NUMBER: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def path_domain(request: Request) -> str:
    """
    The canonical domain in the path, in any spelling: `Costco.com`, or `https%3A%2F%2Fwww.costco.com%2Fabout`.

    Raise a 404 for a URL with a path whose slashes are not encoded: `/https://costco.com/cancle` must not start a job.
    """
    text: str = request.path_params["domain"]
    raw_path: bytes = request.scope.get("raw_path") or b""
    if "/" in text.partition(":/")[2].strip("/") and b"%2f" not in raw_path.lower():
        raise HTTPException(404)
    return named_domain(text.replace("%2F", "/"))  # as the boundary leaves a slash that the client has encoded


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
        self._types = types = get_type_hints(shape, include_extras=True)
        self._lists = {
            name for name in types if any(get_origin(kind) is tuple for kind, _ in hints.members(types[name]))
        }
        self._numbers = {name for name in types if any(kind is int for kind, _ in hints.members(types[name]))}
        self._never_empty = {
            name for name in types if any(meta and meta.min_length for _, meta in hints.members(types[name]))
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
            if name not in self._types:
                raise refused_parameter(name, hints.unknown_name("parameter", name, list(self._types)))
            if name in self._lists:
                if words := tuple(filter(None, map(str.strip, text.split(",")))):
                    values[name] = values.get(name, ()) + words
            elif name in values:
                raise refused_parameter(name, "It is given more than once.")
            elif text or name in self._never_empty:
                values[name] = text
        return values

    def _converted(self, name: str, value: str | tuple[str, ...]) -> Any:
        is_number = name in self._numbers  # which msgspec would also read from "1e2" and "5.0"
        decoded = int(value) if is_number and isinstance(value, str) and WHOLE_NUMBER.fullmatch(value) else value
        try:
            converted = msgspec.convert(decoded, self._types[name], strict=is_number)
        except msgspec.ValidationError:
            converted = None
        if converted is None:  # as msgspec also reads from "null", which is text here
            text = value if isinstance(value, str) else ",".join(value)
            raise refused_parameter(name, hints.not_possible(text, self._types[name]))
        return converted


def qualities(accept: str) -> dict[str, float]:
    """The qualities, from 0 to 1, of the media types in an `Accept` header (RFC 9110, section 12.5.1)."""
    found = {}
    for item in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in item.split(";"))
        values = [parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")]
        found[media_type] = float(values[0]) if values and QUALITY.fullmatch(values[0]) else float(not values)
    return found


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        detail = f"The query is not percent-encoded UTF-8, or has more than {MAX_PARAMETERS} parameters."
        raise ProblemError(422, "invalid_query", detail) from None


def refused_parameter(parameter: str, detail: str) -> ProblemError:
    """The 422 for a parameter of the query."""
    name = parameter[: hints.MAX_SHOWN]
    return ProblemError(
        422,
        "invalid_query",
        f"{name}: {detail}",
        errors=(schemas.FieldError(parameter=name, detail=detail),),
    )
