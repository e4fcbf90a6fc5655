"""
m14 with a profile: each condition met, not met or unknown, and the score, tier and verdict that follow.
"""

import itertools
from typing import Any

import msgspec
import pytest

from enrichment.modules.answers import (
    CompanyContext,
    DepartmentRoles,
    Financials,
    HiringSignals,
    StockInfo,
    Technology,
    TechStack,
    Traffic,
    TriggerEvent,
    TriggerEvents,
)
from enrichment.modules.icp_match import CHECKS, derive
from enrichment.modules.icp_score import ConditionVerdict, Fit, IcpScore
from enrichment.modules.module import Answer, Finding, Subject
from enrichment.modules.table import FACTS, MODULES
from schemas import Condition, Measure, Method
from tests.conftest import ROOT
from tests.profiles_of_leads import condition, profile
from tests.subjects import subject, with_missing

DAY = 86_400
M = Measure


def context(**values: Any) -> CompanyContext:
    return CompanyContext(company_name="Acme", **values)


def stack(**products: str) -> TechStack:
    """Products by category; `_` in names stands for a space."""
    return TechStack(
        technologies=tuple(Technology(name=name.replace("_", " "), category=kind) for name, kind in products.items())
    )


def events(*rows: tuple[Any, str, str]) -> TriggerEvents:
    return TriggerEvents(events=tuple(TriggerEvent(type=kind, date=day, headline=text) for kind, day, text in rows))


def roles(total: int | None, **departments: int) -> HiringSignals:
    rows = tuple(DepartmentRoles(department=name, open_roles=count) for name, count in departments.items())
    return HiringSignals(open_roles=total, roles_by_department=rows)


def judged(conditions: list[Condition], **answers: Answer) -> IcpScore:
    return derive(msgspec.structs.replace(subject(**answers), profile=profile(*conditions), now=2 * DAY))


def verdict(wanted: Condition, **answers: Answer) -> ConditionVerdict:
    score = judged([wanted], **answers)
    assert score.conditions
    (only,) = score.conditions
    return only


def states(score: IcpScore) -> list[str]:
    return [each.state for each in score.conditions or ()]


# The table


@pytest.mark.parametrize("measure", CHECKS)
def test_every_field_that_is_judged_is_one_of_an_answer_that_m14_reads(measure: Measure) -> None:
    for check in CHECKS[measure]:
        assert MODULES[check.module].answer is check.shape
        assert check.field in check.shape.__struct_fields__
        assert check.module in FACTS


def test_measures_without_a_field_are_unknown_and_say_so() -> None:
    for measure in set(Measure) - CHECKS.keys():
        only = verdict(condition(measure, 3), m01=context(employees=3))

        assert (only.state, only.module, only.field, only.run) == ("unknown", None, None, ())
        assert only.reason.startswith("No module of this service tells about ")


# Comparisons

