"""
The making of blueprints. Concurrent requests for the same blueprint share one run, and results are cached for a day.
"""

import asyncio
import functools
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import msgspec

from enrichment.blueprint.stored import decode_blueprint, decode_events, encode_events
from enrichment.clock import Clock, isoformat_utc
from enrichment.errors import BlueprintFailed, DatabaseUnavailable, EnrichmentError, ShuttingDown, SourceError
from enrichment.jobs.events import EventLog
from enrichment.jobs.protocols import BlueprintStore
from enrichment.jobs.resolver import Resolver
from enrichment.logs import Log
from enrichment.modules.icp_match import judging_modules
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import DESCRIBING_MODULES, MODULES
from schemas import (
    Blueprint,
    BlueprintMetadata,
    BlueprintProgress,
    BlueprintSection,
    CustomerProfile,
    Icp,
    PointGroup,
)

if TYPE_CHECKING:
    from enrichment.blueprint.choosing import Sections
    from enrichment.blueprint.profile import ProfileResult
    from enrichment.icp.model import CompletesJSON

P = ParamSpec("P")
T = TypeVar("T")

log = Log(__name__)

_encode: Final = msgspec.json.Encoder().encode

TTL_SECONDS: Final = 86_400
COMPLETE_RUN: Final = 6  # events: 2 of progress, 3 sections, the blueprint
COMPLETE_INFERRING_RUN: Final = 8  # and 2 more of progress
MAX_FINAL_EVENTS: Final = 10_000  # some 200 bytes each
GROUPS: Final[tuple[PointGroup, ...]] = ("firmographic", "technographic", "personalization")

