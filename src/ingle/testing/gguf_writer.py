"""A GGUF file from values and tensors, as much of the format as made-up files need.

Source of the format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Tensor", "Value", "write_gguf"]

Value = bool | int | float | str | Sequence[int] | Sequence[float] | Sequence[str]

_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the header says of a tensor: its dimensions, the innermost first, and its ggml_type."""

    name: str
    dimensions: tuple[int, ...]
    kind: int
    size_bytes: int


def write_gguf(
    path: Path, entries: Mapping[str, Value], tensors: Sequence[Tensor], data: Iterable[bytes]
) -> Path:
    """Write the file and return its path. `data` are the tensors' bytes, in their order."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    header += b"".join(_text(key) + _value(value) for key, value in entries.items())
    offset = 0
    for tensor in tensors:
        sizes = tensor.dimensions
        header += _text(tensor.name) + struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
        header += struct.pack("<IQ", tensor.kind, offset)
        offset += _padded(tensor.size_bytes)
    with path.open("wb") as file:
        file.write(header.ljust(_padded(len(header)), b"\0"))
        for content in data:
            file.write(content.ljust(_padded(len(content)), b"\0"))
    return path


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value[0], str):
        texts = b"".join(_text(str(item)) for item in value)
        return struct.pack("<IIQ", 9, 8, len(value)) + texts
    kind, code = (6, "f") if isinstance(value[0], float) else (5, "i")
    return struct.pack(f"<IIQ{len(value)}{code}", 9, kind, len(value), *value)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _padded(size_bytes: int) -> int:
    return -(-size_bytes // _ALIGNMENT) * _ALIGNMENT
