"""
EDGAR, the archive of the companies that report to the SEC: https://www.sec.gov/search-filings/edgar-search-assistance.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import zip_longest
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from enrichment.clock import Clock
from enrichment.modules.evidence import words
from enrichment.sources import sec_facts
from enrichment.sources.failures import NotFound, RateLimited, UpstreamError
from enrichment.sources.http import Client, Consume, join
from enrichment.sources.identity import Identity
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream

T = TypeVar("T")

SEC_DATA_URL: Final = "https://data.sec.gov"
SEC_WWW_URL: Final = "https://www.sec.gov"
REQUESTS_PER_SECOND: Final = 8.0
"The published limit is 10 a second, for all processes of a client together."
BLOCKED_SECONDS: Final = 600.0
"About how long an address is refused that has sent too much, and longer if it goes on."
MAX_BYTES: Final = 8 * 1024 * 1024
MAX_FACTS_BYTES: Final = 64 * 1024 * 1024
FACTS_SECONDS: Final = 8.0
DAY_SECONDS: Final = 86_400.0
PROFILE_SECONDS: Final = 900.0
"How long a list of filings is kept: longer than a job runs."
MAX_COMPANIES: Final = 200
MAX_REPORTS: Final = 1_000

# fmt: off
EXCHANGES: Final = {
    "nasdaq": "nasdaq", "nasdaq stock market": "nasdaq", "nasdaq global select market": "nasdaq",
    "nasdaq global market": "nasdaq", "nasdaq capital market": "nasdaq",
    "nyse": "nyse", "new york stock exchange": "nyse", "nyse american": "nyse", "nyse arca": "nyse",
    "cboe bzx exchange": "cboe", "bats global markets": "cboe",
}
"The exchanges in the United States, by their names in Wikidata, under their names at the SEC; both in lower case."
# fmt: on
EXHIBIT: Final = re.compile(r"ex[-_.]?99[\w.-]*\.html?", re.IGNORECASE)


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """A report of events (form 8-K), with the numbers of its items."""

    accession: str
    filed: date
    reported: date
    items: tuple[str, ...]
    document: str


class Filer(msgspec.Struct, frozen=True, kw_only=True):
    """A company that reports to the SEC, and its reports of events, the latest first. `state` is a code of the SEC."""

    name: str | None
    industry: str | None
    tickers: tuple[str, ...]
    city: str | None
    state: str | None
    filings: tuple[Filing, ...]


class _Address(msgspec.Struct, rename="camel"):
    """A postal address."""

    city: str | None = None
    state_or_country: str | None = None


class _Addresses(msgspec.Struct):
    """The addresses of a company."""

    business: _Address | None = None


class _Recent(msgspec.Struct, rename="camel"):
    """The latest filings, as columns."""

    form: list[str | None] | None = None
    accession_number: list[str | None] | None = None
    filing_date: list[str | None] | None = None
    report_date: list[str | None] | None = None
    items: list[str | None] | None = None
    primary_document: list[str | None] | None = None


class _Filings(msgspec.Struct):
    """The filings of a company."""

    recent: _Recent | None = None


class _Submissions(msgspec.Struct, rename="camel"):
    """The file `submissions` of a company."""

    name: str | None
    sic_description: str | None = None
    tickers: list[str | None] | None = None
    addresses: _Addresses | None = None
    filings: _Filings | None = None


class _Tickers(msgspec.Struct):
    """The file of all ticker symbols: rows of number, name, symbol and exchange, in the order of `fields`."""

    fields: list[str]
    data: list[list[Any]]


class _File(msgspec.Struct):
    """A file of a filing."""

    name: str | None = None


class _Directory(msgspec.Struct):
    """The files of a filing."""

    item: list[_File] | None = None


class _Index(msgspec.Struct):
    """The file `index.json` of a filing."""

    directory: _Directory


class Ticker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A company with a ticker symbol."""

    cik: str
    name: str
    exchange: str


