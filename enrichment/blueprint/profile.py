"""
Whom a campaign is for: the profile that was given, or one guessed from the company behind the website.
"""

from typing import Final

import msgspec

from enrichment.blueprint.inference import CompanyFacts, Inference, infer
from enrichment.blueprint.reading.icp import read_icp
from enrichment.blueprint.values import Icp, IcpInput, Profile
from enrichment.errors import InsufficientInformation
from enrichment.modules.answers import CompanyContext, TechStack
from enrichment.modules.module import Finding

DESCRIBING: Final = ("m01_company_context", "m02_tech_stack")
"The modules that describe a company well enough to guess whom it sells to."


def provided(icp: Icp) -> Profile:
    """The profile in the caller's own words: as sure as they were clear."""
    found = [thing.found for name in icp.__struct_fields__ for thing in getattr(icp, name) if hasattr(thing, "found")]
    words = sum(len(each.text) for each in found)
    unread = sum(len(each.text) for each in icp.not_understood)
    clear = sum(each.confidence for each in found) / len(found)
    reasoning = [f"“{each.text}” was understood with confidence {each.confidence:g}." for each in found]
    if icp.not_understood:
        reasoning.append(f"{unread} of {words + unread} characters that matter were not understood.")
    return Profile(
        origin="provided",
        icp=icp,
        confidence=round(clear * words / (words + unread) * (0.8 if icp.contradictions else 1.0), 2),
        reasoning=tuple(reasoning) + icp.contradictions,
        raise_confidence=tuple(f"Say “{each.text}” in other words." for each in icp.not_understood[:5]),
        sources_used=("your profile",),
    )


def inferred(domain: str, given: Icp, findings: dict[str, Finding], missing: dict[str, str]) -> Profile:
    """A guess from what the company is; `InsufficientInformation` if there is nothing to guess from."""
    inference = infer(_facts(domain, findings))
    if not inference.confidence:
        raise InsufficientInformation(
            f"Too little is known of {domain} to infer whom it sells to, and no profile was given.",
            missing=tuple(f"{module_id}: {reason}" for module_id, reason in missing.items())
            or inference.raise_confidence,
            suggestions=(
                'Give "icp": industries, company size, geography and technologies of the customers you look for.',
                "Check that the website is the company's own, and try again later if sources failed.",
            ),
        )
    return Profile(
        origin="inferred",
        icp=msgspec.structs.replace(inference.icp, not_understood=given.not_understood),
        confidence=inference.confidence,
        reasoning=_reasons(given, inference),
        raise_confidence=inference.raise_confidence,
        sources_used=tuple(f"{module_id} ({finding.source})" for module_id, finding in findings.items()),
        sources_missing=tuple(f"{module_id}: {reason}" for module_id, reason in missing.items()),
        simulated=any(finding.simulated for finding in findings.values()),
    )


def _reasons(given: Icp, inference: Inference) -> tuple[str, ...]:
    if given.not_understood:
        return ("Nothing in the given profile was understood, so it was inferred.", *inference.reasoning)
    return inference.reasoning


def _facts(domain: str, findings: dict[str, Finding]) -> CompanyFacts:
    context = findings[DESCRIBING[0]].read(CompanyContext) if DESCRIBING[0] in findings else None
    stack = findings[DESCRIBING[1]].read(TechStack) if DESCRIBING[1] in findings else None
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
    """The ISO 3166 code of a country's name."""
    places = read_icp(IcpInput(geographies=(country,))).geographies if country else ()
    return places[0].countries[0] if places else None


def gaps(profile: Profile) -> tuple[str, ...]:
    """What the blueprint had to do without."""
    stated = {
        "industries": "No industry is named, so any counts.",
        "company_size": "No company size is named, so any counts.",
        "geographies": "No country is named, so any counts.",
        "technologies": "No technology is named, so the technographic points are general.",
        "personas": "No role is named to speak to.",
        "signals": "No signal is named, so the personalization points are general.",
    }
    empty = [text for name, text in stated.items() if not getattr(profile.icp, name)]
    unread = [f"Not understood: “{each.text}”." for each in profile.icp.not_understood]
    return (*empty, *unread, *profile.icp.contradictions, *profile.sources_missing)
