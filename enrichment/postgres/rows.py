"""
Jobs as rows of tables: reading them, and counting them.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from psycopg.sql import SQL, Composable

from enrichment.jobs.model import SCORING, AnyJob, Enrichment, Lookup, Step
from enrichment.modules.icp_score import Fit
from enrichment.modules.module import Finding, JobProfile
from enrichment.postgres.database import Connection
from enrichment.sources.costs import Charge
from schemas import JobState

UNFINISHED_LOOKUPS: Final = "unfinished lookups"
FINISHED_LOOKUPS: Final = "finished lookups"
BYTES: Final = "bytes"
"What is counted beside the enrichments in each state; `BYTES` are those of finished jobs."

COLUMNS: Final = SQL("id, number, state, started_at, run, finished_at, document::text, charges::text")
STEPS: Final = SQL(
    ", ARRAY(SELECT step::text FROM enrichment_steps WHERE job_id = enrichment_jobs.id ORDER BY module_id)"
)
FINDINGS: Final = SQL(
    ", ARRAY(SELECT finding FROM enrichment_steps WHERE job_id = enrichment_jobs.id ORDER BY module_id)"
)
SCORE: Final = SQL(
    ", (SELECT finding FROM enrichment_steps WHERE job_id = enrichment_jobs.id AND module_id = {})"
).format(SCORING)
"""
Further columns: what is recorded of unfinished jobs, at the same moment as their rows. `SCORE` is what jobs are
compared by, for those that are read without findings.
"""
PROFILE_AND_FINAL_STEPS: Final = SQL(", (SELECT profile FROM enrichment_batches WHERE id = batch_id), steps")
SUMMARY: Final = STEPS + SCORE
ALL: Final = STEPS + FINDINGS + SCORE + PROFILE_AND_FINAL_STEPS
NOTHING: Final = SQL("")

_decode_enrichment: Final = msgspec.json.Decoder(Enrichment).decode
_decode_lookup: Final = msgspec.json.Decoder(Lookup).decode
_decode_step: Final = msgspec.json.Decoder(Step).decode
_decode_steps: Final = msgspec.json.Decoder(tuple[Step, ...]).decode
_decode_profile: Final = msgspec.json.Decoder(JobProfile).decode
_decode_finding: Final = msgspec.json.Decoder(Finding).decode
decode_charges: Final = msgspec.json.Decoder(tuple[Charge, ...]).decode


async def read_counts(connection: Connection) -> Counter[str]:
    """Everything that is counted, by its name."""
    cursor = await connection.execute("SELECT what, sum(amount)::bigint FROM enrichment_counts GROUP BY what")
    return Counter(dict(await cursor.fetchall()))


async def count(connection: Connection, changes: Mapping[str, int]) -> None:
    """Add to what is counted."""
    await connection.execute(
        "INSERT INTO enrichment_counts SELECT * FROM unnest(%s::text[], %s::bigint[])",
        ([*changes], [*changes.values()]),
    )


async def read_rows(
    connection: Connection,
    condition: Composable,
    parameters: Mapping[str, object],
    rest: Composable = NOTHING,
    *,
    more: Composable = NOTHING,
) -> list[tuple[Any, ...]]:
    """
    Return the rows of jobs that fulfil the condition.

    `rest` is what follows it in the statement; `more` are further columns.
    """
    query = SQL("SELECT {}{} FROM enrichment_jobs WHERE {} {}").format(COLUMNS, more, condition, rest)
    return await (await connection.execute(query, parameters)).fetchall()


async def read_job(
    connection: Connection, condition: Composable, parameters: Mapping[str, object], rest: Composable = NOTHING
) -> AnyJob | None:
    """Return the job that fulfils the condition, with its steps."""
    rows = await read_rows(connection, condition, parameters, rest, more=ALL)
    return to_whole_job(rows[0]) if rows else None


async def lock_job(connection: Connection, condition: Composable, parameters: Mapping[str, object]) -> AnyJob | None:
    """Return the job that fulfils the condition, with its steps; nobody else changes it in this transaction."""
    rows = await read_rows(connection, condition, parameters, SQL("FOR UPDATE"))
    if not rows:
        return None
    # In a statement of its own: while the first one waited for the lock, more steps may have been recorded.
    return await read_job(connection, SQL("id = %(id)s"), {"id": rows[0][0]})


def without_steps(rows: Sequence[tuple[Any, ...]]) -> list[Enrichment]:
    """Return the enrichments of rows with `SUMMARY` without their steps, but with the counts that follow from them."""
    jobs = [_with_recorded(to_job(row), row[-2], [None] * len(row[-2]), row[-1]) for row in rows]
    return [replace(job, steps=()) for job in jobs if isinstance(job, Enrichment)]


def to_whole_job(row: tuple[Any, ...]) -> AnyJob:
    """Return the job of a row with `ALL`, with its steps."""
    job = to_job(row)
    steps, findings, score, profile, final_steps = row[-5:]
    if not isinstance(job, Enrichment):
        return job
    if profile:
        job = replace(job, profile=_decode_profile(profile))
    if job.is_finished:
        return replace(job, steps=_decode_steps(zlib.decompress(final_steps)))
    return _with_recorded(job, steps, findings, score)


def to_job(row: tuple[Any, ...]) -> AnyJob:
    """Return the job of a row, with its first steps if it is unfinished and without any if it is finished."""
    _, number, state, started_at, run, finished_at, document, charges = row[:8]
    if number is None:
        job: AnyJob = _decode_lookup(document)
    else:
        job = replace(_decode_enrichment(document), charges=decode_charges(charges) if charges else ())
    if finished_at is not None:
        return job
    return replace(job, state=JobState(state), started_at=started_at, run=run)


def _with_recorded(job: AnyJob, steps: Sequence[str], findings: Sequence[bytes | None], score: bytes | None) -> AnyJob:
    """Put the steps that are recorded of an unfinished job in the places of its first ones."""
    if not steps or not isinstance(job, Enrichment):
        return job
    recorded = {
        step.module_id: replace(step, finding=_decode_finding(finding)) if finding else step
        for step, finding in zip(map(_decode_step, steps), findings, strict=True)
    }
    fit = Fit.of(_decode_finding(score)) if score else None
    return job.with_steps(tuple(recorded.get(step.module_id, step) for step in job.steps), fit)
