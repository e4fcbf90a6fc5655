"""
An outside service: what is known of it beforehand, and how it has behaved since.
"""

import asyncio
import itertools
from heapq import heapify, heappop, heappush
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from enrichment.clock import Clock, isoformat_utc
from enrichment.errors import SourceFailed
from enrichment.logs import Log
from enrichment.sources.context import CallContext
from enrichment.sources.failures import (
    CircuitOpen,
    NotFound,
    Pending,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
    UpstreamError,
)

log = Log(__name__)

MAX_FAILURES: Final = 5
"After so many failures in a row, a service is not asked for a while."
OPEN_SECONDS: Final = 30.0
"How long it is not asked at first. Each failure after that doubles it, up to `MAX_OPEN_SECONDS`."
MAX_OPEN_SECONDS: Final = 480.0
TRIAL_SECONDS: Final = 15.0
"How long other calls are still refused after the one that tries whether the service works again."
LIMITED_SECONDS: Final = 2.0
"The pause after the first answer 429 without `Retry-After`. It doubles each time, up to `MAX_LIMITED_SECONDS`."
MAX_LIMITED_SECONDS: Final = 64.0
QUOTA_SECONDS: Final = 3_600.0
"When to ask again a service whose quota is exhausted, if it does not say."

State = Literal["ok", "limited", "open", "quota_exhausted"]


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """
    An outside service and how it may be called.

    `attempt_seconds` is the time for one attempt, so that a second one fits into the time for the source. `max_bytes`
    is the largest answer read, uncompressed. `trusted_origins` are base URLs that the operator has set: they may be on
    a private network. With `per_host`, the service is every company's website: limits and failures are counted for each
    host, and the calls take the operator's proxy. Without `follows_redirects`, a redirect is an answer like any other.
    `endpoint` is a part of the service, if each has limits and failures of its own. `key_setting` is the setting with
    its key, if its calls have one.
    `paid_service` names the service in `PAID_SERVICES` that bills its calls; they are free without one.
    """

    name: str
    endpoint: str = ""
    requests_per_second: float = 5.0
    attempt_seconds: float = 5.0
    max_bytes: int = 2 * 1024 * 1024
    trusted_origins: tuple[str, ...] = ()
    per_host: bool = False
    follows_redirects: bool = True
    key_setting: str = ""
    paid_service: str = ""


class Stats(msgspec.Struct):
    """The calls of a service since the start. Times are in seconds since the epoch."""

    calls: int = 0
    hits: int = 0
    errors: int = 0
    last_success_at: float | None = None
    last_error: str | None = None
    last_error_at: float | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a service, and until when it lasts, in seconds since the epoch."""

    state: State
    until: float | None
    stats: Stats


class Key:
    """
    The key of a setting, which several services may have in common.

    `works` says whether the last answer that depends on it accepted it; None before the first.
    """

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self.works: bool | None = None

    def note(self, *, works: bool) -> None:
        """Record whether it was accepted. The first time that it is not is logged."""
        if self.setting and self.works is not False and not works:
            log.error("key rejected", setting=self.setting)
        self.works = works


class Turns:
    """
    A rate limit: evenly spaced turns. Of the calls that wait, the one with the lowest order is next.
    """

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        self._interval = 1 / requests_per_second
        self._clock = clock
        self._next_at = 0.0
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, asyncio.Future[bool]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the next call does not have to wait."""
        return not self._waiting and self._pause() <= 0

    async def take(self, order: float) -> bool:
        """Wait for a turn; False if the call was dismissed before it came."""
        if self.is_idle:
            self._next_at = self._clock.now() + self._interval
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = (order, next(self._numbers), turn)
        heappush(self._waiting, entry)
        self._task = self._task or asyncio.create_task(self._serve())
        try:
            return await turn
        except asyncio.CancelledError:
            self._waiting = [waiting for waiting in self._waiting if waiting is not entry]
            heapify(self._waiting)
            if not self._waiting:
                self._stop()
            raise

    def dismiss(self) -> None:
        """Let all calls that wait go without a turn."""
        for _, _, future in self._waiting:
            if not future.done():
                future.set_result(False)
        self._waiting.clear()
        self._stop()

    def _stop(self) -> None:
        if self._task:
            self._task.cancel()
            self._task = None

    async def _serve(self) -> None:
        """Give a turn to each call that waits, when it is time for it."""
        while self._waiting:
            if (pause := self._pause()) > 0:
                await self._clock.sleep(pause)
            _, _, future = heappop(self._waiting)
            if not future.done():
                self._next_at = self._clock.now() + self._interval
                future.set_result(True)
        self._task = None

    def _pause(self) -> float:
        """Seconds until the next turn; at most one interval, even if the system's clock has been set back."""
        return min(self._next_at - self._clock.now(), self._interval)


