"""
The page at `/docs`: the files of the folder `docs`, which need no build and nothing from elsewhere.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

FOLDER: Final = Path(__file__).with_name("docs")
UP: Final = b"{up}"
"In the page, the way from its path to that of `/docs` without a final slash."

MEDIA_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
HEADERS: Final = {
    "cache-control": "no-cache",  # keep it, but ask each time whether it is still the same
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class PageFile(NamedTuple):
    """A file of the page, as it is sent."""

    content: bytes
    media_type: str
    etag: str

    def response_to(self, request: Request) -> Response:
        """Return the file, or a 304 without it if the client has the same."""
        headers = {**HEADERS, "etag": self.etag}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if self.etag in known or known == ["*"]:
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.media_type)


def read_files() -> Mapping[str, PageFile]:
    """Read the files, by name; the page itself is `""` for `/docs`, and `"/"` for `/docs/`."""
    files = {path.name: _page_file(path.read_bytes(), path.suffix) for path in FOLDER.iterdir()}
    page = files.pop("page.html").content
    return files | {
        "": _page_file(page.replace(UP, b""), ".html"),
        "/": _page_file(page.replace(UP, b"../"), ".html"),
    }


def _page_file(content: bytes, suffix: str) -> PageFile:
    return PageFile(content, MEDIA_TYPES[suffix], f'"{sha256(content).hexdigest()[:32]}"')
