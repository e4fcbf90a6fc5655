"""
The vocabulary: expressions of several words, and what each of them can mean. It is data, and read here only.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from enrichment.icp.text import Token, normalized, read_tokens
from schemas import PlaceKind, Seniority

DATA: Final = Path(__file__).parent / "data"

Kind = Literal[
    "industry",
    "model",
    "technology",
    "category",
    "place",
    "role",
    "function",
    "stage",
    "stages",
    "ownership",
    "size",
    "signal",
    "certification",
    "relation",
    "after",
    "strength",
    "topic",
    "segment",
    "unit",
    "lead",
    "bound",
    "bound_after",
    "between",
    "to",
    "both",
    "around",
    "window",
    "time",
    "noun",
    "idiom",
    "link",
    "currency",
    "team",
]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """
    A meaning of an expression: an entity of the closed vocabulary, or a word with a role in the grammar.

    An `ordinary` expression is an everyday word, too, and needs evidence from its surroundings. A `narrower` one names
    only a part of the entity ("home builders" of construction), so who excludes it does not exclude the entity. `codes`
    are those of `Condition.codes`; `within` is the place that a city lies in.
    """

    kind: Kind
    id: str
    label: str = ""
    spelling: str = ""
    codes: tuple[str, ...] = ()
    exact: bool = False
    ordinary: bool = False
    narrower: bool = False
    place_kind: PlaceKind | None = None
    within: str | None = None
    department: str | None = None
    seniority: Seniority | None = None
    minimum: int | None = None
    maximum: int | None = None


class Vocabulary:
    """Meanings by expression. An expression is found in any case, without accents, and with or without a hyphen."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[tuple[str, ...], list[Entry]] = {}
        self._longest: dict[str, int] = {}
        self._known: set[str] = set()
        for entry in entries:
            tokens = read_tokens(entry.spelling)
            self._add(tuple(token.stem for token in tokens), entry)
            if any(token.joined for token in tokens):
                self._add(tuple(_joined(tokens)), entry)

    def _add(self, key: tuple[str, ...], entry: Entry) -> None:
        self._entries.setdefault(key, []).append(entry)
        self._known.update(key)
        self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))

    def at(self, tokens: Sequence[Token], first: int, *, kind: str | None = None) -> tuple[int, list[Entry]] | None:
        """The longest expression that starts at a position, of one kind or any: its end and its meanings."""
        longest = self._longest.get(tokens[first].stem, 0) if first < len(tokens) else 0
        best: tuple[int, list[Entry]] | None = None
        key: tuple[str, ...] = ()
        for last in range(first, min(first + longest, len(tokens))):
            if last > first and tokens[last].line and not tokens[last].text[0].islower():
                break
            key = (*key, tokens[last].stem)
            found = self._entries.get(key)
            if found and (fitting := [one for one in found if _fits(one, kind, tokens[first : last + 1])]):
                best = last + 1, fitting
        if best and len(best[1]) > 1:
            written = _spelled(tokens[first : best[0]])
            best[1].sort(key=lambda one: _spelled(read_spelling(one.spelling)) != written)
        return best

    def find(self, kind: Kind, spelling: str) -> list[Entry]:
        """The meanings of exactly this expression, or the entries with this id."""
        tokens = read_tokens(spelling)
        key = tuple(token.stem for token in tokens)
        found = [one for one in self._entries.get(key, []) if one.kind == kind]
        return found or [one for one in self.by_id(kind) if one.id.casefold() == spelling.casefold()]

    def by_id(self, kind: Kind) -> tuple[Entry, ...]:
        """All entries of a kind, one for each id."""
        return _by_id(self, kind)

    def __iter__(self) -> Iterator[Entry]:
        for entries in self._entries.values():
            yield from entries

    def ids(self, stem: str) -> frozenset[str]:
        """The ids of the meanings of an expression of one word."""
        return frozenset(entry.id for entry in self._entries.get((stem,), ()))

    def knows(self, stem: str) -> bool:
        """Whether a word is part of any expression."""
        return stem in self._known

    def single_words(self) -> frozenset[str]:
        """The expressions of one word, of at least five letters, that a misspelt word may be."""
        kinds = ("industry", "technology", "category", "place", "unit", "ownership", "size", "model")
        return frozenset(
            key[0]
            for key, entries in self._entries.items()
            if len(key) == 1
            and len(key[0]) > 4
            and key[0].isalpha()
            and any(one.kind in kinds and one.place_kind != "city" for one in entries)
        )


