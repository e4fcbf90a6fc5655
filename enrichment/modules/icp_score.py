"""
m14: how well a company matches the ideal customer: a larger one that depends on its website, can afford a better one,
and has a current reason to buy.
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

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
from enrichment.modules.case_study_match import CaseStudyMatch
from enrichment.modules.evidence import Missing, answer_of, any_simulated, why_missing, words
from enrichment.modules.module import Answer, Finding, Subject
from schemas import Measure, Method, Strength

Tier = Literal["A", "B", "C", "D", "unrated"]
Verdict = Literal["qualified", "undecided", "disqualified"]
ConditionState = Literal["met", "not_met", "unknown"]
Bands = tuple[tuple[float, int], ...]

MIN_COVERAGE: Final = 0.4  # of all points; with less data there is no tier
TIERS: Final[tuple[tuple[int, Tier], ...]] = ((75, "A"), (55, "B"), (35, "C"), (0, "D"))
ESTIMATE_CONFIDENCE: Final = 0.5  # for estimates, and for lists that are empty because nothing was found

# Rows of minimum value and points, in descending order; the last row holds for all lower values.
# fmt: off
EMPLOYEES: Final[Bands]     = ((1_000, 12), (200, 9), (50, 5), (0, 1))
REVENUE: Final[Bands]       = ((1_000_000_000, 12), (100_000_000, 9), (10_000_000, 5), (0, 1))  # US dollars a year
GROWTH: Final[Bands]        = ((10, 8), (3, 6), (0, 4), (-5, 2), (-math.inf, 0))                # percent a year
VISITS: Final[Bands]        = ((5_000_000, 12), (500_000, 9), (50_000, 5), (5_000, 2), (0, 0))  # a month
PAGES: Final[Bands]         = ((4, 4), (3, 3), (2, 2), (0, 1))                                  # per visit
ENGAGED: Final[Bands]       = ((60, 4), (50, 3), (40, 2), (0, 0))                               # percent of visits
MARGIN: Final[Bands]        = ((10, 6), (5, 4), (0, 2), (-math.inf, 0))                         # percent of revenue
DIGITAL_ROLES: Final[Bands] = ((50, 4), (10, 3), (1, 2), (0, 0))
THEMES: Final[Bands]        = ((2, 4), (1, 2), (0, 0))
CASE_STUDY: Final[Bands]    = ((70, 6), (50, 4), (25, 2), (0, 0))                               # score of a match

# Points by a part of the technology's category.
REPLACEABLE: Final  = {"search": 12, "cms": 9, "content management": 9, "personali": 8, "commerce": 7}
COMMERCE: Final     = {"commerce": 6, "shop": 6, "payment": 4}

TREND: Final        = {"growing": 4, "steady": 2, "slowing": 1}
IMPACT: Final       = {"high": 3, "medium": 2, "low": 1}
MAX_IMPACT: Final   = 6  # of all events together

# Words in the names of departments that work on the website, and in themes that concern it.
DIGITAL: Final = frozenset({"engineering", "product", "data", "marketing", "digital", "ecommerce", "it", "technology"})
TOPICS: Final  = frozenset({"digital", "online", "customer", "personalization", "artificial", "automation", "loyalty",
                            "experience", "platform"})

# US dollars per unit. Bands are wide, so approximate rates are enough.
DOLLARS: Final = {"USD": 1.0, "EUR": 1.1, "GBP": 1.3, "CHF": 1.15, "CAD": 0.72, "AUD": 0.66, "SGD": 0.75, "CNY": 0.14,
                  "JPY": 0.0067, "INR": 0.012, "SEK": 0.1, "NOK": 0.1, "DKK": 0.15, "BRL": 0.18, "MXN": 0.055}
VISITS_OF_RANK_1: Final = 60_000_000_000  # a month; divided by a site's global rank, it estimates the site's visits
# fmt: on


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one rule."""

    rule: Annotated[str, Meta(description="Name of the rule.")]
    source: Annotated[str, Meta(description="Id of the module whose answer it judges.")]
    input: Annotated[str | None, Meta(description="What was judged; unset without data.")]
    points: Annotated[int, Meta(ge=0, description="Number of points scored.")]
    max_points: Annotated[int, Meta(ge=0, description="Highest number of points that the rule gives.")]
    judged: Annotated[bool, Meta(description="Whether there was data; if not, the rule is left out of the score.")]
    reason: Annotated[str, Meta(description="Why the rule gives these points, or could not be judged.")]


class ConditionVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the company meets one condition of the profile, and the finding that says so."""

    condition: Annotated[str, Meta(description="Id of the condition in the profile.")]
    measure: Annotated[Measure, Meta(description="What is compared.")]
    wanted: Annotated[str, Meta(description="The condition in words, without its strength.")]
    strength: Annotated[Strength, Meta(description="Strength of the condition; one that `must_not` be met excludes.")]
    any_of: Annotated[int, Meta(description="Number of the group of alternatives that the condition belongs to.")]
    quote: Annotated[str, Meta(description="The passage of the profile that the condition was read from.")]
    state: Annotated[
        ConditionState,
        Meta(description="Whether the company has what the condition names; `unknown` is neither for nor against it."),
    ]
    found: Annotated[str | None, Meta(description="The value that was found, in words; null if none was.")]
    reason: Annotated[str, Meta(description="Why the condition is met or not, or what is missing to know it.")]
    module: Annotated[
        str | None,
        Meta(description="Id of the module whose answer was judged, or would be; null if no module can tell."),
    ]
    field: Annotated[str | None, Meta(description="Field of that module's answer; null if no module can tell.")]
    source: Annotated[str | None, Meta(description="Name of the source of the value; null without an answer.")] = None
    method: Annotated[Method | None, Meta(description="How the source obtained it; null without an answer.")] = None
    as_of: Annotated[
        str | None,
        Meta(
            description="Date of the value: when it was observed, or else fetched; null without an answer.",
            extra_json_schema={"format": "date-time"},
        ),
    ] = None
    age_days: Annotated[
        float | None, Meta(description="Age of the value when it was judged, in days; null without an answer.")
    ] = None
    run: Annotated[
        tuple[str, ...], Meta(description="Ids of the modules that have no result and would have to run to know.")
    ] = ()


class IcpScore(Answer, frozen=True, kw_only=True):
    """
    How well the company matches the ideal customer profile: that of the job, by its conditions, or else the general one
    of the service, by its rules.
    """

    score: Annotated[
        Annotated[int, Meta(ge=0, le=100)] | None,
        Meta(
            description="Points scored, in percent of those that could be judged; 0 for a company that is "
            "disqualified, null if no condition could be judged."
        ),
    ]
    tier: Annotated[Tier, Meta(description="The score as a grade: A from 75, B from 55, C from 35, D below.")]
    verdict: Annotated[
        Verdict | UnsetType,
        Meta(
            description="Whether the company is a lead: `disqualified` if a condition that must be met is not, or one "
            "that must not be met is; `qualified` if all that must be met and that a module can tell are; else "
            "`undecided`. Omitted without a profile."
        ),
    ] = UNSET
    explanation: Annotated[
        tuple[str, ...] | UnsetType,
        Meta(
            description="The verdict and the score in sentences, with what disqualifies first; omitted without a "
            "profile."
        ),
    ] = UNSET
    conditions: Annotated[
        tuple[ConditionVerdict, ...] | UnsetType,
        Meta(description="The conditions of the profile, with those that disqualify first; omitted without a profile."),
    ] = UNSET
    coverage: Annotated[
        float, Meta(ge=0, le=1, description="Points that could be judged, as a share of all, from 0 to 1.")
    ]
    confidence: Annotated[
        float, Meta(ge=0, le=1, description="The coverage with estimates weighted less, from 0 to 1.")
    ]
    rules: Annotated[
        tuple[RuleResult, ...], Meta(description="The result of each rule; empty if conditions were judged.")
    ]
    missing: Annotated[tuple[Missing, ...], Meta(description="Why the other rules could not be judged.")]


class Fit(msgspec.Struct, frozen=True, gc=False):
    """What jobs are compared by: the part of an `IcpScore` without the details."""

    score: int | None = None
    tier: Tier = "unrated"
    verdict: Verdict | None = None
    coverage: float = 0.0

    @classmethod
    def of(cls, finding: Finding) -> Self | None:
        """Decode that part of a finding; None if it is no `IcpScore`, as that of a host's own source may be."""
        try:
            return msgspec.json.decode(finding.body, type=cls)
        except msgspec.ValidationError:
            return None


class Evaluation(NamedTuple):
    """A rule's input in words, the points for it and why, and the confidence in the input, from 0 to 1."""

    input: str
    points: int
    reason: str
    confidence: float = 1


def size(context: CompanyContext) -> Evaluation | None:
    """More employees score higher."""
    return _by_band(context.employees, EMPLOYEES, "{:,} employees")


