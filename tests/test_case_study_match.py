"""
m13: which case studies match a company, and the file of case studies.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from enrichment.errors import InsufficientInput, SettingsError
from enrichment.modules.answers import (
    CompanyContext,
    ExecQuotes,
    Financials,
    HiringSignals,
    Technology,
    TechStack,
    Traffic,
    TriggerEvent,
    TriggerEvents,
)
from enrichment.modules.case_studies import MAX_BYTES, SHIPPED, load_case_studies
from enrichment.modules.case_study_match import CRITERIA, MIN_SCORE, REQUIRED_ANY, CaseStudyMatch, derive
from enrichment.modules.evidence import Missing
from enrichment.modules.module import Answer, CaseStudy
from enrichment.modules.table import MODULES
from schemas import Measure
from tests.profiles_of_leads import condition, profile
from tests.subjects import simulated_answers, subject, with_missing

CONTEXT = CompanyContext(company_name="Acme", industry="Apparel retail", employees=900, country="Ireland")
STUDY = CaseStudy(
    id="s",
    title="A case study",
    customer="A customer",
    industries=("Fashion", "Apparel retail"),
    employees=(300, 1_000),
    countries=("ireland",),
    technologies=("Apache Solr", "Magento"),
    themes=("growth", "customer experience"),
    outcome="It went well.",
)


def stack(*names: str) -> TechStack:
    return TechStack(technologies=tuple(Technology(name=name, category="Search") for name in names))


def only(answer: CaseStudyMatch) -> tuple[int, tuple[str, ...], list[tuple[str, str]]]:
    (match,) = answer.matches
    return match.score, match.reasons, [(fact.module[:3], fact.fact) for fact in match.facts]


def replaced(study: CaseStudy = STUDY, **values: Any) -> CaseStudy:
    return msgspec.structs.replace(study, **values)


def test_a_match_in_all_criteria_scores_100_with_reasons_and_facts() -> None:
    answer = derive(
        subject(
            STUDY,
            m01=CONTEXT,
            m02=stack("apache solr", "Magento", "React"),
            m07=Financials(is_public=True, revenue_growth_percent=12.0),
            m10=HiringSignals(),
            m11=ExecQuotes(themes=("customer experience", "digital health")),
            m12=TriggerEvents(events=()),
        )
    )

    assert only(answer) == (
        100,
        (
            "Its industry, 'Apparel retail', is similar to 'Apparel retail'.",
            "Its 900 employees are within the range 300 to 1,000.",
            "Shared technologies: Apache Solr, Magento.",
            "Shared themes: growth, customer experience.",
            "Same country: Ireland.",
        ),
        [
            ("m01", "industry: Apparel retail"),
            ("m01", "employees: 900"),
            ("m02", "technology: apache solr"),
            ("m02", "technology: Magento"),
            ("m07", "theme: growth"),
            ("m11", "theme: customer experience"),
            ("m01", "country: Ireland"),
        ],
    )
    assert [answer.confidence, answer.considered, answer.missing, answer.reason] == [1, 1, (), None]


def test_the_weights_sum_to_100_and_all_modules_read_are_needed() -> None:
    assert sum(criterion.weight for criterion in CRITERIA) == 100
    needed = {module for criterion in CRITERIA for module in criterion.modules}
    assert needed | set(REQUIRED_ANY) <= set(MODULES["m13_case_study_match"].needs)


@pytest.mark.parametrize(
    ("industry", "score"),
    [("apparel RETAIL", 100), ("Retail of apparel", 100), ("Grocery retail", 50), ("Hospitals", None), ("the", None)],
)
def test_industries_are_compared_by_the_words_in_their_names(industry: str, score: int | None) -> None:
    answer = derive(subject(STUDY, m01=CompanyContext(company_name="Acme", industry=industry)))

    assert [match.score for match in answer.matches] == ([] if score is None else [score])


@pytest.mark.parametrize(
    ("employees", "score"),
    [(300, 100), (1_000, 100), (299, 50), (100, 50), (3_000, 50), (99, None), (3_001, None), (0, None)],
)
def test_a_size_scores_in_full_within_the_range_and_by_half_close_to_it(employees: int, score: int | None) -> None:
    answer = derive(subject(STUDY, m01=CompanyContext(company_name="Acme", employees=employees)))

    assert [match.score for match in answer.matches] == ([] if score is None else [score])
    assert answer.confidence == 0.2


@pytest.mark.parametrize(("country", "score"), [("IRELAND", 100), ("Iceland", None)])
def test_a_country_is_compared_ignoring_case(country: str, score: int | None) -> None:
    answer = derive(subject(STUDY, m01=CompanyContext(company_name="Acme", country=country)))

    assert [match.score for match in answer.matches] == ([] if score is None else [score])


def test_technologies_in_job_postings_count_as_in_use() -> None:
    hiring = HiringSignals(technologies_mentioned=("Magento", "Apache Solr"))

    assert only(derive(subject(STUDY, m02=stack("Apache-Solr"))))[0] == 50
    assert only(derive(subject(STUDY, m10=hiring)))[0] == 100
    assert only(derive(subject(STUDY, m02=stack("Apache-Solr"), m10=hiring))) == (
        100,
        ("Shared technologies: Apache Solr, Magento.",),
        [("m02", "technology: Apache-Solr"), ("m10", "technology: Magento")],
    )


@pytest.mark.parametrize(
    ("theme", "answers"),
    [
        ("platform growth", {"m07": Financials(is_public=False, revenue_growth_percent=10.0)}),
        ("margins", {"m07": Financials(is_public=True, operating_margin_percent=4.9)}),
        ("hiring", {"m10": HiringSignals(trend="growing")}),
        ("digital growth", {"m11": ExecQuotes(themes=("Digital Growth",))}),
        (
            "product launch",
            {"m12": TriggerEvents(events=(TriggerEvent(type="product_launch", date="", headline="", impact="low"),))},
        ),
    ],
)
def test_themes_come_from_executives_events_and_figures(theme: str, answers: dict[str, Answer]) -> None:
    score, reasons, facts = only(derive(subject(replaced(themes=(theme, "else")), m02=stack(), **answers)))

    assert [score, reasons] == [50, (f"Shared themes: {theme}.",)]
    assert [module for module, _ in facts] == list(answers)


@pytest.mark.parametrize("theme", ["digital health", "-", ""])
def test_themes_that_share_some_words_only_are_different(theme: str) -> None:
    quotes = ExecQuotes(themes=("digital growth", "&"))

    assert derive(subject(replaced(themes=(theme,)), m02=stack(), m11=quotes)).matches == ()


def test_the_best_three_matches_are_returned_and_ties_are_sorted_by_id() -> None:
    close = replaced(employees=(1_000, 2_000))
    studies = [replaced(close, id="d"), replaced(close, id="b"), replaced(id="z"), replaced(close, id="c")]
    ids = [
        [match.id for match in derive(subject(*order, m01=CONTEXT)).matches] for order in (studies, reversed(studies))
    ]

    assert ids == [["z", "b", "c"], ["z", "b", "c"]]


def test_missing_data_is_listed_and_does_not_lower_the_score() -> None:
    context = CompanyContext(company_name="Acme", industry="Apparel retail")
    answer = derive(with_missing(subject(STUDY, m01=context, m02=stack()), m10_hiring_signals="It timed out."))

    assert only(answer)[0] == 100
    assert answer.confidence == 0.35
    assert answer.missing == (
        Missing(module="m01_company_context", why="It does not report employees."),
        Missing(module="m02_tech_stack", why="It does not report technologies."),
        Missing(module="m10_hiring_signals", why="It timed out."),
        Missing(module="m07_financials", why="No result is available."),
        Missing(module="m11_exec_quotes", why="No result is available."),
        Missing(module="m12_trigger_events", why="No result is available."),
        Missing(module="m01_company_context", why="It does not report country."),
    )


def test_the_reason_for_no_match_is_returned() -> None:
    elsewhere = CompanyContext(company_name="Acme", industry="Hospitals", employees=9, country="Peru")
    nothing = Financials(is_public=False)

    for answer, reason in (
        (derive(subject(m01=CONTEXT)), "There are no case studies."),
        (derive(subject(STUDY, m01=elsewhere)), "None of 1 case studies is similar enough: the best score is 0"),
        (derive(subject(STUDY, m07=nothing)), f"the best score is 0, below {MIN_SCORE}."),
    ):
        assert answer.matches == ()
        assert reason in (answer.reason or "")
    assert derive(subject(STUDY, m07=nothing)).confidence == 0


def test_without_company_data_the_input_is_insufficient() -> None:
    themes = subject(STUDY, m11=ExecQuotes(themes=("growth",)))
    expected = r"m01_company_context: It failed\. m02_tech_stack: No result is available\."
    with pytest.raises(InsufficientInput, match=expected):
        derive(with_missing(themes, m01_company_context="It failed."))


def test_an_answer_derived_from_simulated_data_is_marked_as_simulated() -> None:
    real, simulated = stack("Magento"), msgspec.structs.replace(CONTEXT, simulated=True)

    assert not derive(subject(STUDY, m02=real)).simulated
    assert derive(subject(STUDY, m02=real, m01=simulated)).simulated
    assert not derive(subject(STUDY, m02=real, m03=Traffic(simulated=True))).simulated


def test_scores_of_simulated_companies_are_within_bounds() -> None:
    studies = load_case_studies()
    for number in range(100):
        answer = derive(subject(*studies, **simulated_answers(f"company{number}.com")))
        scores = [match.score for match in answer.matches]

        assert scores == sorted(scores, reverse=True)
        assert all(MIN_SCORE <= score <= 100 for score in scores)
        assert all(match.reasons and match.facts for match in answer.matches)
        assert (answer.reason is None) is bool(scores)
        assert [answer.confidence, answer.considered] == [1, len(studies)]


def test_the_shipped_case_studies_are_clearly_marked_as_fictional() -> None:
    studies = load_case_studies()

    assert len(studies) == 12 == len({study.id for study in studies})
    assert load_case_studies(SHIPPED) == load_case_studies("") == load_case_studies(None) == studies
    for study in studies:
        assert study.url is None
        assert study.id.startswith("fictional-")
        assert study.customer.endswith("(fictional)")
        assert study.outcome.startswith("In this invented story, ")


def test_the_operators_file_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "case-studies.json"
    path.write_bytes(msgspec.json.encode([replaced(id="2", url="https://a.example"), replaced(id="1")]))

    assert load_case_studies(path) == (replaced(id="2", url="https://a.example"), replaced(id="1"))
    path.write_text("[]")
    assert load_case_studies(str(path)) == ()


ROW = json.loads(msgspec.json.encode(STUDY))

# fmt: off
FAULTS = [
    (b"",                                           "is not JSON: Input data was truncated"),
    (b"id,title",                                   "is not JSON: "),
    (b'["\xff"]',                                   "is not"),
    (b'[{"id": "\xff"}]',                           "is not JSON: "),
    (b"[" * 100_000,                                "is not a list of case studies: "),
    ({},                                            "is not a list of case studies: Expected `array`"),
    ([ROW, {**ROW, "title": 1}],                    "Expected `str`, got `int` - at `$[1].title`"),
    ([{**ROW, "link": ""}],                         "unknown field `link` - at `$[0]`"),
    ([{"id": "1"}],                                 "missing required field `title` - at `$[0]`"),
    ([{**ROW, "employees": [1]}],                   "Expected `array` of length 2 - at `$[0].employees`"),
    ([{**ROW, "employees": [9, 1]}],                "has an invalid range of employees, 9 to 1 - at `$[0].employees`."),
    ([{**ROW, "employees": [-1, 1]}],               "has an invalid range of employees, -1 to 1"),
    ([{**ROW, "id": " "}],                          "has a case study without an id - at `$[0].id`."),
    ([ROW, ROW, ROW],                               "has 3 case studies with the id 's'."),
    (b" " * (MAX_BYTES + 1),                        "is larger than 5 MB."),
]
# fmt: on


@pytest.mark.parametrize(("content", "expected"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_in_the_operators_file_is_reported(tmp_path: Path, content: Any, expected: str) -> None:
    path = tmp_path / "case-studies.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(SettingsError) as raised:
        load_case_studies(path)

    (fault,) = raised.value.faults
    assert fault.startswith(f"CASE_STUDIES_FILE {path} ")
    assert expected in fault


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "case-studies.json"
    path.write_text(json.dumps([{**ROW, "id": ""}, {**ROW, "employees": [2, 1]}, ROW]))
    with pytest.raises(SettingsError) as raised:
        load_case_studies(path)

    assert len(raised.value.faults) == 3


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.json", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingsError) as raised:
            load_case_studies(path)
        assert raised.value.faults == [f"CASE_STUDIES_FILE {path} cannot be read: {why}."]


def test_a_profile_prefers_case_studies_about_what_it_asks_for() -> None:
    asked = subject(
        replaced(id="other", technologies=(), themes=()),
        replaced(id="wanted", technologies=("Shopify",), themes=("leadership change",)),
        m01=CONTEXT,
    )
    wanted = profile(
        condition(Measure.TECHNOLOGY, "Shopify", "should"),
        condition(Measure.LEADERSHIP_CHANGE),
        condition(Measure.EXPANSION, strength="must_not"),
    )
    answer = derive(msgspec.structs.replace(asked, profile=wanted))

    assert [match.id for match in answer.matches] == ["wanted", "other"]
    assert answer.matches[0].reasons[-1] == "What the profile asks for: Shopify, leadership change."
    assert answer.matches[0].score > answer.matches[1].score
    assert answer.confidence == round(85 / 120, 2)


def test_the_products_of_a_category_in_a_profile_count() -> None:
    wanted = profile(condition(Measure.TECHNOLOGY_CATEGORY, "search", codes=("Algolia", "Apache Solr")))
    answer = derive(msgspec.structs.replace(subject(STUDY, m01=CONTEXT), profile=wanted))

    assert only(answer)[1][-1] == "What the profile asks for: Apache Solr."


def test_a_profile_without_technologies_and_themes_changes_nothing() -> None:
    asked = subject(STUDY, m01=CONTEXT)

    assert derive(msgspec.structs.replace(asked, profile=profile(condition(Measure.HEADCOUNT, 5)))) == derive(asked)
