"""
Whose turn it is.
"""

from enrichment.jobs import Batch, Enrichment, Priority, Step
from enrichment.queue import HEAD_START, MOST_LEFT, Line

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


def drain(line: Line, jobs: dict[str, Enrichment]) -> list[str]:
    """One at a time, each leaving before the next is taken."""
    order = []
    while job_id := line.take():
        order.append(job_id)
        line.leave(jobs[job_id])
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

    assert drain(line, jobs) == ["h1", "h2", "n1", "n2", "l1", "l2"]


def test_those_of_the_same_second_go_in_the_order_in_which_they_came() -> None:
    line = Line(1)
    jobs = {str(number): job(str(number)) for number in range(30)}
    for waiting in jobs.values():
        line.join(waiting)

    assert drain(line, jobs) == [str(number) for number in range(30)]


def test_a_low_job_is_not_starved_for_ever() -> None:
    """It goes before every high one that came more than half an hour later."""
    line = Line(1)
    jobs = {"low": job("low", "low", 0)}
    for minute in range(60):
        jobs[str(minute)] = job(str(minute), "high", minute * 60)
    for waiting in jobs.values():
        line.join(waiting)

    order = drain(line, jobs)
    assert order.index("low") == 30
    assert HEAD_START["high"] > HEAD_START["normal"] > HEAD_START["low"] == 0


def test_no_more_than_may_run_at_a_time() -> None:
    line = Line(2)
    jobs = [job(str(number)) for number in range(4)]
    for waiting in jobs:
        line.join(waiting)

    assert [line.take(), line.take(), line.take()] == ["0", "1", None]
    line.leave(jobs[1])
    assert [line.take(), line.take()] == ["2", None]


def test_who_leaves_while_waiting_is_not_taken() -> None:
    line = Line(1)
    jobs = [job(str(number)) for number in range(3)]
    for waiting in jobs:
        line.join(waiting)
    line.leave(jobs[1])
    line.leave(jobs[1])

    assert drain(line, {each.id: each for each in jobs}) == ["0", "2"]
    assert line._waiting == set()


def test_of_a_batch_no_more_than_its_concurrency_and_others_pass_by() -> None:
    line = Line(10)
    jobs = {str(number): job(str(number), batch_id="b") for number in range(5)}
    other = job("other", "low")
    for waiting in jobs.values():
        line.join(waiting, batch(2))
    line.join(other)

    assert [line.take(), line.take(), line.take(), line.take()] == ["0", "1", "other", None]
    line.leave(jobs["0"])
    assert [line.take(), line.take()] == ["2", None]
    line.leave(jobs["3"])  # cancelled while it stood behind
    line.leave(jobs["1"])
    assert [line.take(), line.take()] == ["4", None]
    line.leave(jobs["2"])
    line.leave(jobs["4"])
    assert line._groups == {}


def test_who_never_joined_may_leave() -> None:
    line = Line(1)
    line.leave(job("x", batch_id="b"))
    line.join(job("y", batch_id="b"), batch(1))
    line.leave(job("x", batch_id="b"))

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
        line.leave(passing)
        assert len(line._turns) <= 2 * len(waiting) + MOST_LEFT

    line.leave(running)
    assert drain(line, {each.id: each for each in waiting}) == [each.id for each in waiting]
