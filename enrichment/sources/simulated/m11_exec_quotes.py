"""
Simulated executive themes, without quotes.
"""

from typing import Final

from enrichment.modules.answers import ExecQuotes
from enrichment.sources.simulated.company import Company

NOTE: Final = "Simulated sources never invent quotes; the themes are typical of executives in this industry."

MANUFACTURING: Final = ("supply chain", "automation", "product quality", "sustainability")
RETAIL: Final = ("digital growth", "customer experience", "personalization", "store and online together")

# By sector, the first two digits of the NAICS code.
# fmt: off
THEMES: Final = {
    "22": ("energy transition", "grid investment", "regulation", "customer self-service"),
    "32": ("research pipeline", "market access", *MANUFACTURING[:2]),
    "33": MANUFACTURING,
    "42": ("digital ordering", "inventory", "supply chain", "margins"),
    "44": RETAIL,
    "45": ("member loyalty", "value for money", *RETAIL[:2]),
    "48": ("capacity", "fuel and energy costs", "on-time performance", "digital booking"),
    "51": ("artificial intelligence", "customer retention", "platform growth", "security"),
    "52": ("digital channels", "risk management", "artificial intelligence", "regulation"),
    "54": ("talent", "artificial intelligence", "client relationships"),
    "62": ("patient experience", "staffing", "digital health", "cost of care"),
    "72": ("guest loyalty", "digital ordering", "labor costs", "expansion"),
}
# fmt: on


def simulate(company: Company) -> ExecQuotes:
    """Return themes only, as a quote must never be invented."""
    themes = THEMES[company.naics[:2]]
    return ExecQuotes(themes=tuple(company.rng("m11").sample(themes, k=3)), note=NOTE)
