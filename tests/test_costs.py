"""
What calls cost, and who pays for them.
"""

import asyncio
from collections.abc import Sequence

import pytest

from enrichment.errors import CostUnknown, MaxCostReached
from enrichment.settings import Settings
from enrichment.sources.costs import (
    CALL,
    METER,
    NOBODY,
    Account,
    Charge,
    Ledger,
    Meter,
    Price,
    add,
    charging,
    fits,
    limit_in_millionths,
    price_in_millionths,
    report_credits,
    shown_amount,
    total,
)
from enrichment.sources.registry import PAID_SERVICES, SOURCES, prices
from enrichment.sources.spending import service_prices, source_spending, spending

PRICES = {
    "paid": Price(amount=100_000, credits=2.0),
    "unknown": Price(amount=None, credits=None),
    "prepaid": Price(amount=0, credits=3.0),
}


class Purse:
    """An account with a limit, which keeps all charges."""

    def __init__(self, limit: int | None = None, error: Exception | None = None) -> None:
        self.charges: tuple[Charge, ...] = ()
        self.times = 0
        self._limit = limit
        self._error = error or MaxCostReached("too much")

    async def charge(self, charges: Sequence[Charge]) -> None:
        amount = total(charges).amount
        if amount > 0 and not fits(amount, self.charges, self._limit):
            raise self._error
        self.times += 1
        for charge in charges:
            self.charges = add(self.charges, charge)


def meter(*accounts: Account) -> tuple[Meter, Ledger]:
    ledger = Ledger(PRICES)
    made = Meter(ledger, lambda: accounts)
    made.source = "source"
    return made, ledger


@pytest.mark.parametrize(
    ("amount", "price", "limit"),
    [(0.1, 100_000, 100_000), (0.3, 300_000, 300_000), (0.0000001, 1, 0), (1.0000005, 1_000_001, 1_000_000), (0, 0, 0)],
)
def test_a_price_is_rounded_up_and_a_limit_down(amount: float, price: int, limit: int) -> None:
    assert (price_in_millionths(amount), limit_in_millionths(amount)) == (price, limit)


@pytest.mark.parametrize(("amount", "text"), [(0, "0"), (1, "0.000001"), (250_000, "0.25"), (20_000_000, "20")])
def test_an_amount_is_shown_without_needless_zeros(amount: int, text: str) -> None:
    assert shown_amount(amount) == text


def test_three_tenths_are_not_more_than_three_times_a_tenth() -> None:
    tenth = Charge(source="s", amount=price_in_millionths(0.1))

    assert fits(tenth.amount, (tenth, tenth), limit_in_millionths(0.3))
    assert not fits(tenth.amount + 1, (tenth, tenth), limit_in_millionths(0.3))
    assert fits(tenth.amount, (tenth,), None)


def test_charges_are_added_by_source_and_corrected() -> None:
    first, other = Charge.of("a", PRICES["paid"]), Charge.of("b", PRICES["unknown"])
    charges = add(add(add((), first), other), first)

    assert charges == (
        Charge(source="a", calls=2, billed=2, amount=200_000, credits=4.0),
        Charge(source="b", calls=1, billed=1, unknown_amounts=1, unknown_credits=1),
    )
    assert total(charges) == Charge(
        source="", calls=3, billed=3, amount=200_000, credits=4.0, unknown_amounts=1, unknown_credits=1
    )
    assert add(charges, Charge(source="b").plus(other, -1)) == charges[:1]


async def test_a_call_is_charged_before_it_is_sent() -> None:
    purse = Purse()
    made, ledger = meter(purse)
    async with made.charging("paid") as call:
        call.is_sent = True
        assert purse.charges == (Charge(source="source", calls=1, billed=1, amount=100_000, credits=2.0),)

    assert (purse.charges, purse.times) == ((ledger.totals["source"],), 1)


async def test_a_call_that_is_not_sent_costs_nothing() -> None:
    purse = Purse()
    made, ledger = meter(purse)
    with pytest.raises(ValueError, match="x"):
        async with made.charging("paid"):
            raise ValueError("x")

    assert purse.charges == ()
    assert ledger.totals == {"source": Charge(source="source")}


