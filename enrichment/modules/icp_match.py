"""
m14: how well a company matches the ideal customer profile of its job, condition by condition.

`CHECKS` is the whole of it: which field of which module tells about which measure. A condition is met, not met, or
unknown; what is unknown counts neither for nor against the company.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, Self

from msgspec.structs import replace

from enrichment.clock import isoformat_utc
from enrichment.modules import comparisons as compare
from enrichment.modules import icp_score
from enrichment.modules.answers import (
    CompanyContext,
    Financials,
    HiringSignals,
    StockInfo,
    TechStack,
    Traffic,
    TriggerEvents,
)
from enrichment.modules.comparisons import Check, Evidence, Outcome
from enrichment.modules.evidence import Missing, any_simulated, why_missing
from enrichment.modules.icp_score import ConditionState, ConditionVerdict, IcpScore, Verdict, tier_of
from enrichment.modules.module import Answer, Finding, Subject
from schemas import Condition, Measure, Method, Strength

M01: Final = "m01_company_context"
M02: Final = "m02_tech_stack"
M03: Final = "m03_traffic"
M07: Final = "m07_financials"
M08: Final = "m08_stock_info"
M10: Final = "m10_hiring_signals"
M12: Final = "m12_trigger_events"
M14: Final = "m14_icp_scoring"

WEIGHTS: Final[Mapping[Strength, int]] = {"must": 3, "should": 1, "must_not": 1}
SURE: Final = 0.5  # a condition that was read with less confidence disqualifies nobody
ESTIMATE_CONFIDENCE: Final = 0.5
DAY: Final = 86_400  # seconds

# fmt: off
CHECKS: Final[Mapping[Measure, tuple[Check, ...]]] = {
    Measure.INDUSTRY: (
        Check(M01, CompanyContext, "naics_code", compare.by_naics),
        Check(M01, CompanyContext, "industry", compare.by_industry)),
    Measure.HEADCOUNT: (
        Check(M01, CompanyContext, "employees", compare.by_number("{:,} employees")),),
    Measure.FOUNDED: (
        Check(M01, CompanyContext, "founded", compare.by_number("founded in {}")),),
    Measure.HEADQUARTERS: (
        Check(M01, CompanyContext, "country", compare.by_country),
        Check(M01, CompanyContext, "hq", compare.by_headquarters)),
    Measure.OFFICE: (
        Check(M01, CompanyContext, "country", compare.by_seat(compare.by_country)),
        Check(M01, CompanyContext, "hq", compare.by_seat(compare.by_headquarters))),
    Measure.REVENUE: (
        Check(M07, Financials, "revenue", compare.by_revenue),
        Check(M01, CompanyContext, "revenue_range", compare.by_revenue_range)),
    Measure.OWNERSHIP: (
        Check(M01, CompanyContext, "company_type", compare.by_ownership),
        Check(M08, StockInfo, "is_listed", compare.by_ownership)),
    Measure.FUNDING_STAGE: (
        Check(M12, TriggerEvents, "events", compare.by_stage),
        Check(M01, CompanyContext, "company_type", compare.by_ownership)),
    Measure.FUNDING_RAISED: (
        Check(M12, TriggerEvents, "events", compare.by_funding),),
    Measure.LAST_ROUND: (
        Check(M12, TriggerEvents, "events", compare.by_round),),
    Measure.GROWTH: (
        Check(M07, Financials, "revenue_growth_percent", compare.by_growth("revenue", is_yearly=True)),
        Check(M03, Traffic, "month_over_month_growth_percent", compare.by_growth("traffic", is_yearly=False))),
    Measure.TRAFFIC: (
        Check(M03, Traffic, "monthly_visits", compare.by_number("{:,} visits a month")),),
    Measure.RANK: (
        Check(M03, Traffic, "global_rank", compare.by_number("global rank {:,}")),),
    Measure.TECHNOLOGY: (
        Check(M02, TechStack, "technologies", compare.by_product),
        Check(M10, HiringSignals, "technologies_mentioned", compare.by_mention)),
    Measure.TECHNOLOGY_CATEGORY: (
        Check(M02, TechStack, "technologies", compare.by_category),
        Check(M10, HiringSignals, "technologies_mentioned", compare.by_mention)),
    Measure.HIRING: (
        Check(M10, HiringSignals, "open_roles", compare.by_roles),),
    Measure.LEADERSHIP_CHANGE: (
        Check(M12, TriggerEvents, "events", compare.by_events("leadership_change")),),
    Measure.LAYOFFS: (
        Check(M12, TriggerEvents, "events", compare.by_events("restructuring", pattern=compare.LAYOFF)),),
    Measure.EXPANSION: (
        Check(M12, TriggerEvents, "events", compare.by_events("expansion")),),
    Measure.ACQUISITION: (
        Check(M12, TriggerEvents, "events", compare.by_events("acquisition")),),
    Measure.IPO: (
        Check(M12, TriggerEvents, "events", compare.by_events(pattern=compare.FLOTATION)),),
    Measure.PRODUCT_LAUNCH: (
        Check(M12, TriggerEvents, "events", compare.by_events("product_launch")),),
    Measure.PARTNERSHIP: (
        Check(M12, TriggerEvents, "events", compare.by_events("partnership")),),
    Measure.NEWS: (
        Check(M12, TriggerEvents, "events", compare.by_events()),),
}
"The fields that can tell about each measure, the best first. No module tells about the other measures."
# fmt: on
SHAPES: Final = {check.module: check.shape for checks in CHECKS.values() for check in checks}
"The answers that are read, by module."


class Judged(NamedTuple):
    """A condition, its verdict, and the confidence in the value that was found, from 0 to 1."""

    condition: Condition
    verdict: ConditionVerdict
    confidence: float


class Group(NamedTuple):
    """
    Alternatives: conditions of which one has to be met.

    Conditions that were read with little confidence are wishes. The state is `unknown` if a condition that is not met
    so far may be.
    """

    members: Sequence[Judged]
    strength: Strength
    state: ConditionState

    @classmethod
    def of(cls, members: Sequence[Judged]) -> Self:
        """Make the group of conditions of the same strength."""
        strength = members[0].condition.strength
        is_sure = all(judged.condition.confidence >= SURE for judged in members)
        states = {judged.verdict.state for judged in members}
        state: ConditionState = "met" if "met" in states else "unknown" if "unknown" in states else "not_met"
        return cls(members, strength if is_sure or strength == "must_not" else "should", state)

    @property
    def weight(self) -> int:
        """The points that it gives."""
        return WEIGHTS[self.strength]

    @property
    def confidence(self) -> float:
        """The confidence in its state, from 0 to 1."""
        deciding = [judged for judged in self.members if judged.verdict.state == self.state]
        return max(judged.confidence * judged.condition.confidence for judged in deciding)

    @property
    def is_satisfied(self) -> bool:
        """Whether the company has what it should have, or has not what it must not have."""
        return self.state == ("not_met" if self.strength == "must_not" else "met")

    @property
    def disqualifies(self) -> bool:
        """Whether the company is no customer because of it."""
        if self.strength == "must_not":
            return self.state == "met" and all(each.condition.confidence >= SURE for each in self.members)
        return self.strength == "must" and self.state == "not_met"

    @property
    def is_open(self) -> bool:
        """Whether the company has to meet it, and a module could tell but does not."""
        can_tell = any(judged.verdict.module for judged in self.members)
        return self.strength == "must" and self.state == "unknown" and can_tell

    @property
    def words(self) -> str:
        """The alternatives in words."""
        return " or ".join(judged.verdict.wanted for judged in self.members)


def judging_modules(conditions: Iterable[Condition]) -> set[str]:
    """Return the ids of the modules that conditions are judged by: of several for a measure, the best."""
    measures = {condition.measure for condition in conditions}
    return {CHECKS[measure][0].module for measure in measures & CHECKS.keys()} | ({M14} if measures else set())


def derive(subject: Subject) -> IcpScore:
    """Judge the company by the conditions of the job's profile, or without one by the rules of the service."""
    conditions = subject.profile.conditions() if subject.profile else ()
    return judge(subject, conditions) if conditions else icp_score.derive(subject)


