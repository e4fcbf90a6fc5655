"""
The registry: one row per source that occurs in a chain, with what is known about its vendor.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from enrichment.modules.module import Module
from enrichment.modules.table import FACTS
from enrichment.settings import Settings
from enrichment.sources.costs import Price, price_in_millionths


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """
    A source, under the name used in chains, and the ids of the modules it serves.

    The settings of a vendor begin with its prefix, as in `APOLLO_API_KEY`; `base_urls` are the defaults of those that
    end in `BASE_URL`. `opened_by` are the settings of which one makes it available, if these are not its keys alone.
    `requests_per_second` is a vendor's limit, or what it tolerates. `timeout_seconds` is shorter than the module's, so
    that time is left for the next source. `credits_per_call` are a vendor's billing units: 0 is free. None means no
    limit, or not known.
    """

    name: str
    serves: tuple[str, ...]
    settings_prefixes: tuple[str, ...] = ()
    base_urls: tuple[str, ...] = ()
    needs_key: bool = False
    opened_by: tuple[str, ...] = ()
    requests_per_second: float | None = None
    timeout_seconds: float | None = None
    credits_per_call: float | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """The services that are paid for answers of this source, by the prefixes of their settings in lower case."""
        if self.credits_per_call == 0:
            return ()
        return tuple(prefix.lower() for prefix in self.settings_prefixes if prefix.lower() in PAID_SERVICES)


PAID_SERVICES: Final[Mapping[str, float | None]] = {
    "apollo": 1.0,  # an organization, or a page of job postings or news
    "brave": None,
    "builtwith": 1.0,  # a domain
    "clearbit": None,
    "llm": None,
    "similarweb": None,  # per metric and month, or per row: it reports what it has charged
    "tavily": 1.0,  # a basic search
}
"The credits that a billed call takes, by the prefix of a vendor's settings, in lower case. None is not known."

# fmt: off
SOURCES: Final[Mapping[str, SourceSpec]] = {
    source.name: source
    for source in (
        SourceSpec(  # a free plan's limit; paid plans have 1,000 a minute for companies, 200 for job postings and news
            name="apollo", settings_prefixes=("APOLLO",), base_urls=("https://api.apollo.io/api/v1",), needs_key=True,
            serves=("m01_company_context", "m02_tech_stack", "m07_financials", "m10_hiring_signals",
                    "m12_trigger_events"),
            requests_per_second=50 / 60, timeout_seconds=10, credits_per_call=1,
        ),
        SourceSpec(  # existing keys only: no accounts since 2023; there is time for asking twice again after a 202
            name="clearbit", settings_prefixes=("CLEARBIT",), base_urls=("https://company.clearbit.com",),
            needs_key=True,
            serves=("m01_company_context", "m02_tech_stack", "m07_financials"),
            requests_per_second=10, timeout_seconds=12,
        ),
        SourceSpec(  # without a contract or published limits; often answers 429 above one request a second
            name="yahoo", settings_prefixes=("YAHOO",),
            base_urls=("https://query1.finance.yahoo.com", "https://query2.finance.yahoo.com", "https://fc.yahoo.com"),
            serves=("m01_company_context", "m07_financials", "m08_stock_info", "m09_analyst_ratings",
                    "m12_trigger_events"),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # merges homepage, Wikidata, SEC and RDAP; the limit is that of RDAP
            name="public_records", settings_prefixes=("WIKIDATA", "SEC", "RDAP"),
            base_urls=("https://www.wikidata.org", "https://data.sec.gov", "https://rdap.org"),
            serves=("m01_company_context",),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # slow for domains that it has to visit first; 10 requests a second are allowed, 8 at a time
            name="builtwith", settings_prefixes=("BUILTWITH",), base_urls=("https://api.builtwith.com",),
            needs_key=True,
            serves=("m02_tech_stack", "m06_keywords"),
            requests_per_second=8, timeout_seconds=15, credits_per_call=1,
        ),
        SourceSpec(
            name="builtwith_free", settings_prefixes=("BUILTWITH",), base_urls=("https://api.builtwith.com",),
            needs_key=True,
            serves=("m02_tech_stack",),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # the homepage's markup, and DNS over HTTPS; the limit is per host
            name="fingerprints", settings_prefixes=("DOH",), base_urls=("https://dns.google",),
            serves=("m02_tech_stack",),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # billed per metric and month, or per row; 10 requests a second are allowed to an account
            name="similarweb", settings_prefixes=("SIMILARWEB",), base_urls=("https://api.similarweb.com",),
            needs_key=True,
            serves=("m03_traffic", "m04_traffic_sources", "m05_competitors", "m06_keywords"),
            requests_per_second=8, timeout_seconds=10,
        ),
        SourceSpec(  # Tranco
            name="ranks", settings_prefixes=("TRANCO",), base_urls=("https://tranco-list.eu",),
            serves=("m03_traffic",),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # Tavily, with or without a key, then Brave; the limit is that of Tavily's development keys
            name="websearch", settings_prefixes=("TAVILY", "BRAVE"), opened_by=("TAVILY_API_KEY", "BRAVE_API_KEY"),
            base_urls=("https://api.tavily.com", "https://api.search.brave.com"),
            serves=("m05_competitors", "m07_financials", "m10_hiring_signals", "m11_exec_quotes",
                    "m12_trigger_events"),
            requests_per_second=100 / 60, timeout_seconds=12,
        ),
        SourceSpec(
            name="wikidata", settings_prefixes=("WIKIDATA",), base_urls=("https://www.wikidata.org",),
            serves=("m05_competitors", "m07_financials"),
            timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # the limit is per host
            name="homepage",
            serves=("m06_keywords", "m10_hiring_signals", "m11_exec_quotes"),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # the published limit is 10 for all processes of a client together
            name="sec", settings_prefixes=("SEC",),
            base_urls=("https://data.sec.gov", "https://www.sec.gov", "https://efts.sec.gov"),
            serves=("m07_financials", "m11_exec_quotes", "m12_trigger_events"),
            requests_per_second=8, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(
            name="job_boards", settings_prefixes=("GREENHOUSE", "LEVER", "LEVER_EU", "ASHBY"),
            base_urls=("https://boards-api.greenhouse.io", "https://api.lever.co", "https://api.eu.lever.co",
                       "https://api.ashbyhq.com"),
            serves=("m10_hiring_signals",),
            requests_per_second=1, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # GDELT; the published limit is one request per 5 seconds, but exactly that is still refused
            name="news", settings_prefixes=("GDELT",), base_urls=("https://api.gdeltproject.org",),
            serves=("m12_trigger_events",),
            requests_per_second=1 / 8, timeout_seconds=10, credits_per_call=0,
        ),
        SourceSpec(  # a server of your own may need no key; the cost depends on the model
            name="llm", settings_prefixes=("LLM",), base_urls=("https://api.openai.com/v1",), opened_by=("LLM_MODEL",),
            serves=("m15_displacement_angle",),
            requests_per_second=5, timeout_seconds=20,
        ),
        SourceSpec(name="simulated", settings_prefixes=("SIMULATED",), serves=FACTS, credits_per_call=0),
        SourceSpec(
            name="local", credits_per_call=0,
            serves=("m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"),
        ),
    )
}
"By name."
# fmt: on


def prices(settings: Settings) -> Mapping[str, Price]:
    """The prices of all services that are not free, by the prefixes of their settings in lower case."""
    amounts: dict[str, float | None] = {name: getattr(settings, f"{name}_cost_per_call") for name in PAID_SERVICES}
    return {
        name: Price(amount=None if amount is None else price_in_millionths(amount), credits=PAID_SERVICES[name])
        for name, amount in amounts.items()
    }


def opening_settings(spec: SourceSpec) -> tuple[str, ...]:
    """The settings of which one makes a source available."""
    keys = tuple(f"{prefix}_API_KEY" for prefix in spec.settings_prefixes) if spec.needs_key else ()
    return spec.opened_by or keys


def check_chains(modules: Iterable[Module], sources: Iterable[SourceSpec]) -> None:
    """Raise `ValueError` unless each source is in the chains of exactly those modules that it serves."""
    chained = {(module.id, name) for module in modules for name in module.chain}
    served = {(module_id, source.name) for source in sources for module_id in source.serves}
    faults = [
        f"{module_id} has {name!r} in its chain, but no such source serves it" for module_id, name in chained - served
    ]
    faults += [f"{name!r} serves {module_id}, but is not in its chain" for module_id, name in served - chained]
    if faults:
        raise ValueError("; ".join(sorted(faults)))
