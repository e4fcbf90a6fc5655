"""
The making of blueprints. Concurrent requests for the same blueprint share one run, and results are cached for a day.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import msgspec

from enrichment.clock import Clock, isoformat_utc
from enrichment.errors import BlueprintFailed, EnrichmentError, ShuttingDown, SourceError
from enrichment.jobs.events import EventLog
from enrichment.jobs.resolver import Resolver
from enrichment.logs import Log
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from schemas import (
    Blueprint,
    BlueprintMetadata,
    BlueprintProgress,
    BlueprintSection,
    CustomerProfile,
    IcpObject,
    PointGroup,
)

log = Log(__name__)

TTL_SECONDS: Final = 86_400
GROUPS: Final[tuple[PointGroup, ...]] = ("firmographic", "technographic", "personalization")

BlueprintEvent = BlueprintProgress | BlueprintSection | Blueprint | EnrichmentError
"An event of a run. The final one is the blueprint, or the error that prevented it."


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a blueprint: the domain of the website, the ideal customer profile, and what the campaign sells."""

    domain: str
    icp: str | IcpObject | None = None
    offer: str | None = None


class BlueprintRun:
    """The making of one blueprint. `made_at`, in seconds since the epoch, is set when the blueprint is complete."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.log = EventLog[BlueprintEvent]()
        self.subscribers = 0
        self.made_at = 0.0


class BlueprintMaker:
    """
    Makes blueprints, and caches the `max_cached` most recently used ones.

    A request for a blueprint that is being made subscribes to that run. A run without subscribers is cancelled.
    """

    def __init__(self, *, resolver: Resolver, max_cached: int, clock: Clock) -> None:
        self._resolver = resolver
        self._max_cached = max_cached
        self._clock = clock
        self._cache: OrderedDict[Brief, BlueprintRun] = OrderedDict()
        self._running: dict[Brief, BlueprintRun] = {}
        self._is_closed = False

    def open(self) -> None:
        """Accept requests, also after `close`."""
        self._is_closed = False

    def close(self) -> None:
        """Refuse further requests, and end all runs with `ShuttingDown` as their final event."""
        self._is_closed = True
        for run in self._running.values():
            run.log.publish(ShuttingDown(), final=True)
            run.task.cancel()
        self._running.clear()

    def make(self, brief: Brief, *, refresh: bool) -> AsyncGenerator[BlueprintEvent, None]:
        """
        Iterate over the events of the run for this brief; `refresh` ignores a cached blueprint.

        Raises `ShuttingDown` immediately, and not at the first event.
        """
        if self._is_closed:
            raise ShuttingDown
        return self._events(brief, refresh=refresh)

    async def _events(self, brief: Brief, *, refresh: bool) -> AsyncGenerator[BlueprintEvent, None]:
        cached = None if refresh else self._find(brief)
        run = cached or self._running.get(brief) or self._start(brief)
        run.subscribers += 1
        try:
            async for event in run.log.subscribe():
                yield _as_cached(event) if cached else event
        finally:
            run.subscribers -= 1
            if not run.subscribers and not run.log.is_closed:
                run.task.cancel()
                # A request that comes before the task has noticed must not subscribe to a run that never ends.
                self._forget(brief, run)

    def _find(self, brief: Brief) -> BlueprintRun | None:
        run = self._cache.get(brief)
        if run and run.made_at + TTL_SECONDS > self._clock.now():
            self._cache.move_to_end(brief)
            return run
        return None

    def _start(self, brief: Brief) -> BlueprintRun:
        run = self._running[brief] = BlueprintRun()
        run.task = asyncio.create_task(self._run(brief, run))
        return run

    def _forget(self, brief: Brief, run: BlueprintRun) -> None:
        if self._running.get(brief) is run:
            del self._running[brief]

    async def _run(self, brief: Brief, run: BlueprintRun) -> None:
        """Make the blueprint, and publish any error as the final event."""
        try:
            await self._make(brief, run)
        except EnrichmentError as error:
            run.log.publish(error, final=True)
        except Exception:
            log.exception("blueprint failed", domain=brief.domain)
            run.log.publish(BlueprintFailed(), final=True)
        finally:
            self._forget(brief, run)
        if isinstance(run.log.events[-1], Blueprint):
            self._cache[brief] = run
            self._cache.move_to_end(brief)
            if len(self._cache) > self._max_cached:
                self._cache.popitem(last=False)

    async def _make(self, brief: Brief, run: BlueprintRun) -> None:
        # Importing these takes 40 ms, a tenth of the start-up time, and many deployments never make a blueprint.
        from enrichment.blueprint import profile as profiles  # noqa: PLC0415
        from enrichment.blueprint.choosing import choose  # noqa: PLC0415
        from enrichment.blueprint.reading.icp import read_icp  # noqa: PLC0415

        begun_at = self._clock.now()
        run.log.publish(BlueprintProgress(stage="reading_profile", percent=5))
        profile = read_icp(brief.icp) if brief.icp else CustomerProfile()
        if profiles.criteria(profile):
            result = profiles.provided(profile)
        else:
            run.log.publish(BlueprintProgress(stage="describing_company", percent=15))
            findings, missing = await self._describe(brief.domain, profiles.DESCRIBING_MODULES)
            run.log.publish(BlueprintProgress(stage="inferring_profile", percent=60))
            result = profiles.inferred(brief.domain, profile, findings, missing)
        run.log.publish(BlueprintProgress(stage="choosing_data_points", percent=70))
        sections = choose(result.profile, offer=brief.offer)
        for group in GROUPS:
            run.log.publish(BlueprintSection(section=group, data_points=getattr(sections, group)))
        run.made_at = self._clock.now()
        blueprint = Blueprint(
            website=brief.domain,
            simulated=result.simulated,
            icp=result.profile,
            firmographic=sections.firmographic,
            technographic=sections.technographic,
            personalization=sections.personalization,
            sources=sections.sources,
            modules=sections.modules,
            metadata=BlueprintMetadata(
                id=f"blueprint_{secrets.token_hex(8)}",
                generated_at=isoformat_utc(run.made_at),
                expires_at=isoformat_utc(run.made_at + TTL_SECONDS),
                cached=False,
                duration_seconds=round(run.made_at - begun_at, 3),
                sources_used=result.sources_used,
                sources_missing=result.sources_missing,
                gaps=profiles.gaps(result),
            ),
        )
        run.log.publish(blueprint, final=True)
        log.info(
            "blueprint made", domain=brief.domain, origin=blueprint.icp.origin, confidence=blueprint.icp.confidence
        )

    async def _describe(self, domain: str, modules: Sequence[str]) -> tuple[dict[str, Finding], dict[str, str]]:
        """Collect the findings of the modules about a company, and the errors of those without one."""
        findings: dict[str, Finding] = {}
        missing: dict[str, str] = {}

        async def describe(module_id: str) -> None:
            try:
                findings[module_id] = await self._finding(module_id, domain)
            except SourceError as error:
                missing[module_id] = str(error)

        async with asyncio.TaskGroup() as group:
            for module_id in modules:
                group.create_task(describe(module_id))
        return (
            {module_id: findings[module_id] for module_id in modules if module_id in findings},
            {module_id: missing[module_id] for module_id in modules if module_id in missing},
        )

    async def _finding(self, module_id: str, domain: str) -> Finding:
        module, subject = MODULES[module_id], Subject(domain=domain)
        cached = await self._resolver.cached(module, subject)
        return cached or await self._resolver.ask(module, subject, asker=secrets.token_hex(8))


def _as_cached(event: BlueprintEvent) -> BlueprintEvent:
    if not isinstance(event, Blueprint):
        return event
    return msgspec.structs.replace(event, metadata=msgspec.structs.replace(event.metadata, cached=True))
