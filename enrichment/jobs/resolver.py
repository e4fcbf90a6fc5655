"""
The answer to a module's question: from the cache, or from a call that is shared with all jobs that need the same.
"""

import asyncio
import functools
import math
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from enrichment.clock import Clock
from enrichment.errors import CostUnknown, MaxCostReached, SourceFailed
from enrichment.jobs.budget import LoopBudget
from enrichment.jobs.protocols import Cache
from enrichment.modules.module import Finding, JobProfile, Module, Subject, cache_key, module_of_key, source_key
from enrichment.modules.table import MODULES
from enrichment.sources import Source, Unknown, first_success
from enrichment.sources.costs import METER, NOBODY, Account, Ledger, Meter
from enrichment.sources.local import based_on

Limit = Callable[[Module, float], AbstractAsyncContextManager[object]]
"Makes a block that is left with `TimeoutError` after a module's time; the second argument is the order of its calls."

SECONDS_PER_TURN: Final = 0.001
"How long jobs may hold the event loop in each of its turns. A request that arrives meanwhile waits for two or three."


class Resolver:
    """Finds answers in the cache and from sources. The work of sources and that of jobs share a `budget`."""

    def __init__(
        self,
        *,
        cache: Cache,
        sources: Mapping[str, Source],
        clock: Clock,
        limit: Limit | None = None,
        calls: "SharedCalls | None" = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._cache = cache
        self._limit: Limit = limit or (lambda module, _: clock.timeout(module.timeout_seconds))
        self._sources = sources
        self._clock = clock
        self._ledger = ledger or Ledger()
        self.budget = LoopBudget(seconds=SECONDS_PER_TURN)
        self._calls = calls or SharedCalls()

    @property
    def is_simulated(self) -> bool:
        """Whether the sources are simulated, and therefore all answers."""
        return "simulated" in self._sources

    async def known(
        self, domain: str, module_ids: Collection[str], profile: JobProfile | None = None
    ) -> Mapping[str, Finding]:
        """Return what the cache holds, whatever it was derived from; of a derived answer only one by `profile`."""
        keys = [cache_key(MODULES[module_id], profile) for module_id in module_ids]
        return {module_of_key(key): finding for key, finding in (await self._cache.get(domain, keys)).items()}

    async def cached(self, module: Module, subject: Subject, *, max_age: float = math.inf) -> Finding | None:
        """
        Return what the cache holds for this question, if it is not older than `max_age` seconds; of a derived answer
        only one from the very same findings.
        """
        key = cache_key(module, subject.profile)
        finding = (await self._cache.get(subject.domain, (key,))).get(key)
        if finding is None or not is_within(finding.fetched_at, max_age, self._clock.now()):
            return None
        return finding if finding.based_on == based_on(subject) else None

    async def expired(self, module: Module, subject: Subject) -> Finding | None:
        """Return the answer that the cache holds for this question, of any age."""
        key = cache_key(module, subject.profile)
        finding = (await self._cache.get(subject.domain, (key,), with_expired=True)).get(key)
        return finding if finding and not finding.unknown and finding.based_on == based_on(subject) else None

    async def ask(
        self,
        module: Module,
        subject: Subject,
        *,
        asker: str,
        order: float = 0.0,
        account: Account = NOBODY,
        max_age: float = math.inf,
    ) -> Finding:
        """
        Ask the module's sources, or wait for the call that is asking them already.

        A source is not asked if it has said within `max_age` seconds, and the cache still holds, that it does not know
        the company. `asker` is the id of the job that waits, and `account` pays, unless another job has asked first. Of
        the calls that wait for the same outside service, the one with the lowest `order` is next. Raise `SourceFailed`,
        `InsufficientInput` or `MaxCostReached`.
        """
        unknown = await self._unknown(module, subject.domain, max_age)
        key = (subject.domain, cache_key(module, subject.profile), (based_on(subject), *unknown))
        return await self._calls.share(
            key, asker, lambda call: self._call(module, subject, unknown, order, call), account
        )

    def abandon(self, asker: str) -> None:
        """Stop every call that only this job waits for, and start none for it until `forget`."""
        self._calls.abandon(asker)

    def forget(self, asker: str) -> None:
        """Keep nothing of a job whose task is over."""
        self._calls.abandoned.discard(asker)

    async def _unknown(self, module: Module, domain: str, max_age: float) -> Mapping[str, Unknown]:
        """The sources that do not know the company, if that is kept and not older than `max_age`, in their order."""
        keys = {source_key(module, name): name for name in module.chain if name in self._sources}
        held = (await self._cache.list_held((domain,), keys))[domain]
        now = self._clock.now()
        return {
            name: Unknown(held[key].unknown, held[key].fetched_at)
            for key, name in keys.items()
            if key in held and is_within(held[key].fetched_at, max_age, now)
        }

    async def _call(
        self, module: Module, subject: Subject, unknown: Mapping[str, Unknown], order: float, call: "SharedCall"
    ) -> Finding:
        """
        Ask the sources that are not in `unknown`, once for all jobs that wait. The finding is kept even if none waits
        any more. Without one it is kept which sources do not know the company: they may have to be paid to say so.
        """
        meter = Meter(self._ledger, call.accounts)
        METER.set(meter)
        said: dict[str, Unknown] = {**unknown}
        finding: Finding | None = None
        try:
            async with self._limit(module, order):
                finding = await self.budget.pace(first_success(self._sources, module, subject, self._clock, said))
        except TimeoutError:
            raise SourceFailed(f"No answer within {module.timeout_seconds:g} seconds.") from None
        finally:
            await meter.close()
            to_keep: Collection[str] = said.keys() - unknown.keys() if finding is None else set()
            for name in to_keep:
                await self._cache.put(subject.domain, source_key(module, name), said[name].finding(name))
        await self._cache.put(subject.domain, cache_key(module, subject.profile), finding)
        return finding


def is_within(fetched_at: float, max_age: float, now: float) -> bool:
    """Whether what was fetched at that time is not older than `max_age` seconds."""
    return now - fetched_at <= max_age


class SharedCalls:
    """
    At most one call for each key at a time, whatever the number of askers.

    The call is a task of its own, so an asker that stops waiting does not take it from the others. When the last one
    stops, the call is cancelled.
    """

    def __init__(self) -> None:
        self._calls: dict[object, SharedCall] = {}
        self.abandoned: set[str] = set()

    async def share(
        self,
        key: object,
        asker: str,
        call: Callable[["SharedCall"], Coroutine[Any, Any, Finding]],
        account: Account = NOBODY,
    ) -> Finding:
        """Return the result of the running call for `key`, or start `call` and return its result."""
        while True:
            if asker in self.abandoned:
                raise SourceFailed("The job that would wait for it is cancelled.")
            shared = self._calls.get(key)
            if shared is None:
                shared = self._calls[key] = SharedCall(call)
                shared.task.add_done_callback(functools.partial(self._forget, key, shared))
            shared.askers[asker] = account
            try:
                await asyncio.wait([shared.task])
                if shared.task.cancelled() and asker in shared.askers:
                    raise SourceFailed("The call was cancelled unexpectedly.")  # neither by `abandon` nor by its askers
                return shared.task.result()
            except (MaxCostReached, CostUnknown):
                if asker in shared.asked_to_pay:
                    raise  # else it has joined when the others could not pay already
            finally:
                self._leave(key, shared, asker)

    def abandon(self, asker: str) -> None:
        """Make the asker leave all calls that it waits for, and let it start and join no more."""
        self.abandoned.add(asker)
        for key, shared in list(self._calls.items()):
            if asker in shared.askers:
                self._leave(key, shared, asker)

    def _leave(self, key: object, shared: "SharedCall", asker: str) -> None:
        shared.askers.pop(asker, None)
        if not shared.askers and not shared.task.done():
            shared.task.cancel()
            self._forget(key, shared)

    def _forget(self, key: object, ended: "SharedCall", _: object = None) -> None:
        """Let the next asker start a new call. A newer call for the same key stays."""
        if self._calls.get(key) is ended:
            del self._calls[key]
        if ended.task.done() and not ended.task.cancelled():
            ended.task.exception()  # mark it as retrieved: nobody may be waiting any more


class SharedCall:
    """A running call, and the jobs that wait for it, each with its account, in the order in which they have come."""

    __slots__ = ("asked_to_pay", "askers", "task")

    def __init__(self, call: Callable[["SharedCall"], Coroutine[Any, Any, Finding]]) -> None:
        self.askers: dict[str, Account] = {}
        self.asked_to_pay: set[str] = set()
        self.task = asyncio.create_task(call(self))

    def accounts(self) -> Iterator[Account]:
        """The accounts that may pay for it: that of the job that has caused it, then those of the others."""
        for asker, account in list(self.askers.items()):
            self.asked_to_pay.add(asker)
            yield account