def judge(subject: Subject, conditions: Iterable[Condition]) -> IcpScore:
    """Judge the company by the conditions."""
    answers = {
        module_id: subject.known[module_id].read(shape)
        for module_id, shape in SHAPES.items()
        if module_id in subject.known
    }
    members: dict[int, list[Judged]] = {}
    for condition in conditions:
        members.setdefault(condition.any_of, []).append(_judged(subject, answers, condition))
    groups = [Group.of(each) for each in members.values()]
    known = [group for group in groups if group.state != "unknown"]
    disqualifying = [group for group in groups if group.disqualifies]
    possible = sum(group.weight for group in groups)
    judged_points = sum(group.weight for group in known)
    points = sum(group.weight for group in known if group.is_satisfied)
    share = round(100 * points / judged_points) if judged_points else None
    score = 0 if disqualifying else share
    coverage = round(judged_points / possible, 2)
    verdict: Verdict = "qualified" if known and not any(group.is_open for group in groups) else "undecided"
    ordered = [each for group in sorted(groups, key=lambda group: not group.disqualifies) for each in group.members]
    modules = {each.verdict.module for each in ordered if each.verdict.module}
    return IcpScore(
        simulated=any_simulated(subject, modules),
        score=score,
        tier="D" if disqualifying else "unrated" if score is None else tier_of(score, coverage),
        verdict="disqualified" if disqualifying else verdict,
        explanation=(
            *map(_why_disqualified, disqualifying),
            *_explanation(groups, points, judged_points, possible, is_disqualified=bool(disqualifying)),
        ),
        conditions=tuple(each.verdict for each in ordered),
        coverage=coverage,
        confidence=round(math.fsum(group.weight * group.confidence for group in known) / possible, 2),
        rules=(),
        missing=tuple(
            Missing(module=module, why=why_missing(subject, module))
            for module in dict.fromkeys(module for each in ordered for module in each.verdict.run)
        ),
    )


