"""
A text, what was understood in it, and what speaks for a meaning of an expression at its place in the text.
"""

from typing import Final, Literal

import msgspec

from enrichment.blueprint.reading.grammar import grammar
from enrichment.blueprint.reading.lexicon import Meaning, Thing
from enrichment.blueprint.reading.phrases import Phrases
from enrichment.blueprint.reading.words import Word, read_words

GROUPS: Final = {"category": "technology", "department": "persona", "amount": "size"}

Evidence = Literal["strong", "weak", "none"]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be read: the caller's free text, or an entry of a field of the profile's object."""

    field: str
    index: int
    text: str
    words: list[Word]
    cased: bool
    """Whether capitals mean something in it, because it has small letters too."""

    @classmethod
    def of(cls, field: str, index: int, text: str) -> "Text":
        """The text as words."""
        cased = any(letter.islower() for letter in text) and any(letter.isupper() for letter in text)
        return cls(field=field, index=index, text=text, words=read_words(text), cased=cased)

    def shown(self, first: int, last: int) -> str:
        """How the words from `first` to before `last` are written."""
        return self.text[self.words[first].start : self.words[last - 1].end]


class Pick(msgspec.Struct, kw_only=True):
    """The words from `first` to before `last`, the things that they stand for, and how sure that is."""

    first: int
    last: int
    kind: str
    things: tuple[Thing, ...]
    confidence: float
    takes: str | None = None
    took: Thing | None = None
    within_days: int | None = None
    guessed: bool = False
    excluded: bool = False

    @property
    def group(self) -> str:
        """What it is alike to: a product and a category of products are of one group."""
        return GROUPS.get(self.kind, self.kind)


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where an expression stands: its words, what was understood before it, and what may stand after it."""

    text: Text
    first: int
    last: int
    before: Pick | None
    after: int
    """Where the next expression begins."""
    after_may_be: tuple[Meaning, ...]
    after_shown: str
    countries: frozenset[str]
    """Countries that the text names beyond doubt."""

    def as_written(self, meaning: Meaning) -> bool:
        """Whether capitals say that it is the name: but not in a text of capitals, nor where any word has one."""
        telling = not self.text.words[self.first].ends or not meaning.written[1:].islower()
        return self.text.cased and telling and self.text.shown(self.first, self.last) == meaning.written

    def completes(self) -> Evidence:
        """Whether a department goes on with what was begun: "VP of sales and marketing", "hiring in engineering"."""
        words, before = self.text.words, self.before
        if before and before.group == "persona" and grammar().are_listed(words, before.last, self.first):
            return "strong" if grammar().joining.at(words, before.last) else "weak"
        taken = before and before.takes == "persona" and grammar().are_linked(words, before.last, self.first)
        return "weak" if taken else "none"

    def evidence(self, meaning: Meaning) -> Evidence:
        """What speaks for the meaning: a list of its like, or words around it ("using …", "based in …", "… firms")."""
        group = GROUPS.get(meaning.kind, meaning.kind)
        if group == "model":
            # In "healthcare SaaS", "SaaS" is how it is sold.
            beside = self._follows("industry") or self._precedes({"industry"}, doubtful=False)
            return "strong" if beside else "none"
        if self._is_listed(group):
            return "strong"
        if group == "technology":
            return self._used()
        if group == "place":
            return self._situated(meaning)
        return "strong" if group == "industry" and self._goes_on_with(grammar().company) else "none"

    def _used(self) -> Evidence:
        first = self._without_article()
        if grammar().using.before(self.text.words, first) or self._goes_on_with(grammar().using_after):
            return "strong"
        return "weak" if grammar().using_weak.before(self.text.words, first) else "none"

    def _situated(self, meaning: Meaning) -> Evidence:
        first = self._without_article()
        lead = grammar().in_place.before(self.text.words, first)
        # "invest in us" is about no place; "in the us", "based in us" are.
        short = self.last - self.first == 1 and len(self.text.words[self.first].plain) <= 2
        if lead and (not short or first < self.first or first - lead[0] > 1 or self.as_written(meaning)):
            return "weak" if meaning.caution == "code" else "strong"
        if meaning.caution == "code":
            return "none"
        stated = self._goes_on_with(grammar().of_place) or self._precedes({"industry", "size", "model"}, doubtful=True)
        return "strong" if stated else "none"

    def _is_listed(self, group: str) -> bool:
        """Whether it is an item of a list with something of its group, before or after it."""
        words, before = self.text.words, self.before
        if before and before.group == group and _are_items(words, before.last, self.first):
            return True
        alike = any(
            GROUPS.get(other.kind, other.kind) == group
            and (other.caution == "none" or (self.text.cased and self.after_shown == other.written))
            for other in self.after_may_be
        )
        return alike and _are_items(words, self.last, self.after)

    def _follows(self, kind: str) -> bool:
        """Whether something of this kind stands right before it."""
        before = self.before
        if before is None or before.kind != kind:
            return False
        return before.last == self.first and self.text.words[self.first].near

    def _precedes(self, kinds: set[str], *, doubtful: bool) -> bool:
        """Whether something of these kinds stands right after it, or (`doubtful`) may do so."""
        if self.after != self.last or self.after >= len(self.text.words) or not self.text.words[self.after].near:
            return False
        return any(other.kind in kinds and (doubtful or other.caution == "none") for other in self.after_may_be)

    def _goes_on_with(self, phrases: Phrases[bool]) -> bool:
        """Whether one of these expressions stands right after it."""
        words = self.text.words
        return self.last < len(words) and words[self.last].near and phrases.at(words, self.last) is not None

    def _without_article(self) -> int:
        """Where it begins, if an article before it belongs to it."""
        article = grammar().articles.before(self.text.words, self.first)
        return article[0] if article and self.text.words[self.first].near else self.first


def _are_items(words: list[Word], last: int, first: int) -> bool:
    """Whether there is a list in which the one ends and the other begins: with "and", a comma or a stroke."""
    apart = first < len(words) and (last < first or "," in words[first].gap or "/" in words[first].gap)
    return apart and grammar().are_listed(words, last, first)
