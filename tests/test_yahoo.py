"""
Yahoo Finance: which share is asked for, how its figures are read, and what happens when it refuses.
"""

import copy
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, TypeVar

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import (
    AnalystRatings,
    CompanyContext,
    Financials,
    StockInfo,
    TriggerEvents,
)
from enrichment.modules.module import Answer, Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.failures import AuthError, NotFound, ParseError, RateLimited, UpstreamError
from enrichment.sources.messages import HttpResponse
from enrichment.sources.yahoo import Yahoo, check
from enrichment.sources.yahoo_reading import host_of, with_summary
from enrichment.sources.yahoo_shapes import Price, Summary
from enrichment.sources.yahoo_symbols import SUFFIXES, symbol_of
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, paths, reply
from tests.upstreams import InstantClock, Received, Reply, StubUpstream, live_client, stub_upstream

A = TypeVar("A", bound=Answer)

SAMPLES: Mapping[str, Any] = answers("yahoo")
CRUMB = "a.Crumb/x1z"
SHAPES: Mapping[str, type[Answer]] = {
    "m01_company_context": CompanyContext,
    "m07_financials": Financials,
    "m08_stock_info": StockInfo,
    "m09_analyst_ratings": AnalystRatings,
    "m12_trigger_events": TriggerEvents,
}


class Listing(NamedTuple):
    """A share on an exchange."""

    exchange: str = "Nasdaq"
    ticker: str = "ROKT"


class Company(NamedTuple):
    """An identified company."""

    name: str | None = "Rocket Works"
    listings: tuple[Listing, ...] = (Listing(),)
    is_listed: bool | None = True
    matched_by: str = "official website in Wikidata"
    match_confidence: float = 0.95


class Identities:
    """Identifies every domain as the same company."""

    def __init__(self) -> None:
        self.company: Company | None = Company()

    async def identify(self, domain: str) -> Company | None:
        return self.company


class Finance:
    """The service: its answers may be changed, and its session may refuse."""

    def __init__(self) -> None:
        self.content = copy.deepcopy(dict(SAMPLES))
        self.cookie = Reply(b"", 404, {"set-cookie": "A3=d=x&S=y; Expires=soon; Domain=.yahoo.com"})
        self.crumb = Reply(CRUMB.encode(), headers={"content-type": "text/plain"})
        self.refusals: list[Reply] = []

    def __call__(self, received: Received) -> Reply:
        path = received.target.partition("?")[0]
        if path == "/":
            return self.cookie
        if path == "/v1/test/getcrumb":
            return self.crumb
        if path.startswith("/v10/finance/quoteSummary/"):
            assert received.headers["cookie"] == "A3=d=x&S=y"
            return self.refusals.pop(0) if self.refusals else reply(self.content["summary"])
        assert "cookie" not in received.headers
        return reply(self.content["chart" if "chart" in path else "timeseries" if "timeseries" in path else "insights"])

    @property
    def summary(self) -> Any:
        return self.content["summary"]["quoteSummary"]["result"][0]

    @property
    def chart(self) -> Any:
        return self.content["chart"]["chart"]["result"][0]


class Case(NamedTuple):
    """The source and what it asks."""

    source: Yahoo
    identities: Identities
    finance: Finance
    stub: StubUpstream
    clock: InstantClock

    async def find(self, module: str, domain: str = "rocketworks.example") -> Finding:
        return await self.source.ask(MODULES[module], Subject(domain=domain))

    async def ask(self, shape: type[A]) -> A:
        (module,) = [module for module, each in SHAPES.items() if each is shape]
        return (await self.find(module)).read(shape)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock, identities, finance = InstantClock(), Identities(), Finance()
    async with stub_upstream(finance) as stub, live_client(clock) as client:
        source = Yahoo(client, identities, clock, q1=stub.url, q2=stub.url, fc=stub.url)
        yield Case(source, identities, finance, stub, clock)


