"""A model of any size with random weights, as GGUF: made in no time, from nothing.

It answers nonsense, deterministically, through the whole of llama.cpp: what a test or a benchmark
needs when it needs an engine and not an answer. Its tokens are the 256 bytes and three marks; a
larger vocabulary is filled with words that no text has.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingle.testing.gguf_writer import Tensor, Value, write_gguf

__all__ = ["Architecture", "ModelShape", "write_model"]

Architecture = Literal["llama", "qwen3", "gemma3", "mamba"]
"""llama; one whose heads are as wide as it likes; one whose layers mostly see a window of 512
tokens only; one without attention, whose memory does not grow with the context."""

Weights = Literal["f32", "f16", "q8_0", "q4_0"]

_FILE_TYPES: Mapping[Weights, int] = {"f32": 0, "f16": 1, "q8_0": 7, "q4_0": 2}  # llama_ftype
_TENSOR_TYPES: Mapping[Weights, int] = {"f32": 0, "f16": 1, "q8_0": 8, "q4_0": 2}  # ggml_type
_QUANTISED: Mapping[Weights, tuple[float, int]] = {"q8_0": (74.0, 32), "q4_0": (4.6, 16)}
"""How far an even spread of all values deviates, and the bytes of a block of 32 after its scale."""

_WINDOW_TOKENS = 512
_CONVOLUTION = 4  # Mamba's own: https://arxiv.org/abs/2312.00752
_STATE = 16
_TIME_STEP_RANK = 32
_RANDOM_BLOCKS = 8192  # of 32 weights; larger tensors repeat them
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes that define the network; widths are multiples of 32, as Q8_0 asks.

    A head is as wide as its share of `width` unless `head_width` is given.
    """

    architecture: Architecture = "llama"
    width: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 128
    head_width: int = 0
    vocabulary: int = 259
    context_tokens: int = 32768
    weights: Weights = "q8_0"
    seed: int = 1

    @property
    def one_head(self) -> int:
        """The width of one head."""
        return self.head_width or self.width // self.heads

    @property
    def kv_width(self) -> int:
        """The width of a layer's keys, and of its values."""
        return self.one_head * self.kv_heads


def write_model(
    path: Path, shape: ModelShape | None = None, *, extra: Mapping[str, int | str] | None = None
) -> Path:
    """Write the model and return its path. `extra` adds entries to the header, or replaces some."""
    shape = shape or ModelShape()
    entries: dict[str, Value] = {**_entries(shape), **(extra or {})}
    tensors = [
        Tensor(
            name,
            dimensions,
            _TENSOR_TYPES[_kind(dimensions, shape.weights)],
            _size_bytes(dimensions, shape.weights),
        )
        for name, dimensions in _tensors(shape)
    ]
    source = random.Random(shape.seed)  # noqa: S311 -- weights, not secrets
    data = (_data(tensor.dimensions, shape.weights, source) for tensor in tensors)
    return write_gguf(path, entries, tensors, data)


