"""
Whose story is told to whom, and why; and the file that the stories are in.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from enrichment.errors import InsufficientInput, SettingsError
from enrichment.modules.answers import (
    CompanyContext,
    Event,
    ExecQuotes,
    Financials,
    HiringSignals,
    Technology,
    TechStack,
    Traffic,
    TriggerEvents,
)
from enrichment.modules.case_studies import MAX_BYTES, SHIPPED, load_case_studies
from enrichment.modules.case_study_match import ANY_OF, CRITERIA, MIN_SCORE, CaseStudyMatch, Missing, derive
from enrichment.modules.module import Answer, CaseStudy, Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.simulated.company import profile_of
from enrichment.sources.simulated.source import SIMULATIONS

CONTEXT = CompanyContext(company_name="Acme", industry="Apparel retail", employees=900, country="Ireland")
STUDY = CaseStudy(
    id="s",
    title="A story",
    customer="Somebody",
    industries=("Fashion", "Apparel retail"),
    employees=(300, 1_000),
    countries=("ireland",),
    technologies=("Apache Solr", "Magento"),
    themes=("growth", "customer experience"),
    outcome="It went well.",
)


def subject(*studies: CaseStudy, **answers: Answer) -> Subject:
    known = {
        module_id: Finding.of(answer, source="test", fetched_at=0)
        for module_id in MODULES
        for name, answer in answers.items()
        if module_id.startswith(name)
    }
    return Subject(domain="acme.com", known=known, case_studies=studies)


def because(missing: dict[str, str], whom: Subject) -> Subject:
    return msgspec.structs.replace(whom, missing=missing)


def stack(*names: str) -> TechStack:
    return TechStack(technologies=tuple(Technology(name=name, category="Search") for name in names))


def only(answer: CaseStudyMatch) -> tuple[int, tuple[str, ...], list[tuple[str, str]]]:
    (match,) = answer.matches
    return match.score, match.reasons, [(fact.module[:3], fact.fact) for fact in match.facts]


def replaced(study: CaseStudy = STUDY, **values: Any) -> CaseStudy:
    return msgspec.structs.replace(study, **values)


def test_a_company_like_the_storys_has_all_points_and_is_told_why() -> None:
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
            "Its line of business, 'Apparel retail', is like 'Apparel retail'.",
            "Its 900 employees are within 300 to 1,000.",
            "Both use Apache Solr, Magento.",
            "Both are occupied with growth, customer experience.",
            "It is in Ireland, too.",
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


def test_the_criteria_weigh_a_hundred() -> None:
    assert sum(criterion.weight for criterion in CRITERIA) == 100
    needed = {module for criterion in CRITERIA for module in criterion.modules}
    assert needed | set(ANY_OF) <= set(MODULES["m13_case_study_match"].needs)


@pytest.mark.parametrize(
    ("industry", "score"),
    [("apparel RETAIL", 100), ("Retail of apparel", 100), ("Grocery retail", 50), ("Hospitals", None), ("the", None)],
)
def test_lines_of_business_are_alike_by_their_words(industry: str, score: int | None) -> None:
    answer = derive(subject(STUDY, m01=CompanyContext(company_name="Acme", industry=industry)))

    assert [match.score for match in answer.matches] == ([] if score is None else [score])


@pytest.mark.parametrize(
    ("employees", "score"),
    [(300, 100), (1_000, 100), (299, 50), (100, 50), (3_000, 50), (99, None), (3_001, None), (0, None)],
)
def test_a_size_is_within_the_range_or_near_it(employees: int, score: int | None) -> None:
    answer = derive(subject(STUDY, m01=CompanyContext(company_name="Acme", employees=employees)))

    assert [match.score for match in answer.matches] == ([] if score is None else [score])
    assert answer.confidence == 0.2


@pytest.mark.parametrize(("country", "score"), [("IRELAND", 100), ("Iceland", None)])
def test_a_country_is_the_same_or_not(country: str, score: int | None) -> None:
    answer = derive(subject(STUDY, m01=CompanyContext(company_name="Acme", country=country)))

    assert [match.score for match in answer.matches] == ([] if score is None else [score])


def test_technologies_are_those_in_use_and_those_in_job_postings() -> None:
    hiring = HiringSignals(technologies_mentioned=("Magento", "Apache Solr"))

    assert only(derive(subject(STUDY, m02=stack("Apache-Solr"))))[0] == 50
    assert only(derive(subject(STUDY, m10=hiring)))[0] == 100
    assert only(derive(subject(STUDY, m02=stack("Apache-Solr"), m10=hiring))) == (
        100,
        ("Both use Apache Solr, Magento.",),
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
            {"m12": TriggerEvents(events=(Event(type="product_launch", date="", headline="", impact="low"),))},
        ),
    ],
)
def test_themes_are_what_is_said_what_happened_and_what_figures_say(theme: str, answers: dict[str, Answer]) -> None:
    score, reasons, facts = only(derive(subject(replaced(themes=(theme, "else")), m02=stack(), **answers)))

    assert [score, reasons] == [50, (f"Both are occupied with {theme}.",)]
    assert [module for module, _ in facts] == list(answers)


@pytest.mark.parametrize("theme", ["digital health", "-", ""])
def test_a_shared_word_makes_no_shared_theme(theme: str) -> None:
    quotes = ExecQuotes(themes=("digital growth", "&"))

    assert derive(subject(replaced(themes=(theme,)), m02=stack(), m11=quotes)).matches == ()


def test_the_best_three_are_told_and_those_alike_are_in_the_order_of_their_ids() -> None:
    near = replaced(employees=(1_000, 2_000))
    studies = [replaced(near, id="d"), replaced(near, id="b"), replaced(id="z"), replaced(near, id="c")]
    ids = [
        [match.id for match in derive(subject(*order, m01=CONTEXT)).matches] for order in (studies, reversed(studies))
    ]

    assert ids == [["z", "b", "c"], ["z", "b", "c"]]


def test_what_is_not_known_is_told_and_counts_against_nobody() -> None:
    context = CompanyContext(company_name="Acme", industry="Apparel retail")
    answer = derive(because({"m10_hiring_signals": "It timed out."}, subject(STUDY, m01=context, m02=stack())))

    assert only(answer)[0] == 100
    assert answer.confidence == 0.35
    assert answer.missing == (
        Missing(module="m01_company_context", why="It tells no employees."),
        Missing(module="m02_tech_stack", why="It tells no technologies."),
        Missing(module="m10_hiring_signals", why="It timed out."),
        Missing(module="m07_financials", why="It is not known."),
        Missing(module="m11_exec_quotes", why="It is not known."),
        Missing(module="m12_trigger_events", why="It is not known."),
        Missing(module="m01_company_context", why="It tells no country."),
    )


def test_without_a_match_there_is_a_reason() -> None:
    elsewhere = CompanyContext(company_name="Acme", industry="Hospitals", employees=9, country="Peru")
    nothing = Financials(is_public=False)

    for answer, reason in (
        (derive(subject(m01=CONTEXT)), "There are no case studies to choose from."),
        (derive(subject(STUDY, m01=elsewhere)), "None of 1 case studies is near enough: the best has 0 points of 100"),
        (derive(subject(STUDY, m07=nothing)), f"the best has 0 points of 100, not {MIN_SCORE}."),
    ):
        assert answer.matches == ()
        assert reason in (answer.reason or "")
    assert derive(subject(STUDY, m07=nothing)).confidence == 0


def test_with_nothing_to_compare_by_there_is_nothing_to_say() -> None:
    with pytest.raises(InsufficientInput, match=r"m01_company_context: It broke\. m02_tech_stack: It is not known\."):
        derive(because({"m01_company_context": "It broke."}, subject(STUDY, m11=ExecQuotes(themes=("growth",)))))


def test_what_is_derived_from_invented_facts_is_invented() -> None:
    real, invented = stack("Magento"), msgspec.structs.replace(CONTEXT, simulated=True)

    assert not derive(subject(STUDY, m02=real)).simulated
    assert derive(subject(STUDY, m02=real, m01=invented)).simulated
    assert not derive(subject(STUDY, m02=real, m03=Traffic(simulated=True))).simulated


def test_for_any_company_the_numbers_are_within_their_bounds() -> None:
    studies = load_case_studies()
    for number in range(100):
        profile = profile_of(f"company{number}.com")
        answers = {module_id: simulate(profile) for module_id, simulate in SIMULATIONS.items()}
        answer = derive(subject(*studies, **answers))
        scores = [match.score for match in answer.matches]

        assert scores == sorted(scores, reverse=True)
        assert all(MIN_SCORE <= score <= 100 for score in scores)
        assert all(match.reasons and match.facts for match in answer.matches)
        assert (answer.reason is None) is bool(scores)
        assert [answer.confidence, answer.considered] == [1, len(studies)]
        assert answer == derive(subject(*studies, **answers))


def test_the_shipped_stories_are_of_plainly_invented_customers() -> None:
    studies = load_case_studies()

    assert len(studies) == 12 == len({study.id for study in studies})
    assert load_case_studies(SHIPPED) == load_case_studies("") == load_case_studies(None) == studies
    for study in studies:
        assert study.url is None
        assert study.id.startswith("fictional-")
        assert study.customer.endswith("(fictional)")
        assert study.outcome.startswith("In this invented story, ")


def test_an_operators_stories_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "stories.json"
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
    ([{**ROW, "employees": [9, 1]}],                "has 9 to 1 employees, which is no range - at `$[0].employees`."),
    ([{**ROW, "employees": [-1, 1]}],               "has -1 to 1 employees"),
    ([{**ROW, "id": " "}],                          "has a case study without an id - at `$[0].id`."),
    ([ROW, ROW, ROW],                               "has 3 case studies with the id 's'."),
    (b" " * (MAX_BYTES + 1),                        "is larger than 5 MB."),
]
# fmt: on


@pytest.mark.parametrize(("content", "told"), FAULTS, ids=range(len(FAULTS)))
def test_what_is_wrong_with_an_operators_file_is_told(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "stories.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(SettingsError) as refused:
        load_case_studies(path)

    (fault,) = refused.value.faults
    assert fault.startswith(f"CASE_STUDIES_FILE {path} ")
    assert told in fault


def test_all_of_it_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "stories.json"
    path.write_text(json.dumps([{**ROW, "id": ""}, {**ROW, "employees": [2, 1]}, ROW]))
    with pytest.raises(SettingsError) as refused:
        load_case_studies(path)

    assert len(refused.value.faults) == 3


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.json", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingsError) as refused:
            load_case_studies(path)
        assert refused.value.faults == [f"CASE_STUDIES_FILE {path} cannot be read: {why}."]
