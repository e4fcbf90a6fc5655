"""
The source `sec`: figures by their dates, events by the items of form 8-K, and quotes word for word.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import AnnualRevenue, ExecQuotes, Financials, TriggerEvent, TriggerEvents
from enrichment.modules.module import Subject
from enrichment.modules.table import MODULES
from enrichment.sources import failures, sec_facts
from enrichment.sources.edgar import MAX_FACTS_BYTES, Edgar
from enrichment.sources.http import Client
from enrichment.sources.identity import Identities
from enrichment.sources.sec import Sec, financials
from enrichment.sources.sec_facts import MAX_CONCEPT, Report, read_facts
from enrichment.sources.wikidata_items import WikidataItems
from schemas import Method
from tests.answers import wikidata as wiki
from tests.answers.sec import BLOCKED, CIK, FACTS, FOLDER, PAGES, SUBMISSIONS, Json, concept, edgar, value, year
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream

M07, M11, M12 = MODULES["m07_financials"], MODULES["m11_exec_quotes"], MODULES["m12_trigger_events"]
ACME = Subject(domain="acme.example")


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def client(instant: InstantClock) -> AsyncIterator[Client]:
    async with live_client(instant) as client:
        yield client


@pytest.fixture
async def wikidata() -> AsyncIterator[StubUpstream]:
    async with stub_upstream(wiki.wikidata()) as stub:
        yield stub


@pytest.fixture
async def stub() -> AsyncIterator[StubUpstream]:
    async with stub_upstream(edgar()) as stub:
        yield stub


def source(client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream) -> Sec:
    identities = Identities(WikidataItems(client, wikidata.url), None, instant)
    return Sec(Edgar(client, instant, data_url=stub.url, www_url=stub.url), identities, instant)


async def test_the_figures_are_those_of_the_last_fiscal_year(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream
) -> None:
    finding = await source(client, instant, wikidata, stub).ask(M07, ACME)

    assert finding.read(Financials) == Financials(
        is_public=True,
        basis="reported",
        currency="USD",
        fiscal_year=2025,
        revenue=2_000,
        revenue_growth_percent=33.3,
        operating_margin_percent=15.0,
        net_margin_percent=7.5,
        net_income=150,
        free_cash_flow=310,
        total_cash=860,
        revenue_by_year=(
            AnnualRevenue(fiscal_year=2022, revenue=900),
            AnnualRevenue(fiscal_year=2023, revenue=1_100),
            AnnualRevenue(fiscal_year=2024, revenue=1_500),
            AnnualRevenue(fiscal_year=2025, revenue=2_000),
        ),
    )
    assert (finding.source, finding.method, finding.observed_at) == ("sec", Method.API, 1_767_139_200.0)
    assert finding.matched_by
    assert finding.matched_by.endswith("with its number at the SEC")
    assert finding.match_confidence == 0.8
    (citation,) = finding.citations
    assert citation.url == f"{stub.url}/cgi-bin/browse-edgar?action=getcompany&CIK={CIK}"
    assert citation.title == "Figures of the fiscal year that ended on 2025-12-31, as reported to the SEC by ACME CORP"
    assert [received.target for received in stub.received] == [
        f"/submissions/CIK{CIK}.json",
        f"/api/xbrl/companyfacts/CIK{CIK}.json",
    ]
    assert stub.received[0].headers["accept-encoding"] == "gzip, deflate"


async def test_figures_are_kept_for_a_day(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream
) -> None:
    sec = source(client, instant, wikidata, stub)
    await asyncio.gather(*(sec.ask(M07, ACME) for _ in range(3)))
    assert len(stub.received) == 2

    await instant.sleep(3_600)
    await sec.ask(M07, ACME)
    assert len(stub.received) == 3


async def test_the_events_are_the_items_of_the_past_year(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream
) -> None:
    finding = await source(client, instant, wikidata, stub).ask(M12, ACME)

    assert finding.read(TriggerEvents) == TriggerEvents(
        events=(
            TriggerEvent(
                type="leadership_change",
                date="2026-02-18",
                headline="ACME CORP announced a change among its directors or officers (form 8-K, item 5.02).",
            ),
            TriggerEvent(
                type="earnings",
                date="2026-01-30",
                headline="ACME CORP announced its results (form 8-K, item 2.02).",
            ),
            TriggerEvent(
                type="partnership",
                date="2025-09-08",
                headline="ACME CORP entered into a material agreement (form 8-K, item 1.01).",
            ),
            TriggerEvent(
                type="acquisition",
                date="2025-09-08",
                headline="ACME CORP completed an acquisition or a sale of assets (form 8-K, item 2.01).",
            ),
            TriggerEvent(
                type="earnings",
                date="2025-07-31",
                headline="ACME CORP announced its results (form 8-K, item 2.02).",
            ),
        )
    )
    assert finding.citations[0].url == f"{stub.url}{FOLDER}/000123456726000001/a.htm"
    assert finding.citations[0].title == "Form 8-K of 2026-02-20, items 5.02, 9.01"
    assert len(finding.citations) == 4
    assert finding.observed_at == 1_771_545_600.0


async def test_quotes_are_verbatim_and_cite_their_page(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream
) -> None:
    finding = await source(client, instant, wikidata, stub).ask(M11, ACME)

    url = f"{stub.url}{FOLDER}/000123456726000002/acme-ex99_1.htm"
    first, second = finding.read(ExecQuotes).quotes
    assert first.quote == "We sold more rockets than ever before, and we hired the people to build them"
    assert first.speaker == "Jane R. Doe"
    assert first.speaker_title == "Chairman, President and Chief Executive Officer of Acme"
    assert (first.said_on, first.url) == ("2026-01-30", url)
    assert (second.speaker, second.speaker_title) == ("John O\u2019Neil", "CFO")
    assert finding.method == Method.SCRAPE
    assert [citation.url for citation in finding.citations] == [url]
    assert finding.observed_at == 1_769_731_200.0


@pytest.mark.parametrize(
    ("pages", "failure"),
    [
        ({f"{FOLDER}/000123456726000002/acme-ex99_1.htm": "<p>Nobody said anything.</p>"}, failures.NotFound),
        ({f"{FOLDER}/000123456726000002/index.json": {"directory": {"item": None}}}, failures.NotFound),
        ({f"{FOLDER}/000123456726000002/index.json": "<html>"}, failures.ParseError),
    ],
)
async def test_without_a_quote_there_is_no_answer(
    client: Client,
    instant: InstantClock,
    wikidata: StubUpstream,
    pages: Mapping[str, Any],
    failure: type[SourceFailed],
) -> None:
    async with stub_upstream(edgar({**PAGES, **pages})) as stub:
        with pytest.raises(failure):
            await source(client, instant, wikidata, stub).ask(M11, ACME)


async def test_a_company_without_events_is_left_to_other_sources(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream
) -> None:
    await instant.sleep(2 * 366 * 86_400)
    for module in (M11, M12):
        with pytest.raises(failures.NotFound):
            await source(client, instant, wikidata, stub).ask(module, ACME)


async def test_another_module_is_not_served(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream
) -> None:
    with pytest.raises(SourceFailed, match="does not serve"):
        await source(client, instant, wikidata, stub).ask(MODULES["m03_traffic"], ACME)


def listed(exchange: str, ticker: str, name: str = "Acme") -> dict[str, Json]:
    """A company whose number at the SEC is not in Wikidata."""
    return {
        **wiki.ITEMS,
        "Q1": wiki.entity(
            name,
            P856=wiki.claim("https://acme.example/"),
            P452=wiki.claim(wiki.ref("Q100")),
            P414=[wiki.claim(wiki.ref(exchange), P249=ticker)],
        ),
        "Q300": wiki.entity("Nasdaq Stockholm"),
    }


async def test_a_symbol_at_an_american_exchange_leads_to_the_number(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    async with stub_upstream(wiki.wikidata(listed("Q82059", "acme"))) as wikidata:
        finding = await source(client, instant, wikidata, stub).ask(M12, ACME)

    assert finding.matched_by == "official website in Wikidata, with its ticker symbol"
    assert stub.received[0].target == "/files/company_tickers_exchange.json"


@pytest.mark.parametrize(
    ("exchange", "ticker", "name"),
    [
        ("Q300", "ACME", "Acme"),
        ("Q13677", "ACME", "Acme"),
        ("Q82059", "NONE", "Acme"),
        ("Q13677", "RE.A", "Acme"),
        ("Q82059", "ACME", "..."),
    ],
)
async def test_a_symbol_elsewhere_or_of_another_company_does_not(
    client: Client, instant: InstantClock, stub: StubUpstream, exchange: str, ticker: str, name: str
) -> None:
    async with stub_upstream(wiki.wikidata(listed(exchange, ticker, name))) as wikidata:
        with pytest.raises(failures.NotFound, match="does not report to the SEC"):
            await source(client, instant, wikidata, stub).ask(M07, ACME)


async def test_a_missing_list_of_symbols_is_a_failure(client: Client, instant: InstantClock) -> None:
    async with (
        stub_upstream(wiki.wikidata(listed("Q82059", "ACME"))) as wikidata,
        stub_upstream(edgar({})) as stub,
    ):
        with pytest.raises(failures.UpstreamError, match="no list"):
            await source(client, instant, wikidata, stub).ask(M07, ACME)


@pytest.mark.parametrize("domain", ["betamax.example", "nobody.example"])
async def test_a_private_or_an_unknown_company_is_an_answer(
    client: Client, instant: InstantClock, wikidata: StubUpstream, stub: StubUpstream, domain: str
) -> None:
    with pytest.raises(failures.NotFound):
        await source(client, instant, wikidata, stub).ask(M07, Subject(domain=domain))

    assert stub.received == []


async def test_a_refusal_is_respected_for_ten_minutes_and_names_its_causes(
    client: Client, instant: InstantClock, wikidata: StubUpstream
) -> None:
    async with stub_upstream(lambda _: BLOCKED) as stub:
        sec = source(client, instant, wikidata, stub)
        for _ in range(2):
            with pytest.raises(failures.RateLimited, match=r"10 requests a second, .*\(CONTACT\).* in 600 seconds"):
                await sec.ask(M07, ACME)
        assert len(stub.received) == 1

        stub.answer = edgar()
        await instant.sleep(600)
        assert await sec.ask(M07, ACME)


async def test_the_operator_may_set_the_user_agent(client: Client, instant: InstantClock, stub: StubUpstream) -> None:
    await Edgar(client, instant, data_url=stub.url, www_url=stub.url, user_agent="Acme bot@example.com").filer(CIK)

    assert stub.received[0].headers["user-agent"] == "Acme bot@example.com"


async def test_requests_keep_their_distance(client: Client, instant: InstantClock, stub: StubUpstream) -> None:
    reader = Edgar(client, instant, data_url=stub.url, www_url=stub.url)
    for _ in range(3):
        await reader.document(f"{stub.url}{FOLDER}/000123456726000002/acme-ex99_1.htm")

    assert instant.sleeps == [0.125, 0.125]


async def test_only_a_set_address_may_be_on_a_private_network(client: Client, instant: InstantClock) -> None:
    assert Edgar(client, instant).upstream.trusted_origins == ()


@pytest.mark.parametrize(
    ("scenario", "failure"),
    [
        ("empty", failures.ParseError),
        ("nothing", failures.ParseError),
        ("nulls", failures.NotFound),
        ("wrong_types", failures.ParseError),
        ("truncated_json", failures.ParseError),
        ("html", failures.ParseError),
        ("unknown", failures.NotFound),
        ("rate_limited", failures.RateLimited),
        ("rate_limited_for_1_day", failures.RateLimited),
        ("broken", failures.UpstreamError),
        ("unavailable", failures.Transient),
        ("reset", failures.Transient),
        ("cut_off", failures.Transient),
        ("oversized", failures.ParseError),
        ("gzip_bomb", failures.ParseError),
    ],
)
async def test_what_can_go_wrong(
    client: Client,
    instant: InstantClock,
    wikidata: StubUpstream,
    stub: StubUpstream,
    scenario: str,
    failure: type[SourceFailed],
) -> None:
    stub.scenario = scenario
    with pytest.raises(SourceFailed) as failed:
        await source(client, instant, wikidata, stub).ask(M07, ACME)

    assert type(failed.value) is failure


@pytest.mark.parametrize(
    ("scenario", "failure"),
    [
        ("empty", failures.ParseError),
        ("nothing", failures.NotFound),
        ("nulls", failures.NotFound),
        ("wrong_types", failures.ParseError),
        ("truncated_json", failures.ParseError),
        ("html", failures.ParseError),
        ("unknown", failures.NotFound),
    ],
)
async def test_what_can_go_wrong_with_the_facts(
    client: Client,
    instant: InstantClock,
    wikidata: StubUpstream,
    stub: StubUpstream,
    scenario: str,
    failure: type[SourceFailed],
) -> None:
    stub.script.extend(["success", scenario])
    with pytest.raises(SourceFailed) as failed:
        await source(client, instant, wikidata, stub).ask(M07, ACME)

    assert type(failed.value) is failure


@pytest.mark.parametrize("missing", ["name", "addresses", "filings", "tickers"])
async def test_a_profile_may_lack_parts(client: Client, instant: InstantClock, missing: str) -> None:
    pages = {**PAGES, f"/submissions/CIK{CIK}.json": {**SUBMISSIONS, missing: None}}
    async with stub_upstream(edgar(pages)) as stub:
        filer = await Edgar(client, instant, data_url=stub.url, www_url=stub.url).filer(CIK)

    assert (filer.name is None) == (missing == "name")
    assert (filer.city is None) == (missing == "addresses")
    assert (filer.filings == ()) == (missing == "filings")
    assert (filer.tickers == ()) == (missing == "tickers")


async def reduced(body: bytes, size: int) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for place in range(0, len(body), size):
            yield body[place : place + size]

    return await sec_facts.reduce(chunks())


def facts(taxonomy: str = "us-gaap", **concepts: Json) -> bytes:
    return json.dumps({"facts": {taxonomy: concepts}}).encode()


async def report_of(taxonomy: str = "us-gaap", **concepts: Json) -> Report | None:
    return read_facts(await reduced(facts(taxonomy, **concepts), 1_000))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("size", [1, 7, 100, 1_000_000])
async def test_only_the_needed_facts_are_kept_however_they_arrive(
    monkeypatch: pytest.MonkeyPatch, indent: int | None, size: int
) -> None:
    monkeypatch.setattr(sec_facts, "BLOCK", size)
    kept = msgspec.json.decode(await reduced(json.dumps(FACTS, indent=indent).encode(), size))

    assert {taxonomy for taxonomy, _, _ in kept} == {"us-gaap"}
    assert {tag: concept for _, tag, concept in kept} == {
        tag: concept
        for tag, concept in FACTS["facts"]["us-gaap"].items()
        if tag not in ("AccountsPayableCurrent", "Assets")
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"<html>}", b'{"facts": ', b'{"facts":{"us-gaap":{"Revenues":{"units":{}}', b'{"Revenues":{"a":"}'],
)
async def test_what_is_no_json_or_is_cut_off_is_refused(body: bytes) -> None:
    with pytest.raises(failures.ParseError):
        await reduced(body, 1_000)


async def test_a_figure_without_an_end_is_refused() -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"facts":{"us-gaap":{"Revenues":{"units":"'
        while True:
            yield b"x" * 65_536

    async def chunks() -> AsyncIterator[bytes]:
        for sent, chunk in enumerate(endless()):
            assert sent * 65_536 < 2 * MAX_CONCEPT < MAX_FACTS_BYTES
            yield chunk

    with pytest.raises(failures.ParseError, match="too long"):
        await sec_facts.reduce(chunks())


@pytest.mark.parametrize("body", [b"[1]", b"[["])
def test_facts_of_another_form_are_refused(body: bytes) -> None:
    with pytest.raises(failures.ParseError):
        read_facts(body)


async def test_a_company_that_switched_tags_has_the_newest() -> None:
    report = await report_of(
        RevenueFromContractWithCustomerExcludingAssessedTax=concept(year(2020, 5)),
        Revenues=concept(year(2023, 7), year(2024, 8)),
        SalesRevenueNet=concept(year(2015, 1)),
    )

    assert report
    assert (report.end, report.revenue) == (date(2024, 12, 31), 8)
    assert [period.amount for period in report.revenues] == [7, 8]


async def test_the_fiscal_year_is_that_in_which_it_ends() -> None:
    report = await report_of(Revenues=concept(value("2025-01-31", 8, start="2024-02-01"), year(2023, 7)))

    assert report
    assert financials(report, is_public=False).fiscal_year == 2025
    assert financials(report, is_public=False).revenue_growth_percent is None


async def test_a_figure_of_another_year_or_of_another_form_is_left_out() -> None:
    report = await report_of(
        Revenues=concept(year(2023, 7), year(2024, 8, form="8-K"), year(2025, 8, form="10-Q")),
        NetIncomeLoss=concept(year(2022, 1)),
        OperatingIncomeLoss=concept(year(2023, 1e300)),
        GrossProfit=concept(year(2023, 3), unit="EUR"),
    )

    assert report
    assert (report.end.year, report.revenue) == (2023, 7)
    assert (report.net_income, report.gross_profit, report.operating_income) == (None, None, None)


async def test_a_company_without_revenue_has_a_loss() -> None:
    report = await report_of(
        NetIncomeLoss=concept(year(2024, -5)),
        Revenues=concept(year(2018, 7)),
        CashAndCashEquivalentsAtCarryingValue=concept(year(2024, 3)),
    )

    assert report
    answer = financials(report, is_public=True)
    assert (answer.revenue, answer.net_income, answer.net_margin_percent, answer.total_cash) == (None, -5, None, None)
    assert answer.revenue_by_year == ()


async def test_a_foreign_company_reports_in_its_own_currency() -> None:
    revenue = {
        "units": {
            "CNY": [year(2023, 70, form="20-F"), year(2024, 80, form="20-F")],
            "USD": [year(2024, 11, form="20-F")],
            "pure": [year(2024, 1, form="20-F"), year(2023, 1, form="20-F"), year(2022, 1, form="20-F")],
        }
    }
    report = await report_of("ifrs-full", Revenue=revenue, ProfitLoss=concept(year(2024, 8, form="20-F"), unit="CNY"))

    assert report
    assert (report.currency, report.revenue, report.net_income) == ("CNY", 80, 8)
    assert financials(report, is_public=True).revenue_growth_percent == 14.3


@pytest.mark.parametrize(
    ("more", "end", "amount"),
    [
        ([], "2024-12-31", 100),
        (  # nine months of the current year, and the same of the last
            [
                value("2025-06-30", 55, start="2025-01-01", form="10-Q"),
                value("2025-09-30", 90, start="2025-01-01", form="10-Q"),
                value("2025-09-30", 33, start="2025-07-01", form="10-Q"),
                value("2024-09-28", 70, start="2024-01-01", form="10-Q"),
                value("2024-06-30", 45, start="2024-01-01", form="10-Q"),
            ],
            "2025-09-30",
            120,
        ),
        ([value("2025-09-30", 90, start="2025-01-01", form="10-Q")], "2024-12-31", 100),
    ],
)
async def test_the_last_twelve_months_begin_where_the_last_report_ends(
    more: list[Json], end: str, amount: float
) -> None:
    report = await report_of(Revenues=concept(year(2024, 100), value("2024-12-31", 1), *more))

    assert report
    assert (report.recent_revenue, report.recent_end) == (amount, date.fromisoformat(end))


async def test_a_reply_that_is_no_index_is_refused(client: Client, instant: InstantClock) -> None:
    async with stub_upstream(lambda _: Reply(b"{}")) as stub:
        reader = Edgar(client, instant, data_url=stub.url, www_url=stub.url)
        stub.answer = edgar()
        filer = await reader.filer(CIK)
        stub.answer = lambda _: Reply(b"{}")
        with pytest.raises(failures.ParseError):
            await reader.exhibits(CIK, filer.filings[0])
