"""
JSON-LD, the data in a web page: objects with a type of schema.org (https://schema.org/docs/full.html).
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_JSON_LD: Final = 262_144
"Characters of it that are read of a page."
MAX_OBJECTS: Final = 2_000
"Objects of a page that are kept."
MAX_TEXT: Final = 5_000
"Characters of a text."

JSON_STRING: Final = r'("(?:[^"\\]|\\.?)*+(?:"|\Z))'
"A string, which ends with the text at the latest: else the search would begin again at each quotation mark in it."
LINE_COMMENT: Final = r"|//[^\n]*|/\*.*?(?:\*/|\Z)|<!\[CDATA\[|\]\]>"
COMMENT: Final = re.compile(JSON_STRING + LINE_COMMENT + r"|<!--.*?(?:-->|\Z)", re.DOTALL)
MARK: Final = re.compile(JSON_STRING + LINE_COMMENT + r"|<!--|-->", re.DOTALL)
TRAILING_COMMA: Final = re.compile(JSON_STRING + r"|,(?=\s*[}\]])", re.DOTALL)
INLINE_TAG: Final = re.compile(r"<[^<>]{0,1000}>")

Items = tuple[Mapping[str, Any], ...]


def read_json_ld(texts: list[str]) -> tuple[Items, Items]:
    """Return the objects of JSON-LD documents that have a type, and those inside of others."""
    outer: list[Any] = []
    left = MAX_JSON_LD
    for text in texts:
        left -= len(text)
        if left >= 0:
            outer.append(_lenient_json(text))
    items: list[Mapping[str, Any]] = []
    inner: list[Any] = []
    for value in outer:
        if isinstance(value, list):
            outer += value
        elif isinstance(value, dict):
            outer += [value["@graph"]] if "@graph" in value else []
            inner += [child for name, child in value.items() if name != "@graph"]
            items += [value] if "@type" in value else []
    nested: list[Mapping[str, Any]] = []
    for value in inner:
        if isinstance(value, list):
            inner += value
        elif isinstance(value, dict):
            inner += value.values()
            nested += [value] if "@type" in value else []
    return tuple(items[:MAX_OBJECTS]), tuple(nested[:MAX_OBJECTS])


def types_of(item: Mapping[str, Any]) -> frozenset[str]:
    """Return the types of an object of JSON-LD, without the vocabulary's address."""
    return frozenset(re.split("[/#:]", each)[-1] for each in strings(item.get("@type")))


def strings(value: object) -> list[str]:
    """Return the strings of a value that may be one string, a list of some, or anything else; without HTML."""
    values = value if isinstance(value, list) else [value]
    return [text for each in values if isinstance(each, str) and (text := clean(html.unescape(each), MAX_TEXT))]


def first(value: object) -> str | None:
    """Return the first string of a value that may be anything."""
    return next(iter(strings(value)), None)


def clean(text: str, limit: int) -> str:
    """Return a text without tags and with single blanks, at most `limit` characters."""
    return " ".join(INLINE_TAG.sub(" ", text[: 4 * limit]).split())[:limit].strip()


def _lenient_json(text: str) -> Any:
    """Decode JSON that may have comments, trailing commas, and raw control characters. Return None if it cannot be."""
    for candidate in _candidates(text):
        try:
            return json.loads(candidate, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
    return None


def _candidates(text: str) -> Iterator[str]:
    """The text, then without comments; then without the marks of HTML comments, which may be around all of it."""
    yield text
    for pattern in (COMMENT, MARK):
        yield TRAILING_COMMA.sub(r"\1", pattern.sub(r"\1", text)).strip().removesuffix(";")
