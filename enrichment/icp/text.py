"""
A text as tokens: words, numbers and signs, without HTML entities, Markdown and emojis.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec

# The first alternative that matches: an HTML entity, a flag, a number (in groups of three, or decimal), "w/", an
# acronym with dots, a name of a product with a dot or a sign, a word, a sign. No repetition overlaps the next one, so
# the time is linear.
TOKEN: Final = re.compile(
    r"(?P<entity>&(?:\#\d{1,6}|\#x[0-9a-f]{1,6}|[a-z]{2,8});)"
    r"|(?P<flag>[\U0001f1e6-\U0001f1ff]{2})"
    r"|(?P<number>\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+(?!\d)|\d{1,15}(?:[.,]\d{1,6})?)"
    r"|(?P<short>(?<!\w)w/(?:o(?!\w))?)"
    r"|(?P<acronym>(?:[a-z]\.){2,6}(?![a-z]))"
    r"|(?P<name>[^\W\d_]{2,20}\.(?:com|io|js|ai|net|so|app|co|dev)(?!\w)|(?<!\w)[cf](?:\+\+|\#))"
    r"|(?P<word>[^\W\d_](?:[^\W_]|[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff])*"
    r"(?:['\u2019](?:t|s|re|ve|ll|m)(?!\w))?)"
    r"|(?P<sign>\S)",
    re.IGNORECASE,
)
MARKS: Final = re.compile(r"[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff\ufe0f]")
DASHES: Final = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d")
LONG_DASHES: Final = frozenset("\u2013\u2014")
ALIKE: Final = {
    "&": "and", "\uff0b": "+", "\uff1a": ":", "\u2022": ";", "\u00b7": ";", "\u25aa": ";", "\u25cf": ";",
    "\u2192": ">", "\u2265": ">=", "\u2264": "<=", "\uff04": "$",
    "\U0001f6ab": "\u274c", "\u26d4": "\u274c", "\u2717": "\u274c", "\u2718": "\u274c", "\u2716": "\u274c",
    "\U0001f44e": "\u274c", "\U0001f31f": "\u2b50",
}  # fmt: skip
SIGNS: Final = frozenset("\u274c\u2b50\u2705\u2714") | ALIKE.keys()  # the emojis and bullets that have a meaning
MAX_SLASHES: Final = 2  # with spaces, between alternatives in a line; more of them separate other things
FIRST_EMOJI: Final = "\u2190"  # below it are ®, ™ and °
MARKUP: Final = frozenset("*_`'\u2019\u2018\"\u201c\u201d\u201e\u00ab\u00bb^")
FOLDED: Final = str.maketrans(
    {"\u00f8": "o", "\u0142": "l", "\u00df": "ss", "\u00e6": "ae", "\u0153": "oe", "\u0131": "i"}
)


class Token(msgspec.Struct, frozen=True, gc=False):
    """
    A word, number or sign at the character offsets `start` to `end`.

    `norm` has no case and no accents, `stem` no plural ending either. `space` says whether there is white space before
    it, `joined` whether it is the second part of a word with a hyphen, `line` how many line breaks are before it. The
    kind is "number", "flag", "word" or "sign".
    """

    start: int
    end: int
    text: str
    norm: str
    stem: str
    kind: str
    space: bool
    joined: bool
    line: int
    corrected: bool = False
    """Whether `norm` is the correction of a typing error."""


def read_tokens(text: str) -> list[Token]:
    """Split a text into tokens."""
    tokens: list[Token] = []
    end = 0
    emoji: re.Match[str] | None = None
    for match in TOKEN.finditer(text):
        kind, found, start = match.lastgroup or "sign", match.group(), match.start()
        if kind == "entity":
            found = html.unescape(found)
            if found.isspace() or (found.startswith("&") and len(found) > 1):
                continue
            kind = "word" if found.isalpha() else "sign"
        elif kind == "sign" and not _is_meaningful(found):
            emoji = match if found > FIRST_EMOJI and unicodedata.category(found) == "So" else emoji
            continue
        gap = text[end:start]
        if kind == "short":
            found = "without" if len(found) == 3 else "with"
        norm = normalized(found.replace(".", "") if kind == "acronym" else found)
        if norm:  # not only invisible characters
            plain = "word" if kind in ("acronym", "name", "short") else kind
            line = gap.count("\n") + gap.count("\u2028")
            space = any(letter.isspace() or letter == ";" for letter in gap)
            if emoji and tokens and tokens[-1].kind != "sign" and not line:  # it stands for a comma
                comma = Token(*emoji.span(), ",", ",", ",", "sign", space=True, joined=False, line=0)
                tokens.append(comma)
            emoji = None
            joined = plain == "word" and not space and _ends_with_hyphen(tokens)
            if joined:
                tokens.pop()
            tokens.append(Token(start, match.end(), found, norm, singular(norm), plain, space, joined, line))
            end = match.end()
    return _with_commas(tokens)


def _with_commas(tokens: list[Token]) -> list[Token]:
    """The tokens, with the slashes that separate the parts of a line as commas: "SaaS / 50+ people / UK / CFO"."""
    slashes: list[int] = []
    for place, token in enumerate(tokens):
        if token.line:
            slashes = []
        if token.norm == "/" and token.space and place + 1 < len(tokens) and tokens[place + 1].space:
            slashes.append(place)
        if len(slashes) > MAX_SLASHES:
            for each in slashes:
                tokens[each] = msgspec.structs.replace(tokens[each], norm=",", stem=",")
            slashes = slashes[-1:] * MAX_SLASHES
    return tokens


def _ends_with_hyphen(tokens: Sequence[Token]) -> bool:
    """Whether the tokens end with a word and a hyphen, without white space: "pre-" of "pre-seed", but not "10-"."""
    return (
        len(tokens) > 1
        and tokens[-1].norm == "-"
        and not tokens[-1].space
        and tokens[-1].line == 0
        and tokens[-2].kind == "word"
    )


def _is_meaningful(sign: str) -> bool:
    """Whether a sign is kept: not Markdown or a quotation mark, and of the emojis those that have a meaning."""
    if sign in MARKUP or sign in SIGNS:
        return sign in SIGNS
    return sign.isascii() or sign in DASHES or unicodedata.category(sign) in ("Lo", "Sc", "Sm", "Po", "Nd")


def normalized(word: str) -> str:
    """Convert to lower case, without accents and invisible characters: "Österreich" equals "OSTERREICH"."""
    if word in ALIKE:
        return ALIKE[word]
    if word in DASHES:
        return "-"
    if word.isascii():
        return word.lower()
    word = word.replace("\u2019", "'")
    return MARKS.sub("", unicodedata.normalize("NFKD", word.casefold().translate(FOLDED)))


def singular(norm: str) -> str:
    """Remove an English plural ending, but not from short words, nor from words in -ss, -us or -is."""
    norm = norm.removesuffix("'s").removesuffix("\u2019s")
    if len(norm) < 4 or not norm.endswith("s") or norm.endswith(("ss", "us", "is")):
        return norm
    if norm.endswith("ies") and len(norm) > 4:
        return norm[:-3] + "y"
    if norm.endswith(("ches", "shes", "sses", "xes")):
        return norm[:-2]
    return norm[:-1]


def excerpt(text: str, tokens: Sequence[Token], first: int, last: int) -> str:
    """The original text of the tokens from `first` to before `last`."""
    return text[tokens[first].start : tokens[last - 1].end]
