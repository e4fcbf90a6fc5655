"""
How many people visit a company's site, and how long they stay.
"""

from typing import Final

from enrichment.modules.answers import Traffic
from enrichment.sources.simulated.company import COSTCO, REFERENCE, Profile

COSTCO_ENGAGEMENT: Final = (45.2, 3.2)


def simulate(profile: Profile) -> Traffic:
    """The profile's visits; who sells online keeps people longer, and reaches more of them on their phones."""
    chance = profile.random("m03")
    visits, online = profile.monthly_visits, profile.sells_online
    bounce_rate = round(chance.uniform(30, 52) if online else chance.uniform(42, 70), 1)
    pages = round(chance.uniform(2.8, 7.5) if online else chance.uniform(1.5, 4.0), 1)
    if profile.domain == COSTCO.domain:
        bounce_rate, pages = COSTCO_ENGAGEMENT
    mobile = round(chance.uniform(48, 78) if online else chance.uniform(25, 60), 1)
    return Traffic(
        monthly_visits=visits,
        bounce_rate=bounce_rate,
        pages_per_visit=pages,
        unique_visitors=round(visits * chance.uniform(0.4, 0.7)),
        average_visit_duration_seconds=round(pages * chance.uniform(25, 60)),
        month=f"{REFERENCE:%Y-%m}",
        # About what a place in the world costs: rank 4,000 goes with 15 million visits a month.
        global_rank=round(4_000 * (15_000_000 / visits) ** 0.95 * chance.uniform(0.8, 1.25)),
        month_over_month_growth_percent=round(profile.growth / 12 + chance.uniform(-8, 8), 1),
        desktop_share_percent=round(100 - mobile, 1),
        mobile_share_percent=mobile,
    )
