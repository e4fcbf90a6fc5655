"""
Which requests of the client are sent, and which of them are billed.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable

import pytest

from enrichment.errors import CostUnknown, MaxCostReached, SourceFailed
from enrichment.sources.costs import METER, Charge, Ledger, Meter, Price, report_credits
from enrichment.sources.failures import NotFound, Pending
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import MAX_FAILURES, Upstream
from tests.test_costs import Purse
from tests.upstreams import InstantClock, StubUpstream, live_client, stub_upstream

PRICE = Price(amount=100, credits=1.0)


@pytest.fixture
async def stub() -> AsyncIterator[StubUpstream]:
    async with stub_upstream() as stub:
        yield stub


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with live_client(InstantClock()) as client:
        yield client


@pytest.fixture
def purse() -> Purse:
    return Purse()


def with_meter(purse: Purse) -> None:
    meter = Meter(Ledger({"paid": PRICE}), lambda: (purse,))
    meter.source = "source"
    METER.set(meter)


def upstream(stub: StubUpstream, paid_service: str = "paid") -> Upstream:
    return Upstream(name="stub", trusted_origins=(stub.url,), requests_per_second=math.inf, paid_service=paid_service)


async def fetch(client: Client, stub: StubUpstream, purse: Purse, read: Callable[[HttpResponse], object]) -> Charge:
    """What a request costs, whatever comes of it."""
    with_meter(purse)
    with contextlib.suppress(SourceFailed):
        await client.fetch(upstream(stub), HttpRequest(url=stub.url), read)
    charges = purse.charges or (Charge(source="source"),)
    assert charges[0].calls == len(stub.received)
    return charges[0]


def answer(response: HttpResponse) -> object:
    return response.raise_for_status().json(dict)


def unknown(response: HttpResponse) -> object:
    response.raise_for_status()
    raise NotFound("never heard of it")


def pending(response: HttpResponse) -> object:
    raise Pending("ask again")


def free_of_charge(response: HttpResponse) -> object:
    report_credits(0)
    return response


def dear(response: HttpResponse) -> object:
    report_credits(7.5)
    return response


@pytest.mark.parametrize(
    ("scenario", "read", "calls", "billed"),
    [
        ("success", answer, 1, 1),
        ("success", unknown, 1, 1),
        ("success", pending, 1, 0),
        ("success", free_of_charge, 1, 0),
        ("html", answer, 1, 1),
        ("truncated_json", answer, 1, 1),
        ("oversized", answer, 1, 1),
        ("unauthorized", answer, 1, 0),
        ("unknown", answer, 1, 0),
        ("rate_limited_for_1_second", answer, 3, 0),
        ("broken", answer, 1, 0),
        ("unavailable", answer, 3, 0),
        ("reset", answer, 3, 3),
        ("cut_off", answer, 3, 3),
        ("redirect_loop", answer, 6, 0),
    ],
)
async def test_answers_are_billed_and_refusals_are_not(
    client: Client,
    stub: StubUpstream,
    purse: Purse,
    scenario: str,
    read: Callable[[HttpResponse], object],
    calls: int,
    billed: int,
) -> None:
    """What the stub has received is what was charged; a request whose answer was lost may have been billed."""
    stub.scenario = scenario
    charge = await fetch(client, stub, purse, read)

    assert (charge.calls, charge.billed) == (calls, billed)
    assert (charge.amount, charge.credits) == (billed * 100, billed)


async def test_only_the_answer_after_failures_is_billed(client: Client, stub: StubUpstream, purse: Purse) -> None:
    stub.script.extend(["unavailable", "rate_limited_for_1_second"])
    charge = await fetch(client, stub, purse, answer)

    assert (charge.calls, charge.billed, charge.amount) == (3, 1, 100)


async def test_credits_are_those_that_the_vendor_reports(client: Client, stub: StubUpstream, purse: Purse) -> None:
    charge = await fetch(client, stub, purse, dear)

    assert (charge.credits, charge.amount) == (7.5, 100)


async def test_a_request_that_cannot_be_sent_costs_nothing(client: Client, stub: StubUpstream, purse: Purse) -> None:
    with_meter(purse)
    closed = Upstream(
        name="stub", paid_service="paid", trusted_origins=("http://127.0.0.1:9",), requests_per_second=math.inf
    )
    with pytest.raises(SourceFailed, match="cannot be connected"):
        await client.fetch(closed, HttpRequest(url="http://127.0.0.1:9"), answer)

    assert purse.charges == ()


async def test_a_request_that_is_cancelled_after_it_was_sent_may_be_billed(
    client: Client, stub: StubUpstream, purse: Purse
) -> None:
    stub.scenario = "hang"
    with_meter(purse)
    task = asyncio.create_task(client.fetch(upstream(stub), HttpRequest(url=stub.url), answer))
    await stub.wait_for(1)
    task.cancel()
    await asyncio.wait([task])

    assert purse.charges == (Charge(source="source", calls=1, billed=1, amount=100, credits=1.0),)


async def test_a_service_without_a_price_is_free(client: Client, stub: StubUpstream, purse: Purse) -> None:
    with_meter(purse)
    await client.fetch(upstream(stub, ""), HttpRequest(url=stub.url), answer)
    meter = METER.get()
    assert meter
    await meter.close()

    assert purse.charges == (Charge(source="source", calls=1),)


@pytest.mark.parametrize("error", [MaxCostReached("too much"), CostUnknown("not known")])
async def test_a_call_that_is_not_paid_is_neither_sent_nor_counted(
    client: Client, stub: StubUpstream, error: Exception
) -> None:
    with_meter(Purse(limit=0, error=error))
    with pytest.raises(type(error)):
        await client.fetch(upstream(stub), HttpRequest(url=stub.url), answer)
    METER.set(None)
    health = client.health(upstream(stub))

    assert stub.received == []
    assert (health.stats.calls, health.stats.errors, health.state) == (0, 0, "ok")


async def test_a_trial_that_is_not_paid_leaves_the_next_call_to_be_one(stub: StubUpstream) -> None:
    clock = InstantClock()
    async with live_client(clock) as client:
        stub.scenario = "broken"
        for _ in range(MAX_FAILURES):
            with pytest.raises(SourceFailed):
                await client.fetch(upstream(stub), HttpRequest(url=stub.url), answer)
        assert client.health(upstream(stub)).state == "open"
        await clock.sleep(31)
        stub.scenario = "success"
        with_meter(Purse(limit=0))
        with pytest.raises(MaxCostReached):
            await client.fetch(upstream(stub), HttpRequest(url=stub.url), answer)
        with_meter(Purse())
        await client.fetch(upstream(stub), HttpRequest(url=stub.url), answer)
        METER.set(None)

        assert client.health(upstream(stub)).state == "ok"
