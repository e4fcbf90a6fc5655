"""
How a company is scored, rule by rule.
"""

from typing import Any

import msgspec
import pytest

from enrichment.errors import InsufficientInput
from enrichment.modules import icp_score as m14_icp_scoring
from enrichment.modules.answers import (
    CompanyContext,
    DepartmentRoles,
    Event,
    ExecQuotes,
    Financials,
    HiringSignals,
    Technology,
    TechStack,
    Traffic,
    TrafficSources,
    TriggerEvents,
)
from enrichment.modules.case_studies import load_case_studies
from enrichment.modules.case_study_match import CaseStudyMatch, Match, Missing
from enrichment.modules.icp_score import RULES, IcpScore, Judgement, derive
from enrichment.modules.module import Answer, Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.simulated.company import profile_of
from enrichment.sources.simulated.source import SIMULATIONS


def subject(missing: dict[str, str] | None = None, /, **answers: Answer) -> Subject:
    known = {
        module_id: Finding.of(answer, source="test", fetched_at=0)
        for module_id in MODULES
        for name, answer in answers.items()
        if module_id.startswith(name)
    }
    return Subject(domain="acme.com", known=known, missing=missing or {})


def context(**values: Any) -> CompanyContext:
    return CompanyContext(company_name="Acme", **values)


def stack(*categories: str) -> TechStack:
    return TechStack(technologies=tuple(Technology(name=f"P{i}", category=name) for i, name in enumerate(categories)))


def money(**values: Any) -> Financials:
    return Financials(is_public=True, **values)


def roles(**counts: int) -> HiringSignals:
    departments = tuple(DepartmentRoles(department=name, open_roles=count) for name, count in counts.items())
    return HiringSignals(roles_by_department=departments)


def events(*impacts: Any) -> TriggerEvents:
    return TriggerEvents(
        events=tuple(Event(type="expansion", date="2026-01-01", headline="", impact=impact) for impact in impacts)
    )


def stories(*scores: int, considered: int = 3, confidence: float = 1) -> CaseStudyMatch:
    matches = tuple(
        Match(id="s", title="", customer="", outcome="", score=score, reasons=(), facts=()) for score in scores
    )
    return CaseStudyMatch(matches=matches, considered=considered, confidence=confidence)


# The points for an answer, and how the text of what was looked at begins.
# fmt: off
POINTS = [
    ("company size",         "m01", context(employees=1_000),                       12, "1,000 employees"),
    ("company size",         "m01", context(employees=999),                          9, "999 employees"),
    ("company size",         "m01", context(employees=50),                           5, "50 employees"),
    ("company size",         "m01", context(employees=0),                            1, "0 employees"),
    ("revenue",              "m07", money(revenue=10**9, currency="USD"),           12, "about 1,000,000,000 US"),
    ("revenue",              "m07", money(revenue=10**8, currency="EUR"),            9, "about 110,000,000 US"),
    ("revenue",              "m07", money(revenue=10**9, currency="JPY"),            1, "about 6,700,000 US"),
    ("growth",               "m07", money(revenue_growth_percent=10),                8, "revenue +10.0 % a year"),
    ("growth",               "m07", money(revenue_growth_percent=0.0),               4, "revenue +0.0 % a year"),
    ("growth",               "m07", money(revenue_growth_percent=-5.1),              0, "revenue -5.1 % a year"),
    ("financial health",     "m07", money(operating_margin_percent=5.0),             4, "operating margin 5.0 %"),
    ("financial health",     "m07", money(net_margin_percent=10.0),                  6, "net margin 10.0 %"),
    ("financial health",     "m07", money(net_margin_percent=-0.1),                  0, "net margin -0.1 %"),
    ("online traffic",       "m03", Traffic(monthly_visits=5_000_000),              12, "5,000,000 visits"),
    ("online traffic",       "m03", Traffic(monthly_visits=0, global_rank=1),        0, "0 visits"),
    ("online traffic",       "m03", Traffic(global_rank=4_000),                     12, "rank 4,000, so about "),
    ("online traffic",       "m03", Traffic(global_rank=1_000_000),                  5, "rank 1,000,000, "),
    ("depth of visits",      "m03", Traffic(pages_per_visit=3.2),                    3, "3.2 pages per visit"),
    ("visitors who stay",    "m03", Traffic(bounce_rate=45.2),                       3, "54.8 %"),
    ("visitors who stay",    "m03", Traffic(bounce_rate=100.0),                      0, "0.0 %"),
    ("replaceable product",  "m02", stack("Frontend", "CMS", "Site Search"),        12, "P2 (Site Search)"),
    ("replaceable product",  "m02", stack("Content Delivery Network"),               0, "1 technologies"),
    ("commerce platform",    "m02", stack("Payments", "Ecommerce"),                  6, "P1 (Ecommerce)"),
    ("commerce platform",    "m02", stack("CMS"),                                    0, "1 technologies"),
    ("hiring",               "m10", HiringSignals(trend="steady"),                   2, "steady"),
    ("digital roles",        "m10", roles(Marketing=8, IT=2, Sales=90),              3, "10 open roles"),
    ("digital roles",        "m10", HiringSignals(open_roles=0),                     0, "0 open roles"),
    ("trigger events",       "m12", events("low", "medium"),                         3, "expansion (low), "),
    ("trigger events",       "m12", events("high", "high", "high"),                  6, "expansion (high), "),
    ("trigger events",       "m12", events(None),                                    0, "expansion (None)"),
    ("trigger events",       "m12", events(),                                        0, "no events found"),
    ("executive priorities", "m11", ExecQuotes(themes=("digital growth", "{0}")),    2, "1 of the topics digital"),
    ("executive priorities", "m11", ExecQuotes(themes=("fuel",)),                    0, "0 of the topics fuel"),
    ("case studies",         "m13", stories(70, 30),                                 6, "70 points of 100"),
    ("case studies",         "m13", stories(),                                       0, "0 points of 100"),
]

