"""
The meaning of a mention in its relation: which measure it is a condition on, or that it is none.
"""

import re
from typing import Final

from enrichment.icp.context import Context
from enrichment.icp.drafts import MONEY, YEARS_OLD, Draft, number_draft
from enrichment.icp.mentions import Codes, Mention, Team, Window, Words
from enrichment.icp.places import Places, decide, places_at
from enrichment.icp.quantities import Quantity
from enrichment.icp.stages import Stages
from enrichment.icp.text import excerpt
from enrichment.icp.titles import Person, function_at
from enrichment.icp.vocabulary import Entry, official_titles, vocabulary
from schemas import ConditionAbout, Measure, Reading


ENTITY_KINDS: Final = frozenset(
    {"industry", "model", "technology", "category", "ownership", "size", "signal", "certification", "stages"}
)
# Relations in which nothing that is named is a condition on the company.
FOREIGN: Final = frozenset({"integrating", "evaluating", "like", "about_person"})
# Industries that are named after what they do, not for whom: "construction software" is software for construction.
SERVICES: Final = frozenset(
    {"software", "saas", "technology", "it_services", "consulting", "marketing_agencies", "staffing", "professional_services", "market_research",
     "design", "wholesale", "martech", "accounting", "training", "printing", "machinery", "logistics", "translation", "bpo", "hr_tech"}
)  # fmt: skip
TECH: Final = frozenset(
    {"fintech", "insurtech", "healthtech", "edtech", "proptech", "martech", "hr_tech", "legaltech", "agtech", "cybersecurity", "biotech",
     "artificial_intelligence", "developer_tools", "crypto", "payments", "construction_tech", "robotics", "medical_devices", "technology", "software", "saas", "gaming", "ecommerce"}
)  # fmt: skip
HEADS: Final = frozenset("software saas platform platforms app apps solution solutions tech technology tools".split())
SIGNALS: Final[dict[str, Measure]] = {
    "funding_round": Measure.LAST_ROUND, "leadership_change": Measure.LEADERSHIP_CHANGE, "product_launch": Measure.PRODUCT_LAUNCH,
    "expansion": Measure.EXPANSION, "acquisition": Measure.ACQUISITION, "ipo": Measure.IPO, "layoffs": Measure.LAYOFFS,
    "tech_change": Measure.TECHNOLOGY_CHANGE, "partnership": Measure.PARTNERSHIP, "news": Measure.NEWS, "event_attendance": Measure.EVENT,
    "growth": Measure.GROWTH, "headcount_growth": Measure.GROWTH, "web_traffic_growth": Measure.GROWTH,
}  # fmt: skip
GROWING: Final = {"headcount_growth": "headcount", "web_traffic_growth": "traffic"}
UNIT_MEASURES: Final[dict[str, Measure]] = {
    "headcount": Measure.HEADCOUNT, "revenue": Measure.REVENUE, "recurring_revenue": Measure.RECURRING_REVENUE,
    "funding_raised": Measure.FUNDING_RAISED, "last_round": Measure.LAST_ROUND, "locations_count": Measure.LOCATIONS_COUNT,
    "traffic": Measure.TRAFFIC, "rating": Measure.RATING, "growth": Measure.GROWTH, "years_in_business": Measure.FOUNDED,
    "rank": Measure.RANK, "founded": Measure.FOUNDED,
}  # fmt: skip
EVENTS: Final = frozenset(
    {Measure.HIRING, Measure.LEADERSHIP_CHANGE, Measure.LAST_ROUND, Measure.EXPANSION, Measure.ACQUISITION, Measure.IPO, Measure.LAYOFFS,
     Measure.TECHNOLOGY_CHANGE, Measure.PRODUCT_LAUNCH, Measure.PARTNERSHIP, Measure.NEWS, Measure.EVENT, Measure.SIGNAL, Measure.GROWTH, Measure.FOUNDED}
)  # fmt: skip
LONE_MODELS: Final = frozenset({"b2b", "b2c", "d2c", "b2b2c", "b2g", "plg", "saas"})
OF_RANK: Final = re.compile(r"(?:\S+ ){0,2}\S+ (?:of|for) |[SE]?VP (?=\S)")
OFFICES: Final = frozenset("office offices presence entity entities branch branches subsidiary subsidiaries".split())
OPENINGS: Final = frozenset(
    "role roles position positions opening openings job jobs req reqs vacancy vacancies posting postings hires".split()
)
US_AND_OTHERS: Final = frozenset("we i our us you my".split())
CURRENCY_OF_LANGUAGE: Final = {
    "de": "EUR",
    "fr": "EUR",
    "es": "EUR",
    "it": "EUR",
    "nl": "EUR",
    "fi": "EUR",
    "pl": "PLN",
    "sv": "SEK",
    "da": "DKK",
    "no": "NOK",
}
CURRENCY_OF_COUNTRY: Final = {
    "CH": "CHF", "GB": "GBP", "BR": "BRL", "MX": "MXN", "SE": "SEK", "NO": "NOK", "DK": "DKK", "PL": "PLN", "CA": "CAD", "AU": "AUD",
    "NZ": "NZD", "SG": "SGD", "HK": "HKD", "AR": "ARS", "CL": "CLP", "CO": "COP", "IN": "INR", "CZ": "CZK", "US": "USD",
}  # fmt: skip
DOLLARS: Final = {"CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD"}


def reading(measure: Measure | None, label: str, value: str | None = None) -> Reading:
    """One of several possible meanings."""
    return Reading(measure=measure, label=label, value=value)


def is_ours(reader: Context, mention: Words) -> bool:
    """Whether those who serve are the author's side ("we typically serve"), so that whom they serve is the target."""
    words = reader.words_between(max(0, mention.first - 4), mention.first)
    return bool(US_AND_OTHERS & set(words)) and not {"that", "who", "which", "companies"} & set(words)


def is_for_customers(reader: Context, mention: Words) -> bool:
    """Whether "for" is between what a company makes and for whom: "SaaS for dentists", "platforms for schools"."""
    before = reader.mentions[reader.place - 1] if reader.place else None
    if not isinstance(before, Words) or before.last != mention.first or reader.relation == "target":
        return False
    if any(one.kind == "after" and one.id == "serving_head" for one in before.entries):
        return True
    last = reader.drafts[-1] if reader.drafts else None
    return bool(
        last
        and last.measure in (Measure.INDUSTRY, Measure.BUSINESS_MODEL)
        and (last.last == mention.first or before.of("noun"))
        and last.chunk == reader.chunk
    )


def _exists(measure: Measure, mention: Mention, label: str, **values: object) -> Draft:
    about = ConditionAbout(**values)  # type: ignore[arg-type]
    return Draft(
        measure=measure,
        operator="exists",
        value=True,
        label=label,
        first=mention.first,
        last=mention.last,
        confidence=0.85,
        about=about,
    )


