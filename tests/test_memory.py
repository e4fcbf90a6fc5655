"""
What the stores in memory take at worst, weighed with `tracemalloc`: never more than they count.
"""

import gc
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator

import pytest
from msgspec import Raw
from msgspec.structs import replace

from enrichment.blueprint.making import BlueprintMaker, Brief
from enrichment.domains import canonical_domain, shown
from enrichment.errors import InvalidDomain
from enrichment.jobs.cache import MemoryCache
from enrichment.jobs.memory import MAX_READ_BYTES, READ_JOBS, MemoryStore
from enrichment.jobs.model import Batch, BatchItem, Enrichment, Lookup, Step, pending_steps
from enrichment.modules.module import Finding
from enrichment.modules.table import MODULES
from schemas import IcpObject, JobState, Method, Outcome, SourceAttempt, SourceCitation, StepState
from tests.conftest import FakeClock
from tests.engine import ScriptedEngine

MANY = 200
MODULE_IDS = tuple(MODULES)
WIDE = "\N{FOX FACE}"
"A character that makes a string take four bytes for each of its characters."


@pytest.fixture(autouse=True)
def weighing() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def weigh(make: Callable[[int], Awaitable[object]], count: int = MANY) -> float:
    """Return the bytes that each of `count` things takes, made after some that fill caches and resize tables."""
    for number in range(count):
        await make(number)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(count, 2 * count):
        await make(number)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    return (after - before) / count


def domain(number: int) -> str:
    """A domain of the greatest length."""
    return ".".join((f"{number:05}-" + "x" * 57, "y" * 63, "z" * 63, "w" * 57, "com"))


def finding(number: int, *, body: int = 10, wide: bool = True) -> Finding:
    """A finding with as many texts as any source gives."""
    return Finding(
        body=Raw(b'"%d%s"' % (number, b"x" * body)),
        data_points=number + 300,
        simulated=False,
        source="websearch",
        method=Method.API,
        fetched_at=number + 0.5,
        citations=tuple(
            SourceCitation(url=f"https://a.com/{number}/{each}", title=f"{number} {each}", source="x", simulated=False)
            for each in range(5)
        ),
        attempts=tuple(
            SourceAttempt(
                source="x",
                outcome=Outcome.FAILED,
                duration_seconds=number + 0.5,
                error=f"{number} {each}" + WIDE * 500 * wide,
            )
            for each in range(6)
        ),
        based_on=tuple((module_id, number + 0.5) for module_id in MODULE_IDS),
    )


def store_of(clock: FakeClock) -> MemoryStore:
    return MemoryStore(
        max_pending=10_000,
        max_finished=10_000,
        max_finished_bytes=10**9,
        retention_seconds=10**9,
        clock=clock,
    )


def enrichment(number: int, batch_id: str | None = None) -> Enrichment:
    return Enrichment(
        id=f"enrich_{domain(number).replace('.', '_')}_20261126000000_00000000",
        domain=domain(number),
        request_id=f"{number:032}",
        created_at=number + 0.5,
        expected_seconds=45,
        priority="normal",
        force=False,
        batch_id=batch_id,
        steps=pending_steps(MODULE_IDS),
        total=15,
    )


@pytest.mark.parametrize("error", ["", "x" * 2_000, WIDE * 2_000], ids=["none", "latin", "wide"])
@pytest.mark.parametrize("modules", [0, 15])
async def test_a_finished_enrichment_takes_no_more_than_is_counted(clock: FakeClock, error: str, modules: int) -> None:
    store = store_of(clock)

    async def finish(number: int) -> None:
        job = enrichment(number)
        await store.add([job])
        for module_id in MODULE_IDS[:modules]:
            step = Step(module_id=module_id, state=StepState.COMPLETED, ended_at=2, finding=finding(number))
            await store.record(job.id, step)
        await store.finish(job.id, JobState.COMPLETED, error=error and f"{number}{error}")

    taken = await weigh(finish, 20 if modules else MANY)
    assert taken <= store._finished_bytes / len(store._finished)


async def test_a_finished_lookup_takes_no_more_than_is_counted(clock: FakeClock) -> None:
    store = store_of(clock)

    async def finish(number: int) -> None:
        job = Lookup(
            id=f"{number:036}",
            domain=domain(number),
            request_id=f"{number:032}",
            created_at=number + 0.5,
            expected_seconds=15,
        )
        await store.add([job])
        await store.finish(job.id, JobState.FAILED, error=f"{number}{WIDE * 100}")

    assert await weigh(finish) <= store._finished_bytes / len(store._finished)


