"""
Every expression that profiles are written in, ready to be looked up.
"""

import functools
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from enrichment.blueprint.reading.lexicon import Meaning, all_meanings
from enrichment.blueprint.reading.words import Word, read_words

HYPHEN: Final = re.compile(r"(?<=\w)-(?=\w)")
HYPHEN_OR_DOT: Final = re.compile(r"(?<=\w)[-.](?=\w)")


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """Expressions with their meanings, by their stems; and of how many words those are that begin with a stem."""

    meanings: dict[str, tuple[Meaning, ...]]
    lengths: dict[str, tuple[int, ...]]

    def at(self, words: list[Word], first: int) -> Iterable[tuple[int, tuple[Meaning, ...]]]:
        """The expressions that begin with this word, the longest first: where each ends, and what it may mean."""
        for length in self.lengths.get(words[first].stem, ()):
            here = words[first : first + length]
            found = self.meanings.get(" ".join([word.stem for word in here]))
            if not found or len(here) < length or not all(word.near for word in here[1:]):
                continue
            if any(word.gap == "/" for word in here[1:]):  # "marketing/head of sales" are two
                found = tuple(meaning for meaning in found if "/" in meaning.written)
            plain = " ".join([word.plain for word in here])
            if meanings := tuple([meaning for meaning in found if not meaning.exact or meaning.plain == plain]):
                yield first + length, meanings


@functools.cache
def vocabulary() -> Vocabulary:
    """
    The vocabulary that the files hold.

    Reads some 200 KB for a fraction of a second, hence at first use and never at import.
    """
    meanings: dict[str, tuple[Meaning, ...]] = {}
    lengths: dict[str, set[int]] = {}
    for meaning in all_meanings():
        joint = HYPHEN_OR_DOT if meaning.kind == "technology" else HYPHEN
        for spelling in {meaning.written, joint.sub("", meaning.written)}:
            words = read_words(spelling)
            stems = [word.stem for word in words]
            plain = " ".join(word.plain for word in words)
            spelled = msgspec.structs.replace(meaning, plain=plain)
            key = " ".join(stems)
            meanings[key] = _with(meanings.get(key, ()), spelled)
            lengths.setdefault(stems[0], set()).add(len(stems))
    return Vocabulary(
        meanings=meanings, lengths={stem: tuple(sorted(counts, reverse=True)) for stem, counts in lengths.items()}
    )


def _with(meanings: tuple[Meaning, ...], other: Meaning) -> tuple[Meaning, ...]:
    """One more meaning, unless there is one of its kind: the first told stays. Only places share their names."""
    if any(_same(meaning, other) for meaning in meanings):
        return meanings
    return (*meanings, other)


def _same(one: Meaning, other: Meaning) -> bool:
    spelled_alike = one.plain == other.plain or not (one.exact or other.exact)
    return one.kind == other.kind and spelled_alike and (one.kind != "place" or one.things == other.things)