def begin(reader: Context, mention: Words, relation: str) -> None:
    """What a relation means by itself, before anything follows it: "hiring", "expanding"."""
    following = reader.mentions[reader.place + 1 :]
    if reader.section.strength != "must_not" and reader.scopes.is_excluding(reader.chunk):
        return
    words = reader.words_between(mention.first, mention.last)
    if relation == "hiring" and not {"hires", "hire", "job", "jobs"} & set(words[:1]):
        if (
            reader.tokens[mention.last].norm in ("manager", "managers", "process", "platform")
            if mention.last < len(reader.tokens)
            else False
        ):
            return
        last = reader.drafts[-1] if reader.drafts else None
        if last and last.measure is Measure.HIRING and last.last == mention.first:
            last.last = mention.last  # "AE hiring"
            reader.understood.update(range(mention.first, mention.last))
            return
        draft = _exists(Measure.HIRING, mention, "hiring")
        draft.confidence = 0.9
        reader.add(draft)
    if relation == "expanding" and not following and words[-1] not in ("to", "into", "in", "expand"):
        reader.add(_exists(Measure.EXPANSION, mention, "expanding"))
    if relation == "event":
        target = _name_after(reader, mention.last)
        if target and words[-1] != "the":
            name = excerpt(reader.text, reader.tokens, mention.last, target)
            draft = reader.add(_exists(Measure.EVENT, mention, f"at {name}", target=name))
            draft.last = target
            reader.understood.update(range(mention.first, target))


def _name_after(reader: Context, first: int) -> int:
    last = first
    while (
        last < len(reader.tokens)
        and last - first < 4
        and reader.tokens[last].text[0].isupper()
        and reader.tokens[last].kind == "word"
    ):
        last += 1
    return last if last > first else 0


def read_words(reader: Context, mention: Words) -> bool:
    """Read an expression of the vocabulary as an entity; False if it is none, but a word of the grammar."""
    for kind, read in READERS.items():
        entry = mention.of(kind)  # type: ignore[arg-type]
        if entry and read(reader, mention, entry):
            return True
    return False


# Industries and business models


def _industry(reader: Context, mention: Words, entry: Entry) -> bool:
    topic = reader.section.topic
    if topic in ("technology", "department", "hiring") or (
        entry.ordinary and topic in ("persona", "seniority", "place", "headcount", "revenue")
    ):
        return False
    if _is_one_company(reader, mention, entry) or (
        mention.first > 0 and reader.tokens[mention.first].joined and mention.first - 1 not in reader.known
    ):
        return False
    if not reader.is_related("industry") or reader.relation in (
        None,
        "located",
        "using_weak",
        "office",
        "founded",
        "contact",
    ):
        pass
    elif reader.relation in ("serving", "serving_in"):
        if entry.ordinary and not _in_industry_context(reader, mention):
            return False
        reader.add(_industry_draft(mention, entry, Measure.CUSTOMERS_INDUSTRY, 0.9))
        return True
    elif reader.relation in FOREIGN | {
        "hiring",
        "appointed",
        "migrating_from",
        "migrating_to",
        "event",
        "expanding",
        "lacking",
        "using",
    }:
        before = reader.drafts[-1] if reader.drafts else None
        if not (
            reader.relation == "like"
            and before
            and before.measure is Measure.INDUSTRY
            and before.chunk >= reader.chunk - 1
        ):
            return False
    if reader.relation == "using_weak" and _word(reader, mention.first - 1) in ("with", "via", "have", "has", "having"):
        return False  # "with retail distribution"
    if topic == "customers":
        reader.add(_industry_draft(mention, entry, Measure.CUSTOMERS_INDUSTRY, 0.9))
        return True
    if entry.ordinary and not _in_industry_context(reader, mention):
        return False
    following = reader.after()
    after = reader.after_kinds(mention)
    if (
        "partners" in after
        and "users" not in after
        and not _head(following)
        and not (isinstance(following, Words) and following.of("industry"))
    ):
        return False
    if _serves_as_modifier(entry, following, reader):
        reader.add(_industry_draft(mention, entry, Measure.CUSTOMERS_INDUSTRY, 0.75))
        return True
    draft = _industry_draft(mention, entry, Measure.INDUSTRY, 0.8 if entry.ordinary else 0.95)
    before = reader.drafts[-1] if reader.drafts else None
    if (
        entry.id == "saas"
        and before
        and before.last == mention.first
        and before.measure in (Measure.INDUSTRY, Measure.CUSTOMERS_INDUSTRY)
    ):
        if before.measure is Measure.INDUSTRY:
            draft = Draft(
                measure=Measure.BUSINESS_MODEL,
                operator="eq",
                value="saas",
                label="Software as a service",
                first=mention.first,
                last=mention.last,
                confidence=0.9,
            )
    reader.add(draft)
    if before and before.measure is Measure.BUSINESS_MODEL and before.last == mention.first:
        draft.connector = ""
    return True


def _is_one_company(reader: Context, mention: Words, entry: Entry) -> bool:
    """Whether a single company is meant, and no kind of companies: "outsourced to an agency"."""
    word = reader.tokens[mention.last - 1]
    article = _word(reader, mention.first - 1) in ("a", "an", "the", "their", "our", "your", "its", "my", "another", "no", "without")
    return (
        article
        and word.norm == word.stem
        and entry.spelling.casefold().endswith("s")
        and not (isinstance(one := reader.after(), Words) and one.of("noun"))
    )


def _industry_draft(mention: Mention, entry: Entry, measure: Measure, confidence: float) -> Draft:
    return Draft(
        measure=measure,
        operator="eq",
        value=entry.id,
        label=entry.label,
        first=mention.first,
        last=mention.last,
        confidence=confidence,
        codes=entry.codes,
        narrower=entry.narrower,
    )


def _in_industry_context(reader: Context, mention: Words) -> bool:
    """Whether an everyday word is an industry here: in a list of industries, before "companies", or under a label."""
    if reader.section.topic in ("industry", "customers"):
        return True
    following, spelled = reader.after(), mention.entries[0].spelling
    written = excerpt(reader.text, reader.tokens, mention.first, mention.last)
    if spelled.isupper() and not written.isupper():
        return False
    if isinstance(following, Words) and following.of("noun") and not following.of("strength"):
        return True
    before = reader.mentions[reader.place - 1] if reader.place else None
    if isinstance(before, Words) and before.of("model") and before.last == mention.first:
        return True
    if reader.is_alone() and reader.scopes.is_excluding(reader.chunk):
        return True
    near = [one for one in (_listed(reader, -1), _listed(reader, 1)) if one is not None]
    return any(isinstance(one, Words) and (other := one.of("industry")) and not other.ordinary for one in near)


def _listed(reader: Context, step: int) -> Mention | None:
    """The mention that a comma, "and" or "or" connects with this one."""
    place = reader.place + step
    if not 0 <= place < len(reader.mentions):
        return None
    other = reader.mentions[place]
    while (
        isinstance(other, Words)
        and all(one.kind in ("link", "both") for one in other.entries)
        and 0 <= place + step < len(reader.mentions)
    ):
        place += step
        other = reader.mentions[place]
    first, last = (other.last, reader.here.first) if step < 0 else (reader.here.last, other.first)
    words = reader.words_between(first, last)
    return (
        other
        if words
        and set(words)
        <= {",", "/", "and", "or", "und", "oder", "et", "ou", "y", "o", "e", "en", "og", "och", "a", "the", "+"}
        else None
    )


def _head(mention: Mention | None) -> bool:
    """Whether it is the head of "construction software"."""
    return isinstance(mention, Words) and any(
        one.kind == "after" and one.id == "serving_head" for one in mention.entries
    )


