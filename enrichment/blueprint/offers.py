"""
What an offer says of the technologies of its buyers: those that it replaces, and those that it needs.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from enrichment.icp.reader import read_text
from schemas import Condition, ConditionQuote, CustomerProfile, Measure

USES: Final = "uses "  # which makes a list of products readable as a profile
MAX_SEGMENT: Final = 120  # characters after a cue
MAX_CUES: Final = 20
END: Final = re.compile(r"[.;!?\n]")

# Words after which an offer names technologies of its buyers. Each matches in one way only, so the time is linear.
CUES: Final = (
    (
        "replaces",
        re.compile(
            r"\b(?:replac(?:es?|ing)|alternatives? to|instead of|"
            r"(?:switch(?:ing)?|migrat(?:e|es|ing|ion)|mov(?:e|es|ing)) (?:away )?(?:from|off(?: of)?))\b",
            re.IGNORECASE,
        ),
    ),
    (
        "needs",
        re.compile(
            r"\b(?:works? (?:with|on)|runs on|built (?:for|on)|integrat(?:es?|ing|ions?) (?:with|into|for)|"
            r"plug-?ins? for|add-?ons? (?:for|to)|apps? for|extensions? (?:for|of)|on top of|requires?|needs|"
            r"connects? (?:to|with)|for users of|for companies (?:that use|using|on))\b",
            re.IGNORECASE,
        ),
    ),
)


class OfferReading(NamedTuple):
    """The profile with what follows from the offer, and what the blueprint cannot take into account of it."""

    profile: CustomerProfile
    gaps: tuple[str, ...]


def with_offer(profile: CustomerProfile, offer: str | None) -> OfferReading:
    """
    Add what the offer replaces or needs to the profile, as wishes, and say so in its reasoning.

    Products that the profile is about already are left out.
    """
    if not offer:
        return OfferReading(profile, ())
    stated = {(one.measure, str(one.value)): one for one in profile.conditions}
    added: list[Condition] = []
    reasons: list[str] = []
    gaps: list[str] = []
    groups = _groups(offer)
    for relation, conditions in groups:
        group = max((one.any_of for one in (*profile.conditions, *added)), default=0) + 1
        known = [stated[key] for one in conditions if (key := (one.measure, str(one.value))) in stated]
        gaps += [
            f"The offer {relation} {one.label}, which the profile excludes; the profile counts."
            for one in known
            if one.strength == "must_not"
        ]
        for one in conditions:
            if (one.measure, str(one.value)) not in stated:
                number = len(profile.conditions) + len(added) + 1
                added.append(replace(one, id=f"c{number}", any_of=group, strength="should"))
                reasons.append(f"The offer {relation} {one.label}, so companies that use it are preferred.")
                stated[one.measure, str(one.value)] = one
    if not groups:
        gaps.append("The offer was not understood: it names no product that it replaces or needs.")
    reasoning = (*profile.reasoning, *reasons)
    return OfferReading(replace(profile, conditions=(*profile.conditions, *added), reasoning=reasoning), tuple(gaps))


def _groups(offer: str) -> list[tuple[str, list[Condition]]]:
    """What the offer replaces, and what it needs; each is a group of alternatives."""
    found: dict[str, list[Condition]] = {}
    for relation, start, end in _segments(offer):
        profile = read_text(USES + offer[start:end])
        conditions = [_quoted(one, offer, start - len(USES)) for one in _technologies(profile.conditions)]
        if conditions:
            found.setdefault(relation, []).extend(conditions)
    return list(found.items())


def _segments(offer: str) -> Iterator[tuple[str, int, int]]:
    """The passages after the cues, each up to the next cue or the end of its sentence."""
    cues = sorted(
        (match.start(), match.end(), relation) for relation, pattern in CUES for match in pattern.finditer(offer)
    )[:MAX_CUES]
    for index, (_, start, relation) in enumerate(cues):
        following = cues[index + 1][0] if index + 1 < len(cues) else len(offer)
        sentence = END.search(offer, start)
        yield relation, start, min(following, sentence.start() if sentence else len(offer), start + MAX_SEGMENT)


def _technologies(conditions: Iterable[Condition]) -> list[Condition]:
    wanted = (Measure.TECHNOLOGY, Measure.TECHNOLOGY_CATEGORY)
    return [one for one in conditions if one.measure in wanted and one.strength != "must_not"]


def _quoted(condition: Condition, offer: str, shift: int) -> Condition:
    """The condition with its passage in the offer."""
    start, end = condition.quote.start + shift, condition.quote.end + shift
    return replace(condition, quote=ConditionQuote(text=offer[start:end], start=start, end=end, field="offer"))
