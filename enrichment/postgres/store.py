"""
The store of all processes: tables in a database.
"""

import asyncio
import functools
import math
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec.structs import replace
from psycopg.sql import SQL, Composable, Identifier

from enrichment.clock import Clock
from enrichment.errors import JobNotFound, TooManyJobs
from enrichment.jobs.archive import final_steps
from enrichment.jobs.model import AnyJob, Batch, Enrichment, Lookup, Step
from enrichment.jobs.protocols import BatchSnapshot, J, Page
from enrichment.postgres.database import Connection, Database, statement, transaction
from enrichment.postgres.queue import Queue
from enrichment.postgres.rows import (
    ALL,
    BYTES,
    FINISHED_LOOKUPS,
    SUMMARY,
    UNFINISHED_LOOKUPS,
    count,
    decode_charges,
    lock_job,
    read_counts,
    read_job,
    read_rows,
    to_whole_job,
    without_steps,
)
from enrichment.sources.costs import Charge, add, fits, total
from schemas import CompanyData, JobState

ROW_BYTES: Final = 500  # what a finished job takes beside its document and its steps
IS_HELD: Final = SQL("number IS NOT NULL AND (finished_at IS NULL OR finished_at > %(cutoff)s)")

_encode: Final = msgspec.json.Encoder().encode
_decode_batch: Final = msgspec.json.Decoder(Batch).decode


