"""
Which of the customers' stories a company would recognize itself in.
"""

import functools
import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

import msgspec

from enrichment.errors import InsufficientInput
from enrichment.modules.answers import CompanyContext, ExecQuotes, Financials, HiringSignals, TechStack, TriggerEvents
from enrichment.modules.module import Answer, CaseStudy, Subject

MAX_MATCHES: Final = 3
MIN_SCORE: Final = 25  # of 100; below that a story is about somebody else
NEAR: Final = 3  # times larger or smaller than the story's customers, and still near
ENOUGH: Final = 2  # shared technologies or themes count in full
ANY_OF: Final = ("m01_company_context", "m02_tech_stack", "m07_financials", "m10_hiring_signals")
COMMON_WORDS: Final = frozenset({"and", "of", "the", "for", "other", "services", "industry"})

A = TypeVar("A", bound=Answer)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something found out about the company, and the module that found it."""

    module: str
    fact: str


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A module that would have been of use, and why it was not."""

    module: str
    why: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A story that fits: `score` goes from 0 to 100, `reasons` say what is alike, and `facts` what that was seen by."""

    id: str
    title: str
    customer: str
    outcome: str
    url: str | None = None
    score: int
    reasons: tuple[str, ...]
    facts: tuple[Fact, ...]


class CaseStudyMatch(Answer, frozen=True, kw_only=True):
    """
    The stories that fit, the best first; `reason` says why there is none. `confidence`, from 0 to 1, is the share of
    the criteria, by weight, that could be judged, and `considered` is how many stories there were to choose from.
    """

    matches: tuple[Match, ...]
    considered: int
    confidence: float
    missing: tuple[Missing, ...] = ()
    reason: str | None = None


class Likeness(NamedTuple):
    """How far a criterion is met, from 0 to 1; by what, in words, and by which facts."""

    share: float
    reason: str = ""
    facts: tuple[Fact, ...] = ()


NONE: Final = Likeness(0)

Compare = Callable[[CaseStudy], Likeness]


def known(subject: Subject, module_id: str, kind: type[A]) -> A | None:
    """What the module has found, if it has found anything."""
    finding = subject.known.get(module_id)
    return finding.read(kind) if finding else None


def why_missing(subject: Subject, module_id: str) -> str:
    """Why the module has found nothing."""
    return subject.missing.get(module_id, "It is not known.")


def any_simulated(subject: Subject, modules: Iterable[str]) -> bool:
    """Whether anything that these modules have found is invented."""
    return any(subject.known[module].simulated for module in modules if module in subject.known)


@functools.lru_cache(maxsize=4_096)
def words(text: str) -> tuple[str, ...]:
    """The words of a name, without case and punctuation. The same names come up in company after company."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def by_industry(subject: Subject) -> Compare | None:
    """The words that two lines of business share, as a share of all their words."""
    context = known(subject, "m01_company_context", CompanyContext)
    if context is None or not context.industry:
        return None
    industry, ours = context.industry, set(words(context.industry)) - COMMON_WORDS

    def compare(study: CaseStudy) -> Likeness:
        best = NONE
        for other in study.industries:
            theirs = set(words(other)) - COMMON_WORDS
            share = 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))
            if share > best.share:
                reason = f"Its line of business, {industry!r}, is like {other!r}."
                best = Likeness(share, reason, (Fact(module="m01_company_context", fact=f"industry: {industry}"),))
        return best

    return compare


def by_size(subject: Subject) -> Compare | None:
    """Employees within the story's range count in full, those near it by half."""
    context = known(subject, "m01_company_context", CompanyContext)
    if context is None or context.employees is None:
        return None
    employees = context.employees
    facts = (Fact(module="m01_company_context", fact=f"employees: {employees}"),)

    def compare(study: CaseStudy) -> Likeness:
        least, most = study.employees
        if least <= employees <= most:
            return Likeness(1, f"Its {employees:,} employees are within {least:,} to {most:,}.", facts)
        if least / NEAR <= employees <= most * NEAR:
            return Likeness(0.5, f"Its {employees:,} employees are not far from {least:,} to {most:,}.", facts)
        return NONE

    return compare


def by_country(subject: Subject) -> Compare | None:
    """The same country, or not."""
    context = known(subject, "m01_company_context", CompanyContext)
    if context is None or not context.country:
        return None
    country = context.country
    fact = Fact(module="m01_company_context", fact=f"country: {country}")

    def compare(study: CaseStudy) -> Likeness:
        same = country.casefold() in map(str.casefold, study.countries)
        return Likeness(1, f"It is in {country}, too.", (fact,)) if same else NONE

    return compare


def by_technologies(subject: Subject) -> Compare | None:
    """The products that both use; those in job postings are in use as well."""
    stack = known(subject, "m02_tech_stack", TechStack)
    hiring = known(subject, "m10_hiring_signals", HiringSignals)
    facts = {
        words(name): Fact(module=module, fact=f"technology: {name}")
        for module, names in (
            ("m10_hiring_signals", hiring.technologies_mentioned if hiring else ()),
            ("m02_tech_stack", [technology.name for technology in stack.technologies] if stack else ()),
        )
        for name in names
    }

    def compare(study: CaseStudy) -> Likeness:
        shared = {name: facts[words(name)] for name in study.technologies if words(name) in facts}
        return _in_common("Both use", shared)

    return compare if facts else None


