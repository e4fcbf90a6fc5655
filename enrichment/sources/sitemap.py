"""
Sitemaps: the addresses of a website's pages (https://www.sitemaps.org/protocol.html).
"""

import html
import re
import zlib
from itertools import islice
from typing import Final

MAX_BYTES: Final = 1_048_576
"Of a sitemap that are read, packed and unpacked. It may have 50 MB."
MAX_URLS: Final = 10_000

LOCATION: Final = re.compile(rb"<loc>\s*+(?:<!\[CDATA\[\s*+)?([^<\s]{1,2000})(?=[<\s])")
GZIP: Final = b"\x1f\x8b"


def read_sitemap(body: bytes) -> tuple[tuple[str, ...], bool]:
    """Return the addresses in a sitemap, which may be cut off, and whether they are those of further sitemaps."""
    if body.startswith(GZIP):
        try:
            body = zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES)
        except zlib.error:
            return (), False
    found = islice(LOCATION.finditer(body), MAX_URLS)
    return tuple(
        html.unescape(match[1].removesuffix(b"]]>").decode(errors="replace")) for match in found
    ), b"<sitemapindex" in body[:10_000]
