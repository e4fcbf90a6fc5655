"""
The choice of data points for a profile, and their filters.
"""

import re
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from enrichment.blueprint.catalogue import catalogue
from enrichment.blueprint.choosing import Sections, choose
from enrichment.blueprint.criteria import (
    Criteria,
    FoundInProfile,
    ProfileFunding,
    ProfileIndustry,
    ProfileNumber,
    ProfilePersona,
    ProfilePlace,
    ProfileRange,
    ProfileSignal,
    ProfileTechnology,
    criteria_of,
    without_point,
)
from enrichment.blueprint.sourcing import DEFAULT_TITLES, fitting_methods, registers
from enrichment.icp.profiles import read_profile
from enrichment.modules.places import code_of_country
from enrichment.modules.table import MODULES
from schemas import CustomerProfile, Measure, PointFilter, RecommendedPoint, StandardPoint
from tests.profiles_of_leads import condition

POINTS = {point.id: point for point in catalogue()}


def found(text: str, field: str = "text", **more: Any) -> FoundInProfile:
    return FoundInProfile(field=field, text=text, start=0, end=len(text), confidence=0.9, **more)


def size(minimum: int | None, maximum: int | None, *, excluded: bool = False) -> ProfileRange:
    return ProfileRange(minimum=minimum, maximum=maximum, found=found(f"{minimum} to {maximum}"), excluded=excluded)


def money(minimum: int | None, maximum: int | None, currency: str | None = "USD") -> ProfileRange:
    return ProfileRange(minimum=minimum, maximum=maximum, currency=currency, measure="revenue", found=found("money"))


def industry(name: str, *naics: str, excluded: bool = False) -> ProfileIndustry:
    return ProfileIndustry(id=name.lower(), name=name, naics=naics, found=found(name), excluded=excluded)


def country(name: str, *codes: str, excluded: bool = False) -> ProfilePlace:
    kind = "country" if len(codes) == 1 else "region"
    return ProfilePlace(name=name, countries=codes, kind=kind, found=found(name), excluded=excluded)  # type: ignore[arg-type]


def state(name: str, *, excluded: bool = False) -> ProfilePlace:
    return ProfilePlace(name=name, countries=("US",), kind="subdivision", found=found(name), excluded=excluded)


def product(name: str | None, category: str, *, excluded: bool = False) -> ProfileTechnology:
    return ProfileTechnology(name=name, category=category, found=found(name or category), excluded=excluded)


def persona(title: str, department: str, *, excluded: bool = False) -> ProfilePersona:
    return ProfilePersona(title=title, department=department, found=found(title), excluded=excluded)


def funding(stage: str, *, excluded: bool = False) -> ProfileFunding:
    return ProfileFunding(stage=stage, name=stage.replace("_", " "), found=found(stage), excluded=excluded)


def signal(
    id_: str, within_days: int | None = None, *, name: str | None = None, excluded: bool = False
) -> ProfileSignal:
    words = name or id_.replace("_", " ")
    return ProfileSignal(
        id=id_, name=words, found=found(words), excluded=excluded, within_days=within_days, is_specific=bool(name)
    )


def number(
    point: str, minimum: int | None, maximum: int | None, label: str, *, excluded: bool = False
) -> ProfileNumber:
    return ProfileNumber(
        point=point, minimum=minimum, maximum=maximum, unit="u", label=label, excluded=excluded, found=found(label)
    )


def all_points(sections: Sections) -> dict[str, RecommendedPoint]:
    groups = (sections.firmographic, sections.technographic, sections.personalization)
    return {point.id: point for group in groups for point in group}


def chosen(profile: Criteria, id_: str, *, offer: str | None = None) -> RecommendedPoint:
    return all_points(choose(profile, offer=offer))[id_]


RETAILERS = Criteria(
    industries=(industry("Retail", "44", "45"),),
    company_size=(size(200, 1_000),),
    revenue=(money(10_000_000, None, "EUR"),),
    geographies=(country("DACH", "AT", "CH", "DE"),),
    technologies=(product("Shopify", "ecommerce_platform"), product("Algolia", "search", excluded=True)),
    personas=(persona("Head of E-commerce", "ecommerce"),),
    signals=(signal("hiring", 90),),
)
STARTUPS = Criteria(
    business_models=(signal("saas"), signal("b2b")),
    funding=(funding("series_a"), funding("series_b")),
    personas=(persona("CTO", "engineering"),),
    technologies=(product(None, "cloud"),),
    signals=(signal("funding_round"),),
)

