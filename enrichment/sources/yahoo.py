"""
Yahoo Finance: figures of listed companies, for a ticker that comes from the company's identity.

It has no contract and no key, and may refuse at any time. What needs no session is asked first; the rest is an extra.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple, Protocol, TypeVar

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.modules.answers import StockInfo
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources import yahoo_reading as reading
from enrichment.sources.company_names import may_be_same
from enrichment.sources.failures import AuthError, NotFound, RateLimited, UpstreamError
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from enrichment.sources.yahoo_session import Session
from enrichment.sources.yahoo_shapes import Insights, Summary
from enrichment.sources.yahoo_symbols import Listing, first_symbol
from schemas import Method, SourceCitation

T = TypeVar("T")

REFUSED_SECONDS: Final = 900.0
"The pause after an answer 429, which comes without `Retry-After`."
YEARS: Final = 6
YEAR_SECONDS: Final = 366 * 86_400


class Identity(Protocol):
    """The company of a domain, as far as it is needed here."""

    @property
    def name(self) -> str | None:
        """Its name."""

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The exchanges where its shares are traded, the preferred one first."""

    @property
    def is_listed(self) -> bool | None:
        """Whether its shares are traded; None if nothing is known about it."""

    @property
    def matched_by(self) -> str:
        """How it was identified."""

    @property
    def match_confidence(self) -> float:
        """How sure that is (0 to 1)."""


class Identities(Protocol):
    """Identifies companies."""

    async def identify(self, domain: str) -> Identity | None:
        """Return the company of a domain. Raises `NotFound`, or returns None, if that cannot be said for sure."""


class Share(NamedTuple):
    """A share, by Yahoo's symbol, and the company."""

    symbol: str
    exchange: str
    company: Identity


class Answered(NamedTuple):
    """An answer, the URLs it is from, and the time of its data."""

    answer: Answer
    urls: tuple[str, ...]
    observed_at: float | None = None


