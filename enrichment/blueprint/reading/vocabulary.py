"""
The vocabulary, prepared for look-ups in a text.
"""

import functools
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from enrichment.blueprint.reading.lexicon import Sense, all_senses
from enrichment.blueprint.reading.words import Word, read_words

HYPHEN: Final = re.compile(r"(?<=\w)-(?=\w)")
HYPHEN_OR_DOT: Final = re.compile(r"(?<=\w)[-.](?=\w)")


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """The senses of each expression by its stems, and the lengths of all expressions by their first stem."""

    senses: dict[str, tuple[Sense, ...]]
    lengths: dict[str, tuple[int, ...]]

    def at(self, words: list[Word], first: int) -> Iterable[tuple[int, tuple[Sense, ...]]]:
        """Find the expressions that start at a position, longest first, as pairs of their end and their senses."""
        for length in self.lengths.get(words[first].stem, ()):
            here = words[first : first + length]
            found = self.senses.get(" ".join([word.stem for word in here]))
            if not found or len(here) < length or not all(word.adjacent for word in here[1:]):
                continue
            if any(word.gap == "/" for word in here[1:]):  # "marketing/head of sales" is two expressions
                found = tuple(sense for sense in found if "/" in sense.spelling)
            normalized = " ".join([word.normalized for word in here])
            if senses := tuple([sense for sense in found if not sense.exact or sense.normalized == normalized]):
                yield first + length, senses


@functools.cache
def vocabulary() -> Vocabulary:
    """
    Load the vocabulary.

    It is loaded at the first call and not at import, because reading 200 KB of JSON takes a fraction of a second.
    """
    senses: dict[str, tuple[Sense, ...]] = {}
    lengths: dict[str, set[int]] = {}
    for sense in all_senses():
        joint = HYPHEN_OR_DOT if sense.kind == "technology" else HYPHEN
        for spelling in {sense.spelling, joint.sub("", sense.spelling)}:
            words = read_words(spelling)
            stems = [word.stem for word in words]
            normalized = " ".join(word.normalized for word in words)
            spelled = msgspec.structs.replace(sense, normalized=normalized)
            key = " ".join(stems)
            senses[key] = _with_sense(senses.get(key, ()), spelled)
            lengths.setdefault(stems[0], set()).add(len(stems))
    return Vocabulary(
        senses=senses, lengths={stem: tuple(sorted(counts, reverse=True)) for stem, counts in lengths.items()}
    )


def _with_sense(senses: tuple[Sense, ...], other: Sense) -> tuple[Sense, ...]:
    """Add a sense unless it is a duplicate. Different places may share a name; other kinds keep the first sense."""
    if any(_is_duplicate(sense, other) for sense in senses):
        return senses
    return (*senses, other)


def _is_duplicate(one: Sense, other: Sense) -> bool:
    spelled_alike = one.normalized == other.normalized or not (one.exact or other.exact)
    return one.kind == other.kind and spelled_alike and (one.kind != "place" or one.entities == other.entities)
