"""
Profiles as objects: conditions, and texts about one topic each.
"""

import re
from typing import Any

import msgspec
import pytest

from enrichment.errors import InvalidProfile, UnreadableProfile
from enrichment.icp.profiles import read_profile
from enrichment.icp.reader import read_text
from schemas import CustomerProfile, IcpObject
from tests.profiles import shown


def read(icp: dict[str, Any]) -> CustomerProfile:
    return read_profile(msgspec.convert(icp, IcpObject))


def groups(profile: CustomerProfile) -> list[set[str]]:
    found: dict[int, set[str]] = {}
    for one in profile.conditions:
        found.setdefault(one.any_of, set()).add(shown(one))
    return list(found.values())


TOPICS: list[tuple[dict[str, Any], list[set[str]]]] = [
    ({"industries": ["fintech", "Banking"]}, [{"industry fintech", "industry banking"}]),
    ({"industries": "fintech, IT and payments"}, [{"industry fintech", "industry it_services", "industry payments"}]),
    ({"company_size": "200-1000"}, [{"headcount 200..1000"}]),
    ({"company_size": "51-200, 201-500"}, [{"headcount 51..200", "headcount 201..500"}]),
    ({"company_size": ["51-200", "201-500"]}, [{"headcount 51..200", "headcount 201..500"}]),
    ({"company_size": [50, 200]}, [{"headcount 50..200"}]),
    ({"company_size": [50, None]}, [{"headcount 50.."}]),
    ({"company_size": {"min": 50}}, [{"headcount 50.."}]),
    ({"company_size": {"max": 50}}, [{"headcount ..50"}]),
    ({"company_size": 50}, [{"headcount 50..50"}]),
    ({"company_size": [50, 60, 70]}, [{"headcount 50..50", "headcount 60..60", "headcount 70..70"}]),
    ({"company_size": "$10M-$50M"}, [{"revenue 10000000..50000000 USD"}]),
    ({"revenue": "10M-50M"}, [{"revenue 10000000..50000000 USD"}]),
    ({"revenue": {"min": 5_000_000}}, [{"revenue 5000000.. USD"}]),
    ({"funding_amount": [1_000_000, 5_000_000]}, [{"funding_raised 1000000..5000000 USD"}]),
    ({"funding": "Series A-C"}, [{"funding_stage series_a..series_c"}]),
    ({"geographies": ["fr", "US", "Texas"]}, [{"headquarters FR", "headquarters US", "headquarters US-TX"}]),
    ({"geographies": ["DE", "ca"]}, [{"headquarters DE", "headquarters CA"}]),
    ({"geographies": "CA, TX"}, [{"headquarters US-CA", "headquarters US-TX"}]),
    ({"technologies": ["segment", "Go", "NOTION"]}, [{"technology Segment", "technology Go", "technology Notion"}]),
    ({"personas": ["marketing", "Head of IT"]}, [{"persona marketing", "persona Head of IT"}]),
    ({"business_models": ["B2B", "SaaS"]}, [{"business_model b2b"}, {"business_model saas"}]),
    (
        {"signals": ["hiring SDRs", "new CTO"]},
        [{"hiring @role=SDR", "leadership_change @role=CTO"}],
    ),
    ({"exclude": ["agencies", "HubSpot"]}, [{"!industry marketing_agencies"}, {"!technology HubSpot"}]),
]


@pytest.mark.parametrize(("icp", "expected"), TOPICS)
def test_topics_take_texts_lists_and_numbers(icp: dict[str, Any], expected: list[set[str]]) -> None:
    assert groups(read(icp)) == expected


