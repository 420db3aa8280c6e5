"""What `--input` and `--config` say, as the values of a processor's fields.

It knows nothing about processors but the JSON Schema of their fields, and checks nothing: whether
a value is right is for the processor to say.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ingle.errors import InvalidRequest

__all__ = ["file_value", "is_file_field", "read_stdin", "read_values", "typed_value"]

Schema = Mapping[str, Any]


def read_values(
    texts: Sequence[str], schema: Schema, *, option: str, read_stdin: Callable[[], str]
) -> dict[str, Any]:
    """The fields' values, later texts over earlier ones.

    A text is `name=value`, `name=@file` or `name=-` (stdin); or a JSON object, or `@file` or `-`
    with one. A value is JSON where the field is not text and the value parses; else it is text.
    A field that takes files gets `@file` as a data URI.

    Raises:
        InvalidRequest: a text is neither, its JSON is broken, or a file cannot be read.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if text.lstrip().startswith("{") or text.startswith("@") or text == "-":
            values |= _object(_read(text, option, read_stdin), text, option)
        elif value.startswith("@") and name and is_file_field(name, schema):
            values[name] = file_value(value, f"{option} {name}")
        elif equals and name:
            values[name] = typed_value(_read(value, f"{option} {name}", read_stdin), name, schema)
        else:
            raise InvalidRequest(
                f"`{option} {text}` sets nothing. Write `{option} name=value`, or a JSON object "
                f'as in `{option} \'{{"name": "value"}}\'`.'
            )
    return values


def read_stdin() -> str:
    """All that is piped in, or typed until Ctrl-D.

    Raises:
        InvalidRequest: it is not text.
    """
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"What came on stdin is not {error.encoding.upper()} text (byte {error.start}). "
            "Convert it first."
        ) from error


def _read(text: str, what: str, read_stdin: Callable[[], str]) -> str:
    """The text itself, or what the file or stdin that it names holds."""
    if text == "-":
        return read_stdin()
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRequest(
            f"The file {path} for `{what}` cannot be read: {error.strerror}. "
            "Check its name; a text that begins with @ itself goes into a JSON object."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The file {path} for `{what}` is not UTF-8 text (byte {error.start}). Save it as "
            "UTF-8."
        ) from error


def is_file_field(name: str, schema: Schema) -> bool:
    """Whether the field takes a file, as a data URI."""
    return schema.get("properties", {}).get(name, {}).get("format") in ("data-url", "data-uri")


def file_value(text: str, what: str) -> str:
    """The file that `@file` names, as a data URI; `what` is to get it, for errors.

    Raises:
        InvalidRequest: it cannot be read.
    """
    from mimetypes import guess_type

    from ingle.processors.data_uri import File, data_uri

    path = Path(text[1:])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"The file {path} for `{what}` cannot be read: {error.strerror}. Check its name."
        ) from error
    mime = guess_type(path.name)[0] or "application/octet-stream"
    return data_uri(File(mime, content, path.name))


def _object(text: str, source: str, option: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        where = "stdin" if source == "-" else source[1:] if source.startswith("@") else "The text"
        raise InvalidRequest(
            f"{where} for `{option}` is not a JSON object: {error}. Check its quotes and commas, "
            f"or write `{option} name=value`."
        ) from error


def typed_value(text: str, name: str, schema: Schema) -> Any:  # Any: a JSON value
    """The JSON value that `text` writes, if the field takes its type; else the text."""
    types = set(_types(schema.get("properties", {}).get(name, {}), schema))
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    if "string" in types and (isinstance(value, str) or not types & _type_of(value)):
        return text
    return value


def _types(field: Schema, schema: Schema) -> Iterator[str]:
    """The JSON types that a field takes, by its JSON Schema; none for a field that is unknown."""
    if reference := field.get("$ref"):
        yield from _types(schema["$defs"][reference.rpartition("/")[2]], schema)
    for alternative in (*field.get("anyOf", ()), *field.get("oneOf", ()), *field.get("allOf", ())):
        yield from _types(alternative, schema)
    declared = field.get("type", [])
    yield from [declared] if isinstance(declared, str) else declared


def _type_of(value: object) -> set[str]:
    match value:
        case None:
            return {"null"}
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"number"}
        case list():
            return {"array"}
        case _:
            return {"object"}
