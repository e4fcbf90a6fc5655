"""
m14: the score for the ideal customer profile, rule by rule.
"""

from typing import Any

import msgspec
import pytest

from enrichment.errors import InsufficientInput
from enrichment.modules import icp_score
from enrichment.modules.answers import (
    CompanyContext,
    DepartmentRoles,
    ExecQuotes,
    Financials,
    HiringSignals,
    Technology,
    TechStack,
    Traffic,
    TrafficSources,
    TriggerEvent,
    TriggerEvents,
)
from enrichment.modules.case_study_match import CaseStudyMatch, Match
from enrichment.modules.evidence import Missing
from enrichment.modules.icp_score import RULES, IcpScore, RuleResult, derive
from enrichment.modules.module import Answer
from enrichment.modules.table import MODULES
from tests.subjects import all_answers, subject, with_missing


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
        events=tuple(
            TriggerEvent(type="expansion", date="2026-01-01", headline="", impact=impact) for impact in impacts
        )
    )


def matches(*scores: int, considered: int = 3, confidence: float = 1) -> CaseStudyMatch:
    found = tuple(
        Match(id="s", title="", customer="", outcome="", score=score, reasons=(), facts=()) for score in scores
    )
    return CaseStudyMatch(matches=found, considered=considered, confidence=confidence)


# Rule, module, answer, points and the beginning of the input.
# fmt: off
POINTS = [
    ("company size",         "m01", context(employees=1_000),                       12, "1,000 employees"),
    ("company size",         "m01", context(employees=999),                          9, "999 employees"),
    ("company size",         "m01", context(employees=50),                           5, "50 employees"),
    ("company size",         "m01", context(employees=0),                            1, "0 employees"),
    ("revenue",              "m07", money(revenue=10**9, currency="USD"),           12, "about 1,000,000,000 US"),
    ("revenue",              "m07", money(revenue=10**8, currency="EUR"),            9, "about 110,000,000 US"),
    ("revenue",              "m07", money(revenue=10**9, currency="JPY"),            1, "about 6,700,000 US"),
    ("growth",               "m07", money(revenue_growth_percent=10),                8, "revenue growth +10.0 %"),
    ("growth",               "m07", money(revenue_growth_percent=0.0),               4, "revenue growth +0.0 %"),
    ("growth",               "m07", money(revenue_growth_percent=-5.1),              0, "revenue growth -5.1 %"),
    ("financial health",     "m07", money(operating_margin_percent=5.0),             4, "operating margin 5.0 %"),
    ("financial health",     "m07", money(net_margin_percent=10.0),                  6, "net margin 10.0 %"),
    ("financial health",     "m07", money(net_margin_percent=-0.1),                  0, "net margin -0.1 %"),
    ("online traffic",       "m03", Traffic(monthly_visits=5_000_000),              12, "5,000,000 visits"),
    ("online traffic",       "m03", Traffic(monthly_visits=0, global_rank=1),        0, "0 visits"),
    ("online traffic",       "m03", Traffic(global_rank=4_000),                     12, "global rank 4,000, about "),
    ("online traffic",       "m03", Traffic(global_rank=1_000_000),                  5, "global rank 1,000,000, "),
    ("depth of visits",      "m03", Traffic(pages_per_visit=3.2),                    3, "3.2 pages per visit"),
    ("visitors who stay",    "m03", Traffic(bounce_rate=45.2),                       3, "54.8 %"),
    ("visitors who stay",    "m03", Traffic(bounce_rate=100.0),                      0, "0.0 %"),
    ("replaceable product",  "m02", stack("Frontend", "CMS", "Site Search"),        12, "P2 (Site Search)"),
    ("replaceable product",  "m02", stack("Content Delivery Network"),               0, "1 technologies"),
    ("commerce platform",    "m02", stack("Payments", "Ecommerce"),                  6, "P1 (Ecommerce)"),
    ("commerce platform",    "m02", stack("CMS"),                                    0, "1 technologies"),
    ("hiring",               "m10", HiringSignals(trend="steady"),                   2, "hiring trend: steady"),
    ("digital roles",        "m10", roles(Marketing=8, IT=2, Sales=90),              3, "10 open roles"),
    ("digital roles",        "m10", HiringSignals(open_roles=0),                     0, "0 open roles"),
    ("trigger events",       "m12", events("low", "medium"),                         3, "expansion (low impact), "),
    ("trigger events",       "m12", events("high", "high", "high"),                  6, "expansion (high impact), "),
    ("trigger events",       "m12", events(None),                                    0, "expansion (unknown impact)"),
    ("trigger events",       "m12", events(),                                        0, "no events found"),
    ("executive priorities", "m11", ExecQuotes(themes=("digital growth", "{0}")),    2, "1 website-related themes"),
    ("executive priorities", "m11", ExecQuotes(themes=("fuel",)),                    0, "0 website-related themes"),
    ("case studies",         "m13", matches(70, 30),                                 6, "70 of 100"),
    ("case studies",         "m13", matches(),                                       0, "0 of 100"),
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
    ("case studies",         "m13", matches(considered=0)),
]
# fmt: on