CONDITIONS: list[tuple[dict[str, Any], list[set[str]]]] = [
    ({"measure": "industry", "value": ["Fintech", "retail"]}, [{"industry fintech", "industry retail"}]),
    ({"measure": "industry", "value": "naics:5415"}, [{"industry naics:5415"}]),
    ({"measure": "industry", "value": "sic:7372"}, [{"industry sic:7372"}]),
    ({"measure": "headcount", "value": {"min": 50, "max": 200}}, [{"headcount 50..200"}]),
    ({"measure": "headcount", "value": [50, 200]}, [{"headcount 50..200"}]),
    ({"measure": "headcount", "value": [50, None, 70]}, [{"headcount 50..50", "headcount 70..70"}]),
    ({"measure": "headcount", "operator": "gte", "value": 50}, [{"headcount 50.."}]),
    ({"measure": "revenue", "value": {"max": 5e6}, "currency": "EUR"}, [{"revenue ..5000000 EUR"}]),
    ({"measure": "founded", "value": 5, "unit": "years since"}, [{"founded 5..5 years since"}]),
    ({"measure": "founded", "operator": "lte", "value": 2015}, [{"founded ..2015"}]),
    ({"measure": "funding_stage", "operator": "gte", "value": "Series B"}, [{"funding_stage series_b.."}]),
    (
        {"measure": "funding_stage", "operator": "between", "value": ["seed", "series_b"]},
        [{"funding_stage seed..series_b"}],
    ),
    ({"measure": "headquarters", "value": "London", "strength": "should"}, [{"~headquarters london"}]),
    ({"measure": "technology", "value": "hubspot", "strength": "must_not"}, [{"!technology HubSpot"}]),
    ({"measure": "technology", "value": "A Tool of Ours"}, [{"technology A Tool of Ours"}]),
    ({"measure": "persona", "value": "Head of Loyalty"}, [{"persona Head of Loyalty"}]),
    ({"measure": "hiring", "about": {"role": "SDR", "within_days": 90}}, [{"hiring @role=SDR @days=90"}]),
    ({"measure": "hiring", "value": True}, [{"hiring"}]),
    ({"measure": "last_round", "operator": "exists"}, [{"last_round"}]),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions_are_completed(condition: dict[str, Any], expected: list[set[str]]) -> None:
    profile = read({"conditions": [condition]})

    assert groups(profile) == expected
    assert profile.read_by == "object"
    assert {one.quote.field for one in profile.conditions} == {"conditions"}
    assert all(one.label for one in profile.conditions)


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"measure": "industry", "value": "basketry"}, "/value", "no value 'basketry'. Possible are"),
    ({"measure": "industry"}, "/value", "needs a value"),
    ({"measure": "industry", "value": 5}, "/value", "takes a text"),
    ({"measure": "industry", "value": "x" * 200}, "/value", "…"),
    ({"measure": "headcount", "value": "many"}, "/value", "takes numbers"),
    ({"measure": "headcount", "value": {"min": 5, "max": 1}}, "", "above the upper end"),
    ({"measure": "headcount", "value": {}}, "", "`min`, `max` or both"),
    ({"measure": "funding_stage", "value": "series z"}, "/value", "pre_seed"),
    ({"measure": "hiring", "value": False}, "/value", "must_not"),
]


@pytest.mark.parametrize(("condition", "pointer", "words"), FAULTS)
def test_impossible_conditions_are_refused_with_their_place(
    condition: dict[str, Any], pointer: str, words: str
) -> None:
    with pytest.raises(InvalidProfile, match=re.escape(words)) as refused:
        read({"conditions": [{"measure": "hiring"}, condition]})

    assert refused.value.pointer == f"#/icp/conditions/1{pointer}"


def test_groups_of_conditions_are_kept_apart_from_those_of_texts() -> None:
    profile = read(
        {
            "conditions": [
                {"measure": "headquarters", "value": "DE", "any_of": 1},
                {"measure": "technology", "value": "Shopify", "any_of": 1},
                {"measure": "headquarters", "value": "FR", "any_of": 1, "strength": "must_not"},
                {"measure": "industry", "value": "retail"},
            ],
            "company_size": 50,
            "geographies": "Austria",
        }
    )

    assert groups(profile) == [
        {"headquarters DE", "technology Shopify"},
        {"!headquarters FR"},
        {"industry retail"},
        {"headcount 50..50"},
        {"headquarters AT"},
    ]
    assert profile.read_by == "rules"
    assert [one.id for one in profile.conditions] == ["c1", "c2", "c3", "c4", "c5", "c6"]


def test_conditions_of_an_answer_can_be_posted() -> None:
    given = read_profile(
        "Retailers in Germany or Texas with 50+ employees, €5M+ revenue, ideally Series B+, no agencies"
    )
    posted = msgspec.convert({"conditions": msgspec.to_builtins(given.conditions)}, IcpObject)

    assert groups(read_profile(posted)) == groups(given)


def test_label_in_a_text_overrides_the_topic_of_its_field() -> None:
    assert groups(read({"industries": "Size: 50-200"})) == [{"headcount 50..200"}]


@pytest.mark.parametrize("icp", ["the best ones", {"industries": "basketry"}, {"signals": ["soon"]}])
def test_profile_without_conditions_is_refused(icp: Any) -> None:
    given = icp if isinstance(icp, str) else msgspec.convert(icp, IcpObject)
    with pytest.raises(UnreadableProfile, match="Nothing in the given profile was understood") as refused:
        read_profile(given)

    assert refused.value.pointer == "#/icp"
    assert len(refused.value.suggestions) == 2


def test_codes_of_countries_are_quoted_as_given() -> None:
    (condition,) = read({"geographies": ["de"]}).conditions

    assert (condition.quote.text, condition.label) == ("de", "Germany")


def test_contradictions_are_reported() -> None:
    profile = read(
        {
            "conditions": [
                {"measure": "headcount", "operator": "gte", "value": 500},
                {"measure": "headcount", "operator": "lte", "value": 100},
                {"measure": "industry", "value": "retail"},
                {"measure": "industry", "value": "retail", "strength": "must_not"},
            ]
        }
    )

    assert profile.contradictions == (
        "“retail” is wanted, and “retail” is excluded.",
        "“500” and “100” cannot both be true of one company.",
    )
    assert profile.confidence == 0.8


def test_empty_text_has_no_conditions() -> None:
    assert read_text("") == read_text(" \u200b")
