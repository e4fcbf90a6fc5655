"""
What would have been right, in words.
"""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

import schemas
from enrichment.web import hints
from schemas import JobState

Count = Annotated[int, Meta(ge=1, le=20)]


class Inner(msgspec.Struct):
    """A Struct inside another."""

    names: tuple[Annotated[str, Meta(max_length=5)], ...] | None = None


class Outer(msgspec.Struct):
    """A field of each kind."""

    inner: str | Inner | None = None
    inners: tuple[Inner, ...] = ()
    count: Count | None = None


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (JobState, "queued, running, completed, failed, cancelled"),
        (tuple[JobState, ...], "queued, running, completed, failed, cancelled"),
        (schemas.Priority, "low, normal, high"),
        (Literal["a", "b"] | None, "a, b"),
        (Count, "a whole number from 1 to 20"),
        (Count | None, "a whole number from 1 to 20"),
        (Annotated[Count | None, Meta(description="Number of jobs.")], "a whole number from 1 to 20"),
        (Annotated[Count, Meta(description="Number of jobs.")], "a whole number from 1 to 20"),
        (Annotated[bool | None, Meta(description="Whether to stream.")], "true or false"),
        (bool | None, "true or false"),
        (str, "text that is not empty or too long"),
        (bool | Count, "true or false or a whole number from 1 to 20"),
    ],
)
def test_possible_values_are_described_by_the_type(hint: Any, words: str) -> None:
    assert hints.possible_values(hint) == words
    assert hints.not_possible("x", hint) == f"'x' is not possible; possible: {words}."


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], Outer),
        (["inner"], str | Inner | None),
        (["inner", "names"], tuple[Annotated[str, Meta(max_length=5)], ...] | None),
        (["inner", "names", "3"], Annotated[str, Meta(max_length=5)]),
        (["inners", "0"], Inner),
        (["count"], Count | None),
        (["count", "x"], Count | None),
    ],
)
def test_the_type_at_a_place_is_found_through_unions_and_lists(steps: list[str], expected: Any) -> None:
    assert hints.type_at(Outer, steps) == expected


def test_the_fields_at_a_place_are_those_of_its_struct() -> None:
    assert hints.field_names(str | Inner | None) == ("names",)
    assert hints.field_names(Count | None) == ()


def test_an_unknown_name_is_refused_with_the_known_ones_and_the_nearest() -> None:
    known = ("limit", "offset")

    assert hints.unknown_name("field", "limt", known) == (
        "There is no field 'limt' here; known: limit, offset. Did you mean 'limit'?"
    )
    assert hints.unknown_name("field", "x", ()) == "There is no field 'x' here; known: none."
    assert len(hints.unknown_name("field", "x" * 10_000, known)) < 150
