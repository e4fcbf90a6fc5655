"""
Company domains: any usual spelling to one canonical spelling, or an error that says what is wrong.
"""

import functools
import re
from typing import Final

from enrichment.domains.addresses import has_user_name, parse
from enrichment.domains.idn import to_ascii
from enrichment.domains.platforms import check_email, check_page, known_platforms
from enrichment.domains.suffixes import check_registrable, is_registrable, registrable_domain, suffix_list
from enrichment.errors import InvalidDomain, InvalidWebsite

__all__ = ["canonical_domain", "registrable_domain", "shown", "warm_up", "website_domain"]

MAX_INPUT: Final = 2_048  # characters; a longer URL is not a company's address
MAX_NAME: Final = 253  # characters, RFC 1035 section 2.3.4 without the length octets
MAX_SHOWN: Final = 80  # characters of the input that an error message quotes
MAX_QUOTED: Final = 120  # characters of the quotation: one that cannot be printed is escaped by up to ten

AT: Final = re.compile(r"@|%40|\uff20", re.IGNORECASE)
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
    *(".home.arpa", ".onion"),
)
SPECIAL_SUFFIXES: Final = (".invalid", ".alt", ".arpa")  # RFC 6761, RFC 9476, RFC 3172


def canonical_domain(text: str, *, pointer: str | None = None) -> str:
    """
    Return the canonical spelling of the company domain in `text`: a domain, a URL or an e-mail address.

    The result is in lower case, without scheme, path, port, `www.` and final dot; an international name is in punycode.
    Subdomains are kept. The canonical spelling of the result is the result itself. Raises `InvalidDomain` with the
    reason; `pointer` is the JSON pointer to `text` in the caller's document.
    """
    if len(text) > MAX_INPUT:
        raise _refused(text, f"it has {len(text)} characters; at most {MAX_INPUT} are read.", pointer)
    try:
        return _canonical(text)
    except ValueError as error:
        raise _refused(text, str(error), pointer) from None


def website_domain(text: str, *, pointer: str | None = None) -> str:
    """
    Return the canonical domain of the website at `text`, a URL whose scheme may be missing.

    Unlike `canonical_domain`, this does not accept an e-mail address. Raises `InvalidWebsite`.
    """
    if has_user_name(text):
        reason = "it carries a user name, or is an e-mail address; give the website's address alone."
        raise InvalidWebsite(f"Invalid website: {reason}", pointer=pointer)
    try:
        return canonical_domain(text)
    except InvalidDomain as error:
        raise InvalidWebsite(str(error).replace("Invalid domain", "Invalid website", 1), pointer=pointer) from None


def shown(text: str) -> str:
    """Return what may be repeated of a text that is no domain: not what precedes an "@", which may be a password."""
    *secrets, rest = AT.split(text)
    cut = rest if len(rest) <= MAX_SHOWN else rest[:MAX_SHOWN] + "…"
    return f"…@{cut}" if secrets else cut


def warm_up() -> None:
    """Load the public suffix list and the platforms, so that the first request does not wait for them."""
    suffix_list()
    known_platforms()


@functools.lru_cache(maxsize=1_000)  # most requests name a domain that was posted a short while ago
def _canonical(text: str) -> str:
    name, suggest = text.strip(), True
    if len(name) > MAX_NAME or not PLAIN_NAME.fullmatch(name):
        address = parse(name)
        name = _normalized(address.host)
        if address.is_email:
            check_email(name)
        check_page(name, address.page)
        suggest = not AT.search(address.page)  # the host then precedes an "@", and is perhaps no host
    _check_public(name, suggest=suggest)
    return _without_www(name)


def _normalized(host: str) -> str:
    """Return the host in lower case and punycode, with the spelling of each label checked."""
    name = to_ascii(host)
    _check_spelling(name)
    return name


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
            raise ValueError("a part between dots may hold letters, digits and inner hyphens only.")


def _check_public(domain: str, *, suggest: bool) -> None:
    """Raise `ValueError` if the domain is one that no company can register."""
    if f".{domain}".endswith(PRIVATE_SUFFIXES):
        raise ValueError("it is the name of a private network, not a public domain.")
    if domain.endswith(SPECIAL_SUFFIXES):
        raise ValueError("it is a name for special use, not a public domain.")
    if "." not in domain:
        raise ValueError("it is a single label; a company's domain looks like 'example.com'.")
    check_registrable(domain, suggest=suggest and len(domain) <= MAX_SHOWN)


def _without_www(domain: str) -> str:
    """Remove each leading `www.` unless only a public suffix would be left: `www.co.uk` can be registered."""
    bare = domain.removeprefix("www.")
    if bare == domain or not is_registrable(bare):
        return domain
    return _without_www(bare)


def _refused(text: str, reason: str, pointer: str | None) -> InvalidDomain:
    quoted = repr(shown(text))
    if len(quoted) > MAX_QUOTED:
        quoted = f"{quoted[:MAX_QUOTED]}…'"
    return InvalidDomain(f"Invalid domain {quoted}: {reason}", pointer=pointer)
