"""
The live sources, wired: imported only with `SOURCES=live`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.modules.module import CaseStudy, Finding, Module, Subject
from enrichment.settings import Settings
from enrichment.sources import Source
from enrichment.sources.angle_writer import AngleWriter
from enrichment.sources.apollo import Apollo
from enrichment.sources.brave import Brave
from enrichment.sources.builtwith import BuiltWith, BuiltWithApi, BuiltWithFree
from enrichment.sources.clearbit import Clearbit
from enrichment.sources.company_names import CompanyNames
from enrichment.sources.context import CONTEXT, CallContext, time_limit
from enrichment.sources.costs import PaidRequests
from enrichment.sources.dns import DnsOverHttps
from enrichment.sources.edgar import Edgar
from enrichment.sources.fingerprints import Fingerprints
from enrichment.sources.homepage import Homepage
from enrichment.sources.http import Client
from enrichment.sources.identity import Identities
from enrichment.sources.job_boards import JobBoards
from enrichment.sources.keys import KeyChecks, KeyStatus, present
from enrichment.sources.language_model import LanguageModel
from enrichment.sources.local import Local
from enrichment.sources.news import News
from enrichment.sources.public_records import PublicRecords
from enrichment.sources.ranks import Ranks
from enrichment.sources.rdap import Rdap
from enrichment.sources.registry import SOURCES
from enrichment.sources.search_engines import SearchEngine
from enrichment.sources.sec import Sec
from enrichment.sources.similarweb import SimilarWeb
from enrichment.sources.tavily import Tavily
from enrichment.sources.upstream import Health, SharedStandings, Stats, Upstream
from enrichment.sources.websearch import WebSearch
from enrichment.sources.website import WEBSITES, Websites
from enrichment.sources.wikidata import Wikidata
from enrichment.sources.wikidata_items import WikidataItems
from enrichment.sources.yahoo import Yahoo
from schemas import TokenCount

SEVERITY: Final = ("ok", "limited", "open", "quota_exhausted")
OK: Final = Health(state="ok", until=None, stats=Stats())
DEFAULT_SECONDS: Final = 10.0  # for a source whose row in the registry has no time-out


class LiveSources:
    """
    One client, and all sources that are configured, by the names in the modules' chains.

    `upstreams` lists the outside services behind each source. `language_model` is None if none is configured. Making it
    does no I/O; it belongs to one event loop.
    """

    def __init__(
        self,
        settings: Settings,
        case_studies: Callable[[], tuple[CaseStudy, ...]],
        clock: Clock,
        *,
        shared: SharedStandings | None = None,
    ) -> None:
        self._clock = clock
        proxy = settings.outbound_proxy
        self._client = client = Client(contact=settings.contact, clock=clock, proxy=proxy, shared=shared)
        websites = Websites(client, clock)
        items = WikidataItems(client, settings.wikidata_base_url)
        identities = Identities(items, websites, clock)
        names = CompanyNames(identities, websites)
        edgar = Edgar(
            client,
            clock,
            data_url=settings.sec_data_base_url,
            www_url=settings.sec_www_base_url,
            user_agent=settings.sec_user_agent,
        )
        rdap = Rdap(client, clock, base_url=settings.rdap_base_url)
        dns = DnsOverHttps(client, settings.doh_base_url)
        yahoo = Yahoo(
            client,
            identities,
            clock,
            q1=settings.yahoo_base_url_q1,
            q2=settings.yahoo_base_url_q2,
            fc=settings.yahoo_base_url_fc,
        )
        ranks = Ranks(client, clock, tranco=settings.tranco_base_url)
        boards = JobBoards(
            client,
            websites,
            clock,
            greenhouse=settings.greenhouse_base_url,
            lever=settings.lever_base_url,
            lever_eu=settings.lever_eu_base_url,
            ashby=settings.ashby_base_url,
        )
        news = News(client, names, clock, gdelt=settings.gdelt_base_url)
        sources: dict[str, Source] = {
            "yahoo": yahoo,
            "public_records": PublicRecords(
                sites=websites, items=items, identities=identities, edgar=edgar, rdap=rdap, clock=clock
            ),
            "fingerprints": Fingerprints(websites, dns),
            "ranks": ranks,
            "wikidata": Wikidata(items, identities, clock),
            "homepage": Homepage(websites, clock),
            "sec": Sec(edgar, identities, clock),
            "job_boards": boards,
            "news": news,
        }
        self.upstreams: dict[str, tuple[Upstream, ...]] = {
            "yahoo": (yahoo.upstream,),
            "public_records": (items.upstream, edgar.upstream, rdap.upstream),
            "fingerprints": (WEBSITES, dns.upstream),
            "ranks": (ranks.upstream,),
            "wikidata": (items.upstream,),
            "homepage": (WEBSITES,),
            "sec": (edgar.upstream,),
            "job_boards": tuple(boards.upstreams.values()),
            "news": (news.upstream,),
        }
        if settings.builtwith_api_key:
            api = BuiltWithApi(client, key=settings.builtwith_api_key, base_url=settings.builtwith_base_url)
            technologies = BuiltWith(api, clock, version=settings.builtwith_api_version)
            counts = BuiltWithFree(api, clock)
            sources |= {"builtwith": technologies, "builtwith_free": counts}
            self.upstreams |= {"builtwith": (technologies.upstream,), "builtwith_free": (counts.upstream,)}
        if settings.similarweb_api_key:
            traffic = SimilarWeb(
                client,
                clock,
                key=settings.similarweb_api_key,
                base_url=settings.similarweb_base_url,
                version=settings.similarweb_api_version,
            )
            sources["similarweb"] = traffic
            self.upstreams["similarweb"] = (traffic.upstream,)
        if engines := _search_engines(client, settings, clock):
            search = WebSearch(engines, websites, names, boards, clock)
            sources["websearch"] = search
            self.upstreams["websearch"] = search.upstreams
        self.language_model = _language_model(client, settings, clock)
        if self.language_model:
            sources["llm"] = AngleWriter(self.language_model, clock)
            self.upstreams["llm"] = (self.language_model.upstream,)
        if settings.apollo_api_key:
            apollo = Apollo(
                client,
                clock,
                key=settings.apollo_api_key,
                base_url=settings.apollo_base_url,
                requests_per_minute=settings.apollo_requests_per_minute,
            )
            sources["apollo"] = apollo
            self.upstreams["apollo"] = apollo.upstreams
        if settings.clearbit_api_key:
            clearbit = Clearbit(client, clock, key=settings.clearbit_api_key, base_url=settings.clearbit_base_url)
            sources["clearbit"] = clearbit
            self.upstreams["clearbit"] = (clearbit.upstream,)
        self.keys = KeyChecks(sources, clock)
        self.sources: Mapping[str, Source] = {
            **{name: WithinTime(name=name, source=source) for name, source in sources.items()},
            "local": Local(case_studies=case_studies, clock=clock),
        }

    @asynccontextmanager
    async def limit(self, module: Module, order: float) -> AsyncIterator[None]:
        """
        Leave the block with `TimeoutError` after the module's time, which does not pass in the queue of a service.

        Of the calls that wait for the same service, the one with the lowest `order` is sent first.
        """
        context = CallContext(clock=self._clock, order=order)
        CONTEXT.set(context)
        async with context.limit(module.timeout_seconds):
            yield

    def health(self, name: str) -> Health:
        """The state of a source: that of the service behind it that is worst off, and the calls of all of them."""
        upstreams = self.upstreams.get(name, ())
        healths = [self._client.health(upstream) for upstream in upstreams]
        stats = {upstream.name: health.stats for upstream, health in zip(upstreams, healths, strict=True)}.values()
        worst = max(healths, key=lambda health: (SEVERITY.index(health.state), health.until or 0.0), default=OK)
        last_failed = max(stats, key=lambda each: each.last_error_at or 0.0, default=Stats())
        return Health(
            state=worst.state,
            until=worst.until,
            stats=Stats(
                calls=sum(each.calls for each in stats),
                hits=sum(each.hits for each in stats),
                errors=sum(each.errors for each in stats),
                last_success_at=max((each.last_success_at for each in stats if each.last_success_at), default=None),
                last_error=last_failed.last_error,
                last_error_at=last_failed.last_error_at,
            ),
        )

    def key(self, name: str) -> tuple[KeyStatus, float | None] | None:
        """What is known about the key of a source, and when it was last checked; None if it has no key."""
        settings = {upstream.key_setting for upstream in self.upstreams.get(name, ())} - {""}
        if not settings:
            return None
        checked, checked_at = self.keys.last(name)
        return present(checked, {setting: self._client.key(setting).works for setting in sorted(settings)}), checked_at

    def paid_requests(self, name: str) -> Mapping[str, PaidRequests]:
        """The paid requests for a source's answers, by module id, where there is not just one of its own."""
        source = self.sources[name]
        return getattr(source.source, "paid_requests", {}) if isinstance(source, WithinTime) else {}

    def paid_services(self, name: str) -> tuple[str, ...]:
        """The services that bill the calls of a source, in the order in which they are asked; a free one is empty."""
        return tuple(dict.fromkeys(upstream.paid_service for upstream in self.upstreams.get(name, ())))

    def is_refusing(self, name: str) -> bool:
        """Whether no call of a source would be sent now to any of the services behind it: to its first endpoint."""
        services = {upstream.name: upstream for upstream in reversed(self.upstreams.get(name, ()))}
        states = [self._client.health(upstream).state for upstream in services.values()]
        return bool(states) and all(state in ("open", "quota_exhausted") for state in states)

    def tokens(self, name: str) -> TokenCount | None:
        """The tokens that a source has used; None if it is no language model."""
        if name != "llm" or self.language_model is None:
            return None
        tokens = self.language_model.tokens
        return TokenCount(prompt=tokens.prompt, completion=tokens.completion)

    async def aclose(self) -> None:
        """Stop the checks of keys, and close all connections."""
        await self.keys.stop()
        await self._client.aclose()


