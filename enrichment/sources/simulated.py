"""
A made-up source: no outside call, a wait in its place, the same answer for every domain.
"""

import msgspec

from enrichment.clock import Clock
from enrichment.sources import Company

ANSWER = Company(company_size=50, industry="AI Software")


class SimulatedCompanies(msgspec.Struct, frozen=True, kw_only=True):
    """A slow third party, played by `clock`."""

    expected_seconds: float
    clock: Clock
    name: str = "simulated"

    async def look_up(self, domain: str) -> Company:
        """Wait, then answer what every domain is answered."""
        await self.clock.sleep(self.expected_seconds)
        return ANSWER
