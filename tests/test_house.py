"""
Rules that hold for every module, every setting, and for the README and the files beside it.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from typing import Any, Final

import msgspec
import pytest

import schemas
from enrichment import __version__
from enrichment.settings import Settings, allowed_values
from tests.conftest import ROOT
from tests.contract import fits

README: Final = (ROOT / "README.md").read_text()
DOCS: Final = {path: path.read_text() for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md"))}

RANKS: Final = (
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
    ("enrichment.icp",),
    ("enrichment.blueprint",),
    ("enrichment.engine",),
    ("enrichment.postgres.worker",),
    ("enrichment.web",),
    ("service",),
)
"""
Packages and modules from the bottom up. A module may import from the ranks before its own, and from its own rank as
long as there is no circle.
"""

ONLY_IN: Final[dict[str, tuple[str, ...]]] = {
    "starlette": ("service", "enrichment.web"),
    "uvicorn": ("enrichment.web.server",),
    "httpx2": ("enrichment.sources",),
    "httpcore2": ("enrichment.sources",),
    "os": ("enrichment.settings", "enrichment.postgres.workers"),
    "procrastinate": ("enrichment.postgres",),
    "psycopg": ("enrichment.postgres",),
    "psycopg_pool": ("enrichment.postgres",),
    "enrichment.sources.simulated": ("service", "enrichment.engine", "enrichment.sources.simulated"),
}
"What only a few packages and modules may import."

MODULES: Final = {
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): ast.parse(path.read_text())
    for path in [ROOT / "service.py", ROOT / "schemas.py", *ROOT.glob("enrichment/**/*.py")]
}


def rank(module: str) -> int:
    """The place of a module in the order: that of the longest name in `RANKS` that it is or lies in."""
    matches = [(len(name), index) for index, names in enumerate(RANKS) for name in names if is_within(module, name)]
    return max(matches)[1]


def is_within(module: str, package: str) -> bool:
    """Whether it is the package or lies in it."""
    return f"{module}.".startswith(f"{package}.")


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
    """Sorting raises a `CycleError` that names the circle."""
    TopologicalSorter({module: imports(tree) & MODULES.keys() for module, tree in MODULES.items()}).prepare()


def test_some_imports_are_restricted_to_a_few_modules() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in MODULES.items()
        for name in imports(tree)
        for package, allowed in ONLY_IN.items()
        if is_within(name, package) and not any(is_within(module, each) for each in allowed)
    ]

    assert wrong == []


def test_every_module_and_class_has_a_docstring() -> None:
    """Private classes too, which ruff does not check."""
    without = [
        f"{module}:{getattr(node, 'name', '')}"
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef)) and not ast.get_docstring(node)
    ]

    assert without == []


def test_every_setting_is_documented_with_its_default_and_what_it_may_be() -> None:
    lines = DOCS[ROOT / "docs" / "settings.md"].splitlines()
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line[:3] == "| `"]
    documented = {row[0]: row[1:3] for row in rows if row[0].strip("`").isupper()}
    expected = {}
    for field in msgspec.structs.fields(Settings):
        default = (
            ",".join(field.default)
            if isinstance(field.default, tuple)
            else f"{'' if field.default is None else field.default}"
        )
        expected[f"`{field.name.upper()}`"] = [
            f"`{default.removesuffix('.0')}`" if default else "none",
            allowed_values(field.name),
        ]

    assert documented == expected


SHAPES: Final[dict[str, Any]] = {
    '{"job_id":': schemas.PendingJob | schemas.CompleteJob | schemas.StartedJob | schemas.CancelledJob,
    '{"type":': schemas.Problem,
    '{"batch_id":': schemas.StartedBatch | schemas.BatchStatus,
}
"The shapes that a line of JSON in the documentation may have, by its beginning."


def test_the_bodies_in_the_documentation_have_the_shapes_that_the_service_sends() -> None:
    lines = [line for text in DOCS.values() for line in text.splitlines()]
    bodies = [(line, SHAPES[begin]) for line in lines for begin in SHAPES if line.startswith(begin)]

    assert bodies
    assert [line for line, shape in bodies if not fits(line.encode(), shape)] == []


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    broken = []
    for path, text in DOCS.items():
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
            name, _, anchor = target.partition("#")
            linked = path.parent / name if name else path
            if not linked.exists() or (anchor and anchor not in headings(linked.read_text())):
                broken.append(f"{path.name}: {target}")

    assert broken == []


def headings(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_readme_fits_on_two_screens() -> None:
    assert len(README.splitlines()) <= 120


def test_ci_runs_the_test_line_of_the_readme() -> None:
    (line,) = [line for line in README.splitlines() if line.endswith("-m pytest")]
    run = (ROOT / ".ci" / "run").read_text().splitlines()

    assert line in run


def test_the_version_is_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert f"## [{__version__}]" in changelog


def test_heroku_runs_one_process_and_sets_known_variables_only() -> None:
    app = json.loads((ROOT / "app.json").read_text())

    assert app["formation"]["web"]["quantity"] == 1
    assert {name.lower() for name in app["env"]} <= set(Settings.__struct_fields__)
    assert app["env"]["WEB_CONCURRENCY"]["value"] == "1"


def test_dependencies_are_pinned() -> None:
    for path in (*ROOT.glob("requirements*.txt"), *ROOT.glob("tests/**/requirements.txt")):
        for line in path.read_text().splitlines():
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
