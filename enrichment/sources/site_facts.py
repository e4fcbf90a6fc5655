"""
What a company's website says about the company itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from enrichment.domains import registrable_domain
from enrichment.modules.evidence import words
from enrichment.sources.failures import NotFound
from enrichment.sources.json_ld import first, strings, types_of
from enrichment.sources.markup import Markup

ORGANIZATION: Final = re.compile(r".*(?:Organization|Corporation|Business|Store|Service|Agency)|NGO|Airline|Hotel")
"Types of schema.org that stand for a company. There are some two hundred below `LocalBusiness`."
YEAR: Final = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
NETWORKS: Final = (
    "linkedin.com",
    "x.com",
    "twitter.com",
    "youtube.com",
    "facebook.com",
    "instagram.com",
    "github.com",
    "crunchbase.com",
)
"Where companies have profiles."
TITLE_SEPARATOR: Final = re.compile(r"\s[|\u2013\u2014\u00b7:-]\s|:\s")
MAX_SAME_AS: Final = 50

PARKING: Final = (
    "hugedomains.com",
    "dan.com",
    "sedo.com",
    "sedoparking.com",
    "parkingcrew.net",
    "bodis.com",
    "afternic.com",
    "parklogic.com",
    "above.com",
    "undeveloped.com",
)
"Who shows pages on domains that nobody uses."
FOR_SALE: Final = re.compile(r"domain (?:name )?(?:is|may be) for sale|buy this domain|domain is parked", re.IGNORECASE)
LOCALE: Final = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?|global|intl|home|(?:index|default|home)\.\w{2,5}", re.IGNORECASE)
"A part of the path of a home page."


class SiteMatch(msgspec.Struct, frozen=True, kw_only=True):
    """How a website was found to be that of a domain, and how sure that is (0 to 1)."""

    matched_by: str
    confidence: float


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address, as far as it is given. `country` is a name or a code, as the site writes it."""

    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a website says about its company.

    `url` is the address of its home page after redirects, `pages` are those of all pages that were read. `founded` is a
    year. `same_as` are the company's profiles elsewhere, `job_boards` the URLs of its boards at known vendors.
    `ticker_symbol` and `naics` are as the site writes them. `matched_by` says how the website was found to be that of
    the domain, and `match_confidence` how sure that is (0 to 1).
    """

    url: str
    pages: tuple[str, ...] = ()
    name: str | None = None
    legal_name: str | None = None
    description: str | None = None
    founded: int | None = None
    address: Address | None = None
    employees: int | None = None
    naics: str | None = None
    ticker_symbol: str | None = None
    same_as: tuple[str, ...] = ()
    job_boards: tuple[str, ...] = ()
    matched_by: str
    match_confidence: float


def match_site(domain: str, url: str, markup: Markup) -> SiteMatch:
    """
    Decide if the page that a domain leads to is the home page of its company. Raise `NotFound` if it is not.

    A redirect to the home page of another domain is followed: a company may have been renamed, or bought. One to
    another page there is not: it is a profile, or about a product.
    """
    target, own = domain_of(url), registrable_domain(domain)
    if (target in PARKING and target != own) or _is_parked(markup):
        raise NotFound("Its domain is not in use: it leads to a page that offers it for sale.")
    if target != own:
        label = own.partition(".")[0]
        segments = [segment for segment in urlsplit(url).path.split("/") if segment]
        if target.partition(".")[0] == label:
            return SiteMatch(matched_by=f"redirect to {target}", confidence=0.9)
        if not all(LOCALE.fullmatch(segment) for segment in segments):
            raise NotFound(f"Its domain leads to a page of another website, {target}.")
        return SiteMatch(matched_by=f"redirect to {target}", confidence=0.7)
    if markup.canonical and domain_of(markup.canonical) != own:
        return SiteMatch(matched_by="website, whose canonical address is on another domain", confidence=0.8)
    return SiteMatch(matched_by="website", confidence=1.0)


def read_facts(markup: Markup, url: str, match: SiteMatch) -> SiteFacts:
    """Read the facts on a page of a company's own website. JSON-LD about other companies is ignored."""
    domain = registrable_domain(urlsplit(url).hostname or "")
    own = list(_organizations(markup, domain))
    websites = [item for item in markup.items if "WebSite" in types_of(item)]
    texts = {name: _first(own, name) for name in ("name", "legalName", "description", "tickerSymbol", "naics")}
    return SiteFacts(
        url=url,
        pages=(url,),
        name=texts["name"]
        or _first(websites, "name")
        or markup.first_meta("og:site_name", "application-name")
        or _name_in_title(markup.title or "", domain),
        legal_name=texts["legalName"],
        description=texts["description"] or markup.first_meta("description", "og:description"),
        founded=next((int(year[0]) for item in own if (year := YEAR.search(str(item.get("foundingDate"))))), None),
        address=next((address for item in own if (address := _address(item.get("address")))), None),
        employees=next((count for item in own if (count := _count(item.get("numberOfEmployees"))) is not None), None),
        naics=texts["naics"],
        ticker_symbol=texts["tickerSymbol"],
        same_as=tuple(dict.fromkeys((*_same_as(own), *_profiles(markup))))[:MAX_SAME_AS],
        job_boards=markup.job_boards,
        matched_by=match.matched_by,
        match_confidence=match.confidence,
    )


