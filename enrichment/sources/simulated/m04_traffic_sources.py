"""
Simulated traffic sources.
"""

from typing import Final

from enrichment.modules.answers import CountryShare, Referrer, TrafficSources
from enrichment.sources.simulated.company import Company, apportion
from enrichment.sources.simulated.places import COUNTRIES

REFERRERS: Final = ("coupons", "reviews", "compare", "directory", "forum", "news", "magazine", "partner-portal", "wiki")


def simulate(company: Company) -> TrafficSources:
    """Vary typical shares. Online shops have more paid visits; most visits come from the company's country."""
    rng = company.rng("m04")
    typical = (36, 34, 8, 6, 6, 5, 5) if company.sells_online else (40, 42, 2, 7, 5, 1, 3)
    tenths = apportion(1_000, [weight * rng.uniform(0.6, 1.6) for weight in typical])
    direct, organic, paid, referrals, social, display, mail = (count / 10 for count in tenths)

    abroad = rng.sample([code for code in COUNTRIES if code != company.country_code], k=5)
    countries = apportion(1_000, [rng.uniform(55, 90), *_falling(rng.uniform(4, 9), 5), 3])[:-1]
    referred = round(company.monthly_visits * referrals / 100)
    referrers = apportion(referred, [*_falling(rng.uniform(10, 30), 5), rng.uniform(20, 60)])[:-1]
    return TrafficSources(
        direct=direct,
        organic_search=organic,
        paid_search=paid,
        referrals=referrals,
        social=social,
        display_ads=display,
        mail=mail,
        top_referrers=tuple(
            Referrer(domain=f"{name}.example", share=round(100 * count / referred, 1))
            for name, count in zip(rng.sample(REFERRERS, k=5), referrers, strict=True)
        ),
        top_countries=tuple(
            CountryShare(country_code=code, share=count / 10)
            for code, count in zip([company.country_code, *abroad], countries, strict=True)
        ),
    )


def _falling(first: float, count: int) -> list[float]:
    """Return weights that fall by about a third each."""
    return [first * 0.65**place for place in range(count)]
