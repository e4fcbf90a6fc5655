"""
A text, the mentions found in it, and the evidence for a sense of an expression from its context.
"""

from typing import Final, Literal

import msgspec

from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import Entity, Sense
from enrichment.blueprint.reading.phrases import Phrases
from enrichment.blueprint.reading.words import Word, read_words

GROUPS: Final = {"category": "technology", "department": "persona", "amount": "size"}

Evidence = Literal["strong", "weak", "none"]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text as words: the free text of the caller, or an item of a field of the profile object."""

    field: str
    index: int
    text: str
    words: list[Word]
    mixed_case: bool
    """Whether it has both upper and lower case; only then do capitals mark names."""

    @classmethod
    def of(cls, field: str, index: int, text: str) -> "Text":
        """Split a text into words."""
        mixed_case = any(letter.islower() for letter in text) and any(letter.isupper() for letter in text)
        return cls(field=field, index=index, text=text, words=read_words(text), mixed_case=mixed_case)

    def excerpt(self, first: int, last: int) -> str:
        """The original text of the words from `first` to before `last`."""
        return self.text[self.words[first].start : self.words[last - 1].end]


class Mention(msgspec.Struct, kw_only=True):
    """An expression in the words from `first` to before `last`, with the entities that it refers to."""

    first: int
    last: int
    kind: str
    entities: tuple[Entity, ...]
    confidence: float
    argument_kind: str | None = None
    argument: Entity | None = None
    within_days: int | None = None
    guessed: bool = False
    excluded: bool = False

    @property
    def group(self) -> str:
        """The group of the kind: a product and a category of products are in one group."""
        return GROUPS.get(self.kind, self.kind)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The position of an expression, the previous mention, and the senses of the next expression."""

    text: Text
    first: int
    last: int
    previous: Mention | None
    next_start: int
    """The start of the next expression."""
    next_senses: tuple[Sense, ...]
    next_text: str
    countries: frozenset[str]
    """Countries that the text names unambiguously."""

    def matches_spelling(self, sense: Sense) -> bool:
        """Whether it is spelled as in the vocabulary, where capitals mark a name (not in an all-capitals text)."""
        marks_name = not self.text.words[self.first].after_break or not sense.spelling[1:].islower()
        return self.text.mixed_case and marks_name and self.text.excerpt(self.first, self.last) == sense.spelling

    def continuation(self) -> Evidence:
        """The evidence that a department continues a mention: "VP of sales and marketing", "hiring in engineering"."""
        words, previous = self.text.words, self.previous
        if previous and previous.group == "persona" and grammar().are_listed(words, previous.last, self.first):
            return "strong" if grammar().conjunctions.at(words, previous.last) else "weak"
        is_argument = (
            previous and previous.argument_kind == "persona" and grammar().are_linked(words, previous.last, self.first)
        )
        return "weak" if is_argument else "none"

    def evidence(self, sense: Sense) -> Evidence:
        """The evidence for a sense: a list of its group, or words around it ("using …", "based in …", "… firms")."""
        group = GROUPS.get(sense.kind, sense.kind)
        if group == "model":
            # In "healthcare SaaS", "SaaS" is the business model.
            beside = self._follows("industry") or self._precedes({"industry"}, doubtful=False)
            return "strong" if beside else "none"
        if self._is_listed(group):
            return "strong"
        if group == "technology":
            return self._usage_evidence()
        if group == "place":
            return self._location_evidence(sense)
        return "strong" if group == "industry" and self._is_followed_by(grammar().company) else "none"

    def _usage_evidence(self) -> Evidence:
        first = self._start_with_article()
        if grammar().using.before(self.text.words, first) or self._is_followed_by(grammar().using_after):
            return "strong"
        return "weak" if grammar().using_weak.before(self.text.words, first) else "none"

    def _location_evidence(self, sense: Sense) -> Evidence:
        first = self._start_with_article()
        lead = grammar().in_place.before(self.text.words, first)
        # "in the us" and "based in us" name a place, "invest in us" does not.
        short = self.last - self.first == 1 and len(self.text.words[self.first].normalized) <= 2
        if lead and (not short or first < self.first or first - lead[0] > 1 or self.matches_spelling(sense)):
            return "weak" if sense.ambiguity == "code" else "strong"
        if sense.ambiguity == "code":
            return "none"
        stated = self._is_followed_by(grammar().of_place) or self._precedes(
            {"industry", "size", "model"}, doubtful=True
        )
        return "strong" if stated else "none"

    def _is_listed(self, group: str) -> bool:
        """Whether the previous or the next item of a list is of this group."""
        words, previous = self.text.words, self.previous
        if previous and previous.group == group and _are_items(words, previous.last, self.first):
            return True
        alike = any(
            GROUPS.get(other.kind, other.kind) == group
            and (other.ambiguity == "none" or (self.text.mixed_case and self.next_text == other.spelling))
            for other in self.next_senses
        )
        return alike and _are_items(words, self.last, self.next_start)

    def _follows(self, kind: str) -> bool:
        """Whether a mention of this kind directly precedes it."""
        previous = self.previous
        if previous is None or previous.kind != kind:
            return False
        return previous.last == self.first and self.text.words[self.first].adjacent

    def _precedes(self, kinds: set[str], *, doubtful: bool) -> bool:
        """Whether an expression of these kinds directly follows it; `doubtful` includes ambiguous senses."""
        if (
            self.next_start != self.last
            or self.next_start >= len(self.text.words)
            or not self.text.words[self.next_start].adjacent
        ):
            return False
        return any(other.kind in kinds and (doubtful or other.ambiguity == "none") for other in self.next_senses)

    def _is_followed_by(self, phrases: Phrases[bool]) -> bool:
        """Whether one of these expressions directly follows it."""
        words = self.text.words
        return self.last < len(words) and words[self.last].adjacent and phrases.at(words, self.last) is not None

    def _start_with_article(self) -> int:
        """The start of the expression, including an article before it."""
        article = grammar().articles.before(self.text.words, self.first)
        return article[0] if article and self.text.words[self.first].adjacent else self.first


def _are_items(words: list[Word], last: int, first: int) -> bool:
    """Whether two expressions are items of a list, separated by "and", a comma, or a slash."""
    apart = first < len(words) and (last < first or "," in words[first].gap or "/" in words[first].gap)
    return apart and grammar().are_listed(words, last, first)
