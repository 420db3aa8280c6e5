"""The ends of a body that went by, and whether its last bytes end a stream as a whole one ends."""

from __future__ import annotations

from collections import deque

__all__ = ["StreamEnd"]

_TAIL_BYTES = 4096
"""More than the last events of a stream take, from the finish reason on."""


class StreamEnd:
    """Keeps the end of what passes, and its first piece; to keep a piece costs an append."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._first = b""

    def feed(self, data: bytes) -> None:
        """Note the next bytes."""
        self._parts.append(data)
        self._size += len(data)
        while self._size - len(self._parts[0]) >= _TAIL_BYTES:
            passed = self._parts.popleft()
            self._size -= len(passed)
            self._first = self._first or passed

    @property
    def tail(self) -> bytes:
        """The last bytes, some thousands or all of them."""
        return b"".join(self._parts)[-_TAIL_BYTES:]

    @property
    def both(self) -> bytes:
        """The beginning and the last bytes, or all of them: what an answer tells stands in these."""
        return b"%b\n%b" % (self._first[:_TAIL_BYTES], self.tail)

    def is_whole(self, marks: tuple[bytes, ...]) -> bool:
        """Whether one of some marks is among the last bytes."""
        tail = b"\n" + self.tail  # the first line begins as every other one
        return any(mark in tail for mark in marks)
