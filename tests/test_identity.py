"""
Which company a domain belongs to: only one whose official website is there.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from enrichment.errors import SourceFailed, UnknownCompany
from enrichment.sources import failures
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.http import Client
from enrichment.sources.identity import Identities, Listing, Site
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.wikidata_items import WikidataItems
from tests.answers.wikidata import ITEMS, claim, entity, ref, wikidata
from tests.upstreams import InstantClock, StubUpstream, live_client, stub_upstream


class FakeAddress(msgspec.Struct, frozen=True):
    """What a website says about an address."""

    city: str | None = None
    region: str | None = None
    country: str | None = None


class FakeSite(msgspec.Struct, frozen=True):
    """What a website says about its company."""

    url: str
    name: str | None = None
    description: str | None = None
    founded: int | None = None
    address: FakeAddress | None = None
    employees: int | None = None
    naics: str | None = None
    matched_by: str = "website"
    match_confidence: float = 1.0


class FakeSites:
    """Websites by domain; that of another domain cannot be reached."""

    def __init__(self, sites: Mapping[str, FakeSite | SourceFailed]) -> None:
        self.sites = sites
        self.asked: list[str] = []

    async def site_facts(self, domain: str) -> Site:
        self.asked.append(domain)
        site = self.sites.get(domain, failures.Transient("It cannot be connected to."))
        if isinstance(site, SourceFailed):
            raise site
        return site


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


def searched(stub: StubUpstream) -> list[str]:
    """The URLs that items were looked up by."""
    marker = "srsearch=haswbstatement%3AP856%3D"
    targets = [received.target for received in stub.received if marker in received.target]
    return [target.split(marker)[1].split("&")[0].replace("%3A", ":").replace("%2F", "/") for target in targets]


async def test_the_company_is_the_one_whose_official_website_is_at_the_domain(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    identity = await Identities(WikidataItems(client, stub.url), None, instant).identify("acme.example")

    assert (identity.item_id, identity.name, identity.cik) == ("Q1", "Acme", "0001234567")
    assert identity.listings == (Listing("Nasdaq", "ACME"),)
    assert (identity.ticker, identity.exchange, identity.is_listed) == ("ACME", "Nasdaq", True)
    assert identity.names_of("P452") == ["Aerospace", "Software"]
    assert identity.matched_by == "official website in Wikidata, as the one of 2 that is a company"
    assert identity.match_confidence == 0.8
    assert searched(stub) == ["https://www.acme.example/"]
    assert "lead-enrichment/" in stub.received[0].headers["user-agent"]


async def test_all_spellings_of_a_website_are_tried_and_then_the_name(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    identity = await Identities(WikidataItems(client, stub.url), None, instant).identify("betamax.example")

    assert identity.name == "Betamax GmbH"
    assert searched(stub) == [
        "https://www.betamax.example/",
        "https://betamax.example/",
        "https://www.betamax.example",
        "https://betamax.example",
        "http://www.betamax.example/",
        "http://betamax.example/",
        "http://www.betamax.example",
        "http://betamax.example",
    ]
    assert (identity.matched_by, identity.match_confidence) == ("official website in Wikidata, found by name", 0.9)
    assert (identity.is_listed, identity.ticker, identity.exchange, identity.cik) == (False, None, None, None)


@pytest.mark.parametrize(
    "domain",
    [
        "nobody.example",
        "rocket.example",  # there are companies with such a name, elsewhere
        "twin.example",
        "gone.example",
        "person.example",
        "former.example",
        "bare.example",
    ],
)
async def test_no_company_is_better_than_a_wrong_one(
    client: Client, instant: InstantClock, stub: StubUpstream, domain: str
) -> None:
    identities = Identities(WikidataItems(client, stub.url), None, instant)
    with pytest.raises(failures.NotFound):
        await identities.identify(domain)
    requests = len(stub.received)
    with pytest.raises(failures.NotFound):  # and that is kept
        await identities.identify(domain)

    assert len(stub.received) == requests


async def test_a_subdomain_belongs_to_the_company_of_its_domain(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    identity = await Identities(WikidataItems(client, stub.url), None, instant).identify("shop.betamax.example")

    assert identity.name == "Betamax GmbH"
    assert identity.matched_by == "official website of betamax.example in Wikidata, found by name"
    assert identity.match_confidence == 0.85
    assert "https://www.shop.betamax.example/" not in searched(stub)


async def test_a_subdomain_with_an_item_of_its_own_is_another_company(client: Client, instant: InstantClock) -> None:
    own = entity("Acme Labs", P856=claim("https://labs.acme.example"), P452=claim(ref("Q101")))
    async with stub_upstream(wikidata({**ITEMS, "Q50": own})) as stub:
        identity = await Identities(WikidataItems(client, stub.url), None, instant).identify("labs.acme.example")

    assert (identity.name, identity.match_confidence, identity.is_listed) == ("Acme Labs", 0.95, None)


@pytest.mark.parametrize(
    ("site", "name", "matched_by", "confidence"),
    [
        (
            FakeSite("https://www.acme.example/", matched_by="redirect to acme.example", match_confidence=0.7),
            "Acme",
            "redirect to acme.example, which is the official website in Wikidata, as the one of 2 that is a company",
            0.7,
        ),
        (
            FakeSite("https://betamax.example/", "Betamax", matched_by="redirect to betamax.example"),
            "Betamax GmbH",
            "redirect to betamax.example, which is the official website in Wikidata, found by name",
            0.9,
        ),
    ],
)
async def test_a_domain_that_redirects_belongs_to_the_company_that_it_leads_to(
    client: Client, instant: InstantClock, stub: StubUpstream, site: FakeSite, name: str, matched_by: str,
    confidence: float,
) -> None:  # fmt: skip
    sites = FakeSites({"old.example": site})
    identity = await Identities(WikidataItems(client, stub.url), sites, instant).identify("old.example")

    assert (identity.name, identity.domain) == (name, "old.example")
    assert (identity.matched_by, identity.match_confidence) == (matched_by, confidence)


async def test_the_name_on_the_website_finds_the_item_but_its_website_decides(
    client: Client, instant: InstantClock
) -> None:
    item = entity("Umbrella", P856=claim("https://umb.example/en-us/"), P159=claim(ref("Q110")))
    sites = FakeSites(
        {
            "umb.example": FakeSite("https://umb.example/", "Umbrella"),
            "fake.example": FakeSite("https://fake.example/", "Umbrella"),
            "mute.example": FakeSite("https://mute.example/"),
        }
    )
    async with stub_upstream(wikidata({"Q60": item})) as stub:
        identities = Identities(WikidataItems(client, stub.url), sites, instant)
        found = await identities.identify("umb.example")
        for domain in ("fake.example", "mute.example", "dead.example"):
            with pytest.raises(failures.NotFound):
                await identities.identify(domain)

    assert (found.name, found.match_confidence) == ("Umbrella", 0.9)


async def test_a_website_is_not_read_if_wikidata_knows_the_domain(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    sites = FakeSites({})
    await Identities(WikidataItems(client, stub.url), sites, instant).identify("acme.example")

    assert sites.asked == []


async def test_addresses_in_wikidata_that_cannot_be_read_are_passed_over(client: Client, instant: InstantClock) -> None:
    odd = entity(
        "Odd", P856=[claim("http://[bad"), claim(7), claim("https://odd.example/")], P452=claim(ref("Q100")),
        P414=[claim(ref("Q82059")), claim("x", P249="X")], P5531=[claim("x1")],
    )  # fmt: skip
    async with stub_upstream(wikidata({"Q70": odd, "Q82059": ITEMS["Q82059"]})) as stub:
        identity = await Identities(WikidataItems(client, stub.url), None, instant).identify("odd.example")

    assert (identity.listings, identity.is_listed, identity.cik) == ((), True, None)


@pytest.mark.parametrize(
    "website", ["https://bücher.example", "https://www.xn--bcher-kva.example/", "http://BÜCHER.example/de"]
)
async def test_an_international_name_may_stand_in_wikidata_in_its_letters(
    client: Client, instant: InstantClock, website: str
) -> None:
    item = entity("Bücher", P856=claim(website), P452=claim(ref("Q100")))
    async with stub_upstream(wikidata({"Q80": item})) as stub:
        identity = await Identities(WikidataItems(client, stub.url), None, instant).identify("xn--bcher-kva.example")

    assert identity.item_id == "Q80"


async def test_the_modules_of_a_job_share_the_look_up(
    client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    CONTEXT.set(CallContext(clock=instant))
    identities = Identities(WikidataItems(client, stub.url), None, instant)
    found = await asyncio.gather(*(identities.identify("acme.example") for _ in range(5)))

    assert all(identity is found[0] for identity in found)
    assert len(stub.received) == 3


async def test_a_look_up_is_repeated_after_its_time(client: Client, instant: InstantClock, stub: StubUpstream) -> None:
    identities = Identities(WikidataItems(client, stub.url), None, instant)
    await identities.identify("acme.example")
    await instant.sleep(901)
    await identities.identify("acme.example")

    assert len(stub.received) == 6


async def test_a_failure_is_not_kept_and_the_next_caller_tries_again(instant: InstantClock) -> None:
    cache: LookupCache[int] = LookupCache(instant, seconds=60, max_entries=2)
    outcomes: list[Any] = [failures.Transient("It broke off the connection."), 7]

    async def look_up() -> int:
        await asyncio.sleep(0)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return int(outcome)

    results = await asyncio.gather(*(cache.get("a", look_up) for _ in range(3)), return_exceptions=True)

    assert [type(result) for result in results] == [failures.Transient, int, int]


async def test_the_oldest_values_are_dropped(instant: InstantClock) -> None:
    cache: LookupCache[int] = LookupCache(instant, seconds=60, max_entries=2)
    made: list[str] = []

    async def get(key: str) -> None:
        async def look_up() -> int:
            made.append(key)
            if key == "c":
                raise UnknownCompany(key)
            return 1

        await cache.get(key, look_up)

    await get("a")
    await get("b")
    for _ in range(2):
        with pytest.raises(UnknownCompany):
            await get("c")
    await get("b")
    await get("a")

    assert made == ["a", "b", "c", "a"]
