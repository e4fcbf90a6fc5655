"""
What has happened to a company lately that may make it buy.
"""

from datetime import timedelta
from typing import Final

from enrichment.modules.answers import Event, EventType, Impact, TriggerEvents
from enrichment.sources.simulated.company import REFERENCE, Profile

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


def simulate(profile: Profile) -> TriggerEvents:
    """A few events that can happen to such a company: shareholders are reported to, investors put money into others."""
    chance = profile.random("m12")
    impossible = "earnings" if profile.ticker is None else "funding"
    possible = [row for row in EVENTS if row[0] != impossible]
    days = sorted(chance.sample(range(365), k=chance.randint(2, 6)))
    facts = {
        "name": profile.name,
        "city": profile.city,
        "change": "higher" if profile.growth > 0 else "lower",
    }
    return TriggerEvents(
        events=tuple(
            Event(
                type=kind,
                date=(REFERENCE - timedelta(days=ago)).isoformat(),
                headline=headline.format(**facts),
                impact=impact,
            )
            for ago, (kind, impact, headline) in zip(days, chance.sample(possible, k=len(days)), strict=True)
        )
    )
