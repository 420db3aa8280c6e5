"""What a body that was not the answer says: the server's own words, or what kind of thing it is.

Works on bytes that may be anything; never fails. Knows nothing about HTTP clients.
"""

from __future__ import annotations

import html
import re
from typing import Any, NamedTuple

import msgspec

__all__ = ["Complaint", "complaint", "describe", "error_object", "printable"]


# Where servers put what they have to say, the more telling first, and how deep at most.
_KEYS = ("error", "errors", "message", "detail", "msg")
_DEPTH = 8


class Complaint(NamedTuple):
    """What a server says went wrong: in words, with which field, under which number."""

    message: str
    param: str | None = None
    status: int | None = None


def printable(text: str, length: int) -> str:
    """The text on one line, without control characters, cut to `length` characters."""
    words = "".join(char if char.isprintable() else " " for char in text[: 4 * length]).split()
    line = " ".join(words)
    return line if len(line) <= length else line[: length - 1] + "…"


def complaint(body: bytes) -> Complaint | None:
    """What an error's body says, in any of the shapes that servers use; None if it is empty."""
    try:
        # Any: an error may have any shape at all, that is what is looked into.
        value: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        text = body.decode(errors="replace").strip()
        return Complaint(_title(text) or text) if text else None
    return error_object(value)


def error_object(value: Any) -> Complaint:
    """What a JSON value says, taken as an error: OpenAI's, Ollama's, FastAPI's, vLLM's shapes."""
    param, status = None, None
    for _ in range(_DEPTH):
        if isinstance(value, list) and value:
            value = value[0]
            continue
        if not isinstance(value, dict):
            break
        key = next((key for key in _KEYS if value.get(key)), None)
        if key is None:
            break
        param = value["param"] if isinstance(value.get("param"), str) else param
        code = value.get("code")
        status = code if isinstance(code, int) and 400 <= code < 600 else status
        value = value[key]
    return Complaint(value if isinstance(value, str) else _json(value), param, status)


def describe(body: bytes) -> str:
    """What kind of thing these first bytes of a body are, as a noun phrase."""
    text = body.decode(errors="replace").strip("\ufeff \t\r\n")
    if not text:
        return "an empty body"
    if text.startswith("<"):
        title = _title(text)
        return f"an HTML page ({printable(title, 80)!r})" if title else "an HTML page"
    if text.startswith(("{", "[")):
        return "plain JSON"
    return f"text that begins with {printable(text, 80)!r}"


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return "…"


def _title(text: str) -> str | None:
    found = re.search(r"<(title|h1)[^>]{0,200}>([^<]{1,500})<", text[:20_000], re.IGNORECASE)
    return html.unescape(found[2]).strip() if found else None
