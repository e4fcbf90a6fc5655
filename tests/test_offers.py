"""
What an offer replaces or needs, as wishes of the profile.
"""

import time

import pytest

from enrichment.blueprint.offers import with_offer
from enrichment.icp.profiles import read_profile
from schemas import Condition, CustomerProfile

PROFILE = read_profile("Retailers with 50-500 employees on Shopify, not on Magento")


def added(offer: str, profile: CustomerProfile = PROFILE) -> tuple[Condition, ...]:
    return with_offer(profile, offer).profile.conditions[len(profile.conditions) :]


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        ("Site search that replaces Algolia or Elasticsearch", ["Algolia", "Elasticsearch"]),
        ("An alternative to HubSpot.", ["HubSpot"]),
        ("We help teams migrate from Salesforce to something simpler", ["Salesforce"]),
        ("Use it instead of your CRM!", ["CRM"]),
        ("A plugin for WordPress; it needs WooCommerce.", ["WordPress", "WooCommerce"]),
        ("Integrates with Klaviyo and Zendesk, and replaces Intercom", ["Klaviyo", "Zendesk", "Intercom"]),
    ],
)
def test_what_an_offer_replaces_or_needs_becomes_a_wish(offer: str, names: list[str]) -> None:
    conditions = added(offer)

    assert sorted(one.label for one in conditions) == sorted(names)
    for one in conditions:
        assert one.strength == "should"
        assert offer[one.quote.start : one.quote.end] == one.quote.text
        assert one.quote.field == "offer"
    ids = [one.id for one in with_offer(PROFILE, offer).profile.conditions]
    assert ids == [f"c{number}" for number in range(1, len(ids) + 1)]


def test_it_is_said_in_the_reasoning_and_alternatives_are_a_group() -> None:
    profile = with_offer(PROFILE, "Replaces Algolia or Elasticsearch, and integrates with Klaviyo").profile

    *_, algolia, elasticsearch, klaviyo = profile.conditions
    assert algolia.any_of == elasticsearch.any_of != klaviyo.any_of
    assert max(one.any_of for one in PROFILE.conditions) < algolia.any_of
    assert profile.reasoning[-3:] == (
        "The offer replaces Algolia, so companies that use it are preferred.",
        "The offer replaces Elasticsearch, so companies that use it are preferred.",
        "The offer needs Klaviyo, so companies that use it are preferred.",
    )
    assert with_offer(PROFILE, "Replaces Algolia").gaps == ()


@pytest.mark.parametrize("offer", ["Great coffee", "We replace the roofs of barns", "Our search is the best"])
def test_an_offer_that_names_no_product_of_its_buyers_is_a_gap(offer: str) -> None:
    reading = with_offer(PROFILE, offer)

    assert reading.profile == PROFILE
    assert reading.gaps == ("The offer was not understood: it names no product that it replaces or needs.",)


def test_what_the_profile_names_already_is_left_out_and_what_it_excludes_is_a_gap() -> None:
    reading = with_offer(PROFILE, "Apps for Shopify and Magento")

    assert reading.profile.conditions == PROFILE.conditions
    assert reading.gaps == ("The offer needs Magento, which the profile excludes; the profile counts.",)


def test_without_an_offer_nothing_is_added() -> None:
    assert with_offer(PROFILE, None) == with_offer(PROFILE, "") == (PROFILE, ())


def test_the_time_grows_with_the_length_only() -> None:
    for text in ("replaces " * 500, "works with Shopify " * 250, "migrate " * 600, "plug" * 1_250):
        began = time.perf_counter()
        with_offer(PROFILE, text[:5_000])
        assert time.perf_counter() - began < 1
