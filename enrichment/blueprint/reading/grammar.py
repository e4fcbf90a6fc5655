"""
Function words, which relate other words to each other: "not", "using", "based in", "and".
"""

import functools
from typing import Final

import msgspec

from enrichment.blueprint.reading.lexicon import load
from enrichment.blueprint.reading.phrases import Phrases, phrase_set
from enrichment.blueprint.reading.words import Word

MAX_LINKING_WORDS: Final = 3
SIGNS: Final = frozenset("+<>=~#%$€£¥")


class GrammarWords(msgspec.Struct, frozen=True, kw_only=True):
    """The file `grammar.json`."""

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
    list_separators: tuple[str, ...]
    conjunctions: tuple[str, ...]
    articles: tuple[str, ...]
    linking_words: tuple[str, ...]
    idioms: tuple[str, ...]
    stop_words: tuple[str, ...]


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """The function words, prepared for look-ups."""

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
    list_separators: Phrases[bool]
    conjunctions: Phrases[bool]
    articles: Phrases[bool]
    linking_words: Phrases[bool]
    idioms: Phrases[bool]
    stop_words: frozenset[str]

    def is_function_word(self, word: Word) -> bool:
        """Whether a word has no meaning of its own."""
        return word.normalized in self.stop_words or word.stem in self.stop_words or word.normalized in SIGNS

    def are_listed(self, words: list[Word], last: int, first: int) -> bool:
        """Whether an expression that ends at `last` and one that starts at `first` are items of one list."""
        place = last
        while place < first:
            separator = self.list_separators.at(words, place)
            if not separator or words[place].after_break or separator[0] > first:
                return False
            place = separator[0]
        return first < len(words) and not words[first].after_break

    def are_linked(self, words: list[Word], last: int, first: int) -> bool:
        """Whether an expression that starts at `first` is an argument of one that ends at `last`."""
        if first - last > MAX_LINKING_WORDS:
            return False
        if any(word.after_break or "," in word.gap for word in words[last : first + 1]):
            return False
        unknown = [word for word in words[last:first] if not self.linking_words.at([word], 0)]
        return not any(self.is_function_word(word) for word in unknown)


@functools.cache
def grammar() -> Grammar:
    """Load the function words; they are read at the first call."""
    words = load("grammar", GrammarWords)
    phrases = {
        name: phrase_set(getattr(words, name)) for name in words.__struct_fields__ if name not in ("days", "stop_words")
    }
    return Grammar(days=Phrases(words.days), stop_words=frozenset(words.stop_words), **phrases)
