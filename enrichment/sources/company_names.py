"""
Names of companies, compared without what varies: case, punctuation, and the legal form.
"""

import re
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

from enrichment.domains.idn import to_unicode
from enrichment.modules.evidence import words
from enrichment.sources.failures import NotFound

# fmt: off
LEGAL_FORMS: Final = frozenset({
    "ab", "ag", "as", "asa", "bv", "co", "company", "corp", "corporation", "gmbh", "group", "holding", "holdings",
    "inc", "incorporated", "kg", "kk", "limited", "llc", "llp", "lp", "ltd", "nv", "oy", "oyj", "plc", "pty", "sa",
    "sas", "se", "spa", "srl", "the",
})
# fmt: on

MIN_NAME: Final = 4
"Letters of a name that is looked for across words. A shorter one occurs in too many by chance."


def core_name(name: str) -> tuple[str, ...]:
    """Return the words of a name without the legal form, in lower case; all of them if there is nothing else."""
    found = words(name.replace(".com", "").replace(".", ""))
    return tuple(word for word in found if word not in LEGAL_FORMS) or found


def may_be_same(name: str, other: str) -> bool:
    """Whether two names may be of the same company: by their first words, by most words, or as an abbreviation."""
    short, long = sorted((core_name(name), core_name(other)), key=len)
    joined = "".join(short)
    return bool(short) and (
        long[: len(short)] == short
        or 2 * len(set(short) & set(long)) > len(short)
        or joined in ("".join(long), _initials(long))
        or (len(joined) > 1 and any(_initials(words(each)).startswith(joined) for each in (name, other)))
    )


def _initials(parts: tuple[str, ...]) -> str:
    return "".join(part[0] for part in parts)


def is_mentioned(name: str, text: str) -> bool:
    """Whether a text has the words of the name, one after the other."""
    return has_words(core_name(name), text)


def is_branded(keyword: str, domain: str) -> bool:
    """Whether a keyword has the name that is in a company's domain, be it written as several words."""
    name = "".join(words(to_unicode(domain).partition(".")[0]))
    parts = words(keyword)
    return name in parts or (len(name) >= MIN_NAME and name in "".join(parts))


def has_words(wanted: tuple[str, ...], text: str) -> bool:
    """Whether a text has these words, in lower case, one after the other. The text may be long: it is not cached."""
    pattern = r"[\W_]+".join(re.escape(word) for word in wanted)
    return bool(wanted) and re.search(rf"(?<![^\W_]){pattern}(?![^\W_])", text.casefold()) is not None


class Identity(Protocol):
    """The company of a domain, as far as it is needed here."""

    @property
    def name(self) -> str | None:
        """Its name."""

    @property
    def match_confidence(self) -> float:
        """How sure that is (0 to 1)."""


class Identities(Protocol):
    """Identifies companies."""

    async def identify(self, domain: str) -> Identity | None:
        """Return the company of a domain. Raises `NotFound`, or returns None, if that cannot be said for sure."""


class Sites(Protocol):
    """Reads companies' websites."""

    async def site_facts(self, domain: str) -> Identity:
        """Return what a domain's website says. Raises `SourceFailed`."""


class CompanyName(NamedTuple):
    """A name, and how sure it is that of the company (0 to 1)."""

    name: str
    confidence: float


class CompanyNames:
    """Finds the name of a domain's company: as it is identified, else as its website says."""

    def __init__(self, identities: Identities, sites: Sites) -> None:
        self._identities = identities
        self._sites = sites

    async def find(self, domain: str) -> CompanyName:
        """Return the name. Raises `NotFound` if there is none, another `SourceFailed` if that is not known."""
        with suppress(NotFound):
            company = await self._identities.identify(domain)
            if company and company.name:
                return CompanyName(company.name, company.match_confidence)
        site = await self._sites.site_facts(domain)
        if not site.name:
            raise NotFound("The name of this company is not known.")
        return CompanyName(site.name, site.match_confidence)


class Names(Protocol):
    """Finds names of companies."""

    async def find(self, domain: str) -> CompanyName:
        """Return the name of a domain's company. Raises `SourceFailed`."""
