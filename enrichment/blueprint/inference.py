"""
Whom a company probably sells to, worked out from what is known of the company itself.

Every step names the fact that led to it. It is a guess from the vendor's trade, and its confidence says so.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from enrichment.blueprint.markets import Market, buyers, find_market, markets, occasions, roles
from enrichment.blueprint.values import Found, Icp, Industry, Persona, Place, Range, Signal, WantedTechnology
from enrichment.blueprint.wording import number, span

# A vendor's own headcount, up to which it mostly sells to companies of the size beside.
# fmt: off
SIZES: Final = (
    (50,        10,    250),
    (500,       50,    1_000),
    (5_000,     200,   5_000),
    (None,      1_000, None),
)
# fmt: on
ONLINE_SHOP: Final = frozenset({"ecommerce", "e-commerce", "ecommerce platform", "e-commerce platform"})

BY_INDUSTRY: Final = 0.5
BY_DESCRIPTION: Final = 0.4
BY_TECHNOLOGIES: Final = 0.2
BY_SIZE_OR_SEAT: Final = 0.4
TRADE_UNKNOWN: Final = 0.05
AGREEMENT: Final = 0.1
KNOWN_SIZE: Final = 0.08
KNOWN_COUNTRY: Final = 0.07
MOSTLY_CONSUMERS: Final = 0.5  # times what it would be for a vendor of companies
SIMULATED: Final = 0.6  # times what it would be for observed facts
ENOUGH: Final = 0.6  # from here on nothing is asked for


class CompanyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the company behind a website, made up if `simulated`. Technologies are (name, category)."""

    domain: str
    name: str | None = None
    industry: str | None = None
    employees: int | None = None
    country_code: str | None = None
    country: str | None = None
    technologies: tuple[tuple[str, str], ...] = ()
    description: str | None = None
    simulated: bool = False


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """
    An inferred profile, its confidence from 0 to 1, how it came about, and what would make it surer.

    The profile is empty, at confidence 0, where there is nothing to infer from.
    """

    icp: Icp
    confidence: float
    reasoning: tuple[str, ...]
    raise_confidence: tuple[str, ...]


class _Trade(NamedTuple):
    """What the company does, by which fact, and how sure that is."""

    market: Market
    fact: str
    confidence: float
    agrees: str | None = None


def infer(facts: CompanyFacts) -> Inference:
    """The profile of the companies that this one probably sells to."""
    if not (facts.industry or facts.description or facts.technologies):
        return Inference(icp=Icp(), confidence=0.0, reasoning=(), raise_confidence=tuple(_wanted(facts, 0.0)))
    trade = _trade(facts)
    size, place = _size(facts), _place(facts)
    if trade:
        icp = _with_market(trade, size, place)
        confidence = trade.confidence
    else:
        icp = Icp(company_size=size, geographies=place)
        confidence = 0.0 if icp.is_empty else TRADE_UNKNOWN
    confidence += KNOWN_SIZE * bool(size) + KNOWN_COUNTRY * bool(place)
    confidence = round(confidence * (SIMULATED if facts.simulated else 1), 2)
    return Inference(
        icp=icp,
        confidence=confidence,
        reasoning=tuple(_reasons(facts, trade, icp)),
        raise_confidence=tuple(_wanted(facts, confidence)),
    )


def _trade(facts: CompanyFacts) -> _Trade | None:
    """The industry decides; the description where there is none, or the industry is a wide one; at last an own shop."""
    told = find_market(facts.industry or "")
    described = find_market(facts.description or "")
    if told and not (told[0].general and described and described[0] != told[0]):
        fact = f'industry "{facts.industry}"'
        if described and described[0] == told[0]:
            agrees = f'"{described[1]}" in the description'
            return _weighed(_Trade(told[0], fact, BY_INDUSTRY + AGREEMENT, agrees))
        return _weighed(_Trade(told[0], fact, BY_INDUSTRY))
    if described:
        return _weighed(_Trade(described[0], f'"{described[1]}" in the description', BY_DESCRIPTION))
    shop = next((name for name, category in facts.technologies if category.casefold() in ONLINE_SHOP), None)
    return _weighed(_Trade(markets()["retail"], f"{shop} on the site", BY_TECHNOLOGIES)) if shop else None