BlueprintEvent = BlueprintProgress | BlueprintSection | Blueprint | EnrichmentError
"An event of a run. The final one is the blueprint, or the error that prevented it."


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a blueprint: the domain of the website, the ideal customer profile, and what the campaign sells."""

    domain: str
    icp: Icp | None = None
    offer: str | None = None


class BlueprintRun:
    """
    The making of one blueprint. `made_at`, in seconds since the epoch, `size`, in bytes of JSON, and the `id` of the
    blueprint are set when it is complete.
    """

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.log = EventLog[BlueprintEvent]()
        self.subscribers = 0
        self.made_at = 0.0
        self.size = 0
        self.id = ""

    @property
    def blueprint(self) -> Blueprint | None:
        """The blueprint, if it is complete."""
        last = self.log.events[-1] if self.log.events else None
        return last if isinstance(last, Blueprint) else None


class BlueprintMaker:
    """
    Makes blueprints, and caches the most recently used ones: at most `max_cached`, of some `max_cached_bytes` in all.

    A request for a blueprint that is being made subscribes to that run. A run without subscribers is cancelled. The
    reading of profiles and the choosing of data points take milliseconds at best, so they run in a thread; in one only,
    since several would hold back the event loop's thread by more than the interpreter's switch interval (5 ms).

    With a `store`, blueprints are kept there for all processes, and not in memory.
    """

    def __init__(
        self,
        *,
        resolver: Resolver,
        max_cached: int,
        max_cached_bytes: int,
        clock: Clock,
        language_model: "CompletesJSON | None" = None,
        store: BlueprintStore | None = None,
    ) -> None:
        self._resolver = resolver
        self._store = store
        self._language_model = language_model
        self._max_cached = max_cached
        self._max_cached_bytes = max_cached_bytes
        self._cached_bytes = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="blueprints")
        self._clock = clock
        self._cache: OrderedDict[Brief, BlueprintRun] = OrderedDict()
        self._briefs: dict[str, Brief] = {}  # of cached blueprints, by id
        self._running: dict[Brief, BlueprintRun] = {}
        self._final_events: OrderedDict[bytes, int] = OrderedDict()  # their numbers, by digest of the brief
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

    async def read_profile(self, icp: Icp) -> CustomerProfile:
        """Read a profile. Raise `UnreadableProfile` if nothing in it is understood, and `InvalidProfile`."""
        return (await self._read(icp)).profile

    async def _read(self, icp: Icp) -> "ProfileResult":
        """Read a text by the language model, if there is one; without an answer, and objects, by the rules."""
        if self._language_model is not None and isinstance(icp, str):
            from enrichment.blueprint.profile import provided  # noqa: PLC0415
            from enrichment.icp.model import read_by_model  # noqa: PLC0415

            if profile := await read_by_model(icp, self._language_model, self._in_thread):
                return provided(profile)
        return await self._in_thread(_read, icp)

    async def find(self, blueprint_id: str) -> Blueprint | None:
        """Return the blueprint of this id if it is cached. Raise `DatabaseUnavailable` if that cannot be found out."""
        if self._store:
            content = await self._store.get_by_id(blueprint_id, since=self._clock.now() - TTL_SECONDS)
            return decode_blueprint(content) if content else None
        brief = self._briefs.get(blueprint_id)
        run = self._find(brief) if brief else None
        return run.blueprint if run else None

    def has_ended(self, brief: Brief, event_number: int) -> bool:
        """
        Whether the event was the final one of a run for this brief, so that no other run is wanted.

        Of runs that are no longer remembered, the number of events is taken to be that of a complete one.
        """
        if brief in self._running:
            return False
        complete = COMPLETE_RUN if brief.icp else COMPLETE_INFERRING_RUN
        return event_number >= self._final_events.get(_digest(brief), complete)

    async def _events(self, brief: Brief, *, refresh: bool) -> AsyncGenerator[BlueprintEvent, None]:
        cached = None if refresh else self._find(brief)
        if self._store and not refresh:
            cached = await self._load(self._store, brief)
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

    async def _load(self, store: BlueprintStore, brief: Brief) -> BlueprintRun | None:
        """The run of the blueprint in the store, if there is one that can be read."""
        with suppress(DatabaseUnavailable):  # then it is made
            content = await store.get_by_digest(_digest(brief), since=self._clock.now() - TTL_SECONDS)
            if content:
                run = BlueprintRun()
                for event in decode_events(content):
                    run.log.publish(event, final=isinstance(event, Blueprint))
                return run
        return None

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
        self._final_events[_digest(brief)] = len(run.log.events)
        if len(self._final_events) > MAX_FINAL_EVENTS:
            self._final_events.popitem(last=False)
        if run.blueprint and not self._store:
            self._keep(brief, run, run.blueprint)

    def _keep(self, brief: Brief, run: BlueprintRun, blueprint: Blueprint) -> None:
        """Cache the run's events. In memory they take three times their JSON at most, and the brief four times."""
        run.size = 3 * len(_encode(blueprint)) + 4 * len(_encode(brief))
        if former := self._cache.pop(brief, None):
            self._drop(former)
        self._cache[brief] = run
        run.id = blueprint.metadata.id
        self._briefs[run.id] = brief
        self._cached_bytes += run.size
        while len(self._cache) > self._max_cached or self._cached_bytes > self._max_cached_bytes:
            self._drop(self._cache.popitem(last=False)[1])

    def _drop(self, run: BlueprintRun) -> None:
        """Account for a run that is no longer cached."""
        self._cached_bytes -= run.size
        del self._briefs[run.id]

    async def _make(self, brief: Brief, run: BlueprintRun) -> None:
        begun_at = self._clock.now()
        run.log.publish(BlueprintProgress(stage="reading_profile", percent=5))
        result = await self._read(brief.icp) if brief.icp else None
        if result is None:
            simulated = self._resolver.is_simulated
            run.log.publish(BlueprintProgress(stage="describing_company", percent=15, simulated=simulated))
            findings, missing = await self._describe(brief.domain, DESCRIBING_MODULES)
            run.log.publish(BlueprintProgress(stage="inferring_profile", percent=60, simulated=simulated))
            result = await self._in_thread(_infer, brief.domain, findings, missing)
        simulated = result.simulated
        run.log.publish(BlueprintProgress(stage="choosing_data_points", percent=70, simulated=simulated))
        sections, profile, gaps = await self._in_thread(_choose, result, brief.offer)
        for group in GROUPS:
            data_points = getattr(sections, group)
            run.log.publish(BlueprintSection(section=group, simulated=simulated, data_points=data_points))
        run.made_at = self._clock.now()
        blueprint = Blueprint(
            website=brief.domain,
            simulated=simulated,
            icp=profile,
            firmographic=sections.firmographic,
            technographic=sections.technographic,
            personalization=sections.personalization,
            standard=sections.standard,
            sources=sections.sources,
            modules=sections.modules,
            metadata=BlueprintMetadata(
                id=f"blueprint_{secrets.token_hex(8)}",
                generated_at=isoformat_utc(run.made_at),
                expires_at=isoformat_utc(run.made_at + TTL_SECONDS),
                cached=False,
                duration_seconds=round(run.made_at - begun_at, 3),
                sources_used=result.sources_used,
                sources_missing=result.sources_missing + result.sources_failed,
                gaps=gaps,
            ),
        )
        if self._store:  # before it is known, so that every process finds it then
            with suppress(DatabaseUnavailable):  # then it is made again for the next request
                content = encode_events(run.log.events, blueprint)
                await self._store.put(_digest(brief), blueprint.metadata.id, content, made_at=run.made_at)
        run.log.publish(blueprint, final=True)
        log.info(
            "blueprint made", domain=brief.domain, origin=blueprint.icp.origin, confidence=blueprint.icp.confidence
        )

    async def _in_thread(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = functools.partial(func, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _describe(self, domain: str, modules: Sequence[str]) -> tuple[dict[str, Finding], dict[str, str]]:
        """Collect the findings of the modules about a company, and the errors of those without one."""
        findings: dict[str, Finding] = {}
        missing: dict[str, str] = {}

        async def describe(module_id: str) -> None:
            try:
                finding = await self._finding(module_id, domain)
            except SourceError as error:
                missing[module_id] = str(error)
            else:
                if finding.unknown:
                    missing[module_id] = finding.unknown
                else:
                    findings[module_id] = finding

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


def _digest(brief: Brief) -> bytes:
    return hashlib.sha256(_encode(brief)).digest()


# Imported at the first use, in the thread: loading takes a fifth of a second and 8 MB, and many deployments never make
# a blueprint.


def _read(icp: Icp) -> "ProfileResult":
    """The given profile. Raises `UnreadableProfile` and `InvalidProfile`."""
    from enrichment.blueprint.profile import provided  # noqa: PLC0415
    from enrichment.icp.profiles import read_profile  # noqa: PLC0415

    return provided(read_profile(icp))


def _infer(domain: str, findings: Mapping[str, Finding], missing: Mapping[str, str]) -> "ProfileResult":
    from enrichment.blueprint.profile import inferred  # noqa: PLC0415

    return inferred(domain, findings, missing)


def _choose(result: "ProfileResult", offer: str | None) -> "tuple[Sections, CustomerProfile, tuple[str, ...]]":
    """The data points, the profile with what follows from the offer, and the gaps of the blueprint."""
    from enrichment.blueprint.choosing import choose  # noqa: PLC0415
    from enrichment.blueprint.criteria import criteria_of  # noqa: PLC0415
    from enrichment.blueprint.offers import with_offer  # noqa: PLC0415
    from enrichment.blueprint.profile import gaps  # noqa: PLC0415

    profile, of_offer = with_offer(result.profile, offer)
    sections = choose(criteria_of(profile), offer=offer)
    modules = tuple(sorted({*sections.modules, *judging_modules(profile.conditions)}))
    return msgspec.structs.replace(sections, modules=modules), profile, (*gaps(result), *of_offer)


def _as_cached(event: BlueprintEvent) -> BlueprintEvent:
    if not isinstance(event, Blueprint):
        return event
    return msgspec.structs.replace(event, metadata=msgspec.structs.replace(event.metadata, cached=True))
