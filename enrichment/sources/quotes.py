"""
Quotes of executives in the text of a page: words in quotation marks, with the name and the role of the speaker.

A quote of somebody else's executive is worse than none, so a role that names an organization has to name the company.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Final, NamedTuple

from enrichment.modules.answers import ExecQuotes, Quote
from enrichment.modules.evidence import words
from enrichment.sources.company_names import core_name
from enrichment.sources.markup import BREAK, parse

MAX_LINE: Final = 5_000
MAX_TEXT: Final = 500_000
MAX_EXAMINED: Final = 500
MAX_QUOTES: Final = 5
QUOTE_LENGTHS: Final = range(25, 801)
MIN_WORDS: Final = 5
NEAR: Final = 250
"Characters before and after a quote in which its speaker is looked for."
MAX_ROLE: Final = 120

NOT_TEXT: Final = "script, style, noscript, template, svg, nav, select"
MARKS: Final = re.compile('[\u201c\u201d\u201e"\u00ab\u00bb]')
PAIRS: Final = {"\u201c": "\u201d", "\u201e": "\u201c\u201d", '"': '"', "\u00ab": "\u00bb"}
"Quotation marks by those that open a quote."

# fmt: off
VERB: Final = (
    r"(?:said|says|added|adds|commented|comments|explained|explains|noted|notes|stated|states|remarked|continued"
    r"|concluded|sagte?|erkl\u00e4rte?|betonte?|erl\u00e4uterte?|a d\u00e9clar\u00e9|d\u00e9clare|explique|indique"
    r"|souligne|dijo|afirm\u00f3|se\u00f1al\u00f3|explic\u00f3|coment\u00f3)"
)
ROLE: Final = re.compile(
    r"\b(?:C[A-Z]{1,2}O|(?i:chief(?: \w+){1,3} officer|chief executive|(?:vice )?president|chair|chair(?:man|woman)"
    r"|chairperson|(?:co-?)?founder|(?:managing |executive )?director|[SE]?VP|head|general (?:manager|counsel)"
    r"|(?:managing )?partner|owner|treasurer|gesch\u00e4ftsf\u00fchrer(?:in)?|vorstand\w*|directeur"
    r"|directrice|pr\u00e9sidente?|pdg|presidenta?|directora?|consejer[oa] delegad[oa]))\b"
)
NOT_COMPANIES: Final = frozenset({
    "chief", "executive", "officer", "vice", "president", "senior", "global", "group", "managing", "general",
    "manager", "counsel", "chair", "chairman", "chairwoman", "chairperson", "founder", "founding", "cofounder",
    "co", "director", "head", "partner", "owner", "treasurer", "board", "member", "interim", "acting", "deputy",
    "assistant", "associate", "corporate", "regional", "worldwide", "international", "ceo", "cfo", "cto", "coo",
    "cmo", "cio", "cpo", "cro", "cso", "chro", "cdo", "cco", "vp", "svp", "evp", "md", "gm", "product", "products",
    "engineering", "marketing", "sales", "operations", "operating", "finance", "financial", "technology",
    "technical", "information", "people", "human", "resources", "talent", "design", "data", "analytics", "security",
    "strategy", "growth", "revenue", "customer", "customers", "success", "experience", "service", "services",
    "support", "research", "development", "science", "innovation", "digital", "commercial", "communications",
    "legal", "compliance", "risk", "privacy", "partnerships", "alliances", "business", "brand", "content", "supply",
    "chain", "logistics", "sustainability", "investor", "relations", "public", "affairs", "ecommerce",
    "merchandising", "manufacturing", "quality", "and", "of", "for", "the", "in", "at", "americas", "america",
    "north", "south", "latin", "europe", "european", "emea", "apac", "asia", "pacific", "africa", "us", "usa", "uk",
    "eu",
})
"Words in roles, in lower case, that are not of the name of an organization."
PARTICLES: Final = frozenset({
    "de", "da", "di", "du", "del", "della", "der", "den", "van", "von", "vom", "zu", "la", "le", "el", "al", "bin",
    "ibn", "dos", "e", "y",
})

THEMES: Final = {
    "artificial intelligence": "artificial intelligence|AI|machine learning|generative",
    "personalization":         "personali[sz]\\w+",
    "customer experience":     "customer experience|customers?|clients?|guests?|patients?|members?",
    "digital growth":          "digital|online|e-?commerce",
    "supply chain":            "supply chain|logistics|inventory",
    "automation":              "automat\\w+",
    "sustainability":          "sustainab\\w+|climate|carbon|net zero",
    "security":                "security|cyber\\w*|privacy",
    "expansion":               "expan\\w+|new markets?|international",
    "margins":                 "margins?|profitab\\w+|costs?",
    "growth":                  "grow|grows|growing|growth",
    "talent":                  "talent|workforce|employees",
}
"Patterns of what executives speak of."
# fmt: on
AFTER_VERB: Final = re.compile(rf"[,.]?\s*{VERB}\s+")
BEFORE_QUOTE: Final = re.compile(rf"[,\s]{VERB}\s*[:,]?\s*$")
BEFORE_VERB: Final = re.compile(rf",?\s{VERB}\b")
DASH: Final = re.compile("\\s*[\u2014\u2013-]\\s*")
ROLE_END: Final = re.compile(
    r"[.;:!?()\u201c\u201d\u201e\u00ab\u00bb\u2014\"]|,\s(?=[a-z])"
    r"|\s(?:in an?|in the|during|on|told|who|when|after|as|adding)\s"
)
FORMER: Final = re.compile(r"\b(?:former|formerly|ex|outgoing)\b", re.IGNORECASE)
"In the role of somebody who does not speak for the company any more."
SENTENCE_END: Final = re.compile(r"[.!?]\s+(?=\S)")
THEME_PATTERNS: Final = [(theme, re.compile(rf"\b(?:{pattern})\b")) for theme, pattern in THEMES.items()]


class Said(NamedTuple):
    """A quote with its speaker, all as on the page; signed if the speaker stands below it, without `said`."""

    quote: str
    speaker: str
    role: str
    is_signed: bool = False


def text_of(html: str) -> str:
    """Return the visible text of a page, with one line for each paragraph."""
    tree = parse(html, with_breaks=True)
    for node in tree.css(NOT_TEXT):
        node.decompose()
    lines = (" ".join(line.split()) for line in (tree.body.text() if tree.body else "")[:MAX_TEXT].split(BREAK))
    return "\n".join(line for line in lines if line)


def find_quotes(text: str, names: Iterable[str]) -> list[Said]:
    """Return the quotes of a company's executives in a text of one line for each paragraph; `names` are its names."""
    own = {word for name in names for word in core_name(name)}
    found: dict[str, Said] = {}
    for said in islice(_all_quotes(text), MAX_EXAMINED):
        if _is_of(said, own):
            found.setdefault(said.quote, said)
    return list(found.values())[:MAX_QUOTES]


