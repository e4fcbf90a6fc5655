"""
Comparisons of a condition with a value that a module has found.

Each says whether the condition is met, or None if the value does not tell. What is absent from a list of things found
from outside is unknown: it may be there all the same.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from enrichment.modules.answers import (
    REVENUE_RANGES,
    CompanyContext,
    EventType,
    Financials,
    HiringSignals,
    TechStack,
    TriggerEvent,
)
from enrichment.modules.evidence import words
from enrichment.modules.icp_score import ConditionState
from enrichment.modules.module import Answer
from enrichment.modules.places import city_key, code_of_country, state_code
from enrichment.modules.playbook import find_product
from schemas import Condition

MAX_LISTED: Final = 5  # items of a list that a text names
SECTOR: Final = {"32": "31", "33": "31", "45": "44", "49": "48"}
"Sectors of NAICS that have more than one number, with the first of them."

PRODUCT_WORDS: Final = frozenset({"cloud", "cms", "crm", "enterprise", "platform", "plus", "pro"})
"Words that may follow the name of a product without making it another product."

ERROR: Final = 0.25
"How far an estimate may be from the truth, as a share of it."

AREA_WORDS: Final = frozenset({"area", "bay", "greater", "metro", "metropolitan", "region", "valley"})
"Words in the names of areas that consist of several cities."

HEADS: Final = frozenset({"c_level", "vp", "director", "head"})
"The levels of roles that `senior_roles` counts."

ONE_OF_A_KIND: Final = frozenset({"Ecommerce"})
"Categories of the playbook of which a company uses one product: with another one, it does not use this one."

# fmt: off
DEPARTMENT_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "customer_success":   frozenset({"success"}),
    "engineering":        frozenset({"engineering", "development", "software", "technology"}),
    "finance":            frozenset({"finance", "accounting"}),
    "hr":                 frozenset({"hr", "people", "human", "talent", "recruiting"}),
    "it":                 frozenset({"it", "information"}),
    "revenue_operations": frozenset({"revops", "revenue"}),
    "supply_chain":       frozenset({"supply", "logistics"}),
    "support":            frozenset({"support", "service"}),
}
"Words in the names of departments on job boards, by id of the department; for others, the words of the id."

ROLE_WORDS: Final = {
    "ceo": ("ceo", "chief executive"), "cfo": ("cfo", "chief financial"), "cto": ("cto", "chief technology"),
    "cio": ("cio", "chief information officer"), "cmo": ("cmo", "chief marketing"), "coo": ("coo", "chief operating"),
    "cro": ("cro", "chief revenue"), "cpo": ("cpo", "chief product", "chief people"), "chro": ("chro", "chief human"),
    "ciso": ("ciso", "chief information security"), "cdo": ("cdo", "chief digital", "chief data"),
    "vp": ("vp", "vice president"), "head": ("head", "vp", "vice president", "chief", "director"),
}
"How headlines write a role, by its first word."
# fmt: on

LAYOFF: Final = re.compile(
    r"\blay-?offs?\b|\blay(s|ing) off\b|\bjob cuts?\b|\bredundanc|\bcut(s|ting)? .{0,30}\bjobs\b", re.IGNORECASE
)
FLOTATION: Final = re.compile(r"\bIPO\b|\b[Ii]nitial public offering\b|\bgo(?:es|ing)? public\b")
STAGE: Final = re.compile(r"\b(pre-?seed|seed|series ([a-k]))\b", re.IGNORECASE)
AMOUNT: Final = re.compile(
    r"(?P<currency>US\$|[$€£]|USD |EUR |GBP )\s?(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>k|m|mn|million|bn?|billion)\b",
    re.IGNORECASE,
)
CURRENCIES: Final = {"us$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "usd": "USD", "eur": "EUR", "gbp": "GBP"}
UNITS: Final = {"k": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}


class Evidence(NamedTuple):
    """The value of a field, the answer that it is part of, and the day on which that was true."""

    value: Any
    answer: Any
    day: date


class Outcome(NamedTuple):
    """Whether a condition is met, the value found in words, and the reason."""

    state: ConditionState
    found: str
    reason: str


Comparison = Callable[[Condition, Evidence], Outcome | None]


class Check(NamedTuple):
    """A field of a module's answer that can tell about a measure, and how it is compared with a condition."""

    module: str
    shape: type[Answer]
    field: str
    compare: Comparison


