"""
Numbers: what one counts is said by its unit, by the words before it, or by the label; else it is no condition.
"""

from typing import Final

from enrichment.icp.context import SERVED, Context
from enrichment.icp.drafts import MONEY, YEARS_OLD, number_draft, reading
from enrichment.icp.mentions import Mention, Team, Words
from enrichment.icp.quantities import Quantity
from enrichment.icp.titles import Person, function_at
from enrichment.icp.vocabulary import table, words
from schemas import ConditionAbout, Measure, Reading

MEASURES: Final[dict[str, Measure]] = {
    "headcount": Measure.HEADCOUNT,
    "department": Measure.HEADCOUNT,
    "revenue": Measure.REVENUE,
    "recurring_revenue": Measure.RECURRING_REVENUE,
    "funding_raised": Measure.FUNDING_RAISED,
    "last_round": Measure.LAST_ROUND,
    "locations_count": Measure.LOCATIONS_COUNT,
    "traffic": Measure.TRAFFIC,
    "rating": Measure.RATING,
    "growth": Measure.GROWTH,
    "years_in_business": Measure.FOUNDED,
    "rank": Measure.RANK,
    "founded": Measure.FOUNDED,
}
"The measures of units, of words before a number, and of labels."
MAX_EMPLOYEES: Final = 10_000_000
SMALLEST_SUM: Final = 10_000  # less is no revenue and no funding
LARGE_SUM: Final = 1_000_000  # of "$50M+ companies"; less may be a price


def read_quantity(context: Context, mention: Quantity) -> None:
    """Read a number as a condition on what it counts."""
    if context.relation_to("quantity") in SERVED | {"evaluating", "integrating", "like"}:
        return
    if (
        context.relation == "hiring"
        and mention.unit == "headcount"
        and context.last
        and context.last.last == mention.first
    ):
        if context.word(mention.last) not in ("in", "for"):
            context.relation = context.section.relation  # "hiring 50 people a year"
        return
    lead = context.lead[0] if context.lead and mention.first - context.lead[1] <= 3 else None
    topic = context.section.topic
    bare = mention.unit is None and lead is None and topic not in MEASURES
    if bare and (again := _same_again(context, mention)):
        _state(context, mention, again, certain=True)
    elif _is_year(mention) and mention.unit is None and "founded" in (context.relation, topic):
        _state_founded(context, mention)
    elif not _is_of_department(context, mention):
        measure = _measure_of(context, mention, lead)
        if measure:
            known = {mention.unit, lead, topic} & MEASURES.keys()
            _state(context, mention, measure, certain=bool(known))
        elif mention.currency is not None and mention.unit is None and lead is None:
            _state_money(context, mention)


def _same_again(context: Context, mention: Quantity) -> Measure | None:
    """The measure of the number before it: "no more than 250 staff, no fewer than 20", "mid-market (50-500)"."""
    last = context.last
    if context.is_followed_by_unknown(mention):
        return None
    if mention.currency is not None:
        money = {*context.money, *(one.measure for one in context.drafts[-20:] if one.measure in MONEY)}
        return money.pop() if len(money) == 1 and not mention.is_exact else None
    if last is None or mention.is_exact or last.last >= mention.first:
        return None
    between = context.words_between(last.last, mention.first)
    if last.in_words and between in (["("], [","]):
        return Measure.HEADCOUNT
    numeric = last.measure in (Measure.HEADCOUNT, Measure.LOCATIONS_COUNT) and last.operator != "eq"
    return (
        last.measure
        if numeric and {",", "and", "or", "but", "/", "und", "oder", *words("wishes")} >= set(between)
        else None
    )


def _is_year(mention: Quantity) -> bool:
    ends = [end for end in (mention.low, mention.high) if end is not None]
    return mention.currency is None and all(1_800 <= end <= 2_100 for end in ends)


def _state_founded(context: Context, mention: Quantity) -> None:
    low, high, strict = mention.low, mention.high, mention.is_strict
    before = set(context.words_between(mention.first - 3, mention.first))
    if mention.is_exact and before & words("after_year"):
        high, strict = None, True
    elif mention.is_exact and before & words("since_year"):
        high = None
    elif mention.is_exact and before & words("before_year"):
        low, strict = None, True
    context.add(number_draft(Measure.FOUNDED, low, high, mention, 0.95, strict=strict))
    context.relation = context.section.relation


