"""
Tavily (https://docs.tavily.com): web search, with or without a key.
"""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from enrichment.clock import Clock
from enrichment.sources.failures import ParseError, QuotaExhausted, RateLimited
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from enrichment.sources.lookup_cache import LookupCache
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.search_engines import (
    LIMIT_SECONDS,
    MAX_LIMIT_SECONDS,
    MAX_QUERY,
    MAX_RESULTS,
    Result,
    Topic,
    known,
    results_of,
)
from enrichment.sources.upstream import Upstream

CLIENT_NAME: Final = "lead-enrichment"
KEPT_SECONDS: Final = 86_400.0
"How long results without a key are kept, to spare a quota that is not published."
MAX_KEPT: Final = 500


class TavilyResult(msgspec.Struct, frozen=True):
    """A result of Tavily. Only news have a date."""

    url: str | None = None
    title: str | None = None
    published_date: str | None = None


class TavilyAnswer(msgspec.Struct, frozen=True):
    """An answer of Tavily, which may be a refusal with status 200."""

    results: tuple[TavilyResult | None, ...] | None = None
    error: Any = None


class TavilyPlan(msgspec.Struct, frozen=True):
    """What an account may use in a month, and has used, in credits. No limit is null."""

    current_plan: str | None = None
    plan_usage: float | None = None
    plan_limit: float | None = None


class TavilyUsage(msgspec.Struct, frozen=True):
    """The answer about an account."""

    account: TavilyPlan | None = None


class Tavily:
    """
    Searches with Tavily.

    Without a key, its key-less mode is used, whose limit is not published: after the first refusal, nothing more is
    asked until it is over, and results are kept for a day.
    """

    def __init__(self, client: Client, clock: Clock, *, url: str = "https://api.tavily.com", key: str = "") -> None:
        self._client = client
        self._clock = clock
        self._url = url
        self._has_key = bool(key)
        self._headers = (
            {"Authorization": f"Bearer {key}"}
            if key
            else {"X-Tavily-Access-Mode": "keyless", "X-Client-Source": CLIENT_NAME}
        )
        self._kept: LookupCache[tuple[Result, ...]] = LookupCache(clock, seconds=KEPT_SECONDS, max_entries=MAX_KEPT)
        self.upstream = Upstream(
            name="tavily" if key else "tavily_keyless",
            requests_per_second=100 / 60 if key else 1,
            attempt_seconds=5,
            trusted_origins=(url,),
            key_setting="TAVILY_API_KEY" if key else "",
            paid_service="tavily" if key else "",
        )

    async def search(self, query: str, topic: Topic) -> tuple[Result, ...]:
        """See `SearchEngine.search`."""
        if self._has_key:
            return await self._search(query, topic)
        return await self._kept.get(f"{topic} {query}", lambda: self._search(query, topic))

    async def check_key(self) -> KeyStatus:
        """Ask for the credits of the account, which is free."""
        request = HttpRequest(url=f"{self._url}/usage", headers=self._headers)
        plan = (await self._client.fetch(self.upstream, request, self._read_usage)).account or TavilyPlan()
        isknown = plan.plan_limit is not None and plan.plan_usage is not None
        return KeyStatus(
            works=True,
            remaining=max((plan.plan_limit or 0) - (plan.plan_usage or 0), 0) if isknown else None,
            unit="credits" if isknown else None,
            detail=f"Plan: {plan.current_plan[:100]}." if plan.current_plan else None,
        )

    async def _search(self, query: str, topic: Topic) -> tuple[Result, ...]:
        body = {
            "query": query[:MAX_QUERY],
            "search_depth": "basic",
            "topic": topic,
            "max_results": MAX_RESULTS,
            "include_answer": False,
            "include_raw_content": False,
            **({"time_range": "year"} if topic == "news" else {}),
        }
        request = HttpRequest(url=f"{self._url}/search", headers=self._headers, json=body)
        return await self._client.fetch(self.upstream, request, self._read)

    def _read(self, response: HttpResponse) -> tuple[Result, ...]:
        found = self._checked(response).json(TavilyAnswer).results
        if found is None:
            raise ParseError("Its answer has no list of results.")
        return results_of((each.url, each.title, each.published_date) for each in found if each)

    def _read_usage(self, response: HttpResponse) -> TavilyUsage:
        return self._checked(response).json(TavilyUsage)

    def _checked(self, response: HttpResponse) -> HttpResponse:
        """Return an answer that is none of the refusals of Tavily. Without a key, any limit is final."""
        now = self._clock.now()
        if response.status in (432, 433):
            raise QuotaExhausted("The quota of this month is exhausted.", until=_next_month(now))
        pause = _pause(response)
        if response.status == 429 or pause is not None:
            seconds = pause or response.retry_after
            if self._has_key:
                raise RateLimited("It has received too many requests.", retry_after=seconds)
            until = now + min(seconds or LIMIT_SECONDS, MAX_LIMIT_SECONDS)
            raise QuotaExhausted("The quota for use without a key is exhausted.", until=until)
        return known(response).raise_for_status()


def _pause(response: HttpResponse) -> float | None:
    """The seconds that Tavily's notice of a limit names, 0 if none, None if the answer is not such a notice."""
    try:
        error = msgspec.json.decode(response.body, type=TavilyAnswer).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(error, dict) or ("window" not in error and "retry_after_seconds" not in error):
        return None
    seconds = error.get("retry_after_seconds")
    return min(float(seconds), MAX_LIMIT_SECONDS) if isinstance(seconds, int | float) and seconds > 0 else 0.0


def _next_month(now: float) -> float:
    day = datetime.fromtimestamp(now, UTC)
    return datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC).timestamp()
