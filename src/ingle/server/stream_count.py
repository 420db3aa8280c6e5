"""The tokens of a stream that passes: the server is asked to tell them, and else they are counted.

A server tells the usage of a stream only where the request asks for it. For a caller whose tokens
are counted it is asked for, and the event that tells it is taken out again where the caller did not
ask. To count costs two searches in what was read at once, and no event is read but the last.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ingle.server.decoding import Fields

__all__ = ["CountedStream", "asking_for_usage"]

_MARKS = (b'"usage":{', b'"usage": {')
_MAX_EVENT_BYTES = 1 << 20


class CountedStream:
    """A repair that counts events, each of which is a token or little more.

    `takes_usage_out` is set where the usage was asked for without the caller's doing.
    """

    def __init__(self) -> None:
        self.events = 0
        self.takes_usage_out = False
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What to pass on now: whole events, without the one that only tells the usage."""
        self.events += data.count(b"\n\n")
        if not self.takes_usage_out:
            return data
        data = self._held + data
        end = data.rfind(b"\n\n") + 2
        if end < 2:  # no event is whole yet
            end = 0 if len(data) < _MAX_EVENT_BYTES else len(data)
        data, self._held = data[:end], data[end:]
        if any(mark in data for mark in _MARKS):
            events = data.split(b"\n\n")
            return b"\n\n".join(event for event in events if not _only_tells_usage(event))
        return data

    def end(self) -> bytes:
        """What was held back."""
        return self._held


def asking_for_usage(fields: Fields) -> dict[str, Any] | None:  # Any: JSON
    """The `stream_options` that ask for the usage; None if the caller asks for it already."""
    try:
        told = msgspec.json.decode(fields.get("stream_options", b"null"), type=dict | None)
    except msgspec.ValidationError:
        return None  # the server will say what is wrong with it
    options: dict[str, Any] = told or {}
    return None if options.get("include_usage") else {**options, "include_usage": True}


def _only_tells_usage(event: bytes) -> bool:
    """Whether this is the event after the last choice; LocalAI leaves `choices` out of it."""
    if not any(mark in event for mark in _MARKS):
        return False
    try:
        chunk = msgspec.json.decode(event.partition(b"data:")[2], type=dict[str, Any])
    except msgspec.DecodeError:
        return False
    return bool(chunk.get("usage")) and not chunk.get("choices")
