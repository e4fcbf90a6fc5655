"""
The catalogue: every data point is complete, uses the ids of the vocabulary, and names real sources.
"""

from collections import Counter
from itertools import combinations

import pytest

from enrichment.blueprint.catalogue import (
    CataloguePoint,
    ProfileKeyword,
    ambiguous_products,
    catalogue,
    matches,
    products,
    profile_keywords,
)
from enrichment.blueprint.criteria import Criteria, FoundInProfile, ProfileFunding, ProfilePersona, ProfileSignal
from enrichment.icp.vocabulary import vocabulary
from enrichment.modules.table import MODULES

POINTS = catalogue()
IDS = [point.id for point in POINTS]
each_point = pytest.mark.parametrize("point", POINTS, ids=IDS)

VOCABULARY: dict[str, set[str]] = {
    "technology": {one.id for one in vocabulary().by_id("category")},
    "signal": {one.id for one in vocabulary().by_id("signal")} | {"hiring"},
    "funding": {one.id for one in (*vocabulary().by_id("stage"), *vocabulary().by_id("ownership"))},
    "model": {one.id for one in vocabulary().by_id("model")},
    "industry": {one.id for one in vocabulary().by_id("industry")},
    "department": {one.department or "" for one in (*vocabulary().by_id("function"), *vocabulary().by_id("role"))},
}
"The ids that keywords may contain, by their kind."


def test_each_group_has_enough_points() -> None:
    sizes = Counter(point.group for point in POINTS)

    assert len(POINTS) >= 66
    assert sizes.keys() == {"firmographic", "technographic", "personalization"}
    assert min(sizes.values()) >= 20


def test_ids_names_and_filter_fields_are_unique() -> None:
    for values in (IDS, [point.name for point in POINTS], [point.filter_field for point in POINTS]):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_points_of_different_groups_have_different_definitions() -> None:
    for one, other in combinations(POINTS, 2):
        if one.group != other.group:
            first, second = (set(point.definition.casefold().split()) for point in (one, other))
            assert len(first & second) / len(first | second) < 0.5, f"{one.id} and {other.id}"


@each_point
def test_point_has_sources_methods_and_validation(point: CataloguePoint) -> None:
    assert len(point.sources) >= 2
    for source in point.sources:
        assert source.endpoint.split()[0] in ("GET", "POST")
        assert source.url.startswith("https://")
        assert source.field
    assert len({one.method for one in point.collection_methods}) >= 2
    assert len({one.method for one in point.collection_methods}) == len(point.collection_methods)
    for method in point.collection_methods:
        assert len(method.steps) >= 3
        assert all(len(step) > 20 for step in method.steps)
    assert len(point.validation) >= 2


@each_point
def test_point_is_described_and_its_filter_has_words(point: CataloguePoint) -> None:
    assert all((point.name, point.definition, point.why, point.example, point.filter_unit))
    assert point.module is None or point.module in MODULES
    assert 1 <= point.refresh_days <= 365
    assert point.expected_fill_rate is None or 0 < point.expected_fill_rate <= 1
    assert point.cost_class == point.sources[0].cost
    text = point.filter_template.format(value="X")
    assert ("X" in text) == (point.filter_operator not in ("exists", "eq"))


@each_point
def test_default_value_is_a_number_only_for_numeric_operators(point: CataloguePoint) -> None:
    is_number = point.filter_operator in ("gte", "lte", "within_days")

    assert (point.default_value is True) != is_number
    assert point.filled_by != "signals" or is_number


@each_point
def test_criteria_and_keywords_exist(point: CataloguePoint) -> None:
    assert point.criteria
    assert set(point.criteria) <= {"always", *Criteria.__struct_fields__}
    for keyword in point.keywords:
        kind, _, name = keyword.partition(":")
        assert kind == "word" or name in VOCABULARY[kind] | {"*", "other"}, keyword


def test_most_optional_fields_are_set() -> None:
    values = [getattr(point, name) for point in POINTS for name in ("module", "privacy_note", "expected_fill_rate")]
    notes = [source.note for point in POINTS for source in point.sources]
    present = [value for value in values + notes if value is not None]

    assert len(present) / len(values + notes) >= 0.9


@pytest.mark.parametrize("group", ["firmographic", "technographic", "personalization"])
def test_each_group_has_universal_points(group: str) -> None:
    assert 4 <= sum("always" in point.criteria and point.group == group for point in POINTS) <= 6


@pytest.mark.parametrize("point", [point for point in POINTS if point.id in ("decision_makers", "leadership_change")])
def test_points_with_personal_data_have_a_privacy_note(point: CataloguePoint) -> None:
    assert point.privacy_note
    assert "Personal data" in point.privacy_note


@pytest.mark.parametrize(
    ("filled_by", "kind"),
    [
        ("technologies", "technology"),
        ("signals", "signal"),
        ("funding", "funding"),
        ("business_models", "model"),
        ("departments", "department"),
    ],
)
def test_every_criterion_matches_some_point(filled_by: str, kind: str) -> None:
    points = [point for point in POINTS if point.filled_by == filled_by]
    unmatched = {name for name in VOCABULARY[kind] if not any(matches(point, f"{kind}:{name}") for point in points)}

    assert unmatched <= {"executive", "any"}


def test_each_category_of_technologies_has_one_point_and_products() -> None:
    points = [point for point in POINTS if point.filled_by == "technologies" and "technology:*" not in point.keywords]
    for category in VOCABULARY["technology"]:
        assert len([point for point in points if matches(point, f"technology:{category}")]) == 1, category
        assert products(category)
    assert products("teleporters") == ()
    assert "Segment" in ambiguous_products()


def test_unknown_signal_matches_the_point_for_other_signals() -> None:
    assert [point.id for point in POINTS if matches(point, "signal:solar_eclipse")] == ["recent_news"]


def test_keywords_of_a_profile_do_not_include_what_it_excludes() -> None:
    found = FoundInProfile(field="text", text="x", start=0, end=1, confidence=1.0)
    profile = Criteria(
        personas=(ProfilePersona(title="CMO", department="marketing", found=found),),
        funding=(ProfileFunding(stage="seed", name="Seed", found=found, excluded=True),),
        signals=(ProfileSignal(id="hiring", name="Hiring", found=found),),
    )

    assert profile_keywords(profile) == (
        ProfileKeyword(keyword="department:marketing", found=found),
        ProfileKeyword(keyword="signal:hiring", found=found),
    )
