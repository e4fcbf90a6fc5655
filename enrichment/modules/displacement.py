"""
m15: which product in use could be replaced, and the case for replacing it.
"""

import math
from collections.abc import Callable
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

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
from enrichment.modules.evidence import answer_of, any_simulated, interests, why_missing, words
from enrichment.modules.icp_score import IcpScore
from enrichment.modules.module import Answer, Subject
from enrichment.modules.playbook import CATEGORIES, EVENT_POINTS, PLAYBOOK, Product, ProductCategory, find_product

LeadPriority = Literal["high", "medium", "low"]

USED: Final = (
    "m01_company_context",
    "m02_tech_stack",
    "m03_traffic",
    "m07_financials",
    "m10_hiring_signals",
    "m11_exec_quotes",
    "m12_trigger_events",
    "m14_icp_scoring",
)
PRIORITY_OF_TIER: Final[dict[str, LeadPriority]] = {"A": "high", "B": "medium", "C": "low", "D": "low"}
IMPACT_ORDER: Final = {"high": 0, "medium": 1, "low": 2}
MAX_EVENTS: Final = 3

# The parts of the confidence. Their sum stays below 1, as rules over public data are never certain.
PRODUCT_DETECTED: Final = 0.35
NO_PRODUCT_DETECTED: Final = 0.1
PER_MODULE: Final = 0.07  # for each of the five modules with a signal
WITH_SCORE: Final = 0.15  # times the confidence of m14
RIVAL_PENALTY: Final = 0.1  # if several products of the category were detected, as it is unclear which is the main one
MAX_WITHOUT_PRODUCT: Final = 0.3


class Incumbent(msgspec.Struct, frozen=True, kw_only=True):
    """The product to replace."""

    name: Annotated[str, Meta(description="Name under which m02 detected the product.")]
    category: Annotated[str, Meta(description="Category of the product, as m02 gives it.")]


