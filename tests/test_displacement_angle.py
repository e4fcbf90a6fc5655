"""
What a company is told could be replaced, and on what evidence.
"""

import re
from typing import Any, get_args

import msgspec
import pytest

from enrichment.errors import InsufficientInput
from enrichment.modules.answers import (
    CompanyContext,
    DepartmentRoles,
    Event,
    EventType,
    ExecQuotes,
    Financials,
    HiringSignals,
    Technology,
    TechStack,
    Traffic,
    TrafficSources,
    TriggerEvents,
)
from enrichment.modules.displacement import AREAS, EVENTS, NAMES, PLAYBOOK, USED, Incumbent, derive, play_of
from enrichment.modules.icp_score import IcpScore
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


def stack(*names: str) -> TechStack:
    return TechStack(technologies=tuple(Technology(name=name, category="Software") for name in names))


def event(kind: Any, impact: Any, headline: str = "Acme did it") -> Event:
    return Event(type=kind, date="2026-01-01", headline=headline, impact=impact)


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
def test_a_product_is_known_by_any_of_its_names(name: str, product: str | None) -> None:
    play = play_of(name)

    assert (play and product in play.names.split(", ")) if product else play is None


def test_the_playbook_is_sound() -> None:
    categories = [play.category for play in PLAYBOOK]

    assert list(dict.fromkeys(categories)) == list(AREAS)
    assert categories == sorted(categories, key=list(AREAS).index)
    assert len({name for name, _ in NAMES}) == len(NAMES)
    assert {play.burden for play in PLAYBOOK} == {"effort", "licence", "relevance", "rigidity"}
    assert set(USED) <= set(MODULES["m15_displacement_angle"].needs)
    for play in PLAYBOOK:
        assert not play.cost.endswith(".")


@pytest.mark.parametrize("order", [1, -1])
def test_search_is_spoken_of_before_commerce_before_content(order: int) -> None:
    names = ["WordPress", "Magento", "React", "Solr", "Zendesk"][::order]
    angle = derive(subject(m02=stack(*names)))

    assert angle.incumbent == Incumbent(name="Solr", category="search")
    assert angle.alternatives_to_probe == ("Magento (commerce)", "WordPress (CMS)", "Zendesk (support)")
    assert angle.questions == AREAS["search"].questions


def test_all_that_is_known_is_cited() -> None:
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
        "Acme Ltd uses Elasticsearch 8, and what that tends to cost is effort: ranking, synonyms and the cluster's "
        "upkeep are work for its own engineers. Postings ask for people who know it: its upkeep is work that somebody "
        "is paid for."
    )
    assert [(signal.signal, signal.module[:3], signal.detail) for signal in angle.signals] == [
        ("hiring_for_product", "m10", "Postings mention Elasticsearch"),
        ("hiring_in_department", "m10", "Open roles: Engineering 1,200"),
        ("hiring_slowing", "m10", "The number of open roles goes down"),
        ("funding", "m12", "2026-01-01: Acme raises"),
        ("traffic_growing", "m03", "Visits +6.0 % in a month"),
        ("visits_cut_short", "m03", "Bounce rate 55.0 %"),
        ("revenue_growing", "m07", "Revenue +12.5 % a year"),
        ("thin_margin", "m07", "Operating margin 3.0 %"),
        ("executive_topic", "m11", "Topics: customer experience"),
    ]
    assert [fact.fact for fact in angle.evidence] == [
        "Elasticsearch 8 was seen in use",
        *(signal.detail for signal in angle.signals),
    ]
    assert [point.split()[-1] for point in angle.talking_points] == [f"[{fact.id}]" for fact in angle.evidence]
    assert [angle.priority, angle.confidence, angle.method] == ["high", 0.85, "rules"]


def test_falling_figures_are_signals_too() -> None:
    angle = derive(
        subject(
            m02=stack("Drupal"),
            m03=Traffic(month_over_month_growth_percent=-5.0),
            m07=Financials(is_public=True, revenue_growth_percent=-0.5),
        )
    )

    assert [signal.signal for signal in angle.signals] == ["traffic_falling", "revenue_falling"]
    assert angle.angle.startswith("acme.com uses Drupal, ")


