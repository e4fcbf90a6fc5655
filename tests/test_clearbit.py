"""
Clearbit: what is asked for, how long a record is waited for, and what is made of it.
"""

import asyncio
import copy
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import CompanyContext, Financials, Technology, TechStack
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.clearbit import Clearbit
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.failures import (
    AuthError,
    BadRequest,
    NotFound,
    Pending,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unauthorized,
)
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, reply
from tests.conftest import FakeClock
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream

SAMPLES = answers("clearbit")
KEY = "sk_private"
MODULE_IDS = ("m01_company_context", "m02_tech_stack", "m07_financials")
QUEUED = reply(SAMPLES["queued"], 202)


class Case(NamedTuple):
    """The source and its service."""

    source: Clearbit
    stub: StubUpstream
    clock: InstantClock
    client: Client

    async def ask(self, module: str = "m01", domain: str = "rocketworks.example") -> Finding:
        module_id = next(module_id for module_id in MODULE_IDS if module_id.startswith(module))
        return await self.source.ask(MODULES[module_id], Subject(domain=domain))

    def answer(self, *replies: Reply) -> None:
        """Answer with these in turn; the last one stays."""
        left = list(replies)
        self.stub.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def change(self, **fields: Any) -> None:
        """Answer with a record that has these values."""
        self.answer(reply(copy.deepcopy(SAMPLES["company"]) | fields))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = InstantClock()
    async with stub_upstream(lambda _: reply(SAMPLES["company"])) as stub, live_client(clock) as client:
        yield Case(Clearbit(client, clock, key=KEY, base_url=stub.url), stub, clock, client)


async def test_a_company(case: Case) -> None:
    finding = await case.ask()

    assert finding.read(CompanyContext) == CompanyContext(
        company_name="Rocket Works",
        founded=2015,
        hq="Austin, TX",
        employees=900,
        industry="Aerospace & Defense",
        naics_code="33",
        company_type="private",
        revenue_range="$100M-$250M",
        country="United States",
        description="Rocket Works builds rockets.",
    )
    assert (finding.source, finding.method, finding.observed_at) == ("clearbit", "api", 1_640_314_254.38)
    assert (finding.matched_by, finding.match_confidence) == ("domain of the organization", 0.95)
    (citation,) = finding.citations
    assert citation.url == f"{case.stub.url}/v2/companies/find?domain=rocketworks.example"
    assert citation.title == "Clearbit: company, with the range of its revenue as Clearbit estimates it"


async def test_what_is_sent(case: Case) -> None:
    await case.ask(domain="shop.rocketworks.example")

    (received,) = case.stub.received
    assert (received.method, received.target) == ("GET", "/v2/companies/find?domain=rocketworks.example")
    assert received.headers["authorization"] == f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"
    assert received.headers["api-version"] == "2019-12-19"


async def test_the_modules_of_a_job_share_the_record(case: Case) -> None:
    await asyncio.gather(*(case.ask(module) for module in ("m01", "m02", "m07")))

    assert len(case.stub.received) == 1
    case.clock._now += 1_000
    await case.ask()
    assert len(case.stub.received) == 2


async def test_what_is_not_known_is_left_out(case: Case) -> None:
    case.answer(reply({"legalName": "Rocket Works Inc", "domain": "rocketworks.example", "type": "nonprofit"}))

    assert (await case.ask()).read(CompanyContext) == CompanyContext(company_name="Rocket Works Inc")
    assert (await case.ask()).observed_at is None
    for module in ("m02", "m07"):
        with pytest.raises(NotFound):
            await case.ask(module)


