"""
The rules of the house, for what is there and what will come.
"""

import ast
import json
import subprocess
import sys
import tomllib
from collections import Counter

import msgspec
import pytest
from starlette.routing import Route

import schemas
from enrichment import __version__
from enrichment.modules import MODULES as TABLE
from enrichment.settings import Settings, what_would_do
from service import ROUTES
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()

# From the ground up: a module may import from those above it in this list, `schemas` nothing of ours. `x.*` are the
# modules of a package, in the order of their names.
ORDER = [
    "enrichment",
    "enrichment.errors",
    "enrichment.clock",
    "enrichment.pace",
    "enrichment.logs",
    "enrichment.domains",
    "enrichment.settings",
    "enrichment.profiles",
    "enrichment.findings",
    "enrichment.case_studies",
    "enrichment.modules.*",
    "enrichment.modules",
    "enrichment.sources",
    "enrichment.sources.*",
    "enrichment.cache",
    "enrichment.jobs",
    "enrichment.index",
    "enrichment.queue",
    "enrichment.store",
    "enrichment.answers",
    "enrichment.waves",
    "enrichment.runner",
    "enrichment.blueprint",
    "enrichment.blueprint.values",
    "enrichment.blueprint.words",
    "enrichment.blueprint.phrases",
    "enrichment.blueprint.lexicon",
    "enrichment.blueprint.vocabulary",
    "enrichment.blueprint.numbers",
    "enrichment.blueprint.grammar",
    "enrichment.blueprint.amounts",
    "enrichment.blueprint.context",
    "enrichment.blueprint.belief",
    "enrichment.blueprint.signals",
    "enrichment.blueprint.stages",
    "enrichment.blueprint.scope",
    "enrichment.blueprint.picks",
    "enrichment.blueprint.contradictions",
    "enrichment.blueprint.icp",
    "enrichment.blueprint.catalogue",
    "enrichment.blueprint.wording",
    "enrichment.blueprint.ranges",
    "enrichment.blueprint.entries",
    "enrichment.blueprint.filling",
    "enrichment.blueprint.offers",
    "enrichment.blueprint.recommending",
    "enrichment.blueprint.choosing",
    "enrichment.blueprint.markets",
    "enrichment.blueprint.inferring",
    "enrichment.targeting",
    "enrichment.campaigns",
    "schemas",
    "web",
    "web.problems",
    "web.boundary",
    "web.process",
    "web.auth",
    "web.bodies",
    "web.queries",
    "web.orders",
    "web.views",
    "web.streams",
    "web.blueprints",
    "service",
]
ONLY_IN = {"starlette": ("service", "web"), "httpx": ("enrichment.http",), "uvicorn": ()}
"Outside packages that few of our modules may import."

MODULES = {
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): ast.parse(path.read_text())
    for path in [ROOT / "service.py", ROOT / "schemas.py", *ROOT.glob("enrichment/**/*.py"), *ROOT.glob("web/**/*.py")]
}


def place(module: str) -> tuple[int, str]:
    """Where a module stands in the order."""
    package = module.rpartition(".")[0] + ".*"
    return ORDER.index(module if module in ORDER else package), module


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


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    ours = imports(MODULES[module]) & MODULES.keys()

    assert {name for name in ours if place(name) >= place(module)} == set()
    if module == "schemas":
        assert ours == set()


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
            what_would_do(field.name),
        ]

    assert told == held


def test_every_route_is_in_the_readme() -> None:
    for route in ROUTES:
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            assert f"`{method} {route.path.replace(':path', '')}`" in README


def test_every_file_of_the_map_is_there_and_every_module_is_on_the_map() -> None:
    block = README.split("## Map of the code")[1].split("```")[1]
    folder, told = "", set()
    for line in block.splitlines()[1:]:
        name = line.split()[0]
        if name.endswith("/"):
            folder = name
        elif name:
            told.add(folder * line.startswith(" ") + name)
    held = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("**/*.py")
        if path.parts[len(ROOT.parts)] in ("enrichment", "web")
    }

    assert {name for name in told if not (ROOT / name).exists()} == set()
    plain = {"enrichment/__init__.py", "web/__init__.py"}
    assert held - plain <= told


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
