"""Plain values in, typed input or configuration out; what is wrong is said field by field."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ingle.errors import InvalidRequest

__all__ = ["Fault", "faults", "validated"]

M = TypeVar("M", bound=BaseModel)

_SHOWN_CHARACTERS = 80
_LISTED_ERRORS = 4
_MUST_BE = "Input should be "  # how Pydantic begins most of its messages
_OBJECT = re.compile(r"a valid dictionary( or instance of \w+)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: where it is in the values, and a sentence that names it.

    `kinds` are Pydantic's names of what it is, such as `string_type`.
    """

    path: tuple[str | int, ...]
    message: str
    kinds: tuple[str, ...]


def validated(shape: type[M], values: Mapping[str, Any] | M, where: str) -> M:
    """`values` as a `shape`; one that already is a `shape` comes back as it is.

    `where` is what people call these values, such as `input`: messages and the error's `param`
    begin with it.

    Raises:
        InvalidRequest: a field is missing, unknown or wrong. The message names it (`config.top_p`),
            what it is and what it may be, and for an unknown field the nearest one that exists.
    """
    if isinstance(values, shape):
        return values
    try:
        return shape.model_validate(values)
    except ValidationError as invalid:
        wrong = _faults(shape, invalid, values, where)
        sentences = [fault.message for fault in wrong]
        unsaid = len(sentences) - _LISTED_ERRORS
        if unsaid > 0:
            sentences[_LISTED_ERRORS:] = [f"{unsaid} more things are wrong."]
        raise InvalidRequest(" ".join(sentences), param=_dotted(where, wrong[0].path)) from invalid


def faults(shape: type[BaseModel], values: Mapping[str, Any], where: str) -> list[Fault]:
    """All that is wrong with `values` as a `shape`; empty if nothing is."""
    try:
        shape.model_validate(values)
    except ValidationError as invalid:
        return _faults(shape, invalid, values, where)
    return []


_Path = tuple[str | int, ...]


def _faults(
    shape: type[BaseModel], invalid: ValidationError, values: object, where: str
) -> list[Fault]:
    wrong = _deepest(invalid.errors(include_url=False), values)
    return [
        Fault(path, _sentence(shape, path, errors, where), tuple(error["type"] for error in errors))
        for path, errors in wrong.items()
    ]


def _deepest(errors: list[ErrorDetails], values: object) -> dict[_Path, list[ErrorDetails]]:
    """What is wrong with each field, by its path in `values`.

    Where a field has alternatives, such as text or a list of parts, Pydantic reports what each
    one lacks. The alternative that got furthest into the values is the one that was meant.
    """
    found: dict[_Path, list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(_path(error, values), []).append(error)
    outer = {path[:length] for path in found for length in range(len(path))}
    return {path: errors for path, errors in found.items() if path not in outer}


def _path(error: ErrorDetails, values: object) -> _Path:
    """Where in `values` the error is: its location without the names of alternatives."""
    path: list[str | int] = []
    node: Any = values  # Any: JSON values, or whatever a caller put there instead
    for key in error["loc"]:
        if isinstance(node, Mapping) and key in node:
            node = node[key]
        elif isinstance(node, BaseModel) and key in type(node).model_fields:
            node = getattr(node, str(key))
        elif isinstance(node, list | tuple) and isinstance(key, int) and key < len(node):
            node = node[key]
        else:
            continue
        path.append(key)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _sentence(shape: type[BaseModel], path: _Path, errors: list[ErrorDetails], where: str) -> str:
    """What is wrong with one field; with several errors, none of its alternatives fits."""
    field, error = f"`{_dotted(where, path)}`", errors[0]
    match error["type"]:
        case "missing":
            return f"{field} is missing."
        case "extra_forbidden":  # without its value, which may be a key in the wrong place
            known = sorted(_known_fields(shape.model_json_schema(), path[:-1]))
            near = get_close_matches(str(path[-1]), known, n=1)
            meant = f" Did you mean `{near[0]}`?" if near else ""
            return f"{field} is not a field.{meant} The fields here: {', '.join(known)}."
        case "value_error":
            said = str(error.get("ctx", {}).get("error", error["msg"]))
            return f"{field}: {said}" if path else said
    rules = list(dict.fromkeys(error["msg"] for error in errors))
    if all(rule.startswith(_MUST_BE) for rule in rules):
        allowed = " or ".join(
            _OBJECT.sub("an object", rule.removeprefix(_MUST_BE)) for rule in rules
        )
        return f"{field} is {_shown(error['input'])}, but must be {allowed}."
    return f"{field} is {_shown(error['input'])}. {'. '.join(rules)}."


def _dotted(where: str, path: _Path) -> str:
    return ".".join([*([where] if where else []), *map(str, path)])


def _shown(value: object) -> str:
    """A value as a message shows it, cut to a bounded length."""
    if not isinstance(value, str):
        return reprlib.repr(value)
    unsaid = len(value) - _SHOWN_CHARACTERS
    more = f" and {unsaid:,} more characters" if unsaid > 0 else ""
    return f"{value[:_SHOWN_CHARACTERS]!r}{more}"


def _known_fields(schema: dict[str, Any], path: _Path) -> set[str]:
    """The fields that an object at `path` may have, by a JSON Schema and its alternatives."""
    definitions = schema.get("$defs", {})

    def alternatives(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "$ref" in node:
            node = definitions[node["$ref"].rpartition("/")[2]]
        yield node
        for alternative in [*node.get("anyOf", []), *node.get("oneOf", [])]:
            yield from alternatives(alternative)

    nodes = list(alternatives(schema))
    for key in path:
        steps = (
            node.get("items") if isinstance(key, int) else _property(node, key) for node in nodes
        )
        nodes = [found for step in steps if step for found in alternatives(step)]
    return {field for node in nodes for field in node.get("properties", {})}


def _property(node: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The schema of a field, or of any field where all have the same."""
    if key in node.get("properties", {}):
        found: dict[str, Any] | None = node["properties"][key]
        return found
    others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return next((other for other in others if isinstance(other, dict)), None)
