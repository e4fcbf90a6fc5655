"""
The OpenAPI 3.1 document: made from the route table, the Structs, the catalogue of errors and recorded examples.
"""

import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final, get_args

import msgspec

import schemas
from enrichment import __version__
from enrichment.settings import Settings
from enrichment.web import streams
from enrichment.web.auth import SAFE_METHODS
from enrichment.web.endpoint import Access, Endpoint
from enrichment.web.json_schemas import Schema, Shape, component_schemas, schema_of, text_schema, without_null
from enrichment.web.problem_types import PROBLEM_TYPES, ProblemType

JSON: Final = "application/json"
DESCRIPTION: Final = (
    "What is worth knowing about the company behind a domain. Work is started by a POST, which is answered at once "
    "with the id of a job, and asked for by its id. Simulated data is invented, and marked wherever it is shown."
)
TOKENS: Final = "One of `API_TOKENS`; if there are none, the token that the service logged at its start."
EXAMPLES: Final = Path(__file__).with_name("examples.json")

ALWAYS: Final = (
    *("malformed_request", "request_timeout", "target_too_long", "head_too_large", "too_many_connections"),
    *("method_not_allowed", "incomplete_body", "body_too_large", "unsupported_encoding", "invalid_body"),
    *("invalid_query", "internal_error"),
)
"""
The error answers that every route can give. A body or a query is refused where none is taken, and a path that is that
of a route answers other methods.
"""

HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "X-Request-ID": ("Id of the request, as the log lines about it have it.", {"type": "string"}),
    "Location": ("Where to ask for the state of the job or batch.", {"type": "string", "format": "uri-reference"}),
    "Retry-After": ("When to ask again, in seconds; only while there is something to wait for.", {"type": "integer"}),
    "X-Data-Source": ("Name of the source of the data; `simulated` data is invented.", {"type": "string"}),
    "WWW-Authenticate": ("The scheme of authorization: `Bearer`.", {"type": "string"}),
    "Allow": ("The methods that are possible, separated by commas.", {"type": "string"}),
    "ETag": ("Tag of this version, for `If-None-Match`.", {"type": "string"}),
    "Accept-Encoding": ("The content encoding in which a body is read: `identity`.", {"type": "string"}),
}
"The headers of answers: what they say, and their schemas."

PARAMETERS: Final[Mapping[str, str]] = {
    "X-Request-ID": "Id for this request, of 1 to 128 characters of `A-Z a-z 0-9 . _ ~ : @ + / = -`; anything else is "
    "replaced by a new id.",
    "Last-Event-ID": "Number of the last event that was received before the connection was lost; only later ones are "
    "sent. A browser's `EventSource` sends it by itself.",
    "If-None-Match": "Tag of the version that the client has; it is not sent again.",
}
"The headers of requests that make a difference, besides `Authorization`, `Accept` and `Content-Type`."


def document(routes: Sequence[Endpoint], settings: Settings) -> Schema:
    """Return the document about these routes as they behave with these settings; its server is the root path `/`."""
    return _Maker(routes, settings).document()


def method_of(route: Endpoint) -> str:
    """Return the one method of a row; Starlette adds HEAD to GET."""
    (method,) = (route.methods or set()) - {"HEAD"}
    return method


def problem_codes(route: Endpoint, settings: Settings) -> list[str]:
    """Return the codes of the error answers that the route can give, in the order of the catalogue."""
    codes = {*ALWAYS, *route.problems}
    if route.body is not None:
        codes.add("malformed_json")
    if "{domain}" in route.path:
        codes |= {"not_found", "invalid_domain"}
    if needs_token(route, settings):
        codes.add("unauthorized")
    if settings.auth == "off" and method_of(route) not in SAFE_METHODS:
        codes.add("cross_site")
    return [code for code in PROBLEM_TYPES if code in codes]


def needs_token(route: Endpoint, settings: Settings) -> bool:
    """Return whether the route takes a token, with these settings."""
    if settings.auth == "off" or route.access is Access.OPEN:
        return False
    return route.access is Access.TOKEN or bool(settings.api_tokens)


def tag_of(route: Endpoint) -> str:
    """Return the tag of an operation: the module that its handler is in."""
    return route.endpoint.__module__.rpartition(".")[2]


