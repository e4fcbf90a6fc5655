"""
Job titles as they are written: a rank with a function ("Head of FP&A", "marketing director"), or a known role ("CISO").
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from enrichment.icp.text import Token, excerpt
from enrichment.icp.vocabulary import Entry, table, vocabulary, words
from schemas import Seniority

MAX_WORDS: Final = 4  # of a function that the vocabulary does not know
ANY_RANK: Final[dict[str, tuple[str, Seniority]]] = {
    "cxo": ("C-level", "c_level"), "cxos": ("C-level", "c_level"), "c-level": ("C-level", "c_level"),
    "c-levels": ("C-level", "c_level"), "c-suite": ("C-level", "c_level"), "csuite": ("C-level", "c_level"),
    "clevel": ("C-level", "c_level"),
}  # fmt: skip


class Person(NamedTuple):
    """A title in the tokens from `first` to before `last`; without a function it is a rank only ("VPs")."""

    first: int
    last: int
    title: str
    department: str | None
    seniority: Seniority
    is_rank: bool
    function: tuple[int, int] | None = None


def person_at(text: str, tokens: Sequence[Token], first: int) -> Person | None:
    """Parse the title that starts at a position; the longest one of those that are possible."""
    found = [one for one in (_any_rank(tokens, first), _role(text, tokens, first), _rank_first(text, tokens, first),
                             _function_first(text, tokens, first)) if one]  # fmt: skip
    return max(found, key=lambda one: (one.last, not one.is_rank), default=None)


def function_at(tokens: Sequence[Token], first: int) -> tuple[int, str | None] | None:
    """Parse the function that starts at a position ("supply chain", "IT"): its end, and its department."""
    found = vocabulary().at(tokens, first, kind="function")
    if found is None or (found[1][0].spelling == "IT" and tokens[first].text == "it"):
        return None
    last, entries = found
    if (
        last < len(tokens)
        and tokens[last].norm == "and"
        and (more := vocabulary().at(tokens, last + 1, kind="function"))
    ):
        after = more[0]
        if after < len(tokens) and _rank_at(tokens, after) and not tokens[after].line:
            return more[0], entries[0].department
    return last, entries[0].department


def _any_rank(tokens: Sequence[Token], first: int) -> Person | None:
    joined = tokens[first].norm
    last = first + 1
    if last < len(tokens) and tokens[last].norm in ("level", "levels", "suite") and joined == "c":
        joined, last = f"c-{tokens[last].norm}", last + 1
    if joined not in ANY_RANK:
        return None
    while last < len(tokens) and tokens[last].norm in ("executives", "executive", "level", "leaders"):
        last += 1
    title, seniority = ANY_RANK[joined]
    return Person(first, last, title, None, seniority, is_rank=True)


def _role(text: str, tokens: Sequence[Token], first: int) -> Person | None:
    """A role of the vocabulary. Acronyms of two letters are in capitals; "head of …" keeps its rank."""
    found = vocabulary().at(tokens, first, kind="role")
    if found is None:
        return None
    last, entries = found
    entry: Entry = entries[0]
    written = excerpt(text, tokens, first, last)
    if entry.spelling.isupper() and len(entry.spelling) < 3 and written.rstrip("s") != entry.spelling:
        return None
    if entry.ordinary and not written.isupper():
        return None
    rank = _rank_at(tokens, first) or (_rank_at(tokens, last - 1) if last - first > 1 else None)
    department = None if entry.department == "any" else entry.department
    is_rank = entry.id.endswith("_any") or entry.id == "executives"
    level = rank if not is_rank and department != "executive" else None  # a managing director leads the company
    seniority = level[1] if level else entry.seniority or "any"
    acronym = entry.spelling.removesuffix("s").isupper() and last - first == 1
    title = entry.spelling.removesuffix("s") if acronym else _as_written(text, tokens, first, last)
    if title.endswith(("ers", "ors", "ists", "ives", "ians")):
        title = title[:-1]
    return Person(first, last, title, department, seniority, is_rank=is_rank)


def _rank_first(text: str, tokens: Sequence[Token], first: int) -> Person | None:
    """Parse a rank with its function: "VP of Sales", "Director, Revenue Operations", "Leiter Einkauf"."""
    start = first
    while start < len(tokens) and tokens[start].norm in words("title_qualifiers") and start - first < 3:
        start += 1
    rank = _rank_at(tokens, start) if start < len(tokens) else None
    if rank is None:
        return None
    last, seniority = rank
    if last < len(tokens) and tokens[last].norm == "+":
        return Person(
            first, last + 1, f"{_as_written(text, tokens, first, last)} and above", None, seniority, is_rank=True
        )
    here = last
    if (
        here < len(tokens)
        and not tokens[here].line
        and (tokens[here].norm in words("title_of") or (tokens[here].norm == "," and seniority != "manager"))
    ):
        here += 1
        if here < len(tokens) and tokens[here].norm == "the":
            here += 1
    comma = here > last and tokens[last].norm == ","
    is_vp = seniority == "vp" and here < len(tokens) and tokens[here].space
    if (function := _function(tokens, here, known_only=comma or (here == last and not is_vp))) is not None:
        is_next = function[0] < len(tokens) and _rank_at(tokens, function[0]) is not None
        if comma and (is_next or not tokens[here].text[0].isupper()):
            return Person(first, last, _as_written(text, tokens, first, last), None, seniority, is_rank=True)
        end, department = function
        title = _as_written(text, tokens, first, end)
        return Person(first, end, title, department, seniority, is_rank=False, function=(here, end))
    if tokens[start].norm in ("chief", "lead", "chef"):
        return None
    return Person(first, last, _as_written(text, tokens, first, last), None, seniority, is_rank=True)


def _function_first(text: str, tokens: Sequence[Token], first: int) -> Person | None:
    """Parse a function with its rank: "marketing director", "IT managers", "Chief Strategy Officer"."""
    start = first
    while (
        start < len(tokens)
        and tokens[start].norm in words("title_qualifiers")
        and start - first < 2
        and tokens[start].norm != "lead"
    ):
        start += 1
    is_chief = start > first and tokens[start - 1].norm == "chief"
    if start >= len(tokens):
        return None
    function = _function(tokens, start, known_only=True) or _named(tokens, start, is_chief=is_chief)
    product = None if function else vocabulary().at(tokens, start, kind="technology")
    if function is None and product is None:
        return None
    end, department = function or (product[0] if product else start, None)
    if end >= len(tokens) or tokens[end].line:
        return None
    rank = _last_rank_at(tokens, end) if product else _rank_at(tokens, end) or _last_rank_at(tokens, end)
    if rank is None:
        return None
    if tokens[start - 1].norm == "chief" and start > first and tokens[end].stem == "officer":
        rank = rank[0], "c_level"
    title = _as_written(text, tokens, first, rank[0])
    return Person(first, rank[0], title, department, rank[1], is_rank=False, function=(start, end))


def _named(tokens: Sequence[Token], first: int, *, is_chief: bool) -> tuple[int, str | None] | None:
    """A function that the vocabulary does not know, in capitals: "Membership Director", "Chief Lending Officer"."""
    last = first
    while (
        last < len(tokens)
        and last - first < (3 if is_chief else 1)
        and tokens[last].text.istitle()
        and not tokens[last].line
    ):
        if is_chief and tokens[last].norm == "officer":
            break
        last += 1
    ranks = ("officer",) if is_chief else ("director", "manager", "officer")
    named = (
        first < last < len(tokens)
        and tokens[last].norm in ranks
        and tokens[last].text.istitle()
        and tokens[first].norm not in words("title_stops")
    )
    return (last, None) if named else None


def _function(tokens: Sequence[Token], first: int, *, known_only: bool) -> tuple[int, str | None] | None:
    """A function: one that the vocabulary knows, or a few words in capitals ("Head of Store Design")."""
    if first >= len(tokens) or tokens[first].line:
        return None
    known = function_at(tokens, first)
    if known_only:
        return known
    last = first
    while last < len(tokens) and last - first < MAX_WORDS and _continues_name(tokens, last, is_first=last == first):
        last += 1
    if known and known[0] >= last:
        return known
    return (last, known[1] if known else None) if last > first else None


def _continues_name(tokens: Sequence[Token], place: int, *, is_first: bool) -> bool:
    """Whether a word in capitals can be part of a function: no rank, no place, and none of the words that end one."""
    token = tokens[place]
    if token.kind != "word" or token.line or not token.text[0].isupper() or token.norm in words("title_stops"):
        return False
    return is_first or not (_rank_at(tokens, place) or vocabulary().at(tokens, place, kind="place"))


def _rank_at(tokens: Sequence[Token], first: int) -> tuple[int, Seniority] | None:
    """The rank at a position, singular or plural: its end and its level."""
    if tokens[first].norm == "vice" and first + 1 < len(tokens) and tokens[first + 1].stem == "president":
        return first + 2, "vp"
    return _level("ranks", tokens[first], first)


def _last_rank_at(tokens: Sequence[Token], first: int) -> tuple[int, Seniority] | None:
    return _level("last_ranks", tokens[first], first)


def _level(name: str, token: Token, first: int) -> tuple[int, Seniority] | None:
    """The level of a word of a table, singular or plural, and the place after it."""
    ranks: dict[str, Seniority] = table(name)
    level = ranks.get(token.norm) or ranks.get(token.norm.removesuffix("s"))
    return (first + 1, level) if level else None


def _as_written(text: str, tokens: Sequence[Token], first: int, last: int) -> str:
    """The words as they are written, with the rank in the singular and a capital at the start."""
    parts = []
    for place in range(first, last):
        token = tokens[place]
        written = token.text
        singular = written[:-1] if written.endswith("s") and not written.endswith("ss") else written
        if singular != written and singular.lower() in table("ranks") | table("last_ranks"):
            written = singular
        glue = "" if place == first else text[tokens[place - 1].end : token.start]
        parts.append((" " if glue.isspace() else glue.replace("*", "").replace("`", "")) + written)
    title = "".join(parts).replace("&amp;", "&")
    return title[:1].upper() + title[1:]
