"""
The source of derived modules: rules over the findings of other modules, without outside calls.
"""

from collections.abc import Callable

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.module import Answer, CaseStudy, Finding, Module, Subject
from schemas import Method


class Local(msgspec.Struct, frozen=True, kw_only=True):
    """Runs `Module.derive`, with the case studies that it may use."""

    case_studies: Callable[[], tuple[CaseStudy, ...]]
    clock: Clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Derive the answer, and cite the sources of the findings that it is based on."""
        if module.derive is None:
            raise SourceFailed("This module cannot be derived from others.")
        now = self.clock.now()
        answer = module.derive(msgspec.structs.replace(subject, case_studies=self.case_studies(), now=now))
        return derived_finding(answer, subject, source="local", method=Method.DERIVED, fetched_at=now)


def derived_finding(answer: Answer, subject: Subject, *, source: str, method: Method, fetched_at: float) -> Finding:
    """Return an answer that was made from the findings about `subject`, with the citations of these."""
    citations = {citation: None for finding in subject.known.values() for citation in finding.citations}
    return Finding.of(
        answer,
        source=source,
        method=method,
        fetched_at=fetched_at,
        citations=tuple(citations),
        based_on=based_on(subject),
    )


def based_on(subject: Subject) -> tuple[tuple[str, float], ...]:
    """Return the findings that a derived answer about `subject` depends on, by module and time."""
    return tuple((module_id, finding.fetched_at) for module_id, finding in subject.known.items())
