"""
Brave Search (https://api.search.brave.com/app/documentation): web search with a key.
"""

from typing import Final

import msgspec

from enrichment.clock import Clock
from enrichment.sources.failures import ParseError, QuotaExhausted, RateLimited, Unauthorized
from enrichment.sources.http import Client
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

MAX_ERROR: Final = 4_000
"Characters of an error that are looked at."


class BraveResult(msgspec.Struct, frozen=True):
    """A result of Brave. Few have a date."""

    url: str | None = None
    title: str | None = None
    page_age: str | None = None


class BraveSection(msgspec.Struct, frozen=True):
    """The results of one kind."""

    results: tuple[BraveResult | None, ...] | None = None


class BraveAnswer(msgspec.Struct, frozen=True):
    """An answer of Brave: web pages are in a section, news are not."""

    type: str | None = None
    web: BraveSection | None = None
    results: tuple[BraveResult | None, ...] | None = None


class BraveMeta(msgspec.Struct, frozen=True):
    """The requests of this month; a limit of 0 is none."""

    quota_limit: float | None = None
    quota_current: float | None = None


class BraveError(msgspec.Struct, frozen=True):
    """Why a request was refused."""

    code: str | None = None
    meta: BraveMeta | None = None


class BraveRefusal(msgspec.Struct, frozen=True):
    """An answer of Brave that is an error."""

    error: BraveError | None = None


class Brave:
    """Searches with Brave."""

    def __init__(self, client: Client, clock: Clock, *, url: str = "https://api.search.brave.com", key: str) -> None:
        self._client = client
        self._clock = clock
        self._url = url
        self._headers = {"X-Subscription-Token": key, "Accept": "application/json"}
        self.upstream = Upstream(
            name="brave",
            requests_per_second=1,
            attempt_seconds=5,
            trusted_origins=(url,),
            key_setting="BRAVE_API_KEY",
            paid_service="brave",
        )

    async def search(self, query: str, topic: Topic) -> tuple[Result, ...]:
        """See `SearchEngine.search`."""
        kind, options = ("news", {"freshness": "py"}) if topic == "news" else ("web", {"result_filter": "web"})
        params = {"q": query[:MAX_QUERY], "count": str(MAX_RESULTS), "text_decorations": "false", **options}
        request = HttpRequest(url=f"{self._url}/res/v1/{kind}/search", params=params, headers=self._headers)
        return await self._client.fetch(self.upstream, request, self._read)

    def _read(self, response: HttpResponse) -> tuple[Result, ...]:
        answer = self._checked(response).json(BraveAnswer)
        if answer.type not in ("search", "news"):
            raise ParseError("Its answer is not one of a search.")
        found = answer.results or (answer.web.results if answer.web else None) or ()
        return results_of((each.url, each.title, each.page_age) for each in found if each)

    def _checked(self, response: HttpResponse) -> HttpResponse:
        """Return an answer that is none of the refusals of Brave. A wrong key is status 422, as other faults are."""
        if response.status == 422 and _is_about_key(response.text):
            raise Unauthorized("It does not accept the key.")
        if response.status == 429:
            next_second, next_month = _limits(response, "reset")
            if _is_used_up(response):
                seconds = min(next_month or LIMIT_SECONDS, MAX_LIMIT_SECONDS)
                raise QuotaExhausted("The quota of this month is exhausted.", until=self._clock.now() + seconds)
            pause = next_second if response.retry_after is None else response.retry_after
            raise RateLimited("It has received too many requests.", retry_after=pause)
        return known(response).raise_for_status()


def _is_about_key(error: str) -> bool:
    """Whether an error of Brave, which is an object or a list of them, is about the key: a wrong one, or none."""
    start = error[:MAX_ERROR].lower()
    return "subscription_token_invalid" in start or "x-subscription-token" in start


def _is_used_up(response: HttpResponse) -> bool:
    """Whether it is the quota of the month that a refusal of Brave is about."""
    _, left = _limits(response, "remaining")
    _, limit = _limits(response, "limit")
    try:
        error = response.json(BraveRefusal).error or BraveError()
    except ParseError:
        error = BraveError()
    meta = error.meta or BraveMeta()
    is_over = bool(meta.quota_limit) and (meta.quota_current or 0) >= (meta.quota_limit or 0)
    return is_over or (left == 0 and limit != 0) or "QUOTA" in (error.code or "")


def _limits(response: HttpResponse, name: str) -> tuple[float | None, float | None]:
    """The numbers of one of Brave's headers about limits: that of a second, then that of a month."""
    parts = [part.strip() for part in response.headers.get(f"x-ratelimit-{name}", "").split(",")]
    numbers = [float(part) if part.isdecimal() and len(part) < 10 else None for part in parts]
    return numbers[0], numbers[1] if len(numbers) > 1 else None
