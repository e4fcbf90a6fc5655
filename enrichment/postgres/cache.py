"""
The cache of all processes, and the calls that they share: a table in a database.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final, cast

import msgspec

from enrichment.clock import Clock
from enrichment.errors import DatabaseUnavailable
from enrichment.jobs.cache import DAY, EXPIRED_DAYS, seconds_left
from enrichment.jobs.protocols import Held
from enrichment.jobs.resolver import SharedCall, SharedCalls
from enrichment.modules.module import Finding, is_source_key, module_of_key
from enrichment.modules.table import MODULES
from enrichment.postgres.database import Connection, Database, statement
from enrichment.sources.costs import NOBODY, Account

EXPIRED_SECONDS: Final = EXPIRED_DAYS * DAY
USE_SECONDS: Final = 60.0
"That a finding is used is noted at most so often, as it takes a write."
POLL_SECONDS: Final = 0.2
"How often those who wait for a call of another process look for its answer."

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Finding).decode
_decode_origin: Final = msgspec.json.Decoder(tuple[str, tuple[tuple[str, float], ...]]).decode


class PostgresCache:
    """A `Cache` in PostgreSQL. Findings that are expired, or are too many, are deleted by `Retention`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    @statement
    async def get(
        self, connection: Connection, domain: str, keys: Collection[str], *, with_expired: bool = False
    ) -> Mapping[str, Finding]:
        """See `Cache.get`."""
        now = self._clock.now()
        cursor = await connection.execute(
            "SELECT key, finding, used_at FROM enrichment_findings"
            " WHERE domain = %s AND key = ANY(%s) AND expires_at > %s",
            (domain, [*keys], now - EXPIRED_SECONDS if with_expired else now),
        )
        rows = await cursor.fetchall()
        if unused := [key for key, _, used_at in rows if used_at + USE_SECONDS <= now]:
            await connection.execute(
                "UPDATE enrichment_findings SET used_at = %s WHERE domain = %s AND key = ANY(%s)",
                (now, domain, unused),
            )
        return {key: _decode(finding) for key, finding, _ in rows}

    @statement
    async def put(self, connection: Connection, domain: str, key: str, finding: Finding) -> None:
        """See `Cache.put`. It also ends the lease of the call that has brought the finding."""
        content = _encode(finding)
        await connection.execute(
            "INSERT INTO enrichment_findings"
            " (domain, key, number, finding, origin, size, fetched_at, expires_at, used_at)"
            " VALUES (%s, %s, nextval('enrichment_finding_numbers'), %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (domain, key) DO UPDATE SET number = excluded.number, finding = excluded.finding,"
            " origin = excluded.origin, size = excluded.size, fetched_at = excluded.fetched_at,"
            " expires_at = excluded.expires_at, used_at = excluded.used_at, caller = NULL, called_until = NULL",
            (
                domain,
                key,
                content,
                _encode((finding.unknown, finding.based_on)).decode(),
                len(content),
                finding.fetched_at,
                seconds_left(finding, MODULES[module_of_key(key)], 0.0),
                self._clock.now(),
            ),
        )

    @statement
    async def inspect(self, connection: Connection, domain: str) -> Mapping[str, Finding]:
        """See `Cache.inspect`."""
        cursor = await connection.execute(
            "SELECT key, finding FROM enrichment_findings WHERE domain = %s AND expires_at > %s ORDER BY number",
            (domain, self._clock.now() - EXPIRED_SECONDS),
        )
        held = {module_of_key(key): finding for key, finding in await cursor.fetchall() if not is_source_key(key)}
        return {module_id: _decode(held[module_id]) for module_id in MODULES if module_id in held}

    @statement
    async def list_held(
        self, connection: Connection, domains: Collection[str], keys: Collection[str] = tuple(MODULES)
    ) -> Mapping[str, Mapping[str, Held]]:
        """See `Cache.list_held`."""
        cursor = await connection.execute(
            "SELECT domain, key, fetched_at, origin::text FROM enrichment_findings"
            " WHERE domain = ANY(%s) AND key = ANY(%s) AND expires_at > %s",
            ([*domains], [*keys], self._clock.now()),
        )
        held: dict[str, dict[str, Held]] = {domain: {} for domain in domains}
        for domain, key, fetched_at, origin in await cursor.fetchall():
            held[domain][key] = Held(fetched_at, *_decode_origin(origin))
        return held


