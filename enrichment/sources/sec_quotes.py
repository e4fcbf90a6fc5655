"""
Executives' own words in a press release: a quotation with the name and the role of the speaker beside it, or nothing.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

import msgspec

MAX_TEXT: Final = 400_000
"Characters of a press release that are searched."
MAX_QUOTES: Final = 10
MIN_WORDS: Final = 6
"Of a quotation; a shorter one is a term in quotation marks."

HIDDEN: Final = re.compile(r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
BLOCK_TAG: Final = re.compile(
    r"</?(?:p|div|td|th|tr|table|ul|ol|li|h[1-6]|title|document)\b[^<>]{0,2000}>", re.IGNORECASE
)
LINE_BREAK: Final = re.compile(r"<br\b[^<>]{0,200}>", re.IGNORECASE)
TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]{0,5000}>")
BLANKS: Final = re.compile(r"[^\S\n]+")
PARAGRAPH: Final = re.compile(r"\s*\n\s*")

VERB: Final = r"(?:said|says|commented|comments|stated|states|added|adds|noted|notes|remarked|explained|continued)"
WORD: Final = r"(?:[A-Z][\w'\u2019-]*\.?|(?:de|da|di|van|von|der|den|la|le|bin|al)(?=\s))"
NAME: Final = (
    rf"(?:(?:Dr|Mr|Ms|Mrs|Sir)\.? )?[A-Z][\w'\u2019.-]*(?: {WORD}){{1,4}}(?:, (?:Jr\.|Sr\.|Ph\.?D\.|M\.?D\.))?"
)
ROLE: Final = (
    r"(?:[Cc]hief|CEO|CFO|COO|CTO|CMO|CRO|CPO|[Pp]resident|[Cc]hair\w*|[Oo]fficer|[Ff]ounder|[Cc]o-[Ff]ounder|"
    r"[Dd]irector|[Hh]ead|[Tt]reasurer|[Gg]eneral [Cc]ounsel|[Mm]anag\w+|EVP|SVP|VP)"
)
PART: Final = r"[^,.;:\u201c\u201d\"()]"
TITLE: Final = rf"{PART}{{0,80}}\b{ROLE}\b{PART}{{0,80}}(?:, (?:and )?{PART}{{0,60}}\b{ROLE}\b{PART}{{0,80}}){{0,3}}"
OPENED: Final = r"[\u201c\"](?P<quote>[^\u201c\u201d\"]{20,2000})[\u201d\"]"

AFTER: Final = re.compile(
    rf"{OPENED},? (?:{VERB} (?P<name>{NAME}), (?:our |the |its )?(?P<title>{TITLE})"
    rf"|(?P<name2>{NAME}), (?:our |the |its )?(?P<title2>{TITLE}),? {VERB}\b)"
)
"The quotation, then its speaker."
BEFORE: Final = re.compile(rf"(?P<name>{NAME}), (?:our |the |its )?(?P<title>{TITLE}),? {VERB}[,:] {OPENED}")
"The speaker, then the quotation."
OF_COMPANY: Final = re.compile(r"\s+(?:of|at|for|from|with)\s+(?:the\s+)?(?=[A-Z])(.*)", re.DOTALL)
OWN_UNITS: Final = frozenset({"company", "board", "corporation", "group"})


class Quotation(msgspec.Struct, frozen=True):
    """Words, literally, and who said them."""

    quote: str
    speaker: str
    title: str


def read_quotes(html: str, company: str) -> list[Quotation]:
    """Return the quotations in a press release by executives of a company; those of others' executives are left out."""
    found: dict[str, Quotation] = {}
    for paragraph in paragraphs(html):
        for quotation in _quotations(paragraph, company):
            found.setdefault(quotation.quote, quotation)
            if len(found) == MAX_QUOTES:
                return list(found.values())
    return list(found.values())


def paragraphs(html: str) -> list[str]:
    """Return the text of a page, by paragraph."""
    html = HIDDEN.sub(" ", html[: 4 * MAX_TEXT]).replace("\r", " ").replace("\n", " ")
    text = unescape(TAG.sub("", LINE_BREAK.sub(" ", BLOCK_TAG.sub("\n", html))))
    return [part for part in PARAGRAPH.split(BLANKS.sub(" ", text)[:MAX_TEXT]) if part]


def _quotations(paragraph: str, company: str) -> Iterator[Quotation]:
    for pattern in (AFTER, BEFORE):
        for match in pattern.finditer(paragraph):
            parts = match.groupdict()
            title = _own_title(parts["title"] or parts["title2"], company)
            quote = parts["quote"].rstrip(" ,").lstrip()
            if title and len(quote.split()) >= MIN_WORDS:
                yield Quotation(quote, (parts["name"] or parts["name2"]).strip(), title)


def _own_title(title: str, company: str) -> str | None:
    """The title without the company, None if it is one in another company."""
    match = OF_COMPANY.search(title)
    if match is None:
        return title.strip()
    first = match[1].split()[0].casefold().strip(",.\u2019'")
    if first in OWN_UNITS:
        return title.strip()
    own = company.casefold().split()[:1]
    return title[: match.start()].strip() if [first] == own else None
