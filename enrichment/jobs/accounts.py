"""
The account of a job: what it spends is in the store, so that all jobs of a batch, and all processes, see the sum.
"""

from collections.abc import Sequence

from enrichment.errors import CostUnknown, MaxCostReached
from enrichment.jobs.model import Enrichment
from enrichment.jobs.protocols import JobStore
from enrichment.sources.costs import Charge, shown_amount, total


class JobAccount:
    """An `Account` of an enrichment, within what it and its batch may spend."""

    def __init__(self, store: JobStore, job: Enrichment, currency: str) -> None:
        self._store = store
        self._job_id = job.id
        self._max_cost = job.terms.max_cost
        self._owner = "batch" if job.batch_id else "job"
        self._currency = currency

    async def charge(self, charges: Sequence[Charge]) -> None:
        """See `Account.charge`."""
        more, source = total(charges), charges[0].source
        if self._max_cost is not None and more.unknown_amounts > 0:
            raise CostUnknown(f"Not asked: the {self._owner} has a max_cost, and the cost of a call is not known.")
        is_charged = await self._store.charge(self._job_id, charges)
        if self._max_cost is not None and more.amount > 0 and not is_charged:
            limit = f"max_cost of {shown_amount(self._max_cost)} {self._currency}"
            price = f"{shown_amount(more.amount)} {self._currency}"
            raise MaxCostReached(
                f"The {self._owner} has a {limit}, and a call of {source} for {price} could go beyond that."
            )
