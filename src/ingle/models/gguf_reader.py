"""The bytes of a GGUF file's header, read forward and never believed.

Whatever the file claims, reading takes bounded memory and time: no count in it is trusted before
the bytes for it are there. What the values mean is `gguf`'s. The format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

__all__ = ["BLOCKS", "Contents", "Fault", "Texts", "Value", "read_contents"]

_MAGIC = b"GGUF"
_LARGEST_HEADER_BYTES = 64 * 1024 * 1024  # the largest vocabularies take about 30 MiB
_LONGEST_KEPT_TEXT = 1024 * 1024  # chat templates take up to 50 KiB
_LONGEST_KEPT_ARRAY = 4096  # per-layer numbers; longer arrays are vocabularies
_MOST_DIMENSIONS = 4  # GGML_MAX_DIMS
_CHUNK_BYTES = 1024 * 1024

_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT = 8
_ARRAY = 9

# ggml_type: how many elements a block holds, and how many bytes it takes (ggml-common.h).
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts, of which only the number is kept."""

    count: int


Value = int | float | str | tuple[int | float, ...] | Texts | None
"""A value of the header; None stands for one that is too long to keep."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A header's values by key, and its tensors: their names and all their elements together.

    `bytes_by_type` is how much of each ggml_type there is.
    """

    values: dict[str, Value]
    tensors: frozenset[str]
    parameters: int
    bytes_by_type: dict[int, int]


class Fault(Exception):
    """Why the file cannot be used, in words that follow a colon."""


def read_contents(file: BinaryIO, size_bytes: int) -> Contents:
    """What the header of a file of this size holds; all its tensors lie inside the file.

    Raises:
        Fault: it is no GGUF, or damaged, or cut short.
    """
    return _Reader(file, size_bytes).contents()


class _Reader:
    """Reads forward through the header, never past the file's end nor its own limit."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes
        self._position = 0

    def contents(self) -> Contents:
        """The whole header."""
        tensors, entries = self._preamble()
        # No entry is shorter than 13 bytes and no tensor than 24, so false counts end here.
        self._expect(entries * 13 + tensors * 24)
        values: dict[str, Value] = {}
        for _ in range(entries):
            key = self._text()
            values[key] = self._value(self._count("I"))
        alignment = values.get("general.alignment", 32)
        if not isinstance(alignment, int):
            alignment = 0
        return Contents(values, *self._tensors(tensors, alignment))

    def _preamble(self) -> tuple[int, int]:
        """How many tensors and how many entries the header has."""
        magic = self._take(4) if self._size_bytes >= 4 else b""
        if magic != _MAGIC:
            raise Fault(f"it is no GGUF file (it starts with {magic!r})")
        version = self._count("I")
        if version not in (2, 3):
            kind = "a big-endian one" if version & 0xFFFF == 0 else f"version {version}"
            raise Fault(f"it is {kind}, and only little-endian GGUF of version 2 or 3 can be read")
        return self._count("Q"), self._count("Q")

    def _tensors(self, count: int, alignment: int) -> tuple[frozenset[str], int, dict[int, int]]:
        """The tensors' names, all their elements, and the bytes of each type.

        They are known to lie in the file.
        """
        if alignment < 1 or alignment % 8:
            raise Fault(f"its alignment is {alignment}, which is no multiple of 8")
        parameters = end = 0
        names = set()
        by_type: dict[int, int] = {}
        for _ in range(count):
            name = self._text()
            dimensions = self._count("I")
            if dimensions > _MOST_DIMENSIONS:
                raise Fault(f"tensor {name[:64]!r} has {dimensions} dimensions")
            elements = math.prod(self._count("Q") for _ in range(dimensions))
            kind = self._count("I")
            block, block_bytes = BLOCKS.get(kind, (1, 0))
            size_bytes = elements // block * block_bytes
            end = max(end, self._count("Q") + size_bytes)
            by_type[kind] = by_type.get(kind, 0) + size_bytes
            parameters += elements
            names.add(name)
        needed = -(-self._position // alignment) * alignment + end
        if needed > self._size_bytes:
            raise Fault(
                f"it is cut short: its tensors need {needed:,} bytes and it has "
                f"{self._size_bytes:,}"
            )
        return frozenset(names), parameters, by_type

    def _value(self, kind: int) -> Value:
        if kind == _TEXT:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        code = self._code(kind)
        number: int | float = struct.unpack(f"<{code}", self._take(struct.calcsize(f"<{code}")))[0]
        return number

    def _array(self) -> Value:
        kind, count = self._count("I"), self._count("Q")
        if kind == _TEXT:
            self._skip_texts(count)
            return Texts(count)
        code = self._code(kind)
        width = struct.calcsize(f"<{code}")
        if count > _LONGEST_KEPT_ARRAY:
            self._skip(count * width)
            return None
        return struct.unpack(f"<{count}{code}", self._take(count * width))

    def _code(self, kind: int) -> str:
        if code := _NUMBERS.get(kind):
            return code
        raise Fault(f"it holds a value of the unknown type {kind}")

    def _text(self) -> str:
        length = self._count("Q")
        if length > _LONGEST_KEPT_TEXT:
            self._skip(length)
            return ""
        return self._take(length).decode("utf-8", "replace")

    def _skip_texts(self, count: int) -> None:
        """Step over `count` texts; a vocabulary has hundreds of thousands, so in large reads."""
        self._expect(count * 8)
        chunk, at = b"", 0
        for _ in range(count):
            if at + 8 > len(chunk):
                self._skip(at)
                chunk, at = self._peek(8), 0
            at += 8 + struct.unpack_from("<Q", chunk, at)[0]
        self._skip(at)

    def _count(self, code: Literal["I", "Q"]) -> int:
        count: int = struct.unpack(f"<{code}", self._take(4 if code == "I" else 8))[0]
        return count

    def _peek(self, least: int) -> bytes:
        """What comes next, at least so many bytes and as many as one read gives."""
        self._expect(least)
        chunk = self._file.read(_CHUNK_BYTES)
        self._file.seek(self._position)
        if len(chunk) < least:
            raise Fault("it became shorter while it was read")
        return chunk

    def _take(self, count: int) -> bytes:
        self._expect(count)
        self._position += count
        taken = self._file.read(count)
        if len(taken) < count:
            raise Fault("it became shorter while it was read")
        return taken

    def _skip(self, count: int) -> None:
        self._expect(count)
        self._position += count
        self._file.seek(self._position)

    def _expect(self, count: int) -> None:
        """Make sure that so many more bytes of header can be there."""
        end = self._position + count
        if end > self._size_bytes:
            raise Fault(
                f"it is cut short or damaged: its header goes on past byte {self._size_bytes:,}, "
                "where the file ends"
            )
        if end > _LARGEST_HEADER_BYTES:
            raise Fault(f"its header is longer than {_LARGEST_HEADER_BYTES:,} bytes")
