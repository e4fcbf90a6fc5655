"""
The catalogue is complete, speaks the vocabulary's language, and names real places to get its data from.
"""

import json
from collections import Counter
from itertools import combinations
from typing import Any

import msgspec
import pytest

from enrichment.blueprint.catalogue import Term, catalogue, ordinary_words, products, takes, terms
from enrichment.blueprint.values import CataloguePoint, Found, Funding, Icp, Persona, Signal
from tests.conftest import ROOT

VOCABULARY = ROOT / "enrichment" / "blueprint" / "reading" / "vocabulary"
MODULES = {
    "m01_company_context",
    "m02_tech_stack",
    "m03_traffic",
    "m04_traffic_sources",
    "m05_competitors",
    "m06_keywords",
    "m07_financials",
    "m08_stock_info",
    "m09_analyst_ratings",
    "m10_hiring_signals",
    "m11_exec_quotes",
    "m12_trigger_events",
    "m13_case_study_match",
    "m14_icp_scoring",
    "m15_displacement_angle",
}
POINTS = catalogue()
IDS = [point.id for point in POINTS]
each_point = pytest.mark.parametrize("point", POINTS, ids=IDS)


def vocabulary(file: str, *keys: str) -> list[dict[str, Any]]:
    held = json.loads((VOCABULARY / f"{file}.json").read_text())
    return [one for key in keys for one in held[key]]


KNOWN = {
    "technology": {one["id"] for one in vocabulary("technologies", "categories")},
    "signal": {one["id"] for one in vocabulary("signals", "signals")},
    "funding": {one["id"] for one in vocabulary("funding", "stages", "others")},
    "model": {one["id"] for one in vocabulary("business_models", "models")},
    "industry": {one["id"] for one in vocabulary("industries", "industries")},
    "department": {one["id"] for one in vocabulary("personas", "departments")}
    | {one["department"] for one in vocabulary("personas", "roles")},
}


def test_there_are_enough_points_in_each_group() -> None:
    sizes = Counter(point.group for point in POINTS)

    assert len(POINTS) >= 66
    assert sizes.keys() == {"firmographic", "technographic", "personalization"}
    assert min(sizes.values()) >= 20


def test_each_id_name_and_filter_field_stands_once() -> None:
    for values in (IDS, [point.name for point in POINTS], [point.filter_field for point in POINTS]):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_groups_do_not_overlap() -> None:
    for one, other in combinations(POINTS, 2):
        if one.group != other.group:
            first, second = (set(point.definition.casefold().split()) for point in (one, other))
            assert len(first & second) / len(first | second) < 0.5, f"{one.id} and {other.id}"


@each_point
def test_a_point_has_sources_methods_and_validation(point: CataloguePoint) -> None:
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
def test_a_point_says_what_it_is_and_how_its_filter_reads(point: CataloguePoint) -> None:
    assert all((point.name, point.definition, point.why, point.example, point.filter_unit))
    assert point.module is None or point.module in MODULES
    assert 1 <= point.refresh_days <= 365
    assert point.expected_fill_rate is None or 0 < point.expected_fill_rate <= 1
    assert point.cost_class == point.sources[0].cost
    filled = point.filter_template.format(value="X")
    assert ("X" in filled) == (point.filter_operator not in ("exists", "eq"))


@each_point
def test_what_has_no_number_is_known_or_not(point: CataloguePoint) -> None:
    is_number = point.filter_operator in ("gte", "lte", "within_days")

    assert (point.default_value is True) != is_number
    assert point.filled_by != "signals" or is_number


@each_point
def test_criteria_and_keywords_are_known(point: CataloguePoint) -> None:
    assert point.criteria
    assert set(point.criteria) <= {"always", *Icp.__struct_fields__}
    for keyword in point.keywords:
        kind, _, name = keyword.partition(":")
        assert kind == "word" or name in KNOWN[kind] | {"*", "other"}, keyword


def test_nearly_every_optional_field_is_filled() -> None:
    values = [getattr(point, name) for point in POINTS for name in ("module", "privacy_note", "expected_fill_rate")]
    notes = [source.note for point in POINTS for source in point.sources]
    filled = [value for value in values + notes if value is not None]

    assert len(filled) / len(values + notes) >= 0.9


@pytest.mark.parametrize("group", ["firmographic", "technographic", "personalization"])
def test_some_points_of_each_group_belong_to_every_blueprint(group: str) -> None:
    assert 4 <= sum("always" in point.criteria and point.group == group for point in POINTS) <= 6


@pytest.mark.parametrize("point", [point for point in POINTS if point.id in ("decision_makers", "leadership_change")])
def test_where_persons_are_concerned_the_point_says_how_to_treat_them(point: CataloguePoint) -> None:
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
def test_whatever_a_profile_can_name_some_point_takes(filled_by: str, kind: str) -> None:
    takers = [point for point in POINTS if point.filled_by == filled_by]
    nobody = {name for name in KNOWN[kind] if not any(takes(point, f"{kind}:{name}") for point in takers)}

    assert nobody <= {"executive", "any"}


def test_each_category_of_technologies_has_its_own_point_and_products() -> None:
    takers = [point for point in POINTS if point.filled_by == "technologies" and "technology:*" not in point.keywords]
    for category in KNOWN["technology"]:
        assert len([point for point in takers if takes(point, f"technology:{category}")]) == 1, category
        assert products()[category]
    assert "Segment" in ordinary_words()


def test_what_no_point_knows_goes_to_the_one_that_takes_the_rest() -> None:
    takers = [point.id for point in POINTS if takes(point, "signal:solar_eclipse")]

    assert takers == ["recent_news"]


def test_terms_are_what_is_wanted() -> None:
    found = Found(field="text", text="x", start=0, end=1, confidence=1.0)
    icp = Icp(
        personas=(Persona(id="cmo", title="CMO", department="marketing", seniority="c_level", found=found),),
        funding=(Funding(stage="seed", name="Seed", found=found, excluded=True),),
        signals=(Signal(id="hiring", name="Hiring", found=found),),
    )

    assert terms(icp) == (
        Term(keyword="department:marketing", found=found),
        Term(keyword="signal:hiring", found=found),
    )


def test_the_catalogue_is_read_once_and_can_be_written_out() -> None:
    assert catalogue() is POINTS
    assert msgspec.json.decode(msgspec.json.encode(POINTS), type=tuple[CataloguePoint, ...]) == POINTS
