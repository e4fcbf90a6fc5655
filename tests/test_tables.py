"""
Tables of leads that are posted: CSV as people export it.
"""

import contextlib
import time

import pytest

from enrichment.web.bodies import TableBody
from enrichment.web.problems import ProblemError
from enrichment.web.tables import Table, read_table, unique_names


async def read(
    text: str | bytes, *, column: str | None = None, max_rows: int = 100, charset: str | None = None
) -> Table:
    content = text.encode() if isinstance(text, str) else text
    return await read_table(TableBody(content, charset), column=column, max_rows=max_rows)


async def fault(text: str | bytes, **options: str | int | None) -> str:
    """The detail of the refusal."""
    with pytest.raises(ProblemError) as raised:
        await read(text, **options)  # type: ignore[arg-type]
    assert raised.value.status == 422
    assert raised.value.errors[0].pointer == "#"
    return raised.value.detail


def domains(table: Table) -> list[str]:
    """The texts of the column with the domains."""
    return [entry.text for entry in table.entries()]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Company,Domain,Owner", "Domain"),
        ("company_domain,website", "company_domain"),
        ("Name,Web site,E-Mail", "Web site"),
        ("E-mail,Company URL", "Company URL"),
        ("Notes,E-Mail", "E-Mail"),
        ("LinkedIn URL,Homepage", "Homepage"),
        ("Logo URL,Site", "Site"),
        ("a,b", "a"),
    ],
)
async def test_the_column_is_found_by_its_name_if_its_content_fits(header: str, expected: str) -> None:
    names = header.split(",")
    cells = {
        "E-Mail": "ann@acme.com",
        "E-mail": "ann@acme.com",
        "LinkedIn URL": "linkedin.com/company/acme",
        "Company": "Acme, Inc.",
        "Name": "Acme",
        "Notes": "acme.com, and others",
        "Owner": "Ann",
    }
    row = ",".join(f'"{cells.get(name, "acme.com")}"' for name in names)
    table = await read(f"{header}\n{row}\n")

    assert table.columns[table.domain_column] == expected


async def test_a_name_that_its_content_does_not_bear_out_is_passed_over() -> None:
    table = await read("Has website,Field 2\nyes,acme.com\nno,example.org\n")

    assert domains(table) == ["acme.com", "example.org"]


async def test_websites_go_before_e_mail_addresses_and_more_of_them_before_fewer() -> None:
    table = await read("a,b,c\nann@acme.com,,acme.com\nbob@b.com,b.com,b.com\n")

    assert table.domain_column == 2


async def test_e_mail_addresses_of_free_providers_count_for_finding_the_column() -> None:
    table = await read("Name,Contact\nAnn,ann@gmail.com\nBob,bob@acme.com\n")

    assert domains(table) == ["ann@gmail.com", "bob@acme.com"]


async def test_a_column_may_be_named() -> None:
    table = await read("domain,Old Site\na.com,b.com\n", column=" old site ")

    assert domains(table) == ["b.com"]
    assert "no column 'site'; it has 'domain', 'Old Site'" in await fault(
        "domain,Old Site\na.com,b.com\n", column="site"
    )


