"""
What calls of outside services cost, and to whom they are charged.

Amounts are whole millionths of the currency: sums of them are exact, so a limit is neither missed nor passed by a
rounding error.
"""

import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

import msgspec

from enrichment.errors import CostUnknown, MaxCostReached

MILLIONTHS: Final = 1_000_000

MAX_ATTEMPTS: Final = 3
"How often a request is sent at most. One whose answer gets lost may be billed each time."


def price_in_millionths(amount: float) -> int:
    """Convert a price, rounded up, so that none becomes nothing."""
    return math.ceil(Decimal(str(amount)) * MILLIONTHS)


def limit_in_millionths(amount: float) -> int:
    """Convert what may be spent, rounded down."""
    return math.floor(Decimal(str(amount)) * MILLIONTHS)


def shown_amount(amount: int) -> str:
    """Write an amount as people do, without needless zeros."""
    return f"{amount / MILLIONTHS:.6f}".rstrip("0").rstrip(".")


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a billed call of a service costs: an amount of money, and the vendor's credits. None is not known."""

    amount: int | None
    credits: float | None

    @property
    def is_free(self) -> bool:
        """Whether nothing has to be paid."""
        return self.amount == 0


class PaidRequests(NamedTuple):
    """
    The paid requests that an answer takes: the names of those that are expected, and how many more there may be.

    A source keeps the answer to a request that several of its modules need, so one of the same name is made once.
    """

    names: tuple[str, ...]
    more: int = 0


FREE: Final = Price(amount=0, credits=0.0)


