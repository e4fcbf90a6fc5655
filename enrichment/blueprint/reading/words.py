"""
Tokenization: a text as a list of words with their positions and the gaps between them.
"""

import re
import unicodedata
from typing import Final

import msgspec

# The first alternative that matches: a number with the letter of its multiplier, a currency, a word (with combining
# accents and invisible characters), a sign with a meaning, or any other character that is not ASCII. Each repetition is
# bounded or cannot overlap the next one, so the time is linear in the length of the text.
WORD: Final = re.compile(
    r"(?:[^\D0]\d{0,2}(?:[,.'\u2019\u00a0\u202f ]\d{3})+(?!\d)|\d{1,15}(?:[.,]\d{1,6})?)"
    r"(?:k|mm|mn|mln|mio|m|bn|b|mrd)?(?![^\W_])"
    r"|(?:US|CA|AU|NZ|HK|[CASR])?\$|(?:USD|EUR|GBP|CHF|CAD|AUD|SEK|NOK|DKK|PLN|INR)(?=\d)"
    r"|[^\W_](?:[^\W_]|[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff])*"
    r"|[&+<>=~#%]|[^\w\s\x00-\x7f]",
    re.IGNORECASE,
)
MARKS: Final = re.compile(r"[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]")
DASHES: Final = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212")
JOINTS: Final = frozenset({"", " ", ".", "'", "\u2019", "/", "_", "' ", "\u2019 "}) | DASHES
ENDS: Final = frozenset(";!?\n\r|)\u2022\u2028\u2029\u3002\uff01\uff1f")
# Words that may be followed by a full stop within a sentence: "St. Gallen", "U. S.", "5 Mio. €"
ABBREVIATED: Final = frozenset({"st", "u", "s", "e", "mio", "mrd", "ca", "approx", "inc"})


class Word(msgspec.Struct, frozen=True, gc=False):
    """
    A word, number, or sign at the character offsets `start` to `end`.

    `normalized` has no case and no accents; `stem` has no plural ending either. `gap` is the text between the previous
    word and this one. `adjacent` is true if both may belong to one expression, `after_break` if a sentence, line, or
    bracket ends in the gap.
    """

    start: int
    end: int
    normalized: str
    stem: str
    gap: str
    adjacent: bool
    after_break: bool


def read_words(text: str) -> list[Word]:
    """Split a text into words. Punctuation is kept in the gaps."""
    words: list[Word] = []
    end = 0
    for match in WORD.finditer(text):
        found = match.group()
        if len(found) == 1 and not found.isascii() and unicodedata.category(found)[0] not in "LNS":
            continue
        start = match.start()
        normalized = without_accents(found)
        gap = text[end:start]
        adjacent, after_break = _gap(gap, words[-1].normalized if words else "", lower=found[0].islower())
        end = match.end()
        words.append(Word(start, end, normalized, singular(normalized), gap, adjacent, after_break or not words))
    return words


def without_accents(word: str) -> str:
    """Convert to lower case, without accents and invisible characters: "Österreich" equals "OSTERREICH"."""
    if word.isascii():
        return "and" if word == "&" else word.lower()
    return MARKS.sub("", unicodedata.normalize("NFKD", word.casefold()))


def singular(normalized: str) -> str:
    """Remove an English plural ending, but not from short words, nor from words in -ss, -us, or -is."""
    if len(normalized) < 4 or not normalized.endswith("s") or normalized.endswith(("ss", "us", "is")):
        return normalized
    if normalized.endswith("ies") and len(normalized) > 4:
        return normalized[:-3] + "y"
    if normalized.endswith(("ches", "shes", "sses", "xes")):
        return normalized[:-2]
    return normalized[:-1]


def _gap(gap: str, before: str, *, lower: bool) -> tuple[bool, bool]:
    """Return whether two words with this gap are adjacent, and whether the gap contains a break."""
    if gap in JOINTS:
        return True, False
    if gap.isspace():
        # A wrapped line continues in lower case; any other line break separates two statements.
        wrapped = lower and gap.count("\n") == 1
        return wrapped or "\n" not in gap, "\n" in gap and not wrapped
    if gap == " ." or (gap == ". " and before in ABBREVIATED):
        return True, False
    return gap.strip() in DASHES and "\n" not in gap, not ENDS.isdisjoint(gap) or "." in gap
