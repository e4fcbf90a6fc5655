"""
The company that is invented for a domain when sources are simulated: the same every time, and another one for another
domain.
"""

import functools
import hashlib
import math
import random
import string
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import idna
import msgspec

from enrichment.domains import canonical_domain
from enrichment.errors import InvalidDomain

REFERENCE: Final = date(2026, 10, 31)  # the simulated data's own date: it stays, and nothing in the data is younger


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """
    The few facts that all invented answers about a company must agree on. Money in US dollars a year, growth in percent
    a year; `region` is the state's two letters in the US.
    """

    domain: str
    name: str
    industry: str
    naics: str
    employees: int
    revenue: int
    growth: float
    founded: int
    city: str
    region: str
    country: str
    country_code: str
    ticker: str | None
    exchange: str | None
    monthly_visits: int
    sells_online: bool

    def random(self, purpose: str) -> random.Random:
        """A source of chance that gives the same numbers for the same domain and purpose every time."""
        return seeded(self.domain, purpose)


class Industry(NamedTuple):
    """
    A line of business. Revenue per employee in US dollars a year; `online` is the share that sells online, 0 to 1; the
    ranges are in percent.
    """

    name: str
    naics: str
    revenue_per_employee: int
    online: float
    growth: tuple[float, float]
    gross_margin: tuple[float, float]
    net_margin: tuple[float, float]


class Country(NamedTuple):
    """A country, and where its companies are listed."""

    name: str
    exchanges: tuple[str, ...]


# fmt: off
INDUSTRIES: Final = {row[0]: Industry(*row) for row in (
    # name                      NAICS     revenue  online  growth     gross     net margin
    ("Warehouse clubs",         "455211", 850_000, 1.00,  (2, 9),    (11, 14), (2, 3.2)),
    ("Apparel retail",          "458110", 220_000, 0.95,  (-6, 12),  (38, 58), (-2, 11)),
    ("Grocery retail",          "445110", 260_000, 0.70,  (-1, 6),   (22, 30), (0.5, 3.5)),
    ("Electronics retail",      "449210", 420_000, 0.95,  (-5, 10),  (18, 28), (0.3, 4)),
    ("Furniture retail",        "449110", 280_000, 0.90,  (-8, 9),   (35, 48), (-2, 7)),
    ("Software publishing",     "513210", 260_000, 0.25,  (3, 38),   (66, 86), (-15, 26)),
    ("Cloud and hosting",       "518210", 310_000, 0.30,  (4, 30),   (45, 65), (-8, 20)),
    ("Media streaming",         "516210", 700_000, 0.70,  (2, 25),   (35, 55), (-6, 20)),
    ("Telecommunications",      "517111", 400_000, 0.60,  (-3, 6),   (48, 62), (4, 15)),
    ("Commercial banking",      "522110", 390_000, 0.20,  (-2, 9),   (55, 70), (12, 28)),
    ("Property insurance",      "524126", 650_000, 0.35,  (0, 12),   (22, 38), (3, 13)),
    ("Car manufacturing",       "336110", 620_000, 0.15,  (-6, 12),  (13, 22), (1, 8)),
    ("Pharmaceuticals",         "325412", 520_000, 0.05,  (-4, 16),  (60, 78), (8, 26)),
    ("Medical instruments",     "339112", 330_000, 0.15,  (1, 14),   (52, 68), (5, 20)),
    ("Hospitals",               "622110", 150_000, 0.05,  (1, 8),    (28, 42), (-2, 7)),
    ("Hotels",                  "721110", 110_000, 0.85,  (-4, 14),  (30, 45), (2, 14)),
    ("Quick-service food",      "722513",  75_000, 0.75,  (-3, 12),  (22, 38), (1, 12)),
    ("Airlines",                "481111", 420_000, 0.95,  (-5, 14),  (18, 30), (-4, 8)),
    ("Freight forwarding",      "488510", 330_000, 0.10,  (-9, 15),  (14, 24), (1, 6)),
    ("Industrial wholesale",    "423840", 560_000, 0.60,  (-4, 10),  (24, 36), (3, 12)),
    ("Management consulting",   "541611", 180_000, 0.03,  (-2, 14),  (30, 42), (5, 15)),
    ("Electricity supply",      "221122", 850_000, 0.10,  (-2, 7),   (35, 48), (8, 16)),
)}

COUNTRIES: Final = {
    "US": Country("United States",  ("NASDAQ", "NYSE")),
    "CA": Country("Canada",         ("TSX",)),
    "GB": Country("United Kingdom", ("LSE",)),
    "IE": Country("Ireland",        ("Euronext Dublin",)),
    "DE": Country("Germany",        ("XETRA",)),
    "FR": Country("France",         ("Euronext Paris",)),
    "NL": Country("Netherlands",    ("Euronext Amsterdam",)),
    "ES": Country("Spain",          ("BME",)),
    "IT": Country("Italy",          ("Euronext Milan",)),
    "CH": Country("Switzerland",    ("SIX",)),
    "SE": Country("Sweden",         ("Nasdaq Stockholm",)),
    "JP": Country("Japan",          ("TSE",)),
    "AU": Country("Australia",      ("ASX",)),
    "SG": Country("Singapore",      ("SGX",)),
    "IN": Country("India",          ("NSE",)),
    "BR": Country("Brazil",         ("B3",)),
    "MX": Country("Mexico",         ("BMV",)),
}

