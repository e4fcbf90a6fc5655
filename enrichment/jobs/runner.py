"""
The run of a job, from its beginning to its final state.
"""

import asyncio
from typing import Final

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.jobs.model import AnyJob, Enrichment, Lookup
from enrichment.jobs.pipeline import Pipeline
from enrichment.jobs.protocols import JobStore
from enrichment.logs import Log
from enrichment.sources import CompanySource, ends_task
from schemas import CompanyData, JobState

log = Log(__name__)

STOPPED: Final = "The service stopped before the job was done."


class Runner:
    """
    Runs jobs, each by one `run`, and brings them to their final states.

    With `resumes`, a job whose run is cancelled is not finished by that: another run continues it.
    """

    def __init__(
        self, *, store: JobStore, source: CompanySource, pipeline: Pipeline, clock: Clock, resumes: bool = False
    ) -> None:
        self._store = store
        self._source = source
        self._pipeline = pipeline
        self._clock = clock
        self._resumes = resumes

    async def run(self, job: AnyJob) -> None:
        """
        Run a job, and begin it if it is an enrichment that has not begun.

        Only a cancellation leaves this method, after it has been recorded, and that the database is unavailable.
        """
        try:
            if isinstance(job, Lookup):
                result = await self._source.look_up(job.domain)
                await self.finish(job.id, JobState.COMPLETED, result=result, run=job.run)
            elif begun := job if job.run else await self._store.begin(job.id):
                await self._pipeline.run(begun)
                await self._conclude(begun)
        except SourceFailed as error:  # of a look-up: the pipeline records those of modules
            await self.finish(job.id, JobState.FAILED, error=str(error), run=job.run)
        except BaseException as error:
            if not ends_task(error):
                await self._fail(job)
                return
            if isinstance(error, asyncio.CancelledError) and not self._resumes:
                await self.finish(job.id, JobState.CANCELLED, error=STOPPED)
            raise

    async def finish(
        self,
        job_id: str,
        state: JobState,
        *,
        result: CompanyData | None = None,
        error: str | None = None,
        run: int | None = None,
    ) -> AnyJob | None:
        """Bring a job to its final state and log it; None if it was finished before, or if `run` is not its last."""
        job = await self._store.finish(job_id, state, result=result, error=error, run=run)
        if job:
            write = log.info if state is JobState.COMPLETED else log.warning
            write(f"job {state}", **log_fields(job), seconds=round(self._clock.now() - job.created_at, 3))
        return job

    async def _fail(self, job: AnyJob) -> None:
        """Finish a job that raised an unexpected exception, which is being handled."""
        error = f"The job failed unexpectedly. The service's log says why, under job_id {job.id}."
        if await self._store.finish(job.id, JobState.FAILED, error=error):
            log.exception("job failed", **log_fields(job))  # noqa: LOG004 - called where one is being handled

    async def _conclude(self, job: Enrichment) -> None:
        """Finish an enrichment whose modules are all done: it has failed only if none of them returned a result."""
        steps = (await self._store.enrichment(job.id)).steps
        if any(step.finding for step in steps):
            await self.finish(job.id, JobState.COMPLETED, run=job.run)
        else:
            reasons = "; ".join(f"{step.module_id}: {step.reason or step.state}" for step in steps)
            error = f"No module returned a result. {reasons}"
            await self.finish(job.id, JobState.FAILED, error=error, run=job.run)


def log_fields(job: AnyJob) -> dict[str, str]:
    """The fields of every log line about the job."""
    return {"job_id": job.id, "request_id": job.request_id, "domain": job.domain}
