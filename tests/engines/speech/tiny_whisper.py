"""A model of whisper.cpp with random weights: a real file of 2 MB, and noise for words.

Source: whisper.cpp's `models/convert-pt-to-ggml.py`.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from pathlib import Path

__all__ = ["write_whisper"]

WIDTH, HEADS, LAYERS = 16, 2, 1
AUDIO_CONTEXT, TEXT_CONTEXT, MELS, BANDS = 1500, 448, 80, 201
MULTILINGUAL, ENGLISH = 51865, 51864
_SYLLABLES = ("ba", "be", "bi", "bo", "bu", "da", "de", "di", "do", "du")
_F32, _F16 = 0, 1


def write_whisper(path: Path, *, vocabulary: int = MULTILINGUAL, layers_told: int = LAYERS) -> None:
    """Write it. With 51,865 tokens it knows all languages, with 51,864 English only.

    A file that tells of more layers than it has is not whole.
    """
    numbers = random.Random(0)
    parts = [
        b"lmgg",
        struct.pack("<4i", vocabulary, AUDIO_CONTEXT, WIDTH, HEADS),
        struct.pack("<3i", layers_told, TEXT_CONTEXT, WIDTH),
        struct.pack("<4i", HEADS, layers_told, MELS, _F16),
        struct.pack("<2i", MELS, BANDS),
        _floats(numbers, MELS * BANDS),
        _vocabulary(50257 if vocabulary == MULTILINGUAL else 50256),
    ]
    for name, shape, kind in _tensors(vocabulary):
        count = 1
        for size in shape:
            count *= size
        data = _floats(numbers, count) if kind == _F32 else _halves(numbers, count)
        head = struct.pack("<3i", len(shape), len(name), kind)
        parts += [head, struct.pack(f"<{len(shape)}i", *reversed(shape)), name.encode(), data]
    path.write_bytes(b"".join(parts))


def _vocabulary(count: int) -> bytes:
    """Tokens of which every second begins a word; whisper.cpp wants a space among them."""
    words = [b" "]
    for number in range(1, count):
        syllables = _SYLLABLES[number % 10] + _SYLLABLES[number // 10 % 10]
        words.append(f"{' ' * (number % 2)}{syllables}{number // 100}".encode())
    return struct.pack("<i", count) + b"".join(struct.pack("<I", len(w)) + w for w in words)


def _tensors(vocabulary: int) -> list[tuple[str, Sequence[int], int]]:
    found: list[tuple[str, Sequence[int], int]] = [
        ("encoder.positional_embedding", (AUDIO_CONTEXT, WIDTH), _F32),
        ("encoder.conv1.weight", (WIDTH, MELS, 3), _F16),
        ("encoder.conv1.bias", (WIDTH, 1), _F32),
        ("encoder.conv2.weight", (WIDTH, WIDTH, 3), _F16),
        ("encoder.conv2.bias", (WIDTH, 1), _F32),
        *_layer_norm("encoder.ln_post"),
        ("decoder.positional_embedding", (TEXT_CONTEXT, WIDTH), _F32),
        ("decoder.token_embedding.weight", (vocabulary, WIDTH), _F16),
        *_layer_norm("decoder.ln"),
    ]
    for side in ("encoder", "decoder"):
        for layer in range(LAYERS):
            block = f"{side}.blocks.{layer}"
            found += [
                *_layer_norm(f"{block}.mlp_ln"),
                *_linear(f"{block}.mlp.0", 4 * WIDTH, WIDTH),
                *_linear(f"{block}.mlp.2", WIDTH, 4 * WIDTH),
                *_attention(f"{block}.attn"),
            ]
            if side == "decoder":
                found += _attention(f"{block}.cross_attn")
    return found


def _attention(name: str) -> list[tuple[str, Sequence[int], int]]:
    found = _layer_norm(f"{name}_ln")
    for part in ("query", "key", "value", "out"):
        linear = _linear(f"{name}.{part}", WIDTH, WIDTH)
        found += linear[:1] if part == "key" else linear
    return found


def _linear(name: str, rows: int, columns: int) -> list[tuple[str, Sequence[int], int]]:
    return [(f"{name}.weight", (rows, columns), _F16), (f"{name}.bias", (rows,), _F32)]


def _layer_norm(name: str) -> list[tuple[str, Sequence[int], int]]:
    return [(f"{name}.weight", (WIDTH,), _F32), (f"{name}.bias", (WIDTH,), _F32)]


def _halves(numbers: random.Random, count: int) -> bytes:
    """Floats of 16 bits of either sign between 1/16 and 1/4: random bits with such an exponent."""
    data = bytearray(numbers.randbytes(2 * count))
    data[1::2] = data[1::2].translate(bytes(0x2C | byte & 0x87 for byte in range(256)))
    return bytes(data)


def _floats(numbers: random.Random, count: int) -> bytes:
    """Floats of 32 bits of either sign between 1/32 and 1/8."""
    data = bytearray(numbers.randbytes(4 * count))
    data[3::4] = data[3::4].translate(bytes(0x3D | byte & 0x80 for byte in range(256)))
    return bytes(data)