async def test_values_that_mean_nothing(case: Case) -> None:
    metrics = {"employees": 0, "annualRevenue": 0, "estimatedAnnualRevenue": "lots"}
    category = {"sector": "Industrials", "naicsCode": "5x"}
    case.change(
        metrics=metrics,
        category=category,
        foundedYear=0,
        indexedAt="2021-12-24",
        geo={"city": "Köln", "countryCode": "DE"},
    )
    finding = await case.ask()

    assert finding.read(CompanyContext) == CompanyContext(
        company_name="Rocket Works",
        hq="Köln, Germany",
        country="Germany",
        industry="Industrials",
        company_type="private",
        description="Rocket Works builds rockets.",
    )
    assert finding.observed_at == 1_640_304_000


async def test_a_record_without_a_name(case: Case) -> None:
    case.change(name=None, legalName=None)

    with pytest.raises(NotFound, match="no name"):
        await case.ask()


async def test_technologies_have_names_only(case: Case) -> None:
    assert (await case.ask("m02")).read(TechStack).technologies == (
        Technology(name="Google Analytics", category="Analytics"),
        Technology(name="Segment", category="Tag Manager"),
        Technology(name="Amazon SES", category="Email"),
        Technology(name="Elasticsearch", category="Search"),
        Technology(name="Quantum Loom", category="Other"),
    )


async def test_a_revenue_is_a_range(case: Case) -> None:
    finding = await case.ask("m07")

    assert finding.read(Financials) == Financials(
        is_public=False, basis="estimated", currency="USD", revenue_range="$100M-$250M"
    )
    assert (finding.method, finding.data_points) == ("estimated", 4)
    assert finding.citations[0].title == "Clearbit: estimated revenue"


@pytest.mark.parametrize("fields", [{"type": "public"}, {"ticker": "ROKT"}])
async def test_a_listed_company(case: Case, fields: dict[str, str]) -> None:
    case.change(metrics={"annualRevenue": 2_500_000_000.4, "estimatedAnnualRevenue": "$1B-$10B"}, **fields)

    assert (await case.ask("m07")).read(Financials) == Financials(
        is_public=True, basis="estimated", currency="USD", revenue=2_500_000_000
    )
    assert (await case.ask("m01")).read(CompanyContext).revenue_range == "$1B-$10B"


async def test_the_record_of_another_company_is_not_an_answer(case: Case) -> None:
    case.change(domain="moontools.example")

    for module in ("m01", "m02", "m07"):
        with pytest.raises(NotFound, match="another domain"):
            await case.ask(module)


async def test_another_domain_of_the_company(case: Case) -> None:
    finding = await case.ask(domain="rocket-works.test")
    assert (finding.matched_by, finding.match_confidence) == ("other domain of the organization", 0.85)


@pytest.mark.parametrize("queued", [QUEUED, Reply(b"", 202)])
async def test_a_queued_record_is_asked_for_again(case: Case, queued: Reply) -> None:
    case.answer(queued, queued, reply(SAMPLES["company"]))
    finding = await case.ask()

    assert finding.read(CompanyContext).company_name == "Rocket Works"
    assert len(case.stub.received) == 3
    assert [seconds for seconds in case.clock.sleeps if seconds >= 1] == [5, 5]
    health = case.client.health(case.source.upstream)
    assert (health.state, health.stats.calls, health.stats.hits, health.stats.errors) == ("ok", 3, 1, 0)
    assert case.client.key("CLEARBIT_API_KEY").works is True


async def test_a_record_that_stays_queued(case: Case) -> None:
    case.answer(QUEUED)

    with pytest.raises(Pending, match="in a few minutes"):
        await case.ask()
    assert len(case.stub.received) == 3
    case.answer(reply(SAMPLES["company"]))  # that it is queued is not kept
    await case.ask()


class EightSeconds(CallContext):
    """A context with so much time, in which no task watches it: with this clock, that one would end it at once."""

    def __init__(self, clock: InstantClock) -> None:
        super().__init__(clock=clock)
        self._clock = clock
        self._end = clock.now() + 8

    def time_left(self) -> float:
        return self._end - self._clock.now()


