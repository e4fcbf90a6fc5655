"""
Profiles in the words of real people, with the conditions that a specialist would read from them.

A text is followed by a line "---" and its conditions, one group of alternatives a line: `industry saas | industry
retail`. "!" before a group means must not, "~" should. "?" marks conditions that may be read or not, as the text
leaves it open. Numbers are ranges: `headcount 50..500`, `revenue 5M.. EUR`. `@` tells what a condition is about:
`hiring @role=SDR`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from schemas import Condition, CustomerProfile, Measure

TEXTS: Final = Path(__file__).parent / "texts"
SIZES: Final = {"K": 10**3, "M": 10**6, "B": 10**9}
SIGNS: Final = {"!": "must_not", "~": "should"}
ENDS: Final = re.compile(r"([\d.]*?[KMB]?)\.\.([\d.]*[KMB]?)")


class Case(NamedTuple):
    """A text, the groups of conditions that it has, and those that it may have."""

    kind: str
    text: str
    expected: tuple[frozenset[str], ...]
    optional: frozenset[str]


class Result(NamedTuple):
    """What was read rightly, wrongly, and not at all, as conditions in the notation of the files."""

    right: list[str]
    wrong: list[str]
    missed: list[str]


def cases(folder: Path = TEXTS) -> Iterator[Case]:
    """All the cases, by file: each file is a kind of fault."""
    for path in sorted(folder.glob("*.txt")):
        for block in path.read_text().split("\n===\n"):
            text, _, conditions = block.strip("\n").partition("\n---\n")
            if not text.strip():
                continue
            groups, optional = [], set()
            for line in conditions.splitlines():
                if line.startswith("?"):
                    optional |= set(_group(line[1:]))
                elif line.strip():
                    groups.append(_group(line))
            yield Case(path.stem, text, tuple(groups), frozenset(optional))


def _group(line: str) -> frozenset[str]:
    line = line.strip()
    sign = line[0] if line[0] in SIGNS else ""
    return frozenset(sign + _plain(one.strip().removeprefix(sign)) for one in line.split(" | "))


def _plain(condition: str) -> str:
    """Numbers in full: "5M..20M" as "5000000..20000000"."""

    def full(number: str) -> str:
        if not number:
            return ""
        size = SIZES.get(number[-1], 1)
        return f"{float(number.rstrip('KMB')) * size:.10g}" if size > 1 or "." in number else number

    return ENDS.sub(lambda match: f"{full(match[1])}..{full(match[2])}", condition)


def shown(condition: Condition) -> str:
    """A condition in the notation of the files."""
    sign = {strength: sign for sign, strength in SIGNS.items()}.get(condition.strength, "")
    words = [f"{sign}{condition.measure.value}"]
    value = condition.value
    if isinstance(value, bool):
        pass
    elif isinstance(value, (int, float)):
        low = f"{value:.10g}" if condition.operator in ("gte", "eq") else ""
        high = f"{value:.10g}" if condition.operator in ("lte", "eq") else ""
        words.append(f"{low}..{high}")
    elif isinstance(value, tuple):
        words.append("..".join(f"{one:.10g}" if isinstance(one, (int, float)) else str(one) for one in value))
    elif condition.operator in ("gte", "lte"):
        words.append(f"{value}.." if condition.operator == "gte" else f"..{value}")
    else:
        words.append(value)
    words += [condition.currency] if condition.currency else []
    words += [condition.unit] if condition.unit == "years since" else []
    about = condition.about
    is_persona = condition.measure is Measure.PERSONA
    names = {"role": None if is_persona else about.role, "target": about.target, "days": about.within_days}
    if condition.kind != "city":
        names["place"] = about.place
    if condition.measure is Measure.DEPARTMENT_HEADCOUNT or (
        about.department and about.role is None and not is_persona
    ):
        names["dept"] = about.department
    words += [f"@{name}={value}" for name, value in names.items() if value is not None]
    return " ".join(words)


def compare(case: Case, profile: CustomerProfile) -> Result:
    """
    Compare what was read with what was expected.

    A condition in the wrong group counts as wrong, too.
    """
    groups: dict[int, set[str]] = {}
    for condition in profile.conditions:
        groups.setdefault(condition.any_of, set()).add(shown(condition))
    wanted = {one for group in case.expected for one in group}
    wanted_folded = {one.casefold(): one for one in wanted | case.optional}
    right: list[str] = []
    wrong: list[str] = []
    for group in groups.values():
        for one in sorted(group):
            expected = wanted_folded.get(one.casefold())
            if expected is None:
                wrong.append(one)
                continue
            if expected not in wanted:
                continue
            own = next(each for each in case.expected if expected in each)
            company = {wanted_folded.get(other.casefold(), other) for other in group} - case.optional
            found = {
                each
                for each in own
                if each.casefold() in {other.casefold() for every in groups.values() for other in every}
            }
            if company == found:
                right.append(expected)
            else:
                wrong.append(f"{one} (with {' | '.join(sorted(company - {expected})) or 'nothing'})")
    read = {one.casefold() for group in groups.values() for one in group}
    missed = sorted(one for one in wanted if one.casefold() not in read)
    return Result(right, wrong, missed)
