"""
Streams of events: server-sent events, or the same as lines of JSON.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

import msgspec
from starlette.responses import StreamingResponse

HEARTBEAT_SECONDS: Final = 15  # proxies close idle connections: Heroku's router after 55 s
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
SSE: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"

NamedEvent = tuple[str, msgspec.Struct]
"The name of an event and its data."

_encode = msgspec.json.Encoder().encode


def stream(events: AsyncGenerator[NamedEvent, None], media_type: str, *, after: int = 0) -> StreamingResponse:
    """
    Stream events as one of the two media types, numbered from 1. Events up to number `after` are skipped.

    A heartbeat is sent after 15 seconds without an event. The generator is closed when the client disconnects.
    """
    format_event = _sse if media_type == SSE else _ndjson
    return StreamingResponse(_chunks(events, format_event, after), media_type=media_type, headers=HEADERS)


async def _chunks(
    events: AsyncGenerator[NamedEvent, None], format_event: Callable[[int, str, bytes], bytes], after: int
) -> AsyncIterator[bytes]:
    if format_event is _sse:
        yield b"retry: 2000\n\n"
    number = 0
    pending: asyncio.Future[NamedEvent] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([pending], timeout=HEARTBEAT_SECONDS)
            if not done:
                yield b": alive\n\n" if format_event is _sse else format_event(number, "heartbeat", b"{}")
                continue
            try:
                name, data = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            number += 1
            if number > after:
                yield format_event(number, name, _encode(data))
    finally:
        # A generator that is waiting for its next item cannot be closed, so cancel the wait first.
        if pending and not pending.done():
            pending.cancel()
            await asyncio.wait([pending])
        await events.aclose()


def _sse(number: int, name: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)


def _ndjson(number: int, name: str, data: bytes) -> bytes:
    return b'{"id":%d,"event":"%s","data":%s}\n' % (number, name.encode(), data)