async def test_there_is_no_wait_that_the_time_does_not_allow(case: Case) -> None:
    case.answer(QUEUED)
    CONTEXT.set(EightSeconds(case.clock))

    with pytest.raises(Pending):
        await case.ask()
    assert len(case.stub.received) == 2


@pytest.mark.parametrize(
    ("answer", "failure", "message"),
    [
        (reply(SAMPLES["unknown_record"], 404), NotFound, "It does not know this company."),
        (Reply(b"", 404), NotFound, "It does not know this company."),
        (Reply(b'{"error": null}', 404), NotFound, "It does not know this company."),
        (reply(SAMPLES["unknown_route"], 404), BadRequest, "CLEARBIT_BASE_URL"),
        (reply(SAMPLES["invalid_domain"], 422), BadRequest, "does not accept this domain"),
        (reply(SAMPLES["over_quota"], 402), QuotaExhausted, "Its quota is exhausted."),
        (reply(SAMPLES["no_key"], 401), Unauthorized, "refuses access"),
        (Reply(b"", 403), AuthError, "refuses access"),
    ],
)
async def test_refusals(case: Case, answer: Reply, failure: type[SourceFailed], message: str) -> None:
    case.answer(answer)

    with pytest.raises(failure, match=message) as caught:
        await case.ask()
    assert type(caught.value) is failure


async def test_a_wrong_key(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.answer(reply(SAMPLES["invalid_key"], 401)._replace(headers={"x-ratelimit-remaining": "599"}))

    for module in ("m01", "m02", "m07"):
        with pytest.raises(Unauthorized) as caught:
            await case.ask(module)
        assert KEY not in str(caught.value)
    assert [record.getMessage() for record in caplog.records] == ["key rejected setting=CLEARBIT_API_KEY"]


@pytest.mark.parametrize(("pause", "is_awaited"), [(30, True), (3_000, False)])
async def test_a_limit_lasts_until_the_second_that_its_header_names(case: Case, pause: int, is_awaited: bool) -> None:
    reset = {
        "x-ratelimit-limit": "600",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(case.clock.now() + pause),
    }
    begin = case.clock.now()
    case.answer(Reply(b"", 429, reset), reply(SAMPLES["company"]))

    if is_awaited:
        await case.ask()
        assert case.clock.now() - begin >= pause
    else:
        with pytest.raises(RateLimited):
            await case.ask()
        assert len(case.stub.received) == 1


@pytest.mark.parametrize("headers", [{}, {"x-ratelimit-reset": "soon"}, {"x-ratelimit-reset": "1"}])
async def test_a_limit_without_a_usable_end_is_a_short_pause(case: Case, headers: dict[str, str]) -> None:
    case.answer(Reply(b"", 429, headers), reply(SAMPLES["company"]))

    assert (await case.ask()).source == "clearbit"


async def test_the_key_is_not_checked_by_a_call_that_may_be_billed(case: Case) -> None:
    status = await case.source.check_key()

    assert status == KeyStatus(detail=status.detail)
    assert "no free call" in (status.detail or "")
    assert case.stub.received == []


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "wrong_types", "oversized"])
async def test_failures(case: Case, scenario: str, caplog: pytest.LogCaptureFixture) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await case.ask()
    assert not isinstance(caught.value, NotFound)
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text


async def test_a_service_that_does_not_answer(clock: FakeClock) -> None:
    async with stub_upstream() as stub, live_client(clock) as client:
        stub.scenario = "hang"
        source = Clearbit(client, clock, key=KEY, base_url=stub.url)
        asked = asyncio.create_task(source.ask(MODULES["m01_company_context"], Subject(domain="rocketworks.example")))
        for attempt in range(1, 4):
            await stub.wait_for(attempt)
            await clock.advance(6)
        with pytest.raises(Transient, match=r"^No answer within 4 seconds\.$"):
            await asked


@pytest.mark.parametrize("scenario", ["nothing", "nulls"])
async def test_a_record_of_nothing(case: Case, scenario: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(NotFound):
        await case.ask()
