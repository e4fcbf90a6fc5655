"""
Sizes and amounts of a profile as one filter: "50-200 or 5000 or more employees" stays two ranges.
"""

import math
from collections.abc import Sequence

from enrichment.blueprint.values import CataloguePoint, Filter, Range
from enrichment.blueprint.wording import condition, either, span


def range_filter(point: CataloguePoint, ranges: Sequence[Range]) -> Filter | None:
    """
    That the lead's figure lies in one of the ranges; None if they leave it open altogether, or nothing of it.

    Amounts are not converted: the value is in the first currency that was named, and the words tell the others.
    """
    per_currency: dict[str | None, list[Range]] = {}
    for one in sorted(ranges, key=lambda one: one.excluded):
        per_currency.setdefault(one.currency or currency(point), []).append(one)
    allowed = {code: _allowed(together) for code, together in per_currency.items()}
    if not all(allowed.values()) or any((None, None) in spans for spans in allowed.values()) or not ranges:
        return None
    words = [span(low, high, currency=code) for code, spans in allowed.items() for low, high in spans]
    code, spans = next(iter(allowed.items()))
    unit = point.filter_unit.replace("USD", code or "")
    if len(spans) > 1:
        return condition(point, "between_any", tuple(spans), either(words), unit=unit)
    low, high = spans[0]
    if low is not None and high is not None:
        return condition(point, "between", (low, high), either(words), unit=unit)
    if high is not None:
        return condition(point, "lte", high, either(words), unit=unit)
    return condition(point, "gte", low or 0, either(words), unit=unit)


def currency(point: CataloguePoint) -> str | None:
    """The currency that the point's amounts are in, unless they say another; None if it counts no money."""
    return "USD" if point.filter_unit.startswith("USD") else None


def _allowed(ranges: Sequence[Range]) -> list[tuple[int | None, int | None]]:
    """What the wanted ranges of one currency cover, less what is excluded; all but that, where none is wanted."""
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


def _bounds(one: Range) -> tuple[float, float]:
    return one.minimum or 0, math.inf if one.maximum is None else one.maximum
