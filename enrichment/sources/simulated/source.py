"""
The simulated sources: a delay in place of an outside call, and deterministic answers.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SettingsError, SourceFailed
from enrichment.modules.module import Answer, CaseStudy, Finding, Module, Subject
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.sources import Source
from enrichment.sources.local import Local
from enrichment.sources.simulated import (
    m01_company_context,
    m02_tech_stack,
    m03_traffic,
    m04_traffic_sources,
    m05_competitors,
    m06_keywords,
    m07_financials,
    m08_stock_info,
    m09_analyst_ratings,
    m10_hiring_signals,
    m11_exec_quotes,
    m12_trigger_events,
)
from enrichment.sources.simulated.company import Company, company_of
from schemas import CompanyData, Method, SourceCitation

COMPANY: Final = CompanyData(company_size=50, industry="AI Software")

PROVIDER_URLS: Final = {
    "BuiltWith": "https://builtwith.com",
    "SimilarWeb": "https://similarweb.com",
    "Yahoo Finance": "https://finance.yahoo.com",
    "WebSearch": "https://tavily.com",
}
"The URLs in citations."

SIMULATIONS: Final[Mapping[str, Callable[[Company], Answer]]] = {
    "m01_company_context": m01_company_context.simulate,
    "m02_tech_stack": m02_tech_stack.simulate,
    "m03_traffic": m03_traffic.simulate,
    "m04_traffic_sources": m04_traffic_sources.simulate,
    "m05_competitors": m05_competitors.simulate,
    "m06_keywords": m06_keywords.simulate,
    "m07_financials": m07_financials.simulate,
    "m08_stock_info": m08_stock_info.simulate,
    "m09_analyst_ratings": m09_analyst_ratings.simulate,
    "m10_hiring_signals": m10_hiring_signals.simulate,
    "m11_exec_quotes": m11_exec_quotes.simulate,
    "m12_trigger_events": m12_trigger_events.simulate,
}
"By module id."


class SimulatedCompanies(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated source for `POST /enrich`, with the same answer for every domain."""

    expected_seconds: float
    clock: Clock
    name: str = "simulated"

    async def look_up(self, domain: str) -> CompanyData:
        """Wait, then return the answer."""
        await self.clock.sleep(self.expected_seconds)
        return COMPANY


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated source for modules."""

    seconds: float
    clock: Clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Wait, then return an answer that is marked as simulated."""
        simulate = SIMULATIONS.get(module.id)
        if simulate is None:
            raise SourceFailed("This module cannot be simulated.")
        await self.clock.sleep(self.seconds)
        answer = simulate(company_of(subject.domain))
        title = f"{module.provider} {module.title} (simulated)"
        citation = SourceCitation(url=PROVIDER_URLS[module.provider], title=title, source="simulated", simulated=True)
        return Finding.of(
            msgspec.structs.replace(answer, simulated=True),
            source="simulated",
            method=Method.SIMULATED,
            fetched_at=self.clock.now(),
            citations=(citation,),
        )


class FaultInjector(msgspec.Struct, frozen=True, kw_only=True):
    """Wraps a source, and fails for the given modules, to try out failures."""

    modules: frozenset[str]
    source: Source
    seconds: float
    clock: Clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Wait and fail for one of the modules; otherwise ask the source."""
        if module.id in self.modules:
            await self.clock.sleep(self.seconds)
            raise SourceFailed("This module is listed in SIMULATED_FAILURES.")
        return await self.source.ask(module, subject)


def simulated_sources(
    settings: Settings, case_studies: Callable[[], tuple[CaseStudy, ...]], clock: Clock
) -> dict[str, Source]:
    """
    Return the sources for `SOURCES=simulated`, by their names in the registry.

    Raises `SettingsError` if SIMULATED_FAILURES lists an unknown module.
    """
    if unknown := set(settings.simulated_failures) - MODULES.keys():
        raise SettingsError(
            [f"SIMULATED_FAILURES cannot be {', '.join(sorted(unknown))}; the modules are {', '.join(MODULES)}."]
        )
    seconds, failures = settings.simulated_module_seconds, frozenset(settings.simulated_failures)
    sources: dict[str, Source] = {
        "simulated": Simulated(seconds=seconds, clock=clock),
        "local": Local(case_studies=case_studies, clock=clock),
    }
    if failures:
        return {
            name: FaultInjector(modules=failures, source=source, seconds=seconds, clock=clock)
            for name, source in sources.items()
        }
    return sources