def skipped(text: str) -> BatchItem:
    """The entry of a text that is no domain."""
    with pytest.raises(InvalidDomain) as raised:
        canonical_domain(text)
    return BatchItem(domain=shown(text), reason=str(raised.value))


@pytest.mark.parametrize("text", [WIDE * 300, f"user@{WIDE * 300}", " " * 2_000, "x" * 300 + ".com"])
async def test_a_skipped_entry_of_a_batch_takes_no_more_than_is_counted_and_2_kilobytes(
    clock: FakeClock, text: str
) -> None:
    """As long as the batch is unfinished, only the number of entries is limited."""
    store = store_of(clock)
    bare = await weigh(lambda number: store.add([enrichment(1_000 + number, "b")]))
    entry = skipped(text)

    async def add(number: int) -> None:
        items = tuple(
            BatchItem(domain=f"{number} {each}{entry.domain}", reason=f"{number} {each}{entry.reason}")
            for each in range(100)
        )
        batch = Batch(id=f"{number}", created_at=1, concurrency=1, expected_seconds=3, items=items)
        await store.add([enrichment(5_000 + number, batch.id)], batch)

    taken = await weigh(add, 10) - bare
    counted = sum(held.size for held in store._batches.values()) / len(store._batches)
    assert taken <= counted
    assert taken <= 100 * 2_000


async def test_a_pending_enrichment_takes_2_kilobytes(clock: FakeClock) -> None:
    store = store_of(clock)

    assert await weigh(lambda number: store.add([enrichment(number)])) <= 2_000


@pytest.mark.parametrize("body", [10, 20_000])
@pytest.mark.parametrize("wide", [False, True])
async def test_a_cached_finding_takes_no_more_than_is_counted(clock: FakeClock, body: int, wide: bool) -> None:
    cache = MemoryCache(max_results=10_000, max_bytes=10**9, clock=clock)

    async def put(number: int) -> None:
        await cache.put(domain(number), "m01_company_context", finding(number, body=body, wide=wide))

    assert await weigh(put) <= cache._bytes / len(cache._findings)


async def test_jobs_that_are_read_are_kept_decompressed_up_to_a_number_and_a_size_each(clock: FakeClock) -> None:
    store = store_of(clock)
    for number in range(READ_JOBS + 2):
        job = enrichment(number)
        await store.add([job])
        body = MAX_READ_BYTES if number == 1 else MAX_READ_BYTES - 100
        step = Step(module_id="m01_company_context", state=StepState.COMPLETED, ended_at=2)
        await store.record(job.id, replace(step, finding=finding(number, body=body)))
        await store.finish(job.id, JobState.COMPLETED)
    for number in (*range(READ_JOBS), 0, READ_JOBS, READ_JOBS + 1):
        job_id = enrichment(number).id
        is_kept = await store.enrichment(job_id) is await store.enrichment(job_id)
        assert is_kept == (number != 1)

    assert list(store._decompressed) == [
        enrichment(number).id for number in (*range(3, READ_JOBS), 0, READ_JOBS, READ_JOBS + 1)
    ]


def texts(number: int, words: str) -> tuple[str, ...]:
    return tuple(f"{words} {number} {each} ".ljust(199, "x") + WIDE for each in range(50))


BRIEFS: dict[str, Callable[[int], Brief]] = {
    "text": lambda number: Brief(
        domain=f"{number}.com", icp=f"Software companies in Germany {number}".ljust(4_999) + WIDE, offer="x" * 5_000
    ),
    "object": lambda number: Brief(
        domain=f"{number}.com",
        icp=IcpObject(
            industries=("software", *texts(number, "airlines"))[:50],
            geographies=texts(number, "Germany"),
            technologies=texts(number, "Salesforce"),
            personas=texts(number, "CTO"),
            signals=texts(number, "hiring"),
        ),
    ),
}


@pytest.mark.parametrize("brief", BRIEFS.values(), ids=BRIEFS)
async def test_a_cached_blueprint_takes_no_more_than_is_counted(
    clock: FakeClock, brief: Callable[[int], Brief]
) -> None:
    maker: BlueprintMaker = ScriptedEngine(clock).blueprints

    async def make(number: int) -> None:
        async for _ in maker.make(brief(number), refresh=False):
            pass

    assert await weigh(make, 2) <= maker._cached_bytes / len(maker._cache)
