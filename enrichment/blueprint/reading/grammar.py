"""
The small words that say how the others belong together: "not", "using", "based in", "and".
"""

import functools
from typing import Final

import msgspec

from enrichment.blueprint.reading.lexicon import load
from enrichment.blueprint.reading.phrases import Phrases, plain_phrases
from enrichment.blueprint.reading.words import Word

MOST_BETWEEN: Final = 3
SIGNS: Final = frozenset("+<>=~#%$€£¥")


class GrammarWords(msgspec.Struct, frozen=True, kw_only=True):
    """The file of small words."""

    negators: tuple[str, ...]
    negators_after: tuple[str, ...]
    not_negators: tuple[str, ...]
    outside: tuple[str, ...]
    prepositions: tuple[str, ...]
    using: tuple[str, ...]
    using_weak: tuple[str, ...]
    using_after: tuple[str, ...]
    in_place: tuple[str, ...]
    of_place: tuple[str, ...]
    company: tuple[str, ...]
    customers: tuple[str, ...]
    appointed: tuple[str, ...]
    at_least: tuple[str, ...]
    at_most: tuple[str, ...]
    before: tuple[str, ...]
    through: tuple[str, ...]
    window: tuple[str, ...]
    days: dict[str, int]
    glue: tuple[str, ...]
    joining: tuple[str, ...]
    articles: tuple[str, ...]
    connecting: tuple[str, ...]
    idioms: tuple[str, ...]
    stop_words: tuple[str, ...]


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """The same, ready to be looked up."""

    negators: Phrases[bool]
    negators_after: Phrases[bool]
    not_negators: Phrases[bool]
    outside: Phrases[bool]
    prepositions: Phrases[bool]
    using: Phrases[bool]
    using_weak: Phrases[bool]
    using_after: Phrases[bool]
    in_place: Phrases[bool]
    of_place: Phrases[bool]
    company: Phrases[bool]
    customers: Phrases[bool]
    appointed: Phrases[bool]
    at_least: Phrases[bool]
    at_most: Phrases[bool]
    before: Phrases[bool]
    through: Phrases[bool]
    window: Phrases[bool]
    days: Phrases[int]
    glue: Phrases[bool]
    joining: Phrases[bool]
    articles: Phrases[bool]
    connecting: Phrases[bool]
    idioms: Phrases[bool]
    stop_words: frozenset[str]

    def is_small(self, word: Word) -> bool:
        """Whether a word says nothing of its own."""
        return word.plain in self.stop_words or word.stem in self.stop_words or word.plain in SIGNS

    def are_listed(self, words: list[Word], last: int, first: int) -> bool:
        """Whether what ends before word `last` and what begins with word `first` are items of one list."""
        place = last
        while place < first:
            glue = self.glue.at(words, place)
            if not glue or words[place].ends or glue[0] > first:
                return False
            place = glue[0]
        return first < len(words) and not words[first].ends

    def are_linked(self, words: list[Word], last: int, first: int) -> bool:
        """Whether what begins with word `first` is what goes with that which ends before word `last`."""
        between = words[last:first]
        if any(word.ends or "," in word.gap for word in words[last : first + 1]):
            return False
        unknown = [word for word in between if not self.connecting.at([word], 0)]
        return len(between) <= MOST_BETWEEN and not any(self.is_small(word) for word in unknown)


@functools.cache
def grammar() -> Grammar:
    """The small words, read at first use."""
    words = load("grammar", GrammarWords)
    plain = {
        name: plain_phrases(getattr(words, name))
        for name in words.__struct_fields__
        if name not in ("days", "stop_words")
    }
    return Grammar(days=Phrases(words.days), stop_words=frozenset(words.stop_words), **plain)