def _joined(tokens: Sequence[Token]) -> list[str]:
    """The stems, with the parts of words with a hyphen as one: "e-commerce" as "ecommerce"."""
    words: list[str] = []
    for token in tokens:
        if token.joined:
            words[-1] += token.stem
        else:
            words.append(token.stem)
    return words


def _fits(entry: Entry, kind: str | None, tokens: Sequence[Token]) -> bool:
    if kind is not None and entry.kind != kind:
        return False
    return not entry.exact or _spelled(tokens) == _spelled(read_spelling(entry.spelling))


def _spelled(tokens: Sequence[Token]) -> str:
    return "".join(token.norm for token in tokens)


@functools.cache
def read_spelling(spelling: str) -> tuple[Token, ...]:
    """The tokens of an expression of the vocabulary."""
    return tuple(read_tokens(spelling))


@functools.cache
def _by_id(vocabulary: Vocabulary, kind: Kind) -> tuple[Entry, ...]:
    return tuple({entry.id: entry for entry in vocabulary if entry.kind == kind}.values())


def load(name: str) -> Any:
    """Decode a file of the vocabulary."""
    return msgspec.json.decode((DATA / f"{name}.json").read_bytes())


@functools.cache
def vocabulary() -> Vocabulary:
    """The whole vocabulary; it is read at the first call, in a fifth of a second."""
    return Vocabulary(entry for name in READERS for entry in READERS[name](load(name)))


@functools.cache
def words(name: str) -> frozenset[str]:
    """A set of words that the grammar uses, of `words.json`."""
    sets: dict[str, str] = table("sets")
    return frozenset(sets[name].split())


@functools.cache
def by_language(name: Literal["or_in", "and_in", "only_in", "languages"], key: str) -> frozenset[str]:
    """A set of words by language, or the languages of a word; empty for another key."""
    sets: dict[str, str] = table(name)
    return frozenset(sets.get(key, "").split())


@functools.cache
def table(name: str) -> Any:
    """A table of `words.json`."""
    return load("words")[name]


@functools.cache
def official_titles(scheme: Literal["naics", "sic"]) -> dict[str, str]:
    """The titles of NAICS 2022 or of SIC by code."""
    titles: dict[str, str] = load(scheme)
    return titles


# One function for each file: its rows as entries.


def _spellings(
    row: Mapping[str, Any], ordinary: Iterable[str] = (), narrower: Iterable[str] = (), **values: Any
) -> Iterator[Entry]:
    """Iterate over the entries of a row: its name, its synonyms, and the weak ones, which are everyday words."""
    label = row.get("name") or row["id"]
    values = {"id": row["id"], "label": label, **values}
    for spelling in dict.fromkeys(filter(None, (row.get("name"), *row.get("synonyms", ())))):
        yield Entry(spelling=spelling, ordinary=spelling in ordinary, narrower=spelling in narrower, **values)
    for spelling in row.get("weak", ()):
        yield Entry(spelling=spelling, ordinary=True, narrower=spelling in narrower, **values)


def _industries(file: Any) -> Iterator[Entry]:
    for row in file["industries"]:
        yield from _spellings(
            row, file["ordinary_words"], file["narrower_words"], kind="industry", codes=tuple(row["naics"])
        )


def _models(file: Any) -> Iterator[Entry]:
    for row in file["models"]:
        yield from _spellings(row, kind="model")


def _sizes(file: Any) -> Iterator[Entry]:
    for row in file["sizes"]:
        yield from _spellings(row, file["ordinary_words"], kind="size", minimum=row["minimum"], maximum=row["maximum"])


def _funding(file: Any) -> Iterator[Entry]:
    for row in file["stages"]:
        yield from _spellings(row, kind="stage")
    for row in file["groups"]:
        yield from _spellings(row, kind="stages", codes=tuple(row["stages"]))
    for row in file["ownership"]:
        yield from _spellings(row, file["ordinary_words"], kind="ownership")


