"""
The source `public_records`: a company's basic facts, each from the first of several places that has it.
"""

import asyncio
import re
from collections.abc import Awaitable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from enrichment.clock import Clock, isoformat_utc
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed, UnknownCompany
from enrichment.modules.answers import CompanyContext, revenue_range
from enrichment.modules.evidence import words
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.places import STATES
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.edgar import Edgar, Filer
from enrichment.sources.failures import NotFound, Transient
from enrichment.sources.identity import Identities, Identity, Site, Sites
from enrichment.sources.places import UNITED_STATES, country_name, headquarters
from enrichment.sources.rdap import Rdap, Registration
from enrichment.sources.sec_facts import Report
from enrichment.sources.wikidata import DOLLAR, observed_at
from enrichment.sources.wikidata_items import Moment, Quantity, WikidataItems
from schemas import Method, SourceCitation

PART_SECONDS: Final = 8.0
"How long the slowest place is waited for; the source has 10 s."
NAICS: Final = re.compile(r"\d{2,6}", re.ASCII)
RECENT_SECONDS: Final = 366 * 86_400.0
OLD_YEARS: Final = 5
UNSURE: Final = 0.6
"How sure a match in Wikidata is at most if the domain may have been sold since."


class Records(msgspec.Struct, kw_only=True):
    """
    What the places know of a company. `failures` are those of the places that could not be asked.

    `has_no_site` means that what the domain leads to is no website of a company.
    """

    site: Site | None = None
    has_no_site: bool = False
    identity: Identity | None = None
    filer: Filer | None = None
    cik: str | None = None
    report: Report | None = None
    registration: Registration | None = None
    failures: list[SourceFailed] = msgspec.field(default_factory=list)


