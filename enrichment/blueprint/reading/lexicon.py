"""
The files of the vocabulary, and the senses of the expressions in them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from schemas import (
    FoundInProfile,
    ProfileFunding,
    ProfileIndustry,
    ProfilePersona,
    ProfilePlace,
    ProfileRange,
    ProfileSignal,
    ProfileTechnology,
    Seniority,
)

FOLDER: Final = Path(__file__).parent / "vocabulary"
NOWHERE: Final = FoundInProfile(field="", text="", start=0, end=0, confidence=0.0)

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
Entity = (
    ProfileIndustry | ProfileRange | ProfilePlace | ProfileTechnology | ProfilePersona | ProfileFunding | ProfileSignal
)
Ambiguity = Literal["none", "ordinary", "code", "weak"]
T = TypeVar("T")


class Sense(msgspec.Struct, frozen=True, kw_only=True):
    """
    A possible meaning of an expression.

    `spelling` is the expression as the vocabulary spells it; `normalized` has no case and no accents. An `exact` sense
    does not match a plural. An `ambiguity` of "ordinary" (also an everyday word) or "code" (two letters) requires
    evidence from capitals or context; "weak" lowers the confidence. A signal accepts an argument of `argument_kind`.
    """

    kind: Kind
    entities: tuple[Entity, ...]
    spelling: str
    normalized: str = ""
    exact: bool = False
    ambiguity: Ambiguity = "none"
    argument_kind: Literal["persona", "place"] | None = None


class VocabularyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of most of the files. Each file uses some of the fields."""

    id: str
    name: str = ""
    synonyms: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    naics: tuple[str, ...] = ()
    sic: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    argument_kind: Literal["persona", "place"] | None = None
    products: dict[str, tuple[str, ...]] = {}


class RoleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A role to contact."""

    id: str
    title: str
    department: str
    seniority: Seniority
    synonyms: tuple[str, ...]


class CountryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A country, its names in several languages, and its demonyms."""

    code: str
    name: str
    others: tuple[str, ...]
    demonyms: tuple[str, ...]


class AreaEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A region of several countries, or a part of one country."""

    name: str
    others: tuple[str, ...]
    countries: tuple[str, ...]
    kind: Literal["region", "subdivision", "city"] = "region"


class StageGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Several funding stages that one expression refers to."""

    stages: tuple[str, ...]
    synonyms: tuple[str, ...]


class VocabularyFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the vocabulary. Each file uses some of the fields."""

    ordinary_words: frozenset[str] = frozenset()
    industries: tuple[VocabularyEntry, ...] = ()
    models: tuple[VocabularyEntry, ...] = ()
    signals: tuple[VocabularyEntry, ...] = ()
    sizes: tuple[VocabularyEntry, ...] = ()
    categories: tuple[VocabularyEntry, ...] = ()
    countries: tuple[CountryEntry, ...] = ()
    regions: tuple[AreaEntry, ...] = ()
    localities: tuple[AreaEntry, ...] = ()
    roles: tuple[RoleEntry, ...] = ()
    departments: tuple[VocabularyEntry, ...] = ()
    patterns: dict[Seniority, tuple[str, ...]] = {}
    titles: dict[Seniority, str] = {}
    stages: tuple[VocabularyEntry, ...] = ()
    others: tuple[VocabularyEntry, ...] = ()
    groups: tuple[StageGroup, ...] = ()


def load(name: str, of: type[T]) -> T:
    """Decode a file of the vocabulary."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=of)


def all_senses() -> Iterator[Sense]:
    """Iterate over the senses in all files. Of two senses of an expression, the more common one comes first."""
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
        yield from read(load(name, VocabularyFile))


def _senses(
    kind: Kind, entry: VocabularyEntry, entity: Entity, ordinary: frozenset[str], **more: Any
) -> Iterator[Sense]:
    """Iterate over the senses of an entry: its name, its synonyms, and its weak synonyms."""
    for spelling in filter(None, (entry.name, *entry.synonyms)):
        ambiguity: Ambiguity = "ordinary" if spelling in ordinary else "none"
        yield Sense(kind=kind, entities=(entity,), spelling=spelling, ambiguity=ambiguity, **more)
    for spelling in entry.weak:
        yield Sense(kind=kind, entities=(entity,), spelling=spelling, ambiguity="weak", **more)


