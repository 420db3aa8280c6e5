"""Filters between JSON values and JSON text, and to escape sequences."""

from __future__ import annotations

import json as library
import re
from typing import Any

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.filters.text import string
from ingle.apps.liquid.numbers import whole
from ingle.apps.liquid.values import json_text
from ingle.errors import TemplateError

__all__ = ["escape_unicode", "json", "todict", "tojson"]

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"""|\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{1,3}|[abfnrtv\\'"])"""
)


def json(frame: Frame, value: Any, indent: object = None) -> str:
    """The value as JSON, indented by so many spaces."""
    frame.check_length(frame.weigh(value))
    spaces = None if indent is None else min(max(whole(indent), 0), 8)
    return frame.text(json_text(value, indent=spaces), price=64)


def tojson(frame: Frame, value: Any) -> str:
    """The value as JSON with nothing but ASCII, as LLMStack writes it."""
    frame.check_length(frame.weigh(value))
    return frame.text(json_text(value, is_ascii=True), price=64)


def todict(frame: Frame, value: Any) -> Any:
    """The value that a JSON text stands for; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return library.loads(frame.text(value, price=16), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        shown = value[:40] + ("…" if len(value) > 40 else "")
        raise TemplateError(f"This text is not JSON: {error}. It begins with {shown!r}.") from error


def escape_unicode(frame: Frame, value: Any) -> Any:
    r"""Texts with their escape sequences, such as `\u00e9` or `\n`, made the characters they mean.

    Goes into lists and objects. LLMStack does the same (under the same name), but garbles what is
    not ASCII; here it stays.
    """
    frame.check_length(frame.weigh(value))
    return _unescaped(frame, value)


def _unescaped(frame: Frame, value: Any) -> Any:
    if isinstance(value, str):
        return _ESCAPE.sub(_meaning, string(frame, value, price=8))
    if isinstance(value, list):
        return [_unescaped(frame, one) for one in value]
    if isinstance(value, dict):
        return {key: _unescaped(frame, one) for key, one in value.items()}
    return value


def _meaning(escape: re.Match[str]) -> str:
    try:
        meant = escape.group().encode("ascii").decode("unicode_escape")
    except UnicodeDecodeError:  # beyond U+10FFFF
        return "\ufffd"
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")