def _serves_as_modifier(entry: Entry, following: Mention | None, reader: Context) -> bool:
    """Whether an industry stands before what a company does for it: "construction software", "dental marketing agencies"."""
    if not isinstance(following, Words) or entry.id in SERVICES:
        return False
    industry = following.of("industry")
    if industry and industry.id == "saas" and entry.id in TECH:
        return False
    if industry:
        return industry.id in SERVICES and not industry.ordinary and not (entry.id in TECH and industry.id in TECH)
    if entry.id in TECH:
        return False
    return _head(following)


def _after_head(reader: Context, mention: Words, entry: Entry) -> bool:
    """The head of "construction software" when the vocabulary has no industry of that name."""
    if entry.id != "serving_head" or not reader.drafts:
        return False
    before = reader.drafts[-1]
    if before.measure is not Measure.CUSTOMERS_INDUSTRY or before.last != mention.first:
        return False
    word = reader.tokens[mention.first].norm
    if word in HEADS:
        software = vocabulary().find("industry", "software")[0]
        reader.add(_industry_draft(mention, software, Measure.INDUSTRY, 0.8))
        return True
    return False


def _model(reader: Context, mention: Words, entry: Entry) -> bool:
    if reader.section.topic in ("technology", "persona", "department"):
        return False
    if reader.relation in FOREIGN | {
        "serving",
        "serving_in",
        "hiring",
        "contact",
        "migrating_to",
        "migrating_from",
        "event",
    } and reader.is_related("model"):
        return False
    following = reader.after()
    if (
        "partners" in reader.after_kinds(mention)
        and not _head(following)
        and not (isinstance(following, Words) and following.of("industry"))
    ):
        return False
    if entry.id not in LONE_MODELS and reader.section.topic != "business_model" and not reader.is_alone():
        if not (isinstance(following, Words) and (following.of("noun") or following.of("industry"))):
            return False
    reader.add(
        Draft(
            measure=Measure.BUSINESS_MODEL,
            operator="eq",
            value=entry.id,
            label=entry.label,
            first=mention.first,
            last=mention.last,
            confidence=0.9,
        )
    )
    return True


def _size(reader: Context, mention: Words, entry: Entry) -> bool:
    """ "Mid-market" as a range of employees; figures in the text go before it."""
    if reader.relation in FOREIGN | {
        "serving",
        "serving_in",
        "hiring",
        "migrating_to",
        "migrating_from",
    } and reader.is_related("size"):
        return False
    following = reader.after()
    if isinstance(following, Words) and any(one.kind in ("category", "technology") for one in following.entries):
        return False
    written = excerpt(reader.text, reader.tokens, mention.first, mention.last)
    if entry.ordinary and written != entry.spelling:
        return False
    draft = number_draft(
        Measure.HEADCOUNT, entry.minimum, entry.maximum, first=mention.first, last=mention.last, confidence=0.6
    )
    draft.label = f"{written} ({draft.label})"
    draft.readings = (reading(Measure.HEADCOUNT, draft.label), reading(Measure.REVENUE, f"{written} by revenue"))
    reader.add(draft)
    return True


def _ownership(reader: Context, mention: Words, entry: Entry) -> bool:
    if reader.relation in FOREIGN | {"serving", "serving_in", "hiring"} and reader.is_related("ownership"):
        return False
    reader.add(
        Draft(
            measure=Measure.OWNERSHIP,
            operator="eq",
            value=entry.id,
            label=entry.label,
            first=mention.first,
            last=mention.last,
            confidence=0.9,
        )
    )
    return True


def _stage_group(reader: Context, mention: Words, entry: Entry) -> bool:
    if reader.relation in FOREIGN | {"serving", "serving_in"} and reader.is_related("stage"):
        return False
    draft = Draft(
        measure=Measure.FUNDING_STAGE,
        operator="between",
        value=(entry.codes[0], entry.codes[-1]),
        label=entry.label,
        first=mention.first,
        last=mention.last,
        confidence=0.6,
        codes=entry.codes,
    )
    draft.readings = (
        reading(Measure.FUNDING_STAGE, f"{entry.codes[0]} to {entry.codes[-1]}"),
        reading(None, "a young or growing company in general"),
    )
    reader.add(draft)
    return True


# Technologies


def _technology(reader: Context, mention: Words, entry: Entry) -> bool:
    written = excerpt(reader.text, reader.tokens, mention.first, mention.last)
    following = reader.after()
    related = reader.is_related("technology")
    relation = reader.relation if related else None
    after = reader.after_kinds(mention)
    if "partners" in after and "users" not in after:
        reader.place += isinstance(following, Words)  # "Shopify app developers" are no app developers either
        return True
    if isinstance(following, Person) and not following.is_rank:
        return False
    if "customers" in after:
        reader.doubt(
            mention,
            reading(Measure.TECHNOLOGY, f"uses {entry.label}", entry.id),
            reading(None, f"is a customer of {entry.label} for something else"),
        )
        return True
    if relation in FOREIGN | {
        "contact",
        "event",
        "about_person",
        "expanding",
        "office",
        "located",
        "serving_in",
        "founded",
    }:
        before = reader.drafts[-1] if reader.drafts else None
        if not (
            relation == "like"
            and before
            and before.measure in (Measure.TECHNOLOGY_CATEGORY, Measure.TECHNOLOGY)
            and before.chunk >= reader.chunk - 2
        ):
            if relation not in ("located", "office", "expanding", "founded") or entry.ordinary or not "users" in after:
                return False
    if relation == "serving":
        return False
    capital = written == entry.spelling or (written[0].isupper() and not entry.spelling.isupper())
    listed = any(
        isinstance(one, Words)
        and (other := one.of("technology"))
        and (not other.ordinary or _is_spelled(reader, one, other))
        for one in (_listed(reader, -1), _listed(reader, 1))
    )
    strong = (
        relation in ("using", "lacking", "migrating_from", "migrating_to")
        or reader.section.topic == "technology"
        or "users" in after
        or listed
    )
    if entry.ordinary and not (strong and (capital or reader.section.topic == "technology")):
        if (
            capital
            and relation in ("using_weak", None)
            and (relation or reader.is_alone())
            and reader.section.topic in (None, "plain", "signal")
        ):
            reader.doubt(
                mention,
                reading(Measure.TECHNOLOGY, f"uses {entry.label}", entry.id),
                reading(None, f"the word {written.lower()}"),
            )
            return True
        return False
    if len(vocabulary_meanings(mention)) > 1:
        reader.doubt(
            mention,
            *(reading(Measure.TECHNOLOGY, f"uses {name}", name) for name in sorted(vocabulary_meanings(mention))),
        )
        return True
    if relation in ("migrating_from", "migrating_to"):
        way = "from" if relation == "migrating_from" else "to"
        draft = _exists(Measure.TECHNOLOGY_CHANGE, mention, f"moving {way} {entry.label}", target=entry.id)
        reader.add(draft)
        return True
    if relation in ("hiring", "appointed"):
        hiring = next((one for one in reversed(reader.drafts) if one.measure is Measure.HIRING), None)
        if hiring and relation == "hiring":
            hiring.about_with(target=entry.id)
            reader.understood.update(range(mention.first, mention.last))
            return True
        return False
    if (
        not strong
        and relation != "using_weak"
        and not reader.is_alone()
        and reader.section.topic not in ("plain", None)
    ):
        return False
    if not strong and not relation and not reader.is_alone():
        reader.doubt(
            mention,
            reading(Measure.TECHNOLOGY, f"uses {entry.label}", entry.id),
            reading(None, f"something else about {entry.label}"),
        )
        return True
    confidence = 0.95 if strong and not entry.ordinary else 0.8
    draft = Draft(
        measure=Measure.TECHNOLOGY,
        operator="eq",
        value=entry.id,
        label=entry.label,
        first=mention.first,
        last=mention.last,
        confidence=confidence,
    )
    if entry.ordinary:
        draft.readings = (
            reading(Measure.TECHNOLOGY, f"uses {entry.label}", entry.id),
            reading(None, f"the word {written.lower()}"),
        )
    reader.add(draft)
    return True