NAICS = ("5132", "5182")
SOFTWARE = condition(M.INDUSTRY, "software", label="Software", codes=NAICS)
GERMANY = condition(M.HEADQUARTERS, "de", label="Germany", codes=("DE",), kind="country")
TEXAS = condition(M.HEADQUARTERS, "US-TX", label="Texas", codes=("US-TX",), kind="subdivision")
AUSTIN = condition(M.HEADQUARTERS, "austin", label="Austin, Texas", place="US-TX", kind="city")
MUNICH = condition(M.HEADQUARTERS, "munich", label="Munich", place="DE", kind="city")
BAVARIA = condition(M.HEADQUARTERS, "DE-BY", label="Bavaria", codes=("DE-BY",), kind="subdivision")
OFFICE = condition(M.OFFICE, "de", label="Germany", codes=("DE",), kind="country")
OFFICE_IN_MUNICH = condition(M.OFFICE, "munich", label="Munich", place="DE-BY", kind="city")
BAY_AREA = condition(M.HEADQUARTERS, "bay_area", label="San Francisco Bay Area", place="US-CA", kind="city")
IN_GERMANY = context(country="Germany", hq="München, Germany")
IN_TEXAS = context(country="United States", hq="Austin, TX")
SHOPIFY = condition(M.TECHNOLOGY, "Shopify")
NO_SHOPIFY = condition(M.TECHNOLOGY, "Shopify", "must_not")
CRM = condition(M.TECHNOLOGY_CATEGORY, "crm", label="CRM", codes=("Pipedrive", "Zoho CRM"))
OVER_10M = condition(M.REVENUE, 10_000_000, operator="gte", currency="USD", label="$10M or more")
UP_TO_10M = condition(M.REVENUE, 10_000_000, operator="lte", currency="EUR", label="up to EUR 10M")
PUBLIC = condition(M.OWNERSHIP, "public")
PRIVATE = condition(M.OWNERSHIP, "private")
FAMILY = condition(M.OWNERSHIP, "family_owned")
SERIES_B = condition(M.FUNDING_STAGE, "series_b", operator="gte", codes=("series_b", "series_c"))
LISTED_STAGE = condition(M.FUNDING_STAGE, "public")
RAISED_5M = condition(M.FUNDING_RAISED, 5_000_000, operator="gte", currency="USD")
RAISED_UP_TO_5M = condition(M.FUNDING_RAISED, 5_000_000, operator="lte", currency="USD")
ROUND_5M = condition(M.LAST_ROUND, 5_000_000, operator="gte", currency="USD", within_days=365)
ROUND = condition(M.LAST_ROUND)
HIRING = condition(M.HIRING)
TEN_ROLES = condition(M.HIRING, 10, operator="gte")
ENGINEERS = condition(M.HIRING, department="engineering")
NURSES = condition(M.HIRING, department="clinical")
HEAD_OF_SECURITY = condition(M.HIRING, department="engineering", role="Head of Security", seniority="head")
SDRS = condition(M.HIRING, department="sales", role="SDR", seniority="individual")
SOME_ENGINEERS = condition(M.HIRING, department="engineering", role="Engineer", seniority="individual")
NEW_CFO = condition(M.LEADERSHIP_CHANGE, role="CFO", within_days=90)
NEW_VP_SALES = condition(M.LEADERSHIP_CHANGE, role="VP of Sales")
EXPANSION_FRANCE = condition(M.EXPANSION, place="france")
LAYOFFS = condition(M.LAYOFFS)
IPO = condition(M.IPO)
SERIES_B_ROUND = events(("funding", "1970-01-01", "Acme raises $12M Series B"), ("funding", "1969-01-01", "A round"))
DECEMBER = events(("leadership_change", "1969-12-20", "Acme appoints Jane Doe as Chief Financial Officer"))
APRIL = events(("leadership_change", "1969-04-01", "Acme appoints new CFO"))


