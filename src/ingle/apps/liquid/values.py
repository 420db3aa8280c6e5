"""JSON values as templates see them: what stands at a path, how a value reads as text.

Objects, lists, texts, numbers, booleans and null are all there is; a Python object has no
attributes here, and a name that begins with an underscore is a key like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from ingle.errors import TemplateError

__all__ = [
    "Path",
    "at",
    "json_text",
    "kind",
    "meant",
    "optional",
    "path_text",
    "text",
    "unknown",
]

Path = tuple[str | int, ...]
"""Where a value stands: keys of objects and indexes of lists, such as `("a", "choices", 0)`."""

_NAMES_SHOWN = 20
_NAMES_COMPARED = 200  # difflib takes about 20 us a name


class _Absent(Exception):
    """A value has nothing under a key; the text says why."""


def at(values: Mapping[str, Any], path: Path, offset: int | None) -> Any:
    """The value at a path. Beside the keys there are `size`, and of lists `first` and `last`.

    Raises:
        TemplateError: nothing is there; it names the first part of the path that is missing.
    """
    keys = iter(path)
    root = next(keys)
    if root not in values:
        raise unknown(str(root), values, offset)
    value = values[str(root)]
    for i, key in enumerate(keys, 1):
        if type(value) is dict and key in value:
            value = value[key]
        else:
            try:
                value = _under(value, key)
            except _Absent as why:
                raise _missing(path, i, why, offset) from None
    return value


def optional(value: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path below a value, or None."""
    try:
        for key in path:
            value = _under(value, key)
    except _Absent:
        return None
    return value


def unknown(name: str, known: Iterable[str], offset: int | None) -> TemplateError:
    """The error for a name that means nothing."""
    there = ", ".join(islice(known, _NAMES_SHOWN)) or "no names"
    return TemplateError(
        f"`{name}` is not known here.{meant(name, known)} There are: {there}.", offset
    )


def meant(name: str, known: Iterable[str]) -> str:
    """` Did you mean …?` with the nearest of the known names, or nothing."""
    compared = [one for one in islice(known, _NAMES_COMPARED) if len(one) <= 64]
    near = get_close_matches(name[:64], compared, n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def kind(value: Any) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
    return f"not JSON ({type(value).__name__})"


def text(value: Any) -> str:
    """How a value reads in a text: a text as it is, null as nothing, all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def json_text(
    value: Any, *, is_ascii: bool = False, is_sorted: bool = False, indent: int | None = None
) -> str:
    """A value as JSON; `is_sorted` puts the keys of objects in order.

    Raises:
        TemplateError: it is not JSON: no finite number, nested too deep, or an object of Python's.
    """
    try:
        return json.dumps(
            value, ensure_ascii=is_ascii, allow_nan=False, indent=indent, sort_keys=is_sorted
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"This value cannot be written as JSON: {error}.") from error


def path_text(path: Iterable[str | int]) -> str:
    """A path as one writes it in a template: `answer.choices[0].content`."""
    root, *rest = path
    return str(root) + "".join(map(_segment, rest))


def _segment(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.replace("-", "_").isidentifier() else f'["{key}"]'


def _under(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        if key in value:
            return value[key]
        if key == "size":
            return len(value)
        raise _Absent(f"has no field `{key}`.{meant(str(key), value)}")
    if isinstance(value, list):
        return _of_list(value, key)
    if key == "size" and isinstance(value, str):
        return len(value)
    raise _Absent(f"is {kind(value)}, and has no {'items' if isinstance(key, int) else 'fields'}.")


def _of_list(items: list[Any], key: str | int) -> Any:
    if key == "size":
        return len(items)
    index = {"first": 0, "last": -1}.get(key, key) if isinstance(key, str) else key
    if isinstance(index, str):
        raise _Absent(f"is a list; its items have numbers, such as `[0]`, and not `{key}`.")
    if not -len(items) <= index < len(items):
        raise _Absent(f"is a list with {len(items)} item{'s' * (len(items) != 1)}.")
    return items[index]


def _missing(path: Path, reached: int, why: _Absent, offset: int | None) -> TemplateError:
    return TemplateError(
        f"`{path_text(path)}` is not there: `{path_text(path[:reached])}` {why} "
        "Where it may be missing, write `| default: …` or ask with {% if … %}.",
        offset,
    )
