"""
Which page of a website is about what, by its address and by the text of links to it.
"""

from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import urlsplit

from enrichment.modules.evidence import words
from enrichment.sources.markup import Link

Kind = Literal["about", "careers", "newsroom"]

# fmt: off
NAMES: Final[dict[Kind, tuple[str, ...]]] = {
    "about": (
        "about", "about-us", "aboutus", "company", "our-company", "who-we-are", "our-story", "ueber-uns", "uber-uns",
        "unternehmen", "a-propos", "qui-sommes-nous", "quienes-somos", "sobre-nosotros", "chi-siamo", "over-ons",
    ),
    "careers": (
        "open-positions", "open-roles", "job-openings", "openings", "vacancies", "jobs", "careers", "career", "join-us",
        "work-with-us", "karriere", "stellenangebote", "recrutement", "carrieres", "empleo", "vacatures",
    ),
    "newsroom": (
        "newsroom", "press-releases", "press-room", "press", "news", "media", "press-center", "media-center", "presse",
        "pressemitteilungen", "actualites", "noticias", "blog",
    ),
}
"How such pages are named, in paths and in links, the best first."
GUESSES: Final[dict[Kind, tuple[str, ...]]] = {
    "about": ("/about",), "careers": ("/careers", "/jobs"), "newsroom": ("/newsroom", "/press"),
}
"Where to look if nothing leads to such a page."
# fmt: on
MAX_LINKS: Final = 2


def best_links(kind: Kind, links: Iterable[Link]) -> list[str]:
    """Return the addresses that are most likely those of a page about something, the likeliest first."""
    names = NAMES[kind]
    ranked = []
    for place, link in enumerate(links):
        segments = urlsplit(link.url).path.lower().strip("/").split("/")
        name = segments[-1].partition(".")[0].replace("_", "-")
        ranks = [names.index(each) for each in (name, "-".join(words(link.text))) if each in names]
        if ranks:
            ranked.append((min(ranks), len(segments), place, link.url))
    return list(dict.fromkeys(url for *_, url in sorted(ranked)))[:MAX_LINKS]
