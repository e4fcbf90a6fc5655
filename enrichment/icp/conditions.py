"""
Conditions: the mentions of a sentence from left to right, each in its relation to the company ("using", "based in").

What stands in no relation that the reader knows is no condition: it is left to `not_understood`.
"""

from collections.abc import Callable
from typing import Final

from enrichment.icp import meanings
from enrichment.icp.context import AND, BREAKS, OR, Context
from enrichment.icp.mentions import Codes, Mention, Team, Window, Words
from enrichment.icp.places import Places
from enrichment.icp.quantities import Quantity
from enrichment.icp.scopes import AFTER, Reach, apply_after
from enrichment.icp.stages import Stages
from enrichment.icp.titles import Person
from schemas import Measure

SHORT_RELATIONS: Final = frozenset(
    {"using_weak", "located", "appointed", "founded", "expanding", "office", "event", "hiring", "using", "lacking"}
)
"Relations that end with a few unknown words; others go on to the end of their part of the sentence."
MAX_UNKNOWN: Final = 2
OUTSIDE: Final = frozenset("outside located headquartered based in from auserhalb ausserhalb fuera dehors hors".split())
PLACES: Final = frozenset({Measure.HEADQUARTERS, Measure.OFFICE, Measure.CUSTOMERS_LOCATION})
LESS: Final = frozenset({"ex", "minus", "less", "bar"})
"Words that exclude the place after them: \"APAC ex China\"."
LACKED: Final = frozenset({Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY, Measure.CERTIFICATION})
"What a company can be without."
PREPOSITIONS: Final = {
    "i": ("sv", "da", "no"), "w": ("pl",), "z": ("pl",), "en": ("fr", "es", "nl"), "au": ("fr",), "aux": ("fr",), "no": ("pt",), "na": ("pt",),
    "nos": ("pt",), "nas": ("pt",), "em": ("pt",), "uit": ("nl",), "im": ("de",), "su": ("it",), "met": ("nl",), "con": ("es", "it"), "com": ("pt",),
    "nel": ("it",), "nella": ("it",), "ni": ("fr", "es"), "sin": ("es",), "pas de": ("fr",), "bar": ("en",), "como": ("es", "pt"), "nix": ("de",),
    "men": ("sv", "da", "no"), "ma": ("it",), "mas": ("pt",), "mais": ("fr",), "ale": ("pl",), "sem": ("pt",),
}  # fmt: skip
"Words of the grammar that mean something else in other languages."


def read_sentence(context: Context) -> None:
    """Read all mentions in order."""
    last = 0
    while context.place < len(context.mentions):
        mention = context.mentions[context.place]
        _pass(context, last, mention.first)
        HANDLERS[type(mention)](context, mention)
        last = max(last, mention.last)
        context.place += 1
    _pass(context, last, len(context.tokens))


def _pass(context: Context, first: int, last: int) -> None:
    """Pass over the words between two mentions: unknown ones end a relation, a comma begins another part."""
    unknown = 0
    for place in range(first, last):
        norm = context.tokens[place].norm
        if norm in BREAKS or (norm == "-" and context.tokens[place].space):
            _break(context, norm)
        elif norm not in OR | AND | {"-", "."}:
            unknown += 1
    if unknown > MAX_UNKNOWN and context.relation in SHORT_RELATIONS:
        context.relation = None
    if unknown:
        context.lead = context.team = None


def _break(context: Context, norm: str) -> None:
    if norm == "(" and context.relation in meanings.FOREIGN and context.relation_chunk == context.chunk:
        context.relation_chunk += 1  # "competitors (Gong, Chorus)"
    context.chunk += 1
    context.lead = None
    if norm == "(":
        context.in_brackets = True
    if norm == ")":
        context.in_brackets = False
        context.scopes.close_brackets()
        context.relation = context.section.relation


def _words(context: Context, mention: Words) -> None:
    """Read a word of the grammar, or else an entity."""
    if mention.of("idiom"):
        return
    word = context.tokens[mention.first].norm if mention.last - mention.first == 1 else ""
    if word == "no" and context.language == "pt":
        context.relate("located")
        return
    if word in PREPOSITIONS and context.language not in (*PREPOSITIONS[word], *(("en",) if word == "no" else ())):
        return
    following = context.after()
    if word in LESS and isinstance(following, Places):
        context.scopes.open("must_not", "list", context.chunk, in_brackets=context.in_brackets, only=PLACES)
        return
    if word == "ie" and context.scopes.is_excluding(context.chunk):
        context.scopes.close()  # "not HubSpot, i.e. Salesforce": what is left, or what is excluded
        context.relate("evaluating")
        return
    if word == "for" and meanings.is_for_customers(context, mention):
        context.relate("serving")
        return
    if strengths := [one.id for one in mention.entries if one.kind == "strength"]:
        _strength(context, mention, strengths)
        if not any(one.kind in meanings.ENTITY_KINDS for one in mention.entries):
            return
    if meanings.read_words(context, mention):
        return
    if lead := mention.of("lead"):
        context.lead = (lead.id, mention.last)
    if relation := mention.of("relation"):
        _relation(context, mention, relation.id)


