"""The fields of a JSON Schema as lines for people: name, type, default, range, meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Field", "fields"]

Schema = Mapping[str, Any]

_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as people read it; what does not apply is empty."""

    name: str
    type: str
    default: str
    is_required: bool
    meaning: str


def fields(schema: Schema) -> Iterator[Field]:
    """The fields of an object, in the order of its JSON Schema."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        default = field.get("default")
        yield Field(
            name=name,
            type=_type(field, schema),
            default="" if default in (None, "", []) else _written(default),
            is_required=name in required,
            meaning=field.get("description", ""),
        )


def _type(field: Schema, schema: Schema) -> str:
    """`number, 0 to 2`, `file` or `list of ChatMessage`; that it may be left out is not told."""
    if reference := field.get("$ref"):
        return str(reference.rpartition("/")[2])
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if alternatives := field.get("anyOf") or field.get("oneOf"):
        types = (_type(alternative, schema) for alternative in alternatives)
        return " or ".join(dict.fromkeys(name for name in types if name != "null"))
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}), schema)}"
    if field.get("format") == "data-url":
        return "file"
    return ", ".join([field.get("type", "any"), *_range(field)])


def _range(field: Schema) -> Iterator[str]:
    if "minimum" in field and "maximum" in field:
        yield f"{_written(field['minimum'])} to {_written(field['maximum'])}"
        return
    for key, words in _BOUNDS.items():
        if key in field and (key, field[key]) != ("minLength", 1):
            yield words.format(_written(field[key]))


def _written(value: object) -> str:
    """A value as one writes it on the command line: `true`, `1` rather than `1.0`."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