class Yahoo:
    """Asks Yahoo Finance about listed companies."""

    def __init__(
        self,
        client: Client,
        identities: Identities,
        clock: Clock,
        *,
        q1: str = "https://query1.finance.yahoo.com",
        q2: str = "https://query2.finance.yahoo.com",
        fc: str = "https://fc.yahoo.com",
    ) -> None:
        self._client = client
        self._identities = identities
        self._clock = clock
        self._q1 = q1
        self._q2 = q2
        self.upstream = Upstream(name="yahoo", requests_per_second=1, attempt_seconds=4, trusted_origins=(q1, q2, fc))
        self._session = Session(client, self.upstream, clock, cookie_url=fc, crumb_url=f"{q1}/v1/test/getcrumb")
        self._handlers: Mapping[str, Callable[[Share, str], Awaitable[Answered]]] = {
            "m01_company_context": self._context,
            "m07_financials": self._financials,
            "m08_stock_info": self._stock,
            "m09_analyst_ratings": self._ratings,
            "m12_trigger_events": self._events,
        }

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Answer for a company whose shares are traded. Raises `NotFound` for others."""
        company = await self._identities.identify(subject.domain)
        if company is None:
            raise NotFound("It is not known which company this is.")
        if module.id == "m08_stock_info" and company.is_listed is False and not company.listings:
            return self._finding(Answered(StockInfo(is_listed=False), ()), company, Method.DERIVED)
        found = first_symbol(company.listings)
        if found is None:
            raise NotFound("No exchange where its shares are traded is known.")
        answered = await self._handlers[module.id](Share(*found, company), subject.domain)
        return self._finding(answered, company, Method.API)

    def _finding(self, answered: Answered, company: Identity, method: Method) -> Finding:
        return Finding.of(
            answered.answer,
            source="yahoo",
            fetched_at=self._clock.now(),
            observed_at=answered.observed_at,
            method=method,
            citations=tuple(
                SourceCitation(url=url, title="Yahoo Finance", source="yahoo", simulated=False) for url in answered.urls
            ),
            matched_by=company.matched_by,
            match_confidence=company.match_confidence,
        )

    async def _context(self, share: Share, domain: str) -> Answered:
        url, summary = await self._summary(share.symbol, "assetProfile,price")
        if summary.asset_profile and (website := reading.host_of(summary.asset_profile.website)):
            if registrable_domain(website) != registrable_domain(domain):
                raise NotFound("Its company of this ticker has another website.")
        elif not self._is_company(share.company, summary.price.long_name if summary.price else None):
            raise NotFound("Its company of this ticker has another name.")
        return Answered(reading.context(summary, share.company.name), (url,), self._clock.now())

    async def _financials(self, share: Share, domain: str) -> Answered:
        now = int(self._clock.now())
        params = {
            "symbol": share.symbol,
            "type": ",".join(reading.FIGURES),
            "period1": str(now - YEARS * YEAR_SECONDS),
            "period2": str(now),
        }
        path = f"/ws/fundamentals-timeseries/v1/finance/timeseries/{share.symbol}"
        url, figures = await self._get(path, params, reading.figures)
        answer, observed_at = reading.financials(figures)
        return Answered(answer, (url,), observed_at)

    async def _stock(self, share: Share, domain: str) -> Answered:
        params = {"range": "1y", "interval": "1d", "events": "div,splits"}
        url, chart = await self._get(f"/v8/finance/chart/{share.symbol}", params, reading.chart)
        if not self._is_company(share.company, chart.meta.long_name):
            raise NotFound("Its company of this ticker has another name.")
        answer, observed_at = reading.stock(chart, share.symbol, share.exchange)
        urls = [url]
        with suppress(SourceFailed):
            extra_url, summary = await self._summary(share.symbol, "price,summaryDetail")
            answer = reading.with_summary(answer, summary)
            urls.append(extra_url)
        return Answered(answer, tuple(urls), observed_at)

    async def _ratings(self, share: Share, domain: str) -> Answered:
        """Return what all analysts say, or if that is refused, what one says."""
        now = self._clock.now()
        try:
            modules = "financialData,recommendationTrend,upgradeDowngradeHistory,price"
            url, summary = await self._summary(share.symbol, modules)
            return Answered(reading.ratings(summary, now), (url,), now)
        except NotFound:
            raise
        except SourceFailed:
            url, insights = await self._insights(share.symbol)
            return Answered(reading.rating(insights), (url,))

    async def _events(self, share: Share, domain: str) -> Answered:
        url, insights = await self._insights(share.symbol)
        return Answered(reading.events(insights, self._clock.now()), (url,))

    async def _insights(self, symbol: str) -> tuple[str, Insights]:
        params = {"symbol": symbol, "reportsCount": "2", "getAllResearchReports": "true"}
        return await self._get("/ws/insights/v2/finance/insights", params, reading.insights)

    async def _get(self, path: str, params: dict[str, str], read: Callable[[HttpResponse], T]) -> tuple[str, T]:
        """Return the URL of an answer that needs no session, and what `read` makes of it."""
        request = HttpRequest(url=self._q2 + path, params=params)
        return await self._client.fetch(self.upstream, request, lambda response: (response.url, read(check(response))))

    async def _summary(self, symbol: str, modules: str) -> tuple[str, Summary]:
        params = {
            "modules": modules,
            "formatted": "false",
            "corsDomain": "finance.yahoo.com",
            "lang": "en-US",
            "region": "US",
        }
        return await self._session.fetch(
            f"{self._q2}/v10/finance/quoteSummary/{symbol}",
            params,
            lambda response: (response.url, reading.summary(check(response))),
        )

    def _is_company(self, company: Identity, name: str | None) -> bool:
        return not company.name or not name or may_be_same(company.name, name)


def check(response: HttpResponse) -> HttpResponse:
    """Return the response if it is an answer; else raise the failure that it stands for."""
    if response.status == 429:
        raise RateLimited("It has received too many requests.", retry_after=response.retry_after or REFUSED_SECONDS)
    if reading.host_of(response.url).startswith(("consent.", "guce.")):
        raise AuthError("It asks for consent to cookies.")
    response.raise_for_status()
    if b"Will be right back" in response.body[:65_536]:
        raise UpstreamError("It is down for maintenance.")
    return response
