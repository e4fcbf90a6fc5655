"""
Technologies that a website shows to its visitors, found by our own fingerprints in `fingerprints.json`.

What a server does behind its pages, and what other scripts load, is not seen.
"""

import asyncio
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.logs import Log
from enrichment.modules.answers import Technology, TechStack
from enrichment.modules.module import Finding, Module, Subject
from enrichment.sources.dns import DnsOverHttps
from enrichment.sources.markup import hosts_in
from enrichment.sources.website import Page, Websites
from schemas import Method, SourceCitation

log = Log(__name__)

SMALL: Final = 262_144
"Characters of a page that are searched within some milliseconds; larger pages are searched in a thread."
MAX_EVIDENCE: Final = 5
"Signals of a technology that are shown."


class Signals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    The signals of a technology, each of which is enough.

    `hosts` are domains that a page loads something from, or that its scripts or its Content-Security-Policy name;
    `paths` are parts of the URLs of what it loads, `html` parts of its text. `headers` and `meta` are names and, in
    lower case, parts of values. `cookies` are how their names begin. `mx` and `cname` are domains of hosts in DNS
    records, `txt` parts of texts there. `implies` are technologies that it is based on.
    """

    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    html: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()
    mx: tuple[str, ...] = ()
    txt: tuple[str, ...] = ()
    cname: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()


class DnsRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The records of a company's domain, and the names that its website's host stands for."""

    mx: tuple[str, ...] = ()
    txt: tuple[str, ...] = ()
    cname: tuple[str, ...] = ()


class Fingerprints:
    """The source of the technology stack that needs no key."""

    def __init__(self, websites: Websites, dns: DnsOverHttps) -> None:
        self._websites = websites
        self._dns = dns

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the technologies that the home page and the domain's DNS records show, each with its evidence."""
        site = await self._websites.site(subject.domain)
        page = site.home
        records = await self._records(subject.domain, urlsplit(page.url).hostname or "")
        if len(page.html) <= SMALL:
            technologies = detect(page, records)
        else:
            technologies = await asyncio.to_thread(detect, page, records)
        citation = SourceCitation(url=page.url, title="Home page", source="fingerprints", simulated=False)
        return Finding.of(
            TechStack(technologies=technologies),
            source="fingerprints",
            method=Method.SCRAPE,
            fetched_at=page.fetched_at,
            citations=(citation,),
            matched_by=site.match.matched_by,
            match_confidence=site.match.confidence,
        )

    async def _records(self, domain: str, host: str) -> DnsRecords:
        """Look up the records. Without them, there are just fewer signals."""
        owner = registrable_domain(domain)
        try:
            return DnsRecords(
                mx=await self._dns.look_up(owner, "MX"),
                txt=await self._dns.look_up(owner, "TXT"),
                cname=await self._dns.look_up(host, "CNAME"),
            )
        except SourceFailed as error:
            log.info("no DNS records for fingerprints", domain=owner, error=str(error))
            return DnsRecords()


@functools.cache
def fingerprints() -> Mapping[str, Mapping[str, Signals]]:
    """Load the fingerprints, by category and name."""
    content = Path(__file__).with_suffix(".json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, dict[str, Signals]])


def detect(page: Page, records: DnsRecords) -> tuple[Technology, ...]:
    """Return the technologies that a page and DNS records show, in the order of the fingerprints."""
    observed = Observed(page, records)
    found: dict[str, list[str]] = {}
    for technologies in fingerprints().values():
        for name, signals in technologies.items():
            if evidence := list(observed.evidence(signals)):
                found.setdefault(name, []).extend(evidence)
                for other in signals.implies:
                    found.setdefault(other, []).append(f"based on it: {name}")
    return tuple(
        Technology(name=name, category=category, evidence=tuple(found[name][:MAX_EVIDENCE]))
        for category, technologies in fingerprints().items()
        for name in technologies
        if name in found
    )


class Observed:
    """What a page and DNS records show, prepared for the comparison with many signals."""

    def __init__(self, page: Page, records: DnsRecords) -> None:
        headers, markup = page.headers, page.markup
        self._hosts = _by_parent(markup.hosts | _hosts_of_policy(headers.get("content-security-policy", "")))
        self._resources = "\n".join(markup.resources)
        self._html = page.html
        self._headers = {name.lower(): value.lower() for name, value in headers.items()}
        self._cookies = [cookie.partition("=")[0].strip() for cookie in headers.get_list("set-cookie")]
        self._meta = {name: " ".join(values).lower() for name, values in markup.meta.items()}
        self._mx = _by_parent(records.mx)
        self._cname = _by_parent(records.cname)
        self._txt = "\n".join(records.txt)

    def evidence(self, signals: Signals) -> Iterator[str]:
        """Say which of a technology's signals are there."""
        yield from (f"host {self._hosts[name]}" for name in signals.hosts if name in self._hosts)
        yield from (f"path {part}" for part in signals.paths if part in self._resources)
        yield from (f"HTML {part.strip()}" for part in signals.html if part in self._html)
        yield from _matching("header", signals.headers, self._headers)
        yield from _matching("meta element", signals.meta, self._meta)
        yield from (
            f"cookie {begin}" for begin in signals.cookies if any(name.startswith(begin) for name in self._cookies)
        )
        yield from (f"MX record {self._mx[name]}" for name in signals.mx if name in self._mx)
        yield from (f"TXT record {part}" for part in signals.txt if part in self._txt)
        yield from (f"CNAME record {self._cname[name]}" for name in signals.cname if name in self._cname)


def _matching(kind: str, wanted: Sequence[tuple[str, str]], values: Mapping[str, str]) -> Iterator[str]:
    for name, part in wanted:
        if part in values.get(name, "") and name in values:
            yield f"{kind} {name}: {part}" if part else f"{kind} {name}"


def _by_parent(hosts: Sequence[str] | frozenset[str]) -> dict[str, str]:
    """
    Return the hosts by themselves and by each domain that they are in.

    A host `www.` is where a vendor's own website is. Pages name it in their content as well, so it counts only where a
    signal names it.
    """
    found: dict[str, str] = {}
    for host in sorted(hosts):
        found.setdefault(host, host)
        parent = "" if host.startswith("www.") else host.partition(".")[2]
        while "." in parent:
            found.setdefault(parent, host)
            parent = parent.partition(".")[2]
    return found


def _hosts_of_policy(policy: str) -> frozenset[str]:
    """The hosts in a Content-Security-Policy, in which they may be without a scheme, and begin with `*.`."""
    sources = (source.removeprefix("*.") for source in policy[:20_000].replace(";", " ").split())
    return hosts_in("\n".join(source if "//" in source else f"//{source}" for source in sources).replace("//*.", "//"))
