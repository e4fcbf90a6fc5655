"""
The companies that are invented: the same every time, each different, and no fact at odds with another.
"""

import re
import subprocess
import sys
from typing import Final

import msgspec
import pytest

from enrichment.domains import canonical_domain
from enrichment.modules.answers import AnalystRatings, StockInfo, revenue_range
from enrichment.modules.module import count_data_points
from enrichment.sources.simulated import (
    m01_company_context,
    m02_tech_stack,
    m03_traffic,
    m04_traffic_sources,
    m05_competitors,
    m06_keywords,
    m07_financials,
    m08_stock_info,
    m09_analyst_ratings,
    m10_hiring_signals,
    m11_exec_quotes,
    m12_trigger_events,
)
from enrichment.sources.simulated.company import (
    COSTCO,
    COUNTRIES,
    INDUSTRIES,
    REFERENCE,
    profile_of,
    rough,
    shared_out,
)
from enrichment.sources.simulated.source import SIMULATIONS
from tests.conftest import ROOT

SIMULATE: Final = {module_id[:3]: simulate for module_id, simulate in SIMULATIONS.items()}
DOMAINS: Final = [
    "costco.com",
    "getuniti.com",
    "mercedes-benz.com",
    "3m.com",
    "xn--bcher-kva.de",
    "xn--55qx5d.cn.com",
    "xn--r8jz45g.jp",
    "lead.example",
    f"{'a' * 63}.com",
    ".".join(["a" * 63] * 3) + "." + "b" * 57 + ".com",
    *(f"company{number}.{suffix}" for suffix in ("com", "co.uk", "com.mx", "io") for number in range(60)),
]
PROFILES: Final = [profile_of(domain) for domain in DOMAINS]
PUBLIC: Final = [profile for profile in PROFILES if profile.ticker]
PRIVATE: Final = [profile for profile in PROFILES if not profile.ticker]

ALL_ANSWERS: Final = """
import sys
from tests.test_simulated_answers import encoded
sys.stdout.buffer.write(b"\\n".join(encoded(domain) for domain in sys.argv[1:]))
"""


def encoded(domain: str) -> bytes:
    """All that is invented for a domain."""
    return msgspec.json.encode([profile_of(domain), [simulate(profile_of(domain)) for simulate in SIMULATE.values()]])


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_a_domains_answers_are_the_same_in_every_process(seed: str) -> None:
    domains = ["costco.com", "getuniti.com", "xn--bcher-kva.de", *DOMAINS[-9:]]
    done = subprocess.run(
        [sys.executable, "-c", ALL_ANSWERS, *domains],
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"\n".join(encoded(domain) for domain in domains)


def test_a_domains_answers_are_the_same_every_time() -> None:
    first = [encoded(domain) for domain in DOMAINS]
    profile_of.cache_clear()

    assert [encoded(domain) for domain in reversed(DOMAINS)] == first[::-1]


def test_companies_differ() -> None:
    facts = {(profile.industry, profile.employees, profile.revenue, profile.city) for profile in PROFILES}

    assert len(facts) == len(DOMAINS) > 200
    assert {profile.industry for profile in PROFILES} == set(INDUSTRIES)
    assert {profile.country_code for profile in PROFILES} <= set(COUNTRIES)
    assert len({profile.city for profile in PROFILES}) > 30


@pytest.mark.parametrize("module", SIMULATE)
def test_answers_differ_between_domains(module: str) -> None:
    answers = {msgspec.json.encode(SIMULATE[module](profile)) for profile in PUBLIC}

    assert len(answers) > len(PUBLIC) / 2


@pytest.mark.parametrize("module", SIMULATE)
def test_an_answer_survives_json_and_holds_no_date_after_the_datas_own(module: str) -> None:
    for profile in PROFILES:
        answer = SIMULATE[module](profile)
        text = msgspec.json.encode(answer)

        assert msgspec.json.decode(text, type=type(answer)) == answer
        assert not answer.simulated
        assert count_data_points(answer) > 0
        for day in re.findall(r'"(\d{4}-\d{2}(?:-\d{2})?)"', text.decode()):
            assert day <= REFERENCE.isoformat()


def test_costco_is_known() -> None:
    context = m01_company_context.simulate(COSTCO)
    stack = m02_tech_stack.simulate(COSTCO)
    traffic = m03_traffic.simulate(COSTCO)

    assert profile_of("costco.com") is COSTCO
    assert [context.company_name, context.founded, context.hq, context.employees] == [
        "Costco Wholesale",
        1983,
        "Issaquah, WA",
        289_000,
    ]
    assert [(technology.name, technology.category) for technology in stack.technologies] == [
        ("Adobe AEM", "CMS"),
        ("React", "Frontend"),
        ("Elasticsearch", "Search"),
    ]
    assert [traffic.monthly_visits, traffic.bounce_rate, traffic.pages_per_visit] == [15_000_000, 45.2, 3.2]


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("getuniti.com", "Getuniti"),
        ("mercedes-benz.com", "Mercedes-Benz"),
        ("blog.getuniti.co.uk", "Getuniti"),
        ("3m.com", "3m"),
        ("xn--bcher-kva.de", "Bücher"),
        ("xn--55qx5d.com", "公司"),
        ("xn--a.com", "Xn--A"),
        ("www.com", "Www"),
    ],
)
def test_a_company_is_called_what_somebody_registered(domain: str, name: str) -> None:
    assert profile_of(domain).name == name


