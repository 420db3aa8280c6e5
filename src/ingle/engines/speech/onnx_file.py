"""What an ONNX file tells of itself, and telling it more, without its library.

An ONNX file is one message of Protocol Buffers, whose field 14 is a key and a value and may come
anywhere, any number of times: so what is appended is a part of it.

Sources: https://protobuf.dev/programming-guides/encoding/ and onnx.proto.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from ingle.errors import ModelFileInvalid

__all__ = ["encoded_metadata", "read_metadata"]

_METADATA = 14
_VARINT, _BYTES = 0, 2  # kinds of fields
_FIXED = {1: 8, 5: 4}  # kinds with so many bytes
_LONGEST_VARINT = 10
_LONGEST_ENTRY = 1024 * 1024


def read_metadata(path: Path) -> dict[str, str]:
    """The keys and values; the weights are passed over.

    Raises:
        ModelFileInvalid: it cannot be read, is no ONNX file, or is cut short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return dict(_entry(entry) for entry in _entries(file, size))
    except OSError as error:
        raise ModelFileInvalid(
            f"{path} cannot be read: {error.strerror or error}. Check its permissions."
        ) from error
    except ValueError as error:
        raise ModelFileInvalid(
            f"{path} is no whole ONNX file: {error}. Download the model again."
        ) from error


def encoded_metadata(metadata: Mapping[str, str]) -> bytes:
    """Bytes that add these when they are appended to a file."""
    entries = (_field(1, key) + _field(2, value) for key, value in metadata.items())
    return b"".join(_varint(_METADATA << 3 | _BYTES) + _sized(entry) for entry in entries)


def _entries(file: BinaryIO, size: int) -> list[bytes]:
    found = []
    while file.tell() < size:
        tag = _read_varint(file)
        length = _length(file, tag & 7)
        if file.tell() + length > size:
            raise ValueError(f"{size:,} bytes, and some are missing")
        if tag >> 3 == _METADATA and length <= _LONGEST_ENTRY:
            found.append(file.read(length))
        else:
            file.seek(length, 1)
    if not size:
        raise ValueError("it is empty")
    return found


def _length(file: BinaryIO, kind: int) -> int:
    """How many bytes of a field of this kind still follow."""
    if kind == _VARINT:
        _read_varint(file)
        return 0
    if kind == _BYTES:
        return _read_varint(file)
    if kind in _FIXED:
        return _FIXED[kind]
    raise ValueError(f"a field of the unknown kind {kind}")


def _entry(data: bytes) -> tuple[str, str]:
    """A key and a value, each a field of bytes."""
    told = {1: "", 2: ""}
    file = io.BytesIO(data)
    while file.tell() < len(data):
        tag = _read_varint(file)
        told[tag >> 3] = file.read(_read_varint(file)).decode()
    return told[1], told[2]


def _read_varint(file: BinaryIO) -> int:
    value = 0
    for index in range(_LONGEST_VARINT):
        byte = file.read(1)
        if not byte:
            raise ValueError("it ends within a number")
        value |= (byte[0] & 0x7F) << 7 * index
        if byte[0] < 0x80:
            return value
    raise ValueError("a number without end")


def _field(number: int, text: str) -> bytes:
    return _varint(number << 3 | _BYTES) + _sized(text.encode())


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
