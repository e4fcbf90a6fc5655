"""
Where to get a data point for the leads of a profile: sources that can answer, and steps that name what is looked for.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from enrichment.blueprint.catalogue import CataloguePoint
from enrichment.blueprint.criteria import Criteria
from enrichment.blueprint.filters import FilterMatch
from enrichment.blueprint.wording import join_some
from schemas import Cost, PointMethod, PointSource

MAX_REGISTERS: Final = 3  # countries of which a data point names the register
MAX_QUERY_WORDS: Final = 3  # products or titles in a search query
OTHERWISE: Final = "If that has no answer: "
DEFAULT_TITLES: Final = "Head of OR VP OR Director"
OF_REGISTERS: Final = frozenset({"company_age", "corporate_family", "hq_country", "industry_codes", "ownership"})
"Data points that registers of companies have."

SEC_STEP: Final = re.compile(r"sec\.gov|\b8-K\b|\b10-[KQ]\b|US registrants")
QUERY: Final = re.compile(r'"query": "\{name\} ')
LISTED: Final = frozenset({"public", "listed"})
PRIVATE_FILINGS: Final = frozenset({"funding_stage", "funding_total", "last_round_age"})
"Data points for which private companies file with the SEC as well: offerings, on Form D."


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The register of companies of a country."""

    country: str
    provider: str
    endpoint: str
    field: str
    url: str
    key_required: bool
    cost: Cost
    note: str | None = None


@functools.cache
def registers() -> dict[str, Register]:
    """Load the registers, by ISO 3166-1 alpha-2 code of the country."""
    return msgspec.json.decode(Path(__file__).with_name("registers.json").read_bytes(), type=dict[str, Register])


def fitting_sources(point: CataloguePoint, profile: Criteria) -> tuple[PointSource, ...]:
    """The sources of a point that can answer for the leads of the profile, with the registers of their countries."""
    own = [one for one in point.sources if one.provider != "SEC EDGAR" or _may_file_with_sec(point, profile)]
    national = [
        PointSource(
            provider=register.provider,
            endpoint=register.endpoint,
            field=register.field,
            key_required=register.key_required,
            url=register.url,
            cost=register.cost,
            note=register.note,
        )
        for register in _registers_for(point, profile)
    ]
    return (*own, *national)


def fitting_methods(point: CataloguePoint, profile: Criteria, match: FilterMatch | None) -> tuple[PointMethod, ...]:
    """The methods of collecting a point, without steps at sources that cannot answer, and with what to look for."""
    keep_sec = _may_file_with_sec(point, profile)
    names = _names(point, profile, match)
    methods = []
    for method in point.collection_methods:
        steps = [step for step in method.steps if keep_sec or not SEC_STEP.search(step)]
        if method.method == "api":
            steps += [
                f"In {one.country}, look the company up in {one.provider} ({one.url}); read {one.field}."
                for one in _registers_for(point, profile)
            ]
        elif names:
            steps.insert(0, f"Look for {join_some(names)}.")
        steps[0] = _capitalized(steps[0].removeprefix(OTHERWISE))
        steps = [_named(step, names, method.method) for step in steps]
        methods.append(PointMethod(method=method.method, steps=tuple(steps)))
    return tuple(methods)


def _may_file_with_sec(point: CataloguePoint, profile: Criteria) -> bool:
    """Whether leads may file with the SEC: they may be in the US, and be listed unless private ones file it, too."""
    wanted = [code for one in profile.geographies if not one.excluded for code in one.countries]
    stages = {one.stage for one in profile.funding if not one.excluded and not one.found.wish}
    is_private = bool(stages) and not stages & LISTED
    return (not wanted or "US" in wanted) and (not is_private or point.id in PRIVATE_FILINGS)


def _registers_for(point: CataloguePoint, profile: Criteria) -> list[Register]:
    """The registers of the countries that the profile names one by one."""
    if point.id not in OF_REGISTERS:
        return []
    named = [one for one in profile.geographies if not one.excluded and len(one.countries) <= MAX_REGISTERS]
    codes = dict.fromkeys(code for one in named for code in one.countries)
    return [registers()[code] for code in codes if code in registers()][:MAX_REGISTERS]


def _names(point: CataloguePoint, profile: Criteria, match: FilterMatch | None) -> list[str]:
    """The products, titles or events of the profile that the point is about."""
    if match is None:
        return []
    if point.filled_by == "signals":
        names = [one.name for one in profile.signals if one.is_specific and one.found in match.wanted]
    elif point.filled_by in ("technologies", "personas"):
        values = [filter_.value for filter_ in match.filters]
        names = [str(name) for value in values if isinstance(value, tuple) for name in value]
    else:
        names = []
    return list(dict.fromkeys(names))


def _named(step: str, names: Sequence[str], method: str) -> str:
    """The step with the names in the place of general words, or in its search query."""
    some = names[:MAX_QUERY_WORDS]
    if "{titles}" in step:
        return step.replace("{titles}", (", " if method == "api" else " OR ").join(some) or DEFAULT_TITLES)
    return QUERY.sub(f'"query": "{{name}} {" OR ".join(some)} ', step) if some else step


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
