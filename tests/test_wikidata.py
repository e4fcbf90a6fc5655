"""
The source `wikidata`: revenue with its year and currency, and companies in the same industry.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import AnnualRevenue, Competitor, Competitors, Financials
from enrichment.modules.module import Subject
from enrichment.modules.table import MODULES
from enrichment.sources import failures
from enrichment.sources.http import Client
from enrichment.sources.identity import Identities
from enrichment.sources.wikidata import NOT_MEASURED, Wikidata
from enrichment.sources.wikidata_items import WIKIDATA_URL, Item, Quantity, WikidataItems
from schemas import Method
from tests.answers.wikidata import Json, amount, at, claim, entity, ref, wikidata
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream

M05, M07 = MODULES["m05_competitors"], MODULES["m07_financials"]


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def client(instant: InstantClock) -> AsyncIterator[Client]:
    async with live_client(instant) as client:
        yield client


@pytest.fixture
async def stub() -> AsyncIterator[StubUpstream]:
    async with stub_upstream(wikidata()) as stub:
        yield stub


def source(client: Client, instant: InstantClock, stub: StubUpstream) -> Wikidata:
    items = WikidataItems(client, stub.url)
    return Wikidata(items, Identities(items, None, instant), instant)


async def test_a_revenue_comes_with_its_year_and_its_currency(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    finding = await source(client, instant, stub).ask(M07, Subject(domain="acme.example"))

    assert finding.read(Financials) == Financials(
        is_public=True,
        currency="USD",
        fiscal_year=2024,
        revenue=2_000_000_000,
        revenue_growth_percent=25.0,
        net_income=-50_000_000,
        net_margin_percent=-2.5,
        revenue_by_year=(
            AnnualRevenue(fiscal_year=2023, revenue=1_600_000_000),
            AnnualRevenue(fiscal_year=2024, revenue=2_000_000_000),
        ),
    )
    assert (finding.source, finding.method, finding.simulated) == ("wikidata", Method.API, False)
    assert finding.observed_at == 1_735_603_200.0
    assert finding.match_confidence == 0.8
    (citation,) = finding.citations
    assert citation.url == f"{stub.url}/wiki/Q1"
    assert citation.title == "Wikidata: Acme, revenue of 2024-12-31"


async def test_the_code_of_another_currency_is_looked_up(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    finding = await source(client, instant, stub).ask(M07, Subject(domain="betamax.example"))

    assert finding.read(Financials) == Financials(
        is_public=False,
        currency="EUR",
        fiscal_year=2023,
        revenue=7_500_000,
        revenue_by_year=(AnnualRevenue(fiscal_year=2023, revenue=7_500_000),),
    )
    assert finding.observed_at == 1_703_980_800.0


@pytest.mark.parametrize(
    "revenue",
    [
        [],
        [claim(amount("+7"), P585=at("2024-01-01"))],
        [claim(amount("+7", "Q4917"))],
        [claim(amount("+7", "Q999"), P585=at("2024-01-01"))],
        [claim(amount("+7", "Q998"), P585=at("2024-01-01"))],
        [claim(amount("many", "Q4917"), P585=at("2024-01-01"))],
        [claim({"amount": None, "unit": None}, P585=at("2024-01-01"))],
        [claim(amount("nan", "Q4917"), P585=at("2024-01-01"))],
        [claim(amount("+1e30", "Q4917"), P585=at("2024-01-01"))],
        [claim("seven", P585=at("2024-01-01"))],
        [claim(amount("+7", "Q4917"), P585="yesterday")],
    ],
)
async def test_a_revenue_without_year_or_currency_is_not_known(
    client: Client, instant: InstantClock, revenue: list[Json]
) -> None:
    company = entity("Acme", P856=claim("https://acme.example/"), P452=claim(ref("Q100")), P2139=revenue)
    async with stub_upstream(wikidata({"Q1": company, "Q998": entity("barter", P498=claim("barter"))})) as stub:
        with pytest.raises(failures.NotFound, match="no revenue of this company"):
            await source(client, instant, stub).ask(M07, Subject(domain="acme.example"))


async def test_growth_after_a_year_without_revenue_is_not_known(client: Client, instant: InstantClock) -> None:
    revenues = [
        claim(amount("+7", "Q4917"), P585=at("2024-12-31")),
        claim(amount("+6", "Q4917"), P585=at("2024-02-31")),
        claim(amount("+0", "Q4917"), P585=at("2023-00-00", 9)),
    ]
    company = entity(None, P856=claim("https://acme.example/"), P452=claim(ref("Q100")), P2139=revenues)
    async with stub_upstream(wikidata({"Q1": company})) as stub:
        finding = await source(client, instant, stub).ask(M07, Subject(domain="acme.example"))

    answer = finding.read(Financials)
    assert (answer.revenue, answer.revenue_growth_percent, len(answer.revenue_by_year)) == (7, None, 2)
    assert finding.citations[0].title == "Wikidata: Q1, revenue of 2024-12-31"


async def test_companies_in_a_small_industry_are_compared_by_what_they_have_in_common(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    finding = await source(client, instant, stub).ask(M05, Subject(domain="acme.example"))

    assert finding.read(Competitors) == Competitors(
        competitors=(
            Competitor(domain="rival.example", similarity=0.67),
            Competitor(domain="cousin.example", similarity=0.33),
        ),
        note=NOT_MEASURED,
    )
    assert finding.method == Method.DERIVED
    assert finding.observed_at is None
    assert finding.citations[0].title == "Wikidata: companies in the industry of Acme, Aerospace and Software"


async def test_a_large_industry_says_nothing(client: Client, instant: InstantClock) -> None:
    items: Mapping[str, Json] = {
        f"Q{each}": entity(
            None, P856=claim(f"https://c{each}.example/"), P452=claim(ref("Q900")), P17=claim(ref("Q30"))
        )
        for each in range(1, 40)
    }
    async with stub_upstream(wikidata(items)) as stub:
        with pytest.raises(failures.NotFound, match="no companies, or too many"):
            await source(client, instant, stub).ask(M05, Subject(domain="c1.example"))


async def test_without_country_or_industry_no_company_is_similar(client: Client, instant: InstantClock) -> None:
    company = entity("Acme", P856=claim("https://acme.example/"), P452=claim(ref("Q100")))
    async with stub_upstream(wikidata({"Q1": company})) as stub:
        with pytest.raises(failures.NotFound, match="does not know the industry"):
            await source(client, instant, stub).ask(M05, Subject(domain="acme.example"))


async def test_a_subsidiary_of_its_own_is_no_competitor(client: Client, instant: InstantClock) -> None:
    same: Any = {"P452": claim(ref("Q900")), "P17": claim(ref("Q30"))}
    items = {
        "Q1": entity("Acme", P856=claim("https://acme.example/"), P355=claim(ref("Q2")), **same),
        "Q2": entity("Child", P856=claim("https://child.example/"), **same),
        "Q3": entity("Dead", P856=claim("https://dead.example/"), P576=claim(at("2001-01-01")), **same),
        "Q4": entity("Also Acme", P856=claim("https://www.acme.example/shop"), **same),
        "Q5": entity("Other", P856=claim("https://other.example/"), **same),
    }
    async with stub_upstream(wikidata(items)) as stub:
        finding = await source(client, instant, stub).ask(M05, Subject(domain="acme.example"))

    (competitor,) = finding.read(Competitors).competitors
    assert competitor == Competitor(domain="other.example", similarity=1.0)
    assert finding.citations[0].title == "Wikidata: companies in the industry of Acme"


async def test_another_module_is_not_served(client: Client, instant: InstantClock, stub: StubUpstream) -> None:
    with pytest.raises(SourceFailed, match="does not serve"):
        await source(client, instant, stub).ask(MODULES["m03_traffic"], Subject(domain="acme.example"))


@pytest.mark.parametrize(
    ("scenario", "failure"),
    [
        ("empty", failures.ParseError),
        ("nothing", failures.UpstreamError),
        ("nulls", failures.NotFound),
        ("wrong_types", failures.ParseError),
        ("truncated_json", failures.ParseError),
        ("html", failures.ParseError),
        ("forbidden", failures.AuthError),
        ("unknown", failures.UpstreamError),
        ("rate_limited_for_1_day", failures.RateLimited),
        ("broken", failures.UpstreamError),
        ("unavailable", failures.Transient),
        ("reset", failures.Transient),
        ("redirect_loop", failures.UpstreamError),
        ("oversized", failures.ParseError),
        ("gzip_bomb", failures.ParseError),
    ],
)
async def test_what_can_go_wrong(
    client: Client, instant: InstantClock, stub: StubUpstream, scenario: str, failure: type[SourceFailed]
) -> None:
    stub.scenario = scenario
    with pytest.raises(SourceFailed) as failed:
        await source(client, instant, stub).ask(M07, Subject(domain="acme.example"))

    assert type(failed.value) is failure


@pytest.mark.parametrize(("code", "requests"), [("ratelimited", 2), ("maxlag", 2), ("internal_api_error", 1)])
async def test_an_error_with_status_200_is_a_failure(
    client: Client, instant: InstantClock, code: str, requests: int
) -> None:
    answer, errors = wikidata(), [Reply(json.dumps({"error": {"code": code, "info": "x"}}).encode())]
    async with stub_upstream(lambda received: errors.pop() if errors else answer(received)) as stub:
        items = WikidataItems(client, stub.url)
        if requests == 1:
            with pytest.raises(failures.UpstreamError):
                await items.labels(["Q1"])
        else:
            assert await items.labels(["Q1"]) == {"Q1": "Acme"}

    assert len(stub.received) == requests


async def test_an_answer_without_items_is_a_failure(client: Client) -> None:
    async with stub_upstream(lambda _: Reply(b'{"entities": []}')) as stub:
        with pytest.raises(failures.UpstreamError):
            await WikidataItems(client, stub.url).get(["Q1"])


async def test_a_request_for_nothing_is_not_sent(client: Client, stub: StubUpstream) -> None:
    assert await WikidataItems(client, stub.url).get([]) == {}
    assert stub.received == []


async def test_requests_keep_their_distance(client: Client, instant: InstantClock, stub: StubUpstream) -> None:
    items = WikidataItems(client, stub.url)
    for _ in range(3):
        await items.named("Acme")

    assert instant.sleeps == [0.2, 0.2]


async def test_only_a_set_address_may_be_on_a_private_network(client: Client) -> None:
    assert WikidataItems(client).upstream.trusted_origins == ()
    assert WikidataItems(client, "http://127.0.0.1:1/").upstream.trusted_origins == ("http://127.0.0.1:1/",)
    assert WikidataItems(client).url_of("Q1") == f"{WIKIDATA_URL}/wiki/Q1"


def test_an_item_with_empty_arrays_in_place_of_objects_is_read() -> None:
    item = Item(labels=[], descriptions=[], claims=[])

    assert (item.label, item.description, item.claims_of("P856"), item.has("P856")) == (None, None, [], 0)


@pytest.mark.parametrize(
    ("claims", "amounts"),
    [
        ([claim(amount("+1"), P585=at("2020-01-01")), claim(amount("+2"), "preferred", P585=at("2010-01-01"))], [2]),
        ([claim(amount("+1"), P585=at("2020-01-01")), claim(amount("+2"), P585=at("2021-00-00", 9))], [2, 1]),
        ([claim(amount("+1"), P585=at("2020-05-01")), claim(amount("+2"), P585=at("2020-06-01"))], [2, 1]),
    ],
)
def test_the_preferred_and_the_newest_value_comes_first(claims: list[Json], amounts: list[int]) -> None:
    item = msgspec.convert({"claims": {"P1128": claims}}, Item)

    assert [quantity.amount for quantity in item.quantities("P1128")] == amounts
    assert all(isinstance(quantity, Quantity) and quantity.unit is None for quantity in item.quantities("P1128"))
