"""
The profile decides which data points are collected, with exact filters; nonsense decides nothing.
"""

import msgspec
import pytest

from enrichment.blueprint.catalogue import catalogue
from enrichment.blueprint.choosing import choose
from enrichment.blueprint.values import (
    DataPoint,
    Filter,
    Found,
    Funding,
    Icp,
    Industry,
    Persona,
    Place,
    Range,
    Sections,
    Signal,
    Unread,
    WantedTechnology,
)

POINTS = {point.id: point for point in catalogue()}


def found(text: str, field: str = "text") -> Found:
    return Found(field=field, text=text, start=0, end=len(text), confidence=0.9)


def size(minimum: int | None, maximum: int | None, *, excluded: bool = False) -> Range:
    return Range(minimum=minimum, maximum=maximum, found=found(f"{minimum} to {maximum}"), excluded=excluded)


def money(minimum: int | None, maximum: int | None, currency: str | None = "USD") -> Range:
    return Range(minimum=minimum, maximum=maximum, currency=currency, measure="revenue", found=found("money"))


def industry(name: str, *naics: str, excluded: bool = False) -> Industry:
    return Industry(id=name.lower(), name=name, naics=naics, sic=(), found=found(name), excluded=excluded)


def country(name: str, *codes: str, excluded: bool = False) -> Place:
    kind = "country" if len(codes) == 1 else "region"
    return Place(name=name, countries=codes, kind=kind, found=found(name), excluded=excluded)  # type: ignore[arg-type]


def state(name: str, *, excluded: bool = False) -> Place:
    return Place(name=name, countries=("US",), kind="subdivision", found=found(name), excluded=excluded)


def product(name: str | None, category: str, *, excluded: bool = False) -> WantedTechnology:
    return WantedTechnology(name=name, category=category, found=found(name or category), excluded=excluded)


def persona(title: str, department: str, *, excluded: bool = False) -> Persona:
    return Persona(id=title, title=title, department=department, seniority="any", found=found(title), excluded=excluded)


def funding(stage: str, *, excluded: bool = False) -> Funding:
    return Funding(stage=stage, name=stage.replace("_", " "), found=found(stage), excluded=excluded)


def signal(name: str, within_days: int | None = None, *, excluded: bool = False) -> Signal:
    words = name.replace("_", " ")
    return Signal(id=name, name=words, found=found(words), excluded=excluded, within_days=within_days)


def all_points(sections: Sections) -> dict[str, DataPoint]:
    groups = (sections.firmographic, sections.technographic, sections.personalization)
    return {point.id: point for group in groups for point in group}


def chosen(icp: Icp, id_: str, *, offer: str | None = None) -> DataPoint:
    return all_points(choose(icp, offer=offer))[id_]


RETAILERS = Icp(
    industries=(industry("Retail", "44", "45"),),
    company_size=(size(200, 1_000),),
    revenue=(money(10_000_000, None, "EUR"),),
    geographies=(country("DACH", "AT", "CH", "DE"),),
    technologies=(product("Shopify", "ecommerce_platform"), product("Algolia", "search", excluded=True)),
    personas=(persona("Head of E-commerce", "ecommerce"),),
    signals=(signal("hiring", 90),),
)
STARTUPS = Icp(
    business_models=(signal("saas"), signal("b2b")),
    funding=(funding("series_a"), funding("series_b")),
    personas=(persona("CTO", "engineering"),),
    technologies=(product(None, "cloud"),),
    signals=(signal("funding_round"),),
)

