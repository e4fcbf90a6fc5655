"""
Which enrichment runs next.
"""

from enrichment.jobs.model import Batch, Enrichment, pending_steps
from enrichment.jobs.scheduler import MAX_STALE_ENTRIES, Scheduler
from schemas import Priority
from tests.engine import leftovers

HIGH: Priority = "high"
NORMAL: Priority = "normal"
LOW: Priority = "low"


def job(job_id: str, priority: Priority = "normal", created_at: float = 0, batch_id: str | None = None) -> Enrichment:
    return Enrichment(
        id=job_id,
        domain="a.com",
        request_id="r",
        created_at=created_at,
        expected_seconds=3,
        number=int(job_id) if job_id.isdecimal() else 0,
        priority=priority,
        force=False,
        batch_id=batch_id,
        steps=pending_steps(("m01_company_context",)),
        total=1,
    )


def batch(concurrency: int) -> Batch:
    return Batch(id="b", created_at=0, concurrency=concurrency, expected_seconds=3, items=())


def acquired(scheduler: Scheduler) -> str | None:
    """The id of the job that is acquired."""
    next_job = scheduler.acquire()
    return next_job.id if next_job else None


def drained(scheduler: Scheduler) -> list[str]:
    """All ids in their order, if each job is released before the next is acquired."""
    order = []
    while job_id := acquired(scheduler):
        order.append(job_id)
        scheduler.release(job_id)
    return order


def test_high_jobs_run_before_normal_before_low_and_older_before_newer_ones() -> None:
    scheduler = Scheduler(1)
    names = [("l1", LOW), ("n1", NORMAL), ("h1", HIGH), ("l2", LOW), ("n2", NORMAL), ("h2", HIGH)]
    for created_at, (name, priority) in enumerate(names):
        scheduler.enqueue(job(name, priority, created_at))

    assert drained(scheduler) == ["h1", "h2", "n1", "n2", "l1", "l2"]


def test_jobs_of_the_same_moment_run_in_the_order_of_their_numbers() -> None:
    """Whatever the order in which they are enqueued."""
    scheduler = Scheduler(1)
    for number in (*range(15, 30), *range(15)):
        scheduler.enqueue(job(str(number)))

    assert drained(scheduler) == [str(number) for number in range(30)]


def test_a_low_job_runs_before_every_high_job_that_came_more_than_half_an_hour_later() -> None:
    scheduler = Scheduler(1)
    scheduler.enqueue(job("low", LOW, 0))
    for minute in range(60):
        scheduler.enqueue(job(str(minute), HIGH, minute * 60))

    assert drained(scheduler).index("low") == 30


def test_no_more_jobs_run_at_a_time_than_allowed() -> None:
    scheduler = Scheduler(2)
    for number in range(4):
        scheduler.enqueue(job(str(number)))

    assert [acquired(scheduler), acquired(scheduler), acquired(scheduler)] == ["0", "1", None]
    scheduler.release("1")
    assert [acquired(scheduler), acquired(scheduler)] == ["2", None]


def test_a_job_that_is_released_while_it_waits_never_runs() -> None:
    scheduler = Scheduler(1)
    for number in range(3):
        scheduler.enqueue(job(str(number)))
    scheduler.release("1")
    scheduler.release("1")

    assert drained(scheduler) == ["0", "2"]
    assert leftovers(scheduler) == {}


def test_no_more_jobs_of_a_batch_run_than_its_concurrency_and_others_overtake_them() -> None:
    scheduler = Scheduler(10)
    for number in range(5):
        scheduler.enqueue(job(str(number), batch_id="b"), batch(2))
    scheduler.enqueue(job("other", LOW))

    assert [acquired(scheduler) for _ in range(4)] == ["0", "1", "other", None]
    scheduler.release("0")
    assert [acquired(scheduler), acquired(scheduler)] == ["2", None]
    scheduler.release("3")  # cancelled while it was held back
    scheduler.release("1")
    assert [acquired(scheduler), acquired(scheduler)] == ["4", None]
    for job_id in ("2", "4", "other"):
        scheduler.release(job_id)
    assert leftovers(scheduler) == {}


def test_a_waiting_job_of_a_batch_that_is_released_hands_its_place_on() -> None:
    scheduler = Scheduler(1)
    scheduler.enqueue(job("0"))
    assert acquired(scheduler) == "0"
    for number in (1, 2):
        scheduler.enqueue(job(str(number), batch_id="b"), batch(1))
    scheduler.release("1")
    scheduler.release("0")

    assert drained(scheduler) == ["2"]
    assert leftovers(scheduler) == {}


def test_a_job_that_was_never_enqueued_can_be_released() -> None:
    scheduler = Scheduler(1)
    scheduler.release("x")
    scheduler.enqueue(job("y", batch_id="b"), batch(1))
    scheduler.release("x")

    assert acquired(scheduler) == "y"


def test_jobs_that_are_released_before_they_run_do_not_pile_up() -> None:
    scheduler = Scheduler(1)
    waiting = [job(f"w{number}") for number in range(50)]
    for each in (job("running", HIGH), *waiting):
        scheduler.enqueue(each)
    assert acquired(scheduler) == "running"
    for number in range(1_000):
        scheduler.enqueue(job(str(number)))
        scheduler.release(str(number))
        assert len(scheduler._heap) <= 2 * len(waiting) + MAX_STALE_ENTRIES

    heap = scheduler._heap
    scheduler.enqueue(job("last"))
    scheduler.release("last")
    assert scheduler._heap is heap, "it is rebuilt once in a while only"
    scheduler.release("running")
    assert sorted(drained(scheduler)) == sorted(each.id for each in waiting)
    assert leftovers(scheduler) == {}
