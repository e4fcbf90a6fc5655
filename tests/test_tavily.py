"""
Tavily: what is sent with and without a key, and what its refusals mean.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import pytest

from enrichment.errors import SourceFailed
from enrichment.sources.failures import (
    BadRequest,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
)
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from enrichment.sources.search_engines import Result, Topic
from enrichment.sources.tavily import Tavily
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, reply
from tests.upstreams import IN_A_SECOND, InstantClock, Reply, StubUpstream, live_client, stub_upstream

SAMPLES: Any = answers("websearch")
KEY = "tvly-k3y"


class Case(NamedTuple):
    """The engine with and without a key, and its service."""

    keyless: Tavily
    keyed: Tavily
    stub: StubUpstream
    clock: InstantClock
    client: Client


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = InstantClock()
    async with stub_upstream(lambda _: reply(SAMPLES["search"])) as stub, live_client(clock) as client:
        keyed = Tavily(client, clock, url=stub.url, key=KEY)
        yield Case(Tavily(client, clock, url=stub.url), keyed, stub, clock, client)


async def test_what_is_sent_without_a_key(case: Case) -> None:
    results = await case.keyless.search('"Rocket Works" news', "news")

    (received,) = case.stub.received
    assert (received.method, received.target) == ("POST", "/search")
    assert received.headers["x-tavily-access-mode"] == "keyless"
    assert received.headers["x-client-source"] == "lead-enrichment"
    assert "https://example.com/bot" in received.headers["user-agent"]
    assert "authorization" not in received.headers
    assert msgspec.json.decode(received.body) == {
        "query": '"Rocket Works" news',
        "search_depth": "basic",
        "topic": "news",
        "time_range": "year",
        "max_results": 10,
        "include_answer": False,
        "include_raw_content": False,
    }
    assert len(results) == 4
    published = "Tue, 10 Feb 2026 09:00:00 GMT"
    title = "Rocket Works opens a new factory in Rome | Daily News"
    assert results[0] == Result("https://news.test/factory", title, published)


@pytest.mark.parametrize("topic", ["general", "finance"])
async def test_what_is_sent_with_a_key(case: Case, topic: Topic) -> None:
    await case.keyed.search("q" * 500, topic)

    (received,) = case.stub.received
    body = msgspec.json.decode(received.body)
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert "x-tavily-access-mode" not in received.headers
    assert (body["topic"], len(body["query"])) == (topic, 300)
    assert "time_range" not in body


async def test_results_without_a_key_are_kept_for_a_day(case: Case) -> None:
    for _ in range(2):
        await case.keyless.search("rockets", "general")
    assert len(case.stub.received) == 1
    await case.keyless.search("rockets", "news")
    case.clock._now += 86_400
    await case.keyless.search("rockets", "general")
    for _ in range(2):
        await case.keyed.search("rockets", "general")

    assert len(case.stub.received) == 5


LIMIT = reply(SAMPLES["keyless_limit"])


@pytest.mark.parametrize("limit", [LIMIT, LIMIT._replace(status=429), Reply(b"", 429, {"retry-after": "60"})])
async def test_the_first_limit_without_a_key_stops_the_search(case: Case, limit: Reply) -> None:
    case.stub.answer = lambda _: limit

    for query in ("one", "two"):
        with pytest.raises(QuotaExhausted):
            await case.keyless.search(query, "general")
    assert len(case.stub.received) == 1
    case.clock._now += 61
    with pytest.raises(QuotaExhausted):
        await case.keyless.search("three", "general")
    assert len(case.stub.received) == 2


@pytest.mark.parametrize("body", [b"", b'{"error":{"window":"day","retry_after_seconds":null}}'])
async def test_a_limit_without_an_end_lasts_an_hour(case: Case, body: bytes) -> None:
    case.stub.answer = lambda _: Reply(body, 429)
    with pytest.raises(QuotaExhausted):
        await case.keyless.search("rockets", "general")

    assert case.client.health(case.keyless.upstream).until == case.clock.now() + 3_600


async def test_no_limit_lasts_for_more_than_a_month(case: Case) -> None:
    case.stub.answer = lambda _: reply({"error": {"retry_after_seconds": 1e300}})
    with pytest.raises(QuotaExhausted) as caught:
        await case.keyless.search("rockets", "general")

    assert caught.value.until == case.clock.now() + 31 * 86_400


@pytest.mark.parametrize("status", [432, 433])
async def test_the_limit_of_a_plan_lasts_until_the_next_month(case: Case, status: int) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["plan_limit"], status)
    with pytest.raises(QuotaExhausted) as caught:
        await case.keyed.search("rockets", "general")
    with pytest.raises(QuotaExhausted):
        await case.keyed.search("rockets", "general")

    assert caught.value.until == 1_772_323_200  # 2026-03-01
    assert KEY not in str(caught.value)
    assert len(case.stub.received) == 1


async def test_with_a_key_too_many_requests_are_a_pause(case: Case) -> None:
    case.stub.script.extend(["rate_limited_for_1_second"])
    assert await case.keyed.search("rockets", "general")

    assert len(case.stub.received) == 2
    for limit in (Reply(b"", 429, IN_A_SECOND), LIMIT):
        case.stub.answer = lambda _, limit=limit: limit  # type: ignore[misc]
        with pytest.raises(RateLimited):
            await case.keyed.search("rockets", "general")


async def test_a_wrong_key(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["unauthorized"], 401)
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await case.keyed.search("rockets", "general")

    assert case.client.key("TAVILY_API_KEY").works is False
    (logged,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "key rejected" in logged
    assert KEY not in caplog.text


async def test_no_results(case: Case) -> None:
    case.stub.answer = lambda _: reply({"results": []})

    with pytest.raises(NotFound, match="no results"):
        await case.keyless.search("rockets", "general")


@pytest.mark.parametrize("is_keyed", [True, False])
@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "unknown", "nothing", "wrong_types"])
async def test_failures_say_nothing_about_the_company(case: Case, scenario: str, is_keyed: bool) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await (case.keyed if is_keyed else case.keyless).search("rockets", "general")
    assert not isinstance(caught.value, NotFound)
    assert KEY not in str(caught.value)


async def test_results_of_nulls_are_left_out(case: Case) -> None:
    case.stub.scenario = "nulls"

    assert await case.keyless.search("rockets", "general") == ()


async def test_the_check_of_a_key_is_free(case: Case) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["usage"])
    status = await case.keyed.check_key()

    (received,) = case.stub.received
    assert (received.method, received.target) == ("GET", "/usage")
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert status == KeyStatus(works=True, remaining=3_600, unit="credits", detail="Plan: Bootstrap.")


@pytest.mark.parametrize("account", [None, {}, {"plan_usage": 5, "plan_limit": None}])
async def test_the_check_of_a_key_without_limits(case: Case, account: Any) -> None:
    case.stub.answer = lambda _: reply({"account": account})

    assert await case.keyed.check_key() == KeyStatus(works=True)


async def test_the_check_of_a_wrong_key_and_of_an_address_without_checks(case: Case) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["unauthorized"], 401)
    with pytest.raises(Unauthorized):
        await case.keyed.check_key()
    case.stub.scenario = "unknown"
    with pytest.raises(BadRequest, match="404"):
        await case.keyed.check_key()
    case.stub.scenario = "html"
    with pytest.raises(ParseError):
        await case.keyed.check_key()
