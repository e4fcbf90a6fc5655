"""
SimilarWeb: visits, channels, similar websites and search keywords of a company's website.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.costs import PaidRequests
from enrichment.sources.failures import Unauthorized
from enrichment.sources.http import Client
from enrichment.sources.identity import match_domain
from enrichment.sources.keys import KeyStatus
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.similarweb_legacy import Legacy
from enrichment.sources.similarweb_reading import Answered, checked, start_of
from enrichment.sources.similarweb_v5 import V5
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

REQUESTS_PER_SECOND: Final = 8.0
"10 are allowed to an account, counted by the clock of the service."
ATTEMPT_SECONDS: Final = 4.0


class Interface(Protocol):
    """A version of the interface, with a method for each module. A month without data yet and a wrong path are free."""

    @property
    def paid_requests(self) -> Mapping[str, PaidRequests]:
        """The paid requests for an answer, by module id, where there is not just one."""

    async def traffic(self, domain: str) -> Answered:
        """Answer m03."""

    async def sources(self, domain: str) -> Answered:
        """Answer m04."""

    async def competitors(self, domain: str) -> Answered:
        """Answer m05."""

    async def keywords(self, domain: str) -> Answered:
        """Answer m06."""


class SimilarWeb:
    """The source of traffic, its sources, competitors and keywords."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        key: str,
        base_url: str = "https://api.similarweb.com",
        version: Literal["v5", "legacy"] = "v5",
    ) -> None:
        self._client = client
        self._clock = clock
        self._url = base_url
        self._key = key
        self.upstream = Upstream(
            name="similarweb",
            requests_per_second=REQUESTS_PER_SECOND,
            attempt_seconds=ATTEMPT_SECONDS,
            trusted_origins=(base_url,),
            key_setting="SIMILARWEB_API_KEY",
            paid_service="similarweb",
        )
        make = V5 if version == "v5" else Legacy
        interface: Interface = make(client, self.upstream, clock, base_url=base_url, key=key)
        self.paid_requests: Mapping[str, PaidRequests] = interface.paid_requests
        self._methods = {
            "m03_traffic": interface.traffic,
            "m04_traffic_sources": interface.sources,
            "m05_competitors": interface.competitors,
            "m06_keywords": interface.keywords,
        }

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the figures of the newest month. Raises `NotFound` if there are none for this website."""
        if module.id not in self._methods:
            raise SourceFailed("SimilarWeb does not answer this module.")
        company = match_domain(subject.domain)
        answer, url, title, month = await self._methods[module.id](company.domain)
        return Finding.of(
            answer,
            source="similarweb",
            method=Method.API,
            fetched_at=self._clock.now(),
            observed_at=None if month is None else start_of(month),
            citations=(SourceCitation(url=url, title=title, source="similarweb", simulated=False),),
            matched_by=company.matched_by,
            match_confidence=company.confidence,
        )

    async def check_key(self) -> KeyStatus:
        """Return the credits that are left. This costs none."""
        request = HttpRequest(
            url=f"{self._url}/capabilities", params={"api_key": self._key}, headers={"api-key": self._key}
        )
        return await self._client.fetch(self.upstream, request, read_capabilities)


def read_capabilities(response: HttpResponse) -> KeyStatus:
    """Return what is left: the first number whose name says so. The rest describes the data of the plan."""
    if response.status == 401 and "not found" not in response.text.casefold():  # no website is asked about
        raise Unauthorized("It does not accept the key.")
    found = checked(response).json(dict[str, Any])
    numbers = [float(value) for name, value in found.items() if "remaining" in name and isinstance(value, int | float)]
    return KeyStatus(works=True, remaining=numbers[0] if numbers else None, unit="credits" if numbers else None)
