"""
The context of a mention: its sentence, the mentions around it, and the relation to the company that it stands in.
"""

from collections.abc import Sequence, Set
from typing import Final

from enrichment.icp.drafts import Connector, Doubt, Draft
from enrichment.icp.mentions import Mention, Team, Words
from enrichment.icp.scopes import Scopes
from enrichment.icp.sections import Section
from enrichment.icp.text import Token
from enrichment.icp.vocabulary import Entry, vocabulary
from schemas import Measure, Reading

OR: Final = frozenset("or oder / nor ofwel bzw eller lub".split())
AND: Final = frozenset("and und plus + sowie with".split())
OR_IN: Final = {
    "fr": {"ou", "ni"},
    "es": {"o", "u", "ni"},
    "it": {"o"},
    "nl": {"of", "noch"},
    "pt": {"ou", "nem"},
    "sv": set(),
    "pl": set(),
}
AND_IN: Final = {
    "fr": {"et"},
    "es": {"y", "e"},
    "it": {"e"},
    "nl": {"en"},
    "pt": {"e"},
    "sv": {"och"},
    "pl": {"i", "oraz"},
}
"The words of other languages count only in a text in that language: English has other uses for them."
KINDS_OF_COMPANIES: Final = frozenset({Measure.INDUSTRY, Measure.CUSTOMERS_INDUSTRY, Measure.BUSINESS_MODEL})
GRAMMAR: Final = frozenset({"strength", "link", "noun", "relation", "lead", "both", "to"})
BREAKS: Final = frozenset({",", "(", ")", ":", "—"})


