"""
docs/answers.md, the descriptions that it is written from, and the links in it.
"""

import re
from typing import get_type_hints

import pytest

import schemas
from tests import answer_tables
from tests.answer_tables import MARKER, PATH, Shape


def subclasses(base: Shape) -> list[Shape]:
    """Return all subclasses that are defined in `schemas`, indirect ones too."""
    found = [shape for each in base.__subclasses__() for shape in (each, *subclasses(each))]
    return [shape for shape in found if shape.__module__ == "schemas"]


def test_the_file_is_up_to_date() -> None:
    """`python -m tests.answer_tables` brings it up to date."""
    assert MARKER in PATH.read_text("utf-8")
    assert PATH.read_text("utf-8") == answer_tables.written()


@pytest.mark.parametrize("base", [schemas.Response, schemas.Request, schemas.Query])
def test_every_field_of_the_wire_shapes_has_a_description(base: Shape) -> None:
    without = [
        f"{shape.__name__}.{name}"
        for shape in subclasses(base)
        for name, hint in get_type_hints(shape, include_extras=True).items()
        if name in shape.__struct_fields__ and not answer_tables.description(hint)
    ]

    assert subclasses(base)
    assert without == []


def test_every_field_of_the_tables_has_a_description() -> None:
    shapes = answer_tables.shapes()

    assert [f"{s.__name__}.{name}" for s in shapes for name, _, text in answer_tables.fields(s) if not text] == []


def test_every_answer_of_the_service_has_a_table() -> None:
    assert set(subclasses(schemas.Response)) <= set(answer_tables.shapes())


def test_every_link_leads_to_one_heading() -> None:
    text = PATH.read_text("utf-8")
    headings = [heading.lower() for heading in re.findall(r"^## (\w+)$", text, re.MULTILINE)]

    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= set(headings)


def test_descriptions_fit_into_a_row_and_end_with_a_full_stop() -> None:
    shapes = answer_tables.shapes()
    wrong = [text for s in shapes for _, _, text in answer_tables.fields(s) if "|" in text or not text.endswith(".")]

    assert wrong == []
