"""
Clearbit (https://clearbit.com), for keys from before 2024: it issues no new ones, and may end at any time.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.modules.answers import REVENUE_RANGES, CompanyContext, Financials, TechStack, revenue_range
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources import organizations
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.costs import PaidRequests
from enrichment.sources.failures import BadRequest, NotFound, Pending, RateLimited
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.places import country_name, headquarters
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

KEY_SETTING: Final = "CLEARBIT_API_KEY"
API_VERSION: Final = "2019-12-19"
REQUESTS_PER_SECOND: Final = 10
PAUSES: Final = (5.0, 5.0)
"Seconds before it is asked again after an answer 202, as far as there is time for it."
SECONDS: Final = 900.0
"How long a record is kept: longer than a job runs."
MAX_RECORDS: Final = 500
RANGES: Final = frozenset(name for _, name in REVENUE_RANGES)


class Category(msgspec.Struct, frozen=True, rename="camel"):
    """The industry, from general to specific, and its code in NAICS."""

    sector: str | None = None
    industry_group: str | None = None
    industry: str | None = None
    naics_code: str | None = None


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """The headquarters."""

    city: str | None = None
    state: str | None = None
    state_code: str | None = None
    country: str | None = None
    country_code: str | None = None


class Metrics(msgspec.Struct, frozen=True, rename="camel"):
    """Figures in US dollars. `annual_revenue` is there for listed companies only."""

    employees: float | None = None
    annual_revenue: float | None = None
    estimated_annual_revenue: str | None = None


class Company(msgspec.Struct, frozen=True, rename="camel"):
    """A company's record, as far as it is needed here. `type` is `public`, `private` or another kind."""

    name: str | None = None
    legal_name: str | None = None
    domain: str | None = None
    domain_aliases: tuple[str | None, ...] | None = None
    category: Category | None = None
    description: str | None = None
    founded_year: int | None = None
    geo: Place | None = None
    type: str | None = None
    ticker: str | None = None
    metrics: Metrics | None = None
    indexed_at: str | None = None
    tech: tuple[str | None, ...] | None = None


class Problem(msgspec.Struct, frozen=True):
    """An error's type."""

    type: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """The body of an error."""

    error: Problem | None = None


class Record(NamedTuple):
    """A record, the URL that it is from, and when it was fetched."""

    company: Company
    url: str
    fetched_at: float


class Clearbit:
    """The source `clearbit`: m01, m02 and m07 from a company's record, which the modules of a job share."""

    paid_requests: Final = dict.fromkeys(
        ("m01_company_context", "m02_tech_stack", "m07_financials"), PaidRequests(("company",))
    )

    def __init__(
        self, client: Client, clock: Clock, *, key: str, base_url: str = "https://company.clearbit.com"
    ) -> None:
        self._client = client
        self._clock = clock
        self._url = f"{base_url}/v2/companies/find"
        self._headers = {
            "Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}",
            "API-Version": API_VERSION,
        }
        self.upstream = Upstream(
            name="clearbit",
            requests_per_second=REQUESTS_PER_SECOND,
            attempt_seconds=4,
            trusted_origins=(base_url,),
            key_setting=KEY_SETTING,
            paid_service="clearbit",
        )
        self._records: LookupCache[Record] = LookupCache(clock, seconds=SECONDS, max_entries=MAX_RECORDS)

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Answer from the record of the domain's company. Raises `NotFound` if there is none, or it is of another."""
        domain = registrable_domain(subject.domain)
        company, url, fetched_at = await self._records.get(domain, lambda: self._look_up(domain))
        match = organizations.match(subject.domain, (company.domain,), company.domain_aliases or ())
        read, title, method = READERS[module.id]
        return Finding.of(
            read(company),
            source="clearbit",
            fetched_at=fetched_at,
            observed_at=_timestamp(company.indexed_at),
            method=method,
            citations=(SourceCitation(url=url, title=f"Clearbit: {title}", source="clearbit", simulated=False),),
            matched_by=match.matched_by,
            match_confidence=match.confidence,
        )

    async def check_key(self) -> KeyStatus:
        """See `Checkable`. Nothing is sent, as each call that needs the key may be billed."""
        return KeyStatus(
            detail="It has no free call to check the key with: whether it works is known from its answers."
        )

    async def _look_up(self, domain: str) -> Record:
        """Ask until the record is there. Raises `Pending` if there is no time left to wait for it."""
        request = HttpRequest(url=self._url, params={"domain": domain}, headers=self._headers)
        context = CONTEXT.get() or CallContext(clock=self._clock)
        for pause in PAUSES:
            try:
                return await self._client.fetch(self.upstream, request, self._read)
            except Pending:
                if context.time_left() <= pause:
                    raise
            await self._clock.sleep(pause)
        return await self._client.fetch(self.upstream, request, self._read)

    def _read(self, response: HttpResponse) -> Record:
        """Read an answer, which is 202 while the record is being made."""
        match response.status:
            case 202:
                raise Pending("It has not finished the record of this company; it has it in a few minutes.")
            case 404 if _problem(response) == "unknown_route":
                raise BadRequest("It has nothing at this address, which is that in CLEARBIT_BASE_URL.")
            case 422:
                raise BadRequest("It does not accept this domain.")
            case 429:
                raise RateLimited("It has received too many requests.", retry_after=self._pause(response))
        company = response.raise_for_status().json(Company)
        return Record(company, response.url, self._clock.now())

    def _pause(self, response: HttpResponse) -> float | None:
        """The seconds until the limit is reset, at a time that its header gives in seconds since the epoch."""
        try:
            reset = float(response.headers.get("x-ratelimit-reset", ""))
        except ValueError:
            return response.retry_after
        return max(reset - self._clock.now(), 0.0)


