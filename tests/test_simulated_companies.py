"""
The simulated companies: deterministic, different from each other, and possible.
"""

import re
import subprocess
import sys
from typing import Final

import msgspec
import pytest

from enrichment.domains import canonical_domain
from enrichment.modules.icp_score import DOLLARS
from enrichment.sources.simulated.company import REFERENCE_DATE, apportion, company_of, round_significant
from enrichment.sources.simulated.examples import EXAMPLES
from enrichment.sources.simulated.industries import COMPETITOR_SITES, INDUSTRIES, SITE_PREFIXES, SITE_WORDS
from enrichment.sources.simulated.places import CITIES, COUNTRIES
from tests.conftest import ROOT
from tests.subjects import all_answers

INVENTED: Final = [
    company_of(f"company{number}.{suffix}")
    for suffix in ("com", "co.uk", "com.mx", "co.jp", "de", "io")
    for number in range(100)
]
LISTED: Final = [company for company in INVENTED if company.ticker]

# fmt: off
CURRENCY_OF_EXCHANGE: Final = {
    "NASDAQ": "USD", "NYSE": "USD", "TSX": "CAD", "LSE": "GBP", "XETRA": "EUR", "BME": "EUR", "SIX": "CHF",
    "Euronext Dublin": "EUR", "Euronext Paris": "EUR", "Euronext Amsterdam": "EUR", "Euronext Milan": "EUR",
    "Nasdaq Stockholm": "SEK", "TSE": "JPY", "ASX": "AUD", "SGX": "SGD", "NSE": "INR", "B3": "BRL", "BMV": "MXN",
}

EXAMPLE_FACTS: Final = [
    # domain, name, industry, year of foundation, employees, city, country, ticker and exchange
    ("costco.com", "Costco Wholesale", "Warehouse clubs", 1983, 289_000, "Issaquah", "US", "COST NASDAQ"),
    ("walmart.com", "Walmart", "General merchandise retail", 1962, 2_100_000, "Bentonville", "US", "WMT NASDAQ"),
    ("target.com", "Target", "Department stores", 1902, 440_000, "Minneapolis", "US", "TGT NYSE"),
    ("mercedes-benz.com", "Mercedes-Benz Group", "Car manufacturing", 1926, 175_000, "Stuttgart", "DE", "MBG XETRA"),
    ("marks.com", "Mark's", "Apparel retail", 1977, 6_000, "Calgary", "CA", None),
    ("infiniti.com", "Infiniti", "Car manufacturing", 1989, 3_000, "Yokohama", "JP", None),
    ("allianz.com", "Allianz", "Property insurance", 1890, 157_000, "Munich", "DE", "ALV XETRA"),
    ("chevrolet.com.mx", "Chevrolet México", "Car manufacturing", 1935, 25_000, "Mexico City", "MX", None),
    ("getuniti.com", "Uniti AI", "Software publishing", 2023, 50, "New York", "US", None),
]
# fmt: on

PRINT_ANSWERS: Final = """
import sys
from tests.test_simulated_companies import encoded
sys.stdout.buffer.write(b"\\n".join(encoded(domain) for domain in sys.argv[1:]))
"""


def encoded(domain: str) -> bytes:
    """Return the company and its 15 answers as JSON."""
    return msgspec.json.encode([company_of(domain), all_answers(domain)])


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_answers_depend_on_nothing_but_the_domain(seed: str) -> None:
    """Another process, with another hash seed and the domains in reverse order, returns the same bytes."""
    domains = ["costco.com", "getuniti.com", "xn--bcher-kva.de", *(company.domain for company in LISTED[:9])]
    done = subprocess.run(
        [sys.executable, "-c", PRINT_ANSWERS, *reversed(domains)],
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )

    assert done.stdout.split(b"\n") == [encoded(domain) for domain in reversed(domains)]


def test_companies_differ_in_their_facts() -> None:
    facts = {(company.industry, company.employees, company.revenue, company.city) for company in INVENTED}

    assert len(facts) == len(INVENTED)
    assert {company.industry for company in INVENTED} == set(INDUSTRIES)
    assert {company.country_code for company in INVENTED} == set(COUNTRIES)
    assert len({company.city for company in INVENTED}) > 35
    assert len(LISTED) > 50