def test_what_is_as_usual_or_not_known_is_no_signal() -> None:
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


def test_the_three_events_with_most_impact_are_told_one_of_a_type() -> None:
    told = (
        event("partnership", "low"),
        event("expansion", None),
        event("earnings", "medium", "first"),
        event("earnings", "medium", "second"),
        event("acquisition", "high"),
    )
    angle = derive(subject(m02=stack("Drupal"), m12=TriggerEvents(events=told)))

    assert [signal.signal for signal in angle.signals] == ["acquisition", "earnings", "partnership"]
    assert angle.signals[1].detail.endswith(": first")


def test_every_type_of_event_means_something() -> None:
    assert set(get_args(EventType)) == set(EVENTS)


@pytest.mark.parametrize(
    ("tier", "priority"), [("A", "high"), ("B", "medium"), ("C", "low"), ("D", "low"), ("unrated", None)]
)
def test_the_score_tells_the_priority(tier: str, priority: str | None) -> None:
    assert derive(subject(m02=stack("Drupal"), m14=score(tier))).priority == priority


def test_without_a_score_there_is_no_priority_and_less_confidence() -> None:
    angle = derive(subject(m02=stack("Drupal")))

    assert [angle.priority, angle.confidence] == [None, 0.35]
    assert angle.confidence_reasons == ("+0.35: Drupal was seen in use.", "+0.00: m14_icp_scoring is not known.")
    assert derive(subject(m02=stack("Drupal"), m14=score("A", 0.4))).confidence == 0.41


def test_two_products_for_one_job_make_it_less_sure() -> None:
    angle = derive(subject(m02=stack("Drupal", "WordPress")))

    assert angle.confidence == 0.25
    assert "-0.10: WordPress may be in charge of CMS instead." in angle.confidence_reasons


@pytest.mark.parametrize("names", [(), ("React", "Kafka")])
def test_with_nothing_to_replace_there_is_still_something_to_ask(names: tuple[str, ...]) -> None:
    angle = derive(subject(m02=stack(*names)))

    assert angle.incumbent is None
    assert angle.angle.startswith("acme.com shows no product that is to be replaced")
    assert angle.evidence[0].fact == f"{len(names)} technologies, none of the playbook"
    assert angle.talking_points[0].endswith("[e1]")
    assert [angle.alternatives_to_probe, angle.confidence] == [(), 0.1]
    assert angle.questions


def test_with_nothing_to_replace_no_signal_makes_it_sure() -> None:
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
    assert angle.confidence_reasons[-1] == "-0.16: Without a product to replace it is 0.3 at most."


def test_without_technologies_there_is_nothing_to_say() -> None:
    with pytest.raises(InsufficientInput, match=r"m02_tech_stack: It timed out\."):
        derive(subject({"m02_tech_stack": "It timed out."}, m14=score("A")))


def test_what_is_derived_from_invented_facts_is_invented() -> None:
    invented = msgspec.structs.replace(score("A"), simulated=True)

    assert not derive(subject(m02=stack())).simulated
    assert derive(subject(m02=stack(), m14=invented)).simulated
    assert not derive(subject(m02=stack(), m04=TrafficSources(simulated=True))).simulated


def test_for_any_company_the_parts_fit_together() -> None:
    for number in range(200):
        profile = profile_of(f"company{number}.com")
        answers = {module_id: simulate(profile) for module_id, simulate in SIMULATIONS.items()}
        angle = derive(subject(**answers, m14=score("B", number / 199)))
        ids = [fact.id for fact in angle.evidence]
        cited = [re.findall(r"\[(e\d+)\]", point) for point in angle.talking_points]

        assert len(set(ids)) == len(ids)
        assert all(found and set(found) <= set(ids) for found in cited)
        assert 0 <= angle.confidence <= 1
        assert sum(float(why.split(":")[0]) for why in angle.confidence_reasons) == pytest.approx(angle.confidence)
        assert angle.incumbent is not None
        assert angle.incumbent.name not in angle.alternatives_to_probe
        assert angle == derive(subject(**answers, m14=score("B", number / 199)))
