"""
The way from what a caller writes to a profile: text, tokens, mentions, conditions, checked profile.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from enrichment.icp.alternatives import grouped
from enrichment.icp.checks import confidence, contradictions, reasoning, requests
from enrichment.icp.conditions import read_sentence, without_introduction
from enrichment.icp.context import Context, Surroundings
from enrichment.icp.drafts import MONEY, Doubt, Draft
from enrichment.icp.languages import language_of
from enrichment.icp.mentions import Mention, Words, find_mentions
from enrichment.icp.places import Places
from enrichment.icp.scopes import Scopes
from enrichment.icp.sections import Section, Sentence, read_sentences
from enrichment.icp.text import Token, excerpt, read_tokens
from enrichment.icp.typos import corrected
from enrichment.icp.vocabulary import Entry, Kind, table
from schemas import Ambiguous, Condition, ConditionQuote, CustomerProfile, Measure, NotUnderstood

GRAMMAR: Final[frozenset[Kind]] = frozenset(
    {
        "relation",
        "after",
        "strength",
        "topic",
        "segment",
        "lead",
        "bound",
        "bound_after",
        "between",
        "to",
        "both",
        "around",
        "noun",
        "link",
        "window",
        "unit",
    }
)
"Kinds of expressions that need not be understood, since they are no conditions."


def read_text(text: str, *, field: str = "text", index: int = 0, section: Section | None = None) -> CustomerProfile:
    """
    Read a profile from text by the rules. It never fails: what has no meaning is listed in `not_understood`, and what
    has several in `ambiguous`.

    `section` says what the text is about, if it is a field of an object.
    """
    tokens = corrected(read_tokens(text))
    language = language_of(tokens)
    sentences = [_within(sentence, section) for sentence in read_sentences(tokens)]
    mentions = [
        find_mentions(text, tokens[each.first : each.last], language, topic=each.section.topic) for each in sentences
    ]
    drafts, doubts, understood = _conditions(text, tokens, sentences, mentions, language)
    groups = grouped(drafts)
    quoted = _Quotes(text, tokens, field, index)
    conditions = tuple(quoted.condition(draft, number, group) for number, (draft, group) in enumerate(groups, 1))
    used = {id(draft) for draft, _ in groups}
    understood -= {
        place for draft in drafts if id(draft) not in used and draft.dropped for place in range(draft.first, draft.last)
    }
    return checked(
        CustomerProfile(
            read_by="rules",
            conditions=conditions,
            ambiguous=tuple(quoted.ambiguous([draft for draft, _ in groups], doubts)),
            not_understood=tuple(quoted.not_understood(sentences, mentions, understood)),
        )
    )


def checked(profile: CustomerProfile) -> CustomerProfile:
    """The profile with its confidence, its contradictions, and the reasons."""
    doubts = sum(one.condition is None for one in profile.ambiguous)
    return msgspec.structs.replace(
        profile,
        contradictions=contradictions(profile.conditions),
        confidence=confidence(profile.conditions, doubts),
        reasoning=reasoning(profile.conditions),
        raise_confidence=requests(profile),
    )


def _within(sentence: Sentence, section: Section | None) -> Sentence:
    """The sentence with what the field says, which a label in the text overrides."""
    if section is None or sentence.section.topic:
        return sentence
    own = sentence.section
    merged = Section(
        topic=section.topic, strength=own.strength or section.strength, relation=own.relation, number=own.number,
        currency=own.currency or section.currency, multiplier=own.multiplier, bound=own.bound,
    )  # fmt: skip
    return Sentence(first=sentence.first, last=sentence.last, section=merged)


def _conditions(
    text: str,
    tokens: Sequence[Token],
    sentences: Sequence[Sentence],
    mentions: Sequence[Sequence[Mention]],
    language: str,
) -> tuple[list[Draft], list[Doubt], set[int]]:
    """Read all sentences: the drafts of conditions, the doubts, and the places that were understood."""
    certain = _certain_places(mentions)
    countries = frozenset(_country(one) for one in certain if one.id not in table("namesakes"))
    drafts: list[Draft] = []
    doubts: list[Doubt] = []
    understood: set[int] = set()
    negations = 0
    money: set[Measure] = set()
    for index, (sentence, found) in enumerate(zip(sentences, mentions, strict=True)):
        if sentence.section.topic == "skip":
            continue
        own = tokens[sentence.first : sentence.last]
        scopes = Scopes(sentence.section.strength, negations)
        surroundings = Surroundings(text, language, certain, countries, money)
        context = Context(surroundings, own, sentence.section, found, index=index, scopes=scopes)
        without_introduction(context)
        read_sentence(context)
        negations = scopes.number
        money |= {one.measure for one in context.drafts if one.measure in MONEY}
        passages: list[Draft | Doubt] = [*context.drafts, *context.doubts]
        for one in passages:
            one.first, one.last = one.first + sentence.first, one.last + sentence.first
        drafts += context.drafts
        doubts += context.doubts
        understood.update(place + sentence.first for place in context.understood)
    return drafts, doubts, understood


def _certain_places(mentions: Iterable[Iterable[Mention]]) -> list[Entry]:
    """The places that the text names without doubt, each once; they decide what codes of two letters mean."""
    named = (
        one.meanings[0]
        for found in mentions
        for one in found
        if isinstance(one, Places)
        and not one.needs_evidence
        and not one.is_part
        and (not one.is_code or len(one.meanings) == 1)
    )
    return list(dict.fromkeys(named))


def _country(place: Entry) -> str:
    """The country of a place, or the first one of a region."""
    return (place.within or next(iter(place.codes), place.id))[:2]


def _is_grammar(mention: Words) -> bool:
    """Whether it says nothing by itself, unlike what is counted: "no students", "placing nurses"."""
    counted = all(one.kind == "unit" and one.id in ("headcount", "other") for one in mention.entries)
    return not counted and {one.kind for one in mention.entries} <= GRAMMAR


class _Quotes:
    """Conditions, ambiguous passages and passages that were not understood, each with its quote."""

    def __init__(self, text: str, tokens: Sequence[Token], field: str, index: int) -> None:
        self._text = text
        self._tokens = tokens
        self._field = field
        self._index = index

    def quote(self, first: int, last: int) -> ConditionQuote:
        """The passage of the tokens from `first` to before `last`."""
        start, end = self._tokens[first].start, self._tokens[last - 1].end
        words = excerpt(self._text, self._tokens, first, last)
        return ConditionQuote(text=words, start=start, end=end, field=self._field, index=self._index)

    def condition(self, draft: Draft, number: int, group: int) -> Condition:
        """A condition with its id and the number of its group."""
        corrected_ = any(token.corrected for token in self._tokens[draft.first : draft.last])
        return Condition(
            id=f"c{number}",
            measure=draft.measure,
            operator=draft.operator,
            value=draft.value,
            label=draft.label,
            unit=draft.unit,
            currency=draft.currency,
            codes=draft.codes,
            kind=draft.kind,
            strength=draft.strength,
            any_of=group,
            about=draft.about,
            quote=self.quote(draft.first, draft.last),
            confidence=round(min(draft.confidence, 0.75 if corrected_ else 1.0), 2),
        )

    def ambiguous(self, drafts: Sequence[Draft], doubts: Iterable[Doubt]) -> Iterator[Ambiguous]:
        """The passages with several readings: those of conditions, and those of which no condition was made."""
        for number, draft in enumerate(drafts, 1):
            if draft.readings:
                yield Ambiguous(
                    quote=self.quote(draft.first, draft.last), readings=draft.readings, condition=f"c{number}"
                )
        for doubt in doubts:
            yield Ambiguous(quote=self.quote(doubt.first, doubt.last), readings=doubt.readings)

    def not_understood(
        self, sentences: Sequence[Sentence], mentions: Sequence[Sequence[Mention]], understood: set[int]
    ) -> Iterator[NotUnderstood]:
        """The passages that no condition was made of, without the words of the grammar."""
        for sentence, found in zip(sentences, mentions, strict=True):
            grammar = {
                place
                for one in found
                if isinstance(one, Words) and _is_grammar(one)
                for place in range(one.first + sentence.first, one.last + sentence.first)
            }
            run: list[int] = []
            for place in range(sentence.first, sentence.last):
                token = self._tokens[place]
                counts = token.kind in ("word", "number", "flag") and place not in understood
                if run and (place in understood or token.norm in (",", ";", "(", ")")):
                    yield from self._passage(run, grammar)
                    run = []
                elif counts and (run or place not in grammar):
                    run.append(place)
            yield from self._passage(run, grammar)

    def _passage(self, run: list[int], grammar: set[int]) -> Iterator[NotUnderstood]:
        while run and run[-1] in grammar:
            run = run[:-1]
        if run:
            quote = self.quote(run[0], run[-1] + 1)
            yield NotUnderstood(field=quote.field, index=quote.index, start=quote.start, end=quote.end, text=quote.text)
