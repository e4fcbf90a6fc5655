"""
Findings by domain and module, kept for a module's time to live.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from sys import getsizeof
from typing import Final

from enrichment.clock import Clock
from enrichment.jobs.protocols import Held
from enrichment.modules.module import Finding, Module
from enrichment.modules.table import MODULES
from schemas import Freshness

DAY: Final = 86_400  # seconds

FINDING_BYTES: Final = 600  # what a finding takes beside its body and what follows
CITATION_BYTES: Final = 150  # beside its URL and title
ATTEMPT_BYTES: Final = 120  # beside the error
ORIGIN_BYTES: Final = 80  # a tuple, and the time in it

FRESH_DAYS: Final = 7
UNKNOWN_SHARE: Final = 0.1  # of a module's time to live, for a company that no source knows
EXPIRED_DAYS: Final = 30  # for which an answer is kept after it has expired, if there is room


class MemoryCache:
    """
    A `Cache` in memory of at most `max_results` findings with some `max_bytes` in all; the least recently used ones are
    dropped for a new one. The keys of those that one source does not know a company end with that source.
    """

    def __init__(self, *, max_results: int, max_bytes: int, clock: Clock) -> None:
        self._max_results = max_results
        self._max_bytes = max_bytes
        self._bytes = 0
        self._clock = clock
        self._findings: OrderedDict[tuple[str, ...], Finding] = OrderedDict()

    async def get(
        self, domain: str, module_ids: Collection[str], *, with_expired: bool = False
    ) -> Mapping[str, Finding]:
        """See `Cache.get`."""
        found = self._held(domain, module_ids, with_expired=with_expired)
        for module_id in found:
            self._findings.move_to_end((domain, module_id))
        return found

    async def put(self, domain: str, module_id: str, finding: Finding) -> None:
        """See `Cache.put`."""
        self._put((domain, module_id), finding)

    async def put_unknown(self, domain: str, module_id: str, finding: Finding) -> None:
        """See `Cache.put_unknown`."""
        self._put((domain, module_id, finding.source), finding)

    async def inspect(self, domain: str) -> Mapping[str, Finding]:
        """See `Cache.inspect`."""
        return self._held(domain, MODULES, with_expired=True)

    async def list_held(self, domains: Collection[str]) -> Mapping[str, Mapping[str, Held]]:
        """See `Cache.list_held`."""
        return {
            domain: {
                module_id: Held(finding.fetched_at, finding.unknown, finding.based_on)
                for module_id, finding in self._held(domain, MODULES, with_expired=False).items()
            }
            for domain in domains
        }

    async def list_unknown(
        self, domains: Collection[str], module_ids: Collection[str]
    ) -> Mapping[str, Mapping[str, Mapping[str, Finding]]]:
        """See `Cache.list_unknown`."""
        return {
            domain: {
                module_id: unknown for module_id in module_ids if (unknown := self._unknown(domain, MODULES[module_id]))
            }
            for domain in domains
        }

    def _put(self, key: tuple[str, ...], finding: Finding) -> None:
        before = self._findings.pop(key, None)
        self._findings[key] = finding
        self._bytes += _size(finding) - (_size(before) if before else 0)
        while len(self._findings) > self._max_results or self._bytes > self._max_bytes:
            self._drop(next(iter(self._findings)))

    def _drop(self, key: tuple[str, ...]) -> None:
        self._bytes -= _size(self._findings.pop(key))

    def _unknown(self, domain: str, module: Module) -> dict[str, Finding]:
        """The findings that a source does not know the company, by source. Those that have expired are dropped."""
        now, found = self._clock.now(), {}
        for name in module.chain:
            key = (domain, module.id, name)
            if finding := self._findings.get(key):
                if seconds_left(finding, module, now) > 0:
                    found[name] = finding
                else:
                    self._drop(key)
        return found

    def _held(self, domain: str, module_ids: Collection[str], *, with_expired: bool) -> dict[str, Finding]:
        """The findings of a domain. Those that expired long ago are dropped."""
        now, found = self._clock.now(), {}
        for module_id in module_ids:
            if finding := self._findings.get((domain, module_id)):
                left = seconds_left(finding, MODULES[module_id], now)
                if left > 0 or (with_expired and left > -EXPIRED_DAYS * DAY):
                    found[module_id] = finding
                elif left <= -EXPIRED_DAYS * DAY:
                    self._drop((domain, module_id))
        return found


def seconds_left(finding: Finding, module: Module, now: float) -> float:
    """How long the finding may still be used; 0 or less if it has expired. That a company is unknown soon changes."""
    return finding.fetched_at + _ttl(finding, module) - now


def freshness(finding: Finding | None, module: Module, now: float) -> Freshness:
    """How fresh a cached finding is: `fresh` while more than a third of its time to live, or 7 days, are left."""
    if finding is None:
        return Freshness.MISSING
    left = seconds_left(finding, module, now)
    if left <= 0:
        return Freshness.EXPIRED
    fresh_above = min(FRESH_DAYS * DAY, _ttl(finding, module) / 3)
    return Freshness.FRESH if left > fresh_above else Freshness.STALE


def _ttl(finding: Finding, module: Module) -> float:
    """How long the finding may be used in all, in seconds."""
    return module.ttl_days * DAY * (UNKNOWN_SHARE if finding.unknown else 1)


def _size(finding: Finding) -> int:
    """About how many bytes a finding takes."""
    citations = sum(CITATION_BYTES + getsizeof(each.url) + getsizeof(each.title) for each in finding.citations)
    attempts = sum(ATTEMPT_BYTES + getsizeof(each.error) for each in finding.attempts)
    return FINDING_BYTES + len(finding.body) + citations + attempts + ORIGIN_BYTES * len(finding.based_on)
