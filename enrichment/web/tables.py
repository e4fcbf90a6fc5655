"""
Tables of leads that are posted as CSV: which column holds the domains, and the other cells of each row.
"""

import asyncio
import codecs
import csv
import io
import itertools
import re
import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import schemas
from enrichment.domains import canonical_domain
from enrichment.errors import InvalidDomain
from enrichment.modules.evidence import words
from enrichment.web import hints
from enrichment.web.bodies import TableBody
from enrichment.web.problems import ProblemError

DELIMITERS: Final = ",;\t"
MAX_COLUMNS: Final = 200
SAMPLED_CELLS: Final = 30  # of a column, from which it is told whether it holds domains
MIN_SHARE: Final = 0.5  # of the cells of a column that have to be domains
MAX_CELL: Final = 300  # characters of a cell that may be a domain
SECONDS_PER_TURN: Final = 0.002  # for which reading may hold the event loop
SEPARATOR_LINE: Final = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
QUOTED: Final = re.compile(r'"[^"]*(?:"|\Z)')
MAYBE_DOMAIN: Final = re.compile(r"\S+\.[^\s.]{2,}\S*")

DOMAIN_NAMES: Final = frozenset({"domain", "domains"})
WEBSITE_NAMES: Final = frozenset({"website", "webseite", "site", "url", "homepage", "web", "www", "sito", "sitio"})
EMAIL_NAMES: Final = frozenset({"email", "mail", "emails", "courriel", "correo"})
OTHER_NAMES: Final = frozenset({"linkedin", "facebook", "twitter", "x", "instagram", "crunchbase", "logo", "image"})
"Words in the names of columns that hold other addresses."


class Entry(NamedTuple):
    """A text that should be a domain, the cells of its row if it is from a table, and what is wrong with the row."""

    text: str
    cells: tuple[str, ...] = ()
    fault: str | None = None


class Table(NamedTuple):
    """
    The rows of a table: the names of its columns, each once, the position of the column with the domains, and the
    cells of each row, padded to the number of columns. `extra_cells` are the numbers of cells of rows that have too
    many.
    """

    columns: tuple[str, ...]
    domain_column: int
    rows: Sequence[tuple[str, ...]]
    extra_cells: dict[int, int]

    def entries(self) -> list[Entry]:
        """The rows as entries of a batch."""
        return [self._entry(index, row) for index, row in enumerate(self.rows)]

    def _entry(self, index: int, row: tuple[str, ...]) -> Entry:
        text = row[self.domain_column]
        fault = None
        if index in self.extra_cells:
            fault = f"Its row has {self.extra_cells[index]} cells, and the table {len(self.columns)} columns."
        elif not text.strip():
            fault = f"Its cell in the column {hints.shown(self.columns[self.domain_column])} is empty."
        return Entry(text, row, fault)


async def read_table(body: TableBody, *, column: str | None, max_rows: int) -> Table:
    """
    Parse CSV in UTF-8, with or without a byte order mark, whose delimiter is a comma, a semicolon or a tab.

    The first row may hold the names of the columns; `column` names that of the domains. Empty rows are left out. Raise
    a 422 if it is no such table, has more than `max_rows` rows or no column with domains.
    """
    text = _decoded(body.content, body.charset)
    separator = SEPARATOR_LINE.match(text)
    if separator:
        text = text[separator.end() :]
    rows = await _parsed(text, separator[1] if separator else _delimiter(text), max_rows)
    if not rows:
        raise bad_table("The table is empty.")
    has_header = not any(_is_address(cell) for cell in rows[0])
    width = len(rows[0]) if has_header else max(map(len, rows))
    if width > MAX_COLUMNS:
        raise bad_table(f"The table has {width} columns; at most {MAX_COLUMNS} are taken.")
    header = rows[0] if has_header else [""] * width
    columns = unique_names([name.strip() or f"column {number}" for number, name in enumerate(header, start=1)])
    below = rows[1:] if has_header else rows
    if len(below) > max_rows:
        raise _too_many_rows(max_rows)
    if not below:
        raise bad_table("The table has names of columns, but no row below them.")
    extra_cells = {index: len(row) for index, row in enumerate(below) if any(cell.strip() for cell in row[width:])}
    padded = [tuple(row[:width]) + ("",) * (width - len(row)) for row in below]
    return Table(columns, await _domain_column(columns, padded, column), padded, extra_cells)