class BuyingSignal(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to contact the company now."""

    signal: Annotated[str, Meta(description="Kind of signal, such as `revenue_growing` or a type of event.")]
    module: Annotated[str, Meta(description="Id of the module that found it.")]
    detail: Annotated[str, Meta(description="The fact that is the signal.")]


class CitedFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that talking points cite."""

    id: Annotated[str, Meta(description="Id by which talking points cite it, such as `e1`.")]
    module: Annotated[str, Meta(description="Id of the module that found it.")]
    fact: Annotated[str, Meta(description="The fact.")]


class DisplacementAngle(Answer, frozen=True, kw_only=True):
    """Which product could be replaced, and the case for it."""

    incumbent: Annotated[
        Incumbent | None, Meta(description="The product to replace; unset if no replaceable product was detected.")
    ]
    angle: Annotated[
        str, Meta(description="The sales approach, in a few sentences, which cite the `evidence` if `method` is `llm`.")
    ]
    talking_points: Annotated[
        tuple[str, ...], Meta(description="Points to make; each cites the `evidence` for it by id, in brackets.")
    ]
    signals: Annotated[tuple[BuyingSignal, ...], Meta(description="Reasons to contact the company now.")]
    alternatives_to_probe: Annotated[
        tuple[str, ...], Meta(description="The other replaceable products, each with its category.")
    ]
    questions: Annotated[tuple[str, ...], Meta(description="Questions to ask the company.")]
    priority: Annotated[
        LeadPriority | None, Meta(description="Priority of the lead by its tier in m14; unset without one.")
    ]
    confidence: Annotated[
        float, Meta(ge=0, le=1, description="Sum of the numbers in `confidence_reasons`, from 0 to 1.")
    ]
    confidence_reasons: Annotated[tuple[str, ...], Meta(description="Parts of the confidence, with their reasons.")]
    evidence: Annotated[tuple[CitedFact, ...], Meta(description="The facts that are cited.")]
    method: Annotated[
        Literal["rules", "llm"],
        Meta(
            description="How `angle` and `talking_points` were written: by rules, or by a language model (`llm`), of "
            "whose sentences only those are kept that cite facts. Everything else is by rules."
        ),
    ] = "rules"


class TalkingPoint(NamedTuple):
    """A point to make, with the signal and the fact behind it."""

    signal: str
    module: str
    fact: str
    text: str


class MetricRule(NamedTuple):
    """A talking point for a number that meets a condition."""

    signal: str
    module: str
    shape: type[Answer]
    field: str
    applies: Callable[[float], bool]
    fact: str
    text: str


class Detected(NamedTuple):
    """A product of the playbook, with the name and the category under which it was detected."""

    product: Product
    name: str
    category: str


# fmt: off
METRIC_RULES: Final = (
    MetricRule("traffic_growing", "m03_traffic", Traffic, "month_over_month_growth_percent",
        lambda percent: percent >= 5, "Visits {:+} % in a month",
        "Traffic is growing; discuss scaling and prices that depend on volume."),
    MetricRule("traffic_falling", "m03_traffic", Traffic, "month_over_month_growth_percent",
        lambda percent: percent <= -5, "Visits {:+} % in a month",
        "Traffic is falling, so each visit has to yield more."),
    MetricRule("visits_cut_short", "m03_traffic", Traffic, "bounce_rate",
        lambda percent: percent >= 55, "Bounce rate {} %",
        "Many visits end on the first page; ask what those visitors were looking for."),
    MetricRule("revenue_growing", "m07_financials", Financials, "revenue_growth_percent",
        lambda percent: percent >= 10, "Revenue {:+} % a year",
        "Revenue is growing fast; discuss what will not scale with it."),
    MetricRule("revenue_falling", "m07_financials", Financials, "revenue_growth_percent",
        lambda percent: percent < 0, "Revenue {:+} % a year",
        "Revenue is falling; focus on what pays for itself within a year."),
    MetricRule("thin_margin", "m07_financials", Financials, "operating_margin_percent",
        lambda percent: percent < 5, "Operating margin {} %",
        "Margins are thin; compare the total costs of licence and labour."),
)
# fmt: on


def derive(subject: Subject) -> DisplacementAngle:
    """
    Choose the product to replace, and collect the reasons to replace it now: of those detected, the first that the
    job's profile names, or else the first in the playbook.
    """
    stack = answer_of(subject, "m02_tech_stack", TechStack)
    if stack is None:
        why = why_missing(subject, "m02_tech_stack")
        raise InsufficientInput(f"Without technologies there is no product to replace. m02_tech_stack: {why}")
    if stack.limited is True:
        raise InsufficientInput(f"Without their names there is no product to replace. m02_tech_stack: {stack.note}")
    detected = _detected(stack, interests(subject).technologies)
    first = detected[0] if detected else None
    category = CATEGORIES[first.product.category if first else "Search"]
    points = [
        *_hiring_points(subject, category, first),
        *_event_points(subject),
        *_metric_points(subject),
        *_theme_points(subject, category),
    ]
    cited = [_product_point(stack, first), *points]
    score = answer_of(subject, "m14_icp_scoring", IcpScore)
    reasons = _confidence_reasons(detected, points, score)
    return DisplacementAngle(
        simulated=any_simulated(subject, USED),
        incumbent=Incumbent(name=first.name, category=first.category) if first else None,
        angle=_angle(subject, first, points),
        talking_points=tuple(f"{point.text} [e{number}]" for number, point in enumerate(cited, start=1)),
        signals=tuple(BuyingSignal(signal=point.signal, module=point.module, detail=point.fact) for point in points),
        alternatives_to_probe=tuple(f"{other.name} ({other.category})" for other in detected[1:]),
        questions=category.questions,
        priority=PRIORITY_OF_TIER.get(score.tier) if score else None,
        confidence=round(math.fsum(amount for amount, _ in reasons), 2),
        confidence_reasons=tuple(f"{amount:+.2f}: {why}" for amount, why in reasons),
        evidence=tuple(
            CitedFact(id=f"e{number}", module=point.module, fact=point.fact)
            for number, point in enumerate(cited, start=1)
        ),
    )


def _detected(stack: TechStack, preferred: tuple[str, ...]) -> list[Detected]:
    """Return the detected products of the playbook, each once: those that are preferred, then in its order."""
    found = {product: technology for technology in stack.technologies if (product := find_product(technology.name))}
    first = {product for name in preferred if (product := find_product(name))}
    order = sorted(PLAYBOOK, key=lambda product: product not in first)
    return [Detected(product, found[product].name, found[product].category) for product in order if product in found]


def _product_point(stack: TechStack, first: Detected | None) -> TalkingPoint:
    if first is None:
        fact = f"{len(stack.technologies)} technologies, none of them in the playbook"
        text = "No product of the playbook was detected; ask what the website runs on before naming one."
    else:
        fact = f"{first.name} was detected"
        text = f"{first.name}: typically, {first.product.detail}."
    return TalkingPoint("incumbent", "m02_tech_stack", fact, text)


def _angle(subject: Subject, first: Detected | None, points: list[TalkingPoint]) -> str:
    context = answer_of(subject, "m01_company_context", CompanyContext)
    company = (context.company_name if context else None) or subject.domain
    opening = f"{company} uses no known replaceable product, so start with what visitors fail to find on its website."
    if first:
        product = first.product
        opening = f"{company} uses {first.name}, whose typical drawback is {product.drawback}: {product.detail}."
    return " ".join([opening, *(point.text for point in points[:1])])


def _confidence_reasons(
    detected: list[Detected], points: list[TalkingPoint], score: IcpScore | None
) -> list[tuple[float, str]]:
    """Return the parts of the confidence, each with its reason."""
    reasons = [(NO_PRODUCT_DETECTED, "No product to replace was detected.")]
    if detected:
        first = detected[0]
        reasons = [(PRODUCT_DETECTED, f"{first.name} was detected.")]
        rivals = [other.name for other in detected[1:] if other.product.category == first.product.category]
        if rivals:
            reasons.append((-RIVAL_PENALTY, f"The main product of its kind may be {', '.join(rivals)} instead."))
    modules = dict.fromkeys(point.module for point in points)
    reasons += [(PER_MODULE, f"{module} provides a signal.") for module in modules]
    if score:
        reasons.append((round(WITH_SCORE * score.confidence, 2), "m14_icp_scoring provides a score."))
    else:
        reasons.append((0.0, "m14_icp_scoring provides no score."))
    excess = math.fsum(amount for amount, _ in reasons) - MAX_WITHOUT_PRODUCT
    if not detected and excess > 0:
        reasons.append((-excess, f"Without a product to replace, confidence is at most {MAX_WITHOUT_PRODUCT}."))
    return reasons


def _hiring_points(subject: Subject, category: ProductCategory, first: Detected | None) -> list[TalkingPoint]:
    hiring = answer_of(subject, "m10_hiring_signals", HiringSignals)
    if hiring is None:
        return []
    points = []
    mentions = [name for name in hiring.technologies_mentioned if first and find_product(name) is first.product]
    if mentions:
        text = "Job postings ask for experience with it, so its maintenance takes paid staff."
        fact = f"Job postings mention {mentions[0]}"
        points.append(TalkingPoint("hiring_for_product", "m10_hiring_signals", fact, text))
    departments = [
        f"{row.department} {row.open_roles:,}"
        for row in hiring.roles_by_department
        if row.open_roles and category.departments & set(words(row.department))
    ]
    if departments:
        text = "The departments that work on it are hiring; ask what the new roles are for."
        fact = f"Open roles: {', '.join(departments)}"
        points.append(TalkingPoint("hiring_in_department", "m10_hiring_signals", fact, text))
    if hiring.trend == "slowing":
        text = "Hiring is slowing, so lower maintenance is worth more."
        points.append(TalkingPoint("hiring_slowing", "m10_hiring_signals", "Hiring trend: slowing", text))
    return points


def _event_points(subject: Subject) -> list[TalkingPoint]:
    """Return the points for the events that the profile asks for, then for those with most impact, one per type."""
    triggers = answer_of(subject, "m12_trigger_events", TriggerEvents)
    wanted = {theme.replace(" ", "_") for theme in interests(subject).themes}
    events = sorted(
        triggers.events if triggers else (),
        key=lambda event: (event.type not in wanted, IMPACT_ORDER.get(event.impact or "", len(IMPACT_ORDER))),
    )
    first_of_type = {event.type: event for event in reversed(events)}
    return [
        TalkingPoint(event.type, "m12_trigger_events", f"{event.date}: {event.headline}", EVENT_POINTS[event.type])
        for event in events
        if first_of_type[event.type] is event
    ][:MAX_EVENTS]


def _metric_points(subject: Subject) -> list[TalkingPoint]:
    points = []
    for rule in METRIC_RULES:
        answer = answer_of(subject, rule.module, rule.shape)
        value = getattr(answer, rule.field) if answer else None
        if value is not None and rule.applies(value):
            points.append(TalkingPoint(rule.signal, rule.module, rule.fact.format(value), rule.text))
    return points


def _theme_points(subject: Subject, category: ProductCategory) -> list[TalkingPoint]:
    quotes = answer_of(subject, "m11_exec_quotes", ExecQuotes)
    themes = [theme for theme in (quotes.themes if quotes else ()) if category.themes & set(words(theme))]
    if not themes:
        return []
    text = f"Executives speak of {themes[0]}; show how a replacement supports it."
    return [TalkingPoint("executive_topic", "m11_exec_quotes", f"Executive themes: {', '.join(themes)}", text)]
