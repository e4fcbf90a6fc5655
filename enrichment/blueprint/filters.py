"""
The filter of a data point: the condition that a profile sets for it, or else the default of the catalogue.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from enrichment.blueprint.catalogue import CataloguePoint, matches, products
from enrichment.blueprint.criteria import Criteria, FoundInProfile, ProfileRange, ProfileSignal
from enrichment.blueprint.wording import format_amount, format_number, format_range, join_alternatives, join_some
from schemas import FilterOperand, Operator, PointFilter

RANGES: Final = ("company_size", "revenue", "arr", "funding_amount")
LIST_OPERATORS: Final = ("in", "contains_any")
OPPOSITES: Final[dict[str, Operator]] = {"gte": "lte", "lte": "gte", "within_days": "not_within_days"}
EXCLUDING: Final = ("not_in", "not_within_days")
MAX_CODES: Final = 12  # of countries that the words of a filter list one by one


class FilterMatch(msgspec.Struct, frozen=True, kw_only=True):
    """The filter that a profile sets for a point, a second one for what it excludes, and the passages behind both."""

    filter: PointFilter
    exclude: PointFilter | None
    wanted: tuple[FoundInProfile, ...]
    excluded: tuple[FoundInProfile, ...]


class FilterValue(NamedTuple):
    """A criterion of the profile as values of a filter, and in words."""

    values: Sequence[str]
    words: str
    found: FoundInProfile
    excluded: bool


def match_filter(point: CataloguePoint, profile: Criteria) -> FilterMatch | None:
    """Build the filter of a point from the profile; None if the profile does not determine it."""
    if point.filled_by in RANGES:
        ranges = _ranges(point, profile)
        filter_ = _range_filter(point, ranges)
        return _filter_match([filter_] if filter_ else [], ranges)
    if point.filled_by == "signals":
        return _match_signals(point, [one for one in profile.signals if matches(point, f"signal:{one.id}")])
    values = LISTS.get(point.filled_by)
    return _match_list(point, list(values(point, profile))) if values else None


def default_filter(point: CataloguePoint) -> PointFilter:
    """Build the filter of a point that the profile does not determine."""
    if point.filter_operator in LIST_OPERATORS or point.filter_operator == "exists":
        return msgspec.structs.replace(_condition(point, "exists", value=True, words=""), text=f"{point.name}: known")
    return _condition(point, point.filter_operator, point.default_value, _value_words(point, point.default_value))


def _filter_match(
    filters: Sequence[PointFilter], criteria: Sequence[ProfileRange | ProfileSignal | FilterValue]
) -> FilterMatch | None:
    if not filters:
        return None
    return FilterMatch(
        filter=filters[0],
        exclude=filters[1] if len(filters) > 1 else None,
        wanted=tuple(one.found for one in criteria if not one.excluded),
        excluded=tuple(one.found for one in criteria if one.excluded),
    )


def _condition(
    point: CataloguePoint, operator: Operator, value: FilterOperand, words: str, *, unit: str | None = None
) -> PointFilter:
    text = point.filter_template.format(value=words)
    if operator in EXCLUDING or (operator == "eq" and value is False):
        text = f"excluded: {text}"
    return PointFilter(
        field=point.filter_field, operator=operator, value=value, unit=unit or point.filter_unit, text=text
    )


def _value_words(point: CataloguePoint, value: float) -> str:
    """Format a single number in the unit of the point."""
    currency = _currency(point)
    if point.filled_by in RANGES:
        return format_range(int(value), None, currency=currency)
    return f"{currency} {format_amount(int(value))}" if currency else format_number(value)


def _currency(point: CataloguePoint) -> str | None:
    """The default currency of the point's amounts; None if they are not money."""
    return "USD" if point.filter_unit.startswith("USD") else None


# Signals


def _match_signals(point: CataloguePoint, signals: Sequence[ProfileSignal]) -> FilterMatch | None:
    wanted = [one for one in signals if not one.excluded]
    excluded = [one for one in signals if one.excluded]
    filters = [
        *([_signal_filter(point, wanted, point.filter_operator)] if wanted else []),
        *([_signal_filter(point, excluded, OPPOSITES[point.filter_operator])] if excluded else []),
    ]
    return _filter_match(filters, signals)


def _signal_filter(point: CataloguePoint, signals: Sequence[ProfileSignal], operator: Operator) -> PointFilter:
    """Build the filter of signals within the longest period that the profile states, or else the catalogue's."""
    days = [one.within_days for one in signals if one.within_days is not None]
    value = max(days) if days and point.filter_operator == "within_days" else point.default_value
    filter_ = _condition(point, operator, value, _value_words(point, value))
    unknown = [one.name for one in signals if f"signal:{one.id}" not in point.keywords]
    if not unknown:
        return filter_
    return msgspec.structs.replace(filter_, text=f"{filter_.text}: {join_alternatives(unknown)}")


# Ranges


def _ranges(point: CataloguePoint, profile: Criteria) -> Sequence[ProfileRange]:
    """Select the ranges for the point. Figures override words: in "mid-market, 50-500 employees" the figures count."""
    if point.filled_by == "company_size":
        ranges = profile.company_size
    elif point.filled_by == "funding_amount":
        ranges = profile.funding_amount
    else:
        ranges = tuple(one for one in profile.revenue if (one.measure == "arr") == (point.filled_by == "arr"))
    figures = [one for one in ranges if one.excluded or any(letter.isdigit() for letter in one.found.text)]
    return figures if any(not one.excluded for one in figures) else ranges