def _industries(file: VocabularyFile) -> Iterator[Sense]:
    for row in file.industries:
        industry = ProfileIndustry(id=row.id, name=row.name, naics=row.naics, sic=row.sic, found=NOWHERE)
        yield from _senses("industry", row, industry, file.ordinary_words)


def _models(file: VocabularyFile) -> Iterator[Sense]:
    for row in file.models:
        yield from _senses("model", row, ProfileSignal(id=row.id, name=row.name, found=NOWHERE), file.ordinary_words)


def _sizes(file: VocabularyFile) -> Iterator[Sense]:
    for row in file.sizes:
        size = ProfileRange(minimum=row.minimum, maximum=row.maximum, found=NOWHERE)
        yield from _senses("size", row, size, file.ordinary_words)


def _funding(file: VocabularyFile) -> Iterator[Sense]:
    stages = {row.id: ProfileFunding(stage=row.id, name=row.name, found=NOWHERE) for row in file.stages}
    for row in file.stages:
        yield from _senses("funding", row, stages[row.id], file.ordinary_words)
    for row in file.others:
        yield from _senses(
            "funding", row, ProfileFunding(stage=row.id, name=row.name, found=NOWHERE), file.ordinary_words
        )
    for group in file.groups:
        for spelling in group.synonyms:
            yield Sense(
                kind="funding", entities=tuple(stages[id_] for id_ in group.stages), spelling=spelling, ambiguity="weak"
            )


def _signals(file: VocabularyFile) -> Iterator[Sense]:
    for row in file.signals:
        signal = ProfileSignal(id=row.id, name=row.name, found=NOWHERE)
        yield from _senses("signal", row, signal, file.ordinary_words, argument_kind=row.argument_kind)


def _technologies(file: VocabularyFile) -> Iterator[Sense]:
    for row in file.categories:
        category = ProfileTechnology(name=None, category=row.id, found=NOWHERE)
        yield from _senses("category", row, category, file.ordinary_words)
        for name, others in row.products.items():
            product = ProfileTechnology(name=name, category=row.id, found=NOWHERE)
            entry = VocabularyEntry(id=name, name=name, synonyms=others)
            yield from _senses("technology", entry, product, file.ordinary_words, exact=True)


def _places(file: VocabularyFile) -> Iterator[Sense]:
    for row in file.countries:
        country = ProfilePlace(name=row.name, countries=(row.code,), found=NOWHERE)
        entry = VocabularyEntry(id=row.code, name=row.name, synonyms=row.others)
        yield from _senses("place", entry, country, file.ordinary_words, exact=True)
        yield from _senses("place", VocabularyEntry(id=row.code, synonyms=row.demonyms), country, file.ordinary_words)
        yield Sense(kind="place", entities=(country,), spelling=row.code, exact=True, ambiguity="code")
    for area in (*file.regions, *file.localities):
        place = ProfilePlace(name=area.name, countries=area.countries, found=NOWHERE, kind=area.kind)
        entry = VocabularyEntry(id=area.name, name=area.name, synonyms=area.others)
        yield from _senses("place", entry, place, file.ordinary_words, exact=True)


def _personas(file: VocabularyFile) -> Iterator[Sense]:
    for role in file.roles:
        persona = ProfilePersona(
            id=role.id, title=role.title, department=role.department, seniority=role.seniority, found=NOWHERE
        )
        entry = VocabularyEntry(id=role.id, name=role.title, synonyms=role.synonyms)
        yield from _senses("persona", entry, persona, file.ordinary_words)
    for row in file.departments:
        team = ProfilePersona(id=row.id, title=row.name, department=row.id, seniority="any", found=NOWHERE)
        ranks = {seniority: _persona_of(row, seniority, title) for seniority, title in file.titles.items()}
        for seniority, patterns in file.patterns.items():
            for pattern in patterns:
                names = tuple(pattern.format(name) for name in (row.name, *row.synonyms))
                yield from _senses(
                    "persona", VocabularyEntry(id=row.id, synonyms=names), ranks[seniority], file.ordinary_words
                )
        for spelling in (row.name, *row.synonyms):
            yield Sense(kind="department", entities=(team, *ranks.values()), spelling=spelling)


def _persona_of(department: VocabularyEntry, seniority: Seniority, title: str) -> ProfilePersona:
    """Create the persona of a department and a seniority."""
    return ProfilePersona(
        id=f"{seniority}_{department.id}",
        title=title.format(department.name),
        department=department.id,
        seniority=seniority,
        found=NOWHERE,
    )
