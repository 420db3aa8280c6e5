"""JSON of a request's body into values, and its faults into errors that name the field."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from ingle.errors import InvalidRequest

__all__ = ["Fields", "decode", "fields_of", "model_of", "with_fields"]

Fields = dict[str, msgspec.Raw]
"""The fields of a JSON object, each still in the bytes that came."""

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(.*)`$")
_EXPECTED = re.compile(r"Expected (.+?)(?:, got `.+`)?$")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_POSITION = re.compile(r"\(byte (\d+)\)")
_KEY = re.compile(r"[^.\[\]]+")
_NAMES = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_SHOWN_BYTES = 20


def fields_of(body: bytes) -> Fields:
    """The fields of the object that `body` is.

    Raises:
        InvalidRequest: it is no JSON object, or not UTF-8; says at which byte.
    """
    if not body:
        raise InvalidRequest('The request has no body. Send JSON such as {"model": "demo", …}.')
    try:
        str(body, "utf-8")  # in strings that are not decoded here, msgspec lets any byte pass
        return msgspec.json.decode(body, type=Fields)
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The request's body is not UTF-8: byte {error.start} is {body[error.start]:#04x}. "
            "Encode it as UTF-8."
        ) from error
    except msgspec.ValidationError as error:
        raise InvalidRequest(
            f"The request's body must be a JSON object: {error}. Send one such as "
            '{"model": "demo", …}.'
        ) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(
            f"The request's body is not valid JSON: {_where(error, body)}"
        ) from error
    except RecursionError as error:
        raise InvalidRequest(
            "The request's body is nested too deeply. Send JSON with fewer levels."
        ) from error


def decode(body: bytes, shape: type[T]) -> T:
    """The body as a `shape`.

    Raises:
        InvalidRequest: a field is missing, or not what it may be; `param` and the message name
            it, what it is, and what it may be.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise _wrong_field(str(error), body, shape) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"The request's body is not valid JSON: {error}.") from error


def model_of(fields: Fields) -> str | None:
    """The model that is asked for, `None` for none.

    Raises:
        InvalidRequest: `model` is something else than a text.
    """
    try:
        return msgspec.json.decode(fields.get("model", b"null"), type=str | None) or None
    except msgspec.ValidationError as error:
        raise InvalidRequest(
            f"`model` must be a model's name as text: {error}. `GET /v1/models` lists the names.",
            param="model",
        ) from error


def with_fields(fields: Fields, **changed: Any) -> bytes:
    """The same object with some fields set, or taken out where `None`; the others' bytes stay.

    Any: whatever msgspec can encode.
    """
    merged: dict[str, Any] = {**fields, **changed}
    return msgspec.json.encode({name: value for name, value in merged.items() if value is not None})


def _where(error: msgspec.DecodeError, body: bytes) -> str:
    told = str(error)
    match = _POSITION.search(told)
    if match is None:
        return f"{told} after {len(body):,} bytes. Send the whole object."
    at = int(match[1])
    near = body[at : at + _SHOWN_BYTES].decode("utf-8", "replace")
    return f"{told}, near {near!r}. Correct it there."


def _wrong_field(told: str, body: bytes, shape: type) -> InvalidRequest:
    path = _PATH.search(told)
    told = _PATH.sub("", told)
    inside = path[1].replace("[...]", "") if path else ""
    if missing := _MISSING.match(told):
        name = f"{inside}.{missing[1]}" if inside else missing[1]
        return InvalidRequest(f"`{name}` is missing. Give it.", param=name)
    keys = _KEY.findall(inside)
    value = reprlib.repr(_value_at(body, keys))
    if choices := _choices_at(shape, keys):
        rule = f"one of {', '.join(choices)}"
    elif expected := _EXPECTED.match(told):
        rule = _rule(expected[1])
    else:
        return InvalidRequest(f"`{inside}` is {value}: {told.lower()}.", param=inside)
    return InvalidRequest(f"`{inside}` is {value}, but must be {rule}.", param=inside)


def _rule(expected: str) -> str:
    """`float | null` in words; what follows the type, such as `<= 2.0`, stays."""
    quoted = re.search(r"`(.+)`", expected)
    if quoted is None:
        return expected
    kinds = [_NAMES.get(kind, kind) for kind in quoted[1].split(" | ")]
    return " or ".join(kinds) + expected.replace(quoted[0], "")


def _value_at(body: bytes, keys: list[str]) -> object:
    """The value at a path such as `messages`, `0`, `role`; or as far as it leads."""
    node = msgspec.json.decode(body)
    for key in keys:
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
    return node


def _choices_at(shape: type, keys: list[str]) -> list[str]:
    """The texts that may stand at a path, where it is a closed set."""
    kinds = _alternatives([inspect.type_info(shape)])
    for key in keys:
        kinds = _alternatives(kind for outer in kinds for kind in _inside(outer, key))
    return [
        str(text) for kind in kinds if isinstance(kind, inspect.LiteralType) for text in kind.values
    ]


def _alternatives(kinds: Iterable[inspect.Type]) -> list[inspect.Type]:
    """The kinds, those of unions one by one, without what only bounds them."""
    flat: list[inspect.Type] = []
    for kind in kinds:
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        flat += kind.types if isinstance(kind, inspect.UnionType) else [kind]
    return flat


def _inside(kind: inspect.Type, key: str) -> list[inspect.Type]:
    """What a list or an object holds at `key`."""
    if isinstance(kind, inspect.ListType) and key.isdigit():
        return [kind.item_type]
    if isinstance(kind, inspect.StructType):
        return [field.type for field in kind.fields if field.encode_name == key]
    return []
