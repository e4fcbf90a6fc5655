"""
Bodies in and out: JSON decoded into a type, refused with the place of its first fault; JSON encoded.
"""

import codecs
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import schemas
from enrichment.web import hints
from enrichment.web.problems import ProblemError

T = TypeVar("T")
Header = tuple[bytes, bytes]

encode: Final = msgspec.json.Encoder().encode

HEADERS: Final[Sequence[Header]] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)

CONTENT_LENGTH: Final = re.compile(rb"\d{1,18}")
TABLE_TYPES: Final = frozenset({"text/csv", "application/csv", "text/tab-separated-values"})
CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
BYTE_ORDER_MARK: Final = codecs.BOM_UTF8  # RFC 8259 lets a parser ignore it
LONE_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
MAX_SHOWN: Final = 500  # characters of msgspec's words that are repeated; a field's name may be a megabyte long

# What msgspec 0.22 says: ``Expected `str`, got `int` - at `$.company_domain` ``. A field that is missing or unknown is
# named before the path, and at the root there is no path.
AT: Final = " - at `$"
MISSING_FIELD: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
WRONG_VALUE: Final = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


BodyReader = Callable[[Request, int], Awaitable[schemas.Request | None]]


def body_reader(shape: type[schemas.Request] | None) -> BodyReader:
    """
    A function that reads a request's body, of a limited number of bytes, into the shape; without one, none is taken.

    It reads JSON of any content type and raises a `ProblemError`: 413 over the limit, 415 if it is compressed, 400 if
    it is not JSON or not whole, 422 if it is JSON of another shape. A body whose fields all have defaults may be
    missing, empty or null.
    """
    if shape is None:
        return _read_nothing
    decode = _decoder(shape)
    required = [field.name for field in msgspec.structs.fields(shape) if field.required]

    async def read(request: Request, limit: int) -> schemas.Request | None:
        content = (await _read(request, limit)).removeprefix(BYTE_ORDER_MARK)
        if not required and content.strip() in (b"", b"null"):
            return shape()
        if not content.strip():
            raise bad_body("#", f"The body is empty; it needs {', '.join(required)}.")
        try:
            return decode(content)
        except msgspec.ValidationError as error:
            raise _wrong_shape(shape, str(error)) from None
        except RecursionError:
            raise _not_json("it is nested too deeply") from None
        except (
            msgspec.DecodeError,
            UnicodeDecodeError,
        ) as error:  # the latter for bad UTF-8 in a string
            raise _not_json(_fault(content, str(error))) from None

    return read


def _decoder(shape: type[T]) -> Callable[[bytes], T]:
    """A function that decodes JSON into the shape."""
    decode_strictly = msgspec.json.Decoder(shape).decode

    def decode(content: bytes) -> T:
        try:
            return decode_strictly(content)
        except msgspec.ValidationError as error:
            if "got `float`" not in str(error):
                raise
            return msgspec.convert(_with_integers(msgspec.json.decode(content)), shape)

    return decode


def _with_integers(value: Any) -> Any:
    """The value with integers in the place of floats that are whole: 2.0 is an integer in JSON Schema."""
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_integers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


class TableBody(NamedTuple):
    """A body of CSV as it was sent, and the charset that its content type names."""

    content: bytes
    charset: str | None


async def read_table_body(request: Request, limit: int) -> TableBody | None:
    """Read the body if its content type is that of a table, else return None."""
    content_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if content_type.strip().lower() not in TABLE_TYPES:
        return None
    charset = CHARSET.search(parameters)
    return TableBody(await _read(request, limit), charset[1] if charset else None)


async def _read_nothing(request: Request, limit: int) -> None:
    if (await _read(request, limit)).strip() not in (b"", b"null", b"{}"):
        raise bad_body("#", "No body is taken here; send parameters in the query.")


def _not_json(fault: str) -> ProblemError:
    return _refused_body(400, "malformed_json", f"The body is not JSON: {fault}.")


def _fault(content: bytes, message: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:2]:
        return "it is UTF-16; JSON is sent as UTF-8"
    if LONE_SURROGATE.search(content):
        return "it has half of a surrogate pair, which is no character"
    return message


