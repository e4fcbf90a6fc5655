"""
The tables of docs/answers.md: one per shape of an answer, written from the types and their descriptions.

`python -m tests.answer_tables` writes them below the marker in the file; the text above it is edited by hand.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, UNSET, UnsetType

import schemas
from enrichment.modules.table import MODULES
from service import ROUTES
from tests.conftest import ROOT

Shape = type[msgspec.Struct]

PATH: Final = ROOT / "docs" / "answers.md"
MARKER: Final = "<!-- Generated below this line: python -m tests.answer_tables -->\n"
NAMES: Final = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null", Any: "any JSON"}


def origins() -> dict[Shape, list[str]]:
    """Return the shapes that are answers or events, each with the routes, modules or events that it belongs to."""
    found: dict[Shape, list[str]] = {}
    for route in ROUTES:
        for status, gives in route.gives.items():
            for shape in get_args(gives) or (gives,):
                for method in sorted((route.methods or set()) - {"HEAD"}):
                    found.setdefault(shape, []).append(f"`{method} {route.path}` ({status})")
    found[schemas.BlueprintProgress] = ["event `progress` of a stream"]
    found[schemas.BlueprintSection] = ["event `section` of a stream"]
    found[schemas.Problem] = ["every error", "event `error` of a stream"]
    found |= {module.answer: [f"`{module.id}` in `results`"] for module in MODULES.values()}
    return found


def shapes() -> list[Shape]:
    """Return the shapes of the answers, each followed by those of its fields that have not come before."""
    found: dict[Shape, None] = {}
    for shape in origins():
        _collect(shape, found)
    return list(found)


def fields(shape: Shape) -> Iterator[tuple[str, str, str]]:
    """Iterate over the fields of a shape: name, type and description, which is empty if there is none."""
    hints = get_type_hints(shape, include_extras=True)
    config = shape.__struct_config__
    for field in msgspec.structs.fields(shape):
        hint = hints[field.name]
        has_default = field.default is not NODEFAULT
        optional = field.default is UNSET or (config.omit_defaults and has_default)
        yield field.encode_name, type_name(hint) + (", optional" if optional else ""), description(hint)


def description(hint: Any) -> str:
    """Return the outermost description of an annotated type."""
    return next((meta.description for meta in reversed(getattr(hint, "__metadata__", ())) if meta.description), "")


def type_name(hint: Any) -> str:
    """Return the JSON type, with links to the tables of objects."""
    origin, args = get_origin(hint), get_args(hint)
    if hasattr(hint, "__metadata__"):
        formats = [(meta.extra_json_schema or {}).get("format") for meta in hint.__metadata__]
        name = ", ".join([type_name(args[0]), *filter(None, formats)])
    elif origin in (Union, UnionType):
        name = " or ".join(type_name(arm) for arm in args if arm is not UnsetType)
    elif origin is Literal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        name = ", ".join(f"`{value}`" for value in args or hint)
    elif origin is tuple:
        item = type_name(args[0])  # pairs have items of one type as well
        name = f"array of ({item})" if " or " in item else f"array of {item}"
    elif origin in (dict, Mapping):
        name = f"object of {type_name(args[1])}"
    else:
        name = NAMES.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"
    return name


def tables() -> str:
    """Return the tables as Markdown."""
    belongs_to = origins()
    sections = []
    for shape in shapes():
        lines = [f"## {shape.__name__}\n", " ".join((shape.__doc__ or "").split())]
        if shape in belongs_to:
            lines.append(f"\nAnswer: {', '.join(belongs_to[shape])}.")
        lines += ["\n| field | type | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in fields(shape)]
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def _collect(hint: Any, found: dict[Shape, None]) -> None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in found:
            found[hint] = None
            for kind in get_type_hints(hint).values():
                _collect(kind, found)
        return
    for arg in get_args(hint):
        _collect(arg, found)


def written() -> str:
    """Return the file as it should be: the text by hand, then the tables."""
    head, marker, _ = PATH.read_text("utf-8").partition(MARKER)
    return head + marker + "\n" + tables()


if __name__ == "__main__":
    PATH.write_text(written(), "utf-8")
