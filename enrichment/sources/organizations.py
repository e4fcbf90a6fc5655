"""
What vendors of company data have in common: whose record it is that they answer with, and how technologies are named.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from enrichment.domains import registrable_domain
from enrichment.domains.idn import to_ascii
from enrichment.modules.answers import Technology, TechStack
from enrichment.modules.evidence import words
from enrichment.modules.playbook import PLAYBOOK
from enrichment.sources.failures import NotFound
from enrichment.sources.fingerprints import fingerprints

EXACT, ALIAS, SUBDOMAIN = 0.95, 0.85, 0.8
"How sure a match is."
OTHER: Final = "Other"
"The category of a technology that nothing else is known of."


class Match(NamedTuple):
    """How a company was identified, and how sure that is (0 to 1)."""

    matched_by: str
    confidence: float


def match(domain: str, own: Iterable[str | None], aliases: Iterable[str | None] = ()) -> Match:
    """
    Return how a record belongs to a domain.

    `own` are the domains or URLs of the organization in its record, and `aliases` its other domains. Raises `NotFound`
    if none is the asked domain: a vendor may answer with the record of another company, such as a former owner.
    """
    asked = registrable_domain(domain)
    if asked in {_domain_of(each) for each in own if each}:
        matched_by, confidence = "domain of the organization", EXACT
    elif asked in {_domain_of(each) for each in aliases if each}:
        matched_by, confidence = "other domain of the organization", ALIAS
    else:
        raise NotFound("It answers with a company that has another domain.")
    if domain != asked:
        return Match(f"{matched_by}, {asked}", min(confidence, SUBDOMAIN))
    return Match(matched_by, confidence)


def stack(technologies: Iterable[tuple[str, str | None]]) -> TechStack:
    """
    Return technologies, given by name and category, each once. Raises `NotFound` if there are none.

    A product that is known here has the name and category that our own fingerprints give it; of the others, a category
    that the vendor does not give is `Other`.
    """
    found: dict[str, Technology] = {}
    for name, category in technologies:
        if letters := _letters(name):
            given = Technology(name=" ".join(name.split()), category=category or OTHER)
            found.setdefault(letters, known(name) or given)
    if not found:
        raise NotFound("It lists no technologies of this company.")
    return TechStack(technologies=tuple(found.values()))


def spelled(identifier: str) -> str:
    """Return the name of a product from an identifier such as `google_analytics`."""
    technology = known(identifier)
    return technology.name if technology else identifier.replace("_", " ").title()


def known(name: str) -> Technology | None:
    """Return a product of our fingerprints or of the playbook by its name, whatever is between the letters."""
    return _known().get(_letters(name))


@functools.cache
def _known() -> Mapping[str, Technology]:
    """The products of our fingerprints and of the playbook, by the letters of their names."""
    named = [(name, category) for category, products in fingerprints().items() for name in products]
    named += [(name, product.category) for product in PLAYBOOK for name in product.names.split(", ")]
    return {_letters(name): Technology(name=name, category=category) for name, category in reversed(named)}


def _letters(name: str) -> str:
    return "".join(words(name))


def _domain_of(url: str) -> str:
    """The registrable domain of a domain or URL, an empty string if it is neither."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
        return registrable_domain(to_ascii(host))
    except ValueError:
        return ""
