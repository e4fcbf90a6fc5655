"""
The simulated answers: what they state is possible, and does not contradict what another answer states.
"""

import itertools
import re
from datetime import date
from typing import Any, Final

import msgspec
import pytest

from enrichment.domains import canonical_domain
from enrichment.modules.answers import (
    AnalystRatings,
    CompanyContext,
    Competitors,
    ExecQuotes,
    Financials,
    HiringSignals,
    Keywords,
    StockInfo,
    TechStack,
    Traffic,
    TrafficSources,
    TriggerEvents,
    revenue_range,
)
from enrichment.modules.displacement import DisplacementAngle
from enrichment.modules.icp_score import DOLLARS, IcpScore
from enrichment.modules.module import Answer, count_data_points
from enrichment.modules.playbook import find_product
from enrichment.sources.simulated import m02_tech_stack, m06_keywords, m09_analyst_ratings, m11_exec_quotes
from enrichment.sources.simulated.company import REFERENCE_DATE, Company, company_of
from enrichment.sources.simulated.examples import EXAMPLES
from enrichment.sources.simulated.source import SIMULATIONS
from tests.subjects import all_answers

DOMAINS: Final = [
    *EXAMPLES,
    "3m.com",
    "a.co.uk",
    "best.com",
    "laptops.com",
    "xn--bcher-kva.de",
    "xn--55qx5d.cn.com",
    "northcloud.example",
    f"{'a' * 63}.com",
    ".".join(["a" * 63] * 3) + "." + "b" * 57 + ".com",
    *(f"company{number}.{suffix}" for suffix in ("com", "co.uk", "co.jp", "in", "io") for number in range(80)),
]


class Simulated(msgspec.Struct, frozen=True):
    """A company and all answers about it."""

    company: Company
    m01: CompanyContext
    m02: TechStack
    m03: Traffic
    m04: TrafficSources
    m05: Competitors
    m06: Keywords
    m07: Financials
    m08: StockInfo
    m09: AnalystRatings
    m10: HiringSignals
    m11: ExecQuotes
    m12: TriggerEvents
    m13: Answer
    m14: IcpScore
    m15: DisplacementAngle


def simulated(domain: str) -> Simulated:
    answers: dict[str, Any] = {module_id[:3]: answer for module_id, answer in all_answers(domain).items()}
    return Simulated(company_of(domain), **answers)


ALL: Final = [simulated(domain) for domain in DOMAINS]
PUBLIC: Final = [one for one in ALL if one.company.ticker]
PRIVATE: Final = [one for one in ALL if not one.company.ticker]


def sum_of(*values: float | None) -> float:
    return sum(value or 0 for value in values)


def search_visits(one: Simulated) -> int:
    return round(one.company.monthly_visits * sum_of(one.m04.organic_search, one.m04.paid_search) / 100)


def is_share(percent: float, total: int, digits: int = 1) -> bool:
    """Return whether a whole number of the total is this percentage of it."""
    nearest = round(percent * total / 100)
    return percent in {round(100 * count / total, digits) for count in (nearest - 1, nearest, nearest + 1)}


def test_there_are_enough_companies_of_each_kind() -> None:
    assert len(PUBLIC) > 60
    assert len(PRIVATE) > 200
    assert len({one.m08.currency for one in PUBLIC}) > 6
    assert any(one.m10.open_roles == 0 for one in ALL)
    assert any(one.m10.open_roles == 1 for one in ALL)


@pytest.mark.parametrize("module", SIMULATIONS)
def test_answers_differ_between_domains(module: str) -> None:
    answers = {msgspec.json.encode(SIMULATIONS[module](one.company)) for one in PUBLIC}

    assert len(answers) > len(PUBLIC) / 2


@pytest.mark.parametrize("module", SIMULATIONS)
def test_an_answer_decodes_and_has_no_date_after_the_reference_date(module: str) -> None:
    """Decoding applies the constraints of the fields, such as 0 to 100 for a share."""
    for one in ALL:
        answer = SIMULATIONS[module](one.company)
        text = msgspec.json.encode(answer)

        assert msgspec.json.decode(text, type=type(answer)) == answer
        assert not answer.simulated
        assert count_data_points(answer) > 0
        for day in re.findall(r'"(\d{4}-\d{2}(?:-\d{2})?)"', text.decode()):
            assert day <= REFERENCE_DATE.isoformat()


