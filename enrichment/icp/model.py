"""
The reading of a profile by a language model, bound to the measures and ids of the vocabulary.

What the model answers is checked: a condition whose quote is not in the text, or whose value the vocabulary or the
quote does not have, is dropped. The text is data for the model, never an instruction.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from enrichment.errors import InvalidProfile, SourceError
from enrichment.icp.objects import completed_conditions
from enrichment.icp.reader import checked, read_text
from enrichment.icp.stages import STAGES
from enrichment.icp.vocabulary import Kind, vocabulary
from enrichment.logs import Log
from schemas import (
    Condition,
    ConditionAbout,
    ConditionInput,
    ConditionOperator,
    ConditionQuote,
    CustomerProfile,
    Measure,
    NotUnderstood,
    Strength,
    ValueRange,
)

log = Log(__name__)

MAX_TOKENS: Final = 4_000
MAX_CONDITIONS: Final = 100
SECONDS: Final = 20.0
CONFIDENCE: Final = 0.85
CLOSED: Final[dict[str, Kind]] = {
    "industry, customers_industry": "industry",
    "business_model": "model",
    "ownership": "ownership",
    "technology_category": "category",
    "signal": "signal",
}
"Measures whose ids are listed for the model."
SYSTEM: Final = (
    "Read the ideal customer profile in `text` into conditions on a company. Each condition has a measure, a value, "
    "and a quote: the words of the text that say it, copied letter by letter. Leave out what fits no measure, and "
    "what you are not sure of: no condition is better than a wrong one. `strength` is must, should (a wish) or "
    "must_not (an exclusion). Alternatives have the same number in `any_of`. A number is `min` and `max` in full "
    "digits, with the currency of money. headquarters, office and customers_location are ISO 3166 codes (DE, "
    "US-TX), the ids of regions such as dach, or names of cities. The customers of the companies that are looked for "
    "belong to customers_industry, and products that they sell or integrate with are no technology. Funding stages: "
    "{stages}. Ids: {ids}"
)
DIGIT: Final = re.compile(r"\d")


class CompletesJSON(Protocol):
    """A language model that answers with a JSON object."""

    async def complete_json(
        self, *, system: str, data: Any, schema: Mapping[str, Any], max_tokens: int, seconds: float
    ) -> bytes:
        """The JSON object that the model answers. Raises `SourceError`."""


class ModelCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition as the model answers it."""

    measure: Measure
    quote: str
    value: str | bool | int | float | ValueRange | None = None
    operator: ConditionOperator | None = None
    currency: str | None = None
    strength: Strength = "must"
    any_of: int | None = None
    role: str | None = None
    target: str | None = None
    place: str | None = None
    within_days: int | None = None


class ModelAnswer(msgspec.Struct, frozen=True):
    """What the model answers."""

    conditions: tuple[ModelCondition, ...]


SCHEMA: Final = msgspec.json.schema(ModelAnswer)

InThread = Callable[[Callable[[str, bytes], CustomerProfile], str, bytes], Awaitable[CustomerProfile]]


async def read_by_model(text: str, model: CompletesJSON, in_thread: InThread) -> CustomerProfile | None:
    """Read a profile by the model; None if it fails, refuses, is too slow, or answers nothing that can be used."""
    try:
        answer = await model.complete_json(
            system=_system(), data={"text": text}, schema=SCHEMA, max_tokens=MAX_TOKENS, seconds=SECONDS
        )
        profile = await in_thread(profile_of, text, answer)
    except (SourceError, TimeoutError, msgspec.MsgspecError) as error:
        log.warning("the model did not read a profile", error=type(error).__name__)
        return None
    return profile if profile.conditions else None


def _system() -> str:
    ids = ". ".join(f"{name}: {', '.join(one.id for one in vocabulary().by_id(kind))}" for name, kind in CLOSED.items())
    return SYSTEM.format(stages=", ".join(STAGES), ids=ids)


def profile_of(text: str, answer: bytes) -> CustomerProfile:
    """The profile that a model's answer makes of a text. Raises `msgspec.MsgspecError` for another shape."""
    given = msgspec.json.decode(answer, type=ModelAnswer).conditions[:MAX_CONDITIONS]
    groups: dict[tuple[object, ...], int] = {}
    conditions: list[Condition] = []
    for index, one in enumerate(given):
        for condition in _checked(text, one):
            alone = one.strength == "must_not" or one.any_of is None
            key = ("alone", index) if alone else (one.any_of, one.strength)
            number = groups.setdefault(key, len(groups) + 1)
            conditions.append(replace(condition, id=f"c{len(conditions) + 1}", any_of=number))
    spans = [(one.quote.start, one.quote.end) for one in conditions]
    left = [one for one in read_text(text).not_understood if not _overlaps(one, spans)]
    return checked(CustomerProfile(read_by="model", conditions=tuple(conditions), not_understood=tuple(left)))


def _checked(text: str, one: ModelCondition) -> Iterator[Condition]:
    """The condition with its quote, if both the quote and the value can be found."""
    start = text.find(one.quote) if one.quote.strip() else -1
    if start < 0 or not _says(one):
        return
    quote = ConditionQuote(text=one.quote, start=start, end=start + len(one.quote))
    about = ConditionAbout(role=one.role, target=one.target, place=one.place, within_days=one.within_days)
    try:
        given = msgspec.convert(
            {
                "measure": one.measure,
                "operator": one.operator,
                "value": msgspec.to_builtins(one.value),
                "currency": one.currency,
                "strength": one.strength,
                "about": msgspec.to_builtins(about),
                "confidence": CONFIDENCE,
            },
            ConditionInput,
        )
        conditions = list(completed_conditions(given))
    except (InvalidProfile, msgspec.ValidationError):
        return
    for condition in conditions:
        yield replace(condition, quote=quote)


def _says(one: ModelCondition) -> bool:
    """Whether the quote can say the value: a product of the vocabulary, a name or a number that stands in it."""
    if one.measure is Measure.TECHNOLOGY:
        return bool(vocabulary().find("technology", str(one.value)))
    words = [str(one.value)] if one.measure in (Measure.PERSONA, Measure.CERTIFICATION) else []
    words += [one.role] if one.role else []
    is_number = isinstance(one.value, (int, float, ValueRange)) and not isinstance(one.value, bool)
    quoted = one.quote.casefold()
    return all(word.casefold() in quoted for word in words) and (not is_number or bool(DIGIT.search(one.quote)))


def _overlaps(passage: NotUnderstood, spans: list[tuple[int, int]]) -> bool:
    return any(passage.start < end and start < passage.end for start, end in spans)