class PostgresStore:
    """
    A `JobStore` in PostgreSQL.

    Holds at most `max_pending` unfinished jobs, or a few more if several processes add some at the same moment. A
    finished job is not to be read any more after `retention_seconds`. `on_overtaken` is called when a run of this
    process turns out not to be the job's last one.
    """

    def __init__(
        self,
        database: Database,
        queue: Queue,
        *,
        max_pending: int,
        retention_seconds: float,
        clock: Clock,
        on_overtaken: Callable[[], None] = lambda: None,
    ) -> None:
        self.database = database
        self._queue = queue
        self._max_pending = max_pending
        self._retention_seconds = retention_seconds
        self._clock = clock
        self._on_overtaken = on_overtaken

    async def add(self, jobs: Sequence[J], batch: Batch | None = None) -> Sequence[J]:
        """See `JobStore.add`. When this returns, the jobs and their entries in the queue are committed."""
        return await self.database.run(lambda connection: self._add(connection, jobs, batch), once=True)

    async def _add(self, connection: Connection, jobs: Sequence[J], batch: Batch | None) -> Sequence[J]:
        await self._check_room(connection, jobs[0].expected_seconds, len(jobs))
        if isinstance(jobs[0], Enrichment):
            cursor = await connection.execute(
                "SELECT nextval('enrichment_numbers') FROM generate_series(1, %s)", (len(jobs),)
            )
            numbers: list[int | None] = [number for (number,) in await cursor.fetchall()]
            jobs = [replace(job, number=number) for job, number in zip(jobs, numbers, strict=True)]
            await count(connection, {JobState.QUEUED: len(jobs)})
        else:
            numbers = [None] * len(jobs)
            await count(connection, {UNFINISHED_LOOKUPS: len(jobs)})
        if batch:
            await connection.execute(
                "INSERT INTO enrichment_batches (id, concurrency, document, profile) VALUES (%s, %s, %s, %s)",
                (
                    batch.id,
                    batch.concurrency,
                    _encode(batch).decode(),
                    batch.profile and _encode(batch.profile).decode(),
                ),
            )
        entries: list[int | None] = [*await self._queue.put(connection, jobs[: batch.concurrency if batch else None])]
        entries += [None] * (len(jobs) - len(entries))
        await connection.execute(
            "INSERT INTO enrichment_jobs (id, number, domain, state, batch_id, created_at, queue_id, document)"
            " SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::float8[],"
            " %s::bigint[], %s::json[])",
            (
                [job.id for job in jobs],
                numbers,
                [job.domain for job in jobs],
                [job.state.value for job in jobs],
                [batch and batch.id for _ in jobs],
                [job.created_at for job in jobs],
                entries,
                [_document(job) for job in jobs],
            ),
        )
        return jobs

    @statement
    async def check_room(self, connection: Connection, expected_seconds: float) -> None:
        """See `JobStore.check_room`."""
        await self._check_room(connection, expected_seconds, 1)

    async def begin(self, job_id: str) -> Enrichment | None:
        """See `JobStore.begin`."""
        taken = await self.take(job_id)
        return taken[0] if taken and isinstance(taken[0], Enrichment) else None

    @transaction
    async def take(self, connection: Connection, job_id: str) -> tuple[AnyJob, int] | None:
        """Begin a run of a job of either kind, and return how many runs have died, too; None if it is finished."""
        cursor = await connection.execute(
            "UPDATE enrichment_jobs AS job SET state = 'running', run = job.run + 1,"
            " started_at = CASE WHEN job.number IS NULL THEN NULL ELSE coalesce(job.started_at, %s) END"
            " FROM (SELECT id, state FROM enrichment_jobs WHERE id = %s AND finished_at IS NULL FOR UPDATE) AS before"
            " WHERE job.id = before.id RETURNING before.state, job.deaths",
            (self._clock.now(), job_id),
        )
        row = await cursor.fetchone()
        job = await read_job(connection, SQL("id = %(id)s"), {"id": job_id}) if row else None
        if row is None or job is None:
            return None
        state, deaths = row
        if state == JobState.QUEUED:
            await count(connection, {JobState.QUEUED: -1, JobState.RUNNING: 1})
        return job, deaths

    @statement
    async def record(self, connection: Connection, job_id: str, step: Step, *, run: int | None = None) -> bool:
        """See `JobStore.record`."""
        cursor = await connection.execute(
            "INSERT INTO enrichment_steps AS former (job_id, module_id, has_ended, step, finding)"
            " SELECT id, %s, %s, %s, %s FROM (SELECT id FROM enrichment_jobs WHERE id = %s AND finished_at IS NULL"
            " AND run = coalesce(%s, run) FOR SHARE) AS job"
            " ON CONFLICT (job_id, module_id) DO UPDATE SET has_ended = excluded.has_ended, step = excluded.step,"
            " finding = excluded.finding WHERE NOT former.has_ended",
            (
                step.module_id,
                step.ended_at is not None,
                _encode(replace(step, finding=None)).decode(),
                step.finding and _encode(step.finding),
                job_id,
                run,
            ),
        )
        if cursor.rowcount == 0:
            await self._check_run(connection, job_id, run)
        return cursor.rowcount == 1

    @transaction
    async def finish(
        self,
        connection: Connection,
        job_id: str,
        state: JobState,
        *,
        result: CompanyData | None = None,
        error: str | None = None,
        run: int | None = None,
    ) -> AnyJob | None:
        """
        See `JobStore.finish`.

        If the `run` ends that is the job's last one, the next job of its batch is put into the queue.
        """
        condition = SQL("id = %(id)s AND finished_at IS NULL AND run = coalesce(%(run)s, run)")
        job = await lock_job(connection, condition, {"id": job_id, "run": run})
        if job is None:
            await self._check_run(connection, job_id, run)
            return None
        finished: AnyJob = replace(job, state=state, finished_at=self._clock.now(), error=error)
        if isinstance(finished, Enrichment):
            kept: AnyJob = replace(finished, request_id="", steps=())
            steps = zlib.compress(_encode(final_steps(finished.steps)))
            counts: dict[str, int] = {job.state: -1, state: 1}
        else:
            kept = finished = replace(finished, result=result)
            steps = b""
            counts = {UNFINISHED_LOOKUPS: -1, FINISHED_LOOKUPS: 1}
        document = _document(kept)
        size = ROW_BYTES + len(document) + len(steps)
        await connection.execute("DELETE FROM enrichment_steps WHERE job_id = %s", (job_id,))
        await connection.execute(
            "UPDATE enrichment_jobs SET state = %s, finished_at = %s, document = %s, steps = %s, size = %s"
            " WHERE id = %s",
            (state, finished.finished_at, document, steps, size, job_id),
        )
        await count(connection, counts | {BYTES: size})
        if run is not None and isinstance(finished, Enrichment) and finished.batch_id:
            await self._queue.leave(connection, job_id)
        return finished

    async def charge(self, job_id: str, charges: Sequence[Charge]) -> bool:
        """See `JobStore.charge`. It is not tried again after a failure, as it could have been done."""
        return await self.database.run(lambda connection: self._charge(connection, job_id, charges), once=True)

    async def _charge(self, connection: Connection, job_id: str, charges: Sequence[Charge]) -> bool:
        job = await lock_job(connection, SQL("id = %(id)s"), {"id": job_id})
        if not isinstance(job, Enrichment):
            return False
        accounts = [("enrichment_jobs", job.id, job.charges, job.terms.max_cost)]
        cursor = await connection.execute(
            "SELECT document::text, charges::text FROM enrichment_batches WHERE id = %s FOR UPDATE", (job.batch_id,)
        )
        for document, spent in await cursor.fetchall():
            batch = _decode_batch(document)
            accounts.append(("enrichment_batches", batch.id, decode_charges(spent or "[]"), batch.max_cost))
        amount = total(charges).amount
        if amount > 0 and not all(fits(amount, spent, max_cost) for _, _, spent, max_cost in accounts):
            return False
        for table, key, spent, _ in accounts:
            document = _encode(functools.reduce(add, charges, spent)).decode()
            query = SQL("UPDATE {} SET charges = %s WHERE id = %s").format(Identifier(table))
            await connection.execute(query, (document, key))
        return True

    @statement
    async def lookup(self, connection: Connection, job_id: str) -> Lookup:
        """See `JobStore.lookup`."""
        condition = SQL("id = %(id)s AND number IS NULL AND (finished_at IS NULL OR finished_at > %(cutoff)s)")
        job = await read_job(connection, condition, {"id": job_id, "cutoff": self._cutoff()})
        if not isinstance(job, Lookup):
            raise JobNotFound
        return job

    @statement
    async def enrichment(self, connection: Connection, job_id: str, domain: str | None = None) -> Enrichment:
        """See `JobStore.enrichment`."""
        condition = SQL("id = %(id)s AND domain = coalesce(%(domain)s, domain) AND ") + IS_HELD
        parameters = {"id": job_id, "domain": domain, "cutoff": self._cutoff()}
        job = await read_job(connection, condition, parameters)
        if not isinstance(job, Enrichment):
            raise JobNotFound
        return job

    @statement
    async def newest(self, connection: Connection, domain: str, states: Collection[JobState]) -> Enrichment | None:
        """See `JobStore.newest`."""
        condition = SQL("domain = %(domain)s AND state = ANY(%(states)s) AND ") + IS_HELD
        parameters = {"domain": domain, "states": [*states], "cutoff": self._cutoff()}
        job = await read_job(connection, condition, parameters, SQL("ORDER BY number DESC LIMIT 1"))
        return job if isinstance(job, Enrichment) else None

    @statement
    async def page(
        self, connection: Connection, domain: str | None, states: Collection[JobState], *, limit: int, offset: int
    ) -> Page:
        """See `JobStore.page`. Jobs before the page are counted in an index, those of each state in its own part."""
        parameters: dict[str, object] = {"domain": domain, "cutoff": self._cutoff(), "limit": limit, "offset": offset}
        if domain is not None:
            parts: list[Composable] = [SQL("domain = %(domain)s AND state = ANY(%(states)s)")]
            parameters["states"] = [*(states or JobState)]
        else:
            parts = [SQL("state = {}").format(state.value) for state in states] or [SQL("true")]
        newest = SQL(
            "(SELECT number FROM enrichment_jobs WHERE {} AND {} ORDER BY number DESC LIMIT %(limit)s + %(offset)s)"
        )
        numbers = SQL(" UNION ALL ").join(newest.format(part, IS_HELD) for part in parts)
        condition = SQL(
            "number IN (SELECT number FROM ({}) AS newest ORDER BY number DESC LIMIT %(limit)s OFFSET %(offset)s)"
        ).format(numbers)
        rows = await read_rows(connection, condition, parameters, SQL("ORDER BY number DESC"), more=SUMMARY)
        counts = await self._counts(connection, domain)
        return Page(
            jobs=without_steps(rows),
            total=sum(counts[state] for state in (states or JobState)),
            running=counts[JobState.RUNNING],
            queued=counts[JobState.QUEUED],
        )

    async def enrichments(self, job_ids: Collection[str]) -> Mapping[str, Enrichment]:
        """See `JobStore.enrichments`. To decompress one takes 0.3 ms, so other tasks run between them."""
        found: dict[str, Enrichment] = {}
        for row in await self._rows_of(job_ids):
            found[row[0]] = cast("Enrichment", to_whole_job(row))
            await asyncio.sleep(0)
        return found

    @statement
    async def _rows_of(self, connection: Connection, job_ids: Collection[str]) -> list[tuple[Any, ...]]:
        condition = SQL("id = ANY(%(ids)s) AND ") + IS_HELD
        return await read_rows(connection, condition, {"ids": [*job_ids], "cutoff": self._cutoff()}, more=ALL)

    @statement
    async def batch(self, connection: Connection, batch_id: str) -> BatchSnapshot:
        """See `JobStore.batch`."""
        cursor = await connection.execute(
            "SELECT document::text, charges::text FROM enrichment_batches WHERE id = %s", (batch_id,)
        )
        batch = await cursor.fetchone()
        condition = SQL("batch_id = %(id)s AND ") + IS_HELD
        rows = await read_rows(connection, condition, {"id": batch_id, "cutoff": self._cutoff()}, more=SUMMARY)
        if batch is None or not rows:
            raise JobNotFound("Batch not found", parameter="batch_id")
        jobs = {job.id: job for job in without_steps(rows)}
        return BatchSnapshot(_decode_batch(batch[0]), jobs, decode_charges(batch[1] or "[]"))

    async def _check_room(self, connection: Connection, expected_seconds: float, entries: int) -> None:
        counts = await read_counts(connection)
        pending = counts[JobState.QUEUED] + counts[JobState.RUNNING] + counts[UNFINISHED_LOOKUPS]
        if pending + entries > self._max_pending:
            raise TooManyJobs(
                f"{pending} jobs are unfinished, of {self._max_pending} that this service holds. Try again later.",
                retry_after=max(1, math.ceil(expected_seconds)),
            )

    async def _check_run(self, connection: Connection, job_id: str, run: int | None) -> None:
        """Call `on_overtaken` if the run is not the job's last one."""
        cursor = await connection.execute("SELECT run FROM enrichment_jobs WHERE id = %s", (job_id,))
        row = await cursor.fetchone()
        if run is not None and row and row[0] != run:
            self._on_overtaken()

    async def _counts(self, connection: Connection, domain: str | None) -> Counter[str]:
        """How many enrichments are held in each state, of the domain if given."""
        parameters = {"domain": domain, "cutoff": self._cutoff()}
        if domain is not None:
            query = SQL("SELECT state, count(*) FROM enrichment_jobs WHERE domain = %(domain)s AND {} GROUP BY state")
            return Counter(dict(await (await connection.execute(query.format(IS_HELD), parameters)).fetchall()))
        counts = await read_counts(connection)
        query = SQL(
            "SELECT state, count(*) FROM enrichment_jobs WHERE finished_at <= %(cutoff)s AND number IS NOT NULL"
            " GROUP BY state"
        )
        counts.subtract(Counter(dict(await (await connection.execute(query, parameters)).fetchall())))
        return counts

    def _cutoff(self) -> float:
        """A job that finished at this time or before is not to be read any more."""
        return self._clock.now() - self._retention_seconds


def _document(job: AnyJob) -> str:
    """The job as JSON; the profile of a job of a batch is that of the batch."""
    if isinstance(job, Enrichment) and job.batch_id:
        job = replace(job, profile=None)
    return _encode(job).decode()
