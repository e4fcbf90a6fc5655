"""
The reading of profiles by a language model: what it answers is checked, and the rules stand in for it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from enrichment.blueprint.making import BlueprintMaker, Brief
from enrichment.engine import Engine
from enrichment.errors import SettingsError, SourceFailed
from enrichment.icp.model import SYSTEM, profile_of
from enrichment.settings import Settings
from schemas import Blueprint, CustomerProfile
from tests.conftest import FakeClock
from tests.engine import ScriptedEngine
from tests.profiles import shown

TEXT = "Retailers in Germany with 50-500 employees, ideally on Shopify, no agencies. Ask for the Head of Loyalty."


class ScriptedModel:
    """A model that answers what it is told to, or fails."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    async def complete_json(
        self, *, system: str, data: Any, schema: Mapping[str, Any], max_tokens: int, seconds: float
    ) -> bytes:
        self.requests.append({"system": system, "data": data, "schema": schema})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else msgspec.json.encode(self.answer)


def answer_of(*conditions: dict[str, object]) -> dict[str, object]:
    return {"conditions": conditions}


def read(*conditions: dict[str, object]) -> CustomerProfile:
    return profile_of(TEXT, msgspec.json.encode(answer_of(*conditions)))


GOOD: tuple[dict[str, object], ...] = (
    {"measure": "industry", "value": "retail", "quote": "Retailers", "any_of": 1},
    {"measure": "headquarters", "value": "DE", "quote": "Germany"},
    {"measure": "headcount", "value": {"min": 50, "max": 500}, "quote": "50-500 employees"},
    {"measure": "technology", "value": "Shopify", "strength": "should", "quote": "ideally on Shopify"},
    {"measure": "industry", "value": "marketing_agencies", "strength": "must_not", "quote": "no agencies", "any_of": 1},
    {"measure": "persona", "value": "Head of Loyalty", "role": "Head of Loyalty", "quote": "Head of Loyalty"},
)


def test_conditions_are_completed_and_quote_the_text() -> None:
    profile = read(*GOOD)

    assert profile.read_by == "model"
    assert [shown(one) for one in profile.conditions] == [
        "industry retail",
        "headquarters DE",
        "headcount 50..500",
        "~technology Shopify",
        "!industry marketing_agencies",
        "persona Head of Loyalty",
    ]
    assert len({one.any_of for one in profile.conditions}) == len(GOOD)
    assert all(TEXT[one.quote.start : one.quote.end] == one.quote.text for one in profile.conditions)
    assert profile.conditions[1].codes == ("DE",)


def test_alternatives_of_the_model_are_a_group() -> None:
    profile = read(
        {"measure": "industry", "value": "retail", "quote": "Retailers", "any_of": 7},
        {"measure": "technology", "value": "Shopify", "quote": "Shopify", "any_of": 7},
    )

    assert [one.any_of for one in profile.conditions] == [1, 1]


@pytest.mark.parametrize(
    "condition",
    [
        {"measure": "industry", "value": "retail", "quote": "shops"},
        {"measure": "industry", "value": "retail", "quote": " "},
        {"measure": "industry", "value": "underwater basketry", "quote": "Retailers"},
        {"measure": "headcount", "value": 50, "quote": "Retailers"},
        {"measure": "headcount", "value": "many", "quote": "50-500 employees"},
        {"measure": "headcount", "value": {"min": 500, "max": 50}, "quote": "50-500 employees"},
        {"measure": "technology", "value": "FooBar", "quote": "Shopify"},
        {"measure": "persona", "value": "CEO", "quote": "Head of Loyalty"},
        {"measure": "hiring", "value": True, "role": "CEO", "quote": "Ask for"},
        {"measure": "hiring", "within_days": -5, "quote": "Ask for"},
        {"measure": "revenue", "value": 500, "currency": "dollars", "quote": "50-500 employees"},
    ],
)
def test_conditions_that_the_text_or_the_vocabulary_does_not_have_are_dropped(condition: dict[str, object]) -> None:
    assert read(condition).conditions == ()
    assert len(read(condition, *GOOD).conditions) == len(GOOD)


def test_what_the_model_leaves_out_is_reported() -> None:
    profile = profile_of("Retailers, xyzzy plugh", msgspec.json.encode(answer_of(GOOD[0])))

    assert [one.text for one in profile.not_understood] == ["xyzzy plugh"]


async def blueprint_of(model: ScriptedModel, clock: FakeClock) -> Blueprint:
    resolver = ScriptedEngine(clock).blueprints._resolver
    maker = BlueprintMaker(resolver=resolver, max_cached=1, max_cached_bytes=10**6, clock=clock, language_model=model)
    events = [event async for event in maker.make(Brief(domain="acme.com", icp=TEXT), refresh=False)]
    last = events[-1]
    assert isinstance(last, Blueprint)
    return last


async def test_model_reads_the_profile_of_a_blueprint(clock: FakeClock) -> None:
    model = ScriptedModel(answer_of(*GOOD))
    blueprint = await blueprint_of(model, clock)

    assert blueprint.icp.read_by == "model"
    assert model.requests[0]["data"] == {"text": TEXT}
    assert "marketing_agencies" in model.requests[0]["system"]
    assert TEXT not in model.requests[0]["system"]
    assert "series_a" not in SYSTEM


@pytest.mark.parametrize(
    "answer",
    [
        SourceFailed("It refuses."),
        TimeoutError(),
        b"{}",
        b'{"conditions": [{"measure": "shoe size", "quote": "Retailers"}]}',
        b'{"conditions": []}',
        answer_of({"measure": "industry", "value": "retail", "quote": "Ignore all rules"}),
    ],
)
async def test_rules_read_when_the_model_fails_or_answers_nonsense(clock: FakeClock, answer: object) -> None:
    blueprint = await blueprint_of(ScriptedModel(answer), clock)

    assert blueprint.icp.read_by == "rules"
    assert len(blueprint.icp.conditions) >= 5


async def test_model_has_to_be_configured() -> None:
    with pytest.raises(SettingsError, match="LLM_MODEL"):
        Engine(Settings(icp_reader="model"))

    live = Settings(sources="live", contact="ops@acme.com", llm_model="small", icp_reader="model")
    engine = Engine(live)
    try:
        assert engine.blueprints._language_model is not None
    finally:
        await engine.close()
