"""
The files of the vocabulary, as the meanings of their expressions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from enrichment.blueprint.values import (
    Found,
    Funding,
    Industry,
    Persona,
    Place,
    Range,
    Signal,
    WantedTechnology,
)

FOLDER: Final = Path(__file__).parent / "vocabulary"
NOWHERE: Final = Found(field="", text="", start=0, end=0, confidence=0.0)

Kind = Literal[
    "industry",
    "model",
    "technology",
    "category",
    "place",
    "persona",
    "department",
    "funding",
    "size",
    "signal",
]
Thing = Industry | Range | Place | WantedTechnology | Persona | Funding | Signal
Caution = Literal["none", "ordinary", "code", "weak"]
Seniority = Literal["c_level", "vp", "director", "head", "manager", "individual", "founder", "any"]
T = TypeVar("T")


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """
    What an expression may stand for, and under which caution.

    `written` is the expression as the vocabulary spells it, `plain` without case and accents. Names are `exact`: a
    plural is none of them. An "ordinary" word and a two-letter "code" are believed only where case or context speaks
    for them, a "weak" word less than others. A signal may take what follows it into its own words.
    """

    kind: Kind
    things: tuple[Thing, ...]
    written: str
    plain: str = ""
    exact: bool = False
    caution: Caution = "none"
    takes: Literal["persona", "place"] | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What most files are lists of. Some fields belong to some files only."""

    id: str
    name: str = ""
    synonyms: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    naics: tuple[str, ...] = ()
    sic: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    takes: Literal["persona", "place"] | None = None
    products: dict[str, tuple[str, ...]] = {}


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to speak to."""

    id: str
    title: str
    department: str
    seniority: Seniority
    synonyms: tuple[str, ...]


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """A country with its names in several languages, and what its people and things are called."""

    code: str
    name: str
    others: tuple[str, ...]
    demonyms: tuple[str, ...]


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """Several countries, or a part of one."""

    name: str
    others: tuple[str, ...]
    countries: tuple[str, ...]
    kind: Literal["region", "subdivision", "city"] = "region"


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """Stages of funding that one expression stands for together."""

    stages: tuple[str, ...]
    synonyms: tuple[str, ...]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file; each has its own few of these fields."""

    ordinary_words: frozenset[str] = frozenset()
    industries: tuple[Entry, ...] = ()
    models: tuple[Entry, ...] = ()
    signals: tuple[Entry, ...] = ()
    sizes: tuple[Entry, ...] = ()
    categories: tuple[Entry, ...] = ()
    countries: tuple[Country, ...] = ()
    regions: tuple[Area, ...] = ()
    localities: tuple[Area, ...] = ()
    roles: tuple[Role, ...] = ()
    departments: tuple[Entry, ...] = ()
    patterns: dict[Seniority, tuple[str, ...]] = {}
    titles: dict[Seniority, str] = {}
    stages: tuple[Entry, ...] = ()
    others: tuple[Entry, ...] = ()
    groups: tuple[Stages, ...] = ()


def load(name: str, of: type[T]) -> T:
    """One of the files, as a value of this type."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=of)


def all_meanings() -> Iterator[Meaning]:
    """Every expression of every file. Of two meanings of an expression, the more usual comes first."""
    for name, read in {
        "industries": _industries,
        "business_models": _models,
        "sizes": _sizes,
        "funding": _funding,
        "signals": _signals,
        "technologies": _technologies,
        "places": _places,
        "personas": _personas,
    }.items():
        yield from read(load(name, File))


def _each(kind: Kind, entry: Entry, thing: Thing, ordinary: frozenset[str], **more: Any) -> Iterator[Meaning]:
    """The entry's name and synonyms, all of which stand for the thing."""
    for written in filter(None, (entry.name, *entry.synonyms)):
        caution: Caution = "ordinary" if written in ordinary else "none"
        yield Meaning(kind=kind, things=(thing,), written=written, caution=caution, **more)
    for written in entry.weak:
        yield Meaning(kind=kind, things=(thing,), written=written, caution="weak", **more)


