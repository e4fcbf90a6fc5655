"""
Titles and teams: someone to contact, someone who is hired or came, or no condition ("led by a CTO").
"""

import re
from typing import Final

import msgspec

from enrichment.icp.context import FOREIGN, SERVED, Context
from enrichment.icp.drafts import reading
from enrichment.icp.meanings.locations import read_places
from enrichment.icp.mentions import Mention, Team, Words
from enrichment.icp.places import Places, places_at
from enrichment.icp.titles import Person
from enrichment.icp.vocabulary import Entry, words
from schemas import ConditionAbout, Measure

OF_PEOPLE: Final = ("persona", "seniority", "department")
NOT_OF_PEOPLE: Final = ("industry", "technology", "headcount", "revenue", "place", "signal")
NOBODY: Final = FOREIGN | SERVED | {"using", "lacking", "event", "founded"}
OF_RANK: Final = re.compile(r"(?:\S+ ){0,2}\S+ (?:of|for) |[SE]?VP (?=\S)")


def read_person(context: Context, mention: Person) -> None:
    """Read a title."""
    relation, topic = context.relation_to("person"), context.section.topic
    if _is_something_else(context, mention):
        return
    role = None if mention.is_rank and mention.department is None else mention.title
    about = ConditionAbout(role=role, department=mention.department, seniority=mention.seniority)
    openings = set(context.words_between(mention.last, mention.last + 2)) & words("openings")
    excluded = context.is_excluding() or context.section.strength == "must_not"
    if relation == "hiring" and role and context.is_preceded_by_unknown(mention):
        role = f"{context.tokens[mention.first - 1].text.capitalize()} {role[0].lower()}{role[1:]}"
        about = msgspec.structs.replace(about, role=role)  # "embedded engineers"
    if relation == "hiring" or topic == "hiring" or openings or _is_wanted(context):
        _hire(context, mention, about)
    elif context.drafts and words("seeks") <= set(context.words_between(mention.first - 5, mention.first)):
        contact = reading(Measure.PERSONA, f"contact {mention.title}", mention.title)
        context.doubt(mention, contact, reading(Measure.HIRING, f"hiring {mention.title}", mention.title))
    elif context.word(mention.last) in words("came") and topic not in OF_PEOPLE:  # "CFO hired within the last year"
        context.happens(mention, Measure.LEADERSHIP_CHANGE, f"new {mention.title}").about = about
    elif relation == "appointed" and (topic != "persona" or _is_spelled_out(context)):
        left = "lost" in context.words_between(mention.first - 4, mention.first)
        label = f"{mention.title} left" if left else f"new {mention.title}"
        context.happens(mention, Measure.LEADERSHIP_CHANGE, label).about = about
    elif topic in OF_PEOPLE or not (relation in NOBODY or topic in NOT_OF_PEOPLE or excluded):
        _complete_rank(context, mention)
        about = ConditionAbout(seniority=mention.seniority) if topic == "seniority" else about
        confidence = 0.95 if topic in OF_PEOPLE or relation == "contact" else 0.8
        context.state(mention, Measure.PERSONA, mention.title, mention.title, confidence, about=about)


def _is_wanted(context: Context) -> bool:
    """Whether "hiring" follows, and nobody else who is hired: "SDR hiring in the last 30 days"."""
    following, later = context.after(), context.mentions[context.place + 2 : context.place + 3]
    hires = following is not None and context.word(following.first) in ("hiring", "recruiting")
    return hires and not any(isinstance(one, Person) for one in later)


def _is_spelled_out(context: Context) -> bool:
    """Whether "hired a new" is before a title, and not only "new", which under a label is one to contact."""
    before = context.before()
    return before is not None and before.last - before.first > 1


def _is_something_else(context: Context, mention: Person) -> bool:
    """Whether it is no person: "in AE", "founder-led", "VP lending", "CMO (decision maker)"."""
    near = (context.listed(-1), context.listed(1))
    among_places = any(isinstance(one, Places) for one in near) and not isinstance(near[1], Person)
    located = among_places or context.relation in ("located", "office", "expanding")
    if mention.last - mention.first == 1 and located:
        code = places_at(context.text, context.tokens, mention.first)
        if code and code.is_code:
            context.mentions[context.place] = code
            read_places(context, code)
            return True
    if context.word(mention.last) in words("person_runs"):
        return True
    if context.section.topic not in OF_PEOPLE and _is_among_industries(context, mention):
        context.doubt_name(mention, Measure.PERSONA, mention.title, mention.title, "a kind of companies")
        return True
    following = context.mentions[context.place + 1] if context.place + 1 < len(context.mentions) else None
    explained = context.word(mention.last) == "(" and following and following.first == mention.last + 1
    if explained and isinstance(following, Words) and following.of("industry"):
        return True
    counted = mention.first > 0 and (
        context.tokens[mention.first - 1].kind == "number" or context.word(mention.first - 1) == "+"
    )
    if mention.is_rank and mention.department is None and counted:
        return True  # "800+ head"
    comment = context.in_brackets and mention.seniority == "any" and context.last is not None
    is_part = context.is_followed_by_unknown(mention) or context.is_after_unknown(mention) or _is_cut(context, mention)
    return comment or (mention.is_rank and is_part)  # "VP lending", "financieel directeur"


