"""
The table of modules: 15 questions about a company, in 4 waves.

A new module is a row here, the Struct of its answer, and its id in the registry rows of its sources.
"""

from collections.abc import Collection, Mapping
from typing import Final

from enrichment.errors import InvalidPlan
from enrichment.modules import answers, case_study_match, displacement, icp_match, icp_score
from enrichment.modules.module import Module

SECONDS_PER_MODULE: Final = 3
"The estimate given to callers, whatever the module and its sources."

DESCRIBING_MODULES: Final = ("m01_company_context", "m02_tech_stack")
"The modules that describe a company well enough to infer whom it sells to."

FACTS: Final = (
    "m01_company_context",
    "m02_tech_stack",
    "m03_traffic",
    "m04_traffic_sources",
    "m05_competitors",
    "m06_keywords",
    "m07_financials",
    "m08_stock_info",
    "m09_analyst_ratings",
    "m10_hiring_signals",
    "m11_exec_quotes",
    "m12_trigger_events",
)
"The modules that ask outside sources; the others are derived from them."

# fmt: off
MODULES: Final[Mapping[str, Module]] = {
    module.id: module
    for module in (
        Module(
            id="m01_company_context", wave=1, ttl_days=30, timeout_seconds=30,
            asks="Who is this company: name, founding year, headquarters, size, industry?",
            answer=answers.CompanyContext,
            provider="BuiltWith", title="Company Profile",
            chain=("apollo", "clearbit", "yahoo", "public_records", "simulated"),
        ),
        Module(
            id="m02_tech_stack", wave=1, ttl_days=7, timeout_seconds=30,
            asks="Which technologies does its website use?",
            answer=answers.TechStack,
            provider="BuiltWith", title="Technology Profile",
            chain=("builtwith", "builtwith_free", "apollo", "clearbit", "fingerprints", "simulated"),
        ),
        Module(
            id="m03_traffic", wave=2, ttl_days=7, timeout_seconds=20,
            asks="How many visits does its website get, and how engaged are the visitors?",
            answer=answers.Traffic,
            provider="SimilarWeb", title="Traffic Analysis",
            chain=("similarweb", "ranks", "simulated"),
        ),
        Module(
            id="m04_traffic_sources", wave=2, ttl_days=7, timeout_seconds=20,
            asks="Which channels and countries do its visitors come from?",
            answer=answers.TrafficSources,
            provider="SimilarWeb", title="Marketing Channels",
            chain=("similarweb", "simulated"),
        ),
        Module(
            id="m05_competitors", wave=2, ttl_days=7, timeout_seconds=20,
            asks="Which websites are similar to its own?",
            answer=answers.Competitors,
            provider="SimilarWeb", title="Similar Sites",
            chain=("similarweb", "websearch", "wikidata", "simulated"),
        ),
        Module(
            id="m06_keywords", wave=2, ttl_days=7, timeout_seconds=20,
            asks="Which search keywords lead to its website?",
            answer=answers.Keywords,
            provider="SimilarWeb", title="Search Keywords",
            chain=("similarweb", "builtwith", "homepage", "simulated"),
        ),
        Module(
            id="m07_financials", wave=3, ttl_days=1, timeout_seconds=20,
            asks="What are its revenue and margins?",
            answer=answers.Financials,
            provider="Yahoo Finance", title="Financials",
            chain=("sec", "yahoo", "websearch", "apollo", "clearbit", "wikidata", "simulated"),
        ),
        Module(
            id="m08_stock_info", wave=3, ttl_days=1, timeout_seconds=20,
            asks="Is it publicly traded, and what is its market value?",
            answer=answers.StockInfo,
            provider="Yahoo Finance", title="Stock Quote",
            chain=("yahoo", "simulated"),
        ),
        Module(
            id="m09_analyst_ratings", wave=3, ttl_days=1, timeout_seconds=20,
            asks="How do analysts rate its stock?",
            answer=answers.AnalystRatings,
            provider="Yahoo Finance", title="Analyst Ratings",
            chain=("yahoo", "simulated"),
        ),
        Module(
            id="m10_hiring_signals", wave=4, ttl_days=3, timeout_seconds=30,
            asks="Which roles is it hiring for?",
            answer=answers.HiringSignals,
            provider="WebSearch", title="Job Postings",
            chain=("job_boards", "apollo", "homepage", "websearch", "simulated"),
        ),
        Module(
            id="m11_exec_quotes", wave=4, ttl_days=30, timeout_seconds=30,
            asks="What do its executives say about their priorities?",
            answer=answers.ExecQuotes,
            provider="WebSearch", title="Executive Statements",
            chain=("websearch", "sec", "homepage", "simulated"),
        ),
        Module(
            id="m12_trigger_events", wave=4, ttl_days=3, timeout_seconds=30,
            asks="Which recent events could lead it to buy?",
            answer=answers.TriggerEvents,
            provider="WebSearch", title="Business Events",
            chain=("apollo", "websearch", "yahoo", "sec", "news", "simulated"),
        ),
        Module(
            id="m13_case_study_match", wave=4, ttl_days=7, timeout_seconds=5,
            asks="Which of our case studies resemble it?",
            answer=case_study_match.CaseStudyMatch,
            provider="Internal", title="Case Studies",
            chain=("local",), needs=FACTS,
            derive=case_study_match.derive,
        ),
        Module(
            id="m14_icp_scoring", wave=4, ttl_days=1, timeout_seconds=5,
            asks="How well does it match the ideal customer profile?",
            answer=icp_score.IcpScore,
            provider="Internal", title="Fit Score",
            chain=("local",), needs=(*FACTS, "m13_case_study_match"),
            derive=icp_match.derive,
        ),
        Module(
            id="m15_displacement_angle", wave=4, ttl_days=1, timeout_seconds=30,
            asks="Which product in use there could ours replace, and what is the case for it?",
            answer=displacement.DisplacementAngle,
            provider="Internal", title="Displacement Angle",
            chain=("llm", "local"), needs=(*FACTS, "m14_icp_scoring"),
            derive=displacement.derive,
        ),
    )
}
"By id, in the order of all lists of modules."
# fmt: on

WAVES: Final[Mapping[int, tuple[Module, ...]]] = {
    wave: tuple(module for module in MODULES.values() if module.wave == wave) for wave in (1, 2, 3, 4)
}
"The modules by wave. Waves run one after the other, the modules of a wave concurrently."


def plan(modules: Collection[str] | None, waves: Collection[int] | None) -> tuple[str, ...]:
    """
    Return the ids of the modules to run, in the order of the table: those given, else all of the waves given, else all.

    Raises `InvalidPlan` for an unknown module, for a module outside the waves given, and if there is nothing to run.
    The waves have been validated to be from 1 to 4.
    """
    requested_waves = WAVES.keys() if waves is None else frozenset(waves)
    for index, module_id in enumerate(modules or ()):
        module = MODULES.get(module_id)
        pointer = f"#/modules/{index}"
        if module is None:
            known = ", ".join(MODULES)
            raise InvalidPlan(f"{module_id[:60]!r} is not a module; the modules are {known}.", pointer=pointer)
        if module.wave not in requested_waves:
            raise InvalidPlan(f"{module_id} is in wave {module.wave}, which is not requested.", pointer=pointer)
    if modules is None:
        ids = tuple(module.id for module in MODULES.values() if module.wave in requested_waves)
    else:
        ids = tuple(module_id for module_id in MODULES if module_id in modules)
    if not ids:
        raise InvalidPlan("No modules are requested.", pointer="#/waves" if modules is None else "#/modules")
    return ids