class _Maker:
    """Makes one document. Error responses and their codes are collected while operations refer to them."""

    def __init__(self, routes: Sequence[Endpoint], settings: Settings) -> None:
        queries = {route.query for route in routes} | {schemas.PathParameters}
        components = component_schemas([*_shapes(routes), *queries])
        self._routes = routes
        self._settings = settings
        self._parameters = {query: components.pop(query.__name__) for query in queries}
        self._schemas = components
        self._error_responses: dict[str, Schema] = {}
        self._codes: set[str] = set()
        self._examples = msgspec.json.decode(EXAMPLES.read_bytes())

    def document(self) -> Schema:
        paths = self._paths()
        components = {
            "schemas": self._schemas,
            "responses": dict(sorted(self._error_responses.items())),
            "headers": {
                name: {"description": text, "required": name != "Retry-After", "schema": schema}
                for name, (text, schema) in HEADERS.items()
            },
            "parameters": {
                name: {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
                for name, text in PARAMETERS.items()
            },
            "examples": self._example_components(),
        }
        if self._settings.auth == "bearer":
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "description": TOKENS}}
        modules = {tag_of(route): sys.modules[route.endpoint.__module__] for route in self._routes}
        return {
            "openapi": "3.1.0",
            "info": {"title": "Lead enrichment", "version": __version__, "description": DESCRIPTION},
            "servers": [{"url": "/"}],
            "tags": [{"name": tag, "description": inspect.getdoc(module)} for tag, module in modules.items()],
            "paths": paths,
            "components": components,
        }

    def _paths(self) -> dict[str, Schema]:
        paths: dict[str, Schema] = {}
        names: set[str] = set()
        for route in self._routes:
            operation = self._operation(route)
            if operation["operationId"] in names:
                operation["operationId"] += "_v1"  # the same at a second path, below /api/v1
            names.add(operation["operationId"])
            paths.setdefault(route.path, {})[method_of(route).lower()] = operation
        return paths

    def _operation(self, route: Endpoint) -> Schema:
        summary, _, description = (inspect.getdoc(route.endpoint) or "").partition("\n\n")
        recorded = self._examples["operations"].get(route.endpoint.__name__, {})
        operation = {
            "operationId": route.endpoint.__name__,
            "tags": [tag_of(route)],
            "summary": " ".join(summary.split()).removesuffix("."),
            "description": description,
            "parameters": self._parameters_of(route, recorded),
            "requestBody": _request_body(route.body, route.body_as, recorded) if route.body else None,
            "responses": {
                **{str(status): self._answer(route, status, recorded) for status in route.gives},
                **self._errors(problem_codes(route, self._settings)),
            },
        }
        security: list[Schema] = [{"bearer": []}] if needs_token(route, self._settings) else []
        return {**{key: value for key, value in operation.items() if value}, "security": security}

    def _parameters_of(self, route: Endpoint, recorded: Schema) -> list[Schema]:
        headers = ["X-Request-ID", *(["Last-Event-ID"] if streams.SSE in route.also else [])]
        headers += ["If-None-Match"] if "ETag" in route.sends else []
        return [
            *(self._parameter(schemas.PathParameters, name, "path", recorded) for name in route.param_convertors),
            *(self._parameter(route.query, name, "query", recorded) for name in route.query.__struct_encode_fields__),
            *({"$ref": f"#/components/parameters/{name}"} for name in headers),
        ]

    def _parameter(self, struct: type[schemas.Query], name: str, place: str, recorded: Schema) -> Schema:
        component = self._parameters[struct]
        schema = without_null(component["properties"][name])
        parameter = {
            "name": name,
            "in": place,
            "description": schema.pop("description"),
            "required": name in component.get("required", ()),
            "schema": schema,
        }
        if place == "query" and not parameter["required"] and "minLength" not in schema:
            parameter["allowEmptyValue"] = True  # which counts as not given
        if name in recorded.get(place, {}):
            parameter["example"] = recorded[place][name]
        return parameter

    def _answer(self, route: Endpoint, status: int, recorded: Schema) -> Schema:
        shape = route.gives[status]
        names = ["X-Request-ID", *(["Location"] if status == HTTPStatus.ACCEPTED else []), *route.sends]
        answer: Schema = {
            "description": _text_about(shape) or HTTPStatus(status).description,
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        }
        if shape is not None:
            content: Schema = {route.media_type: {"schema": schema_of(shape)}}
            content |= {
                media_type: {"schema": text_schema(media_type, item)} for media_type, item in route.also.items()
            }
            for media_type in recorded.get(str(status), {}):
                name = _example_name(route.endpoint.__name__, status, media_type)
                content[media_type]["examples"] = {"recorded": {"$ref": f"#/components/examples/{name}"}}
            answer["content"] = content
        if status == HTTPStatus.ACCEPTED:
            answer["links"] = self._links(route, shape)
        return answer

    def _links(self, route: Endpoint, shape: Shape) -> Schema:
        """Return links to what can be asked about a new job: the routes below this one whose parameters are known."""
        base = route.path[: route.path.rfind("}") + 1] or route.path
        known = set(shape.__struct_encode_fields__)
        ids = {name for name in known if name.endswith("_id")}
        links = {}
        for other in self._routes:
            if other.path.startswith(f"{base}/") and other.param_convertors.keys() <= known:
                names = [("path", name) for name in other.param_convertors]
                names += [("query", name) for name in other.query.__struct_encode_fields__ if name in ids]
                values = {f"{place}.{name}": f"$response.body#/{name}" for place, name in names}
                links[other.endpoint.__name__] = {"operationId": other.endpoint.__name__, "parameters": values}
        return links

    def _example_components(self) -> dict[str, Schema]:
        answers = {
            _example_name(operation, status, media_type): {"value": value}
            for operation, recorded in self._examples["operations"].items()
            for status, values in recorded.items()
            if status.isdecimal()
            for media_type, value in values.items()
        }
        errors = {
            code: {"summary": PROBLEM_TYPES[code].title, "description": PROBLEM_TYPES[code].meaning, "value": value}
            for code, value in self._examples["problems"].items()
            if code in self._codes
        }
        return answers | errors

    def _errors(self, codes: Sequence[str]) -> Schema:
        """Return references to the error responses by status; there is one response for each set of codes."""
        by_status: dict[int, list[ProblemType]] = {}
        self._codes.update(codes)
        for code in codes:
            by_status.setdefault(PROBLEM_TYPES[code].status, []).append(PROBLEM_TYPES[code])
        references = {}
        for status, kinds in by_status.items():
            name = "-".join(kind.code for kind in kinds)
            self._error_responses[name] = _error_response(kinds)
            references[str(status)] = {"$ref": f"#/components/responses/{name}"}
        return references


