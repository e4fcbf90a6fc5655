"""
The structure of a text: lines, sentences, headings and labels, and what a heading or label says of the text below it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from enrichment.icp.text import Token
from enrichment.icp.vocabulary import Entry, table, vocabulary, words
from schemas import Strength

BULLETS: Final = frozenset({"-", "#", ">", ";", "[", "]", "+", "x", "|", "\u2705", "\u2714", ")", "*", "\u203a"})
LABEL_ENDS: Final = frozenset({":", "="})
STRENGTHS: Final[dict[str, Strength]] = {
    "exclude": "must_not",
    "not": "must_not",
    "wish": "should",
    "must": "must",
    "exclude_after": "must_not",
    "wish_after": "should",
}
RELATIONS: Final = ("serving", "lacking", "contact")
"Relations that a label begins for the text under it."
MIN_LAST_WORD: Final = 3  # letters of a word at the end of a sentence that a small letter follows
MAX_LABEL: Final = 9  # tokens
ENTITIES: Final = frozenset({"industry", "place", "size", "stage", "stages", "technology", "ownership", "model"})


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What a heading or a label says of the text under it; `number` counts segments of customers."""

    topic: str | None = None
    strength: Strength | None = None
    relation: str | None = None
    currency: str | None = None
    multiplier: float = 1
    bound: str | None = None
    """Whether the number under it is a `lower` or an `upper` bound: "Min. employees: 50"."""
    number: int = 0


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens from `first` to before `last`, without their label."""

    first: int
    last: int
    section: Section


def read_sentences(tokens: Sequence[Token]) -> list[Sentence]:
    """Split the tokens into sentences, each with what the headings and labels above and before it say."""
    reader = _SectionReader(tokens)
    for first, last in _pieces(tokens):
        reader.read(first, last)
    return reader.sentences


class _SectionReader:
    """
    Reads the pieces of a text. `heading` is what the heading above says, `inline` what it and the line's label say.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.sentences: list[Sentence] = []
        self.heading = self.inline = Section()
        self.was_bullet = False
        self.is_filled = False
        """Whether there is text under the heading."""
        self.number = 0
        self.columns: dict[int, Strength | None] = {}
        """What the cells of the first row say of the columns of a table: "| Ideal | Disqualify |"."""
        self.row = self.cell = 0
        self.points = _points(tokens)

    def read(self, first: int, last: int) -> None:
        """Read a piece: a sentence, a heading, or a label with a sentence."""
        starts_line = first == 0 or self.tokens[first].line > 0
        if first in self.points:
            self.inline = Section(strength="should") if self.tokens[first].norm == "+" else Section(topic="skip")
            self._add(first + 2, last)
            return
        self._find_cell(first, last, starts_line=starts_line)
        start = _without_bullet(self.tokens, first, last) if starts_line else first
        if starts_line:
            self._begin_line(first, is_bullet=start > first)
        elif self.tokens[first - 1].norm in (";", "|") and _has_label_after(self.tokens, first):
            self.inline = self.heading
        elif self.tokens[first - 1].norm in (".", "?", "!"):
            strength = self.inline.strength  # "Exclude: agencies. Freelancers, too."
            self.inline = self.heading if strength is None else Section(strength=strength, number=self.number)
        for_all = self.number > 0 and _is_of_all_segments(self.tokens, start, last)
        if for_all:
            self.inline = self.heading = Section()
        end = _label_end(self.tokens, start, last)
        is_heading = starts_line and end is None and _is_heading(self.tokens, start, last)
        label = _label(self.tokens, start, last if end is None else end) if end is not None or is_heading else None
        if label is None:
            self._add(start, last)
            return
        self.number += label.number
        number = 0 if for_all else self.number
        content = last if end is None else end + 1
        if content < last:
            stops = not starts_line and label.topic is not None and self.tokens[first - 1].norm == "."
            self.inline = _under(self.heading if stops else self.inline, label, number)
            self.heading = Section(number=self.number) if label.number else self.heading
            self._add(content, last)
        elif starts_line and _ends_line(self.tokens, last):
            outer = Section() if label.strength or not self.was_bullet else self.heading
            self.heading = self.inline = _under(outer, label, number)
            self.is_filled = False
        else:
            self.inline = _under(self.inline, label, number)

    def _begin_line(self, first: int, *, is_bullet: bool) -> None:
        """A line after a blank one ends the section of a heading, unless a list of bullets goes on."""
        if first and self.tokens[first].line > 1 and self.is_filled and not (is_bullet and self.was_bullet):
            self.heading = Section(number=self.number)
        self.was_bullet = is_bullet
        self.inline = self.heading

    def _find_cell(self, first: int, last: int, *, starts_line: bool) -> None:
        """Count the rows and cells of a table, and keep what its first row says of the columns."""
        if starts_line:
            self.row = self.row + 1 if self.tokens[first].norm == "|" else 0
            self.cell = 0
            self.columns = self.columns if self.row > 1 else {}
        elif self.row:
            self.cell += 1
        found = vocabulary().at(self.tokens, first, kind="strength") if self.row == 1 and self.cell > 1 else None
        if found and found[0] == last - 1:
            self.columns[self.cell] = STRENGTHS.get(found[1][0].id)

    def _add(self, first: int, last: int) -> None:
        if _is_question(self.tokens, first, last) and (label := _label(self.tokens, first, last)):
            self.inline = _under(Section(number=self.number), label, self.number)
        elif first < last:
            strength = self.columns.get(self.cell) or self.inline.strength
            if self.tokens[last - 1].norm == "?" and last < len(self.tokens) and self.tokens[last].norm in words("no"):
                strength = "must_not"  # "Agencies? No."
            section = msgspec.structs.replace(self.inline, strength=strength)
            self.sentences.append(Sentence(first=first, last=last, section=section))
            self.is_filled = True


