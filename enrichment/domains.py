"""
What people type → one canonical company domain, or a clear refusal.

IDNA is the `idna` package's work (UTS 46, as browsers map it). Public suffixes are those of the list that
`publicsuffixlist` carries inside: https://publicsuffix.org/list/
"""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import idna
from publicsuffixlist import PSLFILE

from enrichment.errors import InvalidDomain, InvalidWebsite

MAX_INPUT: Final = 2_048  # characters; a URL longer than this is no company's address
MAX_NAME: Final = 253  # characters, RFC 1035 section 2.3.4 less the length octets
MAX_SHOWN: Final = 80  # characters of the input that a refusal repeats

ICANN_ENDS: Final = "// ===END ICANN DOMAINS==="

SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)?://", re.IGNORECASE)
PORT: Final = re.compile(r":(\d{0,5})\Z", re.ASCII)
LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# A name as most callers write it, of which nothing is to be cut off or translated; it takes half the time.
PLAIN_NAME: Final = re.compile(rf"(?:(?!xn--){LABEL.pattern}\.)+[a-z]{{2,63}}", re.ASCII)
# What browsers take for the last part of an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker
NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)

# Names that never leave a private network: RFC 6761, RFC 6762 (with its appendix G), RFC 7686, RFC 8375, and .internal,
# which ICANN set aside in 2024. `.test` and `.example` are for trying things out, and do no harm here.
PRIVATE_SUFFIXES: Final = (
    *(".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".private"),
    *(".home.arpa", ".onion", ".invalid"),
)


def canonical_domain(text: str, *, pointer: str | None = None) -> str:
    """
    The one spelling of the company domain that `text` names: a domain, a URL or an e-mail address.

    Trimmed, lower case, without scheme, path, port, `www.` and final dot, IDN as punycode. Subdomains stay. The result
    is its own canonical spelling. Raises `InvalidDomain` saying what is wrong, with `pointer` as the place.
    """
    try:
        return _canonical(text)
    except ValueError as error:
        _, at, rest = text.rpartition("@")  # what stands before it may be a password
        shown = ("…@" if at else "") + (rest if len(rest) <= MAX_SHOWN else rest[:MAX_SHOWN] + "…")
        raise InvalidDomain(f"Invalid domain {shown!r}: {error}", pointer=pointer) from None


@functools.lru_cache(maxsize=1_000)
def _canonical(text: str) -> str:
    """Kept for a while, because whoever has posted a domain asks for it again and again."""
    name = text.strip()
    if len(name) > MAX_NAME or not PLAIN_NAME.fullmatch(name):
        name = _checked(_ascii(_host(name)))
    return _without_www(_public(name))


def website_domain(text: str, *, pointer: str | None = None) -> str:
    """
    The canonical domain of the website at `text`, a URL whose scheme may be missing. Stricter than `canonical_domain`:
    an e-mail address is none. Raises `InvalidWebsite`.
    """
    authority = re.split(r"[/\\?#]", SCHEME.sub("", text.strip(), count=1).removeprefix("//"), maxsplit=1)[0]
    if "@" in authority:
        reason = "it carries a user name, or is an e-mail address; give the website's address alone."
        raise InvalidWebsite(f"Invalid website: {reason}", pointer=pointer)
    try:
        return canonical_domain(text)
    except InvalidDomain as error:
        raise InvalidWebsite(str(error).replace("Invalid domain", "Invalid website", 1), pointer=pointer) from None


def _host(text: str) -> str:
    """Cut everything off that stands around the host's name."""
    if not text:
        raise ValueError("it is empty; a company's domain looks like 'example.com'.")
    if len(text) > MAX_INPUT:
        raise ValueError(f"it has {len(text)} characters; at most {MAX_INPUT} are read.")
    scheme = SCHEME.match(text)
    if scheme and (scheme[1] or "https").lower() not in ("http", "https"):
        raise ValueError("only http and https addresses are read.")
    rest = text[scheme.end() :] if scheme else text.removeprefix("//")
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    name, at, host = authority.rpartition("@")
    if at and (scheme or not name or ":" in name or "@" in name):
        raise ValueError("it carries a user name; give the domain alone.")
    if host.startswith("[") or host.count(":") > 1:
        raise ValueError("an IP address is not a company domain.")
    port = PORT.search(host)
    if port and int(port[1] or 0) > 65_535:
        raise ValueError("its port is not a port number.")
    return host[: port.start()] if port else host


def _ascii(host: str) -> str:
    """Lower case and punycode, as a browser would send it."""
    lowered = host.lower()
    if lowered.isascii() and "xn--" not in lowered:
        return lowered.removesuffix(".")
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").removesuffix(".")
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"it is not a valid international domain name ({error}).") from None


def _checked(domain: str) -> str:
    """The domain, if it is one by its spelling."""
    labels = domain.split(".")
    if NUMBER.fullmatch(labels[-1]):
        raise ValueError("an IP address is not a company domain.")
    if len(domain) > MAX_NAME:
        raise ValueError(f"a domain has at most {MAX_NAME} characters, this one has {len(domain)}.")
    for label in labels:
        _check_label(label)
    return domain


def _public(domain: str) -> str:
    """The domain, if it is one that a company could have in public."""
    if f".{domain}".endswith(PRIVATE_SUFFIXES):
        raise ValueError("it is the name of a private network, not a public domain.")
    if "." not in domain:
        raise ValueError("it is a single label; a company's domain looks like 'example.com'.")
    if _is_suffix(domain):
        raise ValueError("it is a public suffix, under which companies have their domains.")
    return domain


def _check_label(label: str) -> None:
    if not label:
        raise ValueError("there is nothing between two of its dots, or before the first.")
    if len(label) > 63:
        raise ValueError(f"a part between dots has at most 63 characters, one here has {len(label)}.")
    if not LABEL.fullmatch(label):
        raise ValueError(f"{label!r} may hold letters, digits and inner hyphens only.")


def _without_www(domain: str) -> str:
    """`www.` taken off as long as a domain is left: `www.co.uk` is somebody's, `co.uk` is nobody's."""
    bare = domain.removeprefix("www.")
    if bare == domain or "." not in bare or _is_suffix(bare):
        return domain
    return _without_www(bare)


def _is_suffix(domain: str) -> bool:
    """
    Whether it is a public suffix: a rule of the list, or what a rule with a wildcard stands for and no exception takes
    out. `publicsuffixlist` would tell the same and more, for 3 % of the service's work on a `POST /enrich`.
    """
    rules = _rules()
    return domain in rules or (f"*.{domain.partition('.')[2]}" in rules and f"!{domain}" not in rules)


@functools.cache
def _rules() -> frozenset[str]:
    """
    The rules of ICANN's part of the list, which is the first; its private part (`weebly.com`) has companies in it.

    Reads a file for some 20 ms, hence at first use and never at import.
    """
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        return frozenset(_icann_rules(lines))


def _icann_rules(lines: Iterable[str]) -> Iterator[str]:
    """Each rule, in punycode, and what is before its wildcard: nobody's, as that library takes it."""
    for line in itertools.takewhile(lambda line: not line.startswith(ICANN_ENDS), lines):
        if rule := line.partition("//")[0].strip():
            ascii_rule = rule if rule.isascii() else rule.encode("idna").decode("ascii")
            yield ascii_rule
            yield ascii_rule.removeprefix("*.")


def warm_up() -> None:
    """Read the list now, so that the first request does not wait for it."""
    _rules()
