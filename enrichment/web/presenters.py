"""
How jobs look to callers: values from behind the routes in, shapes of `schemas` out.
"""

from collections.abc import Iterable
from typing import Any, cast, overload

import schemas
from enrichment.clock import format_utc
from enrichment.jobs.cache import Cache, Freshness
from enrichment.jobs.memory import JobStore
from enrichment.jobs.model import Batch, BatchItem, Enrichment, Lookup, State, Step, StepState
from enrichment.modules.table import MODULES, WAVES


@overload
def stamp(moment: float) -> str: ...
@overload
def stamp(moment: float | None) -> str | None: ...
def stamp(moment: float | None) -> str | None:
    """Seconds since the epoch as UTC, ISO 8601, whole seconds."""
    return None if moment is None else format_utc(int(moment), "%Y-%m-%dT%H:%M:%SZ")


def lookup(job: Lookup) -> schemas.PendingJob | schemas.CompleteJob | schemas.FailedJob:
    """A job of `POST /enrich`, which knows three states."""
    if job.result is not None:
        data = schemas.CompanyData(company_size=job.result.company_size, industry=job.result.industry)
        return schemas.CompleteJob(job_id=job.id, data=data)
    if job.error is not None:
        return schemas.FailedJob(job_id=job.id, error=job.error)
    return schemas.PendingJob(job_id=job.id)


def started(job: Enrichment) -> schemas.StartedJob:
    """What a job is going to do."""
    modules = tuple(step.module_id for step in job.steps)
    return schemas.StartedJob(
        job_id=job.id,
        domain=job.domain,
        status=_state(job),
        modules=modules,
        waves=tuple(sorted({MODULES[module_id].wave for module_id in modules})),
        priority=job.priority,
        force=job.force,
        estimated_time_seconds=int(job.expected_seconds),
        created_at=stamp(job.created_at),
    )


def status(job: Enrichment) -> schemas.JobStatus:
    """How far a job has come, module by module."""
    steps = {step.module_id: step for step in job.steps}
    running = next((step.module_id for step in steps.values() if step.state is StepState.RUNNING), None)
    return schemas.JobStatus(
        job_id=job.id,
        domain=job.domain,
        status=_state(job),
        progress_percent=job.progress_percent,
        current_wave=MODULES[running].wave if running else None,
        current_module=running,
        modules_total=job.total,
        modules_completed=job.completed,
        modules_failed=job.failed,
        modules_skipped=job.skipped,
        waves=tuple(
            _wave(number, [steps[module.id] for module in modules if module.id in steps])
            for number, modules in WAVES.items()
            if any(module.id in steps for module in modules)
        ),
        errors=_errors(job, steps.values()),
        priority=job.priority,
        force=job.force,
        batch_id=job.batch_id,
        created_at=stamp(job.created_at),
        started_at=stamp(job.started_at),
        completed_at=stamp(job.finished_at),
        duration_seconds=_seconds(job.started_at, job.finished_at),
    )


def results(job: Enrichment, only: frozenset[str] | None) -> schemas.JobResults:
    """What a job has brought so far; of the modules in `only`, if given."""
    steps = [step for step in job.steps if only is None or step.module_id in only]
    return schemas.JobResults(
        domain=job.domain,
        job_id=job.id,
        status=_state(job),
        completed_at=stamp(job.finished_at),
        simulated=any(step.finding.simulated for step in steps if step.finding),
        results={step.module_id: step.finding.body for step in steps if step.finding},
        module_statuses={step.module_id: _module_status(step) for step in steps},
        cached_modules=tuple(step.module_id for step in steps if step.cached),
        failed_modules=_in_state(steps, StepState.FAILED),
        skipped_modules=_in_state(steps, StepState.SKIPPED),
        source_citations={
            step.module_id: step.finding.citations for step in steps if step.finding and step.finding.citations
        },
        errors=_errors(job, steps),
    )


def listed(job: Enrichment) -> schemas.ListedJob:
    """A job as one of many."""
    return schemas.ListedJob(
        job_id=job.id,
        domain=job.domain,
        status=_state(job),
        progress_percent=job.progress_percent,
        modules_total=job.total,
        modules_completed=job.completed,
        modules_failed=job.failed,
        priority=job.priority,
        created_at=stamp(job.created_at),
        started_at=stamp(job.started_at),
        completed_at=stamp(job.finished_at),
    )


def started_batch(batch: Batch) -> schemas.StartedBatch:
    """A batch that has just been posted."""
    jobs = tuple(
        schemas.BatchJob(
            job_id=item.job_id,
            domain=item.domain,
            status="skipped" if item.reason else "queued",
            reason=item.reason,
        )
        for item in batch.items
    )
    return schemas.StartedBatch(status="queued", jobs=jobs, **_batch_facts(batch))


def batch_status(batch: Batch, store: JobStore) -> schemas.BatchStatus:
    """A batch as it stands: a job that has been forgotten was finished, nobody knows how any more."""
    jobs = tuple(_batch_job(item, store) for item in batch.items)
    states = [job.status for job in jobs]
    count = {state: states.count(state) for state in (*State, "forgotten")}
    to_run = sum(count.values())
    progress = sum(job.progress_percent or 0.0 for job in jobs) + 100 * count["forgotten"]
    if count["queued"] == to_run:
        overall = State.QUEUED
    elif count["queued"] or count["running"]:
        overall = State.RUNNING
    else:
        overall = next((s for s in (State.FAILED, State.CANCELLED) if count[s] == to_run), State.COMPLETED)
    return schemas.BatchStatus(
        status=overall.value,
        jobs=jobs,
        waiting_count=count["queued"],
        running_count=count["running"],
        completed_count=count["completed"],
        failed_count=count["failed"],
        cancelled_count=count["cancelled"],
        progress_percent=round(progress / to_run, 1),
        **_batch_facts(batch),
    )


