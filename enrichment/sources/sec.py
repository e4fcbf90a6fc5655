"""
The source of what companies report to the SEC: figures, events, and what executives say in press releases.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as daytime
from typing import Final

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.answers import (
    AnnualRevenue,
    EventType,
    Financials,
    Quote,
    TriggerEvent,
    TriggerEvents,
)
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources.edgar import Edgar, Filer, Filing
from enrichment.sources.failures import NotFound
from enrichment.sources.identity import Identities, Identity
from enrichment.sources.quotes import Said, exec_quotes, find_quotes, text_of, themes_of
from enrichment.sources.sec_facts import Report
from schemas import Method, SourceCitation

PAST_YEAR: Final = timedelta(days=365)
MAX_EVENTS: Final = 25
MAX_CITATIONS: Final = 10
MAX_RELEASES: Final = 3
"Press releases that are read for quotes; each takes two requests or more."
GROWTH_DAYS: Final = range(350, 381)

# fmt: off
ITEMS: Final[Mapping[str, tuple[EventType, str]]] = {
    "1.01": ("partnership",       "{} entered into a material agreement"),
    "2.01": ("acquisition",       "{} completed an acquisition or a sale of assets"),
    "2.02": ("earnings",          "{} announced its results"),
    "2.05": ("restructuring",     "{} announced the costs of a restructuring or of layoffs"),
    "5.02": ("leadership_change", "{} announced a change among its directors or officers"),
}
"The items of form 8-K that are events of a kind that m12 has."
# fmt: on
RELEASE_ITEMS: Final = frozenset({"2.02", "7.01", "8.01"})
"Those that come with a press release."


class Sec:
    """The source `sec`: m07, m11 and m12 of companies that report to the SEC."""

    def __init__(self, edgar: Edgar, identities: Identities, clock: Clock) -> None:
        self._edgar = edgar
        self._identities = identities
        self._clock = clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Identify the company, and answer from its reports. Raises `NotFound` if it has not reported this."""
        identity = await self._identities.identify(subject.domain)
        cik = await self._edgar.cik_of(identity)
        match module.id:
            case "m07_financials":
                return await self._financials(identity, cik)
            case "m11_exec_quotes":
                return await self._quotes(identity, cik)
            case "m12_trigger_events":
                return await self._events(identity, cik)
        raise SourceFailed("It does not serve this module.")

    async def _financials(self, identity: Identity, cik: str) -> Finding:
        filer = await self._edgar.filer(cik)
        report = await self._edgar.report(cik)
        title = f"Figures of the fiscal year that ended on {report.end}, as reported to the SEC by {_name(filer)}"
        return self._finding(
            financials(report, is_public=bool(filer.tickers)),
            identity,
            [(self._edgar.page_url(cik), title)],
            observed_on=report.end,
        )

    async def _events(self, identity: Identity, cik: str) -> Finding:
        filer = await self._edgar.filer(cik)
        found = events(filer, self._today())
        if not found:
            raise NotFound("It has reported no events to the SEC in the past year.")
        filings = dict.fromkeys(filing for _, filing in found)
        return self._finding(
            TriggerEvents(events=tuple(event for event, _ in found)),
            identity,
            [
                (
                    self._edgar.document_url(cik, filing, filing.document),
                    f"Form 8-K of {filing.filed}, items {', '.join(filing.items)}",
                )
                for filing in list(filings)[:MAX_CITATIONS]
            ],
            observed_on=found[0][1].filed,
        )

    async def _quotes(self, identity: Identity, cik: str) -> Finding:
        """The quotes in the latest press releases. One that cannot be read is left out if another one has a quote."""
        filer = await self._edgar.filer(cik)
        names = [name for name in (identity.name, filer.name) if name]
        quotes: dict[str, Quote] = {}
        failed: SourceFailed | None = None
        for filing in releases(filer, self._today())[:MAX_RELEASES]:
            try:
                for url in await self._edgar.exhibits(cik, filing):
                    html = " ".join((await self._edgar.document(url)).split())  # lines are broken anywhere
                    text = await asyncio.to_thread(text_of, html)
                    for said in find_quotes(text, names):
                        quotes.setdefault(said.quote, _quote(said, filing, url))
            except NotFound:
                continue
            except SourceFailed as error:
                failed = error
                break
        if not quotes:
            raise failed or NotFound("It quotes no executive in what it has filed with the SEC in the past year.")
        urls = dict.fromkeys(quote.url for quote in quotes.values())
        return self._finding(
            exec_quotes(quotes.values()),
            identity,
            [(url, f"Press release filed with the SEC by {_name(filer)}") for url in urls],
            observed_on=max(date.fromisoformat(quote.said_on or "") for quote in quotes.values()),
            method=Method.SCRAPE,
        )

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now(), UTC).date()

    def _finding(
        self,
        answer: Answer,
        identity: Identity,
        cited: Iterable[tuple[str, str]],
        *,
        observed_on: date,
        method: Method = Method.API,
    ) -> Finding:
        how = "number at the SEC" if identity.cik else "ticker symbol"
        return Finding.of(
            answer,
            source="sec",
            method=method,
            fetched_at=self._clock.now(),
            observed_at=datetime.combine(observed_on, daytime(), UTC).timestamp(),
            citations=tuple(
                SourceCitation(url=url, title=title, source="sec", simulated=False) for url, title in cited
            ),
            matched_by=f"{identity.matched_by}, with its {how}",
            match_confidence=identity.match_confidence,
        )


