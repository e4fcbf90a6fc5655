"""
Whom a company sells to is inferred from what is known of it, and each step says from what.
"""

import msgspec
import pytest

from enrichment.blueprint.choosing import choose
from enrichment.blueprint.inference import CompanyFacts, Inference, infer
from enrichment.blueprint.markets import buyers, find_market, markets, occasions, roles
from enrichment.blueprint.values import Icp

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

# What a vendor says its trade is, and the market that a practitioner would expect.
# fmt: off
TRADES = [
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


def know(**facts: object) -> Inference:
    return infer(CompanyFacts(domain="vendor.test", **facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(("industry", "market"), TRADES)
def test_a_trade_is_known_by_its_words(industry: str, market: str) -> None:
    found = find_market(industry)

    assert found
    assert found[0].id == market


@pytest.mark.parametrize("market", markets().values(), ids=list(markets()))
def test_a_market_speaks_the_vocabularys_language(market: object) -> None:
    held = msgspec.to_builtins(market)

    assert len({buyers()[id_].name for id_ in held["buyers"]}) >= 2
    assert all(buyers()[id_].naics for id_ in held["buyers"])
    assert len({roles()[id_].title for id_ in held["personas"]}) >= 2
    assert len({occasions()[id_].name for id_ in held["signals"]}) >= 2


@pytest.mark.parametrize(
    "facts", [CompanyFacts(domain="x.test"), CompanyFacts(domain="x.test", industry="", description="", employees=5)]
)
def test_where_there_is_nothing_to_infer_from_what_is_missing_is_told(facts: CompanyFacts) -> None:
    inference = infer(facts)

    assert inference.icp == Icp()
    assert inference.confidence == 0
    assert inference.reasoning == ()
    assert any("industry" in wanted for wanted in inference.raise_confidence)
    assert any("homepage" in wanted for wanted in inference.raise_confidence)


def test_a_description_narrows_a_wide_industry() -> None:
    inference = infer(FACTS)

    assert [one.id for one in inference.icp.industries] == ["ecommerce", "retail", "fashion", "consumer_goods"]
    assert [one.id for one in inference.icp.personas] == ["ecommerce_manager", "cmo", "chief_digital"]
    assert [(one.name, one.category) for one in inference.icp.technologies] == [(None, "ecommerce_platform")]
    (size,) = inference.icp.company_size
    assert (size.minimum, size.maximum) == (50, 1_000)
    (place,) = inference.icp.geographies
    assert (place.name, place.countries) == ("Germany", ("DE",))
    assert inference.reasoning[0] == (
        '"product search" in the description: such companies usually sell to these industries: '
        "E-commerce, Retail, Fashion and apparel, Consumer goods."
    )
    assert inference.reasoning[1:] == (
        "Who decides there is usually one of these: E-commerce Manager, CMO, Chief Digital Officer.",
        "Occasions to buy are usually these: website redesign, web traffic growth, expansion into new markets.",
        "Headcount 340: vendors of this size mostly sell to companies of 50-1000 employees.",
        "Seat in Germany: the home market comes first.",
    )


def test_everything_inferred_names_the_fact_it_comes_from() -> None:
    icp = infer(FACTS).icp
    founds = [one.found for name in Icp.__struct_fields__ for one in getattr(icp, name)]

    assert {found.field for found in founds} == {"inferred"}
    assert {found.text for found in founds} == {
        '"product search" in the description',
        "headcount 340",
        "seat in Germany",
    }
    assert all(found.end == len(found.text) and 0 < found.confidence < 1 for found in founds)


def test_a_narrow_industry_goes_before_the_description() -> None:
    inference = know(industry="Commercial banking", description="We use cloud software.")

    assert inference.icp.personas[0].id == "cfo"


def test_industry_and_description_that_agree_raise_the_confidence() -> None:
    alone, together = know(industry="Airlines"), know(industry="Airlines", description="An airline for islands.")

    assert together.confidence > alone.confidence
    assert 'The same is told by "airline" in the description.' in together.reasoning


@pytest.mark.parametrize(
    ("surer", "less_sure"),
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
def test_confidence_follows_what_is_known(surer: dict[str, object], less_sure: dict[str, object]) -> None:
    assert 0 <= know(**less_sure).confidence < know(**surer).confidence <= 1


def test_sellers_to_consumers_are_told_as_such() -> None:
    inference = know(technologies=(("Sanity", "CMS"), ("Shopify", "E-commerce platform")))

    assert inference.reasoning[0].startswith("Shopify on the site: such companies sell mostly to consumers")


def test_an_unknown_trade_leaves_size_and_place_only() -> None:
    inference = know(industry="Taxidermy", employees=8, country_code="FR")

    assert inference.icp.industries == ()
    assert inference.icp.geographies[0].name == "FR"
    assert inference.icp.company_size[0].maximum == 250
    assert 0 < inference.confidence < 0.25
    assert "stays open" in inference.reasoning[0]


def test_an_unknown_trade_alone_gives_nothing() -> None:
    assert (know(industry="Taxidermy").icp, know(industry="Taxidermy").confidence) == (Icp(), 0)


@pytest.mark.parametrize(
    ("employees", "band"),
    [(1, (10, 250)), (50, (10, 250)), (51, (50, 1_000)), (5_000, (200, 5_000)), (90_000, (1_000, None))],
)
def test_the_vendors_size_sets_the_size_of_its_customers(employees: int, band: tuple[int, int | None]) -> None:
    (size,) = know(industry="Telecommunications", employees=employees).icp.company_size

    assert (size.minimum, size.maximum) == band


def test_simulated_facts_are_said_to_be() -> None:
    inference = infer(msgspec.structs.replace(FACTS, simulated=True))

    assert "simulated" in inference.reasoning[0]
    assert "live sources" in inference.raise_confidence[-1]


def test_who_is_sure_enough_asks_for_nothing() -> None:
    inference = know(
        industry="Airlines and telecommunications",
        description="Wireless telecommunications",
        employees=10,
        country_code="US",
    )

    assert inference.confidence >= 0.6
    assert inference.raise_confidence == ()


def test_an_inferred_profile_makes_a_blueprint() -> None:
    sections = choose(infer(FACTS).icp)

    headcount = sections.firmographic[0]
    assert (headcount.id, headcount.filter.text) == ("headcount", "50-1000 employees")
    assert headcount.priority_reason == "Inferred from headcount 340."
