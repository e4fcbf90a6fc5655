"""
The customer profile of a blueprint: the one that was provided, or one that is inferred from the company's website.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from enrichment.blueprint.inference import CompanyFacts, infer
from enrichment.blueprint.reading.icp import read_icp
from enrichment.blueprint.reading.lexicon import Entity
from enrichment.errors import InsufficientInformation
from enrichment.modules.answers import CompanyContext, TechStack
from enrichment.modules.module import Finding
from enrichment.modules.table import DESCRIBING_MODULES
from schemas import CustomerProfile, IcpObject, Outcome

CRITERIA: Final = (
    "industries",
    "company_size",
    "revenue",
    "geographies",
    "technologies",
    "personas",
    "funding",
    "funding_amount",
    "signals",
    "business_models",
)
"The fields of a profile that contain criteria."


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


def criteria(profile: CustomerProfile) -> list[Entity]:
    """List everything the profile wants or excludes; an empty list means that nothing was understood."""
    return [one for field in CRITERIA for one in getattr(profile, field)]


def provided(profile: CustomerProfile) -> ProfileResult:
    """Complete a profile that was read from the caller's words; its confidence is that of the reading."""
    found = [one.found for one in criteria(profile)]
    understood = sum(len(one.text) for one in found)
    not_understood = sum(len(one.text) for one in profile.not_understood)
    total = understood + not_understood
    mean = sum(one.confidence for one in found) / len(found)
    reasoning = [f"“{one.text}” was understood with confidence {one.confidence:g}." for one in found]
    if profile.not_understood:
        reasoning.append(f"{not_understood} of {total} characters that matter were not understood.")
    return ProfileResult(
        profile=msgspec.structs.replace(
            profile,
            confidence=round(mean * understood / total * (0.8 if profile.contradictions else 1.0), 2),
            reasoning=tuple(reasoning) + profile.contradictions,
            raise_confidence=tuple(f"Say “{one.text}” in other words." for one in profile.not_understood[:5]),
        ),
        sources_used=("your profile",),
    )


def inferred(
    domain: str, given: CustomerProfile, findings: Mapping[str, Finding], missing: Mapping[str, str]
) -> ProfileResult:
    """
    Infer a profile from the findings about the company; `missing` maps the modules without a finding to the reason.

    `given` is the profile that was read, without criteria. Raises `InsufficientInformation`.
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
    if given.not_understood:
        reasoning = ("Nothing in the given profile was understood, so it was inferred.", *profile.reasoning)
        profile = msgspec.structs.replace(profile, reasoning=reasoning, not_understood=given.not_understood)
    return ProfileResult(
        profile=profile,
        sources_used=tuple(f"{module_id} ({finding.source})" for module_id, finding in findings.items()),
        sources_missing=sources_missing,
        sources_failed=sources_failed,
        simulated=facts.simulated,
    )


def gaps(result: ProfileResult) -> tuple[str, ...]:
    """List everything that the blueprint cannot take into account."""
    texts = {
        "industries": "No industry is named, so any counts.",
        "company_size": "No company size is named, so any counts.",
        "geographies": "No country is named, so any counts.",
        "technologies": "No technology is named, so the technographic points are general.",
        "personas": "No role is named to speak to.",
        "signals": "No signal is named, so the personalization points are general.",
    }
    profile = result.profile
    empty = [text for field, text in texts.items() if not getattr(profile, field)]
    not_understood = [f"Not understood: “{one.text}”." for one in profile.not_understood]
    return (*empty, *not_understood, *profile.contradictions, *result.sources_missing)


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
        country_code=_country_code(context.country),
        description=context.description,
    )


def _country_code(country: str | None) -> str | None:
    """Look up the ISO 3166-1 code of a country by its name."""
    places = read_icp(IcpObject(geographies=(country,))).geographies if country else ()
    return places[0].countries[0] if places else None
