"""Bytes of an OpenAI-style event stream -> the data of its events, at any split of the bytes.

Knows the event stream format and OpenAI's two habits in it, the `[DONE]` at the end and events
that are errors; knows nothing about HTTP or about what the data means.

Source: the WHATWG HTML standard, section 9.2.6, "Interpreting an event stream".
"""

from __future__ import annotations

from typing import Literal

__all__ = ["EventDecoder"]

_BOM = b"\xef\xbb\xbf"
_DONE = b"[DONE]"


class EventDecoder:
    """Cuts a stream into the data of its events. Feed it reads of any size, in their order.

    `ended` tells why nothing more will come, once that is known: `done` after `[DONE]`, `error`
    after an error event, whose data `error` then holds, and `overflow` after an event whose lines
    have more than `limit` bytes. What is fed after that is ignored.
    """

    def __init__(self, limit: int) -> None:
        self.ended: Literal["done", "error", "overflow"] | None = None
        self.error = b""
        self._limit = limit
        self._pending = bytearray()  # what has come of an event whose end has not
        self._is_start = True
        self._was_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        """The data of each event that these bytes complete, events without data left out."""
        if self.ended or not data:
            return []
        if self._was_cr or b"\r" in data:
            data = self._with_plain_line_ends(data)
        end = data.rfind(b"\n\n") + 2
        if end == 1:  # no blank line in here, but the first line end may complete one
            end = 1 if data.startswith(b"\n") and self._pending.endswith(b"\n") else 0
        events = self._events(self._take_pending() + data[:end]) if end else []
        self._pending += data[end:]
        if len(self._pending) > self._limit and not self.ended:
            self.ended = "overflow"
        return events

    def finish(self) -> list[bytes]:
        """The data of a last event whose blank line never came: whole, or cut anywhere.

        The standard drops such an event, but servers of OpenAI's API do leave the last blank line
        out. Only who reads the data can tell whether it is whole.
        """
        return [] if self.ended else self._events(self._take_pending() + b"\n\n")

    def _with_plain_line_ends(self, data: bytes) -> bytes:
        """The same with LF for each CRLF and CR, also where a CRLF was split between two reads.

        A CR ends its line at once, so that no event waits for a byte that may never come.
        """
        if self._was_cr:
            data = data.removeprefix(b"\n")
        self._was_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take_pending(self) -> bytes:
        pending = bytes(self._pending)
        self._pending.clear()
        return pending

    def _events(self, block: bytes) -> list[bytes]:
        """The data of the events in a block that ends with a blank line.

        Quick where each event is one line that begins with `data: `, as nearly all are.
        """
        if self._is_start:
            self._is_start = False
            block = block.removeprefix(_BOM)
        events = block[6:-2].split(b"\n\ndata: ")
        is_ordinary = (
            block.startswith(b"data: ")
            and block.count(b"\n") == 2 * len(events)
            and len(block) <= self._limit
        )
        if not is_ordinary or b"" in events or _DONE in events[:-1]:
            return self._events_by_line(block)
        if events[-1] == _DONE:
            self.ended = "done"
            events.pop()
        return events

    def _events_by_line(self, block: bytes) -> list[bytes]:
        events: list[bytes] = []
        lines: list[bytes] = []
        kind = b""
        size = 0
        for line in block.split(b"\n"):
            if line:
                size += len(line) + 1
                field, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if field == b"data":
                    lines.append(value)
                elif field == b"event":
                    kind = value
                elif field == b"error":  # older llama.cpp servers write `error: {…}`
                    lines.append(value)
                    kind = field
                continue
            event = b"\n".join(lines)
            if size > self._limit:
                self.ended = "overflow"
            elif event and kind == b"error":
                self.ended, self.error = "error", event
            elif event.strip() == _DONE:
                self.ended = "done"
            elif event:
                events.append(event)
            if self.ended:
                break
            lines, kind, size = [], b"", 0
        return events