CITIES: Final = (
    ("New York", "NY", "US"),           ("San Francisco", "CA", "US"),       ("Seattle", "WA", "US"),
    ("Austin", "TX", "US"),             ("Chicago", "IL", "US"),             ("Boston", "MA", "US"),
    ("Atlanta", "GA", "US"),            ("Denver", "CO", "US"),              ("Minneapolis", "MN", "US"),
    ("Columbus", "OH", "US"),           ("Charlotte", "NC", "US"),           ("Phoenix", "AZ", "US"),
    ("Toronto", "Ontario", "CA"),       ("Vancouver", "British Columbia", "CA"), ("Montreal", "Quebec", "CA"),
    ("London", "England", "GB"),        ("Manchester", "England", "GB"),     ("Edinburgh", "Scotland", "GB"),
    ("Dublin", "Leinster", "IE"),       ("Munich", "Bavaria", "DE"),         ("Berlin", "Berlin", "DE"),
    ("Hamburg", "Hamburg", "DE"),       ("Stuttgart", "Baden-Württemberg", "DE"), ("Paris", "Île-de-France", "FR"),
    ("Lyon", "Auvergne-Rhône-Alpes", "FR"), ("Amsterdam", "North Holland", "NL"), ("Madrid", "Madrid", "ES"),
    ("Barcelona", "Catalonia", "ES"),   ("Milan", "Lombardy", "IT"),         ("Zurich", "Zurich", "CH"),
    ("Stockholm", "Stockholm", "SE"),   ("Tokyo", "Tokyo", "JP"),            ("Osaka", "Osaka", "JP"),
    ("Sydney", "New South Wales", "AU"), ("Melbourne", "Victoria", "AU"),    ("Singapore", "Singapore", "SG"),
    ("Bengaluru", "Karnataka", "IN"),   ("Mumbai", "Maharashtra", "IN"),     ("São Paulo", "São Paulo", "BR"),
    ("Mexico City", "Mexico City", "MX"), ("Monterrey", "Nuevo León", "MX"),
)
# fmt: on

COSTCO: Final = Profile(
    domain="costco.com",
    name="Costco Wholesale",
    industry="Warehouse clubs",
    naics="455211",
    employees=289_000,
    revenue=275_000_000_000,
    growth=8.2,
    founded=1983,
    city="Issaquah",
    region="WA",
    country="United States",
    country_code="US",
    ticker="COST",
    exchange="NASDAQ",
    monthly_visits=15_000_000,
    sells_online=True,
)


def seeded(domain: str, purpose: str) -> random.Random:
    """Chance that depends on nothing but the two words."""
    digest = hashlib.sha256(f"{domain}\n{purpose}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8]))  # noqa: S311 - nothing secret is made of it


@functools.lru_cache(maxsize=1024)
def profile_of(domain: str) -> Profile:
    """The company behind a canonical domain; one under a country's top-level domain sits in that country."""
    if domain == COSTCO.domain:
        return COSTCO
    chance = seeded(domain, "profile")
    name = _name(domain)
    industry = chance.choice(list(INDUSTRIES.values()))
    employees = rough(math.exp(chance.uniform(math.log(5), math.log(200_000))))
    sells_online = chance.random() < industry.online
    city, region, code = chance.choice(_cities(domain))
    listed = chance.random() < (0.6 if employees >= 5_000 else 0.25 if employees >= 500 else 0)
    return Profile(
        domain=domain,
        name=name,
        industry=industry.name,
        naics=industry.naics,
        employees=employees,
        revenue=rough(employees * industry.revenue_per_employee * chance.uniform(0.6, 1.5)),
        growth=round(chance.uniform(*industry.growth), 1),
        # Most companies are young, and the large ones took their time.
        founded=1900 + int((1 - chance.random() ** 2) * (126 - 2 * math.log(employees))),
        city=city,
        region=region,
        country=COUNTRIES[code].name,
        country_code=code,
        ticker=_ticker(name, chance) if listed else None,
        exchange=chance.choice(COUNTRIES[code].exchanges) if listed else None,
        monthly_visits=rough(employees**0.75 * (900 if sells_online else 120) * math.exp(chance.uniform(-1.2, 1.2))),
        sells_online=sells_online,
    )


def rough(number: float) -> int:
    """To three digits, as estimates are given."""
    whole = int(number)
    return round(whole, 3 - len(str(whole)))


def shared_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that sum to `total`, each as near to its weight's share as that allows (largest remainder)."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: shares[index] - exact[index])
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _name(domain: str) -> str:
    """The label that somebody registered, read as a name: `mail.mercedes-benz.com` → `Mercedes-Benz`."""
    label, _, rest = domain.partition(".")
    try:
        canonical_domain(rest)
    except InvalidDomain:  # a public suffix is left
        return "-".join(part.capitalize() for part in _decoded(label).split("-"))
    return _name(rest)


def _decoded(label: str) -> str:
    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label


def _cities(domain: str) -> list[tuple[str, str, str]]:
    code = domain.rpartition(".")[2].upper().replace("UK", "GB")
    return [city for city in CITIES if city[2] == code] or list(CITIES)


def _ticker(name: str, chance: random.Random) -> str:
    """The first four Latin letters of the name, or others if it has too few."""
    letters = [letter for letter in unicodedata.normalize("NFKD", name).upper() if letter in string.ascii_uppercase]
    return "".join(letters[:4] if len(letters) > 2 else chance.choices(string.ascii_uppercase, k=4))