@pytest.mark.parametrize(
    ("service", "is_billed", "reported", "charge"),
    [
        ("paid", True, None, Charge(source="source", calls=1, billed=1, amount=100_000, credits=2.0)),
        ("paid", False, None, Charge(source="source", calls=1)),
        ("paid", True, 5.0, Charge(source="source", calls=1, billed=1, amount=100_000, credits=5.0)),
        ("paid", True, 0.0, Charge(source="source", calls=1)),
        ("unknown", True, 5.0, Charge(source="source", calls=1, billed=1, credits=5.0, unknown_amounts=1)),
        ("unknown", False, None, Charge(source="source", calls=1)),
        ("prepaid", True, None, Charge(source="source", calls=1, credits=3.0)),
        ("free", True, None, Charge(source="source", calls=1)),
    ],
)
async def test_a_call_costs_what_the_vendor_bills(
    service: str, is_billed: bool, reported: float | None, charge: Charge
) -> None:
    purse = Purse()
    made, ledger = meter(purse)
    async with made.charging(service) as call:
        call.is_sent, call.is_billed = True, is_billed
        if reported is not None:
            report_credits(reported)
    await made.close()

    assert purse.charges == (charge,)
    assert ledger.totals == {"source": charge}


async def test_free_calls_are_charged_together() -> None:
    purse = Purse(limit=0)
    made, _ = meter(purse)
    for sent in (True, True, False):
        async with made.charging("free") as call:
            call.is_sent = sent
    assert purse.times == 0
    await made.close()
    await made.close()

    assert (purse.charges, purse.times) == ((Charge(source="source", calls=2),), 1)


async def test_the_first_account_that_accepts_it_pays_and_gets_the_correction() -> None:
    poor, rich = Purse(limit=50_000), Purse()
    made, ledger = meter(poor, rich)
    async with made.charging("paid") as call:
        call.is_sent, call.is_billed = True, False

    assert poor.charges == ()
    assert rich.charges == (Charge(source="source", calls=1),) == (ledger.totals["source"],)


async def test_if_nobody_accepts_it_the_call_is_not_made() -> None:
    made, ledger = meter(Purse(limit=0), Purse(limit=0, error=CostUnknown("not known")))
    with pytest.raises(MaxCostReached, match="too much"):
        async with made.charging("paid"):
            raise AssertionError

    assert ledger.totals == {}


async def test_without_an_account_only_the_totals_show_a_call() -> None:
    """As for callers without a job, and when all who waited for the answer have left."""
    for accounts in ((NOBODY,), ()):
        made, ledger = meter(*accounts)
        async with made.charging("paid") as call:
            call.is_sent = True
        assert ledger.totals["source"].calls == 1


async def test_without_a_meter_nothing_is_charged() -> None:
    async def check() -> None:
        METER.set(None)
        CALL.set(None)
        report_credits(1.0)
        async with charging("paid") as call:
            call.is_sent = True

    await asyncio.create_task(check())


def test_the_prices_are_those_of_the_settings() -> None:
    found = prices(Settings(apollo_cost_per_call=0.02))

    assert found.keys() == PAID_SERVICES.keys()
    assert found["apollo"] == Price(amount=20_000, credits=1.0)
    assert found["brave"] == Price(amount=5_000, credits=None)
    assert found["similarweb"] == Price(amount=None, credits=None)
    assert [price.service for price in service_prices({"apollo": found["apollo"]})] == ["apollo"]


def test_a_source_that_needs_a_key_is_paid_or_said_to_be_free() -> None:
    for source in SOURCES.values():
        assert bool(source.services) == (source.credits_per_call != 0)
        assert not source.needs_key or source.services or source.credits_per_call == 0


def test_what_is_not_known_is_null() -> None:
    known = Charge.of("a", PRICES["paid"])
    unknown = Charge.of("b", PRICES["unknown"])
    free = Charge(source="c", calls=4)

    assert source_spending(known).amount == 0.1
    assert (source_spending(unknown).amount, source_spending(unknown).credits) == (None, None)
    assert (source_spending(free).amount, source_spending(free).credits, source_spending(free).calls) == (0.0, 0.0, 4)
    assert spending([free, unknown], currency="EUR").amount is None
    cost = spending([known, unknown], currency="EUR", max_cost=250_000)
    assert (cost.amount, cost.credits, cost.calls, cost.billed_calls) == (0.1, 2.0, 2, 2)
    assert (cost.calls_of_unknown_cost, cost.max_cost, cost.currency) == (1, 0.25, "EUR")
    assert [each.source for each in cost.sources] == ["a", "b"]
