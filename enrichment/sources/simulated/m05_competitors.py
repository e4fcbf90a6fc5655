"""
Simulated competitors.
"""

import math
from typing import Final

from enrichment.modules.answers import Competitor, Competitors
from enrichment.sources.simulated.company import Company, round_significant

PREFIXES: Final = ("north", "blue", "prime", "true", "urban", "bright", "first", "open", "swift", "union")

# fmt: off
SUFFIXES: Final = {
    "Warehouse clubs":       ("warehouse", "bulk", "club"),
    "Apparel retail":        ("wear", "apparel", "threads"),
    "Grocery retail":        ("grocer", "market", "pantry"),
    "Electronics retail":    ("gadgets", "electronics", "devices"),
    "Furniture retail":      ("furniture", "interiors", "living"),
    "Software publishing":   ("software", "apps", "suite"),
    "Cloud and hosting":     ("cloud", "hosting", "servers"),
    "Media streaming":       ("stream", "media", "channel"),
    "Telecommunications":    ("telecom", "mobile", "broadband"),
    "Commercial banking":    ("bank", "savings", "finance"),
    "Property insurance":    ("insurance", "cover", "mutual"),
    "Car manufacturing":     ("motors", "auto", "cars"),
    "Pharmaceuticals":       ("pharma", "biotech", "therapeutics"),
    "Medical instruments":   ("medtech", "surgical", "devices"),
    "Hospitals":             ("health", "clinic", "care"),
    "Hotels":                ("hotels", "stays", "resorts"),
    "Quick-service food":    ("burgers", "kitchen", "bowls"),
    "Airlines":              ("air", "airways", "flights"),
    "Freight forwarding":    ("freight", "logistics", "cargo"),
    "Industrial wholesale":  ("supply", "industrial", "tools"),
    "Management consulting": ("consulting", "advisors", "partners"),
    "Electricity supply":    ("energy", "power", "grid"),
}
# fmt: on


def simulate(company: Company) -> Competitors:
    """Return sites of the same industry and a similar size, under the reserved top-level domain `example`."""
    rng = company.rng("m05")
    domains = [f"{prefix}{suffix}.example" for prefix in PREFIXES for suffix in SUFFIXES[company.industry]]
    chosen = rng.sample([domain for domain in domains if domain != company.domain], k=rng.randint(5, 10))
    similarities = sorted((round(rng.uniform(0.35, 0.96), 2) for _ in chosen), reverse=True)
    return Competitors(
        competitors=tuple(
            Competitor(
                domain=domain,
                similarity=similarity,
                monthly_visits=round_significant(company.monthly_visits * math.exp(rng.uniform(-1, 1))),
                shared_keywords=round_significant(company.monthly_visits**0.6 * similarity),
            )
            for domain, similarity in zip(chosen, similarities, strict=True)
        )
    )
