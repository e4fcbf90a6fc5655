"""
Tranco: what is asked, and which rank counts.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import Traffic
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.failures import NotFound, ParseError, RateLimited
from enrichment.sources.ranks import NOTE, Ranks
from tests.adapters import REFUSALS, SOFT_SCENARIOS, answers, reply
from tests.upstreams import InstantClock, StubUpstream, live_client, stub_upstream


class Case(NamedTuple):
    """The source and its service."""

    source: Ranks
    stub: StubUpstream
    clock: InstantClock

    async def ask(self, domain: str = "rocketworks.example") -> Finding:
        return await self.source.ask(MODULES["m03_traffic"], Subject(domain=domain))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = InstantClock()
    async with stub_upstream(lambda _: reply(answers("ranks"))) as stub, live_client(clock) as client:
        yield Case(Ranks(client, clock, tranco=stub.url), stub, clock)


async def test_the_latest_rank_counts_and_visits_stay_unknown(case: Case) -> None:
    finding = await case.ask()

    assert finding.read(Traffic) == Traffic(global_rank=4321, note=NOTE)
    assert (finding.source, finding.observed_at, finding.data_points) == ("ranks", 1_771_891_200, 1)
    assert (finding.matched_by, finding.match_confidence) == ("domain", 1)
    assert finding.citations[0].url == f"{case.stub.url}/api/ranks/domain/rocketworks.example"
    assert "https://example.com/bot" in case.stub.received[0].headers["user-agent"]


async def test_the_registrable_domain_is_asked_for(case: Case) -> None:
    finding = await case.ask("shop.rocketworks.co.uk")

    assert case.stub.received[0].target == "/api/ranks/domain/rocketworks.co.uk"
    assert (finding.matched_by, finding.match_confidence) == ("registrable domain rocketworks.co.uk", 0.8)


async def test_requests_are_a_second_apart(case: Case) -> None:
    for _ in range(3):
        await case.ask()

    assert sum(case.clock.sleeps) == pytest.approx(2)


async def test_an_unranked_domain(case: Case) -> None:
    case.stub.answer = lambda _: reply({"ranks": [], "domain": "rocketworks.example"})

    with pytest.raises(NotFound, match="not ranked"):
        await case.ask()


@pytest.mark.parametrize(
    "ranks", [[None], [{"date": "today", "rank": 1}], [{"date": "2026-02-24", "rank": 0}], "none", [{"rank": "1"}]]
)
async def test_ranks_that_cannot_be_read(case: Case, ranks: Any) -> None:
    case.stub.answer = lambda _: reply({"ranks": ranks})

    with pytest.raises(ParseError):
        await case.ask()


async def test_forbidden_means_too_often(case: Case) -> None:
    case.stub.scenario = "forbidden"

    with pytest.raises(RateLimited):
        await case.ask()


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "nulls", "wrong_types", "nothing", "oversized"])
async def test_failures(case: Case, scenario: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await case.ask()
    assert not isinstance(caught.value, NotFound)
