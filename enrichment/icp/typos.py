"""
Typing errors: an unknown word that is nearly one of the closed vocabulary.
"""

import functools
from collections.abc import Sequence
from typing import Final

import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

from enrichment.icp.text import Token
from enrichment.icp.vocabulary import load, vocabulary

SHORTEST: Final = 6  # letters
TWO_ERRORS: Final = 9  # letters of a word that may have two errors
MAX_WORDS: Final = 25  # that are looked up: each takes a fifth of a millisecond


@functools.cache
def _choices() -> tuple[list[str], frozenset[str]]:
    """The words of the vocabulary, and common words that resemble one and are right as they are."""
    return sorted(vocabulary().single_words()), frozenset(load("protected"))


def corrected(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, with the misspelt ones of the first unknown words replaced by what is surely meant."""
    looked_up: dict[str, str | None] = {}
    result = []
    for each in tokens:
        token = each
        if (
            token.kind == "word"
            and len(token.norm) >= SHORTEST
            and token.norm.isalpha()
            and not vocabulary().knows(token.stem)
        ):
            if token.norm not in looked_up and len(looked_up) < MAX_WORDS:
                looked_up[token.norm] = _meant(token.norm, token.stem)
            if meant := looked_up.get(token.norm):
                token = msgspec.structs.replace(token, norm=meant, stem=meant, corrected=True)
        result.append(token)
    return result


def _meant(word: str, stem: str) -> str | None:
    """The only word of the vocabulary that is one error away, or two of a long word, and begins alike."""
    choices, common = _choices()
    if word in common or stem in common:
        return None
    errors = 2 if len(stem) >= TWO_ERRORS else 1
    found = process.extract(stem, choices, scorer=OSA.distance, score_cutoff=errors, limit=4)
    if not found or found[0][0][0] != stem[0]:
        return None
    best = [one for one, errors, _ in found if errors == found[0][1]]
    return best[0] if len({vocabulary().ids(one) for one in best}) == 1 else None
