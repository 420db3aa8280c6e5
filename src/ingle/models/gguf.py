"""What a GGUF file says of the model inside, read safely and without loading it.

Whatever the file claims, reading takes bounded memory and time: no count in it is believed before
the bytes for it are there. It knows nothing about engines. The format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from ingle.errors import ModelFileInvalid

__all__ = ["GgufHeader", "Pooling", "Purpose", "read_header", "shard_paths", "unreadable"]

Pooling = Literal["none", "mean", "cls", "last", "rank"]
"""How one vector is made of all tokens' vectors; `rank` is a score instead."""

Purpose = Literal["generate", "embed", "rerank"]

_POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")  # llama_pooling_type

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
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Texts:
    """A list of texts, of which only the number is kept."""

    count: int


_Value = int | float | str | tuple[int | float, ...] | _Texts | None
"""A value of the header; None stands for one that is too long to keep."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What is needed to list a model, to start it and to tell how much memory it takes.

    Numbers that the file does not give are 0. `kv_heads` has an entry a layer.
    """

    architecture: str
    name: str | None
    purpose: Purpose
    pooling: Pooling | None
    has_chat_template: bool
    parameters: int
    context_tokens: int
    vocabulary: int
    width: int
    feed_forward: int
    layers: int
    kv_heads: tuple[int, ...]
    key_width: int
    value_width: int


def read_header(path: Path) -> GgufHeader:
    """The header of a model's file, after checking that all its tensors lie inside the file.

    Raises:
        ModelFileInvalid: there is no such file, it is no GGUF, or it is damaged or cut short.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.stat().st_size).header()
    except _Fault as fault:
        raise ModelFileInvalid(
            f"The model file {path} cannot be used: {fault}. Download or copy it again."
        ) from fault
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> ModelFileInvalid:
    """The error for a model's file that is missing, or that the system does not let be read."""
    if isinstance(error, FileNotFoundError):
        return ModelFileInvalid(
            f"The model file {path} is not there. Put it back, or remove the model."
        )
    return ModelFileInvalid(
        f"The model file {path} cannot be read: {error.strerror or error}. "
        "Check its rights and the disk."
    )


