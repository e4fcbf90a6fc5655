"""
How jobs look to callers: values of the engine in, shapes of `schemas` out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

import schemas
from enrichment.clock import isoformat_utc
from enrichment.jobs.cache import freshness, seconds_left
from enrichment.jobs.model import Batch, BatchItem, Enrichment, Lookup, Step
from enrichment.jobs.protocols import BatchSnapshot
from enrichment.modules.module import Finding
from enrichment.modules.table import MODULES, WAVES
from enrichment.sources.spending import spending
from schemas import Freshness, JobState, StepState


def lookup(job: Lookup) -> schemas.PendingJob | schemas.CompleteJob | schemas.FailedJob:
    """A job of `POST /enrich`."""
    if job.result is not None:
        return schemas.CompleteJob(job_id=job.id, data=job.result)
    if job.error is not None:
        return schemas.FailedJob(job_id=job.id, error=job.error)
    return schemas.PendingJob(job_id=job.id)


def started(job: Enrichment) -> schemas.StartedJob:
    """An enrichment that has just been accepted."""
    modules = tuple(step.module_id for step in job.steps)
    return schemas.StartedJob(
        job_id=job.id,
        domain=job.domain,
        status=job.state,
        modules=modules,
        waves=tuple(sorted({MODULES[module_id].wave for module_id in modules})),
        priority=job.priority,
        force=job.force,
        simulated=job.simulated,
        estimated_time_seconds=int(job.expected_seconds),
        created_at=isoformat_utc(job.created_at),
        icp=job.profile.read() if job.profile else msgspec.UNSET,
    )


def status(job: Enrichment, currency: str) -> schemas.JobStatus:
    """The progress of an enrichment, module by module."""
    steps = {step.module_id: step for step in job.steps}
    running = next((step.module_id for step in steps.values() if step.state is StepState.RUNNING), None)
    return schemas.JobStatus(
        job_id=job.id,
        domain=job.domain,
        status=job.state,
        progress_percent=job.progress_percent,
        current_wave=MODULES[running].wave if running else None,
        current_module=running,
        modules_total=job.total,
        modules_completed=job.completed,
        modules_failed=job.failed,
        modules_skipped=job.skipped,
        waves=tuple(
            _wave(job, number, [steps[module.id] for module in modules if module.id in steps])
            for number, modules in WAVES.items()
            if any(module.id in steps for module in modules)
        ),
        errors=_errors(job, steps.values()),
        cost=spending(job.charges, currency=currency, max_cost=job.terms.max_cost),
        priority=job.priority,
        force=job.force,
        simulated=job.simulated,
        batch_id=job.batch_id,
        created_at=isoformat_utc(job.created_at),
        started_at=isoformat_utc(job.started_at),
        completed_at=isoformat_utc(job.finished_at),
        duration_seconds=_seconds(job.started_at, job.finished_at),
    )


def results(job: Enrichment, only: Collection[str] | None, currency: str) -> schemas.JobResults:
    """What an enrichment has found so far; if `only` is given, of those modules."""
    steps = [step for step in job.steps if only is None or step.module_id in only]
    findings = {step.module_id: step.finding for step in steps if step.finding}
    return schemas.JobResults(
        domain=job.domain,
        job_id=job.id,
        status=job.state,
        completed_at=isoformat_utc(job.finished_at),
        simulated=job.simulated or any(finding.simulated for finding in findings.values()),
        results={module_id: finding.body for module_id, finding in findings.items()},
        module_statuses={step.module_id: _module_status(job, step) for step in steps},
        cached_modules=tuple(step.module_id for step in steps if step.cached),
        failed_modules=_in_state(steps, StepState.FAILED),
        skipped_modules=_in_state(steps, StepState.SKIPPED),
        source_citations={module_id: finding.citations for module_id, finding in findings.items() if finding.citations},
        errors=_errors(job, steps),
        cost=spending(job.charges, currency=currency, max_cost=job.terms.max_cost),
    )


def listed(job: Enrichment) -> schemas.ListedJob:
    """An enrichment as one of a list."""
    return schemas.ListedJob(
        job_id=job.id,
        domain=job.domain,
        status=job.state,
        progress_percent=job.progress_percent,
        modules_total=job.total,
        modules_completed=job.completed,
        modules_failed=job.failed,
        modules_skipped=job.skipped,
        priority=job.priority,
        simulated=job.simulated,
        created_at=isoformat_utc(job.created_at),
        started_at=isoformat_utc(job.started_at),
        completed_at=isoformat_utc(job.finished_at),
    )


def started_batch(batch: Batch) -> schemas.StartedBatch:
    """A batch that has just been accepted."""
    jobs = tuple(
        schemas.BatchJob(
            job_id=item.job_id,
            domain=item.domain,
            status="skipped" if item.reason else "queued",
            reason=item.reason,
        )
        for item in batch.items
    )
    queued = sum(item.job_id is not None for item in batch.items)
    icp = batch.profile.read() if batch.profile else msgspec.UNSET
    facts = _batch_facts(batch)
    return schemas.StartedBatch(status=JobState.QUEUED, jobs=jobs, queued_count=queued, icp=icp, **facts)


def batch_status(snapshot: BatchSnapshot, currency: str) -> schemas.BatchStatus:
    """The progress of a batch. A forgotten job was finished; how is no longer known."""
    batch = snapshot.batch
    jobs = tuple(_batch_job(item, snapshot.jobs) for item in batch.items)
    count: Counter[str] = Counter(job.status for job in jobs)
    to_run = len(jobs) - count["skipped"]
    progress = sum(100.0 if job.is_finished else job.progress_percent for job in snapshot.jobs.values())
    progress += 100 * count["forgotten"]
    if count["queued"] == to_run:
        state = JobState.QUEUED
    elif count["queued"] or count["running"]:
        state = JobState.RUNNING
    else:
        state = next((s for s in (JobState.FAILED, JobState.CANCELLED) if count[s.value] == to_run), JobState.COMPLETED)
    return schemas.BatchStatus(
        status=state,
        jobs=jobs,
        queued_count=count["queued"],
        running_count=count["running"],
        completed_count=count["completed"],
        failed_count=count["failed"],
        cancelled_count=count["cancelled"],
        forgotten_count=count["forgotten"],
        progress_percent=round(progress / to_run, 1),
        cost=spending(snapshot.charges, currency=currency, max_cost=batch.max_cost),
        **_batch_facts(batch),
    )


def cache_status(domain: str, findings: Mapping[str, Finding], now: float, *, simulated: bool) -> schemas.CacheStatus:
    """What is cached for a domain, and how fresh it is; `simulated` is set for modules without a finding as well."""
    modules = tuple(
        _cached_module(module_id, findings.get(module_id), now, simulated=simulated) for module_id in MODULES
    )
    worst_last = list(Freshness)
    cached = [module.freshness for module in modules if module.is_cached]
    newest = max((finding.fetched_at for finding in findings.values()), default=None)
    return schemas.CacheStatus(
        domain=domain,
        simulated=simulated,
        modules=modules,
        overall_freshness=max(cached, key=worst_last.index, default=Freshness.MISSING),
        last_enrichment=isoformat_utc(newest),
        stale_modules=tuple(
            module.module_id for module in modules if module.freshness in (Freshness.STALE, Freshness.EXPIRED)
        ),
    )


def _cached_module(module_id: str, finding: Finding | None, now: float, *, simulated: bool) -> schemas.CachedModule:
    module = MODULES[module_id]
    return schemas.CachedModule(
        module_id=module_id,
        is_cached=finding is not None,
        cached_at=isoformat_utc(finding.fetched_at if finding else None),
        freshness=freshness(finding, module, now),
        ttl_remaining_seconds=max(0, int(seconds_left(finding, module, now))) if finding else None,
        simulated=finding.simulated if finding else simulated,
        unknown=bool(finding and finding.unknown),
    )


def _seconds(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(end - begin, 3)


def _in_state(steps: Iterable[Step], state: StepState) -> tuple[str, ...]:
    return tuple(step.module_id for step in steps if step.state is state)


def _wave(job: Enrichment, number: int, steps: list[Step]) -> schemas.WaveProgress:
    states = {step.state for step in steps}
    begun = [step.started_at for step in steps if step.started_at is not None]
    ended = [step.ended_at for step in steps if step.ended_at is not None]
    is_over = len(ended) == len(steps)
    if StepState.CANCELLED in states:
        state = StepState.CANCELLED
    elif not is_over:
        state = StepState.RUNNING if begun else StepState.PENDING
    else:
        state = StepState.COMPLETED if StepState.COMPLETED in states else StepState.FAILED
    return schemas.WaveProgress(
        wave_number=number,
        status=state,
        modules=tuple(_module_progress(job, step) for step in steps),
        started_at=isoformat_utc(min(begun, default=None)),
        completed_at=isoformat_utc(max(ended) if is_over else None),
    )


def _module_progress(job: Enrichment, step: Step) -> schemas.ModuleProgress:
    finding = step.finding
    return schemas.ModuleProgress(
        module_id=step.module_id,
        status=step.state,
        duration_seconds=_seconds(step.started_at, step.ended_at),
        data_points_collected=finding.data_points if finding else None,
        source_url=finding.citations[0].url if finding and finding.citations else None,
        source=finding.source if finding else None,
        simulated=finding.simulated if finding else job.simulated,
        cached=step.cached,
        reason=step.reason,
        stale=step.stale,
        unknown=step.unknown,
    )


def _module_status(job: Enrichment, step: Step) -> schemas.ModuleStatus:
    finding = step.finding
    seconds = _seconds(step.started_at, step.ended_at)
    return schemas.ModuleStatus(
        status=step.state,
        duration_ms=None if seconds is None else round(seconds * 1_000),
        cached=step.cached,
        data_points=finding.data_points if finding else None,
        source=finding.source if finding else None,
        source_url=finding.citations[0].url if finding and finding.citations else None,
        method=finding.method if finding else None,
        simulated=finding.simulated if finding else job.simulated,
        fetched_at=isoformat_utc(finding.fetched_at if finding else None),
        observed_at=isoformat_utc(finding.observed_at if finding else None),
        field_sources=finding.field_sources if finding else {},
        matched_by=finding.matched_by if finding else None,
        match_confidence=finding.match_confidence if finding else None,
        attempts=finding.attempts if finding and not step.stale else step.attempts,
        reason=step.reason,
        stale=step.stale,
        age_seconds=int((step.ended_at or finding.fetched_at) - finding.fetched_at) if finding else None,
        unknown=step.unknown,
    )


def _errors(job: Enrichment, steps: Iterable[Step]) -> tuple[schemas.ModuleError, ...]:
    """What went wrong: with the whole job first, then module by module."""
    errors = [
        schemas.ModuleError(
            module_id=step.module_id,
            status=step.state,
            detail=step.reason,
            simulated=job.simulated,
            attempts=step.attempts,
        )
        for step in steps
        if step.reason
    ]
    if job.error:
        state = StepState(job.state.value)
        error = schemas.ModuleError(
            module_id=None, status=state, detail=job.error, simulated=job.simulated, attempts=()
        )
        errors.insert(0, error)
    return tuple(errors)


def _batch_facts(batch: Batch) -> dict[str, Any]:
    skipped = sum(item.reason is not None for item in batch.items)
    return {
        "batch_id": batch.id,
        "simulated": batch.simulated,
        "total_domains": len(batch.items),
        "skipped_count": skipped,
        "estimated_time_seconds": int(batch.expected_seconds),
        "created_at": isoformat_utc(batch.created_at),
        "domain_column": batch.domain_column or msgspec.UNSET,
    }


def _batch_job(item: BatchItem, jobs: Mapping[str, Enrichment]) -> schemas.BatchJob:
    if item.reason or item.job_id is None:
        return schemas.BatchJob(job_id=None, domain=item.domain, status="skipped", reason=item.reason)
    job = jobs.get(item.job_id)
    if job is None:
        return schemas.BatchJob(job_id=item.job_id, domain=item.domain, status="forgotten")
    return schemas.BatchJob(
        job_id=job.id, domain=job.domain, status=job.state.value, progress_percent=job.progress_percent
    )