async def test_a_price_with_what_needs_a_session(case: Case) -> None:
    finding = await case.find("m08_stock_info")

    assert finding.read(StockInfo) == StockInfo(
        is_listed=True,
        symbol="ROKT",
        exchange="Nasdaq",
        currency="USD",
        price=110.5,
        previous_close=108.0,
        market_cap=12_345_678_901,
        fifty_two_week_low=80.0,
        fifty_two_week_high=130.25,
        trailing_pe=38.9,
        dividend_yield_percent=0.41,
        beta=1.2,
        average_daily_volume=1_750_000,
        as_of="2026-02-25",
    )
    assert finding.observed_at == 1_772_053_200
    assert (finding.source, finding.method, finding.match_confidence) == ("yahoo", "api", 0.95)
    assert paths(case.stub.received) == [
        "/v8/finance/chart/ROKT",
        "/",
        "/v1/test/getcrumb",
        "/v10/finance/quoteSummary/ROKT",
    ]
    assert case.stub.received[0].target.endswith("?range=1y&interval=1d&events=div%2Csplits")
    assert f"crumb={CRUMB.replace('/', '%2F')}" in case.stub.received[3].target
    assert "modules=price%2CsummaryDetail&formatted=false" in case.stub.received[3].target
    assert "crumb" not in "".join(citation.url for citation in finding.citations)
    assert len(finding.citations) == 2
    assert all("https://example.com/bot" in received.headers["user-agent"] for received in case.stub.received)


async def test_requests_are_a_second_apart_and_the_session_is_kept(case: Case) -> None:
    await case.find("m08_stock_info")
    assert sum(case.clock.sleeps) == pytest.approx(3)
    await case.find("m09_analyst_ratings")

    assert len(case.stub.received) == 5


async def test_pence_are_converted_to_pounds(case: Case) -> None:
    case.identities.company = Company(listings=(Listing("London Stock Exchange", "ROK."),))
    case.finance.chart["meta"] |= {"currency": "GBp", "regularMarketPrice": 284.6}
    case.finance.summary["price"]["currency"] = "GBp"
    stock = await case.ask(StockInfo)
    ratings = await case.ask(AnalystRatings)

    assert (stock.symbol, stock.currency, stock.price, stock.previous_close) == ("ROK.L", "GBP", 2.846, 1.08)
    assert (stock.fifty_two_week_low, stock.fifty_two_week_high) == (0.8, 1.3025)
    assert stock.market_cap == 12_345_678_901
    assert (ratings.currency, ratings.target_mean, ratings.target_low) == ("GBP", 1.252, 0.905)


async def test_a_chart_alone_is_enough_for_a_price(case: Case) -> None:
    case.finance.crumb = Reply(b"Too Many Requests", 429, {})
    for name in ("fiftyTwoWeekHigh", "fiftyTwoWeekLow"):
        del case.finance.chart["meta"][name]
    answer = await case.ask(StockInfo)

    assert (answer.price, answer.market_cap, answer.beta) == (110.5, None, None)
    assert (answer.fifty_two_week_low, answer.fifty_two_week_high) == (79, 131)
    assert answer.average_daily_volume == 1_500_000
    await case.ask(StockInfo)
    assert paths(case.stub.received).count("/v1/test/getcrumb") == 1
    case.clock._now += 1_000
    await case.ask(StockInfo)
    assert paths(case.stub.received).count("/v1/test/getcrumb") == 2


async def test_a_chart_of_a_price_only(case: Case) -> None:
    case.finance.crumb = Reply(b"", 401)
    case.finance.content["chart"]["chart"]["result"][0] = {"meta": {"regularMarketPrice": 1, "currency": "€"}}
    finding = await case.find("m08_stock_info")

    assert finding.read(StockInfo) == StockInfo(is_listed=True, symbol="ROKT", exchange="Nasdaq", price=1)
    assert finding.observed_at is None


async def test_a_chart_without_days_or_with_an_empty_one(case: Case) -> None:
    case.finance.chart["indicators"] = {"quote": [{"close": [1, 2, 0]}]}
    case.finance.chart["timestamp"] = [None, 1772029800, 1]

    assert (await case.ask(StockInfo)).previous_close is None


@pytest.mark.parametrize("crumb", ["", "<html>", "Too Many Requests", "x" * 100])
async def test_a_notice_is_not_taken_for_a_crumb(case: Case, crumb: str) -> None:
    case.finance.crumb = Reply(crumb.encode())

    assert (await case.ask(StockInfo)).beta is None
    assert "/v10/finance/quoteSummary/ROKT" not in paths(case.stub.received)