def test_only_known_values_count_as_data_points() -> None:
    assert count_data_points(Traffic(global_rank=1, note="Only the rank is known.")) == 1
    assert count_data_points(TechStack(technologies=(), limited=True)) == 0


def test_costco_has_the_values_of_the_documentation() -> None:
    costco = ALL[0]

    assert [costco.m01.company_name, costco.m01.founded, costco.m01.hq, costco.m01.employees] == [
        "Costco Wholesale",
        1983,
        "Issaquah, WA",
        289_000,
    ]
    assert [(technology.name, technology.category) for technology in costco.m02.technologies] == [
        ("Adobe AEM", "CMS"),
        ("React", "Frontend"),
        ("Elasticsearch", "Search"),
    ]
    assert [costco.m03.monthly_visits, costco.m03.bounce_rate, costco.m03.pages_per_visit] == [15_000_000, 45.2, 3.2]


# Company context


def test_answers_agree_on_the_facts_of_the_company() -> None:
    for one in ALL:
        company, context = one.company, one.m01
        assert count_data_points(context) == 10
        assert [context.company_name, context.employees] == [company.name, company.employees]
        assert [one.m03.monthly_visits, one.m07.revenue] == [company.monthly_visits, company.revenue]
        listed = {context.company_type == "public", one.m07.is_public, one.m08.is_listed, one.m09.has_coverage}
        assert listed == {company.ticker is not None}
        for fact in (context.company_name, context.company_type, context.hq, context.founded, f"{context.employees:,}"):
            assert str(fact) in (context.description or "")


def test_the_revenue_is_in_the_range_when_converted_to_dollars() -> None:
    for one in ALL:
        dollars = (one.m07.revenue or 0) * DOLLARS[one.m07.currency or ""]
        assert one.m01.revenue_range == revenue_range(dollars)


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
    for one in ALL:
        company = one.company
        place = company.region if company.country == "United States" else company.country
        assert one.m01.hq == f"{company.city}, {place}"


# Technologies


def test_technologies_fit_the_size_and_kind_of_company() -> None:
    sizes = {}
    for one in ALL[1:]:
        technologies = one.m02.technologies
        categories = [technology.category for technology in technologies]

        assert 9 <= len(technologies) <= 25
        assert len(set(categories)) == len(categories)
        assert ("Ecommerce" in categories) is ("Payments" in categories) is one.company.sells_online
        sizes[one.company.employees] = len(technologies)
    small = [count for employees, count in sizes.items() if employees < 100]
    large = [count for employees, count in sizes.items() if employees > 10_000]
    assert sum(small) / len(small) < sum(large) / len(large)


def test_a_product_that_needs_another_is_not_used_without_it() -> None:
    seen = set()
    for one in ALL:
        names = {technology.name for technology in one.m02.technologies}
        names |= {m02_tech_stack.ONLINE_SHOP} if one.company.sells_online else set()
        seen |= names & m02_tech_stack.REQUIRED.keys()
        assert all(m02_tech_stack.REQUIRED[name] in names for name in names & m02_tech_stack.REQUIRED.keys())

    assert len(seen) > 1


def test_products_have_the_category_that_they_have_in_the_playbook() -> None:
    tables = m02_tech_stack.CORE | m02_tech_stack.SHOP | m02_tech_stack.EXTRA | m02_tech_stack.SHOP_EXTRA
    products = {
        name: category for category, columns in tables.items() for names in columns for name in names.split(", ")
    }
    replaceable = {name: found.category for name in products if (found := find_product(name))}

    assert len(products) >= 90
    assert len(replaceable) > 30
    assert replaceable == {name: products[name] for name in replaceable}


def test_the_product_to_replace_is_in_use_under_the_same_name_and_category() -> None:
    for one in ALL:
        in_use = {(technology.name, technology.category) for technology in one.m02.technologies}
        assert one.m15.incumbent is not None
        assert (one.m15.incumbent.name, one.m15.incumbent.category) in in_use
        assert set(one.m15.alternatives_to_probe) <= {f"{name} ({category})" for name, category in in_use}


# Traffic


def test_traffic_is_possible() -> None:
    for one in ALL:
        bounce_rate, pages = one.m03.bounce_rate or 0, one.m03.pages_per_visit or 0
        assert 1 < bounce_rate < 100
        assert 2 - bounce_rate / 100 <= pages < 10  # a visit that does not bounce has at least two pages
        assert 0 < (one.m03.unique_visitors or 0) <= one.company.monthly_visits
        assert (one.m03.average_visit_duration_seconds or 0) > 0
        assert sum_of(one.m03.desktop_share_percent, one.m03.mobile_share_percent) == pytest.approx(100)
        assert one.m03.month == "2026-10"