@pytest.mark.parametrize(
    ("domain", "country"), [("chevrolet.com.mx", "Mexico"), ("a.co.uk", "United Kingdom"), ("b.de", "Germany")]
)
def test_a_countrys_domain_sits_there(domain: str, country: str) -> None:
    assert profile_of(domain).country == country


def test_profiles_are_plausible() -> None:
    for profile in PROFILES:
        assert canonical_domain(profile.domain) == profile.domain
        assert 5 <= profile.employees <= 289_000
        assert 1900 <= profile.founded <= 2022
        assert 30_000 <= profile.revenue / profile.employees <= 1_500_000
        assert INDUSTRIES[profile.industry].naics == profile.naics
        assert COUNTRIES[profile.country_code].name == profile.country
        assert profile.monthly_visits > 0
        assert (profile.ticker is None) == (profile.exchange is None)
        if profile.ticker:
            assert re.fullmatch(r"[A-Z]{3,4}", profile.ticker)
            assert profile.employees >= 500
    assert len(PUBLIC) > 20
    assert len(PRIVATE) > 100
    assert any(len(profile.name) > 60 for profile in PROFILES)


def test_a_name_without_latin_letters_has_a_ticker_all_the_same() -> None:
    """Whether it is listed is chance; of many, some are."""
    tickers = [profile_of(f"xn--55qx5d.company{number}.xn--55qx5d.com").ticker for number in range(40)]
    letters = [ticker for ticker in tickers if ticker]

    assert letters
    assert all(re.fullmatch(r"[A-Z]{4}", ticker) for ticker in letters)


def test_modules_tell_of_the_same_company() -> None:
    for profile in PROFILES:
        context = m01_company_context.simulate(profile)
        financials = m07_financials.simulate(profile)
        stock = m08_stock_info.simulate(profile)
        ratings = m09_analyst_ratings.simulate(profile)

        assert count_data_points(context) == 10
        assert context.employees == profile.employees
        assert financials.revenue == profile.revenue
        assert context.revenue_range == revenue_range(financials.revenue)
        assert (context.company_type == "public") is financials.is_public is stock.is_listed is ratings.has_coverage
        assert financials.basis == ("reported" if profile.ticker else "estimated")


@pytest.mark.parametrize(
    ("revenue", "band"),
    [
        (0, "$0-$1M"),
        (999_999, "$0-$1M"),
        (1_000_000, "$1M-$10M"),
        (249_999_999.5, "$100M-$250M"),
        (250_000_000, "$250M-$500M"),
        (275_000_000_000, "$10B+"),
    ],
)
def test_a_bands_lower_end_belongs_to_it(revenue: float, band: str) -> None:
    assert revenue_range(revenue) == band


def test_a_headquarters_is_told_as_people_write_it() -> None:
    for profile in PROFILES:
        hq = m01_company_context.simulate(profile).hq
        assert hq == f"{profile.city}, {profile.region if profile.country == 'United States' else profile.country}"


def test_technologies_fit_the_company() -> None:
    sizes = {}
    for profile in PROFILES[1:]:
        technologies = m02_tech_stack.simulate(profile).technologies
        categories = [technology.category for technology in technologies]

        assert 8 <= len(technologies) <= 25
        assert len(set(categories)) == len(categories)
        assert ("Ecommerce" in categories) is ("Payments" in categories) is profile.sells_online
        sizes[profile.employees] = len(technologies)
    small = [count for employees, count in sizes.items() if employees < 100]
    large = [count for employees, count in sizes.items() if employees > 10_000]
    assert sum(small) / len(small) < sum(large) / len(large)