# fmt: off
FILTERS = [
    # what the profile says, the point, and its filter's field, operator, value and words
    (Icp(company_size=(size(200, 1_000),)),
     "headcount", "employees", "between", (200, 1_000), "200-1000 employees"),
    (Icp(company_size=(size(500, None),)),
     "headcount", "employees", "gte", 500, "500 or more employees"),
    (Icp(company_size=(size(None, 50),)),
     "headcount", "employees", "lte", 50, "up to 50 employees"),
    (Icp(company_size=(size(50, 50),)),
     "headcount", "employees", "between", (50, 50), "50 employees"),
    (Icp(company_size=(size(200, 500), size(10, 50))),
     "headcount", "employees", "between_any", ((10, 50), (200, 500)), "10-50 or 200-500 employees"),
    (Icp(company_size=(size(51, 200), size(11, 50))),
     "headcount", "employees", "between", (11, 200), "11-200 employees"),
    (Icp(company_size=(size(5_000, None), size(None, 10))),
     "headcount", "employees", "between_any", ((None, 10), (5_000, None)), "up to 10 or 5000 or more employees"),
    (Icp(company_size=(size(None, 10), size(5, None))),
     "headcount", "employees", "gte", 10, "10 or more employees"),
    (Icp(company_size=(size(200, 1_000), size(500, 600, excluded=True))),
     "headcount", "employees", "between_any", ((200, 499), (601, 1_000)), "200-499 or 601-1000 employees"),
    (Icp(company_size=(size(None, 49, excluded=True),)),
     "headcount", "employees", "gte", 50, "50 or more employees"),
    (Icp(company_size=(size(5_001, None, excluded=True), size(200, None))),
     "headcount", "employees", "between", (200, 5_000), "200-5000 employees"),
    (Icp(company_size=(size(200, 1_000), size(200, 1_000, excluded=True))),
     "headcount", "employees", "gte", 10, "10 or more employees"),
    (Icp(revenue=(money(10_000_000, 50_000_000),)),
     "revenue_band", "annual_revenue", "between", (10_000_000, 50_000_000), "USD 10M-50M in annual revenue"),
    (Icp(revenue=(money(1_500_000, None, "EUR"),)),
     "revenue_band", "annual_revenue", "gte", 1_500_000, "EUR 1.5M or more in annual revenue"),
    (Icp(revenue=(money(None, 1_234_567, None),)),
     "revenue_band", "annual_revenue", "lte", 1_234_567, "up to USD 1,234,567 in annual revenue"),
    (Icp(revenue=(money(2_000_000_000, None, "GBP"), money(500_000, None, "USD"))),
     "revenue_band", "annual_revenue", "gte", 2_000_000_000,
     "GBP 2B or more or USD 500K or more in annual revenue"),
    (Icp(revenue=(msgspec.structs.replace(money(5_000_000, None), measure="arr"),)),
     "recurring_revenue", "annual_recurring_revenue", "gte", 5_000_000,
     "USD 5M or more in annual recurring revenue"),
    (Icp(funding_amount=(msgspec.structs.replace(money(20_000_000, None), measure="funding"),)),
     "funding_total", "total_funding", "gte", 20_000_000, "USD 20M or more raised in total"),
    (Icp(industries=(industry("Retail", "44", "45"), industry("Hotels", "7211"))),
     "industry_codes", "naics", "in", ("44", "45", "7211"),
     "industry is Retail (NAICS 44, 45) or Hotels (NAICS 7211)"),
    (Icp(industries=(industry("Gambling", "7132", excluded=True),)),
     "industry_codes", "naics", "not_in", ("7132",), "excluded: industry is Gambling (NAICS 7132)"),
    (Icp(industries=(industry("Retail", "44", "45"),)),
     "industry_niche", "niche_keywords", "contains_any", ("Retail",), "describes itself with Retail"),
    (Icp(geographies=(country("Germany", "DE"), country("Austria", "AT"))),
     "hq_country", "hq.country_code", "in", ("DE", "AT"), "head office in Germany (DE) or Austria (AT)"),
    (Icp(geographies=(country("DACH", "AT", "CH", "DE"), country("Switzerland", "CH", excluded=True))),
     "hq_country", "hq.country_code", "in", ("AT", "DE"), "head office in DACH (AT, DE)"),
    (Icp(geographies=(country("Russia", "RU", excluded=True),)),
     "hq_country", "hq.country_code", "not_in", ("RU",), "excluded: head office in Russia (RU)"),
    (Icp(geographies=(country("Many", *[f"A{letter}" for letter in "BCDEFGHIJKLMN"]),)),
     "hq_country", "hq.country_code", "in", tuple(f"A{letter}" for letter in "BCDEFGHIJKLMN"),
     "head office in Many (13 countries)"),
    (Icp(geographies=(state("Texas"),)),
     "hq_country", "hq.country_code", "in", ("US",), "head office in US"),
    (Icp(geographies=(state("Texas"),)),
     "hq_locality", "hq.locality", "in", ("Texas",), "head office in Texas"),
    (Icp(geographies=(country("United States", "US"), state("Texas", excluded=True))),
     "hq_country", "hq.country_code", "in", ("US",), "head office in United States (US)"),
    (Icp(technologies=(product("Shopify", "ecommerce_platform"), product("Magento", "ecommerce_platform"))),
     "commerce_platform", "technologies.commerce_platform", "contains_any", ("Shopify", "Magento"),
     "sells online with Shopify or Magento"),
    (Icp(technologies=(product("Shopify", "ecommerce_platform"), product(None, "ecommerce_platform"))),
     "commerce_platform", "technologies.commerce_platform", "contains_any", ("Shopify",), "sells online with Shopify"),
    (Icp(technologies=(product("Salesforce", "crm", excluded=True),)),
     "crm", "technologies.crm", "not_in", ("Salesforce",), "excluded: keeps customers in Salesforce"),
    (Icp(technologies=(product("Foo", "teleporters"),)),
     "technology_list", "technologies", "contains_any", ("Foo",), "uses Foo"),
    (Icp(technologies=(product(None, "teleporters"),)),
     "technology_list", "technologies", "contains_any", ("teleporters",), "uses teleporters"),
    (Icp(technologies=(product("Shopify", "ecommerce_platform"),)),
     "job_ad_technologies", "open_roles.technologies", "contains_any", ("Shopify",), "job ads name Shopify"),
    (Icp(personas=(persona("CMO", "marketing"), persona("CMO", "marketing"), persona("CIO", "it"))),
     "decision_makers", "contacts.title", "contains_any", ("CMO", "CIO"), "somebody holds the title CMO or CIO"),
    (Icp(personas=(persona("CMO", "marketing"), persona("CIO", "it"), persona("CEO", "executive"))),
     "department_headcounts", "departments", "contains_any", ("marketing", "it"), "has a team in marketing or IT"),
    (Icp(funding=(funding("series_b"), funding("seed", excluded=True))),
     "funding_stage", "funding_stage", "in", ("series_b",), "funding stage is series b"),
    (Icp(funding=(funding("bootstrapped"),)),
     "ownership", "ownership", "in", ("bootstrapped",), "ownership is bootstrapped"),
    (Icp(funding=(funding("public"),)),
     "public_listing", "is_listed", "eq", True, "shares are publicly traded"),
    (Icp(funding=(funding("public", excluded=True),)),
     "public_listing", "is_listed", "eq", False, "excluded: shares are publicly traded"),
    (Icp(business_models=(signal("b2b"), signal("saas"))),
     "business_model", "business_model", "contains_any", ("b2b", "saas"), "business model is b2b or saas"),
    (Icp(signals=(signal("hiring"),)),
     "open_roles", "open_roles.posted_at", "within_days", 30, "a role posted in the last 30 days"),
    (Icp(signals=(signal("funding_round", 180), signal("funding_round", 90))),
     "funding_news", "funding_news.date", "within_days", 180, "funding announced in the last 180 days"),
    (Icp(signals=(signal("leadership_change", 365),)),
     "leadership_change", "leadership_change.date", "within_days", 365,
     "a leader came or went in the last 365 days"),
    (Icp(signals=(signal("layoffs", excluded=True),)),
     "restructuring", "restructuring.date", "not_within_days", 180,
     "excluded: cuts announced in the last 180 days"),
    (Icp(signals=(signal("headcount_growth", 365),)),
     "headcount_growth", "employees_growth_12m", "gte", 10, "headcount up 10 % or more in 12 months"),
    (Icp(signals=(signal("negative_reviews"),)),
     "customer_reviews", "review_rating", "lte", 3.8, "rated 3.8 or less of 5"),
    (Icp(signals=(signal("solar_eclipse"),)),
     "recent_news", "news.date", "within_days", 60, "in the news in the last 60 days: solar eclipse"),
    (Icp(),
     "headcount", "employees", "gte", 10, "10 or more employees"),
    (Icp(),
     "revenue_band", "annual_revenue", "gte", 1_000_000, "USD 1M or more in annual revenue"),
    (Icp(),
     "crm", "technologies.crm", "exists", True, "CRM: known"),
    (Icp(),
     "value_proposition", "value_proposition", "exists", True, "Value proposition: known"),
    (Icp(funding=(funding("public"),)),
     "market_cap", "market_cap", "gte", 300_000_000, "market value of USD 300M or more"),
    (Icp(personas=(persona("CMO", "marketing"),)),
     "traffic_volume", "monthly_visits", "gte", 50_000, "50,000 or more visits a month"),
    (Icp(signals=(signal("ipo"),)),
     "public_listing", "is_listed", "eq", True, "shares are publicly traded"),
]
# fmt: on


