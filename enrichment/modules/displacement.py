"""
Which product in use at a company could be replaced, and how to speak of it there.
"""

import functools
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import msgspec

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
from enrichment.modules.case_study_match import any_simulated, known, why_missing, words
from enrichment.modules.icp_score import IcpScore
from enrichment.modules.module import Answer, Subject

Priority = Literal["high", "medium", "low"]

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
PRIORITIES: Final[dict[str, Priority]] = {"A": "high", "B": "medium", "C": "low", "D": "low"}
MAX_EVENTS: Final = 3

# What confidence is made of; all of it is less than 1, as no rule knows what people there think.
SEEN: Final = 0.35  # a product to replace
NOT_SEEN: Final = 0.1
PER_MODULE: Final = 0.07  # that has a signal; there are five
SCORED: Final = 0.15  # by m14, times its own confidence
RIVALS: Final = 0.1  # less if two products of the category were seen: which of them is in charge?
GREENFIELD_LIMIT: Final = 0.3


class Area(NamedTuple):
    """A job that products do: the departments and topics it has to do with, and what to ask about it."""

    departments: frozenset[str]
    topics: frozenset[str]
    questions: tuple[str, ...]


class Play(NamedTuple):
    """A product, by all its names, and what it tends to cost its owner."""

    category: str
    names: str
    burden: str
    cost: str


# fmt: off
AREAS: Final = {
    "search": Area(
        frozenset({"engineering", "product", "data", "digital", "ecommerce"}),
        frozenset({"digital", "customer", "experience", "artificial", "personalization", "online"}),
        ("Who changes the ranking of results, and how long does a change take?",
         "How many searches end without a result, and who looks at them?")),
    "commerce": Area(
        frozenset({"engineering", "product", "digital", "ecommerce", "sales"}),
        frozenset({"digital", "online", "ordering", "booking", "growth", "customer"}),
        ("Which changes to the shop have to wait for a release?",
         "What does a year of the platform cost, with partners and extensions?")),
    "CMS": Area(
        frozenset({"marketing", "engineering", "digital", "content"}),
        frozenset({"digital", "customer", "experience", "online", "channels"}),
        ("How long does a new page take from the idea to the visitor?",
         "Which version is in use, and when is the next upgrade due?")),
    "personalization": Area(
        frozenset({"marketing", "data", "digital", "product"}),
        frozenset({"personalization", "loyalty", "experience", "customer"}),
        ("Which part of the visitors sees anything made for them?", "How is it measured what that brings?")),
    "marketing automation": Area(
        frozenset({"marketing", "sales", "digital"}),
        frozenset({"loyalty", "retention", "growth", "customer"}),
        ("Which campaigns cannot be built without help?", "How does the price follow the number of contacts?")),
    "analytics": Area(
        frozenset({"data", "marketing", "digital", "product"}),
        frozenset({"artificial", "growth", "margins", "digital"}),
        ("Which decisions wait for a report?", "Who trusts the figures, and who keeps their own?")),
    "CRM": Area(
        frozenset({"sales", "marketing", "service"}),
        frozenset({"customer", "client", "retention", "relationships"}),
        ("What do people keep outside of it, and why?", "Who may change a field, and how long does that take?")),
    "support": Area(
        frozenset({"service", "support", "operations"}),
        frozenset({"customer", "self", "service", "cost", "patient", "guest"}),
        ("Which questions come again and again?", "How many of them could the website have answered?")),
}

