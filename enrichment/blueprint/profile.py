"""
The customer profile of a blueprint: the one that was provided, or one that is inferred from the company's website.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from enrichment.blueprint.criteria import SIGNALS, without_point
from enrichment.blueprint.inference import CompanyFacts, infer
from enrichment.errors import InsufficientInformation
from enrichment.icp.places import country_of
from enrichment.modules.answers import CompanyContext, TechStack
from enrichment.modules.module import Finding
from enrichment.modules.table import DESCRIBING_MODULES
from schemas import CustomerProfile, Measure, Outcome

TEXTS: Final = {
    (Measure.INDUSTRY, Measure.CUSTOMERS_INDUSTRY): "No industry is named, so any counts.",
    (Measure.HEADCOUNT, Measure.REVENUE): "No company size is named, so any counts.",
    (Measure.HEADQUARTERS, Measure.OFFICE): "No country is named, so any counts.",
    (
        Measure.TECHNOLOGY,
        Measure.TECHNOLOGY_CATEGORY,
    ): "No technology is named, so the technographic points are general.",
    (Measure.PERSONA,): "No role is named to speak to.",
    tuple(SIGNALS): "No signal is named, so the personalization points are general.",
}
"What a profile leaves open, by the measures of which one would say it."


class ProfileResult(msgspec.Struct, frozen=True, kw_only=True):
    """
    A profile, and the sources that it is based on.

    `sources_missing` are the modules without a finding, and `sources_failed` the sources that another one stood in for,
    each with the reason.
    """

    profile: CustomerProfile
    sources_used: tuple[str, ...]
    sources_missing: tuple[str, ...] = ()
    sources_failed: tuple[str, ...] = ()
    simulated: bool = False


def provided(profile: CustomerProfile) -> ProfileResult:
    """The result of a profile that was read from the caller's words."""
    return ProfileResult(profile=profile, sources_used=("your profile",))


def inferred(domain: str, findings: Mapping[str, Finding], missing: Mapping[str, str]) -> ProfileResult:
    """
    Infer a profile from the findings about the company; `missing` maps the modules without a finding to the reason.

    Raises `InsufficientInformation`.
    """
    facts = _facts(domain, findings)
    profile = infer(facts)
    sources_missing = tuple(f"{module_id}: {reason}" for module_id, reason in missing.items())
    sources_failed = tuple(_failed(findings))
    if not profile.confidence:
        raise InsufficientInformation(
            f"Too little is known of {domain} to infer whom it sells to, and no profile was given.",
            missing=sources_missing + sources_failed or profile.raise_confidence,
            suggestions=(
                'Give "icp": industries, company size, geography and technologies of the customers you look for.',
                "Check that the website is the company's own, and try again later if sources failed.",
            ),
        )
    return ProfileResult(
        profile=profile,
        sources_used=tuple(f"{module_id} ({finding.source})" for module_id, finding in findings.items()),
        sources_missing=sources_missing,
        sources_failed=sources_failed,
        simulated=facts.simulated,
    )


def gaps(result: ProfileResult) -> tuple[str, ...]:
    """List everything that the blueprint cannot take into account."""
    profile = result.profile
    stated = {one.measure for one in profile.conditions}
    empty = [text for measures, text in TEXTS.items() if stated.isdisjoint(measures)]
    ambiguous = [
        f"Ambiguous: “{one.quote.text}” can mean {' or '.join(each.label for each in one.readings)}."
        for one in profile.ambiguous
        if one.condition is None
    ]
    not_understood = [f"Not understood: “{one.text}”." for one in profile.not_understood]
    pointless = [f"No data point is about this: {one.label}." for one in without_point(profile)]
    return (*empty, *pointless, *ambiguous, *not_understood, *profile.contradictions, *result.sources_missing)


def _failed(findings: Mapping[str, Finding]) -> Iterator[str]:
    """List the sources that failed before another one answered."""
    for module_id, finding in findings.items():
        for attempt in finding.attempts:
            if attempt.outcome is Outcome.FAILED:
                yield f"{module_id}: {attempt.source}: {attempt.error}"


def _facts(domain: str, findings: Mapping[str, Finding]) -> CompanyFacts:
    context_module, stack_module = DESCRIBING_MODULES
    context = findings[context_module].read(CompanyContext) if context_module in findings else None
    stack = findings[stack_module].read(TechStack) if stack_module in findings else None
    technologies = stack.technologies if stack else ()
    facts = CompanyFacts(
        domain=domain,
        technologies=tuple((technology.name, technology.category) for technology in technologies),
        simulated=any(finding.simulated for finding in findings.values()),
    )
    if context is None:
        return facts
    return msgspec.structs.replace(
        facts,
        name=context.company_name,
        industry=context.industry,
        employees=context.employees,
        country=context.country,
        country_code=country_of(context.country),
        description=context.description,
    )