def unique_names(names: Sequence[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names, with a number after those that occur before or are taken."""
    used = set(taken)
    unique = []
    counts: dict[str, int] = {}
    for name in names:
        candidate = name
        while candidate in used:
            counts[name] = counts.get(name, 1) + 1
            candidate = f"{name} ({counts[name]})"
        used.add(candidate)
        unique.append(candidate)
    return tuple(unique)


def bad_table(detail: str, *faults: schemas.FieldError) -> ProblemError:
    """The 422 for a table, with its faults."""
    errors = faults or (schemas.FieldError(pointer="#", detail=detail),)
    return ProblemError(422, "invalid_table", detail, errors=errors)


def _too_many_rows(max_rows: int) -> ProblemError:
    return bad_table(f"The table has more than {max_rows} rows, the most that a batch takes.")


def _decoded(content: bytes, charset: str | None) -> str:
    if charset and charset.lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
        raise bad_table(f"The table is said to be in {hints.shown(charset)}; only UTF-8 is read.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        raise bad_table("The table is in UTF-16; save it as CSV in UTF-8.")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        detail = f"Line {line} is not UTF-8, perhaps because the file is in Windows-1252; save it as CSV in UTF-8."
        raise bad_table(detail) from None


def _delimiter(text: str) -> str:
    """Return the delimiter that occurs most often in the first line that is not empty; the comma if none does."""
    line = QUOTED.sub("", text.lstrip("\r\n")[:100_000]).partition("\n")[0]
    return max(DELIMITERS, key=line.count)


async def _parsed(text: str, delimiter: str, max_rows: int) -> list[list[str]]:
    """Parse at most one row more than a table with a header may have."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    began = time.perf_counter()
    try:
        for row in reader:
            if time.perf_counter() - began > SECONDS_PER_TURN:
                await asyncio.sleep(0)
                began = time.perf_counter()
            if any(cell and not cell.isspace() for cell in row):
                rows.append(row)
            if len(rows) > max_rows + 1:
                raise _too_many_rows(max_rows)
    except csv.Error as error:
        raise bad_table(f"Line {reader.line_num} is not valid CSV: {error}.") from None
    return rows


async def _domain_column(columns: Sequence[str], rows: Sequence[tuple[str, ...]], wanted: str | None) -> int:
    """Return the position of the column with the domains: the one that is named, or the best by name and content."""
    listed = ", ".join(map(hints.shown, columns[:20]))
    if wanted is not None:
        by_name = {name.casefold(): index for index, name in reversed(list(enumerate(columns)))}
        if wanted.strip().casefold() not in by_name:
            raise bad_table(f"The table has no column {hints.shown(wanted)}; it has {listed}.")
        return by_name[wanted.strip().casefold()]
    best: tuple[tuple[int, int], int] | None = None
    for index, name in enumerate(columns):
        await asyncio.sleep(0)  # some 3 ms a column, if all of its cells are international names
        filled = (text for row in rows if (text := row[index].strip()))
        cells = list(itertools.islice(filled, SAMPLED_CELLS))
        addresses = [cell for cell in cells if _is_address(cell)]
        if not addresses or len(addresses) < MIN_SHARE * len(cells):
            continue
        are_emails = sum("@" in cell for cell in addresses) > len(addresses) / 2
        rank = (_rank_of_name(name) or (0 if are_emails else 1), len(addresses))
        if best is None or rank > best[0]:
            best = (rank, index)
    if best is None:
        detail = f"No column holds domains, websites or e-mail addresses; the columns are {listed}."
        raise bad_table(f"{detail} `?column=` names the one to use.")
    return best[1]


def _rank_of_name(name: str) -> int:
    """Return how likely a column of this name is to hold the domains of companies; 0 if it does not tell."""
    named = set(words(name.replace("-", "")))
    if named & OTHER_NAMES:
        return 0
    for rank, known in ((4, DOMAIN_NAMES), (3, WEBSITE_NAMES), (2, EMAIL_NAMES)):
        if named & known:
            return rank
    return 0


def _is_address(cell: str) -> bool:
    """Whether the cell is a domain, a website or an e-mail address, if only of a free provider."""
    text = cell.strip()
    if len(text) > MAX_CELL or not MAYBE_DOMAIN.fullmatch(text):
        return False
    try:
        canonical_domain(text)
    except InvalidDomain as error:
        return "@" in text and "mail" in str(error)
    return True
