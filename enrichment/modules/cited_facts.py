"""
What other modules have found, as short facts with ids, for texts that have to cite what they say.

The number of facts and the length of each are limited, whatever the answers hold.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from enrichment.modules.answers import (
    CompanyContext,
    Competitors,
    ExecQuotes,
    Financials,
    HiringSignals,
    TechStack,
    Traffic,
    TriggerEvents,
)
from enrichment.modules.displacement import CitedFact
from enrichment.modules.evidence import answer_of
from enrichment.modules.module import Answer, Subject
from enrichment.modules.playbook import find_product

MAX_FACTS: Final = 60
MAX_FACT: Final = 300
"Characters of a fact."
MAX_TECHNOLOGIES: Final = 20
MAX_LISTED: Final = 5
"Competitors, departments and events."
MAX_QUOTES: Final = 3
NAME_LABEL: Final = "Company: "
"What the fact begins with that is the company's name."
SCALES: Final = ((1_000_000_000, "billion"), (1_000_000, "million"))


def facts_of(subject: Subject) -> tuple[CitedFact, ...]:
    """Return the facts, with the ids `e1`, `e2` and so on."""
    found = (
        (module_id, fact)
        for module_id, shape, read in READERS
        if (answer := answer_of(subject, module_id, shape))
        for fact in read(answer)
    )
    return tuple(
        CitedFact(id=f"e{number}", module=module_id, fact=_short(fact))
        for number, (module_id, fact) in enumerate(islice(found, MAX_FACTS), start=1)
    )


def _company(context: CompanyContext) -> Iterator[str]:
    yield from _present(NAME_LABEL + "{}", context.company_name)
    yield from _present("Industry: {}", context.industry)
    yield from _present("Employees: {:,}", context.employees)
    yield from _present("Headquarters: {}", context.hq)


def _technologies(stack: TechStack) -> Iterator[str]:
    replaceable_first = sorted(stack.technologies, key=lambda technology: find_product(technology.name) is None)
    for technology in replaceable_first[:MAX_TECHNOLOGIES]:
        yield f"Its website uses {technology.name} ({technology.category})"


def _traffic(traffic: Traffic) -> Iterator[str]:
    yield from _present("Visits a month: {}", traffic.monthly_visits and _amount(traffic.monthly_visits))
    yield from _present("Visits {:+} % in a month", traffic.month_over_month_growth_percent)
    yield from _present("Bounce rate {} %", traffic.bounce_rate)


def _competitors(competitors: Competitors) -> Iterator[str]:
    if names := [each.domain for each in competitors.competitors[:MAX_LISTED]]:
        yield f"Websites similar to its own: {', '.join(names)}"


def _financials(financials: Financials) -> Iterator[str]:
    if financials.revenue is not None:
        year = f" in fiscal year {financials.fiscal_year}" if financials.fiscal_year else ""
        kind = " (estimated)" if financials.basis == "estimated" else ""
        yield f"Revenue {_amount(financials.revenue)} {financials.currency or ''}{year}{kind}"
    yield from _present("Revenue {:+} % a year", financials.revenue_growth_percent)
    yield from _present("Operating margin {} %", financials.operating_margin_percent)


def _hiring(hiring: HiringSignals) -> Iterator[str]:
    yield from _present("Open roles: {:,}", hiring.open_roles)
    for row in hiring.roles_by_department[:MAX_LISTED]:
        yield f"Open roles in {row.department}: {row.open_roles:,}"
    if hiring.technologies_mentioned:
        yield f"Job postings mention {', '.join(hiring.technologies_mentioned[:MAX_TECHNOLOGIES])}"
    yield from _present("Hiring trend: {}", hiring.trend)


def _quotes(answer: ExecQuotes) -> Iterator[str]:
    for quote in answer.quotes[:MAX_QUOTES]:
        role = f", {quote.speaker_title}," if quote.speaker_title else ""
        yield f'{quote.speaker}{role} said: "{quote.quote}"'
    if answer.themes:
        yield f"Executive themes: {', '.join(answer.themes[:MAX_LISTED])}"


def _events(triggers: TriggerEvents) -> Iterator[str]:
    for event in triggers.events[:MAX_LISTED]:
        yield f"{event.date}: {event.headline}"


READERS: Final[tuple[tuple[str, type[Answer], Callable[[Any], Iterator[str]]], ...]] = (
    ("m01_company_context", CompanyContext, _company),
    ("m02_tech_stack", TechStack, _technologies),
    ("m03_traffic", Traffic, _traffic),
    ("m05_competitors", Competitors, _competitors),
    ("m07_financials", Financials, _financials),
    ("m10_hiring_signals", HiringSignals, _hiring),
    ("m11_exec_quotes", ExecQuotes, _quotes),
    ("m12_trigger_events", TriggerEvents, _events),
)
"By module, the functions that read facts from an answer. What the caller has given is not in these."


def _present(pattern: str, value: object) -> Iterator[str]:
    """The fact, if there is a value."""
    if value is not None and value != "":
        yield pattern.format(value)


def _amount(value: int) -> str:
    """A number as people say it: `1.2 billion`, `350 million`, `84,000`."""
    for scale, name in SCALES:
        if abs(value) >= scale:
            return f"{round(value / scale, 1):g} {name}"
    return f"{value:,}"


def _short(fact: str) -> str:
    """A fact in one line, without control characters, cut if it is long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in fact[: 2 * MAX_FACT]).split())
    return line if len(line) <= MAX_FACT else line[: MAX_FACT - 1] + "…"
