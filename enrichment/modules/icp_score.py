"""
How well a company fits the ideal customer: a larger one that lives by its website, can pay for a better one, and has a
reason to want it now.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from enrichment.errors import InsufficientInput
from enrichment.modules.answers import (
    CompanyContext,
    ExecQuotes,
    Financials,
    HiringSignals,
    TechStack,
    Traffic,
    TriggerEvents,
)
from enrichment.modules.case_study_match import CaseStudyMatch, Missing, any_simulated, known, why_missing, words
from enrichment.modules.module import Answer, Subject

Tier = Literal["A", "B", "C", "D", "unrated"]
Bands = tuple[tuple[float, int], ...]

MIN_COVERAGE: Final = 0.4  # of all points; who is judged by less gets no tier
TIERS: Final[tuple[tuple[int, Tier], ...]] = ((75, "A"), (55, "B"), (35, "C"), (0, "D"))
GUESS: Final = 0.5  # how far an estimate, or not having found anything, is relied on

# How many points there are from which value on; the last row is for everybody else.
# fmt: off
EMPLOYEES: Final[Bands]     = ((1_000, 12), (200, 9), (50, 5), (0, 1))
REVENUE: Final[Bands]       = ((1_000_000_000, 12), (100_000_000, 9), (10_000_000, 5), (0, 1))  # US dollars a year
GROWTH: Final[Bands]        = ((10, 8), (3, 6), (0, 4), (-5, 2), (-math.inf, 0))                # percent a year
VISITS: Final[Bands]        = ((5_000_000, 12), (500_000, 9), (50_000, 5), (5_000, 2), (0, 0))  # a month
PAGES: Final[Bands]         = ((4, 4), (3, 3), (2, 2), (0, 1))                                  # per visit
STAYING: Final[Bands]       = ((60, 4), (50, 3), (40, 2), (0, 0))                               # percent of visits
MARGIN: Final[Bands]        = ((10, 6), (5, 4), (0, 2), (-math.inf, 0))                         # percent of revenue
DIGITAL_ROLES: Final[Bands] = ((50, 4), (10, 3), (1, 2), (0, 0))
PRIORITIES: Final[Bands]    = ((2, 4), (1, 2), (0, 0))
FIT: Final[Bands]           = ((70, 6), (50, 4), (25, 2), (0, 0))                               # points of a case study

# How many points there are for what; of a technology, for what is part of its category's name.
REPLACEABLE: Final  = {"search": 12, "cms": 9, "content management": 9, "personali": 8, "commerce": 7}
COMMERCE: Final     = {"commerce": 6, "shop": 6, "payment": 4}
TREND: Final        = {"growing": 4, "steady": 2, "slowing": 1}
IMPACT: Final       = {"high": 3, "medium": 2, "low": 1}
MAX_IMPACT: Final   = 6  # of all events together

# The words that tell a department that works on the website, and a topic that the website is part of.
DIGITAL: Final = frozenset({"engineering", "product", "data", "marketing", "digital", "ecommerce", "it", "technology"})
TOPICS: Final  = frozenset({"digital", "online", "customer", "personalization", "artificial", "automation", "loyalty",
                            "experience", "platform"})

# Near enough to tell one band from the next, so no rates of the day are needed.
DOLLARS: Final = {"USD": 1.0, "EUR": 1.1, "GBP": 1.3, "CHF": 1.15, "CAD": 0.72, "AUD": 0.66, "SGD": 0.75, "CNY": 0.14,
                  "JPY": 0.0067, "INR": 0.012, "SEK": 0.1, "NOK": 0.1, "DKK": 0.15, "BRL": 0.18, "MXN": 0.055}
VISITS_OF_FIRST: Final = 60_000_000_000  # a month; divided by a site's rank in the world, about its visits
# fmt: on


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule made of one module's answer; a rule that was not `judged` takes no part in the score."""

    rule: str
    source: str
    input: str | None
    points: int
    max_points: int
    judged: bool
    reason: str


class IcpScore(Answer, frozen=True, kw_only=True):
    """
    The points of all rules that could be judged, as a percentage of what those could give.

    `coverage` is the share of all points that could be judged, from 0 to 1; `confidence` is the same, but counts for
    less what was estimated. `missing` says why the other rules could not be judged.
    """

    score: int
    tier: Tier
    coverage: float
    confidence: float
    rules: tuple[Judgement, ...]
    missing: tuple[Missing, ...]


