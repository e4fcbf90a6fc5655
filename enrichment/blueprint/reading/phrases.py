"""
Look-up of expressions that consist of several words.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from enrichment.blueprint.reading.words import Word, read_words

V = TypeVar("V")


class Phrases(Generic[V]):
    """A mapping from expressions to values, with a look-up of the longest match at a position."""

    def __init__(self, phrases: Mapping[str, V]) -> None:
        self._values: dict[tuple[str, ...], V] = {}
        self._longest_from: dict[str, int] = {}
        self._longest_to: dict[str, int] = {}
        for phrase, value in phrases.items():
            key = tuple(word.stem for word in read_words(phrase))
            self._values.setdefault(key, value)
            self._longest_from[key[0]] = max(len(key), self._longest_from.get(key[0], 0))
            self._longest_to[key[-1]] = max(len(key), self._longest_to.get(key[-1], 0))

    def at(self, words: Sequence[Word], first: int) -> tuple[int, V] | None:
        """Find the longest expression that starts at a position; return its end and its value."""
        if first >= len(words) or not (most := self._longest_from.get(words[first].stem)):
            return None
        best = None
        key: tuple[str, ...] = ()
        for last in range(first, min(first + most, len(words))):
            if last > first and not words[last].adjacent:
                break
            key = (*key, words[last].stem)
            if key in self._values:
                best = last + 1, self._values[key]
        return best

    def before(self, words: Sequence[Word], last: int) -> tuple[int, V] | None:
        """Find the longest expression that ends at a position; return its start and its value."""
        if not 0 < last <= len(words) or not (most := self._longest_to.get(words[last - 1].stem)):
            return None
        best = None
        key: tuple[str, ...] = ()
        for first in range(last - 1, max(-1, last - 1 - most), -1):
            key = (words[first].stem, *key)
            if key in self._values:
                best = first, self._values[key]
            if not words[first].adjacent:
                break
        return best


def phrase_set(phrases: Iterable[str]) -> Phrases[bool]:
    """Create a set of expressions."""
    return Phrases(dict.fromkeys(phrases, True))
