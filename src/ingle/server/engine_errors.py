"""What llama.cpp's server says when it refuses, as an error of ours.

It answers a picture sent to a text model with 500, names its codes by number, and has its own
words for a prompt that is too long. Who called gets OpenAI's codes, the field, and the next step.
"""

from __future__ import annotations

import re

import msgspec

from ingle.errors import (
    Busy,
    ContextTooLong,
    EngineError,
    IngleError,
    InvalidRequest,
    UnsupportedInput,
)

__all__ = ["engine_error"]

_FIELD = re.compile(r"Field '(\w+)'|'(\w+)' is required|\"(\w+)\" must be|key '(\w+)' not found")
_JSON_LIBRARY = re.compile(r"\[json\.exception\.[\w.]+\] ")
_TOKENS = re.compile(r"input \((\d+) tokens\) is too large")
_SHOWN = 400

_CALLERS_FAULTS = (
    "Failed to parse messages",
    "is required",
    "Jinja",
    "grammar",
    "JSON schema",
    "_M_range_check",  # a token that the vocabulary does not have
)
"""Beginnings or parts of messages that come with status 500 though the request is at fault."""


class _Told(msgspec.Struct):
    message: str = ""
    type: str = ""
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class _Body(msgspec.Struct):
    error: _Told


def engine_error(status: int, body: bytes, model: str) -> IngleError:
    """The error that an engine's answer with this status means."""
    try:
        told = msgspec.json.decode(body, type=_Body).error
    except msgspec.DecodeError:
        told = _Told(message=body[:_SHOWN].decode("utf-8", "replace"))
    if told.type == "exceed_context_size_error":
        return _too_long(model, told.n_prompt_tokens, told.n_ctx)
    if tokens := _TOKENS.match(told.message):
        return _too_long(model, int(tokens[1]), 0)
    if "input is not supported" in told.message:
        kind = told.message.split()[0]
        return UnsupportedInput(
            f"The model {model!r} takes no {kind}: it reads text only. Leave the {kind} out, or "
            "ask a model that can.",
            param="messages",
        )
    if told.type == "not_supported_error" or status == 501:
        return UnsupportedInput(
            f"The model {model!r} cannot do this: {_plain(told.message)} Ask a model that can.",
            param="model",
        )
    if status == 503:
        return Busy(f"The engine of {model!r} is not ready: {_plain(told.message)} Try again.")
    if status < 500 or any(part in told.message for part in _CALLERS_FAULTS):
        field = _FIELD.search(told.message)
        return InvalidRequest(
            f"The engine of {model!r} refused the request: {_plain(told.message)}",
            param=next(filter(None, field.groups()), None) if field else None,
        )
    return EngineError(
        f"The engine of {model!r} failed with status {status}: {_plain(told.message)} Try again; "
        "if it stays so, `ingle doctor` tells more."
    )


def _too_long(model: str, tokens: int, window: int) -> ContextTooLong:
    room = f"a context window of {window:,}" if window else "room for fewer at once"
    return ContextTooLong(
        f"The request has {tokens:,} tokens, and the model {model!r} has {room}. Shorten it, or "
        "give the model more with INGLE_CONTEXT_TOKENS where it was trained for more.",
        param="messages" if window else "input",
    )


def _plain(message: str) -> str:
    """The engine's words without its library's, as one sentence."""
    text = _JSON_LIBRARY.sub("", message).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