class Verdict(NamedTuple):
    """What a rule looked at, the points it gives, why, and how far that is to be relied on, from 0 to 1."""

    input: str
    points: int
    reason: str
    certainty: float = 1


def size(context: CompanyContext) -> Verdict | None:
    """More people, more to gain."""
    return _band(context.employees, EMPLOYEES, "{:,} employees")


def revenue(financials: Financials) -> Verdict | None:
    """In dollars, whatever it was in."""
    rate = DOLLARS.get(financials.currency or "")
    if rate is None or financials.revenue is None:
        return None
    return _band(financials.revenue * rate, REVENUE, "about {:,.0f} US dollars a year", _certainty(financials))


def growth(financials: Financials) -> Verdict | None:
    """Who grows, invests."""
    return _band(financials.revenue_growth_percent, GROWTH, "revenue {:+} % a year", _certainty(financials))


def margin(financials: Financials) -> Verdict | None:
    """What is left to invest."""
    if financials.operating_margin_percent is None:
        return _band(financials.net_margin_percent, MARGIN, "net margin {} %")
    return _band(financials.operating_margin_percent, MARGIN, "operating margin {} %")


def visits(traffic: Traffic) -> Verdict | None:
    """By the rank in the world if that is all that is known."""
    if traffic.monthly_visits is None and traffic.global_rank:
        about = VISITS_OF_FIRST / traffic.global_rank
        return _band(about, VISITS, f"rank {traffic.global_rank:,}, so about {{:,.0f}} visits a month", GUESS)
    return _band(traffic.monthly_visits, VISITS, "{:,} visits a month")


def depth(traffic: Traffic) -> Verdict | None:
    """Who looks at many pages, looks for something."""
    return _band(traffic.pages_per_visit, PAGES, "{} pages per visit")


def staying(traffic: Traffic) -> Verdict | None:
    """The visits that do not end where they began."""
    return _band(
        None if traffic.bounce_rate is None else 100 - traffic.bounce_rate, STAYING, "{:.1f} % of visits go on"
    )


def replaceable(stack: TechStack) -> Verdict | None:
    """The product in use that is worth most to replace."""
    return _category(stack, REPLACEABLE, "a product that could be replaced")


def commerce(stack: TechStack) -> Verdict | None:
    """Who sells online, loses money by a poor website."""
    return _category(stack, COMMERCE, "a shop")


def hiring(signals: HiringSignals) -> Verdict | None:
    """Who hires more people, spends more money."""
    if signals.trend is None:
        return None
    return Verdict(
        f"{signals.trend} number of open roles", TREND[signals.trend], f"Points of that trend: {TREND[signals.trend]}."
    )


def digital_roles(signals: HiringSignals) -> Verdict | None:
    """People looked for who would work on the website."""
    departments = signals.roles_by_department
    if not departments and signals.open_roles != 0:
        return None
    roles = sum(row.open_roles for row in departments if DIGITAL.intersection(words(row.department)))
    return _band(roles, DIGITAL_ROLES, "{:,} open roles that have to do with the website")


def events(triggers: TriggerEvents) -> Verdict | None:
    """Change makes room for change. To have found no event is not to know that there was none."""
    told = ", ".join(f"{event.type} ({event.impact})" for event in triggers.events)
    points = sum(IMPACT.get(event.impact or "", 0) for event in triggers.events)
    reason = f"Points by impact, up to {MAX_IMPACT} in all: 3 for high, 2 for medium, 1 for low."
    return Verdict(told or "no events found", min(points, MAX_IMPACT), reason, 1 if told else GUESS)


def priorities(quotes: ExecQuotes) -> Verdict | None:
    """What executives speak of, money is spent on."""
    if not quotes.themes:
        return None
    fitting = [theme for theme in quotes.themes if TOPICS.intersection(words(theme))]
    points, reason = _points(len(fitting), PRIORITIES)
    return Verdict(f"{len(fitting)} of the topics {', '.join(quotes.themes)}", points, reason)


def case_study(match: CaseStudyMatch) -> Verdict | None:
    """Whoever resembles a customer may become one."""
    if not match.considered:
        return None
    best = match.matches[0].score if match.matches else 0
    return _band(best, FIT, "{} points of 100 for the best case study", match.confidence)


class Rule(NamedTuple):
    """A thing to judge, by what one module answered; `wants` names what must be known for it."""

    name: str
    module: str
    kind: type[Answer]
    max_points: int
    judge: Callable[[Any], Verdict | None]
    wants: str