def _weighed(trade: _Trade) -> _Trade:
    if trade.market.sells_to_companies:
        return trade
    return trade._replace(confidence=trade.confidence * MOSTLY_CONSUMERS)


def _with_market(trade: _Trade, size: tuple[Range, ...], place: tuple[Place, ...]) -> Icp:
    market, found = trade.market, _found(trade.fact, trade.confidence)
    industries = [buyers()[id_] for id_ in market.buyers]
    people = [roles()[id_] for id_ in market.personas]
    events = [occasions()[id_] for id_ in market.signals]
    return Icp(
        industries=tuple(
            Industry(id=one.id, name=one.name, naics=one.naics, sic=one.sic, found=found) for one in industries
        ),
        company_size=size,
        geographies=place,
        technologies=tuple(WantedTechnology(name=None, category=id_, found=found) for id_ in market.technologies),
        personas=tuple(
            Persona(id=one.id, title=one.title, department=one.department, seniority=one.seniority, found=found)
            for one in people
        ),
        signals=tuple(Signal(id=one.id, name=one.name, found=found) for one in events),
    )


def _size(facts: CompanyFacts) -> tuple[Range, ...]:
    if not facts.employees:
        return ()
    low, high = next((low, high) for most, low, high in SIZES if most is None or facts.employees <= most)
    return (Range(minimum=low, maximum=high, found=_found(f"headcount {number(facts.employees)}", BY_SIZE_OR_SEAT)),)


def _place(facts: CompanyFacts) -> tuple[Place, ...]:
    if not facts.country_code:
        return ()
    name = facts.country or facts.country_code
    return (Place(name=name, countries=(facts.country_code,), found=_found(f"seat in {name}", BY_SIZE_OR_SEAT)),)


def _found(fact: str, confidence: float) -> Found:
    return Found(field="inferred", text=fact, start=0, end=len(fact), confidence=confidence)


def _reasons(facts: CompanyFacts, trade: _Trade | None, icp: Icp) -> Iterator[str]:
    if facts.simulated:
        yield "The facts about the company are simulated, and tell nothing of the real one."
    if trade is None:
        yield "Nothing that is known tells the company's trade, so whom it sells to, and who decides there, stays open."
    else:
        names = ", ".join(one.name for one in icp.industries)
        usually = "such companies usually sell to these industries"
        if not trade.market.sells_to_companies:
            usually = "such companies sell mostly to consumers, and beside to these industries"
        yield f"{trade.fact[0].upper()}{trade.fact[1:]}: {usually}: {names}."
        if trade.agrees:
            yield f"The same is told by {trade.agrees}."
        yield f"Who decides there is usually one of these: {', '.join(one.title for one in icp.personas)}."
        yield f"Occasions to buy are usually these: {', '.join(one.name.lower() for one in icp.signals)}."
    for size in icp.company_size:
        wanted = span(size.minimum, size.maximum, currency=None)
        yield f"{size.found.text.capitalize()}: vendors of this size mostly sell to companies of {wanted} employees."
    for place in icp.geographies:
        yield f"S{place.found.text[1:]}: the home market comes first."


def _wanted(facts: CompanyFacts, confidence: float) -> Iterator[str]:
    """What would make the inference surer."""
    if confidence >= ENOUGH:
        return
    yield "Give the ideal customer profile in `icp`: it always goes before what is inferred."
    if not facts.industry:
        yield "The company's industry is not known."
    if not facts.description:
        yield "What the company sells is not known: a description on its homepage would tell."
    if not facts.employees:
        yield "The company's headcount is not known."
    if not facts.country_code:
        yield "The company's country is not known."
    if facts.simulated:
        yield "Observed facts in place of simulated ones (live sources) would count in full."
