"""
What a company's executives have said in public.
"""

from typing import Final

from enrichment.modules.answers import ExecQuotes
from enrichment.sources.simulated.company import Profile

NOTE: Final = (
    "A simulated source never invents quotes; the themes are what executives of this industry usually speak of."
)

MAKING: Final = ("supply chain", "automation", "product quality", "sustainability")
SELLING: Final = ("digital growth", "customer experience", "personalization", "store and online together")

# By the sector, a NAICS code's first two digits.
# fmt: off
THEMES: Final = {
    "22": ("energy transition", "grid investment", "regulation", "customer self-service"),
    "32": ("research pipeline", "market access", *MAKING[:2]),
    "33": MAKING,
    "42": ("digital ordering", "inventory", "supply chain", "margins"),
    "44": SELLING,
    "45": ("member loyalty", "value for money", *SELLING[:2]),
    "48": ("capacity", "fuel and energy costs", "on-time performance", "digital booking"),
    "51": ("artificial intelligence", "customer retention", "platform growth", "security"),
    "52": ("digital channels", "risk management", "artificial intelligence", "regulation"),
    "54": ("talent", "artificial intelligence", "client relationships"),
    "62": ("patient experience", "staffing", "digital health", "cost of care"),
    "72": ("guest loyalty", "digital ordering", "labor costs", "expansion"),
}
# fmt: on


def simulate(profile: Profile) -> ExecQuotes:
    """Topics only: nobody is credited with words that were never said."""
    themes = THEMES[profile.naics[:2]]
    return ExecQuotes(themes=tuple(profile.random("m11").sample(themes, k=3)), note=NOTE)
