"""What an app asks: its fields as a JSON Schema, and values for them, checked and typed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ingle.apps.definition import FieldDefinition
from ingle.apps.problems import meant
from ingle.errors import InvalidRequest

__all__ = ["fields_schema", "options_of", "read_input", "value_faults"]

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0", ""})
_JSON_TYPES: Mapping[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "text": {"type": "string", "format": "textarea"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "select": {"type": "string"},
    "choices": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "file": {"type": "string", "format": "data-uri"},
    "image": {"type": "string", "format": "data-uri", "contentMediaType": "image/*"},
    "audio": {"type": "string", "format": "data-uri", "contentMediaType": "audio/*"},
    "json": {},
}


def fields_schema(fields: Mapping[str, FieldDefinition]) -> dict[str, Any]:
    """The JSON Schema of an app's input, good for forms, tools and documentation."""
    return {
        "type": "object",
        "properties": {name: _field_schema(name, field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if is_required(field)],
        "additionalProperties": False,
    }


def is_required(field: FieldDefinition) -> bool:
    """Whether it must be given."""
    return field.default is None if field.required is None else field.required


def options_of(field: FieldDefinition) -> list[str]:
    """The values that may be chosen."""
    return [
        o if isinstance(o, str) else o.get("value", o.get("label", "")) for o in field.options or []
    ]


def read_input(fields: Mapping[str, FieldDefinition], given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for every field: what was given, typed, else its default, else null.

    Raises:
        InvalidRequest: a value is missing, unknown or wrong; `param` names the first.
    """
    if wrong := list(value_faults(fields, given)):
        path = ".".join(map(str, ("input", *wrong[0][0])))
        raise InvalidRequest(" ".join(message for _, message in wrong), param=path)
    return {
        name: _typed(field, given[name])[0]
        if name in given and given[name] is not None
        else field.default
        for name, field in fields.items()
    }


def value_faults(
    fields: Mapping[str, FieldDefinition], given: Mapping[str, Any]
) -> Iterator[tuple[tuple[str], str]]:
    """What is wrong with the values of an input: where, and a sentence that names the field."""
    for name in given:
        if name not in fields:
            asked = ", ".join(fields) or "nothing"
            yield (
                (name,),
                f"The app does not ask for `{name}`.{meant(name, fields)} It asks for: {asked}.",
            )
    for name, field in fields.items():
        value = given.get(name)
        if value is None:
            if is_required(field):
                yield (name,), f"`{name}` is missing."
        elif (fault := _typed(field, value)[1]) is not None:
            yield (name,), f"`{name}` {fault}"


def _field_schema(name: str, field: FieldDefinition) -> dict[str, Any]:
    schema = dict(_JSON_TYPES[field.type])
    schema["title"] = field.title or name.replace("_", " ").strip().capitalize()
    if field.description:
        schema["description"] = field.description
    if field.default is not None:
        schema["default"] = field.default
    if field.type == "select":
        schema["enum"] = options_of(field)
    elif field.type == "choices":
        schema["items"] = {"type": "string", "enum": options_of(field)}
    return schema


def _typed(field: FieldDefinition, value: Any) -> tuple[Any, str | None]:
    """The value in the field's type, and what is wrong with it.

    A text may stand for a number, a truth value, a list or any JSON, as command lines, forms and
    tables have only texts.
    """
    match field.type:
        case "number" | "integer":
            return _number(value, is_whole=field.type == "integer")
        case "boolean":
            return _truth(value)
        case "json":
            return _json(value)
        case "choices":
            return _choices(field, value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value, f"is {_said(value)}, but must be a text."
    text = value if isinstance(value, str) else str(value)
    if field.type == "select" and text not in options_of(field):
        return text, f"is {_said(text)}, but must be one of: {', '.join(options_of(field))}."
    if field.type in ("file", "image", "audio") and not text.startswith("data:"):
        return text, "must be a data URI, such as `data:text/plain;base64,…`."
    if is_required(field) and not text.strip():
        return text, "is empty."
    return text, None


def _number(value: Any, *, is_whole: bool) -> tuple[Any, str | None]:
    kind = "a whole number" if is_whole else "a number"
    number: int | float | None = None
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = int(value) if isinstance(value, int) or _is_int(value) else float(value)
    if number is None or not math.isfinite(number) or (is_whole and number != int(number)):
        return value, f"is {_said(value)}, but must be {kind}."
    return int(number) if is_whole else number, None


def _is_int(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lstrip("+-").isdecimal()


def _truth(value: Any) -> tuple[Any, str | None]:
    if isinstance(value, bool):
        return value, None
    said = str(value).strip().lower() if isinstance(value, str | int) else ""
    if isinstance(value, str | int) and said in _TRUE | _FALSE:
        return said in _TRUE, None
    return value, f"is {_said(value)}, but must be true or false."


def _json(value: Any) -> tuple[Any, str | None]:
    if not isinstance(value, str):
        return value, None
    try:
        return json.loads(value), None
    except (ValueError, RecursionError):
        return value, None  # a plain text is JSON enough


def _choices(field: FieldDefinition, value: Any) -> tuple[Any, str | None]:
    chosen = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
        return value, f"is {_said(value)}, but must be a list of texts."
    for one in chosen:
        if one not in options_of(field):
            return value, f"has {_said(one)}, but may have: {', '.join(options_of(field))}."
    return chosen, None


def _said(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return repr(text if len(text) <= 60 else text[:60] + "…")