def cache_status(domain: str, cache: Cache) -> schemas.CacheStatus:
    """What is cached about a domain, and how fresh it is."""
    looks = {module.id: cache.look(domain, module) for module in MODULES.values()}
    worst = {freshness: rank for rank, freshness in enumerate(Freshness)}
    cached = [look for look in looks.values() if look.finding]
    overall = max((look.freshness for look in cached), key=worst.__getitem__, default=Freshness.MISSING)
    newest = max((look.finding.fetched_at for look in cached if look.finding), default=None)
    modules = tuple(
        schemas.CachedModule(
            module_id=module_id,
            is_cached=look.finding is not None,
            cached_at=stamp(look.finding.fetched_at if look.finding else None),
            freshness=look.freshness.value,
            ttl_remaining_seconds=look.seconds_left if look.finding else None,
            simulated=look.finding.simulated if look.finding else False,
        )
        for module_id, look in looks.items()
    )
    return schemas.CacheStatus(
        domain=domain,
        modules=modules,
        overall_freshness=overall.value,
        last_enrichment=stamp(newest),
        stale_modules=tuple(
            module_id for module_id, look in looks.items() if look.freshness in (Freshness.STALE, Freshness.EXPIRED)
        ),
    )


def _state(job: Enrichment) -> schemas.JobState:
    return job.state.value


def _seconds(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(end - begin, 3)


def _in_state(steps: Iterable[Step], state: StepState) -> tuple[str, ...]:
    return tuple(step.module_id for step in steps if step.state is state)


def _wave(number: int, steps: list[Step]) -> schemas.WaveProgress:
    states = {step.state for step in steps}
    begun = [step.started_at for step in steps if step.started_at is not None]
    ended = [step.ended_at for step in steps if step.ended_at is not None]
    over = len(ended) == len(steps)
    if StepState.CANCELLED in states:
        state = "cancelled"
    elif not over:
        state = "running" if begun else "pending"
    else:
        state = "completed" if StepState.COMPLETED in states else "failed"
    return schemas.WaveProgress(
        wave_number=number,
        status=cast("Any", state),
        modules=tuple(_module_progress(step) for step in steps),
        started_at=stamp(min(begun, default=None)),
        completed_at=stamp(max(ended) if over else None),
    )


def _module_progress(step: Step) -> schemas.ModuleProgress:
    finding = step.finding
    return schemas.ModuleProgress(
        module_id=step.module_id,
        status=_step_state(step),
        duration_seconds=_seconds(step.started_at, step.ended_at),
        data_points_collected=finding.data_points if finding else None,
        source_url=finding.citations[0].url if finding and finding.citations else None,
        source=finding.source if finding else None,
        simulated=finding.simulated if finding else False,
        cached=step.cached,
        reason=step.reason,
    )


def _module_status(step: Step) -> schemas.ModuleStatus:
    finding = step.finding
    seconds = _seconds(step.started_at, step.ended_at)
    return schemas.ModuleStatus(
        status=_step_state(step),
        duration_ms=None if seconds is None else round(seconds * 1_000),
        cached=step.cached,
        data_points=finding.data_points if finding else None,
        source=finding.source if finding else None,
        simulated=finding.simulated if finding else False,
        fetched_at=stamp(finding.fetched_at if finding else None),
        attempts=finding.attempts if finding else step.attempts,
        reason=step.reason,
    )


def _step_state(step: Step) -> schemas.StepState:
    return step.state.value


def _errors(job: Enrichment, steps: Iterable[Step]) -> tuple[schemas.ModuleError, ...]:
    """What went wrong: with the whole job first, then module by module."""
    errors = [
        schemas.ModuleError(
            module_id=step.module_id,
            status=cast("Any", step.state.value),
            detail=step.reason,
            attempts=step.attempts,
        )
        for step in steps
        if step.reason
    ]
    if job.error:
        whole = schemas.ModuleError(module_id=None, status=cast("Any", job.state.value), detail=job.error, attempts=())
        errors.insert(0, whole)
    return tuple(errors)


def _batch_facts(batch: Batch) -> dict[str, Any]:
    skipped = sum(item.reason is not None for item in batch.items)
    return {
        "batch_id": batch.id,
        "total_domains": len(batch.items),
        "queued_count": len(batch.items) - skipped,
        "skipped_count": skipped,
        "estimated_time_seconds": int(batch.expected_seconds),
        "created_at": stamp(batch.created_at),
    }


def _batch_job(item: BatchItem, store: JobStore) -> schemas.BatchJob:
    job = store.find(item.job_id)
    if item.reason:
        return schemas.BatchJob(job_id=None, domain=item.domain, status="skipped", reason=item.reason)
    if job is None:
        return schemas.BatchJob(job_id=item.job_id, domain=item.domain, status="forgotten")
    return schemas.BatchJob(job_id=job.id, domain=job.domain, status=_state(job), progress_percent=job.progress_percent)