def exec_quotes(quotes: Iterable[Quote]) -> ExecQuotes:
    """Return the answer of the module, with the themes of the quotes."""
    listed = tuple(quotes)
    themes = dict.fromkeys(theme for quote in listed for theme in themes_of(quote.quote))
    return ExecQuotes(quotes=listed, themes=tuple(themes))


def themes_of(quote: str) -> tuple[str, ...]:
    """Return what a quote is about, by the words in it."""
    return tuple(theme for theme, pattern in THEME_PATTERNS if pattern.search(quote))


def _all_quotes(text: str) -> Iterator[Said]:
    for line, following in pairwise([*text.splitlines(), ""]):
        yield from _quotes_in(line[:MAX_LINE], following[:NEAR])


def _quotes_in(line: str, following: str) -> Iterator[Said]:
    end = 0
    for opening, closing in pairwise(MARKS.finditer(line)):
        if opening.start() < end or closing[0] not in PAIRS.get(opening[0], ""):
            continue
        end = closing.end()
        quote = line[opening.end() : closing.start()].strip().removesuffix(",")
        if len(quote) in QUOTE_LENGTHS and len(quote.split()) >= MIN_WORDS:
            tail = line[end : end + NEAR]
            speaker = _named_after(tail) or _named_before(line[max(0, opening.start() - NEAR) : opening.start()])
            signature = None if speaker else _signature(tail, following)
            if found := speaker or signature:
                yield Said(quote, *found, is_signed=bool(signature))


def _named_after(tail: str) -> tuple[str, str] | None:
    """The speaker and the role in `," said Ann Lee, CEO` and in `," Ann Lee, CEO, said`."""
    if verb := AFTER_VERB.match(tail):
        return _name_and_role(tail[verb.end() :])
    rest = tail.lstrip(" ,")
    verb = BEFORE_VERB.search(rest)
    return _name_and_role(rest[: verb.start()]) if verb else None


def _named_before(head: str) -> tuple[str, str] | None:
    """The speaker and the role in `Ann Lee, CEO, said: "`."""
    verb = BEFORE_QUOTE.search(head)
    sentence = SENTENCE_END.split(head[: verb.start()])[-1] if verb else ""
    while sentence:
        if speaker := _name_and_role(sentence):
            return speaker
        sentence = sentence.partition(", ")[2]
    return None


def _signature(tail: str, following: str) -> tuple[str, str] | None:
    """The speaker and the role after a dash, or in the next line."""
    line = tail.strip() or following
    dash = DASH.match(line)
    return _name_and_role(line[dash.end() :] if dash else line) if dash or not tail.strip() else None


def _name_and_role(text: str) -> tuple[str, str] | None:
    """The name and the role at the beginning of a text: `Ann Lee, CEO of Acme` or `Acme CEO Ann Lee`."""
    name, comma, rest = text.partition(",")
    if comma and _is_name(name):
        role = ROLE_END.split(rest.lstrip(), maxsplit=1)[0].strip(" ,")
        return (name.strip(), role) if len(role) <= MAX_ROLE and ROLE.search(role) else None
    phrase = ROLE_END.split(name, maxsplit=1)[0]
    *_, last = [None, *ROLE.finditer(phrase)]
    if last and _is_name(phrase[last.end() :]):
        return phrase[last.end() :].strip(), phrase[: last.end()].strip()
    return None


def _is_name(text: str) -> bool:
    """Whether it may be the name of a person: two to five words, capitalized but for particles."""
    parts = text.split()
    if not 2 <= len(parts) <= 5 or any(part in PARTICLES for part in (parts[0], parts[-1])):
        return False
    return all(part in PARTICLES or (part[0].isupper() and not part[-1].isdigit()) for part in parts) and not (
        ROLE.search(text)
    )


def _is_of(said: Said, own: set[str]) -> bool:
    """
    Whether the role is one of today, and names no organization but the company.

    Below a quote, it has to name the company: that is how customers are quoted.
    """
    if FORMER.search(said.role):
        return False
    capitalized = [word for part in said.role.split() if part[:1].isupper() for word in words(part)]
    others = {word for word in capitalized if word not in NOT_COMPANIES}
    return not others.isdisjoint(own) if others or said.is_signed else True
