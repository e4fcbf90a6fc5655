"""
Industries, those whom a company serves, business models, and sizes in words.
"""

from typing import Final

from enrichment.icp.context import FOREIGN, KINDS_OF_COMPANIES, SERVED, Context
from enrichment.icp.drafts import number_draft, reading
from enrichment.icp.mentions import Codes, Mention, Words
from enrichment.icp.quantities import Quantity
from enrichment.icp.vocabulary import Entry, official_titles, vocabulary, words
from schemas import Measure, Reading

NOT_OF_THE_COMPANY: Final = FOREIGN | {
    "hiring", "appointed", "migrating_from", "migrating_to", "event", "expanding", "lacking", "using",
}  # fmt: skip
"Relations in which an industry is not that of the company."


def is_ours(context: Context, mention: Words) -> bool:
    """Whether those who serve are the author's side ("we typically serve"), so that whom they serve is the target."""
    before = set(context.words_between(mention.first - 4, mention.first))
    if mention.first == 0 and context.word(0) in ("targeting", "focus", "focusing", "focused"):
        return True
    told = any(one.first >= mention.first - 4 and one.measure in KINDS_OF_COMPANIES for one in context.drafts[-2:])
    spoken = bool(words("author") & before) and before.isdisjoint(("that", "who", "which", "companies"))
    return spoken and not told  # unlike "we sell to software serving construction"


def is_for_customers(context: Context, mention: Words) -> bool:
    """Whether "for" says for whom the company works: "SaaS for dentists", "agencies that build sites for schools"."""
    before = context.before()
    if isinstance(before, Words) and before.last == mention.first and _is_head(before):
        return True
    made = (Measure.INDUSTRY, Measure.BUSINESS_MODEL)
    return any(one.measure in made and one.chunk == context.chunk for one in context.drafts[-4:])


def read_industry(context: Context, mention: Words, entry: Entry) -> bool:
    """Read an industry: of the company, or of those whom it serves."""
    before = context.before()
    counted = isinstance(before, Quantity) and before.last == mention.first and before.unit is None
    if (
        counted
        or _is_elsewhere(context, mention, entry)
        or (entry.ordinary and not _is_in_context(context, mention, entry))
    ):
        return False
    relation = context.relation_to("industry")
    following = context.after()
    served = relation in SERVED or "customers" in context.after_kinds(mention)  # "tech clients"
    if served or context.section.topic == "customers":
        context.state_entry(mention, Measure.CUSTOMERS_INDUSTRY, entry, 0.9)
    elif relation in NOT_OF_THE_COMPANY and not _is_example(context, relation):
        return False
    elif relation == "using_weak" and context.word(mention.first - 1) in words("possessions"):
        return False  # "with retail distribution"
    elif _is_partner(context, mention, following):
        return False
    elif _is_object(context, mention):
        context.doubt(
            mention,
            reading(Measure.CUSTOMERS_INDUSTRY, f"customers in {entry.label}", entry.id),
            reading(Measure.INDUSTRY, entry.label, entry.id),
        )
    elif readings := _readings(context, mention, entry, following):
        context.doubt(mention, *readings)
    elif _is_modifier(entry, following):
        context.state_entry(mention, Measure.CUSTOMERS_INDUSTRY, entry, 0.75)
        _serve_listed(context)
    elif entry.id == "saas" and _follows(context, mention, Measure.INDUSTRY):
        context.state(mention, Measure.BUSINESS_MODEL, "saas", "Software as a service", 0.9)  # "fintech SaaS"
    else:
        _drop_wider(context, mention)
        context.state_entry(mention, Measure.INDUSTRY, entry, 0.8 if entry.ordinary else 0.95)
    return True


def _is_object(context: Context, mention: Words) -> bool:
    """Whether an unknown verb relates it to the industry before it: "software firms transforming agriculture"."""
    verb, last = mention.first - 1, context.last
    if last is None or last.measure is not Measure.INDUSTRY or last.last > verb:
        return False
    between = {place for place in range(last.last, verb) if place not in context.grammar}
    return not between and context.is_preceded_by_unknown(mention) and context.word(verb).endswith("ing")


def _drop_wider(context: Context, mention: Words) -> None:
    """Drop the industry before it that it is a part of: "Manufacturing > Automotive", "manufacturers of devices"."""
    last, joint = context.last, context.word(mention.first - 1)
    if last and last.measure is Measure.INDUSTRY and last.last == mention.first - 1:
        of = joint in words("title_of") | {"von"} and last.value == "manufacturing"
        last.dropped = last.dropped or of or joint == ">"


