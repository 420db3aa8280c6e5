"""What a step was sent, without its secrets: for people who look at what happened."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["masked"]

_MASK = "…"
_SECRET = re.compile(
    r"(^|[^a-z])(authorization|api[-_]?key|access[-_]?key|token|password|passwd|secret|cookie)s?$",
    re.IGNORECASE,
)


def masked(value: Any) -> Any:
    """The JSON value with a mask for each text whose field is named like a secret.

    In a list of pairs, such as headers often are, the name stands in `name` or `key` and the text
    in `value`.
    """
    if isinstance(value, dict):
        pair = value.get("name", value.get("key"))
        if isinstance(pair, str) and _SECRET.search(pair) and isinstance(value.get("value"), str):
            return {**value, "value": _MASK}
        return {key: _field(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _field(name: Any, value: Any) -> Any:
    if isinstance(value, str):
        return _MASK if value and isinstance(name, str) and _SECRET.search(name) else value
    return masked(value) if isinstance(value, dict | list) else value
