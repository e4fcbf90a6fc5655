"""
A profile as an object: conditions, and texts about one topic each.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from enrichment.errors import InvalidProfile
from enrichment.icp.drafts import MONEY, UNITS, YEARS_OLD, number_label, unit_of
from enrichment.icp.places import country_named
from enrichment.icp.reader import checked, read_text
from enrichment.icp.sections import Section
from enrichment.icp.stages import STAGES, stage_codes
from enrichment.icp.vocabulary import Kind, official_titles, vocabulary
from schemas import (
    Ambiguous,
    Condition,
    ConditionAbout,
    ConditionInput,
    ConditionOperator,
    ConditionQuote,
    ConditionValue,
    CustomerProfile,
    IcpObject,
    Measure,
    NotUnderstood,
    ValueRange,
)

TOPICS: Final[dict[str, Section]] = {
    "industries": Section(topic="industry"),
    "company_size": Section(topic="headcount"),
    "revenue": Section(topic="revenue", currency="USD"),
    "geographies": Section(topic="place"),
    "technologies": Section(topic="technology"),
    "personas": Section(topic="persona"),
    "funding": Section(topic="funding_stage"),
    "funding_amount": Section(topic="funding_raised", currency="USD"),
    "signals": Section(topic="signal"),
    "business_models": Section(topic="business_model"),
    "exclude": Section(strength="must_not"),
}
"What the text of a field is about."
SIZES: Final = {
    "company_size": Measure.HEADCOUNT, "revenue": Measure.REVENUE, "funding_amount": Measure.FUNDING_RAISED,
}  # fmt: skip
KINDS: Final[dict[Measure, Kind]] = {
    Measure.INDUSTRY: "industry",
    Measure.CUSTOMERS_INDUSTRY: "industry",
    Measure.BUSINESS_MODEL: "model",
    Measure.FUNDING_STAGE: "stage",
    Measure.OWNERSHIP: "ownership",
    Measure.HEADQUARTERS: "place",
    Measure.OFFICE: "place",
    Measure.CUSTOMERS_LOCATION: "place",
    Measure.TECHNOLOGY_CATEGORY: "category",
    Measure.SIGNAL: "signal",
}
"Measures whose values are entries of the vocabulary."
NAMES: Final = frozenset({Measure.TECHNOLOGY, Measure.PERSONA, Measure.CERTIFICATION})
NUMBERS: Final = MONEY | UNITS.keys() | {Measure.RANK}
WITHOUT_NUMBER: Final = frozenset({Measure.LAST_ROUND, Measure.GROWTH, Measure.RATING, Measure.FOUNDED})
MAX_SHOWN: Final = 80  # characters of a value in an error


def read_object(given: IcpObject) -> CustomerProfile:
    """Read a profile from an object. Raises `InvalidProfile` for a condition with an impossible value."""
    parts: list[CustomerProfile] = []
    stated = tuple(_given_conditions(given))
    for field in TOPICS:
        parts += [_read_topic(text, field, index) for index, text in enumerate(_texts(given, field))]
    sizes = tuple(one for field in SIZES for one in _size(given, field))
    return _merged((*stated, *sizes), parts, "rules" if parts else "object")


def _texts(given: IcpObject, field: str) -> list[str]:
    value = getattr(given, field)
    if isinstance(value, str):
        return [value]
    return [str(one) for one in value if one is not None] if isinstance(value, tuple) and not _pair(value) else []


def _read_topic(text: str, field: str, index: int) -> CustomerProfile:
    """Read the text of a field. The code of a country stands for its name: "DE" is Germany here, and not Delaware."""
    country = country_named(text) if field == "geographies" and len(text) == 2 else None
    profile = read_text(country or text, field=field, index=index, section=TOPICS[field])
    if country is None:
        return profile
    quote = ConditionQuote(text=text, start=0, end=len(text), field=field, index=index)
    return msgspec.structs.replace(
        profile, conditions=tuple(msgspec.structs.replace(one, quote=quote) for one in profile.conditions)
    )


def _pair(value: Sequence[object]) -> tuple[float | None, float | None] | None:
    """A list as a range of two numbers, of which one may be null; null if it is none."""
    ends = [one for one in value if one is None or (isinstance(one, (int, float)) and not isinstance(one, bool))]
    return (ends[0], ends[1]) if len(value) == len(ends) == 2 else None


def _size(given: IcpObject, field: str) -> Iterator[Condition]:
    """A size that is a number, a pair of numbers, or has `min` and `max`."""
    value = getattr(given, field)
    if value is None or isinstance(value, str) or (isinstance(value, tuple) and not _pair(value)):
        return
    one = ConditionInput(measure=SIZES[field], value=value)
    yield from _conditions(one, 0, f"#/icp/{field}", field)


# Conditions


def _given_conditions(given: IcpObject) -> Iterator[Condition]:
    for index, one in enumerate(given.conditions or ()):
        yield from _conditions(one, index, f"#/icp/conditions/{index}", "conditions")


def completed_conditions(one: ConditionInput) -> Iterator[Condition]:
    """The conditions that an input stands for, with all that follows from it. Raises `InvalidProfile`."""
    return _conditions(one, 0, "#", "conditions")


def _conditions(one: ConditionInput, index: int, pointer: str, field: str) -> Iterator[Condition]:
    """The condition with all that follows from its value; several for a list of alternatives."""
    for operator, value in _values(one, pointer):
        words = str(value)
        quote = ConditionQuote(text=words, start=0, end=len(words), field=field, index=index)
        about = one.about or ConditionAbout()
        condition = Condition(
            id="",
            measure=one.measure,
            operator=operator,
            value=value,
            label=words,
            strength=one.strength,
            any_of=-1 - index if one.any_of is None else one.any_of,
            about=about,
            quote=quote,
            confidence=one.confidence,
        )
        yield _completed(condition, one, pointer)


def _values(one: ConditionInput, pointer: str) -> Iterator[tuple[ConditionOperator, ConditionValue]]:
    """The operators and values of a condition as it is given."""
    value, operator = one.value, one.operator
    if value is None or isinstance(value, bool) or operator == "exists":
        if value is False:
            raise InvalidProfile("`false` is not possible; give `strength`: `must_not`.", pointer=f"{pointer}/value")
        if one.measure in KINDS or one.measure in NAMES or (one.measure in NUMBERS - WITHOUT_NUMBER):
            raise InvalidProfile(f"`{one.measure.value}` needs a value.", pointer=f"{pointer}/value")
        yield "exists", True
    elif isinstance(value, ValueRange):
        yield _range(value.min, value.max, pointer)
    elif isinstance(value, tuple) and one.measure in NUMBERS and (pair := _pair(value)):
        yield _range(*pair, pointer)
    elif one.measure is Measure.FUNDING_STAGE and isinstance(value, tuple) and operator == "between":
        yield "between", tuple(str(each) for each in value)
    elif isinstance(value, tuple):
        for each in value:
            if each is not None:
                yield "eq" if operator in (None, "between") else operator, each
    else:
        yield operator or "eq", value


def _range(low: float | None, high: float | None, pointer: str) -> tuple[ConditionOperator, ConditionValue]:
    if low is not None and high is not None:
        if low > high:
            raise InvalidProfile(f"The lower end {low:g} is above the upper end {high:g}.", pointer=pointer)
        return "between", (low, high)
    if low is None and high is None:
        raise InvalidProfile("A range needs `min`, `max` or both.", pointer=pointer)
    return ("gte", low) if low is not None else ("lte", high or 0)


def _completed(condition: Condition, given: ConditionInput, pointer: str) -> Condition:
    """Add label, codes, kind and unit. Raises `InvalidProfile` if the measure has no such value."""
    measure, value = condition.measure, condition.value
    if condition.operator == "exists":
        return msgspec.structs.replace(condition, label=measure.value.replace("_", " "))
    if measure in NUMBERS:
        if isinstance(value, str) or (isinstance(value, tuple) and any(isinstance(end, str) for end in value)):
            raise InvalidProfile(f"`{measure.value}` takes numbers, not {_shown(value)}.", pointer=f"{pointer}/value")
        return _number(condition, given)
    if not isinstance(value, (str, tuple)):
        raise InvalidProfile(f"`{measure.value}` takes a text, not {_shown(value)}.", pointer=f"{pointer}/value")
    if measure is Measure.FUNDING_STAGE:
        return _stage(condition, pointer)
    if measure in KINDS:
        return _entry(condition, str(value), pointer)
    if measure is Measure.TECHNOLOGY and (found := vocabulary().find("technology", str(value))):
        return msgspec.structs.replace(condition, value=found[0].id, label=found[0].label)
    return condition


def _number(condition: Condition, given: ConditionInput) -> Condition:
    measure = condition.measure
    currency = (given.currency or "USD") if measure in MONEY else None
    is_age = measure is Measure.FOUNDED and given.unit == YEARS_OLD
    unit = YEARS_OLD if is_age else unit_of(measure, currency)
    label = number_label(measure, condition.operator, condition.value, currency, unit)
    return msgspec.structs.replace(condition, currency=currency, unit=unit, label=label)


def _stage(condition: Condition, pointer: str) -> Condition:
    stages = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    ids = []
    for stage in stages:
        found = vocabulary().find("stage", str(stage))
        if not found:
            raise _unknown(condition.measure, str(stage), STAGES, pointer)
        ids.append(found[0].id)
    value: ConditionValue = tuple(ids) if isinstance(condition.value, tuple) else ids[0]
    label = " to ".join(vocabulary().find("stage", one)[0].label for one in ids)
    return msgspec.structs.replace(condition, value=value, label=label, codes=stage_codes(condition.operator, ids))


def _entry(condition: Condition, value: str, pointer: str) -> Condition:
    """The condition with the entry of the vocabulary that its value names, by id or by any of its names."""
    scheme, _, code = value.partition(":")
    if condition.measure is Measure.INDUSTRY and scheme in ("naics", "sic") and code:
        title = official_titles("naics" if scheme == "naics" else "sic").get(code, code)
        return msgspec.structs.replace(
            condition, label=f"{title} ({scheme.upper()} {code})", codes=(code if scheme == "naics" else value,)
        )
    kind = KINDS[condition.measure]
    found = vocabulary().find(kind, value)
    if not found:
        raise _unknown(condition.measure, value, [one.id for one in vocabulary().by_id(kind)], pointer)
    entry = found[0]
    about = condition.about
    if entry.place_kind == "city" and entry.within:
        about = msgspec.structs.replace(about, place=about.place or entry.within)
    return msgspec.structs.replace(
        condition, value=entry.id, label=entry.label, codes=entry.codes, kind=entry.place_kind, about=about
    )


def _unknown(measure: Measure, value: str, possible: Sequence[str], pointer: str) -> InvalidProfile:
    shown = ", ".join(possible[:12]) + (", …" if len(possible) > 12 else "")
    return InvalidProfile(
        f"`{measure.value}` has no value {_shown(value)}. Possible are ids and names of the vocabulary: {shown}.",
        pointer=f"{pointer}/value",
    )


def _shown(value: object) -> str:
    words = repr(value)
    return words if len(words) <= MAX_SHOWN else f"{words[:MAX_SHOWN]}…"


# Together


def _merged(stated: Sequence[Condition], parts: Sequence[CustomerProfile], read_by: str) -> CustomerProfile:
    """One profile of the conditions and of what was read from the texts, numbered anew."""
    conditions: list[Condition] = []
    ambiguous: list[Ambiguous] = []
    not_understood: list[NotUnderstood] = []
    groups: dict[tuple[object, ...], int] = {}
    for one in stated:
        number = groups.setdefault(
            ("given", one.quote.field, one.any_of, one.strength if one.strength != "must_not" else len(conditions)),
            len(groups) + 1,
        )
        conditions.append(msgspec.structs.replace(one, id=f"c{len(conditions) + 1}", any_of=number))
    for place, part in enumerate(parts):
        ids = {}
        for one in part.conditions:
            key = _group(one, place)
            number = groups.setdefault(key, len(groups) + 1)
            ids[one.id] = f"c{len(conditions) + 1}"
            conditions.append(msgspec.structs.replace(one, id=ids[one.id], any_of=number))
        ambiguous += [msgspec.structs.replace(one, condition=ids.get(one.condition or "")) for one in part.ambiguous]
        not_understood += part.not_understood
    profile = CustomerProfile(
        read_by="object" if read_by == "object" else "rules",
        conditions=tuple(conditions),
        ambiguous=tuple(ambiguous),
        not_understood=tuple(not_understood),
    )
    return checked(profile)


def _group(one: Condition, part: int) -> tuple[object, ...]:
    """The texts of a list are alternatives; those of different fields, and what is excluded, stand side by side."""
    if one.strength == "must_not" or one.quote.field == "business_models":
        return ("alone", part, one.id)
    measure = Measure.TECHNOLOGY if one.measure is Measure.TECHNOLOGY_CATEGORY else one.measure
    return (one.quote.field, one.strength, "any" if one.quote.field == "signals" else measure)
