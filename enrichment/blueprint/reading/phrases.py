"""
Looking up expressions of several words: which one begins, or ends, at a place in a text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from enrichment.blueprint.reading.words import Word, read_words

V = TypeVar("V")


class Phrases(Generic[V]):
    """Expressions, and what each stands for."""

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
        """The longest expression that begins with this word: where it ends, and what it stands for."""
        if first >= len(words) or not (most := self._longest_from.get(words[first].stem)):
            return None
        best = None
        key: tuple[str, ...] = ()
        for last in range(first, min(first + most, len(words))):
            if last > first and not words[last].near:
                break
            key = (*key, words[last].stem)
            if key in self._values:
                best = last + 1, self._values[key]
        return best

    def before(self, words: Sequence[Word], last: int) -> tuple[int, V] | None:
        """The longest expression that ends before this word: where it begins, and what it stands for."""
        if not 0 < last <= len(words) or not (most := self._longest_to.get(words[last - 1].stem)):
            return None
        best = None
        key: tuple[str, ...] = ()
        for first in range(last - 1, max(-1, last - 1 - most), -1):
            key = (words[first].stem, *key)
            if key in self._values:
                best = first, self._values[key]
            if not words[first].near:
                break
        return best


def plain_phrases(phrases: Iterable[str]) -> Phrases[bool]:
    """Expressions that stand for nothing but themselves."""
    return Phrases(dict.fromkeys(phrases, True))
