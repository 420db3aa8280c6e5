"""What is put right in the bytes of an engine's answer while they pass.

Both repairs work on bytes as they come. The name costs one search in a read and is only looked for
where it has to change; the opening is looked at once.
"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

import msgspec

__all__ = ["MessageOpening", "Opening", "RenamedModel", "Repair"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
_MAX_OPENING_BYTES = 1 << 20


class Repair(Protocol):
    """Changes bytes that pass; what it holds back comes with the next ones, or at the end."""

    def feed(self, data: bytes) -> bytes:
        """What to pass on now."""

    def end(self) -> bytes:
        """What was held back."""


class RenamedModel:
    """Puts the name that was asked for where the engine says its own.

    The text that is looked for cannot stand inside a JSON string, since its quotes would be
    escaped there.
    """

    def __init__(self, own: str, asked: str) -> None:
        self._old = b'"model":%b' % msgspec.json.encode(own)
        self._new = b'"model":%b' % msgspec.json.encode(asked)
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """These bytes with the name put right; a beginning of it at their end is held back."""
        *before, rest = (self._held + data).split(self._old)
        held = 0 if rest.endswith(b"\n") else self._begun(rest)
        rest, self._held = rest[: len(rest) - held], rest[len(rest) - held :]
        return self._new.join([*before, rest])

    def end(self) -> bytes:
        """What was held back."""
        return self._held

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end may be a beginning of the name."""
        longest = min(len(self._old) - 1, len(data))
        lengths = range(longest, 0, -1)
        return next((length for length in lengths if data.endswith(self._old[:length])), 0)


class Opening:
    """Gives a stream of chat chunks its first one, which says the role.

    llama.cpp leaves it out where the first token is only a part of a character, such as of an
    emoji.
    """

    def __init__(self) -> None:
        self._first = b""
        self._is_over = False

    def feed(self, data: bytes) -> bytes:
        """The bytes with the opening before them, or nothing while the first event is not whole."""
        if self._is_over:
            return data
        self._first += data
        event, end, _ = self._first.partition(b"\n\n")
        if not end and len(self._first) < _MAX_OPENING_BYTES:
            return b""
        self._is_over = True
        return self._missing(event) + self._first

    def end(self) -> bytes:
        """What was held back, of a stream that ended before its first event did."""
        return b"" if self._is_over else self._first

    def _missing(self, event: bytes) -> bytes:
        if b'"role":' in event or not event.startswith(b"data: {"):
            return b""
        try:
            chunk: Json = msgspec.json.decode(event.removeprefix(b"data: "), type=dict)
        except msgspec.DecodeError:
            return b""
        if not chunk.get("choices"):
            return b""
        chunk.pop("timings", None)
        chunk.pop("usage", None)
        delta = {"role": "assistant", "content": ""}
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": None}]
        return b"data: %b\n\n" % msgspec.json.encode(chunk)


class MessageOpening(Opening):
    """The same for Anthropic's `/v1/messages`: the event `message_start`."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model

    def _missing(self, event: bytes) -> bytes:
        if not event.startswith(b"event: content_block"):
            return b""
        message: Json = {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": self._model,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        start = {"type": "message_start", "message": message}
        return b"event: message_start\ndata: %b\n\n" % msgspec.json.encode(start)
