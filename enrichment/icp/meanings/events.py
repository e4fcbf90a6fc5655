"""
Events and funding: what a company does or has happened to it, its stage, its owners, and the periods of these.
"""

from typing import Final

from enrichment.icp.context import FOREIGN, SERVED, Context
from enrichment.icp.drafts import reading
from enrichment.icp.mentions import Window, Words
from enrichment.icp.stages import Stages, stage_codes
from enrichment.icp.text import excerpt
from enrichment.icp.vocabulary import Entry, table, vocabulary, words
from schemas import ConditionValue, Measure

SIGNALS: Final[dict[str, Measure]] = {
    "funding_round": Measure.LAST_ROUND,
    "leadership_change": Measure.LEADERSHIP_CHANGE,
    "product_launch": Measure.PRODUCT_LAUNCH,
    "expansion": Measure.EXPANSION,
    "acquisition": Measure.ACQUISITION,
    "ipo": Measure.IPO,
    "layoffs": Measure.LAYOFFS,
    "tech_change": Measure.TECHNOLOGY_CHANGE,
    "partnership": Measure.PARTNERSHIP,
    "news": Measure.NEWS,
    "event_attendance": Measure.EVENT,
    "growth": Measure.GROWTH,
    "headcount_growth": Measure.GROWTH,
    "web_traffic_growth": Measure.GROWTH,
}
"Signals of the vocabulary that are measures of their own."
GROWING: Final = {"headcount_growth": "headcount", "web_traffic_growth": "traffic"}
DATED: Final = frozenset({*SIGNALS.values(), Measure.HIRING, Measure.SIGNAL}) - {Measure.GROWTH}
MAX_NAME: Final = 4  # words of the name of an event


def begin(context: Context, mention: Words, relation: str) -> None:
    """Read what a relation means by itself, before anything follows it: "hiring", "expanding", "attending SaaStr"."""
    if context.is_excluding() and context.section.strength != "must_not":
        return
    spoken = context.words_between(mention.first, mention.last)
    if relation == "hiring" and spoken[0] not in ("hires", "hire", "job", "jobs"):
        _hire(context, mention)
    elif relation == "expanding" and context.place + 1 == len(context.mentions):
        if spoken[-1] not in ("to", "into", "in", "expand"):
            context.happens(mention, Measure.EXPANSION, "expanding")
    elif relation == "event" and spoken[-1] != "the":
        last = mention.last
        while last < min(len(context.tokens), mention.last + MAX_NAME) and context.tokens[last].text[0].isupper():
            last += 1
        if last > mention.last:
            name = excerpt(context.text, context.tokens, mention.last, last)
            context.happens(mention, Measure.EVENT, f"at {name}", target=name).last = last
            context.understood.update(range(mention.first, last))


def _hire(context: Context, mention: Words) -> None:
    """Read "hiring" as an event, or as the end of one that is read already: "AE hiring"."""
    last, following = context.last, context.after()
    if last and last.measure is Measure.HIRING and last.last == mention.first:
        last.last = mention.last
        context.understood.update(range(mention.first, mention.last))
    elif isinstance(following, Words) and (following.of("model") or following.of("industry")):
        context.relation = context.section.relation  # "recruiting marketplaces" looks for partners
    else:
        context.happens(mention, Measure.HIRING, "hiring").confidence = 0.9


def read_signal(context: Context, mention: Words, entry: Entry) -> bool:
    """Read a signal of the vocabulary."""
    if context.relation_to("signal") in FOREIGN | {"serving"}:
        return False
    following = context.tokens[mention.last : mention.last + 1]
    if following and (following[0].joined or following[0].stem in table("ranks")):
        return False  # "M&A-focused", "digitalization lead"
    measure = SIGNALS.get(entry.id)
    if measure is None:
        context.state(mention, Measure.SIGNAL, entry.id, entry.label, 0.8)
        return True
    context.happens(mention, measure, context.written(mention), target=GROWING.get(entry.id))
    if measure is Measure.LAST_ROUND:
        context.lead = ("last_round", mention.last)
    return True


def read_ownership(context: Context, mention: Words, entry: Entry) -> bool:
    """Read who owns a company."""
    if context.relation_to("ownership") in FOREIGN | SERVED | {"hiring"}:
        return False
    context.state_entry(mention, Measure.OWNERSHIP, entry, 0.9)
    return True


def read_stage_group(context: Context, mention: Words, entry: Entry) -> bool:
    """Read "early-stage" as a range of funding stages, which it often but not always means."""
    if context.relation_to("stage") in FOREIGN | SERVED:
        return False
    value: ConditionValue = (entry.codes[0], entry.codes[-1])
    draft = context.state(
        mention, Measure.FUNDING_STAGE, value, entry.label, 0.6, operator="between", codes=entry.codes
    )
    stages = f"{_stage_label(entry.codes[0])} to {_stage_label(entry.codes[-1])}"
    draft.readings = (
        reading(Measure.FUNDING_STAGE, stages),
        reading(None, "a young or growing company in general"),
    )
    return True


def read_stages(context: Context, mention: Stages) -> None:
    """Read funding stages; "has not raised a Series A" excludes it and all later ones."""
    if context.relation_to("stage") in FOREIGN | SERVED or context.word(mention.last) in words("of_investors"):
        return
    if mention.operator == "eq" and len(mention.stages) > 1:
        for number, stage in enumerate(mention.stages):
            draft = context.state(mention, Measure.FUNDING_STAGE, stage, _stage_label(stage), 0.95, codes=(stage,))
            draft.connector = "or" if number else draft.connector
        return
    raised = "raised" in context.words_between(mention.first - 8, mention.first)
    not_raised = raised and context.is_excluding() and context.section.strength != "must_not"
    operator = "gte" if not_raised and mention.operator == "eq" else mention.operator
    first, last = _stage_label(mention.stages[0]), _stage_label(mention.stages[-1])
    label = {"gte": f"{first} or later", "lte": f"{last} or earlier", "between": f"{first} to {last}"}
    value: ConditionValue = mention.stages[-1] if operator == "lte" else mention.stages[0]
    if operator == "between":
        value = (mention.stages[0], mention.stages[-1])
    codes = stage_codes(operator, mention.stages)
    words_ = label.get(operator, first)
    context.state(mention, Measure.FUNDING_STAGE, value, words_, 0.95, operator=operator, codes=codes)


def _stage_label(stage: str) -> str:
    return vocabulary().find("stage", stage)[0].label


def read_window(context: Context, mention: Window) -> None:
    """Read a period: of the event before it, since the company was founded, or since it raised money."""
    last = context.last
    if context.relation_to("window") == "founded" and not (last and last.measure is Measure.FOUNDED):
        context.happens(mention, Measure.FOUNDED, f"founded in the last {mention.days} days", within_days=mention.days)
        return
    for place, dated in enumerate(reversed(context.drafts[-4:]), 1):
        is_open = dated.about.within_days is None or dated.chunk == context.chunk
        if dated.measure in DATED and dated.operator == "exists" and is_open:
            dated.about_with(within_days=mention.days)
            context.understood.update(range(mention.first, mention.last))
            other = context.drafts[-place - 1] if place < len(context.drafts) else dated
            if dated.connector == "or" and other.measure is dated.measure and other.chunk == dated.chunk:
                other.about_with(within_days=mention.days)
            return
    before = set(context.words_between(mention.first - 20, mention.first))
    if before & words("raised") or context.section.topic == "last_round":
        label = f"raised in the last {mention.days} days"
        context.happens(mention, Measure.LAST_ROUND, label, within_days=mention.days)