# In order of preference: what stands above is spoken of rather than what stands below.
PLAYBOOK: Final = tuple(Play(*row) for row in (
    ("search", "Elasticsearch, Elastic Search, OpenSearch", "effort",
        "ranking, synonyms and the cluster's upkeep are work for its own engineers"),
    ("search", "Apache Solr, Solr", "effort", "each change of the ranking is a change of configuration by specialists"),
    ("search", "Oracle Endeca, Endeca", "rigidity", "it is an old product, and few people are left who know it well"),
    ("search", "Google Programmable Search, Google Custom Search", "rigidity",
        "its owner does not choose what comes first"),
    ("search", "Swiftype, Elastic Site Search, Elastic App Search", "rigidity", "little but weights can be adjusted"),
    ("search", "Lucidworks", "licence", "it needs both a licence and people who run it"),
    ("search", "Coveo", "licence", "the licence grows with the queries, and setting it up takes trained people"),
    ("search", "Algolia", "licence", "the price follows records and requests, so success makes it dearer"),
    ("search", "Klevu, Searchspring", "relevance", "what it can rank by is mostly what the shop's feed holds"),
    ("search", "Meilisearch, Typesense", "effort", "whoever hosts it looks after growth and failures as well"),
    ("commerce", "Oracle Commerce, Oracle ATG", "rigidity", "it is an old product, and changes to it are projects"),
    ("commerce", "WebSphere Commerce, HCL Commerce", "rigidity", "upgrades are projects, and specialists are rare"),
    ("commerce", "SAP Commerce, SAP Hybris, Hybris", "effort", "changes need specialists, and upgrades are projects"),
    ("commerce", "Magento, Adobe Commerce", "effort", "extensions have to be kept in step with each security release"),
    ("commerce", "Salesforce Commerce Cloud, Demandware", "licence", "the price is commonly a share of what is sold"),
    ("commerce", "WooCommerce", "effort", "speed and safety depend on plug-ins of many makers"),
    ("commerce", "PrestaShop, Shopware", "effort", "plug-ins have to be kept in step with the shop"),
    ("commerce", "BigCommerce", "rigidity", "what the platform does not foresee is built around it"),
    ("commerce", "Shopify", "rigidity", "what the platform does not foresee takes paid apps"),
    ("CMS", "Adobe AEM, Adobe Experience Manager, AEM", "licence",
        "both licence and specialists are considerable costs"),
    ("CMS", "Sitecore", "licence", "the licence is considerable, and upgrades between versions are projects"),
    ("CMS", "Drupal", "effort", "major versions are migrations, and modules have to follow"),
    ("CMS", "Joomla, TYPO3", "effort", "extensions have to be kept in step with each version"),
    ("CMS", "WordPress", "effort", "speed and safety depend on plug-ins of many makers"),
    ("CMS", "Contentful", "licence", "the price follows users and content, and the front end is still to be built"),
    ("personalization", "Adobe Target", "licence", "it pays only for those who use the rest of the suite"),
    ("personalization", "Monetate, Dynamic Yield", "effort", "rules have to be written and kept up by people"),
    ("personalization", "Nosto, Barilliance, Clerk.io", "relevance", "it works with what the shop's feed holds"),
    ("marketing automation", "Marketo, Adobe Marketo Engage", "effort", "campaigns need people trained for it"),
    ("marketing automation", "Eloqua, Oracle Eloqua", "effort", "campaigns need people trained for it"),
    ("marketing automation", "Salesforce Marketing Cloud, Pardot", "licence", "each channel is a licence of its own"),
    ("marketing automation", "HubSpot, Mailchimp, Klaviyo", "licence", "the price follows the number of contacts"),
    ("analytics", "Adobe Analytics", "licence", "the price follows traffic, and reports need trained people"),
    ("analytics", "Google Analytics", "rigidity", "long histories and raw data take other tools"),
    ("analytics", "Matomo", "effort", "whoever hosts it looks after growth as well"),
    ("CRM", "Salesforce", "licence", "the price follows seats and add-ons, and changes need administrators"),
    ("CRM", "Microsoft Dynamics 365, Microsoft Dynamics", "effort", "changes are commonly made by partners"),
    ("CRM", "HubSpot CRM, Zoho CRM, Pipedrive", "rigidity", "what sales needs beyond the standard is kept elsewhere"),
    ("support", "ServiceNow, Genesys", "licence", "licence and specialists are sized for the largest"),
    ("support", "Zendesk, Freshdesk, Intercom", "licence", "the price follows agents, whether questions recur or not"),
))
# fmt: on
NAMES: Final = [(words(name), play) for play in PLAYBOOK for name in play.names.split(", ")]

# What may follow from an event.
EVENTS: Final = {
    "funding": "New money comes with plans; ask which of them the website is part of.",
    "acquisition": "Two companies' systems have to become one, and each is questioned meanwhile.",
    "expansion": "A new market asks for what the present set-up was not made for.",
    "leadership_change": "Who is new looks at what is there without having chosen it.",
    "product_launch": "A new product has to be found by those who look for it.",
    "restructuring": "Costs are looked at, those of software among them.",
    "earnings": "The figures are fresh; tie the talk to what they were explained by.",
    "partnership": "Partners want to be connected, which shows what the systems can do.",
}
IMPACTS: Final = {"high": 0, "medium": 1, "low": 2}


class Incumbent(msgspec.Struct, frozen=True, kw_only=True):
    """The product to replace, by the name that it was seen under."""

    name: str
    category: str


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to speak now."""

    signal: str
    module: str
    detail: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that talking points cite by `id`, and the module that found it."""

    id: str
    module: str
    fact: str


