"""
Simulated website traffic.
"""

from typing import Final

from enrichment.modules.answers import Traffic
from enrichment.sources.simulated.company import COSTCO, REFERENCE_DATE, Company

COSTCO_ENGAGEMENT: Final = (45.2, 3.2)


def simulate(company: Company) -> Traffic:
    """Return the company's visits. Those to online shops last longer, and more of them are mobile."""
    rng = company.rng("m03")
    visits, online = company.monthly_visits, company.sells_online
    bounce_rate = round(rng.uniform(30, 52) if online else rng.uniform(42, 70), 1)
    pages = round(rng.uniform(2.8, 7.5) if online else rng.uniform(1.5, 4.0), 1)
    if company.domain == COSTCO.domain:
        bounce_rate, pages = COSTCO_ENGAGEMENT
    mobile = round(rng.uniform(48, 78) if online else rng.uniform(25, 60), 1)
    return Traffic(
        monthly_visits=visits,
        bounce_rate=bounce_rate,
        pages_per_visit=pages,
        unique_visitors=round(visits * rng.uniform(0.4, 0.7)),
        average_visit_duration_seconds=round(pages * rng.uniform(25, 60)),
        month=f"{REFERENCE_DATE:%Y-%m}",
        # A rough power law through rank 4,000 at 15 million visits a month.
        global_rank=round(4_000 * (15_000_000 / visits) ** 0.95 * rng.uniform(0.8, 1.25)),
        month_over_month_growth_percent=round(company.growth / 12 + rng.uniform(-8, 8), 1),
        desktop_share_percent=round(100 - mobile, 1),
        mobile_share_percent=mobile,
    )
