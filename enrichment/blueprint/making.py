"""
Blueprints for campaigns: made once for all who ask at the same time, told step by step, and kept for a day.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final, Literal

import msgspec

from enrichment.blueprint.values import DataPoint, Icp, IcpInput, Profile, Sections
from enrichment.clock import Clock
from enrichment.errors import BlueprintFailed, EnrichmentError, ShuttingDown, SourceError
from enrichment.jobs.resolver import Resolver
from enrichment.logs import Log
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES

log = Log(__name__)

KEPT_SECONDS: Final = 86_400
Group = Literal["firmographic", "technographic", "personalization"]
GROUPS: Final[tuple[Group, ...]] = ("firmographic", "technographic", "personalization")


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What a blueprint is made from: the website's domain, whom the campaign is for, and what it sells."""

    domain: str
    icp: str | IcpInput | None = None
    offer: str | None = None


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """What to find out about a campaign's leads. Times in seconds since the epoch."""

    id: str
    brief: Brief
    profile: Profile
    sections: Sections
    gaps: tuple[str, ...]
    begun_at: float
    generated_at: float


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done, and how much of all is done."""

    stage: str
    percent: int


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A group of data points that is ready."""

    group: Group
    data_points: tuple[DataPoint, ...]


Event = Progress | Section | Blueprint | EnrichmentError
"What is told while a blueprint is made; the last is the blueprint itself, or why there is none."


class Making:
    """A blueprint that is being made, or has been: all that was told so far, to be heard from its beginning."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.watchers = 0
        self._told = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether the last event has been told."""
        return bool(self.events) and isinstance(self.events[-1], (Blueprint, EnrichmentError))

    def tell(self, event: Event) -> None:
        """Tell all who listen, now or later. After the last event nothing more is told."""
        if not self.is_over:
            self.events.append(event)
            self._told.set()
            self._told = asyncio.Event()

    async def listen(self) -> AsyncIterator[Event]:
        """Every event, from the first to the last."""
        heard = 0
        while True:
            while heard < len(self.events):
                heard += 1
                yield self.events[heard - 1]
            if self.is_over:
                return
            await self._told.wait()


class Campaigns:
    """
    Makes blueprints, and keeps the newest `max_kept` for a day.

    Whoever asks for what is being made already listens to that; when nobody listens any more it is stopped.
    """

    def __init__(self, *, answers: Resolver, max_kept: int, clock: Clock) -> None:
        self._answers = answers
        self._max_kept = max_kept
        self._clock = clock
        self._kept: OrderedDict[Brief, Making] = OrderedDict()
        self._under_way: dict[Brief, Making] = {}
        self._is_closed = False

    def open(self) -> None:
        """Take briefs; again, if it was closed."""
        self._is_closed = False

    def close(self) -> None:
        """Take no more briefs, and tell whoever listens that nothing more comes."""
        self._is_closed = True
        for making in list(self._under_way.values()):
            making.tell(ShuttingDown())
            making.task.cancel()

    def make(self, brief: Brief, *, refresh: bool) -> AsyncGenerator[tuple[Event, bool], None]:
        """
        All events on the way to the blueprint, each with whether it comes out of the cache, which `refresh` goes round.

        Raises `ShuttingDown` at once, not with the first event.
        """
        if self._is_closed:
            raise ShuttingDown
        return self._events(brief, refresh=refresh)

    async def _events(self, brief: Brief, *, refresh: bool) -> AsyncGenerator[tuple[Event, bool], None]:
        kept = None if refresh else self._find(brief)
        making = kept or self._under_way.get(brief) or self._begin(brief)
        making.watchers += 1
        try:
            async for event in making.listen():
                yield event, making is kept
        finally:
            making.watchers -= 1
            if not making.watchers and not making.is_over:
                making.task.cancel()
                self._forget(brief, making)

    def _find(self, brief: Brief) -> Making | None:
        making = self._kept.get(brief)
        blueprint = making.events[-1] if making else None
        if isinstance(blueprint, Blueprint) and blueprint.generated_at + KEPT_SECONDS > self._clock.now():
            self._kept.move_to_end(brief)
            return making
        return None

    def _begin(self, brief: Brief) -> Making:
        making = self._under_way[brief] = Making()
        making.task = asyncio.create_task(self._run(brief, making))
        return making

    def _forget(self, brief: Brief, making: Making) -> None:
        if self._under_way.get(brief) is making:
            del self._under_way[brief]

    async def _run(self, brief: Brief, making: Making) -> None:
        """Make the blueprint. Whatever goes wrong is the last event."""
        try:
            await self._tell(brief, making)
        except EnrichmentError as error:
            making.tell(error)
        except Exception:
            log.exception("blueprint failed", domain=brief.domain)
            making.tell(BlueprintFailed())
        finally:
            self._forget(brief, making)
        if isinstance(making.events[-1], Blueprint):
            self._kept[brief] = making
            self._kept.move_to_end(brief)
            if len(self._kept) > self._max_kept:
                self._kept.popitem(last=False)

    async def _tell(self, brief: Brief, making: Making) -> None:
        # To load what reads profiles takes a tenth of the service's start, and not everybody asks for blueprints.
        from enrichment.blueprint import profile as targeting  # noqa: PLC0415
        from enrichment.blueprint.choosing import choose  # noqa: PLC0415
        from enrichment.blueprint.reading.icp import read_icp  # noqa: PLC0415

        begun_at = self._clock.now()
        making.tell(Progress(stage="reading_profile", percent=5))
        icp = read_icp(brief.icp) if brief.icp else Icp()
        if icp.is_empty:
            making.tell(Progress(stage="describing_company", percent=15))
            findings, missing = await self._describe(brief.domain, targeting.DESCRIBING)
            making.tell(Progress(stage="inferring_profile", percent=60))
            profile = targeting.inferred(brief.domain, icp, findings, missing)
        else:
            profile = targeting.provided(icp)
        making.tell(Progress(stage="choosing_data_points", percent=70))
        sections = choose(profile.icp, offer=brief.offer)
        for group in GROUPS:
            making.tell(Section(group=group, data_points=getattr(sections, group)))
        making.tell(
            Blueprint(
                id=f"blueprint_{secrets.token_hex(8)}",
                brief=brief,
                profile=profile,
                sections=sections,
                gaps=targeting.gaps(profile),
                begun_at=begun_at,
                generated_at=self._clock.now(),
            )
        )
        log.info("blueprint made", domain=brief.domain, origin=profile.origin, confidence=profile.confidence)

    async def _describe(self, domain: str, modules: Sequence[str]) -> tuple[dict[str, Finding], dict[str, str]]:
        """What is known of the company behind the website, and why the rest is not."""
        asker = secrets.token_hex(8)
        found: dict[str, Finding] = {}
        missing: dict[str, str] = {}

        async def describe(module_id: str) -> None:
            module, subject = MODULES[module_id], Subject(domain=domain)
            try:
                cached = await self._answers.cached(module, subject)
                found[module_id] = cached or await self._answers.ask(module, subject, asker=asker)
            except SourceError as error:
                missing[module_id] = str(error)

        async with asyncio.TaskGroup() as group:
            for module_id in modules:
                group.create_task(describe(module_id))
        return (
            {name: found[name] for name in modules if name in found},
            {name: missing[name] for name in modules if name in missing},
        )
