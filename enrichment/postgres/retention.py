"""
What is forgotten when its time is over, or when there is too much of it.
"""

from collections import Counter
from typing import Final

from enrichment.clock import Clock
from enrichment.jobs.cache import DAY, EXPIRED_DAYS
from enrichment.postgres.database import Connection, Database, statement, transaction
from enrichment.postgres.rows import BYTES, FINISHED_LOOKUPS, count, read_counts
from enrichment.settings import Settings
from schemas import JobState

CHUNK: Final = 500  # rows that are deleted in a transaction


class Retention:
    """Deletes what the settings do not allow to be kept. Every worker does so from time to time."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self.database = database
        self._settings = settings
        self._clock = clock

    async def forget(self) -> None:
        """
        Delete finished jobs, oldest first, while there are too many or their time is over; and findings,
        the least recently used first, while there are too many.
        """
        for forget_some in (self._forget_jobs, self._forget_findings):
            while await forget_some() == CHUNK:
                pass
        await self._forget_sources()
        await self._forget_blueprints()

    @transaction
    async def _forget_jobs(self, connection: Connection) -> int:
        """Delete up to `CHUNK` finished jobs, with the batches whose last ones they are; return how many."""
        await _sum_up(connection)
        counts = await read_counts(connection)
        left = counts[FINISHED_LOOKUPS]
        left += counts[JobState.COMPLETED] + counts[JobState.FAILED] + counts[JobState.CANCELLED]
        cutoff = self._clock.now() - self._settings.job_retention_seconds
        cursor = await connection.execute(
            "SELECT finished_at, id, batch_id, CASE WHEN number IS NULL THEN %s ELSE state END, size"
            " FROM enrichment_jobs WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT %s FOR UPDATE SKIP LOCKED",
            (FINISHED_LOOKUPS, CHUNK),
        )
        ids: list[str] = []
        batch_ids: set[str | None] = set()
        freed: Counter[str] = Counter()
        for finished_at, job_id, batch_id, what, size in await cursor.fetchall():
            has_room = left - len(ids) <= self._settings.max_finished_jobs
            has_room = has_room and counts[BYTES] - freed[BYTES] <= self._settings.max_finished_bytes
            if has_room and finished_at > cutoff:
                break
            ids.append(job_id)
            batch_ids.add(batch_id)
            freed.update({what: 1, BYTES: size})
        if ids:
            await connection.execute("DELETE FROM enrichment_jobs WHERE id = ANY(%s)", (ids,))
            await connection.execute(
                "DELETE FROM enrichment_batches WHERE id = ANY(%s)"
                " AND NOT EXISTS (SELECT FROM enrichment_jobs WHERE batch_id = enrichment_batches.id)",
                ([*batch_ids],),
            )
            await count(connection, {what: -amount for what, amount in freed.items()})
        return len(ids)

    @transaction
    async def _forget_findings(self, connection: Connection) -> int:
        """Delete up to `CHUNK` findings, and leases that ended long ago; return how many."""
        cursor = await connection.execute(
            "SELECT count(*), coalesce(sum(size), 0)::bigint FROM enrichment_findings WHERE finding IS NOT NULL"
        )
        ((held, size),) = await cursor.fetchall()
        cursor = await connection.execute(
            "SELECT domain, key, size FROM enrichment_findings WHERE finding IS NOT NULL"
            " ORDER BY used_at LIMIT %s FOR UPDATE SKIP LOCKED",
            (CHUNK,),
        )
        keys = []
        for domain, key, its_size in await cursor.fetchall():
            if held <= self._settings.max_cached_results and size <= self._settings.max_cached_bytes:
                break
            keys.append((domain, key))
            held -= 1
            size -= its_size
        await connection.execute(
            "DELETE FROM enrichment_findings"
            " WHERE (domain, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
            " OR expires_at <= %s OR (finding IS NULL AND coalesce(called_until, now()) < now() - interval '1 minute')",
            (
                [domain for domain, _ in keys],
                [key for _, key in keys],
                self._clock.now() - EXPIRED_DAYS * DAY,
            ),
        )
        return len(keys)

    @statement
    async def _forget_sources(self, connection: Connection) -> None:
        """Delete what is known of services, most of them websites, that have not been called for a day."""
        before = self._clock.now() - DAY
        await connection.execute("DELETE FROM enrichment_sources WHERE next_at < %s AND until < %s", (before, before))

    @transaction
    async def _forget_blueprints(self, connection: Connection) -> None:
        """Delete blueprints that are older than a day, and the oldest ones beyond the limits."""
        await connection.execute("DELETE FROM enrichment_blueprints WHERE made_at <= %s", (self._clock.now() - DAY,))
        await connection.execute(
            "DELETE FROM enrichment_blueprints WHERE digest IN (SELECT digest FROM (SELECT digest,"
            " row_number() OVER newest_first AS position, sum(length(content)) OVER newest_first AS size"
            " FROM enrichment_blueprints WINDOW newest_first AS (ORDER BY made_at DESC, digest)) AS ranked"
            " WHERE position > %s OR size > %s)",
            (self._settings.max_cached_blueprints, self._settings.max_cached_blueprint_bytes),
        )


async def _sum_up(connection: Connection) -> None:
    """Make one row for each count of all rows that no other transaction is adding or summing up."""
    await connection.execute(
        "WITH former AS (DELETE FROM enrichment_counts WHERE ctid = ANY"
        " (ARRAY(SELECT ctid FROM enrichment_counts FOR UPDATE SKIP LOCKED)) RETURNING *)"
        " INSERT INTO enrichment_counts SELECT what, sum(amount) FROM former GROUP BY what HAVING sum(amount) <> 0"
    )
