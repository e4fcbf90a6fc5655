"""
Apollo: what is asked for, whose record it is, and what is made of it.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import (
    CompanyContext,
    Financials,
    HiringSignals,
    Technology,
    TechStack,
    TriggerEvent,
    TriggerEvents,
)
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.apollo import Apollo
from enrichment.sources.failures import (
    AuthError,
    BadRequest,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unauthorized,
    UpstreamError,
)
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, by_path, paths, reply
from tests.conftest import FakeClock
from tests.upstreams import InstantClock, Received, Reply, StubUpstream, live_client, stub_upstream

SAMPLES = answers("apollo")
KEY = "apollo-private-key"
ENRICH, POSTINGS, NEWS, HEALTH = (
    "/api/v1/organizations/enrich",
    "/api/v1/organizations/5e66b6381e05b4008c8331b8/job_postings",
    "/api/v1/news_articles/search",
    "/api/v1/auth/health",
)
MODULE_IDS = ("m01_company_context", "m02_tech_stack", "m07_financials", "m10_hiring_signals", "m12_trigger_events")


class Case(NamedTuple):
    """The source and its service."""

    source: Apollo
    stub: StubUpstream
    clock: InstantClock
    client: Client
    replies: dict[str, Reply]

    async def ask(self, module: str, domain: str = "rocketworks.example") -> Finding:
        module_id = next(module_id for module_id in MODULE_IDS if module_id.startswith(module))
        return await self.source.ask(MODULES[module_id], Subject(domain=domain))

    def change(self, **fields: Any) -> None:
        """Answer with a record that has these values."""
        changed = copy.deepcopy(SAMPLES["enrich"])
        changed["organization"] |= fields
        self.replies[ENRICH] = reply(changed)

    @property
    def asked(self) -> list[str]:
        return paths(self.stub.received)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = InstantClock()
    replies = {
        ENRICH: reply(SAMPLES["enrich"]),
        POSTINGS: reply(SAMPLES["job_postings"]),
        NEWS: reply(SAMPLES["news"]),
        HEALTH: reply(SAMPLES["health"]),
    }
    async with stub_upstream(by_path(replies)) as stub, live_client(clock) as client:
        source = Apollo(client, clock, key=KEY, base_url=f"{stub.url}/api/v1")
        yield Case(source, stub, clock, client, replies)


async def test_a_company(case: Case) -> None:
    finding = await case.ask("m01")

    assert finding.read(CompanyContext) == CompanyContext(
        company_name="Rocket Works",
        founded=2015,
        hq="Austin, TX",
        employees=170,
        industry="computer software",
        revenue_range="$10M-$50M",
        country="United States",
        description="Rocket Works builds rockets.",
    )
    assert (finding.source, finding.method, finding.fetched_at) == ("apollo", "api", case.clock.now())
    assert (finding.matched_by, finding.match_confidence) == ("domain of the organization", 0.95)
    (citation,) = finding.citations
    assert citation.url == f"{case.stub.url}{ENRICH}?domain=rocketworks.example"
    assert citation.title == "Apollo: company, with the number of employees and the revenue as Apollo estimates them"
    assert citation.simulated is False


async def test_what_is_sent(case: Case) -> None:
    for module in ("m10", "m12"):
        await case.ask(module)

    enrich, postings, news = case.stub.received
    for received in case.stub.received:
        assert received.headers["x-api-key"] == KEY
        assert received.headers["content-type"] == "application/json"
        assert received.headers["cache-control"] == "no-cache"
        assert "https://example.com/bot" in received.headers["user-agent"]
        assert KEY not in received.target
    assert [each.method for each in case.stub.received] == ["GET", "GET", "POST"]
    assert query(enrich) == {"domain": ["rocketworks.example"]}
    assert query(postings) == {"page": ["1"], "per_page": ["100"]}
    assert query(news) == {
        "organization_ids[]": ["5e66b6381e05b4008c8331b8"],
        "published_at[min]": ["2025-02-26"],
        "per_page": ["25"],
        "page": ["1"],
    }


def query(received: Received) -> dict[str, list[str]]:
    return parse_qs(urlsplit(received.target).query)


async def test_the_modules_of_a_job_share_the_record_which_costs_a_credit(case: Case) -> None:
    fetched_at = (await case.ask("m01")).fetched_at
    case.clock._now += 100
    findings = [await case.ask(module) for module in ("m02", "m07")]
    await case.ask("m10")

    assert case.asked == [ENRICH, POSTINGS]
    assert [finding.fetched_at for finding in findings] == [fetched_at] * 2
    case.clock._now += 1_000
    await case.ask("m01")
    assert case.asked == [ENRICH, POSTINGS, ENRICH]


async def test_what_is_not_known_is_left_out(case: Case) -> None:
    names = ("founded_year", "estimated_num_employees", "annual_revenue")
    case.change(**dict.fromkeys(names, 0), country=None, state=None, industry="", short_description=None)

    assert (await case.ask("m01")).read(CompanyContext) == CompanyContext(
        company_name="Rocket Works", hq="Austin", description="Rockets for everyone."
    )
    with pytest.raises(NotFound, match="no revenue"):
        await case.ask("m07")


async def test_a_listed_company(case: Case) -> None:
    case.change(publicly_traded_symbol="ROKT")

    assert (await case.ask("m01")).read(CompanyContext).company_type == "public"
    assert (await case.ask("m07")).read(Financials).is_public is True


async def test_technologies(case: Case) -> None:
    finding = await case.ask("m02")

    assert finding.read(TechStack).technologies == (
        Technology(name="Segment.io", category="Customer Data Platform"),
        Technology(name="Google Analytics", category="Analytics"),
        Technology(name="HubSpot", category="Marketing Automation"),
        Technology(name="Quantum Loom", category="Other"),
    )
    assert finding.method == "api"


async def test_no_technologies(case: Case) -> None:
    case.change(technology_names=None, current_technologies=[])

    with pytest.raises(NotFound, match="no technologies"):
        await case.ask("m02")


async def test_a_revenue_is_an_estimate(case: Case) -> None:
    finding = await case.ask("m07")

    assert finding.read(Financials) == Financials(
        is_public=False, basis="estimated", currency="USD", revenue=12_000_000
    )
    assert (finding.method, finding.data_points) == ("estimated", 4)
    assert finding.citations[0].title == "Apollo: estimated revenue"


async def test_job_postings(case: Case) -> None:
    finding = await case.ask("m10")

    assert finding.read(HiringSignals) == HiringSignals(
        open_roles=2, senior_roles=1, posted_last_30_days=1, technologies_mentioned=("Kubernetes",)
    )
    assert finding.citations[0].url == f"{case.stub.url}{POSTINGS}?page=1&per_page=100"


def pages(*sizes: int) -> Callable[[Received], Reply]:
    """Pages of so many job postings, in order."""
    left = list(sizes)
    rest = by_path({ENRICH: reply(SAMPLES["enrich"])})

    def answer(received: Received) -> Reply:
        if not received.target.startswith(POSTINGS):
            return rest(received)
        return reply({"organization_job_postings": [{"title": "Welder"}] * left.pop(0)})

    return answer


async def test_job_postings_are_read_page_by_page(case: Case) -> None:
    case.stub.answer = pages(100, 7)
    finding = await case.ask("m10")

    assert finding.read(HiringSignals).open_roles == 107
    assert [query(each)["page"] for each in case.stub.received[1:]] == [["1"], ["2"]]
    assert len(finding.citations) == 2


async def test_job_postings_on_more_pages_than_are_read_are_not_counted(case: Case) -> None:
    case.stub.answer = pages(100, 100, 100)

    assert (await case.ask("m10")).read(HiringSignals) == HiringSignals()
    assert case.asked == [ENRICH, *[POSTINGS] * 3]


@pytest.mark.parametrize("postings", [[], [{"title": "Old", "last_seen_at": "2025-12-01T00:00:00Z"}]])
async def test_no_open_roles(case: Case, postings: Any) -> None:
    case.replies[POSTINGS] = reply({"organization_job_postings": postings})

    with pytest.raises(NotFound, match="no open roles"):
        await case.ask("m10")


CFO = TriggerEvent(type="leadership_change", date="2026-02-03", headline="Rocket Works appoints Jo Doe as CFO")
ROUNDS = (
    TriggerEvent(type="funding", date="2026-01-15", headline="Rocket Works raised $7M (Series A) from Alpha, Beta"),
    TriggerEvent(type="funding", date="2025-06-01", headline="Rocket Works raised an undisclosed amount"),
)


async def test_events_are_from_news_and_funding(case: Case) -> None:
    finding = await case.ask("m12")

    assert finding.read(TriggerEvents).events == (CFO, *ROUNDS)
    assert {citation.url: citation.title for citation in finding.citations} == {
        "https://news.example/cfo": "Rocket Works appoints Jo Doe as CFO",
        "https://news.example/round": "Rocket Works raises $7 million",
        f"{case.stub.url}{ENRICH}?domain=rocketworks.example": "Apollo: rounds of funding",
    }


async def test_events_without_funding(case: Case) -> None:
    case.change(funding_events=None)
    finding = await case.ask("m12")

    assert [event.type for event in finding.read(TriggerEvents).events] == ["leadership_change", "funding"]
    assert len(finding.citations) == 2


async def test_funding_stays_if_the_key_has_no_access_to_news(case: Case) -> None:
    case.replies[NEWS] = reply(SAMPLES["inaccessible"], 403)

    assert (await case.ask("m12")).read(TriggerEvents).events == ROUNDS
    case.change(funding_events=[])
    case.clock._now += 1_000
    with pytest.raises(AuthError, match=r"The plan or the key has no access to this part of it\.") as caught:
        await case.ask("m12")
    assert not isinstance(caught.value, Unauthorized)


async def test_no_events(case: Case) -> None:
    case.change(funding_events=[])
    case.replies[NEWS] = reply({"news_articles": [], "pagination": {}})

    with pytest.raises(NotFound, match="no events"):
        await case.ask("m12")


async def test_a_subdomain_is_that_of_its_company_with_less_confidence(case: Case) -> None:
    finding = await case.ask("m01", "shop.rocketworks.example")

    assert query(case.stub.received[0]) == {"domain": ["rocketworks.example"]}
    assert (finding.matched_by, finding.match_confidence) == ("domain of the organization, rocketworks.example", 0.8)


@pytest.mark.parametrize("domain", [None, "buyer.example"])
async def test_the_website_identifies_a_company_too(case: Case, domain: str | None) -> None:
    case.change(primary_domain=domain)

    assert (await case.ask("m01")).matched_by == "domain of the organization"


@pytest.mark.parametrize(
    ("domain", "url"),
    [("moontools.example", "http://www.moontools.example"), (None, None), ("", "http://[broken")],
)
async def test_the_record_of_another_company_is_not_an_answer(case: Case, domain: str | None, url: str | None) -> None:
    case.change(primary_domain=domain, website_url=url)

    for module in ("m01", "m02", "m07", "m10", "m12"):
        with pytest.raises(NotFound, match="another domain"):
            await case.ask(module)
    assert case.asked == [ENRICH]


@pytest.mark.parametrize("body", [b"{}", b'{"organization":null}'])
async def test_an_unknown_company(case: Case, body: bytes) -> None:
    case.replies[ENRICH] = Reply(body)

    for module in ("m01", "m10"):
        with pytest.raises(NotFound, match=r"^It does not know this company\.$"):
            await case.ask(module)
    assert case.asked == [ENRICH]  # that it is unknown is kept as well


@pytest.mark.parametrize(("field", "message"), [("name", "no name"), ("id", "no id")])
async def test_a_record_that_is_of_no_use(case: Case, field: str, message: str) -> None:
    case.change(**{field: None})

    with pytest.raises(NotFound, match=message):
        await case.ask("m10")


async def test_an_error_with_status_200(case: Case) -> None:
    case.replies[ENRICH] = reply(SAMPLES["bad_parameters"])

    with pytest.raises(UpstreamError, match=r"^It reports an error\.$"):
        await case.ask("m01")


async def test_a_wrong_key(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.replies[ENRICH] = reply(SAMPLES["invalid_key"], 401)

    for module in MODULE_IDS:
        with pytest.raises(Unauthorized) as caught:
            await case.ask(module)
        assert KEY not in str(caught.value)
    assert [record.getMessage() for record in caplog.records] == ["key rejected setting=APOLLO_API_KEY"]
    assert case.client.key("APOLLO_API_KEY").works is False


async def test_used_up_credits(case: Case) -> None:
    case.replies[ENRICH] = reply(SAMPLES["no_credits"], 422)

    for _ in range(2):
        with pytest.raises(QuotaExhausted):
            await case.ask("m01")
    assert len(case.stub.received) == 1


@pytest.mark.parametrize(
    ("headers", "until"), [({"retry-after": "600"}, 600), ({}, 3_600)], ids=["retry-after", "without"]
)
async def test_a_used_up_day_is_not_tried_again(case: Case, headers: dict[str, str], until: float) -> None:
    left = {"x-rate-limit-24-hour": "600", "x-24-hour-usage": "600", "x-24-hour-requests-left": "0"}
    case.replies[ENRICH] = Reply(b"{}", 429, left | headers)

    for _ in range(2):
        with pytest.raises(QuotaExhausted):
            await case.ask("m01")
    assert len(case.stub.received) == 1
    health = case.client.health(case.source.upstreams[0])
    assert (health.state, health.until) == ("quota_exhausted", case.clock.now() + until)
    assert (await case.source.check_key()).works is True  # other endpoints have limits of their own


async def test_too_many_requests_are_a_pause(case: Case) -> None:
    case.stub.script.append("rate_limited_for_1_second")
    await case.ask("m01")

    assert case.asked == [ENRICH] * 2
    assert sum(case.clock.sleeps) >= 1
    case.replies[POSTINGS] = Reply(b"{}", 429, {"x-hourly-requests-left": "0", "retry-after": "3000"})
    with pytest.raises(RateLimited):
        await case.ask("m10")


@pytest.mark.parametrize(
    ("status", "failure"), [(400, BadRequest), (422, BadRequest), (404, NotFound), (503, Transient)]
)
async def test_other_refusals(case: Case, status: int, failure: type[SourceFailed]) -> None:
    case.replies[NEWS] = reply(SAMPLES["bad_parameters"], status)

    with pytest.raises(failure):
        await case.ask("m12")


async def test_requests_are_as_far_apart_as_the_plan_wants(case: Case) -> None:
    for number in range(4):
        case.change(primary_domain=f"company{number}.example")
        await case.ask("m01", f"company{number}.example")

    assert sum(case.clock.sleeps) == pytest.approx(3 * 60 / 50, abs=0.01)
    paid = Apollo(case.client, case.clock, key=KEY, requests_per_minute=1_000)
    assert [60 * upstream.requests_per_second for upstream in paid.upstreams] == pytest.approx([1_000, 200, 200, 200])


async def test_the_key_is_checked_for_free(case: Case) -> None:
    assert await case.source.check_key() == KeyStatus(works=True)
    assert case.asked == [HEALTH]
    assert case.stub.received[0].headers["x-api-key"] == KEY


@pytest.mark.parametrize("answer", [reply(SAMPLES["invalid_key"], 401), reply({"is_logged_in": False})])
async def test_the_check_of_a_wrong_key(case: Case, answer: Reply, caplog: pytest.LogCaptureFixture) -> None:
    case.replies[HEALTH] = answer

    with pytest.raises(Unauthorized):
        await case.source.check_key()
    assert case.client.key("APOLLO_API_KEY").works is False
    assert caplog.text.count("key rejected setting=APOLLO_API_KEY") == 1


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "wrong_types", "nulls", "oversized"])
async def test_failures(case: Case, scenario: str, caplog: pytest.LogCaptureFixture) -> None:
    case.stub.scenario = scenario

    for ask in (lambda: case.ask("m01"), case.source.check_key):
        with pytest.raises(SourceFailed) as caught:
            await ask()
        assert KEY not in str(caught.value)
    assert KEY not in caplog.text
    if scenario != "nulls":
        assert not isinstance(caught.value, NotFound)


async def test_a_service_that_does_not_answer(clock: FakeClock) -> None:
    async with stub_upstream() as stub, live_client(clock) as client:
        stub.scenario = "hang"
        source = Apollo(client, clock, key=KEY, base_url=stub.url)
        asked = asyncio.create_task(source.ask(MODULES["m01_company_context"], Subject(domain="rocketworks.example")))
        for attempt in range(1, 4):
            await stub.wait_for(attempt)
            await clock.advance(6)
        with pytest.raises(Transient, match=r"^No answer within 4 seconds\.$"):
            await asked


@pytest.mark.parametrize("path", [POSTINGS, NEWS])
@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"organization_job_postings": 1, "news_articles": "x"}'])
async def test_pages_that_cannot_be_read(case: Case, path: str, body: bytes) -> None:
    case.change(funding_events=[])
    case.replies[path] = Reply(body)

    with pytest.raises(ParseError):
        await case.ask("m10" if path == POSTINGS else "m12")