class Charge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    Calls of one source, and what they cost; a correction has negative numbers.

    `calls` are requests that were sent, `billed` those that the vendor bills. `amount` and `credits` are sums of what
    is known; `unknown_amounts` and `unknown_credits` are the numbers of billed calls whose cost is not.
    """

    source: str
    calls: int = 0
    billed: int = 0
    amount: int = 0
    credits: float = 0.0
    unknown_amounts: int = 0
    unknown_credits: int = 0

    @classmethod
    def of(cls, source: str, price: Price, *, billed: int = 1, reported: float | None = None) -> "Charge":
        """One call at this price; `reported` are the credits that the vendor says it has charged."""
        credits_used = price.credits if reported is None else reported
        return cls(
            source=source,
            calls=1,
            billed=0 if price.is_free else billed,
            amount=billed * (price.amount or 0),
            credits=billed * (credits_used or 0.0),
            unknown_amounts=billed * (price.amount is None),
            unknown_credits=billed * (credits_used is None),
        )

    def plus(self, other: "Charge", sign: int = 1) -> "Charge":
        """The sum, under the name of this source; with `sign` -1 the difference."""
        return Charge(
            source=self.source,
            calls=self.calls + sign * other.calls,
            billed=self.billed + sign * other.billed,
            amount=self.amount + sign * other.amount,
            credits=round(self.credits + sign * other.credits, 6),
            unknown_amounts=self.unknown_amounts + sign * other.unknown_amounts,
            unknown_credits=self.unknown_credits + sign * other.unknown_credits,
        )


def add(charges: Iterable[Charge], more: Charge) -> tuple[Charge, ...]:
    """The charges, one for each source, with one more."""
    of_source = {charge.source: charge for charge in charges}
    before = of_source.get(more.source)
    of_source[more.source] = before.plus(more) if before else more
    return tuple(charge for charge in of_source.values() if charge != Charge(source=charge.source))


def total(charges: Iterable[Charge]) -> Charge:
    """The sum of the charges of all sources."""
    result = Charge(source="")
    for charge in charges:
        result = result.plus(charge)
    return result


def fits(amount: int, charges: Iterable[Charge], limit: int | None) -> bool:
    """Whether so much may be spent beside the charges."""
    return limit is None or total(charges).amount + amount <= limit


class Account(Protocol):
    """To whom calls are charged."""

    async def charge(self, charges: Sequence[Charge]) -> None:
        """
        Add charges, all or none.

        Raise `MaxCostReached` if they could go beyond what may be spent, `CostUnknown` if that cannot be told. A
        correction is never refused.
        """


class Nobody:
    """The account of callers that have no job: everything is paid, and only the totals of sources show it."""

    async def charge(self, charges: Sequence[Charge]) -> None:
        """See `Account.charge`."""


NOBODY: Final = Nobody()


class Ledger:
    """The prices of services by their names, and the charges of each source since the start."""

    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        self.prices = prices or {}
        self.totals: dict[str, Charge] = {}

    def add(self, charge: Charge) -> None:
        """Add a charge to the total of its source."""
        before = self.totals.get(charge.source)
        self.totals[charge.source] = before.plus(charge) if before else charge


class Call:
    """
    A call that is being made.

    It is billed if an answer has come, or if none has come to a request that was sent: the vendor may have answered it.
    """

    __slots__ = ("credits", "is_billed", "is_sent")

    def __init__(self) -> None:
        self.is_sent = False
        self.is_billed = True
        self.credits: float | None = None

    def charge(self, source: str, price: Price) -> Charge:
        """What it has cost."""
        if not self.is_sent:
            return Charge(source=source)
        return Charge.of(source, price, billed=int(self.is_billed), reported=self.credits)


CALL: Final[ContextVar[Call | None]] = ContextVar("call", default=None)
"The last call of the running task."


def report_credits(charged: float) -> None:
    """
    Report how many credits the vendor says that it has charged for a response; none means that it is not billed.

    To be called by the function that reads the response.
    """
    if call := CALL.get():
        call.credits = charged
        call.is_billed = charged > 0


class Meter:
    """
    Charges the calls that are made to answer one question.

    `accounts` are those of all who wait for the answer. A call is charged to the first of them that accepts it: before
    it is sent, so that several calls at once pass no limit, and corrected afterwards. Free calls are charged together
    by `close`. `source` is the one that is being asked.
    """

    def __init__(self, ledger: Ledger, accounts: Callable[[], Iterable[Account]]) -> None:
        self.source = ""
        self._ledger = ledger
        self._accounts = accounts
        self._free: dict[Account, tuple[Charge, ...]] = {}

    @asynccontextmanager
    async def charging(self, service: str) -> AsyncIterator[Call]:
        """Charge the call of a service that is made in the block. Raise as `Account.charge` does if nobody pays."""
        price, source, call = self._ledger.prices.get(service, FREE), self.source, Call()
        expected = Charge(source=source) if price.is_free else Charge.of(source, price)
        account = await self._pay(expected)
        CALL.set(call)
        try:
            yield call
        finally:
            correction = call.charge(source, price).plus(expected, -1)
            if correction != Charge(source=source):
                self._ledger.add(correction)
                if price.is_free:
                    self._free[account] = add(self._free.get(account, ()), correction)
                else:
                    await account.charge((correction,))

    async def close(self) -> None:
        """Charge the free calls."""
        while self._free:
            account, charges = self._free.popitem()
            await account.charge(charges)

    async def _pay(self, charge: Charge) -> Account:
        """Charge the first account that accepts it, or is the first one if there is nothing to pay, and return it."""
        refusal: MaxCostReached | CostUnknown | None = None
        for account in self._accounts():
            try:
                if charge.calls:
                    await account.charge((charge,))
            except (MaxCostReached, CostUnknown) as error:
                refusal = refusal or error
            else:
                self._ledger.add(charge)
                return account
        if refusal:
            raise refusal
        self._ledger.add(charge)
        return NOBODY  # who waited for the answer has left


METER: Final[ContextVar[Meter | None]] = ContextVar("meter", default=None)
"The meter of the running task. Without one, calls are not charged: those that check keys are free."


@asynccontextmanager
async def charging(service: str) -> AsyncIterator[Call]:
    """Charge the call of a service that is made in the block with the meter of the running task, if it has one."""
    if meter := METER.get():
        async with meter.charging(service) as call:
            yield call
    else:
        yield Call()