def test_there_is_a_choice_of_products() -> None:
    tables = (m02_tech_stack.CORE, m02_tech_stack.SHOP, m02_tech_stack.EXTRA)
    products = {
        product for table in tables for column in table.values() for names in column for product in names.split(", ")
    }

    assert len(products) >= 90
    assert all(product == product.strip() != "" for product in products)


def test_traffic_is_possible() -> None:
    for profile in PROFILES:
        traffic = m03_traffic.simulate(profile)

        assert traffic.monthly_visits == profile.monthly_visits
        assert 1 < (traffic.bounce_rate or 0) < 100
        assert 1 <= (traffic.pages_per_visit or 0) < 10
        assert 0 < (traffic.unique_visitors or 0) <= profile.monthly_visits
        assert (traffic.average_visit_duration_seconds or 0) > 0
        assert (traffic.global_rank or 0) >= 1
        assert (traffic.desktop_share_percent or 0) + (traffic.mobile_share_percent or 0) == pytest.approx(100)


def test_shares_of_traffic_sum_to_a_hundred() -> None:
    for profile in PROFILES:
        sources = m04_traffic_sources.simulate(profile)
        channels = [
            sources.direct,
            sources.organic_search,
            sources.paid_search,
            sources.referrals,
            sources.social,
            sources.display_ads,
            sources.mail,
        ]
        countries = [country.share for country in sources.top_countries]
        referrers = [referrer.share for referrer in sources.top_referrers]

        assert sum(round((share or 0) * 10) for share in channels) == 1_000
        assert all(share == round(share, 1) >= 0 for share in channels if share is not None)
        assert sources.top_countries[0].country_code == profile.country_code
        for shares in (countries, referrers):
            assert shares == sorted(shares, reverse=True)
            assert 0 < sum(shares) <= 100
        assert all(referrer.domain.endswith(".example") for referrer in sources.top_referrers)


def test_competitors_are_plainly_invented() -> None:
    for profile in PROFILES:
        competitors = m05_competitors.simulate(profile).competitors
        similarities = [competitor.similarity for competitor in competitors]

        assert len({competitor.domain for competitor in competitors}) == len(competitors) >= 5
        for competitor in competitors:
            assert competitor.domain.endswith(".example")
            assert canonical_domain(competitor.domain) == competitor.domain != profile.domain
        assert similarities == sorted(similarities, reverse=True)
        assert 0 < similarities[-1] <= similarities[0] <= 1


def test_keywords_bring_no_more_than_all_visits() -> None:
    for profile in PROFILES:
        answer = m06_keywords.simulate(profile)
        shares = [keyword.traffic_share_percent or 0 for keyword in answer.keywords]

        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) < 100
        assert (
            len({keyword.keyword for keyword in answer.keywords})
            == len(answer.keywords)
            <= (answer.total_keywords or 0)
        )
        assert (answer.branded_keywords or 0) + (answer.paid_keywords or 0) <= (answer.total_keywords or 0)
        for keyword in answer.keywords:
            assert keyword.branded is (profile.name.lower() in keyword.keyword)
            assert (keyword.volume or 0) >= 10
            assert 1 <= (keyword.position or 0) <= 100
            assert (keyword.cpc or 0) > 0


def test_a_private_company_has_neither_margins_nor_shares_nor_analysts() -> None:
    for profile in PRIVATE:
        financials = m07_financials.simulate(profile)

        assert count_data_points(financials) == 6
        assert financials.net_margin_percent is financials.gross_margin_percent is financials.net_income is None
        assert m08_stock_info.simulate(profile) == StockInfo(is_listed=False)
        assert m09_analyst_ratings.simulate(profile) == AnalystRatings(has_coverage=False)


def test_a_public_companys_margins_are_in_order() -> None:
    for profile in PUBLIC:
        financials = m07_financials.simulate(profile)
        gross, operating, net, income = (
            financials.gross_margin_percent,
            financials.operating_margin_percent,
            financials.net_margin_percent,
            financials.net_income,
        )
        assert gross is not None
        assert operating is not None
        assert net is not None
        assert income is not None
        assert 100 > gross > operating > net > -100
        assert income / profile.revenue * 100 == pytest.approx(net, abs=0.01)
        years = [year.fiscal_year for year in financials.revenue_by_year]
        assert years == [REFERENCE.year - 3, REFERENCE.year - 2, financials.fiscal_year]
        before, last = (year.revenue for year in financials.revenue_by_year[1:])
        assert last == profile.revenue
        assert (last / before - 1) * 100 == pytest.approx(financials.revenue_growth_percent, abs=1)