class DisplacementAngle(Answer, frozen=True, kw_only=True):
    """
    What to talk about, and what for. Without an `incumbent` nothing was seen that could be replaced.

    `talking_points` name their evidence in brackets; `alternatives_to_probe` are the other products that could be
    replaced; `priority` is None if there is no score to tell it by. `confidence` is from 0 to 1, its reasons sum to it.
    """

    incumbent: Incumbent | None
    angle: str
    talking_points: tuple[str, ...]
    signals: tuple[Signal, ...]
    alternatives_to_probe: tuple[str, ...]
    questions: tuple[str, ...]
    priority: Priority | None
    confidence: float
    confidence_reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    method: Literal["rules"] = "rules"


class Clue(NamedTuple):
    """A signal, the fact behind it, and what to make of it."""

    signal: str
    module: str
    fact: str
    point: str


class Figure(NamedTuple):
    """A number that is worth a word if `is_told` says so."""

    signal: str
    module: str
    kind: type[Answer]
    field: str
    is_told: Callable[[float], bool]
    fact: str
    point: str


# fmt: off
FIGURES: Final = (
    Figure("traffic_growing", "m03_traffic", Traffic, "month_over_month_growth_percent", lambda percent: percent >= 5,
        "Visits {:+} % in a month", "Traffic grows; what does not scale, or is paid by volume, will be felt."),
    Figure("traffic_falling", "m03_traffic", Traffic, "month_over_month_growth_percent", lambda percent: percent <= -5,
        "Visits {:+} % in a month", "Traffic falls, so more has to come of each visit."),
    Figure("visits_cut_short", "m03_traffic", Traffic, "bounce_rate", lambda percent: percent >= 55,
        "Bounce rate {} %", "Many visits end on the page they began with; ask what those people were looking for."),
    Figure("revenue_growing", "m07_financials", Financials, "revenue_growth_percent", lambda percent: percent >= 10,
        "Revenue {:+} % a year", "Revenue grows fast; speak of what will not keep up."),
    Figure("revenue_falling", "m07_financials", Financials, "revenue_growth_percent", lambda percent: percent < 0,
        "Revenue {:+} % a year", "Revenue falls; speak of what pays for itself within the year."),
    Figure("thin_margin", "m07_financials", Financials, "operating_margin_percent", lambda percent: percent < 5,
        "Operating margin {} %", "Margins are thin; speak of the whole cost, licence and work together."),
)
# fmt: on


class Seen(NamedTuple):
    """A product of the playbook, by the name that it was seen under."""

    play: Play
    name: str


@functools.lru_cache(maxsize=4_096)
def play_of(name: str) -> Play | None:
    """The product behind a name: that named first in it, and at the greatest length."""
    text = words(name)
    for start in range(len(text)):
        named = [row for row in NAMES if text[start : start + len(row[0])] == row[0]]
        if named:
            return max(named, key=lambda row: len(row[0]))[1]
    return None


def derive(subject: Subject) -> DisplacementAngle:
    """The product highest in the playbook, and what speaks for talking of it now."""
    stack = known(subject, "m02_tech_stack", TechStack)
    if stack is None:
        why = why_missing(subject, "m02_tech_stack")
        raise InsufficientInput(f"Without technologies there is nothing to replace. m02_tech_stack: {why}")
    seen = _seen(stack)
    first = seen[0] if seen else None
    area = AREAS[first.play.category if first else "search"]
    clues = [
        *_hiring(subject, area, first),
        *_events(subject),
        *_figures(subject),
        *_topics(subject, area),
    ]
    facts = [_start(stack, first), *clues]
    score = known(subject, "m14_icp_scoring", IcpScore)
    reasons = _reasons(seen, clues, score)
    return DisplacementAngle(
        simulated=any_simulated(subject, USED),
        incumbent=Incumbent(name=first.name, category=first.play.category) if first else None,
        angle=_angle(subject, first, clues),
        talking_points=tuple(f"{clue.point} [e{number}]" for number, clue in enumerate(facts, start=1)),
        signals=tuple(Signal(signal=clue.signal, module=clue.module, detail=clue.fact) for clue in clues),
        alternatives_to_probe=tuple(f"{other.name} ({other.play.category})" for other in seen[1:]),
        questions=area.questions,
        priority=PRIORITIES.get(score.tier) if score else None,
        confidence=round(sum(amount for amount, _ in reasons), 2),
        confidence_reasons=tuple(f"{amount:+.2f}: {why}" for amount, why in reasons),
        evidence=tuple(
            Evidence(id=f"e{number}", module=clue.module, fact=clue.fact) for number, clue in enumerate(facts, start=1)
        ),
    )


def _seen(stack: TechStack) -> list[Seen]:
    """The products of the playbook that are in use, in its order, each once."""
    names = {play: technology.name for technology in stack.technologies if (play := play_of(technology.name))}
    return [Seen(play, names[play]) for play in PLAYBOOK if play in names]


