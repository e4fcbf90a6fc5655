"""
Places: where a company is, where it has offices or expands to, and where those are whom it serves.
"""

from typing import Final

import msgspec

from enrichment.icp.context import FOREIGN, Context
from enrichment.icp.drafts import reading
from enrichment.icp.mentions import Mention, Words
from enrichment.icp.places import Places, decide
from enrichment.icp.vocabulary import Entry, table, vocabulary, words
from schemas import ConditionAbout, Measure

LOCATED: Final = ("located", "office", "expanding", "serving_in")
ELSEWHERE: Final = FOREIGN | {"event", "contact"}
MAX_SHORT: Final = 3  # letters of "UK" and "USA", which stand before other names
NOT_OF_PLACES: Final = ("technology", "persona", "department", "headcount", "hiring")


def read_places(context: Context, mention: Mention) -> None:
    """Read a place; a code that the text does not decide is ambiguous."""
    assert isinstance(mention, Places)  # noqa: S101 - the handlers are called with their own kind of mention
    relation = context.relation_to("place")
    certain = _is_certain(context, mention, relation)
    if mention.is_code and context.word(mention.last) in table("ranks"):
        return  # "UA lead"
    if not certain and (not _is_place(context, mention) or _is_part_of_name(context, mention)):
        return
    kinds = {one.place_kind for one in mention.meanings} & {"country", "subdivision"}
    if mention.is_part:
        whole = mention.meanings[0]
        part = reading(None, f"a part of {whole.label} that is not known")
        context.doubt(mention, part, reading(Measure.HEADQUARTERS, f"all of {whole.label}", whole.id))
        return
    entry: Entry | None = mention.meanings[0]
    if context.written(mention) == "LA" and _is_listed_with_city(context):
        _state(context, mention, vocabulary().find("place", "Los Angeles")[0], relation, certain=certain)
        return
    if mention.is_code or len(kinds) == 2:
        code = context.tokens[mention.first].text.upper() if mention.is_code else ""
        entry = decide(code, mention.meanings, [one for one in context.certain if one not in mention.meanings])
    if entry is None:
        others = [reading(None, mention.other)] if mention.other else []
        meanings = (reading(Measure.HEADQUARTERS, f"{one.label} ({one.id})", one.id) for one in mention.meanings)
        context.doubt(mention, *meanings, *others)
    else:
        _state(context, mention, entry, relation, certain=certain)


def _is_listed_with_city(context: Context) -> bool:
    """Whether cities are beside it: "NYC or LA"."""
    neighbours = [one for one in (context.listed(-1), context.listed(1)) if isinstance(one, Places)]
    return any(one.meanings[0].place_kind == "city" and not one.is_code for one in neighbours)


def _is_certain(context: Context, mention: Places, relation: str | None) -> bool:
    """Whether the words around it say that it is a place: "in", "based", a label."""
    topic, after = context.section.topic, context.word(mention.last)
    if context.tokens[mention.first].text == "us" and mention.last - mention.first == 1:
        return topic == "place" or (relation in LOCATED and context.word(mention.first - 1) == "the")
    based = after in words("based") or (after == "only" and not mention.needs_evidence)
    return relation in LOCATED or topic == "place" or based


def _is_part_of_name(context: Context, mention: Places) -> bool:
    """Whether a word in capitals goes on the name of a city: "Munich Re"."""
    is_city = mention.meanings[0].place_kind == "city"
    following = context.after()
    links = isinstance(following, Words) and all(one.kind == "link" for one in following.entries)
    if not is_city or not (context.is_followed_by_unknown(mention) or links):
        return False
    return context.tokens[mention.last].text[0].isupper()


def _is_place(context: Context, mention: Places) -> bool:
    """Whether a name that nothing around it says to be a place is one: a sure name, one in a list, or one alone."""
    if not mention.is_code and not mention.needs_evidence:
        return True
    following = context.after()
    if (
        mention.demonym
        and isinstance(following, Words)
        and following.first == mention.last
        and following.of("industry")
    ):
        return context.tokens[mention.first].text[0].isupper()  # "Polish manufacturers"
    neighbours = [one for one in (context.listed(-1), context.listed(1)) if isinstance(one, Places)]
    if any(not (mention.other and one.other) for one in neighbours):
        return True
    first = mention.meanings[0]
    unusual = mention.is_code and first.place_kind == "country" and first.id not in words("usual_codes")
    ambiguous = mention.other is not None or unusual or (not mention.is_code and first.place_kind == "city")
    return context.is_alone() and context.section.topic in (None, "plain") and not ambiguous