def shard_paths(path: Path) -> tuple[Path, ...]:
    """The files of a model that is split as `NAME-00001-of-00003.gguf`, else just the one.

    A file that is a later part of a model gives nothing.
    """
    shard = _SHARD.fullmatch(path.name)
    if shard is None:
        return (path,)
    if int(shard["number"]) != 1:
        return ()
    count = int(shard["count"])
    names = (f"{shard['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1))
    return tuple(path.with_name(name) for name in names)


class _Fault(Exception):
    """Why the file cannot be used, in words that follow a colon."""


class _Reader:
    """Reads forward through the header, never past the file's end nor its own limit."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes
        self._position = 0

    def header(self) -> GgufHeader:
        tensors, entries = self._preamble()
        # No entry is shorter than 13 bytes and no tensor than 24, so false counts end here.
        self._expect(entries * 13 + tensors * 24)
        values: dict[str, _Value] = {}
        for _ in range(entries):
            key = self._text()
            values[key] = self._value(self._count("I"))
        parameters, tensor_names = self._tensors(tensors, _whole(values, "general.alignment", 32))
        return _describe(values, parameters, tensor_names)

    def _preamble(self) -> tuple[int, int]:
        """How many tensors and how many entries the header has."""
        magic = self._take(4) if self._size_bytes >= 4 else b""
        if magic != _MAGIC:
            raise _Fault(f"it is no GGUF file (it starts with {magic!r})")
        version = self._count("I")
        if version not in (2, 3):
            kind = "a big-endian one" if version & 0xFFFF == 0 else f"version {version}"
            raise _Fault(f"it is {kind}, and only little-endian GGUF of version 2 or 3 can be read")
        return self._count("Q"), self._count("Q")

    def _tensors(self, count: int, alignment: int) -> tuple[int, frozenset[str]]:
        """The number of parameters and the tensors' names, once all are known to be in the file."""
        if alignment < 1 or alignment % 8:
            raise _Fault(f"its alignment is {alignment}, which is no multiple of 8")
        parameters = end = 0
        names = set()
        for _ in range(count):
            name = self._text()
            dimensions = self._count("I")
            if dimensions > _MOST_DIMENSIONS:
                raise _Fault(f"tensor {name[:64]!r} has {dimensions} dimensions")
            elements = math.prod(self._count("Q") for _ in range(dimensions))
            block, block_bytes = _BLOCKS.get(self._count("I"), (1, 0))
            offset = self._count("Q")
            end = max(end, offset + elements // block * block_bytes)
            parameters += elements
            names.add(name)
        needed = -(-self._position // alignment) * alignment + end
        if needed > self._size_bytes:
            raise _Fault(
                f"it is cut short: its tensors need {needed:,} bytes and it has "
                f"{self._size_bytes:,}"
            )
        return parameters, frozenset(names)

    def _value(self, kind: int) -> _Value:
        if kind == _TEXT:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        code = self._code(kind)
        number: int | float = struct.unpack(f"<{code}", self._take(struct.calcsize(f"<{code}")))[0]
        return number

    def _array(self) -> _Value:
        kind, count = self._count("I"), self._count("Q")
        if kind == _TEXT:
            self._skip_texts(count)
            return _Texts(count)
        code = self._code(kind)
        width = struct.calcsize(f"<{code}")
        if count > _LONGEST_KEPT_ARRAY:
            self._skip(count * width)
            return None
        return struct.unpack(f"<{count}{code}", self._take(count * width))

    def _code(self, kind: int) -> str:
        if code := _NUMBERS.get(kind):
            return code
        raise _Fault(f"it holds a value of the unknown type {kind}")

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
            raise _Fault("it became shorter while it was read")
        return chunk

    def _take(self, count: int) -> bytes:
        self._expect(count)
        self._position += count
        taken = self._file.read(count)
        if len(taken) < count:
            raise _Fault("it became shorter while it was read")
        return taken

    def _skip(self, count: int) -> None:
        self._expect(count)
        self._position += count
        self._file.seek(self._position)

    def _expect(self, count: int) -> None:
        """Make sure that so many more bytes of header can be there."""
        end = self._position + count
        if end > self._size_bytes:
            raise _Fault(
                f"it is cut short or damaged: its header goes on past byte {self._size_bytes:,}, "
                "where the file ends"
            )
        if end > _LARGEST_HEADER_BYTES:
            raise _Fault(f"its header is longer than {_LARGEST_HEADER_BYTES:,} bytes")


def _describe(
    values: dict[str, _Value], parameters: int, tensor_names: frozenset[str]
) -> GgufHeader:
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise _Fault("it does not name the architecture of its model")
    name = values.get("general.name")
    tokens = values.get("tokenizer.ggml.tokens")
    width = _whole(values, f"{architecture}.embedding_length")
    heads = max(1, max(_wholes(values, f"{architecture}.attention.head_count", 1)))
    layers = _whole(values, f"{architecture}.block_count")
    kv_heads = _wholes(values, f"{architecture}.attention.head_count_kv", layers)
    if not any(kv_heads):
        kv_heads = (heads,) * min(layers, _LONGEST_KEPT_ARRAY)
    pooling = _pooling(values.get(f"{architecture}.pooling_type"))
    return GgufHeader(
        architecture=architecture,
        name=name if isinstance(name, str) and name else None,
        purpose=_purpose(values, architecture, pooling, tensor_names),
        pooling=pooling,
        has_chat_template=isinstance(values.get("tokenizer.chat_template"), str),
        parameters=parameters,
        context_tokens=_whole(values, f"{architecture}.context_length"),
        vocabulary=tokens.count if isinstance(tokens, _Texts) else 0,
        width=width,
        feed_forward=max(_wholes(values, f"{architecture}.feed_forward_length", 1)),
        layers=layers,
        kv_heads=kv_heads,
        key_width=_whole(values, f"{architecture}.attention.key_length", width // heads),
        value_width=_whole(values, f"{architecture}.attention.value_length", width // heads),
    )


def _purpose(
    values: dict[str, _Value],
    architecture: str,
    pooling: Pooling | None,
    tensor_names: frozenset[str],
) -> Purpose:
    """What the model was trained for.

    Encoders (BERT and its kin, or attention that looks both ways) and models that say how they
    pool are for embeddings; those with a classifier on top, or that pool by rank, score texts.
    """
    if pooling == "rank" or "cls.weight" in tensor_names or "cls.output.weight" in tensor_names:
        return "rerank"
    looks_both_ways = values.get(f"{architecture}.attention.causal") is False
    if "bert" in architecture or looks_both_ways or pooling not in (None, "none"):
        return "embed"
    return "generate"


def _pooling(value: _Value) -> Pooling | None:
    if isinstance(value, int) and 0 <= value < len(_POOLINGS):
        return _POOLINGS[value]
    return None


def _whole(values: dict[str, _Value], key: str, default: int = 0) -> int:
    return _wholes(values, key, 1, default)[0]


def _wholes(values: dict[str, _Value], key: str, count: int, default: int = 0) -> tuple[int, ...]:
    """A number `count` times, or the numbers of an array; never empty."""
    value = values.get(key)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, int)) or (default,)
    number = value if isinstance(value, int) else default
    return (number,) * max(1, min(count, _LONGEST_KEPT_ARRAY))
