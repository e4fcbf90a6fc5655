"""
What a contender installs: the distributions it needs, and theirs in turn, as they are installed here.
"""

from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.benchmarks.servers import Contender


def footprint(contender: Contender) -> tuple[float, int]:
    """Megabytes and number of packages, without the event loop and the parser that all are measured with."""
    needed = closure(contender.needs)
    return sum(map(_size, needed.values())) / 1e6, len(needed)


def closure(names: tuple[str, ...]) -> dict[str, Distribution]:
    """The distributions of these names and all that they cannot do without."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in found:
            found[name] = distribution(name)
            waiting += _requirements(found[name], "")
        for extra in requirement.extras:
            waiting += [each for each in _requirements(found[name], extra) if canonicalize_name(each.name) not in found]
    return found


def _requirements(needing: Distribution, extra: str) -> list[Requirement]:
    wanted = [Requirement(text) for text in needing.requires or ()]
    return [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": extra})]


def _size(installed: Distribution) -> int:
    paths = [Path(str(installed.locate_file(file))) for file in installed.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())