def _state(context: Context, mention: Places, entry: Entry, relation: str | None, *, certain: bool) -> None:
    topic, label = context.section.topic, entry.label
    foreign = relation in ELSEWHERE and not mention.demonym
    if context.is_negated_verb(mention.first) or (relation == "located" and _comes_from(context, mention)):
        return  # "not licensed in the US", "imports from China"
    if relation not in ("expanding", "serving") and _word_before(context, mention) in words("to"):
        return  # "flying to Spain"
    if _is_longer_name(context, mention, entry) or _ends_name(context, mention):
        return  # "Texas Panhandle", "Amazon US"
    if "about_place" in context.after_kinds(mention) and relation != "expanding":
        return  # "EU timezone", "US hires"
    if relation == "serving_in":
        based = reading(Measure.HEADQUARTERS, f"based in {label}", entry.id)
        context.doubt(mention, based, reading(Measure.CUSTOMERS_LOCATION, f"customers in {label}", entry.id))
    elif relation == "hiring":
        _add_to_hiring(context, mention, entry)
    elif relation == "expanding":
        if context.word(mention.first - 1) in {"", *words("towards")}:
            context.happens(mention, Measure.EXPANSION, f"expanding to {label}", place=entry.id)
    elif certain or not (foreign or topic in NOT_OF_PLACES):
        _state_seat(context, mention, entry, relation, certain=certain)


def _is_longer_name(context: Context, mention: Places, entry: Entry) -> bool:
    """Whether an unknown word in capitals follows a name of a country or a part of one."""
    named = not mention.is_code and not mention.demonym and len(context.written(mention)) > MAX_SHORT
    follows = context.is_followed_by_unknown(mention) and context.tokens[mention.last].text.istitle()
    return (
        named and follows and entry.place_kind in ("country", "subdivision") and not context.tokens[mention.last].joined
    )


def _ends_name(context: Context, mention: Places) -> bool:
    """Whether a word in capitals that nothing was read of is directly before, in the middle of a sentence."""
    before = mention.first - 1
    unread = before > 0 and before not in context.understood and before not in context.grammar
    return (
        unread
        and not mention.demonym
        and context.tokens[before].text.istitle()
        and not context.tokens[mention.first].line
    )


def _word_before(context: Context, mention: Mention) -> str:
    """The word before a place, but for an article."""
    return context.word(mention.first - 1 - (context.word(mention.first - 1) == "the"))


def _comes_from(context: Context, mention: Places) -> bool:
    """Whether "from" follows a verb that says nothing of the seat: "imports from China", "ships from China"."""
    before = mention.first - 2 - (context.word(mention.first - 1) == "the")
    ships = context.lead is not None and context.lead[1] == before + 1
    known = before in context.grammar or before in context.understood or before < 0
    is_verb = ships or (not known and context.tokens[before].kind == "word")
    return _word_before(context, mention) == "from" and is_verb


def _add_to_hiring(context: Context, mention: Places, entry: Entry) -> None:
    hiring = next((one for one in reversed(context.drafts) if one.measure is Measure.HIRING), None)
    if hiring:
        hiring.about_with(place=entry.id)
        context.understood.update(range(mention.first, mention.last))


def _namesake(context: Context, place: Entry) -> Entry | None:
    """The place of the same name in a country that the text names places in: the Cambridge of "Boston/Cambridge"."""
    within: str | None = table("namesakes").get(place.id)
    there, here = (within or "")[:2] in context.countries, (place.within or place.id or "")[:2] in context.countries
    elsewhere = within is not None and there and not here
    if not elsewhere or within is None:
        return None
    found = vocabulary().find("place", within)
    return found[0] if place.place_kind != "city" else msgspec.structs.replace(place, within=within)


def _state_seat(context: Context, mention: Places, entry: Entry, relation: str | None, *, certain: bool) -> None:
    """State where the company is, has offices, or has its customers."""
    after, last = context.words_between(mention.last, mention.last + 3), context.last
    measure = Measure.HEADQUARTERS
    if relation == "office" or (words("offices") & set(after) and {",", "with", "in"}.isdisjoint(after)):
        measure = Measure.OFFICE
    elif relation == "serving" or context.section.topic == "customers":
        measure = Measure.CUSTOMERS_LOCATION
    is_city = entry.place_kind == "city"
    entry = _namesake(context, entry) or entry
    about = ConditionAbout(place=entry.within if is_city else None)
    in_brackets = context.in_brackets and last is not None and last.measure is measure
    within = in_brackets and last is not None and (last.is_within or context.word(mention.first - 1) == "(")
    confidence = 0.95 if certain or mention.demonym else 0.85
    draft = context.state(
        mention, measure, entry.id, entry.label, confidence, codes=entry.codes, kind=entry.place_kind, about=about
    )
    draft.is_within = within
    others = {one.id: one for one in mention.meanings if one.id != entry.id}
    if others:
        draft.confidence = min(draft.confidence, 0.7)
        readings = (reading(measure, one.label, one.id) for one in (entry, *others.values()))
        draft.readings = tuple(readings)
