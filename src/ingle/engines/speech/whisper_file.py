"""Is a file of whisper.cpp whole? It reads past the end of a short one, with whatever was there.

Source of the format: whisper.cpp's `models/convert-pt-to-ggml.py`.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO

from ingle.errors import ModelFileInvalid
from ingle.models.gguf_reader import BLOCKS

__all__ = ["check_whisper_file"]

_MAGIC = b"lmgg"
_HEADER_NUMBERS = 11
_MOST_DIMENSIONS = 4
_MOST_TOKENS = 1_000_000


def check_whisper_file(path: Path) -> None:
    """Walk over the file from tensor to tensor, to its end.

    Raises:
        ModelFileInvalid: it cannot be read, is no model of whisper.cpp, or is cut short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _walk(file, size)
    except OSError as error:
        raise ModelFileInvalid(
            f"{path} cannot be read: {error.strerror or error}. Check its permissions."
        ) from error
    except ValueError as error:
        raise ModelFileInvalid(
            f"{path} is no whole model of whisper.cpp: {error}. Download the model again."
        ) from error


def _walk(file: BinaryIO, size: int) -> None:
    if file.read(4) != _MAGIC:
        raise ValueError("it does not begin as one")
    _numbers(file, _HEADER_NUMBERS)
    mels, bands = _numbers(file, 2)
    _skip(file, 4 * mels * bands, size)
    (tokens,) = _numbers(file, 1)
    if not 0 < tokens < _MOST_TOKENS:
        raise ValueError(f"a vocabulary of {tokens:,} tokens")
    for _ in range(tokens):
        _skip(file, _numbers(file, 1)[0], size)
    if file.tell() == size:
        raise ValueError("it has no weights")
    while file.tell() < size:
        dimensions, name_bytes, kind = _numbers(file, 3)
        if not 0 < dimensions <= _MOST_DIMENSIONS or kind not in BLOCKS:
            raise ValueError(f"at byte {file.tell():,} there should be weights, and are none")
        shape = _numbers(file, dimensions)
        numbers, block_bytes = BLOCKS[kind]
        _skip(file, name_bytes + math.prod(shape) // numbers * block_bytes, size)


def _numbers(file: BinaryIO, count: int) -> tuple[int, ...]:
    data = file.read(4 * count)
    if len(data) < 4 * count:
        raise ValueError("it ends within a description")
    return struct.unpack(f"<{count}i", data)


def _skip(file: BinaryIO, count: int, size: int) -> None:
    if count < 0 or file.tell() + count > size:
        raise ValueError(f"it has {size:,} bytes, and some are missing")
    file.seek(count, 1)
