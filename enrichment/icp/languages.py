"""
The language of a text, by its most frequent words. It decides the currency of "5 Mio. Umsatz", and what "mil" means.
"""

from collections.abc import Sequence
from typing import Final

from enrichment.icp.text import Token
from enrichment.icp.vocabulary import by_language, table

CLEAR: Final = 2  # different words


def language_of(tokens: Sequence[Token]) -> str:
    """The language whose words are most frequent, as an ISO 639-1 code; English unless another one is clearly ahead."""
    known = list(table("languages"))
    counts = {one: [token.norm for token in tokens if token.norm in by_language("languages", one)] for one in known}
    best = max(known, key=lambda one: (len(counts[one]), one == "en"))
    return best if len(counts[best]) > len(counts["en"]) and len(set(counts[best])) >= CLEAR else "en"
