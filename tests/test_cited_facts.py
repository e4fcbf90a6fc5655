"""
The facts that a text may cite: what they say, and that there are never too many or too long ones.
"""

import pytest

from enrichment.modules.answers import (
    CompanyContext,
    Competitor,
    Competitors,
    DepartmentRoles,
    ExecQuotes,
    Financials,
    HiringSignals,
    Quote,
    Technology,
    TechStack,
    Traffic,
    TriggerEvent,
    TriggerEvents,
)
from enrichment.modules.cited_facts import MAX_FACT, MAX_FACTS, facts_of
from tests.subjects import simulated_answers, subject


def test_facts_of_every_kind() -> None:
    facts = facts_of(
        subject(
            m01=CompanyContext(company_name="Acme", industry="Retail", employees=15_000, hq="Austin, TX"),
            m02=TechStack(
                technologies=(
                    Technology(name="React", category="Frontend"),
                    Technology(name="Drupal", category="CMS"),
                )
            ),
            m03=Traffic(monthly_visits=1_230_000, month_over_month_growth_percent=6.5, bounce_rate=55.0),
            m05=Competitors(competitors=(Competitor(domain="rival.example", similarity=0.5),)),
            m07=Financials(
                is_public=True,
                basis="estimated",
                currency="USD",
                fiscal_year=2025,
                revenue=-2_100_000_000,
                revenue_growth_percent=-3.0,
                operating_margin_percent=4.5,
            ),
            m10=HiringSignals(
                open_roles=12,
                roles_by_department=(DepartmentRoles(department="Engineering", open_roles=7),),
                technologies_mentioned=("Kafka", "Solr"),
                trend="growing",
            ),
            m11=ExecQuotes(
                quotes=(
                    Quote(quote="We grow.", speaker="Ann Lee", speaker_title="CEO", url="https://acme.example/"),
                    Quote(quote="We fly.", speaker="Bo Day", url="https://acme.example/"),
                ),
                themes=("growth",),
            ),
            m12=TriggerEvents(events=(TriggerEvent(type="funding", date="2026-01-01", headline="Acme raises $1m"),)),
        )
    )

    assert [fact.id for fact in facts] == [f"e{number}" for number in range(1, len(facts) + 1)]
    assert [(fact.module[:3], fact.fact) for fact in facts] == [
        ("m01", "Company: Acme"),
        ("m01", "Industry: Retail"),
        ("m01", "Employees: 15,000"),
        ("m01", "Headquarters: Austin, TX"),
        ("m02", "Its website uses Drupal (CMS)"),
        ("m02", "Its website uses React (Frontend)"),
        ("m03", "Visits a month: 1.2 million"),
        ("m03", "Visits +6.5 % in a month"),
        ("m03", "Bounce rate 55.0 %"),
        ("m05", "Websites similar to its own: rival.example"),
        ("m07", "Revenue -2.1 billion USD in fiscal year 2025 (estimated)"),
        ("m07", "Revenue -3.0 % a year"),
        ("m07", "Operating margin 4.5 %"),
        ("m10", "Open roles: 12"),
        ("m10", "Open roles in Engineering: 7"),
        ("m10", "Job postings mention Kafka, Solr"),
        ("m10", "Hiring trend: growing"),
        ("m11", 'Ann Lee, CEO, said: "We grow."'),
        ("m11", 'Bo Day said: "We fly."'),
        ("m11", "Executive themes: growth"),
        ("m12", "2026-01-01: Acme raises $1m"),
    ]


def test_without_data_there_are_no_facts() -> None:
    assert facts_of(subject()) == ()
    assert (
        facts_of(
            subject(
                m01=CompanyContext(company_name=""),
                m02=TechStack(technologies=()),
                m03=Traffic(),
                m05=Competitors(competitors=()),
                m07=Financials(is_public=False),
                m10=HiringSignals(),
                m11=ExecQuotes(),
                m12=TriggerEvents(events=()),
            )
        )
        == ()
    )


def test_a_revenue_may_have_neither_a_year_nor_a_currency() -> None:
    facts = facts_of(subject(m07=Financials(is_public=True, basis="reported", revenue=84_300)))

    assert [fact.fact for fact in facts] == ["Revenue 84,300"]


def test_the_product_to_replace_is_among_many_technologies() -> None:
    names = [*(f"Tool {number}" for number in range(500)), "Drupal"]
    technologies = tuple(Technology(name=name, category="Software") for name in names)
    facts = facts_of(subject(m02=TechStack(technologies=technologies)))

    assert facts[0].fact == "Its website uses Drupal (Software)"
    assert len(facts) == 20


@pytest.mark.parametrize("headline", ["x" * 100_000, "word " * 10_000, "a\x00\n\u202eb" * 5_000])
def test_a_fact_is_one_short_line(headline: str) -> None:
    event = TriggerEvent(type="funding", date="2026-01-01", headline=headline)
    (fact,) = facts_of(subject(m12=TriggerEvents(events=(event,))))

    assert len(fact.fact) <= MAX_FACT
    assert fact.fact.isprintable()
    assert fact.fact.endswith("…")


def test_there_are_never_too_many() -> None:
    for number in range(50):
        facts = facts_of(subject(**simulated_answers(f"company{number}.com")))

        assert 10 < len(facts) <= MAX_FACTS
        assert all(len(fact.fact) <= MAX_FACT for fact in facts)
