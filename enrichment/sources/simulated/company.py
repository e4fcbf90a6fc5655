"""
The simulated company for a domain: a deterministic function of the domain.
"""

import base64
import functools
import hashlib
import math
import random
import string
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

import idna
import msgspec

from enrichment.domains import registrable_domain
from enrichment.modules.icp_score import DOLLARS
from enrichment.sources.simulated.examples import EXAMPLES
from enrichment.sources.simulated.industries import COMPETITOR_SITES, INDUSTRIES
from enrichment.sources.simulated.places import CITIES, COUNTRIES

REFERENCE_DATE: Final = date(2026, 10, 31)  # the fixed present of the simulated data; nothing in it is later


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """
    The facts about a company on which all its simulated answers agree.

    `revenue` is in the currency of the country, a year, `growth` that of the revenue in percent; `region` is a
    two-letter code in the US.
    """

    domain: str
    name: str
    industry: str
    employees: int
    revenue: int
    growth: float
    founded: int
    city: str
    region: str
    country_code: str
    ticker: str | None
    exchange: str | None
    monthly_visits: int
    sells_online: bool

    @property
    def country(self) -> str:
        """The full name of the country."""
        return COUNTRIES[self.country_code].country

    @property
    def currency(self) -> str:
        """The currency of the country and its exchanges, as ISO 4217 code."""
        return COUNTRIES[self.country_code].currency

    @property
    def naics(self) -> str:
        """The code of the industry."""
        return INDUSTRIES[self.industry].naics

    def rng(self, purpose: str) -> random.Random:
        """Return a random number generator that is seeded with the domain and the purpose."""
        return seeded_rng(self.domain, purpose)


def seeded_rng(domain: str, purpose: str) -> random.Random:
    """Return a random number generator that depends only on the two strings."""
    digest = hashlib.sha256(f"{domain}\n{purpose}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8]))  # noqa: S311 - not for secrets


@functools.lru_cache(maxsize=2_048)
def company_of(domain: str) -> Company:
    """
    Return the company for a canonical domain.

    Hosts under one registrable domain belong to one company: `careers.acme.com` and `acme.com`.
    """
    domain = registrable_domain(domain)
    if example := EXAMPLES.get(domain):
        return Company(domain=domain, **example._asdict())
    return _invented(domain)


def _invented(domain: str) -> Company:
    """Invent a company; under a country's top-level domain it is in that country."""
    rng = seeded_rng(domain, "profile")
    name = _name(domain)
    industry = INDUSTRIES[COMPETITOR_SITES.get(domain) or rng.choice(list(INDUSTRIES))]
    employees = round_significant(math.exp(rng.uniform(math.log(5), math.log(200_000))))
    sells_online = rng.random() < industry.online
    city, region, code = rng.choice(_cities(domain))
    market = COUNTRIES[code]
    dollars = employees * industry.revenue_per_employee * rng.uniform(0.6, 1.5)
    # Most companies are young, large ones older.
    latest = REFERENCE_DATE.year - 2 * math.log(employees)
    founded = industry.since + int((1 - rng.random() ** 2) * (latest - industry.since))
    is_listed = rng.random() < (0.6 if employees >= 5_000 else 0.25 if employees >= 500 else 0)
    return Company(
        domain=domain,
        name=name,
        industry=industry.name,
        employees=employees,
        revenue=round_significant(dollars / DOLLARS[market.currency]),
        growth=round(rng.uniform(*industry.growth), 1),
        founded=founded,
        city=city,
        region=region,
        country_code=code,
        ticker=_ticker(domain, name) if is_listed else None,
        exchange=rng.choice(market.exchanges) if is_listed else None,
        # At least 1,000, so that a share of them with one decimal is that of a whole number of visits.
        monthly_visits=round_significant(
            employees**0.75 * (3_000 if sells_online else 1_000) * math.exp(rng.uniform(-1.2, 1.2))
        ),
        sells_online=sells_online,
    )


def round_significant(number: float, digits: int = 3) -> int:
    """Round to that many significant digits, as is usual for estimates; the fraction is dropped first."""
    whole = int(number)
    return round(whole, digits - len(str(abs(whole))))


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


def _ticker(domain: str, name: str) -> str:
    """
    Return a symbol that no other company has: letters of the name, a code of the domain, and `.SIM`.

    No exchange and no data provider uses this suffix, so it is not the symbol of a company that exists.
    """
    letters = [letter for letter in unicodedata.normalize("NFKD", name).upper() if letter in string.ascii_uppercase]
    code = base64.b32encode(hashlib.sha256(domain.encode()).digest())[:6].decode()
    return f"{''.join(letters[:4])}{code}.SIM"
