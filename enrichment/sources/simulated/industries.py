"""
The industries of simulated companies: their typical figures, and the websites of invented competitors.
"""

from typing import Final, NamedTuple


class IndustryNorms(NamedTuple):
    """
    The typical figures of an industry.

    Revenue per employee is in US dollars a year; `online` is the share of companies that sell online, from 0 to 1;
    `since` is the year from which companies have been founded; the ranges are in percent.
    """

    name: str
    naics: str
    revenue_per_employee: int
    online: float
    since: int
    growth: tuple[float, float]
    gross_margin: tuple[float, float]
    net_margin: tuple[float, float]


# fmt: off
INDUSTRIES: Final = {row[0]: IndustryNorms(*row) for row in (
    # name                         NAICS     revenue  online since growth     gross     net margin
    ("Warehouse clubs",             "455211", 850_000, 1.00, 1954, (2, 9),    (11, 14), (2, 3.2)),
    ("General merchandise retail",  "455211", 330_000, 0.95, 1900, (-2, 7),   (23, 28), (1, 4)),
    ("Department stores",           "455110", 240_000, 0.95, 1900, (-5, 5),   (27, 38), (-1, 5)),
    ("Apparel retail",              "458110", 220_000, 0.95, 1900, (-6, 12),  (38, 58), (-2, 11)),
    ("Grocery retail",              "445110", 260_000, 0.70, 1900, (-1, 6),   (22, 30), (0.5, 3.5)),
    ("Electronics retail",          "449210", 420_000, 0.95, 1950, (-5, 10),  (18, 28), (0.3, 4)),
    ("Furniture retail",            "449110", 280_000, 0.90, 1900, (-8, 9),   (35, 48), (-2, 7)),
    ("Software publishing",         "513210", 260_000, 0.25, 1975, (3, 38),   (66, 86), (-15, 26)),
    ("Cloud and hosting",           "518210", 310_000, 0.30, 1994, (4, 30),   (45, 65), (-8, 20)),
    ("Media streaming",             "516210", 700_000, 0.70, 1996, (2, 25),   (35, 55), (-6, 20)),
    ("Telecommunications",          "517111", 400_000, 0.60, 1900, (-3, 6),   (48, 62), (4, 15)),
    ("Commercial banking",          "522110", 390_000, 0.20, 1900, (-2, 9),   (55, 70), (12, 28)),
    ("Property insurance",          "524126", 650_000, 0.35, 1900, (0, 12),   (22, 38), (3, 13)),
    ("Car manufacturing",           "336110", 620_000, 0.15, 1900, (-6, 12),  (13, 22), (1, 8)),
    ("Pharmaceuticals",             "325412", 520_000, 0.05, 1900, (-4, 16),  (60, 78), (8, 26)),
    ("Medical instruments",         "339112", 330_000, 0.15, 1900, (1, 14),   (52, 68), (5, 20)),
    ("Hospitals",                   "622110", 150_000, 0.05, 1900, (1, 8),    (28, 42), (-2, 7)),
    ("Hotels",                      "721110", 110_000, 0.85, 1900, (-4, 14),  (30, 45), (2, 14)),
    ("Quick-service food",          "722513",  75_000, 0.75, 1945, (-3, 12),  (22, 38), (1, 12)),
    ("Airlines",                    "481111", 420_000, 0.95, 1920, (-5, 14),  (18, 30), (-4, 8)),
    ("Freight forwarding",          "488510", 330_000, 0.10, 1900, (-9, 15),  (14, 24), (1, 6)),
    ("Industrial wholesale",        "423840", 560_000, 0.60, 1900, (-4, 10),  (24, 36), (3, 12)),
    ("Management consulting",       "541611", 180_000, 0.03, 1925, (-2, 14),  (30, 42), (5, 15)),
    ("Electricity supply",          "221122", 850_000, 0.10, 1900, (-2, 7),   (35, 48), (8, 16)),
)}

SITE_WORDS: Final = {
    "Warehouse clubs":            ("warehouse", "bulk", "club"),
    "General merchandise retail": ("store", "bazaar", "goods"),
    "Department stores":          ("gallery", "arcade", "mall"),
    "Apparel retail":             ("wear", "apparel", "threads"),
    "Grocery retail":             ("grocer", "market", "pantry"),
    "Electronics retail":         ("gadgets", "electronics", "gear"),
    "Furniture retail":           ("furniture", "interiors", "living"),
    "Software publishing":        ("software", "apps", "suite"),
    "Cloud and hosting":          ("cloud", "hosting", "servers"),
    "Media streaming":            ("stream", "media", "channel"),
    "Telecommunications":         ("telecom", "mobile", "broadband"),
    "Commercial banking":         ("bank", "savings", "finance"),
    "Property insurance":         ("insurance", "cover", "mutual"),
    "Car manufacturing":          ("motors", "auto", "cars"),
    "Pharmaceuticals":            ("pharma", "biotech", "therapeutics"),
    "Medical instruments":        ("medtech", "surgical", "devices"),
    "Hospitals":                  ("health", "clinic", "care"),
    "Hotels":                     ("hotels", "stays", "resorts"),
    "Quick-service food":         ("burgers", "kitchen", "bowls"),
    "Airlines":                   ("air", "airways", "flights"),
    "Freight forwarding":         ("freight", "logistics", "cargo"),
    "Industrial wholesale":       ("supply", "industrial", "tools"),
    "Management consulting":      ("consulting", "advisors", "partners"),
    "Electricity supply":         ("energy", "power", "grid"),
}
# fmt: on

SITE_PREFIXES: Final = ("north", "blue", "prime", "true", "urban", "bright", "first", "open", "swift", "union")

COMPETITOR_SITES: Final = {
    f"{prefix}{word}.example": industry
    for industry, words in SITE_WORDS.items()
    for word in words
    for prefix in SITE_PREFIXES
}
"The industry of each invented competitor, by its domain, which is under the reserved top-level domain `example`."
