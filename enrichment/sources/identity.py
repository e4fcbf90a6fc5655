"""
Which company a domain belongs to.

An item of Wikidata is taken for the company only if the domain is the host of its official website. The ticker symbol
and the number at the SEC come from that item, never from a name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.domains.idn import to_ascii, to_unicode
from enrichment.errors import SourceFailed
from enrichment.sources.failures import NotFound
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.wikidata_items import Item, WikidataItems, item_id_of

SECONDS: Final = 900.0
"How long an identity is kept: longer than a job runs."
MAX_IDENTITIES: Final = 500

HOME_PATH: Final = re.compile(r"/?(?:[a-z]{2}(?:[-_][a-z]{2})?/?)?", re.IGNORECASE)
"The path of a home page: none, or a language. Another one is that of a product or a person."
CIK: Final = re.compile(r"\d{1,10}", re.ASCII)

# fmt: off
COMPANY_PROPERTIES: Final = (
    "P452", "P414", "P5531", "P1278", "P946", "P1128", "P2139", "P2295", "P2226", "P159", "P169", "P749", "P355",
)
"What organizations have, but not their products or websites: the more of it, the likelier an item is the company."
# fmt: on
HUMAN: Final = "Q5"
MAX_LABELS: Final = 50

EXACT, BY_NAME, SUBDOMAIN, AMONG_SEVERAL = 0.95, 0.9, 0.85, 0.8
"How sure a match is."


class DomainMatch(NamedTuple):
    """The domain that services with data by domain are asked for, and how it was found to be the company's."""

    domain: str
    matched_by: str
    confidence: float


class SiteAddress(Protocol):
    """A postal address, as a website states it."""

    @property
    def city(self) -> str | None:
        """Name of the city."""

    @property
    def region(self) -> str | None:
        """Name or code of the region."""

    @property
    def country(self) -> str | None:
        """Name or code of the country."""


class Site(Protocol):
    """What a website says about its company."""

    @property
    def url(self) -> str:
        """Address of the home page after redirects."""

    @property
    def name(self) -> str | None:
        """Name of the company."""

    @property
    def description(self) -> str | None:
        """What the company does."""

    @property
    def founded(self) -> int | None:
        """Year in which it was founded."""

    @property
    def address(self) -> SiteAddress | None:
        """Its postal address."""

    @property
    def employees(self) -> int | None:
        """Number of employees."""

    @property
    def naics(self) -> str | None:
        """Code of the industry."""

    @property
    def matched_by(self) -> str:
        """How the website was found to be that of the domain."""

    @property
    def match_confidence(self) -> float:
        """How sure that is (0 to 1)."""


class Sites(Protocol):
    """Reads companies' websites."""

    async def site_facts(self, domain: str) -> Site:
        """Return what a domain's website says about its company. Raises `SourceFailed`."""


class Listing(msgspec.Struct, frozen=True):
    """An exchange on which the company's shares are traded, and their symbol there."""

    exchange: str
    ticker: str


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """
    The company that a domain belongs to.

    `host` is that of its website, `item_id` and `item` are its entry in Wikidata, and `labels` the names of other items
    that its statements refer to. `is_listed` is None if nothing is known about listings. `cik` has ten digits.
    `matched_by` says how the company was identified, `match_confidence` how sure that is (0 to 1).
    """

    domain: str
    host: str
    item_id: str
    item: Item
    labels: Mapping[str, str]
    listings: tuple[Listing, ...]
    is_listed: bool | None
    cik: str | None
    matched_by: str
    match_confidence: float

    @property
    def name(self) -> str | None:
        """The company's name."""
        return self.item.label

    @property
    def ticker(self) -> str | None:
        """Symbol of its shares on the first exchange."""
        return self.listings[0].ticker if self.listings else None

    @property
    def exchange(self) -> str | None:
        """Name of the first exchange."""
        return self.listings[0].exchange if self.listings else None

    def names_of(self, name: str) -> list[str]:
        """Return the names of the items that are a property's values."""
        return [self.labels[item_id] for item_id in self.item.items(name) if item_id in self.labels]


class Match(msgspec.Struct, frozen=True):
    """An item whose official website has the host."""

    item_id: str
    item: Item
    host: str
    matched_by: str
    confidence: float


