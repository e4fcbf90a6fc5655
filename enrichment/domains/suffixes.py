"""
The public suffix list, https://publicsuffix.org/list/, which names the suffixes under which domains are registered.

The package `publicsuffixlist` includes a copy of it.
"""

import difflib
import functools
import itertools
from pathlib import Path
from typing import Final

import msgspec
from publicsuffixlist import PSLFILE, PublicSuffixList

TRIAL_SUFFIXES: Final = (".test", ".example")  # reserved for trials by RFC 2606
# The suffixes of public bodies are their own names as well: nhs.uk, gov.pl, vic.gov.au.
PUBLIC_BODIES: Final = frozenset(
    {"gov", "gob", "gouv", "govt", "gub", "gv", "gc", "mil", "nhs", "police", "parliament"}
)
# fmt: off
GENERIC: Final = ("com", "net", "org", "info")
COMMON: Final = (
    "de", "uk", "fr", "nl", "it", "es", "ch", "at", "be", "pl", "se", "no", "dk", "fi", "ie", "eu", "us", "ca", "au",
    "nz", "jp", "cn", "in", "br", "mx", "io", "ai", "co", "me", "tv", "biz", "edu", "gov", "app", "dev", "tech", "shop",
    "store", "online", "cloud", "agency", "group", "global", "digital", "software", "solutions", "consulting",
)
# fmt: on


class SuffixList(msgspec.Struct, frozen=True):
    """The list and its date. The private section has the suffixes of companies, such as `myshopify.com`."""

    date: str
    icann: PublicSuffixList
    private: PublicSuffixList


@functools.cache
def suffix_list() -> SuffixList:
    """Load the list, which takes some 40 ms, hence at first use and not at import."""
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        version = next(line for line in lines if line.startswith("// VERSION: "))
        public = itertools.takewhile(lambda line: "===BEGIN PRIVATE DOMAINS===" not in line, lines)
        icann = PublicSuffixList(public, accept_unknown=False)
        private = PublicSuffixList(lines, accept_unknown=False)
    return SuffixList(date=version.removeprefix("// VERSION: ")[: len("2026-10-22")], icann=icann, private=private)


def check_registrable(domain: str, *, suggest: bool = True) -> None:
    """
    Raise `ValueError` if no company can have registered the domain: a suffix, or not under a known suffix.

    `suggest` allows the reason to repeat the domain with a known suffix.
    """
    suffix = suffix_list().icann.publicsuffix(domain)
    if suffix is None and not domain.endswith(TRIAL_SUFFIXES):
        near = _near(domain) if suggest else ""
        date = suffix_list().date
        raise ValueError(f"its last part is not a top-level domain (public suffix list of {date}).{near}")
    if suffix == domain and PUBLIC_BODIES.isdisjoint(domain.split(".")[:-1]):
        raise ValueError("it is a public suffix, under which companies have their domains.")


def is_registrable(domain: str) -> bool:
    """Whether a company can have registered the domain, or the domain above it."""
    try:
        check_registrable(domain, suggest=False)
    except ValueError:
        return False
    return "." in domain


def registrable_domain(domain: str) -> str:
    """
    Return the part of a canonical domain that its owner has registered: `acme.com` for `careers.acme.com`.

    Suffixes of companies count: `acme.myshopify.com` is a domain of its own.
    """
    suffixes = suffix_list()
    return (
        suffixes.private.privatesuffix(domain)
        or suffixes.icann.privatesuffix(domain, accept_unknown=domain.endswith(TRIAL_SUFFIXES))
        or domain
    )


def _near(domain: str) -> str:
    """Suggest a common top-level domain that is spelled similarly."""
    name, _, last = domain.rpartition(".")
    generic, others = ([known for known in tier if abs(len(known) - len(last)) < 2] for tier in (GENERIC, COMMON))
    near = difflib.get_close_matches(last, generic, n=1) or difflib.get_close_matches(last, others, n=1, cutoff=0.7)
    suggestions = [f"{name.removeprefix('www.')}.{known}" for known in near]
    return "".join(f" Did you mean {one!r}?" for one in suggestions if is_registrable(one))