def _serve_listed(context: Context) -> None:
    """What is listed before it describes the next word, too: "insurance, solar and home services call centers"."""
    for place in range(len(context.drafts) - 1, 0, -1):
        before, draft = context.drafts[place - 1], context.drafts[place]
        between = set(context.words_between(before.last, draft.first))
        if before.measure is not Measure.INDUSTRY or before.value in words("services") or not between <= words("list"):
            return
        before.measure = Measure.CUSTOMERS_INDUSTRY


def _readings(context: Context, mention: Words, entry: Entry, following: Mention | None) -> tuple[Reading, ...]:
    """Its possible meanings, if the text does not decide: "carriers", "pharma packaging", "healthcare payers"."""
    names = {one.id: one.label for one in mention.entries if one.kind == "industry"}
    if len(names) > 1:
        return tuple(reading(Measure.INDUSTRY, label, one) for one, label in sorted(names.items()))
    word = context.tokens[mention.last - 1]
    is_head = _is_head(following) and entry.id not in words("tech")
    made_for = is_head and not _is_modifier(entry, following)  # "logistics tech", "consulting tools"
    of_unknown = word.norm == word.stem and context.is_followed_by_unknown(mention)
    if not of_unknown and not made_for and not _is_compound(entry, following):
        return ()
    of_next = reading(None, f"{entry.label} only describes the next word")
    return (reading(Measure.INDUSTRY, entry.label, entry.id), of_next)


def _is_elsewhere(context: Context, mention: Words, entry: Entry) -> bool:
    """Whether a label is about something else, a single company is meant, or a part of an unknown word."""
    topic = context.section.topic
    if topic in ("technology", "department", "hiring", "business_model"):
        return True
    if entry.ordinary and topic in ("persona", "seniority", "place", "headcount", "revenue"):
        return True
    part = context.tokens[mention.first].joined and mention.first - 1 not in context.known
    word, following = context.tokens[mention.last - 1], context.after()
    alone = mention.last - mention.first == 1
    named = context.word(mention.first - 1) not in words("sizes") and context.is_modified(mention.first, mention.last)
    if alone and named and word.stem in words("generic_industries"):
        return True  # "agences immobilières", "casting agencies"
    if mention.last < len(context.tokens) and context.tokens[mention.last].joined and following is None:
        return True  # "publisher-funded"
    is_one = (
        context.word(mention.first - 1) in words("articles") | {"no", "without"}
        and word.norm == word.stem
        and entry.spelling.casefold().endswith("s")
        and not (isinstance(following, Words) and following.of("noun"))
    )
    product = _is_of_product(context, mention) and not (isinstance(following, Words) and following.of("noun"))
    return (
        part or is_one or context.is_owned(mention) or product
    )  # "Reha-Kliniken", "outsourced to an agency", "Oracle Retail"


def _is_of_product(context: Context, mention: Words) -> bool:
    """Whether it stands in capitals after the name of a product, and belongs to it: "HubSpot Enterprise"."""
    before = context.before()
    named = isinstance(before, Words) and before.of("technology") and before.last == mention.first
    return bool(named) and context.tokens[mention.first].text.istitle()


def _is_in_context(context: Context, mention: Words, entry: Entry) -> bool:
    """Whether an everyday word is an industry here: in a list of industries, before "companies", or under a label."""
    if context.section.topic in ("industry", "customers"):
        return True
    if entry.spelling.isupper() and not context.written(mention).isupper():
        return False
    following, before = context.after(), context.before()
    if isinstance(following, Words) and following.of("noun") and not following.of("strength"):
        return True
    if isinstance(before, Words) and before.of("model") and before.last == mention.first:
        return True
    if context.is_alone() and context.is_excluding():
        return True
    near = [one for one in (context.listed(-1), context.listed(1)) if isinstance(one, Words)]
    return any((other := one.of("industry")) and not other.ordinary for one in near)


def _is_example(context: Context, relation: str | None) -> bool:
    """Whether "like" gives examples of an industry: "financial services like banks"."""
    last = context.last
    return bool(relation == "like" and last and last.measure is Measure.INDUSTRY and last.chunk >= context.chunk - 1)


def _follows(context: Context, mention: Mention, measure: Measure) -> bool:
    return bool(context.last and context.last.measure is measure and context.last.last == mention.first)