async def _read(request: Request, limit: int) -> bytes:
    """The whole body, straight from the server: no generator, no `Headers` object, no exception on a disconnect."""
    for name, value in request.scope["headers"]:
        if name == b"content-length" and CONTENT_LENGTH.fullmatch(value) and int(value) > limit:
            raise _too_large(limit)
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            detail = "The body is compressed, which is not supported; send it without Content-Encoding."
            raise ProblemError(415, "unsupported_encoding", detail, headers={"accept-encoding": "identity"})
    body = bytearray()  # small pieces are appended in place
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise _refused_body(400, "incomplete_body", "The connection ended before the body did.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limit: int) -> ProblemError:
    return _refused_body(413, "body_too_large", f"The body is larger than {limit} bytes, the most that is read.")


def _refused_body(status: int, code: str, detail: str) -> ProblemError:
    return ProblemError(status, code, detail, errors=(schemas.FieldError(pointer="#", detail=detail),))


def _wrong_shape(shape: type[schemas.Request], message: str) -> ProblemError:
    """The refusal of JSON of another shape: msgspec's message, or better words, with the place as a JSON pointer."""
    what, at, path = message.rpartition(AT) if AT in message else (message, "", "")
    steps = [name or index for name, index in STEP.findall(path.removesuffix("`"))]
    place = hints.type_at(shape, steps)
    if unknown := UNKNOWN_FIELD.fullmatch(what):
        what = hints.unknown_name("field", unknown[1], hints.field_names(place))
        steps.append(unknown[1][:MAX_SHOWN])
    elif missing := MISSING_FIELD.fullmatch(what):
        steps.append(missing[1])
    elif wrong := WRONG_VALUE.fullmatch(what):
        what = hints.not_possible(wrong[1], place)
    pointer = json_pointer(steps)
    return bad_body(pointer, what if len(what) <= MAX_SHOWN else what[:MAX_SHOWN] + "…", has_path=bool(at))


def json_pointer(steps: Sequence[str]) -> str:
    """The place in a document, as an RFC 6901 JSON pointer in a URI fragment."""
    return "#" + "".join("/" + quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in steps)


def bad_body(pointer: str, detail: str, *, has_path: bool = False) -> ProblemError:
    """The 422 for what is wrong at a place in the body."""
    error = schemas.FieldError(pointer=pointer, detail=detail)
    return ProblemError(422, "invalid_body", f"{detail} (at {pointer})" if has_path else detail, errors=(error,))


class EncodedJSON(Response):
    """
    A response whose JSON and headers are bytes already.

    Starlette encodes every header of every response anew, which costs 8 µs of a POST and 5 µs of a GET.
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


def json_response(body: schemas.Response, headers: Sequence[Header] = ()) -> Response:
    """A 200 with the body as JSON."""
    return EncodedJSON(encode(body), headers)


def accepted(
    request: Request, body: schemas.Response, path: str, headers: Sequence[Header], task: BackgroundTask
) -> Response:
    """
    A 202 whose `Location` is `path` as the caller has to write it, wherever the app is mounted; then the task.

    Starlette's `url_for` would search the host's router for our routes, and prepend the Host header, which callers
    choose.
    """
    location = quote(request.scope.get("root_path", "")) + path
    return EncodedJSON(encode(body), (*headers, (b"location", location.encode("ascii"))), status=202, background=task)


def retry_after(seconds: int) -> Header:
    """The header that says when to ask again."""
    return b"retry-after", b"%d" % seconds


async def send_response(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """
    Send the response, then run its background task.

    The task runs in any case. Starlette drops it when the sending fails or is cancelled, as when the client has left;
    but the job has been accepted by then, and would wait for ever.
    """
    task, response.background = response.background, None
    try:
        await response(scope, receive, send)
    finally:
        if task:
            await task()


class AsyncTask(BackgroundTask):
    """A background task of an async function; Starlette's own inspects the function every time to find that out."""

    def __init__(self, func: Callable[..., Awaitable[None]], *args: object) -> None:
        self.func = func
        self.args = args  # type: ignore[assignment]
        self.kwargs = {}  # type: ignore[assignment]
        self.is_async = True