class Edgar:
    """
    Reads EDGAR.

    `user_agent` is sent in place of the client's, which has to name a contact as well. All of a day's reports are kept,
    so that `companyfacts`, which is large, is read once a day for each company.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        data_url: str = SEC_DATA_URL,
        www_url: str = SEC_WWW_URL,
        user_agent: str = "",
    ) -> None:
        self._client = client
        self._data_url = data_url.rstrip("/")
        self._www_url = www_url.rstrip("/")
        self._headers = {"User-Agent": user_agent} if user_agent else {}
        self.upstream = Upstream(
            name="sec",
            requests_per_second=REQUESTS_PER_SECOND,
            max_bytes=MAX_BYTES,
            trusted_origins=tuple({data_url, www_url} - {SEC_DATA_URL, SEC_WWW_URL}),
        )
        self._large = msgspec.structs.replace(self.upstream, max_bytes=MAX_FACTS_BYTES, attempt_seconds=FACTS_SECONDS)
        self._filers: LookupCache[Filer] = LookupCache(clock, seconds=PROFILE_SECONDS, max_entries=MAX_COMPANIES)
        self._reports: LookupCache[sec_facts.Report] = LookupCache(clock, seconds=DAY_SECONDS, max_entries=MAX_REPORTS)
        self._tickers: LookupCache[Mapping[str, Ticker]] = LookupCache(clock, seconds=DAY_SECONDS, max_entries=1)

    def page_url(self, cik: str) -> str:
        """Return the address of the page about a company."""
        return f"{self._www_url}/cgi-bin/browse-edgar?action=getcompany&CIK={cik}"

    def document_url(self, cik: str, filing: Filing, name: str) -> str:
        """Return the address of a document of a filing."""
        return f"{self._www_url}/Archives/edgar/data/{int(cik)}/{filing.accession.replace('-', '')}/{quote(name)}"

    async def cik_of(self, identity: Identity) -> str:
        """
        Return the company's number at the SEC. Raises `NotFound` if it has none.

        A symbol at an exchange in the United States leads to the number as well, if the names are alike: it may have
        been given to another company since.
        """
        if identity.cik:
            return identity.cik
        american = [each for each in identity.listings if each.exchange.lower() in EXCHANGES]
        tickers = await self._all_tickers() if american else {}
        for listing in american:
            ticker = tickers.get(listing.ticker.replace(".", "-"))
            if ticker and ticker.exchange == EXCHANGES[listing.exchange.lower()] and _is_alike(ticker, identity):
                return ticker.cik
        raise NotFound("It does not report to the SEC.")

    async def filer(self, cik: str) -> Filer:
        """Return the profile of a company."""
        url = f"{self._data_url}/submissions/CIK{cik}.json"
        return await self._filers.get(
            cik, lambda: self._fetch(url, lambda response: read_submissions(response.json(_Submissions)))
        )

    async def report(self, cik: str) -> sec_facts.Report:
        """Return the figures of the last fiscal year. Raises `NotFound` if there are none."""
        return await self._reports.get(cik, lambda: self._read_report(cik))

    async def exhibits(self, cik: str, filing: Filing) -> list[str]:
        """Return the addresses of a filing's press releases (exhibit 99)."""
        url = self.document_url(cik, filing, "index.json")
        files = await self._fetch(url, lambda response: response.json(_Index).directory.item or [])
        names = [file.name for file in files if file.name and EXHIBIT.search(file.name)]
        return [self.document_url(cik, filing, name) for name in names]

    async def document(self, url: str) -> str:
        """Return the HTML of a document."""
        return await self._fetch(url, lambda response: response.text)

    async def _read_report(self, cik: str) -> sec_facts.Report:
        url = f"{self._data_url}/api/xbrl/companyfacts/CIK{cik}.json"
        body = await self._fetch(url, lambda response: response.body, self._large, sec_facts.reduce)
        report = sec_facts.read_facts(body)
        if report is None:
            raise NotFound("It has reported no figures for a fiscal year.")
        return report

    async def _all_tickers(self) -> Mapping[str, Ticker]:
        url = f"{self._www_url}/files/company_tickers_exchange.json"
        try:
            return await self._tickers.get("", lambda: self._fetch(url, _tickers))
        except NotFound:
            raise UpstreamError("It has no list of ticker symbols.") from None

    async def _fetch(
        self,
        url: str,
        read: Callable[[HttpResponse], T],
        upstream: Upstream | None = None,
        consume: Consume = join,
    ) -> T:
        request = HttpRequest(url=url, headers=self._headers)
        try:
            return await self._client.fetch(
                upstream or self.upstream, request, lambda response: read(_checked(response)), consume=consume
            )
        except RateLimited as error:
            reason = "more than 10 requests a second, a User-Agent without a contact (CONTACT), or a blocked network"
            raise RateLimited(
                f"It refuses access, because of {reason}. {error}", retry_after=error.retry_after
            ) from None


def read_submissions(submissions: _Submissions) -> Filer:
    """Read the profile of a company."""
    address = (submissions.addresses and submissions.addresses.business) or _Address()
    recent = (submissions.filings and submissions.filings.recent) or _Recent()
    columns = (
        recent.form, recent.accession_number, recent.filing_date, recent.report_date, recent.items,
        recent.primary_document,
    )  # fmt: skip
    rows = zip_longest(*(column or () for column in columns))
    return Filer(
        name=_text(submissions.name),
        industry=_text(submissions.sic_description),
        tickers=tuple(ticker for ticker in submissions.tickers or () if ticker),
        city=_text(address.city),
        state=_text(address.state_or_country),
        filings=tuple(sorted(_filings(rows), key=lambda filing: filing.reported, reverse=True)),
    )


def _filings(rows: Iterable[tuple[str | None, ...]]) -> Iterable[Filing]:
    for form, accession, filed, reported, items, document in rows:
        filed_on = _day(filed)
        if form == "8-K" and accession and filed_on:
            yield Filing(
                accession=accession,
                filed=filed_on,
                reported=_day(reported) or filed_on,
                items=tuple(item.strip() for item in (items or "").split(",") if item.strip()),
                document=document or "",
            )


def _checked(response: HttpResponse) -> HttpResponse:
    """The response if it is an answer. What refuses access is a page whose title does not tell the reason."""
    if response.status in (403, 429):
        seconds = BLOCKED_SECONDS if response.retry_after is None else response.retry_after
        raise RateLimited("It refuses access.", retry_after=seconds)
    return response.raise_for_status()


def _tickers(response: HttpResponse) -> dict[str, Ticker]:
    table = response.json(_Tickers)
    rows = (dict(zip(table.fields, row, strict=False)) for row in table.data)
    return {
        str(row["ticker"]).upper(): Ticker(
            cik=str(row["cik"]).zfill(10), name=str(row.get("name")), exchange=str(row.get("exchange")).lower()
        )
        for row in rows
        if row.get("ticker") and str(row.get("cik")).isdecimal()
    }


def _is_alike(ticker: Ticker, identity: Identity) -> bool:
    """Whether the names begin with the same word."""
    first = words(ticker.name)[:1]
    return first == words(identity.name or "")[:1] != ()


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None