def _is_spelled(reader: Context, mention: Words, entry: Entry) -> bool:
    return excerpt(reader.text, reader.tokens, mention.first, mention.last) == entry.spelling


def vocabulary_meanings(mention: Words) -> set[str]:
    """The technologies that an expression can be."""
    return {one.id for one in mention.entries if one.kind == "technology"}


def _category(reader: Context, mention: Words, entry: Entry) -> bool:
    """A category of products, where the company uses one; elsewhere it can be what the company makes."""
    following = reader.after()
    relation = reader.relation if reader.is_related("technology") else None
    after = reader.after_kinds(mention)
    if ("partners" in after or (isinstance(following, Words) and following.of("noun"))) and "users" not in after:
        return False
    before = reader.mentions[reader.place - 1] if reader.place else None
    if isinstance(before, Quantity) and before.last == mention.first:
        return False
    last = reader.drafts[-1] if reader.drafts else None
    if (
        last
        and last.measure is Measure.TECHNOLOGY
        and set(reader.words_between(last.last, mention.first))
        <= {"as", "their", "for", "the", "its", "main", "primary", "a"}
    ):
        reader.understood.update(range(mention.first, mention.last))
        return True  # "Workday as HRIS", "Cerner EHR"
    if isinstance(following, (Person, Team)) or relation in (
        "integrating",
        "evaluating",
        "serving",
        "hiring",
        "contact",
        "like",
        "about_person",
    ):
        return False
    if relation in ("migrating_from", "migrating_to") and not entry.ordinary:
        reader.add(_exists(Measure.TECHNOLOGY_CHANGE, mention, f"changing {entry.label}", target=entry.id))
        return True
    stated = relation in ("using", "lacking") or (reader.section.topic == "technology")
    if not stated and (relation != "using_weak" or entry.ordinary):
        return False
    if isinstance(following, Words) and following.of("technology") and following.first == mention.last:
        reader.understood.update(range(mention.first, mention.last))
        return True
    reader.add(
        Draft(
            measure=Measure.TECHNOLOGY_CATEGORY,
            operator="eq",
            value=entry.id,
            label=entry.label,
            first=mention.first,
            last=mention.last,
            confidence=0.85 if stated else 0.75,
            codes=entry.codes,
        )
    )
    return True


# Signals and certifications


def _signal(reader: Context, mention: Words, entry: Entry) -> bool:
    if reader.relation in ("integrating", "evaluating", "like", "serving", "about_person") and reader.is_related(
        "signal"
    ):
        return False
    measure = SIGNALS.get(entry.id)
    words = excerpt(reader.text, reader.tokens, mention.first, mention.last)
    if measure:
        draft = _exists(measure, mention, words, target=GROWING.get(entry.id))
    else:
        draft = Draft(
            measure=Measure.SIGNAL,
            operator="eq",
            value=entry.id,
            label=entry.label,
            first=mention.first,
            last=mention.last,
            confidence=0.8,
        )
    if measure is Measure.LAST_ROUND:
        reader.lead = ("last_round", mention.last)
    reader.add(draft)
    return True


def _certification(reader: Context, mention: Words, entry: Entry) -> bool:
    following = reader.after()
    words = set(reader.words_between(max(0, mention.first - 3), mention.first))
    certified = isinstance(following, Words) and any(
        one.kind == "after" and one.id == "certified" for one in following.entries
    )
    if (
        words
        & {
            "need",
            "needs",
            "needing",
            "pursuing",
            "preparing",
            "toward",
            "towards",
            "upcoming",
            "getting",
            "working",
            "achieve",
            "subject",
            "under",
            "worried",
        }
        or reader.relation in FOREIGN
    ):
        return False
    listed = _listed(reader, 1)
    if isinstance(listed, Words) and listed.of("certification") and reader.place + 2 < len(reader.mentions):
        later = reader.mentions[reader.mentions.index(listed) + 1 :][:1]
        certified = certified or any(
            isinstance(one, Words) and one.of("after") and one.first == listed.last for one in later
        )
    if not (
        certified
        or reader.section.topic == "certification"
        or words & {"certified", "compliant", "holds", "hold", "with", "accredited", "certification", "certifications"}
        or reader.is_alone()
        or entry.id == "B Corp"
    ):
        return False
    if (
        not certified
        and reader.section.topic != "certification"
        and not words & {"certified", "compliant", "holds", "hold", "accredited"}
        and entry.id not in ("B Corp",)
    ):
        reader.doubt(
            mention,
            reading(Measure.CERTIFICATION, f"certified for {entry.label}", entry.id),
            reading(None, f"concerned with {entry.label}"),
        )
        return True
    reader.add(
        Draft(
            measure=Measure.CERTIFICATION,
            operator="eq",
            value=entry.id,
            label=entry.label,
            first=mention.first,
            last=mention.last,
            confidence=0.9,
        )
    )
    return True


def _function(reader: Context, mention: Words, entry: Entry) -> bool:
    """A department under a label ("Function: IT"), or with the rank before it ("Heads of Sales and Marketing")."""
    last = reader.drafts[-1] if reader.drafts else None
    if (
        last
        and last.measure is Measure.PERSONA
        and mention.first - last.last == 1
        and reader.connector(mention.first)
        and (rank := OF_RANK.match(str(last.value)))
    ):
        name = excerpt(reader.text, reader.tokens, mention.first, mention.last)
        about = ConditionAbout(role=rank[0] + name, department=entry.department, seniority=last.about.seniority)
        reader.add(
            Draft(
                measure=Measure.PERSONA,
                operator="eq",
                value=rank[0] + name,
                label=rank[0] + name,
                first=mention.first,
                last=mention.last,
                confidence=0.8,
                about=about,
                strength=last.strength,
            )
        )
        return True
    if reader.section.topic not in ("department", "persona", "hiring") and not (
        reader.relation == "hiring" and reader.is_related("person")
    ):
        return False
    name = excerpt(reader.text, reader.tokens, mention.first, mention.last)
    about = ConditionAbout(department=entry.department, seniority="any")
    if reader.section.topic in ("department", "persona"):
        reader.add(
            Draft(
                measure=Measure.PERSONA,
                operator="eq",
                value=name,
                label=f"{name} department",
                first=mention.first,
                last=mention.last,
                confidence=0.9,
                about=about,
            )
        )
    else:
        _hired(reader, mention, about)
    return True