def _is_of_department(context: Context, mention: Quantity) -> bool:
    """Read "engineering team of 20-50", "10+ SDRs", "50 people in marketing": the size of a department."""
    if mention.unit not in (None, "headcount") or mention.currency is not None:
        return False
    if context.relation_to("person") == "hiring":
        return False  # "hiring 5 engineers"
    found = _department(context, mention)
    if found is None:
        return False
    department, last = found
    if context.team is not None:
        context.understood.update(range(context.team.first, context.team.last))
        context.team, context.relation = None, context.section.relation
    if department is None:
        return True
    draft = number_draft(
        Measure.DEPARTMENT_HEADCOUNT, mention.low, mention.high, mention, 0.9, strict=mention.is_strict
    )
    draft.last, draft.about = last, ConditionAbout(department=department)
    draft.label = f"{draft.label} in {department.replace('_', ' ')}"
    context.add(draft)
    context.skip_to(last)
    return True


def _department(context: Context, mention: Quantity) -> tuple[str | None, int] | None:
    """The department that a number counts, null if it is not known, and where its name ends; null if it counts none."""
    following, place = context.after(), mention.last
    if context.team is not None:
        return context.team.department, place
    if isinstance(following, (Person, Team)):
        return following.department, following.last
    place += context.word(place) in ("in", "on", "the", "person", "im", "dans")
    place += context.word(place) in ("the", "their")
    function = function_at(context.tokens, place) if place < len(context.tokens) else None
    if function is None or context.word(place) in ("retail", "construction"):
        return None
    end, department = function
    of_people = end < len(context.tokens) and context.tokens[end].stem in words("members")
    if not of_people and not (place > mention.last and mention.unit == "headcount"):
        return None
    return department, end + of_people


def _measure_of(context: Context, mention: Quantity, lead: str | None) -> Measure | None:
    """The measure by unit, lead or label; null if the number counts something else, or nothing that is named."""
    unit, topic, money = mention.unit, context.section.topic, mention.currency is not None
    named = lead if lead in MEASURES else topic if topic in MEASURES else None
    if unit == "yearly":
        return MEASURES[named] if money and named and MEASURES[named] in MONEY else None
    if unit == "percent":
        return Measure.GROWTH if "growth" in (lead, topic) else None
    if unit in MEASURES:
        return _measure_of_unit(MEASURES[unit], lead, money=money)
    if unit is not None or lead == "other":
        return None
    if named:
        return _measure_of_name(context, mention, MEASURES[named], lead)
    alone = mention.is_range and not _is_year(mention) and context.is_alone() and (mention.high or 0) >= 10
    alone = alone and context.word(mention.last) not in words("counted")  # "5-20 portfolio companies"
    return Measure.HEADCOUNT if alone and not money and topic in (None, "plain", "industry") else None


def _measure_of_unit(measure: Measure, lead: str | None, *, money: bool) -> Measure | None:
    if (money and measure not in MONEY) or (lead == "growth" and measure is Measure.HEADCOUNT):
        return None
    if measure is Measure.FUNDING_RAISED and lead in ("revenue", "recurring_revenue"):
        return MEASURES[lead]
    return measure


def _measure_of_name(context: Context, mention: Quantity, measure: Measure, lead: str | None) -> Measure | None:
    money = mention.currency is not None
    if measure is Measure.GROWTH:
        return None  # without "percent"
    if measure in MONEY:
        is_sum = max(mention.low or 0, mention.high or 0) * context.section.multiplier >= SMALLEST_SUM
        return measure if money or is_sum else None
    if money:
        return Measure.REVENUE if measure is Measure.HEADCOUNT and lead is None else None
    following = context.word(mention.last)
    noun = following.isalpha() and not context.tokens[mention.last].line and following not in words("no_noun")
    return None if measure is Measure.HEADCOUNT and lead == "headcount" and noun else measure