def _is_head(mention: Mention | None) -> bool:
    """Whether it is the head of "construction software"."""
    return isinstance(mention, Words) and any(
        one.kind == "after" and one.id == "serving_head" for one in mention.entries
    )


def _is_partner(context: Context, mention: Words, following: Mention | None) -> bool:
    """Whether the next word makes it something else: "software buyers"."""
    after = context.after_kinds(mention)
    is_industry = isinstance(following, Words) and following.of("industry") is not None
    return "partners" in after and "users" not in after and not _is_head(following) and not is_industry


def _is_compound(entry: Entry, following: Mention | None) -> bool:
    """Whether another industry follows directly, which the first one may only describe: "pharma packaging"."""
    following = following if isinstance(following, Words) else None
    industry = following.of("industry") if following else None
    known = words("tech") | words("services")
    if industry and industry.id == "wholesale":
        return True  # "chemical distributors" sell chemicals, or to those who make them
    if industry is None or (following and following.of("noun")) or industry.ordinary:  # "roofing contractors"
        return False
    return not {entry.id, industry.id} & known and entry.id != industry.id


def _is_modifier(entry: Entry, following: Mention | None) -> bool:
    """Whether it stands before what a company does for it: "construction software", "dental marketing agencies"."""
    if not isinstance(following, Words) or entry.id in words("services"):
        return False
    industry = following.of("industry")
    if industry:
        both_tech = entry.id in words("tech") and industry.id in words("tech")
        return industry.id in words("services") and not industry.ordinary and not both_tech
    return entry.id not in words("tech") and _is_head(following)


def read_head(context: Context, mention: Words, entry: Entry) -> bool:
    """Read the head of "construction software": what the company makes for the industry before it."""
    if entry.id != "serving_head" or not _follows(context, mention, Measure.CUSTOMERS_INDUSTRY):
        return False
    if context.word(mention.first) not in words("software_heads"):
        return False
    context.state_entry(mention, Measure.INDUSTRY, vocabulary().find("industry", "software")[0], 0.8)
    return True


def read_model(context: Context, mention: Words, entry: Entry) -> bool:
    """Read a business model. Those that are everyday words need "companies" after them, a label, or to be alone."""
    relation, following = context.relation_to("model"), context.after()
    foreign = relation in FOREIGN | SERVED | {"hiring", "contact", "migrating_to", "migrating_from", "event"}
    if foreign or context.is_owned(mention) or context.section.topic in ("technology", "persona", "department"):
        return False
    if _is_partner(context, mention, following):
        return False
    stated = entry.id in words("lone_models") or context.section.topic == "business_model" or context.is_alone()
    of_company = isinstance(following, Words) and (following.of("noun") or following.of("industry"))
    if not stated and not of_company:
        return False
    context.state_entry(mention, Measure.BUSINESS_MODEL, entry, 0.9)
    return True


def read_size(context: Context, mention: Words, entry: Entry) -> bool:
    """Read "mid-market" as a range of employees; figures in the text go before it."""
    relation, following, written = context.relation_to("size"), context.after(), context.written(mention)
    if relation in FOREIGN | SERVED | {"hiring", "migrating_to", "migrating_from"}:
        return False
    is_product = isinstance(following, Words) and (following.of("category") or following.of("technology"))
    if context.word(mention.last) in words("investors") or context.section.topic == "customers":
        return False  # "mid-market PE funds" are not mid-sized themselves
    if is_product or _is_of_product(context, mention) or (entry.ordinary and written != entry.spelling):
        return False
    draft = number_draft(Measure.HEADCOUNT, entry.minimum, entry.maximum, mention, 0.6)
    draft.label, draft.in_words = f"{written} ({draft.label})", True
    draft.readings = (reading(Measure.HEADCOUNT, draft.label), reading(Measure.REVENUE, f"{written} by revenue"))
    context.add(draft)
    return True


def read_codes(context: Context, mention: Codes) -> None:
    """Read codes of industries, by their official titles. A SIC code has no NAICS code."""
    titles = official_titles("naics" if mention.scheme == "naics" else "sic")
    for number, code in enumerate(mention.codes):
        title = titles.get(code) or next(name for key, name in titles.items() if code in key.split("-"))
        label = f"{title} ({mention.scheme.upper()} {code})"
        codes = (code,) if mention.scheme == "naics" else (f"sic:{code}",)
        draft = context.state(mention, Measure.INDUSTRY, f"{mention.scheme}:{code}", label, 0.95, codes=codes)
        draft.connector = "or" if number else draft.connector
