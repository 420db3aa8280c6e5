"""Whether a stream that went by was whole, and its last bytes."""

from __future__ import annotations

__all__ = ["StreamEnd"]

_TAIL_BYTES = 2048
_LONGEST_MARK = 64


class StreamEnd:
    """Looks for one of some marks in a stream's bytes as they pass."""

    def __init__(self, marks: tuple[bytes, ...]) -> None:
        self._marks = marks
        self._is_seen = not marks
        self.tail = b"\n"  # so that the first line begins as every other one

    def feed(self, data: bytes) -> None:
        """Look at the next bytes; a mark that is split between two reads is found, too."""
        if not self._is_seen:
            window = self.tail[-_LONGEST_MARK:] + data
            self._is_seen = any(mark in window for mark in self._marks)
        self.tail = (self.tail + data)[-_TAIL_BYTES:]

    @property
    def is_whole(self) -> bool:
        """Whether a mark has passed."""
        return self._is_seen
