"""
Conditions: the mentions of a sentence from left to right, each in its relation to the company ("using", "based in").

What stands in no relation that the reader knows is no condition: it is left to `not_understood`.
"""

from collections.abc import Callable
from typing import Any, Final

from enrichment.icp.context import AND, BREAKS, FOREIGN, KINDS_OF_COMPANIES, OR, Context
from enrichment.icp.drafts import MONEY, Doubt, Draft
from enrichment.icp.meanings.events import (
    begin,
    read_ownership,
    read_signal,
    read_stage_group,
    read_stages,
    read_window,
)
from enrichment.icp.meanings.industries import (
    is_for_customers,
    is_ours,
    read_codes,
    read_head,
    read_industry,
    read_model,
    read_size,
)
from enrichment.icp.meanings.locations import read_places
from enrichment.icp.meanings.numbers import LARGE_SUM, read_quantity
from enrichment.icp.meanings.people import read_function, read_person, read_team
from enrichment.icp.meanings.technologies import read_category, read_certification, read_technology
from enrichment.icp.mentions import Codes, Mention, Team, Window, Words
from enrichment.icp.places import Places
from enrichment.icp.quantities import Quantity
from enrichment.icp.scopes import AFTER, Reach, apply_after
from enrichment.icp.stages import Stages
from enrichment.icp.titles import Person
from enrichment.icp.vocabulary import Entry, Kind, by_language, vocabulary, words
from schemas import Measure, Strength

SHORT_RELATIONS: Final = frozenset(
    {"using_weak", "located", "appointed", "founded", "expanding", "office", "event", "hiring", "using", "lacking"}
)
"Relations that end with a few unknown words; others go on to the end of their part of the sentence."
MAX_UNKNOWN: Final = 2
NEAR: Final = 8  # tokens between a condition and "preferred"
PLACES: Final = frozenset({Measure.HEADQUARTERS, Measure.OFFICE, Measure.CUSTOMERS_LOCATION})
LACKED: Final = frozenset({Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY, Measure.CERTIFICATION})
"What a company can be without."

READERS: Final[dict[Kind, Callable[[Context, Words, Entry], bool]]] = {
    "function": read_function,
    "ownership": read_ownership,
    "stages": read_stage_group,
    "size": read_size,
    "technology": read_technology,
    "industry": read_industry,
    "model": read_model,
    "category": read_category,
    "certification": read_certification,
    "signal": read_signal,
    "after": read_head,
}
"The readers of the meanings of an expression. The first one that makes something of it decides."


def read_sentence(context: Context) -> None:
    """Read all mentions in order."""
    last = 0
    while context.place < len(context.mentions):
        mention = context.here
        _pass(context, last, mention.first)
        HANDLERS[type(mention)](context, mention)
        last = max(last, mention.last)
        context.place += 1
    if context.word(0) in words("conditional"):
        for draft in context.drafts:
            draft.dropped = draft.dropped or draft.strength == "must"  # "if under 100 employees, then only funded ones"
    figures = [
        one for one in context.mentions if isinstance(one, Quantity) and one.is_range and one.unit in (None, "other")
    ]
    unread = any(one.first not in context.understood for one in figures if one.currency is None)
    unread = unread or any(isinstance(one, Quantity) and _is_own_size(context, one) for one in context.mentions)
    for draft in [one for one in context.drafts if one.in_words and unread]:  # "small firms (20-80 lawyers)"
        context.drafts.remove(draft)
        context.doubts.append(Doubt(first=draft.first, last=draft.last, readings=draft.readings))
    taken = {place for one in context.drafts if not one.dropped for place in range(one.first, one.last)}
    for draft in context.drafts:
        if draft.measure in MONEY:
            draft.alternative = _other_money(context, draft)
        elif isinstance(draft.value, (str, bool)):
            draft.alternative = _unknown_alternative(context, draft, taken)


def _is_own_size(context: Context, mention: Quantity) -> bool:
    """Whether a number gives the size that "mid-market" means: an amount of money, or a number in brackets after it."""
    is_sum = mention.currency is not None and max(mention.low or 0, mention.high or 0) >= LARGE_SUM
    counted = context.word(mention.first - 1) == "(" and mention.unit not in (None, "headcount")
    counted = counted or mention.unit == "locations_count"
    return not mention.is_exact and (is_sum or counted)