class Context:
    """
    What is known while a sentence is read. `relation` is the one of the mention that is being read; `lead` is what the next
    number counts ("revenue of"), `team` the team that it counts. `drafts` and `doubts` are the result.
    """

    def __init__(
        self, text: str, tokens: Sequence[Token], section: Section, mentions: Sequence[Mention], *, index: int,
        language: str, scopes: Scopes, certain: Sequence[Entry], money: Set[str],
    ) -> None:  # fmt: skip
        self.text = text
        self.tokens = tokens
        self.section = section
        self.mentions = list(mentions)
        self.index = index
        self.language = language
        self.scopes = scopes
        self.certain = certain
        self.drafts: list[Draft] = []
        self.doubts: list[Doubt] = []
        self.understood: set[int] = set()
        self.relation: str | None = section.relation
        self.relation_chunk = 0
        self.lead: tuple[str, int] | None = None
        self.team: Team | None = None
        self.place = 0
        self.chunk = 0
        self.in_brackets = False
        self.negator = -1
        """The place after the words of the newest negation."""
        self.relation_kinds: set[str] = set()
        self._linking = {
            place
            for one in mentions
            if isinstance(one, Words) and not {each.kind for each in one.entries}.isdisjoint(GRAMMAR)
            for place in range(one.first, one.last)
            if tokens[place].norm not in OR | AND
        }
        self.known = {place for one in mentions for place in range(one.first, one.last)}
        self.grammar = {
            place
            for one in mentions
            if isinstance(one, Words) and not {each.kind for each in one.entries}.isdisjoint(GRAMMAR)
            for place in range(one.first, one.last)
        }
        self.money = money
        self.only = any(token.norm in ("only", "nur", "solo", "just") for token in tokens)

    # What surrounds a mention

    def before(self) -> Mention | None:
        """The mention before this one, past the words that only link."""
        return self._near(-1)

    def after(self) -> Mention | None:
        """The mention directly after this one."""
        if self.place + 1 >= len(self.mentions):
            return None
        following = self.mentions[self.place + 1]
        return following if following.first == self.here.last and not self.tokens[following.first].line else None

    def _near(self, step: int) -> Mention | None:
        place = self.place + step
        while 0 <= place < len(self.mentions):
            one = self.mentions[place]
            if not (isinstance(one, Words) and all(each.kind in ("link", "idiom") for each in one.entries)):
                return one
            place += step
        return None

    @property
    def here(self) -> Mention:
        """The mention that is being read."""
        return self.mentions[self.place]

    def words_between(self, first: int, last: int) -> list[str]:
        """The words between two places."""
        return [self.tokens[place].norm for place in range(first, last)]

    def connector(self, first: int) -> Connector:
        """How the words before a place follow the last draft of the sentence."""
        if not self.drafts:
            return ""
        for word in reversed(self.words_between(self.drafts[-1].last, first)):
            if word in OR or word in OR_IN.get(self.language, ()):
                return "or"
            if word in AND or word in AND_IN.get(self.language, ()):
                return "and"
            if word in BREAKS:
                return ","
        return "," if self.drafts[-1].chunk != self.chunk else ""

    def is_alone(self) -> bool:
        """Whether the mention is a whole part of the sentence between commas, but for words that only link."""
        first, last = self.here.first - 1, self.here.last
        link = self._linking
        while first in link:
            first -= 1
        while last < len(self.tokens) and last in link:
            last += 1
        edges = BREAKS | OR | AND | {".", ";", "!", "-", "|"}
        begins = first < 0 or self.tokens[first].norm in edges
        return begins and (last >= len(self.tokens) or self.tokens[last].norm in edges or self.tokens[last].line > 0)

    def is_related(self, kind: str) -> bool:
        """Whether the relation reaches a mention of a kind: in its part of the sentence, or as the next of a list."""
        if self.relation is None or self.relation == self.section.relation:
            return True
        if self.chunk == self.relation_chunk:
            self.relation_kinds.add(kind)
            return True
        if kind in self.relation_kinds and self.chunk == self.relation_chunk + 1:
            self.relation_chunk = self.chunk
            return True
        self.relation = self.section.relation
        return False

    def relate(self, relation: str) -> None:
        """Begin a relation."""
        self.relation, self.relation_chunk, self.relation_kinds = relation, self.chunk, set()

    def add(self, draft: Draft) -> Draft:
        """Add a draft with its strength, and mark its words as understood."""
        draft.sentence, draft.chunk, draft.segment = self.index, self.chunk, self.section.number
        draft.connector = self.connector(draft.first)
        draft.is_next = bool(self.drafts) and all(
            place in self._linking or self.tokens[place].norm in OR | AND
            for place in range(self.drafts[-1].last, draft.first)
        )
        self.scopes.apply(draft, closed_by_only=self.only)
        self.drafts.append(draft)
        is_kind = draft.measure in KINDS_OF_COMPANIES or bool(draft.readings and draft.measure is Measure.HEADCOUNT)
        draft.dropped = draft.strength == "must_not" and is_kind and self.is_modified(draft)
        if not draft.dropped:
            self.understood.update(range(draft.first, draft.last))
        return draft

    def is_modified(self, draft: Draft) -> bool:
        """Whether a word beside it, which the reader does not know, changes its meaning: "no military hospitals"."""
        before, after = draft.first - 1, draft.last
        if before >= 0 and self.tokens[before].kind == "word" and before not in self.known:
            return True
        return (
            after < len(self.tokens)
            and self.tokens[after].kind == "word"
            and not self.tokens[after].line
            and after not in self.grammar
        )

    def after_kinds(self, mention: Mention) -> set[str]:
        """What the word directly after a mention says of it: `users`, `partners`, `customers`, …"""
        if mention.last >= len(self.tokens) or self.tokens[mention.last].line:
            return set()
        found = vocabulary().at(self.tokens, mention.last, kind="after")
        return {one.id for one in found[1]} if found else set()

    def doubt(self, mention: Mention, *readings: Reading) -> None:
        """Report a passage that can mean several things."""
        self.doubts.append(Doubt(first=mention.first, last=mention.last, readings=readings))
        self.understood.update(range(mention.first, mention.last))

    def is_negated_verb(self, first: int) -> bool:
        """Whether unknown words are between an open negation and a place: "not licensed in"."""
        if not self.scopes.is_excluding(self.chunk) or self.section.strength == "must_not" or self.negator < 0:
            return False
        between = range(self.negator, first)
        grammar = {place for one in self.mentions if isinstance(one, Words) for place in range(one.first, one.last)}
        drafts = {place for one in self.drafts for place in range(one.first, one.last)}
        return not drafts & set(between) and any(
            place not in grammar and self.tokens[place].kind == "word" for place in between
        )

    def is_followed_by_unknown(self, mention: Mention) -> bool:
        """Whether a word that the reader does not know follows directly: "VP lending", "50 hourly workers"."""
        place = mention.last
        return (
            place < len(self.tokens)
            and self.tokens[place].kind == "word"
            and not self.tokens[place].line
            and place not in self.known
        )

    def skip_to(self, place: int) -> None:
        """Pass over the mentions before a place, as they were read with this one."""
        self.understood.update(range(self.here.first, place))
        while self.place + 1 < len(self.mentions) and self.mentions[self.place + 1].first < place:
            self.place += 1