def _state_money(context: Context, mention: Quantity) -> None:
    """Read money that nothing says the measure of: "$50M+ companies" probably have that revenue."""
    following, written = context.after(), context.written(mention)
    readings = (
        reading(Measure.REVENUE, f"{written} revenue"),
        reading(Measure.FUNDING_RAISED, f"{written} raised"),
        reading(None, f"{written} of something else"),
    )
    industry = following.of("industry") if isinstance(following, Words) else None
    of_company = isinstance(following, Words) and (following.of("noun") or industry)
    if industry and industry.id in words("money_industries"):
        of_company = None
    if of_company and max(mention.low or 0, mention.high or 0) >= LARGE_SUM:
        _state(context, mention, Measure.REVENUE, certain=False)
        context.drafts[-1].readings = readings
    else:
        context.doubt(mention, *readings)


def _state(context: Context, mention: Quantity, measure: Measure, *, certain: bool) -> None:
    """Add the condition, if the number can be one of the measure."""
    low, high, confidence = mention.low, mention.high, 0.95 if certain else 0.6
    currency: str | None = None
    readings: tuple[Reading, ...] = ()
    if measure in MONEY:
        factor = context.section.multiplier if max(low or 0, high or 0) < SMALLEST_SUM else 1
        low, high = (None if end is None else end * factor for end in (low, high))
        currency, confidence, readings = _currency(context, mention, confidence)
    largest = max(low or 0, high or 0)
    limits = {Measure.RATING: 5, Measure.HEADCOUNT: MAX_EMPLOYEES}
    if largest > limits.get(measure, largest) or (measure in MONEY and largest < SMALLEST_SUM):
        return
    if mention.is_exact and measure in (Measure.FUNDING_RAISED, Measure.GROWTH):
        high = None
    if mention.is_exact and measure is Measure.RANK:
        low = None
    if measure is Measure.RANK and "better" in context.words_between(mention.first, mention.last):
        low, high = None, low  # the first rank is the best one
    if mention.is_exact and context.section.bound:
        low, high = (low, None) if context.section.bound in ("lower", "above") else (None, high)
    unit = YEARS_OLD if measure is Measure.FOUNDED else None
    draft = number_draft(
        measure, low, high, mention, confidence, currency=currency, unit=unit, strict=mention.is_strict
    )
    draft.readings = readings
    if measure is Measure.GROWTH:
        for other in context.drafts[-2:]:
            other.dropped = other.dropped or (other.measure is Measure.GROWTH and other.operator == "exists")
        draft.about = ConditionAbout(target=_what_grows(context, mention))
    if not certain and measure is Measure.HEADCOUNT:
        draft.readings = (reading(Measure.HEADCOUNT, draft.label), reading(None, "a range of something else"))
    context.add(draft)


def _what_grows(context: Context, mention: Mention) -> str | None:
    near = set(context.words_between(mention.first - 4, mention.last + 3))
    if near & words("headcount_grows"):
        return "headcount"
    return "revenue" if near & words("revenue_grows") else "traffic" if "traffic" in near else None


def _currency(context: Context, mention: Mention, confidence: float) -> tuple[str | None, float, tuple[Reading, ...]]:
    """The currency as written; of a dollar, a krone or none, that of the text's only country, or of its language."""
    countries = {code[:2] for place in context.certain for code in (place.codes or (place.within or "",)) if code}
    only = countries.pop() if len(countries) == 1 else ""
    written = (
        context.section.currency if not isinstance(mention, Quantity) or mention.currency is None else mention.currency
    )
    passage = context.written(mention)
    if written == "USD" and only in table("dollar_of_country") and "$" in passage and "US" not in passage:
        other = str(table("dollar_of_country")[only])
        readings = (reading(Measure.REVENUE, f"in {other}"), reading(Measure.REVENUE, "in USD"))
        return other, min(confidence, 0.6), readings
    if written:
        return written, confidence, ()
    local = table("currency_of_country").get(only)
    if local and (written == "" or context.language != "en"):
        return local, min(confidence, 0.8), ()
    if written is None and (own := table("currency_of_language").get(context.language)):
        return own, min(confidence, 0.75), ()
    if context.language == "pt":
        return None, 0.6, (reading(Measure.REVENUE, "in BRL"), reading(Measure.REVENUE, "in EUR"))
    return None, min(confidence, 0.8), ()
