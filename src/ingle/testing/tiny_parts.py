"""What goes with a tiny model, with random weights too: eyes (a projector), and an adapter (LoRA).

Both fit the `ModelShape` that they are made for, and go through the whole of llama.cpp: the eyes
turn any picture into four tokens, the adapter changes every answer. Sources of the names:
llama.cpp, tools/mtmd/clip-impl.h, and convert_lora_to_gguf.py.
"""

from __future__ import annotations

import base64
import math
import random
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ingle.testing.gguf_writer import Tensor, Value, write_gguf
from ingle.testing.tiny_model import ModelShape

__all__ = ["PICTURE_TOKENS", "picture_url", "write_adapter", "write_projector"]

PICTURE_TOKENS = 4
"""Tokens that each picture becomes, without the marks around it."""

_IMAGE_SIZE = 64
_PATCH_SIZE = 8
_WIDTH = 32
_FEED_FORWARD = 64
_RANK = 4
_F32 = 0  # ggml_type


class _Weights(NamedTuple):
    """A tensor of 32-bit floats."""

    name: str
    dimensions: tuple[int, ...]
    data: bytes


def write_projector(path: Path, shape: ModelShape | None = None) -> Path:
    """Write eyes of the kind that Gemma 3 has, and return their path."""
    text_width = (shape or ModelShape()).width
    entries: dict[str, Value] = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": "random eyes",
        "clip.has_vision_encoder": True,
        "clip.projector_type": "gemma3",
        "clip.use_gelu": True,
        "clip.vision.image_size": _IMAGE_SIZE,
        "clip.vision.patch_size": _PATCH_SIZE,
        "clip.vision.embedding_length": _WIDTH,
        "clip.vision.feed_forward_length": _FEED_FORWARD,
        "clip.vision.projection_dim": text_width,
        "clip.vision.block_count": 1,
        "clip.vision.attention.head_count": 2,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": (0.5, 0.5, 0.5),
        "clip.vision.image_std": (0.5, 0.5, 0.5),
    }
    source = random.Random(1)  # noqa: S311 -- weights, not secrets
    return _write(path, entries, list(_eyes(text_width, source)))


def write_adapter(path: Path, shape: ModelShape | None = None) -> Path:
    """Write a LoRA adapter for what each layer takes out of its attention; its path."""
    shape = shape or ModelShape()
    entries: dict[str, Value] = {
        "general.architecture": shape.architecture,
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": float(_RANK),
    }
    source = random.Random(2)  # noqa: S311 -- weights, not secrets
    tensors = []
    for layer in range(shape.layers):
        name = f"blk.{layer}.attn_output.weight"
        tensors.append(_random(f"{name}.lora_a", (shape.width, _RANK), source))
        tensors.append(_random(f"{name}.lora_b", (_RANK, shape.width), source))
    return _write(path, entries, tensors)


def picture_url(red: int, green: int, blue: int, *, width: int = 32, height: int = 32) -> str:
    """A picture of one colour, as a `data:` URL of a PNG (https://www.w3.org/TR/png-3/)."""
    rows = (b"\0" + bytes([red, green, blue]) * width) * height
    png = b"\x89PNG\r\n\x1a\n"
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # eight bits a colour, RGB
    for kind, data in ((b"IHDR", size), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        png += struct.pack(">I", len(data)) + kind + data
        png += struct.pack(">I", zlib.crc32(kind + data))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _write(path: Path, entries: Mapping[str, Value], weights: Sequence[_Weights]) -> Path:
    tensors = [Tensor(one.name, one.dimensions, _F32, len(one.data)) for one in weights]
    return write_gguf(path, entries, tensors, (one.data for one in weights))


def _eyes(text_width: int, source: random.Random) -> Iterator[_Weights]:
    patches = (_IMAGE_SIZE // _PATCH_SIZE) ** 2
    yield _random("v.patch_embd.weight", (_PATCH_SIZE, _PATCH_SIZE, 3, _WIDTH), source)
    yield _ones("v.patch_embd.bias", _WIDTH)
    yield _random("v.position_embd.weight", (_WIDTH, patches), source)
    for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
        yield _random(f"v.blk.0.{name}.weight", (_WIDTH, _WIDTH), source)
        yield _ones(f"v.blk.0.{name}.bias", _WIDTH)
    for name, into, out in (("ffn_up", _WIDTH, _FEED_FORWARD), ("ffn_down", _FEED_FORWARD, _WIDTH)):
        yield _random(f"v.blk.0.{name}.weight", (into, out), source)
        yield _ones(f"v.blk.0.{name}.bias", out)
    for name in ("v.blk.0.ln1", "v.blk.0.ln2", "v.post_ln"):
        yield _ones(f"{name}.weight", _WIDTH)
        yield _ones(f"{name}.bias", _WIDTH)
    yield _random("mm.input_projection.weight", (text_width, _WIDTH), source)
    yield _ones("mm.soft_emb_norm.weight", _WIDTH)


def _ones(name: str, count: int) -> _Weights:
    return _Weights(name, (count,), struct.pack("<f", 1.0) * count)


def _random(name: str, dimensions: tuple[int, ...], source: random.Random) -> _Weights:
    numbers = [source.uniform(-1, 1) for _ in range(math.prod(dimensions))]
    return _Weights(name, dimensions, struct.pack(f"<{len(numbers)}f", *numbers))
