"""
The steps of finished jobs, compressed.
"""

import asyncio

import msgspec
import pytest

from enrichment.jobs import archive
from enrichment.jobs.model import Step, pending_steps
from enrichment.modules.table import MODULES
from schemas import SourceAttempt, StepState
from tests.archive_dictionary import WINDOW, sample


@pytest.fixture(scope="module")
def steps() -> tuple[Step, ...]:
    """The steps of a job with all modules, for a domain that is not in the dictionary."""
    return msgspec.json.decode(asyncio.run(sample("costco.com")), type=tuple[Step, ...])


def test_what_was_packed_is_unpacked(steps: tuple[Step, ...]) -> None:
    failed = Step(
        module_id="m03_traffic",
        state=StepState.FAILED,
        started_at=1.5,
        ended_at=2.25,
        attempts=(SourceAttempt(source="s", duration_seconds=0.75, error="down €"),),
        reason="s: down €",
        skipped_due_to=("m01_company_context",),
    )
    for packed in (steps, (failed,), pending_steps(tuple(MODULES)), ()):
        assert archive.unpack(archive.pack(packed)) == packed


def test_a_finished_job_takes_a_tenth_of_its_json(steps: tuple[Step, ...]) -> None:
    """Were the dictionary made for other steps than today's, it would take a fifth."""
    assert len(archive.pack(steps)) < len(msgspec.json.encode(steps)) / 9
    assert archive.DICTIONARY.stat().st_size == WINDOW