def test_more_visits_are_a_better_rank() -> None:
    ranks = [one.m03.global_rank or 0 for one in sorted(ALL, key=lambda one: -one.company.monthly_visits)]

    assert ranks == sorted(ranks)


def test_shares_of_traffic_sum_to_the_whole_and_lists_to_less() -> None:
    for one in ALL:
        sources = one.m04
        channels = (sources.direct, sources.organic_search, sources.paid_search, sources.referrals, sources.social)
        assert sum_of(*channels, sources.display_ads, sources.mail) == pytest.approx(100)
        countries = [country.share for country in sources.top_countries]
        referrers = [referrer.share for referrer in sources.top_referrers]

        assert sources.top_countries[0].country_code == one.company.country_code
        assert len({country.country_code for country in sources.top_countries}) == len(countries)
        assert all(referrer.domain.endswith(".example") for referrer in sources.top_referrers)
        for shares in (countries, referrers):
            assert shares == sorted(shares, reverse=True)
            assert 0 < sum(shares) <= 100


def test_shares_are_those_of_whole_numbers_of_visits() -> None:
    for one in ALL:
        visits, referred = (
            one.company.monthly_visits,
            round(one.company.monthly_visits * (one.m04.referrals or 0) / 100),
        )
        for share in (one.m03.bounce_rate, one.m03.mobile_share_percent, one.m03.desktop_share_percent):
            assert is_share(share or 0, visits)
        for share in (one.m04.direct, one.m04.organic_search, one.m04.paid_search, one.m04.referrals, one.m04.social):
            assert is_share(share or 0, visits)
        assert all(is_share(country.share, visits) for country in one.m04.top_countries)
        assert all(is_share(referrer.share, referred) for referrer in one.m04.top_referrers)
        for keyword in one.m06.keywords:
            assert is_share(keyword.traffic_share_percent or 0, search_visits(one), 2)


def test_competitors_are_in_the_same_industry_and_state_the_same_facts_themselves() -> None:
    for one in ALL:
        competitors = one.m05.competitors
        similarities = [competitor.similarity for competitor in competitors]

        assert len({competitor.domain for competitor in competitors}) == len(competitors) >= 5
        assert similarities == sorted(similarities, reverse=True)
        for competitor in competitors:
            assert competitor.domain.endswith(".example")
            assert canonical_domain(competitor.domain) == competitor.domain != one.company.domain
            site = company_of(competitor.domain)
            assert [site.industry, site.monthly_visits] == [one.company.industry, competitor.monthly_visits]
            own, others = one.m06.total_keywords or 0, m06_keywords.simulate(site).total_keywords or 0
            assert 0 <= (competitor.shared_keywords or 0) <= min(own, others)


def test_keywords_are_sorted_by_share_and_counted() -> None:
    for one in ALL:
        shares = [keyword.traffic_share_percent or 0 for keyword in one.m06.keywords]
        branded = sum(keyword.branded for keyword in one.m06.keywords)

        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) < 100
        assert len({keyword.keyword for keyword in one.m06.keywords}) == len(shares) <= (one.m06.total_keywords or 0)
        assert branded <= (one.m06.branded_keywords or 0)
        assert sum_of(one.m06.branded_keywords, one.m06.paid_keywords) <= (one.m06.total_keywords or 0)
        assert ((one.m06.paid_keywords or 0) > 0) is ((one.m04.paid_search or 0) > 0)
        for keyword in one.m06.keywords:
            assert keyword.branded is m06_keywords.is_branded(keyword.keyword, one.company)
            assert (keyword.cpc or 0) > 0


def test_a_keyword_does_not_lead_to_more_visits_than_its_searches_and_position_allow() -> None:
    for one in ALL:
        visits = search_visits(one)
        for keyword in one.m06.keywords:
            clicks = visits * (keyword.traffic_share_percent or 0) / 100
            assert clicks <= 0.6 * (keyword.volume or 0) / (keyword.position or 1) + 2


