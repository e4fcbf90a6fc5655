"""
A source that does not use the client for outside services, such as one that a host has passed to the app.
"""

import msgspec

from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources import Source
from enrichment.sources.costs import charging
from enrichment.sources.registry import SOURCES


class ChargedSource(msgspec.Struct, frozen=True, kw_only=True):
    """Another source, of which each request for an answer counts as one billed call of `service`."""

    service: str
    source: Source

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Charge a call, then ask the source."""
        async with charging(self.service) as call:
            call.is_sent = True
            return await self.source.ask(module, subject)


def charged(name: str, source: Source) -> Source:
    """The source that is asked by this name, charged unless it is no outside one."""
    if name in ("local", "simulated"):
        return source
    spec = SOURCES.get(name)
    service = spec.services[0] if spec and spec.services else name
    return ChargedSource(service=service, source=source)