def _other_money(context: Context, draft: Draft) -> str | None:
    """Another measure that the same sum may be of: the revenue of "$5M raised or revenue"."""
    other = vocabulary().at(context.tokens, draft.last + 1, kind="unit") if context.is_or(draft.last) else None
    return context.word(draft.last + 1) if other else None


def _unknown_alternative(context: Context, draft: Draft, taken: set[int]) -> str | None:
    """What stands beside a condition with "or" and made none: "Kustomer or Zendesk", "SaaS or similar"."""
    after = draft.last
    while after < draft.last + MAX_UNKNOWN and after in context.known and after not in taken:
        if context.is_or(after) or (after > draft.last and after not in context.grammar):
            break
        after += 1
    after += context.word(after) == "," and context.is_or(after + 1)
    is_place = draft.measure in PLACES
    if (
        draft.measure in PLACES | {Measure.TECHNOLOGY}
        and draft.connector == ","
        and _is_unknown_item(context, draft.last)
    ):
        return context.tokens[draft.last + 1].text
    if is_place and context.word(draft.first - 3) == "(" and _is_unknown_name(context, draft.first - 2):
        return context.tokens[draft.first - 2].text  # "(Foo, Veneto)"
    for start, step in ((draft.first - 1, -1), (after, 1)):
        joins = context.is_or(start) or (is_place and start != after and context.is_and(start))
        place = start + step
        while joins and context.word(place) in words("articles") | {","}:
            place += step
        word = context.tokens[place] if joins and 0 <= place < len(context.tokens) else None
        if word and step < 0 and word.text.islower() and context.word(place - 1) == "/":
            continue  # the path of an address
        named = word and word.kind in ("word", "number") and (context.is_or(start) or word.text[0].isupper())
        if word and named and place not in taken and place not in context.grammar:
            return word.text
    return None


def _is_unknown_item(context: Context, place: int) -> bool:
    """Whether an unknown name stands alone between a comma and the end of a list: "(Veneto, Friuli, Foo)"."""
    if context.word(place) != "," or place + 1 >= len(context.tokens):
        return False
    return _is_unknown_name(context, place + 1) and context.word(place + 2) in {"", ")", ".", ";"}


def _is_unknown_name(context: Context, place: int) -> bool:
    item = context.tokens[place]
    return item.text[0].isupper() and item.kind == "word" and place not in context.known


def _pass(context: Context, first: int, last: int) -> None:
    """Pass over the words between two mentions: unknown ones end a relation, a comma begins another part."""
    unknown = 0
    for place in range(first, last):
        norm = context.tokens[place].norm
        if norm in BREAKS or (norm == "-" and context.tokens[place].space):
            _begin_part(context, norm)
        elif norm not in OR | AND | {"-", "."}:
            unknown += 1
    if unknown > MAX_UNKNOWN and context.relation in SHORT_RELATIONS:
        context.relation = None
    if unknown:
        context.lead = context.team = None


def _begin_part(context: Context, sign: str) -> None:
    if sign == "(" and context.relation in FOREIGN and context.relation_chunk == context.chunk:
        context.relation_chunk += 1  # "competitors (Gong, Chorus)"
    context.chunk += 1
    context.lead = None
    if sign == "(":
        context.in_brackets = True
    if sign == ")":
        context.in_brackets = False
        context.scopes.close_brackets()
        context.relation = context.section.relation


def _read_words(context: Context, mention: Words) -> None:
    """Read an expression: a negation or wish, an entity, or else what relates the next ones."""
    word = context.word(mention.first) if mention.last - mention.first == 1 else ""
    languages = by_language("only_in", word)
    foreign = languages and context.language not in languages
    if mention.of("idiom") or foreign or _read_small_word(context, mention, word):
        return
    if strengths := [one.id for one in mention.entries if one.kind == "strength"]:
        _weigh(context, mention, strengths)
    for kind, read in READERS.items():
        entry = mention.of(kind)
        if entry and read(context, mention, entry):
            return
    if lead := mention.of("lead"):
        is_part = context.word(mention.first - 1) in words("parts_of_revenue")  # "ad revenue"
        context.lead = ("other" if is_part else lead.id, mention.last)
    relation = mention.of("relation")
    if relation and not strengths:
        _relate(context, mention, relation.id)


