"""
Events as they happen: server-sent events, or the same as lines of JSON.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

import msgspec
from starlette.responses import StreamingResponse

HEARTBEAT_SECONDS: Final = 15  # routers close what is silent for longer: Heroku's after 55 s
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
SSE: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"

Named = tuple[str, msgspec.Struct]
"An event: its name and its data."

_encode = msgspec.json.Encoder().encode


def stream(events: AsyncGenerator[Named, None], media_type: str, *, after: int = 0) -> StreamingResponse:
    """
    The events, numbered from 1, as one of the two media types; those up to `after` have been received before.

    A silent stream says every 15 seconds that it is alive. The iterator is closed when the client goes away.
    """
    line = _sse if media_type == SSE else _ndjson
    return StreamingResponse(_lines(events, line, after), media_type=media_type, headers=HEADERS)


async def _lines(
    events: AsyncGenerator[Named, None], line: Callable[[int, str, bytes], bytes], after: int
) -> AsyncIterator[bytes]:
    if line is _sse:
        yield b"retry: 2000\n\n"
    number = 0
    coming: asyncio.Future[Named] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([coming], timeout=HEARTBEAT_SECONDS)
            if not done:
                yield b": alive\n\n" if line is _sse else line(number, "heartbeat", b"{}")
                continue
            try:
                name, data = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            number += 1
            if number > after:
                yield line(number, name, _encode(data))
    finally:
        # A generator cannot be closed while its next item is awaited: stop that first, and let it see so.
        if coming and not coming.done():
            coming.cancel()
            await asyncio.wait([coming])
        await events.aclose()


def _sse(number: int, name: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)


def _ndjson(number: int, name: str, data: bytes) -> bytes:
    return b'{"id":%d,"event":"%s","data":%s}\n' % (number, name.encode(), data)
