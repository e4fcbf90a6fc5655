"""
Which other sites are after the same visitors.
"""

import math
from typing import Final

from enrichment.modules.answers import Competitor, Competitors
from enrichment.sources.simulated.company import Profile, rough

BEGINNINGS: Final = ("north", "blue", "prime", "true", "urban", "bright", "first", "open", "swift", "union")

# fmt: off
ENDINGS: Final = {
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


def simulate(profile: Profile) -> Competitors:
    """Sites of the same trade and about the same size, under a top-level domain where nobody can have a real one."""
    chance = profile.random("m05")
    domains = [f"{one}{other}.example" for one in BEGINNINGS for other in ENDINGS[profile.industry]]
    chosen = chance.sample([domain for domain in domains if domain != profile.domain], k=chance.randint(5, 10))
    similarities = sorted((round(chance.uniform(0.35, 0.96), 2) for _ in chosen), reverse=True)
    return Competitors(
        competitors=tuple(
            Competitor(
                domain=domain,
                similarity=similarity,
                monthly_visits=rough(profile.monthly_visits * math.exp(chance.uniform(-1, 1))),
                shared_keywords=rough(profile.monthly_visits**0.6 * similarity),
            )
            for domain, similarity in zip(chosen, similarities, strict=True)
        )
    )