# Numbers


def by_number(unit: str) -> Comparison:
    """Compare a number; `unit` is the format of the words for it."""

    def compare(condition: Condition, evidence: Evidence) -> Outcome | None:
        found = unit.format(evidence.value)
        if not _is_number(condition.value):
            return Outcome("met", found, "It is known.") if condition.operator == "exists" else None
        return _decided(condition, found, is_met=_is_in_range(condition, evidence.value))

    return compare


def by_revenue(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare an amount of the same currency; others are not converted."""
    financials: Financials = evidence.answer
    basis = f", {financials.basis}" if financials.basis else ""
    found = f"{evidence.value:,} {financials.currency or 'of an unknown currency'} a year{basis}"
    outcome = _by_amount(condition, evidence.value, financials.currency, found)
    if outcome and outcome.state == "not_met" and financials.basis == "estimated":
        near = (evidence.value * (1 - ERROR), evidence.value * (1 + ERROR))
        if any(_is_in_range(condition, each) for each in near):
            return Outcome("unknown", found, "The estimate is too near to the limit to tell.")
    return outcome


def by_revenue_range(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare a range of US dollars: it tells if all of it, or none of it, is in that of the condition."""
    floors = [(floor, name) for floor, name in REVENUE_RANGES if name == evidence.value]
    if not floors or not _is_number(condition.value):
        return None
    found = f"{evidence.value} a year"
    low = floors[0][0]
    ceilings = [floor for floor, _ in REVENUE_RANGES if floor > low]
    high = ceilings[0] - 1 if ceilings else None
    if condition.currency not in (None, "USD"):
        return Outcome("unknown", found, f"Amounts in USD are not converted to {condition.currency}.")
    least, most = _bounds(condition)
    is_above = high is not None and least is not None and high < least
    if is_above or (most is not None and low > most):
        return _decided(condition, found, is_met=False)
    if (least is None or low >= least) and (most is None or (high is not None and high <= most)):
        return _decided(condition, found, is_met=True)
    return Outcome("unknown", found, "The range is wider than that of the profile.")


def by_growth(target: str, *, is_yearly: bool) -> Comparison:
    """Compare the growth of a figure in percent; without a number in the profile, any growth will do."""

    def compare(condition: Condition, evidence: Evidence) -> Outcome | None:
        if condition.about.target not in (None, target):
            return None
        found = f"{target} {evidence.value:+g} % {'a year' if is_yearly else 'a month'}"
        if not _is_number(condition.value):
            return _decided(condition, found, is_met=evidence.value > 0)
        if not is_yearly:
            return Outcome("unknown", found, "Growth in a month does not tell that in a year.")
        return _decided(condition, found, is_met=_is_in_range(condition, evidence.value))

    return compare


# Industries and places


def by_naics(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare codes of NAICS. Sources classify roughly: a code of the same sector does not exclude the industry."""
    context: CompanyContext = evidence.answer
    code = evidence.value
    found = f"{context.industry} (NAICS {code})" if context.industry else f"NAICS {code}"
    if any(code.startswith(prefix) for prefix in condition.codes):
        return _decided(condition, found, is_met=True)
    sectors = {_sector(prefix) for prefix in condition.codes}
    if not sectors or _sector(code) in sectors or _same_words(condition.label, context.industry or ""):
        return None
    return _decided(condition, found, is_met=False)


def by_industry(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the words of the names. Sources name industries differently: another name does not exclude it."""
    if _same_words(condition.label, evidence.value):
        return _decided(condition, evidence.value, is_met=True)
    return Outcome("unknown", evidence.value, f"That does not tell whether it is {condition.label}.")


def by_country(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the country. One that a state or city lies in does not yet meet the condition."""
    code = code_of_country(evidence.value)
    wanted = {place[:2] for place in _codes_of_place(condition)}
    if code is None or not wanted:
        return None
    if code not in wanted:
        return _decided(condition, evidence.value, is_met=False)
    return _decided(condition, evidence.value, is_met=True) if condition.kind in (None, "country", "region") else None


def by_headquarters(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the city, and the state of the United States."""
    city, _, rest = evidence.value.partition(", ")
    state = state_code(rest)
    states = {code.removeprefix("US-") for code in _codes_of_place(condition) if code.startswith("US-")}
    is_there = state in states if state and states else None
    if condition.kind == "city":
        is_city = city_key(city) == city_key(condition.label.partition(",")[0])
        if is_city or is_there is False or not AREA_WORDS.intersection(words(condition.label)):
            return _decided(condition, evidence.value, is_met=is_city and is_there is not False)
    elif condition.kind == "subdivision" and is_there is not None:
        return _decided(condition, evidence.value, is_met=is_there)
    return Outcome("unknown", evidence.value, f"That does not tell whether it is in {condition.label}.")


def by_seat(compare_seat: Comparison) -> Comparison:
    """Compare the seat: a company has an office there; whether it has others is unknown."""

    def compare(condition: Condition, evidence: Evidence) -> Outcome | None:
        outcome = compare_seat(condition, evidence)
        if outcome is None or outcome.state == "met":
            return outcome
        return Outcome("unknown", f"seat in {evidence.value}", "Other offices are not known.")

    return compare


# Ownership and funding


def by_ownership(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare whether the shares are listed; who owns a private company is unknown."""
    is_public = evidence.value in ("public", True)
    found = "its shares are listed" if is_public else "its shares are not listed"
    wanted = {str(condition.value), *condition.codes}
    if wanted & {"public", "listed"}:
        return _decided(condition, found, is_met=is_public)
    if str(condition.value) in ("private", "privately_held"):
        return _decided(condition, found, is_met=not is_public)
    return None


def by_stage(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the stage that the headline of the newest funding round names."""
    rounds = [event for event in evidence.value if event.type == "funding" and STAGE.search(event.headline)]
    if not rounds:
        return None
    match = STAGE.search(rounds[0].headline)
    stage = match[1].lower().replace("-", "_").replace(" ", "_") if match else ""
    stage = "pre_seed" if stage == "preseed" else stage
    return _decided(condition, _event(rounds[0]), is_met=stage in {str(condition.value), *condition.codes})


def by_round(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the time, and if one is named the amount, of the newest funding round."""
    outcome = by_events("funding")(condition, evidence)
    if outcome.state != "met" or not _is_number(condition.value):
        return outcome
    event = next(event for event in evidence.value if event.type == "funding")
    amounts = list(AMOUNT.finditer(event.headline))
    if len(amounts) != 1:
        return Outcome("unknown", _event(event), "Its headline names no amount.")
    amount, currency = _amount(amounts[0])
    return _by_amount(condition, amount, currency, _event(event))


def by_funding(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the amounts of known rounds: what a company has raised in all is at least the largest of them."""
    least, most = _bounds(condition) if _is_number(condition.value) else (None, None)
    for event in evidence.value:
        amounts = list(AMOUNT.finditer(event.headline)) if event.type == "funding" else []
        if len(amounts) != 1:
            continue
        amount, currency = _amount(amounts[0])
        if currency != condition.currency:
            continue
        if most is not None and amount > most:
            return _decided(condition, _event(event), is_met=False)
        if most is None and least is not None and amount >= least:
            return _decided(condition, _event(event), is_met=True)
    return None


# Technologies


def by_product(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Look for a product. One that was not detected may be in use, unless another of a kind is that is used alone."""
    stack: TechStack = evidence.answer
    for technology in stack.technologies:
        if _is_product(technology.name, str(condition.value)):
            return _decided(condition, f"{technology.name} ({technology.category})", is_met=True)
    wanted = find_product(str(condition.value))
    for technology in stack.technologies if wanted and wanted.category in ONE_OF_A_KIND else ():
        other = find_product(technology.name)
        if other and wanted and other.category == wanted.category:
            return _decided(condition, f"{technology.name} ({technology.category}) instead", is_met=False)
    return _not_detected([technology.name for technology in stack.technologies])


def by_mention(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Look for a product in job postings. A posting may name products that the company does not use."""
    named = [name for name in evidence.value if _is_wanted(name, condition)]
    if not named:
        return None
    found = f"job postings mention {named[0]}"
    if condition.strength == "must_not":
        return Outcome("unknown", found, "A posting may name products that the company does not use.")
    return _decided(condition, found, is_met=True)


def by_category(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Look for a product of a category."""
    stack: TechStack = evidence.answer
    for technology in stack.technologies:
        if _is_wanted(technology.name, condition) or _same_words(condition.label, technology.category):
            return _decided(condition, f"{technology.name} ({technology.category})", is_met=True)
    return _not_detected([technology.name for technology in stack.technologies])


# Roles and events


def by_roles(condition: Condition, evidence: Evidence) -> Outcome | None:
    """Compare the number of open roles, or look for those of a department. Titles and places are not reported."""
    signals: HiringSignals = evidence.answer
    total = evidence.value
    about = condition.about
    if not total:
        return _decided(condition, "no open roles", is_met=False)
    found = f"{total:,} open roles"
    if about.seniority in HEADS and signals.senior_roles == 0:
        return _decided(condition, f"{found}, none for heads of departments or above", is_met=False)
    if about.department:
        wanted = _department_words(condition)
        rows = [row for row in signals.roles_by_department if wanted.intersection(words(row.department))]
        found = ", ".join([found, *(f"{row.open_roles:,} in {row.department}" for row in rows)])
        total = sum(row.open_roles for row in rows)
        if not total:
            return Outcome("unknown", found, f"No department is reported that is known to be {about.department}.")
    if (about.role and not _is_any_role(condition)) or about.place:
        return Outcome("unknown", found, "The titles and places of the roles are not reported.")
    if _is_number(condition.value):
        return _decided(condition, found, is_met=_is_in_range(condition, total))
    return _decided(condition, found, is_met=True)


def by_events(*types: EventType, pattern: re.Pattern[str] | None = None) -> Callable[[Condition, Evidence], Outcome]:
    """Look for an event of these types (of any, if none are given) in the period of the condition."""

    def compare(condition: Condition, evidence: Evidence) -> Outcome:
        of_type = [
            event
            for event in evidence.value
            if (not types or event.type in types) and (pattern is None or pattern.search(event.headline))
        ]
        if not of_type:
            found = f"none among {len(evidence.value)} events of the past year"
            return Outcome("unknown", found, "Not every event is published, or found.")
        fitting = [event for event in of_type if _is_about(condition, event)]
        if not fitting:
            return Outcome("unknown", _event(of_type[0]), "Its headline does not name what the profile asks for.")
        event = max(fitting, key=lambda each: each.date)
        days = condition.about.within_days
        if days is not None and date.fromisoformat(event.date) < evidence.day - timedelta(days=days):
            return Outcome("unknown", _event(event), f"It is older than {days} days; a newer one is not known.")
        return _decided(condition, _event(event), is_met=True)

    return compare


# What they share


def _is_any_role(condition: Condition) -> bool:
    """Whether the role is any of its department: an "engineer" in engineering."""
    role = " ".join(words(condition.about.role or ""))
    return any(word.startswith(role) for word in _department_words(condition))


def _department_words(condition: Condition) -> frozenset[str]:
    department = condition.about.department or ""
    return DEPARTMENT_WORDS.get(department, frozenset(words(department)))


def _event(event: TriggerEvent) -> str:
    return f"{event.date}: {event.headline}"


def _decided(condition: Condition, found: str, *, is_met: bool) -> Outcome:
    return Outcome("met" if is_met else "not_met", found, f"Found: {found}. Wanted: {condition.label}.")


def _not_detected(names: list[str]) -> Outcome | None:
    if not names:
        return None
    listed = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    return Outcome("unknown", f"not among {len(names)} detected: {listed}", "What was not detected may be in use.")


def _is_number(value: object) -> bool:
    if isinstance(value, tuple):
        return all(one is None or _is_number(one) for one in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _bounds(condition: Condition) -> tuple[float | None, float | None]:
    """Return the lowest and the highest number that meet the condition; None is an open end."""
    value: Any = condition.value
    if isinstance(value, tuple):
        return value[0], value[-1]
    return {"gte": (value, None), "lte": (None, value)}.get(condition.operator, (value, value))


def _is_in_range(condition: Condition, number: float) -> bool:
    least, most = _bounds(condition)
    return (least is None or number >= least) and (most is None or number <= most)


def _by_amount(condition: Condition, amount: float, currency: str | None, found: str) -> Outcome | None:
    if not _is_number(condition.value):
        return None
    wanted = condition.currency or "USD"
    if currency != wanted:
        return Outcome(
            "unknown", found, f"Amounts in {currency or 'an unknown currency'} are not converted to {wanted}."
        )
    return _decided(condition, found, is_met=_is_in_range(condition, amount))


def _amount(match: re.Match[str]) -> tuple[float, str]:
    """Return the amount and the currency of a match of `AMOUNT`."""
    return float(match["number"]) * UNITS[match["unit"].lower()], CURRENCIES[match["currency"].strip().lower()]


def _sector(code: str) -> str:
    return SECTOR.get(code[:2], code[:2])


def _same_words(one: str, other: str) -> bool:
    """Whether all words of one text are in the other."""
    first, second = set(words(one.replace("-", ""))), set(words(other.replace("-", "")))
    return bool(first and second) and (first <= second or second <= first)


def _codes_of_place(condition: Condition) -> tuple[str, ...]:
    """Return the codes of the countries, or of their subdivisions (ISO 3166-2), that the condition names."""
    return condition.codes or ((condition.about.place,) if condition.about.place else ())


def _is_product(detected: str, wanted: str) -> bool:
    """Whether a detected name is that of the product: the same words, perhaps with a word such as "CRM" after them."""
    target = words(wanted)
    return any(
        name[: len(target)] == target and PRODUCT_WORDS.issuperset(name[len(target) :]) for name in _names(detected)
    )


@functools.lru_cache(maxsize=4_096)
def _names(detected: str) -> tuple[tuple[str, ...], ...]:
    """The words of a detected name, and of its parts: "Adobe Commerce (Magento)". The same ones occur everywhere."""
    return tuple(words(name) for name in (detected, *re.split(r"[()/]", detected)))


def _is_wanted(detected: str, condition: Condition) -> bool:
    """Whether a detected name is that of the product, or of one of the products of the category."""
    return any(_is_product(detected, name) for name in (str(condition.value), *condition.codes))


def _is_about(condition: Condition, event: TriggerEvent) -> bool:
    """Whether the headline names the role and the place of the condition, as far as it has them."""
    about = condition.about
    headline = " ".join(words(event.headline))
    places = (about.place.replace("_", " ").casefold(),) if about.place else ()
    return _names_role(about.role, headline) and all(place in headline for place in places)


def _names_role(role: str | None, headline: str) -> bool:
    if not role:
        return True
    first, *rest = words(role)
    spellings: Iterable[str] = ROLE_WORDS.get(first, (first,))
    topics = [word for word in rest if word not in ("of", "the", "and", "officer")]
    named = set(headline.split())
    return any(f" {spelling} " in f" {headline} " for spelling in spellings) and named.issuperset(topics)