def revenue(financials: Financials) -> Evaluation | None:
    """Higher revenue, converted to US dollars, scores higher."""
    rate = DOLLARS.get(financials.currency or "")
    if rate is None or financials.revenue is None:
        return None
    return _by_band(financials.revenue * rate, REVENUE, "about {:,.0f} US dollars a year", _confidence(financials))


def growth(financials: Financials) -> Evaluation | None:
    """Growing companies invest."""
    return _by_band(financials.revenue_growth_percent, GROWTH, "revenue growth {:+} % a year", _confidence(financials))


def margin(financials: Financials) -> Evaluation | None:
    """A higher margin leaves more to invest; the net margin stands in for an unknown operating margin."""
    if financials.operating_margin_percent is None:
        return _by_band(financials.net_margin_percent, MARGIN, "net margin {} %")
    return _by_band(financials.operating_margin_percent, MARGIN, "operating margin {} %")


def visits(traffic: Traffic) -> Evaluation | None:
    """More visits score higher; unknown visits are estimated from the global rank."""
    if traffic.monthly_visits is None and traffic.global_rank:
        estimate = VISITS_OF_RANK_1 / traffic.global_rank
        text = f"global rank {traffic.global_rank:,}, about {{:,.0f}} visits a month"
        return _by_band(estimate, VISITS, text, ESTIMATE_CONFIDENCE)
    return _by_band(traffic.monthly_visits, VISITS, "{:,} visits a month")


def pages(traffic: Traffic) -> Evaluation | None:
    """Visitors who view many pages are looking for something."""
    return _by_band(traffic.pages_per_visit, PAGES, "{} pages per visit")


def engagement(traffic: Traffic) -> Evaluation | None:
    """The visits that do not bounce."""
    if traffic.bounce_rate is None:
        return None
    return _by_band(100 - traffic.bounce_rate, ENGAGED, "{:.1f} % of visits go beyond the first page")


def incumbent(stack: TechStack) -> Evaluation | None:
    """The most valuable product to replace."""
    return _by_category(stack, REPLACEABLE, "a replaceable product")


def commerce(stack: TechStack) -> Evaluation | None:
    """Companies that sell online lose revenue to a poor website."""
    return _by_category(stack, COMMERCE, "a commerce product")


def hiring(signals: HiringSignals) -> Evaluation | None:
    """Companies that hire have a budget."""
    if signals.trend is None:
        return None
    points = TREND[signals.trend]
    return Evaluation(f"hiring trend: {signals.trend}", points, f"Points for this trend: {points}.")


def roles(signals: HiringSignals) -> Evaluation | None:
    """Open roles in the departments that work on the website."""
    departments = signals.roles_by_department
    if not departments and signals.open_roles != 0:
        return None
    open_roles = sum(row.open_roles for row in departments if DIGITAL.intersection(words(row.department)))
    return _by_band(open_roles, DIGITAL_ROLES, "{:,} open roles in website-related departments")


def events(triggers: TriggerEvents) -> Evaluation | None:
    """Events with more impact score higher. An empty list may only mean that no event was found."""
    listed = ", ".join(f"{event.type} ({event.impact or 'unknown'} impact)" for event in triggers.events)
    points = sum(IMPACT.get(event.impact or "", 0) for event in triggers.events)
    reason = f"Points per event by impact, {MAX_IMPACT} at most: 3 for high, 2 for medium, 1 for low."
    confidence = 1 if listed else ESTIMATE_CONFIDENCE
    return Evaluation(listed or "no events found", min(points, MAX_IMPACT), reason, confidence)


def themes(quotes: ExecQuotes) -> Evaluation | None:
    """Executives' themes indicate where a company spends."""
    if not quotes.themes:
        return None
    related = [theme for theme in quotes.themes if TOPICS.intersection(words(theme))]
    points, reason = _points(len(related), THEMES)
    return Evaluation(f"{len(related)} website-related themes among {', '.join(quotes.themes)}", points, reason)


def case_study(match: CaseStudyMatch) -> Evaluation | None:
    """Companies that resemble a customer are more likely to become one."""
    if not match.considered:
        return None
    best = match.matches[0].score if match.matches else 0
    return _by_band(best, CASE_STUDY, "{} of 100 for the best case study", match.confidence)


class Rule(NamedTuple):
    """A rule over one module's answer; `requires` names the data that it needs."""

    name: str
    module: str
    shape: type[Answer]
    max_points: int
    evaluate: Callable[[Any], Evaluation | None]
    requires: str