def _is_question(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether it is a short question that the next sentence answers: "What size? 50 to 100."."""
    asked = tokens[first:last]
    return 1 < len(asked) <= MAX_LABEL and asked[-1].norm == "?" and not any(one.kind == "number" for one in asked)


def _points(tokens: Sequence[Token]) -> frozenset[int]:
    """The starts of the lines of a score: "+10 uses Shopify", "-5 agency"."""
    starts = [
        place
        for place, token in enumerate(tokens[:-1])
        if (token.line or place == 0)
        and token.norm in ("+", "-")
        and tokens[place + 1].kind == "number"
        and not tokens[place + 1].space
    ]
    return frozenset(starts) if len(starts) > 1 and any(tokens[place].norm == "+" for place in starts) else frozenset()


def _is_of_all_segments(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether a sentence says what holds for all the segments before it: "both in DACH", "in all cases: 50+ people"."""
    start = first + (first < last and tokens[first].norm in ("in", "for"))
    return start < last and tokens[start].norm in words("all_segments")


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
        bound=label.bound,
        number=number,
    )


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Iterate over the pieces between line breaks, ends of sentences and labels in the middle of a line."""
    first = 0
    for place in range(1, len(tokens)):
        if _breaks(tokens, place):
            yield first, place
            first = place
    if tokens:
        yield first, len(tokens)


def _breaks(tokens: Sequence[Token], place: int) -> bool:
    """Whether a sentence, a line or the text before a label ends before a place."""
    before, here = tokens[place - 1], tokens[place]
    if here.line:
        wrapped = here.line == 1 and here.text[0].islower() and before.norm not in (":", ".", ";", "!", "?", "|")
        return not wrapped or _is_labelled(tokens, place)
    if before.norm in (",", ")", "/", "{") or (before.norm == "-" and before.space and here.space):
        after = tokens[place + 1].norm if place + 1 < len(tokens) else ""
        is_of_all = here.norm in words("all_segments") and after in words("located")  # "…, both in DACH"
        return is_of_all or _is_labelled(tokens, place)
    if before.norm != ".":
        return before.norm in (";", "|") or (before.norm in ("?", "!", "\u3002") and here.space)
    word = tokens[place - 2].norm
    abbreviated = word in words("abbreviated") or (here.text[0].islower() and len(word) < MIN_LAST_WORD)
    if word in words("no"):
        return here.space and here.kind != "number"  # "Agencies? No. UK only", but not "No. 1"
    return here.space and not abbreviated


def _is_labelled(tokens: Sequence[Token], place: int) -> bool:
    """Whether a label that the vocabulary knows begins at a position."""
    for kind in ("topic", "strength", "bound"):
        found = vocabulary().at(tokens, place, kind=kind)
        if found and found[0] < len(tokens) and tokens[found[0]].norm in LABEL_ENDS:
            return True
    segment = vocabulary().at(tokens, place, kind="segment")  # "Tier B = fintech"
    return bool(segment and segment[0] + 1 < len(tokens) and tokens[segment[0] + 1].norm in LABEL_ENDS)


def _without_bullet(tokens: Sequence[Token], first: int, last: int) -> int:
    """The place after the bullet or number of a line."""
    place = first
    while place < last and tokens[place].norm in BULLETS and (tokens[place].norm != "x" or place > first):
        following = tokens[place + 1] if place + 1 < last else None
        if following and tokens[place].norm in (">", "+") and (following.kind == "number" or not following.space):
            break  # ">50 employees"
        place += 1
    numbered = [token.norm for token in tokens[place : min(place + 2, last)]]
    is_number = len(numbered) == 2 and numbered[0].isdecimal() and len(numbered[0]) < 3
    return place + 2 if is_number and numbered[1] in (".", ")") else place


def _label_end(tokens: Sequence[Token], first: int, last: int) -> int | None:
    """The place of the sign that ends a label: a colon, or a dash or bar after a label that the vocabulary knows."""
    for place in range(first, min(last, first + MAX_LABEL + 1)):
        norm = tokens[place].norm
        if norm in LABEL_ENDS and place > first and not (place + 1 < last and tokens[place + 1].norm == "="):
            return None if tokens[place - 1].norm in (">", "<", "!") or _counts(tokens[first:place]) else place
        spaced = tokens[place].space and (place + 1 == last or tokens[place + 1].space)
        if place > first and norm in ("-", "|") and spaced:
            found = vocabulary().at(tokens, first, kind="topic") or vocabulary().at(tokens, first, kind="strength")
            is_no = place == first + 1 and tokens[first].norm in words("no")  # "no - 50 employees" corrects itself
            return place if found and found[0] == place and not is_no else None
        if norm in (",", "."):
            return None
    return None


def _counts(label: Sequence[Token]) -> bool:
    """Whether words before a colon say how many of a list there must be: "at least 3 of:"."""
    return any(one.kind == "number" and after.norm in ("of", "or") for one, after in pairwise(label))


def _is_heading(tokens: Sequence[Token], first: int, last: int) -> bool:
    """
    Whether a line is a heading without a colon: a known label, any line of few words with Markdown's sign, or words
    that exclude or require above a list of bullets ("Those we turn away").
    """
    if first >= last or last >= len(tokens) or not _ends_line(tokens, last):
        return False
    is_bullet = first > 0 and tokens[first].line == 0
    if is_bullet:
        return tokens[first - 1].norm == "#" or _is_known_label(tokens, first, last)
    bullets = tokens[last].norm in BULLETS and last + 1 < len(tokens) and tokens[last + 1].space
    label = _label(tokens, first, last) if bullets and last - first <= MAX_LABEL else None
    return _is_known_label(tokens, first, last) or bool(label and label.strength)


def _is_known_label(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether the words are exactly a label of the vocabulary."""
    kinds = ("topic", "strength")
    return any((found := vocabulary().at(tokens, first, kind=one)) and found[0] == last for one in kinds)