def by_themes(subject: Subject) -> Compare | None:
    """What occupies the company: what its executives speak of, what has happened to it, what its figures say."""
    financials = known(subject, "m07_financials", Financials)
    hiring = known(subject, "m10_hiring_signals", HiringSignals)
    quotes = known(subject, "m11_exec_quotes", ExecQuotes)
    events = known(subject, "m12_trigger_events", TriggerEvents)
    growth = financials.revenue_growth_percent if financials else None
    margin = financials.operating_margin_percent if financials else None
    themes = dict.fromkeys(quotes.themes if quotes else (), "m11_exec_quotes")
    for event in events.events if events else ():
        themes.setdefault(event.type.replace("_", " "), "m12_trigger_events")
    if hiring and hiring.trend == "growing":
        themes.setdefault("hiring", "m10_hiring_signals")
    if growth is not None and growth >= 10:
        themes.setdefault("growth", "m07_financials")
    if margin is not None and margin < 5:
        themes.setdefault("margins", "m07_financials")

    def compare(study: CaseStudy) -> Likeness:
        shared = {
            told: Fact(module=module, fact=f"theme: {theme}")
            for told in study.themes
            for theme, module in reversed(themes.items())  # so that the first of several counts
            if _same_theme(told, theme)
        }
        return _in_common("Both are occupied with", shared)

    return compare if themes else None


class Criterion(NamedTuple):
    """Something to compare companies by, what it weighs, and who tells it; `prepare` gives None if nobody does."""

    name: str
    weight: int
    modules: tuple[str, ...]
    prepare: Callable[[Subject], Compare | None]


# fmt: off
CRITERIA: Final = (
    Criterion("industry",     35, ("m01_company_context",),                  by_industry),
    Criterion("employees",    20, ("m01_company_context",),                  by_size),
    Criterion("technologies", 20, ("m02_tech_stack", "m10_hiring_signals"),  by_technologies),
    Criterion("themes",       15, ("m07_financials", "m10_hiring_signals",
                                   "m11_exec_quotes", "m12_trigger_events"), by_themes),
    Criterion("country",      10, ("m01_company_context",),                  by_country),
)
# fmt: on


def derive(subject: Subject) -> CaseStudyMatch:
    """Compare the company with every story; points are out of those of the criteria that can be judged."""
    if not any(module in subject.known for module in ANY_OF):
        whys = " ".join(f"{module}: {why_missing(subject, module)}" for module in ANY_OF)
        raise InsufficientInput(f"There is nothing to compare case studies with. {whys}")
    judged: list[tuple[int, Compare]] = []
    missing: list[Missing] = []
    for criterion in CRITERIA:
        if compare := criterion.prepare(subject):
            judged.append((criterion.weight, compare))
        for module in criterion.modules:
            if module not in subject.known:
                missing.append(Missing(module=module, why=why_missing(subject, module)))
            elif not compare:
                missing.append(Missing(module=module, why=f"It tells no {criterion.name}."))
    matches = [_match(study, judged) for study in subject.case_studies]
    fitting = sorted(
        (match for match in matches if match.score >= MIN_SCORE), key=lambda match: (-match.score, match.id)
    )
    return CaseStudyMatch(
        simulated=any_simulated(subject, {module for criterion in CRITERIA for module in criterion.modules}),
        matches=tuple(fitting[:MAX_MATCHES]),
        considered=len(matches),
        confidence=sum(weight for weight, _ in judged) / 100,
        missing=tuple(dict.fromkeys(missing)),
        reason=None if fitting else _why_none(matches),
    )


def _match(study: CaseStudy, judged: list[tuple[int, Compare]]) -> Match:
    likenesses = [(weight, compare(study)) for weight, compare in judged]
    gained = sum(weight * likeness.share for weight, likeness in likenesses)
    facts = {fact: None for _, likeness in likenesses for fact in likeness.facts}
    return Match(
        id=study.id,
        title=study.title,
        customer=study.customer,
        outcome=study.outcome,
        url=study.url,
        score=round(100 * gained / max(1, sum(weight for weight, _ in judged))),
        reasons=tuple(likeness.reason for _, likeness in likenesses if likeness.share),
        facts=tuple(facts),
    )


def _same_theme(one: str, other: str) -> bool:
    """Whether all words of one are in the other: "growth" in "digital growth", but not "digital health"."""
    shared = set(words(one)) & set(words(other))
    return bool(shared) and shared in (set(words(one)), set(words(other)))


def _in_common(verb: str, shared: dict[str, Fact]) -> Likeness:
    """One is something, `ENOUGH` are all that can be asked."""
    return Likeness(min(1, len(shared) / ENOUGH), f"{verb} {', '.join(shared)}.", tuple(shared.values()))


def _why_none(matches: list[Match]) -> str:
    if not matches:
        return "There are no case studies to choose from."
    best = max(match.score for match in matches)
    return f"None of {len(matches)} case studies is near enough: the best has {best} points of 100, not {MIN_SCORE}."
