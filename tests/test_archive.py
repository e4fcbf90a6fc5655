"""
The steps of finished jobs, compressed.
"""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from enrichment.jobs import archive
from enrichment.jobs.model import Enrichment, Step, pending_steps
from enrichment.modules.table import MODULES
from schemas import JobState, Outcome, SourceAttempt, StepState
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
        attempts=(SourceAttempt(source="s", outcome=Outcome.FAILED, duration_seconds=0.75, error="down €"),),
        reason="s: down €",
        skipped_due_to=("m01_company_context",),
    )
    for packed in (steps, (failed,), pending_steps(tuple(MODULES)), ()):
        assert archive.unpack(archive.pack(packed)) == packed


def test_a_finished_job_is_kept_with_its_open_steps_cancelled(steps: tuple[Step, ...]) -> None:
    """Without the id of the request and what its answers were derived from, which are not read again."""
    job = Enrichment(
        id="1",
        domain="a.com",
        request_id="r",
        created_at=1,
        expected_seconds=3,
        state=JobState.CANCELLED,
        started_at=2,
        finished_at=3,
        error="x",
        number=7,
        priority="high",
        force=True,
        batch_id="b",
        steps=(*steps, Step(module_id="m16", state=StepState.RUNNING, started_at=2)),
        total=16,
        completed=15,
    )
    kept = archive.archive(job)
    restored = kept.restore()

    assert kept.steps == ()
    assert type(restored) is Enrichment
    assert replace(restored, steps=()) == replace(job, request_id="", steps=())
    assert [step.state for step in restored.steps] == ["completed"] * 15 + ["cancelled"]
    assert [step.finding and step.finding.body for step in restored.steps[:15]] == [
        step.finding and step.finding.body for step in steps
    ]
    assert not any(step.finding and step.finding.based_on for step in restored.steps)


def test_a_finished_job_takes_a_tenth_of_its_json(steps: tuple[Step, ...]) -> None:
    """Were the dictionary made for other steps than today's, it would take a fifth."""
    assert len(archive.pack(steps)) < len(msgspec.json.encode(steps)) / 9
    assert WINDOW - 100 < archive.DICTIONARY.stat().st_size <= WINDOW