# fmt: off
FILTERS = [
    # the profile, the point, and the field, operator, value, and words of its filter
    (Criteria(company_size=(size(200, 1_000),)),
     "headcount", "employees", "between", (200, 1_000), "200-1000 employees"),
    (Criteria(company_size=(size(500, None),)),
     "headcount", "employees", "gte", 500, "500 or more employees"),
    (Criteria(company_size=(size(None, 50),)),
     "headcount", "employees", "lte", 50, "up to 50 employees"),
    (Criteria(company_size=(size(50, 50),)),
     "headcount", "employees", "between", (50, 50), "50 employees"),
    (Criteria(company_size=(size(200, 500), size(10, 50))),
     "headcount", "employees", "between_any", ((10, 50), (200, 500)), "10-50 or 200-500 employees"),
    (Criteria(company_size=(size(51, 200), size(11, 50))),
     "headcount", "employees", "between", (11, 200), "11-200 employees"),
    (Criteria(company_size=(size(5_000, None), size(None, 10))),
     "headcount", "employees", "between_any", ((None, 10), (5_000, None)), "up to 10 or 5000 or more employees"),
    (Criteria(company_size=(size(200, 1_000), size(500, 600, excluded=True))),
     "headcount", "employees", "between_any", ((200, 499), (601, 1_000)), "200-499 or 601-1000 employees"),
    (Criteria(company_size=(size(None, 49, excluded=True),)),
     "headcount", "employees", "gte", 50, "50 or more employees"),
    (Criteria(company_size=(size(5_001, None, excluded=True), size(200, None))),
     "headcount", "employees", "between", (200, 5_000), "200-5000 employees"),
    (Criteria(revenue=(money(10_000_000, 50_000_000),)),
     "revenue_band", "revenue", "between", (10_000_000, 50_000_000), "USD 10M-50M in annual revenue"),
    (Criteria(revenue=(money(1_500_000, None, "EUR"),)),
     "revenue_band", "revenue", "gte", 1_500_000, "EUR 1.5M or more in annual revenue"),
    (Criteria(revenue=(money(None, 1_234_567, None),)),
     "revenue_band", "revenue", "lte", 1_234_567, "up to USD 1,234,567 in annual revenue"),
    (Criteria(revenue=(money(2_000_000_000, None, "GBP"), money(500_000, None, "USD"))),
     "revenue_band", "revenue", "gte", 2_000_000_000,
     "GBP 2B or more or USD 500K or more in annual revenue"),
    (Criteria(revenue=(msgspec.structs.replace(money(5_000_000, None), measure="arr"),)),
     "recurring_revenue", "annual_recurring_revenue", "gte", 5_000_000,
     "USD 5M or more in annual recurring revenue"),
    (Criteria(funding_amount=(msgspec.structs.replace(money(20_000_000, None), measure="funding"),)),
     "funding_total", "events[type=funding].headline", "gte", 20_000_000, "USD 20M or more raised in total"),
    (Criteria(industries=(industry("Retail", "44", "45"), industry("Hotels", "7211"))),
     "industry_codes", "naics_code", "in", ("44", "45", "7211"),
     "industry is Retail (NAICS 44, 45) or Hotels (NAICS 7211)"),
    (Criteria(industries=(industry("Gambling", "7132", excluded=True),)),
     "industry_codes", "naics_code", "not_in", ("7132",), "excluded: industry is Gambling (NAICS 7132)"),
    (Criteria(industries=(industry("Retail", "44", "45"),)),
     "industry_niche", "description", "contains_any", ("Retail",), "describes itself with Retail"),
    (Criteria(geographies=(country("Germany", "DE"), country("Austria", "AT"))),
     "hq_country", "country", "in", ("DE", "AT"), "head office in Germany (DE) or Austria (AT)"),
    (Criteria(geographies=(country("DACH", "AT", "CH", "DE"), country("Switzerland", "CH", excluded=True))),
     "hq_country", "country", "in", ("AT", "DE"), "head office in DACH (AT, DE)"),
    (Criteria(geographies=(country("Russia", "RU", excluded=True),)),
     "hq_country", "country", "not_in", ("RU",), "excluded: head office in Russia (RU)"),
    (Criteria(geographies=(country("Many", *[f"A{letter}" for letter in "BCDEFGHIJKLMN"]),)),
     "hq_country", "country", "in", tuple(f"A{letter}" for letter in "BCDEFGHIJKLMN"),
     "head office in Many (13 countries)"),
    (Criteria(geographies=(state("Texas"),)),
     "hq_country", "country", "in", ("US",), "head office in US"),
    (Criteria(geographies=(state("Texas"),)),
     "hq_locality", "hq", "in", ("Texas",), "head office in Texas"),
    (Criteria(geographies=(country("United States", "US"), state("Texas", excluded=True))),
     "hq_country", "country", "in", ("US",), "head office in United States (US)"),
    (Criteria(technologies=(product("Shopify", "ecommerce_platform"), product("Magento", "ecommerce_platform"))),
     "commerce_platform", "technologies.name", "contains_any", ("Shopify", "Magento"),
     "sells online with Shopify or Magento"),
    (Criteria(technologies=(product("Shopify", "ecommerce_platform"), product(None, "ecommerce_platform"))),
     "commerce_platform", "technologies.name", "contains_any", ("Shopify",), "sells online with Shopify"),
    (Criteria(technologies=(product("Salesforce", "crm", excluded=True),)),
     "crm", "technologies.name", "not_in", ("Salesforce",), "excluded: keeps customers in Salesforce"),
    (Criteria(technologies=(product("Foo", "teleporters"),)),
     "technology_list", "technologies.name", "contains_any", ("Foo",), "uses Foo"),
    (Criteria(technologies=(product(None, "teleporters"),)),
     "technology_list", "technologies.name", "contains_any", ("teleporters",), "uses teleporters"),
    (Criteria(technologies=(product("Shopify", "ecommerce_platform"),)),
     "job_ad_technologies", "technologies_mentioned", "contains_any", ("Shopify",), "job ads name Shopify"),
    (Criteria(personas=(persona("CMO", "marketing"), persona("CMO", "marketing"), persona("CIO", "it"))),
     "decision_makers", "contacts.title", "contains_any", ("CMO", "CIO"), "somebody holds the title CMO or CIO"),
    (Criteria(personas=(persona("CMO", "marketing"), persona("CIO", "it"), persona("CEO", "executive"))),
     "department_headcounts", "departments", "contains_any", ("marketing", "it"), "has a team in marketing or IT"),
    (Criteria(funding=(funding("series_b"), funding("seed", excluded=True))),
     "funding_stage", "events[type=funding].headline", "in", ("series_b",), "funding stage is series b"),
    (Criteria(funding=(funding("bootstrapped"),)),
     "ownership", "company_type", "in", ("bootstrapped",), "ownership is bootstrapped"),
    (Criteria(funding=(funding("public"),)),
     "public_listing", "is_listed", "eq", True, "shares are publicly traded"),
    (Criteria(funding=(funding("public", excluded=True),)),
     "public_listing", "is_listed", "eq", False, "excluded: shares are publicly traded"),
    (Criteria(business_models=(signal("b2b"), signal("saas"))),
     "business_model", "business_model", "contains_any", ("b2b", "saas"), "business model is b2b or saas"),
    (Criteria(signals=(signal("hiring"),)),
     "open_roles", "posted_last_30_days", "within_days", 30, "a role posted in the last 30 days"),
    (Criteria(signals=(signal("funding_round", 180), signal("funding_round", 90))),
     "funding_news", "events[type=funding].date", "within_days", 180, "funding announced in the last 180 days"),
    (Criteria(signals=(signal("leadership_change", 365),)),
     "leadership_change", "events[type=leadership_change].date", "within_days", 365,
     "a leader came or went in the last 365 days"),
    (Criteria(signals=(signal("layoffs", excluded=True),)),
     "restructuring", "events[type=restructuring].date", "not_within_days", 180,
     "excluded: cuts announced in the last 180 days"),
    (Criteria(signals=(signal("headcount_growth", 365),)),
     "headcount_growth", "employees_growth_12m", "gte", 10, "headcount up 10 % or more in 12 months"),
    (Criteria(signals=(signal("negative_reviews"),)),
     "customer_reviews", "review_rating", "lte", 3.8, "rated 3.8 or less of 5"),
    (Criteria(signals=(signal("solar_eclipse"),)),
     "recent_news", "events.date", "within_days", 60, "in the news in the last 60 days: solar eclipse"),
    (Criteria(funding=(funding("public"),)),
     "market_cap", "market_cap", "gte", 300_000_000, "market value of USD 300M or more"),
    (Criteria(personas=(persona("CMO", "marketing"),)),
     "traffic_volume", "monthly_visits", "gte", 50_000, "50,000 or more visits a month"),
    (Criteria(signals=(signal("ipo"),)),
     "public_listing", "is_listed", "eq", True, "shares are publicly traded"),
    (Criteria(personas=(persona("CMO", "marketing"),)),
     "competitors", "competitors.domain", "exists", True, "Competitors: known"),
    (Criteria(signals=(signal("leadership_change", 90, name="new CEO"), signal("leadership_change", name="new CFO"))),
     "leadership_change", "events[type=leadership_change].date", "within_days", 90,
     "a leader came or went in the last 90 days: new CEO or new CFO"),
    (Criteria(numbers=(number("company_age", 2015, None, "founded in 2015 or later"),)),
     "company_age", "founded", "gte", 2015, "founded in 2015 or later"),
    (Criteria(numbers=(number("company_age", 2015, None, "new"), number("company_age", None, 1950, "old"))),
     "company_age", "founded", "between_any", ((None, 1950), (2015, None)), "new or old"),
    (Criteria(numbers=(number("store_count", 10, 50, "10-50 locations", excluded=True),)),
     "store_count", "locations_count", "between_any", ((None, 9), (51, None)), "any; excluded: 10-50 locations"),
]
# fmt: on


