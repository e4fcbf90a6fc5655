"""
m15: which product could be replaced, and on what evidence.
"""

import re
from typing import Any, get_args

import msgspec
import pytest

from enrichment.errors import InsufficientInput
from enrichment.modules.answers import (
    CompanyContext,
    DepartmentRoles,
    EventType,
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
from enrichment.modules.displacement import USED, Incumbent, derive
from enrichment.modules.icp_score import IcpScore
from enrichment.modules.playbook import CATEGORIES, EVENT_POINTS, PLAYBOOK, PRODUCT_NAMES, find_product
from enrichment.modules.table import MODULES
from schemas import Measure
from tests.profiles_of_leads import condition, profile
from tests.subjects import simulated_answers, subject, with_missing


def stack(*names: str) -> TechStack:
    return TechStack(technologies=tuple(Technology(name=name, category="Software") for name in names))


def event(kind: Any, impact: Any, headline: str = "Acme acts") -> TriggerEvent:
    return TriggerEvent(type=kind, date="2026-01-01", headline=headline, impact=impact)


def score(tier: Any, confidence: float = 1.0) -> IcpScore:
    return IcpScore(score=50, tier=tier, coverage=1, confidence=confidence, rules=(), missing=())


# fmt: off
PRODUCTS = [
    ("Adobe AEM",                       "Adobe AEM"),
    ("adobe experience manager 6.5",    "Adobe AEM"),
    ("Elasticsearch",                   "Elasticsearch"),
    ("Elastic Site Search",             "Swiftype"),
    ("Solr 9",                          "Apache Solr"),
    ("Salesforce",                      "Salesforce"),
    ("Salesforce Commerce Cloud",       "Salesforce Commerce Cloud"),
    ("Salesforce Marketing Cloud",      "Salesforce Marketing Cloud"),
    ("HubSpot",                         "HubSpot"),
    ("HubSpot CRM",                     "HubSpot CRM"),
    ("Coveo for Sitecore",              "Coveo"),
    ("Magento 2",                       "Magento"),
    ("Clerk.io",                        "Clerk.io"),
    ("Clerk",                           None),
    ("Elastic Email",                   None),
    ("React",                           None),
    ("",                                None),
]
# fmt: on


@pytest.mark.parametrize(("name", "product"), PRODUCTS)
def test_a_product_is_found_by_any_of_its_names(name: str, product: str | None) -> None:
    found = find_product(name)

    assert (found and product in found.names.split(", ")) if product else found is None


def test_the_playbook_is_consistent() -> None:
    categories = [product.category for product in PLAYBOOK]

    assert list(dict.fromkeys(categories)) == list(CATEGORIES)
    assert categories == sorted(categories, key=list(CATEGORIES).index)
    assert len({name for name, _ in PRODUCT_NAMES}) == len(PRODUCT_NAMES)
    assert {product.drawback for product in PLAYBOOK} == {"effort", "cost", "poor relevance", "rigidity"}
    assert set(USED) <= set(MODULES["m15_displacement_angle"].needs)
    for product in PLAYBOOK:
        assert not product.detail.endswith(".")


@pytest.mark.parametrize("order", [1, -1])
def test_the_product_to_replace_is_the_first_in_the_playbook(order: int) -> None:
    names = ["WordPress", "Magento", "React", "Solr", "Zendesk"][::order]
    angle = derive(subject(m02=stack(*names)))

    assert angle.incumbent == Incumbent(name="Solr", category="Software")
    assert angle.alternatives_to_probe == ("Magento (Software)", "WordPress (Software)", "Zendesk (Software)")
    assert angle.questions == CATEGORIES["Search"].questions


def test_the_product_to_replace_and_the_first_events_are_those_that_the_profile_names() -> None:
    wanted = profile(
        condition(Measure.TECHNOLOGY_CATEGORY, "support", codes=("Zendesk",)),
        condition(Measure.TECHNOLOGY, "Magento", "must_not"),
        condition(Measure.PARTNERSHIP),
    )
    triggers = TriggerEvents(events=(event("acquisition", "high"), event("partnership", "low")))
    asked = subject(m02=stack("Magento", "Solr", "Zendesk"), m12=triggers)
    angle = derive(msgspec.structs.replace(asked, profile=wanted))

    assert angle.incumbent == Incumbent(name="Zendesk", category="Software")
    assert angle.alternatives_to_probe == ("Solr (Software)", "Magento (Software)")
    assert [signal.signal for signal in angle.signals] == ["partnership", "acquisition"]
    assert derive(asked).incumbent == Incumbent(name="Solr", category="Software")


def test_a_product_keeps_the_category_in_which_it_was_detected() -> None:
    detected = (Technology(name="Solr", category="Site search"), Technology(name="Adobe Target", category="A/B tests"))
    angle = derive(subject(m02=TechStack(technologies=detected)))

    assert angle.incumbent == Incumbent(name="Solr", category="Site search")
    assert angle.alternatives_to_probe == ("Adobe Target (A/B tests)",)


def test_every_talking_point_cites_its_evidence() -> None:
    angle = derive(
        subject(
            m01=CompanyContext(company_name="Acme Ltd"),
            m02=stack("Elasticsearch 8"),
            m03=Traffic(month_over_month_growth_percent=6.0, bounce_rate=55.0),
            m07=Financials(is_public=True, revenue_growth_percent=12.5, operating_margin_percent=3.0),
            m10=HiringSignals(
                technologies_mentioned=("Kafka", "Elasticsearch"),
                roles_by_department=(
                    DepartmentRoles(department="Engineering", open_roles=1_200),
                    DepartmentRoles(department="Sales", open_roles=5),
                    DepartmentRoles(department="Product", open_roles=0),
                ),
                trend="slowing",
            ),
            m11=ExecQuotes(themes=("fuel", "customer experience")),
            m12=TriggerEvents(events=(event("funding", "high", "Acme raises"),)),
            m14=score("A"),
        )
    )

    assert angle.angle == (
        "Acme Ltd uses Elasticsearch 8, whose typical drawback is effort: in-house engineers have to maintain ranking, "
        "synonyms and the cluster. Job postings ask for experience with it, so its maintenance takes paid staff."
    )
    assert [(signal.signal, signal.module[:3], signal.detail) for signal in angle.signals] == [
        ("hiring_for_product", "m10", "Job postings mention Elasticsearch"),
        ("hiring_in_department", "m10", "Open roles: Engineering 1,200"),
        ("hiring_slowing", "m10", "Hiring trend: slowing"),
        ("funding", "m12", "2026-01-01: Acme raises"),
        ("traffic_growing", "m03", "Visits +6.0 % in a month"),
        ("visits_cut_short", "m03", "Bounce rate 55.0 %"),
        ("revenue_growing", "m07", "Revenue +12.5 % a year"),
        ("thin_margin", "m07", "Operating margin 3.0 %"),
        ("executive_topic", "m11", "Executive themes: customer experience"),
    ]
    assert [fact.fact for fact in angle.evidence] == [
        "Elasticsearch 8 was detected",
        *(signal.detail for signal in angle.signals),
    ]
    assert [point.split()[-1] for point in angle.talking_points] == [f"[{fact.id}]" for fact in angle.evidence]
    assert [angle.priority, angle.confidence, angle.method] == ["high", 0.85, "rules"]


def test_falling_figures_are_signals() -> None:
    angle = derive(
        subject(
            m02=stack("Drupal"),
            m03=Traffic(month_over_month_growth_percent=-5.0),
            m07=Financials(is_public=True, revenue_growth_percent=-0.5),
        )
    )

    assert [signal.signal for signal in angle.signals] == ["traffic_falling", "revenue_falling"]
    assert angle.angle.startswith("acme.com uses Drupal, ")


def test_average_and_missing_data_give_no_signals() -> None:
    angle = derive(
        subject(
            m01=CompanyContext(company_name=""),
            m02=stack("Drupal"),
            m03=Traffic(month_over_month_growth_percent=4.9, bounce_rate=54.9),
            m07=Financials(is_public=True, revenue_growth_percent=0.0, operating_margin_percent=5.0),
            m10=HiringSignals(technologies_mentioned=("Kafka",), trend="growing"),
            m11=ExecQuotes(themes=("fuel",)),
            m12=TriggerEvents(events=()),
        )
    )

    assert angle.signals == ()
    assert len(angle.talking_points) == len(angle.evidence) == 1
    assert derive(subject(m02=stack("Drupal"), m03=Traffic(), m07=Financials(is_public=False))).signals == ()


def test_the_three_events_with_most_impact_are_used_one_per_type() -> None:
    events = (
        event("partnership", "low"),
        event("expansion", None),
        event("earnings", "medium", "first"),
        event("earnings", "medium", "second"),
        event("acquisition", "high"),
    )
    angle = derive(subject(m02=stack("Drupal"), m12=TriggerEvents(events=events)))

    assert [signal.signal for signal in angle.signals] == ["acquisition", "earnings", "partnership"]
    assert angle.signals[1].detail.endswith(": first")


def test_every_type_of_event_has_a_talking_point() -> None:
    assert set(get_args(EventType)) == set(EVENT_POINTS)


@pytest.mark.parametrize(
    ("tier", "priority"), [("A", "high"), ("B", "medium"), ("C", "low"), ("D", "low"), ("unrated", None)]
)
def test_the_priority_follows_from_the_tier(tier: str, priority: str | None) -> None:
    assert derive(subject(m02=stack("Drupal"), m14=score(tier))).priority == priority


def test_without_a_score_there_is_no_priority_and_less_confidence() -> None:
    angle = derive(subject(m02=stack("Drupal")))

    assert [angle.priority, angle.confidence] == [None, 0.35]
    assert angle.confidence_reasons == ("+0.35: Drupal was detected.", "+0.00: m14_icp_scoring provides no score.")
    assert derive(subject(m02=stack("Drupal"), m14=score("A", 0.4))).confidence == 0.41


def test_two_products_of_a_category_lower_the_confidence() -> None:
    angle = derive(subject(m02=stack("Drupal", "WordPress")))

    assert angle.confidence == 0.25
    assert "-0.10: The main product of its kind may be WordPress instead." in angle.confidence_reasons


@pytest.mark.parametrize("names", [(), ("React", "Kafka")])
def test_without_a_product_to_replace_there_are_questions_to_ask(names: tuple[str, ...]) -> None:
    angle = derive(subject(m02=stack(*names)))

    assert angle.incumbent is None
    assert angle.angle.startswith("acme.com uses no known replaceable product")
    assert angle.evidence[0].fact == f"{len(names)} technologies, none of them in the playbook"
    assert angle.talking_points[0].endswith("[e1]")
    assert [angle.alternatives_to_probe, angle.confidence] == [(), 0.1]
    assert angle.questions


def test_without_a_product_to_replace_the_confidence_is_limited() -> None:
    angle = derive(
        subject(
            m02=stack("React"),
            m07=Financials(is_public=True, revenue_growth_percent=20.0),
            m10=HiringSignals(technologies_mentioned=("React",), trend="slowing"),
            m11=ExecQuotes(themes=("customer experience",)),
            m14=score("A"),
        )
    )

    assert len(angle.signals) == 3
    assert angle.confidence == 0.3
    assert angle.confidence_reasons[-1] == "-0.16: Without a product to replace, confidence is at most 0.3."


def test_without_technologies_the_input_is_insufficient() -> None:
    with pytest.raises(InsufficientInput, match=r"m02_tech_stack: It timed out\."):
        derive(with_missing(subject(m14=score("A")), m02_tech_stack="It timed out."))


def test_numbers_of_technologies_say_nothing_about_a_product_to_replace() -> None:
    counted = TechStack(technologies=(), limited=True, note="Limited: numbers only.")

    with pytest.raises(InsufficientInput, match=r"Without their names .* m02_tech_stack: Limited: numbers only\."):
        derive(subject(m02=counted, m14=score("A")))


def test_an_answer_derived_from_simulated_data_is_marked_as_simulated() -> None:
    simulated = msgspec.structs.replace(score("A"), simulated=True)

    assert not derive(subject(m02=stack())).simulated
    assert derive(subject(m02=stack(), m14=simulated)).simulated
    assert not derive(subject(m02=stack(), m04=TrafficSources(simulated=True))).simulated


def test_angles_of_simulated_companies_are_consistent() -> None:
    for number in range(200):
        answers = simulated_answers(f"company{number}.com")
        angle = derive(subject(**answers, m14=score("B", number / 199)))
        ids = [fact.id for fact in angle.evidence]
        cited = [re.findall(r"\[(e\d+)\]", point) for point in angle.talking_points]

        assert len(set(ids)) == len(ids)
        assert all(found and set(found) <= set(ids) for found in cited)
        assert 0 <= angle.confidence <= 1
        assert sum(float(why.split(":")[0]) for why in angle.confidence_reasons) == pytest.approx(angle.confidence)
        assert angle.incumbent is not None
        assert angle.incumbent.name not in angle.alternatives_to_probe
