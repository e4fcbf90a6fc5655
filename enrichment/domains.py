"""
Company domains: any usual spelling to one canonical spelling, or an error that says what is wrong.

International names are mapped by the `idna` package (UTS 46, as browsers do), public suffixes are those of
`publicsuffixlist`, which includes a copy of https://publicsuffix.org/list/
"""

import functools
import re
from typing import Final

import idna
from publicsuffixlist import PublicSuffixList

from enrichment.errors import InvalidDomain, InvalidWebsite

MAX_INPUT: Final = 2_048  # characters; a longer URL is not a company's address
MAX_NAME: Final = 253  # characters, RFC 1035 section 2.3.4 without the length octets
MAX_SHOWN: Final = 80  # characters of the input that an error message quotes

SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)?://", re.IGNORECASE)
AUTHORITY_END: Final = re.compile(r"[/\\?#]")
PORT: Final = re.compile(r":(\d{0,5})\Z", re.ASCII)
LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# Names that `_normalized` returns unchanged, as a property test checks. Not calling it saves 2.4 µs of 4.7 for each
# domain that is not in the cache, which is 4 % of a `POST /enrich`.
PLAIN_NAME: Final = re.compile(rf"(?:(?!xn--){LABEL.pattern}\.)+[a-z]{{2,63}}", re.ASCII)
# What browsers take for the last part of an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker
NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)

# Names that never leave a private network: RFC 6761, RFC 6762 (with its appendix G), RFC 7686, RFC 8375, and .internal,
# which ICANN reserved in 2024. `.test` and `.example` are accepted: they are for trials.
PRIVATE_SUFFIXES: Final = (
    *(".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".private"),
    *(".home.arpa", ".onion", ".invalid"),
)


def canonical_domain(text: str, *, pointer: str | None = None) -> str:
    """
    Return the canonical spelling of the company domain in `text`: a domain, a URL or an e-mail address.

    The result is in lower case, without scheme, path, port, `www.` and final dot; an international name is in punycode.
    Subdomains are kept. The canonical spelling of the result is the result itself. Raises `InvalidDomain` with the
    reason; `pointer` is the JSON pointer to `text` in the caller's document.
    """
    try:
        return _canonical(text)
    except ValueError as error:
        _, at, rest = text.rpartition("@")  # a password may precede it
        shown = ("…@" if at else "") + (rest if len(rest) <= MAX_SHOWN else rest[:MAX_SHOWN] + "…")
        raise InvalidDomain(f"Invalid domain {shown!r}: {error}", pointer=pointer) from None


def website_domain(text: str, *, pointer: str | None = None) -> str:
    """
    Return the canonical domain of the website at `text`, a URL whose scheme may be missing.

    Unlike `canonical_domain`, this does not accept an e-mail address. Raises `InvalidWebsite`.
    """
    if "@" in _authority(text.strip()):
        reason = "it carries a user name, or is an e-mail address; give the website's address alone."
        raise InvalidWebsite(f"Invalid website: {reason}", pointer=pointer)
    try:
        return canonical_domain(text)
    except InvalidDomain as error:
        raise InvalidWebsite(str(error).replace("Invalid domain", "Invalid website", 1), pointer=pointer) from None


def warm_up() -> None:
    """Load the public suffix list, so that the first request does not wait for it."""
    _public_suffixes()


@functools.lru_cache(maxsize=1_000)  # most requests name a domain that was posted a short while ago
def _canonical(text: str) -> str:
    name = text.strip()
    if len(name) > MAX_NAME or not PLAIN_NAME.fullmatch(name):
        name = _normalized(name)
    _check_public(name)
    return _without_www(name)


def _normalized(text: str) -> str:
    """Return the host name in `text`, in lower case and punycode, with the spelling of each label checked."""
    name = _ascii(_host(text))
    _check_spelling(name)
    return name


def _host(text: str) -> str:
    """Return the host of a URL, domain or e-mail address."""
    if not text:
        raise ValueError("it is empty; a company's domain looks like 'example.com'.")
    if len(text) > MAX_INPUT:
        raise ValueError(f"it has {len(text)} characters; at most {MAX_INPUT} are read.")
    scheme = SCHEME.match(text)
    if scheme and (scheme[1] or "https").lower() not in ("http", "https"):
        raise ValueError("only http and https addresses are read.")
    name, at, host = _authority(text).rpartition("@")
    if at and (scheme or not name or ":" in name or "@" in name):
        raise ValueError("it carries a user name; give the domain alone.")
    if host.startswith("[") or host.count(":") > 1:
        raise ValueError("an IP address is not a company domain.")
    port = PORT.search(host)
    if port and int(port[1] or 0) > 65_535:
        raise ValueError("its port is not a port number.")
    return host[: port.start()] if port else host


def _authority(text: str) -> str:
    """Return user name, host and port of a URL, of which the scheme and `//` may be missing."""
    scheme = SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text.removeprefix("//")
    return AUTHORITY_END.split(rest, maxsplit=1)[0]


def _ascii(host: str) -> str:
    """Return the host in lower case and punycode, as a browser would send it."""
    lowered = host.lower()
    if lowered.isascii() and "xn--" not in lowered:
        return lowered.removesuffix(".")
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").removesuffix(".")
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"it is not a valid international domain name ({error}).") from None


def _check_spelling(domain: str) -> None:
    """Raise `ValueError` if the domain is an IP address, too long, or has a label that is not allowed."""
    labels = domain.split(".")
    if NUMBER.fullmatch(labels[-1]):
        raise ValueError("an IP address is not a company domain.")
    if len(domain) > MAX_NAME:
        raise ValueError(f"a domain has at most {MAX_NAME} characters, this one has {len(domain)}.")
    for label in labels:
        if not label:
            raise ValueError("there is nothing between two of its dots, or before the first.")
        if len(label) > 63:
            raise ValueError(f"a part between dots has at most 63 characters, one here has {len(label)}.")
        if not LABEL.fullmatch(label):
            raise ValueError(f"{label!r} may hold letters, digits and inner hyphens only.")


def _check_public(domain: str) -> None:
    """Raise `ValueError` if the domain is one that no company can register."""
    if f".{domain}".endswith(PRIVATE_SUFFIXES):
        raise ValueError("it is the name of a private network, not a public domain.")
    if "." not in domain:
        raise ValueError("it is a single label; a company's domain looks like 'example.com'.")
    if _public_suffixes().is_public(domain):
        raise ValueError("it is a public suffix, under which companies have their domains.")


def _without_www(domain: str) -> str:
    """Remove each leading `www.` unless only a public suffix would be left: `www.co.uk` can be registered."""
    bare = domain.removeprefix("www.")
    if bare == domain or _public_suffixes().is_public(bare):
        return domain
    return _without_www(bare)


@functools.cache
def _public_suffixes() -> PublicSuffixList:
    """
    Load the list, which takes some 30 ms, hence at first use and not at import.

    Its private section is left out: it lists domains of companies such as `weebly.com`.
    """
    return PublicSuffixList(only_icann=True)
