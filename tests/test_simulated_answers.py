"""
The simulated companies: deterministic, different from each other, and consistent in all their answers.
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
    REFERENCE_DATE,
    apportion,
    company_of,
    round_significant,
)
from enrichment.sources.simulated.source import SIMULATIONS
from tests.conftest import ROOT
from tests.subjects import all_answers

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
COMPANIES: Final = [company_of(domain) for domain in DOMAINS]
PUBLIC: Final = [company for company in COMPANIES if company.ticker]
PRIVATE: Final = [company for company in COMPANIES if not company.ticker]

PRINT_ANSWERS: Final = """
import sys
from tests.test_simulated_answers import encoded
sys.stdout.buffer.write(b"\\n".join(encoded(domain) for domain in sys.argv[1:]))
"""


def encoded(domain: str) -> bytes:
    """Return the company and its 15 answers as JSON."""
    return msgspec.json.encode([company_of(domain), all_answers(domain)])


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_answers_depend_on_nothing_but_the_domain(seed: str) -> None:
    """Another process, with another hash seed and the domains in reverse order, returns the same bytes."""
    domains = ["costco.com", "getuniti.com", "xn--bcher-kva.de", *DOMAINS[-9:]]
    done = subprocess.run(
        [sys.executable, "-c", PRINT_ANSWERS, *reversed(domains)],
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )

    assert done.stdout.split(b"\n") == [encoded(domain) for domain in reversed(domains)]


def test_companies_differ_in_their_facts() -> None:
    facts = {(company.industry, company.employees, company.revenue, company.city) for company in COMPANIES}

    assert len(facts) == len(DOMAINS) > 200
    assert {company.industry for company in COMPANIES} == set(INDUSTRIES)
    assert {company.country_code for company in COMPANIES} <= set(COUNTRIES)
    assert len({company.city for company in COMPANIES}) > 30


@pytest.mark.parametrize("module", SIMULATE)
def test_answers_differ_between_domains(module: str) -> None:
    answers = {msgspec.json.encode(SIMULATE[module](company)) for company in PUBLIC}

    assert len(answers) > len(PUBLIC) / 2


@pytest.mark.parametrize("module", SIMULATE)
def test_an_answer_round_trips_through_json_and_has_no_date_after_the_reference_date(module: str) -> None:
    for company in COMPANIES:
        answer = SIMULATE[module](company)
        text = msgspec.json.encode(answer)

        assert msgspec.json.decode(text, type=type(answer)) == answer
        assert not answer.simulated
        assert count_data_points(answer) > 0
        for day in re.findall(r'"(\d{4}-\d{2}(?:-\d{2})?)"', text.decode()):
            assert day <= REFERENCE_DATE.isoformat()


def test_costco_has_fixed_facts() -> None:
    context = m01_company_context.simulate(COSTCO)
    stack = m02_tech_stack.simulate(COSTCO)
    traffic = m03_traffic.simulate(COSTCO)

    assert company_of("costco.com") is COSTCO
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
def test_the_name_is_the_registered_label_of_the_domain(domain: str, name: str) -> None:
    assert company_of(domain).name == name


@pytest.mark.parametrize(
    ("domain", "country"), [("chevrolet.com.mx", "Mexico"), ("a.co.uk", "United Kingdom"), ("b.de", "Germany")]
)
def test_a_country_code_domain_gives_the_country(domain: str, country: str) -> None:
    assert company_of(domain).country == country


def test_companies_are_plausible() -> None:
    for company in COMPANIES:
        assert canonical_domain(company.domain) == company.domain
        assert 5 <= company.employees <= 289_000
        assert 1900 <= company.founded <= 2022
        assert 30_000 <= company.revenue / company.employees <= 1_500_000
        assert INDUSTRIES[company.industry].naics == company.naics
        assert COUNTRIES[company.country_code].country == company.country
        assert company.monthly_visits > 0
        assert (company.ticker is None) == (company.exchange is None)
        if company.ticker:
            assert re.fullmatch(r"[A-Z]{3,4}", company.ticker)
            assert company.employees >= 500
    assert len(PUBLIC) > 20
    assert len(PRIVATE) > 100
    assert any(len(company.name) > 60 for company in COMPANIES)


def test_a_name_without_latin_letters_gets_a_random_ticker() -> None:
    """Whether a company is listed is random, so many are tried."""
    tickers = [company_of(f"{number}.com").ticker for number in range(10, 99)]
    letters = [ticker for ticker in tickers if ticker]

    assert letters
    assert all(re.fullmatch(r"[A-Z]{4}", ticker) for ticker in letters)


def test_answers_agree_on_the_facts_of_the_company() -> None:
    for company in COMPANIES:
        context = m01_company_context.simulate(company)
        financials = m07_financials.simulate(company)
        stock = m08_stock_info.simulate(company)
        ratings = m09_analyst_ratings.simulate(company)

        assert count_data_points(context) == 10
        assert context.employees == company.employees
        assert financials.revenue == company.revenue
        assert context.revenue_range == revenue_range(financials.revenue)
        assert (context.company_type == "public") is financials.is_public is stock.is_listed is ratings.has_coverage
        assert financials.basis == ("reported" if company.ticker else "estimated")


@pytest.mark.parametrize(
    ("revenue", "expected"),
    [
        (0, "$0-$1M"),
        (999_999, "$0-$1M"),
        (1_000_000, "$1M-$10M"),
        (249_999_999.5, "$100M-$250M"),
        (250_000_000, "$250M-$500M"),
        (275_000_000_000, "$10B+"),
    ],
)
def test_the_lower_bound_of_a_revenue_range_is_inclusive(revenue: float, expected: str) -> None:
    assert revenue_range(revenue) == expected


def test_a_headquarters_is_city_and_state_in_the_us_and_city_and_country_elsewhere() -> None:
    for company in COMPANIES:
        hq = m01_company_context.simulate(company).hq
        assert hq == f"{company.city}, {company.region if company.country == 'United States' else company.country}"


def test_technologies_fit_the_size_and_kind_of_company() -> None:
    sizes = {}
    for company in COMPANIES[1:]:
        technologies = m02_tech_stack.simulate(company).technologies
        categories = [technology.category for technology in technologies]

        assert 8 <= len(technologies) <= 25
        assert len(set(categories)) == len(categories)
        assert ("Ecommerce" in categories) is ("Payments" in categories) is company.sells_online
        sizes[company.employees] = len(technologies)
    small = [count for employees, count in sizes.items() if employees < 100]
    large = [count for employees, count in sizes.items() if employees > 10_000]
    assert sum(small) / len(small) < sum(large) / len(large)


def test_there_are_enough_products_to_choose_from() -> None:
    tables = (m02_tech_stack.CORE, m02_tech_stack.SHOP, m02_tech_stack.EXTRA)
    products = {
        product for table in tables for column in table.values() for names in column for product in names.split(", ")
    }

    assert len(products) >= 90
    assert all(product == product.strip() != "" for product in products)


def test_traffic_is_within_bounds() -> None:
    for company in COMPANIES:
        traffic = m03_traffic.simulate(company)

        assert traffic.monthly_visits == company.monthly_visits
        assert 1 < (traffic.bounce_rate or 0) < 100
        assert 1 <= (traffic.pages_per_visit or 0) < 10
        assert 0 < (traffic.unique_visitors or 0) <= company.monthly_visits
        assert (traffic.average_visit_duration_seconds or 0) > 0
        assert (traffic.global_rank or 0) >= 1
        assert (traffic.desktop_share_percent or 0) + (traffic.mobile_share_percent or 0) == pytest.approx(100)


def test_channel_shares_sum_to_100() -> None:
    for company in COMPANIES:
        sources = m04_traffic_sources.simulate(company)
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
        assert sources.top_countries[0].country_code == company.country_code
        for shares in (countries, referrers):
            assert shares == sorted(shares, reverse=True)
            assert 0 < sum(shares) <= 100
        assert all(referrer.domain.endswith(".example") for referrer in sources.top_referrers)


def test_competitors_have_reserved_domains_and_are_sorted_by_similarity() -> None:
    for company in COMPANIES:
        competitors = m05_competitors.simulate(company).competitors
        similarities = [competitor.similarity for competitor in competitors]

        assert len({competitor.domain for competitor in competitors}) == len(competitors) >= 5
        for competitor in competitors:
            assert competitor.domain.endswith(".example")
            assert canonical_domain(competitor.domain) == competitor.domain != company.domain
        assert similarities == sorted(similarities, reverse=True)
        assert 0 < similarities[-1] <= similarities[0] <= 1


def test_keywords_are_sorted_by_share_and_counted() -> None:
    for company in COMPANIES:
        answer = m06_keywords.simulate(company)
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
            assert keyword.branded is (company.name.lower() in keyword.keyword)
            assert (keyword.volume or 0) >= 10
            assert 1 <= (keyword.position or 0) <= 100
            assert (keyword.cpc or 0) > 0


def test_a_private_company_has_no_margins_stock_or_ratings() -> None:
    for company in PRIVATE:
        financials = m07_financials.simulate(company)

        assert count_data_points(financials) == 6
        assert financials.net_margin_percent is financials.gross_margin_percent is financials.net_income is None
        assert m08_stock_info.simulate(company) == StockInfo(is_listed=False)
        assert m09_analyst_ratings.simulate(company) == AnalystRatings(has_coverage=False)


def test_financials_of_a_public_company_are_consistent() -> None:
    for company in PUBLIC:
        financials = m07_financials.simulate(company)
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
        assert income / company.revenue * 100 == pytest.approx(net, abs=0.01)
        years = [year.fiscal_year for year in financials.revenue_by_year]
        assert years == [REFERENCE_DATE.year - 3, REFERENCE_DATE.year - 2, financials.fiscal_year]
        before, last = (year.revenue for year in financials.revenue_by_year[1:])
        assert last == company.revenue
        assert (last / before - 1) * 100 == pytest.approx(financials.revenue_growth_percent, abs=1)


def test_the_stock_of_a_public_company_is_consistent() -> None:
    for company in PUBLIC:
        stock = m08_stock_info.simulate(company)
        assert stock.price is not None
        assert stock.market_cap is not None
        assert stock.shares_outstanding is not None
        assert [stock.symbol, stock.exchange] == [company.ticker, company.exchange]
        assert 0 < (stock.fifty_two_week_low or 0) <= stock.price <= (stock.fifty_two_week_high or 0)
        assert stock.market_cap == pytest.approx(stock.price * stock.shares_outstanding, abs=1)
        assert 0 <= (stock.dividend_yield_percent or 0) < 10
        made_money = (m07_financials.simulate(company).net_income or 0) > 0
        assert (stock.trailing_pe is not None) is made_money


def test_analyst_ratings_add_up_and_match_the_stock_price() -> None:
    for company in PUBLIC:
        ratings = m09_analyst_ratings.simulate(company)
        price = m08_stock_info.simulate(company).price or 0
        counts = [ratings.strong_buy, ratings.buy, ratings.hold, ratings.sell, ratings.strong_sell]

        assert sum(count or 0 for count in counts) == ratings.analysts
        assert (ratings.analysts or 0) >= 2
        mean = ratings.recommendation_mean or 0
        assert 1 <= mean <= 5
        assert m09_analyst_ratings.RECOMMENDATIONS.index(ratings.recommendation or "sell") + 1 == round(mean)
        assert (ratings.target_low or 0) < (ratings.target_mean or 0) < (ratings.target_high or 0)
        assert 0.7 * price < (ratings.target_mean or 0) < 1.3 * price


def test_open_roles_add_up_and_mention_technologies_in_use() -> None:
    for company in COMPANIES:
        hiring = m10_hiring_signals.simulate(company)
        in_use = {technology.name for technology in m02_tech_stack.simulate(company).technologies}
        roles = hiring.open_roles or 0
        by_department = [department.open_roles for department in hiring.roles_by_department]

        assert sum(by_department) == roles < company.employees
        assert by_department == sorted(by_department, reverse=True)
        assert 0 <= (hiring.senior_roles or 0) <= roles
        assert 0 <= (hiring.posted_last_30_days or 0) <= roles
        assert (hiring.remote_share_percent is None) is (roles == 0)
        assert 0 <= (hiring.remote_share_percent or 0) <= 100
        assert bool(in_use & set(hiring.technologies_mentioned)) is (roles > 0)


def test_quotes_are_never_simulated() -> None:
    for company in COMPANIES:
        answer = m11_exec_quotes.simulate(company)

        assert answer.quotes == ()
        assert len(set(answer.themes)) == 3
        assert answer.note == m11_exec_quotes.NOTE


def test_events_are_of_the_past_year_and_possible_for_the_company() -> None:
    for company in COMPANIES:
        events = m12_trigger_events.simulate(company).events
        days = [event.date for event in events]

        assert 2 <= len(events) <= 6
        assert days == sorted(days, reverse=True)
        assert min(days) > REFERENCE_DATE.replace(year=REFERENCE_DATE.year - 1).isoformat()
        assert len({event.headline for event in events}) == len(events)
        for event in events:
            assert event.headline.startswith(company.name)
            assert event.type != ("funding" if company.ticker else "earnings")


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [(10, [1, 1, 1], [4, 3, 3]), (1_000, [2, 1], [667, 333]), (0, [1, 5], [0, 0]), (3, [0, 1], [0, 3])],
)
def test_apportion_divides_the_whole_total(total: int, weights: list[float], expected: list[int]) -> None:
    assert apportion(total, weights) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(5.9, 5), (0.3, 0), (999.9, 999), (1_234.5, 1_230), (87_654_321, 87_700_000)]
)
def test_estimates_are_rounded_to_three_digits(number: float, expected: int) -> None:
    assert round_significant(number) == expected


def test_the_hosts_of_a_registrable_domain_belong_to_one_company() -> None:
    assert company_of("careers.acme.com") == company_of("acme.com")
    assert company_of("shop.costco.com") == COSTCO
    assert company_of("acme.myshopify.com").name == "Acme"
    assert company_of("acme.myshopify.com") != company_of("other.myshopify.com")