UNKNOWN = [
    ("company size",         "m01", context()),
    ("revenue",              "m07", money()),
    ("revenue",              "m07", money(revenue=1)),
    ("revenue",              "m07", money(currency="USD")),
    ("revenue",              "m07", money(revenue=1, currency="XAU")),
    ("growth",               "m07", money()),
    ("financial health",     "m07", money()),
    ("online traffic",       "m03", Traffic()),
    ("depth of visits",      "m03", Traffic()),
    ("visitors who stay",    "m03", Traffic()),
    ("replaceable product",  "m02", stack()),
    ("commerce platform",    "m02", stack()),
    ("hiring",               "m10", HiringSignals()),
    ("digital roles",        "m10", HiringSignals()),
    ("digital roles",        "m10", HiringSignals(open_roles=5)),
    ("executive priorities", "m11", ExecQuotes()),
    ("case studies",         "m13", stories(considered=0)),
]
# fmt: on


def judgement(answer: IcpScore, rule: str) -> Judgement:
    (found,) = [row for row in answer.rules if row.rule == rule]
    return found


@pytest.mark.parametrize(("rule", "module", "answer", "points", "told"), POINTS)
def test_a_rule_gives_points_and_tells_for_what(rule: str, module: str, answer: Answer, points: int, told: str) -> None:
    found = judgement(derive(subject(**{module: answer})), rule)

    assert [found.points, found.judged] == [points, True]
    assert (found.input or "").startswith(told)
    assert found.reason
    assert found.source.startswith(module)


@pytest.mark.parametrize(("rule", "module", "answer"), UNKNOWN)
def test_what_is_not_known_is_not_judged_and_listed(rule: str, module: str, answer: Answer) -> None:
    other = {"m12": events("high")}
    scored = derive(subject(**other, **{module: answer}))
    found = judgement(scored, rule)

    assert [found.points, found.input, found.judged] == [0, None, False]
    assert found.reason.startswith("Not judged. It does not tell ")
    assert Missing(module=found.source, why=found.reason.removeprefix("Not judged. ")) in scored.missing
    assert len(set(scored.missing)) == len(scored.missing)
    assert found.max_points > 0


def test_a_module_that_found_nothing_is_listed_once_with_the_reason() -> None:
    scored = derive(subject({"m03_traffic": "It timed out."}, m12=events("low")))

    assert [gap.why for gap in scored.missing if gap.module == "m03_traffic"] == ["It timed out."]
    assert [gap.why for gap in scored.missing if gap.module == "m01_company_context"] == ["It is not known."]
    assert judgement(scored, "online traffic").reason == "Not judged. It timed out."


def test_the_rules_have_a_hundred_points_and_no_band_gives_more() -> None:
    assert sum(rule.max_points for rule in RULES) == 100
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.module for rule in RULES} <= set(MODULES["m14_icp_scoring"].needs)
    for rule in RULES:
        points = [points for name, _, _, points, _ in POINTS if name == rule.name]
        assert max(points) <= rule.max_points


