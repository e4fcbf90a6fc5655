"""
Simulated competitors.
"""

import functools
import math

from enrichment.modules.answers import Competitor, Competitors
from enrichment.sources.simulated import m06_keywords
from enrichment.sources.simulated.company import Company, company_of
from enrichment.sources.simulated.industries import COMPETITOR_SITES


def simulate(company: Company) -> Competitors:
    """Return the sites of the same industry with the most similar number of visits."""
    rng = company.rng("m05")
    sites = [site for site in _sites(company.industry) if site.domain != company.domain]
    chosen = sorted(sites, key=lambda site: _distance(company, site))[: rng.randint(5, 10)]
    similarities = sorted((round(rng.uniform(0.35, 0.96), 2) for _ in chosen), reverse=True)
    keywords = m06_keywords.total_keywords(company)
    return Competitors(
        competitors=tuple(
            Competitor(
                domain=site.domain,
                similarity=similarity,
                monthly_visits=site.monthly_visits,
                shared_keywords=round(
                    min(keywords, m06_keywords.total_keywords(site)) * similarity * rng.uniform(0.2, 0.8)
                ),
            )
            for site, similarity in zip(chosen, similarities, strict=True)
        )
    )


@functools.cache
def _sites(industry: str) -> list[Company]:
    return [company_of(domain) for domain, of_industry in COMPETITOR_SITES.items() if of_industry == industry]


def _distance(company: Company, site: Company) -> float:
    return abs(math.log(company.monthly_visits / site.monthly_visits))
