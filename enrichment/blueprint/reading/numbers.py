"""
Numbers as people write them ("1,500", "1.5k", "$20M", "5 Mio. €", "five hundred"), and the words that stand by them.
"""

import functools
import re
from typing import Final, Literal

import msgspec

from enrichment.blueprint.reading.lexicon import load
from enrichment.blueprint.reading.phrases import Phrases, plain_phrases
from enrichment.blueprint.reading.words import Word

NUMBER: Final = re.compile(r"(\d[\d.,'\u2019\u00a0\u202f ]*)([a-z]*)")
GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:[.,'\u2019\u00a0\u202f ]\d{3})+")

Measure = Literal["employees", "revenue", "arr", "funding"]
Bound = Literal["lower", "above", "upper", "below"]
Unit = Literal["employees", "revenue", "arr", "funding", "other"]


class AmountWords(msgspec.Struct, frozen=True, kw_only=True):
    """The file of the words that make a number an amount of something."""

    multipliers: dict[str, int]
    numbers: dict[str, int]
    currencies: dict[str, str]
    units: dict[Measure, tuple[str, ...]]
    leads: dict[Measure, tuple[str, ...]]
    others: tuple[str, ...]
    fillers: tuple[str, ...]
    between: tuple[str, ...]
    bounds: dict[Bound, tuple[str, ...]]
    bounds_after: dict[Bound, tuple[str, ...]]
    around: tuple[str, ...]
    to: tuple[str, ...]
    both: tuple[str, ...]


class AmountPhrases(msgspec.Struct, frozen=True, kw_only=True):
    """The same, ready to be looked up."""

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
    """One number: it ends before word `last`; its value as written, what that is multiplied by, and "+" as a bound."""

    last: int
    value: float
    times: int
    currency: str | None
    bound: Bound | None


@functools.cache
def amount_phrases() -> AmountPhrases:
    """The words of amounts, read at first use."""
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
        fillers=plain_phrases(words.fillers),
        between=plain_phrases(words.between),
        bounds=Phrases({phrase: bound for bound, phrases in words.bounds.items() for phrase in phrases}),
        bounds_after=Phrases({phrase: bound for bound, phrases in words.bounds_after.items() for phrase in phrases}),
        around=plain_phrases(words.around),
        to=plain_phrases(words.to),
        both=plain_phrases(words.both),
    )


def number_at(words: list[Word], first: int) -> Number | None:
    """The number that begins with this word, with its currency on either side."""
    phrases = amount_phrases()
    currency, place = None, first
    if before := phrases.currencies.at(words, place):
        place, currency = before
    if place >= len(words) or (place > first and not words[place].near):
        return None
    written = _value(words[place].plain, phrases)
    if written is None:
        return None
    value, times = written
    spelled_out = words[place].plain in phrases.numbers
    place, more = _multiplied(words, place + 1, phrases)
    if spelled_out and value < 10 and more == 1:
        return None  # "one of", "two-sided": no amounts
    place, currency = _currency_after(words, place, currency)
    place, bound = bound_after(words, place)
    place, currency = _currency_after(words, place, currency)
    return Number(last=place, value=value, times=times * more, currency=currency, bound=bound)


def bound_after(words: list[Word], place: int) -> tuple[int, Bound | None]:
    """
    The words from here that make the number before them a bound ("+", "or more"): where they end, and which. Those that
    another number follows are that one's: "50 or over 10,000".
    """
    phrases = amount_phrases()
    after = phrases.bounds_after.at(words, place)
    if after is None or not words[place].near:
        return place, None
    currency = phrases.currencies.at(words, after[0])
    end = currency[0] if currency else after[0]
    return (place, None) if end < len(words) and _value(words[end].plain, phrases) else after


def _currency_after(words: list[Word], place: int, currency: str | None) -> tuple[int, str | None]:
    """A currency that follows the number, if none went before it: where it ends, and which."""
    after = amount_phrases().currencies.at(words, place)
    return after if after and currency is None and words[place].gap.strip(" .") == "" else (place, currency)


def _value(plain: str, phrases: AmountPhrases) -> tuple[float, int] | None:
    """The value of a number's word, and what the letters at its end multiply it by."""
    if not (match := NUMBER.fullmatch(plain)):
        return (float(phrases.numbers[plain]), 1) if plain in phrases.numbers else None
    digits, letters = match.groups()
    if (letters and letters not in phrases.multipliers) or len(digits) > 20:
        return None
    if GROUPED.fullmatch(digits):
        digits = re.sub(r"\D", "", digits)
    return float(digits.replace(",", ".")), phrases.multipliers.get(letters, 1)


def _multiplied(words: list[Word], place: int, phrases: AmountPhrases) -> tuple[int, int]:
    """Words that multiply the number before them: where they end, and by how much. At most two ("hundred thousand")."""
    times = 1
    end = min(place + 2, len(words))
    while place < end and words[place].near and words[place].plain in phrases.multipliers:
        times *= phrases.multipliers[words[place].plain]
        place += 1
    return place, times