class Identities:
    """
    Identifies companies. The modules of a job share the look-up.

    `sites` is asked for the final host of redirects, and for the name of the company; it may be None.
    """

    def __init__(self, items: WikidataItems, sites: Sites | None, clock: Clock) -> None:
        self._items = items
        self._sites = sites
        self._cache: LookupCache[Identity] = LookupCache(clock, seconds=SECONDS, max_entries=MAX_IDENTITIES)

    async def identify(self, domain: str) -> Identity:
        """Return the company that a domain belongs to. Raises `NotFound` if that cannot be said for sure."""
        return await self._cache.get(domain, lambda: self._identify(domain))

    async def _identify(self, domain: str) -> Identity:
        match = await self._match(domain) or await self._match_site(domain)
        if match is None:
            raise NotFound("Wikidata has no company whose official website is at this domain.")
        item = match.item
        traded = item.best("P414")
        referred = [item_id for claim in traded if (item_id := item_id_of(claim.value))]
        referred += [item_id for name in ("P159", "P17", "P452") for item_id in item.items(name)]
        labels = await self._items.labels(referred[:MAX_LABELS])
        return Identity(
            domain=domain,
            host=match.host,
            item_id=match.item_id,
            item=item,
            labels=labels,
            listings=tuple(_listings(item, labels)),
            is_listed=bool(traded) if item.claims_of("P414") else None,
            cik=next((text.zfill(10) for text in item.strings("P5531") if CIK.fullmatch(text)), None),
            matched_by=match.matched_by,
            match_confidence=match.confidence,
        )

    async def _match(self, domain: str) -> Match | None:
        """Look for an item whose website is at the domain, or at the one that it is a part of."""
        own = registrable_domain(domain)
        if domain != own and (match := await self._by_website(domain, "official website in Wikidata", EXACT)):
            return match
        how, confidence = "official website in Wikidata", EXACT
        if domain != own:
            how, confidence = f"official website of {own} in Wikidata", SUBDOMAIN
        return await self._by_website(own, how, confidence) or await self._by_name(
            to_unicode(own).partition(".")[0], own, f"{how}, found by name", min(confidence, BY_NAME)
        )

    async def _match_site(self, domain: str) -> Match | None:
        """Look for an item whose website is where the domain leads to, or that has the name that the website says."""
        try:
            site = await self._sites.site_facts(domain) if self._sites else None
        except SourceFailed:
            return None
        if site is None:
            return None
        own, final = registrable_domain(domain), registrable_domain((urlsplit(site.url).hostname or "").lower())
        how = "official website in Wikidata"
        if final and final != own:
            how = f"{site.matched_by}, which is the {how}"
            if match := await self._by_website(final, how, min(EXACT, site.match_confidence)):
                return match
        if not site.name or not final:
            return None
        return await self._by_name(site.name, final, f"{how}, found by name", min(BY_NAME, site.match_confidence))

    async def _by_website(self, host: str, how: str, confidence: float) -> Match | None:
        for url in _spellings(host):
            ids, _ = await self._items.with_statements(f"P856={url}")
            if ids and (match := self._choose(await self._items.get(ids), host, how, confidence)):
                return match
        return None

    async def _by_name(self, name: str, host: str, how: str, confidence: float) -> Match | None:
        items = await self._items.get(await self._items.named(name))
        return self._choose(items, host, how, confidence)

    def _choose(self, items: Mapping[str, Item], host: str, how: str, confidence: float) -> Match | None:
        """Choose the company among items with the same website; none if two are equally likely."""
        rated = sorted(
            ((item.has(*COMPANY_PROPERTIES), item_id) for item_id, item in items.items() if _is_at(item, host)),
            reverse=True,
        )
        if not rated or rated[0][0] == 0 or [score for score, _ in rated[:2]] == [rated[0][0]] * 2:
            return None
        item_id = rated[0][1]
        if len(rated) > 1:
            how, confidence = f"{how}, as the one of {len(rated)} that is a company", min(confidence, AMONG_SEVERAL)
        return Match(item_id, items[item_id], host, how, confidence)


def _spellings(host: str) -> Iterator[str]:
    """The URLs under which a website may stand in Wikidata, where they are compared as text; the usual ones first."""
    names = dict.fromkeys((to_unicode(host), host))
    hosts = [f"{www}{name}" for name in names for www in (("www.", "") if host == registrable_domain(host) else ("",))]
    for scheme in ("https", "http"):
        for end in ("/", ""):
            yield from (f"{scheme}://{each}{end}" for each in hosts)


def match_domain(domain: str) -> DomainMatch:
    """Return the registrable domain, as most services know no other. A subdomain's company may be another one."""
    registrable = registrable_domain(domain)
    if registrable == domain:
        return DomainMatch(domain, "domain", 1.0)
    return DomainMatch(registrable, f"registrable domain {registrable}", AMONG_SEVERAL)


def _is_at(item: Item, host: str) -> bool:
    """Whether the item is not a person, has not been dissolved, and has its website at the host."""
    if HUMAN in item.items("P31") or item.claims_of("P576"):
        return False
    websites = [claim.value for claim in item.claims_of("P856") if not claim.has_ended]
    return any(isinstance(url, str) and _is_home(url, host) for url in websites)


def _is_home(url: str, host: str) -> bool:
    try:
        parts = urlsplit(url)
        found = to_ascii(parts.hostname or "")
    except ValueError:
        return False
    return found.removeprefix("www.") == host and HOME_PATH.fullmatch(parts.path) is not None


def _listings(item: Item, labels: Mapping[str, str]) -> Iterator[Listing]:
    """The exchanges on which the shares are traded now; those that are preferred first."""
    for claim in item.best("P414"):
        exchange, ticker = labels.get(item_id_of(claim.value) or ""), claim.qualifier("P249")
        if exchange and isinstance(ticker, str) and ticker.strip():
            yield Listing(exchange, ticker.strip().upper())
