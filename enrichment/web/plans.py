"""
How plans look to callers.
"""

from collections.abc import Sequence
from typing import Any, Final

import schemas
from enrichment.engine import Engine
from enrichment.jobs.model import BatchItem, JobOptions
from enrichment.jobs.planning import DomainPlan, sum_of
from enrichment.sources.spending import money

MAX_DOMAINS: Final = 100
"Domains of a batch that its plan lists."


def job_plan(plan: DomainPlan, options: JobOptions, engine: Engine) -> schemas.JobPlan:
    """The plan of a single job."""
    return schemas.JobPlan(
        domain=plan.domain,
        cached_count=plan.count("cached"),
        asked_count=plan.count("asked"),
        skipped_count=plan.count("skipped"),
        modules=plan.modules,
        **_totals([plan], options, engine),
    )


def batch_plan(
    items: Sequence[BatchItem], plans: Sequence[DomainPlan], options: JobOptions, engine: Engine
) -> schemas.BatchPlan:
    """The plan of a batch: its sums, and the first of its domains."""
    by_domain = {plan.domain: plan for plan in plans}
    return schemas.BatchPlan(
        total_domains=len(items),
        queued_count=len(plans),
        skipped_count=len(items) - len(plans),
        cached_modules_count=sum(plan.count("cached") for plan in plans),
        asked_modules_count=sum(plan.count("asked") for plan in plans),
        skipped_modules_count=sum(plan.count("skipped") for plan in plans),
        domains=tuple(
            _domain(item, DomainPlan.empty(item.domain) if item.reason else by_domain[item.domain])
            for item in items[:MAX_DOMAINS]
        ),
        **_totals(plans, options, engine),
    )


def _domain(item: BatchItem, plan: DomainPlan) -> schemas.PlannedDomain:
    return schemas.PlannedDomain(
        domain=item.domain,
        reason=item.reason,
        cached_count=plan.count("cached"),
        asked_count=plan.count("asked"),
        skipped_count=plan.count("skipped"),
        expected_cost=plan.expected.known,
        worst_cost=plan.worst.known,
    )


def _totals(plans: Sequence[DomainPlan], options: JobOptions, engine: Engine) -> dict[str, Any]:
    expected, worst = sum_of(plan.expected for plan in plans), sum_of(plan.worst for plan in plans)
    max_cost = options.terms.max_cost
    if max_cost is not None:
        worst = worst._replace(amount=min(worst.amount, max_cost))
    return {
        "simulated": engine.is_simulated,
        "currency": engine.settings.cost_currency,
        "expected_cost": expected.known,
        "worst_cost": worst.known,
        "unknown_cost_sources": tuple(sorted(expected.unknown | worst.unknown)),
        "max_cost": money(max_cost),
    }
