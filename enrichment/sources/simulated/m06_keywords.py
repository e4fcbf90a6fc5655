"""
Simulated search keywords.
"""

from typing import Final

from enrichment.modules.answers import Intent, Keyword, Keywords
from enrichment.sources.simulated.company import Company, apportion, round_significant

# Patterns of searches for a company's name, and for a topic, each with the intent.
# fmt: off
BRANDED: Final[tuple[tuple[str, Intent], ...]] = (
    ("{}", "navigational"), ("{} login", "navigational"), ("{} careers", "navigational"), ("{} reviews", "commercial"),
)
GENERIC: Final[tuple[tuple[str, Intent], ...]] = (
    ("{}", "informational"), ("best {}", "commercial"), ("{} comparison", "commercial"), ("{} cost", "commercial"),
    ("{} guide", "informational"), ("{} online", "transactional"),
)
TOPICS: Final = {
    "Warehouse clubs":       ("bulk groceries", "warehouse membership", "tires", "gift cards"),
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


def simulate(company: Company) -> Keywords:
    """Return searches for the company's name, for which it ranks first, and for topics of its industry."""
    rng = company.rng("m06")
    phrases = [(pattern.format(company.name.lower()), intent, True) for pattern, intent in BRANDED]
    generic = [(pattern, intent, topic) for topic in TOPICS[company.industry] for pattern, intent in GENERIC]
    phrases += [(pattern.format(topic), intent, False) for pattern, intent, topic in rng.sample(generic, k=8)]
    # The last weight is that of all keywords that are not listed.
    tenths = apportion(1_000, [*sorted((rng.uniform(1, 12) for _ in phrases), reverse=True), 60])
    total = round_significant(company.monthly_visits**0.65 * rng.uniform(0.8, 1.6)) + len(phrases)
    return Keywords(
        keywords=tuple(
            Keyword(
                keyword=phrase,
                volume=max(
                    10, round_significant(company.monthly_visits * tenth / 1_000 * rng.uniform(1, 2 if branded else 9))
                ),
                position=1 if branded else rng.randint(2, 20),
                traffic_share_percent=tenth / 10,
                cpc=round(rng.uniform(0.1, 0.9) if branded else rng.uniform(0.4, 9.0), 2),
                branded=branded,
                intent=intent,
            )
            for (phrase, intent, branded), tenth in zip(phrases, tenths, strict=False)
        ),
        total_keywords=total,
        branded_keywords=len(BRANDED) + round(total * rng.uniform(0.02, 0.1)),
        paid_keywords=round(total * rng.uniform(0.01, 0.08)) if company.sells_online else 0,
        currency="USD",
    )
