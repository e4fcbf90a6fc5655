"""
The source `public_records`: which fact comes from where, and what is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import CompanyContext
from enrichment.modules.module import Subject
from enrichment.modules.places import state_code
from enrichment.modules.table import MODULES
from enrichment.sources import failures
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.edgar import Edgar
from enrichment.sources.http import Client
from enrichment.sources.identity import Identities
from enrichment.sources.places import country_name, headquarters
from enrichment.sources.public_records import PublicRecords
from enrichment.sources.rdap import Rdap
from enrichment.sources.wikidata_items import WikidataItems
from schemas import Method
from tests.answers import rdap, sec
from tests.answers import wikidata as wiki
from tests.conftest import FakeClock
from tests.test_identity import FakeAddress, FakeSite, FakeSites
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream

M01 = MODULES["m01_company_context"]
ACME = Subject(domain="acme.example")
SITE = FakeSite(
    "https://www.acme.example/",
    name="Acme Rockets",
    description="Rockets for everyone.",
    founded=1986,
    address=FakeAddress("Austin", "Texas", "US"),
    employees=1_234,
    naics="336414",
)
NAME_ONLY = FakeSite("https://www.acme.example/", name="Acme")


class Stubs(msgspec.Struct):
    """The services, and a source that asks them."""

    wikidata: StubUpstream
    sec: StubUpstream
    rdap: StubUpstream
    sites: FakeSites
    source: PublicRecords


Make = Callable[..., Any]


class PatientClock(InstantClock):
    """No waiting, but for the time limit of a place, which is never reached."""

    async def sleep(self, seconds: float) -> None:
        await (asyncio.Event().wait() if seconds > 5 else super().sleep(seconds))


@pytest.fixture
def instant() -> InstantClock:
    return PatientClock()


@pytest.fixture
async def client(instant: InstantClock) -> AsyncIterator[Client]:
    async with live_client(instant) as client:
        yield client


@pytest.fixture
async def make(client: Client, instant: InstantClock) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        async def make(
            site: FakeSite | SourceFailed, items: Mapping[str, wiki.Json] = wiki.ITEMS, domain: str = "acme.example"
        ) -> Stubs:
            wikidata = await stack.enter_async_context(stub_upstream(wiki.wikidata(items)))
            edgar_stub = await stack.enter_async_context(stub_upstream(sec.edgar()))
            rdap_stub = await stack.enter_async_context(stub_upstream(rdap.redirector()))
            sites = FakeSites({domain: site})
            known = WikidataItems(client, wikidata.url)
            source = PublicRecords(
                sites=sites,
                items=known,
                identities=Identities(known, sites, instant),
                edgar=Edgar(client, instant, data_url=edgar_stub.url, www_url=edgar_stub.url),
                rdap=Rdap(client, instant, base_url=rdap_stub.url),
                clock=instant,
            )
            return Stubs(wikidata, edgar_stub, rdap_stub, sites, source)

        yield make


async def test_each_field_comes_from_the_first_place_that_has_it(make: Make) -> None:
    stubs = await make(SITE)
    finding = await stubs.source.ask(M01, ACME)

    assert finding.read(CompanyContext) == CompanyContext(
        company_name="Acme Rockets",
        founded=1986,
        hq="Austin, TX",
        employees=1_234,
        industry="Aerospace",
        naics_code="336414",
        company_type="public",
        revenue_range="$0-$1M",
        country="United States",
        description="Rockets for everyone.",
    )
    assert finding.field_sources == {
        "company_name": "homepage",
        "description": "homepage",
        "founded": "homepage",
        "employees": "homepage",
        "naics_code": "homepage",
        "hq": "homepage",
        "country": "homepage",
        "company_type": "sec",
        "revenue_range": "sec",
        "industry": "wikidata",
    }
    assert (finding.source, finding.method) == ("public_records", Method.API)
    assert finding.matched_by == "website; official website in Wikidata, as the one of 2 that is a company"
    assert finding.match_confidence == 0.8
    assert finding.observed_at == 1_767_139_200.0
    assert [(citation.source, citation.title) for citation in finding.citations] == [
        ("homepage", "Website of the company"),
        ("wikidata", "Wikidata: Acme"),
        ("sec", "ACME CORP at the SEC, revenue of the twelve months until 2025-12-31"),
        ("rdap", "Registration of the domain on 1995-08-14"),
    ]


async def test_without_a_website_the_registers_answer(make: Make) -> None:
    stubs = await make(failures.Transient("It cannot be connected to."))
    stubs.sec.scenario = "broken"
    finding = await stubs.source.ask(M01, ACME)

    assert finding.read(CompanyContext) == CompanyContext(
        company_name="Acme",
        founded=1987,
        hq="Austin, United States",
        employees=1_200,
        industry="Aerospace",
        company_type="public",
        revenue_range="$1B-$10B",
        country="United States",
        description="American maker of rockets",
    )
    assert set(finding.field_sources.values()) == {"wikidata"}
    assert finding.observed_at == 1_727_481_600.0
    assert [citation.title for citation in finding.citations] == [
        "Wikidata: Acme, employees of 2024-09-28, revenue of 2024-12-31",
        "Registration of the domain on 1995-08-14",
    ]


async def test_the_sec_knows_the_seat_of_a_company(make: Make) -> None:
    stubs = await make(FakeSite("https://www.acme.example/", name="Acme", address=FakeAddress()))
    finding = await stubs.source.ask(M01, ACME)

    assert finding.read(CompanyContext).hq == "Austin, TX"
    assert (finding.field_sources["hq"], finding.field_sources["country"]) == ("sec", "sec")


async def test_a_website_alone_is_enough(make: Make) -> None:
    site = FakeSite("https://betamax.example/", name="Solo", naics="none", address=FakeAddress("Brno", None, "CZ"))
    stubs = await make(site, {}, "solo.example")
    finding = await stubs.source.ask(M01, Subject(domain="solo.example"))

    assert finding.read(CompanyContext) == CompanyContext(
        company_name="Solo", hq="Brno, Czech Republic", country="Czech Republic"
    )
    assert (finding.method, finding.matched_by, finding.match_confidence) == (Method.SCRAPE, "website", 1.0)
    assert finding.observed_at is None
    assert [citation.source for citation in finding.citations] == ["homepage"]


async def test_a_company_that_has_left_the_stock_exchange_is_private(make: Make) -> None:
    stubs = await make(failures.Transient("x"), domain="betamax.example")
    finding = await stubs.source.ask(M01, Subject(domain="betamax.example"))

    answer = finding.read(CompanyContext)
    assert (answer.company_type, answer.revenue_range, answer.hq) == ("private", None, "Munich, Germany")
    assert stubs.sec.received == []


async def test_a_company_that_no_place_knows_is_unknown(make: Make) -> None:
    stubs = await make(failures.NotFound("Its domain is not in use."), {}, "nobody.example")
    with pytest.raises(failures.NotFound, match="No public record"):
        await stubs.source.ask(M01, Subject(domain="nobody.example"))


async def test_a_failure_is_not_taken_for_an_unknown_company(make: Make) -> None:
    stubs = await make(failures.Transient("It cannot be connected to."), {}, "nobody.example")
    with pytest.raises(failures.Transient, match="It cannot be connected to"):
        await stubs.source.ask(M01, Subject(domain="nobody.example"))


async def test_another_module_is_not_served(make: Make) -> None:
    stubs = await make(SITE)
    with pytest.raises(SourceFailed, match="does not serve"):
        await stubs.source.ask(MODULES["m03_traffic"], ACME)


@pytest.mark.parametrize(
    ("site", "registered", "matched_by", "confidence"),
    [
        (NAME_ONLY, "2026-01-15T00:00:00Z", "registered long after the company was founded", 0.6),
        (NAME_ONLY, "2024-01-15T00:00:00Z", "as the one of 2 that is a company", 0.8),
        (NAME_ONLY, None, "as the one of 2 that is a company", 0.8),
        (FakeSite("https://www.acme.example/", name="Lucky Casino"), None, "the website has another name", 0.6),
        (FakeSite("https://www.acme.example/", name="AcmeRockets"), None, "as the one of 2 that is a company", 0.8),
        (FakeSite("https://www.acme.example/"), None, "as the one of 2 that is a company", 0.8),
        (failures.NotFound("It is for sale."), None, "the domain leads to no website of a company", 0.6),
    ],
)
async def test_a_domain_that_may_have_been_sold_makes_a_match_unsure(
    make: Make, site: FakeSite, registered: str | None, matched_by: str, confidence: float
) -> None:
    stubs = await make(site)
    events = [{"eventAction": "registration", "eventDate": registered}]
    stubs.rdap.answer = lambda _: Reply(msgspec.json.encode({**rdap.DOMAIN, "events": events}))
    finding = await stubs.source.ask(M01, ACME)

    assert finding.matched_by.endswith(matched_by)
    assert finding.match_confidence == confidence


@pytest.mark.parametrize(
    ("changes", "company_type", "range_source", "hq_source"),
    [
        ({"tickers": []}, "wikidata", "sec", "sec"),
        ({"addresses": {"business": {"city": "LONDON", "stateOrCountry": "X0"}}}, "sec", "sec", "wikidata"),
        ({"name": None}, "sec", "sec", "sec"),
    ],
)
async def test_what_the_sec_does_not_say_comes_from_wikidata(
    make: Make, changes: Mapping[str, Any], company_type: str, range_source: str, hq_source: str
) -> None:
    stubs = await make(NAME_ONLY)
    pages = {**sec.PAGES, f"/submissions/CIK{sec.CIK}.json": {**sec.SUBMISSIONS, **changes}}
    stubs.sec.answer = sec.edgar(pages)
    finding = await stubs.source.ask(M01, ACME)

    assert finding.field_sources["company_type"] == company_type
    assert finding.field_sources["revenue_range"] == range_source
    assert finding.field_sources["hq"] == hq_source


@pytest.mark.parametrize(
    "revenues",
    [sec.concept(sec.year(2025, 7), unit="EUR"), sec.concept(sec.year(2025, -7))],
)
async def test_a_revenue_that_is_not_in_dollars_or_negative_has_no_range(make: Make, revenues: Any) -> None:
    item = wiki.entity(
        "Acme",
        P856=wiki.claim("https://acme.example/"),
        P452=wiki.claim(wiki.ref("Q100")),
        P5531=wiki.claim("1234567"),
        P1128=wiki.claim(wiki.amount("-5"), P585=wiki.at("2024-01-01")),
    )
    stubs = await make(NAME_ONLY, {"Q1": item})
    facts = {"facts": {"us-gaap": {"Revenues": revenues}}}
    stubs.sec.answer = sec.edgar({**sec.PAGES, f"/api/xbrl/companyfacts/CIK{sec.CIK}.json": facts})
    finding = await stubs.source.ask(M01, ACME)

    answer = finding.read(CompanyContext)
    assert (answer.revenue_range, answer.employees, answer.industry) == (None, None, sec.SUBMISSIONS["sicDescription"])
    assert finding.citations[1].title == "ACME CORP at the SEC"


class SlowSites(FakeSites):
    """Websites that do not answer."""

    async def site_facts(self, domain: str) -> Any:
        await asyncio.Event().wait()


async def test_a_slow_place_is_not_waited_for(clock: FakeClock) -> None:
    async with (
        live_client(clock) as client,
        stub_upstream(wiki.wikidata()) as wikidata,
        stub_upstream(sec.edgar()) as edgar,
        stub_upstream(rdap.redirector()) as registry,
    ):
        items = WikidataItems(client, wikidata.url)
        source = PublicRecords(
            sites=SlowSites({}),
            items=items,
            identities=Identities(items, None, clock),
            edgar=Edgar(client, clock, data_url=edgar.url, www_url=edgar.url),
            rdap=Rdap(client, clock, base_url=registry.url),
            clock=clock,
        )
        CONTEXT.set(CallContext(clock=clock))
        started = clock.now()
        task = asyncio.create_task(source.ask(M01, ACME))
        while not task.done():
            await asyncio.sleep(0.001)
            await clock.advance(0.05)
        finding = await task

    assert finding.read(CompanyContext).company_name == "Acme"
    assert 8 <= clock.now() - started < 12


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("us", "United States"),
        ("USA", "United States"),
        ("U.S.A.", "United States"),
        ("United States of America", "United States"),
        ("Czechia", "Czech Republic"),
        (" Germany ", "Germany"),
        ("XX", None),
    ],
)
def test_a_country_is_given_by_its_full_name(text: str, name: str | None) -> None:
    assert country_name(text) == name


@pytest.mark.parametrize(
    ("city", "state", "country", "text"),
    [
        ("Austin", "Texas", "United States", "Austin, TX"),
        ("Austin", "tx", None, "Austin, TX"),
        ("Perth", "WA", "Australia", "Perth, Australia"),
        ("Austin", None, "United States", "Austin, United States"),
        ("Berlin", None, None, "Berlin"),
        (None, "TX", "United States", None),
    ],
)
def test_headquarters_are_a_city_with_state_or_country(
    city: str | None, state: str | None, country: str | None, text: str | None
) -> None:
    assert headquarters(city, state, country) == text


def test_a_state_is_given_by_its_code() -> None:
    assert (state_code(" new york "), state_code("ny"), state_code("Bavaria")) == ("NY", "NY", None)
