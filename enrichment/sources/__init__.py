"""
Where answers come from: one outside place per file.
"""

from typing import Protocol

import msgspec


class Company(msgspec.Struct, frozen=True):
    """What `POST /enrich` finds out about a company."""

    company_size: int
    industry: str


class CompanySource(Protocol):
    """An outside place that knows companies by their domains."""

    @property
    def name(self) -> str:
        """What callers are told of where the data comes from."""

    @property
    def expected_seconds(self) -> float:
        """How long a look-up usually takes."""

    async def look_up(self, domain: str) -> Company:
        """Ask about one company. Whatever it raises becomes the job's failure."""