@pytest.mark.parametrize(("icp", "id_", "field", "operator", "value", "text"), FILTERS)
def test_a_filter_holds_exactly_what_the_profile_says(
    icp: Icp, id_: str, field: str, operator: str, value: object, text: str
) -> None:
    held = chosen(icp, id_).filter

    assert (held.field, held.operator, held.value, held.text) == (field, operator, value, text)


@pytest.mark.parametrize(
    ("icp", "id_", "unit"),
    [
        (Icp(revenue=(money(1, None, "EUR"),)), "revenue_band", "EUR a year"),
        (Icp(revenue=(money(1, None, None),)), "revenue_band", "USD a year"),
        (Icp(company_size=(size(1, 10),)), "headcount", "employees"),
        (Icp(), "industry_codes", "NAICS 2022 code or prefix"),
    ],
)
def test_a_filter_says_what_its_value_counts(icp: Icp, id_: str, unit: str) -> None:
    assert chosen(icp, id_).filter.unit == unit


def test_a_category_stands_for_its_products_less_those_that_are_excluded() -> None:
    point = chosen(Icp(technologies=(product(None, "crm"), product("Salesforce", "crm", excluded=True))), "crm")

    assert isinstance(point.filter.value, tuple)
    assert {"HubSpot", "Pipedrive"} <= set(point.filter.value)
    assert "Salesforce" not in point.filter.value
    assert "others" in point.filter.text
    assert point.also == Filter(
        field="technologies.crm",
        operator="not_in",
        value=("Salesforce",),
        unit="product name",
        text="excluded: keeps customers in Salesforce",
    )


