"""What a body that was not the answer says: the server's own words, or what kind of thing it is.

Works on bytes that may be anything; never fails. Knows nothing about HTTP clients.
"""

from __future__ import annotations

import html
import re
from typing import Any, NamedTuple

import msgspec

__all__ = ["Complaint", "complaint", "describe", "error_object", "printable"]


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
    if isinstance(value, dict):
        for key in ("error", "errors", "message", "detail", "msg"):
            if value.get(key):
                inner = error_object(value[key])
                param, code = value.get("param"), value.get("code")
                return Complaint(
                    inner.message,
                    inner.param or (param if isinstance(param, str) else None),
                    inner.status or (code if isinstance(code, int) and 400 <= code < 600 else None),
                )
    if isinstance(value, list) and value:
        return error_object(value[0])
    return Complaint(value if isinstance(value, str) else msgspec.json.encode(value).decode())


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


def _title(text: str) -> str | None:
    found = re.search(r"<(title|h1)[^>]{0,200}>([^<]{1,500})<", text[:20_000], re.IGNORECASE)
    return html.unescape(found[2]).strip() if found else None
