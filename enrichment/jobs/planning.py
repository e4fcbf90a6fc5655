"""
What an enrichment would do, and what it would cost: nothing is asked, started or stored.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import schemas
from enrichment.clock import Clock, isoformat_utc
from enrichment.jobs.accounts import max_cost_reached, unknown_cost
from enrichment.jobs.model import JobOptions
from enrichment.jobs.protocols import Cache, Held
from enrichment.jobs.resolver import is_within
from enrichment.modules.module import Module, cache_key, is_source_key, module_of_key, source_key
from enrichment.modules.table import MODULES
from enrichment.sources import not_configured
from enrichment.sources.costs import FREE, MAX_ATTEMPTS, Ledger, PaidRequests, Price
from enrichment.sources.spending import money

DOMAINS_PER_READ: Final = 100
SECONDS_PER_TURN: Final = 0.002  # for which planning may hold the event loop
NO_INPUT: Final = "None of the answers that it is derived from is part of this job or in the cache."


class Outlook(NamedTuple):
    """
    What is known of a source beforehand.

    `services` bill its calls, the first one that is asked first; a free one is empty. `requests` has the paid requests
    of an answer by module, where there is not just one of its own. While it `is_refusing`, no call is sent.
    """

    services: Sequence[str] = ()
    requests: Mapping[str, PaidRequests] = {}
    state: schemas.SourceState = schemas.SourceState.OK
    until: float | None = None
    is_refusing: bool = False


class Outlay(NamedTuple):
    """An amount in millionths of the currency, and the names of the sources whose cost is not known."""

    amount: int = 0
    unknown: frozenset[str] = frozenset()

    def plus(self, other: "Outlay") -> "Outlay":
        """The sum."""
        return Outlay(self.amount + other.amount, self.unknown | other.unknown)

    @property
    def known(self) -> float | None:
        """The amount in the currency, as far as it is known; None if nothing of it is."""
        return None if self.unknown and not self.amount else money(self.amount)


class DomainPlan(NamedTuple):
    """The plan for one domain, and what it costs: if the first source of each module answers, and at most."""

    domain: str
    modules: tuple[schemas.PlannedModule, ...]
    expected: Outlay
    worst: Outlay

    @classmethod
    def empty(cls, domain: str) -> "DomainPlan":
        """The plan for a domain for which nothing is done."""
        return cls(domain, (), Outlay(), Outlay())

    def count(self, action: str) -> int:
        """How many modules come to this."""
        return sum(module.action == action for module in self.modules)


class Candidate(NamedTuple):
    """A configured source of a module: the paid requests that it makes, their price, and why it would not be asked."""

    name: str
    requests: PaidRequests
    price: Price
    worst: Outlay
    outlook: Outlook
    reason: str | None

    def expected(self, done: Collection[tuple[str, str]]) -> Outlay:
        """What it costs if it answers at once; requests that were made for this company before are not repeated."""
        new = [request for request in self.requests.names if (self.name, request) not in done]
        return _cost(self.name, self.price, len(new))


class Planner:
    """Makes plans from the cache, the prices, and the present state of the sources."""

    def __init__(
        self,
        *,
        cache: Cache,
        sources: Collection[str],
        ledger: Ledger,
        outlook: Callable[[str], Outlook],
        clock: Clock,
        currency: str,
    ) -> None:
        self._cache = cache
        self._sources = sources
        self._ledger = ledger
        self._outlook = outlook
        self._clock = clock
        self._currency = currency

    async def plan(self, domains: Sequence[str], options: JobOptions, *, owner: str = "job") -> list[DomainPlan]:
        """The plans for these domains, in their order, within the `max_cost` of all of them together."""
        run = _Plan(self, options, owner)
        plans: list[DomainPlan] = []
        keys = [cache_key(module, options.profile) for module in MODULES.values()]
        asked = [MODULES[module_id] for module_id in options.modules]
        keys += [source_key(module, name) for module in asked for name in module.chain if name in self._sources]
        began = time.perf_counter()
        for first in range(0, len(domains), DOMAINS_PER_READ):
            chunk = domains[first : first + DOMAINS_PER_READ]
            held = await self._cache.list_held(chunk, keys)
            for domain in chunk:
                plans.append(run.domain(domain, held[domain], self._clock.now()))
                if time.perf_counter() - began > SECONDS_PER_TURN:
                    await asyncio.sleep(0)
                    began = time.perf_counter()
        return plans

    def candidates(self, module: Module, owner: str, max_cost: int | None) -> tuple[Candidate, ...]:
        """The configured sources of a module, in the order of its chain."""
        return tuple(self._candidate(name, module, owner, max_cost) for name in module.chain if name in self._sources)

    def stop_reason(self, owner: str, max_cost: int, source: str, amount: int) -> str:
        """Why no call is made any more."""
        return max_cost_reached(owner, max_cost, source, amount, self._currency)

    def _candidate(self, name: str, module: Module, owner: str, max_cost: int | None) -> Candidate:
        outlook = self._outlook(name)
        requests = outlook.requests.get(module.id, PaidRequests((module.id,)))
        prices = [self._ledger.prices.get(service, FREE) for service in outlook.services] or [FREE]
        payable = [price for price in prices if max_cost is None or price.amount is not None]
        most = (len(requests.names) + requests.more) * MAX_ATTEMPTS
        reason = None
        if outlook.is_refusing:
            reason = f"It is not asked before {isoformat_utc(outlook.until)}: its state is {outlook.state}."
        elif not payable:
            reason = unknown_cost(owner)
        return Candidate(
            name=name,
            requests=requests,
            price=payable[0] if payable else FREE,
            worst=sum_of(_cost(name, price, most) for price in payable),
            outlook=outlook,
            reason=reason,
        )


class _Plan:
    """A plan that is being made: the candidates by module, and what is left of `max_cost`."""

    def __init__(self, planner: Planner, options: JobOptions, owner: str) -> None:
        self._planner = planner
        self._options = options
        self._owner = owner
        self._max_cost = options.terms.max_cost
        self._left = math.inf if self._max_cost is None else self._max_cost
        self._candidates = {
            module_id: planner.candidates(MODULES[module_id], owner, self._max_cost) for module_id in options.modules
        }

    def domain(self, domain: str, found: Mapping[str, Held], now: float) -> DomainPlan:
        """The plan for one domain, with what the cache holds by its keys."""
        held = {module_of_key(key): finding for key, finding in found.items() if not is_source_key(key)}
        stopped: str | None = None
        times = dict(self._times_elsewhere(held, now))
        done: set[tuple[str, str]] = set()
        expected = worst = Outlay()
        modules = []
        for module_id in self._options.modules:
            module = MODULES[module_id]
            planned, costs = self._cached(module, held.get(module_id), times, now), (Outlay(), Outlay())
            if planned is None and stopped:
                planned = _skipped(module_id, stopped)
            elif planned is None:
                planned, costs, stopped = self._asked(module, self._informed(module, found, now), times, done)
            if planned.action == "asked":
                times[module_id] = None
            elif planned.action == "cached" and not planned.unknown:
                times[module_id] = held[module_id].fetched_at
            modules.append(planned)
            expected, worst = expected.plus(costs[0]), worst.plus(costs[1])
        return DomainPlan(domain, tuple(modules), expected, worst)

    def _times_elsewhere(self, held: Mapping[str, Held], now: float) -> Iterator[tuple[str, float | None]]:
        """The times of answers in the cache that modules of this job may be derived from without its asking them."""
        for module_id, finding in held.items():
            max_age = self._options.terms.age_allowed(module_id)
            is_usable = not finding.unknown and is_within(finding.fetched_at, max_age, now)
            if is_usable and module_id not in self._options.modules:
                yield module_id, finding.fetched_at

    def _cached(
        self, module: Module, held: Held | None, times: Mapping[str, float | None], now: float
    ) -> schemas.PlannedModule | None:
        """The module, if it would be answered from the cache."""
        based_on = tuple((need, times[need]) for need in module.needs if need in times)
        if held is None or held.based_on != based_on or not self._is_usable(module, held, now):
            return None
        return schemas.PlannedModule(
            module_id=module.id,
            action="cached",
            reason=held.unknown or None,
            age_seconds=max(0, int(now - held.fetched_at)),
            unknown=bool(held.unknown),
            sources=(),
            expected_cost=0.0,
            worst_cost=0.0,
        )

    def _is_usable(self, module: Module, held: Held, now: float) -> bool:
        """Whether the job would use this for one of its modules."""
        return not self._options.force and is_within(held.fetched_at, self._options.terms.age_allowed(module.id), now)

    def _informed(self, module: Module, found: Mapping[str, Held], now: float) -> tuple[Candidate, ...]:
        """The sources of a module. Those that are known not to know the company are not asked, and say why."""
        candidates = []
        for candidate in self._candidates[module.id]:
            held = found.get(source_key(module, candidate.name))
            is_unknown = held and self._is_usable(module, held, now)
            candidates.append(candidate._replace(reason=held.unknown) if held and is_unknown else candidate)
        return tuple(candidates)

    def _asked(
        self,
        module: Module,
        candidates: Sequence[Candidate],
        times: Mapping[str, float | None],
        done: set[tuple[str, str]],
    ) -> tuple[schemas.PlannedModule, tuple[Outlay, Outlay], str | None]:
        """The module if sources would be asked, its expected and its worst cost, and why the job stops here if so."""
        free = (Outlay(), Outlay())
        usable = [candidate for candidate in candidates if candidate.reason is None]
        sources = tuple(_planned_source(candidate, done) for candidate in candidates)
        if not candidates:
            return _skipped(module.id, not_configured(module)), free, None
        if module.needs and not any(need in times for need in module.needs):
            return _skipped(module.id, NO_INPUT), free, None
        if not usable:
            reasons = "; ".join(f"{candidate.name}: {candidate.reason}" for candidate in candidates)
            return _skipped(module.id, reasons, sources), free, None
        first = usable[0]
        expected, reason = first.expected(done), None
        if self._max_cost is not None and first.price.amount and expected.amount > self._left:
            affordable = int(self._left) // first.price.amount
            expected = Outlay(affordable * first.price.amount)
            reason = self._planner.stop_reason(self._owner, self._max_cost, first.name, first.price.amount)
            if not affordable:
                return _skipped(module.id, reason, sources), free, reason
        self._left -= expected.amount
        done.update((first.name, request) for request in first.requests.names)
        worst = sum_of(candidate.worst for candidate in usable)
        module_plan = schemas.PlannedModule(
            module_id=module.id,
            action="asked",
            reason=reason,
            age_seconds=None,
            unknown=False,
            sources=sources,
            expected_cost=expected.known,
            worst_cost=worst.known,
        )
        return module_plan, (expected, worst), reason


def sum_of(outlays: Iterable[Outlay]) -> Outlay:
    """The sum."""
    result = Outlay()
    for outlay in outlays:
        result = result.plus(outlay)
    return result


def _cost(source: str, price: Price, requests: int) -> Outlay:
    if price.amount is None:
        return Outlay(unknown=frozenset({source} if requests else ()))
    return Outlay(price.amount * requests)


def _skipped(module_id: str, reason: str, sources: tuple[schemas.PlannedSource, ...] = ()) -> schemas.PlannedModule:
    return schemas.PlannedModule(
        module_id=module_id,
        action="skipped",
        reason=reason,
        age_seconds=None,
        unknown=False,
        sources=sources,
        expected_cost=0.0,
        worst_cost=0.0,
    )


def _planned_source(candidate: Candidate, done: Collection[tuple[str, str]]) -> schemas.PlannedSource:
    is_asked = candidate.reason is None
    return schemas.PlannedSource(
        source=candidate.name,
        asked=is_asked,
        reason=candidate.reason,
        state=candidate.outlook.state,
        until=isoformat_utc(candidate.outlook.until),
        expected_cost=candidate.expected(done).known if is_asked else 0.0,
        worst_cost=candidate.worst.known if is_asked else 0.0,
    )
