"""
Where the visitors of a company's site come from.
"""

from typing import Final

from enrichment.modules.answers import CountryShare, Referrer, TrafficSources
from enrichment.sources.simulated.company import COUNTRIES, Profile, shared_out

REFERRERS: Final = ("coupons", "reviews", "compare", "directory", "forum", "news", "magazine", "partner-portal", "wiki")


def simulate(profile: Profile) -> TrafficSources:
    """Shares around the usual; who sells online pays for more of the visits. Most come from the company's country."""
    chance = profile.random("m04")
    usual = (36, 34, 8, 6, 6, 5, 5) if profile.sells_online else (40, 42, 2, 7, 5, 1, 3)
    tenths = shared_out(1_000, [weight * chance.uniform(0.6, 1.6) for weight in usual])
    direct, organic, paid, referrals, social, display, mail = (count / 10 for count in tenths)

    abroad = chance.sample([code for code in COUNTRIES if code != profile.country_code], k=5)
    countries = shared_out(1_000, [chance.uniform(55, 90), *_falling(chance.uniform(4, 9), 5), 3])[:-1]
    referrers = shared_out(1_000, [*_falling(chance.uniform(10, 30), 5), chance.uniform(20, 60)])[:-1]
    return TrafficSources(
        direct=direct,
        organic_search=organic,
        paid_search=paid,
        referrals=referrals,
        social=social,
        display_ads=display,
        mail=mail,
        top_referrers=tuple(
            Referrer(domain=f"{name}.example", share=count / 10)
            for name, count in zip(chance.sample(REFERRERS, k=5), referrers, strict=True)
        ),
        top_countries=tuple(
            CountryShare(country_code=code, share=count / 10)
            for code, count in zip([profile.country_code, *abroad], countries, strict=True)
        ),
    )


def _falling(first: float, count: int) -> list[float]:
    """Each about two thirds of the one before."""
    return [first * 0.65**place for place in range(count)]