def result_of(answer: IcpScore, rule: str) -> RuleResult:
    (result,) = [result for result in answer.rules if result.rule == rule]
    return result


@pytest.mark.parametrize(("rule", "module", "answer", "points", "text"), POINTS)
def test_a_rule_returns_points_with_its_input_and_reason(
    rule: str, module: str, answer: Answer, points: int, text: str
) -> None:
    result = result_of(derive(subject(**{module: answer})), rule)

    assert [result.points, result.judged] == [points, True]
    assert (result.input or "").startswith(text)
    assert result.reason
    assert result.source.startswith(module)


@pytest.mark.parametrize(("rule", "module", "answer"), UNKNOWN)
def test_a_rule_without_data_is_not_judged_and_listed_as_missing(rule: str, module: str, answer: Answer) -> None:
    other = {"m12": events("high")}
    scored = derive(subject(**other, **{module: answer}))
    result = result_of(scored, rule)

    assert [result.points, result.input, result.judged] == [0, None, False]
    assert result.reason.startswith("Not judged. It does not report ")
    assert Missing(module=result.source, why=result.reason.removeprefix("Not judged. ")) in scored.missing
    assert len(set(scored.missing)) == len(scored.missing)
    assert result.max_points > 0


def test_a_module_without_a_finding_is_listed_once_with_the_reason() -> None:
    scored = derive(with_missing(subject(m12=events("low")), m03_traffic="It timed out."))

    assert [gap.why for gap in scored.missing if gap.module == "m03_traffic"] == ["It timed out."]
    assert [gap.why for gap in scored.missing if gap.module == "m01_company_context"] == ["No result is available."]
    assert result_of(scored, "online traffic").reason == "Not judged. It timed out."


def test_the_maximum_points_sum_to_100_and_are_never_exceeded() -> None:
    assert sum(rule.max_points for rule in RULES) == 100
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.module for rule in RULES} <= set(MODULES["m14_icp_scoring"].needs)
    for rule in RULES:
        points = [points for name, _, _, points, _ in POINTS if name == rule.name]
        assert max(points) <= rule.max_points


@pytest.mark.parametrize(
    "bands", [value for value in vars(icp_score).values() if isinstance(value, tuple) and value[-1][-1] in {0, 1}]
)
def test_bands_are_in_descending_order(bands: icp_score.Bands) -> None:
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
def test_the_tier_follows_from_the_score(employees: int, trend: Any, margin: float, tier: str) -> None:
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


def test_without_any_data_the_input_is_insufficient() -> None:
    with pytest.raises(InsufficientInput, match=r"m01_company_context: It failed\."):
        derive(with_missing(subject(m04=TrafficSources()), m01_company_context="It failed."))
    with pytest.raises(InsufficientInput, match=r"m02_tech_stack: It does not report technologies\."):
        derive(subject(m02=stack()))


@pytest.mark.parametrize(
    ("module", "answer", "coverage", "confidence"),
    [
        ("m07", money(revenue=1, currency="USD", basis="reported"), 0.12, 0.12),
        ("m07", money(revenue=1, currency="USD", basis="estimated"), 0.12, 0.06),
        ("m03", Traffic(global_rank=1), 0.12, 0.06),
        ("m12", events(), 0.06, 0.03),
        ("m13", matches(50, confidence=0.5), 0.06, 0.03),
    ],
)
def test_estimates_lower_the_confidence_but_not_the_coverage(
    module: str, answer: Answer, coverage: float, confidence: float
) -> None:
    scored = derive(subject(**{module: answer}))

    assert [scored.coverage, scored.confidence] == [coverage, confidence]


def test_an_answer_derived_from_simulated_data_is_marked_as_simulated() -> None:
    simulated = msgspec.structs.replace(matches(50), simulated=True)

    assert not derive(subject(m12=events())).simulated
    assert derive(subject(m12=events(), m13=simulated)).simulated
    assert not derive(subject(m12=events(), m04=TrafficSources(simulated=True))).simulated


def test_scores_of_simulated_companies_add_up_within_bounds() -> None:
    tiers = set()
    for number in range(200):
        scored = all_answers(f"company{number}.com")["m14_icp_scoring"]
        assert isinstance(scored, IcpScore)
        judged = [result for result in scored.rules if result.judged]
        possible_points = sum(result.max_points for result in judged)
        tiers.add(scored.tier)

        assert [result.rule for result in scored.rules] == [rule.name for rule in RULES]
        assert all(0 <= result.points <= result.max_points for result in scored.rules)
        assert all(result.points == 0 for result in scored.rules if not result.judged)
        assert scored.score == round(100 * sum(result.points for result in judged) / possible_points)
        assert scored.coverage == possible_points / 100
        assert 0 <= scored.confidence <= scored.coverage <= 1
    assert tiers >= {"A", "B", "C"}
