"""
Apollo (https://docs.apollo.io): a company's record, its job postings, and the news about it, for a key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from enrichment.clock import Clock, format_utc
from enrichment.domains import registrable_domain
from enrichment.modules.answers import HiringSignals, TriggerEvents
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources import apollo_reading as reading
from enrichment.sources import organizations
from enrichment.sources.costs import PaidRequests
from enrichment.sources.failures import AuthError, NotFound, QuotaExhausted
from enrichment.sources.headlines import Report, events_in
from enrichment.sources.http import Client
from enrichment.sources.job_boards import Role, summarize
from enrichment.sources.keys import KeyStatus
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.messages import HttpRequest, HttpResponse, citable
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

T = TypeVar("T")

KEY_SETTING: Final = "APOLLO_API_KEY"
SECONDS: Final = 900.0
"How long a record is kept, which costs a credit: longer than a job runs."
MAX_RECORDS: Final = 500
OTHER_REQUESTS_PER_MINUTE: Final = 200
"The limit of paid plans for what is not the enrichment of companies."
POSTINGS_PER_PAGE: Final = 100
MAX_PAGES: Final = 3
"Of job postings; each costs a credit."
NEWS_PER_PAGE: Final = 25
YEAR_SECONDS: Final = 365 * 86_400


class Company(NamedTuple):
    """A record, its name, the URL that it is from, and when it was fetched."""

    record: reading.Organization
    name: str
    url: str
    fetched_at: float


class Answered(NamedTuple):
    """An answer, how it was obtained, when, and the pages that it is from, by URL and title."""

    answer: Answer
    method: Method
    fetched_at: float
    cited: Mapping[str, str]


class Apollo:
    """
    The source `apollo`: m01, m02 and m07 from a company's record, m10 from its job postings, m12 from news and funding.

    The modules of a job share the record. Apollo counts requests by endpoint.
    """

    paid_requests: Final = {
        "m01_company_context": PaidRequests(("company",)),
        "m02_tech_stack": PaidRequests(("company",)),
        "m07_financials": PaidRequests(("company",)),
        "m10_hiring_signals": PaidRequests(("company", "job postings"), more=MAX_PAGES - 1),
        "m12_trigger_events": PaidRequests(("company", "news")),
    }

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        key: str,
        base_url: str = "https://api.apollo.io/api/v1",
        requests_per_minute: int = 50,
    ) -> None:
        self._client = client
        self._clock = clock
        self._url = base_url
        self._headers = {"X-Api-Key": key, "Content-Type": "application/json", "Cache-Control": "no-cache"}
        other = min(requests_per_minute, OTHER_REQUESTS_PER_MINUTE)
        self._companies = _upstream("companies", base_url, requests_per_minute)
        self._postings = _upstream("job_postings", base_url, other)
        self._news = _upstream("news", base_url, other)
        self._account = _upstream("account", base_url, other)
        self.upstreams = (self._companies, self._postings, self._news, self._account)
        self._records: LookupCache[Company] = LookupCache(clock, seconds=SECONDS, max_entries=MAX_RECORDS)
        self._handlers: Mapping[str, Callable[[Company], Awaitable[Answered]]] = {
            "m01_company_context": self._context,
            "m02_tech_stack": self._stack,
            "m07_financials": self._financials,
            "m10_hiring_signals": self._hiring,
            "m12_trigger_events": self._events,
        }

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Answer from the record of the domain's company. Raises `NotFound` if there is none, or it is of another."""
        domain = registrable_domain(subject.domain)
        company = await self._records.get(domain, lambda: self._look_up(domain))
        record = company.record
        match = organizations.match(subject.domain, (record.primary_domain, record.website_url))
        answered = await self._handlers[module.id](company)
        return Finding.of(
            answered.answer,
            source="apollo",
            fetched_at=answered.fetched_at,
            method=answered.method,
            citations=tuple(
                SourceCitation(url=url, title=title, source="apollo", simulated=False)
                for url, title in answered.cited.items()
            ),
            matched_by=match.matched_by,
            match_confidence=match.confidence,
        )

    async def check_key(self) -> KeyStatus:
        """See `Checkable`. What is left of the quota is not part of the answer."""
        await self._fetch(self._account, "/auth/health", reading.health)
        return KeyStatus(works=True)

    async def _look_up(self, domain: str) -> Company:
        url, record = await self._fetch(
            self._companies, "/organizations/enrich", reading.organization, {"domain": domain}
        )
        if not record.name:
            raise NotFound("Its record of this company has no name.")
        return Company(record, record.name, url, self._clock.now())

    async def _context(self, company: Company) -> Answered:
        title = "Apollo: company, with the number of employees and the revenue as Apollo estimates them"
        return Answered(
            reading.context(company.record, company.name), Method.API, company.fetched_at, {company.url: title}
        )

    async def _stack(self, company: Company) -> Answered:
        technologies = organizations.stack(reading.technologies(company.record))
        return Answered(technologies, Method.API, company.fetched_at, {company.url: "Apollo: technologies"})

    async def _financials(self, company: Company) -> Answered:
        answer = reading.financials(company.record)
        return Answered(answer, Method.ESTIMATED, company.fetched_at, {company.url: "Apollo: estimated revenue"})

    async def _hiring(self, company: Company) -> Answered:
        """The open roles. More than the pages that are read have are not counted, so that their number stays unset."""
        path = f"/organizations/{quote(_id(company), safe='')}/job_postings"
        now, cited = self._clock.now(), {}
        roles: list[Role] = []
        for page in range(1, MAX_PAGES + 1):
            params = {"page": page, "per_page": POSTINGS_PER_PAGE}
            url, postings = await self._fetch(self._postings, path, reading.postings, params)
            cited[url] = "Apollo: job postings"
            roles += reading.open_roles(postings, now)
            if len(postings) < POSTINGS_PER_PAGE:
                break
        if not roles:
            raise NotFound("It lists no open roles of this company.")
        signals = await asyncio.to_thread(summarize, roles, now)
        if len(postings) == POSTINGS_PER_PAGE:
            signals = HiringSignals(technologies_mentioned=signals.technologies_mentioned)
        return Answered(msgspec.structs.replace(signals, roles_by_department=()), Method.API, now, cited)

    async def _events(self, company: Company) -> Answered:
        """The events that headlines report, and the rounds of funding in the record."""
        now = self._clock.now()
        today = datetime.fromtimestamp(now, UTC).date()
        rounds = reading.rounds(company.record, company.name, today)
        try:
            reports = await self._reports(company, now)
        except AuthError:  # plans and keys may have no access to news
            if not rounds:
                raise
            reports = []
        events, urls = events_in(reports, today, company.name)
        if not events and not rounds:
            raise NotFound("It has no events of this company in the past year.")
        titles = {report.url: " ".join(report.headline.split()) for report in reports}
        cited = {citable(url): titles[url] for url in urls}
        if rounds:
            cited[company.url] = "Apollo: rounds of funding"
        return Answered(TriggerEvents(events=reading.merged(rounds, events)), Method.API, now, cited)

    async def _reports(self, company: Company, now: float) -> list[Report]:
        params = {
            "organization_ids[]": _id(company),
            "published_at[min]": format_utc(int(now - YEAR_SECONDS), "%Y-%m-%d"),
            "per_page": NEWS_PER_PAGE,
            "page": 1,
        }
        _, reports = await self._fetch(self._news, "/news_articles/search", reading.reports, params, json={})
        return reports

    async def _fetch(
        self,
        upstream: Upstream,
        path: str,
        read: Callable[[HttpResponse], T],
        params: Mapping[str, Any] | None = None,
        *,
        json: Any = None,
    ) -> tuple[str, T]:
        """Return the URL of the answer, and what `read` makes of it."""
        request = HttpRequest(url=self._url + path, params=params or {}, headers=self._headers, json=json)
        return await self._client.fetch(upstream, request, lambda response: (response.url, read(self._check(response))))

    def _check(self, response: HttpResponse) -> HttpResponse:
        """Return the response if it is an answer; else raise the failure that it stands for."""
        match response.status:
            case 403:
                raise AuthError("The plan or the key has no access to this part of it.")
            case 422 if b"insufficient credits" in response.body.lower():
                raise QuotaExhausted("Its credits are used up.")
            case 429 if response.headers.get("x-24-hour-requests-left") == "0":
                pause = response.retry_after
                until = self._clock.now() + pause if pause else None
                raise QuotaExhausted("Its requests of a day are used up.", until=until)
        return response.raise_for_status()


def _upstream(endpoint: str, url: str, requests_per_minute: int) -> Upstream:
    return Upstream(
        name="apollo",
        endpoint=endpoint,
        paid_service="apollo",
        requests_per_second=requests_per_minute / 60,
        attempt_seconds=4,
        trusted_origins=(url,),
        key_setting=KEY_SETTING,
    )


def _id(company: Company) -> str:
    """The id of the record, by which the rest is asked for."""
    if not company.record.id:
        raise NotFound("Its record of this company has no id.")
    return company.record.id
