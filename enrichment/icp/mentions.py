"""
Mentions: the longest expressions of a sentence that mean something, in order and without overlaps.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from enrichment.icp.places import Places, places_at
from enrichment.icp.quantities import Quantity, quantity_at
from enrichment.icp.stages import Stages, stages_at
from enrichment.icp.text import Token
from enrichment.icp.titles import Person, function_at, person_at
from enrichment.icp.vocabulary import Entry, Kind, official_titles, table, vocabulary, words

PEOPLE: Final = ("persona", "seniority", "hiring", "department")
"Topics of labels for people."
WITH_NUMBERS: Final = frozenset(
    {"bound", "bound_after", "between", "to", "both", "around", "window", "time", "currency"}
)
ENTITIES: Final = frozenset({"industry", "size", "technology", "model", "ownership", "category"})
MAX_DAYS: Final = 36_500
CODE: Final = re.compile(r"\d{2,6}")
SCHEMES: Final = ("naics", "sic")


class Window(msgspec.Struct, frozen=True):
    """A period that ends now, in days: "in the last 6 months"."""

    first: int
    last: int
    days: int


class Team(msgspec.Struct, frozen=True):
    """A team or department of a company: "engineering team"."""

    first: int
    last: int
    department: str | None
    name: str


class Codes(msgspec.Struct, frozen=True):
    """Codes of a classification of industries: "NAICS 5415, 5132"."""

    first: int
    last: int
    scheme: str
    codes: tuple[str, ...]


class Words(msgspec.Struct, frozen=True):
    """An expression of the vocabulary with its meanings."""

    first: int
    last: int
    entries: tuple[Entry, ...]

    def of(self, kind: Kind) -> Entry | None:
        """The meaning of a kind, if there is one."""
        return next((one for one in self.entries if one.kind == kind), None)


Mention = Quantity | Person | Stages | Places | Window | Team | Codes | Words


def find_mentions(text: str, tokens: Sequence[Token], language: str, *, topic: str | None = None) -> list[Mention]:
    """
    Find the mentions in the tokens of a sentence: at each place the longest one, and of equal ones the most specific.

    The topic decides between equal ones: "property managers" are people under a label for them, else an industry.
    """
    mentions: list[Mention] = []
    place = 0
    while place < len(tokens):
        found = [one for one in _candidates(text, tokens, place, language, topic) if one is not None]
        if found:
            best = max(found, key=lambda one: one.last)  # of equal ones the first
            if isinstance(best, Words) and best.of("technology") and _is_version(tokens, best.last):
                best = msgspec.structs.replace(best, last=best.last + 1)
            mentions.append(best)
            place = best.last
        else:
            place += 1
    return _with_listed_titles(text, tokens, _with_listed_codes(text, tokens, mentions))


def _with_listed_titles(text: str, tokens: Sequence[Token], mentions: list[Mention]) -> list[Mention]:
    """The mentions, with industries that are titles, too, as titles in a list of those: "asset managers + VPs Ops"."""
    for place, one in enumerate(mentions):
        near = [*mentions[max(0, place - 2) : place], *mentions[place + 1 : place + 3]]
        is_title = isinstance(one, Words) and one.of("industry") and tokens[one.last - 1].stem in table("ranks")
        if is_title and any(_is_listed_title(tokens, one, each) for each in near):
            title = text[tokens[one.first].start : tokens[one.last - 1].end]
            level = table("ranks")[tokens[one.last - 1].stem]
            mentions[place] = Person(
                one.first, one.last, title[:1].upper() + title[1:].removesuffix("s"), None, level, is_rank=False
            )
    return mentions


def _is_listed_title(tokens: Sequence[Token], one: Mention, other: Mention) -> bool:
    first, last = min(one.last, other.last), max(one.first, other.first)
    return isinstance(other, Person) and last - first == 1 and tokens[first].norm in words("list")


def _is_version(tokens: Sequence[Token], place: int) -> bool:
    """Whether a number that counts nothing stands at a place, at the end of a part: the 6 of "Shopware 6, Shopify"."""
    if (
        place >= len(tokens)
        or tokens[place].line
        or not (tokens[place].norm.isdecimal() and len(tokens[place].norm) < 3)
    ):
        return False
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    return following is None or following.line > 0 or following.norm in {",", ".", ";", "/", "or", "and", "oder", "und"}


def _with_listed_codes(text: str, tokens: Sequence[Token], mentions: list[Mention]) -> list[Mention]:
    """The mentions, with codes of places in a list with a sure one as sure ones: "VA/MD/DC"."""
    run: list[tuple[int, Places]] = []
    for number, one in enumerate([*mentions, None]):
        code = places_at(text, tokens, one.first) if one and one.last - one.first == 1 else None
        goes_on = code and run and code.first - run[-1][1].last == 1 and tokens[code.first - 1].norm in words("list")
        if code and code.is_code and (goes_on or not run):
            run.append((number, code))
            continue
        if len(run) > 1 and any(each.other is None for _, each in run):
            for place, each in run:
                mentions[place] = msgspec.structs.replace(each, other=None)
        run = [(number, code)] if code and code.is_code else []
    return mentions


def _candidates(
    text: str, tokens: Sequence[Token], place: int, language: str, topic: str | None
) -> list[Mention | None]:
    """What can begin at a place; of mentions of equal length the first one is preferred."""
    found = vocabulary().at(tokens, place)
    expression = Words(place, found[0], tuple(found[1])) if found else None
    kinds = {one.kind for one in found[1]} if found else set()
    person, location = person_at(text, tokens, place), places_at(text, tokens, place, is_label=topic == "place")
    people = topic in PEOPLE
    if person and expression and not people and expression.last == person.last and "industry" in kinds:
        person = None  # property managers are an industry, unless it is about people
    if (people and "function" in kinds) or (topic == "industry" and "industry" in kinds):
        location = None  # "Function: IT" is not Italy
    if person and location and topic == "place" and location.is_code:
        person = None  # "Where: AE"
    if location and location.needs_evidence and expression and expression.last == location.last and kinds & ENTITIES:
        location = None  # "Enterprise" is a town, too
    if expression and kinds <= WITH_NUMBERS:
        expression = Words(place, place + 1, expression.entries)  # a number may begin in "or over"
    return [
        _codes_at(tokens, place),
        stages_at(tokens, place),
        _window_at(tokens, place),
        quantity_at(tokens, place, language),
        _team_at(text, tokens, place),
        expression if "idiom" in kinds else None,
        person,
        location,
        expression,
    ]


def _window_at(tokens: Sequence[Token], first: int) -> Window | None:
    lead = vocabulary().at(tokens, first, kind="window")
    if lead is None or lead[0] >= len(tokens):
        return None
    count, place = _count_at(tokens, lead[0])
    time = vocabulary().at(tokens, place, kind="time")
    days = round(count * int(time[1][0].id)) if time else 0
    return Window(first, time[0], days) if time and 0 < days <= MAX_DAYS else None


def _count_at(tokens: Sequence[Token], place: int) -> tuple[float, int]:
    """The number of days, weeks or months: the larger end of "3-6"; one without a number."""
    number = quantity_at(tokens, place, "en")
    if number is None or number.high is None or number.currency is not None:
        return 1, place
    last = next((here for here in range(place, number.last) if vocabulary().at(tokens, here, kind="time")), number.last)
    return number.high, last + (last < len(tokens) and tokens[last].norm == "-")


def _team_at(text: str, tokens: Sequence[Token], first: int) -> Team | None:
    function = function_at(tokens, first)
    if function is None and (person := person_at(text, tokens, first)) and person.department and not person.is_rank:
        function = person.last, person.department
    if function is None or function[0] >= len(tokens) or tokens[function[0]].line:
        return None
    last, department = function
    if tokens[last].stem not in words("team"):
        return None
    return Team(first, last + 1, department, text[tokens[first].start : tokens[last - 1].end])


def _codes_at(tokens: Sequence[Token], first: int) -> Codes | None:
    """Parse "NAICS codes: 5415, 44-45" or "SIC 7372", with codes that the classification has."""
    scheme = tokens[first].norm
    if scheme not in SCHEMES:
        return None
    known = official_titles("naics" if scheme == "naics" else "sic")
    codes: list[str] = []
    place, last = first + 1, first
    while place < len(tokens) and place - first < 80:
        norm = tokens[place].norm
        if CODE.fullmatch(norm):
            if f"{codes[-1]}-{norm}" in known if codes else False:
                codes[-1] = f"{codes[-1]}-{norm}"
            elif norm in known or any(norm in key.split("-") for key in known if "-" in key):
                codes.append(norm)
            else:
                break
            last = place
        elif norm not in (
            "code",
            "codes",
            ":",
            ",",
            "/",
            "and",
            "or",
            "-",
            "in",
            "2022",
            "2017",
            "prefix",
            "starting",
            "with",
            "(",
            "&",
            "und",
        ):
            break
        place += 1
    return Codes(first, last + 1, scheme, tuple(codes)) if codes else None
