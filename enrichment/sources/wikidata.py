"""
The source of what Wikidata says about a company's revenue, and about companies in the same industry.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.modules.answers import AnnualRevenue, Competitor, Competitors, Financials
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources.failures import NotFound
from enrichment.sources.identity import Identities, Identity
from enrichment.sources.wikidata_items import Item, Moment, Quantity, WikidataItems
from schemas import Method, SourceCitation

DOLLAR: Final = "Q4917"
CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
MAX_YEARS: Final = 5
MAX_INDUSTRIES: Final = 2
MAX_IN_INDUSTRY: Final = 30
"Companies in the industry and the country; among more of them, to be one of them says too little."
MAX_COMPETITORS: Final = 10
NOT_MEASURED: Final = (
    "Companies of the same industry and country by Wikidata. Whether they have the same visitors is not measured."
)


class Wikidata:
    """The source `wikidata`: m05 and m07."""

    def __init__(self, items: WikidataItems, identities: Identities, clock: Clock) -> None:
        self._items = items
        self._identities = identities
        self._clock = clock

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Identify the company, and answer from its item. Raises `NotFound` if nothing is known of this."""
        identity = await self._identities.identify(subject.domain)
        match module.id:
            case "m05_competitors":
                return await self._competitors(identity)
            case "m07_financials":
                return await self._financials(identity)
        raise SourceFailed("It does not serve this module.")

    async def _financials(self, identity: Identity) -> Finding:
        revenues = identity.item.quantities("P2139")
        currencies = await self._currencies(revenues)
        known = [revenue for revenue in revenues if revenue.unit in currencies]
        if not known:
            raise NotFound("Wikidata has no revenue of this company with its year and currency.")
        return self._finding(
            financials(identity, known, currencies[known[0].unit or ""]),
            identity,
            f"Wikidata: {identity.name or identity.item_id}, revenue of {known[0].at}",
            observed=known[0].at,
        )

    async def _currencies(self, amounts: list[Quantity]) -> Mapping[str, str]:
        """The codes (ISO 4217) of the currencies, by the ids of their items."""
        units = dict.fromkeys(amount.unit for amount in amounts if amount.unit)
        items = await self._items.get(unit for unit in units if unit != DOLLAR)
        codes = {item_id: code for item_id, item in items.items() for code in item.strings("P498")[:1]}
        return {DOLLAR: "USD", **{unit: code for unit, code in codes.items() if CURRENCY.fullmatch(code)}}

    async def _competitors(self, identity: Identity) -> Finding:
        """The companies in the same industry and country, if these are so few that it means something."""
        country, industries = identity.item.items("P17")[:1], identity.item.items("P452")
        if not country or not industries:
            raise NotFound("Wikidata does not know the industry and the country of this company.")
        found: dict[str, None] = {}
        for industry in industries[:MAX_INDUSTRIES]:
            ids, total = await self._items.with_statements(
                f"P452={industry}", f"P17={country[0]}", limit=MAX_IN_INDUSTRY
            )
            found.update(dict.fromkeys(ids if total <= MAX_IN_INDUSTRY else ()))
        found.pop(identity.item_id, None)
        items = await self._items.get(list(found)[:MAX_IN_INDUSTRY])
        competitors = sorted(rivals(identity, items), key=lambda rival: (-rival.similarity, rival.domain))
        if not competitors:
            raise NotFound("Wikidata has no companies, or too many, in the same industry and country.")
        names = " and ".join(identity.names_of("P452")[:MAX_INDUSTRIES])
        return self._finding(
            Competitors(competitors=tuple(competitors[:MAX_COMPETITORS]), note=NOT_MEASURED),
            identity,
            f"Wikidata: companies in the industry of {identity.name or identity.item_id}{names and f', {names}'}",
            method=Method.DERIVED,
        )

    def _finding(
        self,
        answer: Answer,
        identity: Identity,
        title: str,
        *,
        observed: Moment | None = None,
        method: Method = Method.API,
    ) -> Finding:
        url = self._items.url_of(identity.item_id)
        return Finding.of(
            answer,
            source="wikidata",
            method=method,
            fetched_at=self._clock.now(),
            observed_at=observed_at(observed) if observed else None,
            citations=(SourceCitation(url=url, title=title, source="wikidata", simulated=False),),
            matched_by=identity.matched_by,
            match_confidence=identity.match_confidence,
        )


def financials(identity: Identity, revenues: list[Quantity], currency: str) -> Financials:
    """Return the latest revenue, those of the years before in the same currency, and the net income of that year."""
    latest = revenues[0]
    by_year = {revenue.at.year: revenue for revenue in reversed(revenues) if revenue.unit == latest.unit}
    incomes = [
        income
        for income in identity.item.quantities("P2295")
        if (income.at.year, income.unit) == (latest.at.year, latest.unit)
    ]
    before = by_year.get(latest.at.year - 1)
    return Financials(
        is_public=bool(identity.is_listed),
        currency=currency,
        fiscal_year=latest.at.year,
        revenue=round(latest.amount),
        revenue_growth_percent=_percent(latest.amount - before.amount, before.amount) if before else None,
        net_income=round(incomes[0].amount) if incomes else None,
        net_margin_percent=_percent(incomes[0].amount, latest.amount) if incomes else None,
        revenue_by_year=tuple(
            AnnualRevenue(fiscal_year=year, revenue=round(by_year[year].amount))
            for year in sorted(by_year)[-MAX_YEARS:]
        ),
    )


def rivals(identity: Identity, items: Mapping[str, Item]) -> Iterator[Competitor]:
    """
    Iterate over the companies that are alike, without parent companies and subsidiaries.

    The similarity is the share of industries and products that two companies have in common (Jaccard index).
    """
    own = _offers(identity.item)
    family = {*identity.item.items("P749"), *identity.item.items("P355")}
    domains = {registrable_domain(identity.domain), registrable_domain(identity.host)}
    for item_id, item in items.items():
        domain = _domain(item)
        is_related = item_id in family or identity.item_id in (*item.items("P749"), *item.items("P355"))
        if not domain or domain in domains or is_related or item.claims_of("P576"):
            continue
        domains.add(domain)
        offers = _offers(item)
        yield Competitor(domain=domain, similarity=round(len(own & offers) / len(own | offers), 2))


def observed_at(moment: Moment) -> float:
    """Return a date in seconds since the epoch; of a year, its last day."""
    day = moment.day
    time = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else datetime(moment.year, 12, 31, tzinfo=UTC)
    return time.timestamp()


def _offers(item: Item) -> frozenset[str]:
    return frozenset((*item.items("P452"), *item.items("P1056")))


def _domain(item: Item) -> str | None:
    """The domain of the official website."""
    for url in item.strings("P856"):
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            continue
        if "." in host:
            return registrable_domain(host.removeprefix("www."))
    return None


def _percent(part: float, whole: float) -> float | None:
    return round(part / whole * 100, 1) if whole > 0 else None
