"""
What every `Cache` does, whatever it keeps findings in; and how fresh they are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import pytest
from msgspec import Raw
from msgspec.structs import replace

from enrichment.jobs.cache import DAY, EXPIRED_DAYS, MemoryCache, freshness, seconds_left
from enrichment.jobs.cache import _size as size_of
from enrichment.jobs.protocols import Cache
from enrichment.modules.module import Finding, Module, source_key
from enrichment.modules.table import MODULES
from enrichment.postgres.cache import PostgresCache
from enrichment.postgres.database import Database
from enrichment.postgres.retention import Retention
from enrichment.settings import Settings
from schemas import Freshness, Outcome, SourceAttempt, SourceCitation
from tests.conftest import FakeClock
from tests.engine import Fact
from tests.simulation.recount import recount_cache

M01, M02, M08, M10 = "m01_company_context", "m02_tech_stack", "m08_stock_info", "m10_hiring_signals"
M14 = "m14_icp_scoring"


class ForgetfulCache(PostgresCache):
    """A cache in a database, with what deletes its findings."""

    retention: Retention


IMPLEMENTATIONS: Final = ("memory", "postgres")
"Every implementation. All tests of `Cache` run on each."

MakeCache = Callable[..., Awaitable[Cache]]


@pytest.fixture(params=IMPLEMENTATIONS)
async def make_cache(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[MakeCache]:
    """A function that opens a cache of at most so many findings and bytes."""
    async with AsyncExitStack() as stack:

        async def make(*, max_results: int = 100, max_bytes: int = 1_048_576) -> Cache:
            if request.param == "memory":
                return MemoryCache(max_results=max_results, max_bytes=max_bytes, clock=clock)
            database = Database(request.getfixturevalue("database_url"), connections=2)
            stack.push_async_callback(database.close)
            cache = ForgetfulCache(database, clock=clock)
            settings = Settings(max_cached_results=max_results, max_cached_bytes=max(max_bytes, 1_048_576))
            cache.retention = Retention(database, settings, clock)
            return cache

        yield make


async def forget(cache: Cache) -> None:
    """Let a cache that forgets findings from time to time do it now."""
    if isinstance(cache, ForgetfulCache):
        await cache.retention.forget()


@pytest.fixture
async def cache(make_cache: MakeCache) -> Cache:
    return await make_cache()


def finding(clock: FakeClock, call: int = 1) -> Finding:
    return Finding.of(Fact(call=call), source="s", fetched_at=clock.now(), based_on=((M02, 1.0),) if call == 2 else ())


async def test_findings_are_kept_by_domain_and_module(cache: Cache, clock: FakeClock) -> None:
    first, second = finding(clock, 1), finding(clock, 2)
    await cache.put("a.com", M01, first)
    await cache.put("a.com", M02, second)
    await cache.put("b.com", M01, second)

    assert await cache.get("a.com", (M01, M02, M08)) == {M01: first, M02: second}
    assert await cache.get("a.com", (M02,)) == {M02: second}
    assert await cache.get("b.com", MODULES) == {M01: second}
    assert await cache.get("c.com", MODULES) == {}
    assert await cache.get("a.com", ()) == {}


async def test_a_new_finding_replaces_the_former_one(cache: Cache, clock: FakeClock) -> None:
    for call in (1, 2):
        await cache.put("a.com", M01, finding(clock, call))

    assert await cache.get("a.com", (M01,)) == await cache.inspect("a.com") == {M01: finding(clock, 2)}


async def test_an_expired_finding_is_not_used_but_can_be_inspected(cache: Cache, clock: FakeClock) -> None:
    """Each by the time to live of its module: m08 a day, m02 a week."""
    await cache.put("a.com", M08, stock := finding(clock))
    await cache.put("a.com", M02, stack := finding(clock))
    await clock.advance(DAY - 1)
    assert await cache.get("a.com", (M02, M08)) == {M02: stack, M08: stock}
    await clock.advance(1)

    assert await cache.get("a.com", (M02, M08)) == {M02: stack}
    assert await cache.inspect("a.com") == {M02: stack, M08: stock}


async def test_an_expired_finding_is_given_to_who_asks_for_it_for_a_while(cache: Cache, clock: FakeClock) -> None:
    await cache.put("a.com", M08, stock := finding(clock))
    await clock.advance((1 + EXPIRED_DAYS) * DAY - 1)
    assert await cache.get("a.com", (M08,)) == {}
    assert await cache.get("a.com", (M08, M01), with_expired=True) == {M08: stock}
    await clock.advance(1)

    assert await cache.get("a.com", (M08,), with_expired=True) == {}
    assert await cache.inspect("a.com") == {}


async def test_what_is_held_is_listed_for_several_domains(cache: Cache, clock: FakeClock) -> None:
    await cache.put("a.com", M01, finding(clock, 2))
    await cache.put("a.com", M02, replace(finding(clock), unknown="never heard of it"))
    await cache.put("b.com", M08, finding(clock))
    now = clock.now()

    assert await cache.list_held(("a.com", "b.com", "c.com")) == {
        "a.com": {M01: (now, "", ((M02, 1.0),)), M02: (now, "never heard of it", ())},
        "b.com": {M08: (now, "", ())},
        "c.com": {},
    }
    await clock.advance(DAY)
    assert (await cache.list_held(("b.com",))) == {"b.com": {}}


async def test_to_be_listed_is_not_to_be_used(make_cache: MakeCache, clock: FakeClock) -> None:
    cache = await make_cache(max_results=2)
    for domain in ("a.com", "b.com"):
        await cache.put(domain, M01, finding(clock))
        await clock.advance(60)
    await cache.list_held(("a.com",))
    await cache.put("c.com", M01, finding(clock))
    await forget(cache)

    assert [bool(await cache.inspect(domain)) for domain in ("a.com", "b.com", "c.com")] == [False, True, True]


def unknown(clock: FakeClock, source: str, reason: str = "It does not know this company.") -> Finding:
    return Finding.of_unknown(reason, source=source, fetched_at=clock.now(), attempts=())


APOLLO, CLEARBIT = (source_key(MODULES[M01], name) for name in ("apollo", "clearbit"))


async def test_it_is_kept_which_sources_do_not_know_a_company(cache: Cache, clock: FakeClock) -> None:
    """Beside the answer, in whose place it is not found."""
    for reason in ("No.", "Never heard of it."):
        await cache.put("a.com", APOLLO, unknown(clock, "apollo", reason))
    held = {APOLLO: (clock.now(), "Never heard of it.", ())}
    assert await cache.list_held(("a.com", "b.com"), (M01, APOLLO, CLEARBIT)) == {"a.com": held, "b.com": {}}
    assert await cache.list_held(("a.com",)) == {"a.com": {}}
    assert await cache.get("a.com", (M01,), with_expired=True) == await cache.inspect("a.com") == {}

    await cache.put("a.com", M01, answer := finding(clock))
    await cache.put("a.com", CLEARBIT, unknown(clock, "clearbit"))
    assert (await cache.list_held(("a.com",), (APOLLO, CLEARBIT)))["a.com"].keys() == {APOLLO, CLEARBIT}
    assert await cache.get("a.com", (M01,)) == await cache.inspect("a.com") == {M01: answer}


async def test_that_a_source_does_not_know_a_company_is_kept_for_a_tenth_of_the_time(
    cache: Cache, clock: FakeClock
) -> None:
    yahoo = {source_key(MODULES[module_id], "yahoo"): module_id for module_id in (M01, M08)}
    for key in yahoo:
        await cache.put("a.com", key, unknown(clock, "yahoo"))
    await clock.advance(DAY / 10 - 1)
    assert (await cache.list_held(("a.com",), yahoo))["a.com"].keys() == yahoo.keys()
    await clock.advance(1)
    assert [yahoo[key] for key in (await cache.list_held(("a.com",), yahoo))["a.com"]] == [M01]
    await clock.advance(3 * DAY)
    assert await cache.list_held(("a.com",), yahoo) == {"a.com": {}}


async def test_what_sources_do_not_know_has_its_place_within_the_limits(
    make_cache: MakeCache, clock: FakeClock
) -> None:
    cache = await make_cache(max_results=2)
    await cache.put("a.com", APOLLO, unknown(clock, "apollo"))
    await clock.advance(1)
    await cache.put("b.com", M01, finding(clock))
    await clock.advance(1)
    await cache.put("a.com", CLEARBIT, unknown(clock, "clearbit"))
    await forget(cache)
    assert (await cache.list_held(("a.com",), (APOLLO, CLEARBIT)))["a.com"].keys() == {CLEARBIT}
    await clock.advance(1)
    await cache.put("c.com", M01, finding(clock))
    await forget(cache)

    assert await cache.inspect("b.com") == {}
    assert await cache.inspect("c.com") == {M01: finding(clock)}


async def test_inspecting_lists_the_findings_in_the_order_of_the_modules(cache: Cache, clock: FakeClock) -> None:
    for module_id in (M10, M01, M08):
        await cache.put("a.com", module_id, finding(clock))

    assert list(await cache.inspect("a.com")) == [M01, M08, M10]
    assert await cache.inspect("b.com") == {}


async def test_findings_by_different_profiles_are_kept_side_by_side_and_the_last_is_inspected(
    cache: Cache, clock: FakeClock
) -> None:
    findings = [finding(clock, call) for call in range(3)]
    for key, kept in zip((M14, f"{M14}@a", f"{M14}@b"), findings, strict=True):
        await cache.put("a.com", key, kept)
    await cache.put("b.com", f"{M14}@a", findings[0])

    assert await cache.get("a.com", (M14, f"{M14}@a", f"{M14}@c")) == {M14: findings[0], f"{M14}@a": findings[1]}
    assert await cache.inspect("a.com") == {M14: findings[2]}
    await cache.put("a.com", M14, findings[0])
    assert await cache.inspect("a.com") == {M14: findings[0]}
    assert await cache.inspect("b.com") == {M14: findings[0]}
    await clock.advance(DAY)
    assert await cache.get("a.com", (f"{M14}@a",)) == {}


async def test_memory_forgets_the_key_of_a_finding_that_it_drops(clock: FakeClock) -> None:
    cache = MemoryCache(max_results=2, max_bytes=10**6, clock=clock)
    for key in (f"{M14}@a", f"{M14}@b", M01):
        await cache.put("a.com", key, finding(clock))
    assert await cache.inspect("a.com") == {M01: finding(clock), M14: finding(clock)}
    await cache.put("b.com", M01, finding(clock))

    assert await cache.inspect("a.com") == {M01: finding(clock)}
    assert cache._last == {}


async def test_the_least_recently_used_finding_is_dropped_for_a_new_one(
    make_cache: MakeCache, clock: FakeClock
) -> None:
    """To be inspected is not to be used."""
    cache = await make_cache(max_results=2)
    await cache.put("a.com", M01, finding(clock))
    await cache.put("b.com", M01, finding(clock))
    await clock.advance(60)
    await cache.get("a.com", (M01,))
    await cache.inspect("b.com")
    await cache.put("c.com", M01, finding(clock))
    await forget(cache)

    kept = [bool(await cache.inspect(domain)) for domain in ("a.com", "b.com", "c.com")]
    assert kept == [True, False, True]


async def test_a_finding_that_is_replaced_takes_no_other_ones_place(make_cache: MakeCache, clock: FakeClock) -> None:
    cache = await make_cache(max_results=2, max_bytes=2_500)
    for domain in ("a.com", "b.com", *["a.com"] * 10):
        await cache.put(domain, M01, finding(clock))

    assert [bool(await cache.inspect(domain)) for domain in ("a.com", "b.com")] == [True, True]


async def test_findings_that_take_too_much_memory_drop_the_least_recently_used(
    make_cache: MakeCache, clock: FakeClock
) -> None:
    cache = await make_cache(max_bytes=1_048_576)
    for number in range(6):
        large = replace(finding(clock), body=Raw(b'{"call":%d,"text":"%s"}' % (number, b"x" * 200_000)))
        await cache.put(f"{number}.com", M01, large)
        await clock.advance(1)
    await forget(cache)

    kept = [bool(await cache.inspect(f"{number}.com")) for number in range(6)]
    assert [kept[0], kept[-1]] == [False, True]
    assert kept == sorted(kept)


def test_all_texts_of_a_finding_count(clock: FakeClock) -> None:
    citation = SourceCitation(url="https://a.com", title="A", source="s", simulated=False)
    attempt = SourceAttempt(source="s", duration_seconds=1, outcome=Outcome.FAILED, error="x")
    short = replace(finding(clock), citations=(citation,), attempts=(attempt,))
    longer = [
        replace(short, body=Raw(bytes(short.body) + b" " * 100)),
        replace(short, citations=(replace(citation, url=citation.url + "x" * 100),)),
        replace(short, citations=(replace(citation, title=citation.title + "x" * 100),)),
        replace(short, attempts=(replace(attempt, error="x" * 101),)),
    ]

    assert [size_of(each) - size_of(short) for each in longer] == [100] * 4


async def test_memory_counts_the_bytes_of_the_findings_that_it_holds(clock: FakeClock) -> None:
    """However they come and go; the last finding that fits stays."""
    size = size_of(finding(clock, 3))
    cache = MemoryCache(max_results=4, max_bytes=3 * size, clock=clock)
    for number in range(5):
        await cache.put(f"{number}.com", M01, finding(clock, 3))
        assert [*recount_cache(cache)] == []
        assert len(cache._findings) == min(number + 1, 3)
    for larger in (True, False):
        text = "x" * 2 * size if larger else ""
        await cache.put("4.com", M01, replace(finding(clock, 3), body=Raw(f'"{text}"'.encode())))
        assert [*recount_cache(cache)] == []
    assert list(cache._findings) == [("4.com", M01)]


@pytest.mark.parametrize(
    ("module_id", "age", "expected"),
    [
        (M01, 0, Freshness.FRESH),
        (M01, 23 * DAY - 1, Freshness.FRESH),  # of 30 days more than 7 are left
        (M01, 23 * DAY, Freshness.STALE),
        (M01, 30 * DAY - 1, Freshness.STALE),
        (M01, 30 * DAY, Freshness.EXPIRED),
        (M02, 4 * DAY, Freshness.FRESH),  # of 7 days more than a third is left
        (M02, 4.7 * DAY, Freshness.STALE),
        (M08, 0.6 * DAY, Freshness.FRESH),
        (M08, 0.7 * DAY, Freshness.STALE),
        (M08, 1 * DAY, Freshness.EXPIRED),
        (M10, 2 * DAY, Freshness.STALE),
    ],
)
def test_how_fresh_a_finding_is_depends_on_the_time_that_is_left(
    clock: FakeClock, module_id: str, age: float, expected: Freshness
) -> None:
    module: Module = MODULES[module_id]
    cached = finding(clock)

    assert freshness(cached, module, clock.now() + age) is expected
    assert seconds_left(cached, module, clock.now() + age) == pytest.approx(module.ttl_days * DAY - age)


def test_what_was_never_cached_is_missing(clock: FakeClock) -> None:
    assert freshness(None, MODULES[M01], clock.now()) is Freshness.MISSING
