"""
Bodies in and out: JSON decoded into a type, refused with the place of its first fault; JSON encoded.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

import schemas
from enrichment.web.problems import ProblemError

T = TypeVar("T")
Header = tuple[bytes, bytes]

HEADERS: Final[Sequence[Header]] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)

CONTENT_LENGTH: Final = re.compile(rb"\d{1,18}")
MAX_SHOWN: Final = 200  # characters of msgspec's words that are repeated; a field's name may be a megabyte long

# What msgspec 0.22 says: ``Expected `str`, got `int` - at `$.company_domain` ``. A field that is missing or unknown is
# named before the path, and at the root there is no path.
AT: Final = " - at `$"
FIELD: Final = re.compile(r"Object (?:missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


async def read_json(request: Request, decoder: msgspec.json.Decoder[T], *, limit: int, blank: bytes | None = None) -> T:
    """
    The request's body as the decoder's type, whatever content type it is said to have; `blank` stands for an empty one.

    Refused with 413 over `limit` bytes, 400 if it is not JSON or not whole, 422 if it is JSON of another shape.
    """
    body = await _read(request, limit)
    if blank is not None and not body.strip():
        body = blank
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec 0.22 lets the latter two through: bad UTF-8 inside a string, very deep nesting.
        what = (
            "it is empty"
            if not body
            else "it is nested too deeply"
            if isinstance(error, RecursionError)
            else str(error)
        )
        raise ProblemError(400, "malformed_json", f"The body is not JSON: {what}.") from None


async def _read(request: Request, limit: int) -> bytes:
    """The whole body, straight from the server: no generator, no `Headers` object, no exception on a disconnect."""
    for name, value in request.scope["headers"]:
        if name == b"content-length" and CONTENT_LENGTH.fullmatch(value) and int(value) > limit:
            raise _too_large(limit)
    body = b""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ProblemError(400, "incomplete_body", "The connection ended before the body did.")
        body += bytes(message.get("body", b""))
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return body


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "body_too_large", f"The body is larger than {limit} bytes, the most that is read.")


def _wrong_shape(message: str) -> ProblemError:
    """msgspec's words, with the place as a JSON pointer."""
    what, at, path = message.rpartition(AT) if AT in message else (message, "", "")
    steps = [name or index for name, index in STEP.findall(path.removesuffix("`"))]
    if field := FIELD.fullmatch(what):
        steps.append(field["name"][:MAX_SHOWN])
    pointer = "#" + "".join("/" + quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in steps)
    shown = what if len(what) <= MAX_SHOWN else what[:MAX_SHOWN] + "…"
    detail = f"{shown} (at {pointer})" if at else shown
    return ProblemError(422, "invalid_body", detail, errors=(schemas.FieldError(pointer=pointer, detail=shown),))


class Json(Response):
    """
    JSON that is encoded already, with headers that are bytes already.

    Starlette encodes every header of every response anew, which leads the profile of a GET.
    """

    def __init__(
        self,
        content: bytes,
        headers: Sequence[Header] = (),
        *,
        status: int = 200,
        background: BackgroundTask | None = None,
    ) -> None:
        self.status_code = status
        self.body = content
        self.background = background
        self.raw_headers = [*HEADERS, *headers, (b"content-length", b"%d" % len(content))]


class Start(BackgroundTask):
    """A background task of an async function; Starlette's own inspects it each time to find out that it is one."""

    def __init__(self, func: Callable[..., Awaitable[None]], *args: object) -> None:
        self.func = func
        self.args = args  # type: ignore[assignment]
        self.kwargs = {}  # type: ignore[assignment]
        self.is_async = True
