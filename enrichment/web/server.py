"""
The HTTP protocol for a server process of our own: `uvicorn service:app --http enrichment.web.server:LimitedProtocol`.
"""

import contextlib
import secrets
import socket
from asyncio import AbstractEventLoop, Transport
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

import schemas
from enrichment.web.bodies import encode
from enrichment.web.connections import ConnectionTable, Phase, too_many_connections
from enrichment.web.problems import ProblemError

MAX_HEAD_BYTES: Final = 32_768
MAX_HEADERS: Final = 100
MAX_TARGET_BYTES: Final = 8_192

PIECE_BYTES: Final = 1_024
"Bytes parsed at once, so that no more is made of them than the limits allow, before the limits are checked again."

UNSENT_BYTES: Final = 4_096
"Bytes of answers that wait in the process for the client to read, before the next one is held back, or in the kernel."

ALWAYS_ANSWERED: Final = frozenset({b"/health", b"/ready"})


class HeldFlow(FlowControl):
    """uvicorn's flow control, with reads that stay paused while `is_held`: it resumes them for every body."""

    is_held = False

    def resume_reading(self) -> None:
        """Resume reading unless it is held."""
        if not self.is_held:
            super().resume_reading()


class LimitedProtocol(HttpToolsProtocol):
    """
    uvicorn's httptools protocol with limits on connections, on the size of a head, and on the client's time.

    uvicorn has no such limits (seen with 0.54): 1,100 idle connections stopped it at 1,024 file descriptors, 20 endless
    heads took 665 MB, and one incomplete body kept the process from ending. `ConnectionTable` has the times.
    """

    phase = Phase.BUSY
    since = 0.0
    unsent = 0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        keep_alive = config.timeout_keep_alive
        self._table = ConnectionTable.of(server_state, backlog=config.backlog, keep_alive=keep_alive)
        self._expected = Phase.HEAD  # which part of a request the parser is in, or IDLE between two
        self._unused = 0  # bytes since the last head, piece of a body or end of a request was parsed
        self._held = b""  # what was received after the requests in `pipeline`
        self._is_refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Add the connection to the table, and bound what waits to be sent on it."""
        super().connection_made(transport)
        self.flow: HeldFlow = HeldFlow(transport)
        transport.set_write_buffer_limits(high=UNSENT_BYTES)
        with contextlib.suppress(AttributeError):
            transport.max_size = 16384
        with contextlib.suppress(OSError):  # not on a Unix socket
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 4 * UNSENT_BYTES)
        self._table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the table, and what refers to it in a circle: garbage is rarely collected."""
        self._table.remove(self)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self._held = b""
        self.pipeline.clear()
        self.cycle = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Parse the data, or keep it while requests that were received before it wait for their turn."""
        self._unset_keepalive_if_required()
        if self._is_refused:
            return
        if self.flow.is_held:
            self._held += data
            return
        self._parse(data)
        self._update_phase()

    def _parse(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            if self.pipeline:
                self._held = data[start:]
                self.flow.is_held = True
                self.flow.pause_reading()
                return
            piece = data[start : start + PIECE_BYTES]
            self._unused += len(piece)
            try:
                self.parser.feed_data(piece)
                self._check_size()
            except httptools.HttpParserUpgrade:
                pass  # the request is answered by HTTP/1.1, the only protocol there is
            except (httptools.HttpParserError, ProblemError) as error:
                problem = error if isinstance(error, ProblemError) else error.__context__
                self._refuse(problem if isinstance(problem, ProblemError) else _malformed())
                return

    def _check_size(self) -> None:
        """Raise a 431 or 414 if the head is too large. Trailers, and the sizes of chunks, are as limited as a head."""
        if self._unused > MAX_HEAD_BYTES or (self.headers is not None and len(self.headers) > MAX_HEADERS):
            limits = f"{MAX_HEAD_BYTES} bytes and {MAX_HEADERS} fields"
            raise ProblemError(431, "head_too_large", f"The head of the request is larger than {limits}.")

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._expected = Phase.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, or raise a problem with which `_parse` refuses it."""
        self._check_size()
        if len(self.url) > MAX_TARGET_BYTES:
            raise ProblemError(414, "target_too_long", f"The request's target is longer than {MAX_TARGET_BYTES} bytes.")
        if self._table.is_full and self.url not in ALWAYS_ANSWERED:
            raise too_many_connections()
        self._expected = Phase.BODY
        self._unused = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on."""
        self._unused = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Finish reading the request."""
        self._expected = Phase.IDLE
        self._unused = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next request that has been received."""
        super().on_response_complete()
        if self._held and not self.pipeline and not self.transport.is_closing():
            held, self._held = self._held, b""
            self.flow.is_held = False
            self._parse(held)
            self.flow.resume_reading()
        self._update_phase()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._update_phase()

    def resume_writing(self) -> None:
        """Go on sending."""
        super().resume_writing()
        self._update_phase()

    def _update_phase(self) -> None:
        if self.flow.write_paused:
            phase = Phase.BLOCKED
        elif self.pipeline or (self._is_answering() and self._expected is not Phase.BODY):
            phase = Phase.BUSY
        else:
            phase = self._expected
        if phase is not self.phase:
            self._table.enter(self, phase)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, problem: ProblemError) -> None:
        """Answer what cannot be parsed or served, after the requests before it, and close the connection."""
        self._is_refused = True
        self._table.count(problem.code)
        if self._is_answering() and self._expected is not Phase.BODY:
            self.cycle.keep_alive = False
        else:
            self.end(problem)

    def count_unsent(self) -> int:
        """Return how many bytes of answers wait in this process."""
        return self.transport.get_write_buffer_size()

    def end(self, problem: ProblemError | None) -> None:
        """Close the connection at once; with this answer if a request has begun, and no answer yet."""
        self._table.remove(self)
        is_requesting = self._unused > 0 or self._expected is Phase.BODY
        has_begun = self._is_answering() and (self.cycle.response_started or bool(self.pipeline))
        if problem and is_requesting and not has_begun and not self.flow.write_paused:
            self.transport.write(_response(problem, self.server_state.default_headers))
        if self.count_unsent():
            self.transport.abort()
        else:
            self.transport.close()


def _malformed() -> ProblemError:
    return ProblemError(400, "malformed_request", "The request is not HTTP/1.1.")


def _response(problem: ProblemError, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    request_id = secrets.token_hex(16)
    body = encode(
        schemas.Problem(
            type="about:blank",
            title=HTTPStatus(problem.status).phrase,
            status=problem.status,
            detail=problem.detail,
            instance="/",
            code=problem.code,
            request_id=request_id,
        )
    )
    headers = {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **problem.headers,
        "x-request-id": request_id,
        "content-length": str(len(body)),
        "connection": "close",
    }
    lines = [*default_headers, *((name.encode(), value.encode()) for name, value in headers.items())]
    return STATUS_LINE[problem.status] + b"".join(b"%s: %s\r\n" % line for line in lines) + b"\r\n" + body