@pytest.mark.parametrize(("profile", "id_", "field", "operator", "value", "text"), FILTERS)
def test_filter_has_the_values_of_the_profile(
    profile: Criteria, id_: str, field: str, operator: str, value: object, text: str
) -> None:
    filter_ = chosen(profile, id_).filter

    assert (filter_.field, filter_.operator, filter_.value, filter_.text) == (field, operator, value, text)


@pytest.mark.parametrize(
    ("profile", "id_", "unit"),
    [
        (Criteria(revenue=(money(1, None, "EUR"),)), "revenue_band", "EUR a year"),
        (Criteria(revenue=(money(1, None, None),)), "revenue_band", "USD a year"),
        (Criteria(company_size=(size(1, 10),)), "headcount", "employees"),
        (Criteria(industries=(industry("Retail", "44"),)), "industry_codes", "NAICS 2022 code or prefix"),
    ],
)
def test_filter_has_a_unit(profile: Criteria, id_: str, unit: str) -> None:
    assert chosen(profile, id_).filter.unit == unit


def test_category_includes_its_products_without_the_excluded_ones() -> None:
    point = chosen(Criteria(technologies=(product(None, "crm"), product("Salesforce", "crm", excluded=True))), "crm")

    assert isinstance(point.filter.value, tuple)
    assert {"HubSpot", "Pipedrive"} <= set(point.filter.value)
    assert "Salesforce" not in point.filter.value
    assert "others" in point.filter.text
    assert point.exclude == PointFilter(
        field="technologies.name",
        operator="not_in",
        value=("Salesforce",),
        unit="product name",
        text="excluded: keeps customers in Salesforce",
        module="m02_tech_stack",
        strength="must",
    )