# fmt: off
RULES: Final = (
    Rule("company size",         "m01_company_context",  CompanyContext, 12, size,       "employees"),
    Rule("revenue",              "m07_financials",       Financials,     12, revenue,    "revenue in a known currency"),
    Rule("growth",               "m07_financials",       Financials,      8, growth,     "revenue growth"),
    Rule("financial health",     "m07_financials",       Financials,      6, margin,     "a margin"),
    Rule("online traffic",       "m03_traffic",          Traffic,        12, visits,     "visits or a global rank"),
    Rule("depth of visits",      "m03_traffic",          Traffic,         4, pages,      "pages per visit"),
    Rule("visitors who stay",    "m03_traffic",          Traffic,         4, engagement, "a bounce rate"),
    Rule("replaceable product",  "m02_tech_stack",       TechStack,      12, incumbent,  "technologies"),
    Rule("commerce platform",    "m02_tech_stack",       TechStack,       6, commerce,   "technologies"),
    Rule("hiring",               "m10_hiring_signals",   HiringSignals,   4, hiring,     "a hiring trend"),
    Rule("digital roles",        "m10_hiring_signals",   HiringSignals,   4, roles,      "open roles by department"),
    Rule("trigger events",       "m12_trigger_events",   TriggerEvents,   6, events,     "events"),
    Rule("executive priorities", "m11_exec_quotes",      ExecQuotes,      4, themes,     "themes"),
    Rule("case studies",         "m13_case_study_match", CaseStudyMatch,  6, case_study, "case studies"),
)
# fmt: on


def derive(subject: Subject) -> IcpScore:
    """Apply the rules for which there is data; missing data counts neither for nor against the company."""
    results: list[RuleResult] = []
    missing: list[Missing] = []
    confident_points = 0.0
    for rule in RULES:
        answer = answer_of(subject, rule.module, rule.shape)
        evaluation = rule.evaluate(answer) if answer else None
        if evaluation:
            confident_points += rule.max_points * evaluation.confidence
        else:
            why = f"It does not report {rule.requires}." if answer else why_missing(subject, rule.module)
            missing.append(Missing(module=rule.module, why=why))
        results.append(
            RuleResult(
                rule=rule.name,
                source=rule.module,
                input=evaluation.input if evaluation else None,
                points=evaluation.points if evaluation else 0,
                max_points=rule.max_points,
                judged=evaluation is not None,
                reason=evaluation.reason if evaluation else f"Not judged. {why}",
            )
        )
    gaps = tuple(dict.fromkeys(missing))
    possible_points = sum(result.max_points for result in results if result.judged)
    if not possible_points:
        raise InsufficientInput(f"No rule can be judged. {' '.join(f'{gap.module}: {gap.why}' for gap in gaps)}")
    score = round(100 * sum(result.points for result in results) / possible_points)
    coverage = possible_points / 100
    return IcpScore(
        simulated=any_simulated(subject, (rule.module for rule in RULES)),
        score=score,
        tier=tier_of(score, coverage),
        coverage=coverage,
        confidence=round(confident_points / 100, 2),
        rules=tuple(results),
        missing=gaps,
    )


def tier_of(score: int, coverage: float) -> Tier:
    """Return the grade of a score; there is none if too little could be judged."""
    return next(tier for floor, tier in TIERS if score >= floor) if coverage >= MIN_COVERAGE else "unrated"


def _by_band(value: float | None, bands: Bands, text: str, confidence: float = 1) -> Evaluation | None:
    """Evaluate a number; `text` is its format."""
    return None if value is None else Evaluation(text.format(value), *_points(value, bands), confidence)


def _points(value: float, bands: Bands) -> tuple[int, str]:
    """Return the points for a number, and the reason."""
    for floor, points in bands[:-1]:
        if value >= floor:
            return points, f"Points for {floor:,} or more: {points}."
    floor, points = bands[-2][0], bands[-1][1]
    return points, f"Points for less than {floor:,}: {points}."


def _by_category(stack: TechStack, points_of: Mapping[str, int], wanted: str) -> Evaluation | None:
    """Evaluate the technology with the most points. Every site uses some, so an empty list means missing data."""
    if not stack.technologies:
        return None
    found = [
        (points, technology)
        for technology in stack.technologies
        for part, points in points_of.items()
        if part in " ".join(words(technology.category))
    ]
    if not found:
        return Evaluation(f"{len(stack.technologies)} technologies", 0, f"None of them is {wanted}.")
    points, best = max(found, key=lambda row: row[0])
    return Evaluation(f"{best.name} ({best.category})", points, f"Points for {wanted}: {points}.")


def _confidence(financials: Financials) -> float:
    return ESTIMATE_CONFIDENCE if financials.basis == "estimated" else 1
