"""
The HTTP protocol for a server process of our own: `uvicorn service:app --http enrichment.web.server:LimitedProtocol`.
"""

import contextlib
import secrets
import socket
from asyncio import AbstractEventLoop, Transport
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from enrichment.web.bodies import encode
from enrichment.web.connections import ConnectionTable, Phase, State, too_many_connections
from enrichment.web.problems import ProblemError, problem_body

MAX_HEAD_BYTES: Final = 32_768
MAX_HEADERS: Final = 100
MAX_TARGET_BYTES: Final = 8_192

PIECE_BYTES: Final = 1_024
"Bytes parsed before the limits are checked again: 64 requests without a header, of 3 kB of memory each."

READ_BYTES: Final = 16_384
"Bytes read from a connection at once."

UNSENT_BYTES: Final = 4_096
"Bytes of answers that wait in the process before the next piece is held back."

KERNEL_UNSENT_BYTES: Final = 16_384
"Bytes that the kernel keeps for the client beyond what fits into the client's window."

ALWAYS_ANSWERED: Final = frozenset({b"/health", b"/ready"})


class LimitedProtocol(HttpToolsProtocol):
    """
    uvicorn's httptools protocol with limits on connections, on the size of a head, and on the client's time.

    uvicorn has no such limits (seen with 0.54): 1,100 idle connections stopped it at 1,024 file descriptors, 20 endless
    heads took 665 MB, and one incomplete body kept the process from ending. `ConnectionTable` has the times.
    """

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
        self.seen = State(Phase.HEAD, 0, 0)
        self.since = 0.0
        self.headers = []
        self._running: RequestResponseCycle | None = None  # `cycle` is the one that was received last
        self._requests = 0
        self._overhead = 0  # bytes received since the last head, or piece of a body, was complete
        self._held = b""  # what was received after the requests in `pipeline`
        self._is_refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Add the connection to the table, and bound what waits on it."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=UNSENT_BYTES)
        with contextlib.suppress(AttributeError):  # uvloop's has none
            transport.max_size = READ_BYTES  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):  # of a Unix socket
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_UNSENT_BYTES)
        self._table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection, and its references to itself: garbage is collected rarely."""
        self._table.remove(self)
        self._unset_keepalive_if_required()
        self._disconnect()
        super().connection_lost(exc)
        self._held = b""
        self.pipeline.clear()
        self.cycle = self._running = None  # type: ignore[assignment]

    def _disconnect(self) -> None:
        """Let the application know; uvicorn does so only if no other request is waiting."""
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parse the data, or keep it while requests that were received before it wait for their turn."""
        self._unset_keepalive_if_required()
        if self.pipeline or len(data) > PIECE_BYTES:
            self._parse_pieces(self._held + data)
        else:
            self._parse(data)

    def _parse_pieces(self, data: bytes) -> None:
        self._held = b""
        for start in range(0, len(data), PIECE_BYTES):
            if self.pipeline:
                self._held = data[start:]
                self.transport.pause_reading()
                self.flow.read_paused = False  # so that uvicorn does not resume it, as it does for every body
                return
            self._parse(data[start : start + PIECE_BYTES])

    def _parse(self, piece: bytes) -> None:
        if self._is_refused:
            return
        self._overhead += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            pass  # the request is answered by HTTP/1.1, the only protocol there is
        except httptools.HttpParserError as error:
            problem = error.__context__
            self._refuse(problem if isinstance(problem, ProblemError) else malformed_request())
            return
        if self._overhead > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refuse(head_too_large())

    def on_headers_complete(self) -> None:
        """Start the request, or raise a problem with which `_parse` refuses it."""
        if len(self.headers) > MAX_HEADERS:
            raise head_too_large()
        if len(self.url) > MAX_TARGET_BYTES:
            raise target_too_long()
        if len(self.tasks) >= self._table.max_busy and self.url not in ALWAYS_ANSWERED and not self._table.has_room():
            raise too_many_connections()
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        self._requests += 1
        self._overhead = 0

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on. What is not body, trailers and the sizes of chunks, is limited as heads are."""
        self._overhead = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Start the next request that has been received."""
        if self.pipeline:
            self._running, _ = self.pipeline[-1]
        super().on_response_complete()
        if self._held and not self.pipeline and not self.transport.is_closing():
            self.transport.resume_reading()
            self._parse_pieces(self._held)

    def pause_writing(self) -> None:
        """Count what waits for the client to read it."""
        super().pause_writing()
        self._table.block(self.transport.get_write_buffer_size())

    def state(self) -> State:
        """Return what the connection is doing."""
        return State(self._phase(), self._requests, self.transport.get_write_buffer_size())

    def _phase(self) -> Phase:
        cycle = self.cycle
        if self.flow.write_paused:
            return Phase.BLOCKED
        if self.pipeline:
            return Phase.BUSY
        if cycle is None or (cycle.response_complete and cycle.scope is not self.scope):
            return Phase.HEAD
        if cycle.more_body:
            return Phase.BODY
        return Phase.IDLE if cycle.response_complete else Phase.BUSY

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, problem: ProblemError) -> None:
        """Answer what cannot be parsed or served, after the requests before it, and close the connection."""
        self._is_refused = True
        self._table.count(problem.code)
        if self._is_answering() and not self.cycle.more_body:
            self.cycle.keep_alive = False
        else:
            self.end(problem)

    def end(self, problem: ProblemError | None) -> None:
        """Close the connection at once; with this answer if a request has begun, and no answer yet."""
        self._table.remove(self)
        is_answering = self._is_answering()
        is_requesting = is_answering or self._overhead > 0
        has_begun = is_answering and (self.cycle.response_started or bool(self.pipeline))
        if problem and is_requesting and not has_begun and not self.flow.write_paused:
            self.transport.write(_response(problem, self.root_path, self.server_state.default_headers))
        self._disconnect()
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


def malformed_request() -> ProblemError:
    """Return the answer to what cannot be parsed."""
    return ProblemError(400, "malformed_request", "The request is not HTTP/1.1.")


def target_too_long() -> ProblemError:
    """Return the answer to a request line that is over the limit."""
    return ProblemError(414, "target_too_long", f"The request's target is longer than {MAX_TARGET_BYTES} bytes.")


def head_too_large() -> ProblemError:
    """Return the answer to a head that is over a limit."""
    limits = f"{MAX_HEAD_BYTES} bytes and {MAX_HEADERS} fields"
    return ProblemError(431, "head_too_large", f"The head of the request is larger than {limits}.")


def _response(problem: ProblemError, root_path: str, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    request_id = secrets.token_hex(16)
    body = encode(problem_body(problem, "/", request_id, root_path=root_path))
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
