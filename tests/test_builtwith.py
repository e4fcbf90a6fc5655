"""
BuiltWith: what is asked, how profiles, counts and keywords are read, and which failure an error stands for.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import Keywords, TechnologyGroup, TechStack
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.builtwith import (
    COUNTS_ONLY,
    KEYWORDS_SECONDS,
    PAGE_KEYWORDS,
    BuiltWith,
    BuiltWithApi,
    BuiltWithFree,
)
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.costs import METER, Ledger, Meter, Price
from enrichment.sources.failures import (
    AuthError,
    BadRequest,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
)
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from enrichment.sources.registry import SOURCES
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, by_path, reply
from tests.conftest import FakeClock
from tests.test_costs import Purse
from tests.upstreams import InstantClock, StubUpstream, live_client, stub_upstream

KEY = "c0ffee00-1111-2222-3333-444455556666"
SAMPLES: Mapping[str, Any] = answers("builtwith")
VISITED_AT = 1_771_891_200


class Case(NamedTuple):
    """The sources and their service."""

    source: BuiltWith
    free: BuiltWithFree
    stub: StubUpstream
    clock: InstantClock
    client: Client

    async def ask(self, module: str = "m02_tech_stack", domain: str = "rocketworks.example") -> Finding:
        return await self.source.ask(MODULES[module], Subject(domain=domain))

    async def count_all(self, domain: str = "rocketworks.example") -> Finding:
        return await self.free.ask(MODULES["m02_tech_stack"], Subject(domain=domain))

    def answer_with(self, content: Any, status: int = 200) -> None:
        self.stub.answer = lambda _: reply(content, status)

    def answer_with_profile(self, **changes: Any) -> None:
        """Answer with the sample profile, of which some fields are others."""
        profile = copy.deepcopy(SAMPLES["profile"])
        profile["Results"][0] |= changes
        self.answer_with(profile)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = InstantClock()
    answer = by_path(
        {
            "/v22/api.json": reply(SAMPLES["profile"]),
            "/free1/api.json": reply(SAMPLES["free"]),
            "/kw2/api.json": reply(SAMPLES["keywords"]),
            "/usagev2/api.json": reply(SAMPLES["usage"]),
            "/whoamiv1/api.json": reply(SAMPLES["whoami"]),
        }
    )
    async with stub_upstream(answer) as stub, live_client(clock) as client:
        api = BuiltWithApi(client, key=KEY, base_url=stub.url)
        yield Case(BuiltWith(api, clock), BuiltWithFree(api, clock), stub, clock, client)


async def test_technologies_in_use_are_named_once_those_of_the_main_website_first(case: Case) -> None:
    finding = await case.ask()

    found = [(each.name, each.category, each.evidence) for each in finding.read(TechStack).technologies]
    assert found == [
        ("Shopify", "Ecommerce", ("seen on rocketworks.example from 2023-07-01 to 2026-02-23",)),
        ("Google Analytics", "Analytics", ("seen on rocketworks.example from 2010-10-30 to 2026-02-23",)),
        ("Rocket Chat Bubble", "Live Chat", ("seen on rocketworks.example from 2020-01-01 to 2026-02-23",)),
        ("Orbit SPF", "Email", ("seen on rocketworks.example to 2026-02-23",)),
        ("Launchpad", "Widgets", ("seen on rocketworks.example from 2020-01-01 to 2026-01-10",)),
        ("Unlabelled", "Other", ("seen on rocketworks.example",)),
    ]
    assert (finding.source, finding.observed_at, finding.method) == ("builtwith", VISITED_AT, "api")
    assert (finding.matched_by, finding.match_confidence, finding.data_points) == ("domain", 1, 6)


async def test_what_is_asked_and_that_the_key_is_not_shown(case: Case) -> None:
    finding = await case.ask()

    assert case.stub.received[0].target == (
        f"/v22/api.json?KEY={KEY}&LOOKUP=rocketworks.example&LIVEONLY=yes&NOPII=yes&NOMETA=yes&NOATTR=yes&HIDEDL=yes"
    )
    assert "https://example.com/bot" in case.stub.received[0].headers["user-agent"]
    assert finding.citations[0].url.startswith(f"{case.stub.url}/v22/api.json?LOOKUP=rocketworks.example&")
    assert KEY not in repr(finding)


async def test_the_version_is_a_setting(case: Case) -> None:
    api = BuiltWithApi(case.client, key=KEY, base_url=f"{case.stub.url}/mirror")
    case.answer_with(SAMPLES["profile"])
    await BuiltWith(api, case.clock, version="v19").ask(
        MODULES["m02_tech_stack"], Subject(domain="rocketworks.example")
    )

    assert case.stub.received[0].target.startswith("/mirror/v19/api.json?")


async def test_only_root_domains_are_asked_for(case: Case) -> None:
    finding = await case.ask(domain="careers.rocketworks.example")

    assert "LOOKUP=rocketworks.example&" in case.stub.received[0].target
    assert (finding.matched_by, finding.match_confidence) == ("registrable domain rocketworks.example", 0.8)


@pytest.mark.parametrize("lookup", ["WWW.RocketWorks.example", None])
async def test_the_domain_of_a_profile_may_be_spelt_otherwise(case: Case, lookup: str | None) -> None:
    case.answer_with_profile(Lookup=lookup)

    assert (await case.ask()).data_points == 6


async def test_a_technology_of_a_subdomain_is_marked_as_such(case: Case) -> None:
    paths = SAMPLES["profile"]["Results"][0]["Result"]["Paths"]
    case.answer_with_profile(Result={"Paths": paths[:2]})

    last = (await case.ask()).read(TechStack).technologies[-1]
    assert (last.name, last.evidence) == (
        "Shopify",
        ("seen on shop.rocketworks.example from 2023-07-01 to 2026-02-23",),
    )


async def test_without_the_time_of_the_visit_the_newest_detection_stands_for_it(case: Case) -> None:
    case.answer_with_profile(LastIndexed=None)
    finding = await case.ask()

    assert (finding.observed_at, finding.data_points) == (1_771_804_800, 6)


async def test_nothing_is_known_of_a_time_that_is_missing_everywhere(case: Case) -> None:
    case.answer_with_profile(LastIndexed=0, Result={"Paths": [{"Technologies": [{"Name": "Nameless CMS"}]}]})
    finding = await case.ask()

    assert (finding.observed_at, finding.data_points) == (None, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"Result": None},
        {"Result": {"IsDB": "False", "Paths": []}},
        {"Result": {"Paths": None}},
        {"Result": {"Paths": [{"Technologies": [{"Name": "Old CMS", "LastDetected": 1_762_000_000_000}]}]}},
    ],
)
async def test_a_profile_without_technologies_in_use(case: Case, changes: dict[str, Any]) -> None:
    case.answer_with_profile(**changes)

    with pytest.raises(NotFound):
        await case.ask()


@pytest.mark.parametrize("results", [[], [None]])
async def test_an_unknown_domain(case: Case, results: list[Any]) -> None:
    case.answer_with({"Results": results, "Errors": []})

    with pytest.raises(NotFound, match="does not know this company"):
        await case.ask()


async def test_a_profile_of_another_company_is_not_taken(case: Case) -> None:
    case.answer_with_profile(Lookup="rival.example")

    with pytest.raises(ParseError, match="another domain"):
        await case.ask()


@pytest.mark.parametrize("moment", [9e18, 1e300])
async def test_a_time_out_of_range(case: Case, moment: float) -> None:
    case.answer_with_profile(
        LastIndexed=0, Result={"Paths": [{"Technologies": [{"Name": "A", "LastDetected": moment}]}]}
    )

    with pytest.raises(ParseError, match="time"):
        await case.ask()


@pytest.mark.parametrize(
    ("error", "failure", "message"),
    [
        ({"Lookup": "x", "Code": -2, "Message": f"Invalid API key {KEY}"}, Unauthorized, "does not accept the key"),
        ("API Key not valid", Unauthorized, "does not accept the key"),
        ({"Message": "You are not authorized to use this API"}, AuthError, "not good for this"),
        ({"Message": "No API credits remaining for this key"}, QuotaExhausted, "credits are used up"),
        ({"Message": "Rate limit exceeded"}, RateLimited, "too many requests"),
        ({"Message": "Domain not found"}, NotFound, "does not know"),
        ({"Message": f"Broken by {KEY}", "Code": -7}, BadRequest, "reports an error with code -7."),
        ({"Message": None}, BadRequest, "reports an error."),
        (["?"], BadRequest, "reports an error."),
    ],
)
@pytest.mark.parametrize("source", ["paid", "keywords", "free"])
async def test_errors_in_a_successful_answer(
    case: Case, error: Any, failure: type[SourceFailed], message: str, source: str
) -> None:
    case.answer_with({"Results": [], "Keywords": [], "groups": [], "Errors": [error]})

    with pytest.raises(failure, match=message) as caught:
        await {"paid": case.ask, "keywords": lambda: case.ask("m06_keywords"), "free": case.count_all}[source]()
    assert type(caught.value) is failure
    assert KEY not in str(caught.value)


async def test_credits_that_are_used_up_are_told_from_a_key_that_is_refused(case: Case) -> None:
    case.answer_with({"Errors": [{"Message": "Out of credits"}]}, 403)

    with pytest.raises(QuotaExhausted):
        await case.ask()
    assert case.client.health(case.source.upstream).state == "quota_exhausted"
    assert case.client.health(case.free.upstream).state == "ok"


async def test_keywords_of_pages_are_marked_as_such(case: Case) -> None:
    finding = await case.ask("m06_keywords")

    answer = finding.read(Keywords)
    assert [(each.keyword, each.branded, each.volume) for each in answer.keywords] == [
        ("reusable rockets", False, None),
        ("Rocket Works launch", True, None),
        ("payload", False, None),
    ]
    assert answer.note == PAGE_KEYWORDS
    assert case.stub.received[0].target == f"/kw2/api.json?KEY={KEY}&LOOKUP=rocketworks.example"
    assert (finding.source, finding.data_points) == ("builtwith", 3)


async def test_keywords_leave_time_for_the_website_itself(clock: FakeClock) -> None:
    async with stub_upstream() as stub, live_client(clock) as client:
        stub.scenario = "hang"
        source = BuiltWith(BuiltWithApi(client, key=KEY, base_url=stub.url), clock)
        CONTEXT.set(CallContext(clock=clock))
        asked = asyncio.create_task(source.ask(MODULES["m06_keywords"], Subject(domain="rocketworks.example")))
        await stub.wait_for(1)
        assert not asked.done()
        await clock.advance(KEYWORDS_SECONDS)

        with pytest.raises(SourceFailed, match="No answer within"):
            await asked
    assert (SOURCES["builtwith"].timeout_seconds or 0) > KEYWORDS_SECONDS


@pytest.mark.parametrize(
    "keywords",
    [[], [None], [{"Domain": "rocketworks.example", "Keywords": None}], [{"Domain": "x.y", "Keywords": ["a"]}]],
)
async def test_no_keywords_of_pages(case: Case, keywords: list[Any]) -> None:
    case.answer_with({"Keywords": keywords})

    with pytest.raises(NotFound, match="no keywords"):
        await case.ask("m06_keywords")


async def test_other_modules_are_not_answered(case: Case) -> None:
    with pytest.raises(SourceFailed, match="does not answer this module"):
        await case.ask("m03_traffic")


async def test_the_free_interface_counts_and_says_that_this_is_limited(case: Case) -> None:
    finding = await case.count_all()

    assert finding.read(TechStack) == TechStack(
        technologies=(),
        groups=(TechnologyGroup(name="analytics", live=8), TechnologyGroup(name="shop", live=1)),
        limited=True,
        note=COUNTS_ONLY,
    )
    assert (finding.source, finding.observed_at, finding.data_points) == ("builtwith_free", VISITED_AT, 2)
    assert finding.citations[0].title.endswith("(limited)")
    assert finding.citations[0].url == f"{case.stub.url}/free1/api.json?LOOKUP=rocketworks.example"


async def test_free_requests_are_a_second_apart(case: Case) -> None:
    for _ in range(3):
        await case.count_all()

    assert sum(case.clock.sleeps) == pytest.approx(2)


@pytest.mark.parametrize("groups", [[], [None], [{"name": "cms", "live": 0}], [{"name": None, "live": 2}]])
async def test_no_technologies_are_counted(case: Case, groups: list[Any]) -> None:
    case.answer_with({"domain": "rocketworks.example", "groups": groups})

    with pytest.raises(NotFound, match="counts no technologies"):
        await case.count_all()


async def test_counts_of_another_company_are_not_taken(case: Case) -> None:
    case.answer_with(SAMPLES["free"] | {"domain": "rival.example"})

    with pytest.raises(ParseError, match="another domain"):
        await case.count_all()


async def test_an_account_has_eight_requests_open_at_a_time_and_the_others_do_not_lose_time(case: Case) -> None:
    case.stub.scenario = "hang"
    contexts = []

    async def ask() -> None:
        contexts.append(CallContext(clock=case.clock))
        CONTEXT.set(contexts[-1])
        await case.ask()

    asked = [asyncio.create_task(ask()) for _ in range(9)]
    await case.stub.wait_for(8)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(case.stub.received) == 8
    before = [contexts[number]._counted() for number in (0, 8)]
    await case.clock.sleep(60)
    after = [contexts[number]._counted() for number in (0, 8)]
    assert after == [before[0] + 60, before[1]]
    asked[0].cancel()
    await case.stub.wait_for(9)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


@pytest.mark.parametrize(
    ("answer", "billed"),
    [(SAMPLES["profile"], 1), ({"Results": []}, 1), ({"Errors": [{"Message": "Domain not found"}]}, 0)],
)
async def test_what_costs_a_credit(case: Case, answer: Any, billed: int) -> None:
    purse = Purse()
    METER.set(Meter(Ledger({"builtwith": Price(amount=10, credits=1.0)}), lambda: (purse,)))
    case.answer_with(answer)
    with suppress(NotFound):
        await case.ask()
    with suppress(SourceFailed):
        await case.count_all()
    meter = METER.get()
    assert meter
    await meter.close()

    (charge,) = purse.charges
    assert (charge.calls, charge.billed, charge.credits, charge.amount) == (2, billed, billed, 10 * billed)


async def test_the_free_checks_of_the_key(case: Case) -> None:
    assert await case.source.check_key() == KeyStatus(
        works=True, remaining=198_766, unit="credits", detail="1,234 of 200,000 credits are used."
    )
    assert await case.free.check_key() == KeyStatus(works=True, detail="Plan: Pro.")
    assert [received.target for received in case.stub.received] == [
        f"/usagev2/api.json?KEY={KEY}",
        f"/whoamiv1/api.json?KEY={KEY}",
    ]


async def test_checks_that_say_no_more_than_that_the_key_works(case: Case) -> None:
    case.answer_with({"remaining": 3, "account": {"plan": None}})
    assert await case.source.check_key() == KeyStatus(works=True, remaining=3, unit="credits")
    assert await case.free.check_key() == KeyStatus(works=True)

    case.answer_with({})
    assert await case.free.check_key() == KeyStatus(works=True)


@pytest.mark.parametrize("reply_with", [({"Errors": [{"Message": "Invalid key"}]}, 200), ({}, 401)])
async def test_a_check_with_a_wrong_key(case: Case, reply_with: tuple[Any, int]) -> None:
    case.answer_with(*reply_with)

    with pytest.raises(Unauthorized):
        await case.source.check_key()
    assert case.client.key("BUILTWITH_API_KEY").works is False


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "nothing", "wrong_types", "oversized", "unknown"])
@pytest.mark.parametrize("source", ["paid", "keywords", "free"])
async def test_failures(case: Case, scenario: str, source: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await {"paid": case.ask, "keywords": lambda: case.ask("m06_keywords"), "free": case.count_all}[source]()
    assert isinstance(caught.value, NotFound) is (scenario == "unknown")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("source", ["paid", "keywords", "free"])
async def test_nulls_everywhere_are_no_data(case: Case, source: str) -> None:
    case.stub.scenario = "nulls"

    with pytest.raises(NotFound):
        await {"paid": case.ask, "keywords": lambda: case.ask("m06_keywords"), "free": case.count_all}[source]()
