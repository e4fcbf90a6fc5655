"""
Brave: what is sent, and what its refusals mean.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from enrichment.errors import SourceFailed
from enrichment.sources.brave import Brave
from enrichment.sources.failures import BadRequest, NotFound, QuotaExhausted, RateLimited, Unauthorized
from enrichment.sources.http import Client
from enrichment.sources.search_engines import Result
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, reply
from tests.upstreams import IN_A_SECOND, InstantClock, Reply, StubUpstream, live_client, stub_upstream

SAMPLES: Any = answers("brave")
KEY = "BSA-k3y"


class Case(NamedTuple):
    """The engine and its service."""

    engine: Brave
    stub: StubUpstream
    clock: InstantClock
    client: Client

    def parameters(self) -> dict[str, str]:
        return {name: value for name, (value,) in parse_qs(urlsplit(self.stub.received[-1].target).query).items()}


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = InstantClock()
    async with stub_upstream(lambda _: reply(SAMPLES["web"])) as stub, live_client(clock) as client:
        yield Case(Brave(client, clock, url=stub.url, key=KEY), stub, clock, client)


async def test_pages(case: Case) -> None:
    results = await case.engine.search('"Rocket Works" CEO said', "general")

    (received,) = case.stub.received
    assert received.target.startswith("/res/v1/web/search?")
    assert received.headers["x-subscription-token"] == KEY
    assert received.headers["accept"] == "application/json"
    assert "gzip" in received.headers["accept-encoding"]
    assert KEY not in received.target
    assert case.parameters() == {
        "q": '"Rocket Works" CEO said',
        "count": "10",
        "text_decorations": "false",
        "result_filter": "web",
    }
    assert results == (
        Result("https://a.test/", "Rocket Works & Co", "2026-02-01T00:00:00"),
        Result("https://b.test/", "Undated"),
    )


async def test_news(case: Case) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["news"])
    results = await case.engine.search("n" * 500, "news")

    assert case.stub.received[0].target.startswith("/res/v1/news/search?")
    assert case.parameters() == {"q": "n" * 300, "count": "10", "text_decorations": "false", "freshness": "py"}
    assert [result.published for result in results] == ["2026-02-10T09:00:00"]


async def test_no_results(case: Case) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["nothing"])

    with pytest.raises(NotFound, match="no results"):
        await case.engine.search("rockets", "general")


@pytest.mark.parametrize("error", ["wrong_key", "no_key", "wrong_key_in_a_list"])
async def test_a_wrong_key_is_status_422(case: Case, error: str, caplog: pytest.LogCaptureFixture) -> None:
    case.stub.answer = lambda _: reply(SAMPLES[error], 422)
    with pytest.raises(Unauthorized):
        await case.engine.search("rockets", "general")

    assert case.client.key("BRAVE_API_KEY").works is False
    assert KEY not in caplog.text


async def test_a_bad_parameter_is_status_422_too(case: Case) -> None:
    case.stub.answer = lambda _: reply(SAMPLES["bad_parameter"], 422)

    with pytest.raises(BadRequest):
        await case.engine.search("rockets", "general")


def limits(remaining: str, reset: str = "1, 3600", limit: str = "1, 2000") -> Mapping[str, str]:
    values = {"remaining": remaining, "reset": reset, "limit": limit}
    return {f"X-RateLimit-{name.title()}": value for name, value in values.items()}


async def test_too_many_requests_a_second_are_a_pause(case: Case) -> None:
    refused = reply(SAMPLES["rate_limited"], 429)._replace(headers=limits("0, 1993"))
    replies = iter([refused, refused._replace(headers=IN_A_SECOND)])
    case.stub.answer = lambda _: next(replies, reply(SAMPLES["web"]))

    assert await case.engine.search("rockets", "general")
    assert len(case.stub.received) == 3
    assert all(1 <= seconds < 2 for seconds in case.clock.sleeps if seconds >= 1)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (SAMPLES["quota"], {}),
        (SAMPLES["rate_limited"], limits("0, 0")),
        ({"error": {"code": "QUOTA_LIMITED"}}, {}),
        ({}, limits("1, 0", reset="1")),
        ({"error": None}, limits("1, 0", reset="soon, later")),
    ],
)
async def test_the_quota_of_a_month(case: Case, body: Any, headers: Mapping[str, str]) -> None:
    case.stub.answer = lambda _: reply(body, 429)._replace(headers=headers)

    for _ in range(2):
        with pytest.raises(QuotaExhausted):
            await case.engine.search("rockets", "general")
    assert len(case.stub.received) == 1
    assert case.client.health(case.engine.upstream).until == case.clock.now() + 3_600


@pytest.mark.parametrize("answer", [Reply(b"Too many", 429, limits("0, 0", limit="50, 0")), Reply(b"", 429, {})])
async def test_a_plan_without_a_quota(case: Case, answer: Reply) -> None:
    case.stub.answer = lambda _: answer

    with pytest.raises(RateLimited):
        await case.engine.search("rockets", "general")


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "unknown", "nothing", "nulls", "wrong_types"])
async def test_failures_say_nothing_about_the_company(case: Case, scenario: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await case.engine.search("rockets", "general")
    assert not isinstance(caught.value, NotFound)
    assert KEY not in str(caught.value)
