"""
Who usually buys from whom: the rules of `markets.json`, their ids looked up in the vocabulary.
"""

import functools
import re
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

FOLDER: Final = Path(__file__).parent
T = TypeVar("T", bound=msgspec.Struct)


class Buyer(msgspec.Struct, frozen=True):
    """An industry that buys."""

    id: str
    name: str
    naics: tuple[str, ...]
    sic: tuple[str, ...]


class Role(msgspec.Struct, frozen=True):
    """Somebody who decides there."""

    id: str
    title: str
    department: str
    seniority: Literal["c_level", "vp", "director", "head", "manager", "individual", "founder", "any"]


class Occasion(msgspec.Struct, frozen=True):
    """Something that makes them buy."""

    id: str
    name: str


class Market(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A vendor's trade, by the words it goes by, and the market it usually has; all but `words` are ids.

    Where it does not sell to companies in the first place, the buyers are the business customers that it has beside. A
    `general` trade is better told by the vendor's own description.
    """

    id: str
    words: tuple[str, ...]
    buyers: tuple[str, ...]
    personas: tuple[str, ...]
    signals: tuple[str, ...]
    technologies: tuple[str, ...]
    sells_to_companies: bool
    general: bool


def find_market(text: str) -> tuple[Market, str] | None:
    """The first market that one of its words stands in the text for, and that word."""
    spelled = text.casefold()
    for market in markets().values():
        for word in market.words:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", spelled):
                return market, word
    return None


@functools.cache
def markets() -> dict[str, Market]:
    """All markets by id, the narrower before the wider."""
    listed = msgspec.json.decode((FOLDER / "markets.json").read_bytes(), type=tuple[Market, ...])
    return {one.id: one for one in listed}


@functools.cache
def buyers() -> dict[str, Buyer]:
    """Industries by id."""
    return {one.id: one for one in _listed("industries", "industries", Buyer)}


@functools.cache
def roles() -> dict[str, Role]:
    """Roles by id."""
    return {one.id: one for one in _listed("personas", "roles", Role)}


@functools.cache
def occasions() -> dict[str, Occasion]:
    """Signals by id."""
    return {one.id: one for one in _listed("signals", "signals", Occasion)}


def _listed(file: str, key: str, kind: type[T]) -> list[T]:
    content = (FOLDER / "reading" / "vocabulary" / f"{file}.json").read_bytes()
    held = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    return msgspec.json.decode(held[key], type=list[kind])  # type: ignore[valid-type]
