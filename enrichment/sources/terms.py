"""
The terms that a website is about: phrases of its titles, headings, descriptions and addresses.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from enrichment.modules.answers import Keyword
from enrichment.modules.evidence import words
from enrichment.sources.company_names import core_name
from enrichment.sources.markup import Markup

Term = tuple[str, ...]

MAX_TERMS: Final = 20
MAX_WORDS: Final = 3
"Of a term."
MAX_PHRASES: Final = 1_000
MAX_PHRASE: Final = 300
LENGTHS: Final = range(3, 41)
MIN_WEIGHT: Final = 3.0
"Of a term: that of a title, or of several links. A single word says little, so it has to be in more places."
MIN_WEIGHT_OF_WORD: Final = 4.0
WORD_BONUS: Final = 0.5
"For each further word: of two terms that occur equally often, the longer one says more."

PHRASE_END: Final = re.compile(r"[^\w\s&'\u2019-]|\s-\s")
SLUG_WORDS: Final = re.compile(r"[-_+]+")

# fmt: off
STOP_WORDS: Final = frozenset({
    "a", "about", "all", "also", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "de", "des", "do",
    "for", "from", "get", "has", "have", "her", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "la",
    "le", "les", "let", "me", "more", "most", "my", "new", "no", "not", "now", "of", "off", "on", "one", "only", "or",
    "our", "out", "over", "s", "so", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "to", "under", "up", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with",
    "you", "your",
    "aus", "auf", "bei", "das", "dem", "den", "der", "die", "ein", "eine", "einen", "f\u00fcr", "ihr", "ihre", "im",
    "ist", "mit", "nach", "sie", "sind", "und", "uns", "unser", "unsere", "von", "wir", "zu", "zum", "zur", "\u00fcber",
    "au", "aux", "avec", "dans", "du", "est", "et", "notre", "nos", "ou", "par", "pour", "sur", "un", "une", "vos",
    "votre", "vous",
    "con", "del", "el", "en", "las", "los", "m\u00e1s", "nuestra", "nuestro", "para", "por", "que", "su", "una", "y",
    "al", "che", "da", "di", "e", "gli", "il", "lo", "nella", "non", "per", "sono",
    "het", "een", "met", "naar", "op", "van", "voor", "wij",
})
NOT_TOPICS: Final = frozenset({
    "home", "homepage", "page", "pages", "index", "html", "php", "www", "com", "welcome", "menu", "search", "login",
    "log", "sign", "signin", "signup", "account", "cart", "checkout", "contact", "careers", "career", "jobs", "press",
    "news", "newsroom", "blog", "support", "help", "faq", "privacy", "policy", "terms", "cookies", "cookie", "legal",
    "imprint", "impressum", "sitemap", "company", "overview", "learn", "read", "see", "start", "started", "free",
    "try", "today", "click", "here", "official", "site", "website", "en", "de", "fr", "es", "it", "nl", "us", "uk",
    "category", "categories", "tag", "tags", "author", "default", "main", "content", "skip",
})
"Words of every website."
# fmt: on


def find_terms(markup: Markup, url: str, sitemap: Iterable[str], names: Iterable[str]) -> tuple[Keyword, ...]:
    """
    Return the terms that a home page at `url` stresses, most stressed first.

    Those with one of the `names` of the company are branded. How often they are searched for is not known.
    """
    weights: defaultdict[Term, float] = defaultdict(float)
    for weight, phrase in _phrases(markup, url, sitemap):
        for term in dict.fromkeys(_terms_in(phrase)):
            weights[term] += weight
    apart = _apart(weights)
    chosen: list[Term] = []
    for term in sorted(weights, key=lambda term: -weights[term] - WORD_BONUS * (len(term) - 1)):
        least = MIN_WEIGHT if len(term) > 1 else MIN_WEIGHT_OF_WORD
        if weights[term] >= least and apart[term] > 0 and not any(_overlap(term, other) for other in chosen):
            chosen.append(term)
    own = [core_name(name) for name in names]
    return tuple(
        Keyword(keyword=" ".join(term), branded=any(_contains(term, name) for name in own))
        for term in chosen[:MAX_TERMS]
    )


def _apart(weights: Mapping[Term, float]) -> dict[Term, float]:
    """The weight of each term apart from longer ones: none, if it occurs in these only."""
    apart = dict(weights)
    for term, weight in weights.items():
        for part in dict.fromkeys((term[1:], term[:-1])):
            if part in apart:
                apart[part] -= weight
    return apart


def _phrases(markup: Markup, url: str, sitemap: Iterable[str]) -> Iterator[tuple[float, str]]:
    """The texts that say what a website is about, with their weights."""
    yield 3.0, markup.title or ""
    for keywords in markup.meta.get("keywords", ()):
        yield from ((3.0, keyword) for keyword in keywords.split(",")[:MAX_TERMS])
    yield 2.0, markup.first_meta("description", "og:description") or ""
    yield 2.0, markup.first_meta("og:title") or ""
    yield from ((2.0, heading) for heading in markup.headings)
    host = urlsplit(url).hostname
    own = [link for link in markup.links if urlsplit(link.url).hostname == host]
    yield from ((0.5, text) for text in dict.fromkeys(link.text for link in own))
    slugs = dict.fromkeys(slug for address in (*(link.url for link in own), *sitemap) for slug in _slugs(address))
    yield from ((0.5, slug) for slug in list(slugs)[:MAX_PHRASES])


def _slugs(url: str) -> list[str]:
    """The parts of a path as phrases."""
    return [SLUG_WORDS.sub(" ", part.partition(".")[0]) for part in unquote(urlsplit(url).path).split("/") if part]


def _terms_in(text: str) -> Iterator[Term]:
    """Yield the sequences of up to three words in a text that are without stop words."""
    for phrase in PHRASE_END.split(text[:MAX_PHRASE]):
        found = words(phrase)
        for start in range(len(found)):
            for end in range(start + 1, min(start + MAX_WORDS, len(found)) + 1):
                term = found[start:end]
                if _is_term(term):
                    yield term


def _is_term(term: Term) -> bool:
    if not STOP_WORDS.isdisjoint(term) or len(" ".join(term)) not in LENGTHS:
        return False
    return any(word not in NOT_TOPICS and not word.isdigit() for word in term)


def _overlap(term: Term, other: Term) -> bool:
    """Whether one of two terms contains the other."""
    return _contains(term, other) or _contains(other, term)


def _contains(term: Term, part: Term) -> bool:
    return any(term[start : start + len(part)] == part for start in range(len(term) - len(part) + 1))