@pytest.mark.parametrize(
    "bands", [value for value in vars(m14_icp_scoring).values() if isinstance(value, tuple) and value[-1][-1] in {0, 1}]
)
def test_bands_fall(bands: m14_icp_scoring.Bands) -> None:
    assert list(bands) == sorted(bands, reverse=True)
    assert len({points for _, points in bands}) == len(bands)


def test_the_score_is_out_of_what_could_be_judged() -> None:
    scored = derive(subject(m01=context(employees=300), m12=events("high")))

    assert [scored.score, scored.coverage, scored.tier] == [round(100 * (9 + 3) / (12 + 6)), 0.18, "unrated"]
    assert scored.confidence == 0.18


@pytest.mark.parametrize(
    ("employees", "trend", "margin", "tier"),
    [(5_000, "growing", 12.0, "A"), (300, "growing", 12.0, "A"), (80, "steady", 5.0, "B"), (1, "slowing", -2.0, "C")],
)
def test_tiers(employees: int, trend: Any, margin: float, tier: str) -> None:
    scored = derive(
        subject(
            m01=context(employees=employees),
            m02=stack("Search", "Ecommerce"),
            m07=money(operating_margin_percent=margin),
            m10=HiringSignals(trend=trend),
        )
    )

    assert [scored.coverage, scored.tier] == [0.4, tier]


def test_the_lowest_tier() -> None:
    scored = derive(subject(m01=context(employees=1), m02=stack("CDN"), m03=Traffic(monthly_visits=9), m12=events()))

    assert [scored.score, scored.tier, scored.coverage] == [2, "D", 0.48]


def test_nothing_known_is_nothing_to_say() -> None:
    with pytest.raises(InsufficientInput, match=r"m01_company_context: It broke\."):
        derive(subject({"m01_company_context": "It broke."}, m04=TrafficSources()))
    with pytest.raises(InsufficientInput, match=r"m02_tech_stack: It does not tell any technology\."):
        derive(subject(m02=stack()))


@pytest.mark.parametrize(
    ("module", "answer", "coverage", "confidence"),
    [
        ("m07", money(revenue=1, currency="USD", basis="reported"), 0.12, 0.12),
        ("m07", money(revenue=1, currency="USD", basis="estimated"), 0.12, 0.06),
        ("m03", Traffic(global_rank=1), 0.12, 0.06),
        ("m12", events(), 0.06, 0.03),
        ("m13", stories(50, confidence=0.5), 0.06, 0.03),
    ],
)
def test_what_was_estimated_counts_less_for_confidence(
    module: str, answer: Answer, coverage: float, confidence: float
) -> None:
    scored = derive(subject(**{module: answer}))

    assert [scored.coverage, scored.confidence] == [coverage, confidence]


def test_what_is_derived_from_invented_facts_is_invented() -> None:
    invented = msgspec.structs.replace(stories(50), simulated=True)

    assert not derive(subject(m12=events())).simulated
    assert derive(subject(m12=events(), m13=invented)).simulated
    assert not derive(subject(m12=events(), m04=TrafficSources(simulated=True))).simulated


def test_for_any_company_the_numbers_are_within_their_bounds_and_add_up() -> None:
    studies = load_case_studies()
    tiers = set()
    for number in range(200):
        profile = profile_of(f"company{number}.com")
        answers = {module_id: simulate(profile) for module_id, simulate in SIMULATIONS.items()}
        derive_match = MODULES["m13_case_study_match"].derive
        assert derive_match
        match = derive_match(msgspec.structs.replace(subject(**answers), case_studies=studies))
        scored = derive(subject(**answers, m13=match))
        judged = [rule for rule in scored.rules if rule.judged]
        tiers.add(scored.tier)

        assert [rule.rule for rule in scored.rules] == [rule.name for rule in RULES]
        assert all(0 <= rule.points <= rule.max_points for rule in scored.rules)
        assert all(rule.points == 0 for rule in scored.rules if not rule.judged)
        possible = sum(rule.max_points for rule in judged)
        assert scored.score == round(100 * sum(rule.points for rule in judged) / possible)
        assert scored.coverage == possible / 100
        assert 0 <= scored.confidence <= scored.coverage <= 1
        assert scored == derive(subject(**answers, m13=match))
    assert tiers >= {"A", "B", "C"}
