"""
What an offer, told in free text, says about the catalogue's points: only words that are in the catalogue count.
"""

import re

from enrichment.blueprint.catalogue import ordinary_words, products
from enrichment.blueprint.values import CataloguePoint


def named_in(offer: str, point: CataloguePoint) -> str | None:
    """The words of the offer that speak of the point, as the catalogue spells them, or None."""
    spaced, joined = _plain(offer, " "), _plain(offer, "")
    words = [keyword.removeprefix("word:") for keyword in point.keywords if keyword.startswith("word:")]
    for word in words:
        if _stands_in(_plain(word, " "), spaced) or _stands_in(_plain(word, ""), joined):
            return word
    return next((name for name in _products(point) if name in offer and _stands_in(name, offer)), None)


def _products(point: CataloguePoint) -> list[str]:
    """The products the point is about, less those whose names are words like others."""
    if point.group != "technographic":
        return []
    categories = [
        keyword.removeprefix("technology:") for keyword in point.keywords if keyword.startswith("technology:")
    ]
    names = [name for category in categories for name in products().get(category, ())]
    return [name for name in names if name not in ordinary_words() and len(name) > 2]


def _plain(text: str, hyphen: str) -> str:
    return re.sub(r"[-_]", hyphen, text.casefold())


def _stands_in(words: str, text: str) -> bool:
    """Whether the words stand in the text as such, or in their plural."""
    return re.search(rf"(?<!\w){re.escape(words)}s?(?!\w)", text) is not None