@pytest.mark.parametrize(
    ("wanted", "answers", "state", "found"),
    [
        (condition(M.HEADCOUNT, (50, 200)), {"m01": context(employees=50)}, "met", "50 employees"),
        (condition(M.HEADCOUNT, (50, 200)), {"m01": context(employees=201)}, "not_met", "201 employees"),
        (condition(M.HEADCOUNT, (50, None)), {"m01": context(employees=1_201)}, "met", "1,201 employees"),
        (condition(M.HEADCOUNT, (None, 50)), {"m01": context(employees=51)}, "not_met", "51 employees"),
        (condition(M.HEADCOUNT, 50), {"m01": context(employees=50)}, "met", "50 employees"),
        (condition(M.HEADCOUNT, 50, operator="lte"), {"m01": context()}, "unknown", None),
        (condition(M.HEADCOUNT, "mid-size"), {"m01": context(employees=50)}, "unknown", None),
        (condition(M.FOUNDED, 2015, operator="gte"), {"m01": context(founded=2014)}, "not_met", "founded in 2014"),
        (condition(M.TRAFFIC), {"m03": Traffic(monthly_visits=7)}, "met", "7 visits a month"),
        (condition(M.RANK, 1_000, operator="lte"), {"m03": Traffic(global_rank=999)}, "met", "global rank 999"),
        (SOFTWARE, {"m01": context(naics_code="513210", industry="Apps")}, "met", "Apps (NAICS 513210)"),
        (SOFTWARE, {"m01": context(naics_code="518")}, "unknown", None),
        (SOFTWARE, {"m01": context(naics_code="518", industry="Hosting")}, "unknown", "Hosting"),
        (SOFTWARE, {"m01": context(naics_code="722513")}, "not_met", "NAICS 722513"),
        (SOFTWARE, {"m01": context(naics_code="722513", industry="Software")}, "met", "Software"),
        (SOFTWARE, {"m01": context(industry="Computer software")}, "met", "Computer software"),
        (condition(M.INDUSTRY, "x"), {"m01": context(naics_code="722513")}, "unknown", None),
        (condition(M.INDUSTRY, "m", codes=("31",)), {"m01": context(naics_code="336110")}, "unknown", None),
        (GERMANY, {"m01": IN_GERMANY}, "met", "Germany"),
        (GERMANY, {"m01": IN_TEXAS}, "not_met", "United States"),
        (GERMANY, {"m01": context(country="Ruritania")}, "unknown", None),
        (GERMANY, {"m01": context(hq="Berlin")}, "unknown", "Berlin"),
        (TEXAS, {"m01": IN_TEXAS}, "met", "Austin, TX"),
        (TEXAS, {"m01": context(country="United States", hq="Reno, NV")}, "not_met", "Reno, NV"),
        (TEXAS, {"m01": IN_GERMANY}, "not_met", "Germany"),
        (AUSTIN, {"m01": IN_TEXAS}, "met", "Austin, TX"),
        (AUSTIN, {"m01": context(country="United States", hq="Austin, MN")}, "not_met", "Austin, MN"),
        (AUSTIN, {"m01": context(country="United States", hq="Austin")}, "met", "Austin"),
        (MUNICH, {"m01": IN_GERMANY}, "met", "München, Germany"),
        (MUNICH, {"m01": context(country="Germany", hq="Köln, Germany")}, "not_met", "Köln, Germany"),
        (BAVARIA, {"m01": IN_GERMANY}, "unknown", "München, Germany"),
        (OFFICE, {"m01": IN_GERMANY}, "met", "Germany"),
        (OFFICE, {"m01": IN_TEXAS}, "unknown", "seat in United States"),
        (OFFICE_IN_MUNICH, {"m01": IN_GERMANY}, "met", "München, Germany"),
        (OFFICE_IN_MUNICH, {"m01": context(country="Germany", hq="Köln, Germany")}, "unknown", "seat in Köln, Germany"),
        (BAY_AREA, {"m01": context(country="United States", hq="San Jose, CA")}, "unknown", "San Jose, CA"),
        (BAY_AREA, {"m01": IN_TEXAS}, "not_met", "Austin, TX"),
        (BAY_AREA, {"m01": IN_GERMANY}, "not_met", "Germany"),
        (
            OVER_10M,
            {"m07": Financials(is_public=True, revenue=10_000_000, currency="USD")},
            "met",
            "10,000,000 USD a year",
        ),
        (
            OVER_10M,
            {"m07": Financials(is_public=False, revenue=9, currency="USD", basis="estimated")},
            "not_met",
            "9 USD a year, estimated",
        ),
        (OVER_10M, {"m07": Financials(is_public=True, revenue=9, currency="EUR")}, "unknown", "9 EUR a year"),
        (
            OVER_10M,
            {"m07": Financials(is_public=True, revenue=9)},
            "unknown",
            "9 of an unknown currency a year",
        ),
        (
            OVER_10M,
            {"m07": Financials(is_public=False, revenue=8_000_000, currency="USD", basis="estimated")},
            "unknown",
            "8,000,000 USD a year, estimated",
        ),
        (OVER_10M, {"m01": context(revenue_range="$10M-$50M")}, "met", "$10M-$50M a year"),
        (OVER_10M, {"m01": context(revenue_range="$10B+")}, "met", "$10B+ a year"),
        (OVER_10M, {"m01": context(revenue_range="$1M-$10M")}, "not_met", "$1M-$10M a year"),
        (OVER_10M, {"m01": context(revenue_range="much")}, "unknown", None),
        (UP_TO_10M, {"m01": context(revenue_range="$1M-$10M")}, "unknown", "$1M-$10M a year"),
        (condition(M.REVENUE, (None, 5)), {"m01": context(revenue_range="$10B+")}, "not_met", "$10B+ a year"),
        (
            condition(M.REVENUE, (5_000_000, None)),
            {"m01": context(revenue_range="$1M-$10M")},
            "unknown",
            "$1M-$10M a year",
        ),
        (condition(M.REVENUE), {"m07": Financials(is_public=True, revenue=9)}, "unknown", None),
        (PUBLIC, {"m01": context(company_type="public")}, "met", "its shares are listed"),
        (PUBLIC, {"m08": StockInfo(is_listed=False)}, "not_met", "its shares are not listed"),
        (PRIVATE, {"m08": StockInfo(is_listed=False)}, "met", "its shares are not listed"),
        (FAMILY, {"m01": context(company_type="private")}, "unknown", None),
        (SERIES_B, {"m12": SERIES_B_ROUND}, "met", "1970-01-01: Acme raises $12M Series B"),
        (
            SERIES_B,
            {"m12": events(("funding", "1970-01-01", "Acme closes pre-seed"))},
            "not_met",
            "1970-01-01: Acme closes pre-seed",
        ),
        (
            SERIES_B,
            {"m12": events(("funding", "1970-01-01", "Acme closes a preseed"))},
            "not_met",
            "1970-01-01: Acme closes a preseed",
        ),
        (SERIES_B, {"m12": events(("funding", "1970-01-01", "Acme raises"))}, "unknown", None),
        (LISTED_STAGE, {"m01": context(company_type="public")}, "met", "its shares are listed"),
        (RAISED_5M, {"m12": SERIES_B_ROUND}, "met", "1970-01-01: Acme raises $12M Series B"),
        (RAISED_UP_TO_5M, {"m12": SERIES_B_ROUND}, "not_met", "1970-01-01: Acme raises $12M Series B"),
        (RAISED_5M, {"m12": events(("funding", "1970-01-01", "Acme raises €12M"))}, "unknown", None),
        (RAISED_5M, {"m12": events(("funding", "1970-01-01", "Acme raises $2M"))}, "unknown", None),
        (RAISED_5M, {"m12": events(("earnings", "1970-01-01", "Acme earns $12M"))}, "unknown", None),
        (ROUND_5M, {"m12": SERIES_B_ROUND}, "met", "1970-01-01: Acme raises $12M Series B"),
        (
            ROUND_5M,
            {"m12": events(("funding", "1970-01-01", "Acme raises $2 million"))},
            "not_met",
            "1970-01-01: Acme raises $2 million",
        ),
        (
            ROUND_5M,
            {"m12": events(("funding", "1970-01-01", "Acme raises £9m"))},
            "unknown",
            "1970-01-01: Acme raises £9m",
        ),
        (ROUND_5M, {"m12": events(("funding", "1970-01-01", "Acme raises"))}, "unknown", "1970-01-01: Acme raises"),
        (ROUND_5M, {"m12": events()}, "unknown", "none among 0 events of the past year"),
        (ROUND, {"m12": events(("funding", "1968-01-01", "Acme raises"))}, "met", "1968-01-01: Acme raises"),
        (
            condition(M.GROWTH, 20, operator="gte", target="revenue"),
            {"m07": Financials(is_public=True, revenue_growth_percent=21.5)},
            "met",
            "revenue +21.5 % a year",
        ),
        (
            condition(M.GROWTH),
            {"m07": Financials(is_public=True, revenue_growth_percent=-1)},
            "not_met",
            "revenue -1 % a year",
        ),
        (
            condition(M.GROWTH, target="traffic"),
            {"m03": Traffic(month_over_month_growth_percent=3)},
            "met",
            "traffic +3 % a month",
        ),
        (
            condition(M.GROWTH, 20, operator="gte", target="traffic"),
            {"m03": Traffic(month_over_month_growth_percent=3)},
            "unknown",
            "traffic +3 % a month",
        ),
        (condition(M.GROWTH, target="headcount"), {"m03": Traffic(month_over_month_growth_percent=3)}, "unknown", None),
        (SHOPIFY, {"m02": stack(React="Frontend", Shopify_Plus="Ecommerce")}, "met", "Shopify Plus (Ecommerce)"),
        (SHOPIFY, {"m02": stack(WooCommerce="Ecommerce")}, "not_met", "WooCommerce (Ecommerce) instead"),
        (SHOPIFY, {"m02": stack(React="Frontend", Solr="Search")}, "unknown", "not among 2 detected: React, Solr"),
        (
            SHOPIFY,
            {"m02": stack(**{f"P{i}": "X" for i in range(6)})},
            "unknown",
            "not among 6 detected: P0, P1, P2, P3, P4, …",
        ),
        (SHOPIFY, {"m02": stack()}, "unknown", None),
        (SHOPIFY, {"m10": HiringSignals(technologies_mentioned=("shopify",))}, "met", "job postings mention shopify"),
        (SHOPIFY, {"m10": HiringSignals(technologies_mentioned=("React",))}, "unknown", None),
        (
            NO_SHOPIFY,
            {"m10": HiringSignals(technologies_mentioned=("Shopify",))},
            "unknown",
            "job postings mention Shopify",
        ),
        (
            condition(M.TECHNOLOGY, "Salesforce"),
            {"m02": stack(Salesforce_Commerce_Cloud="Ecommerce")},
            "unknown",
            "not among 1 detected: Salesforce Commerce Cloud",
        ),
        (condition(M.TECHNOLOGY, "Segment"), {"m02": stack(Segment="CDP")}, "met", "Segment (CDP)"),
        (CRM, {"m02": stack(Pipedrive="Sales")}, "met", "Pipedrive (Sales)"),
        (CRM, {"m02": stack(HubSpot="CRM")}, "met", "HubSpot (CRM)"),
        (CRM, {"m02": stack(React="Frontend")}, "unknown", "not among 1 detected: React"),
        (HIRING, {"m10": roles(0)}, "not_met", "no open roles"),
        (HIRING, {"m10": roles(12)}, "met", "12 open roles"),
        (TEN_ROLES, {"m10": roles(9)}, "not_met", "9 open roles"),
        (ENGINEERS, {"m10": roles(9, Software=4, Sales=5)}, "met", "9 open roles, 4 in Software"),
        (NURSES, {"m10": roles(9, Sales=9)}, "unknown", "9 open roles"),
        (HEAD_OF_SECURITY, {"m10": roles(9, Engineering=9)}, "unknown", "9 open roles, 9 in Engineering"),
        (HIRING, {"m10": roles(None)}, "unknown", None),
        (SDRS, {"m10": roles(9, Sales=4)}, "unknown", "9 open roles, 4 in Sales"),
        (SOME_ENGINEERS, {"m10": roles(9, Engineering=4)}, "met", "9 open roles, 4 in Engineering"),
        (
            HEAD_OF_SECURITY,
            {"m10": HiringSignals(open_roles=9, senior_roles=0)},
            "not_met",
            "9 open roles, none for heads of departments or above",
        ),
        (NEW_CFO, {"m12": DECEMBER}, "met", "1969-12-20: Acme appoints Jane Doe as Chief Financial Officer"),
        (NEW_CFO, {"m12": APRIL}, "unknown", "1969-04-01: Acme appoints new CFO"),
        (NEW_VP_SALES, {"m12": DECEMBER}, "unknown", "1969-12-20: Acme appoints Jane Doe as Chief Financial Officer"),
        (NEW_CFO, {"m12": events()}, "unknown", "none among 0 events of the past year"),
        (
            EXPANSION_FRANCE,
            {"m12": events(("expansion", "1969-12-20", "Acme opens in France"))},
            "met",
            "1969-12-20: Acme opens in France",
        ),
        (
            EXPANSION_FRANCE,
            {"m12": events(("expansion", "1969-12-20", "Acme opens in Spain"))},
            "unknown",
            "1969-12-20: Acme opens in Spain",
        ),
        (
            LAYOFFS,
            {"m12": events(("restructuring", "1969-12-20", "Acme lays off 90"))},
            "met",
            "1969-12-20: Acme lays off 90",
        ),
        (
            LAYOFFS,
            {"m12": events(("restructuring", "1969-12-20", "Acme merges two units"))},
            "unknown",
            "none among 1 events of the past year",
        ),
        (
            IPO,
            {"m12": events(("funding", "1969-12-20", "Acme files for IPO"))},
            "met",
            "1969-12-20: Acme files for IPO",
        ),
    ],
)
def test_a_condition_is_met_or_not_or_unknown_with_the_value_that_was_found(
    wanted: Condition, answers: dict[str, Answer], state: str, found: str | None
) -> None:
    only = verdict(wanted, **answers)

    assert (only.state, only.found) == (state, found), only.reason
    assert (only.source is None) == (found is None)