@pytest.mark.parametrize("cookie", [Reply(b"", 200, {}), Reply(b"", 302, {"location": "http://consent.test/"})])
async def test_a_service_that_sets_no_cookie_is_not_asked_for_more(case: Case, cookie: Reply) -> None:
    case.finance.cookie = cookie

    with pytest.raises(SourceFailed):
        await case.find("m01_company_context")
    assert paths(case.stub.received) == ["/"]


async def test_a_crumb_that_is_gone(case: Case) -> None:
    case.finance.crumb = Reply(b"", 404)

    with pytest.raises(AuthError, match="starts no session"):
        await case.find("m01_company_context")


INVALID_CRUMB = Reply(b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}', 401)


async def test_an_invalid_crumb_is_replaced_once(case: Case) -> None:
    case.finance.refusals = [INVALID_CRUMB]

    assert (await case.ask(AnalystRatings)).analysts == 46
    assert paths(case.stub.received).count("/v1/test/getcrumb") == 2


async def test_a_second_refusal_is_final(case: Case) -> None:
    case.finance.refusals = [INVALID_CRUMB] * 9

    with pytest.raises(AuthError):
        await case.find("m01_company_context")
    with pytest.raises(AuthError, match="at the moment"):
        await case.find("m01_company_context")
    assert len(case.finance.refusals) == 7


async def test_a_session_that_fails_does_not_stop_the_rest(case: Case) -> None:
    case.finance.refusals = [Reply(b"", 503)] * 9
    for _ in range(4):
        with pytest.raises(AuthError):
            await case.find("m01_company_context")

    assert (await case.ask(StockInfo)).price == 110.5
    assert len(case.finance.refusals) == 7


async def test_calls_at_once_start_one_session(case: Case) -> None:
    credentials = await case.source._session._get()
    case.source._session._credentials = None
    case.source._session._forget(credentials)

    assert await case.source._session._get() == credentials


async def test_a_profile(case: Case) -> None:
    assert await case.ask(CompanyContext) == CompanyContext(
        company_name="Rocket Works, Inc.",
        hq="Cupertino, CA",
        employees=15_000,
        industry="Aerospace & Defense",
        company_type="public",
        country="United States",
        description="Rocket Works makes rockets.",
    )


async def test_a_profile_abroad_with_little_in_it(case: Case) -> None:
    case.finance.summary["assetProfile"] = {"city": "Paris", "state": "X", "country": "France"}
    case.finance.summary["price"] = None
    answer = await case.ask(CompanyContext)

    assert answer == CompanyContext(
        company_name="Rocket Works", hq="Paris, France", company_type="public", country="France"
    )


async def test_a_profile_of_somebody_else(case: Case) -> None:
    with pytest.raises(NotFound, match="another website"):
        await case.find("m01_company_context", "rocket.test")

    case.finance.summary["assetProfile"]["website"] = None
    case.finance.summary["price"]["longName"] = "Sparks Holdings plc"
    with pytest.raises(NotFound, match="another name"):
        await case.find("m01_company_context")

    case.finance.summary["assetProfile"] = None
    case.finance.summary["price"] = None
    with pytest.raises(NotFound, match="no profile"):
        await case.find("m01_company_context")


async def test_figures_of_fiscal_years(case: Case) -> None:
    finding = await case.find("m07_financials")
    answer = finding.read(Financials)

    assert (answer.is_public, answer.basis, answer.currency, answer.fiscal_year) == (True, "reported", "EUR", 2025)
    assert (answer.revenue, answer.revenue_growth_percent, answer.net_income) == (2_000_000_000, 25.0, 200_000_000)
    assert (answer.gross_margin_percent, answer.operating_margin_percent, answer.net_margin_percent) == (45, 15, 10)
    assert (answer.ebitda, answer.free_cash_flow, answer.total_debt) == (None, None, None)
    assert [(row.fiscal_year, row.revenue) for row in answer.revenue_by_year] == [
        (2024, 1_600_000_000),
        (2025, 2_000_000_000),
    ]
    assert finding.observed_at == 1_759_190_400
    (received,) = case.stub.received
    assert received.target.startswith(
        "/ws/fundamentals-timeseries/v1/finance/timeseries/ROKT?symbol=ROKT&type=annualTotalRevenue"
    )
    assert "&period1=1582" in received.target


