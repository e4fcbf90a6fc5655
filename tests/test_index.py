"""
Which enrichments there are, at the cost of a page of them.
"""

from collections.abc import Iterator, Mapping

import pytest
from msgspec.structs import replace

from enrichment.jobs.index import JobIndex
from enrichment.jobs.model import AnyJob, Enrichment
from schemas import JobState

QUEUED, RUNNING, COMPLETED = JobState.QUEUED, JobState.RUNNING, JobState.COMPLETED
TOTAL = 100_000


class CountingJobs(Mapping[str, AnyJob]):
    """Jobs by id, and how often one has been looked up."""

    def __init__(self) -> None:
        self.jobs: dict[str, AnyJob] = {}
        self.lookups = 0

    def __getitem__(self, job_id: str) -> AnyJob:
        self.lookups += 1
        return self.jobs[job_id]

    def __len__(self) -> int:
        return len(self.jobs)

    def __iter__(self) -> Iterator[str]:
        self.lookups += len(self.jobs)
        return iter(self.jobs)


def enrichment(number: int, domain: str, state: JobState) -> Enrichment:
    return Enrichment(
        id=str(number),
        domain=domain,
        request_id="r",
        created_at=0,
        expected_seconds=3,
        number=number,
        priority="normal",
        force=False,
        total=1,
        state=state,
    )


def filled() -> tuple[CountingJobs, JobIndex]:
    """An index of 100,000 jobs: one in ten of a.com, one in two queued, the others running."""
    jobs = CountingJobs()
    index = JobIndex(jobs)
    for number in range(TOTAL):
        domain = "a.com" if number % 10 == 0 else f"company-{number}.com"
        job = jobs.jobs[str(number)] = enrichment(number, domain, RUNNING if number % 2 else QUEUED)
        index.add(job)
    jobs.lookups = 0
    return jobs, index


@pytest.fixture(scope="module")
def shared() -> tuple[CountingJobs, JobIndex]:
    return filled()


@pytest.fixture
def jobs(shared: tuple[CountingJobs, JobIndex]) -> CountingJobs:
    shared[0].lookups = 0
    return shared[0]


@pytest.fixture
def index(shared: tuple[CountingJobs, JobIndex]) -> JobIndex:
    return shared[1]


@pytest.mark.parametrize("offset", [0, 5_000, 9_950, 49_950])
def test_a_page_of_all_jobs_of_a_state_or_of_a_domain_looks_no_job_up(
    jobs: CountingJobs, index: JobIndex, offset: int
) -> None:
    """It is a slice, wherever it lies among a hundred thousand."""
    everything = index.page(None, (), limit=50, offset=offset)
    queued = index.page(None, {QUEUED}, limit=50, offset=offset)
    of_a = index.page("a.com", (), limit=50, offset=offset)

    assert everything == [str(TOTAL - 1 - offset - number) for number in range(50)]
    assert queued == [str(TOTAL - 2 - 2 * (offset + number)) for number in range(50)]
    assert of_a == [str(TOTAL - 10 - 10 * (offset + number)) for number in range(50) if offset + number < 10_000]
    assert [index.count(None), index.count(None, {QUEUED}), index.count("a.com")] == [TOTAL, TOTAL // 2, TOTAL // 10]
    assert jobs.lookups == 0


@pytest.mark.parametrize("offset", [0, 100])
def test_a_page_of_several_states_looks_up_those_that_it_passes(
    jobs: CountingJobs, index: JobIndex, offset: int
) -> None:
    page = index.page(None, {QUEUED, RUNNING, COMPLETED}, limit=50, offset=offset)

    assert page == [str(TOTAL - 1 - offset - number) for number in range(50)]
    assert jobs.lookups <= offset + 50 + 3


def test_a_page_of_several_states_is_in_the_order_of_numbers_and_not_of_ids() -> None:
    jobs: dict[str, AnyJob] = {}
    index = JobIndex(jobs)
    for number in range(8, 13):
        job = jobs[str(number)] = enrichment(number, "a.com", RUNNING if number % 2 else QUEUED)
        index.add(job)

    assert index.page(None, {QUEUED, RUNNING}, limit=9, offset=0) == ["12", "11", "10", "9", "8"]


def test_the_newest_job_of_a_domain_is_found_at_its_end(jobs: CountingJobs, index: JobIndex) -> None:
    assert index.newest("a.com", {QUEUED}) == str(TOTAL - 10)
    assert jobs.lookups == 1


def test_a_job_in_the_middle_changes_its_state_and_leaves_at_the_cost_of_a_few_searches() -> None:
    """A search among 100,000 takes 17 steps."""
    jobs, index = filled()
    job = replace(enrichment(50_000, "a.com", QUEUED), state=RUNNING)
    jobs.jobs["50000"] = job
    index.move(job, QUEUED)
    assert index.page(None, {RUNNING}, limit=3, offset=24_999) == ["50001", "50000", "49999"]
    index.remove(job)
    assert index.page(None, (), limit=2, offset=49_998) == ["50001", "49999"]
    assert [index.count(None), index.count("a.com"), index.count(None, {RUNNING})] == [99_999, 9_999, 50_000]
    assert jobs.lookups <= 5 * 18
