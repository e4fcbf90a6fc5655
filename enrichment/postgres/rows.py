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

from enrichment.jobs.model import AnyJob, Enrichment, Lookup, Step
from enrichment.modules.module import Finding
from enrichment.postgres.database import Connection
from enrichment.sources.costs import Charge
from schemas import JobState

UNFINISHED_LOOKUPS: Final = "unfinished lookups"
FINISHED_LOOKUPS: Final = "finished lookups"
BYTES: Final = "bytes"
"What is counted beside the enrichments in each state; `BYTES` are those of finished jobs."

COLUMNS: Final = SQL("id, number, state, started_at, run, finished_at, document::text, charges::text, steps")
NOTHING: Final = SQL("")

_decode_enrichment: Final = msgspec.json.Decoder(Enrichment).decode
_decode_lookup: Final = msgspec.json.Decoder(Lookup).decode
_decode_step: Final = msgspec.json.Decoder(Step).decode
_decode_steps: Final = msgspec.json.Decoder(tuple[Step, ...]).decode
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
    connection: Connection, condition: Composable, parameters: Mapping[str, object], rest: Composable = NOTHING
) -> list[tuple[Any, ...]]:
    """Return the rows of jobs that fulfil the condition; `rest` is what follows it in the statement."""
    query = SQL("SELECT {} FROM enrichment_jobs WHERE {} {}").format(COLUMNS, condition, rest)
    return await (await connection.execute(query, parameters)).fetchall()


async def read_job(
    connection: Connection, condition: Composable, parameters: Mapping[str, object], rest: Composable = NOTHING
) -> AnyJob | None:
    """Return the job that fulfils the condition, with its steps."""
    rows = await read_rows(connection, condition, parameters, rest)
    if not rows:
        return None
    job = to_job(rows[0])
    if not isinstance(job, Enrichment):
        return job
    if job.is_finished:
        return replace(job, steps=_decode_steps(zlib.decompress(rows[0][-1])))
    cursor = await connection.execute("SELECT step::text, finding FROM enrichment_steps WHERE job_id = %s", (job.id,))
    recorded = [
        replace(_decode_step(step), finding=finding and _decode_finding(finding))
        for step, finding in await cursor.fetchall()
    ]
    return _with_recorded(job, recorded)


async def without_steps(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[Enrichment]:
    """Return the enrichments of the rows without their steps, but with the counts of those that are recorded."""
    jobs = [job for job in map(to_job, rows) if isinstance(job, Enrichment)]
    recorded: dict[str, list[Step]] = {job.id: [] for job in jobs if not job.is_finished}
    if recorded:
        cursor = await connection.execute(
            "SELECT job_id, step::text FROM enrichment_steps WHERE job_id = ANY(%s)", ([*recorded],)
        )
        for job_id, step in await cursor.fetchall():
            recorded[job_id].append(_decode_step(step))
    return [replace(_with_recorded(job, recorded.get(job.id, ())), steps=()) for job in jobs]


def to_job(row: tuple[Any, ...]) -> AnyJob:
    """Return the job of a row, with its first steps if it is unfinished and without any if it is finished."""
    _, number, state, started_at, run, finished_at, document, charges, _ = row
    if number is None:
        job: AnyJob = _decode_lookup(document)
    else:
        job = replace(_decode_enrichment(document), charges=decode_charges(charges) if charges else ())
    if finished_at is not None:
        return job
    return replace(job, state=JobState(state), started_at=started_at, run=run)


def _with_recorded(job: Enrichment, recorded: Sequence[Step]) -> Enrichment:
    """The job with these steps in the places of its first ones, and the counts that follow from them."""
    if not recorded:
        return job
    by_module = {step.module_id: step for step in recorded}
    return job.with_steps(tuple(by_module.get(step.module_id, step) for step in job.steps))