def _signals(file: Any) -> Iterator[Entry]:
    for row in file["signals"]:
        yield from _spellings(row, file["ordinary_words"], kind="signal")


def _certifications(file: Any) -> Iterator[Entry]:
    for row in file["certifications"]:
        yield from _spellings(row, file["ordinary_words"], kind="certification")


def _technologies(file: Any) -> Iterator[Entry]:
    ordinary = frozenset(file["ordinary_words"])
    for row in file["categories"]:
        yield from _spellings(row, ordinary, kind="category", codes=tuple(row["products"]))
        for name, others in row["products"].items():
            product = {"id": name, "name": name, "synonyms": others}
            yield from _spellings(product, ordinary, kind="technology", within=row["id"], exact=True)


def _places(file: Any) -> Iterator[Entry]:
    """Places by hand first: of two entries with one name the first is the more common one."""
    generated, ordinary = load("places_generated"), frozenset(file["ordinary_words"])
    yield from _countries(file["countries"], generated["countries"], ordinary)
    for row in file["regions"]:
        codes = tuple(row["countries"])
        yield from _spellings(row, ordinary, kind="place", exact=True, codes=codes, place_kind="region")
    for row in file["areas"]:
        codes = tuple(row["parts"])
        yield from _spellings(row, ordinary, kind="place", exact=True, codes=codes, place_kind="subdivision")
    for row in file["cities"]:
        yield from _spellings(row, ordinary, kind="place", exact=True, place_kind="city", within=row["within"])
    taken = {normalized(name) for row in file["cities"] for name in (row["name"], *row["synonyms"])}
    for code, names in generated["subdivisions"].items():
        row = {"id": code, "name": names[0], "synonyms": [name for name in names if normalized(name) not in taken]}
        if normalized(names[0]) in taken:
            row["name"] = next(iter(row["synonyms"]), code)
        yield from _spellings(row, ordinary, kind="place", exact=True, codes=(code,), place_kind="subdivision")
        taken.update(normalized(name) for name in names)
    for name, within in generated["cities"]:
        if normalized(name) not in taken:
            row = {"id": city_id(name), "name": name}
            yield from _spellings(row, ordinary, kind="place", exact=True, place_kind="city", within=within)


def _countries(
    by_hand: Iterable[Mapping[str, Any]], generated: Mapping[str, Sequence[str]], ordinary: frozenset[str]
) -> Iterator[Entry]:
    rows = {row["code"]: row for row in by_hand}
    for code, names in generated.items():
        row = rows.get(code, {"name": names[0], "others": [], "demonyms": []})
        country = {"id": code, "name": row["name"], "synonyms": [*row["others"], *names]}
        values: dict[str, Any] = {"kind": "place", "codes": (code,), "place_kind": "country"}
        yield from _spellings(country, ordinary, exact=True, **values)
        for name in row["demonyms"]:
            yield Entry(
                id=code, label=row["name"], spelling=name, ordinary=name in ordinary, within="demonym", **values
            )


def city_id(name: str) -> str:
    """The id of a city: its name in lower case."""
    return "_".join(token.norm for token in read_tokens(name))


def _personas(file: Any) -> Iterator[Entry]:
    for row in file["roles"]:
        titled = {**row, "name": row["title"]}
        yield from _spellings(
            titled, file["ordinary_words"], kind="role", department=row["department"], seniority=row["seniority"]
        )
    for row in file["departments"]:
        yield from _spellings(row, kind="function", department=row["id"])


def _cues(file: Any) -> Iterator[Entry]:
    for kind, groups in file.items():
        for id_, spellings in groups.items():
            for spelling in dict.fromkeys(spellings):
                yield Entry(kind=kind, id=id_, spelling=spelling, exact=True)


def _numbers(file: Any) -> Iterator[Entry]:
    for spelling, currency in file["currencies"].items():
        yield Entry(kind="currency", id=currency, spelling=spelling, exact=True)


READERS: Final = {
    "cues": _cues,
    "numbers": _numbers,
    "industries": _industries,
    "business_models": _models,
    "sizes": _sizes,
    "funding": _funding,
    "signals": _signals,
    "certifications": _certifications,
    "technologies": _technologies,
    "places": _places,
    "personas": _personas,
}