async def test_no_figures(case: Case) -> None:
    case.finance.content["timeseries"]["timeseries"]["result"] = [{"meta": {"type": ["annualTotalRevenue"]}}]

    with pytest.raises(NotFound, match="no statements"):
        await case.find("m07_financials")


async def test_a_year_without_revenue_has_no_margins(case: Case) -> None:
    for result in case.finance.content["timeseries"]["timeseries"]["result"]:
        for item in result.get("annualTotalRevenue", []):
            item["reportedValue"] = {"raw": 0}
    answer = await case.ask(Financials)

    assert (answer.revenue, answer.net_margin_percent, answer.revenue_growth_percent) == (0, None, None)


async def test_ratings(case: Case) -> None:
    assert await case.ask(AnalystRatings) == AnalystRatings(
        has_coverage=True,
        recommendation="buy",
        recommendation_mean=2.07,
        analysts=46,
        strong_buy=7,
        buy=21,
        hold=14,
        sell=2,
        strong_sell=2,
        target_mean=125.2,
        target_high=150,
        target_low=90.5,
        currency="USD",
        as_of="2026-02-26",
    )


async def test_a_mean_that_is_missing_is_computed(case: Case) -> None:
    del case.finance.summary["financialData"]
    answer = await case.ask(AnalystRatings)

    assert (answer.recommendation_mean, answer.recommendation, answer.target_mean) == (2.37, "buy", None)


async def test_opinions_without_a_trend(case: Case) -> None:
    case.finance.summary["recommendationTrend"] = None
    case.finance.summary["financialData"]["recommendationMean"] = 0.5
    del case.finance.summary["price"]
    answer = await case.ask(AnalystRatings)

    assert (answer.analysts, answer.buy, answer.recommendation, answer.target_mean) == (40, None, None, None)
    assert answer.currency is None


async def test_no_coverage(case: Case) -> None:
    case.finance.summary["recommendationTrend"] = {"trend": None}
    case.finance.summary["financialData"] = None

    assert await case.ask(AnalystRatings) == AnalystRatings(has_coverage=False)
    case.finance.summary["recommendationTrend"] = None
    with pytest.raises(NotFound):
        await case.find("m09_analyst_ratings")


async def test_without_a_session_one_analyst_speaks(case: Case) -> None:
    case.finance.crumb = Reply(b"", 429)

    assert await case.ask(AnalystRatings) == AnalystRatings(has_coverage=True, recommendation="buy")
    case.finance.content["insights"]["finance"]["result"]["recommendation"] = None
    with pytest.raises(NotFound, match="no rating"):
        await case.find("m09_analyst_ratings")


async def test_events(case: Case) -> None:
    answer = await case.ask(TriggerEvents)

    assert [(event.type, event.date) for event in answer.events] == [
        ("leadership_change", "2026-02-02"),
        ("acquisition", "2026-01-10"),
    ]
    assert case.stub.received[0].target == (
        "/ws/insights/v2/finance/insights?symbol=ROKT&reportsCount=2&getAllResearchReports=true"
    )
    case.finance.content["insights"]["finance"]["result"]["sigDevs"] = [
        {"headline": "Rocket Works buys", "date": 1e300}
    ]
    with pytest.raises(NotFound, match="no recent events"):
        await case.find("m12_trigger_events")


@pytest.mark.parametrize("company", [None, Company(listings=()), Company(listings=(Listing("Moon Exchange"),))])
async def test_a_company_without_a_known_share_is_not_asked_for(case: Case, company: Company | None) -> None:
    case.identities.company = company

    with pytest.raises(NotFound):
        await case.find("m08_stock_info")
    assert case.stub.received == []


async def test_a_company_that_is_no_longer_listed(case: Case) -> None:
    case.identities.company = Company(listings=(), is_listed=False)

    assert await case.ask(StockInfo) == StockInfo(is_listed=False)
    with pytest.raises(NotFound):
        await case.find("m07_financials")


