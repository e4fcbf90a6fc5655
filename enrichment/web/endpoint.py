"""
A row of the route table: what an endpoint takes, what it gives, and who may call it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

import schemas
from enrichment.engine import Engine
from enrichment.web import streams
from enrichment.web.bodies import TableBody, body_reader, read_table_body, send_response
from enrichment.web.params import QueryReader

ANY_SPELLING: Final = r"[^/]+|[A-Za-z][A-Za-z0-9+.-]*:/.+?"
"A `{domain}` in a path: a segment, or a URL with its slashes, which not every server distinguishes from encoded ones."


class Access(Enum):
    """Who may call an endpoint."""

    OPEN = auto()
    OPEN_WITHOUT_TOKENS = auto()  # open unless `API_TOKENS` is set
    TOKEN = auto()


class Endpoint(Route):
    """
    One method at one path.

    The handler is called with the request, then with the `query` and the `body` as the Structs that are declared; a
    query parameter or a body where none is declared is refused. A body whose fields all have defaults may be left out.
    A final slash in a request's path makes no difference. Answers that may be large are compressed for clients that
    accept it, streams never.

    The rest describes it to others: `gives` lists the shapes of its answers by status, and `media_type` is theirs;
    `also` lists the other media types in which it gives them, with the shape of a line, or the shapes of the events by
    name; `sends` names the headers of its answers and `problems` the codes of its error answers, both besides those
    that follow from the rest of the row. `body_as` lists the media types in which the body may be sent besides JSON:
    the handler is then given a `TableBody`.
    """

    def __init__(
        self,
        method: str,
        path: str,
        handler: Callable[..., Awaitable[Response]],
        *,
        query: type[schemas.Query] = schemas.Query,
        body: type[schemas.Request] | None = None,
        gives: Mapping[int, Any],
        media_type: str = "application/json",
        also: Mapping[str, Any] = MappingProxyType({}),
        body_as: Sequence[str] = (),
        sends: Sequence[str] = (),
        problems: Sequence[str] = (),
        access: Access = Access.TOKEN,
        is_large: bool = False,
    ) -> None:
        super().__init__(path, handler, methods=[method])
        pattern = self.path_regex.pattern.replace("(?P<domain>[^/]+)", f"(?P<domain>{ANY_SPELLING})")
        self.path_regex = re.compile(pattern.removesuffix("$") + "/?$")
        self.app: ASGIApp = self._answer  # no `request_response`: the boundary replaces its layer for exceptions
        if is_large:
            self.app = GZipMiddleware(
                self._answer, minimum_size=1_000, compresslevel=6, exclude_content_types=(streams.SSE, streams.NDJSON)
            )
        self.query = query
        self.body = body
        self.gives = gives
        self.media_type = media_type
        self.also = also
        self.body_as = body_as
        self.sends = sends
        self.problems = problems
        self.access = access
        self._read_query = QueryReader(query)
        self._read_body = body_reader(body)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the handler, or raise a 405 that lists the methods of all endpoints at this path."""
        if scope["method"] in (self.methods or ()):
            await self.app(scope, receive, send)
            return
        matching = [route for route in scope["app"].router.routes if route.matches(scope)[0] is Match.PARTIAL]
        allowed = sorted({method for route in matching for method in route.methods or ()})
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        arguments: list[schemas.Query | schemas.Request | TableBody] = []
        query = self._read_query(scope["query_string"])
        if self.query is not schemas.Query:
            arguments.append(query)
        limit = engine_of(request).settings.max_body_bytes
        table = await read_table_body(request, limit) if self.body_as else None
        body = table or await self._read_body(request, limit)
        if body is not None:
            arguments.append(body)
        await send_response(await self.endpoint(request, *arguments), scope, receive, send)


def access_of(route: BaseRoute | None) -> Access:
    """Who may call the route: bearers of a token, unless the route says otherwise."""
    return getattr(route, "access", Access.TOKEN)


def engine_of(request: Request) -> Engine:
    """The engine of the app that serves the request."""
    return cast("Engine", request.app.state.engine)
