"""
The context of a mention: its sentence, the mentions around it, and the relation to the company that it stands in.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from enrichment.icp.drafts import Connector, Doubt, Draft, reading
from enrichment.icp.mentions import Mention, Team, Words
from enrichment.icp.scopes import Scopes
from enrichment.icp.sections import Section
from enrichment.icp.text import Token, excerpt
from enrichment.icp.vocabulary import Entry, by_language, vocabulary, words
from schemas import ConditionAbout, ConditionValue, Measure, Reading

OR: Final = frozenset({"or", "oder", "/", "nor", "ofwel", "bzw", "eller", "lub"})
AND: Final = frozenset({"and", "und", "plus", "+", "sowie", "with"})
BREAKS: Final = frozenset({",", "(", ")", ":", "\u2014"})
KINDS_OF_COMPANIES: Final = frozenset({Measure.INDUSTRY, Measure.CUSTOMERS_INDUSTRY, Measure.BUSINESS_MODEL})
GRAMMAR: Final = frozenset({"strength", "link", "noun", "relation", "lead", "both", "to"})
LINKS: Final = ("link", "both", "bound_after")  # the last one is "+"
FOREIGN: Final = frozenset({"integrating", "evaluating", "like", "about_person"})
"Relations in which nothing that is named is a condition on the company."
SERVED: Final = frozenset({"serving", "serving_in"})


class Surroundings(NamedTuple):
    """What a text says elsewhere: its language, the places that it names without doubt, and measures of money."""

    text: str
    language: str
    certain: Sequence[Entry]
    countries: frozenset[str]
    """The ISO 3166-1 codes of the countries of those places."""
    money: AbstractSet[Measure]


class Context:
    """
    What is known while the mentions of a sentence are read. `drafts` and `doubts` are the result.

    `place` is the number of the mention that is being read, `relation` the one that it stands in, `lead` what the next
    number counts ("revenue of"), `team` the team that it counts. `chunk` counts the parts between commas.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        tokens: Sequence[Token],
        section: Section,
        mentions: Sequence[Mention],
        *,
        index: int,
        scopes: Scopes,
    ) -> None:
        self.text, self.language, self.certain, self.countries, self.money = surroundings
        self.tokens = tokens
        self.section = section
        self.mentions = list(mentions)
        self.index = index
        self.scopes = scopes
        self.drafts: list[Draft] = []
        self.doubts: list[Doubt] = []
        self.understood: set[int] = set()
        self.relation: str | None = section.relation
        self.relation_chunk = 0
        self.relation_kinds: set[str] = set()
        self.lead: tuple[str, int] | None = None
        self.team: Team | None = None
        self.negation_end = -1
        self.place = 0
        self.chunk = 0
        self.in_brackets = False
        self.is_restricted = any(token.norm in words("only") for token in tokens)
        self.known = {place for one in mentions for place in range(one.first, one.last)}
        self.grammar = {
            place
            for one in mentions
            if isinstance(one, Words) and not {each.kind for each in one.entries}.isdisjoint(GRAMMAR)
            for place in range(one.first, one.last)
        }

    # What surrounds a mention

    @property
    def here(self) -> Mention:
        """The mention that is being read."""
        return self.mentions[self.place]

    @property
    def last(self) -> Draft | None:
        """The newest draft of the sentence."""
        return self.drafts[-1] if self.drafts else None

    def before(self) -> Mention | None:
        """The mention before this one, whatever is between the two."""
        return self.mentions[self.place - 1] if self.place else None

    def after(self) -> Mention | None:
        """The mention directly after this one."""
        following = self.mentions[self.place + 1] if self.place + 1 < len(self.mentions) else None
        adjacent = following is not None and following.first == self.here.last
        return following if following and adjacent and not self.tokens[following.first].line else None

    def after_kinds(self, mention: Mention) -> set[str]:
        """What the word directly after a mention says of it: `users`, `partners`, `customers`, …"""
        if mention.last >= len(self.tokens) or self.tokens[mention.last].line:
            return set()
        found = vocabulary().at(self.tokens, mention.last, kind="after")
        return {one.id for one in found[1]} if found else set()

    def listed(self, step: int) -> Mention | None:
        """The mention before (-1) or after this one (1) that only a comma, "and" or "or" is between."""
        place = self.place + step
        while 0 <= place < len(self.mentions):
            other = self.mentions[place]
            if not (isinstance(other, Words) and all(one.kind in LINKS for one in other.entries)):
                ends = (other.last, self.here.first) if step < 0 else (self.here.last, other.first)
                between = self.words_between(*ends)
                return other if between and words("list") >= set(between) else None
            place += step
        return None

    def word(self, place: int) -> str:
        """The word at a place; empty beyond the sentence."""
        return self.tokens[place].norm if 0 <= place < len(self.tokens) else ""

    def words_between(self, first: int, last: int) -> list[str]:
        """The words between two places."""
        return [token.norm for token in self.tokens[max(0, first) : max(0, last)]]

    def written(self, mention: Mention) -> str:
        """A mention as it is written."""
        return excerpt(self.text, self.tokens, mention.first, mention.last)

    def connector(self, first: int) -> Connector:
        """How the words before a place follow the last draft of the sentence."""
        if self.last is None:
            return ""
        for word in reversed(self.words_between(self.last.last, first)):
            if word in OR | by_language("or_in", self.language):
                return "or"
            if word in AND | by_language("and_in", self.language):
                return "and"
            if word in BREAKS:
                return ","
        return "," if self.last.chunk != self.chunk else ""

    def is_or(self, place: int) -> bool:
        """Whether the word at a place makes an alternative."""
        return self.word(place) in OR | by_language("or_in", self.language)

    def is_and(self, place: int) -> bool:
        """Whether the word at a place makes an addition."""
        return self.word(place) in AND - {"with"} | by_language("and_in", self.language)

    def is_alone(self) -> bool:
        """Whether the mention is a whole part of the sentence between commas, but for words that only link."""
        first, last = self.here.first - 1, self.here.last
        while first in self.grammar and self.tokens[first].norm not in OR | AND:
            first -= 1
        while last in self.grammar and self.tokens[last].norm not in OR | AND:
            last += 1
        edges = BREAKS | OR | AND | {"", ".", ";", "!", "-", "|"}
        return self.word(first) in edges and (self.word(last) in edges or self.tokens[last].line > 0)

    def is_followed_by_unknown(self, mention: Mention) -> bool:
        """Whether a word that the reader does not know follows directly: "VP lending", "50 hourly workers"."""
        place = mention.last
        return place < len(self.tokens) and self._is_unknown(place) and not self.tokens[place].line

    def is_after_unknown(self, mention: Mention) -> bool:
        """Whether a word that the reader does not know is directly before: "financieel directeur"."""
        before = mention.first - 1
        return before >= 0 and self.tokens[before].kind == "word" and before not in self.grammar

    def is_preceded_by_unknown(self, mention: Mention) -> bool:
        """Whether a word that is in no expression of the vocabulary is directly before."""
        return mention.first > 0 and self._is_unknown(mention.first - 1) and not self.tokens[mention.first].line

    def is_after_function(self, mention: Mention) -> bool:
        """Whether the name of a department is directly before: "clinical" of "clinical ops team"."""
        before = self.before()
        function = isinstance(before, Words) and before.of("function") is not None
        return bool(function and before and before.last == mention.first)

    def is_owned(self, mention: Mention) -> bool:
        """Whether it is a part of the company and not what it is: "own cafes"."""
        return self.word(mention.first - 1) == "own" and not self.tokens[mention.first - 1].joined

    def is_negated_verb(self, first: int) -> bool:
        """Whether unknown words are between an open negation and a place: "not licensed in"."""
        if not self.is_excluding() or self.section.strength == "must_not" or self.negation_end < 0:
            return False
        between = range(self.negation_end, first)
        is_first = not any(one.first >= self.negation_end for one in self.drafts)
        return is_first and any(self._is_unknown(place) for place in between)

    def _is_unknown(self, place: int) -> bool:
        return place not in self.known and self.tokens[place].kind == "word"

    # Relations and strengths

    def relation_to(self, kind: str) -> str | None:
        """The relation, if it reaches a mention of a kind: in its part of the sentence, or as the next of a list."""
        if self.relation is None or self.relation == self.section.relation:
            return self.relation
        if self.chunk == self.relation_chunk:
            self.relation_kinds.add(kind)
        elif kind in self.relation_kinds and self.chunk == self.relation_chunk + 1:
            self.relation_chunk = self.chunk
        else:
            self.relation = self.section.relation
        return self.relation

    def relate(self, relation: str) -> None:
        """Begin a relation."""
        self.relation, self.relation_chunk, self.relation_kinds = relation, self.chunk, set()

    def is_excluding(self) -> bool:
        """Whether a negation is open."""
        return self.scopes.is_excluding(self.chunk)

    # Results

    def state(
        self, mention: Mention, measure: Measure, value: ConditionValue, label: str, confidence: float, **more: Any
    ) -> Draft:
        """Add a condition that a mention states."""
        operator = more.pop("operator", "exists" if value is True else "eq")
        return self.add(
            Draft(
                measure=measure,
                operator=operator,
                value=value,
                label=label,
                first=mention.first,
                last=mention.last,
                confidence=confidence,
                **more,
            )
        )

    def state_entry(self, mention: Mention, measure: Measure, entry: Entry, confidence: float) -> Draft:
        """Add a condition whose value is an entry of the vocabulary."""
        codes, narrower = entry.codes, entry.narrower
        return self.state(mention, measure, entry.id, entry.label, confidence, codes=codes, narrower=narrower)

    def happens(self, mention: Mention, measure: Measure, label: str, **about: Any) -> Draft:
        """Add a condition on something that happened, or that the company does."""
        return self.state(mention, measure, value=True, label=label, confidence=0.85, about=ConditionAbout(**about))

    def add(self, draft: Draft) -> Draft:
        """Add a draft with its strength, and mark its words as understood."""
        draft.sentence, draft.chunk, draft.segment = self.index, self.chunk, self.section.number
        draft.connector = self.connector(draft.first)
        between = range(self.last.last if self.last else 0, draft.first)
        draft.is_next = bool(self.last) and all(
            place in self.grammar or self.tokens[place].norm in OR | AND for place in between
        )
        self.scopes.apply(draft, closed_by_only=self.is_restricted)
        if draft.strength == "must_not" and self.last and "with" in self.words_between(self.last.last, draft.first):
            draft.connector = ""  # "no banks with more than 50 branches"
        self.drafts.append(draft)
        is_kind = draft.in_words or draft.measure in KINDS_OF_COMPANIES
        draft.dropped |= draft.strength == "must_not" and self.word(draft.last) in words("only")  # "no B2B-only"
        draft.dropped |= draft.strength == "must_not" and is_kind and self.is_modified(draft.first, draft.last)
        if not draft.dropped:
            self.understood.update(range(draft.first, draft.last))
        return draft

    def is_modified(self, first: int, after: int) -> bool:
        """Whether a word beside it, which the reader does not know, changes its meaning: "no military hospitals"."""
        before = first - 1
        is_word = before >= 0 and self.tokens[before].kind == "word" and not self.tokens[first].line
        if is_word and before not in self.understood and before not in self.grammar:
            return True
        if after >= len(self.tokens) or self.tokens[after].line:
            return False
        return self.tokens[after].kind == "word" and after not in self.grammar

    def doubt(self, mention: Mention, *readings: Reading) -> None:
        """Report a passage that can mean several things, and is no condition."""
        self.doubts.append(Doubt(first=mention.first, last=mention.last, readings=readings))
        self.understood.update(range(mention.first, mention.last))

    def doubt_name(self, mention: Mention, measure: Measure, label: str, value: str, other: str) -> None:
        """Report a name that may be meant as a value of a measure, or as something else."""
        self.doubt(mention, reading(measure, label, value), reading(None, other))

    def skip_to(self, place: int) -> None:
        """Pass over the mentions before a place, as they were read with this one."""
        self.understood.update(range(self.here.first, place))
        while self.place + 1 < len(self.mentions) and self.mentions[self.place + 1].first < place:
            self.place += 1
