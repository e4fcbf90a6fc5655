"""
What is sent to outside services, and what they answer.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar

import httpx2
import msgspec

from enrichment.sources.failures import (
    AuthError,
    BadRequest,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unauthorized,
    UpstreamError,
)

T = TypeVar("T")

# fmt: off
ENCODINGS: Final = frozenset({
    "ascii", "us-ascii", "utf-16", "utf-16be", "utf-16le", "latin1",
    *(f"iso-8859-{number}" for number in range(1, 17) if number != 12),
    *(f"windows-{number}" for number in range(1250, 1259)),
    "koi8-r", "koi8-u", "macintosh", "big5", "big5-hkscs", "euc-jp", "euc-kr", "gb2312", "gb18030", "gbk",
    "iso-2022-jp", "shift_jis", "shift-jis",
})
# fmt: on
"Of text on the web. Python has others of which some fail otherwise than with `replace`, such as `idna`."

SECRET_PARAMETERS: Final = frozenset({"key", "api_key", "apikey", "api-key", "token", "access_token", "crumb"})
"Names of query parameters, in lower case, whose values are secret."
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE | re.ASCII)


def citable(url: str | httpx2.URL) -> str:
    """Return the URL without user name, password, secret parameters and fragment."""
    url = httpx2.URL(url)
    shown = [(name, value) for name, value in url.params.multi_items() if name.lower() not in SECRET_PARAMETERS]
    url = url.copy_with(username=None, password=None, fragment=None)
    return str(url if len(shown) == len(url.params.multi_items()) else url.copy_with(params=shown or None))


def decode(body: bytes, content_type: str) -> str:
    """Return a body as text, in the encoding that its content type names, or else UTF-8."""
    charset = CHARSET.search(content_type)
    encoding = charset[1].lower() if charset else ""
    return body.decode(encoding if encoding in ENCODINGS else "utf-8", errors="replace")


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request, sent with POST if there is something to send as `json`, else with GET."""

    url: str
    params: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    json: Any = None

    def __repr__(self) -> str:
        return f"<HttpRequest to {citable(self.url)}>"


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """
    An answer.

    `url` is where the last redirect led, without keys. `headers` have case-insensitive names. `retry_after` is the
    header of that name, in seconds.
    """

    status: int
    url: str
    headers: httpx2.Headers
    body: bytes
    retry_after: float | None = None

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status} from {self.url}>"

    @property
    def is_redirect(self) -> bool:
        """Whether it leads to another address, which is in the header `Location`."""
        return self.status in REDIRECTS and "location" in self.headers

    @property
    def text(self) -> str:
        """The body as text, in the encoding that its header names, or else UTF-8."""
        return decode(self.body, self.headers.get("content-type", ""))

    def json(self, shape: type[T]) -> T:
        """Decode the body. Raise `ParseError` if it has another shape."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except msgspec.ValidationError as error:
            raise ParseError(f"Its answer has an unexpected form: {error}.") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ParseError("Its answer is not JSON, or is cut off.") from None

    def raise_for_status(self) -> Self:
        """Return the response if it was successful; else raise the failure that its status usually stands for."""
        match self.status:
            case 401:
                raise Unauthorized("It refuses access, with status 401.")
            case 403:
                raise AuthError("It refuses access, with status 403.")
            case 402:
                raise QuotaExhausted("Its quota is exhausted.")
            case 404 | 410:
                raise NotFound("It does not know this company.")
            case 429:
                raise RateLimited("It has received too many requests.", retry_after=self.retry_after)
            case 503 if self.retry_after is not None:
                raise RateLimited("It is overloaded.", retry_after=self.retry_after)
            case 502 | 503 | 504:
                raise Transient(f"It answered with status {self.status}.")
            case status if status >= 500:
                raise UpstreamError(f"It answered with status {status}.")
            case status if status >= 300:
                raise BadRequest(f"It does not accept the request, with status {status}.")
        return self