READERS: Final = {
    "function": _function,
    "ownership": _ownership,
    "stages": _stage_group,
    "size": _size,
    "technology": _technology,
    "industry": _industry,
    "model": _model,
    "category": _category,
    "certification": _certification,
    "signal": _signal,
    "after": _after_head,
}


# Quantities


def read_quantity(reader: Context, mention: Mention) -> None:
    """A number: what it counts is said by its unit, by the words before it, or by the label; else it is no condition."""
    assert isinstance(mention, Quantity)
    if reader.relation in ("serving", "serving_in", "evaluating", "integrating", "like") and reader.is_related(
        "quantity"
    ):
        return
    following = reader.after()
    lead = reader.lead[0] if reader.lead and mention.first - reader.lead[1] <= 3 else None
    unit, topic = mention.unit, reader.section.topic
    if unit is None and lead is None and topic not in UNIT_MEASURES and (again := _same_again(reader, mention)):
        return _add_number(reader, mention, again, certain=True)
    if _is_year(mention) and (reader.relation == "founded" or topic == "founded") and unit is None:
        return _founded(reader, mention)
    if reader.relation == "hiring" and reader.team is None and isinstance(following, Person):
        return None  # "hiring 3 backend engineers"
    if _department_of(reader, mention, following):
        return None
    measure = _measure_of(reader, mention, unit, lead, topic)
    if measure is None:
        if mention.currency is not None and unit is None and lead is None:
            _money_of_no_measure(reader, mention)
        return None
    return _add_number(
        reader, mention, measure, certain=unit in UNIT_MEASURES or lead in UNIT_MEASURES or topic in UNIT_MEASURES
    )


def _same_again(reader: Context, mention: Quantity) -> Measure | None:
    """The measure of the number before it, if a bound or range goes on a list: "no more than 250 staff, no fewer than 20"."""
    last = reader.drafts[-1] if reader.drafts else None
    if mention.is_exact or mention.currency is not None:
        money = {*reader.money, *(one.measure for one in reader.drafts[-20:] if one.measure in MONEY)}
        return (
            Measure(money.pop()) if mention.currency is not None and len(money) == 1 and not mention.is_exact else None
        )
    if reader.is_followed_by_unknown(mention):
        return None
    numeric = (
        last
        and last.measure in (Measure.HEADCOUNT, Measure.LOCATIONS_COUNT)
        and last.operator in ("gte", "lte", "between")
    )
    if (
        last
        and last.measure is Measure.HEADCOUNT
        and last.label.endswith(")")
        and reader.words_between(last.last, mention.first) in (["("], [","], [])
    ):
        return Measure.HEADCOUNT  # "mid-market (500-2500)"
    near = last and all(
        word in (",", "and", "or", "but", "/", "und", "oder") for word in reader.words_between(last.last, mention.first)
    )
    return last.measure if last and numeric and near and last.last < mention.first else None


def _is_year(mention: Quantity) -> bool:
    ends = [end for end in (mention.low, mention.high) if end is not None]
    return mention.currency is None and all(1_800 <= end <= 2_100 for end in ends)


def _founded(reader: Context, mention: Quantity) -> None:
    low, high = mention.low, mention.high
    words = reader.words_between(max(0, mention.first - 3), mention.first)
    strict = mention.is_strict
    if mention.is_exact:
        if {"after", "nach", "apres", "despues"} & set(words):
            high, strict = None, True
        elif {"since", "seit", "depuis", "desde", "dal"} & set(words):
            high = None
        elif {"before", "vor", "avant", "antes", "prior"} & set(words):
            low, strict = None, True
    reader.add(
        number_draft(Measure.FOUNDED, low, high, first=mention.first, last=mention.last, confidence=0.95, strict=strict)
    )
    reader.relation = reader.section.relation


def _department_of(reader: Context, mention: Quantity, following: Mention | None) -> bool:
    """ "Engineering team of 20-50", "10+ SDRs", "50 people in marketing": the number of people of a department."""
    department, name, last = None, "", mention.last
    if mention.unit not in (None, "headcount") or mention.currency is not None:
        return False
    if reader.team is not None:
        department, name = reader.team.department, reader.team.name
    elif isinstance(following, (Person, Team)):
        department, last = following.department, following.last
        name = following.name if isinstance(following, Team) else following.title
    elif mention.last < len(reader.tokens):
        start = mention.last + (reader.tokens[mention.last].norm in ("in", "on", "the", "person", "im", "dans"))
        start += start < len(reader.tokens) and reader.tokens[start].norm in ("the", "their")
        function = function_at(reader.tokens, start) if start < len(reader.tokens) else None
        follows = (
            function
            and function[0] < len(reader.tokens)
            and reader.tokens[function[0]].stem
            in (
                "team",
                "department",
                "org",
                "function",
                "rep",
                "staff",
                "employee",
                "people",
                "hire",
                "agent",
                "engineer",
                "member",
                "head",
                "headcount",
                "seat",
                "professional",
                "consultant",
                "specialist",
                "manager",
                "developer",
                "person",
            )
        )
        if function and (
            follows
            or (
                start > mention.last
                and mention.unit == "headcount"
                and reader.tokens[start].norm not in ("retail", "construction")
            )
        ):
            department, last = function[1], function[0] + bool(follows)
            name = excerpt(reader.text, reader.tokens, start, function[0])
    if not name:
        return False
    if department is None:
        reader.team = None
        return True
    draft = number_draft(
        Measure.DEPARTMENT_HEADCOUNT,
        mention.low,
        mention.high,
        first=mention.first,
        last=last,
        confidence=0.9,
        strict=mention.is_strict,
    )
    draft.about = ConditionAbout(department=department)
    draft.label = f"{draft.label} in {department.replace('_', ' ')}"
    reader.add(draft)
    reader.skip_to(last)
    reader.team = None
    return True


def _measure_of(
    reader: Context, mention: Quantity, unit: str | None, lead: str | None, topic: str | None
) -> Measure | None:
    money = mention.currency is not None
    if unit == "yearly":
        unit = None
        if not money or UNIT_MEASURES.get(lead or topic or "") not in MONEY:
            return None
    if unit in ("other", "percent_of_other") or (lead == "other" and (unit is None or unit not in UNIT_MEASURES)):
        return None
    if unit == "percent":
        return Measure.GROWTH if lead == "growth" or topic == "growth" else None
    if unit in UNIT_MEASURES:
        measure = UNIT_MEASURES[unit]
        if money and measure not in MONEY:
            return None
        if measure is Measure.FUNDING_RAISED and lead in ("revenue", "recurring_revenue"):
            return UNIT_MEASURES[lead]
        return measure
    named = (
        lead
        if lead in UNIT_MEASURES
        else topic
        if topic in UNIT_MEASURES
        else "headcount"
        if topic == "department"
        else None
    )
    if named is not None:
        measure = UNIT_MEASURES[named]
        if money != (measure in MONEY) and not (measure in MONEY and _is_sum(reader, mention)):
            return Measure.REVENUE if money and topic == "headcount" and lead is None else None
        if measure is Measure.HEADCOUNT and lead == "headcount" and _word_after(reader, mention):
            return None
        if measure is Measure.GROWTH:
            return None
        return measure
    if money or topic not in (None, "plain", "industry"):
        return None
    if mention.is_range and not _is_year(mention) and reader.is_alone() and (mention.high or 0) >= 10:
        return Measure.HEADCOUNT
    return None


