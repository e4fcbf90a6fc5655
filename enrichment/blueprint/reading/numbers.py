"""
Numbers in a text ("1,500", "1.5k", "$20M", "5 Mio. €", "five hundred"), and the expressions next to them.
"""

import functools
import re
from typing import Final, Literal

import msgspec

from enrichment.blueprint.reading.lexicon import load
from enrichment.blueprint.reading.phrases import Phrases, phrase_set
from enrichment.blueprint.reading.words import Word
from schemas import RangeMeasure

# Digits in groups of three, or a decimal number; then the letters of a multiplier. `float` and `int` accept all decimal
# digits of Unicode, as `\d` does.
NUMBER: Final = re.compile(r"(?:([^\D0]\d{0,2}(?:[.,'\u2019\u00a0\u202f ]\d{3})+)|(\d+(?:[.,]\d*)?))([a-z]*)")
NOT_A_DIGIT: Final = re.compile(r"\D")
MAX_LENGTH: Final = 20  # characters, without the letters

Bound = Literal["lower", "above", "upper", "below"]
Unit = RangeMeasure | Literal["other"]


class AmountWords(msgspec.Struct, frozen=True, kw_only=True):
    """The file `amounts.json`."""

    multipliers: dict[str, int]
    numbers: dict[str, int]
    currencies: dict[str, str]
    units: dict[RangeMeasure, tuple[str, ...]]
    leads: dict[RangeMeasure, tuple[str, ...]]
    others: tuple[str, ...]
    fillers: tuple[str, ...]
    between: tuple[str, ...]
    bounds: dict[Bound, tuple[str, ...]]
    bounds_after: dict[Bound, tuple[str, ...]]
    around: tuple[str, ...]
    to: tuple[str, ...]
    both: tuple[str, ...]


class AmountPhrases(msgspec.Struct, frozen=True, kw_only=True):
    """The expressions of amounts, prepared for look-ups."""

    multipliers: dict[str, int]
    numbers: dict[str, int]
    currencies: Phrases[str]
    units: Phrases[Unit]
    leads: Phrases[Unit]
    fillers: Phrases[bool]
    between: Phrases[bool]
    bounds: Phrases[Bound]
    bounds_after: Phrases[Bound]
    around: Phrases[bool]
    to: Phrases[bool]
    both: Phrases[bool]


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A number that ends before word `last`: its value, the multiplier ("k", "million"), and a bound such as "+"."""

    last: int
    value: float
    multiplier: int
    currency: str | None
    bound: Bound | None


@functools.cache
def amount_phrases() -> AmountPhrases:
    """Load the expressions of amounts; they are read at the first call."""
    words = load("amounts", AmountWords)
    units: dict[str, Unit] = {unit: measure for measure, units in words.units.items() for unit in units}
    others: dict[str, Unit] = dict.fromkeys(words.others, "other")
    leads: dict[str, Unit] = {lead: measure for measure, leads in words.leads.items() for lead in leads}
    return AmountPhrases(
        multipliers=words.multipliers,
        numbers=words.numbers,
        currencies=Phrases(words.currencies),
        units=Phrases(units | others),
        leads=Phrases(leads | others),
        fillers=phrase_set(words.fillers),
        between=phrase_set(words.between),
        bounds=Phrases({phrase: bound for bound, phrases in words.bounds.items() for phrase in phrases}),
        bounds_after=Phrases({phrase: bound for bound, phrases in words.bounds_after.items() for phrase in phrases}),
        around=phrase_set(words.around),
        to=phrase_set(words.to),
        both=phrase_set(words.both),
    )


def number_at(words: list[Word], first: int) -> Number | None:
    """Parse the number that starts at a position, with a currency before or after it."""
    phrases = amount_phrases()
    currency, place = None, first
    if before := phrases.currencies.at(words, place):
        place, currency = before
    if place >= len(words) or (place > first and not words[place].adjacent):
        return None
    parsed = _value(words[place].normalized, phrases)
    if parsed is None:
        return None
    value, multiplier = parsed
    spelled_out = words[place].normalized in phrases.numbers
    place, more = _multiplier(words, place + 1, phrases)
    if spelled_out and value < 10 and more == 1:
        return None  # "one of" and "two-sided" are not amounts
    place, currency = _currency_after(words, place, currency)
    place, bound = bound_after(words, place)
    place, currency = _currency_after(words, place, currency)
    return Number(last=place, value=value, multiplier=multiplier * more, currency=currency, bound=bound)


def bound_after(words: list[Word], place: int) -> tuple[int, Bound | None]:
    """
    Parse an expression after a number that makes it a bound ("+", "or more"); return its end and the bound.

    An expression that is followed by another number belongs to that number: "50 or over 10,000".
    """
    phrases = amount_phrases()
    after = phrases.bounds_after.at(words, place)
    if after is None or not words[place].adjacent:
        return place, None
    currency = phrases.currencies.at(words, after[0])
    end = currency[0] if currency else after[0]
    return (place, None) if end < len(words) and _value(words[end].normalized, phrases) else after


def _currency_after(words: list[Word], place: int, currency: str | None) -> tuple[int, str | None]:
    """Parse a currency after the number, unless there was one before it; return its end and the currency."""
    after = amount_phrases().currencies.at(words, place)
    return after if after and currency is None and words[place].gap.strip(" .") == "" else (place, currency)


def _value(normalized: str, phrases: AmountPhrases) -> tuple[float, int] | None:
    """Parse a word as a number; return its value and the multiplier in its suffix."""
    if not (match := NUMBER.fullmatch(normalized)):
        return (float(phrases.numbers[normalized]), 1) if normalized in phrases.numbers else None
    grouped, decimal, letters = match.groups()
    if (letters and letters not in phrases.multipliers) or len(grouped or decimal) > MAX_LENGTH:
        return None
    digits = NOT_A_DIGIT.sub("", grouped) if grouped else decimal.replace(",", ".")
    return float(digits), phrases.multipliers.get(letters, 1)


def _multiplier(words: list[Word], place: int, phrases: AmountPhrases) -> tuple[int, int]:
    """Parse up to two multiplying words ("hundred thousand"); return their end and the multiplier."""
    multiplier = 1
    end = min(place + 2, len(words))
    while place < end and words[place].adjacent and words[place].normalized in phrases.multipliers:
        multiplier *= phrases.multipliers[words[place].normalized]
        place += 1
    return place, multiplier
