"""
An answer to a module's question: from the cache, or from a call shared with whoever wants the same.
"""

from collections.abc import Mapping

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.jobs.cache import Cache, SharedCalls
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources import Source, first_success
from enrichment.sources.local import based_on


class Answers:
    """All that is known, and all that can be asked."""

    def __init__(self, *, cache: Cache, sources: Mapping[str, Source], clock: Clock) -> None:
        self._cache = cache
        self._sources = sources
        self._clock = clock
        self._calls = SharedCalls()

    def known(self, domain: str, module: Module) -> Finding | None:
        """What the cache holds, whatever it was derived from."""
        return self._cache.get_any(domain, module)

    def cached(self, module: Module, subject: Subject) -> Finding | None:
        """What the cache holds for just this question."""
        return self._cache.get(subject.domain, module, based_on(subject))

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """The sources' answer, without a look into the cache. Raises `SourceFailed` or `InsufficientInput`."""
        key = (subject.domain, module.id, based_on(subject))
        return await self._calls.share(key, lambda: self._call(module, subject))

    async def _call(self, module: Module, subject: Subject) -> Finding:
        """The call itself, once for all who wait for it. What it brings is kept, whoever still waits."""
        try:
            async with self._clock.timeout(module.timeout_seconds):
                finding = await first_success(self._sources, module, subject, self._clock)
        except TimeoutError:
            raise SourceFailed(f"No answer within {module.timeout_seconds:g} seconds.") from None
        self._cache.put(subject.domain, module, finding)
        return finding