async def test_rows_without_names_above_them_are_taken_as_they_are() -> None:
    table = await read("acme.com\nb.com\n")

    assert (table.columns, domains(table)) == (("column 1",), ["acme.com", "b.com"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_delimiters_and_ends_of_lines(delimiter: str, end: str) -> None:
    rows = ["Name D Website D Note", 'Acme D acme.com D "a;b, c\td"', "Bee D bee.com D"]
    table = await read(end.join(rows).replace(" D ", delimiter).replace(" D", delimiter) + end)

    assert table.rows == [("Acme", "acme.com", "a;b, c\td"), ("Bee", "bee.com", "")]


async def test_the_line_that_names_the_delimiter_for_excel_is_read() -> None:
    table = await read("sep=;\r\nName, short;Site\r\nA;a.com\r\n")

    assert table.columns == ("Name, short", "Site")


async def test_delimiters_inside_quotation_marks_do_not_count() -> None:
    table = await read('"Name, first, last";Site\nA;a.com\n')

    assert table.columns == ("Name, first, last", "Site")


async def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    assert (await read("\ufeffDomain\nacme.com\n")).columns == ("Domain",)
    assert (await read("Domain\nacme.com\n", charset="UTF-8")).columns == ("Domain",)


async def test_names_of_columns_are_made_unique_and_empty_ones_numbered() -> None:
    table = await read("Site,,Site,Site (2)\na.com,x,y,z\n")

    assert table.columns == ("Site", "column 2", "Site (2)", "Site (2) (2)")
    assert unique_names(["a", "b", "a"], taken=["a"]) == ("a (2)", "b", "a (3)")


async def test_empty_rows_are_left_out_and_short_ones_padded() -> None:
    table = await read("Site,Note\n\n,\na.com\n  ,  \nb.com,x,,\n")

    assert table.rows == [("a.com", ""), ("b.com", "x")]
    assert table.entries()[1].fault is None


async def test_rows_that_cannot_be_run_say_why() -> None:
    table = await read("Site,Note\na.com,x\n,no site\nb.com,Acme, Inc.\nc.com,\n")

    assert [entry.fault for entry in table.entries()] == [
        None,
        "Its cell in the column 'Site' is empty.",
        "Its row has 3 cells, and the table 2 columns.",
        None,
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "The table is empty."),
        (b"\n\n,,\n", "The table is empty."),
        (b"Site\n", "The table has names of columns, but no row below them."),
        (
            b"Name,City\nAcme,Berlin\n",
            "No column holds domains, websites or e-mail addresses; the columns are 'Name', 'City'.",
        ),
        (b"Site\nM\xfcller.de\n", "Line 2 is not UTF-8, perhaps because the file is in Windows-1252;"),
        ("Site\na.com\n".encode("utf-16"), "The table is in UTF-16;"),
        ("Site\na.com\n".encode("utf-16-le"), "The table is in UTF-16;"),
        (b'Site,Note\na.com,"x"y\n', "Line 2 is not valid CSV:"),
        (b'Site,Note\na.com,"x\n', "is not valid CSV: unexpected end of data."),
        (b"," * 200 + b"\na.com\n", "The table is empty."),
        (b"a," * 200 + b"\na.com\n", "The table has 201 columns; at most 200 are taken."),
        (b"Site\n" + b"a.com\n" * 102, "The table has more than 100 rows, the most that a batch takes."),
        (b"Site\n" + b"a.com\n" * 101, "The table has more than 100 rows, the most that a batch takes."),
        (b"a.com\n" * 101, "The table has more than 100 rows, the most that a batch takes."),
    ],
)
async def test_what_is_no_table_of_leads_is_refused_with_the_reason(content: bytes, expected: str) -> None:
    if content.startswith(b","):
        content = b"," * 200 + b"\n"
    assert expected in await fault(content)


async def test_another_charset_is_refused() -> None:
    assert "said to be in 'windows-1252'; only UTF-8 is read" in await fault(b"Site\na.com\n", charset="windows-1252")


async def test_the_time_to_read_grows_with_the_length_only() -> None:
    """A table whose cells are all international names, quotation marks, delimiters or one long cell."""
    for text in (
        "Site\n" + "bücher.example\n" * 5_000,
        "Site," + "x," * 199 + "\n" + ("ü.example," * 200 + "\n") * 100,
        '""' * 100_000,
        ";" * 100_000 + "\n" + "a.com" * 20_000,
        "Site\n" + "a" * 100_000 + ".com",
    ):
        began = time.perf_counter()
        with contextlib.suppress(ProblemError):
            await read(text, max_rows=10_000)
        assert time.perf_counter() - began < 3
