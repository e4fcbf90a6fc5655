"""
The table of modules: 15 questions about a company, in 4 waves. A new module is a row here and a file beside it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from enrichment.errors import InvalidPlan
from enrichment.modules import (
    case_study_match,
    displacement,
    icp_score,
)
from enrichment.modules.module import Module

SECONDS_PER_MODULE: Final = 3
"What a module is estimated to take, whatever it will take."

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

# fmt: off
MODULES: Final[Mapping[str, Module]] = {
    module.id: module
    for module in (
        Module(
            id="m01_company_context", wave=1, ttl_days=30, timeout_seconds=30,
            asks="Who is this company: name, age, seat, size, industry?",
            provider="BuiltWith", title="Company Profile",
            chain=("apollo", "clearbit", "yahoo", "public_records", "simulated"),
        ),
        Module(
            id="m02_tech_stack", wave=1, ttl_days=7, timeout_seconds=30,
            asks="Which technologies does its website run on?",
            provider="BuiltWith", title="Technology Profile",
            chain=("builtwith", "builtwith_free", "apollo", "clearbit", "fingerprints", "simulated"),
        ),
        Module(
            id="m03_traffic", wave=2, ttl_days=7, timeout_seconds=20,
            asks="How many visits does it get, and how do visitors behave?",
            provider="SimilarWeb", title="Traffic Analysis",
            chain=("similarweb", "ranks", "simulated"),
        ),
        Module(
            id="m04_traffic_sources", wave=2, ttl_days=7, timeout_seconds=20,
            asks="Where do its visitors come from?",
            provider="SimilarWeb", title="Marketing Channels",
            chain=("similarweb", "simulated"),
        ),
        Module(
            id="m05_competitors", wave=2, ttl_days=7, timeout_seconds=20,
            asks="Which sites are like it?",
            provider="SimilarWeb", title="Similar Sites",
            chain=("similarweb", "websearch", "wikidata", "simulated"),
        ),
        Module(
            id="m06_keywords", wave=2, ttl_days=7, timeout_seconds=20,
            asks="Which searches lead to it?",
            provider="SimilarWeb", title="Search Keywords",
            chain=("similarweb", "builtwith", "homepage", "simulated"),
        ),
        Module(
            id="m07_financials", wave=3, ttl_days=1, timeout_seconds=20,
            asks="What does it turn over, and what is left of it?",
            provider="Yahoo Finance", title="Financials",
            chain=("sec", "yahoo", "websearch", "apollo", "clearbit", "wikidata", "simulated"),
        ),
        Module(
            id="m08_stock_info", wave=3, ttl_days=1, timeout_seconds=20,
            asks="Is it listed, and what is it worth?",
            provider="Yahoo Finance", title="Stock Quote",
            chain=("yahoo", "simulated"),
        ),
        Module(
            id="m09_analyst_ratings", wave=3, ttl_days=1, timeout_seconds=20,
            asks="What do analysts expect of it?",
            provider="Yahoo Finance", title="Analyst Ratings",
            chain=("yahoo", "simulated"),
        ),
        Module(
            id="m10_hiring_signals", wave=4, ttl_days=3, timeout_seconds=30,
            asks="Whom does it hire?",
            provider="WebSearch", title="Job Postings",
            chain=("job_boards", "apollo", "homepage", "websearch", "simulated"),
        ),
        Module(
            id="m11_exec_quotes", wave=4, ttl_days=30, timeout_seconds=30,
            asks="What do its executives say matters?",
            provider="WebSearch", title="Executive Statements",
            chain=("websearch", "homepage", "sec", "simulated"),
        ),
        Module(
            id="m12_trigger_events", wave=4, ttl_days=3, timeout_seconds=30,
            asks="What has happened there lately?",
            provider="WebSearch", title="Business Events",
            chain=("apollo", "websearch", "yahoo", "sec", "news", "simulated"),
        ),
        Module(
            id="m13_case_study_match", wave=4, ttl_days=7, timeout_seconds=5,
            asks="Which of our customers' stories fits?",
            provider="Internal", title="Case Studies",
            chain=("local",), needs=FACTS,
            derive=case_study_match.derive,
        ),
        Module(
            id="m14_icp_scoring", wave=4, ttl_days=1, timeout_seconds=5,
            asks="How well does it fit the ideal customer?",
            provider="Internal", title="Fit Score",
            chain=("local",), needs=(*FACTS, "m13_case_study_match"),
            derive=icp_score.derive,
        ),
        Module(
            id="m15_displacement_angle", wave=4, ttl_days=1, timeout_seconds=5,
            asks="Which product there could ours replace, and how to say so?",
            provider="Internal", title="Displacement Angle",
            chain=("local",), needs=(*FACTS, "m14_icp_scoring"),
            derive=displacement.derive,
        ),
    )
}
"By id, in the order in which they are told."
# fmt: on

WAVES: Final[Mapping[int, tuple[Module, ...]]] = {
    wave: tuple(module for module in MODULES.values() if module.wave == wave) for wave in (1, 2, 3, 4)
}
"What is run together, after what."


def plan(modules: Collection[str] | None, waves: Collection[int] | None) -> tuple[str, ...]:
    """
    The modules to run, in the table's order: those named, or else all of the waves named, or else all.

    Raises `InvalidPlan` for an unknown module, a module outside the waves named, and nothing at all; waves are known to
    be from 1 to 4.
    """
    wanted_waves = WAVES.keys() if waves is None else frozenset(waves)
    for index, module_id in enumerate(modules or ()):
        pointer = f"#/modules/{index}"
        if module_id not in MODULES:
            raise InvalidPlan(f"{module_id[:60]!r} is not a module; they are {', '.join(MODULES)}.", pointer=pointer)
        if MODULES[module_id].wave not in wanted_waves:
            wave = MODULES[module_id].wave
            raise InvalidPlan(f"{module_id} is in wave {wave}, which is not among the waves given.", pointer=pointer)
    wanted = frozenset(_ids_of(wanted_waves) if modules is None else modules)
    if not wanted:
        raise InvalidPlan("There is nothing to run.", pointer="#/modules" if modules is not None else "#/waves")
    return tuple(filter(wanted.__contains__, MODULES))


def _ids_of(waves: Iterable[int]) -> list[str]:
    return [module.id for wave in waves for module in WAVES[wave]]