def _entries(shape: ModelShape) -> dict[str, Value]:
    tokens = [*_byte_letters(), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens += [f"<|word {number}|>" for number in range(len(tokens), shape.vocabulary)]
    return {
        "general.architecture": shape.architecture,
        "general.name": "random weights",
        "general.file_type": _FILE_TYPES[shape.weights],
        **{f"{shape.architecture}.{key}": value for key, value in _network(shape).items()},
        f"{shape.architecture}.vocab_size": len(tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 256 + [3] * (len(tokens) - 256),  # normal, and control
        "tokenizer.ggml.merges": ["Ġ t"],  # must not be empty; leads to no token, so never used
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 258,
        "tokenizer.chat_template": _TEMPLATE,
    }


def _network(shape: ModelShape) -> dict[str, int | float]:
    """What the header says of the network, by the keys that follow the architecture's name."""
    network: dict[str, int | float] = {
        "context_length": shape.context_tokens,
        "embedding_length": shape.width,
        "block_count": shape.layers,
        "attention.layer_norm_rms_epsilon": 1e-5,
    }
    if shape.architecture == "mamba":
        return network | {
            "feed_forward_length": 0,
            "attention.head_count": 0,
            "ssm.conv_kernel": _CONVOLUTION,
            "ssm.inner_size": 2 * shape.width,
            "ssm.state_size": _STATE,
            "ssm.time_step_rank": _TIME_STEP_RANK,
        }
    network |= {
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "rope.dimension_count": shape.one_head,
    }
    if shape.head_width:
        network |= {
            "attention.key_length": shape.head_width,
            "attention.value_length": shape.head_width,
        }
    if shape.architecture == "gemma3":
        network["attention.sliding_window"] = _WINDOW_TOKENS
    return network


def _tensors(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    vocabulary = max(259, shape.vocabulary)
    layer_of = _mamba_layer if shape.architecture == "mamba" else _attention_layer
    yield "token_embd.weight", (shape.width, vocabulary)
    for layer in range(shape.layers):
        for name, dimensions in layer_of(shape):
            yield f"blk.{layer}.{name}", dimensions
    yield "output_norm.weight", (shape.width,)
    yield "output.weight", (shape.width, vocabulary)


def _attention_layer(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    all_heads = shape.one_head * shape.heads
    yield "attn_norm.weight", (shape.width,)
    yield "attn_q.weight", (shape.width, all_heads)
    yield "attn_k.weight", (shape.width, shape.kv_width)
    yield "attn_v.weight", (shape.width, shape.kv_width)
    yield "attn_output.weight", (all_heads, shape.width)
    yield "ffn_norm.weight", (shape.width,)
    yield "ffn_gate.weight", (shape.width, shape.feed_forward)
    yield "ffn_up.weight", (shape.width, shape.feed_forward)
    yield "ffn_down.weight", (shape.feed_forward, shape.width)
    if shape.architecture != "llama":
        yield "attn_q_norm.weight", (shape.one_head,)
        yield "attn_k_norm.weight", (shape.one_head,)
    if shape.architecture == "gemma3":
        yield "post_attention_norm.weight", (shape.width,)
        yield "post_ffw_norm.weight", (shape.width,)


def _mamba_layer(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    inner = 2 * shape.width
    yield "attn_norm.weight", (shape.width,)
    yield "ssm_in.weight", (shape.width, 2 * inner)
    yield "ssm_conv1d.weight", (_CONVOLUTION, inner)
    yield "ssm_conv1d.bias", (inner,)
    yield "ssm_x.weight", (inner, _TIME_STEP_RANK + 2 * _STATE)
    yield "ssm_dt.weight", (_TIME_STEP_RANK, inner)
    yield "ssm_dt.bias", (inner,)
    yield "ssm_a", (_STATE, inner)
    yield "ssm_d", (inner,)
    yield "ssm_out.weight", (inner, shape.width)


def _data(dimensions: tuple[int, ...], weights: Weights, source: random.Random) -> bytes:
    """Weights that keep a signal at its size: spread evenly around 0, deviating by 1/sqrt(width)."""
    if len(dimensions) == 1:
        return struct.pack("<f", 1.0) * dimensions[0]
    weights = _kind(dimensions, weights)
    deviation = dimensions[0] ** -0.5
    blocks = min(math.prod(dimensions) // 32, _RANDOM_BLOCKS)
    if weights in _QUANTISED:
        spread, size_bytes = _QUANTISED[weights]
        scale = struct.pack("<e", deviation / spread)
        some = b"".join(scale + source.randbytes(size_bytes) for _ in range(blocks))
    else:
        code = "f" if weights == "f32" else "e"
        numbers = (source.uniform(-1, 1) * deviation * math.sqrt(3) for _ in range(blocks * 32))
        some = struct.pack(f"<{blocks * 32}{code}", *numbers)
    size_bytes = _size_bytes(dimensions, weights)
    return (some * -(-size_bytes // len(some)))[:size_bytes]


def _size_bytes(dimensions: tuple[int, ...], weights: Weights) -> int:
    elements = math.prod(dimensions)
    kind = _kind(dimensions, weights)
    if kind in _QUANTISED:
        return elements // 32 * (2 + _QUANTISED[kind][1])
    return elements * (4 if kind == "f32" else 2)


def _kind(dimensions: tuple[int, ...], weights: Weights) -> Weights:
    """How a tensor's numbers are kept: vectors, and rows too short for a block, in full."""
    return "f32" if len(dimensions) == 1 or dimensions[0] % 32 else weights


def _byte_letters() -> list[str]:
    """The letter that stands for each byte in GPT-2's vocabulary.

    Source: https://github.com/openai/gpt-2/blob/master/src/encoder.py
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]
