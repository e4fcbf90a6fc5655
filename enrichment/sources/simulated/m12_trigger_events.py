"""
Simulated trigger events.
"""

from datetime import timedelta
from typing import Final

from enrichment.modules.answers import EventType, Impact, TriggerEvent, TriggerEvents
from enrichment.sources.simulated.company import REFERENCE_DATE, Company

# fmt: off
EVENTS: Final[tuple[tuple[EventType, Impact, str], ...]] = (
    ("funding",           "high",   "{name} closes a funding round"),
    ("acquisition",       "high",   "{name} acquires a smaller competitor"),
    ("acquisition",       "medium", "{name} takes over a technology supplier"),
    ("expansion",         "high",   "{name} enters another country's market"),
    ("expansion",         "medium", "{name} opens another location near {city}"),
    ("leadership_change", "high",   "{name} appoints a new chief executive"),
    ("leadership_change", "medium", "{name} appoints a new head of digital"),
    ("product_launch",    "medium", "{name} launches a new product line"),
    ("product_launch",    "medium", "{name} launches a mobile app"),
    ("restructuring",     "high",   "{name} announces a restructuring"),
    ("restructuring",     "medium", "{name} merges two business units"),
    ("earnings",          "medium", "{name} reports {change} annual revenue"),
    ("partnership",       "low",    "{name} announces a technology partnership"),
    ("partnership",       "low",    "{name} joins an industry alliance"),
)
# fmt: on


def simulate(company: Company) -> TriggerEvents:
    """Return events that are possible: only public companies report earnings, only private ones raise funding."""
    rng = company.rng("m12")
    impossible = "earnings" if company.ticker is None else "funding"
    possible = [row for row in EVENTS if row[0] != impossible]
    days = sorted(rng.sample(range(365), k=rng.randint(2, 6)))
    facts = {
        "name": company.name,
        "city": company.city,
        "change": "higher" if company.growth > 0 else "lower",
    }
    return TriggerEvents(
        events=tuple(
            TriggerEvent(
                type=kind,
                date=(REFERENCE_DATE - timedelta(days=ago)).isoformat(),
                headline=headline.format(**facts),
                impact=impact,
            )
            for ago, (kind, impact, headline) in zip(days, rng.sample(possible, k=len(days)), strict=True)
        )
    )