def _request_body(shape: type[schemas.Request], also: Iterable[str], recorded: Schema) -> Schema:
    is_required = any(field.required for field in msgspec.structs.fields(shape))
    content: Schema = {JSON: {"schema": schema_of(shape)}, **{each: {"schema": {"type": "string"}} for each in also}}
    content[JSON] |= {"example": recorded["body"]} if "body" in recorded else {}
    if is_required:
        return {"required": True, "content": content}
    # A schema that allowed null would let generators make clients that need a body.
    return {"required": False, "description": "It may be left out, empty or null.", "content": content}


def _error_response(kinds: Sequence[ProblemType]) -> Schema:
    names = dict.fromkeys(("X-Request-ID", *(name for kind in kinds for name in kind.headers)))
    return {
        "description": "\n".join(f"- `{kind.code}`: {kind.meaning}" for kind in kinds),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {
            "application/problem+json": {
                "schema": schema_of(schemas.Problem),
                "examples": {kind.code: {"$ref": f"#/components/examples/{kind.code}"} for kind in kinds},
            }
        },
    }


def _example_name(operation: str, status: int | str, media_type: str) -> str:
    return f"{operation}.{status}.{media_type.rpartition('/')[2]}"


def _text_about(shape: Shape) -> str:
    structs = [each for each in get_args(shape) or (shape,) if hasattr(each, "__struct_fields__")]
    return " ".join(" ".join((inspect.getdoc(each) or "").split()) for each in structs)


def _shapes(routes: Iterable[Endpoint]) -> list[Shape]:
    """Return everything that crosses HTTP in bodies, answers, lines and events."""
    found: list[Shape] = [schemas.Problem]
    for route in routes:
        found += [route.body, *route.gives.values()]
        for item in route.also.values():
            found += item.values() if isinstance(item, Mapping) else [item]
    return found
