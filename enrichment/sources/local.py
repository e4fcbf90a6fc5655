"""
What is worked out here, from what other modules have found: no outside call, no wait, no cost.
"""

from collections.abc import Callable

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.module import CaseStudy, Finding, Module, Subject


class Local(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the derived modules, and the case studies that they may look into."""

    case_studies: Callable[[], tuple[CaseStudy, ...]]
    clock: Clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Derive the answer; whoever reads it is led to the sources of what it was derived from."""
        if module.derive is None:
            raise SourceFailed("This module cannot be derived from others.")
        answer = module.derive(msgspec.structs.replace(subject, case_studies=self.case_studies()))
        citations = {citation: None for finding in subject.known.values() for citation in finding.citations}
        return Finding.of(
            answer,
            source="local",
            fetched_at=self.clock.now(),
            citations=tuple(citations),
            based_on=based_on(subject),
        )


def based_on(subject: Subject) -> tuple[tuple[str, float], ...]:
    """Which findings an answer about `subject` is derived from."""
    return tuple((module_id, finding.fetched_at) for module_id, finding in subject.known.items())