def test_wanted_and_excluded_values_are_two_filters() -> None:
    profile = Criteria(industries=(industry("Finance", "52"), industry("Banking", "5221", excluded=True)))
    point = chosen(profile, "industry_codes")

    assert point.filter.value == ("52",)
    assert point.exclude
    assert (point.exclude.operator, point.exclude.value) == ("not_in", ("5221",))


@pytest.mark.parametrize(
    "profile",
    [
        Criteria(geographies=(country("Germany", "DE"), country("Germany", "DE", excluded=True))),
        Criteria(
            technologies=(product("Shopify", "ecommerce_platform"), product(None, "ecommerce_platform", excluded=True))
        ),
        Criteria(signals=(signal("hiring"), signal("hiring", excluded=True))),
    ],
)
def test_contradiction_does_not_result_in_an_empty_list(profile: Criteria) -> None:
    for point in all_points(choose(profile)).values():
        for filter_ in (point.filter, point.exclude):
            assert filter_ is None or filter_.value != ()


@pytest.mark.parametrize(
    "profile",
    [
        Criteria(company_size=(size(None, None),)),
        Criteria(company_size=(size(None, 10), size(5, None))),
        Criteria(company_size=(size(200, 1_000), size(200, 1_000, excluded=True))),
        Criteria(industries=(industry("Other"),)),
        Criteria(revenue=(money(0, None),)),
    ],
)
def test_criterion_that_allows_everything_determines_no_filter(profile: Criteria) -> None:
    points = all_points(choose(profile))

    for id_ in ("headcount", "industry_codes", "revenue_band"):
        assert id_ not in points or points[id_].filter.strength is None


