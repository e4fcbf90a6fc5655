"""
m13: which customer case studies resemble the company.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from enrichment.errors import InsufficientInput
from enrichment.modules.answers import CompanyContext, ExecQuotes, Financials, HiringSignals, TechStack, TriggerEvents
from enrichment.modules.evidence import Fact, Missing, answer_of, any_simulated, interests, why_missing, words
from enrichment.modules.module import Answer, CaseStudy, Subject

MAX_MATCHES: Final = 3
MIN_SCORE: Final = 25  # of 100; weaker matches are not reported
NEAR_FACTOR: Final = 3  # up to this many times above or below the range, a size counts as close to it
FULL_SCORE_COUNT: Final = 2  # this many shared technologies or themes score in full
REQUIRED_ANY: Final = ("m01_company_context", "m02_tech_stack", "m07_financials", "m10_hiring_signals")
COMMON_WORDS: Final = frozenset({"and", "of", "the", "for", "other", "services", "industry"})


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A similar case study."""

    id: Annotated[str, Meta(description="Id of the case study.")]
    title: Annotated[str, Meta(description="Title of the case study.")]
    customer: Annotated[str, Meta(description="Name of the customer in it.")]
    outcome: Annotated[str, Meta(description="What the customer achieved.")]
    url: Annotated[str | None, Meta(description="Page of the case study.")] = None
    score: Annotated[int, Meta(ge=0, le=100, description="Similarity to the company, in points from 0 to 100.")]
    reasons: Annotated[tuple[str, ...], Meta(description="What is similar.")]
    facts: Annotated[tuple[Fact, ...], Meta(description="The facts about the company that the reasons rest on.")]


class CaseStudyMatch(Answer, frozen=True, kw_only=True):
    """The case studies that resemble the company most."""

    matches: Annotated[tuple[Match, ...], Meta(description="The most similar case studies, best first.")]
    considered: Annotated[int, Meta(ge=0, description="Number of case studies that were compared.")]
    confidence: Annotated[
        float, Meta(ge=0, le=1, description="Weight of the criteria that could be compared, from 0 to 1.")
    ]
    missing: Annotated[tuple[Missing, ...], Meta(description="The data that the other criteria lack.")] = ()
    reason: Annotated[str | None, Meta(description="Why there are no matches; else unset.")] = None


class Similarity(NamedTuple):
    """How similar a company and a case study are in one criterion, from 0 to 1, with the reason and the facts."""

    share: float
    reason: str = ""
    facts: tuple[Fact, ...] = ()


NO_SIMILARITY: Final = Similarity(0)

SimilarityFunction = Callable[[CaseStudy], Similarity]


def by_industry(subject: Subject) -> SimilarityFunction | None:
    """Compare the words of the industries' names (Sørensen-Dice coefficient)."""
    context = answer_of(subject, "m01_company_context", CompanyContext)
    if context is None or not context.industry:
        return None
    industry, own_words = context.industry, set(words(context.industry)) - COMMON_WORDS
    facts = (Fact(module="m01_company_context", fact=f"industry: {industry}"),)

    def compare(study: CaseStudy) -> Similarity:
        best = NO_SIMILARITY
        for other in study.industries:
            other_words = set(words(other)) - COMMON_WORDS
            share = 2 * len(own_words & other_words) / max(1, len(own_words) + len(other_words))
            if share > best.share:
                best = Similarity(share, f"Its industry, {industry!r}, is similar to {other!r}.", facts)
        return best

    return compare


def by_size(subject: Subject) -> SimilarityFunction | None:
    """Score a number of employees within the case study's range in full, and one close to it by half."""
    context = answer_of(subject, "m01_company_context", CompanyContext)
    if context is None or context.employees is None:
        return None
    employees = context.employees
    facts = (Fact(module="m01_company_context", fact=f"employees: {employees}"),)

    def compare(study: CaseStudy) -> Similarity:
        least, most = study.employees
        if least <= employees <= most:
            return Similarity(1, f"Its {employees:,} employees are within the range {least:,} to {most:,}.", facts)
        if least / NEAR_FACTOR <= employees <= most * NEAR_FACTOR:
            return Similarity(0.5, f"Its {employees:,} employees are close to the range {least:,} to {most:,}.", facts)
        return NO_SIMILARITY

    return compare


def by_country(subject: Subject) -> SimilarityFunction | None:
    """Score the same country in full, any other by nothing."""
    context = answer_of(subject, "m01_company_context", CompanyContext)
    if context is None or not context.country:
        return None
    country = context.country
    same_country = Similarity(
        1, f"Same country: {country}.", (Fact(module="m01_company_context", fact=f"country: {country}"),)
    )

    def compare(study: CaseStudy) -> Similarity:
        return same_country if country.casefold() in map(str.casefold, study.countries) else NO_SIMILARITY

    return compare


def by_technologies(subject: Subject) -> SimilarityFunction | None:
    """Score the shared technologies; those named in job postings count as in use."""
    stack = answer_of(subject, "m02_tech_stack", TechStack)
    hiring = answer_of(subject, "m10_hiring_signals", HiringSignals)
    facts = {
        words(name): Fact(module=module, fact=f"technology: {name}")
        for module, names in (
            ("m10_hiring_signals", hiring.technologies_mentioned if hiring else ()),
            ("m02_tech_stack", [technology.name for technology in stack.technologies] if stack else ()),
        )
        for name in names
    }

    def compare(study: CaseStudy) -> Similarity:
        shared = {name: facts[words(name)] for name in study.technologies if words(name) in facts}
        return _by_count("Shared technologies", shared)

    return compare if facts else None