def test_a_verdict_names_the_finding_that_it_rests_on() -> None:
    asked = subject(m01=context(employees=120))
    finding = msgspec.structs.replace(
        asked.known["m01_company_context"],
        method=Method.ESTIMATED,
        source="apollo",
        field_sources={"employees": "wikidata"},
        observed_at=DAY / 2,
    )
    score = derive(
        msgspec.structs.replace(
            asked,
            known={"m01_company_context": finding},
            profile=profile(condition(M.HEADCOUNT, (50, 200), label="50-200 employees")),
            now=2 * DAY,
        )
    )

    assert score.conditions == (
        ConditionVerdict(
            condition="c1",
            measure=M.HEADCOUNT,
            wanted="50-200 employees",
            strength="must",
            any_of=101,
            quote="50-200 employees",
            state="met",
            found="120 employees",
            reason="Found: 120 employees. Wanted: 50-200 employees.",
            module="m01_company_context",
            field="employees",
            source="wikidata",
            method=Method.ESTIMATED,
            as_of="1970-01-01T12:00:00Z",
            age_days=1.5,
        ),
    )
    assert score.confidence == 0.5


def test_what_is_unknown_names_the_modules_that_would_have_to_run() -> None:
    asked = with_missing(subject(m03=Traffic()), m02_tech_stack="It failed.")
    score = derive(msgspec.structs.replace(asked, profile=profile(SHOPIFY, condition(M.TRAFFIC, 5, operator="gte"))))
    assert score.conditions
    shopify, traffic = score.conditions

    assert shopify.run == ("m02_tech_stack", "m10_hiring_signals")
    assert shopify.module == "m02_tech_stack"
    assert shopify.reason.startswith("m02_tech_stack would have to run to know: It failed. m10_hiring_signals would")
    assert (traffic.run, traffic.reason) == ((), "m03_traffic has no value of `monthly_visits` that tells.")
    assert [gap.module for gap in score.missing] == ["m02_tech_stack", "m10_hiring_signals"]
    assert [score.score, score.tier, score.coverage, score.confidence] == [None, "unrated", 0, 0]
    assert score.verdict == "undecided"
    assert "No condition could be judged." in (score.explanation or ())


