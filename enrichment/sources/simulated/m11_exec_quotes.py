"""
Simulated executive themes, and a quote that is marked as invented.
"""

from typing import Final

from enrichment.modules.answers import ExecQuotes, Quote
from enrichment.sources.simulated.company import Company
from enrichment.sources.simulated.m12_trigger_events import WEEKDAYS

NOTE: Final = (
    "The quote is invented, to show the shape of a real one: nobody said it, and its page does not exist. "
    "The themes are typical of executives in this industry."
)

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
    """Return three themes, and an invented quote about the first, by a role: never by a person."""
    rng = company.rng("m11")
    themes = rng.sample(THEMES[company.naics[:2]], k=3)
    quote = Quote(
        quote=f"This is an invented quote: our priority for the coming year is {themes[0]}.",
        speaker="Chief executive (invented)",
        speaker_title="Chief executive",
        said_on=rng.choice(WEEKDAYS).isoformat(),
        url=f"https://invented-quotes.example/{company.domain}",
        theme=themes[0],
    )
    return ExecQuotes(quotes=(quote,), themes=tuple(themes), note=NOTE)