def test_the_volume_of_a_keyword_is_the_same_for_all_sites_and_that_of_a_longer_one_lower() -> None:
    facts: dict[str, set[tuple[int | None, float | None]]] = {}
    for one in ALL:
        for keyword in one.m06.keywords:
            if not keyword.branded:
                facts.setdefault(keyword.keyword, set()).add((keyword.volume, keyword.cpc))
        volumes = {keyword.keyword: keyword.volume or 0 for keyword in one.m06.keywords}
        for (phrase, volume), (other, more) in itertools.permutations(volumes.items(), 2):
            if f" {other} " in f" {phrase} ":
                assert volume <= more

    assert len(facts) > 300
    assert all(len(each) == 1 for each in facts.values())


# Money


def test_a_private_company_has_no_margins_stock_or_ratings() -> None:
    for one in PRIVATE:
        assert count_data_points(one.m07) == 6
        assert one.m07.basis == "estimated"
        assert one.m07.net_margin_percent is one.m07.gross_margin_percent is one.m07.net_income is None
        assert one.m08 == StockInfo(is_listed=False)
        assert one.m09 == AnalystRatings(has_coverage=False)


def test_amounts_are_in_the_currency_of_the_country_and_the_exchange() -> None:
    for one in ALL:
        assert one.m07.currency == one.company.currency
    for one in PUBLIC:
        assert one.m07.currency == one.m08.currency == one.m09.currency


def test_financials_of_a_public_company_are_consistent() -> None:
    for one in PUBLIC:
        financials, revenue = one.m07, one.company.revenue
        gross, operating, net, income, ebitda, cash_flow = (
            financials.gross_margin_percent or 0,
            financials.operating_margin_percent or 0,
            financials.net_margin_percent or 0,
            financials.net_income or 0,
            financials.ebitda or 0,
            financials.free_cash_flow or 0,
        )
        assert financials.basis == "reported"
        assert 100 > gross > operating > net > -100
        assert round(income / revenue * 100, 1) == net
        assert operating < ebitda / revenue * 100 <= gross * 1.01
        assert cash_flow < ebitda
        assert min(financials.total_cash or 0, financials.total_debt or 0) > 0


def test_revenue_by_year_ends_with_the_revenue_and_its_growth_and_begins_after_the_founding() -> None:
    for one in PUBLIC:
        years = [year.fiscal_year for year in one.m07.revenue_by_year]
        before, last = (year.revenue for year in one.m07.revenue_by_year[1:])

        assert years == [REFERENCE_DATE.year - 3, REFERENCE_DATE.year - 2, one.m07.fiscal_year]
        assert one.company.founded < years[0]
        assert last == one.m07.revenue
        assert round((last / before - 1) * 100, 1) == one.m07.revenue_growth_percent


def test_the_stock_of_a_public_company_is_consistent() -> None:
    for one in PUBLIC:
        stock, income = one.m08, one.m07.net_income or 0
        price, shares, ratio = stock.price or 0, stock.shares_outstanding or 0, stock.trailing_pe
        low, high = stock.fifty_two_week_low or 0, stock.fifty_two_week_high or 0

        assert [stock.symbol, stock.exchange] == [one.company.ticker, one.company.exchange]
        assert low <= min(price, stock.previous_close or 0)
        assert high >= max(price, stock.previous_close or 0)
        assert stock.market_cap == round(price * shares)
        assert ratio == (round(price / (income / shares), 1) if income > 0 else None)
        assert (stock.dividend_yield_percent or 0) * (ratio or 0) < 65  # of the income
        assert ratio or not stock.dividend_yield_percent
        assert 0 < (stock.average_daily_volume or 0) < shares
        assert date.fromisoformat(stock.as_of or "").weekday() < 5
        assert stock.currency != "JPY" or price % 1 == 0


def test_analysts_and_their_recommendations_and_targets_add_up() -> None:
    for one in PUBLIC:
        ratings, price = one.m09, one.m08.price or 0
        counts = [ratings.strong_buy, ratings.buy, ratings.hold, ratings.sell, ratings.strong_sell]
        analysts, mean = ratings.analysts or 0, ratings.recommendation_mean or 0
        low, target, high = ratings.target_low or 0, ratings.target_mean or 0, ratings.target_high or 0

        assert sum_of(*counts) == analysts >= 2
        assert mean == round(sum(grade * (count or 0) for grade, count in enumerate(counts, start=1)) / analysts, 2)
        assert m09_analyst_ratings.RECOMMENDATIONS.index(ratings.recommendation or "sell") + 1 == round(mean)
        assert 0.7 * price - 1 < low <= target <= high < 1.3 * price + 1
        # The other analysts' targets are within the range as well.
        assert (low * (analysts - 1) + high) / analysts - 1 <= target <= (low + high * (analysts - 1)) / analysts + 1
        assert ratings.as_of == one.m08.as_of


