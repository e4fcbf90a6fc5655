"""
Codes of countries and of states of the United States, from their names.
"""

import functools
import unicodedata
from pathlib import Path
from typing import Final

import msgspec

# fmt: off
STATES: Final = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
    "PR": "Puerto Rico",
}
"The states of the United States by their postal codes, which the SEC uses as well."

CITY_NAMES: Final = {
    "antwerpen": "antwerp", "athina": "athens", "bruxelles": "brussels", "brussel": "brussels",
    "bucuresti": "bucharest", "den haag": "the hague", "firenze": "florence", "geneve": "geneva",
    "genf": "geneva", "goteborg": "gothenburg",
    "hannover": "hanover", "kobenhavn": "copenhagen", "koln": "cologne", "koeln": "cologne", "krakow": "cracow",
    "lisboa": "lisbon", "luzern": "lucerne", "milano": "milan", "muenchen": "munich", "munchen": "munich",
    "napoli": "naples", "nuernberg": "nuremberg", "nurnberg": "nuremberg", "praha": "prague", "roma": "rome",
    "sevilla": "seville", "torino": "turin", "venezia": "venice", "warszawa": "warsaw", "wien": "vienna",
    "zuerich": "zurich", "new york city": "new york", "nyc": "new york",
}
"English names of cities by those that their inhabitants use, without accents."
# fmt: on
STATE_CODES: Final = {name.casefold(): code for code, name in STATES.items()}


def code_of_country(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country, None for an unknown name."""
    return _country_codes().get(name.strip().casefold())


def state_code(text: str) -> str | None:
    """Return the code of a state of the United States given by name or code, None if it is none."""
    text = text.strip()
    return text.upper() if text.upper() in STATES else STATE_CODES.get(text.casefold())


def city_key(name: str) -> str:
    """Return a spelling of a city's name that is the same for its English and its local name."""
    plain = unicodedata.normalize("NFKD", name.strip().casefold().replace("ø", "o"))
    folded = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return CITY_NAMES.get(folded, folded)


@functools.cache
def _country_codes() -> dict[str, str]:
    content = Path(__file__).with_name("countries.json").read_bytes()
    names = msgspec.json.decode(content, type=dict[str, tuple[str, ...]])
    return {name.casefold(): code for code, others in names.items() for name in (code, *others)}