def test_a_value_that_does_not_tell_names_what_could() -> None:
    only = verdict(SHOPIFY, m02=stack(React="Frontend"))

    assert (only.module, only.run) == ("m02_tech_stack", ("m10_hiring_signals",))


# The score

EMPLOYEES = condition(M.HEADCOUNT, (50, 200), label="50-200 employees")
WISH = condition(M.TECHNOLOGY, "Shopify", "should")
KNOWN = {"m01": context(employees=100, naics_code="513210", country="Germany"), "m02": stack(HubSpot="CRM")}


def test_all_requirements_met_make_a_lead_qualified() -> None:
    score = judged([EMPLOYEES, SOFTWARE, WISH, condition(M.PERSONA, "CFO")], **KNOWN)

    assert (score.score, score.tier, score.verdict) == (100, "A", "qualified")
    assert score.coverage == 0.6  # 6 of 10 points: a persona gives 3, a wish 1
    assert score.rules == ()
    assert score.explanation == (
        "Of 3 requirements, 2 are met and 1 are unknown.",
        "Of 1 wishes, 0 are met and 1 are unknown.",
        "It has 6 of the 6 points that could be judged, of 10.",
        "No module can tell: CFO.",
    )


def test_a_requirement_that_is_not_met_disqualifies_and_comes_first() -> None:
    score = judged([EMPLOYEES, condition(M.HEADQUARTERS, "fr", label="France", codes=("FR",))], **KNOWN)

    assert (score.score, score.tier, score.verdict) == (0, "D", "disqualified")
    assert score.explanation
    assert score.explanation[0] == ("Disqualified: France is required, and m01_company_context found: Germany.")
    assert "Without the disqualification, it would have 3 of the 6 points that could be judged, of 6." in (
        score.explanation
    )
    assert [each.condition for each in score.conditions or ()] == ["c2", "c1"]