# Hiring, executives and events


def test_open_roles_add_up_and_their_share_is_one_of_whole_roles() -> None:
    for one in ALL:
        hiring, roles = one.m10, one.m10.open_roles or 0
        by_department = [department.open_roles for department in hiring.roles_by_department]

        assert sum(by_department) == roles < one.company.employees
        assert by_department == sorted(by_department, reverse=True)
        assert all(by_department)
        assert 0 <= (hiring.senior_roles or 0) <= roles
        assert 0 <= (hiring.posted_last_30_days or 0) <= roles
        assert (hiring.remote_share_percent is None) is (roles == 0)
        assert not roles or is_share(hiring.remote_share_percent or 0, roles)


def test_the_hiring_trend_agrees_with_the_growth_and_the_new_roles() -> None:
    for one in ALL:
        if one.m10.trend == "growing":
            assert (one.m07.revenue_growth_percent or 0) > 0
            assert (one.m10.posted_last_30_days or 0) > 0
        if one.m10.trend == "slowing":
            assert (one.m07.revenue_growth_percent or 0) < 0


def test_technologies_in_job_postings_are_in_use() -> None:
    for one in ALL:
        in_use = {technology.name for technology in one.m02.technologies}
        mentioned = one.m10.technologies_mentioned

        assert in_use >= set(mentioned)
        assert len(set(mentioned)) == len(mentioned)
        assert bool(mentioned) is bool(one.m10.open_roles)


def test_a_quote_is_marked_as_invented_and_is_by_a_role() -> None:
    for one in ALL:
        (quote,) = one.m11.quotes

        assert "invented quote" in quote.quote
        assert quote.speaker == f"{quote.speaker_title} (invented)" == "Chief executive (invented)"
        assert quote.url.startswith("https://invented-quotes.example/")
        assert quote.theme in one.m11.themes
        assert str(quote.theme) in quote.quote
        assert str(one.company.founded) < (quote.said_on or "")
        assert len(set(one.m11.themes)) == 3
        assert one.m11.note == m11_exec_quotes.NOTE


def test_events_are_of_the_past_year_and_possible_for_the_company() -> None:
    for one in ALL:
        events, company = one.m12.events, one.company
        days = [event.date for event in events]

        assert 2 <= len(events) <= 6
        assert days == sorted(days, reverse=True)
        assert min(days) > REFERENCE_DATE.replace(year=REFERENCE_DATE.year - 1).isoformat() > str(company.founded)
        assert all(date.fromisoformat(day).weekday() < 5 for day in days)
        assert len({event.headline for event in events}) == len(events)
        for event in events:
            assert event.headline.startswith(company.name)
            assert event.type != ("funding" if company.ticker else "earnings")
            if event.type in ("acquisition", "restructuring"):
                assert company.employees >= 200
            if event.type == "funding":
                assert company.founded >= 2000


def test_annual_figures_are_published_after_the_year_and_with_its_growth() -> None:
    growth = {"higher": 1, "lower": -1, "unchanged": 0}
    seen = 0
    for one in PUBLIC:
        for event in one.m12.events:
            if event.type == "earnings":
                seen += 1
                (word,) = [word for word in growth if f" {word} " in event.headline]
                percent = one.m07.revenue_growth_percent or 0
                assert growth[word] == (percent > 0) - (percent < 0)
                assert f"{(one.m07.fiscal_year or 0) + 1}-01-20" <= event.date <= f"{(one.m07.fiscal_year or 0) + 1}-04"

    assert seen > 10


def test_the_score_is_of_the_facts_in_the_other_answers() -> None:
    for one in ALL:
        inputs = {result.rule: result.input or "" for result in one.m14.rules}
        in_use = {f"{technology.name} ({technology.category})" for technology in one.m02.technologies}

        assert inputs["company size"] == f"{one.m01.employees:,} employees"
        assert inputs["online traffic"] == f"{one.m03.monthly_visits:,} visits a month"
        assert inputs["replaceable product"] in in_use
        assert inputs["replaceable product"].startswith(one.m15.incumbent.name if one.m15.incumbent else "none")
