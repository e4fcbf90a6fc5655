"""
Inference of a customer profile from facts about the vendor, by the rules in `markets.json`.

Every criterion names the fact it was inferred from. The result is a guess, and its confidence reflects that.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from enrichment.blueprint.wording import format_number, format_range
from enrichment.icp.drafts import number_label
from enrichment.icp.meanings.events import SIGNALS
from enrichment.icp.vocabulary import Entry, vocabulary
from schemas import (
    Condition,
    ConditionAbout,
    ConditionOperator,
    ConditionQuote,
    ConditionValue,
    CustomerProfile,
    Measure,
)

# A vendor with at most this many employees usually sells to companies of this size.
# fmt: off
SIZES: Final = (
    (50,        10,    250),
    (500,       50,    1_000),
    (5_000,     200,   5_000),
    (None,      1_000, None),
)
# fmt: on
ECOMMERCE_CATEGORIES: Final = frozenset({"ecommerce", "e-commerce", "ecommerce platform", "e-commerce platform"})

# The confidence of a market by the kind of fact that it was found with, or if it is unknown.
BY_INDUSTRY: Final = 0.5
BY_DESCRIPTION: Final = 0.4
BY_TECHNOLOGIES: Final = 0.2
MARKET_UNKNOWN: Final = 0.05
# Added to it.
AGREEMENT: Final = 0.1
SIZE_KNOWN: Final = 0.08
COUNTRY_KNOWN: Final = 0.07
# Multiplied with it.
CONSUMER_MARKET: Final = 0.5
SIMULATED: Final = 0.6

BY_SIZE_OR_COUNTRY: Final = 0.4  # the confidence of the criteria inferred from these
SUFFICIENT: Final = 0.6  # no further information is requested from this confidence on


class CompanyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the company behind a website. Technologies are pairs of a name and a category."""

    domain: str
    name: str | None = None
    industry: str | None = None
    employees: int | None = None
    country_code: str | None = None
    country: str | None = None
    technologies: tuple[tuple[str, str], ...] = ()
    description: str | None = None
    simulated: bool = False