def _range_filter(point: CataloguePoint, ranges: Sequence[ProfileRange]) -> PointFilter | None:
    """
    Build the filter of one or more ranges: "50-200 or 5000 or more employees".

    It is None if the ranges allow every value, or none. Amounts are not converted: the value is in the first currency,
    and only the words include the others.
    """
    per_currency: dict[str | None, list[ProfileRange]] = {}
    for one in sorted(ranges, key=lambda one: one.excluded):
        per_currency.setdefault(one.currency or _currency(point), []).append(one)
    allowed = {currency: _allowed(group) for currency, group in per_currency.items()}
    if not all(allowed.values()) or any((None, None) in spans for spans in allowed.values()) or not ranges:
        return None
    words = join_alternatives(
        [format_range(low, high, currency=currency) for currency, spans in allowed.items() for low, high in spans]
    )
    currency, spans = next(iter(allowed.items()))
    unit = point.filter_unit.replace("USD", currency or "")
    if len(spans) > 1:
        return _condition(point, "between_any", tuple(spans), words, unit=unit)
    low, high = spans[0]
    if low is not None and high is not None:
        return _condition(point, "between", (low, high), words, unit=unit)
    if high is not None:
        return _condition(point, "lte", high, words, unit=unit)
    return _condition(point, "gte", low or 0, words, unit=unit)


def _allowed(ranges: Sequence[ProfileRange]) -> list[tuple[int | None, int | None]]:
    """Compute the union of the wanted ranges (or everything, if none is wanted) without the excluded ones."""
    wanted = [_bounds(one) for one in ranges if not one.excluded] or [(0, math.inf)]
    spans: list[tuple[float, float]] = []
    for low, high in sorted(wanted):
        if spans and low <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
        else:
            spans.append((low, high))
    for first, last in (_bounds(one) for one in ranges if one.excluded):
        parts = [part for low, high in spans for part in ((low, min(high, first - 1)), (max(low, last + 1), high))]
        spans = [(low, high) for low, high in parts if low <= high and low != math.inf]
    return [(int(low) or None, None if high == math.inf else int(high)) for low, high in spans]


def _bounds(one: ProfileRange) -> tuple[float, float]:
    return one.minimum or 0, math.inf if one.maximum is None else one.maximum


# Lists


def _match_list(point: CataloguePoint, criteria: Sequence[FilterValue]) -> FilterMatch | None:
    excluded = [one for one in criteria if one.excluded and one.values]
    excluded_values = _values(excluded)
    wanted = [one for one in criteria if not one.excluded and not set(one.values) <= set(excluded_values)]
    wanted_values = tuple(value for value in _values(wanted) if value not in excluded_values)
    is_list = point.filter_operator in LIST_OPERATORS
    filters = []
    if wanted:
        value: FilterOperand = wanted_values if is_list else True
        filters.append(_condition(point, point.filter_operator, value, _words(wanted)))
    if excluded:
        operator: Operator = "not_in" if is_list else point.filter_operator
        value = excluded_values if is_list else False
        filters.append(_condition(point, operator, value, _words(excluded)))
    return _filter_match(filters, [*wanted, *excluded])


def _values(criteria: Iterable[FilterValue]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for one in criteria for value in one.values))


def _words(criteria: Iterable[FilterValue]) -> str:
    return join_alternatives(list(dict.fromkeys(one.words for one in criteria)))


def _industries(_: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.industries:
        yield FilterValue(one.naics, f"{one.name} (NAICS {', '.join(one.naics)})", one.found, one.excluded)


def _industry_names(_: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.industries:
        yield FilterValue((one.name,), one.name, one.found, one.excluded)


def _countries(_: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    """A wanted city stands for its country, but an excluded city does not exclude its country."""
    whole = [one for one in profile.geographies if one.kind in ("country", "region")]
    excluded = {code for one in whole if one.excluded for code in one.countries}
    for one in profile.geographies:
        if one.excluded and one not in whole:
            continue
        codes = one.countries if one.excluded else tuple(code for code in one.countries if code not in excluded)
        listed = ", ".join(codes) if len(codes) <= MAX_CODES else f"{len(codes)} countries"
        yield FilterValue(codes, f"{one.name} ({listed})" if one in whole else listed, one.found, one.excluded)


def _localities(_: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.geographies:
        if one.kind in ("subdivision", "city"):
            yield FilterValue((one.name,), one.name, one.found, one.excluded)


def _technologies(point: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    """A category stands for all its products, unless the profile names one of them."""
    named = {(one.category, one.excluded) for one in profile.technologies if one.name}
    for one in profile.technologies:
        if not matches(point, f"technology:{one.category}"):
            continue
        if one.name:
            yield FilterValue((one.name,), one.name, one.found, one.excluded)
        elif (one.category, one.excluded) not in named:
            values = products(one.category) or (one.category,)
            yield FilterValue(values, join_some(values), one.found, one.excluded)


def _personas(_: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.personas:
        yield FilterValue((one.title,), one.title, one.found, one.excluded)


def _departments(point: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.personas:
        if matches(point, f"department:{one.department}") and not one.excluded:
            name = one.department.replace("_", " ")
            yield FilterValue((one.department,), name.upper() if len(name) < 3 else name, one.found, excluded=False)


def _funding(point: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.funding:
        if matches(point, f"funding:{one.stage}"):
            yield FilterValue((one.stage,), one.name, one.found, one.excluded)


def _business_models(_: CataloguePoint, profile: Criteria) -> Iterator[FilterValue]:
    for one in profile.business_models:
        yield FilterValue((one.id,), one.name, one.found, one.excluded)


LISTS: Final[Mapping[str, Callable[[CataloguePoint, Criteria], Iterator[FilterValue]]]] = {
    "industries": _industries,
    "industry_names": _industry_names,
    "countries": _countries,
    "localities": _localities,
    "technologies": _technologies,
    "personas": _personas,
    "departments": _departments,
    "funding": _funding,
    "business_models": _business_models,
}