def _word_after(reader: Context, mention: Quantity) -> bool:
    """Whether a noun follows that the number may count: "with 50 trucks"."""
    if mention.last >= len(reader.tokens):
        return False
    token = reader.tokens[mention.last]
    return (
        token.kind == "word"
        and not token.line
        and token.norm
        not in (
            "in",
            "and",
            "or",
            "to",
            "with",
            "using",
            "based",
            "located",
            "who",
            "that",
            "on",
            "but",
            "total",
            "across",
            "globally",
            "worldwide",
            "oder",
            "und",
            "et",
        )
    )


def _is_sum(reader: Context, mention: Quantity) -> bool:
    """Whether a number without a currency is a sum of money: "10M revenue", or under a label that says millions."""
    return max(mention.low or 0, mention.high or 0) * reader.section.multiplier >= 10_000


def _money_of_no_measure(reader: Context, mention: Quantity) -> None:
    """Money that nothing says the measure of: of "$50M+ companies" it is probably the revenue."""
    following = reader.after()
    words = excerpt(reader.text, reader.tokens, mention.first, mention.last)
    readings = (
        reading(Measure.REVENUE, f"{words} revenue"),
        reading(Measure.FUNDING_RAISED, f"{words} raised"),
        reading(None, f"{words} of something else"),
    )
    company = isinstance(following, Words) and (
        following.of("noun")
        or (
            following.of("industry")
            and following.of("industry").id not in ("banking", "investment", "insurance", "real_estate", "lending")
        )
    )  # type: ignore[union-attr]
    if not company or max(mention.low or 0, mention.high or 0) < 1_000_000:
        reader.doubt(mention, *readings)
        return
    _add_number(reader, mention, Measure.REVENUE, certain=False)
    reader.drafts[-1].readings = readings


def _add_number(reader: Context, mention: Quantity, measure: Measure, *, certain: bool) -> None:
    low, high, confidence = mention.low, mention.high, 0.95 if certain else 0.6
    currency, readings = None, ()
    if measure in MONEY:
        factor = reader.section.multiplier if max(low or 0, high or 0) < 10_000 else 1
        low, high = (None if end is None else end * factor for end in (low, high))
        currency, confidence, readings = _currency(reader, mention, confidence)
        if max(low or 0, high or 0) < 10_000:
            return
    if measure is Measure.FUNDING_RAISED and mention.is_exact:
        high = None
    if measure is Measure.RANK and mention.is_exact:
        low, high = None, mention.low
    if measure is Measure.RATING and not 0 <= max(low or 0, high or 0) <= 5:
        return
    if measure is Measure.HEADCOUNT and max(low or 0, high or 0) > 10_000_000:
        return
    draft = number_draft(
        measure, low, high, first=mention.first, last=mention.last, confidence=confidence, currency=currency,
        unit=YEARS_OLD if measure is Measure.FOUNDED else None, strict=mention.is_strict,
    )  # fmt: skip
    if measure is Measure.GROWTH:
        for other in reader.drafts[-2:]:
            other.dropped = other.dropped or (other.measure is Measure.GROWTH and other.operator == "exists")
        if mention.is_exact:
            draft.operator = "gte"
        draft.about = ConditionAbout(target=_what_grows(reader, mention))
    draft.readings = readings
    if not certain and measure is Measure.HEADCOUNT:
        draft.readings = (reading(Measure.HEADCOUNT, draft.label), reading(None, "a range of something else"))
    reader.add(draft)


def _what_grows(reader: Context, mention: Quantity) -> str | None:
    words = set(reader.words_between(max(0, mention.first - 4), min(mention.last + 3, len(reader.tokens))))
    if words & {"headcount", "employee", "employees", "team", "hiring"}:
        return "headcount"
    return "revenue" if words & {"revenue", "sales", "arr"} else "traffic" if words & {"traffic"} else None


def _currency(reader: Context, mention: Quantity, confidence: float) -> tuple[str | None, float, tuple[Reading, ...]]:
    """The currency as it is written; of a dollar, a krone or none, that of the only country of the text, or of the language."""
    countries = list(
        dict.fromkeys(
            code[:2]
            for place in reader.certain
            for code in (getattr(place, "codes", ()) or (getattr(place, "within", "") or "",))
            if code
        )
    )
    only = countries[0] if len(countries) == 1 else None
    written = mention.currency if mention.currency is not None else reader.section.currency
    if (
        written == "USD"
        and only in DOLLARS
        and "$" in excerpt(reader.text, reader.tokens, mention.first, mention.last)
        and "US" not in excerpt(reader.text, reader.tokens, mention.first, mention.last)
    ):
        other = DOLLARS[only]
        return (
            other,
            min(confidence, 0.6),
            (reading(Measure.REVENUE, f"in {other}"), reading(Measure.REVENUE, "in USD")),
        )
    if written:
        return written, confidence, ()
    if only in CURRENCY_OF_COUNTRY and (written == "" or reader.language != "en"):
        return CURRENCY_OF_COUNTRY[only], min(confidence, 0.8), ()
    if written is None and reader.language in CURRENCY_OF_LANGUAGE and only not in CURRENCY_OF_COUNTRY:
        return CURRENCY_OF_LANGUAGE[reader.language], min(confidence, 0.75), ()
    if written is None and reader.language == "pt":
        return None, min(confidence, 0.6), (reading(Measure.REVENUE, "in BRL"), reading(Measure.REVENUE, "in EUR"))
    return None, min(confidence, 0.8), ()


# People and teams


def read_person(reader: Context, mention: Mention) -> None:
    """A title: someone to contact, someone who is hired or came, or no condition ("led by a CTO")."""
    assert isinstance(mention, Person)
    if (
        mention.last - mention.first == 1
        and reader.relation in ("located", "office", "expanding")
        and (code := places_at(reader.text, reader.tokens, mention.first))
        and code.is_code
    ):
        reader.mentions[reader.place] = code  # "in AE" is a place
        return read_places(reader, code)
    related = reader.is_related("person")
    relation, topic = reader.relation if related else None, reader.section.topic
    about = ConditionAbout(
        role=None if mention.is_rank and mention.department is None else mention.title,
        department=mention.department,
        seniority=mention.seniority,
    )
    if topic == "seniority":
        about = ConditionAbout(seniority=mention.seniority)
    joined = mention.last < len(reader.tokens) and reader.tokens[mention.last].norm in (
        "led",
        "owned",
        "run",
        "founded",
        "operated",
        "backed",
        "level",
    )
    if joined or (mention.is_rank and reader.is_followed_by_unknown(mention)) or _is_spelled_out(reader, mention):
        return
    openings = set(reader.words_between(mention.last, min(mention.last + 2, len(reader.tokens)))) & OPENINGS
    if relation == "hiring" or topic == "hiring" or openings or _is_wanted(reader, mention):
        _hired(reader, mention, about)
    elif relation == "appointed" and not (mention.is_rank and mention.department is None and topic == "persona"):
        if _word(reader, mention.first - 1) in ("new", "neuer", "neue", "neuen") or relation:
            left = "lost" in reader.words_between(max(0, mention.first - 4), mention.first)
            draft = _exists(
                Measure.LEADERSHIP_CHANGE, mention, f"{mention.title} left" if left else f"new {mention.title}"
            )
            draft.about = about
            reader.add(draft)
    elif relation in (
        "about_person",
        "like",
        "integrating",
        "evaluating",
        "serving",
        "serving_in",
        "using",
        "lacking",
        "event",
        "founded",
    ) and topic not in ("persona", "seniority"):
        return
    elif topic not in ("persona", "seniority", "department") and (
        reader.scopes.is_excluding(reader.chunk) or reader.section.strength == "must_not"
    ):
        return
    elif topic in ("industry", "technology", "headcount", "revenue", "place", "signal"):
        return
    else:
        confidence = 0.95 if topic in ("persona", "seniority") or relation == "contact" else 0.8
        _complete_rank(reader, mention)
        reader.add(
            Draft(
                measure=Measure.PERSONA,
                operator="eq",
                value=mention.title,
                label=mention.title,
                first=mention.first,
                last=mention.last,
                confidence=confidence,
                about=about,
            )
        )