def test_what_must_not_be_met_disqualifies() -> None:
    score = judged([EMPLOYEES, condition(M.TECHNOLOGY, "HubSpot", "must_not")], **KNOWN)

    assert (score.score, score.tier, score.verdict) == (0, "D", "disqualified")
    assert score.explanation
    assert score.explanation[0] == ("Disqualified: HubSpot is excluded, and m02_tech_stack found: HubSpot (CRM).")
    assert "Of 1 exclusions, 0 do not apply and 0 are unknown." in score.explanation


def test_unknown_exclusions_and_wishes_disqualify_nobody() -> None:
    score = judged([EMPLOYEES, NO_SHOPIFY, condition(M.FOUNDED, 2015, "should", operator="gte")], **KNOWN)

    assert states(score) == ["met", "unknown", "unknown"]
    assert (score.score, score.verdict, score.coverage) == (100, "qualified", 0.6)


def test_a_requirement_that_is_unknown_leaves_a_lead_undecided() -> None:
    assert judged([EMPLOYEES, condition(M.FOUNDED, 2015)], **KNOWN).verdict == "undecided"


def test_an_excluded_thing_that_is_absent_gives_its_point() -> None:
    france = condition(M.HEADQUARTERS, "fr", "must_not", label="France", codes=("FR",))

    assert judged([france], **KNOWN).score == 100