def _relation(context: Context, mention: Words, relation: str) -> None:
    """Begin a relation. "In" after "serving restaurants" belongs to those who are served, or to the company."""
    if relation == "target":
        context.relation = context.section.relation
        context.scopes.close()
        return
    if relation == "serving" and meanings.is_ours(context, mention):
        return
    if (
        relation == "located"
        and context.relation == "serving"
        and context.chunk == context.relation_chunk
        and context.relation_kinds
    ):
        if len(context.words_between(mention.first, mention.last)) == 1:
            context.relate("serving_in")
            return
    before = context.mentions[context.place - 1] if context.place else None
    if relation == "using_weak" and isinstance(before, Quantity) and before.unit == "other":
        context.relate("integrating")  # "spending $50k on Google Ads"
        return
    if relation == "using_weak" and context.relation in ("serving", "hiring", "event", "appointed"):
        if context.relation == "serving" or context.relation_kinds == set():
            return
    if relation == "located" and context.relation in ("expanding", "office", "hiring", "event"):
        if context.relation == "event" or context.chunk == context.relation_chunk:
            return
    context.relate(relation)
    if relation == "lacking":
        context.scopes.open("must_not", "list", context.chunk, in_brackets=context.in_brackets, only=LACKED)
    meanings.begin(context, mention, relation)


def _strength(context: Context, mention: Words, kinds: list[str]) -> None:
    """Open or close a negation or a wish, or apply it to what is before it."""
    kind = next((one for one in kinds if one.endswith("_after")), kinds[0])
    if kind in AFTER:
        last = context.drafts[-1] if context.drafts else None
        near = last and mention.first - last.last <= 8 and last.sentence == context.index
        if near and _ends_part(context, mention.last):
            apply_after(kind, context.drafts, context.index, context.chunk)
            return
        kind = kind.removesuffix("_after")
        if kind not in kinds:
            return
    before = context.before()
    negated = isinstance(before, Words) and (one := before.of("strength")) and one.id == "not"
    match kind:
        case "not_negation" | "must" | "contrast" | "either":
            if kind != "either":
                context.scopes.close()
        case "exclude" if negated and before is not None and mention.first - before.last == 0:
            context.scopes.close()
        case "exclude":
            reach: Reach = "list" if context.drafts else "sentence"
            context.scopes.open("must_not", reach, context.chunk, in_brackets=context.in_brackets)
            context.relation = context.section.relation
        case "not":
            words = set(context.words_between(mention.first, mention.last))
            context.negator = mention.last
            following = next((one for one in context.mentions[context.place + 1 :] if not isinstance(one, Words)), None)
            is_place = isinstance(following, Places) and following.first - mention.last <= 2
            only = PLACES if words & OUTSIDE and is_place else frozenset()
            context.scopes.open("must_not", "list", context.chunk, in_brackets=context.in_brackets, only=only)
        case "wish":
            if not context.scopes.is_excluding(context.chunk):
                context.scopes.open("should", "list", context.chunk, in_brackets=context.in_brackets)


def _ends_part(context: Context, place: int) -> bool:
    """Whether a part of the sentence ends at a place."""
    while place < len(context.tokens) and context.tokens[place].norm in (
        "for",
        "us",
        "too",
        "though",
        "please",
        "unfortunately",
        "me",
        "fur",
        "uns",
    ):
        place += 1
    return (
        place >= len(context.tokens)
        or context.tokens[place].norm in BREAKS | {".", ";", "!", "and", "but", "-"}
        or context.tokens[place].line > 0
    )


HANDLERS: Final[dict[type, Callable[[Context, Mention], None]]] = {
    Words: _words,
    Quantity: meanings.read_quantity,
    Person: meanings.read_person,
    Stages: meanings.read_stages,
    Places: meanings.read_places,
    Window: meanings.read_window,
    Team: meanings.read_team,
    Codes: meanings.read_codes,
}