def test_companies_are_possible() -> None:
    for company in [*INVENTED, *map(company_of, EXAMPLES)]:
        assert canonical_domain(company.domain) == company.domain
        assert 5 <= company.employees <= 2_100_000
        assert min(1890, INDUSTRIES[company.industry].since) <= company.founded <= 2023
        assert 25_000 <= company.revenue * DOLLARS[company.currency] / company.employees <= 1_500_000
        assert company.monthly_visits > 0
        assert (company.ticker is None) == (company.exchange is None)


def test_an_invented_company_is_not_older_than_its_industry_and_small_ones_are_not_listed() -> None:
    for company in INVENTED:
        assert company.founded >= INDUSTRIES[company.industry].since
        assert (company.city, company.region, company.country_code) in CITIES
        if company.ticker:
            assert company.employees >= 500
            assert company.founded < REFERENCE_DATE.year - 10


def test_an_exchange_is_in_the_country_and_trades_in_its_currency() -> None:
    exchanges = {exchange: market.currency for market in COUNTRIES.values() for exchange in market.exchanges}

    assert exchanges == CURRENCY_OF_EXCHANGE
    for company in LISTED:
        assert company.exchange in COUNTRIES[company.country_code].exchanges
        assert company.currency == CURRENCY_OF_EXCHANGE[company.exchange or ""]


def test_no_two_companies_share_a_ticker_and_none_has_that_of_a_company_that_exists() -> None:
    """A symbol with the suffix `.SIM` is on no exchange; the labels are the same, to make the letters so as well."""
    companies = [company_of(f"company{number}.com") for number in range(20_000)]
    tickers = [company.ticker for company in companies if company.ticker]

    assert len(set(tickers)) == len(tickers) > 2_000
    assert all(re.fullmatch(r"COMP[A-Z2-7]{6}\.SIM", ticker) for ticker in tickers)


def test_a_ticker_needs_no_latin_letters() -> None:
    """Whether a company is listed is random, so many are tried."""
    tickers = {company_of(f"xn--55qx5d.{suffix}").ticker for suffix in ("com", "net", "org", "io", "cn", "jp", "de")}
    tickers |= {company_of(f"{number}.com").ticker for number in range(40)}

    assert len(tickers) > 3
    assert all(re.fullmatch(r"[A-Z2-7]{6}\.SIM", ticker) for ticker in tickers if ticker)


def test_the_companies_of_the_examples_have_their_own_facts() -> None:
    assert [row[0] for row in EXAMPLE_FACTS] == list(EXAMPLES)
    for domain, *facts, listing in EXAMPLE_FACTS:
        company = company_of(domain)
        assert [
            company.name,
            company.industry,
            company.founded,
            company.employees,
            company.city,
            company.country_code,
        ] == facts
        assert listing == (f"{company.ticker} {company.exchange}" if company.ticker else None)


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("getacme.com", "Getacme"),
        ("rolls-royce.com", "Rolls-Royce"),
        ("blog.getacme.co.uk", "Getacme"),
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
    ("domain", "registrable"),
    [
        ("shop.costco.com", "costco.com"),
        ("a.b.acme.co.uk", "acme.co.uk"),
        ("shop.acme.myshopify.com", "acme.myshopify.com"),
    ],
)
def test_the_hosts_of_a_registrable_domain_belong_to_one_company(domain: str, registrable: str) -> None:
    assert company_of(domain) == company_of(registrable)
    assert company_of(domain).domain == registrable


@pytest.mark.parametrize(
    ("domain", "country"), [("ford.com.mx", "Mexico"), ("a.co.uk", "United Kingdom"), ("b.de", "Germany")]
)
def test_a_country_code_domain_gives_the_country(domain: str, country: str) -> None:
    assert company_of(domain).country == country


def test_the_sites_of_competitors_are_of_their_industry() -> None:
    assert list(SITE_WORDS) == list(INDUSTRIES)
    assert len(COMPETITOR_SITES) == 3 * len(INDUSTRIES) * len(SITE_PREFIXES)
    for domain, industry in COMPETITOR_SITES.items():
        assert company_of(domain).industry == industry


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [(10, [1, 1, 1], [4, 3, 3]), (1_000, [2, 1], [667, 333]), (0, [1, 5], [0, 0]), (3, [0, 1], [0, 3])],
)
def test_apportion_divides_the_whole_total(total: int, weights: list[float], expected: list[int]) -> None:
    assert apportion(total, weights) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(5.9, 5), (0.3, 0), (999.9, 999), (1_234.5, 1_230), (87_654_321, 87_700_000), (-123_456, -123_000)],
)
def test_estimates_are_rounded_to_three_digits(number: float, expected: int) -> None:
    assert round_significant(number) == expected