def by_themes(subject: Subject) -> SimilarityFunction | None:
    """Score the shared themes: topics of executives, events, and what the figures indicate."""
    financials = answer_of(subject, "m07_financials", Financials)
    hiring = answer_of(subject, "m10_hiring_signals", HiringSignals)
    quotes = answer_of(subject, "m11_exec_quotes", ExecQuotes)
    triggers = answer_of(subject, "m12_trigger_events", TriggerEvents)
    growth = financials.revenue_growth_percent if financials else None
    margin = financials.operating_margin_percent if financials else None
    themes = dict.fromkeys(quotes.themes if quotes else (), "m11_exec_quotes")
    for event in triggers.events if triggers else ():
        themes.setdefault(event.type.replace("_", " "), "m12_trigger_events")
    if hiring and hiring.trend == "growing":
        themes.setdefault("hiring", "m10_hiring_signals")
    if growth is not None and growth >= 10:
        themes.setdefault("growth", "m07_financials")
    if margin is not None and margin < 5:
        themes.setdefault("margins", "m07_financials")

    def compare(study: CaseStudy) -> Similarity:
        shared = {
            study_theme: Fact(module=module, fact=f"theme: {theme}")
            for study_theme in study.themes
            for theme, module in reversed(themes.items())  # reversed, as the last match is kept: the first theme wins
            if _is_same_theme(study_theme, theme)
        }
        return _by_count("Shared themes", shared)

    return compare if themes else None


def by_profile(subject: Subject) -> SimilarityFunction | None:
    """Score the technologies and themes that the job's profile asks for."""
    technologies, themes = interests(subject)

    def compare(study: CaseStudy) -> Similarity:
        shared = [name for name in study.technologies if words(name) in set(map(words, technologies))]
        shared += [theme for theme in study.themes if any(_is_same_theme(theme, other) for other in themes)]
        return _by_count("What the profile asks for", dict.fromkeys(shared, None))

    return compare if technologies or themes else None


class Criterion(NamedTuple):
    """
    A criterion with its weight and the modules it reads.

    `prepare` returns the function to compare case studies with, or None if the modules lack the data.
    """

    name: str
    weight: int
    modules: tuple[str, ...]
    prepare: Callable[[Subject], SimilarityFunction | None]


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
OF_PROFILE: Final = Criterion("what the profile asks for", 20, (), by_profile)
"The criterion that is added for a job with a profile that names technologies or themes."


def derive(subject: Subject) -> CaseStudyMatch:
    """Compare the company with every case study, by the criteria for which there is data."""
    if not any(module in subject.known for module in REQUIRED_ANY):
        reasons = " ".join(f"{module}: {why_missing(subject, module)}" for module in REQUIRED_ANY)
        raise InsufficientInput(f"There is no company data to compare with case studies. {reasons}")
    usable: list[tuple[int, SimilarityFunction]] = []
    missing: list[Missing] = []
    criteria = (*CRITERIA, OF_PROFILE) if by_profile(subject) else CRITERIA
    for criterion in criteria:
        if compare := criterion.prepare(subject):
            usable.append((criterion.weight, compare))
        for module in criterion.modules:
            if module not in subject.known:
                missing.append(Missing(module=module, why=why_missing(subject, module)))
            elif not compare:
                missing.append(Missing(module=module, why=f"It does not report {criterion.name}."))
    candidates = [_match(study, usable) for study in subject.case_studies]
    matches = sorted(
        (match for match in candidates if match.score >= MIN_SCORE), key=lambda match: (-match.score, match.id)
    )
    return CaseStudyMatch(
        simulated=any_simulated(subject, {module for criterion in CRITERIA for module in criterion.modules}),
        matches=tuple(matches[:MAX_MATCHES]),
        considered=len(candidates),
        confidence=round(sum(weight for weight, _ in usable) / sum(criterion.weight for criterion in criteria), 2),
        missing=tuple(dict.fromkeys(missing)),
        reason=None if matches else _why_none(candidates),
    )


def _match(study: CaseStudy, usable: list[tuple[int, SimilarityFunction]]) -> Match:
    similarities = [(weight, compare(study)) for weight, compare in usable]
    points = sum(weight * similarity.share for weight, similarity in similarities)
    facts = {fact: None for _, similarity in similarities for fact in similarity.facts}
    return Match(
        id=study.id,
        title=study.title,
        customer=study.customer,
        outcome=study.outcome,
        url=study.url,
        score=round(100 * points / max(1, sum(weight for weight, _ in usable))),
        reasons=tuple(similarity.reason for _, similarity in similarities if similarity.share),
        facts=tuple(facts),
    )


def _is_same_theme(one: str, other: str) -> bool:
    """Return whether all words of one are in the other: "growth" in "digital growth", but not "digital health"."""
    shared = set(words(one)) & set(words(other))
    return bool(shared) and shared in (set(words(one)), set(words(other)))


def _by_count(label: str, shared: Mapping[str, Fact | None]) -> Similarity:
    """Score a number of things; each comes with the fact about the company that it rests on, if there is one."""
    facts = tuple(fact for fact in shared.values() if fact)
    return Similarity(min(1, len(shared) / FULL_SCORE_COUNT), f"{label}: {', '.join(shared)}.", facts)


def _why_none(candidates: list[Match]) -> str:
    if not candidates:
        return "There are no case studies."
    best = max(match.score for match in candidates)
    return f"None of {len(candidates)} case studies is similar enough: the best score is {best}, below {MIN_SCORE}."