def _is_wanted(reader: Context, mention: Person) -> bool:
    """Whether "hiring" follows, and nobody else who is hired: "SDR hiring in the last 30 days"."""
    following, later = reader.after(), reader.mentions[reader.place + 2 : reader.place + 3]
    hires = isinstance(following, Words) and reader.tokens[following.first].norm in ("hiring", "recruiting")
    return hires and not isinstance(later[0] if later else None, Person)


def _is_spelled_out(reader: Context, mention: Person) -> bool:
    """Whether an acronym is explained as something else: "CROs (contract research organizations)"."""
    following = reader.mentions[reader.place + 1] if reader.place + 1 < len(reader.mentions) else None
    bracket = (
        reader.words_between(mention.last, mention.last + 1) == ["("] if mention.last < len(reader.tokens) else False
    )
    return (
        bracket
        and isinstance(following, Words)
        and following.of("industry") is not None
        and following.first == mention.last + 1
    )


def _complete_rank(reader: Context, mention: Person) -> None:
    """Give the function of a title to the rank before it: "VPs/Directors of Supply Chain"."""
    last = reader.drafts[-1] if reader.drafts else None
    rank = OF_RANK.match(mention.title)
    if (
        last is None
        or rank is None
        or last.measure is not Measure.PERSONA
        or mention.first - last.last > 1
        or not reader.connector(mention.first)
    ):
        return
    if last.about.role is None and last.about.department is None:
        name = f"{last.value} of {mention.title[rank.end() :]}"
        last.value = last.label = name
        last.about = ConditionAbout(role=name, department=mention.department, seniority=last.about.seniority)


def _word(reader: Context, place: int) -> str:
    return reader.tokens[place].norm if place >= 0 else ""


def _hired(reader: Context, mention: Mention, about: ConditionAbout) -> None:
    """Add the role to "hiring", or another role as an alternative or in addition."""
    hiring = reader.drafts[-1] if reader.drafts and reader.drafts[-1].measure is Measure.HIRING else None
    name = about.role or about.department or ""
    if hiring and hiring.about.role is None and hiring.about.department is None:
        hiring.about = ConditionAbout(
            role=about.role,
            department=about.department,
            seniority=about.seniority,
            place=hiring.about.place,
            target=hiring.about.target,
            within_days=hiring.about.within_days,
        )
        hiring.label, hiring.last = f"hiring {name}", mention.last
        reader.understood.update(range(hiring.first, mention.last))
        return
    draft = _exists(Measure.HIRING, mention, f"hiring {name}")
    draft.about = about
    reader.add(draft)


def read_team(reader: Context, mention: Mention) -> None:
    """A team: whom to contact, who is hired, or what the next number counts ("engineering team of 20")."""
    assert isinstance(mention, Team)
    about = ConditionAbout(department=mention.department, seniority="any")
    relation = reader.relation if reader.is_related("person") else None
    if relation == "hiring":
        _hired(reader, mention, about)
    elif relation == "contact" or reader.section.topic in ("persona", "department"):
        reader.add(
            Draft(
                measure=Measure.PERSONA,
                operator="eq",
                value=f"{mention.name} team",
                label=f"{mention.name} team",
                first=mention.first,
                last=mention.last,
                confidence=0.85,
                about=about,
            )
        )
    else:
        reader.team = mention


# Stages, places, periods, codes


def read_stages(reader: Context, mention: Mention) -> None:
    """Funding stages; "has not raised a Series A" excludes it and all later ones."""
    assert isinstance(mention, Stages)
    if reader.relation in FOREIGN | {"serving", "serving_in"} and reader.is_related("stage"):
        return
    labels = [_stage_label(stage) for stage in mention.stages]
    open_end = (
        reader.scopes.is_excluding(reader.chunk)
        and reader.section.strength != "must_not"
        and "raised" in reader.words_between(max(0, mention.first - 8), mention.first)
    )
    if mention.operator == "eq" and len(mention.stages) > 1:
        first = mention.first
        for stage, label in zip(mention.stages, labels, strict=True):
            draft = reader.add(
                Draft(
                    measure=Measure.FUNDING_STAGE,
                    operator="eq",
                    value=stage,
                    label=label,
                    first=first,
                    last=mention.last,
                    confidence=0.95,
                    codes=(stage,),
                )
            )
            draft.connector = draft.connector if stage == mention.stages[0] else "or"
        return
    operator = "gte" if open_end and mention.operator == "eq" else mention.operator
    stages = msgspec_replace(mention, operator)
    words = {
        "gte": f"{labels[0]} or later",
        "lte": f"{labels[-1]} or earlier",
        "between": f"{labels[0]} to {labels[-1]}",
    }.get(operator, labels[0])
    value = (
        (mention.stages[0], mention.stages[-1])
        if operator == "between"
        else mention.stages[-1]
        if operator == "lte"
        else mention.stages[0]
    )
    reader.add(
        Draft(
            measure=Measure.FUNDING_STAGE,
            operator=operator,
            value=value,
            label=words,
            first=mention.first,
            last=mention.last,
            confidence=0.95,
            codes=stages.codes,
        )
    )  # type: ignore[arg-type]


def msgspec_replace(mention: Stages, operator: str) -> Stages:
    """The same stages with another operator."""
    return Stages(first=mention.first, last=mention.last, operator=operator, stages=mention.stages)


def _stage_label(stage: str) -> str:
    return "Pre-seed" if stage == "pre_seed" else "Seed" if stage == "seed" else f"Series {stage[-1].upper()}"