def context(company: Company) -> CompanyContext:
    """Return a company's basic facts."""
    name = company.name or company.legal_name
    if not name:
        raise NotFound("Its record of this company has no name.")
    category, place, metrics = company.category or Category(), company.geo or Place(), company.metrics or Metrics()
    country = country_name(place.country or place.country_code or "")
    naics = category.naics_code or ""
    return CompanyContext(
        company_name=name,
        founded=company.founded_year or None,
        hq=headquarters(place.city, place.state_code or place.state, country),
        employees=round(metrics.employees) if metrics.employees and metrics.employees > 0 else None,
        industry=category.industry or category.industry_group or category.sector or None,
        naics_code=naics if naics.isascii() and naics.isdigit() and 2 <= len(naics) <= 6 else None,
        company_type="public" if company.type == "public" else "private" if company.type == "private" else None,
        revenue_range=_range(metrics),
        country=country,
        description=company.description or None,
    )


def stack(company: Company) -> TechStack:
    """Return the technologies, of which only identifiers are given."""
    return organizations.stack((organizations.spelled(each), None) for each in company.tech or () if each)


def financials(company: Company) -> Financials:
    """Return the revenue of the year, or the range in which it is estimated to be."""
    metrics = company.metrics or Metrics()
    revenue = metrics.annual_revenue if metrics.annual_revenue and metrics.annual_revenue > 0 else None
    estimated = _range(metrics)
    if estimated is None:
        raise NotFound("It has no revenue of this company.")
    return Financials(
        is_public=company.type == "public" or bool(company.ticker),
        basis="estimated",
        currency="USD",
        revenue=round(revenue) if revenue else None,
        revenue_range=UNSET if revenue else estimated,
    )


Reader = Callable[[Company], Answer]
READERS: Final[Mapping[str, tuple[Reader, str, Method]]] = {
    "m01_company_context": (context, "company, with the range of its revenue as Clearbit estimates it", Method.API),
    "m02_tech_stack": (stack, "technologies", Method.API),
    "m07_financials": (financials, "estimated revenue", Method.ESTIMATED),
}
"What is read for each module, the title of its citation, and the method."


def _range(metrics: Metrics) -> str | None:
    """The range of the revenue; Clearbit's ranges are those of m01."""
    if metrics.annual_revenue and metrics.annual_revenue > 0:
        return revenue_range(metrics.annual_revenue)
    return metrics.estimated_annual_revenue if metrics.estimated_annual_revenue in RANGES else None


def _problem(response: HttpResponse) -> str | None:
    """The type of an error, None if its body is not as usual."""
    try:
        problem = msgspec.json.decode(response.body, type=Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return problem.type if problem else None


def _timestamp(text: str | None) -> float | None:
    """An ISO date in seconds since the epoch, None if it is not one."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
