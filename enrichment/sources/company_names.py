"""
Names of companies, compared without what varies: case, punctuation, and the legal form.
"""

from typing import Final

from enrichment.modules.evidence import words

# fmt: off
LEGAL_FORMS: Final = frozenset({
    "ab", "ag", "as", "asa", "bv", "co", "company", "corp", "corporation", "gmbh", "group", "holding", "holdings",
    "inc", "incorporated", "kg", "kk", "limited", "llc", "llp", "lp", "ltd", "nv", "oy", "oyj", "plc", "pty", "sa",
    "sas", "se", "spa", "srl", "the",
})
# fmt: on


def core_name(name: str) -> tuple[str, ...]:
    """Return the words of a name without the legal form, in lower case; all of them if there is nothing else."""
    found = words(name.replace(".com", "").replace(".", ""))
    return tuple(word for word in found if word not in LEGAL_FORMS) or found


def may_be_same(name: str, other: str) -> bool:
    """Whether two names may be of the same company: by their first words, by most words, or as an abbreviation."""
    short, long = sorted((core_name(name), core_name(other)), key=len)
    joined = "".join(short)
    return bool(short) and (
        long[: len(short)] == short
        or 2 * len(set(short) & set(long)) > len(short)
        or joined in ("".join(long), "".join(word[0] for word in long))
    )


def is_mentioned(name: str, text: str) -> bool:
    """Whether a text has the words of the name, one after the other."""
    wanted, found = core_name(name), words(text)
    size = len(wanted)
    return bool(wanted) and any(found[start : start + size] == wanted for start in range(len(found) - size + 1))
