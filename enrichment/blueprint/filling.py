"""
A data point's filter, with the exact values that a profile gives it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from enrichment.blueprint.catalogue import takes
from enrichment.blueprint.entries import Entry, entries
from enrichment.blueprint.ranges import currency, range_filter
from enrichment.blueprint.values import CataloguePoint, Filter, Found, Icp, Operator, Range, Signal
from enrichment.blueprint.wording import amount, condition, either, number, span

RANGES: Final = ("company_size", "revenue", "arr", "funding_amount")
LISTS: Final = ("in", "contains_any")
OPPOSITE: Final[dict[str, Operator]] = {"gte": "lte", "lte": "gte", "within_days": "not_within_days"}


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile makes of a point: its filter, a second one for what is excluded, and the words for both."""

    filter: Filter
    also: Filter | None
    wanted: tuple[Found, ...]
    excluded: tuple[Found, ...]


def fill(point: CataloguePoint, icp: Icp) -> Filling | None:
    """The point as the profile fills it, or None where the profile has nothing to say to it."""
    if point.filled_by in RANGES:
        return _fill_range(point, _ranges(point, icp))
    if point.filled_by == "signals":
        return _fill_signal(point, [one for one in icp.signals if takes(point, f"signal:{one.id}")])
    return _fill_list(point, entries(point, icp))


def default(point: CataloguePoint) -> Filter:
    """The point's filter where the profile says nothing."""
    if point.filter_operator in LISTS or point.filter_operator == "exists":
        return msgspec.structs.replace(condition(point, "exists", value=True, words=""), text=f"{point.name}: known")
    return condition(point, point.filter_operator, point.default_value, _words(point, point.default_value))


def _ranges(point: CataloguePoint, icp: Icp) -> list[Range]:
    """The ranges for the point. Figures go before words: in "mid-market, 50-500 employees" the figures count."""
    if point.filled_by == "company_size":
        ranges = list(icp.company_size)
    elif point.filled_by == "funding_amount":
        ranges = list(icp.funding_amount)
    else:
        ranges = [one for one in icp.revenue if (one.measure == "arr") == (point.filled_by == "arr")]
    figures = [one for one in ranges if one.excluded or any(letter.isdigit() for letter in one.found.text)]
    return figures if any(not one.excluded for one in figures) else ranges


def _fill_range(point: CataloguePoint, ranges: Sequence[Range]) -> Filling | None:
    filter_ = range_filter(point, ranges)
    return _filling([filter_] if filter_ else [], ranges)


def _fill_signal(point: CataloguePoint, signals: Sequence[Signal]) -> Filling | None:
    """Within the catalogue's number of days, unless the profile gives one: of several, the longest."""
    wanted = [one for one in signals if not one.excluded]
    excluded = [one for one in signals if one.excluded]
    filters = [
        *([_signal_filter(point, wanted, point.filter_operator)] if wanted else []),
        *([_signal_filter(point, excluded, OPPOSITE[point.filter_operator])] if excluded else []),
    ]
    return _filling(filters, signals)


def _signal_filter(point: CataloguePoint, signals: Sequence[Signal], operator: Operator) -> Filter:
    value = _stated_value(point, signals)
    found = condition(point, operator, value, _words(point, value))
    unnamed = [one.name for one in signals if f"signal:{one.id}" not in point.keywords]
    return msgspec.structs.replace(found, text=f"{found.text}: {either(unnamed)}") if unnamed else found


def _fill_list(point: CataloguePoint, listed: Sequence[Entry]) -> Filling | None:
    excluded = [one for one in listed if one.excluded and one.values]
    ruled_out = _values(excluded)
    wanted = [one for one in listed if not one.excluded and not set(one.values) <= set(ruled_out)]
    values = tuple(value for value in _values(wanted) if value not in ruled_out)
    is_list = point.filter_operator in LISTS
    filters = []
    if wanted:
        operator, value = (point.filter_operator, values) if is_list else (point.filter_operator, True)
        filters.append(condition(point, operator, value, _either(wanted)))
    if excluded:
        operator, value = ("not_in", ruled_out) if is_list else (point.filter_operator, False)
        filters.append(condition(point, operator, value, _either(excluded)))
    return _filling(filters, [*wanted, *excluded])


def _filling(filters: Sequence[Filter], said: Sequence[Range | Signal | Entry]) -> Filling | None:
    if not filters:
        return None
    return Filling(
        filter=filters[0],
        also=filters[1] if len(filters) > 1 else None,
        wanted=tuple(one.found for one in said if not one.excluded),
        excluded=tuple(one.found for one in said if one.excluded),
    )


def _values(listed: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for one in listed for value in one.values))


def _either(listed: Iterable[Entry]) -> str:
    return either(list(dict.fromkeys(one.words for one in listed)))


def _stated_value(point: CataloguePoint, signals: Sequence[Signal]) -> float:
    days = [one.within_days for one in signals if one.within_days is not None]
    return max(days) if days and point.filter_operator == "within_days" else point.default_value


def _words(point: CataloguePoint, value: float) -> str:
    """How a single figure reads in the point's template."""
    code = currency(point)
    if point.filled_by in RANGES:
        return span(int(value), None, currency=code)
    return f"{code} {amount(int(value))}" if code else number(value)