async def test_another_security_of_the_same_ticker(case: Case) -> None:
    case.finance.chart["meta"]["instrumentType"] = "ETF"
    with pytest.raises(NotFound, match="not a share"):
        await case.find("m08_stock_info")

    case.finance.chart["meta"]["longName"] = "Sparks Holdings plc"
    with pytest.raises(NotFound, match="another name"):
        await case.find("m08_stock_info")


async def test_a_chart_without_a_price(case: Case) -> None:
    case.stub.scenario = "nulls"

    with pytest.raises(ParseError, match="no price"):
        await case.find("m08_stock_info")


MISSING = {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}


@pytest.mark.parametrize("module", ["m07_financials", "m08_stock_info", "m12_trigger_events"])
@pytest.mark.parametrize(
    ("envelope", "failure"),
    [
        (MISSING, NotFound),
        ({"result": None, "error": None}, NotFound),
        ({"result": None, "error": {"code": "Internal"}}, UpstreamError),
        (None, ParseError),
    ],
)
async def test_an_envelope_without_a_result(case: Case, module: str, envelope: Any, failure: type[Exception]) -> None:
    for name, root in (("chart", "chart"), ("timeseries", "timeseries"), ("insights", "finance")):
        case.finance.content[name] = {root: envelope}

    with pytest.raises(failure):
        await case.find(module)


async def test_a_symbol_that_is_not_known(case: Case) -> None:
    case.stub.answer = lambda _: reply({"chart": MISSING}, 404)

    with pytest.raises(NotFound):
        await case.find("m08_stock_info")


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "nothing"])
@pytest.mark.parametrize("module", SHAPES)
async def test_failures(case: Case, module: str, scenario: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed):
        await case.find(module)


@pytest.mark.parametrize("module", ["m07_financials", "m08_stock_info", "m12_trigger_events"])
async def test_wrong_types_are_a_failure(case: Case, module: str) -> None:
    case.stub.scenario = "wrong_types"

    with pytest.raises(ParseError):
        await case.find(module)


async def test_too_many_requests_are_not_repeated(case: Case) -> None:
    case.stub.scenario = "rate_limited"

    for _ in range(2):
        with pytest.raises(RateLimited):
            await case.find("m07_financials")
    assert len(case.stub.received) == 1


async def test_maintenance_is_not_an_answer(case: Case) -> None:
    case.stub.answer = lambda _: Reply(b"<html>Will be right back...</html>")

    with pytest.raises(UpstreamError, match="maintenance"):
        await case.find("m07_financials")


def test_a_page_that_asks_for_consent_is_not_an_answer() -> None:
    response = HttpResponse(status=200, url="https://consent.yahoo.com/v2", headers={}, body=b"")  # type: ignore[arg-type]

    with pytest.raises(AuthError, match="consent"):
        check(response)


def test_a_market_value_in_another_currency_is_left_out() -> None:
    answer = StockInfo(is_listed=True, currency="USD")

    assert with_summary(answer, Summary(price=Price(currency="EUR", market_cap=5))) == answer


@pytest.mark.parametrize(("url", "host"), [(None, ""), ("http://[", ""), ("https://www.A.com/x", "a.com")])
def test_hosts(url: str | None, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("ticker", "exchange", "symbol"),
    [
        ("acme", "New York Stock Exchange", "ACME"),
        ("NASDAQ:ACME", "NASDAQ", "ACME"),
        ("BRK.B", "New York Stock Exchange", "BRK-B"),
        ("BP.", "London Stock Exchange", "BP.L"),
        ("OCDO.L", "London Stock Exchange", "OCDO.L"),
        ("700", "Hong Kong Stock Exchange", "0700.HK"),
        ("VOLV B", "Nasdaq Stockholm", "VOLV-B.ST"),
        ("7203", "Tokyo Stock Exchange", "7203.T"),
        ("../x", "Nasdaq", None),
        ("ACME", "Moon Exchange", None),
    ],
)
def test_symbols(ticker: str, exchange: str, symbol: str | None) -> None:
    assert symbol_of(ticker, exchange) == symbol


def test_every_exchange_has_one_suffix() -> None:
    names = [name for names in SUFFIXES.values() for name in names]

    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)
