"""
What would have been right: the known names, the nearest one, and the possible values of a type, in words.
"""

import difflib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

MAX_SHOWN: Final = 60  # characters of a caller's text that an error repeats


def shown(text: str) -> str:
    """A caller's text, quoted and cut."""
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…")


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """The refusal of a field or parameter that does not exist."""
    near = difflib.get_close_matches(name[:MAX_SHOWN], known, n=1)
    suggestion = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {kind} {shown(name)} here; known: {', '.join(known) or 'none'}.{suggestion}"


def not_possible(value: str, hint: Any) -> str:
    """The refusal of a value that its type does not allow."""
    return f"{shown(value)} is not possible; possible: {possible_values(hint)}."


def possible_values(hint: Any) -> str:
    """What a value of this type may be, in words."""
    return " or ".join(_described(kind, meta) for kind, meta in members(hint))


def members(hint: Any) -> list[tuple[Any, msgspec.Meta | None]]:
    """The type, or the members of a union but for None, each with its innermost `Meta` if it has one."""
    kind, meta = (get_args(hint)[0], hint.__metadata__[0]) if hasattr(hint, "__metadata__") else (hint, None)
    if get_origin(kind) in (Union, UnionType):
        return [member for arm in get_args(kind) if arm is not NoneType for member in members(arm)]
    return [(kind, meta)]


def type_at(shape: Any, steps: Iterable[str]) -> Any:
    """The type at a place in a document of type `shape`: names of fields, and numbers of items."""
    for step in steps:
        for kind, _ in members(shape):
            if get_origin(kind) is tuple:
                shape = get_args(kind)[0]
                break
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                shape = get_type_hints(kind, include_extras=True).get(step)
                break
    return shape


def field_names(shape: Any) -> tuple[str, ...]:
    """The fields of the Struct in a type, if it has one."""
    return next((kind.__struct_fields__ for kind, _ in members(shape) if hasattr(kind, "__struct_fields__")), ())


def _described(kind: Any, meta: msgspec.Meta | None) -> str:
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return ", ".join(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(kind)
    if meta and meta.le is not None:
        return f"a whole number from {meta.ge} to {meta.le}"
    return "true or false" if kind is bool else "text that is not empty or too long"
