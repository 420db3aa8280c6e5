"""What a GGUF header says of each layer: how much of the past it keeps, and in which form.

llama.cpp knows some of it by the architecture's name only, so this knows those names too:
https://github.com/ggml-org/llama.cpp/tree/master/src/models
"""

from __future__ import annotations

from collections.abc import Mapping

from ingle.models.gguf_reader import Value

__all__ = ["kv_heads", "state_numbers", "whole", "wholes", "windowed"]

_MOST_LAYERS = 4096  # far beyond any model, so that a false count makes no long tuple

_WINDOW_PERIODS = {
    "afmoe": 4,
    "cohere2": 4,
    "exaone-moe": 4,
    "exaone4": 4,
    "gemma-embedding": 6,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "olmo2": 4,
    "smallthinker": 4,
}
"""Of so many layers the last one sees everything and the others a window, unless the file says so
itself. Architectures that are not here have a window on no layer, or none that saves memory."""


def windowed(values: Mapping[str, Value], architecture: str, layers: int) -> tuple[bool, ...]:
    """Whether each layer sees only a window of the last tokens."""
    key = f"{architecture}.attention.sliding_window_pattern"
    pattern = values.get(key)
    if not whole(values, f"{architecture}.attention.sliding_window"):
        return (False,) * layers
    if isinstance(pattern, tuple):
        told = tuple(map(bool, pattern))[:layers]
        return told + (False,) * (layers - len(told))
    period = pattern if isinstance(pattern, int) else _WINDOW_PERIODS.get(architecture, 1)
    return tuple(period == 0 or layer % period < period - 1 for layer in range(layers))


def kv_heads(
    values: Mapping[str, Value], architecture: str, heads: int, layers: int
) -> tuple[int, ...]:
    """How many heads each layer keeps keys and values for; 0 where it keeps none of its own.

    That is: a layer without attention (all of them, or all but every n-th), and the last layers
    where those use the keys and values of the layers before.
    """
    key = f"{architecture}.attention.head_count_kv"
    told = wholes(values, key, layers)
    if not any(told):
        told = (0 if state_numbers(values, architecture) else heads,) * layers
    interval = whole(values, f"{architecture}.full_attention_interval")
    own = layers - whole(values, f"{architecture}.attention.shared_kv_layers")
    return tuple(
        0 if layer >= own or (interval and (layer + 1) % interval) else count
        for layer, count in enumerate(told)
    )


def state_numbers(values: Mapping[str, Value], architecture: str) -> int:
    """How many numbers a layer without attention keeps for one conversation; 0 if there are none.

    The last inputs of its convolution, and its state. Source: Gu and Dao 2023, arXiv:2312.00752,
    and with groups Dao and Gu 2024, arXiv:2405.21060.
    """
    kernel, inner, state, groups = (
        whole(values, f"{architecture}.ssm.{name}")
        for name in ("conv_kernel", "inner_size", "state_size", "group_count")
    )
    return max(0, kernel - 1) * (inner + 2 * groups * state) + state * inner


def whole(values: Mapping[str, Value], key: str, default: int = 0) -> int:
    """The number, or the first of several; the default if the file gives none."""
    return wholes(values, key, 1, default)[0]


def wholes(values: Mapping[str, Value], key: str, count: int, default: int = 0) -> tuple[int, ...]:
    """A number `count` times, or the numbers of an array; never empty."""
    value = values.get(key)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, int)) or (default,)
    number = value if isinstance(value, int) else default
    return (number,) * max(1, min(count, _MOST_LAYERS))
