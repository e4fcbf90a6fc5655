"""
The choice of data points for a profile, and their filters.
"""

import msgspec
import pytest

from enrichment.blueprint.catalogue import catalogue
from enrichment.blueprint.choosing import Sections, choose
from enrichment.blueprint.criteria import (
    Criteria,
    FoundInProfile,
    ProfileFunding,
    ProfileIndustry,
    ProfilePersona,
    ProfilePlace,
    ProfileRange,
    ProfileSignal,
    ProfileTechnology,
)
from schemas import PointFilter, RecommendedPoint

POINTS = {point.id: point for point in catalogue()}


def found(text: str, field: str = "text") -> FoundInProfile:
    return FoundInProfile(field=field, text=text, start=0, end=len(text), confidence=0.9)


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


def signal(name: str, within_days: int | None = None, *, excluded: bool = False) -> ProfileSignal:
    words = name.replace("_", " ")
    return ProfileSignal(id=name, name=words, found=found(words), excluded=excluded, within_days=within_days)


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
    (Criteria(company_size=(size(None, 10), size(5, None))),
     "headcount", "employees", "gte", 10, "10 or more employees"),
    (Criteria(company_size=(size(200, 1_000), size(500, 600, excluded=True))),
     "headcount", "employees", "between_any", ((200, 499), (601, 1_000)), "200-499 or 601-1000 employees"),
    (Criteria(company_size=(size(None, 49, excluded=True),)),
     "headcount", "employees", "gte", 50, "50 or more employees"),
    (Criteria(company_size=(size(5_001, None, excluded=True), size(200, None))),
     "headcount", "employees", "between", (200, 5_000), "200-5000 employees"),
    (Criteria(company_size=(size(200, 1_000), size(200, 1_000, excluded=True))),
     "headcount", "employees", "gte", 10, "10 or more employees"),
    (Criteria(revenue=(money(10_000_000, 50_000_000),)),
     "revenue_band", "annual_revenue", "between", (10_000_000, 50_000_000), "USD 10M-50M in annual revenue"),
    (Criteria(revenue=(money(1_500_000, None, "EUR"),)),
     "revenue_band", "annual_revenue", "gte", 1_500_000, "EUR 1.5M or more in annual revenue"),
    (Criteria(revenue=(money(None, 1_234_567, None),)),
     "revenue_band", "annual_revenue", "lte", 1_234_567, "up to USD 1,234,567 in annual revenue"),
    (Criteria(revenue=(money(2_000_000_000, None, "GBP"), money(500_000, None, "USD"))),
     "revenue_band", "annual_revenue", "gte", 2_000_000_000,
     "GBP 2B or more or USD 500K or more in annual revenue"),
    (Criteria(revenue=(msgspec.structs.replace(money(5_000_000, None), measure="arr"),)),
     "recurring_revenue", "annual_recurring_revenue", "gte", 5_000_000,
     "USD 5M or more in annual recurring revenue"),
    (Criteria(funding_amount=(msgspec.structs.replace(money(20_000_000, None), measure="funding"),)),
     "funding_total", "total_funding", "gte", 20_000_000, "USD 20M or more raised in total"),
    (Criteria(industries=(industry("Retail", "44", "45"), industry("Hotels", "7211"))),
     "industry_codes", "naics", "in", ("44", "45", "7211"),
     "industry is Retail (NAICS 44, 45) or Hotels (NAICS 7211)"),
    (Criteria(industries=(industry("Gambling", "7132", excluded=True),)),
     "industry_codes", "naics", "not_in", ("7132",), "excluded: industry is Gambling (NAICS 7132)"),
    (Criteria(industries=(industry("Retail", "44", "45"),)),
     "industry_niche", "niche_keywords", "contains_any", ("Retail",), "describes itself with Retail"),
    (Criteria(geographies=(country("Germany", "DE"), country("Austria", "AT"))),
     "hq_country", "hq.country_code", "in", ("DE", "AT"), "head office in Germany (DE) or Austria (AT)"),
    (Criteria(geographies=(country("DACH", "AT", "CH", "DE"), country("Switzerland", "CH", excluded=True))),
     "hq_country", "hq.country_code", "in", ("AT", "DE"), "head office in DACH (AT, DE)"),
    (Criteria(geographies=(country("Russia", "RU", excluded=True),)),
     "hq_country", "hq.country_code", "not_in", ("RU",), "excluded: head office in Russia (RU)"),
    (Criteria(geographies=(country("Many", *[f"A{letter}" for letter in "BCDEFGHIJKLMN"]),)),
     "hq_country", "hq.country_code", "in", tuple(f"A{letter}" for letter in "BCDEFGHIJKLMN"),
     "head office in Many (13 countries)"),
    (Criteria(geographies=(state("Texas"),)),
     "hq_country", "hq.country_code", "in", ("US",), "head office in US"),
    (Criteria(geographies=(state("Texas"),)),
     "hq_locality", "hq.locality", "in", ("Texas",), "head office in Texas"),
    (Criteria(geographies=(country("United States", "US"), state("Texas", excluded=True))),
     "hq_country", "hq.country_code", "in", ("US",), "head office in United States (US)"),
    (Criteria(technologies=(product("Shopify", "ecommerce_platform"), product("Magento", "ecommerce_platform"))),
     "commerce_platform", "technologies.commerce_platform", "contains_any", ("Shopify", "Magento"),
     "sells online with Shopify or Magento"),
    (Criteria(technologies=(product("Shopify", "ecommerce_platform"), product(None, "ecommerce_platform"))),
     "commerce_platform", "technologies.commerce_platform", "contains_any", ("Shopify",), "sells online with Shopify"),
    (Criteria(technologies=(product("Salesforce", "crm", excluded=True),)),
     "crm", "technologies.crm", "not_in", ("Salesforce",), "excluded: keeps customers in Salesforce"),
    (Criteria(technologies=(product("Foo", "teleporters"),)),
     "technology_list", "technologies", "contains_any", ("Foo",), "uses Foo"),
    (Criteria(technologies=(product(None, "teleporters"),)),
     "technology_list", "technologies", "contains_any", ("teleporters",), "uses teleporters"),
    (Criteria(technologies=(product("Shopify", "ecommerce_platform"),)),
     "job_ad_technologies", "open_roles.technologies", "contains_any", ("Shopify",), "job ads name Shopify"),
    (Criteria(personas=(persona("CMO", "marketing"), persona("CMO", "marketing"), persona("CIO", "it"))),
     "decision_makers", "contacts.title", "contains_any", ("CMO", "CIO"), "somebody holds the title CMO or CIO"),
    (Criteria(personas=(persona("CMO", "marketing"), persona("CIO", "it"), persona("CEO", "executive"))),
     "department_headcounts", "departments", "contains_any", ("marketing", "it"), "has a team in marketing or IT"),
    (Criteria(funding=(funding("series_b"), funding("seed", excluded=True))),
     "funding_stage", "funding_stage", "in", ("series_b",), "funding stage is series b"),
    (Criteria(funding=(funding("bootstrapped"),)),
     "ownership", "ownership", "in", ("bootstrapped",), "ownership is bootstrapped"),
    (Criteria(funding=(funding("public"),)),
     "public_listing", "is_listed", "eq", True, "shares are publicly traded"),
    (Criteria(funding=(funding("public", excluded=True),)),
     "public_listing", "is_listed", "eq", False, "excluded: shares are publicly traded"),
    (Criteria(business_models=(signal("b2b"), signal("saas"))),
     "business_model", "business_model", "contains_any", ("b2b", "saas"), "business model is b2b or saas"),
    (Criteria(signals=(signal("hiring"),)),
     "open_roles", "open_roles.posted_at", "within_days", 30, "a role posted in the last 30 days"),
    (Criteria(signals=(signal("funding_round", 180), signal("funding_round", 90))),
     "funding_news", "funding_news.date", "within_days", 180, "funding announced in the last 180 days"),
    (Criteria(signals=(signal("leadership_change", 365),)),
     "leadership_change", "leadership_change.date", "within_days", 365,
     "a leader came or went in the last 365 days"),
    (Criteria(signals=(signal("layoffs", excluded=True),)),
     "restructuring", "restructuring.date", "not_within_days", 180,
     "excluded: cuts announced in the last 180 days"),
    (Criteria(signals=(signal("headcount_growth", 365),)),
     "headcount_growth", "employees_growth_12m", "gte", 10, "headcount up 10 % or more in 12 months"),
    (Criteria(signals=(signal("negative_reviews"),)),
     "customer_reviews", "review_rating", "lte", 3.8, "rated 3.8 or less of 5"),
    (Criteria(signals=(signal("solar_eclipse"),)),
     "recent_news", "news.date", "within_days", 60, "in the news in the last 60 days: solar eclipse"),
    (Criteria(),
     "headcount", "employees", "gte", 10, "10 or more employees"),
    (Criteria(),
     "revenue_band", "annual_revenue", "gte", 1_000_000, "USD 1M or more in annual revenue"),
    (Criteria(),
     "crm", "technologies.crm", "exists", True, "CRM: known"),
    (Criteria(),
     "value_proposition", "value_proposition", "exists", True, "Value proposition: known"),
    (Criteria(funding=(funding("public"),)),
     "market_cap", "market_cap", "gte", 300_000_000, "market value of USD 300M or more"),
    (Criteria(personas=(persona("CMO", "marketing"),)),
     "traffic_volume", "monthly_visits", "gte", 50_000, "50,000 or more visits a month"),
    (Criteria(signals=(signal("ipo"),)),
     "public_listing", "is_listed", "eq", True, "shares are publicly traded"),
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
        (Criteria(), "industry_codes", "NAICS 2022 code or prefix"),
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
        field="technologies.crm",
        operator="not_in",
        value=("Salesforce",),
        unit="product name",
        text="excluded: keeps customers in Salesforce",
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
        Criteria(industries=(industry("Other"),)),
        Criteria(revenue=(money(0, None),)),
    ],
)
def test_criterion_that_allows_everything_leaves_the_default_filter(profile: Criteria) -> None:
    points, default = all_points(choose(profile)), all_points(choose(Criteria()))

    for id_ in ("headcount", "industry_codes", "revenue_band"):
        assert points[id_].filter == default[id_].filter


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
def test_each_group_has_4_to_14_different_points(profile: Criteria) -> None:
    sections = choose(profile)
    for group in (sections.firmographic, sections.technographic, sections.personalization):
        assert 4 <= len(group) <= 14
    assert len(all_points(sections)) == sum(
        len(group) for group in (sections.firmographic, sections.technographic, sections.personalization)
    )


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

    assert recommended.sources == point.sources
    assert recommended.collection_methods == point.collection_methods
    assert recommended.validation == point.validation
    assert (recommended.module, recommended.refresh_days, recommended.cost_class) == (
        point.module,
        point.refresh_days,
        point.cost_class,
    )
