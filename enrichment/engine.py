"""
Everything behind the routes, wired once: the web process, workers, tests and command lines build on it.
"""

import functools
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from enrichment import domains
from enrichment.blueprint.making import BlueprintMaker
from enrichment.clock import Clock, isoformat_utc
from enrichment.errors import SettingsError
from enrichment.jobs.cache import MemoryCache
from enrichment.jobs.companies import ResolvedCompanies
from enrichment.jobs.dispatcher import MemoryDispatcher
from enrichment.jobs.manager import JobManager
from enrichment.jobs.memory import MemoryStore
from enrichment.jobs.pipeline import Pipeline
from enrichment.jobs.planning import Outlook, Planner
from enrichment.jobs.protocols import Cache, Dispatcher, JobStore
from enrichment.jobs.resolver import Resolver
from enrichment.jobs.runner import Runner
from enrichment.modules.case_studies import load_case_studies
from enrichment.modules.module import CaseStudy
from enrichment.settings import Settings
from enrichment.sources import CompanySource, Source, TimeLimited
from enrichment.sources.charged import charged
from enrichment.sources.costs import Charge, Ledger
from enrichment.sources.registry import SOURCES, SourceSpec, opening_settings, prices
from enrichment.sources.simulated.source import SimulatedCompanies, simulated_sources
from enrichment.sources.spending import service_prices, source_spending
from schemas import KeyState, SourceState, SourceStatus

if TYPE_CHECKING:
    from enrichment.postgres.backend import Backend
    from enrichment.sources.keys import KeyStatus
    from enrichment.sources.language_model import LanguageModel
    from enrichment.sources.live import LiveSources


class Engine:
    """
    The parts that the routes use: `jobs` to submit and cancel, `planner` for dry runs, `store` and `cache` to read,
    `blueprints` to make.

    Entering it takes work again after it was left; leaving it cancels all unfinished jobs. It works without being
    entered, as in a host that does not run our lifespan: unfinished jobs then end with the process, unreported.

    With `JOBS_BACKEND=postgres`, jobs are in a database, and are left to workers when the engine is left; `works` makes
    it one of them.
    """

    store: JobStore
    cache: Cache

    def __init__(
        self,
        settings: Settings,
        *,
        source: CompanySource | None = None,
        sources: Mapping[str, Source] | None = None,
        clock: Clock | None = None,
        works: bool = False,
    ) -> None:
        self.settings = settings
        self.clock = clock = clock or Clock()
        self._case_studies = functools.cache(lambda: load_case_studies(settings.case_studies_file))
        if settings.case_studies_file:
            self._case_studies()  # faults in the operator's file are reported at start, as those of settings are
        backend = _postgres_backend(settings, clock, works=works) if settings.jobs_backend == "postgres" else None
        self._live = _live_sources(settings, self._case_studies, clock, backend) if settings.sources == "live" else None
        if sources is None:
            sources = self._live.sources if self._live else simulated_sources(settings, self._case_studies, clock)
        else:
            sources = {name: charged(name, each) for name, each in sources.items()}
        self._sources = sources
        self._ledger = Ledger(prices(settings))
        memory_store = _memory_store(settings, clock)
        store: JobStore = backend.store if backend else memory_store
        cache: Cache = backend.cache if backend else _memory_cache(settings, clock)
        resolver = Resolver(
            cache=cache,
            sources=sources,
            clock=clock,
            limit=self._live.limit if self._live else None,
            calls=backend.calls if backend else None,
            ledger=self._ledger,
        )
        self.source: CompanySource
        if source or self._live:
            source = source or ResolvedCompanies(resolver)
            self.source = TimeLimited(source, seconds=settings.job_deadline_seconds, clock=clock)
        else:  # needs no limit, which would take a kilobyte for each pending job
            self.source = SimulatedCompanies(expected_seconds=settings.simulated_lookup_seconds, clock=clock)
        pipeline = Pipeline(
            store=store,
            resolver=resolver,
            clock=clock,
            deadline_seconds=settings.job_deadline_seconds,
            currency=settings.cost_currency,
        )
        runner = Runner(store=store, source=self.source, pipeline=pipeline, clock=clock, resumes=backend is not None)
        self._dispatcher: Dispatcher
        if backend:
            self._dispatcher = backend.dispatcher(runner)
        else:
            self._dispatcher = MemoryDispatcher(
                store=memory_store, runner=runner, resolver=resolver, max_running=settings.max_running_jobs
            )
        self.is_simulated = resolver.is_simulated
        self.store = store
        self.cache = cache
        self.jobs = JobManager(
            store=store,
            dispatcher=self._dispatcher,
            runner=runner,
            lookup_seconds=self.source.expected_seconds,
            simulated=resolver.is_simulated,
            clock=clock,
        )
        self.planner = Planner(
            cache=cache,
            sources=sources.keys(),
            ledger=self._ledger,
            outlook=self._outlook,
            clock=clock,
            currency=settings.cost_currency,
        )
        self.blueprints = BlueprintMaker(
            resolver=resolver,
            max_cached=settings.max_cached_blueprints,
            max_cached_bytes=settings.max_cached_blueprint_bytes,
            clock=clock,
            language_model=_profile_reader(settings, self._live),
            store=backend.blueprints if backend else None,
        )

    async def __aenter__(self) -> Self:
        domains.warm_up()
        self._case_studies()
        self.jobs.is_closed = False
        self._dispatcher.open()
        self.blueprints.open()
        if self._live:
            self._live.keys.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def begin_close(self) -> None:
        """End what would keep connections open, and begin no more jobs if running ones may take their time to end."""
        self.blueprints.close()
        self._dispatcher.stop()

    async def close(self) -> None:
        """
        Accept no more work. Idempotent.

        Unfinished jobs in memory are cancelled, each with a log line; those in a database are left to other workers.
        """
        self.jobs.is_closed = True
        self.blueprints.close()
        await self._dispatcher.close()
        if self._live:
            await self._live.aclose()

    def source_statuses(self) -> tuple[SourceStatus, ...]:
        """The sources in the order of the registry: what each serves, whether it is configured, and how it works."""
        return tuple(self._status(spec) for spec in SOURCES.values())

    def _paid_services(self, name: str) -> tuple[str, ...]:
        """The services that are paid for a source's answers; one that is free is empty."""
        return self._live.paid_services(name) if self._live else SOURCES[name].services[:1]

    def _outlook(self, name: str) -> Outlook:
        if self._live is None:
            return Outlook(services=self._paid_services(name))
        health = self._live.health(name)
        return Outlook(
            services=self._paid_services(name),
            requests=self._live.paid_requests(name),
            state=SourceState(health.state),
            until=health.until,
            is_refusing=self._live.is_refusing(name),
        )

    def _status(self, spec: SourceSpec) -> SourceStatus:
        is_configured = spec.name in self._sources
        health = self._live.health(spec.name) if self._live else None
        key = self._live.key(spec.name) if self._live else None
        return SourceStatus(
            name=spec.name,
            serves=spec.serves,
            needs_key=spec.needs_key,
            configured=is_configured,
            opened_by=() if is_configured else opening_settings(spec),
            state=SourceState(health.state) if health else SourceState.OK,
            until=isoformat_utc(health.until) if health else None,
            calls=health.stats.calls if health else 0,
            hits=health.stats.hits if health else 0,
            errors=health.stats.errors if health else 0,
            last_success_at=isoformat_utc(health.stats.last_success_at) if health else None,
            last_error_at=isoformat_utc(health.stats.last_error_at) if health else None,
            last_error=health.stats.last_error if health else None,
            key=_key_state(*key) if key else None,
            prices=service_prices(
                {name: self._ledger.prices[name] for name in self._paid_services(spec.name) or spec.services if name}
            ),
            cost=source_spending(self._ledger.totals.get(spec.name, Charge(source=spec.name))),
            tokens=self._live.tokens(spec.name) if self._live else None,
        )