def financials(report: Report, *, is_public: bool) -> Financials:
    """Return the figures of a fiscal year, with the margins that follow from them."""
    revenue = report.revenue
    years = report.revenues
    before = [year.amount for year in years if (report.end - year.end).days in GROWTH_DAYS]
    cash_flow, investment = report.operating_cash_flow, report.capital_expenditure
    return Financials(
        is_public=is_public,
        basis="reported",
        currency=report.currency,
        fiscal_year=report.end.year,
        revenue=revenue,
        revenue_growth_percent=_percent(revenue - before[0], before[0]) if before and revenue is not None else None,
        gross_margin_percent=_percent(report.gross_profit, revenue),
        operating_margin_percent=_percent(report.operating_income, revenue),
        net_margin_percent=_percent(report.net_income, revenue),
        net_income=report.net_income,
        free_cash_flow=None if cash_flow is None or investment is None else cash_flow - investment,
        total_cash=report.cash,
        revenue_by_year=tuple(AnnualRevenue(fiscal_year=year.end.year, revenue=round(year.amount)) for year in years),
    )


def events(filer: Filer, today: date) -> list[tuple[TriggerEvent, Filing]]:
    """Return the events of the past year, the latest first, with the reports of them."""
    found: dict[tuple[str, date], tuple[TriggerEvent, Filing]] = {}
    for filing in filer.filings:
        if not today - PAST_YEAR <= filing.reported <= today:
            continue
        for item in filing.items:
            if item in ITEMS:
                kind, headline = ITEMS[item]
                text = f"{headline.format(_name(filer))} (form 8-K, item {item})."
                event = TriggerEvent(type=kind, date=filing.reported.isoformat(), headline=text)
                found.setdefault((kind, filing.reported), (event, filing))
    return list(found.values())[:MAX_EVENTS]


def releases(filer: Filer, today: date) -> list[Filing]:
    """Return the reports of the past year that come with a press release, the latest first."""
    return [
        filing
        for filing in filer.filings
        if today - PAST_YEAR <= filing.reported <= today and RELEASE_ITEMS.intersection(filing.items)
    ]


def _quote(said: Said, filing: Filing, url: str) -> Quote:
    return Quote(
        quote=said.quote,
        speaker=said.speaker,
        speaker_title=said.role,
        said_on=filing.reported.isoformat(),
        url=url,
        theme=next(iter(themes_of(said.quote)), None),
    )


def _percent(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole or whole < 0 else round(part / whole * 100, 1)


def _name(filer: Filer) -> str:
    return filer.name or "the company"
