"""
The structure of a text: lines, sentences, headings and labels, and what a heading or label says of the text below it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from enrichment.icp.text import Token
from enrichment.icp.vocabulary import Entry, table, vocabulary, words
from schemas import Strength

BULLETS: Final = frozenset({"-", "#", ">", ";", "[", "]", "+", "x", "|", "\u2705", "\u2714", ")", "*", "\u203a"})
LABEL_ENDS: Final = frozenset({":", "="})
MAX_LABEL: Final = 9  # tokens
ENTITIES: Final = frozenset({"industry", "place", "size", "stage", "stages", "technology", "ownership", "model"})


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What a heading or a label says of the text under it; `number` counts the segments of customers that are told apart."""

    topic: str | None = None
    strength: Strength | None = None
    relation: str | None = None
    currency: str | None = None
    multiplier: float = 1
    number: int = 0


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens from `first` to before `last`, without their label; `starts_line` and `line` tell where it stands."""

    first: int
    last: int
    section: Section
    line: int


def read_sentences(tokens: Sequence[Token]) -> list[Sentence]:
    """Split the tokens into sentences, each with what the headings and labels above and before it say."""
    sentences: list[Sentence] = []
    heading, inline = Section(), Section()
    was_bullet, filled, number, line = False, False, 0, 0
    for first, last in _pieces(tokens):
        starts_line = first == 0 or tokens[first].line > 0
        start = _without_bullet(tokens, first, last) if starts_line else first
        if starts_line:
            line += 1
            is_bullet = start > first
            if first and tokens[first].line > 1 and filled and not (is_bullet and was_bullet):
                heading = Section(number=number)
            was_bullet = is_bullet
            inline = heading
        elif tokens[first - 1].norm in (";", "|") and _has_label_after(tokens, first):
            inline = heading
        end = _label_end(tokens, start, last)
        is_heading = starts_line and end is None and _is_heading(tokens, start, last)
        if end is None and not is_heading:
            if start < last:
                sentences.append(Sentence(first=start, last=last, section=inline, line=line))
                filled = True
            continue
        label_last = last if end is None else end
        content = last if end is None else end + 1
        label, is_segment = _label(tokens, start, label_last)
        if label is None:
            sentences.append(Sentence(first=start, last=last, section=inline, line=line))
            filled = True
            continue
        number += is_segment
        if content >= last:
            if not starts_line or not (_ends_line(tokens, last) or is_heading):
                inline = _under(inline, label, number)
            else:
                heading = inline = _under(Section() if label.strength or not was_bullet else heading, label, number)
                filled = False
            continue
        inline = _under(inline, label, number)
        if is_segment:
            heading = Section(number=number)
        sentences.append(Sentence(first=content, last=last, section=inline, line=line))
        filled = True
    return sentences


def _has_label_after(tokens: Sequence[Token], first: int) -> bool:
    """Whether another label stands in the line after a place."""
    for place in range(first, len(tokens)):
        if tokens[place].line and place > first:
            return False
        if tokens[place].norm in LABEL_ENDS:
            return True
    return False


def _under(outer: Section, label: Section, number: int) -> Section:
    """A label within a section: it says its own topic, and keeps the strength of the section."""
    return Section(
        topic=label.topic or (outer.topic if not label.strength else None),
        strength=label.strength or outer.strength,
        relation=label.relation or outer.relation,
        currency=label.currency,
        multiplier=label.multiplier,
        number=number,
    )


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Iterate over the pieces between line breaks, ends of sentences and labels in the middle of a line."""
    first = 0
    for place in range(1, len(tokens)):
        if _breaks(tokens, first, place):
            yield first, place
            first = place
    if tokens:
        yield first, len(tokens)


def _breaks(tokens: Sequence[Token], first: int, place: int) -> bool:
    before, here = tokens[place - 1], tokens[place]
    if here.line:
        wrapped = here.line == 1 and here.text[0].islower() and before.norm not in (":", ".", ";", "!", "?", "|")
        return not wrapped or _is_labelled(tokens, place)
    if before.norm in (";", "|", "\u2192"):
        return True
    if before.norm in (".", "?", "!", "\u3002"):
        if before.norm == "!" and not here.space:
            return False
        if tokens[place - 2].norm in words("abbreviated") and before.norm == ".":
            return False
        return here.space and not (here.text[0].islower() and before.norm == "." and len(tokens[place - 2].norm) < 3)
    if before.norm in (",", ")", "/", ".") or (before.norm == "-" and before.space and here.space):
        return _is_labelled(tokens, place)
    return False


def _is_labelled(tokens: Sequence[Token], place: int) -> bool:
    """Whether a label that the vocabulary knows begins at a position."""
    for kind in ("topic", "strength"):
        found = vocabulary().at(tokens, place, kind=kind)
        if found and found[0] < len(tokens) and tokens[found[0]].norm in LABEL_ENDS:
            return True
    return False