def _search_engines(client: Client, settings: Settings, clock: Clock) -> list[SearchEngine]:
    """The engines that are configured, in the order in which they are asked: without a key only as the last."""
    engines: list[SearchEngine] = []
    if settings.tavily_api_key:
        engines.append(Tavily(client, clock, url=settings.tavily_base_url, key=settings.tavily_api_key))
    if settings.brave_api_key:
        engines.append(Brave(client, clock, url=settings.brave_base_url, key=settings.brave_api_key))
    if settings.tavily_keyless == "on" and not settings.tavily_api_key:
        engines.append(Tavily(client, clock, url=settings.tavily_base_url))
    return engines


def _language_model(client: Client, settings: Settings, clock: Clock) -> LanguageModel | None:
    if not settings.llm_model:
        return None
    return LanguageModel(
        client, clock, base_url=settings.llm_base_url, model=settings.llm_model, key=settings.llm_api_key
    )


class WithinTime(msgspec.Struct, frozen=True, kw_only=True):
    """A source that has to answer within the time of its row in the registry, so that the next one has some left."""

    name: str
    source: Source

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Ask the source. Raises `SourceFailed` if it takes too long."""
        async with time_limit(SOURCES[self.name].timeout_seconds or DEFAULT_SECONDS):
            return await self.source.ask(module, subject)