def test_what_is_wanted_and_what_is_excluded_are_both_held() -> None:
    icp = Icp(industries=(industry("Finance", "52"), industry("Banking", "5221", excluded=True)))
    point = chosen(icp, "industry_codes")

    assert point.filter.value == ("52",)
    assert point.also
    assert (point.also.operator, point.also.value) == ("not_in", ("5221",))


@pytest.mark.parametrize(
    "icp",
    [
        Icp(geographies=(country("Germany", "DE"), country("Germany", "DE", excluded=True))),
        Icp(
            technologies=(product("Shopify", "ecommerce_platform"), product(None, "ecommerce_platform", excluded=True))
        ),
        Icp(signals=(signal("hiring"), signal("hiring", excluded=True))),
    ],
)
def test_a_contradiction_makes_no_empty_list(icp: Icp) -> None:
    for point in all_points(choose(icp)).values():
        for held in (point.filter, point.also):
            assert held is None or held.value != ()


@pytest.mark.parametrize(
    "icp",
    [Icp(company_size=(size(None, None),)), Icp(industries=(industry("Other"),)), Icp(revenue=(money(0, None),))],
)
def test_what_narrows_nothing_leaves_the_default(icp: Icp) -> None:
    held, plain = all_points(choose(icp)), all_points(choose(Icp()))

    for id_ in ("headcount", "industry_codes", "revenue_band"):
        assert held[id_].filter == plain[id_].filter


def test_what_the_profile_states_is_a_must_and_the_reason_quotes_it() -> None:
    points = all_points(choose(RETAILERS))

    for id_, words in [
        ("headcount", "200 to 1000"),
        ("hq_country", "DACH"),
        ("industry_codes", "Retail"),
        ("revenue_band", "money"),
        ("commerce_platform", "Shopify"),
        ("site_search", "Algolia"),
        ("decision_makers", "Head of E-commerce"),
        ("open_roles", "hiring"),
    ]:
        assert points[id_].priority == "must_have"
        verb = "excludes" if id_ == "site_search" else "says"
        assert points[id_].priority_reason == f'The profile {verb} "{words}".'


