"""
Which data points a profile makes worth collecting, how badly, and with which filter. The same profile, the same answer.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from enrichment.blueprint.catalogue import KINDS, Term, catalogue, takes, terms
from enrichment.blueprint.filling import Filling, default, fill
from enrichment.blueprint.offers import named_in
from enrichment.blueprint.recommending import name_modules, recommend_sources
from enrichment.blueprint.values import CataloguePoint, DataPoint, Found, Icp, Sections

PRIORITIES: Final[dict[int, Literal["must_have", "should_have", "nice_to_have"]]] = {
    1: "must_have",
    2: "should_have",
    3: "nice_to_have",
}
MOST_STATED: Final = 14  # points of a group
MOST: Final = 12  # of a group, unless the profile itself states more
MAX_QUOTED: Final = 3  # of the profile's words in one reason


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A point of the catalogue, with all that speaks for it."""

    point: CataloguePoint
    filling: Filling | None
    related: tuple[Term, ...]
    criteria: tuple[str, ...]
    offered: str | None

    @property
    def speaks_for_itself(self) -> bool:
        """Whether it belongs to every blueprint."""
        return "always" in self.point.criteria

    @property
    def level(self) -> int:
        """1 to 3, as in `PRIORITIES`."""
        if self.filling:
            return 2 if self.is_guess else self.point.stated_priority
        level = 2 if self.related else self.point.base_priority
        return level - 1 if self.offered else level

    @property
    def is_guess(self) -> bool:
        """Whether occasions and tools were only inferred: those are hints, and no condition."""
        if self.filling is None or self.point.filled_by not in ("signals", "technologies"):
            return False
        return all(found.field == "inferred" for found in self.filling.wanted + self.filling.excluded)

    @property
    def weight(self) -> int:
        """How much speaks for it among those of its level."""
        return 2 * len(self.related) + len(self.criteria)


def choose(icp: Icp, *, offer: str | None = None) -> Sections:
    """The data points for this profile; words of the offer that the catalogue knows raise priorities."""
    wanted = terms(icp)
    choices = [_weigh(point, icp, wanted, offer or "") for point in catalogue()]
    chosen = {
        group: _best([choice for choice in choices if choice.point.group == group])
        for group in ("firmographic", "technographic", "personalization")
    }
    points = [point for group in chosen.values() for point in group]
    return Sections(**chosen, sources=recommend_sources(points), modules=name_modules(points))


def _weigh(point: CataloguePoint, icp: Icp, wanted: Sequence[Term], offer: str) -> Choice:
    return Choice(
        point=point,
        filling=fill(point, icp),
        related=tuple(term for term in wanted if takes(point, term.keyword)),
        criteria=tuple(field for field in point.criteria if _is_stated(field, point, icp)),
        offered=named_in(offer, point),
    )


def _is_stated(field: str, point: CataloguePoint, icp: Icp) -> bool:
    """Whether the profile states the criterion; where keywords tell its entries apart, they decide instead."""
    if field == "always" or any(keyword.startswith(f"{KINDS.get(field)}:") for keyword in point.keywords):
        return False
    return any(not getattr(one, "excluded", False) for one in getattr(icp, field))


def _best(choices: Sequence[Choice]) -> tuple[DataPoint, ...]:
    """What the profile states, then what belongs to all, then what is related; by priority."""
    stated = [one for one in choices if one.filling][:MOST_STATED]
    common = [one for one in choices if one.speaks_for_itself and not one.filling]
    related = [one for one in choices if (one.related or one.criteria or one.offered) and one not in stated + common]
    related.sort(key=lambda one: (one.level, -one.weight))
    best = (stated + common + related)[: max(MOST, len(stated))]
    return tuple(_data_point(one) for one in sorted(best, key=lambda one: one.level))


def _data_point(choice: Choice) -> DataPoint:
    point, filling = choice.point, choice.filling
    return DataPoint(
        id=point.id,
        name=point.name,
        definition=point.definition,
        why=point.why,
        filter=filling.filter if filling else default(point),
        also=filling.also if filling else None,
        priority=PRIORITIES[choice.level],
        priority_reason=_reason(choice),
        sources=point.sources,
        collection_methods=point.collection_methods,
        validation=point.validation,
        refresh_days=point.refresh_days,
        cost_class=point.cost_class,
        module=point.module,
        example=point.example,
        privacy_note=point.privacy_note,
        expected_fill_rate=point.expected_fill_rate,
    )


def _reason(choice: Choice) -> str:
    reasons = []
    if choice.filling:
        reasons.append(f"{_said(choice.filling.wanted, choice.filling.excluded)}.")
    elif choice.related:
        reasons.append(f"{_said([term.found for term in choice.related])}, and this bears on it.")
    elif choice.criteria:
        reasons.append(f"The profile has something on {' and '.join(choice.criteria).replace('_', ' ')}.")
    elif choice.speaks_for_itself:
        reasons.append("Part of every blueprint; the profile does not narrow it.")
    if choice.offered:
        reasons.append(f'The offer speaks of "{choice.offered}".')
    return " ".join(reasons)


def _said(wanted: Sequence[Found], excluded: Sequence[Found] = ()) -> str:
    """The profile's own words, or the facts it was inferred from."""
    if any(found.field == "inferred" for found in wanted):
        return f"Inferred from {', '.join(dict.fromkeys(found.text for found in wanted))}"
    parts = [f"{verb} {_quoted(founds)}" for verb, founds in (("says", wanted), ("excludes", excluded)) if founds]
    return f"The profile {' and '.join(parts)}"


def _quoted(founds: Sequence[Found]) -> str:
    words = list(dict.fromkeys(found.text for found in founds))
    return ", ".join(f'"{word}"' for word in words[:MAX_QUOTED]) + (" and more" if len(words) > MAX_QUOTED else "")