def _read_small_word(context: Context, mention: Words, word: str) -> bool:
    """Read a word whose meaning depends on what is beside it; False if it means nothing special here."""
    if word in words("less") and isinstance(context.after(), Places):
        context.scopes.open("must_not", "list", context.chunk, in_brackets=context.in_brackets, only=PLACES)
    elif word == "ie" and context.last and context.last.strength == "must_not":
        context.scopes.close()  # "not HubSpot, i.e. Salesforce": what is left, or what is excluded
        context.relate("evaluating")
    elif word == "no" and context.language == "pt":
        context.relate("located")
    elif word in words("for") and is_for_customers(context, mention):
        sells = context.last and context.last.value in words("sellers")
        context.relate("evaluating" if sells else "serving")  # "shops for furniture" have no customers in that industry
    else:
        return False
    return True


def _relate(context: Context, mention: Words, relation: str) -> None:
    """Begin a relation, unless the words belong to the one before them."""
    current, is_new = context.relation, not context.relation_kinds
    in_part = context.chunk == context.relation_chunk
    before = context.before()
    if relation == "target" or (relation == "serving" and is_ours(context, mention)):
        if relation == "target":  # "we sell to": whom they name is the customer
            context.relation = context.section.relation
            context.scopes.close()
    elif (
        relation == "located" and current == "serving" and in_part and not is_new and mention.last - mention.first == 1
    ):
        context.relate("serving_in")  # "serving restaurants in Texas": the restaurants, or the company
    elif (
        relation == "office" and isinstance(before, Words) and before.last == mention.first and before.of("technology")
    ):
        context.relate("located")  # "Shopify stores in Canada"
    elif relation == "using_weak" and isinstance(before, Quantity) and before.unit == "other":
        context.relate("integrating")  # "spending $50k on Google Ads"
    elif context.word(mention.last - 1) in words("launched") and context.word(mention.last) in words("articles"):
        context.relate("evaluating")  # "launched a game"
    elif not _goes_on(context, relation):
        if context.is_or(mention.first - 1) and relation.startswith("using"):
            context.scopes.soften()  # "no CRM or using Excel" excludes neither
        context.relate(relation)
        if relation == "lacking":
            strength: Strength = "must" if context.is_excluding() else "must_not"  # "no companies without a CRM"
            context.scopes.open(strength, "list", context.chunk, in_brackets=context.in_brackets, only=LACKED)
        begin(context, mention, relation)


def _goes_on(context: Context, relation: str) -> bool:
    """Whether "with" or "in" only goes on the relation that is there: "serving restaurants with", "hiring SDRs in"."""
    current, is_new = context.relation, not context.relation_kinds
    if relation == "using_weak":
        return current == "serving" or (current in ("hiring", "event", "appointed") and is_new)
    in_part = context.chunk == context.relation_chunk
    return relation == "located" and (current == "event" or (current in ("expanding", "office", "hiring") and in_part))


def _weigh(context: Context, mention: Words, kinds: list[str]) -> None:
    """Open or close a negation or a wish, or apply it to what is before it."""
    kind = next((one for one in kinds if one in AFTER), kinds[0])
    if kind in AFTER:
        if context.last and _is_about(context, mention) and _ends_part(context, mention.last):
            spoken = context.words_between(mention.first, mention.last)
            apply_after(kind, context.drafts, context.chunk, spoken)
            return
        kind = kind.removesuffix("_after")
        if kind not in kinds:
            return
    before = context.before()
    not_before = before.of("strength") if isinstance(before, Words) and before.last == mention.first else None
    if kind == "exclude" and not (not_before and not_before.id == "not"):  # unlike "do not exclude"
        reach: Reach = "list" if context.drafts else "sentence"
        context.scopes.open("must_not", reach, context.chunk, in_brackets=context.in_brackets)
        context.relation = context.section.relation
    elif kind == "not" and context.word(mention.first - 1) == ">" and _ends_part(context, mention.last):
        apply_after("exclude_after", context.drafts, context.chunk)
    elif kind == "not":
        following = context.word(mention.last)
        if context.word(mention.first) not in words("no") or following not in BREAKS | {"-"}:  # unlike "no, 50 people"
            _negate(context, mention)
    elif kind == "wish" and not context.is_excluding():
        context.scopes.open("should", "list", context.chunk, in_brackets=context.in_brackets)
    elif kind != "either":
        context.scopes.close()


