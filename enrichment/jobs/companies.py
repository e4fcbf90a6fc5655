"""
The source of `POST /enrich` with live sources: the chain of module m01.
"""

import secrets

from enrichment.errors import SourceFailed
from enrichment.jobs.resolver import Resolver
from enrichment.modules.answers import CompanyContext
from enrichment.modules.module import Subject
from enrichment.modules.table import MODULES
from schemas import CompanyData


class ResolvedCompanies:
    """A `CompanySource` that answers from the cache, or from the sources of m01."""

    name = "m01_company_context"
    expected_seconds = 10.0

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def look_up(self, domain: str) -> CompanyData:
        """Find the number of employees and the industry. Raise `SourceFailed` if either is not known."""
        module, subject = MODULES["m01_company_context"], Subject(domain=domain)
        finding = await self._resolver.cached(module, subject)
        finding = finding or await self._resolver.ask(module, subject, asker=f"lookup {secrets.token_hex(8)}")
        if finding.unknown:
            raise SourceFailed(finding.unknown)
        context = finding.read(CompanyContext)
        if context.employees is None or context.industry is None:
            missing = "industry" if context.employees is not None else "number of employees"
            raise SourceFailed(f"The {missing} of this company is not known to {finding.source}.")
        return CompanyData(company_size=context.employees, industry=context.industry)