def test_what_bears_on_the_profile_ranks_below_what_it_states() -> None:
    points = all_points(choose(RETAILERS))

    assert points["payments"].priority == "should_have"
    assert points["payments"].priority_reason == 'The profile says "Retail", and this bears on it.'
    assert points["markets_served"].priority == "should_have"


def test_a_reason_quotes_a_few_words_only() -> None:
    icp = Icp(industries=tuple(industry(f"Trade {number}", f"7{number}") for number in range(5)))

    assert chosen(icp, "industry_codes").priority_reason == 'The profile says "Trade 0", "Trade 1", "Trade 2" and more.'


def test_a_reason_tells_what_is_excluded_from_what_is_wanted() -> None:
    icp = Icp(geographies=(country("DACH", "AT", "CH", "DE"), country("Austria", "AT", excluded=True)))

    assert chosen(icp, "hq_country").priority_reason == 'The profile says "DACH" and excludes "Austria".'


def test_figures_go_before_words_for_sizes() -> None:
    words = Range(minimum=100, maximum=1_000, found=found("mid-market"))

    assert chosen(Icp(company_size=(words, size(50, 500))), "headcount").filter.text == "50-500 employees"
    assert chosen(Icp(company_size=(words,)), "headcount").filter.text == "100-1000 employees"


def test_a_criterion_alone_makes_a_point_nice_to_have() -> None:
    point = chosen(Icp(company_size=(size(10, 50),)), "corporate_family")

    assert point.priority == "nice_to_have"
    assert point.priority_reason == "The profile has something on company size."


def test_what_is_only_inferred_says_so_and_makes_no_condition_of_hints() -> None:
    fact = found('industry "Software"', field="inferred")
    icp = Icp(
        company_size=(Range(minimum=50, maximum=1_000, found=fact),),
        signals=(Signal(id="hiring", name="Hiring", found=fact),),
    )
    points = all_points(choose(icp))

    assert points["headcount"].priority == "must_have"
    assert points["headcount"].priority_reason == 'Inferred from industry "Software".'
    assert points["open_roles"].priority == "should_have"


def test_points_come_by_priority() -> None:
    order = ["must_have", "should_have", "nice_to_have"]
    sections = choose(RETAILERS)
    for group in (sections.firmographic, sections.technographic, sections.personalization):
        ranks = [order.index(point.priority) for point in group]
        assert ranks == sorted(ranks)


def test_the_same_profile_gives_the_same_blueprint() -> None:
    again = msgspec.json.decode(msgspec.json.encode(RETAILERS), type=Icp)

    assert msgspec.json.encode(choose(RETAILERS)) == msgspec.json.encode(choose(again))


def test_two_profiles_give_two_blueprints() -> None:
    retailers, startups = all_points(choose(RETAILERS)), all_points(choose(STARTUPS))
    common = retailers.keys() & startups.keys()

    assert len(common) / len(retailers.keys() | startups.keys()) < 0.6
    assert {id_ for id_ in common if retailers[id_].filter != startups[id_].filter}
    assert {"site_search", "commerce_platform"} <= retailers.keys() - startups.keys()
    assert {"funding_stage", "cloud_hosting", "funding_news"} <= startups.keys() - retailers.keys()


def test_words_that_were_not_understood_add_nothing() -> None:
    nonsense = Icp(
        not_understood=(Unread(field="text", text="flibber", start=0, end=7),), contradictions=("flibber and flabber",)
    )

    assert choose(nonsense, offer="flibber flabber of quux") == choose(Icp())


EVERYTHING = Icp(
    industries=(industry("Retail", "44"), industry("Hotels", "7211")),
    company_size=(size(10, 50),),
    revenue=(money(1, None), msgspec.structs.replace(money(1, None), measure="arr")),
    geographies=(country("Germany", "DE"), state("Texas")),
    technologies=tuple(
        product(None, keyword.removeprefix("technology:"))
        for point in catalogue()
        for keyword in point.keywords
        if point.filled_by == "technologies" and keyword.startswith("technology:") and point.group == "technographic"
    ),
    personas=(persona("CMO", "marketing"),),
    funding=(funding("series_a"), funding("public"), funding("bootstrapped")),
    funding_amount=(msgspec.structs.replace(money(1, None), measure="funding"),),
    signals=tuple(
        signal(keyword.removeprefix("signal:"))
        for point in catalogue()
        for keyword in point.keywords
        if keyword.startswith("signal:")
    ),
    business_models=(signal("b2b"),),
)