def read_places(reader: Context, mention: Mention) -> None:
    """A place: where the company is, where it has offices or expands to, or where those are whom it serves."""
    assert isinstance(mention, Places)
    related = reader.is_related("place")
    relation, topic = reader.relation if related else None, reader.section.topic
    located = relation in ("located", "office", "expanding", "serving_in") or topic == "place"
    if reader.tokens[mention.first].text == "us" and mention.last - mention.first == 1:
        located = located and (_word(reader, mention.first - 1) == "the" or topic == "place")
    based = (
        _word(reader, mention.last)
        in (
            ("based", "headquartered", "located", "hq")
            if mention.needs_evidence
            else ("based", "headquartered", "located", "hq", "only")
        )
        if mention.last < len(reader.tokens)
        else False
    )
    neighbours = [one for one in (_listed(reader, -1), _listed(reader, 1)) if isinstance(one, Places)]
    near = any(not (mention.other and one.other) for one in neighbours)
    entry: Entry | None = mention.meanings[0]
    if mention.is_code:
        if not (located or based or near or (reader.is_alone() and topic in (None, "plain") and mention.other is None)):
            return
        entry = decide(
            reader.tokens[mention.first].text,
            mention.meanings,
            [one for one in reader.certain if isinstance(one, Entry)],
        )
        if entry is None:
            others = [reading(None, mention.other)] if mention.other else []
            reader.doubt(
                mention, *(reading(Measure.HEADQUARTERS, one.label, one.id) for one in mention.meanings), *others
            )
            return
    elif mention.needs_evidence and not (
        located or based or near or (reader.is_alone() and topic in (None, "plain") and entry.place_kind != "city")
    ):
        return
    elif len({one.place_kind for one in mention.meanings} & {"country", "subdivision"}) == 2:
        entry = decide(
            "",
            mention.meanings,
            [one for one in reader.certain if isinstance(one, Entry) and one not in mention.meanings],
        )
        if entry is None:
            reader.doubt(
                mention, *(reading(Measure.HEADQUARTERS, f"{one.label} ({one.id})", one.id) for one in mention.meanings)
            )
            return
    if mention.is_part:
        reader.doubt(
            mention,
            reading(None, f"a part of {entry.label} that is not known"),
            reading(Measure.HEADQUARTERS, f"all of {entry.label}", entry.id),
        )
        return
    _add_place(reader, mention, entry, relation, certain=located or based)


def _comes_from(reader: Context, mention: Places) -> bool:
    """Whether "from" follows a verb that the reader does not know: "imports from China"."""
    place = mention.first - 1
    place -= _word(reader, place) == "the"
    return (
        _word(reader, place) == "from"
        and place > 0
        and place - 1 not in reader.grammar | reader.understood
        and reader.tokens[place - 1].kind == "word"
    )


def _add_place(reader: Context, mention: Places, entry: Entry, relation: str | None, *, certain: bool) -> None:
    topic = reader.section.topic
    if reader.is_negated_verb(mention.first) or (
        relation == "located" and not mention.demonym and _comes_from(reader, mention)
    ):
        return  # "not licensed in the US", "imports from China"
    if "about_place" in reader.after_kinds(mention) and not mention.demonym and relation != "expanding":
        return  # "EU timezone", "US hires"
    if relation == "serving_in":
        reader.doubt(
            mention,
            reading(Measure.HEADQUARTERS, f"based in {entry.label}", entry.id),
            reading(Measure.CUSTOMERS_LOCATION, f"customers in {entry.label}", entry.id),
        )
        return
    if relation in ("integrating", "evaluating", "like", "event", "about_person", "contact") and not mention.demonym:
        if not certain:
            return
    if relation == "hiring":
        hiring = next((one for one in reversed(reader.drafts) if one.measure is Measure.HIRING), None)
        if hiring:
            hiring.about_with(place=entry.id)
            reader.understood.update(range(mention.first, mention.last))
        return
    if relation == "expanding":
        if _word(reader, mention.first - 1) not in (
            "",
            ",",
            "to",
            "into",
            "in",
            "the",
            "and",
            "or",
            "across",
            "entering",
            "/",
            "nach",
        ):
            return
        draft = _exists(Measure.EXPANSION, mention, f"expanding to {entry.label}", place=entry.id)
        reader.add(draft)
        return
    after = reader.words_between(mention.last, min(mention.last + 3, len(reader.tokens)))
    if OFFICES & set(after) and "," not in after:
        relation = "office"
    measure = (
        Measure.OFFICE
        if relation == "office"
        else Measure.CUSTOMERS_LOCATION
        if relation == "serving" or topic == "customers"
        else Measure.HEADQUARTERS
    )
    if topic in ("technology", "persona", "department", "headcount", "hiring") and not certain:
        return
    draft = Draft(
        measure=measure, operator="eq", value=entry.id, label=entry.label, first=mention.first, last=mention.last,
        confidence=0.95 if certain or mention.demonym else 0.85, codes=entry.codes, kind=entry.place_kind,
    )  # fmt: skip
    if entry.place_kind == "city" and entry.within:
        draft.about = ConditionAbout(place=entry.within)
    last = reader.drafts[-1] if reader.drafts else None
    draft.is_within = bool(
        last
        and reader.in_brackets
        and last.measure is measure
        and (last.is_within or _word(reader, mention.first - 1) == "(")
    )
    if mention.is_code or len(mention.meanings) > 1:
        others = [one for one in mention.meanings if one.id != entry.id]
        if others:
            draft.confidence = min(draft.confidence, 0.7)
            draft.readings = (
                reading(measure, entry.label, entry.id),
                *(reading(measure, one.label, one.id) for one in others),
            )
    reader.add(draft)


def read_window(reader: Context, mention: Mention) -> None:
    """A period: of the event before it, or of the one after it at the start of a part; or the age of the company."""
    assert isinstance(mention, Window)
    if (
        reader.relation == "founded"
        and reader.is_related("window")
        and not any(one.measure is Measure.FOUNDED for one in reader.drafts[-1:])
    ):
        reader.add(
            _exists(Measure.FOUNDED, mention, f"founded in the last {mention.days} days", within_days=mention.days)
        )
        return
    for place, draft in enumerate(reversed(reader.drafts[-4:]), 1):
        is_open = draft.about.within_days is None or draft.chunk == reader.chunk
        if draft.measure in EVENTS and draft.operator == "exists" and is_open:
            draft.about_with(within_days=mention.days)
            reader.understood.update(range(mention.first, mention.last))
            before = reader.drafts[-place - 1] if place < len(reader.drafts) else draft
            if draft.connector == "or" and before.measure is draft.measure and before.chunk == draft.chunk:
                before.about_with(within_days=mention.days)
            return
    words = set(reader.words_between(max(0, mention.first - 20), mention.first))
    if (
        words & {"raised", "funding", "closed", "round", "raise", "secured", "eingesammelt", "leve"}
        or reader.section.topic == "last_round"
    ):
        draft = _exists(
            Measure.LAST_ROUND, mention, f"raised in the last {mention.days} days", within_days=mention.days
        )
        reader.add(draft)


def read_codes(reader: Context, mention: Mention) -> None:
    """Codes of industries, by their official titles. SIC codes have no NAICS codes."""
    assert isinstance(mention, Codes)
    titles = official_titles("naics" if mention.scheme == "naics" else "sic")
    for number, code in enumerate(mention.codes):
        title = titles.get(code) or next((name for key, name in titles.items() if code in key.split("-")), code)
        codes = (code,) if mention.scheme == "naics" else (f"sic:{code}",)
        draft = reader.add(
            Draft(
                measure=Measure.INDUSTRY,
                operator="eq",
                value=f"{mention.scheme}:{code}",
                label=f"{title} ({mention.scheme.upper()} {code})",
                first=mention.first,
                last=mention.last,
                confidence=0.95,
                codes=codes,
            )
        )
        draft.connector = draft.connector if number == 0 else "or"