def test_stated_criteria_are_must_haves_and_are_quoted() -> None:
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


def test_related_points_rank_below_stated_ones() -> None:
    points = all_points(choose(RETAILERS))

    assert points["payments"].priority == "should_have"
    assert points["payments"].priority_reason == 'The profile says "Retail", and this bears on it.'
    assert points["markets_served"].priority == "should_have"


def test_reason_quotes_at_most_three_passages() -> None:
    profile = Criteria(industries=tuple(industry(f"Trade {number}", f"7{number}") for number in range(5)))

    assert (
        chosen(profile, "industry_codes").priority_reason
        == 'The profile says "Trade 0", "Trade 1", "Trade 2" and more.'
    )


def test_reason_distinguishes_wanted_from_excluded() -> None:
    profile = Criteria(geographies=(country("DACH", "AT", "CH", "DE"), country("Austria", "AT", excluded=True)))

    assert chosen(profile, "hq_country").priority_reason == 'The profile says "DACH" and excludes "Austria".'


def test_figures_override_words_for_sizes() -> None:
    words = ProfileRange(minimum=100, maximum=1_000, found=found("mid-market"))

    assert chosen(Criteria(company_size=(words, size(50, 500))), "headcount").filter.text == "50-500 employees"
    assert chosen(Criteria(company_size=(words,)), "headcount").filter.text == "100-1000 employees"


def test_point_with_only_a_met_criterion_is_nice_to_have() -> None:
    point = chosen(Criteria(company_size=(size(10, 50),)), "corporate_family")

    assert point.priority == "nice_to_have"
    assert point.priority_reason == "The profile has something on company size."


def test_inferred_signals_are_not_must_haves() -> None:
    fact = found('industry "Software"', field="inferred")
    profile = Criteria(
        company_size=(ProfileRange(minimum=50, maximum=1_000, found=fact),),
        signals=(ProfileSignal(id="hiring", name="Hiring", found=fact),),
    )
    points = all_points(choose(profile))

    assert points["headcount"].priority == "must_have"
    assert points["headcount"].priority_reason == 'Inferred from industry "Software".'
    assert points["open_roles"].priority == "should_have"


def test_points_are_sorted_by_priority() -> None:
    order = ["must_have", "should_have", "nice_to_have"]
    sections = choose(RETAILERS)
    for group in (sections.firmographic, sections.technographic, sections.personalization):
        ranks = [order.index(point.priority) for point in group]
        assert ranks == sorted(ranks)


def test_different_profiles_result_in_different_points_and_filters() -> None:
    retailers, startups = all_points(choose(RETAILERS)), all_points(choose(STARTUPS))
    common = retailers.keys() & startups.keys()

    assert len(common) / len(retailers.keys() | startups.keys()) < 0.6
    assert {id_ for id_ in common if retailers[id_].filter != startups[id_].filter}
    assert {"site_search", "commerce_platform"} <= retailers.keys() - startups.keys()
    assert {"funding_stage", "cloud_hosting", "funding_news"} <= startups.keys() - retailers.keys()


def test_an_offer_that_mentions_nothing_changes_nothing() -> None:
    assert choose(Criteria(), offer="flibber flabber of quux") == choose(Criteria())


EVERYTHING = Criteria(
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
    "profile",
    [Criteria(), RETAILERS, STARTUPS, EVERYTHING, Criteria(personas=(persona("CIO", "it"),))],
    ids=str.__name__.format,
)
def test_each_group_has_up_to_14_points_and_no_point_stands_twice(profile: Criteria) -> None:
    sections = choose(profile)
    groups = (sections.firmographic, sections.technographic, sections.personalization)
    assert all(len(group) <= 14 for group in groups)
    ids = [point.id for group in (*groups, sections.standard) for point in group]
    assert len(ids) == len(set(ids))


