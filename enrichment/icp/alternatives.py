"""
Alternatives: which conditions stand side by side, and of which one has to be met.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from enrichment.icp.drafts import Draft, family, reading
from schemas import Measure

ONE_VALUE: Final = frozenset(
    {
        Measure.INDUSTRY,
        Measure.HEADCOUNT,
        Measure.REVENUE,
        Measure.RECURRING_REVENUE,
        Measure.FUNDING_STAGE,
        Measure.FUNDING_RAISED,
        Measure.HEADQUARTERS,
        Measure.OFFICE,
        Measure.CUSTOMERS_INDUSTRY,
        Measure.CUSTOMERS_LOCATION,
        Measure.OWNERSHIP,
        Measure.FOUNDED,
        Measure.PERSONA,
        Measure.LOCATIONS_COUNT,
        Measure.TRAFFIC,
        Measure.RANK,
    }
)
"Measures of which a company has one value, or of which one will do: their conditions are alternatives."
COARSE: Final = frozenset({Measure.INDUSTRY, Measure.CUSTOMERS_INDUSTRY, Measure.TECHNOLOGY_CATEGORY})
"Measures whose values stand for words of several meanings."


def grouped(drafts: Sequence[Draft]) -> list[tuple[Draft, int]]:
    """The conditions that remain, each with the number of its group."""
    _drop_inexpressible(drafts)
    kept = _deduplicated(draft for draft in drafts if not draft.dropped)
    _prefer_figures(kept)
    _drop_coarse_exclusions(kept)
    kept = [draft for draft in kept if not draft.dropped]
    remaining = {id(draft) for draft in kept}
    for before, draft in pairwise(drafts):
        draft.is_next = draft.is_next and id(before) in remaining
    _relax_segments(kept)
    segments = {draft.segment for draft in kept} - {0}
    if len(segments) < 2:
        _separate_places(kept)
    kept = [draft for draft in kept if not draft.dropped]
    groups: dict[tuple[object, ...], int] = {}
    result: list[tuple[Draft, int]] = []
    bounds: dict[tuple[str, str, str], float] = {}
    for draft in kept:
        key = _key(draft, result, bounds)
        if len(segments) > 1 and draft.segment and draft.strength == "must":
            key = ("segments", draft.measure)
        result.append((draft, groups.setdefault(key, len(groups) + 1)))
    _open_groups(result)
    return result


def _open_groups(result: Sequence[tuple[Draft, int]]) -> None:
    """
    Make a wish of each condition in a group with an alternative that was not understood.

    Of "Kustomer or Zendesk" only Zendesk is known, but a company without it may be wanted as well.
    """
    is_open = {group for draft, group in result if draft.alternative and draft.strength == "must"}
    for draft, group in result:
        if group in is_open:
            draft.strength = "should"
        if group in is_open and draft.alternative:
            draft.confidence = min(draft.confidence, 0.6)
            other = reading(None, f'or "{draft.alternative}", which was not understood')
            draft.readings = (*(draft.readings or (reading(draft.measure, draft.label),)), other)


def _key(
    draft: Draft, before: Sequence[tuple[Draft, int]], bounds: dict[tuple[str, str, str], float]
) -> tuple[object, ...]:
    """What the conditions of a group have in common."""
    alone = ("alone", id(draft))
    draft_key: tuple[object, ...]
    if draft.strength == "must_not":
        draft_key = alone
    elif draft.measure in ONE_VALUE:
        draft_key = (draft.strength, draft.measure, _shape(draft), draft.level, _number_of_range(draft, bounds))
    else:
        draft_key = alone
    last = before[-1][0] if before else None
    if (
        last is not None
        and draft.strength != "must_not"
        and last.strength == draft.strength
        and _is_listed(last, draft)
    ):
        draft_key = last.key
    draft.key = draft_key
    return draft_key


def _separate_places(kept: Sequence[Draft]) -> None:
    """
    Set apart the places that contain others: of "German manufacturers, Bavaria or Hesse" both the country and one of
    the states have to match. A place that contains only some of the others is dropped: "European banks in Boston".
    """
    lists: dict[object, list[Draft]] = {}
    runs: dict[int, int] = {}
    for before, draft in pairwise([None, *kept]):
        if draft is None or draft.strength == "must_not" or not draft.kind:
            continue
        goes_on = before and before.measure is draft.measure and draft.connector and not draft.is_within
        runs[id(draft)] = runs[id(before)] if goes_on and id(before) in runs else len(runs)
        lists.setdefault((draft.measure, draft.strength), []).append(draft)
    for places in lists.values():
        _set_levels(places, runs)


def _set_levels(places: Sequence[Draft], runs: Mapping[int, int]) -> None:
    """Set the levels of places; `runs` has the number of the list that each stands in, by its id()."""
    holders: dict[str, list[Draft]] = {}
    for one in places:
        for code in one.codes if one.kind != "city" else ():
            holders.setdefault(code, []).append(one)
    order = {id(one): number for number, one in enumerate(places)}
    around: dict[int, set[int]] = {}  # the places that a place lies in
    for one in places:
        for outer in _containing(one, holders):
            is_listed = runs[id(one)] == runs[id(outer)]
            distance = order[id(one)] - order[id(outer)]
            if is_listed and distance == -1 and outer.connector == "," and outer.kind != "region":
                outer.dropped = True  # "California, US, or Ontario, Canada"
            elif not (is_listed and _widens(outer, one, distance)):
                around.setdefault(id(one), set()).add(id(outer))
    containing = set().union(*around.values())
    containers = [one for one in places if id(one) in containing]
    leaves = [one for one in places if id(one) not in containing]
    apart = {outer for one, found in around.items() for outer in found if runs[one] != runs[outer]}
    is_open = any(one.alternative for one in places)
    for kind in {one.kind for one in containers}:
        level = {id(one): one for one in containers if one.kind == kind}
        is_met = all(around.get(id(one), set()) & level.keys() for one in leaves)
        for key, outer in level.items():
            outer.level = str(kind) if is_met else ""
            outer.dropped |= not is_met and not is_open and key in apart
        for one in leaves if is_open and not is_met else ():
            one.level = "within" if one.is_within else ""  # "Italy (Veneto, or elsewhere), Spain"


def _widens(outer: Draft, inner: Draft, distance: int) -> bool:
    """Whether the larger of two places in a list is an alternative: "London or the rest of the UK"."""
    if distance > 0:
        return distance == 1 and inner.connector in ("or", "and")
    return outer.connector in ("or", "and") or outer.kind == "region"


def _containing(draft: Draft, holders: Mapping[str, Sequence[Draft]]) -> list[Draft]:
    """The other places that a place lies in."""
    codes = (draft.about.place or "",) if draft.kind == "city" else draft.codes
    found = [one for code in codes[:1] for key in {code, code[:2]} for one in holders.get(key, ())]
    return [one for one in found if one.codes != draft.codes and all({code, code[:2]} & {*one.codes} for code in codes)]


def _is_listed(last: Draft, draft: Draft) -> bool:
    """Whether a condition is an alternative to the one before it: after "or", or in a list of its kind."""
    if last.sentence != draft.sentence:
        return False
    if draft.connector == "or":
        same = family(last.measure) is family(draft.measure)
        return same or draft.is_next
    same = family(last.measure) is family(draft.measure)
    return (
        same
        and draft.connector == ","
        and draft.measure not in ONE_VALUE
        and draft.measure is not Measure.BUSINESS_MODEL
    )


def _shape(draft: Draft) -> str:
    """Titles, departments and levels of people are different things: "VP or above" and "in marketing" both hold."""
    if draft.measure is not Measure.PERSONA:
        return ""
    about = draft.about
    return "title" if about.role else "department" if about.department else "level"


def _number_of_range(draft: Draft, bounds: dict[tuple[str, str, str], float]) -> int:
    """
    A lower and an upper bound that overlap hold both: "at least 50 … at most 500"; other ranges are alternatives.

    `bounds` has the lowest lower and the highest upper bound so far, by strength and measure.
    """
    if draft.operator not in ("gte", "lte") or not isinstance(draft.value, (int, float)):
        return 0
    own, other = (draft.operator, "lte" if draft.operator == "gte" else "gte")
    key = (draft.strength, str(draft.measure))
    opposite = bounds.get((*key, other))
    widest = min if own == "gte" else max
    bounds[*key, own] = widest(draft.value, bounds.get((*key, own), draft.value))
    if opposite is None or draft.connector == "or":
        return 0
    overlaps = draft.value <= opposite if own == "gte" else opposite <= draft.value
    return int(overlaps)


def _deduplicated(drafts: Iterable[Draft]) -> list[Draft]:
    """Of several equal conditions the one with the highest confidence, at the place of the first."""
    best: dict[tuple[object, ...], Draft] = {}
    for draft in drafts:
        key = (draft.measure, draft.operator, draft.value, draft.currency, draft.about, draft.strength, draft.segment)
        other = best.setdefault(key, draft)
        is_near = (other.sentence, other.chunk) == (draft.sentence, draft.chunk)
        alternative = other.alternative or (draft.alternative if is_near else None)
        if other.sentence != draft.sentence and not draft.alternative:
            alternative = None  # "Banks or Foo? Only banks."
        if other.confidence < draft.confidence:
            draft.connector = other.connector
            best[key] = draft
        best[key].alternative = alternative
    return list(best.values())


def _prefer_figures(drafts: Sequence[Draft]) -> None:
    """Drop sizes in words beside figures: in "mid-market, 50-500 employees" these say what is meant."""
    sizes = [one for one in drafts if one.measure is Measure.HEADCOUNT and (one.strength == "must" or one.in_words)]
    in_words = [one for one in sizes if one.in_words]
    if len(in_words) < len(sizes):
        for one in in_words:
            one.dropped = True


def _drop_inexpressible(drafts: Sequence[Draft]) -> None:
    """
    Drop what is excluded only together or in part: "no German agencies" excludes neither Germany nor agencies, and "no
    home builders" not all of construction.

    A profile can exclude one condition, not a combination of two.
    """
    for place, draft in enumerate(drafts):
        if draft.strength != "must_not":
            continue
        draft.dropped = draft.dropped or draft.narrower
        last = drafts[place - 1] if place else draft
        together = last.strength == "must_not" and last.sentence == draft.sentence and last.chunk == draft.chunk
        if together and draft.connector == "" and last.negator == draft.negator and last.measure is not draft.measure:
            draft.dropped = last.dropped = True


def _drop_coarse_exclusions(drafts: Sequence[Draft]) -> None:
    """Drop what excludes the very thing that is wanted: banks and credit unions are one industry of the vocabulary."""
    wanted = {(one.measure, one.value) for one in drafts if one.strength != "must_not"}
    for one in drafts:
        if one.strength == "must_not" and one.measure in COARSE and (one.measure, one.value) in wanted:
            one.dropped = True


def _relax_segments(drafts: Sequence[Draft]) -> None:
    """Of several segments of customers, what only some of them require is a wish: no customer has to meet it all."""
    segments = {draft.segment for draft in drafts} - {0}
    if len(segments) < 2:
        return
    have: dict[str, set[int]] = {}
    for draft in drafts:
        if draft.strength == "must":
            have.setdefault(draft.measure, set()).add(draft.segment)
    for draft in drafts:
        if draft.segment and draft.strength == "must" and not segments <= have[draft.measure]:
            draft.strength = "should"
