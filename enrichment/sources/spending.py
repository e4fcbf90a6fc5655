"""
Prices and charges as callers see them: amounts of money, and null where they are not known.
"""

from collections.abc import Iterable, Mapping

import schemas
from enrichment.sources.costs import MILLIONTHS, Charge, Price, total


def spending(charges: Iterable[Charge], *, currency: str, max_cost: int | None = None) -> schemas.Spending:
    """What was spent, in all and by source."""
    charges = tuple(charges)
    in_all = total(charges)
    return schemas.Spending(
        currency=currency,
        amount=_amount(in_all),
        credits=_credits(in_all),
        calls=in_all.calls,
        billed_calls=in_all.billed,
        calls_of_unknown_cost=in_all.unknown_amounts,
        max_cost=money(max_cost),
        sources=tuple(map(source_spending, charges)),
    )


def source_spending(charge: Charge) -> schemas.SourceSpending:
    """What was spent on one source."""
    return schemas.SourceSpending(
        source=charge.source,
        amount=_amount(charge),
        credits=_credits(charge),
        calls=charge.calls,
        billed_calls=charge.billed,
        calls_of_unknown_cost=charge.unknown_amounts,
    )


def service_prices(prices: Mapping[str, Price]) -> tuple[schemas.ServicePrice, ...]:
    """What a call of each of these services costs."""
    return tuple(
        schemas.ServicePrice(service=name, cost_per_call=money(price.amount), credits_per_call=price.credits)
        for name, price in prices.items()
    )


def money(amount: int | None) -> float | None:
    """An amount in the currency, of one in millionths of it."""
    return None if amount is None else amount / MILLIONTHS


def _amount(charge: Charge) -> float | None:
    """The known part of the amount; null if nothing of it is known."""
    return None if charge.unknown_amounts and not charge.amount else money(charge.amount)


def _credits(charge: Charge) -> float | None:
    return None if charge.unknown_credits and not charge.credits else charge.credits
