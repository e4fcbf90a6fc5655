"""
docs/api.md is up to date, and its links lead somewhere.
"""

from tests import reference_tables
from tests.reference_tables import PATH, TABLE, TABLES


def test_the_tables_are_up_to_date() -> None:
    """`python -m tests.reference_tables` brings them up to date."""
    assert [match["name"] for match in TABLE.finditer(PATH.read_text("utf-8"))] == list(TABLES)
    assert PATH.read_text("utf-8") == reference_tables.written()


def test_rows_have_as_many_cells_as_their_heads() -> None:
    for rows in TABLES.values():
        head, *rest = rows()
        assert rest
        assert {len(row) for row in rest} == {len(head)}
        assert not any("|" in cell or "\n" in cell for row in rest for cell in row)
