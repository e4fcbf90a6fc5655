"""
A made-up source: no outside call, a wait in its place, and the same answer for a domain every time.
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
from enrichment.sources.simulated.company import Profile, profile_of
from schemas import CompanyData, SourceCitation

COMPANY = CompanyData(company_size=50, industry="AI Software")

URLS = {
    "BuiltWith": "https://builtwith.com",
    "SimilarWeb": "https://similarweb.com",
    "Yahoo Finance": "https://finance.yahoo.com",
    "WebSearch": "https://tavily.com",
}
"Where the providers are that would have been asked."

SIMULATIONS: Final[Mapping[str, Callable[[Profile], Answer]]] = {
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
"The function that invents each module's answer, by module id."


class SimulatedCompanies(msgspec.Struct, frozen=True, kw_only=True):
    """A slow third party that answers `POST /enrich`, played by `clock`."""

    expected_seconds: float
    clock: Clock
    name: str = "simulated"

    async def look_up(self, domain: str) -> CompanyData:
        """Wait, then answer what every domain is answered."""
        await self.clock.sleep(self.expected_seconds)
        return COMPANY


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """Slow third parties that answer the modules."""

    seconds: float
    clock: Clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Wait, then answer with made-up facts that say so."""
        simulate = SIMULATIONS.get(module.id)
        if simulate is None:
            raise SourceFailed("This module cannot be simulated.")
        await self.clock.sleep(self.seconds)
        answer = simulate(profile_of(subject.domain))
        title = f"{module.provider} {module.title} (simulated)"
        citation = SourceCitation(url=URLS[module.provider], title=title, source="simulated", simulated=True)
        return Finding.of(
            msgspec.structs.replace(answer, simulated=True),
            source="simulated",
            fetched_at=self.clock.now(),
            citations=(citation,),
        )


class FailingOn(msgspec.Struct, frozen=True, kw_only=True):
    """A source that fails on some modules, every time, so that failing can be tried out."""

    modules: frozenset[str]
    source: Source
    seconds: float
    clock: Clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """As the source itself, but for those modules."""
        if module.id not in self.modules:
            return await self.source.ask(module, subject)
        await self.clock.sleep(self.seconds)
        raise SourceFailed("It fails because SIMULATED_FAILURES names this module.")


def simulated_sources(
    settings: Settings, case_studies: Callable[[], tuple[CaseStudy, ...]], clock: Clock
) -> dict[str, Source]:
    """By the names that the modules' chains know them by."""
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
            name: FailingOn(modules=failures, source=source, seconds=seconds, clock=clock)
            for name, source in sources.items()
        }
    return sources
