"""
The inference of a customer profile from facts about the vendor.
"""

import msgspec
import pytest

from enrichment.blueprint.choosing import choose
from enrichment.blueprint.criteria import criteria_of
from enrichment.blueprint.inference import CompanyFacts, Market, find_market, industries, infer, markets, roles, signals
from schemas import CustomerProfile, Measure

FACTS = CompanyFacts(
    domain="vendor.test",
    name="Vendor",
    industry="Software publishing",
    employees=340,
    country_code="DE",
    country="Germany",
    technologies=(("HubSpot", "CRM"),),
    description="Product search for online stores.",
)

# The industry of a vendor, and its expected market.
# fmt: off
INDUSTRIES = [
    ("Software publishing",    "software"),
    ("AI Software",            "software"),
    ("Cloud and hosting",      "hosting"),
    ("Media streaming",        "media"),
    ("Telecommunications",     "telecom"),
    ("Commercial banking",     "banking"),
    ("Property insurance",     "insurance"),
    ("Car manufacturing",      "automotive"),
    ("Pharmaceuticals",        "pharma"),
    ("Medical instruments",    "medical_devices"),
    ("Hospitals",              "hospitals"),
    ("Hotels",                 "hospitality"),
    ("Quick-service food",     "restaurants"),
    ("Airlines",               "airlines"),
    ("Freight forwarding",     "logistics"),
    ("Industrial wholesale",   "wholesale"),
    ("Management consulting",  "consulting"),
    ("Electricity supply",     "energy"),
    ("Warehouse clubs",        "retail"),
    ("Apparel retail",         "retail"),
    ("Grocery retail",         "retail"),
    ("Electronics retail",     "retail"),
    ("Furniture retail",       "retail"),
    ("computer software",      "software"),
    ("Internet Software & Services", "software"),
    ("marketing and advertising",    "agency"),
    ("staffing and recruiting",      "staffing"),
    ("information technology and services", "it_services"),
    ("Semiconductors",         "semiconductors"),
]
# fmt: on


def infer_from(**facts: object) -> CustomerProfile:
    return infer(CompanyFacts(domain="vendor.test", **facts))  # type: ignore[arg-type]


def values(profile: CustomerProfile, measure: Measure) -> list[object]:
    return [one.value for one in profile.conditions if one.measure is measure]


@pytest.mark.parametrize(("industry", "market"), INDUSTRIES)
def test_market_is_found_by_industry(industry: str, market: str) -> None:
    found = find_market(industry)

    assert found
    assert found[0].id == market


@pytest.mark.parametrize("market", markets().values(), ids=list(markets()))
def test_market_uses_ids_of_the_vocabulary(market: Market) -> None:
    assert len(set(market.buyers) & industries().keys()) == len(market.buyers) >= 2
    assert len(set(market.personas) & roles().keys()) == len(market.personas) >= 2
    assert len(set(market.signals) & signals().keys()) == len(market.signals) >= 2
    assert all(industries()[id_].codes for id_ in market.buyers)


@pytest.mark.parametrize(
    "facts", [CompanyFacts(domain="x.test"), CompanyFacts(domain="x.test", industry="", description="", employees=5)]
)
def test_insufficient_facts_give_no_criteria_and_a_list_of_what_is_missing(facts: CompanyFacts) -> None:
    profile = infer(facts)

    assert profile.conditions == ()
    assert profile.confidence == 0
    assert profile.reasoning == ()
    assert any("industry" in request for request in profile.raise_confidence)
    assert any("homepage" in request for request in profile.raise_confidence)


def test_description_overrides_a_general_industry() -> None:
    profile = infer(FACTS)

    assert values(profile, Measure.INDUSTRY) == ["ecommerce", "retail", "fashion", "consumer_goods"]
    assert values(profile, Measure.PERSONA) == ["E-commerce Manager", "CMO", "Chief Digital Officer"]
    assert values(profile, Measure.TECHNOLOGY_CATEGORY) == ["ecommerce_platform"]
    assert values(profile, Measure.HEADCOUNT) == [(50, 1_000)]
    assert values(profile, Measure.HEADQUARTERS) == ["DE"]
    groups = [{one.any_of for one in profile.conditions if one.measure is measure} for measure in Measure]
    assert all(len(group) <= 1 for group in groups)
    assert {one.strength for one in profile.conditions if one.measure is Measure.PERSONA} == {"should"}
    assert profile.reasoning[0] == (
        '"product search" in the description: such companies usually sell to these industries: '
        "E-commerce, Retail, Fashion and apparel, Consumer goods."
    )
    assert profile.reasoning[1:] == (
        "Who decides there is usually one of these: E-commerce Manager, CMO, Chief Digital Officer.",
        "Occasions to buy are usually these: website redesign, web traffic growth, international expansion.",
        "Headcount 340: vendors of this size mostly sell to companies of 50-1000 employees.",
        "Seat in Germany: the home market comes first.",
    )