def _judged(subject: Subject, answers: Mapping[str, Answer], condition: Condition) -> Judged:
    """Judge by the first field that decides the condition, else report the first that says anything about it."""
    checks = CHECKS.get(condition.measure, ())
    tried: list[tuple[Check, Outcome]] = []
    for check in checks:
        value = getattr(answers.get(check.module), check.field, None)
        if value is None:
            continue
        day = datetime.fromtimestamp(_time_of(subject.known[check.module]), UTC).date()
        if outcome := check.compare(condition, Evidence(value, answers[check.module], day)):
            tried.append((check, outcome))
            if outcome.state != "unknown":
                break
    if not tried:
        return Judged(condition, _unknown(subject, condition, checks), 1.0)
    check, outcome = tried[-1] if tried[-1][1].state != "unknown" else tried[0]
    run = () if outcome.state != "unknown" else _not_run(subject, checks)
    finding = subject.known[check.module]
    verdict = _verdict(condition, outcome.state, outcome.found, outcome.reason, check, run)
    return Judged(condition, _with_origin(verdict, finding, check, subject.now), _confidence(finding, outcome))


def _unknown(subject: Subject, condition: Condition, checks: Sequence[Check]) -> ConditionVerdict:
    """The verdict on a condition about which nothing was found."""
    if not checks:
        reason = f"No module of this service tells about {condition.measure.value.replace('_', ' ')}."
        return _verdict(condition, "unknown", None, reason, None, ())
    run = _not_run(subject, checks)
    reasons = [f"{module} would have to run to know: {why_missing(subject, module)}" for module in run]
    if not reasons:
        reasons = [f"{check.module} has no value of `{check.field}` that tells." for check in checks]
    return _verdict(condition, "unknown", None, " ".join(reasons), checks[0], run)


def _not_run(subject: Subject, checks: Sequence[Check]) -> tuple[str, ...]:
    """The modules of the checks that have no finding."""
    return tuple(dict.fromkeys(check.module for check in checks if check.module not in subject.known))


def _verdict(
    condition: Condition,
    state: ConditionState,
    found: str | None,
    reason: str,
    check: Check | None,
    run: tuple[str, ...],
) -> ConditionVerdict:
    return ConditionVerdict(
        condition=condition.id,
        measure=condition.measure,
        wanted=condition.label,
        strength=condition.strength,
        any_of=condition.any_of,
        quote=condition.quote.text,
        state=state,
        found=found,
        reason=reason,
        module=check.module if check else None,
        field=check.field if check else None,
        run=run,
    )


def _with_origin(verdict: ConditionVerdict, finding: Finding, check: Check, now: float) -> ConditionVerdict:
    as_of = _time_of(finding)
    return replace(
        verdict,
        source=finding.field_sources.get(check.field, finding.source),
        method=finding.method,
        as_of=isoformat_utc(as_of),
        age_days=round(max(0.0, now - as_of) / DAY, 1),
    )


def _time_of(finding: Finding) -> float:
    """When the value was observed, or else fetched, in seconds since the epoch."""
    return finding.fetched_at if finding.observed_at is None else finding.observed_at


def _confidence(finding: Finding, outcome: Outcome) -> float:
    is_estimate = finding.method is Method.ESTIMATED or "estimated" in outcome.found
    return (finding.match_confidence or 1.0) * (ESTIMATE_CONFIDENCE if is_estimate else 1.0)


def _why_disqualified(group: Group) -> str:
    verdicts = [each.verdict for each in group.members]
    if group.strength == "must_not":
        verdict = next(each for each in verdicts if each.state == "met")
        return f"Disqualified: {verdict.wanted} is excluded, and {verdict.module} found: {verdict.found}."
    found = "; ".join(dict.fromkeys(f"{each.module} found: {each.found}" for each in verdicts))
    return f"Disqualified: {group.words} is required, and {found}."


def _explanation(
    groups: Sequence[Group], points: int, judged_points: int, possible: int, *, is_disqualified: bool
) -> Iterator[str]:
    for strength, noun in (("must", "requirements"), ("should", "wishes")):
        of_kind = [group for group in groups if group.strength == strength]
        if of_kind:
            met = sum(group.state == "met" for group in of_kind)
            unknown = sum(group.state == "unknown" for group in of_kind)
            yield f"Of {len(of_kind)} {noun}, {met} are met and {unknown} are unknown."
    excluded = [group for group in groups if group.strength == "must_not"]
    if excluded:
        absent = sum(group.state == "not_met" for group in excluded)
        unknown = sum(group.state == "unknown" for group in excluded)
        yield f"Of {len(excluded)} exclusions, {absent} do not apply and {unknown} are unknown."
    if judged_points:
        score = f"{points} of the {judged_points} points that could be judged, of {possible}"
        yield f"Without the disqualification, it would have {score}." if is_disqualified else f"It has {score}."
    else:
        yield "No condition could be judged."
    weak = [group.words for group in groups if any(each.condition.confidence < SURE for each in group.members)]
    if weak:
        yield f"Read with little confidence, so it disqualifies nobody: {'; '.join(weak)}."
    untold = [group.words for group in groups if not any(each.verdict.module for each in group.members)]
    if untold:
        yield f"No module can tell: {'; '.join(untold)}."
