"""
The displacement angle in the words of a language model, which may say only what facts of other modules say.

Rules choose the product, the signals and the priority. The model writes sentences about numbered facts, and a sentence
stays only if it cites facts that there are, and says nothing that could not come from them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.cited_facts import NAME_LABEL, facts_of
from enrichment.modules.displacement import CitedFact, DisplacementAngle, derive
from enrichment.modules.evidence import words
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.failures import ParseError
from enrichment.sources.job_boards import technologies_in
from enrichment.sources.keys import KeyStatus
from enrichment.sources.language_model import LanguageModel
from enrichment.sources.local import derived_finding
from schemas import Method

MAX_TOKENS: Final = 2_000
"An answer has some 400; models that reason first count that, too."
MAX_ANGLE: Final = 4
"Sentences."
MAX_POINTS: Final = 8
MAX_SENTENCE: Final = 300
MIN_WORD: Final = 4
"Letters of a word that a sentence has to share with the facts it cites."
UNSPECIFIC: Final = frozenset({"company", "website", "uses"})
"Words of facts that a sentence about anything shares with them. So is the company's name."
TASK: Final = (
    "You help a sales team to see how one software product could replace another at a company. The data has facts "
    "about the company, each with an id, and the product to replace, if one is known. Write `angle`, two to four "
    "sentences on what to replace and why now, and `talking_points`, three to six points to make. Each item is one "
    "sentence, with the ids of the facts that it rests on in `facts`. Say only what the facts say: no other names, "
    "products, numbers or links, and no ids inside of sentences."
)
ITEMS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "sentence": {"type": "string", "maxLength": MAX_SENTENCE},
            "facts": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["sentence", "facts"],
    },
}
SCHEMA: Final = {
    "type": "object",
    "properties": {"angle": ITEMS, "talking_points": ITEMS},
    "required": ["angle", "talking_points"],
}
CITED: Final = re.compile(r"\s*\[([^\[\]]{0,20})\]")
"An id inside of a sentence."
NEXT_SENTENCE: Final = re.compile(r"[a-z0-9)%]{2}[.!?]\s+[A-Z]")
ADDRESS: Final = re.compile(r"://|www\.|@|[<>{}|`]")
"What an address or markup has, and a plain sentence has not."
DOMAIN: Final = re.compile(r"[\w-]+(?:\.[a-z]{2,})+", re.IGNORECASE)
NUMBER: Final = re.compile(r"(?<![^\W\d_])\d+(?:[.,]\d+)*")
"Not a digit inside of a word, such as B2B."
NAME: Final = re.compile(r"(?<=[\w,;:%)\"'\u201d] )[\"'(\u201c]?([A-Z][\w&-]*)")
"A capitalized word that does not begin the sentence."
ABBREVIATION: Final = re.compile(r"[A-Z0-9&-]{1,4}s?")


class Item(msgspec.Struct, frozen=True):
    """A sentence of the model, and the ids of the facts that it cites."""

    sentence: str
    facts: tuple[str, ...] = ()


class Written(msgspec.Struct, frozen=True):
    """The answer of the model. Items that are none are left out."""

    angle: tuple[Any, ...] | None = None
    talking_points: tuple[Any, ...] | None = None


class Sentence(NamedTuple):
    """A sentence that its facts support."""

    text: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.text, *(f"[{each}]" for each in self.ids)])


class AngleWriter:
    """The source of displacement angles that a language model has written."""

    def __init__(self, model: LanguageModel, clock: Clock) -> None:
        self._model = model
        self._clock = clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """
        Return the angle. Raises `SourceFailed` if nothing remains of what the model has written, or it fails.

        Raises `InsufficientInput` if rules could not find one either.
        """
        angle = derive(subject)
        facts = {fact.id: fact for fact in facts_of(subject)}
        data = {
            "product_to_replace": angle.incumbent.name if angle.incumbent else None,
            "facts": [{"id": fact.id, "fact": fact.fact} for fact in facts.values()],
        }
        answer = await self._model.complete_json(system=TASK, data=data, schema=SCHEMA, max_tokens=MAX_TOKENS)
        return derived_finding(
            rewritten(angle, answer, facts), subject, source="llm", method=Method.LLM, fetched_at=self._clock.now()
        )

    async def check_key(self) -> KeyStatus:
        """See `LanguageModel.check_key`."""
        return await self._model.check_key()


def rewritten(angle: DisplacementAngle, answer: bytes, facts: Mapping[str, CitedFact]) -> DisplacementAngle:
    """Return an angle with the sentences of the model that facts support. Raises `SourceFailed` if there are none."""
    try:
        written = msgspec.json.decode(answer, type=Written)
    except msgspec.ValidationError:
        raise ParseError("The answer of the language model has an unexpected form.") from None
    sentences = supported(written.angle, facts)[:MAX_ANGLE]
    points = supported(written.talking_points, facts)[:MAX_POINTS]
    if not sentences and not points:
        raise SourceFailed("Nothing that the language model has written rests on the facts.")
    sentences, points = sentences or points[:2], points or sentences
    cited = {each for sentence in (*sentences, *points) for each in sentence.ids}
    return msgspec.structs.replace(
        angle,
        angle=" ".join(str(sentence) for sentence in sentences),
        talking_points=tuple(str(point) for point in points),
        evidence=tuple(fact for fact in facts.values() if fact.id in cited),
        method="llm",
    )


def supported(items: Iterable[Any] | None, facts: Mapping[str, CitedFact]) -> list[Sentence]:
    """Return the sentences that cite facts, only such as there are, and say nothing that these do not."""
    named = _vocabulary(fact.fact for fact in facts.values())
    own_name = _vocabulary(fact.fact for fact in facts.values() if fact.fact.startswith(NAME_LABEL))
    found: dict[str, Sentence] = {}
    for item in list(items or ())[: 2 * MAX_POINTS]:
        sentence = _sentence(item)
        if sentence and sentence.ids and facts.keys() >= set(sentence.ids):
            cited = [facts[each].fact for each in sentence.ids]
            if _is_plain(sentence.text) and _is_grounded(sentence.text, cited, named, own_name):
                found.setdefault(sentence.text, sentence)
    return list(found.values())


def _sentence(item: Any) -> Sentence | None:
    """An item as a sentence. Ids inside of it are cited like the others."""
    try:
        read = msgspec.convert(item, Item)
    except msgspec.ValidationError:
        return None
    text = read.sentence[: 2 * MAX_SENTENCE]
    inside = [each.strip() for ids in CITED.findall(text) for each in ids.split(",")]
    return Sentence(" ".join(CITED.sub("", text).split()), tuple(dict.fromkeys([*read.facts, *inside])))


def _is_plain(text: str) -> bool:
    """Whether a text is one sentence, not too long, without addresses and markup."""
    return (
        0 < len(text) <= MAX_SENTENCE
        and text.isprintable()
        and not NEXT_SENTENCE.search(text)
        and not ADDRESS.search(text)
    )


def _is_grounded(text: str, cited: Sequence[str], named: frozenset[str], own_name: frozenset[str]) -> bool:
    """
    Whether a sentence may come from the facts that it cites.

    Its numbers, products and domains have to be in these, its names in any of the facts, and it has to share a word
    with these that is not the company's name: nearly every sentence has that, whatever it says.
    """
    source = " ".join(cited)
    names = [name for name in NAME.findall(text) if not ABBREVIATION.fullmatch(name)]
    return (
        _numbers(text) <= _numbers(source)
        and set(technologies_in(text)) <= set(technologies_in(source))
        and all(domain.lower() in source.lower() for domain in DOMAIN.findall(text))
        and all(named.issuperset(words(name)) for name in names)
        and not (_long_words(text) - own_name - UNSPECIFIC).isdisjoint(_long_words(source))
    )


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in NUMBER.findall(text)}


def _long_words(text: str) -> set[str]:
    return {word for word in words(text) if len(word) >= MIN_WORD}


def _vocabulary(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in words(text))