def test_each_criterion_names_the_fact_it_was_inferred_from() -> None:
    profile = infer(FACTS)
    quotes = [one.quote for one in profile.conditions]

    assert {quote.field for quote in quotes} == {"inferred"}
    assert {quote.text for quote in quotes} == {
        '"product search" in the description',
        "headcount 340",
        "seat in Germany",
    }
    assert all(quote.end == len(quote.text) for quote in quotes)
    assert all(0 < one.confidence < 1 for one in profile.conditions)


def test_specific_industry_overrides_the_description() -> None:
    profile = infer_from(industry="Commercial banking", description="We use cloud software.")

    assert values(profile, Measure.PERSONA)[0] == "CFO"


def test_agreement_of_industry_and_description_raises_the_confidence() -> None:
    alone, together = (
        infer_from(industry="Airlines"),
        infer_from(industry="Airlines", description="An airline for islands."),
    )

    assert together.confidence > alone.confidence
    assert 'The same is told by "airline" in the description.' in together.reasoning


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        ({"industry": "Telecommunications"}, {"description": "telecommunications"}),
        ({"industry": "Telecommunications", "employees": 10}, {"industry": "Telecommunications"}),
        ({"industry": "Telecommunications", "country_code": "US"}, {"industry": "Telecommunications"}),
        ({"industry": "Telecommunications"}, {"industry": "Telecommunications", "simulated": True}),
        ({"industry": "Telecommunications"}, {"industry": "Warehouse clubs"}),
        ({"industry": "Warehouse clubs"}, {"technologies": (("Shopify", "Ecommerce"),)}),
        ({"technologies": (("Shopify", "Ecommerce"),)}, {"technologies": (("Sanity", "CMS"),)}),
    ],
)
def test_more_facts_give_more_confidence(higher: dict[str, object], lower: dict[str, object]) -> None:
    assert 0 <= infer_from(**lower).confidence < infer_from(**higher).confidence <= 1


def test_reasoning_mentions_a_consumer_market() -> None:
    profile = infer_from(technologies=(("Sanity", "CMS"), ("Shopify", "E-commerce platform")))

    assert profile.reasoning[0].startswith("Shopify on the site: such companies sell mostly to consumers")


def test_unknown_industry_leaves_only_size_and_place() -> None:
    profile = infer_from(industry="Taxidermy", employees=8, country_code="FR")

    assert values(profile, Measure.INDUSTRY) == []
    assert values(profile, Measure.HEADQUARTERS) == ["FR"]
    assert values(profile, Measure.HEADCOUNT) == [(10, 250)]
    assert 0 < profile.confidence < 0.25
    assert "stays open" in profile.reasoning[0]


def test_unknown_industry_alone_gives_no_criteria() -> None:
    profile = infer_from(industry="Taxidermy")

    assert profile.conditions == ()
    assert profile.confidence == 0


@pytest.mark.parametrize(
    ("employees", "expected"),
    [(1, (10, 250)), (50, (10, 250)), (51, (50, 1_000)), (5_000, (200, 5_000)), (90_000, 1_000)],
)
def test_size_of_the_vendor_determines_the_size_of_its_customers(employees: int, expected: object) -> None:
    profile = infer_from(industry="Telecommunications", employees=employees)

    assert values(profile, Measure.HEADCOUNT) == [expected]


def test_reasoning_mentions_simulated_facts() -> None:
    profile = infer(msgspec.structs.replace(FACTS, simulated=True))

    assert "simulated" in profile.reasoning[0]
    assert "live sources" in profile.raise_confidence[-1]


def test_high_confidence_requests_no_further_information() -> None:
    profile = infer_from(
        industry="Airlines and telecommunications",
        description="Wireless telecommunications",
        employees=10,
        country_code="US",
    )

    assert profile.confidence >= 0.6
    assert profile.raise_confidence == ()


def test_data_points_are_chosen_for_an_inferred_profile() -> None:
    sections = choose(criteria_of(infer(FACTS)))

    headcount = sections.firmographic[0]
    assert (headcount.id, headcount.filter.text) == ("headcount", "50-1000 employees")
    assert headcount.priority_reason == "Inferred from headcount 340."