def _is_hired(context: Context) -> bool:
    """Whether a department is hired for: in the part of "hiring", or alone in the next one."""
    alone = context.is_alone() and context.word(context.here.last) != "with"  # unlike "partnerships with"
    return alone or (context.last is not None and context.last.chunk == context.chunk)


def _is_cut(context: Context, mention: Person) -> bool:
    """Whether a rank is only a part of a title: "business manager", "head of school"."""
    before = context.before()
    noun = isinstance(before, Words) and before.last == mention.first and before.of("noun") is not None
    following = context.after()
    if mention.department is None and isinstance(following, Words) and following.of("industry"):
        context.place += 1  # "directeur industriel"
        return True
    return mention.department is None and (noun or context.word(mention.last) in words("title_of"))


def _is_among_industries(context: Context, mention: Person) -> bool:
    """Whether an acronym in the plural is listed with an industry: the CROs of "pharma & CROs"."""
    before, written = context.listed(-1), context.written(mention)
    acronym = mention.last - mention.first == 1 and written.endswith("s") and written[:-1].isupper()
    joined = context.is_and(mention.first - 1)
    return acronym and joined and isinstance(before, Words) and before.of("industry") is not None


def _complete_rank(context: Context, mention: Person) -> None:
    """Give the function of a title to the rank before it: "VPs/Directors of Supply Chain"."""
    last, rank = context.last, OF_RANK.match(mention.title)
    if last is None or rank is None or last.measure is not Measure.PERSONA or mention.first - last.last > 1:
        return
    if last.about.role is None and last.about.department is None and context.connector(mention.first):
        last.value = last.label = f"{last.value} of {mention.title[rank.end() :]}"
        last.about_with(role=last.value, department=mention.department)


def _hire(context: Context, mention: Mention, about: ConditionAbout) -> None:
    """Add the role to "hiring", or another role as an alternative or in addition."""
    last, name = context.last, about.role or about.department or ""
    if last and last.measure is Measure.HIRING and last.about.role is None and last.about.department is None:
        last.about_with(role=about.role, department=about.department, seniority=about.seniority)
        last.label, last.last = f"hiring {name}", mention.last
        context.understood.update(range(last.first, mention.last))
    else:
        context.happens(mention, Measure.HIRING, f"hiring {name}").about = about


def read_team(context: Context, mention: Team) -> None:
    """Read a team: whom to contact, who is hired, or what the next number counts ("engineering team of 20")."""
    about = ConditionAbout(department=mention.department, seniority="any")
    relation = context.relation_to("person")
    if relation == "hiring":
        _hire(context, mention, about)
    elif relation == "contact" or context.section.topic in ("persona", "department"):
        name = f"{mention.name} team"
        context.state(mention, Measure.PERSONA, name, name, 0.85, about=about)
    elif not context.is_after_unknown(mention) and not context.is_after_function(mention):
        context.team = mention  # unlike "clinical ops team"


def read_function(context: Context, mention: Words, entry: Entry) -> bool:
    """Read a department under a label ("Function: IT"), or with the rank before it ("Heads of Sales and Marketing")."""
    name, topic, last = context.written(mention), context.section.topic, context.last
    about = ConditionAbout(department=entry.department, seniority="any")
    rank = OF_RANK.match(str(last.value)) if last and last.measure is Measure.PERSONA else None
    if last and rank and mention.first - last.last == 1 and context.connector(mention.first):
        title = rank[0] + name
        about = ConditionAbout(role=title, department=entry.department, seniority=last.about.seniority)
        context.state(mention, Measure.PERSONA, title, title, 0.8, about=about)
    elif topic in ("department", "persona"):
        draft = context.state(mention, Measure.PERSONA, name, f"{name} department", 0.9, about=about)
        if (code := places_at(context.text, context.tokens, mention.first)) and code.is_code:
            draft.confidence = 0.6  # "Function: IT", "Department: HR"
            places = (reading(Measure.HEADQUARTERS, one.label, one.id) for one in code.meanings)
            draft.readings = (reading(Measure.PERSONA, draft.label, name), *places)
    elif topic == "hiring" or (context.relation_to("person") == "hiring" and _is_hired(context)):
        _hire(context, mention, about)
    else:
        return False
    return True