def _ends_line(tokens: Sequence[Token], last: int) -> bool:
    return last >= len(tokens) or tokens[last].line > 0


def _label(tokens: Sequence[Token], first: int, last: int) -> Section | None:
    """
    Read a label; None if it names customers itself: "Mid-market: …". Its `number` is 1 if it begins a segment of them.
    """
    reader = _LabelReader()
    place = first
    while place < last:
        place = reader.read(tokens, place, last)
    return reader.section(tokens[first:last])


class _LabelReader:
    """Collects what the words of a label say."""

    def __init__(self) -> None:
        self.topics: list[tuple[int, Entry]] = []
        self.strength: Strength | None = None
        self.relation: str | None = None
        self.currency: str | None = None
        self.bound: str | None = None
        self.names_customers = False
        self.is_segment = False

    def read(self, tokens: Sequence[Token], place: int, last: int) -> int:
        """Read the expression at a place, and return the place after it."""
        found = vocabulary().at(tokens, place)
        topic = vocabulary().at(tokens, place, kind="topic")
        cue = vocabulary().at(tokens, place, kind="strength")
        if topic and found and (topic[0] >= found[0] or topic[0] - place > 1):
            self.topics += [(topic[0] - place, one) for one in topic[1]]
        if cue and self.strength != "must_not":
            self.strength = STRENGTHS.get(cue[1][0].id, self.strength)
        if tokens[place].norm in words("refusals"):
            self.strength = "must_not"
        if found is None:
            return place + 1
        end, entries = found
        kinds = {one.kind for one in entries}
        is_entity = bool(kinds & ENTITIES) and not kinds & {"topic", "strength", "unit", "noun"}
        self.names_customers |= is_entity and not any(one.ordinary for one in entries)
        if "category" in kinds and not self.topics:
            self.topics.append((end - place, Entry(kind="topic", id="technology")))
        if "segment" in kinds and end < last:
            self.is_segment |= tokens[end].kind == "number" or len(tokens[end].norm) == 1
        if any(one.kind == "relation" and one.id == "like" for one in entries):
            self.topics.append((end - place, Entry(kind="topic", id="skip")))  # "Lookalikes of our top 3"
        for one in entries:
            self.relation = one.id if one.kind == "relation" and one.id in RELATIONS else self.relation
            self.currency = one.id if one.kind == "currency" and one.id else self.currency
            self.bound = one.id if one.kind == "bound" else self.bound
        return max(end, cue[0] if cue else 0, topic[0] if topic and self.topics else 0)

    def section(self, tokens: Sequence[Token]) -> Section | None:
        """What the label says."""
        if self.names_customers:
            return None
        sizes: dict[str, float] = table("label_sizes") if self.currency else {}
        best = max(self.topics, key=lambda one: (one[0], one[1].id != "skip"), default=None)
        lacking = self.relation == "lacking"
        return Section(
            topic=best[1].id if best else None,
            strength="must_not" if lacking else self.strength,
            relation=None if lacking else self.relation,
            currency=self.currency,
            multiplier=next((sizes[token.norm] for token in tokens if token.norm in sizes), 1.0),
            bound=self.bound,
            number=int(self.is_segment),
        )
