"""The last lines that a child process wrote, kept within bounds."""

from __future__ import annotations

from collections import deque

__all__ = ["LogTail"]

_LINES = 200
_LINE_BYTES = 2000


class LogTail:
    """Takes bytes as they come and keeps the last 200 lines, each cut at 2,000 bytes.

    Where the text `hidden` stands in them, such as a key that a server logs, they show `…`.
    """

    def __init__(self, *, hidden: str = "") -> None:
        self._hidden = hidden
        self._lines: deque[bytes] = deque(maxlen=_LINES)
        self._open = b""  # the line that has not ended yet, never longer than a kept line

    def feed(self, data: bytes) -> None:
        """Take what was read, wherever it is cut."""
        first, *rest = data.split(b"\n")
        self._open = (self._open + first[:_LINE_BYTES])[:_LINE_BYTES]
        for line in rest:
            self._lines.append(self._open)
            self._open = line[:_LINE_BYTES]

    def lines(self, count: int = _LINES) -> list[str]:
        """The last lines that are not empty, oldest first, without what would move a cursor."""
        lines = (self._shown(line) for line in (*self._lines, self._open))
        return [line for line in lines if line][-count:]

    def _shown(self, line: bytes) -> str:
        text = line.decode("utf-8", "replace")
        if self._hidden:
            text = text.replace(self._hidden, "…")
        return "".join(c if c.isprintable() else " " for c in text).strip()
