"""
The account of a job: what it spends is in the store, so that all jobs of a batch, and all processes, see the sum.
"""

from collections.abc import Sequence

from enrichment.errors import CostUnknown, MaxCostReached
from enrichment.jobs.model import Enrichment
from enrichment.jobs.protocols import JobStore
from enrichment.sources.costs import Charge, shown_amount, total


class JobAccount:
    """
    An `Account` of an enrichment, within what it and its batch may spend.

    `stopped_because` is the reason once a call was refused: the job asks nobody any more.
    """

    def __init__(self, store: JobStore, job: Enrichment, currency: str) -> None:
        self._store = store
        self._job_id = job.id
        self._max_cost = job.terms.max_cost
        self._owner = "batch" if job.batch_id else "job"
        self._currency = currency
        self.stopped_because = ""

    async def charge(self, charges: Sequence[Charge]) -> None:
        """See `Account.charge`."""
        more, source = total(charges), charges[0].source
        if self._max_cost is not None and more.unknown_amounts > 0:
            raise CostUnknown(unknown_cost(self._owner))
        is_charged = await self._store.charge(self._job_id, charges)
        if self._max_cost is not None and more.amount > 0 and not is_charged:
            reason = max_cost_reached(self._owner, self._max_cost, source, more.amount, self._currency)
            self.stopped_because = self.stopped_because or reason
            raise MaxCostReached(reason)


def unknown_cost(owner: str) -> str:
    """Why a source is not asked whose calls have no known cost; `owner` is a job or a batch."""
    return f"It is not asked: the {owner} has a max_cost, and what a call costs is not known."


def max_cost_reached(owner: str, max_cost: int, source: str, amount: int, currency: str) -> str:
    """Why a job makes no calls any more; the amounts are in millionths of the currency."""
    limit, price = (f"{shown_amount(each)} {currency}" for each in (max_cost, amount))
    return f"The {owner} has a max_cost of {limit}; a call of {source}, which costs {price}, could go beyond it."