# fmt: off
RULES: Final = (
    Rule("company size",         "m01_company_context",   CompanyContext, 12, size,          "the number of employees"),
    Rule("revenue",              "m07_financials",        Financials,     12, revenue,       "revenue in a currency"),
    Rule("growth",               "m07_financials",        Financials,      8, growth,        "revenue's growth"),
    Rule("financial health",     "m07_financials",        Financials,      6, margin,        "a margin"),
    Rule("online traffic",       "m03_traffic",           Traffic,        12, visits,        "visits or a rank"),
    Rule("depth of visits",      "m03_traffic",           Traffic,         4, depth,         "pages per visit"),
    Rule("visitors who stay",    "m03_traffic",           Traffic,         4, staying,       "the bounce rate"),
    Rule("replaceable product",  "m02_tech_stack",        TechStack,      12, replaceable,   "any technology"),
    Rule("commerce platform",    "m02_tech_stack",        TechStack,       6, commerce,      "any technology"),
    Rule("hiring",               "m10_hiring_signals",    HiringSignals,   4, hiring,        "the trend of open roles"),
    Rule("digital roles",        "m10_hiring_signals",    HiringSignals,   4, digital_roles, "the departments' roles"),
    Rule("trigger events",       "m12_trigger_events",    TriggerEvents,   6, events,        "any list of events"),
    Rule("executive priorities", "m11_exec_quotes",       ExecQuotes,      4, priorities,    "any topic"),
    Rule("case studies",         "m13_case_study_match",  CaseStudyMatch,  6, case_study,    "how stories compare"),
)
# fmt: on


def derive(subject: Subject) -> IcpScore:
    """Judge what can be judged; what is not known counts neither for the company nor against it."""
    rules: list[Judgement] = []
    missing: list[Missing] = []
    sure = 0.0
    for rule in RULES:
        answer = known(subject, rule.module, rule.kind)
        verdict = rule.judge(answer) if answer else None
        if verdict:
            sure += rule.max_points * verdict.certainty
        else:
            why = f"It does not tell {rule.wants}." if answer else why_missing(subject, rule.module)
            missing.append(Missing(module=rule.module, why=why))
        rules.append(
            Judgement(
                rule=rule.name,
                source=rule.module,
                input=verdict.input if verdict else None,
                points=verdict.points if verdict else 0,
                max_points=rule.max_points,
                judged=verdict is not None,
                reason=verdict.reason if verdict else f"Not judged. {why}",
            )
        )
    gaps = tuple(dict.fromkeys(missing))
    possible = sum(rule.max_points for rule in rules if rule.judged)
    if not possible:
        raise InsufficientInput(f"No rule can be judged. {' '.join(f'{gap.module}: {gap.why}' for gap in gaps)}")
    score = round(100 * sum(rule.points for rule in rules) / possible)
    coverage = possible / 100
    return IcpScore(
        simulated=any_simulated(subject, (rule.module for rule in RULES)),
        score=score,
        tier=next(tier for floor, tier in TIERS if score >= floor) if coverage >= MIN_COVERAGE else "unrated",
        coverage=coverage,
        confidence=round(sure / 100, 2),
        rules=tuple(rules),
        missing=gaps,
    )


def _band(value: float | None, bands: Bands, told: str, certainty: float = 1) -> Verdict | None:
    """What a number is worth; `told` has a place for it."""
    return None if value is None else Verdict(told.format(value), *_points(value, bands), certainty)


def _points(value: float, bands: Bands) -> tuple[int, str]:
    """The points of the row that the value belongs to, and why it does."""
    for floor, points in bands[:-1]:
        if value >= floor:
            return points, f"Points from {floor:,} on: {points}."
    below, points = bands[-2][0], bands[-1][1]
    return points, f"Points below {below:,}: {points}."


def _category(stack: TechStack, worth: Mapping[str, int], wanted: str) -> Verdict | None:
    """The technology whose category is worth most; no site runs on nothing, so an empty list tells nothing."""
    if not stack.technologies:
        return None
    found = [
        (points, technology)
        for technology in stack.technologies
        for part, points in worth.items()
        if part in " ".join(words(technology.category))
    ]
    if not found:
        return Verdict(f"{len(stack.technologies)} technologies", 0, f"None of them is {wanted}.")
    points, best = max(found, key=lambda row: row[0])
    return Verdict(
        f"{best.name} ({best.category})", points, f"Points for {wanted}, the best of what was seen: {points}."
    )


def _certainty(financials: Financials) -> float:
    return GUESS if financials.basis == "estimated" else 1
