"""
The outermost edge of the service: every request gets an id, every error an answer, and nothing passes it by.
"""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enrichment.logs import Event
from web.problems import answer

log = logging.getLogger(__name__)

SANE_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~:@+/=-]{1,128}")


class Endpoint:
    """
    A handler as an ASGI app, for a `Route`.

    Given the bare function, Starlette puts a wrapper of its own around it for exceptions, and another around the whole
    app; here that is the boundary's work, and doing it three times shows in a profile of a GET.
    """

    def __init__(self, handler: Callable[[Request], Awaitable[Response]]) -> None:
        self.handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.handler(Request(scope, receive))
        await response(scope, receive, send)


class Service(Starlette):
    """A Starlette application inside a boundary, without Starlette's two layers for exceptions."""

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return Boundary(app)


class Boundary:
    """
    Pure ASGI middleware.

    An exception that reached the server would make uvicorn close the connection, on which the next request, perhaps of
    another person behind the same proxy, may already be under way (uvicorn issue 3153, seen with 0.54). So an error
    becomes an answer here; only a response that broke off in its middle is left to the server to cut.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        request_id = _request_id(scope)
        scope["enrichment.request_id"] = request_id.decode("ascii")
        begun = ended = False

        async def send_with_id(message: Message) -> None:
            nonlocal begun, ended
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", request_id)]}
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            if not begun:
                response = await answer(Request(scope), error)
                await response(scope, receive, send_with_id)
                return
            log.exception(Event("response broken", request_id=scope["enrichment.request_id"], path=scope["path"]))
            if not ended:
                raise


def _request_id(scope: Scope) -> bytes:
    """The caller's id if it is one that may stand in a header and a log line, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_REQUEST_ID.fullmatch(value):
            return bytes(value)
    return secrets.token_hex(16).encode("ascii")
