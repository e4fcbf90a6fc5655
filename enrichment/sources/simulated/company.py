"""
The simulated company for a domain: a deterministic function of the domain.
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

from enrichment.domains import registrable_domain

REFERENCE_DATE: Final = date(2026, 10, 31)  # the fixed present of the simulated data; nothing in it is later


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """
    The facts about a company on which all its simulated answers agree.

    `revenue` is in US dollars a year, `growth` that of the revenue in percent; `region` is a two-letter code in the US.
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

    def rng(self, purpose: str) -> random.Random:
        """Return a random number generator that is seeded with the domain and the purpose."""
        return seeded_rng(self.domain, purpose)


class IndustryNorms(NamedTuple):
    """
    The typical figures of an industry.

    Revenue per employee is in US dollars a year; `online` is the share of companies that sell online, from 0 to 1; the
    ranges are in percent.
    """

    name: str
    naics: str
    revenue_per_employee: int
    online: float
    growth: tuple[float, float]
    gross_margin: tuple[float, float]
    net_margin: tuple[float, float]


class StockMarket(NamedTuple):
    """A country and its stock exchanges."""

    country: str
    exchanges: tuple[str, ...]


# fmt: off
INDUSTRIES: Final = {row[0]: IndustryNorms(*row) for row in (
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
    "US": StockMarket("United States",  ("NASDAQ", "NYSE")),
    "CA": StockMarket("Canada",         ("TSX",)),
    "GB": StockMarket("United Kingdom", ("LSE",)),
    "IE": StockMarket("Ireland",        ("Euronext Dublin",)),
    "DE": StockMarket("Germany",        ("XETRA",)),
    "FR": StockMarket("France",         ("Euronext Paris",)),
    "NL": StockMarket("Netherlands",    ("Euronext Amsterdam",)),
    "ES": StockMarket("Spain",          ("BME",)),
    "IT": StockMarket("Italy",          ("Euronext Milan",)),
    "CH": StockMarket("Switzerland",    ("SIX",)),
    "SE": StockMarket("Sweden",         ("Nasdaq Stockholm",)),
    "JP": StockMarket("Japan",          ("TSE",)),
    "AU": StockMarket("Australia",      ("ASX",)),
    "SG": StockMarket("Singapore",      ("SGX",)),
    "IN": StockMarket("India",          ("NSE",)),
    "BR": StockMarket("Brazil",         ("B3",)),
    "MX": StockMarket("Mexico",         ("BMV",)),
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

COSTCO: Final = Company(
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


def seeded_rng(domain: str, purpose: str) -> random.Random:
    """Return a random number generator that depends only on the two strings."""
    digest = hashlib.sha256(f"{domain}\n{purpose}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8]))  # noqa: S311 - not for secrets


@functools.lru_cache(maxsize=1024)
def company_of(domain: str) -> Company:
    """
    Return the company for a canonical domain; under a country's top-level domain it is in that country.

    Hosts under one registrable domain belong to one company: `careers.acme.com` and `acme.com`.
    """
    domain = registrable_domain(domain)
    if domain == COSTCO.domain:
        return COSTCO
    rng = seeded_rng(domain, "profile")
    name = _name(domain)
    industry = rng.choice(list(INDUSTRIES.values()))
    employees = round_significant(math.exp(rng.uniform(math.log(5), math.log(200_000))))
    sells_online = rng.random() < industry.online
    city, region, code = rng.choice(_cities(domain))
    listed = rng.random() < (0.6 if employees >= 5_000 else 0.25 if employees >= 500 else 0)
    return Company(
        domain=domain,
        name=name,
        industry=industry.name,
        naics=industry.naics,
        employees=employees,
        revenue=round_significant(employees * industry.revenue_per_employee * rng.uniform(0.6, 1.5)),
        growth=round(rng.uniform(*industry.growth), 1),
        # Most companies are young, large ones older.
        founded=1900 + int((1 - rng.random() ** 2) * (126 - 2 * math.log(employees))),
        city=city,
        region=region,
        country=COUNTRIES[code].country,
        country_code=code,
        ticker=_ticker(name, rng) if listed else None,
        exchange=rng.choice(COUNTRIES[code].exchanges) if listed else None,
        monthly_visits=round_significant(
            employees**0.75 * (900 if sells_online else 120) * math.exp(rng.uniform(-1.2, 1.2))
        ),
        sells_online=sells_online,
    )


def round_significant(number: float) -> int:
    """Round to three significant digits, as is usual for estimates; the fraction is dropped first."""
    whole = int(number)
    return round(whole, 3 - len(str(whole)))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Divide a total into integers in proportion to the weights, by the largest remainder method."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: shares[index] - exact[index])
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _name(domain: str) -> str:
    """Capitalize the first label of a registrable domain: `mercedes-benz.com` → `Mercedes-Benz`."""
    return "-".join(part.capitalize() for part in _decoded(domain.partition(".")[0]).split("-"))


def _decoded(label: str) -> str:
    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label


def _cities(domain: str) -> list[tuple[str, str, str]]:
    code = domain.rpartition(".")[2].upper().replace("UK", "GB")
    return [city for city in CITIES if city[2] == code] or list(CITIES)


def _ticker(name: str, rng: random.Random) -> str:
    """Return the first four Latin letters of the name, or random letters if it has fewer than three."""
    letters = [letter for letter in unicodedata.normalize("NFKD", name).upper() if letter in string.ascii_uppercase]
    return "".join(letters[:4] if len(letters) > 2 else rng.choices(string.ascii_uppercase, k=4))
