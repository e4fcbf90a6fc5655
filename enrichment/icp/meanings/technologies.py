"""
Products and categories of products that a company uses, moves from or to, and its certifications.
"""

from typing import Final

from enrichment.icp.context import FOREIGN, Context
from enrichment.icp.drafts import reading
from enrichment.icp.mentions import Mention, Team, Words
from enrichment.icp.quantities import Quantity
from enrichment.icp.titles import Person
from enrichment.icp.vocabulary import Entry, words
from schemas import Measure

USED: Final = frozenset({"using", "lacking", "migrating_from", "migrating_to"})
MAYBE_USED: Final = frozenset({"located", "office", "expanding", "founded"})
NOT_USED: Final = FOREIGN | {"contact", "event", "serving", "serving_in", "appointed"}
CHANGES: Final = {"migrating_from": "from", "migrating_to": "to"}


def read_technology(context: Context, mention: Words, entry: Entry) -> bool:
    """Read a product: one that the company uses, not one that it sells, integrates with, or only knows."""
    relation, after, following = context.relation_to("technology"), context.after_kinds(mention), context.after()
    names = sorted({one.id for one in mention.entries if one.kind == "technology"})
    if "partners" in after and "users" not in after:
        context.place += isinstance(following, Words)  # "Shopify app developers" are no app developers either
    elif "customers" in after:
        other = f"is a customer of {entry.label} for something else"
        context.doubt_name(mention, Measure.TECHNOLOGY, f"uses {entry.label}", entry.id, other)
    elif relation == "hiring":
        return _is_wanted_skill(context, mention, entry)
    elif _is_not_used(context, relation, following, is_certain="users" in after and not entry.ordinary):
        return False
    elif len(names) > 1:
        context.doubt(mention, *(reading(Measure.TECHNOLOGY, f"uses {name}", name) for name in names))
    else:
        stated = relation in USED or context.section.topic == "technology" or "users" in after
        return _state(context, mention, entry, relation, stated=stated or _is_among_products(context))
    return True


def _is_not_used(context: Context, relation: str | None, following: Mention | None, *, is_certain: bool) -> bool:
    """Whether the relation or the next words make it something else than a product in use."""
    if isinstance(following, Person) and not following.is_rank:
        return True  # "Salesforce administrators"
    if relation in MAYBE_USED:
        return not is_certain
    return relation in NOT_USED and not _is_example(context, relation)


def _state(context: Context, mention: Words, entry: Entry, relation: str | None, *, stated: bool) -> bool:
    """State a product that surely is used; report one that may be, and pass over an everyday word."""
    topic, written = context.section.topic, context.written(mention)
    capital = written == entry.spelling or (written[0].isupper() and not entry.spelling.isupper())
    other = f"the word {written.lower()}" if entry.ordinary else f"something else about {entry.label}"
    name = (mention, Measure.TECHNOLOGY, f"uses {entry.label}", entry.id, other)
    if entry.ordinary and not (stated and (capital or topic == "technology")):
        maybe = relation == "using_weak" or (relation is None and context.is_alone())
        if capital and maybe and topic in (None, "plain", "signal"):
            context.doubt_name(*name)
            return True
        return False
    if relation == "migrating_from" and context.word(mention.first - 1) == "to":
        relation = "migrating_to"
    if relation in CHANGES:
        label = f"moving {CHANGES[relation]} {entry.label}"
        context.happens(mention, Measure.TECHNOLOGY_CHANGE, label, target=entry.id)
        return True
    if not stated and relation != "using_weak" and not context.is_alone():
        context.doubt_name(*name)
        return True
    draft = context.state(mention, Measure.TECHNOLOGY, entry.id, entry.label, 0.8 if entry.ordinary else 0.95)
    if not stated:
        draft.confidence = 0.8
    if entry.ordinary:
        draft.confidence = min(draft.confidence, 0.7)
        draft.readings = (reading(Measure.TECHNOLOGY, f"uses {entry.label}", entry.id), reading(None, other))
    return True


def _is_wanted_skill(context: Context, mention: Mention, entry: Entry) -> bool:
    """Add a product to "hiring": "hiring Kubernetes engineers"."""
    hiring = next((one for one in reversed(context.drafts) if one.measure is Measure.HIRING), None)
    if hiring is None:
        return False
    hiring.about_with(target=entry.id)
    context.understood.update(range(mention.first, mention.last))
    return True


def _is_example(context: Context, relation: str | None) -> bool:
    """Whether "like" gives examples of a category: "help desks like Zendesk"."""
    last = context.last
    products = last and last.measure in (Measure.TECHNOLOGY_CATEGORY, Measure.TECHNOLOGY)
    return bool(relation == "like" and last and products and last.chunk >= context.chunk - 2)


def _is_among_products(context: Context) -> bool:
    """Whether a product is listed beside it."""
    for one in (context.listed(-1), context.listed(1)):
        other = one.of("technology") if isinstance(one, Words) else None
        if one and other and (not other.ordinary or context.written(one) == other.spelling):
            return True
    return False


def read_category(context: Context, mention: Words, entry: Entry) -> bool:
    """Read a category of products where the company uses one; elsewhere it can be what the company makes."""
    relation, following, before = context.relation_to("technology"), context.after(), context.before()
    after, last, topic = context.after_kinds(mention), context.last, context.section.topic
    noun = isinstance(following, Words) and following.of("noun")
    counted = isinstance(before, Quantity) and before.last == mention.first
    edition = last and last.measure is Measure.TECHNOLOGY and context.in_brackets and context.is_excluding()
    something_else = (("partners" in after or noun) and "users" not in after) or isinstance(following, (Person, Team))
    if something_else or counted or edition:  # "50 CRMs", "Jira (not Cloud)"
        return False
    between = set(context.words_between(last.last, mention.first)) if last else set()
    if last and last.measure is Measure.TECHNOLOGY and words("as_category") >= between:
        context.understood.update(range(mention.first, mention.last))
        return True  # "Workday as HRIS", "Cerner EHR"
    if relation in CHANGES and not entry.ordinary:
        context.happens(mention, Measure.TECHNOLOGY_CHANGE, f"changing {entry.label}", target=entry.id)
        return True
    stated = relation in ("using", "lacking") or topic == "technology"
    if not stated and (relation != "using_weak" or entry.ordinary):
        return False
    if isinstance(following, Words) and following.of("technology"):
        context.understood.update(range(mention.first, mention.last))
        return True  # "CRM HubSpot"
    context.state_entry(mention, Measure.TECHNOLOGY_CATEGORY, entry, 0.85 if stated else 0.75)
    return True


def read_certification(context: Context, mention: Words, entry: Entry) -> bool:
    """Read a certification that the company has; one that stands alone may only be a concern."""
    before = set(context.words_between(mention.first - 3, mention.first))
    if before & words("intends") or context.relation in FOREIGN:
        return False
    certified = "certified" in context.after_kinds(mention) or bool(before & words("is_certified"))
    listed = context.listed(1)
    if isinstance(listed, Words) and listed.of("certification"):
        certified = certified or "certified" in context.after_kinds(listed)
    if certified or context.section.topic == "certification" or entry.id == "B Corp":
        context.state_entry(mention, Measure.CERTIFICATION, entry, 0.9)
        return True
    if not context.is_alone() and "with" not in before:
        return False
    label, other = f"certified for {entry.label}", f"concerned with {entry.label}"
    context.doubt_name(mention, Measure.CERTIFICATION, label, entry.id, other)
    return True
