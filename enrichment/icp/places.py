"""
Places: names of countries, regions, states and cities, flags, codes of two letters, and "City ST".

A code of two letters can be a state of the US, a country, or a word: where the text does not decide, it is ambiguous.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from enrichment.icp.text import Token, excerpt
from enrichment.icp.vocabulary import Entry, city_id, table, vocabulary, words

FLAG: Final = 0x1F1E6
AFRICA: Final = frozenset({"ZA", "BW", "AO", "ZM", "ZW", "MZ", "NG", "KE", "GH"})


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """
    The possible meanings of the tokens from `first` to before `last`, the most probable first.

    `is_code` says that it is a code of two letters, `state` that another place in the text may decide about it;
    `needs_evidence` that it can be an ordinary word.
    """

    first: int
    last: int
    meanings: tuple[Entry, ...]
    is_code: bool = False
    needs_evidence: bool = False
    other: str | None = None
    is_part: bool = False
    """Whether only a part of the place is meant, which the vocabulary does not know: "Northern Germany"."""
    demonym: bool = False


def places_at(text: str, tokens: Sequence[Token], first: int, *, is_label: bool = False) -> Places | None:
    """Parse the place that starts at a position. Under a label for places, codes may be in small letters."""
    token = tokens[first]
    if token.kind == "flag":
        code = "".join(chr(ord(letter) - FLAG + ord("A")) for letter in token.text)
        found = _country(code)
        return Places(first=first, last=first + 1, meanings=(found,)) if found else None
    named = vocabulary().at(tokens, first, kind="place")
    if named and (capital := _is_name(text, tokens, first, named[0], named[1])) is not None:
        last, meanings = named[0], tuple(dict.fromkeys(named[1]))
        city_in = next((one.within for one in meanings if one.place_kind == "city" and one.within), None)
        if city_in and (state := _state_after(tokens, last, (city_in, city_in[:2]))):
            matching = [one for one in meanings if one.within == state[1]]
            city = matching[0] if matching else _city(meanings[0].label, state[1])
            return Places(first=first, last=state[0], meanings=(city,))
        demonym = meanings[0].within == "demonym"
        return Places(first=first, last=last, meanings=meanings, needs_evidence=not capital, demonym=demonym)
    if token.norm in words("compass") and (inner := _inner(tokens, first + 1)):
        return Places(first=first, last=inner[0], meanings=(inner[1],), is_part=True)
    code = token.text.upper() if is_label and len(tokens) == 1 else token.text
    if len(code) == 2 and code.isupper() and (codes := codes_of(code)):
        return Places(
            first=first,
            last=first + 1,
            meanings=codes,
            is_code=True,
            other=table("codes_that_are_words").get(code),
        )
    return _unknown_city(text, tokens, first)


def _is_name(text: str, tokens: Sequence[Token], first: int, last: int, entries: Sequence[Entry]) -> bool | None:
    """Whether an expression is surely a name; None if it is not one, as the word "us"."""
    written = excerpt(text, tokens, first, last)
    short = last - first == 1 and len(written) <= 3
    if short and not written.isupper() and "." not in written:
        is_name = any(one.spelling == written for one in entries)  # "Zug"
        return False if written.islower() or is_name else None
    ordinary = any(one.ordinary for one in entries) and not short
    if entries[0].place_kind == "city" and not written[0].isupper():
        return False
    return not ordinary


def _inner(tokens: Sequence[Token], first: int) -> tuple[int, Entry] | None:
    while first < len(tokens) and tokens[first].norm in words("compass") | {"of", "the"}:
        first += 1
    found = vocabulary().at(tokens, first, kind="place")
    return (found[0], found[1][0]) if found and tokens[first].text[0].isupper() else None


def _state_after(tokens: Sequence[Token], place: int, within: Sequence[str] = ()) -> tuple[int, str] | None:
    """A state of the US or Canada after a city ("Austin, TX"), or the place that it lies in ("London, UK")."""
    if place < len(tokens) and tokens[place].norm == "," and not tokens[place].line:
        place += 1
    if place >= len(tokens) or tokens[place].line:
        return None
    named = vocabulary().at(tokens, place, kind="place")
    if named and named[1][0].id in within:
        return named[0], within[0]
    code = tokens[place].text
    if len(code) == 2 and code.isupper():
        states = [one for one in codes_of(code) if one.place_kind == "subdivision"]
        return (place + 1, states[0].id) if states else None
    return None


def _unknown_city(text: str, tokens: Sequence[Token], first: int) -> Places | None:
    """A name in capitals before ", ST": "Boise, ID"."""
    last = first
    while last < len(tokens) and last - first < 3 and tokens[last].kind == "word" and tokens[last].text.istitle():
        last += 1
        comma = last < len(tokens) and tokens[last].norm == ","
        clear = comma and last + 1 < len(tokens) and tokens[last + 1].text not in table("codes_that_are_words")
        if clear and (state := _state_after(tokens, last)) and not tokens[first].line:
            name = excerpt(text, tokens, first, last)
            return Places(first=first, last=state[0], meanings=(_city(name, state[1]),))
    return None


def _city(name: str, state: str) -> Entry:
    return Entry(kind="place", id=city_id(name), label=name, place_kind="city", within=state)


@functools.cache
def _codes() -> dict[str, tuple[Entry, ...]]:
    """The places of every code of two letters: states of the US and Canada first, then countries."""
    found: dict[str, list[Entry]] = {}
    for one in vocabulary().by_id("place"):
        if one.place_kind == "subdivision" and one.id[:3] in ("US-", "CA-") and len(one.id) == 5:
            found.setdefault(one.id[3:], []).append(one)
    for one in vocabulary().by_id("place"):
        if one.place_kind == "country":
            found.setdefault(one.id, []).append(one)
    for one in vocabulary().by_id("place"):
        if one.place_kind == "subdivision" and one.id[:3] in ("DE-", "AU-") and len(one.id) == 5:
            found.setdefault(one.id[3:], []).append(one)
    regions = {one.id: one for one in vocabulary().by_id("place") if one.place_kind == "region"}
    found["NA"] = [regions["north_america"], *found["NA"]]
    return {code: tuple(entries) for code, entries in found.items()}


def codes_of(code: str) -> tuple[Entry, ...]:
    """The places that a code of two letters can mean."""
    return _codes().get(code, ())


def _country(code: str) -> Entry | None:
    return next((one for one in codes_of(code) if one.place_kind == "country"), None)


def country_named(code: str) -> str | None:
    """The name of the country with an ISO 3166-1 code."""
    country = _country(code.upper())
    return country.label if country else None


def country_of(name: str | None) -> str | None:
    """The ISO 3166-1 code of a country by any of its names or its code."""
    found = vocabulary().find("place", name) if name else []
    return next((one.id for one in found if one.place_kind == "country"), None)


def decide(code: str, meanings: Sequence[Entry], certain: Iterable[Entry]) -> Entry | None:
    """Choose the meaning of a code by the places that the text names without doubt; None if they do not decide."""
    others = [one for one in certain if code not in (one.id, one.id[3:])]
    if code == "NA":
        african = any((len(one.codes) == 1 and one.codes[0] in AFRICA) or one.id.endswith("africa") for one in others)
        return meanings[-1] if african else meanings[0]
    if len(meanings) == 1 and code not in table("codes_that_are_words"):
        return meanings[0]
    parts = [one for one in meanings if one.place_kind == "subdivision"]
    countries = [one for one in meanings if one.place_kind == "country"]
    known = {one.id[:3] for one in others if one.place_kind == "subdivision"} | {
        (one.within or "")[:3] for one in others
    }
    states = [one for one in parts if one.id[:3] in known]
    near_countries = any(one.place_kind in ("country", "region") for one in others)
    beyond = any(one.place_kind == "country" and one.id != "US" for one in others)
    if states:
        return None if near_countries else states[0]
    return countries[0] if countries and near_countries and (beyond or not parts) else None
