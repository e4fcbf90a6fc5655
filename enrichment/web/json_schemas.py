"""
JSON Schemas of the Structs that cross HTTP, as components of an OpenAPI document.
"""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET

import schemas
from enrichment.modules.table import MODULES
from enrichment.web import streams

Schema = dict[str, Any]
Shape = Any
"A Struct, a union of Structs, or another type."

REF: Final = "#/components/schemas/{name}"
NULL: Final[Schema] = {"type": "null"}

MODULE_SCHEMAS: Final[dict[str, Schema]] = {
    "ModuleId": {
        "title": "ModuleId",
        "description": "Id of a module.\n\n"
        + "\n".join(f"- `{module.id}`: {module.asks}" for module in MODULES.values()),
        "type": "string",
        "enum": list(MODULES),
    },
    "ModuleAnswers": {
        "title": "ModuleAnswers",
        "description": "Answers of modules, by module id.",
        "type": "object",
        "properties": {module.id: {"$ref": REF.format(name=module.answer.__name__)} for module in MODULES.values()},
        "additionalProperties": False,
    },
}
"What the table of modules adds; `schemas`, which knows no modules, refers to it by name."


def component_schemas(shapes: Iterable[Shape]) -> dict[str, Schema]:
    """Return the schemas of all Structs and enums in these types and in the modules' answers, by name."""
    structs: dict[type[msgspec.Struct], None] = {}
    for shape in (*shapes, *(module.answer for module in MODULES.values())):
        _collect(shape, structs)
    _, components = msgspec.json.schema_components(structs, ref_template=REF)
    for struct in structs:
        _refine(components[struct.__name__], struct)
    _simplify(components)
    return dict(sorted((components | MODULE_SCHEMAS).items()))


def schema_of(shape: Shape) -> Schema:
    """Return the schema of a type, with references to the components."""
    if isinstance(shape, UnionType):
        arms = get_args(shape)
        return {"oneOf": [schema_of(arm) for arm in arms], **_discriminator(arms)}
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        return {"$ref": REF.format(name=shape.__name__)}
    return msgspec.json.schema(shape)


def text_schema(media_type: str, item: Shape) -> Schema:
    """
    Return the schema of an answer that is not JSON as a whole: text, lines of JSON, or events by name.

    The schema of `text/event-stream` is that of each event, as OpenAPI tools read it. There is no such convention for
    lines, so theirs stands in `x-lines`.
    """
    if item is str:
        return {"type": "string"}
    if isinstance(item, Mapping):
        is_sse = media_type == streams.SSE
        events = [_event(name, schema_of(shape), is_sse=is_sse) for name, shape in item.items()]
        if is_sse:
            return {"description": "A server-sent event; a comment follows 15 seconds without one.", "oneOf": events}
        line: Schema = {"oneOf": [*events, _event("heartbeat", {"type": "object", "maxProperties": 0}, is_sse=False)]}
    else:
        line = schema_of(item)
    return {"type": "string", "description": "Lines of JSON, each of the shape in `x-lines`.", "x-lines": line}


def without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter, which cannot be null: it is left out instead."""
    arms = [arm for arm in schema.get("anyOf", ()) if arm != NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return rest | (arms[0] if len(arms) == 1 else {"anyOf": arms} if arms else {})


def _refine(schema: Schema, struct: type[msgspec.Struct]) -> None:
    """
    Say which fields are always there, and take off defaults that say nothing.

    What callers send may lack the fields with defaults; what we send lacks those only that are omitted.
    """
    config = struct.__struct_config__
    for field in msgspec.structs.fields(struct):
        default = schema["properties"][field.encode_name].pop("default", None)
        is_sent = not issubclass(struct, (schemas.Request, schemas.Query))
        if default not in (None, ()) and not is_sent:
            schema["properties"][field.encode_name]["default"] = default
        is_omitted = field.default is UNSET or (config.omit_defaults and not field.required)
        if is_sent and not field.required and not is_omitted:
            schema["required"].append(field.encode_name)
    schema["required"].sort(key=list(schema["properties"]).index)
    if not schema["required"]:
        del schema["required"]  # JSON Schema allows an empty list, some generators do not


def _simplify(value: Any) -> None:
    """Rewrite what some tools reject: tuples of one type, enums of one value, and a type beside a `$ref`."""
    if isinstance(value, dict):
        match value:
            case {"prefixItems": [first, *others]} if all(item == first for item in others):
                value["items"] = value.pop("prefixItems")[0]
            case {"enum": [_]}:
                (value["const"],) = value.pop("enum")
            case {"$ref": str(), "type": str()}:
                del value["type"]  # which is that of the component
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        _simplify(item)


def _event(name: str, data: Schema, *, is_sse: bool) -> Schema:
    encoded = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string" if is_sse else "integer", "description": "Number of the event."},
            "event": {"const": name, "description": "Name of the event."},
            "data": encoded if is_sse else data,
        },
        "required": ["id", "event", "data"],
    }


def _discriminator(arms: Iterable[type[msgspec.Struct]]) -> Schema:
    """Return the discriminator of a union of Structs: a field that has another literal value in each."""
    values: dict[str, dict[str, str]] = {}
    for arm in arms:
        for name, hint in get_type_hints(arm).items():
            if get_origin(hint) is Literal:
                values.setdefault(name, {})[get_args(hint)[0]] = REF.format(name=arm.__name__)
    name, mapping = next(iter(values.items()))
    return {"discriminator": {"propertyName": name, "mapping": mapping}}


def _collect(hint: Any, found: dict[type[msgspec.Struct], None]) -> None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in found:
            found[hint] = None
            for kind in get_type_hints(hint).values():
                _collect(kind, found)
        return
    for arg in get_args(hint):
        _collect(arg, found)
