"""A part of a JSON value by a JSONPath (RFC 9535) or a JSON Pointer (RFC 6901).

Of JSONPath, what can take time without bound is left out: regular expressions, more than one `..`,
and queries of the whole value from within a filter.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from ingle.errors import InvalidRequest

__all__ = ["at_path", "check_path"]

Json = Any  # Any: a JSON value has no narrower type

MOST_FOUND = 100_000
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def check_path(path: str) -> str:
    """The path in full: what begins with neither `$` nor `/` is taken to follow `$.`.

    Raises:
        ValueError: it is no path, or one that could take for ever.
    """
    path = path.strip()
    if path.startswith("/") or not path:
        return path
    if not path.startswith("$"):
        path = f"${path}" if path.startswith("[") else f"$.{path}"
    plain = _QUOTED.sub("''", path)
    if plain.count("..") > 1 or plain.count("$") > 1:
        raise ValueError("a path has at most one `..`, and `$` only at its beginning")
    _compiled(path)
    return path


def at_path(value: Json, path: str, *, param: str) -> Json:
    """What stands there: a value, or a list of all that a path with wildcards or filters finds.

    Raises:
        InvalidRequest: nothing stands there, or more than 100,000 things.
    """
    if not path:
        return value
    if path.startswith("/"):
        found = _pointed(value, path)
        is_one = True
    else:
        query = _compiled(path)
        found = [match.obj for match in islice(query.finditer(value), MOST_FOUND + 1)]
        is_one = query.singular_query()
    if len(found) > MOST_FOUND:
        raise InvalidRequest(
            f"`{param}` {path!r} finds more than {MOST_FOUND:,} values. Make it narrower.",
            param=param,
        )
    if not is_one:
        return found
    if not found:
        raise InvalidRequest(
            f"`{param}` {path!r}: nothing stands there. {_there(value)}", param=param
        )
    return found[0]


def _compiled(path: str) -> Any:  # Any: a class of the library, which is imported when needed
    import jsonpath
    from jsonpath.exceptions import JSONPathError

    environment = jsonpath.JSONPathEnvironment(strict=True)
    for name in ("match", "search"):
        environment.function_extensions.pop(name, None)
    try:
        return environment.compile(path)
    except JSONPathError as error:
        said = str(error).partition("\n")[0].strip().rstrip(".")
        raise ValueError(
            f"{path!r} is no JSONPath: {said}. Write it such as $.items[0].name or $.items[*].name"
        ) from error


def _pointed(value: Json, pointer: str) -> list[Json]:
    """The value as a list of one, or an empty list."""
    for part in pointer[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and re.fullmatch(r"0|[1-9]\d{0,8}", key, re.ASCII):
            if int(key) >= len(value):
                return []
            value = value[int(key)]
        else:
            return []
    return [value]


def _there(value: Json) -> str:
    """What there is instead."""
    if isinstance(value, dict):
        names = [str(key)[:40] for key in islice(value, 8)]
        more = ", …" if len(value) > len(names) else ""
        return f"The value is an object with {', '.join(names) or 'no keys'}{more}."
    if isinstance(value, list):
        return f"The value is a list of {len(value)}."
    return "The value is neither an object nor a list."