def _without_bullet(tokens: Sequence[Token], first: int, last: int) -> int:
    """The place after the bullet or number of a line."""
    place = first
    while place < last and (tokens[place].norm in BULLETS and (tokens[place].norm != "x" or place > first)):
        if (
            tokens[place].norm in (">", "+")
            and place + 1 < last
            and (tokens[place + 1].kind == "number" or not tokens[place + 1].space)
        ):
            break
        place += 1
    if (
        place + 1 < last
        and tokens[place].kind == "number"
        and tokens[place + 1].norm in (".", ")")
        and len(tokens[place].norm) < 3
    ):
        place += 2
    return place


def _label_end(tokens: Sequence[Token], first: int, last: int) -> int | None:
    """The place of the sign that ends a label: a colon, or a dash or bar after a label that the vocabulary knows."""
    for place in range(first, min(last, first + MAX_LABEL + 1)):
        norm = tokens[place].norm
        if norm in LABEL_ENDS and place > first and not (place + 1 < last and tokens[place + 1].norm == "="):
            return None if tokens[place - 1].norm in (">", "<", "!") else place
        if (
            place > first
            and norm in ("-", "|")
            and tokens[place].space
            and (place + 1 == last or tokens[place + 1].space)
        ):
            found = vocabulary().at(tokens, first, kind="topic") or vocabulary().at(tokens, first, kind="strength")
            return place if found and found[0] == place else None
        if norm in (",", "."):
            return None
    return None


def _is_heading(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether a line is a heading without a colon: a known label, or any line of few words with Markdown's sign."""
    if first >= last or not _ends_line(tokens, last):
        return False
    marked = first > 0 and tokens[first - 1].norm == "#"
    found = vocabulary().at(tokens, first, kind="topic") or vocabulary().at(tokens, first, kind="strength")
    return last < len(tokens) and (marked or bool(found and found[0] == last))


def _ends_line(tokens: Sequence[Token], last: int) -> bool:
    return last >= len(tokens) or tokens[last].line > 0


def _label(tokens: Sequence[Token], first: int, last: int) -> tuple[Section | None, bool]:
    """Read a label, and whether it numbers a segment; None if it names customers itself: "Mid-market: …"."""
    topics: list[tuple[int, Entry]] = []
    strength: Strength | None = None
    relation: str | None = None
    currency: str | None = None
    multiplier, has_entity, is_segment = 1.0, False, False
    place = first
    while place < last:
        found = vocabulary().at(tokens, place)
        topic = vocabulary().at(tokens, place, kind="topic")
        cue = vocabulary().at(tokens, place, kind="strength")
        if topic and (topic[0] >= (found[0] if found else 0) or topic[0] - place > 1):
            topics += [(topic[0] - place, one) for one in topic[1]]
        if cue and strength != "must_not":
            strength = _STRENGTHS.get(cue[1][0].id, strength)
        if not found:
            place += 1
            continue
        kinds = {one.kind for one in found[1]}
        if (
            kinds & ENTITIES
            and not kinds & {"topic", "strength", "unit", "noun"}
            and not any(one.ordinary for one in found[1])
        ):
            has_entity = True
        if "category" in kinds and not topics:
            topics.append((found[0] - place, Entry(kind="topic", id="technology")))
        for one in found[1]:
            if one.kind == "relation" and one.id in ("serving", "lacking", "contact", "target"):
                relation = one.id if one.id != "target" else None
            currency = one.id if one.kind == "currency" and one.id else currency
        is_segment = is_segment or bool(
            kinds & {"segment"}
            and found[0] < last + 1
            and (tokens[min(found[0], last - 1)].kind == "number" or len(tokens[min(found[0], last - 1)].norm) == 1)
        )
        place = max(found[0], cue[0] if cue else 0, topic[0] if topic and topics else 0)
    if currency:
        sizes: dict[str, float] = table("label_sizes")
        multiplier = next((sizes[token.norm] for token in tokens[first:last] if token.norm in sizes), 1.0)
    if has_entity and not strength:
        return None, False
    best = max(topics, key=lambda one: (one[0], one[1].id != "skip"), default=None)
    name = best[1].id if best else None
    if relation == "lacking":
        strength, relation = "must_not", None
    return Section(
        topic=name, strength=strength, relation=relation, currency=currency, multiplier=multiplier
    ), is_segment


_STRENGTHS: Final[dict[str, Strength]] = {
    "exclude": "must_not",
    "not": "must_not",
    "wish": "should",
    "must": "must",
    "exclude_after": "must_not",
    "wish_after": "should",
}