def _is_about(context: Context, mention: Words) -> bool:
    """Whether "preferred" is said of the newest condition, and not of something unknown: "cold storage a plus"."""
    between = range(context.last.last if context.last else 0, mention.first)
    read = {place for one in context.doubts for place in range(one.first, one.last)}
    if any(isinstance(one, Quantity) and one.first in between for one in context.mentions) or read & set(between):
        return False  # "NA only, <$1M is too small"
    part = [place for place in between if context.tokens[place].kind == "word"]
    is_other = context.last and context.last.chunk != context.chunk and not set(part) <= context.known
    return len(between) <= NEAR and not is_other


def _negate(context: Context, mention: Words) -> None:
    """Begin a negation; "outside Germany" holds for places only."""
    context.negation_end = mention.last
    following = next((one for one in context.mentions[context.place + 1 :] if not isinstance(one, Words)), None)
    is_place = isinstance(following, Places) and following.first - mention.last <= 2
    outside = words("outside") | words("based") | {"in", "from"}
    spoken = context.words_between(mention.first, mention.last)
    only: frozenset[str] = PLACES if is_place and outside & set(spoken) else frozenset()
    before = set(context.words_between(mention.first - 3, mention.first))
    excluded = context.section.strength == "must_not" or context.is_excluding() or before & words("nobody")
    if only and words("outside") & set(spoken) and excluded:  # "no one outside Germany" is in Germany
        context.scopes.open("must", "list", context.chunk, in_brackets=context.in_brackets, only=only)
        return
    is_prefix = spoken == ["non"] and context.word(mention.last) != "-" and not context.tokens[mention.last].space
    if is_prefix and context.after() is None:
        return  # "non-union, 100+ employees"
    reach: Reach = "one" if is_prefix else "list"
    scope = context.scopes.open("must_not", reach, context.chunk, in_brackets=context.in_brackets, only=only)
    wish = context.before()
    scope.is_soft = (
        isinstance(wish, Words) and wish.last == mention.first and any(one.id == "wish" for one in wish.entries)
    )
    if {"except", "but"} & set(spoken) and len(spoken) > 1:
        scope.measures |= KINDS_OF_COMPANIES  # "anyone except consultancies, resellers and agencies"


def _ends_part(context: Context, place: int) -> bool:
    """Whether a part of the sentence ends at a place, but for words such as "for us"."""
    while context.word(place) in words("last_part"):
        place += 1
    ends = BREAKS | {"", ".", ";", "!", "and", "but", "-"}
    return context.word(place) in ends or context.tokens[place].line > 0


def without_introduction(context: Context) -> None:
    """Drop the mentions about the author ("We are a SaaS company"), up to the words that turn to customers."""
    spoken = context.words_between(0, 4)
    if len(spoken) < 2 or spoken[0] not in words("introduction") or context.tokens[0].text == "US":
        return
    is_self = spoken[1] in (words("self_article") if spoken[0] in ("we're", "i'm") else words("self"))
    if not is_self or words("targeting") & set(spoken[1:]):
        return
    turns = (
        place + 1
        for place, mention in enumerate(context.mentions)
        if isinstance(mention, Words)
        and any(one.kind == "relation" and one.id in ("target", "serving") for one in mention.entries)
    )
    context.mentions = context.mentions[next(turns, len(context.mentions)) :]


HANDLERS: Final[dict[type[Mention], Callable[[Context, Any], None]]] = {
    Words: _read_words,
    Quantity: read_quantity,
    Person: read_person,
    Stages: read_stages,
    Places: read_places,
    Window: read_window,
    Team: read_team,
    Codes: read_codes,
}
"The reader of each kind of mention."
