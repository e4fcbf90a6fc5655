"""
A text as the words it is made of, each where it stands, and what lies between them.
"""

import re
import unicodedata
from typing import Final

import msgspec

# The first that fits at a place: a number with the letter for its thousands or millions, money's signs, a word with its
# accents (also those that are characters of their own) and invisible characters, a sign that means something, or
# whatever else is no ASCII. Every repetition is bounded or cannot overlap its neighbour, so no text takes long.
WORD: Final = re.compile(
    r"(?:\d{1,3}(?:[,.'\u2019\u00a0\u202f ]\d{3})+(?!\d)|\d{1,15}(?:[.,]\d{1,6})?)"
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
# What may end in a full stop without ending a sentence: "St. Gallen", "U. S.", "5 Mio. €"
ABBREVIATED: Final = frozenset({"st", "u", "s", "e", "mio", "mrd", "ca", "approx", "inc"})


class Word(msgspec.Struct, frozen=True, gc=False):
    """
    One word, number or sign: where it stands, and how it compares.

    `plain` is without case and accents, `stem` without the ending of a plural as well. `gap` is what lies before it:
    `near` if both words may be parts of one expression, `ends` if a sentence, line or bracket ends there.
    """

    start: int
    end: int
    plain: str
    stem: str
    gap: str
    near: bool
    ends: bool


def read_words(text: str) -> list[Word]:
    """All words of the text, in order. Punctuation is none, but is kept in the gaps."""
    words: list[Word] = []
    end = 0
    for match in WORD.finditer(text):
        found = match.group()
        if len(found) == 1 and not found.isascii() and unicodedata.category(found)[0] not in "LNS":
            continue
        start = match.start()
        plain = without_accents(found)
        gap = text[end:start]
        near, ends = _gap(gap, words[-1].plain if words else "", lower=found[0].islower())
        end = match.end()
        words.append(Word(start, end, plain, singular(plain), gap, near, ends or not words))
    return words


def without_accents(word: str) -> str:
    """Lower case, accents and invisible characters gone: "Österreich" and "OSTERREICH" compare equal."""
    if word.isascii():
        return "and" if word == "&" else word.lower()
    return MARKS.sub("", unicodedata.normalize("NFKD", word.casefold()))


def singular(plain: str) -> str:
    """The word without the ending of an English plural; short words and those in -ss, -us, -is keep theirs."""
    if len(plain) < 4 or not plain.endswith("s") or plain.endswith(("ss", "us", "is")):
        return plain
    if plain.endswith("ies") and len(plain) > 4:
        return plain[:-3] + "y"
    if plain.endswith(("ches", "shes", "sses", "xes")):
        return plain[:-2]
    return plain[:-1]


def _gap(gap: str, before: str, *, lower: bool) -> tuple[bool, bool]:
    """Whether what lies between two words lets them be one expression, and whether it ends a sentence."""
    if gap in JOINTS:
        return True, False
    if gap.isspace():
        # Text that was wrapped goes on in lower case; otherwise a new line is a new matter.
        wrapped = lower and gap.count("\n") == 1
        return wrapped or "\n" not in gap, "\n" in gap and not wrapped
    if gap == " ." or (gap == ". " and before in ABBREVIATED):
        return True, False
    return gap.strip() in DASHES and "\n" not in gap, not ENDS.isdisjoint(gap) or "." in gap