def _start(stack: TechStack, first: Seen | None) -> Clue:
    """What all else rests on."""
    if first is None:
        point = "No product that the playbook knows was seen, so ask what the website runs on before speaking of any."
        return Clue(
            "incumbent", "m02_tech_stack", f"{len(stack.technologies)} technologies, none of the playbook", point
        )
    point = f"{first.name} for {first.play.category}: typically, {first.play.cost}."
    return Clue("incumbent", "m02_tech_stack", f"{first.name} was seen in use", point)


def _angle(subject: Subject, first: Seen | None, clues: list[Clue]) -> str:
    context = known(subject, "m01_company_context", CompanyContext)
    company = (context.company_name if context else None) or subject.domain
    opening = f"{company} shows no product that is to be replaced, so begin with what visitors of its site do not find."
    if first:
        opening = f"{company} uses {first.name}, and what that tends to cost is {first.play.burden}: {first.play.cost}."
    return " ".join([opening, *(clue.point for clue in clues[:1])])


def _reasons(seen: list[Seen], clues: list[Clue], score: IcpScore | None) -> list[tuple[float, str]]:
    """What confidence is the sum of."""
    reasons = [(NOT_SEEN, "No product to replace was seen.")]
    if seen:
        reasons = [(SEEN, f"{seen[0].name} was seen in use.")]
        rivals = [other.name for other in seen[1:] if other.play.category == seen[0].play.category]
        if rivals:
            reasons.append((-RIVALS, f"{', '.join(rivals)} may be in charge of {seen[0].play.category} instead."))
    reasons += [(PER_MODULE, f"{module} has a signal.") for module in dict.fromkeys(clue.module for clue in clues)]
    if score:
        reasons.append((round(SCORED * score.confidence, 2), "m14_icp_scoring is known, and as sure as it says."))
    else:
        reasons.append((0.0, "m14_icp_scoring is not known."))
    above = sum(amount for amount, _ in reasons) - GREENFIELD_LIMIT
    if not seen and above > 0:
        reasons.append((-above, f"Without a product to replace it is {GREENFIELD_LIMIT} at most."))
    return reasons


def _hiring(subject: Subject, area: Area, first: Seen | None) -> list[Clue]:
    hiring = known(subject, "m10_hiring_signals", HiringSignals)
    if hiring is None:
        return []
    clues = []
    named = [name for name in hiring.technologies_mentioned if first and play_of(name) is first.play]
    if named:
        point = "Postings ask for people who know it: its upkeep is work that somebody is paid for."
        clues.append(Clue("hiring_for_product", "m10_hiring_signals", f"Postings mention {named[0]}", point))
    teams = [
        row for row in hiring.roles_by_department if row.open_roles and area.departments & set(words(row.department))
    ]
    if teams:
        told = ", ".join(f"{row.department} {row.open_roles:,}" for row in teams)
        point = "Roles are open where the work on it is done; ask what is planned for them."
        clues.append(Clue("hiring_in_department", "m10_hiring_signals", f"Open roles: {told}", point))
    if hiring.trend == "slowing":
        point = "Fewer people are hired, so what takes less upkeep is worth more."
        clues.append(Clue("hiring_slowing", "m10_hiring_signals", "The number of open roles goes down", point))
    return clues


def _events(subject: Subject) -> list[Clue]:
    """The events with most impact, one of a type."""
    triggers = known(subject, "m12_trigger_events", TriggerEvents)
    events = sorted(
        triggers.events if triggers else (), key=lambda event: IMPACTS.get(event.impact or "", len(IMPACTS))
    )
    by_type = {event.type: event for event in reversed(events) if event.type in EVENTS}
    return [
        Clue(event.type, "m12_trigger_events", f"{event.date}: {event.headline}", EVENTS[event.type])
        for event in events
        if by_type.get(event.type) is event
    ][:MAX_EVENTS]


def _figures(subject: Subject) -> list[Clue]:
    clues = []
    for row in FIGURES:
        answer = known(subject, row.module, row.kind)
        value = getattr(answer, row.field) if answer else None
        if value is not None and row.is_told(value):
            clues.append(Clue(row.signal, row.module, row.fact.format(value), row.point))
    return clues


def _topics(subject: Subject, area: Area) -> list[Clue]:
    quotes = known(subject, "m11_exec_quotes", ExecQuotes)
    topics = [theme for theme in (quotes.themes if quotes else ()) if area.topics & set(words(theme))]
    if not topics:
        return []
    point = f"Executives speak of {topics[0]}; say what this does for it."
    return [Clue("executive_topic", "m11_exec_quotes", f"Topics: {', '.join(topics)}", point)]