def _industries(file: File) -> Iterator[Meaning]:
    for row in file.industries:
        industry = Industry(id=row.id, name=row.name, naics=row.naics, sic=row.sic, found=NOWHERE)
        yield from _each("industry", row, industry, file.ordinary_words)


def _models(file: File) -> Iterator[Meaning]:
    for row in file.models:
        yield from _each("model", row, Signal(id=row.id, name=row.name, found=NOWHERE), file.ordinary_words)


def _sizes(file: File) -> Iterator[Meaning]:
    for row in file.sizes:
        band = Range(minimum=row.minimum, maximum=row.maximum, found=NOWHERE)
        yield from _each("size", row, band, file.ordinary_words)


def _funding(file: File) -> Iterator[Meaning]:
    stages = {row.id: Funding(stage=row.id, name=row.name, found=NOWHERE) for row in file.stages}
    for row in file.stages:
        yield from _each("funding", row, stages[row.id], file.ordinary_words)
    for row in file.others:
        yield from _each("funding", row, Funding(stage=row.id, name=row.name, found=NOWHERE), file.ordinary_words)
    for group in file.groups:
        for written in group.synonyms:
            yield Meaning(
                kind="funding", things=tuple(stages[id_] for id_ in group.stages), written=written, caution="weak"
            )


def _signals(file: File) -> Iterator[Meaning]:
    for row in file.signals:
        signal = Signal(id=row.id, name=row.name, found=NOWHERE)
        yield from _each("signal", row, signal, file.ordinary_words, takes=row.takes)


def _technologies(file: File) -> Iterator[Meaning]:
    for row in file.categories:
        category = WantedTechnology(name=None, category=row.id, found=NOWHERE)
        yield from _each("category", row, category, file.ordinary_words)
        for name, others in row.products.items():
            product = WantedTechnology(name=name, category=row.id, found=NOWHERE)
            entry = Entry(id=name, name=name, synonyms=others)
            yield from _each("technology", entry, product, file.ordinary_words, exact=True)


def _places(file: File) -> Iterator[Meaning]:
    for row in file.countries:
        country = Place(name=row.name, countries=(row.code,), found=NOWHERE)
        entry = Entry(id=row.code, name=row.name, synonyms=row.others)
        yield from _each("place", entry, country, file.ordinary_words, exact=True)
        yield from _each("place", Entry(id=row.code, synonyms=row.demonyms), country, file.ordinary_words)
        yield Meaning(kind="place", things=(country,), written=row.code, exact=True, caution="code")
    for area in (*file.regions, *file.localities):
        place = Place(name=area.name, countries=area.countries, found=NOWHERE, kind=area.kind)
        entry = Entry(id=area.name, name=area.name, synonyms=area.others)
        yield from _each("place", entry, place, file.ordinary_words, exact=True)


def _personas(file: File) -> Iterator[Meaning]:
    for role in file.roles:
        persona = Persona(
            id=role.id, title=role.title, department=role.department, seniority=role.seniority, found=NOWHERE
        )
        entry = Entry(id=role.id, name=role.title, synonyms=role.synonyms)
        yield from _each("persona", entry, persona, file.ordinary_words)
    for row in file.departments:
        team = Persona(id=row.id, title=row.name, department=row.id, seniority="any", found=NOWHERE)
        ranks = {seniority: _ranked(row, seniority, title) for seniority, title in file.titles.items()}
        for seniority, patterns in file.patterns.items():
            for pattern in patterns:
                names = tuple(pattern.format(name) for name in (row.name, *row.synonyms))
                yield from _each("persona", Entry(id=row.id, synonyms=names), ranks[seniority], file.ordinary_words)
        for written in (row.name, *row.synonyms):
            yield Meaning(kind="department", things=(team, *ranks.values()), written=written)


def _ranked(department: Entry, seniority: Seniority, title: str) -> Persona:
    """Somebody of this rank in the department."""
    return Persona(
        id=f"{seniority}_{department.id}",
        title=title.format(department.name),
        department=department.id,
        seniority=seniority,
        found=NOWHERE,
    )