class LeasedCalls(SharedCalls):
    """
    At most one call for each domain and module at a time, in all processes.

    A process that makes a call holds a lease of `seconds` in the row of the finding, and renews it. The others wait for
    the finding, and make the call themselves if there is none when the lease has ended. Derived answers are not shared:
    they cost nothing.
    """

    def __init__(self, cache: PostgresCache, *, seconds: float, clock: Clock) -> None:
        super().__init__()
        self._seconds = seconds
        self.database = cache.database
        self._clock = clock

    async def share(
        self,
        key: object,
        asker: str,
        call: Callable[[SharedCall], Coroutine[Any, Any, Finding]],
        account: Account = NOBODY,
    ) -> Finding:
        """See `SharedCalls.share`."""
        domain, cache_key, _ = cast("tuple[str, str, object]", key)
        if MODULES[module_of_key(cache_key)].derive:
            return await super().share(key, asker, call, account)
        return await super().share(key, asker, lambda shared: self._call(domain, cache_key, call(shared)), account)

    async def _call(self, domain: str, key: str, call: Coroutine[Any, Any, Finding]) -> Finding:
        caller = secrets.token_hex(8)
        since = self._clock.now()
        try:
            while not await self._claim(domain, key, caller):
                await asyncio.sleep(POLL_SECONDS)
                if finding := await self._finding(domain, key, since):
                    return finding
            return await self._make_call(domain, key, caller, call)
        finally:
            call.close()

    async def _make_call(self, domain: str, key: str, caller: str, call: Coroutine[Any, Any, Finding]) -> Finding:
        renewal = asyncio.create_task(self._renew(domain, key, caller))
        try:
            return await call  # which gives the lease back, by putting its finding into the cache
        except BaseException:
            with suppress(DatabaseUnavailable):  # the lease will end by itself
                await asyncio.shield(self._release(domain, key, caller))
            raise
        finally:
            renewal.cancel()

    async def _renew(self, domain: str, key: str, caller: str) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            with suppress(DatabaseUnavailable):
                await self._extend(domain, key, caller)

    @statement
    async def _extend(self, connection: Connection, domain: str, key: str, caller: str) -> None:
        await connection.execute(
            "UPDATE enrichment_findings SET called_until = now() + make_interval(secs => %s)"
            " WHERE domain = %s AND key = %s AND caller = %s",
            (self._seconds, domain, key, caller),
        )

    @statement
    async def _claim(self, connection: Connection, domain: str, key: str, caller: str) -> bool:
        """Take the lease; False if another caller has it."""
        cursor = await connection.execute(
            "INSERT INTO enrichment_findings AS held (domain, key, caller, called_until)"
            " VALUES (%s, %s, %s, now() + make_interval(secs => %s))"
            " ON CONFLICT (domain, key) DO UPDATE SET caller = excluded.caller,"
            " called_until = excluded.called_until"
            " WHERE held.caller IS NULL OR held.caller = excluded.caller OR held.called_until < now()",
            (domain, key, caller, self._seconds),
        )
        return cursor.rowcount == 1

    @statement
    async def _release(self, connection: Connection, domain: str, key: str, caller: str) -> None:
        await connection.execute(
            "UPDATE enrichment_findings SET caller = NULL, called_until = NULL"
            " WHERE domain = %s AND key = %s AND caller = %s",
            (domain, key, caller),
        )

    @statement
    async def _finding(self, connection: Connection, domain: str, key: str, since: float) -> Finding | None:
        """The finding of a call that has ended since then."""
        cursor = await connection.execute(
            "SELECT finding FROM enrichment_findings WHERE domain = %s AND key = %s AND fetched_at >= %s",
            (domain, key, since),
        )
        row = await cursor.fetchone()
        return _decode(row[0]) if row else None