def test_no_group_is_ever_empty() -> None:
    for profile in (Criteria(), Criteria(personas=(persona("CIO", "it"),)), RETAILERS):
        sections = choose(profile)
        assert all((sections.firmographic, sections.technographic, sections.personalization))


def test_a_detailed_profile_fills_each_group() -> None:
    for profile in (RETAILERS, STARTUPS, EVERYTHING):
        sections = choose(profile)
        assert all(len(each) >= 4 for each in (sections.firmographic, sections.technographic, sections.personalization))


def test_standard_points_are_few_and_short_and_apart_from_what_the_profile_asks_for() -> None:
    detailed = choose(RETAILERS)
    universal = [point.id for point in catalogue() if "always" in point.criteria]

    assert [point.id for point in detailed.standard] == [id_ for id_ in universal if id_ not in all_points(detailed)]
    assert len(universal) <= 16
    assert all(point.priority_reason[:4] != "Part" for point in all_points(detailed).values())
    one = choose(Criteria(technologies=(product("Shopify", "ecommerce_platform"),)))
    assert next(point for point in one.standard if point.id == "crm") == StandardPoint(
        id="crm", name="CRM", why=POINTS["crm"].why, module="m02_tech_stack", field="technologies.name"
    )


def test_a_group_that_the_profile_says_nothing_about_has_the_standard_points() -> None:
    sections = choose(Criteria(company_size=(size(1, 5),)))

    assert {point.id for point in sections.technographic} == {
        point.id for point in catalogue() if "always" in point.criteria and point.group == "technographic"
    }
    assert {point.priority_reason for point in sections.technographic} == {
        "Part of every blueprint; the profile does not narrow it."
    }
    assert not {point.id for point in sections.standard} & set(all_points(sections))


def test_offer_raises_the_priority_of_points_it_mentions() -> None:
    plain, offered = chosen(RETAILERS, "payments"), chosen(RETAILERS, "payments", offer="We process card payments.")

    assert (plain.priority, offered.priority) == ("should_have", "must_have")
    assert offered.priority_reason.endswith('The offer speaks of "payments".')
    assert plain.filter == offered.filter


@pytest.mark.parametrize(
    ("offer", "id_", "word"),
    [
        ("Site-search for shops", "site_search", "site search"),
        ("The best e-commerce platforms", "commerce_platform", "ecommerce platform"),
        ("an Algolia alternative", "site_search", "Algolia"),
        ("marketing automation", "marketing_automation", "marketing automation"),
    ],
)
def test_offer_adds_points_it_mentions(offer: str, id_: str, word: str) -> None:
    point = chosen(Criteria(), id_, offer=offer)

    assert id_ not in all_points(choose(Criteria()))
    assert point.priority == "should_have"
    assert point.priority_reason == f'The offer speaks of "{word}".'
    assert point.filter.value is True


@pytest.mark.parametrize(
    "offer",
    ["", "Segment your customers, heap praise on them", "algolia, in lower case", "researches the site searching"],
)
def test_offer_without_words_of_the_catalogue_changes_nothing(offer: str) -> None:
    assert choose(RETAILERS, offer=offer) == choose(RETAILERS)


def test_modules_are_those_of_the_points_and_the_modules_based_on_them() -> None:
    sections = choose(RETAILERS)
    named = {point.module for point in all_points(sections).values()} - {None}

    assert list(sections.modules) == sorted(set(sections.modules))
    assert named <= set(sections.modules)
    assert set(sections.modules) - named <= {"m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"}
    assert {"m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"} <= set(sections.modules)


def test_scoring_requires_must_haves() -> None:
    modules = choose(Criteria()).modules

    assert "m01_company_context" in modules
    assert "m14_icp_scoring" not in modules
    assert "m15_displacement_angle" not in modules


def test_sources_are_ranked_by_the_number_of_points_they_cover() -> None:
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


def test_recommended_point_has_the_fields_of_the_catalogue() -> None:
    point, recommended = POINTS["headcount"], chosen(RETAILERS, "headcount")

    assert recommended.sources == tuple(one for one in point.sources if one.provider != "SEC EDGAR")
    assert recommended.validation == point.validation
    assert (recommended.module, recommended.refresh_days, recommended.cost_class) == (
        point.module,
        point.refresh_days,
        point.cost_class,
    )


