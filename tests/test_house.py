"""
The rules of the house, for what is there and what will come.
"""

import ast
import json
import subprocess
import sys
import tomllib
from collections import Counter
from graphlib import TopologicalSorter

import msgspec
import pytest
from starlette.routing import Route

import schemas
from enrichment import __version__
from enrichment.modules.table import MODULES as TABLE
from enrichment.settings import Settings, allowed_values
from service import ROUTES
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()

# From the bottom up: a module may import from the ranks above its own in this list, and from its own rank as long as no
# circle comes of it.
RANKS = (
    ("schemas",),
    (
        "enrichment",
        "enrichment.errors",
        "enrichment.settings",
        "enrichment.clock",
        "enrichment.logs",
        "enrichment.domains",
    ),
    ("enrichment.modules",),
    ("enrichment.sources",),
    ("enrichment.jobs",),
    ("enrichment.postgres",),
    ("enrichment.blueprint",),
    ("enrichment.engine",),
    ("enrichment.web",),
    ("service",),
)
ONLY_IN = {"starlette": ("service", "enrichment.web"), "uvicorn": ()}
"Outside packages that few of our modules may import."

MODULES = {
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): ast.parse(path.read_text())
    for path in [ROOT / "service.py", ROOT / "schemas.py", *ROOT.glob("enrichment/**/*.py")]
}


def rank(module: str) -> int:
    """The place of a module in the order: that of the longest name in `RANKS` that it is or lies in."""
    matches = [
        (len(name), index)
        for index, names in enumerate(RANKS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    return max(matches)[1]


def imports(tree: ast.Module) -> set[str]:
    """Every module that is imported, wherever in the file; of `from package import module`, the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys() or {node.module}
    return found


def test_imports_point_down() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in MODULES.items()
        for name in imports(tree) & MODULES.keys()
        if rank(name) > rank(module)
    ]

    assert wrong == []


def test_no_imports_go_in_a_circle() -> None:
    """
    Sorting raises `CycleError` that names the circle. The edge from a package to a module of its own is left out: the
    package's docstring-only `__init__` imports nothing.
    """
    TopologicalSorter({module: imports(tree) & MODULES.keys() for module, tree in MODULES.items()}).prepare()


@pytest.mark.parametrize("module", MODULES)
def test_what_is_kept_to_a_few_modules_stays_there(module: str) -> None:
    for package, allowed in ONLY_IN.items():
        if any(name.split(".")[0] == package for name in imports(MODULES[module])):
            assert module.startswith(allowed)
    if module != "enrichment.settings":
        assert "os" not in imports(MODULES[module])


@pytest.mark.parametrize("module", MODULES)
def test_every_module_and_public_class_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(MODULES[module])
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), node.name


def test_every_setting_is_in_the_readmes_table_with_its_default_and_what_it_may_be() -> None:
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in README.splitlines() if line[:3] == "| `"
    ]
    told = {row[0]: row[1:3] for row in rows if row[0].strip("`").isupper()}
    held = {}
    for field in msgspec.structs.fields(Settings):
        default = ",".join(field.default) if isinstance(field.default, tuple) else f"{field.default:}"
        held[f"`{field.name.upper()}`"] = [
            f"`{default.removesuffix('.0')}`" if default else "none",
            allowed_values(field.name),
        ]

    assert told == held


def test_every_route_is_in_the_readme() -> None:
    for route in ROUTES:
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            assert f"`{method} {route.path.replace(':path', '')}`" in README


BODIES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    '{"job_id":': (schemas.PendingJob, schemas.CompleteJob, schemas.StartedJob, schemas.CancelledJob),
    '{"type":': (schemas.Problem,),
    '{"batch_id":': (schemas.StartedBatch,),
}
"What a line of JSON in the README is, by its beginning."


def test_the_readmes_bodies_are_of_the_shapes_that_the_service_sends() -> None:
    lines = [
        (line, shapes) for line in README.splitlines() for begin, shapes in BODIES.items() if line.startswith(begin)
    ]
    told = Counter(shape.__name__ for line, shapes in lines for shape in shapes if fits(line, shape))

    assert told == {
        "PendingJob": 1,
        "CompleteJob": 1,
        "StartedJob": 2,
        "CancelledJob": 1,
        "StartedBatch": 1,
        "Problem": 1,
    }
    assert told.total() == len(lines)


def fits(line: str, shape: type[msgspec.Struct]) -> bool:
    """Whether the body decodes, and encodes to the same again."""
    try:
        return msgspec.json.encode(msgspec.json.decode(line, type=shape)).decode() == line
    except msgspec.ValidationError:
        return False


def test_every_module_is_in_the_readmes_table() -> None:
    rows = [line.strip("| ").split(" | ") for line in README.splitlines() if line.startswith("| `m")]

    assert rows == [
        [f"`{module.id}`", str(module.wave), str(module.ttl_days), module.asks] for module in TABLE.values()
    ]


def test_ci_runs_exactly_the_readmes_test_line() -> None:
    (line,) = [line for line in README.splitlines() if line.endswith("-m pytest")]
    run = (ROOT / ".ci" / "run").read_text().splitlines()

    assert line in run


def test_the_version_is_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert f"## [{__version__}]" in changelog


def test_heroku_is_told_of_one_process_and_of_no_unknown_variable() -> None:
    app = json.loads((ROOT / "app.json").read_text())

    assert app["formation"]["web"]["quantity"] == 1
    assert {name.lower() for name in app["env"]} <= set(Settings.__struct_fields__)
    assert app["env"]["WEB_CONCURRENCY"]["value"] == "1"


def test_dependencies_are_pinned() -> None:
    for path in ("requirements.txt", "tests/requirements.txt", "tests/benchmarks/requirements.txt"):
        for line in (ROOT / path).read_text().splitlines():
            assert line.startswith(("#", "-r ")) or "==" in line


def test_python_versions_agree() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]

    assert config["ruff"]["target-version"] == "py" + config["mypy"]["python_version"].replace(".", "")
    assert f"Python {config['mypy']['python_version']}" in README


@pytest.mark.parametrize("command", ["ruff format --check .", "ruff check --no-cache .", "mypy"])
def test_formatter_linter_and_types(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