@pytest.mark.parametrize(
    "icp", [Icp(), RETAILERS, STARTUPS, EVERYTHING, Icp(personas=(persona("CIO", "it"),))], ids=str.__name__.format
)
def test_no_group_is_too_small_or_too_large(icp: Icp) -> None:
    sections = choose(icp)
    for group in (sections.firmographic, sections.technographic, sections.personalization):
        assert 4 <= len(group) <= 14
    assert len(all_points(sections)) == sum(
        len(group) for group in (sections.firmographic, sections.technographic, sections.personalization)
    )


def test_an_offer_raises_what_it_names() -> None:
    plain, offered = chosen(RETAILERS, "payments"), chosen(RETAILERS, "payments", offer="We process card payments.")

    assert (plain.priority, offered.priority) == ("should_have", "must_have")
    assert offered.priority_reason.endswith('The offer speaks of "payments".')
    assert plain.filter == offered.filter


@pytest.mark.parametrize(
    ("offer", "id_", "said"),
    [
        ("Site-search for shops", "site_search", "site search"),
        ("The best e-commerce platforms", "commerce_platform", "ecommerce platform"),
        ("an Algolia alternative", "site_search", "Algolia"),
        ("marketing automation", "marketing_automation", "marketing automation"),
    ],
)
def test_an_offer_may_bring_a_point_in(offer: str, id_: str, said: str) -> None:
    point = chosen(Icp(), id_, offer=offer)

    assert id_ not in all_points(choose(Icp()))
    assert point.priority == "should_have"
    assert point.priority_reason == f'The offer speaks of "{said}".'
    assert point.filter.value is True


@pytest.mark.parametrize(
    "offer",
    ["", "Segment your customers, heap praise on them", "algolia, in lower case", "researches the site searching"],
)
def test_an_offer_that_names_nothing_of_the_catalogue_changes_nothing(offer: str) -> None:
    assert choose(RETAILERS, offer=offer) == choose(RETAILERS)


def test_modules_are_those_of_the_points_and_what_follows_from_them() -> None:
    sections = choose(RETAILERS)
    named = {point.module for point in all_points(sections).values()} - {None}

    assert list(sections.modules) == sorted(set(sections.modules))
    assert named <= set(sections.modules)
    assert set(sections.modules) - named <= {"m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"}
    assert {"m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"} <= set(sections.modules)


def test_without_a_hard_criterion_there_is_nothing_to_score() -> None:
    modules = choose(Icp()).modules

    assert "m01_company_context" in modules
    assert "m14_icp_scoring" not in modules
    assert "m15_displacement_angle" not in modules


def test_sources_are_ranked_by_what_they_cover() -> None:
    sections = choose(RETAILERS)
    points = all_points(sections)

    assert [len(one.covers) for one in sections.sources] == sorted(
        (len(one.covers) for one in sections.sources), reverse=True
    )
    assert {source.provider for point in points.values() for source in point.sources} == {
        one.provider for one in sections.sources
    }
    for one in sections.sources:
        assert set(one.covers) <= points.keys()
    apollo = next(one for one in sections.sources if one.provider == "Apollo")
    assert apollo.key_required
    assert apollo.why.startswith(f"Covers {len(apollo.covers)} of the {len(points)} data points, ")
    website = next(one for one in sections.sources if one.provider == "Company website")
    assert (website.key_required, website.cost) == (False, "free")


def test_a_data_point_carries_the_catalogues_advice() -> None:
    point, held = POINTS["headcount"], chosen(RETAILERS, "headcount")

    assert held.sources == point.sources
    assert held.collection_methods == point.collection_methods
    assert held.validation == point.validation
    assert (held.module, held.refresh_days, held.cost_class) == (point.module, point.refresh_days, point.cost_class)
