"""
BuiltWith: the technologies that it has seen on a company's website, their numbers, and the keywords of its pages.

The Domain API names technologies for a credit each. The Free API counts them by kind, and takes the same key.
"""

import asyncio
import functools
from contextlib import nullcontext
from typing import Any, Final

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.modules.answers import Keyword, Keywords, TechnologyGroup, TechStack
from enrichment.modules.module import Answer, Finding, Module, Subject
from enrichment.sources.builtwith_profile import read_profile
from enrichment.sources.company_names import is_branded
from enrichment.sources.context import CONTEXT, time_limit
from enrichment.sources.costs import report_credits
from enrichment.sources.failures import (
    AuthError,
    BadRequest,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
)
from enrichment.sources.http import Client, Read, T
from enrichment.sources.identity import DomainMatch, match_domain
from enrichment.sources.keys import KeyStatus
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

KEY_SETTING: Final = "BUILTWITH_API_KEY"
MAX_CONCURRENT: Final = 8
"Requests of an account at the same time, by the limits that it is told."
REQUESTS_PER_SECOND: Final = 8.0
"10 are allowed, counted by the clock of the service."
PROFILE_SECONDS: Final = 15.0
"A website that the service does not know yet is visited first. A second attempt would be paid, and have no more time."
KEYWORDS_SECONDS: Final = 6.0
"Less than for profiles: SimilarWeb has been asked before, and the company's website is to be read if this fails."
MAX_PROFILE_BYTES: Final = 4 * 1024 * 1024
"Some 20,000 technologies, as large companies have many subdomains. To read these takes 35 ms, hence in a thread."
MAX_KEYWORDS: Final = 20
MAX_GROUPS: Final = 100
COUNTS_ONLY: Final = (
    "Limited: BuiltWith's free interface counts technologies by kind and does not name them. Names need credits."
)
PAGE_KEYWORDS: Final = (
    "Keywords of the company's pages, by BuiltWith, not keywords that lead to them: how often they are searched for, "
    "and where the website ranks for them, is not known."
)
LEAN: Final = dict.fromkeys(("LIVEONLY", "NOPII", "NOMETA", "NOATTR", "HIDEDL"), "yes")
"Only what is in use, without names and addresses of persons, figures of the company, and descriptions."


class Failures(msgspec.Struct, frozen=True, rename="pascal"):
    """What any answer may have: errors, in spite of the status 200."""

    errors: tuple[Any, ...] | None = None


class PageKeywords(msgspec.Struct, frozen=True, rename="pascal"):
    """The keywords of a website's pages."""

    domain: str | None = None
    keywords: tuple[str | None, ...] | None = None


class KeywordLists(msgspec.Struct, frozen=True, rename="pascal"):
    """The keywords of several websites."""

    keywords: tuple[PageKeywords | None, ...]


class Group(msgspec.Struct, frozen=True):
    """A kind of technology. Others than `live` are no longer used."""

    name: str | None = None
    live: int | None = None


class Counts(msgspec.Struct, frozen=True):
    """The numbers of technologies of a website; times are in seconds since the epoch."""

    groups: tuple[Group | None, ...]
    domain: str | None = None
    last: float | None = None


class Usage(msgspec.Struct, frozen=True):
    """The credits of an account."""

    used: float | None = None
    purchased: float | None = None
    remaining: float | None = None


class Account(msgspec.Struct, frozen=True):
    """An account."""

    plan: str | None = None


class WhoAmI(msgspec.Struct, frozen=True):
    """Whose key it is."""

    account: Account | None = None


class BuiltWithApi:
    """Sends requests with a key. An account may have only so many open at a time."""

    def __init__(self, client: Client, *, key: str, base_url: str = "https://api.builtwith.com") -> None:
        self.base_url = base_url
        self._client = client
        self._key = key
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)

    async def get(self, upstream: Upstream, path: str, read: Read[T], **params: str) -> T:
        """Return what `read` makes of the answer. Waiting for others to be answered does not count as time."""
        request = HttpRequest(url=f"{self.base_url}/{path}/api.json", params={"KEY": self._key, **params})
        context = CONTEXT.get()
        with context.waiting() if context else nullcontext():
            await self._slots.acquire()
        try:
            return await self._client.fetch(upstream, request, read)
        finally:
            self._slots.release()