# Filters and modules

PATH = re.compile(r"(\w+)(?:\[(\w+)=(\w+)\])?(?:\.(\w+))?")


def fields_of(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape, include_extras=False)


def item_of(kind: Any) -> Any:
    """The type of the items of a list."""
    return get_args(kind)[0] if get_origin(kind) is tuple else None


@pytest.mark.parametrize("id_", [id_ for id_, point in POINTS.items() if point.module_field])
def test_every_filter_names_a_field_that_the_answer_of_its_module_has(id_: str) -> None:
    point = POINTS[id_]
    assert point.module
    path = PATH.fullmatch(point.module_field or "")
    assert path, point.module_field
    name, key, wanted, of_item = path.groups()
    kind = fields_of(MODULES[point.module].answer)[name]
    if of_item is None:
        return
    item = item_of(kind)
    assert of_item in fields_of(item)
    assert key is None or wanted in get_args(fields_of(item)[key])


def test_points_of_modules_name_a_field_but_for_those_that_take_several() -> None:
    assert {id_ for id_, point in POINTS.items() if point.module and not point.module_field} == {"financial_strength"}
    assert {id_ for id_, point in POINTS.items() if point.module_field and not point.module} == set()


def test_every_filter_of_every_point_names_its_module_and_field() -> None:
    for profile in (RETAILERS, STARTUPS, EVERYTHING):
        for id_, point in all_points(choose(profile)).items():
            for filter_ in (point.filter, point.exclude, *point.further_filters):
                if filter_ and POINTS[id_].module_field:
                    assert (filter_.module, filter_.field) == (POINTS[id_].module, POINTS[id_].module_field)
                elif filter_:
                    assert (filter_.module, filter_.field) == (None, POINTS[id_].filter_field)


# Alternatives and strengths


def blueprint_of(text: str, offer: str | None = None) -> dict[str, RecommendedPoint]:
    return all_points(choose(criteria_of(read_profile(text)), offer=offer))


def test_alternatives_in_different_points_have_the_number_of_their_group() -> None:
    points = blueprint_of("Headquartered in Germany or Texas, at least 50 employees")
    country, state, size = points["hq_country"].filter, points["hq_locality"].filter, points["headcount"].filter

    assert (country.value, state.value) == (("DE",), ("Texas",))
    assert country.any_of == state.any_of != size.any_of
    assert [country.strength, state.strength, size.strength] == ["must"] * 3
    assert country.conditions != state.conditions


def test_each_group_has_a_filter_and_wishes_come_after_requirements() -> None:
    profile = Criteria(
        technologies=(
            ProfileTechnology(
                name="HubSpot", category="crm", found=found("HubSpot", wish=True, any_of=1, condition="c1")
            ),
            ProfileTechnology(name="Pipedrive", category="crm", found=found("Pipedrive", any_of=2, condition="c2")),
            ProfileTechnology(name="Salesforce", category="crm", found=found("Salesforce", any_of=2, condition="c3")),
            product("Zoho CRM", "crm", excluded=True),
        )
    )
    point = chosen(profile, "crm")

    filters = [point.filter, *point.further_filters]
    assert [(each.value, each.strength, each.any_of, each.conditions) for each in filters] == [
        (("Pipedrive", "Salesforce"), "must", 2, ("c2", "c3")),
        (("HubSpot",), "should", 1, ("c1",)),
    ]
    assert point.exclude
    assert (point.exclude.operator, point.exclude.value) == ("not_in", ("Zoho CRM",))
    assert point.priority == "must_have"


def test_a_point_that_is_only_wished_for_should_be_had() -> None:
    assert blueprint_of("Ideally on Shopify")["commerce_platform"].priority == "should_have"


def test_numbers_of_a_profile_are_those_of_their_data_points() -> None:
    points = blueprint_of("Founded after 2014, more than 10 locations, at least 50,000 visits a month")

    assert points["company_age"].filter.operator == "gte"
    assert points["traffic_volume"].filter.value == 50_000
    assert (points["store_count"].filter.value, points["store_count"].filter.unit) == (11, "locations")