def _memory_store(settings: Settings, clock: Clock) -> MemoryStore:
    return MemoryStore(
        max_pending=settings.max_pending_jobs,
        max_finished=settings.max_finished_jobs,
        max_finished_bytes=settings.max_finished_bytes,
        retention_seconds=settings.job_retention_seconds,
        clock=clock,
    )


def _memory_cache(settings: Settings, clock: Clock) -> MemoryCache:
    return MemoryCache(max_results=settings.max_cached_results, max_bytes=settings.max_cached_bytes, clock=clock)


def _postgres_backend(settings: Settings, clock: Clock, *, works: bool) -> "Backend":
    if not settings.database_url:
        raise SettingsError(["DATABASE_URL must be set with JOBS_BACKEND=postgres."])
    try:
        from enrichment.postgres.backend import Backend  # noqa: PLC0415 - only those who use it install what it needs
    except ModuleNotFoundError as error:
        needed = "`pip install -r requirements-postgres.txt`"
        raise SettingsError([f"JOBS_BACKEND=postgres needs {needed} ({error.name})."]) from None
    return Backend(settings, clock, works=works)


def _key_state(status: "KeyStatus", checked_at: float | None) -> KeyState:
    return KeyState(
        works=status.works,
        remaining=status.remaining,
        unit=status.unit,
        detail=status.detail,
        checked_at=isoformat_utc(checked_at),
    )


def _profile_reader(settings: Settings, live: "LiveSources | None") -> "LanguageModel | None":
    """The language model that reads profiles, if the settings say so."""
    if settings.icp_reader == "rules":
        return None
    if live is None or live.language_model is None:
        raise SettingsError(["ICP_READER=model needs SOURCES=live and a model in LLM_MODEL."])
    return live.language_model


def _live_sources(
    settings: Settings, case_studies: Callable[[], tuple[CaseStudy, ...]], clock: Clock, backend: "Backend | None"
) -> "LiveSources":
    if not settings.contact:
        raise SettingsError(["CONTACT must be set with SOURCES=live: outside services want to know whom to ask."])
    try:
        from enrichment.sources.live import LiveSources  # noqa: PLC0415 - only those who use it install what it needs
    except ModuleNotFoundError as error:
        raise SettingsError([f"SOURCES=live needs `pip install -r requirements-live.txt` ({error.name})."]) from None
    return LiveSources(settings, case_studies, clock, shared=backend.standings if backend else None)