class BuiltWith:
    """The source of technologies by name, and of the keywords of pages."""

    def __init__(self, api: BuiltWithApi, clock: Clock, *, version: str = "v22") -> None:
        self._api = api
        self._clock = clock
        self._version = version
        self.upstream = Upstream(
            name="builtwith",
            requests_per_second=REQUESTS_PER_SECOND,
            trusted_origins=(api.base_url,),
            key_setting=KEY_SETTING,
            paid_service="builtwith",
        )
        self._patient = msgspec.structs.replace(
            self.upstream, attempt_seconds=PROFILE_SECONDS, max_bytes=MAX_PROFILE_BYTES
        )

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the technologies in use, or the keywords of the pages. Raises `NotFound` if there are none."""
        company = match_domain(subject.domain)
        if module.id == "m02_tech_stack":
            response = await self._api.get(self._patient, self._version, checked, LOOKUP=company.domain, **LEAN)
            stack, visited_at = await asyncio.to_thread(read_profile, response, company.domain)
            return self._finding(stack, company, response.url, "BuiltWith technology profile", visited_at)
        if module.id == "m06_keywords":
            read = functools.partial(read_keywords, domain=company.domain)
            async with time_limit(KEYWORDS_SECONDS):
                url, keywords = await self._api.get(self.upstream, "kw2", read, LOOKUP=company.domain)
            return self._finding(keywords, company, url, "BuiltWith page keywords")
        raise SourceFailed("BuiltWith does not answer this module.")

    async def check_key(self) -> KeyStatus:
        """Return the credits that are left. This costs none."""
        usage = await self._api.get(self.upstream, "usagev2", lambda response: checked(response).json(Usage))
        detail = None
        if usage.used is not None and usage.purchased is not None:
            detail = f"{usage.used:,.0f} of {usage.purchased:,.0f} credits are used."
        return KeyStatus(works=True, remaining=usage.remaining, unit="credits", detail=detail)

    def _finding(
        self, answer: Answer, company: DomainMatch, url: str, title: str, visited_at: float | None = None
    ) -> Finding:
        return Finding.of(
            answer,
            source="builtwith",
            method=Method.API,
            fetched_at=self._clock.now(),
            observed_at=visited_at,
            citations=(SourceCitation(url=url, title=title, source="builtwith", simulated=False),),
            matched_by=company.matched_by,
            match_confidence=company.confidence,
        )


class BuiltWithFree:
    """The source of the numbers of technologies, and limited to these."""

    def __init__(self, api: BuiltWithApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self.upstream = Upstream(
            name="builtwith_free", requests_per_second=1, trusted_origins=(api.base_url,), key_setting=KEY_SETTING
        )

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the numbers of technologies by kind. Raises `NotFound` if there are none."""
        company = match_domain(subject.domain)
        read = functools.partial(read_counts, domain=company.domain)
        url, stack, visited_at = await self._api.get(self.upstream, "free1", read, LOOKUP=company.domain)
        title = "BuiltWith technology counts (limited)"
        return Finding.of(
            stack,
            source="builtwith_free",
            method=Method.API,
            fetched_at=self._clock.now(),
            observed_at=visited_at,
            citations=(SourceCitation(url=url, title=title, source="builtwith_free", simulated=False),),
            matched_by=company.matched_by,
            match_confidence=company.confidence,
        )

    async def check_key(self) -> KeyStatus:
        """Return the plan of the account."""
        found = await self._api.get(self.upstream, "whoamiv1", lambda response: checked(response).json(WhoAmI))
        plan = found.account.plan if found.account else None
        return KeyStatus(works=True, detail=f"Plan: {plan}." if plan else None)


def checked(response: HttpResponse) -> HttpResponse:
    """Return the response if it is an answer; raise the failure that its status or its first error stands for."""
    if response.status in (401, 403) and _mentions(response.text, "credit"):
        raise QuotaExhausted("Its credits are used up.")
    errors = response.raise_for_status().json(Failures).errors
    if errors:
        report_credits(0)
        raise _failure(errors[0])
    return response


def _failure(error: Any) -> SourceFailed:
    """
    Return the failure for an entry of `Errors`, which is an object with a message, or just that.

    The messages are not shown: one about the key may contain it.
    """
    message = str(error.get("Message") or "") if isinstance(error, dict) else str(error)
    code = error.get("Code") if isinstance(error, dict) else None
    if _mentions(message, "credit", "quota"):
        return QuotaExhausted("Its credits are used up.")
    if _mentions(message, "rate limit", "too many", "per second"):
        return RateLimited("It has received too many requests.")
    if _mentions(message, "key", "auth"):
        is_wrong = _mentions(message, "invalid", "not valid", "unknown", "wrong", "incorrect", "missing", "expired")
        return Unauthorized("It does not accept the key.") if is_wrong else AuthError("The key is not good for this.")
    if _mentions(message, "not found", "no data", "no result"):
        return NotFound("It does not know this company.")
    return BadRequest(f"It reports an error{f' with code {code}' if isinstance(code, int) else ''}.")


def _mentions(text: str, *parts: str) -> bool:
    text = text.casefold()
    return any(part in text for part in parts)


def read_keywords(response: HttpResponse, domain: str) -> tuple[str, Keywords]:
    """Return the URL, and the keywords of a website's pages."""
    lists = [each for each in checked(response).json(KeywordLists).keywords if each and each.domain in (None, domain)]
    texts = dict.fromkeys(" ".join(text.split()) for each in lists for text in each.keywords or () if text)
    keywords = tuple(Keyword(keyword=text, branded=is_branded(text, domain)) for text in texts if text)
    if not keywords:
        raise NotFound("It has no keywords of this company's pages.")
    return response.url, Keywords(keywords=keywords[:MAX_KEYWORDS], note=PAGE_KEYWORDS)


def read_counts(response: HttpResponse, domain: str) -> tuple[str, TechStack, float | None]:
    """Return the URL, the numbers of technologies in use, and when the website was last visited."""
    counts = checked(response).json(Counts)
    if counts.domain not in (None, "", domain):
        raise ParseError("Its answer is about another domain.")
    groups = tuple(
        TechnologyGroup(name=group.name, live=group.live)
        for group in counts.groups
        if group and group.name and group.live and group.live > 0
    )
    if not groups:
        raise NotFound("It counts no technologies in use on this website.")
    stack = TechStack(technologies=(), groups=groups[:MAX_GROUPS], limited=True, note=COUNTS_ONLY)
    return response.url, stack, counts.last
