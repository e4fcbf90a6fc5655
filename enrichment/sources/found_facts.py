"""
What stands on a page that a search has found: competitors, revenues, open roles, quotes, and events.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from enrichment.modules.answers import Quote
from enrichment.modules.evidence import words
from enrichment.sources.company_names import LEGAL_FORMS, core_name, has_words, is_mentioned
from enrichment.sources.found_pages import Company, Examined, FoundPage
from enrichment.sources.headlines import Report
from enrichment.sources.job_boards import Role
from enrichment.sources.job_postings import read_roles
from enrichment.sources.quotes import NOT_COMPANIES, Said, find_quotes, themes_of
from enrichment.sources.revenue_reports import Revenue
from enrichment.sources.site_facts import domain_of

SAME_AMOUNT: Final = 0.01
"How far two amounts may be apart, as a share, to be the same one, rounded differently."
PUBLISHED: Final = re.compile(
    r"\"datePublished\"\s{0,9}:\s{0,9}\"(\d{4}-\d\d-\d\d)"
    r"|article:published_time[\"']\s{1,9}content\s{0,9}=\s{0,9}[\"'](\d{4}-\d\d-\d\d)"
)
SAME_DAY: Final = timedelta(days=1)
"How far two dates of an article may be apart, in different time zones."
WORD: Final = re.compile(r"[^\W_]+")
TITLE_END: Final = re.compile(" [|\u2013\u2014-] [^|\u2013\u2014]{1,60}$")
CUT_OFF: Final = re.compile(r"\s*(?:\.\.\.|\u2026)$")
# fmt: off
NOT_COMPETITORS: Final = frozenset({
    "apple.com", "bsky.app", "capterra.com", "crunchbase.com", "facebook.com", "g2.com", "getapp.com", "github.com",
    "google.com", "gstatic.com", "instagram.com", "linkedin.com", "medium.com", "microsoft.com", "pinterest.com",
    "quora.com", "reddit.com", "softwareadvice.com", "t.me", "threads.net", "tiktok.com", "trustpilot.com",
    "trustradius.com", "twitter.com", "whatsapp.com", "wikipedia.org", "wordpress.org", "x.com", "youtube.com",
})
# fmt: on


def alternatives(found: FoundPage, own: str) -> frozenset[str]:
    """Return the domains that a page links to and whose names it mentions, without its own and those of networks."""
    said = frozenset(WORD.findall(found.text.lower()))
    linked = {domain_of(link.url) for link in found.page.markup.links} - NOT_COMPETITORS
    return frozenset(
        domain for domain in linked - {"", own, domain_of(found.page.url)} if domain.partition(".")[0] in said
    )


def agreed(year: int, examined: Iterable[Examined[list[Revenue]]]) -> Revenue | None:
    """Return a year's revenue: that of the company's website unless it has two, else what two websites agree on."""
    said = [(each.found, revenue) for each in examined for revenue in each.value if revenue.fiscal_year == year]
    own = [revenue for found, revenue in said if found.is_own]
    if own:
        return own[0] if all(_are_same(own[0], other) for other in own) else None
    for found, revenue in said:
        site = domain_of(found.page.url)
        if any(domain_of(other.page.url) != site and _are_same(revenue, its) for other, its in said):
            return revenue
    return None


def _are_same(one: Revenue, other: Revenue) -> bool:
    return one.currency == other.currency and abs(one.amount - other.amount) <= SAME_AMOUNT * one.amount


def is_among(revenue: Revenue, by_year: dict[int, Revenue]) -> bool:
    """Whether a revenue is one of the answer."""
    answered = by_year.get(revenue.fiscal_year)
    return answered is not None and _are_same(answered, revenue)


def roles_on(found: FoundPage, company: Company, now: float) -> list[Role]:
    """Return the open roles of the company in the markup of a page."""
    return read_roles(found.page.markup, company.domain, [company.name], now, is_own_page=found.is_own)


def quotes_on(found: FoundPage, company: Company) -> list[Quote]:
    """Return the quotes of the company's executives; on other websites than its own, only if the role names just it."""
    day = _day_on(found.page.html)
    return [
        Quote(
            quote=said.quote,
            speaker=said.speaker,
            speaker_title=said.role,
            said_on=day.isoformat() if day else None,
            url=found.page.url,
            theme=next(iter(themes_of(said.quote)), None),
        )
        for said in find_quotes(found.text, [company.name])
        if found.is_own or _is_of(said, company.name)
    ]


def _is_of(said: Said, name: str) -> bool:
    """Whether a role names the company, and no other whose name begins like it."""
    named = {word for part in said.role.split() if part[:1].isupper() for word in words(part)}
    return is_mentioned(name, said.role) and named - NOT_COMPANIES - LEGAL_FORMS <= set(core_name(name))


def report_on(found: FoundPage) -> Report | None:
    """Return what a page reports, if the headline of the result stands on it, and it has a date."""
    headline = headline_of(found.result.title)
    day = _day_on(found.page.html) or _day(found.result.published)
    return Report(headline=headline, day=day, url=found.page.url) if day and _has(headline, found.text) else None


def _has(headline: str, text: str) -> bool:
    return has_words(words(headline), text)


def headline_of(title: str) -> str:
    """Return a title without the name of the website at its end, and without the marks of a cut."""
    return CUT_OFF.sub("", TITLE_END.sub("", " ".join(title.split())))


def _day_on(html: str) -> date | None:
    """The day on which a page says that it was published; None if it has dates of several articles."""
    days = [day for match in PUBLISHED.finditer(html) if (day := _day(match[1] or match[2]))]
    return days[0] if days and max(days) - min(days) <= SAME_DAY else None


def _day(text: str) -> date | None:
    """The day of a date as in `2026-11-10T09:00:00` or in `Tue, 10 Nov 2026 09:00:00 GMT`."""
    with suppress(ValueError):
        return date.fromisoformat(text[:10])
    with suppress(ValueError):
        return parsedate_to_datetime(text).date()
    return None
