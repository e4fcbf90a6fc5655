"""
Simulated trigger events.
"""

import random
from datetime import date, timedelta
from typing import Final, NamedTuple

from enrichment.modules.answers import EventType, Impact, TriggerEvent, TriggerEvents
from enrichment.sources.simulated.company import REFERENCE_DATE, Company

YEAR: Final = [REFERENCE_DATE - timedelta(days=ago) for ago in range(1, 365)]
WEEKDAYS: Final = [day for day in YEAR if day.weekday() < 5]
"The days of the past year on which companies publish something."

EARNINGS_DAYS: Final = [
    day for day in WEEKDAYS if date(REFERENCE_DATE.year, 1, 20) <= day <= date(REFERENCE_DATE.year, 3, 20)
]
"When the figures of the last fiscal year, which ends in December, are published."

FUNDED_SINCE: Final = 2000
MAX_FUNDED: Final = 5_000  # employees; larger and older private companies do not raise venture capital


class EventKind(NamedTuple):
    """A kind of event, for companies with at least that number of employees."""

    type: EventType
    impact: Impact
    min_employees: int
    headline: str


# fmt: off
EVENTS: Final = tuple(EventKind(*row) for row in (
    ("funding",           "high",     5, "{name} closes a funding round"),
    ("acquisition",       "high",   200, "{name} acquires a smaller competitor"),
    ("acquisition",       "medium", 200, "{name} takes over a technology supplier"),
    ("expansion",         "high",    50, "{name} enters another country's market"),
    ("expansion",         "medium",  50, "{name} opens another location near {city}"),
    ("leadership_change", "high",    50, "{name} appoints a new chief executive"),
    ("leadership_change", "medium",  50, "{name} appoints a new head of digital"),
    ("product_launch",    "medium",   5, "{name} launches a new product line"),
    ("product_launch",    "medium",   5, "{name} launches a mobile app"),
    ("restructuring",     "high",   200, "{name} announces a restructuring"),
    ("restructuring",     "medium", 200, "{name} merges two business units"),
    ("earnings",          "medium",   5, "{name} reports {change} annual revenue"),
    ("partnership",       "low",      5, "{name} announces a technology partnership"),
    ("partnership",       "low",      5, "{name} joins an industry alliance"),
))
# fmt: on


def simulate(company: Company) -> TriggerEvents:
    """Return events that are possible for the company."""
    rng = company.rng("m12")
    possible = [kind for kind in EVENTS if _is_possible(kind, company)]
    kinds = rng.sample(possible, k=rng.randint(2, min(6, len(possible))))
    change = "higher" if company.growth > 0 else "lower" if company.growth < 0 else "unchanged"
    events = [
        TriggerEvent(
            type=kind.type,
            date=_day(kind, rng).isoformat(),
            headline=kind.headline.format(name=company.name, city=company.city, change=change),
            impact=kind.impact,
        )
        for kind in kinds
    ]
    return TriggerEvents(events=tuple(sorted(events, key=lambda event: event.date, reverse=True)))


def _is_possible(kind: EventKind, company: Company) -> bool:
    """Return whether the company can have such an event: only public ones report earnings, only young ones raise."""
    if kind.type == "earnings":
        return company.ticker is not None
    if kind.type == "funding":
        return company.ticker is None and company.employees < MAX_FUNDED and company.founded >= FUNDED_SINCE
    return company.employees >= kind.min_employees


def _day(kind: EventKind, rng: random.Random) -> date:
    return rng.choice(EARNINGS_DAYS if kind.type == "earnings" else WEEKDAYS)
