"""
The reading of profiles: how well the rules read what people write, and what they make of single faults.
"""

import functools

import pytest

from enrichment.icp.reader import read_text
from tests.profiles import Case, Result, cases, compare
from tests.profiles.__main__ import main, score

CASES = list(cases())


@functools.cache
def results() -> list[tuple[Case, Result]]:
    return [(case, compare(case, read_text(case.text))) for case in CASES]


def test_wrong_conditions_are_rare() -> None:
    """The target is 95 % of the texts without a wrong condition; today's level, three texts with one, is held."""
    wrong = {case.text: result.wrong for case, result in results() if result.wrong}

    assert len(CASES) >= 280
    assert len(wrong) <= 3, wrong


def test_most_conditions_are_read() -> None:
    assert score([result for _, result in results()]) >= 0.98


def test_report_has_a_row_for_each_measure_and_kind_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    main(["-v"])
    printed = capsys.readouterr().out

    assert f" of {len(CASES)} texts without a wrong condition" in printed
    assert "headquarters" in printed
    assert "01_exclusions" in printed
    assert "missed:" in printed


@pytest.mark.parametrize(
    ("text", "passage", "readings"),
    [
        ("Function: IT", "IT", ["IT department", "Italy"]),
        ("Department: PR", "PR", ["PR department", "Puerto Rico"]),
        ("Location: NA", "NA", ["North America", "Namibia"]),
        ("Location: CA", "CA", ["California (US-CA)", "Canada (CA)", "chartered accountant"]),
        ("Regions: MA", "MA", ["Massachusetts (US-MA)", "Morocco (MA)", "marketing automation"]),
        ("Regions: AZ", "AZ", ["Arizona (US-AZ)", "Azerbaijan (AZ)"]),
        ("Where: AE", "AE", ["United Arab Emirates (AE)", "account executive"]),
        ("LMS: Canvas", "Canvas", ["uses Canvas LMS", "the word canvas"]),
        ("software firms transforming agriculture", "agriculture", ["customers in Agriculture", "Agriculture"]),
        (
            "mid-market manufacturers ($50M-$500M revenue)",
            "mid-market",
            ["mid-market (200-1000 employees)", "mid-market by revenue"],
        ),
    ],
)
def test_ambiguous_words_are_listed_with_their_readings(text: str, passage: str, readings: list[str]) -> None:
    """A condition that is made of one of them has a confidence of 0.7 at most."""
    profile = read_text(text)
    (ambiguous,) = profile.ambiguous

    assert ambiguous.quote.text == passage
    assert [one.label for one in ambiguous.readings] == readings
    assert all(one.confidence <= 0.7 for one in profile.conditions if one.quote.text == passage)