class Market(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The usual customers of vendors in an industry, found by `words`. The other lists contain ids of the vocabulary.

    If the vendors do not sell to companies in the first place, `buyers` are their business customers. The description
    of a vendor overrides a `general` market.
    """

    id: str
    words: tuple[str, ...]
    buyers: tuple[str, ...]
    personas: tuple[str, ...]
    signals: tuple[str, ...]
    technologies: tuple[str, ...]
    sells_to_companies: bool
    general: bool


class MarketMatch(NamedTuple):
    """The market of a vendor, the fact it was found with, another fact that agrees, and the confidence."""

    market: Market
    fact: str
    confidence: float
    agreement: str | None = None


def infer(facts: CompanyFacts) -> CustomerProfile:
    """
    Infer the profile of the companies that this one probably sells to.

    If the facts are insufficient, the profile has no criteria and a confidence of 0.
    """
    if not (facts.industry or facts.description or facts.technologies):
        return CustomerProfile(origin="inferred", read_by="inference", raise_confidence=tuple(_requests(facts, 0.0)))
    match = _match_market(facts)
    size, place = _size(facts), _place(facts)
    market = tuple(_market_conditions(match)) if match else ()
    conditions = (*market, *size, *place)
    profile = CustomerProfile(origin="inferred", read_by="inference", conditions=_numbered(conditions))
    confidence = match.confidence if match else MARKET_UNKNOWN if size or place else 0.0
    confidence += SIZE_KNOWN * bool(size) + COUNTRY_KNOWN * bool(place)
    confidence = round(confidence * (SIMULATED if facts.simulated else 1), 2)
    return msgspec.structs.replace(
        profile,
        confidence=confidence,
        reasoning=tuple(_reasons(facts, match, profile)),
        raise_confidence=tuple(_requests(facts, confidence)),
    )


# The market


@functools.cache
def markets() -> dict[str, Market]:
    """Load all markets by id; specific ones come before general ones."""
    content = Path(__file__).with_name("markets.json").read_bytes()
    return {one.id: one for one in msgspec.json.decode(content, type=tuple[Market, ...])}


@functools.cache
def industries() -> dict[str, Entry]:
    """The industries of the vocabulary by id."""
    return {one.id: one for one in vocabulary().by_id("industry")}


@functools.cache
def roles() -> dict[str, Entry]:
    """The roles of the vocabulary by id."""
    return {one.id: one for one in vocabulary().by_id("role")}


@functools.cache
def signals() -> dict[str, str]:
    """The names of the signals of the vocabulary by id; hiring is a measure of its own."""
    return {"hiring": "Hiring", **{one.id: one.label for one in vocabulary().by_id("signal")}}


def find_market(text: str) -> tuple[Market, str] | None:
    """Find the first market with a word that the text contains; return the market and the word."""
    folded = text.casefold()
    for market in markets().values():
        for word in market.words:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", folded):
                return market, word
    return None


def _match_market(facts: CompanyFacts) -> MarketMatch | None:
    """
    Find the market of a vendor by its industry.

    The description is used if the industry is unknown or its market is general, and an online shop if both are unknown.
    """
    by_industry = find_market(facts.industry or "")
    by_description = find_market(facts.description or "")
    if by_industry and not (by_industry[0].general and by_description and by_description[0] != by_industry[0]):
        fact = f'industry "{facts.industry}"'
        if by_description and by_description[0] == by_industry[0]:
            agreement = f'"{by_description[1]}" in the description'
            return _weighted(MarketMatch(by_industry[0], fact, BY_INDUSTRY + AGREEMENT, agreement))
        return _weighted(MarketMatch(by_industry[0], fact, BY_INDUSTRY))
    if by_description:
        market, word = by_description
        return _weighted(MarketMatch(market, f'"{word}" in the description', BY_DESCRIPTION))
    shop = next((name for name, category in facts.technologies if category.casefold() in ECOMMERCE_CATEGORIES), None)
    return _weighted(MarketMatch(markets()["retail"], f"{shop} on the site", BY_TECHNOLOGIES)) if shop else None


def _weighted(match: MarketMatch) -> MarketMatch:
    if match.market.sells_to_companies:
        return match
    return match._replace(confidence=match.confidence * CONSUMER_MARKET)


# The criteria


def _market_conditions(match: MarketMatch) -> Iterator[Condition]:
    """The usual customers of the market. Technologies, roles and signals are wishes: they are guesses."""
    market = match.market
    for one in (industries()[id_] for id_ in market.buyers):
        yield _condition(Measure.INDUSTRY, one.id, one.label, match.fact, match.confidence, codes=one.codes)
    for category in (one for one in vocabulary().by_id("category") if one.id in market.technologies):
        yield _condition(
            Measure.TECHNOLOGY_CATEGORY, category.id, category.label, match.fact, match.confidence,
            strength="should", codes=category.codes,
        )  # fmt: skip
    for one in (roles()[id_] for id_ in market.personas):
        about = ConditionAbout(department=one.department, seniority=one.seniority)
        yield _condition(
            Measure.PERSONA, one.label, one.label, match.fact, match.confidence, strength="should", about=about
        )
    for id_ in market.signals:
        measure = Measure.HIRING if id_ == "hiring" else SIGNALS.get(id_, Measure.SIGNAL)
        operator: ConditionOperator = "eq" if measure is Measure.SIGNAL else "exists"
        value: ConditionValue = id_ if measure is Measure.SIGNAL else True
        yield _condition(
            measure, value, signals()[id_], match.fact, match.confidence, operator=operator, strength="should"
        )


def _size(facts: CompanyFacts) -> tuple[Condition, ...]:
    if not facts.employees:
        return ()
    low, high = next((low, high) for largest, low, high in SIZES if largest is None or facts.employees <= largest)
    fact = f"headcount {format_number(facts.employees)}"
    operator: ConditionOperator = "gte" if high is None else "between"
    value: ConditionValue = low if high is None else (low, high)
    label = number_label(Measure.HEADCOUNT, operator, value, None, "employees")
    return (_condition(Measure.HEADCOUNT, value, label, fact, BY_SIZE_OR_COUNTRY, operator=operator, unit="employees"),)


def _place(facts: CompanyFacts) -> tuple[Condition, ...]:
    if not facts.country_code:
        return ()
    name, code = facts.country or facts.country_code, facts.country_code
    condition = _condition(Measure.HEADQUARTERS, code, name, f"seat in {name}", BY_SIZE_OR_COUNTRY, codes=(code,))
    return (msgspec.structs.replace(condition, kind="country"),)


def _condition(
    measure: Measure, value: ConditionValue, label: str, fact: str, confidence: float, **more: Any
) -> Condition:
    """A condition whose quote is the fact that it was inferred from."""
    return Condition(
        id="",
        measure=measure,
        operator=more.pop("operator", "eq"),
        value=value,
        label=label,
        any_of=0,
        quote=ConditionQuote(text=fact, start=0, end=len(fact), field="inferred"),
        confidence=round(confidence, 2),
        **more,
    )


def _numbered(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The conditions with ids; those of a measure, and all the signals, are alternatives."""
    groups: dict[object, int] = {}
    numbered = []
    for number, one in enumerate(conditions, 1):
        key = "signals" if one.operator == "exists" or one.measure is Measure.SIGNAL else one.measure
        group = groups.setdefault(key, len(groups) + 1)
        numbered.append(msgspec.structs.replace(one, id=f"c{number}", any_of=group))
    return tuple(numbered)


# The explanation


def _reasons(facts: CompanyFacts, match: MarketMatch | None, profile: CustomerProfile) -> Iterator[str]:
    if facts.simulated:
        yield "The facts about the company are simulated, and tell nothing of the real one."
    if match is None:
        yield "Nothing that is known tells the company's trade, so whom it sells to, and who decides there, stays open."
    else:
        names = ", ".join(_labels(profile, Measure.INDUSTRY))
        usually = "such companies usually sell to these industries"
        if not match.market.sells_to_companies:
            usually = "such companies sell mostly to consumers, and beside to these industries"
        yield f"{match.fact[0].upper()}{match.fact[1:]}: {usually}: {names}."
        if match.agreement:
            yield f"The same is told by {match.agreement}."
        yield f"Who decides there is usually one of these: {', '.join(_labels(profile, Measure.PERSONA))}."
        occasions = ", ".join(signals()[id_].lower() for id_ in match.market.signals)
        yield f"Occasions to buy are usually these: {occasions}."
    for one in profile.conditions:
        if one.measure is Measure.HEADCOUNT:
            low, high = one.value if isinstance(one.value, tuple) else (one.value, None)
            wanted = format_range(int(str(low)), int(str(high)) if high else None, currency=None)
            yield f"{one.quote.text.capitalize()}: vendors of this size mostly sell to companies of {wanted} employees."
        if one.measure is Measure.HEADQUARTERS:
            yield f"S{one.quote.text[1:]}: the home market comes first."


def _labels(profile: CustomerProfile, measure: Measure) -> list[str]:
    return [one.label for one in profile.conditions if one.measure is measure]


def _requests(facts: CompanyFacts, confidence: float) -> Iterator[str]:
    """List the information that would raise the confidence."""
    if confidence >= SUFFICIENT:
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
