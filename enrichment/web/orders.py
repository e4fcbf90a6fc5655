"""
What callers order: modules and waves as a plan, the domains of a batch as jobs to run or to skip.
"""

from collections.abc import Sequence

import schemas
from enrichment.domains import canonical_domain
from enrichment.errors import InvalidDomain
from enrichment.jobs.model import BatchItem, Order
from enrichment.modules.table import plan
from enrichment.web.problems import ProblemError


def order_of(body: schemas.StartRequest | schemas.BatchRequest, request_id: str) -> Order:
    """What is wanted, whatever the domain. Raises `InvalidPlan`."""
    return Order(
        modules=plan(body.modules, body.waves),
        priority=body.priority or "normal",
        force=body.force or False,
        request_id=request_id,
    )


def batch_items(texts: Sequence[str], *, most: int) -> list[BatchItem]:
    """What to do about each of a batch's domains: run it, or skip it and say why."""
    if len(texts) > most:
        raise _bad_batch(f"There are {len(texts)} domains; a batch takes {most} at most.")
    items: list[BatchItem] = []
    seen: set[str] = set()
    for text in texts:
        try:
            domain = canonical_domain(text)
        except InvalidDomain as error:
            items.append(BatchItem(domain=text[:253], reason=str(error)))
            continue
        repeated = f"{domain} is in this batch already." if domain in seen else None
        seen.add(domain)
        items.append(BatchItem(domain=domain, reason=repeated))
    if not seen:
        first = f" The first: {items[0].reason}" if items else ""
        raise _bad_batch(f"There is no domain to run.{first}")
    return items


def _bad_batch(detail: str) -> ProblemError:
    return ProblemError(422, "invalid_body", detail, errors=(schemas.FieldError(pointer="#/domains", detail=detail),))
