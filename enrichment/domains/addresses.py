"""
Parsing of what people enter for a company's address: a domain, a URL, or an e-mail address.
"""

import re
from typing import Final, NamedTuple

# Characters without a glyph of their own, which copying from a page or a document leaves in a text: soft hyphens,
# zero-width and blank characters, direction marks, variation selectors, tags. The two joiners are left to `idn`: some
# names in Persian and in the scripts of India need them.
INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
ENCLOSING: Final = "<>\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e,;"

# `https://`, its frequent misspellings (`http:/`, `http:`, `https//`, `https://https://`), and `mailto:`. It matches in
# one way only, so the time is linear.
PREFIX: Final = re.compile(r"(?:https?(?::[/\\]*|[/\\]+)|mailto:[/\\]*|:?[/\\]{2,}|[/\\])*", re.IGNORECASE)
SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:[/\\]{2}", re.IGNORECASE)
SCHEME_WITHOUT_SLASHES: Final = re.compile(r"[a-z][a-z0-9+-]*:[^\d:]", re.IGNORECASE)
AUTHORITY_END: Final = re.compile(r"[/\\?#]")
IPV6: Final = re.compile(r"\[?[0-9a-f]*:[0-9a-f.]*:", re.IGNORECASE)
PORT: Final = re.compile(r":(\d{0,5})\Z", re.ASCII)


class Address(NamedTuple):
    """A host as it was spelled, the part of a URL after it, and whether it is that of an e-mail address."""

    host: str
    page: str
    is_email: bool


def parse(text: str) -> Address:
    """
    Parse a domain, a URL, or an e-mail address.

    Raises `ValueError` with the reason, which repeats nothing of the text, if it is none of these.
    """
    text = _trimmed(text)
    if not text:
        raise ValueError("it is empty; a company's domain looks like 'example.com'.")
    if "](" in text or text.lower().startswith("a href"):
        raise ValueError("it is a link in Markdown or HTML; give the address alone.")
    prefix, authority, page = _split(text)
    name, at, host = authority.rpartition("@")
    if IPV6.match(host):
        raise ValueError("an IP address is not a company domain.")
    if SCHEME.match(authority + page[:2]) or (not prefix and not at and SCHEME_WITHOUT_SLASHES.match(authority)):
        raise ValueError("only http and https addresses are read.")
    is_url = prefix and not prefix.lower().rstrip("/\\").endswith("mailto:")
    if at and (is_url or not name or ":" in name or "@" in name):
        raise ValueError("it carries a user name; give the domain alone.")
    if not host:
        raise ValueError("there is no domain in it; a company's domain looks like 'example.com'.")
    port = PORT.search(host)
    if port and int(port[1] or 0) > 65_535:
        raise ValueError("its port is not a port number.")
    return Address(host=(host[: port.start()] if port else host).strip(), page=page, is_email=bool(at))


def has_user_name(text: str) -> bool:
    """Whether there is a user name before the host, as in an e-mail address."""
    _, authority, _ = _split(_trimmed(text))
    return "@" in authority


def _trimmed(text: str) -> str:
    """Remove invisible characters, and quotation marks, angle brackets and commas around the text."""
    visible = text if text.isascii() else INVISIBLE.sub("", text)
    return visible.strip().strip(ENCLOSING).strip()


def _split(text: str) -> tuple[str, str, str]:
    """Split into `https://`, its misspellings or `mailto:`; user name, host and port; and what follows these."""
    prefix = PREFIX.match(text)
    start = prefix.end() if prefix else 0
    end = AUTHORITY_END.search(text, start)
    stop = end.start() if end else len(text)
    return text[:start], text[start:stop].lstrip(), text[stop:]
