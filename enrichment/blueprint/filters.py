"""
The filter of a data point: the condition that a profile sets for it, or else the default of the catalogue.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from enrichment.blueprint.catalogue import CataloguePoint, matches, products
from enrichment.blueprint.criteria import Criteria, FoundInProfile, ProfileNumber, ProfileRange, ProfileSignal
from enrichment.blueprint.wording import format_amount, format_number, format_range, join_alternatives, join_some
from schemas import FilterOperand, Operator, PointFilter, Strength

RANGES: Final = ("company_size", "revenue", "arr", "funding_amount")
LIST_OPERATORS: Final = ("in", "contains_any")
OPPOSITES: Final[dict[str, Operator]] = {"gte": "lte", "lte": "gte", "within_days": "not_within_days"}
EXCLUDING: Final = ("not_in", "not_within_days")
IMPLIED: Final = -1  # the group of conditions that follow from others, which have no alternatives
MAX_CODES: Final = 12  # of countries that the words of a filter list one by one


class FilterMatch(msgspec.Struct, frozen=True, kw_only=True):
    """
    The filters that a profile sets for a point: one for each group of alternatives, requirements before wishes; another
    one for what it excludes; and the passages behind them.
    """

    filters: tuple[PointFilter, ...]
    exclude: PointFilter | None
    wanted: tuple[FoundInProfile, ...]
    excluded: tuple[FoundInProfile, ...]

    @property
    def first(self) -> PointFilter:
        """The most important filter: that for what is excluded, if nothing is wanted."""
        return self.filters[0] if self.filters else cast("PointFilter", self.exclude)


class FilterValue(NamedTuple):
    """A criterion of the profile as values of a filter, and in words."""

    values: Sequence[str]
    words: str
    found: FoundInProfile
    excluded: bool


Criterion = ProfileNumber | ProfileRange | ProfileSignal | FilterValue
C = TypeVar("C", ProfileNumber, ProfileRange, ProfileSignal, FilterValue)


def match_filter(point: CataloguePoint, profile: Criteria) -> FilterMatch | None:
    """Build the filters of a point from the profile; None if the profile does not determine them."""
    if numbers := [one for one in profile.numbers if one.point == point.id]:
        return _match_ranges(numbers, lambda wanted, excluded: _number_filter(point, [*wanted, *excluded]))
    if point.filled_by in RANGES:
        ranges = _ranges(point, profile)
        return _match_ranges(ranges, lambda wanted, excluded: _range_filter(point, [*wanted, *excluded]))
    if point.filled_by == "signals":
        signals = [one for one in profile.signals if matches(point, f"signal:{one.id}")]
        return _match(signals, lambda wanted, excluded: _signal_filter(point, wanted, excluded))
    values = LISTS.get(point.filled_by)
    if values is None:
        return None
    listed = [one for one in values(point, profile) if one.values]
    return _match(listed, lambda wanted, excluded: _list_filter(point, wanted, excluded), subtracts=True)


def default_filter(point: CataloguePoint) -> PointFilter:
    """Build the filter of a point that the profile does not determine."""
    if point.filter_operator in LIST_OPERATORS or point.filter_operator == "exists":
        return msgspec.structs.replace(_condition(point, "exists", value=True, words=""), text=f"{point.name}: known")
    return _condition(point, point.filter_operator, point.default_value, _value_words(point, point.default_value))


def _match(
    criteria: Sequence[C], build: Callable[[Sequence[C], Sequence[C]], PointFilter | None], *, subtracts: bool = False
) -> FilterMatch | None:
    """
    Build a filter for each group of alternatives, and one for what is excluded.

    `build` takes what is wanted and what is excluded; with `subtracts` it takes the latter out of the former.
    """
    wanted: dict[tuple[bool, int], list[C]] = {}
    excluded = [one for one in criteria if one.excluded]
    for one in criteria:
        if not one.excluded:
            wanted.setdefault((one.found.wish, one.found.any_of), []).append(one)
    filters, used = [], []
    for (is_wish, any_of), group in sorted(wanted.items(), key=lambda item: item[0][0]):
        if built := build(group, excluded if subtracts else ()):
            strength: Strength = "should" if is_wish else "must"
            filters.append(_stated(built, strength, None if any_of == IMPLIED else any_of, group))
            used += group
    exclude = build((), excluded) if excluded else None
    if not filters and exclude is None:
        return None
    return FilterMatch(
        filters=tuple(filters),
        exclude=_stated(exclude, "must", None, excluded) if exclude else None,
        wanted=tuple(one.found for one in used),
        excluded=tuple(one.found for one in excluded),
    )


def _stated(filter_: PointFilter, strength: Strength, any_of: int | None, criteria: Iterable[Criterion]) -> PointFilter:
    ids = tuple(dict.fromkeys(one.found.condition for one in criteria if one.found.condition))
    return msgspec.structs.replace(filter_, strength=strength, any_of=any_of, conditions=ids)


def _condition(
    point: CataloguePoint, operator: Operator, value: FilterOperand, words: str, *, unit: str | None = None
) -> PointFilter:
    text = point.filter_template.format(value=words)
    if operator in EXCLUDING or (operator == "eq" and value is False):
        text = f"excluded: {text}"
    return PointFilter(
        field=point.module_field or point.filter_field,
        operator=operator,
        value=value,
        unit=unit or point.filter_unit,
        text=text,
        module=point.module if point.module_field else None,
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


def _signal_filter(
    point: CataloguePoint, wanted: Sequence[ProfileSignal], excluded: Sequence[ProfileSignal]
) -> PointFilter | None:
    """
    Build the filter of signals within the longest period that the profile states, or else the catalogue's.

    Its words are those of the catalogue, with what the profile says beside: the role, the place, the product.
    """
    signals = wanted or excluded
    operator = point.filter_operator if wanted else OPPOSITES[point.filter_operator]
    days = [one.within_days for one in signals if one.within_days is not None]
    value = max(days) if days and point.filter_operator == "within_days" else point.default_value
    filter_ = _condition(point, operator, value, _value_words(point, value))
    named = [one.name for one in signals if one.is_specific or f"signal:{one.id}" not in point.keywords]
    if not named:
        return filter_
    return msgspec.structs.replace(filter_, text=f"{filter_.text}: {join_alternatives(named)}")


# Ranges


def _match_ranges(
    ranges: Sequence[C], build: Callable[[Sequence[C], Sequence[C]], PointFilter | None]
) -> FilterMatch | None:
    """Match ranges: a filter for what is excluded is needed only if nothing is wanted, from which it is taken out."""
    match = _match(ranges, build, subtracts=True)
    if match is None or all(one.excluded for one in ranges):
        return match
    return msgspec.structs.replace(match, exclude=None) if match.filters else None


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


def _number_filter(point: CataloguePoint, numbers: Sequence[ProfileNumber]) -> PointFilter | None:
    """Build the filter of one or more ranges of a number, in the words of the profile."""
    ranges = [
        ProfileRange(minimum=one.minimum, maximum=one.maximum, excluded=one.excluded, found=one.found)
        for one in numbers
    ]
    filter_ = _range_filter(point, ranges)
    if filter_ is None:
        return None
    wanted = join_alternatives([one.label for one in numbers if not one.excluded] or ["any"])
    excluded = [f"excluded: {one.label}" for one in numbers if one.excluded]
    return msgspec.structs.replace(filter_, unit=numbers[0].unit, text="; ".join([wanted, *excluded]))


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


def _list_filter(
    point: CataloguePoint, wanted: Sequence[FilterValue], excluded: Sequence[FilterValue]
) -> PointFilter | None:
    """Build the filter of the wanted values that are not excluded, or that of the excluded ones."""
    is_list = point.filter_operator in LIST_OPERATORS
    excluded_values = _values(excluded)
    if wanted:
        left = [one for one in wanted if not set(one.values) <= set(excluded_values)]
        values = tuple(value for value in _values(left) if value not in excluded_values)
        return _condition(point, point.filter_operator, values if is_list else True, _words(left)) if left else None
    operator: Operator = "not_in" if is_list else point.filter_operator
    return _condition(point, operator, excluded_values if is_list else False, _words(excluded))


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
    """A city or state implies its country, unless a country is an alternative to it; it does not exclude it."""
    whole = [one for one in profile.geographies if one.kind in ("country", "region")]
    excluded = {code for one in whole if one.excluded for code in one.countries}
    with_countries = {one.found.any_of for one in whole if not one.excluded}
    for one in profile.geographies:
        is_whole = one in whole
        if not is_whole and (one.excluded or one.found.any_of in with_countries):
            continue
        codes = one.countries if one.excluded else tuple(code for code in one.countries if code not in excluded)
        listed = ", ".join(codes) if len(codes) <= MAX_CODES else f"{len(codes)} countries"
        found = one.found if is_whole else msgspec.structs.replace(one.found, any_of=IMPLIED)
        yield FilterValue(codes, f"{one.name} ({listed})" if is_whole else listed, found, one.excluded)


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