class PublicRecords:
    """
    The source `public_records`: m01, merged by field from website, Wikidata, SEC and RDAP.

    They are asked at the same time. One that fails leaves out its fields.
    """

    def __init__(
        self, *, sites: Sites, items: WikidataItems, identities: Identities, edgar: Edgar, rdap: Rdap, clock: Clock
    ) -> None:
        self._sites = sites
        self._items = items
        self._identities = identities
        self._edgar = edgar
        self._rdap = rdap
        self._clock = clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Answer m01. Raises `NotFound` if no place knows the company, and the first failure if one could not say."""
        if module.id != "m01_company_context":
            raise SourceFailed("It does not serve this module.")
        records = Records()
        await asyncio.gather(
            self._within_time(records, self._read_site(records, subject.domain)),
            self._within_time(records, self._read_registers(records, subject.domain)),
            self._within_time(records, self._read_registration(records, subject.domain)),
        )
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for field, value, source in facts(records):
            if value is not None and field not in values:
                values[field], sources[field] = value, source
        if "company_name" not in values:
            raise records.failures[0] if records.failures else NotFound("No public record names this company.")
        matched_by, confidence = match_of(records, sources.values(), self._clock.now())
        return Finding.of(
            CompanyContext(**values),
            source="public_records",
            method=Method.SCRAPE if set(sources.values()) == {"homepage"} else Method.API,
            fetched_at=self._clock.now(),
            observed_at=_observed_at(records, sources),
            citations=tuple(self._citations(records, sources)),
            field_sources=sources,
            matched_by=matched_by,
            match_confidence=confidence,
        )

    async def _within_time(self, records: Records, part: Awaitable[None]) -> None:
        """Ask one place; that it fails or takes too long is noted."""
        context = CONTEXT.get() or CallContext(clock=self._clock)
        try:
            async with context.limit(PART_SECONDS):
                await part
        except UnknownCompany:
            pass
        except SourceFailed as error:
            records.failures.append(error)
        except TimeoutError:
            records.failures.append(Transient(f"No answer within {PART_SECONDS:g} seconds."))

    async def _read_site(self, records: Records, domain: str) -> None:
        try:
            records.site = await self._sites.site_facts(domain)
        except UnknownCompany:
            records.has_no_site = True

    async def _read_registers(self, records: Records, domain: str) -> None:
        records.identity = await self._identities.identify(domain)
        records.cik = await self._edgar.cik_of(records.identity)
        records.filer = await self._edgar.filer(records.cik)
        records.report = await self._edgar.report(records.cik)

    async def _read_registration(self, records: Records, domain: str) -> None:
        records.registration = await self._rdap.registration(registrable_domain(domain))

    def _citations(self, records: Records, sources: dict[str, str]) -> Iterator[SourceCitation]:
        """The places that the facts are from, with the dates of those that change."""
        identity, used = records.identity, set(sources.values())
        if records.site and "homepage" in used:
            yield _citation(records.site.url, "Website of the company", "homepage")
        if identity and "wikidata" in used:
            title = f"Wikidata: {identity.name or identity.item_id}"
            dates = [
                f"{what} of {moments[0].at}"
                for field, what, moments in (
                    ("employees", "employees", identity.item.quantities("P1128")),
                    ("revenue_range", "revenue", _revenues(identity)),
                )
                if sources.get(field) == "wikidata"
            ]
            yield _citation(self._items.url_of(identity.item_id), ", ".join([title, *dates]), "wikidata")
        if records.cik and records.filer and "sec" in used:
            title = f"{records.filer.name or 'The company'} at the SEC"
            if records.report and sources.get("revenue_range") == "sec":
                title += f", revenue of the twelve months until {records.report.recent_end}"
            yield _citation(self._edgar.page_url(records.cik), title, "sec")
        registration = records.registration
        if registration and (registered := isoformat_utc(registration.registered_at)):
            title = f"Registration of the domain on {registered[:10]}"
            yield _citation(registration.url, title, "rdap")


def facts(records: Records) -> Iterator[tuple[str, Any, str]]:
    """Iterate over the values as field, value and place; of each field, the value to be preferred comes first."""
    site, filer, identity = records.site, records.filer, records.identity
    if site:
        yield from ((field, value, "homepage") for field, value in _of_site(site))
    if filer:
        yield from ((field, value, "sec") for field, value in _of_filer(filer, records.report))
    if identity:
        yield from ((field, value, "wikidata") for field, value in _of_identity(identity))
    if filer:  # names are in capitals at the SEC, and its industries are those of 1987
        yield "company_name", filer.name, "sec"
        yield "industry", filer.industry, "sec"


def match_of(records: Records, used: Collection[str], now: float) -> tuple[str, float]:
    """Return how the company was identified by the places that were used, and how sure that is."""
    site, identity = records.site, records.identity
    matches = [(site.matched_by, site.match_confidence)] if site and "homepage" in used else []
    if identity and not {"wikidata", "sec"}.isdisjoint(used):
        matches.append((identity.matched_by, identity.match_confidence))
        if _is_younger(records.registration, identity, now):
            matches.append(("but the domain was registered long after the company was founded", UNSURE))
        elif records.has_no_site:
            matches.append(("but the domain leads to no website of a company", UNSURE))
        elif site and site.name and identity.name and _differ(site.name, identity.name):
            matches.append(("but the website has another name", UNSURE))
    return "; ".join(how for how, _ in matches), min(confidence for _, confidence in matches)


def _of_site(site: Site) -> Iterator[tuple[str, Any]]:
    address = site.address
    country = country_name(address.country) if address and address.country else None
    yield "company_name", site.name
    yield "description", site.description
    yield "founded", site.founded
    yield "employees", site.employees
    yield "naics_code", site.naics if site.naics and NAICS.fullmatch(site.naics) else None
    if address:
        yield "hq", headquarters(address.city, address.region, country)
        yield "country", country


def _of_filer(filer: Filer, report: Report | None) -> Iterator[tuple[str, Any]]:
    if filer.city and filer.state in STATES:  # other codes are of countries, and of the SEC alone
        yield "hq", headquarters(filer.city.title(), filer.state, UNITED_STATES)
        yield "country", UNITED_STATES
    yield "company_type", "public" if filer.tickers else None
    if report and report.currency == "USD" and report.recent_revenue is not None and report.recent_revenue >= 0:
        yield "revenue_range", revenue_range(report.recent_revenue)


def _of_identity(identity: Identity) -> Iterator[tuple[str, Any]]:
    item = identity.item
    founded, employees, revenues = item.moment("P571"), item.quantities("P1128"), _revenues(identity)
    country = next(iter(identity.names_of("P17")), None)
    country = country and country_name(country)
    yield "company_name", identity.name
    yield "description", item.description
    yield "founded", founded.year if founded else None
    yield "employees", round(employees[0].amount) if employees and employees[0].amount >= 0 else None
    yield "industry", next(iter(identity.names_of("P452")), None)
    yield "hq", headquarters(next(iter(identity.names_of("P159")), None), None, country)
    yield "country", country
    if identity.is_listed is not None:
        yield "company_type", "public" if identity.is_listed else "private"
    yield "revenue_range", revenue_range(revenues[0].amount) if revenues else None


def _revenues(identity: Identity) -> list[Quantity]:
    """The revenues in US dollars, the newest first."""
    return [revenue for revenue in identity.item.quantities("P2139") if revenue.unit == DOLLAR and revenue.amount >= 0]


def _observed_at(records: Records, sources: Mapping[str, str]) -> float | None:
    """The date of the oldest of the figures that change from year to year, if it is known."""
    dates = []
    if records.identity and sources.get("employees") == "wikidata":
        dates.append(observed_at(records.identity.item.quantities("P1128")[0].at))
    if records.identity and sources.get("revenue_range") == "wikidata":
        dates.append(observed_at(_revenues(records.identity)[0].at))
    if records.report and records.report.recent_end and sources.get("revenue_range") == "sec":
        end = records.report.recent_end
        dates.append(observed_at(Moment(end.year, end)))
    return min(dates, default=None)


def _is_younger(registration: Registration | None, identity: Identity, now: float) -> bool:
    """Whether the domain was registered lately, but the company founded long ago: it may have been sold."""
    founded = identity.item.moment("P571")
    if not founded or not registration or registration.registered_at is None:
        return False
    registered = datetime.fromtimestamp(registration.registered_at, UTC).year
    return now - registration.registered_at < RECENT_SECONDS and registered - founded.year >= OLD_YEARS


def _differ(name: str, other: str) -> bool:
    """Whether two names have no word in common, and neither is a part of the other."""
    own, others = words(name), words(other)
    joined, other_joined = "".join(own), "".join(others)
    return set(own).isdisjoint(others) and joined not in other_joined and other_joined not in joined


def _citation(url: str, title: str, source: str) -> SourceCitation:
    return SourceCitation(url=url, title=title, source=source, simulated=False)
