"""
What the store and the cache in memory count and index, compared with what they hold.
"""

from collections.abc import Iterator

from enrichment.jobs.cache import MemoryCache
from enrichment.jobs.cache import _size as size_of_finding
from enrichment.jobs.memory import MemoryStore
from enrichment.jobs.memory import _size as size_of_job
from enrichment.jobs.memory import _size_of_profile as size_of_profile
from enrichment.jobs.model import Enrichment
from schemas import JobState


def recount_store(store: MemoryStore) -> Iterator[str]:
    """Each difference."""
    jobs = list(store._jobs.values())
    enrichments = sorted((job for job in jobs if isinstance(job, Enrichment)), key=lambda job: job.number)
    index = store._index
    expected = {
        "all": [job.id for job in enrichments],
        **{state.value: [job.id for job in enrichments if job.state is state] for state in JobState},
        **{
            domain: [job.id for job in enrichments if job.domain == domain]
            for domain in {job.domain for job in enrichments}
        },
    }
    counted = {"all": index._all, **{state.value: ids for state, ids in index._in_state.items()}, **index._of_domain}
    if counted != expected:
        yield f"the index has {counted}, and not {expected}"
    finished = {job.id for job in jobs if job.is_finished}
    if {job.id for job in store._finished} != finished or len(store._finished) != len(finished):
        yield "the finished jobs in the order of their ends are not those that are held"
    if store.pending != len(jobs) - len(finished):
        yield "unfinished jobs are counted wrongly"
    if not store._decompressed.keys() <= finished:
        yield "a job is kept decompressed that is not held"
    yield from _recount_batches(store, enrichments)


def _recount_batches(store: MemoryStore, enrichments: list[Enrichment]) -> Iterator[str]:
    pending = finished = 0
    posted = sum(size_of_profile(job) for job in enrichments if not job.is_finished)
    size = sum(size_of_job(job) for job in store._finished)
    for batch_id, held in store._batches.items():
        jobs = [job for job in enrichments if job.batch_id == batch_id]
        unfinished = sum(not job.is_finished for job in jobs)
        if [held.jobs, held.unfinished] != [len(jobs), unfinished]:
            yield f"a batch counts {held.jobs} jobs, {held.unfinished} unfinished; it has {len(jobs)}, {unfinished}"
        skipped = sum(item.reason is not None for item in held.batch.items)
        if unfinished:
            pending += len(held.batch.items) - len(jobs)
            posted += held.posted_bytes
        else:
            finished += skipped
            size += held.size
    if {job.batch_id for job in enrichments if job.batch_id} != store._batches.keys():
        yield "the batches are not those of the jobs that are held"
    if [store._pending_skipped, store._finished_skipped] != [pending, finished]:
        yield "entries of batches are counted wrongly"
    if store._finished_bytes != size:
        yield "the bytes of finished jobs and batches are counted wrongly"
    if store._pending_bytes != posted:
        yield "the bytes of profiles and tables of unfinished jobs are counted wrongly"


def recount_cache(cache: MemoryCache) -> Iterator[str]:
    """Each difference."""
    if cache._bytes != sum(map(size_of_finding, cache._findings.values())):
        yield "the bytes of findings are counted wrongly"
    if len(cache._findings) > cache._max_results or (cache._bytes > cache._max_bytes and cache._findings):
        yield "the cache holds more than allowed"
