"""
Simulated search keywords.
"""

import functools
import math
from collections.abc import Iterator
from typing import Final

from enrichment.modules.answers import Intent, Keyword, Keywords
from enrichment.modules.evidence import words
from enrichment.sources.simulated import m04_traffic_sources
from enrichment.sources.simulated.company import Company, round_significant, seeded_rng

# Patterns of searches for a company's name, and for a topic: the intent, and how often they are used in comparison.
# fmt: off
BRANDED: Final[tuple[tuple[str, Intent, float], ...]] = (
    ("{}", "navigational", 1), ("{} login", "navigational", 0.2), ("{} reviews", "commercial", 0.06),
    ("{} careers", "navigational", 0.04),
)
GENERIC: Final[tuple[tuple[str, Intent, float], ...]] = (
    ("{}", "informational", 1), ("best {}", "commercial", 0.3), ("{} online", "transactional", 0.15),
    ("{} cost", "commercial", 0.1), ("{} comparison", "commercial", 0.05), ("{} guide", "informational", 0.04),
)
TOPICS: Final = {
    "Warehouse clubs":       ("bulk groceries", "warehouse membership", "tires", "gift cards"),
    "General merchandise retail": ("weekly ad", "toys", "small kitchen appliances", "store pickup"),
    "Department stores":     ("bedding sets", "cookware", "handbags", "wedding registry"),
    "Apparel retail":        ("winter jackets", "running shoes", "summer dresses", "jeans"),
    "Grocery retail":        ("grocery delivery", "organic vegetables", "weekly offers", "meal kits"),
    "Electronics retail":    ("laptops", "wireless headphones", "televisions", "phone repair"),
    "Furniture retail":      ("corner sofas", "dining tables", "office chairs", "mattresses"),
    "Software publishing":   ("project management software", "workflow automation", "team chat", "invoicing software"),
    "Cloud and hosting":     ("managed hosting", "virtual servers", "object storage", "domain registration"),
    "Media streaming":       ("series to watch", "live sports stream", "documentaries", "podcasts"),
    "Telecommunications":    ("fiber internet", "prepaid sim", "phone plans", "roaming"),
    "Commercial banking":    ("checking accounts", "mortgage rates", "business loans", "savings accounts"),
    "Property insurance":    ("home insurance", "car insurance", "flood insurance", "renters insurance"),
    "Car manufacturing":     ("electric cars", "family cars", "car leasing", "pickup trucks"),
    "Pharmaceuticals":       ("clinical trials", "allergy medicine", "vaccines", "drug side effects"),
    "Medical instruments":   ("surgical instruments", "patient monitors", "infusion pumps", "endoscopes"),
    "Hospitals":             ("emergency care", "maternity clinic", "heart surgery", "physical therapy"),
    "Hotels":                ("city hotels", "weekend breaks", "conference hotels", "spa hotels"),
    "Quick-service food":    ("burger menu", "lunch delivery", "vegan burgers", "drive-through"),
    "Airlines":              ("cheap flights", "flight status", "business class", "baggage allowance"),
    "Freight forwarding":    ("container shipping", "air freight", "customs clearance", "freight rates"),
    "Industrial wholesale":  ("power tools", "safety gloves", "ball bearings", "hydraulic hoses"),
    "Management consulting": ("digital transformation", "cost reduction", "supply chain strategy", "market entry"),
    "Electricity supply":    ("electricity tariffs", "solar panels", "heat pumps", "home charging stations"),
}
# fmt: on


FIRST_RESULT: Final = 0.3  # share of the searches that lead to the first result; divided by the position for others
MAX_SHARE: Final = 0.05  # of the visits from search, by a single topic
LAST_POSITION: Final = 100
MAX_GENERIC: Final = 8


def simulate(company: Company) -> Keywords:
    """Return searches for the company's name, for which it ranks first, and for topics of its industry."""
    rng, total = company.rng("m06"), total_keywords(company)
    keywords = sorted([*_branded(company), *_generic(company)], key=lambda row: -(row.traffic_share_percent or 0))
    return Keywords(
        keywords=tuple(keywords),
        total_keywords=total,
        branded_keywords=len(BRANDED) + round(total * rng.uniform(0.02, 0.1)),
        # Every company has some visits from search ads.
        paid_keywords=max(1, round(total * (rng.uniform(0.01, 0.08) if company.sells_online else 0.005))),
        currency="USD",
    )


def total_keywords(company: Company) -> int:
    """Return the number of keywords that lead to the company's site: more for sites with more visits."""
    return len(BRANDED) + MAX_GENERIC + round_significant(1.2 * company.monthly_visits**0.65)


def _branded(company: Company) -> Iterator[Keyword]:
    """Divide a share of the visits from search between the searches for the company's name."""
    rng = company.rng("branded keywords")
    visits, share = _search_visits(company), rng.uniform(0.20, 0.45)
    for pattern, intent, frequency in BRANDED:
        clicks = round(visits * share * frequency / sum(frequency for _, _, frequency in BRANDED))
        yield Keyword(
            keyword=pattern.format(company.name.lower()),
            volume=round_significant(clicks / rng.uniform(0.45, 0.55)),
            position=1,
            traffic_share_percent=round(100 * clicks / visits, 2),
            cpc=round(rng.uniform(0.1, 0.9), 2),
            branded=True,
            intent=intent,
        )


def _generic(company: Company) -> Iterator[Keyword]:
    """Return searches for topics, with a rank that explains the visits; volume and cost are the same for all sites."""
    rng, visits = company.rng("generic keywords"), _search_visits(company)
    possible = []
    for topic in TOPICS[company.industry]:
        for pattern, intent, frequency in GENERIC:
            phrase, volume = pattern.format(topic), round_significant(_searches(topic) * frequency)
            highest = max(2, math.ceil(volume * FIRST_RESULT / (visits * MAX_SHARE)))
            if highest <= LAST_POSITION and not is_branded(phrase, company):
                possible.append((phrase, intent, volume, highest))
    for phrase, intent, volume, highest in rng.sample(possible, k=min(MAX_GENERIC, len(possible))):
        position = rng.randint(highest, max(highest, 20))
        clicks = round(volume * FIRST_RESULT / position)
        if percent := round(100 * clicks / visits, 2):
            yield Keyword(
                keyword=phrase,
                volume=volume,
                position=position,
                traffic_share_percent=percent,
                cpc=round(seeded_rng(phrase, "cpc").uniform(0.4, 9.0), 2),
                branded=False,
                intent=intent,
            )


@functools.cache
def _searches(topic: str) -> float:
    return math.exp(seeded_rng(topic, "searches").uniform(math.log(5_000), math.log(3_000_000)))


def _search_visits(company: Company) -> int:
    """Return the number of visits from search in a month."""
    channels = m04_traffic_sources.simulate(company)
    return round(company.monthly_visits * ((channels.organic_search or 0) + (channels.paid_search or 0)) / 100)


def is_branded(phrase: str, company: Company) -> bool:
    """Return whether the phrase contains the company's name."""
    return f" {' '.join(words(company.name))} " in f" {' '.join(words(phrase))} "
