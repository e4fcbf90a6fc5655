"""
EDGAR, with one company and its filings; both of its hosts in one.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.upstreams import Answer, Received, Reply

Json = dict[str, Any]

CIK = "0001234567"

SUBMISSIONS: Json = {
    "cik": "1234567",
    "entityType": "operating",
    "sic": "3761",
    "sicDescription": "Guided Missiles & Space Vehicles & Parts",
    "name": "ACME CORP",
    "tickers": ["ACME"],
    "exchanges": ["Nasdaq"],
    "website": "",
    "category": "Large accelerated filer",
    "fiscalYearEnd": "1231",
    "addresses": {"business": {"street1": "1 Way", "city": "AUSTIN", "stateOrCountry": "TX", "zipCode": "73301"}},
    "filings": {
        "recent": {
            "accessionNumber": [f"0001234567-26-00000{number}" for number in range(1, 9)],
            "filingDate": [
                *("2026-02-20", "2026-01-30", "2025-11-05", "2025-10-01", "2025-09-09", "2025-08-01", "2024-01-01", "x")
            ],
            "reportDate": ["2026-02-18", "2026-01-30", "2025-11-04", "", "2025-09-08", "2025-07-31", "2023-12-31", ""],
            "acceptanceDateTime": ["2026-02-20T16:42:36.000Z"] * 8,
            "form": ["8-K", "8-K", "8-K", "10-Q", "8-K", "8-K", "8-K", "8-K"],
            "items": ["5.02,9.01", "2.02,9.01", "7.01", "", "1.01,2.01", "2.02, 2.02", "2.02", "2.02"],
            "primaryDocument": ["a.htm", "b.htm", "c.htm", "d.htm", "e.htm", "f.htm", "g.htm", "h.htm"],
        },
        "files": [],
    },
}


def value(end: str, val: float, *, start: str | None = None, form: str = "10-K", filed: str = "2026-02-20") -> Json:
    """A value as in `companyfacts`, whose `fy` and `fp` are those of the report."""
    period = {"start": start} if start else {}
    return {**period, "end": end, "val": val, "accn": "0001", "fy": 2026, "fp": "FY", "form": form, "filed": filed}


def year(number: int, val: float, *, form: str = "10-K", filed: str = "2026-02-20") -> Json:
    return value(f"{number}-12-31", val, start=f"{number}-01-01", form=form, filed=filed)


def concept(*values: Json, unit: str = "USD") -> Json:
    return {"label": "A {label}", "description": 'With "units": {"USD": [} in it', "units": {unit: list(values)}}


FACTS: Json = {
    "cik": 1234567,
    "entityName": "ACME CORP",
    "facts": {
        "dei": {"EntityPublicFloat": concept(value("2025-06-30", 9e9))},
        "us-gaap": {
            "AccountsPayableCurrent": concept(value("2025-12-31", 1)),
            "Assets": concept(value("2025-12-31", 9_000)),
            "RevenueFromContractWithCustomerExcludingAssessedTax": concept(
                year(2022, 900, filed="2023-02-20"),
                year(2023, 1_000, filed="2024-02-20"),
                year(2023, 1_100, filed="2025-02-20"),  # restated
                year(2024, 1_500, filed="2025-02-20"),
                value("2024-12-31", 400, start="2024-10-01", filed="2025-02-20"),  # a quarter, in an annual report
                value("2025-03-31", 410, start="2025-01-01", form="10-Q", filed="2025-05-01"),
                year(2025, 2_000),
            ),
            "Revenues": concept(year(2019, 77, filed="2020-02-20")),
            "NetIncomeLoss": concept(year(2024, -30), year(2025, 150)),
            "OperatingIncomeLoss": concept(year(2025, 300)),
            "GrossProfit": concept(year(2024, 700)),
            "NetCashProvidedByUsedInOperatingActivities": concept(year(2025, 400)),
            "PaymentsToAcquirePropertyPlantAndEquipment": concept(year(2025, 90)),
            "CashAndCashEquivalentsAtCarryingValue": concept(
                value("2024-12-31", 600), value("2025-12-31", 800), value("2025-12-31", 810, filed="2026-05-01")
            ),
            "ShortTermInvestments": concept(value("2025-12-31", 50)),
        },
    },
}

TICKERS: Json = {
    "fields": ["cik", "name", "ticker", "exchange"],
    "data": [
        [320193, "Other Inc.", "OTHR", "Nasdaq"],
        [1234567, "ACME CORP", "ACME", "Nasdaq"],
        [55, "Reused Symbol Inc", "RE-A", "NYSE"],
        [None, "Nobody", "NONE", None],
        [66, "No Symbol", None, "NYSE"],
    ],
}

RELEASE = """<html><head><title>EX-99.1</title><style>p { color: red }</style></head><body>
<p>AUSTIN &#8211; Acme Corp today announced its results.</p>
<p>&#8220;We sold more rockets than ever before,
and we hired the people to build them,&#8221;
said Jane R. Doe, Chairman, President and Chief Executive Officer of Acme.</p>
<p>&#8220;Margins improved for the fourth quarter in a row,&#8221; said John O&#8217;Neil, CFO.</p>
<p>&#8220;Acme is the best supplier that we have ever had,&#8221; said Bob Roe, Chief Executive Officer of Globex.</p>
</body></html>"""

FOLDER = "/Archives/edgar/data/1234567"


def index(*names: str | None) -> Json:
    return {"directory": {"item": [{"name": name, "type": "text.gif", "size": ""} for name in names], "name": FOLDER}}


PAGES: Mapping[str, Json | str] = {
    f"/submissions/CIK{CIK}.json": SUBMISSIONS,
    f"/api/xbrl/companyfacts/CIK{CIK}.json": FACTS,
    "/files/company_tickers_exchange.json": TICKERS,
    f"{FOLDER}/000123456726000002/index.json": index("b.htm", "acme-ex99_1.htm", "ex99-logo.jpg", None),
    f"{FOLDER}/000123456726000002/acme-ex99_1.htm": RELEASE,
    f"{FOLDER}/000123456726000003/index.json": index("c.htm"),
}

BLOCKED = Reply(b"<html><title>Request Rate Threshold Exceeded</title></html>", 403, {"content-type": "text/html"})


def edgar(pages: Mapping[str, Json | str] = PAGES) -> Answer:
    """Answer with these pages by path. Without a contact in the User-Agent, refuse."""

    def answer(received: Received) -> Reply:
        if "example.com" not in received.headers["user-agent"]:
            return BLOCKED
        page = pages.get(received.target)
        if page is None:
            return Reply(b"<?xml?><Error><Code>NoSuchKey</Code></Error>", 404, {"content-type": "application/xml"})
        if isinstance(page, str):
            return Reply(page.encode(), headers={"content-type": "text/html; charset=utf-8"})
        return Reply(json.dumps(page).encode())

    return answer
