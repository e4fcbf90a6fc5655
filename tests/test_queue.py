"""
Whose turn it is.
"""

from enrichment.jobs.model import Batch, Enrichment, Priority, Step
from enrichment.jobs.scheduler import HEAD_START, MOST_LEFT, Line

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
        priority=priority,
        force=False,
        batch_id=batch_id,
        live=(Step(module_id="m01_company_context"),),
        total=1,
    )


def batch(concurrency: int) -> Batch:
    return Batch(id="b", created_at=0, concurrency=concurrency, expected_seconds=3, items=())


def drain(line: Line) -> list[str]:
    """One at a time, each leaving before the next is taken."""
    order = []
    while job_id := line.take():
        order.append(job_id)
        line.leave(job_id)
    return order


def test_high_then_normal_then_low_and_the_oldest_first() -> None:
    line = Line(1)
    jobs = {
        name: job(name, priority, created_at)
        for created_at, (name, priority) in enumerate(
            [("l1", LOW), ("n1", NORMAL), ("h1", HIGH), ("l2", LOW), ("n2", NORMAL), ("h2", HIGH)]
        )
    }
    for waiting in jobs.values():
        line.join(waiting)

    assert drain(line) == ["h1", "h2", "n1", "n2", "l1", "l2"]


def test_those_of_the_same_second_go_in_the_order_in_which_they_came() -> None:
    line = Line(1)
    for number in range(30):
        line.join(job(str(number)))

    assert drain(line) == [str(number) for number in range(30)]


def test_a_low_job_is_not_starved_for_ever() -> None:
    """It goes before every high one that came more than half an hour later."""
    line = Line(1)
    jobs = {"low": job("low", "low", 0)}
    for minute in range(60):
        jobs[str(minute)] = job(str(minute), "high", minute * 60)
    for waiting in jobs.values():
        line.join(waiting)

    order = drain(line)
    assert order.index("low") == 30
    assert HEAD_START["high"] > HEAD_START["normal"] > HEAD_START["low"] == 0


def test_no_more_than_may_run_at_a_time() -> None:
    line = Line(2)
    for number in range(4):
        line.join(job(str(number)))

    assert [line.take(), line.take(), line.take()] == ["0", "1", None]
    line.leave("1")
    assert [line.take(), line.take()] == ["2", None]


def test_who_leaves_while_waiting_is_not_taken() -> None:
    line = Line(1)
    for number in range(3):
        line.join(job(str(number)))
    line.leave("1")
    line.leave("1")

    assert drain(line) == ["0", "2"]
    assert line._waiting == set()


def test_of_a_batch_no_more_than_its_concurrency_and_others_pass_by() -> None:
    line = Line(10)
    for number in range(5):
        line.join(job(str(number), batch_id="b"), batch(2))
    line.join(job("other", "low"))

    assert [line.take(), line.take(), line.take(), line.take()] == ["0", "1", "other", None]
    line.leave("0")
    assert [line.take(), line.take()] == ["2", None]
    line.leave("3")  # cancelled while it stood behind
    line.leave("1")
    assert [line.take(), line.take()] == ["4", None]
    line.leave("2")
    line.leave("4")
    assert not line._groups
    assert not line._batch_of


def test_who_never_joined_may_leave() -> None:
    line = Line(1)
    line.leave("x")
    line.join(job("y", batch_id="b"), batch(1))
    line.leave("x")

    assert line.take() == "y"


def test_those_who_leave_before_their_turn_do_not_pile_up() -> None:
    line = Line(1)
    running, waiting = job("running"), [job(f"w{number}") for number in range(50)]
    for each in (running, *waiting):
        line.join(each)
    assert line.take() == "running"
    for number in range(1_000):
        passing = job(str(number))
        line.join(passing)
        line.leave(passing.id)
        assert len(line._turns) <= 2 * len(waiting) + MOST_LEFT

    line.leave("running")
    assert drain(line) == [each.id for each in waiting]
