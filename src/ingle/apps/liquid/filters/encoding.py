"""Filters for texts that go into HTML, URLs, JavaScript or base64, and out of them."""

from __future__ import annotations

import base64
import html
import re
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.filters.text import string
from ingle.errors import TemplateError

__all__ = [
    "base64_decode",
    "base64_encode",
    "base64_url_safe_decode",
    "base64_url_safe_encode",
    "escape",
    "escape_once",
    "escapejs",
    "strip_html",
    "url_decode",
    "url_encode",
]

_FOR_JS = str.maketrans(
    {
        character: f"\\u{ord(character):04X}"
        for character in (*map(chr, range(32)), *"\\'\"<>&=-;`\u2028\u2029")
    }
)
_HIDDEN = {"<!--": "-->", "<script": "</script>", "<style": "</style>"}
_LONGEST_HIDDEN = max(map(len, _HIDDEN))


def escape(frame: Frame, value: Any) -> str:
    """The text for HTML, with `&`, `<`, `>` and quotes written as entities."""
    return html.escape(string(frame, value, price=32))


def escape_once(frame: Frame, value: Any) -> str:
    """As `escape`, but entities that are there already stay as they are."""
    left = string(frame, value, price=4)
    try:
        return html.escape(html.unescape(left))
    except ValueError as error:  # an entity with a number of thousands of digits
        raise TemplateError(f"This text holds an entity that is none: {error}.") from error


def escapejs(frame: Frame, value: Any) -> str:
    """The text as it can stand between quotes in JavaScript."""
    return string(frame, value, price=16).translate(_FOR_JS)


def strip_html(frame: Frame, value: Any) -> str:
    """The text without HTML tags, comments, scripts and styles. One pass, whatever the text."""
    left = string(frame, value, price=4)
    kept, at, unclosed = [], 0, set[str]()
    while (opening := left.find("<", at)) >= 0:
        start = left[opening : opening + _LONGEST_HIDDEN].lower()
        hidden = next((one for one in _HIDDEN if start.startswith(one) and one not in unclosed), "")
        close = _HIDDEN.get(hidden, ">")
        end = _find(left, close, opening)
        if end >= 0:
            kept.append(left[at:opening])
            at = end + len(close)
        elif hidden:
            unclosed.add(hidden)
        else:
            break
    return "".join([*kept, left[at:]])


def url_encode(frame: Frame, value: Any) -> str:
    """The text as it can stand in a URL, with `+` for spaces."""
    utf8 = string(frame, value, price=4).encode(errors="replace")
    frame.check_length(len(utf8))
    return quote_plus(utf8)


def url_decode(frame: Frame, value: Any) -> str:
    """What a part of a URL means."""
    left = string(frame, value)
    frame.items(left.count("%"))  # each is taken apart, and costs as an item does
    return unquote_plus(left)


def base64_encode(frame: Frame, value: Any) -> str:
    """The text's UTF-8 in base64."""
    return base64.b64encode(_utf8(frame, value)).decode("ascii")


def base64_url_safe_encode(frame: Frame, value: Any) -> str:
    """The text's UTF-8 in base64, with `-` and `_` for `+` and `/`."""
    return base64.urlsafe_b64encode(_utf8(frame, value)).decode("ascii")


def base64_decode(frame: Frame, value: Any) -> str:
    """The text that this base64 stands for."""
    return _decoded(frame, value, b"+/")


def base64_url_safe_decode(frame: Frame, value: Any) -> str:
    """The text that this base64 of URLs stands for."""
    return _decoded(frame, value, b"-_")


def _decoded(frame: Frame, value: Any, last_two: bytes) -> str:
    try:
        return base64.b64decode(string(frame, value), last_two, validate=True).decode()
    except ValueError as error:  # not base64, or not a text
        raise TemplateError(f"This text is not the base64 of a text: {error}.") from error


def _utf8(frame: Frame, value: Any) -> bytes:
    return string(frame, value, price=64).encode(errors="replace")


def _find(text: str, part: str, start: int) -> int:
    """Where a part stands, in small letters or capitals; -1 if nowhere."""
    if part in (">", "-->"):
        return text.find(part, start)
    found = re.compile(re.escape(part), re.IGNORECASE).search(text, start)
    return found.start() if found else -1