@pytest.mark.parametrize(
    ("target", "id_"),
    [(None, "revenue_growth"), ("headcount", "headcount_growth"), ("traffic", "traffic_growth")],
)
def test_the_growth_of_a_profile_is_that_of_the_figure_it_names(target: str | None, id_: str) -> None:
    given = condition(Measure.GROWTH, 20, operator="gte", target=target, unit="percent", label="growth over 20 %")
    point = all_points(choose(criteria_of(CustomerProfile(conditions=(given,)))))[id_]

    assert (point.filter.value, point.filter.unit, point.filter.text) == (20, "percent", "growth over 20 %")


def test_contradictory_numbers_are_no_filter() -> None:
    numbers = (number("company_age", 2015, None, "new"), number("company_age", 2015, None, "new", excluded=True))

    point = all_points(choose(Criteria(numbers=numbers))).get("company_age")
    assert point is None or point.filter.strength is None


def test_conditions_that_no_data_point_is_about_are_known() -> None:
    profile = read_profile("Retailers certified to ISO 27001")

    assert [one.measure for one in without_point(profile)] == ["certification"]


def test_usual_values_are_no_conditions_of_the_profile() -> None:
    point = chosen(RETAILERS, "payments")

    assert [point.filter.strength, point.filter.any_of, point.filter.conditions] == [None, None, ()]


def test_role_and_period_stand_in_the_filter_of_a_signal() -> None:
    points = blueprint_of("Companies that hired a Head of Security in the last 90 days")

    assert "Head of Security" in points["leadership_change"].filter.text
    assert points["leadership_change"].filter.value == 90


# Sources and steps


def steps_of(point: RecommendedPoint) -> list[str]:
    return [step for method in point.collection_methods for step in method.steps]


def test_steps_name_the_products_titles_and_roles_of_the_profile() -> None:
    points = blueprint_of("Shops on Shopify or Magento that hired a new CFO in the last 90 days")
    people = chosen(RETAILERS, "decision_makers")

    assert "Look for Shopify or Magento." in steps_of(points["commerce_platform"])
    assert (people.sources[0].provider, people.sources[0].endpoint) == ("Apollo", "POST /mixed_people/search")
    assert any("person_titles[]=Head of E-commerce and" in step for step in steps_of(people))
    assert any('"query": "{name} ' in step and "CFO" in step for step in steps_of(points["leadership_change"]))
    assert "{titles}" not in str(steps_of(people))


def test_without_titles_in_the_profile_steps_name_usual_ones() -> None:
    assert DEFAULT_TITLES in str(fitting_methods(POINTS["decision_makers"], Criteria(), None))


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("Companies with over $10M revenue", True),
        ("US companies with over $10M revenue", True),
        ("German companies with over €10M revenue", False),
        ("US companies with over $10M revenue, publicly traded", True),
        ("Bootstrapped US companies with over $10M revenue", False),
    ],
)
def test_the_sec_is_a_source_only_for_those_who_may_file_with_it(text: str, is_kept: bool) -> None:
    point = blueprint_of(text)["revenue_band"]

    assert ("SEC EDGAR" in {source.provider for source in point.sources}) == is_kept
    assert any("sec.gov" in step for step in steps_of(point)) == is_kept
    assert not any(method.steps[0].startswith("If that") for method in point.collection_methods)


def test_private_companies_file_offerings_with_the_sec() -> None:
    point = blueprint_of("US companies that raised a Series A")["funding_stage"]

    assert "SEC EDGAR" in {source.provider for source in point.sources}


def test_registers_of_the_countries_are_sources() -> None:
    points = blueprint_of("Software companies in Germany or the UK, founded after 2015")
    providers = {source.provider for source in points["company_age"].sources}

    assert {"Unternehmensregister", "Companies House"} <= providers
    assert any(
        "In Germany, look the company up in Unternehmensregister" in step for step in steps_of(points["company_age"])
    )
    everywhere = blueprint_of("Software companies in EMEA, founded after 2015")["company_age"]
    assert "KVK" not in providers
    assert "Companies House" not in {one.provider for one in everywhere.sources}


@pytest.mark.parametrize("code", registers())
def test_each_register_is_complete(code: str) -> None:
    register = registers()[code]

    assert code_of_country(register.country.removeprefix("the ")) == code
    assert register.url.startswith("https://")
    assert register.endpoint.split()[0] in ("GET", "POST")