def test_one_alternative_that_is_met_is_enough_and_an_unknown_one_keeps_the_group_open() -> None:
    france = condition(M.HEADQUARTERS, "fr", label="France", codes=("FR",), any_of=7)
    germany = msgspec.structs.replace(GERMANY, any_of=7)
    young = condition(M.FOUNDED, 2015, operator="gte", any_of=7)
    small = condition(M.HEADCOUNT, (1, 9), any_of=7)

    assert judged([france, germany], **KNOWN).verdict == "qualified"
    assert judged([france, young], **KNOWN).verdict == "undecided"
    both = judged([france, small], **KNOWN)
    assert both.verdict == "disqualified"
    assert both.explanation
    assert both.explanation[0] == (
        "Disqualified: France or (1, 9) is required, and m01_company_context found: Germany; "
        "m01_company_context found: 100 employees."
    )


@pytest.mark.parametrize("strength", ["must", "must_not"])
def test_a_condition_that_was_read_with_little_confidence_disqualifies_nobody(strength: Any) -> None:
    place = ("de", ("DE",)) if strength == "must_not" else ("fr", ("FR",))
    unsure = condition(M.HEADQUARTERS, place[0], strength, label="Place", codes=place[1], confidence=0.4)
    score = judged([EMPLOYEES, unsure], **KNOWN)

    assert score.verdict == "qualified"
    assert score.score == 75
    assert "Read with little confidence, so it disqualifies nobody: Place." in (score.explanation or ())


def test_little_data_gives_no_tier() -> None:
    unknown = [condition(M.FOUNDED, 2015), condition(M.TRAFFIC, 9), condition(M.RANK, 9)]

    assert judged([EMPLOYEES, *unknown], **KNOWN).tier == "unrated"


def test_a_score_from_simulated_findings_is_simulated() -> None:
    assert judged([EMPLOYEES], m01=context(employees=100, simulated=True)).simulated
    assert not judged([EMPLOYEES], m01=context(employees=100), m03=Traffic(simulated=True)).simulated


def test_without_a_profile_or_conditions_the_rules_of_the_service_apply() -> None:
    asked = subject(**KNOWN)
    empty = msgspec.structs.replace(asked, profile=profile())

    assert derive(asked) == derive(empty)
    assert derive(asked).rules
    assert derive(asked).conditions is msgspec.UNSET


def test_the_order_of_findings_and_unknown_values_change_nothing() -> None:
    conditions = [EMPLOYEES, SOFTWARE, WISH, NO_SHOPIFY]
    scores = [judged(list(order), **KNOWN) for order in itertools.permutations(conditions)]

    assert {(score.score, score.coverage, score.verdict) for score in scores} == {(100, 0.75, "qualified")}


def test_an_answer_that_is_no_score_has_no_fit() -> None:
    finding = Finding.of(context(), source="s", fetched_at=0.0)

    assert Fit.of(finding) == Fit()
    assert Fit.of(msgspec.structs.replace(finding, body=msgspec.Raw(b'"text"'))) is None


def test_profiles_with_the_same_conditions_have_the_same_digest() -> None:
    assert profile(EMPLOYEES).digest == profile(EMPLOYEES).digest != profile(WISH).digest
    assert profile(EMPLOYEES).read().conditions == profile(EMPLOYEES).conditions()


def test_a_subject_without_profile_is_not_judged_by_one() -> None:
    assert Subject(domain="a.com").profile is None


def test_the_fields_that_are_judged_are_documented() -> None:
    lines = (ROOT / "docs" / "leads.md").read_text().splitlines()
    rows = dict(line.strip("| ").split(" | ") for line in lines if "| m0" in line or "| m1" in line)

    assert rows == {
        measure.value: ", ".join(f"{check.module} `{check.field}`" for check in checks)
        for measure, checks in CHECKS.items()
    }
