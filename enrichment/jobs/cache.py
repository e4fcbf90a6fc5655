"""
Findings by domain and module, kept for a module's time to live.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from sys import getsizeof
from typing import Final

from enrichment.clock import Clock
from enrichment.jobs.protocols import Held
from enrichment.modules.module import Finding, Module, is_source_key, module_of_key
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
    dropped for a new one.
    """

    def __init__(self, *, max_results: int, max_bytes: int, clock: Clock) -> None:
        self._max_results = max_results
        self._max_bytes = max_bytes
        self._bytes = 0
        self._clock = clock
        self._findings: OrderedDict[tuple[str, str], Finding] = OrderedDict()  # by domain and key
        self._last: dict[tuple[str, str], str] = {}  # by domain and module, the key kept last if it has a profile

    async def get(self, domain: str, keys: Collection[str], *, with_expired: bool = False) -> Mapping[str, Finding]:
        """See `Cache.get`."""
        found = self._held(domain, keys, with_expired=with_expired)
        for key in found:
            self._findings.move_to_end((domain, key))
        return found

    async def put(self, domain: str, key: str, finding: Finding) -> None:
        """See `Cache.put`."""
        before = self._findings.pop((domain, key), None)
        self._findings[domain, key] = finding
        if key == (module_id := module_of_key(key)):
            self._last.pop((domain, module_id), None)
        elif not is_source_key(key):
            self._last[domain, module_id] = key
        self._bytes += _size(finding) - (_size(before) if before else 0)
        while len(self._findings) > self._max_results or self._bytes > self._max_bytes:
            place, dropped = self._findings.popitem(last=False)
            self._bytes -= _size(dropped)
            self._forget(*place)

    async def inspect(self, domain: str) -> Mapping[str, Finding]:
        """See `Cache.inspect`."""
        keys = [self._last.get((domain, module_id), module_id) for module_id in MODULES]
        held = self._held(domain, keys, with_expired=True)
        return {module_of_key(key): finding for key, finding in held.items()}

    async def list_held(
        self, domains: Collection[str], keys: Collection[str] = tuple(MODULES)
    ) -> Mapping[str, Mapping[str, Held]]:
        """See `Cache.list_held`."""
        return {
            domain: {
                key: Held(finding.fetched_at, finding.unknown, finding.based_on)
                for key, finding in self._held(domain, keys, with_expired=False).items()
            }
            for domain in domains
        }

    def _held(self, domain: str, keys: Collection[str], *, with_expired: bool) -> dict[str, Finding]:
        """The findings of a domain. Those that expired long ago are dropped."""
        now, found = self._clock.now(), {}
        for key in keys:
            if finding := self._findings.get((domain, key)):
                left = seconds_left(finding, MODULES[module_of_key(key)], now)
                if left > 0 or (with_expired and left > -EXPIRED_DAYS * DAY):
                    found[key] = finding
                elif left <= -EXPIRED_DAYS * DAY:
                    del self._findings[domain, key]
                    self._bytes -= _size(finding)
                    self._forget(domain, key)
        return found

    def _forget(self, domain: str, key: str) -> None:
        """Forget that the key of a finding that is dropped was kept last."""
        if self._last.get((domain, module_of_key(key))) == key:
            del self._last[domain, module_of_key(key)]


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