class Standing(NamedTuple):
    """What is known of a service. `until` is 0 in the state `ok`; the last three decide what follows from a failure."""

    state: State = "ok"
    until: float = 0.0
    failures: int = 0
    refusals: int = 0
    open_seconds: float = OPEN_SECONDS


class SharedStandings(Protocol):
    """The standing of each service as all processes know it, and whose turn it is to call it."""

    async def enter(self, key: tuple[str, str], interval: float) -> tuple[Standing, float]:
        """
        Ask for a turn, `interval` seconds after the one before. `key` is the name of a service and a part of it.

        Return the standing, and the time of the turn. There is none in a state whose time has not passed. After
        `MAX_FAILURES`, only one caller gets a turn, and others for `TRIAL_SECONDS` get the state `open`.
        """

    def publish(self, key: tuple[str, str], before: Standing, after: Standing) -> None:
        """Let the others know that the standing has changed; return at once."""


class Gate:
    """
    Lets calls through to a service, or to one host of it: not faster than it allows, and not while it is known to fail.

    With `shared`, that holds for the calls of all processes together.
    """

    def __init__(
        self,
        upstream: Upstream,
        stats: Stats,
        clock: Clock,
        *,
        host: str = "",
        key: Key | None = None,
        shared: SharedStandings | None = None,
    ) -> None:
        self._shared = shared
        self._shared_key = (upstream.name, host or upstream.endpoint)
        self._interval = 1 / upstream.requests_per_second
        parts = {"source": upstream.name, "endpoint": upstream.endpoint, "host": host}
        self._fields = {name: value for name, value in parts.items() if value}
        self._key = key or Key("")
        self._stats = stats
        self._clock = clock
        self._turns = Turns(upstream.requests_per_second, clock)
        self._state: State = "ok"
        self._until = 0.0
        self._failures = 0  # in a row
        self._refusals = 0  # for too many requests, in a row
        self._open_seconds = OPEN_SECONDS  # the next time
        self._is_trial = False  # whether a call is finding out if the service works again

    @property
    def state(self) -> State:
        """The state, which is `ok` again as soon as its time is over."""
        return self._state if self.until else "ok"

    @property
    def until(self) -> float | None:
        """When the state ends, in seconds since the epoch."""
        return self._until if self._until > self._clock.now() else None

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost with it."""
        return self._turns.is_idle and self.state == "ok" and not self._failures

    async def enter(self, context: CallContext) -> None:
        """
        Wait until a call may be sent.

        Raise `QuotaExhausted` or `CircuitOpen` in those states, and `RateLimited` if the time left is too short.
        """
        while True:
            while pause := self._check(context.time_left()):
                await self._clock.sleep(pause)
            with context.waiting():
                has_turn = await self._turns.take(context.order)
            if has_turn and self.state == "ok" and await self._has_shared_turn(context):
                break
        if self._failures >= MAX_FAILURES:
            self._is_trial = True
            self._until = self._clock.now() + TRIAL_SECONDS
        self._stats.calls += 1

    async def _has_shared_turn(self, context: CallContext) -> bool:
        """Wait for a turn among the calls of all processes; False if they know that the service does not work."""
        if self._shared is None:
            return True
        with context.waiting():
            standing, turn_at = await self._shared.enter(self._shared_key, self._interval)
            self._state, self._until, self._failures, self._refusals, self._open_seconds = standing
            if self.state != "ok":
                return False
            if (pause := turn_at - self._clock.now()) > 0:
                await self._clock.sleep(pause)
        return True

    def _standing(self) -> Standing:
        return Standing(self._state, self._until, self._failures, self._refusals, self._open_seconds)

    def _publish(self, before: Standing) -> None:
        if self._shared and (after := self._standing()) != before:
            self._shared.publish(self._shared_key, before, after)

    def withdraw(self) -> None:
        """Record that the call which was let through is not sent."""
        before = self._standing()
        self._stats.calls -= 1
        if self._is_trial:
            self._is_trial = False
            self._until = self._clock.now()  # the next call is the trial
        self._publish(before)

    def succeeded(self) -> None:
        """Record an answer with content."""
        before = self._standing()
        self._stats.hits += 1
        self._stats.last_success_at = self._clock.now()
        self._key.note(works=True)
        self._reached()
        self._publish(before)

    def failed(self, error: SourceFailed) -> None:
        """Record a failure, and what follows from it for the next calls."""
        before = self._standing()
        self._note_failure(error)
        self._publish(before)

    def _note_failure(self, error: SourceFailed) -> None:
        now = self._clock.now()
        if isinstance(error, NotFound | Pending):
            self._stats.last_success_at = now
            self._key.note(works=True)
        else:
            self._stats.errors += 1
            self._stats.last_error = str(error)
            self._stats.last_error_at = now
        if isinstance(error, Unauthorized):
            self._key.note(works=False)
        if isinstance(error, UpstreamError):
            self._failures += 1
            if self._failures >= MAX_FAILURES and (self.state == "ok" or self._is_trial):
                self._change("open", now + self._open_seconds)
                self._open_seconds = min(self._open_seconds * 2, MAX_OPEN_SECONDS)
        elif isinstance(error, QuotaExhausted):
            self._failures = 0
            self._change("quota_exhausted", error.until or now + QUOTA_SECONDS)
        elif isinstance(error, RateLimited):
            self._failures = 0
            self._limit(error, now)
        else:
            self._reached()

    def _reached(self) -> None:
        """Record that the service works."""
        self._failures = self._refusals = 0
        self._open_seconds = OPEN_SECONDS
        if self._is_trial or self.state == "ok":  # else the call was sent before the state began
            self._change("ok", 0.0)

    def _limit(self, error: RateLimited, now: float) -> None:
        """Send nothing until the service allows it."""
        state = self.state
        if state != "limited":  # else the call was sent before the first refusal
            self._refusals += 1
        pause = min(LIMITED_SECONDS * 2.0 ** (self._refusals - 1), MAX_LIMITED_SECONDS)
        if state != "quota_exhausted":
            self._change("limited", now + (pause if error.retry_after is None else error.retry_after))

    def _check(self, seconds_left: float) -> float:
        """Return the seconds until a call may be sent; raise if it may not, or not in time."""
        until = self.until
        if until is None:
            return 0.0
        if self._state == "quota_exhausted":
            raise QuotaExhausted(f"Its quota is exhausted until {isoformat_utc(until)}.", until=until)
        if self._state == "open":
            reason = f"It has failed {self._failures} times in a row, the last time with: {self._stats.last_error}"
            raise CircuitOpen(f"{reason} It is asked again at {isoformat_utc(until)}.")
        pause = until - self._clock.now()
        if pause > min(seconds_left, MAX_LIMITED_SECONDS):
            raise RateLimited(f"It allows the next request in {pause:.0f} seconds.", retry_after=pause)
        return max(pause, 0.001)

    def _change(self, state: State, until: float) -> None:
        """Enter a state, and log it unless the service is in it already."""
        self._is_trial = False
        if state != self._state:
            write = log.info if state == "ok" else log.warning
            write("source state", **self._fields, state=state, until=isoformat_utc(until or None))
        self._state, self._until = state, until
        if state != "ok":
            self._turns.dismiss()  # no call has to wait for its turn to find out