def merge(facts: SiteFacts, more: SiteFacts) -> SiteFacts:
    """Return the facts of a home page, completed by those of another page of the website."""
    values = msgspec.structs.asdict(facts)
    for name, value in msgspec.structs.asdict(more).items():
        if isinstance(value, tuple):
            values[name] = tuple(dict.fromkeys((*values[name], *value)))
        elif values[name] is None:
            values[name] = value
    return SiteFacts(**values)


def _is_parked(markup: Markup) -> bool:
    hosts = {registrable_domain(host) for host in markup.hosts if host.endswith(PARKING)}
    texts = (markup.title or "", *markup.headings[:3], markup.first_meta("description") or "")
    return not hosts.isdisjoint(PARKING) or any(FOR_SALE.search(text) for text in texts)


def _organizations(markup: Markup, domain: str) -> Iterator[Mapping[str, Any]]:
    """
    The objects that stand for the company: those with an address on its website, then those without any.

    A nested object without an address may be a customer, a partner or an author.
    """
    unclear = []
    for nested, items in ((False, markup.items), (True, markup.nested_items)):
        for item in items:
            if any(ORGANIZATION.fullmatch(each) for each in types_of(item)):
                hosts = {domain_of(each) for each in strings(item.get("url")) + strings(item.get("@id"))} - {""}
                if domain in hosts:
                    yield item
                elif not nested and not hosts:
                    unclear.append(item)
    yield from unclear


def domain_of(url: str) -> str:
    """Return the registered domain in a URL, an empty string if there is none."""
    try:
        return registrable_domain((urlsplit(url).hostname or "").lower())
    except ValueError:
        return ""


def _first(items: list[Mapping[str, Any]], name: str) -> str | None:
    return next((text for item in items if (text := first(item.get(name)))), None)


def _address(value: object) -> Address | None:
    """The first postal address of a value that may be one, several, or a text, which cannot be told apart."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            country = each.get("addressCountry")
            address = Address(
                street=first(each.get("streetAddress")),
                city=first(each.get("addressLocality")),
                region=first(each.get("addressRegion")),
                postal_code=first(each.get("postalCode")),
                country=first(country.get("name") if isinstance(country, dict) else country),
            )
            if address != Address():
                return address
    return None


def _count(value: object) -> int | None:
    """A number of employees. A range is not one."""
    if isinstance(value, dict):
        low, high = _count(value.get("minValue")), _count(value.get("maxValue"))
        return low if low == high and low is not None else _count(value.get("value"))
    if isinstance(value, str):
        digits = value.strip().replace(",", "")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e8:
        return None
    return int(value)


def _same_as(items: list[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        yield from (url for url in strings(item.get("sameAs")) if url.startswith(("https://", "http://")))


def _profiles(markup: Markup) -> Iterator[str]:
    """The first link to each network."""
    seen = set()
    for link in markup.links:
        domain = domain_of(link.url)
        if domain in NETWORKS and domain not in seen and urlsplit(link.url).path.strip("/"):
            seen.add(domain)
            yield link.url


def _name_in_title(title: str, domain: str) -> str | None:
    """The part of a title that is the name in the domain: `Acme Rockets` of `Home | Acme Rockets`, acmerockets.com."""
    label = domain.partition(".")[0].replace("-", "")
    return next((part for part in TITLE_SEPARATOR.split(title) if "".join(words(part)) == label), None)
