"""
Simulated website traffic.
"""

from typing import Final

from enrichment.modules.answers import Traffic
from enrichment.sources.simulated.company import REFERENCE_DATE, Company

FIXED_ENGAGEMENT: Final = {"costco.com": (45.2, 3.2)}
"Bounce rate and pages per visit, by domain."


def simulate(company: Company) -> Traffic:
    """Return the company's visits. Those to online shops last longer, and more of them are mobile."""
    rng = company.rng("m03")
    visits, online = company.monthly_visits, company.sells_online
    bounce_rate = round(rng.uniform(30, 52) if online else rng.uniform(42, 70), 1)
    # A visit that bounces has one page, any other at least two.
    pages = round(1 + (1 - bounce_rate / 100) * (rng.uniform(3, 9) if online else rng.uniform(1.3, 5)), 1)
    bounce_rate, pages = FIXED_ENGAGEMENT.get(company.domain, (bounce_rate, pages))
    mobile = round(rng.uniform(48, 78) if online else rng.uniform(25, 60), 1)
    return Traffic(
        monthly_visits=visits,
        bounce_rate=bounce_rate,
        pages_per_visit=pages,
        unique_visitors=round(visits * rng.uniform(0.4, 0.7)),
        average_visit_duration_seconds=round(pages * rng.uniform(25, 60)),
        month=f"{REFERENCE_DATE:%Y-%m}",
        # A rough power law through rank 4,000 at 15 million visits a month. Without noise, so that ranks follow visits.
        global_rank=max(1, round(4_000 * (15_000_000 / visits) ** 0.95)),
        month_over_month_growth_percent=round(company.growth / 12 + rng.uniform(-8, 8), 1),
        desktop_share_percent=round(100 - mobile, 1),
        mobile_share_percent=mobile,
    )
