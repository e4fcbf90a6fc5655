"""
Revenues in sentences: which are read, and which are not because they may mean something else.
"""

import time

import pytest

from enrichment.sources.revenue_reports import Revenue, annual_revenues

NAME = "Rocket Works, Inc."
LISTED = "Rocket Works, Inc. (NASDAQ: ROKT) builds rockets.\n"


def read(sentence: str, *, listed: str = LISTED, is_own: bool = True) -> list[Revenue]:
    return annual_revenues(listed + sentence, NAME, 2026, is_own=is_own)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Revenue for fiscal 2025 was $1.2 billion, compared to $1.0 billion in fiscal 2024.", 1_200_000_000),
        ("Full-year 2025 revenue of $1.2 billion.", 1_200_000_000),
        (
            "For the year ended December 31, 2025, total revenue increased 12% to $1,234.5 million from $1,100m.",
            1_234_500_000,
        ),
        ("Fourth quarter revenue was $300 million. Full year 2025 revenues were $1.2 billion.", 1_200_000_000),
        ("Net sales for the fiscal year 2025 rose by 8.5 percent to a record $1.2bn.", 1_200_000_000),
        ("The company reported 2025 net sales of $84,300 million.", 84_300_000_000),
        ("In 2025, Rocket Works generated revenue of US$350.5m.", 350_500_000),
    ],
)
def test_plain_sentences(sentence: str, expected: int) -> None:
    assert read(sentence) == [Revenue(2025, "USD", expected)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Subscription revenue for fiscal 2025 was $900 million.",
        "Revenue in the third quarter of fiscal 2025 was $300 million.",
        "We expect revenue for fiscal 2026 of $1.4 billion.",
        "Revenue increased by $200 million to $1.2 billion in 2025.",
        "Revenue for fiscal 2025 was $1,2 billion.",
        "Revenue for fiscal 2025 was 1.2 billion.",
        "Revenue for fiscal 2025 was $1,200.",
        "Revenue was $1.2 billion.",
        "Revenue in 2024 and in 2025 was $1.2 billion.",
        "In 2025, revenue of the rocket segment was $1 billion.",
        "Revenue for fiscal 2025 was approximately $1.2 billion.",
        "In 2025 we acquired Sparks, and its revenue was $50 million.",
        "Sparks, whose revenue in 2025 was $50 million.",
        "Revenue for fiscal 2021 was $1.2 billion.",
        "Revenue for fiscal 2027 was $1.2 billion.",
        "Costs for fiscal 2025 were $1.2 billion.",
        "Revenue for fiscal 2025 was $1.2 billion " + "and so on " * 60,
    ],
)
def test_what_may_mean_something_else_is_not_read(sentence: str) -> None:
    assert read(sentence) == []


@pytest.mark.parametrize(
    ("listing", "amount", "expected"),
    [
        ("(NYSE: ROKT)", "$1 billion", "USD"),
        ("(NYSE: ROKT)", "\u20ac1 billion", "EUR"),
        ("(LSE: ROKT)", "\u00a31 billion", "GBP"),
        ("(Nasdaq Stockholm: ROKT)", "SEK 1 billion", "SEK"),
        ("(TSX: ROKT)", "C$1 billion", "CAD"),
        ("(ISIN: SE0001; NYSE: ROKT)", "USD 1 billion", "USD"),
        ("(TSX: ROKT)", "$1 billion", None),
        ("(ROKT)", "$1 billion", None),
        ("is a supplier of Sparks " + "and others " * 10 + "(NYSE: SPRK)", "$1 billion", None),
    ],
)
def test_the_exchange_says_whether_it_is_listed_and_what_a_dollar_is(
    listing: str, amount: str, expected: str | None
) -> None:
    found = read(f"Revenue for fiscal 2025 was {amount}.", listed=f"Rocket Works {listing} builds rockets.\n")

    assert [revenue.currency for revenue in found] == ([expected] if expected else [])


def test_on_other_websites_a_sentence_has_to_name_the_company() -> None:
    assert read("Revenue for fiscal 2025 was $1 billion.", is_own=False) == []
    assert read("Rocket Works reported that revenue for fiscal 2025 was $1 billion.", is_own=False)


@pytest.mark.parametrize(
    "piece",
    ["revenue ", "(NASDAQ: ", "in 2025 ", "Revenue for a ", "total ", "fiscal 2025 revenue in ", "$1,111,", "A. B "],
)
def test_hostile_text_is_read_in_time_linear_in_its_length(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    sentences = ". A".join(text[start : start + 590] for start in range(0, len(text), 590))
    begun = time.process_time()
    read(text)
    read(sentences)

    assert time.process_time() - begun < 2