def test_a_public_companys_share_has_a_price_within_the_years() -> None:
    for profile in PUBLIC:
        stock = m08_stock_info.simulate(profile)
        assert stock.price is not None
        assert stock.market_cap is not None
        assert stock.shares_outstanding is not None
        assert [stock.symbol, stock.exchange] == [profile.ticker, profile.exchange]
        assert 0 < (stock.fifty_two_week_low or 0) <= stock.price <= (stock.fifty_two_week_high or 0)
        assert stock.market_cap == pytest.approx(stock.price * stock.shares_outstanding, abs=1)
        assert 0 <= (stock.dividend_yield_percent or 0) < 10
        made_money = (m07_financials.simulate(profile).net_income or 0) > 0
        assert (stock.trailing_pe is not None) is made_money


def test_analysts_add_up_and_speak_of_the_same_price() -> None:
    for profile in PUBLIC:
        ratings = m09_analyst_ratings.simulate(profile)
        price = m08_stock_info.simulate(profile).price or 0
        counts = [ratings.strong_buy, ratings.buy, ratings.hold, ratings.sell, ratings.strong_sell]

        assert sum(count or 0 for count in counts) == ratings.analysts
        assert (ratings.analysts or 0) >= 2
        mean = ratings.recommendation_mean or 0
        assert 1 <= mean <= 5
        assert m09_analyst_ratings.RECOMMENDATIONS.index(ratings.recommendation or "sell") + 1 == round(mean)
        assert (ratings.target_low or 0) < (ratings.target_mean or 0) < (ratings.target_high or 0)
        assert 0.7 * price < (ratings.target_mean or 0) < 1.3 * price


def test_open_roles_add_up_and_ask_for_what_is_in_use() -> None:
    for profile in PROFILES:
        hiring = m10_hiring_signals.simulate(profile)
        in_use = {technology.name for technology in m02_tech_stack.simulate(profile).technologies}
        roles = hiring.open_roles or 0
        by_department = [department.open_roles for department in hiring.roles_by_department]

        assert sum(by_department) == roles < profile.employees
        assert by_department == sorted(by_department, reverse=True)
        assert 0 <= (hiring.senior_roles or 0) <= roles
        assert 0 <= (hiring.posted_last_30_days or 0) <= roles
        assert (hiring.remote_share_percent is None) is (roles == 0)
        assert 0 <= (hiring.remote_share_percent or 0) <= 100
        assert bool(in_use & set(hiring.technologies_mentioned)) is (roles > 0)


def test_nobody_is_quoted() -> None:
    for profile in PROFILES:
        answer = m11_exec_quotes.simulate(profile)

        assert answer.quotes == ()
        assert len(set(answer.themes)) == 3
        assert answer.note == m11_exec_quotes.NOTE


def test_events_are_of_the_year_before_and_could_have_happened() -> None:
    for profile in PROFILES:
        events = m12_trigger_events.simulate(profile).events
        days = [event.date for event in events]

        assert 2 <= len(events) <= 6
        assert days == sorted(days, reverse=True)
        assert min(days) > REFERENCE.replace(year=REFERENCE.year - 1).isoformat()
        assert len({event.headline for event in events}) == len(events)
        for event in events:
            assert event.headline.startswith(profile.name)
            assert event.type != ("funding" if profile.ticker else "earnings")


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [(10, [1, 1, 1], [4, 3, 3]), (1_000, [2, 1], [667, 333]), (0, [1, 5], [0, 0]), (3, [0, 1], [0, 3])],
)
def test_what_is_shared_out_is_all_there_is(total: int, weights: list[float], shares: list[int]) -> None:
    assert shared_out(total, weights) == shares


@pytest.mark.parametrize(
    ("number", "told"), [(5.9, 5), (0.3, 0), (999.9, 999), (1_234.5, 1_230), (87_654_321, 87_700_000)]
)
def test_estimates_have_three_digits(number: float, told: int) -> None:
    assert rough(number) == told
